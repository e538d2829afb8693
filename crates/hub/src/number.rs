//! Telephone numbers that may be saved, and the refusal of those that reach an emergency service.
//!
//! A saved number is dialled later by name, by speed dial or by forwarding. An emergency call is
//! started by a live human saying so (DESIGN invariant 1), so no emergency number of any country and
//! no emergency service's name can be saved at all.

use std::fmt;

use hearthline_emergency::numbers::{Country, recognise};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Fewest digits after the plus; the shortest numbers in use (Niue, Saint Helena) have 7.
const DIGITS_MIN: usize = 7;
/// Most digits after the plus (E.164 section 6.2.1).
const DIGITS_MAX: usize = 15;

/// Why a number cannot be saved: their input, or a refusal by policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NumberError {
    /// Not an international number.
    #[error(
        "it is not an international number; write + and {DIGITS_MIN} to {DIGITS_MAX} digits, country code first"
    )]
    NotE164,
    /// It reaches an emergency service.
    #[error("{0}")]
    Refused(#[from] EmergencyRefused),
}

/// A refusal: emergency numbers and services are not saved, whatever the country.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "emergency numbers and services cannot be saved as a contact, a speed dial or a forward; to call for help say so to a speaker or dial it on a telephone"
)]
pub struct EmergencyRefused;

/// An international telephone number (E.164) that is no emergency number.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, pattern = r"^\+[1-9][0-9]{6,14}$")]
pub struct Number(String);

impl Number {
    /// Reads `+` and digits; space, hyphen, dot and brackets between them are dropped.
    ///
    /// # Errors
    /// [`NumberError`].
    pub fn new(text: &str) -> Result<Self, NumberError> {
        let written = written(text)?;
        let digits = written.trim_start_matches('+');
        if reaches_emergency_service(digits) {
            return Err(EmergencyRefused.into());
        }
        let shaped = written.starts_with('+')
            && (DIGITS_MIN..=DIGITS_MAX).contains(&digits.len())
            && !digits.starts_with('0');
        if !shaped {
            return Err(NumberError::NotE164);
        }
        Ok(Self(written))
    }

    /// `+` and digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Number(…)")
    }
}

impl TryFrom<String> for Number {
    type Error = NumberError;
    fn try_from(text: String) -> Result<Self, NumberError> {
        Self::new(&text)
    }
}

impl From<Number> for String {
    fn from(number: Number) -> String {
        number.0
    }
}

/// A number that calls are forwarded to: international, or as it is dialled in this home; never one that reaches an
/// emergency service. What it leads to is judged again for each call.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, pattern = r"^\+?[0-9]{7,15}$")]
pub struct ForwardNumber(String);

impl ForwardNumber {
    /// Reads what [`Number::new`] reads, and digits without a plus.
    ///
    /// # Errors
    /// [`NumberError`].
    pub fn new(text: &str) -> Result<Self, NumberError> {
        let written = written(text)?;
        if written.starts_with('+') {
            return Number::new(&written).map(|number| Self(number.0));
        }
        if reaches_emergency_service(&written) {
            return Err(EmergencyRefused.into());
        }
        if !(DIGITS_MIN..=DIGITS_MAX).contains(&written.len()) {
            return Err(NumberError::NotE164);
        }
        Ok(Self(written))
    }

    /// Digits, perhaps behind a plus.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ForwardNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ForwardNumber(…)")
    }
}

impl TryFrom<String> for ForwardNumber {
    type Error = NumberError;
    fn try_from(text: String) -> Result<Self, NumberError> {
        Self::new(&text)
    }
}

impl From<ForwardNumber> for String {
    fn from(number: ForwardNumber) -> String {
        number.0
    }
}

/// Plus and digits; what people write between them is dropped.
fn written(text: &str) -> Result<String, NumberError> {
    let mut written = String::new();
    for character in text.trim().chars() {
        match character {
            '+' if written.is_empty() => written.push('+'),
            '0'..='9' => written.push(character),
            ' ' | '-' | '.' | '(' | ')' | '/' | '\u{A0}' => {}
            _ => return Err(NumberError::NotE164),
        }
        if written.len() > DIGITS_MAX + 8 {
            return Err(NumberError::NotE164);
        }
    }
    Ok(written)
}

/// Whether the digits are an emergency number of any country: alone, behind a country code of one to
/// three digits, or behind the prefixes that dial out (0, 00, 9).
fn reaches_emergency_service(digits: &str) -> bool {
    let is_one = |digits: &str| {
        Country::ALL
            .iter()
            .any(|&country| recognise(digits, country).is_some())
    };
    is_one(digits)
        || (digits.len() <= DIGITS_MIN
            && (1..=3).any(|prefix| digits.get(prefix..).is_some_and(is_one)))
}

