//! Any sequence of inputs and commands: no panic, every call has one end, every timer runs out.

use std::collections::BTreeMap;
use std::time::Duration;

use hearthline_sip::StatusCode;
use hearthline_sip::endpoint::{
    CallHandle, Event, Input, ReferHandle, Refusal, Reliable, SessionTimerConfig, TransferRequest,
    Transport,
};
use proptest::prelude::*;

use crate::network::{Faults, Network, address, invite, sdp, target, uri};

#[derive(Debug, Clone)]
enum Act {
    Call {
        transport: u8,
        reliable: u8,
        timer: bool,
    },
    Ring {
        reliable: bool,
    },
    Accept,
    Reject(u16),
    Cancel,
    Bye(bool),
    Reinvite(bool),
    Update(bool),
    Answer(bool),
    Refuse(bool),
    /// One side transfers its call, with or without reports.
    Transfer(bool, bool),
    /// The last REFER of a side: accepted, refused, or reported on.
    Referred(bool, Option<u16>),
    Wait(u32),
    /// A message that was on the wire, again, perhaps with a byte changed.
    Replay {
        pick: usize,
        flip: Option<(usize, u8)>,
    },
    Garbage(Vec<u8>),
    Stream(Vec<u8>),
    Break(u8),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => (0..3_u8, 0..3_u8, any::<bool>())
            .prop_map(|(transport, reliable, timer)| Act::Call { transport, reliable, timer }),
        3 => any::<bool>().prop_map(|reliable| Act::Ring { reliable }),
        4 => Just(Act::Accept),
        1 => (300..700_u16).prop_map(Act::Reject),
        2 => Just(Act::Cancel),
        2 => any::<bool>().prop_map(Act::Bye),
        2 => any::<bool>().prop_map(Act::Reinvite),
        2 => any::<bool>().prop_map(Act::Update),
        2 => any::<bool>().prop_map(Act::Answer),
        1 => any::<bool>().prop_map(Act::Refuse),
        2 => (any::<bool>(), any::<bool>()).prop_map(|(side, reports)| Act::Transfer(side, reports)),
        3 => (any::<bool>(), proptest::option::of(100..700_u16))
            .prop_map(|(side, status)| Act::Referred(side, status)),
        6 => (0..3_000_u32).prop_map(Act::Wait),
        1 => (20_000..90_000_u32).prop_map(Act::Wait),
        4 => (any::<usize>(), proptest::option::of((any::<usize>(), any::<u8>())))
            .prop_map(|(pick, flip)| Act::Replay { pick, flip }),
        1 => proptest::collection::vec(any::<u8>(), 0..300).prop_map(Act::Garbage),
        1 => proptest::collection::vec(any::<u8>(), 0..300).prop_map(Act::Stream),
        1 => (0..3_u8).prop_map(Act::Break),
    ]
}

/// Begun calls and their ends.
#[derive(Default)]
struct Books {
    open: [BTreeMap<CallHandle, bool>; 2],
    refers: [Option<ReferHandle>; 2],
    ended: usize,
}

impl Books {
    fn read(&mut self, network: &mut Network) {
        for end in 0..2 {
            while let Some(event) = network.events[end].pop_front() {
                match event {
                    Event::Incoming { call, .. } => {
                        assert!(self.open[end].insert(call, true).is_none());
                    }
                    Event::Referred { refer, .. } => self.refers[end] = Some(refer),
                    Event::Failed { call, .. } | Event::Ended { call, .. } => {
                        assert!(self.open[end].remove(&call).is_some(), "ended twice");
                        self.ended += 1;
                    }
                    _ => {}
                }
            }
        }
    }

    fn last(&self, end: usize) -> Option<CallHandle> {
        self.open[end].keys().next_back().copied()
    }
}

const WAYS: [Transport; 3] = [Transport::Udp, Transport::Tcp, Transport::Tls];

