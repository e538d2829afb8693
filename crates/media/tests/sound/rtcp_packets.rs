//! RFC 3550 §6 and A.2: compound packets.

use hearthline_media::rtcp::{
    ReportBlock, RtcpError, RtcpLimits, RtcpPacket, SDES_CNAME, SdesChunk, SdesItem, SenderInfo,
    parse_compound, write_compound,
};
use proptest::prelude::*;

fn parse(bytes: &[u8]) -> Result<Vec<RtcpPacket>, RtcpError> {
    parse_compound(bytes, &RtcpLimits::default())
}

fn report(lost: i32) -> ReportBlock {
    ReportBlock {
        ssrc: 5,
        fraction_lost: 12,
        cumulative_lost: lost,
        ..ReportBlock::default()
    }
}

#[test]
fn a_compound_is_written_and_read_back() {
    let packets = vec![
        RtcpPacket::SenderReport {
            ssrc: 1,
            info: SenderInfo {
                ntp: 0xe000_0000_8000_0000,
                rtp_timestamp: 160,
                packets: 2,
                octets: 320,
            },
            reports: vec![report(-3)],
        },
        RtcpPacket::SourceDescription(vec![SdesChunk {
            ssrc: 1,
            items: vec![SdesItem {
                kind: SDES_CNAME,
                text: b"a-name".to_vec(),
            }],
        }]),
        RtcpPacket::Goodbye {
            sources: vec![1],
            reason: Some(b"over".to_vec()),
        },
    ];
    let bytes = write_compound(&packets).unwrap();
    assert_eq!(bytes.len() % 4, 0);
    let read = parse(&bytes).unwrap();
    assert_eq!(read, packets);
}

#[test]
fn losses_beyond_24_bits_stay_at_the_end_of_the_scale() {
    for (lost, read) in [
        (-3, -3),
        (0x7f_ffff, 0x7f_ffff),
        (i32::MAX, 0x7f_ffff),
        (i32::MIN, -0x80_0000),
    ] {
        let packet = RtcpPacket::ReceiverReport {
            ssrc: 1,
            reports: vec![report(lost)],
        };
        let bytes = write_compound(&[packet]).unwrap();
        let [RtcpPacket::ReceiverReport { reports, .. }] = &parse(&bytes).unwrap()[..] else {
            panic!()
        };
        assert_eq!(reports[0].cumulative_lost, read);
    }
}

#[test]
fn a_compound_must_begin_with_a_report() {
    let bye = [0x81, 203, 0, 1, 0, 0, 0, 1];
    assert_eq!(parse(&bye), Err(RtcpError::NoReportFirst(203)));
    assert!(
        write_compound(&[RtcpPacket::Goodbye {
            sources: vec![1],
            reason: None
        }])
        .is_err()
    );
}

#[test]
fn lengths_versions_and_padding_are_checked() {
    let rr = [0x80, 201, 0, 1, 0, 0, 0, 9];
    assert!(parse(&rr).is_ok());
    assert!(matches!(parse(&[]), Err(RtcpError::Truncated { .. })));
    assert!(matches!(parse(&rr[..7]), Err(RtcpError::Truncated { .. })));
    assert!(matches!(
        parse(&[0x81, 201, 0, 1, 0, 0, 0, 9]),
        Err(RtcpError::Truncated { what: "body", .. })
    ));
    assert!(matches!(
        parse(&[0x40, 201, 0, 1, 0, 0, 0, 9]),
        Err(RtcpError::Version { version: 1, .. })
    ));
    let mut trailing = rr.to_vec();
    trailing.extend([0x80, 200]);
    assert!(matches!(
        parse(&trailing),
        Err(RtcpError::Truncated {
            what: "header",
            at: 8
        })
    ));
    // Padding on the last packet, in words; not before it, not more than there is.
    assert!(parse(&[0xa0, 201, 0, 2, 0, 0, 0, 9, 0, 0, 0, 4]).is_ok());
    assert!(matches!(
        parse(&[0xa0, 201, 0, 2, 0, 0, 0, 9, 0, 0, 0, 3]),
        Err(RtcpError::Padding { at: 0 })
    ));
    assert!(matches!(
        parse(&[0xa0, 201, 0, 1, 0, 0, 0, 16]),
        Err(RtcpError::Padding { at: 0 })
    ));
    let mut early = vec![0xa0, 201, 0, 2, 0, 0, 0, 9, 0, 0, 0, 4];
    early.extend(rr);
    assert!(matches!(parse(&early), Err(RtcpError::Padding { at: 0 })));
}

#[test]
fn unknown_types_are_walked_over() {
    let bytes = [
        0x80, 201, 0, 1, 0, 0, 0, 9, 0x85, 207, 0, 2, 0, 0, 0, 9, 1, 2, 3, 4,
    ];
    let packets = parse(&bytes).unwrap();
    assert_eq!(
        packets[1],
        RtcpPacket::Other {
            kind: 207,
            count: 5,
            body: vec![0, 0, 0, 9, 1, 2, 3, 4]
        }
    );
}

#[test]
fn many_small_packets_are_refused_at_the_limit() {
    let many: Vec<u8> = [0x80, 201, 0, 1, 0, 0, 0, 9].repeat(40);
    assert!(matches!(
        parse(&many),
        Err(RtcpError::OverLimit {
            what: "packet count",
            ..
        })
    ));
    assert!(matches!(
        parse(&[0; 1504]),
        Err(RtcpError::OverLimit {
            what: "octet count",
            ..
        })
    ));
}

#[test]
fn a_chunk_without_its_null_is_refused() {
    let bytes = [
        0x80, 201, 0, 1, 0, 0, 0, 9, 0x81, 202, 0, 2, 0, 0, 0, 9, 1, 2, b'a', b'b',
    ];
    assert!(matches!(
        parse(&bytes),
        Err(RtcpError::Truncated {
            what: "body",
            at: 8
        })
    ));
}

proptest! {
    #[test]
    fn any_octets_are_judged_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..1600)) {
        let _ = parse(&bytes);
    }

    #[test]
    fn any_body_behind_a_right_header_is_judged_without_panic(
        count in 0u8..32, kind in 199u8..208, body in proptest::collection::vec(any::<u8>(), 0..200),
    ) {
        let mut bytes = vec![0x80, 201, 0, 1, 0, 0, 0, 9, 0x80 | count, kind, 0, (body.len() / 4) as u8];
        bytes.extend(&body[..body.len() / 4 * 4]);
        if let Ok(packets) = parse(&bytes) {
            let again = write_compound(&packets).unwrap();
            prop_assert_eq!(parse(&again).unwrap(), packets);
        }
    }
}
