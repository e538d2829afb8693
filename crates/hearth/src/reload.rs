//! The configuration read again while a program runs: when its file changes, and at SIGHUP (`systemctl reload`).
//!
//! What is broken is told with its place, and everything stays as it was. What counts at the next start only is told with
//! its place, too.
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use hearthline_speaker::config::{Difference, Fault, Household};
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
    tokio::spawn(async move {
        loop {
            let Some((old, new)) = watched.next().await else {
                continue;
            };
            let difference = Difference::between(&old, &new);
            let Some(Ok(mut household)) =
                watched.file.as_deref().map(|at| household::parse(at, &new))
            else {
                continue;
            };
            // What counts at the next start only stays as it is until then, also in what is made anew.
            household.household.clone_from(&running.household);
            household.device.clone_from(&running.device);
            let skills = if difference.outside {
                beside.reload(&household).await
            } else {
                Vec::new()
            };
            watched.tell(&difference.now, &difference.later);
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
            if let Some((old, new)) = watched.next().await {
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
    hang_up: Option<Signal>,
}

/// What of a file changes when it is written.
type Stamp = (SystemTime, u64, u64);

impl Watched {
    fn begin(before: Before) -> Self {
        let Before { file, text, seen } = before;
        Self {
            text,
            seen,
            hang_up: signal(SignalKind::hangup()).ok(),
            file,
        }
    }

    /// Waits for a change. The text before and now, where both are valid; else what is wrong has been told.
    async fn next(&mut self) -> Option<(String, String)> {
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
        Some((old, text))
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
