//! One file a command.
pub(crate) mod hear;
pub(crate) mod models;
pub(crate) mod say;
pub(crate) mod verify;
