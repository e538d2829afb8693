//! Descriptions and datagrams from anybody, in any order, into the bridge between a browser and a telephone. Nothing of the
//! browser's transport is told to the telephone, nothing is sent where nobody was named, and what is over stays over.
#![no_main]

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use hearthline_sip::sdp::SessionDescription;
use hearthline_webrtc::{Bridge, BridgeConfig, BridgeOutput, Keys, Offerer};
use libfuzzer_sys::fuzz_target;

const BROWSERS: &str = "v=0\r\no=- 5 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n\
    m=audio 40004 UDP/TLS/RTP/SAVPF 111 0 126\r\nc=IN IP4 127.0.0.1\r\na=rtpmap:111 opus/48000/2\r\n\
    a=rtpmap:126 telephone-event/8000\r\na=rtcp-mux\r\na=mid:0\r\na=ice-ufrag:abcd\r\n\
    a=ice-pwd:abcdefghijklmnopqrstuvwx\r\na=fingerprint:sha-256 \
    AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA\r\n\
    a=setup:actpass\r\na=candidate:1 1 UDP 2113937151 127.0.0.1 40004 typ host\r\na=sendrecv\r\n";
const TELEPHONES: &str = "v=0\r\no=phone 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
    m=audio 6000 RTP/AVP 0 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\n\
    a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\r\na=ptime:20\r\na=sendrecv\r\n";

fn keys() -> Keys {
    thread_local! {
        static KEYS: Keys = match Keys::generate() {
            Ok(keys) => keys,
            Err(error) => unreachable!("{error}"),
        };
    }
    KEYS.with(Clone::clone)
}

/// The input as it is, or a description with it written over a place that its first byte names.
fn description(template: &str, kind: u8, piece: &[u8]) -> Vec<u8> {
    if kind & 0x40 != 0 {
        return piece.to_vec();
    }
    let mut text = template.as_bytes().to_vec();
    if let Some((&at, over)) = piece.split_first() {
        let at = usize::from(at) * text.len() / 256;
        let end = (at + over.len()).min(text.len());
        drop(text.splice(at..end, over.iter().copied()));
    }
    text
}

fuzz_target!(|bytes: &[u8]| {
    let Some((&first, mut rest)) = bytes.split_first() else {
        return;
    };
    let (for_browser, for_far): (SocketAddr, SocketAddr) =
        (([127, 0, 0, 1], 4000).into(), ([127, 0, 0, 1], 4100).into());
    let (browser, far): (SocketAddr, SocketAddr) = (
        ([127, 0, 0, 1], 40_004).into(),
        ([127, 0, 0, 1], 6000).into(),
    );
    let config = BridgeConfig {
        keys: keys(),
        browser_side: for_browser,
        far_side: for_far,
        seed: [7; 32],
        origin: Instant::now(),
        first: if first & 1 == 0 {
            Offerer::Browser
        } else {
            Offerer::Far
        },
    };
    let mut now = Duration::ZERO;
    let mut bridge = match Bridge::new(&config, now) {
        Ok(bridge) => bridge,
        Err(error) => unreachable!("{error}"),
    };
    let mut named = false;
    while let [kind, length, more @ ..] = rest {
        let (piece, more) = more.split_at(usize::from(*length).min(more.len()));
        rest = more;
        now += Duration::from_millis(u64::from(kind >> 3) * 50);
        let was_over = bridge.is_over();
        let (told, to_browser) = match kind & 7 {
            0 => (
                bridge.offer_of_browser(&description(BROWSERS, *kind, piece), now),
                false,
            ),
            1 => (
                bridge.answer_of_far(&description(TELEPHONES, *kind, piece), now),
                true,
            ),
            2 => (
                bridge.offer_of_far(&description(TELEPHONES, *kind, piece), now),
                true,
            ),
            3 => (
                bridge.answer_of_browser(&description(BROWSERS, *kind, piece), now),
                false,
            ),
            4 => (
                bridge.early_of_far(&description(TELEPHONES, *kind, piece), now),
                true,
            ),
            5 => {
                bridge.handle_browser(browser, piece, now);
                bridge.handle_timeout(now);
                (Ok(Vec::new()), true)
            }
            6 => {
                bridge.handle_rtp(far, piece, now);
                bridge.handle_rtcp(far, piece, now);
                (Ok(Vec::new()), true)
            }
            _ => {
                if *length == 0 {
                    bridge.close(now);
                }
                (Ok(Vec::new()), true)
            }
        };
        assert!(!was_over || bridge.is_over(), "what is over stays over");
        if let Ok(told) = told
            && !told.is_empty()
        {
            assert!(!was_over, "it tells nothing any more");
            assert!(
                SessionDescription::parse(&told).is_ok(),
                "what is told reads"
            );
            let text = String::from_utf8_lossy(&told);
            if !to_browser {
                for secret in ["a=fingerprint", "a=ice-", "a=candidate"] {
                    let told = text.lines().any(|line| line.starts_with(secret));
                    assert!(!told, "{secret} was told to a telephone");
                }
            }
            // Only these name where the telephone is.
            named |= matches!(kind & 7, 1 | 3 | 4);
        }
        loop {
            match bridge.poll_output() {
                BridgeOutput::ToBrowser { .. } => {}
                BridgeOutput::Rtp { to, .. } | BridgeOutput::Rtcp { to, .. } => {
                    assert!(named, "nobody was named");
                    assert_ne!(to.ip(), IpAddr::from([0, 0, 0, 0]));
                }
                BridgeOutput::Timeout(at) => {
                    assert!(!bridge.is_over() || at.is_none());
                    break;
                }
            }
        }
    }
});
