// The telephone of this browser: joins what SIP says, what protects the sound, and what the person wants.
//
//   whom ─► microphone ─► offer ─► sign ─► INVITE ─► 200 ─► who signed? ─► sound
//   INVITE ─► who signed? ─► rings ─► answer ─► sign ─► 200
//
// Between two devices of the home nobody else hears the call, and each proves who it is. A telephone or an outside line
// protects nothing and signs nothing: there the hub stands in between, says so in a row of its own, and the call is shown
// as not protected beyond the hub. That row counts for no device that joined the home.
//
// One tab of a browser is the telephone; the others say so and may take it over. No address of a page, link, message or
// contact reaches `call` with an emergency number: `callNumber` refuses them, and only the pad's own confirmation has the
// value that `callForHelp` wants.

import { randomToken } from "../device/bytes.js";
import { IdentityError, Identities, meet, signed } from "./identity.js";
import { Media, MicrophoneError, isProtected, microphone } from "./media.js";
import { isEmergency } from "./emergency.js";
import { Agent } from "../sip/agent.js";
import { escapeUser, parseAddress, parseSipUri, unescapeUser } from "../sip/message.js";

const LOCK = "hearthline-telephone";
const KNOWN = "hearthline-known-keys";
const CALLS_MAX = 2;
const RING_MS = 120_000;
const MEASURE_MS = 250;
/** Drill calls are marked as such in the message itself. */
const DRILL_ROWS = [["Emergency-Drill", "yes"], ["Subject", "DRILL - not a real emergency"]];
const PHONE = /^phone-[a-z0-9]{6}$/i;
/** By this row the hub says that it stands between this browser and a telephone (hub/src/sip/bridges.rs). */
const BRIDGED = "hearthline-bridge";
const isBridged = (message) => message.rows.get(BRIDGED) !== null;

/** Made where a person has dialled an emergency number on the pad and confirmed it; used up by one call. */
const confirmations = new WeakSet();
export function confirmedOnThePad(digits) {
  const confirmation = Object.freeze({ digits });
  confirmations.add(confirmation);
  return confirmation;
}

function known() {
  try {
    return JSON.parse(localStorage.getItem(KNOWN)) ?? {};
  } catch {
    return {};
  }
}

/** What is going on with one call, as pages show it. */
class Conversation {
  constructor(fields) {
    Object.assign(this, { state: "starting", protection: "none", bridged: false, signed: false, muted: false, held: false, holdsUs: false, quiet: false, levels: { ours: 0, theirs: 0 }, startedAt: null, said: [], problem: null, media: null, call: null, drill: false, ...fields });
  }
}

export class Telephone extends EventTarget {
  #release = null;
  #measuring = null;

  /** `own` is what this browser joined as; `domain` the home's; `directory()` gives names of devices. */
  constructor(own, domain, directory) {
    super();
    Object.assign(this, { own, domain, directory, conversations: [], state: "waiting", missed: [] });
    this.identities = new Identities(own.authority);
    this.#lead({});
  }

  get address() {
    return `sip:${this.own.device}@${this.domain}`;
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }

