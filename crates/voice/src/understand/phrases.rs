//! The wordings of an emergency command, spelt out for the acoustic scorer.
use super::country::Country;
use super::grammar::grammar;
use super::service::Service;
use super::spell::spell_out;

/// Wordings of an order to call: optional prefix, core, optional suffix.
///
/// All texts are lower-case words with single spaces. Numbers stand once in words and once in digits
/// ("nine one one", "911"), as recognisers write both; "nine eleven" is a date and is not among them.
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

/// Every wording of an emergency command in `country`. Each of them reads as a [`super::Reading::Command`].
#[must_use]
pub fn emergency_phrases(country: Country) -> PhraseSet {
    let grammar = grammar(country);
    let texts = |template, name| -> Vec<String> {
        spell_out(template, &grammar.parts, name)
            .expect("the built-in phrases can be spelt out: a test does")
            .into_iter()
            .map(|(text, _)| text)
            .collect()
    };
    let mut cores: Vec<Core> = Vec::new();
    for template in &grammar.phrases.cores {
        let spelt = spell_out(template, &grammar.parts, "cores")
            .expect("the built-in phrases can be spelt out: a test does");
        for (text, slots) in spelt {
            let value = |name: &str| {
                slots
                    .iter()
                    .find(|(slot, _)| slot == name)
                    .map(|(_, value)| value.as_str())
            };
            let service = value("service")
                .and_then(|urn| urn.parse().ok())
                .unwrap_or(Service::Sos);
            if cores.iter().all(|known| known.text != text) {
                cores.push(Core {
                    text,
                    service,
                    quiet: value("quiet").is_some(),
                });
            }
        }
    }
    PhraseSet {
        prefixes: texts(&grammar.phrases.prefixes, "prefixes"),
        cores,
        suffixes: texts(&grammar.phrases.suffixes, "suffixes"),
    }
}
