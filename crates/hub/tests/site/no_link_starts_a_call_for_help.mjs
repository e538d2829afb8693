// DESIGN invariant 1 in the app: a number dialled on the pad and confirmed by a hand starts a call for help, nothing else.
// FOLDER (of the libraries) ADDRESS PASSWORD
import assert from "node:assert/strict";
import { launch, library, inspect, open, signIn, visitor } from "./people.mjs";

const [folder, address, password] = process.argv.slice(2);
const { chromium, axe } = library(folder);
const browser = await launch(chromium);
const faults = [];
const SPELLINGS = ["911", "9-1-1", "+911", " 9 1 1 ", "９１１", "٩١١", "(911)", "112", "999", "000", "tel:911", "sip:911@home.test", "urn:service:sos"];
const PLACES = ["home", "messages", "phone", "calls", "contacts", "lines", "incidents", "readiness", "settings"];
const WAYS = [
  ...PLACES.flatMap((place) => [`/#/${place}?call=911`, `/#/${place}/911`, `/?call=911&confirm=1#/${place}`]),
  "/?tel=911", "/?number=911&dial=1", "/#call=911", "/#/phone?number=911&confirm=yes", "/#tel:911", "/join#code=911&call=911", "/join?call=911", "/#/phone#confirm-emergency",
];

try {
  const olive = await visitor(browser, faults);
  const invites = [];
  olive.on("websocket", (socket) => socket.on("framesent", ({ payload }) => {
    if (String(payload).startsWith("INVITE")) invites.push(String(payload));
  }));
  await signIn(olive, address, "olive", password);
  await open(olive, "phone");
  await olive.getByRole("button", { name: "Join as my own device" }).click();
  const ready = () => olive.waitForSelector(".badge:has-text('calls ring here')");
  await ready();

  // What others may write where the person looks.
  const writes = async (method, path, body) => olive.evaluate(async ([method, path, body]) => {
    const { change } = await import("/api.js");
    return change(method, path, body).then(() => 200, ({ status }) => status);
  }, [method, path, body]);
  for (const spelling of SPELLINGS) {
    const status = await writes("POST", "contacts", { name: `Anna ${spelling}`.slice(0, 60), numbers: [{ label: "mobile", number: spelling }], children_may_call: true });
    assert.notEqual(status, 200, `a contact with ${spelling}`);
  }
  for (const name of ["911", "９１１", "call 911"]) await writes("POST", "rooms", { name });
  await writes("POST", "messages", { client_id: crypto.randomUUID(), to: "everyone", body: { text: "tel:911 sip:911@home.test https://x.test/?call=911 urn:service:sos" } });

  // Every address of the app, and everything that can be pressed there but the pad.
  for (const way of WAYS) {
    await olive.goto(address + way);
    await olive.waitForSelector("nav a[aria-current]");
    await olive.waitForTimeout(120);
  }
  await open(olive, "messages");
  assert.equal(await olive.locator("#inbox a").count(), 0, "a message has links");
  assert.deepEqual(invites, []);

  // The telephone itself refuses: as a number, as a name, with a confirmation that somebody made up.
  await open(olive, "phone");
  await ready();
  const refused = await olive.evaluate(async (spellings) => {
    const { here } = await import("/call/session.js");
    const tries = [() => here.telephone.callForHelp({ digits: "911" }), () => here.telephone.callForHelp(undefined), () => here.telephone.callHome("911", "x"), () => here.telephone.callHome("9-1-1", "x"), () => here.telephone.callHome("９１１", "x"), () => here.telephone.callHome("٩١١", "x")];
    for (const spelling of spellings) tries.push(() => here.telephone.callNumber(spelling));
    return Promise.all(tries.map(async (attempt) => {
      try {
        await attempt();
        return "called";
      } catch (problem) {
        return problem.message;
      }
    }));
  }, SPELLINGS);
  assert.ok(refused.every((word) => /pad, and confirmed|reads as a number/.test(word)), refused.join("\n"));
  assert.deepEqual(invites, []);

  // On the pad: asked first, whatever the spelling; no answer is no call.
  const number = olive.getByLabel("Number", { exact: true });
  for (const spelling of ["911", "9-1-1", "９１１", "112", "+911"]) {
    await number.fill(spelling);
    await number.press("Enter");
    await olive.waitForSelector("#confirm-emergency [role=alertdialog]");
    await olive.getByRole("button", { name: "No, do not call" }).click();
  }
  assert.deepEqual(invites, []);
  for (const key of ["9", "1", "1"]) await olive.locator(".keys").getByRole("button", { name: key, exact: true }).click();
  await olive.getByRole("button", { name: "Call", exact: true }).click();
  await olive.waitForSelector("#confirm-emergency [role=alertdialog]");
  await inspect(olive, axe, "emergency-confirmation");
  // A script that presses the button is no hand.
  await olive.evaluate(() => document.querySelector("#confirm-emergency button").click());
  await olive.waitForTimeout(300);
  assert.deepEqual(invites, []);

  // A hand: it goes to the hub's emergency logic, marked as a drill. It is not ended by one press, and has no mute and hold.
  await olive.getByRole("button", { name: "Yes, call 911 as a drill" }).click();
  await olive.locator("#calls [data-act='hang-up']").click();
  await olive.getByRole("button", { name: "Stay on the line" }).waitFor();
  await inspect(olive, axe, "emergency-stay");
  await olive.getByRole("button", { name: "Stay on the line" }).click();
  assert.equal(await olive.locator("#calls [data-act=mute], #calls [data-act=hold]").count(), 0);
  await olive.locator("#calls [data-act='hang-up']").click();
  await olive.getByRole("button", { name: "End it all the same" }).click();
  await olive.waitForSelector("#calls .call-over:has-text('Ended')");
  assert.equal(invites.length, 1);
  assert.match(invites[0], /^INVITE sip:911@[^ ]+;user=phone SIP\/2\.0\r\n/);
  assert.match(invites[0], /\r\nEmergency-Drill: yes\r\n/);

  // Another country's number reaches nobody here, and the caller is told which one does.
  await number.fill("112");
  await number.press("Enter");
  await olive.getByRole("button", { name: "Yes, call 112 as a drill" }).click();
  await olive.waitForSelector("#calls :text('Not an emergency number here; 911 is')");
  assert.deepEqual(faults, []);
  console.log(`${WAYS.length} addresses, ${SPELLINGS.length} spellings`);
} finally {
  await browser.close();
}