  #become(state) {
    this.state = state;
    this.#changed();
  }

  // One tab is the telephone.

  #lead(options) {
    navigator.locks
      .request(LOCK, options, () => new Promise((release) => {
        if (this.ended) return release();
        this.#release = release;
        const url = `wss://${location.host}/sip`;
        const identity = { url, domain: this.domain, user: this.own.device, instance: this.own.instance };
        this.agent = new Agent(identity, { state: (state) => this.#become(state), invited: (call) => this.#invited(call) });
        this.#become("connecting");
      }))
      .catch(() => {
        // Another tab took it over.
        this.#stop();
        if (!this.ended) {
          this.#become("waiting");
          this.#lead({});
        }
      });
  }

  /** The other tab's calls end; this one is the telephone. */
  takeOver() {
    this.#lead({ steal: true });
  }

  #stop() {
    for (const conversation of [...this.conversations]) this.#over(conversation, "ended");
    this.agent?.end();
    this.agent = null;
  }

  end() {
    this.ended = true;
    this.#stop();
    this.#release?.();
  }

  // Calls of ours.

  /** Somebody of the home: a device's id, or the name of a room, person or device. */
  callHome(user, name) {
    const digits = user.normalize("NFKC").replace(/[\s().+*#-]/g, "");
    if (/^\p{Nd}*$/u.test(digits)) throw new Error("this name reads as a number; call its device instead");
    return this.#call(`sip:${escapeUser(user)}@${this.domain}`, name, { telephone: this.#mayBeTelephone(user) });
  }

  /** An ordinary number. Emergency numbers are refused here, whoever asks. */
  callNumber(digits, name = digits) {
    if (isEmergency(digits)) throw new Error("emergency numbers are dialled on the pad, and confirmed there");
    return this.#call(this.#numberUri(digits), name, { telephone: true });
  }

  /** Only with what `confirmedOnThePad` made, once. */
  callForHelp(confirmation) {
    if (!confirmations.delete(confirmation)) throw new Error("an emergency call is dialled on the pad, and confirmed there");
    // Nothing else keeps its place beside it.
    for (const other of [...this.conversations]) this.hangUp(other);
    return this.#call(this.#numberUri(confirmation.digits), confirmation.digits, { drill: true, telephone: true, rows: DRILL_ROWS });
  }

  /** Whether this may be one that protects nothing: a room or person may have such a one, a device that joined is none. */
  #mayBeTelephone(user) {
    const device = this.directory().get(user);
    return device === undefined || device.kind === "sip_phone";
  }

  #numberUri(digits) {
    const plain = digits.replace(/[\s().-]/g, "");
    if (!/^\+?[0-9*#]{1,24}$/.test(plain)) throw new Error("this is no telephone number");
    return `sip:${escapeUser(plain)}@${this.domain};user=phone`;
  }

  async #call(to, name, { drill = false, telephone = false, rows = [] } = {}) {
    if (this.state !== "registered") throw new Error("there is no connection to the hub; try again when it is back");
    if (this.conversations.length >= CALLS_MAX) throw new Error("there are two calls already");
    for (const other of this.conversations) if (other.state === "talking" && !other.held) await this.hold(other, true);
    const conversation = this.#begin(new Conversation({ name, ours: true, drill, telephone }));
    try {
      await this.#openMedia(conversation);
      const body = await conversation.media.offer();
      const id = `${randomToken()}@${this.agent.host}`;
      const row = await signed(this.own, { origin: this.address, destination: to, callId: id, sdp: body });
      if (conversation.state !== "starting") return conversation;
      conversation.call = this.agent.invite(to, id, [["Identity", row], ...rows], body, {
        ringing: (response) => this.#rings(conversation, response),
        answered: (response) => this.#answered(conversation, response),
        offered: (request) => this.#offered(conversation, request),
        over: (why) => this.#over(conversation, whyOver(why)),
      });
      this.#set(conversation, { state: "calling" });
    } catch (error) {
      this.#over(conversation, error.message);
      throw error;
    }
    return conversation;
  }

  /** It rings there. A telephone or a line may be heard already: "the number you have dialled…"; it hears nothing yet. */
  async #rings(conversation, response) {
    this.#set(conversation, { state: "ringing" });
    if (conversation.early || !conversation.telephone || !isBridged(response) || !isProtected(response.body)) return;
    conversation.early = true;
    try {
      await conversation.media.hear(response.body);
      if (conversation.state === "ringing") this.#set(conversation, { state: "ringing" });
    } catch {
      // The tone that it rings by is told instead.
      conversation.early = false;
    }
  }

  async #answered(conversation, response) {
    const { call } = conversation;
    try {
      if (!isProtected(response.body)) throw new IdentityError("the other side does not protect its sound");
      conversation.bridged = isBridged(response);
      if (conversation.bridged && !conversation.telephone) throw new IdentityError("this device protects its calls from end to end, and somebody stands in between");
      const row = response.rows.get("identity");
      // A call-taker is no device of the home and signs nothing; the call for help waits for no proof.
      if (!conversation.bridged && !conversation.drill) {
        if (row === null) throw new IdentityError("the other side did not say who it is");
        const who = await this.identities.verify(row, { destination: this.address, callId: call.id, sdp: response.body });
        if (conversation.state === "over") return;
        this.#met(conversation, who);
        Object.assign(conversation, { device: who.device, signed: true });
      }
      await conversation.media.takeAnswer(response.body);
      this.#set(conversation, { state: "talking", protection: "proven", startedAt: Date.now() });
    } catch (error) {
      call.hangUp();
      this.#over(conversation, error instanceof IdentityError ? `ended: ${error.message}` : "the other side’s answer cannot be used");
    }
  }

  // Calls of others.

  async #invited(call) {
    const { request } = call;
    const who = asserted(request);
    const bridged = isBridged(request);
    const device = bridged ? this.#telephoneNamed(who) : this.directory().get(who ?? "");
    const ringing = this.conversations.some(({ state }) => state === "offered");
    const refuse = (status, why) => {
      call.refuse(status);
      this.#miss(device?.name ?? "Somebody", why);
    };
    const helping = this.conversations.some(({ drill }) => drill);
    if (this.conversations.length >= CALLS_MAX || ringing || helping) return refuse(486, "you were in other calls");
    if (!isProtected(request.body)) return refuse(488, "an ordinary phone, and the hub could not carry its sound over");
    if (bridged ? who !== null && !this.#mayBeTelephone(who) : who === null || PHONE.test(who)) return refuse(488, "somebody stands in between");
    const stranger = bridged ? outsider(request) : "A device of the home";
    const conversation = new Conversation({ name: device?.name ?? stranger, ours: false, device: who, call, bridged, state: "offered" });
    let gone = false;
    call.told = {
      ringing() {},
      answered() {},
      offered: (later) => this.#offered(conversation, later),
      over: (why) => {
        gone = true;
        if (conversation.state === "offered" && why.by === "them" && !why.elsewhere) this.#miss(conversation.name, "");
        this.#over(conversation, whyOver(why));
      },
    };
    try {
      if (!bridged) {
        const from = parseAddress(request.rows.get("from")).uri;
        const row = request.rows.get("identity");
        if (row === null) return refuse(428, "the caller did not say who it is");
        if (parseSipUri(from)?.user !== who) throw new IdentityError("signed by another caller");
        const to = parseAddress(request.rows.get("to")).uri;
        const proven = await this.identities.verify(row, { origin: from, destination: to, callId: call.id, sdp: request.body });
        if (gone) return undefined;
        this.#met(conversation, proven);
        conversation.signed = true;
      }
    } catch (error) {
      return gone ? undefined : refuse(438, error.message);
    }
    this.#begin(conversation);
    call.ring();
    setTimeout(() => conversation.state === "offered" && call.refuse(480), RING_MS);
    return undefined;
  }

  async answer(conversation) {
    if (conversation.state !== "offered") return;
    this.#set(conversation, { state: "answering" });
    const { call } = conversation;
    try {
      for (const other of this.conversations) if (other.state === "talking" && !other.held) await this.hold(other, true);
      await this.#openMedia(conversation);
      const body = await conversation.media.answer(call.request.body);
      const from = parseAddress(call.request.rows.get("from")).uri;
      // A telephone reads no signature, and the hub writes its description anew.
      const rows = conversation.bridged ? [] : [["Identity", await signed(this.own, { origin: this.address, destination: from, callId: call.id, sdp: body })]];
      if (conversation.state === "over") return;
      call.accept(rows, body);
      this.#set(conversation, { state: "talking", protection: "proven", startedAt: Date.now() });
    } catch (error) {
      if (error instanceof MicrophoneError) {
        // It rings on: the person may allow the microphone, or answer elsewhere.
        this.#set(conversation, { state: "offered", problem: error.message });
        return;
      }
      this.#over(conversation, "this browser cannot take the call");
      call.refuse(480);
      throw error;
    }
  }

  decline(conversation, busy = false) {
    conversation.call.refuse(busy ? 486 : 603);
  }

  // While it lasts.

  hangUp(conversation) {
    conversation.call?.hangUp();
    this.#over(conversation, "ended");
  }

  mute(conversation, muted) {
    conversation.media?.mute(muted);
    this.#set(conversation, { muted });
  }

  press(conversation, digit) {
    return conversation.media?.press(digit) ?? false;
  }

  async hold(conversation, hold) {
    const { call, media } = conversation;
    if (conversation.state !== "talking" || conversation.changing) return;
    conversation.changing = true;
    const before = conversation.held;
    media.muted = conversation.muted;
    const response = await call.change(() => media.holdOffer(hold)).catch(() => null);
    conversation.changing = false;
    if (conversation.state === "over") return;
    if (response === null || !this.#isSame(conversation, response.body)) {
      await media.rollback().catch(() => {});
      media.setDirection(before ? "sendonly" : "sendrecv");
      media.mute(conversation.muted || before);
      return;
    }
    await media.takeAnswer(response.body);
    this.#set(conversation, { held: hold });
  }

  /** A later description must be of the very same other end. */
  #isSame(conversation, sdp) {
    const fingerprints = (text) => [...text.matchAll(/^a=fingerprint:(.+?)\s*$/gim)].map(([, value]) => value.toLowerCase()).sort().join();
    return isProtected(sdp) && fingerprints(sdp) === fingerprints(conversation.media.connection.remoteDescription?.sdp ?? "");
  }

  async #offered(conversation, request) {
    const { call, media } = conversation;
    if (request.body === "" || !this.#isSame(conversation, request.body)) return call.refuseOffer(request, 488);
    try {
      const body = await media.answer(request.body);
      const holdsUs = /^a=(sendonly|inactive)\s*$/m.test(request.body);
      call.answerOffer(request, body);
      this.#set(conversation, { holdsUs });
    } catch {
      call.refuseOffer(request, 488);
    }
    return undefined;
  }

  // Common to both.

  #begin(conversation) {
    this.conversations.push(conversation);
    this.#measuring ??= setInterval(() => this.#measure(), MEASURE_MS);
    this.#changed();
    return conversation;
  }

  #set(conversation, fields) {
    if (conversation.state === "over") return;
    Object.assign(conversation, fields);
    this.#changed();
  }

  async #openMedia(conversation) {
    const stream = await microphone();
    if (conversation.state === "over") {
      for (const track of stream.getTracks()) track.stop();
      throw new Error("ended");
    }
    conversation.media = new Media(stream, {
      sound: (theirs) => {
        const player = (conversation.player ??= new Audio());
        player.srcObject = theirs;
        player.play().catch(() => this.#set(conversation, { problem: "The browser plays no sound yet: press any button." }));
      },
      state: (state) => {
        if (state === "connected") this.#set(conversation, { protection: protectionOf(conversation), quiet: false });
        else if (state === "interrupted") this.#set(conversation, { quiet: true });
        // Nothing but its people ends a call for help.
        else if (conversation.drill) this.#set(conversation, { quiet: true, problem: "No sound comes through. Stay on the line, or end the call and dial again." });
        else if (conversation.state !== "over") {
          conversation.call?.hangUp();
          this.#over(conversation, "no sound came through between the two; is a firewall between them?");
        }
      },
    });
  }

  async #measure() {
    for (const conversation of this.conversations) {
      if (conversation.media === null || conversation.state !== "talking") continue;
      const { packets, ours, theirs } = await conversation.media.measured().catch(() => ({ packets: 0, ours: 0, theirs: 0 }));
      conversation.levels = { ours: conversation.muted || conversation.held ? 0 : ours, theirs };
      this.dispatchEvent(new CustomEvent("levels", { detail: conversation }));
      conversation.packets = packets;
    }
  }

  #met(conversation, { device, key }) {
    const keys = known();
    if (meet(keys, device, key) === "changed") conversation.problem = "This device has another key than in the last call. Ask its owner whether it joined anew.";
    localStorage.setItem(KNOWN, JSON.stringify(keys));
  }

  /** The telephone of the home whose account this is. */
  #telephoneNamed(username) {
    return [...this.directory().values()].find((device) => device.kind === "sip_phone" && device.username === username);
  }

  #miss(name, why) {
    this.missed = [{ name, why, at: Date.now() }, ...this.missed].slice(0, 20);
    this.#changed();
  }

  #over(conversation, why) {
    if (conversation.state === "over") return;
    Object.assign(conversation, { state: "over", why });
    conversation.media?.end();
    conversation.player?.pause();
    this.conversations = this.conversations.filter((other) => other !== conversation);
    if (this.conversations.length === 0) {
      clearInterval(this.#measuring);
      this.#measuring = null;
    }
    this.dispatchEvent(new CustomEvent("over", { detail: conversation }));
    this.#changed();
  }
}

