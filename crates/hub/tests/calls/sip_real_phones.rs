//! baresip, linphonec and sipp as phones of the home: they register with digest, call each other through the hub and put
//! others through.
//!
//! baresip and linphonec do not start on `lo` alone, so their tests run themselves again in a network namespace that has nothing
//! but loopback, with the default route through it; that needs root.

use std::io::Write as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::telephone::{DOMAIN, Home};
use hearthline_hub::call::CallState;
use hearthline_hub::sip::account::{PhoneDigest, SipAccount};
use hearthline_sip::StatusCode;
use hearthline_sip::endpoint::Event;
use hearthline_sip::target::Transport;

/// Where a baresip takes commands; only one at a time listens here.
const CONTROL: u16 = 25_444;
const INSIDE: &str = "HEARTHLINE_INTEROP_INSIDE";

fn must_run() -> bool {
    std::env::var_os("CI").is_some()
}

fn installed(program: &str) -> bool {
    let path = std::env::var("PATH").unwrap_or_default();
    let found = path
        .split(':')
        .any(|folder| Path::new(folder).join(program).is_file());
    assert!(found || !must_run(), "{program} is not installed");
    if !found {
        println!("skipped: {program} is not installed");
    }
    found
}

/// True within the namespace. Otherwise runs the test of this name there, if that is possible.
fn inside(test: &str) -> bool {
    if std::env::var_os(INSIDE).is_some() {
        return true;
    }
    let up = "ip link set lo up && ip route add default dev lo";
    let possible = Command::new("unshare")
        .args(["-n", "sh", "-c", up])
        .output()
        .is_ok_and(|made| made.status.success());
    if !possible {
        assert!(!must_run(), "no network namespace can be made");
        println!("skipped: needs root, unshare and ip for a network with loopback only");
        return false;
    }
    let again = format!("{up} && exec \"$0\" --exact sip_real_phones::{test} --nocapture");
    let output = Command::new("timeout")
        .args(["-k", "2", "100", "unshare", "-n", "sh", "-c", &again])
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
    false
}

/// A program that ends with the test, and by itself after a minute.
struct Program(Child);

impl Program {
    fn start(program: &str, arguments: &[&str], folder: &Path, log: &str) -> Self {
        let log = std::fs::File::create(folder.join(log)).unwrap();
        let child = Command::new("timeout")
            .args(["-k", "1", "60", program])
            .args(arguments)
            .current_dir(folder)
            .env("HOME", folder)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        Self(child)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if matches!(self.0.try_wait(), Ok(Some(_))) {
            return;
        }
        // timeout passes the signal on to what it started.
        let _ = Command::new("kill").arg(self.0.id().to_string()).status();
        let _ = self.0.wait();
    }
}

fn read(folder: &Path, log: &str) -> String {
    std::fs::read(folder.join(log))
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .unwrap_or_default()
}

