// The monitor: the list of calls as it changes, and one call as it happens.

import { isBrowser, point, showCall, who } from "./call.js";
import { $, clock, make } from "./dom.js";
import { follow } from "./events.js";
import { ask, key } from "./key.js";
import { bars, course } from "./plots.js";
import { grown, Player } from "./wave.js";

const WORDS = {
  queued: "queued",
  ringing: "ringing",
  in_progress: "live",
  completed: "ended",
  no_answer: "no answer",
  busy: "busy",
  failed: "failed",
  canceled: "cancelled",
  voicemail: "voicemail",
};

const REMINDERS_MS = 10_000;
const MOST_REMINDERS = 20;
const HOUR_MS = 3_600_000;
const HOURS = 24;
const MOST_POINTS = 300; // looked at once in two seconds: ten minutes

const rows = new Map();
const seen = { live: [], answers: [] };
const player = new Player(point);
let mayAct = false;
let mayHear = false;
let maySee = false; // the reminders
let watching = null; // the AbortController of the list
let looking = null; // and of the one call
let current = "";

// The list

function watchAll() {
  watching?.abort();
  watching = new AbortController();
  rows.clear();
  $("calls").replaceChildren();
  refuse(null);
  follow("/v1/calls/events", {
    signal: watching.signal,
    state: (state, refusal) => {
      $("state").textContent = {
        live: "Live: what changes is shown at once.",
        lost: "The server does not answer. Asking again…",
        refused: "",
      }[state];
      if (refusal) refuse(refusal);
    },
    told: (name, data) => {
      if (name === "you") {
        mayAct = data.may_act;
        remind();
      } else if (name === "calls") data.forEach(learn);
      list();
    },
  });
}

function learn(call) {
  const before = rows.get(call.id);
  rows.set(call.id, call);
  if (call.answer_ms !== null && call.answer_ms !== before?.answer_ms) keep(seen.answers, call.answer_ms);
}

function list() {
  const sorted = [...rows.values()].sort((a, b) => b.live - a.live || b.started_at.localeCompare(a.started_at));
  $("no-calls").hidden = sorted.length > 0;
  const there = new Map([...$("calls").children].map((item) => [item.id, item]));
  sorted.forEach((call, place) => {
    const item = there.get(`row-${call.id}`) ?? make("li", { id: `row-${call.id}` }, make("a", { href: `#${call.id}` }));
    draw(item, call);
    if ($("calls").children[place] !== item) $("calls").insertBefore(item, $("calls").children[place] ?? null);
  });
}

function draw(item, call) {
  const elsewhere = !call.live && call.status === "in_progress"; // in another process, or one that was killed
  const state = elsewhere ? "not live here" : `${call.live ? "live" : WORDS[call.status] ?? call.status} ${clock(age(call))}`;
  const drawn = JSON.stringify([call, state, current]);
  if (item.drawn === drawn) return;
  item.drawn = drawn;
  item.className = call.live ? "live" : call.error ? "failed" : "";
  const link = item.firstChild;
  if (call.id === current) link.setAttribute("aria-current", "true");
  else link.removeAttribute("aria-current");
  link.replaceChildren(
    make("span", { className: "head" }, make("span", {}, `${call.direction === "outbound" ? "→" : "←"} ${who(call)}`), make("span", {}, state)),
    make("span", { className: "small dim" }, `${new Date(call.started_at).toLocaleString()} · ${call.session}`),
    make("span", { className: "last" }, call.last ? call.last.text : call.error ?? ""),
  );
}

function age(call) {
  const from = Date.parse(call.answered_at ?? call.started_at);
  return (call.ended_at ? Date.parse(call.ended_at) : call.live ? Date.now() : from) - from;
}

setInterval(() => {
  if ([...rows.values()].some((call) => call.live)) list();
}, 1000);

// Figures over time: of the last day from the calls that are listed, of the last minutes from what was seen here

function keep(values, value) {
  values.push(value);
  if (values.length > MOST_POINTS) values.shift();
}

function figures() {
  const calls = [...rows.values()];
  const now = Date.now();
  const hours = Array.from({ length: HOURS }, () => [0, 0]);
  for (const call of calls) {
    const place = HOURS - 1 - Math.floor((now - Date.parse(call.started_at)) / HOUR_MS);
    if (!hours[place]) continue;
    hours[place][0] += 1;
    if (call.error) hours[place][1] += 1;
  }
  const live = calls.filter((call) => call.live).length;
  keep(seen.live, live);
  const [all, failed] = [0, 1].map((which) => hours.reduce((sum, hour) => sum + hour[which], 0));
  const last = seen.answers.at(-1);
  $("figures").hidden = !calls.length;
  $("figures").replaceChildren(
    figure(`${plural(all, "call")} in the last day${failed ? `, ${failed} of them failed` : ""}`, bars("Calls by the hour they began", hours.map(([count]) => count), { bad: hours.map(([, count]) => count) })),
    figure(`${plural(live, "call")} live now`, course("Live calls since this page was opened", seen.live)),
    figure(last === undefined ? "No answer was seen yet" : `The last answer came after ${last} ms`, bars("How long callers waited for each answer since this page was opened", seen.answers)),
  );
}

