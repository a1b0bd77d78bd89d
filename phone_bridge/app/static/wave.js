// Both sides of a call as waves on one time line, with what happened when; and its recording, played in step with it.

import { $, clock, make } from "./dom.js";
import { ask } from "./key.js";
import { svg } from "./plots.js";

const MOST_BARS = 600;
const SIDES = [["caller", "caller", 32], ["heard", "other", 98]]; // name, class, middle
const HALF = 28;
const LOUDEST = 35;
const STATES = {
  recording: "This call is being recorded: it can be listened to when it is over.",
  not_announced: "This call was not recorded: its caller did not hear to the end that it would be.",
  deleted: "The recording of this call was deleted.",
};
const REASONS = {
  disk_full: "the disk was full",
  disk_too_slow: "the disk was too slow",
  disk_failed: "the file could not be written",
  too_long: "it was too long",
  other_format: "its line came back in another format",
};

// Put more of a live call's time line to what is known of it.
export function grown(line, more) {
  const known = line ?? { step_ms: more.step_ms, caller: "", heard: "", events: [] };
  const put = (side) => known[side].slice(0, more.from).padEnd(more.from, "0") + more[side];
  return { step_ms: more.step_ms, caller: put("caller"), heard: put("heard"), events: [...known.events, ...more.events] };
}

export function waves(line, marks, ms) {
  const picture = svg("svg", { class: "lanes", viewBox: "0 0 1000 130", preserveAspectRatio: "none", role: "img" });
  picture.append(svg("title", {}, "How loud each side was, the caller above, what the caller heard below; and when something happened"));
  for (const { at_ms: at, kind } of marks) {
    const x = (1000 * at) / ms;
    picture.append(svg("path", { d: `M${x.toFixed(1)} 0V130`, class: `mark ${kind}` }));
  }
  for (const [side, kind, middle] of SIDES) picture.append(svg("path", { d: bars(line[side], line.step_ms, ms, middle), class: `wave ${kind}` }));
  picture.append(svg("path", { d: "M0 0V130", class: "cursor", id: "cursor", visibility: "hidden" }));
  return picture;
}

function bars(letters, step, ms, middle) {
  const group = Math.max(1, Math.ceil(letters.length / MOST_BARS));
  const drawn = [];
  for (let at = 0; at < letters.length; at += group) {
    const loud = Math.max(...[...letters.slice(at, at + group)].map((letter) => parseInt(letter, 36)));
    const height = HALF * (loud / LOUDEST) ** 2; // decibels flatten speech too much for the eye
    const x = ((1000 * (at + group / 2) * step) / ms).toFixed(1);
    if (height) drawn.push(`M${x} ${(middle - height).toFixed(1)}V${(middle + height).toFixed(1)}`);
  }
  return drawn.join("") || `M0 ${middle}V${middle}`;
}

// The recording

export class Player {
  // `moved` is told of each place in the call, in milliseconds, as it is played.
  constructor(moved) {
    this.audio = $("player");
    this.call = "";
    this.from = 0;
    this.audio.ontimeupdate = () => moved(this.from + this.audio.currentTime * 1000);
    $("listen").onclick = () => this.load();
  }

  // Show what there is to be heard of a call.
  show(call, mayHear) {
    const recording = call.recording;
    const state = recording?.state;
    const there = recording && call.ended_at !== null && ["kept", "broken", "recording"].includes(state);
    $("recording").hidden = !recording;
    if (this.call !== call.id) this.leave();
    this.call = call.id;
    this.from = recording?.from_ms ?? 0;
    $("listen").hidden = !there || !mayHear || Boolean(this.address);
    $("recording-state").textContent = there ? this.words(recording, mayHear) : STATES[state] ?? "";
  }

  words({ state, ms, reason }, mayHear) {
    const heard = mayHear ? "" : " A key of the scope recordings:read may listen to it.";
    if (state === "broken") return `The recording ended early after ${clock(ms)}: ${REASONS[reason] ?? reason}.${heard}`;
    return `Recorded in stereo, the caller left, what was heard right.${heard}`;
  }

  // A key cannot be shown by an audio element: the sound is fetched, and played from memory.
  async load() {
    const call = this.call;
    $("listen").disabled = true;
    const response = await ask(`/v1/calls/${encodeURIComponent(call)}/recording`).catch(() => null);
    const sound = response?.ok ? await response.blob() : null;
    $("listen").disabled = false;
    if (call !== this.call) return;
    if (!sound) {
      const said = response ? (await response.json().catch(() => ({}))).error?.message : "";
      $("recording-state").textContent = said || "The server does not answer.";
      return;
    }
    this.address = URL.createObjectURL(sound);
    this.audio.src = this.address;
    this.audio.hidden = false;
    $("listen").hidden = true;
    document.body.classList.add("listening");
    this.audio.play().catch(() => {}); // whoever has not touched the page presses play
    this.audio.focus();
  }

  seek(ms) {
    if (this.address) this.audio.currentTime = Math.max(0, (ms - this.from) / 1000);
  }

  leave() {
    this.audio.pause();
    this.audio.removeAttribute("src");
    this.audio.hidden = true;
    if (this.address) URL.revokeObjectURL(this.address);
    this.address = "";
    document.body.classList.remove("listening");
  }
}

export function timeOf(ms) {
  return make("button", { type: "button", className: "at", "data-at": ms }, clock(ms));
}
