//! A bus of our own, a stand-in on it, and the line.
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use hearthline_modem::io::{BusAddress, Running, ServeConfig, start};
use hearthline_modem::line::Event;
use hearthline_modem::service::Health;
use hearthline_modem::stand_in::StandIn;

/// A running `dbus-daemon`.
pub(crate) struct PrivateBus {
    daemon: Child,
    folder: tempfile::TempDir,
}

impl PrivateBus {
    /// `None`: the program is not installed, and this is said.
    pub(crate) fn start() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let daemon = spawn(&folder);
        match daemon {
            Ok(daemon) => Some(Self { daemon, folder }),
            Err(error) => {
                assert!(
                    std::env::var_os("CI").is_none(),
                    "dbus-daemon is not installed: {error}"
                );
                println!("skipped: install dbus-daemon (cargo xtask packages)");
                None
            }
        }
    }

    fn socket(folder: &tempfile::TempDir) -> PathBuf {
        folder.path().join("bus")
    }

    pub(crate) fn address(&self) -> BusAddress {
        BusAddress::parse(&self.text()).unwrap()
    }

    pub(crate) fn text(&self) -> String {
        format!("unix:path={}", Self::socket(&self.folder).display())
    }

    /// Ends the daemon, as a crash does.
    pub(crate) fn kill(&mut self) {
        self.daemon.kill().unwrap();
        self.daemon.wait().unwrap();
    }

    /// Starts it again at the same address.
    pub(crate) fn again(&mut self) {
        let _ = std::fs::remove_file(Self::socket(&self.folder));
        self.daemon = spawn(&self.folder).unwrap();
    }
}

fn spawn(folder: &tempfile::TempDir) -> std::io::Result<Child> {
    let socket = PrivateBus::socket(folder);
    let daemon = Command::new("dbus-daemon")
        .args(["--session", "--nofork", "--nopidfile", "--nosyslog"])
        .arg(format!("--address=unix:path={}", socket.display()))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    for _ in 0..500 {
        if socket.exists() {
            return Ok(daemon);
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("dbus-daemon opened no socket");
}

impl Drop for PrivateBus {
    fn drop(&mut self) {
        let _ = self.daemon.kill();
        let _ = self.daemon.wait();
    }
}

/// Bus, stand-in and line.
pub(crate) struct Home {
    pub(crate) line: Running,
    pub(crate) modem: StandIn,
    pub(crate) bus: PrivateBus,
}

impl Home {
    /// A line that is ready.
    pub(crate) async fn start() -> Option<Self> {
        Self::start_with(|_| {}).await
    }

    pub(crate) async fn start_with(change: impl FnOnce(&mut ServeConfig)) -> Option<Self> {
        let bus = PrivateBus::start()?;
        let modem = StandIn::start(bus.address()).await.unwrap();
        let mut config = ServeConfig::new(bus.address());
        change(&mut config);
        let line = start(config).await.unwrap();
        let mut home = Self { line, modem, bus };
        home.health(Health::Ready).await;
        Some(home)
    }

    /// Waits until the line is in this health.
    pub(crate) async fn health(&mut self, wanted: Health) {
        let reached = async {
            loop {
                let (health, _) = self.line.facts().await.unwrap();
                if health == wanted {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let reached = tokio::time::timeout(Duration::from_secs(10), reached).await;
        if reached.is_err() {
            panic!("{wanted:?} never came: {:?}", self.line.facts().await);
        }
    }

    /// Waits for an event of the line.
    pub(crate) async fn event(&mut self, wanted: impl Fn(&Event) -> bool) -> Event {
        let found = async {
            loop {
                let event = self.line.events.recv().await.unwrap();
                if wanted(&event) {
                    return event;
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(10), found)
            .await
            .expect("the event never came")
    }

    /// Why the last call ended.
    pub(crate) async fn end(&mut self) -> &'static str {
        match self
            .event(|event| matches!(event, Event::CallEnded { .. }))
            .await
        {
            Event::CallEnded { why } => why,
            _ => unreachable!("asked for that"),
        }
    }
}
