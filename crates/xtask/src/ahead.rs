//! Compiling that begins while the tests run: half of their time is waiting for real programs and clocks. It takes only
//! what they leave of the processors (`SCHED_IDLE`), so none of them waits for it.
//!
//! This is a head start and no step: what it leaves undone, or fails at, the steps that come after do and tell.
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};

use crate::step::root;

/// This program once more, as `cargo xtask ahead`, beside a step.
pub(crate) struct Ahead(Option<Child>);

impl Ahead {
    /// Begins. Where there is no `chrt`, nothing begins.
    pub(crate) fn start() -> Self {
        let own = std::env::current_exe().and_then(|own| {
            Command::new("chrt")
                .args(["--idle", "0"])
                .arg(own)
                .arg("ahead")
                .current_dir(root())
                .process_group(0)
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
        });
        Self(own.ok())
    }

    /// Waits until it is done. How it ended is for the steps to tell.
    pub(crate) fn wait(mut self) {
        if let Some(mut child) = self.0.take() {
            let _ = child.wait();
        }
    }
}

impl Drop for Ahead {
    /// Ends it and what it began: the step beside which it ran has failed.
    fn drop(&mut self) {
        if let Some(mut child) = self.0.take() {
            let group = format!("-{}", child.id());
            let _ = Command::new("kill").args(["--", &group]).status();
            let _ = child.wait();
        }
    }
}
