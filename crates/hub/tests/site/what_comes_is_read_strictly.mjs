// The app's readers of what others write: SIP, SDP fingerprints, certificates. WEB (folder of the app).
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { cpSync, mkdtempSync, readFileSync, readdirSync, writeFileSync, existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const [, web, torture] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), "app-"));
cpSync(web, folder, { recursive: true });
writeFileSync(join(folder, "package.json"), '{"type": "module"}');
const load = (path) => import(join(folder, path));
const { SipError, parse, parseAddress, parseSipUri, splitList, writeRequest, writeResponse, escapeUser, unescapeUser } = await load("sip/message.js");
const { DerError, Walk, element, signatureFromDer, signatureToDer } = await load("device/der.js");
const { P256, makeRequest, readCertificate, toPem, fromPem } = await load("device/certificate.js");
const { Identities, mediaKeys, meet, partyOf } = await load("call/identity.js");
const { decode, encode } = await load("voice/g722.js");
const { isEmergency, plainDigits } = await load("call/emergency.js");

// SIP.
const head = ["INVITE sip:anna@home.test SIP/2.0", "v: SIP/2.0/WSS a.invalid;branch=z9hG4bK1", 'f: "A, \\"B\\"" <sip:a@home.test>;tag=1', "t: <sip:anna@home.test>", "i: 1@a", "CSeq: 1 INVITE"];
const text = (lines, body = "") => `${lines.join("\r\n")}\r\n\r\n${body}`;
const good = parse(text([...head, "Record-Route: <sip:p1;lr>, <sip:p2;lr>", "Record-Route: <sip:p3;lr>", "l: 5"], "häll"));
assert.equal(good.method, "INVITE");
assert.deepEqual(good.rows.list("record-route"), ["<sip:p1;lr>", "<sip:p2;lr>", "<sip:p3;lr>"].slice(0, 3));
assert.equal(parseAddress(good.rows.get("from")).display, 'A, "B"');
assert.equal(parseAddress(good.rows.get("from")).params.get("tag"), "1");
assert.deepEqual(parseSipUri("sip:anna@HOME.test:5061;transport=ws"), { user: "anna", host: "home.test", params: new Map([["transport", "ws"]]) });
assert.equal(parseSipUri("tel:911"), null);
assert.deepEqual(splitList('"a,b" <sip:x,y>, <sip:z>'), ['"a,b" <sip:x,y>', "<sip:z>"]);
assert.equal(escapeUser("living room ü/1"), "living%20room%20%C3%BC/1");
assert.equal(unescapeUser("%E0%A4%A"), null);
const wrong = {
  "nothing": "", "no end": head.join("\r\n"), "no CSeq": text(head.slice(0, 5)), "other CSeq": text([...head.slice(0, 5), "CSeq: 1 BYE"]),
  "twice": text([...head, "To: <sip:b@home.test>"]), "length": text([...head, "l: 6"], "hallo"), "no number": text([...head, "l: five"], "hallo"),
  "control": text([...head, "X: a\u0000b"]), "version": text(["INVITE sip:a SIP/3.0", ...head.slice(1)]), "spaces": text(["INVITE  sip:a SIP/2.0", ...head.slice(1)]),
  "name": text([...head, "no colon"]), "rows": text([...head, ...Array.from({ length: 200 }, (_, n) => `X-${n}: y`)]), "long": text([...head, `X: ${"y".repeat(9000)}`]),
  "huge": text(head, "x".repeat(70_000)), "uri": text([`INVITE sip:${"a".repeat(600)}@b SIP/2.0`, ...head.slice(1)]), "bare LF": text(head).replaceAll("\r\n", "\n"), "folded first": text([head[0], " folded", ...head.slice(1)]),
};
for (const [name, message] of Object.entries(wrong)) assert.throws(() => parse(message), SipError, name);
for (const bad of ["", "<>", "no address", '"open <sip:a@b>', "<sip:a@b>;=", "<sip:a@b> x"]) assert.throws(() => parseAddress(bad), SipError, bad);
for (const [name, value] of [["X", "a\r\nVia: b"], ["X\r\nVia", "b"]]) assert.throws(() => writeRequest("BYE", "sip:a@b", [[name, value]]), SipError);
assert.throws(() => writeRequest("BYE", "sip:a@b SIP/2.0\r\nX: y", []), SipError);
const answer = parse(writeResponse(good, 200, "OK", "t", [["Contact", "<sip:b>"]], "v=0\r\n"));
assert.deepEqual([answer.status, parseAddress(answer.rows.get("to")).params.get("tag"), answer.body], [200, "t", "v=0\r\n"]);

