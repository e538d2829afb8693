//! Calls from outside that nobody takes go to the mailbox; a call-taker's callback never does. The mailbox is a user
//! agent of the test here.

use std::time::Duration;

use crate::lines::{Provider, SDP, add, fields, home, lines_address};
use crate::telephone::{Home, Phone};
use hearthline_hub::call::CallState;
use hearthline_hub::call_settings::CallSettings;
use hearthline_hub::clock::Clock;
use hearthline_hub::device::DeviceFields;
use hearthline_hub::gateway::Voicemail;
use hearthline_hub::id::LineId;
use hearthline_hub::message::Recipients;
use hearthline_hub::number::Number;
use hearthline_hub::outside_sender;
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
async fn a_lines_calls_go_on_to_its_number_before_the_mailbox() {
    const ELSEWHERE: &str = "+493055501234";
    let more = json!({"forward_to": ELSEWHERE});
    let mut scene = scene(Duration::from_millis(400), &more).await;
    let (call, _) = scene.rings().await;
    let (far, invite) = scene.trunk.called().await;
    let to = invite.uri.to_string();
    assert!(to.starts_with(&format!("sip:{ELSEWHERE}@")), "{to}");
    scene
        .desk
        .wait(|event| matches!(event, Event::Ended { .. }).then_some(()))
        .await;
    scene.trunk.accepts(far, Some(Body::sdp(SDP))).await;
    scene.trunk.answered(call).await;
    scene.trunk.hangs_up(call).await;
    scene.trunk.ended(far).await;
    // Nobody there either: then the mailbox.
    let (call, ringing) = scene.rings().await;
    scene.desk_refuses(ringing, StatusCode::BUSY_HERE).await;
    let (far, _) = scene.trunk.called().await;
    scene.trunk.refuses(far, 486).await;
    let (visit, _) = scene.mailbox.called().await;
    scene.mailbox.accepts(visit, Some(Body::sdp(SDP))).await;
    scene.trunk.answered(call).await;
    scene.trunk.hangs_up(call).await;
    // Where nobody is to be disturbed it goes on at once.
    let desk = scene.home.hub.store().devices().await.unwrap()[0].id;
    let undisturbed = json!({"do_not_disturb": true});
    scene.wishes(Party::Device(desk), undisturbed).await;
    let hub = lines_address(&scene.home, Transport::Udp);
    let call = scene.trunk.calls("sip:desk@home.test", FROM, hub).await;
    let (far, _) = scene.trunk.called().await;
    scene.trunk.rings(far).await;
    scene.trunk.hangs_up(call).await;
    assert!(scene.desk.hears_nothing(Duration::from_millis(100)).await);
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
    let undisturbed = json!({"do_not_disturb": true});
    scene.wishes(Party::Device(desk), undisturbed).await;
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

impl Scene {
    async fn wishes(&self, party: Party, wishes: Value) {
        let wishes: CallSettings = serde_json::from_value(wishes).unwrap();
        let now = Clock::default().now();
        let store = self.home.hub.store();
        store.set_call_settings(party, &wishes, now).await.unwrap();
        tokio::time::sleep(Duration::from_millis(200)).await;
    }

    async fn calls(&mut self) -> CallHandle {
        let hub = lines_address(&self.home, Transport::Udp);
        self.trunk.calls("sip:desk@home.test", FROM, hub).await
    }
}

#[tokio::test]
async fn who_is_blocked_reaches_nobodys_mailbox_and_hears_no_more_than_declined() {
    let mut scene = scene(Duration::from_millis(300), &json!({})).await;
    let store = scene.home.hub.store();
    let desk = store.devices().await.unwrap()[0].clone();
    let now = Clock::default().now();
    let person = |name: &str| serde_json::from_value(json!({"name": name, "role": "adult"}));
    let anna = store.add_person(&person("Anna").unwrap(), now).await;
    let anna = anna.unwrap().id;
    let fields = DeviceFields {
        person: Some(anna),
        ..desk.fields.clone()
    };
    store.change_device(desk.id, &fields, now).await.unwrap();
    let number = Number::new("+12025550123").unwrap();
    let blocks = json!({"blocked_numbers": ["+12025550123"]});
    scene.wishes(Party::Person(anna), blocks.clone()).await;
    let call = scene.calls().await;
    assert_eq!(scene.trunk.refused(call).await, 603);
    assert!(scene.desk.hears_nothing(Duration::ZERO).await);
    assert!(!scene.mailbox.was_called());
    assert!(
        store.calls(10).await.unwrap().is_empty(),
        "and is not missed"
    );
    // Bert has not blocked the caller, his telephone is off: the message is his alone.
    let bert = store.add_person(&person("Bert").unwrap(), now).await;
    let bert = bert.unwrap().id;
    let whose = outside_sender::recipients(store.as_ref(), Some(scene.line), Some(&number)).await;
    assert_eq!(
        whose.unwrap(),
        Some(Recipients::These(vec![Party::Person(bert)]))
    );
    let stranger = outside_sender::recipients(store.as_ref(), Some(scene.line), None).await;
    assert_eq!(stranger.unwrap(), Some(Recipients::Everyone));
    // A telephone that is nobody's rings, but there is no mailbox that the caller may reach.
    scene.wishes(Party::Person(bert), blocks).await;
    let fields = DeviceFields {
        person: None,
        ..desk.fields.clone()
    };
    store.change_device(desk.id, &fields, now).await.unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    let (call, _) = scene.rings().await;
    assert_eq!(scene.trunk.refused(call).await, 480);
    assert!(!scene.mailbox.was_called());
    scene.home.hub.stop().await;
}

#[tokio::test]
async fn callers_whom_the_home_does_not_let_ring_may_leave_a_message_where_it_wants_that() {
    let message = json!({"unknown_callers": "message"});
    let mut scene = scene(Duration::from_secs(30), &message).await;
    let call = scene.calls().await;
    let (visit, invite) = scene.mailbox.called().await;
    assert!(row(&invite, "Diversion").contains("unconditional"));
    assert_eq!(invite.body, SDP.as_bytes());
    scene.mailbox.accepts(visit, Some(Body::sdp(SDP))).await;
    scene.trunk.answered(call).await;
    assert!(scene.desk.hears_nothing(Duration::ZERO).await);
    let missed = scene.home.call_row(|call| call.ended_at_ms.is_some()).await;
    assert_eq!(missed.state, CallState::Missed);
    assert_eq!(missed.number, Number::new("+12025550123").ok());
    assert_eq!(missed.line, Some(scene.line));
    scene.trunk.hangs_up(call).await;
    scene.mailbox.ended(visit).await;
    // A contact rings; one that is screened says in a message who it is.
    let store = scene.home.hub.store();
    for (screening, rings) in [("allow", true), ("screen", false)] {
        let fields = json!({
            "name": "Cleo", "screening": screening,
            "numbers": [{"label": "mobile", "number": "+12025550123"}],
        });
        let fields = serde_json::from_value(fields).unwrap();
        let now = Clock::default().now();
        match store.contacts().await.unwrap().first() {
            None => store.add_contact(&fields, now).await.unwrap(),
            Some(old) => store.change_contact(old.id, &fields, now).await.unwrap(),
        };
        tokio::time::sleep(Duration::from_millis(200)).await;
        if rings {
            let (call, ringing) = scene.rings().await;
            scene.desk_refuses(ringing, StatusCode::BUSY_HERE).await;
            let (visit, _) = scene.mailbox.called().await;
            scene.mailbox.refuses(visit, 486).await;
            assert_eq!(scene.trunk.refused(call).await, 486);
            continue;
        }
        let call = scene.calls().await;
        let (visit, invite) = scene.mailbox.called().await;
        let from = invite.headers.from().unwrap();
        assert_eq!(from.display.as_deref(), Some("Cleo"));
        // A mailbox that has no room: busy.
        scene.mailbox.refuses(visit, 480).await;
        assert_eq!(scene.trunk.refused(call).await, 486);
    }
    scene.home.hub.stop().await;
    // A home without a mailbox is busy for them.
    let home = home(|_, _| {}).await;
    let mut trunk = Provider::open(Transport::Udp).await;
    add(&home, &fields("Trunk", 0, &trunk.server(), &message)).await;
    let hub = lines_address(&home, Transport::Udp);
    let call = trunk.calls("sip:desk@home.test", FROM, hub).await;
    assert_eq!(trunk.refused(call).await, 486);
    home.hub.stop().await;
}

#[tokio::test]
async fn a_call_that_do_not_disturb_kept_away_is_a_missed_one() {
    let home = home(|_, _| {}).await;
    let mut trunk = Provider::open(Transport::Udp).await;
    let line = add(&home, &fields("Trunk", 0, &trunk.server(), &json!({}))).await;
    let account = home.account("Desk", None).await;
    let mut desk = home.phone(&account, Transport::Udp).await;
    let undisturbed: CallSettings =
        serde_json::from_value(json!({"do_not_disturb": true})).unwrap();
    let party = Party::Device(account.device);
    let store = home.hub.store();
    let now = Clock::default().now();
    store
        .set_call_settings(party, &undisturbed, now)
        .await
        .unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    let hub = lines_address(&home, Transport::Udp);
    let call = trunk.calls("sip:desk@home.test", FROM, hub).await;
    assert_eq!(trunk.refused(call).await, 480);
    let missed = home.call_row(|call| call.ended_at_ms.is_some()).await;
    assert_eq!(missed.state, CallState::Missed);
    assert_eq!(missed.number, Number::new("+12025550123").ok());
    assert_eq!(
        (missed.line, missed.device),
        (Some(line), Some(account.device))
    );
    assert!(desk.hears_nothing(Duration::ZERO).await);
    assert_eq!(store.calls(10).await.unwrap().len(), 1);
    home.hub.stop().await;
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
