//! What call transfer writes into headers and bodies: Refer-To, Replaces, Referred-By, Refer-Sub, Event,
//! Subscription-State and `message/sipfrag` (RFC 3515, RFC 3891, RFC 3892, RFC 4488, RFC 6665, RFC 3420).
//!
//! A Refer-To is data: nothing in here calls anybody. Who follows one decides so, and reads the target first.

use std::fmt;

use crate::header_name::HeaderName;
use crate::headers::{HeaderError, Headers};
use crate::message::Request;
use crate::name_addr::NameAddr;
use crate::params::Params;
use crate::scan::{Fault, Scan, is_token};
use crate::status::StatusCode;
use crate::uri::Uri;
use crate::values::scan_seconds;

/// Longest body of a report that is read, in bytes; only its first line counts.
pub const SIPFRAG_BYTES_MAX: usize = 8 * 1024;
/// Content-Type of a report (RFC 3515 section 2.4.5).
pub const SIPFRAG: &str = "message/sipfrag;version=2.0";

/// The dialog that an INVITE is to take the place of (RFC 3891), as its recipient knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replaces {
    /// Call-ID.
    pub call_id: String,
    /// The recipient's own tag.
    pub to_tag: String,
    /// The tag of its peer.
    pub from_tag: String,
    /// Only while the dialog is an early one.
    pub early_only: bool,
}

impl Replaces {
    /// Reads a value that fills `bytes`.
    ///
    /// # Errors
    /// Says which byte breaks the grammar of RFC 3891 section 6.1.
    pub fn parse(bytes: impl AsRef<[u8]>) -> Result<Self, HeaderError> {
        let mut scan = Scan::new(bytes.as_ref());
        Self::scan(&mut scan)
            .and_then(|replaces| scan.finish().map(|()| replaces))
            .map_err(|fault| HeaderError::new(HeaderName::Replaces, fault))
    }

    pub(crate) fn scan(scan: &mut Scan<'_>) -> Result<Self, Fault> {
        scan.skip_lws();
        let at = scan.at();
        // callid = word ["@" word]; a word holds neither semicolon nor comma.
        let call_id = scan.take_while(|b| b.is_ascii_graphic() && !matches!(b, b';' | b','));
        if call_id.is_empty() {
            return scan.fault("expected a Call-ID");
        }
        let call_id = crate::scan::ascii(call_id).to_owned();
        let params = Params::scan(scan)?;
        let tag = |name: &str, what: &'static str| {
            let tag = params.get(name).filter(|tag| is_token(tag.as_bytes()));
            tag.map(str::to_owned).ok_or(Fault { at, what })
        };
        Ok(Self {
            call_id,
            to_tag: tag("to-tag", "to-tag is missing or no token")?,
            from_tag: tag("from-tag", "from-tag is missing or no token")?,
            early_only: params.has("early-only"),
        })
    }
}

impl fmt::Display for Replaces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            call_id,
            to_tag,
            from_tag,
            ..
        } = self;
        write!(f, "{call_id};to-tag={to_tag};from-tag={from_tag}")?;
        match self.early_only {
            true => f.write_str(";early-only"),
            false => Ok(()),
        }
    }
}

/// Why a Refer-To asks for nothing that could be done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReferToError {
    /// It is missing, malformed or given twice, or its Replaces is malformed.
    #[error(transparent)]
    Malformed(#[from] HeaderError),
    /// It asks for another request than INVITE.
    #[error("the Refer-To asks for another request than INVITE")]
    Method,
    /// It is of a scheme that nobody is called by.
    #[error("the Refer-To is no sip, sips or tel URI")]
    Scheme,
    /// It names a service, emergency services among them: no transfer leads there.
    #[error("the Refer-To names a service: no transfer leads there")]
    Service,
}

impl ReferToError {
    /// The status that the REFER deserves.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Malformed(_) => StatusCode::BAD_REQUEST,
            Self::Method => StatusCode::NOT_IMPLEMENTED,
            Self::Scheme => StatusCode::UNSUPPORTED_URI_SCHEME,
            Self::Service => StatusCode::FORBIDDEN,
        }
    }
}

/// Whom a REFER asks us to call (RFC 3515 section 2.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReferTo {
    /// The target, without headers and method.
    pub uri: Uri,
    /// The call of the target that ours is to take the place of: an attended transfer (RFC 5589 section 7).
    pub replaces: Option<Replaces>,
}

