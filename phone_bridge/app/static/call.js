// One call on the monitor: its facts, its time line, what was consented to, and how quick the answers were.

import { $, make } from "./dom.js";
import { bars } from "./plots.js";
import { timeOf, waves } from "./wave.js";

const NAMES = { caller: "Caller", assistant: "Assistant", bridge: "Bridge" };
const STATES = { in_progress: "live", no_answer: "no answer" };
const VERDICTS = { confirmed: "confirmed", declined: "declined", expired: "not answered in time", unanswered: "not answered" };
const BY = { digit: "by key", speech: "by voice", none: "" };

export const isBrowser = (call) => call.carrier_id.startsWith("web_");

export function who(call) {
  if (isBrowser(call)) return "Browser";
  const other = call.direction === "outbound" ? call.to : call.from;
  return other || "Number withheld";
}

const ANSWER_MS = 3000; // how long after an answer's first sound its words may be dated
const HAPPENED = {
  barge_in: ({ ms = 0 }) => `The caller interrupted; it was silent after ${ms} ms.`,
  key: ({ text }) => `The caller pressed ${text}.`,
  tool: ({ text }) => `The assistant used ${text}.`,
  wish: ({ text }) => `Understood as ${text}.`,
  answer: ({ ms = 0 }) => `An answer came after ${ms} ms.`,
  pin_changed: () => "The caller set a PIN.",
  session_lost: () => "The session was lost.",
  session_renewed: () => "Another session took over.",
  caller_changed: () => "Somebody else was put through to the assistant.",
  held: () => "The assistant was put on hold.",
  resumed: () => "The assistant was taken back from hold.",
};

