// The address book.

import { change, get } from "../api.js";
import { element, harmless } from "../dom.js";
import { action, badge, card, check, choice, edit, field, form, row, rows } from "../parts.js";

const NUMBERS_MAX = 16;
const SCREENING = [["allow", "it rings"], ["screen", "they say who they are first"], ["block", "it never rings"]];
const SPEED_DIALS = [["", "none"], ...Array.from("123456789", (digit) => [digit, digit])];

export async function contacts({ who, redraw }) {
  const all = await get("contacts");
  const grown = who.person.role !== "child";
  const sorted = all.toSorted((a, b) => a.name.localeCompare(b.name));
  const rowOf = (contact) => {
    const numbers = contact.numbers.map(({ label, number }) => `${label} ${number}`).join(" · ");
    const remove = async () => {
      if (!confirm(`Remove ${contact.name}?`)) return;
      await change("DELETE", `contacts/${contact.id}`);
      redraw();
    };
    const name = harmless(contact.name);
    return row(
      name,
      harmless(numbers),
      contact.speed_dial === null ? null : badge("", `speed dial ${contact.speed_dial}`),
      contact.screening === "block" ? badge("bad", "blocked") : null,
      contact.children_may_call && grown ? badge("good", "children may call") : null,
      grown ? edit(`Edit ${name}`, () => contactForm("Save", contact, (fields) => change("PUT", `contacts/${contact.id}`, fields).then(redraw))) : null,
      grown ? action("Remove", remove, { "aria-label": `Remove ${name}` }) : null,
    );
  };
  const add = (fields) => change("POST", "contacts", fields).then(redraw);
  return [
    grown ? card("Add a contact", contactForm("Add", null, add)) : null,
    card(all.length === 1 ? "One contact" : `${all.length} contacts`, rows(sorted.map(rowOf), grown ? "The address book is empty." : "Nobody has allowed you a contact yet.")),
  ].filter(Boolean);
}

function numberRow({ label: labelText, number: numberText }) {
  const label = element("input", { value: labelText, required: true, maxlength: 120 });
  const number = element("input", { type: "tel", value: numberText, required: true, placeholder: "+1 202 555 0123" });
  const root = element("div", { class: "columns" }, field("Label", label), field("Number", number, "as you dial it, or with + and country; emergency numbers are refused"));
  return { root, read: () => ({ label: label.value, number: number.value }) };
}

/** All that may be set of a contact; what the form does not show stays as it is. */
function contactForm(button, contact, send) {
  const { id, ...present } = contact ?? { name: "", numbers: [], children_may_call: false, speed_dial: null };
  const name = element("input", { value: present.name, required: true, maxlength: 120 });
  const children = element("input", { type: "checkbox", checked: present.children_may_call });
  const speedDial = choice(SPEED_DIALS, present.speed_dial === null ? "" : String(present.speed_dial));
  const screening = choice(SCREENING, present.screening ?? "allow");
  const numbers = (present.numbers.length > 0 ? present.numbers : [{ label: "mobile", number: "" }]).map(numberRow);
  const list = element("div", { class: "stack" }, numbers.map(({ root }) => root));
  const further = element("button", {
    type: "button",
    class: "plain",
    click: () => {
      if (numbers.length >= NUMBERS_MAX) return;
      const made = numberRow({ label: "home", number: "" });
      numbers.push(made);
      list.append(made.root);
      made.root.querySelector("input").focus();
    },
  }, "One more number");
  const drop = element("button", {
    type: "button",
    class: "plain",
    click: () => {
      if (numbers.length > 1) numbers.pop().root.remove();
    },
  }, "Without the last number");
  const submit = async () => {
    await send({
      ...present,
      name: name.value,
      numbers: numbers.map(({ read }) => read()),
      children_may_call: children.checked,
      ...(contact === null ? {} : { speed_dial: speedDial.value === "" ? null : Number(speedDial.value), screening: screening.value }),
    });
    return "";
  };
  return form(
    button,
    submit,
    field("Name", name),
    list,
    contact === null ? null : element("div", { class: "row" }, further, drop),
    contact === null ? null : element("div", { class: "columns" }, field("Speed dial", speedDial), field("When they call", screening)),
    check("Children may call them", children),
  );
}
