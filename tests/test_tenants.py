"""What each tenant's calls are given, and what an operator is told of a route that cannot work."""

import re
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from phone_bridge.errors import SettingsError, Unavailable
from phone_bridge.routing import Facts, Route
from phone_bridge.runtime.mcp_servers import McpServer
from phone_bridge.settings import Settings, load
from phone_bridge.tenants import KEPT_TABLES, Tenants, calendar_tools, offered, read, remembers, served

NOW = datetime(2026, 11, 23, 11, 0, tzinfo=UTC)
OWN = Settings(
    session="chronapilot",
    session_url="https://own.example",
    session_key="own-key",
    session_account="cpa_own",
    session_instructions="own words",
    user_id="usr_own",
    greeting="Own greeting.",
    auto_confirm="usr_own:create_event,usr_a:cancel_event",
)
OFFICE, HOME = "+49301111111", "+49302222222"
SESSION_FIELDS = [field for field in Settings.__struct_fields__ if field.startswith("session_")]


def record(route: str | None, user_id: str = "usr_a", session: str = "chronapilot", language: str | None = None) -> Any:
    return SimpleNamespace(route=route, user_id=user_id, session=session, language=language)


def write(folder: Path, text: str, **environ: str) -> tuple[Route, ...]:
    (folder / "phone-bridge.toml").write_text(text)
    return read(environ, folder, OWN)


# What a route gives


def test_a_route_offers_languages_by_their_keys(tmp_path: Path) -> None:
    routes = write(tmp_path, '[[routes]]\nname = "a"\nlanguage = "en"\nlanguages = { 2 = "de", 3 = "es-MX" }\n')
    assert served(OWN, routes[0]).languages == {"2": "de", "3": "es-MX"}
    assert served(OWN, Route(name="b")).languages == {}


@pytest.mark.parametrize(
    ("languages", "mend"),
    [
        ('{ 2 = "it" }', "'it' in languages, which the bridge does not speak: it speaks en, de, es, fr"),
        ('{ 2 = "en-GB" }', "'en-GB' by the key 2, which is its own language already"),
        ('{ 2 = "fr", 3 = "fr-CA" }', "'fr-CA' by the key 3, which is that of the key 2 already"),
        ('{ 0 = "de" }', "write a key of 1 to 9"),
        ('["de"]', "is not what it should be"),
    ],
)
def test_a_language_that_cannot_be_offered_is_refused_with_the_mend(tmp_path: Path, languages: str, mend: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(mend)):
        write(tmp_path, f'[[routes]]\nname = "a"\nlanguages = {languages}\n')


def test_only_what_may_be_named_is_found_by_its_name(tmp_path: Path) -> None:
    text = '[[routes]]\nname = "{}"\ncalled = "+49*"\n{}\n'
    tables = (("a", ""), ("b", "named = true"), ("c", 'return_urls = ["https://x/y"]\nreturn_key_env = "K"'))
    tenants = Tenants(OWN, write(tmp_path, "".join(text.format(*table) for table in tables), K="k" * 32))
    found = {name: tenants.named(name) for name in ("a", "b", "c", "d")}
    assert {name: given.route for name, given in found.items() if given} == {"b": "b", "c": "c"}
    assert found["c"] is not None
    assert (found["c"].return_urls, found["c"].return_key) == (("https://x/y",), "k" * 32)
    assert "kkk" not in repr(tenants.routes) + repr(found)


def test_what_a_route_does_not_say_is_the_deployments_own() -> None:
    given = served(OWN, Route(name="a", user_id="usr_a", greeting="Hello.", max_seconds=60, max_calls=2))
    assert given.settings == msgspec.structs.replace(OWN, user_id="usr_a", greeting="Hello.")
    assert (given.route, given.max_seconds, given.max_calls, given.tools) == ("a", 60, 2, None)
    assert given.settings.unasked("usr_a") == {"cancel_event"}


def test_what_a_route_allows_without_asking_is_allowed_for_its_user_alone() -> None:
    given = served(OWN, Route(name="a", user_id="usr_a", auto_confirm=("update_event",))).settings
    assert given.unasked("usr_a") == {"update_event"}
    assert given.unasked("usr_own") == frozenset()
    assert served(OWN, Route(name="b", user_id="usr_a", auto_confirm=())).settings.unasked("usr_a") == frozenset()


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "session": st.sampled_from(["openai", "chronapilot", "realtime", "embedded"]),
            "session_url": st.sampled_from(["https://theirs.example"]),
            "session_key": st.just("their-key"),
            "session_model": st.just("their-model"),
        },
    )
)
@examples(max_examples=60)
def test_no_key_goes_to_a_server_that_it_was_not_written_down_for(said: dict[str, Any]) -> None:
    given = served(OWN, Route(name="a", **said)).settings
    for field in SESSION_FIELDS:
        if "session" in said or "session_url" in said:
            assert getattr(given, field) in (said.get(field, ""), getattr(Settings(), field)), field
        else:
            assert getattr(given, field) == said.get(field, getattr(OWN, field)), field


