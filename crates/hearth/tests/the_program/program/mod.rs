//! The program as a person runs it, in an environment of its own.
#![allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    reason = "each test file uses its own part"
)]
#![allow(clippy::unwrap_used, reason = "in a test a panic is the answer")]

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// A home without models, device, programs and network.
pub struct Home {
    pub folder: tempfile::TempDir,
}

impl Home {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("bin")).unwrap();
        Self { folder }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn models(&self) -> PathBuf {
        self.path("models")
    }

    pub fn device(&self) -> PathBuf {
        self.path("data/hearthline/device")
    }

    /// `hearth` with only this home's programs on the path.
    pub fn hearth(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hearth"));
        command
            .env_clear()
            .env("PATH", self.path("bin"))
            .env("HOME", self.folder.path())
            .env("XDG_DATA_HOME", self.path("data"))
            .env("HEARTH_MODELS", self.models())
            .current_dir(self.folder.path());
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Ran {
        self.hearth().args(arguments).output().unwrap().into()
    }

    /// A program of this home: a shell script. The shell's own tools are where every Debian has them.
    pub fn program(&self, name: &str, script: &str) {
        use std::os::unix::fs::PermissionsExt;
        let path = self.path("bin").join(name);
        let text = format!("#!/bin/sh\nPATH=/usr/bin:/bin\n{script}\n");
        // Written under another name: a script that is open for writing cannot be run.
        let fresh = path.with_extension("new");
        std::fs::write(&fresh, text).unwrap();
        std::fs::set_permissions(&fresh, PermissionsExt::from_mode(0o755)).unwrap();
        std::fs::rename(&fresh, &path).unwrap();
    }

    /// Text without this run's places and figures.
    pub fn plain(&self, text: &str) -> String {
        let text = text.replace(self.folder.path().to_str().unwrap(), "HOME");
        let mut words: Vec<&str> = Vec::new();
        for word in text.split(' ') {
            let free = words.last() == Some(&"MiB") && word.starts_with("free");
            if free && let Some(figure) = words.len().checked_sub(2) {
                words[figure] = "N";
            }
            words.push(word);
        }
        words
            .join(" ")
            .replace(env!("CARGO_PKG_VERSION"), "VERSION")
    }
}

/// A running hub; it ends with the test.
pub struct Running {
    child: Child,
    pub said: Vec<String>,
}

impl Running {
    pub fn start(home: &Home) -> Self {
        Self::start_with(home, &[])
    }

    pub fn start_with(home: &Home, more: &[&str]) -> Self {
        let mut child = home
            .hearth()
            .args(["hub", "--listen", "127.0.0.1:0"])
            .args(more)
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

    /// Memory in use.
    pub fn memory_mb(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:"));
        let kilobytes = line.unwrap().split_whitespace().nth(1).unwrap();
        kilobytes.parse::<u64>().unwrap() / 1_000
    }

    /// Ends it as Ctrl-C does, and gives its exit code.
    pub fn interrupt(mut self) -> Option<i32> {
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

/// The names directly below a folder.
pub fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .map(|entries| {
            entries
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .collect()
        })
        .unwrap_or_default();
    names.sort();
    names
}
