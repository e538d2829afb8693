//! The address books that the hub keeps alike by itself, each in a file of its own with its password, and the task that
//! does it.

use std::collections::HashMap;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio::time::Instant;

use super::both_ways::keep_alike;
use super::{CarddavError, Server};
use crate::device::Fingerprint;
use crate::entropy::random;
use crate::home::Home;

/// Folder of the accounts within the hub's.
const FOLDER: &str = "address-books";
/// Most books that are kept alike.
pub const BOOKS_MAX: usize = 16;
const FILE_BYTES_MAX: u64 = 8 * 1024;
/// How often a book is kept alike.
pub const EVERY: Duration = Duration::from_secs(15 * 60);
/// First pause after a failure; each further one is twice as long.
pub const PAUSE_MIN: Duration = Duration::from_secs(60);
/// Longest pause after failures.
pub const PAUSE_MAX: Duration = Duration::from_secs(6 * 3_600);
/// How often it is looked whether one is due.
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// All times are longer or shorter by so many hundredths at most, so that homes do not ask a server all at once.
const JITTER_PERCENT: u32 = 10;

/// A book with its account.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Account {
    url: String,
    user: String,
    password: String,
    /// Who vouches for a server by TLS.
    #[serde(default)]
    ca_file: Option<PathBuf>,
}

impl Account {
    pub(crate) fn new(url: &str, user: &str, password: &str, ca_file: Option<&Path>) -> Self {
        Self {
            url: url.to_owned(),
            user: user.to_owned(),
            password: password.to_owned(),
            ca_file: ca_file.map(Path::to_owned),
        }
    }

    pub(crate) fn server(&self) -> Result<Server, CarddavError> {
        let server = Server::new(&self.url, &self.user, &self.password)?;
        Ok(server.with_ca_file(self.ca_file.as_deref()))
    }
}

fn place(folder: &Path, key: &str) -> PathBuf {
    let name = Fingerprint::of(key.as_bytes()).to_string();
    folder.join(FOLDER).join(format!("{name}.json"))
}

/// Keeps this book alike from now on; the same again replaces its account.
pub(crate) fn remember(folder: &Path, server: &Server, account: &Account) -> io::Result<()> {
    let path = place(folder, &server.key());
    let new = !path.exists();
    if new && all(folder).len() >= BOOKS_MAX {
        let why = format!("at most {BOOKS_MAX} address books are kept alike");
        return Err(io::Error::other(why));
    }
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder.join(FOLDER))?;
    let fresh = path.with_extension("new");
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&fresh)?;
    file.write_all(&serde_json::to_vec(account)?)?;
    file.sync_all()?;
    fs::rename(&fresh, &path)
}

/// Leaves a book alone from now on; its contacts stay. Whether it was kept alike.
pub(crate) fn forget(folder: &Path, server: &Server) -> io::Result<bool> {
    match fs::remove_file(place(folder, &server.key())) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// One that does not read is said once a look, and left alone.
fn all(folder: &Path) -> Vec<Server> {
    let Ok(entries) = fs::read_dir(folder.join(FOLDER)) else {
        return Vec::new();
    };
    let mut servers = Vec::new();
    for entry in entries.flatten().take(2 * BOOKS_MAX) {
        let path = entry.path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let mut bytes = Vec::new();
        let read = fs::File::open(&path)
            .and_then(|file| file.take(FILE_BYTES_MAX).read_to_end(&mut bytes));
        let account: Option<Account> = read.ok().and_then(|_| serde_json::from_slice(&bytes).ok());
        match account.and_then(|account| account.server().ok()) {
            Some(server) => servers.push(server),
            None => tracing::warn!("the account of an address book does not read"),
        }
    }
    servers
}

/// When a book is due.
struct Due {
    at: Instant,
    failures: u32,
}

/// The pause before a book is tried again.
fn pause(failures: u32, jitter: u32) -> Duration {
    let plain = match failures {
        0 => EVERY,
        _ => PAUSE_MIN
            .saturating_mul(1 << (failures - 1).min(16))
            .min(PAUSE_MAX),
    };
    let percent = 100 - JITTER_PERCENT + jitter % (2 * JITTER_PERCENT + 1);
    plain.saturating_mul(percent) / 100
}

/// Without randomness there is no jitter.
fn jitter() -> u32 {
    random::<4>().map_or(JITTER_PERCENT, u32::from_be_bytes)
}

/// Keeps the books alike until told to stop.
pub(crate) async fn run(home: Arc<Home>, folder: PathBuf, mut stop: watch::Receiver<bool>) {
    let mut due: HashMap<String, Due> = HashMap::new();
    let mut started = true;
    loop {
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => return,
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
        let servers = all(&folder);
        let keys: Vec<String> = servers.iter().map(Server::key).collect();
        due.retain(|key, _| keys.contains(key));
        for server in servers {
            // After a start at once; one that is added later was kept alike by whoever added it.
            let wait = match started {
                true => Duration::ZERO,
                false => pause(0, jitter()),
            };
            let own = due.entry(server.key()).or_insert_with(|| Due {
                at: Instant::now() + wait,
                failures: 0,
            });
            if own.at > Instant::now() {
                continue;
            }
            let kept = tokio::select! {
                _ = stop.wait_for(|stop| *stop) => return,
                kept = keep_alike(&home, &server) => kept,
            };
            match kept {
                Ok(Ok(_)) => own.failures = 0,
                Ok(Err(error)) => {
                    own.failures = own.failures.saturating_add(1);
                    tracing::warn!(%error, failures = own.failures, "an address book was not kept alike");
                }
                Err(error) => {
                    own.failures = own.failures.saturating_add(1);
                    tracing::error!(%error, "an address book was not kept alike");
                }
            }
            own.at = Instant::now() + pause(own.failures, jitter());
        }
        started = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn books_are_asked_every_quarter_of_an_hour_and_less_after_failures() {
        let within = |failures, wanted: Duration| {
            for jitter in 0..=40 {
                let pause = pause(failures, jitter);
                assert!(pause >= wanted.mul_f64(0.89) && pause <= wanted.mul_f64(1.11));
            }
        };
        within(0, EVERY);
        within(1, PAUSE_MIN);
        within(3, PAUSE_MIN * 4);
        within(40, PAUSE_MAX);
        assert_ne!(pause(0, 0), pause(0, 20), "there is jitter");
    }

    #[test]
    fn accounts_lie_in_files_of_their_owners() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let url = "http://127.0.0.1:5232/anna/book/";
        let server = Server::new(url, "anna", "secret").unwrap();
        for password in ["secret", "newer"] {
            let account = Account::new(url, "anna", password, None);
            remember(folder.path(), &server, &account).unwrap();
        }
        let path = place(folder.path(), &server.key());
        let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600);
        let all = all(folder.path());
        assert_eq!(all, [Server::new(url, "anna", "newer").unwrap()]);
        assert!(forget(folder.path(), &server).unwrap());
        assert!(!forget(folder.path(), &server).unwrap());
    }
}