def test_no_key_is_written_where_a_tenant_is() -> None:
    given = served(OWN, Route(name="a", session="openai", session_key="their-key"))
    assert "key" not in repr(given).replace("'a'", "")


# Whose call it is


def test_a_call_without_a_route_is_the_deployments_own() -> None:
    tenants = Tenants(OWN, [Route(name="a", called=OFFICE, user_id="usr_a")])
    assert tenants.choose(Facts(called=HOME), NOW) is tenants.own
    assert tenants.choose(Facts(called=OFFICE), NOW).settings.user_id == "usr_a"
    assert tenants.of(record(None)) is tenants.own
    assert [given.route for given in tenants.all] == [None, "a"]


def test_a_call_of_our_own_goes_by_its_line_and_its_user_at_any_hour() -> None:
    closed = {"hours": "01:00-02:00", "timezone": "UTC"}
    tenants = Tenants(
        OWN,
        [
            Route(name="a", called=OFFICE, user_id="usr_a", **closed),  # type: ignore[arg-type]  # of two kinds
            Route(name="b", called=OFFICE, user_id="usr_b"),
        ],
    )
    line = Facts(called=OFFICE, calling="+12025550143")
    assert tenants.choose_outbound(line).route == "a"
    assert tenants.choose_outbound(line, "usr_b").route == "b"
    assert tenants.choose_outbound(line, "usr_own") is tenants.own
    assert tenants.choose_outbound(Facts(called=HOME), "usr_a") is tenants.own


def test_a_call_keeps_what_it_began_with_when_the_routes_change() -> None:
    tenants = Tenants(OWN, [Route(name="a", called=OFFICE, user_id="usr_a", greeting="Old.")])
    tenants.replace([Route(name="a", called=OFFICE, user_id="usr_b")])
    assert tenants.of(record("a")).settings.greeting == "Old."
    assert tenants.choose(Facts(called=OFFICE), NOW).settings.user_id == "usr_b"
    assert tenants.of(record("a", "usr_b")).settings.user_id == "usr_b"
    tenants.replace([])
    assert tenants.of(record("a")).settings.greeting == "Old."
    assert tenants.choose(Facts(called=OFFICE), NOW) is tenants.own


def test_a_call_whose_route_nobody_knows_is_given_nothing_of_anybodys() -> None:
    own = msgspec.structs.replace(OWN, fallback="transfer:+4930999999")
    tenants = Tenants(own, [Route(name="a", called=OFFICE, user_id="usr_a")])
    for other in (record("gone"), record("a", "usr_b"), record("a", session="openai")):
        with pytest.raises(Unavailable) as refused:
            tenants.of(other)
        assert refused.value.code == "route_gone"
        assert tenants.settings_of(other).fallback == "goodbye"
    for _ in range(KEPT_TABLES - 1):
        tenants.replace([])
    tenants.of(record("a"))
    tenants.replace([])
    with pytest.raises(Unavailable):
        tenants.of(record("a"))


def test_a_language_that_was_chosen_in_a_call_takes_the_place_of_the_routes() -> None:
    tenants = Tenants(OWN, [Route(name="a", called=OFFICE, user_id="usr_a", language="de")])
    assert tenants.settings_of(record("a")).language == "de"
    spanish = record("a", language="es-MX")
    assert tenants.settings_of(spanish).language == "es-MX"
    assert tenants.language_of(spanish) == tenants.of(spanish).settings.language == "de"


# Tools


def test_tools_are_named_by_themselves_by_their_group_or_by_what_they_do() -> None:
    assert calendar_tools(frozenset({"get_next_event"})) == ("get_next_event",)
    assert len(calendar_tools(frozenset({"calendar"}))) == 26
    reading = calendar_tools(frozenset({"calendar:read"}))
    assert "get_next_event" in reading
    assert "cancel_event" not in reading
    assert not offered("web", "web_search", frozenset({"calendar"}), reads=True)
    assert remembers(None)
    assert remembers(frozenset({"memory:read"}))
    assert not remembers(frozenset({"calendar"}))


# Reading them


