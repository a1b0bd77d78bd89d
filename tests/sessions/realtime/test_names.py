from typing import get_args

from phone_bridge.sessions.realtime import messages as m
from phone_bridge.sessions.realtime.names import BETA_CONTENT, BETA_EVENTS, BETA_FORMATS, GA_ONLY_EVENTS, SOUND


def tags() -> set[str]:
    return {str(kind.__struct_config__.tag) for kind in get_args(m.ServerMessage)}


def test_every_name_of_both_shapes_is_a_message_that_is_read() -> None:
    assert {*BETA_EVENTS, *BETA_EVENTS.values(), *GA_ONLY_EVENTS} <= tags()


def test_no_name_means_two_things() -> None:
    for table in (BETA_EVENTS, BETA_CONTENT, BETA_FORMATS):
        assert len(set(table.values())) == len(table)
        assert not set(table) & set(table.values())


def test_every_encoding_that_has_a_beta_name_is_a_format_that_we_speak() -> None:
    assert SOUND.keys() == BETA_FORMATS.keys()
