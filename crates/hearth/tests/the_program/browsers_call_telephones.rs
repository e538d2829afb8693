//! A real browser calls what protects no sound, and is called by it: baresip as a telephone of the home, baresip beyond an
//! outside line, the drill call-taker. Each hears what the other says; the browser says that the hub stands in between.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "in a test a panic is the answer"
)]
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use hearthline_hub::HubHandle;
use hearthline_hub::clock::Clock;
use hearthline_hub::device::DeviceKind;
use hearthline_hub::line::LineHealth;
use hearthline_psap::report::AnsweredBy;
use hearthline_psap::{Behaviour, Print, PsapConfig, Running};
use hearthline_sip::target::Transport;
use serde_json::json;

use crate::browsers_call_speakers::{BY_ANNA, Tab, kept};
use crate::namespace::Network;
use crate::real_phone::{self, Baresip};
use crate::scene::{has, models_are_absent, samples, skip};
use crate::speakers_call_each_other::spoken;
use crate::understood::understood;

const BY_DESK: &str = "The parcel from the garden shop arrived this morning.";
const BY_TAKER: &str = "Please bring the yellow bowl and seven small spoons.";
/// How long both sides are listened to.
const TALK: Duration = Duration::from_secs(9);
const PATIENCE: Duration = Duration::from_secs(20);
const UNPROTECTED: (&str, &str) = ("unprotected", "unprotected");
const TAKE: [(&str, &str); 1] = [("take", "unprotected")];

impl Tab {
    /// A call of Anna's, or one that she takes, from its first sound on; what she hears is what was said.
    fn hears(&mut self, orders: &[(&str, &str)], what: &str, said: &str) {
        self.anna.does("listen", "listening");
        for (order, told) in orders {
            self.anna.does(order, told);
        }
        std::thread::sleep(TALK);
        self.anna.does("keep", "kept");
        understood(what, said, &kept(&self.heard));
    }

