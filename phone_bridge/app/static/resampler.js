// Sound from one rate to another, block by block, through a filter: what the lower rate cannot hold is taken out and
// does not come back as noise. The ratio is kept as two whole numbers, so nothing drifts in a call of hours.

const LOBES = 24; // of the filter on each side, at the lower rate
const EDGE = 0.885; // where it begins to close, as a part of half the lower rate; it is shut at the whole of it

const divisor = (a, b) => (b ? divisor(b, a % b) : a);

export class Resampler {
  constructor(from, to) {
    const common = divisor(from, to);
    this.up = to / common;
    this.down = from / common;
    const lower = Math.min(1, to / from);
    const half = Math.ceil(LOBES / lower);
    this.taps = 2 * half;
    this.filters = Array.from({ length: this.up }, (_, phase) => filter(half, phase / this.up, (EDGE * lower) / 2));
    this.reset();
  }

  reset() {
    this.rest = new Float32Array(this.taps / 2 - 1); // silence before the first sample
    this.at = 0; // of the next sample that goes out, in parts of a sample that came in
  }

  // Takes a Float32Array and gives one; what still waits for its neighbours comes with the next block.
  push(input) {
    if (this.up === this.down) return input;
    const sound = new Float32Array(this.rest.length + input.length);
    sound.set(this.rest);
    sound.set(input, this.rest.length);
    const last = sound.length - this.taps; // where the filter can begin at the latest
    const count = last < 0 ? 0 : Math.max(0, Math.floor((last * this.up + this.up - 1 - this.at) / this.down) + 1);
    const output = new Float32Array(count);
    for (let place = 0; place < count; place += 1) {
      const start = Math.floor(this.at / this.up);
      const weights = this.filters[this.at % this.up];
      let sum = 0;
      for (let tap = 0; tap < this.taps; tap += 1) sum += weights[tap] * sound[start + tap];
      output[place] = sum;
      this.at += this.down;
    }
    const gone = Math.min(Math.floor(this.at / this.up), sound.length);
    this.rest = sound.slice(gone);
    this.at -= gone * this.up;
    return output;
  }
}

// A sinc under a Blackman window, for a sample that lies `offset` behind the middle of the taps.
function filter(half, offset, edge) {
  const weights = new Float32Array(2 * half);
  let sum = 0;
  for (let tap = 0; tap < weights.length; tap += 1) {
    const distance = tap - (half - 1) - offset;
    const angle = 2 * Math.PI * edge * distance;
    const turn = (Math.PI * distance) / half;
    const shade = Math.abs(distance) > half ? 0 : 0.42 + 0.5 * Math.cos(turn) + 0.08 * Math.cos(2 * turn);
    weights[tap] = (distance === 0 ? 1 : Math.sin(angle) / angle) * shade;
    sum += weights[tap];
  }
  return weights.map((weight) => weight / sum);
}
