//! Forged From, and calls of others: a device with its certificate and a telephone with its password are who they are,
//! whatever they write, and a call belongs to the two that have it.

use std::time::Duration;

use crate::faults_in_calls::asked;
use crate::telephone::{DOMAIN, Home, Phone, client};
use hearthline_hub::join::Membership;
use hearthline_sip::endpoint::{Body, CallHandle, Event, InviteRequest, QueryRequest};
use hearthline_sip::framer::{Frame, StreamFramer};
use hearthline_sip::target::Transport;
use hearthline_sip::{
    HeaderName, Headers, Limits, Message, NameAddr, Request, Response, StatusCode, Uri,
};
use rustls::pki_types::ServerName;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UdpSocket};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

const SDP: &str = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0\r\n";
/// Rows by which somebody says who they are, and those that only the hub writes.
const FORGED: &str = "P-Asserted-Identity: \"Forged\" <sip:forged@home.test>\r\n\
    P-Preferred-Identity: <sip:forged@home.test>\r\n\
    Remote-Party-ID: \"Forged\" <sip:forged@home.test>\r\n\
    Hearthline-Bridge: forged\r\nHearthline-Callback: forged\r\nHearthline-Contacts-Only: forged\r\n\
    Hearthline-Loop: forged\r\nHearthline-Drop-In: forged\r\nPriority: psap-callback\r\n";

fn row<'a>(headers: &'a Headers, name: &str) -> &'a str {
    let name = HeaderName::parse(name.as_bytes()).unwrap();
    std::str::from_utf8(headers.get(&name).unwrap_or_default()).unwrap()
}

/// The rows of [`FORGED`] that are there; those with these names may be.
fn believed(headers: &Headers, but: &[&str]) -> Vec<String> {
    let names = FORGED
        .lines()
        .map(|line| line.split_once(':').unwrap().0)
        .filter(|name| !but.contains(name));
    let found = names.filter(|name| row(headers, name).to_lowercase().contains("forged"));
    found.map(str::to_owned).collect()
}

async fn calls(caller: &Phone, to: &str, from: NameAddr, rows: &str) -> CallHandle {
    let uri: Uri = to.parse().unwrap();
    let target = caller.hub();
    let mut request = InviteRequest::new(uri.clone(), from, NameAddr::new(uri), target);
    request.body = Some(Body::sdp(SDP));
    request.credentials = caller.credentials();
    for (name, value) in rows.lines().map(|line| line.split_once(": ").unwrap()) {
        let name = HeaderName::parse(name.as_bytes()).unwrap();
        request.headers.push((name, value.as_bytes().to_vec()));
    }
    caller
        .act(move |endpoint, now| endpoint.invite(request, now))
        .await
        .unwrap()
}

/// What a MESSAGE is answered with.
async fn texts(caller: &mut Phone, to: &str, from: NameAddr) -> StatusCode {
    let uri: Uri = to.parse().unwrap();
    let request = QueryRequest {
        request_uri: uri.clone(),
        to: NameAddr::new(uri),
        from,
        route: Vec::new(),
        headers: Vec::new(),
        body: Some(Body {
            content_type: "text/plain".to_owned(),
            bytes: b"It is me".to_vec(),
        }),
        target: caller.hub(),
        credentials: caller.credentials(),
    };
    caller
        .act(move |endpoint, now| endpoint.message(request, now))
        .await
        .unwrap();
    caller
        .wait(|event| match event {
            Event::QueryAnswered { response, .. } => Some(response.status),
            _ => None,
        })
        .await
}

#[tokio::test]
async fn a_forged_from_is_refused_or_corrected() {
    let home = Home::new().await;
    let kitchen = home.enrol("Kitchen", None).await;
    let desk = home.account("Desk", None).await;
    let grandma = home.account("Grandma", None).await;
    let hall = home.account("Hall", None).await;
    let mut hall = home.phone(&hall, Transport::Udp).await;
    let device = home.device(&kitchen).await;
    let phone = home.phone(&desk, Transport::Udp).await;
    let to = format!("sip:{}@{DOMAIN}", hall.user);
    for (mut caller, name) in [(device, "Kitchen"), (phone, "Desk")] {
        let (own, theirs) = (caller.user.clone(), grandma.username.clone());
        // Somebody else's address, also with one's own name before it, and one's own at another house.
        for from in [
            format!("<sip:{theirs}@{DOMAIN}>"),
            format!("\"{name}\" <sip:{theirs}@{DOMAIN}>"),
            format!("<sip:{own}@elsewhere.test>"),
            "<tel:+12025550177>".to_owned(),
        ] {
            let from = NameAddr::parse(&from).unwrap();
            let status = caller.refused_from(&to, from.clone()).await;
            assert_eq!(status, StatusCode::FORBIDDEN, "{name}: {from}");
        }
        // Somebody else's name before one's own address, and rows that say the same.
        for shown in ["Grandma", "grandma", "Nobody", name] {
            let from = caller.address().with_display(shown);
            let call = calls(&caller, &to, from, FORGED).await;
            let told = hall.declines().await;
            let from = told.headers.from().unwrap();
            assert_eq!(from.display.as_deref(), Some(name), "{shown}");
            assert_eq!(from.uri, caller.address().uri);
            assert_eq!(believed(&told.headers, &[]), [""; 0]);
            let asserted = format!("<sip:{own}@{DOMAIN}>");
            assert_eq!(row(&told.headers, "P-Asserted-Identity"), asserted);
            assert_eq!(row(&told.headers, "Priority"), "", "no call-taker calls");
            assert_eq!(caller.failure(call).await, Some(StatusCode::BUSY_HERE));
        }
        // Nobody sends a MESSAGE through the hub, whoever it says it is from.
        for user in [&own, &theirs] {
            let from = NameAddr::parse(&format!("<sip:{user}@{DOMAIN}>")).unwrap();
            let status = texts(&mut caller, &to, from).await;
            assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED);
        }
    }
    assert!(hall.hears_nothing(Duration::ZERO).await);
    home.hub.stop().await;
}

