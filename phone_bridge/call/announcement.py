"""The words that tell a caller of a recording: nothing is kept before they were heard to their end."""

from collections.abc import Iterable

from phone_bridge.call.playback import Ledger
from phone_bridge.call.prompts import Prompt

KEY = "recording_announcement"


class Announcement:
    """Whether the call may be recorded; ``wanted`` says that the caller has to be told first."""

    def __init__(self, *, wanted: bool) -> None:
        self._wanted = wanted
        self.heard = not wanted
        """Whether everything was said that has to be said before anything is kept."""
        self._item = ""  # of the ledger, while it is said

    def again(self) -> None:
        """Know that somebody else is on the line, who has heard nothing."""
        self._item, self.heard = "", not self._wanted

    @property
    def lines(self) -> tuple[str, ...]:
        """What has to be said yet, by the keys of its sentences."""
        return () if self.heard else (KEY,)

    def said(self, prompt: Prompt) -> None:
        """Know what is being said, which may be this."""
        for place, line in enumerate(prompt.lines):
            if line.key == KEY:
                self._item = prompt.item(place)

    def within(self, prompts: Iterable[Prompt]) -> bool:
        """Tell whether it was to be said by one of these."""
        return any(self._item.startswith(f"{prompt.name}.") for prompt in prompts)

    def look(self, ledger: Ledger, now: int) -> None:
        """Find out whether it was heard: by every mark of it, in its turn."""
        if self._item and ledger.heard_to_end(self._item, now):
            self._item, self.heard = "", True

    def sounding(self, ledger: Ledger, now: int) -> bool:
        """Tell whether it is on its way to the caller, so that nobody may interrupt it."""
        return bool(self._item) and not ledger.over(self._item, now)
