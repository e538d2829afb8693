//! A file system that is really full, a small one of the test's own: the hub's whole folder is on it, also what SQLite keeps
//! beside the database. Calls go on, those for help first; a message is stored or refused; and all of that without a
//! restart, again and again.

use std::collections::HashSet;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::household::{Client, Household};
use crate::lines::{Provider, SDP, fields};
use crate::telephone::{DOMAIN, Phone, talk};
use hearthline_emergency::numbers::Country;
use hearthline_hub::call::CallState;
use hearthline_hub::device::DeviceFields;
use hearthline_hub::line::LineHealth;
use hearthline_hub::person::Role;
use hearthline_hub::sip::SipConfig;
use hearthline_hub::sip::account::{PhoneDigest, SipAccount};
use hearthline_hub::text::Name;
use hearthline_sip::StatusCode;
use hearthline_sip::endpoint::{Body, Credentials};
use hearthline_sip::outbound::FlowTransport;
use hearthline_sip::target::Transport;
use serde_json::json;
use tokio::sync::watch;

const TEST: &str = "a_full_file_system_holds_up_no_call::and_loses_and_doubles_nothing";
const INSIDE: &str = "HEARTHLINE_SMALL_DISK";
const PATIENCE: Duration = Duration::from_secs(60);

/// A small file system that is the test's alone, for all its temporary files. `None`: the test has run there already, or
/// nobody may make one here.
fn small_disk() -> Option<PathBuf> {
    if let Some(disk) = std::env::var_os(INSIDE) {
        return Some(disk.into());
    }
    let folder = tempfile::tempdir().unwrap();
    let up = format!("mount -t tmpfs -o size=8m tmpfs \"${INSIDE}\"");
    // As root, else as the root of a user namespace.
    let may = |how: &&str| {
        let made = Command::new("unshare")
            .args([how, "sh", "-c", &up])
            .env(INSIDE, folder.path())
            .output();
        made.is_ok_and(|made| made.status.success())
    };
    let Some(how) = ["-m", "-rm"].into_iter().find(may) else {
        println!("skipped: nobody may mount a small file system here, not even in a namespace");
        return None;
    };
    let again = format!("{up} && TMPDIR=\"${INSIDE}\" exec \"$0\" --exact {TEST} --nocapture");
    let output = Command::new("timeout")
        .args(["-k", "2", "200", "unshare", how, "sh", "-c", &again])
        .arg(std::env::current_exe().unwrap())
        .env(INSIDE, folder.path())
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && printed.contains("1 passed"),
        "{printed}"
    );
    print!("{printed}");
    None
}

/// Somebody else's bytes: as many as there is room for, to the last one.
fn fill(path: &Path) {
    let mut file = File::options()
        .create(true)
        .append(true)
        .open(path)
        .unwrap();
    for size in [65_536, 4_096, 1] {
        while file.write_all(&vec![0; size]).is_ok() {}
    }
}

/// What became of the messages so far.
#[derive(Default)]
struct Sent {
    acknowledged: Vec<String>,
    refused: usize,
}

