//! What people and devices want of calls, in SQLite.

use async_trait::async_trait;
use sqlx_core::query::query;
use sqlx_core::row::Row as _;
use sqlx_sqlite::SqliteRow;

use super::{Change, SqliteStore, found};
use crate::call_settings::{Blocked, CallSettings, LIST_MAX};
use crate::clock::UnixMs;
use crate::event::{Audience, EventKind};
use crate::person::Party;
use crate::store::{Answer, CallWishes, StoreError};

fn settings(row: &SqliteRow) -> Answer<CallSettings> {
    let text: &str = row.try_get("settings")?;
    serde_json::from_str(text).map_err(|_| StoreError::Unreadable("settings"))
}

/// Writes what a party wants, with its event.
async fn write(
    change: &mut Change,
    party: Party,
    settings: &CallSettings,
    now: UnixMs,
) -> Answer<()> {
    let text = serde_json::to_string(settings)
        .map_err(|_| StoreError::Refused("the settings cannot be written"))?;
    let (there, what, kind, id) = match party {
        Party::Person(id) => (
            query("UPDATE people SET id = id WHERE id = ?"),
            "person",
            EventKind::People,
            id.to_string(),
        ),
        Party::Device(id) => (
            query("UPDATE devices SET id = id WHERE id = ?"),
            "device",
            EventKind::Devices,
            id.to_string(),
        ),
    };
    let done = there.bind(id.clone()).execute(change.on()).await?;
    found(done.rows_affected(), what)?;
    query(
        "INSERT INTO call_settings (party, settings) VALUES (?, ?)
         ON CONFLICT (party) DO UPDATE SET settings = excluded.settings",
    )
    .bind(party.key())
    .bind(text)
    .execute(change.on())
    .await?;
    change.event(kind, Audience::Home, id, now).await?;
    Ok(())
}

const OF_PARTY: &str = "SELECT settings FROM call_settings WHERE party = ?";

#[async_trait]
impl CallWishes for SqliteStore {
    async fn set_call_settings(
        &self,
        party: Party,
        settings: &CallSettings,
        now: UnixMs,
    ) -> Answer<()> {
        let mut change = self.change().await?;
        write(&mut change, party, settings, now).await?;
        change.commit().await
    }

    async fn block(&self, party: Party, caller: Blocked, now: UnixMs) -> Answer<CallSettings> {
        let mut change = self.change().await?;
        let row = query(OF_PARTY)
            .bind(party.key())
            .fetch_optional(change.on())
            .await?;
        let mut own = row.as_ref().map_or(Ok(CallSettings::default()), settings)?;
        own.block(caller).map_err(|_| StoreError::Limit {
            what: "blocked callers",
            max: LIST_MAX as u32,
        })?;
        write(&mut change, party, &own, now).await?;
        change.commit().await?;
        Ok(own)
    }

    async fn call_settings_of(&self, party: Party) -> Answer<CallSettings> {
        let row = query(OF_PARTY)
            .bind(party.key())
            .fetch_optional(&self.read)
            .await?;
        row.as_ref().map_or(Ok(CallSettings::default()), settings)
    }

    async fn call_settings(&self) -> Answer<Vec<(Party, CallSettings)>> {
        let rows = query("SELECT party, settings FROM call_settings")
            .fetch_all(&self.read)
            .await?;
        let read = |row: &SqliteRow| {
            let party = Party::from_key(row.try_get("party")?);
            Ok((
                party.ok_or(StoreError::Unreadable("party"))?,
                settings(row)?,
            ))
        };
        rows.iter().map(read).collect()
    }
}
