//! `hearth verify` on bundles made here: what it prints, how it ends, whom it trusts.

use std::time::Duration;

use crate::program::Home;
use hearthline_ledger::*;

const ORIGIN: &str = "home.example/device";
const WITNESS: &str = "witness.example/w";
const WITNESS_SECRET: [u8; 32] = [9; 32];
const WALL_MS: u64 = 1_795_356_000_000;

fn device() -> IdentityKey {
    IdentityKey::from_secret(&[1; 32])
}

fn stamp(ms: u64) -> Stamp {
    Stamp {
        now: Duration::from_millis(ms),
        sample: Some(ms * 16),
        wall_ms: Some(WALL_MS + ms),
    }
}

fn witnessed(note: &[u8], seconds: u64) -> Vec<u8> {
    let mut note = Note::parse(note).unwrap();
    note.add_signature(cosign(&note, WITNESS, &WITNESS_SECRET, seconds).unwrap())
        .unwrap();
    note.to_bytes()
}

/// A drill with three seconds of sound, cosigned before and after.
fn bundle() -> Vec<u8> {
    let setup = Setup {
        origin: ORIGIN.into(),
        identity: device(),
        epoch_seed: [2; 32],
        previous_epoch_seed: None,
        boot: BootId([3; 16]),
        software: "hearth test".into(),
        firmware: None,
        previous_segment: None,
    };
    let (mut log, writes) = Log::create(setup, stamp(0)).unwrap();
    let mut stored: Vec<u8> = writes.into_iter().flat_map(|write| write.bytes).collect();
    let head = log.checkpoint(stamp(1)).unwrap();
    stored.extend(&head.bytes);
    let cosigned = String::from_utf8(witnessed(&head.note, WALL_MS / 1000)).unwrap();
    let time = Time {
        source: "witness".into(),
        wall_ms: WALL_MS,
        uncertainty_ms: None,
        step_ms: None,
        cosigned: Some(cosigned),
    };
    stored.extend(log.append(time, stamp(2), None, false).unwrap().bytes);
    stored.extend(log.checkpoint(stamp(3)).unwrap().bytes);
    let incident: IncidentId = "2026-11-22-a1".parse().unwrap();
    let mut committer = Committer::new(Stream::microphone(), 16_000, 0);
    let sound: Vec<i16> = (0..48_000).map(|n| (n % 2_000) as i16 - 1_000).collect();
    let mut salt = 5;
    let mut audio = committer.push(&sound, || {
        salt += 1;
        [salt; SALT_BYTES]
    });
    audio.extend(committer.finish([200; SALT_BYTES]));
    let mut add = |log: &mut Log, body: Body| {
        stored.extend(
            log.append(body, stamp(4_000), Some(&incident), false)
                .unwrap()
                .bytes,
        );
    };
    for chunk in &audio {
        let chunks = vec![chunk.commitment()];
        add(
            &mut log,
            Capture {
                stream: chunk.stream.clone(),
                rate_hz: chunk.rate_hz,
                chunks,
            }
            .into(),
        );
    }
    let decision = Decision {
        outcome: Outcome::Emergency,
        mode: DecisionMode::Announced,
        reason: "order".into(),
        service: Some("urn:service:sos".into()),
        window_ms: Some(5_000),
    };
    add(&mut log, decision.into());
    add(
        &mut log,
        End {
            outcome: "answered".into(),
            reason: "call-taker".into(),
            call_ms: Some(1_000),
        }
        .into(),
    );
    let close = log.checkpoint(stamp(6_000)).unwrap();
    stored.extend(&close.bytes);
    let cosigned = [witnessed(&close.note, WALL_MS / 1000 + 8)];
    let request = ExportRequest {
        incident: &incident,
        audio: &audio,
        cosigned: &cosigned,
        exported_ms: Some(WALL_MS + 9_000),
    };
    log.export(&stored, &request).unwrap().bytes
}

fn home_with(bytes: &[u8]) -> Home {
    let home = Home::new();
    std::fs::write(home.path("incident.zip"), bytes).unwrap();
    home
}

fn county_policy() -> String {
    let witness =
        NoteKey::witness(WITNESS, IdentityKey::from_secret(&WITNESS_SECRET).public()).unwrap();
    format!(
        "device {}\nwitness w {}\nquorum w\n",
        device().key_id(),
        witness.to_vkey()
    )
}

fn enrol(home: &Home, secret: u8) {
    std::fs::create_dir_all(home.device()).unwrap();
    std::fs::write(home.device().join("identity.key"), [secret; 32]).unwrap();
}

