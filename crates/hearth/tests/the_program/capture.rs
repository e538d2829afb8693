//! Every datagram of a test, as somebody on the same network sees it.
//!
//! The test runs itself again in a network namespace of its own, where nothing but its own programs can be seen. Without
//! the right to make one it runs where it is, and nothing is captured.
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hearthline_media::{Codec, Output, Session, SessionConfig};
use rustix::net::{AddressFamily, RecvFlags, SocketType, eth, recv, socket};

use crate::speakers_call_each_other::transcribed;

const INSIDE: &str = "HEARTHLINE_CAPTURE_INSIDE";
/// Bytes of Ethernet, IPv4 and UDP before what a datagram carries.
const HEADERS: usize = 14 + 20 + 8;

/// What was seen.
pub(crate) struct Capture(Option<Arc<Mutex<Vec<Vec<u8>>>>>);

impl Capture {
    /// None: the test of this name has run in a namespace of its own already.
    pub(crate) fn inside(test: &str) -> Option<Self> {
        if std::env::var_os(INSIDE).is_some() {
            return Some(Self::begin());
        }
        let up = "ip link set lo up";
        let possible = Command::new("unshare")
            .args(["-n", "sh", "-c", up])
            .output()
            .is_ok_and(|made| made.status.success());
        if !possible {
            println!("not captured: needs root, unshare and ip for a network of its own");
            return Some(Self(None));
        }
        let again =
            format!("{up} && exec \"$0\" --exact speakers_call_each_other::{test} --nocapture");
        let output = Command::new("timeout")
            .args(["-k", "2", "200", "unshare", "-n", "sh", "-c", &again])
            .arg(std::env::current_exe().unwrap())
            .env(INSIDE, "1")
            .output()
            .unwrap();
        let printed = String::from_utf8_lossy(&output.stdout).into_owned()
            + &String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success() && printed.contains("1 passed"),
            "{printed}"
        );
        print!("{printed}");
        None
    }

    fn begin() -> Self {
        let wire = socket(AddressFamily::PACKET, SocketType::RAW, Some(eth::ALL)).unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let kept = seen.clone();
        std::thread::spawn(move || {
            let mut frame = vec![0; 4_096];
            while let Ok((_, length)) = recv(&wire, &mut frame[..], RecvFlags::empty()) {
                let (is_udp, frame) = (frame[23] == 17, &frame[..length.min(4_096)]);
                if is_udp && frame.len() > HEADERS && frame[12..14] == [8, 0] {
                    kept.lock().unwrap().push(frame[HEADERS..].to_vec());
                }
            }
        });
        Self(Some(seen))
    }

    /// Nobody who has the whole capture understands a word of it.
    pub(crate) fn holds_no_speech(&self) {
        let Some(seen) = &self.0 else {
            return;
        };
        let seen = seen.lock().unwrap();
        let mut sources: Vec<&[u8]> = Vec::new();
        let is_sound = |bytes: &&Vec<u8>| {
            bytes.len() > 100 && bytes[0] >> 6 == 2 && !(192..=223).contains(&bytes[1])
        };
        for bytes in seen.iter().filter(is_sound) {
            if !sources.contains(&&bytes[8..12]) {
                sources.push(&bytes[8..12]);
            }
        }
        let checks = seen.iter().filter(|bytes| bytes[0] < 4).count();
        let records = seen
            .iter()
            .filter(|bytes| (20..64).contains(&bytes[0]))
            .count();
        println!(
            "captured: {} datagrams, {checks} of ICE, {records} of DTLS, sound of {} sources",
            seen.len(),
            sources.len()
        );
        assert!(checks > 0 && records > 0 && sources.len() == 2);
        for source in sources {
            let mut session = Session::new(SessionConfig::new(Codec::G722, 1)).unwrap();
            let mut heard = Vec::new();
            let mut now = Duration::ZERO;
            let of_it = |bytes: &&Vec<u8>| is_sound(bytes) && &bytes[8..12] == source;
            for bytes in seen.iter().filter(of_it) {
                session.handle_rtp(bytes, now);
                // On the loopback each is seen twice, as it leaves and as it comes.
                now += Duration::from_millis(10);
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
            // A recogniser makes words of noise too, but not these.
            let said = ["soup", "ready", "table", "set"];
            let found = said.iter().filter(|word| text.contains(**word)).count();
            assert!(found < 2, "{text}");
        }
    }
}
