//! A recording as microphone samples: WAV, FLAC or Ogg Opus, any rate, any number of channels, read block by block so that
//! ten hours need no more memory than ten seconds.
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{
    Async, FixedAsync, Indexing, Resampler, SincInterpolationParameters, SincInterpolationType,
    WindowFunction,
};

/// The rate that the device hears at, in hertz.
pub const RATE_HZ: u32 = 16_000;
/// Accepted rates of a recording, in hertz.
const RATE_HZ_RANGE: std::ops::RangeInclusive<u32> = 4_000..=384_000;
/// More channels than any microphone array here.
const CHANNELS_MAX: usize = 64;
/// Longer recordings are refused, in seconds: a day.
const RECORDING_S_MAX: u64 = 24 * 3_600;
/// More bytes than the two sizes of a RIFF header can tell.
const RIFF_BYTES_MAX: u64 = u32::MAX as u64 + 8;
/// An Ogg page is at most so long (RFC 3533 §6); the last one begins in the last so many bytes.
const OGG_PAGE_BYTES_MAX: u64 = 65_307;
/// Longest Opus packet, 120 ms at 16 kHz (RFC 6716 §2.1.4).
const OPUS_PACKET_SAMPLES_MAX: usize = 1_920;
/// Frames read at once.
const BLOCK_FRAMES: usize = 4_096;

/// What is wrong with a recording.
#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    /// The file cannot be opened or read.
    #[error("{path}: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// Not one of the formats.
    #[error("{path}: {why}; give a WAV, FLAC or Ogg Opus file")]
    Format {
        /// The file.
        path: PathBuf,
        /// What was found.
        why: String,
    },
    /// The sound breaks off or is damaged after some samples.
    #[error("{path}: damaged after {seconds:.2} s: {why}; copy or record it again")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// How much was read.
        seconds: f64,
        /// What the decoder says.
        why: String,
    },
    /// No sample at all.
    #[error("{0}: the recording is empty; record it again, or give another file")]
    Empty(PathBuf),
    /// A WAV file that its own header cannot describe: sizes there have 32 bits.
    #[error(
        "{path}: more than 4 GiB, which a WAV header cannot tell; convert it to FLAC, or cut it into parts"
    )]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// Longer than a day.
    #[error("{path}: longer than {hours} hours; cut it into parts")]
    TooLong {
        /// The file.
        path: PathBuf,
        /// The limit.
        hours: u64,
    },
}

/// A recording being read.
pub struct Recording {
    path: PathBuf,
    source: Source,
    rate_hz: u32,
    resampler: Option<Rate>,
    frames_read: u64,
    frames_total: Option<u64>,
    ended: bool,
}

impl Recording {
    /// Opens a file and reads its header.
    ///
    /// # Errors
    /// [`RecordingError`] for a missing file, a foreign format, an impossible rate or channel count.
    pub fn open(path: &Path) -> Result<Self, RecordingError> {
        let unreadable = |source| RecordingError::Unreadable {
            path: path.to_owned(),
            source,
        };
        let format = |why: String| RecordingError::Format {
            path: path.to_owned(),
            why,
        };
        let mut file = File::open(path).map_err(unreadable)?;
        let mut magic = Vec::new();
        (&mut file)
            .take(4)
            .read_to_end(&mut magic)
            .map_err(unreadable)?;
        let size = file.seek(SeekFrom::End(0)).map_err(unreadable)?;
        let opus_frames = if magic == b"OggS" {
            opus_frames(&mut file, size).map_err(unreadable)?
        } else {
            None
        };
        file.seek(SeekFrom::Start(0)).map_err(unreadable)?;
        let reader = BufReader::new(file);
        let (source, rate_hz, channels) = match magic.as_slice() {
            b"RF64" | b"BW64" => {
                return Err(format("RF64, the WAV for more than 4 GiB".into()));
            }
            b"RIFF" if size > RIFF_BYTES_MAX => {
                return Err(RecordingError::TooLarge {
                    path: path.to_owned(),
                });
            }
            b"RIFF" => open_wav(reader).map_err(format)?,
            b"fLaC" => open_flac(reader).map_err(format)?,
            b"OggS" => open_opus(reader).map_err(format)?,
            [] => return Err(RecordingError::Empty(path.to_owned())),
            other => return Err(format(format!("unknown format (begins with {other:02x?})"))),
        };
        if !RATE_HZ_RANGE.contains(&rate_hz) {
            return Err(format(format!(
                "sample rate {rate_hz} Hz, not between 4,000 and 384,000"
            )));
        }
        if channels == 0 || channels > CHANNELS_MAX {
            return Err(format(format!(
                "{channels} channels, not between 1 and {CHANNELS_MAX}"
            )));
        }
        let resampler = if rate_hz == RATE_HZ {
            None
        } else {
            Some(Rate::new(rate_hz).map_err(format)?)
        };
        let frames_total = source.frames().or(opus_frames);
        Ok(Self {
            path: path.to_owned(),
            source,
            rate_hz,
            resampler,
            frames_read: 0,
            frames_total,
            ended: false,
        })
    }

