"""Whom a caller may be put through to."""

import pytest

from phone_bridge.errors import Refused, SettingsError
from phone_bridge.outbound.targets import MAX_TARGETS, Kind, Target, asked_for, named, targets, written

LIST = "reception=+493012345678, Front desk=sip:desk@pbx.example:5060;transport=tls, sales=queue:sales, box=voicemail"


def test_a_list_names_each_kind_of_target() -> None:
    found = targets(LIST + ",billing=assistant:billing")
    assert [(name, target.kind, target.address) for name, target in found.items()] == [
        ("reception", Kind.NUMBER, "+493012345678"),
        ("front desk", Kind.SIP, "sip:desk@pbx.example:5060;transport=tls"),
        ("sales", Kind.QUEUE, "sales"),
        ("box", Kind.VOICEMAIL, "voicemail"),
        ("billing", Kind.ASSISTANT, "billing"),
    ]
    assert found["front desk"].name == "Front desk"
    assert [target.name for target in found.values() if target.rings] == ["reception", "Front desk"]
    assert targets("") == {}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("reception", "leads nowhere"),
        ("=+493012345678", "no name for a target"),
        ("reception=030 123", "leads nowhere"),
        ("reception=+19005550100", "never dialled"),
        ("desk=sip:desk", "leads nowhere"),
        ("desk=sip:desk@pbx.example?x-route=1", "leads nowhere"),
        ("desk=sip:de<sk@pbx.example", "leads nowhere"),
        ("sales=queue:", "leads nowhere"),
        ("sales=queue:a b", "leads nowhere"),
        ("a=voicemail, A=voicemail", "two targets are named"),
        (",".join(f"t{n}=voicemail" for n in range(MAX_TARGETS + 1)), f"{MAX_TARGETS} at most"),
    ],
)
def test_a_list_with_a_mistake_says_how_it_is_mended(text: str, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        targets(text)


def test_a_table_is_written_as_a_list_is_read() -> None:
    table = {"reception": "+493012345678", "box": "voicemail"}
    assert [target.address for target in targets(written(table)).values()] == list(table.values())
    for wrong in ({"a=b": "voicemail"}, {"a,b": "voicemail"}, {"a": "voicemail,b=voicemail"}):
        with pytest.raises(SettingsError, match="comma"):
            written(wrong)


def test_a_model_gets_whom_it_names_and_words_for_all_others() -> None:
    listed = targets(LIST)
    assert named(" Reception ", listed).address == "+493012345678"
    assert named("+493012345678", listed).name == "reception"
    for wanted in ("+493012345679", "sip:x@evil.example", "queue:sales", "boss", ""):
        with pytest.raises(Refused, match="reception, Front desk, sales, box, and to nobody else") as caught:
            named(wanted, listed)
        assert caught.value.code == "target_not_listed"
    with pytest.raises(Refused, match="put through to nobody"):
        named("reception", {})


def test_a_program_may_name_a_number_that_may_be_dialled_as_well() -> None:
    listed = targets(LIST)
    assert asked_for("reception", listed, ()) == listed["reception"]
    assert asked_for("+493012345678", listed, ()) == listed["reception"], "the operator wrote it down"
    assert asked_for("+442071838750", listed, ("+44",)) == Target("", Kind.NUMBER, "+442071838750")
    for wanted in ("+442071838750", "sip:desk@elsewhere.example", "+19005550100"):
        with pytest.raises(Refused):
            asked_for(wanted, listed, ("+1",))
