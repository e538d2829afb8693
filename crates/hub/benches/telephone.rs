//! The hub as a telephone exchange, beside Kamailio in the same run: processor time per registration and per call by
//! the same sipp scenarios, memory of held calls, INVITE to ringing, message to delivery, and many devices at once.
//!
//! The hub runs in a process of its own, so that /proc says what it used. Times on a busy machine are upper bounds.
//! `cargo bench -p hearthline-hub --bench telephone -- [calls|ringing|messages|devices]`
#![allow(clippy::unwrap_used, reason = "a measurement that cannot go on stops")]
#![allow(missing_docs, reason = "a program")]

#[path = "../tests/household/mod.rs"]
mod household;
#[path = "../tests/calls/telephone/mod.rs"]
mod telephone;

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use hearthline_emergency::numbers::Country;
use hearthline_hub::device::{DeviceFields, DeviceKind};
use hearthline_hub::person::Role;
use hearthline_hub::sip::SipConfig;
use hearthline_hub::sip::account::PhoneDigest;
use hearthline_hub::text::Name;
use hearthline_sip::target::Transport;
use household::Household;
use serde_json::{Value, json};
use telephone::{DOMAIN, Home};

const SERVE: &str = "HEARTHLINE_BENCH_SERVE";
/// The port at which sipp answers.
const CALLEE: u16 = 25_070;
const KAMAILIO: u16 = 25_060;
/// Calls of one run; a source of the hub may hold 4,096 transactions, which stand for 32 s on UDP.
const CALLS: u32 = 1_000;
const HELD: u32 = 1_000;
const DEVICES: usize = 2_000;

fn main() {
    let wanted = std::env::args().skip(1).find(|word| !word.starts_with('-'));
    let is = |name: &str| wanted.as_deref().is_none_or(|wanted| wanted == name);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    if let Some(devices) = std::env::var_os(SERVE) {
        let devices = devices.to_string_lossy().parse().unwrap();
        return runtime.block_on(serve(devices));
    }
    if cfg!(debug_assertions) {
        println!("(a development build: the figures of a release build are better)");
    }
    if is("calls") {
        calls();
    }
    if is("ringing") {
        runtime.block_on(ringing());
    }
    if is("messages") {
        runtime.block_on(messages());
    }
    if is("devices") {
        runtime.block_on(devices());
    }
}

// The hub in a process of its own.

async fn serve(devices: usize) {
    let mut sip = SipConfig::new(Country::Germany);
    sip.domain = DOMAIN.to_owned();
    let home = Household::with_sip(sip).await;
    let mut said = json!({ "https": home.address(), "ca": home.ca_pem });
    for (transport, address) in home.hub.sip_addresses() {
        said[transport.as_param()] = json!(address);
    }
    for name in ["caller", "callee"] {
        let fields = DeviceFields {
            name: Name::new(name).unwrap(),
            room: None,
            person: None,
        };
        let account = home
            .hub
            .add_sip_account(fields, PhoneDigest::Md5)
            .await
            .unwrap();
        said[name] = json!([account.username, account.password]);
    }
    let mut members = Vec::new();
    for own in home.enrolled(devices).await {
        members.push(json!([own.device, own.key_pem, own.certificate_pem]));
    }
    said["devices"] = json!(members);
    println!("{said}");
    // Until whoever started this goes.
    let _ = tokio::task::spawn_blocking(|| std::io::stdin().lines().count()).await;
}

/// What Kamailio keeps of registrations and calls when it ends.
#[derive(Clone, Copy)]
enum Keeps {
    Nothing,
    Rows,
}

struct Server {
    child: Child,
    said: Value,
}

impl Server {
    fn hub(devices: usize) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .env(SERVE, devices.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        out.read_line(&mut line).unwrap();
        let said = serde_json::from_str(&line).unwrap();
        Self { child, said }
    }

