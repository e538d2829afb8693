// Anna with a browser, at a home with speakers, telephones and lines: FOLDER (of the libraries) ADDRESS PASSWORD RECORDING (her microphone)
// HEARD (where what she hears is put: 16-bit samples, 16 kHz) FLAG ("loopback" or "ordinary").
// She says on a line of her output what happened, and does what is asked on a line of her input.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { launch, library, open, signIn, visitor } from "./people.mjs";

const [folder, address, password, recording, heard, flag] = process.argv.slice(2);
const { chromium } = library(folder);
const browser = await launch(chromium, { recording, loopback: flag === "loopback" });
const faults = [];
const tell = (line) => console.log(line);

/** What comes over the calls of a page is kept, from the first of them on. */
function record() {
  window.kept = [];
  window.connections = [];
  const Real = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends Real {
    constructor(...given) {
      super(...given);
      window.connections.push(this);
      this.addEventListener("track", ({ track }) => {
        const context = new AudioContext({ sampleRate: 16_000 });
        const tap = context.createScriptProcessor(4096, 1, 1);
        tap.onaudioprocess = ({ inputBuffer }) => window.kept.push(new Float32Array(inputBuffer.getChannelData(0)));
        context.createMediaStreamSource(new MediaStream([track])).connect(tap).connect(context.destination);
      });
    }
  };
}

/** What goes out of the page's newest call and what comes in, from now on: samples, and when each piece was there. */
function stamp() {
  const [connection] = window.connections.slice(-1);
  const follow = async (track) => {
    const kept = { pieces: [], ends: [], rate: 0 };
    const reader = new MediaStreamTrackProcessor({ track }).readable.getReader();
    window.stamped.push({ kept, reader });
    for (;;) {
      const { value: piece, done } = await reader.read();
      if (done) return;
      const samples = new Float32Array(piece.numberOfFrames);
      piece.copyTo(samples, { planeIndex: 0, format: "f32-planar" });
      kept.rate = piece.sampleRate;
      kept.pieces.push(samples);
      kept.ends.push(performance.timeOrigin + performance.now());
      piece.close();
    }
  };
  window.stamped = [];
  follow(connection.getSenders()[0].track);
  follow(connection.getReceivers()[0].track);
}

/** Both as 16 kHz, each with the time of its first sample: what most of its pieces say. */
function stampedSoFar() {
  return window.stamped.map(({ kept: { pieces, ends, rate } }) => {
    let count = 0;
    const starts = pieces.map((piece, at) => {
      count += piece.length;
      return ends[at] - (count / rate) * 1000;
    });
    const whole = new Float32Array(count);
    pieces.reduce((at, piece) => (whole.set(piece, at), at + piece.length), 0);
    const step = rate / 16_000;
    const samples = Array.from({ length: Math.floor(count / step) }, (_, at) => {
      const from = Math.floor(at * step);
      const part = whole.subarray(from, Math.max(from + 1, Math.floor((at + 1) * step)));
      return Math.max(-32768, Math.min(32767, Math.round((part.reduce((sum, one) => sum + one, 0) / part.length) * 32767)));
    });
    return { start: starts.toSorted((a, b) => a - b)[Math.floor(starts.length / 2)] ?? 0, samples };
  });
}

