// The calls of this browser, in sight on every page: who calls, answer and decline; what is said of a call that stands.

import { element, harmless } from "../dom.js";
import { sentence } from "../parts.js";
import { lightRing } from "../ring.js";
import { here, watch } from "./session.js";
import { sound } from "./tones.js";

const OVER_SHOWN_MS = 8_000;
export const KEYS = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "*", "0", "#"];
const SPOKEN = { protected: ", protected", hub: ", not protected beyond the hub" };
/** What is said of a connected call's protection. */
const BADGES = {
  protected: ["good", "Protected end to end"],
  hub: ["warn", "Not protected beyond the hub"],
  unproven: ["warn", "Protected; nobody proved who answered"],
};
const RINGS = { offered: "ringing", talking: "call", over: "idle" };

/** The sheet. `say` tells readers of the screen. */
export function callSheet(say) {
  const sheet = element("section", { class: "calls", "aria-label": "Calls now", id: "calls", hidden: true });
  const cards = new Map();
  const ended = new Set();
  let told = "";

  const refresh = () => {
    const { telephone } = here;
    const going = telephone?.conversations ?? [];
    if (going.some((one) => !cards.has(one))) ended.clear(); // who calls is more than who called
    const present = [...going, ...ended];
    for (const [conversation, { root }] of cards) {
      if (present.includes(conversation)) continue;
      root.remove();
      cards.delete(conversation);
    }
    for (const conversation of present) {
      if (!cards.has(conversation)) {
        const made = card(conversation, () => drop(conversation));
        cards.set(conversation, made);
        sheet.append(made.root);
      }
      cards.get(conversation).update();
    }
    sheet.hidden = present.length === 0;
    const states = present.map(({ state }) => state);
    sound(states.includes("offered") ? "bell" : present.some(({ state, early }) => state === "ringing" && !early) ? "ringback" : null);
    const news = present.map(spoken).join(". ");
    if (news !== told) say(news);
    told = news;
    const caller = present.find(({ state }) => state === "offered");
    entitle(caller);
  };
  const drop = (conversation) => {
    ended.delete(conversation);
    refresh();
  };

  // The title says who calls, as long as they do; a page that the person opens meanwhile puts its own.
  let [plain, ours] = ["", null];
  const entitle = (caller) => {
    if (caller !== undefined && document.title !== ours) {
      plain = document.title;
      ours = `${harmless(caller.name)} is calling – ${plain}`;
      document.title = ours;
    } else if (caller === undefined) {
      if (ours !== null && document.title === ours) document.title = plain;
      ours = null;
    }
  };

  const stop = watch(refresh);
  const onOver = ({ detail }) => {
    ended.clear();
    ended.add(detail);
    setTimeout(() => drop(detail), OVER_SHOWN_MS);
    refresh();
  };
  const onLevels = ({ detail }) => cards.get(detail)?.levels();
  addEventListener("call-over", onOver);
  addEventListener("call-levels", onLevels);
  return {
    sheet,
    end() {
      stop();
      sound(null);
      removeEventListener("call-over", onOver);
      removeEventListener("call-levels", onLevels);
    },
  };
}

function spoken(conversation) {
  const name = harmless(conversation.name);
  switch (conversation.state) {
    case "offered": return `${name} is calling`;
    case "over": return `Call with ${name}: ${conversation.why}`;
    case "talking": return `In a call with ${name}${SPOKEN[conversation.protection] ?? ""}${conversation.holdsUs ? ", you are on hold" : ""}`;
    default: return `Calling ${name}`;
  }
}

