// The open question as a card. It can be answered once the caller has begun to hear it, as by voice and by key.

import { $ } from "./dom.js";

const SHOWN_MS = 4000;
const OUTCOMES = {
  confirmed: "You said yes.",
  executed: "Done.",
  failed: "It could not be done.",
  declined: "Left as it is.",
  expired: "No answer: left as it is.",
  unknown: "Nobody can say whether it was done.",
};

export class QuestionCard {
  // `answer` is given the question's id and "yes" or "no"; `settled` the words of what became of it.
  constructor(answer, settled) {
    this.settledWords = settled;
    this.id = "";
    this.until = 0;
    this.length = 1;
    for (const word of ["yes", "no"]) $(word).onclick = () => answer(this.id, word);
    setInterval(() => this.tick(), 250);
  }

  ask({ id, text, answerable = true, expires_in_ms: left = 0 }) {
    this.id = id;
    clearTimeout(this.leaving);
    $("question").hidden = false;
    $("question-text").textContent = text;
    $("question-answers").hidden = false;
    $("question-hint").textContent = answerable ? "Say yes or no, press a key, or use these." : "Listen first…";
    for (const word of ["yes", "no"]) $(word).disabled = !answerable;
    $("question-left").hidden = !left;
    this.length = Math.max(left, 1);
    this.until = performance.now() + left;
    this.tick();
  }

  settle({ id, outcome }) {
    this.settledWords(OUTCOMES[outcome], outcome);
    if (id !== this.id) return;
    $("question-hint").textContent = OUTCOMES[outcome];
    $("question-answers").hidden = true;
    $("question-left").hidden = true;
    clearTimeout(this.leaving);
    this.leaving = setTimeout(() => this.leave(), SHOWN_MS);
  }

  leave() {
    this.id = "";
    $("question").hidden = true;
  }

  tick() {
    if (this.id) $("question-left").value = Math.max(0, (this.until - performance.now()) / this.length);
  }
}
