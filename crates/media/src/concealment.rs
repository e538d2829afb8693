//! Packet loss concealment: the last pitch periods again, fading to silence within 60 ms.
//!
//! In the spirit of ITU-T G.711 Appendix I, at 16 kHz and without its 3.75 ms of added delay: the
//! seam at the start is mended by a short decaying offset instead of a look-ahead.

/// Shortest and longest pitch period looked for: 400 Hz and 66 Hz at 16 kHz.
const LAG_MIN: usize = 40;
const LAG_MAX: usize = 240;
/// Samples compared at each lag, 20 ms.
const TEMPLATE: usize = 320;
/// Samples kept: three longest periods and the quarter before them.
const HISTORY: usize = 3 * LAG_MAX + LAG_MAX / 4;
/// Full gain for 10 ms, then linearly to zero at 60 ms.
const HOLD: usize = 160;
const FADED: usize = 960;
/// The first seam is mended over 1 ms, the last one over 5 ms.
const SEAM: usize = 16;
const RESUME: usize = 80;

/// Conceals gaps in one stream of 16 kHz samples.
#[derive(Clone, Debug)]
pub struct Concealment {
    history: Vec<i16>,
    gap: Option<Gap>,
}

/// A gap being filled.
#[derive(Clone, Debug)]
struct Gap {
    period: usize,
    periods: usize,
    /// What is repeated; its end already leads into its start.
    cycle: Vec<f32>,
    position: usize,
    /// Samples made since the gap began.
    made: usize,
    seam: f32,
}

impl Default for Concealment {
    fn default() -> Self {
        Self::new()
    }
}

impl Concealment {
    /// With silence as history.
    #[must_use]
    pub fn new() -> Self {
        Self {
            history: vec![0; HISTORY],
            gap: None,
        }
    }

    /// Whether the last samples were invented.
    #[must_use]
    pub fn in_gap(&self) -> bool {
        self.gap.is_some()
    }

    /// Appends `count` samples in place of what is missing.
    pub fn conceal(&mut self, count: usize, out: &mut Vec<i16>) {
        let mut gap = self.gap.take().unwrap_or_else(|| Gap::open(&self.history));
        out.extend((0..count).map(|_| gap.next_sample(&self.history)));
        self.gap = Some(gap);
    }

    /// Takes in decoded samples; after a gap their first 5 ms are blended with its continuation.
    pub fn accept(&mut self, samples: &mut [i16]) {
        if let Some(mut gap) = self.gap.take() {
            let blend = RESUME.min(samples.len());
            for (index, sample) in samples[..blend].iter_mut().enumerate() {
                let real = (index + 1) as f32 / (blend + 1) as f32;
                let invented = f32::from(gap.next_sample(&self.history));
                *sample = to_sample(f32::from(*sample) * real + invented * (1.0 - real));
            }
        }
        if samples.len() >= HISTORY {
            self.history
                .copy_from_slice(&samples[samples.len() - HISTORY..]);
        } else {
            self.history.copy_within(samples.len().., 0);
            self.history[HISTORY - samples.len()..].copy_from_slice(samples);
        }
    }
}

impl Gap {
    fn open(history: &[i16]) -> Self {
        let period = pitch_period(history);
        let seam = f32::from(history[HISTORY - 1]) - f32::from(history[HISTORY - 1 - period]);
        let cycle = cycle(history, period, 1);
        Self {
            period,
            periods: 1,
            cycle,
            position: 0,
            made: 0,
            seam,
        }
    }

    fn next_sample(&mut self, history: &[i16]) -> i16 {
        if self.made >= FADED {
            return 0;
        }
        // One period for 10 ms, then two, then three: a single one repeated for long would buzz.
        let periods = (1 + self.made / HOLD).min(3);
        if periods != self.periods {
            self.periods = periods;
            self.position %= self.period;
            self.cycle = cycle(history, self.period, periods);
        }
        let mut value = self.cycle[self.position];
        self.position = (self.position + 1) % self.cycle.len();
        if self.made < SEAM {
            value += self.seam * (1.0 - (self.made + 1) as f32 / (SEAM + 1) as f32);
        }
        let faded = self.made.saturating_sub(HOLD) as f32 / (FADED - HOLD) as f32;
        self.made += 1;
        to_sample(value * (1.0 - faded))
    }
}

/// The last `periods` periods, the last quarter period blended into what came before them.
fn cycle(history: &[i16], period: usize, periods: usize) -> Vec<f32> {
    let length = period * periods;
    let start = HISTORY - length;
    let mut cycle: Vec<f32> = history[start..].iter().map(|&s| f32::from(s)).collect();
    let overlap = period / 4;
    for index in 0..overlap {
        let before = f32::from(history[start - overlap + index]);
        let weight = (index + 1) as f32 / (overlap + 1) as f32;
        let sample = &mut cycle[length - overlap + index];
        *sample = *sample * (1.0 - weight) + before * weight;
    }
    cycle
}

/// The lag at which the last 20 ms resemble what came before them most.
fn pitch_period(history: &[i16]) -> usize {
    let likeness = |lag: usize, step: usize| {
        let (mut cross, mut energy) = (0.0f32, 1.0f32);
        for index in (HISTORY - TEMPLATE..HISTORY).step_by(step) {
            let (now, past) = (f32::from(history[index]), f32::from(history[index - lag]));
            cross += now * past;
            energy += past * past;
        }
        cross / energy.sqrt()
    };
    let best = |lags: &mut dyn Iterator<Item = usize>, step| {
        lags.map(|lag| (lag, likeness(lag, step)))
            .max_by(|a, b| a.1.total_cmp(&b.1))
            .map_or(LAG_MAX, |(lag, _)| lag)
    };
    let coarse = best(&mut (LAG_MIN..=LAG_MAX).step_by(2), 2);
    best(
        &mut (coarse.saturating_sub(2).max(LAG_MIN)..=(coarse + 2).min(LAG_MAX)),
        1,
    )
}

fn to_sample(value: f32) -> i16 {
    value.round().clamp(-32768.0, 32767.0) as i16
}

/// The distance in `LAG_MIN..=lag_max` at which two stretches of `samples` fit best: the cut at which
/// dropping is heard least. `samples` must hold `lag_max` plus `window` samples.
#[must_use]
pub(crate) fn best_cut(samples: &[i16], window: usize, lag_max: usize) -> usize {
    let likeness = |lag: usize| {
        let (mut cross, mut energy) = (0.0f32, 1.0f32);
        for index in (0..window).step_by(2) {
            let (first, second) = (f32::from(samples[index]), f32::from(samples[index + lag]));
            cross += first * second;
            energy += second * second;
        }
        cross / energy.sqrt()
    };
    (LAG_MIN..=lag_max)
        .step_by(2)
        .max_by(|&a, &b| likeness(a).total_cmp(&likeness(b)))
        .unwrap_or(lag_max)
}
