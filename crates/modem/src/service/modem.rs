//! A modem's properties, and what they mean for a call.

use core::fmt;
use std::collections::BTreeSet;

use super::state::{Lock, ModemState, Registration};
use super::{MESSAGING, MODEM, SIM, THREE_GPP, VOICE, short_text};
use crate::dbus::Value;

/// Emergency numbers of a card that are kept.
const EMERGENCY_NUMBERS_MAX: usize = 16;
/// Longest emergency number of a card, in digits: more is an ordinary number that somebody put there.
const EMERGENCY_DIGITS_MAX: usize = 6;
/// `MM_MODEM_STATE_FAILED_REASON_SIM_MISSING`.
const SIM_MISSING: i64 = 2;

/// What is known of a modem.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct ModemFacts {
    /// Its object on the bus.
    pub path: String,
    /// Who made it.
    pub manufacturer: String,
    /// What it is called.
    pub model: String,
    /// Where it stands.
    pub state: ModemState,
    /// Why it failed, where it did.
    pub sim_missing: bool,
    /// What its card wants.
    pub lock: Lock,
    /// Signal in percent; `None`: not measured.
    pub signal_percent: Option<u8>,
    /// Its place in the network.
    pub registration: Registration,
    /// The network's name.
    pub network: String,
    /// Whether it makes calls.
    pub voice: bool,
    /// Whether only emergency calls are let through.
    pub emergency_only: bool,
    /// Whether it sends and takes short messages.
    pub messaging: bool,
    /// The object of its card.
    #[serde(skip)]
    pub sim: Option<String>,
    /// Emergency numbers of its card, beside those of the country.
    pub emergency_numbers: BTreeSet<String>,
}

impl ModemFacts {
    /// A modem that nothing is known of yet.
    #[must_use]
    pub fn new(path: &str) -> Self {
        Self {
            path: path.to_owned(),
            manufacturer: String::new(),
            model: String::new(),
            state: ModemState::Unknown,
            sim_missing: false,
            lock: Lock::Unknown,
            signal_percent: None,
            registration: Registration::Unknown,
            network: String::new(),
            voice: false,
            emergency_only: false,
            messaging: false,
            sim: None,
            emergency_numbers: BTreeSet::new(),
        }
    }

    /// Takes in properties of an interface, all of them or those that changed.
    pub fn merge(&mut self, interface: &str, properties: &Value) {
        let number = |name| properties.get(name).and_then(Value::as_number);
        let text = |name| properties.get(name).and_then(Value::as_str).map(short_text);
        match interface {
            MODEM => {
                if let Some(state) = number("State") {
                    self.state = ModemState::of(state);
                }
                if let Some(reason) = number("StateFailedReason") {
                    self.sim_missing = reason == SIM_MISSING;
                }
                if let Some(lock) = number("UnlockRequired") {
                    self.lock = Lock::of(lock);
                }
                if let Some(quality) = properties.get("SignalQuality") {
                    let percent = quality.items().first().and_then(Value::as_number);
                    let percent = percent.and_then(|percent| u8::try_from(percent).ok());
                    self.signal_percent = percent.filter(|percent| *percent <= 100);
                }
                if let Some(sim) = properties.get("Sim").and_then(Value::as_path) {
                    self.sim = (sim != "/").then(|| sim.to_owned());
                }
                if let Some(model) = text("Model") {
                    self.model = model;
                }
                if let Some(manufacturer) = text("Manufacturer") {
                    self.manufacturer = manufacturer;
                }
            }
            THREE_GPP => {
                if let Some(registration) = number("RegistrationState") {
                    self.registration = Registration::of(registration);
                }
                if let Some(network) = text("OperatorName") {
                    self.network = network;
                }
            }
            VOICE => {
                self.voice = true;
                if let Some(only) = properties.get("EmergencyOnly").and_then(Value::as_bool) {
                    self.emergency_only = only;
                }
            }
            MESSAGING => self.messaging = true,
            SIM => {
                if let Some(numbers) = properties.get("EmergencyNumbers") {
                    let is_number = |text: &&str| {
                        (2..=EMERGENCY_DIGITS_MAX).contains(&text.len())
                            && text.bytes().all(|byte| byte.is_ascii_digit())
                    };
                    self.emergency_numbers = numbers
                        .items()
                        .iter()
                        .filter_map(Value::as_str)
                        .filter(is_number)
                        .take(EMERGENCY_NUMBERS_MAX)
                        .map(str::to_owned)
                        .collect();
                }
            }
            _ => {}
        }
    }

    /// An interface of it is gone.
    pub fn forget(&mut self, interface: &str) {
        match interface {
            VOICE => self.voice = false,
            MESSAGING => self.messaging = false,
            _ => {}
        }
    }

