//! The ear on a thread of its own: inference never holds up the call.
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;

use hearthline_voice::clock::SampleIndex;
use hearthline_voice::listen::{Listener, Output};
use hearthline_voice::understand::everyday::Everyday;
use hearthline_voice::understand::household::KnownNames;

/// Blocks of microphone waiting for the ear; beyond it the oldest sound is given up and counted as lost.
const BLOCKS_MAX: usize = 1_500;

enum Command {
    Samples(Vec<i16>),
    ListenForReply(u32),
    Names(Vec<String>),
    Sentences(Arc<Everyday>),
    Released,
    Ended,
}

/// What the ear reports.
#[derive(Debug)]
pub enum Report {
    /// The wake word was heard: the seconds before it, the only sound from before it that ever leaves the ring.
    PreRoll {
        /// Index of the first sample.
        first: SampleIndex,
        /// The samples.
        samples: Vec<i16>,
    },
    /// Everything else.
    Heard(Output),
}

/// A running ear.
pub struct Hearing {
    sender: Option<mpsc::SyncSender<Command>>,
    thread: Option<JoinHandle<()>>,
    lost_samples: u64,
}

impl Hearing {
    /// Starts the thread; `report` is called for everything heard.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(
        mut listener: Listener,
        report: impl Fn(Report) + Send + 'static,
    ) -> std::io::Result<Self> {
        let (sender, receiver) = mpsc::sync_channel(BLOCKS_MAX);
        let thread = std::thread::Builder::new()
            .name("hearing".into())
            .spawn(move || {
                while let Ok(command) = receiver.recv() {
                    match command {
                        Command::Samples(samples) => listener.handle_samples(&samples),
                        Command::ListenForReply(ms) => listener.listen_for_reply(ms),
                        Command::Names(names) => {
                            let names = names.iter().map(String::as_str);
                            listener.know_names(Arc::new(KnownNames::new(names)));
                        }
                        Command::Sentences(everyday) => listener.know_sentences(everyday),
                        Command::Released => listener.handle_released(),
                        Command::Ended => listener.handle_end(),
                    }
                    while let Some(output) = listener.poll_output() {
                        // A wake word that was confirmed late has left the ring: the listener kept what was before it.
                        if let Output::Wake(_) = output
                            && let Some((first, samples)) = listener.take_before_wake()
                        {
                            report(Report::PreRoll { first, samples });
                        }
                        report(Report::Heard(output));
                    }
                }
            })?;
        Ok(Self {
            sender: Some(sender),
            thread: Some(thread),
            lost_samples: 0,
        })
    }

    /// Microphone samples, 16 kHz mono. Never blocks.
    pub fn samples(&mut self, samples: Vec<i16>) {
        let count = samples.len() as u64;
        if !self.send(Command::Samples(samples)) {
            self.lost_samples += count;
        }
    }

    /// For `ms` an answer counts without the wake word.
    pub fn listen_for_reply(&mut self, ms: u32) {
        self.send(Command::ListenForReply(ms));
    }

    /// The names that the household knows from now on.
    pub fn know_names(&mut self, names: Vec<String>) {
        self.send(Command::Names(names));
    }

    /// The everyday sentences of the household from now on.
    pub fn know_sentences(&mut self, everyday: Arc<Everyday>) {
        self.send(Command::Sentences(everyday));
    }

    /// The person let the button go: what they were saying is whole.
    pub fn released(&mut self) {
        self.send(Command::Released);
    }

    /// The microphone has ended.
    pub fn ended(&mut self) {
        self.send(Command::Ended);
    }

    /// Samples that the ear was too slow to take.
    #[must_use]
    pub fn lost_samples(&self) -> u64 {
        self.lost_samples
    }

    fn send(&self, command: Command) -> bool {
        self.sender
            .as_ref()
            .is_some_and(|sender| sender.try_send(command).is_ok())
    }
}

impl Drop for Hearing {
    fn drop(&mut self) {
        self.sender = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
