//! systemd's side: ready when it listens, alive as often as the watchdog asks, ending when it is told to.

use std::os::unix::net::UnixDatagram;
use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::program::Home;

/// What the program told until `wanted` came; what was told last stands last.
fn told_until(socket: &UnixDatagram, wanted: &str) -> Vec<String> {
    let until = Instant::now() + Duration::from_secs(30);
    let mut told = Vec::new();
    while Instant::now() < until {
        let mut datagram = [0; 4_096];
        let Ok(count) = socket.recv(&mut datagram) else {
            continue;
        };
        let text = String::from_utf8_lossy(&datagram[..count]);
        told.extend(text.lines().map(str::to_owned));
        if told.iter().any(|line| line == wanted) {
            return told;
        }
    }
    panic!("{wanted} was never told, but {told:?}");
}

#[test]
fn the_hub_is_ready_alive_and_ends_when_told() {
    let home = Home::new();
    let path = home.path("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket
        .set_read_timeout(Some(Duration::from_millis(500)))
        .unwrap();
    let mut hub = home
        .hearth()
        .args(["hub", "--listen", "127.0.0.1:0"])
        .env("NOTIFY_SOCKET", &path)
        .env("WATCHDOG_USEC", "400000")
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    told_until(&socket, "READY=1");
    // Twice at least: it goes on.
    told_until(&socket, "WATCHDOG=1");
    told_until(&socket, "WATCHDOG=1");
    kill_process(Pid::from_child(&hub), Signal::TERM).unwrap();
    let last = told_until(&socket, "STOPPING=1");
    assert!(!last.iter().any(|line| line == "READY=1"), "{last:?}");
    assert_eq!(hub.wait().unwrap().code(), Some(0));
}

/// `systemd-analyze`, where it is: what the services may still do is little.
#[test]
fn the_services_may_do_little() {
    for unit in ["hearth-hub.service", "hearth-speaker.service"] {
        let path = format!(
            "{}/../../packaging/systemd/{unit}",
            env!("CARGO_MANIFEST_DIR")
        );
        let ran = std::process::Command::new("systemd-analyze")
            .args(["security", "--offline=true", "--threshold=20", &path])
            .output();
        let Ok(ran) = ran else {
            println!("skipped: no systemd-analyze here");
            return;
        };
        assert!(
            ran.status.success(),
            "{unit} is exposed to more than 2.0: {}",
            String::from_utf8_lossy(&ran.stdout)
        );
    }
}
