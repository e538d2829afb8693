//! `urn:` URIs (RFC 8141), in particular `urn:service:` (RFC 5031).

use std::fmt;

use super::UriError;
use super::escape::{Class, canonical};

/// A URN: namespace and the string in it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Urn {
    nid: String,
    nss: String,
}

impl Urn {
    /// `urn:service:SERVICE`.
    ///
    /// # Errors
    /// When `service` is not labels of letters, digits and hyphens joined by dots.
    pub fn from_service(service: &str) -> Result<Urn, UriError> {
        Urn::parse_rest(format!("service:{service}").as_bytes())
    }

    /// The namespace, lower case.
    #[must_use]
    pub fn nid(&self) -> &str {
        &self.nid
    }

    /// The string within the namespace; lower case where the namespace is `service`.
    #[must_use]
    pub fn nss(&self) -> &str {
        &self.nss
    }

    /// The service, for example `sos.police`, if the namespace is `service`.
    #[must_use]
    pub fn service(&self) -> Option<&str> {
        (self.nid == "service").then_some(self.nss.as_str())
    }

    pub(super) fn parse_rest(rest: &[u8]) -> Result<Urn, UriError> {
        let colon = rest
            .iter()
            .position(|&b| b == b':')
            .ok_or(UriError::new(0, "URN has no namespace before a colon"))?;
        let (nid, nss) = (&rest[..colon], &rest[colon + 1..]);
        let nid_ok = nid.len() >= 2
            && nid.len() <= 32
            && nid.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'-')
            && nid[0] != b'-'
            && nid[nid.len() - 1] != b'-';
        if !nid_ok {
            return Err(UriError::new(
                0,
                "URN namespace is not 2 to 32 letters and digits",
            ));
        }
        if nss.is_empty() {
            return Err(UriError::new(
                colon + 1,
                "URN has nothing after its namespace",
            ));
        }
        let nid = crate::scan::ascii(nid).to_ascii_lowercase();
        let mut nss = canonical(nss, Class::Any).map_err(|e| e.moved(colon + 1))?;
        if nid == "service" {
            nss.make_ascii_lowercase();
            let label_ok = |label: &str| {
                !label.is_empty()
                    && !label.starts_with('-')
                    && !label.ends_with('-')
                    && label
                        .bytes()
                        .all(|b| b.is_ascii_alphanumeric() || b == b'-')
            };
            if !nss.split('.').all(label_ok) {
                return Err(UriError::new(
                    colon + 1,
                    "service is not labels joined by dots",
                ));
            }
        }
        Ok(Urn { nid, nss })
    }
}

impl fmt::Display for Urn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "urn:{}:{}", self.nid, self.nss)
    }
}
