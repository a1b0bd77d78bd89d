"""What a calendar holds."""

from datetime import timedelta

import pytest
from msgspec import structs

from phone_bridge.tools.keeper import Edit, Location
from tests.tools.shelf import NOW, Shelf


@pytest.mark.parametrize("parts", [{}, {"name": "the office"}, {"lat": 1.0}, {"lng": 1.0}])
def test_a_place_needs_an_address_or_both_coordinates(parts: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="address"):
        Location(**parts)  # type: ignore[arg-type]  # which of the fields it is does not matter here


def test_a_place_is_an_address_or_a_point() -> None:
    assert Location(address="1 Main Street").address
    assert Location(lat=1.0, lng=2.0).lat


def test_an_edit_names_what_changed_but_not_when_it_was_written() -> None:
    shelf = Shelf()
    before = shelf.kept[shelf.add("Lunch", NOW, NOW + timedelta(hours=1))]
    after = structs.replace(before, title="Brunch", end_time=NOW + timedelta(hours=2), updated_at=NOW + timedelta(1))
    assert Edit(before, after).changed_fields() == ["title", "end_time"]
