// Why there is no call, in words that say what to do about it.

const WORDS = {
  insecure: [
    "This page was not loaded over HTTPS.",
    "Browsers open a microphone only over HTTPS, or on the machine itself at http://localhost.",
  ],
  unsupported: [
    "This browser cannot make calls.",
    "It knows no AudioWorklet or no microphones; a current Chromium, Firefox or Safari does.",
  ],
  forbidden: [
    "The microphone was not allowed.",
    "Allow it in the browser's address bar and call again, or call with the keypad only.",
  ],
  no_microphone: ["No microphone was found.", "Plug one in and call again, or call with the keypad only."],
  microphone_busy: ["The microphone is in use.", "Another program holds it: close that one and call again."],
  no_server: ["The server does not answer.", "It may be starting, or the network may be away: call again in a moment."],
  key_needed: ["An API key is needed.", "Type one that is good for assistant:talk; it is kept for this tab alone."],
  key_wrong: ["That API key is not good for calls.", "Type another one, with the scope assistant:talk."],
  local_only: [
    "Only the server's own machine may call.",
    "Set PHONE_BRIDGE_API_KEY or [[api_keys]] on the server, and type the key here.",
  ],
  slow_down: ["Too many wrong keys were shown.", "Wait a minute and try again."],
  busy: ["All lines are in use.", "Call again in a moment."],
  call_ended: ["That call is over.", "Begin a new one."],
  refused: ["The server refused the call.", "Call again; the server's log says more."],
};

export class Refusal extends Error {
  constructor(code, says = "") {
    const [what, then] = WORDS[code] ?? WORDS.refused;
    super(what);
    this.code = code in WORDS ? code : "refused";
    this.then = says ? `${says} ${then}` : then;
  }
}

// Read what the API answered as a refusal.
export async function refusalOf(response) {
  const body = await response.json().catch(() => ({}));
  const code = body.error?.code ?? "";
  if (response.status === 401) return new Refusal(code === "invalid_api_key" ? "key_needed" : "key_wrong");
  if (code === "api_key_required") return new Refusal("local_only");
  if (code === "insufficient_scope") return new Refusal("key_wrong");
  if (code === "call_ended" || code === "wrong_proof") return new Refusal("call_ended");
  if (response.status === 429) return new Refusal("slow_down");
  if (response.status >= 500) return new Refusal(code === "busy" ? "busy" : "no_server");
  return new Refusal("refused", body.error?.message);
}