/// Sends one message after the other, each until it is taken, and then those that are told to follow.
async fn sends(
    olive: Client,
    adam: String,
    sent: watch::Sender<Sent>,
    stop: watch::Receiver<bool>,
) {
    let to = json!({"these": [{"kind": "person", "id": adam}]});
    for number in 0.. {
        let text = format!("{number} {}", "x".repeat(3_000));
        let wish = json!({"client_id": format!("m{number}"), "to": to, "body": {"text": text}});
        loop {
            let (status, answer) = olive.post("/api/v1/messages", &wish).await;
            match status {
                201 => {
                    let id = answer["id"].as_str().unwrap().to_owned();
                    sent.send_modify(|sent| sent.acknowledged.push(id));
                    break;
                }
                // It says what is wrong, and that it is not for ever.
                503 => {
                    let detail = answer["detail"].as_str().unwrap_or_default();
                    assert!(detail.contains("full"), "{answer}");
                    sent.send_modify(|sent| sent.refused += 1);
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
                other => panic!("{other} {answer}"),
            }
        }
        if *stop.borrow() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn until(sent: &mut watch::Receiver<Sent>, enough: impl FnMut(&Sent) -> bool) {
    let waiting = tokio::time::timeout(PATIENCE, sent.wait_for(enough));
    drop(waiting.await.expect("in time").unwrap());
}

async fn account(home: &Household, name: &str) -> SipAccount {
    let fields = DeviceFields {
        name: Name::new(name).unwrap(),
        room: None,
        person: None,
    };
    let made = home.hub.add_sip_account(fields, PhoneDigest::Sha256).await;
    made.unwrap()
}

async fn phone(home: &Household, own: &SipAccount) -> Phone {
    let all = home.hub.sip_addresses();
    let udp = all.iter().find(|(own, _)| *own == FlowTransport::Udp);
    let proof = Credentials {
        username: own.username.clone(),
        password: own.password.clone(),
        realm: None,
    };
    Phone::on(udp.unwrap().1, &own.username, vec![proof], Transport::Udp).await
}

/// A line for calls for help, in drill.
async fn drill_line(home: &Household, taker: &Provider) {
    let store = home.hub.store();
    let drill = json!({"sip": {"drill": "service"}});
    let line = fields("Drill", 0, &taker.server(), &drill);
    store.add_line(&line, home.clock.now()).await.unwrap();
    let began = Instant::now();
    while store.lines().await.unwrap()[0].health == LineHealth::Unknown {
        assert!(began.elapsed() < PATIENCE, "the line is looked at");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn and_loses_and_doubles_nothing() {
    const NEWCOMERS: [&str; 2] = ["Attic", "Loft"];
    const CALLS: usize = 10;
    let Some(disk) = small_disk() else { return };
    let mut sip = SipConfig::new(Country::Germany);
    sip.domain = DOMAIN.to_owned();
    let home = Household::with_sip(sip).await;
    assert!(home.folder.path().starts_with(&disk), "its own disk");
    let mut taker = Provider::open(Transport::Udp).await;
    drill_line(&home, &taker).await;
    let (desk, hall) = (account(&home, "Desk").await, account(&home, "Hall").await);
    let mut newcomers = Vec::new();
    for name in NEWCOMERS {
        newcomers.push(account(&home, name).await);
    }
    let to_hall = format!("sip:{}@{DOMAIN}", hall.username);
    let (mut desk, mut hall) = (phone(&home, &desk).await, phone(&home, &hall).await);
    desk.register().await.unwrap();
    hall.register().await.unwrap();
    let (olive, adam) = (home.login(Role::Owner).await, home.login(Role::Adult).await);
    let (tell, mut sent) = watch::channel(Sent::default());
    let (stop, stopped) = watch::channel(false);
    let to = home.person(Role::Adult).id.to_string();
    let sending = tokio::spawn(sends(olive, to, tell, stopped));
    let filler = disk.join("filler");

    for newcomer in &newcomers {
        let mut newcomer = phone(&home, newcomer).await;
        let taken = sent.borrow().acknowledged.len();
        until(&mut sent, |sent| sent.acknowledged.len() > taken + 5).await;
        // Full, and filled again whenever SQLite has found a page in what it had: until a message finds none.
        let refused = sent.borrow().refused;
        while sent.borrow().refused < refused + 3 {
            fill(&filler);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        // The call for help first; who registers hears in time whether it was stored, and is called all the same.
        let help = desk.call(&format!("sip:112@{DOMAIN}")).await;
        let (far, _) = taker.called().await;
        taker.accepts(far, Some(Body::sdp(SDP))).await;
        desk.answered(help).await;
        desk.bye(help).await;
        taker.ended(far).await;
        let talking = async {
            for _ in 0..CALLS {
                talk(&mut desk, &mut hall, &to_hall).await;
            }
        };
        let (registered, ()) = tokio::join!(newcomer.register(), talking);
        let store = home.hub.store();
        let bindings = store.all_bindings(home.clock.now()).await.unwrap();
        let contact = newcomer.local.to_string();
        let stored = bindings.iter().any(|own| own.contact.contains(&contact));
        match registered {
            // SQLite still had a page.
            Ok(()) => assert!(stored, "what was acknowledged"),
            Err(status) => assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE),
        }
        let uri = format!("sip:{}@{DOMAIN}", newcomer.user);
        talk(&mut desk, &mut newcomer, &uri).await;
        let refused = sent.borrow().refused;
        until(&mut sent, |sent| sent.refused > refused).await;
        // There is room again, and nobody starts anything anew.
        std::fs::remove_file(&filler).unwrap();
        let taken = sent.borrow().acknowledged.len();
        until(&mut sent, |sent| sent.acknowledged.len() > taken + 5).await;
        newcomer.register().await.unwrap();
    }
    stop.send_replace(true);
    sending.await.unwrap();

    // Each message that was acknowledged is there, once, and no other.
    let acknowledged = sent.borrow().acknowledged.clone();
    let (mut found, mut after) = (Vec::new(), 0);
    loop {
        let path = format!("/api/v1/messages?after={after}&limit=200");
        let (status, mailbox) = adam.get(&path).await;
        assert_eq!(status, 200, "{mailbox}");
        let messages = mailbox["messages"].as_array().unwrap().clone();
        let Some(last) = messages.last() else { break };
        after = last["sequence"].as_i64().unwrap();
        let ids = messages.iter().map(|own| own["id"].as_str().unwrap());
        found.extend(ids.map(str::to_owned));
    }
    assert_eq!(found, acknowledged, "in their order");
    let once: HashSet<_> = found.iter().collect();
    assert_eq!(once.len(), found.len());
    // And each call, the one for help with its incident.
    let began = Instant::now();
    let wanted = NEWCOMERS.len() * (CALLS + 2);
    let calls = loop {
        let calls = home.hub.store().calls(1_000).await.unwrap();
        if calls.iter().all(|call| call.state == CallState::Ended) && calls.len() == wanted {
            break calls;
        }
        assert!(began.elapsed() < PATIENCE, "{} of {wanted}", calls.len());
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert!(calls.iter().all(|call| call.answered_at_ms.is_some()));
    let help: Vec<_> = calls.iter().filter(|call| call.emergency).collect();
    assert_eq!(help.len(), NEWCOMERS.len());
    // What was reported before it rang, when it was answered and at its end: each at most once, and the end always, if
    // a moment after the call's own row.
    let began = Instant::now();
    loop {
        let incidents = home.hub.store().incidents(100).await.unwrap();
        let reports: HashSet<_> = incidents
            .iter()
            .map(|own| (own.call.unwrap(), own.report.entries))
            .collect();
        assert_eq!(reports.len(), incidents.len());
        if help.iter().all(|call| reports.contains(&(call.id, 4))) {
            break;
        }
        assert!(began.elapsed() < PATIENCE, "{reports:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    println!(
        "{} messages acknowledged, {} refusals, {} calls",
        acknowledged.len(),
        sent.borrow().refused,
        calls.len()
    );
    home.hub.stop().await;
}
