//! Samples between the thread that decodes and the loudspeaker that pulls: as loud as is allowed now, without a click.
use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, TryRecvError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hearthline_speaker::io::music::Music;

use super::{Event, Sounding};
use crate::order::Duck;

/// Samples of a second.
const RATE: u64 = 16_000;
/// Under words, of 1: 14 dB less.
const SOFT: f32 = 0.2;
/// How fast it gives way: from full to nothing in 60 ms.
const DOWN_STEP: f32 = 1.0 / 960.0;
/// How fast it comes back: 400 ms.
const UP_STEP: f32 = 1.0 / 6_400.0;

/// What a reading thread sends.
#[derive(Debug)]
pub enum Part {
    /// Samples at 16 kHz.
    Samples(Vec<i16>),
    /// There are no more.
    End,
    /// There can be no more; why, in a few words.
    Broken(String),
}

type Wake = Box<dyn Fn() + Send + Sync>;

struct Shared {
    feed: Option<Feed>,
    how: Sounding,
    level: f32,
    wake: Option<Wake>,
    events: tokio::sync::mpsc::UnboundedSender<Event>,
    /// How much is left of fading, in samples, and how much it was.
    fading: Option<(u64, u64)>,
}

struct Feed {
    id: u64,
    parts: Receiver<Part>,
    samples: VecDeque<i16>,
    sounded: u64,
    live: bool,
}

/// The end that the player holds.
#[derive(Clone)]
pub struct Sound(Arc<Mutex<Shared>>);

/// The end that the loudspeaker holds.
pub struct Source(Arc<Mutex<Shared>>);

/// The two ends. Events of what sounds go to `events`.
#[must_use]
pub fn sound(events: tokio::sync::mpsc::UnboundedSender<Event>) -> (Sound, Source) {
    let shared = Arc::new(Mutex::new(Shared {
        feed: None,
        how: Sounding {
            percent: 100,
            ..Sounding::default()
        },
        level: 0.0,
        wake: None,
        events,
        fading: None,
    }));
    (Sound(Arc::clone(&shared)), Source(shared))
}

fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    // Nothing that holds it can panic half way.
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Sound {
    /// What sounds from now on. A live one does not wait while it holds.
    pub fn begin(&self, id: u64, parts: Receiver<Part>, from_ms: u64, live: bool) {
        let mut shared = lock(&self.0);
        shared.feed = Some(Feed {
            id,
            parts,
            samples: VecDeque::new(),
            sounded: from_ms * RATE / 1_000,
            live,
        });
        shared.level = 0.0;
        shared.wake();
    }

    /// No more.
    pub fn end(&self) {
        let mut shared = lock(&self.0);
        shared.feed = None;
    }

    /// How it sounds from now on.
    pub fn set(&self, how: Sounding) {
        let mut shared = lock(&self.0);
        if how.duck == Duck::Silent {
            shared.level = 0.0;
        }
        shared.fading = match how.fade_ms {
            Some(ms) => shared
                .fading
                .or(Some((ms * RATE / 1_000, ms * RATE / 1_000))),
            None => None,
        };
        shared.how = how;
        shared.wake();
    }

    /// How much has sounded, in milliseconds.
    #[must_use]
    pub fn position_ms(&self) -> u64 {
        let shared = lock(&self.0);
        shared
            .feed
            .as_ref()
            .map_or(0, |feed| feed.sounded * 1_000 / RATE)
    }
}

impl Shared {
    fn wake(&self) {
        if let (Some(wake), Some(_)) = (&self.wake, &self.feed) {
            wake();
        }
    }

    fn target(&self) -> f32 {
        let own = f32::from(self.how.percent) / 100.0;
        let way = match self.how.duck {
            Duck::Full => 1.0,
            Duck::Soft => SOFT,
            Duck::Hold | Duck::Silent => 0.0,
        };
        if self.how.paused {
            0.0
        } else {
            own * own * way
        }
    }
}

impl Feed {
    /// Samples for a block, as far as they are there; what ended it.
    fn take_in(&mut self, wanted: usize) -> Option<Event> {
        while self.samples.len() < wanted {
            match self.parts.try_recv() {
                Ok(Part::Samples(samples)) => self.samples.extend(samples),
                Ok(Part::End) | Err(TryRecvError::Disconnected) if self.samples.is_empty() => {
                    return Some(Event::Ended { id: self.id });
                }
                Ok(Part::Broken(why)) => return Some(Event::Broken { id: self.id, why }),
                Ok(Part::End) | Err(_) => return None,
            }
        }
        None
    }
}

impl Music for Source {
    fn attach(&mut self, wake: Wake) {
        let mut shared = lock(&self.0);
        shared.wake = Some(wake);
        shared.wake();
    }

