//! A browser's end, of the same parts as ours: it offers as browsers do, with `actpass`, a bundle and many codecs.
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use hearthline_media::secure::{DtlsRole, IceRole, SecureConfig, SecureOutput, SecureTransport};
use hearthline_media::{Codec, Output, Session, SessionConfig};
use hearthline_sip::sdp::SessionDescription;
use hearthline_sip::sdp::fingerprint::Fingerprint;
use hearthline_sip::sdp::security::Security;
use zeroize::Zeroizing;

pub(crate) struct Browser {
    pub(crate) way: SecureTransport,
    pub(crate) session: Session,
    pub(crate) local: SocketAddr,
    /// What it heard.
    pub(crate) heard: Vec<i16>,
    pub(crate) closed: bool,
}

impl Browser {
    pub(crate) fn new(local: SocketAddr, origin: Instant) -> Self {
        let key = rcgen::KeyPair::generate().unwrap();
        let params = rcgen::CertificateParams::new(["browser".to_owned()]).unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let config = SecureConfig {
            role: IceRole::Controlling,
            certificate: certificate.der().to_vec(),
            private_key: Zeroizing::new(key.serialize_der()),
            addresses: vec![local],
            seed: [7; 32],
            origin,
        };
        let mut session = SessionConfig::new(Codec::G722, 99);
        session.telephone_event_payload_type = None;
        Self {
            way: SecureTransport::new(config, Duration::ZERO).unwrap(),
            session: Session::new(session).unwrap(),
            local,
            heard: Vec::new(),
            closed: false,
        }
    }

    /// An offer in Chromium's shape. Its address hides behind a name, as without leave to use the microphone.
    pub(crate) fn offer(&self) -> String {
        let ours = self.way.local();
        let fingerprint = Fingerprint::sha256(ours.fingerprint).to_string();
        format!(
            "v=0\r\no=- 4611731400430051336 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n\
             a=extmap-allow-mixed\r\na=msid-semantic: WMS stream\r\n\
             m=audio 9 UDP/TLS/RTP/SAVPF 111 63 9 0 8 13 110 126\r\nc=IN IP4 0.0.0.0\r\n\
             a=rtcp:9 IN IP4 0.0.0.0\r\n\
             a=candidate:1 1 udp 2113937151 0f8a2f3e-6b2c-4d9e-9a51-0d5f5e6f7a8b.local 53412 typ host generation 0\r\n\
             a=ice-ufrag:{}\r\na=ice-pwd:{}\r\na=ice-options:trickle\r\na=fingerprint:{fingerprint}\r\n\
             a=setup:actpass\r\na=mid:0\r\na=sendrecv\r\na=msid:stream track\r\na=rtcp-mux\r\na=rtcp-rsize\r\n\
             a=rtpmap:111 opus/48000/2\r\na=fmtp:111 minptime=10;useinbandfec=1\r\na=rtpmap:63 red/48000/2\r\n\
             a=rtpmap:9 G722/8000\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:13 CN/8000\r\n\
             a=rtpmap:110 telephone-event/48000\r\na=rtpmap:126 telephone-event/8000\r\na=ssrc:1 cname:x\r\n",
            ours.ufrag, ours.pwd
        )
    }

    /// Takes our answer.
    pub(crate) fn answered(&mut self, answer: &str, now: Duration) {
        let answer = SessionDescription::parse(answer.as_bytes()).unwrap();
        assert_eq!(
            answer.media[0].formats,
            ["9"],
            "G.722, sixteen thousand samples a second"
        );
        assert_eq!(answer.attributes.get("group"), Some("BUNDLE 0"));
        self.take(&answer, DtlsRole::Server, now);
    }

    /// Takes a description of the other side, as this end of the handshake.
    pub(crate) fn take(&mut self, theirs: &SessionDescription, role: DtlsRole, now: Duration) {
        let Security::Dtls(theirs) = Security::of(theirs, &theirs.media[0]).unwrap() else {
            panic!("the description is not protected");
        };
        let theirs = hearthline_webrtc::dtls::read(&theirs).unwrap();
        self.way.set_remote(theirs, role, now).unwrap();
    }

    /// Carries out what it wants; gives the datagrams to send.
    pub(crate) fn drain(&mut self, now: Duration) -> Vec<(SocketAddr, Vec<u8>)> {
        let mut sent = Vec::new();
        for _ in 0..2 {
            loop {
                match self.way.poll_output() {
                    SecureOutput::Transmit { to, bytes, .. } => sent.push((to, bytes)),
                    SecureOutput::Rtp(packet) => self.session.handle_rtp(&packet, now),
                    SecureOutput::Rtcp(packet) => self.session.handle_rtcp(&packet, now),
                    SecureOutput::Event(event) => {
                        self.closed |= format!("{event:?}").starts_with("PeerClosed");
                    }
                    SecureOutput::Timeout(_) => break,
                }
            }
            if !self.way.is_connected() {
                break;
            }
            loop {
                match self.session.poll_output(now) {
                    Output::Rtp(packet) => drop(self.way.send_rtp(&packet)),
                    Output::Rtcp(packet) => drop(self.way.send_rtcp(&packet)),
                    Output::Playout(frame) => self.heard.extend(frame),
                    Output::Event(_) => {}
                    Output::Timeout(_) => break,
                }
            }
        }
        sent
    }
}

/// 20 ms of a tone.
pub(crate) fn tone(hz: f64, frame: u64) -> Vec<i16> {
    let first = frame * 320;
    (first..first + 320)
        .map(|at| ((at as f64 * hz * std::f64::consts::TAU / 16_000.0).sin() * 8_000.0) as i16)
        .collect()
}

/// How much of `sound` is that tone: 1 for a pure one.
pub(crate) fn share(sound: &[i16], hz: f64) -> f64 {
    let (mut real, mut imaginary, mut power) = (0.0, 0.0, 1.0);
    for (at, sample) in sound.iter().enumerate() {
        let angle = at as f64 * hz * std::f64::consts::TAU / 16_000.0;
        let sample = f64::from(*sample);
        real += sample * angle.cos();
        imaginary += sample * angle.sin();
        power += sample * sample;
    }
    2.0 * (real * real + imaginary * imaginary) / (power * sound.len() as f64)
}
