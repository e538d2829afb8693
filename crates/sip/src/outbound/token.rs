//! Flow tokens: a flow's number in the user part of a Path or Record-Route URI, signed
//! (RFC 5626 section 5.2), so that nobody can send down a flow that was not given to him.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use subtle::ConstantTimeEq as _;

use super::{FlowId, FlowTransport};
use crate::hmac::Hmac;

/// Kind, two flows with their transports, and the signature: a multiple of three, so that base64
/// has no spare bits to play with.
const BYTES: usize = 1 + 9 + 9 + MAC_BYTES;
const MAC_BYTES: usize = 11;
/// Letters of a token.
const LETTERS: usize = BYTES / 3 * 4;

/// What a token holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sealed {
    /// Of a Path: requests go down this flow.
    Path {
        /// The flow that the REGISTER came by.
        flow: (FlowId, FlowTransport),
    },
    /// Of a Record-Route: the two sides of a dialog; `None` where a side is reached by its
    /// address instead.
    Dialog {
        /// The flow to the one who began the dialog.
        caller: Option<(FlowId, FlowTransport)>,
        /// The flow to the other.
        callee: Option<(FlowId, FlowTransport)>,
    },
}

/// Which way a request in a dialog goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From the one who began the dialog to the other.
    ToCallee,
    /// The other way.
    ToCaller,
}

/// Why a token is worth nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// It is no token at all.
    #[error("not a flow token: {0}")]
    Shape(&'static str),
    /// It is one, but not of ours, changed, or of another dialog.
    #[error("the flow token was not made here for this use")]
    Forged,
}

/// Makes and opens tokens.
#[derive(Clone)]
pub struct FlowTokens {
    hmac: Hmac,
}

impl std::fmt::Debug for FlowTokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FlowTokens").finish_non_exhaustive()
    }
}

impl FlowTokens {
    /// With 32 secret random bytes. The same bytes after a restart keep dialogs alive that began
    /// before it.
    #[must_use]
    pub fn new(secret: &[u8; 32]) -> Self {
        FlowTokens {
            hmac: Hmac::new(secret, "flow token"),
        }
    }

    /// The token of a Path.
    #[must_use]
    pub fn path(&self, flow: FlowId, transport: FlowTransport) -> String {
        self.seal(
            &Sealed::Path {
                flow: (flow, transport),
            },
            &[],
        )
    }

    /// The token of a Record-Route, good in this dialog only: a stranger who learns it can send
    /// nothing with it outside the dialog. `from_tag` is the tag of the one who began it.
    #[must_use]
    pub fn dialog(
        &self,
        caller: Option<(FlowId, FlowTransport)>,
        callee: Option<(FlowId, FlowTransport)>,
        call_id: &str,
        from_tag: &str,
    ) -> String {
        self.seal(
            &Sealed::Dialog { caller, callee },
            &[call_id.as_bytes(), from_tag.as_bytes()],
        )
    }

    /// Whether a user part looks like a token, genuine or not.
    #[must_use]
    pub fn is_shaped(user: &str) -> bool {
        user.len() == LETTERS
            && user
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    }

    /// Opens the token of a Path.
    ///
    /// # Errors
    /// When it is none, was changed, or is of a dialog.
    pub fn open_path(&self, token: &str) -> Result<(FlowId, FlowTransport), TokenError> {
        match self.open(token, &[])? {
            Sealed::Path { flow } => Ok(flow),
            Sealed::Dialog { .. } => Err(TokenError::Forged),
        }
    }

    /// Opens the token of a Record-Route for a request in a dialog, with the flow to send it
    /// down. The tags are those of the request: its From tag is the caller's in one direction,
    /// its To tag in the other.
    ///
    /// # Errors
    /// When it is none, was changed, or is of another dialog.
    pub fn open_dialog(
        &self,
        token: &str,
        call_id: &str,
        from_tag: &str,
        to_tag: &str,
    ) -> Result<(Direction, Sealed), TokenError> {
        let call_id = call_id.as_bytes();
        for (tag, direction) in [
            (from_tag, Direction::ToCallee),
            (to_tag, Direction::ToCaller),
        ] {
            match self.open(token, &[call_id, tag.as_bytes()]) {
                Ok(sealed @ Sealed::Dialog { .. }) => return Ok((direction, sealed)),
                Ok(Sealed::Path { .. }) | Err(TokenError::Forged) => {}
                Err(error) => return Err(error),
            }
        }
        Err(TokenError::Forged)
    }

    fn seal(&self, sealed: &Sealed, context: &[&[u8]]) -> String {
        let mut bytes = [0u8; BYTES];
        let claim = BYTES - MAC_BYTES;
        match sealed {
            Sealed::Path { flow } => {
                bytes[0] = 1;
                put(&mut bytes[1..10], Some(*flow));
            }
            Sealed::Dialog { caller, callee } => {
                bytes[0] = 2;
                put(&mut bytes[1..10], *caller);
                put(&mut bytes[10..19], *callee);
            }
        }
        let mac = self.mac(&bytes[..claim], context);
        bytes[claim..].copy_from_slice(&mac[..MAC_BYTES]);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    fn open(&self, token: &str, context: &[&[u8]]) -> Result<Sealed, TokenError> {
        if token.len() != LETTERS {
            return Err(TokenError::Shape("its length is not that of a token"));
        }
        let bytes = URL_SAFE_NO_PAD
            .decode(token)
            .map_err(|_| TokenError::Shape("its letters are not base64"))?;
        let (claim, given) = bytes.split_at(BYTES - MAC_BYTES);
        let mac = self.mac(claim, context);
        if !bool::from(mac[..MAC_BYTES].ct_eq(given)) {
            return Err(TokenError::Forged);
        }
        match claim[0] {
            1 => match take(&claim[1..10]) {
                Some(flow) => Ok(Sealed::Path { flow }),
                None => Err(TokenError::Forged),
            },
            2 => Ok(Sealed::Dialog {
                caller: take(&claim[1..10]),
                callee: take(&claim[10..19]),
            }),
            _ => Err(TokenError::Forged),
        }
    }

    fn mac(&self, claim: &[u8], context: &[&[u8]]) -> [u8; 32] {
        match context {
            [] => self.hmac.of_parts(&[claim]),
            [one, two] => self.hmac.of_parts(&[claim, one, two]),
            _ => self.hmac.of_parts(&[claim, &context.concat()]),
        }
    }
}

impl Sealed {
    /// The flow for a request in this direction.
    #[must_use]
    pub fn flow(&self, direction: Direction) -> Option<(FlowId, FlowTransport)> {
        match (self, direction) {
            (Sealed::Path { flow }, _) => Some(*flow),
            (Sealed::Dialog { callee, .. }, Direction::ToCallee) => *callee,
            (Sealed::Dialog { caller, .. }, Direction::ToCaller) => *caller,
        }
    }
}

/// 0 is no flow; the ninth byte says what it runs over.
fn put(bytes: &mut [u8], flow: Option<(FlowId, FlowTransport)>) {
    if let Some((id, transport)) = flow {
        bytes[..8].copy_from_slice(&id.0.to_be_bytes());
        let at = FlowTransport::ALL.iter().position(|t| *t == transport);
        bytes[8] = at.and_then(|at| u8::try_from(at + 1).ok()).unwrap_or(0);
    }
}

fn take(bytes: &[u8]) -> Option<(FlowId, FlowTransport)> {
    let id = u64::from_be_bytes(bytes[..8].try_into().ok()?);
    let at = usize::from(bytes[8]).checked_sub(1)?;
    Some((FlowId(id), *FlowTransport::ALL.get(at)?))
}
