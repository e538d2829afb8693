//! Every datagram of a test, as somebody on the same network sees it.
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hearthline_media::{Codec, Output, Session, SessionConfig};
use rustix::net::{AddressFamily, RecvFlags, SocketType, eth, recv, socket};

use crate::namespace::Network;
use crate::speakers_call_each_other::transcribed;

/// Bytes of Ethernet, IPv4 and UDP before what a datagram carries.
const HEADERS: usize = 14 + 20 + 8;

/// What was seen.
pub(crate) struct Capture {
    datagrams: Option<Arc<Mutex<Vec<Vec<u8>>>>>,
    /// How far apart those of one voice are.
    apart: Duration,
}

impl Capture {
    /// None: the test of this name has run in a namespace of its own already.
    pub(crate) fn inside(test: &str) -> Option<Self> {
        Self::of_test(&format!("speakers_call_each_other::{test}"))
    }

    /// The same for a test of any file, `file::name`.
    pub(crate) fn of_test(test: &str) -> Option<Self> {
        // On the loopback each is seen twice, as it leaves and as it comes.
        let apart = Duration::from_millis(10);
        match Network::own(test, "ip link set lo up") {
            Network::Done => None,
            Network::Own => Some(Self {
                datagrams: Some(Self::of_this_network()),
                apart,
            }),
            Network::Shared => {
                println!("not captured: needs root, unshare and ip for a network of its own");
                Some(Self {
                    datagrams: None,
                    apart,
                })
            }
        }
    }

    /// Frames of Ethernet that passed a wire once each.
    pub(crate) fn of_frames(frames: &[Vec<u8>]) -> Self {
        let datagrams = frames.iter().filter_map(|frame| datagram(frame)).collect();
        Self {
            datagrams: Some(Arc::new(Mutex::new(datagrams))),
            apart: Duration::from_millis(20),
        }
    }

    fn of_this_network() -> Arc<Mutex<Vec<Vec<u8>>>> {
        let wire = socket(AddressFamily::PACKET, SocketType::RAW, Some(eth::ALL)).unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let kept = seen.clone();
        std::thread::spawn(move || {
            let mut frame = vec![0; 4_096];
            while let Ok((_, length)) = recv(&wire, &mut frame[..], RecvFlags::empty()) {
                if let Some(datagram) = datagram(&frame[..length.min(4_096)]) {
                    kept.lock().unwrap().push(datagram);
                }
            }
        });
        seen
    }

    /// Nobody who has the whole capture understands a word of it.
    pub(crate) fn holds_no_speech(&self, said: &[&str]) {
        let Some(seen) = &self.datagrams else {
            return;
        };
        let seen = seen.lock().unwrap();
        let checks = seen.iter().filter(|bytes| bytes[0] < 4).count();
        let records = seen
            .iter()
            .filter(|bytes| (20..64).contains(&bytes[0]))
            .count();
        let sources = sources(&seen);
        println!(
            "captured: {} datagrams, {checks} of ICE, {records} of DTLS, sound of {} sources",
            seen.len(),
            sources.len()
        );
        assert!(checks > 0 && records > 0 && sources.len() == 2);
        drop(seen);
        for text in self.overheard(Codec::G722) {
            // A recogniser makes words of noise too, but not these.
            let found = said.iter().filter(|word| text.contains(**word)).count();
            assert!(found < 2, "{text}");
        }
    }

    /// What each voice says to somebody who takes the capture for sound in the clear.
    pub(crate) fn overheard(&self, codec: Codec) -> Vec<String> {
        let Some(seen) = &self.datagrams else {
            return Vec::new();
        };
        let seen = seen.lock().unwrap();
        let mut texts = Vec::new();
        for source in sources(&seen) {
            let mut session = Session::new(SessionConfig::new(codec, 1)).unwrap();
            let mut heard = Vec::new();
            let mut now = Duration::ZERO;
            let of_it = |bytes: &&Vec<u8>| is_sound(bytes) && bytes[8..12] == source;
            for bytes in seen.iter().filter(of_it) {
                session.handle_rtp(bytes, now);
                now += self.apart;
                loop {
                    match session.poll_output(now) {
                        Output::Playout(samples) => heard.extend(samples),
                        Output::Timeout(Some(at)) if at <= now => session.handle_timeout(now),
                        Output::Timeout(_) => break,
                        _ => {}
                    }
                }
            }
            assert!(heard.len() > 32_000, "{}", heard.len());
            let end = heard.len().min(176_000);
            let text = transcribed(&heard[heard.len() - end..]).to_lowercase();
            println!("overheard: {text}");
            texts.push(text);
        }
        texts
    }
}

/// What a frame carries by UDP.
fn datagram(frame: &[u8]) -> Option<Vec<u8>> {
    let is_udp = frame.len() > HEADERS && frame[12..14] == [8, 0] && frame[23] == 17;
    is_udp.then(|| frame[HEADERS..].to_vec())
}

fn is_sound(bytes: &[u8]) -> bool {
    bytes.len() > 100 && bytes[0] >> 6 == 2 && !(192..=223).contains(&bytes[1])
}

/// The names of the streams of sound (RFC 3550 section 3).
fn sources(seen: &[Vec<u8>]) -> Vec<[u8; 4]> {
    let mut sources = Vec::new();
    for bytes in seen.iter().filter(|bytes| is_sound(bytes)) {
        let source = [bytes[8], bytes[9], bytes[10], bytes[11]];
        if !sources.contains(&source) {
            sources.push(source);
        }
    }
    sources
}
