// Ed25519 (RFC 8032), the checking half, as strict as the device's own verifier: the scalar is reduced, neither the
// key nor R is a point of small order, and R is spelled canonically. So a message and a key have one valid signature.
// Nothing here is secret, so nothing has to take the same time for every input.

import { sha512 } from "./sha2.js";
import { joinBytes, sameBytes } from "./bytes.js";

const P = 2n ** 255n - 19n;
const L = 2n ** 252n + 27742317777372353535851937790883648493n;
const mod = (x) => {
  const rest = x % P;
  return rest < 0n ? rest + P : rest;
};
const power = (base, exponent) => {
  let [result, square] = [1n, mod(base)];
  for (let left = exponent; left > 0n; left >>= 1n) {
    if (left & 1n) result = (result * square) % P;
    square = (square * square) % P;
  }
  return result;
};
const inverse = (x) => power(x, P - 2n);
const D = mod(-121665n * inverse(121666n));
const D2 = mod(2n * D);
const SQRT_M1 = power(2n, (P - 1n) / 4n);

function littleEndian(bytes) {
  let value = 0n;
  for (let at = bytes.length - 1; at >= 0; at -= 1) value = (value << 8n) | BigInt(bytes[at]);
  return value;
}

// Points in extended coordinates [X, Y, Z, T] (RFC 8032 section 5.1.4).
const ZERO = [0n, 1n, 1n, 0n];
const negated = ([x, y, z, t]) => [mod(-x), y, z, mod(-t)];

function add([x1, y1, z1, t1], [x2, y2, z2, t2]) {
  const a = ((y1 - x1 + P) * (y2 - x2 + P)) % P;
  const b = ((y1 + x1) * (y2 + x2)) % P;
  const c = (((t1 * D2) % P) * t2) % P;
  const d = (2n * z1 * z2) % P;
  const [e, f, g, h] = [b - a + P, d - c + P, d + c, b + a];
  return [(e * f) % P, (g * h) % P, (f * g) % P, (e * h) % P];
}

function double([x, y, z]) {
  const a = (x * x) % P;
  const b = (y * y) % P;
  const c = (2n * z * z) % P;
  const h = a + b;
  const e = h - (((x + y) * (x + y)) % P) + P;
  const g = a - b + P;
  const f = c + g;
  return [mod(e * f), mod(g * h), mod(f * g), mod(e * h)];
}

/** A point from its 32 bytes, or null when they are none. Like the device's verifier it takes y modulo p. */
function decompress(bytes) {
  const whole = littleEndian(bytes);
  const sign = whole >> 255n;
  const y = (whole & (2n ** 255n - 1n)) % P;
  const yy = (y * y) % P;
  const u = mod(yy - 1n);
  const v = mod(D * yy + 1n);
  const v3 = (v * v * v) % P;
  let x = (((u * v3) % P) * power(u * v3 * v3 * v, (P - 5n) / 8n)) % P;
  const check = (((v * x) % P) * x) % P;
  if (check !== u) {
    if (check !== mod(-u)) return null;
    x = (x * SQRT_M1) % P;
  }
  if ((x & 1n) !== sign) x = mod(-x);
  return [x, y, 1n, (x * y) % P];
}

function compress([x, y, z]) {
  const over = inverse(z);
  let value = ((y * over) % P) | ((((x * over) % P) & 1n) << 255n);
  const bytes = new Uint8Array(32);
  for (let at = 0; at < 32; at += 1, value >>= 8n) bytes[at] = Number(value & 255n);
  return bytes;
}

function isSmallOrder(point) {
  const [x, y, z] = double(double(double(point)));
  return x === 0n && y === z;
}

const BASE = decompress(Uint8Array.from({ length: 32 }, (_, at) => (at === 0 ? 0x58 : 0x66)));

/** s·B + k·A, both at once. */
function combine(s, k, point) {
  const both = add(BASE, point);
  let sum = ZERO;
  for (let bit = 255n; bit >= 0n; bit -= 1n) {
    sum = double(sum);
    const [inS, inK] = [(s >> bit) & 1n, (k >> bit) & 1n];
    if (inS && inK) sum = add(sum, both);
    else if (inS) sum = add(sum, BASE);
    else if (inK) sum = add(sum, point);
  }
  return sum;
}

/** A public key that is a point of the curve and not one of the weak ones; null otherwise. */
export function publicKey(bytes) {
  if (bytes.length !== 32) return null;
  const point = decompress(bytes);
  return point === null || isSmallOrder(point) ? null : { bytes: Uint8Array.from(bytes), point };
}

/** Whether the signature holds, strictly. */
export function verifies(key, message, signature) {
  if (signature.length !== 64) return false;
  const [r, s] = [signature.subarray(0, 32), littleEndian(signature.subarray(32))];
  if (s >= L) return false;
  const point = decompress(r);
  if (point === null || isSmallOrder(point)) return false;
  const k = littleEndian(sha512(joinBytes(r, key.bytes, message))) % L;
  return sameBytes(compress(combine(s, k, negated(key.point))), r);
}
