//! Header field names, with their compact forms.

use std::fmt;
use std::hash::{Hash, Hasher};

use crate::scan::is_token;

macro_rules! names {
    ($(($variant:ident, $name:literal $(, $compact:literal)?)),* $(,)?) => {
        /// The name of a header field. Known names compare by identity, others without regard
        /// to case.
        #[derive(Debug, Clone)]
        pub enum HeaderName {
            $(#[doc = concat!("`", $name, "`")] $variant,)*
            /// A name that this list does not know, as it was written.
            Other(OtherName),
        }

        impl HeaderName {
            /// The canonical long form.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(HeaderName::$variant => $name,)*
                    HeaderName::Other(OtherName(name)) => name,
                }
            }

            fn known(name: &[u8]) -> Option<HeaderName> {
                $($(if name.len() == 1 && name[0].eq_ignore_ascii_case(&$compact) {
                    return Some(HeaderName::$variant);
                })?)*
                $(if name.len() == $name.len() && name.eq_ignore_ascii_case($name.as_bytes()) {
                    return Some(HeaderName::$variant);
                })*
                None
            }
        }
    };
}

/// A header name outside the known list; always a token.
#[derive(Debug, Clone)]
pub struct OtherName(Box<str>);

names![
    (Via, "Via", b'v'),
    (From, "From", b'f'),
    (To, "To", b't'),
    (CallId, "Call-ID", b'i'),
    (CSeq, "CSeq"),
    (Contact, "Contact", b'm'),
    (MaxForwards, "Max-Forwards"),
    (ContentLength, "Content-Length", b'l'),
    (ContentType, "Content-Type", b'c'),
    (Route, "Route"),
    (RecordRoute, "Record-Route"),
    (Supported, "Supported", b'k'),
    (Require, "Require"),
    (Allow, "Allow"),
    (UserAgent, "User-Agent"),
    (Accept, "Accept"),
    (AcceptContact, "Accept-Contact", b'a'),
    (AcceptEncoding, "Accept-Encoding"),
    (AcceptLanguage, "Accept-Language"),
    (AlertInfo, "Alert-Info"),
    (AllowEvents, "Allow-Events", b'u'),
    (AuthenticationInfo, "Authentication-Info"),
    (Authorization, "Authorization"),
    (CallInfo, "Call-Info"),
    (ContentDisposition, "Content-Disposition"),
    (ContentEncoding, "Content-Encoding", b'e'),
    (ContentId, "Content-ID"),
    (ContentLanguage, "Content-Language"),
    (ContentTransferEncoding, "Content-Transfer-Encoding"),
    (Date, "Date"),
    (ErrorInfo, "Error-Info"),
    (Event, "Event", b'o'),
    (Expires, "Expires"),
    (FlowTimer, "Flow-Timer"),
    (Geolocation, "Geolocation"),
    (GeolocationError, "Geolocation-Error"),
    (GeolocationRouting, "Geolocation-Routing"),
    (InReplyTo, "In-Reply-To"),
    (MaxBreadth, "Max-Breadth"),
    (MimeVersion, "MIME-Version"),
    (MinExpires, "Min-Expires"),
    (MinSe, "Min-SE"),
    (Organization, "Organization"),
    (PAssertedIdentity, "P-Asserted-Identity"),
    (PPreferredIdentity, "P-Preferred-Identity"),
    (Path, "Path"),
    (Priority, "Priority"),
    (Privacy, "Privacy"),
    (ProxyAuthenticate, "Proxy-Authenticate"),
    (ProxyAuthorization, "Proxy-Authorization"),
    (ProxyRequire, "Proxy-Require"),
    (RAck, "RAck"),
    (Reason, "Reason"),
    (ReferredBy, "Referred-By", b'b'),
    (ReferSub, "Refer-Sub"),
    (ReferTo, "Refer-To", b'r'),
    (RejectContact, "Reject-Contact", b'j'),
    (Replaces, "Replaces"),
    (ReplyTo, "Reply-To"),
    (RequestDisposition, "Request-Disposition", b'd'),
    (RetryAfter, "Retry-After"),
    (RSeq, "RSeq"),
    (Server, "Server"),
    (ServiceRoute, "Service-Route"),
    (SessionExpires, "Session-Expires", b'x'),
    (SipEtag, "SIP-ETag"),
    (SipIfMatch, "SIP-If-Match"),
    (Subject, "Subject", b's'),
    (SubscriptionState, "Subscription-State"),
    (Timestamp, "Timestamp"),
    (Unsupported, "Unsupported"),
    (Warning, "Warning"),
    (WwwAuthenticate, "WWW-Authenticate"),
];

impl HeaderName {
    /// Reads a long or compact name; `None` if it is not a token.
    #[must_use]
    pub fn parse(name: &[u8]) -> Option<HeaderName> {
        HeaderName::known(name).or_else(|| {
            is_token(name).then(|| HeaderName::Other(OtherName(crate::scan::ascii(name).into())))
        })
    }
}

impl PartialEq for HeaderName {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (HeaderName::Other(a), HeaderName::Other(b)) => a.0.eq_ignore_ascii_case(&b.0),
            _ => std::mem::discriminant(self) == std::mem::discriminant(other),
        }
    }
}

impl Eq for HeaderName {}

impl Hash for HeaderName {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for byte in self.as_str().bytes() {
            state.write_u8(byte.to_ascii_lowercase());
        }
    }
}

impl fmt::Display for HeaderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compact_forms_and_case_mean_the_same_header() {
        assert_eq!(HeaderName::parse(b"v"), Some(HeaderName::Via));
        assert_eq!(HeaderName::parse(b"L"), Some(HeaderName::ContentLength));
        assert_eq!(HeaderName::parse(b"cALL-id"), Some(HeaderName::CallId));
        assert_eq!(HeaderName::parse(b"X-One"), HeaderName::parse(b"x-oNE"));
        assert_eq!(HeaderName::parse(b"no good"), None);
        assert_eq!(HeaderName::parse(b""), None);
    }
}
