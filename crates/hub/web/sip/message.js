// SIP messages (RFC 3261) as they travel in WebSocket messages (RFC 7118): read strictly, written plainly.
//
// What breaks a rule is refused as a whole; nothing is guessed. Limits are on everything, because whoever calls writes it.

export const MESSAGE_BYTES_MAX = 65_536;
const ROWS_MAX = 128;
const ROW_CHARACTERS_MAX = 8_192;
const URI_CHARACTERS_MAX = 512;

/** Not a SIP message that may be taken. */
export class SipError extends Error {}

const COMPACT = { v: "via", f: "from", t: "to", i: "call-id", m: "contact", l: "content-length", c: "content-type", k: "supported", s: "subject", e: "content-encoding", o: "event", u: "allow-events", r: "refer-to", b: "referred-by", x: "session-expires" };
const TOKEN = /^[A-Za-z0-9\-.!%*_+`'~]+$/;
const ONCE = ["from", "to", "call-id", "cseq", "max-forwards", "content-length", "content-type", "identity"];
const NEEDED = ["via", "from", "to", "call-id", "cseq"];

/** Rows in their order; names in small letters. */
export class Rows {
  constructor(rows = []) {
    this.all = rows;
  }

  /** The first value of this name, or null. */
  get(name) {
    return this.all.find(([own]) => own === name)?.[1] ?? null;
  }

  values(name) {
    return this.all.filter(([own]) => own === name).map(([, value]) => value);
  }

  /** The values of a list that may stand in one row or in several (RFC 3261 section 7.3.1). */
  list(name) {
    return this.values(name).flatMap((value) => splitList(value));
  }
}

/** At commas that stand neither in quotes nor in angle brackets. */
export function splitList(text) {
  const parts = [];
  let [start, quoted, angle] = [0, false, false];
  for (let at = 0; at < text.length; at += 1) {
    const sign = text[at];
    if (quoted && sign === "\\") at += 1;
    else if (sign === '"' && !angle) quoted = !quoted;
    else if (!quoted && (sign === "<" || sign === ">")) angle = sign === "<";
    else if (sign === "," && !quoted && !angle) {
      parts.push(text.slice(start, at).trim());
      start = at + 1;
    }
  }
  parts.push(text.slice(start).trim());
  return parts.filter((part) => part !== "");
}

/** A message: `method` and `uri` of a request, `status` and `reason` of a response; `rows`, `body`, and `cseq`. */
export function parse(text) {
  if (typeof text !== "string" || new Blob([text]).size > MESSAGE_BYTES_MAX) throw new SipError("too large");
  const end = text.indexOf("\r\n\r\n");
  if (end < 0) throw new SipError("no empty row after the head");
  const lines = text.slice(0, end).split("\r\n");
  const body = text.slice(end + 4);
  const first = startLine(lines.shift());
  const rows = [];
  for (const line of lines) {
    if (line.length > ROW_CHARACTERS_MAX || rows.length >= ROWS_MAX) throw new SipError("too many or too long rows");
    if (/[\u0000-\u0008\u000a-\u001f\u007f]/.test(line)) throw new SipError("a control character in the head");
    if (line[0] === " " || line[0] === "\t") {
      if (rows.length === 0) throw new SipError("a folded row without a row");
      rows[rows.length - 1][1] += ` ${line.trim()}`;
      continue;
    }
    const colon = line.indexOf(":");
    const name = line.slice(0, Math.max(colon, 0)).trimEnd().toLowerCase();
    if (!TOKEN.test(name)) throw new SipError("a row without a name");
    rows.push([COMPACT[name] ?? name, line.slice(colon + 1).trim()]);
  }
  const message = { ...first, rows: new Rows(rows), body };
  for (const name of NEEDED) if (message.rows.get(name) === null) throw new SipError(`no ${name}`);
  for (const name of ONCE) if (message.rows.values(name).length > 1) throw new SipError(`${name} stands twice`);
  message.cseq = sequence(message.rows.get("cseq"));
  if (message.method !== undefined && message.cseq.method !== message.method) throw new SipError("CSeq is of another method");
  const length = message.rows.get("content-length");
  if (length !== null && (!/^\d{1,6}$/.test(length) || Number(length) !== new Blob([body]).size)) throw new SipError("Content-Length is wrong");
  return message;
}

function startLine(line) {
  const status = /^SIP\/2\.0 ([1-6]\d\d) ([^\u0000-\u001f\u007f]{0,256})$/.exec(line);
  if (status !== null) return { status: Number(status[1]), reason: status[2] };
  const request = /^([A-Z]{1,16}) ([^ \u0000-\u001f\u007f]+) SIP\/2\.0$/.exec(line);
  if (request === null || request[2].length > URI_CHARACTERS_MAX) throw new SipError("no start of a SIP message");
  return { method: request[1], uri: request[2] };
}

function sequence(text) {
  const found = /^(\d{1,10})\s+([A-Z]{1,16})$/.exec(text);
  if (found === null || Number(found[1]) >= 2 ** 31) throw new SipError("no CSeq");
  return { number: Number(found[1]), method: found[2] };
}

/** `"Anna" <sip:anna@home.test>;tag=1`: the name shown, the URI, and the parameters behind it. */
export function parseAddress(text) {
  const found = /^(?:"((?:[^"\\]|\\.)*)"\s*|([^<"]*))<([^<>\s]+)>(.*)$/.exec(text);
  // Without brackets, parameters are the row's, not the URI's (RFC 3261 section 20).
  const [display, uri, rest] = found !== null
    ? [(found[1]?.replace(/\\(.)/g, "$1") ?? found[2]).trim(), found[3], found[4]]
    : ["", ...(/^([^;\s]+)(.*)$/.exec(text)?.slice(1) ?? ["", ""])];
  if (!/^[a-z][a-z0-9+.-]*:/i.test(uri) || uri.length > URI_CHARACTERS_MAX) throw new SipError("no address");
  return { display, uri, params: parameters(rest) };
}

/** `;name=value;flag` */
export function parameters(text) {
  const params = new Map();
  const pattern = /\s*;\s*([A-Za-z0-9\-.!%*_+`'~]+)(?:\s*=\s*("(?:[^"\\]|\\.)*"|[^\s;"]*))?\s*/gy;
  while (pattern.lastIndex < text.length) {
    const found = pattern.exec(text);
    if (found === null) throw new SipError("parameters that do not read");
    const value = found[2]?.startsWith('"') ? found[2].slice(1, -1).replace(/\\(.)/g, "$1") : (found[2] ?? "");
    params.set(found[1].toLowerCase(), value);
  }
  return params;
}

