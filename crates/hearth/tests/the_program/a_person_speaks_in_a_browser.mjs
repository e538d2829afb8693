// The person at the simulator: FOLDER (of the libraries) SIMULATOR CONSOLE HELP.wav EVERYDAY.wav.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const [folder, simulator, callTaker, helpFile, everydayFile] = process.argv.slice(2);
const library = createRequire(join(folder, "package.json"));
const { chromium } = library("playwright-core");
const axe = readFileSync(library.resolve("axe-core/axe.min.js"), "utf8");
const shots = process.env.HEARTH_SCREENSHOTS;
const faults = [];

/** A browser whose microphone plays a file once, from the moment at which a page opens it. */
async function browserHearing(file, { allowed = true } = {}) {
  const args = ["--no-sandbox", "--use-fake-device-for-media-stream", "--allow-loopback-in-peer-connection"];
  if (file) args.push(`--use-file-for-fake-audio-capture=${file}%noloop`);
  if (allowed) args.push("--use-fake-ui-for-media-stream");
  const executablePath = ["/usr/bin/chromium", "/usr/bin/chromium-browser"].find(existsSync);
  return chromium.launch({ executablePath, args });
}

const MINUTE_MS = 60_000;
/** What a speaker of a whole house would tell. */
const HELD = [
  { device: "Living room", number: "911", console: "", home: true },
  { light: "off" },
  {
    shows: "agenda",
    holds: {
      timers: [
        { id: 1, name: "tea", length_ms: 4 * MINUTE_MS, left_ms: 0, due_ms: Date.now() + 3 * MINUTE_MS, paused: false, command: null },
        { id: 2, name: null, length_ms: 90 * MINUTE_MS, left_ms: 65 * MINUTE_MS, due_ms: null, paused: true, command: null },
      ],
      alarms: [
        { id: 3, rings_ms: Date.now() + 600 * MINUTE_MS, repeats: true, snoozed: false, text: null, to: null },
        { id: 4, rings_ms: Date.now() + 900 * MINUTE_MS, repeats: false, snoozed: false, text: "water <img src=x onerror=window.hacked=1>", to: "Adam" },
      ],
      lists: { shopping: [{ id: 5, text: "flour", done: false }, { id: 6, text: "a very long thing that nobody can buy in any of the shops of this town", done: true }] },
      stopwatch: { counted_ms: 61_000, since_ms: Date.now(), laps: [] },
    },
  },
  {
    shows: "music",
    holds: {
      state: "playing", title: "So What", artist: "Miles Example", album: "Kind of Example", station: null, position_ms: MINUTE_MS, at_ms: Date.now(),
      length_ms: 562_000, shuffle: true, repeat: false, percent: 35, player: "mpd", held: false, sleep_ms: null, rooms: ["Kitchen"], missing: null,
    },
  },
  {
    shows: "house",
    holds: {
      things: [
        { name: "Ceiling", domain: "light", area: "Living room", state: "on", percent: 80, rgb_color: [255, 160, 90], reachable: true },
        { name: "Reading lamp", domain: "light", area: "Living room", state: "on", reachable: true },
        { name: "Desk", domain: "light", area: "Office", state: "off", reachable: true },
        { name: "Front door", domain: "lock", area: "Hall", state: "locked", reachable: true },
        { name: "Blinds", domain: "cover", area: "Bedroom", state: "open", reachable: true },
      ],
      systems: [{ name: "Hue", answers: false, why: "no answer in 2 s" }, { name: "Home Assistant", answers: true, why: null }],
    },
  },
];

async function visitor(browser, options = {}) {
  const page = await (await browser.newContext(options)).newPage();
  page.setDefaultTimeout(30_000);
  page.on("pageerror", (error) => faults.push(`${page.url()}: ${error.message}`));
  page.on("console", (message) => {
    const expected = /status of [45]\d\d|ERR_|Failed to fetch/.test(message.text());
    if (message.type() === "error" && !expected) faults.push(`${page.url()}: ${message.text()}`);
  });
  return page;
}