    /// How long the file says that it is, in seconds; none where it does not say.
    #[must_use]
    pub fn seconds_total(&self) -> Option<f64> {
        self.frames_total
            .map(|frames| frames as f64 / f64::from(self.rate_hz))
    }

    /// How much has been read, in seconds.
    #[must_use]
    pub fn seconds_read(&self) -> f64 {
        self.frames_read as f64 / f64::from(self.rate_hz)
    }

    /// The next block of 16 kHz mono samples; `None` at the end.
    ///
    /// # Errors
    /// [`RecordingError::Damaged`], [`RecordingError::Empty`] or [`RecordingError::TooLong`].
    pub fn next_block(&mut self) -> Result<Option<Vec<i16>>, RecordingError> {
        while !self.ended {
            let mut mono = Vec::with_capacity(BLOCK_FRAMES);
            let more = self.source.read(&mut mono);
            self.frames_read += mono.len() as u64;
            let more = more.map_err(|why| RecordingError::Damaged {
                path: self.path.clone(),
                seconds: self.frames_read as f64 / f64::from(self.rate_hz),
                why,
            })?;
            self.ended = !more;
            if self.ended && self.frames_read == 0 {
                return Err(RecordingError::Empty(self.path.clone()));
            }
            if self.frames_read > RECORDING_S_MAX * u64::from(self.rate_hz) {
                return Err(RecordingError::TooLong {
                    path: self.path.clone(),
                    hours: RECORDING_S_MAX / 3_600,
                });
            }
            let heard = match &mut self.resampler {
                Some(rate) => rate.convert(&mono, self.ended),
                None => mono,
            };
            if !heard.is_empty() {
                return Ok(Some(heard.into_iter().map(to_i16).collect()));
            }
        }
        Ok(None)
    }

    /// Reads the rest.
    ///
    /// # Errors
    /// As [`Recording::next_block`].
    pub fn read_all(&mut self) -> Result<Vec<i16>, RecordingError> {
        let mut all = Vec::new();
        while let Some(block) = self.next_block()? {
            all.extend_from_slice(&block);
        }
        Ok(all)
    }
}

/// A sample of -1 to 1 as the device has it.
#[must_use]
pub fn to_i16(sample: f32) -> i16 {
    (sample * 32_768.0).round().clamp(-32_768.0, 32_767.0) as i16
}

/// The decoders; each gives mono samples in -1..1.
enum Source {
    WavInteger {
        samples: hound::WavIntoSamples<BufReader<File>, i32>,
        channels: usize,
        scale: f32,
    },
    WavFloat {
        samples: hound::WavIntoSamples<BufReader<File>, f32>,
        channels: usize,
    },
    Flac {
        reader: Box<claxon::FlacReader<BufReader<File>>>,
        scale: f32,
    },
    Opus(Box<Opus>),
}

impl Source {
    /// Frames that the header tells of; none for Opus, whose end tells it.
    fn frames(&self) -> Option<u64> {
        match self {
            Self::WavInteger {
                samples, channels, ..
            } => Some(samples.len() as u64 / (*channels).max(1) as u64),
            Self::WavFloat { samples, channels } => {
                Some(samples.len() as u64 / (*channels).max(1) as u64)
            }
            Self::Flac { reader, .. } => reader.streaminfo().samples,
            Self::Opus(_) => None,
        }
    }

    /// Appends some frames; false when there are no more.
    fn read(&mut self, mono: &mut Vec<f32>) -> Result<bool, String> {
        match self {
            Self::WavInteger {
                samples,
                channels,
                scale,
            } => {
                let scale = *scale;
                mix(
                    samples
                        .by_ref()
                        .map(|sample| sample.map(|value| value as f32 * scale)),
                    *channels,
                    mono,
                )
            }
            Self::WavFloat { samples, channels } => mix(samples.by_ref(), *channels, mono),
            Self::Flac { reader, scale } => {
                let Some(block) = reader
                    .blocks()
                    .read_next_or_eof(Vec::new())
                    .map_err(|error| error.to_string())?
                else {
                    return Ok(false);
                };
                let share = *scale / block.channels() as f32;
                mono.extend((0..block.duration()).map(|frame| {
                    (0..block.channels())
                        .map(|channel| block.sample(channel, frame) as f32 * share)
                        .sum::<f32>()
                }));
                Ok(true)
            }
            Self::Opus(opus) => opus.read(mono),
        }
    }
}

