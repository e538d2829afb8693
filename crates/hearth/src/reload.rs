//! The configuration read again while a program runs: when its file changes or one with a secret that it names, and at SIGHUP
//! (`systemctl reload`).
//!
//! What is broken is told with its place, and everything stays as it was. What counts at the next start only is told with
//! its place, too.
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use hearthline_speaker::config::{Difference, Fault, Household};
use hearthline_speaker::io::password;
use hearthline_speaker::io::reload::Reload;
use hearthline_speaker::io::skills::Fitted;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;

use crate::guests::Guests;
use crate::skills::Outside;
use crate::{household, routines, service};

/// How often the file is looked at.
const LOOK: Duration = Duration::from_secs(1);

/// A configuration file as it stood before it was used: what changes while a program starts is seen.
pub(crate) struct Before {
    file: Option<PathBuf>,
    text: String,
    seen: Option<Stamp>,
}

impl Before {
    /// To be asked for before the file is read.
    pub(crate) fn of(file: Option<PathBuf>) -> Self {
        let seen = file.as_deref().and_then(stamp);
        let text = file.as_deref().map(household::text_of);
        Self {
            text: text.and_then(Result::ok).unwrap_or_default(),
            seen,
            file,
        }
    }
}

/// What of a speaker goes on by another configuration outside its device.
pub(crate) struct Beside {
    /// Lights, devices, music.
    pub(crate) outside: Outside,
    /// Home Assistant as a guest.
    pub(crate) guests: Guests,
}

impl Beside {
    async fn reload(&mut self, household: &Household) -> Vec<Fitted> {
        let (skills, mut told) = self.outside.reload(household);
        told.extend(self.guests.reload(household).await);
        for what in told {
            eprintln!("hearth: {what}");
        }
        skills
    }
}

/// Follows a speaker's file. Without a file nothing ever comes, and SIGHUP says so.
pub(crate) fn follow(
    before: Before,
    running: Household,
    mut beside: Beside,
) -> mpsc::Receiver<Reload> {
    let (sender, reloads) = mpsc::channel(1);
    // Before anybody is told that we are there: a SIGHUP that nobody waits for ends a program.
    let mut watched = Watched::begin(before);
    watched.secrets = Secrets::of(&running);
    tokio::spawn(async move {
        let mut current = running.clone();
        loop {
            let Some(changed) = watched.next().await else {
                continue;
            };
            let is_text = matches!(changed, Changed::Text(..));
            let (difference, mut household) = match changed {
                Changed::Text(old, new) => {
                    let read = watched.file.as_deref().map(|at| household::parse(at, &new));
                    let Some(Ok(household)) = read else {
                        continue;
                    };
                    (Difference::between(&old, &new), household)
                }
                Changed::Secrets(files) => {
                    let difference = of_secrets(&current, &files);
                    (difference, current.clone())
                }
            };
            // What counts at the next start only stays as it is until then, also in what is made anew.
            household.household.clone_from(&running.household);
            household.device.clone_from(&running.device);
            current.clone_from(&household);
            watched.secrets.follow(&current);
            let skills = if difference.outside {
                beside.reload(&household).await
            } else {
                Vec::new()
            };
            if is_text {
                watched.tell(&difference.now, &difference.later);
            }
            if difference.calls || !difference.skills.is_empty() || !skills.is_empty() {
                let reload = Reload {
                    household,
                    difference,
                    skills,
                };
                if sender.send(reload).await.is_err() {
                    return;
                }
            }
            service::ready();
        }
    });
    reloads
}

/// The same for a program that reads its file at its start alone: what is wrong or new is told. A SIGHUP is waited for
/// as soon as this returns.
pub(crate) fn tell_only(before: Before) -> impl Future<Output = ()> + Send {
    let mut watched = Watched::begin(before);
    async move {
        loop {
            if let Some(Changed::Text(old, new)) = watched.next().await {
                watched.tell(&[], &Difference::at_start(&old, &new));
                service::ready();
            }
        }
    }
}

/// A file, as it was read last.
struct Watched {
    file: Option<PathBuf>,
    text: String,
    seen: Option<Stamp>,
    secrets: Secrets,
    hang_up: Option<Signal>,
}

/// What has changed.
enum Changed {
    /// The file: its text before and now, both valid.
    Text(String, String),
    /// These files with secrets that it names.
    Secrets(Vec<PathBuf>),
}

/// What of a file changes when it is written.
type Stamp = (SystemTime, u64, u64);

impl Watched {
    fn begin(before: Before) -> Self {
        let Before { file, text, seen } = before;
        Self {
            text,
            seen,
            secrets: Secrets::default(),
            hang_up: signal(SignalKind::hangup()).ok(),
            file,
        }
    }

