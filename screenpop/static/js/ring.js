// The sound of a telephone, made here: two tones, a second on and two off. No file is loaded for it.

const TONES = [440, 554]; // Hz; softer than the bell of a real telephone
const ON = 0.9; // seconds
const EVERY = 2_800; // milliseconds
const BEATS = 9; // of one trill
const PATIENCE = 250; // milliseconds the browser has to say that it lets us
const KEPT = "ring"; // in the browser's storage: volume from 0 to 1, and whether it is off

let context = null;
let ringing = null;

/** How loud, 0 to 1, and whether it is off. */
export function loudness() {
  const kept = JSON.parse(localStorage.getItem(KEPT) ?? "null") ?? {};
  return { volume: kept.volume ?? 0.6, off: kept.off ?? false };
}

export function setLoudness(change) {
  localStorage.setItem(KEPT, JSON.stringify({ ...loudness(), ...change }));
}

/** Whether the browser lets this page make sounds: most do once somebody has clicked or typed in it. */
async function audible() {
  context ??= new AudioContext();
  if (context.state !== "running") {
    await Promise.race([context.resume(), new Promise((done) => { setTimeout(done, PATIENCE); })]);
  }
  return context.state === "running";
}

function once() {
  const { volume, off } = loudness();
  if (off || volume === 0) return;
  const at = context.currentTime + 0.02;
  const out = context.createGain();
  out.connect(context.destination);
  for (let beat = 0; beat < BEATS; beat += 1) out.gain.setValueAtTime(volume * (beat % 2 ? 0.08 : 0.16), at + (beat * ON) / BEATS);
  out.gain.setTargetAtTime(0, at + ON - 0.08, 0.03);
  for (const tone of TONES) {
    const voice = context.createOscillator();
    voice.type = "triangle";
    voice.frequency.value = tone;
    voice.connect(out);
    voice.start(at);
    voice.stop(at + ON + 0.15);
  }
}

/** Ring until `hush`; whether it can be heard. */
export async function ring() {
  if (ringing !== null) return true;
  ringing = 0; // being begun
  const heard = await audible();
  if (ringing !== 0) return heard; // hushed meanwhile
  if (!heard) {
    ringing = null;
    return false;
  }
  once();
  ringing = setInterval(once, EVERY);
  return true;
}

export function hush() {
  if (ringing) clearInterval(ringing);
  if (ringing !== null) setTimeout(() => ringing === null && context?.suspend(), 1_500); // a silent one costs time, too
  ringing = null;
}

/** One ring, to hear how loud it is. From within a click. */
export async function sample() {
  if (await audible()) once();
}
