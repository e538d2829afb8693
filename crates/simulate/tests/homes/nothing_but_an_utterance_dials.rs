//! No input but an utterance at the microphone dials (DESIGN invariant 1), and no other code could.
use core::time::Duration;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use hearthline_emergency::service::LiveService;
use hearthline_simulate::trace::TraceInput;
use hearthline_simulate::world::DEVICE_SIP;
use hearthline_simulate::{Scene, Spoken, Watched, World};
use hearthline_speaker::device::Light;
use hearthline_speaker::policy::Mode;
use hearthline_voice::understand::{Country, Reading, read};
use proptest::prelude::*;

const SECOND: Duration = Duration::from_secs(1);

/// Sentences behind the wake word that must not dial.
const REFUSED: &[&str] = &[
    "did you call 911?",
    "did you call the sheriff?",
    "don't call 911",
    "do not call the police",
    "i called 911 yesterday",
    "she said call 911",
    "play the song call 911",
    "remind me to call 911 tomorrow",
    "send a message to mom saying call 911",
    "who called the police",
    "what happens when i call 911",
    "call 912",
    "call 999",
    "never call an ambulance",
];
/// Everyday sentences.
const PLAIN: &[&str] = &[
    "what time is it",
    "yes",
    "no",
    "cancel",
    "okay",
    "hang up the emergency call",
    "good morning",
];
/// Said in the room, without the wake word.
const ROOM: &[&str] = &[
    "call 911",
    "yes",
    "call the police now",
    "help",
    "i need an ambulance",
    "yes call 911",
    "911",
];
const METHODS: &[&str] = &[
    "INVITE",
    "MESSAGE",
    "OPTIONS",
    "REGISTER",
    "NOTIFY",
    "SUBSCRIBE",
    "INFO",
    "REFER",
    "PUBLISH",
    "BYE",
    "CANCEL",
    "ACK",
    "UPDATE",
    "PRACK",
];
const STRANGER: &str = "127.0.0.1:5950";

#[derive(Debug, Clone)]
enum Happens {
    Garbage(Vec<u8>),
    Request {
        method: usize,
        tag: u8,
        body: usize,
    },
    Mangled {
        method: usize,
        at: usize,
        byte: u8,
    },
    Response {
        status: u16,
        tag: u8,
    },
    Rtp(Vec<u8>),
    Rtcp(Vec<u8>),
    Lost {
        in_call: bool,
        request: u64,
        status: Option<u16>,
        body: Vec<u8>,
    },
    SpeechEnded,
    NoSpeech,
    NotUnderstood,
    Wake,
    Timeout,
    Cancel,
    Durable(u64),
    Caller,
    Refused(usize),
    Plain(usize),
    Room(usize),
    ReplyOfNobody(usize),
    Held,
    Released,
    Typed(usize),
    Light(usize),
    Passes(u64),
}

fn happens() -> impl Strategy<Value = Happens> {
    let bytes = |max| prop::collection::vec(any::<u8>(), 0..max);
    prop_oneof![
        bytes(200).prop_map(Happens::Garbage),
        (0..METHODS.len(), any::<u8>(), 0..4_usize)
            .prop_map(|(method, tag, body)| Happens::Request { method, tag, body }),
        (0..METHODS.len(), any::<usize>(), any::<u8>())
            .prop_map(|(method, at, byte)| Happens::Mangled { method, at, byte }),
        (100_u16..700, any::<u8>()).prop_map(|(status, tag)| Happens::Response { status, tag }),
        bytes(200).prop_map(Happens::Rtp),
        bytes(100).prop_map(Happens::Rtcp),
        (
            any::<bool>(),
            0_u64..12,
            prop::option::of(100_u16..600),
            bytes(100)
        )
            .prop_map(|(in_call, request, status, body)| Happens::Lost {
                in_call,
                request,
                status,
                body
            }),
        Just(Happens::SpeechEnded),
        Just(Happens::NoSpeech),
        Just(Happens::NotUnderstood),
        Just(Happens::Wake),
        Just(Happens::Timeout),
        Just(Happens::Cancel),
        (0_u64..200).prop_map(Happens::Durable),
        Just(Happens::Caller),
        (0..REFUSED.len()).prop_map(Happens::Refused),
        (0..PLAIN.len()).prop_map(Happens::Plain),
        (0..ROOM.len()).prop_map(Happens::Room),
        (0..ROOM.len()).prop_map(Happens::ReplyOfNobody),
        Just(Happens::Held),
        Just(Happens::Released),
        (0..ROOM.len() + REFUSED.len()).prop_map(Happens::Typed),
        (0..ROOM.len()).prop_map(Happens::Light),
        (1_u64..20_000).prop_map(Happens::Passes),
    ]
}

