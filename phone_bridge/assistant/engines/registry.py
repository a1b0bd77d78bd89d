"""Finding the ear and the voice that the operator chose among those that are installed."""

from collections.abc import Callable
from importlib.metadata import entry_points
from typing import Any, Protocol

import msgspec

from phone_bridge.assistant.ports import Ear
from phone_bridge.errors import SettingsError
from phone_bridge.runtime.voice import Voice

EARS = "phone_bridge.ears"
VOICES = "phone_bridge.voices"
"""The groups of entry points that engines are found by."""

EAR, VOICE = "pocketsphinx", "espeak-ng"
"""What is taken where the operator chose nothing."""


class EngineOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What the operator says to an engine; each takes what it can use."""

    model: str = ""
    """A folder, a file or a name: which voice, or which model to hear with."""
    url: str = ""
    """Where a service is, up to and without ``/v1``."""
    key: str = ""
    language: str = "en"

    @property
    def spoken(self) -> str:
        """The language without its country, as recognisers want it: ``es`` of ``es-MX``."""
        return self.language.partition("-")[0].lower()


class PlugEar(Ear, Protocol):
    """An ear that can be let go."""

    async def close(self) -> None:
        """Let its programs and connections go; nothing can be heard afterwards."""
        ...


def ear(name: str, options: EngineOptions) -> PlugEar:
    """Make the ear ``name``; raises SettingsError for one that is not installed, and whatever it raises itself."""
    made: PlugEar = _find(EARS, name, "PHONE_BRIDGE_EAR", "ear")(options)
    return made


def voice(name: str, options: EngineOptions) -> Voice:
    """Make the voice ``name``; raises like ``ear``."""
    made: Voice = _find(VOICES, name, "PHONE_BRIDGE_VOICE", "voice")(options)
    return made


def check(ear_name: str, voice_name: str) -> None:
    """Find both without making them; raises SettingsError like ``ear`` and ``voice``."""
    _find(EARS, ear_name, "PHONE_BRIDGE_EAR", "ear")
    _find(VOICES, voice_name, "PHONE_BRIDGE_VOICE", "voice")


def names(group: str) -> list[str]:
    """Name what is installed."""
    return sorted({point.name for point in entry_points(group=group)})


def _find(group: str, name: str, setting: str, kind: str) -> Callable[[EngineOptions], Any]:
    found = next(iter(entry_points(group=group, name=name)), None)
    if found is None:
        there = ", ".join(names(group)) or "none"
        raise SettingsError(f"{setting} is {name!r}, and no {kind} of that name is installed; installed are: {there}")
    try:
        made: Callable[[EngineOptions], Any] = found.load()
    except (ImportError, AttributeError) as error:
        raise SettingsError(
            f"{setting} is {name!r}, whose package {found.value.partition(':')[0]} cannot be loaded: {error}"
        ) from None
    return made
