// One call on the monitor: its facts, its time line, what was consented to, and how quick the answers were.

import { $, clock, make } from "./dom.js";

const SVG = "http://www.w3.org/2000/svg";
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

export function showCall(call, now) {
  $("detail-title").textContent = `${who(call)}, ${new Date(call.started_at).toLocaleString()}`;
  fill($("facts"), facts(call, now).map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", {}, value))));
  const entries = timeline(call, now);
  fill($("timeline"), entries.map(drawEntry));
  fill($("lanes"), entries.length ? [lanes(entries, length(call, now))] : []);
  fill($("latency"), latency(now));
}

// Replace what an element holds, but not for the same again: a reader's place and selection stay.
function fill(element, inside) {
  const fresh = make("div", {}, inside);
  if (element.innerHTML !== fresh.innerHTML) element.replaceChildren(...fresh.childNodes);
}

function facts(call, now) {
  const counts = now?.counts ?? {};
  return [
    ["State", [STATES[call.status] ?? call.status, now?.phase, call.error].filter(Boolean).join(", ")],
    ["Direction", call.direction],
    ["From", isBrowser(call) ? "a browser" : call.from ?? "withheld"],
    ["To", call.to ?? "–"],
    ["Session", call.session],
    ["User", call.user_id],
    ["Ended by", call.ended_by ?? "–"],
    ["Call", call.id],
    ...(now ? [["Barge-ins", counts.barge_ins], ["Sessions lost", counts.losses], ["Troubles", counts.troubles]] : []),
    ...(call.resumed ? [["Brought back", `${call.resumed} times`]] : []),
  ].map(([name, value]) => [name, String(value)]);
}

function timeline(call, now) {
  const said = call.transcript.map((line) => ({ ...line, kind: "said" }));
  const asked = call.actions.map((action) => ({ ...action, kind: "action", receipts: receiptsOf(call, action) }));
  const live = (now?.lines ?? []).map((line) => ({ ...line, kind: "now" }));
  const open = now?.question ? [{ at_ms: now.ms, kind: "open", ...now.question }] : [];
  return [...said, ...asked, ...live, ...open].sort((a, b) => a.at_ms - b.at_ms);
}

function receiptsOf(call, action) {
  return (call.receipts ?? []).filter((receipt) => receipt.action.id === action.id);
}

function drawEntry(entry) {
  const at = make("span", { className: "at" }, clock(entry.at_ms));
  const speaker = entry.speaker ?? "action";
  const name = make("span", { className: "speaker" }, NAMES[entry.speaker] ?? "Question");
  return make("li", { className: `${speaker} ${entry.kind}` }, at, name, make("div", { className: "body" }, body(entry)));
}

function body(entry) {
  if (entry.kind === "said") return entry.text;
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
  const last = Math.max(0, ...call.transcript.map((line) => line.at_ms + 2000));
  if (now) return Math.max(now.ms, last);
  return Math.max(last, call.ended_at ? Date.parse(call.ended_at) - Date.parse(call.answered_at ?? call.started_at) : 0, 1);
}

// Two lanes, the caller's and ours, with what began when; a word takes about a third of a second.
function lanes(entries, ms) {
  const picture = svg("svg", { class: "lanes", viewBox: "0 0 1000 60", preserveAspectRatio: "none", role: "img" });
  picture.append(svg("title", {}, "When each side spoke, and when something was asked"));
  for (const entry of entries) {
    const words = (entry.text ?? entry.question ?? "").split(" ").length;
    const x = (1000 * entry.at_ms) / ms;
    const width = Math.max(3, Math.min((1000 * words * 330) / ms, 1000 - x));
    const [y, kind] = entry.kind === "action" || entry.kind === "open" ? [24, "action"] : entry.speaker === "caller" ? [6, "caller"] : [42, "other"];
    picture.append(svg("rect", { x, y, width: kind === "action" ? 4 : width, height: 12, rx: 2, class: kind }));
  }
  return picture;
}

function latency(now) {
  const answers = now?.samples.answer_ms ?? [];
  if (!answers.length) return [];
  const sorted = [...answers].sort((a, b) => a - b);
  const most = sorted[sorted.length - 1];
  const width = 220 / Math.max(answers.length, 10);
  const picture = svg("svg", { class: "plot", viewBox: "0 0 220 40", preserveAspectRatio: "none", role: "img" });
  picture.append(svg("title", {}, "How long the caller waited for each answer"));
  answers.forEach((value, place) => {
    const height = Math.max(1, (38 * value) / (most || 1));
    picture.append(svg("rect", { x: place * width, y: 40 - height, width: width * 0.8, height }));
  });
  const middle = sorted[Math.floor(sorted.length / 2)];
  const stops = now.samples.barge_in_stop_ms ?? [];
  return [
    make("h3", {}, "How quick the answers were"),
    picture,
    make("p", { className: "small" }, `${answers.length} answers, half of them within ${Math.round(middle)} ms, the slowest ${Math.round(most)} ms.${stops.length ? ` Interrupted ${stops.length} times, silent after ${Math.round(Math.max(...stops))} ms at most.` : ""}`),
  ];
}

function svg(tag, attributes, ...inside) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...inside);
  return element;
}