def test_routes_are_read_in_their_order_with_their_keys(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("from-a-file\n")
    (tmp_path / ".env").write_text("HOME_KEY=from-the-env-file\n")
    text = f"""
greeting = "Hello."

[[routes]]
name = "office"
called = "{OFFICE}"
session = "openai"
session_key_file = "{tmp_path}/key"

[[routes]]
name = "home"
called = ["{HOME}"]
headers = {{ X-Tenant = "home" }}
session_key_env = "HOME_KEY"
tools = ["calendar:read"]
"""
    office, home = write(tmp_path, text)
    assert (office.name, office.session_key, home.name, home.session_key) == (
        "office",
        "from-a-file",
        "home",
        "from-the-env-file",
    )
    own = load({"PHONE_BRIDGE_DATABASE_URL": "sqlite://"}, tmp_path)
    assert own.greeting == "Hello."  # whatever reads the settings alone minds no routes
    assert read({"HOME_KEY": "from-outside"}, tmp_path, OWN)[1].session_key == "from-outside"


def test_without_a_file_or_tables_there_are_no_routes(tmp_path: Path) -> None:
    assert read({}, tmp_path, OWN) == ()
    assert write(tmp_path, "port = 1\n") == ()


OFFICE_TABLE = f'port = 1\n\n[[routes]]\nname = "office"\ncalled = "{OFFICE}"\n'


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ('caled = "+49*"', "has the key 'caled', which no route has"),
        ("max_calls = 'many'", "is not what it should be: Expected `int`, got `str` - at `$.max_calls`"),
        ('session_key = "sk_secret"', "has its session_key in the clear"),
        ('session_key_env = "NOWHERE"', "names the environment variable NOWHERE, which is not set"),
        ('session_key_env = "A"\nsession_key_file = "b"', "needs either session_key_env or session_key_file"),
        ('session_key_file = "/nowhere/key"', "names the file /nowhere/key, which cannot be read"),
        ('session_key_file = "/dev/null"', "which is empty"),
        ('session = "telepathy"', "session must be one of embedded"),
        ('session = "openai"', ": session is openai, so session_key_env or session_key_file must hold its API key"),
        ('session = "azure-openai"', "session_url must hold the resource's address"),
        ('session_url = "ftp://x"', "session_url must be http(s)"),
        ('fallback = "transfer:110"', "fallback must be goodbye, voicemail, or transfer:"),
        ('session_shape = "delta"', "session_shape must be one of"),
        ('tools = ["get_next_evnt"]', "has 'get_next_evnt' in tools, which names neither a tool nor a group"),
        ('tools = ["web"]', "which names neither a tool nor a group of a chronapilot session"),
        ("tools = []", "has tools and names none, but chronapilot cannot do without"),
        ('session = "voice-sdk"\nsession_url = "https://x"\nsession_key_env = "K"\ntools = ["calendar"]', "by itself"),
        ('hours = "9-17"\ntimezone = "UTC"', "has '9-17' in hours"),
        ('return_urls = ["https://x/y"]', "needs both return_urls and their key"),
        ('return_urls = ["https://x/y"]\nreturn_key_env = "K"', "has a return key of 6 bytes"),
        ('return_urls = ["http://x/y"]\nreturn_key_env = "LONG"', "has 'http://x/y' in return_urls"),
        ('return_key_env = "NOWHERE"', "names the environment variable NOWHERE, which is not set"),
    ],
)
def test_a_route_that_cannot_work_is_told_with_its_line_and_the_mend(tmp_path: Path, more: str, told: str) -> None:
    with pytest.raises(SettingsError) as refused:
        write(tmp_path, OFFICE_TABLE + more + "\n", K="secret", LONG="secret" * 6)
    assert str(refused.value).startswith("phone-bridge.toml, line 3, [[routes]] 'office'")
    assert told in str(refused.value)
    assert "secret" not in str(refused.value)


MENU_TABLE = 'port = 1\n\n[[menus]]\nname = "m"\nsay = "Press 1."\n'
CHOICES = '[[menus.choices]]\nkey = "1"\nwords = ["one"]\nto = "assistant:office"\n'


def test_a_route_begins_with_a_menu_that_the_file_has(tmp_path: Path) -> None:
    text = f'{OFFICE_TABLE}menu = "m"\n\n[[routes]]\nname = "all"\n\n{MENU_TABLE.removeprefix("port = 1")}{CHOICES}'
    office, everything = write(tmp_path, text)
    assert (office.menu, list(office.menus)) == ("m", ["m"])
    assert (everything.menu, dict(everything.menus)) == ("", {})
    tenants = Tenants(OWN, (office, everything))
    given = tenants.choose(Facts(called=OFFICE), NOW)
    assert (given.menu, given.menus["m"].choices[0].to) == ("m", "assistant:office")
    assert tenants.behind("all") is tenants.all[2]
    assert tenants.behind("nobody") is None


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ('colour = "red"\n', "has the key 'colour', which no menu has"),
        ("tries = 'many'\n", "is not what it should be: Expected `int`, got `str` - at `$.tries`"),
        ("[[menus.choices]]\nkey = '1'\nto = 'back'\ncolour = 1\n", "Object contains unknown field `colour`"),
        ("", "needs either [[menus.choices]], or gather"),
        (CHOICES, "leads to the route 'office', which there is not"),
        ("human = 'number:+881612345678'\n" + CHOICES.replace(":office", ""), "cannot put callers through to +8816"),
    ],
)
def test_a_menu_that_cannot_work_is_told_with_its_line_and_the_mend(tmp_path: Path, more: str, told: str) -> None:
    with pytest.raises(SettingsError) as refused:
        write(tmp_path, MENU_TABLE + more)
    assert str(refused.value).startswith("phone-bridge.toml, line 3, [[menus]] 'm'")
    assert told in str(refused.value)


