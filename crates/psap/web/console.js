// The desk: rings, answers, talks, hangs up, and shows the drills before. Everything can be done from the keyboard.

import { ring, silence, sounds, unlock } from "./bell.js";
import { cards, seconds, serviceName } from "./call.js";
import { element, harmless } from "./dom.js";
import { Level, Line, openMicrophone } from "./line.js";
import { lightRing } from "./ring.js";

const SURE_MS = 4000;
const $ = (id) => document.getElementById(id);
const TIME = new Intl.DateTimeFormat("en", { timeStyle: "medium" });
const DAY = new Intl.DateTimeFormat("en", { dateStyle: "medium", timeStyle: "short" });

let board = { waits_for_a_person: null, records: false, calls: [] };
let connected = false;
const page = crypto.randomUUID();
let own = null; // the call that was answered here, or whose sound was fetched here
let selected = null; // what the person chose to look at; null: whatever rings or goes on
let shown = null; // the report on the page
let silenced = new Set();
let microphone = null;
let microphoneProblem = "";
let line = null;
let lineState = "";
let sureUntil = 0;
let levels = {};

const is = {
  ringing: (call) => call.state === "arrived" || call.state === "ringing",
  live: (call) => call.state === "answered" || call.state === "confirmed",
  person: (call) => is.live(call) && call.answered_by === "person",
  mine: (call) => is.person(call) && call.id === own,
};

/** Puts these children in place of what is there. */
function fill(node, ...children) {
  node.replaceChildren(...children.filter((child) => child !== null));
}

function say(text) {
  $("live").textContent = text;
}

function current() {
  const chosen = board.calls.find(({ id }) => id === selected);
  return board.calls.find(is.mine) ?? board.calls.findLast(is.ringing) ?? chosen ?? board.calls.find(is.live) ?? board.calls[0] ?? null;
}

// ---- what comes in

function follow() {
  const source = new EventSource("/console/events");
  source.addEventListener("open", () => {
    connected = true;
    drawBar();
  });
  source.addEventListener("error", () => {
    connected = false;
    drawBar();
    if (source.readyState === EventSource.CLOSED) setTimeout(follow, 2000);
  });
  source.addEventListener("calls", ({ data }) => {
    const before = new Map(board.calls.map((call) => [call.id, call]));
    board = JSON.parse(data);
    for (const call of board.calls) tellOf(call, before.get(call.id));
    changed();
  });
}

function tellOf(call, before) {
  if (before === undefined && is.ringing(call)) say(`Drill: a call rings. ${serviceName(call.service)}. ${call.address ?? "No address."} Enter answers.`);
  if (before !== undefined && before.state !== "ended" && call.state === "ended") say(`Call ${call.id} ended by ${call.ended_by}.`);
}

async function changed() {
  const rings = board.calls.filter((call) => is.ringing(call) && call.machine_answers_after_ms !== null);
  if (rings.some(({ id }) => !silenced.has(id)) && !board.calls.some(is.mine)) ring();
  else silence();
  document.title = rings.length > 0 ? "☎ DRILL call – Hearthline" : "Drill call-taker – Hearthline";
  const mine = board.calls.find(is.mine);
  if (line !== null && line.call !== mine?.id) {
    line.close();
    line = null;
    lineState = "";
    levels = {};
  }
  if (mine !== undefined && line === null) {
    line = new Line(mine.id, page, microphone, (state) => {
      lineState = state;
      if (state === "joined") listen();
      if (state === "taken") leave();
      drawHead();
    });
  }
  drawBar();
  drawCalls();
  await showCall();
}

/** Another page has the sound now. */
function leave() {
  say("Somebody talks to the caller at another page now.");
  own = null;
  changed();
}

