"""The bridge under measure: the whole application, for one process of its own, as ``phone-bridge serve`` settles it.

Three things differ from ``phone-bridge serve``. The session is minted for the CallSid in the place of the user, or
opened with it for a key, so that the load knows which call a session belongs to; the tools are the usual user's all the
same. With ``told`` a Truncate, for which ChronaPilot has no message, goes out as one of its own, so that it can be held
against what was played. And the prompts' voice is a tone of so many milliseconds a character, or there is none.
"""

import asyncio
import logging
import socket
import sys
from typing import Any

import msgspec
import uvicorn
import uvloop

from phone_bridge.app.bridge import Bridge
from phone_bridge.app.routes import build
from phone_bridge.audio.format import LINEAR_8K, Format
from phone_bridge.audio.tones import dtmf
from phone_bridge.call.commands import SessionCommand, Truncate
from phone_bridge.call.events import Action
from phone_bridge.call.trust import Trust
from phone_bridge.exchange import Request, Response
from phone_bridge.runtime.record import CallRecord, Records
from phone_bridge.runtime.toolbox import CallFacts, Tools
from phone_bridge.runtime.voice import Speech, Voice
from phone_bridge.runtime.websocket_server import UVICORN_OPTIONS
from phone_bridge.serve_cli import settled
from phone_bridge.sessions.dialect import Dialect, SessionWire, Ticket
from phone_bridge.settings import Settings
from phone_bridge.tenants import Served
from tests.benchmarks.processes import listening


class Told(msgspec.Struct, frozen=True, tag_field="type", tag="bench.truncate"):
    """How much of an item the bridge believes to have been heard."""

    item: str
    heard_ms: int


class ToneVoice:
    """Speaks every line as a tone of its length."""

    def __init__(self, character_ms: int) -> None:
        self._character_ms = character_ms

    async def speak(self, text: str, *, language: str = "en") -> Speech:
        return Speech(dtmf("5", LINEAR_8K, tone_ms=len(text) * self._character_ms, gap_ms=0), LINEAR_8K)

    async def close(self) -> None:
        pass


class TellingWire:
    """A session's wire that says on the socket what it is told by Truncate."""

    def __init__(self, wire: SessionWire) -> None:
        self._wire = wire
        self._told: list[bytes | str] = []
        self.receive = wire.receive
        self.deadline = wire.deadline
        self.expire = wire.expire
        self.closed = wire.closed

    @property
    def tells_voice(self) -> bool:
        return self._wire.tells_voice

    def send(self, command: SessionCommand, now: int) -> None:
        if isinstance(command, Truncate):
            self._told.append(msgspec.json.encode(Told(command.item, command.heard_ms)).decode())
        else:
            self._wire.send(command, now)

    def outgoing(self) -> list[bytes | str]:
        told, self._told = self._told, []
        return [*told, *self._wire.outgoing()]


class TellingDialect:
    """A dialect whose wires tell."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect

    def mint(self, nonce: str) -> Request | None:
        return self._dialect.mint(nonce)

    def minted(self, response: Response | None) -> Ticket:
        return self._dialect.minted(response)

    def farewell(self, ticket: Ticket) -> Request | None:
        return self._dialect.farewell(ticket)

    def look_up(self, action: Action) -> Request | None:
        return self._dialect.look_up(action)

    def looked_up(self, action: Action, response: Response) -> str:
        return self._dialect.looked_up(action, response)

    def wire(self, leg: Format) -> SessionWire:
        return TellingWire(self._dialect.wire(leg))


class BenchBridge(Bridge):
    """The bridge, with sessions that can be told apart."""

    def __init__(self, settings: Settings, records: Records, voice: Voice | None, *, told: bool) -> None:
        super().__init__(settings, records, voice)
        self._is_told = told

    def record(self, **known: Any) -> CallRecord:
        record = super().record(**known)
        record.user_id = record.carrier_id
        return record

    def _facts(self, record: CallRecord) -> CallFacts:
        return msgspec.structs.replace(super()._facts(record), user_id=self.settings.user_id)

    def _dialect(self, user_id: str, tools: Tools, known: str, served: Served, trust: Trust) -> Dialect:
        if served.settings.session == "realtime":
            settings = msgspec.structs.replace(served.settings, session_key=user_id)
            served = msgspec.structs.replace(served, settings=settings)
        dialect = super()._dialect(user_id, tools, known, served, trust)
        return TellingDialect(dialect) if self._is_told else dialect


class Options(msgspec.Struct, frozen=True):
    """How the bridge is set up."""

    session_url: str
    session_format: str
    token: str
    account: str
    folder: str
    session: str = "chronapilot"
    told: bool = False
    character_ms: int = 0


def settings(port: int, options: Options) -> Settings:
    return Settings(
        port=port,
        database_url=f"sqlite:///{options.folder}/{port}.db",
        session=options.session,
        session_shape="ga" if options.session == "realtime" else "",
        session_url=options.session_url,
        session_key="sk_test_bench",
        session_format=options.session_format,
        twilio_account_sid=options.account,
        twilio_auth_token=options.token,
    )


async def serve(server: uvicorn.Server, listener: socket.socket) -> None:
    """Serve until standard input ends."""
    asyncio.get_running_loop().add_reader(sys.stdin.fileno(), setattr, server, "should_exit", True)
    await server.serve([listener])


def main() -> None:
    """Be the bridge on the socket that was inherited."""
    told = listening()
    options = msgspec.convert(told.options, Options)
    chosen = settings(told.port, options)
    logging.getLogger("phone_bridge").setLevel(logging.ERROR)  # that there is no voice is meant

    def make() -> Bridge:
        voice = ToneVoice(options.character_ms) if options.character_ms else None
        return BenchBridge(chosen, Records(chosen.database_url), voice, told=options.told)

    server = uvicorn.Server(uvicorn.Config(build(make, settled), log_level="error", **UVICORN_OPTIONS))
    uvloop.run(serve(server, socket.socket(fileno=told.fd)))


if __name__ == "__main__":
    main()
