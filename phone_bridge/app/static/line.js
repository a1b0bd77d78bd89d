// One call over a WebSocket, from its token to its end; it comes back by itself when the network or the server was gone.
//
// Events: `state` (connecting, talking, lost, ended), `message` (what the server says), `sound` (an ArrayBuffer).

import { ask } from "./key.js";
import { Refusal, refusalOf } from "./refusal.js";

const FEATURES = ["call", "interrupted", "transcript", "dtmf", "confirmation"];
const PLACE = "phone_bridge.call";
const BACK_MS = 90_000; // how long a lost call is called back for
const FIRST_WAIT_MS = 250;
const MOST_WAIT_MS = 4_000;
const OPEN_MS = 8_000; // how long a socket may take to be let in

// The call that this tab was in when it was reloaded, if that is not too long ago.
export function leftCall() {
  try {
    const left = JSON.parse(sessionStorage.getItem(PLACE));
    return left && Date.now() - left.at < BACK_MS ? left : null;
  } catch {
    return null;
  }
}

export function forgetCall() {
  sessionStorage.removeItem(PLACE);
}

export class Line extends EventTarget {
  constructor(left = null) {
    super();
    this.call = left; // {call_id, resume}
    this.state = "idle";
    this.socket = null;
    this.over = false;
  }

  // Begin, or go on; throws a Refusal where that cannot be.
  async open() {
    this.enter("connecting");
    await this.connect();
  }

  async connect() {
    const token = await this.token();
    if (this.over) return;
    const socket = new WebSocket(`${location.origin.replace(/^http/, "ws")}/phone/ws`);
    socket.binaryType = "arraybuffer";
    this.socket = socket;
    await new Promise((resolve, reject) => {
      const late = setTimeout(() => socket.close(), OPEN_MS);
      let refused = null;
      socket.onopen = () => socket.send(JSON.stringify({ token, features: FEATURES }));
      socket.onmessage = ({ data }) => {
        const message = JSON.parse(data);
        if (message.type === "error") {
          refused = new Refusal(message.code === "SESSION_SETUP_FAILED" ? "busy" : "refused", `${message.message}.`);
        }
        if (message.type !== "connected") return;
        clearTimeout(late);
        this.keep();
        socket.onmessage = (event) => this.hear(event.data);
        socket.onclose = () => this.lost(socket);
        this.enter("talking");
        resolve();
      };
      socket.onclose = () => {
        clearTimeout(late);
        reject(refused ?? new Refusal("no_server"));
      };
    });
  }

  async token() {
    const { call_id = "", resume = "" } = this.call ?? {};
    const to = new URLSearchParams(location.search).get("to"); // a number of ours: /?to=%2B493012345
    const wish = this.call ? { call_id, resume } : to && { to };
    const body = wish ? JSON.stringify(wish) : undefined;
    const headers = body ? { "Content-Type": "application/json" } : {};
    let response;
    try {
      response = await ask("/phone/token", { method: "POST", body, headers });
    } catch {
      throw new Refusal("no_server");
    }
    if (!response.ok) throw await refusalOf(response);
    const made = await response.json();
    this.call = { call_id: made.call_id, resume: made.resume };
    return made.token;
  }

  hear(data) {
    if (data instanceof ArrayBuffer) {
      this.dispatchEvent(new CustomEvent("sound", { detail: data }));
      return;
    }
    const message = JSON.parse(data);
    if (message.type === "session_ended") this.end("ended");
    else if (message.type === "error") this.end("failed", new Refusal("refused", `${message.message}.`));
    this.dispatchEvent(new CustomEvent("message", { detail: message }));
  }

  // Come back to a call whose socket went without a word.
  async lost(socket) {
    if (this.over || socket !== this.socket) return;
    this.enter("lost");
    const until = Date.now() + BACK_MS;
    for (let wait = FIRST_WAIT_MS; !this.over; wait = Math.min(MOST_WAIT_MS, wait * 2)) {
      await pause(wait * (0.75 + Math.random() / 2));
      try {
        if (!this.over) await this.connect();
        return;
      } catch (refusal) {
        const maybe = refusal.code === "no_server" || refusal.code === "busy";
        if (!maybe || Date.now() > until) {
          this.end("failed", refusal);
          return;
        }
      }
    }
  }

  // Give up a socket behind which nobody is any more, though it does not say so.
  cut() {
    if (this.state !== "talking") return;
    const { socket } = this;
    socket.onclose = socket.onmessage = null;
    socket.close();
    this.lost(socket);
  }

  say(message) {
    if (this.state === "talking" && this.socket.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }

  speak(frame) {
    // What a slow network has not taken would be heard late; it is better not heard.
    if (this.state === "talking" && this.socket.readyState === WebSocket.OPEN && this.socket.bufferedAmount < 32_000) {
      this.socket.send(frame);
    }
  }

  hangUp() {
    this.say({ type: "hang_up" });
    this.end("ended");
    this.socket?.close(1000);
  }

  keep() {
    sessionStorage.setItem(PLACE, JSON.stringify({ ...this.call, at: Date.now() }));
  }

  end(why, refusal = null) {
    if (this.over) return;
    this.over = true;
    forgetCall();
    this.enter(why, refusal);
  }

  enter(state, refusal = null) {
    this.state = state;
    this.dispatchEvent(new CustomEvent("state", { detail: { state, refusal } }));
  }
}

// Wait, but no longer than until the network is said to be back.
function pause(ms) {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      removeEventListener("online", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    addEventListener("online", done);
  });
}
