//! `hearth doctor`: every lack has a line and a remedy, and nobody outside this machine is asked.

use std::io::{Read, Write};
use std::net::{TcpListener, UdpSocket};
use std::time::{Duration, Instant};

use crate::program::{Home, Ran};
use hearthline_sip::{Limits, Message, Response, StatusCode, parse_datagram};

const EMPTY: &str = "[device]\nname = \"Kitchen\"\ncountry = \"US\"\n[person]\nname = \"Drill\"\n";
const FULL: &str = "[device]\nname = \"Kitchen\"\ncountry = \"US\"\n\
    [address]\ncountry = \"US\"\nA1 = \"NM\"\nA3 = \"Exampleton\"\nRD = \"Juniper\"\nHNO = \"42\"\nPC = \"00000\"\nLOC = \"kitchen\"\n\
    [point]\nlatitude = 35.08\nlongitude = -106.4\n\
    [person]\nname = \"Drill\"\ncallback = \"+15055550123\"\n";

fn doctor(home: &Home, config: &str) -> Ran {
    std::fs::write(home.path("household.toml"), config).unwrap();
    home.run(&["doctor", "--config", "household.toml"])
}

fn line<'a>(ran: &'a Ran, what: &str) -> &'a str {
    ran.out
        .lines()
        .find(|line| line.starts_with(what))
        .unwrap_or_else(|| panic!("no {what}:\n{}", ran.out))
}

#[test]
fn of_an_empty_household() {
    let home = Home::new();
    let ran = doctor(&home, EMPTY);
    assert_eq!(ran.code, 1);
    insta::assert_snapshot!("empty_household", home.plain(&ran.out));
}

#[test]
fn without_a_configuration() {
    let home = Home::new();
    let ran = home.run(&["doctor"]);
    assert_eq!(ran.code, 1);
    assert!(line(&ran, "household").contains("MISSING"), "{}", ran.out);
    let absent = home.run(&["doctor", "--config", "absent.toml"]);
    assert_eq!(absent.code, 1);
    assert!(
        line(&absent, "household").contains("WRONG"),
        "{}",
        absent.out
    );
}

#[test]
fn in_json_as_well() {
    let home = Home::new();
    std::fs::write(home.path("household.toml"), FULL).unwrap();
    let ran = home.run(&["doctor", "--json", "--config", "household.toml"]);
    let json: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(
        (ran.code, &json["ready"], &json["drill_only"]),
        (1, &false.into(), &true.into())
    );
    let checks = json["checks"].as_array().unwrap();
    let state =
        |what: &str| checks.iter().find(|check| check["what"] == what).unwrap()["state"].clone();
    assert_eq!(
        (state("address"), state("callback"), state("line")),
        ("ok".into(), "ok".into(), "missing".into())
    );
}

#[test]
fn no_number_and_no_address_is_repeated() {
    let home = Home::new();
    let ran = doctor(&home, FULL);
    for private in ["5055550123", "Juniper", "Exampleton", "35.08"] {
        assert!(
            !ran.out.contains(private) && !ran.err.contains(private),
            "{private}: {}",
            ran.out
        );
    }
}

#[test]
fn sound_devices_are_counted() {
    let home = Home::new();
    home.program("arecord", "echo '**** List of CAPTURE Hardware Devices ****'; echo 'card 0: Mic [Mic], device 0: USB'");
    home.program(
        "aplay",
        "echo 'aplay: device_list: no soundcards found...' >&2",
    );
    let ran = doctor(&home, EMPTY);
    assert!(
        line(&ran, "microphone").contains("ok      arecord lists 1 device"),
        "{}",
        ran.out
    );
    assert!(line(&ran, "loudspeaker").contains("MISSING"), "{}", ran.out);
}

#[test]
fn a_sound_program_that_hangs_is_not_waited_for() {
    let home = Home::new();
    home.program("arecord", "exec sleep 60");
    let started = Instant::now();
    let ran = doctor(&home, EMPTY);
    assert!(line(&ran, "microphone").contains("WRONG"), "{}", ran.out);
    assert!(started.elapsed() < Duration::from_secs(30));
}

#[test]
fn a_line_elsewhere_is_not_contacted() {
    let home = Home::new();
    let ran = doctor(
        &home,
        &format!("{FULL}[[line]]\nname = \"far\"\nuri = \"sip:trunk@sip.example.com\"\n"),
    );
    assert!(
        line(&ran, "household").contains("WRONG")
            && ran.out.contains("far uri: leads beyond this machine"),
        "{}",
        ran.out
    );
    assert!(
        ran.out
            .contains("can call only drill call-takers on this machine"),
        "{}",
        ran.out
    );
}

