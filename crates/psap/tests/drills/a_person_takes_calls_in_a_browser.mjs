// The call-taker: FOLDER (of the libraries) ADDRESS MICROPHONE (a WAV). Says "ring" when it wants to be rung.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { createInterface } from "node:readline";

const [folder, address, microphone] = process.argv.slice(2);
const library = createRequire(join(folder, "package.json"));
const { chromium } = library("playwright-core");
const axe = readFileSync(library.resolve("axe-core/axe.min.js"), "utf8");
const shots = process.env.HEARTH_SCREENSHOTS;
const SIGHTS = [
  ["light-desktop", "light", { width: 1200, height: 850 }],
  ["dark-tablet", "dark", { width: 820, height: 1000 }],
  ["light-phone", "light", { width: 360, height: 740 }],
  ["dark-phone", "dark", { width: 360, height: 740 }],
];
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const faults = [];

const browser = await chromium.launch({
  executablePath: ["/usr/bin/chromium", "/usr/bin/chromium-browser"].find(existsSync),
  args: [
    "--no-sandbox",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
    `--use-file-for-fake-audio-capture=${microphone}`,
    "--allow-loopback-in-peer-connection",
  ],
});

async function visitor() {
  const page = await (await browser.newContext()).newPage();
  page.setDefaultTimeout(15_000);
  page.on("pageerror", (error) => faults.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error" && !/status of 4\d\d/.test(message.text())) faults.push(message.text());
  });
  return page;
}

async function ringMe() {
  console.log("ring");
  await lines.next();
}

