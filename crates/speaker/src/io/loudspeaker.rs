//! The loudspeaker: our own words, the call-taker's voice, and music below both, mixed and paced in real time.
//!
//! Whoever cancels the echo takes the blocks that the sink is given: they hold everything that sounds.
use std::collections::VecDeque;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::{Child, Command as Program, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use hearthline_voice::synthesise::{PIECE_PAUSE_MS, pieces};

use super::music::{Above, Music, Under};
use super::tone::{Sounding, chime};
use crate::messages::{Part, TellId};
use crate::telephone::Tone;

/// One block: 20 ms at 16 kHz.
const BLOCK_SAMPLES: usize = 320;
const BLOCK: Duration = Duration::from_millis(20);
const SAMPLES_PER_MS: usize = 16;
/// Call audio waiting; beyond it the oldest is dropped, so that delay cannot grow: 1 s.
const CALL_SAMPLES_MAX: usize = 16_000;

/// How many times quicker than it sounds speech must be made to be heard while the rest is made.
const HEADROOM: u32 = 3;

/// The volume at which sound is played as it comes.
pub const VOLUME_PERCENT_UNCHANGED: u8 = 60;

/// Turns words into samples at 16 kHz and hands them on bit by bit, as long as it is told to go on; an empty bit says that
/// from there on only the sound itself is made.
pub type Voice =
    Box<dyn FnMut(&str, &mut dyn FnMut(Vec<i16>) -> bool) -> Result<(), String> + Send>;

/// Where sound goes.
#[derive(Debug, Clone)]
pub enum Sink {
    /// Nowhere; still paced, so that words take their time.
    Nowhere,
    /// A WAV file, written when the loudspeaker ends.
    Wav(PathBuf),
    /// A program that takes raw 16 kHz mono little-endian samples, such as `aplay -q -t raw -r 16000 -f S16_LE -c 1`.
    Program(Vec<String>),
    /// Whoever takes the blocks of 20 ms, as they sound; nothing comes while nothing sounds.
    Given(tokio::sync::mpsc::Sender<Vec<i16>>),
}

enum Command {
    Say(String),
    /// A piece of a text, and whether it is the last.
    Spoken(Result<Vec<i16>, String>, bool),
    /// Somebody will soon be answered.
    Ready,
    Tell(TellId, Vec<Part>),
    /// What a tell became; none of it when it cannot be said.
    Told(TellId, Result<Vec<i16>, String>),
    End,
    Hush,
    Play(Vec<i16>),
    Tone(Option<Tone>),
    Volume(u8),
    /// There may be music.
    Music,
}

/// What the loudspeaker reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Report {
    /// The words have been said, or were hushed.
    SpeechEnded,
    /// Everything that this told has sounded.
    Told(TellId),
    /// Words could not be said, or the sink is broken.
    Trouble(String),
}

/// A running loudspeaker.
pub struct Loudspeaker {
    sender: Option<mpsc::Sender<Command>>,
    threads: Vec<JoinHandle<()>>,
}

impl Loudspeaker {
    /// Starts it.
    ///
    /// # Errors
    /// When the system gives no thread, or the sink's program does not start.
    pub fn start(
        mut voice: Voice,
        sink: Sink,
        mut music: Option<Box<dyn Music>>,
        report: impl Fn(Report) + Send + 'static,
    ) -> io::Result<Self> {
        let (sender, receiver) = mpsc::channel();
        if let Some(music) = &mut music {
            let woken = sender.clone();
            music.attach(Box::new(move || drop(woken.send(Command::Music))));
        }
        let (texts, words) = mpsc::channel::<Words>();
        let spoken = sender.clone();
        let hushes = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&hushes);
        let speaking = std::thread::Builder::new()
            .name("voice".into())
            .spawn(move || {
                while let Ok(words) = words.recv() {
                    let sent = match words {
                        Words::Text(text, hushes) => {
                            let is_over = || hushes != counted.load(Ordering::Relaxed);
                            speak(&text, &mut voice, &is_over, &spoken)
                        }
                        Words::Parts(id, parts) => {
                            spoken.send(Command::Told(id, sound_of(parts, &mut voice)))
                        }
                        // Whatever is wrong is told when something is to be said.
                        Words::Ready => {
                            drop(voice("", &mut |_| true));
                            Ok(())
                        }
                    };
                    if sent.is_err() {
                        return;
                    }
                }
            })?;
        let output = Open::new(sink)?;
        let playing = std::thread::Builder::new()
            .name("loudspeaker".into())
            .spawn(move || Mixer::new(output, music, hushes).run(&receiver, &texts, &report))?;
        // The voice's own sender keeps the mixer alive; `end` tells both to stop.
        Ok(Self {
            sender: Some(sender),
            threads: vec![playing, speaking],
        })
    }

    /// Says something after what is being said.
    pub fn say(&self, text: String) {
        self.send(Command::Say(text));
    }

    /// Something will be said soon: the voice gets ready, so that the first sound comes at once.
    pub fn ready(&self) {
        self.send(Command::Ready);
    }

    /// Tells this after what is being said, and reports its end, unless it is hushed.
    pub fn tell(&self, id: TellId, parts: Vec<Part>) {
        self.send(Command::Tell(id, parts));
    }

    /// Stops speaking at once.
    pub fn hush(&self) {
        self.send(Command::Hush);
    }

    /// Call audio, 16 kHz.
    pub fn play(&self, samples: Vec<i16>) {
        self.send(Command::Play(samples));
    }

    /// Plays this tone until another comes; none: silence.
    pub fn tone(&self, tone: Option<Tone>) {
        self.send(Command::Tone(tone));
    }

    /// In percent; [`VOLUME_PERCENT_UNCHANGED`] plays sound as it comes.
    pub fn volume(&self, percent: u8) {
        self.send(Command::Volume(percent));
    }

    fn send(&self, command: Command) {
        if let Some(sender) = &self.sender {
            let _ = sender.send(command);
        }
    }
}

