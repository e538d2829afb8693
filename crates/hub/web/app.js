// The household's app: who is signed in, which page is shown, and what the hub's events change on it.

import { Problem, follow, get, me, signIn, signOut } from "./api.js";
import { drawing, element } from "./dom.js";
import { PAGES } from "./pages.js";
import { beginCalls, endCalls, invited } from "./call/session.js";
import { callSheet } from "./call/sheet.js";
import { field, form, nothing, sentence } from "./parts.js";
import { lightRing } from "./ring.js";

const app = document.getElementById("app");
const live = element("div", { class: "hidden", role: "status", id: "live" });
document.body.append(live);

let who = null;
let unfollow = () => {};
let main = null;
let shown = null;
let calls = null;
let drawn = 0;
let went = false;

async function start() {
  unfollow();
  calls?.end();
  endCalls();
  try {
    who = await me();
  } catch (problem) {
    app.replaceChildren(element("main", { id: "main" }, element("p", { class: "banner bad", role: "alert" }, sentence(problem.message))));
    setTimeout(start, 3000);
    return;
  }
  if (who === null || who.person === undefined) {
    showSignIn();
    return;
  }
  showFrame();
  unfollow = follow(changed, connected);
  await beginCalls(who);
  if (shown?.name === "phone") show();
}

function showSignIn() {
  const login = element("input", { name: "login", autocomplete: "username", autocapitalize: "none", spellcheck: "false", required: true });
  const password = element("input", { name: "password", type: "password", autocomplete: "current-password", required: true });
  const send = async () => {
    await signIn(login.value.trim(), password.value);
    password.value = "";
    await start();
  };
  app.replaceChildren(
    element(
      "main",
      { class: "sign-in", id: "main" },
      element(
        "div",
        { class: "card" },
        element("div", { class: "brand" }, lightRing("idle", { label: null, size: 40 }), "Hearthline"),
        element("h1", {}, "Sign in to your home"),
        form("Sign in", send, field("Login", login), field("Password", password)),
        element("p", { class: "small soft" }, "No account? Whoever runs this home adds you."),
        element("p", { class: "small" }, element("a", { href: "/verify.html" }, "Check an incident’s bundle"), " without signing in"),
      ),
    ),
  );
  document.title = "Sign in – Hearthline";
  login.focus();
}

function mayOpen(page) {
  return page.roles.includes(who.person.role);
}

function showFrame() {
  main = element("main", { id: "main", tabindex: "-1" });
  const lost = element("p", { class: "banner warn lost", role: "alert", hidden: true, id: "lost" }, "Connection lost. Trying again by itself; nothing is sent twice.");
  calls = callSheet((text) => (live.textContent = text));
  const out = element("button", { type: "button", class: "plain", click: leave }, "Sign out");
  app.replaceChildren(
    lost,
    element(
      "div",
      { class: "frame" },
      element(
        "div",
        { class: "side", role: "banner" },
        element("div", { class: "brand" }, lightRing("idle", { label: null, size: 36 }), "Hearthline"),
        element("nav", { "aria-label": "Places" }, element("ul", {}, PAGES.filter(mayOpen).map(place))),
        element("div", { class: "row spread small soft" }, element("span", {}, who.person.name), out),
      ),
      main,
    ),
    calls.sheet,
  );
  shown = null;
  show();
  count();
}

function place({ name, title, icon }) {
  const picture = drawing("svg", { viewBox: "0 0 24 24", width: 22, height: 22, "aria-hidden": "true" }, drawing("path", { d: icon }));
  return element("li", {}, element("a", { href: `#/${name}`, "data-page": name }, picture, title));
}

async function leave() {
  unfollow();
  await signOut(who.session.id).catch(() => {});
  location.hash = "";
  await start();
}

/** Shows the page of the address. The focus goes to it only when the person went there. What an event brings waits for
 * somebody who has begun something meanwhile. */
