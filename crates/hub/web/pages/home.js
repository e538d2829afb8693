// People, rooms and devices.

import { change, get } from "../api.js";
import { element } from "../dom.js";
import { action, badge, card, field, form, names, row, rows, when } from "../parts.js";

const ROLES = { owner: "runs the home", adult: "adult", child: "child", guest: "guest" };
export const KINDS = { speaker: "Speaker", phone: "Phone", browser: "Browser", sip_phone: "SIP phone" };

export async function home({ who, redraw, say }) {
  const { role } = who.person;
  const [people, rooms, devices] = await Promise.all([get("people"), get("rooms"), role === "guest" ? [] : get("devices")]);
  const grown = role === "owner" || role === "adult";
  return [
    element(
      "div",
      { class: "columns" },
      role === "guest" ? null : devicesCard(devices, names(rooms), names(people), role, redraw, say),
      card(
        "People",
        rows(people.map((person) => row(person.name, person.id === who.person.id ? "you" : null, badge("", ROLES[person.role]))), "Nobody yet."),
        role === "owner" ? element("details", {}, element("summary", {}, "Add a person"), addPerson(redraw)) : null,
      ),
      card(
        "Rooms",
        rows(rooms.map((room) => row(room.name, inRoom(devices, room.id))), "No rooms yet."),
        grown ? element("details", {}, element("summary", {}, "Add a room"), addRoom(redraw)) : null,
      ),
    ),
  ];
}

function inRoom(devices, room) {
  const found = devices.filter((device) => device.room === room && device.revoked_at_ms === null).map(({ name }) => name);
  return found.length > 0 ? found.join(", ") : null;
}

function devicesCard(devices, rooms, people, role, redraw, say) {
  const present = devices.filter((device) => device.revoked_at_ms === null);
  const rowOf = (device) => {
    const details = [KINDS[device.kind] ?? device.kind, rooms.get(device.room), people.get(device.person)].filter(Boolean).join(" · ");
    return row(device.name, details, role === "owner" ? revoke(device, redraw) : null);
  };
  const invited = element("div", { role: "status" });
  return card(
    "Devices",
    rows(present.map(rowOf), "No device has joined yet."),
    role === "owner" ? element("details", {}, element("summary", {}, "Invite a device"), invite(invited, say), invited) : null,
  );
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

function invite(invited, say) {
  const name = element("input", { required: true, maxlength: 120 });
  const kind = element("select", {}, ["speaker", "phone", "browser"].map((value) => element("option", { value }, KINDS[value])));
  const send = async () => {
    const made = await change("POST", "invitations", { kind: kind.value, name: name.value });
    invited.replaceChildren(
      element("p", {}, "Type this code on the device, within ten minutes:"),
      element("p", { class: "mono" }, element("strong", {}, made.code)),
      element("p", { class: "small soft" }, "Ends ", when(made.invitation.expires_at_ms ?? Date.now() + 600_000)),
    );
    name.value = "";
    say("The code is on the page");
  };
  return form("Make a code", send, field("Name", name), field("What it is", kind));
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
