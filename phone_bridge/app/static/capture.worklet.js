// The microphone: sound at the device's own rate to frames of 20 ms at 16 kHz, 16 bits each.

import { Resampler } from "./resampler.js";

const RATE = 16000;
const FRAME = 320;

class Capture extends AudioWorkletProcessor {
  constructor() {
    super();
    this.resampler = new Resampler(sampleRate, RATE);
    this.frame = new Int16Array(FRAME);
    this.filled = 0;
    this.energy = 0;
    this.muted = false;
    this.port.onmessage = ({ data }) => {
      this.muted = data.muted;
    };
  }

  process([input]) {
    const [heard] = input;
    // Without a device there is no channel; the frames go on, so that the other side hears silence and not a fault.
    const sound = this.resampler.push(heard && !this.muted ? heard : new Float32Array(128));
    for (const sample of sound) {
      this.energy += sample * sample;
      this.frame[this.filled] = Math.max(-32768, Math.min(32767, Math.round(sample * 32767)));
      this.filled += 1;
      if (this.filled === FRAME) this.send();
    }
    return true;
  }

  send() {
    const { buffer } = this.frame;
    this.port.postMessage({ frame: buffer, level: Math.sqrt(this.energy / FRAME) }, [buffer]);
    this.frame = new Int16Array(FRAME);
    this.filled = 0;
    this.energy = 0;
  }
}

registerProcessor("capture", Capture);
