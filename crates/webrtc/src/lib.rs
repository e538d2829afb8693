//! Adapter: a browser's sound on our side. A page offers a connection with its microphone in it (WebRTC, RFC 8825); here
//! it is answered, and 16 kHz mono comes out and goes in.
//!
//! ```text
//! page ── offer (SDP) ──► open(offer, &Keys) ──► answer ── setRemoteDescription ──► page
//!
//! browser ◄── UDP on this machine: ICE, DTLS, SRTP (G.722) ──► task ── Heard, frames of 20 ms ──► BrowserSound::next
//!                                                                 ◄── ToBrowser::play, any number of samples ──
//! ```
//! [`Sound`] is the sans-IO core: `handle_*(input, now)`, then drain [`Sound::poll_output`] until it says `Timeout`.
//! [`open`] runs one on a socket of its own. How the offer came (an HTTP request, a WebSocket) is the caller's affair, and so
//! is who may open how many.
//!
//! A [`Bridge`] carries a browser's sound over to a telephone or an outside line and back, packet by packet, undecoded.
//!
//! One offer, one answer, one audio stream: the page waits until its candidates are gathered, and opens a new connection
//! where the old one is lost. The socket stands on loopback and sends only to addresses that this very machine holds
//! ([`hearthline_transport::reach::is_of_this_machine`]): a browser hides its loopback addresses and comes by those of its
//! other interfaces, and what one sends to oneself never leaves the kernel. Names ending in `.local` are passed over; the
//! browser's own checks tell where it is.

mod bridge;
mod description;
pub mod dtls;
mod keys;
mod open;
mod sound;

pub use bridge::{
    Bridge, BridgeConfig, BridgeError, BridgeHandle, BridgeOutput, BridgeStatistics, Offerer,
    open_bridge,
};
pub use description::OfferError;
pub use keys::{Keys, KeysError};
pub use open::{BrowserSound, FromBrowser, OpenError, ToBrowser, open};
pub use sound::{Ended, Output, Sound, SoundConfig};
