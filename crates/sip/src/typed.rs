//! Typed views of the header section, read on demand.
//!
//! Views of single-value headers refuse a second value (RFC 3261 section 7.3.1 lets only list
//! headers repeat); views of lists join all rows.

use crate::auth::AuthValue;
use crate::cseq::{CSeq, RAck};
use crate::header_name::HeaderName;
use crate::headers::{HeaderError, Headers};
use crate::media_type::MediaType;
use crate::method::Method;
use crate::name_addr::NameAddr;
use crate::scan::{Fault, Scan};
use crate::values::{Reason, RetryAfter, SessionExpires, Warning, scan_seconds};
use crate::via::Via;

/// Values of one list header that we read at most.
pub const LIST_MAX: usize = 256;

/// The Contact header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Contacts {
    /// `*`: all bindings (REGISTER only).
    Star,
    /// Addresses; empty if there is no Contact.
    List(Vec<NameAddr>),
}

impl Contacts {
    /// The first address.
    #[must_use]
    pub fn first(&self) -> Option<&NameAddr> {
        match self {
            Contacts::Star => None,
            Contacts::List(list) => list.first(),
        }
    }
}

pub(crate) type Parse<T> = fn(&mut Scan<'_>) -> Result<T, Fault>;

impl Headers {
    /// All Via values, topmost first.
    ///
    /// # Errors
    /// When one is malformed. An absent header is an empty list.
    pub fn vias(&self) -> Result<Vec<Via>, HeaderError> {
        self.list(&HeaderName::Via, Via::scan)
    }

    /// The topmost Via.
    ///
    /// # Errors
    /// When it is missing or malformed. Those below it are not looked at.
    pub fn top_via(&self) -> Result<Via, HeaderError> {
        let name = HeaderName::Via;
        let value = self
            .get(&name)
            .ok_or_else(|| HeaderError::missing(name.clone()))?;
        let mut scan = Scan::new(value);
        let wrong = |fault| HeaderError::new(HeaderName::Via, fault);
        let via = Via::scan(&mut scan).map_err(wrong)?;
        scan.skip_lws();
        if scan.peek().is_some_and(|b| b != b',') {
            return scan.fault("unexpected text after the Via").map_err(wrong);
        }
        Ok(via)
    }

    /// Replaces the topmost Via value, leaving the others as they are.
    ///
    /// # Errors
    /// When there is none or it is malformed.
    pub fn set_top_via(&mut self, via: &Via) -> Result<(), HeaderError> {
        self.top_via()?;
        self.replace_top_via(via)
    }

    /// The same for one that was read already.
    pub(crate) fn replace_top_via(&mut self, via: &Via) -> Result<(), HeaderError> {
        let first = self.first_value_len(&HeaderName::Via)?;
        self.replace_in_first_row(&HeaderName::Via, first, via);
        Ok(())
    }

    /// Removes the topmost Via value (a proxy forwarding a response, RFC 3261 section 16.7).
    ///
    /// # Errors
    /// When there is none or it is malformed.
    pub fn remove_top_via(&mut self) -> Result<(), HeaderError> {
        self.top_via()?;
        self.drop_top_via()
    }

    /// The same for one that was read already.
    pub(crate) fn drop_top_via(&mut self) -> Result<(), HeaderError> {
        self.remove_first_value(&HeaderName::Via)
    }

    /// Removes the first value of Route.
    ///
    /// # Errors
    /// When there is none or it is malformed.
    pub fn remove_first_route(&mut self) -> Result<(), HeaderError> {
        self.remove_first_value(&HeaderName::Route)
    }

    /// From.
    ///
    /// # Errors
    /// When it is missing, malformed or given twice.
    pub fn from(&self) -> Result<NameAddr, HeaderError> {
        self.required(HeaderName::From, NameAddr::scan)
    }

    /// To.
    ///
    /// # Errors
    /// When it is missing, malformed or given twice.
    pub fn to(&self) -> Result<NameAddr, HeaderError> {
        self.required(HeaderName::To, NameAddr::scan)
    }

    /// Call-ID.
    ///
    /// # Errors
    /// When it is missing, malformed or given twice.
    pub fn call_id(&self) -> Result<&str, HeaderError> {
        let name = HeaderName::CallId;
        let value = self
            .only(&name)?
            .ok_or_else(|| HeaderError::missing(name.clone()))?;
        let ok = |b: u8| {
            crate::scan::is_token_byte(b)
                || matches!(b, b'(' | b')' | b'<' | b'>' | b':' | b'\\' | b'"' | b'/')
                || matches!(b, b'[' | b']' | b'?' | b'{' | b'}')
        };
        // callid = word ["@" word]
        let mut words = value.split(|&b| b == b'@');
        let is_word = |word: &[u8]| !word.is_empty() && word.iter().all(|&b| ok(b));
        let (first, second, third) = (words.next(), words.next(), words.next());
        if first.is_some_and(is_word) && second.is_none_or(is_word) && third.is_none() {
            return Ok(crate::scan::ascii(value));
        }
        let at = value.iter().position(|&b| !ok(b) && b != b'@').unwrap_or(0);
        Err(HeaderError::new(
            name,
            Fault {
                at,
                what: "not a word or two words joined by '@'",
            },
        ))
    }

    /// CSeq.
    ///
    /// # Errors
    /// When it is missing, malformed, given twice or not below 2^31.
    pub fn cseq(&self) -> Result<CSeq, HeaderError> {
        self.required(HeaderName::CSeq, CSeq::scan)
    }

    /// Max-Forwards.
    ///
    /// # Errors
    /// When it is malformed, given twice or above 255.
    pub fn max_forwards(&self) -> Result<Option<u8>, HeaderError> {
        self.optional(HeaderName::MaxForwards, |scan| {
            scan.skip_lws();
            let hops = scan.number(255, "expected a number from 0 to 255")?;
            Ok(u8::try_from(hops).unwrap_or(u8::MAX))
        })
    }

    /// Content-Type.
    ///
    /// # Errors
    /// When it is malformed or given twice.
    pub fn content_type(&self) -> Result<Option<MediaType>, HeaderError> {
        self.optional(HeaderName::ContentType, MediaType::scan)
    }

    /// Contact.
    ///
    /// # Errors
    /// When one address is malformed or `*` stands beside others.
    pub fn contacts(&self) -> Result<Contacts, HeaderError> {
        let name = HeaderName::Contact;
        let mut rows = self.get_all(&name);
        if rows.next() == Some(b"*") && rows.next().is_none() {
            return Ok(Contacts::Star);
        }
        self.list(&name, NameAddr::scan).map(Contacts::List)
    }

    /// Route, in order.
    ///
    /// # Errors
    /// When one value is malformed.
    pub fn routes(&self) -> Result<Vec<NameAddr>, HeaderError> {
        self.list(&HeaderName::Route, NameAddr::scan_strict)
    }

    /// Record-Route, in order.
    ///
    /// # Errors
    /// When one value is malformed.
    pub fn record_routes(&self) -> Result<Vec<NameAddr>, HeaderError> {
        self.list(&HeaderName::RecordRoute, NameAddr::scan_strict)
    }

    /// Path (RFC 3327).
    ///
    /// # Errors
    /// When one value is malformed.
    pub fn paths(&self) -> Result<Vec<NameAddr>, HeaderError> {
        self.list(&HeaderName::Path, NameAddr::scan_strict)
    }

    /// Service-Route (RFC 3608).
    ///
    /// # Errors
    /// When one value is malformed.
    pub fn service_routes(&self) -> Result<Vec<NameAddr>, HeaderError> {
        self.list(&HeaderName::ServiceRoute, NameAddr::scan_strict)
    }

    /// P-Asserted-Identity (RFC 3325).
    ///
    /// # Errors
    /// When one value is malformed.
    pub fn asserted_identities(&self) -> Result<Vec<NameAddr>, HeaderError> {
        self.list(&HeaderName::PAssertedIdentity, NameAddr::scan)
    }

    /// RSeq (RFC 3262).
    ///
    /// # Errors
    /// When it is malformed or given twice.
    pub fn rseq(&self) -> Result<Option<u32>, HeaderError> {
        self.optional(HeaderName::RSeq, |scan| {
            scan.skip_lws();
            let number = scan.number(u64::from(u32::MAX), "expected a response number")?;
            Ok(u32::try_from(number).unwrap_or(u32::MAX))
        })
    }

    /// RAck (RFC 3262).
    ///
    /// # Errors
    /// When it is malformed or given twice.
    pub fn rack(&self) -> Result<Option<RAck>, HeaderError> {
        self.optional(HeaderName::RAck, RAck::scan)
    }

    /// Session-Expires (RFC 4028).
    ///
    /// # Errors
    /// When it is malformed or given twice.
    pub fn session_expires(&self) -> Result<Option<SessionExpires>, HeaderError> {
        self.optional(HeaderName::SessionExpires, SessionExpires::scan)
    }

    /// Min-SE in seconds (RFC 4028).
    ///
    /// # Errors
    /// When it is malformed or given twice.
    pub fn min_se(&self) -> Result<Option<u32>, HeaderError> {
        self.optional(HeaderName::MinSe, |scan| {
            scan.skip_lws();
            let seconds = scan_seconds(scan)?;
            crate::params::Params::scan(scan)?;
            Ok(seconds)
        })
    }

    /// Expires in seconds.
    ///
    /// # Errors
    /// When it is malformed, given twice or above 2^32 - 1.
    pub fn expires(&self) -> Result<Option<u32>, HeaderError> {
        self.seconds(HeaderName::Expires)
    }

    /// Min-Expires in seconds.
    ///
    /// # Errors
    /// When it is malformed, given twice or above 2^32 - 1.
    pub fn min_expires(&self) -> Result<Option<u32>, HeaderError> {
        self.seconds(HeaderName::MinExpires)
    }

    /// Flow-Timer in seconds (RFC 5626).
    ///
    /// # Errors
    /// When it is malformed, given twice or above 2^32 - 1.
    pub fn flow_timer(&self) -> Result<Option<u32>, HeaderError> {
        self.seconds(HeaderName::FlowTimer)
    }

    /// Option tags of Require.
    ///
    /// # Errors
    /// When one is not a token.
    pub fn require(&self) -> Result<Vec<String>, HeaderError> {
        self.tokens(&HeaderName::Require)
    }

    /// Option tags of Proxy-Require.
    ///
    /// # Errors
    /// When one is not a token.
    pub fn proxy_require(&self) -> Result<Vec<String>, HeaderError> {
        self.tokens(&HeaderName::ProxyRequire)
    }

    /// Option tags of Supported.
    ///
    /// # Errors
    /// When one is not a token.
    pub fn supported(&self) -> Result<Vec<String>, HeaderError> {
        self.tokens(&HeaderName::Supported)
    }

    /// Option tags of Unsupported.
    ///
    /// # Errors
    /// When one is not a token.
    pub fn unsupported(&self) -> Result<Vec<String>, HeaderError> {
        self.tokens(&HeaderName::Unsupported)
    }

    /// Whether the list header `name` holds `token`, in any case.
    #[must_use]
    pub fn lists(&self, name: &HeaderName, token: &str) -> bool {
        self.get_all(name)
            .flat_map(|row| row.split(|&b| b == b','))
            .any(|value| crate::scan::trim(value).eq_ignore_ascii_case(token.as_bytes()))
    }

    /// Allow; `None` if the header is absent, which says nothing about what is allowed.
    ///
    /// # Errors
    /// When a method is not a token.
    pub fn allow(&self) -> Result<Option<Vec<Method>>, HeaderError> {
        if !self.contains(&HeaderName::Allow) {
            return Ok(None);
        }
        let tokens = self.tokens(&HeaderName::Allow)?;
        Ok(Some(
            tokens.iter().filter_map(|t| Method::parse(t)).collect(),
        ))
    }

    /// Challenges of a 401 (WWW-Authenticate), one a row, in order.
    ///
    /// # Errors
    /// When one is malformed.
    pub fn www_authenticate(&self) -> Result<Vec<AuthValue>, HeaderError> {
        self.rows(&HeaderName::WwwAuthenticate, AuthValue::scan)
    }

    /// Challenges of a 407 (Proxy-Authenticate), one a row, in order.
    ///
    /// # Errors
    /// When one is malformed.
    pub fn proxy_authenticate(&self) -> Result<Vec<AuthValue>, HeaderError> {
        self.rows(&HeaderName::ProxyAuthenticate, AuthValue::scan)
    }

    /// Credentials for the user agent (Authorization), one a row.
    ///
    /// # Errors
    /// When one is malformed.
    pub fn authorization(&self) -> Result<Vec<AuthValue>, HeaderError> {
        self.rows(&HeaderName::Authorization, AuthValue::scan)
    }

    /// Credentials for proxies (Proxy-Authorization), one a row.
    ///
    /// # Errors
    /// When one is malformed.
    pub fn proxy_authorization(&self) -> Result<Vec<AuthValue>, HeaderError> {
        self.rows(&HeaderName::ProxyAuthorization, AuthValue::scan)
    }

    /// Geolocation (RFC 6442): references to locations, `<cid:...>` or `<https:...>`.
    ///
    /// # Errors
    /// When one value is malformed.
    pub fn geolocation(&self) -> Result<Vec<NameAddr>, HeaderError> {
        self.list(&HeaderName::Geolocation, NameAddr::scan_strict)
    }

    /// Geolocation-Routing (RFC 6442): whether the location may be used to route. Values other
    /// than `yes` count as `no` (section 4.2).
    #[must_use]
    pub fn geolocation_routing(&self) -> Option<bool> {
        self.get(&HeaderName::GeolocationRouting).map(|value| {
            let end = value.iter().position(|&b| b == b';').unwrap_or(value.len());
            crate::scan::trim(&value[..end]).eq_ignore_ascii_case(b"yes")
        })
    }

    /// Call-Info: `<uri>;purpose=...` (RFC 3261 section 20.9, RFC 7852).
    ///
    /// # Errors
    /// When one value is malformed.
    pub fn call_info(&self) -> Result<Vec<NameAddr>, HeaderError> {
        self.list(&HeaderName::CallInfo, NameAddr::scan_strict)
    }

    /// Reason (RFC 3326).
    ///
    /// # Errors
    /// When one value is malformed.
    pub fn reasons(&self) -> Result<Vec<Reason>, HeaderError> {
        self.list(&HeaderName::Reason, Reason::scan)
    }

    /// Warning.
    ///
    /// # Errors
    /// When one value is malformed.
    pub fn warnings(&self) -> Result<Vec<Warning>, HeaderError> {
        self.list(&HeaderName::Warning, Warning::scan)
    }

    /// Retry-After.
    ///
    /// # Errors
    /// When it is malformed or given twice.
    pub fn retry_after(&self) -> Result<Option<RetryAfter>, HeaderError> {
        self.optional(HeaderName::RetryAfter, RetryAfter::scan)
    }

    fn seconds(&self, name: HeaderName) -> Result<Option<u32>, HeaderError> {
        self.optional(name, |scan| {
            scan.skip_lws();
            scan_seconds(scan)
        })
    }

    fn tokens(&self, name: &HeaderName) -> Result<Vec<String>, HeaderError> {
        self.list(name, |scan| {
            scan.skip_lws();
            scan.token("expected a token").map(str::to_owned)
        })
    }

    /// The one row of a header that may stand only once.
    fn only(&self, name: &HeaderName) -> Result<Option<&[u8]>, HeaderError> {
        let mut rows = self.rows_named(name);
        let first = rows.next();
        if rows.next().is_some() {
            let fault = Fault {
                at: 0,
                what: "header may stand only once",
            };
            return Err(HeaderError::new(name.clone(), fault));
        }
        Ok(first)
    }

    fn rows_named(&self, name: &HeaderName) -> impl Iterator<Item = &[u8]> {
        self.iter().filter(move |(n, _)| *n == name).map(|(_, v)| v)
    }

    pub(crate) fn optional<T>(
        &self,
        name: HeaderName,
        parse: Parse<T>,
    ) -> Result<Option<T>, HeaderError> {
        let Some(value) = self.only(&name)? else {
            return Ok(None);
        };
        let mut scan = Scan::new(value);
        match parse(&mut scan).and_then(|parsed| scan.finish().map(|()| parsed)) {
            Ok(parsed) => Ok(Some(parsed)),
            Err(fault) => Err(HeaderError::new(name, fault)),
        }
    }

    fn required<T>(&self, name: HeaderName, parse: Parse<T>) -> Result<T, HeaderError> {
        self.optional(name.clone(), parse)?
            .ok_or_else(|| HeaderError::missing(name))
    }

    /// One value a row.
    fn rows<T>(&self, name: &HeaderName, parse: Parse<T>) -> Result<Vec<T>, HeaderError> {
        let wrong = |fault| HeaderError::new(name.clone(), fault);
        let mut values = Vec::new();
        for row in self.rows_named(name).take(LIST_MAX) {
            let mut scan = Scan::new(row);
            let value = parse(&mut scan)
                .and_then(|v| scan.finish().map(|()| v))
                .map_err(wrong)?;
            values.push(value);
        }
        Ok(values)
    }

    /// Comma-separated values over all rows. Empty rows are empty lists (`Supported:`), empty
    /// elements between commas are not.
    fn list<T>(&self, name: &HeaderName, parse: Parse<T>) -> Result<Vec<T>, HeaderError> {
        let wrong = |fault| HeaderError::new(name.clone(), fault);
        let mut values = Vec::new();
        for row in self.rows_named(name) {
            if row.is_empty() {
                continue;
            }
            let mut scan = Scan::new(row);
            loop {
                values.push(parse(&mut scan).map_err(wrong)?);
                if values.len() > LIST_MAX {
                    return scan.fault("too many values").map_err(wrong);
                }
                if !scan.eat_separator(b',') {
                    break;
                }
            }
            scan.finish().map_err(wrong)?;
        }
        Ok(values)
    }

    fn remove_first_value(&mut self, name: &HeaderName) -> Result<(), HeaderError> {
        let first = self.first_value_len(name)?;
        self.cut_first_row(name, first);
        Ok(())
    }

    /// How many bytes the first value of a list header takes, its comma and the space behind it with them.
    fn first_value_len(&self, name: &HeaderName) -> Result<usize, HeaderError> {
        let row = self
            .get(name)
            .ok_or_else(|| HeaderError::missing(name.clone()))?;
        let mut scan = Scan::new(row);
        loop {
            scan.take_while(|b| !matches!(b, b',' | b'"' | b'<'));
            match scan.peek() {
                Some(b'"') => {
                    scan.quoted()
                        .map_err(|f| HeaderError::new(name.clone(), f))?;
                }
                Some(b'<') => {
                    scan.take_while(|b| b != b'>');
                }
                Some(_) => {
                    scan.eat_separator(b',');
                    return Ok(scan.at());
                }
                None => return Ok(row.len()),
            }
        }
    }
}
