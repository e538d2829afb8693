// Two people: FOLDER (of the libraries) ADDRESS PASSWORD LINK (of an invitation).
import assert from "node:assert/strict";
import { createECDH, randomBytes } from "node:crypto";
import { createServer } from "node:http";
import { launch, library, inspect, open, signIn, visitor } from "./people.mjs";

const [folder, address, password, link] = process.argv.slice(2);
const { chromium, axe } = library(folder);
const browser = await launch(chromium);
const faults = [];
const ready = (page) => page.waitForSelector(".badge:has-text('calls ring here')");
const act = (page, name) => page.locator(`#calls [data-act='${name}']`);
/** Packets that came over the present call's way, and whether there was sound in them. */
const heard = (page) => page.waitForFunction(() => [...document.querySelectorAll("#calls meter")].some((meter) => meter.value > 0.01 && meter.getAttribute("aria-label").includes("other side")));

try {
  // Olive makes the browser at hand her own.
  const olive = await visitor(browser, faults);
  await signIn(olive, address, "olive", password);
  await open(olive, "phone");
  await inspect(olive, axe, "phone-before-joining");
  // A name that would be a script: it stands on both sides' pages and sheets, as text.
  await olive.getByLabel("Name of this browser").fill("olive’s browser <img src=x onerror=window.hacked=1>");
  await olive.getByRole("button", { name: "Join as my own device" }).click();
  await ready(olive);

  // Adam follows the link of an invitation; the code leaves the address at once.
  const adam = await visitor(browser, faults);
  await adam.goto(link);
  await adam.waitForSelector("input[name=login]");
  assert.ok(!adam.url().includes("code="), adam.url());
  await adam.fill("input[name=login]", "adam");
  await adam.fill("input[name=password]", password);
  await adam.keyboard.press("Enter");
  await adam.waitForSelector("nav a[data-page=phone][aria-current]");
  await adam.getByRole("button", { name: "Join with the code" }).click();
  await ready(adam);

  // Olive calls Adam; it rings on whatever page he is.
  await open(adam, "messages");
  await olive.reload();
  await ready(olive);
  await inspect(olive, axe, "phone");
  const pressed = Date.now();
  await olive.getByRole("button", { name: "Call adam", exact: true }).click();
  await act(adam, "answer").waitFor();
  const rang = Date.now() - pressed;
  await olive.waitForSelector("#calls:has-text('It rings there')");
  assert.match(await adam.title(), /olive’s browser.* is calling/);
  assert.match(await adam.textContent("#live"), /is calling/);
  await inspect(adam, axe, "call-offered");
  const answered = Date.now();
  await act(adam, "answer").click();
  for (const page of [olive, adam]) await page.waitForSelector("#calls .badge.good:has-text('Protected end to end')");
  const protectedAfter = Date.now() - answered;
  for (const page of [olive, adam]) await heard(page);
  await inspect(olive, axe, "call-talking");

  // Hold and back, by either side.
  for (const [one, other] of [[olive, adam], [adam, olive]]) {
    await act(one, "hold").click();
    await other.waitForSelector("#calls:has-text('You are on hold')");
    await one.waitForSelector("#calls [data-act=hold]:has-text('Resume')");
    await act(one, "hold").click();
    await other.waitForFunction(() => !document.querySelector("#calls").textContent.includes("You are on hold"));
    await heard(other);
  }
  await act(olive, "mute").click();
  await olive.waitForSelector("#calls [data-act=mute][aria-pressed=true]");
  await act(olive, "mute").click();
  await act(olive, "tones").click();
  await act(olive, "key-5").click();
  await inspect(olive, axe, "call-tones");
  await act(adam, "hang-up").click();
  await olive.waitForSelector("#calls:has-text('Ended')");
  assert.equal(await adam.title(), "Messages – Hearthline", "the title is the page's again");
  await act(olive, "dismiss").click();
  await olive.waitForSelector("#calls[hidden]", { state: "attached" });

  // Declined, busy, taken back.
  await open(olive, "phone");
  for (const [button, word] of [["decline", "Declined"], ["busy", "Busy"]]) {
    await olive.getByRole("button", { name: "Call adam", exact: true }).click();
    await act(adam, button).click();
    await olive.waitForSelector(`#calls:has-text('${word}')`);
    await act(olive, "dismiss").click();
    await act(adam, "dismiss").click();
  }
  await olive.getByRole("button", { name: "Call adam", exact: true }).click();
  await act(adam, "answer").waitFor();
  await act(olive, "hang-up").click();
  await act(adam, "answer").waitFor({ state: "detached" });
  await open(adam, "phone");
  await adam.waitForSelector(".card:has-text('Missed here') .title:has-text('olive')");

  // The connection breaks at the moment at which Olive hangs up: what she said is lost with it, and said again on the next.
  let lost = 0;
  await olive.routeWebSocket(/\/sip$/, (own) => {
    const hub = own.connectToServer();
    own.onMessage((text) => {
      if (lost > 0 || !String(text).startsWith("BYE ")) return hub.send(text);
      lost += 1;
      hub.close();
      own.close();
      return undefined;
    });
  });
  await olive.reload();
  await ready(olive);
  await olive.getByRole("button", { name: "Call adam", exact: true }).click();
  await act(adam, "answer").click();
  for (const page of [olive, adam]) await page.waitForSelector("#calls .badge.good:has-text('Protected end to end')");
  await act(olive, "hang-up").click();
  await adam.waitForSelector("#calls:has-text('Ended')");
  assert.equal(lost, 1);
  await act(olive, "dismiss").click();
  await act(adam, "dismiss").click();

  // Adam closes the app. His browser's service is told of the call; he opens the app, and it rings.
  let told;
  const push = new Promise((done) => (told = done));
  const service = createServer((request, response) => {
    request.resume();
    response.writeHead(201).end();
    told(request.headers.urgency);
  });
  await new Promise((done) => service.listen(0, "127.0.0.1", done));
  const key = createECDH("prime256v1");
  key.generateKeys();
  const subscription = {
    endpoint: `http://127.0.0.1:${service.address().port}/adam`,
    keys: { p256dh: key.getPublicKey("base64url"), auth: randomBytes(16).toString("base64url") },
  };
  await adam.evaluate(async (wish) => (await import("/api.js")).change("POST", "push", wish), subscription);
  await adam.goto("about:blank");
  await olive.getByRole("button", { name: "Call adam", exact: true }).click();
  assert.equal(await push, "high");
  await olive.waitForSelector("#calls:has-text('It rings there')");
  await adam.goto(`${address}/#/phone`);
  await act(adam, "answer").click();
  for (const page of [olive, adam]) await page.waitForSelector("#calls .badge.good:has-text('Protected end to end')");
  for (const page of [olive, adam]) await heard(page);
  await act(adam, "hang-up").click();
  await olive.waitForSelector("#calls:has-text('Ended')");
  service.close();

  assert.deepEqual(faults, []);
  console.log(`pressed to ringing ${rang} ms; answered to protected on both sides ${protectedAfter} ms`);
} finally {
  await browser.close();
}