    /// Whether it can make ordinary calls, and if not, why.
    #[must_use]
    pub fn health(&self) -> Health {
        match self.state {
            _ if self.lock.is_closed() => Health::SimLocked(self.lock),
            ModemState::Locked => Health::SimLocked(self.lock),
            ModemState::Failed if self.sim_missing => Health::SimMissing,
            ModemState::Failed => Health::Failed,
            _ if !self.voice => Health::NoVoice,
            ModemState::Disabled | ModemState::Disabling => Health::Disabled,
            _ if self.registration == Registration::Denied => Health::Denied,
            _ if self.emergency_only || self.registration == Registration::EmergencyOnly => {
                Health::EmergencyOnly
            }
            state if !state.is_registered() => Health::NoNetwork,
            _ if self.signal_percent == Some(0) => Health::NoNetwork,
            _ => Health::Ready,
        }
    }
}

/// Whether the line works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    /// It does.
    Ready,
    /// The bus cannot be reached.
    NoBus,
    /// Nobody on the bus has modems.
    NoService,
    /// It has none.
    NoModem,
    /// It has one that is real, and this build rings drill stand-ins alone.
    NotAStandIn,
    /// The modem does not work.
    Failed,
    /// No card in it.
    SimMissing,
    /// The card wants its PIN or PUK.
    SimLocked(Lock),
    /// It makes no calls.
    NoVoice,
    /// Switched off.
    Disabled,
    /// No network, or no signal.
    NoNetwork,
    /// The network refuses us.
    Denied,
    /// Emergency calls alone are let through.
    EmergencyOnly,
}

impl Health {
    /// Whether an ordinary call can be made.
    #[must_use]
    pub fn is_ready(self) -> bool {
        self == Self::Ready
    }

    /// Whether an emergency call is passed on. Registration, card and signal do not decide about it: a modem may find
    /// another network for it, and knows better.
    #[must_use]
    pub fn takes_emergencies(self) -> bool {
        !matches!(
            self,
            Self::NoBus | Self::NoService | Self::NoModem | Self::NotAStandIn | Self::NoVoice
        )
    }
}

impl fmt::Display for Health {
    /// In words, with what to do.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ready => "ready",
            Self::NoBus => "the bus cannot be reached",
            Self::NoService => "ModemManager is not running on this bus",
            Self::NoModem => "no modem found: is it plugged in?",
            Self::NotAStandIn => {
                "a real modem, which this version does not ring: it has drill stand-ins alone"
            }
            Self::Failed => "the modem has failed: unplug it and plug it in again",
            Self::SimMissing => "no SIM card in the modem",
            Self::SimLocked(Lock::SimPuk | Lock::SimPuk2) => {
                "the SIM card is blocked and wants its PUK"
            }
            Self::SimLocked(_) => "the SIM card wants its PIN",
            Self::NoVoice => "this modem makes no calls",
            Self::Disabled => "the modem is switched off: mmcli -m any --enable",
            Self::NoNetwork => "no mobile network here",
            Self::Denied => "the mobile network refuses this SIM card",
            Self::EmergencyOnly => "emergency calls only",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(rows: &[(&str, Value)]) -> Value {
        Value::properties(
            rows.iter()
                .map(|(name, value)| ((*name).to_owned(), value.clone())),
        )
    }

    #[test]
    fn health_says_what_is_missing_first() {
        let mut facts = ModemFacts::new("/m");
        assert_eq!(facts.health(), Health::NoVoice);
        facts.merge(VOICE, &rows(&[]));
        assert_eq!(facts.health(), Health::NoNetwork);
        facts.merge(MODEM, &rows(&[("State", Value::I32(8))]));
        assert_eq!(facts.health(), Health::Ready);
        facts.merge(VOICE, &rows(&[("EmergencyOnly", Value::Bool(true))]));
        assert_eq!(facts.health(), Health::EmergencyOnly);
        assert!(facts.health().takes_emergencies() && !facts.health().is_ready());
        facts.merge(MODEM, &rows(&[("UnlockRequired", Value::U32(2))]));
        assert_eq!(facts.health(), Health::SimLocked(Lock::SimPin));
        assert_eq!(facts.health().to_string(), "the SIM card wants its PIN");
    }

    #[test]
    fn properties_of_other_types_and_sizes_count_as_unknown() {
        let mut facts = ModemFacts::new("/m");
        let long = "x".repeat(10_000);
        facts.merge(
            MODEM,
            &rows(&[
                ("State", Value::str("registered")),
                ("UnlockRequired", Value::I64(i64::MIN)),
                ("SignalQuality", Value::U32(50)),
                ("Model", Value::str(format!("{long}\u{7}\n"))),
                ("Sim", Value::U64(7)),
            ]),
        );
        assert_eq!(facts.state, ModemState::Unknown);
        assert_eq!(facts.signal_percent, None);
        assert_eq!(facts.model.len(), 64);
        assert_eq!(facts.sim, None);
        let numbers = (0..100).map(|number| format!("{number:03}"));
        let all: Vec<String> = numbers
            .chain(["5550100".into(), "+1".into(), "a".into()])
            .collect();
        let all = Value::strings(all.iter().map(String::as_str));
        facts.merge(SIM, &rows(&[("EmergencyNumbers", all)]));
        assert_eq!(facts.emergency_numbers.len(), EMERGENCY_NUMBERS_MAX);
        facts.merge(MODEM, &Value::str("no properties at all"));
    }
}
