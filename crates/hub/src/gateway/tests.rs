//! DESIGN invariants 1, 2 and 6 on the gateway: over 100,000 random households, whatever their lines, area codes,
//! contacts and forwards are, an emergency number in any spelling takes the emergency path and no other number does.

use std::collections::HashMap;
use std::time::Duration;

use hearthline_emergency::numbers::Country;
use hearthline_sip::endpoint::Endpoint;
use hearthline_sip::tokens::Tokens;
use hearthline_sip::{HeaderName, Host, Message, Method, Request, parse_datagram};

use super::*;
use crate::clock::UnixMs;
use crate::line::{DrillAddress, LineFields, LineKind, LineServer, SipLine, UnknownCallers};
use crate::text::Name;

const HOUSEHOLDS: u64 = 100_000;

struct Dice(Tokens);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.0.below(bound as u64)).unwrap()
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }

    fn chance(&mut self) -> bool {
        self.below(2) == 0
    }

    fn digits(&mut self, least: usize, most: usize) -> String {
        let count = least + self.below(most - least + 1);
        (0..count)
            .map(|_| self.of(&['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']))
            .collect()
    }

    fn number(&mut self) -> Option<Number> {
        Number::new(&format!("+{}", self.digits(7, 12))).ok()
    }

    fn line(&mut self, at: u8) -> LineSetup {
        let host = 2 + self.below(200);
        let server = format!("sip:127.0.0.{host}:{}", 1_024 + self.below(60_000));
        let drill = self.of(&[
            None,
            Some(DrillAddress::Service),
            Some(DrillAddress::Number),
        ]);
        let name = self.digits(3, 4);
        let line = Line {
            id: LineId::random().unwrap(),
            fields: LineFields {
                // The worst names: those of emergency numbers.
                name: Name::new(&name).unwrap(),
                kind: self.of(&[LineKind::SipTrunk, LineKind::Landline]),
                position: at,
                caller_number: self.number(),
                forward_to: self.number(),
                enabled: self.below(5) > 0,
                sip: (self.below(6) > 0).then(|| SipLine {
                    server: LineServer::new(&server).unwrap(),
                    username: None,
                    register: false,
                    drill,
                }),
                unknown_callers: self.of(&[UnknownCallers::Ring, UnknownCallers::Busy]),
                ring_rooms: Vec::new(),
                ring_devices: Vec::new(),
            },
            health: self.of(&[LineHealth::Up, LineHealth::Down, LineHealth::Unknown]),
            health_since_ms: None,
            trouble: None,
        };
        LineSetup {
            line,
            credentials: if self.below(6) > 0 { Ok(None) } else { Err(()) },
        }
    }

    /// A contact for the very digits, as far as a contact can have them.
    fn book(&mut self, digits: &str) -> HashMap<Number, Known> {
        let mut book = HashMap::new();
        for text in [format!("+{digits}"), format!("+49{digits}5550")] {
            if let Ok(number) = Number::new(&text) {
                let known = Known {
                    contact: ContactId::random().unwrap(),
                    name: digits.to_owned(),
                    screening: Screening::Allow,
                };
                book.insert(number, known);
            }
        }
        book
    }

    fn spelled(&mut self, digits: &str) -> String {
        let between = self.of(&["", "-", ".", "%20"]);
        let all: Vec<String> = digits.chars().map(String::from).collect();
        let user = all.join(between);
        match self.below(5) {
            0 => format!("tel:{};phone-context=home.test", user.replace("%20", "-")),
            1 => format!("sip:{user}@elsewhere.example"),
            2 => format!("sip:{user}@127.0.0.1:5060;user=phone"),
            3 => format!("sips:{user};phone-context=+1@home.test"),
            _ => format!("sip:{user}@home.test;user=dialstring"),
        }
    }
}

fn gateway(dice: &mut Dice, country: Country) -> Gateway {
    let area = dice.chance().then(|| dice.digits(0, 9));
    let config = GatewayConfig {
        domain: Host::parse("home.test").unwrap(),
        plan: DialPlan::new(country, area.as_deref()),
        profile: None,
        timers: LineTimers::default(),
        voicemail_after: None,
        secret: [5; 32],
        wall: UnixMs(1_800_000_000_000),
        switchboard: Target::new(Transport::Tcp, "127.0.0.1:1".parse().unwrap()),
    };
    let at = |port: u16| ([127, 0, 0, 1], port).into();
    let inside = endpoint_config([1; 32], vec![(Transport::Tcp, at(2))]);
    let outside = endpoint_config([2; 32], vec![(Transport::Udp, at(3))]);
    Gateway::new(config, Endpoint::new(inside), Endpoint::new(outside))
}

