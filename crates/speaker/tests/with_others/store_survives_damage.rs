//! The device's folder after power losses and damage: what was whole stays, what is cut or damaged is kept aside, and the
//! next incident can be checked by a stranger.

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

/// Name of the log, and what its first entry says of the log before it.
fn of_the_log(folder: &Path) -> (String, serde_json::Value) {
    let log = fs::read_to_string(folder.join("log")).unwrap();
    let entry = log.lines().next().unwrap();
    let entry: serde_json::Value =
        serde_json::from_str(&entry[entry.find('{').unwrap()..]).unwrap();
    let checkpoint = log.lines().find(|line| line.starts_with("c ")).unwrap();
    let note: String = serde_json::from_str(&checkpoint[checkpoint.find('"').unwrap()..]).unwrap();
    (note.lines().next().unwrap().to_owned(), entry)
}

fn damaged(folder: &Path) -> Vec<u8> {
    let mut log = fs::read(folder.join("log")).unwrap();
    let middle = log.len() / 3;
    log[middle] ^= 0x04;
    fs::write(folder.join("log"), &log).unwrap();
    log
}

#[test]
fn a_power_loss_while_a_log_is_put_aside_never_begins_a_second_log_of_its_name() {
    let whole = two_starts();
    let (old_name, _) = of_the_log(whole.path());
    // What the disk has after each step; `origin.new` is the half-written file beside `origin`.
    for step in [
        "before",
        "renamed",
        "origin half written",
        "origin written",
        "log begun and torn",
        "a clock that went back",
    ] {
        let folder = copy_of(whole.path());
        let path = folder.path();
        let bytes = damaged(path);
        let aside_path = path.join("log.damaged-3000");
        let new_name = format!("{old_name}/3000");
        if step != "before" {
            fs::rename(path.join("log"), &aside_path).unwrap();
        }
        match step {
            "origin half written" => fs::write(path.join("origin.new"), "hearthline.lo").unwrap(),
            "origin written" => fs::write(path.join("origin"), &new_name).unwrap(),
            "log begun and torn" => {
                fs::write(path.join("origin"), &new_name).unwrap();
                fs::write(path.join("log"), &bytes[..40]).unwrap();
            }
            _ => {}
        }
        let wall_ms = if step == "a clock that went back" {
            10
        } else {
            3_000
        };
        one_start(path, wall_ms);
        let kept = aside(path, "log.damaged-");
        assert_eq!(kept.len(), 1, "{step}: {kept:?}");
        assert_eq!(
            fs::read(&kept[0]).unwrap(),
            bytes,
            "{step}: nothing is lost"
        );
        let (name, first) = of_the_log(path);
        assert_eq!(name, new_name, "{step}");
        let previous = &first["body"]["previous_segment"];
        assert_eq!(previous["origin"], old_name.as_str(), "{step}: {first}");
        assert_eq!(previous["bytes"], bytes.len(), "{step}: {first}");
        assert_eq!(
            previous["digest"],
            hearthline_ledger::Hash::of(&[&bytes]).to_string(),
            "{step}"
        );
        // The starts after that go on with it, also when the file put aside is moved away.
        assert_eq!(one_start(path, 4_000).0, Vec::<String>::new(), "{step}");
        fs::remove_file(&kept[0]).unwrap();
        assert_eq!(one_start(path, 5_000).0, Vec::<String>::new(), "{step}");
        assert_eq!(of_the_log(path).0, new_name, "{step}");
    }
}

#[test]
fn every_log_put_aside_is_followed_by_one_of_a_new_name() {
    let folder = two_starts();
    let path = folder.path();
    let mut names = vec![of_the_log(path).0];
    // The wall clock stands still: the numbers grow all the same.
    for _ in 0..3 {
        damaged(path);
        one_start(path, 3_000);
        let (name, first) = of_the_log(path);
        assert_eq!(
            first["body"]["previous_segment"]["origin"],
            names.last().unwrap().as_str()
        );
        assert!(!names.contains(&name), "{name}");
        names.push(name);
    }
    assert_eq!(aside(path, "log.damaged-").len(), 3);
}

#[test]
fn a_log_put_aside_keeps_its_name_when_those_before_it_were_moved_away() {
    for clock in [4_000, 3_000, 10] {
        let folder = two_starts();
        let path = folder.path();
        damaged(path);
        one_start(path, 3_000);
        let (second, _) = of_the_log(path);
        assert!(second.ends_with("/3000"), "{second}");
        // A person moves the old log to a safe place; the next one is damaged as well, whatever the clock says then.
        fs::remove_file(path.join("log.damaged-3000")).unwrap();
        damaged(path);
        one_start(path, clock);
        let (third, first) = of_the_log(path);
        assert_eq!(
            first["body"]["previous_segment"]["origin"],
            second.as_str(),
            "{clock}"
        );
        assert_ne!(third, second, "{clock}");
        // And moved away again before a power loss has let the log after it begin.
        let next = damaged(path);
        let newest = aside(path, "log.damaged-").pop().unwrap();
        fs::remove_file(newest).unwrap();
        fs::rename(path.join("log"), path.join("log.damaged-9000")).unwrap();
        one_start(path, clock);
        let (fourth, first) = of_the_log(path);
        let previous = &first["body"]["previous_segment"];
        assert_eq!(previous["origin"], third.as_str(), "{clock}");
        assert_eq!(previous["bytes"], next.len(), "{clock}");
        assert!(fourth.ends_with("/9000"), "{fourth}");
    }
}

#[test]
fn a_cut_never_overwrites_an_earlier_one() {
    let whole = two_starts();
    let path = whole.path();
    let mut cuts: Vec<Vec<u8>> = Vec::new();
    // The clock stands still.
    for tail in ["e {\"half", "e {\"another half", "e {\"a third"] {
        let mut log = fs::read(path.join("log")).unwrap();
        log.extend_from_slice(tail.as_bytes());
        fs::write(path.join("log"), log).unwrap();
        let (notices, _) = one_start(path, 3_000);
        assert!(
            notices[0].contains("are cut off and kept as"),
            "{notices:?}"
        );
        cuts.push(tail.into());
        let kept: Vec<Vec<u8>> = aside(path, "log.cut-")
            .iter()
            .map(|path| fs::read(path).unwrap())
            .collect();
        assert_eq!(kept, cuts);
    }
}

#[test]
fn a_log_larger_than_a_start_reads_is_put_aside_whole() {
    let folder = two_starts();
    let path = folder.path();
    let (old_name, _) = of_the_log(path);
    let length = hearthline_speaker::io::store::LOG_BYTES_MAX + 1;
    // A sparse file: it has the length, not the blocks.
    let log = fs::OpenOptions::new()
        .write(true)
        .open(path.join("log"))
        .unwrap();
    log.set_len(length).unwrap();
    let (notices, _) = one_start(path, 3_000);
    let [kept] = &aside(path, "log.large-")[..] else {
        panic!("{notices:?}")
    };
    assert_eq!(fs::metadata(kept).unwrap().len(), length);
    let [notice] = &notices[..] else {
        panic!("{notices:?}")
    };
    assert!(
        notice.contains(&length.to_string()) && notice.contains(kept.to_str().unwrap()),
        "{notice}"
    );
    let (name, first) = of_the_log(path);
    assert_eq!(name, format!("{old_name}/3000"));
    assert_eq!(
        first["body"]["previous_segment"]["bytes"], length,
        "{first}"
    );
    assert_eq!(
        first["body"]["previous_segment"]["origin"],
        old_name.as_str()
    );
    assert_eq!(one_start(path, 4_000).0, Vec::<String>::new());
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
