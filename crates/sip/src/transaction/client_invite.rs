//! INVITE client transaction (RFC 3261 section 17.1.1, RFC 6026 section 7.2).
//!
//! ```text
//!            1xx ──► Proceeding ─┐
//! Calling ──┤                    ├─ 2xx ────► Accepted  ── M ──► Terminated
//!            B, error ─► Terminated └─ 3xx-6xx ► Completed ── D ──► Terminated
//! ```

use core::time::Duration;

use super::{Effect, Timers};

/// Where the transaction stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientInviteState {
    /// The INVITE is out, nothing came back (17.1.1.2).
    Calling,
    /// A provisional response came; no more retransmission.
    Proceeding,
    /// A 2xx came; further 2xx, also of other forks, go up until timer M (RFC 6026).
    Accepted,
    /// A 3xx to 6xx came and was acknowledged; its retransmissions are acknowledged again until timer D.
    Completed,
    /// Over.
    Terminated,
}

/// The machine alone: it holds no message, only says what is to be done with one.
#[derive(Debug, Clone)]
pub struct ClientInvite {
    state: ClientInviteState,
    timers: Timers,
    reliable: bool,
    gap: Duration,
    /// Timer A.
    retransmit_at: Option<Duration>,
    /// Timer B, D or M, by state.
    end_at: Option<Duration>,
}

impl ClientInvite {
    /// Starts in `Calling`; the caller sends the INVITE once itself. `reliable`: TCP or TLS.
    pub fn new(timers: Timers, reliable: bool, now: Duration) -> Self {
        Self {
            state: ClientInviteState::Calling,
            timers,
            reliable,
            gap: timers.a(),
            retransmit_at: (!reliable).then(|| now.saturating_add(timers.a())),
            end_at: Some(now.saturating_add(timers.b())),
        }
    }

    /// Where it stands.
    pub fn state(&self) -> ClientInviteState {
        self.state
    }

    /// A response with this status arrived.
    pub fn handle_response(&mut self, status: u16, now: Duration) -> Effect {
        use ClientInviteState as S;
        match (self.state, status) {
            (S::Calling | S::Proceeding, 100..=199) => {
                self.state = S::Proceeding;
                self.retransmit_at = None;
                // From here only the user's patience ends it (timer C, CANCEL).
                self.end_at = None;
                Effect::Deliver
            }
            (S::Calling | S::Proceeding, 200..=299) => {
                self.state = S::Accepted;
                self.retransmit_at = None;
                self.end_at = Some(now.saturating_add(self.timers.m()));
                Effect::Deliver
            }
            (S::Calling | S::Proceeding, 300..) => {
                self.state = S::Completed;
                self.retransmit_at = None;
                self.end_at = Some(now.saturating_add(self.timers.d(self.reliable)));
                Effect::AcknowledgeAndDeliver
            }
            (S::Accepted, 200..=299) => Effect::Deliver,
            (S::Completed, 300..) => Effect::Acknowledge,
            _ => Effect::Nothing,
        }
    }

    /// The transport could not send.
    pub fn handle_transport_failure(&mut self) -> Effect {
        match self.state {
            ClientInviteState::Calling
            | ClientInviteState::Proceeding
            | ClientInviteState::Completed => {
                let told = self.state != ClientInviteState::Completed;
                self.terminate();
                if told {
                    Effect::TransportFailed
                } else {
                    Effect::Nothing
                }
            }
            ClientInviteState::Accepted | ClientInviteState::Terminated => Effect::Nothing,
        }
    }

    /// Does at most one thing that is due at `now`; call again until it says `Nothing`.
    pub fn handle_timeout(&mut self, now: Duration) -> Effect {
        if self.end_at.is_some_and(|at| at <= now) {
            let waiting = self.state == ClientInviteState::Calling;
            self.terminate();
            return if waiting {
                Effect::TimedOut
            } else {
                Effect::Nothing
            };
        }
        if self.retransmit_at.is_some_and(|at| at <= now) {
            self.gap = self.gap.saturating_mul(2);
            self.retransmit_at = Some(now.saturating_add(self.gap));
            return Effect::Retransmit;
        }
        Effect::Nothing
    }

    /// Ends it at once: the user gave up (RFC 3261 section 9.1, 64*T1 after CANCEL).
    pub fn terminate(&mut self) {
        self.state = ClientInviteState::Terminated;
        self.retransmit_at = None;
        self.end_at = None;
    }

    /// When `handle_timeout` is due next.
    pub fn next_timeout(&self) -> Option<Duration> {
        super::earlier(self.retransmit_at, self.end_at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: fn(u64) -> Duration = Duration::from_millis;

    #[test]
    fn retransmits_with_doubled_gaps_until_timer_b() {
        let mut machine = ClientInvite::new(Timers::default(), false, Duration::ZERO);
        let mut sent = Vec::new();
        while let Some(at) = machine.next_timeout() {
            match machine.handle_timeout(at) {
                Effect::Retransmit => sent.push(at.as_millis()),
                Effect::TimedOut => assert_eq!(at, MS(32_000)),
                other => panic!("unexpected {other:?}"),
            }
        }
        assert_eq!(sent, [500, 1_500, 3_500, 7_500, 15_500, 31_500]);
        assert_eq!(machine.state(), ClientInviteState::Terminated);
    }

    #[test]
    fn a_reliable_transport_has_no_timer_a_and_no_timer_d() {
        let mut machine = ClientInvite::new(Timers::default(), true, Duration::ZERO);
        assert_eq!(machine.next_timeout(), Some(MS(32_000)));
        assert_eq!(
            machine.handle_response(486, MS(10)),
            Effect::AcknowledgeAndDeliver
        );
        assert_eq!(machine.next_timeout(), Some(MS(10)));
        assert_eq!(machine.handle_timeout(MS(10)), Effect::Nothing);
        assert_eq!(machine.state(), ClientInviteState::Terminated);
    }

    #[test]
    fn accepted_passes_every_2xx_up_and_nothing_else() {
        let mut machine = ClientInvite::new(Timers::default(), false, Duration::ZERO);
        assert_eq!(machine.handle_response(180, MS(1)), Effect::Deliver);
        assert_eq!(machine.next_timeout(), None);
        assert_eq!(machine.handle_response(200, MS(2)), Effect::Deliver);
        assert_eq!(machine.handle_response(200, MS(3)), Effect::Deliver);
        assert_eq!(machine.handle_response(180, MS(4)), Effect::Nothing);
        assert_eq!(machine.handle_response(486, MS(5)), Effect::Nothing);
        assert_eq!(machine.next_timeout(), Some(MS(32_002)));
    }
}
