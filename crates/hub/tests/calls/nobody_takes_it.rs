//! Calls from outside that nobody takes go to the mailbox; a call-taker's callback never does. The mailbox is a user
//! agent of the test here.

use std::time::Duration;

use crate::lines::{Provider, SDP, add, fields, home, lines_address};
use crate::telephone::{Home, Phone};
use hearthline_hub::call::CallState;
use hearthline_hub::call_settings::CallSettings;
use hearthline_hub::gateway::Voicemail;
use hearthline_hub::id::LineId;
use hearthline_hub::person::Party;
use hearthline_sip::endpoint::{Body, CallHandle, Event, Refusal};
use hearthline_sip::target::Transport;
use hearthline_sip::{HeaderName, Request, StatusCode};
use serde_json::{Value, json};

const FROM: &str = "<sip:+12025550123@provider.test>";

struct Scene {
    home: Home,
    mailbox: Provider,
    trunk: Provider,
    line: LineId,
    desk: Phone,
}

async fn scene(after: Duration, more: &Value) -> Scene {
    let mailbox = Provider::open(Transport::Udp).await;
    let address = mailbox.local;
    let home = home(|config, _| config.voicemail = Some(Voicemail { address, after })).await;
    let trunk = Provider::open(Transport::Udp).await;
    let line = add(&home, &fields("Trunk", 0, &trunk.server(), more)).await;
    let account = home.account("Desk", None).await;
    let desk = home.phone(&account, Transport::Udp).await;
    Scene {
        home,
        mailbox,
        trunk,
        line,
        desk,
    }
}

impl Scene {
    async fn rings(&mut self) -> (CallHandle, CallHandle) {
        let hub = lines_address(&self.home, Transport::Udp);
        let call = self.trunk.calls("sip:desk@home.test", FROM, hub).await;
        let ringing = self
            .desk
            .wait(|event| match event {
                Event::Incoming { call, .. } => Some(*call),
                _ => None,
            })
            .await;
        (call, ringing)
    }

    async fn desk_refuses(&self, ringing: CallHandle, status: StatusCode) {
        self.desk
            .act(move |endpoint, now| endpoint.reject(ringing, Refusal::new(status), now))
            .await
            .unwrap();
    }
}

fn row<'a>(request: &'a Request, name: &str) -> &'a str {
    let name = HeaderName::parse(name.as_bytes()).unwrap();
    request.headers.get_str(&name).unwrap_or_default()
}

#[tokio::test]
async fn a_call_that_is_not_answered_goes_to_the_mailbox_and_says_whose_it_was() {
    let mut scene = scene(Duration::from_millis(400), &json!({})).await;
    let (call, _) = scene.rings().await;
    let (visit, invite) = scene.mailbox.called().await;
    let whose = format!("sip:line-{}@home.test", scene.line);
    let diversion = row(&invite, "Diversion");
    assert!(
        diversion.contains(&whose) && diversion.contains("no-answer"),
        "{diversion}"
    );
    let history = row(&invite, "History-Info");
    assert!(
        history.contains(&whose) && history.contains("cause=480"),
        "{history}"
    );
    let from = invite.headers.from().unwrap().uri.to_string();
    assert!(from.contains("+12025550123"), "{from}");
    assert_eq!(invite.body, SDP.as_bytes(), "the caller's own session");
    // The desk does not ring any more.
    scene
        .desk
        .wait(|event| matches!(event, Event::Ended { .. }).then_some(()))
        .await;
    scene.mailbox.accepts(visit, Some(Body::sdp(SDP))).await;
    scene.trunk.answered(call).await;
    let row = scene.home.call_row(|call| call.ended_at_ms.is_some()).await;
    assert_eq!(row.state, CallState::Missed, "nobody of the home took it");
    assert_eq!(scene.home.hub.store().calls(10).await.unwrap().len(), 1);
    // The mailbox hangs up; the other way round the caller does.
    scene.mailbox.hangs_up(visit).await;
    scene.trunk.ended(call).await;
    let (call, _) = scene.rings().await;
    let (visit, _) = scene.mailbox.called().await;
    scene.mailbox.accepts(visit, Some(Body::sdp(SDP))).await;
    scene.trunk.answered(call).await;
    scene.trunk.hangs_up(call).await;
    scene.mailbox.ended(visit).await;
    scene.home.hub.stop().await;
}

#[tokio::test]
async fn busy_declined_and_undisturbed_calls_go_there_at_once() {
    let mut scene = scene(Duration::from_secs(30), &json!({})).await;
    for (status, word) in [
        (StatusCode::BUSY_HERE, "user-busy"),
        (StatusCode::DECLINE, "deflection"),
    ] {
        let (call, ringing) = scene.rings().await;
        scene.desk_refuses(ringing, status).await;
        let (visit, invite) = scene.mailbox.called().await;
        assert!(row(&invite, "Diversion").contains(word));
        // When the mailbox cannot take it, the caller hears what the desk said.
        scene.mailbox.refuses(visit, 486).await;
        assert_eq!(scene.trunk.refused(call).await, status.code());
    }
    let store = scene.home.hub.store();
    let desk = store.devices().await.unwrap()[0].id;
    let undisturbed = CallSettings {
        do_not_disturb: true,
        ..CallSettings::default()
    };
    let now = hearthline_hub::clock::Clock::default().now();
    store
        .set_call_settings(Party::Device(desk), &undisturbed, now)
        .await
        .unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    let hub = lines_address(&scene.home, Transport::Udp);
    let call = scene.trunk.calls("sip:desk@home.test", FROM, hub).await;
    let (visit, _) = scene.mailbox.called().await;
    scene.mailbox.accepts(visit, Some(Body::sdp(SDP))).await;
    scene.trunk.answered(call).await;
    assert!(scene.desk.hears_nothing(Duration::ZERO).await);
    // No telephone of the home can ask for it.
    let refused = scene.desk.refused("sip:mailbox@home.test").await;
    assert_eq!(refused.code(), 404);
    scene.home.hub.stop().await;
}

#[tokio::test]
async fn callers_who_are_screened_leave_no_message() {
    let mut scene = scene(
        Duration::from_millis(200),
        &json!({"unknown_callers": "busy"}),
    )
    .await;
    let hub = lines_address(&scene.home, Transport::Udp);
    let call = scene.trunk.calls("sip:desk@home.test", FROM, hub).await;
    assert_eq!(scene.trunk.refused(call).await, 486);
    assert!(!scene.mailbox.was_called());
    scene.home.hub.stop().await;
}

#[tokio::test]
async fn a_call_takers_callback_rings_on_and_never_reaches_the_mailbox() {
    let drill = json!({"sip": {"drill": "service"}});
    let mut scene = scene(Duration::from_millis(200), &drill).await;
    let help = scene.desk.call("sip:112@home.test").await;
    let (far, _) = scene.trunk.called().await;
    scene.trunk.accepts(far, Some(Body::sdp(SDP))).await;
    scene.desk.answered(help).await;
    scene.trunk.hangs_up(far).await;
    scene.desk.ended(help).await;
    let (_, ringing) = scene.rings().await;
    tokio::time::sleep(Duration::from_millis(800)).await;
    assert!(!scene.mailbox.was_called());
    scene.desk_refuses(ringing, StatusCode::DECLINE).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!scene.mailbox.was_called());
    scene.home.hub.stop().await;
}
