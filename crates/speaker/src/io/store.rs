//! The device's folder: identity key, log, committed audio, LoST cache, exported incidents.
//!
//! Writing happens on one thread of its own, entry after entry, each synced before it is reported durable. When the disk is
//! full or read-only the entries wait in memory and are tried again; the call never waits for them (DESIGN invariant 3).
//! A folder that cannot even be opened is replaced until the next start: [`Store::open_or_replace`].
mod aside;

use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write as _};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;

use hearthline_ledger::{
    AudioChunk, BootId, Bundle, BundleError, ExportRequest, IdentityKey, IncidentId, Log, LogError,
    PreviousSegment, Recovery, SALT_BYTES, Setup, Stream,
};
use hearthline_sip::tokens::Tokens;

use crate::record::{Keep, Recorder};

/// Largest log that a start reads, in bytes: some years of a device that is used daily. A larger one is put aside whole.
pub const LOG_BYTES_MAX: u64 = 64 << 20;
/// Pause before a write that failed is tried again.
const RETRY: Duration = Duration::from_millis(200);
/// Largest file of a skill that is read, in bytes.
const SKILL_BYTES_MAX: u64 = 64 * 1_024 * 1_024;
/// Writes waiting for a disk that does not take them; beyond it audio is dropped first, and counted.
const WAITING_MAX: usize = 20_000;
/// How long closing waits for the disk.
const CLOSE_MAX: Duration = Duration::from_secs(5);

/// What is wrong with the folder.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The system refuses.
    #[error("{path}: {source}")]
    Io {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Another device runs on the same folder.
    #[error("{0} is in use by another speaker process; give each its own --data folder")]
    Busy(PathBuf),
    /// The identity key is not 32 bytes.
    #[error(
        "{0} is damaged: the key must have 32 bytes. The record cannot be continued without it; move the folder away to begin a new device"
    )]
    Key(PathBuf),
    /// The log cannot be opened or continued.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The incident cannot be exported.
    #[error(transparent)]
    Bundle(#[from] BundleError),
}

/// The folder of one device, locked.
pub struct Store {
    folder: PathBuf,
    /// None: the folder could not be made, its entries wait in memory.
    _lock: Option<File>,
}

/// What opening gave.
pub struct Opened {
    /// Over the log.
    pub recorder: Recorder,
    /// What the log said after a restart.
    pub recovery: Recovery,
    /// The LoST cache of the last run.
    pub lost_cache: Option<Vec<u8>>,
    /// The keys of the home's other devices that the last run knew; empty when there are none.
    pub known_keys: Vec<u8>,
    /// Messages that the hub did not have at the last run; empty when there are none.
    pub outbox: Vec<u8>,
    /// What a person should know: an old log that was put aside or cut, a folder that was replaced.
    pub notices: Vec<String>,
}