    /// Registrar and stateful proxy with digest. `Keeps::Nothing`: registrations in memory, no rows of calls.
    /// `Keeps::Rows`: what the hub keeps, in SQLite with the same journal: a registration is written before it is
    /// answered, the beginning and the end of a call are rows.
    fn kamailio(folder: &Path, keeps: Keeps) -> Self {
        let rows = match keeps {
            Keeps::Nothing => String::new(),
            Keeps::Rows => {
                let database = folder.join("kamailio.sqlite");
                for tables in ["standard", "usrloc", "acc"] {
                    let tables = format!("{KAMAILIO_TABLES}/{tables}-create.sql");
                    let made = Command::new("sqlite3")
                        .arg(&database)
                        .stdin(std::fs::File::open(tables).unwrap())
                        .status();
                    assert!(made.unwrap().success(), "kamailio's tables are made");
                }
                KAMAILIO_ROWS.replace("DATABASE", &database.to_string_lossy())
            }
        };
        let config = KAMAILIO_CONFIG
            .replace("PORT", &KAMAILIO.to_string())
            .replace("#ROWS\n", &rows);
        let path = folder.join("kamailio.cfg");
        std::fs::write(&path, config).unwrap();
        let child = Command::new("kamailio")
            .args(["-DD", "-E", "-m", "256", "-Y"])
            .arg(folder)
            .arg("-f")
            .arg(&path)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(folder.join("kamailio.log")).unwrap())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_secs(2));
        let said = json!({
            "udp": format!("127.0.0.1:{KAMAILIO}"), "caller": ["caller", "secret"], "callee": ["callee", "secret"],
        });
        Self { child, said }
    }

    /// This process and those that it made.
    fn pids(&self) -> Vec<u32> {
        let mut pids = vec![self.child.id()];
        for entry in std::fs::read_dir("/proc").unwrap().flatten() {
            let Ok(pid) = entry.file_name().to_string_lossy().parse::<u32>() else {
                continue;
            };
            if stat(pid).get(1).and_then(|parent| parent.parse().ok()) == Some(self.child.id()) {
                pids.push(pid);
            }
        }
        pids
    }

    /// Processor time used so far, user and system, in milliseconds: the kernel counts in hundredths of a second.
    fn cpu_ms(&self) -> u64 {
        let ticks = |pid: u32| {
            let stat = stat(pid);
            let field = |at: usize| stat.get(at).and_then(|text| text.parse::<u64>().ok());
            field(11).unwrap_or(0) + field(12).unwrap_or(0)
        };
        self.pids().into_iter().map(ticks).sum::<u64>() * 10
    }

    /// Private and shared resident memory of all its processes, shared counted once, in kB.
    fn pss_kb(&self) -> u64 {
        let of = |pid: u32| {
            let text =
                std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
            let line = text.lines().find_map(|line| line.strip_prefix("Pss:"));
            let kb =
                line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok());
            kb.unwrap_or(0)
        };
        self.pids().into_iter().map(of).sum()
    }

    fn text(&self, name: &str) -> &str {
        self.said[name].as_str().unwrap_or_default()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // A hub ends with its standard input.
        drop(self.child.stdin.take());
        if self.said.get("https").is_none() {
            let pid = self.child.id().to_string();
            let _ = Command::new("kill").arg(pid).status();
        }
        let _ = self.child.wait();
    }
}

/// The fields of /proc/PID/stat behind the program's name, the state first.
fn stat(pid: u32) -> Vec<String> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let fields = text.rsplit(')').next().unwrap_or_default();
    fields.split_whitespace().map(str::to_owned).collect()
}

// By sipp.

