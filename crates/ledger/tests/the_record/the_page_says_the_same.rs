//! The page that checks bundles without network (crates/hub/web/verify.html) against this crate: the same claims, the
//! same words and the same exit status on honest, attacked and damaged bundles.
//!
//! This side writes each bundle with this crate's answer; `the_page_says_the_same.mjs` asks the page's own code, taken
//! out of the page as it is committed, under Node.
#![allow(
    clippy::disallowed_methods,
    reason = "the test writes files and starts Node; the crate does neither"
)]

mod odd_bundles;

use std::path::{Path, PathBuf};
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value, json};

use crate::attacks_are_caught::{ATTACKS, STOLEN};
use crate::story::*;
use hearthline_ledger::*;
use odd_bundles::*;

/// Flips of one bit of a whole bundle.
const FLIPS: usize = 1200;
/// Flips inside a file, with container and manifest made to fit again.
const SEALED_FLIPS: usize = 400;

/// The folder with what both sides are asked.
struct Vectors {
    folder: PathBuf,
    asked: Vec<Value>,
    bundles: usize,
}

/// Whom the checker trusts, in the forms that both sides read.
#[derive(Clone)]
struct Trust {
    policy: String,
    heads: Vec<Vec<u8>>,
}

impl Trust {
    fn of(policy: impl Into<String>) -> Self {
        Self {
            policy: policy.into(),
            heads: Vec::new(),
        }
    }

    fn county() -> Self {
        Self::of(format!(
            "# county\ndevice {}\nwitness hub {} https://hub.example\nquorum hub\n",
            identity().key_id(),
            witness_key().to_vkey()
        ))
    }

    fn read(&self) -> TrustPolicy {
        let mut policy = TrustPolicy::parse(&self.policy).unwrap();
        policy.heads = self.heads.clone();
        policy
    }
}

impl Vectors {
    fn new() -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("the_page_says_the_same");
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        Self {
            folder,
            asked: Vec::new(),
            bundles: 0,
        }
    }

    fn bundle(&mut self, bytes: &[u8]) -> String {
        self.bundles += 1;
        let file = format!("{}.zip", self.bundles);
        std::fs::write(self.folder.join(&file), bytes).unwrap();
        file
    }

    fn ask(&mut self, name: &str, bytes: &[u8], trust: &Trust) {
        let file = self.bundle(bytes);
        self.ask_flipped(name, &file, bytes, None, trust);
    }

    fn ask_flipped(
        &mut self,
        name: &str,
        file: &str,
        bytes: &[u8],
        bit: Option<usize>,
        trust: &Trust,
    ) {
        let report = verify(bytes, &trust.read());
        let claims: Vec<Value> = report
            .claims
            .iter()
            .map(|claim| json!([claim.what, claim.verdict.to_string(), claim.detail]))
            .collect();
        let heads: Vec<String> = trust
            .heads
            .iter()
            .map(|head| STANDARD.encode(head))
            .collect();
        self.asked.push(json!({
            "name": name, "file": file, "bit": bit, "policy": trust.policy, "heads": heads,
            "exit": report.exit.code(), "claims": claims,
        }));
    }
}

#[test]
fn on_honest_attacked_and_damaged_bundles() {
    let mut vectors = Vectors::new();
    honest(&mut vectors);
    attacked(&mut vectors);
    flipped(&mut vectors);
    let asked = serde_json::to_vec(&vectors.asked).unwrap();
    std::fs::write(vectors.folder.join("asked.json"), asked).unwrap();

    let script = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/the_record/the_page_says_the_same.mjs"
    );
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../hub/web/verify.html");
    let answer = Command::new("node")
        .args([script, page])
        .arg(&vectors.folder)
        .output();
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) if std::env::var_os("CI").is_none() => {
            println!("skipped: node cannot be started ({error}); install nodejs");
            return;
        }
        Err(error) => panic!("node cannot be started ({error}); install nodejs"),
    };
    let said = String::from_utf8_lossy(&answer.stdout);
    assert!(
        answer.status.success(),
        "{said}{}",
        String::from_utf8_lossy(&answer.stderr)
    );
    assert!(
        said.contains(&format!("{} answers are the same", vectors.asked.len())),
        "{said}"
    );
}

fn honest(vectors: &mut Vectors) {
    let story = Story::new(2);
    let (bundle, county) = (story.bundle(), Trust::county());
    vectors.ask("witnessed", &bundle, &county);
    vectors.ask("nobody is trusted", &bundle, &Trust::of(""));
    vectors.ask("unwitnessed", &story.unwitnessed(), &county);
    let other = IdentityKey::from_secret(&[66; 32]).key_id();
    vectors.ask(
        "another device",
        &bundle,
        &Trust::of(format!("device {other}\n")),
    );
    let log = NoteKey::device(ORIGIN, identity().public()).unwrap();
    vectors.ask(
        "the log's key",
        &bundle,
        &Trust::of(format!("log {}", log.to_vkey())),
    );
    let elsewhere = NoteKey::witness("away.example", public_of(&[67; 32])).unwrap();
    for needed in ["any", "all", "2"] {
        let policy = format!(
            "{}witness away {}\ngroup both {needed} hub away\nquorum both\n",
            county.policy.replace("quorum hub\n", ""),
            elsewhere.to_vkey()
        );
        vectors.ask(
            &format!("{needed} of two witnesses"),
            &bundle,
            &Trust::of(policy),
        );
    }
    let none = county.policy.replace("quorum hub", "quorum none");
    vectors.ask("no witness is asked for", &bundle, &Trust::of(none));
    let mut with_head = county.clone();
    with_head.heads = vec![story.cosigned[0].clone(), b"no note".to_vec()];
    vectors.ask("a head that fits", &bundle, &with_head);
    let mut fork = Device::new();
    everyday(&mut fork, 8);
    with_head.heads = vec![cosigned(&fork.checkpoint(), witness_time(0))];
    vectors.ask("a fork", &bundle, &with_head);
    let part = story.export(&story.audio[1..], &story.cosigned).unwrap();
    vectors.ask("sound that was deleted", &part.bytes, &county);
    vectors.ask("every kind of entry", &every_kind(), &county);
}

