// The address book.

import { change, get } from "../api.js";
import { element } from "../dom.js";
import { action, badge, card, check, field, form, row, rows } from "../parts.js";

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
    return row(
      contact.name,
      numbers,
      contact.speed_dial === null ? null : badge("", `speed dial ${contact.speed_dial}`),
      contact.children_may_call && grown ? badge("good", "children may call") : null,
      grown ? action("Remove", remove, { "aria-label": `Remove ${contact.name}` }) : null,
    );
  };
  return [
    grown ? card("Add a contact", addContact(redraw)) : null,
    card(all.length === 1 ? "One contact" : `${all.length} contacts`, rows(sorted.map(rowOf), grown ? "The address book is empty." : "Nobody has allowed you a contact yet.")),
  ].filter(Boolean);
}

function addContact(redraw) {
  const name = element("input", { required: true, maxlength: 120 });
  const label = element("input", { value: "mobile", required: true, maxlength: 120 });
  const number = element("input", { type: "tel", required: true, placeholder: "+1 202 555 0123" });
  const children = element("input", { type: "checkbox" });
  return form(
    "Add",
    async () => {
      const numbers = [{ label: label.value, number: number.value }];
      await change("POST", "contacts", { name: name.value, numbers, children_may_call: children.checked });
      await redraw();
    },
    element("div", { class: "columns" }, field("Name", name), field("Label", label), field("Number", number, "with + and country; emergency numbers are refused")),
    check("Children may call them", children),
  );
}