fn calls() {
    if !["sipp", "kamailio"].iter().all(|program| {
        let found = Command::new("which").arg(program).output();
        found.is_ok_and(|found| found.status.success())
    }) {
        println!("skipped: needs sipp and kamailio");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for (name, body) in [
        ("register", REGISTER),
        ("call", CALL),
        ("held", HELD_CALL),
        ("answer", ANSWER),
    ] {
        let text = format!("<?xml version=\"1.0\"?>\n<scenario name=\"{name}\">{body}</scenario>");
        std::fs::write(folder.path().join(format!("{name}.xml")), text).unwrap();
    }
    measured("hub", &Server::hub(0), folder.path());
    let kamailio = |keeps| Server::kamailio(folder.path(), keeps);
    measured("kamailio", &kamailio(Keeps::Nothing), folder.path());
    if Path::new(KAMAILIO_TABLES).is_dir() {
        let name = "kamailio that keeps rows";
        measured(name, &kamailio(Keeps::Rows), folder.path());
    } else {
        println!("kamailio that keeps rows: skipped, needs kamailio-sqlite-modules and sqlite3");
    }
}

/// Runs a scenario from an address of its own; whether all calls succeeded, and how long it took.
fn sipp(
    server: &Server,
    folder: &Path,
    scenario: &str,
    who: &str,
    more: &[&str],
) -> (bool, Duration) {
    let own = server.said[who][0].as_str().unwrap();
    let password = server.said[who][1].as_str().unwrap();
    let callee = server.said["callee"][0].as_str().unwrap();
    let asked = match scenario {
        "register" => DOMAIN.to_owned(),
        _ => format!("{callee}@{DOMAIN}"),
    };
    let began = Instant::now();
    let status = Command::new("sipp")
        .arg(server.text("udp"))
        .args([
            "-sf",
            &format!("{scenario}.xml"),
            "-s",
            callee,
            "-key",
            "own",
            own,
        ])
        .args([
            "-key",
            "domain",
            DOMAIN,
            "-au",
            own,
            "-ap",
            password,
            "-auth_uri",
            &asked,
        ])
        .args(["-nostdin", "-timeout", "120s", "-l", "3000"])
        .args(more)
        .current_dir(folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .unwrap();
    (status.success(), began.elapsed())
}

fn measured(name: &str, server: &Server, folder: &Path) {
    let count = CALLS.to_string();
    let callee_port = CALLEE.to_string();
    // The callee registers, then answers at the same port.
    let at = ["-i", "127.0.0.1", "-p", &callee_port, "-m", "1"];
    assert!(
        sipp(server, folder, "register", "callee", &at).0,
        "{name}: the callee is registered"
    );
    let mut answering = Command::new("sipp")
        .args([
            "-sf",
            "answer.xml",
            "-i",
            "127.0.0.1",
            "-p",
            &callee_port,
            "-nostdin",
        ])
        .current_dir(folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    std::thread::sleep(Duration::from_secs(1));
    // Between two messages of a quiet moment others have the processor and its caches; in a busy one they are warm.
    for (scenario, rate, first_source, what) in [
        ("register", "200", 10, "registration"),
        ("call", "100", 20, "call"),
        ("call", "500", 30, "call of a busy moment"),
    ] {
        let mut best = f64::INFINITY;
        let mut whole = true;
        let mut took = Duration::ZERO;
        for run in 0..3 {
            let from = format!("127.0.0.{}", first_source + run);
            let before = server.cpu_ms();
            let more = ["-i", from.as_str(), "-m", &count, "-r", rate];
            let (succeeded, time) = sipp(server, folder, scenario, "caller", &more);
            let used = server.cpu_ms() - before;
            whole &= succeeded;
            took += time;
            best = best.min(used as f64 * 1_000.0 / f64::from(CALLS));
        }
        let rate = f64::from(3 * CALLS) / took.as_secs_f64();
        println!(
            "{name}: {best:.0} µs of processor time per {what} (best of 3 × {CALLS} at {rate:.0} a second offered and \
             carried{})",
            if whole { "" } else { "; SOME FAILED" }
        );
        println!(
            "{name}: that is {:.0} {what}s a second and core at most",
            1_000_000.0 / best
        );
    }
    // Held: all stand at once, and 40 s later their transactions are over.
    let before = server.pss_kb();
    let held = HELD.to_string();
    let more = ["-i", "127.0.0.40", "-m", &held, "-r", "100"];
    let memory = std::thread::scope(|scope| {
        let calling = scope.spawn(|| sipp(server, folder, "held", "caller", &more));
        std::thread::sleep(Duration::from_secs(55));
        let memory = server.pss_kb();
        (memory, calling.join().unwrap().0)
    });
    let each = memory.0.saturating_sub(before) as f64 * 1024.0 / f64::from(HELD);
    println!(
        "{name}: {before} kB before, {} kB with {HELD} calls that stand: {each:.0} bytes a call{}",
        memory.0,
        if memory.1 { "" } else { "; SOME FAILED" }
    );
    let _ = answering.kill();
    let _ = answering.wait();
}

// In this process.

fn p95(mut times: Vec<Duration>) -> (Duration, Duration) {
    times.sort_unstable();
    (times[times.len() / 2], times[times.len() * 95 / 100])
}

async fn ringing() {
    let home = Home::new().await;
    let (a, b) = (
        home.enrol("Kitchen", None).await,
        home.enrol("Study", None).await,
    );
    let (mut kitchen, mut study) = (home.device(&a).await, home.device(&b).await);
    let account = home.account("Desk", None).await;
    let mut desk = home.phone(&account, Transport::Udp).await;
    for (name, caller) in [
        ("TLS to TLS", &mut kitchen),
        ("UDP with digest to TLS", &mut desk),
    ] {
        let mut times = Vec::new();
        for _ in 0..300 {
            let uri = format!("sip:{}@{DOMAIN}", study.user);
            let began = Instant::now();
            let call = caller.call(&uri).await;
            let rings = tokio::time::timeout(Duration::from_secs(5), study.rings()).await;
            let Ok(incoming) = rings else {
                println!("{name}: refused, {:?}", caller.failure(call).await);
                return;
            };
            caller.progress(call).await;
            times.push(began.elapsed());
            study.accept(incoming).await;
            caller.answered(call).await;
            study.confirmed(incoming).await;
            caller.bye(call).await;
            study.ended(incoming).await;
        }
        let (middle, slow) = p95(times);
        println!(
            "INVITE to ringing at the caller, {name}: p50 {middle:?}, p95 {slow:?} (300 calls)"
        );
    }
    home.hub.stop().await;
}

async fn messages() {
    let home = Household::new().await;
    let adam = home.person(Role::Adult);
    let phone = home
        .device(DeviceKind::Phone, "Adam's phone", Some(adam))
        .await;
    let owner = home.login(Role::Owner).await;
    let reader = home.as_device(&phone);
    let mut stream = reader.events(None).await;
    let mut sending = owner.connect().await.unwrap();
    let mut reading = reader.connect().await.unwrap();
    let (mut told, mut delivered) = (Vec::new(), Vec::new());
    let mut after = 0;
    for n in 0..300 {
        let wish = json!({"client_id": format!("c{n}"), "to": {"these": [{"kind": "person", "id": adam.id}]}, "body": {"text": "dinner"}});
        let began = Instant::now();
        let request = owner.request("POST", "/api/v1/messages", wish.to_string().into_bytes());
        let answer = sending.send_request(request).await.unwrap();
        assert_eq!(answer.status().as_u16(), 201, "{:?}", body(answer).await);
        let _ = body(answer).await;
        stream.next_of("message_queued").await.unwrap();
        told.push(began.elapsed());
        let path = format!("/api/v1/messages?mailbox=person&after={after}");
        let request = reader.request("GET", &path, Vec::new());
        let mailbox = body(reading.send_request(request).await.unwrap()).await;
        delivered.push(began.elapsed());
        after = mailbox["messages"][0]["sequence"].as_i64().unwrap();
    }
    let ((a, b), (c, d)) = (p95(told), p95(delivered));
    println!(
        "message sent to its reader told: p50 {a:?}, p95 {b:?}; to its text read: p50 {c:?}, p95 {d:?} (300 messages)"
    );
}

async fn body(answer: hyper::Response<hyper::body::Incoming>) -> Value {
    use http_body_util::BodyExt as _;
    let bytes = answer.into_body().collect().await.unwrap().to_bytes();
    serde_json::from_slice(&bytes).unwrap_or(Value::Null)
}

async fn devices() {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    let raised = rustix::process::Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    // Both processes hold two sockets for each device; the hub inherits this.
    let _ = rustix::process::setrlimit(rustix::process::Resource::Nofile, raised);
    let server = Server::hub(DEVICES);
    let empty = server.pss_kb();
    let sip = server.text("tls").parse().unwrap();
    let https = server.text("https").parse().unwrap();
    let (ca, began) = (server.text("ca"), Instant::now());
    let mut held = Vec::new();
    for device in server.said["devices"].as_array().unwrap() {
        let text = |at: usize| device[at].as_str().unwrap();
        held.push(hold(sip, https, ca, text(0), text(1), text(2)).await);
    }
    let took = began.elapsed();
    tokio::time::sleep(Duration::from_secs(3)).await;
    let full = server.pss_kb();
    println!(
        "{DEVICES} enrolled devices, each with a registered TLS flow and an event stream: {full} kB, before {empty} kB: \
         {:.1} kB a device; all there after {took:?}, {} ms of processor time",
        full.saturating_sub(empty) as f64 / DEVICES as f64,
        server.cpu_ms()
    );
    drop(held);
}

type Tls = tokio_rustls::client::TlsStream<tokio::net::TcpStream>;

/// A device's two connections: registered, and reading events.
async fn hold(
    sip: std::net::SocketAddr,
    https: std::net::SocketAddr,
    ca: &str,
    id: &str,
    key: &str,
    certificate: &str,
) -> (Tls, Tls) {
    use rustls::pki_types::pem::PemObject as _;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let mut roots = rustls::RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(ca.as_bytes()).unwrap())
        .unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_client_auth_cert(
            vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()],
            PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap(),
        )
        .unwrap();
    let config = Arc::new(config);
    let mut made = Vec::new();
    for (address, first) in [
        (
            sip,
            format!(
                "REGISTER sip:{DOMAIN} SIP/2.0\r\nVia: SIP/2.0/TLS 127.0.0.1:9;branch=z9hG4bK{id};rport\r\nMax-Forwards: 70\r\n\
             From: <sip:{id}@{DOMAIN}>;tag=1\r\nTo: <sip:{id}@{DOMAIN}>\r\nCall-ID: {id}\r\nCSeq: 1 REGISTER\r\n\
             Contact: <sip:{id}@127.0.0.1:9;transport=tls>;reg-id=1;+sip.instance=\"<urn:uuid:{id}>\"\r\n\
             Supported: outbound, path\r\nExpires: 3600\r\nContent-Length: 0\r\n\r\n"
            ),
        ),
        (
            https,
            format!("GET /api/v1/events HTTP/1.1\r\nhost: {https}\r\n\r\n"),
        ),
    ] {
        let stream = tokio::net::TcpStream::connect(address).await.unwrap();
        let name = ServerName::IpAddress(address.ip().into());
        let connector = tokio_rustls::TlsConnector::from(config.clone());
        let mut stream = connector.connect(name, stream).await.unwrap();
        stream.write_all(first.as_bytes()).await.unwrap();
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).await.unwrap();
        assert!(
            answer.windows(4).any(|four| four == b" 200"),
            "{}",
            String::from_utf8_lossy(&answer)
        );
        made.push(stream);
    }
    let events = made.pop().unwrap();
    (made.pop().unwrap(), events)
}