impl ReferTo {
    /// Reads the Refer-To of a REFER. Of the headers that its URI may ask for only Replaces counts.
    ///
    /// # Errors
    /// See [`ReferToError`].
    pub fn of(request: &Request) -> Result<Self, ReferToError> {
        let address = request.headers.refer_to()?;
        let missing = || HeaderError::missing(HeaderName::ReferTo);
        Self::of_uri(&address.ok_or_else(missing)?.uri)
    }

    fn of_uri(uri: &Uri) -> Result<Self, ReferToError> {
        let sip = match uri {
            Uri::Sip(sip) => sip,
            Uri::Tel(_) => {
                return Ok(Self {
                    uri: uri.clone(),
                    replaces: None,
                });
            }
            Uri::Urn(_) => return Err(ReferToError::Service),
            Uri::Other(_) => return Err(ReferToError::Scheme),
        };
        let method = sip.params().get("method").unwrap_or("INVITE");
        if method != "INVITE" {
            return Err(ReferToError::Method);
        }
        let mut replaces = None;
        for (name, value) in sip.headers() {
            if !name.eq_ignore_ascii_case(HeaderName::Replaces.as_str()) {
                continue;
            }
            let read = Replaces::parse(crate::uri::unescape(value))?;
            if replaces.replace(read).is_some() {
                let fault = Fault {
                    at: 0,
                    what: "header may stand only once",
                };
                return Err(HeaderError::new(HeaderName::Replaces, fault).into());
            }
        }
        Ok(Self {
            uri: sip.for_request_uri().into(),
            replaces,
        })
    }
}

impl fmt::Display for ReferTo {
    /// As the value of Refer-To.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.uri, &self.replaces) {
            (Uri::Sip(uri), Some(replaces)) => {
                let name = HeaderName::Replaces;
                let uri = uri
                    .clone()
                    .with_header(name.as_str(), &replaces.to_string());
                write!(f, "<{uri}>")
            }
            (uri, _) => write!(f, "<{uri}>"),
        }
    }
}

/// Event: the package and which of several subscriptions (RFC 6665 section 8.2.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventType {
    /// For example `refer`.
    pub package: String,
    /// The `id` parameter; of `refer` the CSeq of the REFER.
    pub id: Option<String>,
}

impl EventType {
    fn scan(scan: &mut Scan<'_>) -> Result<Self, Fault> {
        scan.skip_lws();
        let package = scan.token("expected an event package")?.to_owned();
        let params = Params::scan(scan)?;
        let id = params.get("id").map(str::to_owned);
        Ok(Self { package, id })
    }
}

/// Where a subscription stands (RFC 6665 section 4.1.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Substate {
    /// It was accepted.
    Active,
    /// It waits for a person.
    Pending,
    /// This was its last report.
    Terminated,
    /// A state of an extension.
    Other,
}

/// Subscription-State (RFC 6665 section 8.2.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubscriptionState {
    /// The state.
    pub state: Substate,
    /// Why it ended.
    pub reason: Option<String>,
    /// Seconds that are left.
    pub expires_s: Option<u32>,
}

impl SubscriptionState {
    fn scan(scan: &mut Scan<'_>) -> Result<Self, Fault> {
        scan.skip_lws();
        let state = scan.token("expected a subscription state")?;
        let state = match state.to_ascii_lowercase().as_str() {
            "active" => Substate::Active,
            "pending" => Substate::Pending,
            "terminated" => Substate::Terminated,
            _ => Substate::Other,
        };
        let at = scan.at();
        let params = Params::scan(scan)?;
        let mut expires_s = None;
        if let Some(text) = params.get("expires") {
            let mut seconds = Scan::new(text.as_bytes());
            let read = scan_seconds(&mut seconds).and_then(|read| seconds.finish().map(|()| read));
            expires_s = Some(read.map_err(|_| Fault {
                at,
                what: "expires is not a number of seconds",
            })?);
        }
        Ok(Self {
            state,
            reason: params.get("reason").map(str::to_owned),
            expires_s,
        })
    }
}

