"""A route's rule of trust: what an operator writes of it, and what it comes to for one call.

Tools are named by what they do or by themselves; what is left out of the former needs what the milder one before it
needs. Where the session's own server runs the tools (``SELF_ACTING``), nobody here can stop a tool that it runs without
asking. There the session is not opened before the caller may read, and is not given what it would do unasked.
"""

from collections.abc import Iterable, Mapping
from itertools import pairwise

from phone_bridge.call.trust import Tier, Trust, highest
from phone_bridge.errors import SettingsError
from phone_bridge.offers import Effect
from phone_bridge.settings import FUNCTION_CALLING, Settings
from phone_bridge.tools.catalogue import Policy
from phone_bridge.tools.table import CALENDAR_TOOLS

ENTER = "enter"
"""What stands for the assistant as a whole."""
ENROL = "enrol"
"""What stands for setting a PIN by telephone where there is none yet."""
ENROLS = (Tier.ATTESTED, Tier.CODE)
"""What may be needed for that; a caller ID that nobody vouches for is anybody's."""
BY_CODE = frozenset({Tier.CODE, Tier.BOTH})
UNCONTROLLED = "voice-sdk"
"""The kind of session of whose tools nobody here knows anything."""
_OF_THE_LINE = ("end_call", "send_digits", "switch_language", "change_pin")
"""Tools that read nothing of anybody's, whatever is needed to read: whoever is not known may say goodbye."""
CALENDAR_EFFECTS: Mapping[str, str] = {tool.name: tool.effect.value for tool in CALENDAR_TOOLS}

Rule = Mapping[str, str]


def trusted(rule: Rule, has: Tier, settings: Settings, effects: Mapping[str, str], offered: Iterable[str]) -> Trust:
    """Say what a caller of tier ``has`` needs for what.

    ``effects`` is what is known of the tools of a session that calls functions, ``offered`` names those of the calendar
    that any other one is given.
    """
    if not rule:
        return Trust(has=has)
    known = effects if settings.session in FUNCTION_CALLING else CALENDAR_EFFECTS
    by_effect = _by_effect(rule)
    named = {name: Tier(tier) for name, tier in rule.items() if name not in (*Effect, ENTER, ENROL)}
    tools = {name: by_effect[Effect(effect)] for name, effect in known.items()}
    tools |= dict.fromkeys(_OF_THE_LINE, Tier.UNKNOWN) | named
    otherwise = highest(*by_effect.values(), *named.values())
    enter = Tier(rule.get(ENTER, Tier.UNKNOWN))
    if settings.session == UNCONTROLLED:
        enter = highest(enter, otherwise)
    elif settings.session not in FUNCTION_CALLING:
        enter = highest(enter, *(tools[name] for name in offered if CALENDAR_EFFECTS[name] == Effect.READ))
        if withheld(Trust(has=has, tools=tools, enter=enter), offered) >= set(offered):  # nothing would be left
            enter = highest(enter, *(tools[name] for name in offered))
    enrol = Tier(rule.get(ENROL, Tier.PIN))
    return Trust(has=has, tools=tools, otherwise=otherwise, enter=enter, enrol=enrol)


def _by_effect(rule: Rule) -> dict[Effect, Tier]:
    found, tier = {}, Tier.UNKNOWN
    for effect in Effect:  # the mildest first
        found[effect] = tier = Tier(rule.get(effect, tier))
    return found


def withheld(trust: Trust, offered: Iterable[str]) -> frozenset[str]:
    """Name those of the calendar's tools that a session must not have which would run them without asking."""
    lacking = (CALENDAR_TOOLS.find(name) for name in offered if not trust.at_first.reaches(trust.needs(name)))
    return frozenset(tool.name for tool in lacking if not tool.asks)


def policy(trust: Trust, offered: Iterable[str]) -> Policy:
    """Say what our own assistant has to ask for: everything, where something needs more than the caller has."""
    return Policy.DEFAULT if all(trust.at_first.reaches(trust.needs(name)) for name in offered) else Policy.ALL


def check(rule: Rule, numbers: Iterable[str], names: frozenset[str], place: str) -> None:
    """Check a rule of the route at ``place``, whose tools have ``names``; raises SettingsError with the mend."""
    for name, tier in rule.items():
        if name not in names and name not in (*Effect, ENTER, ENROL):
            raise SettingsError(
                f"{place} has {name!r} in trust, which is neither read, write, outward, destroy, enter, enrol nor a "
                "tool of its session: mend its spelling"
            )
        if tier not in tuple(Tier):
            raise SettingsError(f"{place} has {tier!r} for {name} in trust: it must be one of {', '.join(Tier)}")
    if ENROL in rule and Tier(rule[ENROL]) not in ENROLS:
        raise SettingsError(
            f"{place} has {rule[ENROL]!r} for enrol in trust, by which nobody may set a first PIN: it must be one of "
            f"{', '.join(ENROLS)}, or be left out"
        )
    written = [Tier(rule[effect]) for effect in Effect if effect in rule]
    if any(not later.reaches(earlier) for earlier, later in pairwise(written)):
        raise SettingsError(
            f"{place} asks for less in trust where a tool does more: read, write, outward and destroy must not fall"
        )
    by_number = [tier for tier in rule.values() if tier in (Tier.KNOWN, Tier.ATTESTED)]
    if by_number and not any(numbers):
        raise SettingsError(
            f"{place} has {by_number[0]!r} in trust and no number is known: name its callers' in numbers, or the "
            "user's in PHONE_BRIDGE_USER_NUMBERS"
        )


def check_codes(rule: Rule, settings: Settings, place: str) -> None:
    """See that codes can be sent to the user of a rule that wants them; raises SettingsError with the mend."""
    if not BY_CODE.intersection(rule.values()):
        return
    if not settings.texts:
        raise SettingsError(
            f"{place} has a code in trust, and no text message can be sent: set TWILIO_ACCOUNT_SID, "
            "TWILIO_AUTH_TOKEN and TWILIO_PHONE_NUMBER"
        )
    if settings.user_id not in settings.rung:
        raise SettingsError(
            f"{place} has a code in trust, and no number of {settings.user_id} is known to send it to: name it in "
            "PHONE_BRIDGE_USER_NUMBERS"
        )


def shown(rule: Rule) -> str:
    """Write a rule for people."""
    return ", ".join(f"{name} needs {tier}" for name, tier in rule.items()) or "everything is open to every caller"
