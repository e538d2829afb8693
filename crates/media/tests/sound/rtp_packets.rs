//! RFC 3550 §5.1 and §5.3.1: every length, every flag.

use hearthline_media::{Extension, RtpError, RtpLimits, RtpPacket, is_rtcp};
use proptest::prelude::*;

const LIMITS: RtpLimits = RtpLimits {
    packet_bytes_max: 1500,
    extension_bytes_max: 512,
    payload_bytes_max: 1280,
};

fn parse(bytes: &[u8]) -> Result<RtpPacket<'_>, RtpError> {
    RtpPacket::parse(bytes, &LIMITS)
}

fn header(first: u8) -> Vec<u8> {
    vec![
        first,
        0x80 | 9,
        0x12,
        0x34,
        0,
        0,
        0,
        160,
        0xde,
        0xad,
        0xbe,
        0xef,
    ]
}

#[test]
fn the_fixed_header_is_read_field_by_field() {
    let mut bytes = header(0x80);
    bytes.extend([1, 2, 3]);
    let packet = parse(&bytes).unwrap();
    assert!(packet.marker);
    assert_eq!((packet.payload_type, packet.sequence), (9, 0x1234));
    assert_eq!((packet.timestamp, packet.ssrc), (160, 0xdead_beef));
    assert_eq!(packet.payload, [1, 2, 3]);
}

#[test]
fn csrc_extension_and_padding_are_stepped_over() {
    let mut bytes = header(0x80 | 0x20 | 0x10 | 2);
    bytes.extend([0, 0, 0, 1, 0, 0, 0, 2]); // two contributing sources
    bytes.extend([0xbe, 0xde, 0, 1, 9, 9, 9, 9]); // one word of extension
    bytes.extend([7, 7, 0, 0, 3]); // two octets of audio, three of padding
    let packet = parse(&bytes).unwrap();
    assert_eq!(packet.csrc, [1, 2]);
    assert_eq!(
        packet.extension,
        Some(Extension {
            profile: 0xbede,
            data: &[9, 9, 9, 9]
        })
    );
    assert_eq!((packet.payload, packet.padding), (&[7, 7][..], 3));
    assert_eq!(packet.write().unwrap(), bytes);
}

#[test]
fn an_extension_of_no_words_is_valid() {
    let mut bytes = header(0x90);
    bytes.extend([0, 0, 0, 0, 5]);
    assert_eq!(parse(&bytes).unwrap().payload, [5]);
}

#[test]
fn each_wrong_length_is_refused_with_its_name() {
    assert!(matches!(
        parse(&[]),
        Err(RtpError::Truncated {
            what: "fixed header",
            ..
        })
    ));
    assert!(matches!(
        parse(&header(0x80)[..11]),
        Err(RtpError::Truncated { .. })
    ));
    assert!(matches!(
        parse(&header(0x81)),
        Err(RtpError::Truncated {
            what: "CSRC list",
            ..
        })
    ));
    assert!(matches!(
        parse(&header(0x90)),
        Err(RtpError::Truncated {
            what: "extension header",
            ..
        })
    ));
    let mut long = header(0x90);
    long.extend([0, 0, 0, 2, 1, 2, 3, 4]);
    assert!(matches!(
        parse(&long),
        Err(RtpError::Truncated {
            what: "extension",
            ..
        })
    ));
    let mut wide = header(0x90);
    wide.extend([0, 0, 0xff, 0xff]);
    assert!(matches!(
        parse(&wide),
        Err(RtpError::TooLarge {
            what: "extension",
            ..
        })
    ));
    for version in [0x00, 0x40, 0xc0] {
        assert_eq!(
            parse(&header(version)),
            Err(RtpError::Version(version >> 6))
        );
    }
    assert!(matches!(
        parse(&[0x80; 1501]),
        Err(RtpError::TooLarge { what: "packet", .. })
    ));
    assert!(matches!(
        parse(&[0x80; 1400]),
        Err(RtpError::TooLarge {
            what: "payload",
            ..
        })
    ));
}

#[test]
fn padding_must_fit_what_is_there() {
    for (tail, fits) in [
        (&[][..], false),
        (&[0], false),
        (&[1], true),
        (&[2], false),
        (&[9, 2], true),
        (&[9, 3], false),
    ] {
        let mut bytes = header(0xa0);
        bytes.extend(tail);
        assert_eq!(parse(&bytes).is_ok(), fits, "{tail:?}");
    }
}

#[test]
fn what_does_not_fit_the_header_is_not_written() {
    let bytes = header(0x80);
    let packet = parse(&bytes).unwrap();
    assert!(
        RtpPacket {
            payload_type: 128,
            ..packet.clone()
        }
        .write()
        .is_err()
    );
    assert!(
        RtpPacket {
            csrc: vec![0; 16],
            ..packet.clone()
        }
        .write()
        .is_err()
    );
    let odd = Some(Extension {
        profile: 0,
        data: &[1, 2, 3],
    });
    assert!(
        RtpPacket {
            extension: odd,
            ..packet
        }
        .write()
        .is_err()
    );
}

#[test]
fn rtcp_on_the_same_port_is_told_apart() {
    assert!(is_rtcp(&[0x80, 200, 0, 6]));
    assert!(!is_rtcp(&header(0x80)));
    assert!(!is_rtcp(&[0x80]));
    assert!(!is_rtcp(&[0x00, 200]));
}

proptest! {
    #[test]
    fn any_octets_are_judged_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..1600)) {
        if let Ok(packet) = parse(&bytes) {
            // What is taken is written back the same, save for padding octets' values.
            let again = packet.write().unwrap();
            let packet_again = parse(&again).unwrap();
            prop_assert_eq!(packet_again, packet);
            prop_assert_eq!(again.len(), bytes.len());
        }
    }

    #[test]
    fn what_is_written_is_read(
        marker: bool, payload_type in 0u8..128, sequence: u16, timestamp: u32, ssrc: u32,
        csrc in proptest::collection::vec(any::<u32>(), 0..16),
        words in proptest::option::of(0usize..20), profile: u16,
        payload in proptest::collection::vec(any::<u8>(), 0..200), padding in 0u8..50,
    ) {
        let data = vec![0xabu8; words.unwrap_or(0) * 4];
        let packet = RtpPacket {
            marker, payload_type, sequence, timestamp, ssrc, csrc,
            extension: words.map(|_| Extension { profile, data: &data }),
            payload: &payload, padding,
        };
        let bytes = packet.write().unwrap();
        prop_assert_eq!(parse(&bytes).unwrap(), packet);
    }
}
