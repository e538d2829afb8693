// The bell: two strokes of a telephone every two seconds, made here. A browser lets a page sound only after a key.

let context = null;
let ringing = null;

/** Call in answer to a key or a click. */
export async function unlock() {
  context ??= new AudioContext();
  await context.resume();
  return context;
}

/** Whether the bell would be heard. */
export function sounds() {
  return context?.state === "running";
}

export function ring() {
  if (ringing !== null) return;
  stroke();
  ringing = setInterval(stroke, 2000);
}

export function silence() {
  clearInterval(ringing);
  ringing = null;
}

function stroke() {
  if (!sounds()) return;
  for (const after of [0, 0.45]) {
    const start = context.currentTime + after;
    const gain = new GainNode(context, { gain: 0 });
    gain.gain.setValueAtTime(0, start);
    gain.gain.linearRampToValueAtTime(0.12, start + 0.02);
    gain.gain.setValueAtTime(0.12, start + 0.32);
    gain.gain.linearRampToValueAtTime(0, start + 0.36);
    gain.connect(context.destination);
    for (const frequency of [784, 988]) {
      const tone = new OscillatorNode(context, { frequency, type: "triangle" });
      tone.connect(gain);
      tone.start(start);
      tone.stop(start + 0.4);
    }
  }
}
