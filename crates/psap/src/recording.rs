//! One WAV file a call: the caller's audio as it was heard, 16 bits, mono.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use hearthline_media::{Downsampler, SAMPLE_RATE_HZ};
use hound::{SampleFormat, WavSpec, WavWriter};

/// An open recording.
pub(crate) struct Recording {
    writer: WavWriter<BufWriter<File>>,
    downsampler: Option<Downsampler>,
    narrow: Vec<i16>,
    unflushed: usize,
}

/// Samples after which the file is made whole again, so that a killed process loses two seconds at most.
const FLUSH_SAMPLES: usize = 2 * SAMPLE_RATE_HZ as usize;

impl Recording {
    /// `call-7.wav` in the folder, which is made if need be; a file already there gets a neighbour instead.
    pub(crate) fn create(
        folder: &Path,
        call: u32,
        rate_hz: u32,
    ) -> Result<(Self, PathBuf), hound::Error> {
        std::fs::create_dir_all(folder)?;
        let path = (0u32..)
            .map(|copy| match copy {
                0 => folder.join(format!("call-{call}.wav")),
                copy => folder.join(format!("call-{call}-{copy}.wav")),
            })
            .find(|path| !path.exists())
            .unwrap_or_else(|| folder.join("call.wav"));
        let spec = WavSpec {
            channels: 1,
            sample_rate: rate_hz,
            bits_per_sample: 16,
            sample_format: SampleFormat::Int,
        };
        let recording = Self {
            writer: WavWriter::create(&path, spec)?,
            downsampler: (rate_hz < SAMPLE_RATE_HZ).then(Downsampler::new),
            narrow: Vec::new(),
            unflushed: 0,
        };
        Ok((recording, path))
    }

    pub(crate) fn write(&mut self, samples: &[i16]) -> Result<(), hound::Error> {
        let own = match &mut self.downsampler {
            None => samples,
            Some(downsampler) => {
                self.narrow.clear();
                downsampler.process(samples, &mut self.narrow);
                &self.narrow
            }
        };
        for &sample in own {
            self.writer.write_sample(sample)?;
        }
        self.unflushed += samples.len();
        if self.unflushed >= FLUSH_SAMPLES {
            self.unflushed = 0;
            self.writer.flush()?;
        }
        Ok(())
    }

    pub(crate) fn finish(self) -> Result<(), hound::Error> {
        self.writer.finalize()
    }
}

/// Samples of a WAV file of 16 kHz, 16 bits, mono.
pub(crate) fn read_voice(path: &Path) -> Result<Vec<i16>, String> {
    let mut reader = hound::WavReader::open(path).map_err(|error| error.to_string())?;
    let spec = reader.spec();
    if (spec.channels, spec.sample_rate, spec.bits_per_sample) != (1, SAMPLE_RATE_HZ, 16) {
        return Err("the voice must be a WAV of 16 kHz, 16 bits, mono".to_owned());
    }
    let limit = SAMPLE_RATE_HZ as usize * 600;
    let samples = reader
        .samples::<i16>()
        .take(limit)
        .collect::<Result<Vec<i16>, _>>();
    samples.map_err(|error| error.to_string())
}
