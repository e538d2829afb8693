//! RFC 4733: what is pressed is heard once, whatever the network does to its packets.

use core::time::Duration;

use crate::network::{Call, End, Weather};
use crate::signal::tone;
use hearthline_media::{
    Codec, DigitError, DigitReceiver, Event, RtpLimits, RtpPacket, Session, SessionConfig,
    TelephoneEvent,
};
use proptest::prelude::*;

fn call(weather: Weather, seed: u64) -> Call {
    let near = End::new(
        SessionConfig::new(Codec::Pcmu, seed),
        tone(300.0, 5000.0, 100_000),
    );
    let far = End::new(
        SessionConfig::new(Codec::Pcmu, seed + 1000),
        tone(300.0, 5000.0, 100_000),
    );
    Call::new(near, far, weather, seed)
}

fn digits(end: &End) -> String {
    end.events
        .iter()
        .filter_map(|(_, event)| match event {
            Event::Digit { digit, .. } => Some(*digit),
            _ => None,
        })
        .collect()
}

#[test]
fn all_sixteen_arrive_in_order_with_their_length() {
    let mut call = call(Weather::default(), 1);
    for digit in "0123456789*#ABCd".chars() {
        call.near.session.send_digit(digit, Duration::ZERO).unwrap();
    }
    call.run(Duration::from_secs(6));
    assert_eq!(digits(&call.far), "0123456789*#ABCD");
    for (_, event) in &call.far.events {
        if let Event::Digit { duration, .. } = event {
            assert_eq!(*duration, Duration::from_millis(100));
        }
    }
}

#[test]
fn the_packets_are_those_of_rfc_4733() {
    let mut call = call(Weather::default(), 2);
    call.run(Duration::from_millis(200));
    call.near.session.send_digit('5', call.now).unwrap();
    call.run(Duration::from_millis(500));
    let limits = RtpLimits::default();
    let events: Vec<(bool, u32, TelephoneEvent)> = call
        .near
        .sent
        .iter()
        .map(|(_, bytes)| RtpPacket::parse(bytes, &limits).unwrap())
        .filter(|packet| packet.payload_type == 101)
        .map(|packet| {
            (
                packet.marker,
                packet.timestamp,
                TelephoneEvent::parse(packet.payload).unwrap(),
            )
        })
        .collect();
    assert_eq!(events.len(), 7); // 20, 40, 60, 80 ms, then three times the end at 100
    assert!(
        events
            .iter()
            .all(|(_, timestamp, event)| *timestamp == events[0].1 && event.event == 5)
    );
    let marks: Vec<bool> = events.iter().map(|(marker, ..)| *marker).collect();
    assert_eq!(marks, [true, false, false, false, false, false, false]);
    let durations: Vec<u16> = events.iter().map(|(.., event)| event.duration).collect();
    assert_eq!(durations, [160, 320, 480, 640, 800, 800, 800]);
    let ends: Vec<bool> = events.iter().map(|(.., event)| event.end).collect();
    assert_eq!(ends, [false, false, false, false, true, true, true]);
    // The audio did not stop for it.
    let audio = call.near.sent.len() - 7;
    assert!((34..=36).contains(&audio), "{audio}");
}

#[test]
fn a_bad_network_neither_doubles_nor_loses_a_digit() {
    for seed in 0..20 {
        let weather = Weather {
            loss: 0.15,
            duplicate: 0.2,
            delay_ms: 10,
            jitter_ms: 15,
        };
        let mut call = call(weather, seed);
        for digit in "9115550".chars() {
            call.near.session.send_digit(digit, Duration::ZERO).unwrap();
        }
        call.run(Duration::from_secs(4));
        assert_eq!(digits(&call.far), "9115550", "seed {seed}");
    }
}

#[test]
fn a_digit_whose_end_is_lost_is_reported_when_its_packets_stop() {
    let mut receiver = DigitReceiver::default();
    let event = TelephoneEvent {
        event: 1,
        end: false,
        volume: 10,
        duration: 320,
    };
    assert_eq!(
        receiver.receive(1000, event, Duration::from_millis(40)),
        None
    );
    assert_eq!(receiver.handle_timeout(Duration::from_millis(100)), None);
    let digit = receiver.handle_timeout(Duration::from_millis(200)).unwrap();
    assert_eq!(
        (digit.digit, digit.duration),
        ('1', Duration::from_millis(40))
    );
    // Its end packets come after all: nothing new.
    let end = TelephoneEvent { end: true, ..event };
    assert_eq!(
        receiver.receive(1000, end, Duration::from_millis(210)),
        None
    );
    assert_eq!(receiver.handle_timeout(Duration::from_millis(900)), None);
}

#[test]
fn what_cannot_be_sent_is_refused() {
    let mut session = Session::new(SessionConfig::new(Codec::Pcmu, 1)).unwrap();
    assert_eq!(
        session.send_digit('x', Duration::ZERO),
        Err(DigitError::Unknown('x'))
    );
    for _ in 0..32 {
        session.send_digit('1', Duration::ZERO).unwrap();
    }
    assert!((32..=33).any(|_| session.send_digit('1', Duration::ZERO).is_err()));
    let mut without = SessionConfig::new(Codec::Pcmu, 1);
    without.telephone_event_payload_type = None;
    let mut session = Session::new(without).unwrap();
    assert_eq!(
        session.send_digit('1', Duration::ZERO),
        Err(DigitError::NotNegotiated)
    );
}

proptest! {
    #[test]
    fn one_timestamp_is_never_reported_twice(
        packets in proptest::collection::vec((0u32..6, 0u8..20, any::<bool>(), any::<u16>(), 0u64..100), 0..200),
    ) {
        let mut receiver = DigitReceiver::default();
        let mut now = Duration::ZERO;
        let mut reported = 0;
        for (slot, event, end, duration, pause) in packets {
            now += Duration::from_millis(pause);
            let event = TelephoneEvent { event, end, volume: 0, duration };
            reported += usize::from(receiver.receive(slot * 2000, event, now).is_some());
            reported += usize::from(receiver.handle_timeout(now).is_some());
        }
        prop_assert!(reported <= 6);
    }
}
