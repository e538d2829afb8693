//! Opaque random ids: they tell nothing and cannot be guessed.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::entropy::{NoEntropy, random};

/// Digits and lower-case letters without i, l, o and u (the set of Crockford's base 32).
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// 128 bits in groups of five.
const CHARACTERS: usize = 26;

/// Not an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an id is {CHARACTERS} lower-case letters and digits as the hub gave it out")]
pub struct IdError;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)+) => { $(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
        #[serde(try_from = "String", into = "String")]
        #[schema(value_type = String)]
        pub struct $name([u8; 16]);

        impl $name {
            /// A new one that nobody can guess.
            ///
            /// # Errors
            /// [`NoEntropy`].
            pub fn random() -> Result<Self, NoEntropy> {
                random().map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&encode(self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                decode(text).map(Self)
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;
            fn try_from(text: String) -> Result<Self, IdError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.to_string()
            }
        }
    )+ };
}

ids! {
    /// A person of the household.
    PersonId;
    /// A device of the household.
    DeviceId;
    /// A room.
    RoomId;
    /// An entry of the address book.
    ContactId;
    /// A line to the outside telephone network.
    LineId;
    /// A call.
    CallId;
    /// A message.
    MessageId;
    /// An invitation to join.
    InvitationId;
    /// A session of a person; not the secret token itself.
    TokenId;
    /// A reported incident.
    IncidentId;
    /// Lights that a routine wants switched.
    LightOrderId;
}

fn encode(bytes: [u8; 16]) -> String {
    let mut value = u128::from_be_bytes(bytes);
    let mut text = [0; CHARACTERS];
    for place in text.iter_mut().rev() {
        *place = ALPHABET[(value & 31) as usize];
        value >>= 5;
    }
    text.iter().copied().map(char::from).collect()
}

fn decode(text: &str) -> Result<[u8; 16], IdError> {
    // Above 7 the first of 26 digits does not fit into 128 bits.
    if text.len() != CHARACTERS || text.as_bytes()[0] > b'7' {
        return Err(IdError);
    }
    let mut value: u128 = 0;
    for byte in text.bytes() {
        let digit = ALPHABET
            .iter()
            .position(|&own| own == byte)
            .ok_or(IdError)?;
        value = value << 5 | digit as u128;
    }
    Ok(value.to_be_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_read_back_and_have_one_spelling() {
        for bytes in [[0; 16], [0xFF; 16], *b"0123456789abcdef"] {
            let id = PersonId(bytes);
            assert_eq!(id.to_string().parse(), Ok(id));
        }
        let text = PersonId([0xFF; 16]).to_string();
        for wrong in [
            "",
            "7",
            &text.to_uppercase(),
            &format!("8{}", &text[1..]),
            &format!("{text}0"),
        ] {
            assert_eq!(wrong.parse::<PersonId>(), Err(IdError), "{wrong}");
        }
        assert!("é".repeat(13).parse::<PersonId>().is_err());
        assert_ne!(PersonId::random(), PersonId::random());
    }
}
