//! How loud the loudspeaker is. An emergency call is never too quiet to be heard, nor is that somebody drops in.
use hearthline_voice::understand::Intent;
use hearthline_voice::understand::sentences::{Recognition, Slot, SlotFrom};

/// At the start.
const START_PERCENT: u8 = 60;
/// A step of "volume up".
const STEP_PERCENT: u8 = 10;
/// Least in an emergency call.
const EMERGENCY_PERCENT_MIN: u8 = 60;

/// Least while somebody has dropped in: that they listen cannot be turned off.
const DROP_IN_PERCENT_MIN: u8 = 40;

/// The volume.
#[derive(Debug, Clone, Copy)]
pub(super) struct Volume {
    percent: u8,
    muted: bool,
    emergency: bool,
    dropped_into: bool,
}

impl Default for Volume {
    fn default() -> Self {
        Self {
            percent: START_PERCENT,
            muted: false,
            emergency: false,
            dropped_into: false,
        }
    }
}

impl Volume {
    /// What the loudspeaker is set to.
    fn heard(self) -> u8 {
        let percent = if self.muted { 0 } else { self.percent };
        percent.max(match (self.emergency, self.dropped_into) {
            (true, _) => EMERGENCY_PERCENT_MIN,
            (false, true) => DROP_IN_PERCENT_MIN,
            (false, false) => 0,
        })
    }

    /// As somebody has set it: in percent, and whether it is muted.
    pub(super) fn set(self) -> (u8, bool) {
        (self.percent, self.muted)
    }

    /// The new volume in percent; none when the intent is about something else.
    pub(super) fn changed_by(&mut self, intent: &Intent) -> Option<u8> {
        let number = |slot: &str| -> Option<u8> {
            let text = intent.slots.get(slot)?;
            text.trim().trim_end_matches('%').trim().parse().ok()
        };
        let by = || number("by").unwrap_or(STEP_PERCENT);
        match intent.name.as_str() {
            "VolumeUp" => self.percent = self.percent.saturating_add(by()).min(100),
            "VolumeDown" => self.percent = self.percent.saturating_sub(by()),
            "VolumeSet" => self.percent = number("percent")?.min(100),
            "Mute" => self.muted = true,
            "Unmute" => self.muted = false,
            _ => return None,
        }
        if intent.name != "Mute" {
            self.muted = false;
        }
        Some(self.heard())
    }

    /// The same for a sentence of the language; none when it is about something else, or about another loudspeaker.
    pub(super) fn changed_by_sentence(&mut self, meant: &Recognition) -> Option<u8> {
        let elsewhere = |slot: &Slot| {
            ["name", "area", "floor"].contains(&slot.name.as_str())
                && slot.from != SlotFrom::Context
        };
        if meant.slots.iter().any(elsewhere) {
            return None;
        }
        let value = |slot: &str| meant.slot(slot).map(|slot| slot.value.spoken());
        let (name, slot) = match meant.intent.as_str() {
            "HassSetVolume" => ("VolumeSet", Some(("percent", value("volume_level")?))),
            "HassSetVolumeRelative" => match value("volume_step")?.as_str() {
                "up" => ("VolumeUp", None),
                "down" => ("VolumeDown", None),
                step => match step.strip_prefix('-') {
                    Some(down) => ("VolumeDown", Some(("by", down.to_owned()))),
                    None => ("VolumeUp", Some(("by", step.to_owned()))),
                },
            },
            "HassMediaPlayerMute" => ("Mute", None),
            "HassMediaPlayerUnmute" => ("Unmute", None),
            _ => return None,
        };
        self.changed_by(&Intent {
            name: name.into(),
            slots: slot
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
        })
    }

    /// An emergency call stands, or stands no more: the new volume, where that changes it.
    pub(super) fn in_emergency(&mut self, stands: bool) -> Option<u8> {
        self.with(|volume| volume.emergency = stands)
    }

    /// Somebody has dropped in, or has left: the new volume, where that changes it.
    pub(super) fn while_dropped_into(&mut self, stands: bool) -> Option<u8> {
        self.with(|volume| volume.dropped_into = stands)
    }

    fn with(&mut self, change: impl FnOnce(&mut Self)) -> Option<u8> {
        let before = self.heard();
        change(self);
        let after = self.heard();
        (before != after).then_some(after)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn intent(name: &str, slot: Option<(&str, &str)>) -> Intent {
        Intent {
            name: name.into(),
            slots: slot
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
        }
    }

    #[test]
    fn it_goes_up_and_down_within_bounds() {
        let mut volume = Volume::default();
        let mut change = |name: &str, slot| volume.changed_by(&intent(name, slot));
        assert_eq!(change("VolumeUp", None), Some(70));
        assert_eq!(change("VolumeUp", Some(("by", "90"))), Some(100));
        assert_eq!(change("VolumeSet", Some(("percent", "30%"))), Some(30));
        assert_eq!(change("VolumeDown", Some(("by", "50"))), Some(0));
        assert_eq!(change("VolumeSet", Some(("percent", "40"))), Some(40));
        assert_eq!(change("Mute", None), Some(0));
        assert_eq!(change("Unmute", None), Some(40));
        assert_eq!(change("VolumeSet", Some(("percent", "loud"))), None);
        assert_eq!(change("GetTime", None), None);
    }

    #[test]
    fn a_call_taker_is_heard_on_a_muted_device() {
        let mut volume = Volume::default();
        volume.changed_by(&intent("Mute", None));
        assert_eq!(volume.in_emergency(true), Some(EMERGENCY_PERCENT_MIN));
        assert_eq!(
            volume.changed_by(&intent("Mute", None)),
            Some(EMERGENCY_PERCENT_MIN)
        );
        assert_eq!(volume.in_emergency(false), Some(0));
    }

    #[test]
    fn whoever_drops_in_is_heard_on_a_muted_device() {
        let mut volume = Volume::default();
        volume.changed_by(&intent("Mute", None));
        assert_eq!(volume.while_dropped_into(true), Some(DROP_IN_PERCENT_MIN));
        let silent = intent("VolumeSet", Some(("percent", "0")));
        assert_eq!(volume.changed_by(&silent), Some(DROP_IN_PERCENT_MIN));
        assert_eq!(volume.while_dropped_into(false), Some(0));
    }
}
