// A voice message: recorded here as speakers record it, and played, whoever recorded it.

import { microphone } from "../call/media.js";
import { toBase64 } from "../device/bytes.js";
import { element } from "../dom.js";
import { decode, encode } from "./g722.js";

const RATE = 16_000;
/** The hub keeps two minutes. */
export const SECONDS_MAX = 120;
const SECONDS_MIN = 0.5;

/** A recording that is under way. `told.level(0…1, seconds)`; `told.full()` when there is no room for more. */
export async function record(told) {
  const stream = await microphone();
  const context = new AudioContext({ sampleRate: RATE });
  const stop = async () => {
    for (const track of stream.getTracks()) track.stop();
    if (context.state !== "closed") await context.close();
  };
  try {
    await context.audioWorklet.addModule("/voice/capture.js");
  } catch (error) {
    await stop();
    throw error;
  }
  const blocks = [];
  let count = 0;
  const tap = new AudioWorkletNode(context, "capture", { numberOfOutputs: 0, channelCount: 1, channelCountMode: "explicit" });
  tap.port.onmessage = ({ data }) => {
    if (count >= SECONDS_MAX * RATE) return;
    blocks.push(data);
    count += data.length;
    told.level(Math.max(...data.map(Math.abs)), count / RATE);
    if (count >= SECONDS_MAX * RATE) told.full();
  };
  context.createMediaStreamSource(stream).connect(tap);
  return {
    /** Ends it: samples of 16 bits, or null where it is too short to be a message. */
    async end() {
      await stop();
      if (count < SECONDS_MIN * RATE) return null;
      const samples = new Int16Array(count);
      let at = 0;
      for (const block of blocks) for (const sample of block) samples[at++] = Math.max(-32768, Math.min(32767, Math.round(sample * 32768)));
      return samples;
    },
    cancel: stop,
  };
}

/** As the hub takes it. */
export function voiceBody(samples) {
  return { voice: { codec: "g722", duration_ms: Math.round((samples.length / RATE) * 1000), base64: toBase64(encode(samples)) } };
}

let playing = null;

/** Ends what plays. */
export function silence() {
  playing?.stop();
}

async function buffer(context, source) {
  const answer = await fetch(source);
  if (!answer.ok) throw new Error("the recording is not there any more");
  const bytes = await answer.arrayBuffer();
  if (answer.headers.get("content-type") !== "audio/G722") return context.decodeAudioData(bytes);
  return bufferOf(context, decode(new Uint8Array(bytes)));
}

function bufferOf(context, samples) {
  const made = context.createBuffer(1, Math.max(samples.length, 1), RATE);
  made.copyToChannel(Float32Array.from(samples, (sample) => sample / 32768), 0);
  return made;
}

export function lasts(seconds) {
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

/** A button that plays and stops, with how far it is. `source` is an address, or samples; `heard()` when it was played to its end. */
export function player(name, source, seconds, heard = () => {}) {
  const bar = element("progress", { max: 1, value: 0, "aria-label": `Played of ${name}` });
  const told = element("span", { class: "small", role: "status" });
  const show = (on) => {
    button.textContent = on ? "Stop" : "Play";
    button.setAttribute("aria-label", `${on ? "Stop" : "Play"} ${name}`);
  };
  const button = element("button", {
    type: "button",
    class: "plain",
    click: async () => {
      if (playing?.button === button) return silence();
      silence();
      told.textContent = "";
      const context = new AudioContext();
      const mine = (playing = { button, stop: () => end(false) });
      let timer = null;
      const end = (whole) => {
        if (playing === mine) playing = null;
        clearInterval(timer);
        context.close().catch(() => {});
        bar.value = whole ? 1 : 0;
        show(false);
        delete root.dataset.busy;
        if (whole) heard();
      };
      show(true);
      root.dataset.busy = "";
      try {
        const sound = source instanceof Int16Array ? bufferOf(context, source) : await buffer(context, source);
        if (playing !== mine) return undefined;
        const node = context.createBufferSource();
        node.buffer = sound;
        node.connect(context.destination);
        const began = context.currentTime;
        node.onended = () => playing === mine && end(true);
        node.start();
        timer = setInterval(() => (bar.value = Math.min(1, (context.currentTime - began) / sound.duration)), 100);
      } catch (problem) {
        end(false);
        told.textContent = problem.name === "EncodingError" ? "This browser cannot play it." : problem.message;
      }
      return undefined;
    },
  });
  show(false);
  const root = element("div", { class: "row voice" }, button, bar, element("span", { class: "small soft mono" }, seconds === null ? "" : lasts(seconds)), told);
  return root;
}