fn attacked(vectors: &mut Vectors) {
    let (bundle, county) = (Story::new(2).bundle(), Trust::county());
    for (name, _, attack) in ATTACKS {
        let mut parts = Parts::of(&bundle);
        attack(&mut parts);
        vectors.ask(name, &parts.pack(), &county);
    }
    vectors.ask("nothing", b"", &county);
    for length in (0..bundle.len()).step_by(bundle.len() / 40) {
        vectors.ask("cut short", &bundle[..length], &county);
    }
    for (name, change) in CONTAINERS {
        let mut changed = bundle.clone();
        change(&mut changed);
        vectors.ask(name, &changed, &county);
    }
    for name in [
        "../../escape",
        "/etc/passwd",
        "audio/../x",
        "a\\b",
        "a\0b",
        "",
        "a/b/c",
        ".a",
    ] {
        let mut parts = Parts::of(&bundle);
        parts.0[0].0 = name.to_owned();
        vectors.ask("a name that leads elsewhere", &parts.pack(), &county);
    }
    let mut twice = Parts::of(&bundle);
    twice.0.insert(1, twice.0[0].clone());
    vectors.ask("a file twice", &twice.pack(), &county);
    for (index, (name, _)) in Parts::of(&bundle).0.iter().enumerate() {
        let mut parts = Parts::of(&bundle);
        parts.0.remove(index);
        vectors.ask(&format!("without {name}"), &parts.pack(), &county);
        if name != "manifest.note" {
            parts.reseal(&STOLEN);
            vectors.ask(&format!("sealed without {name}"), &parts.pack(), &county);
            parts.set(name, *b"");
            parts.reseal(&STOLEN);
            vectors.ask(&format!("{name} moved and empty"), &parts.pack(), &county);
        }
    }
    for (name, change) in SIGNATURES {
        for file in ["manifest.note", "log/close.note", "keys/enrolment.note"] {
            let mut parts = Parts::of(&bundle);
            parts.lines(file, |lines| {
                let at = lines
                    .iter()
                    .rposition(|line| line.starts_with(&format!("\u{2014} {ORIGIN} ")))
                    .unwrap();
                let (start, encoded) = lines[at].rsplit_once(' ').unwrap();
                let mut bytes = STANDARD.decode(encoded).unwrap();
                change(&mut bytes);
                lines[at] = format!("{start} {}", STANDARD.encode(bytes));
            });
            if file != "manifest.note" {
                parts.reseal(&STOLEN);
            }
            vectors.ask(&format!("{file}: {name}"), &parts.pack(), &county);
        }
    }
    for point in POINTS {
        // As an epoch key: whether it is one at all is the first question.
        let public = STANDARD.encode(fixed_point(point));
        let mut parts = Parts::of(&bundle);
        parts.edit("keys/epochs.jsonl", |text| {
            let at = text.find("\\\"public\\\":\\\"").unwrap() + 13;
            format!("{}{public}{}", &text[..at], &text[at + 44..])
        });
        parts.reseal(&STOLEN);
        vectors.ask(&format!("the key {point}"), &parts.pack(), &county);
    }
    // An entry in every other spelling that a reader of JSON could take for the same.
    for (from, to) in SPELLINGS {
        let mut parts = Parts::of(&bundle);
        parts.edit("entries.jsonl", |text| text.replacen(from, to, 1));
        parts.reseal(&STOLEN);
        vectors.ask(&format!("{from} as {to}"), &parts.pack(), &county);
    }
}

/// Single bits, anywhere and inside the files.
fn flipped(vectors: &mut Vectors) {
    let (bundle, county) = (Story::new(0).bundle(), Trust::county());
    let file = vectors.bundle(&bundle);
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let mut number = |below: usize| {
        (0..below)
            .new_tree(&mut runner)
            .map(|tree| tree.current())
            .unwrap()
    };
    // Every second flip outside the sound, which is most of the bytes and all alike.
    let sound = Parts::of(&bundle)
        .get("audio/01-microphone-80000.wav")
        .to_vec();
    let sound_at = bundle
        .windows(sound.len())
        .position(|window| window == sound)
        .unwrap();
    for count in 0..FLIPS {
        let mut at = number(bundle.len() - if count % 2 == 0 { 0 } else { sound.len() });
        if count % 2 == 1 && at >= sound_at {
            at += sound.len();
        }
        let bit = at * 8 + number(8);
        let mut changed = bundle.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert!(
            verify(&changed, &county.read()).exit.code() >= 2,
            "bit {bit}"
        );
        vectors.ask_flipped("a bit flipped", &file, &changed, Some(bit), &county);
    }
    let parts = Parts::of(&bundle);
    for _ in 0..SEALED_FLIPS {
        let mut changed = parts.clone();
        let index = number(parts.0.len() - 1);
        let bytes = &mut changed.0[index].1;
        if !bytes.is_empty() {
            let at = number(bytes.len());
            bytes[at] ^= 1 << number(8);
        }
        changed.reseal(&STOLEN);
        vectors.ask("a bit flipped, sealed anew", &changed.pack(), &county);
    }
}
