//! SRTP: what was sent arrives unchanged and once; anything else is refused and counted.

use hearthline_media::RtpPacket;
use hearthline_media::srtp::{
    SRTP_OVERHEAD_BYTES_MAX, SRTP_SOURCES_MAX, SrtpError, SrtpProfile, SrtpReceiver, SrtpSender,
};
use proptest::prelude::*;

const PROFILES: [SrtpProfile; 3] = [
    SrtpProfile::Aes128CmSha1_80,
    SrtpProfile::AeadAes128Gcm,
    SrtpProfile::AeadAes256Gcm,
];

fn pair(profile: SrtpProfile, seed: u8) -> (SrtpSender, SrtpReceiver) {
    let key = vec![seed; profile.key_and_salt_bytes()];
    (
        SrtpSender::new(profile, &key).unwrap(),
        SrtpReceiver::new(profile, &key).unwrap(),
    )
}

fn packet(ssrc: u32, sequence: u16, payload: &[u8]) -> Vec<u8> {
    let packet = RtpPacket {
        marker: false,
        payload_type: 9,
        sequence,
        timestamp: u32::from(sequence) * 160,
        ssrc,
        csrc: vec![],
        extension: None,
        payload,
        padding: 0,
    };
    packet.write().unwrap()
}

#[test]
fn the_sequence_number_rolls_over_with_loss_and_reordering() {
    for profile in PROFILES {
        let (mut sender, mut receiver) = pair(profile, 1);
        let mut held = None;
        for step in 0..200_000u32 {
            let clear = packet(7, (step + 65_000) as u16, &step.to_be_bytes());
            let sealed = sender.protect_rtp(&clear).unwrap();
            // One in ten is lost, one in seven waits for its successor, the turn included.
            if step % 10 == 3 {
                continue;
            }
            if step % 7 == 0 && held.is_none() {
                held = Some((clear, sealed));
                continue;
            }
            assert_eq!(receiver.unprotect_rtp(&sealed).unwrap(), clear, "{step}");
            if let Some((clear, sealed)) = held.take() {
                assert_eq!(receiver.unprotect_rtp(&sealed).unwrap(), clear, "{step}");
            }
        }
        assert_eq!(receiver.counters().unauthentic, 0);
    }
}

#[test]
fn each_packet_comes_once() {
    for profile in PROFILES {
        let (mut sender, mut receiver) = pair(profile, 1);
        let sealed: Vec<_> = (0..300)
            .map(|n| sender.protect_rtp(&packet(7, n, b"voice")).unwrap())
            .collect();
        receiver.unprotect_rtp(&sealed[0]).unwrap();
        receiver.unprotect_rtp(&sealed[2]).unwrap();
        receiver.unprotect_rtp(&sealed[1]).unwrap();
        for again in &sealed[..3] {
            assert_eq!(receiver.unprotect_rtp(again), Err(SrtpError::Replayed));
        }
        receiver.unprotect_rtp(&sealed[299]).unwrap();
        assert_eq!(receiver.unprotect_rtp(&sealed[3]), Err(SrtpError::TooOld));
        assert_eq!(receiver.counters().replayed, 4);
        let report = sender.protect_rtcp(&report(7)).unwrap();
        receiver.unprotect_rtcp(&report).unwrap();
        assert_eq!(receiver.unprotect_rtcp(&report), Err(SrtpError::Replayed));
    }
}

#[test]
fn a_sequence_number_is_never_used_twice() {
    let (mut sender, _) = pair(SrtpProfile::Aes128CmSha1_80, 1);
    sender.protect_rtp(&packet(7, 100, b"one")).unwrap();
    for sequence in [100, 99, 0, 40_000] {
        assert_eq!(
            sender.protect_rtp(&packet(7, sequence, b"two")),
            Err(SrtpError::SequenceReused),
            "{sequence}"
        );
    }
    sender.protect_rtp(&packet(7, 101, b"two")).unwrap();
}

#[test]
fn another_key_is_heard_nowhere() {
    for profile in PROFILES {
        let (mut sender, _) = pair(profile, 1);
        let (_, mut receiver) = pair(profile, 2);
        let sealed = sender.protect_rtp(&packet(7, 1, b"voice")).unwrap();
        let (clear, report) = (packet(7, 1, &[0; 40]), report(7));
        assert_eq!(
            receiver.unprotect_rtp(&sealed),
            Err(SrtpError::Authentication)
        );
        // Nor is a packet in the clear.
        assert_eq!(
            receiver.unprotect_rtp(&clear),
            Err(SrtpError::Authentication)
        );
        assert_eq!(
            receiver.unprotect_rtcp(&report),
            Err(SrtpError::Authentication)
        );
        assert_eq!(receiver.counters().unauthentic, 3);
    }
}

