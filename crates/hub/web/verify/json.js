// Strict JSON: one text, one meaning. No white space between tokens, no key twice in whatever spelling, 16 levels.
// Objects become Maps and numbers stay as they are written, so that 64 bits are 64 bits.

import { fromUtf8, utf8ValidTo } from "./bytes.js";
import { Wrong } from "./stop.js";

const DEPTH_MAX = 16;
const ESCAPES = { '"': '"', "\\": "\\", "/": "/", b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" };

/** A number as it is written. */
export class Figure {
  constructor(text) {
    this.text = text;
  }
}

/** One value, or a Wrong that names the place. */
export function readJson(bytes) {
  const text = fromUtf8(bytes);
  if (text === null) throw new Wrong(`not UTF-8 at byte ${utf8ValidTo(bytes)}`);
  const reader = new Reader(bytes);
  const value = reader.value(0);
  if (reader.at !== bytes.length) reader.fail("text after the value");
  return value;
}

const code = (character) => character.charCodeAt(0);
const isDigit = (byte) => byte >= 0x30 && byte <= 0x39;

class Reader {
  constructor(bytes) {
    this.bytes = bytes;
    this.at = 0;
  }

  fail(what, at = this.at) {
    throw new Wrong(`${what} at byte ${at}`);
  }

  peek() {
    return this.bytes[this.at];
  }

  take(byte, what) {
    if (this.peek() !== byte) this.fail(what);
    this.at += 1;
  }

  value(depth) {
    if (depth > DEPTH_MAX) this.fail("nested too deep");
    const byte = this.peek();
    if (byte === code("{")) return this.object(depth);
    if (byte === code("[")) return this.array(depth);
    if (byte === code('"')) return this.string();
    if (byte === code("-") || isDigit(byte)) return this.number();
    for (const [word, value] of [["true", true], ["false", false], ["null", null]]) {
      if (byte === code(word)) return this.word(word, value);
    }
    return this.fail("no value");
  }

  word(word, value) {
    for (let index = 0; index < word.length; index += 1) {
      if (this.bytes[this.at + index] !== word.charCodeAt(index)) this.fail("no value");
    }
    this.at += word.length;
    return value;
  }

  object(depth) {
    const found = new Map();
    this.at += 1;
    if (this.peek() === code("}")) {
      this.at += 1;
      return found;
    }
    for (;;) {
      const at = this.at;
      const key = this.string();
      if (found.has(key)) this.fail("duplicate key", at);
      this.take(code(":"), "no colon after a key");
      found.set(key, this.value(depth + 1));
      if (this.peek() === code("}")) break;
      if (this.peek() !== code(",")) this.fail("neither comma nor end of object");
      this.at += 1;
    }
    this.at += 1;
    return found;
  }

  array(depth) {
    const found = [];
    this.at += 1;
    if (this.peek() === code("]")) {
      this.at += 1;
      return found;
    }
    for (;;) {
      found.push(this.value(depth + 1));
      if (this.peek() === code("]")) break;
      if (this.peek() !== code(",")) this.fail("neither comma nor end of array");
      this.at += 1;
    }
    this.at += 1;
    return found;
  }

  string() {
    this.take(code('"'), "no string");
    let text = "";
    let from = this.at;
    for (;;) {
      const byte = this.peek();
      if (byte === undefined) this.fail("string without end");
      if (byte < 0x20) this.fail("control character in a string");
      if (byte === code('"') || byte === code("\\")) {
        text += fromUtf8(this.bytes.subarray(from, this.at));
        this.at += 1;
        if (byte === code('"')) return text;
        text += this.escape();
        from = this.at;
      } else {
        this.at += 1;
      }
    }
  }

  escape() {
    if (this.peek() === undefined) this.fail("string without end");
    const letter = String.fromCharCode(this.peek());
    this.at += 1;
    if (letter !== "u") return ESCAPES[letter] ?? this.fail("unknown escape");
    const first = this.hex4();
    const half = "half of a surrogate pair";
    if (first >= 0xdc00 && first < 0xe000) this.fail(half);
    if (first < 0xd800 || first >= 0xe000) return String.fromCharCode(first);
    this.take(code("\\"), half);
    this.take(code("u"), half);
    const second = this.hex4();
    if (second < 0xdc00 || second >= 0xe000) this.fail(half);
    return String.fromCharCode(first, second);
  }

  hex4() {
    let value = 0;
    for (let count = 0; count < 4; count += 1) {
      const digit = Number.parseInt(String.fromCharCode(this.peek() ?? 0), 16);
      if (Number.isNaN(digit)) this.fail("bad \\u escape");
      value = value * 16 + digit;
      this.at += 1;
    }
    return value;
  }

  digits() {
    if (!isDigit(this.peek())) this.fail("no digit");
    while (isDigit(this.peek())) this.at += 1;
  }

  number() {
    const from = this.at;
    if (this.peek() === code("-")) this.at += 1;
    if (this.peek() === code("0")) {
      this.at += 1;
      if (isDigit(this.peek())) this.fail("leading zero");
    } else {
      this.digits();
    }
    if (this.peek() === code(".")) {
      this.at += 1;
      this.digits();
    }
    if (this.peek() === code("e") || this.peek() === code("E")) {
      this.at += 1;
      if (this.peek() === code("+") || this.peek() === code("-")) this.at += 1;
      this.digits();
    }
    return new Figure(fromUtf8(this.bytes.subarray(from, this.at)));
  }
}
