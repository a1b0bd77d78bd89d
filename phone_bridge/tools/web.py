"""Searching the web by Tavily's API, as values of HTTP (https://docs.tavily.com/documentation/api-reference)."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from phone_bridge.errors import Refused, RemoteError, Unavailable
from phone_bridge.exchange import Request, Response
from phone_bridge.offers import Effect
from phone_bridge.tools.catalogue import Tool
from phone_bridge.tools.schemas import Parameters, schema_of

TAVILY_URL = "https://api.tavily.com"
MAX_RESULTS = 5
MAX_QUERY_CHARS = 400
"""The longest query that Tavily takes."""
CONTENT_CHARS = 600
"""How much of each page's text a model is given."""

_RETRY = (429, 432, 433)  # too many requests; the plan's limits
_UNAUTHORIZED = (401, 403)


class WebSearch(Parameters, frozen=True):
    """Parameters of web_search."""

    query: Annotated[str, Meta(min_length=1, max_length=MAX_QUERY_CHARS)]


WEB_SEARCH = Tool(
    name="web_search",
    description="Search the web for what may have changed lately: news, weather, opening hours, prices.",
    schema=schema_of(WebSearch),
    effect=Effect.READ,
    scope="web",
)


class _Page(msgspec.Struct):
    title: str = ""
    url: str = ""
    content: str = ""


class _Found(msgspec.Struct):
    answer: str | None = None
    results: list[_Page] = []


_read = msgspec.json.Decoder(_Found).decode


def search(base_url: str, key: str, query: str) -> Request:
    """Ask for pages about ``query``, with an answer in one sentence or two."""
    body = {"query": query, "search_depth": "basic", "include_answer": True, "max_results": MAX_RESULTS}
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {key}"}
    return Request(method="POST", url=f"{base_url}/search", headers=headers, body=msgspec.json.encode(body))


def found(response: Response) -> dict[str, Any]:
    """Read the answer: its sentence and its pages; raises Unavailable, Refused or RemoteError."""
    if response.status in _RETRY or response.status >= 500:
        raise Unavailable("The web search is too busy, or its limit is used up.", code="web_search_unavailable")
    if response.status in _UNAUTHORIZED:
        raise Refused("The web search does not accept its key: see TAVILY_API_KEY.", code="web_search_refused")
    if response.status != 200:
        raise RemoteError(f"The web search answered {response.status}.", code="web_search_failed")
    try:
        pages = _read(response.body)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        raise RemoteError("The web search's answer cannot be read.", code="web_search_failed") from None
    results = [
        {"title": page.title, "url": page.url, "content": page.content[:CONTENT_CHARS]} for page in pages.results
    ]
    return {"answer": pages.answer or "", "results": results[:MAX_RESULTS]}
