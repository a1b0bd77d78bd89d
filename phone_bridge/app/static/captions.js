// What both sides say. A line that is being spoken changes in place; one that is over is read out to screen readers.

import { make } from "./dom.js";

const NAMES = { user: "You", agent: "Assistant", bridge: "Telephone" };
const MOST_SPOKEN = 40;

export class Captions {
  constructor(list, spoken, empty) {
    this.list = list;
    this.spoken = spoken;
    this.empty = empty;
    this.lines = new Map();
  }

  clear() {
    this.list.replaceChildren();
    this.spoken.replaceChildren();
    this.lines.clear();
    this.empty.hidden = false;
  }

  show({ line, speaker, text, final }) {
    const known = this.lines.get(line);
    if (!text) {
      known?.remove();
      this.lines.delete(line);
      return;
    }
    const item = known ?? this.begin(line, speaker);
    const atEnd = this.list.scrollHeight - this.list.scrollTop - this.list.clientHeight < 80;
    item.querySelector(".words").textContent = text;
    const news = final && !item.classList.contains("final");
    item.classList.toggle("final", final);
    if (news) this.read(`${NAMES[speaker]}: ${text}`);
    if (atEnd) this.list.scrollTop = this.list.scrollHeight;
  }

  // Write something that was done, and not said.
  note(text) {
    this.place(make("li", { className: "note" }, text), Infinity);
    this.read(text);
  }

  begin(line, speaker) {
    const name = make("span", { className: "who" }, NAMES[speaker]);
    const item = make("li", { className: speaker }, name, " ", make("span", { className: "words" }));
    this.lines.set(line, item);
    this.place(item, Number(line.slice(1)));
    return item;
  }

  place(item, at) {
    this.empty.hidden = true;
    item.at = at === Infinity ? Math.max(0, ...[...this.list.children].map((each) => each.at)) : at;
    const after = [...this.list.children].find((each) => each.at > item.at);
    this.list.insertBefore(item, after ?? null);
    this.list.scrollTop = this.list.scrollHeight;
  }

  read(text) {
    this.spoken.append(make("p", {}, text));
    while (this.spoken.children.length > MOST_SPOKEN) this.spoken.firstChild.remove();
  }
}
