//! Times, lengths of time and numbers, as people say them in English: read and said.
pub mod length;
pub mod number;
pub mod token;
pub mod when;