const KAMAILIO_CONFIG: &str = r#"#!KAMAILIO
debug=-1
log_stderror=yes
children=2
auto_aliases=no
alias="home.test"
listen=udp:127.0.0.1:PORT
mpath="/usr/lib/x86_64-linux-gnu/kamailio/modules/"
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
loadmodule "auth.so"
loadmodule "textops.so"
loadmodule "siputils.so"
#ROWS
request_route {
    if (is_method("INVITE|BYE")) { setflag(1); }
    if (!mf_process_maxfwd_header("10")) { exit; }
    if (has_totag()) {
        if (loose_route()) { t_relay(); exit; }
        if (is_method("ACK")) { if (t_check_trans()) { t_relay(); } exit; }
        sl_send_reply("404", "Not here");
        exit;
    }
    if (is_method("CANCEL")) { if (t_check_trans()) { t_relay(); } exit; }
    t_check_trans();
    if (is_method("REGISTER")) {
        if (!pv_www_authenticate("home.test", "secret", "0")) { www_challenge("home.test", "0"); exit; }
        save("location");
        exit;
    }
    if (!is_method("INVITE")) { sl_send_reply("405", "Method Not Allowed"); exit; }
    if (!pv_proxy_authenticate("home.test", "secret", "0")) { proxy_challenge("home.test", "0"); exit; }
    consume_credentials();
    record_route();
    if (!lookup("location")) { sl_send_reply("404", "Not Found"); exit; }
    t_relay();
}
"#;

