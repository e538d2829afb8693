//! `hearth hub --simulator`: a tab is a speaker of that home, opened only by who has the link; it is the same device when
//! the hub runs again.
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use crate::program::{Home, Running};
use crate::scene::{models, models_are_absent};

const WAIT_MAX: Duration = Duration::from_secs(60);

/// `127.0.0.1:PORT` and the key, of the link that was printed.
fn link(hub: &Running) -> (String, String) {
    let line = hub.said.iter().find(|line| line.contains("  simulator "));
    let line = line.unwrap_or_else(|| panic!("{:?}", hub.said));
    let (_, rest) = line.split_once("http://localhost:").unwrap();
    let (port, key) = rest.split_once("/#").unwrap();
    assert!(key.len() >= 32, "{line}");
    (format!("127.0.0.1:{port}"), key.to_owned())
}

fn asked(address: &str, method: &str, path: &str, body: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(WAIT_MAX)).unwrap();
    let bytes = body.len();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nOrigin: http://{address}\r\nConnection: close\r\n\
         Content-Length: {bytes}\r\n\r\n{body}"
    )
    .unwrap();
    stream
}

fn answered(address: &str, method: &str, path: &str, body: &str) -> String {
    let mut text = String::new();
    let mut stream = asked(address, method, path, body);
    stream.read_to_string(&mut text).unwrap();
    text
}

/// Opens a tab: its name.
fn opened(address: &str, key: &str) -> String {
    let text = answered(address, "POST", "/simulator/tabs", key);
    assert!(text.starts_with("HTTP/1.1 201"), "{text}");
    let (_, row) = text.split_once("\r\n\r\n").unwrap();
    let row: serde_json::Value = serde_json::from_str(row).unwrap();
    row["tab"].as_str().unwrap().to_owned()
}

/// The news of a tab, until one of them is what is looked for.
fn news(
    address: &str,
    tab: &str,
    wanted: impl Fn(&serde_json::Value) -> bool,
) -> serde_json::Value {
    let stream = asked(address, "GET", &format!("/simulator/tabs/{tab}/events"), "");
    let mut seen = Vec::new();
    for line in BufReader::new(stream).lines() {
        let line = line.unwrap_or_else(|error| panic!("{error}; seen: {seen:#?}"));
        let Some(data) = line.strip_prefix("data: ") else {
            continue;
        };
        let row: serde_json::Value = serde_json::from_str(data).unwrap();
        if wanted(&row) {
            return row;
        }
        seen.push(row);
    }
    panic!("it ended; seen: {seen:#?}");
}

#[test]
fn whose_tabs_are_its_speakers() {
    if models_are_absent() {
        return;
    }
    let home = Home::new();
    std::os::unix::fs::symlink(models().unwrap(), home.models()).unwrap();
    let arguments = [
        "--sip",
        "--country",
        "US",
        "--sip-listen",
        "tls:127.0.0.1:0",
        "--simulator",
        "--simulator-port",
        "0",
    ];
    let hub = Running::start_with(&home, &arguments);
    let (address, key) = link(&hub);
    for wrong in ["", "0123456789abcdef0123456789abcdef"] {
        let refused = answered(&address, "POST", "/simulator/tabs", wrong);
        assert!(refused.starts_with("HTTP/1.1 403"), "{refused}");
    }
    let page = answered(&address, "GET", "/", "");
    assert!(page.contains("<title>Simulator"), "{page}");
    assert!(!page.contains(&key), "the page is anybody's");
    let tab = opened(&address, &key);
    let device = news(&address, &tab, |row| row["device"].is_string());
    assert_eq!(device["device"], "Kitchen");
    assert_eq!(device["home"], true);
    let typed = format!("/simulator/tabs/{tab}/typed");
    let typed = answered(&address, "POST", &typed, "what time is it");
    assert!(typed.starts_with("HTTP/1.1 204"), "{typed}");
    news(&address, &tab, |row| row["says"].is_string());
    // What its skills hold is told too, and the newest alone to whoever comes later.
    let typed = format!("/simulator/tabs/{tab}/typed");
    answered(&address, "POST", &typed, "set a timer for ten minutes");
    let holds_one = |row: &serde_json::Value| {
        row["shows"] == "agenda"
            && row["holds"]["timers"]
                .as_array()
                .is_some_and(|all| all.len() == 1)
    };
    let shown = news(&address, &tab, holds_one);
    assert_eq!(shown["holds"]["timers"][0]["length_ms"], 600_000);
    assert_eq!(hub.interrupt(), Some(0));

    let known = home
        .device()
        .with_file_name("hub/simulator/enrolled/simulator-1/home/home.toml");
    let first = std::fs::read_to_string(&known).unwrap();
    // A free port is another one each time: the old device is put out, and the new one has its name.
    let hub = Running::start_with(&home, &arguments);
    let (address, key) = link(&hub);
    let tab = opened(&address, &key);
    let device = news(&address, &tab, |row| row["device"].is_string());
    assert_eq!(device["device"], "Kitchen");
    assert_ne!(std::fs::read_to_string(&known).unwrap(), first);
    twenty_and_no_more(&hub, &address, &key, &tab);
    assert_eq!(hub.interrupt(), Some(0));
}

/// Every room has its speaker: each is a device of the home with a name of its own, and answers.
fn twenty_and_no_more(hub: &Running, address: &str, key: &str, first: &str) {
    let stream = |tab: &str| asked(address, "GET", &format!("/simulator/tabs/{tab}/events"), "");
    // A tab that nobody looks at ends by itself.
    let mut looked_at = vec![stream(first)];
    let mut tabs = vec![first.to_owned()];
    while tabs.len() < 20 {
        let tab = opened(address, key);
        looked_at.push(stream(&tab));
        tabs.push(tab);
    }
    let refused = answered(address, "POST", "/simulator/tabs", key);
    assert!(refused.starts_with("HTTP/1.1 503"), "{refused}");
    assert!(refused.contains("20 devices run already"), "{refused}");
    let mut names = std::collections::BTreeSet::new();
    for tab in &tabs {
        let device = news(address, tab, |row| row["device"].is_string());
        assert_eq!(device["home"], true);
        names.insert(device["device"].as_str().unwrap().to_owned());
        let typed = format!("/simulator/tabs/{tab}/typed");
        let typed = answered(address, "POST", &typed, "what time is it");
        assert!(typed.starts_with("HTTP/1.1 204"), "{typed}");
    }
    assert_eq!(names.len(), 20, "{names:?}");
    for tab in &tabs {
        news(address, tab, |row| row["says"].is_string());
    }
    println!("20 tabs on one hub: {} MB", hub.memory_mb());
    drop(looked_at);
}
