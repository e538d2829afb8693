//! A thousand power cuts at random moments, on a disk that drops what was not synced: what was promised rings, what was
//! stopped never rings again.
use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use hearthline_skills::agenda::Agenda;
use hearthline_skills::exchange::{Ask, Output};
use hearthline_skills::zone::Zone;

use super::home::NOON_MS;

struct Random(u64);

impl Random {
    /// splitmix64.
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }
}

enum Write {
    Append(Vec<u8>),
    Replace(Vec<u8>),
}

/// A disk: what is synced stays, what is on its way may be cut anywhere.
#[derive(Default)]
struct Disk {
    synced: Vec<u8>,
    on_the_way: VecDeque<(u64, u64, Write)>,
}

impl Disk {
    /// The next write that is done by then: its token.
    fn done(&mut self, by_ms: u64) -> Option<u64> {
        if self.on_the_way.front()?.1 > by_ms {
            return None;
        }
        let (token, _, write) = self.on_the_way.pop_front()?;
        match write {
            Write::Append(bytes) => self.synced.extend(bytes),
            Write::Replace(bytes) => self.synced = bytes,
        }
        Some(token)
    }

    /// The power goes: of the first write any part may have reached the disk, of those behind it nothing that counts.
    fn cut(&mut self, random: &mut Random) {
        if let Some((_, _, write)) = self.on_the_way.pop_front() {
            match write {
                Write::Append(bytes) => {
                    let part = random.below(bytes.len() as u64 + 1) as usize;
                    self.synced.extend(&bytes[..part]);
                    // Now and then a block that was never written: zeros, or what lay there before.
                    if random.below(4) == 0 {
                        let filler = [0, b'\n', 0xff][random.below(3) as usize];
                        self.synced.extend(vec![filler; random.below(600) as usize]);
                    }
                }
                Write::Replace(bytes) => {
                    if random.below(2) == 0 {
                        self.synced = bytes;
                    }
                }
            }
        }
        self.on_the_way.clear();
    }
}

/// What the person was promised and heard.
#[derive(Default)]
struct Promises {
    /// Name and time by the wall clock, in milliseconds.
    set: BTreeMap<String, u64>,
    rung: BTreeSet<String>,
    on_time: BTreeSet<String>,
    /// Stopped or cancelled, and that was seen.
    over: BTreeSet<String>,
    /// Stopped or cancelled, and the power went before anybody saw it.
    unsure: BTreeSet<String>,
    /// Asked to stop in this life.
    stopping: BTreeSet<String>,
}

struct World {
    random: Random,
    disk: Disk,
    agenda: Agenda,
    /// Of all lives together.
    wall_ms: u64,
    /// When this life began.
    born_ms: u64,
    count: u64,
    asked: BTreeMap<String, u64>,
    ringing: BTreeSet<String>,
    sounds: bool,
    promises: Promises,
    timeout: Option<Duration>,
    fire_errors_ms: Vec<u64>,
}

impl World {
    fn now(&self) -> Duration {
        Duration::from_millis(self.wall_ms - self.born_ms)
    }

    fn born(seed: u64) -> Self {
        let mut world = Self {
            random: Random(seed),
            disk: Disk::default(),
            agenda: Agenda::new(Zone::utc(), NOON_MS),
            wall_ms: NOON_MS,
            born_ms: NOON_MS,
            count: 0,
            asked: BTreeMap::new(),
            ringing: BTreeSet::new(),
            sounds: false,
            promises: Promises::default(),
            timeout: None,
            fire_errors_ms: Vec::new(),
        };
        world.start();
        world
    }

    fn start(&mut self) {
        self.born_ms = self.wall_ms;
        self.agenda = Agenda::new(Zone::utc(), self.wall_ms);
        let bytes = self.disk.synced.clone();
        self.agenda.handle_restored(&bytes, Duration::ZERO);
        self.drain();
    }

    fn kill(&mut self) {
        self.disk.cut(&mut self.random);
        // What was asked and not seen to be done may be either.
        let stopping = core::mem::take(&mut self.promises.stopping);
        self.promises.unsure.extend(stopping);
        self.asked.clear();
        self.ringing.clear();
        self.sounds = false;
        // Long enough that a ring that goes on says that it is late.
        self.wall_ms += 3_000 + self.random.below(120_000);
        self.start();
    }

    fn drain(&mut self) {
        loop {
            match self.agenda.poll_output() {
                Output::Append { token, bytes } => self.write(token, Write::Append(bytes)),
                Output::Replace { token, bytes } => self.write(token, Write::Replace(bytes)),
                Output::Say(text) | Output::Answer { text, .. } => self.hear(&text),
                Output::Ring(bell) => {
                    self.sounds = bell.is_some();
                    if !self.sounds {
                        // Silence was asked for and seen.
                        let stopping = core::mem::take(&mut self.promises.stopping);
                        self.promises.over.extend(stopping);
                        self.ringing.clear();
                    }
                }
                Output::Timeout(at) => {
                    self.timeout = at;
                    return;
                }
                Output::Do(_) | Output::Note(_) | Output::Changed | Output::Hub { .. } => {}
            }
        }
    }

    fn write(&mut self, token: u64, write: Write) {
        let last = self
            .disk
            .on_the_way
            .back()
            .map_or(self.wall_ms, |last| last.1);
        let done = last.max(self.wall_ms) + self.random.below(8);
        self.disk.on_the_way.push_back((token, done, write));
    }