#[tokio::test]
async fn rows_of_the_hub_are_believed_of_nobody_in_answers_and_in_a_call_that_stands() {
    let home = Home::new().await;
    let (desk, hall) = (
        home.account("Desk", None).await,
        home.account("Hall", None).await,
    );
    let proof = Phone::plain(&home, &desk, Transport::Udp)
        .await
        .credentials();
    let udp = home.address(Transport::Udp);
    let mut desk = Phone::saying(udp, &desk.username, proof, FORGED).await;
    desk.register().await.unwrap();
    let mut hall = home.phone(&hall, Transport::Udp).await;
    // What a proxy passes on of a call that stands is its parties' to say, but for what only the hub says.
    let theirs = ["P-Preferred-Identity", "Remote-Party-ID", "Priority"];
    let out = hall.call(&format!("sip:{}@{DOMAIN}", desk.user)).await;
    let incoming = desk.rings().await;
    let early = hall
        .wait(|event| match event {
            Event::Progress { response, .. } => {
                (response.status == StatusCode::RINGING).then(|| response.headers.clone())
            }
            _ => None,
        })
        .await;
    desk.accept(incoming).await;
    let answer = hall
        .wait(|event| match event {
            Event::Answered { response, .. } => Some(response.headers.clone()),
            _ => None,
        })
        .await;
    desk.confirmed(incoming).await;
    desk.act(move |endpoint, now| endpoint.reinvite(incoming, Body::sdp(SDP), now))
        .await
        .unwrap();
    let later = hall.is_offered(out).await;
    for headers in [&early, &answer, &later.headers] {
        assert!(row(headers, "Remote-Party-ID").contains("Forged"), "said");
        assert_eq!(believed(headers, &theirs), [""; 0]);
    }
    desk.reinvited(incoming).await;
    hall.bye(out).await;
    desk.ended(incoming).await;
    home.hub.stop().await;
}

/// Somebody of the home who writes messages by hand.
enum Hostile {
    Device(Box<(TlsStream<TcpStream>, StreamFramer)>),
    Stranger(UdpSocket),
}

impl Hostile {
    async fn device(home: &Home, own: &Membership) -> Self {
        let hub = home.address(Transport::Tls);
        let stream = TcpStream::connect(hub).await.unwrap();
        let connector = TlsConnector::from(client(own));
        let name = ServerName::IpAddress(hub.ip().into());
        let stream = connector.connect(name, stream).await.unwrap();
        Self::Device(Box::new((stream, StreamFramer::new(Limits::default()))))
    }

    fn via(&self) -> String {
        match self {
            Self::Device(own) => {
                format!("SIP/2.0/TLS {}", own.0.get_ref().0.local_addr().unwrap())
            }
            Self::Stranger(socket) => format!("SIP/2.0/UDP {}", socket.local_addr().unwrap()),
        }
    }

    /// The final answer.
    async fn asks(&mut self, home: &Home, text: &str) -> Response {
        match self {
            Self::Stranger(socket) => {
                let hub = home.address(Transport::Udp);
                let answer = asked(socket, hub, text.as_bytes()).await;
                answer.expect("an answer")
            }
            Self::Device(own) => {
                let (stream, framer) = &mut **own;
                stream.write_all(text.as_bytes()).await.unwrap();
                loop {
                    while let Some(frame) = framer.next_frame() {
                        match frame {
                            Frame::Message(Message::Response(answer))
                                if answer.status.is_final() =>
                            {
                                return answer;
                            }
                            _ => {}
                        }
                    }
                    let mut buffer = [0; 4_096];
                    let count = stream.read(&mut buffer).await.unwrap();
                    assert!(count > 0, "the connection stands");
                    framer.push(&buffer[..count]);
                }
            }
        }
    }
}

