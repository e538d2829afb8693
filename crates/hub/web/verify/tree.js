// The Merkle tree of RFC 6962 section 2.1: leaves are hashed behind 0x00, nodes behind 0x01.

import { sameBytes } from "./bytes.js";
import { sha256 } from "./sha2.js";

const LEAF = Uint8Array.of(0);
const NODE = Uint8Array.of(1);

export function leafHash(entry) {
  return sha256(LEAF, entry);
}

export function nodeHash(left, right) {
  return sha256(NODE, left, right);
}

function ones(size) {
  let count = 0;
  for (let left = size; left > 0n; left >>= 1n) count += Number(left & 1n);
  return count;
}

/** The roots of the perfect subtrees, largest first: enough to append and to give the root. */
export class Frontier {
  /** Null when the number of peaks does not fit the size. */
  static fromPeaks(size, peaks) {
    return ones(size) === peaks.length ? new Frontier(size, peaks) : null;
  }

  constructor(size, peaks) {
    this.size = size;
    this.peaks = peaks;
  }

  copy() {
    return new Frontier(this.size, [...this.peaks]);
  }

  push(leaf) {
    let hash = leaf;
    // Each trailing one bit of the size is a perfect subtree that the new leaf completes.
    for (let left = this.size; left & 1n; left >>= 1n) hash = nodeHash(this.peaks.pop(), hash);
    this.peaks.push(hash);
    this.size += 1n;
  }

  root() {
    if (this.peaks.length === 0) return sha256();
    return this.peaks.reduceRight((right, left) => nodeHash(left, right));
  }
}

/** Checks an audit path (RFC 9162 section 2.1.3.2). */
export function verifyInclusion(leaf, index, size, proof, root) {
  if (index >= size) return false;
  let [node, last, hash] = [index, size - 1n, leaf];
  for (const sibling of proof) {
    if (last === 0n) return false;
    if (node & 1n || node === last) {
      hash = nodeHash(sibling, hash);
      while (!(node & 1n) && node !== 0n) {
        node >>= 1n;
        last >>= 1n;
      }
    } else {
      hash = nodeHash(hash, sibling);
    }
    node >>= 1n;
    last >>= 1n;
  }
  return last === 0n && sameBytes(hash, root);
}
