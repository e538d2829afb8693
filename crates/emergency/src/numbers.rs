//! Emergency dial strings by country, and the one place where dialled digits are first looked at.
//!
//! [`DialledDigits`] can be read by [`DialledDigits::recognise`] alone: a dial plan, contact or block list takes
//! [`OrdinaryDigits`], which only recognition hands out, and only for digits that are no emergency number. So no
//! editable rule can ever see, and rewrite, an emergency number (DESIGN invariant 2).

use crate::service::ServiceUrn;

/// Most digits of one dialled string.
pub const DIGITS_MAX: usize = 40;

/// A dial string and the service it reaches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DialString {
    /// What is dialled.
    pub digits: &'static str,
    /// Which service answers.
    pub service: ServiceUrn,
}

const fn dial(digits: &'static str, service: ServiceUrn) -> DialString {
    DialString { digits, service }
}

const SOS: ServiceUrn = ServiceUrn::SOS;
const POLICE: ServiceUrn = ServiceUrn::POLICE;
const FIRE: ServiceUrn = ServiceUrn::FIRE;
const AMBULANCE: ServiceUrn = ServiceUrn::AMBULANCE;

macro_rules! countries {
    ($($(#[$doc:meta])* $variant:ident $code:literal $name:literal [$(($digits:literal, $service:expr)),+ $(,)?];)+) => {
        /// A country whose emergency numbers are known. The household sets its own (RFC 6881 ED-6); the others serve to
        /// name a foreign number instead of dialling it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Country { $(#[doc = $name] $variant,)+ }

        impl Country {
            /// Every country with data.
            pub const ALL: &'static [Country] = &[$(Country::$variant,)+];

            /// ISO 3166-1 alpha-2 code, upper case.
            pub fn code(self) -> &'static str {
                match self { $(Country::$variant => $code,)+ }
            }

            /// English short name.
            pub fn name(self) -> &'static str {
                match self { $(Country::$variant => $name,)+ }
            }

            /// The emergency dial strings a voice call from a home line can reach there.
            pub fn dial_strings(self) -> &'static [DialString] {
                match self {
                    $(Country::$variant => const { &[$(dial($digits, $service)),+] },)+
                }
            }
        }
    };
}

