//! Whatever a server sends, whenever it comes or goes: each order is answered once, and in time.
use std::collections::BTreeMap;
use std::time::Duration;

use hearthline_music::mpd::client::{Client, Output};
use hearthline_music::order::{Duck, Order, Repeat, Told};
use proptest::prelude::*;

#[derive(Debug, Clone)]
enum Happens {
    Connected,
    Closed,
    Bytes(Vec<u8>),
    Order(Order),
    Time(u64),
}

fn happens() -> impl Strategy<Value = Happens> {
    let line = prop_oneof![
        Just("OK MPD 0.23.5\n".to_owned()),
        Just("OK\n".to_owned()),
        Just("list_OK\n".to_owned()),
        Just("changed: player\n".to_owned()),
        Just("changed: database\n".to_owned()),
        Just("state: play\nvolume: 60\nsong: 1\nelapsed: 3.5\nerror: it is torn\n".to_owned()),
        Just("state: pause\nvolume: -1\n".to_owned()),
        Just("file: a.mp3\nTitle: Lamplight\nTrack: 9/9999999999\nduration: 1e300\n".to_owned()),
        Just("ACK [50@0] {add} No such directory\n".to_owned()),
        Just("ACK [5@0] {} unknown command\n".to_owned()),
        "[a-zA-Z]{1,8}: [ -~]{0,20}\n",
        "[ -~]{0,20}\n",
    ];
    let order = prop_oneof![
        Just(Order::Pause),
        Just(Order::Resume),
        Just(Order::Next),
        Just(Order::Stop { fade_ms: 0 }),
        (0..=100u8).prop_map(|percent| Order::Volume { percent }),
        Just(Order::Repeat { mode: Repeat::All }),
        Just(Order::Duck { how: Duck::Full }),
        Just(Order::Duck { how: Duck::Soft }),
        Just(Order::Duck { how: Duck::Silent }),
    ];
    prop_oneof![
        1 => Just(Happens::Connected),
        1 => Just(Happens::Closed),
        6 => line.prop_map(|line| Happens::Bytes(line.into_bytes())),
        1 => proptest::collection::vec(any::<u8>(), 0..20).prop_map(Happens::Bytes),
        4 => order.prop_map(Happens::Order),
        2 => (0..2_000u64).prop_map(Happens::Time),
    ]
}

/// Takes what is wanted; when the next timeout is.
fn drained(client: &mut Client, answers: &mut BTreeMap<u64, usize>) -> Option<Duration> {
    for _ in 0..10_000 {
        match client.poll_output() {
            Output::Timeout(at) => return at,
            Output::Told(Told::Done { token } | Told::Failed { token, .. }) => {
                *answers.entry(token).or_default() += 1;
            }
            _ => {}
        }
    }
    panic!("it never ends");
}

proptest! {
    #[test]
    fn each_order_is_answered_once(all in proptest::collection::vec(happens(), 1..60)) {
        let mut client = Client::new(Some("sesame".into()));
        let (mut now, mut answers, mut asked) = (Duration::ZERO, BTreeMap::new(), Vec::new());
        client.handle_timeout(now);
        for (token, happens) in all.into_iter().enumerate() {
            match happens {
                Happens::Connected => client.handle_connected(now),
                Happens::Closed => client.handle_closed("it hung up", now),
                Happens::Bytes(bytes) => client.handle_bytes(&bytes, now),
                Happens::Order(order) => {
                    if !matches!(order, Order::Duck { .. }) {
                        asked.push(token as u64);
                    }
                    client.handle_order(token as u64, &order, now);
                }
                Happens::Time(ms) => {
                    now += Duration::from_millis(ms);
                    client.handle_timeout(now);
                }
            }
            drained(&mut client, &mut answers);
        }
        // A server that says nothing more: the skill waits no longer than two seconds for its own answers, and here all
        // of them come by themselves soon after.
        for _ in 0..40 {
            let due = drained(&mut client, &mut answers);
            now = now.max(due.unwrap_or(now)) + Duration::from_millis(1);
            client.handle_timeout(now);
        }
        drained(&mut client, &mut answers);
        for token in asked {
            prop_assert_eq!(answers.get(&token), Some(&1), "order {}", token);
        }
    }
}