def test_a_route_cannot_begin_with_a_menu_that_there_is_not(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"line 3, .*'office' begins with the menu 'm', which there is not"):
        write(tmp_path, OFFICE_TABLE + 'menu = "m"\n')
    with pytest.raises(SettingsError, match="has menus of its own: write them as"):
        write(tmp_path, OFFICE_TABLE + "[routes.menus.m]\nname = 'm'\nsay = '?'\n")
    with pytest.raises(SettingsError, match="needs its menus as tables"):
        write(tmp_path, "menus = 3\n")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("routes = 3", "needs its routes as tables"),
        ("[routes]\nname = 'x'", "needs its routes as tables"),
        ("[[routes]]\ncalled = '+49*'", "'number 1' is not what it should be: Object missing required field `name`"),
        ("[[routes", "cannot be read"),
        (OFFICE_TABLE + OFFICE_TABLE[10:], "line 6, [[routes]] 'office' has the name of phone-bridge.toml, line 3"),
    ],
)
def test_a_file_that_makes_no_sense_is_told(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(SettingsError) as refused:
        write(tmp_path, text)
    assert told in str(refused.value)


def test_a_line_is_not_told_where_words_look_like_a_table(tmp_path: Path) -> None:
    text = OFFICE_TABLE + 'session_instructions = """\n[[routes]]\n"""\nhours = "x"\n'
    with pytest.raises(SettingsError, match=r"^phone-bridge.toml, \[\[routes\]\] 'office' has"):
        write(tmp_path, text)


def test_a_model_may_be_offered_all_that_there_is(tmp_path: Path) -> None:
    own = msgspec.structs.replace(OWN, session="voice-agent", mcp=(McpServer(name="crm", url="http://x"),))
    for tools in (
        '"calendar", "memory", "web", "call", "crm", "crm:read", "voice-agent"',
        '"crm_find", "end_call"',
        "",
    ):
        (tmp_path / "phone-bridge.toml").write_text(OFFICE_TABLE + f"tools = [{tools}]\n")
        assert len(read({}, tmp_path, own)) == 1
    (tmp_path / "phone-bridge.toml").write_text(OFFICE_TABLE + 'tools = ["crn_find"]\n')
    with pytest.raises(SettingsError, match="'crn_find' in tools"):
        read({}, tmp_path, own)


TRANSFERS = 'transfers = { reception = "+493012345678", billing = "assistant:billing" }'


def test_a_route_has_a_list_of_its_own_of_those_whom_callers_may_be_put_through_to(tmp_path: Path) -> None:
    billing = '\n[[routes]]\nname = "billing"\ncalled = "+4930999"\nuser_id = "usr_office"\n'
    table = f'{OFFICE_TABLE}user_id = "usr_office"\n{TRANSFERS}\n{billing}'
    own = msgspec.structs.replace(OWN, transfers="boss=+493099999999")
    office, other = (served(own, route) for route in write(tmp_path, table))
    assert [target.address for target in office.settings.targets.values()] == ["+493012345678", "billing"]
    assert [target.name for target in other.settings.targets.values()] == ["boss"], "the deployment's"


@pytest.mark.parametrize("other", ["", '\n[[routes]]\nname = "billing"\ncalled = "+4930999"\nuser_id = "usr_other"\n'])
def test_callers_are_handed_on_to_assistants_of_the_same_user_alone(tmp_path: Path, other: str) -> None:
    with pytest.raises(SettingsError, match=r"line 3.*assistant:billing, and no route of that name.*usr_office"):
        write(tmp_path, f'{OFFICE_TABLE}user_id = "usr_office"\n{TRANSFERS}\n{other}')


def test_a_target_that_leads_nowhere_is_told_with_its_route(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"'office': transfers: .*'03012' leads nowhere"):
        write(tmp_path, f'{OFFICE_TABLE}transfers = {{ reception = "03012" }}\n')