impl Store {
    /// Opens or makes the folder (mode 0700).
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        let failed = |source| StoreError::Io {
            path: folder.to_owned(),
            source,
        };
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .map_err(failed)?;
        let lock = File::create(folder.join("lock")).map_err(failed)?;
        if lock.try_lock().is_err() {
            return Err(StoreError::Busy(folder.to_owned()));
        }
        Ok(Self {
            folder: folder.to_owned(),
            _lock: Some(lock),
        })
    }

    /// Opens the folder and its log. When the disk refuses that, the record is kept in a fresh folder for temporary files,
    /// under a key of its own, and at last in memory: no disk may cost a call (DESIGN invariant 3). The notices say so.
    ///
    /// # Errors
    /// [`StoreError::Busy`], and a system that gives no random numbers.
    pub fn open_or_replace(
        folder: &Path,
        wall_ms: u64,
        now: Duration,
    ) -> Result<(Self, Opened), StoreError> {
        let both = |store: Self| store.recorder(wall_ms, now).map(|opened| (store, opened));
        let why = match Self::open(folder).and_then(both) {
            Err(busy @ StoreError::Busy(_)) => return Err(busy),
            Err(why) => why,
            opened => return opened,
        };
        // A name that nobody else can have prepared.
        let name: String = random()?[..8]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let place = std::env::temp_dir().join(format!("hearthline-record-{name}"));
        let mut notice = format!(
            "the record cannot be kept in {} ({why}); ",
            folder.display()
        );
        let replaced = match Self::open(&place).and_then(both) {
            Ok(replaced) => {
                notice += &format!(
                    "until the next start it is kept in {}, under another key",
                    place.display()
                );
                Ok(replaced)
            }
            Err(_) => {
                notice += "until the next start it is kept in memory only";
                Self::in_memory(place, wall_ms, now)
            }
        };
        let (store, mut opened) = replaced?;
        opened.notices.insert(
            0,
            notice + ". Free space on the disk, or give another --data folder",
        );
        Ok((store, opened))
    }

    fn in_memory(
        folder: PathBuf,
        wall_ms: u64,
        now: Duration,
    ) -> Result<(Self, Opened), StoreError> {
        let identity = IdentityKey::from_secret(&random()?);
        let origin = format!("hearthline.local/device/{}", identity.key_id());
        let tokens = Tokens::from_seed(random()?);
        let (recorder, recovery) = Recorder::open(
            &[],
            setup(origin, identity, None)?,
            tokens.fork("record"),
            wall_ms,
            now,
        )?;
        Ok((
            Self {
                folder,
                _lock: None,
            },
            Opened {
                recorder,
                recovery,
                lost_cache: None,
                known_keys: Vec::new(),
                outbox: Vec::new(),
                notices: Vec::new(),
            },
        ))
    }

    /// Opens the log and makes the recorder. A damaged log is put aside, named in the first entry of its successor.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn recorder(&self, wall_ms: u64, now: Duration) -> Result<Opened, StoreError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| StoreError::Io { path, source }
        };
        let identity = self.identity()?;
        let (key_id, public) = (identity.key_id(), identity.public());
        let log_path = self.log_path();
        let origin_path = self.folder.join("origin");
        let tokens = Tokens::from_seed(random()?);
        let mut notices = Vec::new();
        let mut asides = aside::all(&self.folder).map_err(failed(&self.folder))?;
        let kept = fs::read_to_string(&origin_path).ok();
        let kept = kept.as_deref().map(str::trim);
        let stored = match read_log(&log_path).map_err(failed(&log_path))? {
            Ok(stored) => stored,
            Err(bytes) => {
                let large = aside::put(&self.folder, aside::Reason::Large, kept, wall_ms)
                    .map_err(failed(&log_path))?;
                notices.push(format!(
                    "the old record has {bytes} bytes, and a start reads at most {LOG_BYTES_MAX}; it is kept whole as {} and a new one was begun",
                    large.path.display()
                ));
                asides.push(large);
                Vec::new()
            }
        };
        let origin = aside::origin_after(&asides, kept, &key_id);
        let first = |stored: &[u8], origin: &str, asides: &[aside::Aside]| {
            let previous = aside::previous_segment(asides, kept, &key_id, public)
                .map_err(failed(&self.folder))?;
            // Known to be the name by the files put aside; kept as well for when those are moved away.
            if !asides.is_empty() {
                write_new(&origin_path, origin.as_bytes()).map_err(failed(&origin_path))?;
            }
            Ok::<_, StoreError>(Recorder::open(
                stored,
                setup(origin.to_owned(), self.identity()?, previous)?,
                tokens.fork("record"),
                wall_ms,
                now,
            )?)
        };
        let opened = match Recorder::open(
            &stored,
            setup(origin.clone(), identity, None)?,
            tokens.fork("record"),
            wall_ms,
            now,
        ) {
            Err(LogError::Damaged(damage)) => {
                let damaged = aside::put(&self.folder, aside::Reason::Damaged, kept, wall_ms)
                    .map_err(failed(&log_path))?;
                notices.push(format!(
                    "the old record is damaged at entry {} (byte {}): {}; it is kept as {} and a new one was begun",
                    damage.entry,
                    damage.byte,
                    damage.why,
                    damaged.path.display()
                ));
                asides.push(damaged);
                first(&[], &aside::origin_after(&asides, None, &key_id), &asides)?
            }
            // The first start after a log was put aside, or the next when that one was cut short.
            Ok((_, recovery)) if recovery.entries == 0 && !asides.is_empty() => {
                first(&stored, &origin, &asides)?
            }
            other => other?,
        };
        let (recorder, recovery) = opened;
        if !recovery.cut_bytes.is_empty() {
            // What is cut is kept beside the log: append-only means that nothing heard is thrown away.
            let cut = keep_cut(&self.folder, &recovery.cut_bytes, wall_ms)
                .map_err(failed(&self.folder))?;
            let log = OpenOptions::new().write(true).open(&log_path);
            log.and_then(|log| log.set_len(recovery.keep_bytes))
                .map_err(|source| StoreError::Io {
                    path: log_path,
                    source,
                })?;
            notices.push(format!(
                "the record broke off in the middle of a write: its last {} bytes are cut off and kept as {}",
                recovery.cut_bytes.len(),
                cut.display()
            ));
        }
        let lost_cache = fs::read(self.folder.join("lost-cache")).ok();
        let known_keys = fs::read(self.folder.join("known-keys")).unwrap_or_default();
        Ok(Opened {
            recorder,
            recovery,
            lost_cache,
            known_keys,
            outbox: fs::read(self.folder.join("outbox")).unwrap_or_default(),
            notices,
        })
    }

    /// What a skill of this name kept at the last run, to be continued; empty when there is nothing.
    #[must_use]
    pub fn kept_of(&self, skill: &str) -> Vec<u8> {
        let kept = File::open(self.folder.join("skills").join(skill));
        let mut bytes = Vec::new();
        if let Ok(file) = kept
            && file.take(SKILL_BYTES_MAX).read_to_end(&mut bytes).is_err()
        {
            bytes.clear();
        }
        bytes
    }

    /// Starts the writing thread. `durable` is called with each entry's number once it is on disk, and for what a skill keeps; `trouble` once when the
    /// disk refuses and once when it takes writes again.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub fn writer(
        &self,
        durable: impl Fn(Written) + Send + 'static,
        trouble: impl Fn(String) + Send + 'static,
    ) -> Result<Writer, StoreError> {
        let (sender, receiver) = mpsc::channel();
        let folder = self.folder.clone();
        let thread = std::thread::Builder::new()
            .name("record".into())
            .spawn(move || write_all(&folder, &receiver, &durable, &trouble))
            .map_err(|source| StoreError::Io {
                path: self.folder.clone(),
                source,
            })?;
        Ok(Writer {
            sender: Some(sender),
            thread: Some(thread),
        })
    }

    /// Exports one incident to `incidents/` and returns its path. All of its entries must be on disk.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn export(
        &self,
        log: &Log,
        incident: &IncidentId,
        wall_ms: u64,
    ) -> Result<(PathBuf, Bundle), StoreError> {
        let path = self.log_path();
        let stored = fs::read(&path).map_err(|source| StoreError::Io { path, source })?;
        let audio = self.audio(incident)?;
        let request = ExportRequest {
            incident,
            audio: &audio,
            cosigned: &[],
            exported_ms: Some(wall_ms),
        };
        let bundle = log.export(&stored, &request)?;
        let folder = self.folder.join("incidents");
        let path = folder.join(&bundle.file_name);
        let failed = |source| StoreError::Io {
            path: path.clone(),
            source,
        };
        fs::create_dir_all(&folder).map_err(failed)?;
        write_new(&path, &bundle.bytes).map_err(failed)?;
        Ok((path, bundle))
    }

    fn audio(&self, incident: &IncidentId) -> Result<Vec<AudioChunk>, StoreError> {
        let folder = self.folder.join("audio").join(incident.as_str());
        let mut names: Vec<PathBuf> = match fs::read_dir(&folder) {
            Ok(entries) => entries
                .filter_map(Result::ok)
                .map(|entry| entry.path())
                // Half a chunk, left by a power loss.
                .filter(|path| path.extension().is_none_or(|extension| extension != "new"))
                .collect(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => {
                return Err(StoreError::Io {
                    path: folder,
                    source,
                });
            }
        };
        names.sort();
        names
            .iter()
            .map(|path| {
                let bytes = fs::read(path).map_err(|source| StoreError::Io {
                    path: path.clone(),
                    source,
                })?;
                chunk_from(path, &bytes).ok_or_else(|| StoreError::Io {
                    path: path.clone(),
                    source: io::Error::new(
                        io::ErrorKind::InvalidData,
                        "not an audio chunk of ours",
                    ),
                })
            })
            .collect()
    }

    fn log_path(&self) -> PathBuf {
        self.folder.join("log")
    }

    fn identity(&self) -> Result<IdentityKey, StoreError> {
        Ok(IdentityKey::from_secret(&self.identity_secret()?))
    }

    /// The secret of the identity key (mode 0600), made at the first start.
    fn identity_secret(&self) -> Result<[u8; 32], StoreError> {
        let path = self.folder.join("identity.key");
        let failed = |source| StoreError::Io {
            path: path.clone(),
            source,
        };
        match fs::read(&path) {
            Ok(bytes) => bytes.try_into().map_err(|_| StoreError::Key(path)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let secret = random()?;
                let fresh = self.folder.join("identity.key.new");
                let mut file = OpenOptions::new()
                    .write(true)
                    .create(true)
                    .truncate(true)
                    .mode(0o600)
                    .open(&fresh)
                    .map_err(failed)?;
                file.write_all(&secret)
                    .and_then(|()| file.sync_all())
                    .map_err(failed)?;
                fs::rename(&fresh, &path).map_err(failed)?;
                Ok(secret)
            }
            Err(source) => Err(failed(source)),
        }
    }
}