// Numbers for text only (GB 18000, AU 106, FR 114) are left out: this device speaks.
countries! {
    UnitedStates "US" "United States" [("911", SOS)];
    Canada "CA" "Canada" [("911", SOS)];
    UnitedKingdom "GB" "United Kingdom" [("999", SOS), ("112", SOS)];
    Australia "AU" "Australia" [("000", SOS), ("112", SOS)];
    NewZealand "NZ" "New Zealand" [("111", SOS)];
    Austria "AT" "Austria" [("112", SOS), ("122", FIRE), ("133", POLICE), ("140", ServiceUrn::MOUNTAIN), ("144", AMBULANCE)];
    Belgium "BE" "Belgium" [("112", SOS), ("100", SOS), ("101", POLICE)];
    Bulgaria "BG" "Bulgaria" [("112", SOS)];
    Croatia "HR" "Croatia" [("112", SOS), ("192", POLICE), ("193", FIRE), ("194", AMBULANCE), ("195", ServiceUrn::MARINE)];
    Cyprus "CY" "Cyprus" [("112", SOS), ("199", SOS)];
    Czechia "CZ" "Czechia" [("112", SOS), ("150", FIRE), ("155", AMBULANCE), ("158", POLICE)];
    Denmark "DK" "Denmark" [("112", SOS)];
    Estonia "EE" "Estonia" [("112", SOS)];
    Finland "FI" "Finland" [("112", SOS)];
    France "FR" "France" [("112", SOS), ("15", AMBULANCE), ("17", POLICE), ("18", FIRE), ("196", ServiceUrn::MARINE)];
    Germany "DE" "Germany" [("112", SOS), ("110", POLICE)];
    Greece "GR" "Greece" [("112", SOS), ("100", POLICE), ("108", ServiceUrn::MARINE), ("166", AMBULANCE), ("199", FIRE)];
    Hungary "HU" "Hungary" [("112", SOS), ("104", AMBULANCE), ("105", FIRE), ("107", POLICE)];
    Ireland "IE" "Ireland" [("112", SOS), ("999", SOS)];
    Italy "IT" "Italy" [("112", SOS), ("113", POLICE), ("115", FIRE), ("118", AMBULANCE), ("1530", ServiceUrn::MARINE)];
    Latvia "LV" "Latvia" [("112", SOS), ("110", POLICE), ("113", AMBULANCE)];
    Lithuania "LT" "Lithuania" [("112", SOS)];
    Luxembourg "LU" "Luxembourg" [("112", SOS), ("113", POLICE)];
    Malta "MT" "Malta" [("112", SOS)];
    Netherlands "NL" "Netherlands" [("112", SOS)];
    Poland "PL" "Poland" [("112", SOS), ("997", POLICE), ("998", FIRE), ("999", AMBULANCE)];
    Portugal "PT" "Portugal" [("112", SOS)];
    Romania "RO" "Romania" [("112", SOS)];
    Slovakia "SK" "Slovakia" [("112", SOS), ("150", FIRE), ("155", AMBULANCE), ("158", POLICE)];
    Slovenia "SI" "Slovenia" [("112", SOS), ("113", POLICE)];
    Spain "ES" "Spain" [("112", SOS), ("061", AMBULANCE), ("062", POLICE), ("080", FIRE), ("091", POLICE)];
    Sweden "SE" "Sweden" [("112", SOS)];
    Norway "NO" "Norway" [("112", POLICE), ("110", FIRE), ("113", AMBULANCE)];
    Switzerland "CH" "Switzerland" [("112", SOS), ("117", POLICE), ("118", FIRE), ("144", AMBULANCE)];
    India "IN" "India" [("112", SOS), ("100", POLICE), ("101", FIRE), ("102", AMBULANCE), ("108", SOS)];
    Japan "JP" "Japan" [("110", POLICE), ("119", SOS)];
    China "CN" "China" [("110", POLICE), ("119", FIRE), ("120", AMBULANCE)];
    Mexico "MX" "Mexico" [("911", SOS)];
}

impl Country {
    /// The country of an ISO 3166-1 alpha-2 code in any case.
    pub fn from_code(code: &str) -> Option<Country> {
        Country::ALL
            .iter()
            .copied()
            .find(|country| country.code().eq_ignore_ascii_case(code))
    }

    /// The number to name when a foreign one was asked for.
    pub fn main_number(self) -> &'static str {
        self.dial_strings()[0].digits
    }
}

/// Whose emergency numbers a line dials.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NumberPlan {
    /// One country's.
    Of(Country),
    /// 112, which every member state of the European Union answers for every service.
    EuropeanUnion,
}

impl NumberPlan {
    /// The number that reaches `service`: its own where there is one, else the one of the service above it, else the main
    /// number.
    pub fn number_for(self, service: &ServiceUrn) -> EmergencyNumber {
        let NumberPlan::Of(country) = self else {
            return EmergencyNumber("112");
        };
        let strings = country.dial_strings();
        let mut wanted = Some(service.clone());
        while let Some(service) = wanted {
            if let Some(own) = strings.iter().find(|own| own.service == service) {
                return EmergencyNumber(own.digits);
            }
            wanted = service.parent();
        }
        EmergencyNumber(country.main_number())
    }
}

/// An emergency number out of the table. Only [`NumberPlan::number_for`] makes one, from no digits that anybody dialled,
/// and nothing that rewrites digits takes one: a dial plan takes [`OrdinaryDigits`] (DESIGN invariant 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EmergencyNumber(&'static str);

impl EmergencyNumber {
    /// The digits, as they stand in a Request-URI.
    pub fn as_str(self) -> &'static str {
        self.0
    }
}

/// What recognition found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recognition {
    /// A local emergency number.
    Emergency(ServiceUrn),
    /// No local number, but an emergency number of these countries. Never dialled as an emergency, always named.
    Foreign(Vec<Country>),
    /// An ordinary number: from here on the dial plan may have it.
    Ordinary(OrdinaryDigits),
}