/// Averages interleaved channels.
fn mix<E: std::fmt::Display>(
    mut samples: impl Iterator<Item = Result<f32, E>>,
    channels: usize,
    mono: &mut Vec<f32>,
) -> Result<bool, String> {
    for _ in 0..BLOCK_FRAMES {
        let mut sum = 0.0;
        for channel in 0..channels {
            match samples.next() {
                Some(Ok(value)) if value.is_finite() => sum += value.clamp(-1.0, 1.0),
                Some(Ok(_)) => return Err("a sample is not a number".into()),
                Some(Err(error)) => return Err(error.to_string()),
                None if channel == 0 => return Ok(false),
                None => return Err("the last frame lacks a channel".into()),
            }
        }
        mono.push(sum / channels as f32);
    }
    Ok(true)
}

type Opened = (Source, u32, usize);

fn open_wav(reader: BufReader<File>) -> Result<Opened, String> {
    let wav = hound::WavReader::new(reader).map_err(|error| format!("WAV header: {error}"))?;
    let spec = wav.spec();
    let channels = usize::from(spec.channels);
    let source = match spec.sample_format {
        hound::SampleFormat::Int => {
            let scale = 1.0 / (1_u64 << (spec.bits_per_sample.clamp(1, 32) - 1)) as f32;
            Source::WavInteger {
                samples: wav.into_samples(),
                channels,
                scale,
            }
        }
        hound::SampleFormat::Float => Source::WavFloat {
            samples: wav.into_samples(),
            channels,
        },
    };
    Ok((source, spec.sample_rate, channels))
}

fn open_flac(reader: BufReader<File>) -> Result<Opened, String> {
    let reader =
        claxon::FlacReader::new(reader).map_err(|error| format!("FLAC header: {error}"))?;
    let info = reader.streaminfo();
    let scale = 1.0 / (1_u64 << (info.bits_per_sample.clamp(1, 32) - 1)) as f32;
    Ok((
        Source::Flac {
            reader: Box::new(reader),
            scale,
        },
        info.sample_rate,
        info.channels as usize,
    ))
}

/// Opus in Ogg (RFC 7845), decoded at the device's rate.
struct Opus {
    packets: ogg::PacketReader<BufReader<File>>,
    decoder: ropus::Decoder,
    /// Samples still to drop at the beginning (RFC 7845 §4.2), at 16 kHz.
    skip: usize,
    /// Samples decoded so far, and the end that the last page names (end trimming, RFC 7845 §4.4).
    decoded: u64,
    /// Room for the longest packet.
    pcm: Vec<f32>,
}

impl Opus {
    fn read(&mut self, mono: &mut Vec<f32>) -> Result<bool, String> {
        let Some(packet) = self
            .packets
            .read_packet()
            .map_err(|error| error.to_string())?
        else {
            return Ok(false);
        };
        if packet.first_in_stream() {
            return Err("a second stream begins; cut the file there".into());
        }
        if packet.data.is_empty() {
            // To the decoder that would mean a lost packet, which it would make up.
            return Err("an empty packet".into());
        }
        let count = self
            .decoder
            .decode_float(&packet.data, &mut self.pcm, ropus::DecodeMode::Normal)
            .map_err(|error| error.to_string())?;
        let skipped = self.skip.min(count);
        self.skip -= skipped;
        self.decoded += count as u64;
        let mut kept = &self.pcm[skipped..count];
        if packet.last_in_stream() {
            let end = packet.absgp_page() / 3; // 48 kHz clock to 16 kHz
            let over = usize::try_from(self.decoded.saturating_sub(end)).unwrap_or(usize::MAX);
            kept = &kept[..kept.len().saturating_sub(over)];
        }
        mono.extend_from_slice(kept);
        Ok(true)
    }
}

fn open_opus(reader: BufReader<File>) -> Result<Opened, String> {
    let mut packets = ogg::PacketReader::new(reader);
    let mut next = |what: &str| match packets.read_packet() {
        Ok(Some(packet)) => Ok(packet.data),
        Ok(None) => Err(format!("Ogg ends before its {what}")),
        Err(error) => Err(format!("Ogg: {error}")),
    };
    let head = next("OpusHead")?;
    if head.len() < 19 || !head.starts_with(b"OpusHead") {
        return Err("Ogg stream that is not Opus".into());
    }
    let channels = usize::from(head[9]);
    if head[18] != 0 || !(1..=2).contains(&channels) {
        return Err(format!(
            "Opus with {channels} channels in mapping family {}; only mono and stereo",
            head[18]
        ));
    }
    next("OpusTags")?;
    let pre_skip = usize::from(u16::from_le_bytes([head[10], head[11]])) / 3;
    let decoder = ropus::Decoder::new(RATE_HZ, ropus::Channels::Mono)
        .map_err(|error| format!("Opus: {error}"))?;
    let opus = Opus {
        packets,
        decoder,
        skip: pre_skip,
        decoded: 0,
        pcm: vec![0.0; OPUS_PACKET_SAMPLES_MAX],
    };
    Ok((Source::Opus(Box::new(opus)), RATE_HZ, 1))
}

