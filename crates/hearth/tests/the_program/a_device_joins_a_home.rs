//! `hearth join` with the code of a running hub.

use std::os::unix::fs::PermissionsExt as _;

use crate::program::{Home, Ran, Running, names};

const FILES: [&str; 4] = ["authority.pem", "certificate.pem", "home.toml", "key.pem"];

/// Where the hub listens, as it said.
fn https(hub: &Running) -> String {
    let line = hub.said.iter().find(|line| line.contains("https://"));
    let (_, address) = line.unwrap().split_once("https://").unwrap();
    address.trim().to_owned()
}

fn invited(home: &Home) -> serde_json::Value {
    let ran = home.run(&["hub", "invite", "Kitchen", "--json"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    serde_json::from_str(&ran.out).unwrap()
}

fn is_owners_alone(home: &Home) {
    let folder = home.device().join("home");
    assert_eq!(names(&folder), FILES);
    for file in FILES {
        let mode = folder.join(file).metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
}

#[test]
fn by_link_or_by_code_and_no_second_time_unasked() {
    let home = Home::new();
    let ports = ["udp", "tcp", "tls"].map(|transport| format!("{transport}:127.0.0.1:0"));
    let mut sip = vec!["--sip", "--country", "US"];
    sip.extend(ports.iter().flat_map(|port| ["--sip-listen", port]));
    let hub = Running::start_with(&home, &sip);

    let link = invited(&home)["url"].as_str().unwrap().to_owned();
    let joined = home.run(&["join", &link]);
    assert_eq!(joined.code, 0, "{}", joined.err);
    assert!(
        joined.out.contains("Joined as \"Kitchen\""),
        "{}",
        joined.out
    );
    is_owners_alone(&home);
    let settings = std::fs::read_to_string(home.device().join("home/home.toml")).unwrap();
    let settings: toml::Table = settings.parse().unwrap();
    let api = settings["household"]["api"].as_str().unwrap();
    assert_eq!(api, https(&hub));
    assert!(settings["household"].get("password").is_none());

    let again = home.run(&["join", &link]);
    assert_eq!(again.code, 2, "{}", again.out);
    assert!(again.err.contains("--again"), "{}", again.err);

    let code = invited(&home)["code"].as_str().unwrap().to_owned();
    let anew = home.run(&["join", &code, "--hub", api, "--again"]);
    assert_eq!(anew.code, 0, "{}", anew.err);
    is_owners_alone(&home);
    let aside = home.device().join("home.old-0");
    assert_eq!(names(&aside), FILES, "the old key is kept");
    assert_eq!(hub.interrupt(), Some(0));
}

#[test]
fn what_cannot_be_is_said_and_leaves_nothing() {
    let home = Home::new();
    let hub = Running::start(&home);
    let address = https(&hub);
    let refused = |ran: &Ran, code: i32, words: &str| {
        assert_eq!(ran.code, code, "{} {}", ran.out, ran.err);
        assert!(ran.err.contains(words), "{}", ran.err);
        assert!(names(&home.device()).is_empty());
    };
    refused(
        &home.run(&["join", "ABCD", "--hub", &address]),
        2,
        "a code has 8",
    );
    refused(
        &home.run(&["join", "ABCD-2345", "--hub", &address]),
        1,
        "refused",
    );
    refused(
        &home.run(&["join", "ABCD-2345", "--hub", "192.0.2.1:8443"]),
        2,
        "loopback",
    );
    let link = invited(&home)["url"].as_str().unwrap().to_owned();
    let (start, _) = link.split_once("&ca=").unwrap();
    let other = format!("{start}&ca={}", "00".repeat(32));
    refused(&home.run(&["join", &other]), 2, "another one");
    let nowhere = link.replace("https://127.0.0.1", "https://hub.example");
    refused(&home.run(&["join", &nowhere]), 2, "hub.example");
    assert_eq!(hub.interrupt(), Some(0));
    refused(&home.run(&["join", &link]), 3, "no connection");
}
