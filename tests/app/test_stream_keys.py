"""The keys of stream tokens, a day each."""

from datetime import UTC, datetime

from phone_bridge.app.stream_keys import DAY_SECONDS, SKEW_SECONDS, StreamKeys, name_of

MIDNIGHT = int(datetime(2026, 11, 21, tzinfo=UTC).timestamp())


class Secrets:
    """A database's secrets, as all processes see them."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, kid: str) -> bytes:
        self.asked.append(kid)
        return kid.encode().rjust(32)


def test_each_utc_day_has_a_key_of_its_own() -> None:
    keys = StreamKeys(Secrets())
    named = [keys.signing(at).id for at in (MIDNIGHT - 1, MIDNIGHT, MIDNIGHT + DAY_SECONDS - 1)]
    assert named == ["stream-20261120", "stream-20261121", "stream-20261121"]
    assert keys.signing(MIDNIGHT).secret != keys.signing(MIDNIGHT - 1).secret


def test_todays_and_yesterdays_keys_are_admitted() -> None:
    admitted = StreamKeys(Secrets()).admitting(MIDNIGHT + 3600)
    assert list(admitted) == ["stream-20261120", "stream-20261121"]
    assert {key.id for key in admitted.values()} == set(admitted)


def test_tomorrows_key_is_admitted_from_processes_whose_clock_is_a_little_ahead() -> None:
    keys = StreamKeys(Secrets())
    tomorrow = name_of(MIDNIGHT)
    assert tomorrow not in keys.admitting(MIDNIGHT - SKEW_SECONDS - 1)
    assert tomorrow in keys.admitting(MIDNIGHT - SKEW_SECONDS)


def test_a_secret_is_asked_for_once_and_no_name_but_these_ever_is() -> None:
    secrets = Secrets()
    keys = StreamKeys(secrets)
    for at in range(MIDNIGHT, MIDNIGHT + 3 * DAY_SECONDS, 3600):
        keys.signing(at)
        keys.admitting(at)
    assert sorted(secrets.asked) == [f"stream-202611{day}" for day in (20, 21, 22, 23)]


def test_two_processes_have_the_same_keys() -> None:
    secrets = Secrets()
    assert StreamKeys(secrets).signing(MIDNIGHT) == StreamKeys(secrets).admitting(MIDNIGHT)[name_of(MIDNIGHT)]
