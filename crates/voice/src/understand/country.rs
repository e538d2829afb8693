//! The country whose emergency numbers count (RFC 6881 ED-6: the home country is a setting).
use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// A country (or the union) whose emergency numbers and service names this speaker knows.
///
/// Only the configured country's numbers are emergency numbers (RFC 6881 ED-5): recognising every
/// country's numbers everywhere is what let pranks such as "say 108" ring strangers' call-takers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Country {
    /// 911.
    UnitedStates,
    /// 911.
    Canada,
    /// 999 and 112.
    UnitedKingdom,
    /// 112, the number of every member state.
    EuropeanUnion,
    /// 000, and 112 from mobile phones.
    Australia,
}

impl Country {
    /// Every country, in the order of the enum.
    pub const ALL: [Self; 5] = [
        Self::UnitedStates,
        Self::Canada,
        Self::UnitedKingdom,
        Self::EuropeanUnion,
        Self::Australia,
    ];

    /// The code of the configuration file: ISO 3166-1 alpha-2, with `EU` for the union.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::UnitedStates => "US",
            Self::Canada => "CA",
            Self::UnitedKingdom => "GB",
            Self::EuropeanUnion => "EU",
            Self::Australia => "AU",
        }
    }

    /// Position in [`Country::ALL`].
    pub(crate) const fn index(self) -> usize {
        self as usize
    }
}

impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// The configured country is none that this program has emergency numbers for.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("country {0:?} has no emergency numbers here: use one of US, CA, GB, EU, AU")]
pub struct UnknownCountry(pub String);

impl FromStr for Country {
    type Err = UnknownCountry;

    /// Reads a code in any case; `UK` is taken as `GB`.
    fn from_str(code: &str) -> Result<Self, Self::Err> {
        match code.trim().to_ascii_uppercase().as_str() {
            "US" => Ok(Self::UnitedStates),
            "CA" => Ok(Self::Canada),
            "GB" | "UK" => Ok(Self::UnitedKingdom),
            "EU" => Ok(Self::EuropeanUnion),
            "AU" => Ok(Self::Australia),
            _ => Err(UnknownCountry(code.chars().take(16).collect())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_its_own_code_and_names_the_others() {
        for country in Country::ALL {
            assert_eq!(country.code().to_lowercase().parse(), Ok(country));
            assert_eq!(Country::ALL[country.index()], country);
        }
        let wrong = "Atlantis".parse::<Country>().unwrap_err();
        assert!(wrong.to_string().contains("US, CA, GB, EU, AU"));
    }
}
