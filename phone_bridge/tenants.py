"""A deployment's tenants: what each route's calls are given, as settings of their own.

A call by a route is served with the deployment's settings, changed where its route says so. A route that names a
session's kind or address has nothing of the deployment's own session, its key least of all: no key goes to a server
that it was not written down for.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol, TypeVar

import msgspec
from dotenv import dotenv_values

from phone_bridge import handover, menus, routing, trust_rules
from phone_bridge.call import words
from phone_bridge.errors import Refused, SettingsError, Unavailable
from phone_bridge.hours import many
from phone_bridge.menus import Menu
from phone_bridge.offers import Effect
from phone_bridge.outbound.destinations import dialable
from phone_bridge.outbound.targets import Kind, written
from phone_bridge.routing import Facts, Route
from phone_bridge.runtime import secret_values
from phone_bridge.settings import ENV_FILE, FUNCTION_CALLING, MENUS, ROUTES, TOML_FILE, Settings, check_served
from phone_bridge.tools.catalogue import Catalogue
from phone_bridge.tools.memory import MEMORY_TOOLS
from phone_bridge.tools.table import CALENDAR_TOOLS
from phone_bridge.tools.web import WEB_SEARCH

CALENDAR, MEMORY, WEB, CALL, ELSEWHERE = "calendar", "memory", "web", "call", "voice-agent"
"""Groups of tools; a further one is each of ``[[mcp]]``, by its name."""
OF_A_CALL = ("end_call", "transfer_call", "send_digits", "switch_language", "change_pin")
READS = ":read"
"""What follows a group's name where only those of its tools are meant that look and change nothing."""
KEPT_TABLES = 20
"""How many tables of routes a process remembers for calls that began by them."""

_SESSION = tuple(field for field in Settings.__struct_fields__ if field.startswith("session_"))
_GIVEN = (*_SESSION, "user_id", "language", "greeting", "fallback", "answer_seconds")
_SAID = ("record", "record_announce")  # where False says something, too
_DEFAULTS = {field.name: field.default for field in msgspec.structs.fields(Settings)}
_Table = TypeVar("_Table", Route, Menu)
_NO_MENUS: Mapping[str, Menu] = MappingProxyType({})


class Served(msgspec.Struct, frozen=True, kw_only=True):
    """What a call is given: ``settings`` for everything, ``tools`` if only some are offered, limits or 0 for none.

    ``languages`` are offered beside that of the settings, each by its key.
    """

    settings: Settings
    route: str | None = None
    tools: frozenset[str] | None = None
    languages: Mapping[str, str] = {}
    max_seconds: int = 0
    max_calls: int = 0
    trust: Mapping[str, str] = MappingProxyType({})
    numbers: frozenset[str] = frozenset()
    """Which numbers are known to be of those who may use it."""
    return_urls: tuple[str, ...] = ()
    return_key: str = ""
    menu: str = ""
    menus: Mapping[str, Menu] = _NO_MENUS

    def __repr__(self) -> str:
        return f"Served(route={self.route!r})"  # not its key


class Recorded(Protocol):
    """A call's record, as far as it says whose call it is."""

    @property
    def route(self) -> str | None: ...  # noqa: D102 - the record's own words

    @property
    def user_id(self) -> str: ...  # noqa: D102

    @property
    def session(self) -> str: ...  # noqa: D102

    @property
    def language(self) -> str | None: ...  # noqa: D102


