//! Content-Type: `type/subtype;params`.

use std::fmt;

use crate::params::Params;
use crate::scan::{Fault, Scan};

/// A media type. Type and subtype are lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaType {
    essence: String,
    /// Parameters, `boundary` among them.
    pub params: Params,
}

impl MediaType {
    /// Reads a media type that fills `value`; `None` if it does not follow the grammar.
    #[must_use]
    pub fn parse(value: &[u8]) -> Option<MediaType> {
        let mut scan = Scan::new(value);
        let media_type = MediaType::scan(&mut scan).ok()?;
        scan.finish().ok()?;
        Some(media_type)
    }

    /// `type/subtype`, lower case.
    #[must_use]
    pub fn essence(&self) -> &str {
        &self.essence
    }

    /// Whether this is `type/subtype`, parameters aside.
    #[must_use]
    pub fn is(&self, essence: &str) -> bool {
        self.essence.eq_ignore_ascii_case(essence)
    }

    /// Whether this is `multipart/...`.
    #[must_use]
    pub fn is_multipart(&self) -> bool {
        self.essence.starts_with("multipart/")
    }

    pub(crate) fn scan(scan: &mut Scan<'_>) -> Result<MediaType, Fault> {
        scan.skip_lws();
        let kind = scan.token("expected a media type")?;
        if !scan.eat_separator(b'/') {
            return scan.fault("expected '/' after the media type");
        }
        let subtype = scan.token("expected a media subtype")?;
        let mut essence = format!("{kind}/{subtype}");
        essence.make_ascii_lowercase();
        Ok(MediaType {
            essence,
            params: Params::scan(scan)?,
        })
    }
}

impl fmt::Display for MediaType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.essence, self.params)
    }
}
