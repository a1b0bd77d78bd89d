"""The table of faults: what may go wrong with a call, and the tests that inject it.

The first line of each is in virtual time where that can be, the last over real sockets, servers or processes.
"""

import ast
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

FAULTS = {
    "the session cannot be had: refused, 500, 429, no answer at minting": (
        "tests/runtime/test_connect.py::test_whatever_happens_it_takes_no_longer_than_the_budget",
        "tests/runtime/test_connect.py::test_a_peers_own_wish_is_kept",
        "tests/call/test_machine.py::test_a_session_that_never_comes_is_told_in_words",
        "tests/app/test_fallback.py::test_after_a_call_that_failed_the_caller_is_put_through",
        "tests/app/test_session_faults.py::test_a_session_that_cannot_be_minted_is_apologised_for_in_time",
    ),
    "the session takes long, or does not answer": (
        "tests/call/test_machine.py::test_a_slow_session_is_waited_for_while_the_greeting_sounds",
        "tests/call/test_machine.py::test_one_that_does_not_come_is_apologised_for_once_the_greeting_was_heard",
        "tests/runtime/test_pump.py::test_a_session_that_is_slow_comes_in_time_while_the_greeting_sounds",
        "tests/runtime/test_pump.py::test_no_greeting_is_cut_by_an_apology_for_a_session_that_is_silent",
    ),
    "the session's socket drops": (
        "tests/runtime/test_pump.py::test_a_session_that_drops_is_replaced_and_told_what_was_said",
        "tests/runtime/test_pump.py::test_a_session_that_cannot_be_had_again_is_told_in_words_and_without_long_silence",
        "tests/runtime/test_pump.py::test_a_session_that_drops_again_and_again_is_given_up",
        "tests/app/test_session_faults.py::test_a_session_lost_in_the_middle_of_a_sentence_is_replaced",
    ),
    "the session stalls": (
        "tests/call/test_machine.py::test_silence_in_the_midst_of_a_reply_is_told_and_then_ends_the_session",
        "tests/call/test_machine.py::test_a_session_that_answers_nothing_at_all_is_lost_and_one_that_ends_a_silent_reply_is_not",
        "tests/runtime/test_pump.py::test_a_session_that_falls_silent_in_the_midst_of_a_reply_is_replaced",
    ),
    "the session sends nonsense": (
        "tests/runtime/test_pump.py::test_nothing_but_nonsense_is_a_lost_session",
        "tests/runtime/test_pump.py::test_nonsense_of_a_session_is_skipped",
        "tests/app/test_session_faults.py::test_a_session_lost_in_the_middle_of_a_sentence_is_replaced",
    ),
    "a confirmation is open when the session is lost": (
        "tests/call/test_machine.py::test_an_open_question_is_void_with_its_session_and_asked_anew_when_proposed_anew",
        "tests/app/test_session_faults.py::test_a_confirmation_that_was_sent_is_looked_up_and_an_open_one_is_void",
    ),
    "a confirmation was sent and not acknowledged when the session is lost": (
        "tests/call/test_machine.py::test_the_outcome_of_a_yes_is_looked_up_before_the_next_session_hears_anything",
        "tests/call/test_machine.py::test_the_same_proposal_gets_no_second_yes",
        "tests/runtime/test_pump.py::test_an_action_that_was_confirmed_is_looked_up_and_never_sent_again",
        "tests/app/test_session_faults.py::test_a_confirmation_that_was_sent_is_looked_up_and_an_open_one_is_void",
    ),
    "the session's token or time limit is about to end": (
        "tests/call/test_machine.py::test_the_session_is_changed_in_a_pause_before_it_ends",
        "tests/runtime/test_pump.py::test_a_session_near_its_end_is_changed_at_a_pause_without_a_gap",
        "tests/app/test_session_faults.py::test_a_session_near_its_end_is_changed_without_the_callers_hearing_it",
    ),
    "the carrier's socket drops": (
        "tests/call/test_machine.py::test_a_call_that_was_cut_off_goes_on_where_it_was",
        "tests/app/test_resuming.py::test_a_call_whose_socket_dropped_comes_back_as_the_same_call",
        "tests/app/test_resuming.py::test_a_call_that_drops_again_and_again_is_given_up_with_words",
    ),
    "the process is killed in mid-call": (
        "tests/app/test_resuming.py::test_a_call_whose_process_was_lost_comes_back_to_another",
        "tests/test_serve.py::test_a_call_outlives_its_process",
    ),
    "the process is killed while a question is open": (
        "tests/call/test_machine.py::test_what_is_asked_stands_as_not_answered_in_case_nobody_is_left_to_say_more",
        "tests/runtime/test_registry.py::"
        "test_a_question_whose_process_was_lost_is_not_answered_when_the_carrier_says_the_end",
        "tests/test_serve.py::test_a_question_whose_process_is_killed_is_kept_as_not_answered",
    ),
    "the carrier sends late, doubled, reordered, missing or oversized messages": (
        "tests/legs/twilio/test_stream.py::test_a_doubled_or_late_chunk_is_dropped",
        "tests/legs/twilio/test_stream.py::test_whatever_the_numbers_say_new_sound_is_kept_and_padding_is_bounded",
        "tests/call/test_playback.py::test_marks_may_be_lost_doubled_and_late_and_items_settle_all_the_same",
        "tests/legs/twilio/test_messages.py::test_a_message_may_be_as_long_as_the_limit_and_no_longer",
        "tests/app/test_streams.py::test_a_stream_that_brings_far_too_much_ends_by_name_and_no_other_call_with_it",
    ),
    "the carrier reads too slowly": (
        "tests/runtime/test_sockets.py::test_an_outbox_never_holds_more_than_its_bounds_and_loses_only_the_oldest_sound",
        "tests/runtime/test_sockets.py::test_a_peer_that_stops_reading_loses_its_socket_in_time",
    ),
    "SIGTERM": (
        "tests/runtime/test_drain.py::test_calls_that_are_left_are_asked_to_end_once_and_have_a_moment_for_their_goodbye",
        "tests/app/test_resuming.py::test_while_draining_a_new_call_is_moved_on_and_at_last_given_up",
        "tests/test_serve.py::test_a_stopping_server_moves_new_calls_on_and_lets_live_ones_end",
        "tests/test_serve.py::test_when_the_time_is_over_a_caller_hears_a_goodbye",
        "tests/test_serve.py::test_a_second_signal_ends_at_once_and_the_call_comes_back_elsewhere",
    ),
    "the database is locked, full or gone": (
        "tests/runtime/test_spool.py::test_a_database_that_is_gone_is_asked_ever_more_slowly_and_gets_the_newest",
        "tests/runtime/test_spool.py::test_what_could_not_be_written_by_the_end_is_told_by_the_call",
        "tests/app/test_database_faults.py::test_a_file_that_is_gone_for_a_while_harms_no_live_call",
        "tests/app/test_database_faults.py::test_a_server_that_stops_for_a_while_harms_no_live_call",
    ),
    "one call's bug": (
        "tests/runtime/test_pump.py::test_a_mistake_ends_its_own_call_and_is_raised_when_all_is_taken_down",
        "tests/app/test_bridge.py::test_a_call_can_be_run_again_from_its_trace",
        "tests/app/test_fallback.py::test_one_calls_bug_brings_its_caller_to_the_fallback_and_leaves_the_others_alone",
    ),
}


@cache
def named_in(file: str) -> frozenset[str]:
    tree = ast.parse((ROOT / file).read_text())
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_injected_by_tests_that_exist(fault: str) -> None:
    for test in FAULTS[fault]:
        file, _, name = test.partition("::")
        assert name in named_in(file), test
