//! Notifications to services of the home's own: a webhook, ntfy, Gotify. This machine's only, like everything here.

mod address;
mod send;
mod target;
mod topic;

pub use address::{AddressError, LocalUrl};
pub(crate) use send::{Failure, Post, post, post_patiently};
pub use target::{Target, TargetKind};
pub use topic::Topic;
