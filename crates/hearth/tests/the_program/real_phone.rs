//! Telephones of the home that are not ours: Debian's baresip and linphonec, with an account of the hub.
use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use crate::scene::{samples, write_wav};
use hearthline_hub::HubHandle;
use hearthline_hub::clock::Clock;
use hearthline_hub::device::DeviceFields;
use hearthline_hub::sip::account::{PhoneDigest, SipAccount};
use hearthline_hub::text::Name;
use hearthline_sip::outbound::FlowTransport;

const PATIENCE: Duration = Duration::from_secs(20);
/// How long a telephone is silent before and after its sentence: what it plays must not end before its call.
const BEFORE_SAMPLES: usize = 12_000;
const AFTER_SAMPLES: usize = 480_000;

/// An account of the home for a telephone; the two know MD5 alone.
pub(crate) async fn account(hub: &HubHandle, name: &str) -> SipAccount {
    let fields = DeviceFields {
        name: Name::new(name).unwrap(),
        room: None,
        person: None,
    };
    hub.add_sip_account(fields, PhoneDigest::Md5).await.unwrap()
}

/// Waits until the hub knows where so many devices are.
pub(crate) async fn registered(hub: &HubHandle, count: usize) {
    let began = Instant::now();
    while hub
        .store()
        .all_bindings(Clock::default().now())
        .await
        .unwrap()
        .len()
        < count
    {
        assert!(began.elapsed() < PATIENCE, "not {count} registered");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn sip(hub: &HubHandle, transport: FlowTransport) -> SocketAddr {
    let mut all = hub.sip_addresses().iter();
    all.find(|(own, _)| *own == transport).unwrap().1
}

/// The sentence of a recording, 8 kHz, with silence around it.
fn to_be_played(recording: &Path, file: &Path) {
    let said = samples(recording);
    let half = said.chunks(2).map(|two| {
        let sum: i32 = two.iter().copied().map(i32::from).sum();
        i16::try_from(sum / 2).unwrap()
    });
    let silence = |count| std::iter::repeat_n(0, count);
    let all: Vec<i16> = silence(BEFORE_SAMPLES)
        .chain(half)
        .chain(silence(AFTER_SAMPLES))
        .collect();
    write_wav(file, 8_000, 1, &all);
}

/// A recording of a telephone, as 16 kHz.
fn recorded(file: &Path) -> Vec<i16> {
    let mut wav = hound::WavReader::open(file).unwrap();
    let spec = wav.spec();
    // The length in the header may be behind what was written.
    let samples = wav
        .samples::<i16>()
        .step_by(usize::from(spec.channels))
        .map_while(Result::ok);
    match spec.sample_rate {
        8_000 => samples.flat_map(|sample| [sample, sample]).collect(),
        16_000 => samples.collect(),
        48_000 => samples.step_by(3).collect(),
        other => panic!("{other} Hz"),
    }
}

/// A program that ends with the test.
struct Phone {
    child: Child,
    folder: PathBuf,
}

impl Phone {
    fn start(mut command: Command, folder: &Path, stdin: Stdio) -> Self {
        let log = std::fs::File::create(folder.join("log")).unwrap();
        let child = command
            .current_dir(folder)
            .env("HOME", folder)
            .stdin(stdin)
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        Self {
            child,
            folder: folder.to_owned(),
        }
    }

    fn printed(&self) -> String {
        let bytes = std::fs::read(self.folder.join("log")).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

impl Drop for Phone {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(Some(_))) {
            return;
        }
        let _ = Command::new("kill")
            .arg(self.child.id().to_string())
            .status();
        let until = Instant::now() + Duration::from_secs(2);
        while Instant::now() < until {
            if matches!(self.child.try_wait(), Ok(Some(_))) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A running baresip.
pub(crate) struct Baresip {
    phone: Phone,
    control: SocketAddr,
}

impl Baresip {
    /// By a command that ends with the program's name, at an address. It plays `says` in each call and records what it
    /// hears; `answers`: by itself.
    pub(crate) fn start(
        command: Command,
        address: Ipv4Addr,
        hub: &HubHandle,
        account: &SipAccount,
        folder: &Path,
        (says, answers): (&Path, bool),
    ) -> Self {
        let mode = if answers { "auto" } else { "manual" };
        let (user, password, domain) = (&account.username, &account.password, &account.domain);
        let hub = sip(hub, FlowTransport::Tcp);
        let line = format!(
            "<sip:{user}@{domain}>;auth_user={user};auth_pass={password};outbound=\"sip:{hub};transport=tcp\";\
             answermode={mode};regint=600;audio_codecs=pcmu\n"
        );
        let listen = SocketAddr::from((address, 0));
        Self::with_account(command, listen, 25_444, &line, folder, says)
    }

    /// Beyond an outside line: whoever calls this number here is answered.
    pub(crate) fn outside(number: &str, listen: SocketAddr, folder: &Path, says: &Path) -> Self {
        let ip = listen.ip();
        let line = format!("<sip:{number}@{ip}>;answermode=auto;regint=0;audio_codecs=pcma\n");
        let command = Command::new("baresip");
        Self::with_account(command, listen, 25_445, &line, folder, says)
    }

    fn with_account(
        mut command: Command,
        listen: SocketAddr,
        control: u16,
        line: &str,
        folder: &Path,
        says: &Path,
    ) -> Self {
        std::fs::create_dir_all(folder).unwrap();
        let plays = folder.join("plays.wav");
        to_be_played(says, &plays);
        std::fs::write(folder.join("accounts"), line).unwrap();
        std::fs::write(folder.join("contacts"), "").unwrap();
        let control = SocketAddr::from((listen.ip(), control));
        let (files, plays) = (folder.display(), plays.display());
        let config = format!(
            "sip_listen {listen}\naudio_source aufile,{plays}\naudio_player aubridge,nil\naudio_alert aubridge,nil\n\
             module sndfile.so\nsnd_path {files}\nausrc_srate 8000\nauplay_srate 8000\nausrc_channels 1\nauplay_channels 1\n\
             ausrc_format s16\nauplay_format s16\njitter_buffer_delay 2-10\nmodule_path /usr/lib/baresip/modules\n\
             module g711.so\nmodule aufile.so\nmodule aubridge.so\nmodule_tmp account.so\nmodule_app menu.so\n\
             module_app ctrl_tcp.so\nctrl_tcp_listen {control}\n"
        );
        std::fs::write(folder.join("config"), config).unwrap();
        command.args(["-v", "-s", "-f"]).arg(folder);
        let phone = Phone::start(command, folder, Stdio::null());
        Self { phone, control }
    }

    /// Gives it a command of its own.
    pub(crate) fn command(&self, line: &str, parameters: &str) {
        let json = serde_json::json!({"command": line, "params": parameters}).to_string();
        let began = Instant::now();
        let mut stream = loop {
            match TcpStream::connect(self.control) {
                Ok(stream) => break stream,
                Err(error) => assert!(began.elapsed() < PATIENCE, "{error}"),
            }
            std::thread::sleep(Duration::from_millis(50));
        };
        write!(stream, "{}:{json},", json.len()).unwrap();
        // It reads what it is told while the connection stands.
        std::thread::sleep(Duration::from_millis(300));
    }

    pub(crate) fn printed(&self) -> String {
        self.phone.printed()
    }

    /// Ends it; what it heard in its calls, 16 kHz.
    pub(crate) fn end(self) -> Vec<i16> {
        let folder = self.phone.folder.clone();
        drop(self.phone);
        let mut heard: Vec<PathBuf> = std::fs::read_dir(&folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.to_string_lossy().ends_with("-dec.wav"))
            .collect();
        heard.sort();
        heard.iter().flat_map(|file| recorded(file)).collect()
    }
}

/// A running linphonec.
pub(crate) struct Linphonec {
    phone: Phone,
    keyboard: ChildStdin,
    heard: PathBuf,
}

impl Linphonec {
    /// On this machine's loopback. It plays `says` in each call and records what it hears.
    pub(crate) fn start(hub: &HubHandle, account: &SipAccount, folder: &Path, says: &Path) -> Self {
        for own in [".local/share/linphone", ".config/linphone"] {
            std::fs::create_dir_all(folder.join(own)).unwrap();
        }
        let plays = folder.join("plays.wav");
        to_be_played(says, &plays);
        let (user, password, domain) = (&account.username, &account.password, &account.domain);
        let hub = format!("<sip:{};transport=tcp;lr>", sip(hub, FlowTransport::Tcp));
        let config = format!(
            "[sip]\nsip_port=-1\nsip_tcp_port=-1\nsip_tls_port=-1\nguess_hostname=0\nauto_net_state_mon=0\nuse_ipv6=0\n\
             default_proxy=0\nregister_only_when_network_is_up=0\n[rtp]\naudio_rtp_port=-1\n\
             [proxy_0]\nreg_proxy={hub}\nreg_route={hub}\nreg_identity=\"{user}\" <sip:{user}@{domain}>\n\
             reg_expires=600\nreg_sendregister=1\npublish=0\n\
             [auth_info_0]\nusername={user}\npasswd={password}\nrealm={domain}\ndomain={domain}\n"
        );
        std::fs::write(folder.join("linphonerc"), config).unwrap();
        let mut command = Command::new("linphonec");
        command.args(["-c", "linphonerc"]);
        let mut phone = Phone::start(command, folder, Stdio::piped());
        let keyboard = phone.child.stdin.take().unwrap();
        let heard = folder.join("heard.wav");
        let mut linphonec = Self {
            phone,
            keyboard,
            heard,
        };
        linphonec.command("soundcard use files");
        let heard = linphonec.heard.display().to_string();
        linphonec.command(&format!("record {heard}"));
        linphonec.command(&format!("play {}", plays.display()));
        linphonec
    }

    /// Types a line.
    pub(crate) fn command(&mut self, line: &str) {
        writeln!(self.keyboard, "{line}").unwrap();
        self.keyboard.flush().unwrap();
    }

    /// Ends it; what it heard, 16 kHz.
    pub(crate) fn end(mut self) -> Vec<i16> {
        self.command("quit");
        let until = Instant::now() + Duration::from_secs(5);
        while Instant::now() < until && matches!(self.phone.child.try_wait(), Ok(None)) {
            std::thread::sleep(Duration::from_millis(20));
        }
        recorded(&self.heard)
    }
}
