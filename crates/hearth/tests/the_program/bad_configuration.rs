//! A household's file with one mistake: the message names the file, the section and the key, and the exit code is 2.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "in a test a panic is the answer"
)]
use crate::scene::{hearth, models_are_absent};

const GOOD: &str = r#"
[device]
name = "Kitchen"
country = "US"

[emergency]
mode = "announced"
cancel_window_s = 5

[address]
country = "US"
A1 = "NM"
A3 = "Exampleton"
RD = "Juniper"

[point]
latitude = 35.08
longitude = -106.4
radius_m = 30.0

[person]
name = "Drill Household"
callback = "+15055550123"
languages = ["en"]

[[line]]
name = "landline"
uri = "sip:127.0.0.1:5060"
transports = ["tcp", "udp"]

[lost]
servers = ["http://127.0.0.1:8480/lost"]
"#;

/// What is replaced in the good file, by what, and the words that the message must have.
const MISTAKES: &[(&str, &str, &[&str])] = &[
    // Unknown and doubled keys and sections.
    (
        "name = \"Kitchen\"",
        "nam = \"Kitchen\"",
        &["[device]", "nam", "line 3"],
    ),
    (
        "country = \"US\"\n\n[emergency]",
        "country = \"US\"\nroom = 1\n\n[emergency]",
        &["[device]", "room"],
    ),
    ("mode =", "mod =", &["[emergency]", "mod"]),
    (
        "cancel_window_s =",
        "cancel_window =",
        &["[emergency]", "cancel_window"],
    ),
    ("latitude =", "lattitude =", &["[point]", "lattitude"]),
    ("callback =", "call_back =", &["[person]", "call_back"]),
    ("uri =", "url =", &["[[line]]", "url"]),
    ("servers =", "server =", &["[lost]", "server"]),
    ("[lost]", "[loost]", &["loost"]),
    ("[emergency]", "[emergencies]", &["emergencies"]),
    (
        "mode = \"announced\"",
        "mode = \"announced\"\nmode = \"immediate\"",
        &["[emergency]", "mode", "duplicate"],
    ),
    // Values of a wrong kind.
    (
        "name = \"Kitchen\"",
        "name = 5",
        &["[device]", "name", "string"],
    ),
    (
        "cancel_window_s = 5",
        "cancel_window_s = -1",
        &["[emergency]", "cancel_window_s"],
    ),
    (
        "cancel_window_s = 5",
        "cancel_window_s = \"5\"",
        &["[emergency]", "cancel_window_s"],
    ),
    (
        "cancel_window_s = 5",
        "cancel_window_s = 2.5",
        &["[emergency]", "cancel_window_s"],
    ),
    ("RD = \"Juniper\"", "RD = 5", &["[address]", "RD", "string"]),
    (
        "latitude = 35.08",
        "latitude = \"north\"",
        &["[point]", "latitude"],
    ),
    (
        "callback = \"+15055550123\"",
        "callback = 15055550123",
        &["[person]", "callback", "string"],
    ),
    (
        "languages = [\"en\"]",
        "languages = \"en\"",
        &["[person]", "languages"],
    ),
    (
        "transports = [\"tcp\", \"udp\"]",
        "transports = \"tcp\"",
        &["[[line]]", "transports"],
    ),
    (
        "servers = [\"http://127.0.0.1:8480/lost\"]",
        "servers = 1",
        &["[lost]", "servers"],
    ),
    // What is missing.
    ("name = \"Kitchen\"\n", "", &["[device]", "name", "missing"]),
    (
        "country = \"US\"\n\n[emergency]",
        "[emergency]",
        &["[device]", "country", "missing"],
    ),
    (
        "longitude = -106.4\n",
        "",
        &["[point]", "longitude", "missing"],
    ),
    (
        "name = \"Drill Household\"\n",
        "",
        &["[person]", "name", "missing"],
    ),
    (
        "name = \"landline\"\n",
        "",
        &["[[line]]", "name", "missing"],
    ),
    (
        "uri = \"sip:127.0.0.1:5060\"\n",
        "",
        &["[[line]]", "uri", "missing"],
    ),
    // Values that cannot be.
    (
        "country = \"US\"\n\n[emergency]",
        "country = \"FR\"\n\n[emergency]",
        &["[device]", "country", "FR", "US"],
    ),
    ("name = \"Kitchen\"", "name = \" \"", &["[device]", "name"]),
    (
        "mode = \"announced\"",
        "mode = \"loud\"",
        &["[emergency]", "mode", "loud", "immediate"],
    ),
    (
        "cancel_window_s = 5",
        "cancel_window_s = 11",
        &["[emergency]", "cancel_window_s", "11", "10"],
    ),
    ("RD =", "ZZ =", &["[address]", "ZZ"]),
    (
        "latitude = 35.08",
        "latitude = 95.0",
        &["[point]", "latitude"],
    ),
    (
        "longitude = -106.4",
        "longitude = nan",
        &["[point]", "longitude"],
    ),
    (
        "radius_m = 30.0",
        "radius_m = -3.0",
        &["[point]", "radius_m"],
    ),
    (
        "name = \"Drill Household\"",
        "name = \"\"",
        &["[person]", "name"],
    ),
    (
        "callback = \"+15055550123\"",
        "callback = \"help\"",
        &["[person]", "callback"],
    ),
    (
        "callback = \"+15055550123\"",
        "callback = \"911\"",
        &["[person]", "callback"],
    ),
    (
        "callback = \"+15055550123\"",
        "callback = \"+1505555012\\r\\nX: y\"",
        &["[person]", "callback"],
    ),
    (
        "languages = [\"en\"]",
        "languages = []",
        &["[person]", "languages"],
    ),
    (
        "languages = [\"en\"]",
        "languages = [\"mother tongue\"]",
        &["[person]", "languages"],
    ),
    (
        "uri = \"sip:127.0.0.1:5060\"",
        "uri = \"tel:911\"",
        &["[line]", "landline", "uri", "sip"],
    ),
    (
        "uri = \"sip:127.0.0.1:5060\"",
        "uri = \"\"",
        &["[line]", "landline", "uri"],
    ),
    (
        "transports = [\"tcp\", \"udp\"]",
        "transports = []",
        &["[line]", "landline", "transports"],
    ),
    (
        "transports = [\"tcp\", \"udp\"]",
        "transports = [\"sctp\"]",
        &["[line]", "landline", "transports", "sctp", "udp"],
    ),
    (
        "uri = \"sip:127.0.0.1:5060\"",
        "uri = \"sip:127.0.0.1:99999\"",
        &["[line]", "landline", "uri"],
    ),
    (
        "uri = \"sip:127.0.0.1:5060\"",
        "uri = \"sip:trunk@sip.example.com\"",
        &["[line]", "landline", "uri", "beyond this machine"],
    ),
    (
        "uri = \"sip:127.0.0.1:5060\"",
        "uri = \"sip:127.0.0.1:5060\"\naddress_as = \"name\"",
        &["[line]", "landline", "address_as", "number"],
    ),
    (
        "uri = \"sip:127.0.0.1:5060\"",
        "uri = \"sip:127.0.0.1:5060\"\nbody = \"half\"",
        &["[line]", "landline", "body", "session"],
    ),
    (
        "uri = \"sip:127.0.0.1:5060\"",
        "uri = \"sip:127.0.0.1:5060\"\nusername = \"kitchen\"",
        &["[line]", "landline", "username", "password_file"],
    ),
    (
        "http://127.0.0.1:8480/lost",
        "ftp://127.0.0.1/lost",
        &["[lost]", "servers", "http"],
    ),
    // Not TOML.
    ("[emergency]", "[emergency", &["line 6"]),
    (
        "mode = \"announced\"",
        "mode = announced",
        &["[emergency]", "mode"],
    ),
];

