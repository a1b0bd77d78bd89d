import asyncio
import json

from phone_bridge.call.events import Action
from phone_bridge.errors import BridgeError, Unavailable
from phone_bridge.exchange import Request, Response
from phone_bridge.runtime.toolbox import CallFacts, Ran
from phone_bridge.runtime.web_toolbox import WebToolbox


class Web:
    """Answers every request alike, and keeps it."""

    def __init__(self, answer: Response | BridgeError) -> None:
        self.answer = answer
        self.asked: list[Request] = []

    async def exchange(self, request: Request, *, timeout_ms: int) -> Response:
        self.asked.append(request)
        if isinstance(self.answer, BridgeError):
            raise self.answer
        return self.answer


def run(web: Web, **parameters: object) -> Ran:
    box = WebToolbox(web, "tvly-x", "http://127.0.0.1:9/")
    action = Action("web_search", parameters)
    assert asyncio.run(box.prepare("usr_a", action)) == action
    return asyncio.run(box.run("usr_a", action, "key"))


def test_pages_are_given_to_the_model() -> None:
    web = Web(Response(status=200, body=b'{"answer": "Sunny.", "results": []}'))
    ran = run(web, query="weather")
    assert ran == Ran('{"ok":true,"answer":"Sunny.","results":[]}', True)
    assert web.asked[0].url == "http://127.0.0.1:9/search"


def test_whatever_fails_is_told_and_nothing_is_in_doubt() -> None:
    for ran in (run(Web(Unavailable("gone", code="timeout")), query="x"), run(Web(Response(status=500)), query="x")):
        assert not ran.ok
        assert not ran.unsure
        assert json.loads(ran.result)["ok"] is False


def test_a_query_that_is_none_is_not_sent() -> None:
    web = Web(Response(status=200))
    assert not run(web, query="").ok
    assert web.asked == []


def test_one_tool_is_offered() -> None:
    (offer,) = WebToolbox(Web(Response(status=200)), "k").offers(CallFacts(call_id="c", user_id="u"))
    assert offer.name == "web_search"