/** User, host and parameters of a SIP URI; null where it is none, or has no user. */
export function parseSipUri(uri) {
  const found = /^sips?:([^@:;?]+)(?::[^@]*)?@(\[[0-9a-f:.]+\]|[A-Za-z0-9.-]+)(?::(\d{1,5}))?((?:;[^?]*)?)(?:\?.*)?$/i.exec(uri);
  if (found === null) return null;
  return { user: found[1], host: found[2].toLowerCase(), params: parameters(found[4]) };
}

/** What may stand in a user part, the rest escaped. */
export function escapeUser(text) {
  return encodeURIComponent(text).replace(/%(26|3D|2B|24|2C|3B|3F|2F)/g, (found) => decodeURIComponent(found));
}

/** The user part as people write it; null where its escapes do not read. */
export function unescapeUser(user) {
  try {
    return decodeURIComponent(user);
  } catch {
    return null;
  }
}

function written(start, rows, body) {
  for (const [name, value] of rows) {
    if (/[\r\n\u0000]/.test(name + value)) throw new SipError(`${name} would break the message`);
  }
  const head = [...rows, ["Content-Length", String(new Blob([body]).size)]].map(([name, value]) => `${name}: ${value}\r\n`);
  return `${start}\r\n${head.join("")}\r\n${body}`;
}

export function writeRequest(method, uri, rows, body = "") {
  if (/[\s<>]/.test(uri)) throw new SipError("the address would break the message");
  return written(`${method} ${uri} SIP/2.0`, rows, body);
}

/** A response to a request: what it must repeat, then `rows`. `tag` is ours, in To. */
export function writeResponse(request, status, reason, tag, rows = [], body = "") {
  const to = request.rows.get("to");
  const tagged = tag === null || parseAddress(to).params.has("tag") ? to : `${to};tag=${tag}`;
  const repeated = request.rows.all.filter(([name]) => name === "via" || (name === "record-route" && status < 300));
  const own = [["From", request.rows.get("from")], ["To", tagged], ["Call-ID", request.rows.get("call-id")], ["CSeq", request.rows.get("cseq")]];
  return written(`SIP/2.0 ${status} ${reason}`, [...repeated, ...own, ...rows], body);
}
