//! `hearth hub`, and what the owner does beside it in another terminal.
#![allow(clippy::unwrap_used, reason = "in a test a panic is the answer")]

mod program;

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

use program::Home;

/// A running hub; it ends with the test.
struct Running {
    child: Child,
    said: Vec<String>,
}

impl Running {
    fn start(home: &Home) -> Self {
        let mut child = home
            .hearth()
            .args(["hub", "--listen", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = Vec::new();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        for line in lines.map_while(Result::ok) {
            let last = line.contains("hub invite Kitchen");
            said.push(line);
            if last {
                break;
            }
        }
        Self { child, said }
    }

    /// Ends it as Ctrl-C does, and gives its exit code.
    fn interrupt(mut self) -> Option<i32> {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
        self.child.wait().unwrap().code()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn people_are_added_and_devices_invited_while_it_runs() {
    let home = Home::new();
    let hub = Running::start(&home);
    assert!(
        hub.said
            .iter()
            .any(|line| line.contains("https://127.0.0.1:")),
        "{:?}",
        hub.said
    );
    std::fs::write(home.path("anna.txt"), "correct horse battery\n").unwrap();
    let added = home.run(&[
        "hub",
        "add-person",
        "Anna",
        "--role",
        "owner",
        "--login",
        "anna",
        "--password-file",
        "anna.txt",
    ]);
    assert_eq!(added.code, 0, "{}", added.err);
    assert!(!added.out.contains("horse"), "{}", added.out);
    let again = home.run(&[
        "hub",
        "add-person",
        "Anna",
        "--role",
        "owner",
        "--login",
        "anna",
        "--password-file",
        "anna.txt",
    ]);
    assert_eq!(again.code, 2, "a login is somebody's own: {}", again.out);

    let shown = home.run(&["hub", "invite", "Kitchen"]);
    assert_eq!(shown.code, 0, "{}", shown.err);
    assert!(
        shown.out.contains('█') || shown.out.contains('▀'),
        "a QR code: {}",
        shown.out
    );
    let invited = home.run(&["hub", "invite", "Anna's phone", "--kind", "phone", "--json"]);
    let row: serde_json::Value = serde_json::from_str(&invited.out).unwrap();
    let code = row["code"].as_str().unwrap();
    assert_eq!(code.len(), 9, "two groups of four: {code}");
    assert!(
        row["url"]
            .as_str()
            .unwrap()
            .starts_with("https://127.0.0.1:")
    );

    let copied = home.run(&["hub", "back-up"]);
    let path = copied
        .out
        .trim()
        .trim_start_matches("Copied to ")
        .trim_end_matches('.');
    assert!(std::fs::metadata(path).unwrap().len() > 0, "{}", copied.out);
    assert_eq!(hub.interrupt(), Some(0));
}

#[test]
fn what_cannot_be_done_says_why() {
    let home = Home::new();
    let alone = home.run(&["hub", "invite", "Kitchen"]);
    assert_eq!(alone.code, 3);
    assert!(
        alone.err.contains("start `hearth hub` first"),
        "{}",
        alone.err
    );
    let far = home.run(&["hub", "--listen", "192.0.2.1:8443"]);
    assert_eq!(far.code, 2);
    assert!(far.err.contains("192.0.2.1:8443 is refused"), "{}", far.err);

    let hub = Running::start(&home);
    let second = home.run(&["hub", "--listen", "127.0.0.1:0"]);
    assert_eq!(second.code, 2, "two hubs on one folder: {}", second.out);
    std::fs::write(home.path("short.txt"), "short\n").unwrap();
    for (arguments, why) in [
        (vec!["invite", "  "], "empty"),
        (
            vec![
                "add-person",
                "Bob",
                "--role",
                "adult",
                "--login",
                "Bob!",
                "--password-file",
                "short.txt",
            ],
            "--login",
        ),
        (
            vec![
                "add-person",
                "Bob",
                "--role",
                "adult",
                "--login",
                "bob",
                "--password-file",
                "short.txt",
            ],
            "at least",
        ),
        (
            vec![
                "add-person",
                "Bob",
                "--role",
                "adult",
                "--login",
                "bob",
                "--password-file",
                "no.txt",
            ],
            "no.txt",
        ),
    ] {
        let ran = home.run(&[&["hub"], arguments.as_slice()].concat());
        assert_eq!(ran.code, 2, "{arguments:?}: {}", ran.out);
        assert!(ran.err.contains(why), "{arguments:?}: {}", ran.err);
    }
    drop(hub);
}
