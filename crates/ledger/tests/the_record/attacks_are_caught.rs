//! The attack list of reference/ledger.md 3.5, as far as it applies to what exists now.
//!
//! Each attack comes as clumsily as possible and as well as possible: with the manifest sealed anew
//! by a stolen epoch key, with the checkpoint signed anew, with a whole log of the attacker's own.

use crate::story::*;
use hearthline_ledger::*;

pub(crate) const STOLEN: [u8; 32] = [102; 32]; // the current epoch key, 2
const CLOSING: [u8; 32] = [101; 32]; // the closing checkpoint's epoch key, 1
const FORGED: [u8; 32] = [66; 32]; // a key of the attacker's own

pub(crate) type Attack = (&'static str, &'static str, fn(&mut Parts));

fn own_line(lines: &[String], needle: &str) -> usize {
    lines.iter().position(|line| line.contains(needle)).unwrap()
}

/// Puts the frontier, the entries and the closing checkpoint in agreement again, signed by `secret`.
fn resign_close(parts: &mut Parts, secret: &[u8; 32]) {
    let mut frontier = frontier_of(parts);
    for line in parts.text("entries.jsonl").lines() {
        match line.strip_prefix("{\"leaf\":\"") {
            Some(rest) => frontier.push(rest[..64].parse().unwrap()),
            None => frontier.push(leaf_hash(line.as_bytes())),
        }
    }
    let text = format!(
        "{ORIGIN}\n{}\n{}\n",
        frontier.size(),
        frontier.root().to_base64()
    );
    parts.set("log/close.note", signed(&text, secret));
    let close = format!("close {}", frontier.size());
    parts.lines("manifest.note", |lines| {
        let at = lines
            .iter()
            .position(|line| line.starts_with("close "))
            .unwrap();
        lines[at] = close;
    });
}

fn frontier_of(parts: &Parts) -> Frontier {
    let text = parts.text("frontier.txt");
    let mut lines = text.lines();
    let size = lines.next().unwrap().parse().unwrap();
    Frontier::from_peaks(
        size,
        lines.map(|line| Hash::from_base64(line).unwrap()).collect(),
    )
    .unwrap()
}

