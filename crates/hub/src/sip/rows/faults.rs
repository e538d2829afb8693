//! Rows that wait while the database takes none, and what is said of it.

use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sqlx_core::connection::ConnectOptions as _;
use sqlx_core::raw_sql::raw_sql;
use sqlx_sqlite::{SqliteConnectOptions, SqliteConnection};

use tokio::sync::mpsc;
use tokio::time::Instant;

use super::{BATCHES_MAX, Batch, write};
use crate::bus::LocalBus;
use crate::call::{Call, CallState, Direction};
use crate::clock::{Clock, UnixMs};
use crate::id::CallId;
use crate::number::Number;
use crate::store::{Calls as _, Incidents as _, SqliteConfig, SqliteStore};

const NUMBER: &str = "+493055501234";

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Log {
    /// What is said in this thread goes here, as long as that is held.
    fn here(&self) -> tracing::subscriber::DefaultGuard {
        let writer = self.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_ansi(false)
            .with_writer(move || writer.clone());
        tracing::subscriber::set_default(subscriber.finish())
    }

    fn lines(&self, words: &str) -> Vec<String> {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        assert!(!text.contains("5550"), "a number: {text}");
        let lines = text.lines().filter(|line| line.contains(words));
        lines.map(str::to_owned).collect()
    }

    async fn says(&self, words: &str) {
        let began = Instant::now();
        while self.lines(words).is_empty() {
            assert!(began.elapsed() < Duration::from_secs(60), "{words}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

fn call(number: usize) -> Batch {
    let (id, began) = (CallId::random().unwrap(), UnixMs(1_800_000_000_000));
    let call = Call {
        number: Some(Number::new(NUMBER).unwrap()),
        emergency: number.is_multiple_of(100),
        state: CallState::Ended,
        ended_at_ms: Some(UnixMs(1_800_000_001_000)),
        ..Call::beginning(id, Direction::Outgoing, began)
    };
    Batch::Calls(vec![call])
}

struct Scene {
    store: Arc<SqliteStore>,
    other: SqliteConnection,
    rows: mpsc::Sender<Batch>,
    writing: tokio::task::JoinHandle<()>,
    log: Log,
}

impl Scene {
    async fn of(folder: &Path, log: &Log) -> Self {
        let mut config = SqliteConfig::new(folder);
        config.bytes_max = Some(512 * 4_096);
        let bus = Arc::new(LocalBus::default());
        let store = Arc::new(SqliteStore::open(&config, bus).await.unwrap());
        let options = SqliteConnectOptions::new().filename(config.database());
        let options = options.busy_timeout(Duration::from_secs(60));
        let (rows, batches) = mpsc::channel(BATCHES_MAX);
        // Nobody registers here.
        let (news, _) = mpsc::channel(1);
        let clock = Clock::default();
        Self {
            writing: tokio::spawn(write(store.clone(), clock, batches, news)),
            other: options.connect().await.unwrap(),
            store,
            rows,
            log: log.clone(),
        }
    }

    async fn does(&mut self, what: &'static str) {
        raw_sql(what).execute(&mut self.other).await.unwrap();
    }

    /// It waits, is said once, and is all there when the fault is over.
    async fn bears(mut self, count: usize, over: &'static str, why: &str) {
        for number in 0..count {
            self.rows.send(call(number)).await.unwrap();
        }
        self.log.says("takes no rows").await;
        assert_eq!(self.log.lines(why).len(), 1, "said once, with the reason");
        self.does(over).await;
        self.log.says("takes rows again").await;
        drop(self.rows);
        self.writing.await.unwrap();
        let calls = self.store.calls(u32::MAX).await.unwrap();
        assert_eq!(calls.len(), count);
        let help = calls.iter().filter(|call| call.emergency).count();
        let incidents = self.store.incidents(1_000).await.unwrap();
        assert_eq!(incidents.len(), help);
        assert_eq!(self.log.lines("lost=0").len(), 1);
        assert!(self.log.lines("not written").is_empty());
    }
}

#[tokio::test]
async fn rows_wait_while_the_database_is_locked() {
    let (folder, log) = (tempfile::tempdir().unwrap(), Log::default());
    let _here = log.here();
    let mut scene = Scene::of(folder.path(), &log).await;
    scene.does("BEGIN EXCLUSIVE").await;
    scene
        .bears(1_000, "ROLLBACK", "locked by another process")
        .await;
}

#[tokio::test]
async fn rows_wait_while_the_disk_is_full() {
    let (folder, log) = (tempfile::tempdir().unwrap(), Log::default());
    let _here = log.here();
    let mut scene = Scene::of(folder.path(), &log).await;
    scene
        .does("PRAGMA max_page_count = 512; CREATE TABLE filler (bytes BLOB)")
        .await;
    let insert = "INSERT INTO filler VALUES (zeroblob(65536))";
    while raw_sql(insert).execute(&mut scene.other).await.is_ok() {}
    scene
        .bears(1_000, "DROP TABLE filler", "the disk is full")
        .await;
}

#[tokio::test]
async fn a_hub_that_stops_says_what_it_could_not_write() {
    let (folder, log) = (tempfile::tempdir().unwrap(), Log::default());
    let _here = log.here();
    let mut scene = Scene::of(folder.path(), &log).await;
    scene.does("BEGIN EXCLUSIVE").await;
    for number in 1..=3 {
        scene.rows.send(call(number)).await.unwrap();
    }
    drop(scene.rows);
    scene.writing.await.unwrap();
    let said = log.lines("these rows were not written");
    assert!(said.len() == 1 && said[0].contains("calls=3"), "{said:?}");
}
