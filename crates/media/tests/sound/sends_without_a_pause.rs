//! Invariant 5: from the first moment to the last a packet leaves every 20 ms.

use core::time::Duration;

use crate::network::{Call, End, Weather};
use crate::signal::{Dice, speech, tone};
use hearthline_media::{Codec, Event, Output, RtpLimits, RtpPacket, Session, SessionConfig};
use proptest::prelude::*;

const CODECS: [Codec; 3] = [Codec::Pcmu, Codec::Pcma, Codec::G722];

/// Sequence and timestamp run without a gap; returns the number of audio packets.
fn check_stream(packets: &[(Duration, Vec<u8>)], codec: Codec) -> usize {
    let limits = RtpLimits::default();
    let mut last: Option<(u16, u32)> = None;
    for (index, (_, bytes)) in packets.iter().enumerate() {
        let packet = RtpPacket::parse(bytes, &limits).unwrap();
        assert_eq!(packet.payload_type, codec.static_payload_type());
        assert_eq!(packet.payload.len(), 160);
        assert_eq!(packet.marker, index == 0);
        if let Some((sequence, timestamp)) = last {
            assert_eq!(packet.sequence, sequence.wrapping_add(1));
            assert_eq!(packet.timestamp, timestamp.wrapping_add(160));
        }
        last = Some((packet.sequence, packet.timestamp));
    }
    packets.len()
}

fn call(codec: Codec, microphone: Vec<i16>) -> Call {
    let near = End::new(SessionConfig::new(codec, 1), microphone);
    let far = End::new(SessionConfig::new(codec, 2), tone(440.0, 3000.0, 160_000));
    Call::new(near, far, Weather::default(), 3)
}

#[test]
fn room_tone_at_minus_60_dbfs_is_sent_like_speech() {
    for codec in CODECS {
        let mut dice = Dice(5);
        let room: Vec<i16> = (0..80_000)
            .map(|_| ((dice.unit() - 0.5) * 113.0) as i16)
            .collect();
        let mut call = call(codec, room);
        call.run(Duration::from_secs(4));
        let count = check_stream(&call.near.sent, codec);
        assert!((198..=201).contains(&count), "{count} packets in 4 s");
        assert_eq!(call.near.session.statistics().microphone_silence_ms, 0);
        // And it is heard at the other end, not gated there either.
        let heard = crate::signal::rms(&call.far.heard[32_000..]);
        assert!(heard > 8.0, "{codec:?}: {heard}");
    }
}

#[test]
fn digital_silence_is_sent_too() {
    let mut call = call(Codec::Pcmu, vec![0; 80_000]);
    call.run(Duration::from_secs(4));
    assert!(check_stream(&call.near.sent, Codec::Pcmu) >= 198);
    assert!(!call.near.has(&Event::MicrophoneStalled));
}

#[test]
fn a_stalled_microphone_is_replaced_said_and_welcomed_back() {
    let mut call = call(Codec::G722, speech(160_000));
    call.run(Duration::from_secs(2));
    call.near.microphone_works = false;
    call.run(Duration::from_secs(2));
    call.near.microphone_works = true;
    call.run(Duration::from_secs(2));
    let count = check_stream(&call.near.sent, Codec::G722);
    assert!((297..=301).contains(&count), "{count} packets in 6 s");
    // No hole longer than the time it takes to notice.
    let times: Vec<Duration> = call.near.sent.iter().map(|(at, _)| *at).collect();
    let hole = times
        .windows(2)
        .map(|pair| pair[1] - pair[0])
        .max()
        .unwrap();
    assert!(hole <= Duration::from_millis(100), "{hole:?}");
    let events: Vec<&Event> = call
        .near
        .events
        .iter()
        .map(|(_, event)| event)
        .filter(|event| matches!(event, Event::MicrophoneStalled | Event::MicrophoneResumed))
        .collect();
    assert_eq!(
        events,
        [&Event::MicrophoneStalled, &Event::MicrophoneResumed]
    );
    let silence = call.near.session.statistics().microphone_silence_ms;
    assert!((1900..=2060).contains(&silence), "{silence} ms");
}

