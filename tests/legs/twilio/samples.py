"""The captured-shape messages under tests/wire/twilio, and the stream they belong to."""

from pathlib import Path

from phone_bridge.legs.twilio.messages import StreamStart

WIRE = Path(__file__).parents[2] / "wire" / "twilio"

ACCOUNT_SID = "AC0123456789abcdef0123456789abcdef"
CALL_SID = "CA9876543210fedcba9876543210fedcba"
STREAM_SID = "MZ18ad3ab5a668481ce02b83e7395059f0"
START = StreamStart(
    call_sid=CALL_SID,
    stream_sid=STREAM_SID,
    account_sid=ACCOUNT_SID,
    custom_parameters={"token": "header.claims.signature", "caller": "Jane"},
)


def names(folder: str) -> list[str]:
    """List the samples of ``folder``; an empty one would make its tests pass for nothing."""
    found = sorted(path.name for path in (WIRE / folder).iterdir())
    assert found
    return found


def text(folder: str, name: str) -> str:
    return (WIRE / folder / name).read_text(encoding="utf-8")


def raw(folder: str, name: str) -> bytes:
    return (WIRE / folder / name).read_bytes()
