//! LoST over HTTP (RFC 5222 §14): one POST, bounded in time and size, within reach only.
use hearthline_emergency::lost_client::LostPost;
use hearthline_transport::Reach;
use hyper::Method;

use super::web::{Answered, Asking, ask};

/// Largest answer, in bytes.
const ANSWER_BYTES_MAX: usize = 256 * 1_024;
/// RFC 5222 §14.
const HEADERS: [(&str, &str); 3] = [
    ("Content-Type", "application/lost+xml"),
    ("Accept", "application/lost+xml"),
    ("Cache-Control", "no-cache"),
];

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LostAnswer {
    /// HTTP status.
    pub status: u16,
    /// Content-Type, empty when absent.
    pub content_type: String,
    /// Body.
    pub body: Vec<u8>,
}

/// Makes the request.
///
/// # Errors
/// Says in words why there is no answer: too late, refused, out of reach, no HTTP.
pub async fn post(post: &LostPost, reach: Reach) -> Result<LostAnswer, String> {
    if post.url.is_https() {
        return Err(
            "https is not spoken to LoST servers in this version; give an http URL on loopback"
                .into(),
        );
    }
    let asking = Asking {
        method: Method::POST,
        url: post.url.as_str(),
        headers: &HEADERS,
        body: post.body.clone(),
        answer_bytes_max: ANSWER_BYTES_MAX,
    };
    let Answered {
        status,
        content_type,
        body,
    } = ask(asking, reach, post.give_up_after).await?;
    Ok(LostAnswer {
        status,
        content_type,
        body,
    })
}
