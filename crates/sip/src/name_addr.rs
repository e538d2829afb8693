//! `"Display Name" <uri>;params`: the value of From, To, Contact, Route and their kin.

use std::fmt;

use crate::params::Params;
use crate::scan::{Fault, Scan, is_lws_byte, is_token_byte, write_quoted};
use crate::uri::Uri;

/// An address with an optional display name and header parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameAddr {
    /// The display name without quotes. Bytes that are not UTF-8 show as U+FFFD here; the raw
    /// row keeps them.
    pub display: Option<String>,
    /// The address.
    pub uri: Uri,
    /// Parameters after the address (`tag`, `expires`, `q`, ...).
    pub params: Params,
}

impl NameAddr {
    /// An address alone.
    #[must_use]
    pub fn new(uri: impl Into<Uri>) -> Self {
        NameAddr {
            display: None,
            uri: uri.into(),
            params: Params::new(),
        }
    }

    /// With a display name.
    #[must_use]
    pub fn with_display(mut self, display: &str) -> Self {
        self.display = Some(display.to_owned());
        self
    }

    /// With a `tag` parameter.
    #[must_use]
    pub fn with_tag(mut self, tag: &str) -> Self {
        self.params.set("tag", tag);
        self
    }

    /// With any parameter.
    #[must_use]
    pub fn with_param(mut self, name: &str, value: &str) -> Self {
        self.params.set(name, value);
        self
    }

    /// The `tag` parameter of From and To.
    #[must_use]
    pub fn tag(&self) -> Option<&str> {
        self.params.get("tag")
    }

    /// The `expires` parameter of a Contact in seconds; 3600 where it cannot be read
    /// (RFC 3261 section 10.2.1.1), `None` if absent.
    #[must_use]
    pub fn expires(&self) -> Option<u32> {
        self.params.has("expires").then(|| {
            self.params
                .get("expires")
                .and_then(|v| v.parse().ok())
                .unwrap_or(3600)
        })
    }

    /// The `q` parameter in thousandths; `None` if absent or malformed.
    #[must_use]
    pub fn q(&self) -> Option<u16> {
        let text = self.params.get("q")?;
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        if fraction.len() > 3 || !fraction.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let thousandths: u16 = format!("{fraction:0<3}").parse().ok()?;
        match whole {
            "0" => Some(thousandths),
            "1" if thousandths == 0 => Some(1000),
            _ => None,
        }
    }

    /// `name-addr / addr-spec` with parameters. Without brackets, everything from the first
    /// semicolon on belongs to the header, and the URI may hold no comma or question mark
    /// (RFC 3261 section 20).
    pub(crate) fn scan(scan: &mut Scan<'_>) -> Result<NameAddr, Fault> {
        scan.skip_lws();
        if let Some(display) = scan_display(scan)? {
            return NameAddr::scan_bracketed(scan, display);
        }
        let at = scan.at();
        let text = scan.take_while(|b| !is_lws_byte(b) && !matches!(b, b';' | b',' | b'<' | b'>'));
        if let Some(i) = text.iter().position(|&b| b == b'?') {
            return Err(Fault {
                at: at + i,
                what: "a URI with '?' must stand in <>",
            });
        }
        let uri = parse_uri(text, at)?;
        let params = Params::scan(scan)?;
        Ok(NameAddr {
            display: None,
            uri,
            params,
        })
    }

    /// `name-addr` with parameters, for headers that demand the brackets.
    pub(crate) fn scan_strict(scan: &mut Scan<'_>) -> Result<NameAddr, Fault> {
        scan.skip_lws();
        match scan_display(scan)? {
            Some(display) => NameAddr::scan_bracketed(scan, display),
            None => scan.fault("the URI must stand in <>"),
        }
    }

    /// Parses a single value, for example from a configuration.
    ///
    /// # Errors
    /// When the text is not exactly one address.
    pub fn parse(text: &str) -> Result<NameAddr, NameAddrError> {
        let mut scan = Scan::new(text.as_bytes());
        let parsed = NameAddr::scan(&mut scan).and_then(|v| scan.finish().map(|()| v));
        parsed.map_err(|Fault { at, what }| NameAddrError { at_byte: at, what })
    }

    fn scan_bracketed(scan: &mut Scan<'_>, display: Display) -> Result<NameAddr, Fault> {
        let Display(display) = display;
        let open = scan.at();
        if !scan.eat(b'<') {
            return scan.fault("expected '<'");
        }
        let at = scan.at();
        let text = scan.take_while(|b| b != b'>');
        if !scan.eat(b'>') {
            return Err(Fault {
                at: open,
                what: "'<' has no closing '>'",
            });
        }
        let uri = parse_uri(text, at)?;
        let params = Params::scan(scan)?;
        Ok(NameAddr {
            display,
            uri,
            params,
        })
    }
}

/// Why a text is not an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{what} at byte {at_byte} of the address")]
pub struct NameAddrError {
    /// Offset in the text.
    pub at_byte: usize,
    /// What is wrong.
    pub what: &'static str,
}

struct Display(Option<String>);

/// The display name up to the `<`; `None` if the value has no brackets, with the cursor back at
/// its start.
fn scan_display(scan: &mut Scan<'_>) -> Result<Option<Display>, Fault> {
    if scan.peek() == Some(b'"') {
        let text = String::from_utf8_lossy(&scan.quoted()?).into_owned();
        scan.skip_lws();
        if scan.peek() != Some(b'<') {
            return scan.fault("expected '<' after the display name");
        }
        return Ok(Some(Display(Some(text))));
    }
    let mut ahead = scan.clone();
    let mut words = String::new();
    loop {
        ahead.skip_lws();
        if ahead.peek() == Some(b'<') {
            *scan = ahead;
            let display = (!words.is_empty()).then_some(words);
            return Ok(Some(Display(display)));
        }
        let word = ahead.take_while(is_token_byte);
        if word.is_empty() {
            return Ok(None);
        }
        if !words.is_empty() {
            words.push(' ');
        }
        words.push_str(crate::scan::ascii(word));
    }
}

fn parse_uri(text: &[u8], at: usize) -> Result<Uri, Fault> {
    Uri::parse(text).map_err(|e| Fault {
        at: at + e.at_byte,
        what: e.what,
    })
}

impl fmt::Display for NameAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(display) = &self.display {
            let mut quoted = String::with_capacity(display.len() + 2);
            write_quoted(&mut quoted, display);
            write!(f, "{quoted} ")?;
        }
        write!(f, "<{}>{}", self.uri, self.params)
    }
}
