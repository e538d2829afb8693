// The simulator: this tab is a speaker. What it hears goes to a real device behind the page, what that says is heard here.

import { Device } from "./device.js";
import { element, harmless } from "./dom.js";
import { Holding } from "./holding.js";
import { Level } from "./level.js";
import { RING_STATES, lightRing } from "./ring.js";
import { Sound } from "./sound.js";
import { Timeline } from "./timeline.js";

/** In these the device listens or talks by itself: the microphone stays open without the button. */
const OPEN_LIGHTS = ["announcing", "asking", "calling", "connected", "on call", "drop in"];
/** The ring of each light. */
const RINGS = {
  off: "idle",
  unread: "idle",
  listening: "listening",
  asking: "listening",
  announcing: "drill",
  calling: "ringing",
  ringing: "ringing",
  connected: "call",
  "on call": "call",
  "drop in": "call",
  error: "error",
};
const WORDS = {
  asking: "waiting for yes or no",
  announcing: "about to call: say cancel to stop",
  calling: "calling (drill)",
  connected: "in a drill call",
  ringing: "a call rings",
  unread: "a message waits",
};
const TALK_MAX = 100;

const device = new Device({ heard, connected, replaced, renewed });
const sound = new Sound((offer) => device.ask("sound", offer), soundChanged);
const [ownLevel, itsLevel] = [new Level(), new Level()];
const timeline = new Timeline();
const holding = new Holding();

const now = { light: "off", sounding: false, held: false, muted: false, thinking: false, refused: null, connected: true, name: "Simulator", number: "911" };
/** When the button was let go, until the answer's first sound; read by tests and shown in the timeline. */
let releasedAt = null;

// The parts of the page that change.
const name = element("h1", { class: "brand-name" }, "Simulator");
const console_ = element("a", { target: "_blank", rel: "noopener", hidden: true }, "Call-taker’s page");
const notes = element("div", { class: "notes", role: "alert" });
const ringPlace = element("div", {});
const state = element("p", { class: "state", role: "status" }, "starting");
const holdButton = element("button", { type: "button", class: "hold", "aria-pressed": "false", id: "hold" }, "Hold to speak");
const cancelButton = element("button", { type: "button", class: "plain stop", hidden: true, id: "cancel", click: () => attempt(device.ask("cancel")) }, "Cancel the call");
const listen = element("input", { type: "checkbox", id: "listen", change: listenChanged });
const muteButton = element("button", { type: "button", class: "plain", id: "mute", "aria-pressed": "false", click: mute }, "Microphone off");
const meter = element("meter", { min: 0, max: 1, low: 0.15, optimum: 0.5, "aria-label": "How loud you are" });
const microphone = element("p", { class: "small soft", id: "microphone" }, "Your browser asks for the microphone when you first speak.");
const words = element("input", { id: "words", maxlength: 300, autocomplete: "off", placeholder: "What time is it?" });
const talk = element("ol", { class: "talk" });
const noTalk = element("p", { class: "soft" }, "Nothing was said yet.");
const incidents = element("div", { class: "story" });

document.getElementById("app").replaceChildren(
  element(
    "header",
    { class: "top" },
    element("div", { class: "brand" }, lightRing("idle", { label: null, size: 36 }), name, element("span", { class: "badge warn" }, "Drill: nobody real is called")),
    console_,
    element("a", { href: "/verify.html", target: "_blank", rel: "noopener" }, "Check a bundle"),
  ),
  notes,
  element(
    "main",
    {},
    element(
      "div",
      { class: "side" },
      element(
        "section",
        { class: "card speaker", "aria-label": "The speaker" },
        ringPlace,
        state,
        holdButton,
        element("p", { class: "small soft" }, "Or hold the space bar."),
        cancelButton,
        element("div", { class: "level" }, meter, microphone),
        element("label", { class: "check" }, listen, "Listen for the wake word all the time"),
        muteButton,
      ),
      element(
        "section",
        { class: "card later" },
        element("h2", {}, "Try"),
        element(
          "ul",
          { class: "example" },
          element("li", {}, "“Alexa, call 911.” A drill call-taker answers."),
          element("li", {}, "“Alexa, did you call 911?” It does not."),
          element("li", {}, "“What time is it?” The button stands in for the wake word."),
          element("li", {}, "“Alexa, call the kitchen.” Each tab is a speaker of its own: the first stands in the kitchen, the second in the hall."),
        ),
      ),
      element(
        "section",
        { class: "card later" },
        element("h2", {}, "Without a microphone"),
        element(
          "form",
          { class: "typed", submit: typed },
          element("label", { for: "words" }, "Type what you would say"),
          element("div", { class: "row" }, words, element("button", { type: "submit" }, "Send")),
          element(
            "p",
            { class: "small soft", id: "never" },
            "Typed words never call for help. Such a call needs a live voice that says the wake word and the order.",
          ),
        ),
      ),
    ),
    element(
      "div",
      { class: "story" },
      element("section", { class: "card", "aria-label": "What was said" }, element("h2", {}, "What was said"), noTalk, talk),
      holding.place,
      element(
        "section",
        { class: "card" },
        element("h2", {}, "What was heard, and why"),
        element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Timeline" }, timeline.list),
      ),
      incidents,
    ),
  ),
);

