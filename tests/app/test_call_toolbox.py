"""What a model may do with the call itself, on calls over real sockets."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from phone_bridge.app.call_toolbox import MAX_TEXT_CHARS
from phone_bridge.call.events import Action
from phone_bridge.errors import Refused
from phone_bridge.offers import Effect
from phone_bridge.runtime.toolbox import CallFacts, Ran, Toolbox
from tests.app.premises import Premises, json_of, play
from tests.app.ringing import Telephone, ring
from tests.app.test_functions import UTTERANCE
from tests.app.test_placing import STAYS
from tests.runtime.serving import until
from tests.sessions.realtime.model import Call, Turn


def box_of(house: Premises, call_id: str, direction: str = "outbound") -> tuple[Toolbox, CallFacts]:
    facts = CallFacts(call_id=call_id, user_id="usr_a", direction=direction)
    make = house.bridge.toolboxes.of_a_call[0]
    return make(facts), facts


async def run(box: Toolbox, name: str, **parameters: Any) -> Ran:
    return await box.run("usr_a", Action(name, parameters), "key")


def test_a_call_is_put_through_and_gets_keys_pressed_by_its_model(tmp_path: Path) -> None:
    async def story(phone: Telephone) -> None:
        keys, through = await phone.call(to="+12025550100"), await phone.call(to="+12025550101")
        for call in (keys, through):
            await phone.until(f"/v1/calls/{call['id']}", lambda shown: shown["transcript"])
        box, facts = box_of(phone.house, keys["id"])
        effects = {offer.name: offer.effect for offer in box.offers(facts)}
        assert effects == {
            "end_call": Effect.READ,
            "text_caller": Effect.OUTWARD,
            "transfer_call": Effect.OUTWARD,
            "send_digits": Effect.READ,
        }
        unsent = await run(box, "text_caller", text="Leave at two.")  # this carrier takes no messages
        assert (unsent.ok, json.loads(unsent.result)["error"]["code"]) == (False, "not_sent")
        assert not (await run(box, "text_caller", text="x" * (MAX_TEXT_CHARS + 1))).ok
        assert not (await run(box, "send_digits", digits="12 34")).ok
        assert (await run(box, "send_digits", digits="1w2")).ok
        await phone.until(f"/v1/calls/{keys['id']}", lambda shown: shown["resumed"] == 1)
        assert (await run(box, "end_call")).ok
        assert (await phone.settled(keys))["ended_by"] == "assistant"
        assert not (await run(box, "end_call")).ok, "it is over"

        box, _ = box_of(phone.house, through["id"])
        action = Action("transfer_call", {"number": "+442071838750"})
        with pytest.raises(Refused):
            await box.prepare("usr_a", action)
        allowed = Action("transfer_call", {"number": "+12025550199"})
        assert await box.prepare("usr_a", allowed) == allowed
        assert (await box.run("usr_a", allowed, "key")).ok
        await phone.settled(through)
        assert not (await box.run("usr_a", allowed, "key")).ok, "it is over"

    ring(tmp_path, story, STAYS)


def test_without_an_account_the_line_can_only_be_ended(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        box, facts = box_of(house, "call_1", "inbound")
        assert [offer.name for offer in box.offers(facts)] == ["end_call"]
        ended = await run(box, "end_call")
        assert json.loads(ended.result)["error"]["code"] == "call_ended"
        assert not (await run(box, "send_digits", digits="1")).ok

    play(tmp_path, story)


def test_a_text_message_goes_to_the_phone_that_calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(phone: Telephone) -> None:
        sent: list[tuple[str, str]] = []

        async def send(user_id: str, text: str) -> bool:
            sent.append((user_id, text))
            return True

        call = await phone.call(to="+12025550100")
        await phone.until(f"/v1/calls/{call['id']}", lambda shown: shown["transcript"])
        monkeypatch.setattr(phone.house.bridge.texting, "send", send)
        box, _ = box_of(phone.house, call["id"])
        assert (await run(box, "text_caller", text="Leave at two.")).ok
        assert sent == [(call["user_id"], "Leave at two.")]
        await run(box, "end_call")
        await phone.settled(call)

    ring(tmp_path, story, STAYS)


def test_a_model_ends_its_own_call_with_a_goodbye_that_is_heard(tmp_path: Path) -> None:
    def mind(talk: Sequence[Turn]) -> Sequence[Call | str]:
        return [Call("end_call")] if talk[-1].role == "user" else []

    async def story(house: Premises) -> None:
        house.peers.mind = mind
        house.peers.words.append("goodbye")
        carrier = await house.open(token=(await house.ring()).parameters["token"])
        await until(lambda: len(house.peers.models) == 1 and carrier.marks > 0)
        for start in range(0, len(UTTERANCE), 160):
            carrier.speak(UTTERANCE[start : start + 160])
        _, record = await house.ended(carrier)
        shown = json_of(await house.ask("GET", f"/v1/calls/{record.id}"))
        assert (shown["status"], shown["ended_by"], shown["error"]) == ("completed", "assistant", None)
        assert "oodbye" in shown["transcript"][-1]["text"]
        assert shown["actions"] == [], "nobody was asked"

    play(tmp_path, story, session="openai")
