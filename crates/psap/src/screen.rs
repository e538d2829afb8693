//! Lines on standard output and recordings on disk, in a thread of their own: a full disk or a pipe that
//! nobody reads must not hold up a call (DESIGN invariant 3).

use std::collections::HashMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use crate::recording::Recording;

/// Jobs that may wait; 20 s of eight calls.
const JOBS_MAX: usize = 8_192;

/// Something to write.
pub(crate) enum Job {
    Line(String),
    Heard { call: u32, samples: Vec<i16> },
    Finished { call: u32 },
}

/// What became of a recording.
pub(crate) enum Written {
    /// It is open, there.
    Begun { call: u32, path: PathBuf },
    /// It is whole and may be played.
    Whole { call: u32 },
}

/// The thread's handle. Dropping it writes what waits and ends the thread.
pub(crate) struct Screen {
    jobs: Option<SyncSender<Job>>,
    thread: Option<JoinHandle<()>>,
    dropped: u64,
}

impl Screen {
    pub(crate) fn start(
        recordings: Option<PathBuf>,
        rate_hz: u32,
        written: tokio::sync::mpsc::Sender<Written>,
    ) -> std::io::Result<Self> {
        let (jobs, waiting) = sync_channel(JOBS_MAX);
        let thread = std::thread::Builder::new()
            .name("psap-screen".to_owned())
            .spawn(move || write_all(&waiting, recordings.as_deref(), rate_hz, &written))?;
        Ok(Self {
            jobs: Some(jobs),
            thread: Some(thread),
            dropped: 0,
        })
    }

    /// Hands a job over, or drops it when the disk cannot keep up.
    pub(crate) fn put(&mut self, job: Job) {
        if let Some(jobs) = &self.jobs
            && jobs.try_send(job).is_err()
        {
            if self.dropped == 0 {
                tracing::warn!(
                    "the disk or the terminal is too slow; parts of the recording are lost"
                );
            }
            self.dropped += 1;
        }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        drop(self.jobs.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join(); // its panic is printed already
        }
    }
}

fn write_all(
    jobs: &Receiver<Job>,
    folder: Option<&Path>,
    rate_hz: u32,
    written: &tokio::sync::mpsc::Sender<Written>,
) {
    // None: it could not be opened, which was said once.
    let mut recordings: HashMap<u32, Option<Recording>> = HashMap::new();
    for job in jobs {
        match job {
            Job::Line(line) => {
                let _ = writeln!(std::io::stdout().lock(), "{line}");
            }
            Job::Heard { call, samples } => {
                let Some(folder) = folder else { continue };
                let recording = recordings.entry(call).or_insert_with(|| {
                    match Recording::create(folder, call, rate_hz) {
                        Ok((recording, path)) => {
                            let _ = written.try_send(Written::Begun { call, path });
                            Some(recording)
                        }
                        Err(error) => {
                            tracing::warn!(call, %error, "the call goes on without a recording");
                            None
                        }
                    }
                });
                if let Some(own) = recording
                    && let Err(error) = own.write(&samples)
                {
                    tracing::warn!(call, %error, "the recording ends here; the call goes on");
                    *recording = None;
                }
            }
            Job::Finished { call } => {
                let Some(Some(recording)) = recordings.remove(&call) else {
                    continue;
                };
                match recording.finish() {
                    Ok(()) => drop(written.try_send(Written::Whole { call })),
                    Err(error) => {
                        tracing::warn!(call, %error, "the recording could not be closed");
                    }
                }
            }
        }
    }
    for recording in recordings.into_values().flatten() {
        let _ = recording.finish();
    }
}
