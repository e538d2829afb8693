//! Media that only the two ends of a call can hear: ICE (RFC 8445), DTLS (RFC 9147, RFC 6347) and the
//! SRTP keys out of it (RFC 5764). Pure as the rest of the crate, with two things said openly: keys
//! and nonces come from the operating system's randomness through `ring`, never from a seed, and
//! [`Instant`](std::time::Instant) appears because the two libraries below want it (it is handed in, not read).
//!
//! ```text
//!   Session ── send_rtp, send_rtcp ──► SecureTransport ── Transmit ──► socket
//!   Session ◄── Rtp, Rtcp ──────────── SecureTransport ◄── handle_datagram ── socket
//!                                        │ local(), set_remote(): what SDP carries
//! ```
//! A call: make it with the device's certificate and the addresses of its socket; put [`SecureTransport::local`]
//! into offer or answer; give it the other side's with [`SecureTransport::set_remote`]; feed datagrams and
//! packets; drain [`SecureTransport::poll_output`] until it says [`SecureOutput::Timeout`]. Nothing is let
//! through before the peer has shown a certificate with the promised fingerprint and proved that it has the key.
//!
//! Below are `is` and `dimpl`, the ICE agent and the DTLS engine of str0m. str0m itself is not used: it makes
//! RTCP of its own and cannot send ours, carries SCTP, bandwidth estimation and an SDP of its own, and its
//! pure-Rust cryptography brings a second provider.

mod certificate;
mod description;
mod keys;
mod provider;
mod transport;

pub use description::{
    CANDIDATES_MAX, DtlsRole, IceRole, LOCAL_ADDRESSES_MAX, SecureConfig, SecureConfigError,
    SecureDescription, SecureDescriptionError, certificate_fingerprint,
};
pub use transport::{
    SecureEvent, SecureFailure, SecureOutput, SecureSendError, SecureStatistics, SecureTransport,
};
