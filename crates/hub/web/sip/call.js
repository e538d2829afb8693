// One call: its INVITE and the dialog that comes of it (RFC 3261 sections 12 to 15).
//
//   ours:    Calling ─► Proceeding ─► Confirmed ─► Over        theirs:    Offered ─► Confirmed ─► Over
//                └── CANCEL, a refusal ──────────────^              └── CANCEL, our refusal ────────^

import { randomToken } from "../device/bytes.js";
import { ALLOWED, transactionOf } from "./agent.js";
import { parseAddress } from "./message.js";

const T1_MS = 500;
const T2_MS = 4_000;
const UNACKNOWLEDGED_MS = 32_000;
/** How often a BYE is said whose answer did not come. */
const BYES_MAX = 4;
const SDP = ["Content-Type", "application/sdp"];

/**
 * `told` is set by whoever holds the call: `ringing()`, `answered(response)`, `offered(request)` for a later offer of
 * theirs, `over(why)` with `{ status, reason, by }`.
 */
export class Call {
  #cseq = 1;
  #invite = null;
  #repeating = null;
  #byes = 0;
  #unheard = false;

  constructor(agent, id, told) {
    Object.assign(this, { agent, id, told, tag: randomToken(6), state: "Calling", route: [], target: null, remote: null, local: null });
  }

  static outgoing(agent, to, id, told) {
    const call = new Call(agent, id, told);
    call.local = `<${agent.own}>;tag=${call.tag}`;
    call.remote = `<${to}>`;
    call.target = to;
    call.ours = true;
    return call;
  }

  static incoming(agent, request) {
    const { rows } = request;
    const call = new Call(agent, rows.get("call-id"), { ringing() {}, answered() {}, offered() {}, over() {} });
    call.state = "Offered";
    call.request = request;
    call.local = `${rows.get("to")};tag=${call.tag}`;
    call.remote = rows.get("from");
    call.route = rows.list("record-route");
    call.target = parseAddress(rows.list("contact")[0] ?? call.remote).uri;
    call.ours = false;
    return call;
  }

  // Ours.

  begin(rows, body) {
    const all = [...this.#head("INVITE"), ["Contact", this.agent.contact], ["Allow", ALLOWED], ["Supported", "outbound, gruu"], ...rows, SDP];
    const told = {
      provisional: (response) => {
        if (this.state === "Calling") this.state = "Proceeding";
        if (this.wantsCancel) this.#cancel();
        else if (response.status > 100) this.told.ringing(response);
      },
      final: (response) => this.#answered(response),
    };
    this.#invite = { uri: this.target, to: this.remote, ...this.agent.request("INVITE", this.target, all, told, body) };
  }

  #answered(response) {
    if (response === null) return this.#end({ status: 408, reason: "no answer", by: "network" });
    if (response.status >= 300) {
      this.#acknowledgeRefusal(response);
      return this.#end({ status: response.status, reason: response.reason, by: "them" });
    }
    this.#establish(response);
    this.#acknowledge();
    this.state = "Confirmed";
    // The answer and our CANCEL met on the way.
    if (this.wantsCancel) return this.hangUp();
    this.told.answered(response);
  }

