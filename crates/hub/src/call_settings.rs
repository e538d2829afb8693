//! What a person or a device wants of calls: do not disturb, whom it takes, where they go instead, and who may drop in.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::clock::UnixMs;
use crate::contact::ContactName;
use crate::number::{ForwardNumber, Number};
use crate::person::Party;

/// Most entries of one list.
pub const LIST_MAX: usize = 200;

/// Settings of one person, on all their devices, or of one device.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CallSettings {
    /// Nothing rings; who calls is told that nobody comes, and the call is noted as missed.
    #[serde(default)]
    pub do_not_disturb: bool,
    /// Until when; without it until it is switched off.
    #[serde(default)]
    pub do_not_disturb_until_ms: Option<UnixMs>,
    /// Whose calls are declined. At most 200.
    #[serde(default, deserialize_with = "few")]
    #[schema(max_items = 200)]
    pub blocked: Vec<Party>,
    /// Numbers outside whose calls are declined. At most 200.
    #[serde(default, deserialize_with = "few")]
    #[schema(max_items = 200)]
    pub blocked_numbers: Vec<Number>,
    /// Where calls go instead. A call-taker's callback after an emergency call rings here all the same.
    #[serde(default)]
    pub forward: Option<ForwardTo>,
    /// When given, only these people and devices of the home may call. At most 200.
    #[serde(default, deserialize_with = "few_or_none")]
    #[schema(max_items = 200)]
    pub only: Option<Vec<Party>>,
    /// Who may drop in: their call is answered by itself. Nobody unless it is said here. At most 200.
    #[serde(default, deserialize_with = "few")]
    #[schema(max_items = 200)]
    pub drop_in: Vec<Party>,
}

/// Where calls go. Never to an emergency number or service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ForwardTo {
    /// A telephone number.
    Number(ForwardNumber),
    /// The devices of the room or person that is called so, or the device.
    Called(ContactName),
}

/// Whose calls are declined from now on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Blocked {
    /// A person or a device of the home.
    Inside(Party),
    /// A number outside.
    Number(Number),
}

/// The list is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a list has at most {LIST_MAX} entries")]
pub struct ListFull;

impl CallSettings {
    /// Adds a caller to the list; one that is on it stays.
    ///
    /// # Errors
    /// [`ListFull`].
    pub fn block(&mut self, caller: Blocked) -> Result<(), ListFull> {
        fn add<T: PartialEq>(list: &mut Vec<T>, entry: T) -> Result<(), ListFull> {
            if list.contains(&entry) {
                return Ok(());
            }
            if list.len() >= LIST_MAX {
                return Err(ListFull);
            }
            list.push(entry);
            Ok(())
        }
        match caller {
            Blocked::Inside(party) => add(&mut self.blocked, party),
            Blocked::Number(number) => add(&mut self.blocked_numbers, number),
        }
    }

    /// Whether nothing rings now.
    #[must_use]
    pub fn is_undisturbed(&self, now: UnixMs) -> bool {
        self.do_not_disturb && self.do_not_disturb_until_ms.is_none_or(|until| now < until)
    }
}

fn few<'de, D, T>(from: D) -> Result<Vec<T>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Deserialize<'de>,
{
    let list = Vec::<T>::deserialize(from)?;
    if list.len() > LIST_MAX {
        let text = format!("a list has at most {LIST_MAX} entries");
        return Err(serde::de::Error::custom(text));
    }
    Ok(list)
}

fn few_or_none<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<Vec<Party>>, D::Error> {
    #[derive(Deserialize)]
    struct Few(#[serde(deserialize_with = "few")] Vec<Party>);
    Ok(Option::<Few>::deserialize(from)?.map(|few| few.0))
}