async function inspect(page, name) {
  for (const [sight, colorScheme, viewport] of SIGHTS) {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize(viewport);
    await page.evaluate(axe);
    const { violations } = await page.evaluate(() => globalThis.axe.run());
    const told = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" | ")}`);
    assert.deepEqual(told, [], `axe-core on ${name}, ${sight}`);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(wide <= 0, `${name} is ${wide} px wider than the window (${sight})`);
    if (shots) await page.screenshot({ path: join(shots, `console-${name}-${sight}.png`), fullPage: true });
  }
}

/** The loudest frequency of what the page plays of the caller. */
function hears(page) {
  return page.evaluate(async () => {
    const stream = globalThis.tracks.at(-1);
    const context = new AudioContext();
    const analyser = new AnalyserNode(context, { fftSize: 8192 });
    new MediaStreamAudioSourceNode(context, { mediaStream: stream }).connect(analyser);
    const bins = new Float32Array(analyser.frequencyBinCount);
    for (let tries = 0; tries < 60; tries += 1) {
      await new Promise((done) => setTimeout(done, 100));
      analyser.getFloatFrequencyData(bins);
      const top = bins.indexOf(Math.max(...bins));
      if (tries > 10 && bins[top] > -50) return (top * context.sampleRate) / analyser.fftSize;
    }
    return 0;
  });
}

try {
  const page = await visitor();
  // Listens beside the page to the tracks that it gets.
  await page.addInitScript(() => {
    globalThis.tracks = [];
    const Peer = RTCPeerConnection;
    globalThis.RTCPeerConnection = class extends Peer {
      constructor(...given) {
        super(...given);
        this.addEventListener("track", ({ track }) => globalThis.tracks.push(new MediaStream([track])));
      }
    };
  });
  await page.goto(address);
  await page.waitForSelector("#take:focus");
  await page.waitForSelector("h1:has-text('No call')");
  await inspect(page, "empty");
  await page.keyboard.press("Enter");
  await page.waitForSelector("#at-desk.good");

  await ringMe();
  await page.waitForSelector(".call-head.ringing");
  await page.waitForSelector("#answer:focus");
  assert.match(await page.title(), /DRILL/);
  assert.match(await page.textContent("#live"), /a call rings.*Enter answers/);
  assert.match(await page.textContent("#address"), /12 Juniper Road, Tijeras/);
  assert.match(await page.textContent("#state"), /machine answers in \d+ s/);
  assert.match(await page.textContent("header"), /DRILL/);
  assert.equal(await page.locator(".map").getAttribute("aria-label"), "Sketch: within 30 m of this point");
  assert.match(await page.textContent("#details"), /The device keeps a signed record/);
  await inspect(page, "ringing");
  await page.keyboard.press("Escape");
  await page.waitForSelector("#live:has-text('bell is silent')");

  const asked = Date.now();
  await page.keyboard.press("Enter");
  await page.waitForSelector("#state:has-text('You are connected')");
  console.log(`connected ${Date.now() - asked} ms after the key`);
  const heard = await hears(page);
  assert.ok(Math.abs(heard - 440) < 15, `the caller's tone is heard at ${heard} Hz`);
  await page.waitForFunction(() => document.getElementById("level-caller").value > 0.5);
  await page.waitForFunction(() => document.getElementById("level-own").value > 0.5);
  await page.waitForSelector(".timeline:has-text('Answered')");
  await inspect(page, "call");
  await page.waitForTimeout(2000);

  // The page is loaded anew: the caller stays, and is heard again once the person is back.
  await page.reload();
  await page.waitForSelector(".call-head.call");
  await page.focus("#take");
  await page.keyboard.press("Enter");
  await page.waitForSelector("#talk:focus");
  await page.keyboard.press("Enter");
  await page.waitForSelector("#state:has-text('You are connected')");
  assert.ok(Math.abs((await hears(page)) - 440) < 15, "heard again");
  await page.keyboard.press("F2");
  await page.waitForSelector("#mute[aria-pressed=true]");
  await page.keyboard.press("F2");
  await page.waitForSelector("#mute[aria-pressed=false]");

  await page.keyboard.press("F4");
  await page.waitForSelector("#hang-up:has-text('Really')");
  assert.equal(await page.locator(".call-head.call").count(), 1, "once is not enough");
  await page.keyboard.press("F4");
  await page.waitForSelector("#state:has-text('ended by call-taker')");
  await page.waitForSelector("#recording");
  const length = await page.waitForFunction(() => document.getElementById("recording").duration || false);
  assert.ok((await length.jsonValue()) > 4, "the recording is as long as the call");
  await page.evaluate(() => document.getElementById("recording").play());
  await page.waitForFunction(() => document.getElementById("recording").currentTime > 0.5);
  const saved = await page.evaluate(() => fetch("/calls/1/export").then((answer) => answer.json()));
  assert.equal(saved.drill, true);
  assert.equal(saved.call.answered_by, "person");
  await inspect(page, "over");

  // Two pages: what one answers, the other sees, and cannot answer again.
  const other = await visitor();
  await other.goto(address);
  await ringMe();
  await other.waitForSelector("#answer");
  await page.waitForSelector("#answer:focus");
  await page.keyboard.press("Enter");
  await page.waitForSelector("#state:has-text('You are connected')");
  await other.waitForSelector("#answer", { state: "detached" });
  await other.waitForSelector(".calls [data-call='1']");
  // The other page only looks: it takes the sound when somebody there asks for it, and the first lets it go for good.
  await other.waitForSelector("#state:has-text('at another page')");
  await inspect(other, "elsewhere");
  await page.waitForTimeout(1500);
  assert.match(await page.textContent("#state"), /You are connected/);
  await other.click("#talk");
  await other.waitForSelector("#state:has-text('You are connected')");
  await page.waitForSelector("#state:has-text('at another page')", { timeout: 30_000 });
  await other.waitForTimeout(1500);
  assert.match(await other.textContent("#state"), /You are connected/);
  await page.click("#talk");
  await page.waitForSelector("#state:has-text('You are connected')");
  await page.keyboard.press("F4");
  await page.keyboard.press("F4");
  await page.waitForSelector("#state:has-text('ended by call-taker')");
  // An earlier drill, by the keyboard alone.
  await page.focus(".calls [data-call='1']");
  await page.keyboard.press("Enter");
  await page.waitForSelector(".calls [data-call='1'][aria-current]");
  await page.waitForSelector("#recording[src='/calls/1/recording']");
  assert.deepEqual(faults, []);
} finally {
  await browser.close();
  process.stdin.destroy();
}
