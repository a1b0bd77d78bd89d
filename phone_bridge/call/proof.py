"""What a receipt proves: all that keeps it from proving a consent, and in words what was consented to.

Whether its signature fits is for whoever has the key to say; here is what it must hold together with in itself.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec

from phone_bridge.call.receipt import (
    FIRST_VERSION,
    ID_PREFIX,
    UNKNOWN,
    VERSION,
    Receipt,
    action_sha256,
    canonical,
)
from phone_bridge.call.trust import Tier

YES_KEY = "1"
_KNOWN: dict[str, str] = {
    Tier.UNKNOWN: ", not known by their number",
    Tier.KNOWN: ", known by their number",
    Tier.ATTESTED: ", known by their number, which its carrier attests",
    Tier.CODE: ", who had given a code that was sent to the user's telephone",
    Tier.PIN: ", who had given the PIN",
    Tier.BOTH: ", who had given the PIN and a code that was sent to the user's telephone",
}


def doubts(receipt: Receipt) -> list[str]:
    """Say all that keeps ``receipt`` from proving a consent, apart from its signature; empty when nothing does."""
    return [*_form_doubts(receipt), *_answer_doubts(receipt)]


def _form_doubts(receipt: Receipt) -> Iterable[str]:
    if not FIRST_VERSION <= receipt.version <= VERSION:
        yield f"its version is {receipt.version}, and only {FIRST_VERSION} to {VERSION} are known here"
    elif receipt.version > FIRST_VERSION and receipt.trust not in tuple(Tier):
        yield "it does not say how far it was known who the caller was"
    elif receipt.version == FIRST_VERSION and receipt.trust is not msgspec.UNSET:
        yield "it says how far it was known who the caller was, which its version does not"
    if not receipt.id.startswith(ID_PREFIX):
        yield f"its id does not begin with {ID_PREFIX}"
    if action_sha256(receipt.action.name, receipt.action.parameters) != receipt.action.sha256:
        yield "the action's hash is not that of its name and parameters"
    times = [receipt.question.asked_at or receipt.answer.answered_at, receipt.answer.answered_at, receipt.issued_at]
    if not all(_is_moment(time) for time in times):
        yield "one of its times is no time in UTC"
    elif datetime.fromisoformat(times[0]) > datetime.fromisoformat(times[1]):
        yield "the answer was given before the question was asked"
    if receipt.outcome.status in ("", UNKNOWN) and receipt.outcome.result_sha256:
        yield "it has a result although its outcome is not known"


def _answer_doubts(receipt: Receipt) -> Iterable[str]:
    question, answer = receipt.question, receipt.answer
    if answer.by == "none":
        yield "nobody was asked: it was done by the user's standing preference, which is no consent given in this call"
        return
    if not question.text.strip() or not question.ms:
        yield "it does not say what the caller was asked"
    if answer.by == "digit":
        if answer.said != YES_KEY:
            yield f"the key that was pressed is {answer.said!r}, and only {YES_KEY!r} is a yes"
        if not question.heard_ms:
            yield "the key was pressed before anything of the question was heard"
        return
    if not answer.said.strip():
        yield "it does not say with which words the caller answered"
    if question.heard_ms < question.ms:
        yield (
            f"only {question.heard_ms} of {question.ms} ms of the question were heard, "
            "and a spoken yes counts after all of it"
        )


def tell(receipt: Receipt) -> str:
    """Say in words what was consented to."""
    question, answer, outcome = receipt.question, receipt.answer, receipt.outcome
    whose = f"a caller whose number ends in {receipt.caller.last_digits}" if receipt.caller.last_digits else "a caller"
    asked = f"was asked{f' at {question.asked_at}' if question.asked_at else ''}, and heard {question.heard_ms} of "
    known = _KNOWN.get(str(receipt.trust), "")
    how = "pressed the key" if answer.by == "digit" else "said"
    lines = [
        f"Receipt {receipt.id}, revision {receipt.revision}, issued {receipt.issued_at}",
        f"  In call {receipt.call.id} (the carrier's {receipt.call.carrier_id}) for {receipt.user_id}, {whose}{known}",
        f"  {asked}{question.ms} ms of: {question.text}",
        f"  and at {answer.answered_at} {how}: {answer.said}",
        f"  consenting to: {receipt.action.name} {canonical(receipt.action.parameters).decode()}",
        f"  with the SHA-256 {receipt.action.sha256}",
        f"  Outcome: {outcome.status}" + (f", result {outcome.result_sha256}" if outcome.result_sha256 else ""),
    ]
    if answer.by == "none":
        lines[2:5] = [
            f"  was not asked; at {answer.answered_at} the user's standing preference allowed:",
            f"  {receipt.action.name} {canonical(receipt.action.parameters).decode()}",
        ]
    return "\n".join(_printable(line) for line in lines)


def _printable(text: str) -> str:
    """Take out of other people's words what could move a terminal's cursor or turn the direction of writing."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)


def _is_moment(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).utcoffset() == timedelta()
    except ValueError:
        return False