#[test]
fn sources_are_bounded_and_forgers_do_not_use_them_up() {
    let (mut sender, mut receiver) = pair(SrtpProfile::AeadAes128Gcm, 1);
    for ssrc in 0..1000 {
        let _ = receiver.unprotect_rtp(&packet(ssrc, 1, &[0; 40]));
    }
    for ssrc in 0..SRTP_SOURCES_MAX as u32 {
        let sealed = sender.protect_rtp(&packet(ssrc, 1, b"voice")).unwrap();
        receiver.unprotect_rtp(&sealed).unwrap();
    }
    assert_eq!(
        sender.protect_rtp(&packet(99, 1, b"voice")),
        Err(SrtpError::TooManySources)
    );
    assert_eq!(
        receiver.unprotect_rtp(&packet(99, 1, &[0; 40])),
        Err(SrtpError::TooManySources)
    );
}

/// A receiver report without blocks, and a source description.
fn report(ssrc: u32) -> Vec<u8> {
    let mut report = vec![0x80, 201, 0, 1];
    report.extend(ssrc.to_be_bytes());
    report.extend([0x81, 202, 0, 5]);
    report.extend(ssrc.to_be_bytes());
    report.extend(b"\x01\x0dhello-in-home\0");
    report
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_sent_arrives_and_no_bit_may_change(
        which in 0..PROFILES.len(), ssrc in any::<u32>(), sequence in any::<u16>(),
        payload in proptest::collection::vec(any::<u8>(), 0..400),
        csrc in proptest::collection::vec(any::<u32>(), 0..4),
        words in proptest::collection::vec(any::<u32>(), 0..4), bit in any::<proptest::sample::Index>(),
    ) {
        let profile = PROFILES[which];
        let extension: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
        let plain = packet(ssrc, sequence, &payload);
        let written = RtpPacket {
            extension: (!words.is_empty()).then_some(hearthline_media::Extension { profile: 0xbede, data: &extension }),
            csrc,
            ..RtpPacket::parse(&plain, &Default::default()).unwrap()
        };
        let clear = written.write().unwrap();
        let (mut sender, mut receiver) = pair(profile, 3);
        let sealed = sender.protect_rtp(&clear).unwrap();
        prop_assert!(sealed.len() <= clear.len() + SRTP_OVERHEAD_BYTES_MAX);
        let mut changed = sealed.clone();
        let bit = bit.index(sealed.len() * 8);
        changed[bit / 8] ^= 1 << (bit % 8);
        prop_assert!(receiver.unprotect_rtp(&changed).is_err());
        prop_assert_eq!(receiver.unprotect_rtp(&sealed).unwrap(), clear);
        let report = report(ssrc);
        let sealed = sender.protect_rtcp(&report).unwrap();
        prop_assert!(sealed.len() <= report.len() + SRTP_OVERHEAD_BYTES_MAX);
        let mut changed = sealed.clone();
        let bit = bit % (sealed.len() * 8);
        changed[bit / 8] ^= 1 << (bit % 8);
        prop_assert!(receiver.unprotect_rtcp(&changed).is_err());
        prop_assert_eq!(receiver.unprotect_rtcp(&sealed).unwrap(), report);
    }

    #[test]
    fn whatever_comes_is_refused(which in 0..PROFILES.len(), bytes in proptest::collection::vec(any::<u8>(), 0..2100)) {
        let (mut sender, mut receiver) = pair(PROFILES[which], 3);
        prop_assert!(receiver.unprotect_rtp(&bytes).is_err());
        prop_assert!(receiver.unprotect_rtcp(&bytes).is_err());
        let _ = (sender.protect_rtp(&bytes), sender.protect_rtcp(&bytes));
        let mut rtp = bytes;
        if let Some(first) = rtp.first_mut() {
            *first = *first & 0x3f | 0x80;
        }
        prop_assert!(receiver.unprotect_rtp(&rtp).is_err());
        prop_assert!(receiver.unprotect_rtcp(&rtp).is_err());
        let _ = (sender.protect_rtp(&rtp), sender.protect_rtcp(&rtp));
    }
}
