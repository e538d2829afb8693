//! A household, a call in virtual time, and the conformance folder.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used)] // each test file uses a part

use std::path::{Path, PathBuf};
use std::time::Duration;

use hearthline_emergency::call::{
    AttemptId, CallEvent, CallInput, CallOutput, CallSetup, CallTimers, EmergencyCall, Line,
    Progress, Transport,
};
use hearthline_emergency::civic::CivicAddress;
use hearthline_emergency::geodetic::{Position, Shape};
use hearthline_emergency::invite::EmergencyInvite;
use hearthline_emergency::lost::{Expires, FindServiceResponse, LostResponse, Mapping};
use hearthline_emergency::lost_client::{
    CachedMapping, LostAtCall, LostPost, LostReply, digest_of, locations_of,
};
use hearthline_emergency::profile::{DeviceProfile, EmergencyProfile, SubscriberProfile};
use hearthline_emergency::service::{DrillService, ServiceUrn};
use hearthline_emergency::target::{DrillTargets, HttpUrl, SipUri};
use hearthline_emergency::timestamp::Timestamp;

/// 2030-01-31T12:00:00Z.
pub const WALL_MS: i64 = 1_896_091_200_000;

pub fn ms(value: u64) -> Duration {
    Duration::from_millis(value)
}

pub fn wall() -> Timestamp {
    Timestamp::from_unix_ms(WALL_MS)
}

pub fn sip(text: &str) -> SipUri {
    SipUri::parse(text).unwrap()
}

pub fn address() -> CivicAddress {
    CivicAddress::from_pairs([
        ("country", "US"),
        ("A1", "NM"),
        ("A3", "Exampleton"),
        ("RD", "Sample"),
        ("STS", "Road"),
        ("HNO", "12"),
        ("FLR", "1"),
        ("ROOM", "Kitchen & pantry"),
        ("PC", "00000"),
    ])
    .unwrap()
}

pub fn point() -> Shape {
    Shape::Point(Position::new(35.0812, -106.3806).unwrap())
}

pub fn profile() -> EmergencyProfile {
    EmergencyProfile {
        civic: Some(address()),
        shape: Some(point()),
        identity: sip("sip:household@home.example.test"),
        contact: sip("sip:kitchen@127.0.0.1:5062;transport=tcp"),
        callback_number: Some("tel:+1-505-555-0123".to_owned()),
        display_name: "Example \"Ex\" Household".to_owned(),
        domain: "kitchen.home.example.test".to_owned(),
        device: DeviceProfile {
            name: "Kitchen".to_owned(),
            manufacturer: "Hearthline".to_owned(),
            model: "speaker 1".to_owned(),
            key_id: "kitchen+5f2a77c1".to_owned(),
        },
        subscriber: SubscriberProfile {
            full_name: "Example Household".to_owned(),
            languages: vec!["en".to_owned()],
            privacy_requested: false,
        },
        service_types: vec![],
    }
}

pub fn line(name: &str, port: u16) -> Line {
    Line::new(
        name,
        sip(&format!("sip:127.0.0.1:{port}")),
        vec![Transport::Tls, Transport::Tcp, Transport::Udp],
    )
}

pub fn permit() -> DrillService {
    DrillService::new(ServiceUrn::SOS, DrillTargets::loopback()).unwrap()
}

pub fn servers() -> Vec<HttpUrl> {
    vec![HttpUrl::parse("http://127.0.0.1:8080/lost").unwrap()]
}

pub fn setup(lines: usize) -> CallSetup {
    CallSetup {
        profile: profile(),
        lines: (0..lines)
            .map(|index| {
                line(
                    &format!("line{index}"),
                    5070 + u16::try_from(index).unwrap(),
                )
            })
            .collect(),
        timers: CallTimers::default(),
        lost: LostAtCall {
            servers: servers(),
            names: vec![],
            cached: None,
        },
        sdp: None,
        call_token: "c0ffee00c0ffee00".to_owned(),
        invite_not_before: Duration::ZERO,
        await_location: false,
        wall: wall(),
    }
}

pub fn mapping(uri: &str, expires: Expires) -> Mapping {
    Mapping {
        source: "lost.example.test".to_owned(),
        source_id: "drill-1".to_owned(),
        last_updated: Timestamp::from_unix_ms(WALL_MS - 1_000),
        expires,
        display_names: vec![],
        service: Some(ServiceUrn::SOS),
        boundary: None,
        uris: vec![uri.to_owned()],
        service_number: Some("911".to_owned()),
    }
}

