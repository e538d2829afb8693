// This browser as a device of the home: its key, made here and never seen by anybody, and its certificate.
//
//   code ─► PBKDF2 with the authority that the hub shows ─► proof over our request ─► certificate, with the hub's proof
//
// The code itself never travels. See the hub's invitation.rs for what it protects and what not.

import { change, get, sessionToken } from "../api.js";
import { fromBase64, sha256, toBase64, utf8 } from "./bytes.js";
import { P256, fingerprint, fromPem, makeRequest, readCertificate, sign, toPem } from "./certificate.js";
import { joined, same } from "./der.js";

const DATABASE = "hearthline";
const TABLE = "enrolment";
const ROUNDS = 600_000;
const CODE = /^[2-9A-HJ-NP-Z]{8}$/;
const RENEW_BEFORE_MS = 30 * 86_400_000;

/** What went wrong, for people. */
export class EnrolmentError extends Error {}

function database() {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open(DATABASE, 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore(TABLE);
    opening.onsuccess = () => resolve(opening.result);
    opening.onerror = () => reject(new EnrolmentError("this browser keeps nothing here (a private window?), so it cannot be a device of the home"));
  });
}

async function within(mode, act) {
  const opened = await database();
  try {
    return await new Promise((resolve, reject) => {
      const transaction = opened.transaction(TABLE, mode);
      const asked = act(transaction.objectStore(TABLE));
      transaction.oncomplete = () => resolve(asked.result);
      transaction.onabort = () => reject(new EnrolmentError("this browser cannot keep its key; is its disk full?"));
    });
  } finally {
    opened.close();
  }
}

/** What this browser joined as, or null. */
export async function enrolled() {
  return (await within("readonly", (table) => table.get("own")).catch(() => undefined)) ?? null;
}

const keep = (own) => within("readwrite", (table) => table.put(own, "own"));

/** Forgets key and certificate; the hub is told by whoever removes the device there. */
export const forget = () => within("readwrite", (table) => table.delete("own"));

/** The code as it is meant: case, spaces and hyphens do not matter. Null: it is none. */
export function readCode(text) {
  const plain = text.replace(/[\s-]/g, "").toUpperCase();
  return CODE.test(plain) ? plain : null;
}

/** Each part behind its length, so that no two lists of parts read the same. */
function framed(parts) {
  return joined(...parts.flatMap((part) => {
    const head = new Uint8Array(8);
    new DataView(head.buffer).setUint32(4, part.length);
    return [head, part];
  }));
}

async function derived(code, authority) {
  const secret = await crypto.subtle.importKey("raw", utf8(code), "PBKDF2", false, ["deriveKey"]);
  const salt = joined(utf8("hearthline invitation v1"), await sha256(authority));
  const way = { name: "PBKDF2", hash: "SHA-256", salt, iterations: ROUNDS };
  return crypto.subtle.deriveKey(way, secret, { name: "HMAC", hash: "SHA-256", length: 256 }, false, ["sign", "verify"]);
}

/** Joins with a code; with the authority's fingerprint out of a QR code, only that home. */
export async function join(code, pinned = null) {
  const { ca_pem: authorityPem } = await get("join");
  const authority = fromPem("CERTIFICATE", authorityPem);
  if (pinned !== null && pinned !== (await fingerprint(authority))) {
    throw new EnrolmentError("This is not the hub of the QR code. Somebody may stand in between; nothing was kept.");
  }
  const key = await derived(code, authority);
  // Not extractable: whoever reads this browser's storage gets no key to carry away.
  const keys = await crypto.subtle.generateKey(P256, false, ["sign", "verify"]);
  const request = await makeRequest(keys);
  const proof = new Uint8Array(await crypto.subtle.sign("HMAC", key, framed([utf8("join"), request, await sha256(authority)])));
  const answer = await change("POST", "join", { request_pem: toPem("CERTIFICATE REQUEST", request), proof: toBase64(proof) });
  const { device } = answer;
  const certificate = fromPem("CERTIFICATE", answer.certificate_pem);
  const said = [device.id, device.kind, device.name, device.room ?? "", device.person ?? "", String(answer.not_after_ms)].map(utf8);
  const all = framed([utf8("joined"), request, certificate, authority, ...said]);
  const proven = await crypto.subtle.verify("HMAC", key, fromBase64(answer.proof), all);
  if (!proven || !same(fromPem("CERTIFICATE", answer.ca_pem), authority)) {
    throw new EnrolmentError("The answer is not from a hub that knows the code. Somebody may stand in between; nothing was kept.");
  }
  const own = { device: device.id, name: device.name, keys, certificate, authority, notAfter: answer.not_after_ms, instance: crypto.randomUUID() };
  await keep(own);
  return own;
}

/** A person who is signed in makes the browser at hand a device of their own. */
export async function joinAs(person, name) {
  const invited = await change("POST", "invitations", { kind: "browser", name, person });
  return join(readCode(invited.code));
}

/** The session becomes this device's: a page shows no certificate on its connections, so the key signs once. */
export async function bind(own) {
  const signature = await sign(own.keys.privateKey, utf8(`hearthline browser session v1\n${sessionToken()}`));
  return change("PUT", "me/device", { certificate_pem: toPem("CERTIFICATE", own.certificate), signature: toBase64(signature) });
}

/** A further certificate for the same key, in the last month of the present one. */
export async function renewed(own, now = Date.now()) {
  if (own.notAfter - now > RENEW_BEFORE_MS) return own;
  const request = await makeRequest(own.keys);
  const answer = await change("POST", "certificate", { request_pem: toPem("CERTIFICATE REQUEST", request) });
  const fresh = { ...own, certificate: fromPem("CERTIFICATE", answer.certificate_pem), notAfter: answer.not_after_ms };
  readCertificate(fresh.certificate);
  await keep(fresh);
  return fresh;
}
