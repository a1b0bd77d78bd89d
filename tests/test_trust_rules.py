"""A route's rule of trust: what it comes to for each session, and what an operator is told of one that cannot work."""

from pathlib import Path

import msgspec
import pytest

from phone_bridge import trust_rules
from phone_bridge.call.trust import Tier, Trust
from phone_bridge.errors import SettingsError
from phone_bridge.routing import Route
from phone_bridge.settings import Settings
from phone_bridge.tenants import read, served
from phone_bridge.tools.catalogue import Policy
from phone_bridge.tools.table import CALENDAR_TOOLS

OWN = Settings(session="chronapilot", session_key="k", user_id="usr_a")
ALL = tuple(tool.name for tool in CALENDAR_TOOLS)
EFFECTS = {"get_next_event": "read", "cancel_event": "destroy", "text_caller": "outward", "far_tool": "write"}
PIN_TO_WRITE = {"read": "known", "write": "pin"}


def settings(session: str) -> Settings:
    return msgspec.structs.replace(OWN, session=session)


def trusted(rule: dict[str, str], session: str = "openai", has: Tier = Tier.UNKNOWN) -> Trust:
    return trust_rules.trusted(rule, has, settings(session), EFFECTS if session == "openai" else {}, ALL)


def write(folder: Path, text: str, own: Settings = OWN) -> tuple[Route, ...]:
    (folder / "phone-bridge.toml").write_text(f'[[routes]]\nname = "a"\n{text}\n')
    return read({}, folder, own)


# What it comes to


def test_without_a_rule_everything_is_open() -> None:
    trust = trusted({}, has=Tier.KNOWN)
    assert all(trust.needs(name) is Tier.UNKNOWN for name in (*ALL, "anything"))
    assert (trust.enter, trust.has) == (Tier.UNKNOWN, Tier.KNOWN)
    assert trust_rules.withheld(trust, ALL) == frozenset()
    assert trust_rules.policy(trust, ALL) is Policy.DEFAULT


def test_what_is_left_out_needs_what_the_milder_one_needs() -> None:
    trust = trusted({"write": "known", "destroy": "pin"})
    needs = {name: trust.needs(name).value for name in EFFECTS}
    assert needs == {"get_next_event": "unknown", "far_tool": "known", "text_caller": "known", "cancel_event": "pin"}


def test_a_tool_s_own_name_counts_before_what_it_does() -> None:
    trust = trusted({"read": "known", "write": "pin", "cancel_event": "attested"})
    assert trust.needs("cancel_event") is Tier.ATTESTED


def test_nobody_needs_a_pin_to_say_goodbye() -> None:
    assert trusted({"read": "pin"}).needs("end_call") is Tier.UNKNOWN
    assert trusted({"read": "pin"}).needs("switch_language") is Tier.UNKNOWN
    assert trusted({"read": "pin", "end_call": "pin"}).needs("end_call") is Tier.PIN


def test_a_tool_of_which_nothing_is_known_needs_the_most() -> None:
    assert trusted({"get_next_event": "attested"}).needs("who knows") is Tier.ATTESTED
    assert trusted(PIN_TO_WRITE).needs("who knows") is Tier.PIN


def test_a_model_s_functions_are_held_one_by_one_and_the_session_is_open() -> None:
    assert trusted({"read": "pin"}).enter is Tier.UNKNOWN
    assert trusted({"enter": "pin"}).enter is Tier.PIN


@pytest.mark.parametrize("session", ["chronapilot", "embedded"])
def test_a_session_that_reads_by_itself_is_not_opened_before_the_caller_may_read(session: str) -> None:
    assert trusted({"read": "pin"}, session).enter is Tier.PIN
    assert trusted({"get_day_overview": "attested"}, session).enter is Tier.ATTESTED
    assert trusted({"write": "pin"}, session).enter is Tier.UNKNOWN


def test_a_session_of_whose_tools_nothing_is_known_needs_the_most_at_once() -> None:
    assert trusted({"cancel_event": "pin"}, "voice-sdk").enter is Tier.PIN


def test_what_a_session_would_do_unasked_is_withheld_from_it() -> None:
    trust = trusted(PIN_TO_WRITE, "chronapilot", Tier.KNOWN)
    unasked = {tool.name for tool in CALENDAR_TOOLS if tool.effect != "read" and not tool.asks}
    assert trust_rules.withheld(trust, ALL) == unasked
    assert "create_reminder" in unasked
    assert trust_rules.policy(trust, ALL) is Policy.ALL


