//! A call for help on its way to a line.
//!
//! [`Help`] is made from an INVITE that a person's device sent and from nothing else; what it becomes always says that
//! it is a drill, and goes only to where a drill may go (DESIGN invariants 1 and 6).

use hearthline_emergency::additional::{Block, Comment, CommentText};
use hearthline_emergency::body::TYPE_SDP;
use hearthline_emergency::invite::{
    Content as Carried, DRILL_SUBJECT, HEADER_DRILL, InviteRequest as EmergencyRequest,
};
use hearthline_emergency::line::Line as EmergencyLine;
use hearthline_emergency::numbers::{Country, DialledDigits, NumberPlan, Recognition};
use hearthline_emergency::profile::EmergencyProfile;
use hearthline_emergency::service::{DrillService, ServiceUrn};
use hearthline_emergency::target::{DrillTargets, SipUri as DrillUri};
use hearthline_emergency::timestamp::Timestamp;
use hearthline_sip::endpoint::{Body, InviteRequest};
use hearthline_sip::multipart::{self, MultipartLimits, Part, find_by_type};
use hearthline_sip::{HeaderName, NameAddr, Request, Uri};

use super::trunk::Trunk;
use super::{GatewayConfig, offer_of, relay};
use crate::clock::UnixMs;
use crate::id::DeviceId;
use crate::line::DrillAddress;
use crate::sip::destination::digits_of;

/// How much an INVITE carries; less after a refusal that more would meet again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    /// As the caller wrote it.
    Full,
    /// The session description alone.
    SessionOnly,
}

/// A live person asked for help.
pub(super) struct Help {
    permit: DrillService,
}

/// What the switchboard knows an emergency call by.
pub(super) fn mark(call_id: &str) -> String {
    format!("call {call_id}")
}

/// The same of a call before a restart.
pub(super) fn mark_of_device(device: DeviceId) -> String {
    format!("device {device}")
}

impl Help {
    /// From the INVITE; `None`: it asks for something else.
    pub(super) fn asked(request: &Request, country: Country) -> Option<Self> {
        let service = match &request.uri {
            Uri::Urn(_) => ServiceUrn::parse(&request.uri.to_string()).ok()?,
            uri => {
                let digits = DialledDigits::new(&digits_of(uri)?).ok()?;
                match digits.recognise(country) {
                    Recognition::Emergency(service) => service,
                    _ => return None,
                }
            }
        };
        let permit = DrillService::new(service, DrillTargets::loopback()).ok()?;
        Some(Self { permit })
    }

    /// The INVITE for a line; `None`: a drill may not go there.
    pub(super) fn invite(
        &self,
        asked: &Request,
        trunk: &Trunk,
        content: Content,
        config: &GatewayConfig,
        wall: UnixMs,
    ) -> Option<InviteRequest> {
        let server = trunk.server()?;
        if !server.permits(self.permit.targets()) {
            return None;
        }
        let service = self.permit.service();
        let by = trunk.drill()?;
        let uri: Uri = match by {
            DrillAddress::Service => Uri::parse(service.to_string()).ok()?,
            DrillAddress::Number => {
                let number = NumberPlan::Of(config.plan.country()).number_for(service);
                trunk.user_at(server, number.as_str()).into()
            }
        };
        let from = match (by, trunk.credentials().is_empty()) {
            // What asks for a password knows a caller by the account in From.
            (DrillAddress::Number, false) => NameAddr::new(trunk.account(server)),
            _ => {
                let from = asked.headers.from().ok();
                let from = from.map(|mut from| {
                    from.params.remove("tag");
                    from
                });
                from.unwrap_or_else(|| NameAddr::new(trunk.identity(server)))
            }
        };
        let to = NameAddr::new(uri.clone());
        let mut request = InviteRequest::new(uri, from, to, server.target().clone());
        request.headers = relay::passing(&asked.headers);
        request.body = offer_of(asked);
        let located = asked.headers.contains(&HeaderName::Geolocation);
        match content {
            Content::SessionOnly => session_only(&mut request, asked),
            Content::Full if !located => {
                if let Some(profile) = &config.profile {
                    self.add_home(&mut request, asked, profile, wall);
                }
            }
            Content::Full => {}
        }
        mark_as_drill(&mut request, trunk);
        assert_number(&mut request, trunk, config);
        request.end_on_session_expiry = Some(false);
        Some(request)
    }

