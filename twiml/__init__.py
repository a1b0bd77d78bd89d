"""Every TwiML document that the bridge answers with, one function each, as text."""

from twiml.documents import (
    apologise_and_hang_up,
    ask,
    connect_stream,
    hand_back,
    hang_up,
    leave_message,
    move_on,
    outwait_greeting,
    press_keys,
    reject,
    take_message,
    transfer,
)

__all__ = [
    "apologise_and_hang_up",
    "ask",
    "connect_stream",
    "hand_back",
    "hang_up",
    "leave_message",
    "move_on",
    "outwait_greeting",
    "press_keys",
    "reject",
    "take_message",
    "transfer",
]
