//! Non-INVITE client transaction (RFC 3261 section 17.1.2).

use core::time::Duration;

use super::{Effect, Timers};

/// Where the transaction stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientNonInviteState {
    /// The request is out, nothing came back.
    Trying,
    /// A provisional response came; retransmission goes on every T2.
    Proceeding,
    /// A final response went up; its retransmissions are absorbed until timer K.
    Completed,
    /// Over.
    Terminated,
}

/// The machine alone: it holds no message, only says what is to be done with one.
#[derive(Debug, Clone)]
pub struct ClientNonInvite {
    state: ClientNonInviteState,
    timers: Timers,
    reliable: bool,
    gap: Duration,
    /// Timer E.
    retransmit_at: Option<Duration>,
    /// Timer F or K, by state.
    end_at: Option<Duration>,
}

impl ClientNonInvite {
    /// Starts in `Trying`; the caller sends the request once itself. `reliable`: TCP or TLS.
    pub fn new(timers: Timers, reliable: bool, now: Duration) -> Self {
        Self {
            state: ClientNonInviteState::Trying,
            timers,
            reliable,
            gap: timers.e(),
            retransmit_at: (!reliable).then(|| now.saturating_add(timers.e())),
            end_at: Some(now.saturating_add(timers.f())),
        }
    }

    /// Where it stands.
    pub fn state(&self) -> ClientNonInviteState {
        self.state
    }

    /// A response with this status arrived.
    pub fn handle_response(&mut self, status: u16, now: Duration) -> Effect {
        use ClientNonInviteState as S;
        match (self.state, status) {
            (S::Trying | S::Proceeding, 100..=199) => {
                self.state = S::Proceeding;
                Effect::Deliver
            }
            (S::Trying | S::Proceeding, 200..) => {
                self.state = S::Completed;
                self.retransmit_at = None;
                self.end_at = Some(now.saturating_add(self.timers.k(self.reliable)));
                Effect::Deliver
            }
            _ => Effect::Nothing,
        }
    }

    /// The transport could not send.
    pub fn handle_transport_failure(&mut self) -> Effect {
        match self.state {
            ClientNonInviteState::Trying | ClientNonInviteState::Proceeding => {
                self.terminate();
                Effect::TransportFailed
            }
            ClientNonInviteState::Completed | ClientNonInviteState::Terminated => Effect::Nothing,
        }
    }

    /// Does at most one thing that is due at `now`; call again until it says `Nothing`.
    pub fn handle_timeout(&mut self, now: Duration) -> Effect {
        if self.end_at.is_some_and(|at| at <= now) {
            let waiting = self.state != ClientNonInviteState::Completed;
            self.terminate();
            return if waiting {
                Effect::TimedOut
            } else {
                Effect::Nothing
            };
        }
        if self.retransmit_at.is_some_and(|at| at <= now) {
            self.gap = if self.state == ClientNonInviteState::Proceeding {
                self.timers.t2
            } else {
                self.timers.doubled(self.gap)
            };
            self.retransmit_at = Some(now.saturating_add(self.gap));
            return Effect::Retransmit;
        }
        Effect::Nothing
    }

    /// When `handle_timeout` is due next.
    pub fn next_timeout(&self) -> Option<Duration> {
        super::earlier(self.retransmit_at, self.end_at)
    }

    fn terminate(&mut self) {
        self.state = ClientNonInviteState::Terminated;
        self.retransmit_at = None;
        self.end_at = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retransmits_up_to_t2_until_timer_f() {
        let mut machine = ClientNonInvite::new(Timers::default(), false, Duration::ZERO);
        let mut sent = Vec::new();
        while let Some(at) = machine.next_timeout() {
            match machine.handle_timeout(at) {
                Effect::Retransmit => sent.push(at.as_millis()),
                Effect::TimedOut => assert_eq!(at.as_millis(), 32_000),
                other => panic!("unexpected {other:?}"),
            }
        }
        assert_eq!(
            sent,
            [
                500, 1_500, 3_500, 7_500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500
            ]
        );
    }

    #[test]
    fn a_provisional_response_slows_it_to_t2_and_timer_f_still_runs() {
        let mut machine = ClientNonInvite::new(Timers::default(), false, Duration::ZERO);
        let at = Duration::from_millis(100);
        assert_eq!(machine.handle_response(100, at), Effect::Deliver);
        let first = machine.next_timeout().unwrap();
        assert_eq!(machine.handle_timeout(first), Effect::Retransmit);
        assert_eq!(machine.next_timeout(), Some(first + Duration::from_secs(4)));
        assert_eq!(
            machine.handle_timeout(Duration::from_secs(32)),
            Effect::TimedOut
        );
        assert_eq!(machine.next_timeout(), None);
    }

    #[test]
    fn a_second_final_response_is_absorbed() {
        let mut machine = ClientNonInvite::new(Timers::default(), false, Duration::ZERO);
        assert_eq!(
            machine.handle_response(200, Duration::ZERO),
            Effect::Deliver
        );
        assert_eq!(
            machine.handle_response(200, Duration::ZERO),
            Effect::Nothing
        );
        assert_eq!(machine.next_timeout(), Some(Duration::from_secs(5)));
    }
}
