//! Opening: lock, check, back up, migrate.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rustix::fs::{FlockOperation, flock};
use sqlx_core::connection::ConnectOptions as _;
use sqlx_core::connection::Connection as _;
use sqlx_core::pool::PoolOptions;
use sqlx_core::query::query;
use sqlx_core::raw_sql::raw_sql;
use sqlx_core::row::Row as _;
use sqlx_sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};

use super::{SqliteConfig, SqliteStore};
use crate::bus::Bus;
use crate::store::{Answer, StoreError};

/// Numbered from 1; a migration that has been released is never edited.
const MIGRATIONS: &[&str] = &[
    include_str!("../../../migrations/0001_home.sql"),
    include_str!("../../../migrations/0002_bindings.sql"),
    include_str!("../../../migrations/0003_sip_accounts.sql"),
    include_str!("../../../migrations/0004_limits.sql"),
    include_str!("../../../migrations/0005_lines.sql"),
    include_str!("../../../migrations/0006_cards.sql"),
    include_str!("../../../migrations/0007_call_settings.sql"),
    include_str!("../../../migrations/0008_address_books.sql"),
    include_str!("../../../migrations/0009_announcements.sql"),
    include_str!("../../../migrations/0010_books_both_ways.sql"),
    include_str!("../../../migrations/0011_callers.sql"),
    include_str!("../../../migrations/0012_telephone_incidents.sql"),
    include_str!("../../../migrations/0013_documents.sql"),
    include_str!("../../../migrations/0014_line_half_hours.sql"),
    include_str!("../../../migrations/0015_incident_bundles.sql"),
    include_str!("../../../migrations/0016_sent_texts.sql"),
    include_str!("../../../migrations/0017_calls_between_lines.sql"),
    include_str!("../../../migrations/0018_agendas.sql"),
    include_str!("../../../migrations/0019_light_orders.sql"),
];
/// "HRTH": SQLite files of other programs are left alone.
const APPLICATION_ID: i64 = 0x4852_5448;
/// How long a statement waits for another process's lock.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Connections that read.
const READERS_MAX: u32 = 4;
/// A backup at least this old is made anew at the start.
const BACKUP_EVERY: Duration = Duration::from_secs(24 * 3_600);
const PAGE_BYTES: u64 = 4_096;

impl SqliteStore {
    /// Opens the database, made anew, upgraded or as it is. Commits are announced on `bus`.
    ///
    /// An older database is backed up and upgraded; a newer, damaged or foreign one is refused and
    /// left untouched.
    ///
    /// # Errors
    /// [`StoreError`], with what to do.
    pub async fn open(config: &SqliteConfig, bus: Arc<dyn Bus>) -> Answer<Self> {
        // One that is made here is for its owner alone.
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&config.folder)
            .map_err(at(&config.folder))?;
        let lock = lock(&config.folder)?;
        let path = config.database();
        let outcome = Self::open_locked(config, &path, bus, lock).await;
        // The bare code of SQLite says neither which file nor where the backup is.
        outcome.map_err(|error| match error {
            StoreError::Corrupt { detail, .. } => StoreError::Corrupt {
                backup: newest_backup(&config.folder),
                path,
                detail,
            },
            other => other,
        })
    }

    async fn open_locked(
        config: &SqliteConfig,
        path: &Path,
        bus: Arc<dyn Bus>,
        lock: File,
    ) -> Answer<Self> {
        let options = options(config);
        // Asked before anything is set: the journal's mode stands in the file, which may be another program's.
        let mut asking = options.clone().connect().await?;
        let version = version_of(&mut asking, path).await?;
        asking.close().await?;
        let options = options.journal_mode(SqliteJournalMode::Wal);
        {
            let mut connection = options.connect().await?;
            check(&mut connection, path).await?;
            if version > 0 && version < newest() {
                let name = format!("hub.before-upgrade-{version}.sqlite");
                back_up(&mut connection, &config.folder.join(name)).await?;
            }
            migrate(&mut connection, version).await?;
            let daily = config.folder.join("hub.backup.sqlite");
            if is_old(&daily) {
                // A start without a fresh backup beats no start.
                if let Err(error) = back_up(&mut connection, &daily).await {
                    tracing::warn!(%error, "no backup of the database was made");
                }
            }
            connection.close().await?;
        }
        let write = PoolOptions::new()
            .max_connections(1)
            .acquire_timeout(BUSY_TIMEOUT * 6)
            .test_before_acquire(false) // it is tested when it comes back, and no wire can break
            // A full disk makes SQLite end a transaction by itself. The connection still counts one, and would begin no
            // other: it gives way to a new one.
            .before_acquire(|connection: &mut SqliteConnection, _| {
                let usable = !connection.is_in_transaction();
                Box::pin(async move { Ok(usable) })
            })
            .connect_with(options.clone())
            .await?;
        let read = PoolOptions::new()
            .max_connections(READERS_MAX)
            .acquire_timeout(BUSY_TIMEOUT * 6)
            .test_before_acquire(false) // the same
            .connect_with(options.pragma("query_only", "ON"))
            .await?;
        Ok(Self {
            write,
            read,
            bus,
            tail: Arc::default(),
            standing: Arc::default(),
            folder: config.folder.clone(),
            lock,
        })
    }

    /// Writes a whole copy beside the database and answers where.
    ///
    /// # Errors
    /// [`StoreError`]; the backup of before is kept.
    pub async fn back_up(&self) -> Answer<PathBuf> {
        let target = self.folder.join("hub.backup.sqlite");
        let mut connection = self.write.acquire().await?;
        back_up(&mut connection, &target).await?;
        Ok(target)
    }
}