/// Digits as dialled or spoken, before anything has looked at them.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "dialled digits are recognised before anything else sees them"]
pub struct DialledDigits(String);

/// Digits that recognition found to be no emergency number of the household's country.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrdinaryDigits(String);

impl OrdinaryDigits {
    /// The digits, for a dial plan.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Why a text is not a dialled string.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DialledError {
    /// Empty, or more than [`DIGITS_MAX`] digits.
    #[error("a dialled string has 1 to {DIGITS_MAX} digits, this has {count}")]
    Length {
        /// Digits found.
        count: usize,
    },
    /// Something other than digits, `*`, `#`, a leading `+` and the visual separators of RFC 3966.
    #[error("character {index} is none of 0-9 * # + - . ( ) and space")]
    Character {
        /// Which character, from 0.
        index: usize,
    },
    /// A URI without a telephone number in it.
    #[error("the URI is neither tel: nor sip: with user=phone or user=dialstring")]
    NotANumber,
}

impl DialledDigits {
    /// Digits with or without the visual separators of RFC 3966 §5.1.1.
    ///
    /// # Errors
    /// [`DialledError`].
    pub fn new(text: &str) -> Result<Self, DialledError> {
        let mut digits = String::new();
        for (index, character) in text.trim().chars().enumerate() {
            match character {
                '0'..='9' | '*' | '#' => digits.push(character),
                '+' if digits.is_empty() => digits.push(character),
                '-' | '.' | '(' | ')' | ' ' => {}
                _ => return Err(DialledError::Character { index }),
            }
            if digits.len() > DIGITS_MAX {
                return Err(DialledError::Length {
                    count: digits.len(),
                });
            }
        }
        if digits.is_empty() {
            return Err(DialledError::Length { count: 0 });
        }
        Ok(DialledDigits(digits))
    }

    /// The digits of `tel:911;phone-context=+1` (RFC 3966) or `sip:911@…;user=phone` and `;user=dialstring` (RFC 4967).
    ///
    /// # Errors
    /// [`DialledError`].
    pub fn from_uri(uri: &str) -> Result<Self, DialledError> {
        let (scheme, rest) = uri.trim().split_once(':').ok_or(DialledError::NotANumber)?;
        if scheme.eq_ignore_ascii_case("tel") {
            return Self::new(rest.split(';').next().unwrap_or(""));
        }
        if !scheme.eq_ignore_ascii_case("sip") && !scheme.eq_ignore_ascii_case("sips") {
            return Err(DialledError::NotANumber);
        }
        let (user, host) = rest.rsplit_once('@').ok_or(DialledError::NotANumber)?;
        let is_phone = host
            .split(['?'])
            .next()
            .unwrap_or("")
            .split(';')
            .skip(1)
            .any(|parameter| {
                parameter.eq_ignore_ascii_case("user=phone")
                    || parameter.eq_ignore_ascii_case("user=dialstring")
            });
        if !is_phone {
            return Err(DialledError::NotANumber);
        }
        let user = user.split([';', ':']).next().unwrap_or("");
        Self::new(&percent_decoded(user).ok_or(DialledError::NotANumber)?)
    }

    /// Looks the digits up for a household of `country`: emergency first, then foreign, else ordinary.
    pub fn recognise(self, country: Country) -> Recognition {
        if let Some(service) = recognise(&self.0, country) {
            return Recognition::Emergency(service);
        }
        let foreign: Vec<Country> = Country::ALL
            .iter()
            .copied()
            .filter(|&other| other != country && recognise(&self.0, other).is_some())
            .collect();
        if foreign.is_empty() {
            Recognition::Ordinary(OrdinaryDigits(self.0))
        } else {
            Recognition::Foreign(foreign)
        }
    }
}

