//! Bodies and refusals of our answers: right, or with the wanted defect.

use hearthline_sip::endpoint::{Body, Refusal};
use hearthline_sip::multipart::{MultipartLimits, find_by_type, parts_of};
use hearthline_sip::sdp::SessionDescription;
use hearthline_sip::{HeaderName, Headers, StatusCode};

use crate::behaviour::SessionDefect;

pub(crate) fn moved(uri: &str) -> Refusal {
    let mut refusal = Refusal::new(StatusCode::MOVED_TEMPORARILY);
    refusal
        .headers
        .push((HeaderName::Contact, format!("<{uri}>").into_bytes()));
    refusal
}

/// The session description of a message, in whatever multipart.
pub(crate) fn read_session(headers: &Headers, body: &[u8]) -> Result<SessionDescription, String> {
    let parts =
        parts_of(headers, body, &MultipartLimits::default()).map_err(|error| error.to_string())?;
    let part = find_by_type(&parts, "application/sdp").ok_or("no session description")?;
    SessionDescription::parse(&part.body).map_err(|error| error.to_string())
}

/// The body of the 200, with the wanted defect.
pub(crate) fn defective(defect: SessionDefect, description: &SessionDescription) -> Option<Body> {
    let mut description = description.clone();
    match defect {
        SessionDefect::None => {}
        SessionDefect::Missing => return None,
        SessionDefect::Garbage => return Some(Body::sdp(b"this is no session\r\n".to_vec())),
        SessionDefect::NoCommonCodec => {
            for media in &mut description.media {
                media.formats = vec!["18".to_owned()];
                media.attributes.remove("rtpmap");
                media.attributes.remove("fmtp");
            }
        }
        SessionDefect::RefusedStream => {
            for media in &mut description.media {
                media.port = 0;
            }
        }
        SessionDefect::ExtraSection => {
            let extra = description.media.first().cloned();
            description.media.extend(extra);
        }
    }
    Some(Body::sdp(description.to_bytes()))
}
