//! Flow tokens: a flow's number in the user part of a Path or Record-Route URI, signed
//! (RFC 5626 section 5.2), so that nobody can send down a flow that was not given to him.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use subtle::ConstantTimeEq as _;

use std::net::{IpAddr, SocketAddr};

use super::{FlowId, FlowTransport, Hop};
use crate::hmac::Hmac;
use crate::target::{self, Target};

const MAC_BYTES: usize = 11;
/// A flow or an IPv4 address, with what it is.
const SLOT_BYTES: usize = 9;
/// An IPv6 address, with what it is.
const LONG_SLOT_BYTES: usize = 19;
/// Kind, two sides, and the signature: a multiple of three, so that base64 has no spare bits to
/// play with.
const BYTES: usize = 1 + 2 * SLOT_BYTES + MAC_BYTES;
/// The same where a side is an IPv6 address, and a byte for the multiple of three.
const LONG_BYTES: usize = 1 + 2 * LONG_SLOT_BYTES + 1 + MAC_BYTES;

/// One side of a dialog: how requests get there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Along this flow.
    Flow(FlowId, FlowTransport),
    /// To this address: the one that the dialog's first request went to, or came from.
    Address(target::Transport, SocketAddr),
}

impl Side {
    /// The flow, if it is one.
    #[must_use]
    pub fn flow(self) -> Option<(FlowId, FlowTransport)> {
        match self {
            Side::Flow(id, transport) => Some((id, transport)),
            Side::Address(..) => None,
        }
    }
}

impl From<&Hop> for Side {
    fn from(hop: &Hop) -> Self {
        match hop {
            Hop::Flow { id, transport } => Side::Flow(*id, *transport),
            Hop::Target(Target {
                transport, remote, ..
            }) => Side::Address(*transport, *remote),
        }
    }
}

