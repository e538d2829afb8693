//! Reliable provisional responses (RFC 3262): numbering, order, retransmission.

use core::time::Duration;
use std::collections::VecDeque;

use crate::transaction::Timers;

/// Most provisional responses waiting behind an unacknowledged one.
pub const WAITING_MAX: usize = 8;

/// The server's side: one response is out at a time, repeated until its PRACK (section 3).
///
/// `T` is whatever the user needs to send it again: the response.
#[derive(Debug, Clone)]
pub struct ReliableSender<T> {
    timers: Timers,
    next_rseq: u32,
    out: Option<Unacknowledged<T>>,
    waiting: VecDeque<(T, bool)>,
    /// The response that was out when the final one was sent: its PRACK may still come.
    left_behind: Option<u32>,
}

#[derive(Debug, Clone)]
struct Unacknowledged<T> {
    rseq: u32,
    response: T,
    has_session: bool,
    gap: Duration,
    retransmit_at: Duration,
    end_at: Duration,
}

/// What is due on the server's side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReliableDue<T> {
    /// Nothing.
    Nothing,
    /// Send this response (again) with this RSeq.
    Send(u32, T),
    /// No PRACK for 64*T1: the request is to be refused with a 5xx (section 3).
    GiveUp,
}

impl<T: Clone> ReliableSender<T> {
    /// `first_rseq`: 1 to 2^31 - 1, drawn at random (section 3).
    pub fn new(timers: Timers, first_rseq: u32) -> Self {
        Self {
            timers,
            next_rseq: first_rseq.clamp(1, (1 << 31) - 1),
            out: None,
            waiting: VecDeque::new(),
            left_behind: None,
        }
    }

    /// Sends `response` now (the number to put into RSeq is returned with it) or keeps it until
    /// the one before is acknowledged. `has_session`: it carries an offer or an answer. Returns
    /// `Err` when [`WAITING_MAX`] are waiting.
    pub fn send(
        &mut self,
        response: T,
        has_session: bool,
        now: Duration,
    ) -> Result<Option<(u32, T)>, T> {
        if self.out.is_some() {
            if self.waiting.len() >= WAITING_MAX {
                return Err(response);
            }
            self.waiting.push_back((response, has_session));
            return Ok(None);
        }
        Ok(Some(self.start(response, has_session, now)))
    }

    /// A PRACK with this RSeq came (its CSeq and method were matched before). `None`: it
    /// acknowledges nothing that is out, answer 481. `Some(next)`: answer 2xx, then send `next`.
    pub fn acknowledge(&mut self, rseq: u32, now: Duration) -> Option<Option<(u32, T)>> {
        if self.left_behind == Some(rseq) {
            self.left_behind = None;
            return Some(None);
        }
        if self.out.as_ref().is_none_or(|out| out.rseq != rseq) {
            return None;
        }
        self.out = None;
        let next = self.waiting.pop_front();
        Some(next.map(|(response, has_session)| self.start(response, has_session, now)))
    }

    /// Whether a 2xx must wait: an offer or answer is not acknowledged yet (section 3).
    pub fn holds_success_back(&self) -> bool {
        self.out.as_ref().is_some_and(|out| out.has_session)
            || self.waiting.iter().any(|(_, has_session)| *has_session)
    }

    /// Repeats nothing more: a final response was sent. The PRACK of what is out is still accepted
    /// (section 3).
    pub fn stop(&mut self) {
        if let Some(out) = self.out.take() {
            self.left_behind = Some(out.rseq);
        }
        self.waiting.clear();
    }

    /// Does what is due at `now`.
    pub fn handle_timeout(&mut self, now: Duration) -> ReliableDue<T> {
        let Some(out) = &mut self.out else {
            return ReliableDue::Nothing;
        };
        if out.end_at <= now {
            self.stop();
            return ReliableDue::GiveUp;
        }
        if out.retransmit_at <= now {
            out.gap = out.gap.saturating_mul(2);
            out.retransmit_at = now.saturating_add(out.gap);
            return ReliableDue::Send(out.rseq, out.response.clone());
        }
        ReliableDue::Nothing
    }

