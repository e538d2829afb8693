//! Callers in the mailbox, in virtual time: a user agent with its own media on one side, the mailbox on the other.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hearthline_mailbox::{Deposit, Left, Mailbox, MailboxConfig, Output};
use hearthline_media::{Codec, FRAME_SAMPLES, Session, SessionConfig};
use hearthline_sip::endpoint::{
    Body, CallHandle, Endpoint, EndpointConfig, Event, Input, InviteRequest,
};
use hearthline_sip::target::{Target, Transport};
use hearthline_sip::{HeaderName, NameAddr, endpoint};

const STEP: Duration = Duration::from_millis(5);
const SDP: &str = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9000 RTP/AVP 0\r\n";

fn at(port: u16) -> SocketAddr {
    ([127, 0, 0, 1], port).into()
}

/// A caller at 127.0.0.1:7000, media on 9000; the mailbox at 127.0.0.1:7001, media on 8000.
struct Scene {
    now: Duration,
    mailbox: Mailbox,
    caller: Endpoint,
    media: Session,
    /// What the caller says, and where it is.
    says: Box<dyn Fn(Duration) -> i16>,
    next_frame: Duration,
    heard: Vec<i16>,
    events: Vec<Event>,
    taken: Vec<Deposit>,
}

fn tone(amplitude: f32, seconds: f32) -> i16 {
    // Two voices that are no pure tone.
    let turn = seconds * std::f32::consts::TAU;
    (amplitude * ((turn * 310.0).sin() + 0.5 * (turn * 870.0).sin())) as i16
}

impl Scene {
    fn new(change: impl FnOnce(&mut MailboxConfig)) -> Self {
        let mut config = MailboxConfig::default();
        change(&mut config);
        let local = vec![(Transport::Udp, at(7_001))];
        let own = EndpointConfig::new([1; 32], vec![(Transport::Udp, at(7_000))]);
        Self {
            now: Duration::from_secs(1),
            mailbox: Mailbox::new(config, [2; 32], local, vec![8_000]),
            caller: Endpoint::new(own),
            media: Session::new(SessionConfig::new(Codec::Pcmu, 7)).unwrap(),
            says: Box::new(|_| 0),
            next_frame: Duration::from_secs(1),
            heard: Vec::new(),
            events: Vec::new(),
            taken: Vec::new(),
        }
    }

    fn calls(&mut self, rows: &[(&str, &str)], offer: Option<&str>) -> CallHandle {
        let uri: hearthline_sip::Uri = "sip:mailbox@127.0.0.1:7001".parse().unwrap();
        let from = NameAddr::parse("\"Anna\" <sip:+12025550123@home.test;user=phone>").unwrap();
        let target = Target::new(Transport::Udp, at(7_001));
        let mut invite = InviteRequest::new(uri.clone(), from, NameAddr::new(uri), target);
        for (name, value) in rows {
            let name = HeaderName::parse(name.as_bytes()).unwrap();
            invite.headers.push((name, value.as_bytes().to_vec()));
        }
        invite.late_offer = offer.is_none();
        invite.body = offer.map(Body::sdp);
        let now = self.now;
        self.caller.invite(invite, now).unwrap()
    }

    fn run(&mut self, time: Duration) {
        let end = self.now + time;
        while self.now < end {
            self.step();
            self.now += STEP;
        }
    }

