// Messages: the mailbox, and a new one.

import { change, get } from "../api.js";
import { element, harmless } from "../dom.js";
import { action, badge, card, check, field, form, names, nothing, sentence, when } from "../parts.js";
import { SECONDS_MAX, lasts, player, record, voiceBody } from "../voice/recording.js";

/** What is being written, kept while the page is drawn anew. A message keeps its own name until the hub has it. */
const draft = { text: "", voice: null, to: "everyone", clientId: null };

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
  const heard = async () => {
    if (!fresh) return;
    await change("POST", "messages/acknowledge", { messages: [message.id], state: "read", mailbox: "person" });
    await redraw();
  };
  const voice = () => {
    const long = message.voice_duration_ms === null || message.voice_duration_ms === undefined ? null : message.voice_duration_ms / 1000;
    return player(`the voice message from ${from}`, `/api/v1/messages/${encodeURIComponent(message.id)}/voice`, long, heard);
  };
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
    if (draft.voice === null && draft.text.trim() === "") throw new Error("write or record something first");
    draft.clientId ??= crypto.randomUUID();
    const [kind, id] = to.value.split(" ");
    const recipients = id === undefined ? kind : { these: [{ kind, id }] };
    await change("POST", "messages", { client_id: draft.clientId, to: recipients, body: draft.voice === null ? { text: draft.text } : voiceBody(draft.voice), announcement: aloud.checked });
    Object.assign(draft, { text: "", voice: null, clientId: null });
    text.value = "";
    say("Message sent");
    redraw();
    return "Sent.";
  };
  const written = field("Message", text);
  return form("Send", send, field("To", to), written, recorder(written, say), check("Speakers say it as it comes", aloud));
}

/** Speaking in place of writing. What was recorded stays until it is sent or thrown away. */
function recorder(written, say) {
  const place = element("div", { class: "stack" });
  let running = null;
  const idle = (problem = null) => {
    running = null;
    delete place.dataset.busy;
    written.hidden = draft.voice !== null;
    const start = element("button", { type: "button", class: "plain", click: begin }, "Record a voice message");
    place.replaceChildren(
      ...(problem === null ? [] : [element("p", { class: "banner bad", role: "alert" }, sentence(problem))]),
      ...(draft.voice === null
        ? [element("div", { class: "row" }, start)]
        : [player("your recording", draft.voice, draft.voice.length / 16_000), element("div", { class: "row" }, element("button", { type: "button", class: "plain", click: drop }, "Throw it away"))]),
    );
  };
  const drop = () => {
    Object.assign(draft, { voice: null, clientId: null });
    idle();
    place.querySelector("button").focus();
  };
  const begin = async () => {
    if (running !== null) return;
    running = "asking";
    const level = element("meter", { min: 0, max: 1, value: 0, "aria-label": "Loudness of your microphone" });
    const time = element("span", { class: "small mono" }, "0:00");
    try {
      running = await record({
        level(loud, seconds) {
          // The person went to another page: nothing listens on.
          if (!place.isConnected) running?.cancel?.();
          level.value = loud;
          time.textContent = `${lasts(seconds)} of ${lasts(SECONDS_MAX)}`;
        },
        full: () => end(),
      });
    } catch (problem) {
      idle(problem.message);
      return;
    }
    const end = async () => {
      const recording = running;
      if (recording === null) return;
      running = null;
      const samples = await recording.end();
      if (samples === null) {
        idle("that was too short to be a message");
        return;
      }
      Object.assign(draft, { voice: samples, clientId: null });
      idle();
      say("Recorded");
    };
    if (!place.isConnected) {
      running.cancel();
      return;
    }
    const stop = element("button", { type: "button", click: end }, "Stop recording");
    place.dataset.busy = "";
    place.replaceChildren(element("div", { class: "row voice" }, stop, level, time));
    stop.focus();
    say("Recording");
  };
  idle();
  return place;
}
