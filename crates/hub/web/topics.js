// What one is told of while nobody looks at the app: chosen for each browser, and for each service of the home.

import { element } from "./dom.js";
import { check, form } from "./parts.js";

const TOPICS = [
  ["calls", "Calls that ring"],
  ["messages", "Messages"],
  ["missed_calls", "Missed calls"],
  ["line_health", "Lines that fail, or work again"],
  ["incidents", "Calls for help (drills)"],
];
/** What children and guests are told of; the rest concerns the whole home. */
const FOR_ALL = ["calls", "messages", "missed_calls"];

/** In words, for a row. */
export function inWords(tells) {
  const chosen = TOPICS.filter(([topic]) => tells.includes(topic)).map(([, label]) => label.toLowerCase());
  return chosen.length === 0 ? "nothing by itself" : chosen.join(", ");
}

/** Boxes to choose by; `send` gets what was chosen. */
export function topicsForm(legend, tells, grown, send) {
  const boxes = TOPICS.filter(([topic]) => grown || FOR_ALL.includes(topic)).map(([topic, label]) => ({
    topic,
    label,
    input: element("input", { type: "checkbox", checked: tells.includes(topic) }),
  }));
  const chosen = () => boxes.filter(({ input }) => input.checked).map(({ topic }) => topic);
  return form("Save", () => send(chosen()), element("fieldset", {}, element("legend", {}, legend), boxes.map(({ label, input }) => check(label, input))));
}