/// One side of a call, as somebody knows it who has seen everything but the way that the hub gave the two.
struct Side {
    user: String,
    tag: String,
    contact: Uri,
}

#[tokio::test]
async fn nobody_ends_changes_or_takes_a_call_of_others() {
    let home = Home::new().await;
    let kitchen = home.enrol("Kitchen", None).await;
    let (desk, hall) = (
        home.account("Desk", None).await,
        home.account("Hall", None).await,
    );
    let mut desk = home.phone(&desk, Transport::Udp).await;
    let mut hall = home.phone(&hall, Transport::Udp).await;
    let out = desk.call(&format!("sip:{}@{DOMAIN}", hall.user)).await;
    let (incoming, asked): (CallHandle, Request) = hall
        .wait(|event| match event {
            Event::Incoming { call, request, .. } => Some((*call, (**request).clone())),
            _ => None,
        })
        .await;
    hall.accept(incoming).await;
    let answered: Headers = desk
        .wait(|event| match event {
            Event::Answered { response, .. } => Some(response.headers.clone()),
            _ => None,
        })
        .await;
    hall.confirmed(incoming).await;
    let side = |phone: &Phone, party: NameAddr, headers: &Headers| Side {
        user: phone.user.clone(),
        tag: party.tag().unwrap().to_owned(),
        contact: headers.contacts().unwrap().first().unwrap().uri.clone(),
    };
    let call_id = asked.headers.call_id().unwrap().to_owned();
    let sides = [
        side(&desk, asked.headers.from().unwrap(), &asked.headers),
        side(&hall, answered.to().unwrap(), &answered),
    ];
    let stranger = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let own = kitchen.device.to_string();
    let mut number = 0;
    for mut hostile in [
        Hostile::device(&home, &kitchen).await,
        Hostile::Stranger(stranger),
    ] {
        for (poses, victim) in [(&sides[0], &sides[1]), (&sides[1], &sides[0])] {
            let uris = [
                format!("sip:{}@{DOMAIN}", victim.user),
                victim.contact.to_string(),
            ];
            let methods = "BYE INVITE REFER UPDATE INFO MESSAGE NOTIFY CANCEL".split(' ');
            for (method, uri) in
                methods.flat_map(|method| uris.iter().map(move |uri| (method, uri)))
            {
                for from in [&own, &poses.user] {
                    number += 1;
                    let via = hostile.via();
                    let text = format!(
                        "{method} {uri} SIP/2.0\r\nVia: {via};branch=z9hG4bKhostile{number};rport\r\nMax-Forwards: 70\r\n\
                         From: <sip:{from}@{DOMAIN}>;tag={}\r\nTo: <sip:{}@{DOMAIN}>;tag={}\r\nCall-ID: {call_id}\r\n\
                         CSeq: {} {method}\r\nContact: <sip:{own}@127.0.0.1:9>\r\nRefer-To: <sip:{own}@{DOMAIN}>\r\n\
                         Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{SDP}",
                        poses.tag,
                        victim.user,
                        victim.tag,
                        1_000 + number,
                        SDP.len(),
                    );
                    let answer = hostile.asks(&home, &text).await;
                    let status = answer.status.code();
                    assert!((400..500).contains(&status), "{method}: {status}");
                }
            }
            // In somebody's place, by a guess.
            number += 1;
            let via = hostile.via();
            let text = format!(
                "INVITE {} SIP/2.0\r\nVia: {via};branch=z9hG4bKhostile{number};rport\r\nMax-Forwards: 70\r\n\
                 From: <sip:{own}@{DOMAIN}>;tag=own\r\nTo: <sip:{}@{DOMAIN}>\r\nCall-ID: hostile{number}\r\n\
                 CSeq: 1 INVITE\r\nContact: <sip:{own}@127.0.0.1:9>\r\n\
                 Replaces: {call_id};to-tag={};from-tag=guess\r\n\
                 Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{SDP}",
                uris[0],
                victim.user,
                victim.tag,
                SDP.len(),
            );
            let answer = hostile.asks(&home, &text).await;
            assert!((400..500).contains(&answer.status.code()));
        }
    }
    // The two have their call, and nobody else: each still changes it, and ends it.
    let unheard = |event: &Event| {
        assert!(
            matches!(event, Event::Confirmed { .. }),
            "somebody came through: {event:?}"
        );
    };
    desk.hears(unheard);
    hall.hears(unheard);
    hall.act(move |endpoint, now| endpoint.reinvite(incoming, Body::sdp(SDP), now))
        .await
        .unwrap();
    desk.is_offered(out).await;
    hall.reinvited(incoming).await;
    desk.bye(out).await;
    hall.ended(incoming).await;
    home.hub.stop().await;
}
