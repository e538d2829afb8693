//! Packets that libsrtp 2 protected (through its Python binding pylibsrtp): ours are the same, octet for octet,
//! across a roll-over of the sequence number, and its SRTCP is read.

use hearthline_media::RtpPacket;
use hearthline_media::srtp::{SrtpProfile, SrtpReceiver, SrtpSender};

const SSRC: u32 = 0x0bad_cafe;
/// Protected packets with sequence numbers 65534, 65535 and 0, then two of the same RTCP packet.
const VECTORS: [(SrtpProfile, [&str; 3], [&str; 2]); 3] = [
    (
        SrtpProfile::Aes128CmSha1_80,
        [
            "8009fffe009ffec00badcafe0306dfbb4562bb5a5daf858fa8d4202e79dc6fa563a730cf23fe9ddf7a09",
            "8009ffff009fff600badcafec139b616980b2e0fec80a0894946c5e2956f119a7f4c98409b5020710dae",
            "80090000000000000badcafeffd56c4f332fed1cfd41524e317a78300dac91cd44f661c1e9941db2fed7",
        ],
        [
            "80c900010badcafe3389ddd95d24c465fc9eb42a4fcd0878e06e6dba8000000170fe78a7ec2f4978bf82",
            "80c900010badcafeb2a6fdc958b3ca2a339be109a9fea81f1886d6ca80000002bc2c82cc79c110172eef",
        ],
    ),
    (
        SrtpProfile::AeadAes128Gcm,
        [
            "8009fffe009ffec00badcafe4f30dca8efd162205f79a625ca829ab7412ef7d0e2812b0076d9ef1a88e5229ca8370fbb",
            "8009ffff009fff600badcafec5d55dea0207ed0c9051887531498c3dae788d56813daaa7dc3f65fafa6635a08cab75a5",
            "80090000000000000badcafe1907beb1bc5d02c1ebcfde5fb2d5343d8c9d0d27de32b7d7e675e1d71def88a30cce454b",
        ],
        [
            "80c900010badcafe367552d9c62c6f6620f81ecb9aa06b39d810590802a62d1b192e367bad09848bff92e57280000001",
            "80c900010badcafec85929452e50dd5343de187011e51461b2fb88dc6f5f003481d296b727cd5ac8941a177680000002",
        ],
    ),
    (
        SrtpProfile::AeadAes256Gcm,
        [
            "8009fffe009ffec00badcafe7436bc97f8d0b820bf36597020863ff128bae92766d5ede54edab75f8d9c5fe69cdcc2ac",
            "8009ffff009fff600badcafe27cce56c4b36df8d41119ba94be836922fec208ae70c17eb4a189dbb284c88d5c89e6457",
            "80090000000000000badcafe8c0d598f7c087d9e59b62ccdacf498845b9bfe617067c47a243b2c48b38c7b8bd9106994",
        ],
        [
            "80c900010badcafe0ffe1163fbc5c96fd321f8cb13537086fb3d7f1f28aa671e4aa694f0593506184f487d8a80000001",
            "80c900010badcafe43b2059189d428ca4512180c635528ff4f2ad1ed18605e00e77e9e6a2a21893abd0f422480000002",
        ],
    ),
];
const REPORT: &str = "80c900010badcafe81ca00040badcafe01096865617274686c696e00";

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text.chars().filter_map(|c| c.to_digit(16)).collect();
    digits.chunks(2).map(|d| (d[0] * 16 + d[1]) as u8).collect()
}

#[test]
fn ours_is_theirs() {
    let payload: Vec<u8> = (0..20).collect();
    for (profile, packets, reports) in VECTORS {
        let octets = 0..profile.key_and_salt_bytes();
        let key: Vec<u8> = octets.map(|n| (n * 7 + 1) as u8).collect();
        let mut sender = SrtpSender::new(profile, &key).unwrap();
        let mut receiver = SrtpReceiver::new(profile, &key).unwrap();
        for (sequence, wanted) in [65534, 65535, 0].into_iter().zip(packets) {
            let clear = RtpPacket {
                marker: false,
                payload_type: 9,
                sequence,
                timestamp: u32::from(sequence) * 160,
                ssrc: SSRC,
                csrc: vec![],
                extension: None,
                payload: &payload,
                padding: 0,
            };
            let clear = clear.write().unwrap();
            let wanted = hex(wanted);
            assert_eq!(
                receiver.unprotect_rtp(&wanted).unwrap(),
                clear,
                "{profile:?}"
            );
            assert_eq!(sender.protect_rtp(&clear).unwrap(), wanted, "{profile:?}");
        }
        // libsrtp counts its first SRTCP packet as 1, the RFC as 0: our second is its first.
        sender.protect_rtcp(&hex(REPORT)).unwrap();
        for wanted in reports {
            let wanted = hex(wanted);
            assert_eq!(receiver.unprotect_rtcp(&wanted).unwrap(), hex(REPORT));
            assert_eq!(sender.protect_rtcp(&hex(REPORT)).unwrap(), wanted);
        }
    }
}