/** How well a connected call is protected: from end to end and proven; as far as the hub; with somebody unproven. */
function protectionOf({ bridged, signed: proven }) {
  if (bridged) return "hub";
  return proven ? "protected" : "unproven";
}

/** A caller from outside, as the hub names them: a contact, a number, or nobody. */
function outsider(request) {
  try {
    const { display, uri } = parseAddress(request.rows.get("p-asserted-identity") ?? request.rows.get("from"));
    const user = unescapeUser(parseSipUri(uri)?.user ?? "");
    if (/^\+?[0-9*#]{2,24}$/.test(user)) return display || user;
    return PHONE.test(user) ? "A telephone of the home" : "Unknown caller";
  } catch {
    return "Unknown caller";
  }
}

/** Whom the hub vouches for; a From is whatever its writer likes. */
function asserted(request) {
  const row = request.rows.get("p-asserted-identity");
  if (row === null) return null;
  try {
    const user = parseSipUri(parseAddress(row).uri)?.user;
    return user === undefined ? null : unescapeUser(user);
  } catch {
    return null;
  }
}

const WHY = { 0: "ended", 403: "not allowed", 404: "nobody is called so", 408: "no answer", 480: "not there now", 481: "ended", 486: "busy", 487: "ended", 488: "the other end cannot protect its sound, and a browser makes no call in the clear", 503: "no line can carry this call now", 600: "busy", 603: "declined" };

/** The hub says behind the phrase why it did not put a call through ("Not Found: not an emergency number here; 911 is"). */
const OWN_WORDS = /^(?:Not Found|Forbidden|Service Unavailable): (.{1,160})$/;

function whyOver({ status, reason }) {
  const told = OWN_WORDS.exec(reason)?.[1];
  if (told !== undefined) return told;
  return WHY[status] ?? (reason === "" ? "ended" : `not possible (${status} ${reason})`);
}

