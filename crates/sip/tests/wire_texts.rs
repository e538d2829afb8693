//! What goes on the wire, letter by letter.
#![allow(clippy::unwrap_used)] // helpers of tests are tests

use hearthline_sip::cseq::CSeq;
use hearthline_sip::digest::{Challenge, Credentials, DigestClient};
use hearthline_sip::multipart::{Part, build};
use hearthline_sip::offer_answer::{LocalAudio, answer, offer};
use hearthline_sip::{
    HeaderName, Host, Limits, Method, NameAddr, Request, Response, SipUri, StatusCode, Transport,
    Uri, Urn, Via, parse_datagram,
};

fn emergency_invite() -> Request {
    let home = Host::parse("192.0.2.7").unwrap();
    let sos = Urn::from_service("sos.police").unwrap();
    let mut request = Request::new(Method::Invite, sos.clone());
    let headers = &mut request.headers;
    headers.push_display(
        HeaderName::Via,
        Via::new(Transport::Tls, home.clone(), Some(5061), "z9hG4bKa1"),
    );
    headers.push(HeaderName::MaxForwards, "70");
    let caller = SipUri::new(Host::parse("home.example.com").unwrap()).with_user("kitchen");
    headers.push_display(
        HeaderName::From,
        NameAddr::new(caller)
            .with_display("Kitchen \"1\"")
            .with_tag("f1"),
    );
    headers.push_display(HeaderName::To, NameAddr::new(sos));
    headers.push(HeaderName::CallId, "c1@home.example.com");
    headers.push_display(HeaderName::CSeq, CSeq::new(1, Method::Invite));
    let contact = SipUri::new(home)
        .with_user("kitchen")
        .with_port(5061)
        .with_param("transport", Some("tls"));
    headers.push_display(HeaderName::Contact, NameAddr::new(contact));
    headers.push(HeaderName::Geolocation, "<cid:target@home.example.com>");
    headers.push(HeaderName::GeolocationRouting, "yes");
    headers.push(HeaderName::Supported, "100rel, timer, geolocation-sip");
    let sdp = offer(&LocalAudio::new("192.0.2.7".parse().unwrap(), 40000), 1, 1);
    let (content_type, body) = build(&[
        Part::new("application/sdp", sdp.to_bytes()),
        Part::new("application/pidf+xml", "<presence/>").with_id("target@home.example.com"),
    ]);
    request.set_body(&content_type, body);
    request
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap().replace('\r', "")
}

#[test]
fn emergency_invite_with_location() {
    let bytes = emergency_invite().to_bytes();
    assert_eq!(
        parse_datagram(&bytes, &Limits::default()).unwrap(),
        emergency_invite().into()
    );
    insta::assert_snapshot!(text(&bytes));
}

#[test]
fn answer_to_the_invite() {
    let request = emergency_invite();
    let mut response = Response::to_request(&request, StatusCode::OK, Some("t1"));
    let psap = LocalAudio::new("2001:db8::5".parse().unwrap(), 50000);
    let offered = offer(&LocalAudio::new("192.0.2.7".parse().unwrap(), 40000), 1, 1);
    let (sdp, _) = answer(&offered, &psap, 9, 1).unwrap();
    response.set_body("application/sdp", sdp.to_bytes());
    insta::assert_snapshot!(text(&response.to_bytes()));
}

#[test]
fn authorized_register() {
    let mut request = Request::new(
        Method::Register,
        Uri::parse("sip:home.example.com").unwrap(),
    );
    let mut headers = hearthline_sip::Headers::new();
    headers.push(
        HeaderName::WwwAuthenticate,
        "Digest realm=\"home\",nonce=\"n1\",algorithm=SHA-256,qop=\"auth,auth-int\",opaque=\"o\"",
    );
    let challenge = Challenge::from_value(&headers.www_authenticate().unwrap()[0]).unwrap();
    let who = Credentials {
        username: "kitchen".into(),
        password: "secret".into(),
    };
    let uri = request.uri.to_string();
    let value = DigestClient::new(challenge).authorize(&who, &request.method, &uri, b"", "c1");
    request
        .headers
        .push_display(HeaderName::Authorization, value);
    insta::assert_snapshot!(text(&request.to_bytes()));
}
