use std::time::Duration;

use hearthline_modem::dbus::Value;
use hearthline_modem::io::{ServeConfig, start, status};
use hearthline_modem::service::{Health, Lock, MODEM, THREE_GPP};
use hearthline_modem::stand_in::{MODEM_PATH, StandIn};

use crate::phone::{Outcome, Phone};
use crate::private_bus::{Home, PrivateBus};

const NUMBER: &str = "+12025550123";

#[tokio::test]
async fn health_follows_the_modem_and_is_told_to_who_asks() {
    let Some(mut home) = Home::start().await else {
        return;
    };
    let line = home.line.sip;
    let mut phone = Phone::new().await;
    assert_eq!(phone.ask(line).await.0, 200);
    let cases = [
        (
            MODEM,
            "UnlockRequired",
            Value::U32(2),
            Value::U32(1),
            Health::SimLocked(Lock::SimPin),
        ),
        (
            MODEM,
            "UnlockRequired",
            Value::U32(4),
            Value::U32(1),
            Health::SimLocked(Lock::SimPuk),
        ),
        (
            MODEM,
            "State",
            Value::I32(3),
            Value::I32(8),
            Health::Disabled,
        ),
        (
            MODEM,
            "State",
            Value::I32(7),
            Value::I32(8),
            Health::NoNetwork,
        ),
        (
            MODEM,
            "State",
            Value::I32(-1),
            Value::I32(8),
            Health::Failed,
        ),
        (
            THREE_GPP,
            "RegistrationState",
            Value::U32(3),
            Value::U32(1),
            Health::Denied,
        ),
    ];
    for (interface, name, bad, good, health) in cases {
        home.modem.set(MODEM_PATH, interface, name, bad).await;
        home.health(health).await;
        assert_eq!(phone.ask(line).await, (503, health.to_string()));
        let outcome = phone.call(line, NUMBER).await;
        assert_eq!(outcome, Outcome::Refused(503, health.to_string()));
        home.modem.set(MODEM_PATH, interface, name, good).await;
        home.health(Health::Ready).await;
        assert_eq!(phone.ask(line).await.0, 200);
    }
    assert_eq!(home.modem.seen().await.dialled, [""; 0]);
}

#[tokio::test]
async fn a_modem_unplugged_in_mid_call_ends_it_and_comes_back() {
    let Some(mut home) = Home::start().await else {
        return;
    };
    let line = home.line.sip;
    for number in [NUMBER, "911"] {
        let mut phone = Phone::new().await;
        assert_eq!(phone.call(line, number).await, Outcome::Answered);
        home.modem.unplug().await;
        assert!(phone.ends().await);
        home.health(Health::NoModem).await;
        let outcome = phone.call(line, "911").await;
        assert!(matches!(outcome, Outcome::Refused(503, _)), "{outcome:?}");
        home.modem.plug().await;
        home.health(Health::Ready).await;
    }
    assert_eq!(
        Phone::new().await.call(line, NUMBER).await,
        Outcome::Answered
    );
}

#[tokio::test]
async fn a_bus_killed_in_mid_call_ends_an_ordinary_call() {
    let Some(mut home) = Home::start().await else {
        return;
    };
    let line = home.line.sip;
    let mut phone = Phone::new().await;
    assert_eq!(phone.call(line, NUMBER).await, Outcome::Answered);
    home.bus.kill();
    assert!(phone.ends().await);
    assert_eq!(home.end().await, "the modem is gone");
    home.health(Health::NoBus).await;
    let outcome = phone.call(line, NUMBER).await;
    assert!(matches!(outcome, Outcome::Refused(503, _)), "{outcome:?}");
    // The bus and its modem come back, and so does the line.
    home.bus.again();
    home.modem = StandIn::start(home.bus.address()).await.unwrap();
    home.health(Health::Ready).await;
    assert_eq!(phone.call(line, NUMBER).await, Outcome::Answered);
}

#[tokio::test]
async fn an_emergency_call_outlives_the_way_to_its_modem() {
    let Some(mut home) = Home::start().await else {
        return;
    };
    // The service goes, the far end's sound stays: the modem holds the call.
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    let mut config = ServeConfig::new(home.bus.address());
    config.sound = Some(hearthline_modem::io::SoundCommands {
        capture: words(&["cat", "/dev/zero"]),
        playback: words(&["cat"]),
    });
    home.line = start(config).await.unwrap();
    home.health(Health::Ready).await;
    let mut phone = Phone::new().await;
    assert_eq!(phone.call(home.line.sip, "911").await, Outcome::Answered);
    home.bus.kill();
    home.health(Health::NoBus).await;
    phone.talk(Duration::from_secs(1)).await;
    assert!(!phone.ended, "only its two sides end it");
    phone.hang_up().await;
    assert_eq!(home.end().await, "the home's side hung up");
}

#[tokio::test]
async fn without_a_bus_the_line_says_so_and_waits() {
    let folder = tempfile::tempdir().unwrap();
    let address = format!("unix:path={}", folder.path().join("none").display());
    let address = hearthline_modem::io::BusAddress::parse(&address).unwrap();
    let found = status(address).await.unwrap();
    assert_eq!((found.health, found.modem), (Health::NoBus, None));
}

#[tokio::test]
async fn status_reads_and_changes_nothing() {
    let Some(bus) = PrivateBus::start() else {
        return;
    };
    let found = status(bus.address()).await.unwrap();
    assert_eq!(found.health, Health::NoService);
    let modem = StandIn::start(bus.address()).await.unwrap();
    modem.text("+12025550142", "keep me").await;
    modem.ring("+12025550142").await;
    let found = status(bus.address()).await.unwrap();
    assert_eq!(found.health, Health::Ready);
    let facts = found.modem.unwrap();
    assert_eq!(facts.signal_percent, Some(72));
    assert_eq!(facts.network, "Drill Mobile");
    assert!(facts.emergency_numbers.contains("112"));
    let seen = modem.seen().await;
    assert_eq!((seen.stored, seen.calls), (1, 1));
}