#[test]
fn each_mistake_is_named_with_section_and_key() {
    if models_are_absent() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut wrong = Vec::new();
    for (number, (good, bad, words)) in MISTAKES.iter().enumerate() {
        assert!(GOOD.contains(good), "{good:?} is not in the good file");
        let text = GOOD.replacen(good, bad, 1);
        let path = folder.path().join(format!("household-{number}.toml"));
        std::fs::write(&path, &text).unwrap();
        // The recording does not exist: a mistake that goes unnoticed shows as a complaint about it.
        let ran = hearth([
            "hear",
            "--dry-run",
            "--config",
            path.to_str().unwrap(),
            "no-such-recording.wav",
        ]);
        let named = ran
            .err
            .starts_with(&format!("hearth: {}: ", path.display()))
            && words.iter().all(|word| ran.err.contains(word));
        if ran.code != Some(2)
            || !named
            || !ran.out.is_empty()
            || ran.err.trim_end().lines().count() != 1
        {
            wrong.push(format!(
                "{good:?} -> {bad:?}: wanted {words:?}, got {:?} {:?}",
                ran.code, ran.err
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        MISTAKES.len(),
        wrong.join("\n")
    );
}

#[test]
fn the_good_file_is_good() {
    if models_are_absent() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("household.toml");
    std::fs::write(&path, GOOD).unwrap();
    let ran = hearth([
        "hear",
        "--dry-run",
        "--config",
        path.to_str().unwrap(),
        "no-such-recording.wav",
    ]);
    assert!(
        ran.err.starts_with("hearth: no-such-recording.wav: "),
        "{ran:?}"
    );
}

#[test]
fn files_that_are_no_text_and_files_without_end_are_refused() {
    if models_are_absent() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    let bad = [
        (file("empty.toml", b""), "device"),
        (file("binary.toml", &[0xff, 0xfe, 0, 1, 2]), "UTF-8"),
        (file("huge.toml", &vec![b'#'; 300 * 1_024]), "262144"),
        (folder.path().join("absent.toml"), "No such file"),
        (folder.path().to_owned(), "irectory"),
        ("/dev/zero".into(), "/dev/zero"),
    ];
    for command in ["hear", "demo"] {
        for (path, word) in &bad {
            let mut arguments = vec![command, "--config", path.to_str().unwrap()];
            if command == "hear" {
                arguments.extend(["--dry-run", "no-such-recording.wav"]);
            }
            let ran = hearth(arguments);
            assert_eq!(ran.code, Some(2), "{command} {}: {ran:?}", path.display());
            assert!(
                ran.err.contains(&*path.to_string_lossy()) && ran.err.contains(word),
                "{command} {}: {ran:?}",
                path.display()
            );
        }
    }
}
