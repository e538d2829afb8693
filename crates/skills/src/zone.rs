//! A time zone: what the clock on the wall shows at an instant, and the instant at which it will show something.
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{TimeZone, TimeZoneDatabase};

/// Longest time zone file taken, in bytes; the largest of tzdata has less than 4 KiB.
pub const TZIF_BYTES_MAX: usize = 64 * 1024;

/// Why a zone is not used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ZoneError {
    /// tzdata has no such zone.
    #[error("there is no time zone \"{0}\": use a name such as Europe/Berlin or America/Denver")]
    Unknown(String),
    /// The file is not TZif (RFC 9636).
    #[error("the time zone file is not usable: {0}")]
    File(String),
}

/// A time zone with its changes of the clocks.
#[derive(Debug, Clone, PartialEq)]
pub struct Zone(TimeZone);

impl Zone {
    /// Universal time.
    #[must_use]
    pub fn utc() -> Self {
        Self(TimeZone::UTC)
    }

    /// A zone of the tzdata inside the program, by its name ("Europe/Berlin").
    ///
    /// # Errors
    /// [`ZoneError::Unknown`].
    pub fn named(name: &str) -> Result<Self, ZoneError> {
        TimeZoneDatabase::bundled()
            .get(name)
            .map(Self)
            .map_err(|_| ZoneError::Unknown(name.chars().take(64).collect()))
    }

    /// A zone out of a file of the system, which may be newer than what is inside the program.
    ///
    /// # Errors
    /// [`ZoneError::File`] when it is no TZif file.
    pub fn from_tzif(name: &str, bytes: &[u8]) -> Result<Self, ZoneError> {
        if bytes.len() > TZIF_BYTES_MAX {
            return Err(ZoneError::File(format!("more than {TZIF_BYTES_MAX} bytes")));
        }
        TimeZone::tzif(name, bytes)
            .map(Self)
            .map_err(|error| ZoneError::File(error.to_string()))
    }

    /// The names of all zones.
    #[must_use]
    pub fn names() -> Vec<String> {
        TimeZoneDatabase::bundled()
            .available()
            .map(|name| name.to_string())
            .collect()
    }

    /// What the clock shows at an instant, in milliseconds since 1970-01-01 UTC; whole seconds.
    #[must_use]
    pub fn local(&self, wall_ms: i64) -> DateTime {
        let instant = Timestamp::from_second(wall_ms.div_euclid(1_000)).unwrap_or(Timestamp::MAX);
        self.0.to_datetime(instant)
    }

    /// When the clock shows this, in milliseconds since 1970-01-01 UTC. A time that is skipped as clocks go forward comes
    /// so much later as they go (02:30 at 03:30), one that comes twice counts the first time (RFC 5545 §3.3.5).
    /// `None`: outside the years that can be told.
    #[must_use]
    pub fn instant(&self, shown: DateTime) -> Option<i64> {
        let instant = self.0.to_ambiguous_zoned(shown).compatible().ok()?;
        Some(instant.timestamp().as_millisecond())
    }

    /// The changes of its clocks within a span, in milliseconds since 1970-01-01 UTC.
    #[must_use]
    pub fn changes(&self, from_ms: i64, to_ms: i64) -> Vec<i64> {
        let Ok(from) = Timestamp::from_millisecond(from_ms) else {
            return Vec::new();
        };
        self.0
            .following(from)
            .map(|change| change.timestamp().as_millisecond())
            .take_while(|at| *at <= to_ms)
            .collect()
    }
}
