// The person: FOLDER (of the libraries) ADDRESS PASSWORD.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { SIGHTS, launch, library, look, open, signIn as signInAt, visitor as visitorOf } from "./people.mjs";

const [folder, address, password] = process.argv.slice(2);
const { chromium, axe } = library(folder);
const HOSTILE = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>';
const PLACES = ["home", "messages", "phone", "calls", "contacts", "lines", "incidents", "readiness", "routines", "settings"];
const browser = await launch(chromium);
const faults = [];
const visitor = (options) => visitorOf(browser, faults, options);
const signIn = (page, login) => signInAt(page, address, login, password);
const inspect = (page, name) => look(page, axe, name);

try {
  const olive = await visitor();
  const asked = Date.now();
  await olive.goto(address);
  const painted = await olive.waitForFunction(() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime);
  const paint = await painted.jsonValue();
  await inspect(olive, "sign-in");
  await olive.fill("input[name=login]", "olive");
  await olive.fill("input[name=password]", "wrong");
  await olive.keyboard.press("Enter");
  await olive.waitForSelector(".told.banner.bad:has-text('do not go together')");
  await signIn(olive, "olive");

  // A contact and a room whose names would be scripts.
  await open(olive, "contacts");
  await olive.getByLabel("Name", { exact: true }).fill(`Anna ${HOSTILE}`.slice(0, 100));
  await olive.getByLabel(/^Number/).fill("+1 202 555 0123");
  await olive.getByRole("button", { name: "Add" }).click();
  await olive.waitForSelector(".rows .title:has-text('Anna <img')");
  await olive.getByLabel("Name", { exact: true }).fill("Nobody");
  await olive.getByLabel(/^Number/).fill("911");
  await olive.getByRole("button", { name: "Add" }).click();
  await olive.waitForSelector(".told.banner.bad");
  // It is changed in its place: a second number, a speed dial.
  await olive.getByRole("button", { name: /^Edit Anna/ }).click();
  const editing = olive.locator(".rows form");
  await editing.getByRole("button", { name: "One more number" }).click();
  await editing.getByLabel(/^Number/).nth(1).fill("+1 202 555 0124");
  await editing.getByLabel("Speed dial").selectOption("3");
  await inspect(olive, "contacts-edit");
  await editing.getByRole("button", { name: "Save" }).click();
  await olive.waitForSelector(".rows .badge:has-text('speed dial 3')");
  await olive.waitForSelector(".rows:has-text('+12025550124')");
  await open(olive, "home");
  // What a speaker keeps for later, in its own words and nothing but words.
  const kept = olive.locator("section.card", { hasText: "Timers, reminders and lists" });
  await kept.locator(".title", { hasText: "water <img" }).waitFor();
  await kept.getByText("Reminder · for Adam · again and again · Kitchen speaker").waitFor();
  await kept.getByText("stands still · Kitchen speaker").waitFor();
  await kept.getByRole("heading", { name: "List: shopping" }).waitFor();
  await kept.locator(".title", { hasText: "flour" }).waitFor();
  await olive.getByRole("button", { name: "Find phone of Olive" }).click();
  await olive.getByText("None is registered, and no browser wants to be told.").waitFor();
  await olive.getByText("Add a room").click();
  await olive.locator("details", { hasText: "Add a room" }).getByLabel("Name", { exact: true }).fill("Kitchen <b onmouseover=window.hacked=1>");
  await olive.locator("details", { hasText: "Add a room" }).getByRole("button", { name: "Add" }).click();
  await olive.waitForSelector(".rows .title:has-text('Kitchen <b')");

  await olive.getByRole("button", { name: /^Edit Kitchen <b/ }).click();
  await olive.getByLabel("Name of the room").fill("Kitchen");
  await olive.locator(".rows form").getByRole("button", { name: "Save" }).click();
  // Whoever edits before the page knows the new name is offered the old one.
  await olive.waitForSelector(".rows .title:text-is('Kitchen')");
  await olive.getByRole("button", { name: "Edit Kitchen speaker" }).click();
  await olive.getByLabel("Where it stands").first().selectOption({ label: "Kitchen" });
  await olive.locator(".rows form").getByRole("button", { name: "Save" }).click();
  await olive.waitForSelector(".rows :text('Speaker · Kitchen')");
  // A device is invited: the code to type, and the same to scan.
  await olive.getByText("Invite a device").click();
  const inviting = olive.locator("details", { hasText: "Invite a device" });
  await inviting.getByLabel("Name", { exact: true }).fill("Tablet");
  await inviting.getByRole("button", { name: "Make a code" }).click();
  await olive.getByRole("img", { name: "QR code of the invitation" }).waitFor();
  await olive.waitForTimeout(700); // the event of the invitation itself takes nothing away
  assert.ok(await olive.getByRole("img", { name: "QR code of the invitation" }).isVisible());
  await inspect(olive, "invited");

  // Adam writes; it stands on Olive's open page without her doing anything, as text.
  const adam = await visitor();
  await signIn(adam, "adam");
  await open(olive, "messages");
  await open(adam, "messages");
  await adam.getByRole("combobox", { name: "To" }).selectOption({ label: "olive" });
  await adam.getByRole("textbox", { name: "Message" }).fill(HOSTILE);
  await adam.getByRole("button", { name: "Send" }).click();
  await olive.waitForSelector("#inbox .message.new:has-text('<script>')");
  await olive.waitForSelector("nav .count");
  assert.match(await olive.textContent("#live"), /new message/i, "a reader of the screen is told");
  await olive.getByRole("button", { name: "Mark all as read" }).click();
  await olive.waitForSelector("#inbox .message:not(.new)");
  await olive.waitForSelector("nav .count", { state: "detached" });

  // A lost answer: the message is sent again under its own name and arrives once.
  let lost = 0;
  await adam.route("**/api/v1/messages", async (route) => {
    if (route.request().method() !== "POST" || lost > 0) return route.continue();
    lost += 1;
    await route.fetch();
    return route.abort();
  });
  await adam.getByRole("combobox", { name: "To" }).selectOption({ label: "olive" });
  await adam.getByRole("textbox", { name: "Message" }).fill("only once");
  await adam.getByRole("button", { name: "Send" }).click();
  await adam.waitForSelector(".told.banner.bad:has-text('cannot be reached')");
  await adam.getByRole("button", { name: "Send" }).click();
  await adam.waitForFunction(() => document.querySelector("textarea").value === "");
  await olive.waitForSelector("#inbox .message:has-text('only once')");
  await olive.reload();
  await olive.waitForSelector("#inbox .message:has-text('only once')");
  assert.equal(await olive.locator("#inbox .message", { hasText: "only once" }).count(), 1);

  // Quiet hours are kept.
  await open(olive, "settings");
  await olive.getByLabel("Nothing rings on my devices").check();
  await olive.locator("form", { hasText: "Nothing rings" }).getByRole("button", { name: "Save" }).click();
  await olive.waitForTimeout(300);
  await olive.reload();
  await olive.waitForSelector("nav a[data-page=settings][aria-current]");
  assert.ok(await olive.getByLabel("Nothing rings on my devices").isChecked());

  // Who may drop in, speaker by speaker, and who may call: nobody's name is lost on the way.
  const card = (title) => olive.locator("section.card", { has: olive.locator("h2", { hasText: title }) });
  const saved = async (place) => {
    await place.getByRole("button", { name: "Save" }).click();
    await olive.waitForTimeout(300);
  };
  await card("Drop In").getByRole("button", { name: "Edit who may drop in: Kitchen speaker" }).click();
  await card("Drop In").locator("li").getByLabel("adam", { exact: true }).check();
  await saved(card("Drop In").locator("li"));
  await card("Drop In").locator("li", { hasText: "adam may drop in" }).waitFor();
  await card("Who may call me").getByLabel("Within the home only some may call me").check();
  await card("Who may call me").getByLabel("adam", { exact: true }).check();
  await saved(card("Who may call me"));
  await olive.reload();
  await olive.waitForSelector("nav a[data-page=settings][aria-current]");
  await card("Drop In").locator("li", { hasText: "adam may drop in" }).waitFor();
  assert.ok(await card("Who may call me").getByLabel("adam", { exact: true }).isChecked());
  const held = await olive.evaluate(async () => {
    const { get } = await import("/api.js");
    const speaker = (await get("devices")).find(({ kind }) => kind === "speaker");
    const own = (await get("people")).find(({ name }) => name === "olive");
    return [await get(`devices/${speaker.id}/call-settings`), await get(`people/${own.id}/call-settings`)];
  });
  assert.equal(held[0].drop_in.length, 1);
  assert.equal(held[1].only.length, 1);
  assert.ok(held[1].do_not_disturb, "what another card holds stays");

  // What a role may not open is not there.
  const gail = await visitor();
  await signIn(gail, "gail");
  const places = await gail.locator("nav a").evaluateAll((links) => links.map((link) => link.dataset.page));
  assert.deepEqual(places, ["home", "messages", "settings"]);

  // Every place in both themes and three widths.
  const state = await olive.context().storageState();
  for (const [sight, media, viewport] of SIGHTS) {
    const page = await visitor({ ...media, viewport, storageState: state });
    await page.goto(address);
    await page.waitForSelector("nav a[aria-current]");
    for (const place of PLACES) {
      await open(page, place);
      await inspect(page, `${place}-${sight}`);
    }
    await page.goto(`${address}/verify.html`);
    await page.setInputFiles("#bundle", { name: "no.zip", mimeType: "application/zip", buffer: Buffer.from("no bundle") });
    await page.waitForSelector("#result[data-exit='3']");
    await inspect(page, `verify-${sight}`);
    await page.context().close();
  }

  // The page of one file, copied to a stick: no network, no neighbours.
  const stick = join(mkdtempSync(join(tmpdir(), "stick-")), "verify.html");
  writeFileSync(stick, readFileSync(join(dirname(fileURLToPath(import.meta.url)), "../../web/verify.html")));
  const alone = await visitor({ offline: true });
  await alone.goto(pathToFileURL(stick).href);
  await alone.setInputFiles("#bundle", { name: "no.zip", mimeType: "application/zip", buffer: Buffer.from("no bundle") });
  await alone.waitForSelector("#result[data-exit='3']");

  // Installable: a manifest that reads, and a service worker that shows the app when the hub is away.
  const client = await olive.context().newCDPSession(olive);
  const { errors, data } = await client.send("Page.getAppManifest");
  assert.deepEqual(errors, []);
  assert.equal(JSON.parse(data).display, "standalone");
  await olive.evaluate(() => navigator.serviceWorker.ready);
  await olive.reload();
  await olive.waitForSelector("nav a[aria-current]");
  await olive.context().setOffline(true);
  await olive.reload();
  await olive.waitForSelector(".banner.bad:has-text('cannot be reached')");
  await olive.context().setOffline(false);
  await olive.waitForSelector("nav a[aria-current]");

  await olive.getByRole("button", { name: "Sign out" }).click();
  await olive.waitForSelector("input[name=login]");
  assert.deepEqual(faults, []);
  console.log(`first paint after ${Math.round(paint)} ms; everything after ${Date.now() - asked} ms`);
} finally {
  await browser.close();
}