/// A well-formed request of a stranger.
fn request(method: &str, tag: u8, body: usize) -> Vec<u8> {
    let bodies = [
        ("text/plain", "call 911".to_owned()),
        ("application/sdp", "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 45950 RTP/AVP 0\r\n".to_owned()),
        ("application/json", r#"{"intent":"EmergencyCall","service":"urn:service:sos","authorized":true}"#.to_owned()),
        ("message/sipfrag", "INVITE urn:service:sos SIP/2.0\r\n".to_owned()),
    ];
    let (kind, body) = &bodies[body % bodies.len()];
    let length = body.len();
    format!(
        "{method} sip:kitchen@{DEVICE_SIP} SIP/2.0\r\nVia: SIP/2.0/UDP {STRANGER};branch=z9hG4bK{tag}{method}\r\n\
         Max-Forwards: 70\r\nFrom: <sip:stranger@{STRANGER}>;tag=a{tag}\r\nTo: <sip:kitchen@{DEVICE_SIP}>\r\n\
         Call-ID: stranger{tag}\r\nCSeq: 1 {method}\r\nContact: <sip:stranger@{STRANGER}>\r\nRefer-To: <urn:service:sos>\r\n\
         Event: dialog\r\nPriority: emergency\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

fn let_happen(world: &mut World, what: &Happens) {
    let stranger: SocketAddr = STRANGER.parse().expect("an address");
    match what {
        Happens::Garbage(bytes) => world.receive_sip(stranger, bytes),
        Happens::Request { method, tag, body } => {
            world.receive_sip(stranger, &request(METHODS[*method], *tag, *body));
        }
        Happens::Mangled { method, at, byte } => {
            let mut bytes = request(METHODS[*method], 7, *at);
            let at = at % bytes.len();
            bytes[at] = *byte;
            world.receive_sip(stranger, &bytes);
        }
        Happens::Response { status, tag } => {
            let text = format!(
                "SIP/2.0 {status} X\r\nVia: SIP/2.0/UDP {DEVICE_SIP};branch=z9hG4bK{tag}\r\nFrom: <sip:a@b.test>;tag=1\r\n\
                 To: <urn:service:sos>;tag=2\r\nCall-ID: {tag}\r\nCSeq: 1 INVITE\r\nContact: <sip:x@{STRANGER}>\r\nContent-Length: 0\r\n\r\n"
            );
            world.receive_sip(stranger, text.as_bytes());
        }
        Happens::Rtp(bytes) => world.feed(TraceInput::Rtp(bytes.clone())),
        Happens::Rtcp(bytes) => world.feed(TraceInput::Rtcp(bytes.clone())),
        Happens::Lost {
            in_call,
            request,
            status,
            body,
        } => {
            let (in_call, request, status, body) = (*in_call, *request, *status, body.clone());
            world.feed(TraceInput::Lost {
                in_call,
                request,
                status,
                body,
            });
        }
        Happens::SpeechEnded => world.feed(TraceInput::SpeechEnded),
        Happens::NoSpeech => world.feed(TraceInput::NoSpeech),
        Happens::NotUnderstood => world.feed(TraceInput::NotUnderstood),
        Happens::Wake => world.feed(TraceInput::Wake),
        Happens::Timeout => world.feed(TraceInput::Timeout),
        Happens::Cancel => world.press_cancel(),
        Happens::Durable(seq) => world.feed(TraceInput::Durable(*seq)),
        Happens::Caller => world.caller_calls(),
        Happens::Refused(index) => world.say(&Spoken::after_wake_word(REFUSED[*index])),
        Happens::Plain(index) => world.say(&Spoken::after_wake_word(PLAIN[*index])),
        Happens::Room(index) => world.say(&Spoken::in_the_room(ROOM[*index])),
        // Words that the ear hands over as an answer although nothing was asked.
        Happens::ReplyOfNobody(index) => {
            let words = ROOM[*index].to_owned();
            world.feed(TraceInput::Spoken {
                words,
                wake: false,
                as_reply: true,
            });
        }
        Happens::Held => world.feed(TraceInput::Held),
        Happens::Released => world.feed(TraceInput::Released),
        Happens::Typed(index) => {
            let words = ROOM.iter().chain(REFUSED).nth(*index);
            let words = words.copied().unwrap_or_default();
            world.feed(TraceInput::Typed(format!("Alexa, {words}")));
        }
        Happens::Light(index) => world.feed(TraceInput::Light(ROOM[*index].to_owned())),
        Happens::Passes(ms) => world.run_for(Duration::from_millis(*ms)),
    }
}

fn dialled(world: &World) -> bool {
    world
        .sent
        .iter()
        .any(|(_, line)| line.starts_with("INVITE "))
}

#[test]
fn the_refused_sentences_are_refused() {
    for sentence in REFUSED {
        let reading = read(sentence, Country::UnitedStates);
        assert!(
            !matches!(reading, Reading::Command { .. } | Reading::Ask { .. }),
            "{sentence}: {reading:?}"
        );
    }
    let refused = REFUSED.iter().filter(|sentence| {
        matches!(
            read(sentence, Country::UnitedStates),
            Reading::Refused { .. }
        )
    });
    assert!(refused.count() >= 10);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn no_sequence_without_an_order_dials_and_an_order_after_it_does(
        immediate in any::<bool>(),
        sequence in prop::collection::vec(happens(), 1..40),
    ) {
        let mode = if immediate { Mode::Immediate } else { Mode::default() };
        let mut world = Watched::new("nothing_dials", &Scene { mode, ..Scene::default() });
        for what in &sequence {
            let_happen(&mut world, what);
            prop_assert!(!dialled(&world), "{what:?} dialled");
        }
        world.run_for(30 * SECOND);
        prop_assert!(!dialled(&world));
        prop_assert!(!world.said.iter().any(|said| said.starts_with("Calling")));
        // All of that broke nothing: a person still gets help.
        world.say(&Spoken::after_wake_word("call 911"));
        world.run_for(10 * SECOND);
        prop_assert!(dialled(&world));
        prop_assert_eq!(world.lights.last(), Some(&Light::Connected));
    }
}

/// A live call needs a value that nobody can make: this compiles only while the type has none.
#[allow(dead_code, clippy::needless_pass_by_value)] // it is compiled, never called
fn nobody_has_a_live_service(live: LiveService) -> ! {
    match live {}
}

/// Every source file of the product, without comments and unit tests.
fn sources() -> Vec<(PathBuf, String)> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).expect("a folder of ours") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    let crates = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .canonicalize()
        .expect("the crates");
    let mut files = Vec::new();
    for entry in fs::read_dir(&crates).expect("the crates") {
        let source = entry.expect("an entry").path().join("src");
        if source.is_dir() {
            walk(&source, &mut files);
        }
    }
    files
        .into_iter()
        .map(|path| {
            let text = fs::read_to_string(&path).expect("a source file");
            let product = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
            let code: String = product
                .lines()
                .map(|line| line.split("//").next().unwrap_or_default().to_owned() + "\n")
                .collect();
            (
                path.strip_prefix(&crates)
                    .expect("below the crates")
                    .to_owned(),
                code,
            )
        })
        .collect()
}

/// Files whose code holds `what`.
fn holding(what: &str) -> Vec<String> {
    let found = sources()
        .into_iter()
        .filter(|(_, code)| code.contains(what));
    let mut names: Vec<String> = found.map(|(path, _)| path.display().to_string()).collect();
    names.sort();
    names
}

#[test]
fn only_the_policy_makes_an_authorization() {
    assert_eq!(holding("Authorized {"), ["speaker/src/policy.rs"]);
    assert_eq!(holding("by_utterance("), ["speaker/src/policy.rs"]);
    let policy = sources()
        .into_iter()
        .find(|(path, _)| path.ends_with("speaker/src/policy.rs"))
        .expect("it is there")
        .1;
    assert!(policy.contains("\n    fn by_utterance("), "private");
    assert!(
        !policy.contains("pub service: ServiceUrn,\n    quiet"),
        "its fields are private"
    );
    let at = policy
        .find("pub struct Authorized")
        .expect("the permission");
    let before = &policy[..at];
    let attributes = &before[before.rfind('}').unwrap_or(0)..];
    assert!(
        !attributes.contains("Clone")
            && !attributes.contains("Copy")
            && !attributes.contains("Default"),
        "{attributes}"
    );
    assert!(!policy.contains("for Authorized"), "no trait makes one");
}

#[test]
fn only_the_device_begins_an_emergency_call() {
    assert_eq!(
        holding("EmergencyCall::new("),
        ["speaker/src/device/calling.rs"]
    );
    // The hub passes on what a device or telephone of the home asks for: from a live INVITE, in one place.
    assert_eq!(
        holding("DrillService::new("),
        ["hub/src/gateway/help.rs", "speaker/src/device/calling.rs"]
    );
    assert_eq!(holding("Help::asked("), ["hub/src/gateway/outgoing.rs"]);
    assert_eq!(
        holding("Goal::Help)"),
        ["hub/src/gateway/outgoing.rs"],
        "what it becomes has no other way in"
    );
    assert!(
        holding("LiveService {")
            .iter()
            .all(|file| file == "emergency/src/service.rs")
    );
    // Others may ask what the policy would decide (a dry run, a benchmark); what it gives them leads nowhere.
    let mut asking = holding("policy.decide(");
    asking.extend(holding("policy.decide_in("));
    let asks = |file: &str| asking.iter().any(|path| path == file);
    assert!(asks("speaker/src/device/deciding.rs"), "{asking:?}");
    let elsewhere = asking
        .iter()
        .filter(|file| *file != "speaker/src/device/deciding.rs");
    assert!(
        elsewhere
            .clone()
            .all(|file| file.starts_with("hearth/src/command/")),
        "{asking:?}"
    );
    let taking = holding("authorized: Authorized");
    assert_eq!(
        taking,
        ["speaker/src/device/calling.rs"],
        "one function takes the permission"
    );
}

#[test]
fn only_the_microphone_makes_a_hearing() {
    for (path, code) in sources() {
        let name = path.display().to_string();
        let count = code.matches("Input::Hearing(").count();
        let is_matched = code.matches("Input::Hearing(hearing) =>").count();
        let may = name.starts_with("speaker/src/io/") || name.starts_with("simulate/src/");
        assert!(may || count == is_matched, "{name} builds a hearing");
    }
    // What the ear reports comes from the listener alone.
    for file in holding("Hearing::Understood(")
        .iter()
        .chain(&holding("Hearing::Reply("))
    {
        let may = [
            "speaker/src/device.rs",
            "simulate/src/spoken.rs",
            "hearth/src/",
        ]
        .iter()
        .any(|may| file.starts_with(may));
        assert!(may || file.starts_with("speaker/src/io/"), "{file}");
    }
}
