"""The command line; of its commands only the one that is wanted is imported, which for most is most of their time."""

import argparse
import asyncio
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from phone_bridge.errors import BridgeError

if TYPE_CHECKING:
    from phone_bridge.outbound_cli import Api
    from phone_bridge.settings import Settings

CANNOT_BEGIN = 2
"""Exit status of a command that could not begin."""


class Command(NamedTuple):
    """A command: what adds its arguments, and what runs it and gives its exit status."""

    add: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command ``phone-bridge`` and exit with its status."""
    given = sys.argv[1:] if arguments is None else arguments
    parser = argparse.ArgumentParser(prog="phone-bridge", description="The telephone bridge to voice assistants.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, (told, imported) in COMMANDS.items():
        one = commands.add_parser(name, help=told)
        if name in given:
            command = imported()
            command.add(one)
            one.set_defaults(run=command.run)
    try:
        options = parser.parse_args(given)
        status: int = options.run(options)
    except BridgeError as error:
        print(f"phone-bridge: {error}", file=sys.stderr)
        status = CANNOT_BEGIN
    except KeyboardInterrupt:
        status = 130
    sys.exit(status)


def _settings() -> "Settings":
    from phone_bridge.settings import load

    return load(os.environ, Path.cwd())


def _api(url: str | None) -> "Api":
    from phone_bridge.outbound_cli import Api

    settings = _settings()
    return Api(url or settings.local_url, next(iter(settings.operator_keys), ""))


def _serve() -> Command:
    from phone_bridge.runtime import reloading

    reloading.expect()  # before the imports, which take longer than what comes after them
    from phone_bridge import serve_cli

    return Command(serve_cli.add_arguments, serve_cli.run)


def _call() -> Command:
    from phone_bridge import outbound_cli

    return Command(outbound_cli.add_call, lambda options: outbound_cli.call(options, _api(options.url), print))


def _campaign() -> Command:
    from phone_bridge import campaign_cli

    return Command(campaign_cli.add_arguments, lambda options: campaign_cli.run(options, _api(options.url), print))


def _remind() -> Command:
    from phone_bridge import outbound_cli

    return Command(outbound_cli.add_remind, lambda options: outbound_cli.remind(options, _api(options.url), print))


def _calendar() -> Command:
    from phone_bridge import calendar_cli

    def run(options: argparse.Namespace) -> int:
        settings = _settings()
        desk = calendar_cli.Desk(settings.database_url, settings.caldav, settings.user_id)
        return calendar_cli.run(options, desk, print)

    return Command(calendar_cli.add_arguments, run)


def _memory() -> Command:
    from phone_bridge import memory_cli

    def run(options: argparse.Namespace) -> int:
        settings = _settings()
        return memory_cli.run(options, settings.database_url, settings.user_id, print)

    return Command(memory_cli.add_arguments, run)


def _key() -> Command:
    from phone_bridge import key_cli

    return Command(key_cli.add_arguments, lambda options: key_cli.run(options, print))


def _voice_key() -> Command:
    from phone_bridge import voice_key_cli

    return Command(voice_key_cli.add_arguments, lambda options: voice_key_cli.run(options, print))


def _pin() -> Command:
    from phone_bridge import pin_cli

    return Command(pin_cli.add_arguments, lambda options: pin_cli.run(options, _settings().database_url, print))


def _receipt() -> Command:
    from phone_bridge import receipt_cli

    def run(options: argparse.Namespace) -> int:
        return receipt_cli.run(options, lambda: _settings().database_url, print)

    return Command(receipt_cli.add_arguments, run)


def _doctor() -> Command:
    from phone_bridge import doctor_cli

    def run(options: argparse.Namespace) -> int:
        return doctor_cli.run(options, os.environ, Path.cwd(), print)

    return Command(doctor_cli.add_arguments, run)


def _replay() -> Command:
    from phone_bridge.runtime import replaying

    def run(options: argparse.Namespace) -> int:
        status = replaying.DONE
        try:
            status = replaying.run(options, print)
            sys.stdout.flush()
        except BrokenPipeError:  # whoever reads has seen enough, as ``head`` has; the rest goes nowhere
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return status

    return Command(replaying.add_arguments, run)


def _simulate() -> Command:
    from phone_bridge.assistant.speaking import EspeakVoice
    from phone_bridge.simulator import simulate

    def run(options: argparse.Namespace) -> int:
        settings = _settings()
        wishes = simulate.options_from(
            options,
            local_url=settings.local_url,
            public_url=settings.base_url,
            api_key=settings.operator_keys[0] if settings.operator_keys else "",
            account_sid=settings.twilio_account_sid,
            auth_token=settings.twilio_tokens[0] if settings.twilio_tokens else "",
            to_number=settings.twilio_phone_number,
        )

        async def play() -> int:
            voice = EspeakVoice()
            try:
                return await simulate.simulate(wishes, voice, lambda line: print(line, flush=True))
            finally:
                await voice.close()

        return asyncio.run(play())

    return Command(simulate.add_arguments, run)


COMMANDS: dict[str, tuple[str, Callable[[], Command]]] = {
    "serve": ("take calls", _serve),
    "call": ("call somebody through the running bridge", _call),
    "campaign": ("ring everybody in a table, at a rate; again goes on", _campaign),
    "remind": ("schedule a reminder call, or a file of them", _remind),
    "simulate": ("play a whole call against a running bridge, without a phone", _simulate),
    "calendar": ("look at a calendar, add to it, import and export .ics files", _calendar),
    "memory": ("show, give out or forget what models remember of a user", _memory),
    "key": ("make a key of the API", _key),
    "voice-key": ("make a key of the built-in assistant's API", _voice_key),
    "pin": ("give users a PIN for the telephone, or take it away", _pin),
    "receipt": ("prove what a caller consented to", _receipt),
    "doctor": ("say what is wrong with a deployment and how to mend it", _doctor),
    "replay": ("run a call's trace again: exit 1 if its machine raises", _replay),
}


if __name__ == "__main__":
    main()
