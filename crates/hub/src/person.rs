//! The people of the household and what they may do.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::clock::UnixMs;
use crate::id::PersonId;
use crate::text::{Login, Name};

/// What a person is in the household. What each may do stands in [`crate::role`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Runs the home: people, devices, lines.
    Owner,
    /// Lives here.
    Adult,
    /// Lives here, and calls only allowed contacts.
    Child,
    /// Is visiting.
    Guest,
}

impl Role {
    /// Every role.
    pub const ALL: [Role; 4] = [Role::Owner, Role::Adult, Role::Child, Role::Guest];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Adult => "adult",
            Self::Child => "child",
            Self::Guest => "guest",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == text)
    }
}

/// What may be set about a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PersonFields {
    /// What the others call them.
    pub name: Name,
    /// What they may do.
    pub role: Role,
    /// What they log in with; none for who never does, such as a small child.
    #[serde(default)]
    pub login: Option<Login>,
}

/// A person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Person {
    /// Id.
    pub id: PersonId,
    /// What may be set.
    #[serde(flatten)]
    pub fields: PersonFields,
    /// When they were added.
    pub created_at_ms: UnixMs,
}

/// Whose mailbox, or who sent: a person, or a device for everyone near it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", content = "id", rename_all = "snake_case")]
pub enum Party {
    /// A person, on any of their devices.
    Person(PersonId),
    /// A device.
    Device(crate::id::DeviceId),
}

impl Party {
    /// One word for the database: `person:…` or `device:…`.
    pub(crate) fn key(self) -> String {
        match self {
            Self::Person(id) => format!("person:{id}"),
            Self::Device(id) => format!("device:{id}"),
        }
    }

    pub(crate) fn from_key(text: &str) -> Option<Self> {
        match text.split_once(':')? {
            ("person", id) => id.parse().ok().map(Self::Person),
            ("device", id) => id.parse().ok().map(Self::Device),
            _ => None,
        }
    }
}