/// The writing thread. Dropping it waits for what is queued.
pub struct Writer {
    sender: Option<mpsc::Sender<Write>>,
    thread: Option<JoinHandle<()>>,
}

/// Something that is on disk now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// An entry of the record, by its number.
    Entry(u64),
    /// What a skill kept: its name, and the token.
    Skill(&'static str, u64),
}

/// One thing to write.
enum Write {
    Keep(Keep),
    LostCache(Vec<u8>),
    KnownKeys(Vec<u8>),
    Outbox(Vec<u8>),
    Skill {
        name: &'static str,
        token: u64,
        bytes: Vec<u8>,
        appends: bool,
    },
    Flushed(mpsc::Sender<()>),
}

impl Writer {
    /// Queues something. Never blocks.
    pub fn keep(&self, keep: Keep) {
        self.send(Write::Keep(keep));
    }

    /// Queues the LoST cache.
    pub fn keep_lost_cache(&self, bytes: Vec<u8>) {
        self.send(Write::LostCache(bytes));
    }

    /// Queues the keys of the home's other devices.
    pub fn keep_known_keys(&self, bytes: Vec<u8>) {
        self.send(Write::KnownKeys(bytes));
    }

    /// Queues the messages that the hub does not have yet.
    pub fn keep_outbox(&self, bytes: Vec<u8>) {
        self.send(Write::Outbox(bytes));
    }

