use std::collections::BTreeSet;

use hearthline_sip::StatusCode;
use hearthline_sip::endpoint::{Body, CallHandle, Event, Refusal, Transport};
use proptest::prelude::*;

use crate::network::{Network, SDP, address};

/// What a device does some time after the INVITE reached it.
#[derive(Debug, Clone, Copy)]
enum Deed {
    Ring,
    Accept,
    Reject(u16),
    Nothing,
}

fn deeds() -> impl Strategy<Value = (u64, Deed)> {
    let refusals =
        prop::sample::select(vec![302, 404, 408, 430, 480, 486, 487, 500, 503, 600, 603]);
    let deed = prop_oneof![
        Just(Deed::Ring),
        Just(Deed::Accept),
        refusals.prop_map(Deed::Reject),
        Just(Deed::Nothing),
    ];
    (0..6_000_u64, deed)
}

fn incoming(network: &mut Network, end: usize) -> Option<CallHandle> {
    network.drain();
    let events = &mut network.events[end];
    let at = events
        .iter()
        .position(|event| matches!(event, Event::Incoming { .. }))?;
    match events.remove(at) {
        Some(Event::Incoming { call, .. }) => Some(call),
        _ => None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn one_final_answer_and_nothing_left(
        seed in any::<u8>(),
        lost in 0..120_u64,
        split in 1..4_usize,
        script in prop::collection::vec(deeds(), 3),
        cancel_at in prop::option::of(0..8_000_u64),
    ) {
        let ends = [1, 2, 3];
        let (first, second) = ends.split_at(split);
        let groups: Vec<&[usize]> = [first, second].into_iter().filter(|g| !g.is_empty()).collect();
        let mut network = Network::home(seed, 4, &groups);
        network.lost = lost;
        network.jitter_ms = 30;
        let ours = network.call();
        let mut calls = [None; 3];
        for tick in 0..1_200_u64 {
            network.run(50);
            if cancel_at.is_some_and(|at| at / 50 == tick) {
                network.with_end(0, |e, now| drop(e.cancel(ours, None, now)));
            }
            for (index, (after, deed)) in script.iter().enumerate() {
                let end = index + 1;
                if calls[index].is_none() {
                    calls[index] = incoming(&mut network, end).map(|call| (call, tick));
                }
                let Some((call, since)) = calls[index] else {
                    continue;
                };
                if tick != since + after / 50 {
                    continue;
                }
                network.with_end(end, |e, now| match deed {
                    Deed::Ring => drop(e.ring(call, StatusCode::RINGING, None, false, now)),
                    Deed::Accept => drop(e.accept(call, Some(Body::sdp(SDP)), now)),
                    Deed::Reject(code) => {
                        let refusal = Refusal::new(StatusCode::new(*code).unwrap());
                        drop(e.reject(call, refusal, now));
                    }
                    Deed::Nothing => {}
                });
            }
        }
        let failed = |event: &&Event| matches!(event, Event::Failed { .. });
        let answered = |event: &&Event| matches!(event, Event::Answered { .. });
        // Two groups of 20 s, and the timers after them.
        network.run(400_000);
        network.drain();
        let told = network.events[0].iter().filter(failed).count()
            + network.events[0].iter().filter(answered).count();
        // An answer that crossed our CANCEL is acknowledged and ended without a word of it.
        let crossed = |event: &Event| matches!(event, Event::Ended { .. });
        let crossed = cancel_at.is_some() && network.events[0].iter().any(crossed);
        prop_assert_eq!(told.max(usize::from(crossed)), 1, "{:?} {}", network.events[0], network.ladder());
        // To one INVITE: one refusal, or answers, never both.
        let caller = address(0, Transport::Udp);
        let mut refusals = BTreeSet::new();
        let mut successes = 0;
        for seen in network.wire.iter().filter(|seen| seen.to == caller) {
            if let Some(response) = seen.message.as_response()
                && response.status.is_final()
                && response.headers.cseq().unwrap().method == hearthline_sip::Method::Invite
            {
                if response.status.is_success() {
                    successes += 1;
                } else {
                    refusals.insert(seen.bytes.clone());
                }
            }
        }
        prop_assert!(refusals.len() <= 1, "{}", network.ladder());
        prop_assert!(refusals.is_empty() || successes == 0, "{}", network.ladder());
        prop_assert_eq!(network.proxy.transaction_counts(), (0, 0));
    }
}
