// SHA-256 and SHA-512 (FIPS 180-4), written out: this page asks no library and no browser for its hashes.

/** The first `count` primes. */
function primes(count) {
  const found = [];
  for (let number = 2; found.length < count; number += 1) {
    if (found.every((prime) => number % prime !== 0)) found.push(number);
  }
  return found;
}

/** The first 64 bits of the fraction of a root: FIPS 180-4 sections 4.2.2, 4.2.3 and 5.3. */
function rootFraction(number, power) {
  const target = BigInt(number) << BigInt(64 * power);
  let [low, high] = [0n, 1n << 72n];
  while (high - low > 1n) {
    const middle = (low + high) >> 1n;
    if (middle ** BigInt(power) <= target) low = middle;
    else high = middle;
  }
  return low & ((1n << 64n) - 1n);
}

const CUBE_ROOTS = primes(80).map((prime) => rootFraction(prime, 3));
const SQUARE_ROOTS = primes(8).map((prime) => rootFraction(prime, 2));
const K256 = Int32Array.from(CUBE_ROOTS.slice(0, 64), (root) => Number(root >> 32n) | 0);
const H256 = Int32Array.from(SQUARE_ROOTS, (root) => Number(root >> 32n) | 0);

/** SHA-256 that takes its input in parts. */
export class Sha256 {
  #state = Int32Array.from(H256);
  #block = new Uint8Array(64);
  #schedule = new Int32Array(64);
  #filled = 0;
  #length = 0;

  update(bytes) {
    this.#length += bytes.length;
    let at = 0;
    if (this.#filled > 0) {
      at = Math.min(64 - this.#filled, bytes.length);
      this.#block.set(bytes.subarray(0, at), this.#filled);
      this.#filled += at;
      if (this.#filled < 64) return this;
      this.#compress(this.#block, 0, 64);
      this.#filled = 0;
    }
    const whole = bytes.length - ((bytes.length - at) % 64);
    this.#compress(bytes, at, whole);
    this.#block.set(bytes.subarray(whole));
    this.#filled = bytes.length - whole;
    return this;
  }

  digest() {
    const tail = new Uint8Array(this.#filled < 56 ? 64 : 128);
    tail.set(this.#block.subarray(0, this.#filled));
    tail[this.#filled] = 0x80;
    const view = new DataView(tail.buffer);
    view.setUint32(tail.length - 8, Math.floor(this.#length / 0x2000_0000));
    view.setUint32(tail.length - 4, (this.#length * 8) >>> 0);
    this.#compress(tail, 0, tail.length);
    const digest = new Uint8Array(32);
    const out = new DataView(digest.buffer);
    this.#state.forEach((word, index) => out.setInt32(index * 4, word));
    return digest;
  }

  #compress(bytes, from, to) {
    const w = this.#schedule;
    const state = this.#state;
    let [h0, h1, h2, h3, h4, h5, h6, h7] = state;
    for (let at = from; at < to; at += 64) {
      for (let t = 0, p = at; t < 16; t += 1, p += 4) {
        w[t] = (bytes[p] << 24) | (bytes[p + 1] << 16) | (bytes[p + 2] << 8) | bytes[p + 3];
      }
      for (let t = 16; t < 64; t += 1) {
        const x = w[t - 15];
        const y = w[t - 2];
        const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
        const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
        w[t] = (w[t - 16] + s0 + w[t - 7] + s1) | 0;
      }
      let a = h0, b = h1, c = h2, d = h3, e = h4, f = h5, g = h6, h = h7;
      for (let t = 0; t < 64; t += 1) {
        const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
        const t1 = (h + s1 + ((e & f) ^ (~e & g)) + K256[t] + w[t]) | 0;
        const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
        const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
        h = g;
        g = f;
        f = e;
        e = (d + t1) | 0;
        d = c;
        c = b;
        b = a;
        a = (t1 + t2) | 0;
      }
      h0 = (h0 + a) | 0;
      h1 = (h1 + b) | 0;
      h2 = (h2 + c) | 0;
      h3 = (h3 + d) | 0;
      h4 = (h4 + e) | 0;
      h5 = (h5 + f) | 0;
      h6 = (h6 + g) | 0;
      h7 = (h7 + h) | 0;
    }
    state.set([h0, h1, h2, h3, h4, h5, h6, h7]);
  }
}

/** SHA-256 of the parts, one after the other. */
export function sha256(...parts) {
  const hash = new Sha256();
  for (const part of parts) hash.update(part);
  return hash.digest();
}

const MASK = (1n << 64n) - 1n;
const rotated = (x, n) => ((x >> n) | (x << (64n - n))) & MASK;

/** SHA-512. Slow and short: it hashes the few signed texts only. */
export function sha512(message) {
  const length = Math.ceil((message.length + 17) / 128) * 128;
  const padded = new Uint8Array(length);
  padded.set(message);
  padded[message.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setBigUint64(length - 8, BigInt(message.length) * 8n);
  const state = [...SQUARE_ROOTS];
  const w = new Array(80);
  for (let at = 0; at < length; at += 128) {
    for (let t = 0; t < 16; t += 1) w[t] = view.getBigUint64(at + 8 * t);
    for (let t = 16; t < 80; t += 1) {
      const s0 = rotated(w[t - 15], 1n) ^ rotated(w[t - 15], 8n) ^ (w[t - 15] >> 7n);
      const s1 = rotated(w[t - 2], 19n) ^ rotated(w[t - 2], 61n) ^ (w[t - 2] >> 6n);
      w[t] = (w[t - 16] + s0 + w[t - 7] + s1) & MASK;
    }
    let [a, b, c, d, e, f, g, h] = state;
    for (let t = 0; t < 80; t += 1) {
      const s1 = rotated(e, 14n) ^ rotated(e, 18n) ^ rotated(e, 41n);
      const t1 = (h + s1 + ((e & f) ^ (~e & MASK & g)) + CUBE_ROOTS[t] + w[t]) & MASK;
      const s0 = rotated(a, 28n) ^ rotated(a, 34n) ^ rotated(a, 39n);
      const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) & MASK;
      [h, g, f, e, d, c, b, a] = [g, f, e, (d + t1) & MASK, c, b, a, (t1 + t2) & MASK];
    }
    [a, b, c, d, e, f, g, h].forEach((word, index) => {
      state[index] = (state[index] + word) & MASK;
    });
  }
  const digest = new Uint8Array(64);
  const out = new DataView(digest.buffer);
  state.forEach((word, index) => out.setBigUint64(8 * index, word));
  return digest;
}
