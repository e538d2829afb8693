//! Sound of browsers with telephones: a browser protects it and speaks to nobody in the clear, a telephone or a line knows
//! nothing else. In between stands a bridge of this hub's ([`hearthline_webrtc::Bridge`]), and each side is told of the
//! other as if that were the bridge.
//!
//! ```text
//! browser ── INVITE, DTLS-SRTP ──► proxy ── transmit ─┬─ to a telephone, the gateway: retold, in the clear ──►
//!                                                     └─ to a device: as it is, and the hub hears nothing ──►
//! ```
//! Only pairs of a browser and a telephone ([`End::is_bridged_to`]) have one, so what two devices say to each other stays
//! theirs. A call that finds no bridge goes on as it came. One that has one stands without sound when this process is
//! killed, since the keys of its browser's half are nowhere else, until one side hangs up: the browser by itself as soon
//! as its connection counts as lost, the telephone through the hub that has started again.
//!
//! *A call for help* does not wait for a bridge. It finds room when others find none, takes an ordinary call's sockets
//! where the system has no more, and without any it still reaches its line as the browser wrote it: the call-taker has the
//! call, its number and its place, and a line that cannot do such sound says so at once, which the browser shows.

use std::collections::HashMap;
use std::io;

use hearthline_sip::proxy::CallKey;
use hearthline_sip::{HeaderName, Headers, Limits, Message, Method, Request, parse_datagram};
use hearthline_webrtc::{BridgeError, BridgeHandle, Keys, Offerer, open_bridge};

/// Bridges at once.
const BRIDGES_MAX: usize = 64;
/// Of these, for calls for help alone.
const KEPT_FOR_HELP: usize = 8;
/// A browser is told by this row that its sound is not protected beyond the hub.
pub(crate) const BRIDGED: &str = "Hearthline-Bridge";
const SDP: &str = "application/sdp";

/// What is at one end of a call, as far as its sound goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// A device of the home that is a browser: protected, or nothing.
    Browser,
    /// Any other device of the home that joined it: it protects its sound, or asks a person.
    Device,
    /// A telephone with an account, or whoever is beyond the gateway.
    Telephone,
}

impl End {
    /// Whether the hub stands between the sound of these two.
    pub(crate) fn is_bridged_to(self, other: End) -> bool {
        matches!(
            (self, other),
            (End::Browser, End::Telephone) | (End::Telephone, End::Browser)
        )
    }
}

/// The calls that have a bridge.
pub(crate) struct Bridges {
    keys: Option<Keys>,
    open: fn(&Keys, Offerer) -> io::Result<BridgeHandle>,
    calls: HashMap<String, Bridged>,
}

struct Bridged {
    caller_tag: String,
    handle: BridgeHandle,
    rings: Rings,
    help: bool,
}

/// Whom a call rings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rings {
    /// Those at the other side of a bridge alone: what they say before somebody answers may be heard.
    Bridged,
    /// Devices of the home, too, which a browser will prove: until the answer it hears nobody.
    Others,
}

impl Bridges {
    /// None yet, with a fresh key.
    pub(crate) fn new() -> Self {
        Self::opened_by(open_bridge)
    }

    fn opened_by(open: fn(&Keys, Offerer) -> io::Result<BridgeHandle>) -> Self {
        let mut bridges = Self {
            keys: None,
            open,
            calls: HashMap::new(),
        };
        bridges.make_keys();
        bridges
    }

    /// Without randomness there are none yet: the next call tries again.
    fn make_keys(&mut self) {
        match Keys::generate() {
            Ok(keys) => self.keys = Some(keys),
            Err(error) => {
                tracing::error!(%error, "browsers and telephones do not hear each other");
            }
        }
    }

