//! Both ends in virtual time, and once over a real socket.
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use hearthline_webrtc::{Ended, FromBrowser, Keys, Output, Sound, SoundConfig, open};

use crate::browser::{Browser, share, tone};

const OURS: &str = "127.0.0.1:4000";
const THEIRS: &str = "127.0.0.1:5000";
const STEP: Duration = Duration::from_millis(10);

struct Pair {
    sound: Sound,
    browser: Browser,
    now: Duration,
    heard: Vec<i16>,
    news: Vec<Output>,
}

impl Pair {
    fn new(change: impl FnOnce(String) -> String) -> Self {
        let origin = Instant::now();
        let mut browser = Browser::new(THEIRS.parse().unwrap(), origin);
        let config = SoundConfig {
            keys: Keys::generate().unwrap(),
            local: OURS.parse().unwrap(),
            seed: [3; 32],
            origin,
        };
        let offer = change(browser.offer());
        let (sound, answer) = Sound::answer(offer.as_bytes(), config, Duration::ZERO).unwrap();
        browser.answered(&answer, Duration::ZERO);
        Self {
            sound,
            browser,
            now: Duration::ZERO,
            heard: Vec::new(),
            news: Vec::new(),
        }
    }

    /// 10 ms. The network carries what `carries` lets through.
    fn step(&mut self, carries: bool) {
        self.now += STEP;
        let (ours, theirs): (SocketAddr, SocketAddr) =
            (OURS.parse().unwrap(), THEIRS.parse().unwrap());
        self.sound.handle_timeout(self.now);
        self.browser.way.handle_timeout(self.now);
        for _ in 0..4 {
            for (to, bytes) in self.browser.drain(self.now) {
                assert_eq!(to, ours);
                if carries {
                    self.sound.handle_datagram(theirs, ours, &bytes, self.now);
                }
            }
            loop {
                match self.sound.poll_output() {
                    Output::Transmit { to, bytes } => {
                        assert_eq!(to, theirs);
                        if carries {
                            self.browser
                                .way
                                .handle_datagram(ours, theirs, &bytes, self.now);
                        }
                    }
                    Output::Heard(frame) => self.heard.extend(frame),
                    Output::Timeout(_) => break,
                    other => self.news.push(other),
                }
            }
        }
    }

    fn until(&mut self, what: &str, is: impl Fn(&Output) -> bool, most: Duration) {
        let end = self.now + most;
        while !self.news.iter().any(&is) {
            assert!(self.now < end, "no {what}: {:?}", self.news);
            self.step(true);
        }
    }
}

#[test]
fn sound_flows_both_ways_and_ends_by_either_side() {
    for by_browser in [false, true] {
        let mut pair = Pair::new(|offer| offer);
        pair.until(
            "connection",
            |o| *o == Output::Connected,
            Duration::from_secs(5),
        );
        assert!(pair.now <= Duration::from_secs(1), "{:?}", pair.now);
        for frame in 0..150 {
            pair.browser
                .session
                .handle_microphone(&tone(440.0, frame), pair.now);
            pair.sound.handle_samples(&tone(1_000.0, frame), pair.now);
            pair.step(true);
            pair.step(true);
        }
        let last_second = |sound: &[i16]| sound[sound.len() - 16_000..].to_vec();
        assert!(
            share(&last_second(&pair.heard), 440.0) > 0.95,
            "what the browser said"
        );
        assert!(
            share(&last_second(&pair.browser.heard), 1_000.0) > 0.95,
            "what it heard"
        );
        // A frame every 20 ms and no more.
        let seconds = pair.heard.len() as f64 / 16_000.0;
        assert!((2.5..=3.1).contains(&seconds), "{seconds} s");
        if by_browser {
            pair.browser.way.close(pair.now);
            let ended = Output::Ended(Ended::ByBrowser);
            pair.until("end", |o| *o == ended, Duration::from_secs(1));
        } else {
            pair.sound.close(pair.now);
            pair.step(true);
            assert_eq!(pair.news.last(), Some(&Output::Ended(Ended::ByUs)));
            assert!(pair.browser.closed, "the browser is told");
        }
        assert_eq!(pair.sound.poll_output(), Output::Timeout(None));
    }
}

