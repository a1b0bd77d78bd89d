import asyncio
import io
import wave

import pytest
from aiohttp import web

from phone_bridge.assistant.engines.openai_speech import ERROR_BYTES, PROMPT_CHARS, OpenAIEar, OpenAIVoice
from phone_bridge.assistant.engines.registry import EngineOptions
from phone_bridge.assistant.ports import Expecting
from phone_bridge.audio.format import LINEAR_16K, LINEAR_24K
from phone_bridge.errors import Unavailable
from phone_bridge.runtime.voice import StreamingVoice
from tests.assistant.engines.openai_peer import KEY, Handler, authorised, failure, with_peer

UTTERANCE = b"\x01\x02" * 1_600
HEAR, SAY = "/v1/audio/transcriptions", "/v1/audio/speech"


def heard(handler: Handler, expecting: Expecting | None = None) -> str:
    async def story(url: str) -> str:
        ear = OpenAIEar(EngineOptions(url=url, key=KEY))
        try:
            return (await ear.hear(UTTERANCE, expecting or Expecting())).text
        finally:
            await ear.close()

    return with_peer({HEAR: handler}, story)


def said(handler: Handler, text: str = "Hello there.", model: str = "") -> list[bytes]:
    async def story(url: str) -> list[bytes]:
        voice = OpenAIVoice(EngineOptions(url=f"{url}/", key=KEY, model=model))
        try:
            return [speech.audio async for speech in voice.stream(text)]
        finally:
            await voice.close()

    return with_peer({SAY: handler}, story)


def test_an_utterance_goes_as_a_wav_file_with_the_callers_words_as_a_hint() -> None:
    asked: dict[str, object] = {}

    async def transcribe(request: web.Request) -> web.Response:
        assert authorised(request)
        form = await request.post()
        file = form["file"]
        assert isinstance(file, web.FileField)
        with wave.open(io.BytesIO(file.file.read())) as recording:
            asked["sound"] = recording.readframes(recording.getnframes())
            asked["rate"] = recording.getframerate()
        asked.update({name: value for name, value in form.items() if name != "file"})
        return web.json_response({"text": " Cancel the yoga class. "})

    assert heard(transcribe, Expecting(phrases=("Yoga class", "Déjeuner"))) == "Cancel the yoga class."
    assert asked == {
        "sound": UTTERANCE,
        "rate": LINEAR_16K.rate,
        "model": "gpt-4o-mini-transcribe",
        "language": "en",
        "response_format": "json",
        "prompt": "Yoga class, Déjeuner",
    }


def test_the_hint_has_an_end() -> None:
    async def transcribe(request: web.Request) -> web.Response:
        prompt = (await request.post())["prompt"]
        assert isinstance(prompt, str)
        return web.json_response({"text": str(len(prompt))})

    assert heard(transcribe, Expecting(phrases=("x" * PROMPT_CHARS, "y"))) == str(PROMPT_CHARS)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (lambda: failure(401, "Incorrect API key provided."), "answered 401: Incorrect API key provided."),
        (lambda: failure(429, "Rate limit reached.", "rate_limit"), "answered 429: Rate limit reached."),
        (lambda: web.Response(status=502, text="<html>"), "answered 502: without a reason"),
        (lambda: web.Response(text="Cancel it."), "answered with something else"),
        (lambda: web.json_response({"words": "Cancel it."}), "answered with something else"),
    ],
)
def test_an_ear_whose_service_fails_is_unavailable(answer: object, message: str) -> None:
    async def transcribe(request: web.Request) -> web.Response:
        assert callable(answer)
        made = answer()
        assert isinstance(made, web.Response)
        return made

    with pytest.raises(Unavailable, match=message):
        heard(transcribe)


def test_a_service_that_is_not_there_is_unavailable() -> None:
    async def story() -> None:
        options = EngineOptions(url="http://127.0.0.1:9")
        ear, voice = OpenAIEar(options), OpenAIVoice(options)
        with pytest.raises(Unavailable, match="could not be reached"):
            await ear.hear(UTTERANCE, Expecting())
        with pytest.raises(Unavailable, match="could not be reached"):
            await voice.speak("Hello.")
        await asyncio.gather(ear.close(), voice.close())

    asyncio.run(story())


def test_the_first_sound_is_heard_while_the_rest_is_still_made() -> None:
    first_was_heard: list[bool] = []

    async def story(url: str) -> None:
        voice = OpenAIVoice(EngineOptions(url=url, key=KEY, model="tts-1:onyx"))
        assert isinstance(voice, StreamingVoice)
        pieces = []
        async for speech in voice.stream("Hello {there}."):
            assert speech.format == LINEAR_24K
            pieces.append(speech.audio)
            heard_first.set()
        assert b"".join(pieces) == b"\x01\x02\x03\x04\x05\x06"
        assert all(len(piece) % 2 == 0 for piece in pieces)
        await voice.close()

    async def speak(request: web.Request) -> web.StreamResponse:
        wish = await request.json()
        assert wish == {"model": "tts-1", "voice": "onyx", "input": "Hello there .", "response_format": "pcm"}
        answer = web.StreamResponse(headers={"Content-Type": "audio/pcm"})
        await answer.prepare(request)
        await answer.write(b"\x01\x02\x03")
        async with asyncio.timeout(5):
            await heard_first.wait()
        first_was_heard.append(True)
        await answer.write(b"\x04\x05\x06")
        await answer.write_eof()
        return answer

    heard_first = asyncio.Event()
    with_peer({SAY: speak}, story)
    assert first_was_heard


def test_a_voice_may_give_its_speech_in_one() -> None:
    async def story(url: str) -> None:
        voice = OpenAIVoice(EngineOptions(url=url, key=KEY))
        assert (await voice.speak("Hello.")).audio == bytes(4_800)
        await voice.close()

    async def speak(request: web.Request) -> web.Response:
        return web.Response(body=bytes(4_800))

    with_peer({SAY: speak}, story)


def test_a_voice_whose_service_refuses_is_unavailable_in_its_words() -> None:
    async def refuse(request: web.Request) -> web.Response:
        return failure(400, "Invalid voice: " + "x" * 2 * ERROR_BYTES)

    async def deny(request: web.Request) -> web.Response:
        return failure(403, "Not for you.")

    with pytest.raises(Unavailable, match="answered 400"):
        said(refuse)
    with pytest.raises(Unavailable, match="answered 403: Not for you"):
        said(deny)


def test_without_a_key_or_an_address_the_settings_are_told() -> None:
    with pytest.raises(Unavailable, match="PHONE_BRIDGE_SPEECH_KEY must hold a key, or PHONE_BRIDGE_SPEECH_URL"):
        OpenAIEar(EngineOptions())
    with pytest.raises(Unavailable, match="PHONE_BRIDGE_VOICE is openai"):
        OpenAIVoice(EngineOptions())
