//! The adapter: one browser's sound on a socket and a task of its own.
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use hearthline_transport::GuardedUdp;
use ring::rand::{SecureRandom as _, SystemRandom};
use tokio::sync::mpsc;

use crate::description::OfferError;
use crate::keys::Keys;
use crate::sound::{Ended, Output, Sound, SoundConfig};

/// News waiting for the owner: two seconds of frames. Sound that nobody fetches is dropped.
const NEWS_MAX: usize = 100;
/// Pieces of sound waiting for the task.
const PIECES_MAX: usize = 100;
/// A datagram of a browser at most; larger ones are cut and then refused.
const DATAGRAM_BYTES: usize = 2_048;
/// The task looks so often whether anybody still wants it.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Their offer: tell it to the page (400).
    #[error(transparent)]
    Offer(#[from] OfferError),
    /// Our socket or randomness (500).
    #[error("no socket for a page's sound: {0}")]
    Socket(#[from] io::Error),
}

/// What a browser brings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FromBrowser {
    /// It is there; sound flows both ways.
    Connected,
    /// 20 ms of its microphone: 320 samples at 16 kHz, one every 20 ms.
    Heard(Vec<i16>),
    /// Nothing comes any more; it may come back by itself.
    Interrupted,
    /// It came back.
    Resumed,
    /// It is over; nothing follows.
    Ended(Ended),
}

/// A browser's sound that runs. Dropping it ends the connection.
#[derive(Debug)]
pub struct BrowserSound {
    /// The browser's loudspeaker.
    pub to_browser: ToBrowser,
    news: mpsc::Receiver<FromBrowser>,
}

impl BrowserSound {
    /// What the browser brings next; none when it is over.
    pub async fn next(&mut self) -> Option<FromBrowser> {
        self.news.recv().await
    }
}

/// A browser's loudspeaker.
#[derive(Debug, Clone)]
pub struct ToBrowser(mpsc::Sender<Vec<i16>>);

impl ToBrowser {
    /// Plays samples at 16 kHz behind those that wait, half a second at most. Never blocks; false when it was not taken.
    pub fn play(&self, samples: Vec<i16>) -> bool {
        self.0.try_send(samples).is_ok()
    }
}

/// Answers a page's offer, and runs its sound until either side ends it. Give the answer to the page as it is.
///
/// # Errors
/// [`OpenError`].
pub async fn open(offer: &str, keys: &Keys) -> Result<(String, BrowserSound), OpenError> {
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let socket = GuardedUdp::bind_for_this_machine(any).await?;
    let local = socket.local_addr()?;
    let mut seed = [0; 32];
    SystemRandom::new()
        .fill(&mut seed)
        .map_err(|_| io::Error::other("no randomness"))?;
    let origin = Instant::now();
    let config = SoundConfig {
        keys: keys.clone(),
        local,
        seed,
        origin,
    };
    let (sound, answer) = Sound::answer(offer.as_bytes(), config, Duration::ZERO)?;
    let (news, inbox) = mpsc::channel(NEWS_MAX);
    let (player, pieces) = mpsc::channel(PIECES_MAX);
    tokio::spawn(run(sound, socket, local, origin, news, pieces));
    let running = BrowserSound {
        to_browser: ToBrowser(player),
        news: inbox,
    };
    Ok((answer, running))
}

async fn run(
    mut sound: Sound,
    socket: GuardedUdp,
    local: SocketAddr,
    origin: Instant,
    news: mpsc::Sender<FromBrowser>,
    mut pieces: mpsc::Receiver<Vec<i16>>,
) {
    let mut buffer = vec![0; DATAGRAM_BYTES];
    let mut playing = true;
    loop {
        let due = loop {
            let told = match sound.poll_output() {
                Output::Transmit { to, bytes } => {
                    // A browser names addresses that are none of this machine's, too: nothing is sent there.
                    drop(socket.try_send_to(&bytes, to));
                    continue;
                }
                Output::Timeout(at) => break at,
                Output::Connected => FromBrowser::Connected,
                Output::Heard(frame) => FromBrowser::Heard(frame),
                Output::Interrupted => FromBrowser::Interrupted,
                Output::Resumed => FromBrowser::Resumed,
                Output::Ended(why) => FromBrowser::Ended(why),
            };
            if let Err(error) = news.try_send(told) {
                tracing::debug!(%error, "nobody fetches a page's sound");
            }
        };
        let Some(due) = due else {
            return;
        };
        let wait = due.saturating_sub(origin.elapsed()).min(LOOK_EVERY);
        tokio::select! {
            received = socket.recv_from(&mut buffer) => {
                // An error is an earlier datagram's that nobody took.
                if let Ok((length, from)) = received {
                    sound.handle_datagram(from, local, &buffer[..length], origin.elapsed());
                }
            }
            piece = pieces.recv(), if playing => match piece {
                Some(samples) => sound.handle_samples(&samples, origin.elapsed()),
                None => playing = false,
            },
            () = tokio::time::sleep(wait) => sound.handle_timeout(origin.elapsed()),
            // The owner has gone.
            () = news.closed() => sound.close(origin.elapsed()),
        }
    }
}