    /// Queues what a skill keeps: instead of all before, or behind it.
    pub fn keep_of(&self, name: &'static str, token: u64, bytes: Vec<u8>, appends: bool) {
        self.send(Write::Skill {
            name,
            token,
            bytes,
            appends,
        });
    }

    /// Waits until everything queued before is on disk; false when the disk did not take it in `limit`.
    #[must_use]
    pub fn flush(&self, limit: Duration) -> bool {
        let (sender, receiver) = mpsc::channel();
        self.send(Write::Flushed(sender));
        receiver.recv_timeout(limit).is_ok()
    }

    fn send(&self, write: Write) {
        if let Some(sender) = &self.sender {
            // The thread ends only after this sender is gone.
            let _ = sender.send(write);
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.sender = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn write_all(
    folder: &Path,
    receiver: &mpsc::Receiver<Write>,
    durable: &dyn Fn(Written),
    trouble: &dyn Fn(String),
) {
    let mut waiting: VecDeque<Write> = VecDeque::new();
    let mut log: Option<File> = None;
    let mut failing_since: Option<std::time::Instant> = None;
    let mut open = true;
    loop {
        if waiting.is_empty() {
            match receiver.recv() {
                Ok(write) => waiting.push_back(write),
                Err(_) => return,
            }
        }
        loop {
            match receiver.try_recv() {
                Ok(write) => waiting.push_back(write),
                Err(mpsc::TryRecvError::Empty) => break,
                Err(mpsc::TryRecvError::Disconnected) => {
                    open = false;
                    break;
                }
            }
        }
        if waiting.len() > WAITING_MAX {
            waiting.retain(|write| !matches!(write, Write::Keep(Keep::Audio { .. })));
        }
        let Some(write) = waiting.front() else {
            continue;
        };
        match write_one(folder, &mut log, write) {
            Ok(()) => {
                match waiting.pop_front() {
                    Some(Write::Keep(Keep::Entry { seq: Some(seq), .. })) => {
                        durable(Written::Entry(seq));
                    }
                    Some(Write::Skill { name, token, .. }) => durable(Written::Skill(name, token)),
                    Some(Write::Flushed(done)) => {
                        let _ = done.send(());
                    }
                    _ => {}
                }
                if failing_since.take().is_some() {
                    trouble("the record is written again".into());
                }
            }
            Err(error) => {
                log = None;
                let since = *failing_since.get_or_insert_with(|| {
                    trouble(format!("the record cannot be written ({error}); entries wait in memory. Free space on the disk"));
                    std::time::Instant::now()
                });
                // A closing device does not wait for a dead disk for ever.
                if !open && since.elapsed() > CLOSE_MAX {
                    return;
                }
                std::thread::sleep(RETRY);
            }
        }
    }
}

fn write_one(folder: &Path, log: &mut Option<File>, write: &Write) -> io::Result<()> {
    match write {
        Write::Keep(Keep::Entry { bytes, .. }) => {
            let file = match log {
                Some(file) => file,
                None => log.insert(
                    OpenOptions::new()
                        .append(true)
                        .create(true)
                        .mode(0o600)
                        .open(folder.join("log"))?,
                ),
            };
            let before = file.metadata()?.len();
            let written = file.write_all(bytes).and_then(|()| file.sync_data());
            if written.is_err() {
                // Half a line would make the next one unreadable.
                let _ = file.set_len(before);
            }
            written
        }
        Write::Keep(Keep::Audio { incident, chunk }) => {
            let place = folder.join("audio").join(incident.as_str());
            fs::DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(&place)?;
            let name = format!(
                "{}-{:012}-{}",
                chunk.stream.as_str(),
                chunk.first_sample,
                chunk.rate_hz
            );
            let mut bytes = chunk.salt.to_vec();
            bytes.extend(chunk.samples.iter().flat_map(|sample| sample.to_le_bytes()));
            write_new(&place.join(name), &bytes)
        }
        Write::LostCache(bytes) => write_new(&folder.join("lost-cache"), bytes),
        Write::KnownKeys(bytes) => write_new(&folder.join("known-keys"), bytes),
        Write::Outbox(bytes) => write_new(&folder.join("outbox"), bytes),
        Write::Skill {
            name,
            bytes,
            appends,
            ..
        } => write_skill(&folder.join("skills"), name, bytes, *appends),
        Write::Flushed(_) => Ok(()),
    }
}

/// A failed append is taken back, so that it can be tried again without doubling what it wrote.
fn write_skill(folder: &Path, name: &str, bytes: &[u8], appends: bool) -> io::Result<()> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)?;
    let path = folder.join(name);
    if !appends {
        write_new(&path, bytes)?;
        // The new name must be on disk as well before anybody relies on it.
        return File::open(folder)?.sync_all();
    }
    let is_new = !path.exists();
    let mut file = OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(&path)?;
    let before = file.metadata()?.len();
    let written = file.write_all(bytes).and_then(|()| file.sync_data());
    if written.is_err() {
        let _ = file.set_len(before);
    } else if is_new {
        File::open(folder)?.sync_all()?;
    }
    written
}

/// The stored log, empty when there is none; its length when that is more than is read.
fn read_log(path: &Path) -> io::Result<Result<Vec<u8>, u64>> {
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Ok(Vec::new())),
        opened => opened?,
    };
    let length = file.metadata()?.len();
    let mut stored = Vec::new();
    if length <= LOG_BYTES_MAX {
        file.take(LOG_BYTES_MAX + 1).read_to_end(&mut stored)?;
    }
    let length = length.max(stored.len() as u64);
    Ok(if length <= LOG_BYTES_MAX {
        Ok(stored)
    } else {
        Err(length)
    })
}