impl Drop for Loudspeaker {
    fn drop(&mut self) {
        // The voice's sender would otherwise keep the mixer waiting.
        self.send(Command::End);
        self.sender = None;
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

/// What the voice is given, in order.
enum Words {
    /// A text, and how often it had been hushed when it was to be said.
    Text(String, u64),
    Parts(TellId, Vec<Part>),
    Ready,
}

/// Speaks a text piece by piece, each bit by bit: the first sounds while the next is made. What is hushed meanwhile is not
/// made.
fn speak(
    text: &str,
    voice: &mut Voice,
    is_over: &dyn Fn() -> bool,
    spoken: &mpsc::Sender<Command>,
) -> Result<(), mpsc::SendError<Command>> {
    for (at, piece) in pieces(text).iter().enumerate() {
        if is_over() {
            break;
        }
        let mut bits = Bits::new(spoken);
        if at > 0 {
            bits.held = vec![0; PIECE_PAUSE_MS * SAMPLES_PER_MS];
        }
        let said = voice(piece, &mut |bit| bits.take(bit).is_ok() && !is_over());
        if let Err(why) = said {
            return spoken.send(Command::Spoken(Err(why), true));
        }
        bits.give()?;
    }
    spoken.send(Command::Spoken(Ok(Vec::new()), true))
}

/// The bits of a piece on their way. They are held back until the voice has shown that it is quicker than they sound, so
/// that an overloaded machine starts later rather than stammers.
struct Bits<'a> {
    spoken: &'a mpsc::Sender<Command>,
    held: Vec<i16>,
    flows: bool,
    since: Instant,
}

impl<'a> Bits<'a> {
    fn new(spoken: &'a mpsc::Sender<Command>) -> Self {
        Self {
            spoken,
            held: Vec::new(),
            flows: false,
            since: Instant::now(),
        }
    }

    fn take(&mut self, bit: Vec<i16>) -> Result<(), mpsc::SendError<Command>> {
        let took = self.since.elapsed();
        self.since = Instant::now();
        let lasts = BLOCK * u32::try_from(bit.len() / BLOCK_SAMPLES).unwrap_or(u32::MAX);
        self.flows |= took * HEADROOM < lasts;
        self.held.extend(bit);
        if self.flows { self.give() } else { Ok(()) }
    }

