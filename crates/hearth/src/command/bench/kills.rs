//! Timers through real kills: a program that keeps them is killed with SIGKILL again and again, at random moments.
//!
//! The program is this one: what it reads (`Program`), does (`AgendaSkill`) and writes (`Store`, on its own thread, synced)
//! is what a speaker has; only the models, the sound and the network are left out, so that a life takes a moment. What it
//! said to be set must ring, what was seen to be silent must not ring again, and nothing may ring early.
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant, SystemTime};

use hearthline_speaker::io::store::{Store, Written};
use hearthline_speaker::skill::agenda::{AgendaSkill, Zone, sentences_of};
use hearthline_speaker::skill::{Asked, By, Deed, Event, Reply, Skill as _};
use hearthline_voice::understand::sentences::{Grammar, Lists, NumberWords, Program};

use super::Row;
use super::meter::percentile;

/// Three readings of clocks in whole milliseconds stand between what is asked and what is heard: no sooner than this
/// before its time is not early.
const ROUNDING_MS: u64 = 2;
/// How long the last life is waited for.
const LAST_MAX: Duration = Duration::from_secs(60);
/// How long anything else is: a laden machine starts a program slowly.
const PATIENCE: Duration = Duration::from_secs(30);

/// One life: keeps timers in a folder, does what standard input says, tells what it says and rings, until it is killed.
pub(super) fn live(folder: &Path) -> Result<(), String> {
    let started = Instant::now();
    let zero_ms = wall_ms().saturating_sub(millis(started.elapsed()));
    let (store, _) = Store::open_or_replace(folder, wall_ms(), started.elapsed())
        .map_err(|error| error.to_string())?;
    let (sender, inbox) = mpsc::channel();
    let kept = sender.clone();
    let writer = store
        .writer(
            move |written| {
                if let Written::Skill(_, token) = written {
                    let _ = kept.send(Come::Kept(token));
                }
            },
            |_| {},
        )
        .map_err(|error| error.to_string())?;
    std::thread::spawn(move || {
        for line in std::io::stdin().lines().map_while(Result::ok) {
            if sender.send(Come::Line(line)).is_err() {
                return;
            }
        }
        // Whoever kills is gone: nobody else would end this.
        std::process::exit(0);
    });
    let mut grammar = Grammar::new("en");
    for file in sentences_of("en") {
        grammar.add_ours(file.name, file.yaml);
    }
    let (program, _) = Program::compile(&grammar, &NumberWords::default());
    let mut skill = AgendaSkill::new(Zone::utc());
    let ms_at_zero = zero_ms;
    skill.handle(Event::Wall { ms_at_zero }, started.elapsed());
    let bytes = store.kept_of(skill.name());
    skill.handle(Event::Restored(&bytes), started.elapsed());
    tell("lives");
    loop {
        while let Some(deed) = skill.poll_deed() {
            match deed {
                Deed::Keep { token, bytes } => writer.keep_of(skill.name(), token, bytes, false),
                Deed::Append { token, bytes } => writer.keep_of(skill.name(), token, bytes, true),
                Deed::Say(text) => tell(&text),
                Deed::Answer {
                    reply: Reply::Words(text),
                    ..
                } => tell(&text),
                Deed::Ring(None) => tell("silent"),
                _ => {}
            }
        }
        let now = started.elapsed();
        let wait = skill
            .poll_timeout()
            .map_or(PATIENCE, |at| at.saturating_sub(now));
        match inbox.recv_timeout(wait) {
            Ok(Come::Kept(token)) => skill.handle(Event::Kept(token), started.elapsed()),
            Ok(Come::Line(said)) => {
                if said == "stop" {
                    let _ = skill.answer(&said, started.elapsed());
                } else if let Some(meant) = program.recognise(&said, &Lists::default(), &[]) {
                    let asked = Asked {
                        meant: &meant,
                        said: &said,
                        by: By::Person,
                        wall_ms: wall_ms(),
                    };
                    let _ = skill.take(&asked, started.elapsed());
                }
            }
            Err(RecvTimeoutError::Timeout) => skill.handle(Event::Timeout, started.elapsed()),
            Err(RecvTimeoutError::Disconnected) => return Ok(()),
        }
    }
}

