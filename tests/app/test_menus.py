"""Menus on the line, over the loopback: each document asks for the next, and any process can answer."""

import time
from collections.abc import Callable, Coroutine, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

import jwt
import pytest

from phone_bridge.app.menus import PLACE_SECONDS, heard
from phone_bridge.app.resuming import MAX_MOVES
from phone_bridge.legs.twilio.webhook import Form
from phone_bridge.menu_talk import MAX_SPEECH_CHARS
from phone_bridge.menus import Choice, Menu
from phone_bridge.routing import Route
from phone_bridge.simulator.verbs import ConnectStream, Dial, Document, Gather, Hangup, Pause, Record, Redirect, Say
from tests.app.premises import PUBLIC, Premises, call_form, document, lose_database, play, premises
from tests.app.test_handing_back import BACK, KEY, handed, result
from tests.runtime.serving import until

PERSON = "+4930999999"
OFFICE = Menu(
    name="office",
    say="For appointments press 1.",
    human=f"number:{PERSON}",
    choices=(
        Choice(key="1", words="appointments", to="assistant:appointments"),
        Choice(key="2", to="menu:number"),
        Choice(key="3", to="menu:deutsch"),
        Choice(key="4", say="Speak now.", to="voicemail"),
        Choice(key="5", say="Goodbye.", to="hang_up"),
        Choice(key="6", to="hang_up"),
        Choice(key="7", to="fallback"),
        Choice(key="8", to="assistant"),
    ),
)
NUMBER = Menu(name="number", say="Your number.", gather=6, to="assistant:appointments", timeout=9)
GERMAN = Menu(
    name="deutsch", language="de", say="Bitte wählen Sie.", choices=(Choice(words="eins", to="back"),), tries=2
)
POLISH = Menu(name="polski", language="pl-PL", say="Proszę.", choices=(Choice(key="1", to="back"),))
MENUS = MappingProxyType({menu.name: menu for menu in (OFFICE, NUMBER, GERMAN, POLISH)})
ROUTES = (
    Route(name="ivr", named=True, menu="office", menus=MENUS, return_urls=(BACK,), return_key=KEY, max_calls=1),
    Route(name="polish", called="+48*", menu="polski", menus=MENUS),
    Route(name="office", menu="office", menus=MENUS, user_id="usr_office"),
    Route(name="appointments", named=True, user_id="usr_appointments", max_calls=1),
)

Story = Callable[[Premises], Coroutine[Any, Any, None]]


def with_menus(folder: Path, story: Story, **settings: Any) -> None:
    async def begin(house: Premises) -> None:
        house.bridge.tenants.replace(ROUTES)
        await story(house)

    play(folder, begin, **settings)


async def begin(house: Premises, query: str = "", **more: str) -> Document:
    return document(await house.post(f"/twilio/voice{query}", call_form("CA1", **more)))


def gather(page: Document) -> Gather:
    (verb,) = page.verbs
    assert isinstance(verb, Gather)
    assert (verb.keys, verb.speech_timeout_s, verb.action_on_empty) == (True, 1, True)
    assert page.faults == ()
    return verb


def said(page: Document) -> list[str]:
    return [prompt.text for prompt in gather(page).prompts if isinstance(prompt, Say)]


def place(page: Document) -> str:
    assert gather(page).action.startswith(f"{PUBLIC}/twilio/connect?after=menu&place=")
    return gather(page).action.removeprefix(f"{PUBLIC}/twilio/connect")


async def press(house: Premises, page: Document, digits: str = "", **more: str) -> Document:
    form = {"CallStatus": "in-progress", "Digits": digits, **more}
    return document(await house.post(f"/twilio/connect{place(page)}", call_form("CA1", **form)))


# Through the menu


