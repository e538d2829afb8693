//! A routine of the home switches lights of this speaker's house: what the hub asks, as a sentence that was understood.
//!
//! It is a value, never words: no recogniser, no grammar and no emergency judge reads it, and what it becomes is one of
//! three intents about lights (DESIGN invariant 1).
use core::fmt;

use hearthline_voice::understand::sentences::{Datum, Recognition, Slot, SlotFrom, Whose};

/// Lights, and what they shall be.
#[derive(Clone, PartialEq, Eq)]
pub struct LightOrder {
    /// Its id at the hub.
    pub id: String,
    /// A light by its name; none: all of the room.
    pub light: Option<String>,
    /// In which room; none: where the speaker stands.
    pub room: Option<String>,
    /// What they shall be.
    pub set: LightSet,
}

impl fmt::Debug for LightOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LightOrder({})", self.id)
    }
}

/// What lights shall be. Each twice is the same as once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LightSet {
    /// Lit.
    On,
    /// Dark.
    Off,
    /// So bright, in per cent.
    Brightness(u8),
    /// Of this colour, by its name.
    Colour(String),
}

impl LightOrder {
    /// What a person would have meant who said it.
    #[must_use]
    pub fn meant(&self) -> Recognition {
        let slot = |name: &str, value: Datum| Slot {
            name: name.to_owned(),
            value,
            said: String::new(),
            from: SlotFrom::Block,
            metadata: None,
        };
        let text = |text: &str| Datum::Text(text.to_owned());
        let mut slots = vec![slot("domain", text("light"))];
        slots.extend(self.light.as_deref().map(|name| slot("name", text(name))));
        slots.extend(self.room.as_deref().map(|room| slot("area", text(room))));
        let intent = match &self.set {
            LightSet::On => "HassTurnOn",
            LightSet::Off => "HassTurnOff",
            LightSet::Brightness(percent) => {
                slots.push(slot("brightness", Datum::Number(f64::from(*percent))));
                "HassLightSet"
            }
            LightSet::Colour(name) => {
                slots.push(slot("color", text(name)));
                "HassLightSet"
            }
        };
        Recognition {
            intent: intent.to_owned(),
            combination: None,
            slots,
            captures: Vec::new(),
            response: String::new(),
            template: String::new(),
            whose: Whose::Ours,
            rivals: Vec::new(),
            metadata: Datum::Null,
        }
    }
}
