//! The sound of the modem's call: a device of raw samples, or a pair of commands.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{FileTypeExt as _, OpenOptionsExt as _};
use std::process::Stdio;
use std::sync::Arc;

use tokio::io::unix::AsyncFd;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, Command};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::line::SoundPlace;

/// 20 ms at 8 kHz, in bytes.
const FRAME_BYTES: usize = 320;
/// Frames that may wait to be played; late sound is worth nothing.
const WAITING_MAX: usize = 16;

/// Programs that capture and play a modem's sound as raw 16-bit little-endian samples at 8 kHz, one channel: for modems
/// whose sound goes to a sound card, such as `arecord -q -D hw:1 -t raw -r 8000 -f S16_LE -c 1`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SoundCommands {
    /// Writes to its standard output what the far end says.
    pub capture: Vec<String>,
    /// Reads from its standard input what the far end is to hear.
    pub playback: Vec<String>,
}

/// What the sound brings; the number says of which opening.
#[derive(Debug)]
pub(super) enum SoundNews {
    Samples(u64, Vec<i16>),
    Failed(u64),
}

/// Open sound. Dropping it closes it.
pub(super) struct Sound {
    playing: mpsc::Sender<Vec<i16>>,
    task: JoinHandle<()>,
}

impl Sound {
    /// Opens it in the background; failing to comes as news.
    pub(super) fn open(
        place: SoundPlace,
        commands: Option<SoundCommands>,
        number: u64,
        news: mpsc::Sender<SoundNews>,
    ) -> Self {
        let (playing, waiting) = mpsc::channel(WAITING_MAX);
        let task = tokio::spawn(async move {
            let ended = match (place, commands) {
                (SoundPlace::Port(port), _) => device(port.path(), number, &news, waiting).await,
                (SoundPlace::Commands, Some(commands)) => {
                    programs(&commands, number, &news, waiting).await
                }
                (SoundPlace::Commands, None) => Ok(()),
            };
            if let Err(error) = ended {
                tracing::warn!(%error, "a modem's sound failed");
            }
            let _ = news.send(SoundNews::Failed(number)).await;
        });
        Self { playing, task }
    }

    /// Plays to the far end, or drops it where the device takes no more.
    pub(super) fn play(&self, samples: Vec<i16>) {
        let _ = self.playing.try_send(samples);
    }
}

