//! One file a command.
pub(crate) mod bench;
pub(crate) mod config;
pub(crate) mod demo;
pub(crate) mod doctor;
pub(crate) mod hear;
pub(crate) mod hub;
pub(crate) mod join;
pub(crate) mod r#match;
pub(crate) mod models;
pub(crate) mod modem;
pub(crate) mod psap;
pub(crate) mod say;
pub(crate) mod shell;
pub(crate) mod speaker;
pub(crate) mod verify;
pub(crate) mod wyoming;
