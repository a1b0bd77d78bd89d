"""The language of the line as a tool: what a model calls when its caller would rather speak another one."""

from collections.abc import Callable
from typing import Annotated

from msgspec import Meta

from phone_bridge.call import words
from phone_bridge.call.events import Action
from phone_bridge.errors import Refused
from phone_bridge.offers import Effect, Offer
from phone_bridge.runtime.toolbox import CallFacts, Ran, failure, wanted
from phone_bridge.tools.schemas import Parameters, schema_of

SWITCH_LANGUAGE = "switch_language"
TAG = f"^({'|'.join(words.LANGUAGES)})(-[A-Za-z0-9]{{1,8}})?$"
"""A language of ours, with its country where that matters."""
DONE = '{"ok":true}'


class SwitchLanguage(Parameters, frozen=True):
    """Parameters of switch_language."""

    language: Annotated[str, Meta(pattern=TAG, description="The caller's language: es, or es-MX with its country.")]


class LanguageToolbox:
    """Change the language in which the line itself asks, and understands yes and no; ``speak`` does, on a live call.

    It needs no consent: it does nothing but ask in other words. A question that is open is asked again in them.
    """

    def __init__(self, speak: Callable[[str], bool]) -> None:
        self._speak = speak

    def offers(self, facts: CallFacts) -> tuple[Offer, ...]:
        """Offer the one tool."""
        offer = Offer(
            name=SWITCH_LANGUAGE,
            description="Have the line ask its own questions in the caller's language, and understand yes and no in "
            "it; call this as soon as the caller speaks another language than the one that the line speaks.",
            schema=schema_of(SwitchLanguage),
            effect=Effect.READ,
        )
        return (offer,)

    async def prepare(self, user_id: str, action: Action) -> Action:
        """Change nothing: it is never asked for."""
        return action

    async def run(self, user_id: str, action: Action, key: str) -> Ran:
        """Do it to the call that this was made for."""
        try:
            language = wanted(SwitchLanguage, action).language.strip()
        except Refused as error:
            return Ran(failure(error.code, str(error)), False)
        if not self._speak(language):
            return Ran(failure("call_ended", "The call is over already."), False)
        return Ran(DONE, True)