impl Drop for Sound {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Opens a modem's sound device: a character device or a FIFO, and nothing else.
fn open_device(path: &str) -> io::Result<File> {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .custom_flags((rustix::fs::OFlags::NOCTTY | rustix::fs::OFlags::NONBLOCK).bits() as i32)
        .open(path)?;
    let kind = file.metadata()?.file_type();
    if !kind.is_char_device() && !kind.is_fifo() {
        return Err(io::Error::other("not a device"));
    }
    if let Ok(mut terminal) = rustix::termios::tcgetattr(&file) {
        // A serial port would take samples for line ends and signals.
        terminal.make_raw();
        let now = rustix::termios::OptionalActions::Now;
        rustix::termios::tcsetattr(&file, now, &terminal)?;
    }
    Ok(file)
}

async fn device(
    path: &str,
    number: u64,
    news: &mpsc::Sender<SoundNews>,
    mut waiting: mpsc::Receiver<Vec<i16>>,
) -> io::Result<()> {
    let device = Arc::new(watched(open_device(path)?)?);
    let read = async {
        let mut joined = Samples::default();
        let mut buffer = vec![0; FRAME_BYTES];
        loop {
            let mut ready = device.readable().await?;
            match ready.try_io(|device| device.get_ref().read(&mut buffer)) {
                Ok(Ok(0)) => return Err(io::Error::from(io::ErrorKind::UnexpectedEof)),
                Ok(Ok(count)) => {
                    let samples = joined.take(&buffer[..count]);
                    if news
                        .send(SoundNews::Samples(number, samples))
                        .await
                        .is_err()
                    {
                        return Ok(());
                    }
                }
                Ok(Err(error)) => return Err(error),
                Err(_would_block) => {}
            }
        }
    };
    let write = async {
        while let Some(samples) = waiting.recv().await {
            let bytes = to_bytes(&samples);
            let mut rest = &bytes[..];
            while !rest.is_empty() {
                let mut ready = device.writable().await?;
                match ready.try_io(|device| device.get_ref().write(rest)) {
                    Ok(Ok(count)) => rest = &rest[count.min(rest.len())..],
                    Ok(Err(error)) => return Err(error),
                    Err(_would_block) => {}
                }
            }
        }
        Ok::<(), io::Error>(())
    };
    tokio::select! {
        ended = read => ended,
        ended = write => ended,
    }
}

async fn programs(
    commands: &SoundCommands,
    number: u64,
    news: &mpsc::Sender<SoundNews>,
    mut waiting: mpsc::Receiver<Vec<i16>>,
) -> io::Result<()> {
    let no_pipe = || io::Error::other("a command has no pipe");
    let mut capture = spawn(&commands.capture, Stdio::null(), Stdio::piped())?;
    let mut playback = spawn(&commands.playback, Stdio::piped(), Stdio::null())?;
    let mut sound = capture.stdout.take().ok_or_else(no_pipe)?;
    let mut sink = playback.stdin.take().ok_or_else(no_pipe)?;
    let read = async {
        let mut joined = Samples::default();
        let mut buffer = vec![0; FRAME_BYTES];
        loop {
            let count = sound.read(&mut buffer).await?;
            if count == 0 {
                return Err(io::Error::from(io::ErrorKind::UnexpectedEof));
            }
            let samples = joined.take(&buffer[..count]);
            if news
                .send(SoundNews::Samples(number, samples))
                .await
                .is_err()
            {
                return Ok(());
            }
        }
    };
    let write = async {
        while let Some(samples) = waiting.recv().await {
            sink.write_all(&to_bytes(&samples)).await?;
        }
        Ok::<(), io::Error>(())
    };
    tokio::select! {
        ended = read => ended,
        ended = write => ended,
    }
}

fn spawn(words: &[String], input: Stdio, output: Stdio) -> io::Result<Child> {
    let (program, arguments) = words
        .split_first()
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "an empty command"))?;
    Command::new(program)
        .args(arguments)
        .stdin(input)
        .stdout(output)
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
}

/// A device whose readiness tokio watches; it must not block.
#[expect(
    deprecated,
    reason = "a File owns its descriptor, which is all that the unsafe successor asks for"
)]
pub(crate) fn watched(device: File) -> io::Result<AsyncFd<File>> {
    AsyncFd::new(device)
}

pub(crate) fn to_bytes(samples: &[i16]) -> Vec<u8> {
    samples
        .iter()
        .flat_map(|sample| sample.to_le_bytes())
        .collect()
}

/// Samples out of bytes that come in pieces of any length.
#[derive(Debug, Default)]
pub(crate) struct Samples {
    half: Option<u8>,
}

impl Samples {
    pub(crate) fn take(&mut self, bytes: &[u8]) -> Vec<i16> {
        let mut samples = Vec::with_capacity(bytes.len() / 2 + 1);
        for &byte in bytes {
            match self.half.take() {
                Some(low) => samples.push(i16::from_le_bytes([low, byte])),
                None => self.half = Some(byte),
            }
        }
        samples
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_device_is_opened() {
        assert!(open_device("/dev/null").is_ok());
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, b"x").unwrap();
        assert!(open_device(file.to_str().unwrap()).is_err());
        assert!(open_device("/dev/no-such-device").is_err());
    }

    #[test]
    fn a_sample_may_come_in_two_pieces() {
        let mut joined = Samples::default();
        assert_eq!(joined.take(&[1, 0, 2]), [1]);
        assert_eq!(joined.take(&[]), [0_i16; 0]);
        assert_eq!(joined.take(&[0, 0xff, 0xff]), [2, -1]);
    }
}
