//! Real programs as peers, and the device on real sockets without models: its ear is told what was said, its microphone
//! is a tone, its loudspeaker a list of samples. Everything on loopback, everything ended by whoever started it.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used)] // each test file uses its part; a failed step is a failed test

pub mod speaker;

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

/// Where everything happens.
pub const HOME: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
/// No peer lives longer, whatever becomes of the test.
const LIFE_MAX: &str = "60";

/// Whether all `programs` are installed. Otherwise the test is skipped, but not where CI installs them.
pub fn installed(programs: &[(&str, &str)]) -> bool {
    let mut all = true;
    for (program, package) in programs {
        let folders = std::env::var("PATH").unwrap_or_default() + ":/usr/sbin:/sbin";
        if !folders
            .split(':')
            .any(|folder| Path::new(folder).join(program).is_file())
        {
            assert!(
                !must_run(),
                "{program} is not installed (Debian: {package})"
            );
            println!("skipped: {program} is not installed (Debian: {package})");
            all = false;
        }
    }
    all
}

/// In CI and as root nothing may be skipped: there everything can be installed.
pub fn must_run() -> bool {
    std::env::var_os("CI").is_some() && is_root()
}

/// Whether this process is root.
pub fn is_root() -> bool {
    let user = Command::new("id").arg("-u").output();
    user.is_ok_and(|user| user.stdout.trim_ascii() == b"0")
}

/// A port with its neighbour above, both free for UDP and TCP. Below the range that systems hand out by themselves, so
/// that nobody else gets it in between.
pub fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    // Test programs that run at the same time have neighbouring ids: they begin far from each other.
    let start = u16::try_from(std::process::id().wrapping_mul(7_919) % 2_500).unwrap() * 4;
    for _ in 0..500 {
        let port = 20_000 + (start + NEXT.fetch_add(4, Ordering::Relaxed)) % 10_000;
        if !in_use(port) && !in_use(port + 1) {
            return port;
        }
    }
    panic!("no free port");
}

fn in_use(port: u16) -> bool {
    let address = SocketAddr::new(HOME, port);
    UdpSocket::bind(address).is_err() || TcpListener::bind(address).is_err()
}

/// A program of somebody else's, with all it started; both are ended when this is dropped.
pub struct Peer {
    name: String,
    child: Child,
    /// What it prints.
    pub log: PathBuf,
}

impl Peer {
    /// Starts it in `folder`, in a process group of its own that also ends by itself after a minute.
    pub fn start(program: &str, arguments: &[&str], folder: &Path) -> Self {
        Self::start_with_input(program, arguments, folder, Stdio::null())
    }

    /// The same with something to read from.
    pub fn start_with_input(
        program: &str,
        arguments: &[&str],
        folder: &Path,
        input: Stdio,
    ) -> Self {
        static COUNT: AtomicU16 = AtomicU16::new(0);
        let log = folder.join(format!(
            "{program}-{}.log",
            COUNT.fetch_add(1, Ordering::Relaxed)
        ));
        let output = std::fs::File::create(&log).unwrap();
        let path = std::env::var("PATH").unwrap_or_default() + ":/usr/sbin:/sbin";
        let child = Command::new("timeout")
            .args(["-k", "2", LIFE_MAX, program])
            .args(arguments)
            .current_dir(folder)
            .env("PATH", path)
            .env("HOME", folder)
            .env("TERM", "dumb")
            .stdin(input)
            .stdout(output.try_clone().unwrap())
            .stderr(output)
            .process_group(0)
            .spawn()
            .unwrap();
        Self {
            name: program.to_owned(),
            child,
            log,
        }
    }

    /// For typing commands; only with a piped input.
    pub fn input(&mut self) -> std::process::ChildStdin {
        self.child.stdin.take().unwrap()
    }