async function show({ unasked = false } = {}) {
  if (main === null || who === null) return;
  const allowed = PAGES.filter(mayOpen);
  const page = allowed.find(({ name }) => location.hash === `#/${name}`) ?? allowed[0];
  went ||= shown !== null && shown !== page;
  shown = page;
  const turn = (drawn += 1);
  for (const link of document.querySelectorAll("nav a")) {
    if (link.dataset.page === page.name) {
      link.setAttribute("aria-current", "page");
      link.scrollIntoView({ block: "nearest", inline: "nearest" });
    } else {
      link.removeAttribute("aria-current");
    }
  }
  document.title = `${page.title} – Hearthline`;
  let content;
  try {
    const draw = await loaded(page);
    // The person went on meanwhile, or signed out.
    if (turn !== drawn || who === null) return;
    content = await draw({ who, redraw: show, say: (text) => (live.textContent = text) });
  } catch (problem) {
    if (problem.status === undefined) throw problem;
    content = [element("p", { class: "banner bad", role: "alert" }, sentence(problem.message))];
  }
  if (turn !== drawn) return; // the person went on meanwhile, or it is drawn anew already
  if (unasked && isBusy()) {
    waiting = true;
    return;
  }
  main.replaceChildren(element("h1", {}, page.title), ...(content.length > 0 ? content : [nothing("Nothing here.")]));
  if (went) main.focus();
  went = false;
}

/** What draws a page. One that was never opened in this browser cannot come while the hub is away, and comes afterwards. */
let unloaded = false;
async function loaded({ name }) {
  try {
    const module = await import(`./pages/${name}.js`);
    unloaded = false;
    return module[name];
  } catch {
    unloaded = true;
    throw new Problem(0, "this page comes once the hub can be reached");
  }
}

/** Someone who types, speaks or listens is not interrupted: the page is drawn anew once they have left its fields. */
let waiting = false;
function isBusy() {
  const active = document.activeElement;
  return main.querySelector("[data-busy]") !== null || (main.contains(active) && active.matches("input, select, textarea"));
}
function changed(kind) {
  if (kind === "session_ended" || kind === "people") {
    me().then((found) => (found === null ? start() : (who = found)), () => {});
  }
  if (kind === "message_queued") live.textContent = "A new message";
  count();
  if (kind !== "reset" && shown !== null && !shown.events.includes(kind)) return;
  if (main === null) return;
  if (isBusy()) waiting = true;
  else show({ unasked: true });
}
addEventListener("focusout", () => {
  if (!waiting) return;
  setTimeout(() => {
    if (main === null || isBusy()) return;
    waiting = false;
    show({ unasked: true });
  }, 200);
});

/** How many messages wait, at the place where they are read. */
async function count() {
  const link = document.querySelector('nav a[data-page="messages"]');
  const mailbox = await get("messages?mailbox=person").catch(() => null);
  if (link === null || mailbox === null) return;
  link.querySelector(".count")?.remove();
  const unread = mailbox.messages.filter(({ state }) => state !== "read").length;
  if (unread > 0) link.append(element("span", { class: "count" }, String(unread), element("span", { class: "hidden" }, " unread")));
}

function connected(yes, changedMeanwhile) {
  const lost = document.getElementById("lost");
  if (lost !== null) lost.hidden = yes;
  if (yes && (changedMeanwhile || unloaded)) changed("reset");
  // A stream that the hub refused is not opened again by the browser.
  if (!yes && changedMeanwhile) setTimeout(start, 3000);
}

/** The link of an invitation (`/join#code=…`): what it says is for the person to use, and leaves the address at once. */
if (location.pathname === "/join") {
  const said = new URLSearchParams(location.hash.slice(1));
  Object.assign(invited, { code: said.get("code")?.slice(0, 12) ?? "", ca: /^[0-9a-f]{64}$/.exec(said.get("ca") ?? "")?.[0] ?? null });
  history.replaceState(null, "", "/#/phone");
}

addEventListener("hashchange", () => show());
addEventListener("signed-out", () => {
  if (who !== null) start();
});
if ("serviceWorker" in navigator) navigator.serviceWorker.register("/sw.js").catch(() => {});
start();
