//! Sentences of Home Assistant's users, in their languages and with their own files: the language of hassil, complete.
//!
//! ```text
//! files (JSON of the package, YAML of the owner) ─► Grammar ─► Program (kept as bytes)
//!                                                                │
//! what was said ─► normal form ─► pieces present ─► templates ─► walk ─► best ─► Recognition ─► response
//!                                         names, areas, floors of the house ─┘
//! ```
//! What nothing reads as it stands may be read a second time with words that sound alike ([`Program::mend`]).
//! It reads only what the emergency reading left: nothing here decides about a call for help.
//! No file is opened here; texts and bytes come in, a value comes out. Anything in a file that cannot be used is left
//! out with a complaint that names file, line and remedy.
mod compile;
mod context;
mod datum;
mod grammar;
mod house;
mod list;
mod mended;
mod methods;
pub(super) mod paths;
mod plural;
mod program;
mod recognise;
mod render;
mod required;
mod score;
mod spellout;
mod store;
mod template;
mod text;
mod trie;
mod vocabulary;
mod walk;
mod yaml;

pub use datum::Datum;
pub use grammar::{Complaint, Grammar, VALUE_WORDINGS_MAX, Whose};
pub use house::{House, Timer};
pub use mended::Mended;
pub(super) use mended::free_words;
pub use program::Program;
pub use recognise::{
    HOUSE_VALUES_MAX, HouseValue, Lists, Recognition, SAID_CHARS_MAX, Slot, SlotFrom,
};
pub use render::{Moment, Outcome, RenderError, Responses, World};
pub use spellout::{NumberWords, SpelloutError};
pub use store::StoreError;
pub use template::{
    Expression, ListReference, TEMPLATE_BYTES_MAX, TEMPLATE_DEPTH_MAX, TemplateError,
};
pub use vocabulary::Vocabulary;
pub use yaml::YAML_BYTES_MAX;

use super::Reading;

/// Whether the emergency reading left a sentence for others: everyday intents and what it does not know.
/// A sentence that it takes, questions or refuses is read by nobody else.
#[must_use]
pub fn left_by_emergency(reading: &Reading) -> bool {
    matches!(
        reading,
        Reading::Other | Reading::Intent(_) | Reading::Reply(_)
    )
}
