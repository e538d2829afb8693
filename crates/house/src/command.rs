//! What a thing is told to do, before any system's own words for it.
use serde::{Deserialize, Serialize};

use crate::wish::Wish;

/// Red, green and blue, 0 to 255 each.
pub type Rgb = [u8; 3];

/// What a thing is told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// On: a lamp burns, a scene is shown, a script runs.
    On,
    /// Off.
    Off,
    /// The other way than it is.
    Toggle,
    /// A lamp, at least one of its fields given. It goes on.
    Light(Light),
    /// A cover or valve: up, apart, water flows.
    Open,
    /// The other way.
    Close,
    /// A cover: 0 closed, 100 open.
    Position(u8),
    /// A lock.
    Lock,
    /// A lock; asked before.
    Unlock,
    /// A fan, in per cent.
    Speed(u8),
    /// A thermostat, in its own unit.
    Temperature(f64),
    /// A vacuum cleaner or lawn mower sets out.
    Start,
    /// And comes home.
    Dock,
    /// A vacuum cleaner does one room, by its name.
    Clean(String),
    /// A button.
    Press,
    /// A media player, by its own loudspeakers.
    Player(Player),
    /// A media player looks for this and plays what fits best.
    Play(Wish),
}

/// What a media player is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Player {
    /// Hold.
    Pause,
    /// Go on.
    Resume,
    /// The next track.
    Next,
    /// The one before.
    Previous,
    /// How loud, in per cent.
    Volume(u8),
    /// A little louder, by its own step.
    Louder,
    /// A little softer.
    Softer,
    /// Silent, or not.
    Mute(bool),
}

/// How a lamp burns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Light {
    /// Brightness, 1 to 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub percent: Option<u8>,
    /// Brighter or darker by so many per cent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step_percent: Option<i8>,
    /// Colour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rgb: Option<Rgb>,
    /// White of this colour temperature, in kelvin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kelvin: Option<u16>,
}

impl Command {
    /// Whether somebody could come in, or something could leave, if this was misheard: it is asked before.
    #[must_use]
    pub fn is_guarded(&self, domain: &str, class: Option<&str>) -> bool {
        let opens = match self {
            Self::Open | Self::Toggle => true,
            Self::Position(percent) => *percent > 0,
            _ => false,
        };
        match domain {
            "lock" => matches!(self, Self::Unlock | Self::Open | Self::Toggle),
            "cover" => opens && matches!(class, Some("garage" | "door" | "gate")),
            _ => false,
        }
    }
}
