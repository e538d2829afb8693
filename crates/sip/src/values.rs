//! Small header values: session timers, Reason, Warning, Retry-After.

use std::fmt;

use crate::params::Params;
use crate::scan::{Fault, Scan, write_quoted};

/// Who refreshes the session (RFC 4028).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Refresher {
    /// The one who sent the request.
    Uac,
    /// The one who answers it.
    Uas,
}

/// Session-Expires (RFC 4028 section 4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionExpires {
    /// The session's interval in seconds.
    pub seconds: u32,
    /// Who refreshes, if said.
    pub refresher: Option<Refresher>,
}

impl SessionExpires {
    pub(crate) fn scan(scan: &mut Scan<'_>) -> Result<SessionExpires, Fault> {
        scan.skip_lws();
        let seconds = scan_seconds(scan)?;
        let at = scan.at();
        let params = Params::scan(scan)?;
        let refresher = match params.get("refresher") {
            None => None,
            Some(who) if who.eq_ignore_ascii_case("uac") => Some(Refresher::Uac),
            Some(who) if who.eq_ignore_ascii_case("uas") => Some(Refresher::Uas),
            Some(_) => {
                return Err(Fault {
                    at,
                    what: "refresher is neither uac nor uas",
                });
            }
        };
        Ok(SessionExpires { seconds, refresher })
    }
}

impl fmt::Display for SessionExpires {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.seconds)?;
        match self.refresher {
            Some(Refresher::Uac) => f.write_str(";refresher=uac"),
            Some(Refresher::Uas) => f.write_str(";refresher=uas"),
            None => Ok(()),
        }
    }
}

/// delta-seconds, up to 2^32 - 1.
pub(crate) fn scan_seconds(scan: &mut Scan<'_>) -> Result<u32, Fault> {
    let seconds = scan.number(u64::from(u32::MAX), "expected a number of seconds")?;
    Ok(u32::try_from(seconds).unwrap_or(u32::MAX))
}

/// Reason (RFC 3326): why a request was sent, for example `SIP;cause=200;text="..."`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// `SIP`, `Q.850` or another protocol.
    pub protocol: String,
    /// cause, text and others.
    pub params: Params,
}

impl Reason {
    /// A reason with cause and text.
    #[must_use]
    pub fn new(protocol: &str, cause: u16, text: &str) -> Self {
        let mut params = Params::new();
        params.set("cause", &cause.to_string());
        params.set_quoted("text", text);
        Reason {
            protocol: protocol.to_owned(),
            params,
        }
    }

    /// The cause.
    #[must_use]
    pub fn cause(&self) -> Option<u16> {
        self.params.get("cause")?.parse().ok()
    }

    /// The text.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        self.params.get("text")
    }

    pub(crate) fn scan(scan: &mut Scan<'_>) -> Result<Reason, Fault> {
        scan.skip_lws();
        let protocol = scan.token("expected a protocol")?.to_owned();
        Ok(Reason {
            protocol,
            params: Params::scan(scan)?,
        })
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.protocol, self.params)
    }
}

/// Warning (RFC 3261 section 20.43).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// Three digits.
    pub code: u16,
    /// Who warns: host[:port] or a token.
    pub agent: String,
    /// The text.
    pub text: String,
}

impl Warning {
    pub(crate) fn scan(scan: &mut Scan<'_>) -> Result<Warning, Fault> {
        scan.skip_lws();
        let at = scan.at();
        let code = scan.number(999, "expected a warning code")?;
        if scan.at() - at != 3 {
            return Err(Fault {
                at,
                what: "warning code is not three digits",
            });
        }
        scan.skip_lws();
        let agent = scan.take_while(|b| b.is_ascii_graphic() && !matches!(b, b'"' | b','));
        if agent.is_empty() {
            return scan.fault("expected the warning's agent");
        }
        let agent = crate::scan::ascii(agent).to_owned();
        scan.skip_lws();
        let text = String::from_utf8_lossy(&scan.quoted()?).into_owned();
        Ok(Warning {
            code: u16::try_from(code).unwrap_or(0),
            agent,
            text,
        })
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        write_quoted(&mut text, &self.text);
        write!(f, "{:03} {} {text}", self.code, self.agent)
    }
}

/// Retry-After (RFC 3261 section 20.33); its comment is read over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetryAfter {
    /// Seconds to wait.
    pub seconds: u32,
    /// `duration` and others.
    pub params: Params,
}

impl RetryAfter {
    pub(crate) fn scan(scan: &mut Scan<'_>) -> Result<RetryAfter, Fault> {
        scan.skip_lws();
        let seconds = scan_seconds(scan)?;
        scan.skip_lws();
        skip_comment(scan)?;
        Ok(RetryAfter {
            seconds,
            params: Params::scan(scan)?,
        })
    }
}

impl fmt::Display for RetryAfter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.seconds, self.params)
    }
}

/// `( ... )`, which may nest.
fn skip_comment(scan: &mut Scan<'_>) -> Result<(), Fault> {
    let open = scan.at();
    if !scan.eat(b'(') {
        return Ok(());
    }
    let mut depth = 1usize;
    while depth > 0 {
        scan.take_while(|b| !matches!(b, b'(' | b')' | b'\\'));
        if scan.eat(b'(') {
            depth += 1;
        } else if scan.eat(b')') {
            depth -= 1;
        } else if scan.eat(b'\\') {
            let Some(escaped) = scan.peek() else {
                return Err(Fault {
                    at: open,
                    what: "comment has no closing parenthesis",
                });
            };
            scan.eat(escaped);
        } else {
            return Err(Fault {
                at: open,
                what: "comment has no closing parenthesis",
            });
        }
    }
    scan.skip_lws();
    Ok(())
}