/// The emergency service that exactly these digits reach in `country`.
pub fn recognise(digits: &str, country: Country) -> Option<ServiceUrn> {
    country
        .dial_strings()
        .iter()
        .find(|own| own.digits == digits)
        .map(|own| own.service.clone())
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let high = char::from(bytes.next()?).to_digit(16)?;
            let low = char::from(bytes.next()?).to_digit(16)?;
            out.push(u8::try_from(high * 16 + low).ok()?);
        } else {
            out.push(byte);
        }
    }
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_country_has_sound_data() {
        for &country in Country::ALL {
            assert_eq!(Country::from_code(country.code()), Some(country));
            for string in country.dial_strings() {
                assert!(string.digits.bytes().all(|byte| byte.is_ascii_digit()));
                assert!(string.service.is_sos());
                let same = country
                    .dial_strings()
                    .iter()
                    .filter(|other| other.digits == string.digits);
                assert_eq!(
                    same.count(),
                    1,
                    "{} twice in {}",
                    string.digits,
                    country.name()
                );
            }
        }
    }

    #[test]
    fn the_number_of_a_service_reaches_it_or_the_service_above_it() {
        let number = |country, service: &str| {
            NumberPlan::Of(country)
                .number_for(&ServiceUrn::parse(service).unwrap())
                .as_str()
        };
        assert_eq!(number(Country::UnitedStates, "urn:service:sos"), "911");
        assert_eq!(
            number(Country::UnitedKingdom, "urn:service:sos.police"),
            "999"
        );
        assert_eq!(number(Country::Australia, "urn:service:sos.fire"), "000");
        assert_eq!(number(Country::Germany, "urn:service:sos.police"), "110");
        assert_eq!(number(Country::Germany, "urn:service:sos.ambulance"), "112");
        assert_eq!(
            number(Country::France, "urn:service:sos.police.river"),
            "17"
        );
        assert_eq!(
            NumberPlan::EuropeanUnion
                .number_for(&ServiceUrn::FIRE)
                .as_str(),
            "112"
        );
        for &country in Country::ALL {
            for service in ["sos", "sos.police", "sos.fire", "sos.ambulance", "sos.x"] {
                let number = number(country, &format!("urn:service:{service}"));
                let digits = DialledDigits::new(number).unwrap();
                assert!(
                    matches!(digits.recognise(country), Recognition::Emergency(_)),
                    "{number} in {}",
                    country.name()
                );
            }
        }
    }

    #[test]
    fn every_written_form_of_a_number_is_recognised() {
        for text in ["911", " 9-1-1 ", "(911)"] {
            let digits = DialledDigits::new(text).unwrap();
            assert_eq!(
                digits.recognise(Country::UnitedStates),
                Recognition::Emergency(ServiceUrn::SOS)
            );
        }
        for uri in [
            "tel:911",
            "TEL:9-1-1;phone-context=+1",
            "sip:911@example.test;user=phone",
            "sips:911;phone-context=example.test@example.test:5061;transport=tls;user=dialstring",
            "sip:9%311@example.test;USER=PHONE",
        ] {
            let digits = DialledDigits::from_uri(uri).unwrap();
            assert_eq!(
                digits.recognise(Country::UnitedStates),
                Recognition::Emergency(ServiceUrn::SOS),
                "{uri}"
            );
        }
        assert_eq!(
            DialledDigits::from_uri("sip:911@example.test"),
            Err(DialledError::NotANumber)
        );
    }

    #[test]
    fn a_foreign_number_is_named_and_never_local() {
        let foreign =
            |digits: &str, country| match DialledDigits::new(digits).unwrap().recognise(country) {
                Recognition::Foreign(countries) => countries,
                other => panic!("{other:?}"),
            };
        assert!(foreign("108", Country::UnitedStates).contains(&Country::India));
        assert!(foreign("112", Country::UnitedStates).contains(&Country::Germany));
        assert!(foreign("911", Country::UnitedKingdom).contains(&Country::UnitedStates));
        assert!(foreign("999", Country::Germany).contains(&Country::UnitedKingdom));
    }

    #[test]
    fn longer_numbers_and_global_numbers_are_ordinary() {
        for text in ["9112", "+911", "1911", "11", "5550199", "0911"] {
            let found = DialledDigits::new(text)
                .unwrap()
                .recognise(Country::UnitedStates);
            assert!(matches!(found, Recognition::Ordinary(_)), "{text}");
        }
    }
}
