// Whom the person who checks trusts: devices and witnesses, as a C2SP tlog-policy with one more kind of line,
// `device KEY-ID`. Never taken from a bundle.

import { fromHex, readU64, sameBytes } from "./bytes.js";
import { NoteKey, keyId } from "./note.js";
import { Wrong } from "./stop.js";

const POLICY_LINES_MAX = 1000;
const MEMBERS_MAX = 2n ** 64n - 1n;

/** Trust anchors. Without any, everything is checked and nothing is anchored. */
export class TrustPolicy {
  devices = [];
  witnesses = [];
  /** Cosigned heads that the person has from elsewhere. */
  heads = [];
  #quorum = (cosigned) => cosigned.size > 0; // any one known witness

  /** Reads the text form. */
  static parse(text) {
    const policy = new TrustPolicy();
    const reader = { policy, names: new Map(), members: new Set(), quorum: null };
    const lines = text.split("\n");
    lines.forEach((line, index) => {
      try {
        if (index >= POLICY_LINES_MAX) throw new Wrong(`more than ${POLICY_LINES_MAX} lines`);
        readLine(reader, line);
      } catch (error) {
        throw error instanceof Wrong ? new Wrong(`policy line ${index + 1}: ${error.message}`) : error;
      }
    });
    if (reader.quorum === null && policy.witnesses.length > 0) {
      throw new Wrong(`policy line ${lines.length}: witnesses but no quorum line`);
    }
    if (reader.quorum !== null) policy.#quorum = reader.quorum;
    return policy;
  }

  /** A device by the key id on its enrolment card. */
  addDevice(text) {
    const id = fromHex(text, 32);
    if (id === null) throw new Wrong("expected 64 lower-case hexadecimal digits");
    this.devices.push((_, key) => keyId(key) === text);
  }

  /** Whether cosignatures by these witnesses are enough. */
  isWitnessed(cosigned) {
    return this.#quorum(cosigned);
  }

  knows(origin, key) {
    return this.devices.some((is) => is(origin, key));
  }
}

function readLine(reader, line) {
  if (/[\u0000-\u0008\u000a-\u001f\u007f]/.test(line)) throw new Wrong("control character");
  const items = line.split(/[ \t]/).filter((item) => item !== "");
  const [keyword, name, ...rest] = items;
  const { policy, names } = reader;
  if (keyword === undefined || keyword.startsWith("#")) return;
  if (keyword === "device" && items.length === 2) {
    policy.addDevice(name);
  } else if (keyword === "log" && (items.length === 2 || items.length === 3)) {
    const known = typedKey(name, false);
    policy.devices.push((origin, key) => known.name === origin && sameBytes(known.key.bytes, key.bytes));
  } else if (keyword === "witness" && (items.length === 3 || items.length === 4)) {
    const key = typedKey(rest[0], true);
    if (policy.witnesses.some((known) => sameBytes(known.key.key.bytes, key.key.bytes))) {
      throw new Wrong("the same witness key twice");
    }
    addName(names, name, (cosigned) => cosigned.has(name));
    policy.witnesses.push({ name, key });
  } else if (keyword === "group" && items.length >= 4) {
    addGroup(reader, name, rest[0], rest.slice(1));
  } else if (keyword === "quorum" && items.length === 2) {
    if (reader.quorum !== null) throw new Wrong("a second quorum line");
    reader.quorum = name === "none" ? () => false : namedAbove(names, name);
  } else {
    throw new Wrong(
      `${JSON.stringify(keyword)} with ${items.length - 1} values is not known; lines are device, log, witness, group, quorum`,
    );
  }
}

function typedKey(text, isWitness) {
  const key = NoteKey.parse(text);
  if (key.isWitness !== isWitness) throw new Wrong("the key is of the wrong type for this line");
  return key;
}

function addName(names, name, rule) {
  if (name === "none" || names.has(name)) throw new Wrong(`the name ${name} is taken`);
  names.set(name, rule);
}

function namedAbove(names, name) {
  const rule = names.get(name);
  if (rule === undefined) throw new Wrong(`nothing is named ${name} above this line`);
  return rule;
}

function addGroup({ names, members }, name, wanted, listed) {
  const count = BigInt(listed.length);
  const needed = wanted === "any" ? 1n : wanted === "all" ? count : readU64(wanted, MEMBERS_MAX);
  if (needed === null) throw new Wrong("expected any, all or a number");
  if (needed < 1n || needed > count) throw new Wrong(`${needed} of ${count} members cannot be`);
  const rules = listed.map((member) => {
    const rule = namedAbove(names, member);
    // So that each witness counts in one way only.
    if (members.has(member)) throw new Wrong(`${member} is already a member of a group`);
    members.add(member);
    return rule;
  });
  addName(names, name, (cosigned) => BigInt(rules.filter((rule) => rule(cosigned)).length) >= needed);
}
