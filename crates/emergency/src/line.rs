//! A way out of the home: where it goes, how it is addressed, what it carries, and what it is let in with.

use core::fmt;

use zeroize::Zeroize;

use crate::numbers::NumberPlan;
use crate::target::SipUri;

/// A transport, in the order a line tries them (RFC 6881 ED-57, ED-58: TLS first, then without).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Transport {
    /// TLS over TCP.
    Tls,
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

/// A way out of the home.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its name in the configuration and in every event: `landline`, `trunk`.
    pub name: String,
    /// Where its INVITE is sent.
    pub target: SipUri,
    /// Transports in the order they are tried.
    pub transports: Vec<Transport>,
    /// What stands in Request-URI and To.
    pub address_as: AddressAs,
    /// What the INVITE's body carries.
    pub body: LineBody,
    /// What a 401 or 407 is answered with.
    pub credentials: Option<LineCredentials>,
}

impl Line {
    /// A line that is addressed by the service, takes the whole body and asks for no password.
    pub fn new(name: impl Into<String>, target: SipUri, transports: Vec<Transport>) -> Self {
        Line {
            name: name.into(),
            target,
            transports,
            address_as: AddressAs::Service,
            body: LineBody::Full,
            credentials: None,
        }
    }
}

/// What stands in Request-URI and To.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AddressAs {
    /// `urn:service:sos` or a sub-service (RFC 6881 ED-62.1).
    #[default]
    Service,
    /// `sip:911@host`, for what knows telephone numbers only: a landline adapter, a trunk, a softphone. The number comes
    /// out of this plan's own table and goes past every dial plan (DESIGN invariant 2).
    Number(NumberPlan),
}

/// What the INVITE's body carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LineBody {
    /// Session, location and additional data as `multipart/mixed`.
    #[default]
    Full,
    /// The session description alone. Location and data are not sent on this line, and the record says so.
    SessionOnly,
}

/// User name and password for digest (RFC 3261 §22). Never shown; the password is overwritten when it is dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct LineCredentials {
    username: String,
    password: String,
}

impl LineCredentials {
    /// From what the household keeps in a file of its own.
    pub fn new(username: impl Into<String>, password: impl Into<String>) -> Self {
        LineCredentials {
            username: username.into(),
            password: password.into(),
        }
    }

    /// The account's name; on many trunks a telephone number.
    pub fn username(&self) -> &str {
        &self.username
    }

    /// The password, for the one who computes the digest.
    pub fn password(&self) -> &str {
        &self.password
    }
}

impl Drop for LineCredentials {
    fn drop(&mut self) {
        self.password.zeroize();
    }
}

impl fmt::Debug for LineCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LineCredentials(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_never_shown() {
        let mut line = Line::new(
            "trunk",
            SipUri::parse("sip:127.0.0.1:5060").unwrap(),
            vec![Transport::Udp],
        );
        line.credentials = Some(LineCredentials::new("5550123", "only for drills"));
        let shown = format!("{line:?}");
        assert!(
            !shown.contains("5550123") && !shown.contains("drills"),
            "{shown}"
        );
    }
}
