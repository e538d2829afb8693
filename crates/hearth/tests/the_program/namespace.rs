//! A network of a test's own: the test runs itself again where nothing but its own programs can be seen.
use std::process::Command;

const INSIDE: &str = "HEARTHLINE_NETWORK_INSIDE";

/// Where the test finds itself.
pub(crate) enum Network {
    /// In a network namespace of its own.
    Own,
    /// In that of the machine: without the right to make one.
    Shared,
    /// It has run in a namespace of its own already.
    Done,
}

impl Network {
    /// Runs the test (`file::name`) again in a namespace where `up` has been done.
    pub(crate) fn own(test: &str, up: &str) -> Self {
        if std::env::var_os(INSIDE).is_some() {
            return Self::Own;
        }
        let possible = Command::new("unshare")
            .args(["-n", "sh", "-c", up])
            .output()
            .is_ok_and(|made| made.status.success());
        if !possible {
            return Self::Shared;
        }
        let again = format!("{up} && exec \"$0\" --exact {test} --nocapture");
        let output = Command::new("timeout")
            .args(["-k", "2", "200", "unshare", "-n", "sh", "-c", &again])
            .arg(std::env::current_exe().unwrap())
            .env(INSIDE, "1")
            .output()
            .unwrap();
        let printed = String::from_utf8_lossy(&output.stdout).into_owned()
            + &String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success() && printed.contains("1 passed"),
            "{printed}"
        );
        print!("{printed}");
        Self::Done
    }
}