    fn line(&self, fields: &serde_json::Value) {
        let fields = serde_json::from_value(fields.clone()).unwrap();
        self.runtime.block_on(async {
            let store = self.home.hub.store();
            let line = store.add_line(&fields, Clock::default().now()).await;
            let line = line.unwrap().id;
            let until = std::time::Instant::now() + PATIENCE;
            loop {
                let lines = store.lines().await.unwrap();
                let own = lines.iter().find(|own| own.id == line).unwrap();
                if own.health != LineHealth::Unknown {
                    return;
                }
                assert!(std::time::Instant::now() < until, "the line is looked at");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        });
    }
}

/// The device that Anna's browser is.
async fn device_of_anna(hub: &HubHandle) -> String {
    let devices = hub.store().devices().await.unwrap();
    let mut tabs = devices.iter().filter(|own| own.kind == DeviceKind::Browser);
    tabs.next().unwrap().id.to_string()
}

fn free_port() -> u16 {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    socket.local_addr().unwrap().port()
}

#[test]
fn baresip_in_the_home_and_beyond_a_line() {
    const TEST: &str = "browsers_call_telephones::baresip_in_the_home_and_beyond_a_line";
    if models_are_absent() || (!has("baresip") && skip("baresip is not installed")) {
        return;
    }
    match Network::own(TEST, "ip link set lo up && ip route add default dev lo") {
        Network::Own => {}
        Network::Done => return,
        Network::Shared => {
            skip("needs root, unshare and ip for a network of its own");
            return;
        }
    }
    let Some(mut tab) = Tab::new("loopback") else {
        return;
    };
    let sounds = tab.home.folder.path().to_owned();
    let account = real_phone::account(&tab.home.hub, "Desk");
    let account = tab.runtime.block_on(account);
    let desk = Baresip::start(
        Command::new("baresip"),
        Ipv4Addr::LOCALHOST,
        &tab.home.hub,
        &account,
        &sounds.join("desk"),
        (&spoken(&sounds, "desk-says", BY_DESK), true),
    );
    let registered = real_phone::registered(&tab.home.hub, 2);
    tab.runtime.block_on(registered);

    // The tab calls the telephone, which answers by itself.
    let call = [("call Desk", "calling"), UNPROTECTED];
    tab.hears(&call, "heard in the tab from the desk", BY_DESK);
    tab.anna.does("hold", "held and back");
    tab.anna.does("hang-up", "over");
    // The telephone calls the person, and the tab rings.
    desk.command("dial", &format!("sip:anna@{}", account.domain));
    assert_eq!(tab.anna.does("rings", "rings"), "rings: Desk");
    tab.hears(&TAKE, "heard in the tab, called by the desk", BY_DESK);
    desk.command("hangup", "");
    tab.anna.does("over", "over");
    understood("heard at the desk", BY_ANNA, &desk.end());

    // An outside line, on which somebody of the city answers and calls back.
    let outside = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
    let number = "+15055550142";
    let says = spoken(&sounds, "city-says", BY_TAKER);
    let city = Baresip::outside(number, outside, &sounds.join("city"), &says);
    let device = tab.runtime.block_on(device_of_anna(&tab.home.hub));
    tab.line(&json!({
        "name": "Trunk", "kind": "sip_trunk", "position": 0, "enabled": true,
        "sip": {"server": format!("sip:{outside}")}, "ring_devices": [device],
    }));
    let call = [("dial 505 555 0142", "calling"), UNPROTECTED];
    tab.hears(&call, "heard in the tab from the city", BY_TAKER);
    // A tone of the pad arrives as one.
    tab.anna.does("press 5", "pressed");
    std::thread::sleep(Duration::from_secs(1));
    tab.anna.does("hang-up", "over");
    let lines = tab.home.hub.line_addresses().to_vec();
    let (_, lines) = lines
        .iter()
        .find(|(transport, _)| *transport == Transport::Udp)
        .unwrap();
    city.command("dial", &format!("sip:home@{lines}"));
    let rings = tab.anna.does("rings", "rings");
    assert_eq!(rings, format!("rings: {number}"));
    tab.hears(&TAKE, "heard in the tab, called from the city", BY_TAKER);
    tab.anna.does("hang-up", "over");
    let printed = city.printed();
    assert!(printed.contains("received event: '5'"), "{printed}");
    understood("heard in the city", BY_ANNA, &city.end());
    tab.anna.does("leave", "left");
    tab.runtime.block_on(tab.home.hub.stop());
}

/// A call-taker with a voice of its own, who records.
async fn call_taker(voice: &Path, recordings: &Path, person: Option<u16>) -> (Running, String) {
    let config = PsapConfig {
        sip_port: 0,
        http_port: 0,
        print: Print::Nothing,
        behaviours: vec![Behaviour::answering_after(Duration::from_millis(200))],
        voice: Some(voice.to_owned()),
        recordings: Some(recordings.to_owned()),
        person_answers_within_s: person,
        ..PsapConfig::default()
    };
    let running = hearthline_psap::start(config).await.unwrap();
    let tcp = running.sip.iter().find(|(own, _)| *own == Transport::Tcp);
    let uri = format!("sip:{};transport=tcp", tcp.unwrap().1);
    (running, uri)
}

/// A browser as people have it, which hides the loopback, calls for help; a machine answers, then a person.
#[test]
fn the_drill_call_taker_hears_and_is_heard() {
    if models_are_absent() {
        return;
    }
    let Some(mut tab) = Tab::new("ordinary") else {
        return;
    };
    let sounds = tab.home.folder.path().to_owned();
    let says = spoken(&sounds, "taker-says", BY_TAKER);
    let recordings = sounds.join("recordings");
    let taker = call_taker(&says, &recordings, Some(10));
    let (taker, uri) = tab.runtime.block_on(taker);
    tab.line(&json!({
        "name": "Drill", "kind": "sip_trunk", "position": 0, "enabled": true,
        "sip": {"server": uri, "drill": "service"},
    }));
    // Nobody is at the console: the machine answers.
    let call = [("help 911", "calling"), UNPROTECTED];
    tab.hears(
        &call,
        "heard in the tab from the call-taker's machine",
        BY_TAKER,
    );
    tab.anna.does("end-help", "over");
    let handle = taker.handle();
    let reports = tab.runtime.block_on(handle.reports()).unwrap();
    assert_eq!(reports.len(), 1);
    let report = &reports[0];
    // The message says that it is a drill; the comment comes with the home's address, which this hub does not know.
    let drill = report.fact("drill").unwrap();
    assert_eq!(drill.value, "not marked in Comment");
    assert_eq!(report.service.as_deref(), Some("urn:service:sos"));
    let recording = PathBuf::from(report.recording.clone().unwrap());
    std::thread::sleep(Duration::from_secs(1));
    understood("recorded by the call-taker", BY_ANNA, &samples(&recording));

    // A person takes the next one, at the console in a browser: the same microphone speaks there.
    let console = format!("console {}", taker.console_url());
    tab.anna.does(&console, "console");
    tab.anna.does("help 911", "calling");
    tab.anna.does("take-at-console", "taken");
    let said = "heard in the tab from the console";
    tab.hears(&[UNPROTECTED], said, BY_ANNA);
    tab.anna.does("keep-console", "kept");
    understood("heard at the console", BY_ANNA, &kept(&tab.heard));
    let reports = tab.runtime.block_on(handle.reports()).unwrap();
    let answered = reports
        .iter()
        .map(|own| own.answered_by)
        .collect::<Vec<_>>();
    assert_eq!(
        answered,
        [Some(AnsweredBy::Machine), Some(AnsweredBy::Person)]
    );
    tab.anna.does("end-help", "over");
    tab.anna.does("leave", "left");
    tab.runtime.block_on(async {
        tab.home.hub.stop().await;
        taker.stop().await;
    });
}
