//! RTP, RTCP and the session behind them: the input is a script of datagrams, samples and time.
#![no_main]

use core::time::Duration;

use hearthline_media::rtcp::{RtcpLimits, parse_compound, write_compound};
use hearthline_media::{Codec, Output, RtpLimits, RtpPacket, Session, SessionConfig};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Ok(packet) = RtpPacket::parse(data, &RtpLimits::default()) {
        let again = packet.write().expect("what was read can be written");
        assert_eq!(
            RtpPacket::parse(&again, &RtpLimits::default()).expect("own writing"),
            packet
        );
    }
    if let Ok(packets) = parse_compound(data, &RtcpLimits::default()) {
        let again = write_compound(&packets).expect("what was read can be written");
        assert_eq!(
            parse_compound(&again, &RtcpLimits::default()).expect("own writing"),
            packets
        );
    }

    // One octet says what, one how much, one how long after; then the octets.
    let mut session = Session::new(SessionConfig::new(Codec::G722, 1)).expect("a static type");
    let mut now = Duration::ZERO;
    let mut rest = data;
    while let [what, length, pause, tail @ ..] = rest {
        let (piece, tail) = tail.split_at(usize::from(*length).min(tail.len()));
        rest = tail;
        match what % 8 {
            0 => session.handle_rtcp(piece, now),
            1 => {
                let samples: Vec<i16> = piece.iter().map(|&octet| i16::from(octet) << 7).collect();
                session.handle_microphone(&samples.repeat(20), now);
            }
            2 => {
                let _ = session.send_digit(char::from(*length), now);
            }
            3 => session.handle_rtp(piece, now),
            kind => {
                // A right header, so that what lies behind the parser is reached.
                let mut packet = vec![0x80, [9, 101, 13, 0][usize::from(kind - 4)]];
                packet.extend(piece);
                session.handle_rtp(&packet, now);
            }
        }
        now += Duration::from_millis(u64::from(*pause) * if what & 0x80 != 0 { 30 } else { 1 });
        loop {
            match session.poll_output(now) {
                Output::Playout(frame) => assert_eq!(frame.len(), 320),
                Output::Timeout(next) => {
                    assert!(next.is_some_and(|next| next > now));
                    break;
                }
                _ => {}
            }
        }
    }
    session.close(now);
    let _ = session.statistics();
});
