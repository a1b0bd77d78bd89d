"""``phone-bridge simulate``: plays a whole call against a running bridge and shows it as it happens."""

import argparse
import asyncio
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
import msgspec

from phone_bridge.errors import BridgeError, Refused
from phone_bridge.runtime.voice import Voice
from phone_bridge.simulator.bridge_api import BridgeApi
from phone_bridge.simulator.caller import Manners
from phone_bridge.simulator.carrier import LiveCall, Site
from phone_bridge.simulator.conversation import TranscriptReader, note_line, outcome_lines, spoken_line
from phone_bridge.simulator.dialled import MANNERS, Dialled, of_manner
from phone_bridge.simulator.recording import stereo_wav
from phone_bridge.simulator.result import CallResult
from phone_bridge.simulator.script import Press, Say, Step, Wait
from phone_bridge.simulator.webhooks import Dialling

FROM_NUMBER = "+12025550143"
TO_NUMBER = "+12025550100"
POLL_S = 0.25
"""How often the bridge's transcript is read while the call runs."""

EXIT_OK = 0
EXIT_NOT_OK = 1
EXIT_NO_CALL = 2

PrintLine = Callable[[str], None]


class SimulateOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What ``phone-bridge simulate`` was told: where the bridge is, who calls, what the caller does."""

    site: Site
    script: tuple[Step, ...] = ()
    from_number: str = FROM_NUMBER
    to_number: str = TO_NUMBER
    account_sid: str = ""
    auth_token: str = ""
    stay: bool = False
    dialled: tuple[tuple[str, Dialled], ...] = ()
    save: Path | None = None
    json: bool = False


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Give ``parser`` the arguments of the command; ``--say``, ``--press`` and ``--wait`` keep their order."""
    step: dict[str, Any] = {"action": "append", "dest": "script", "default": None}
    parser.add_argument("--say", type=Say, metavar="TEXT", help="say this when it is the caller's turn", **step)
    parser.add_argument("--press", type=_press, metavar="DIGITS", help="press these keys, likewise", **step)
    parser.add_argument("--wait", type=_wait, metavar="SECONDS", help="keep silent for so long", **step)
    parser.add_argument("--from", dest="from_number", default=FROM_NUMBER, metavar="NUMBER", help="who calls")
    parser.add_argument("--to", dest="to_number", default=None, metavar="NUMBER", help="the number that is called")
    parser.add_argument("--save", type=Path, metavar="FILE.wav", help="record the call: caller left, bridge right")
    parser.add_argument("--url", help="the bridge's address (default: that of the settings)")
    parser.add_argument(
        "--voice-url",
        default="",
        metavar="URL",
        help="the number's own webhook, where that is an IVR's that hands over",
    )
    parser.add_argument("--stay", action="store_true", help="stay on the line until the bridge hangs up")
    parser.add_argument(
        "--dial",
        type=_dialled,
        action="append",
        default=[],
        metavar="NUMBER=WHAT",
        help=f"who is at a number that the bridge puts the caller through to: {', '.join(MANNERS)}",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object at the end and nothing else")


def options_from(
    args: argparse.Namespace,
    *,
    local_url: str,
    public_url: str = "",
    api_key: str = "",
    account_sid: str = "",
    auth_token: str = "",
    to_number: str = "",
) -> SimulateOptions:
    """Make options of parsed arguments and of what the settings say.

    An address given by ``--url`` is called and signed as it stands; ``public_url`` belongs to the settings' own bridge.
    """
    site = (
        Site(url=args.url, api_key=api_key) if args.url else Site(url=local_url, public_url=public_url, api_key=api_key)
    )
    site = msgspec.structs.replace(site, voice_url=args.voice_url)
    return SimulateOptions(
        site=site,
        script=tuple(args.script or ()),
        from_number=args.from_number,
        to_number=args.to_number or to_number or TO_NUMBER,
        account_sid=account_sid,
        auth_token=auth_token,
        stay=args.stay,
        dialled=tuple(args.dial),
        save=args.save,
        json=args.json,
    )


def _press(digits: str) -> Press:
    try:
        return Press(digits)
    except Refused as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _dialled(pair: str) -> tuple[str, Dialled]:
    number, _, manner = pair.rpartition("=")
    try:
        return number, of_manner(manner)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"write NUMBER=WHAT: {error}") from error