    /// What it printed so far.
    pub fn printed(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// Waits until it listens on `port`.
    pub fn listens_on(&mut self, port: u16) {
        self.until("listens", |_| in_use(port));
    }

    /// Waits until `done`.
    pub fn until(&mut self, what: &str, done: impl Fn(&Self) -> bool) {
        let end = Instant::now() + Duration::from_secs(20);
        while !done(self) {
            let ended = self.child.try_wait().unwrap();
            assert!(
                ended.is_none(),
                "{} ended before it {what}: {ended:?}\n{}",
                self.name,
                self.printed()
            );
            assert!(
                Instant::now() < end,
                "{} never {what}\n{}",
                self.name,
                self.printed()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Its end, if it has ended.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    /// Fails unless it ended well.
    pub fn succeeded(&mut self) {
        let status = self.ended();
        let well = status.is_some_and(|status| status.success());
        assert!(
            well,
            "{} ended with {status:?}\n{}{}",
            self.name,
            self.printed(),
            self.messages()
        );
    }

    /// What sipp wrote about the messages it saw.
    fn messages(&self) -> String {
        let files = std::fs::read_dir(self.log.parent().unwrap())
            .unwrap()
            .flatten();
        let own = files.filter(|file| file.file_name().to_string_lossy().ends_with(".sipp"));
        own.map(|file| String::from_utf8_lossy(&std::fs::read(file.path()).unwrap()).into_owned())
            .collect()
    }

    /// Asks it to end, then waits.
    pub fn stop(&mut self) {
        if self.ended().is_none() {
            self.signal("TERM");
            for _ in 0..100 {
                if self.ended().is_some() {
                    break;
                }
                std::thread::sleep(Duration::from_millis(20));
            }
        }
    }

    /// To the process group that it leads: itself and its children.
    fn signal(&self, signal: &str) {
        let command = format!("kill -s {signal} -- -{}", self.child.id());
        let _ = Command::new("sh")
            .args(["-c", &command])
            .stderr(Stdio::null())
            .status();
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        if self.ended().is_none() {
            self.stop();
            if self.ended().is_none() {
                self.signal("KILL");
                let _ = self.child.wait();
            }
        }
    }
}

/// What our sipp scenarios play to us.
pub const SIPP_TONE_HZ: f64 = 660.0;

/// A run of sipp with one of our scenarios, listening on `port`.
pub fn sipp(scenario: &str, port: u16, arguments: &[&str], folder: &Path) -> Peer {
    sipp_changed(scenario, ("", ""), port, arguments, folder)
}

/// The same with one text of the scenario changed: sipp has no keyword for a status code.
pub fn sipp_changed(
    scenario: &str,
    change: (&str, &str),
    port: u16,
    arguments: &[&str],
    folder: &Path,
) -> Peer {
    let text = std::fs::read_to_string(
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/sipp")
            .join(scenario),
    )
    .unwrap();
    let file = format!("{port}-{scenario}");
    std::fs::write(folder.join(&file), text.replace(change.0, change.1)).unwrap();
    let tone =
        (0..8_000).map(|at| hearthline_media::encode_mu_law(sine(at, SIPP_TONE_HZ, 8_000.0)));
    std::fs::write(folder.join("tone.ulaw"), tone.collect::<Vec<u8>>()).unwrap();
    let (port_text, media) = (port.to_string(), free_port().to_string());
    let (messages, errors) = (
        format!("{file}-messages.sipp"),
        format!("{file}-errors.sipp"),
    );
    let mut all = vec![
        "-sf",
        &file,
        "-p",
        &port_text,
        "-i",
        "127.0.0.1",
        "-m",
        "1",
        "-nostdin",
    ];
    all.extend([
        "-mi",
        "127.0.0.1",
        "-mp",
        &media,
        "-timeout",
        "40",
        "-timeout_error",
    ]);
    all.extend([
        "-trace_msg",
        "-message_file",
        &messages,
        "-trace_err",
        "-error_file",
        &errors,
    ]);
    all.extend(arguments);
    let mut peer = Peer::start("sipp", &all, folder);
    peer.listens_on(port);
    peer
}

/// One sample of a tone.
pub fn sine(at: u64, hertz: f64, rate_hz: f64) -> i16 {
    (8_000.0 * (at as f64 * hertz / rate_hz * std::f64::consts::TAU).sin()) as i16
}

/// How much of `samples` (16 kHz) is a tone of this frequency: 0 nothing, 1 all of it. By Goertzel, over blocks of 100 ms,
/// the middle one of them in order, so that starts and gaps do not decide.
pub fn share_of_tone(samples: &[i16], hertz: f64, rate_hz: f64) -> f64 {
    let block = (rate_hz / 10.0) as usize;
    let mut shares: Vec<f64> = samples
        .chunks_exact(block)
        .map(|block| share_in_block(block, hertz, rate_hz))
        .collect();
    shares.sort_by(f64::total_cmp);
    shares.get(shares.len() / 2).copied().unwrap_or(0.0)
}

fn share_in_block(block: &[i16], hertz: f64, rate_hz: f64) -> f64 {
    let coefficient = 2.0 * (std::f64::consts::TAU * hertz / rate_hz).cos();
    let (mut before, mut last, mut energy) = (0.0, 0.0, 0.0);
    for sample in block {
        let sample = f64::from(*sample);
        let next = sample + coefficient * last - before;
        (before, last) = (last, next);
        energy += sample * sample;
    }
    if energy < 100.0 * block.len() as f64 {
        return 0.0; // silence has no tone
    }
    let power = last * last + before * before - coefficient * last * before;
    2.0 * power / (block.len() as f64 * energy)
}

#[test]
fn a_tone_is_told_from_another_and_from_silence() {
    let tone: Vec<i16> = (0..16_000)
        .map(|at| {
            (8_000.0 * (f64::from(at) * 440.0 / 16_000.0 * std::f64::consts::TAU).sin()) as i16
        })
        .collect();
    assert!(share_of_tone(&tone, 440.0, 16_000.0) > 0.99);
    assert!(share_of_tone(&tone, 660.0, 16_000.0) < 0.01);
    assert!(share_of_tone(&[0; 16_000], 440.0, 16_000.0) < 0.01);
}
