//! What two programs could take for two things: entries of every kind with hostile texts and figures, signatures and
//! keys that a lenient verifier lets through, containers that other programs make, and other spellings of an entry.

use crate::story::*;
use hearthline_ledger::*;

/// Each kind of entry, with texts and figures on which two programs could differ.
pub(super) fn every_kind() -> Vec<u8> {
    let mut device = Device::new();
    let id = incident();
    let odd = "<b>&\"'\u{202e}\u{85}\u{7f}\u{1f600}\u{e9}\\\n\t";
    let digest = Hash::of(&[b"x"]);
    let figures = [
        0.0625,
        0.5,
        1.000_05,
        -0.0,
        -2.5,
        1e21,
        1e-30,
        123_456.789_05,
        0.312_55,
        5e-324,
    ];
    let bodies: Vec<Body> = vec![
        Time {
            source: odd.into(),
            wall_ms: WALL,
            uncertainty_ms: Some(3),
            step_ms: Some(-3_600_000),
            cosigned: None,
        }
        .into(),
        Time {
            source: "ntp".into(),
            wall_ms: u64::MAX,
            uncertainty_ms: None,
            step_ms: None,
            cosigned: None,
        }
        .into(),
        Time {
            source: "witness".into(),
            wall_ms: 951_782_400_000,
            uncertainty_ms: None,
            step_ms: None,
            cosigned: Some("no note".into()),
        }
        .into(),
        Wake {
            keyword: odd.into(),
            score: 0.0625,
            threshold: 0.9995,
            at_sample: u64::MAX,
        }
        .into(),
        Intent {
            name: "call".into(),
            rule: odd.into(),
            slots: [
                ("\u{1f600}".to_owned(), "a".into()),
                ("\u{ffee}".to_owned(), "b".into()),
                ("A".to_owned(), odd.into()),
            ]
            .into(),
            evidence: figures
                .iter()
                .enumerate()
                .map(|(n, figure)| (format!("f{n}"), *figure))
                .collect(),
        }
        .into(),
        Location {
            source: "configured".into(),
            pidf_lo: Some("<p>\u{e9}</p>".into()),
            problem: None,
        }
        .into(),
        Location {
            source: "held".into(),
            pidf_lo: Some("x".into()),
            problem: Some("late".into()),
        }
        .into(),
        Location {
            source: "none".into(),
            pidf_lo: None,
            problem: None,
        }
        .into(),
        Route {
            service: "urn:service:sos".into(),
            source: "lost".into(),
            uri: Some("sip:a@b.invalid".into()),
            lines: vec!["one".into(), "two".into()],
            problem: Some(odd.into()),
        }
        .into(),
        Route {
            service: "urn:service:sos".into(),
            source: "cache".into(),
            uri: None,
            lines: vec![],
            problem: None,
        }
        .into(),
        Telephone {
            event: CallEvent::Failed,
            call_id: "c".into(),
            incoming: true,
            status: Some(486),
            reason: Some("busy".into()),
            peer: None,
        }
        .into(),
        Telephone {
            event: CallEvent::Bye,
            call_id: "c".into(),
            incoming: false,
            status: None,
            reason: None,
            peer: Some("x".into()),
        }
        .into(),
        Call {
            event: CallEvent::NextLine,
            call_id: "c".into(),
            line: "two".into(),
            status: Some(503),
            reason: Some(odd.into()),
            peer: None,
        }
        .into(),
        Media {
            call_id: "c".into(),
            codec: "opus".into(),
            sent_packets: 1,
            received_packets: u64::MAX,
            lost_packets: 0,
            jitter_ms: Some(2),
            round_trip_ms: None,
        }
        .into(),
        Human {
            action: "cancel".into(),
            by: "speech".into(),
            effect: Some(odd.into()),
        }
        .into(),
        Human {
            action: "mute".into(),
            by: "button".into(),
            effect: None,
        }
        .into(),
        Speech { text: odd.into() }.into(),
        Late {
            entries: vec![1, 2, 3],
            limit_ms: 50,
        }
        .into(),
        Export {
            bundle: digest,
            bytes: 7,
        }
        .into(),
        Capture {
            stream: Stream::call_taker(),
            rate_hz: 0,
            chunks: vec![],
        }
        .into(),
        Capture {
            stream: Stream::microphone(),
            rate_hz: 16_000,
            chunks: vec![ChunkCommitment {
                first_sample: 0,
                samples: 1000,
                digest,
            }],
        }
        .into(),
        Boot {
            software: odd.into(),
            firmware: Some(digest),
            cut: Some(Cut {
                bytes: 3,
                digest,
                why: odd.into(),
            }),
            previous_segment: Some(PreviousSegment {
                origin: "old".into(),
                bytes: 1,
                digest,
                why: "torn".into(),
            }),
        }
        .into(),
        Body::Unknown {
            kind: format!("later {odd}"),
            raw: "{\"a\":[1e999,null]}".into(),
        },
        End {
            outcome: "failed".into(),
            reason: odd.into(),
            call_ms: None,
        }
        .into(),
    ];
    for body in bodies {
        if matches!(body, Body::Boot(_)) {
            continue; // needs a boot id of its own; the log's first entry is one
        }
        device.say(body, Some(&id));
    }
    for outcome in [
        Outcome::Ask,
        Outcome::Act,
        Outcome::Refuse,
        Outcome::Ignore,
        Outcome::Cancel,
    ] {
        for mode in [DecisionMode::Immediate, DecisionMode::Quiet] {
            let reason = "r".to_owned();
            device.say(
                Decision {
                    outcome,
                    mode,
                    reason,
                    service: None,
                    window_ms: None,
                },
                Some(&id),
            );
        }
    }
    let close = cosigned(&device.checkpoint(), witness_time(9000));
    let request = ExportRequest {
        incident: &id,
        audio: &[],
        cosigned: &[close],
        exported_ms: None,
    };
    device.log.export(&device.stored, &request).unwrap().bytes
}