/// What a token holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sealed {
    /// Of a Path: requests go down this flow.
    Path {
        /// The flow that the REGISTER came by.
        flow: (FlowId, FlowTransport),
    },
    /// Of a Record-Route: the two sides of a dialog.
    Dialog {
        /// The way to the one who began the dialog.
        caller: Side,
        /// The way to the other.
        callee: Side,
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
    pub fn dialog(&self, caller: Side, callee: Side, call_id: &str, from_tag: &str) -> String {
        self.seal(
            &Sealed::Dialog { caller, callee },
            &[call_id.as_bytes(), from_tag.as_bytes()],
        )
    }

    /// Whether a user part looks like a token, genuine or not.
    #[must_use]
    pub fn is_shaped(user: &str) -> bool {
        [BYTES / 3 * 4, LONG_BYTES / 3 * 4].contains(&user.len())
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
        let mut bytes = Vec::with_capacity(LONG_BYTES);
        match *sealed {
            Sealed::Path {
                flow: (id, transport),
            } => {
                bytes.push(1);
                put(&mut bytes, Side::Flow(id, transport), SLOT_BYTES);
                bytes.resize(BYTES - MAC_BYTES, 0);
            }
            Sealed::Dialog { caller, callee } => {
                let long = [caller, callee].into_iter().any(is_long);
                let (kind, slot, total) = if long {
                    (3, LONG_SLOT_BYTES, LONG_BYTES)
                } else {
                    (2, SLOT_BYTES, BYTES)
                };
                bytes.push(kind);
                put(&mut bytes, caller, slot);
                put(&mut bytes, callee, slot);
                bytes.resize(total - MAC_BYTES, 0);
            }
        }
        let mac = self.mac(&bytes, context);
        bytes.extend_from_slice(&mac[..MAC_BYTES]);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    fn open(&self, token: &str, context: &[&[u8]]) -> Result<Sealed, TokenError> {
        if ![BYTES / 3 * 4, LONG_BYTES / 3 * 4].contains(&token.len()) {
            return Err(TokenError::Shape("its length is not that of a token"));
        }
        let bytes = URL_SAFE_NO_PAD
            .decode(token)
            .map_err(|_| TokenError::Shape("its letters are not base64"))?;
        let (claim, given) = bytes.split_at(bytes.len() - MAC_BYTES);
        let mac = self.mac(claim, context);
        if !bool::from(mac[..MAC_BYTES].ct_eq(given)) {
            return Err(TokenError::Forged);
        }
        let sides = |slot: usize| {
            let caller = take(claim.get(1..=slot)?)?;
            let callee = take(claim.get(slot + 1..=2 * slot)?)?;
            Some(Sealed::Dialog { caller, callee })
        };
        let sealed = match (claim[0], bytes.len()) {
            (1, BYTES) => take(&claim[1..=SLOT_BYTES])
                .and_then(Side::flow)
                .map(|flow| Sealed::Path { flow }),
            (2, BYTES) => sides(SLOT_BYTES),
            (3, LONG_BYTES) => sides(LONG_SLOT_BYTES),
            _ => None,
        };
        sealed.ok_or(TokenError::Forged)
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
    /// The way for a request in this direction.
    #[must_use]
    pub fn side(&self, direction: Direction) -> Side {
        match (self, direction) {
            (Sealed::Path { flow }, _) => Side::Flow(flow.0, flow.1),
            (Sealed::Dialog { callee, .. }, Direction::ToCallee) => *callee,
            (Sealed::Dialog { caller, .. }, Direction::ToCaller) => *caller,
        }
    }

    /// The flow for a request in this direction; `None`: that side is reached by its address.
    #[must_use]
    pub fn flow(&self, direction: Direction) -> Option<(FlowId, FlowTransport)> {
        self.side(direction).flow()
    }
}

/// What marks an address of IPv4, and one of IPv6; the transport is added.
const V4: u8 = 0x10;
const V6: u8 = 0x20;
const TRANSPORTS: [target::Transport; 3] = [
    target::Transport::Tls,
    target::Transport::Tcp,
    target::Transport::Udp,
];

fn is_long(side: Side) -> bool {
    matches!(side, Side::Address(_, remote) if remote.is_ipv6())
}

/// What it is in the first byte, then the flow's number or address and port, then zeros.
fn put(bytes: &mut Vec<u8>, side: Side, slot: usize) {
    let end = bytes.len() + slot;
    // Lists of five and of three.
    let number = |at: Option<usize>| at.and_then(|at| u8::try_from(at).ok()).unwrap_or(0);
    match side {
        Side::Flow(id, transport) => {
            let at = FlowTransport::ALL.iter().position(|t| *t == transport);
            bytes.push(1 + number(at));
            bytes.extend_from_slice(&id.0.to_be_bytes());
        }
        Side::Address(transport, remote) => {
            let at = number(TRANSPORTS.iter().position(|t| *t == transport));
            match remote.ip() {
                IpAddr::V4(ip) => {
                    bytes.push(V4 + at);
                    bytes.extend_from_slice(&ip.octets());
                }
                IpAddr::V6(ip) => {
                    bytes.push(V6 + at);
                    bytes.extend_from_slice(&ip.octets());
                }
            }
            bytes.extend_from_slice(&remote.port().to_be_bytes());
        }
    }
    bytes.resize(end, 0);
}

fn take(bytes: &[u8]) -> Option<Side> {
    let (kind, rest) = bytes.split_first()?;
    let address = |ip: IpAddr, at: usize| {
        let transport = TRANSPORTS.get(usize::from(kind & 0x0f))?;
        let port = u16::from_be_bytes(rest.get(at..at + 2)?.try_into().ok()?);
        Some(Side::Address(*transport, SocketAddr::new(ip, port)))
    };
    match kind & 0xf0 {
        V4 => address(<[u8; 4]>::try_from(rest.get(..4)?).ok()?.into(), 4),
        V6 => address(<[u8; 16]>::try_from(rest.get(..16)?).ok()?.into(), 16),
        0 => {
            let at = usize::from(*kind).checked_sub(1)?;
            let id = u64::from_be_bytes(rest.get(..8)?.try_into().ok()?);
            Some(Side::Flow(FlowId(id), *FlowTransport::ALL.get(at)?))
        }
        _ => None,
    }
}
