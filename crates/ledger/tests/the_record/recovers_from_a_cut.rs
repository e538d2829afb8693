//! kill -9 at any moment: what was whole is kept, what was torn is named, anything else is damage.

use crate::story::*;
use hearthline_ledger::*;

fn recover(stored: &[u8]) -> Result<(Log, Recovery), LogError> {
    Log::recover(stored, setup(2, 50, None), stamp(0))
}

fn entries_of(stored: &[u8]) -> Vec<Entry> {
    let log = StoredLog::read(stored, ORIGIN, identity().public()).unwrap();
    log.entries
        .iter()
        .map(|entry| Entry::from_line(entry.line).unwrap())
        .collect()
}

#[test]
fn at_every_byte_of_the_file() {
    let mut device = Device::new();
    everyday(&mut device, 2);
    device.rotate(1);
    cut_at(&device.stored, 1);
}

#[test]
fn all_over_an_incident() {
    cut_at(&Story::new(1).device.stored, 13);
}

fn cut_at(stored: &[u8], step: usize) {
    let whole = entries_of(stored);
    for length in (0..=stored.len()).rev().step_by(step) {
        let (mut log, recovery) =
            recover(&stored[..length]).unwrap_or_else(|error| panic!("{length}: {error}"));
        let keep = recovery.keep_bytes as usize;
        assert!(keep <= length);
        assert_eq!(
            recovery.cut_bytes,
            stored[keep..length],
            "nothing is lost: the cut bytes come back"
        );
        assert_eq!(recovery.why.is_some(), keep < length);
        let mut file = stored[..keep].to_vec();
        recovery
            .writes
            .iter()
            .for_each(|write| file.extend(&write.bytes));
        file.extend(log.checkpoint(stamp(1)).unwrap().bytes);
        let after = entries_of(&file);
        assert_eq!(
            after[..recovery.entries as usize],
            whole[..recovery.entries as usize]
        );
        let Body::Boot(boot) = &after[recovery.entries as usize].body else {
            panic!("no boot entry")
        };
        match &boot.cut {
            Some(cut) => {
                assert_eq!(cut.bytes, (length - keep) as u64);
                assert_eq!(cut.digest, Hash::of(&[&stored[keep..length]]));
            }
            None => assert_eq!(keep, length),
        }
    }
}

#[test]
fn twice_in_a_row() {
    let mut file = Device::new().stored;
    let mut cut = 0;
    for boot in 2..20u8 {
        file.truncate(file.len() - usize::from(boot));
        let (_, recovery) = Log::recover(&file, setup(boot, boot, None), stamp(0)).unwrap();
        cut += usize::from(recovery.why.is_some());
        file.truncate(recovery.keep_bytes as usize);
        recovery
            .writes
            .iter()
            .for_each(|write| file.extend(&write.bytes));
    }
    assert_eq!(cut, 18);
    assert!(recover(&file).is_err() || !entries_of(&file).is_empty());
}

#[test]
fn zeros_after_the_last_line_are_a_cut() {
    let mut file = Device::new().stored;
    let whole = file.len();
    file.extend([0; 4096]);
    let (_, recovery) = recover(&file).unwrap();
    assert_eq!(recovery.keep_bytes as usize, whole);
    assert_eq!(recovery.cut_bytes.len(), 4096);
}

