//! A database that another program has locked, and one that cannot grow: calls go on, a registration hears a clear no in
//! time, and what is to be remembered is written afterwards.

use std::path::Path;
use std::time::Duration;

use crate::lines::{Provider, SDP, add, fields, home};
use crate::telephone::{DOMAIN, Home, Phone, talk};
use hearthline_emergency::numbers::Country;
use hearthline_hub::call::{Call, CallState};
use hearthline_hub::clock::Clock;
use hearthline_hub::incident::IncidentOutcome;
use hearthline_hub::sip::SipConfig;
use hearthline_hub::sip::account::SipAccount;
use hearthline_hub::store::StoreError;
use hearthline_hub::{Hub, HubConfig};
use hearthline_sip::StatusCode;
use hearthline_sip::endpoint::Body;
use hearthline_sip::target::Transport;
use serde_json::json;
use sqlx_core::connection::ConnectOptions as _;
use sqlx_core::raw_sql::raw_sql;
use sqlx_sqlite::{SqliteConnectOptions, SqliteConnection};

async fn another_program(folder: &Path) -> SqliteConnection {
    let path = folder.join("hub.sqlite");
    let options = SqliteConnectOptions::new().filename(path);
    options
        .busy_timeout(Duration::from_secs(30))
        .connect()
        .await
        .unwrap()
}

async fn does(other: &mut SqliteConnection, what: &'static str) {
    raw_sql(what).execute(other).await.unwrap();
}

/// Every call that is remembered, once there are so many and all are over.
async fn remembered(home: &Home, count: usize) -> Vec<Call> {
    let began = std::time::Instant::now();
    loop {
        let calls = home.hub.store().calls(1_000).await.unwrap();
        let over = |call: &&Call| matches!(call.state, CallState::Ended | CallState::Missed);
        if calls.iter().filter(over).count() == count {
            return calls;
        }
        assert!(
            began.elapsed() < Duration::from_secs(30),
            "{} of {count}",
            calls.len()
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn uri(account: &SipAccount) -> String {
    format!("sip:{}@{DOMAIN}", account.username)
}

#[tokio::test]
async fn a_locked_database_holds_up_no_call_and_loses_no_row() {
    let home = home(|_, _| {}).await;
    let mut taker = Provider::open(Transport::Udp).await;
    let drill = json!({"sip": {"drill": "service"}});
    add(&home, &fields("Drill", 0, &taker.server(), &drill)).await;
    let [desk, hall, attic] = ["Desk", "Hall", "Attic"].map(|name| home.account(name, None));
    let (desk, hall, attic) = (desk.await, hall.await, attic.await);
    let (to_hall, to_attic) = (uri(&hall), uri(&attic));
    let mut desk = home.phone(&desk, Transport::Udp).await;
    let mut hall = home.phone(&hall, Transport::Udp).await;
    let mut attic = Phone::plain(&home, &attic, Transport::Udp).await;

    let mut other = another_program(home.folder.path()).await;
    does(&mut other, "BEGIN EXCLUSIVE").await;
    // All of this while nothing can be written.
    let registering = attic.register();
    let talking = async {
        for _ in 0..5 {
            talk(&mut desk, &mut hall, &to_hall).await;
        }
        let help = desk.call("sip:112@home.test").await;
        let (far, _) = taker.called().await;
        taker.accepts(far, Some(Body::sdp(SDP))).await;
        desk.answered(help).await;
        desk.bye(help).await;
        taker.ended(far).await;
    };
    let (registered, ()) = tokio::join!(registering, talking);
    assert_eq!(registered, Err(StatusCode::SERVICE_UNAVAILABLE));
    // It is called all the same.
    talk(&mut desk, &mut attic, &to_attic).await;
    assert_eq!(home.hub.store().calls(10).await.unwrap(), []);
    does(&mut other, "ROLLBACK").await;

    let calls = remembered(&home, 7).await;
    let answered = calls.iter().filter(|call| call.answered_at_ms.is_some());
    assert_eq!(answered.count(), 7);
    assert_eq!(calls.iter().filter(|call| call.emergency).count(), 1);
    // What a call for help leaves is written right after its row.
    let began = std::time::Instant::now();
    let incidents = loop {
        let incidents = home.hub.store().incidents(10).await.unwrap();
        if !incidents.is_empty() || began.elapsed() > Duration::from_secs(30) {
            break incidents;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    let outcomes: Vec<_> = incidents.iter().map(|own| own.report.outcome).collect();
    assert_eq!(
        outcomes,
        [IncidentOutcome::Answered],
        "of a telephone, once"
    );
    attic.register().await.unwrap();
    let bindings = home.hub.store().all_bindings(Clock::default().now()).await;
    assert_eq!(bindings.unwrap().len(), 3);
    home.hub.stop().await;
}

#[tokio::test]
async fn a_full_disk_holds_up_no_call_and_loses_no_row() {
    const CALLS: usize = 60;
    let folder = tempfile::tempdir().unwrap();
    let mut sip = SipConfig::new(Country::Germany);
    sip.domain = DOMAIN.to_owned();
    let mut config = HubConfig::new(folder.path());
    config.sip = Some(sip.clone());
    config.database_bytes_max = Some(512 * 4_096);
    let hub = Hub::start(config).await.unwrap();
    let udp = hub.sip_addresses()[0].1;
    sip.udp = vec![udp];
    let home = Home { hub, folder, sip };
    let (desk, hall) = (
        home.account("Desk", None).await,
        home.account("Hall", None).await,
    );
    let to_hall = uri(&hall);
    let mut desk = home.phone(&desk, Transport::Udp).await;
    let mut hall = home.phone(&hall, Transport::Udp).await;
    // Somebody else's bytes fill it: for the hub there is no page left.
    let mut other = another_program(home.folder.path()).await;
    does(
        &mut other,
        "PRAGMA max_page_count = 512; CREATE TABLE filler (bytes BLOB)",
    )
    .await;
    for insert in [
        "INSERT INTO filler VALUES (zeroblob(65536))",
        "INSERT INTO filler VALUES (zeroblob(3000))",
    ] {
        while raw_sql(insert).execute(&mut other).await.is_ok() {}
    }
    let mut rooms = 0;
    let refused = loop {
        let room = json!({"name": format!("{rooms} {}", "x".repeat(100))});
        let room = serde_json::from_value(room).unwrap();
        match home
            .hub
            .store()
            .add_room(&room, Clock::default().now())
            .await
        {
            Ok(_) => rooms += 1,
            Err(error) => break error,
        }
        assert!(rooms < 1_000, "the limit was never met");
    };
    assert!(matches!(refused, StoreError::Full), "{refused:?}");
    for _ in 0..CALLS {
        talk(&mut desk, &mut hall, &to_hall).await;
    }
    let early = home.hub.store().calls(1_000).await.unwrap();
    assert!(early.len() < CALLS, "there was room");
    // There is room again.
    does(&mut other, "DROP TABLE filler").await;
    let calls = remembered(&home, CALLS).await;
    assert!(calls.iter().all(|call| call.answered_at_ms.is_some()));
    home.hub.stop().await;
}
