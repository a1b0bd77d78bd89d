// Server-sent events, read by fetch: an EventSource cannot show a key, and keys do not belong into addresses.

import { ask } from "./key.js";
import { refusalOf } from "./refusal.js";

const AGAIN_MS = 2000;

// Follow `path` until the signal is aborted or the server says `end`; `told` is given each event's name and data.
export async function follow(path, { signal, told, state }) {
  while (!signal.aborted) {
    try {
      const response = await ask(path, { signal });
      if (!response.ok) throw await refusalOf(response);
      state("live");
      if (await read(response.body, told)) return;
    } catch (error) {
      if (signal.aborted) return;
      if (error.code && error.code !== "no_server") {
        state("refused", error);
        return;
      }
    }
    state("lost");
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
  }
}

async function read(body, told) {
  let waiting = "";
  for await (const piece of pieces(body)) {
    waiting += piece;
    const events = waiting.split("\n\n");
    waiting = events.pop();
    for (const event of events) {
      const name = /^event: (.*)$/m.exec(event)?.[1];
      if (!name) continue;
      told(name, JSON.parse(/^data: (.*)$/m.exec(event)[1]));
      if (name === "end") return true;
    }
  }
  return false;
}

// Not every browser can walk over a stream by itself.
async function* pieces(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  try {
    for (let read = await reader.read(); !read.done; read = await reader.read()) yield read.value;
  } finally {
    reader.cancel().catch(() => {});
  }
}