def test_a_choice_leads_to_the_assistant_of_the_route_that_it_names(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        page = await begin(house)
        assert said(page) == ["For appointments press 1."]
        assert await house.calls() == []  # nothing is paid for yet
        (verb,) = (await press(house, page, "1")).verbs
        assert isinstance(verb, ConnectStream)
        assert (await press(house, page, "1")).verbs == (verb,)  # the carrier may ask twice
        carrier = await house.open(token=verb.parameters["token"])
        await until(lambda: bool(house.peers.live))
        (record,) = await house.calls()
        assert (record.route, record.user_id, record.from_number) == (
            "appointments",
            "usr_appointments",
            "+12025550143",
        )
        carrier.hang_up()
        await house.ended(carrier)

    with_menus(tmp_path, story)


def test_words_and_the_assistant_of_the_route_itself(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        for digits, speech, route in (("", "My appointments!", "appointments"), ("8", "", "office")):
            page = await begin(house)
            (verb,) = (await press(house, page, digits, SpeechResult=speech, Confidence="0.9")).verbs
            assert isinstance(verb, ConnectStream)
            known = house.bridge.registry.announced("CA1")
            assert known is not None
            assert known.record.route == route
            house.bridge.registry.forget("CA1")
            known.record.ended_by, known.record.status = "caller", "completed"
            house.bridge.records.save(known.record)

    with_menus(tmp_path, story)


def test_digits_that_were_gathered_stand_in_the_record(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        page = await press(house, await begin(house), "2")
        assert (gather(page).num_digits, gather(page).finish_on_key, gather(page).timeout_s) == (6, "#", 9)
        (verb,) = (await press(house, page, "4711")).verbs
        assert isinstance(verb, ConnectStream)
        carrier = await house.open(token=verb.parameters["token"])
        await until(lambda: bool(house.peers.live))
        carrier.hang_up()
        _, record = await house.ended(carrier)
        assert record.metadata == {"number": "4711"}

    with_menus(tmp_path, story)


def test_wrong_keys_are_told_so_and_the_third_leads_to_a_person(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        page = await press(house, await begin(house), "9")
        assert said(page) == [
            "I am sorry, I did not understand that.",
            "For appointments press 1.",
            "Press 0 to speak to somebody.",
        ]
        page = await press(house, page)
        assert said(page)[0] == "I am sorry, I did not hear anything."
        say, dial = (await press(house, page, "#")).verbs
        assert isinstance(say, Say)
        assert dial == Dial(targets=(PERSON,), action=f"{PUBLIC}/twilio/connect?after=dial")
        _, verb = (await house.connect(query="?after=dial", DialCallStatus="no-answer")).verbs
        assert isinstance(verb, Hangup)

    with_menus(tmp_path, story)


def test_zero_leads_to_a_person_from_a_menu_behind_and_in_its_language(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        page = await press(house, await begin(house), "3")
        assert gather(page).prompts == (Say("Bitte wählen Sie.", "de-DE"),)
        again = await press(house, page, SpeechResult="hm")
        assert said(again)[0] == "Das habe ich leider nicht verstanden."
        say, dial = (await press(house, again, "0")).verbs
        assert say == Say("Bitte bleiben Sie am Apparat, ich verbinde Sie.", "de-DE")
        assert isinstance(dial, Dial)
        assert said(await press(house, page, SpeechResult="Eins.")) == ["For appointments press 1."]

    with_menus(tmp_path, story)


def test_a_language_that_we_do_not_speak_has_its_menu_said_again_alone(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        page = await begin(house, To="+48221234567")
        assert gather(page).prompts == (Say("Proszę.", "pl-PL"),)
        assert said(await press(house, page, "7")) == ["Proszę."]

    with_menus(tmp_path, story)


def test_a_caller_leaves_a_message_or_is_said_goodbye_to(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        page = await begin(house)
        say, record, *_ = (await press(house, page, "4")).verbs
        assert isinstance(say, Say)
        assert say.text.startswith("Speak now. Please stay on the line to leave a message")
        assert isinstance(record, Record)
        assert [type(verb) for verb in (await press(house, page, "5")).verbs] == [Say, Hangup]
        assert [type(verb) for verb in (await press(house, page, "6")).verbs] == [Hangup]
        say, hang_up = (await press(house, page, "7")).verbs
        assert isinstance(say, Say)
        assert say.text.startswith("I am sorry, I could not find out")
        assert isinstance(hang_up, Hangup)

    with_menus(tmp_path, story)


def test_the_fallback_is_the_routes_own(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        verbs = (await press(house, await begin(house), "7")).verbs
        assert [type(verb) for verb in verbs] == [Say, Record, Say, Hangup]

    with_menus(tmp_path, story, fallback="voicemail")


def test_closed_hours_lead_elsewhere_at_once(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        today = datetime.now(UTC)
        dates = tuple(f"{today + timedelta(days=days):%Y-%m-%d}" for days in (-1, 0, 1))
        shut = Menu(
            name="shut",
            say="?",
            choices=(Choice(key="1", to="assistant"),),
            closed=dates,
            timezone="UTC",
            closed_say="We are on holiday.",
            closed_to="voicemail",
        )
        house.bridge.tenants.replace([Route(name="a", menu="shut", menus={"shut": shut})])
        say, record, *_ = (await begin(house)).verbs
        assert isinstance(say, Say)
        assert say.text.startswith("We are on holiday. Please stay on the line")
        assert isinstance(record, Record)

    play(tmp_path, story)


# Whoever asks, and whenever


def test_another_process_answers_as_well(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        page = await begin(house)
        async with premises(tmp_path) as other:
            other.bridge.tenants.replace(ROUTES)
            assert said(await press(other, page, "3")) == ["Bitte wählen Sie."]

    with_menus(tmp_path, story)


def test_a_place_is_this_calls_own_and_nobody_elses(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        page = await begin(house)
        shown = place(page)
        token = shown.rpartition("place=")[2]
        key = house.bridge.stream_keys.signing(int(time.time()))
        claims = jwt.decode(token, key.secret, ["HS256"], audience="twilio-menu")
        assert claims["exp"] <= time.time() + PLACE_SECONDS
        late = jwt.encode({**claims, "exp": 1}, key.secret, "HS256", headers={"kid": key.id})
        forged = jwt.encode(claims, "f" * 32, "HS256", headers={"kid": key.id})
        unknown = jwt.encode(claims, "f" * 32, "HS256", headers={"kid": "route:office"})
        odd = jwt.encode({**claims, "place": {"route": 3}}, key.secret, "HS256", headers={"kid": key.id})
        unsigned = jwt.encode(claims, "", "none", headers={"kid": key.id})
        for other in ("", "x", late, forged, unknown, odd, unsigned, token[:-2]):
            answer = await house.post(
                f"/twilio/connect?after=menu&place={other}", call_form("CA1", CallStatus="in-progress")
            )
            assert (answer.status, "place_malformed" in answer.body.decode()) == (400, True)
        answer = await house.post(f"/twilio/connect{shown}", call_form("CA2", CallStatus="in-progress", Digits="1"))
        assert answer.status == 400

    with_menus(tmp_path, story)


def test_what_the_operator_takes_away_meanwhile_is_apologised_for(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        page = await begin(house)
        house.bridge.tenants.replace(ROUTES[:3])  # the assistant's route
        say, _ = (await press(house, page, "1")).verbs
        assert isinstance(say, Say)
        house.bridge.tenants.replace(())
        say, _ = (await press(house, page, "1")).verbs
        assert isinstance(say, Say)
        assert say.text.startswith("I am sorry, I cannot reach")

    with_menus(tmp_path, story)


def test_without_a_free_line_or_a_database_the_caller_is_told(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        page = await begin(house)
        await house.post("/twilio/connect" + place(page), call_form("CA1", CallStatus="in-progress", Digits="1"))
        other = document(await house.post("/twilio/voice", call_form("CA2")))
        form = call_form("CA2", CallStatus="in-progress", Digits="1")
        say, _ = document(await house.post(f"/twilio/connect{place(other)}", form)).verbs
        assert isinstance(say, Say)
        assert say.text.startswith("I am sorry, all our lines are taken.")
        lose_database(house, tmp_path)
        say, _ = document(await house.post("/twilio/voice", call_form("CA3"))).verbs
        assert isinstance(say, Say)
        assert say.text.startswith("I am sorry, I cannot reach")

    with_menus(tmp_path, story)


def test_a_caller_who_hangs_up_in_a_menu_is_let_go(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        page = await begin(house)
        (verb,) = (await press(house, page, "1", CallStatus="completed")).verbs
        assert isinstance(verb, Hangup)

    with_menus(tmp_path, story)


def test_a_choice_that_a_stopping_process_hears_is_kept_for_the_next(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        page = await begin(house)
        house.bridge.registry.draining = True
        pause, redirect = (await press(house, page, "1")).verbs
        assert isinstance(pause, Pause)
        assert isinstance(redirect, Redirect)
        asked = urlsplit(redirect.url)
        path = f"{asked.path}?{asked.query}"
        form = call_form("CA1", CallStatus="in-progress")
        say, _ = document(await house.post(f"{path[:-1]}{MAX_MOVES}", form)).verbs
        assert isinstance(say, Say)
        house.bridge.registry.draining = False  # as another process would be
        (verb,) = document(await house.post(path, form)).verbs
        assert isinstance(verb, ConnectStream)

    with_menus(tmp_path, story)


def test_a_call_that_was_cut_off_goes_on_with_the_assistant_and_not_with_the_menu(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        (verb,) = (await press(house, await begin(house), "1")).verbs
        assert isinstance(verb, ConnectStream)
        carrier = await house.open(token=verb.parameters["token"])
        await until(lambda: bool(house.peers.live))
        carrier.socket.fail("gone")
        await house.ended(carrier)
        (verb,) = (await begin(house)).verbs  # the carrier's own fallback leads here
        assert isinstance(verb, ConnectStream)

    with_menus(tmp_path, story)


# Handed over by an IVR


def test_a_caller_of_an_ivr_s_goes_back_from_wherever_the_menu_leads(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        house.bridge.tenants.replace(ROUTES)
        page = await begin(house, "?route=ivr&return_url=https%3A%2F%2Fivr.example.com%2Fback&ref=ticket+4711")
        assert result(await press(house, page, "5"))["pb_ended"] == "completed"
        assert result(await press(house, page, "7"))["pb_ended"] == "no_choice"
        for digits, form, word in (
            ("0", {"DialCallStatus": "completed"}, "transferred"),
            ("4", {"RecordingUrl": "https://api.twilio.com/RE1"}, "voicemail"),
        ):
            verb = next(verb for verb in (await press(house, page, digits)).verbs if isinstance(verb, Dial | Record))
            assert verb.action is not None
            told = result(await house.connect(query=verb.action.removeprefix(f"{PUBLIC}/twilio/connect"), **form))
            assert told["pb_ended"] == word

    handed(tmp_path, story)


@pytest.mark.parametrize("digits", ["1", "8"])
def test_it_goes_back_from_the_assistant_too_whichever_that_is(tmp_path: Path, digits: str) -> None:
    async def story(house: Premises) -> None:
        house.bridge.tenants.replace(ROUTES)
        page = await begin(house, "?route=ivr&return_url=https%3A%2F%2Fivr.example.com%2Fback&ref=ticket+4711")
        (verb,) = (await press(house, page, digits)).verbs
        assert isinstance(verb, ConnectStream)
        carrier = await house.open(token=verb.parameters["token"])
        await until(lambda: bool(house.peers.live))
        (record,) = await house.calls()
        await house.ask("POST", f"/v1/calls/{record.id}/end")
        await house.ended(carrier)
        assert result(await house.connect())["pb_ended"] == "completed"

    handed(tmp_path, story)


@pytest.mark.parametrize(
    ("form", "digits", "speech"),
    [
        ({"Digits": "1", "SpeechResult": "two"}, "1", "two"),
        ({"SpeechResult": "x" * (MAX_SPEECH_CHARS + 1)}, "", "x" * MAX_SPEECH_CHARS),
        ({}, "", ""),
    ],
)
def test_an_answer_is_read_as_far_as_it_is_one(form: Mapping[str, str], digits: str, speech: str) -> None:
    found = heard(Form(form.items()))
    assert (found.digits, found.speech) == (digits, speech)
