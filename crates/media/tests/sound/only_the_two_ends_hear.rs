//! DTLS-SRTP between two devices over a bad network: the voice arrives, nobody between hears or changes it.

use core::time::Duration;
use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::OnceLock;

use crate::secure_network::{Call, End, Weather, config, identity};
use crate::signal::{Dice, rms, speech, tone};
use hearthline_media::secure::{
    DtlsRole, IceRole, SecureConfigError, SecureDescriptionError, SecureEvent, SecureFailure,
    SecureOutput, SecureSendError, SecureTransport,
};
use hearthline_media::srtp::SrtpProfile;
use proptest::prelude::*;

const BAD: Weather = Weather {
    loss: 0.1,
    duplicate: 0.05,
    delay_ms: 30,
    jitter_ms: 80,
};
const GOOD: Weather = Weather {
    loss: 0.0,
    duplicate: 0.0,
    delay_ms: 5,
    jitter_ms: 0,
};
const SECOND: Duration = Duration::from_secs(1);

fn near_address() -> SocketAddr {
    ([192, 0, 2, 1], 4000).into()
}

fn far_address() -> SocketAddr {
    ([192, 0, 2, 2], 4000).into()
}

fn call(weather: Weather, seed: u64) -> Call {
    let near = config(IceRole::Controlling, near_address(), 1);
    let far = config(IceRole::Controlled, far_address(), 2);
    static VOICE: OnceLock<Vec<i16>> = OnceLock::new();
    let voice = VOICE.get_or_init(|| speech(480_000));
    let near = End::new(near, voice.clone(), 1);
    let far = End::new(far, tone(600.0, 4000.0, 160_000), 2);
    Call::new(near, far, weather, seed)
}

/// How many of `datagrams` hold eight octets of these packets' payloads in a row.
fn clear_runs<'a>(packets: &[Vec<u8>], datagrams: impl Iterator<Item = &'a [u8]>) -> usize {
    let spoken: HashSet<&[u8]> = packets.iter().flat_map(|p| p[12..].windows(8)).collect();
    datagrams
        .filter(|bytes| bytes.windows(8).any(|run| spoken.contains(run)))
        .count()
}

#[test]
fn a_voice_arrives_over_a_bad_network_and_nothing_of_it_is_seen() {
    let mut slowest = Duration::ZERO;
    for seed in 0..20 {
        let mut call = call(BAD, seed);
        call.describe();
        call.run(if seed == 0 { 30 * SECOND } else { 8 * SECOND });
        for end in &call.ends {
            let at = end
                .connected()
                .unwrap_or_else(|| panic!("seed {seed}: {:?}", end.events));
            slowest = slowest.max(at);
        }
        if seed > 0 {
            continue;
        }
        let [near, far] = &call.ends;
        let profile = SrtpProfile::AeadAes256Gcm;
        assert!(
            far.when(|e| matches!(e, SecureEvent::Connected { profile: p, .. } if *p == profile))
                .is_some()
        );
        let sent = near.transport.statistics().sent as f64;
        let share = far.received.len() as f64 / sent;
        assert!(share > 0.86, "{share} of {sent}");
        // What comes out is to the bit what went in, each at most once.
        let spoken: HashSet<&Vec<u8>> = near.spoken.iter().collect();
        let received: HashSet<&Vec<u8>> = far.received.iter().collect();
        assert!(received.is_subset(&spoken));
        assert_eq!(received.len(), far.received.len());
        assert!(near.reports > 1 && far.reports > 1);
        let loudness = rms(&far.heard[160_000..400_000]) / rms(&near.microphone[160_000..400_000]);
        assert!((0.6..1.4).contains(&loudness), "{loudness}");
        let captured = || call.capture.iter().map(|(_, bytes)| &bytes[..]);
        for end in &call.ends {
            assert_eq!(clear_runs(&end.spoken, captured()), 0);
            // The same search finds them where they are not protected.
            let plain = clear_runs(&end.spoken, end.spoken.iter().map(|p| &p[..]));
            assert!(plain > end.spoken.len() / 2);
        }
        println!(
            "{} datagrams captured, {share:.3} arrived",
            call.capture.len()
        );
    }
    println!("slowest of 20 connections: {} ms", slowest.as_millis());
    assert!(slowest < 8 * SECOND);
}

