//! A browser on one side, a telephone on the other, a bridge between them, in virtual time.
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use hearthline_media::secure::DtlsRole;
use hearthline_media::srtp::{SrtpProfile, SrtpReceiver, SrtpSender};
use hearthline_media::{Codec, Output, RtpLimits, RtpPacket, Session, SessionConfig, is_rtcp};
use hearthline_sip::sdp::SessionDescription;
use hearthline_sip::sdp::crypto::{Crypto, CryptoSuite};
use hearthline_webrtc::{Bridge, BridgeConfig, BridgeError, BridgeOutput, Keys, Offerer};

use crate::browser::{Browser, share, tone};

const FOR_BROWSER: &str = "127.0.0.1:4000";
const FOR_FAR: &str = "127.0.0.1:4100";
const BROWSER: &str = "127.0.0.1:5000";
const FAR: &str = "127.0.0.1:6000";
const STEP: Duration = Duration::from_millis(10);
/// A telephone's answer to what the browser offers: G.711 and its own number for tones.
const ANSWER: &str = "v=0\r\no=phone 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
    m=audio 6000 RTP/AVP 0 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\n\
    a=ptime:20\r\na=sendrecv\r\n";

fn at(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn read(sdp: &[u8]) -> SessionDescription {
    SessionDescription::parse(sdp).unwrap()
}

struct Scene {
    bridge: Bridge,
    browser: Browser,
    telephone: Session,
    keys: Option<(SrtpSender, SrtpReceiver)>,
    now: Duration,
    /// RTP as it came to the telephone.
    came: Vec<Vec<u8>>,
    reports: usize,
    heard: Vec<i16>,
    frames: u64,
}

impl Scene {
    fn new(first: Offerer) -> Self {
        let origin = Instant::now();
        let config = BridgeConfig {
            keys: Keys::generate().unwrap(),
            browser_side: at(FOR_BROWSER),
            far_side: at(FOR_FAR),
            seed: [3; 32],
            origin,
            first,
        };
        let mut browser = Browser::new(at(BROWSER), origin);
        // A telephone's codec, which a browser speaks too.
        let session = |seed| {
            let mut config = SessionConfig::new(Codec::Pcmu, seed);
            config.telephone_event_payload_type = None;
            Session::new(config).unwrap()
        };
        browser.session = session(99);
        Self {
            bridge: Bridge::new(&config, Duration::ZERO).unwrap(),
            browser,
            telephone: session(7),
            keys: None,
            now: Duration::ZERO,
            came: Vec::new(),
            reports: 0,
            heard: Vec::new(),
            frames: 0,
        }
    }

    /// 10 ms. Both speak: the browser at 600 Hz, the telephone at 1000 Hz.
    fn step(&mut self) {
        self.now += STEP;
        let now = self.now;
        self.bridge.handle_timeout(now);
        self.browser.way.handle_timeout(now);
        if now.as_millis().is_multiple_of(20) {
            self.frames += 1;
            if self.browser.way.is_connected() {
                let said = tone(600.0, self.frames);
                self.browser.session.handle_microphone(&said, now);
            }
            let said = tone(1000.0, self.frames);
            self.telephone.handle_microphone(&said, now);
        }
        for _ in 0..3 {
            for (to, bytes) in self.browser.drain(now) {
                assert_eq!(to, at(FOR_BROWSER));
                self.bridge.handle_browser(at(BROWSER), &bytes, now);
            }
            loop {
                match self.telephone.poll_output(now) {
                    Output::Rtp(packet) => {
                        let bytes = match &mut self.keys {
                            Some((sender, _)) => sender.protect_rtp(&packet).unwrap(),
                            None => packet,
                        };
                        self.bridge.handle_rtp(at(FAR), &bytes, now);
                    }
                    Output::Rtcp(packet) => {
                        let bytes = match &mut self.keys {
                            Some((sender, _)) => sender.protect_rtcp(&packet).unwrap(),
                            None => packet,
                        };
                        self.bridge.handle_rtcp(at("127.0.0.1:6001"), &bytes, now);
                    }
                    Output::Playout(frame) => self.heard.extend(frame),
                    Output::Event(_) => {}
                    Output::Timeout(_) => break,
                }
            }
            loop {
                match self.bridge.poll_output() {
                    BridgeOutput::ToBrowser { to, bytes } => {
                        assert_eq!(to, at(BROWSER));
                        let (ours, theirs) = (at(FOR_BROWSER), at(BROWSER));
                        self.browser.way.handle_datagram(ours, theirs, &bytes, now);
                    }
                    BridgeOutput::Rtp { to, bytes } => {
                        assert_eq!(to, at(FAR));
                        let packet = match &mut self.keys {
                            Some((_, receiver)) => receiver.unprotect_rtp(&bytes).unwrap(),
                            None => bytes,
                        };
                        self.telephone.handle_rtp(&packet, now);
                        self.came.push(packet);
                    }
                    BridgeOutput::Rtcp { to, bytes } => {
                        assert_eq!(to, at("127.0.0.1:6001"));
                        let packet = match &mut self.keys {
                            Some((_, receiver)) => receiver.unprotect_rtcp(&bytes).unwrap(),
                            None => bytes,
                        };
                        assert!(is_rtcp(&packet));
                        self.telephone.handle_rtcp(&packet, now);
                        self.reports += 1;
                    }
                    BridgeOutput::Timeout(_) => break,
                }
            }
        }
    }

    fn talk(&mut self, seconds: u64) {
        let end = self.now + Duration::from_secs(seconds);
        while self.now < end {
            self.step();
        }
    }

    fn both_hear(&self) {
        let (mine, theirs) = (&self.heard, &self.browser.heard);
        let tail = |all: &[i16]| all[all.len() - 16_000..].to_vec();
        let (at_phone, at_browser) = (share(&tail(mine), 600.0), share(&tail(theirs), 1000.0));
        assert!(
            at_phone > 0.95 && at_browser > 0.95,
            "{at_phone} {at_browser}"
        );
    }

    /// The browser calls, the telephone answers.
    fn browser_calls() -> Self {
        let mut scene = Scene::new(Offerer::Browser);
        let offer = scene.browser.offer();
        let bridge = &mut scene.bridge;
        let told = bridge
            .offer_of_browser(offer.as_bytes(), scene.now)
            .unwrap();
        // It rings; the INVITE may go out again.
        assert_eq!(
            bridge
                .offer_of_browser(offer.as_bytes(), scene.now)
                .unwrap(),
            told
        );
        let answer = bridge.answer_of_far(ANSWER.as_bytes(), scene.now).unwrap();
        scene
            .browser
            .take(&read(&answer), DtlsRole::Server, scene.now);
        scene
    }
}

#[test]
fn a_browser_calls_a_telephone_and_each_hears_the_other_untouched() {
    let mut scene = Scene::browser_calls();
    scene.talk(6);
    scene.both_hear();
    assert!(scene.reports > 0, "no RTCP came to the telephone");
    let statistics = scene.bridge.statistics();
    assert!(
        statistics.to_far > 200 && statistics.to_browser > 200,
        "{statistics:?}"
    );
    // What came is what the browser's end wrote: one stream, in order, none decoded.
    let numbers: Vec<u16> = scene
        .came
        .iter()
        .map(|bytes| {
            RtpPacket::parse(bytes, &RtpLimits::default())
                .unwrap()
                .sequence
        })
        .collect();
    assert!(
        numbers
            .windows(2)
            .all(|two| two[1] == two[0].wrapping_add(1)),
        "{numbers:?}"
    );
    // A tone of the pad, under the telephone's own number for it.
    let mut pressed = scene.came.last().unwrap()[..12].to_vec();
    pressed[1] = 126 | 0x80;
    pressed[2..4].copy_from_slice(&(numbers[numbers.len() - 1].wrapping_add(1)).to_be_bytes());
    pressed.extend([5, 10, 0, 160]);
    scene.came.clear();
    scene.browser.way.send_rtp(&pressed).unwrap();
    scene.step();
    pressed[1] = 101 | 0x80;
    assert!(scene.came.contains(&pressed), "{:?}", scene.came);
    scene.bridge.close(scene.now);
    scene.step();
    assert!(scene.bridge.is_over() && scene.browser.closed);
}

#[test]
fn a_telephone_that_has_not_answered_is_heard_and_hears_nothing_whatever_the_browser_sends() {
    let mut scene = Scene::new(Offerer::Browser);
    let offer = scene.browser.offer();
    let bridge = &mut scene.bridge;
    bridge
        .offer_of_browser(offer.as_bytes(), scene.now)
        .unwrap();
    let told = read(&bridge.early_of_far(ANSWER.as_bytes(), scene.now).unwrap());
    assert!(told.media[0].attributes.has("sendonly"));
    scene.browser.take(&told, DtlsRole::Server, scene.now);
    scene.talk(3);
    let heard = &scene.browser.heard;
    let heard = share(&heard[heard.len() - 16_000..], 1000.0);
    assert!(heard > 0.95, "{heard}");
    // The browser speaks all the same, and presses a key: none of it gets out.
    let sent = scene.browser.session.statistics().sent_packets;
    assert!(sent > 100, "{sent}");
    let mut pressed = vec![0x80, 126 | 0x80, 0, 1, 0, 0, 0, 0, 0, 0, 0, 9];
    pressed.extend([5, 10, 0, 160]);
    scene.browser.way.send_rtp(&pressed).unwrap();
    scene.step();
    assert_eq!((scene.came.len(), scene.bridge.statistics().to_far), (0, 0));
    // It answers: both ways, by the keys that stand.
    let bridge = &mut scene.bridge;
    let answer = read(&bridge.answer_of_far(ANSWER.as_bytes(), scene.now).unwrap());
    let print = |of: &SessionDescription| {
        let print = of.media[0].attributes.get("fingerprint");
        print.unwrap().to_owned()
    };
    assert!(answer.media[0].attributes.has("sendrecv"));
    assert_eq!(print(&answer), print(&told));
    scene.talk(3);
    scene.both_hear();
    // Another telephone of the home took it: its address, the same keys.
    let other = ANSWER.replace("audio 6000", "audio 7000");
    let bridge = &mut scene.bridge;
    let answer = read(&bridge.answer_of_far(other.as_bytes(), scene.now).unwrap());
    assert_eq!(print(&answer), print(&told));
}

#[test]
fn each_side_is_told_of_the_other_as_it_can_understand() {
    let mut scene = Scene::new(Offerer::Browser);
    let offer = scene.browser.offer();
    let bridge = &mut scene.bridge;
    let told = bridge
        .offer_of_browser(offer.as_bytes(), scene.now)
        .unwrap();
    let text = String::from_utf8(told.clone()).unwrap();
    for gone in [
        "candidate",
        "fingerprint",
        "ice-",
        "opus",
        "CN/",
        "mid",
        "ssrc",
        "BUNDLE",
        "msid",
        "rtcp-mux",
        "48000",
    ] {
        assert!(!text.contains(gone), "{gone}: {text}");
    }
    let told = read(&told);
    let (stream, address) = (
        &told.media[0],
        told.connection.as_ref().unwrap().to_string(),
    );
    assert_eq!(
        (stream.protocol.as_str(), stream.port, address.as_str()),
        ("RTP/AVP", 4100, "127.0.0.1")
    );
    assert_eq!(stream.formats, ["9", "0", "8", "126"]);
    assert_eq!(
        stream.attributes.get_all("crypto").count(),
        2,
        "keys beside, for who takes them (RFC 8643)"
    );

    let answer = read(&bridge.answer_of_far(ANSWER.as_bytes(), scene.now).unwrap());
    let stream = &answer.media[0];
    assert_eq!(stream.protocol, "UDP/TLS/RTP/SAVPF");
    // By the numbers that the browser knows.
    assert_eq!(stream.formats, ["0", "126"]);
    assert_eq!(stream.fmtp(126), Some("0-15"));
    assert_eq!(stream.attributes.get("setup"), Some("active"));
    assert_eq!(stream.attributes.get("mid"), Some("0"));
    assert_eq!(answer.attributes.get("group"), Some("BUNDLE 0"));

    // Held by the telephone: the same keys, another direction.
    let held = ANSWER.replace("sendrecv", "sendonly");
    let later = read(&bridge.offer_of_far(held.as_bytes(), scene.now).unwrap());
    assert_eq!(later.media[0].attributes.get("setup"), Some("active"));
    assert!(later.media[0].attributes.has("sendonly"));
    let same = |name| {
        assert_eq!(
            later.media[0].attributes.get(name),
            stream.attributes.get(name)
        );
    };
    ["fingerprint", "ice-ufrag", "ice-pwd", "mid"]
        .into_iter()
        .for_each(same);
}

#[test]
fn a_line_that_keys_its_sound_calls_a_browser() {
    let mut scene = Scene::new(Offerer::Far);
    let suite = CryptoSuite::AesCm128HmacSha1_80;
    let theirs = Crypto::new(4, suite, &[9; 30]).unwrap();
    let offer = ANSWER
        .replace("RTP/AVP", "RTP/SAVP")
        .replace("m=audio", "m=video 0 RTP/SAVP 96\r\nm=audio")
        + &format!("a=crypto:{theirs}\r\n");
    let told = scene
        .bridge
        .offer_of_far(offer.as_bytes(), scene.now)
        .unwrap();
    let told = read(&told);
    assert_eq!(
        told.media.len(),
        1,
        "the browser is offered what it can take"
    );
    assert_eq!(told.media[0].attributes.get("setup"), Some("actpass"));
    // The browser's own answer: its side of the handshake begins.
    let answer = scene.browser.offer();
    let answer = answer
        .replace("actpass", "active")
        .replace("111 63 9 0 8 13 110 126", "0 101");
    let answer = answer.replace("126 telephone", "101 telephone");
    scene.browser.take(&told, DtlsRole::Client, scene.now);
    let told = scene
        .bridge
        .answer_of_browser(answer.as_bytes(), scene.now)
        .unwrap();
    let told = read(&told);
    let (refused, stream) = (&told.media[0], &told.media[1]);
    assert_eq!((refused.port, stream.protocol.as_str()), (0, "RTP/SAVP"));
    let line = stream.attributes.get("crypto").unwrap();
    let ours = Crypto::parse(line).unwrap().unwrap();
    assert_eq!((ours.tag(), ours.suite()), (4, suite));
    let profile = SrtpProfile::Aes128CmSha1_80;
    let receiver = SrtpReceiver::new(profile, ours.key_and_salt()).unwrap();
    scene.keys = Some((SrtpSender::new(profile, &[9; 30]).unwrap(), receiver));
    scene.talk(4);
    scene.both_hear();
}

#[test]
fn what_is_no_telephones_is_not_carried_and_strangers_are_not_heard() {
    let mut scene = Scene::new(Offerer::Browser);
    let offer = scene.browser.offer();
    let bridge = &mut scene.bridge;
    let now = scene.now;
    let refused = |answer: Result<Vec<u8>, BridgeError>| answer.unwrap_err().to_string();
    assert!(matches!(
        bridge.answer_of_far(ANSWER.as_bytes(), now),
        Err(BridgeError::NoOffer)
    ));
    bridge.offer_of_browser(offer.as_bytes(), now).unwrap();
    // A device answers: it protects its sound itself, and nobody stands between the two.
    let device = Browser::new(at(FAR), Instant::now())
        .offer()
        .replace("actpass", "active");
    assert!(matches!(
        bridge.answer_of_far(device.as_bytes(), now),
        Err(BridgeError::OtherProtection)
    ));
    assert!(matches!(
        bridge.offer_of_far(device.as_bytes(), now),
        Err(BridgeError::OtherProtection)
    ));
    assert!(matches!(
        bridge.offer_of_browser(ANSWER.as_bytes(), now),
        Err(BridgeError::OtherProtection)
    ));
    for (broken, why) in [
        ("m=audio 6000", "m=audio 0"),
        ("RTP/AVP 0 101", "RTP/AVP 18 101"),
        ("c=IN IP4 127.0.0.1", "c=IN IP4 phone.example.test"),
        ("v=0", "v=1"),
    ]
    .map(|(from, to)| (ANSWER.replace(from, to), to))
    {
        println!(
            "{why}: {}",
            refused(bridge.answer_of_far(broken.as_bytes(), now))
        );
    }
    let answer = bridge.answer_of_far(ANSWER.as_bytes(), now).unwrap();
    scene.browser.take(&read(&answer), DtlsRole::Server, now);
    scene.talk(2);
    let before = scene.bridge.statistics();
    for bytes in [&b""[..], b"\x80", b"hello, who is there?", &[0x80; 1_500]] {
        scene
            .bridge
            .handle_rtp(at("127.0.0.2:6000"), bytes, scene.now);
        scene
            .bridge
            .handle_rtcp(at("127.0.0.2:6001"), bytes, scene.now);
        scene
            .bridge
            .handle_browser(at("127.0.0.2:5000"), bytes, scene.now);
    }
    let after = scene.bridge.statistics();
    assert_eq!(
        (after.to_far, after.to_browser),
        (before.to_far, before.to_browser)
    );
    assert_eq!(after.dropped, before.dropped + 4);
    // A telephone that is held the old way is sent nothing.
    let held = ANSWER.replace("c=IN IP4 127.0.0.1", "c=IN IP4 0.0.0.0");
    scene
        .bridge
        .offer_of_browser(offer.as_bytes(), scene.now)
        .unwrap();
    scene
        .bridge
        .answer_of_far(held.as_bytes(), scene.now)
        .unwrap();
    scene.came.clear();
    scene.talk(1);
    assert!(scene.came.is_empty(), "{} packets", scene.came.len());
}
