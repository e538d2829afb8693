//! The names of the home, asked of the hub over HTTPS and read into what the telephone knows.
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

use hearthline_transport::{Identity, Reach, secure_stream};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use serde::Deserialize;

use crate::telephone::directory::ENTRIES_MAX;
use crate::telephone::{Name, Reach as Way};

/// Largest answer, in bytes: ten thousand contacts fit.
const ANSWER_BYTES_MAX: usize = 8 * 1_024 * 1_024;
/// How long one answer may take.
const ANSWER_MAX: Duration = Duration::from_secs(10);

/// Where the hub is asked, and by whom.
#[derive(Clone)]
pub(super) struct Asked {
    pub(super) api: SocketAddr,
    pub(super) authority_pem: Vec<u8>,
    pub(super) identity: Identity,
}

#[derive(Deserialize)]
struct Called {
    id: String,
    name: String,
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

/// Every name of the home.
pub(super) async fn fetch(asked: &Asked) -> Result<Vec<Name>, String> {
    let rooms: Vec<Called> = get(asked, "/api/v1/rooms").await?;
    let people: Vec<Called> = get(asked, "/api/v1/people").await?;
    let contacts: Vec<Contact> = get(asked, "/api/v1/contacts").await?;
    let devices: Vec<Called> = get(asked, "/api/v1/devices").await?;
    Ok(names(rooms, people, contacts, devices))
}

/// Rooms and people before contacts and devices: of two that are called the same the first is meant.
fn names(
    rooms: Vec<Called>,
    people: Vec<Called>,
    contacts: Vec<Contact>,
    devices: Vec<Called>,
) -> Vec<Name> {
    let mut all = Vec::new();
    let mut taken = BTreeSet::new();
    let mut add = |name: String, also: Vec<String>, reach: Way| {
        if all.len() < ENTRIES_MAX && taken.insert(name.to_lowercase()) {
            all.push(Name { name, also, reach });
        }
    };
    for room in rooms {
        add(room.name.clone(), Vec::new(), Way::User(room.name));
    }
    for person in people {
        let also = given_name(&person.name);
        add(person.name.clone(), also, Way::User(person.name));
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
    for device in devices {
        add(device.name, Vec::new(), Way::User(device.id));
    }
    all
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

async fn get<T: serde::de::DeserializeOwned>(asked: &Asked, path: &str) -> Result<T, String> {
    tokio::time::timeout(ANSWER_MAX, exchange(asked, path))
        .await
        .map_err(|_| "the hub did not answer in time".to_owned())?
}

async fn exchange<T: serde::de::DeserializeOwned>(asked: &Asked, path: &str) -> Result<T, String> {
    let words = |error: &dyn std::fmt::Display| format!("{path}: {error}");
    let identity = Some(asked.identity.clone());
    let reach = Reach::LoopbackOnly;
    let stream = secure_stream::connect(asked.api, &asked.authority_pem, identity, reach)
        .await
        .map_err(|error| words(&error))?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|error| words(&error))?;
    let driving = tokio::spawn(connection);
    let request = hyper::Request::get(path)
        .header("Host", asked.api.to_string())
        .header("Accept", "application/json")
        .body(Empty::<Bytes>::new())
        .map_err(|error| words(&error))?;
    let response = sender.send_request(request).await;
    let response = response.map_err(|error| words(&error))?;
    let status = response.status();
    let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX)
        .collect()
        .await
        .map_err(|error| words(&error))?;
    driving.abort();
    if !status.is_success() {
        return Err(format!("{path}: the hub says {status}"));
    }
    serde_json::from_slice(&body.to_bytes()).map_err(|error| words(&error))
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
            vec![called("r1", "Kitchen")],
            vec![called("p1", "Ben")],
            vec![contact],
            vec![called("d1", "kitchen"), called("d2", "Ben's phone")],
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
                "Ben's phone"
            ]
        );
        assert_eq!(names[0].reach, Way::User("Kitchen".into()));
        assert_eq!(names[3].also, ["Anna's mobile"]);
        assert_eq!(names[5].reach, Way::User("d2".into()));
    }
}
