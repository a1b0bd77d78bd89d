"""The language of one call: offered by keys, chosen by the session, and what becomes of a question in the old one."""

import pytest

from phone_bridge.call import commands as c
from phone_bridge.call import events as e
from phone_bridge.call.language import Language
from phone_bridge.call.past import Past
from phone_bridge.call.rules import Rules
from tests.call.desk import CANCEL, LINE_MS, Desk

OFFERING = Rules(languages={"2": "de", "3": "es-MX"})
VORHABEN = "Ich bin dabei, einen Termin abzusagen. In den Worten des Assistenten: Cancel Dentist on Tuesday at 3 p.m."


def spoken(desk: Desk) -> list[tuple[str, str]]:
    """Give what the bridge had made, each line with its language."""
    return [(line.language or duty.language, line.text) for duty in desk.of(c.Speak) for line in duty.lines]


def test_nothing_is_offered_where_the_rules_offer_nothing() -> None:
    language = Language(Rules(language="fr"))
    assert (language.tag, language.offers(), language.wish()) == ("fr", (), ())
    assert not language.press("2")


def test_each_language_is_offered_in_its_own_words() -> None:
    offers = Language(OFFERING).offers()
    assert [(line.language, line.text) for line in offers] == [
        ("de", "Für Deutsch drücken Sie die 2."),
        ("es-MX", "Para español, pulse 3."),
    ]


def test_one_key_chooses_and_chooses_once() -> None:
    language = Language(OFFERING)
    assert not language.press("9")
    assert language.press("3")
    assert language.tag == "es-MX"
    assert not language.press("2")
    assert [turn.text for turn in language.wish()] == ["Por favor, hable conmigo en español."]


def test_a_change_to_the_same_language_is_none() -> None:
    language = Language(Rules(language="de"))
    assert not language.change("de")
    assert language.change("fr")
    assert language.change("de")
    assert language.wish() == ()


# In a call


def test_the_greeting_offers_and_the_key_greets_anew_in_its_language() -> None:
    desk = Desk(OFFERING)
    assert spoken(desk)[1:] == [("de", "Für Deutsch drücken Sie die 2."), ("es-MX", "Para español, pulse 3.")]
    desk.tell(e.SessionOpened("hub_1"))
    desk.wait(500)
    desk.done.clear()
    desk.tell(e.DigitPressed("2"))
    assert desk.of(c.Flush)
    assert spoken(desk) == [("de", "Guten Tag, hier ist Ihr Kalenderassistent. Wie kann ich helfen?")]
    (told,) = desk.of(c.HandOn)
    assert [turn.text for turn in told.turns] == ["Bitte sprechen Sie Deutsch mit mir."]
    assert not told.answer


def test_a_session_that_opens_later_hears_of_the_choice_before_the_caller() -> None:
    desk = Desk(OFFERING)
    desk.tell(e.DigitPressed("2"))
    assert not desk.of(c.HandOn)
    desk.tell(e.SessionOpened("hub_1"))
    (told,) = desk.of(c.HandOn)
    assert (len(told.turns), told.answer) == (1, False)


def test_a_choice_before_the_greeting_is_made_leaves_the_old_one_unsaid() -> None:
    desk = Desk(OFFERING, voice_ms=300)
    desk.wait(100)
    desk.tell(e.DigitPressed("2"))
    desk.wait(3 * LINE_MS)
    assert [text for speaker, text in desk.trace if speaker == "bridge"] == [
        "Guten Tag, hier ist Ihr Kalenderassistent. Wie kann ich helfen?"
    ]


@pytest.mark.parametrize("first", [e.CallerSaid("what is next"), e.ConfirmationAsked("act_1", CANCEL)])
def test_once_the_talk_has_begun_no_key_chooses_a_language(first: e.Event) -> None:
    desk = Desk(OFFERING).opened()
    desk.tell(first)
    desk.wait(2 * LINE_MS + 100)
    desk.tell(e.DigitPressed("2"))
    desk.wait(5_000)
    desk.done.clear()
    desk.tell(e.DigitPressed("3"))
    assert not any(language != "en" for language, _ in spoken(desk))


def test_a_question_in_one_language_is_answered_in_it() -> None:
    desk = Desk(Rules(language="es")).opened().asked()
    desk.say("sí, por favor")
    assert [answer.verdict for answer in desk.of(c.Answer)] == [c.Verdict.CONFIRMED]


def test_a_question_is_asked_again_in_the_new_language() -> None:
    desk = Desk().opened().asked()
    desk.tell(e.LanguageChosen("de"))
    assert spoken(desk)[0] == ("de", VORHABEN)
    desk.wait(2 * LINE_MS + 100)
    desk.say("ja bitte")
    (answer,) = desk.of(c.Answer)
    assert (answer.verdict, answer.by) == (c.Verdict.CONFIRMED, c.AnsweredBy.SPEECH)
    assert desk.call.trace.actions[0].question == VORHABEN