/// Where Debian's package puts the tables that Kamailio wants.
const KAMAILIO_TABLES: &str = "/usr/share/kamailio/db_sqlite";
/// Rows in SQLite: registrations written through (usrloc), INVITE and BYE noted (acc).
const KAMAILIO_ROWS: &str = r#"
loadmodule "db_sqlite.so"
loadmodule "acc.so"
modparam("db_sqlite", "db_set_journal_mode", "DATABASE=WAL")
modparam("usrloc", "db_url", "sqlite:///DATABASE")
modparam("usrloc", "db_mode", 1)
modparam("acc", "db_url", "sqlite:///DATABASE")
modparam("acc", "db_flag", 1)
"#;

const REGISTER: &str = r#"
  <send retrans="500"><![CDATA[
REGISTER sip:[domain] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:[own]@[domain]>;tag=r[call_number]
To: <sip:[own]@[domain]>
Call-ID: [call_id]
CSeq: 1 REGISTER
Contact: <sip:[own]@[local_ip]:[local_port]>
Max-Forwards: 70
Expires: 600
Content-Length: 0

]]></send>
  <recv response="401" auth="true"/>
  <send retrans="500"><![CDATA[
REGISTER sip:[domain] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:[own]@[domain]>;tag=r[call_number]
To: <sip:[own]@[domain]>
Call-ID: [call_id]
CSeq: 2 REGISTER
Contact: <sip:[own]@[local_ip]:[local_port]>
[authentication]
Max-Forwards: 70
Expires: 600
Content-Length: 0

]]></send>
  <recv response="200"/>