    /// A call is sent on from a browser to a telephone, or the other way, among others perhaps. Nothing is waited for:
    /// without a bridge the call goes on all the same. For a call for help ordinary ones lose theirs, where that is what
    /// it takes.
    pub(crate) fn begin(&mut self, request: &Request, from: End, rings: Rings, help: bool) {
        if self.keys.is_none() {
            self.make_keys();
        }
        let Some(keys) = &self.keys else {
            return;
        };
        let Some((call_id, caller_tag)) = key_of(&request.headers) else {
            return;
        };
        if request.method != Method::Invite || !has_sdp(&request.headers, &request.body) {
            return;
        }
        self.calls.retain(|_, call| !call.handle.is_over());
        let room = match help {
            true => BRIDGES_MAX,
            false => BRIDGES_MAX - KEPT_FOR_HELP,
        };
        if self.calls.contains_key(call_id) || self.calls.len() >= room {
            return;
        }
        let first = match from {
            End::Browser => Offerer::Browser,
            End::Device | End::Telephone => Offerer::Far,
        };
        let mut opened = (self.open)(keys, first);
        while opened.is_err() && help {
            // What the system has too little of, sockets above all, an ordinary call gives back.
            let ordinary = self.calls.iter().find(|(_, call)| !call.help);
            let Some(ordinary) = ordinary.map(|(call_id, _)| call_id.clone()) else {
                break;
            };
            self.calls.remove(&ordinary);
            opened = (self.open)(keys, first);
        }
        match opened {
            Ok(handle) => {
                let call = Bridged {
                    caller_tag,
                    handle,
                    rings,
                    help,
                };
                self.calls.insert(call_id.to_owned(), call);
            }
            Err(error) => tracing::warn!(%error, "a call goes on without a bridge for its sound"),
        }
    }

    /// A message on its way to `end`, as that end is to see it; `None`: as it is.
    pub(crate) fn retold(&mut self, bytes: &[u8], end: impl FnOnce() -> End) -> Option<Vec<u8>> {
        if self.calls.is_empty() || !names_sdp(bytes) {
            return None;
        }
        let mut message = parse_datagram(bytes, &Limits::default()).ok()?;
        let headers = message.headers();
        let call_id = headers.call_id().ok()?.to_owned();
        let call = self.calls.get(&call_id)?;
        let tags = [headers.from().ok()?, headers.to().ok()?];
        let is_ours = tags
            .iter()
            .any(|party| party.tag() == Some(&call.caller_tag));
        let method = headers.cseq().ok()?.method;
        let describes = matches!(method, Method::Invite | Method::Update);
        if !is_ours || !describes || !has_sdp(headers, message.body()) {
            return None;
        }
        let end = end();
        let (sdp, handle) = (message.body(), &call.handle);
        let retold = match (&message, end) {
            (_, End::Device) => return None,
            // An ACK is no such method of its own; what it carries answers an offer that browsers never make.
            (Message::Request(request), _) if request.method == Method::Ack => return None,
            (Message::Request(_), End::Browser) => handle.offer_of_far(sdp),
            (Message::Request(_), End::Telephone) => handle.offer_of_browser(sdp),
            // A telephone proves nothing at any time, so it may be heard before it answers.
            (Message::Response(response), End::Browser)
                if response.status.is_provisional() && call.rings == Rings::Bridged =>
            {
                handle.early_of_far(sdp)
            }
            // Sound before the answer would be of nobody proven; there is none until then.
            (Message::Response(response), _) if response.status.is_provisional() => Ok(Vec::new()),
            (Message::Response(_), End::Browser) => handle.answer_of_far(sdp),
            (Message::Response(_), End::Telephone) => handle.answer_of_browser(sdp),
        };
        let sdp = match retold {
            Ok(sdp) => sdp,
            Err(error) => {
                if matches!(error, BridgeError::OtherProtection | BridgeError::NoOffer)
                    && message.as_response().is_some()
                {
                    // Another device took it: the two need nobody between them.
                    self.calls.remove(&call_id);
                } else {
                    tracing::debug!(%error, "a description is not carried over");
                }
                return None;
            }
        };
        if end == End::Browser
            && let Some(name) = HeaderName::parse(BRIDGED.as_bytes())
        {
            message.headers_mut().set(name, "hub");
        }
        if sdp.is_empty() {
            message.headers_mut().remove(&HeaderName::ContentType);
        }
        match &mut message {
            Message::Request(request) => request.body = sdp,
            Message::Response(response) => response.body = sdp,
        }
        Some(message.to_bytes())
    }

    /// A call is over.
    pub(crate) fn over(&mut self, key: &CallKey) {
        let call = self.calls.get(&key.call_id);
        if call.is_some_and(|call| call.caller_tag == key.caller_tag) {
            self.calls.remove(&key.call_id);
        }
    }
}

