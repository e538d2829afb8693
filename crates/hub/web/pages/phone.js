// Whom this browser calls: the home, its contacts, and numbers by the pad. Nothing here dials but a press on its button:
// no address of the page, link or message does. An emergency number is dialled on the pad alone, and confirmed.

import { change, get } from "../api.js";
import { KEYS } from "../call/sheet.js";
import { isEmergency } from "../call/emergency.js";
import { beginCalls, here, invited, learnNames, leaveHome, watch } from "../call/session.js";
import { confirmedOnThePad } from "../call/telephone.js";
import { EnrolmentError, join, joinAs, readCode } from "../device/enrolment.js";
import { element, harmless } from "../dom.js";
import { action, badge, card, field, form, names, nothing, row, rows, sentence, when } from "../parts.js";

const STATES = {
  registered: ["good", "ready: calls ring here"],
  connecting: ["warn", "connecting to the hub…"],
  lost: ["warn", "no connection to the hub: trying again"],
  waiting: ["", "another tab takes the calls"],
  refused: ["bad", "not let in by the hub"],
  ended: ["", "ended"],
};
const dialled = { text: "" };

export async function phone({ who, redraw, say }) {
  if (here.own === null) return [enrol(who, redraw, say), here.problem === null ? null : trouble(who, redraw)].filter(Boolean);
  await learnNames();
  const [rooms, people, devices, contacts, telephone] = [...(await Promise.all([get("rooms"), get("people"), get("devices"), get("contacts")])), here.telephone];
  const status = element("p", { role: "status", class: "small row wrap" });
  const told = () => {
    const [tone, words] = STATES[here.telephone?.state] ?? ["bad", here.problem ?? "not connected"];
    status.replaceChildren(badge(tone, sentence(words)), here.telephone?.state === "waiting" ? action("Take calls in this tab", async () => here.telephone.takeOver()) : "");
  };
  told();
  let placed = false;
  const stop = watch(() => {
    placed ||= status.isConnected;
    if (placed && !status.isConnected) stop();
    else told();
  });
  return [
    element("section", { class: "card", "aria-label": "This browser" },
      element("div", { class: "row spread" }, element("h2", {}, harmless(here.own.name)), status)),
    element("div", { class: "columns" },
      card("In the home", atHome(rooms, people, devices, say)),
      element("div", { class: "stack" }, pad(say), contactsCard(contacts, say))),
    missed(telephone),
    element("details", { class: "card" }, element("summary", {}, "This browser is no telephone any more"), leave(who, redraw)),
  ].filter(Boolean);
}

const callButton = (name, call) => action("Call", call, { class: "", "aria-label": `Call ${harmless(name)}` });

function atHome(rooms, people, devices, say) {
  const present = devices.filter(({ revoked_at_ms: gone, id }) => gone === null && id !== here.own.device);
  const inRoom = (id) => present.filter(({ room }) => room === id);
  const call = (user, name) => async () => {
    await here.telephone?.callHome(user, name);
    say(`Calling ${harmless(name)}`);
  };
  const line = (kind, user, name) => row(harmless(name), kind, callButton(name, call(user, name)));
  const roomNames = names(rooms);
  const all = [
    ...rooms.filter(({ id }) => inRoom(id).length > 0).map(({ name }) => line("room", name, name)),
    ...people.filter(({ id }) => present.some(({ person }) => person === id)).map(({ name }) => line("person: all their devices", name, name)),
    ...present.map(({ id, kind, name, room }) => line(roomNames.get(room) ?? (kind === "sip_phone" ? "telephone" : "device"), id, name)),
  ];
  return rows(all, "No other device of the home has joined yet.");
}

function contactsCard(contacts, say) {
  const sorted = contacts.toSorted((a, b) => a.name.localeCompare(b.name));
  const lines = sorted.flatMap(({ name, numbers }) => numbers.map(({ label, number }) =>
    row(harmless(name), harmless(`${label} ${number}`), action("Call", async () => {
      await here.telephone?.callNumber(number, name);
      say(`Calling ${harmless(name)}`);
    }, { class: "", "aria-label": `Call ${harmless(`${name}, ${label}`)}` }))));
  return card("Contacts", rows(lines, "No contacts."));
}

