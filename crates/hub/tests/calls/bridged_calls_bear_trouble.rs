//! Calls of a browser with a telephone that do not go the easy way: heard before they are answered, by a hub that was
//! stopped in the middle, for help without a bridge, with sipp at the far end.

use crate::browsers_are_bridged_to_telephones::{
    PLAIN, accepts, answered, is_of_the_hub, is_plain, joins, protected, rung, said,
};
use crate::lines::{Provider, add, fields, home};
use crate::lines_interop::{installed, sipp};
use crate::telephone::{DOMAIN, Home, Phone};
use hearthline_hub::join::Membership;
use hearthline_sip::endpoint::{Body, CallHandle, Event};
use hearthline_sip::target::Transport;
use hearthline_sip::{HeaderName, StatusCode};
use serde_json::json;

const DIALLED: &str = "sip:030-555-0123-4@home.test";
const HERE: &str = "urn:uuid:00000000-0000-1000-8000-0000000000aa";

/// A browser that the switchboard knows as one.
async fn tab(home: &Home) -> (Membership, Phone) {
    let own = joins(home, "Tab").await;
    // A new account is shown to the switchboard at once, and with it everything that came before.
    home.account("Spare", None).await;
    let mut phone = Phone::web(home, &own).await.expect("an upgrade");
    phone.register_by_flow(HERE).await;
    (own, phone)
}

/// What a call of ours is told before it is answered, with 183.
async fn early(phone: &mut Phone, wanted: CallHandle) -> (String, bool) {
    phone
        .wait(|event| match event {
            Event::Progress { call, response }
                if *call == wanted && response.status == StatusCode::SESSION_PROGRESS =>
            {
                Some(said(&response.headers, &response.body))
            }
            _ => None,
        })
        .await
}

/// A telephone that rings and is heard already.
async fn sounds(phone: &Phone, call: CallHandle) {
    phone
        .act(move |endpoint, now| {
            let body = Some(Body::sdp(PLAIN));
            endpoint.ring(call, StatusCode::SESSION_PROGRESS, body, false, now)
        })
        .await
        .unwrap();
}

fn is_heard_early(told: &(String, bool)) {
    let (session, bridged) = told;
    is_of_the_hub(session);
    assert!(session.contains("a=sendonly"), "{session}");
    assert!(bridged, "the browser is told");
}

fn print_of(session: &str) -> &str {
    let mut lines = session.lines();
    let line = lines.find(|line| line.starts_with("a=fingerprint"));
    line.expect("a fingerprint")
}

#[tokio::test]
async fn a_telephone_and_a_line_are_heard_before_they_answer() {
    let home = home(|_, _| {}).await;
    let mut trunk = Provider::open(Transport::Udp).await;
    add(&home, &fields("Trunk", 0, &trunk.server(), &json!({}))).await;
    let room = home.room("Study").await;
    let speaker = home.enrol("Kitchen", Some(room)).await;
    let mut kitchen = home.device(&speaker).await;
    let account = home.account("Desk", Some(room)).await;
    let mut desk = home.phone(&account, Transport::Udp).await;
    let (_, mut tab) = tab(&home).await;
    let ours = protected("actpass", 0xAA);

    // "The number you have dialled …"
    let out = tab.call_describing(DIALLED, &ours).await;
    let (far, invite) = trunk.called().await;
    is_plain(&String::from_utf8(invite.body).unwrap());
    trunk
        .act(move |endpoint, now| {
            let body = Some(Body::sdp(PLAIN));
            endpoint.ring(far, StatusCode::SESSION_PROGRESS, body, false, now)
        })
        .await
        .unwrap();
    let told = early(&mut tab, out).await;
    is_heard_early(&told);
    trunk.accepts(far, Some(Body::sdp(PLAIN))).await;
    let (session, _) = answered(&mut tab, out).await;
    is_of_the_hub(&session);
    assert!(session.contains("a=sendrecv"), "{session}");
    assert_eq!(print_of(&session), print_of(&told.0), "the same bridge");
    tab.bye(out).await;
    trunk.ended(far).await;

    // A telephone of the home.
    let out = tab
        .call_describing(&format!("sip:desk@{DOMAIN}"), &ours)
        .await;
    let (call, _) = rung(&mut desk).await;
    sounds(&desk, call).await;
    is_heard_early(&early(&mut tab, out).await);
    accepts(&desk, call, PLAIN).await;
    is_of_the_hub(&answered(&mut tab, out).await.0);
    tab.bye(out).await;
    desk.ended(call).await;

    // Where a speaker rings beside it nobody is heard before somebody answers: the speaker will prove itself.
    let out = tab
        .call_describing(&format!("sip:study@{DOMAIN}"), &ours)
        .await;
    let (call, _) = rung(&mut desk).await;
    let (at_kitchen, _) = rung(&mut kitchen).await;
    sounds(&desk, call).await;
    assert_eq!(early(&mut tab, out).await.0, "");
    let theirs = protected("active", 0xBB);
    accepts(&kitchen, at_kitchen, &theirs).await;
    assert_eq!(answered(&mut tab, out).await, (theirs, false));
    home.hub.stop().await;
}