pub fn answer(uri: &str) -> Vec<u8> {
    LostResponse::FindService(FindServiceResponse {
        mappings: vec![mapping(uri, Expires::At(wall().plus_seconds(86_400)))],
        validation: None,
        warnings: vec![],
        path: vec!["lost.example.test".to_owned()],
        location_used: Some("civic".to_owned()),
    })
    .to_bytes()
}

pub fn cached(uri: &str, expired: bool) -> Option<(CachedMapping, bool)> {
    let profile = profile();
    let expires = Expires::At(wall().plus_seconds(if expired { -60 } else { 60 }));
    Some((
        CachedMapping {
            service: ServiceUrn::SOS,
            location: digest_of(&locations_of(
                profile.civic.as_ref(),
                profile.shape.as_ref(),
            )),
            mapping: mapping(uri, expires),
            received: wall(),
        },
        expired,
    ))
}

/// A call with everything it has put out.
pub struct Run {
    pub call: EmergencyCall,
    pub now: Duration,
    pub invites: Vec<(Duration, AttemptId, usize, EmergencyInvite)>,
    pub abandoned: Vec<AttemptId>,
    pub hung_up: Vec<AttemptId>,
    pub posts: Vec<LostPost>,
    pub events: Vec<CallEvent>,
    pub learned: Vec<CachedMapping>,
    pub timeout: Option<Duration>,
}

impl Run {
    pub fn new(setup: CallSetup) -> Run {
        let now = ms(10_000);
        let mut run = Run {
            call: EmergencyCall::new(permit(), setup, now).unwrap(),
            now,
            invites: vec![],
            abandoned: vec![],
            hung_up: vec![],
            posts: vec![],
            events: vec![],
            learned: vec![],
            timeout: None,
        };
        run.drain();
        run
    }

    pub fn drain(&mut self) {
        loop {
            match self.call.poll_output() {
                CallOutput::LostPost(post) => self.posts.push(post),
                CallOutput::Invite {
                    attempt,
                    line,
                    invite,
                    ..
                } => self.invites.push((self.now, attempt, line, *invite)),
                CallOutput::Abandon { attempt } => self.abandoned.push(attempt),
                CallOutput::HangUp { attempt } => self.hung_up.push(attempt),
                CallOutput::Learned(mapping) => self.learned.push(*mapping),
                CallOutput::Event(event) => self.events.push(event),
                CallOutput::Timeout(at) => {
                    self.timeout = at;
                    return;
                }
            }
        }
    }

    /// Lets time pass, stopping at every deadline.
    pub fn advance(&mut self, by: Duration) {
        let until = self.now + by;
        while let Some(at) = self.timeout.filter(|at| *at <= until) {
            assert!(at > self.now, "a timeout in the past at {:?}", self.now);
            self.now = at;
            self.call.handle_timeout(self.now);
            self.drain();
        }
        self.now = until;
    }

    pub fn input(&mut self, input: CallInput<'_>) {
        self.call.handle_input(input, self.now);
        self.drain();
    }

    pub fn progress(&mut self, attempt: AttemptId, progress: Progress) {
        self.input(CallInput::Progress { attempt, progress });
    }

    pub fn reject(&mut self, attempt: AttemptId, status: u16, contacts: &[&str]) {
        self.progress(
            attempt,
            Progress::Rejected {
                status,
                retry_after_s: None,
                contacts: contacts
                    .iter()
                    .map(|contact| (*contact).to_owned())
                    .collect(),
            },
        );
    }

    pub fn lost(&mut self, reply: LostReply<'_>) {
        let request = self.posts.last().expect("a query was posted").request;
        self.input(CallInput::Lost { request, reply });
    }

    pub fn lost_body(&mut self, body: &[u8]) {
        self.lost(LostReply::Http {
            status: 200,
            content_type: "application/lost+xml;charset=utf-8",
            body,
        });
    }

    pub fn last_invite(&self) -> &(Duration, AttemptId, usize, EmergencyInvite) {
        self.invites.last().expect("an INVITE was sent")
    }
}

/// The conformance folder, or nothing with a word on the terminal.
pub fn conformance() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/conformance/ecrit");
    if root.is_dir() {
        Some(root)
    } else {
        eprintln!("skipped: the folder shared/conformance/ecrit is not beside the workspace");
        None
    }
}