/// Words that name an emergency service or its number.
const SERVICE_WORDS: &[&str] = &[
    "emergency",
    "emergencies",
    "police",
    "sheriff",
    "ambulance",
    "paramedics",
    "paramedic",
    "fire",
    "firefighters",
    "firemen",
    "coastguard",
    "sos",
    "mayday",
    "rescue",
    "polizei",
    "feuerwehr",
    "notruf",
    "rettungsdienst",
    "notarzt",
    "krankenwagen",
    "policia",
    "policía",
    "bomberos",
    "ambulancia",
    "emergencias",
    "emergencia",
    "pompiers",
    "samu",
    "gendarmerie",
    "urgences",
    "polizia",
    "carabinieri",
    "pompieri",
    "ambulanza",
    "vigili",
    "politie",
    "brandweer",
    "alarmnummer",
    "polisen",
    "polis",
    "politi",
    "brandvæsen",
    "brannvesen",
    "policja",
    "pogotowie",
    "polícia",
    "bombeiros",
];

/// Words that may stand around one without making it something else.
const FILLER_WORDS: &[&str] = &[
    "the",
    "a",
    "my",
    "our",
    "local",
    "call",
    "dial",
    "department",
    "dept",
    "service",
    "services",
    "brigade",
    "station",
    "number",
    "line",
    "call-taker",
    "dispatch",
    "dispatcher",
    "operator",
    "office",
    "officer",
    "of",
    "and",
    "mountain",
    "county",
    "city",
    "state",
    "die",
    "der",
    "la",
    "el",
    "les",
    "los",
    "de",
];

/// Digits as they are spoken.
const DIGIT_WORDS: [(&str, char); 11] = [
    ("zero", '0'),
    ("oh", '0'),
    ("one", '1'),
    ("two", '2'),
    ("three", '3'),
    ("four", '4'),
    ("five", '5'),
    ("six", '6'),
    ("seven", '7'),
    ("eight", '8'),
    ("nine", '9'),
];

/// Refuses a name that would make "call X" mean an emergency service.
///
/// # Errors
/// [`EmergencyRefused`].
pub fn check_contact_name(name: &str) -> Result<(), EmergencyRefused> {
    let mut digits = String::new();
    let (mut service, mut other) = (false, false);
    let lower = name.to_lowercase().replace("coast guard", "coastguard");
    for word in lower.split(|character: char| !character.is_alphanumeric()) {
        if word.is_empty() {
            continue;
        }
        if let Some((_, digit)) = DIGIT_WORDS.iter().find(|(spoken, _)| *spoken == word) {
            digits.push(*digit);
        } else if word.bytes().all(|byte| byte.is_ascii_digit()) {
            digits.push_str(word);
        } else if SERVICE_WORDS.contains(&word) {
            service = true;
        } else if !FILLER_WORDS.contains(&word) {
            other = true;
        }
    }
    let numbered = !digits.is_empty() && digits.len() <= DIGITS_MIN && reaches_alone(&digits);
    if !other && (service || numbered) {
        return Err(EmergencyRefused);
    }
    Ok(())
}

fn reaches_alone(digits: &str) -> bool {
    Country::ALL
        .iter()
        .any(|&country| recognise(digits, country).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_emergency_number_of_every_country_is_refused_in_every_dress() {
        for &country in Country::ALL {
            for string in country.dial_strings() {
                for dress in ["", "+", "+1", "+49", "+353", "0", "00", "9", "9 "] {
                    let text = format!("{dress}{}", string.digits);
                    assert_eq!(
                        Number::new(&text),
                        Err(NumberError::Refused(EmergencyRefused)),
                        "{text}"
                    );
                    assert!(Number::new(&format!("tel:{text}")).is_err());
                }
                assert_eq!(check_contact_name(string.digits), Err(EmergencyRefused));
            }
        }
    }

    #[test]
    fn ordinary_numbers_are_kept_as_e164() {
        assert_eq!(
            Number::new("+1 (202) 555-0123").unwrap().as_str(),
            "+12025550123"
        );
        assert_eq!(Number::new("+683 4000").unwrap().as_str(), "+6834000");
        for wrong in [
            "2025550123",
            "+0123456789",
            "+1234567890123456",
            "",
            "+",
            "+12025550123x1",
            "++12025550123",
        ] {
            assert_eq!(Number::new(wrong), Err(NumberError::NotE164), "{wrong}");
        }
        assert_eq!(
            format!("{:?}", Number::new("+12025550123").unwrap()),
            "Number(…)"
        );
    }

    #[test]
    fn names_of_services_are_refused_and_people_with_such_words_are_not() {
        for refused in [
            "Police",
            "the fire department",
            "Emergency Services",
            "nine one one",
            "9-1-1",
            "Nine, one, one!",
            "call 112",
            "FIRE",
            "Feuerwehr",
            "la policia",
            "Coastguard",
            "my local police station",
        ] {
            assert_eq!(
                check_contact_name(refused),
                Err(EmergencyRefused),
                "{refused}"
            );
        }
        for kept in [
            "Anna",
            "Anna Police",
            "Chief Wiggum",
            "Pizza 4 You",
            "Grandma 2",
            "Fire Alarm Installer Bob",
        ] {
            assert_eq!(check_contact_name(kept), Ok(()), "{kept}");
        }
    }
}