    fn fill(&mut self, block: &mut [i16]) -> bool {
        let mut shared = lock(&self.0);
        let shared = &mut *shared;
        let target = shared.target();
        let holds = shared.how.paused || shared.how.duck >= Duck::Hold;
        let Some(feed) = &mut shared.feed else {
            return false;
        };
        // It waits where it is; a station goes on unheard.
        if holds && shared.level <= 0.0 && !feed.live {
            return false;
        }
        if let Some(event) = feed.take_in(block.len()) {
            let _ = shared.events.send(event);
            shared.feed = None;
            return false;
        }
        for sample in block.iter_mut() {
            shared.level = if target < shared.level {
                (shared.level - DOWN_STEP).max(target)
            } else {
                (shared.level + UP_STEP).min(target)
            };
            let Some(next) = feed.samples.pop_front() else {
                // Late: silence, and on as soon as there is more.
                break;
            };
            feed.sounded += 1;
            let mut level = shared.level;
            if let Some((left, all)) = &mut shared.fading {
                level *= *left as f32 / (*all).max(1) as f32;
                *left = left.saturating_sub(1);
            }
            *sample = (f32::from(next) * level) as i16;
        }
        if let Some((0, _)) = shared.fading {
            shared.fading = None;
            shared.feed = None;
            let _ = shared.events.send(Event::Faded);
            return false;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::sync_channel;

    use super::*;

    struct Bench {
        sound: Sound,
        source: Source,
        events: tokio::sync::mpsc::UnboundedReceiver<Event>,
        parts: std::sync::mpsc::SyncSender<Part>,
        how: Sounding,
    }

    impl Bench {
        fn new(live: bool) -> Self {
            let (sender, events) = tokio::sync::mpsc::unbounded_channel();
            let (sound, source) = sound(sender);
            let (parts, receiver) = sync_channel(1_000);
            sound.begin(1, receiver, 0, live);
            let how = Sounding {
                percent: 100,
                ..Sounding::default()
            };
            Self {
                sound,
                source,
                events,
                parts,
                how,
            }
        }

        fn feed(&self, blocks: usize) {
            for _ in 0..blocks {
                self.parts.send(Part::Samples(vec![10_000; 320])).unwrap();
            }
        }

        /// The loudest sample of so many blocks, and of the last.
        fn play(&mut self, blocks: usize) -> (i16, i16) {
            let mut loudest = (0, 0);
            for _ in 0..blocks {
                let mut block = [0; 320];
                self.source.fill(&mut block);
                let most = block.iter().copied().max().unwrap_or(0);
                loudest = (loudest.0.max(most), most);
            }
            loudest
        }

        fn duck(&mut self, duck: Duck) {
            self.how.duck = duck;
            self.sound.set(self.how);
        }
    }

    #[test]
    fn it_is_soft_within_100_ms_and_silent_at_once_in_an_emergency() {
        let mut bench = Bench::new(false);
        bench.feed(400);
        assert_eq!(bench.play(50).1, 10_000);
        bench.duck(Duck::Soft);
        assert!(bench.play(5).1 <= 2_000, "100 ms later");
        bench.duck(Duck::Full);
        assert_eq!(bench.play(50).1, 10_000);
        bench.duck(Duck::Silent);
        assert_eq!(bench.play(1), (0, 0));
        let at = bench.sound.position_ms();
        assert_eq!(bench.play(100), (0, 0));
        assert_eq!(bench.sound.position_ms(), at, "it holds where it is");
        bench.duck(Duck::Full);
        assert_eq!(bench.play(50).1, 10_000);
    }

    #[test]
    fn a_station_goes_on_unheard_and_a_pause_waits() {
        let mut live = Bench::new(true);
        live.feed(100);
        live.play(30);
        live.duck(Duck::Hold);
        live.play(20);
        assert_eq!(live.play(20), (0, 0));
        assert_eq!(live.sound.position_ms(), 70 * 20);
        let mut bench = Bench::new(false);
        bench.feed(100);
        bench.play(30);
        bench.how.paused = true;
        bench.sound.set(bench.how);
        assert!(bench.play(5).1 <= 1);
        let at = bench.sound.position_ms();
        bench.play(20);
        assert!(bench.sound.position_ms() <= at + 20);
    }

    #[test]
    fn the_end_a_break_and_a_fade_are_told() {
        let mut bench = Bench::new(false);
        bench.feed(2);
        bench.parts.send(Part::End).unwrap();
        bench.play(4);
        assert_eq!(bench.events.try_recv(), Ok(Event::Ended { id: 1 }));
        let mut bench = Bench::new(false);
        bench.parts.send(Part::Broken("torn".into())).unwrap();
        bench.play(1);
        assert!(matches!(bench.events.try_recv(), Ok(Event::Broken { .. })));
        let mut bench = Bench::new(false);
        bench.feed(100);
        bench.play(30);
        bench.how.fade_ms = Some(200);
        bench.sound.set(bench.how);
        let (loud, last) = bench.play(10);
        assert!(loud > 8_000 && last < 2_000, "{loud} {last}");
        bench.play(1);
        assert_eq!(bench.events.try_recv(), Ok(Event::Faded));
    }
}