class Tenants:
    """All that calls may be given; ``own`` is the deployment's, for calls that no route fits."""

    def __init__(self, own: Settings, routes: Sequence[Route] = ()) -> None:
        self.own = Served(settings=own)
        self._routes: Sequence[Route] = ()
        self._tables: list[Mapping[str, Served]] = []
        self.replace(routes)

    @property
    def routes(self) -> Sequence[Route]:
        """The routes in their order."""
        return self._routes

    @property
    def all(self) -> tuple[Served, ...]:
        """Whatever a new call may be given."""
        return (self.own, *self._tables[0].values())

    def replace(self, routes: Sequence[Route]) -> None:
        """Take other routes for the calls that begin from now on."""
        self._routes = tuple(routes)
        table = {route.name: served(self.own.settings, route) for route in routes}
        self._tables = [table, *self._tables][:KEPT_TABLES]

    def choose(self, facts: Facts, at: datetime, user_id: str = "") -> Served:
        """Find what a call is given that comes in at the time ``at``, on a line of ``user_id`` (empty for anybody's).

        A route of another user's is passed over.
        """
        theirs = [one for one in self._routes if user_id in ("", self._tables[0][one.name].settings.user_id)]
        route = routing.choose(theirs, facts, at)
        return self.own if route is None else self._tables[0][route.name]

    def choose_outbound(self, facts: Facts, user_id: str = "") -> Served:
        """Find what a call is given that we place for ``user_id`` (empty for whoever's line it is), at any time.

        A route of another user's is passed over.
        """
        for route in self._routes:
            found = self._tables[0][route.name]
            if not routing.missed_by_address(route, facts) and user_id in ("", found.settings.user_id):
                return found
        return self.own

    def named(self, name: str) -> Served | None:
        """Find what a call is given that is handed over by the name of a route; None where that may not be named."""
        route = next((one for one in self._routes if one.name == name), None)
        return self._tables[0][name] if route is not None and (route.named or route.return_urls) else None

    def behind(self, name: str) -> Served | None:
        """Find what a call is given that a menu leads to the route ``name``; None where there is none any more."""
        return self._tables[0].get(name)

    def of(self, record: Recorded) -> Served:
        """Find what the call of ``record`` was given when it began; raises Unavailable where nobody knows any more."""
        if record.route is None:
            return self.own
        for table in self._tables:
            found = table.get(record.route)
            theirs = found is not None and found.settings.user_id == record.user_id
            if found is not None and theirs and record.session in ("", found.settings.session):  # none yet in a menu
                return found
        raise Unavailable(f"The route {record.route} of a call is no more.", code="route_gone")

    def of_route(self, name: str) -> Served | None:
        """Find what the calls of the route ``name`` are given now."""
        return self._tables[0].get(name)

    def settings_of(self, record: Recorded) -> Settings:
        """Find the settings of a call like ``of``, with the language that its caller has chosen.

        Where they are gone, they are such as send no caller to somebody else's.
        """
        settings = self._settings(record)
        return msgspec.structs.replace(settings, language=record.language) if record.language else settings

    def language_of(self, record: Recorded) -> str:
        """Find the language of a call's route, which is not always its caller's."""
        return self._settings(record).language

    def _settings(self, record: Recorded) -> Settings:
        try:
            return self.of(record).settings
        except Unavailable:
            return msgspec.structs.replace(self.own.settings, fallback="goodbye", transfers="")


def served(own: Settings, route: Route) -> Served:
    """Say what the calls of ``route`` are given."""
    changed: dict[str, Any] = {}
    if route.session or route.session_url:
        changed = {field: _DEFAULTS[field] for field in _SESSION} | {"session": route.session or own.session}
    changed |= {field: getattr(route, field) for field in _GIVEN if getattr(route, field)}
    if route.transfers is not None:
        changed["transfers"] = written(route.transfers)
    changed |= {field: getattr(route, field) for field in _SAID if getattr(route, field) is not None}
    if route.auto_confirm is not None:
        user_id = route.user_id or own.user_id
        changed["auto_confirm"] = ",".join(f"{user_id}:{tool}" for tool in route.auto_confirm)
    settings = msgspec.structs.replace(own, **changed)
    return Served(
        settings=settings,
        route=route.name,
        tools=None if route.tools is None else frozenset(route.tools),
        languages=dict(route.languages),
        max_seconds=route.max_seconds,
        max_calls=route.max_calls,
        trust=route.trust,
        numbers=_numbers(route, settings),
        return_urls=route.return_urls,
        return_key=route.return_key,
        menu=route.menu,
        menus=route.menus,
    )


def _numbers(route: Route, settings: Settings) -> frozenset[str]:
    """Collect the known numbers: the route's, those that it is for when they call, and where its user is rung."""
    ours = (*many(route.numbers), *many(route.calling), settings.rung.get(settings.user_id, ""))
    return frozenset(number for number in ours if routing.number_of(number) == number and number)


def calendar_tools(chosen: frozenset[str]) -> tuple[str, ...]:
    """Name those of the calendar's tools that ``chosen`` names, by themselves or by their group."""
    return _among(CALENDAR, CALENDAR_TOOLS, chosen)


def remembers(chosen: frozenset[str] | None) -> bool:
    """Tell whether a model may be told what is remembered of its caller: it is offered some of the memory's tools."""
    return chosen is None or bool(_among(MEMORY, MEMORY_TOOLS, chosen))