#[test]
fn a_quiet_network_connects_at_once_wherever_it_is() {
    for (near, far) in [
        ("192.0.2.1:4000", "192.0.2.2:4000"),
        ("127.0.0.1:4000", "127.0.0.1:4002"),
        ("[::1]:4000", "[::1]:4002"),
        ("10.77.0.1:4000", "10.77.0.2:4000"),
    ] {
        let (near, far): (SocketAddr, SocketAddr) = (near.parse().unwrap(), far.parse().unwrap());
        let near = End::new(config(IceRole::Controlling, near, 1), vec![], 1);
        let far = End::new(config(IceRole::Controlled, far, 2), vec![], 2);
        let mut call = Call::new(near, far, GOOD, 1);
        call.describe();
        call.run(SECOND);
        let took = call
            .ends
            .each_ref()
            .map(|end| end.connected().unwrap().as_millis());
        println!("connected after {took:?} ms with 5 ms each way");
        assert!(took.iter().all(|ms| *ms < 300), "{took:?}");
        // Once connected, the transport sleeps: checks, no busy waiting.
        let before = call.ends.each_ref().map(|end| end.timeouts);
        call.run(10 * SECOND);
        for (end, before) in call.ends.iter().zip(before) {
            let calls = end.timeouts - before;
            println!("{calls} timeouts in 10 s");
            assert!(calls < 200, "{calls}");
        }
    }
}

#[test]
fn another_certificate_than_promised_yields_no_packet() {
    for deceived in 0..2 {
        let mut call = call(GOOD, 1);
        let mut promised = [
            call.ends[1].transport.local(),
            call.ends[0].transport.local(),
        ];
        promised[deceived].fingerprint[5] ^= 1;
        let [of_far, of_near] = promised;
        let now = call.now;
        call.ends[0]
            .transport
            .set_remote(of_far, DtlsRole::Server, now)
            .unwrap();
        call.ends[1]
            .transport
            .set_remote(of_near, DtlsRole::Client, now)
            .unwrap();
        call.run(30 * SECOND);
        let end = &call.ends[deceived];
        let wrong = SecureEvent::Failed(SecureFailure::WrongFingerprint);
        assert!(
            end.when(|event| *event == wrong).is_some(),
            "{:?}",
            end.events
        );
        assert!(end.connected().is_none());
        for end in &mut call.ends {
            assert!(end.received.is_empty() && end.reports == 0);
        }
        let sent = call.ends[deceived]
            .transport
            .send_rtp(&call.ends[deceived].spoken[0].clone());
        assert_eq!(sent, Err(SecureSendError::NotConnected));
        let spoken = &call.ends[deceived].spoken;
        assert_eq!(
            clear_runs(spoken, call.capture.iter().map(|(_, b)| &b[..])),
            0
        );
    }
}

#[test]
fn changed_and_repeated_packets_are_dropped_and_counted() {
    let mut call = call(GOOD, 1);
    call.describe();
    call.run(SECOND);
    let before = call.ends[1].received.len();
    // Each protected packet comes changed, then as it was, then again.
    call.meddle = Box::new(|dice, bytes| {
        if bytes[0] < 128 {
            return vec![bytes.to_vec()];
        }
        let mut changed = bytes.to_vec();
        let bit = dice.next() as usize % (bytes.len() * 8);
        changed[bit / 8] ^= 1 << (bit % 8);
        vec![changed, bytes.to_vec(), bytes.to_vec()]
    });
    call.run(5 * SECOND);
    let far = &call.ends[1];
    let after = far.received.len() - before;
    assert!((249..=251).contains(&after), "{after}");
    let spoken: HashSet<&Vec<u8>> = call.ends[0].spoken.iter().collect();
    assert!(far.received.iter().all(|packet| spoken.contains(packet)));
    let counted = far.transport.statistics();
    assert!(counted.received.replayed >= 249, "{counted:?}");
    let refused = counted.received.unauthentic + counted.received.malformed + counted.foreign;
    assert!(refused >= 240, "{counted:?}");
}

