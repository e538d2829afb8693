// The page around the verifier: choose, wait, read. What it shows was written by strangers and goes in as text.

import { drawing, element, harmless } from "../dom.js";
import { lightRing } from "../ring.js";
import { claimRow, reasons, soundRow, timelineOf } from "./shown.js";

const OUTCOMES = [
  ["good", "idle", "Nothing in it was changed, your witnesses saw it, and you know the device."],
  ["warn", "drill", "Nothing in it was changed. Read below what is not proven, and why."],
  ["bad", "error", "Do not rely on it: something was changed, or contradicts what you know."],
  ["bad", "error", "This is no bundle that this page can read, or it was packed again by another program."],
];
const bundleInput = element("input", { type: "file", accept: ".zip", id: "bundle" });
const policyInput = element("input", { type: "file", id: "policy" });
const headsInput = element("input", { type: "file", id: "heads", multiple: true });
const deviceInput = element("input", { type: "text", id: "device", class: "mono", autocomplete: "off", spellcheck: "false" });
const drop = element(
  "div",
  { class: "drop" },
  element("label", { for: "bundle" }, "Drop an incident's bundle here, or choose it"),
  bundleInput,
  element("p", { class: "small soft" }, "A file named incident-….zip, up to 256 MB. It stays on this computer: this page cannot send anything."),
);
const again = element("button", { type: "button", class: "plain", click: start }, "Check again");
const status = element("p", { role: "status", class: "soft" });
const bar = element("progress", { max: 1, value: 0, "aria-label": "Checked so far" });
const waiting = element("section", { class: "card", hidden: true, "aria-label": "Progress" }, status, bar);
const results = element("div", { id: "results" });

document.getElementById("page").append(
  element(
    "header",
    { class: "row" },
    lightRing("listening", { label: null, size: 56 }),
    element(
      "div",
      {},
      element("h1", {}, "Check an incident"),
      element("p", { class: "soft" }, "Whether a recorded incident is what the device wrote, checked in this page, without network."),
    ),
  ),
  drop,
  element(
    "details",
    { class: "card" },
    element("summary", {}, "Whom do you trust? (optional)"),
    element("p", { class: "small" }, "Nothing in a bundle can vouch for itself. Without these, the best answer is “intact, but unwitnessed”."),
    element("label", { for: "device" }, "Key id on the device’s enrolment card", element("span", { class: "small soft" }, "64 digits; spaces do not matter"), deviceInput),
    element("label", { for: "policy" }, "Your trust policy", element("span", { class: "small soft" }, "the text file that hearth verify --policy takes"), policyInput),
    element("label", { for: "heads" }, "Heads that a witness gave you", element("span", { class: "small soft" }, "as hearth verify --head takes them; a bundle that contradicts one is a fork"), headsInput),
    again,
  ),
  waiting,
  results,
);

bundleInput.addEventListener("change", start);
for (const [kind, over] of [["dragover", true], ["dragleave", false], ["drop", false]]) {
  addEventListener(kind, (event) => {
    event.preventDefault();
    drop.classList.toggle("over", over);
    if (kind === "drop" && event.dataTransfer.files.length > 0) {
      bundleInput.files = event.dataTransfer.files;
      start();
    }
  });
}

let running = null;

/** One that runs beside the page, or in it where the browser allows no other. */
function newWorker(listen) {
  const source = `${makeVerifier}\nconst { answer } = makeVerifier();\nonmessage = ({ data }) => answer(data, postMessage);`;
  const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  const worker = new Worker(url);
  worker.addEventListener("message", ({ data }) => listen(data));
  worker.addEventListener("error", ({ message }) => listen({ kind: "broken", why: message || "the checker could not be started" }));
  return { end: () => (worker.terminate(), URL.revokeObjectURL(url)), ask: (request) => worker.postMessage(request) };
}

async function start() {
  const [file] = bundleInput.files;
  if (file === undefined) return;
  running?.end();
  results.replaceChildren();
  waiting.hidden = false;
  bar.value = 0;
  status.textContent = `Reading ${harmless(file.name)} …`;
  const read = async (chosen) => new Uint8Array(await chosen.arrayBuffer());
  const policyFile = policyInput.files[0];
  let policy = "";
  try {
    if (policyFile) policy = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(await read(policyFile));
  } catch {
    refuse("a policy is text in UTF-8");
    return;
  }
  const heads = await Promise.all([...headsInput.files].map(read));
  const device = deviceInput.value.replace(/\s/g, "").toLowerCase();
  running = newWorker((said) => hear(said, file));
  running.ask({ file, policy, device, heads });
}

function refuse(why) {
  waiting.hidden = true;
  results.replaceChildren(element("p", { class: "banner bad", role: "alert" }, `What you trust cannot be read: ${harmless(why)}`));
}