pub(super) type Change = (&'static str, fn(&mut Vec<u8>));

/// The order of Ed25519's group, little-endian (RFC 8032 section 5.1).
const ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

/// Changes of key id and signature (4 and 64 bytes) that a lenient verifier lets through.
pub(super) const SIGNATURES: &[Change] = &[
    ("the scalar and the order", |bytes| {
        let mut carry = 0;
        for (byte, add) in bytes[36..].iter_mut().zip(ORDER) {
            let sum = u16::from(*byte) + u16::from(add) + carry;
            *byte = sum as u8;
            carry = sum >> 8;
        }
    }),
    ("nothing but zeros", |bytes| bytes[4..].fill(0)),
    ("the neutral point and no scalar", |bytes| {
        bytes[4..].fill(0);
        bytes[4] = 1;
    }),
    ("a point that is none", |bytes| {
        bytes[4..36].fill(0);
        bytes[4] = 2;
    }),
    ("the other sign", |bytes| bytes[35] ^= 0x80),
    ("cut short", |bytes| bytes.truncate(67)),
    ("too long", |bytes| bytes.push(0)),
];

/// First byte, all bytes between, last byte: points of small order, other spellings of them, and none.
pub(super) const POINTS: &[&str] = &[
    "00 00 00", "01 00 00", "01 00 80", "02 00 00", "03 00 00", "04 00 00", "06 00 00", "07 00 00",
    "ec ff 7f", "ec ff ff", "ed ff 7f", "ed ff ff", "ee ff 7f", "ee ff ff", "f0 ff 7f", "f1 ff 7f",
    "ff ff 7f", "ff ff ff", "00 00 80",
];

pub(super) fn fixed_point(text: &str) -> [u8; 32] {
    let bytes: Vec<u8> = text
        .split(' ')
        .map(|digits| u8::from_str_radix(digits, 16).unwrap())
        .collect();
    let mut point = [bytes[1]; 32];
    point[0] = bytes[0];
    point[31] = bytes[2];
    point
}

pub(super) const CONTAINERS: &[Change] = &[
    ("something before", |zip| {
        zip.splice(0..0, *b"#!/bin/sh\n");
    }),
    ("something behind", |zip| zip.push(0)),
    ("deflated", |zip| zip[8] = 8),
    ("four gigabytes", |zip| zip[18..26].fill(0xff)),
    ("a long name", |zip| zip[26..28].fill(0xff)),
];

pub(super) const SPELLINGS: &[(&str, &str)] = &[
    ("\"drill\":true", "\"drill\":1"),
    ("\"drill\":true", "\"drill\":null"),
    ("\"drill\":true,", ""),
    ("\"late\":false", "\"late\":false,\"more\":1"),
    ("\"mono_ms\":", "\"mono_ms\":0"),
    ("\"mono_ms\":", "\"mono_ms\":-"),
    ("\"mono_ms\":", "\"mono_ms\":1e3,\"x\":"),
    ("\"wall_ms\":", "\"wall_ms\":99999999999999999999,\"x\":"),
    ("\"incident\":\"", "\"incident\":\"A"),
    ("\"boot\":\"", "\"boot\":\"g"),
    ("{\"seq\"", " {\"seq\""),
    ("\"score\":0.98", "\"score\":1e999"),
    ("\"score\":0.98", "\"score\":98"),
    ("\"score\":0.98", "\"score\":\"0.98\""),
    (
        "\"outcome\":\"emergency\"",
        "\"outcome\":{\"emergency\":null}",
    ),
    ("\"outcome\":\"emergency\"", "\"outcome\":\"other\""),
    ("\"kind\":\"wake\"", "\"kind\":\"toString\""),
    ("\"text\":\"call", "\"text\":\"\\ud800"),
    ("\"text\":\"call", "\"text\":\"\\u00e9\\ud83d\\ude00"),
    ("\"readings\":[{", "\"readings\":[[[[[[[[[[[[[[[[[[{"),
    ("\"status\":200", "\"status\":70000"),
];