#[test]
fn a_browser_that_goes_silent_is_told_and_then_over() {
    let mut pair = Pair::new(|offer| offer);
    pair.until(
        "connection",
        |o| *o == Output::Connected,
        Duration::from_secs(5),
    );
    let lost = pair.now;
    while pair.now < lost + Duration::from_secs(8) {
        pair.step(false);
    }
    assert_eq!(pair.news.last(), Some(&Output::Interrupted));
    pair.until("return", |o| *o == Output::Resumed, Duration::from_secs(5));
    let lost = pair.now;
    while pair.now < lost + Duration::from_secs(25) {
        pair.step(false);
    }
    assert_eq!(pair.news.last(), Some(&Output::Ended(Ended::Silent)));
}

#[test]
fn another_certificate_than_the_offer_promised_is_nobody() {
    let mut pair = Pair::new(|offer| {
        let at = offer.find("sha-256 ").unwrap() + 8;
        let mut bytes = offer.into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        String::from_utf8(bytes).unwrap()
    });
    let failed = |o: &Output| matches!(o, Output::Ended(Ended::Failed(_)));
    pair.until("refusal", failed, Duration::from_secs(21));
    assert!(!pair.news.contains(&Output::Connected));
    assert!(pair.heard.is_empty());
}

#[tokio::test]
async fn it_runs_on_a_socket_of_its_own_and_ends_with_its_owner() {
    let origin = Instant::now();
    let socket = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let mut browser = Browser::new(socket.local_addr().unwrap(), origin);
    let (answer, mut sound) = open(&browser.offer(), &Keys::generate().unwrap())
        .await
        .unwrap();
    browser.answered(&answer, origin.elapsed());
    let mut buffer = vec![0; 2_048];
    let (mut frame, mut heard) = (0, Vec::new());
    let mut connected = false;
    while origin.elapsed() < Duration::from_secs(10) && heard.len() < 24_000 {
        for (to, bytes) in browser.drain(origin.elapsed()) {
            socket.send_to(&bytes, to).await.unwrap();
        }
        tokio::select! {
            got = socket.recv_from(&mut buffer) => {
                let (length, from) = got.unwrap();
                let to = browser.local;
                browser.way.handle_datagram(from, to, &buffer[..length], origin.elapsed());
            }
            news = sound.next() => match news.unwrap() {
                FromBrowser::Connected => connected = true,
                FromBrowser::Heard(frame) => heard.extend(frame),
                other => panic!("{other:?}"),
            },
            () = tokio::time::sleep(Duration::from_millis(5)) => {
                browser.way.handle_timeout(origin.elapsed());
            }
        }
        if connected && origin.elapsed() >= Duration::from_millis(20 * frame) {
            browser
                .session
                .handle_microphone(&tone(440.0, frame), origin.elapsed());
            assert!(sound.to_browser.play(tone(1_000.0, frame)));
            frame += 1;
        }
    }
    // Half a second without a gap somewhere: a machine that does other things too leaves some.
    let clear = |heard: &[i16], hz| {
        let mut pieces = heard.windows(8_000).step_by(1_600);
        pieces.any(|piece| share(piece, hz) > 0.9)
    };
    assert!(clear(&heard, 440.0));
    assert!(clear(&browser.heard, 1_000.0));
    drop(sound);
    let end = Instant::now() + Duration::from_secs(2);
    while !browser.closed && Instant::now() < end {
        let got = tokio::time::timeout(Duration::from_millis(100), socket.recv_from(&mut buffer));
        if let Ok(Ok((length, from))) = got.await {
            let to = browser.local;
            browser
                .way
                .handle_datagram(from, to, &buffer[..length], origin.elapsed());
            browser.drain(origin.elapsed());
        }
    }
    assert!(browser.closed, "dropping it ends the connection");
}
