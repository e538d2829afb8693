//! What can go wrong with the truth, and what to do then.

use std::path::PathBuf;

use crate::entropy::NoEntropy;

/// Why the store did not do it. The first five are about the request, the rest about the database.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// No such thing.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// Another one has it already.
    #[error("another {what} has this {field} already")]
    Taken {
        /// What there is.
        what: &'static str,
        /// What must be unique.
        field: &'static str,
    },
    /// It names something that is not there.
    #[error("it names a room, person or device that does not exist")]
    Dangling,
    /// As many as may be.
    #[error("there are {max} of {what} already; remove some first")]
    Limit {
        /// What.
        what: &'static str,
        /// The limit.
        max: u32,
    },
    /// A refusal by policy.
    #[error("{0}")]
    Refused(&'static str),
    /// No space is left.
    #[error(
        "the database cannot grow: the disk is full or the database has reached its size limit. Nothing was lost; make space and try again"
    )]
    Full,
    /// It cannot be written.
    #[error(
        "the database cannot be written; check who owns the data folder and whether the disk is mounted read-only"
    )]
    ReadOnly,
    /// Another process holds it.
    #[error("the database is locked by another process; stop the other hub, or wait and try again")]
    Locked,
    /// Its bytes are damaged.
    #[error(
        "the database {} is damaged ({detail}). It was left as it is; {}", .path.display(), restore(.backup.as_ref())
    )]
    Corrupt {
        /// The database.
        path: PathBuf,
        /// What SQLite says.
        detail: String,
        /// The newest backup, if there is one.
        backup: Option<PathBuf>,
    },
    /// A newer program made it.
    #[error(
        "the database has version {found}, this program knows up to {known}: it was made by a newer hearth. Use that one, or restore the backup that it kept"
    )]
    TooNew {
        /// Its version.
        found: i64,
        /// The newest known here.
        known: i64,
    },
    /// An SQLite file of another program.
    #[error("{} is a database of another program; choose another data folder", .0.display())]
    NotOurs(PathBuf),
    /// A file of the data folder cannot be read or written.
    #[error("{}: {source}", .path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// What is stored does not read back.
    #[error("column {0} of the database holds what the hub never writes")]
    Unreadable(&'static str),
    /// No randomness.
    #[error(transparent)]
    Entropy(#[from] NoEntropy),
    /// Anything else that the database says.
    #[error("the database failed: {0}")]
    Database(String),
}

fn restore(backup: Option<&PathBuf>) -> String {
    match backup {
        Some(backup) => format!("the newest backup is {}", backup.display()),
        None => "there is no backup".to_owned(),
    }
}

impl StoreError {
    /// Whether it is what was asked that is at fault, and not the database: the same again is refused again.
    #[must_use]
    pub fn is_about_the_request(&self) -> bool {
        matches!(
            self,
            Self::NotFound(_)
                | Self::Taken { .. }
                | Self::Dangling
                | Self::Limit { .. }
                | Self::Refused(_)
        )
    }

    /// Whether trying the same again later may succeed.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Full | Self::ReadOnly | Self::Locked)
    }
}

impl From<sqlx_core::Error> for StoreError {
    fn from(error: sqlx_core::Error) -> Self {
        let sqlx_core::Error::Database(database) = &error else {
            return match error {
                sqlx_core::Error::RowNotFound => Self::NotFound("row"),
                sqlx_core::Error::PoolTimedOut => Self::Locked,
                sqlx_core::Error::ColumnDecode { .. } => Self::Unreadable("(decode)"),
                other => Self::Database(other.to_string()),
            };
        };
        let code: i32 = database
            .code()
            .and_then(|code| code.parse().ok())
            .unwrap_or(0);
        // The low byte is the primary result code (sqlite.org/rescode.html).
        match (code & 0xFF, code) {
            (_, 787) => Self::Dangling,
            (_, 1555 | 2067) => Self::Taken {
                what: "entry",
                field: "value",
            },
            (5 | 6, _) => Self::Locked,
            (8, _) => Self::ReadOnly,
            (11 | 26, _) => Self::Corrupt {
                path: PathBuf::from("hub.sqlite"),
                detail: database.message().to_owned(),
                backup: None,
            },
            (13, _) => Self::Full,
            _ => Self::Database(format!("{} (SQLite code {code})", database.message())),
        }
    }
}
