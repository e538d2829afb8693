// What is heard before anybody speaks: a bell where a call comes, a tone where ours rings. Made here, no recording.

let context = null;
let playing = null;

/** [frequencies, on, off] in Hz and seconds. */
const CADENCES = { bell: [[660, 880], 0.9, 1.6], ringback: [[425], 1, 4] };

function once([frequencies, on]) {
  const gain = context.createGain();
  const at = context.currentTime;
  gain.gain.setValueAtTime(0, at);
  gain.gain.linearRampToValueAtTime(0.08, at + 0.03);
  gain.gain.setValueAtTime(0.08, at + on - 0.05);
  gain.gain.linearRampToValueAtTime(0, at + on);
  gain.connect(context.destination);
  for (const frequency of frequencies) {
    const tone = context.createOscillator();
    tone.frequency.value = frequency;
    tone.connect(gain);
    tone.start(at);
    tone.stop(at + on);
  }
}

/** "bell", "ringback" or null for silence. */
export function sound(name) {
  if ((playing?.name ?? null) === name) return;
  clearInterval(playing?.timer);
  playing = null;
  if (name === null) return;
  const cadence = CADENCES[name];
  context ??= new AudioContext();
  // Before a person has pressed anything on the page, browsers play nothing; the page shows the call all the same.
  context.resume().catch(() => {});
  once(cadence);
  playing = { name, timer: setInterval(() => once(cadence), (cadence[1] + cadence[2]) * 1000) };
}