#[test]
fn a_flipped_bit_inside_is_damage_and_names_the_entry() {
    let device = Device::new();
    let mut device = device;
    everyday(&mut device, 20);
    device.checkpoint();
    let lines: Vec<usize> = std::iter::once(0)
        .chain(
            device
                .stored
                .iter()
                .enumerate()
                .filter(|(_, byte)| **byte == b'\n')
                .map(|(at, _)| at + 1),
        )
        .collect();
    let last_line = lines[lines.len() - 2];
    for bit in (0..device.stored.len() * 8).step_by(11) {
        let mut file = device.stored.clone();
        file[bit / 8] ^= 1 << (bit % 8);
        match recover(&file) {
            Err(LogError::Damaged(damage)) => {
                assert!(damage.byte as usize <= bit / 8, "{damage}");
                let before = &device.stored[..damage.byte as usize];
                let entries = before
                    .split(|byte| *byte == b'\n')
                    .filter(|line| line.starts_with(b"e "))
                    .count();
                assert_eq!(damage.entry, entries as u64, "{damage}");
            }
            Ok((_, recovery)) => {
                // The line end before the last line is the last one's affair too: both are cut, and named.
                assert!(bit / 8 + 1 >= last_line, "bit {bit} was not noticed");
                assert!(recovery.keep_bytes as usize <= last_line && recovery.why.is_some());
            }
            Err(other) => panic!("{other}"),
        }
    }
}

#[test]
fn an_edit_with_repaired_checksum_is_damage() {
    let story = Story::new(0);
    let text = String::from_utf8(story.device.stored.clone()).unwrap();
    let changed: String = text
        .lines()
        .map(|line| {
            let line = line.replace("call nine one one", "set a timer now ");
            let payload = &line[19..];
            let sum = Hash::of(&[&line.as_bytes()[..1], payload.as_bytes()]).to_string();
            format!("{} {} {payload}\n", &line[..1], &sum[..16])
        })
        .collect();
    assert_ne!(changed, text);
    let Err(LogError::Damaged(damage)) = recover(changed.as_bytes()) else {
        panic!("accepted")
    };
    assert!(damage.why.contains("not those it signed"), "{damage}");
}

#[test]
fn a_new_segment_names_the_damaged_one() {
    let mut file = Device::new().stored;
    file[30] ^= 1;
    let Err(LogError::Damaged(damage)) = recover(&file) else {
        panic!("accepted")
    };
    let mut next = setup(3, 60, None);
    next.origin = format!("{ORIGIN}/2");
    next.previous_segment = Some(damage.previous_segment(ORIGIN, &file));
    let (_, writes) = Log::create(next, stamp(0)).unwrap();
    let text = String::from_utf8(writes[0].bytes.clone()).unwrap();
    assert!(
        text.contains(ORIGIN) && text.contains(&Hash::of(&[&file]).to_string()),
        "{text}"
    );
}

#[test]
fn somebody_elses_log_is_damage() {
    let stored = Device::new().stored;
    let mut other = setup(2, 9, None);
    other.identity = IdentityKey::from_secret(&[42; 32]);
    assert!(matches!(
        Log::recover(&stored, other, stamp(0)),
        Err(LogError::Damaged(_))
    ));
    let mut renamed = setup(2, 9, None);
    renamed.origin = "hub.example/device/8".into();
    assert!(matches!(
        Log::recover(&stored, renamed, stamp(0)),
        Err(LogError::Damaged(_))
    ));
    assert!(matches!(
        Log::recover(&stored, setup(1, 9, None), stamp(0)),
        Err(LogError::BootReused)
    ));
    let large = vec![b'x'; 1 << 20];
    assert!(
        matches!(recover(&large), Err(LogError::Damaged(_))),
        "a large file that is no ledger is not thrown away"
    );
}

#[test]
fn a_kept_epoch_key_signs_its_successor() {
    let stored = Device::new().stored;
    for (previous, signed) in [(Some(0), true), (Some(7), false), (None, false)] {
        let (_, recovery) = Log::recover(&stored, setup(2, 1, previous), stamp(0)).unwrap();
        let text = String::from_utf8(recovery.writes[1].bytes.clone()).unwrap();
        assert_eq!(text.contains("by_previous"), signed);
    }
}

#[test]
fn names_that_notes_cannot_carry_fail_at_the_start() {
    for origin in ["", "a b", "a+b", "a\nb"] {
        let mut bad = setup(1, 0, None);
        bad.origin = origin.into();
        assert!(
            matches!(Log::create(bad, stamp(0)), Err(LogError::Note(_))),
            "{origin:?}"
        );
    }
}