def _wait(seconds: str) -> Wait:
    try:
        ms = round(float(seconds) * 1000)
    except (ValueError, OverflowError) as error:
        raise argparse.ArgumentTypeError(f"{seconds!r} is no number of seconds") from error
    if ms < 0:
        raise argparse.ArgumentTypeError("nobody can wait for less than 0 seconds")
    return Wait(ms)


async def simulate(options: SimulateOptions, voice: Voice, print_line: PrintLine) -> int:
    """Play the call and print it as it happens.

    Returns the exit status: 0 when the call ended as a call should, 1 when it did not, 2 when there was no call: no
    bridge answers, the caller has no voice, or the recording could not be kept.
    """
    if options.save is not None and not options.save.parent.is_dir():
        print_line(f"there is no folder {options.save.parent} to save the recording in")
        return EXIT_NO_CALL
    try:
        result = await _call(options, voice, (lambda _: None) if options.json else print_line)
    except BridgeError as error:
        print_line(str(error))
        return EXIT_NO_CALL
    if options.save is not None:
        try:
            await asyncio.to_thread(options.save.write_bytes, stereo_wav(result.said, result.heard))
        except OSError as error:
            print_line(f"the recording could not be written to {options.save}: {error.strerror}")
            return EXIT_NO_CALL
    for line in [to_json(result)] if options.json else ["", *outcome_lines(result)]:
        print_line(line)
    return EXIT_OK if result.ok else EXIT_NOT_OK


async def _call(options: SimulateOptions, voice: Voice, print_line: PrintLine) -> CallResult:
    dialling = Dialling(
        account_sid=options.account_sid or f"AC{uuid.uuid4().hex}",
        auth_token=options.auth_token,
        from_number=options.from_number,
        to_number=options.to_number,
    )
    async with aiohttp.ClientSession() as http:
        api = BridgeApi(http, options.site.url, options.site.api_key)
        await api.ping()
        call = await LiveCall.prepare(
            options.site,
            options.script,
            voice,
            dialling=dialling,
            manners=Manners(stay=options.stay),
            dialled=dict(options.dialled),
        )
        reader = TranscriptReader()
        async with asyncio.TaskGroup() as owner:
            follower = owner.create_task(_follow(api, call, reader, print_line))
            result = await call.run(lambda note: _print_note(note_line(note), print_line))
            follower.cancel()
    transcript = result.record.transcript if result.record else []
    for spoken in reader.read(transcript):
        print_line(spoken_line(spoken, call.first_stream_ms))
    return result


def _print_note(line: str | None, print_line: PrintLine) -> None:
    if line is not None:
        print_line(line)


async def _follow(api: BridgeApi, call: LiveCall, reader: TranscriptReader, print_line: PrintLine) -> None:
    """Print the bridge's side of the conversation while it goes on; what cannot be read now is read at the end."""
    while True:
        await asyncio.sleep(POLL_S)
        try:
            record = await api.record(call.call_sid)
        except BridgeError:
            continue
        for spoken in reader.read(record.transcript if record else []):
            print_line(spoken_line(spoken, call.first_stream_ms))


def to_json(result: CallResult) -> str:
    """Write a result as one JSON object, without its sound."""
    fields = msgspec.to_builtins(msgspec.structs.replace(result, said=b"", heard=b""))
    del fields["said"], fields["heard"]
    return msgspec.json.encode({"ok": result.ok, "reasons": result.reasons, **fields}).decode()