    /// Waits for a change. None, where what is wrong has been told.
    async fn next(&mut self) -> Option<Changed> {
        let asked = loop {
            let hung_up = tokio::select! {
                () = hung_up(&mut self.hang_up) => true,
                () = tokio::time::sleep(LOOK) => false,
            };
            if hung_up {
                break true;
            }
            let now = self.file.as_deref().and_then(stamp);
            // One that is gone for a moment is being replaced.
            if now.is_some() && now != self.seen {
                break false;
            }
            let others = self.secrets.changed();
            if !others.is_empty() {
                return Some(self.have_changed(others));
            }
        };
        let Some(file) = self.file.clone() else {
            eprintln!("hearth: there is no configuration file to read again");
            service::reloading();
            service::ready();
            return None;
        };
        self.seen = stamp(&file);
        let name = file.display();
        let text = match household::text_of(&file) {
            Ok(text) => text,
            Err(error) => {
                eprintln!("hearth: {name}: {error}. Everything stays as it was");
                return None;
            }
        };
        if text == self.text {
            let others = self.secrets.changed();
            if !others.is_empty() {
                return Some(self.have_changed(others));
            }
            if asked {
                eprintln!("hearth: {name}: nothing has changed");
                service::reloading();
                service::ready();
            }
            return None;
        }
        service::reloading();
        let mut faults = Household::check(&text);
        if faults.is_empty() {
            faults = routines::unread(&text);
        }
        if !faults.is_empty() {
            for fault in &faults {
                eprintln!("hearth: {}", placed(&file, fault));
            }
            eprintln!("hearth: {name} cannot be used. Everything stays as it was");
            service::ready();
            return None;
        }
        let old = core::mem::replace(&mut self.text, text.clone());
        Some(Changed::Text(old, text))
    }

    fn have_changed(&self, files: Vec<PathBuf>) -> Changed {
        service::reloading();
        for file in &files {
            eprintln!("hearth: {} has changed, and is read again", file.display());
        }
        Changed::Secrets(files)
    }

    fn tell(&self, now: &[&str], later: &[Fault]) {
        let Some(file) = &self.file else { return };
        for fault in later {
            eprintln!("hearth: {}", placed(file, fault));
        }
        let name = file.display();
        match (now.is_empty(), later.is_empty()) {
            (true, true) => eprintln!("hearth: {name}: nothing has changed that is read here"),
            (true, false) => {}
            (false, _) => {
                let sections: Vec<String> = now.iter().map(|one| format!("[{one}]")).collect();
                eprintln!(
                    "hearth: {name} was read again: {} as it is now",
                    sections.join(", ")
                );
            }
        }
    }
}

/// Until SIGHUP comes; for ever where it cannot be waited for.
async fn hung_up(signal: &mut Option<Signal>) {
    match signal {
        Some(signal) => {
            signal.recv().await;
        }
        None => std::future::pending().await,
    }
}

/// Files with secrets, as they stood when they were looked at last.
#[derive(Default)]
struct Secrets(BTreeMap<PathBuf, Option<Marks>>);

/// What of a file changes when it is written, replaced, or shown to others: its time of change, length and number.
type Marks = (i64, i64, u64, u64);

impl Secrets {
    fn of(household: &Household) -> Self {
        let mut secrets = Self::default();
        secrets.follow(household);
        secrets
    }

    /// From now on those that this names; of those that are known it stays known how they stood.
    fn follow(&mut self, household: &Household) {
        let mut before = core::mem::take(&mut self.0);
        let lines = household.lines.iter();
        let lines = lines.filter_map(|line| line.password_file.clone());
        for file in household.secret_files().into_iter().chain(lines) {
            let known = before.remove(&file).unwrap_or_else(|| marks(&file));
            self.0.insert(file, known);
        }
    }

    /// Those that are not as they were.
    fn changed(&mut self) -> Vec<PathBuf> {
        let mut changed = Vec::new();
        for (file, known) in &mut self.0 {
            let now = marks(file);
            if *known != now {
                *known = now;
                changed.push(file.clone());
            }
        }
        changed
    }
}

/// What follows from other secrets: what speaks to other systems looks at its own, and lines that can be called with theirs.
fn of_secrets(household: &Household, files: &[PathBuf]) -> Difference {
    let has = |file: &Option<PathBuf>| file.as_ref().is_some_and(|file| files.contains(file));
    let lines: Vec<_> = (household.lines.iter())
        .filter(|line| has(&line.password_file))
        .collect();
    let mut wrong = lines
        .iter()
        .filter_map(|line| Some((&line.name, password::credentials(line).err()?)))
        .peekable();
    let calls = !lines.is_empty() && wrong.peek().is_none();
    if calls {
        eprintln!("hearth: calls are made with what it holds now");
    }
    for (line, why) in wrong {
        eprintln!("hearth: line {line}: {why}. Calls are made as before");
    }
    let others = household.secret_files();
    Difference {
        calls,
        outside: others.iter().any(|file| files.contains(file)),
        ..Difference::default()
    }
}

fn marks(file: &Path) -> Option<Marks> {
    use std::os::unix::fs::MetadataExt as _;
    let found = std::fs::metadata(file).ok()?;
    Some((found.ctime(), found.ctime_nsec(), found.len(), found.ino()))
}

fn stamp(file: &Path) -> Option<Stamp> {
    use std::os::unix::fs::MetadataExt as _;
    let found = std::fs::metadata(file).ok()?;
    Some((found.modified().ok()?, found.len(), found.ino()))
}

/// As compilers write it, so that editors find the place.
fn placed(file: &Path, fault: &Fault) -> String {
    let name = file.display();
    match fault.place {
        Some(place) => format!("{name}:{}:{}: {}", place.line, place.column, fault.error),
        None => format!("{name}: {}", fault.error),
    }
}
