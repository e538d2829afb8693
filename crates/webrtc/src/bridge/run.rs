//! The adapter: one bridge on three sockets and a task of its own.
use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use hearthline_transport::{GuardedUdp, Reach, RtpPair};
use ring::rand::{SecureRandom as _, SystemRandom};
use tokio::sync::{Notify, oneshot};

use super::{Bridge, BridgeConfig, BridgeError, BridgeOutput, BridgeStatistics, Offerer};
use crate::keys::Keys;

/// A datagram at most; larger ones are cut and then refused.
const DATAGRAM_BYTES: usize = 2_048;
const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// A bridge that runs. Dropping it ends the bridge.
#[derive(Debug)]
pub struct BridgeHandle {
    shared: Arc<Shared>,
    _alive: oneshot::Sender<()>,
}

#[derive(Debug)]
struct Shared {
    core: Mutex<Bridge>,
    origin: Instant,
    wake: Notify,
}

impl Shared {
    /// The core and what time it is. Nobody holds it for longer than a packet takes.
    fn lock(&self) -> (MutexGuard<'_, Bridge>, Duration) {
        let core = self.core.lock().unwrap_or_else(PoisonError::into_inner);
        (core, self.origin.elapsed())
    }
}

/// Makes a bridge and runs it; within a runtime of tokio. Nothing is waited for: the sockets are bound at once or not at
/// all. The browser's socket sends to this machine alone, the far side's to loopback alone.
///
/// # Errors
/// What the system says.
pub fn open_bridge(keys: &Keys, first: Offerer) -> io::Result<BridgeHandle> {
    let any = SocketAddr::new(HERE, 0);
    let browser = at_once(GuardedUdp::bind_for_this_machine(any))?;
    let pair = at_once(RtpPair::bind(HERE, Reach::LoopbackOnly))?;
    let mut seed = [0; 32];
    SystemRandom::new()
        .fill(&mut seed)
        .map_err(|_| io::Error::other("no randomness"))?;
    let origin = Instant::now();
    let config = BridgeConfig {
        keys: keys.clone(),
        browser_side: browser.local_addr()?,
        far_side: SocketAddr::new(HERE, pair.port()?),
        seed,
        origin,
        first,
    };
    let core = Bridge::new(&config, Duration::ZERO).map_err(io::Error::other)?;
    let shared = Arc::new(Shared {
        core: Mutex::new(core),
        origin,
        wake: Notify::new(),
    });
    let (alive, gone) = oneshot::channel();
    tokio::spawn(run(shared.clone(), browser, pair, gone));
    Ok(BridgeHandle {
        shared,
        _alive: alive,
    })
}

/// What is ready without waiting: binding a socket asks the kernel and nobody else.
fn at_once<T>(bound: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    match pin!(bound).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(bound) => bound,
        Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
    }
}

impl BridgeHandle {
    /// [`Bridge::offer_of_browser`]
    ///
    /// # Errors
    /// [`BridgeError`].
    pub fn offer_of_browser(&self, sdp: &[u8]) -> Result<Vec<u8>, BridgeError> {
        self.with(|core, now| core.offer_of_browser(sdp, now))
    }

    /// [`Bridge::answer_of_far`]
    ///
    /// # Errors
    /// [`BridgeError`].
    pub fn answer_of_far(&self, sdp: &[u8]) -> Result<Vec<u8>, BridgeError> {
        self.with(|core, now| core.answer_of_far(sdp, now))
    }

    /// [`Bridge::early_of_far`]
    ///
    /// # Errors
    /// [`BridgeError`].
    pub fn early_of_far(&self, sdp: &[u8]) -> Result<Vec<u8>, BridgeError> {
        self.with(|core, now| core.early_of_far(sdp, now))
    }

    /// [`Bridge::offer_of_far`]
    ///
    /// # Errors
    /// [`BridgeError`].
    pub fn offer_of_far(&self, sdp: &[u8]) -> Result<Vec<u8>, BridgeError> {
        self.with(|core, now| core.offer_of_far(sdp, now))
    }

    /// [`Bridge::answer_of_browser`]
    ///
    /// # Errors
    /// [`BridgeError`].
    pub fn answer_of_browser(&self, sdp: &[u8]) -> Result<Vec<u8>, BridgeError> {
        self.with(|core, now| core.answer_of_browser(sdp, now))
    }

    /// Whether it carries nothing any more.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.shared.lock().0.is_over()
    }

    /// The bridge in numbers.
    #[must_use]
    pub fn statistics(&self) -> BridgeStatistics {
        self.shared.lock().0.statistics()
    }

    fn with<T>(&self, act: impl FnOnce(&mut Bridge, Duration) -> T) -> T {
        let (mut core, now) = self.shared.lock();
        let done = act(&mut core, now);
        drop(core);
        self.shared.wake.notify_one();
        done
    }
}

async fn run(
    shared: Arc<Shared>,
    browser: GuardedUdp,
    pair: RtpPair,
    mut gone: oneshot::Receiver<()>,
) {
    let mut buffers = [[0; DATAGRAM_BYTES]; 3];
    let [from_browser, from_rtp, from_rtcp] = &mut buffers;
    let mut ending = false;
    loop {
        let due = drain(&shared, &browser, &pair);
        let Some(due) = due.filter(|_| !ending) else {
            return;
        };
        let wait = due.saturating_sub(shared.origin.elapsed());
        // An error of a socket is an earlier datagram's that nobody took.
        tokio::select! {
            received = browser.recv_from(from_browser) => if let Ok((length, from)) = received {
                let (mut core, now) = shared.lock();
                core.handle_browser(from, &from_browser[..length], now);
            },
            received = pair.rtp.recv_from(from_rtp) => if let Ok((length, from)) = received {
                let (mut core, now) = shared.lock();
                core.handle_rtp(from, &from_rtp[..length], now);
            },
            received = pair.rtcp.recv_from(from_rtcp) => if let Ok((length, from)) = received {
                let (mut core, now) = shared.lock();
                core.handle_rtcp(from, &from_rtcp[..length], now);
            },
            () = shared.wake.notified() => {}
            () = tokio::time::sleep(wait) => {
                let (mut core, now) = shared.lock();
                core.handle_timeout(now);
            },
            _ = &mut gone => {
                let (mut core, now) = shared.lock();
                core.close(now);
                ending = true;
            }
        }
    }
}

/// Sends all there is; when it wants to be woken, or never: it is over.
fn drain(shared: &Shared, browser: &GuardedUdp, pair: &RtpPair) -> Option<Duration> {
    let (mut core, _) = shared.lock();
    loop {
        let sent = match core.poll_output() {
            // A browser names addresses that are none of this machine's, too: nothing is sent there.
            BridgeOutput::ToBrowser { to, bytes } => browser.try_send_to(&bytes, to),
            BridgeOutput::Rtp { to, bytes } => pair.rtp.try_send_to(&bytes, to),
            BridgeOutput::Rtcp { to, bytes } => pair.rtcp.try_send_to(&bytes, to),
            BridgeOutput::Timeout(at) => return at,
        };
        // Full: late sound is worth nothing.
        drop(sent);
    }
}