#[test]
fn a_microphone_that_never_starts_does_not_keep_the_stream_from_starting() {
    let mut call = call(Codec::Pcma, Vec::new());
    call.run(Duration::from_millis(100));
    assert!(!call.near.sent.is_empty());
    assert!(call.far.has(&Event::FirstPacketReceived));
    call.run(Duration::from_millis(1900));
    assert!(check_stream(&call.near.sent, Codec::Pcma) >= 98);
}

#[test]
fn a_fast_microphone_clock_loses_nothing_in_a_minute() {
    // One per cent fast, far beyond any crystal.
    let mut session = Session::new(SessionConfig::new(Codec::Pcmu, 1)).unwrap();
    let (mut packets, mut fed) = (0, 0u64);
    for ms in (0..60_000u64).step_by(10) {
        let now = Duration::from_millis(ms);
        let due = ms * 16 * 101 / 100;
        session.handle_microphone(&vec![100; (due - fed) as usize], now);
        fed = due;
        loop {
            match session.poll_output(now) {
                Output::Rtp(_) => packets += 1,
                Output::Timeout(_) => break,
                _ => {}
            }
        }
    }
    assert_eq!(session.statistics().microphone_dropped_ms, 0);
    assert!(packets >= 3010, "{packets}");
}

#[test]
fn sleep_of_the_machine_is_said_and_costs_no_flood() {
    let mut session = Session::new(SessionConfig::new(Codec::Pcmu, 1)).unwrap();
    session.handle_timeout(Duration::ZERO);
    while !matches!(session.poll_output(Duration::ZERO), Output::Timeout(_)) {}
    let later = Duration::from_secs(36_000);
    session.handle_timeout(later);
    let mut outputs = 0;
    let mut jumped = false;
    loop {
        match session.poll_output(later) {
            Output::Timeout(_) => break,
            Output::Event(Event::ClockJumped(by)) => jumped = by > Duration::from_secs(35_990),
            _ => outputs += 1,
        }
    }
    assert!(jumped);
    assert!(outputs < 10, "{outputs}");
}

#[test]
fn after_close_there_is_one_goodbye_and_nothing_more() {
    let mut call = call(Codec::Pcmu, speech(32_000));
    call.run(Duration::from_secs(1));
    let sent = call.near.sent.len();
    call.near.session.close(call.now);
    call.run(Duration::from_secs(1));
    assert!(call.near.sent.len() <= sent + 1);
    assert!(call.far.has(&Event::PeerLeft));
    assert_eq!(
        call.near.session.poll_output(call.now),
        Output::Timeout(None)
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    /// Whatever pieces the microphone delivers at whatever times, three seconds hold 150 packets.
    #[test]
    fn any_microphone_gives_a_steady_stream(
        pieces in proptest::collection::vec((0u64..300, 0usize..5000), 0..60),
    ) {
        let mut session = Session::new(SessionConfig::new(Codec::Pcmu, 9)).unwrap();
        let mut sent: Vec<(Duration, Vec<u8>)> = Vec::new();
        let mut deliveries: Vec<(u64, usize)> = Vec::new();
        let mut at = 0;
        for (gap, samples) in pieces {
            at += gap;
            deliveries.push((at, samples));
        }
        let end = 3000u64;
        for ms in 0..end {
            let now = Duration::from_millis(ms);
            for (_, samples) in deliveries.iter().filter(|(when, _)| *when == ms) {
                session.handle_microphone(&vec![7; *samples], now);
            }
            loop {
                match session.poll_output(now) {
                    Output::Rtp(packet) => sent.push((now, packet)),
                    Output::Timeout(next) => {
                        prop_assert!(next.unwrap() > now);
                        break;
                    }
                    _ => {}
                }
            }
        }
        let count = check_stream(&sent, Codec::Pcmu);
        prop_assert!(count >= 146, "{} packets", count);
        let hole = sent.windows(2).map(|pair| pair[1].0 - pair[0].0).max().unwrap();
        prop_assert!(hole <= Duration::from_millis(100), "{:?}", hole);
    }
}