  #establish(response) {
    this.remote = response.rows.get("to");
    this.route = response.rows.list("record-route").reverse();
    const [contact] = response.rows.list("contact");
    if (contact !== undefined) this.target = parseAddress(contact).uri;
  }

  /** A 2xx that comes again: its ACK was lost. Of another callee: thanks, but no (RFC 3261 section 13.2.2.4). */
  answeredAgain(response) {
    const tag = (row) => parseAddress(row).params.get("tag");
    if (tag(response.rows.get("to")) === tag(this.remote)) return this.#acknowledge(response.cseq.number);
    const other = Call.outgoing(this.agent, this.target, this.id, { over() {} });
    other.local = this.local;
    other.#establish(response);
    other.state = "Confirmed";
    other.#acknowledge(response.cseq.number);
    other.#sendBye();
  }

  #acknowledge(number = this.#cseq) {
    const rows = this.#head("ACK", number);
    this.agent.send("ACK", this.target, rows);
  }

  #acknowledgeRefusal(response) {
    if (this.#invite?.via === undefined) return;
    const to = response.rows.get("to");
    this.agent.send("ACK", this.#invite.uri, [...this.#route(), ["From", this.local], ["To", to], ["Call-ID", this.id], ["CSeq", `${response.cseq.number} ACK`]], this.#invite.via);
  }

  #cancel() {
    if (this.#invite?.via === undefined || this.cancelSent) return;
    this.cancelSent = true;
    // CANCEL repeats the branch of what it takes back (RFC 3261 section 9.1).
    this.agent.send("CANCEL", this.#invite.uri, [["From", this.local], ["To", this.#invite.to], ["Call-ID", this.id], ["CSeq", `${this.#cseq} CANCEL`]], this.#invite.via);
  }

  // Theirs.

  ring() {
    if (this.state === "Offered") this.agent.respond(this.request, 180, { tag: this.tag, rows: [["Contact", this.agent.contact]] });
  }

  accept(rows, body) {
    if (this.state !== "Offered") return;
    this.state = "Confirmed";
    this.#accept(this.request, rows, body);
  }

  refuse(status) {
    if (this.state !== "Offered") return;
    this.agent.respond(this.request, status, { tag: this.tag });
    this.#end({ status, reason: "", by: "us" });
  }

  /** 2xx again and again until the ACK (RFC 3261 section 13.3.1.4). */
  #accept(request, rows, body) {
    const all = [["Contact", this.agent.contact], ["Allow", ALLOWED], ["Supported", "outbound, gruu"], ...rows, SDP];
    const send = () => this.agent.respond(request, 200, { tag: this.tag, rows: all, body });
    send();
    let pause = T1_MS;
    const since = Date.now();
    const again = () => {
      if (Date.now() - since > UNACKNOWLEDGED_MS) return this.hangUp();
      send();
      pause = Math.min(pause * 2, T2_MS);
      this.#repeating = { number: request.cseq.number, timer: setTimeout(again, pause) };
    };
    this.#repeating = { number: request.cseq.number, timer: setTimeout(again, pause) };
  }

  isAskedBy(transaction) {
    return this.request !== undefined && transactionOf(this.request) === transaction;
  }

  cancelled(request) {
    if (this.state !== "Offered") return;
    this.agent.respond(this.request, 487, { tag: this.tag });
    const elsewhere = /cause\s*=\s*200|answered elsewhere|completed elsewhere/i.test(request.rows.get("reason") ?? "");
    this.#end({ status: 487, reason: "", by: "them", elsewhere });
  }

  acknowledged(request) {
    if (request.cseq.number !== this.#repeating?.number) return;
    clearTimeout(this.#repeating.timer);
    this.#repeating = null;
  }

  // Both.

  isDialogOf(request) {
    const tag = (row) => parseAddress(row).params.get("tag");
    return tag(request.rows.get("to")) === this.tag && tag(request.rows.get("from")) === tag(this.remote);
  }

  /** A request within the dialog. */
  requested(request) {
    const { number } = request.cseq;
    if (number <= (this.remoteNumber ?? (this.ours ? -1 : this.request.cseq.number))) return this.agent.respond(request, 500);
    this.remoteNumber = number;
    if (request.method === "BYE") {
      this.agent.respond(request, 200);
      // Both hung up: nothing is left to be said.
      if (this.state === "Over") return this.#forget();
      this.#end({ status: 0, reason: request.rows.get("reason") ?? "", by: "them" });
    } else if (request.method === "INVITE") {
      if (this.changing || this.#repeating !== null || this.state !== "Confirmed") return this.agent.respond(request, 491);
      const [contact] = request.rows.list("contact");
      if (contact !== undefined) this.target = parseAddress(contact).uri;
      this.agent.respond(request, 100);
      this.told.offered(request);
    } else if (request.method === "OPTIONS") {
      this.agent.respond(request, 200, { rows: [["Allow", ALLOWED]] });
    } else {
      this.agent.respond(request, 405, { rows: [["Allow", ALLOWED]] });
    }
  }

  /** Our answer to a later offer of theirs. */
  answerOffer(request, body) {
    if (this.state === "Confirmed") this.#accept(request, [], body);
  }

  refuseOffer(request, status) {
    this.agent.respond(request, status);
  }

  /** Our later offer. Gives the 2xx, or null where it was refused; one that met theirs is made again (section 14.1). */
  async change(offer) {
    if (this.changing) return null;
    this.changing = true;
    try {
      for (let tries = 0; tries < 3 && this.state === "Confirmed"; tries += 1) {
        const body = await offer();
        this.#cseq += 1;
        const number = this.#cseq;
        const response = await new Promise((resolve) => {
          const rows = [...this.#head("INVITE"), ["Contact", this.agent.contact], ["Allow", ALLOWED], SDP];
          const sent = this.agent.request("INVITE", this.target, rows, { final: resolve }, body);
          this.#invite = { uri: this.target, to: this.remote, ...sent };
        });
        if (response !== null && response.status < 300) {
          this.#acknowledge(number);
          return response;
        }
        if (response !== null) this.#acknowledgeRefusal(response);
        if (response?.status === 481) this.#end({ status: 481, reason: "", by: "them" });
        if (response?.status !== 491) return null;
        this.changing = false;
        await new Promise((resolve) => setTimeout(resolve, this.ours ? 2_100 + Math.random() * 1_900 : Math.random() * 2_000));
        this.changing = true;
      }
      return null;
    } finally {
      this.changing = false;
    }
  }

  /** Ends it, whatever its state. */
  hangUp() {
    if (this.state === "Over") return;
    if (this.state === "Offered") return this.refuse(603);
    if (this.state === "Confirmed") {
      this.#sendBye();
      return this.#end({ status: 0, reason: "", by: "us" });
    }
    // A CANCEL before any answer would overtake the INVITE (RFC 3261 section 9.1).
    this.wantsCancel = true;
    if (this.state === "Proceeding") this.#cancel();
    this.told.over({ status: 0, reason: "", by: "us" });
    this.told = { ringing() {}, answered() {}, offered() {}, over() {} };
  }

  #sendBye() {
    this.#cseq += 1;
    this.#sayBye();
  }

  /** One that could not be said, or was lost with its connection, is said again once the hub is there, so that the other side
   * does not wait. */
  #sayBye() {
    this.#byes += 1;
    const final = (response) => {
      this.#unheard = response === null && this.#byes < BYES_MAX && !this.agent.calls.has(this.id);
      if (this.#unheard) this.agent.calls.set(this.id, this);
    };
    this.agent.request("BYE", this.target, this.#head("BYE"), { final });
  }

  /** The hub is there again. */
  reachable() {
    if (!this.#unheard) return;
    this.#forget();
    this.#sayBye();
  }

  #forget() {
    this.#unheard = false;
    if (this.agent.calls.get(this.id) === this) this.agent.calls.delete(this.id);
  }

  #end(why) {
    if (this.state === "Over") return;
    this.state = "Over";
    clearTimeout(this.#repeating?.timer);
    this.#forget();
    this.told.over(why);
  }

  #route() {
    return this.route.map((uri) => ["Route", uri]);
  }

  #head(method, number = this.#cseq) {
    return [...this.#route(), ["From", this.local], ["To", this.remote], ["Call-ID", this.id], ["CSeq", `${number} ${method}`]];
  }
}
