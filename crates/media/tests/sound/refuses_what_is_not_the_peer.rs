//! Strangers, replays, loops, garbage: counted and refused; the call goes on.

use core::time::Duration;

use crate::network::{Call, End, MS, Weather};
use crate::signal::{rms, speech};
use hearthline_media::{
    Codec, Event, Output, RtpLimits, RtpPacket, Session, SessionConfig, SessionConfigError,
};
use proptest::prelude::*;

fn call() -> Call {
    let near = End::new(SessionConfig::new(Codec::Pcmu, 1), speech(320_000));
    let far = End::new(SessionConfig::new(Codec::Pcmu, 2), speech(320_000));
    Call::new(near, far, Weather::default(), 1)
}

fn packet(ssrc: u32, sequence: u16, payload_type: u8) -> Vec<u8> {
    RtpPacket {
        marker: false,
        payload_type,
        sequence,
        timestamp: u32::from(sequence) * 160,
        ssrc,
        csrc: Vec::new(),
        extension: None,
        payload: &[0xff; 160],
        padding: 0,
    }
    .write()
    .unwrap()
}

#[test]
fn a_stranger_who_talks_at_the_same_time_is_not_heard() {
    let mut call = call();
    call.run(Duration::from_secs(1));
    for sequence in 0..100 {
        call.far
            .session
            .handle_rtp(&packet(0xbad, sequence, 0), call.now);
        call.run(Duration::from_millis(20));
    }
    let statistics = call.far.session.statistics();
    assert_eq!(statistics.refusals.foreign_source, 100);
    assert_eq!(statistics.concealed_ms, 0, "{statistics:?}");
    assert!(
        !call
            .far
            .events
            .iter()
            .any(|(_, event)| matches!(event, Event::SourceChanged { .. }))
    );
}

#[test]
fn a_call_taker_transferred_to_another_desk_is_heard_at_once() {
    let mut call = call();
    call.run(Duration::from_secs(1));
    call.weather[0].loss = 1.0;
    let from = call.near.session.ssrc();
    let mut switched = None;
    for sequence in 0..50 {
        call.far
            .session
            .handle_rtp(&packet(0xface, sequence, 0), call.now);
        call.run(Duration::from_millis(20));
        let change = Event::SourceChanged { from, to: 0xface };
        if switched.is_none() && call.far.has(&change) {
            switched = Some(sequence);
        }
    }
    assert_eq!(switched, Some(2));
}

#[test]
fn replayed_packets_play_nothing_twice() {
    let mut call = call();
    call.run(Duration::from_secs(2));
    let recorded: Vec<Vec<u8>> = call
        .near
        .sent
        .iter()
        .rev()
        .take(50)
        .map(|(_, bytes)| bytes.clone())
        .collect();
    let before = call.far.session.statistics();
    for bytes in &recorded {
        call.far.session.handle_rtp(bytes, call.now);
    }
    let after = call.far.session.statistics();
    assert_eq!(after.refusals.duplicate - before.refusals.duplicate, 50);
    assert_eq!(after.received_packets, before.received_packets);
    // From long ago: far behind, so not even counted as repetition.
    call.run(Duration::from_secs(4));
    for bytes in &recorded {
        call.far.session.handle_rtp(bytes, call.now);
    }
    let later = call.far.session.statistics();
    assert_eq!(later.refusals.suspect_sequence, 50);
    assert_eq!(later.concealed_ms, 0);
}

#[test]
fn other_payload_types_are_counted_and_do_not_become_the_source() {
    let mut call = call();
    for sequence in 0..10 {
        call.far
            .session
            .handle_rtp(&packet(0xbad, sequence, 96), Duration::ZERO);
    }
    call.run(Duration::from_secs(1));
    let statistics = call.far.session.statistics();
    assert_eq!(statistics.refusals.payload_type, 10);
    assert!(call.far.has(&Event::FirstPacketReceived));
    assert!(statistics.received_packets > 45);
}

#[test]
fn a_negotiated_second_codec_is_played_without_asking() {
    let mut config = SessionConfig::new(Codec::Pcmu, 2);
    config.also_receive = vec![(8, Codec::Pcma), (9, Codec::G722)];
    let near = End::new(SessionConfig::new(Codec::G722, 1), speech(320_000));
    let mut call = Call::new(
        near,
        End::new(config, speech(320_000)),
        Weather::default(),
        1,
    );
    call.run(Duration::from_secs(3));
    assert_eq!(call.far.session.statistics().refusals.payload_type, 0);
    assert!(rms(&call.far.heard[16_000..]) > 500.0);
    // The near end offered G.722 alone, so the far end's PCMU is refused there.
    assert!(call.near.session.statistics().refusals.payload_type > 140);
}

