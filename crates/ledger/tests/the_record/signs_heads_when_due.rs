//! When checkpoints are due, when keys change, and what happens to an entry that is late on disk.

use std::time::Duration;

use crate::story::*;
use hearthline_ledger::*;

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn decision(outcome: Outcome) -> Decision {
    Decision {
        outcome,
        mode: DecisionMode::Quiet,
        reason: "test".into(),
        service: None,
        window_ms: None,
    }
}

fn call(event: CallEvent) -> Call {
    Call {
        event,
        call_id: "c".into(),
        line: "drill".into(),
        status: None,
        reason: None,
        peer: None,
    }
}

#[test]
fn at_once_after_what_matters_every_5_s_in_an_incident_else_every_15_min() {
    let (mut log, _) = Log::create(setup(1, 0, None), stamp(0)).unwrap();
    assert_eq!(log.poll_timeout(), secs(0), "the first head is due at once");
    log.checkpoint(stamp(0)).unwrap();
    assert_eq!(log.poll_timeout(), secs(900));
    let at = |ms| Stamp::at(Duration::from_millis(ms));
    let due = |log: &mut Log, body: Body, ms: u64| {
        log.append(body, at(ms), None, false).unwrap();
        let due = log.poll_timeout();
        if due <= Duration::from_millis(ms) {
            log.checkpoint(at(ms)).unwrap();
            assert!(log.poll_timeout() > Duration::from_millis(ms));
        }
        due
    };
    let ignore = due(&mut log, decision(Outcome::Ignore).into(), 1000);
    assert_eq!(ignore, secs(900), "a decision to do nothing waits");
    assert!(!log.incident_open());
    assert_eq!(
        due(&mut log, decision(Outcome::Emergency).into(), 2000),
        secs(2)
    );
    assert!(log.incident_open());
    assert_eq!(log.poll_timeout(), secs(7));
    assert_eq!(
        due(&mut log, call(CallEvent::Progress).into(), 2500),
        secs(7)
    );
    assert_eq!(due(&mut log, call(CallEvent::Invite).into(), 3000), secs(3));
    assert_eq!(
        due(&mut log, call(CallEvent::Answered).into(), 4000),
        secs(4)
    );
    assert!(!log.epoch_due(secs(100 * 3600)), "never during an incident");
    let end = End {
        outcome: "answered".into(),
        reason: "bye".into(),
        call_ms: None,
    };
    assert_eq!(due(&mut log, end.into(), 5000), secs(5));
    assert!(!log.incident_open());
    assert_eq!(log.poll_timeout(), secs(905));
    assert!(log.epoch_due(secs(5)), "after each incident");
    log.rotate_epoch(&[7; 32], at(6000)).unwrap();
    assert_eq!(log.poll_timeout(), secs(6), "the new key signs at once");
    assert!(!log.epoch_due(secs(6)));
    assert!(log.epoch_due(secs(6 + 24 * 3600)), "and after a day");
}

#[test]
fn silence_leaves_dated_entries() {
    let (mut log, writes) = Log::create(setup(1, 0, None), stamp(0)).unwrap();
    let mut stored: Vec<u8> = writes.into_iter().flat_map(|write| write.bytes).collect();
    let mut sizes = Vec::new();
    for quarter in 0..5 {
        let head = log.checkpoint(stamp(quarter * 900_000)).unwrap();
        sizes.push(head.size);
        stored.extend(head.bytes);
    }
    assert_eq!(
        sizes,
        [2, 3, 4, 5, 6],
        "each silent head has an entry of its own"
    );
    let read = StoredLog::read(&stored, ORIGIN, identity().public()).unwrap();
    let last = Entry::from_line(read.entries[5].line).unwrap();
    assert!(matches!(last.body, Body::Time(_)));
    assert_eq!(last.mono_ms, 4 * 900_000);
    assert_eq!(read.checkpoints.len(), 5);
    let leaves = read.leaves();
    for pair in read.checkpoints.windows(2) {
        let heads: Vec<Checkpoint> = pair
            .iter()
            .map(|head| Checkpoint::parse(Note::parse(&head.note).unwrap().text()).unwrap())
            .collect();
        let proof =
            consistency_proof(&leaves[..heads[1].size as usize], heads[0].size as usize).unwrap();
        verify_consistency(
            heads[0].size,
            &heads[0].root,
            heads[1].size,
            &heads[1].root,
            &proof,
        )
        .unwrap();
    }
}