    /// When `handle_timeout` is due next.
    pub fn next_timeout(&self) -> Option<Duration> {
        self.out
            .as_ref()
            .map(|out| out.retransmit_at.min(out.end_at))
    }

    fn start(&mut self, response: T, has_session: bool, now: Duration) -> (u32, T) {
        let rseq = self.next_rseq;
        self.next_rseq = self.next_rseq.saturating_add(1);
        self.out = Some(Unacknowledged {
            rseq,
            response: response.clone(),
            has_session,
            gap: self.timers.t1,
            retransmit_at: now.saturating_add(self.timers.t1),
            end_at: now.saturating_add(self.timers.b()),
        });
        (rseq, response)
    }
}

/// The client's side: which reliable responses of one early dialog to acknowledge (section 4).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ReliableReceiver {
    last: Option<u32>,
}

/// What a reliable provisional response is to the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReliableOrder {
    /// The next one: acknowledge it and look at it.
    Next,
    /// Seen before: its PRACK is on its way.
    Repeated,
    /// One before it is missing: neither acknowledge nor look at it, it will come again.
    Early,
}

impl ReliableReceiver {
    /// A reliable provisional response with this RSeq arrived.
    pub fn receive(&mut self, rseq: u32) -> ReliableOrder {
        match self.last {
            None => {}
            Some(last) if rseq <= last => return ReliableOrder::Repeated,
            Some(last) if rseq != last.saturating_add(1) => return ReliableOrder::Early,
            Some(_) => {}
        }
        self.last = Some(rseq);
        ReliableOrder::Next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: fn(u64) -> Duration = Duration::from_millis;

    #[test]
    fn the_second_response_waits_for_the_first_prack() {
        let mut sender = ReliableSender::new(Timers::default(), 10);
        assert_eq!(sender.send("180", false, MS(0)), Ok(Some((10, "180"))));
        assert_eq!(sender.send("183", true, MS(1)), Ok(None));
        assert!(sender.holds_success_back());
        assert_eq!(sender.acknowledge(11, MS(2)), None);
        assert_eq!(sender.acknowledge(10, MS(2)), Some(Some((11, "183"))));
        assert_eq!(sender.acknowledge(11, MS(3)), Some(None));
        assert!(!sender.holds_success_back());
        assert_eq!(sender.next_timeout(), None);
    }

    #[test]
    fn it_repeats_with_doubled_gaps_and_gives_up() {
        let mut sender = ReliableSender::new(Timers::default(), 1);
        sender.send("180", false, MS(0)).unwrap();
        let mut sent = Vec::new();
        while let Some(at) = sender.next_timeout() {
            match sender.handle_timeout(at) {
                ReliableDue::Send(1, "180") => sent.push(at.as_millis()),
                ReliableDue::GiveUp => assert_eq!(at, MS(32_000)),
                other => panic!("unexpected {other:?}"),
            }
        }
        assert_eq!(sent, [500, 1_500, 3_500, 7_500, 15_500, 31_500]);
    }

    #[test]
    fn a_prack_after_the_final_response_is_accepted_once() {
        let mut sender = ReliableSender::new(Timers::default(), 10);
        sender.send("180", false, MS(0)).unwrap();
        sender.stop();
        assert_eq!(sender.next_timeout(), None);
        assert_eq!(sender.acknowledge(10, MS(2)), Some(None));
        assert_eq!(sender.acknowledge(10, MS(2)), None);
    }

    #[test]
    fn a_gap_is_not_acknowledged() {
        let mut receiver = ReliableReceiver::default();
        assert_eq!(receiver.receive(5), ReliableOrder::Next);
        assert_eq!(receiver.receive(5), ReliableOrder::Repeated);
        assert_eq!(receiver.receive(7), ReliableOrder::Early);
        assert_eq!(receiver.receive(6), ReliableOrder::Next);
        assert_eq!(receiver.receive(7), ReliableOrder::Next);
    }
}
