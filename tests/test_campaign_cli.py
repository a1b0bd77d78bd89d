"""Campaigns: everybody once, at a rate, paused and resumed, stopped when calls fail, and told at the end."""

import json
from pathlib import Path
from typing import Any

import pytest

from phone_bridge.campaign_cli import KEPT, LOOK_S, Campaign, add_arguments
from phone_bridge.errors import Refused, SettingsError
from phone_bridge.outbound.campaign import LOOKED_AT, Breaker, Progress, fill
from phone_bridge.outbound_cli import NOT_OK, OK, Api
from tests.test_outbound_cli import options


class Fake(Api):
    """A bridge whose reminders are over at the first look, as ``outcomes`` has it, or else confirmed."""

    def __init__(self, **outcomes: str) -> None:
        super().__init__("http://127.0.0.1:9", "")
        self.made: list[dict[str, Any]] = []
        self._outcomes = outcomes
        self.dies_after = 10**9
        self.states: list[str] = []
        self.seen: list[str] = []  # how the bridge says that it stands, at each look
        self.promised: dict[str, str] = {}

    def post(self, path: str, body: dict[str, Any], key: str = "") -> Any:
        if path == "/v1/campaigns":
            self.states.append(body["state"])
            return body
        if key in self.promised:
            return {"id": self.promised[key]}
        if len(self.made) >= self.dies_after:
            raise KeyboardInterrupt
        if body["to"] == "bad":
            raise Refused("No.", code="invalid_parameter")
        self.made.append(body)
        self.promised[key] = f"rem_{body['to']}"
        return {"id": f"rem_{body['to']}"}

    def get(self, path: str) -> Any:
        if path.startswith("/v1/campaigns/"):
            return {"state": self.seen.pop(0) if self.seen else "running"}
        outcome = self._outcomes.get(path.rpartition("_")[2], "confirmed")
        return {"status": "done" if outcome == "confirmed" else "failed", "outcome": outcome}


def table(folder: Path, *people: str) -> Path:
    file = folder / "people.csv"
    file.write_text("to,name\n" + "".join(f"{person},Name {person}\n" for person in people))
    return file


def campaign(file: Path, api: Api, *more: str) -> tuple[Campaign, list[str]]:
    said: list[str] = []
    given = options(add_arguments, str(file), "--text", "Hello {name}.", *more)
    return Campaign(given, api, said.append), said


def run(one: Campaign) -> tuple[int, float]:
    clock = [0.0]

    def sleep(seconds: float) -> None:
        clock[0] += seconds

    return one.run(sleep, lambda: clock[0]), clock[0]


def test_everybody_is_rung_once_at_the_rate_and_told_of(tmp_path: Path) -> None:
    api = Fake()
    one, said = campaign(table(tmp_path, "1", "2", "3"), api, "--rate", "6", "--window", "10:00-12:00")
    assert run(one) == (OK, 30.0)
    assert [body["text"] for body in api.made] == ["Hello Name 1.", "Hello Name 2.", "Hello Name 3."]
    assert api.made[0]["policy"] == {"window": "10:00-12:00"}
    assert said[-4:-1] == ["1: done, confirmed", "2: done, confirmed", "3: done, confirmed"]
    assert said[-1] == "3 of 3 people: 3 confirmed"
    assert len({body["campaign"] for body in api.made}) == 1
    assert api.states == ["running", "over"]
    assert "[##############################] 3/3 3 confirmed" in said


def test_what_was_paused_goes_on_where_it_was(tmp_path: Path) -> None:
    file, api = table(tmp_path, "1", "2", "3"), Fake()
    api.dies_after = 2
    one, said = campaign(file, api)
    assert run(one)[0] == NOT_OK
    assert api.states == ["running", "paused"]  # those who are scheduled and were not rung yet wait, too
    assert "paused" in said[-1]
    api.dies_after = 10**9
    again, _ = campaign(file, api)
    assert run(again)[0] == OK
    assert [body["to"] for body in api.made] == ["1", "2", "3"]
    assert file.with_name(file.name + KEPT).exists()