/// Writes beside the place and renames, so that a reader never sees half a file.
fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let fresh = path.with_extension("new");
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&fresh)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&fresh, path)
}

/// Keeps what is cut off the log in a file of its own, on the disk before the log is made shorter. The number in its name
/// is the wall clock, or the next that is free: a clock that stands still never costs an earlier cut.
fn keep_cut(folder: &Path, bytes: &[u8], wall_ms: u64) -> io::Result<PathBuf> {
    let mut number = wall_ms;
    loop {
        let path = folder.join(format!("log.cut-{number}"));
        let mut new = OpenOptions::new();
        match new.write(true).create_new(true).mode(0o600).open(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                number = number.wrapping_add(1);
            }
            opened => {
                let mut file = opened?;
                file.write_all(bytes)?;
                file.sync_all()?;
                File::open(folder)?.sync_all()?;
                return Ok(path);
            }
        }
    }
}

/// A chunk from its file's name and bytes.
fn chunk_from(path: &Path, bytes: &[u8]) -> Option<AudioChunk> {
    let name = path.file_name()?.to_str()?;
    let mut parts = name.rsplitn(3, '-');
    let rate_hz = parts.next()?.parse().ok()?;
    let first_sample = parts.next()?.parse().ok()?;
    let stream: Stream = parts.next()?.parse().ok()?;
    let (salt, pcm) = bytes.split_at_checked(SALT_BYTES)?;
    let samples = pcm
        .chunks_exact(2)
        .map(|pair| i16::from_le_bytes([pair[0], pair[1]]))
        .collect();
    Some(AudioChunk {
        stream,
        rate_hz,
        first_sample,
        salt: salt.try_into().ok()?,
        samples,
    })
}

/// What a log is opened with.
fn setup(
    origin: String,
    identity: IdentityKey,
    previous_segment: Option<PreviousSegment>,
) -> Result<Setup, StoreError> {
    Ok(Setup {
        origin,
        identity,
        epoch_seed: random()?,
        previous_epoch_seed: None,
        boot: BootId(random()?[..16].try_into().expect("16 of 32 bytes")),
        software: concat!("hearth ", env!("CARGO_PKG_VERSION")).to_owned(),
        firmware: None,
        previous_segment,
    })
}

/// 32 bytes from the system.
///
/// # Errors
/// When the system gives none: then no key or token may be made.
pub fn random() -> Result<[u8; 32], StoreError> {
    let path = Path::new("/dev/urandom");
    let mut bytes = [0; 32];
    File::open(path)
        .and_then(|mut source| source.read_exact(&mut bytes))
        .map_err(|source| StoreError::Io {
            path: path.to_owned(),
            source,
        })?;
    Ok(bytes)
}