async function showCall() {
  const call = current();
  if (call === null) {
    shown = null;
    $("call").replaceChildren(
      element("section", { class: "card call-head" }, element("div", { class: "row" }, lightRing("idle", { size: 64 }), element("div", { class: "words" }, element("h1", {}, "No call"), element("p", { class: "soft" }, "A drill call rings here. Nothing has to be done until then.")))),
    );
    return;
  }
  const answer = await fetch(`/calls/${call.id}`).catch(() => null);
  if (!answer?.ok || current()?.id !== call.id) return;
  const report = await answer.json();
  const open = new Set([...document.querySelectorAll("details[open]")].map(({ dataset }) => dataset.keep));
  const other = shown?.id !== report.id;
  shown = report;
  const drawn = cards(report);
  if (other) {
    sureUntil = 0;
    $("call").replaceChildren(element("section", { class: "card call-head", id: "head" }), element("div", { id: "after" }), element("div", { class: "details", id: "details" }));
  }
  drawHead();
  drawAfter(call);
  $("details").replaceChildren(...drawn);
  if (!other) for (const details of $("details").querySelectorAll("details")) details.open = open.has(details.dataset.keep);
}

// ---- what is shown

function drawBar() {
  const taken = sounds();
  const button = element("button", { type: "button", id: "take", click: takeDesk }, "Take the desk");
  const state = taken
    ? element("span", { class: `badge ${microphone === null ? "warn" : "good"}`, id: "at-desk" }, microphone === null ? "At the desk, without a microphone" : "At the desk")
    : button;
  const focused = document.activeElement?.id;
  fill(
    $("bar"),
    element("div", { class: "brand" }, lightRing("drill", { label: null, size: 36 }), "Drill call-taker"),
    connected ? null : element("span", { class: "badge bad", role: "alert" }, "Connection lost. Trying again by itself."),
    board.waits_for_a_person !== false || !connected ? null : element("span", { class: "badge" }, "The machine answers; start with --console to answer here"),
    microphoneProblem === "" ? null : element("span", { class: "small", role: "alert" }, microphoneProblem, " ", element("button", { type: "button", class: "plain", click: takeDesk }, "Try again")),
    state,
  );
  if (focused === "take") $("take")?.focus();
}

function drawHead() {
  const head = $("head");
  const call = board.calls.find(({ id }) => id === shown?.id);
  if (head === null || call === undefined) return;
  const state = is.ringing(call) ? "ringing" : is.live(call) ? "call" : "idle";
  head.className = `card call-head ${state}`;
  const focused = head.contains(document.activeElement) ? document.activeElement.id : null;
  fill(
    head,
    element(
      "div",
      { class: "row" },
      lightRing(state, { size: 64 }),
      element(
        "div",
        { class: "words" },
        element("p", { class: "state", id: "state" }, stateWords(call)),
        element("h1", {}, `Drill: ${serviceName(call.service)}`),
        element("p", { class: "address", id: "address" }, harmless(call.address ?? "No address came with the call")),
        call.drill ? null : element("p", {}, element("span", { class: "badge bad" }, "Not marked as a drill everywhere")),
      ),
      ...buttons(call),
    ),
    is.mine(call) ? meters() : null,
  );
  const wanted = is.ringing(call) && takesFocus() ? "answer" : focused;
  if (wanted !== null) $(wanted)?.focus();
}

/** A ringing call takes the focus from nobody who is doing something else with a control. */
function takesFocus() {
  const active = document.activeElement;
  return active === null || active === document.body || active.id === "call" || active.id === "answer" || active.id === "take";
}

function stateWords(call) {
  if (is.ringing(call)) {
    const left = leftMs(call);
    return left === null ? "Rings" : `Rings. The machine answers in ${Math.max(0, Math.ceil(left / 1000))} s`;
  }
  if (is.mine(call)) {
    const sound = { joined: "You are connected", joining: "Joining the sound …", lost: "Your sound is lost; joining again. The caller stays connected" }[lineState];
    return `${sound ?? "On the line"} · ${lasted(call)}`;
  }
  if (is.person(call)) return `Somebody talks at another page · ${lasted(call)}`;
  if (is.live(call)) return `The machine talks · ${lasted(call)}`;
  const how = call.answered_by === null ? "Not answered" : call.answered_by === "person" ? "Answered here" : "Answered by the machine";
  const long = call.answered_after_ms === null ? "" : ` after ${seconds(call.answered_after_ms)}`;
  return `${how}${long} · ended by ${call.ended_by} · ${DAY.format(call.arrived_unix_ms)}`;
}