const plural = (count, what) => `${count} ${what}${count === 1 ? "" : "s"}`;
const figure = (words, picture) => make("figure", {}, picture, make("figcaption", { className: "small" }, words));

setInterval(figures, 2000);

// Reminders, with what became of each attempt; who may not see them is shown none

async function remind() {
  const response = await ask("/v1/reminders").catch(() => null);
  maySee = Boolean(response?.ok);
  const reminders = response?.ok ? (await response.json()).data.slice(0, MOST_REMINDERS) : [];
  $("reminding").hidden = !reminders.length;
  $("reminders").replaceChildren(...reminders.map(reminder));
}

function reminder({ to, text, at, next_at: next, status, outcome, attempts }) {
  const tried = attempts.map((each) => `${new Date(each.at).toLocaleString()}: ${each.outcome ?? "calling"}`);
  const state = outcome && outcome !== status ? `${status}, ${outcome}` : status;
  return make("li", {}, make("div", { className: "card small" },
    make("div", { className: "head" }, make("span", {}, to), make("span", {}, state.replaceAll("_", " "))),
    make("div", { className: "dim" }, `for ${new Date(at).toLocaleString()}${next ? `, rings ${new Date(next).toLocaleString()}` : ""}`),
    make("div", {}, text),
    tried.map((each) => make("div", { className: "dim" }, each)),
  ));
}

setInterval(() => maySee && remind(), REMINDERS_MS);

// One call

function watchOne() {
  looking?.abort();
  current = location.hash.slice(1);
  $("detail").hidden = true;
  list();
  if (!current) return;
  looking = new AbortController();
  const shown = { call: null, now: null, line: null };
  player.leave();
  const { signal } = looking;
  follow(`/v1/calls/${encodeURIComponent(current)}/events`, {
    signal,
    state: (state, refusal) => {
      $("detail-state").textContent = state === "lost" ? "The server does not answer. Asking again…" : "";
      if (refusal) refuse(refusal);
    },
    told: (name, data) => {
      if (signal.aborted) return;
      if (name === "you") {
        mayAct = data.may_act;
        mayHear = data.may_hear;
      } else if (name === "timeline") shown.line = grown(shown.line ?? shown.call?.timeline, data);
      else if (name === "end") shown.now = shown.line = null;
      else shown[name] = data;
      if (shown.call) {
        showCall(shown.call, shown.now, shown.line);
        player.show(shown.call, mayHear);
        $("end").hidden = !mayAct || shown.call.ended_at !== null;
        $("acting").hidden = $("end").hidden || !shown.now || isBrowser(shown.call); // a carrier does these
        const first = $("detail").hidden;
        $("detail").hidden = false;
        if (first && matchMedia("(max-width: 46rem)").matches) $("detail").scrollIntoView();
      }
    },
  });
}

// Ask for something to be done with the call that is shown, and tell what came of it.
async function act(what, done, body) {
  const controls = [$("end"), ...$("acting").querySelectorAll("button")];
  controls.forEach((button) => (button.disabled = true));
  const options = { method: "POST", body: body && JSON.stringify(body), headers: { "Content-Type": "application/json" } };
  const response = await ask(`/v1/calls/${encodeURIComponent(current)}/${what}`, options).catch(() => null);
  controls.forEach((button) => (button.disabled = false));
  const said = response && !response.ok ? (await response.json().catch(() => ({}))).error?.message : "";
  $("detail-state").textContent = response?.ok ? done : said || "The server does not answer.";
}

$("timeline").onclick = ({ target }) => {
  const at = target.closest("[data-at]")?.dataset.at;
  if (at !== undefined) player.seek(Number(at));
};
$("lanes").onclick = (event) => {
  const box = $("lanes").getBoundingClientRect();
  player.seek((Number($("lanes").dataset.ms) * (event.clientX - box.x)) / box.width);
};
$("end").onclick = () => act("end", "The caller hears a goodbye.");
$("keys-form").onsubmit = (event) => {
  event.preventDefault();
  act("dtmf", "The keys are pressed.", { digits: $("digits").value });
};
$("transfer-form").onsubmit = (event) => {
  event.preventDefault();
  act("transfer", "The caller is put through.", { to: $("number").value });
};

// Who may look

function refuse(refusal) {
  $("refusal").hidden = !refusal;
  $("key-form").hidden = !refusal;
  if (!refusal) return;
  const wrong = refusal.code === "key_wrong" ? "That API key is not good for looking at calls." : refusal.message;
  $("refusal").textContent = wrong;
  $("key").focus();
}

$("key-form").onsubmit = (event) => {
  event.preventDefault();
  key.set($("key").value.trim());
  $("key").value = "";
  watchAll();
  watchOne();
};

addEventListener("hashchange", watchOne);
watchAll();
watchOne();