// --- what the device tells ---

function heard(news) {
  if (news.device !== undefined) introduce(news);
  if (news.light !== undefined) {
    now.light = news.light;
    if (news.light !== "listening") now.thinking = false;
  }
  if (news.sounding !== undefined) {
    now.sounding = news.sounding;
    if (news.sounding) now.thinking = false;
  }
  if (news.step !== undefined) told(news);
  if (news.incident !== undefined) incident(news);
  if (news.shows !== undefined) holding.show(news.shows, news.holds);
  if (news.sound === "off" && sound.isOn) sound.later();
  if (news.over !== undefined) note("over", "bad", `The device has ended: ${news.over}`);
  show();
}

function introduce(news) {
  now.name = news.device;
  now.number = news.number;
  name.textContent = news.device;
  document.title = `${news.device} – Hearthline`;
  if (news.console) {
    console_.href = news.console;
    console_.hidden = false;
  }
}

function told(news) {
  timeline.add(news);
  if (news.transcript) said("you", news.transcript);
  if (news.says) said("device", news.says);
  if (news.step === "heard") now.thinking = true;
  if (news.step === "end") now.thinking = false;
}

function said(who, text) {
  noTalk.hidden = true;
  const whose = who === "you" ? "You: " : `${now.name}: `;
  talk.append(element("li", { class: who, "data-who": who }, element("span", { class: "hidden" }, whose), harmless(text.trim())));
  while (talk.children.length > TALK_MAX) talk.firstChild.remove();
}

function incident({ incident: file, verdict, intact, claims }) {
  const link = element("a", { class: "button", href: device.incident(file), download: file }, "Save the bundle");
  incidents.prepend(
    element(
      "section",
      { class: "card", "data-incident": file },
      element("h2", {}, "Incident"),
      element("p", {}, element("span", { class: `badge ${intact ? "good" : "bad"}` }, verdict)),
      element("p", { class: "small soft" }, "The signed record of what was heard, decided and sent. Anybody can check it, without a network."),
      element(
        "details",
        {},
        element("summary", {}, "What was checked"),
        element(
          "ul",
          { class: "claims small" },
          claims.map(({ claim, verdict: found, holds, fails, detail }) =>
            element("li", {}, element("span", { class: `badge ${fails ? "bad" : holds ? "good" : ""}` }, `${claim}: ${found}`), " ", harmless(detail)),
          ),
        ),
      ),
      element("div", { class: "row" }, link),
    ),
  );
}

function connected(is, why) {
  now.connected = is;
  if (is) unnote("lost");
  else note("lost", "warn", why ?? "Connection lost. Trying again by itself; nothing is sent twice.");
  show();
}

/** The old device is gone, and with it what it had told. */
function renewed() {
  talk.replaceChildren();
  noTalk.hidden = false;
  timeline.clear();
  holding.clear();
  incidents.replaceChildren();
  Object.assign(now, { light: "off", sounding: false, thinking: false });
  unnote("over");
  if (sound.isOn) sound.connect().catch(failed);
  show();
}

function replaced() {
  sound.stop();
  now.connected = false;
  note(
    "replaced",
    "warn",
    "This speaker is open in another tab.",
    element("button", { type: "button", class: "plain", click: () => (unnote("replaced"), device.follow()) }, "Use it here"),
    element("button", { type: "button", class: "plain", click: () => (unnote("replaced"), attempt(device.own())) }, "Open another speaker"),
  );
  show();
}

// --- what the person does ---

async function start() {
  if (sound.isOn) return;
  microphone.textContent = "Waiting for your leave to use the microphone.";
  try {
    await sound.start();
    now.refused = null;
    unnote("microphone");
  } catch (problem) {
    refused(problem);
    throw problem;
  }
}

function refused(problem) {
  const why = {
    NotAllowedError: "The microphone is not allowed. Allow it at the left of the address bar and press again, or type below.",
    NotFoundError: "No microphone was found. Plug one in and press again, or type below.",
    NotReadableError: "Another program holds the microphone. Close it and press again, or type below.",
  };
  if (sound.isOn) {
    failed(problem);
    return;
  }
  now.refused = why[problem.name] ?? `The microphone cannot be used: ${problem.message}`;
  note("microphone", "warn", now.refused);
  show();
}

/** As the switch of a speaker: nothing that is said goes to the device. */
function mute() {
  now.muted = !now.muted;
  if (now.muted && now.held) release();
  unnote("muted");
  if (now.muted) note("muted", "warn", "The microphone is off: this speaker hears nothing, not even a call for help.");
  show();
}