function leftMs(call) {
  return call.machine_answers_after_ms === null ? null : call.arrived_unix_ms + call.machine_answers_after_ms - Date.now();
}

function lasted(call) {
  const s = Math.max(0, Math.floor((Date.now() - call.arrived_unix_ms - call.answered_after_ms) / 1000));
  return `${Math.floor(s / 60)}:${String(s % 60).padStart(2, "0")}`;
}

function buttons(call) {
  if (is.ringing(call) && call.machine_answers_after_ms !== null) {
    const busy = board.calls.some(is.mine);
    return [element("button", { type: "button", id: "answer", class: "big good", disabled: busy, click: () => answer(call.id) }, busy ? "You are in a call" : "Answer", busy ? null : element("kbd", {}, "Enter"))];
  }
  if (!is.live(call)) return [];
  const sure = Date.now() < sureUntil;
  const mute = microphone !== null && is.mine(call);
  const on = mute && microphone.getAudioTracks()[0].enabled;
  const elsewhere = is.person(call) && !is.mine(call);
  return [
    elsewhere ? element("button", { type: "button", id: "talk", class: "big good", click: () => talk(call.id) }, "Talk here") : null,
    mute ? element("button", { type: "button", id: "mute", class: "plain", "aria-pressed": String(!on), click: toggleMicrophone }, on ? "Microphone on" : "Microphone off", element("kbd", {}, "F2")) : null,
    element("button", { type: "button", id: "hang-up", class: "big bad", click: () => hangUp(call.id) }, sure ? "Really hang up?" : "Hang up", element("kbd", {}, "F4")),
  ].filter((button) => button !== null);
}

function meters() {
  const made = (name, title) => element("label", {}, title, element("meter", { id: name, min: 0, max: 1, value: 0 }));
  return element("div", { class: "levels" }, made("level-caller", "Caller"), microphone === null ? null : made("level-own", "You"));
}

function drawAfter(call) {
  const after = $("after");
  const wanted = call.state !== "ended" ? "" : call.recorded ? "recorded" : "ended";
  if (after.dataset.shows === wanted) return; // a player that plays is not interrupted
  after.dataset.shows = wanted;
  if (wanted === "") return after.replaceChildren();
  const none = board.records ? "Nothing was recorded of this call." : "Calls are not recorded: give --recordings FOLDER.";
  after.replaceChildren(
    element(
      "section",
      { class: "card" },
      element("h2", {}, "Recording"),
      wanted === "recorded"
        ? element("audio", { controls: true, preload: "metadata", id: "recording", src: `/calls/${call.id}/recording`, "aria-label": "What the caller was heard to say" })
        : element("p", { class: "soft" }, none),
      element(
        "p",
        { class: "row" },
        element("a", { href: `/calls/${call.id}/export`, download: `drill-call-${call.id}.json` }, "Save the call’s facts"),
        wanted === "recorded" ? element("a", { href: `/calls/${call.id}/recording`, download: `drill-call-${call.id}.wav` }, "Save the recording") : "",
      ),
    ),
  );
}

function drawCalls() {
  const focused = document.activeElement?.dataset?.call;
  const now = current();
  const items = board.calls.map((call) => {
    const state = is.ringing(call) ? "rings" : is.live(call) ? "goes on" : call.answered_by === null ? "not answered" : "over";
    return element(
      "li",
      {},
      element(
        "button",
        { type: "button", "data-call": call.id, "aria-current": call.id === now?.id ? "true" : null, click: () => choose(call.id) },
        element("span", {}, `${call.id} · ${serviceName(call.service)}`),
        element("span", { class: "small soft" }, `${TIME.format(call.arrived_unix_ms)} · ${state}${call.sound ? "" : " · checks failed"}`),
      ),
    );
  });
  const keys = [["Enter", "answer"], ["Esc", "silence the bell"], ["F2", "microphone off or on"], ["F4", "hang up: twice"]];
  $("calls").replaceChildren(
    element("section", { class: "card" }, element("h2", {}, "Drills"), items.length > 0 ? element("ul", { class: "calls" }, items) : element("p", { class: "soft" }, "None so far.")),
    element("section", { class: "card" }, element("h2", {}, "Keys"), element("div", { class: "keys small" }, keys.flatMap(([key, what]) => [element("kbd", {}, key), element("span", {}, what)]))),
  );
  if (focused !== undefined) document.querySelector(`[data-call="${focused}"]`)?.focus();
}

