// Lines to the outside telephone network, and how they are.

import { change, get } from "../api.js";
import { element } from "../dom.js";
import { badge, card, field, form, sentence, when } from "../parts.js";
import { dayPicture } from "./day.js";

export const HEALTH = { up: ["good", "works"], down: ["bad", "does not work"], unknown: ["", "not tried yet"] };
const KINDS = { sip_trunk: "SIP provider", landline: "Landline adapter", modem: "Mobile modem" };

export async function lines({ who, redraw }) {
  const [all, days] = await Promise.all([get("lines"), get("lines/days")]);
  if (all.length === 0) {
    return [card("No lines", element("p", {}, "Calls stay in the home. A line is set up with ", element("code", {}, "hearth hub"), "; its password lies in a file, never here."))];
  }
  const dayOf = new Map(days.map(({ line, half_hours: halves }) => [line, halves]));
  return all.map((line, index) => lineCard(line, index, dayOf.get(line.id) ?? [], who.person.role === "owner", redraw));
}

/** Why a line does not work, in words. */
export function troubleOf(line) {
  if (line.trouble === null || line.trouble === undefined) return null;
  const text = typeof line.trouble === "string" ? line.trouble : (Object.keys(line.trouble)[0] ?? "unknown");
  return text.replaceAll("_", " ");
}

function lineCard(line, index, halves, owner, redraw) {
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
    owner ? forward(line, redraw) : line.forward_to ? element("p", {}, `When nobody answers, calls go to ${line.forward_to}.`) : null,
  );
}

function forward(line, redraw) {
  const number = element("input", { type: "tel", value: line.forward_to ?? "", placeholder: "nowhere" });
  const send = async () => {
    const { id, health, health_since_ms, trouble, ...fields } = line;
    await change("PUT", `lines/${id}`, { ...fields, forward_to: number.value === "" ? null : number.value });
    await redraw();
    return "Saved.";
  };
  return form("Save", send, field("When nobody answers, forward to", number, "never an emergency number; empty for nowhere"));
}
