// Certificates of the home (RFC 5280) and requests for them (RFC 2986): ECDSA on P-256 with SHA-256, nothing else.

import { BIT_STRING, DerError, INTEGER, OBJECT_ID, OCTET_STRING, SEQUENCE, Walk, bits, element, same, signatureFromDer, signatureToDer } from "./der.js";
import { fromBase64, sha256, toBase64 } from "./bytes.js";

const ES256 = { name: "ECDSA", hash: "SHA-256" };
export const P256 = { name: "ECDSA", namedCurve: "P-256" };
/** ecdsa-with-SHA256 (RFC 5758 section 3.2), and subjectAltName (RFC 5280 section 4.2.1.6). */
const ECDSA_SHA256 = Uint8Array.of(0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02);
const ALTERNATIVE_NAMES = Uint8Array.of(0x55, 0x1d, 0x11);
const DNS_NAME = 0x82;
const TIMES = new Map([[0x17, /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/], [0x18, /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/]]);
const DEVICE_DOMAIN = ".device.hearthline.internal";

/** The first block of this kind. */
export function fromPem(kind, text) {
  const found = new RegExp(`-----BEGIN ${kind}-----\\s+([A-Za-z0-9+/=\\s]{1,16384}?)-----END ${kind}-----`).exec(text);
  if (found === null) throw new DerError(`no PEM block ${kind}`);
  return fromBase64(found[1].replace(/\s/g, ""));
}

export function toPem(kind, der) {
  return `-----BEGIN ${kind}-----\n${toBase64(der).replace(/.{1,64}/g, "$&\n")}-----END ${kind}-----\n`;
}

/** A request for a certificate for this key. The hub decides the names, so it has none. */
export async function makeRequest(keys) {
  const publicKey = new Uint8Array(await crypto.subtle.exportKey("spki", keys.publicKey));
  const info = element(SEQUENCE, element(INTEGER, Uint8Array.of(0)), element(SEQUENCE), publicKey, element(0xa0));
  const signature = new Uint8Array(await crypto.subtle.sign(ES256, keys.privateKey, info));
  return element(SEQUENCE, info, element(SEQUENCE, ECDSA_SHA256), element(BIT_STRING, Uint8Array.of(0), signatureToDer(signature)));
}

/** What a certificate says. Whether it is true, `isSignedBy` tells. */
export function readCertificate(der) {
  const outer = new Walk(der);
  const certificate = outer.into(SEQUENCE);
  outer.end();
  const tbs = certificate.next(SEQUENCE);
  const algorithm = certificate.next(SEQUENCE).content;
  const signature = bits(certificate.next(BIT_STRING).content);
  certificate.end();
  const walk = new Walk(tbs.content);
  if (walk.tag === 0xa0) walk.next(0xa0);
  walk.next(INTEGER);
  if (!same(walk.next(SEQUENCE).content, algorithm) || !same(algorithm, ECDSA_SHA256)) throw new DerError("not signed by ECDSA with SHA-256");
  const issuer = walk.next(SEQUENCE).whole;
  const validity = walk.into(SEQUENCE);
  const [notBefore, notAfter] = [time(validity), time(validity)];
  validity.end();
  const subject = walk.next(SEQUENCE).whole;
  const publicKey = walk.next(SEQUENCE).whole;
  const names = walk.tag === 0xa3 ? alternativeNames(walk.into(0xa3)) : [];
  walk.end();
  return { der, tbs: tbs.whole, signature: signatureFromDer(signature), issuer, subject, publicKey, notBefore, notAfter, names };
}

function time(walk) {
  const { tag } = walk;
  const pattern = TIMES.get(tag);
  if (pattern === undefined) throw new DerError("no time");
  const digits = pattern.exec(String.fromCharCode(...walk.next(tag).content));
  if (digits === null) throw new DerError("no time");
  const [year, month, ...rest] = digits.slice(1).map(Number);
  return Date.UTC(tag === 0x18 ? year : year + (year < 50 ? 2000 : 1900), month - 1, ...rest);
}

function alternativeNames(explicit) {
  const all = explicit.into(SEQUENCE);
  explicit.end();
  const names = [];
  while (!all.ended) {
    const extension = all.into(SEQUENCE);
    const id = extension.next(OBJECT_ID).content;
    if (extension.tag === 0x01) extension.next(0x01);
    const value = extension.next(OCTET_STRING).content;
    extension.end();
    if (!same(id, ALTERNATIVE_NAMES)) continue;
    const list = new Walk(value).into(SEQUENCE);
    while (!list.ended) {
      const { tag } = list;
      const { content } = list.next(tag);
      if (tag === DNS_NAME) names.push(String.fromCharCode(...content));
    }
  }
  return names;
}

export async function verifies(publicKey, signature, message) {
  const key = await crypto.subtle.importKey("spki", publicKey, P256, false, ["verify"]);
  return crypto.subtle.verify(ES256, key, signature, message);
}

export async function sign(privateKey, message) {
  return new Uint8Array(await crypto.subtle.sign(ES256, privateKey, message));
}

/** Whether the home's authority says, at this time, that the certificate is this device's. */
export async function isOfDevice(certificate, device, authority, now) {
  if (!certificate.names.includes(device + DEVICE_DOMAIN)) return false;
  if (now < certificate.notBefore || now > certificate.notAfter || !same(certificate.issuer, authority.subject)) return false;
  return verifies(authority.publicKey, certificate.signature, certificate.tbs);
}

/** What a request's or certificate's PEM says, as SHA-256 in 64 digits. */
export async function fingerprint(der) {
  return Array.from(await sha256(der), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

