//! The record: no disk delays a call, no cut end stops a device, and what was written can be checked by a stranger.
use core::time::Duration;

use hearthline_ledger::{Body, DeviceAnchor, StoredLog, TrustPolicy, verify};
use hearthline_psap::{Answer, Behaviour};
use hearthline_simulate::world::{ORIGIN, WALL_MS_AT_ZERO};
use hearthline_simulate::{Scene, Spoken, Watched, World};
use hearthline_sip::tokens::Tokens;
use hearthline_speaker::device::Light;
use hearthline_speaker::policy::Mode;

const SECOND: Duration = Duration::from_secs(1);

fn immediate() -> Scene {
    Scene {
        mode: Mode::Immediate,
        ..Scene::default()
    }
}

fn order(world: &mut World, words: &str) {
    world.say(&Spoken::after_wake_word(words));
}

/// A scene: its name, its setting, what happens in it.
type Told = (&'static str, Scene, fn(&mut World));

/// The scenes of the story, each as what happens in it.
fn story() -> Vec<Told> {
    let gives_way = Scene {
        lines: vec![
            vec![Behaviour::with_answer(Answer::Dead)],
            vec![Behaviour::default()],
        ],
        ..immediate()
    };
    vec![
        ("question", Scene::default(), |world| {
            order(world, "did you call 911?");
            world.run_for(20 * SECOND);
        }),
        ("announced", Scene::default(), |world| {
            order(world, "call 911");
            world.run_for(12 * SECOND);
            world.taker_hangs_up(0);
            world.run_for(2 * SECOND);
        }),
        ("cancelled", Scene::default(), |world| {
            order(world, "call 911");
            world.run_for(3 * SECOND);
            world.say(&Spoken::reply("cancel"));
            world.run_for(10 * SECOND);
        }),
        ("coached", immediate(), |world| {
            order(world, "call 911");
            world.run_for(2 * SECOND);
            order(world, "cancel");
            world.run_for(5 * SECOND);
            world.taker_hangs_up(0);
            world.run_for(2 * SECOND);
        }),
        ("confirmed_end", immediate(), |world| {
            order(world, "call 911");
            world.run_for(3 * SECOND);
            order(world, "hang up the emergency call");
            world.run_for(5 * SECOND);
            world.say(&Spoken::reply("yes"));
            world.run_for(3 * SECOND);
        }),
        ("asked_yes", immediate(), |world| {
            order(world, "can you call 911?");
            world.run_for(3 * SECOND);
            world.say(&Spoken::reply("yes"));
            world.run_for(5 * SECOND);
            world.taker_hangs_up(0);
            world.run_for(2 * SECOND);
        }),
        ("asked_silence", immediate(), |world| {
            order(world, "help me");
            world.run_for(30 * SECOND);
        }),
        ("quiet", Scene::default(), |world| {
            order(world, "call 911 quietly");
            world.run_for(6 * SECOND);
            world.taker_hangs_up(0);
            world.run_for(2 * SECOND);
        }),
        ("gives_way", gives_way, |world| {
            order(world, "call 911");
            world.run_for(6 * SECOND);
            world.taker_hangs_up(1);
            world.run_for(2 * SECOND);
        }),
        ("nothing_said", Scene::default(), |world| {
            world.feed(hearthline_simulate::trace::TraceInput::Wake);
            world.run_for(SECOND);
            world.feed(hearthline_simulate::trace::TraceInput::NoSpeech);
            world.run_for(5 * SECOND);
        }),
    ]
}

/// Every incident of the world's log, exported and checked by somebody who knows the device's key.
fn check_all(world: &World, name: &str) -> usize {
    let mut policy = TrustPolicy::none();
    policy.devices.push(DeviceAnchor::Id(world.identity().id()));
    let incidents = world.incidents();
    for incident in &incidents {
        let bundle = world
            .export(incident)
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        let report = verify(&bundle.bytes, &policy);
        assert_eq!(report.exit.code(), 1, "{name}: {report}");
        let failed = report
            .claims
            .iter()
            .any(|claim| claim.verdict == hearthline_ledger::Verdict::Fails);
        assert!(!failed, "{name}: {report}");
    }
    incidents.len()
}

#[test]
fn every_scene_of_the_story_can_be_shown_to_a_stranger() {
    for (name, scene, happens) in story() {
        let mut world = Watched::new("story_bundle", &scene);
        world.run_for(SECOND);
        happens(&mut world);
        assert_eq!(check_all(&world, name), 1, "{name}");
        assert_eq!(world.device().recorder().refused_entries(), 0, "{name}");
        assert!(
            world.device().recorder().incident().is_none(),
            "{name}: the incident is closed"
        );
        let entries = world.entries();
        assert!(
            entries.iter().all(|entry| entry.drill),
            "{name}: everything is a drill"
        );
        let ends = entries
            .iter()
            .filter(|entry| matches!(entry.body, Body::End(_)));
        assert_eq!(ends.count(), 1, "{name}");
    }
}

#[test]
fn a_flipped_byte_of_a_bundle_of_a_real_run_is_found() {
    let mut world = Watched::new("flipped", &Scene::default());
    world.run_for(SECOND);
    order(&mut world, "call 911");
    world.run_for(12 * SECOND);
    world.taker_hangs_up(0);
    world.run_for(SECOND);
    let incident = world.incidents().remove(0);
    let bundle = world.export(&incident).expect("exported").bytes;
    let mut random = Tokens::from_seed([9; 32]);
    for _ in 0..60 {
        let at = usize::try_from(random.below(bundle.len() as u64)).expect("an index");
        let mut changed = bundle.clone();
        changed[at] ^= 1 << random.below(8);
        let code = verify(&changed, &TrustPolicy::none()).exit.code();
        assert!(code >= 2, "byte {at}: {code}");
    }
}

#[test]
fn a_disk_that_never_syncs_delays_nothing_and_is_named() {
    for mode in [Mode::Immediate, Mode::default()] {
        let run = |disk_works| {
            let scene = Scene {
                mode,
                disk_works,
                ..Scene::default()
            };
            let mut world = Watched::new("dead_disk", &scene);
            world.run_for(SECOND);
            order(&mut world, "call 911");
            world.run_for(60 * SECOND);
            assert_eq!(world.lights.last(), Some(&Light::Connected));
            world
        };
        let (good, dead) = (run(true), run(false));
        assert_eq!(good.first_invite_at(), dead.first_invite_at(), "{mode:?}");
        let answered = |world: &World| world.taker(0).reports()[0].answered_after_ms;
        assert_eq!(answered(&good), answered(&dead));
        let late = |world: &World| -> Vec<u64> {
            let entries = world.entries();
            entries
                .iter()
                .filter_map(|entry| match &entry.body {
                    Body::Late(late) => Some(late.entries.clone()),
                    _ => None,
                })
                .flatten()
                .collect()
        };
        assert!(late(&good).is_empty(), "{:?}", late(&good));
        let named = late(&dead);
        let mut once = named.clone();
        once.sort_unstable();
        once.dedup();
        assert_eq!(once.len(), named.len(), "each is named once");
        let entries = dead.entries();
        for entry in &entries {
            // Late entries are not followed themselves; time and key entries are written with the head that signs them.
            let is_late = matches!(entry.body, Body::Late(_) | Body::Time(_) | Body::Key(_));
            assert!(
                is_late || once.contains(&entry.seq),
                "{} ({}) is not named",
                entry.seq,
                entry.body.kind()
            );
        }
        // A dead disk must not fill the memory with entries about itself.
        let lates = entries
            .iter()
            .filter(|entry| matches!(entry.body, Body::Late(_)))
            .count();
        assert!(
            lates <= entries.len() - lates,
            "{lates} of {}",
            entries.len()
        );
        check_all(&dead, "dead disk");
    }
}

#[test]
fn a_disk_that_dies_in_the_call_and_comes_back_leaves_a_record_that_verifies() {
    let mut world = Watched::new("disk_back", &immediate());
    world.run_for(SECOND);
    order(&mut world, "call 911");
    world.run_for(2 * SECOND);
    world.set_disk_works(false);
    world.run_for(5 * SECOND);
    order(&mut world, "cancel");
    world.run_for(5 * SECOND);
    world.set_disk_works(true);
    world.run_for(5 * SECOND);
    world.taker_hangs_up(0);
    world.run_for(2 * SECOND);
    check_all(&world, "disk back");
}

/// A whole incident's log.
fn whole_log() -> Vec<u8> {
    let mut world = World::new(&Scene::default());
    world.run_for(SECOND);
    order(&mut world, "call 911");
    world.run_for(10 * SECOND);
    world.taker_hangs_up(0);
    world.run_for(SECOND);
    world.log
}

/// The kill: the log ends at byte `at`. The device starts over it.
fn restart(log: &[u8], at: usize) -> World {
    let scene = Scene {
        start: 1,
        stored_log: log[..at].to_vec(),
        ..immediate()
    };
    World::open(&scene).unwrap_or_else(|error| panic!("cut at byte {at}: {error}"))
}

#[test]
fn killed_at_any_moment_the_device_starts_names_the_cut_and_goes_on() {
    let log = whole_log();
    let identity = World::new(&Scene::default()).identity();
    let whole = StoredLog::read(&log, ORIGIN, identity).expect("our own log reads");
    let mut cuts: Vec<usize> = vec![0, 1, log.len()];
    for (at, _) in log.iter().enumerate().filter(|(_, byte)| **byte == b'\n') {
        cuts.extend([at.saturating_sub(1), at, at + 1, (at + 2).min(log.len())]);
    }
    let mut random = Tokens::from_seed([7; 32]);
    cuts.extend(
        (0..500).map(|_| usize::try_from(random.below(log.len() as u64)).expect("an index")),
    );
    cuts.sort_unstable();
    cuts.dedup();
    for at in cuts {
        let world = restart(&log, at);
        let recovery = &world.recovery;
        let kept = usize::try_from(recovery.keep_bytes).expect("a length");
        assert_eq!(
            kept + recovery.cut_bytes.len(),
            at,
            "cut at byte {at}: nothing is lost"
        );
        assert_eq!(recovery.cut_bytes, log[kept..at], "cut at byte {at}");
        let stored = StoredLog::read(&world.log, ORIGIN, identity)
            .unwrap_or_else(|error| panic!("cut at byte {at}: {error}"));
        let before = usize::try_from(recovery.entries).expect("a count");
        for (new, old) in stored.entries.iter().zip(&whole.entries).take(before) {
            assert_eq!(new.line, old.line, "cut at byte {at}: what stood stands");
        }
        assert!(
            stored.entries.len() > before,
            "cut at byte {at}: it goes on"
        );
        let entries = world.entries();
        let named = entries.iter().any(|entry| match &entry.body {
            Body::Boot(boot) => boot.cut.is_some(),
            _ => false,
        });
        assert_eq!(
            named,
            !recovery.cut_bytes.is_empty(),
            "cut at byte {at}: the record names the cut"
        );
    }
}

#[test]
fn after_a_kill_the_next_call_works_and_both_incidents_verify() {
    let log = whole_log();
    let mut random = Tokens::from_seed([8; 32]);
    let mut cuts: Vec<usize> = (0..12)
        .map(|_| usize::try_from(random.below(log.len() as u64)).expect("an index"))
        .collect();
    cuts.push(log.len());
    for at in cuts {
        let mut world = Watched::over("after_kill", 1, restart(&log, at));
        let before = world.incidents().len();
        world.run_for(SECOND);
        order(&mut world, "call 911");
        world.run_for(4 * SECOND);
        assert_eq!(
            world.lights.last(),
            Some(&Light::Connected),
            "cut at byte {at}"
        );
        world.taker_hangs_up(0);
        world.run_for(SECOND);
        assert_eq!(world.incidents().len(), before + 1, "cut at byte {at}");
        check_all(&world, "after a kill");
    }
}

#[test]
fn a_wall_clock_that_steps_does_not_break_the_record() {
    let log = whole_log();
    let year = 365 * 86_400_000;
    for wall in [
        0,
        1,
        WALL_MS_AT_ZERO - 10 * year,
        WALL_MS_AT_ZERO - 5_000,
        WALL_MS_AT_ZERO + 10 * year,
    ] {
        let scene = Scene {
            start: 1,
            stored_log: log.clone(),
            wall_ms_at_zero: wall,
            ..immediate()
        };
        let mut world = Watched::new("wall_steps", &scene);
        world.run_for(SECOND);
        order(&mut world, "call 911");
        world.run_for(4 * SECOND);
        assert_eq!(world.lights.last(), Some(&Light::Connected), "{wall}");
        world.taker_hangs_up(0);
        world.run_for(SECOND);
        assert_eq!(check_all(&world, "wall clock"), 2, "{wall}");
    }
}

#[test]
fn many_restarts_in_a_row_leave_one_log_that_verifies() {
    let mut log = Vec::new();
    for start in 0..8 {
        let scene = Scene {
            start,
            stored_log: log.clone(),
            wall_ms_at_zero: WALL_MS_AT_ZERO + u64::from(start) * 60_000,
            ..immediate()
        };
        let mut world = Watched::new("restarts", &scene);
        world.run_for(SECOND);
        order(&mut world, "call 911");
        world.run_for(3 * SECOND);
        if start % 2 == 0 {
            world.taker_hangs_up(0);
            world.run_for(SECOND);
        }
        check_all(&world, "restarts");
        // The odd ones are killed in the middle of the call, in the middle of a line.
        let cut = if start % 2 == 0 { 0 } else { 17 };
        log = world.log[..world.log.len() - cut].to_vec();
    }
}

#[test]
fn a_log_damaged_in_its_middle_is_refused_and_says_where() {
    let log = whole_log();
    let mut random = Tokens::from_seed([10; 32]);
    let last_line = log[..log.len() - 1]
        .iter()
        .rposition(|byte| *byte == b'\n')
        .expect("lines")
        + 1;
    for _ in 0..200 {
        let at = usize::try_from(random.below(last_line as u64)).expect("an index");
        let mut changed = log.clone();
        changed[at] ^= 1 << random.below(8);
        let scene = Scene {
            start: 1,
            stored_log: changed,
            ..immediate()
        };
        match World::open(&scene) {
            Err(error) => assert!(error.to_string().contains("byte"), "{error}"),
            Ok(_) => panic!("byte {at} was changed and the log opened"),
        }
    }
}
