// People, rooms and devices.

import { change, get } from "../api.js";
import { drawing, element, harmless } from "../dom.js";
import { action, badge, card, choice, edit, field, form, names, row, rows, when } from "../parts.js";

const ROLES = { owner: "runs the home", adult: "adult", child: "child", guest: "guest" };
export const KINDS = { speaker: "Speaker", phone: "Phone", browser: "Browser", sip_phone: "SIP phone" };

/** The last invitation of this page, kept while it is drawn anew: its code is shown this once. */
let made = null;

export async function home({ who, redraw, say }) {
  const { role } = who.person;
  const grown = role === "owner" || role === "adult";
  const [people, rooms, devices, agendas] = await Promise.all([get("people"), get("rooms"), role === "guest" ? [] : get("devices"), grown ? get("agendas") : []]);
  return [
    element(
      "div",
      { class: "columns" },
      role === "guest" ? null : devicesCard(devices, rooms, people, who, redraw, say),
      grown ? agendaCard(agendas, devices) : null,
      card(
        "People",
        rows(people.map((person) => personRow(person, who.person.id, grown)), "Nobody yet."),
        role === "owner" ? element("details", {}, element("summary", {}, "Add a person"), addPerson(redraw)) : null,
      ),
      card(
        "Rooms",
        rows(rooms.map((room) => row(harmless(room.name), inRoom(devices, room.id), ...(grown ? roomActions(room, redraw) : []))), "No rooms yet."),
        grown ? element("details", {}, element("summary", {}, "Add a room"), addRoom(redraw)) : null,
      ),
    ),
  ];
}

function personRow(person, me, grown) {
  const name = harmless(person.name);
  const own = person.id === me;
  const told = element("span", { role: "status", class: "small soft" });
  const ring = async () => {
    const { browsers, telephones } = await change("POST", `people/${person.id}/ring`);
    const count = browsers + telephones;
    told.textContent = count === 0 ? "None is registered, and no browser wants to be told." : `${count} of ${own ? "yours" : `${name}’s`} should ring now.`;
  };
  const find = own || grown ? action("Find phone", ring, { "aria-label": `Find phone of ${name}` }) : null;
  return row(name, own ? "you" : null, badge("", ROLES[person.role]), find, told);
}

const KEPT = { timer: "Timer", alarm: "Alarm", reminder: "Reminder", stopwatch: "Stopwatch" };

/** What the speakers keep for later; they have it, this is the hub's copy. */
function agendaCard(agendas, devices) {
  const speakers = names(devices);
  const kept = agendas.flatMap(({ device, clock_ahead_ms: ahead, items }) =>
    items.map((item) => ({ ...item, due: item.due_ms === null ? null : item.due_ms - ahead, speaker: harmless(speakers.get(device) ?? "") })));
  const set = kept.filter(({ kind }) => kind !== "line").sort((one, other) => (one.due ?? Infinity) - (other.due ?? Infinity));
  const lists = Map.groupBy(kept.filter(({ kind }) => kind === "line"), ({ whom }) => whom ?? "list");
  return card(
    "Timers, reminders and lists",
    rows(set.map(setRow), "Nothing is set. Say “set a timer for ten minutes” to a speaker."),
    ...Array.from(lists, ([name, lines]) => [
      element("h3", {}, `List: ${harmless(name)}`),
      rows(lines.map(({ label, speaker }) => row(harmless(label ?? ""), speaker)), ""),
    ]).flat(),
  );
}

function setRow({ kind, label, whom, due, left_ms: left, repeats, speaker }) {
  const details = [label === null ? null : KEPT[kind], whom === null ? null : `for ${harmless(whom)}`, repeats ? "again and again" : null, left === null ? null : "stands still", speaker];
  const soon = due !== null && due > Date.now() && due - Date.now() < 60_000;
  return row(label === null ? KEPT[kind] : harmless(label), details.filter(Boolean).join(" · "), due === null ? null : soon ? "within a minute" : when(due));
}

function inRoom(devices, room) {
  const found = devices.filter((device) => device.room === room && device.revoked_at_ms === null).map(({ name }) => name);
  return found.length > 0 ? found.join(", ") : null;
}

function devicesCard(devices, rooms, people, who, redraw, say) {
  const { role, id: me } = who.person;
  const [roomNames, peopleNames] = [names(rooms), names(people)];
  const present = devices.filter((device) => device.revoked_at_ms === null);
  const rowOf = (device) => {
    const details = [KINDS[device.kind] ?? device.kind, roomNames.get(device.room), peopleNames.get(device.person)].filter(Boolean).join(" · ");
    const own = role === "owner" || (role === "adult" && device.person === me);
    return row(harmless(device.name), details, ...(own ? [editDevice(device, rooms, role === "owner" ? people : people.filter(({ id }) => id === me), redraw), revoke(device, redraw)] : []));
  };
  const open = made !== null && made.invitation.expires_at_ms > Date.now();
  const invited = element("div", { role: "status", class: "stack" }, open ? codeOf(made) : null);
  return card(
    "Devices",
    rows(present.map(rowOf), "No device has joined yet."),
    role === "owner" || role === "adult" ? element("details", { open }, element("summary", {}, "Invite a device"), invite(who, rooms, people, redraw, say), invited) : null,
  );
}

