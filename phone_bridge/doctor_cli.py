"""The command ``phone-bridge doctor``: what is wrong and how to mend it; or who would get a call, and why."""

import argparse
import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

import msgspec

from phone_bridge import doctor, trust_rules
from phone_bridge.call.trust import Tier, tier_of
from phone_bridge.doctor_peers import Finding, Level
from phone_bridge.errors import SettingsError
from phone_bridge.routing import Facts, Route, missed
from phone_bridge.settings import Settings
from phone_bridge.tenants import Served, Tenants

ALL_WELL, WRONG = 0, 1
_WHY = {
    "hours": "its hours, days or closed dates do not fit",
    "named": "it is taken only where it is named",
}

Say = Callable[[str], None]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take the arguments in."""
    parser.add_argument(
        "--to", metavar="NUMBER", help="say who would get a call to this number or SIP address, and why"
    )
    parser.add_argument("--from", dest="from_number", metavar="NUMBER", help="from this one (default: withheld)")
    parser.add_argument("--at", metavar="TIME", help="at this time, as 2026-11-24T09:00+01:00 (default: now)")
    parser.add_argument("--language", default="", help="with this language, such as de")
    parser.add_argument(
        "--header", action="append", default=[], metavar="NAME=VALUE", help="with this SIP header; again for more"
    )
    parser.add_argument("--json", action="store_true", help="print it for machines")


def run(options: argparse.Namespace, environ: Mapping[str, str], folder: Path, say: Say) -> int:
    """Examine the deployment that a server started in ``folder`` would be; 0 only where nothing is wrong.

    Raises SettingsError for arguments that make no sense.
    """
    if options.to is not None:
        return _who(options, *doctor.read(environ, folder), say)
    found = asyncio.run(doctor.examine(environ, folder))
    if options.json:
        say(msgspec.json.encode({"ok": not _any_wrong(found), "findings": found}).decode())
    else:
        for finding in found:
            for line in _lines(finding):
                say(line)
        say(_summary(found))
    return WRONG if _any_wrong(found) else ALL_WELL


def _lines(finding: Finding) -> list[str]:
    head = f"{finding.level.value:8} {finding.check:11} {finding.told}"
    return [head, f"{'':20} → {finding.mend}"] if finding.mend else [head]


def _summary(found: Sequence[Finding]) -> str:
    wrong = sum(finding.level is Level.WRONG for finding in found)
    warned = sum(finding.level is Level.WARNING for finding in found)
    return f"\n{wrong} wrong, {warned} to look at, {len(found) - wrong - warned} well"


def _any_wrong(found: Sequence[Finding]) -> bool:
    return any(finding.level is Level.WRONG for finding in found)


# Who would get a call


def _who(options: argparse.Namespace, settings: Settings, routes: Sequence[Route], say: Say) -> int:
    at = _time(options.at)
    facts = Facts(
        called=options.to,
        calling=options.from_number,
        headers=MappingProxyType(dict(map(_header, options.header))),
        language=options.language,
    )
    tenants = Tenants(settings, routes)
    served = tenants.choose(facts, at)
    caller = tier_of(options.from_number, served.numbers, attested=False)
    passed_over = [(route.name, missed(route, facts, at)) for route in _before(routes, served)]
    if options.json:
        say(msgspec.json.encode({**_shown(served, caller), "at": at, "passed_over": dict(passed_over)}).decode())
        return ALL_WELL
    for name, why in passed_over:
        say(f"route {name} is passed over: {_WHY.get(why, f'its {why} do not fit')}")
    say(f"route {served.route} takes the call:" if served.route else "no route takes the call; the deployment's own:")
    for name, value in _shown(served, caller).items():
        say(f"  {name:14} {value}")
    return ALL_WELL


def _before(routes: Sequence[Route], served: Served) -> Sequence[Route]:
    names = [route.name for route in routes]
    return routes[: names.index(served.route)] if served.route in names else routes


def _shown(served: Served, caller: Tier) -> dict[str, Any]:
    """Show what a call is given, but for the session's key, and how far its ``caller`` is known by the number."""
    settings = served.settings
    return {
        "route": served.route,
        "user_id": settings.user_id,
        "session": settings.session,
        "session_url": settings.session_url,
        "session_key": "set" if settings.session_key else "none",
        "session_model": settings.session_model,
        "language": settings.language,
        "greeting": settings.greeting,
        "menu": served.menu,
        "fallback": settings.fallback,
        "answer_seconds": settings.answer_seconds,
        "tools": "all" if served.tools is None else sorted(served.tools),
        "auto_confirm": sorted(settings.unasked(settings.user_id)),
        "max_seconds": served.max_seconds,
        "max_calls": served.max_calls,
        "trust": trust_rules.shown(served.trust),
        "caller": caller.value,
    }


def _time(text: str | None) -> datetime:
    if text is None:
        return datetime.now(UTC)
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise SettingsError(f"--at must be a time with its offset, such as 2026-11-24T09:00+01:00, not {text!r}")
    return at


def _header(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise SettingsError(f"--header must be NAME=VALUE, such as X-Tenant=acme, not {text!r}")
    return name.strip().lower(), value.strip()