enum Come {
    Kept(u64),
    Line(String),
}

fn tell(what: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{what}").and_then(|()| out.flush());
}

/// Kills so many lives, and counts.
pub(super) fn rows(kills: usize) -> Result<Vec<Row>, String> {
    let place = std::env::temp_dir().join(format!("hearth-bench-kills-{}", std::process::id()));
    let ran = Watch::default().run(&place, kills);
    let _ = std::fs::remove_dir_all(&place);
    let mut watch = ran?;
    let count = watch.set.len();
    let lost = watch
        .set
        .keys()
        .filter(|name| {
            !watch.rung.contains(*name)
                && !watch.over.contains(*name)
                && !watch.unsure.contains(*name)
        })
        .count();
    let row = |what: &str, measured: usize, budget: Option<f64>, samples: usize| {
        Row::new(what, measured as f64, budget, "", samples)
    };
    let mut rows = vec![
        row("real kills of a program with timers", kills, None, kills),
        row("timers lost by them", lost, Some(0.0), count),
        row(
            "timers that rang again after silence",
            watch.again,
            Some(0.0),
            count,
        ),
        row("timers that rang early", watch.early, Some(0.0), count),
    ];
    if !watch.late_ms.is_empty() {
        let samples = watch.late_ms.len();
        let late = percentile(&mut watch.late_ms, 95);
        rows.push(Row::new(
            "timer due to ring, between kills, p95",
            late,
            Some(100.0),
            "ms",
            samples,
        ));
    }
    Ok(rows)
}

/// What was promised and heard, over all lives.
#[derive(Default)]
struct Watch {
    random: u64,
    /// When each is due at the earliest, by the wall clock in milliseconds.
    asked: BTreeMap<String, u64>,
    set: BTreeMap<String, u64>,
    rung: BTreeSet<String>,
    ringing: BTreeSet<String>,
    stopping: BTreeSet<String>,
    over: BTreeSet<String>,
    unsure: BTreeSet<String>,
    again: usize,
    early: usize,
    late_ms: Vec<f64>,
    born_ms: u64,
}

struct Life {
    child: Child,
    stdin: ChildStdin,
    lines: Receiver<(u64, String)>,
}

impl Life {
    fn begin(folder: &Path) -> Result<Self, String> {
        let program = std::env::current_exe().map_err(|error| error.to_string())?;
        let mut child = Command::new(program)
            .args(["bench", "--life"])
            .arg(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("a life does not begin: {error}"))?;
        let (Some(stdin), Some(out)) = (child.stdin.take(), child.stdout.take()) else {
            return Err("a life has no pipes".into());
        };
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                if sender.send((wall_ms(), line)).is_err() {
                    return;
                }
            }
        });
        Ok(Self {
            child,
            stdin,
            lines,
        })
    }

    fn say(&mut self, words: &str) {
        let _ = writeln!(self.stdin, "{words}").and_then(|()| self.stdin.flush());
    }
}