function editDevice(device, rooms, people, redraw) {
  return edit(`Edit ${harmless(device.name)}`, () => {
    const name = element("input", { value: device.name, required: true, maxlength: 120 });
    const room = choice([["", "no room"], ...rooms.map(({ id, name: text }) => [id, text])], device.room);
    const person = choice([["", "the whole household"], ...people.map(({ id, name: text }) => [id, text])], device.person);
    const save = async () => {
      await change("PUT", `devices/${device.id}`, { name: name.value, room: room.value || null, person: person.value || null });
      await redraw();
      return "";
    };
    return form("Save", save, field("Name", name), field("Where it stands", room), field("Whose it is", person));
  });
}

function roomActions(room, redraw) {
  const name = harmless(room.name);
  const rename = edit(`Edit ${name}`, () => {
    const input = element("input", { value: room.name, required: true, maxlength: 120 });
    return form("Save", async () => {
      await change("PUT", `rooms/${room.id}`, { name: input.value });
      await redraw();
      return "";
    }, field("Name of the room", input));
  });
  const remove = async () => {
    if (!confirm(`Remove ${room.name}? What stands there stays.`)) return;
    await change("DELETE", `rooms/${room.id}`);
    redraw();
  };
  return [rename, action("Remove", remove, { "aria-label": `Remove ${name}` })];
}

/** What the device that joins is shown or told. */
function codeOf(made) {
  return [
    element("p", {}, "Scan this with the device, or type the code on it, within ten minutes:"),
    qr(made.qr),
    element("p", { class: "mono" }, element("strong", {}, made.code)),
    element("p", { class: "small soft" }, "Ends ", when(made.invitation.expires_at_ms ?? Date.now() + 600_000)),
  ];
}

/** The link of an invitation as a QR code: rows of 0 and 1, the hub's. */
function qr(modules) {
  const size = modules.length + 8;
  const path = modules.flatMap((line, y) => Array.from(line, (module, x) => (module === "1" ? `M${x + 4} ${y + 4}h1v1h-1z` : ""))).join("");
  return drawing("svg", { class: "qr", viewBox: `0 0 ${size} ${size}`, width: 4 * size, height: 4 * size, role: "img", "aria-label": "QR code of the invitation" },
    drawing("rect", { width: size, height: size, class: "qr-light" }), drawing("path", { d: path, class: "qr-dark" }));
}

function revoke(device, redraw) {
  const name = { "aria-label": `Remove ${device.name}` };
  return action(
    "Remove",
    async () => {
      if (!confirm(`Remove ${device.name} for good? Its connections end at once.`)) return;
      await change("DELETE", `devices/${device.id}`);
      redraw();
    },
    name,
  );
}

function invite(who, rooms, people, redraw, say) {
  const owner = who.person.role === "owner";
  const name = element("input", { required: true, maxlength: 120 });
  const kind = element("select", {}, ["speaker", "phone", "browser"].map((value) => element("option", { value }, KINDS[value])));
  const room = choice([["", "no room"], ...rooms.map(({ id, name: text }) => [id, text])], null);
  const person = choice([...(owner ? [["", "the whole household"]] : []), ...(owner ? people : people.filter(({ id }) => id === who.person.id)).map(({ id, name: text }) => [id, text])], null);
  const send = async () => {
    made = await change("POST", "invitations", { kind: kind.value, name: name.value, room: room.value || null, person: person.value || null });
    say("The code is on the page");
    await redraw();
  };
  return form("Make a code", send, field("Name", name), field("What it is", kind), field("Where it stands", room), field("Whose it is", person));
}

function addRoom(redraw) {
  const name = element("input", { required: true, maxlength: 120 });
  return form(
    "Add",
    async () => {
      await change("POST", "rooms", { name: name.value });
      await redraw();
    },
    field("Name", name),
  );
}

function addPerson(redraw) {
  const name = element("input", { required: true, maxlength: 120 });
  const login = element("input", { maxlength: 64, autocapitalize: "none" });
  const role = element("select", {}, Object.entries(ROLES).map(([value, label]) => element("option", { value, selected: value === "adult" }, label)));
  return form(
    "Add",
    async () => {
      await change("POST", "people", { name: name.value, role: role.value, login: login.value === "" ? null : login.value });
      await redraw();
    },
    field("Name", name),
    field("Login", login, "empty for who never signs in"),
    field("What they are", role),
  );
}
