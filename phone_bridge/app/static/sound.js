// The microphone and the loudspeaker of one call.

import { Refusal } from "./refusal.js";

// Ask for the microphone; throws a Refusal that says why there is none.
export async function openMicrophone() {
  if (!window.isSecureContext) throw new Refusal("insecure");
  if (!navigator.mediaDevices?.getUserMedia || !window.AudioWorkletNode) throw new Refusal("unsupported");
  try {
    const wanted = { echoCancellation: true, noiseSuppression: true, autoGainControl: true, channelCount: 1 };
    return await navigator.mediaDevices.getUserMedia({ audio: wanted });
  } catch (error) {
    const known = { NotAllowedError: "forbidden", NotFoundError: "no_microphone", NotReadableError: "microphone_busy" };
    throw new Refusal(known[error.name] ?? "no_microphone");
  }
}

export class Sound {
  // `heard` is given each frame of the microphone's, `played` each mark, `figures` what is worth showing.
  constructor({ heard, played, figures }) {
    this.told = { heard, played, figures };
    this.stream = null;
  }

  async open(stream) {
    this.stream = stream;
    this.context = new AudioContext({ latencyHint: "interactive" });
    await Promise.all(
      ["capture", "playout"].map((name) => this.context.audioWorklet.addModule(`/static/${name}.worklet.js`)),
    );
    await this.context.resume();
    this.volume = new GainNode(this.context);
    this.playout = new AudioWorkletNode(this.context, "playout", { numberOfInputs: 0, outputChannelCount: [1] });
    this.playout.port.onmessage = ({ data }) => {
      if (data.mark !== undefined) {
        this.told.played(data.mark);
        return;
      }
      this.told.figures({ ...data, rate: this.context.sampleRate });
      this.tellLatency();
    };
    this.playout.connect(this.volume).connect(this.context.destination);
    this.capture = new AudioWorkletNode(this.context, "capture", { channelCount: 1, channelCountMode: "explicit" });
    this.capture.port.onmessage = ({ data }) => this.told.heard(data.frame, data.level);
    if (stream) this.context.createMediaStreamSource(stream).connect(this.capture);
    // A node that leads nowhere is not run by every browser; what it gives is silence.
    this.capture.connect(this.context.destination);
  }

  // The device's latency is known only once it runs, and another device has another.
  tellLatency() {
    const latency = (this.context.baseLatency || 0) + (this.context.outputLatency || 0);
    if (latency === this.latency) return;
    this.latency = latency;
    this.playout.port.postMessage({ latency });
  }

  play(buffer) {
    this.playout.port.postMessage({ sound: buffer }, [buffer]);
  }

  mark(name) {
    this.playout.port.postMessage({ mark: name });
  }

  flush() {
    this.playout?.port.postMessage({ flush: true });
  }

  set muted(muted) {
    this.capture?.port.postMessage({ muted });
  }

  set gain(gain) {
    if (this.volume) this.volume.gain.value = gain;
  }

  // Let the line go; what still waits to be played is played.
  async close(afterMs = 0) {
    for (const track of this.stream?.getTracks() ?? []) track.stop();
    if (!this.context || this.context.state === "closed") return;
    await new Promise((resolve) => setTimeout(resolve, afterMs));
    if (this.context.state !== "closed") await this.context.close();
  }
}
