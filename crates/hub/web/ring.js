// The light ring: the one picture of what a device is doing.

import { drawing } from "./dom.js";

/** What each state is called for those who do not see it. */
export const RING_STATES = {
  idle: "ready",
  listening: "listening",
  thinking: "thinking",
  speaking: "speaking",
  ringing: "ringing",
  call: "in a call",
  muted: "microphone off",
  error: "something is wrong",
  drill: "drill",
};

/** A ring in a state, or as a mere ornament without words. */
export function lightRing(state, { label = RING_STATES[state], size = 48 } = {}) {
  const named = label === null ? { "aria-hidden": "true" } : { role: "img", "aria-label": label };
  return drawing(
    "svg",
    { class: `ring ring-${state}`, viewBox: "0 0 48 48", width: size, height: size, ...named },
    drawing("circle", { class: "ring-track", cx: 24, cy: 24, r: 19 }),
    drawing("circle", { class: "ring-light", cx: 24, cy: 24, r: 19, pathLength: 100 }),
    drawing("circle", { class: "ring-core", cx: 24, cy: 24, r: 5 }),
    drawing("path", { class: "ring-slash", d: "M10 38 38 10" }),
  );
}
