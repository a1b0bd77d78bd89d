"""The official Python SDK's Realtime client holds conversations with the embedded assistant."""

import asyncio
import base64
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.peers.house import ANSWER, KEY, QUESTION, bridge, question
from tests.runtime.serving import Running

if TYPE_CHECKING:
    from openai import AsyncOpenAI
    from openai.resources.realtime.realtime import AsyncRealtimeConnection

pytestmark = pytest.mark.speech

WEATHER: Any = {
    "type": "function",
    "name": "get_weather",
    "description": "Return the weather for a city.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
SESSION: Any = {
    "type": "realtime",
    "tools": [WEATHER],
    "audio": {"input": {"transcription": {"model": "whisper-1"}}},
}
CHUNK_BYTES = 4_800  # 100 ms


def client(running: Running, key: str = KEY) -> "AsyncOpenAI":
    from openai import AsyncOpenAI  # takes a second, which only the process of the suite that runs this needs to wait

    return AsyncOpenAI(
        api_key=key, base_url=f"http://127.0.0.1:{running.port}/v1", websocket_base_url=f"{running.url}/v1"
    )


async def until(connection: "AsyncRealtimeConnection", kind: str) -> list[Any]:
    """Take what comes up to and with the first message of ``kind``; an error is none of it."""
    taken: list[Any] = []
    async with asyncio.timeout(20):
        async for event in connection:
            assert event.type != "error", event
            taken.append(event)
            if event.type == kind:
                return taken
    raise AssertionError(f"no {kind} came")


async def write(connection: "AsyncRealtimeConnection", words: str) -> Any:
    """Take a typed turn, and give the response to it."""
    content: Any = [{"type": "input_text", "text": words}]
    await connection.conversation.item.create(item={"type": "message", "role": "user", "content": content})
    await connection.response.create()
    return (await until(connection, "response.done"))[-1].response


async def speak(connection: "AsyncRealtimeConnection", sound: bytes) -> None:
    for at in range(0, len(sound), CHUNK_BYTES):
        chunk = base64.b64encode(sound[at : at + CHUNK_BYTES]).decode()
        await connection.input_audio_buffer.append(audio=chunk)


def said(response: Any) -> str:
    return " ".join(part.transcript or part.text or "" for item in response.output for part in item.content or [])


def test_a_typed_and_spoken_conversation_with_a_tool(tmp_path: Path) -> None:
    async def story() -> None:
        async with bridge(tmp_path) as running, client(running) as openai:
            made = await openai.realtime.client_secrets.create(
                session={"type": "realtime", "instructions": "Be brief."}
            )
            assert made.value.startswith("ek_")
            async with client(running, made.value) as guest, guest.realtime.connect(model="gpt-realtime") as connection:
                created = (await until(connection, "session.created"))[0]
                assert created.session.instructions == "Be brief."
                await connection.session.update(session=SESSION)
                assert (await until(connection, "session.updated"))[-1].session.tools[0].name == "get_weather"

                (call,) = (await write(connection, "what is the weather in Berlin")).output
                assert (call.name, json.loads(call.arguments)) == ("get_weather", {"city": "Berlin"})
                await connection.conversation.item.create(
                    item={"type": "function_call_output", "call_id": call.call_id, "output": '{"sky": "clear"}'}
                )
                await connection.response.create()
                assert said((await until(connection, "response.done"))[-1].response) == "Sky clear."

                response = await write(connection, QUESTION)
                assert said(response).startswith(ANSWER)
                usage = response.usage
                assert usage.total_tokens == usage.input_tokens + usage.output_tokens
                assert usage.output_token_details.audio_tokens > 20

                await speak(connection, await question())
                heard = await until(connection, "response.done")
                assert heard[0].type == "input_audio_buffer.speech_started"
                (words,) = [each.transcript for each in heard if each.type.endswith("transcription.completed")]
                assert words == QUESTION
                assert said(heard[-1].response).startswith(ANSWER)
                sound = [base64.b64decode(each.delta) for each in heard if each.type == "response.output_audio.delta"]
                assert len(b"".join(sound)) > 48_000

    asyncio.run(story())


def test_turns_by_hand_cancelling_truncating_and_deleting(tmp_path: Path) -> None:
    async def story() -> None:
        async with (
            bridge(tmp_path) as running,
            client(running) as openai,
            openai.realtime.connect(model="gpt-realtime") as connection,
        ):
            by_hand: Any = {"type": "realtime", "audio": {"input": {"turn_detection": None}}}
            await connection.session.update(session=by_hand)
            await until(connection, "session.updated")
            await speak(connection, await question())
            await connection.input_audio_buffer.commit()
            committed = (await until(connection, "input_audio_buffer.committed"))[-1]
            await connection.response.create()
            spoken = await until(connection, "response.done")
            assert said(spoken[-1].response).startswith(ANSWER)

            (item,) = spoken[-1].response.output
            await connection.conversation.item.truncate(item_id=item.id, content_index=0, audio_end_ms=100)
            assert (await until(connection, "conversation.item.truncated"))[-1].audio_end_ms == 100
            await connection.conversation.item.delete(item_id=committed.item_id)
            assert (await until(connection, "conversation.item.deleted"))[-1].item_id == committed.item_id

            await connection.conversation.item.create(
                item={"type": "message", "role": "user", "content": [{"type": "input_text", "text": "help"}]}
            )
            await connection.response.create()
            await until(connection, "response.output_audio.delta")
            await connection.response.cancel()
            cancelled = (await until(connection, "response.done"))[-1].response
            assert (cancelled.status, cancelled.status_details.reason) == ("cancelled", "client_cancelled")

            await connection.response.cancel()
            with pytest.raises(AssertionError, match="response_cancel_not_active"):
                await until(connection, "response.done")

    asyncio.run(story())