#[test]
fn a_line_that_answers_options_is_ok_and_a_silent_one_is_not() {
    let home = Home::new();
    let taker = UdpSocket::bind("127.0.0.1:0").unwrap();
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let (port, silent_port) = (
        taker.local_addr().unwrap().port(),
        silent.local_addr().unwrap().port(),
    );
    taker
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    let answering = std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        let (length, from) = loop {
            match taker.recv_from(&mut buffer) {
                // A machine that was stopped meanwhile: signal(7).
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                received => break received.unwrap(),
            }
        };
        let message = parse_datagram(&buffer[..length], &Limits::default()).unwrap();
        let Message::Request(request) = message else {
            panic!("a response")
        };
        assert_eq!(request.method, hearthline_sip::Method::Options);
        hearthline_sip::validate::validate_request(&request).unwrap();
        let answer = Response::to_request(&request, StatusCode::OK, Some("taker"));
        taker.send_to(&answer.to_bytes(), from).unwrap();
    });
    let lines = format!(
        "[[line]]\nname = \"good\"\nuri = \"sip:drill@127.0.0.1:{port}\"\ntransports = [\"udp\"]\n\
         [[line]]\nname = \"mute\"\nuri = \"sip:drill@127.0.0.1:{silent_port}\"\ntransports = [\"udp\"]\n"
    );
    let started = Instant::now();
    let ran = doctor(&home, &format!("{FULL}{lines}"));
    answering.join().unwrap();
    assert!(
        line(&ran, "line good").contains("ok      udp answered 200"),
        "{}",
        ran.out
    );
    assert!(
        line(&ran, "line mute").contains("WRONG   udp no answer within 1 s"),
        "{}",
        ran.out
    );
    assert!(started.elapsed() < Duration::from_secs(15));
}

#[test]
fn of_each_line_it_says_how_it_is_asked_and_whether_its_password_can_be_read() {
    use std::os::unix::fs::PermissionsExt as _;
    let home = Home::new();
    let write = |name: &str, mode| {
        std::fs::write(home.path(name), "only for drills\n").unwrap();
        std::fs::set_permissions(home.path(name), std::fs::Permissions::from_mode(mode)).unwrap();
    };
    write("good.password", 0o600);
    write("open.password", 0o644);
    let line_of = |name: &str, keys: &str| {
        format!(
            "[[line]]\nname = \"{name}\"\nuri = \"sip:127.0.0.1:9\"\ntransports = [\"tcp\"]\n{keys}\n"
        )
    };
    let lines = [
        line_of("plain", ""),
        line_of(
            "good",
            "username = \"kitchen\"\npassword_file = \"good.password\"\naddress_as = \"number\"",
        ),
        line_of(
            "open",
            "username = \"kitchen\"\npassword_file = \"open.password\"\nbody = \"session\"",
        ),
        line_of(
            "absent",
            "username = \"kitchen\"\npassword_file = \"absent.password\"",
        ),
        line_of(
            "variable",
            "username = \"kitchen\"\npassword_env = \"HEARTH_TEST_NO_SUCH_PASSWORD\"",
        ),
    ];
    let ran = doctor(&home, &format!("{FULL}{}", lines.concat()));
    for (start, part) in [
        (
            "line plain call",
            "ok      asks for the service (urn:service:sos), with address and data",
        ),
        ("line good call", "ok      dials 911, with address and data"),
        ("line good password", "ok      readable, and by nobody else"),
        (
            "line open call",
            "note    asks for the service (urn:service:sos), and sends no address",
        ),
        (
            "line open password",
            "WRONG   others on this machine can read or change its file",
        ),
        ("line absent password", "MISSING "),
        (
            "line variable password",
            "MISSING the environment variable HEARTH_TEST_NO_SUCH_PASSWORD is not set",
        ),
    ] {
        assert!(line(&ran, start).contains(part), "{start}:\n{}", ran.out);
    }
    assert!(!ran.out.contains("line plain password"), "{}", ran.out);
    assert!(!ran.out.contains("only for drills"), "{}", ran.out);
    assert!(ran.out.contains("chmod 600"), "{}", ran.out);
}

#[test]
fn a_lost_server_that_never_answers_takes_a_second_and_stops_nothing() {
    let home = Home::new();
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = server.local_addr().unwrap();
    let ran = doctor(
        &home,
        &format!("{FULL}[lost]\nservers = [\"http://{address}/lost\"]\n"),
    );
    assert!(
        line(&ran, "lost").contains("note    no answer within 1 s"),
        "{}",
        ran.out
    );
}

#[test]
fn a_lost_server_that_talks_nonsense_is_told() {
    let home = Home::new();
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = server.local_addr().unwrap();
    std::thread::spawn(move || {
        let (mut stream, _) = server.accept().unwrap();
        let (mut request, mut buffer) = (Vec::new(), [0; 4096]);
        // All of it: closing over unread bytes would reset the connection.
        while !request.trim_ascii_end().ends_with(b"</findService>") {
            let read = stream.read(&mut buffer).unwrap();
            assert!(read > 0, "the request ended early");
            request.extend_from_slice(&buffer[..read]);
        }
        assert!(request.starts_with(b"POST /lost HTTP/1.0\r\n"));
        stream.write_all(b"HTTP/1.0 200 OK\r\n\r\nhello").unwrap();
    });
    let ran = doctor(
        &home,
        &format!("{FULL}[lost]\nservers = [\"http://{address}/lost\"]\n"),
    );
    assert!(
        line(&ran, "lost").contains("note    the answer is not LoST"),
        "{}",
        ran.out
    );
}
