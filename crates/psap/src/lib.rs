//! The drill call-taker and its LoST server: who answers in demos, drills and tests, never a real one.
//!
//! ```text
//! speaker ─ SIP, RTP ─► CallTaker ─► facts, audio, JSON      (core: no socket, no clock)
//!         ─ LoST ─────► LostServer ─► mapping                (core)
//!                run: sockets on loopback around both        (adapter)
//! ```
//! [`CallTaker`] and [`LostServer`] are driven by tests and by the simulator in virtual time; [`run`] puts
//! them on loopback sockets for `hearth psap` and `hearth demo`.

mod answer_body;
pub mod behaviour;
pub mod boundaries;
mod call_media;
pub mod call_taker;
mod call_taker_config;
mod call_taker_output;
pub mod config;
mod console;
pub mod data_block;
mod desk;
pub mod fact;
pub mod home_ca;
pub mod inspection;
pub mod lost_server;
pub mod moment;
pub mod place;
mod recording;
pub mod report;
mod screen;
mod server;
mod speech;
mod voice;
mod web;

pub use behaviour::{Answer, Behaviour, Reinvite, Ring, SessionDefect, Voice};
pub use boundaries::{Boundaries, BoundaryError};
pub use call_media::MediaError;
pub use call_taker::{CallTaker, CallTakerConfig};
pub use config::{ConfigError, Print, PsapConfig};
pub use fact::Fact;
pub use home_ca::HomeCa;
pub use inspection::{Inspection, inspect};
pub use lost_server::{LostAnswer, LostFault, LostServer};
pub use report::{AnsweredBy, CallReport, CallState, MediaReport};
pub use server::{PsapHandle, Running, StartError, run, start, start_with_identity};
pub use voice::test_voice;
