// Routines and their key, a line's day, an incident's bundle looked at, notifications: FOLDER (of the libraries) ADDRESS
// PASSWORD
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { inspect, launch, library, open, signIn, visitor } from "./people.mjs";

const [folder, address, password] = process.argv.slice(2);
const { chromium, axe } = library(folder);
const browser = await launch(chromium);
const faults = [];

/** A push service that the browser has subscribed to: headless Chromium has none. */
function standIn() {
  const endpoint = localStorage.getItem("far") ?? "http://127.0.0.1:1/push/adam";
  const give = () => ({
    endpoint,
    toJSON: () => ({ endpoint, expirationTime: null, keys: JSON.parse(localStorage.getItem("stand-in")) }),
    unsubscribe: async () => localStorage.removeItem("stand-in"),
  });
  Notification.requestPermission = async () => "granted";
  PushManager.prototype.getSubscription = async () => (localStorage.getItem("stand-in") === null ? null : give());
  PushManager.prototype.subscribe = async () => {
    const { publicKey } = await crypto.subtle.generateKey({ name: "ECDH", namedCurve: "P-256" }, true, ["deriveBits"]);
    const text = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
    const p256dh = text(await crypto.subtle.exportKey("raw", publicKey));
    localStorage.setItem("stand-in", JSON.stringify({ p256dh, auth: text(new Uint8Array(16)) }));
    return give();
  };
}

