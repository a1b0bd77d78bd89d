"""Languages over real sockets, as a carrier meets them: one chosen by a key, and one that the model switches to."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from phone_bridge.routing import Route
from tests.app.premises import Premises, json_of, play
from tests.app.test_functions import UTTERANCE, secretary
from tests.runtime.pumping import Carrier
from tests.runtime.serving import until
from tests.sessions.realtime.model import Call, Turn

GREETING = "Guten Tag, hier ist Ihr Kalenderassistent. Wie kann ich helfen?"
OFFERING = Route(name="office", language="en", languages={"2": "de", "3": "es"})


async def begun(house: Premises) -> Carrier:
    """Have a call, and wait until it is greeted and its session open."""
    carrier = await house.open(token=(await house.ring()).parameters["token"])
    await until(lambda: len(house.peers.models) == 1 and carrier.marks > 0)
    return carrier


async def question(house: Premises, beginning: str) -> None:
    """Wait until a question that begins so is heard."""
    ((record, _),) = house.bridge.registry.traces()
    pump = house.bridge.registry.pump(record.id)
    assert pump is not None

    def heard() -> bool:
        asked = pump.view().question
        return asked is not None and asked.answerable and asked.text.startswith(beginning)

    await until(heard)


def speak(house: Premises, carrier: Carrier, words: str) -> None:
    house.peers.words.append(words)
    for start in range(0, len(UTTERANCE), 160):
        carrier.speak(UTTERANCE[start : start + 160])


async def shown(house: Premises, carrier: Carrier) -> Any:
    carrier.hang_up()
    _, record = await house.ended(carrier)
    return json_of(await house.ask("GET", f"/v1/calls/{record.id}"))


def test_a_caller_chooses_german_by_a_key_and_consents_by_another(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        house.peers.mind = secretary
        carrier = await begun(house)
        carrier.press("2")
        model = house.peers.models[0]
        await until(lambda: any(turn.text == "Bitte sprechen Sie Deutsch mit mir." for turn in model.talk))
        ((_, trace),) = house.bridge.registry.traces()
        await until(lambda: bool(trace.transcript) and trace.transcript[-1].text == GREETING)
        speak(house, carrier, "cancel my next meeting")
        await question(house, "Ich bin dabei, einen Termin abzusagen: Project review with Anna")
        carrier.press("1")
        await until(lambda: carrier.heard("done"))
        call = await shown(house, carrier)
        (action,) = call["actions"]
        assert (action["verdict"], action["by"], call["route"]) == ("confirmed", "digit", "office")
        assert action["question"].startswith("Ich bin dabei")

    play(tmp_path, story, session="openai", read_routes=lambda settings: [OFFERING])


def test_a_models_tool_changes_the_language_of_the_lines_own_question(tmp_path: Path) -> None:
    def mind(talk: Sequence[Turn]) -> Sequence[Call | str]:
        if talk[-1].role == "user":
            dinner = {"title": "Souper", "start_time": "2030-11-24T19:30:00-05:00", "duration_minutes": 60}
            return [Call("switch_language", {"language": "fr-CA"}), Call("create_event", dinner)]
        return []

    async def story(house: Premises) -> None:
        house.peers.mind = mind
        carrier = await begun(house)
        speak(house, carrier, "un souper dimanche, en français")
        await question(house, "Je vais créer Souper, le dimanche 24 novembre à 19 heures 30, pendant une heure.")
        carrier.press("2")
        call = await shown(house, carrier)
        assert [action["verdict"] for action in call["actions"]] == ["declined"]

    play(tmp_path, story, session="openai")
