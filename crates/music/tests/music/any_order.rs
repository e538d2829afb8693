//! The own player under any orders and events: each wish to play is answered once, and what was stopped is silent.
use std::collections::BTreeMap;

use hearthline_music::order::{Doing, Duck, Order, Piece, Repeat, Told};
use hearthline_music::own::{Event, Output, Own};
use hearthline_music::track::System;
use proptest::prelude::*;

#[derive(Debug, Clone)]
enum Happens {
    Order(Order),
    /// To the start that counts, or to one before it.
    Opened(u64),
    Ended(u64),
    Broken(u64),
    Faded,
}

fn pieces(count: usize, radio: bool) -> Vec<Piece> {
    (0..count)
        .map(|at| Piece {
            system: if radio { System::Radio } else { System::Files },
            key: format!("{at}"),
            title: format!("Piece {at}"),
            artist: String::new(),
            album: String::new(),
            seconds: 60,
        })
        .collect()
}

fn happens() -> impl Strategy<Value = Happens> {
    let order = prop_oneof![
        3 => (0..6usize, 0..8usize, any::<bool>(), any::<bool>()).prop_map(|(count, at, shuffle, radio)| Order::Play {
            pieces: pieces(count, radio),
            at,
            position_ms: 0,
            shuffle,
        }),
        1 => Just(Order::Pause),
        1 => Just(Order::Resume),
        1 => Just(Order::Next),
        1 => Just(Order::Previous),
        1 => Just(Order::Stop { fade_ms: 500 }),
        1 => Just(Order::Stop { fade_ms: 0 }),
        1 => any::<bool>().prop_map(|on| Order::Shuffle { on }),
        1 => Just(Order::Repeat { mode: Repeat::All }),
        1 => Just(Order::Repeat { mode: Repeat::One }),
        1 => Just(Order::Duck { how: Duck::Silent }),
        1 => Just(Order::Duck { how: Duck::Full }),
    ];
    prop_oneof![
        4 => order.prop_map(Happens::Order),
        2 => (0..2u64).prop_map(Happens::Opened),
        2 => (0..2u64).prop_map(Happens::Ended),
        2 => (0..2u64).prop_map(Happens::Broken),
        1 => Just(Happens::Faded),
    ]
}

proptest! {
    #[test]
    fn each_wish_to_play_is_answered_once(all in proptest::collection::vec(happens(), 1..50), seed: u64) {
        let mut own = Own::new(seed);
        let (mut answers, mut asked, mut last, mut sounds) = (BTreeMap::<u64, usize>::new(), Vec::new(), 0, false);
        let stop = Happens::Order(Order::Stop { fade_ms: 0 });
        for (token, happens) in all.into_iter().chain([stop]).enumerate() {
            let token = token as u64;
            let before = |back: u64| last - back.min(last);
            match happens {
                Happens::Order(order) => {
                    if matches!(order, Order::Play { .. }) {
                        asked.push(token);
                    }
                    own.handle_order(token, &order, 1_000);
                }
                Happens::Opened(back) => own.handle_event(Event::Opened { id: before(back), station: None }, 0),
                Happens::Ended(back) => own.handle_event(Event::Ended { id: before(back) }, 0),
                Happens::Broken(back) => {
                    own.handle_event(Event::Broken { id: before(back), why: "it is torn".into() }, 0);
                }
                Happens::Faded => own.handle_event(Event::Faded, 0),
            }
            for _ in 0..100 {
                match own.poll_output() {
                    None => break,
                    Some(Output::Start { id, .. }) => {
                        prop_assert!(id > last, "a start is new");
                        (last, sounds) = (id, true);
                    }
                    Some(Output::Drop) => sounds = false,
                    Some(Output::Told(Told::Done { token } | Told::Failed { token, .. })) => {
                        *answers.entry(token).or_default() += 1;
                    }
                    Some(Output::Told(Told::State { state, .. })) => {
                        if state.doing == Doing::Stopped {
                            prop_assert!(!sounds, "stopped, and it sounds");
                        }
                    }
                    Some(_) => {}
                }
            }
            prop_assert!(own.poll_output().is_none(), "it never ends");
        }
        for token in asked {
            prop_assert_eq!(answers.get(&token), Some(&1), "order {}", token);
        }
        prop_assert!(!sounds);
    }
}