/// Frames at 16 kHz by the last page's position; none where no page is found.
fn opus_frames(file: &mut File, size: u64) -> std::io::Result<Option<u64>> {
    file.seek(SeekFrom::Start(size.saturating_sub(OGG_PAGE_BYTES_MAX)))?;
    let mut tail = Vec::new();
    file.take(OGG_PAGE_BYTES_MAX).read_to_end(&mut tail)?;
    let page = tail.windows(14).rfind(|bytes| bytes.starts_with(b"OggS"));
    // All ones: no packet ends on that page.
    Ok(page
        .and_then(|page| page[6..14].try_into().ok())
        .map(u64::from_le_bytes)
        .filter(|position| *position != u64::MAX)
        .map(|position| position / 3))
}

/// A band-limited change of rate.
pub struct Rate {
    resampler: Async<f32>,
    pending: Vec<f32>,
    /// Output still to drop: the filter's delay.
    delay: usize,
    /// Exact number of samples that the input so far is worth.
    ratio: f64,
    frames_in: u64,
    frames_out: u64,
}

impl Rate {
    /// From this rate.
    ///
    /// # Errors
    /// When it is no rate of sound.
    pub fn new(rate_hz: u32) -> Result<Self, String> {
        if !RATE_HZ_RANGE.contains(&rate_hz) {
            return Err(format!("{rate_hz} Hz, not between 4,000 and 384,000"));
        }
        let ratio = f64::from(RATE_HZ) / f64::from(rate_hz);
        let sinc = SincInterpolationParameters {
            sinc_len: 128,
            f_cutoff: None,
            interpolation: SincInterpolationType::Linear,
            oversampling_factor: 128,
            window: WindowFunction::BlackmanHarris2,
        };
        let resampler = Async::new_sinc(ratio, 1.0, &sinc, 1_024, 1, FixedAsync::Input)
            .map_err(|error| format!("cannot change {rate_hz} Hz to {RATE_HZ} Hz: {error}"))?;
        let delay = resampler.output_delay();
        Ok(Self {
            resampler,
            pending: Vec::new(),
            delay,
            ratio,
            frames_in: 0,
            frames_out: 0,
        })
    }

    /// The next samples; with the last ones comes what the filter still holds.
    pub fn convert(&mut self, input: &[f32], last: bool) -> Vec<f32> {
        self.frames_in += input.len() as u64;
        self.pending.extend_from_slice(input);
        let mut out = Vec::new();
        loop {
            let wanted = self.resampler.input_frames_next();
            if self.pending.len() < wanted {
                break;
            }
            self.chunk(wanted, &mut out);
            self.pending.drain(..wanted);
        }
        let whole = (self.frames_in as f64 * self.ratio).round() as u64;
        while last && self.frames_out < whole {
            // Zeros push the rest through the filter.
            let wanted = self.resampler.input_frames_next();
            self.pending.resize(wanted, 0.0);
            self.chunk(wanted, &mut out);
            self.pending.clear();
        }
        if last {
            let over = usize::try_from(self.frames_out.saturating_sub(whole)).unwrap_or(0);
            out.truncate(out.len().saturating_sub(over));
        }
        out
    }

    fn chunk(&mut self, wanted: usize, out: &mut Vec<f32>) {
        let mut buffer = vec![0.0; self.resampler.output_frames_max()];
        let frames = buffer.len();
        let input = InterleavedSlice::new(&self.pending[..wanted], 1, wanted)
            .expect("the slice has that length");
        let mut output =
            InterleavedSlice::new_mut(&mut buffer, 1, frames).expect("the slice has that length");
        let none: Option<&Indexing> = None;
        let (_, made) = self
            .resampler
            .process_into_buffer(&input, &mut output, none)
            .expect("buffers have the sizes that the resampler asked for");
        let dropped = self.delay.min(made);
        self.delay -= dropped;
        self.frames_out += (made - dropped) as u64;
        out.extend_from_slice(&buffer[dropped..made]);
    }
}