    fn give(&mut self) -> Result<(), mpsc::SendError<Command>> {
        match std::mem::take(&mut self.held) {
            held if held.is_empty() => Ok(()),
            held => self.spoken.send(Command::Spoken(Ok(held), false)),
        }
    }
}

/// The parts one behind the other.
fn sound_of(parts: Vec<Part>, voice: &mut Voice) -> Result<Vec<i16>, String> {
    let mut sound = Vec::new();
    for part in parts {
        match part {
            Part::Chime => sound.extend(chime()),
            Part::Words(text) => voice(&text, &mut |bit| {
                sound.extend(bit);
                true
            })?,
            Part::Sound(samples) => sound.extend(samples),
        }
    }
    Ok(sound)
}

struct Mixer {
    sink: Open,
    speech: VecDeque<i16>,
    /// Texts said or being synthesised, whose end has not been reported.
    open_texts: usize,
    /// Words still to arrive from the voice that were hushed meanwhile.
    hushed: usize,
    /// How often it was hushed: the voice makes no more of what was begun before.
    hushes: Arc<AtomicU64>,
    synthesising: usize,
    /// What is told in the midst of speech, and how many samples are left until its end.
    tells: VecDeque<(TellId, usize)>,
    call: VecDeque<i16>,
    tone: Option<Sounding>,
    music: Under,
    volume_percent: u8,
    next: Instant,
}

impl Mixer {
    fn new(sink: Open, music: Option<Box<dyn Music>>, hushes: Arc<AtomicU64>) -> Self {
        Self {
            sink,
            hushes,
            music: Under::new(music),
            speech: VecDeque::new(),
            open_texts: 0,
            hushed: 0,
            synthesising: 0,
            tells: VecDeque::new(),
            call: VecDeque::new(),
            tone: None,
            volume_percent: VOLUME_PERCENT_UNCHANGED,
            next: Instant::now(),
        }
    }

    fn run(
        mut self,
        receiver: &mpsc::Receiver<Command>,
        texts: &mpsc::Sender<Words>,
        report: &dyn Fn(Report),
    ) {
        loop {
            let silent = self.speech.is_empty()
                && self.call.is_empty()
                && self.tone.is_none()
                && self.music.is_silent();
            let command = if silent {
                receiver.recv().map_err(|_| ())
            } else {
                let wait = self.next.saturating_duration_since(Instant::now());
                match receiver.recv_timeout(wait) {
                    Ok(command) => Ok(command),
                    Err(mpsc::RecvTimeoutError::Timeout) => {
                        self.block(report);
                        continue;
                    }
                    Err(mpsc::RecvTimeoutError::Disconnected) => Err(()),
                }
            };
            match command {
                Err(()) | Ok(Command::End) => break,
                Ok(Command::Say(text)) => {
                    self.open_texts += 1;
                    self.synthesising += 1;
                    let hushes = self.hushes.load(Ordering::Relaxed);
                    let _ = texts.send(Words::Text(text, hushes));
                }
                Ok(Command::Ready) => drop(texts.send(Words::Ready)),
                Ok(Command::Tell(id, parts)) => {
                    self.synthesising += 1;
                    let _ = texts.send(Words::Parts(id, parts));
                }
                Ok(Command::Told(id, sound)) => {
                    self.synthesising -= 1;
                    if self.hushed > 0 {
                        self.hushed -= 1;
                        continue;
                    }
                    self.restart_clock(silent);
                    match sound {
                        Ok(samples) => self.speech.extend(samples),
                        Err(error) => report(Report::Trouble(format!("cannot speak: {error}"))),
                    }
                    self.tells.push_back((id, self.speech.len()));
                    self.end_tells(report);
                    self.end_speech_if_done(report);
                }
                Ok(Command::Spoken(samples, is_last)) => {
                    self.synthesising -= usize::from(is_last);
                    if self.hushed > 0 {
                        self.hushed -= usize::from(is_last);
                        continue;
                    }
                    match samples {
                        Ok(samples) => {
                            self.restart_clock(silent);
                            self.speech.extend(samples);
                        }
                        Err(error) => report(Report::Trouble(format!("cannot speak: {error}"))),
                    }
                    self.end_speech_if_done(report);
                }
                Ok(Command::Hush) => {
                    self.hushed = self.synthesising;
                    self.hushes.fetch_add(1, Ordering::Relaxed);
                    self.speech.clear();
                    self.tells.clear();
                    if self.open_texts > 0 {
                        self.open_texts = 0;
                        report(Report::SpeechEnded);
                    }
                }
                Ok(Command::Play(samples)) => {
                    self.restart_clock(silent);
                    self.call.extend(samples);
                    let over = self.call.len().saturating_sub(CALL_SAMPLES_MAX);
                    self.call.drain(..over);
                }
                Ok(Command::Tone(tone)) => {
                    self.restart_clock(silent);
                    self.tone = tone.map(Sounding::new);
                }
                Ok(Command::Volume(percent)) => self.volume_percent = percent,
                Ok(Command::Music) => {
                    self.restart_clock(silent);
                    self.music.wake();
                }
            }
        }
        self.sink.close(report);
    }

    fn restart_clock(&mut self, silent: bool) {
        if silent {
            self.next = Instant::now();
        }
    }

