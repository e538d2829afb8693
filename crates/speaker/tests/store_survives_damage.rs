//! The device's folder after power losses and damage: what was whole stays, what is cut or damaged is kept aside, and the
//! next incident can be checked by a stranger.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

use hearthline_ledger::{Exit, TrustPolicy, verify};
use hearthline_speaker::io::store::{Opened, Store, StoreError};

const NOW: Duration = Duration::from_secs(5);

/// A start of the device: opens the folder, records one incident, exports it, ends. Gives the notices and the bundle.
fn one_start(folder: &Path, wall_ms: u64) -> (Vec<String>, PathBuf) {
    let (store, opened) = Store::open_or_replace(folder, wall_ms, NOW).unwrap();
    let Opened {
        mut recorder,
        notices,
        ..
    } = opened;
    let (trouble, troubles) = mpsc::channel();
    let writer = store
        .writer(|_| {}, move |what| drop(trouble.send(what)))
        .unwrap();
    recorder.begin_incident();
    let incident = recorder.incident().unwrap().clone();
    for number in 0..4_u64 {
        recorder.speech("calling", NOW + Duration::from_millis(10 * number));
    }
    recorder.human(
        "cancel",
        "voice",
        "cancelled",
        NOW + Duration::from_millis(50),
    );
    recorder.end_incident(
        "cancelled",
        "the caller",
        None,
        NOW + Duration::from_millis(60),
    );
    while let Some(keep) = recorder.poll_keep() {
        writer.keep(keep);
    }
    assert!(writer.flush(Duration::from_secs(5)));
    assert_eq!(recorder.refused_entries(), 0);
    let (path, bundle) = store
        .export(recorder.log(), &incident, wall_ms + 1)
        .unwrap();
    let report = verify(&bundle.bytes, &TrustPolicy::none());
    assert_eq!(report.exit, Exit::Unwitnessed, "{report}");
    assert_eq!(fs::read(&path).unwrap(), bundle.bytes);
    drop(writer);
    assert_eq!(troubles.try_iter().count(), 0);
    (notices, path)
}

fn aside(folder: &Path, prefix: &str) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.file_name()
                .unwrap()
                .to_string_lossy()
                .starts_with(prefix)
        })
        .collect();
    found.sort();
    found
}

/// A folder with the records of two starts, copied.
fn copy_of(folder: &Path) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    for name in ["identity.key", "log"] {
        fs::copy(folder.join(name), copy.path().join(name)).unwrap();
    }
    copy
}

fn two_starts() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(one_start(folder.path(), 1_000).0, Vec::<String>::new());
    assert_eq!(one_start(folder.path(), 2_000).0, Vec::<String>::new());
    folder
}

#[test]
fn a_log_torn_anywhere_goes_on() {
    let whole = two_starts();
    let log = fs::read(whole.path().join("log")).unwrap();
    let mut random = 0x2545_f491_4f6c_dd1d_u64;
    let mut torn_inside = 0;
    for _ in 0..20 {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let length = 1 + usize::try_from(random % (log.len() as u64 - 1)).unwrap();
        let folder = copy_of(whole.path());
        fs::write(folder.path().join("log"), &log[..length]).unwrap();
        let (notices, _) = one_start(folder.path(), 3_000);
        let cut: Vec<u8> = aside(folder.path(), "log.cut-")
            .iter()
            .flat_map(|path| fs::read(path).unwrap())
            .collect();
        let kept = length - cut.len();
        assert!(
            log[..length].ends_with(&cut),
            "torn at {length}: what was cut is kept"
        );
        let now = fs::read(folder.path().join("log")).unwrap();
        assert_eq!(
            now[..kept],
            log[..kept],
            "torn at {length}: what was whole stays"
        );
        assert!(now.len() > kept, "torn at {length}");
        assert!(
            aside(folder.path(), "log.damaged-").is_empty(),
            "torn at {length}: a torn end is no damage"
        );
        if cut.is_empty() {
            assert_eq!(notices, Vec::<String>::new());
        } else {
            torn_inside += 1;
            let [notice] = &notices[..] else {
                panic!("{notices:?}")
            };
            assert!(
                notice.contains(&format!("its last {} bytes are cut off", cut.len())),
                "{notice}"
            );
            assert!(notice.contains("log.cut-3000"), "{notice}");
        }
        // And the start after that finds nothing to say.
        assert_eq!(
            one_start(folder.path(), 4_000).0,
            Vec::<String>::new(),
            "torn at {length}"
        );
    }
    assert!(
        torn_inside >= 15,
        "{torn_inside} of 20 were torn inside an entry"
    );
}