#[test]
fn a_new_address_in_mid_call_is_followed() {
    let mut call = call(BAD, 3);
    call.describe();
    call.run(10 * SECOND);
    assert!(call.ends.iter().all(|end| end.connected().is_some()));
    let moved: SocketAddr = ([192, 0, 2, 77], 5000).into();
    call.ends[0].address = moved;
    let now = call.now;
    let offer = call.ends[0].transport.restart(&[moved], now).unwrap();
    let far = &mut call.ends[1].transport;
    assert!(far.is_restart(&offer));
    assert_eq!(
        far.set_remote(offer.clone(), DtlsRole::Client, now),
        Err(SecureDescriptionError::NeedsRestart)
    );
    let answer = far.restart(&[far_address()], now).unwrap();
    far.set_remote(offer, DtlsRole::Client, now).unwrap();
    call.ends[0]
        .transport
        .set_remote(answer, DtlsRole::Server, now)
        .unwrap();
    call.run(3 * SECOND);
    let heard = call.ends.each_ref().map(|end| end.received.len());
    call.run(5 * SECOND);
    for (end, before) in call.ends.iter().zip(heard) {
        assert!(end.received.len() - before > 200, "{:?}", end.events);
    }
    let followed = SecureEvent::PathChanged { remote: moved };
    assert!(call.ends[1].when(|event| *event == followed).is_some());
    let connections = call.ends[1].events.iter();
    let connections = connections.filter(|(_, e)| matches!(e, SecureEvent::Connected { .. }));
    assert_eq!(connections.count(), 1, "the keys stay");
}

#[test]
fn a_silent_path_is_told_and_its_return_too() {
    let mut call = call(GOOD, 1);
    call.describe();
    call.run(2 * SECOND);
    call.weather.loss = 1.0;
    call.run(15 * SECOND);
    for end in &call.ends {
        let at = end.when(|event| *event == SecureEvent::Interrupted);
        let at = at.unwrap_or_else(|| panic!("{:?}", end.events));
        println!(
            "told {} ms after the silence began",
            (at - 2 * SECOND).as_millis()
        );
        assert!(at < 8 * SECOND);
    }
    call.weather.loss = 0.0;
    let now = call.now;
    let offer = call.ends[0]
        .transport
        .restart(&[near_address()], now)
        .unwrap();
    let answer = call.ends[1]
        .transport
        .restart(&[far_address()], now)
        .unwrap();
    call.ends[1]
        .transport
        .set_remote(offer, DtlsRole::Client, now)
        .unwrap();
    call.ends[0]
        .transport
        .set_remote(answer, DtlsRole::Server, now)
        .unwrap();
    let before = call.ends.each_ref().map(|end| end.received.len());
    call.run(3 * SECOND);
    for (end, before) in call.ends.iter().zip(before) {
        assert!(
            end.when(|event| *event == SecureEvent::Resumed).is_some(),
            "{:?}",
            end.events
        );
        assert!(end.received.len() - before > 100);
    }
}

#[test]
fn a_short_silence_mends_itself() {
    let mut call = call(GOOD, 1);
    call.describe();
    call.run(2 * SECOND);
    call.weather.loss = 1.0;
    call.run(9 * SECOND);
    call.weather.loss = 0.0;
    call.run(2 * SECOND);
    for end in &call.ends {
        let told: Vec<_> = end.events.iter().map(|(_, event)| event).skip(1).collect();
        assert_eq!(told, [&SecureEvent::Interrupted, &SecureEvent::Resumed]);
    }
}

#[test]
fn a_peer_that_is_not_there_is_given_up() {
    let mut call = call(GOOD, 1);
    let offer = call.ends[0].transport.local();
    call.weather.loss = 1.0;
    call.ends[1]
        .transport
        .set_remote(offer, DtlsRole::Client, Duration::ZERO)
        .unwrap();
    call.run(25 * SECOND);
    let failed = SecureEvent::Failed(SecureFailure::NoPath);
    let at = call.ends[1].when(|event| *event == failed).unwrap();
    assert!(at <= 21 * SECOND);
    assert_eq!(
        call.ends[1].transport.poll_output(),
        SecureOutput::Timeout(None)
    );
}

#[test]
fn the_end_is_told() {
    let mut call = call(GOOD, 1);
    call.describe();
    call.run(SECOND);
    let now = call.now;
    call.ends[0].transport.close(now);
    call.run(SECOND);
    assert!(
        call.ends[1]
            .when(|event| *event == SecureEvent::PeerClosed)
            .is_some()
    );
    let packet = call.ends[0].spoken[0].clone();
    assert_eq!(
        call.ends[0].transport.send_rtp(&packet),
        Err(SecureSendError::NotConnected)
    );
}

