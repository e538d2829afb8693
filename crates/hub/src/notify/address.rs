//! Addresses of services on this machine.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};

use hearthline_transport::Reach;
use serde::{Deserialize, Serialize};

/// Longest address, in bytes.
const BYTES_MAX: usize = 1_000;

/// `http://127.0.0.1:8080/path`; `localhost` and `[::1]` are this machine as well.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LocalUrl {
    text: String,
    host_bytes: usize,
    address: SocketAddr,
}

/// Why an address is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Not of this form.
    #[error("write the address as http://127.0.0.1:8080/path")]
    Form,
    /// Somewhere else.
    #[error("the address is not this machine's; nothing is sent anywhere else")]
    Elsewhere,
}

const SCHEME: &str = "http://";

impl LocalUrl {
    /// Where to connect.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Host and port, as they were given.
    pub(crate) fn host(&self) -> &str {
        &self.text[SCHEME.len()..self.host_bytes]
    }

    /// Path and query.
    pub(crate) fn path(&self) -> &str {
        match &self.text[self.host_bytes..] {
            "" => "/",
            path => path,
        }
    }

    /// `http://127.0.0.1:8080`.
    pub(crate) fn origin(&self) -> &str {
        &self.text[..self.host_bytes]
    }

    /// The whole.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for LocalUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A path may be as good as a password.
        write!(f, "LocalUrl({})", self.address)
    }
}

impl TryFrom<String> for LocalUrl {
    type Error = AddressError;
    fn try_from(text: String) -> Result<Self, AddressError> {
        let rest = text.strip_prefix(SCHEME).ok_or(AddressError::Form)?;
        let host = rest.split(['/', '?']).next().unwrap_or("");
        let plain = |byte: u8| byte.is_ascii_graphic() && !b"<>\"#\\^`{|}@".contains(&byte);
        if text.len() > BYTES_MAX || !text.bytes().all(plain) {
            return Err(AddressError::Form);
        }
        let address: SocketAddr = match host.strip_prefix("localhost:") {
            Some(port) => {
                let port: u16 = port.parse().map_err(|_| AddressError::Form)?;
                (Ipv4Addr::LOCALHOST, port).into()
            }
            None => host.parse().map_err(|_| AddressError::Form)?,
        };
        Reach::LoopbackOnly
            .check(address)
            .map_err(|_| AddressError::Elsewhere)?;
        let host_bytes = SCHEME.len() + host.len();
        if rest[host.len()..].starts_with('?') {
            return Err(AddressError::Form);
        }
        Ok(Self {
            text,
            host_bytes,
            address,
        })
    }
}

impl From<LocalUrl> for String {
    fn from(url: LocalUrl) -> Self {
        url.text
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn this_machine_and_nothing_else() {
        let read = |text: &str| LocalUrl::try_from(text.to_owned());
        let url = read("http://127.0.0.1:8080/doorbell?x=1").unwrap();
        assert_eq!(
            (url.host(), url.path()),
            ("127.0.0.1:8080", "/doorbell?x=1")
        );
        assert_eq!(url.origin(), "http://127.0.0.1:8080");
        assert_eq!(read("http://localhost:80").unwrap().path(), "/");
        assert_eq!(read("http://[::1]:80/a").unwrap().host(), "[::1]:80");
        for elsewhere in [
            "http://192.0.2.1:80/",
            "http://[2001:db8::1]:80/",
            "http://0.0.0.0:80/",
        ] {
            assert_eq!(read(elsewhere), Err(AddressError::Elsewhere), "{elsewhere}");
        }
        for wrong in [
            "https://127.0.0.1:1/",
            "http://ntfy.example.com/",
            "http://127.0.0.1/",
            "http://user@127.0.0.1:80/",
            "http://127.0.0.1:80/a b",
            "http://127.0.0.1:80/\r\nx: y",
            "http://127.0.0.1:80?x",
            "http://127.0.0.1.example.com:80/",
            "",
        ] {
            assert_eq!(read(wrong), Err(AddressError::Form), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_taken_is_loopback_and_fits_a_request_line(text in "(http://)?[ -~\\r\\n]{0,60}") {
            if let Ok(url) = LocalUrl::try_from(text) {
                prop_assert!(url.address().ip().is_loopback());
                prop_assert!(url.path().starts_with('/'));
                prop_assert!(!url.as_str().contains([' ', '\r', '\n']));
            }
        }
    }
}
