//! The far end's voice and ear: a pseudo-terminal that carries raw samples, as a modem's serial port does.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::pty::OpenptFlags;
use rustix::termios::OptionalActions;
use tokio::io::unix::AsyncFd;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

use crate::io::{Samples, to_bytes, watched};

/// 20 ms at 8 kHz.
const FRAME_SAMPLES: usize = 160;
const FRAME: Duration = Duration::from_millis(20);
/// What is remembered of what the far end heard: a minute.
const HEARD_SAMPLES_MAX: usize = 480_000;

/// A tone of this pitch, half a second of it, 8 kHz, to be repeated.
pub(super) fn tone(pitch_hz: u32) -> Vec<i16> {
    let step = core::f64::consts::TAU * f64::from(pitch_hz) / 8_000.0;
    (0..4_000)
        .map(|index| ((f64::from(index) * step).sin() * 8_000.0) as i16)
        .collect()
}

/// The far end of one call. Dropping it takes the device away.
pub(super) struct FarEnd {
    says: Arc<Mutex<Vec<i16>>>,
    heard: Arc<Mutex<Vec<i16>>>,
    tasks: [JoinHandle<()>; 2],
}

impl FarEnd {
    /// Opens a device, and names it as a modem would. Nothing to say: no sample at all comes.
    pub(super) fn open(says: Vec<i16>) -> io::Result<(Self, String)> {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let far = rustix::pty::openpt(flags)?;
        rustix::pty::grantpt(&far)?;
        rustix::pty::unlockpt(&far)?;
        let name = rustix::pty::ptsname(&far, Vec::new())?;
        let name = name.to_string_lossy().into_owned();
        // Open here too, so that the device stays whatever the other side does with it.
        let near: OwnedFd = File::options().read(true).write(true).open(&name)?.into();
        let mut terminal = rustix::termios::tcgetattr(&near)?;
        terminal.make_raw();
        rustix::termios::tcsetattr(&near, OptionalActions::Now, &terminal)?;
        rustix::io::ioctl_fionbio(&far, true)?;
        let far = Arc::new(watched(File::from(far))?);
        let says = Arc::new(Mutex::new(says));
        let heard = Arc::new(Mutex::new(Vec::new()));
        let speaking = tokio::spawn(speak(far.clone(), near, says.clone()));
        let hearing = tokio::spawn(hear(far, heard.clone()));
        let own = Self {
            says,
            heard,
            tasks: [speaking, hearing],
        };
        let name = name.strip_prefix("/dev/").unwrap_or(&name).to_owned();
        Ok((own, name))
    }

    pub(super) fn say(&self, samples: Vec<i16>) {
        *self.says.lock().unwrap_or_else(PoisonError::into_inner) = samples;
    }

    pub(super) fn heard(&self) -> Vec<i16> {
        self.heard
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl Drop for FarEnd {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

async fn speak(far: Arc<AsyncFd<File>>, _near: OwnedFd, says: Arc<Mutex<Vec<i16>>>) {
    let mut at = 0;
    let mut next = Instant::now();
    loop {
        next += FRAME;
        sleep_until(next).await;
        let frame: Vec<i16> = {
            let says = says.lock().unwrap_or_else(PoisonError::into_inner);
            if says.is_empty() {
                continue;
            }
            (0..FRAME_SAMPLES)
                .map(|index| says[(at + index) % says.len()])
                .collect()
        };
        at += FRAME_SAMPLES;
        // A device that nobody reads is full, and late sound is worth nothing.
        let _ = far.get_ref().write(&to_bytes(&frame));
    }
}

async fn hear(far: Arc<AsyncFd<File>>, heard: Arc<Mutex<Vec<i16>>>) {
    let mut joined = Samples::default();
    let mut buffer = [0; 1_024];
    loop {
        let Ok(mut ready) = far.readable().await else {
            return;
        };
        match ready.try_io(|far| far.get_ref().read(&mut buffer)) {
            Ok(Ok(count)) if count > 0 => {
                let samples = joined.take(&buffer[..count]);
                let mut heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
                if heard.len() < HEARD_SAMPLES_MAX {
                    heard.extend(samples);
                }
            }
            Ok(_) => return,
            Err(_would_block) => {}
        }
    }
}