pub(crate) const ATTACKS: &[Attack] = &[
    ("1 edit an entry", "files", |parts| {
        parts.edit("entries.jsonl", |text| {
            text.replace("call nine one one", "set a timer please")
        });
    }),
    ("1 edit an entry, seal anew", "(a) order", |parts| {
        parts.edit("entries.jsonl", |text| {
            text.replace("call nine one one", "set a timer please")
        });
        parts.reseal(&STOLEN);
    }),
    (
        "1 edit an entry, sign and seal anew with the current key: the epoch is over",
        "(a) order",
        |parts| {
            parts.edit("entries.jsonl", |text| {
                text.replace("call nine one one", "set a timer please")
            });
            resign_close(parts, &STOLEN);
            parts.reseal(&STOLEN);
        },
    ),
    ("2 delete an entry", "(a) order", |parts| {
        parts.lines("entries.jsonl", |lines| {
            lines.remove(own_line(lines, "\"wake\""));
        });
        parts.reseal(&STOLEN);
    }),
    (
        "2 hide an entry behind another's hash",
        "(a) order",
        |parts| {
            parts.lines("entries.jsonl", |lines| {
                let at = own_line(lines, "\"wake\"");
                lines[at] = format!("{{\"leaf\":\"{}\"}}", leaf_hash(b"other"));
            });
            parts.reseal(&STOLEN);
        },
    ),
    ("2 reorder", "(a) order", |parts| {
        parts.lines("entries.jsonl", |lines| {
            let at = own_line(lines, "\"wake\"");
            lines.swap(at, at + 1);
        });
        parts.reseal(&STOLEN);
    }),
    ("2 repeat an entry", "(a) order", |parts| {
        parts.lines("entries.jsonl", |lines| {
            let at = own_line(lines, "\"wake\"");
            lines.insert(at, lines[at].clone());
        });
        parts.reseal(&STOLEN);
    }),
    ("3 truncate the tail", "(a) order", |parts| {
        parts.lines("entries.jsonl", |lines| {
            lines.truncate(lines.len() - 2);
        });
        parts.reseal(&STOLEN);
    }),
    (
        "3 truncate the tail, sign with another epoch's key",
        "(a) order",
        |parts| {
            parts.lines("entries.jsonl", |lines| {
                lines.truncate(lines.len() - 2);
            });
            resign_close(parts, &STOLEN);
            parts.reseal(&STOLEN);
        },
    ),
    (
        "5 sign an old head with the current key",
        "(a) order",
        |parts| {
            let text = parts.text("log/open.note");
            let text = text.split("\n\n").next().unwrap().to_owned() + "\n";
            parts.set("log/open.note", signed(&text, &STOLEN));
            parts.reseal(&STOLEN);
        },
    ),
    (
        "6 strip the device's signature from a head",
        "(a) order",
        |parts| {
            parts.lines("log/close.note", |lines| {
                let at = own_line(lines, "\u{2014} hub.example/device/7");
                lines.remove(at);
            });
            parts.reseal(&STOLEN);
        },
    ),
    ("6 strip the manifest's signature", "files", |parts| {
        parts.edit("manifest.note", |text| {
            text.split("\n\n").next().unwrap().to_owned() + "\n\n"
        });
    }),
    ("7 leave out the last epoch", "files", |parts| {
        parts.lines("keys/epochs.jsonl", |lines| {
            lines.remove(1);
        });
        parts.reseal(&STOLEN);
    }),
    ("7 leave out the epoch of the opening", "keys", |parts| {
        parts.lines("keys/epochs.jsonl", |lines| {
            lines.remove(0);
        });
        parts.reseal(&STOLEN);
    }),
    (
        "13 an epoch key that the identity did not sign",
        "keys",
        |parts| {
            parts.edit("keys/epochs.jsonl", |text| {
                let at = text.rfind("by_identity").unwrap() + 20;
                let other = if &text[at..=at] == "A" { "B" } else { "A" };
                text[..at].to_owned() + other + &text[at + 1..]
            });
            parts.reseal(&STOLEN);
        },
    ),
    ("15 an identity of the attacker's own", "keys", |parts| {
        parts.edit("keys/enrolment.note", |text| {
            let text = text.split("\n\n").next().unwrap().to_owned() + "\n";
            String::from_utf8(signed(&text, &FORGED)).unwrap()
        });
        parts.reseal(&STOLEN);
    }),
    ("17 replace sound", "audio", |parts| {
        let name = "audio/01-microphone-80000.wav";
        let mut wav = parts.get(name).to_vec();
        wav[1000] ^= 1;
        parts.set(name, wav);
        parts.reseal(&STOLEN);
    }),
    ("17 replace a salt", "audio", |parts| {
        parts.edit("audio/salts.jsonl", |text| {
            text.replacen("\"salt\":\"01", "\"salt\":\"02", 1)
        });
        parts.reseal(&STOLEN);
    }),
    ("17 another sampling rate", "audio", |parts| {
        let name = "audio/01-microphone-80000.wav";
        let mut wav = parts.get(name).to_vec();
        wav[24..28].copy_from_slice(&8000u32.to_le_bytes());
        parts.set(name, wav);
        parts.reseal(&STOLEN);
    }),
    ("17 sound that nothing commits", "audio", |parts| {
        let wav = parts.get("audio/01-microphone-80000.wav").to_vec();
        parts.set("audio/02-microphone-0.wav", wav);
        parts.reseal(&STOLEN);
    }),
    ("17 more sound after the committed", "audio", |parts| {
        let name = "audio/01-microphone-80000.wav";
        let mut wav = parts.get(name).to_vec();
        wav.extend([0; 4]);
        parts.set(name, wav);
        parts.reseal(&STOLEN);
    }),
    ("a summary that tells another story", "summary", |parts| {
        parts.edit("summary.html", |text| {
            text.replace("EMERGENCY CALL", "set a timer")
        });
        parts.reseal(&STOLEN);
    }),
    ("a README that says to trust it", "summary", |parts| {
        parts.edit("README.txt", |text| {
            text.replace("WHAT IT PROVES", "THIS IS GENUINE")
        });
        parts.reseal(&STOLEN);
    }),
    ("21 the bundle names witnesses itself", "files", |parts| {
        let key = NoteKey::witness("evil.example", public_of(&FORGED))
            .unwrap()
            .to_vkey();
        parts.set("policy.txt", format!("witness evil {key}\nquorum evil\n"));
        parts.reseal(&STOLEN);
    }),
    ("22 an unknown file", "files", |parts| {
        parts.set("extra.exe", *b"MZ");
        parts.reseal(&STOLEN);
    }),
    ("22 a huge line", "(a) order", |parts| {
        parts.lines("entries.jsonl", |lines| {
            let at = own_line(lines, "\"wake\"");
            lines[at] = format!("{{\"a\":\"{}\"}}", "x".repeat(100_000));
        });
        parts.reseal(&STOLEN);
    }),
    ("22 odd UTF-8", "(a) order", |parts| {
        let mut bytes = parts.get("entries.jsonl").to_vec();
        let at = bytes
            .windows(4)
            .position(|window| window == b"nine")
            .unwrap();
        bytes[at] = 0xff;
        parts.set("entries.jsonl", bytes);
        parts.reseal(&STOLEN);
    }),
    ("23 a node in place of two leaves", "(a) order", |parts| {
        parts.lines("entries.jsonl", |lines| {
            let hash = |line: &String| leaf_hash(line.as_bytes());
            let at = own_line(lines, "\"wake\"");
            let node = node_hash(&hash(&lines[at]), &hash(&lines[at + 1]));
            lines.splice(at..at + 2, [format!("{{\"leaf\":\"{node}\"}}")]);
        });
        parts.reseal(&STOLEN);
    }),
    ("24 duplicate keys", "(a) order", |parts| {
        parts.edit("entries.jsonl", |text| {
            text.replacen("\"drill\":true", "\"drill\":true,\"drill\":false", 1)
        });
        parts.reseal(&STOLEN);
    }),
    (
        "24 duplicate keys in another spelling",
        "(a) order",
        |parts| {
            parts.edit("entries.jsonl", |text| {
                text.replacen("\"late\":false", "\"late\":false,\"l\\u0061te\":true", 1)
            });
            parts.reseal(&STOLEN);
        },
    ),
    ("29 a drill turned into none", "(a) order", |parts| {
        parts.edit("entries.jsonl", |text| {
            text.replace("\"drill\":true", "\"drill\":false")
        });
        parts.reseal(&STOLEN);
    }),
    ("another incident's name", "(a) order", |parts| {
        parts.edit("manifest.note", |text| {
            text.replace("incident 2026-11-22-a1", "incident other")
        });
        parts.reseal(&STOLEN);
    }),
    ("a cosignature changed", "witness", |parts| {
        parts.lines("log/close.note", |lines| {
            let at = own_line(lines, "\u{2014} hub.example/witness");
            let line = lines[at].clone();
            // Keep name and key id (the first 6 digits), change the time.
            let at_time = line.len() - 90;
            let other = if &line[at_time..=at_time] == "A" {
                "B"
            } else {
                "A"
            };
            lines[at] = line[..at_time].to_owned() + other + &line[at_time + 1..];
        });
        parts.reseal(&STOLEN);
    }),
];