fn newest() -> i64 {
    i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX)
}

fn at(path: &Path) -> impl Fn(io::Error) -> StoreError {
    let path = path.to_owned();
    move |source| match source.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StoreError::Full,
        io::ErrorKind::ReadOnlyFilesystem => StoreError::ReadOnly,
        _ => StoreError::File {
            path: path.clone(),
            source,
        },
    }
}

/// One hub per folder: two would both answer for the same devices.
fn lock(folder: &Path) -> Answer<File> {
    let path = folder.join("hub.lock");
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path)
        .map_err(at(&path))?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(file),
        Err(rustix::io::Errno::WOULDBLOCK) => Err(StoreError::Locked),
        Err(error) => Err(at(&path)(error.into())),
    }
}

fn options(config: &SqliteConfig) -> SqliteConnectOptions {
    let path = config.database();
    // Made here so that nobody else may ever read it, also not for a moment.
    let _made = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path);
    let mut options = SqliteConnectOptions::new()
        .filename(&path)
        .create_if_missing(true)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(BUSY_TIMEOUT)
        .pragma("trusted_schema", "OFF")
        .pragma("secure_delete", "ON");
    if let Some(bytes) = config.bytes_max {
        options = options.pragma("max_page_count", (bytes / PAGE_BYTES).max(1).to_string());
    }
    // Statements hold personal data in no log.
    options.disable_statement_logging()
}

async fn pragma(connection: &mut SqliteConnection, text: &'static str) -> Answer<i64> {
    let row = query(text).fetch_one(connection).await?;
    Ok(row.try_get(0)?)
}

/// The version of the database, 0 when it is new.
async fn version_of(connection: &mut SqliteConnection, path: &Path) -> Answer<i64> {
    let version = pragma(connection, "PRAGMA user_version").await?;
    let application = pragma(connection, "PRAGMA application_id").await?;
    let tables = pragma(connection, "SELECT count(*) FROM sqlite_schema").await?;
    if tables > 0 && application != APPLICATION_ID {
        return Err(StoreError::NotOurs(path.to_owned()));
    }
    if version > newest() {
        return Err(StoreError::TooNew {
            found: version,
            known: newest(),
        });
    }
    Ok(version)
}

async fn check(connection: &mut SqliteConnection, path: &Path) -> Answer<()> {
    let row = query("PRAGMA quick_check(1)").fetch_one(connection).await?;
    let says: String = row.try_get(0)?;
    if says == "ok" {
        return Ok(());
    }
    Err(StoreError::Corrupt {
        path: path.to_owned(),
        detail: says,
        backup: None,
    })
}

/// Each migration and its number in one transaction: a kill leaves the database before or after it.
async fn migrate(connection: &mut SqliteConnection, from: i64) -> Answer<()> {
    for (version, text) in (1..)
        .zip(MIGRATIONS)
        .skip_while(|(version, _)| *version <= from)
    {
        let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
        raw_sql(*text).execute(&mut *transaction).await?;
        let mark =
            format!("PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {version}");
        raw_sql(sqlx_core::sql_str::AssertSqlSafe(mark))
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        tracing::info!(version, "the database has been brought to this version");
    }
    Ok(())
}

/// A whole, checked copy: written beside and renamed, so that the old backup stays until the new one is whole.
async fn back_up(connection: &mut SqliteConnection, target: &Path) -> Answer<()> {
    let fresh = target.with_extension("new");
    let _ = fs::remove_file(&fresh);
    let text = fresh
        .to_str()
        .ok_or(StoreError::Refused("the data folder's path is not UTF-8"))?;
    // Made first with the mode that it is to have; VACUUM INTO accepts an empty file.
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&fresh)
        .map_err(at(&fresh))?;
    query("VACUUM INTO ?")
        .bind(text)
        .execute(connection)
        .await?;
    File::open(&fresh)
        .and_then(|file| file.sync_all())
        .and_then(|()| fs::rename(&fresh, target))
        .map_err(at(target))
}

fn is_old(path: &Path) -> bool {
    let age = fs::metadata(path)
        .and_then(|metadata| metadata.modified())
        .map(|modified| {
            SystemTime::now()
                .duration_since(modified)
                .unwrap_or_default()
        });
    age.map_or(true, |age| age >= BACKUP_EVERY)
}

fn newest_backup(folder: &Path) -> Option<PathBuf> {
    let mut backups: Vec<(SystemTime, PathBuf)> = fs::read_dir(folder)
        .ok()?
        .flatten()
        .filter(|entry| {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            name == "hub.backup.sqlite" || name.starts_with("hub.before-upgrade-")
        })
        .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
        .collect();
    backups.sort();
    backups.pop().map(|(_, path)| path)
}
