// The two tones of each key, as ITU-T Q.23 has them, for the ear of whoever presses it.

const ROWS = [697, 770, 852, 941];
const COLUMNS = [1209, 1336, 1477, 1633];
const KEYS = ["123A", "456B", "789C", "*0#D"];
const SOUND_S = 0.12;
const LOUDNESS = 0.08;

let context = null;

export function tonesOf(digit) {
  const row = KEYS.findIndex((keys) => keys.includes(digit));
  return [ROWS[row], COLUMNS[KEYS[row].indexOf(digit)]];
}

export function playTone(digit, volume = 1) {
  context ??= new AudioContext();
  const gain = new GainNode(context, { gain: 0 });
  const now = context.currentTime;
  gain.gain.setTargetAtTime(LOUDNESS * volume, now, 0.004);
  gain.gain.setTargetAtTime(0, now + SOUND_S, 0.004);
  gain.connect(context.destination);
  for (const frequency of tonesOf(digit)) {
    const tone = new OscillatorNode(context, { frequency });
    tone.connect(gain);
    tone.start(now);
    tone.stop(now + SOUND_S + 0.05);
  }
}
