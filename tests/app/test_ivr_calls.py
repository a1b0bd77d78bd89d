"""Whole calls over real sockets: the simulator plays Twilio, an IVR of ours hands callers over and takes them back."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from msgspec import structs
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route as Path_

from phone_bridge.menus import Choice, Menu
from phone_bridge.routing import Route
from phone_bridge.sessions.chronapilot import messages as m
from phone_bridge.simulator.caller import Manners
from phone_bridge.simulator.carrier import Site, place_call
from phone_bridge.simulator.result import CallResult
from phone_bridge.simulator.script import Press, Say, Step
from phone_bridge.simulator.webhooks import Dialling
from tests.app.premises import ACCOUNT, PUBLIC, TOKEN, Premises, Tone, premises
from tests.app.test_handing_back import KEY
from tests.infra.test_ivr import defined
from tests.runtime.serving import serving, until

PERSON = "+4930999999"
QUICK = Manners(quiet_ms=100, key_quiet_ms=100, parting_quiet_ms=200, patience_ms=4_000, stay=True)


class Ivr:
    """An IVR elsewhere: it hands its caller over, and reads what comes back as our page says."""

    def __init__(self) -> None:
        self.url = ""
        self.results: list[dict[str, str]] = []
        self.app = Starlette(
            routes=[
                Path_("/begin", self._begin, methods=["POST"]),
                Path_("/back", self._back, methods=["POST"]),
            ]
        )

    async def _begin(self, request: Request) -> Response:
        query = urlencode({"route": "office", "return_url": f"{self.url}/back?step=2", "ref": "ticket 4711"})
        target = f"{PUBLIC}/twilio/voice?{query}".replace("&", "&amp;")
        return xml(f"<Response><Redirect>{target}</Redirect></Response>")

    async def _back(self, request: Request) -> Response:
        query, form = dict(request.query_params), await request.form()
        if not defined("def verified")["verified"](query, form["CallSid"], KEY):
            return Response(status_code=403)
        self.results.append(query)
        return xml("<Response><Say>Back at the switchboard.</Say><Hangup/></Response>")


def xml(text: str) -> Response:
    return Response(text, media_type="application/xml")


def menu(**more: Any) -> Menu:
    return Menu(
        **{
            "name": "office",
            "say": "For appointments press 1.",
            "human": f"number:{PERSON}",
            "choices": (
                Choice(key="1", words="appointments", to="assistant"),
                Choice(key="2", words="message", to="voicemail"),
            ),
            **more,
        }
    )


async def propose_when_live(house: Premises) -> None:
    """Be the assistant: have something cancelled, and end when that was done."""
    await until(lambda: bool(house.peers.live))
    assistant = house.peers.live[-1]
    assistant.propose("act_1", "Dentist")
    await until(lambda: any(isinstance(said, m.ActionConfirm) for said in assistant.words))
    assistant.tell(m.ActionExecuted("act_1", "executed", {}))
    (record,) = [record for record, _ in house.bridge.registry.traces()]
    await until(lambda: any(action["outcome"] for action in known(house, record.carrier_id)))
    await house.ask("POST", f"/v1/calls/{record.id}/end")


def known(house: Premises, carrier_id: str) -> list[dict[str, Any]]:
    record = house.bridge.registry.known(carrier_id)
    return record.actions if record is not None else []


def run(
    folder: Path, routes: Sequence[Route], *script: Step, ivr: Ivr | None = None, proposes: bool = False
) -> CallResult:
    """Have the number called by the simulator, which signs as Twilio does; with an ``ivr`` it begins there."""

    async def go() -> CallResult:
        async with premises(folder, twilio_auth_token=TOKEN) as house, serving((ivr or Ivr()).app) as elsewhere:
            back = f"http://127.0.0.1:{elsewhere.port}"
            begin = ""
            if ivr is not None:
                ivr.url, begin = back, f"{back}/begin"
            allowed = [structs.replace(route, return_urls=(f"{back}/back",), return_key=KEY) for route in routes]
            house.bridge.tenants.replace(allowed)
            assistant = asyncio.create_task(propose_when_live(house)) if proposes else None
            site = Site(url=f"http://127.0.0.1:{house.running.port}", public_url=PUBLIC, voice_url=begin)
            dialling = Dialling(account_sid=ACCOUNT, auth_token=TOKEN)
            result = await place_call(site, script, Tone(), dialling=dialling, manners=QUICK)
            if assistant is not None:
                await assistant
            return result

    return asyncio.run(go())


def test_from_an_ivr_through_our_menu_to_a_confirmation_and_back_with_what_was_done(tmp_path: Path) -> None:
    ivr = Ivr()
    office = Route(name="office", named=True, menu="office", menus={"office": menu()}, user_id="usr_office")
    result = run(tmp_path, [office], Press("1"), Press("1"), ivr=ivr, proposes=True)
    assert result.ok, result.reasons
    assert result.verbs == ("Redirect", "Gather", "ConnectStream", "Redirect", "Say", "Hangup")
    assert result.record is not None
    (told,) = ivr.results
    assert told["step"] == "2"  # what its own address has
    assert told["pb_actions"].startswith("cancel_event:confirmed:executed")
    assert (told["pb_digits"], told["pb_ended"], told["pb_ref"]) == ("1", "completed", "ticket 4711")
    assert told["pb_call"] == result.record.id
    assert told["pb_call_sid"] == result.call_sid


def test_words_choose_as_well_as_keys(tmp_path: Path) -> None:
    office = Route(name="office", menu="office", menus={"office": menu()})
    result = run(tmp_path, [office], Say("a message please"), Say("call me back"), Press("#", after_ms=200))
    assert result.verbs == ("Gather", "Say", "Record", "Say", "Hangup")
    assert result.status == "completed"


def test_three_wrong_keys_bring_the_caller_to_a_person(tmp_path: Path) -> None:
    office = Route(name="office", menu="office", menus={"office": menu()})
    result = run(tmp_path, [office], Press("7"), Press("8"), Press("9"))
    assert result.ok, result.reasons
    assert result.verbs == ("Gather", "Gather", "Gather", "Say", "Dial", "Hangup")
    assert result.dialled == (PERSON,)


def test_three_wrong_keys_without_a_person_lead_to_the_voicemail(tmp_path: Path) -> None:
    office = Route(name="office", menu="office", menus={"office": menu(human="", otherwise="voicemail")})
    result = run(tmp_path, [office], Press("7"), Press("8"), Press("9"), Say("call me back"), Press("#", after_ms=200))
    assert result.verbs == ("Gather", "Gather", "Gather", "Say", "Record", "Say", "Hangup")
    assert result.status == "completed"


def test_on_a_holiday_the_caller_is_told_so_and_leaves_a_message(tmp_path: Path) -> None:
    today = datetime.now(UTC)
    closed = {
        "closed": tuple(f"{today + timedelta(days=days):%Y-%m-%d}" for days in (-1, 0, 1)),
        "timezone": "Europe/Berlin",
        "closed_say": "We are on holiday.",
        "closed_to": "voicemail",
    }
    office = Route(name="office", menu="office", menus={"office": menu(**closed)})
    result = run(tmp_path, [office], Say("call me back"), Press("#", after_ms=200))
    assert result.verbs == ("Say", "Record", "Say", "Hangup")