try {
  let desk = null;
  const anna = await visitor(browser, faults);
  await anna.addInitScript(record);
  await signIn(anna, address, "anna", password);
  await open(anna, "phone");
  await anna.getByRole("button", { name: "Join as my own device" }).click();
  await anna.waitForSelector(".badge:has-text('calls ring here')");
  const act = (name) => anna.locator(`#calls [data-act='${name}']`);
  tell("ready");
  const keep = async (page) => {
    const numbers = await page.evaluate(() => window.kept.flatMap((block) => Array.from(block, (sample) => Math.max(-32768, Math.min(32767, Math.round(sample * 32768))))));
    writeFileSync(heard, Buffer.from(Int16Array.from(numbers).buffer));
    tell(`kept ${numbers.length}`);
  };
  const orders = {
    async rings() {
      await act("answer").waitFor({ timeout: 60_000 });
      tell(`rings: ${await anna.textContent("#calls .call-name")}`);
    },
    async answer() {
      await act("answer").click();
      await orders.protected();
    },
    async protected() {
      await anna.waitForSelector("#calls .badge.good:has-text('Protected end to end')", { timeout: 60_000 });
      tell("protected");
    },
    async call(name = "Kitchen") {
      // Who has joined since is on the page when it is opened anew.
      await open(anna, "calls");
      await open(anna, "phone");
      await anna.getByRole("button", { name: `Call ${name}`, exact: true }).click();
      await anna.waitForSelector("#calls .call-calling, #calls .call-ringing, #calls .call-talking");
      tell("calling");
    },
    async dial(...digits) {
      await open(anna, "phone");
      await anna.getByLabel("Number", { exact: true }).fill(digits.join(" "));
      await anna.getByRole("button", { name: "Call", exact: true }).click();
      await anna.waitForSelector("#calls .call-calling, #calls .call-ringing, #calls .call-talking");
      tell("calling");
    },
    async help(digits) {
      await open(anna, "phone");
      await anna.getByLabel("Number", { exact: true }).fill(digits);
      await anna.getByLabel("Number", { exact: true }).press("Enter");
      await anna.getByRole("button", { name: `Yes, call ${digits} as a drill` }).click();
      tell("calling");
    },
    // Through the hub, which is said.
    async unprotected() {
      await anna.waitForSelector("#calls .badge.warn:has-text('Not protected beyond the hub')", { timeout: 60_000 });
      assert.equal(await anna.locator("#calls .badge.good").count(), 0);
      tell("unprotected");
    },
    async take() {
      assert.match(await anna.textContent("#calls"), /Not protected beyond the hub/);
      await act("answer").click();
      await orders.unprotected();
    },
    async press(key) {
      await act("tones").click();
      await act(`key-${key}`).click();
      tell("pressed");
    },
    async "end-help"() {
      await act("hang-up").click();
      await anna.getByRole("button", { name: "End it all the same" }).click();
      await orders.over();
    },
    async hold() {
      await act("hold").click();
      await anna.waitForSelector("#calls [data-act=hold][aria-pressed=true]");
      await act("hold").click();
      await anna.waitForSelector("#calls [data-act=hold][aria-pressed=false]");
      tell("held and back");
    },
    async listen() {
      await anna.evaluate(() => (window.kept.length = 0));
      tell("listening");
    },
    async keep() {
      await keep(anna);
    },
    async stamp() {
      await anna.evaluate(stamp);
      tell("stamping");
    },
    /** Puts both beside what is kept, and says when each began, in milliseconds of the machine's clock. */
    async stamped() {
      const both = await anna.evaluate(stampedSoFar);
      both.forEach(({ samples }, at) => writeFileSync(`${heard}.${["out", "in"][at]}`, Buffer.from(Int16Array.from(samples).buffer)));
      tell(`stamped ${both.map(({ start }) => start).join(" ")}`);
    },
    /** Somebody sits down at the call-taker's console, and takes the call that rings there. */
    async console(address) {
      desk = await visitor(browser, faults);
      await desk.addInitScript(record);
      await desk.goto(address);
      await desk.waitForFunction(() => document.title !== "");
      tell("console");
    },
    async "take-at-console"() {
      await desk.waitForFunction(() => document.title.includes("DRILL call"), null, { timeout: 60_000 });
      await desk.keyboard.press("Enter");
      await desk.waitForFunction(() => window.kept.length > 0, null, { timeout: 60_000 });
      tell("taken");
    },
    async "keep-console"() {
      await keep(desk);
    },
    async over() {
      await anna.waitForSelector("#calls .call-over");
      tell("over");
    },
    async "hang-up"() {
      await act("hang-up").click();
      await orders.over();
    },
  };
  for await (const line of createInterface({ input: process.stdin })) {
    if (line === "leave") break;
    const [order, ...given] = line.split(" ");
    await orders[order](...given);
  }
  assert.deepEqual(faults, []);
  tell("left");
} finally {
  await browser.close();
}
process.exit();
