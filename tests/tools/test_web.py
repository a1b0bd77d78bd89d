import json

import pytest

from phone_bridge.errors import BridgeError, Refused, RemoteError, Unavailable
from phone_bridge.exchange import Response
from phone_bridge.offers import Effect
from phone_bridge.tools.web import CONTENT_CHARS, MAX_RESULTS, WEB_SEARCH, found, search


def test_a_search_is_a_post_with_the_key_in_its_header() -> None:
    request = search("https://api.tavily.com", "tvly-x", "weather in Berlin")
    assert (request.method, request.url) == ("POST", "https://api.tavily.com/search")
    assert request.headers["Authorization"] == "Bearer tvly-x"
    assert json.loads(request.body) == {
        "query": "weather in Berlin",
        "search_depth": "basic",
        "include_answer": True,
        "max_results": MAX_RESULTS,
    }


def test_the_answer_is_cut_to_what_a_model_can_use() -> None:
    pages = [{"title": f"{n}", "url": "https://x", "content": "c" * 2000, "score": 0.5} for n in range(7)]
    body = json.dumps({"query": "q", "answer": "Sunny.", "images": [], "results": pages, "response_time": 1.2})
    result = found(Response(status=200, body=body.encode()))
    assert result["answer"] == "Sunny."
    assert len(result["results"]) == MAX_RESULTS
    assert all(len(page["content"]) == CONTENT_CHARS for page in result["results"])


def test_an_answer_may_be_missing() -> None:
    assert found(Response(status=200, body=b'{"results": [], "answer": null}')) == {"answer": "", "results": []}


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (401, b"{}", Refused),
        (429, b"{}", Unavailable),
        (432, b"{}", Unavailable),
        (500, b"", Unavailable),
        (400, b"{}", RemoteError),
        (200, b"<html>", RemoteError),
        (200, b'{"results": 3}', RemoteError),
    ],
)
def test_what_went_wrong_is_told_by_its_kind(status: int, body: bytes, kind: type[BridgeError]) -> None:
    with pytest.raises(kind):
        found(Response(status=status, body=body))


def test_searching_changes_nothing() -> None:
    assert WEB_SEARCH.effect is Effect.READ
