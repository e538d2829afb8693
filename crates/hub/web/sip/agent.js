// A SIP user agent on one WebSocket (RFC 3261, RFC 5626, RFC 5627, RFC 7118): registration, transactions, and the way of
// each message to the call that it belongs to.
//
//   heard ─► parse ─► response: the transaction that waits for it
//                  └► request: ACK, CANCEL, in a dialog ─► its call │ INVITE ─► a new call │ else an answer that says why not
//
// The wire is reliable, so nothing but 2xx of an INVITE is repeated (RFC 3261 sections 17.1.1.2 and 13.3.1.4).

import { randomToken } from "../device/bytes.js";
import { Call } from "./call.js";
import { Connection } from "./connection.js";
import { SipError, parse, parseAddress, writeRequest, writeResponse } from "./message.js";

const EXPIRES_S = 600;
/** Timer B and F: 64 times T1. */
const TRANSACTION_MS = 32_000;
/** Timer C: a callee may ring for so long after the last sign of life. */
const RINGING_MS = 180_000;
const REGISTER_PAUSE_MS = 15_000;
const CALLS_MAX = 8;
const TRANSACTIONS_MAX = 64;
const REMEMBERED_MAX = 64;
export const ALLOWED = "INVITE, ACK, CANCEL, BYE, OPTIONS";

const REASONS = { 100: "Trying", 180: "Ringing", 200: "OK", 400: "Bad Request", 405: "Method Not Allowed", 420: "Bad Extension", 428: "Use Identity Header", 438: "Invalid Identity Header", 481: "Call/Transaction Does Not Exist", 486: "Busy Here", 487: "Request Terminated", 488: "Not Acceptable Here", 491: "Request Pending", 500: "Server Internal Error", 603: "Decline" };
export const reasonOf = (status) => REASONS[status] ?? "Unknown";

/** What `told` is called with: `state(name)`, `invited(call)`. */
export class Agent {
  #waiting = new Map();
  #answered = new Map();
  #registering = null;
  #again = null;
  #cseq = 0;

  constructor({ url, domain, user, instance }, told) {
    Object.assign(this, { domain, user, instance, told });
    this.own = `sip:${user}@${domain}`;
    // RFC 7118 section 5: a browser has no name of its own.
    this.host = `${randomToken(6)}.invalid`;
    this.plainContact = `<sip:browser@${this.host};transport=ws>`;
    this.contact = this.plainContact;
    this.registration = randomToken();
    this.calls = new Map();
    this.state = "connecting";
    this.connection = new Connection(url, {
      opened: () => this.#register(),
      closed: () => this.#closed(),
      heard: (text) => this.#heard(text),
    });
  }

  /** Leaves: the hub is told, then the connection ends. */
  end() {
    clearTimeout(this.#again);
    for (const call of [...this.calls.values()]) call.hangUp();
    if (this.state === "registered") this.#sendRegister(0);
    this.connection.end();
    this.#become("ended");
  }

  #become(state) {
    if (this.state === state || this.state === "ended") return;
    this.state = state;
    this.told.state(state);
  }

  // Registration.

  #register() {
    clearTimeout(this.#again);
    this.#registering = this.#sendRegister(EXPIRES_S);
  }

