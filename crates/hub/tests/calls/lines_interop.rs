//! Kamailio as a provider that registers and asks for passwords, and as an adapter without either; sipp as a provider
//! that means no good.

use std::net::{TcpListener, UdpSocket};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::lines::{Provider, SDP, add, fields, home, lines_address, until};
use crate::telephone::{Home, Phone};
use hearthline_hub::call::{CallState, Direction};
use hearthline_hub::line::{LineHealth, LineTrouble};
use hearthline_sip::endpoint::Body;
use hearthline_sip::target::Transport;
use serde_json::json;

const DIALLED: &str = "sip:030-555-0123-4@home.test";
const REALM: &str = "provider.test";

pub(crate) fn installed(program: &str) -> bool {
    let folders = std::env::var("PATH").unwrap_or_default() + ":/usr/sbin:/sbin";
    let found = folders
        .split(':')
        .any(|folder| Path::new(folder).join(program).is_file());
    let must = std::env::var_os("CI").is_some();
    assert!(found || !must, "{program} is not installed");
    if !found {
        println!("skipped: {program} is not installed");
    }
    found
}

fn in_use(port: u16) -> bool {
    UdpSocket::bind(("127.0.0.1", port)).is_err() || TcpListener::bind(("127.0.0.1", port)).is_err()
}

/// Below the range that systems hand out by themselves, far from where other test programs look.
fn free_port() -> u16 {
    use std::sync::atomic::{AtomicU16, Ordering};
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let start = u16::try_from(std::process::id().wrapping_mul(7_919) % 500).unwrap() * 4;
    (0..500)
        .map(|_| 30_000 + (start + NEXT.fetch_add(4, Ordering::Relaxed)) % 2_000)
        .find(|port| !in_use(*port))
        .expect("a free port")
}

/// A program that ends with the test, and by itself after a minute.
pub(crate) struct Program {
    child: Child,
    log: std::path::PathBuf,
}

impl Program {
    fn start(program: &str, arguments: &[&str], folder: &Path) -> Self {
        use std::os::unix::process::CommandExt as _;
        let log = folder.join(format!("{program}-{}.log", arguments.len()));
        let output = std::fs::File::create(&log).unwrap();
        let path = std::env::var("PATH").unwrap_or_default() + ":/usr/sbin:/sbin";
        let child = Command::new("timeout")
            .args(["-k", "1", "60", program])
            .args(arguments)
            .current_dir(folder)
            .env("HOME", folder)
            .env("PATH", path)
            .env("TERM", "dumb")
            .stdin(Stdio::null())
            .stdout(output.try_clone().unwrap())
            .stderr(output)
            .process_group(0)
            .spawn()
            .unwrap();
        Self { child, log }
    }

    fn listens_on(&mut self, port: u16) {
        let began = Instant::now();
        while !in_use(port) {
            assert!(
                began.elapsed() < Duration::from_secs(20),
                "{}",
                self.printed()
            );
            assert!(
                self.child.try_wait().unwrap().is_none(),
                "{}",
                self.printed()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub(crate) fn printed(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.log).unwrap_or_default()).into_owned()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(Some(_))) {
            return;
        }
        // The process group that it leads: itself and its children.
        let group = format!("kill -- -{}", self.child.id());
        let _ = Command::new("sh").args(["-c", &group]).status();
        let _ = self.child.wait();
    }
}

