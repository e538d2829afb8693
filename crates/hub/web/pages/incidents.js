// Incidents that devices reported. The verdict on a record is made where it is checked, not here.

import { get } from "../api.js";
import { element } from "../dom.js";
import { badge, card, names, row, rows, when } from "../parts.js";

export const OUTCOMES = {
  answered: ["good", "call answered"],
  unanswered: ["bad", "nobody answered"],
  cancelled: ["", "cancelled"],
  not_called: ["", "no call"],
  open: ["warn", "goes on"],
};

export async function incidents() {
  const [all, devices] = await Promise.all([get("incidents?limit=100"), get("devices")]);
  const named = names(devices);
  const rowOf = (incident) => {
    const [tone, word] = OUTCOMES[incident.outcome];
    const details = element(
      "span",
      {},
      when(incident.opened_at_ms),
      `, ${incident.entries} entries, bundle `,
      element("code", {}, `${incident.bundle_sha256.slice(0, 16)}…`),
    );
    return row(
      `${named.get(incident.device) ?? "A device"}, number ${incident.number}`,
      details,
      incident.drill ? badge("warn", "drill") : null,
      badge(tone, word),
      element("a", { href: `/verify.html#${incident.bundle_sha256}` }, "Check its bundle", element("span", { class: "hidden" }, ` of number ${incident.number}`)),
    );
  };
  return [
    card("Reported by your devices", rows(all.map(rowOf), "No incident was reported. That is the best page of this app.")),
    card(
      "What a verdict rests on",
      element("p", {}, "The hub knows what a device reported, not whether its record is whole. The bundle lies on the device; the page that opens checks it byte by byte, also without this hub, and says whether it is the one that was reported."),
    ),
  ];
}
