//! Pure: SIP messages, transactions, dialogs and user agent (RFC 3261 and its family).
//!
//! ```text
//! bytes ─► framer ─► parse ─► Message{Request|Response} ─► validate ─► transaction ─► dialog
//!                                      │ headers (raw rows, typed on demand)
//!                                      └ body ─► multipart ─► sdp ─► offer_answer
//!
//! a device: Endpoint        a hub: Proxy ◄── target set ── Registrar, digest::Authenticator
//! ```
//! Rows stay the bytes they came as, so that what we do not understand is neither lost nor
//! changed; typed views are read on demand and say exactly what is wrong with a value.

// Message half.
pub mod auth;
pub mod cseq;
pub mod digest;
pub mod framer;
pub mod header_name;
pub mod headers;
pub mod identity;
pub mod limits;
pub mod media_type;
pub mod message;
pub mod method;
pub mod multipart;
pub mod name_addr;
pub mod offer_answer;
pub mod params;
pub mod parse;
pub mod refer;
mod scan;
pub mod sdp;
pub mod status;
pub mod typed;
pub mod uri;
pub mod validate;
pub mod values;
pub mod via;
mod write;

// Behaviour half.
pub mod dialog;
pub mod endpoint;
pub mod registration;
pub mod reliable;
pub mod resolve;
pub mod session_timer;
pub mod target;
pub mod tokens;
pub mod transaction;

// Server half: what a hub is made of.
pub mod gruu;
mod hmac;
pub mod outbound;
pub mod proxy;
pub mod registrar;

pub use endpoint::Endpoint;
pub use header_name::HeaderName;
pub use headers::{HeaderError, Headers};
pub use limits::Limits;
pub use message::{Message, Request, Response};
pub use method::Method;
pub use name_addr::NameAddr;
pub use parse::{ParseError, ParseErrorKind, parse_datagram};
pub use status::StatusCode;
pub use target::Target;
pub use uri::{Host, SipUri, TelUri, Uri, Urn};
pub use via::{Transport, Via};
