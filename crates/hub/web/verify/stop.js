// Why a check ends. The first thing that is wrong ends it: what follows would rest on it.

export const FILES = "files";
export const ORDER = "(a) order";
export const KEYS = "keys";
export const AUDIO = "audio";
export const SUMMARY = "summary";
export const WITNESS = "witness";
export const TIME = "(b) time";
export const DEVICE = "(c) device";
export const SOUND = "(d) sound";

export class Stop extends Error {
  constructor(what, tampered, why) {
    super(why);
    this.what = what;
    this.tampered = tampered;
  }
}

/** Checked and false. */
export function fails(what, why) {
  throw new Stop(what, true, why);
}

/** The check cannot be made. */
export function unreadable(what, why) {
  throw new Stop(what, false, why);
}

/** What is wrong with a note, a key, an entry or a policy, before it is known what claim that concerns. */
export class Wrong extends Error {
  constructor(why, tampered = false) {
    super(why);
    this.tampered = tampered;
  }
}

/** Runs `read`; what is wrong in there concerns this claim. */
export function concerning(what, name, read) {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof Wrong)) throw error;
    throw new Stop(what, error.tampered, name === null ? error.message : `${name}: ${error.message}`);
  }
}
