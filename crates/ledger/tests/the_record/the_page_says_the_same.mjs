// Asks the page's own verifier, taken out of the committed page, what the ledger was asked: PAGE FOLDER.
import { readFileSync } from "node:fs";
import { join } from "node:path";

const [page, folder] = process.argv.slice(2);
const source = readFileSync(page, "utf8").match(/\/\* verifier begins \*\/([^]*)\/\* verifier ends \*\//)?.[1];
if (source === undefined) throw new Error("the page has no verifier between its marks");
const { TrustPolicy, verify } = new Function(`${source}; return makeVerifier();`)();

// Where the device's reader of JSON stopped inside a line is its own affair.
const words = ([what, verdict, detail]) => [what, verdict, detail.replace(/: stopped at column \d+$/, "")];
const asked = JSON.parse(readFileSync(join(folder, "asked.json"), "utf8"));
const bundles = new Map();
let [same, shown] = [0, 0];
for (const { name, file, bit, policy, heads, exit, claims } of asked) {
  if (!bundles.has(file)) bundles.set(file, new Uint8Array(readFileSync(join(folder, file))));
  const bundle = bit === null ? bundles.get(file) : Uint8Array.from(bundles.get(file));
  if (bit !== null) bundle[bit >> 3] ^= 1 << (bit & 7);
  const trust = TrustPolicy.parse(policy);
  trust.heads.push(...heads.map((head) => new Uint8Array(Buffer.from(head, "base64"))));
  const found = verify(bundle, trust);
  const ours = JSON.stringify([found.exit, found.claims.map(({ what, verdict, detail }) => words([what, verdict, detail]))]);
  const theirs = JSON.stringify([exit, claims.map(words)]);
  if (ours === theirs) {
    same += 1;
  } else if (shown < 10) {
    shown += 1;
    console.log(`${name} (${file}, bit ${bit})\n  ledger ${theirs}\n  page   ${ours}`);
  }
}
console.log(`${same} answers are the same, ${asked.length - same} are not`);
process.exit(same === asked.length ? 0 : 1);
