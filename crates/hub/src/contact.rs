//! The address book: whom the home calls by name, and who may call it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::id::ContactId;
use crate::number::{EmergencyRefused, Number, check_contact_name};
use crate::text::{Name, TextError};

/// Most numbers of one contact.
pub const NUMBERS_MAX: usize = 16;
/// Most contacts of a household.
pub const CONTACTS_MAX: usize = 10_000;

/// The name of a contact: no emergency service, so that "call X" never means one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, min_length = 1, max_length = 120)]
pub struct ContactName(Name);

/// Why a text is no contact's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ContactNameError {
    /// Not a name.
    #[error("{0}")]
    Text(#[from] TextError),
    /// An emergency service's name.
    #[error("{0}")]
    Refused(#[from] EmergencyRefused),
}

impl ContactName {
    /// Checks.
    ///
    /// # Errors
    /// [`ContactNameError`].
    pub fn new(text: &str) -> Result<Self, ContactNameError> {
        let name = Name::new(text)?;
        check_contact_name(name.as_str())?;
        Ok(Self(name))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl TryFrom<String> for ContactName {
    type Error = ContactNameError;
    fn try_from(text: String) -> Result<Self, ContactNameError> {
        Self::new(&text)
    }
}

impl From<ContactName> for String {
    fn from(name: ContactName) -> String {
        name.0.into()
    }
}

/// A number with its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ContactNumber {
    /// "mobile", "home"; names of emergency services are refused here too.
    pub label: ContactName,
    /// The number.
    pub number: Number,
}

/// One of the speed dials 1 to 9.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "u8", into = "u8")]
#[schema(value_type = u8, minimum = 1, maximum = 9)]
pub struct SpeedDial(u8);

/// Not a speed dial.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a speed dial is a digit from 1 to 9")]
pub struct SpeedDialError;

impl TryFrom<u8> for SpeedDial {
    type Error = SpeedDialError;
    fn try_from(digit: u8) -> Result<Self, SpeedDialError> {
        if (1..=9).contains(&digit) {
            Ok(Self(digit))
        } else {
            Err(SpeedDialError)
        }
    }
}

impl From<SpeedDial> for u8 {
    fn from(dial: SpeedDial) -> u8 {
        dial.0
    }
}

/// What happens when this contact calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Screening {
    /// It rings.
    #[default]
    Allow,
    /// It does not ring: they can say who they are and what they want in a message, and are called back or not. Where the
    /// home has no mailbox they hear the busy tone.
    Screen,
    /// It never rings. A call-taker's callback after an emergency call rings all the same.
    Block,
}

impl Screening {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Screen => "screen",
            Self::Block => "block",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        [Self::Allow, Self::Screen, Self::Block]
            .into_iter()
            .find(|screening| screening.as_str() == text)
    }
}

/// What may be set about a contact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ContactFields {
    /// What people say: "call Anna".
    pub name: ContactName,
    /// At most 16.
    #[serde(deserialize_with = "few_numbers")]
    #[schema(max_items = 16)]
    pub numbers: Vec<ContactNumber>,
    /// What happens when they call.
    #[serde(default)]
    pub screening: Screening,
    /// Whether they may drop in: our speakers answer them by themselves. Off unless the home says so.
    #[serde(default)]
    pub drop_in: bool,
    /// Whether children may call them.
    #[serde(default)]
    pub children_may_call: bool,
    /// The digit that calls them.
    #[serde(default)]
    pub speed_dial: Option<SpeedDial>,
}

fn few_numbers<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Vec<ContactNumber>, D::Error> {
    let numbers = Vec::<ContactNumber>::deserialize(from)?;
    if numbers.len() > NUMBERS_MAX {
        return Err(serde::de::Error::custom(format!(
            "a contact has at most {NUMBERS_MAX} numbers"
        )));
    }
    Ok(numbers)
}

/// A contact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Contact {
    /// Id.
    pub id: ContactId,
    /// What may be set.
    #[serde(flatten)]
    pub fields: ContactFields,
}