#[test]
fn another_fingerprint_in_mid_call_is_refused() {
    let mut call = call(GOOD, 1);
    call.describe();
    call.run(SECOND);
    let mut other = call.ends[1].transport.local();
    other.fingerprint[0] ^= 1;
    let refused = call.ends[0]
        .transport
        .set_remote(other, DtlsRole::Server, call.now);
    assert_eq!(refused, Err(SecureDescriptionError::FingerprintChanged));
    assert!(call.ends[0].transport.is_connected());
}

#[test]
fn keys_and_addresses_are_checked() {
    let good = config(IceRole::Controlling, near_address(), 1);
    let made = |change: &dyn Fn(&mut hearthline_media::secure::SecureConfig)| {
        let mut config = good.clone();
        change(&mut config);
        SecureTransport::new(config, Duration::ZERO).map(|_| ())
    };
    assert_eq!(made(&|_| {}), Ok(()));
    assert_eq!(
        made(&|config| config.private_key = identity().1.into()),
        Err(SecureConfigError::Mismatch)
    );
    assert_eq!(
        made(&|config| config.private_key.truncate(100)),
        Err(SecureConfigError::PrivateKey)
    );
    for length in [0, 1, 100] {
        let cut = made(&|config| config.certificate.truncate(length));
        assert_eq!(cut, Err(SecureConfigError::Certificate), "{length}");
    }
    for addresses in [
        vec![],
        vec![near_address(); 9],
        vec![([0, 0, 0, 0], 4000).into()],
        vec![([192, 0, 2, 1], 0).into()],
    ] {
        let refused = made(&|config| config.addresses.clone_from(&addresses));
        assert!(
            matches!(refused, Err(SecureConfigError::Address(_))),
            "{addresses:?}"
        );
    }
    let loopback = |config: &mut hearthline_media::secure::SecureConfig| {
        config.addresses = vec![([127, 0, 0, 1], 4000).into(), "[::1]:4000".parse().unwrap()];
    };
    assert_eq!(made(&loopback), Ok(()));
}

#[test]
fn strangers_neither_stop_the_handshake_nor_the_call() {
    let mut call = call(GOOD, 1);
    // Beside each datagram comes noise that looks like one of the three protocols; checks and media come
    // damaged too. (Whoever sits on the path and changes the handshake stops it, as he could by cutting the wire.)
    call.meddle = Box::new(|dice: &mut Dice, bytes| {
        let mut damaged = bytes.to_vec();
        for _ in 0..3 {
            let at = dice.next() as usize % damaged.len();
            damaged[at] = dice.next() as u8;
        }
        let mut cut = bytes.to_vec();
        cut.truncate(dice.next() as usize % bytes.len());
        let first = [1, 22, 23, 128][dice.next() as usize % 4];
        let mut noise = vec![first];
        noise.extend((0..dice.next() % 200).map(|_| dice.next() as u8));
        if (20..64).contains(&bytes[0]) {
            return vec![noise, bytes.to_vec()];
        }
        vec![damaged, cut, noise, bytes.to_vec()]
    });
    call.describe();
    call.run(10 * SECOND);
    for end in &call.ends {
        assert!(end.connected().is_some(), "{:?}", end.events);
        assert!(end.received.len() > 300, "{}", end.received.len());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_comes_nothing_breaks(
        datagrams in proptest::collection::vec((any::<u8>(), proptest::collection::vec(any::<u8>(), 0..300), 0u64..500), 0..40),
        described in any::<bool>(), connected in any::<bool>(),
    ) {
        let mut call = call(GOOD, 1);
        if described {
            call.describe();
        }
        if connected {
            call.run(Duration::from_millis(300));
        }
        let mut now = call.now;
        let heard = call.ends[0].received.len();
        for (first, mut bytes, wait) in datagrams {
            if let Some(byte) = bytes.first_mut() {
                *byte = [0, 1, 20, 22, 23, 63, 128, 191, first][usize::from(first) % 9];
            }
            now += Duration::from_millis(wait);
            let transport = &mut call.ends[0].transport;
            transport.handle_datagram(far_address(), near_address(), &bytes, now);
            transport.handle_timeout(now);
            while !matches!(transport.poll_output(), SecureOutput::Timeout(_)) {}
        }
        prop_assert_eq!(call.ends[0].received.len(), heard);
    }
}
