// Voice messages, and a browser in trouble: FOLDER (of the libraries) ADDRESS PASSWORD
import assert from "node:assert/strict";
import { launch, library, inspect, open, signIn, visitor } from "./people.mjs";

const [folder, address, password] = process.argv.slice(2);
const { chromium, axe } = library(folder);
const browser = await launch(chromium);
const faults = [];
const ready = (page) => page.waitForSelector(".badge:has-text('calls ring here')");
const act = (page, name) => page.locator(`#calls [data-act='${name}']`);
const joins = async (page) => {
  await open(page, "phone");
  await page.getByRole("button", { name: "Join as my own device" }).click();
  await ready(page);
};

try {
  // A voice message: recorded, heard again, sent, played, and read then.
  const olive = await visitor(browser, faults);
  await signIn(olive, address, "olive", password);
  await open(olive, "messages");
  await olive.getByRole("combobox", { name: "To" }).selectOption({ label: "adam" });
  await olive.getByRole("button", { name: "Record a voice message" }).click();
  await olive.waitForFunction(() => document.querySelector(".voice .mono")?.textContent.startsWith("0:02"));
  assert.ok(await olive.locator("meter").evaluate((meter) => meter.isConnected));
  await inspect(olive, axe, "recording");
  await olive.getByRole("button", { name: "Stop recording" }).click();
  await olive.getByRole("button", { name: "Play your recording" }).click();
  await olive.getByRole("button", { name: "Stop your recording" }).click();
  await inspect(olive, axe, "recorded");
  await olive.getByRole("button", { name: "Throw it away" }).click();
  await olive.getByRole("textbox", { name: "Message" }).waitFor();
  await olive.getByRole("button", { name: "Send" }).click();
  await olive.waitForSelector(".told.banner.bad:has-text('Write or record something')");
  await olive.getByRole("button", { name: "Record a voice message" }).click();
  await olive.waitForFunction(() => document.querySelector(".voice .mono")?.textContent.startsWith("0:02"));
  await olive.getByRole("button", { name: "Stop recording" }).click();
  await olive.getByRole("button", { name: "Send" }).click();
  await olive.getByRole("button", { name: "Record a voice message" }).waitFor();

  const adam = await visitor(browser, faults);
  await signIn(adam, address, "adam", password);
  await open(adam, "messages");
  const play = adam.getByRole("button", { name: "Play the voice message from olive" });
  await play.waitFor();
  await inspect(adam, axe, "voice-message");
  const voice = await adam.evaluate(async () => {
    const { messages } = await (await fetch("/api/v1/messages?mailbox=person")).json();
    const answer = await fetch(`/api/v1/messages/${messages.at(-1).id}/voice`);
    const { decode } = await import("/voice/g722.js");
    const samples = decode(new Uint8Array(await answer.arrayBuffer()));
    return { kind: answer.headers.get("content-type"), seconds: samples.length / 16_000, loudest: samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0) };
  });
  assert.equal(voice.kind, "audio/G722");
  assert.ok(voice.seconds > 1.5 && voice.seconds < 10 && voice.loudest > 1_000, JSON.stringify(voice));
  await play.click();
  await adam.waitForSelector("#inbox .message:not(.new) .voice");
  await adam.waitForSelector("nav .count", { state: "detached" });

  // Two tabs of one browser: one is the telephone, the other says so and takes over when it is asked to.
  await joins(olive);
  const second = await olive.context().newPage();
  await second.goto(`${address}/#/phone`);
  await second.waitForSelector(".badge:has-text('Another tab')");
  await inspect(second, axe, "phone-second-tab");
  await second.getByRole("button", { name: "Take calls in this tab" }).click();
  await ready(second);
  await olive.waitForSelector(".badge:has-text('Another tab')");
  await second.close();
  await ready(olive);

  // The connection is lost in a call and comes back by itself: the sound went on, the call goes on, nothing is sent twice.
  const sockets = [];
  const invites = [];
  await adam.routeWebSocket(/\/sip$/, (socket) => {
    const server = socket.connectToServer();
    sockets.push({ socket, server });
    socket.onMessage((text) => {
      if (String(text).startsWith("INVITE")) invites.push(text);
      server.send(text);
    });
  });
  await adam.reload();
  await joins(adam);
  await adam.getByRole("button", { name: "Call olive", exact: true }).click();
  await act(olive, "answer").click();
  for (const page of [olive, adam]) await page.waitForSelector("#calls .badge.good:has-text('Protected end to end')");
  const count = sockets.length;
  for (const { socket, server } of sockets) {
    await server.close();
    await socket.close();
  }
  await adam.waitForSelector(".badge:has-text('No connection to the hub')");
  await adam.waitForSelector("#calls .badge.good:has-text('Protected end to end')");
  await ready(adam);
  assert.ok(sockets.length > count);
  assert.equal(invites.length, 1, "nothing is sent twice");
  // By the new connection: their hold reaches us, our end reaches them.
  await act(olive, "hold").click();
  await adam.waitForSelector("#calls:has-text('You are on hold')");
  await act(adam, "hang-up").click();
  await olive.waitForSelector("#calls .call-over");

  // No microphone: it says how to allow it; text still works.
  const strict = await launch(chromium, { microphone: false });
  try {
    const gail = await visitor(strict, faults);
    await signIn(gail, address, "olive", password);
    await open(gail, "messages");
    await gail.getByRole("button", { name: "Record a voice message" }).click();
    await gail.waitForSelector(".banner.bad:has-text('microphone')");
    await inspect(gail, axe, "microphone-missing");
    await gail.getByRole("textbox", { name: "Message" }).fill("text still works");
    await gail.getByRole("button", { name: "Send" }).click();
    await gail.waitForFunction(() => document.querySelector("textarea").value === "");
    await joins(gail);
    await gail.getByRole("button", { name: "Call adam", exact: true }).click();
    await gail.waitForSelector(".badge.bad:has-text('microphone'), #calls .call-over:has-text('microphone')");
  } finally {
    await strict.close();
  }
  assert.deepEqual(faults, []);
} finally {
  await browser.close();
}
