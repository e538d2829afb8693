// Two people, each at a tab of the simulator: one calls the other's speaker by its name, the other answers and hears.
// FOLDER (of the libraries) SIMULATOR CALLER.wav SILENCE.wav HEARD.wav
import assert from "node:assert/strict";
import { existsSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const [folder, simulator, callerFile, silenceFile, heardFile] = process.argv.slice(2);
const { chromium } = createRequire(join(folder, "package.json"))("playwright-core");
const RATE_HZ = 16_000;
const faults = [];

/** A browser whose microphone plays a file once, from the moment at which the page opens it. */
async function tabHearing(file) {
  const executablePath = ["/usr/bin/chromium", "/usr/bin/chromium-browser"].find(existsSync);
  const args = [
    "--no-sandbox", "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream", "--allow-loopback-in-peer-connection",
    "--autoplay-policy=no-user-gesture-required", `--use-file-for-fake-audio-capture=${file}%noloop`,
  ];
  const browser = await chromium.launch({ executablePath, args });
  const page = await browser.newPage();
  page.setDefaultTimeout(40_000);
  page.on("pageerror", (error) => faults.push(error.message));
  // Whatever the device plays is kept, as the tab's person would hear it.
  await page.addInitScript((rate) => {
    window.played = [];
    const Connection = window.RTCPeerConnection;
    window.RTCPeerConnection = class extends Connection {
      constructor(...given) {
        super(...given);
        this.addEventListener("track", ({ track }) => {
          const context = new AudioContext({ sampleRate: rate });
          const tap = context.createScriptProcessor(4096, 1, 1);
          tap.addEventListener("audioprocess", ({ inputBuffer }) => {
            const samples = inputBuffer.getChannelData(0);
            window.played.push(Int16Array.from(samples, (sample) => Math.max(-1, Math.min(1, sample)) * 32767));
          });
          context.createMediaStreamSource(new MediaStream([track])).connect(tap);
          tap.connect(context.destination);
        });
      }
    };
  }, RATE_HZ);
  await page.goto(simulator);
  await page.waitForFunction(() => document.body.dataset.light !== undefined && document.querySelector("h1").textContent !== "Simulator");
  return { browser, page, name: await page.locator("h1").textContent() };
}

const light = (page, wanted) => page.waitForFunction((word) => document.body.dataset.light === word, wanted);

/** 16 bits, mono. */
function wav(samples) {
  const bytes = Buffer.alloc(44 + 2 * samples.length);
  bytes.write("RIFF", 0);
  bytes.writeUInt32LE(36 + 2 * samples.length, 4);
  bytes.write("WAVEfmt ", 8);
  [[16, 4], [1, 2], [1, 2], [RATE_HZ, 4], [2 * RATE_HZ, 4], [2, 2], [16, 2]].reduce((at, [value, width]) => bytes.writeUIntLE(value, at, width), 16);
  bytes.write("data", 36);
  bytes.writeUInt32LE(2 * samples.length, 40);
  samples.forEach((sample, at) => bytes.writeInt16LE(sample, 44 + 2 * at));
  return bytes;
}

try {
  const callee = await tabHearing(silenceFile);
  const caller = await tabHearing(callerFile);
  assert.notEqual(callee.name, caller.name, "two tabs are two speakers");
  // The one who is called has a microphone too: a call is heard both ways.
  await callee.page.locator("#listen").check();
  await callee.page.waitForFunction(() => document.body.dataset.sound === "on");
  await caller.page.locator("#listen").check();
  await light(callee.page, "ringing");
  await callee.page.locator("#words").fill("answer");
  await callee.page.keyboard.press("Enter");
  await light(callee.page, "on call");
  await light(caller.page, "on call");
  await callee.page.evaluate(() => (window.played = []));
  // As long as the rest of the recording: the sentence, twice.
  await callee.page.waitForTimeout(Number(process.env.HEARTH_LISTEN_MS ?? 18_000));
  const played = await callee.page.evaluate(() => {
    const whole = new Uint8Array(window.played.reduce((sum, part) => sum + part.byteLength, 0));
    let at = 0;
    for (const part of window.played) {
      whole.set(new Uint8Array(part.buffer), at);
      at += part.byteLength;
    }
    return whole.toBase64?.() ?? btoa(Array.from(whole, (byte) => String.fromCharCode(byte)).join(""));
  });
  const bytes = Buffer.from(played, "base64");
  const samples = new Int16Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
  writeFileSync(heardFile, wav(samples));
  await caller.page.locator("#words").fill("hang up");
  await caller.page.keyboard.press("Enter");
  await light(callee.page, "off");
  assert.equal(await callee.page.locator(".steps li[data-step=call]").count(), 0, "no call for help was made");
  assert.deepEqual(faults, []);
  console.log(`${caller.name} called ${callee.name}: ${(samples.length / RATE_HZ).toFixed(1)} s arrived`);
  await caller.browser.close();
  await callee.browser.close();
} catch (problem) {
  console.error(problem, faults.join("\n"));
  process.exit(1);
}
process.exit(0);
