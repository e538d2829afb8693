// Lines to the outside telephone network, and how they are.

import { change, get } from "../api.js";
import { element } from "../dom.js";
import { badge, card, check, choice, choosing, field, form, sentence, when } from "../parts.js";
import { dayPicture } from "./day.js";

export const HEALTH = { up: ["good", "works"], down: ["bad", "does not work"], unknown: ["", "not tried yet"] };
const KINDS = { sip_trunk: "SIP provider", landline: "Landline adapter", modem: "Mobile modem" };

const UNKNOWN = [["ring", "it rings"], ["busy", "they hear that it is busy"], ["message", "they can leave a message"]];

export async function lines({ who, redraw }) {
  const owner = who.person.role === "owner";
  const [all, days, rooms, devices] = await Promise.all([get("lines"), get("lines/days"), owner ? get("rooms") : [], owner ? get("devices") : []]);
  if (all.length === 0) {
    return [card("No lines", element("p", {}, "Calls stay in the home. A line is set up with ", element("code", {}, "hearth hub"), "; its password lies in a file, never here."))];
  }
  const dayOf = new Map(days.map(({ line, half_hours: halves }) => [line, halves]));
  const ringable = [
    ...rooms.map(({ id, name }) => ({ kind: "room", id, name })),
    ...devices.filter(({ revoked_at_ms: gone }) => gone === null).map(({ id, name }) => ({ kind: "device", id, name })),
  ];
  return all.map((line, index) => lineCard(line, index, dayOf.get(line.id) ?? [], owner ? settings(line, ringable, redraw) : null));
}

/** Why a line does not work, in words. */
export function troubleOf(line) {
  if (line.trouble === null || line.trouble === undefined) return null;
  const text = typeof line.trouble === "string" ? line.trouble : (Object.keys(line.trouble)[0] ?? "unknown");
  return text.replaceAll("_", " ");
}

function lineCard(line, index, halves, own) {
  const [tone, word] = line.enabled ? HEALTH[line.health] : ["", "switched off"];
  const trouble = troubleOf(line);
  return card(
    line.name,
    element("div", { class: "row" }, badge(tone, word), badge("", index === 0 ? "tried first" : `tried as number ${index + 1}`), line.sip?.drill ? badge("warn", "carries drills") : null),
    element(
      "p",
      { class: "soft" },
      KINDS[line.kind] ?? line.kind,
      line.caller_number ? `, shows ${line.caller_number}` : "",
      line.health_since_ms === null ? "" : [", so since ", when(line.health_since_ms)],
    ),
    line.enabled && trouble !== null ? element("p", { class: "banner bad" }, sentence(trouble)) : null,
    dayPicture(halves),
    own !== null ? own : line.forward_to ? element("p", {}, `When nobody answers, calls go to ${line.forward_to}.`) : null,
  );
}

/** What an owner may set of a line here; how it is reached, and its password, are set where the hub runs. */
function settings(line, ringable, redraw) {
  const enabled = element("input", { type: "checkbox", checked: line.enabled });
  const number = element("input", { type: "tel", value: line.forward_to ?? "", placeholder: "nowhere" });
  const shown = element("input", { type: "tel", value: line.caller_number ?? "", placeholder: "what the line itself shows" });
  const unknown = choice(UNKNOWN, line.unknown_callers);
  const rung = [...line.ring_rooms, ...line.ring_devices].map((id) => ({ id }));
  const rings = choosing("Its calls ring", ringable, rung);
  const send = async () => {
    const { id, health, health_since_ms, trouble, ...fields } = line;
    const chosen = rings.read();
    const of = (kind) => chosen.filter((one) => one.kind === kind).map((one) => one.id);
    await change("PUT", `lines/${id}`, {
      ...fields,
      enabled: enabled.checked,
      forward_to: number.value === "" ? null : number.value,
      caller_number: shown.value === "" ? null : shown.value,
      unknown_callers: unknown.value,
      ring_rooms: of("room"),
      ring_devices: of("device"),
    });
    await redraw();
    return "Saved.";
  };
  return element(
    "details",
    {},
    element("summary", {}, "How its calls go"),
    form(
      "Save",
      send,
      check("It is used", enabled),
      line.sip?.drill ? element("p", { class: "small soft" }, "Calls for help go over it. Without it another line must carry them.") : null,
      rings.root,
      element("p", { class: "small soft" }, "Where none is chosen: every speaker and telephone of the home."),
      field("When nobody answers, forward to", number, "never an emergency number; empty for nowhere"),
      field("Unknown callers", unknown, "without a number, or no contact; a call-taker who calls back rings in any case"),
      field("The number that it shows", shown, "with + and country"),
    ),
  );
}