#[test]
fn of_a_known_device_with_a_witness_it_is_0() {
    let home = home_with(&bundle());
    std::fs::write(home.path("county.policy"), county_policy()).unwrap();
    let ran = home.run(&["verify", "--policy", "county.policy", "incident.zip"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{}", ran.out);
    insta::assert_snapshot!("witnessed", ran.out);
}

#[test]
fn of_an_unknown_device_it_is_1() {
    let home = home_with(&bundle());
    let ran = home.run(&["verify", "incident.zip"]);
    assert_eq!(ran.code, 1, "{}", ran.out);
    insta::assert_snapshot!("unknown_device", ran.out);
}

#[test]
fn tampered_it_is_2() {
    let mut bytes = bundle();
    let at = bytes
        .windows(21)
        .position(|found| found == br#""outcome":"emergency""#)
        .unwrap();
    bytes[at + 12] ^= 1;
    let home = home_with(&bytes);
    let ran = home.run(&["verify", "incident.zip"]);
    assert_eq!(ran.code, 2, "{}", ran.out);
    insta::assert_snapshot!("tampered", ran.out);
}

#[test]
fn the_device_of_this_machine_is_known() {
    let home = home_with(&bundle());
    enrol(&home, 1);
    let ran = home.run(&["verify", "incident.zip"]);
    assert_eq!(ran.code, 1, "{}", ran.out);
    assert!(ran.out.contains("(c) device   holds"), "{}", ran.out);
}

#[test]
fn somebody_elses_bundle_is_not_called_tampered_with() {
    let home = home_with(&bundle());
    enrol(&home, 44);
    let ran = home.run(&["verify", "incident.zip"]);
    assert_eq!(ran.code, 1, "{}", ran.out);
    assert!(ran.out.contains("(c) device   unproven"), "{}", ran.out);
}

#[test]
fn a_device_that_was_named_must_be_the_one() {
    let home = home_with(&bundle());
    let right = device().key_id().to_string();
    let named = home.run(&["verify", "--device", &right, "incident.zip"]);
    assert_eq!(named.code, 1, "{}", named.out);
    assert!(named.out.contains("(c) device   holds"), "{}", named.out);
    let wrong = IdentityKey::from_secret(&[77; 32]).key_id().to_string();
    assert_eq!(
        home.run(&["verify", "--device", &wrong, "incident.zip"])
            .code,
        2
    );
    // A card that nobody can read is no evidence against anybody.
    let unreadable = home.run(&["verify", "--device", "3f6c", "incident.zip"]);
    assert_eq!(unreadable.code, 3);
    assert!(
        unreadable.err.contains("enrolment card"),
        "{}",
        unreadable.err
    );
}

#[test]
fn what_is_no_bundle_is_3() {
    let home = home_with(b"");
    assert_eq!(home.run(&["verify", "incident.zip"]).code, 3);
    std::fs::write(home.path("text.zip"), "hello").unwrap();
    assert_eq!(home.run(&["verify", "text.zip"]).code, 3);
    let absent = home.run(&["verify", "absent.zip"]);
    assert_eq!(absent.code, 3);
    assert!(
        absent.err.starts_with("hearth: absent.zip: "),
        "{}",
        absent.err
    );
    assert_eq!(home.run(&["verify", "."]).code, 3);
    // A sparse file larger than any bundle is not read to its end.
    let huge = std::fs::File::create(home.path("huge.zip")).unwrap();
    huge.set_len(BUNDLE_BYTES_MAX as u64 + 1).unwrap();
    let huge = home.run(&["verify", "huge.zip"]);
    assert_eq!(huge.code, 3);
    assert!(huge.err.contains("larger than"), "{}", huge.err);
}

#[test]
fn a_policy_with_a_mistake_is_3_and_names_the_line() {
    let home = home_with(&bundle());
    std::fs::write(home.path("bad.policy"), "# mine\ntrust everybody\n").unwrap();
    let ran = home.run(&["verify", "--policy", "bad.policy", "incident.zip"]);
    assert_eq!(ran.code, 3);
    assert!(ran.err.contains("policy line 2"), "{}", ran.err);
}

#[test]
fn in_json_the_exit_is_the_same() {
    let home = home_with(&bundle());
    std::fs::write(home.path("county.policy"), county_policy()).unwrap();
    let ran = home.run(&[
        "verify",
        "--json",
        "--policy",
        "county.policy",
        "incident.zip",
    ]);
    let json: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(
        (ran.code, &json["exit"], &json["result"]),
        (0, &0.into(), &"witnessed".into())
    );
    assert!(
        json["claims"]
            .as_array()
            .unwrap()
            .iter()
            .all(|claim| claim["detail"].is_string())
    );
}