#[test]
fn a_byte_flipped_in_the_middle_begins_a_new_log_that_names_the_old() {
    let whole = two_starts();
    let log = fs::read(whole.path().join("log")).unwrap();
    for part in 1..10 {
        let folder = copy_of(whole.path());
        let mut damaged = log.clone();
        damaged[log.len() * part / 10] ^= 0x04;
        fs::write(folder.path().join("log"), &damaged).unwrap();
        let (notices, _) = one_start(folder.path(), 3_000);
        let kept = aside(folder.path(), "log.damaged-");
        if kept.is_empty() {
            // In the very last write a flipped byte is a torn end.
            assert_eq!(aside(folder.path(), "log.cut-").len(), 1, "part {part}");
            continue;
        }
        assert_eq!(kept.len(), 1, "part {part}");
        assert_eq!(
            fs::read(&kept[0]).unwrap(),
            damaged,
            "part {part}: the old bytes are kept as they were"
        );
        let [notice] = &notices[..] else {
            panic!("{notices:?}")
        };
        assert!(
            notice.starts_with("the old record is damaged at entry "),
            "{notice}"
        );
        assert!(notice.contains(kept[0].to_str().unwrap()), "{notice}");
        assert!(
            fs::read_to_string(folder.path().join("log"))
                .unwrap()
                .contains("previous_segment"),
            "the new log names the old"
        );
        assert_eq!(
            one_start(folder.path(), 4_000).0,
            Vec::<String>::new(),
            "part {part}"
        );
    }
}

#[test]
fn a_folder_that_cannot_be_opened_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    // Below a file no folder can be made, whoever asks.
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let (notices, bundle) = one_start(&file.join("device"), 1_000);
    let [notice] = &notices[..] else {
        panic!("{notices:?}")
    };
    assert!(
        notice.starts_with("the record cannot be kept in ") && notice.contains("file/device"),
        "{notice}"
    );
    assert!(
        bundle.starts_with(std::env::temp_dir()),
        "{}",
        bundle.display()
    );
    let place = bundle.parent().unwrap().parent().unwrap();
    assert!(notice.contains(place.to_str().unwrap()), "{notice}");
    fs::remove_dir_all(place).unwrap();
}

#[test]
fn a_damaged_key_does_not_stop_the_device() {
    let whole = two_starts();
    let (key, log) = (
        whole.path().join("identity.key"),
        fs::read(whole.path().join("log")).unwrap(),
    );
    fs::write(&key, b"short").unwrap();
    let (notices, bundle) = one_start(whole.path(), 3_000);
    assert!(
        notices[0].contains("the key must have 32 bytes"),
        "{notices:?}"
    );
    assert_eq!(
        fs::read(&key).unwrap(),
        b"short",
        "the old folder is left as it is"
    );
    assert_eq!(fs::read(whole.path().join("log")).unwrap(), log);
    fs::remove_dir_all(bundle.parent().unwrap().parent().unwrap()).unwrap();
}

#[test]
fn two_devices_never_write_one_record() {
    let folder = tempfile::tempdir().unwrap();
    let (_store, _opened) = Store::open_or_replace(folder.path(), 1_000, NOW).unwrap();
    let second = Store::open_or_replace(folder.path(), 1_000, NOW).map(|_| ());
    assert!(matches!(second, Err(StoreError::Busy(_))), "{second:?}");
}
