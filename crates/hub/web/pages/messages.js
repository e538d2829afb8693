// Messages: the mailbox, and a new one.

import { change, get } from "../api.js";
import { element, harmless } from "../dom.js";
import { action, badge, card, check, field, form, names, nothing, when } from "../parts.js";

/** What is being written, kept while the page is drawn anew. A message keeps its own name until the hub has it. */
const draft = { text: "", to: "everyone", clientId: null };

export async function messages({ who, redraw, say }) {
  const guest = who.person.role === "guest";
  const [mailbox, people, devices] = await Promise.all([get("messages?mailbox=person"), get("people"), guest ? [] : get("devices")]);
  const named = new Map([...names(people), ...names(devices)]);
  const newest = mailbox.messages.toReversed();
  const unread = newest.filter(({ state }) => state !== "read").map(({ id }) => id);
  const readAll = async () => {
    await change("POST", "messages/acknowledge", { messages: unread.slice(0, 200), state: "read", mailbox: "person" });
    await redraw();
  };
  return [
    card("Write", compose(who, people, devices, redraw, say)),
    element(
      "section",
      { class: "card", "aria-label": "Inbox" },
      element("div", { class: "row spread" }, element("h2", {}, "Inbox"), unread.length > 0 ? action("Mark all as read", readAll) : null),
      newest.length === 0
        ? nothing("No messages. What others send you stands here, also after you were away.")
        : element("ul", { class: "messages", id: "inbox" }, newest.map((message) => shown(message, named, redraw))),
    ),
  ];
}

function shown(message, named, redraw) {
  const remove = async () => {
    await change("DELETE", `messages/${encodeURIComponent(message.id)}?mailbox=person`);
    redraw();
  };
  const fresh = message.state !== "read";
  const from = named.get(message.from.id) ?? "somebody who is no longer here";
  const voice = () =>
    element("audio", { controls: true, preload: "none", src: `/api/v1/messages/${encodeURIComponent(message.id)}/voice`, "aria-label": `Voice message from ${from}` });
  return element(
    "li",
    {},
    element("div", { class: "row small" }, element("strong", {}, from), element("span", { class: "soft" }, when(message.sent_at_ms)), fresh ? badge("good", "new") : null, action("Delete", remove, { class: "plain slim", "aria-label": `Delete the message from ${from}` })),
    element("div", { class: fresh ? "message new" : "message" }, message.text === null ? voice() : harmless(message.text)),
  );
}

function compose(who, people, devices, redraw, say) {
  const others = people.filter(({ id }) => id !== who.person.id);
  const speakers = devices.filter(({ kind, revoked_at_ms: gone }) => kind === "speaker" && gone === null);
  const option = (value, label) => element("option", { value, selected: draft.to === value }, label);
  const to = element(
    "select",
    { change: () => (draft.to = to.value) },
    option("everyone", "Everyone"),
    option("speakers", "Every speaker"),
    others.map(({ id, name }) => option(`person ${id}`, name)),
    speakers.map(({ id, name }) => option(`device ${id}`, `${name} (speaker)`)),
  );
  const text = element("textarea", {
    rows: 3,
    required: true,
    maxlength: 4000,
    input: () => {
      draft.text = text.value;
      draft.clientId = null; // another text is another message
    },
  });
  text.value = draft.text;
  const aloud = element("input", { type: "checkbox" });
  const send = async () => {
    // Sent again after a lost answer it is the same message, and arrives once.
    draft.clientId ??= crypto.randomUUID();
    const [kind, id] = to.value.split(" ");
    const recipients = id === undefined ? kind : { these: [{ kind, id }] };
    await change("POST", "messages", { client_id: draft.clientId, to: recipients, body: { text: draft.text }, announcement: aloud.checked });
    Object.assign(draft, { text: "", clientId: null });
    text.value = "";
    say("Message sent");
    redraw();
    return "Sent.";
  };
  return form("Send", send, field("To", to), field("Message", text), check("Speakers say it as it comes", aloud));
}
