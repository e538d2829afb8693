//! Somebody outside whose words reach the home as a message: a caller who spoke to the mailbox, or who sent a text.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::id::LineId;
use crate::message::Recipients;
use crate::number::Number;
use crate::sip;
use crate::store::{Answer, Store};
use crate::text::Name;

/// Whose words a message passes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OutsideSender {
    /// The contact's name; none for a number that is no contact's.
    pub name: Option<Name>,
    /// The number, where it was shown.
    pub number: Option<Number>,
}

impl OutsideSender {
    /// A sender of whom something is known; what is no name or number is left out.
    #[must_use]
    pub fn known(name: Option<&str>, number: Option<&str>) -> Option<Self> {
        let name = name.and_then(|name| Name::new(name).ok());
        let number = number.and_then(|number| Number::new(number).ok());
        (name.is_some() || number.is_some()).then_some(Self { name, number })
    }
}

/// Whom what comes in over a line is for: the owners of the devices that the line rings, and a device that is nobody's
/// itself; where it names none (or is not known any more) every person, and in a home without people its speakers.
/// `None`: whoever it would be for has blocked the number.
///
/// # Errors
/// [`crate::store::StoreError`].
pub async fn recipients(
    store: &dyn Store,
    line: Option<LineId>,
    from: Option<&Number>,
) -> Answer<Option<Recipients>> {
    Ok(sip::directory_of(store).await?.recipients(line, from))
}
