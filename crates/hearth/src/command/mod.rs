//! One file a command.
pub(crate) mod hear;
pub(crate) mod models;