def _among(group: str, tools: Catalogue, chosen: frozenset[str]) -> tuple[str, ...]:
    return tuple(tool.name for tool in tools if offered(group, tool.name, chosen, reads=tool.effect is Effect.READ))


def offered(group: str, name: str, chosen: frozenset[str], *, reads: bool) -> bool:
    """Tell whether ``chosen`` names a tool of ``group``."""
    return name in chosen or group in chosen or (reads and group + READS in chosen)


# Reading them


def read(environ: Mapping[str, str], folder: Path, own: Settings) -> tuple[Route, ...]:
    """Read the routes of ``phone-bridge.toml`` in ``folder``, with their keys.

    Raises SettingsError, whose message says the line of the table at fault and the mend, and never a key.
    """
    file = folder / TOML_FILE
    if not file.is_file():
        return ()
    try:
        text = file.read_text(encoding="utf-8")
        found = tomllib.loads(text)
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{file.name} cannot be read: {error}") from None
    routes, where = _tables(text, found, ROUTES, Route)
    routing.check(routes, where)
    known = _menus(text, found, [route.name for route in routes])
    routes = [_with_menus(route, known, place) for route, place in zip(routes, where, strict=True)]
    named = {**dotenv_values(folder / ENV_FILE), **environ}
    opened = tuple(_opened(route, place, named) for route, place in zip(routes, where, strict=True))
    for route, place in zip(opened, where, strict=True):
        _check(own, route, place)
    _check_assistants(own, opened, where)
    return opened


