// DER (X.690), as much as certificates and their requests need. Read strictly: shortest lengths, nothing left over.

/** What was read is not what it should be. */
export class DerError extends Error {}

const LENGTH_MAX = 16_384;

export const SEQUENCE = 0x30;
export const SET = 0x31;
export const INTEGER = 0x02;
export const BIT_STRING = 0x03;
export const OCTET_STRING = 0x04;
export const OBJECT_ID = 0x06;

/** Bytes after each other. */
export function joined(...parts) {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** One element. */
export function element(tag, ...contents) {
  const content = joined(...contents);
  const { length } = content;
  const head = length < 0x80 ? [tag, length] : length < 0x100 ? [tag, 0x81, length] : [tag, 0x82, length >> 8, length & 0xff];
  return joined(Uint8Array.from(head), content);
}

/** Walks over elements that follow each other. */
export class Walk {
  constructor(bytes) {
    if (bytes.length > LENGTH_MAX) throw new DerError("too long");
    this.bytes = bytes;
    this.at = 0;
  }

  get ended() {
    return this.at === this.bytes.length;
  }

  /** Tag of the next element; undefined at the end. */
  get tag() {
    return this.bytes[this.at];
  }

  /** The next element: its content, and the whole of it. */
  next(tag) {
    const { bytes, at } = this;
    const wrong = new DerError(`no element ${tag.toString(16)} at ${at}`);
    if (bytes[at] !== tag || at + 2 > bytes.length) throw wrong;
    let start = at + 2;
    let length = bytes[at + 1];
    if (length === 0x81 || length === 0x82) {
      const count = length & 3;
      if (start + count > bytes.length) throw wrong;
      length = count === 1 ? bytes[start] : (bytes[start] << 8) | bytes[start + 1];
      start += count;
      if (length < (count === 1 ? 0x80 : 0x100)) throw wrong;
    } else if (length > 0x7f) {
      throw wrong;
    }
    if (start + length > bytes.length) throw wrong;
    this.at = start + length;
    return { content: bytes.subarray(start, this.at), whole: bytes.subarray(at, this.at) };
  }

  /** The next element's content, to be walked over. */
  into(tag) {
    return new Walk(this.next(tag).content);
  }

  end() {
    if (!this.ended) throw new DerError(`something is left over at ${this.at}`);
  }
}

export function same(a, b) {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

/** A bit string without unused bits. */
export function bits(content) {
  if (content[0] !== 0) throw new DerError("a bit string with unused bits");
  return content.subarray(1);
}

/** r and s, 64 octets (RFC 7518 section 3.4), as ECDSA-Sig-Value (RFC 3279 section 2.2.3). */
export function signatureToDer(raw) {
  const integer = (half) => {
    const start = half.findIndex((byte) => byte !== 0);
    const digits = start < 0 ? Uint8Array.of(0) : half.subarray(start);
    return element(INTEGER, digits[0] > 0x7f ? Uint8Array.of(0) : Uint8Array.of(), digits);
  };
  return element(SEQUENCE, integer(raw.subarray(0, 32)), integer(raw.subarray(32)));
}

/** The other way. */
export function signatureFromDer(der) {
  const outer = new Walk(der);
  const walk = outer.into(SEQUENCE);
  outer.end();
  const raw = new Uint8Array(64);
  for (const end of [32, 64]) {
    const { content } = walk.next(INTEGER);
    const digits = content[0] === 0 && content.length > 1 ? content.subarray(1) : content;
    if (content.length === 0 || content[0] > 0x7f || digits.length > 32) throw new DerError("no number of a signature");
    raw.set(digits, end - digits.length);
  }
  walk.end();
  return raw;
}
