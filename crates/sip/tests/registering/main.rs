//! The registrar, digest for many accounts, flow tokens and GRUUs.
#![allow(clippy::unwrap_used)] // a failed step is a failed test

#[allow(unreachable_pub)] // a module of one test binary
mod office;

mod accounts_prove_themselves;
mod bindings_follow_the_rfc;
mod devices_keep_flows;
mod gruus_name_devices;
mod keep_alives_are_answered;
mod nobody_registers_elsewhere;
mod tokens_cannot_be_forged;
