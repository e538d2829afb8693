//! Outside calls that go from one device of the home to another: by REFER, by Replaces, and what is refused.

use std::time::Duration;

use crate::lines::{Provider, SDP, add, fields, home};
use crate::telephone::{DOMAIN, Home, Phone};
use hearthline_sip::endpoint::{
    Body, CallHandle, Event, InviteRequest, TransferProgress, TransferRequest,
};
use hearthline_sip::refer::Replaces;
use hearthline_sip::target::Transport;
use hearthline_sip::{HeaderName, NameAddr, StatusCode, Uri};
use serde_json::json;

const DIALLED: &str = "sip:030-555-0123-4@home.test";

struct Scene {
    home: Home,
    trunk: Provider,
    desk: Phone,
    hall: Phone,
    far: CallHandle,
    call: CallHandle,
}

impl Scene {
    /// The desk has called a number, and somebody has answered there.
    async fn standing() -> Self {
        let home = home(|_, _| {}).await;
        let mut trunk = Provider::with(Transport::Udp, |config| config.transfers = true).await;
        add(&home, &fields("Trunk", 0, &trunk.server(), &json!({}))).await;
        let (desk, hall) = (
            home.account("Desk", None).await,
            home.account("Hall", None).await,
        );
        let mut desk = home.phone(&desk, Transport::Udp).await;
        let hall = home.phone(&hall, Transport::Udp).await;
        let call = desk.call(DIALLED).await;
        let (far, _) = trunk.called().await;
        trunk.accepts(far, Some(Body::sdp(SDP))).await;
        desk.answered(call).await;
        Self {
            home,
            trunk,
            desk,
            hall,
            far,
            call,
        }
    }

    async fn refer(&mut self, to: &str) {
        self.refer_replacing(to, None).await;
    }

    async fn refer_replacing(&mut self, to: &str, replaces: Option<Replaces>) {
        let mut wanted = TransferRequest::new(Uri::parse(to).unwrap());
        wanted.referred_by = Some(self.desk.address());
        wanted.refer_to.replaces = replaces;
        let call = self.call;
        self.desk
            .act(move |endpoint, now| endpoint.refer(call, wanted, now))
            .await
            .unwrap();
    }