def _tables(text: str, found: Mapping[str, Any], kind: str, shape: type[_Table]) -> tuple[list[_Table], list[str]]:
    """Read the tables ``[[kind]]``, each as ``shape``, and say of each where it stands."""
    tables = found.get(kind, [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise SettingsError(f"{TOML_FILE} needs its {kind} as tables, each under a line [[{kind}]]")
    where = _places(text, tables, kind)
    return [_table(table, place, kind, shape) for table, place in zip(tables, where, strict=True)], where


def _menus(text: str, found: Mapping[str, Any], routes: Sequence[str]) -> Mapping[str, Menu]:
    given, where = _tables(text, found, MENUS, Menu)
    menus.check(given, routes, where)
    for menu, place in zip(given, where, strict=True):
        for number in menus.numbers(menu):
            try:
                dialable(number)
            except Refused as error:
                raise SettingsError(f"{place} cannot put callers through to {number}. {error}") from None
    return MappingProxyType({menu.name: menu for menu in given})


def _with_menus(route: Route, known: Mapping[str, Menu], place: str) -> Route:
    if not route.menu:
        return route
    if route.menu not in known:
        raise SettingsError(f"{place} begins with the menu {route.menu!r}, which there is not: mend its name")
    return msgspec.structs.replace(route, menus=known)


def _places(text: str, tables: Sequence[Mapping[str, Any]], kind: str) -> list[str]:
    """Say of each table where it stands: by its line, unless text of some other kind looks like a table's head."""
    head_line = re.compile(rf"^[ \t]*\[\[[ \t]*{kind}[ \t]*\]\]", re.MULTILINE)
    lines = [text.count("\n", 0, found.start()) + 1 for found in head_line.finditer(text)]
    heads = [f"line {line}" for line in lines] if len(lines) == len(tables) else [""] * len(tables)
    return [
        f"{TOML_FILE}, {head}{', ' if head else ''}[[{kind}]] {str(table.get('name', f'number {number}'))!r}"
        for number, (head, table) in enumerate(zip(heads, tables, strict=True), start=1)
    ]


def _table(table: Mapping[str, Any], place: str, kind: str, shape: type[_Table]) -> _Table:
    unknown = sorted(set(table) - set(shape.__struct_fields__))
    if unknown:
        raise SettingsError(
            f"{place} has the key {unknown[0]!r}, which no {kind[:-1]} has: remove it or mend its spelling"
        )
    try:
        return msgspec.convert(table, shape)
    except msgspec.ValidationError as error:
        raise SettingsError(f"{place} is not what it should be: {error}") from None


def _opened(route: Route, place: str, environ: Mapping[str, str | None]) -> Route:
    found = {
        what: secret_values.found(place, what, env, file, environ)
        for what, env, file in (
            ("session_key", route.session_key_env, route.session_key_file),
            ("return_key", route.return_key_env, route.return_key_file),
        )
        if env or file
    }
    return msgspec.structs.replace(route, **found)


def _check(own: Settings, route: Route, place: str) -> None:
    try:
        given = served(own, route)
        check_served(given.settings, _name_in_route)
    except SettingsError as error:
        raise SettingsError(f"{place}: {error}") from None
    _check_languages(given, place)
    handover.check(route.return_urls, route.return_key, place)
    if route.tools is not None:
        _check_tools(given, place)
    trust_rules.check(route.trust, given.numbers, _trusted_names(given, route.trust), place)
    trust_rules.check_codes(route.trust, given.settings, place)


def _check_assistants(own: Settings, routes: Sequence[Route], where: Sequence[str]) -> None:
    """See that whoever is put through to another assistant finds it, and one of the same user's."""
    users = {route.name: served(own, route).settings.user_id for route in routes}
    giving = [
        (own, "PHONE_BRIDGE_TRANSFERS"),
        *((served(own, r).settings, w) for r, w in zip(routes, where, strict=True)),
    ]
    for settings, place in giving:
        for target in settings.targets.values():
            if target.kind is Kind.ASSISTANT and users.get(target.address) != settings.user_id:
                raise SettingsError(
                    f"{place} puts callers through to assistant:{target.address}, and no route of that name has the "
                    f"user {settings.user_id}: a conversation is handed on to assistants of the same user alone"
                )


def _name_in_route(field: str) -> str:
    return "session_key_env or session_key_file" if field == "session_key" else field


def _check_languages(given: Served, place: str) -> None:
    spoken = {given.settings.language.partition("-")[0].lower(): "its own language"}
    for key, tag in given.languages.items():
        language = tag.partition("-")[0].lower()
        if language not in words.LANGUAGES:
            raise SettingsError(
                f"{place} has {tag!r} in languages, which the bridge does not speak: it speaks "
                f"{', '.join(words.LANGUAGES)}"
            )
        if language in spoken:
            raise SettingsError(f"{place} offers {tag!r} by the key {key}, which is {spoken[language]} already")
        spoken[language] = f"that of the key {key}"


def _trusted_names(given: Served, rule: Mapping[str, str]) -> frozenset[str]:
    """Name what a rule of trust may name: what the session's tools are called, those of far servers included."""
    if given.settings.session not in FUNCTION_CALLING:
        return frozenset(tool.name for tool in CALENDAR_TOOLS)
    servers = tuple(f"{server.name}_" for server in given.settings.mcp)
    far = (name for name in rule if name.startswith(servers)) if servers else ()
    tools = (*CALENDAR_TOOLS, *MEMORY_TOOLS, WEB_SEARCH)
    return frozenset({*(tool.name for tool in tools), *OF_A_CALL, "text_caller", *far})


def _check_tools(given: Served, place: str) -> None:
    settings, chosen = given.settings, given.tools or frozenset()
    if settings.session == "voice-sdk":
        raise SettingsError(f"{place} has tools, but a voice-sdk session acts by itself: remove them")
    if settings.session in FUNCTION_CALLING:
        known = _known(settings)
        servers = tuple(f"{server.name}_" for server in settings.mcp)
        unknown = sorted(name for name in chosen - known if not name.startswith(servers))
    else:
        unknown = sorted(chosen - _group(CALENDAR) - {tool.name for tool in CALENDAR_TOOLS})
    if unknown:
        raise SettingsError(
            f"{place} has {unknown[0]!r} in tools, which names neither a tool nor a group of a {settings.session} "
            f"session: mend its spelling (groups are such as {CALENDAR} and {CALENDAR}{READS})"
        )
    if settings.session not in FUNCTION_CALLING and not chosen:
        raise SettingsError(f"{place} has tools and names none, but {settings.session} cannot do without: name some")


def _known(settings: Settings) -> frozenset[str]:
    tools = {tool.name for tool in (*CALENDAR_TOOLS, *MEMORY_TOOLS, WEB_SEARCH)}
    groups = [CALENDAR, MEMORY, WEB, CALL, *(server.name for server in settings.mcp)]
    own = {ELSEWHERE} if settings.session == "voice-agent" else set()
    return frozenset(tools).union(own, OF_A_CALL, *map(_group, groups))


def _group(name: str) -> frozenset[str]:
    return frozenset({name, name + READS})
