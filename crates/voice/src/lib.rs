//! Pure: from microphone samples to an understood sentence, and back to speech.
//!
//! ```text
//! samples ─► clock ─► ring ─► wake ─► endpoint ─► transcribe ─► understand ─► Heard
//!                                                                text ─► synthesise ─► samples
//! ```
//! Models come in as bytes; inference sits behind [`engine`], the one place where a library may use threads.
pub mod clock;
pub mod endpoint;
pub mod engine;
pub mod listen;
pub mod ring;
pub mod synthesise;
pub mod transcribe;
pub mod understand;
pub mod wake;