// ---- what the person does

async function takeDesk() {
  const context = await unlock();
  microphoneProblem = "";
  if (microphone === null) {
    try {
      microphone = await openMicrophone();
      levels.own = new Level(context, microphone);
      line?.close();
      line = null;
    } catch (problem) {
      microphoneProblem = problem.message;
    }
  }
  say(microphone === null ? microphoneProblem : "You are at the desk.");
  drawBar();
  $("call").focus();
  await changed();
  $("talk")?.focus();
}

async function answer(id) {
  silence();
  if (!sounds() || microphone === null) await takeDesk();
  own = id;
  const done = await post(`/calls/${id}/answer`);
  if (!done && own === id) own = null;
  say(done ? "Answered. You are connected." : "Somebody else has answered.");
  await changed();
}

/** Fetches the sound of a call that is answered already: after the page was loaded anew, or from another page. */
async function talk(id) {
  if (!sounds() || microphone === null) await takeDesk();
  own = id;
  await changed();
}

async function hangUp(id) {
  if (Date.now() >= sureUntil) {
    sureUntil = Date.now() + SURE_MS;
    say("Hang up? The same key again.");
    setTimeout(drawHead, SURE_MS + 50);
    return drawHead();
  }
  sureUntil = 0;
  await post(`/calls/${id}/hang-up`);
}

async function post(path) {
  const answer = await fetch(path, { method: "POST" }).catch(() => null);
  return answer?.ok === true;
}

function toggleMicrophone() {
  const [track] = microphone?.getAudioTracks() ?? [];
  if (track === undefined) return;
  track.enabled = !track.enabled;
  say(track.enabled ? "Microphone on." : "Microphone off: the caller hears silence.");
  drawHead();
}

function choose(id) {
  selected = id;
  drawCalls();
  showCall().then(() => $("call").focus());
}

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return;
  const live = board.calls.find(is.mine) ?? board.calls.find((call) => is.live(call) && call.id === shown?.id);
  const rings = board.calls.findLast((call) => is.ringing(call) && call.machine_answers_after_ms !== null);
  if (event.key === "Escape" && rings !== undefined) {
    for (const { id } of board.calls.filter(is.ringing)) silenced.add(id);
    silence();
    say("The bell is silent. The call still waits: Enter answers.");
  } else if (event.key === "F2" && live !== undefined) {
    toggleMicrophone();
  } else if (event.key === "F4" && live !== undefined && !event.repeat) {
    hangUp(live.id);
  } else if (event.key === "Enter" && rings !== undefined && !event.repeat && !board.calls.some(is.mine) && takesFocus()) {
    answer(rings.id);
  } else {
    return;
  }
  event.preventDefault();
});

function listen() {
  if (sounds() && line?.heard) unlock().then((context) => (levels.caller = new Level(context, line.heard)));
}

setInterval(() => {
  const caller = $("level-caller");
  if (caller !== null && levels.caller !== undefined) caller.value = levels.caller.now();
  const own = $("level-own");
  if (own !== null && levels.own !== undefined) own.value = levels.own.now();
}, 100);
setInterval(() => {
  const call = board.calls.find(({ id }) => id === shown?.id);
  const words = $("state");
  if (call !== undefined && words !== null && call.state !== "ended") words.textContent = stateWords(call);
}, 500);

follow();
drawBar();
drawCalls();
showCall();
$("take")?.focus();
