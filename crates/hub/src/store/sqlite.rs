//! The store on SQLite: one file, one writer, several readers.
//!
//! Write-ahead log with `synchronous = FULL`: what was answered with `Ok` is on the disk. Each change
//! runs in `BEGIN IMMEDIATE` on the one writing connection, so events are numbered in the order of commits.

mod address_books;
mod agendas;
mod bindings;
mod call_settings;
mod calls;
mod contacts;
mod devices;
mod documents;
mod events;
mod incidents;
mod invitations;
mod light_orders;
mod lines;
mod messages;
mod open;
mod people;
mod rooms;
mod sent_texts;
mod sessions;
mod sip_accounts;
mod standing;
mod tail;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{FlockOperation, flock};
use sqlx_core::pool::Pool;
use sqlx_core::query::query;
use sqlx_core::row::Row as _;
use sqlx_core::transaction::Transaction;
use sqlx_sqlite::{Sqlite, SqliteConnection, SqliteRow};

use crate::bus::Bus;
use crate::clock::UnixMs;
use crate::event::{Audience, Event, EventKind, StreamId};
use crate::store::{Answer, StoreError};
use standing::Standing;
use tail::Tail;

/// Where the database lies and how far it may grow.
#[derive(Debug, Clone)]
pub struct SqliteConfig {
    /// The folder; created when it is not there.
    pub folder: PathBuf,
    /// Largest database, in bytes; then [`StoreError::Full`]. None: as far as the disk goes.
    pub bytes_max: Option<u64>,
}

impl SqliteConfig {
    /// Without a limit.
    #[must_use]
    pub fn new(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            bytes_max: None,
        }
    }

    /// The database file.
    #[must_use]
    pub fn database(&self) -> PathBuf {
        self.folder.join("hub.sqlite")
    }
}

/// The store on SQLite.
pub struct SqliteStore {
    write: Pool<Sqlite>,
    read: Pool<Sqlite>,
    bus: Arc<dyn Bus>,
    tail: Arc<Tail>,
    standing: Arc<Standing>,
    folder: PathBuf,
    // Holds the folder for this process until it is closed or dropped.
    lock: std::fs::File,
}

impl SqliteStore {
    /// Closes every connection, so that the write-ahead log is folded into the file, and lets go of the folder.
    pub async fn close(&self) {
        self.read.close().await;
        self.write.close().await;
        // When unlocking fails, the lock goes with the file.
        let _ = flock(&self.lock, FlockOperation::Unlock);
    }

    async fn change(&self) -> Answer<Change> {
        let transaction = self.write.begin_with("BEGIN IMMEDIATE").await?;
        Ok(Change {
            transaction,
            events: Vec::new(),
            bus: self.bus.clone(),
            tail: self.tail.clone(),
            standing: self.standing.clone(),
        })
    }
}

/// One transaction. Dropped without [`Change::commit`], nothing has happened.
struct Change {
    transaction: Transaction<'static, Sqlite>,
    events: Vec<Event>,
    bus: Arc<dyn Bus>,
    tail: Arc<Tail>,
    standing: Arc<Standing>,
}

impl Change {
    fn on(&mut self) -> &mut SqliteConnection {
        &mut self.transaction
    }

    /// Takes the next place in the household's order and writes the event there.
    async fn event(
        &mut self,
        kind: EventKind,
        audience: Audience,
        subject: impl std::fmt::Display,
        at: UnixMs,
    ) -> Answer<StreamId> {
        let place = self.places(1).await?;
        let event = Event {
            stream_id: place,
            kind,
            audience,
            subject: subject.to_string(),
            at,
        };
        query("INSERT INTO events (stream_id, kind, audience, subject, at) VALUES (?, ?, ?, ?, ?)")
            .bind(place.0)
            .bind(kind.as_str())
            .bind(event.audience.key())
            .bind(event.subject.clone())
            .bind(at.0)
            .execute(self.on())
            .await?;
        self.events.push(event);
        Ok(place)
    }

    /// Takes so many places in the household's order; the first of them.
    async fn places(&mut self, count: i64) -> Answer<StreamId> {
        let row = query("UPDATE home SET stream_id = stream_id + ? RETURNING stream_id")
            .bind(count)
            .fetch_one(self.on())
            .await?;
        let last: i64 = row.try_get(0)?;
        Ok(StreamId(last - count + 1))
    }

    async fn commit(self) -> Answer<()> {
        let concerns =
            |event: &Event| matches!(event.kind, EventKind::Devices | EventKind::DeviceRevoked);
        if self.events.iter().any(concerns) {
            let changing = self.standing.changing();
            self.transaction.commit().await?;
            changing.done();
        } else {
            self.transaction.commit().await?;
        }
        if let Some(newest) = self.events.last().map(|event| event.stream_id) {
            self.tail.add(self.events);
            self.bus.announce(newest).await;
        }
        Ok(())
    }
}

/// A column that is text of some type.
fn parsed<T: std::str::FromStr>(row: &SqliteRow, column: &'static str) -> Answer<T> {
    let text: &str = row.try_get(column)?;
    text.parse().map_err(|_| StoreError::Unreadable(column))
}

/// The same where it may be missing.
fn parsed_or_none<T: std::str::FromStr>(
    row: &SqliteRow,
    column: &'static str,
) -> Answer<Option<T>> {
    let text: Option<&str> = row.try_get(column)?;
    text.map(|text| text.parse().map_err(|_| StoreError::Unreadable(column)))
        .transpose()
}

/// A column read by a function that knows the spelling.
fn read_as<T>(
    row: &SqliteRow,
    column: &'static str,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Answer<T> {
    parse(row.try_get(column)?).ok_or(StoreError::Unreadable(column))
}

/// A column checked as the API checks it.
fn checked<T: TryFrom<String>>(row: &SqliteRow, column: &'static str) -> Answer<T> {
    let text: String = row.try_get(column)?;
    T::try_from(text).map_err(|_| StoreError::Unreadable(column))
}

/// The same where it may be missing.
fn checked_or_none<T: TryFrom<String>>(row: &SqliteRow, column: &'static str) -> Answer<Option<T>> {
    let text: Option<String> = row.try_get(column)?;
    text.map(|text| T::try_from(text).map_err(|_| StoreError::Unreadable(column)))
        .transpose()
}

/// A time.
fn time(row: &SqliteRow, column: &'static str) -> Answer<UnixMs> {
    Ok(UnixMs(row.try_get(column)?))
}

/// A time that may be missing.
fn time_or_none(row: &SqliteRow, column: &'static str) -> Answer<Option<UnixMs>> {
    let at: Option<i64> = row.try_get(column)?;
    Ok(at.map(UnixMs))
}

/// A number that fits.
fn number<T: TryFrom<i64>>(row: &SqliteRow, column: &'static str) -> Answer<T> {
    let number: i64 = row.try_get(column)?;
    T::try_from(number).map_err(|_| StoreError::Unreadable(column))
}

/// Says what is taken when a unique column refuses.
fn taken(what: &'static str, field: &'static str) -> impl Fn(sqlx_core::Error) -> StoreError {
    move |error| match StoreError::from(error) {
        StoreError::Taken { .. } => StoreError::Taken { what, field },
        other => other,
    }
}

/// Whether a row was there to be changed.
fn found(rows: u64, what: &'static str) -> Answer<()> {
    if rows == 0 {
        Err(StoreError::NotFound(what))
    } else {
        Ok(())
    }
}
