// What one wants of calls: quiet hours, who is blocked. What one is told of, one's password and sessions.

import { change, get, signOut } from "../api.js";
import { element } from "../dom.js";
import { action, badge, card, check, choosing, edit, field, form, row, rows, when } from "../parts.js";
import { telling } from "../push.js";
import { inWords, topicsForm } from "../topics.js";

/** Speakers whose settings are shown. */
const SPEAKERS_MAX = 24;
const HOURS = [["", "until I switch it off"], ["1", "for an hour"], ["8", "for eight hours"], ["24", "for a day"]];

export async function settings({ who, redraw }) {
  const { id, role } = who.person;
  const grown = role === "owner" || role === "adult";
  const [wishes, people, devices, sessions, told, services] = await Promise.all([
    get(`people/${id}/call-settings`),
    get("people"),
    role === "guest" ? [] : get("devices"),
    get("sessions"),
    telling(grown, redraw),
    grown ? get("routines") : { targets: [] },
  ]);
  const parties = partiesOf(who, people, devices);
  const speakers = grown ? devices.filter(({ kind, revoked_at_ms: gone }) => kind === "speaker" && gone === null).slice(0, SPEAKERS_MAX) : [];
  const theirs = await Promise.all(speakers.map((speaker) => get(`devices/${speaker.id}/call-settings`)));
  return [
    element(
      "div",
      { class: "columns" },
      card("Do not disturb", grown ? quiet(id, wishes, redraw) : element("p", {}, wishes.do_not_disturb ? "On" : "Off")),
      grown ? card("Forward my calls", forward(id, wishes, redraw)) : null,
      grown ? card("Who may call me", only(id, wishes, parties, redraw)) : null,
      grown ? card("Blocked", block(id, wishes, parties, redraw)) : null,
      grown ? card("Drop In", ...dropIn(id, wishes, speakers, theirs, parties, redraw)) : null,
      card("Told while closed", ...told),
      grown ? card("Services of the home", rows(services.targets.map((target) => service(target, role === "owner", redraw)), "None. An owner adds ntfy, Gotify or a webhook in Routines.")) : null,
      card("Password", password(who.person)),
      card(
        "Signed in",
        rows(
          sessions.map((session) =>
            row(
              session.kind === "browser" ? "Browser" : "App",
              element("span", {}, "since ", when(session.created_at_ms)),
              session.id === who.session.id ? badge("good", "this one") : action("End", () => signOut(session.id).then(redraw), { "aria-label": "End this session" }),
            ),
          ),
          "None.",
        ),
      ),
    ),
  ];
}

/** One service, and what it is told of beside what routines send. */
function service({ name, tells = [] }, owner, redraw) {
  const choose = async (chosen) => {
    const all = await change("GET", "routines");
    for (const target of all.targets) if (target.name === name) target.tells = chosen;
    await change("PUT", "routines", all);
    await redraw();
  };
  return row(name, `told of ${inWords(tells)}`, owner ? edit(`Edit what ${name} is told of`, () => topicsForm(`${name} is told of`, tells, true, choose)) : null);
}

function quiet(id, wishes, redraw) {
  const on = element("input", { type: "checkbox", checked: wishes.do_not_disturb });
  const long = element("select", {}, HOURS.map(([value, label]) => element("option", { value }, label)));
  const until = wishes.do_not_disturb_until_ms;
  const send = async () => {
    const ends = on.checked && long.value !== "" ? Date.now() + Number(long.value) * 3_600_000 : null;
    await change("PUT", `people/${id}/call-settings`, { ...wishes, do_not_disturb: on.checked, do_not_disturb_until_ms: ends });
    await redraw();
    return "Saved.";
  };
  return form(
    "Save",
    send,
    check("Nothing rings on my devices", on),
    field("How long", long),
    wishes.do_not_disturb && until !== null ? element("p", { class: "small" }, "It ends ", when(until)) : null,
    element("p", { class: "small soft" }, "A call-taker who calls back after a call for help rings all the same."),
  );
}

