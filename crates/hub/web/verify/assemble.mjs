// Makes ../verify.html, the one file that works from a USB stick, out of the modules beside this script.
//
//     node crates/hub/web/verify/assemble.mjs          writes the page
//     node crates/hub/web/verify/assemble.mjs --check  fails when the committed page is not what would be written
//
// Imports are dropped and modules joined in the order of their need. The policy in the page's head names the hashes of
// its one script and its one style, so nothing else can run in it.

import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const HERE = dirname(fileURLToPath(import.meta.url));
const PAGE = join(HERE, "../verify.html");
const IMPORT = /^import\s[^;]*?from\s+"([^"]+)";\n/gm;

/** The text of a module and of all that it needs, each once. */
function joined(entry, done = new Map()) {
  const path = resolve(entry);
  if (done.has(path)) return "";
  done.set(path, null);
  const text = readFileSync(path, "utf8");
  const needed = [...text.matchAll(IMPORT)].map(([, from]) => joined(join(dirname(path), from), done));
  const own = text.replace(IMPORT, "").replace(/^export (?=(async )?(function|class|const)\b)/gm, "");
  if (/^(import|export)\b/m.test(own)) throw new Error(`${path} imports or exports in a way that this script does not know`);
  const names = [...own.matchAll(/^(?:async )?(?:function|class|const|let) (\w+)/gm)].map(([, name]) => name);
  for (const [other, theirs] of done) {
    const twice = theirs?.find((name) => names.includes(name));
    if (twice !== undefined) throw new Error(`${twice} stands in ${path} and in ${other}`);
  }
  done.set(path, names);
  return `${needed.join("")}${own.trim()}\n\n`;
}

function hashSource(text) {
  return `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
}

function assembled() {
  const verifier = joined(join(HERE, "worker.js"));
  const exported = "return { answer, verify, TrustPolicy };";
  const script = `
/* verifier begins */
function makeVerifier() {
"use strict";
${verifier}${exported}
}
/* verifier ends */
${joined(join(HERE, "page.js"))}`;
  const style = `\n${readFileSync(join(HERE, "../base.css"), "utf8")}${readFileSync(join(HERE, "shown.css"), "utf8")}${readFileSync(join(HERE, "page.css"), "utf8")}`;
  if (/<\/script|<!--/i.test(script) || /<\/style/i.test(style)) throw new Error("the script or the style would end early");
  const policy = [
    "default-src 'none'",
    `script-src ${hashSource(script)}`,
    `style-src ${hashSource(style)}`,
    "worker-src blob:",
    "media-src blob:",
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
  const page = readFileSync(join(HERE, "page.html"), "utf8");
  return page.replace("{policy}", () => policy).replace("{style}", () => style).replace("{script}", () => script);
}

const text = assembled();
if (process.argv.includes("--check")) {
  if (readFileSync(PAGE, "utf8") !== text) {
    console.error("verify.html is not what its modules make; run: node crates/hub/web/verify/assemble.mjs");
    process.exit(1);
  }
  console.log(`verify.html is up to date, ${text.length} characters`);
} else {
  writeFileSync(PAGE, text);
  console.log(`wrote verify.html, ${text.length} characters`);
}