function lasted(since) {
  const seconds = Math.max(0, Math.floor((Date.now() - since) / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

/** One call. It is drawn anew when its state changes, and whoever stood on a button stands on it still. */
function card(conversation, dismiss) {
  const root = element("div", { class: "call card" });
  let drawn = "";
  let clock = null;
  let meters = null;
  let keys = false;
  let ending = false;

  const act = (label, name, run, attributes = {}) =>
    element("button", {
      type: "button",
      "data-act": name,
      ...attributes,
      click: async () => {
        try {
          await run();
        } catch (problem) {
          conversation.problem = problem.message;
        }
        update();
      },
    }, label);

  const update = () => {
    const { state, protection, muted, held, holdsUs, quiet, problem, why } = conversation;
    const shown = JSON.stringify([state, protection, muted, held, holdsUs, quiet, problem, why, keys, ending]);
    if (shown !== drawn) {
      drawn = shown;
      const focused = root.contains(document.activeElement) ? document.activeElement.dataset.act : undefined;
      clock = null;
      meters = null;
      root.className = `call card call-${state}`;
      root.replaceChildren(...parts());
      if (focused !== undefined) (root.querySelector(`[data-act="${CSS.escape(focused)}"]`) ?? root.querySelector("button"))?.focus();
    }
    if (clock !== null) clock.textContent = lasted(conversation.startedAt);
  };

  const parts = () => {
    const { telephone } = here;
    const { state } = conversation;
    const name = element("strong", { class: "call-name" }, harmless(conversation.name));
    const ring = lightRing(conversation.drill ? "drill" : (RINGS[state] ?? "thinking"), { label: null, size: 44 });
    const head = (words) => element("div", { class: "row" }, ring, element("div", { class: "grow" }, name, element("div", { class: "small soft" }, words)));
    const drill = conversation.drill ? element("p", { class: "banner warn" }, "Drill. No real call-taker hears this.") : null;
    const trouble = conversation.problem === null ? null : element("p", { class: "banner bad", role: "alert" }, sentence(conversation.problem));
    const hangUp = act("Hang up", "hang-up", () => {
      // A call for help does not end by a slip of the hand.
      if (conversation.drill && !ending) ending = true;
      else telephone.hangUp(conversation);
    }, { class: "bad" });
    const sure = !ending ? null : element("div", { class: "banner warn stack", role: "alertdialog", "aria-label": "End the call for help?" },
      element("p", {}, "Stay on the line. If it was an accident, say so to the call-taker."),
      element("div", { class: "row" },
        act("Stay on the line", "stay", () => { ending = false; }, { class: "plain" }),
        act("End it all the same", "end", () => telephone.hangUp(conversation), { class: "bad" })));
    if (state === "over") {
      return [head(sentence(conversation.why)), act("Dismiss", "dismiss", dismiss, { class: "plain" })];
    }
    if (state === "offered") {
      return [
        head(conversation.bridged ? "is calling by telephone. Not protected beyond the hub." : "is calling. Protected end to end."),
        trouble,
        element("div", { class: "row" },
          act("Answer", "answer", () => telephone.answer(conversation), { class: "good" }),
          act("Decline", "decline", () => telephone.decline(conversation), { class: "bad" }),
          act("I’m busy", "busy", () => telephone.decline(conversation, true), { class: "plain" })),
      ].filter(Boolean);
    }
    if (state !== "talking") {
      const words = { ringing: "It rings there…", answering: "Answering…" }[state] ?? "Calling…";
      return [head(words), drill, trouble, sure ?? element("div", { class: "row" }, hangUp)].filter(Boolean);
    }
    clock = element("span", { class: "mono" }, lasted(conversation.startedAt));
    const [tone, words] = BADGES[conversation.protection] ?? ["warn", "Protection is being set up…"];
    const badge = element("span", { class: `badge ${tone}` }, words);
    meters = { ours: meter("Loudness of your microphone"), theirs: meter("Loudness of the other side") };
    const says = conversation.holdsUs ? "You are on hold." : conversation.held ? "On hold: neither side hears the other." : conversation.quiet ? "No sound comes through just now." : null;
    const pad = element("div", { class: "keys small-keys" }, KEYS.map((key) => act(key, `key-${key}`, () => {
      if (!telephone.press(conversation, key)) throw new Error("the other side takes no tones");
    }, { class: "plain", "aria-label": `Tone ${key === "*" ? "star" : key === "#" ? "hash" : key}` })));
    return [
      head(element("span", {}, clock, " ", badge)),
      drill,
      trouble,
      says === null ? null : element("p", { class: "small" }, says),
      element("div", { class: "levels small" }, element("span", { "aria-hidden": "true" }, "You"), meters.ours, element("span", { "aria-hidden": "true" }, "They"), meters.theirs),
      sure ?? element("div", { class: "row" },
        // A call for help is heard both ways, always.
        conversation.drill ? null : act(conversation.muted ? "Microphone is off" : "Mute", "mute", () => telephone.mute(conversation, !conversation.muted), { class: "plain", "aria-pressed": String(conversation.muted) }),
        conversation.drill ? null : act(conversation.held ? "Resume" : "Hold", "hold", () => telephone.hold(conversation, !conversation.held), { class: "plain", "aria-pressed": String(conversation.held) }),
        act("Tones", "tones", () => { keys = !keys; }, { class: "plain", "aria-expanded": String(keys) }),
        hangUp),
      keys ? pad : null,
    ].filter(Boolean);
  };

  const levels = () => {
    update();
    if (meters === null) return;
    for (const side of ["ours", "theirs"]) meters[side].value = Math.min(1, conversation.levels[side] * 3);
  };
  return { root, update, levels };
}

function meter(label) {
  return element("meter", { min: 0, max: 1, value: 0, "aria-label": label });
}
