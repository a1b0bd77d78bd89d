import pytest

from phone_bridge.assistant.problems import Problem
from phone_bridge.assistant.versions import CURRENT, SUPERSEDED, Version, choose, is_served

(OLD, UNTIL) = next(iter(SUPERSEDED.items()))


def test_the_keys_own_version_answers_unless_the_request_names_one() -> None:
    assert choose(OLD, "").name == OLD
    assert choose(OLD, CURRENT) == Version(CURRENT)


def test_who_uses_an_old_version_is_told_until_when() -> None:
    assert choose(CURRENT, OLD).headers() == {
        "chronapilot-version": OLD,
        "chronapilot-deprecation-date": UNTIL,
    }
    assert choose(CURRENT, "").headers() == {"chronapilot-version": CURRENT}


@pytest.mark.parametrize("asked", ["2019-01-01", "latest", "2026-5-20", CURRENT + " "])
def test_a_version_that_there_is_not_is_refused_with_those_that_there_are(asked: str) -> None:
    assert not is_served(asked)
    with pytest.raises(Problem, match=CURRENT) as caught:
        choose(CURRENT, asked)
    assert (caught.value.code, caught.value.param) == ("invalid_parameter", "Chronapilot-Version")


def test_every_old_version_is_served_for_a_year_at_least() -> None:
    assert all(is_served(name) and until >= "2027-05-20" for name, until in SUPERSEDED.items())
