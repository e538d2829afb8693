//! What is announced is found by the reference library, and is gone when it is taken back.
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Command, Stdio};

use hearthline_satellite::io::announce::announce;
use hearthline_satellite::mdns::Service;

use crate::oracle::{python, script};

fn service(kind: &'static str, instance: String, text: &[(&'static str, &str)]) -> Service {
    Service {
        kind,
        instance,
        host: format!("hearth-test-{}", std::process::id()),
        address: Ipv4Addr::UNSPECIFIED,
        port: 0,
        text: text
            .iter()
            .map(|(key, value)| (*key, (*value).to_owned()))
            .collect(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_services_are_there_then_gone() {
    let Some(python) = python() else { return };
    // Several of these tests may run on one machine.
    let own = std::process::id();
    let (kitchen, device) = (format!("Küche {own}"), format!("kitchen-{own}"));
    let at = |port: u16| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let first = announce(service("_wyoming", kitchen.clone(), &[]), at(10_700)).unwrap();
    let words = [("mac", "02aabbccddee"), ("friendly_name", "Küche")];
    let second = announce(service("_esphomelib", device.clone(), &words), at(6_053)).unwrap();
    // The same name again gives way to the first.
    let third = announce(service("_wyoming", kitchen.clone(), &[]), at(10_701)).unwrap();
    let mut browser = Command::new(python)
        .arg(script("zeroconf_browser.py"))
        .arg(format!("{kitchen}._wyoming._tcp.local."))
        .arg(format!("{kitchen} (2)._wyoming._tcp.local."))
        .arg(format!("{device}._esphomelib._tcp.local."))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = browser.stdin.take().unwrap();
    let mut out = BufReader::new(browser.stdout.take().unwrap());
    let mut err = browser.stderr.take().unwrap();
    let heard = tokio::task::spawn_blocking(move || {
        let mut found = Vec::new();
        loop {
            let mut line = String::new();
            if out.read_line(&mut line).unwrap() == 0 {
                let mut why = String::new();
                err.read_to_string(&mut why).unwrap();
                panic!("the browser found {found:?} and ended: {why}");
            }
            if line == "there\n" {
                return (found, out, err);
            }
            found.push(line.trim_end().to_owned());
        }
    });
    let (found, mut out, mut err) = heard.await.unwrap();
    let ports: Vec<&str> = found
        .iter()
        .map(|line| line.split('|').nth(3).unwrap())
        .collect();
    assert_eq!(found.len(), 3, "{found:?}");
    // Which of the two had the name first is theirs to settle.
    assert!(
        ports.contains(&"10700") && ports.contains(&"10701"),
        "{found:?}"
    );
    let device = found
        .iter()
        .find(|line| line.contains("_esphomelib"))
        .unwrap();
    assert!(
        device.contains("|127.0.0.1|6053|")
            && device.contains("friendly_name=Küche mac=02aabbccddee"),
        "{device}"
    );
    drop((first, second, third));
    stdin.write_all(b"\n").unwrap();
    let last = tokio::task::spawn_blocking(move || {
        let mut line = String::new();
        out.read_line(&mut line).unwrap();
        let mut why = String::new();
        err.read_to_string(&mut why).unwrap();
        (line, why)
    });
    let (line, why) = last.await.unwrap();
    assert_eq!(line, "gone\n", "{why}");
    assert!(browser.wait().unwrap().success());
}

#[tokio::test]
async fn nothing_is_told_beyond_this_machine() {
    let away = SocketAddr::from(([192, 0, 2, 1], 10_700));
    let refused = announce(service("_wyoming", "Kitchen".into(), &[]), away).unwrap_err();
    assert!(refused.contains("beyond this machine"), "{refused}");
    let six = "[::1]:10700".parse().unwrap();
    assert!(announce(service("_wyoming", "Kitchen".into(), &[]), six).is_err());
}
