"""``@openai/agents-realtime``, which validates every message strictly, talks with the embedded assistant."""

import asyncio
import json
import shutil
import sys
from pathlib import Path

import pytest

from tests.peers.house import ANSWER, KEY, QUESTION, bridge, question, run

HERE = Path(__file__).parent
PLACE = Path(sys.prefix) / "peers"
"""Where the client is installed, once for each environment."""
INSTALL_SECONDS = 120.0

pytestmark = pytest.mark.speech


async def installed() -> Path:
    """Install the client as its lock file says; skips, with a word, where Node or its registry is missing."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("node and npm are not installed, so the JavaScript client cannot be tried")
    lock = HERE / "package-lock.json"
    known = PLACE / lock.name
    if not (PLACE / "node_modules" / "zod").is_dir() or known.read_bytes() != lock.read_bytes():
        PLACE.mkdir(exist_ok=True)
        for name in ("package.json", lock.name):
            shutil.copy(HERE / name, PLACE / name)
        options = ("--ignore-scripts", "--no-audit", "--no-fund", "--prefix", str(PLACE))
        try:
            status, _, errors = await run(npm, "ci", *options, seconds=INSTALL_SECONDS)
        except TimeoutError:
            pytest.skip(f"npm could not install the JavaScript client within {INSTALL_SECONDS:.0f} seconds")
        if status:
            pytest.skip(f"npm could not install the JavaScript client: {errors[-300:]}")
    shutil.copy(HERE / "talk.mjs", PLACE / "talk.mjs")
    return PLACE / "talk.mjs"


def test_a_conversation_with_a_tool_typed_spoken_and_interrupted(tmp_path: Path) -> None:
    async def story() -> None:
        program, speech = await installed(), tmp_path / "question.pcm"
        speech.write_bytes(await question())
        async with bridge(tmp_path) as running:
            url = f"{running.url}/v1/realtime?model=gpt-realtime"
            status, output, errors = await run("node", str(program), url, KEY, str(speech))
        assert status == 0, output + errors
        seen = json.loads(output)
        assert seen["errors"] == []
        assert seen["tools"] == ["Berlin"]
        history = [tuple(turn) for turn in seen["history"]]
        assert history[:3] == [
            ("user", "what is the weather in Berlin"),
            ("assistant", "The sky over Berlin is clear."),
            ("user", QUESTION),
        ]
        assert history[4][1] == QUESTION, "the words of the spoken turn"
        for answer in (history[3], history[5]):
            assert answer[1].startswith(ANSWER)
        assert seen["statuses"] == ["completed"] * 4 + ["cancelled"]
        assert seen["bytes"] > 48_000
        assert seen["kinds"]["conversation.item.truncated"] >= 1

    asyncio.run(story())