// Whatever is changed in a message, it is read or refused, and nothing else happens.
let seed = 1;
const random = (below) => {
  seed = (seed * 48_271) % 2_147_483_647;
  return seed % below;
};
const start = text([...head, "l: 5"], "hallo");
for (let round = 0; round < 20_000; round += 1) {
  const letters = [...start];
  for (let change = 0; change <= random(4); change += 1) letters.splice(random(letters.length), random(3), String.fromCharCode(random(130)));
  try {
    const read = parse(letters.join(""));
    for (const name of ["from", "to"]) parseAddress(read.rows.get(name));
    parseSipUri(read.uri ?? "");
  } catch (error) {
    if (!(error instanceof SipError)) throw error;
  }
}
// The torture messages of RFC 4475: what is no UTF-8 never gets here; the others are read or refused.
let [taken, refused] = [0, 0];
if (torture !== undefined && existsSync(torture)) {
  for (const name of readdirSync(torture)) {
    const bytes = readFileSync(join(torture, name));
    try {
      parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
      taken += 1;
    } catch {
      refused += 1;
    }
  }
}

// Certificates: made here, read again; no change of a bit goes unnoticed by reader and signature together.
const keys = await crypto.subtle.generateKey(P256, false, ["sign", "verify"]);
const request = await makeRequest(keys);
writeFileSync(join(folder, "request.der"), request);
for (let round = 0; round < 2_000; round += 1) {
  const raw = crypto.getRandomValues(new Uint8Array(64));
  if (random(3) === 0) raw.fill(0, 0, random(33));
  assert.deepEqual(signatureFromDer(signatureToDer(raw)), raw);
}
for (const bad of [[0x30, 0x80], [0x30, 0x81, 0x05, 0, 0, 0, 0, 0], [0x30, 0x82, 0x00, 0x80], [0x30, 0x05, 0x02], [0x30]]) {
  assert.throws(() => new Walk(Uint8Array.from(bad)).next(0x30), DerError, String(bad));
}
assert.equal(element(0x04, new Uint8Array(200)).length, 203);
assert.deepEqual(fromPem("X", toPem("X", request)), request);
assert.throws(() => fromPem("CERTIFICATE", toPem("X", request)), DerError);
for (let round = 0; round < 20_000; round += 1) {
  const bytes = request.slice();
  bytes[random(bytes.length)] ^= 1 << random(8);
  try {
    readCertificate(bytes);
    assert.fail("a request is no certificate");
  } catch (error) {
    if (!(error instanceof DerError)) throw error;
  }
}

// Identity.
assert.equal(partyOf("sips:Anna@HOME.test:5061;transport=tls"), "sip:Anna@home.test");
assert.deepEqual(mediaKeys("a=fingerprint:SHA-256 0a:FF\r\na=fingerprint:sha-256 0A:ff\r\n"), ['{"alg":"sha-256","dig":"0AFF"}']);
assert.throws(() => mediaKeys("v=0\r\n"));
assert.throws(() => mediaKeys("a=fingerprint:sha-256 zz\r\n"));
const seen = {};
assert.deepEqual(["a", "a", "b"].map((key) => meet(seen, "d", Uint8Array.of(key.charCodeAt(0)))), ["first", "known", "changed"]);
assert.equal(typeof Identities, "function");

// Voice messages: the very octets and samples that media/src/g722.rs makes of the same noise.
seed = 1;
const noise = Int16Array.from({ length: 32_000 }, (_, at) => Math.trunc(((random(65_536) - 32_768) * [0, 1, 16, 200, 1000, 32_768][Math.floor(at / 5000) % 6]) / 32_768));
const octets = encode(noise);
const digest = (bytes) => createHash("sha256").update(bytes).digest("hex");
assert.equal(digest(octets), "880032a5690ea621e07709a7e6466b702868a02345b55eb65d1a1fbe08ed4b8c");
assert.equal(digest(new Uint8Array(decode(octets).buffer)), "10db6e537eb8df1d4ed8639a6e909295c1fd231b5ea2281cb01f8266ad0bc34a");

// Emergency numbers, in what people and machines write.
for (const spelling of ["911", "9-1-1", "+911", "９１１", "٩١١", "९११", "tel:911", "sip:911@x", "911;phone-context=+1", "urn:service:sos.fire", "0 0 0"]) assert.ok(isEmergency(spelling), spelling);
for (const ordinary of ["+12025550123", "9110", "91", "555-0123", "*21#"]) assert.ok(!isEmergency(ordinary), ordinary);
assert.equal(plainDigits("(+49) 30-1"), "+49301");
console.log(`RFC 4475: ${taken} read, ${refused} refused; request in ${join(folder, "request.der")}`);