async fn registered(home: &Home, count: usize, folder: &Path) {
    let began = Instant::now();
    loop {
        let now = hearthline_hub::clock::Clock::default().now();
        let rows = home.hub.store().all_bindings(now).await.unwrap();
        if rows.len() >= count {
            return;
        }
        assert!(
            began.elapsed() < Duration::from_secs(20),
            "{} of {count} registered\n{}\n{}",
            rows.len(),
            read(folder, "one.log"),
            read(folder, "two.log")
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn baresip_folder(folder: &Path, name: &str, account: &SipAccount, hub: &str, answer: bool) {
    let own = folder.join(name);
    std::fs::create_dir_all(&own).unwrap();
    let mode = if answer { "auto" } else { "manual" };
    let line = format!(
        "<sip:{}@{DOMAIN}>;auth_user={};auth_pass={};outbound=\"{hub}\";answermode={mode};regint=600\n",
        account.username, account.username, account.password
    );
    std::fs::write(own.join("accounts"), line).unwrap();
    let control = match name {
        "one" => format!("module_app ctrl_tcp.so\nctrl_tcp_listen 127.0.0.1:{CONTROL}\n"),
        _ => String::new(),
    };
    let config = format!(
        "module_path /usr/lib/baresip/modules\nsip_listen 127.0.0.1:0\n\
        audio_player aubridge,nil\naudio_source aubridge,nil\naudio_alert aubridge,nil\n\
        module g711.so\nmodule aubridge.so\nmodule_tmp account.so\nmodule_app menu.so\n\
        {control}"
    );
    std::fs::write(own.join("config"), config).unwrap();
    std::fs::write(own.join("contacts"), "").unwrap();
}

/// Gives a running baresip a command.
fn command(line: &str, parameters: &str) {
    let json = serde_json::json!({"command": line, "params": parameters}).to_string();
    let began = Instant::now();
    let mut stream = loop {
        match std::net::TcpStream::connect(("127.0.0.1", CONTROL)) {
            Ok(stream) => break stream,
            Err(error) => assert!(began.elapsed() < Duration::from_secs(5), "{error}"),
        }
        std::thread::sleep(Duration::from_millis(50));
    };
    write!(stream, "{}:{json},", json.len()).unwrap();
    // It reads what it is told while the connection stands.
    std::thread::sleep(Duration::from_millis(300));
}

#[tokio::test]
async fn a_real_phone_transfers_our_call() {
    if !installed("baresip") || !inside("a_real_phone_transfers_our_call") {
        return;
    }
    let home = Home::new().await;
    let folder = tempfile::tempdir().unwrap();
    let own = home.account_by("Desk", None, PhoneDigest::Md5).await;
    let hall = home.account("Hall", None).await;
    let study = home.account("Study", None).await;
    let mut hall = home.phone(&hall, Transport::Tcp).await;
    let mut study = home.phone(&study, Transport::Udp).await;
    let udp = format!("sip:{}", home.address(Transport::Udp));
    baresip_folder(folder.path(), "one", &own, &udp, true);
    let _one = Program::start("baresip", &["-f", "one", "-s"], folder.path(), "one.log");
    registered(&home, 3, folder.path()).await;

    // Baresip transfers us: it calls the hall, and its person sends the hall on to the study.
    command("dial", &format!("sip:hall@{DOMAIN}"));
    let call = hall.rings().await;
    hall.accept(call).await;
    hall.confirmed(call).await;
    command("transfer", &format!("sip:study@{DOMAIN}"));
    let (refer, to) = hall
        .wait(|event| match event {
            Event::Referred { refer, to, .. } => Some((*refer, to.uri.to_string())),
            _ => None,
        })
        .await;
    assert_eq!(to, format!("sip:study@{DOMAIN}"));
    hall.act(move |endpoint, now| endpoint.accept_refer(refer, now))
        .await
        .unwrap();
    let onward = hall.call(&to).await;
    let rings = study.rings().await;
    study.accept(rings).await;
    hall.answered(onward).await;
    hall.act(move |endpoint, now| endpoint.report(refer, StatusCode::OK, now))
        .await
        .unwrap();
    // It has understood the report: it ends its own call.
    hall.ended(call).await;
    hall.bye(onward).await;
    study.ended(rings).await;
    home.hub.stop().await;
}

/// linphonec with an account of the home, by TCP; its person types. It plays a file into its calls.
fn linphonec(
    folder: &Path,
    account: &SipAccount,
    hub: &str,
) -> (Program, std::process::ChildStdin) {
    for own in [".local/share/linphone", ".config/linphone"] {
        std::fs::create_dir_all(folder.join(own)).unwrap();
    }
    let (user, password) = (&account.username, &account.password);
    let route = format!("<{hub};lr>");
    let config = format!(
        "[sip]\nsip_port=-1\nsip_tcp_port=-1\nsip_tls_port=-1\nguess_hostname=0\nauto_net_state_mon=0\nuse_ipv6=0\n\
         default_proxy=0\nregister_only_when_network_is_up=0\n[rtp]\naudio_rtp_port=-1\n\
         [proxy_0]\nreg_proxy={route}\nreg_route={route}\nreg_identity=\"{user}\" <sip:{user}@{DOMAIN}>\n\
         reg_expires=600\nreg_sendregister=1\npublish=0\n\
         [auth_info_0]\nusername={user}\npasswd={password}\nrealm={DOMAIN}\ndomain={DOMAIN}\n"
    );
    std::fs::write(folder.join("linphonerc"), config).unwrap();
    let log = std::fs::File::create(folder.join("one.log")).unwrap();
    let mut child = Command::new("timeout")
        .args(["-k", "1", "60", "linphonec", "-c", "linphonerc"])
        .current_dir(folder)
        .env("HOME", folder)
        .stdin(Stdio::piped())
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .spawn()
        .unwrap();
    let mut keyboard = child.stdin.take().unwrap();
    writeln!(keyboard, "soundcard use files").unwrap();
    (Program(child), keyboard)
}

#[tokio::test]
async fn a_real_phone_joins_two_of_its_calls() {
    if !installed("linphonec") || !inside("a_real_phone_joins_two_of_its_calls") {
        return;
    }
    let home = Home::new().await;
    let folder = tempfile::tempdir().unwrap();
    let own = home.account_by("Desk", None, PhoneDigest::Md5).await;
    let hall = home.account("Hall", None).await;
    let study = home.account("Study", None).await;
    let mut hall = home.phone(&hall, Transport::Tcp).await;
    let mut study = home.phone(&study, Transport::Udp).await;
    let tcp = format!("sip:{};transport=tcp", home.address(Transport::Tcp));
    let (_desk, mut keyboard) = linphonec(folder.path(), &own, &tcp);
    registered(&home, 3, folder.path()).await;
    let mut types = |line: &str| {
        writeln!(keyboard, "{line}").unwrap();
        keyboard.flush().unwrap();
    };

    // It talks to the hall, puts it on hold, talks to the study, and joins the two.
    types(&format!("call sip:hall@{DOMAIN}"));
    let first = hall.rings().await;
    hall.accept(first).await;
    hall.confirmed(first).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    types("pause 1");
    hall.wait(|event| matches!(event, Event::Reinvite { .. }).then_some(()))
        .await;
    hall.act(move |endpoint, now| {
        let held = hearthline_sip::endpoint::Body::sdp(crate::lines::SDP);
        endpoint.answer_reinvite(first, Some(held), now)
    })
    .await
    .unwrap();
    tokio::time::sleep(Duration::from_millis(500)).await;
    types(&format!("call sip:study@{DOMAIN}"));
    let second = study.rings().await;
    study.accept(second).await;
    study.confirmed(second).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    types("transfer 1 --to-call 2");
    let (refer, to) = hall
        .wait(|event| match event {
            Event::Referred { refer, to, .. } => Some((*refer, to.clone())),
            _ => None,
        })
        .await;
    let replaces = to.replaces.clone().expect("an attended transfer");
    hall.act(move |endpoint, now| endpoint.accept_refer(refer, now))
        .await
        .unwrap();
    // The hall takes the place of the desk in the study's call, at the address that linphonec gave.
    let row = replaces.to_string();
    let onward = hall
        .call_with(&to.uri.to_string(), &[("Replaces", &row)])
        .await;
    let taking = study
        .wait(|event| match event {
            Event::Incoming { call, .. } => Some(*call),
            _ => None,
        })
        .await;
    let replaced = study
        .act(move |endpoint, _| endpoint.replaced_by(taking))
        .await;
    assert_eq!(replaced, Some(second));
    study.accept(taking).await;
    hall.answered(onward).await;
    hall.act(move |endpoint, now| endpoint.report(refer, StatusCode::OK, now))
        .await
        .unwrap();
    study.bye(second).await;
    // It has understood: its call with the hall is over.
    hall.ended(first).await;
    hall.bye(onward).await;
    study.ended(taking).await;
    types("quit");
    home.hub.stop().await;
}

#[tokio::test]
async fn two_baresips_register_and_call_each_other() {
    if !installed("baresip") || !inside("two_baresips_register_and_call_each_other") {
        return;
    }
    let home = Home::new().await;
    let folder = tempfile::tempdir().unwrap();
    // baresip 1.0.0 knows MD5 alone.
    let one = home.account_by("Desk", None, PhoneDigest::Md5).await;
    let two = home.account_by("Hall", None, PhoneDigest::Md5).await;
    let udp = format!("sip:{}", home.address(Transport::Udp));
    let tcp = format!("sip:{};transport=tcp", home.address(Transport::Tcp));
    baresip_folder(folder.path(), "two", &two, &tcp, true);
    let _two = Program::start("baresip", &["-f", "two"], folder.path(), "two.log");
    registered(&home, 1, folder.path()).await;
    baresip_folder(folder.path(), "one", &one, &udp, false);
    let dial = format!("/dial sip:hall@{DOMAIN}");
    let _one = Program::start(
        "baresip",
        &["-f", "one", "-e", &dial, "-t", "5"],
        folder.path(),
        "one.log",
    );
    registered(&home, 2, folder.path()).await;
    let row = home
        .call_row(|call| call.state == CallState::Confirmed)
        .await;
    assert_eq!(
        (row.device, row.other_device),
        (Some(one.device), Some(two.device))
    );
    // The caller ends by itself after five seconds, and hangs up.
    let row = home.call_row(|call| call.ended_at_ms.is_some()).await;
    assert_eq!(row.state, CallState::Ended);
    home.hub.stop().await;
}

#[tokio::test]
async fn sipp_registers_and_calls_one_of_our_phones() {
    if !installed("sipp") {
        return;
    }
    let home = Home::new().await;
    let folder = tempfile::tempdir().unwrap();
    let hall = home.account("Hall", None).await;
    let mut hall = home.phone(&hall, Transport::Tcp).await;
    let own = home.account_by("Desk", None, PhoneDigest::Md5).await;
    let hub = home.address(Transport::Udp).to_string();
    let run = |name: &str, steps: &str, asked: &str, log: &str| {
        let scenario =
            format!("<?xml version=\"1.0\"?>\n<scenario name=\"{name}\">{steps}</scenario>");
        std::fs::write(folder.path().join(name), scenario).unwrap();
        let arguments = [
            hub.as_str(),
            "-sf",
            name,
            "-m",
            "1",
            "-i",
            "127.0.0.1",
            "-s",
            "hall",
            "-key",
            "own",
            &own.username,
            "-key",
            "domain",
            DOMAIN,
            "-au",
            &own.username,
            "-ap",
            &own.password,
            // sipp puts its peer's address into the digest unless it is told the Request-URI.
            "-auth_uri",
            asked,
            "-timeout",
            "20s",
            "-nostdin",
        ];
        Program::start("sipp", &arguments, folder.path(), log)
    };
    let one = run("register.xml", REGISTER, DOMAIN, "one.log");
    registered(&home, 2, folder.path()).await;
    succeeds(one, folder.path(), "one.log").await;
    let asked = format!("hall@{DOMAIN}");
    let two = run("call.xml", CALL, &asked, "two.log");
    let call = hall.rings().await;
    hall.accept(call).await;
    hall.confirmed(call).await;
    hall.ended(call).await;
    let row = home.call_row(|call| call.ended_at_ms.is_some()).await;
    assert_eq!(row.device, Some(own.device));
    succeeds(two, folder.path(), "two.log").await;
    home.hub.stop().await;
}

async fn succeeds(mut sipp: Program, folder: &Path, log: &str) {
    let status = tokio::task::spawn_blocking(move || sipp.0.wait().map(|done| done.success()))
        .await
        .unwrap();
    assert!(status.unwrap(), "{}", read(folder, log));
}

const REGISTER: &str = r#"
  <send><![CDATA[
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
  <send><![CDATA[
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

const CALL: &str = r#"
  <send><![CDATA[
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
  <send><![CDATA[
INVITE sip:[service]@[domain] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:[own]@[domain]>;tag=c[call_number]
To: <sip:[service]@[domain]>
Call-ID: [call_id]
CSeq: 4 INVITE
Contact: <sip:[own]@[local_ip]:[local_port]>
[authentication]
Max-Forwards: 70
Content-Length: 0

]]></send>
  <recv response="100" optional="true"/>
  <recv response="180" optional="true"/>
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
  <pause milliseconds="200"/>
  <send><![CDATA[
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
"#;