#[test]
fn each_attack_on_an_honest_bundle() {
    let bundle = Story::new(2).bundle();
    let policy = county_policy();
    assert_eq!(verify(&bundle, &policy).exit, Exit::Witnessed);
    for (name, caught_by, attack) in ATTACKS {
        let mut parts = Parts::of(&bundle);
        attack(&mut parts);
        let packed = parts.pack();
        assert_ne!(packed, bundle, "{name} changed nothing");
        let report = verify(&packed, &policy);
        assert!(
            matches!(report.exit, Exit::Tampered | Exit::CannotTell),
            "{name}: {report}"
        );
        let last = report.claims.last().unwrap();
        assert_eq!(last.what, *caught_by, "{name}: {report}");
    }
}

/// 7: an epoch in the middle left out, although nothing was signed in it.
#[test]
fn epochs_are_contiguous() {
    let mut story = Story::new(0);
    story.device.rotate(3);
    let mut parts = Parts::of(&story.bundle());
    parts.lines("keys/epochs.jsonl", |lines| {
        assert_eq!(lines.len(), 3);
        lines.remove(1);
    });
    parts.reseal(&epoch_seed(3));
    let report = verify(&parts.pack(), &county_policy());
    assert_eq!(report.exit, Exit::Tampered);
    assert!(report.to_string().contains("out of turn"), "{report}");
}