// `line` is the time line of a live call, as far as it has come; a call that is over has its own.
export function showCall(call, now, line) {
  $("detail-title").textContent = `${who(call)}, ${new Date(call.started_at).toLocaleString()}`;
  const seen = line ?? call.timeline ?? { step_ms: 100, caller: "", heard: "", events: [] };
  fill($("facts"), facts(call, now, seen.events).map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", {}, value))));
  const entries = timeline(call, now, seen.events);
  const ms = length(call, now);
  fill($("timeline"), entries.map(drawEntry));
  fill($("lanes"), entries.length ? [waves(seen, marks(seen.events, call), ms)] : []);
  $("lanes").dataset.ms = ms;
  fill($("latency"), latency(seen.events));
}

// Replace what an element holds, but not for the same again: a reader's place and selection stay.
function fill(element, inside) {
  const fresh = make("div", {}, inside);
  if (element.innerHTML !== fresh.innerHTML) element.replaceChildren(...fresh.childNodes);
}

function facts(call, now, events) {
  const counts = now?.counts ?? {};
  const count = (wanted) => events.filter(({ kind }) => kind === wanted).length;
  return [
    ["State", [STATES[call.status] ?? call.status, now?.phase, call.error].filter(Boolean).join(", ")],
    ["Direction", call.direction],
    ["From", isBrowser(call) ? "a browser" : call.from ?? "withheld"],
    ["To", call.to ?? "–"],
    ["Session", call.session],
    ["User", call.user_id],
    ["Ended by", call.ended_by ?? "–"],
    ["Call", call.id],
    ["Barge-ins", count("barge_in")],
    ["Sessions lost", count("session_lost")],
    ...(now ? [["Marks out of turn", counts.stray_marks], ["Troubles", counts.troubles]] : []),
    ...(call.resumed ? [["Brought back", `${call.resumed} times`]] : []),
  ].map(([name, value]) => [name, String(value)]);
}

// Move the cursor to a place in the call, and say which line sounds there.
export function point(ms) {
  const cursor = $("cursor");
  if (!cursor) return;
  const x = (1000 * ms) / Number($("lanes").dataset.ms);
  cursor.setAttribute("d", `M${x} 0V130`);
  cursor.setAttribute("visibility", "visible");
  const lines = [...$("timeline").querySelectorAll("li.said")];
  const sounding = lines.filter((each) => Number(each.querySelector("[data-at]").dataset.at) <= ms).at(-1);
  for (const each of lines) {
    if (each === sounding) each.setAttribute("aria-current", "true");
    else each.removeAttribute("aria-current");
  }
}

function marks(events, call) {
  return [...events.filter(({ kind }) => kind !== "answer" && kind !== "wish"), ...call.actions.map(({ at_ms }) => ({ at_ms, kind: "settled" }))];
}

function timeline(call, now, events) {
  const said = call.transcript.map((line) => ({ ...line, kind: "said" }));
  const happened = events.filter(({ kind }) => HAPPENED[kind]).map((event) => ({ ...event, speaker: "event", what: event.kind, kind: "event" }));
  for (const answer of happened.filter(({ what }) => what === "answer")) {
    const line = said.find((each) => each.speaker === "assistant" && !each.after && Math.abs(each.at_ms - answer.at_ms) < ANSWER_MS);
    if (!line) continue;
    line.after = answer.ms ?? 0;
    happened.splice(happened.indexOf(answer), 1);
  }
  const asked = call.actions.map((action) => ({ ...action, kind: "action", receipts: receiptsOf(call, action) }));
  const live = (now?.lines ?? []).map((line) => ({ ...line, kind: "now" }));
  const open = now?.question ? [{ at_ms: now.ms, kind: "open", ...now.question }] : [];
  return [...said, ...happened, ...asked, ...live, ...open].sort((a, b) => a.at_ms - b.at_ms);
}

function receiptsOf(call, action) {
  return (call.receipts ?? []).filter((receipt) => receipt.action.id === action.id);
}

function drawEntry(entry) {
  const at = timeOf(entry.at_ms);
  const speaker = entry.speaker ?? "action";
  const name = make("span", { className: "speaker" }, NAMES[entry.speaker] ?? (entry.kind === "event" ? "" : "Question"));
  return make("li", { className: `${speaker} ${entry.kind}` }, at, name, make("div", { className: "body" }, body(entry)));
}

function body(entry) {
  if (entry.kind === "said") return [entry.text, entry.after === undefined ? null : make("span", { className: "small dim" }, ` (after ${entry.after} ms)`)];
  if (entry.kind === "event") return make("span", { className: "small" }, HAPPENED[entry.what](entry));
  if (entry.kind === "now") {
    const share = entry.sent_ms ? ` (${Math.round((100 * entry.heard_ms) / entry.sent_ms)} % heard)` : " …";
    return [make("span", { className: "words" }, entry.text), make("span", { className: "small dim" }, share)];
  }
  if (entry.kind === "open") return `${entry.text} (asked now, ${Math.ceil(entry.left_ms / 1000)} s left)`;
  return action(entry);
}

function action(entry) {
  const heard = entry.question_ms ? `, ${Math.round((100 * Math.min(entry.heard_ms, entry.question_ms)) / entry.question_ms)} % of the question heard` : "";
  const answer = entry.answer ? ` (“${entry.answer}”)` : "";
  const verdict = [VERDICTS[entry.verdict] ?? entry.verdict, BY[entry.by]].filter(Boolean).join(" ");
  return [
    make("div", {}, entry.question || entry.name),
    make("div", {}, make("strong", {}, verdict), `${answer}${heard}${entry.outcome ? `; outcome: ${entry.outcome}` : ""}`),
    make("code", {}, `${entry.name}(${JSON.stringify(entry.parameters)})`),
    ...entry.receipts.map((receipt) => make("div", { className: "small dim" }, `Receipt ${receipt.id}, revision ${receipt.revision}`)),
  ];
}

function length(call, now) {
  const last = Math.max(0, ...call.transcript.map((line) => line.at_ms));
  if (now) return Math.max(now.ms, last);
  const took = call.ended_at ? Date.parse(call.ended_at) - Date.parse(call.answered_at ?? call.started_at) : last + 2000;
  return Math.max(took, last, 1);
}

function latency(events) {
  const answers = events.filter(({ kind }) => kind === "answer").map(({ ms = 0 }) => ms);
  if (!answers.length) return [];
  const sorted = [...answers].sort((a, b) => a - b);
  const most = sorted[sorted.length - 1];
  const middle = sorted[Math.floor(sorted.length / 2)];
  const stops = events.filter(({ kind }) => kind === "barge_in").map(({ ms = 0 }) => ms);
  return [
    make("h3", {}, "How quick the answers were"),
    bars("How long the caller waited for each answer", answers),
    make("p", { className: "small" }, `${answers.length} answers, half of them within ${middle} ms, the slowest ${most} ms.${stops.length ? ` Interrupted ${stops.length} times, silent after ${Math.max(...stops)} ms at most.` : ""}`),
  ];
}
