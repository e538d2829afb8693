// The hub's API: requests with the token against forged ones, problems as errors, and what is kept until an event says
// that it has changed.

/** What the hub says went wrong (RFC 9457), or that it could not be reached (status 0). */
export class Problem extends Error {
  constructor(status, detail, field) {
    super(detail);
    this.status = status;
    this.field = field;
  }
}

let csrf = null;
const kept = new Map();

async function ask(method, path, body) {
  const headers = {};
  if (body !== undefined) headers["content-type"] = "application/json";
  if (csrf !== null && method !== "GET") headers["x-csrf-token"] = csrf;
  let answer;
  try {
    answer = await fetch(`/api/v1/${path}`, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
  } catch {
    throw new Problem(0, "the hub cannot be reached; nothing was lost, try again");
  }
  const json = answer.status === 204 ? null : await answer.json().catch(() => null);
  if (answer.ok) return json;
  if (answer.status === 401 && path !== "me") dispatchEvent(new CustomEvent("signed-out"));
  throw new Problem(answer.status, json?.detail ?? `the hub answered ${answer.status}`, json?.field);
}

/** What is there, asked once until it changes. */
export function get(path) {
  if (!kept.has(path)) {
    const asked = ask("GET", path);
    asked.catch(() => kept.delete(path));
    kept.set(path, asked);
  }
  return kept.get(path);
}

/** A change; what was kept is asked for anew. */
export async function change(method, path, body) {
  try {
    return await ask(method, path, body);
  } finally {
    kept.clear();
  }
}

/** Who is signed in, or null. */
export async function me() {
  kept.clear();
  try {
    const found = await ask("GET", "me");
    csrf = found.csrf_token ?? null;
    return found;
  } catch (problem) {
    if (problem.status === 401) return null;
    throw problem;
  }
}

/** What each change carries against forged requests; null: nobody is signed in. */
export function sessionToken() {
  return csrf;
}

export async function signIn(login, password) {
  await ask("POST", "sessions", { login, password, kind: "browser" });
}

export async function signOut(session) {
  await ask("DELETE", `sessions/${session}`);
  csrf = null;
  kept.clear();
}

const KINDS = [
  "reset", "people", "devices", "device_revoked", "rooms", "contacts", "lines", "calls", "message_queued", "message_state",
  "incidents", "session_ended", "invitations", "agendas", "light_orders",
];

/** Tells `changed` of every event, and `connected` whether they come. The browser connects again by itself. */
export function follow(changed, connected) {
  const events = new EventSource("/api/v1/events");
  let lost = false;
  events.addEventListener("open", () => {
    // What changed while the connection was away is told by the last id; what is on the page is asked anew anyway.
    if (lost) kept.clear();
    connected(true, lost);
    lost = false;
  });
  events.addEventListener("error", () => {
    lost = true;
    connected(false, events.readyState === EventSource.CLOSED);
  });
  for (const kind of KINDS) {
    events.addEventListener(kind, () => {
      kept.clear();
      changed(kind);
    });
  }
  return () => events.close();
}
