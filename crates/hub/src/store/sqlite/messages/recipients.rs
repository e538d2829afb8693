//! Whom a message is for, as mailboxes that are there and have room.

use std::collections::BTreeSet;

use sqlx_core::query::query;
use sqlx_core::row::Row as _;

use crate::clock::UnixMs;
use crate::device::DeviceKind;
use crate::message::{MAILBOX_MAX, NewMessage, RECIPIENTS_MAX, Recipients};
use crate::person::Party;
use crate::store::sqlite::Change;
use crate::store::{Answer, StoreError};
use crate::text::plain;

/// The mailboxes, each once, each there.
pub(super) async fn mailboxes(
    change: &mut Change,
    message: &NewMessage,
) -> Answer<BTreeSet<String>> {
    let mut all = match &message.to {
        Recipients::These(parties) => return these(change, parties).await,
        Recipients::Called(name) => return called(change, name.as_str(), message.from).await,
        Recipients::Everyone => keys(change, "SELECT 'person:' || id FROM people").await?,
        Recipients::Speakers => speakers(change).await?,
    };
    all.remove(&message.from.key());
    if all.is_empty() {
        return Err(StoreError::Refused(match message.to {
            Recipients::Speakers => "there is no other speaker in the household",
            _ => "there is nobody else in the household",
        }));
    }
    Ok(all)
}

async fn keys(change: &mut Change, select: &'static str) -> Answer<BTreeSet<String>> {
    let rows = query(select).fetch_all(change.on()).await?;
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

async fn speakers(change: &mut Change) -> Answer<BTreeSet<String>> {
    let rows = query("SELECT 'device:' || id FROM devices WHERE kind = ? AND revoked_at IS NULL")
        .bind(DeviceKind::Speaker.as_str())
        .fetch_all(change.on())
        .await?;
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

async fn these(change: &mut Change, parties: &[Party]) -> Answer<BTreeSet<String>> {
    if parties.is_empty() || parties.len() > RECIPIENTS_MAX {
        return Err(StoreError::Refused("a message has 1 to 64 recipients"));
    }
    let mut all = BTreeSet::new();
    for party in parties {
        let row = match party {
            Party::Person(id) => {
                query("SELECT count(*) FROM people WHERE id = ?").bind(id.to_string())
            }
            Party::Device(id) => {
                query("SELECT count(*) FROM devices WHERE id = ? AND revoked_at IS NULL")
                    .bind(id.to_string())
            }
        }
        .fetch_one(change.on())
        .await?;
        if row.try_get::<i64, _>(0)? == 0 {
            return Err(StoreError::NotFound("recipient"));
        }
        all.insert(party.key());
    }
    Ok(all)
}

/// Who is called so: the other speakers of a room, then a person, then a device. Of two that are called the same the
/// first is meant, as speakers mean it.
async fn called(change: &mut Change, name: &str, from: Party) -> Answer<BTreeSet<String>> {
    let wanted = plain(name);
    for (select, kind) in [
        ("SELECT id, name FROM rooms", Kind::Room),
        ("SELECT id, name FROM people", Kind::Person),
        (
            "SELECT id, name FROM devices WHERE revoked_at IS NULL",
            Kind::Device,
        ),
    ] {
        for row in query(select).fetch_all(change.on()).await? {
            let (id, name): (String, String) = (row.try_get("id")?, row.try_get("name")?);
            let by_id = matches!(kind, Kind::Device) && id == wanted;
            if !by_id && plain(&name) != wanted {
                continue;
            }
            return match kind {
                Kind::Person => Ok(BTreeSet::from([format!("person:{id}")])),
                Kind::Device => Ok(BTreeSet::from([format!("device:{id}")])),
                Kind::Room => in_room(change, &id, from).await,
            };
        }
    }
    Err(StoreError::NotFound("recipient"))
}

enum Kind {
    Room,
    Person,
    Device,
}

async fn in_room(change: &mut Change, room: &str, from: Party) -> Answer<BTreeSet<String>> {
    let rows = query(
        "SELECT 'device:' || id FROM devices WHERE room = ? AND kind = ? AND revoked_at IS NULL",
    )
    .bind(room)
    .bind(DeviceKind::Speaker.as_str())
    .fetch_all(change.on())
    .await?;
    let mut all = BTreeSet::new();
    for row in rows {
        all.insert(row.try_get::<String, _>(0)?);
    }
    all.remove(&from.key());
    if all.is_empty() {
        return Err(StoreError::Refused("no other speaker stands in that room"));
    }
    Ok(all)
}

async fn has_room(change: &mut Change, mailbox: &str, now: UnixMs) -> Answer<bool> {
    let row = query("SELECT count(*) FROM deliveries WHERE mailbox = ? AND state = 0")
        .bind(mailbox)
        .fetch_one(change.on())
        .await?;
    if row.try_get::<i64, _>(0)? < i64::from(MAILBOX_MAX) {
        return Ok(true);
    }
    // What has ended and was not swept yet takes no place; counted only here, because it costs a look at each.
    let row = query(
        "SELECT count(*) FROM deliveries JOIN messages ON messages.id = deliveries.message
         WHERE mailbox = ? AND state = 0 AND expires_at > ?",
    )
    .bind(mailbox)
    .bind(now.0)
    .fetch_one(change.on())
    .await?;
    Ok(row.try_get::<i64, _>(0)? < i64::from(MAILBOX_MAX))
}

/// The mailboxes that have room. For everyone, a full one is passed over: one person who never looks keeps nobody
/// from calling the household to dinner.
pub(super) async fn with_room(
    change: &mut Change,
    message: &NewMessage,
    mailboxes: BTreeSet<String>,
    now: UnixMs,
) -> Answer<BTreeSet<String>> {
    let mut open = BTreeSet::new();
    for mailbox in mailboxes {
        if has_room(change, &mailbox, now).await? {
            open.insert(mailbox);
        } else if !matches!(message.to, Recipients::Everyone | Recipients::Speakers) {
            open.clear();
            break;
        }
    }
    if open.is_empty() {
        return Err(StoreError::Limit {
            what: "messages waiting in a mailbox",
            max: MAILBOX_MAX,
        });
    }
    Ok(open)
}
