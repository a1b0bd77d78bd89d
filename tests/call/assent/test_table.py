"""Tables made from text."""

from phone_bridge.call.assent.grammar import Role
from phone_bridge.call.assent.table import table

TABLE = table(
    spelling={"that's": "that is", "1": "one"},
    sounds={"won": "one"},
    roles={Role.YES: "yes, that's\nright, ", Role.NO: "no, press 1"},
    intro="I'm to",
    asked={"cancel": "cancel", "cancel all": ""},
    deeds={"cancel": "cancel it, that's it", "create": "book it"},
)


def test_phrases_stand_apart_by_commas_and_are_spelt_alike() -> None:
    assert TABLE.roles.entries[("that", "is", "right")] == {Role.YES}
    assert TABLE.roles.entries[("press", "one")] == {Role.NO}
    assert () not in TABLE.roles.entries


def test_deeds_have_their_role_only_where_they_were_asked_for() -> None:
    assert TABLE.roles.entries[("book", "it")] == {Role.DEED}
    assert TABLE.consenting["cancel"].entries[("that", "is", "it")] == {Role.DEED}
    assert ("book", "it") not in TABLE.consenting["cancel"].entries
    assert ("cancel", "it") not in TABLE.consenting[""].entries


def test_the_longest_cue_decides_what_was_asked() -> None:
    assert next(TABLE.asked.find(("cancel", "all", "of", "these"), 0))[1] == ""
    assert next(TABLE.asked.find(("cancel", "dentist"), 0))[1] == "cancel"
