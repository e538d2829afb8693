//! The wordings of an emergency command, spelt out for the acoustic scorer.
use super::country::Country;
use super::service::Service;

/// Wordings of an order to call: optional prefix, core, optional suffix.
///
/// All texts are lower-case words with single spaces; digits stand where a recogniser writes them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PhraseSet {
    /// What may be said before: "please", "oh god".
    pub prefixes: Vec<String>,
    /// Verb and target: "call nine one one", "call 911".
    pub cores: Vec<Core>,
    /// What may be said after: "now", "please".
    pub suffixes: Vec<String>,
}

/// A verb and its target, spelt out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Core {
    /// The words.
    pub text: String,
    /// Whom they call.
    pub service: Service,
    /// Whether the words ask for a silent call.
    pub quiet: bool,
}

/// Every wording of an emergency command in `country`.
#[must_use]
pub fn emergency_phrases(country: Country) -> PhraseSet {
    let _ = country;
    PhraseSet::default()
}
