// What the pages are made of: cards, rows, forms that say what went wrong, times in the reader's words.

import { element } from "./dom.js";

export function card(title, ...children) {
  return element("section", { class: "card" }, element("h2", {}, title), ...children);
}

export function badge(tone, text) {
  return element("span", { class: `badge ${tone}` }, text);
}

export function nothing(text) {
  return element("p", { class: "soft" }, text);
}

/** A list of rows, or a sentence that says that there are none. */
export function rows(items, none) {
  return items.length === 0 ? nothing(none) : element("ul", { class: "rows" }, items);
}

export function row(title, details, ...right) {
  return element(
    "li",
    {},
    element("div", { class: "grow" }, element("div", { class: "title" }, title), details ? element("div", { class: "small soft" }, details) : null),
    ...right,
  );
}

export function field(label, input, hint) {
  return element("label", {}, label, hint ? element("span", { class: "small soft" }, hint) : null, input);
}

export function check(label, input) {
  return element("label", { class: "check" }, input, label);
}

/** Some people, devices or rooms to be chosen, each with `kind` and `id`; `read` gives those that are. */
export function choosing(legend, parties, chosen) {
  const ids = new Set(chosen.map(({ id }) => id));
  const boxes = parties.map((party) => ({ party, input: element("input", { type: "checkbox", checked: ids.has(party.id) }) }));
  const root = element("fieldset", {}, element("legend", {}, legend), boxes.map(({ party, input }) => check(party.name, input)));
  return { root, read: () => boxes.filter(({ input }) => input.checked).map(({ party: { kind, id } }) => ({ kind, id })) };
}

/** A form that sends once at a time and says what became of it. */
export function form(button, send, ...children) {
  const told = element("p", { role: "status", class: "small told" });
  const submit = element("button", { type: "submit" }, button);
  const made = element(
    "form",
    {
      class: "form",
      submit: async (event) => {
        event.preventDefault();
        submit.disabled = true;
        told.textContent = "";
        told.className = "small told";
        try {
          told.textContent = (await send()) ?? "";
        } catch (problem) {
          told.className = "small told banner bad";
          told.textContent = sentence(problem.message);
        }
        submit.disabled = false;
      },
    },
    ...children.filter((child) => child !== null),
    element("div", { class: "row" }, submit),
    told,
  );
  return made;
}

/** A button that does one thing once. */
export function action(label, act, attributes = {}) {
  const button = element(
    "button",
    {
      type: "button",
      class: "plain",
      ...attributes,
      click: async () => {
        button.disabled = true;
        try {
          await act();
        } catch (problem) {
          button.after(element("span", { role: "alert", class: "badge bad" }, sentence(problem.message)));
        }
        button.disabled = false;
      },
    },
    label,
  );
  return button;
}

/** A button that puts a form in the place of its row; "Cancel" gives the row back. */
export function edit(label, make) {
  const button = element(
    "button",
    {
      type: "button",
      class: "plain",
      "aria-label": label,
      click: () => {
        const row = button.closest("li");
        const before = [...row.childNodes];
        const back = () => {
          row.replaceChildren(...before);
          button.focus();
        };
        row.replaceChildren(element("div", { class: "grow stack" }, make(), element("div", { class: "row" }, element("button", { type: "button", class: "plain", click: back }, "Cancel"))));
        row.querySelector("input, select")?.focus();
      },
    },
    "Edit",
  );
  return button;
}

/** A choice; `[value, label]` each. */
export function choice(options, chosen) {
  return element("select", {}, options.map(([value, label]) => element("option", { value, selected: value === (chosen ?? "") }, label)));
}

export function sentence(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

const AGO = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const WHEN = new Intl.DateTimeFormat("en", { dateStyle: "medium", timeStyle: "short" });
const STEPS = [["day", 86_400_000], ["hour", 3_600_000], ["minute", 60_000]];

/** "2 hours ago", with the time itself for whoever wants it. */
export function when(ms) {
  const away = ms - Date.now();
  const [unit, length] = STEPS.find(([, length]) => Math.abs(away) >= length) ?? ["second", 1000];
  // A clock that runs behind the hub's makes nothing come from the future.
  const words = Math.abs(away) < 60_000 ? "just now" : AGO.format(Math.trunc(away / length), unit);
  return element("time", { datetime: new Date(ms).toISOString(), title: WHEN.format(ms) }, words);
}

export function names(things) {
  return new Map(things.map(({ id, name }) => [id, name]));
}
