//! Jitter, loss, reordering, repetition: what is played stays close to what was said.

use core::time::Duration;

use crate::network::{Call, End, MS, Weather};
use crate::signal::{rms, snr_db, speech, tone};
use hearthline_media::{Codec, Event, RtpLimits, RtpPacket, SessionConfig};

fn call(codec: Codec, weather: Weather, seed: u64) -> Call {
    let near = End::new(SessionConfig::new(codec, seed), speech(480_000));
    let far = End::new(
        SessionConfig::new(codec, seed + 100),
        tone(600.0, 4000.0, 480_000),
    );
    Call::new(near, far, weather, seed)
}

#[test]
fn a_quiet_network_is_transparent_and_quick() {
    for (codec, least) in [
        (Codec::Pcmu, 18.0),
        (Codec::Pcma, 18.0),
        (Codec::G722, 17.0),
    ] {
        let mut call = call(
            codec,
            Weather {
                delay_ms: 5,
                ..Weather::default()
            },
            1,
        );
        call.run(Duration::from_secs(10));
        let statistics = call.far.session.statistics();
        assert_eq!((statistics.lost, statistics.late), (0, 0));
        assert_eq!(statistics.concealed_ms, 0, "{statistics:?}");
        assert!(statistics.jitter_ms < 1.5, "{statistics:?}");
        // Mouth to ear: packet 20 ms, network 5, jitter buffer; the filters are part of it.
        let (snr, delay) = snr_db(
            &call.near.microphone[64_000..112_000],
            &call.far.heard[64_000..],
            3200,
        );
        println!(
            "{codec:?}: {snr:.1} dB, mouth to ear {:.1} ms",
            delay as f64 / 16.0
        );
        // G.711 cannot carry the hiss above 4 kHz, which counts as noise here.
        assert!(snr > least, "{codec:?}: {snr}");
        assert!(delay < 16 * 90, "{delay} samples");
    }
}

#[test]
fn jitter_of_40_ms_costs_delay_and_not_words() {
    for codec in [Codec::Pcmu, Codec::G722] {
        let weather = Weather {
            delay_ms: 20,
            jitter_ms: 40,
            ..Weather::default()
        };
        let mut call = call(codec, weather, 2);
        call.run(Duration::from_secs(20));
        let statistics = call.far.session.statistics();
        println!("{codec:?} {statistics:?}");
        assert_eq!(statistics.lost, 0);
        assert!(statistics.concealed_ms < 400, "2 % of 20 s: {statistics:?}");
        assert!(statistics.jitter_ms > 5.0 && statistics.jitter_ms < 30.0);
        assert!(
            (30..=80).contains(&statistics.delay_target_ms),
            "{statistics:?}"
        );
    }
}

#[test]
fn five_per_cent_loss_is_concealed_at_about_that_length() {
    let weather = Weather {
        loss: 0.05,
        delay_ms: 10,
        ..Weather::default()
    };
    let mut call = call(Codec::Pcmu, weather, 3);
    call.run(Duration::from_secs(20));
    let statistics = call.far.session.statistics();
    println!("{statistics:?}");
    assert!((20..90).contains(&statistics.lost), "{statistics:?}");
    let lost_ms = statistics.lost as u64 * 20;
    assert!(
        statistics.concealed_ms.abs_diff(lost_ms) < 200,
        "{statistics:?}"
    );
    // As loud as what was said: neither holes nor bursts.
    let (said, heard) = (
        rms(&call.near.microphone[32_000..300_000]),
        rms(&call.far.heard[32_000..300_000]),
    );
    assert!((heard / said - 1.0).abs() < 0.1, "{said} {heard}");
}

#[test]
fn repeated_and_reordered_packets_are_played_once_in_order() {
    let weather = Weather {
        duplicate: 0.3,
        delay_ms: 10,
        jitter_ms: 30,
        ..Weather::default()
    };
    let mut call = call(Codec::Pcma, weather, 4);
    call.run(Duration::from_secs(20));
    let statistics = call.far.session.statistics();
    assert!(statistics.refusals.duplicate > 150, "{statistics:?}");
    assert!(statistics.concealed_ms < 400, "{statistics:?}");
    assert_eq!(call.far.heard.len() / 320, 1000);
}

#[test]
fn a_network_that_calms_down_gives_the_delay_back() {
    let weather = Weather {
        delay_ms: 10,
        jitter_ms: 80,
        ..Weather::default()
    };
    let mut call = call(Codec::Pcmu, weather, 5);
    call.run(Duration::from_secs(10));
    let rough = call.far.session.statistics();
    call.weather[0].jitter_ms = 0;
    call.run(Duration::from_secs(15));
    let calm = call.far.session.statistics();
    println!("rough {rough:?}\ncalm {calm:?}");
    assert!(rough.delay_ms > 70, "{rough:?}");
    assert!(calm.delay_ms < 60, "{calm:?}");
    assert!(calm.cut_ms > 0);
}

