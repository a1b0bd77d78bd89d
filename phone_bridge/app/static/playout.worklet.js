// The loudspeaker: sound that comes in bursts over the network, played without gaps, and marks that tell how far.
//
// The buffer is as long as the network needs: it grows by each underrun and shrinks after a while without. A mark goes
// back when the sound before it has left the device, which is later than its rendering by the device's own latency.

import { Resampler } from "./resampler.js";

const RATE = 16000;
const FIRST_MS = 60;
const LEAST_MS = 40;
const MOST_MS = 240;
const GROW_MS = 20;
const SHRINK_MS = 10;
const CALM_MS = 20000; // without an underrun, after which the buffer may be shorter
const PAUSE_MS = 150; // a longer gap is a pause of the speaker's and no fault of the network's
const FADE_MS = 5;
const TELL_MS = 100;

class Playout extends AudioWorkletProcessor {
  constructor() {
    super();
    this.resampler = new Resampler(RATE, sampleRate);
    this.perMs = sampleRate / 1000;
    this.target = FIRST_MS;
    this.latency = 0;
    this.underruns = 0;
    this.calmSince = 0;
    this.told = 0;
    this.energy = 0;
    this.clear();
    this.dryAt = -Infinity;
    this.port.onmessage = ({ data }) => this.take(data);
  }

  clear() {
    this.queue = [];
    this.place = 0; // in the first of them
    this.waiting = 0; // samples in the queue
    this.pushed = 0;
    this.played = 0;
    this.marks = []; // [name, how much was pushed before it]
    this.leaving = []; // [name, when it has left the device]
    this.playing = false;
    this.since = 0; // when the buffer began to fill
  }

  take(message) {
    if (message.sound) this.push(message.sound);
    else if (message.mark !== undefined) this.marks.push([message.mark, this.pushed]);
    else if (message.latency !== undefined) this.latency = message.latency * sampleRate;
    else if (message.flush) this.flush();
  }

  push(buffer) {
    const samples = new Int16Array(buffer);
    const sound = this.resampler.push(Float32Array.from(samples, (sample) => sample / 32768));
    if (!sound.length) return;
    if (!this.waiting && !this.playing) {
      this.since = currentFrame;
      if (currentFrame - this.dryAt < PAUSE_MS * this.perMs) this.starved();
    }
    this.queue.push(sound);
    this.waiting += sound.length;
    this.pushed += sound.length;
  }

  starved() {
    this.underruns += 1;
    this.target = Math.min(MOST_MS, this.target + GROW_MS);
    this.calmSince = currentFrame;
  }

  // Stop at once, but without a click: what comes next of the sound is faded out.
  flush() {
    const fade = new Float32Array(Math.min(this.waiting, Math.round(FADE_MS * this.perMs)));
    if (this.playing) for (let at = 0; at < fade.length; at += 1) fade[at] = this.next() * (1 - at / fade.length);
    const sounded = this.playing && fade.length;
    this.clear();
    this.resampler.reset();
    this.dryAt = -Infinity;
    if (!sounded) return;
    this.queue.push(fade);
    this.waiting = this.pushed = fade.length;
    this.playing = true;
  }

  next() {
    const [first] = this.queue;
    const sample = first[this.place];
    this.place += 1;
    if (this.place === first.length) {
      this.queue.shift();
      this.place = 0;
    }
    this.waiting -= 1;
    this.played += 1;
    return sample;
  }

  process(_, [output]) {
    const [channel] = output;
    if (!this.playing && this.waiting) {
      const full = this.waiting >= this.target * this.perMs;
      this.playing = full || currentFrame - this.since >= this.target * this.perMs;
    }
    for (let at = 0; at < channel.length && this.playing; at += 1) {
      if (this.waiting) {
        channel[at] = this.next();
        this.energy += channel[at] * channel[at];
      } else {
        this.playing = false;
        this.dryAt = currentFrame;
      }
    }
    for (let other = 1; other < output.length; other += 1) output[other].set(channel);
    this.returnMarks();
    this.tell();
    return true;
  }

  returnMarks() {
    while (this.marks.length && this.marks[0][1] <= this.played) {
      this.leaving.push([this.marks.shift()[0], currentFrame + this.latency]);
    }
    while (this.leaving.length && this.leaving[0][1] <= currentFrame) {
      this.port.postMessage({ mark: this.leaving.shift()[0] });
    }
  }

  tell() {
    if (currentFrame - this.told < TELL_MS * this.perMs) return;
    if (currentFrame - this.calmSince > CALM_MS * this.perMs && this.target > LEAST_MS) {
      this.target -= SHRINK_MS;
      this.calmSince = currentFrame;
    }
    this.port.postMessage({
      level: Math.sqrt(this.energy / (currentFrame - this.told)),
      bufferMs: Math.round(this.waiting / this.perMs),
      targetMs: this.target,
      underruns: this.underruns,
    });
    this.told = currentFrame;
    this.energy = 0;
  }
}

registerProcessor("playout", Playout);