def test_what_was_asked_for_when_it_was_killed_is_not_asked_for_twice(tmp_path: Path) -> None:
    file, api = table(tmp_path, "1", "2"), Fake()
    one, _ = campaign(file, api)
    assert run(one)[0] == OK
    kept = file.with_name(file.name + KEPT)
    known = json.loads(kept.read_text())
    del known["rows"]["1"]  # the answer to its second row was not written down any more
    kept.write_text(json.dumps(known))
    again, _ = campaign(file, api)
    assert run(again)[0] == OK
    assert [body["to"] for body in api.made] == ["1", "2"]
    known["times"]["1"] = "2020-01-01T00:00:00+00:00"  # it was not asked for, and it is too late for that now
    kept.write_text(json.dumps(known))
    later, _ = campaign(file, Late())
    assert run(later)[0] == OK


class Late(Fake):
    """A bridge that never heard of a campaign, and takes no time that is over."""

    def post(self, path: str, body: dict[str, Any], key: str = "") -> Any:
        if body.get("at", "3").startswith("2020"):
            raise Refused("The time is over already.", code="invalid_parameter")
        return super().post(path, body, key)


def test_what_a_campaign_has_left_must_be_its_own(tmp_path: Path) -> None:
    file = table(tmp_path, "1")
    file.with_name(file.name + KEPT).write_text("[]")
    with pytest.raises(SettingsError, match="begin anew"):
        campaign(file, Fake())


def test_one_that_somebody_else_paused_waits(tmp_path: Path) -> None:
    api = Fake()
    api.seen = ["paused", "paused", "running"]
    one, said = campaign(table(tmp_path, "1"), api, "--rate", "60")
    assert run(one) == (OK, 2 * LOOK_S + 1)
    assert [line for line in said if "somebody else" in line] == [said[0]]


def test_consent_and_zones_come_from_the_table(tmp_path: Path) -> None:
    file, api = tmp_path / "people.csv", Fake()
    file.write_text("to,name,consent,timezone\n1,A,form of May,Europe/Berlin\n2,B,,\n")
    one, _ = campaign(file, api, "--require-consent")
    run(one)
    assert [body.get("consent") for body in api.made] == ["form of May", None]
    assert [body.get("timezone") for body in api.made] == ["Europe/Berlin", None]  # then the bridge decides, or refuses
    assert all(body["policy"]["consent_required"] for body in api.made)


def test_it_stops_when_too_many_fail(tmp_path: Path) -> None:
    people = [str(number) for number in range(LOOKED_AT * 3)]
    api = Fake(**dict.fromkeys(people, "no_answer"))
    one, said = campaign(table(tmp_path, *people), api)
    assert run(one)[0] == NOT_OK
    assert len(api.made) < len(people)
    assert api.states[-1] == "stopped"
    assert "stopped" in said[-1]


def test_a_row_that_is_refused_is_told_and_holds_up_no_other(tmp_path: Path) -> None:
    api = Fake()
    one, said = campaign(table(tmp_path, "bad", "2"), api)
    assert run(one)[0] == NOT_OK
    assert said[0] == "! row 2: No."
    assert said[-3:] == ["bad: failed, refused", "2: done, confirmed", "2 of 2 people: 1 confirmed, 1 refused"]


def test_what_cannot_work_is_told_before_anybody_is_rung(tmp_path: Path) -> None:
    file, api = table(tmp_path, "1"), Fake()
    given = options(add_arguments, str(file), "--text", "Hello {nome}.")
    with pytest.raises(Refused, match="nome"):
        Campaign(given, api, lambda _: None)
    with pytest.raises(Refused):
        campaign(file, api, "--window", "late")
    with pytest.raises(SettingsError):
        campaign(file, api, "--rate", "0")
    for content in ("", "name\nAnna\n", "to,name\n1\n"):
        file.write_text(content)
        with pytest.raises(SettingsError):
            campaign(file, api)


def test_a_template_names_columns_alone() -> None:
    assert fill("{a} and {{b}}", {"a": "1"}) == "1 and {b}"
    for template in ("{a.__class__}", "{0}", "{", "{a[0]}", "{}"):
        with pytest.raises(Refused):
            fill(template, {"a": "1"})


def test_a_breaker_judges_by_the_last_ones() -> None:
    breaker = Breaker(50)
    for _ in range(LOOKED_AT - 1):
        breaker.note(failed=True)
    assert not breaker.open  # too few to say
    breaker.note(failed=True)
    assert breaker.open
    for _ in range(LOOKED_AT):
        breaker.note(failed=False)
    assert not breaker.open


def test_progress_of_nobody_is_complete() -> None:
    assert Progress.of(0, []).line() == f"[{'#' * 30}] 0/0"
