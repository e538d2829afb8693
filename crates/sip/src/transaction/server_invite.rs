//! INVITE server transaction (RFC 3261 section 17.2.1, RFC 6026 section 7.1).
//!
//! ```text
//! Proceeding ─ 2xx ────► Accepted ── L ─────────────────────► Terminated
//!           └─ 3xx-6xx ► Completed ── ACK ► Confirmed ── I ──► Terminated
//!                                 └── H ───────────────────► Terminated, ACK missing
//! ```

use core::time::Duration;

use super::timers::TRYING_AFTER;
use super::{Effect, Timers};

/// Where the transaction stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServerInviteState {
    /// The INVITE went up; at most provisional responses were sent.
    Proceeding,
    /// A 2xx was sent; the user retransmits it, INVITEs are absorbed, ACKs go up (RFC 6026).
    Accepted,
    /// A 3xx to 6xx was sent and is retransmitted until the ACK.
    Completed,
    /// The ACK came; its retransmissions are absorbed until timer I.
    Confirmed,
    /// Over.
    Terminated,
}

/// The machine alone: it holds no message, only says what is to be done with one.
#[derive(Debug, Clone)]
pub struct ServerInvite {
    state: ServerInviteState,
    timers: Timers,
    reliable: bool,
    gap: Duration,
    responded: bool,
    /// 100 (Trying) in `Proceeding`, timer G in `Completed`.
    transmit_at: Option<Duration>,
    /// Timer H, I or L, by state.
    end_at: Option<Duration>,
}

impl ServerInvite {
    /// Starts in `Proceeding`. `reliable`: TCP or TLS.
    pub fn new(timers: Timers, reliable: bool, now: Duration) -> Self {
        Self {
            state: ServerInviteState::Proceeding,
            timers,
            reliable,
            gap: timers.g(),
            responded: false,
            transmit_at: Some(now.saturating_add(TRYING_AFTER)),
            end_at: None,
        }
    }

    /// Where it stands.
    pub fn state(&self) -> ServerInviteState {
        self.state
    }

    /// The INVITE arrived again.
    pub fn handle_retransmission(&mut self) -> Effect {
        match self.state {
            ServerInviteState::Proceeding if self.responded => Effect::Retransmit,
            ServerInviteState::Completed => Effect::Retransmit,
            _ => Effect::Nothing,
        }
    }

    /// The user wants to send a response; `Deliver` means: put it on the wire.
    pub fn send_response(&mut self, status: u16, now: Duration) -> Effect {
        use ServerInviteState as S;
        match (self.state, status) {
            (S::Proceeding, 100..=199) => {
                self.responded = true;
                self.transmit_at = None;
                Effect::Deliver
            }
            (S::Proceeding, 200..=299) => {
                self.state = S::Accepted;
                self.transmit_at = None;
                self.end_at = Some(now.saturating_add(self.timers.l()));
                Effect::Deliver
            }
            (S::Proceeding, 300..) => {
                self.state = S::Completed;
                self.transmit_at = (!self.reliable).then(|| now.saturating_add(self.timers.g()));
                self.end_at = Some(now.saturating_add(self.timers.h()));
                Effect::Deliver
            }
            // The user's own retransmission of its 2xx.
            (S::Accepted, 200..=299) => Effect::Deliver,
            _ => Effect::Nothing,
        }
    }

    /// An ACK that matches this transaction arrived.
    pub fn handle_ack(&mut self, now: Duration) -> Effect {
        match self.state {
            ServerInviteState::Completed => {
                self.state = ServerInviteState::Confirmed;
                self.transmit_at = None;
                self.end_at = Some(now.saturating_add(self.timers.i(self.reliable)));
                Effect::Nothing
            }
            ServerInviteState::Accepted => Effect::Deliver,
            _ => Effect::Nothing,
        }
    }

    /// Does at most one thing that is due at `now`; call again until it says `Nothing`.
    /// `SendTrying` asks for a 100 (Trying).
    pub fn handle_timeout(&mut self, now: Duration) -> Effect {
        if self.end_at.is_some_and(|at| at <= now) {
            let waiting = self.state == ServerInviteState::Completed;
            self.terminate();
            return if waiting {
                Effect::TimedOut
            } else {
                Effect::Nothing
            };
        }
        if self.transmit_at.is_some_and(|at| at <= now) {
            if self.state == ServerInviteState::Proceeding {
                self.transmit_at = None;
                return Effect::SendTrying;
            }
            self.gap = self.timers.doubled(self.gap);
            self.transmit_at = Some(now.saturating_add(self.gap));
            return Effect::Retransmit;
        }
        Effect::Nothing
    }

    /// Ends it at once: the transport is gone.
    pub fn terminate(&mut self) {
        self.state = ServerInviteState::Terminated;
        self.transmit_at = None;
        self.end_at = None;
    }

    /// When `handle_timeout` is due next.
    pub fn next_timeout(&self) -> Option<Duration> {
        super::earlier(self.transmit_at, self.end_at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: fn(u64) -> Duration = Duration::from_millis;

    #[test]
    fn a_silent_user_makes_it_send_100_after_200_ms() {
        let mut machine = ServerInvite::new(Timers::default(), false, Duration::ZERO);
        assert_eq!(machine.handle_retransmission(), Effect::Nothing);
        assert_eq!(machine.next_timeout(), Some(MS(200)));
        assert_eq!(machine.handle_timeout(MS(200)), Effect::SendTrying);
        assert_eq!(machine.send_response(100, MS(200)), Effect::Deliver);
        assert_eq!(machine.handle_retransmission(), Effect::Retransmit);
        assert_eq!(machine.next_timeout(), None);
    }

    #[test]
    fn a_refusal_is_repeated_until_the_ack() {
        let mut machine = ServerInvite::new(Timers::default(), false, Duration::ZERO);
        assert_eq!(machine.send_response(486, Duration::ZERO), Effect::Deliver);
        assert_eq!(machine.handle_timeout(MS(500)), Effect::Retransmit);
        assert_eq!(machine.next_timeout(), Some(MS(1_500)));
        assert_eq!(machine.handle_ack(MS(600)), Effect::Nothing);
        assert_eq!(machine.state(), ServerInviteState::Confirmed);
        assert_eq!(machine.next_timeout(), Some(MS(5_600)));
        assert_eq!(machine.handle_timeout(MS(5_600)), Effect::Nothing);
        assert_eq!(machine.state(), ServerInviteState::Terminated);
    }

    #[test]
    fn a_missing_ack_is_told_after_timer_h() {
        let mut machine = ServerInvite::new(Timers::default(), true, Duration::ZERO);
        assert_eq!(machine.send_response(486, Duration::ZERO), Effect::Deliver);
        assert_eq!(machine.next_timeout(), Some(MS(32_000)));
        assert_eq!(machine.handle_timeout(MS(32_000)), Effect::TimedOut);
        assert_eq!(machine.state(), ServerInviteState::Terminated);
    }

    #[test]
    fn accepted_absorbs_invites_and_lets_2xx_and_ack_through() {
        let mut machine = ServerInvite::new(Timers::default(), false, Duration::ZERO);
        assert_eq!(machine.send_response(200, Duration::ZERO), Effect::Deliver);
        assert_eq!(machine.handle_retransmission(), Effect::Nothing);
        assert_eq!(machine.send_response(200, MS(500)), Effect::Deliver);
        assert_eq!(machine.send_response(486, MS(500)), Effect::Nothing);
        assert_eq!(machine.handle_ack(MS(600)), Effect::Deliver);
        assert_eq!(machine.next_timeout(), Some(MS(32_000)));
    }
}
