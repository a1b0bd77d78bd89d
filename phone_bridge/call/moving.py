"""A caller who is to be put through: the last sentence is heard to its end before the line moves."""

LAST_WORDS_MS = 10_000
"""How long a reply that is being produced may go on before the line moves all the same."""


class Moving:
    """Wait for the end of what the assistant is saying; ``name`` is to whom the caller is put through then."""

    def __init__(self) -> None:
        self.name: str | None = None
        self.due: int | None = None

    def wait(self, name: str, now: int) -> None:
        """Begin to wait; a second wish changes nothing of the first."""
        if self.due is None:
            self.name, self.due = name, now + LAST_WORDS_MS

    @property
    def waiting(self) -> bool:
        """Whether the line is about to move."""
        return self.due is not None

    def is_due(self, now: int) -> bool:
        """Tell whether the last sentence has taken too long."""
        return self.due is not None and now >= self.due

    def take(self) -> str:
        """Stop waiting, and give the name."""
        name, self.name, self.due = self.name or "", None, None
        return name