    fn step(&mut self) {
        let now = self.now;
        while self.next_frame <= now {
            let start = self.next_frame;
            let frame: Vec<i16> = (0..FRAME_SAMPLES)
                .map(|sample| (self.says)(start + Duration::from_micros(sample as u64 * 125 / 2)))
                .collect();
            self.media.handle_microphone(&frame, now);
            self.next_frame += hearthline_media::FRAME;
        }
        self.caller.handle_input(Input::Timeout, now);
        self.mailbox.handle_timeout(now);
        loop {
            let mut quiet = true;
            loop {
                match self.caller.poll_output(now) {
                    endpoint::Output::Transmit { bytes, .. } => {
                        quiet = false;
                        let input = Input::Received {
                            transport: Transport::Udp,
                            local: at(7_001),
                            remote: at(7_000),
                            bytes: &bytes,
                        };
                        self.mailbox.handle_sip(input, now);
                    }
                    endpoint::Output::Event(event) => self.events.push(event),
                    endpoint::Output::Close { .. } => {}
                    endpoint::Output::Timeout(_) => break,
                }
            }
            loop {
                match self.media.poll_output(now) {
                    hearthline_media::Output::Rtp(bytes) => {
                        self.mailbox.handle_media(8_000, at(9_000), &bytes, now);
                    }
                    hearthline_media::Output::Playout(samples) => self.heard.extend(samples),
                    hearthline_media::Output::Timeout(_) => break,
                    _ => {}
                }
            }
            loop {
                match self.mailbox.poll_output(now) {
                    Output::Sip { bytes, target } => {
                        quiet = false;
                        assert_eq!(target.remote, at(7_000));
                        let input = Input::Received {
                            transport: Transport::Udp,
                            local: at(7_000),
                            remote: at(7_001),
                            bytes: &bytes,
                        };
                        self.caller.handle_input(input, now);
                    }
                    Output::Media { port, to, bytes } => {
                        if (port, to) == (8_000, at(9_000)) {
                            self.media.handle_rtp(&bytes, now);
                        }
                    }
                    Output::Taken(deposit) => self.taken.push(*deposit),
                    Output::CloseStream { .. } => {}
                    Output::Timeout(_) => break,
                }
            }
            if quiet {
                return;
            }
        }
    }

    fn was(&self, wanted: impl Fn(&Event) -> bool) -> bool {
        self.events.iter().any(wanted)
    }

    fn refused(&self) -> Option<u16> {
        self.events.iter().find_map(|event| match event {
            Event::Failed { cause, .. } => cause.status().map(hearthline_sip::StatusCode::code),
            _ => None,
        })
    }
}

const WHOSE: (&str, &str) = (
    "Diversion",
    "<sip:line-1@home.test>;reason=no-answer;counter=1",
);

fn peak(samples: &[i16]) -> i16 {
    samples
        .iter()
        .map(|one| one.saturating_abs())
        .max()
        .unwrap_or(0)
}

#[test]
fn the_greeting_is_heard_then_the_tone_and_what_is_said_after_it_is_kept_until_silence() {
    let greeting: Arc<[i16]> = (0..16_000)
        .map(|at| tone(5_000.0, at as f32 / 16_000.0))
        .collect();
    let mut scene = Scene::new(|config| {
        config.greeting = greeting;
        config.silence_max = Duration::from_secs(3);
    });
    scene.calls(&[WHOSE], Some(SDP));
    // From 4 s on, after greeting and tone, for 2 s.
    scene.says = Box::new(|at| match at.as_secs_f32() {
        at if (4.0..6.0).contains(&at) => tone(9_000.0, at),
        _ => 0,
    });
    scene.run(Duration::from_secs(12));
    assert!(scene.was(|event| matches!(event, Event::Answered { .. })));
    assert!(
        scene.was(|event| matches!(event, Event::Ended { .. })),
        "silence ends it"
    );
    let [deposit] = scene.taken.as_slice() else {
        panic!("one message: {:?}", scene.taken);
    };
    assert_eq!(
        (deposit.whose.as_str(), deposit.left),
        ("line-1", Left::Silent)
    );
    assert_eq!(deposit.caller_name.as_deref(), Some("Anna"));
    assert_eq!(deposit.caller_number.as_deref(), Some("+12025550123"));
    // From the tone to the end of the words, without the silence that ended it.
    let length = deposit.duration().as_secs_f32();
    assert!((2.0..5.0).contains(&length), "{length}");
    assert!(peak(&deposit.samples) > 5_000);
    let bytes = deposit.to_g722();
    assert_eq!(bytes.len(), deposit.samples.len() / 2);
    let second = &scene.heard[8_000..16_000];
    assert!(peak(second) > 3_000, "the greeting");
    assert!(format!("{deposit:?}").find("0123").is_none());
}

