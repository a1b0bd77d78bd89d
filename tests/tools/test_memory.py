from datetime import UTC, datetime

import jsonschema
from hypothesis import given
from hypothesis import strategies as st

from phone_bridge.offers import Effect
from phone_bridge.tools.memory import MAX_TERMS, MEMORY_TOOLS, Memory, shown, terms


def test_only_looking_needs_no_consent() -> None:
    reads = {tool.name for tool in MEMORY_TOOLS if tool.effect is Effect.READ}
    assert reads == {"search_memory", "list_memories"}
    assert MEMORY_TOOLS.find("forget_memory").effect is Effect.DESTROY


def test_no_tool_lets_a_model_say_whose_memory_it_is() -> None:
    for tool in MEMORY_TOOLS:
        jsonschema.Draft202012Validator.check_schema(tool.schema)
        assert not any("user" in name for name in tool.schema["properties"])
        assert tool.schema["additionalProperties"] is False


def test_a_query_is_its_telling_words() -> None:
    assert terms("What is the name of my wife?") == ["name", "wife"]
    assert terms("Wife, WIFE; wife!") == ["wife"]
    assert terms("who are you") == ["who", "are", "you"], "all of them where none tells anything"
    assert terms("?!") == []


@given(st.text())
def test_a_query_has_few_words_whatever_it_says(query: str) -> None:
    assert len(terms(query)) <= MAX_TERMS
    assert all(word.replace("_", "a").isalnum() for word in terms(query)), "nothing that a search would take for syntax"


def test_a_memory_is_shown_without_its_owner() -> None:
    memory = Memory(id="mem_1", user_id="usr_a", memory="Likes tea.", created_at=datetime(2026, 11, 1, tzinfo=UTC))
    assert shown(memory) == {
        "id": "mem_1",
        "memory": "Likes tea.",
        "memory_type": "LONG_TERM",
        "created_at": "2026-11-01T00:00:00+00:00",
    }