    fn block(&mut self, report: &dyn Fn(Report)) {
        let speaking = !self.speech.is_empty();
        let before = self.speech.len();
        let telephone = self.tone.is_some_and(Sounding::is_telephone);
        let above = if !self.call.is_empty() || telephone {
            Above::Call
        } else if speaking || self.open_texts > 0 || self.tone.is_some() {
            Above::Words
        } else {
            Above::Nothing
        };
        let mut sums: Vec<i32> = (0..BLOCK_SAMPLES)
            .map(|_| {
                let speech = self.speech.pop_front().unwrap_or(0);
                let call = self.call.pop_front().unwrap_or(0);
                let tone = self.tone.as_mut().map_or(0, Sounding::sample);
                i32::from(call) + i32::from(speech) + i32::from(tone)
            })
            .collect();
        self.music.mix(&mut sums, above);
        let block: Vec<i16> = sums
            .into_iter()
            .map(|sum| {
                let loud =
                    sum * i32::from(self.volume_percent) / i32::from(VOLUME_PERCENT_UNCHANGED);
                i16::try_from(loud.clamp(i32::from(i16::MIN), i32::from(i16::MAX))).unwrap_or(0)
            })
            .collect();
        self.sink.write(&block, report);
        self.next += BLOCK;
        let sounded = before - self.speech.len();
        for (_, left) in &mut self.tells {
            *left = left.saturating_sub(sounded);
        }
        self.end_tells(report);
        if speaking {
            self.end_speech_if_done(report);
        }
    }

    fn end_tells(&mut self, report: &dyn Fn(Report)) {
        while let Some((id, 0)) = self.tells.front() {
            report(Report::Told(*id));
            self.tells.pop_front();
        }
    }

    fn end_speech_if_done(&mut self, report: &dyn Fn(Report)) {
        if self.speech.is_empty() && self.synthesising == 0 && self.open_texts > 0 {
            self.open_texts = 0;
            report(Report::SpeechEnded);
        }
    }
}

/// An open sink.
enum Open {
    Nowhere,
    Wav { path: PathBuf, samples: Vec<i16> },
    Program(Child),
    Given(tokio::sync::mpsc::Sender<Vec<i16>>),
}

impl Open {
    fn new(sink: Sink) -> io::Result<Self> {
        match sink {
            Sink::Nowhere => Ok(Self::Nowhere),
            Sink::Given(blocks) => Ok(Self::Given(blocks)),
            Sink::Wav(path) => Ok(Self::Wav {
                path,
                samples: Vec::new(),
            }),
            Sink::Program(words) => {
                let (program, arguments) = words.split_first().ok_or_else(|| {
                    io::Error::new(io::ErrorKind::InvalidInput, "empty playback command")
                })?;
                let child = Program::new(program)
                    .args(arguments)
                    .stdin(Stdio::piped())
                    .stdout(Stdio::null())
                    .stderr(Stdio::null())
                    .spawn()
                    .map_err(|error| {
                        io::Error::new(error.kind(), format!("playback command {program}: {error}"))
                    })?;
                Ok(Self::Program(child))
            }
        }
    }

    fn write(&mut self, block: &[i16], report: &dyn Fn(Report)) {
        match self {
            Self::Nowhere => {}
            Self::Wav { samples, .. } => samples.extend_from_slice(block),
            // Late sound is worth nothing: what is not taken is dropped.
            Self::Given(blocks) => drop(blocks.try_send(block.to_vec())),
            Self::Program(child) => {
                let bytes: Vec<u8> = block
                    .iter()
                    .flat_map(|sample| sample.to_le_bytes())
                    .collect();
                let written = child
                    .stdin
                    .as_mut()
                    .map_or(Ok(()), |stdin| stdin.write_all(&bytes));
                if let Err(error) = written {
                    report(Report::Trouble(format!(
                        "the playback command takes no more sound: {error}"
                    )));
                    let _ = child.kill();
                    let _ = child.wait();
                    *self = Self::Nowhere;
                }
            }
        }
    }

    fn close(self, report: &dyn Fn(Report)) {
        match self {
            Self::Nowhere | Self::Given(_) => {}
            Self::Wav { path, samples } => {
                if let Err(error) = write_wav(&path, &samples) {
                    report(Report::Trouble(format!("{}: {error}", path.display())));
                }
            }
            Self::Program(mut child) => {
                drop(child.stdin.take());
                let _ = child.wait();
            }
        }
    }
}

fn write_wav(path: &std::path::Path, samples: &[i16]) -> Result<(), hound::Error> {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: super::recording::RATE_HZ,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(path, spec)?;
    for sample in samples {
        writer.write_sample(*sample)?;
    }
    writer.finalize()
}

#[cfg(test)]
mod tests;