async function open(page) {
  await page.goto(simulator);
  await page.waitForFunction(() => document.body.dataset.light !== undefined && document.querySelector("h1").textContent !== "Simulator");
}

async function inspect(page, name) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => globalThis.axe.run());
  const told = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" | ")}`);
  assert.deepEqual(told, [], `axe-core on ${name}`);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(wide <= 0, `${name} is ${wide} px wider than the window`);
  if (shots) await page.screenshot({ path: join(shots, `simulator-${name}.png`), fullPage: true });
}

const step = (page, kind, text) => page.locator(`.steps li[data-step=${kind}]`, { hasText: text }).first();

/** Holds the space bar until something is on the page. */
async function holdingSpace(page, until) {
  await page.locator("body").press("Tab").catch(() => {});
  await page.evaluate(() => document.activeElement?.blur());
  await page.keyboard.down("Space");
  await until();
  await page.keyboard.up("Space");
}

try {
  // --- a call for help, by the space bar, answered by a person ---
  {
    const browser = await browserHearing(helpFile);
    const page = await visitor(browser, { viewport: { width: 1200, height: 900 }, colorScheme: "light" });
    await open(page);
    await inspect(page, "idle-light-desktop");
    const manifest = await (await page.request.get(`${simulator}manifest.webmanifest`)).json();
    assert.equal(manifest.name, "Hearthline simulator");
    // The switch of the microphone: nothing is heard, and the page says so.
    await page.locator("#mute").click();
    await page.waitForFunction(() => document.body.dataset.ring === "muted");
    assert.ok(await page.locator("#hold").isDisabled());
    await page.locator("[data-note=muted]", { hasText: "not even a call for help" }).waitFor();
    await inspect(page, "muted-light-desktop");
    await page.locator("#mute").click();
    await page.waitForFunction(() => document.body.dataset.ring === "idle");
    assert.equal(await page.locator("[data-note=muted]").count(), 0);
    const desk = await visitor(browser);
    await desk.goto(callTaker);
    await page.bringToFront();
    await holdingSpace(page, async () => {
      await step(page, "wake", "alexa").waitFor();
      await page.waitForTimeout(1400);
    });
    await step(page, "decision", "Calls for help").waitFor();
    const said = await page.locator(".talk .you").first().textContent();
    assert.match(said.toLowerCase(), /(911|nine one one)/, said);
    await page.waitForFunction(() => document.body.dataset.light === "announcing");
    await page.locator("#cancel").waitFor();
    await inspect(page, "announcing-light-desktop");
    await page.waitForFunction(() => document.body.dataset.light === "calling");
    await desk.bringToFront();
    await desk.waitForFunction(() => document.title.includes("DRILL call"));
    await desk.keyboard.press("Enter");
    await page.bringToFront();
    await page.waitForFunction(() => document.body.dataset.light === "connected");
    assert.equal(await page.evaluate(() => document.body.dataset.ring), "call");
    await step(page, "call", "A call-taker has answered").waitFor();
    // In words of people: no name of the program, no number for a line that has a name.
    const shown = (await page.locator(".steps .text").allTextContents()).join("\n");
    assert.doesNotMatch(shown, /EmergencyCall|Hass[A-Z]|FirstPacket|line 0|urn:service|->/, shown);
    // Two-way sound: what the person at the desk hears is this page's microphone, without a gap.
    await page.waitForTimeout(2000);
    await inspect(page, "connected-light-desktop");
    const calls = await (await desk.request.get(`${callTaker}calls`)).json();
    const call = (calls.calls ?? calls).at(-1);
    assert.equal(call.drill, true);
    await desk.request.post(`${callTaker}calls/${call.id}/hang-up`);
    const incident = page.locator("[data-incident]").first();
    await incident.waitFor();
    assert.match(await incident.locator(".badge").first().textContent(), /intact/);
    const [saved] = await Promise.all([page.waitForEvent("download"), incident.locator("a.button").click()]);
    assert.match(saved.suggestedFilename(), /\.zip$/);
    // The page of one file, which the bundle can be dropped on, runs under its own policy.
    const check = await visitor(browser);
    await check.goto(`${simulator}verify.html`);
    await check.locator("input[type=file]").first().setInputFiles(await saved.path());
    await check.getByText("every entry says that it is a drill").first().waitFor();
    await page.bringToFront();
    await incident.locator("summary").click();
    await page.emulateMedia({ colorScheme: "dark" });
    await inspect(page, "incident-dark-desktop");
    for (const [name, width, height] of [["tablet", 820, 1000], ["phone", 360, 740]]) {
      await page.setViewportSize({ width, height });
      for (const colorScheme of ["light", "dark"]) {
        await page.emulateMedia({ colorScheme });
        await inspect(page, `incident-${colorScheme}-${name}`);
      }
    }
    await browser.close();
  }

  // --- everyday sentences: with the button in place of the wake word, then by the wake word alone ---
  {
    const browser = await browserHearing(everydayFile);
    const page = await visitor(browser, { viewport: { width: 1000, height: 800 } });
    await open(page);
    await holdingSpace(page, async () => {
      // As a person does: the bar is let go when the question has been said.
      await page.waitForFunction(() => document.body.dataset.sound === "on");
      await page.waitForFunction(() => document.querySelector("meter").value > 0.3);
      await page.waitForFunction(() => {
        globalThis.quietSince = document.querySelector("meter").value > 0.15 ? undefined : (globalThis.quietSince ?? performance.now());
        return performance.now() - globalThis.quietSince > 250;
      });
    });
    await page.locator(".talk .device").first().waitFor();
    const answer = await page.locator(".talk .device").first().textContent();
    assert.match(answer, /it is|\d/i, answer);
    assert.equal(await page.locator(".steps [data-step=wake]").count(), 0, "no wake word was needed");
    await page.waitForFunction(() => document.body.dataset.firstSoundMs !== undefined);
    console.log(`space bar released to first sound: ${await page.evaluate(() => document.body.dataset.firstSoundMs)} ms`);
    await page.waitForFunction(() => document.body.dataset.light === "off");
    // The rest of the file: the same words behind the wake word, which the page listens for.
    await page.locator("#listen").check();
    await step(page, "wake", "alexa").waitFor();
    await page.waitForFunction(() => document.querySelectorAll(".talk .device").length >= 2);

    // --- typed words: everyday sentences, and never a call ---
    const before = await page.locator(".talk .device").count();
    await page.locator("#words").fill("Alexa, call 911!");
    await page.keyboard.press("Enter");
    await step(page, "decision", "without the wake word").waitFor();
    await page.waitForFunction((count) => document.querySelectorAll(".talk .device").length > count, before);
    assert.equal(await page.locator(".steps [data-step=call]").count(), 0, "typed words call nobody");
    assert.equal(await page.evaluate(() => document.body.dataset.light), "off");
    await page.locator("#words").fill("<img src=x onerror=window.hacked=1>");
    await page.keyboard.press("Enter");
    await page.locator(".talk .you", { hasText: "<img" }).waitFor();
    assert.equal(await page.evaluate(() => window.hacked), undefined);

    // --- what the skills hold: a timer counts; what plays and what burns is shown as it is told ---
    await page.locator("#words").fill("set a timer for ten minutes");
    await page.keyboard.press("Enter");
    const timer = page.locator("[data-holds=agenda] [role=timer]");
    await timer.waitFor();
    const left = await timer.textContent();
    assert.match(left, /^(10:00|9:\d\d)$/);
    await page.waitForFunction((before) => document.querySelector("[data-holds=agenda] [role=timer]").textContent !== before, left);
    await page.locator("#words").fill("cancel the timer");
    await page.keyboard.press("Enter");
    await page.locator("[data-holds=agenda]").waitFor({ state: "detached" });
    const shown = await visitor(browser);
    await shown.route(/\/simulator\/tabs$/, (route) => route.fulfill({ status: 201, contentType: "application/json", body: JSON.stringify({ tab: "made-up" }) }));
    await shown.addInitScript((held) => {
      window.EventSource = class extends EventTarget {
        constructor() {
          super();
          setTimeout(() => {
            this.dispatchEvent(new Event("open"));
            for (const news of held) this.dispatchEvent(new MessageEvent("message", { data: JSON.stringify(news) }));
          });
        }
        close() {}
      };
    }, HELD);
    await open(shown);
    await shown.locator("[data-holds=house] [data-thing='Ceiling'] .lit").waitFor();
    assert.equal(await shown.locator("[data-holds=house] h2").textContent(), "Lights: 2 of 3 on");
    assert.match(await shown.locator("[data-thing='Ceiling']").textContent(), /on, 80 %/);
    assert.match(await shown.locator("[data-holds=house] .banner").textContent(), /Hue does not answer/);
    assert.match(await shown.locator("[data-holds=music]").textContent(), /So What, Miles Example.*[1-9]:\d\d of 9:22/);
    assert.equal(await shown.locator("[data-holds=agenda] [role=timer]").count(), 3);
    assert.equal(await shown.evaluate(() => window.hacked), undefined);
    assert.equal(await shown.locator("[data-holds] img").count(), 0, "names are text");
    for (const [name, width, height] of [["desktop", 1200, 900], ["tablet", 820, 1000], ["phone", 360, 740]]) {
      await shown.setViewportSize({ width, height });
      for (const colorScheme of ["light", "dark"]) {
        await shown.emulateMedia({ colorScheme });
        await inspect(shown, `holding-${colorScheme}-${name}`);
      }
    }
    await shown.context().close();

    // --- the connection is lost, and comes back by itself; a reload finds the same device ---
    const name = await page.locator("h1").textContent();
    await page.locator(".talk .device", { hasText: "did not understand" }).waitFor();
    await step(page, "end", "ignored").waitFor();
    await page.waitForTimeout(1000);
    const steps = await page.locator(".steps li").count();
    await page.context().setOffline(true);
    await page.reload().catch(() => {});
    await page.context().setOffline(false);
    await open(page);
    assert.equal(await page.locator("h1").textContent(), name);
    await page.waitForFunction((count) => document.querySelectorAll(".steps li").length === count, steps);

    // --- two tabs are two devices; a copy of a tab is told so ---
    const second = await visitor(browser);
    await open(second);
    assert.notEqual(await second.locator("h1").textContent(), name);
    const copy = await page.context().newPage();
    const kept = await page.evaluate(() => sessionStorage.getItem("hearthline-simulator-tab"));
    await copy.addInitScript((tab) => sessionStorage.setItem("hearthline-simulator-tab", tab), kept);
    await open(copy);
    assert.equal(await copy.locator("h1").textContent(), name);
    await page.locator("[data-note=replaced]").waitFor();
    await page.getByRole("button", { name: "Open another speaker" }).click();
    await page.waitForFunction((old) => document.querySelector("h1").textContent !== old, name);
    await browser.close();
  }

  // --- no leave to use the microphone ---
  {
    const browser = await browserHearing(null, { allowed: false });
    const page = await visitor(browser, { viewport: { width: 360, height: 740 }, colorScheme: "dark" });
    await open(page);
    await page.locator("#hold").click();
    await page.locator("[data-note=microphone]").waitFor();
    assert.equal(await page.evaluate(() => document.body.dataset.ring), "muted");
    await inspect(page, "refused-dark-phone");
    await page.locator("#words").fill("What time is it?");
    await page.keyboard.press("Enter");
    await page.locator(".talk .device").first().waitFor();
    await browser.close();
  }
  assert.deepEqual(faults, []);
  console.log("the person was understood");
} catch (problem) {
  console.error(problem);
  console.error(faults.join("\n"));
  process.exit(1);
}
process.exit(0);