    /// The line is asked to send its sound to another device, and does.
    async fn line_sends_elsewhere(&mut self) {
        let (far, offer) = self
            .trunk
            .wait(|event| match event {
                Event::Reinvite { call, request } => Some((*call, request.body.clone())),
                _ => None,
            })
            .await;
        assert!(String::from_utf8(offer).unwrap().contains("m=audio 40000"));
        self.trunk
            .act(move |endpoint, now| endpoint.answer_reinvite(far, Some(Body::sdp(SDP)), now))
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn a_device_puts_an_outside_call_through_to_another() {
    let mut scene = Scene::standing().await;
    let hall = scene.hall.user.clone();
    scene.refer(&format!("sip:{hall}@{DOMAIN}")).await;
    let (ringing, invite) = scene
        .hall
        .wait(|event| match event {
            Event::Incoming { call, request, .. } => Some((*call, request.clone())),
            _ => None,
        })
        .await;
    // It sees who calls from outside, who put them through, and the far end's own session.
    let from = invite.headers.from().unwrap().uri.to_string();
    assert!(from.contains("+493055501234"), "{from}");
    let by = invite.headers.referred_by().unwrap().unwrap();
    assert_eq!(by.uri, scene.desk.address().uri);
    assert_eq!(invite.body, SDP.as_bytes());
    scene.hall.accept(ringing).await;
    scene.line_sends_elsewhere().await;
    let done = TransferProgress::Ended(Some(StatusCode::OK));
    assert_eq!(scene.desk.last_report().await, done);
    let (desk, call) = (&mut scene.desk, scene.call);
    desk.ended(call).await;
    // The far end has one call all the time, and who has it now ends it.
    scene.hall.bye(ringing).await;
    scene.trunk.ended(scene.far).await;
    scene.home.hub.stop().await;
}

#[tokio::test]
async fn whoever_does_not_take_it_leaves_it_where_it_was() {
    let mut scene = Scene::standing().await;
    let hall = scene.hall.user.clone();
    scene.refer(&format!("sip:{hall}@{DOMAIN}")).await;
    scene.hall.declines().await;
    let busy = TransferProgress::Ended(Some(StatusCode::BUSY_HERE));
    assert_eq!(scene.desk.last_report().await, busy);
    // It still stands, and a name that nobody has changes nothing either.
    scene.refer(&format!("sip:attic@{DOMAIN}")).await;
    let gone = TransferProgress::Ended(Some(StatusCode::TEMPORARILY_UNAVAILABLE));
    assert_eq!(scene.desk.last_report().await, gone);
    scene.desk.bye(scene.call).await;
    scene.trunk.ended(scene.far).await;
    scene.home.hub.stop().await;
}

#[tokio::test]
async fn who_transfers_and_hangs_up_at_once_ends_nothing() {
    let mut scene = Scene::standing().await;
    let hall = scene.hall.user.clone();
    scene.refer(&format!("sip:{hall}@{DOMAIN}")).await;
    let ringing = scene.hall.rings().await;
    scene.desk.bye(scene.call).await;
    scene.desk.ended(scene.call).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    scene.hall.accept(ringing).await;
    scene.line_sends_elsewhere().await;
    scene.hall.confirmed(ringing).await;
    // The far end hangs up.
    scene.trunk.hangs_up(scene.far).await;
    scene.hall.ended(ringing).await;
    // And with nobody to take it, the far end is not left alone.
    let call = scene.desk.call(DIALLED).await;
    let (far, _) = scene.trunk.called().await;
    scene.trunk.accepts(far, Some(Body::sdp(SDP))).await;
    scene.desk.answered(call).await;
    (scene.call, scene.far) = (call, far);
    scene.refer(&format!("sip:{hall}@{DOMAIN}")).await;
    let ringing = scene.hall.rings().await;
    scene.desk.bye(call).await;
    scene
        .hall
        .act(move |endpoint, now| {
            let busy = hearthline_sip::endpoint::Refusal::new(StatusCode::BUSY_HERE);
            endpoint.reject(ringing, busy, now)
        })
        .await
        .unwrap();
    scene.trunk.ended(far).await;
    scene.home.hub.stop().await;
}

#[tokio::test]
async fn a_call_is_moved_to_devices_and_numbers_and_nowhere_else() {
    let mut scene = Scene::standing().await;
    for to in [
        "urn:service:sos",
        "sip:112@home.test",
        "sip:1-1-0@home.test",
        "sip:911@home.test",
        "sip:hall@elsewhere.example",
        // Where it goes already.
        "tel:+493055501234",
    ] {
        scene.refer(to).await;
        let TransferProgress::Refused(cause) = scene.desk.last_report().await else {
            panic!("{to} was followed");
        };
        assert_eq!(cause.status(), Some(StatusCode::FORBIDDEN), "{to}");
    }
    // What comes from a line moves nothing.
    let far = scene.far;
    let own = scene
        .trunk
        .act(move |endpoint, now| {
            endpoint.refer(
                far,
                TransferRequest::new(Uri::parse("sip:hall@home.test").unwrap()),
                now,
            )
        })
        .await;
    assert!(own.is_ok());
    let refused = scene
        .trunk
        .wait(|event| match event {
            Event::Transfer {
                progress: TransferProgress::Refused(cause),
                ..
            } => cause.status(),
            _ => None,
        })
        .await;
    assert_eq!(refused, StatusCode::METHOD_NOT_ALLOWED);
    assert!(scene.hall.hears_nothing(Duration::from_millis(100)).await);
    scene.desk.bye(scene.call).await;
    scene.trunk.ended(scene.far).await;
    scene.home.hub.stop().await;
}

#[tokio::test]
async fn another_device_takes_the_place_of_the_one_that_has_the_call() {
    let mut scene = Scene::standing().await;
    // The desk tells the hall its dialog, as the Refer-To of an attended transfer does.
    let call = scene.call;
    let replaces = scene
        .desk
        .act(move |endpoint, _| endpoint.replaces(call))
        .await
        .unwrap()
        .1;
    let hub = scene.home.address(Transport::Udp);
    let uri: Uri = DIALLED.parse().unwrap();
    let account = scene.hall.credentials();
    let mut request = InviteRequest::new(
        uri.clone(),
        scene.hall.address(),
        NameAddr::new(uri),
        hearthline_sip::target::Target::new(Transport::Udp, hub),
    );
    request.body = Some(Body::sdp(
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0\r\n",
    ));
    request.credentials = account;
    let row = replaces.to_string().into_bytes();
    request.headers.push((HeaderName::Replaces, row));
    let taking = scene
        .hall
        .act(move |endpoint, now| endpoint.invite(request, now))
        .await
        .unwrap();
    scene.line_sends_elsewhere().await;
    scene.hall.answered(taking).await;
    scene.desk.ended(call).await;
    // No second telephone rang out there.
    scene.trunk.hangs_up(scene.far).await;
    scene.hall.ended(taking).await;
    scene.home.hub.stop().await;
}