/// Kamailio: a registrar that sends calls on to `far`, and calls from `far` to who is registered. With `asks` everybody
/// but `far` proves who they are; without, it sends calls from `far` to `hub`, as an adapter does that was told where.
fn kamailio(folder: &Path, far: u16, asks: bool, hub: &str) -> (Program, u16) {
    let port = free_port();
    let (register, prove, home) = if asks {
        (
            format!(
                "if (!pv_www_authenticate(\"{REALM}\", \"drill only\", \"0\")) {{ www_challenge(\"{REALM}\", \"1\"); exit; }}\n\
                 save(\"location\"); exit;"
            ),
            format!(
                "if (!pv_proxy_authenticate(\"{REALM}\", \"drill only\", \"0\")) {{ proxy_challenge(\"{REALM}\", \"1\"); exit; }}\n\
                 consume_credentials();"
            ),
            "$rU = \"anna\"; if (!lookup(\"location\")) { sl_send_reply(\"404\", \"Not Registered\"); exit; }".to_owned(),
        )
    } else {
        (
            "sl_send_reply(\"405\", \"No\"); exit;".to_owned(),
            String::new(),
            format!("$du = \"{hub}\";"),
        )
    };
    let config = format!(
        r#"#!KAMAILIO
debug=2
log_stderror=yes
children=2
tcp_children=2
auto_aliases=no
dns=no
rev_dns=no
listen=udp:127.0.0.1:{port}
listen=tcp:127.0.0.1:{port}
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "xlog.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
loadmodule "auth.so"
modparam("usrloc", "db_mode", 0)
modparam("auth", "algorithm", "{}")

request_route {{
    if (!mf_process_maxfwd_header("10")) {{ sl_send_reply("483", "Too Many Hops"); exit; }}
    if (is_method("OPTIONS")) {{ sl_send_reply("200", "OK"); exit; }}
    if (is_method("CANCEL")) {{ if (t_check_trans()) t_relay(); exit; }}
    if (has_totag()) {{
        if (loose_route()) {{ t_relay(); exit; }}
        if (is_method("ACK") && t_check_trans()) {{ t_relay(); exit; }}
        sl_send_reply("404", "Not Here"); exit;
    }}
    if (is_method("REGISTER")) {{
        {register}
    }}
    record_route();
    if ($sp == {far}) {{
        {home}
        t_relay(); exit;
    }}
    {prove}
    $du = "sip:127.0.0.1:{far}";
    t_relay();
}}
"#,
        if asks { "SHA-256" } else { "MD5" }
    );
    let (file, pid) = (folder.join("kamailio.cfg"), folder.join("kamailio.pid"));
    std::fs::write(&file, config).unwrap();
    let arguments = [
        "-f",
        file.to_str().unwrap(),
        "-DD",
        "-E",
        "-m",
        "32",
        "-M",
        "8",
        "-Y",
        folder.to_str().unwrap(),
        "-P",
        pid.to_str().unwrap(),
    ];
    let mut program = Program::start("kamailio", &arguments, folder);
    program.listens_on(port);
    (program, port)
}

async fn desk(home: &Home) -> Phone {
    let account = home.account("Desk", None).await;
    home.phone(&account, Transport::Udp).await
}

/// A call out, ended by the far side; a call in, ended by the desk.
async fn both_ways(home: &Home, desk: &mut Phone, far: &mut Provider, hub: std::net::SocketAddr) {
    let call = desk.call(DIALLED).await;
    let (there, invite) = far.called().await;
    let user = invite.uri.as_sip().unwrap().user().unwrap().to_owned();
    assert!(
        ["+493055501234", "03055501234"].contains(&user.as_str()),
        "{user}"
    );
    far.rings(there).await;
    desk.progress(call).await;
    far.accepts(there, Some(Body::sdp(SDP))).await;
    desk.answered(call).await;
    far.hangs_up(there).await;
    desk.ended(call).await;
    let row = home.call_row(|call| call.ended_at_ms.is_some()).await;
    assert_eq!(
        (row.direction, row.state),
        (Direction::Outgoing, CallState::Ended)
    );
    let call = far
        .calls(
            &format!("sip:home@{hub}"),
            "<sip:+12025550123@far.test>",
            hub,
        )
        .await;
    let rang = desk.rings().await;
    desk.accept(rang).await;
    far.answered(call).await;
    desk.bye(rang).await;
    far.ended(call).await;
    let row = home
        .call_row(|call| call.direction == Direction::Incoming && call.ended_at_ms.is_some())
        .await;
    assert_eq!(row.number.unwrap().as_str(), "+12025550123");
}

