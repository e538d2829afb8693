//! Pages that stand inside the program, served over HTTP with strict headers: the household's app, the simulator and the
//! call-taker's console.
//!
//! ```text
//! request ─► strict headers ─► own page? ─► asset        a file, its policy, a tag
//!                                        └► handler ─►   event stream
//! ```
//! What is shown differs, how it is served does not: nothing runs in a page but its own files, no page of elsewhere
//! makes a browser ask here, and no answer can be used for more than it is.

mod asset;
mod event_stream;
mod headers;
mod own_page;
mod whole;

pub use asset::{Asset, router};
pub use event_stream::event_stream;
pub use headers::{POLICY, with_strict_headers};
pub use own_page::{Askers, is_of_this_machine};
pub use whole::{faults, loaded, weight_bytes};

/// The types of the files of a page.
pub mod content_type {
    /// A page.
    pub const HTML: &str = "text/html; charset=utf-8";
    /// A module of JavaScript.
    pub const SCRIPT: &str = "text/javascript; charset=utf-8";
    /// A style sheet.
    pub const STYLE: &str = "text/css; charset=utf-8";
    /// A drawing.
    pub const DRAWING: &str = "image/svg+xml";
    /// What an installed app is called and looks like.
    pub const MANIFEST: &str = "application/manifest+json";
}
