// The telephone's page: what its buttons do, and what it shows of the call.

import { Captions } from "./captions.js";
import { $, clock } from "./dom.js";
import { key } from "./key.js";
import { forgetCall, leftCall, Line } from "./line.js";
import { QuestionCard } from "./question.js";
import { openMicrophone, Sound } from "./sound.js";
import { playTone } from "./tones.js";

const STATES = {
  idle: "Ready",
  connecting: "Calling…",
  talking: "On the line",
  lost: "The line was lost. Calling back…",
  ended: "The call has ended",
  failed: "The call has ended",
};
const KEYS = "0123456789*#";
const KEY_REFUSALS = ["key_needed", "key_wrong", "local_only"];
const SPEECH_LEVEL = 0.02;
const LAST_WORDS_MS = 600;
const LOOK_MS = 3000; // how often it is asked whether the server is there
const PATIENCE_MS = 2500; // and how long its answer is waited for
const MOST_UNANSWERED = 2;

const captions = new Captions($("captions"), $("spoken"), $("captions-empty"));
const card = new QuestionCard(
  (id, answer) => line?.say({ type: "confirmation_answer", id, answer }),
  (words) => captions.note(words),
);

let line = null;
let sound = null;
let muted = false;
let began = 0;
let spokeAt = 0;

// Calling

async function call({ withMicrophone = true, left = null } = {}) {
  if (line && !line.over) return;
  refuse(null);
  show("connecting");
  const calling = new Line(left);
  line = calling;
  if (!left) captions.clear();
  $("timer").textContent = clock(0);
  try {
    const stream = withMicrophone ? await openMicrophone() : null;
    sound = new Sound({ heard, played: (mark) => calling.say({ type: "mark", name: mark }), figures });
    await sound.open(stream);
    setVolume();
    sound.muted = muted;
    calling.addEventListener("state", ({ detail }) => changed(calling, detail));
    calling.addEventListener("sound", ({ detail }) => sound.play(detail));
    calling.addEventListener("message", ({ detail }) => told(detail));
    await calling.open();
  } catch (refusal) {
    calling.over = true;
    await sound?.close();
    show("idle");
    refuse(refusal);
  }
}

function changed(calling, { state, refusal }) {
  if (calling !== line) return;
  if (state === "talking" && !began) began = performance.now();
  if (state === "lost") {
    sound.flush();
    card.leave(); // a question is never taken over to another line
  }
  if (calling.over) {
    sound.close(state === "ended" ? LAST_WORDS_MS : 0);
    card.leave();
    began = 0;
  }
  show(state);
  if (refusal) refuse(refusal);
}

function told(message) {
  if (message.type === "mark") sound.mark(message.name);
  else if (message.type === "interrupted") sound.flush();
  else if (message.type === "transcript") captions.show(message);
  else if (message.type === "confirmation") card.ask(message);
  else if (message.type === "confirmation_settled") card.settle(message);
}

function heard(frame, level) {
  line.speak(frame);
  $("level-in").value = loudness(level);
  if (!muted && level > SPEECH_LEVEL) spokeAt = performance.now();
}

function figures({ level, bufferMs, targetMs, underruns, rate }) {
  $("level-out").value = loudness(level);
  $("buffer").textContent = `${bufferMs} ms, of ${targetMs} ms wanted`;
  $("underruns").textContent = underruns;
  $("device").textContent = `${rate / 1000} kHz`;
  if (level > SPEECH_LEVEL / 4 && spokeAt) {
    const waited = Math.round(performance.now() - spokeAt);
    if (waited > 200) $("answer").textContent = `${waited} ms`;
    spokeAt = 0;
  }
}

// Ears hear loudness in steps of decibels: -60 dB is nothing, 0 dB is all.
function loudness(level) {
  return level > 0 ? Math.max(0, 1 + (20 * Math.log10(level)) / 60) : 0;
}

// What is shown

function show(state) {
  const live = state === "connecting" || state === "talking" || state === "lost";
  const left = live ? null : leftCall();
  const focused = document.activeElement;
  document.body.dataset.state = state;
  $("status").textContent = left ? "You were in a call when this page was loaded anew" : STATES[state];
  $("call").hidden = live;
  $("call").textContent = left ? "Go on with the call" : "Call";
  $("call-anew").hidden = !left;
  $("hang-up").hidden = !live;
  $("mute").disabled = !live;
  $("call-keys").hidden = true;
  if (!live) for (const meter of ["level-in", "level-out"]) $(meter).value = 0;
  if (focused?.closest("[hidden]")) $(live ? "hang-up" : "call").focus(); // a button that has gone under the finger
}

function refuse(refusal) {
  $("refusal").hidden = !refusal;
  $("key-form").hidden = !KEY_REFUSALS.includes(refusal?.code);
  if (!refusal) return;
  $("refusal-what").textContent = refusal.message;
  $("refusal-then").textContent = refusal.then ?? "";
  $("call-keys").hidden = !["forbidden", "no_microphone", "microphone_busy"].includes(refusal.code);
  if (!$("key-form").hidden) $("key").focus();
}

setInterval(() => {
  if (began) $("timer").textContent = clock(performance.now() - began);
  if (line && !line.over && line.state === "talking") line.keep();
}, 500);

// A network that goes away without a word leaves the socket as it is: what tells is that nobody answers any more.
let unanswered = 0;

setInterval(async () => {
  if (line?.state !== "talking") {
    unanswered = 0;
    return;
  }
  const asked = performance.now();
  const answered = await fetch("/healthz", { cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS) }).then(
    () => true,
    () => false,
  );
  unanswered = answered ? 0 : unanswered + 1;
  if (unanswered >= MOST_UNANSWERED) line?.cut();
  $("round-trip").textContent = answered ? `${Math.round(performance.now() - asked)} ms` : "no answer";
}, LOOK_MS);

addEventListener("offline", () => line?.cut());

// What is pressed

function press(digit) {
  playTone(digit, $("volume").value / 100);
  line?.say({ type: "dtmf", digit });
  const button = document.querySelector(`[data-key="${digit}"]`);
  button.classList.add("pressed");
  setTimeout(() => button.classList.remove("pressed"), 150);
}

function setVolume() {
  if (sound) sound.gain = ($("volume").value / 100) ** 2;
}

$("call").onclick = () => call({ left: leftCall() });
$("call-anew").onclick = () => {
  forgetCall();
  call();
};
$("call-keys").onclick = () => call({ withMicrophone: false });
$("hang-up").onclick = () => line?.hangUp();
$("mute").onclick = () => {
  muted = !muted;
  sound.muted = muted;
  $("mute").setAttribute("aria-pressed", muted);
};
$("volume").oninput = setVolume;
$("keypad").onclick = ({ target }) => {
  const digit = target.closest("[data-key]")?.dataset.key;
  if (digit) press(digit);
};
$("key-form").onsubmit = (event) => {
  event.preventDefault();
  key.set($("key").value.trim());
  $("key").value = "";
  call({ left: leftCall() });
};

document.addEventListener("keydown", (event) => {
  if (event.repeat || event.ctrlKey || event.altKey || event.metaKey || !$("typing").checked) return;
  const typed = ["text", "password", "range"].includes(event.target.type);
  if (!typed && KEYS.includes(event.key)) press(event.key);
});

show("idle");
