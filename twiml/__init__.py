"""Every TwiML document that the bridge answers with, one function each, as text."""

from twiml.documents import (
    apologise_and_hang_up,
    ask,
    connect_stream,
    enqueue,
    hand_back,
    hang_up,
    leave_message,
    let_them_talk,
    move_on,
    outwait_greeting,
    press_keys,
    take_message,
    tell_of_caller,
    transfer,
    wait_in_queue,
)

__all__ = [
    "apologise_and_hang_up",
    "ask",
    "connect_stream",
    "enqueue",
    "hand_back",
    "hang_up",
    "leave_message",
    "let_them_talk",
    "move_on",
    "outwait_greeting",
    "press_keys",
    "take_message",
    "tell_of_caller",
    "transfer",
    "wait_in_queue",
]