impl Watch {
    fn run(mut self, folder: &Path, kills: usize) -> Result<Self, String> {
        for kill in 0..kills {
            let mut life = self.begin(folder)?;
            for timer in 0..1 + self.below(3) {
                let seconds = 1 + self.below(3);
                let name = format!("n{kill}x{timer}");
                let now = wall_ms();
                let due = now + seconds * 1_000;
                self.asked.insert(name.clone(), due);
                life.say(&format!("set a {name} timer for {seconds} seconds"));
                let wait = self.below(60);
                self.hear(&life, Duration::from_millis(wait), |_| false)?;
            }
            // Half of those that are killed are killed while something is on its way to the disk.
            if self.below(2) == 0 {
                let wait = self.below(400);
                self.hear(&life, Duration::from_millis(wait), |_| false)?;
            }
            if !self.ringing.is_empty() && self.below(2) == 0 {
                self.stopping.extend(self.ringing.iter().cloned());
                life.say("stop");
                let wait = self.below(20);
                self.hear(&life, Duration::from_millis(wait), |_| false)?;
            }
            self.end(life)?;
        }
        // Then everything has its time.
        let life = self.begin(folder)?;
        self.hear(&life, LAST_MAX, |watch| {
            watch.set.keys().all(|name| {
                watch.rung.contains(name)
                    || watch.over.contains(name)
                    || watch.unsure.contains(name)
            })
        })?;
        // Whoever rings twice does so by now.
        self.hear(&life, Duration::from_millis(500), |_| false)?;
        self.end(life)?;
        Ok(self)
    }

    fn begin(&mut self, folder: &Path) -> Result<Life, String> {
        let life = Life::begin(folder)?;
        self.born_ms = u64::MAX;
        if !self.hear(&life, PATIENCE, |watch| watch.born_ms != u64::MAX)? {
            return Err("a life did not begin in time".into());
        }
        Ok(life)
    }

    /// Hears until `done`, at most so long; whether it came about.
    fn hear(
        &mut self,
        life: &Life,
        limit: Duration,
        done: impl Fn(&Self) -> bool,
    ) -> Result<bool, String> {
        let until = Instant::now() + limit;
        while !done(self) {
            let left = until.saturating_duration_since(Instant::now());
            match life.lines.recv_timeout(left) {
                Ok((at_ms, line)) => self.line(&line, at_ms),
                Err(RecvTimeoutError::Timeout) => return Ok(false),
                Err(RecvTimeoutError::Disconnected) => return Err("a life ended by itself".into()),
            }
        }
        Ok(true)
    }

    /// SIGKILL. What it said before counts.
    fn end(&mut self, mut life: Life) -> Result<(), String> {
        let failed = |error: std::io::Error| error.to_string();
        life.child.kill().map_err(failed)?;
        life.child.wait().map_err(failed)?;
        while let Ok((at_ms, line)) = life.lines.recv_timeout(PATIENCE) {
            self.line(&line, at_ms);
        }
        // What was asked and not seen to be done may be either.
        self.unsure.append(&mut self.stopping);
        self.asked.clear();
        self.ringing.clear();
        Ok(())
    }

    fn line(&mut self, line: &str, at_ms: u64) {
        match line {
            "lives" => self.born_ms = at_ms,
            "silent" => {
                self.over.append(&mut self.stopping);
                self.ringing.clear();
            }
            _ => {
                for sentence in line.split(". ") {
                    self.sentence(sentence.trim_end_matches('.'), at_ms);
                }
            }
        }
    }

    fn sentence(&mut self, sentence: &str, at_ms: u64) {
        let name = |from: &str, to: &str| {
            let rest = sentence.split_once(from)?.1;
            Some(rest.split_once(to)?.0.to_owned())
        };
        if let Some(name) = name("on the ", " timer, starting now") {
            let due = self.asked.remove(&name).unwrap_or(0);
            self.set.insert(name, due);
        } else if let Some(name) =
            name("Your ", " timer is done").or_else(|| name("Your ", " timer ended"))
        {
            self.again += usize::from(self.over.contains(&name));
            if let Some(due) = self.set.get(&name).copied() {
                self.early += usize::from(at_ms + ROUNDING_MS < due);
                // One that became due between two lives rings as the next begins.
                if due > self.born_ms && !self.rung.contains(&name) {
                    self.late_ms.push(at_ms.saturating_sub(due) as f64);
                }
            }
            self.ringing.insert(name.clone());
            self.rung.insert(name);
        }
    }

    /// splitmix64: the same kills each time, as far as clocks allow.
    fn below(&mut self, end: u64) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.random;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % end
    }
}

fn wall_ms() -> u64 {
    let since = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    millis(since)
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