fn key_of(headers: &Headers) -> Option<(&str, String)> {
    let tag = headers.from().ok()?.tag()?.to_owned();
    Some((headers.call_id().ok()?, tag))
}

fn has_sdp(headers: &Headers, body: &[u8]) -> bool {
    let kind = headers.content_type().ok().flatten();
    !body.is_empty() && kind.is_some_and(|kind| kind.is(SDP))
}

/// Looked for first, before anything is read.
fn names_sdp(bytes: &[u8]) -> bool {
    let wanted = SDP.as_bytes();
    bytes
        .windows(wanted.len())
        .any(|window| window.eq_ignore_ascii_case(wanted))
}

#[cfg(test)]
mod tests {
    use super::*;
    use hearthline_sip::{Response, StatusCode};

    const OFFER: &str = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
        m=audio 40000 RTP/AVP 0\r\n";

    fn invite(call_id: &str, tag: &str) -> Request {
        let to = hearthline_sip::Uri::parse("sip:tab@home.test").unwrap();
        let mut request = Request::new(Method::Invite, to);
        for (name, value) in [
            (HeaderName::From, format!("<sip:desk@home.test>;tag={tag}")),
            (HeaderName::To, "<sip:tab@home.test>".to_owned()),
            (HeaderName::CallId, call_id.to_owned()),
            (HeaderName::CSeq, "1 INVITE".to_owned()),
            (
                HeaderName::Via,
                "SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK1".to_owned(),
            ),
            (HeaderName::MaxForwards, "70".to_owned()),
        ] {
            request.headers.push(name, value);
        }
        request.set_body(SDP, OFFER.into());
        request
    }

    #[test]
    fn only_a_browser_and_a_telephone_have_the_hub_between_them() {
        use End::{Browser, Device, Telephone};
        for one in [Browser, Device, Telephone] {
            for other in [Browser, Device, Telephone] {
                let both = [one, other];
                let pair = both.contains(&Browser) && both.contains(&Telephone);
                assert_eq!(one.is_bridged_to(other), pair, "{both:?}");
            }
        }
    }

    #[tokio::test]
    async fn a_description_is_retold_to_those_two_alone_and_in_its_own_call() {
        let mut bridges = Bridges::new();
        let asked = invite("a@test", "1");
        let bytes = asked.to_bytes();
        assert!(
            bridges.retold(&bytes, || End::Browser).is_none(),
            "none began"
        );
        bridges.begin(&asked, End::Telephone, Rings::Others, false);
        let told = bridges.retold(&bytes, || End::Browser).expect("retold");
        assert!(
            String::from_utf8(told)
                .unwrap()
                .contains("Hearthline-Bridge: hub")
        );
        assert!(bridges.retold(&bytes, || End::Device).is_none());
        for (call_id, tag) in [("b@test", "1"), ("a@test", "2")] {
            let other = invite(call_id, tag).to_bytes();
            assert!(
                bridges.retold(&other, || End::Browser).is_none(),
                "{call_id} {tag}"
            );
        }
        // Another with the same name ends nothing.
        let key = |tag: &str| CallKey {
            call_id: "a@test".to_owned(),
            caller_tag: tag.to_owned(),
        };
        bridges.over(&key("2"));
        assert!(bridges.retold(&bytes, || End::Browser).is_some());
        // Where a device rings as well, a telephone's sound is of nobody yet.
        let mut early = Response::to_request(&asked, StatusCode::RINGING, Some("x"));
        early.set_body(SDP, OFFER.into());
        let told = bridges
            .retold(&early.to_bytes(), || End::Browser)
            .expect("retold");
        assert!(!String::from_utf8(told).unwrap().contains("m=audio"));
        bridges.over(&key("1"));
        assert!(
            bridges.retold(&bytes, || End::Browser).is_none(),
            "it is over"
        );
    }

    #[tokio::test]
    async fn calls_for_help_find_a_bridge_when_others_find_none() {
        let mut bridges = Bridges::new();
        for number in 0..BRIDGES_MAX {
            let ordinary = invite(&number.to_string(), "1");
            bridges.begin(&ordinary, End::Telephone, Rings::Bridged, false);
        }
        assert_eq!(bridges.calls.len(), BRIDGES_MAX - KEPT_FOR_HELP);
        for number in 0..BRIDGES_MAX {
            let help = invite(&format!("help-{number}"), "1");
            bridges.begin(&help, End::Browser, Rings::Bridged, true);
        }
        assert_eq!(bridges.calls.len(), BRIDGES_MAX);
    }

