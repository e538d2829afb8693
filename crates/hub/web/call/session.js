// The telephone of whoever is signed in here: begun with the session, ended with it.

import { get } from "../api.js";
import { bind, enrolled, forget, renewed } from "../device/enrolment.js";
import { Telephone } from "./telephone.js";

/** What pages ask: `own` (what this browser joined as), `telephone`, and `problem` where there is none. */
export const here = { own: null, telephone: null, problem: null };
/** Out of an invitation's link, kept until the person says so; the address forgets it at once. */
export const invited = { code: "", ca: null };
const watchers = new Set();
let turn = 0;
let directory = new Map();

/** `changed()` is called whenever something about the calls of this browser changed. Gives a way to stop that. */
export function watch(changed) {
  watchers.add(changed);
  return () => watchers.delete(changed);
}

function changed() {
  for (const told of watchers) told();
}

/** Begins, if this browser is a device of the home. */
export async function beginCalls(who) {
  endCalls();
  const mine = (turn += 1);
  Object.assign(here, { own: null, telephone: null, problem: null });
  if (who.person.role === "guest") return;
  try {
    const own = await enrolled();
    if (own === null || mine !== turn) return changed();
    if (who.session.device !== own.device) await bind(own);
    here.own = await renewed(own);
    const [{ domain }] = await Promise.all([get("telephone"), learnNames()]);
    if (mine !== turn) return undefined;
    here.telephone = new Telephone(here.own, domain, () => directory);
    for (const event of ["change", "over", "levels"]) here.telephone.addEventListener(event, event === "change" ? changed : (told) => dispatchEvent(new CustomEvent(`call-${event}`, { detail: told.detail })));
  } catch (problem) {
    if (mine !== turn) return undefined;
    here.problem = problem.status === 404 ? "This hub carries no calls." : problem.message;
  }
  return changed();
}

/** Names of devices, by which callers are shown. */
export async function learnNames() {
  const devices = await get("devices");
  directory = new Map(devices.filter(({ revoked_at_ms: gone }) => gone === null).map((device) => [device.id, device]));
}

export function endCalls() {
  turn += 1;
  here.telephone?.end();
  here.telephone = null;
}

/** This browser is no device any more. */
export async function leaveHome(who) {
  endCalls();
  await forget();
  await beginCalls(who);
}