try {
  const olive = await visitor(browser, faults);
  await signIn(olive, address, "olive", password);

  // A service, a routine that tells it, a second action of the same event.
  await open(olive, "routines");
  await olive.getByText("Add a service").click();
  const services = olive.locator("details", { hasText: "Add a service" });
  await services.getByLabel("Name", { exact: true }).fill("Phones");
  await services.getByLabel(/^Its address/).fill("http://127.0.0.1:1/home");
  await services.getByLabel(/^Token/).fill("tk_secret");
  await services.getByRole("button", { name: "Add" }).click();
  await olive.waitForSelector(".rows .title:has-text('Phones')");
  const add = async (event, kind, fill) => {
    await olive.getByText("Add a routine").click();
    const adding = olive.locator("details", { hasText: "Add a routine" });
    await adding.getByLabel(/^Name/).fill(event);
    await adding.getByLabel(/^What happens/).selectOption({ label: kind });
    await fill(adding);
    await adding.getByRole("button", { name: "Add" }).click();
  };
  await add("front_door", "A notification to a service", async (adding) => {
    assert.equal(await adding.getByLabel(/^Whom/).isVisible(), false, "what the action does not need is not asked");
    await adding.getByLabel(/^Service/).selectOption({ label: "Phones" });
    await adding.getByLabel(/^Title/).fill("Door");
    await adding.getByLabel(/^Words/).fill("<b>Somebody</b> is at the door: {{value1}}");
  });
  await olive.waitForSelector(".doings li:has-text('A notification to Phones: “Door”, “<b>Somebody</b>')");
  await add("front_door", "A person’s phones ring", (adding) => adding.getByLabel(/^Whom/).selectOption({ label: "adam" }));
  await olive.waitForSelector(".doings li:has-text('The phones of adam ring')");
  assert.equal(await olive.locator(".doings").count(), 1, "the same event, one routine");
  // Lights: only what is needed is asked, and what became of it is seen.
  await olive.locator(".rows > li", { hasText: "“Desk” in Hall blue" }).filter({ hasText: "knows of no <b>such</b> light." }).filter({ hasText: "not done" }).waitFor();
  await add("dusk", "Lights are switched", async (adding) => {
    assert.equal(await adding.getByLabel(/^Words/).isVisible(), false);
    assert.equal(await adding.getByLabel(/^How bright/).isVisible(), false);
    await adding.getByLabel(/^Which speaker/).selectOption({ label: "Kitchen" });
    await adding.getByLabel(/^Which light/).fill("Hob");
    await adding.getByLabel(/^What it shall be/).selectOption({ label: "So bright" });
    await adding.getByLabel(/^How bright/).fill("40");
    await inspect(olive, axe, "routines-light");
  });
  await olive.waitForSelector(".doings li:has-text('Kitchen: “Hob” at 40 %')");
  await add("bad name", "All speakers say something", (adding) => adding.getByLabel(/^Words/).fill("x"));
  assert.ok(await olive.locator("input:invalid").first().isVisible(), "a name that no address can have");
  await olive.reload();
  await olive.waitForSelector(".doings li");
  // The key: shown once.
  await olive.evaluate(() => (window.confirm = () => true));
  await olive.getByRole("button", { name: "Make a new key" }).click();
  const url = await olive.locator("#trigger-url").textContent();
  await inspect(olive, axe, "routines");
  const fired = await olive.evaluate((path) => fetch(path, { method: "POST" }).then((answer) => answer.text()), new URL(url.replace("EVENT", "front_door")).pathname);
  assert.equal(fired, "Congratulations! You've fired the front_door event");
  await olive.evaluate((path) => fetch(path, { method: "POST" }), new URL(url.replace("EVENT", "dusk")).pathname);
  await open(olive, "home");
  await open(olive, "routines");
  assert.equal(await olive.locator("#trigger-url").count(), 0, "it is not shown again");
  await olive.locator(".rows > li", { hasText: "“Hob” at 40 %" }).filter({ hasText: "not answered yet" }).waitFor();
  // What the service is told of beside its routine.
  await open(olive, "settings");
  const phones = olive.locator(".rows > li", { hasText: "Phones" });
  await phones.locator("text=told of nothing by itself").waitFor();
  await olive.getByRole("button", { name: "Edit what Phones is told of" }).click();
  await olive.getByLabel("Missed calls").last().check();
  await olive.getByLabel("Calls for help (drills)").last().check();
  await inspect(olive, axe, "settings-told");
  await olive.locator("form", { hasText: "Phones is told of" }).getByRole("button", { name: "Save" }).click();
  await olive.locator("text=told of missed calls, calls for help (drills)").waitFor();
  await open(olive, "routines");
  await olive.getByRole("button", { name: "Delete the routine of front_door" }).click();
  await olive.getByRole("button", { name: "Delete the routine of dusk" }).click();
  await olive.waitForSelector("text=No routine yet.");
  await olive.getByRole("button", { name: "Remove Phones" }).click();
  await olive.waitForSelector("text=No service yet.");
  // An adult reads them, and changes none.
  const adam = await visitor(browser, faults);
  await signIn(adam, address, "adam", password);
  await open(adam, "routines");
  await adam.waitForSelector("text=No routine yet.");
  assert.equal(await adam.getByRole("button", { name: /key|Add|Delete/ }).count(), 0);

  // What this browser is told of: as usual first, then as chosen. The browser's own push service is a stand-in.
  await adam.addInitScript(standIn);
  await adam.evaluate(() => localStorage.setItem("far", "https://push.example/of/adam"));
  await adam.reload();
  await open(adam, "settings");
  await adam.getByRole("button", { name: "Tell this browser" }).click();
  await adam.getByRole("alert").filter({ hasText: "by way of push.example, and this version sends nothing beyond" }).waitFor();
  assert.equal(await adam.evaluate(() => localStorage.getItem("stand-in")), null, "nothing is left subscribed");
  await adam.evaluate(() => localStorage.removeItem("far"));
  await adam.reload();
  await open(adam, "settings");
  await adam.getByRole("button", { name: "Tell this browser" }).click();
  const told = adam.locator("form", { hasText: "This browser is told of" });
  await told.waitFor();
  const chosen = () => told.locator("label.check").evaluateAll((labels) => labels.filter((label) => label.querySelector("input").checked).map((label) => label.textContent));
  assert.deepEqual(await chosen(), ["Calls that ring", "Messages"]);
  await told.getByLabel("Messages").uncheck();
  await told.getByLabel("Lines that fail, or work again").check();
  await told.getByRole("button", { name: "Save" }).click();
  await told.locator("text=Saved.").waitFor();
  await adam.reload();
  await told.waitFor();
  assert.deepEqual(await chosen(), ["Calls that ring", "Lines that fail, or work again"]);
  await adam.getByRole("button", { name: "Tell it no more" }).click();
  await adam.getByRole("button", { name: "Tell this browser" }).waitFor();

  // A line's day: in a picture and in the same words.
  await open(olive, "lines");
  const strip = olive.getByRole("img", { name: /^The last day in half hours/ });
  await strip.waitFor();
  assert.match(await strip.getAttribute("aria-label"), /Trouble from \d\d:\d\d to \d\d:\d\d \(silent\)/);
  assert.equal(await olive.locator(".day rect.trouble").count(), 1);
  assert.ok((await olive.locator(".day rect.good").count()) >= 20);
  assert.ok((await olive.locator(".day circle.unseen").count()) >= 4);
  assert.match(await olive.locator(".day figcaption").textContent(), /nobody looked from/i);
  await inspect(olive, axe, "lines-day");
  // How its calls go, set here and kept; what is not shown stays.
  const before = await olive.evaluate(async () => (await (await import("/api.js")).get("lines"))[0]);
  const opened = olive.locator("details", { hasText: "How its calls go" }).first();
  await opened.locator("summary").click();
  await inspect(olive, axe, "lines-settings");
  await opened.getByRole("checkbox", { name: "Kitchen" }).first().check();
  await opened.getByRole("combobox").selectOption("message");
  await opened.getByLabel(/When nobody answers/).fill("+49 30 5550 1234");
  await opened.getByRole("button", { name: "Save" }).click();
  await olive.waitForTimeout(400);
  const after = await olive.evaluate(async () => (await (await import("/api.js")).get("lines"))[0]);
  assert.equal(after.unknown_callers, "message");
  assert.equal(after.forward_to, "+493055501234");
  assert.equal(after.ring_rooms.length + after.ring_devices.length, 1);
  for (const kept of ["name", "kind", "position", "enabled", "caller_number"]) assert.deepEqual(after[kept], before[kept], kept);
  assert.deepEqual(after.sip, before.sip);

  // An incident: its bundle looked at here, sound and reasons, and downloaded as it is.
  await open(olive, "incidents");
  await olive.getByRole("button", { name: /^Look at it/ }).click();
  await olive.waitForSelector("#verdict[data-exit='1']");
  const reasons = await olive.locator(".reasons").textContent();
  for (const words of ["“alexa”, score 0.98 (0.50 is enough)", "imperative-number: emergency, number 911", "2.80 above the bound", "line 1 (landline) refused (486), line 2 (modem) answered", "<script>window.hacked=1</script>"]) {
    assert.ok(reasons.includes(words), `${words} in ${reasons}`);
  }
  assert.equal(await olive.locator(".wave .wake").count(), 1);
  assert.equal(await olive.locator(".wave .speech").count(), 1);
  const player = olive.locator("audio").first();
  await player.evaluate((audio) => new Promise((ready, failed) => {
    if (audio.readyState >= 1) return ready();
    audio.addEventListener("loadedmetadata", ready);
    audio.addEventListener("error", () => failed(audio.error));
  }));
  assert.ok(Math.abs((await player.evaluate((audio) => audio.duration)) - 4.5) < 0.1);
  await olive.getByText("What happened, step by step").click();
  await olive.getByText("What was checked").click();
  await inspect(olive, axe, "incident");
  const [download] = await Promise.all([olive.waitForEvent("download"), olive.getByRole("link", { name: /^Download/ }).click()]);
  assert.equal(readFileSync(await download.path()).subarray(0, 4).toString("latin1"), "PK\x03\x04");
  assert.match(download.suggestedFilename(), /^incident-.*\.zip$/);
  await olive.getByRole("button", { name: "Close" }).click();
  assert.equal(await olive.locator("#verdict").count(), 0);
  assert.ok(await olive.evaluate(() => document.activeElement.textContent.startsWith("Look at it")), "the focus goes back");

  // Push: the worker shows what the hub tells it of, and opens its place; what the hub never sends is nothing.
  await olive.context().grantPermissions(["notifications"], { origin: address });
  const devtools = await olive.context().newCDPSession(olive);
  const registered = new Promise((done) => {
    devtools.on("ServiceWorker.workerRegistrationUpdated", ({ registrations }) => {
      const found = registrations.find(({ scopeURL, isDeleted }) => scopeURL.startsWith(address) && !isDeleted);
      if (found) done(found.registrationId);
    });
  });
  await devtools.send("ServiceWorker.enable");
  const registrationId = await registered;
  await olive.evaluate(() => navigator.serviceWorker.ready);
  const push = (data) => devtools.send("ServiceWorker.deliverPushMessage", { origin: `${address}/`, registrationId, data });
  const shown = () => olive.evaluate(async () => (await (await navigator.serviceWorker.ready).getNotifications()).map(({ title, tag, data }) => [tag, title, data.place]));
  for (const [kind, title, place] of [["call", "A call rings", "phone"], ["message", "A new message", "messages"]]) {
    await push(JSON.stringify({ kind }));
    const isShown = async (wanted) => {
      const notifications = await (await navigator.serviceWorker.ready).getNotifications();
      return notifications.some((one) => JSON.stringify([one.tag, one.title, one.data?.place]) === wanted);
    };
    await olive.waitForFunction(isShown, JSON.stringify([kind, title, place]), { polling: 100 });
  }
  for (const data of ["no JSON", JSON.stringify({ kind: "constructor" }), JSON.stringify({ kind: "emergency" })]) await push(data);
  await olive.waitForTimeout(300);
  const others = (await shown()).filter(([tag]) => tag !== "call" && tag !== "message");
  assert.deepEqual(others, [], "nothing else is shown");

  assert.deepEqual(faults, []);
} finally {
  await browser.close();
}
