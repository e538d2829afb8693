//! Adapter: the home's server. People and devices, messages and contacts, and the HTTP API to them.
//!
//! ```text
//! speaker, phone, browser ─ TLS ─► serve ─► api: gate ─► role table ─► handlers
//!                                    ▲                                   │
//!             live connections ◄─────┘                                   ▼
//!                  ▲                             Store (SQLite): row + event in one transaction
//!                  └───── feed ◄── Bus (hints) ◄─────────────────────────┘
//! ```
//! [`run::Hub::start`] is the way in. Two seams, each with a contract that any implementation must keep
//! (`tests/store/store_contract.rs`, `tests/store/bus_contract.rs`): [`store::Store`] is the truth, [`bus::Bus`] only hints.
//!
//! Nothing in this crate can start a call: no route, message or invitation leads to one, because no function does.
//! Calls that a person's device makes are carried, to other devices by [`sip`] and to the telephone network by
//! [`gateway`]. Emergency numbers and services cannot even be saved ([`number`]).

// The home: what there is.
pub mod address_book;
pub mod agenda;
pub mod binding;
pub mod bundle;
pub mod call;
pub mod call_settings;
pub mod contact;
pub mod device;
pub mod event;
pub mod half_hour;
pub mod id;
pub mod incident;
pub mod light_order;
pub mod line;
pub mod message;
pub mod number;
pub mod outside_sender;
pub mod person;
pub mod room;
pub mod text;
pub mod vcard;

// Who is who, and who may what.
pub mod authority;
pub mod certificate_request;
pub mod invitation;
pub mod role;
pub mod session;

// The two seams.
pub mod bus;
pub mod feed;
pub mod store;

// The server.
pub mod api;
pub mod carddav;
pub mod clock;
pub mod control;
pub mod entropy;
pub mod gateway;
pub mod hand_in;
mod home;
pub mod join;
pub mod live;
pub mod notify;
mod problem;
pub mod push;
pub mod rate;
pub mod run;
mod serve;
pub mod sip;
mod site;
mod sweep;
mod telling;
mod tls;
pub mod trigger;
mod write_limit;

pub use home::Limits;
pub use run::{Hub, HubConfig, HubError, HubHandle};