@pytest.mark.parametrize("answer", ["yes", "ja"])
def test_what_was_heard_in_the_old_language_proves_nothing_for_the_new(answer: str) -> None:
    desk = Desk().opened().asked()
    desk.tell(e.VoiceStarted(desk.now))
    desk.tell(e.LanguageChosen("de"))
    desk.wait(400)
    desk.tell(e.VoiceStopped(desk.now), e.CallerSaid(answer))
    assert not [given for given in desk.of(c.Answer) if given.verdict is c.Verdict.CONFIRMED]


def test_the_old_languages_words_are_no_answer_any_more() -> None:
    desk = Desk().opened().asked()
    desk.tell(e.LanguageChosen("fr"))
    desk.wait(2 * LINE_MS + 100)
    desk.say("yes please")
    assert not desk.of(c.Answer)


def test_a_key_counts_only_once_the_new_question_has_begun() -> None:
    desk = Desk(voice_ms=500).opened().asked()
    desk.tell(e.LanguageChosen("de"), e.DigitPressed("1"))
    assert not desk.of(c.Answer)
    desk.wait(1_500)
    desk.tell(e.DigitPressed("1"))
    assert [answer.verdict for answer in desk.of(c.Answer)] == [c.Verdict.CONFIRMED]


def test_no_number_of_changes_keeps_a_question_open_past_its_time() -> None:
    desk = Desk(Rules(question_ms=30_000)).opened().asked()
    for turn in range(20):
        desk.tell(e.LanguageChosen("de" if turn % 2 else "en-GB"))
        desk.wait(2_000)
    assert [answer.verdict for answer in desk.of(c.Answer)] == [c.Verdict.EXPIRED]


def test_a_new_session_is_asked_for_the_language_too() -> None:
    desk = Desk().opened()
    desk.tell(e.LanguageChosen("fr"), e.CallerSaid("bonjour"), e.SessionClosed("lost"))
    desk.wait(5_000)
    desk.tell(e.SessionOpened("hub_2"))
    (told,) = desk.of(c.HandOn)
    assert [turn.text for turn in told.turns] == ["Parlez français avec moi, s'il vous plaît.", "bonjour"]


def test_a_call_that_says_goodbye_changes_nothing_more() -> None:
    desk = Desk().opened()
    desk.tell(e.EndRequested())
    desk.done.clear()
    desk.tell(e.LanguageChosen("de"))
    assert desk.done == []


def test_a_call_that_was_cut_off_goes_on_in_the_language_that_was_chosen() -> None:
    desk = Desk(OFFERING)
    desk.tell(e.DigitPressed("2"))
    assert desk.call.trace.language == "de"
    later = Desk(OFFERING, past=Past(5_000, language="de"))
    assert spoken(later) == [("de", "Entschuldigung, wir wurden unterbrochen. Ich bin wieder da.")]
    later.tell(e.SessionOpened("hub_2"))
    (told,) = later.of(c.HandOn)
    assert [turn.text for turn in told.turns] == ["Bitte sprechen Sie Deutsch mit mir."]
    assert later.call.trace.language == "de"


def test_no_language_is_kept_where_none_was_chosen() -> None:
    assert Desk(Rules(language="fr")).call.trace.language == ""


# Chosen before, in a menu or an earlier part of the call


def test_a_language_that_was_chosen_in_a_menu_greets_in_it_and_offers_nothing() -> None:
    desk = Desk(Rules(greeting="Appointments.", languages={"2": "de", "3": "es"}, chosen="de"))
    assert spoken(desk) == [("de", "Guten Tag, hier ist Ihr Kalenderassistent. Wie kann ich helfen?")]
    assert desk.call.trace.language == "de"
    desk.tell(e.SessionOpened("hub_1"))
    (told,) = desk.of(c.HandOn)
    assert [turn.text for turn in told.turns] == ["Bitte sprechen Sie Deutsch mit mir."]
    desk.done.clear()
    desk.tell(e.DigitPressed("3"))
    assert spoken(desk) == []


def test_the_routes_own_language_chosen_again_is_greeted_in_its_own_words() -> None:
    desk = Desk(Rules(greeting="Appointments.", chosen="en"))
    assert spoken(desk) == [("en", "Appointments.")]


@pytest.mark.parametrize("chosen", ["", "es"])
def test_in_a_later_part_of_a_call_no_key_chooses_a_language(chosen: str) -> None:
    past = Past(ms=1_000, language=chosen, lead_in="Nobody picked up.")
    desk = Desk(OFFERING, past=past)
    assert [language for language, _ in spoken(desk)] == [chosen or "en"]
    desk.done.clear()
    desk.tell(e.DigitPressed("2"))
    assert spoken(desk) == []
    assert desk.call.trace.language == chosen
