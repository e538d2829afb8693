//! MP3 (and its older layers) out of anything that can be read, frame by frame: files and radio alike.
use std::io::Read;

use nanomp3::{DecodeError, Decoder, MAX_SAMPLES_PER_FRAME};

/// Bytes kept ready, so that a frame is judged by those behind it.
const READY_BYTES: usize = 16 * 1_024;
/// Bytes without any frame after which it is no MP3, or one that is damaged for good.
const JUNK_BYTES_MAX: usize = 256 * 1_024;
/// Largest tag in front: a picture of the cover is in it. 32 MiB.
const TAG_BYTES_MAX: usize = 32 * 1_024 * 1_024;

/// What is wrong with it.
#[derive(Debug, thiserror::Error)]
pub enum Mp3Error {
    /// It cannot be read.
    #[error("{0}")]
    Unreadable(#[from] std::io::Error),
    /// No frame for so long.
    #[error("there is no MP3 sound in it")]
    NotMp3,
    /// Frames, then nothing that is one.
    #[error("it is damaged")]
    Damaged,
}

/// A frame of sound.
#[derive(Debug, Clone, PartialEq)]
pub struct Frame {
    /// Its rate in hertz.
    pub rate_hz: u32,
    /// All channels as one, -1 to 1.
    pub mono: Vec<f32>,
}

/// A decoder over a reader.
pub struct Mp3<R> {
    reader: R,
    decoder: Box<Decoder>,
    bytes: Vec<u8>,
    ended: bool,
    begun: bool,
    any: bool,
    junk: usize,
}

impl<R: Read> Mp3<R> {
    /// Over this.
    pub fn new(reader: R) -> Self {
        Self {
            reader,
            decoder: Box::new(Decoder::new()),
            bytes: Vec::new(),
            ended: false,
            begun: false,
            any: false,
            junk: 0,
        }
    }

    /// The next frame; none at the end.
    ///
    /// # Errors
    /// [`Mp3Error`]
    pub fn next_frame(&mut self) -> Result<Option<Frame>, Mp3Error> {
        let mut pcm = [0f32; MAX_SAMPLES_PER_FRAME];
        loop {
            self.fill()?;
            if !self.begun {
                self.begun = true;
                self.skip(nanomp3::id3v2_len(&self.bytes).min(TAG_BYTES_MAX))?;
                continue;
            }
            if self.bytes.is_empty() {
                return if self.any {
                    Ok(None)
                } else {
                    Err(Mp3Error::NotMp3)
                };
            }
            let (used, result) = self.decoder.decode(&self.bytes, &mut pcm);
            let used = used.min(self.bytes.len());
            self.bytes.drain(..used);
            match result {
                Ok(info) if info.samples_produced > 0 => {
                    let channels = usize::from(info.channels.num());
                    let mono = pcm[..info.samples_produced * channels]
                        .chunks(channels)
                        .map(|frame| frame.iter().sum::<f32>() / channels as f32)
                        .collect();
                    (self.any, self.junk) = (true, 0);
                    let rate_hz = info.sample_rate;
                    return Ok(Some(Frame { rate_hz, mono }));
                }
                Ok(_) | Err(DecodeError::ReservoirUnavailable(_)) => {}
                // A tag stands behind the last frame.
                Err(_) if self.ended && self.any => {}
                Err(_) => self.junk += used.max(1),
            }
            if used == 0 && self.ended {
                self.bytes.clear();
            }
            if self.junk > JUNK_BYTES_MAX {
                return Err(if self.any {
                    Mp3Error::Damaged
                } else {
                    Mp3Error::NotMp3
                });
            }
        }
    }

    fn fill(&mut self) -> Result<(), Mp3Error> {
        while !self.ended && self.bytes.len() < READY_BYTES {
            let mut chunk = [0; 4_096];
            match self.reader.read(&mut chunk) {
                Ok(0) => self.ended = true,
                Ok(count) => self.bytes.extend_from_slice(&chunk[..count]),
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    fn skip(&mut self, mut count: usize) -> Result<(), Mp3Error> {
        loop {
            let here = count.min(self.bytes.len());
            self.bytes.drain(..here);
            count -= here;
            if count == 0 || self.ended {
                return Ok(());
            }
            self.fill()?;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_bytes_end(bytes: Vec<u8>) {
            let mut mp3 = Mp3::new(bytes.as_slice());
            while let Ok(Some(frame)) = mp3.next_frame() {
                prop_assert!(!frame.mono.is_empty());
            }
        }
    }

    #[test]
    fn a_text_is_no_mp3() {
        let text = "not a sound ".repeat(40_000);
        assert!(matches!(
            Mp3::new(text.as_bytes()).next_frame(),
            Err(Mp3Error::NotMp3)
        ));
        assert!(matches!(
            Mp3::new(&[][..]).next_frame(),
            Err(Mp3Error::NotMp3)
        ));
    }
}