/// Why a body is no report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no report of a call: {0}")]
pub struct SipfragError(&'static str);

/// The status in a report, the first line of a `message/sipfrag` (RFC 3515 section 2.4.5, RFC 3420).
///
/// # Errors
/// When the body is longer than [`SIPFRAG_BYTES_MAX`] or begins with no status line.
pub fn sipfrag_status(body: &[u8]) -> Result<StatusCode, SipfragError> {
    if body.len() > SIPFRAG_BYTES_MAX {
        return Err(SipfragError("it is too long"));
    }
    let line = body.split(|b| matches!(b, b'\r' | b'\n')).next();
    let mut words = line.unwrap_or_default().splitn(3, |b| *b == b' ');
    if !words
        .next()
        .is_some_and(|version| version.eq_ignore_ascii_case(b"SIP/2.0"))
    {
        return Err(SipfragError("it does not begin with SIP/2.0"));
    }
    let code = words.next().filter(|code| code.len() == 3);
    code.and_then(|code| core::str::from_utf8(code).ok())
        .filter(|code| code.bytes().all(|digit| digit.is_ascii_digit()))
        .and_then(|code| StatusCode::new(code.parse().ok()?))
        .ok_or(SipfragError("its status is no number from 100 to 699"))
}

/// A report of this status.
#[must_use]
pub fn sipfrag(status: StatusCode) -> Vec<u8> {
    format!("SIP/2.0 {status} {}\r\n", status.reason()).into_bytes()
}

impl Headers {
    /// Refer-To (RFC 3515), with everything that its URI asks for; [`ReferTo::of`] reads that.
    ///
    /// # Errors
    /// When it is malformed or given twice.
    pub fn refer_to(&self) -> Result<Option<NameAddr>, HeaderError> {
        self.optional(HeaderName::ReferTo, NameAddr::scan)
    }

    /// Referred-By (RFC 3892): who asked for the call. Whatever its writer likes, without the signed body of section 4.
    ///
    /// # Errors
    /// When it is malformed or given twice.
    pub fn referred_by(&self) -> Result<Option<NameAddr>, HeaderError> {
        self.optional(HeaderName::ReferredBy, NameAddr::scan)
    }

    /// Replaces (RFC 3891).
    ///
    /// # Errors
    /// When it is malformed or given twice.
    pub fn replaces(&self) -> Result<Option<Replaces>, HeaderError> {
        self.optional(HeaderName::Replaces, Replaces::scan)
    }

    /// Refer-Sub (RFC 4488): whether progress is to be told.
    ///
    /// # Errors
    /// When it is malformed or given twice.
    pub fn refer_sub(&self) -> Result<Option<bool>, HeaderError> {
        self.optional(HeaderName::ReferSub, |scan| {
            scan.skip_lws();
            let at = scan.at();
            let told = match scan.token("expected true or false")? {
                yes if yes.eq_ignore_ascii_case("true") => true,
                no if no.eq_ignore_ascii_case("false") => false,
                _ => {
                    return Err(Fault {
                        at,
                        what: "neither true nor false",
                    });
                }
            };
            Params::scan(scan)?;
            Ok(told)
        })
    }

    /// Event (RFC 6665).
    ///
    /// # Errors
    /// When it is malformed or given twice.
    pub fn event(&self) -> Result<Option<EventType>, HeaderError> {
        self.optional(HeaderName::Event, EventType::scan)
    }

    /// Subscription-State (RFC 6665).
    ///
    /// # Errors
    /// When it is malformed or given twice.
    pub fn subscription_state(&self) -> Result<Option<SubscriptionState>, HeaderError> {
        self.optional(HeaderName::SubscriptionState, SubscriptionState::scan)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Method;
    use proptest::prelude::*;

    fn asked(value: &str) -> Result<ReferTo, ReferToError> {
        let uri = Uri::parse("sip:desk@example.com").unwrap();
        let mut refer = Request::new(Method::Refer, uri);
        refer.headers.push(HeaderName::ReferTo, value);
        ReferTo::of(&refer)
    }

    #[test]
    fn a_target_may_ask_for_the_place_of_a_call() {
        let plain = asked("sip:kitchen@example.com;method=INVITE").unwrap();
        assert_eq!(plain.uri.to_string(), "sip:kitchen@example.com");
        assert_eq!(plain.replaces, None);
        // The example of RFC 5589 section 7.1.
        let attended = asked(
            "<sip:482n4z24kdg@chicago.example.com?Replaces=090459243588173445%3Bto-tag%3D9m2n3wq%3Bfrom-tag%3D763231>",
        )
        .unwrap();
        let replaces = attended.replaces.as_ref().unwrap();
        assert_eq!(
            replaces.to_string(),
            "090459243588173445;to-tag=9m2n3wq;from-tag=763231"
        );
        assert_eq!(
            attended.to_string(),
            "<sip:482n4z24kdg@chicago.example.com?Replaces=090459243588173445%3Bto-tag%3D9m2n3wq%3Bfrom-tag%3D763231>"
        );
        assert_eq!(asked(&attended.to_string()), Ok(attended));
    }

    #[test]
    fn what_no_transfer_leads_to_is_refused_with_its_status() {
        for (value, status) in [
            ("", 400),
            ("kitchen", 400),
            ("<sip:a@b.example>, <sip:c@d.example>", 400),
            ("<sip:a@b.example?Replaces=1>", 400),
            (
                "<sip:a@b.example?Replaces=1%3Bto-tag%3D2%3Bfrom-tag%3D3&replaces=1%3Bto-tag%3D2%3Bfrom-tag%3D3>",
                400,
            ),
            ("<sip:a@b.example;method=BYE>", 501),
            ("<https://b.example/>", 416),
            ("urn:service:sos", 403),
            ("<urn:service:sos.police>", 403),
        ] {
            let error = asked(value).unwrap_err();
            assert_eq!(error.status().code(), status, "{value}: {error}");
        }
    }

    #[test]
    fn rows_are_read_or_said_to_be_wrong() {
        let mut headers = Headers::new();
        headers.push(HeaderName::ReferSub, "FALSE;why=no");
        headers.push(HeaderName::Event, "refer;id=93809824");
        headers.push(
            HeaderName::SubscriptionState,
            "terminated;reason=noresource",
        );
        assert_eq!(headers.refer_sub(), Ok(Some(false)));
        let event = headers.event().unwrap().unwrap();
        assert_eq!(
            (event.package.as_str(), event.id.as_deref()),
            ("refer", Some("93809824"))
        );
        let state = headers.subscription_state().unwrap().unwrap();
        assert_eq!(state.state, Substate::Terminated);
        assert_eq!(state.reason.as_deref(), Some("noresource"));
        headers.set(HeaderName::SubscriptionState, "active;expires=60");
        let state = headers.subscription_state().unwrap().unwrap();
        assert_eq!((state.state, state.expires_s), (Substate::Active, Some(60)));
        headers.set(HeaderName::ReferSub, "perhaps");
        headers.set(HeaderName::SubscriptionState, "active;expires=soon");
        assert!(headers.refer_sub().is_err());
        assert!(headers.subscription_state().is_err());
        headers.set(HeaderName::Replaces, "1;to-tag=2");
        assert!(headers.replaces().is_err());
    }

    #[test]
    fn a_report_is_its_first_line() {
        let of = |body: &[u8]| sipfrag_status(body).map(StatusCode::code).ok();
        assert_eq!(of(b"SIP/2.0 100 Trying\r\n"), Some(100));
        assert_eq!(of(b"SIP/2.0 603 Declined"), Some(603));
        assert_eq!(of(b"SIP/2.0 200\n"), Some(200));
        assert_eq!(
            of(b"SIP/2.0 200 OK\r\nContact: <sip:a@b.example>\r\n"),
            Some(200)
        );
        for broken in [
            &b""[..],
            b"SIP/2.0",
            b"SIP/2.0 20 OK",
            b"SIP/2.0 +20 OK",
            b"SIP/2.0 700 OK",
            b"HTTP/1.1 200 OK",
            &[b' '; SIPFRAG_BYTES_MAX + 1],
        ] {
            assert_eq!(of(broken), None);
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(
            call_id in "[!-+\\--:<-~]{1,40}", to_tag in "[a-z0-9.~-]{1,20}", from_tag in "[a-z0-9.~-]{1,20}", early_only in any::<bool>(),
        ) {
            let replaces = Replaces { call_id, to_tag, from_tag, early_only };
            prop_assert_eq!(Replaces::parse(replaces.to_string()), Ok(replaces.clone()));
            let target = ReferTo { uri: Uri::parse("sip:a@b.example").unwrap(), replaces: Some(replaces) };
            prop_assert_eq!(asked(&target.to_string()), Ok(target));
        }

        #[test]
        fn nothing_breaks_the_readers(value in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Replaces::parse(&value);
            let _ = sipfrag_status(&value);
            let _ = asked(&String::from_utf8_lossy(&value));
        }

        #[test]
        fn every_status_is_reported(code in 100_u16..700) {
            let status = StatusCode::new(code).unwrap();
            prop_assert_eq!(sipfrag_status(&sipfrag(status)), Ok(status));
        }
    }
}
