//! One call's properties.

use super::state::{CallDirection, CallState, CallStateReason};
use crate::dbus::Value;
use crate::number::PhoneNumber;

/// Longest name of a device that is taken, in bytes.
const PORT_BYTES_MAX: usize = 64;
/// The rate that every modem's sound has unless it says otherwise.
const RATE_HZ_DEFAULT: i64 = 8_000;

/// What is known of a call.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CallFacts {
    /// Where it stands.
    pub state: Option<CallState>,
    /// Why.
    pub reason: Option<CallStateReason>,
    /// Who called.
    pub direction: Option<CallDirection>,
    /// The other side; `None`: withheld, or no number.
    pub number: Option<PhoneNumber>,
    /// Where its sound is; `None`: not said (yet).
    pub port: Option<Result<SoundPort, SoundPortError>>,
    rate_hz: Option<i64>,
    foreign_format: bool,
}

impl CallFacts {
    /// Takes in properties, all of them or those that changed.
    pub fn merge(&mut self, properties: &Value) {
        let number = |name| properties.get(name).and_then(Value::as_number);
        if let Some(state) = number("State") {
            self.state = Some(CallState::of(state));
        }
        if let Some(reason) = number("StateReason") {
            self.reason = Some(CallStateReason::of(reason));
        }
        if let Some(direction) = number("Direction") {
            self.direction = Some(CallDirection::of(direction));
        }
        if let Some(text) = properties.get("Number").and_then(Value::as_str) {
            self.number = PhoneNumber::new(text).ok();
        }
        if let Some(format) = properties.get("AudioFormat") {
            let text = |name| format.get(name).and_then(Value::as_str);
            let is = |own: Option<&str>, wanted: &str| {
                own.is_none_or(|own| own.eq_ignore_ascii_case(wanted))
            };
            self.foreign_format = !is(text("encoding"), "pcm") || !is(text("resolution"), "s16le");
            self.rate_hz = format.get("rate").and_then(Value::as_number);
        }
        if let Some(name) = properties.get("AudioPort").and_then(Value::as_str) {
            self.port = (!name.is_empty()).then(|| SoundPort::new(name));
        }
    }

    /// Where its sound is, when it is of a kind that can be carried.
    ///
    /// # Errors
    /// [`SoundPortError`]; also when the format is another than 16-bit samples at 8 kHz.
    pub fn sound(&self) -> Result<SoundPort, SoundPortError> {
        let port = self.port.clone().unwrap_or(Err(SoundPortError::None))?;
        if self.foreign_format || self.rate_hz.unwrap_or(RATE_HZ_DEFAULT) != RATE_HZ_DEFAULT {
            return Err(SoundPortError::Format);
        }
        Ok(port)
    }
}

/// A device below `/dev` that carries a call's sound: raw 16-bit little-endian samples at 8 kHz, both ways.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SoundPort(String);

/// Why a call has no usable sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SoundPortError {
    /// The modem names no device: its sound goes elsewhere, or nowhere.
    #[error(
        "the modem names no sound device; where its sound goes to a sound card, name a capture and a playback command"
    )]
    None,
    /// The name is no device's.
    #[error("the modem names a sound device that is none below /dev")]
    Name,
    /// Another format.
    #[error("the modem's sound is not of 16-bit samples at 8 kHz")]
    Format,
}

impl SoundPort {
    /// Of the name that a modem gives: `ttyUSB2`, `snd/by-id/x`, or the same with `/dev/` before it.
    ///
    /// # Errors
    /// When it could lead out of `/dev`.
    pub fn new(name: &str) -> Result<Self, SoundPortError> {
        let name = name.strip_prefix("/dev/").unwrap_or(name);
        let part = |part: &str| {
            !part.is_empty()
                && !part.starts_with('.')
                && part
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"_-.:".contains(&byte))
        };
        if name.len() > PORT_BYTES_MAX || !name.split('/').all(part) {
            return Err(SoundPortError::Name);
        }
        Ok(Self(format!("/dev/{name}")))
    }

    /// The device's path.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sound_device_lies_below_dev() {
        assert_eq!(SoundPort::new("ttyUSB2").unwrap().path(), "/dev/ttyUSB2");
        assert_eq!(SoundPort::new("/dev/pts/3").unwrap().path(), "/dev/pts/3");
        for no in [
            "",
            "/",
            "../etc/passwd",
            "/etc/passwd",
            "a/../b",
            ".hidden",
            "a b",
            "a\0",
            "tty\n",
            &"x".repeat(65),
        ] {
            assert_eq!(SoundPort::new(no), Err(SoundPortError::Name), "{no:?}");
        }
    }

    #[test]
    fn another_format_is_no_usable_sound() {
        let rows = |rate: u32, encoding: &str| {
            let format = Value::properties([
                ("encoding".to_owned(), Value::str(encoding)),
                ("resolution".to_owned(), Value::str("s16le")),
                ("rate".to_owned(), Value::U32(rate)),
            ]);
            let mut facts = CallFacts::default();
            facts.merge(&Value::properties([
                ("AudioPort".to_owned(), Value::str("ttyUSB2")),
                ("AudioFormat".to_owned(), format),
            ]));
            facts.sound()
        };
        assert!(rows(8_000, "pcm").is_ok());
        assert_eq!(rows(48_000, "pcm"), Err(SoundPortError::Format));
        assert_eq!(rows(8_000, "amr"), Err(SoundPortError::Format));
        assert_eq!(CallFacts::default().sound(), Err(SoundPortError::None));
    }
}