/// The seized device: its holder has the key of the closing epoch before it was erased.
/// Alone, the forged tail verifies, as the report must say: unwitnessed. The witness's head shows the fork.
#[test]
fn a_stolen_epoch_key_forges_only_what_no_witness_saw() {
    let story = Story::new(0);
    let honest = story.bundle();
    let mut parts = Parts::of(&honest);
    parts.edit("entries.jsonl", |text| {
        text.replace("\"outcome\":\"answered\"", "\"outcome\":\"nothing!\"")
    });
    parts.edit("summary.html", |text| {
        text.replace("answered, call-taker", "nothing!, call-taker")
    });
    resign_close(&mut parts, &CLOSING);
    // The manifest's key of epoch 2 was committed after the forged tail; its signatures hold all the same.
    parts.reseal(&STOLEN);
    let forged = parts.pack();
    let report = verify(&forged, &county_policy());
    assert_ne!(report.exit, Exit::Witnessed, "{report}");
    let mut policy = county_policy();
    policy.heads = story.cosigned.clone();
    let report = verify(&forged, &policy);
    assert_eq!(report.exit, Exit::Tampered, "{report}");
    assert_eq!(verify(&honest, &policy).exit, Exit::Witnessed);
}

/// 8: one history to the hub, another to court. The witness's own record tells them apart.
#[test]
fn a_fork_contradicts_the_witness() {
    let honest = Story::new(1);
    let mut other = Device::new();
    everyday(&mut other, 40);
    let head = other.checkpoint();
    let mut policy = county_policy();
    policy.heads = vec![cosigned(&head, witness_time(0))];
    let size = Checkpoint::parse(Note::parse(&head).unwrap().text())
        .unwrap()
        .size;
    let bundle = honest.bundle();
    let report = verify(&bundle, &policy);
    let close = Checkpoint::parse(
        Note::parse(Parts::of(&bundle).get("log/close.note"))
            .unwrap()
            .text(),
    )
    .unwrap();
    if size <= close.size {
        assert_eq!(report.exit, Exit::Tampered, "{report}");
    }
    // A head of the same history, and a head signed by nobody known, change nothing.
    policy.heads = vec![honest.cosigned[0].clone()];
    assert_eq!(verify(&bundle, &policy).exit, Exit::Witnessed);
    policy.heads = vec![head, b"no note".to_vec()];
    assert_eq!(verify(&bundle, &policy).exit, Exit::Witnessed);
}

/// 15: the whole log made anew by another key, under the same name. Only the checker's anchor tells.
#[test]
fn a_whole_log_of_another_key() {
    let bundle = Story::new(0).bundle();
    let other = IdentityKey::from_secret(&FORGED).key_id();
    let policy = TrustPolicy::parse(&format!("device {other}")).unwrap();
    let report = verify(&bundle, &policy);
    assert_eq!(report.exit, Exit::Tampered);
    assert_eq!(report.claims.last().unwrap().what, "(c) device");
}

