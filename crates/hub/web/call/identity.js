// Who is really there (RFC 8224, RFC 8225 with mky): the fingerprints of a description, signed by a device's enrolled key.
// The other half of sip/src/identity.rs, which says why the certificate comes along and what is signed.

import { fromBase64, fromBase64Url, sha256, toBase64, toBase64Url, utf8 } from "../device/bytes.js";
import { fingerprint, isOfDevice, readCertificate, sign as signature, verifies } from "../device/certificate.js";
import { parseSipUri } from "../sip/message.js";

const FRESHNESS_S = 60;
const ROW_CHARACTERS_MAX = 8_192;
const CERTIFICATE_BYTES_MAX = 2_048;
const MEDIA_KEYS_MAX = 16;
const SEEN_MAX = 1_024;
const CALL_ID = "urn:hearthline:call-id";
const CERTIFICATE_URN = "urn:hearthline:certificate:";

/** Why nobody is believed. */
export class IdentityError extends Error {}

/** Who a SIP URI names, in the one form that is signed and compared. */
export function partyOf(uri) {
  const sip = parseSipUri(uri);
  if (sip === null) throw new IdentityError("the address names nobody");
  return `sip:${sip.user}@${sip.host}`;
}

/** All fingerprints of a description, sorted, each once. */
export function mediaKeys(sdp) {
  const lines = sdp.split(/\r?\n/).filter((line) => /^a=fingerprint:/i.test(line));
  const keys = lines.map((line) => {
    const found = /^a=fingerprint:([A-Za-z0-9-]{1,16}) ([0-9A-Fa-f:]{2,191})$/.exec(line);
    if (found === null) throw new IdentityError("a fingerprint does not read");
    return JSON.stringify({ alg: found[1].toLowerCase(), dig: found[2].replace(/:/g, "").toUpperCase() });
  });
  const all = [...new Set(keys)].sort();
  if (all.length === 0 || all.length > MEDIA_KEYS_MAX) throw new IdentityError("no fingerprint, or too many");
  return all;
}

/** The Identity row of what we say to `destination`. */
export async function signed(own, { origin, destination, callId, sdp }, now = Date.now()) {
  const name = CERTIFICATE_URN + (await fingerprint(own.certificate));
  const header = `{"alg":"ES256","typ":"passport","x5c":["${toBase64(own.certificate)}"],"x5u":"${name}"}`;
  const text = JSON.stringify;
  const payload = `{"dest":{"uri":[${text(partyOf(destination))}]},"iat":${Math.floor(now / 1000)},"mky":[${mediaKeys(sdp).join(",")}],"orig":{"uri":${text(partyOf(origin))}},"${CALL_ID}":${text(callId)}}`;
  const message = `${toBase64Url(utf8(header))}.${toBase64Url(utf8(payload))}`;
  const made = await signature(own.keys.privateKey, utf8(message));
  return `${message}.${toBase64Url(made)};info=<${name}>;alg=ES256`;
}

function object(part) {
  const read = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(fromBase64Url(part)));
  if (read === null || typeof read !== "object" || Array.isArray(read)) throw new IdentityError("no object");
  return read;
}

function parse(row) {
  if (row.length > ROW_CHARACTERS_MAX) throw new IdentityError("over 8 KiB");
  const [token, ...params] = row.trim().split(";");
  const named = new Map(params.map((param) => {
    const at = param.indexOf("=");
    return at < 0 ? [param.trim(), ""] : [param.slice(0, at).trim(), param.slice(at + 1).trim()];
  }));
  const info = /^<(.+)>$/.exec(named.get("info") ?? "")?.[1];
  if (info === undefined || (named.get("alg") ?? "ES256") !== "ES256" || named.has("ppt")) throw new IdentityError("the row is not of our kind");
  const parts = token.trim().split(".");
  if (parts.length !== 3) throw new IdentityError("not the three parts of a full token");
  const [header, payload] = [object(parts[0]), object(parts[1])];
  if (header.alg !== "ES256" || header.typ !== "passport" || "crit" in header || "ppt" in header || header.x5u !== info) throw new IdentityError("the header is not an ES256 passport's");
  const made = fromBase64Url(parts[2]);
  const certificate = fromBase64(String(header.x5c?.[0] ?? ""));
  if (made.length !== 64 || certificate.length === 0 || certificate.length > CERTIFICATE_BYTES_MAX) throw new IdentityError("no signature or certificate");
  return { payload, certificate, signature: made, info, message: utf8(`${parts[0]}.${parts[1]}`) };
}

const one = (claim) => {
  const keys = Object.keys(claim ?? {});
  return keys.length === 1 && keys[0] === "uri" ? claim.uri : undefined;
};

/** Checks rows, and remembers those that it saw. */
export class Identities {
  #seen = new Map();

  /** `authority` is the home's certificate, DER. */
  constructor(authority) {
    this.authority = readCertificate(authority);
  }

  /** Who signed `row` for this description. `origin` is who says to have; without it any device of the home may. */
  async verify(row, { origin = null, destination, callId, sdp }, now = Date.now()) {
    let passport;
    try {
      passport = parse(row);
    } catch (error) {
      throw error instanceof IdentityError ? error : new IdentityError("the row does not read");
    }
    const { payload } = passport;
    const [from, to, keys] = [one(payload.orig), one(payload.dest), payload.mky];
    if (typeof payload.iat !== "number" || Math.abs(payload.iat - now / 1000) > FRESHNESS_S + 1) throw new IdentityError("signed too long ago, or a clock is wrong");
    if (typeof from !== "string" || (origin !== null && from !== partyOf(origin))) throw new IdentityError("signed by another caller");
    if (!Array.isArray(to) || to.length !== 1 || to[0] !== partyOf(destination)) throw new IdentityError("signed for another callee");
    if (payload[CALL_ID] !== callId) throw new IdentityError("signed for another call");
    const claimed = Array.isArray(keys) ? keys.map((key) => JSON.stringify({ alg: key?.alg, dig: key?.dig })) : [];
    if (claimed.join() !== mediaKeys(sdp).join()) throw new IdentityError("the fingerprints are not the signed ones; somebody stands in between");
    const device = parseSipUri(from)?.user;
    let certificate;
    try {
      certificate = readCertificate(passport.certificate);
    } catch {
      throw new IdentityError("the certificate does not read");
    }
    const trusted = device !== undefined && passport.info === CERTIFICATE_URN + (await fingerprint(passport.certificate))
      && (await isOfDevice(certificate, device, this.authority, now))
      && (await verifies(certificate.publicKey, passport.signature, passport.message));
    if (!trusted) throw new IdentityError("not signed by a device of this home");
    await this.#once(passport.message, now);
    return { device, key: await sha256(certificate.publicKey) };
  }

  async #once(message, now) {
    const digest = toBase64(await sha256(message));
    for (const [seen, at] of this.#seen) if (now - at > 2_000 * FRESHNESS_S) this.#seen.delete(seen);
    if (this.#seen.has(digest)) throw new IdentityError("this signature was used before");
    if (this.#seen.size >= SEEN_MAX) this.#seen.delete(this.#seen.keys().next().value);
    this.#seen.set(digest, now);
  }
}

/** The key of each device, from its first call on: a hub that makes a device of its own for another's name is told. */
export function meet(known, device, key) {
  const before = known[device];
  const now = toBase64(key);
  known[device] = now;
  return before === undefined ? "first" : before === now ? "known" : "changed";
}