fn invite(uri: &str) -> Vec<u8> {
    let body = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n";
    format!(
        "INVITE {uri} SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:1;branch=z9hG4bKx\r\nMax-Forwards: 70\r\n\
         From: <sip:desk@home.test>;tag=1\r\nTo: <{uri}>\r\nCall-ID: c1\r\nCSeq: 1 INVITE\r\n\
         Contact: <sip:desk@127.0.0.1:9>\r\nContent-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// The INVITEs that went to lines, by their addresses.
fn sent(gateway: &mut Gateway, now: Duration) -> Vec<(Target, Request)> {
    let mut sent = Vec::new();
    loop {
        match gateway.poll_output(now) {
            Output::Transmit { target, bytes } => {
                if let Ok(Message::Request(request)) = parse_datagram(&bytes, &Default::default())
                    && request.method == Method::Invite
                {
                    sent.push((target, request));
                }
            }
            Output::Timeout(_) => return sent,
            _ => {}
        }
    }
}

#[test]
fn an_emergency_number_always_takes_the_emergency_path() {
    let mut dice = Dice(Tokens::from_seed([42; 32]));
    let drill = HeaderName::parse(b"Emergency-Drill").unwrap();
    let (mut helped, mut without, mut ordinary) = (0, 0, 0);
    for _ in 0..HOUSEHOLDS {
        let country = dice.of(Country::ALL);
        let strings = country.dial_strings();
        let string = &strings[dice.below(strings.len())];
        let emergency = dice.below(4) > 0;
        let digits = match emergency {
            true => string.digits.to_owned(),
            // Close to one: a prefix, a suffix, or any digits.
            false => match dice.below(3) {
                0 => dice.digits(1, 4) + string.digits,
                1 => string.digits.to_owned() + &dice.digits(1, 8),
                _ => dice.digits(1, 15),
            },
        };
        let mut household = gateway(&mut dice, country);
        let count = u8::try_from(dice.below(4)).unwrap();
        let lines: Vec<LineSetup> = (0..count).map(|at| dice.line(at)).collect();
        let book = dice.book(&digits);
        let drills: Vec<LineServer> = lines
            .iter()
            .filter(|own| own.line.fields.enabled && own.credentials.is_ok())
            .filter_map(|own| own.line.fields.sip.as_ref())
            .filter(|sip| sip.drill.is_some())
            .map(|sip| sip.server.clone())
            .collect();
        let setup = Setup {
            lines,
            book,
            helped: Vec::new(),
        };
        let now = Duration::from_secs(1);
        household.handle_input(Input::Setup(Box::new(setup)), now);
        assert!(sent(&mut household, now).is_empty(), "nobody has called");
        assert_eq!(household.ready, !drills.is_empty());
        let uri = dice.spelled(&digits);
        household.handle_input(Input::Home(&invite(&uri)), now);
        let sent = sent(&mut household, now);
        let is_one = strings.iter().any(|own| own.digits == digits);
        for (target, request) in &sent {
            let marked = request.headers.get_str(&drill) == Some("yes");
            assert_eq!(
                marked,
                is_one,
                "{uri} in {} became {}",
                country.name(),
                request.uri
            );
            let to_drill = drills.iter().any(|own| own.target() == target);
            assert!(!is_one || to_drill, "{uri} went to an ordinary line");
            if !is_one {
                let dialled = crate::sip::destination::digits_of(&request.uri).unwrap();
                assert!(
                    strings.iter().all(|own| own.digits != dialled),
                    "{uri} became {dialled}"
                );
            }
        }
        if is_one {
            assert_eq!(sent.is_empty(), drills.is_empty(), "{uri}");
            helped += usize::from(!sent.is_empty());
            without += usize::from(sent.is_empty());
        } else {
            ordinary += sent.len();
        }
    }
    println!(
        "{HOUSEHOLDS} households: {helped} calls for help carried, {without} had no drill line, {ordinary} other calls"
    );
    assert!(helped > 30_000 && without > 10_000 && ordinary > 500);
}

/// Everything that went to lines.
fn requests(gateway: &mut Gateway, now: Duration) -> (Vec<Request>, Vec<Vec<u8>>) {
    let (mut lines, mut home) = (Vec::new(), Vec::new());
    loop {
        match gateway.poll_output(now) {
            Output::Transmit { bytes, .. } => {
                if let Ok(Message::Request(request)) = parse_datagram(&bytes, &Default::default()) {
                    lines.push(request);
                }
            }
            Output::Home(bytes) => home.push(bytes),
            Output::Timeout(_) => return (lines, home),
            _ => {}
        }
    }
}

#[test]
fn a_call_over_a_line_is_refreshed_by_us_and_a_call_for_help_has_no_timer() {
    let mut dice = Dice(Tokens::from_seed([7; 32]));
    let mut home = gateway(&mut dice, Country::Germany);
    let mut line = dice.line(0);
    line.credentials = Ok(None);
    line.line.fields.enabled = true;
    line.line.fields.kind = LineKind::SipTrunk;
    line.line.fields.sip = Some(SipLine {
        server: LineServer::new("sip:127.0.0.1:5999").unwrap(),
        username: None,
        register: false,
        drill: Some(DrillAddress::Service),
    });
    let setup = Setup {
        lines: vec![line],
        ..Setup::default()
    };
    let mut now = Duration::from_secs(1);
    home.handle_input(Input::Setup(Box::new(setup)), now);
    requests(&mut home, now);
    let dialled = invite("sip:03055501234@home.test");
    home.handle_input(Input::Home(&dialled), now);
    let (sent, _) = requests(&mut home, now);
    let asked = sent
        .iter()
        .find(|own| own.method == Method::Invite)
        .unwrap();
    let wish = asked.headers.session_expires().unwrap().unwrap();
    assert_eq!(wish.seconds, 1_800);
    // The line grants 90 s, to be refreshed by us.
    let mut answer =
        hearthline_sip::Response::to_request(asked, hearthline_sip::StatusCode::OK, Some("far"));
    answer
        .headers
        .push(HeaderName::Contact, "<sip:far@127.0.0.1:5999>");
    answer
        .headers
        .push(HeaderName::SessionExpires, "90;refresher=uac");
    answer.headers.push(HeaderName::Require, "timer");
    answer
        .headers
        .push(HeaderName::ContentType, "application/sdp");
    answer.body = b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4002 RTP/AVP 0\r\n".to_vec();
    let received = endpoint::Input::Received {
        transport: Transport::Udp,
        local: "127.0.0.1:3".parse().unwrap(),
        remote: "127.0.0.1:5999".parse().unwrap(),
        bytes: &answer.to_bytes(),
    };
    home.handle_input(Input::Outside(received), now);
    let (_, told) = requests(&mut home, now);
    let told: Vec<String> = told
        .iter()
        .map(|bytes| String::from_utf8_lossy(bytes).into_owned())
        .collect();
    let ok = told.iter().find(|text| text.starts_with("SIP/2.0 200"));
    let to = ok
        .unwrap()
        .lines()
        .find(|row| row.starts_with("To:"))
        .unwrap();
    let ack = format!(
        "ACK sip:gateway@127.0.0.1:2 SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:1;branch=z9hG4bKy\r\nMax-Forwards: 70\r\n\
         From: <sip:desk@home.test>;tag=1\r\n{to}\r\nCall-ID: c1\r\nCSeq: 1 ACK\r\nContent-Length: 0\r\n\r\n"
    );
    home.handle_input(Input::Home(ack.as_bytes()), now);
    requests(&mut home, now);
    now += Duration::from_secs(46);
    home.handle_input(Input::Timeout, now);
    let (sent, _) = requests(&mut home, now);
    let refresh = sent.iter().find(|own| {
        matches!(own.method, Method::Invite | Method::Update)
            && own.headers.to().is_ok_and(|to| to.tag() == Some("far"))
    });
    assert!(
        refresh.is_some(),
        "{:?}",
        sent.iter().map(|own| &own.method).collect::<Vec<_>>()
    );
    let help = String::from_utf8(invite("urn:service:sos")).unwrap();
    let help = help
        .replace("Call-ID: c1", "Call-ID: c2")
        .replace("z9hG4bKx", "z9hG4bKz");
    home.handle_input(Input::Home(help.as_bytes()), now);
    let (sent, _) = requests(&mut home, now);
    let asked = sent
        .iter()
        .find(|own| matches!(own.uri, hearthline_sip::Uri::Urn(_)));
    assert!(!asked.unwrap().headers.contains(&HeaderName::SessionExpires));
}