#[test]
fn a_route_that_grows_by_half_a_second_is_followed() {
    let mut call = call(
        Codec::G722,
        Weather {
            delay_ms: 10,
            ..Weather::default()
        },
        6,
    );
    call.run(Duration::from_secs(5));
    call.weather[0].delay_ms = 510;
    call.run(Duration::from_secs(5));
    let before = call.far.session.statistics().concealed_ms;
    call.run(Duration::from_secs(5));
    let after = call.far.session.statistics().concealed_ms;
    assert!(before < 1500, "{before}");
    assert!(after - before < 40, "{before} {after}");
}

#[test]
fn an_outage_is_said_and_its_end_too() {
    let mut call = call(Codec::Pcmu, Weather::default(), 7);
    call.run(Duration::from_secs(3));
    call.weather[0].loss = 1.0;
    call.run(Duration::from_secs(3));
    // Concealed for 60 ms, then silent: nobody hears a stuck tone for seconds.
    let heard = &call.far.heard;
    assert_eq!(rms(&heard[heard.len() - 16_000..]), 0.0);
    call.weather[0].loss = 0.0;
    call.run(Duration::from_secs(3));
    let events: Vec<&Event> = call.far.events.iter().map(|(_, event)| event).collect();
    assert_eq!(
        events,
        [
            &Event::FirstPacketReceived,
            &Event::MediaLost,
            &Event::MediaResumed
        ]
    );
    let heard = &call.far.heard;
    assert!(rms(&heard[heard.len() - 16_000..]) > 500.0);
}

#[test]
fn a_peer_that_never_speaks_is_said_after_a_second() {
    let mut call = call(
        Codec::Pcmu,
        Weather {
            loss: 1.0,
            ..Weather::default()
        },
        8,
    );
    call.run(Duration::from_secs(3));
    assert_eq!(
        call.far.events,
        [(Duration::from_secs(1), Event::MediaLost)]
    );
    assert_eq!(rms(&call.far.heard), 0.0);
}

#[test]
fn concealment_of_a_steady_voice_is_hardly_heard() {
    // A vowel with every tenth packet lost: the repeated period must stay in tune with what follows.
    let vowel = tone(150.0, 6000.0, 320_000);
    let near = End::new(SessionConfig::new(Codec::Pcmu, 1), vowel.clone());
    let far = End::new(SessionConfig::new(Codec::Pcmu, 2), vec![0; 320_000]);
    let mut call = Call::new(
        near,
        far,
        Weather {
            loss: 0.1,
            ..Weather::default()
        },
        9,
    );
    call.run(Duration::from_secs(10));
    let statistics = call.far.session.statistics();
    assert!(statistics.concealed_ms > 500, "{statistics:?}");
    let (snr, _) = snr_db(&vowel[32_000..128_000], &call.far.heard[32_000..], 2000);
    println!(
        "{snr:.1} dB with {} ms of 10 s concealed",
        statistics.concealed_ms
    );
    assert!(snr > 12.0, "{snr}"); // plain silence in the gaps would give 10 dB at best
}

#[test]
fn round_trip_and_the_peers_report_are_measured() {
    let mut call = call(
        Codec::Pcmu,
        Weather {
            delay_ms: 35,
            ..Weather::default()
        },
        10,
    );
    call.run(Duration::from_secs(25));
    for end in [&call.near, &call.far] {
        let statistics = end.session.statistics();
        let rtt = statistics.rtt_ms.unwrap();
        assert!((68.0..75.0).contains(&rtt), "{rtt}");
        assert_eq!(statistics.peer_lost, Some(0));
        assert!(end.reports.len() >= 3);
    }
}

#[test]
fn a_thirty_second_call_wraps_sequence_numbers_unnoticed() {
    // Seeds differ in where the sequence starts; the first half of the numbers never wraps in 30 s, so shift it.
    let mut call = call(Codec::Pcmu, Weather::default(), 11);
    let limits = RtpLimits::default();
    let mut shifted = hearthline_media::Session::new(SessionConfig::new(Codec::Pcmu, 99)).unwrap();
    call.run(Duration::from_secs(30));
    let first = RtpPacket::parse(&call.near.sent[0].1, &limits).unwrap();
    let (sequence, timestamp) = (first.sequence, first.timestamp);
    for (at, bytes) in &call.near.sent {
        let mut packet = RtpPacket::parse(bytes, &limits).unwrap();
        // Both wrap in the middle of the call.
        packet.sequence = packet.sequence.wrapping_sub(sequence).wrapping_sub(700);
        packet.timestamp = packet
            .timestamp
            .wrapping_sub(timestamp)
            .wrapping_sub(700 * 160);
        shifted.handle_rtp(&packet.write().unwrap(), *at + 5 * MS);
        while !matches!(
            shifted.poll_output(*at + 5 * MS),
            hearthline_media::Output::Timeout(_)
        ) {}
    }
    let statistics = shifted.statistics();
    assert_eq!(
        (statistics.lost, statistics.late, statistics.concealed_ms),
        (0, 0, 0),
        "{statistics:?}"
    );
}
