//! One bit flipped anywhere in a bundle: never accepted, never a panic.

use crate::story::*;
use hearthline_ledger::*;
use proptest::test_runner::{Config, TestRunner};

#[test]
fn ten_thousand_random_flips() {
    let story = Story::new(1);
    let witnessed = story.bundle();
    let policy = county_policy();
    assert_eq!(verify(&witnessed, &policy).exit, Exit::Witnessed);
    let mut runner = TestRunner::new(Config {
        cases: 10_000,
        failure_persistence: None,
        ..Config::default()
    });
    let bits = witnessed.len() * 8;
    runner
        .run(&(0..bits), |bit| {
            let mut changed = witnessed.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            for policy in [&policy, &TrustPolicy::none()] {
                let exit = verify(&changed, policy).exit;
                proptest::prop_assert!(
                    matches!(exit, Exit::Tampered | Exit::CannotTell),
                    "bit {}: {:?}",
                    bit,
                    exit
                );
            }
            Ok(())
        })
        .unwrap();
}

/// Outside the sound a random flip is rare, so every bit there is tried.
#[test]
fn every_bit_of_notes_keys_and_manifest() {
    let bundle = Story::new(0).bundle();
    let parts = Parts::of(&bundle);
    for name in [
        "log/open.note",
        "log/close.note",
        "frontier.txt",
        "keys/enrolment.note",
        "keys/epochs.jsonl",
        "manifest.note",
        "audio/salts.jsonl",
    ] {
        let needle = parts.get(name);
        let at = bundle
            .windows(needle.len())
            .position(|window| window == needle)
            .unwrap();
        for bit in at * 8..(at + needle.len()) * 8 {
            let mut changed = bundle.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            let exit = verify(&changed, &TrustPolicy::none()).exit;
            assert!(
                matches!(exit, Exit::Tampered | Exit::CannotTell),
                "{name} bit {bit}: {exit:?}"
            );
        }
    }
}

/// The flip must also be found where the container's checksums were put right again.
#[test]
fn flips_with_repaired_checksums() {
    let parts = Parts::of(&Story::new(0).bundle());
    for index in 0..parts.0.len() {
        let length = parts.0[index].1.len();
        for at in (0..length).step_by(7) {
            let mut changed = parts.clone();
            changed.0[index].1[at] ^= 1 << (at % 8);
            let exit = verify(&changed.pack(), &TrustPolicy::none()).exit;
            assert!(
                matches!(exit, Exit::Tampered | Exit::CannotTell),
                "{} byte {at}: {exit:?}",
                parts.0[index].0
            );
        }
    }
}
