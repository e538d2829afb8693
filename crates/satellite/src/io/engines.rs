//! Recogniser, voice and sentences on threads of their own, shared by all clients.
use std::sync::mpsc;

use tokio::sync::oneshot;

use crate::wyoming::service::{Done, Job, Meaning};

/// Jobs that wait for one engine; more are refused.
const JOBS_MAX: usize = 64;

/// Writes down 16 kHz samples.
pub type Transcribe = Box<dyn FnMut(&[i16]) -> Result<String, String> + Send>;
/// Speaks at the voice's rate.
pub type Speak = Box<dyn FnMut(&str) -> Result<Vec<i16>, String> + Send>;
/// Reads a text.
pub type Understand = Box<dyn FnMut(&str) -> Meaning + Send>;

type Answer = Result<Done, String>;
type Queue = mpsc::SyncSender<(Job, oneshot::Sender<Answer>)>;

/// The running engines.
#[derive(Clone, Debug, Default)]
pub struct Engines {
    transcribe: Option<Queue>,
    speak: Option<Queue>,
    understand: Option<Queue>,
}

impl Engines {
    /// Starts a thread for each.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(
        transcribe: Option<Transcribe>,
        speak: Option<Speak>,
        understand: Option<Understand>,
    ) -> std::io::Result<Self> {
        let mut engines = Self::default();
        if let Some(mut engine) = transcribe {
            engines.transcribe = Some(thread("recogniser", move |job| match job {
                Job::Transcribe(samples) => engine(&samples).map(Done::Transcript),
                _ => unreachable(),
            })?);
        }
        if let Some(mut engine) = speak {
            engines.speak = Some(thread("voice", move |job| match job {
                Job::Speak(text) => engine(&text).map(Done::Speech),
                _ => unreachable(),
            })?);
        }
        if let Some(mut engine) = understand {
            engines.understand = Some(thread("sentences", move |job| match job {
                Job::Understand(text) => Ok(Done::Meaning(engine(&text))),
                _ => unreachable(),
            })?);
        }
        Ok(engines)
    }

    /// Has a job done. Whoever gives up on the answer gives up on the job, if it has not begun.
    ///
    /// # Errors
    /// What the engine says, or that there is none, or that too much waits.
    pub async fn done(&self, job: Job) -> Answer {
        let queue = match &job {
            Job::Transcribe(_) => &self.transcribe,
            Job::Speak(_) => &self.speak,
            Job::Understand(_) => &self.understand,
        };
        let queue = queue.as_ref().ok_or("there is no engine for this")?;
        let (answer, answered) = oneshot::channel();
        queue
            .try_send((job, answer))
            .map_err(|_| "too much waits already; ask again later")?;
        answered
            .await
            .unwrap_or_else(|_| Err("the engine has ended".to_owned()))
    }
}

fn unreachable() -> Answer {
    Err("a job came to the wrong engine".to_owned())
}

fn thread(
    name: &str,
    mut engine: impl FnMut(Job) -> Answer + Send + 'static,
) -> std::io::Result<Queue> {
    let (queue, jobs) = mpsc::sync_channel::<(Job, oneshot::Sender<Answer>)>(JOBS_MAX);
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(move || {
            while let Ok((job, answer)) = jobs.recv() {
                if !answer.is_closed() {
                    let _ = answer.send(engine(job));
                }
            }
        })?;
    Ok(queue)
}