#[tokio::test]
async fn kamailio_is_a_trunk_that_registers_us_and_asks_for_passwords() {
    if !installed("kamailio") {
        return;
    }
    for transport in [Transport::Udp, Transport::Tcp] {
        let home = home(|_, _| {}).await;
        let folder = tempfile::tempdir().unwrap();
        let mut far = Provider::open(Transport::Udp).await;
        let (kamailio, port) = kamailio(folder.path(), far.local.port(), true, "");
        let server = format!("sip:127.0.0.1:{port};transport={}", transport.as_param());
        let more = json!({"sip": {"username": "anna", "register": true}});
        let line = add(&home, &fields("Trunk", 0, &server, &more)).await;
        let up = until(&home, line, |line| line.health == LineHealth::Up).await;
        assert!(up.trouble.is_none(), "{}", kamailio.printed());
        let mut desk = desk(&home).await;
        let at = ([127, 0, 0, 1], port).into();
        both_ways(&home, &mut desk, &mut far, at).await;
        home.hub.stop().await;
    }
}

#[tokio::test]
async fn kamailio_is_an_adapter_that_knows_where_the_hub_is() {
    if !installed("kamailio") {
        return;
    }
    let home = home(|_, _| {}).await;
    let folder = tempfile::tempdir().unwrap();
    let mut far = Provider::open(Transport::Udp).await;
    let hub = format!("sip:{}", lines_address(&home, Transport::Udp));
    let (_kamailio, port) = kamailio(folder.path(), far.local.port(), false, &hub);
    let server = format!("sip:127.0.0.1:{port}");
    let line = add(
        &home,
        &fields("Wall", 0, &server, &json!({"kind": "landline"})),
    )
    .await;
    until(&home, line, |line| line.health == LineHealth::Up).await;
    let mut desk = desk(&home).await;
    let at = ([127, 0, 0, 1], port).into();
    both_ways(&home, &mut desk, &mut far, at).await;
    // It goes away: the line is down, and up again when it is back.
    home.hub.stop().await;
}

#[tokio::test]
async fn a_wrong_password_is_said_and_not_tried_on_and_on() {
    if !installed("kamailio") {
        return;
    }
    let home = home(|config, folder| {
        let file = crate::lines::password_file(folder, "wrong");
        std::fs::write(&file, "something else").unwrap();
        config.secrets[0].file = file;
    })
    .await;
    let folder = tempfile::tempdir().unwrap();
    let far = Provider::open(Transport::Udp).await;
    let (_kamailio, port) = kamailio(folder.path(), far.local.port(), true, "");
    let server = format!("sip:127.0.0.1:{port}");
    let more = json!({"sip": {"username": "anna", "register": true}});
    let line = add(&home, &fields("Trunk", 0, &server, &more)).await;
    let down = until(&home, line, |line| line.health == LineHealth::Down).await;
    assert_eq!(down.trouble, Some(LineTrouble::AccountRefused));
    home.hub.stop().await;
}

/// A provider of sipp's with these steps after the INVITE.
pub(crate) fn sipp(folder: &Path, name: &str, steps: &str) -> (Program, u16) {
    let port = free_port();
    // The hub first asks whether anybody is there; that is a dialogue of its own.
    let answer = "<label id=\"9\"/><send><![CDATA[\nSIP/2.0 200 OK\n[last_Via:]\n[last_From:]\n[last_To:];tag=o\n\
                  [last_Call-ID:]\n[last_CSeq:]\nContent-Length: 0\n\n]]></send>";
    let scenario = format!(
        "<?xml version=\"1.0\"?>\n<scenario name=\"{name}\">\n<recv request=\"OPTIONS\" optional=\"true\" next=\"9\"/>\n\
         <recv request=\"INVITE\" rrs=\"true\"><action>\
         <ereg regexp=\"[0-9]+\" search_in=\"hdr\" header=\"CSeq:\" assign_to=\"cseq\"/>\
         <ereg regexp=\".*\" search_in=\"hdr\" header=\"Via:\" assign_to=\"via\"/></action></recv>\n\
         {steps}\n<nop next=\"10\"/>\n{answer}\n<label id=\"10\"/>\n\
         <Reference variables=\"cseq,via\"/></scenario>"
    );
    let file = format!("{name}.xml");
    std::fs::write(folder.join(&file), scenario).unwrap();
    let port_text = port.to_string();
    let arguments = [
        "-sf",
        &file,
        "-p",
        &port_text,
        "-i",
        "127.0.0.1",
        "-m",
        "2",
        "-nostdin",
        "-timeout",
        "40",
    ];
    let mut program = Program::start("sipp", &arguments, folder);
    program.listens_on(port);
    (program, port)
}