/// 22: containers that other programs make, and containers that are traps.
#[test]
fn traps_in_the_container() {
    use std::io::Write as _;
    let bundle = Story::new(0).bundle();
    let names_and_bytes = Parts::of(&bundle);
    let mut repacked = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options =
        zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for (name, bytes) in &names_and_bytes.0 {
        repacked.start_file(name.as_str(), options).unwrap();
        repacked.write_all(bytes).unwrap();
    }
    let repacked = repacked.finish().unwrap().into_inner();
    let report = verify(&repacked, &TrustPolicy::none());
    assert_eq!(report.exit, Exit::CannotTell);
    assert!(report.to_string().contains("packed again"), "{report}");

    let mut bomb = bundle.clone();
    bomb[8] = 8; // says: deflated
    assert_eq!(verify(&bomb, &TrustPolicy::none()).exit, Exit::CannotTell);
    let mut large = bundle.clone();
    large[18..26].fill(0xff); // says: 4 GiB
    assert_eq!(verify(&large, &TrustPolicy::none()).exit, Exit::CannotTell);
    for name in [
        "../../escape",
        "/etc/passwd",
        "audio/../x",
        "audio/a\\b.wav",
        "a\0b",
    ] {
        let mut parts = names_and_bytes.clone();
        parts.0[0].0 = name.to_owned();
        assert_eq!(
            verify(&parts.pack(), &TrustPolicy::none()).exit,
            Exit::CannotTell,
            "{name}"
        );
    }
    let mut twice = names_and_bytes.clone();
    twice.0.insert(1, twice.0[0].clone());
    assert_eq!(
        verify(&twice.pack(), &TrustPolicy::none()).exit,
        Exit::Tampered
    );
    let mut many = names_and_bytes.clone();
    many.0.splice(
        0..0,
        (0..5000).map(|number| (format!("audio/{number}.wav"), Vec::new())),
    );
    assert_eq!(
        verify(&many.pack(), &TrustPolicy::none()).exit,
        Exit::CannotTell
    );
    let mut before = b"#!/bin/sh\n".to_vec();
    before.extend(&bundle);
    assert_eq!(verify(&before, &TrustPolicy::none()).exit, Exit::CannotTell);
    for length in (0..bundle.len()).step_by(97) {
        assert_ne!(
            verify(&bundle[..length], &TrustPolicy::none()).exit.code(),
            0
        );
        assert_ne!(
            verify(&bundle[..length], &TrustPolicy::none()).exit.code(),
            1
        );
    }
    assert_eq!(verify(b"", &TrustPolicy::none()).exit, Exit::CannotTell);
}

/// 12: a witness's answer about another log, or from the future of this one, bounds nothing.
#[test]
fn time_evidence_of_another_log_is_ignored() {
    let mut device = Device::new();
    let id = incident();
    let elsewhere = signed(
        "hub.example/device/8\n3\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n",
        &FORGED,
    );
    let ahead = signed(
        &format!("{ORIGIN}\n3000\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"),
        &FORGED,
    );
    for note in [elsewhere, ahead] {
        let answer = cosigned(&note, witness_time(0));
        device.say(
            Time {
                source: "witness".into(),
                wall_ms: WALL,
                uncertainty_ms: None,
                step_ms: None,
                cosigned: Some(String::from_utf8(answer).unwrap()),
            },
            None,
        );
    }
    device.say(
        End {
            outcome: "none".into(),
            reason: "test".into(),
            call_ms: None,
        },
        Some(&id),
    );
    let close = cosigned(&device.checkpoint(), witness_time(9000));
    let request = ExportRequest {
        incident: &id,
        audio: &[],
        cosigned: &[close],
        exported_ms: None,
    };
    let bundle = device.log.export(&device.stored, &request).unwrap();
    let report = verify(&bundle.bytes, &county_policy());
    assert_eq!(report.exit, Exit::Unwitnessed, "{report}");
    assert!(
        report.to_string().contains("nothing bounds it from below"),
        "{report}"
    );
}
