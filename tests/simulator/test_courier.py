"""Requests under way: documents and callbacks, time-outs, redirects."""

from datetime import UTC, datetime

from phone_bridge.exchange import Request, Response
from phone_bridge.simulator.courier import (
    REDIRECTS_MAX,
    REQUEST_MS,
    CallbackFailed,
    Courier,
    DocumentCame,
    DocumentFailed,
)
from phone_bridge.simulator.duties import Ask
from phone_bridge.simulator.faults import Code
from phone_bridge.simulator.webhooks import Dialling, Webhooks

REQUEST = Request(method="POST", url="https://a.test/voice")
FINE = Response(status=200)


def courier() -> Courier:
    return Courier(Webhooks(Dialling(account_sid="AC1"), "CA1", datetime(2026, 1, 1, tzinfo=UTC), lambda: "uuid"))


def test_a_document_comes_whatever_its_status() -> None:
    post = courier()
    ask = post.ask(REQUEST, 0, document=True)
    assert post.answered(ask.id, Response(status=500)) == DocumentCame(Response(status=500))
    assert post.idle


def test_a_callback_that_went_well_is_nothing_to_speak_of() -> None:
    post = courier()
    ask = post.ask(REQUEST, 0, document=False)
    assert not post.idle
    assert post.answered(ask.id, FINE) is None
    assert post.idle


def test_a_callback_that_was_refused_is_a_fault() -> None:
    post = courier()
    outcome = post.answered(post.ask(REQUEST, 0, document=False).id, Response(status=404))
    assert isinstance(outcome, CallbackFailed)
    assert outcome.fault.code == 11217


def test_an_answer_is_waited_for_fifteen_seconds_and_no_longer() -> None:
    post = courier()
    ask = post.ask(REQUEST, 100, document=True)
    assert post.deadline() == 100 + REQUEST_MS == 15_100
    assert post.expire(15_099) == []
    (outcome,) = post.expire(15_100)
    assert isinstance(outcome, DocumentFailed)
    assert outcome.fault.code == 11205
    assert post.answered(ask.id, FINE) is None
    assert post.deadline() is None


def test_an_unreachable_application_is_told_by_its_number() -> None:
    post = courier()
    outcome = post.unreachable(post.ask(REQUEST, 0, document=True).id, Code.TCP_REFUSED, "refused")
    assert isinstance(outcome, DocumentFailed)
    assert outcome.fault.code == 11202
    assert post.unreachable(99, Code.TCP_REFUSED, "refused") is None


def test_a_redirect_is_followed_by_a_get_within_the_same_time() -> None:
    post = courier()
    ask = post.ask(REQUEST, 0, document=True)
    again = post.answered(ask.id, Response(status=302, headers={"location": "other"}))
    assert isinstance(again, Ask)
    assert (again.request.method, again.request.url) == ("GET", "https://a.test/other")
    assert post.deadline() == REQUEST_MS
    assert post.answered(again.id, FINE) == DocumentCame(FINE)


def test_redirects_without_end_are_given_up() -> None:
    post = courier()
    outcome: object = post.ask(REQUEST, 0, document=True)
    for _ in range(REDIRECTS_MAX + 1):
        assert isinstance(outcome, Ask)
        outcome = post.answered(outcome.id, Response(status=301, headers={"location": "/round"}))
    assert isinstance(outcome, DocumentFailed)
    assert outcome.fault.code == 11215


def test_a_document_that_is_forgotten_is_ignored_and_callbacks_are_not() -> None:
    post = courier()
    document = post.ask(REQUEST, 0, document=True)
    callback = post.ask(REQUEST, 0, document=False)
    post.forget_document()
    assert post.answered(document.id, FINE) is None
    assert not post.idle
    assert isinstance(post.answered(callback.id, Response(status=500)), CallbackFailed)
