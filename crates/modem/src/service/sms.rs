//! One short message's properties.

use super::state::{SmsKind, SmsState};
use crate::dbus::Value;
use crate::number::PhoneNumber;
use crate::text_message::TEXT_CHARACTERS_MAX;

/// Longest name of a sender that is no number (a bank's), in characters.
const NAME_CHARACTERS_MAX: usize = 16;

/// What is known of a short message.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SmsFacts {
    /// Where it stands.
    pub state: Option<SmsState>,
    /// What it is.
    pub kind: Option<SmsKind>,
    /// Who sent it, where that is a number.
    pub number: Option<PhoneNumber>,
    /// Who sent it, where that is a name.
    pub name: Option<String>,
    /// What it says, without control characters but line breaks, cut at [`TEXT_CHARACTERS_MAX`].
    pub text: String,
    /// When, as the network wrote it (ISO 8601); empty: not said.
    pub sent: String,
}

impl SmsFacts {
    /// Takes in properties, all of them or those that changed.
    pub fn merge(&mut self, properties: &Value) {
        let number = |name| properties.get(name).and_then(Value::as_number);
        let text = |name| properties.get(name).and_then(Value::as_str);
        if let Some(state) = number("State") {
            self.state = Some(SmsState::of(state));
        }
        if let Some(kind) = number("PduType") {
            self.kind = Some(SmsKind::of(kind));
        }
        if let Some(from) = text("Number") {
            self.number = PhoneNumber::new(from).ok();
            let name = super::short_text(from);
            let named = self.number.is_none() && !name.is_empty();
            self.name = named.then(|| name.chars().take(NAME_CHARACTERS_MAX).collect());
        }
        if let Some(text) = text("Text") {
            let kept = |character: &char| !character.is_control() || *character == '\n';
            self.text = text
                .chars()
                .filter(kept)
                .take(TEXT_CHARACTERS_MAX)
                .collect();
        }
        if let Some(sent) = text("Timestamp") {
            self.sent = super::short_text(sent);
        }
    }
}