"#;

/// Until the call stands.
macro_rules! begun {
    () => {
        r#"
  <send retrans="500"><![CDATA[
INVITE sip:[service]@[domain] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:[own]@[domain]>;tag=c[call_number]
To: <sip:[service]@[domain]>
Call-ID: [call_id]
CSeq: 3 INVITE
Contact: <sip:[own]@[local_ip]:[local_port]>
Max-Forwards: 70
Content-Length: 0

]]></send>
  <recv response="100" optional="true"/>
  <recv response="407" auth="true"/>
  <send><![CDATA[
ACK sip:[service]@[domain] SIP/2.0
[last_Via:]
From: <sip:[own]@[domain]>;tag=c[call_number]
To: <sip:[service]@[domain]>[peer_tag_param]
Call-ID: [call_id]
CSeq: 3 ACK
Max-Forwards: 70
Content-Length: 0

]]></send>
  <send retrans="500"><![CDATA[
INVITE sip:[service]@[domain] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:[own]@[domain]>;tag=c[call_number]
To: <sip:[service]@[domain]>
Call-ID: [call_id]
CSeq: 4 INVITE
Contact: <sip:[own]@[local_ip]:[local_port]>
[authentication]
Max-Forwards: 70
Content-Type: application/sdp
Content-Length: [len]

v=0
o=- 1 1 IN IP4 127.0.0.1
s=-
c=IN IP4 127.0.0.1
t=0 0
m=audio 4000 RTP/AVP 0 8 101
a=rtpmap:101 telephone-event/8000
]]></send>
  <recv response="100" optional="true"/>
  <recv response="180"/>
  <recv response="200" rrs="true"/>
  <send><![CDATA[
ACK [next_url] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
[routes]
From: <sip:[own]@[domain]>;tag=c[call_number]
To: <sip:[service]@[domain]>[peer_tag_param]
Call-ID: [call_id]
CSeq: 4 ACK
Max-Forwards: 70
Content-Length: 0

]]></send>
"#
    };
}

macro_rules! ended {
    () => {
        r#"
  <send retrans="500"><![CDATA[
BYE [next_url] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
[routes]
From: <sip:[own]@[domain]>;tag=c[call_number]
To: <sip:[service]@[domain]>[peer_tag_param]
Call-ID: [call_id]
CSeq: 5 BYE
Max-Forwards: 70
Content-Length: 0

]]></send>
  <recv response="200"/>
"#
    };
}

const CALL: &str = concat!(begun!(), ended!());
const HELD_CALL: &str = concat!(begun!(), r#"<pause milliseconds="50000"/>"#, ended!());

const ANSWER: &str = r#"
  <recv request="INVITE" rrs="true"/>
  <send><![CDATA[
SIP/2.0 180 Ringing
[last_Via:]
[last_Record-Route:]
[last_From:]
[last_To:];tag=s[call_number]
[last_Call-ID:]
[last_CSeq:]
Contact: <sip:callee@[local_ip]:[local_port]>
Content-Length: 0

]]></send>
  <send retrans="500"><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_Record-Route:]
[last_From:]
[last_To:];tag=s[call_number]
[last_Call-ID:]
[last_CSeq:]
Contact: <sip:callee@[local_ip]:[local_port]>
Content-Type: application/sdp
Content-Length: [len]

v=0
o=- 1 1 IN IP4 127.0.0.1
s=-
c=IN IP4 127.0.0.1
t=0 0
m=audio 4002 RTP/AVP 0 8 101
a=rtpmap:101 telephone-event/8000
]]></send>
  <recv request="ACK"/>
  <recv request="BYE"/>
  <send><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:]
[last_Call-ID:]
[last_CSeq:]
Content-Length: 0

]]></send>
"#;
