//! The microphone: a capture program, or a recording played at its own speed.
use std::io::Read;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use super::recording::{Recording, RecordingError};

/// One frame: 20 ms at 16 kHz.
const FRAME_SAMPLES: usize = 320;
const FRAME: Duration = Duration::from_millis(20);
/// Silence after each of several recordings: the sentence ends, and the next one is another.
const PAUSE_SAMPLES: usize = 32_000;

/// Where sound comes from.
#[derive(Debug)]
pub enum Microphone {
    /// A program that gives raw 16 kHz mono little-endian samples, such as `arecord -q -t raw -r 16000 -f S16_LE -c 1`.
    Program(Vec<String>),
    /// A recording in real time, silence after it.
    Recording(PathBuf),
    /// These samples in real time, silence after them.
    Samples(Vec<i16>),
    /// These recordings in real time, a pause after each, then those whose file names come on standard input, one a line,
    /// as they come; silence between and after them.
    Recordings {
        /// The first ones.
        first: Vec<PathBuf>,
        /// Whether more are named on standard input.
        and_named: bool,
    },
    /// What somebody else brings, frames in their own time: a page in a browser, with the buttons on it.
    Given(tokio::sync::mpsc::Receiver<Frame>),
}

/// A frame, or why there are no more.
#[derive(Debug)]
pub enum Frame {
    /// 20 ms.
    Samples(Vec<i16>),
    /// The recording is over; silence follows.
    RecordingEnded,
    /// The microphone is broken. The device goes on without it and says so.
    Broken(String),
    /// A button of the device.
    Button(Button),
    /// Words that were typed where there is no microphone: everyday sentences only, never a call for help.
    Typed(String),
}

/// A button beside the microphone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Button {
    /// Held down to speak: what is said counts without the wake word, but for calls for help.
    Held,
    /// Let go: what was said is whole.
    Released,
    /// The announced call is taken back.
    Cancel,
}

impl Microphone {
    /// Starts a thread that hands frames to `give` until it returns false.
    ///
    /// # Errors
    /// A recording that cannot be opened, or a program that does not start.
    pub fn start(self, give: impl FnMut(Frame) -> bool + Send + 'static) -> Result<(), String> {
        let threaded = |name: &str, body: Box<dyn FnOnce() + Send>| {
            std::thread::Builder::new()
                .name(name.into())
                .spawn(body)
                .map(|_| ())
                .map_err(|error| error.to_string())
        };
        match self {
            Self::Recording(path) => {
                let mut recording = Recording::open(&path).map_err(|error| error.to_string())?;
                let source = move || recording.next_block();
                threaded("microphone", Box::new(move || paced(source, give)))
            }
            Self::Samples(samples) => {
                let mut once = Some(samples);
                threaded(
                    "microphone",
                    Box::new(move || paced(move || Ok(once.take()), give)),
                )
            }
            Self::Given(mut frames) => {
                let mut give = give;
                let handed_on = move || while frames.blocking_recv().is_some_and(&mut give) {};
                threaded("microphone", Box::new(handed_on))
            }
            Self::Recordings { first, and_named } => {
                let mut waiting = Waiting::new(first, and_named)?;
                threaded(
                    "microphone",
                    Box::new(move || paced(move || waiting.next_block(), give)),
                )
            }
            Self::Program(words) => {
                let (program, arguments) = words.split_first().ok_or("empty capture command")?;
                let mut child = Command::new(program)
                    .args(arguments)
                    .stdin(Stdio::null())
                    .stdout(Stdio::piped())
                    .stderr(Stdio::null())
                    .spawn()
                    .map_err(|error| format!("capture command {program}: {error}"))?;
                let mut sound = child
                    .stdout
                    .take()
                    .ok_or("the capture command has no output")?;
                threaded(
                    "microphone",
                    Box::new(move || {
                        captured(&mut sound, give);
                        let _ = child.kill();
                        let _ = child.wait();
                    }),
                )
            }
        }
    }
}

/// Recordings one after the other.
struct Waiting {
    names: mpsc::Receiver<PathBuf>,
    open: Option<Recording>,
}

impl Waiting {
    fn new(first: Vec<PathBuf>, and_named: bool) -> Result<Self, String> {
        let (sender, names) = mpsc::channel();
        for name in first {
            sender.send(name).map_err(|error| error.to_string())?;
        }
        if and_named {
            let reading = move || {
                for name in std::io::stdin().lines().map_while(Result::ok) {
                    if sender.send(PathBuf::from(name.trim())).is_err() {
                        return;
                    }
                }
            };
            std::thread::Builder::new()
                .name("names".into())
                .spawn(reading)
                .map_err(|error| error.to_string())?;
        }
        Ok(Self { names, open: None })
    }

    fn next_block(&mut self) -> Result<Option<Vec<i16>>, RecordingError> {
        if let Some(recording) = &mut self.open {
            if let Some(block) = recording.next_block()? {
                return Ok(Some(block));
            }
            self.open = None;
            return Ok(Some(vec![0; PAUSE_SAMPLES]));
        }
        match self.names.try_recv() {
            Ok(name) => self.open = Some(Recording::open(&name)?),
            Err(mpsc::TryRecvError::Empty) => {}
            Err(mpsc::TryRecvError::Disconnected) => return Ok(None),
        }
        Ok(Some(vec![0; FRAME_SAMPLES]))
    }
}

/// Gives a source's samples frame by frame in real time, then silence.
fn paced(
    mut source: impl FnMut() -> Result<Option<Vec<i16>>, RecordingError>,
    mut give: impl FnMut(Frame) -> bool,
) {
    let start = Instant::now();
    let mut waiting: Vec<i16> = Vec::new();
    let mut open = true;
    for number in 1_u32.. {
        while open && waiting.len() < FRAME_SAMPLES {
            match source() {
                Ok(Some(block)) => waiting.extend(block),
                Ok(None) => open = false,
                Err(error) => {
                    open = false;
                    if !give(Frame::Broken(error.to_string())) {
                        return;
                    }
                }
            }
            if !open && !give(Frame::RecordingEnded) {
                return;
            }
        }
        let taken = waiting.len().min(FRAME_SAMPLES);
        let mut frame: Vec<i16> = waiting.drain(..taken).collect();
        frame.resize(FRAME_SAMPLES, 0);
        // A frame is there when its last sample has been spoken.
        std::thread::sleep((start + FRAME * number).saturating_duration_since(Instant::now()));
        if !give(Frame::Samples(frame)) {
            return;
        }
    }
}

fn captured(sound: &mut impl Read, mut give: impl FnMut(Frame) -> bool) {
    let mut bytes = [0; 2 * FRAME_SAMPLES];
    loop {
        if let Err(error) = sound.read_exact(&mut bytes) {
            give(Frame::Broken(format!(
                "the capture command gives no more sound: {error}"
            )));
            return;
        }
        let frame = bytes
            .chunks_exact(2)
            .map(|pair| i16::from_le_bytes([pair[0], pair[1]]))
            .collect();
        if !give(Frame::Samples(frame)) {
            return;
        }
    }
}