    fn hear(&mut self, text: &str) {
        for sentence in text.split(". ") {
            let sentence = sentence.trim_end_matches('.');
            let name = |from: &str, to: &str| {
                let rest = sentence.split_once(from)?.1;
                Some(rest.split_once(to)?.0.to_owned())
            };
            if let Some(name) = name("on the ", " timer, starting now") {
                let due = self
                    .asked
                    .remove(&name)
                    .expect("it was asked for in this life");
                self.promises.set.insert(name, due);
            } else if let Some(name) = name("Your ", " timer is cancelled") {
                self.promises.stopping.remove(&name);
                self.promises.over.insert(name);
            } else if let Some(name) = name("Your ", " timer is done") {
                assert!(
                    self.promises.on_time.insert(name.clone()),
                    "{name} rings twice"
                );
                // One that became due while the program did not run rings as it starts.
                let due = self.promises.set.get(&name);
                if let Some(due) = due.filter(|due| **due >= self.born_ms) {
                    self.fire_errors_ms.push(self.wall_ms.abs_diff(*due));
                }
                self.rings(name);
            } else if let Some(name) = name("Your ", " timer ended") {
                self.rings(name);
            } else {
                panic!("not understood: {sentence}");
            }
        }
    }

    fn rings(&mut self, name: String) {
        assert!(
            !self.promises.over.contains(&name),
            "{name} rings after its end"
        );
        if let Some(due) = self.promises.set.get(&name) {
            assert!(*due <= self.wall_ms, "{name} rings too early");
        }
        self.ringing.insert(name.clone());
        self.promises.rung.insert(name);
    }

    /// Goes on until this time, every timeout and every write at its moment.
    fn pass(&mut self, until_ms: u64) {
        loop {
            let timeout = self
                .timeout
                .map(|at| (self.born_ms + at.as_millis() as u64).max(self.wall_ms));
            let write = self
                .disk
                .on_the_way
                .front()
                .map(|first| first.1.max(self.wall_ms));
            let next = timeout.into_iter().chain(write).min();
            let Some(next) = next.filter(|next| *next <= until_ms) else {
                self.wall_ms = until_ms;
                return;
            };
            self.wall_ms = next;
            match self.disk.done(next) {
                Some(token) => self.agenda.handle_kept(token, self.now()),
                None => self.agenda.handle_timeout(self.now()),
            }
            self.drain();
        }
    }

    fn ask(&mut self, intent: &str, slots: &[(&str, String)]) {
        let slots: BTreeMap<String, String> = slots
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone()))
            .collect();
        let ask = Ask {
            intent,
            slots: &slots,
        };
        let _ = self.agenda.handle_ask(&ask, self.now());
        self.drain();
    }

    fn act(&mut self) {
        match self.random.below(10) {
            0..=5 => {
                self.count += 1;
                let name = format!("n{}", self.count);
                let seconds = 1 + self.random.below(600);
                self.asked
                    .insert(name.clone(), self.wall_ms + seconds * 1_000);
                self.ask(
                    "HassStartTimer",
                    &[("name", name), ("seconds", seconds.to_string())],
                );
            }
            6 => {
                let quiet = |name: &&String| {
                    !self.ringing.contains(*name) && !self.promises.over.contains(*name)
                };
                let running: Vec<String> =
                    self.promises.set.keys().filter(quiet).cloned().collect();
                if !running.is_empty() {
                    let at = self.random.below(running.len() as u64) as usize;
                    let name = running[at].clone();
                    let there = self.agenda.timers(self.now()).iter().any(|shown| {
                        shown
                            .timer
                            .name
                            .as_ref()
                            .is_some_and(|words| words.0 == name)
                    });
                    if there {
                        self.promises.stopping.insert(name.clone());
                        self.ask("HassCancelTimer", &[("name", name)]);
                    }
                }
            }
            _ if self.sounds => {
                let ringing = self.ringing.clone();
                self.promises.stopping.extend(ringing);
                let _ = self.agenda.handle_answer("stop", self.now());
                self.drain();
            }
            _ => {}
        }
    }
}

#[test]
fn a_thousand_power_cuts() {
    let (mut kills, mut promised, mut errors) = (0, 0, Vec::new());
    for seed in 0..50 {
        let mut world = World::born(seed);
        for _ in 0..20 {
            for _ in 0..world.random.below(12) {
                world.act();
                // Often within the moment in which a write is on its way.
                let wait = if world.random.below(2) == 0 {
                    world.random.below(6)
                } else {
                    world.random.below(90_000)
                };
                world.pass(world.wall_ms + wait);
            }
            world.kill();
            kills += 1;
        }
        // Then everything has its time, and nothing is stopped.
        world.pass(world.wall_ms + 700_000);
        let promises = &world.promises;
        for (name, due) in &promises.set {
            let done = promises.rung.contains(name)
                || promises.over.contains(name)
                || promises.unsure.contains(name);
            assert!(done, "seed {seed}: {name}, due at {due}, never rang");
        }
        promised += promises.set.len();
        errors.extend(world.fire_errors_ms);
    }
    let worst = errors.iter().max().copied().unwrap_or(0);
    println!(
        "{kills} power cuts, {promised} timers promised, {} on time, worst {worst} ms",
        errors.len()
    );
    assert!(kills >= 1_000 && promised > 1_500 && errors.len() > 500);
    // What was asked for is due from the moment it was asked, not from when the disk had it.
    assert_eq!(worst, 0);
}
