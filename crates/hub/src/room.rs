//! The rooms of the home.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::id::RoomId;
use crate::text::Name;

/// What may be set about a room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RoomFields {
    /// What people call it: "kitchen". Unique in the home.
    pub name: Name,
}

/// A room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Room {
    /// Id.
    pub id: RoomId,
    /// What may be set.
    #[serde(flatten)]
    pub fields: RoomFields,
}