fn perform(network: &mut Network, books: &mut Books, act: Act) {
    match act {
        Act::Call {
            transport,
            reliable,
            timer,
        } => {
            let mut request = invite(target(1, WAYS[usize::from(transport)]));
            request.reliable =
                [Reliable::Off, Reliable::Supported, Reliable::Required][usize::from(reliable)];
            request.ringing_max = Some(Duration::from_secs(120));
            request.session_timer = timer.then(SessionTimerConfig::default);
            let call = network.with(0, |end, now| end.invite(request, now));
            if let Ok(call) = call {
                books.open[0].insert(call, false);
            }
        }
        Act::Ring { reliable } => {
            if let Some(call) = books.last(1) {
                network.with(1, |end, now| {
                    let _ = end.ring(call, StatusCode::RINGING, Some(sdp()), reliable, now);
                });
            }
        }
        Act::Accept => {
            if let Some(call) = books.last(1) {
                network.with(1, |end, now| {
                    let _ = end.accept(call, Some(sdp()), now);
                });
            }
        }
        Act::Reject(status) => {
            if let Some(call) = books.last(1) {
                let refusal = Refusal::new(StatusCode::new(status).unwrap());
                network.with(1, |end, now| {
                    let _ = end.reject(call, refusal, now);
                });
            }
        }
        Act::Cancel => {
            if let Some(call) = books.last(0) {
                network.with(0, |end, now| {
                    let _ = end.cancel(call, None, now);
                });
            }
        }
        Act::Bye(side) => on(network, books, side, |end, call, now| {
            let _ = end.bye(call, None, now);
        }),
        Act::Reinvite(side) => on(network, books, side, |end, call, now| {
            let _ = end.reinvite(call, sdp(), now);
        }),
        Act::Update(side) => on(network, books, side, |end, call, now| {
            let _ = end.update(call, Some(sdp()), now);
        }),
        Act::Answer(side) => on(network, books, side, |end, call, now| {
            let _ = end.answer_reinvite(call, Some(sdp()), now);
        }),
        Act::Refuse(side) => on(network, books, side, |end, call, now| {
            let refusal = Refusal::new(StatusCode::NOT_ACCEPTABLE_HERE);
            let _ = end.reject_reinvite(call, refusal, now);
        }),
        Act::Transfer(side, reports) => on(network, books, side, |end, call, now| {
            let mut wanted = TransferRequest::new(uri("sip:third@example.com"));
            wanted.reports = reports;
            let _ = end.refer(call, wanted, now);
        }),
        Act::Referred(side, status) => {
            let end = usize::from(side);
            if let Some(refer) = books.refers[end] {
                network.with(end, |end, now| match status.and_then(StatusCode::new) {
                    None => drop(end.accept_refer(refer, now)),
                    Some(status) => {
                        let _ = end.report(refer, status, now);
                        if status.code() >= 300 {
                            let _ = end.reject_refer(refer, Refusal::new(status), now);
                        }
                    }
                });
            }
        }
        Act::Wait(ms) => network.run(Duration::from_millis(ms.into())),
        Act::Replay { pick, flip } => {
            if network.wire.is_empty() {
                return;
            }
            let seen = &network.wire[pick % network.wire.len()];
            let (from, to) = (seen.from, seen.to);
            let mut bytes = seen.message.to_bytes();
            if let Some((at, value)) = flip {
                let at = at % bytes.len();
                bytes[at] = value;
            }
            network.inject(from, to, bytes);
        }
        Act::Garbage(bytes) => {
            let from = address(7, Transport::Udp);
            network.played.insert(from);
            network.inject(from, address(1, Transport::Udp), bytes);
        }
        Act::Stream(bytes) => {
            let now = network.now;
            let input = Input::Received {
                transport: Transport::Tcp,
                local: address(1, Transport::Tcp),
                remote: address(7, Transport::Tcp),
                bytes: &bytes,
            };
            network.ends[1].handle_input(input, now);
        }
        Act::Break(way) => {
            let target = target(1, WAYS[usize::from(way)]);
            let now = network.now;
            network.ends[0].handle_input(Input::TransportFailed { target: &target }, now);
        }
    }
}

fn on(
    network: &mut Network,
    books: &Books,
    side: bool,
    act: impl FnOnce(&mut hearthline_sip::endpoint::Endpoint, CallHandle, Duration),
) {
    let end = usize::from(side);
    if let Some(call) = books.last(end) {
        network.with(end, |endpoint, now| act(endpoint, call, now));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::default())]

    #[test]
    fn no_panic_one_end_each_and_no_timer_left(
        seed in any::<u8>(),
        lost in 0..400_u64,
        acts in proptest::collection::vec(act(), 1..40),
    ) {
        let mut network = Network::new(seed);
        for _ in 0..2 {
            network.add(|config| config.transfers = true);
        }
        network.faults = Faults { lost, doubled: 100, jitter_ms: 200 };
        let mut books = Books::default();
        for act in acts {
            perform(&mut network, &mut books, act);
            network.run(Duration::from_millis(5));
            books.read(&mut network);
        }
        // Whoever still talks hangs up; then silence must follow.
        for _ in 0..3 {
            for end in 0..2 {
                for call in books.open[end].keys().copied().collect::<Vec<_>>() {
                    network.with(end, |endpoint, now| {
                        let _ = endpoint.bye(call, None, now);
                    });
                }
            }
            network.run(Duration::from_secs(300));
            books.read(&mut network);
        }
        network.until_quiet();
        books.read(&mut network);
        prop_assert!(books.open.iter().all(BTreeMap::is_empty), "{:?}", network.ladder());
    }
}