#[tokio::test]
async fn a_call_for_help_that_finds_no_bridge_reaches_its_line_all_the_same() {
    let home = home(|_, _| {}).await;
    let mut taker = Provider::open(Transport::Udp).await;
    let drill = json!({"sip": {"drill": "service"}});
    add(&home, &fields("Drill", 0, &taker.server(), &drill)).await;
    let (_, mut tab) = tab(&home).await;
    let marked = |request: &hearthline_sip::Request| {
        let name = HeaderName::parse(b"Emergency-Drill").unwrap();
        request.headers.get_str(&name) == Some("yes")
    };
    // Sound that no bridge carries over.
    let opus = protected("actpass", 0xAA)
        .replace("SAVPF 0 126", "SAVPF 111")
        .replace(
            "a=rtpmap:126 telephone-event/8000",
            "a=rtpmap:111 opus/48000/2",
        );
    let out = tab.call_describing("sip:112@home.test", &opus).await;
    // As it came; a line that cannot do that says so, is asked once more with the session alone, and the browser hears
    // at once that it is not to be had.
    for _ in 0..2 {
        let (far, invite) = taker.called().await;
        assert!(marked(&invite));
        let body = String::from_utf8_lossy(&invite.body).into_owned();
        assert!(
            body.contains("opus/48000") && body.contains("AA:AA"),
            "{body}"
        );
        taker.refuses(far, 488).await;
    }
    let failed = tab.failure(out).await;
    assert_eq!(failed.map(StatusCode::code), Some(488));
    // One that takes it has the call, its number and its place.
    let out = tab.call_describing("sip:112@home.test", &opus).await;
    let (far, invite) = taker.called().await;
    assert!(marked(&invite));
    let theirs = protected("active", 0xBB);
    taker.accepts(far, Some(Body::sdp(theirs.as_str()))).await;
    assert_eq!(answered(&mut tab, out).await.0, theirs);
    tab.bye(out).await;
    taker.ended(far).await;
    // The next one that a bridge can carry has one.
    let out = tab
        .call_describing("sip:112@home.test", &protected("actpass", 0xAA))
        .await;
    let (far, invite) = taker.called().await;
    let body = String::from_utf8_lossy(&invite.body).into_owned();
    assert!(marked(&invite) && !body.contains("fingerprint"), "{body}");
    taker.accepts(far, Some(Body::sdp(PLAIN))).await;
    let (session, bridged) = answered(&mut tab, out).await;
    is_of_the_hub(&session);
    assert!(bridged);
    taker.hangs_up(far).await;
    tab.ended(out).await;
    home.hub.stop().await;
}

#[tokio::test]
async fn a_bridged_call_ends_cleanly_after_the_hub_has_started_again() {
    let mut home = Home::new().await;
    let account = home.account("Desk", None).await;
    let mut desk = home.phone(&account, Transport::Udp).await;
    let (own, mut tab) = tab(&home).await;
    let to_desk = format!("sip:desk@{DOMAIN}");
    let ours = protected("actpass", 0xAA);
    let out = tab.call_describing(&to_desk, &ours).await;
    let (call, (offer, _)) = rung(&mut desk).await;
    is_plain(&offer);
    accepts(&desk, call, PLAIN).await;
    is_of_the_hub(&answered(&mut tab, out).await.0);
    desk.confirmed(call).await;
    home = home.restart().await;
    tab.returns_by_web(home.hub.addresses()[0], &own).await;
    tab.register_by_flow(HERE).await;
    // Their bridge is gone with its keys, and so is the sound; who hangs up is heard.
    desk.bye(call).await;
    tab.ended(out).await;
    // The next call has a bridge again.
    let out = tab
        .call_describing(&to_desk, &protected("actpass", 0xAA))
        .await;
    let (call, (offer, _)) = rung(&mut desk).await;
    is_plain(&offer);
    accepts(&desk, call, PLAIN).await;
    is_of_the_hub(&answered(&mut tab, out).await.0);
    home.hub.stop().await;
}

#[tokio::test]
async fn sipp_beyond_a_line_talks_with_a_browser() {
    if !installed("sipp") {
        return;
    }
    let home = home(|config, _| {
        // One question is enough.
        config.timers.probe_up = std::time::Duration::from_secs(600);
        config.timers.probe_max = std::time::Duration::from_secs(600);
    })
    .await;
    let folder = tempfile::tempdir().unwrap();
    let says = |first: &str| {
        format!(
            "<send><![CDATA[\n{first}\nVia:[$via]\n[last_From:]\n[last_To:];tag=x\n[last_Call-ID:]\n\
             CSeq: [$cseq] INVITE\nContact: <sip:127.0.0.1:[local_port]>\nContent-Type: application/sdp\n\
             Content-Length: [len]\n\nv=0\no=sipp 1 1 IN IP4 127.0.0.1\ns=-\nc=IN IP4 127.0.0.1\nt=0 0\n\
             m=audio 40000 RTP/AVP 0\na=rtpmap:0 PCMU/8000\n]]></send>\n"
        )
    };
    let steps = says("SIP/2.0 183 Session Progress")
        + "<pause milliseconds=\"200\"/>"
        + &says("SIP/2.0 200 OK")
        + "<recv request=\"ACK\"/><recv request=\"BYE\"/><send><![CDATA[\nSIP/2.0 200 OK\n[last_Via:]\n\
           [last_From:]\n[last_To:]\n[last_Call-ID:]\n[last_CSeq:]\nContent-Length: 0\n\n]]></send>";
    let (program, port) = sipp(folder.path(), "heard_early", &steps);
    let server = format!("sip:127.0.0.1:{port}");
    add(&home, &fields("Trunk", 0, &server, &json!({}))).await;
    let (_, mut tab) = tab(&home).await;
    let out = tab
        .call_describing(DIALLED, &protected("actpass", 0xAA))
        .await;
    is_heard_early(&early(&mut tab, out).await);
    let (session, bridged) = answered(&mut tab, out).await;
    is_of_the_hub(&session);
    assert!(bridged && session.contains("a=sendrecv"), "{session}");
    tab.bye(out).await;
    home.call_row(|call| call.ended_at_ms.is_some()).await;
    println!("{}", program.printed().lines().last().unwrap_or_default());
    home.hub.stop().await;
}
