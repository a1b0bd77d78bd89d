"""What is said besides the calendar: greetings, help, and the ways to say that something was not understood."""

from collections.abc import Sequence

from phone_bridge.assistant.answering import title_words

GREETING = "Hello, this is your calendar."
OFFER = "What can I do for you?"
BACK = "I am back. What can I do for you?"
WELCOME = "You are welcome."
GOODBYE = "Goodbye."
LEFT = "All right, I left everything as it is."
AGREED = "All right."
NO_PIN = "I know nothing of PINs: the telephone line asks for them itself, where it wants one."
NO_EVENT = "I do not know which event you mean."
TOO_MANY = "Those are more than ten events. Please name a shorter time."
ONE_AT_A_TIME = "I can do one thing at a time."
NOBODY_HERE = ("I cannot put you through to anybody from here.", "I can help you with your calendar.")
NOT_ALLOWED = "I am not allowed to do that on this line."
HELP = (
    "I can tell you what you have on a day, find events, say when you are free, and create, move and cancel events.",
    "I can also say when to leave, tell people that you are late, remind you of something, and read your alerts.",
    "You can say: what is my next meeting, or: when do I have to leave.",
)
_EXAMPLES = (
    ("what is my next meeting", "what do I have tomorrow"),
    ("cancel {title}", "am I free on Friday at three"),
    ("move {title} to four o'clock", "remind me to call the doctor tomorrow at nine"),
)
_OPENINGS = ("Sorry, I did not understand that.", "I still did not get that.", "I am sorry, once more please.")


def repair(misses: int, titles: Sequence[str]) -> list[str]:
    """Say for the ``misses``-th time in a row that nothing was understood, with two things that one can say."""
    at = (misses - 1) % len(_EXAMPLES)
    title = title_words(titles[0]) if titles else "my next meeting"
    first, second = (example.format(title=title) for example in _EXAMPLES[at])
    return [_OPENINGS[at], f"You can say: {first}, or: {second}."]


def unsure(tool: str) -> list[str]:
    """Ask back where a wish was understood, but not surely."""
    about = {
        "create_event": "make a new event",
        "update_event": "change an event",
        "cancel_event": "cancel an event",
        "create_reminder": "be reminded of something",
        "bulk_cancel_events": "cancel several events",
        "notify_attendees": "tell somebody something",
        "acknowledge_late": "say that you are late",
    }
    wish = about.get(tool, "know something about your calendar")
    return [f"I think you want to {wish}, but I am not sure.", "Please say it again, in one short sentence."]
