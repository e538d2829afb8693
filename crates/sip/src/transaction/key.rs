//! Which transaction a message belongs to (RFC 3261 sections 17.1.3 and 17.2.3).

use crate::{HeaderError, Method, Request, Response};

/// Matches responses to client transactions: branch of the top Via and method of the CSeq.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientKey {
    branch: String,
    method: String,
}

impl ClientKey {
    /// The key under which a request of ours waits.
    ///
    /// # Errors
    /// When the request has no Via.
    pub fn of_request(request: &Request) -> Result<Self, HeaderError> {
        let via = request.headers.top_via()?;
        Ok(Self::new(
            via.branch().unwrap_or_default(),
            request.method.as_str(),
        ))
    }

    /// The key that a response names.
    ///
    /// # Errors
    /// When Via or CSeq cannot be read.
    pub fn of_response(response: &Response) -> Result<Self, HeaderError> {
        let via = response.headers.top_via()?;
        let cseq = response.headers.cseq()?;
        Ok(Self::new(
            via.branch().unwrap_or_default(),
            cseq.method.as_str(),
        ))
    }

    fn new(branch: &str, method: &str) -> Self {
        Self {
            branch: branch.to_ascii_lowercase(),
            method: method.to_owned(),
        }
    }
}

/// Matches requests to server transactions.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServerKey {
    /// First, so that a CANCEL finds its INVITE in an ordered map.
    identity: Identity,
    method: String,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Identity {
    /// By the rules of RFC 3261: branch and sent-by.
    Branch { branch: String, sent_by: String },
    /// A client of RFC 2543: no magic cookie. The To tag is left out, because an ACK has one and
    /// the INVITE has none; the CSeq tells requests apart.
    Legacy {
        uri: String,
        from_tag: String,
        call_id: String,
        seq: u32,
        via: String,
    },
}

impl ServerKey {
    /// The key of a request; an ACK has the key of its INVITE.
    ///
    /// # Errors
    /// When Via, or for a client of RFC 2543 another header, cannot be read.
    pub fn of(request: &Request) -> Result<Self, HeaderError> {
        let method = if request.method == Method::Ack {
            &Method::Invite
        } else {
            &request.method
        };
        Ok(Self {
            identity: Identity::of(request)?,
            method: method.as_str().to_owned(),
        })
    }

    /// The key of the INVITE that a CANCEL means (section 9.2).
    ///
    /// # Errors
    /// As for [`ServerKey::of`].
    pub fn cancelled_by(cancel: &Request) -> Result<Self, HeaderError> {
        Ok(Self {
            identity: Identity::of(cancel)?,
            method: Method::Invite.as_str().to_owned(),
        })
    }
}

impl Identity {
    fn of(request: &Request) -> Result<Self, HeaderError> {
        let via = request.headers.top_via()?;
        if let Some(branch) = via.unique_branch() {
            return Ok(Self::Branch {
                branch: branch.to_ascii_lowercase(),
                sent_by: format!("{}:{}", via.host, via.port_or_default()),
            });
        }
        Ok(Self::Legacy {
            uri: request.uri.to_string(),
            from_tag: request.headers.from()?.tag().unwrap_or_default().to_owned(),
            call_id: request.headers.call_id()?.to_owned(),
            seq: request.headers.cseq()?.seq,
            via: via.to_string(),
        })
    }
}