#[test]
fn the_log_makes_its_own_boot_and_key_entries() {
    let (mut log, _) = Log::create(setup(1, 0, None), stamp(0)).unwrap();
    let boot = Boot {
        software: "x".into(),
        firmware: None,
        cut: None,
        previous_segment: None,
    };
    assert!(matches!(
        log.append(boot, stamp(1), None, false),
        Err(LogError::Reserved { .. })
    ));
}

#[test]
fn what_cannot_be_read_back_is_not_appended() {
    let (mut log, _) = Log::create(setup(1, 0, None), stamp(0)).unwrap();
    let (size, head) = (log.size(), log.root());
    let wake = |score| Wake {
        keyword: "alexa".into(),
        score,
        threshold: 0.5,
        at_sample: 0,
    };
    assert!(matches!(
        log.append(wake(f64::NAN), stamp(1), None, false),
        Err(LogError::Entry { seq: 2, .. })
    ));
    let long = Speech {
        text: "a".repeat(70_000).into(),
    };
    let error = log.append(long, stamp(1), None, false).unwrap_err();
    assert!(error.to_string().contains("at most 65535"), "{error}");
    assert_eq!(
        (log.size(), log.root()),
        (size, head),
        "and leaves no trace"
    );
    log.append(wake(0.5), stamp(1), None, false).unwrap();
}

#[test]
fn a_stale_stamp_does_not_turn_the_clock_back() {
    let mut device = Device::new();
    device.ms = 5000;
    everyday(&mut device, 1);
    device.ms = 1000;
    everyday(&mut device, 1);
    device.checkpoint();
    StoredLog::read(&device.stored, ORIGIN, identity().public()).unwrap();
}

#[test]
fn late_entries_are_named_once() {
    let ms = Duration::from_millis;
    let mut durability = Durability::new();
    durability.appended(1, ms(0));
    durability.appended(2, ms(10));
    durability.appended(3, ms(20));
    assert_eq!(
        durability.durable(1, ms(50)),
        [] as [u64; 0],
        "50 ms are in time"
    );
    assert!(durability.poll_timeout().unwrap() > ms(60));
    assert_eq!(durability.overdue(ms(60)), [] as [u64; 0]);
    assert_eq!(durability.overdue(ms(61)), [2]);
    assert_eq!(durability.overdue(ms(62)), [] as [u64; 0], "once");
    // Number 3 becomes durable late, before anybody looked at the clock again.
    assert_eq!(durability.durable(3, ms(500)), [3]);
    assert_eq!((durability.pending(), durability.poll_timeout()), (0, None));
    durability.appended(4, ms(600));
    assert_eq!(durability.durable(4, ms(649)), [] as [u64; 0]);
}

#[test]
fn a_dead_disk_fills_late_entries_within_bounds() {
    let mut durability = Durability::new();
    for seq in 0..5000 {
        durability.appended(seq, Duration::ZERO);
    }
    let mut named = Vec::new();
    loop {
        let late = durability.overdue(secs(1));
        if late.is_empty() {
            break;
        }
        assert!(late.len() <= 1000);
        let (mut log, _) = Log::create(setup(1, 0, None), stamp(0)).unwrap();
        log.append(
            Late {
                entries: late.clone(),
                limit_ms: 50,
            },
            stamp(1),
            None,
            false,
        )
        .unwrap();
        named.extend(late);
    }
    assert_eq!(named, (0..5000).collect::<Vec<u64>>());
}
