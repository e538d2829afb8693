//! ModemManager's D-Bus interface, as far as calls and messages need it: names, states, and its properties read with
//! distrust. A property that is missing, of another type or out of bounds counts as unknown; nothing here can fail.

mod call;
mod modem;
mod sms;
mod state;

pub use call::{CallFacts, SoundPort, SoundPortError};
pub use modem::{Health, ModemFacts};
pub use sms::SmsFacts;
pub use state::{
    CallDirection, CallState, CallStateReason, Lock, ModemState, Registration, SmsKind, SmsState,
};

/// The service's name on the bus.
pub const SERVICE: &str = "org.freedesktop.ModemManager1";
/// Its first object: the one that lists the modems.
pub const ROOT: &str = "/org/freedesktop/ModemManager1";
/// The name that our stand-in owns beside [`SERVICE`], and that no real service has.
///
/// Nothing in this build may ring a real telephone: calls are placed, and messages sent, only where the same connection
/// owns both names (DESIGN invariant 6).
pub const STAND_IN: &str = "org.hearthline.Drill.ModemStandIn1";

/// Interface of a modem.
pub const MODEM: &str = "org.freedesktop.ModemManager1.Modem";
/// Its place in the network.
pub const THREE_GPP: &str = "org.freedesktop.ModemManager1.Modem.Modem3gpp";
/// Its calls.
pub const VOICE: &str = "org.freedesktop.ModemManager1.Modem.Voice";
/// Its short messages.
pub const MESSAGING: &str = "org.freedesktop.ModemManager1.Modem.Messaging";
/// Its card.
pub const SIM: &str = "org.freedesktop.ModemManager1.Sim";
/// One call.
pub const CALL: &str = "org.freedesktop.ModemManager1.Call";
/// One short message.
pub const SMS: &str = "org.freedesktop.ModemManager1.Sms";
/// The standard interface of properties.
pub const PROPERTIES: &str = "org.freedesktop.DBus.Properties";
/// The standard interface of lists of objects.
pub const OBJECTS: &str = "org.freedesktop.DBus.ObjectManager";

/// Longest text of a property that is kept, in characters.
const TEXT_CHARACTERS_MAX: usize = 64;

/// A short text for people: printable, and not long.
fn short_text(text: &str) -> String {
    text.chars()
        .filter(|character| !character.is_control())
        .take(TEXT_CHARACTERS_MAX)
        .collect()
}