fn says(first: &str, tag: &str, more: &str) -> String {
    format!(
        "<send><![CDATA[\n{first}\nVia:[$via]\n[last_From:]\n[last_To:]{tag}\n[last_Call-ID:]\nCSeq: [$cseq] INVITE\n\
         {more}\n\n]]></send>\n"
    )
}

#[tokio::test]
async fn sipp_is_a_provider_that_means_no_good() {
    if !installed("sipp") {
        return;
    }
    let home = home(|config, _| {
        config.timers.trying_max = Duration::from_secs(1);
        // One question is enough.
        config.timers.probe_up = Duration::from_secs(600);
        config.timers.probe_down = Duration::from_secs(600);
        config.timers.probe_max = Duration::from_secs(600);
    })
    .await;
    let mut desk = desk(&home).await;
    let mut good = Provider::open(Transport::Udp).await;
    let cancelled = "<recv request=\"CANCEL\"/><send><![CDATA[\nSIP/2.0 200 OK\n[last_Via:]\n[last_From:]\n\
                     [last_To:];tag=x\n[last_Call-ID:]\n[last_CSeq:]\nContent-Length: 0\n\n]]></send>\n"
        .to_owned()
        + &says("SIP/2.0 487 Request Terminated", ";tag=x", "Content-Length: 0")
        + "<recv request=\"ACK\"/>";
    let contact = "Contact: <sip:127.0.0.1:[local_port]>\nContent-Length: ";
    for (name, steps, passed_on, code) in [
        (
            "only_100",
            says("SIP/2.0 100 Trying", "", "Content-Length: 0") + &cancelled,
            true,
            504,
        ),
        (
            "answers_nothing",
            says("SIP/2.0 200 OK", ";tag=x", &format!("{contact}0"))
                + "<recv request=\"ACK\"/><recv request=\"BYE\"/>",
            false,
            502,
        ),
        (
            "counts_wrong",
            says("SIP/2.0 180 Ringing", ";tag=x", &format!("{contact}9999"))
                + "<pause milliseconds=\"100\"/>",
            true,
            504,
        ),
        (
            "garbage",
            "<send><![CDATA[\nSIP/2.0 200\u{20}\nVia: nonsense\n\n]]></send><pause milliseconds=\"100\"/>"
                .to_owned(),
            true,
            504,
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let store = home.hub.store();
        let now = hearthline_hub::clock::Clock::default().now();
        let (program, port) = sipp(folder.path(), name, &steps);
        let server = format!("sip:127.0.0.1:{port}");
        let bad = fields(name, 0, &server, &json!({}));
        let bad = store.add_line(&bad, now).await.unwrap().id;
        let good_line = fields("Good", 1, &good.server(), &json!({}));
        let good_line = store.add_line(&good_line, now).await.unwrap().id;
        tokio::time::sleep(Duration::from_millis(150)).await;
        let began = Instant::now();
        let call = desk.call(DIALLED).await;
        if passed_on {
            let (far, _) = good.called().await;
            println!("{name}: the next line's INVITE after {} ms", began.elapsed().as_millis());
            assert!(began.elapsed() < Duration::from_secs(3), "{}", program.printed());
            good.refuses(far, 486).await;
            assert_eq!(desk.failure(call).await.unwrap().code(), 486, "{name}");
        } else {
            assert_eq!(desk.failure(call).await.unwrap().code(), code, "{name}");
            assert!(!good.was_called());
        }
        store.remove_line(bad, now).await.unwrap();
        store.remove_line(good_line, now).await.unwrap();
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    home.hub.stop().await;
}
