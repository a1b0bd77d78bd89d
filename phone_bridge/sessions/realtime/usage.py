"""What a response cost, by the server's own account, which is read with care: gateways leave parts of it out."""

from typing import Any

from phone_bridge.call.events import TokensUsed

MOST_TOKENS = 10_000_000
"""No response costs more, whatever a server says."""


def read(usage: Any) -> TokensUsed | None:
    """Read a ``usage`` object; None where there is nothing to count."""
    if not isinstance(usage, dict):
        return None
    heard, spoken = _part(usage, "input_token_details"), _part(usage, "output_token_details")
    input_audio, output_audio = _count(heard, "audio_tokens"), _count(spoken, "audio_tokens")
    used = TokensUsed(
        # What is not told apart counts as text: both kinds together are the whole.
        input_text=max(_count(usage, "input_tokens") - input_audio, _count(heard, "text_tokens"), 0),
        input_audio=input_audio,
        cached=_count(heard, "cached_tokens"),
        output_text=max(_count(usage, "output_tokens") - output_audio, _count(spoken, "text_tokens"), 0),
        output_audio=output_audio,
    )
    return used if used != TokensUsed() else None


def _part(usage: dict[str, Any], name: str) -> dict[str, Any]:
    part = usage.get(name)
    return part if isinstance(part, dict) else {}


def _count(usage: dict[str, Any], name: str) -> int:
    count = usage.get(name)
    return count if type(count) is int and 0 <= count <= MOST_TOKENS else 0