function pad(say) {
  const number = element("input", {
    type: "tel", inputmode: "tel", autocomplete: "off", maxlength: 40, name: "number",
    input: () => (dialled.text = number.value),
  });
  number.value = dialled.text;
  const asked = element("div", { id: "confirm-emergency" });
  const press = (key) => {
    dialled.text += key;
    number.value = dialled.text;
    say(key);
  };
  const clear = () => {
    dialled.text = "";
    number.value = "";
    asked.replaceChildren();
  };
  const send = async () => {
    asked.replaceChildren();
    const digits = dialled.text.trim();
    if (digits === "") throw new Error("dial a number first");
    if (isEmergency(digits)) {
      asked.replaceChildren(confirmation(digits, clear, say));
      // On "no": who presses Enter twice has confirmed nothing.
      asked.querySelector("button.plain").focus();
      return "";
    }
    await here.telephone.callNumber(digits);
    clear();
    return "";
  };
  return card("Dial a number",
    element("p", { class: "banner warn small" }, "Drill: emergency numbers reach a drill call-taker where the home has a line to one, and never a real one. In real need use a real telephone."),
    form("Call", send,
      field("Number", number),
      element("div", { class: "keys" }, KEYS.map((key) => element("button", { type: "button", class: "plain", click: () => press(key) }, key))),
      element("div", { class: "row" }, element("button", { type: "button", class: "plain", click: clear }, "Clear"))),
    asked);
}

/** The second step of an emergency call: the only place where one is confirmed. */
function confirmation(digits, done, say) {
  const confirm = element("button", {
    type: "button",
    class: "bad",
    // Scripts of other origins do not run here, and those that press buttons are no person.
    click: async (event) => {
      if (!event.isTrusted) return;
      confirm.disabled = true;
      try {
        await here.telephone.callForHelp(confirmedOnThePad(digits));
        done();
      } catch (problem) {
        say(problem.message);
        confirm.after(element("p", { class: "banner bad", role: "alert" }, sentence(problem.message)));
      }
    },
  }, `Yes, call ${digits} as a drill`);
  return element("div", { class: "banner bad stack", role: "alertdialog", "aria-labelledby": "emergency-title", "aria-describedby": "emergency-text" },
    element("h3", { id: "emergency-title" }, `${digits} is an emergency number`),
    element("p", { id: "emergency-text" }, "This is a drill: where the home has a line to a drill call-taker, that one answers. No real help comes. In real need take a real telephone now."),
    element("div", { class: "row" }, confirm, element("button", { type: "button", class: "plain", click: done }, "No, do not call")));
}

function missed(telephone) {
  if (telephone === null || telephone.missed.length === 0) return null;
  return card("Missed here", rows(telephone.missed.map(({ name, why, at }) => row(harmless(name), element("span", {}, when(at), why === "" ? "" : ` – ${why}`))), ""));
}

// Becoming a device of the home.

function suggestedName({ person }) {
  const system = /Android|iPhone|iPad|Windows|Mac|Linux/.exec(navigator.userAgent)?.[0] ?? "";
  return `${person.name}’s browser${system === "" ? "" : ` (${system})`}`.slice(0, 100);
}

function enrol(who, redraw, say) {
  const grown = who.person.role !== "child";
  const code = element("input", { name: "code", autocomplete: "off", autocapitalize: "characters", spellcheck: "false", required: true, maxlength: 12, placeholder: "ABCD-2345" });
  code.value = invited.code;
  const name = element("input", { name: "device", required: true, maxlength: 120 });
  name.value = suggestedName(who);
  const joining = async (how) => {
    await how();
    Object.assign(invited, { code: "", ca: null });
    await beginCalls(who);
    say("This browser has joined the home");
    await redraw();
    return "";
  };
  const byCode = async () => {
    const read = readCode(code.value);
    if (read === null) throw new EnrolmentError("a code has 8 letters and digits, never 0, 1, I or O; look at it again");
    return joining(() => join(read, invited.ca));
  };
  return card("Call from this browser",
    element("p", {}, "Make this browser a device of your home: it rings when somebody calls you, and its calls with other devices of the home are protected from end to end. Its key is made here and never leaves it."),
    grown ? form("Join as my own device", () => joining(() => joinAs(who.person.id, name.value.trim())), field("Name of this browser", name)) : null,
    element("details", { open: invited.code !== "" || !grown }, element("summary", {}, "Join with a code"), form("Join with the code", byCode, field("Code", code, "out of the home’s app, or `hearth hub invite`"))));
}

function trouble(who, redraw) {
  return element("div", { class: "banner bad stack", role: "alert" }, element("p", {}, sentence(here.problem)), element("div", { class: "row" }, action("Forget what this browser joined as", async () => {
    await leaveHome(who);
    await redraw();
  })));
}

function leave(who, redraw) {
  return form("Leave", async () => {
    const { device } = here.own;
    await leaveHome(who);
    if (who.person.role !== "child") await change("DELETE", `devices/${device}`).catch(() => {});
    await redraw();
    return "";
  }, nothing("Its key is thrown away here, and its certificate ends at the hub. A further code is needed to join again."));
}