#[test]
fn whoever_hangs_up_has_left_what_they_said_and_nobody_who_said_nothing() {
    let mut scene = Scene::new(|_| {});
    let call = scene.calls(
        &[("History-Info", "<sip:line-2@home.test?Reason=SIP%3Bcause%3D486>;index=1, <sip:mailbox@home.test>;index=1.1")],
        Some(SDP),
    );
    scene.says = Box::new(|at| {
        if at.as_secs() >= 2 {
            tone(9_000.0, at.as_secs_f32())
        } else {
            0
        }
    });
    scene.run(Duration::from_secs(4));
    let now = scene.now;
    scene.caller.bye(call, None, now).unwrap();
    scene.run(Duration::from_secs(1));
    let [deposit] = scene.taken.as_slice() else {
        panic!("one message: {:?}", scene.taken);
    };
    assert_eq!(
        (deposit.whose.as_str(), deposit.left),
        ("line-2", Left::HungUp)
    );

    let mut scene = Scene::new(|_| {});
    scene.calls(&[WHOSE], Some(SDP));
    scene.run(Duration::from_secs(12));
    assert!(scene.was(|event| matches!(event, Event::Ended { .. })));
    assert!(scene.taken.is_empty(), "nothing was said");
}

#[test]
fn a_recording_ends_at_its_limit() {
    let mut scene = Scene::new(|config| config.recording_max = Duration::from_secs(5));
    scene.calls(&[WHOSE], Some(SDP));
    scene.says = Box::new(|at| tone(9_000.0, at.as_secs_f32()));
    scene.run(Duration::from_secs(12));
    let [deposit] = scene.taken.as_slice() else {
        panic!("one message: {:?}", scene.taken);
    };
    assert_eq!(deposit.left, Left::Full);
    assert_eq!(deposit.duration(), Duration::from_secs(5));
}

#[test]
fn calls_for_help_callbacks_and_calls_of_nobody_are_not_taken() {
    for (rows, wanted) in [
        (vec![WHOSE, ("Priority", "psap-callback")], 480),
        (vec![WHOSE, ("Priority", "emergency")], 480),
        (vec![], 404),
        (vec![("Diversion", "nonsense")], 404),
    ] {
        let mut scene = Scene::new(|_| {});
        scene.calls(&rows, Some(SDP));
        scene.run(Duration::from_secs(2));
        assert_eq!(scene.refused(), Some(wanted), "{rows:?}");
        assert!(scene.taken.is_empty());
    }
    // Nothing to talk by.
    let mut scene = Scene::new(|_| {});
    scene.calls(&[WHOSE], Some("v=0\r\n"));
    scene.run(Duration::from_secs(2));
    assert_eq!(scene.refused(), Some(488));
}

#[test]
fn one_port_serves_one_caller_at_a_time_and_is_free_again_afterwards() {
    let mut scene = Scene::new(|_| {});
    let first = scene.calls(&[WHOSE], Some(SDP));
    scene.run(Duration::from_secs(1));
    scene.calls(&[WHOSE], Some(SDP));
    scene.run(Duration::from_secs(1));
    assert_eq!(scene.refused(), Some(486));
    let now = scene.now;
    scene.caller.bye(first, None, now).unwrap();
    scene.run(Duration::from_secs(1));
    scene.events.clear();
    scene.calls(&[WHOSE], Some(SDP));
    scene.run(Duration::from_secs(1));
    assert!(scene.was(|event| matches!(event, Event::Answered { .. })));
}

#[test]
fn a_caller_without_an_offer_gets_ours() {
    let mut scene = Scene::new(|_| {});
    let call = scene.calls(&[WHOSE], None);
    scene.says = Box::new(|at| tone(9_000.0, at.as_secs_f32()));
    scene.run(Duration::from_secs(1));
    assert!(scene.was(|event| matches!(event, Event::Answered { .. })));
    let now = scene.now;
    scene
        .caller
        .acknowledge_with(call, Some(&Body::sdp(SDP)), now)
        .unwrap();
    scene.run(Duration::from_secs(4));
    let now = scene.now;
    scene.caller.bye(call, None, now).unwrap();
    scene.run(Duration::from_secs(1));
    assert_eq!(scene.taken.len(), 1);
}
