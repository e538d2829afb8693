//! One part of the emergency INVITE's multipart body.

use hearthline_sip::multipart::Part;

/// What a part is for (RFC 3261 §20.11, RFC 5621, RFC 7852 §6.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disposition {
    /// No header: the session description, `session` by default.
    Default,
    /// `by-reference;handling=optional`: found through a `cid:` URL in a header field.
    ByReference,
}

impl Disposition {
    /// The value of `Content-Disposition`, none when the header is left out.
    pub fn header_value(self) -> Option<&'static str> {
        match self {
            Disposition::Default => None,
            Disposition::ByReference => Some("by-reference;handling=optional"),
        }
    }
}

/// A body part: its media type, its Content-ID without angle brackets (RFC 2392), its disposition and its exact bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BodyPart {
    /// Media type, such as `application/pidf+xml`.
    pub content_type: String,
    /// Content-ID without angle brackets; none for the session description.
    pub content_id: Option<String>,
    /// What it is for.
    pub disposition: Disposition,
    /// The bytes.
    pub bytes: Vec<u8>,
}

impl BodyPart {
    /// Header fields of the part, in order, as (name, value).
    pub fn headers(&self) -> Vec<(&'static str, String)> {
        let mut headers = vec![("Content-Type", self.content_type.clone())];
        if let Some(id) = &self.content_id {
            headers.push(("Content-ID", format!("<{id}>")));
        }
        if let Some(value) = self.disposition.header_value() {
            headers.push(("Content-Disposition", value.to_owned()));
        }
        headers
    }
}

/// Media type of a session description.
pub const TYPE_SDP: &str = "application/sdp";
/// Media type of a location object (RFC 4119).
pub const TYPE_PIDF: &str = "application/pidf+xml";

impl From<BodyPart> for Part {
    fn from(part: BodyPart) -> Part {
        let mut out = Part::new(&part.content_type, part.bytes);
        if let Some(id) = &part.content_id {
            out = out.with_id(id);
        }
        match part.disposition.header_value() {
            Some(value) => out.with_disposition(value),
            None => out,
        }
    }
}
