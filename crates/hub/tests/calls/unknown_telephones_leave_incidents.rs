//! A call for help from a telephone that proved nothing leaves an incident like any other: of whom is then a claim, and
//! stands there as one.

use std::time::{Duration, Instant};

use crate::lines::{Provider, SDP, add, fields, home};
use crate::telephone::{Home, Phone};
use hearthline_hub::incident::{Incident, IncidentOutcome};
use hearthline_sip::endpoint::Body;
use hearthline_sip::target::Transport;
use serde_json::json;

async fn incidents(home: &Home, enough: impl Fn(&[Incident]) -> bool) -> Vec<Incident> {
    let began = Instant::now();
    loop {
        let all = home.hub.store().incidents(20).await.unwrap();
        if enough(&all) {
            return all;
        }
        assert!(began.elapsed() < Duration::from_secs(10), "{all:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn answered_or_not_known_by_name_or_by_nothing() {
    let home = home(|_, _| {}).await;
    let account = home.account("Desk", None).await;
    // Nobody registers, and nobody is asked for a password.
    let mut nobody = Phone::with(&home, "nobody", Vec::new(), Transport::Tcp).await;
    let mut claims = Phone::with(&home, &account.username, Vec::new(), Transport::Udp).await;
    for (phone, claimed) in [(&mut nobody, None), (&mut claims, Some(account.device))] {
        let before = home.hub.store().incidents(20).await.unwrap().len();
        assert_eq!(phone.refused("sip:112@home.test").await.code(), 503);
        let all = incidents(&home, |all| all.len() > before).await;
        let own = all
            .iter()
            .find(|own| own.claimed_device == claimed)
            .unwrap();
        assert_eq!(
            (own.device, own.report.outcome),
            (None, IncidentOutcome::NotCalled)
        );
        let row = home.hub.store().call(own.call.unwrap()).await.unwrap();
        assert_eq!(
            (row.emergency, row.device, row.claimed_device),
            (true, None, claimed)
        );
    }
    // Over a line the incident grows with the call.
    let mut trunk = Provider::open(Transport::Udp).await;
    let drill = json!({"sip": {"drill": "service"}});
    add(&home, &fields("Drill", 0, &trunk.server(), &drill)).await;
    let call = claims.call("sip:112@home.test").await;
    let (far, _) = trunk.called().await;
    trunk.accepts(far, Some(Body::sdp(SDP))).await;
    claims.answered(call).await;
    claims.bye(call).await;
    trunk.ended(far).await;
    let all = incidents(&home, |all| all.iter().any(|own| own.report.entries == 4)).await;
    let ended = all.iter().find(|own| own.report.entries == 4).unwrap();
    assert_eq!(ended.report.outcome, IncidentOutcome::Answered);
    assert_eq!(
        (ended.device, ended.claimed_device),
        (None, Some(account.device))
    );
    assert!(ended.report.drill);
    // Once it has proven who it is, it is no claim any more.
    let mut desk = home.phone(&account, Transport::Udp).await;
    let call = desk.call("sip:112@home.test").await;
    let (far, _) = trunk.called().await;
    trunk.refuses(far, 486).await;
    desk.failure(call).await.unwrap();
    let proven = |own: &Incident| own.device == Some(account.device);
    let all = incidents(&home, |all| all.iter().any(proven)).await;
    let own = all.iter().find(|own| proven(own)).unwrap();
    assert!(own.claimed_device.is_none() && own.call.is_some());
    home.hub.stop().await;
}
