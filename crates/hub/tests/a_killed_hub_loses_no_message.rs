//! kill -9 at any moment, again and again: 10,000 messages, each in the mailbox once, each received once by a reader
//! that acknowledges and is killed as well.
//!
//! The writer and the reader are this test binary itself, started with the environment variables below.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::HashMap;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use hearthline_hub::bus::LocalBus;
use hearthline_hub::clock::UnixMs;
use hearthline_hub::event::StreamId;
use hearthline_hub::message::{DeliveryState, MessageBody, NewMessage, Recipients};
use hearthline_hub::person::{Party, PersonFields};
use hearthline_hub::store::{
    Events as _, Messages as _, People as _, SqliteConfig, SqliteStore, StoreError,
};
use serde_json::json;

const MESSAGES: u32 = 10_000;
const NOW: UnixMs = UnixMs(1_800_000_000_000);
const FOLDER: &str = "HEARTH_TEST_FOLDER";
const SELF: &str = "HEARTH_TEST_PART";

fn read<T: serde::de::DeserializeOwned>(value: serde_json::Value) -> T {
    serde_json::from_value(value).unwrap()
}

async fn open(folder: &Path) -> SqliteStore {
    // The killed process's lock goes with it, but perhaps not at the same moment.
    let began = Instant::now();
    loop {
        let opened =
            SqliteStore::open(&SqliteConfig::new(folder), Arc::new(LocalBus::default())).await;
        match opened {
            Err(StoreError::Locked) if began.elapsed() < Duration::from_secs(10) => {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            other => return other.expect("the database opens after a kill"),
        }
    }
}

async fn parties(store: &SqliteStore) -> (Party, Party) {
    let people = store.people().await.unwrap();
    let named = |name: &str| {
        let person = people
            .iter()
            .find(|person| person.fields.name.as_str() == name);
        Party::Person(person.unwrap().id)
    };
    (named("anna"), named("bert"))
}

/// Sends from the first message that it has no note of; repeats what it cannot know to have been stored.
async fn write(folder: &Path) {
    let store = open(folder).await;
    let (anna, bert) = parties(&store).await;
    let note = folder.join("sent");
    let from = lines(&note).len();
    let mut note = OpenOptions::new()
        .create(true)
        .append(true)
        .open(note)
        .unwrap();
    for n in u32::try_from(from).unwrap()..MESSAGES {
        let message = NewMessage {
            client_id: read(json!(format!("m{n}"))),
            from: anna,
            to: Recipients::These(vec![bert]),
            body: MessageBody::Text(read(json!(format!("message {n}")))),
            outside: None,
            announcement: false,
            reminder_due: None,
            expires_at: NOW.plus_ms(1_000_000),
        };
        store.send_message(&message, NOW).await.unwrap();
        writeln!(note, "{n}").unwrap();
    }
}

/// Fetches after the last sequence in its own record, records, acknowledges.
async fn receive(folder: &Path) {
    let store = open(folder).await;
    let (_, bert) = parties(&store).await;
    let record = folder.join("received");
    let known = lines(&record);
    let last = known
        .last()
        .and_then(|line| line.split(' ').next()?.parse().ok());
    let mut after = StreamId(last.unwrap_or(0));
    let mut record = OpenOptions::new()
        .create(true)
        .append(true)
        .open(record)
        .unwrap();
    // What was recorded before the kill and not acknowledged is acknowledged now.
    let seen: Vec<_> = store
        .mailbox(bert, StreamId(0), MESSAGES, true, NOW)
        .await
        .unwrap()
        .into_iter()
        .filter(|message| message.sequence <= after)
        .map(|message| message.id)
        .collect();
    store
        .acknowledge(bert, &seen, DeliveryState::Delivered, NOW)
        .await
        .unwrap();
    loop {
        let batch = store.mailbox(bert, after, 20, false, NOW).await.unwrap();
        let Some(last) = batch.last() else { return };
        after = last.sequence;
        let mut ids = Vec::new();
        for message in &batch {
            // One write call each: a kill leaves whole lines.
            let line = format!(
                "{} {}\n",
                message.sequence.0,
                message.text.as_ref().unwrap().as_str()
            );
            record.write_all(line.as_bytes()).unwrap();
            ids.push(message.id);
        }
        store
            .acknowledge(bert, &ids, DeliveryState::Delivered, NOW)
            .await
            .unwrap();
    }
}

fn lines(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

/// One part as a process of its own.
fn start(part: &str, folder: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "part", "--nocapture"])
        .env(SELF, part)
        .env(FOLDER, folder)
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

/// Not a test by itself: the body of the processes that are killed.
#[tokio::test]
async fn part() {
    let Ok(part) = std::env::var(SELF) else {
        return;
    };
    let folder = PathBuf::from(std::env::var(FOLDER).unwrap());
    match part.as_str() {
        "write" => write(&folder).await,
        _ => receive(&folder).await,
    }
}

/// Runs a part to its end through kills after 30 to 430 ms from a fixed seed.
fn run_through_kills(part: &str, folder: &Path, seed: &mut u64, kills_max: u32) -> u32 {
    let mut kills = 0;
    loop {
        *seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let lives = Duration::from_millis(30 + (*seed >> 33) % 400);
        let mut child = start(part, folder);
        let began = Instant::now();
        loop {
            if let Some(status) = child.try_wait().unwrap() {
                assert!(status.success(), "{part} failed by itself");
                return kills;
            }
            if kills < kills_max && began.elapsed() >= lives {
                child.kill().unwrap();
                child.wait().unwrap();
                kills += 1;
                break;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

#[tokio::test]
async fn ten_thousand_messages_survive_every_kill() {
    let folder = tempfile::tempdir().unwrap();
    {
        let store = open(folder.path()).await;
        for (name, role) in [("anna", "owner"), ("bert", "adult")] {
            let fields: PersonFields = read(json!({"name": name, "role": role}));
            store.add_person(&fields, NOW).await.unwrap();
        }
        store.close().await;
    }
    let mut seed = 0x5EED;
    let path = folder.path().to_owned();
    let kills = tokio::task::spawn_blocking(move || {
        run_through_kills("write", &path, &mut seed, 60)
            + run_through_kills("receive", &path, &mut seed, 60)
    })
    .await
    .unwrap();
    println!("killed {kills} times");
    assert!(kills >= 5, "only {kills} kills: the test showed little");
    let received = lines(&folder.path().join("received"));
    let mut times: HashMap<String, u32> = HashMap::new();
    for line in &received {
        *times
            .entry(line.split_once(' ').unwrap().1.to_owned())
            .or_default() += 1;
    }
    for n in 0..MESSAGES {
        assert_eq!(times.get(&format!("message {n}")), Some(&1), "message {n}");
    }
    assert_eq!(received.len(), MESSAGES as usize);
    let store = open(folder.path()).await;
    let (_, bert) = parties(&store).await;
    assert_eq!(
        store.waiting(bert, NOW).await.unwrap(),
        0,
        "all acknowledged"
    );
    // The outbox kept step: one event for each person, message and receipt, without a gap.
    let (oldest, newest) = store.event_range().await.unwrap();
    let events = store.events_after(StreamId(0), u32::MAX).await.unwrap();
    assert_eq!(
        (oldest, i64::try_from(events.len()).unwrap()),
        (StreamId(1), newest.0)
    );
    // Two people, each message once, each receipt in two mailboxes.
    assert_eq!(events.len(), 2 + 3 * MESSAGES as usize);
}
