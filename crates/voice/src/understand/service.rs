//! The emergency services of RFC 5031 section 4.2.
use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// An emergency service, named by its URN (RFC 5031 section 4.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Service {
    /// Any emergency service: what an emergency number means.
    Sos,
    /// Ambulance, paramedics.
    Ambulance,
    /// Fire brigade.
    Fire,
    /// Gas leaks.
    Gas,
    /// Coastguard and lifeboats.
    Marine,
    /// Mountain rescue.
    Mountain,
    /// Poison control.
    Poison,
    /// Police, sheriff.
    Police,
}

impl Service {
    /// Every service this speaker can be told to call.
    pub const ALL: [Self; 8] = [
        Self::Sos,
        Self::Ambulance,
        Self::Fire,
        Self::Gas,
        Self::Marine,
        Self::Mountain,
        Self::Poison,
        Self::Police,
    ];

    /// The URN, lower case (RFC 5031 section 3).
    #[must_use]
    pub const fn urn(self) -> &'static str {
        match self {
            Self::Sos => "urn:service:sos",
            Self::Ambulance => "urn:service:sos.ambulance",
            Self::Fire => "urn:service:sos.fire",
            Self::Gas => "urn:service:sos.gas",
            Self::Marine => "urn:service:sos.marine",
            Self::Mountain => "urn:service:sos.mountain",
            Self::Poison => "urn:service:sos.poison",
            Self::Police => "urn:service:sos.police",
        }
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.urn())
    }
}

/// The text is no emergency service URN that this speaker knows.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0:?} is not one of the emergency services of RFC 5031 that a sentence can name")]
pub struct UnknownService(pub String);

impl FromStr for Service {
    type Err = UnknownService;

    fn from_str(urn: &str) -> Result<Self, Self::Err> {
        let lower = urn.to_ascii_lowercase();
        Self::ALL
            .into_iter()
            .find(|service| service.urn() == lower)
            .ok_or_else(|| UnknownService(urn.chars().take(64).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_its_own_urn_in_any_case() {
        for service in Service::ALL {
            assert_eq!(service.urn().to_uppercase().parse(), Ok(service));
        }
        assert!("urn:service:counseling.suicide".parse::<Service>().is_err());
    }
}