async function hold() {
  if (now.held || now.muted) return;
  now.held = true;
  now.thinking = false;
  releasedAt = null;
  show();
  try {
    await start();
    sound.player.play().catch(() => {});
    if (now.held) await device.ask("hold");
  } catch (problem) {
    now.held = false;
    if (sound.isOn) failed(problem);
  }
  show();
}

function release() {
  if (!now.held) return;
  now.held = false;
  releasedAt = performance.now();
  if (sound.isOn && now.light === "listening") now.thinking = true;
  if (sound.isOn) attempt(device.ask("release"));
  // The last word is still on its way through the browser.
  setTimeout(show, 150);
  showRing();
}

async function listenChanged() {
  if (listen.checked) await start().catch(() => (listen.checked = false));
  show();
}

async function typed(event) {
  event.preventDefault();
  const text = words.value.trim();
  if (text === "") return;
  said("you", text);
  words.value = "";
  await attempt(device.ask("typed", text));
}

async function attempt(promise) {
  try {
    await promise;
  } catch (problem) {
    failed(problem);
  }
}

function failed(problem) {
  const lost = problem instanceof TypeError;
  note("failed", "bad", lost ? "That did not get through. Please do it again." : `That did not work: ${problem.message}`);
  setTimeout(() => unnote("failed"), 8000);
}

/** The space bar, where it has no other work. */
function isFree(target) {
  return target === holdButton || !(target instanceof Element) || target.closest("input, button, a, summary, textarea, select") === null;
}
addEventListener("keydown", (event) => {
  if (event.code !== "Space" || !isFree(event.target)) return;
  event.preventDefault();
  if (!event.repeat) hold();
});
addEventListener("keyup", (event) => {
  if (event.code !== "Space") return;
  if (isFree(event.target)) event.preventDefault();
  release();
});
holdButton.addEventListener("pointerdown", (event) => {
  holdButton.setPointerCapture(event.pointerId);
  hold();
});
for (const ended of ["pointerup", "pointercancel", "lostpointercapture"]) holdButton.addEventListener(ended, release);
holdButton.addEventListener("contextmenu", (event) => event.preventDefault());
addEventListener("blur", release);

// --- what is shown ---

function note(id, tone, ...content) {
  unnote(id);
  notes.append(element("div", { class: `banner ${tone}`, "data-note": id }, content));
}

function unnote(id) {
  notes.querySelector(`[data-note="${id}"]`)?.remove();
}

function ringState() {
  if (!now.connected) return "error";
  const ring = RINGS[now.light] ?? "idle";
  if (now.muted && ring !== "error") return "muted";
  if (ring === "call" || ring === "error") return ring;
  if (now.held) return "listening";
  if (now.sounding) return "speaking";
  if (now.thinking) return "thinking";
  if (ring === "idle" && now.refused !== null && !sound.isOn) return "muted";
  return ring;
}

let shownRing = null;
function showRing() {
  const ring = ringState();
  if (ring !== shownRing) {
    shownRing = ring;
    ringPlace.replaceChildren(lightRing(ring, { size: 192 }));
  }
  const spoken = now.held ? "listening" : (WORDS[now.light] ?? RING_STATES[ring]);
  const text = now.connected ? spoken : "not connected";
  if (state.textContent !== text) state.textContent = text;
  document.body.dataset.ring = ring;
  document.body.dataset.light = now.light;
}

function show() {
  const open = !now.muted && (now.held || listen.checked || OPEN_LIGHTS.includes(now.light));
  sound.open = open;
  holdButton.setAttribute("aria-pressed", String(now.held));
  holdButton.textContent = now.held ? "Speak now" : "Hold to speak";
  holdButton.disabled = now.muted;
  muteButton.setAttribute("aria-pressed", String(now.muted));
  cancelButton.hidden = now.light !== "announcing";
  if (sound.isOn) {
    const there = sound.isConnected ? "" : " It is being connected.";
    const closed = now.muted ? "Your microphone is off." : "Your microphone is closed until you press.";
    microphone.textContent = (open ? "Your microphone is open." : closed) + there;
  } else if (now.refused !== null) {
    microphone.textContent = "There is no microphone.";
  }
  document.body.dataset.sound = sound.isOn && sound.isConnected ? "on" : "off";
  showRing();
}

let shownStreams = [null, null];
function soundChanged() {
  const streams = [sound.stream, sound.isOn ? sound.incoming : null];
  if (streams[0] !== shownStreams[0]) ownLevel.of(streams[0]).catch(() => {});
  if (streams[1] !== shownStreams[1]) itsLevel.of(streams[1]).catch(() => {});
  shownStreams = streams;
  show();
}

function frame() {
  if (!document.hidden) meter.value = ownLevel.now();
  if (releasedAt !== null && itsLevel.now() > 0.3) {
    document.body.dataset.firstSoundMs = String(Math.round(performance.now() - releasedAt));
    releasedAt = null;
  }
  requestAnimationFrame(frame);
}

show();
frame();
device.open().catch((problem) => note("lost", "bad", problem instanceof TypeError ? "The simulator does not answer. Is it running?" : problem.message));
