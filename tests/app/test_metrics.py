"""``GET /metrics`` on a bridge that carries calls, and who may see it."""

import asyncio
from pathlib import Path

import pytest

from phone_bridge.app.bridge import Bridge
from phone_bridge.app.metrics import METRICS_PATH
from phone_bridge.call.trace import Trace
from phone_bridge.runtime.record import Records
from phone_bridge.settings import Settings
from phone_bridge.telemetry.spans import Over
from phone_bridge.telemetry.tracing import Reporting
from tests.app.premises import LINE_MS, TOKEN, Premises, Tone, call_form, json_of, lose_database, play
from tests.runtime.pumping import FRAME
from tests.runtime.serving import until
from tests.telemetry.figures import Figures, record

KEY = "the-api-key"


async def scrape(house: Premises, accept: str = "") -> Figures:
    answer = await house.ask("GET", METRICS_PATH, headers={"Accept": accept} if accept else {})
    assert answer.status == 200, answer
    return Figures(answer.body, answer.headers["content-type"])


# Who may


def test_with_keys_only_who_shows_one_for_it_is_served(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        for shown in ("", "Bearer another-key"):
            answer = await house.ask("GET", METRICS_PATH, headers={"Authorization": shown} if shown else {})
            assert (answer.status, json_of(answer)["error"]["code"]) == (401, "invalid_api_key")
        answer = await house.ask("GET", METRICS_PATH, headers={"Authorization": f"Bearer {KEY}"})
        assert answer.status == 200

    play(tmp_path, story, api_key=KEY)


@pytest.mark.parametrize("host", ["alice.tunnel.example", "10.0.0.7"])
def test_without_a_key_only_this_machine_is_served(tmp_path: Path, host: str) -> None:
    async def story(house: Premises) -> None:
        answer = await house.ask("GET", METRICS_PATH, headers={"Host": host})
        assert (answer.status, json_of(answer)["error"]["code"]) == (403, "api_key_required")
        await scrape(house)

    play(tmp_path, story)


# What


def test_a_call_is_counted_while_it_lives_and_once_it_is_over(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        carrier, _ = await house.talk("CA1")
        carrier.speak(*[FRAME] * 100)
        await until(lambda: _heard(house) >= 2_000)
        figures = await scrape(house)
        assert figures("live_calls") == figures("calls_started_total") == 1
        heard = figures("heard_seconds_total")
        assert heard >= 2.0
        assert figures("added_latency_seconds_count", direction="up") >= 1
        assert figures("session_openings_total", outcome="opened") == 1
        assert figures("calls_ended_total") == 0
        carrier.hang_up()
        await house.ended(carrier)
        figures = await scrape(house, "application/openmetrics-text; version=1.0.0")
        assert figures("live_calls") == 0
        assert figures("calls_ended_total", ended_by="caller", error="none") == 1
        assert heard <= figures("heard_seconds_total") < heard + 2
        assert figures("call_duration_seconds_count") == 1

    play(tmp_path, story)


def _heard(house: Premises) -> int:
    return sum(trace.counts.heard_ms for _, trace in house.bridge.registry.traces())


def test_a_confirmation_by_key_is_counted_with_what_came_of_it(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        carrier, assistant = await house.talk("CA1")
        await asyncio.sleep(LINE_MS / 1000 + 0.1)
        carrier.speak(FRAME)
        assistant.propose("act_1")
        await asyncio.sleep(3 * LINE_MS / 1000 + 0.2)
        assert (await scrape(house))("confirmations_total") == 0
        carrier.press("1")
        await until(lambda: any(trace.actions for _, trace in house.bridge.registry.traces()))
        figures = await scrape(house)
        assert figures("confirmations_total", verdict="confirmed", by="digit") == 1
        assert figures("confirmed_actions_total") == 0
        carrier.hang_up()
        await house.ended(carrier)
        figures = await scrape(house)
        assert figures("confirmations_total") == 1
        assert figures("confirmed_actions_total", outcome="unknown") == 1  # it was never told

    play(tmp_path, story)


def test_a_session_that_cannot_be_had_is_counted(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        house.peers.mint_status = 401
        carrier = await house.open("CA1", token=(await house.ring("CA1")).parameters["token"])
        await house.ended(carrier)
        figures = await scrape(house)
        assert figures("session_openings_total", outcome="opened") == 0
        assert figures("session_openings_total", outcome="http_401") == 1
        assert figures("calls_ended_total", ended_by="bridge", error="session_refused") == 1

    play(tmp_path, story)


def test_a_webhook_that_is_refused_is_counted_by_its_code(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        assert (await house.voice("CA1", token="another-token")).status == 403
        assert (await house.post("/twilio/status", [("CallSid", "CA1")], token=TOKEN)).status == 400
        assert (await house.voice("CA1", token=TOKEN)).status == 200
        figures = await scrape(house)
        assert figures("webhooks_refused_total", code="unsigned") == 1
        assert figures("webhooks_refused_total", code="missing_parameter") == 1
        assert figures("webhooks_refused_total") == 2
        assert figures("http_requests_total", route="/twilio/voice", status="4xx") == 1
        assert figures("http_requests_total", route="/twilio/voice", status="2xx") == 1

    play(tmp_path, story, twilio_auth_token=TOKEN)


def test_requests_are_counted_by_the_routes_that_there_are(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        for path in ("/v1/calls/call_1", "/v1/calls/call_2", "/wp-admin", '/"}evil', "/healthz"):
            await house.ask("GET", path)
        figures = await scrape(house)
        assert figures.values("http_requests_total", "route") == {"/v1/calls/{id}", "/healthz", "other"}
        assert figures("http_requests_total", route="/v1/calls/{id}", status="4xx") == 2
        assert figures("http_requests_total", route="other", status="4xx") == 2

    play(tmp_path, story)


def test_records_that_wait_for_the_database_are_shown(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        carrier, _ = await house.talk("CA1")
        lose_database(house, tmp_path)
        carrier.hang_up()
        await until(lambda: carrier.code is not None and house.bridge.registry.live == 0)
        assert (await scrape(house))("spool_records") == 1
        (tmp_path / "bridge.db").rmdir()
        (tmp_path / "away.db").rename(tmp_path / "bridge.db")
        await until(lambda: not house.bridge.spool.waiting)
        figures = await scrape(house)
        assert (figures("spool_records"), figures("records_lost_total")) == (0, 0)

    play(tmp_path, story)


def test_a_process_that_has_no_room_or_drains_is_not_ready(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        figures = await scrape(house)
        assert (figures("ready"), figures("draining"), figures("max_calls")) == (1, 0, 1)
        carrier, _ = await house.talk("CA1")
        assert (await scrape(house))("ready") == 0
        carrier.hang_up()
        await house.ended(carrier)
        house.bridge.registry.draining = True
        figures = await scrape(house)
        assert (figures("ready"), figures("draining")) == (0, 1)

    play(tmp_path, story, max_calls=1)


def test_the_beat_of_the_loop_is_measured_from_start_to_stop(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        await asyncio.sleep(0.25)
        figures = await scrape(house)
        assert figures("loop_lag_seconds_count") >= 2
        assert 0 <= figures("loop_lag_worst_seconds") < 5
        assert figures("loop_cpu_seconds_total") > 0

    play(tmp_path, story)


def test_neither_numbers_nor_words_nor_ids_are_told(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        await house.post("/twilio/voice", call_form("CA1", From="+12025550143", CallerName="Alice"))
        carrier, _ = await house.talk("CA2")
        (live, *_) = await house.calls()
        body = (await house.ask("GET", METRICS_PATH)).body.decode()
        for word in ("2025550", "Alice", "CA1", "CA2", live.id, "usr_", "hub_"):
            assert word not in body
        carrier.hang_up()
        await house.ended(carrier)

    play(tmp_path, story)


def test_calls_are_reported_and_the_reporter_is_closed_at_the_end(tmp_path: Path) -> None:
    told: list[Over] = []
    closed: list[bool] = []

    async def story() -> None:
        settings = Settings(database_url=f"sqlite:///{tmp_path}/bridge.db", session_key="sk", session="chronapilot")
        reporting = Reporting(told.append, lambda: closed.append(True))
        bridge = Bridge(settings, Records(settings.database_url), Tone(), worker="4711", reporting=reporting)
        await bridge.start()
        call = record()
        bridge.telemetry.call_ended(call, Trace(0))
        assert [over.record.id for over in told] == [call.id]
        assert closed == []
        assert Figures(*bridge.telemetry.scrape())("calls_ended_total", worker="4711") == 1
        await bridge.stop()
        assert closed == [True]

    asyncio.run(story())
