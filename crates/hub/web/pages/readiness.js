// What would happen if somebody called for help now, as far as the hub knows.

import { get } from "../api.js";
import { element } from "../dom.js";
import { badge, card, row, rows } from "../parts.js";
import { HEALTH, troubleOf } from "./lines.js";

export async function readiness() {
  const telephone = get("telephone").catch((problem) => (problem.status === 404 ? null : Promise.reject(problem)));
  const [lines, devices, sip, incidents] = await Promise.all([get("lines"), get("devices"), telephone, get("incidents?limit=20")]);
  const present = devices.filter((device) => device.revoked_at_ms === null);
  const speakers = present.filter(({ kind }) => kind === "speaker");
  const drills = lines.filter((line) => line.enabled && line.sip?.drill);
  const working = drills.filter(({ health }) => health === "up");
  const answered = incidents.find(({ drill, outcome }) => drill && outcome === "answered");
  const points = [
    [speakers.length > 0, `${counted(speakers.length, "speaker")} joined`, "No speaker has joined: nobody hears a call for help"],
    [sip !== null, "The hub carries calls", "This hub carries no calls: start it with --sip"],
    [drills.length > 0, `${counted(drills.length, "line")} for drills`, "No line carries drills: speakers call by themselves"],
    [working.length > 0, `${counted(working.length, "line")} for drills, working now`, "None of these lines is known to work now"],
    [answered !== undefined, "A drill was answered", "No drill was answered yet: try one"],
  ];
  const good = points.every(([holds]) => holds);
  const mark = ([holds, yes, no]) => row(holds ? yes : no, null, badge(holds ? "good" : "warn", holds ? "✓ yes" : "○ not yet"));
  return [
    element(
      "p",
      { class: `banner ${good ? "good" : "warn"}` },
      good ? "Everything that the hub can see is ready for a drill." : "Not everything is ready. What is missing stands below.",
    ),
    card("Seen by the hub", element("ul", { class: "rows" }, points.map(mark))),
    card(
      "Lines, in the order of their trial",
      rows(
        lines.map((line) => {
          const [tone, word] = line.enabled ? HEALTH[line.health] : ["", "switched off"];
          return row(line.name, troubleOf(line), badge(tone, word));
        }),
        "There are no lines.",
      ),
    ),
    element("p", { class: "soft small" }, "Every call for help in this version is a drill. Each speaker also checks itself: hearth doctor tells what this page cannot see, such as its microphone and its address."),
  ];
}

function counted(count, thing) {
  return `${count} ${thing}${count === 1 ? "" : "s"}`;
}
