//! The voice's network, run bit by bit: the sound of a sentence is made from its beginning, and the first of it can be
//! heard while the rest is made.
//!
//! ```text
//! ids ─► frames of the whole sentence ─► window of frames ─► sound of its middle
//! ```
//! The second step is a pile of convolutions: with enough frames on both sides a window gives what the whole would give.
use super::{Delivery, graph};
use crate::engine::{Engine, EngineError, Input, Session};

/// The node that takes in the frames, in Piper's export of VITS.
const DECODER: &str = "/dec/conv_pre/Conv";
/// Frames on each side that a window's sound depends on: the decoder's reach is 12.
const REACH_FRAMES: usize = 14;
/// Frames of the first window: 0.4 s of sound.
const FIRST_FRAMES: usize = 36;
/// Most frames of a window: 1.5 s.
const WINDOW_FRAMES_MAX: usize = 128;

/// How the sound of a sentence is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// All of it at once.
    Whole,
    /// In windows that grow, for whoever hears it meanwhile. They differ from the whole by rounding alone.
    Soon,
}

/// The network of a voice.
#[derive(Debug)]
pub(super) struct Model {
    /// From ids to frames; to the sound itself where there is no decoder apart.
    frames: Session,
    decoder: Option<Decoder>,
}

#[derive(Debug)]
struct Decoder {
    session: Session,
    /// Name of the frames.
    tensor: String,
}

impl Model {
    /// From the bytes of a Piper voice. One of another build, which cannot be parted, is run as a whole.
    pub(super) fn new(engine: &Engine, bytes: &[u8]) -> Result<Self, EngineError> {
        let Some(parted) = graph::part(bytes, DECODER) else {
            return Ok(Self {
                frames: engine.session("voice", bytes)?,
                decoder: None,
            });
        };
        Ok(Self {
            frames: engine.session("voice", &parted.before)?,
            decoder: Some(Decoder {
                session: engine.session("the voice's sound", &parted.behind)?,
                tensor: parted.tensor,
            }),
        })
    }

    /// The sound of one sentence, handed on as long as `more` says so; the first bit is empty and says that the rest is
    /// only the sound's making.
    pub(super) fn run(
        &mut self,
        ids: &[i64],
        delivery: Delivery,
        wanted: Wanted,
        more: &mut dyn FnMut(&[f32]) -> bool,
    ) -> Result<(), EngineError> {
        let length = i64::try_from(ids.len()).expect("a sentence is short");
        let scales = [
            delivery.noise_scale,
            delivery.length_scale,
            delivery.noise_width,
        ];
        let inputs = [
            ("input", Input::I64(&[1, length], ids)),
            ("input_lengths", Input::I64(&[1], &[length])),
            ("scales", Input::F32(&[3], &scales)),
        ];
        let outputs = self.frames.run(&inputs)?;
        let Some(decoder) = &mut self.decoder else {
            more(outputs.f32("output")?.1);
            return Ok(());
        };
        let (shape, frames) = outputs.f32(&decoder.tensor)?;
        let [1, channels, count] = *shape else {
            return Err(EngineError::Run {
                model: "voice".to_owned(),
                reason: format!("its frames have the shape {shape:?}"),
            });
        };
        let (channels, count) = (length_of(channels), length_of(count));
        if !more(&[]) {
            return Ok(());
        }
        let (mut begin, mut most) = match wanted {
            Wanted::Whole => (0, count),
            Wanted::Soon => (0, FIRST_FRAMES),
        };
        while begin < count {
            let end = (begin + most).min(count);
            let from = begin.saturating_sub(REACH_FRAMES);
            let to = (end + REACH_FRAMES).min(count);
            let window: Vec<f32> = (0..channels)
                .flat_map(|channel| &frames[channel * count..][from..to])
                .copied()
                .collect();
            let wide = to - from;
            let shape = [1, channels as i64, wide as i64];
            let sound = decoder
                .session
                .run(&[(&decoder.tensor, Input::F32(&shape, &window))])?;
            let (_, samples) = sound.f32("output")?;
            let each = samples.len() / wide;
            if !more(&samples[(begin - from) * each..(end - from) * each]) {
                return Ok(());
            }
            begin = end;
            most = (most * 2).min(WINDOW_FRAMES_MAX);
        }
        Ok(())
    }
}

/// The runtime gives lengths with a sign.
fn length_of(dimension: i64) -> usize {
    usize::try_from(dimension).unwrap_or(0)
}