function hear(said, file) {
  if (said.kind === "progress") {
    bar.value = said.part;
    if (said.part > 0.2) status.textContent = `Checking every byte of ${harmless(file.name)} …`;
    return;
  }
  running.end();
  running = null;
  if (said.kind === "refused") {
    refuse(said.why);
    return;
  }
  waiting.hidden = true;
  if (said.kind === "broken") {
    results.replaceChildren(element("p", { class: "banner bad", role: "alert" }, `This browser did not run the check: ${said.why}`));
    return;
  }
  show(said, file);
}

function section(title, ...children) {
  return element("section", { class: "card", "aria-label": title }, element("h2", {}, title), ...children);
}

function show({ claims, exit, result, facts, sounds, timeline, explained }, file) {
  const [tone, ring, meaning] = OUTCOMES[exit];
  const heading = element("h2", { tabindex: "-1", id: "result", "data-exit": exit }, result);
  const parts = [
    element(
      "div",
      { class: `banner ${tone} row`, role: "status" },
      lightRing(ring, { label: null, size: 44 }),
      element("div", {}, heading, element("p", {}, meaning), element("p", { class: "small" }, `Exit status ${exit}, as hearth verify gives it.`)),
    ),
    section("What was checked", element("ol", { class: "claims" }, claims.map(claimRow))),
  ];
  if (facts) parts.push(fingerprint(facts));
  if (exit < 2) {
    if (sounds.length > 0) parts.push(section("What was heard", sounds.map((sound) => soundRow(sound, file))));
    if (explained.length > 0) parts.push(section("Why it did that", reasons(explained)));
    parts.push(section("What happened", ...timelineOf(timeline)));
  }
  results.replaceChildren(...parts);
  heading.focus();
}

/** An address like verify.html#digest comes from the household's list of incidents. */
function isTheNamedBundle(sha256) {
  const named = location.hash.slice(1);
  if (!/^[0-9a-f]{64}$/.test(named)) return null;
  const same = named === sha256;
  const words = same ? "This is the bundle that the hub was told of" : "This is not the bundle that the hub was told of";
  return element("p", {}, element("span", { class: `badge ${same ? "good" : "bad"}` }, words));
}

function fingerprint({ device, origin, incident, sha256 }) {
  const groups = device.match(/.{4}/g);
  const told = element("p", { role: "status" });
  const compare = element("input", {
    type: "text",
    id: "compare",
    class: "mono",
    autocomplete: "off",
    spellcheck: "false",
    input: () => {
      const typed = compare.value.replace(/[^0-9a-f]/gi, "").toLowerCase();
      const wrong = [...typed].findIndex((digit, at) => digit !== device[at]);
      told.className = typed === "" ? "" : wrong >= 0 ? "badge bad" : typed.length === device.length ? "badge good" : "badge";
      if (typed === "") told.textContent = "";
      else if (wrong >= 0) told.textContent = `Different in group ${Math.floor(wrong / 4) + 1}: this is another device`;
      else if (typed.length === device.length) told.textContent = "The same device";
      else told.textContent = `The same so far, ${Math.floor(typed.length / 4)} of ${groups.length} groups`;
    },
  });
  return section(
    "Which device",
    element("p", {}, "Log ", element("code", {}, harmless(origin)), ", incident ", element("code", {}, harmless(incident))),
    element("p", {}, "SHA-256 of the bundle ", element("code", {}, sha256)),
    isTheNamedBundle(sha256),
    element(
      "div",
      { class: "fingerprint" },
      keyPicture(device),
      element(
        "div",
        {},
        element("p", { class: "groups mono", "aria-label": `Key id ${groups.join(" ")}` }, groups.map((group) => element("span", {}, group))),
        element("label", { for: "compare" }, "Compare with the card: type or paste its key id", compare),
        told,
      ),
    ),
  );
}

/** The key id as a walk over a board (the drunken bishop of OpenSSH): two ids hardly ever look alike. */
function keyPicture(device) {
  const [width, height, cell] = [17, 9, 10];
  const visits = Array.from({ length: width * height }, () => 0);
  let [x, y] = [8, 4];
  for (const byte of device.match(/../g).map((pair) => Number.parseInt(pair, 16))) {
    for (let shift = 0; shift < 8; shift += 2) {
      const step = (byte >> shift) & 3;
      x = Math.min(Math.max(x + (step & 1 ? 1 : -1), 0), width - 1);
      y = Math.min(Math.max(y + (step & 2 ? 1 : -1), 0), height - 1);
      visits[y * width + x] += 1;
    }
  }
  const most = Math.max(...visits);
  const cells = visits.flatMap((count, at) => {
    const end = at === y * width + x;
    if (count === 0 && !end) return [];
    const place = { x: (at % width) * cell, y: Math.floor(at / width) * cell, width: cell, height: cell };
    return [drawing("rect", { ...place, class: end ? "end" : "", opacity: end ? 1 : 0.15 + (0.85 * count) / most })];
  });
  const size = { width: width * cell * 1.3, height: height * cell * 1.3, viewBox: `0 0 ${width * cell} ${height * cell}` };
  return drawing("svg", { class: "picture", ...size, role: "img", "aria-label": "Picture of the key id, to compare with another screen" }, cells);
}