    /// As where the system has no socket left.
    fn none_left(_: &Keys, _: Offerer) -> io::Result<BridgeHandle> {
        Err(io::ErrorKind::QuotaExceeded.into())
    }

    #[tokio::test]
    async fn without_a_bridge_a_call_goes_on_as_it_came() {
        let mut bridges = Bridges::opened_by(none_left);
        for (call_id, help) in [("a@test", false), ("help@test", true)] {
            let asked = invite(call_id, "1");
            bridges.begin(&asked, End::Browser, Rings::Bridged, help);
            let bytes = asked.to_bytes();
            for end in [End::Browser, End::Telephone, End::Device] {
                assert!(bridges.retold(&bytes, || end).is_none(), "{call_id}");
            }
        }
        // It has one as soon as there is what it takes, keys too.
        bridges.keys = None;
        bridges.open = open_bridge;
        let asked = invite("later@test", "1");
        bridges.begin(&asked, End::Telephone, Rings::Bridged, true);
        assert!(bridges.retold(&asked.to_bytes(), || End::Browser).is_some());
    }

    #[tokio::test]
    async fn a_call_for_help_takes_the_sockets_of_an_ordinary_one() {
        let mut bridges = Bridges::new();
        let ordinary = invite("a@test", "1");
        bridges.begin(&ordinary, End::Telephone, Rings::Bridged, false);
        let first_help = invite("first@test", "1");
        bridges.begin(&first_help, End::Telephone, Rings::Bridged, true);
        // The next is refused until somebody has given back, then not.
        static REFUSED: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(1);
        bridges.open = |keys, first| match REFUSED.swap(0, std::sync::atomic::Ordering::Relaxed) {
            0 => open_bridge(keys, first),
            _ => none_left(keys, first),
        };
        let second_help = invite("second@test", "1");
        bridges.begin(&second_help, End::Telephone, Rings::Bridged, true);
        let told = |bridges: &mut Bridges, asked: &Request| {
            bridges.retold(&asked.to_bytes(), || End::Browser).is_some()
        };
        assert!(told(&mut bridges, &second_help) && told(&mut bridges, &first_help));
        assert!(!told(&mut bridges, &ordinary), "it gave its own back");
    }

    #[tokio::test]
    async fn a_telephone_is_heard_before_it_answers_where_no_device_rings_beside_it() {
        let browsers = "v=0\r\no=- 5 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n\
            m=audio 40004 UDP/TLS/RTP/SAVPF 0\r\nc=IN IP4 127.0.0.1\r\na=rtcp-mux\r\na=mid:0\r\n\
            a=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuvwx\r\na=setup:actpass\r\n";
        let print = vec!["AA"; 32].join(":");
        let mut asked = invite("a@test", "1");
        asked.set_body(
            SDP,
            format!("{browsers}a=fingerprint:sha-256 {print}\r\n").into(),
        );
        for (rings, heard) in [(Rings::Bridged, true), (Rings::Others, false)] {
            let mut bridges = Bridges::new();
            bridges.begin(&asked, End::Browser, rings, false);
            let offered = bridges.retold(&asked.to_bytes(), || End::Telephone);
            assert!(offered.is_some());
            let mut early = Response::to_request(&asked, StatusCode::SESSION_PROGRESS, Some("x"));
            early.set_body(SDP, OFFER.into());
            let told = bridges.retold(&early.to_bytes(), || End::Browser);
            let told = String::from_utf8(told.expect("retold")).unwrap();
            assert_eq!(told.contains("a=sendonly"), heard, "{told}");
            assert_eq!(told.contains("m=audio"), heard, "{told}");
            // The answer says it again, both ways.
            let mut answer = Response::to_request(&asked, StatusCode::OK, Some("x"));
            answer.set_body(SDP, OFFER.into());
            let told = bridges.retold(&answer.to_bytes(), || End::Browser);
            let told = String::from_utf8(told.expect("retold")).unwrap();
            assert!(told.contains("a=sendrecv"), "{told}");
        }
    }
}
