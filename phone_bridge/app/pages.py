"""The pages that people open: the soft-phone, the monitor, and the files they are made of.

There is no build step: what stands in ``static/`` is what the browser runs. The policy allows a page its own files and
nothing else, no inline script and no inline style either.
"""

from functools import cache
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from phone_bridge.app.answers import problem

STATIC = Path(__file__).with_name("static")

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "media-src 'self' blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""``'self'`` is this origin's WebSockets, too; a recording comes by a fetch that shows a key, and plays as a blob."""

PERMISSIONS = "microphone=(self), camera=(), geolocation=()"

_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_HEADERS = {"Content-Security-Policy": POLICY, "Permissions-Policy": PERMISSIONS}


async def phone(request: Request) -> Response:
    """Show the soft-phone."""
    return _file("phone.html")


async def monitor(request: Request) -> Response:
    """Show the monitor; what it shows it asks for with the key that its user gives it."""
    return _file("monitor.html")


async def static(request: Request) -> Response:
    """Give one of the files that the pages are made of."""
    name = request.path_params["file"]
    if name not in _names():
        return problem(404, "invalid_request_error", "path_unknown", f"There is no file {name}.")
    return _file(name)


def _file(name: str) -> Response:
    file = STATIC / name
    return Response(_read(file), media_type=_TYPES[file.suffix], headers=_HEADERS)


@cache
def _names() -> frozenset[str]:
    """Name what may be had; a name that comes from outside is never made a path of."""
    return frozenset(file.name for file in STATIC.iterdir() if file.suffix in _TYPES and file.suffix != ".html")


@cache
def _read(file: Path) -> bytes:
    return file.read_bytes()


ROUTES = (
    Route("/", phone, methods=["GET"]),
    Route("/monitor", monitor, methods=["GET"]),
    Route("/static/{file}", static, methods=["GET"]),
)