    /// The home's location and data, for a telephone that knows none.
    fn add_home(
        &self,
        request: &mut InviteRequest,
        asked: &Request,
        profile: &EmergencyProfile,
        wall: UnixMs,
    ) {
        let Some(next_hop) = DrillUri::parse("sip:127.0.0.1").ok() else {
            return;
        };
        let Some(mut parts) = parts_of(asked) else {
            return;
        };
        let line = EmergencyLine::new("line", next_hop.clone(), Vec::new());
        let call_token: String = asked
            .headers
            .call_id()
            .unwrap_or_default()
            .bytes()
            .filter(u8::is_ascii_alphanumeric)
            .map(char::from)
            .take(48)
            .collect();
        let built = EmergencyRequest {
            permit: &self.permit,
            profile,
            line: &line,
            next_hop: &next_hop,
            route: None,
            call_token: &call_token,
            content: Carried::Full,
            sdp: None,
            wall: Timestamp::from_unix_ms(wall.0),
        };
        let location = built.location();
        if let Some(location) = location {
            let id = format!("{call_token}.location@{}", profile.domain);
            let part = Part::new(hearthline_emergency::body::TYPE_PIDF, location.to_bytes());
            parts.push(
                part.with_id(&id)
                    .with_disposition("by-reference;handling=optional"),
            );
            request
                .headers
                .push((HeaderName::Geolocation, format!("<cid:{id}>").into_bytes()));
            request
                .headers
                .push((HeaderName::GeolocationRouting, b"yes".to_vec()));
        }
        for block in built.blocks() {
            let block = match block {
                // The caller is a telephone: nobody said anything to a speaker.
                Block::Comment(comment) => Block::Comment(Comment {
                    comments: vec![CommentText {
                        lang: Some("en".to_owned()),
                        text: "DRILL - this is not an emergency. Dialled by a person on a telephone of this home; \
                               the home's server added the home's address."
                            .to_owned(),
                    }],
                    ..comment
                }),
                other => other,
            };
            let name = block.kind().name().to_ascii_lowercase();
            let id = format!("{call_token}.{name}@{}", profile.domain);
            let info = block.call_info(&id).into_bytes();
            parts.push(block.to_part(&id).into());
            request.headers.push((HeaderName::CallInfo, info));
        }
        let (kind, bytes) = multipart::build(&parts);
        request.body = Some(Body::new(kind, bytes));
    }
}

/// The marks of a drill, and who calls, where the caller has not written them.
fn mark_as_drill(request: &mut InviteRequest, trunk: &Trunk) {
    let headers = &mut request.headers;
    headers.retain(|(name, value)| {
        !name.as_str().eq_ignore_ascii_case(HEADER_DRILL) || value == b"yes"
    });
    let has = |headers: &[(HeaderName, Vec<u8>)], wanted: &str| {
        let mut names = headers.iter().map(|(name, _)| name.as_str());
        names.any(|name| name.eq_ignore_ascii_case(wanted))
    };
    if !has(headers, HEADER_DRILL)
        && let Some(name) = HeaderName::parse(HEADER_DRILL.as_bytes())
    {
        headers.push((name, b"yes".to_vec()));
    }
    let drill = |value: &[u8]| value.to_ascii_uppercase().starts_with(b"DRILL");
    let says_so = headers
        .iter()
        .any(|(name, value)| *name == HeaderName::Subject && drill(value));
    if !says_so {
        headers.retain(|(name, _)| *name != HeaderName::Subject);
        headers.push((HeaderName::Subject, DRILL_SUBJECT.into()));
    }
    if !has(headers, "Priority") {
        headers.push((HeaderName::Priority, b"emergency".to_vec()));
    }
    if !has(headers, "P-Asserted-Identity") && !has(headers, "P-Preferred-Identity") {
        let identity = trunk
            .server()
            .map(|server| format!("<{}>", trunk.identity(server)));
        if let Some(identity) = identity {
            headers.push((HeaderName::PPreferredIdentity, identity.into_bytes()));
        }
    }
}

/// The number at which the home is called back, before the name that the caller has in the home alone: the line's own,
/// else the household's. At most one `tel` and one `sip` stand there (RFC 3325 §9.1).
fn assert_number(request: &mut InviteRequest, trunk: &Trunk, config: &GatewayConfig) {
    let own = trunk.setup.line.fields.caller_number.as_ref();
    let own = own.map(|number| format!("tel:{}", number.as_str()));
    let of_home = || config.profile.as_ref()?.callback_number.clone();
    let Some(number) = own.or_else(of_home) else {
        return;
    };
    let Ok(number) = Uri::parse(number) else {
        return;
    };
    let row = (
        HeaderName::PAssertedIdentity,
        format!("<{number}>").into_bytes(),
    );
    let headers = &mut request.headers;
    let first = headers
        .iter()
        .position(|(name, _)| *name == HeaderName::PAssertedIdentity);
    headers.insert(first.unwrap_or(headers.len()), row);
}

/// The parts of the caller's body; none, where a telephone calls without an offer.
fn parts_of(asked: &Request) -> Option<Vec<Part>> {
    if asked.body.is_empty() {
        return Some(Vec::new());
    }
    multipart::parts_of(&asked.headers, &asked.body, &MultipartLimits::default()).ok()
}

/// Without location and data, for a line that takes no more.
fn session_only(request: &mut InviteRequest, asked: &Request) {
    let parts = parts_of(asked).unwrap_or_default();
    request.body = match find_by_type(&parts, TYPE_SDP) {
        Some(session) => Some(Body::sdp(session.body.clone())),
        None => offer_of(asked).filter(|_| relay::has_session(&asked.headers, &asked.body)),
    };
    use HeaderName as N;
    let gone = [
        N::Geolocation,
        N::GeolocationRouting,
        N::CallInfo,
        N::MimeVersion,
    ];
    request.headers.retain(|(name, _)| !gone.contains(name));
}