def test_whoever_has_to_give_the_pin_to_enter_has_given_it() -> None:
    trust = trusted({"read": "known", "write": "pin"}, "chronapilot", Tier.UNKNOWN)
    assert trust.enter is Tier.KNOWN
    assert trust_rules.withheld(trust, ALL) == frozenset()
    assert trust_rules.policy(trust, ALL) is Policy.DEFAULT


def test_a_session_of_which_nothing_would_be_left_is_not_opened() -> None:
    offered = ("create_reminder", "report_arrival")
    trust = trust_rules.trusted({"write": "pin"}, Tier.KNOWN, settings("chronapilot"), {}, offered)
    assert trust.enter is Tier.PIN
    assert trust_rules.withheld(trust, offered) == frozenset()


# The numbers


def test_known_numbers_are_the_route_s_its_callers_and_the_user_s() -> None:
    own = msgspec.structs.replace(OWN, user_numbers="usr_a:+4930111,usr_b:+4930222")
    route = Route(name="a", numbers=("+4930333",), calling=("+4930444", "+4931*", "withheld"))
    assert served(own, route).numbers == {"+4930111", "+4930333", "+4930444"}


# What an operator is told


def test_a_rule_is_read_with_its_numbers(tmp_path: Path) -> None:
    (route,) = write(tmp_path, 'numbers = "+49170555"\ntrust = { read = "known", write = "pin", cancel_event = "pin" }')
    given = served(OWN, route)
    assert given.trust == {"read": "known", "write": "pin", "cancel_event": "pin"}
    assert trust_rules.shown(given.trust) == "read needs known, write needs pin, cancel_event needs pin"
    assert "open to every caller" in trust_rules.shown({})


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('trust = { reads = "pin" }', "'reads' in trust"),
        ('trust = { far_tool = "pin" }', "'far_tool' in trust"),
        ('trust = { read = "password" }', "one of unknown, known, attested, code, pin, pin+code"),
        ('trust = { enrol = "pin" }', "by which nobody may set a first PIN"),
        ('trust = { enrol = "known" }\nnumbers = "+49170555"', "one of attested, code"),
        ('trust = { enrol = "attested" }', "no number is known"),
        ('trust = { write = "code" }', "no text message can be sent: set TWILIO_ACCOUNT_SID"),
        ('trust = { destroy = "pin+code" }', "no text message can be sent"),
        ('trust = { enrol = "code" }', "no text message can be sent"),
        ('trust = { read = "pin", write = "known" }\nnumbers = "+49170555"', "must not fall"),
        ('trust = { read = "known" }', "no number is known"),
        ('trust = { read = "attested" }\ncalling = "+49*"', "no number is known"),
        ('numbers = "+49170*"', "write each in full"),
        ('numbers = "withheld"', "write each in full"),
    ],
)
def test_a_rule_that_cannot_work_is_told_with_its_line_and_the_mend(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(SettingsError, match="line 1") as refused:
        write(tmp_path, text)
    assert told in str(refused.value)


TEXTING = msgspec.structs.replace(
    OWN, twilio_account_sid="AC1", twilio_auth_token="t", twilio_phone_number="+12025550100"
)


def test_a_code_needs_a_number_of_the_user_s_to_go_to(tmp_path: Path) -> None:
    text = 'trust = { write = "code", destroy = "pin+code", enrol = "code" }'
    with pytest.raises(SettingsError, match=r"line 1.*no number of usr_a is known.*PHONE_BRIDGE_USER_NUMBERS"):
        write(tmp_path, text, msgspec.structs.replace(TEXTING, user_numbers="usr_b:+12025550188"))
    own = msgspec.structs.replace(TEXTING, user_numbers="usr_a:+12025550188")
    (route,) = write(tmp_path, text, own)
    trust = trust_rules.trusted(route.trust, Tier.UNKNOWN, own, {}, ALL)
    assert (trust.needs("create_event"), trust.needs("cancel_event")) == (Tier.CODE, Tier.BOTH)
    assert (trust.enrol, trust.otherwise) == (Tier.CODE, Tier.BOTH)


def test_what_is_needed_to_enrol_is_needed_for_no_tool() -> None:
    assert trusted({"enrol": "code"}).otherwise is Tier.UNKNOWN
    assert trusted({"read": "pin"}).enrol is Tier.PIN, "by which nobody enrols"
    assert trusted({"read": "pin"}).needs("change_pin") is Tier.UNKNOWN


def test_a_function_calling_session_s_own_tools_may_be_named(tmp_path: Path) -> None:
    own = msgspec.structs.replace(OWN, session="openai")
    (route,) = write(tmp_path, 'trust = { transfer_call = "pin", search_memory = "pin" }', own)
    assert set(route.trust) == {"transfer_call", "search_memory"}
