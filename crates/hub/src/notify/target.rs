//! Where notifications go, and what each service wants them to look like.

use std::collections::BTreeSet;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{LocalUrl, Post, Topic};
use crate::text::Name;

/// Longest token, in bytes.
const TOKEN_BYTES_MAX: usize = 200;

/// What kind of service it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TargetKind {
    /// Anything that takes JSON: `{"event", "title", "text"}`.
    Webhook,
    /// ntfy: the address is the topic's.
    Ntfy,
    /// Gotify: the address is the server's.
    Gotify,
}

/// A service that shows notifications.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// What routines call it.
    pub name: Name,
    /// Its kind.
    pub kind: TargetKind,
    /// Its address on this machine.
    #[schema(value_type = String, max_length = 1000)]
    pub url: LocalUrl,
    /// What it knows us by. Never shown again; left out, the one that was given before stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// What it is told of beside what routines send; nothing when left out.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub tells: BTreeSet<Topic>,
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Target({:?} at {:?})", self.kind, self.url)
    }
}

impl Target {
    /// Whether its token can stand in a header.
    #[must_use]
    pub fn has_fit_token(&self) -> bool {
        self.token.as_deref().is_none_or(|token| {
            (1..=TOKEN_BYTES_MAX).contains(&token.len())
                && token.bytes().all(|byte| byte.is_ascii_graphic())
        })
    }

    /// The request for one notification.
    pub(crate) fn post(&self, event: &str, title: Option<&str>, text: &str) -> Post {
        let mut to = self.url.clone();
        let mut headers = Vec::new();
        let bearer = || self.token.as_ref().map(|token| format!("Bearer {token}"));
        let body = match self.kind {
            TargetKind::Webhook => {
                headers.push(("content-type", "application/json".to_owned()));
                headers.extend(bearer().map(|value| ("authorization", value)));
                serde_json::json!({"event": event, "title": title, "text": text})
                    .to_string()
                    .into_bytes()
            }
            // As ntfy documents publishing: the body is the message, the rest is in headers.
            TargetKind::Ntfy => {
                headers.push(("content-type", "text/plain; charset=utf-8".to_owned()));
                headers.extend(title.map(|title| ("title", header_text(title))));
                headers.extend(bearer().map(|value| ("authorization", value)));
                text.as_bytes().to_vec()
            }
            // Gotify's API: POST /message with the application's token.
            TargetKind::Gotify => {
                let url = format!("{}/message", self.url.as_str().trim_end_matches('/'));
                to = LocalUrl::try_from(url).unwrap_or(to);
                headers.push(("content-type", "application/json".to_owned()));
                headers.extend(self.token.clone().map(|token| ("x-gotify-key", token)));
                serde_json::json!({"message": text, "priority": 5, "title": title.unwrap_or(event)})
                    .to_string()
                    .into_bytes()
            }
        };
        Post { to, headers, body }
    }
}

/// As it is, or as an encoded word (RFC 2047), which ntfy reads.
fn header_text(text: &str) -> String {
    if text
        .bytes()
        .all(|byte| byte == b' ' || byte.is_ascii_graphic())
    {
        text.to_owned()
    } else {
        format!("=?UTF-8?B?{}?=", STANDARD.encode(text))
    }
}
