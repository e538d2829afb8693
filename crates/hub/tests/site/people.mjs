// What the scripts of this folder share: a browser whose people have microphones, and looking at what they see.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const shots = process.env.HEARTH_SCREENSHOTS;

/** `folder` holds the libraries. */
export function library(folder) {
  const found = createRequire(join(folder, "package.json"));
  return { chromium: found("playwright-core").chromium, axe: readFileSync(found.resolve("axe-core/axe.min.js"), "utf8") };
}

/** Chromium whose microphone is a recording, again and again, or beeps. ICE may use loopback, where everything of a test is.
 * Without `microphone` there is none, and nobody allows one. */
export function launch(chromium, { recording, loopback = true, microphone = true } = {}) {
  return chromium.launch({
    executablePath: ["/usr/bin/chromium", "/usr/bin/chromium-browser"].find(existsSync),
    args: [
      "--no-sandbox", "--ignore-certificate-errors", "--autoplay-policy=no-user-gesture-required",
      ...(microphone ? ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"] : []),
      ...(loopback ? ["--allow-loopback-in-peer-connection"] : []),
      ...(recording === undefined ? [] : [`--use-file-for-fake-audio-capture=${recording}`]),
    ],
  });
}

/** Somebody with a page; what goes wrong on it is put into `faults`. */
export async function visitor(browser, faults, options = {}) {
  const folder = process.env.HEARTH_WEB;
  const context = await browser.newContext({ ignoreHTTPSErrors: true, ...(folder === undefined ? {} : { serviceWorkers: "block" }), ...options });
  // For whoever changes the files: those of the folder in place of those in the program.
  if (folder !== undefined) {
    await context.route(/\.(js|css)$/, async (route) => {
      const { pathname } = new URL(route.request().url());
      await route.fulfill({ body: readFileSync(join(folder, pathname)), contentType: pathname.endsWith("css") ? "text/css" : "text/javascript" });
    });
  }
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  page.on("pageerror", (error) => faults.push(`${page.url()}: ${error.message}`));
  page.on("console", (message) => {
    const expected = /status of (4\d\d|503)|ERR_INTERNET_DISCONNECTED|ERR_FAILED|ERR_CONNECTION|WebSocket connection/.test(message.text());
    if (message.type() === "error" && !expected) faults.push(`${page.url()}: ${message.text()}`);
  });
  page.on("dialog", (dialog) => {
    faults.push(`a dialog: ${dialog.message()}`);
    dialog.dismiss();
  });
  return page;
}

export async function signIn(page, address, login, password) {
  await page.goto(address);
  await page.waitForSelector("input[name=login]:focus");
  await page.keyboard.type(login);
  await page.keyboard.press("Tab");
  await page.keyboard.type(password);
  await page.keyboard.press("Enter");
  await page.waitForSelector("nav a[aria-current]");
}

export async function open(page, place) {
  await page.evaluate((hash) => (location.hash = `#/${hash}`), place);
  await page.waitForSelector(`nav a[data-page=${place}][aria-current]`);
  // A page is loaded when somebody goes there: its title stands in the bar before it is drawn.
  await page.waitForFunction((title) => document.querySelector("main h1")?.textContent.toLowerCase() === title, place);
  await page.waitForTimeout(150);
}

/** Both themes and three widths. */
export const SIGHTS = [
  ["light-desktop", { colorScheme: "light" }, { width: 1200, height: 850 }],
  ["dark-tablet", { colorScheme: "dark" }, { width: 820, height: 1000 }],
  ["light-phone", { colorScheme: "light" }, { width: 360, height: 740 }],
  ["dark-phone", { colorScheme: "dark" }, { width: 360, height: 740 }],
  // Whoever looks at the pictures gets all six.
  ...(shots ? [["dark-desktop", { colorScheme: "dark" }, { width: 1200, height: 850 }], ["light-tablet", { colorScheme: "light" }, { width: 820, height: 1000 }]] : []),
];

/** What stands on the page now: nobody is shut out, nothing sticks out, no script ran. */
export async function look(page, axe, name) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => globalThis.axe.run());
  const told = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" | ")}`);
  assert.deepEqual(told, [], `axe-core on ${name}`);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(wide <= 0, `${name} is ${wide} px wider than the window`);
  assert.equal(await page.evaluate(() => window.hacked), undefined, `a script ran on ${name}`);
  if (shots) await page.screenshot({ path: join(shots, `${name}.png`), fullPage: true });
}

/** The same in every sight. */
export async function inspect(page, axe, name) {
  const before = page.viewportSize();
  for (const [sight, media, size] of SIGHTS) {
    await page.emulateMedia(media);
    await page.setViewportSize(size);
    await look(page, axe, `${name}-${sight}`);
  }
  await page.emulateMedia({ colorScheme: "light" });
  await page.setViewportSize(before);
}