function forward(id, wishes, redraw) {
  const present = wishes.forward ?? {};
  const [kind] = Object.keys(present);
  const ways = [["", "nowhere"], ["number", "to a number"], ["called", "to a room, a person or a device"]];
  const to = element("select", {}, ways.map(([value, label]) => element("option", { value, selected: value === (kind ?? "") }, label)));
  const target = element("input", { value: present[kind] ?? "", maxlength: 120 });
  const send = async () => {
    const chosen = to.value === "" ? null : { [to.value]: target.value };
    await change("PUT", `people/${id}/call-settings`, { ...wishes, forward: chosen });
    await redraw();
    return "Saved.";
  };
  return form("Save", send, field("They go", to), field("Number or name", target, "never an emergency number or service"));
}

/** Everybody of the home but oneself, and every device. */
function partiesOf(who, people, devices) {
  return [
    ...people.filter(({ id }) => id !== who.person.id).map(({ id, name }) => ({ kind: "person", id, name })),
    ...devices.filter(({ revoked_at_ms: gone }) => gone === null).map(({ id, name }) => ({ kind: "device", id, name })),
  ];
}

function block(id, wishes, parties, redraw) {
  const list = choosing("Their calls are declined", parties, wishes.blocked);
  const numbers = element("textarea", { rows: 2, placeholder: "+1 202 555 0123" });
  numbers.value = wishes.blocked_numbers.join("\n");
  const send = async () => {
    const outside = numbers.value.split("\n").map((line) => line.trim()).filter((line) => line !== "");
    await change("PUT", `people/${id}/call-settings`, { ...wishes, blocked: list.read(), blocked_numbers: outside });
    await redraw();
    return "Saved.";
  };
  return form("Save", send, list.root, field("Numbers outside", numbers, "one a line"));
}

function only(id, wishes, parties, redraw) {
  const on = element("input", { type: "checkbox", checked: wishes.only !== null });
  const list = choosing("These", parties, wishes.only ?? []);
  const show = () => (list.root.hidden = !on.checked);
  on.addEventListener("change", show);
  show();
  const send = async () => {
    await change("PUT", `people/${id}/call-settings`, { ...wishes, only: on.checked ? list.read() : null });
    await redraw();
    return "Saved.";
  };
  return form(
    "Save",
    send,
    check("Within the home only some may call me", on),
    list.root,
    element("p", { class: "small soft" }, "Calls from outside ring as ever, and a call-taker who calls back too."),
  );
}

/** Whose calls are answered by themselves: on one's own devices, and on each speaker. */
function dropIn(id, wishes, speakers, theirs, parties, redraw) {
  const chooser = (legend, path, present, others) => {
    const list = choosing(legend, others, present.drop_in);
    const send = async () => {
      await change("PUT", path, { ...present, drop_in: list.read() });
      await redraw();
      return "Saved.";
    };
    return form("Save", send, list.root);
  };
  const names = ({ drop_in: allowed }) => {
    const known = allowed.map((party) => parties.find((other) => other.id === party.id)?.name ?? "you");
    return known.length === 0 ? "nobody" : known.join(", ");
  };
  const rowsOf = speakers.map((speaker, at) => {
    // Oneself, too: from the telephone in the garden into the kitchen.
    const others = [{ kind: "person", id, name: "Myself" }, ...parties.filter((party) => party.id !== speaker.id)];
    const make = () => chooser(`May drop in: ${speaker.name}`, `devices/${speaker.id}/call-settings`, theirs[at], others);
    return row(speaker.name, `${names(theirs[at])} may drop in`, edit(`Edit who may drop in: ${speaker.name}`, make));
  });
  return [
    element("p", { class: "small soft" }, "Whoever drops in is heard at once, behind a sound, without anybody answering. Nobody may unless it is said here."),
    chooser("On my devices", `people/${id}/call-settings`, wishes, parties),
    element("h3", {}, "Speakers"),
    rows(rowsOf, "The home has no speaker yet."),
  ];
}

function password({ id, login }) {
  // Hidden: for whoever keeps passwords for the person.
  const name = element("input", { autocomplete: "username", value: login ?? "", hidden: true });
  const current = element("input", { type: "password", autocomplete: "current-password", required: true });
  const next = element("input", { type: "password", autocomplete: "new-password", required: true, minlength: 8 });
  const send = async () => {
    await change("PUT", `people/${id}/password`, { password: next.value, current: current.value });
    return "Changed. Sign in again, here and everywhere.";
  };
  return form("Change", send, name, field("Present password", current), field("New password", next));
}
