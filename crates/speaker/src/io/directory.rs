//! The names of the home, asked of the hub over HTTPS and read into what the telephone and the messages know.
use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::api::Client;
use crate::telephone::directory::ENTRIES_MAX;
use crate::telephone::{Name, Reach as Way};

/// Who there is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Household {
    /// Whom the telephone calls by name.
    pub(super) names: Vec<Name>,
    /// What people and devices are called, by their ids: a device in a room by the room.
    pub(super) senders: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Called {
    id: String,
    name: String,
}

#[derive(Deserialize)]
struct Installed {
    id: String,
    name: String,
    kind: String,
    room: Option<String>,
    person: Option<String>,
    /// The account by which an ordinary phone calls; a hub that does not tell it leaves its calls without a name.
    #[serde(default)]
    username: Option<String>,
    revoked_at_ms: Option<i64>,
}

#[derive(Deserialize)]
struct Contact {
    name: String,
    #[serde(default)]
    numbers: Vec<Numbered>,
}

#[derive(Deserialize)]
struct Numbered {
    label: String,
    number: String,
}

/// Everybody of the home.
pub(super) async fn fetch(client: &mut Client) -> Result<Household, String> {
    let rooms: Vec<Called> = client.get("/api/v1/rooms").await?;
    let people: Vec<Called> = client.get("/api/v1/people").await?;
    let contacts: Vec<Contact> = client.get("/api/v1/contacts").await?;
    let devices: Vec<Installed> = client.get("/api/v1/devices").await?;
    let senders = senders(&rooms, &people, &devices);
    Ok(Household {
        names: names(&rooms, &people, contacts, devices),
        senders,
    })
}

fn senders(rooms: &[Called], people: &[Called], devices: &[Installed]) -> BTreeMap<String, String> {
    let room_of = |device: &Installed| {
        let room = rooms
            .iter()
            .find(|room| Some(&room.id) == device.room.as_ref());
        room.map_or(device.name.clone(), |room| format!("the {}", room.name))
    };
    let people = people.iter().map(|one| (one.id.clone(), one.name.clone()));
    let devices = devices.iter().map(|one| (one.id.clone(), room_of(one)));
    people.chain(devices).collect()
}

/// Rooms and people before contacts and devices: of two that are called the same the first is meant.
fn names(
    rooms: &[Called],
    people: &[Called],
    contacts: Vec<Contact>,
    mut devices: Vec<Installed>,
) -> Vec<Name> {
    devices.retain(|device| device.revoked_at_ms.is_none());
    let reaches: Vec<(String, Way)> = rooms
        .iter()
        .map(|room| (room, true))
        .chain(people.iter().map(|person| (person, false)))
        .map(|(called, is_room)| {
            let of = |device: &&Installed| {
                let place = if is_room {
                    &device.room
                } else {
                    &device.person
                };
                place.as_ref() == Some(&called.id)
            };
            (
                called.name.clone(),
                reach(&called.name, devices.iter().filter(of)),
            )
        })
        .collect();
    let mut all = Vec::new();
    let mut taken = BTreeSet::new();
    let mut add = |name: String, also: Vec<String>, reach: Way| {
        if all.len() < ENTRIES_MAX && taken.insert(name.to_lowercase()) {
            all.push(Name { name, also, reach });
        }
    };
    for (index, (name, reach)) in reaches.into_iter().enumerate() {
        let is_room = index < rooms.len();
        let also = if is_room {
            Vec::new()
        } else {
            given_name(&name)
        };
        add(name, also, reach);
    }
    for contact in contacts {
        for (index, numbered) in contact.numbers.into_iter().enumerate() {
            if index == 0 {
                let also = given_name(&contact.name);
                let reach = Way::Number(numbered.number.clone());
                add(contact.name.clone(), also, reach);
            }
            let name = format!("{}'s {}", contact.name, numbered.label);
            let given = given_name(&contact.name).into_iter();
            let also = given.map(|given| format!("{given}'s {}", numbered.label));
            add(name, also.collect(), Way::Number(numbered.number));
        }
    }
    for device in &devices {
        let reach = match (
            &device.username,
            reach(&device.id, core::iter::once(device)),
        ) {
            (Some(username), Way::Phone(device)) => Way::Account {
                device,
                username: username.clone(),
            },
            (_, reach) => reach,
        };
        add(device.name.clone(), Vec::new(), reach);
    }
    all
}

/// How a user of whom there are these devices is reached.
fn reach<'a>(user: &str, devices: impl Iterator<Item = &'a Installed>) -> Way {
    let (mut ours, mut phones) = (false, false);
    for device in devices {
        let phone = device.kind == "sip_phone";
        phones |= phone;
        ours |= !phone;
    }
    match (phones, ours) {
        (false, _) => Way::User(user.to_owned()),
        (true, true) => Way::Shared(user.to_owned()),
        (true, false) => Way::Phone(user.to_owned()),
    }
}

/// "Anna" of "Anna Smith".
fn given_name(name: &str) -> Vec<String> {
    let mut words = name.split_whitespace();
    let first = words.next();
    first
        .filter(|_| words.next().is_some())
        .map(str::to_owned)
        .into_iter()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rooms_people_contacts_and_devices_become_names_once_each() {
        let called = |id: &str, name: &str| Called {
            id: id.into(),
            name: name.into(),
        };
        let device =
            |id: &str, name: &str, kind: &str, room: Option<&str>, person: Option<&str>| {
                Installed {
                    id: id.into(),
                    name: name.into(),
                    kind: kind.into(),
                    room: room.map(str::to_owned),
                    person: person.map(str::to_owned),
                    username: (kind == "sip_phone").then(|| format!("phone-{id}")),
                    revoked_at_ms: None,
                }
            };
        let contact = Contact {
            name: "Anna Smith".into(),
            numbers: vec![
                Numbered {
                    label: "mobile".into(),
                    number: "+15055550123".into(),
                },
                Numbered {
                    label: "work".into(),
                    number: "+15055550124".into(),
                },
            ],
        };
        let names = names(
            &[called("r1", "Kitchen")],
            &[called("p1", "Ben")],
            vec![contact],
            vec![
                device("d1", "kitchen", "speaker", None, None),
                device("d2", "Ben's phone", "sip_phone", Some("r1"), Some("p1")),
                device("d3", "Attic", "speaker", None, None),
            ],
        );
        let told: Vec<&str> = names.iter().map(|name| name.name.as_str()).collect();
        assert_eq!(
            told,
            [
                "Kitchen",
                "Ben",
                "Anna Smith",
                "Anna Smith's mobile",
                "Anna Smith's work",
                "Ben's phone",
                "Attic"
            ]
        );
        // What the room's only telephone cannot do, nobody is asked for there.
        assert_eq!(names[0].reach, Way::Phone("Kitchen".into()));
        assert_eq!(names[1].reach, Way::Phone("Ben".into()));
        assert_eq!(names[3].also, ["Anna's mobile"]);
        let account = Way::Account {
            device: "d2".into(),
            username: "phone-d2".into(),
        };
        assert_eq!(names[5].reach, account);
        assert_eq!(names[6].reach, Way::User("d3".into()));
        let both = [
            device("d1", "a", "speaker", None, None),
            device("d2", "b", "sip_phone", None, None),
        ];
        assert_eq!(reach("Hall", both.iter()), Way::Shared("Hall".into()));
    }
}
