//! Tones: ringing here and there, another call waiting, somebody let in; a timer, an alarm, a reminder.
use core::f32::consts::TAU;

use crate::telephone::Tone;

/// Samples a second.
const RATE: u32 = 16_000;
/// Loudness of a note: clear, and quieter than speech.
const LEVEL: f32 = 4_000.0;
/// Notes swell and fade for so long, so that nothing clicks: 5 ms.
const FADE: u32 = 80;

/// One note of a pattern.
struct Note {
    /// When it begins and how long it lasts, in milliseconds.
    at_ms: u32,
    ms: u32,
    /// Its pitches.
    hz: [f32; 2],
}

/// A repeated pattern.
struct Pattern {
    every_ms: u32,
    notes: &'static [Note],
}

const fn note(at_ms: u32, ms: u32, hz: [f32; 2]) -> Note {
    Note { at_ms, ms, hz }
}

/// Two warm notes, twice, then a pause.
const RING: Pattern = Pattern {
    every_ms: 3_000,
    notes: &[
        note(0, 350, [659.3, 830.6]),
        note(400, 350, [523.3, 659.3]),
        note(900, 350, [659.3, 830.6]),
        note(1_300, 350, [523.3, 659.3]),
    ],
};
/// What telephones of North America hear (440 and 480 Hz, 2 s of 6).
const RINGBACK: Pattern = Pattern {
    every_ms: 6_000,
    notes: &[note(0, 2_000, [440.0, 480.0])],
};
const WAITING: Pattern = Pattern {
    every_ms: 6_000,
    notes: &[note(0, 150, [440.0, 440.0]), note(250, 150, [440.0, 440.0])],
};
/// Three notes up: the microphone is open. Again and again, softly placed so that talk goes on.
const DROP_IN: Pattern = Pattern {
    every_ms: 10_000,
    notes: &[
        note(0, 90, [523.3, 523.3]),
        note(110, 90, [659.3, 659.3]),
        note(220, 120, [784.0, 784.0]),
    ],
};
/// Three quick notes, and again: done.
const TIMER: Pattern = Pattern {
    every_ms: 1_500,
    notes: &[
        note(0, 120, [880.0, 880.0]),
        note(160, 120, [880.0, 880.0]),
        note(320, 240, [1_174.7, 1_174.7]),
    ],
};
/// Rising, so that nobody is frightened out of sleep.
const ALARM: Pattern = Pattern {
    every_ms: 2_500,
    notes: &[
        note(0, 300, [523.3, 659.3]),
        note(350, 300, [659.3, 784.0]),
        note(700, 500, [784.0, 1_046.5]),
    ],
};
/// Two notes, then a long pause.
const REMINDER: Pattern = Pattern {
    every_ms: 5_000,
    notes: &[note(0, 200, [659.3, 659.3]), note(240, 400, [880.0, 880.0])],
};

/// A message: two notes up.
const CHIME: [Note; 2] = [
    note(0, 140, [784.0, 784.0]),
    note(150, 320, [1_046.5, 1_046.5]),
];

/// The sound of a message that comes.
pub(super) fn chime() -> Vec<i16> {
    let samples = |ms: u32| ms * (RATE / 1_000);
    let end = CHIME.iter().map(|note| note.at_ms + note.ms).max();
    (0..samples(end.unwrap_or(0) + 100))
        .map(|at| sounding(&CHIME, at))
        .collect()
}

/// A tone that sounds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sounding {
    tone: Tone,
    at: u32,
}

impl Sounding {
    pub(super) fn new(tone: Tone) -> Self {
        Self { tone, at: 0 }
    }

    /// Whether a telephone sounds so, and no skill.
    pub(super) const fn is_telephone(self) -> bool {
        match self.tone {
            Tone::Ring | Tone::Ringback | Tone::Waiting | Tone::DropIn => true,
            Tone::Timer | Tone::Alarm | Tone::Reminder => false,
        }
    }

    /// The next sample at 16 kHz.
    pub(super) fn sample(&mut self) -> i16 {
        let pattern = match self.tone {
            Tone::Ring => &RING,
            Tone::Ringback => &RINGBACK,
            Tone::Waiting => &WAITING,
            Tone::DropIn => &DROP_IN,
            Tone::Timer => &TIMER,
            Tone::Alarm => &ALARM,
            Tone::Reminder => &REMINDER,
        };
        let samples = |ms: u32| ms * (RATE / 1_000);
        let at = self.at;
        self.at = (at + 1) % samples(pattern.every_ms);
        sounding(pattern.notes, at)
    }
}

/// The sample at this place of the notes.
fn sounding(notes: &[Note], at: u32) -> i16 {
    let samples = |ms: u32| ms * (RATE / 1_000);
    let sounding = notes.iter().find_map(|note| {
        let within = at.checked_sub(samples(note.at_ms))?;
        let left = samples(note.ms).checked_sub(within + 1)?;
        Some((within, left, note))
    });
    let Some((within, left, note)) = sounding else {
        return 0;
    };
    let fade = within.min(left).min(FADE) as f32 / FADE as f32;
    let wave = |hz: f32| (TAU * hz * within as f32 / RATE as f32).sin();
    (fade * LEVEL * (wave(note.hz[0]) + wave(note.hz[1])) / 2.0) as i16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tone_sounds_pauses_and_comes_again() {
        for tone in [
            Tone::Ring,
            Tone::Ringback,
            Tone::Waiting,
            Tone::DropIn,
            Tone::Timer,
            Tone::Alarm,
            Tone::Reminder,
        ] {
            let mut sounding = Sounding::new(tone);
            let samples: Vec<i16> = (0..RATE * 12).map(|_| sounding.sample()).collect();
            let loud = |from: usize| {
                samples[from..from + 4_000]
                    .iter()
                    .any(|sample| sample.unsigned_abs() > 1_000)
            };
            assert!(loud(0), "{tone:?}");
            let silent = samples
                .windows(8_000)
                .any(|window| window.iter().all(|sample| *sample == 0));
            assert!(silent, "{tone:?}");
            let again = samples[RATE as usize * 3..]
                .iter()
                .any(|sample| *sample != 0);
            assert!(again, "{tone:?}");
        }
    }
}