#[test]
fn our_own_ssrc_from_the_peer_changes_ours_a_few_times_and_then_is_a_loop() {
    let mut session = Session::new(SessionConfig::new(Codec::Pcmu, 1)).unwrap();
    let mut collisions = 0;
    for n in 0..200u32 {
        let now = 20 * n * MS;
        session.handle_timeout(now);
        let mut echo = Vec::new();
        loop {
            match session.poll_output(now) {
                Output::Rtp(bytes) => echo.push(bytes),
                Output::Event(Event::SsrcCollision { from, to }) => {
                    assert_ne!(from, to);
                    collisions += 1;
                }
                Output::Timeout(_) => break,
                _ => {}
            }
        }
        for bytes in echo {
            session.handle_rtp(&bytes, now);
        }
    }
    assert_eq!(collisions, 3);
    let statistics = session.statistics();
    assert!(statistics.refusals.looped > 100);
    assert!(statistics.sent_packets > 195, "{statistics:?}");
}

#[test]
fn a_source_that_restarts_its_numbers_is_followed() {
    let mut session = Session::new(SessionConfig::new(Codec::Pcmu, 1)).unwrap();
    for n in 0..50u16 {
        session.handle_rtp(&packet(7, 100 + n, 0), 20 * u32::from(n) * MS);
    }
    for n in 0..50u16 {
        session.handle_rtp(&packet(7, 40_000 + n, 0), (1000 + 20 * u32::from(n)) * MS);
    }
    let statistics = session.statistics();
    assert_eq!(statistics.refusals.suspect_sequence, 1);
    assert_eq!(statistics.received_packets, 99);
    assert_eq!((statistics.late, statistics.lost), (0, 0));
}

#[test]
fn a_configuration_that_cannot_work_is_refused() {
    let with = |change: &dyn Fn(&mut SessionConfig)| {
        let mut config = SessionConfig::new(Codec::Pcmu, 1);
        change(&mut config);
        Session::new(config).err()
    };
    assert_eq!(
        with(&|config| config.payload_type = 72),
        Some(SessionConfigError::PayloadType(72))
    );
    assert_eq!(
        with(&|config| config.payload_type = 200),
        Some(SessionConfigError::PayloadType(200))
    );
    assert_eq!(
        with(&|config| config.also_receive = vec![(0, Codec::Pcma)]),
        Some(SessionConfigError::PayloadTypeTwice(0))
    );
    assert_eq!(
        with(&|config| config.cname = String::new()),
        Some(SessionConfigError::Cname(0))
    );
}

#[test]
fn nobody_draining_costs_bounded_memory() {
    let mut session = Session::new(SessionConfig::new(Codec::Pcmu, 1)).unwrap();
    for n in 0..5000u32 {
        session.handle_timeout(20 * n * MS);
    }
    assert!(session.statistics().outputs_dropped > 8000);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]
    /// Any datagrams at any times: no panic, a frame every 20 ms, a deadline in the future.
    #[test]
    fn garbage_of_every_kind_leaves_the_session_in_step(
        inputs in proptest::collection::vec(
            (0u8..4, proptest::collection::vec(any::<u8>(), 0..80), any::<u16>(), any::<u32>(), 0u64..60),
            0..150,
        ),
    ) {
        let mut session = Session::new(SessionConfig::new(Codec::G722, 5)).unwrap();
        let (mut now, mut frames) = (Duration::ZERO, 0u64);
        for (kind, bytes, sequence, timestamp, pause) in inputs {
            match kind {
                0 => session.handle_rtp(&bytes, now),
                1 => session.handle_rtcp(&bytes, now),
                2 => {
                    let mut valid = packet(u32::from(sequence % 3), sequence, [9, 101, 13][bytes.len() % 3]);
                    valid[4..8].copy_from_slice(&timestamp.to_be_bytes());
                    session.handle_rtp(&valid, now);
                }
                _ => session.handle_microphone(&vec![1; bytes.len() * 10], now),
            }
            loop {
                match session.poll_output(now) {
                    Output::Playout(frame) => {
                        prop_assert_eq!(frame.len(), 320);
                        frames += 1;
                    }
                    Output::Rtp(bytes) => {
                        prop_assert!(RtpPacket::parse(&bytes, &RtpLimits::default()).is_ok());
                    }
                    Output::Timeout(next) => {
                        prop_assert!(next.unwrap() > now);
                        break;
                    }
                    _ => {}
                }
            }
            now += Duration::from_millis(pause);
        }
        session.handle_timeout(now);
        while let output @ (Output::Playout(_) | Output::Rtp(_) | Output::Rtcp(_) | Output::Event(_)) =
            session.poll_output(now)
        {
            frames += u64::from(matches!(output, Output::Playout(_)));
        }
        prop_assert_eq!(frames, now.as_millis() as u64 / 20 + 1);
        let _ = session.statistics();
    }
}
