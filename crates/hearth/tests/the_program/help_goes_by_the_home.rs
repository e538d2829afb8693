//! A spoken call for help of a speaker that belongs to a home: by the hub's line, and by its own with the hub dead.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "in a test a panic is the answer"
)]
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::scene::{HEARTH, Ran, hearth, models_are_absent};
use hearthline_emergency::numbers::Country;
use hearthline_hub::clock::Clock;
use hearthline_hub::device::{DeviceFields, DeviceKind};
use hearthline_hub::line::LineHealth;
use hearthline_hub::sip::SipConfig;
use hearthline_hub::text::Name;
use hearthline_hub::{Hub, HubConfig};
use hearthline_psap::{Behaviour, CallReport, Print, PsapConfig, Running};
use hearthline_sip::target::Transport;

/// A call-taker who hangs up after two seconds.
async fn call_taker() -> (Running, String) {
    let behaviour = Behaviour {
        hang_up_after_ms: Some(2_000),
        ..Behaviour::answering_after(Duration::from_millis(20))
    };
    let config = PsapConfig {
        sip_port: 0,
        http_port: 0,
        print: Print::Nothing,
        behaviours: vec![behaviour],
        ..PsapConfig::default()
    };
    let running = hearthline_psap::start(config).await.unwrap();
    let tcp = running.sip.iter().find(|(own, _)| *own == Transport::Tcp);
    let uri = format!("sip:{};transport=tcp", tcp.unwrap().1);
    (running, uri)
}

async fn reports(call_taker: &Running) -> Vec<CallReport> {
    call_taker.handle().reports().await.unwrap()
}

/// What the call-taker must know, whichever way the call came.
fn is_whole(report: &CallReport) {
    assert_eq!(report.service.as_deref(), Some("urn:service:sos"));
    assert!(report.drill);
    for name in [
        "geolocation",
        "pidf-lo",
        "location-civic",
        "unique-device-id",
        "drill",
        "audio-arrived",
    ] {
        let fact = report
            .fact(name)
            .unwrap_or_else(|| panic!("no {name}: {report:?}"));
        assert!(fact.ok, "{fact:?}");
    }
}

/// The speaker hears the sentence and runs until nothing is under way.
fn hears(folder: &Path, sentence: &Path) -> Ran {
    let ran = Command::new(HEARTH)
        .args(["speaker", "--json", "--loudspeaker", "none", "--config"])
        .arg(folder.join("speaker.toml"))
        .arg("--data")
        .arg(folder.join("device"))
        .arg("--hear")
        .arg(sentence)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let ran = Ran::of(&ran);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    ran
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn by_the_hubs_line_and_without_the_hub_by_its_own() {
    if models_are_absent() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let (by_hub, hubs_line) = call_taker().await;
    let (by_speaker, own_line) = call_taker().await;

    let mut config = HubConfig::new(folder.join("hub"));
    config.sip = Some(SipConfig::new(Country::UnitedStates));
    let hub = Hub::start(config).await.unwrap();
    let line = serde_json::json!({
        "name": "Drill", "kind": "sip_trunk", "position": 0, "enabled": true,
        "sip": {"server": hubs_line, "drill": "service"},
    });
    let line = serde_json::from_value(line).unwrap();
    let store = hub.store();
    store.add_line(&line, Clock::default().now()).await.unwrap();
    while store.lines().await.unwrap()[0].health == LineHealth::Unknown {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let kitchen = DeviceFields {
        name: Name::new("Kitchen").unwrap(),
        room: None,
        person: None,
    };
    let invited = hub.invite(DeviceKind::Speaker, kitchen).await.unwrap();
    let device = folder.join("device");
    let joined = hearth(["join", &invited.url, "--data", device.to_str().unwrap()]);
    assert_eq!(joined.code, Some(0), "{}", joined.err);
    let speaker = format!(
        "[device]\nname = \"Kitchen\"\ncountry = \"US\"\n[emergency]\nmode = \"immediate\"\n\
         [address]\ncountry = \"US\"\nA1 = \"NM\"\nA3 = \"Exampleton\"\nRD = \"Juniper\"\nHNO = \"42\"\n\
         [person]\nname = \"Drill\"\n[[line]]\nname = \"own\"\nuri = \"{own_line}\"\ntransports = [\"tcp\"]\n"
    );
    std::fs::write(folder.join("speaker.toml"), speaker).unwrap();
    let sentence = folder.join("help.wav");
    let said = hearth(["say", "-o", sentence.to_str().unwrap(), "Alexa, call 911!"]);
    assert_eq!(said.code, Some(0), "{}", said.err);

    let ran = hears(folder, &sentence);
    let taken = reports(&by_hub).await;
    assert_eq!(taken.len(), 1, "{}{}", ran.out, ran.err);
    is_whole(&taken[0]);
    assert!(
        reports(&by_speaker).await.is_empty(),
        "one call, one call-taker"
    );

    hub.stop().await;
    let ran = hears(folder, &sentence);
    let taken = reports(&by_speaker).await;
    assert_eq!(taken.len(), 1, "{}{}", ran.out, ran.err);
    is_whole(&taken[0]);
    assert_eq!(reports(&by_hub).await.len(), 1);
    by_hub.stop().await;
    by_speaker.stop().await;
}