  #sendRegister(expires) {
    this.#cseq += 1;
    const from = `<${this.own}>;tag=${this.registration}`;
    const rows = [["To", `<${this.own}>`], ["From", from], ["Call-ID", this.registration], ["CSeq", `${this.#cseq} REGISTER`],
      ["Contact", `${this.plainContact};+sip.instance="<urn:uuid:${this.instance}>";reg-id=1;expires=${expires}`],
      ["Supported", "path, outbound, gruu"], ["Expires", String(expires)]];
    return this.request("REGISTER", `sip:${this.domain}`, rows, { final: (response) => expires > 0 && this.#registered(response) });
  }

  #registered(response) {
    if (response === null || response.status >= 300) {
      const forbidden = response !== null && [401, 403, 404, 407].includes(response.status);
      this.#become(forbidden ? "refused" : "connecting");
      this.#again = setTimeout(() => this.#register(), REGISTER_PAUSE_MS);
      return;
    }
    let expires = EXPIRES_S;
    for (const text of response.rows.list("contact")) {
      const contact = parseAddress(text);
      if (contact.params.get("+sip.instance") !== `<urn:uuid:${this.instance}>`) continue;
      expires = Number(contact.params.get("expires") ?? response.rows.get("expires") ?? EXPIRES_S);
      const gruu = contact.params.get("pub-gruu");
      if (gruu !== undefined && /^sips?:[^<>\s"]+$/.test(gruu)) this.contact = `<${gruu}>`;
    }
    const pause = Number.isFinite(expires) && expires >= 30 ? expires * 500 : REGISTER_PAUSE_MS;
    this.#again = setTimeout(() => this.#register(), pause);
    this.#become("registered");
    for (const call of this.calls.values()) call.reachable();
  }

  #closed() {
    clearTimeout(this.#again);
    // What was asked on this connection is answered on no other.
    for (const waiting of [...this.#waiting.values()]) waiting.over(null);
    this.#become("lost");
  }

  // Client transactions.

  /**
   * Sends a request. `final(response)` is told once, with null where none came; `provisional(response)` of each before;
   * `repeated(response)` of each further 2xx of an INVITE.
   */
  request(method, uri, rows, { final, provisional = () => {}, repeated = () => {} }, body = "") {
    const branch = `z9hG4bK${randomToken()}`;
    const via = `SIP/2.0/WSS ${this.host};branch=${branch}`;
    const head = [["Via", via], ["Max-Forwards", "70"], ...rows, ["User-Agent", "hearthline-app"]];
    if (this.#waiting.size >= TRANSACTIONS_MAX || !this.connection.send(writeRequest(method, uri, head, body))) {
      queueMicrotask(() => final(null));
      return null;
    }
    const key = `${branch} ${method}`;
    const waiting = { method, final, provisional, repeated, timer: null };
    waiting.over = (response) => {
      clearTimeout(waiting.timer);
      this.#waiting.delete(key);
      final(response);
    };
    waiting.timer = setTimeout(() => waiting.over(null), TRANSACTION_MS);
    this.#waiting.set(key, waiting);
    return { branch, via };
  }

  /** Sends what has no answer: ACK. */
  send(method, uri, rows, via = `SIP/2.0/WSS ${this.host};branch=z9hG4bK${randomToken()}`) {
    this.connection.send(writeRequest(method, uri, [["Via", via], ["Max-Forwards", "70"], ...rows]));
  }

  #response(response) {
    const [via] = response.rows.list("via");
    const branch = /;\s*branch=([^;\s]+)/i.exec(via)?.[1];
    const waiting = this.#waiting.get(`${branch} ${response.cseq.method}`);
    if (waiting === undefined) {
      // A 2xx whose ACK was lost, or of a second callee.
      if (response.cseq.method === "INVITE" && response.status >= 200 && response.status < 300) this.calls.get(response.rows.get("call-id"))?.answeredAgain(response);
      return;
    }
    if (response.status < 200) {
      if (waiting.method === "INVITE") {
        clearTimeout(waiting.timer);
        waiting.timer = setTimeout(() => waiting.over(null), RINGING_MS);
      }
      waiting.provisional(response);
    } else {
      waiting.over(response);
    }
  }

  // Server transactions.

  /** Answers a request; what came twice gets the same again. */
  respond(request, status, { tag = null, rows = [], body = "", reason = reasonOf(status) } = {}) {
    const text = writeResponse(request, status, reason, tag, rows, body);
    this.#remember(transactionOf(request), text);
    return this.connection.send(text);
  }

  #remember(key, text) {
    this.#answered.delete(key);
    this.#answered.set(key, text);
    if (this.#answered.size > REMEMBERED_MAX) this.#answered.delete(this.#answered.keys().next().value);
  }

  #heard(text) {
    let message;
    try {
      message = parse(text);
      for (const name of ["from", "to"]) parseAddress(message.rows.get(name));
    } catch (error) {
      // A message that breaks the rules has no answer that its writer would understand.
      if (error instanceof SipError) return;
      throw error;
    }
    if (message.status !== undefined) this.#response(message);
    else this.#request(message);
  }

  #request(request) {
    const { method } = request;
    const known = this.#answered.get(transactionOf(request));
    if (known !== undefined && method !== "ACK") {
      this.connection.send(known);
      return;
    }
    const call = this.calls.get(request.rows.get("call-id"));
    if (method === "ACK") {
      call?.acknowledged(request);
      return;
    }
    if (method === "CANCEL") {
      const meant = call !== undefined && call.isAskedBy(transactionOf({ ...request, cseq: { ...request.cseq, method: "INVITE" } }));
      this.respond(request, meant ? 200 : 481, { tag: call?.tag ?? randomToken(6) });
      if (meant) call.cancelled(request);
      return;
    }
    const required = request.rows.list("require");
    if (required.length > 0) {
      this.respond(request, 420, { tag: randomToken(6), rows: [["Unsupported", required.join(", ")]] });
    } else if (parseAddress(request.rows.get("to")).params.has("tag")) {
      if (call === undefined || !call.isDialogOf(request)) this.respond(request, 481);
      else call.requested(request);
    } else if (method === "INVITE") {
      this.#invited(request, call);
    } else if (method === "OPTIONS") {
      this.respond(request, 200, { tag: randomToken(6), rows: [["Allow", ALLOWED], ["Accept", "application/sdp"]] });
    } else {
      this.respond(request, 405, { tag: randomToken(6), rows: [["Allow", ALLOWED]] });
    }
  }

  #invited(request, known) {
    if (known !== undefined || this.calls.size >= CALLS_MAX) {
      // The same call by another way (RFC 3261 section 8.2.2.2), or too many at once.
      this.respond(request, known === undefined ? 486 : 482, { tag: randomToken(6), reason: known === undefined ? undefined : "Loop Detected" });
      return;
    }
    this.respond(request, 100);
    const call = Call.incoming(this, request);
    this.calls.set(call.id, call);
    this.told.invited(call);
  }

  /** A call of ours: `rows` and `body` go with its INVITE. */
  invite(to, id, rows, body, told) {
    const call = Call.outgoing(this, to, id, told);
    this.calls.set(id, call);
    call.begin(rows, body);
    return call;
  }
}

/** Branch, sender and method name a transaction (RFC 3261 section 17.2.3). */
export function transactionOf(request) {
  const [via] = request.rows.list("via");
  const method = request.cseq.method === "ACK" ? "INVITE" : request.cseq.method;
  return `${/;\s*branch=([^;\s]+)/i.exec(via)?.[1]} ${/^SIP\s*\/\s*2\.0\s*\/\s*\S+\s+([^;\s]+)/i.exec(via)?.[1]} ${method}`;
}
