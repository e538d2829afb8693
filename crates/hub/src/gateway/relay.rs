//! What passes from one side's messages to the other's.

use hearthline_sip::multipart::{MultipartLimits, find_by_type, parts_of};
use hearthline_sip::{HeaderName, Headers, NameAddr, SipUri};

/// Rows that belong to one dialog, one hop, or to what an endpoint itself can: they are made anew on each side.
fn is_own(name: &HeaderName) -> bool {
    use HeaderName as N;
    matches!(
        name,
        N::Via
            | N::From
            | N::To
            | N::CallId
            | N::CSeq
            | N::Contact
            | N::MaxForwards
            | N::MaxBreadth
            | N::ContentLength
            | N::ContentType
            | N::Route
            | N::RecordRoute
            | N::Path
            | N::Supported
            | N::Require
            | N::ProxyRequire
            | N::Allow
            | N::UserAgent
            | N::SessionExpires
            | N::MinSe
            | N::Expires
            | N::Replaces
            | N::Timestamp
            | N::Authorization
            | N::ProxyAuthorization
    ) || [
        super::CALLBACK,
        super::FINDING,
        super::LOOP,
        super::CONTACTS_ONLY,
    ]
    .iter()
    .any(|own| name.as_str().eq_ignore_ascii_case(own))
}

/// The rows that pass, byte for byte and in their order.
pub(super) fn passing(headers: &Headers) -> Vec<(HeaderName, Vec<u8>)> {
    headers
        .iter()
        .filter(|(name, _)| !is_own(name))
        .map(|(name, value)| (name.clone(), value.to_vec()))
        .collect()
}

/// Whether a body holds a session description, alone or among other parts. One that does not read is the other side's to
/// judge.
pub(super) fn has_session(headers: &Headers, body: &[u8]) -> bool {
    if body.is_empty() {
        return false;
    }
    match parts_of(headers, body, &MultipartLimits::default()) {
        Ok(parts) => find_by_type(&parts, "application/sdp").is_some(),
        Err(_) => true,
    }
}

/// Whether the caller does not want to be known (RFC 3323 section 4.2).
pub(super) fn wants_privacy(headers: &Headers) -> bool {
    let wanted = headers.get_str(&HeaderName::Privacy).unwrap_or("none");
    !wanted.trim().eq_ignore_ascii_case("none")
}

/// Nobody (RFC 3261 section 8.1.1.3).
pub(super) fn anonymous() -> NameAddr {
    let host = hearthline_sip::Host::parse("anonymous.invalid");
    let host = host.expect("it is a name");
    NameAddr::new(SipUri::new(host).with_user("anonymous"))
}
