//! What is remembered of calls, in SQLite.

use async_trait::async_trait;
use sqlx_core::query::query;
use sqlx_core::row::Row as _;
use sqlx_sqlite::SqliteRow;

use super::{
    Change, SqliteStore, checked_or_none, parsed, parsed_or_none, read_as, time, time_or_none,
};
use crate::call::{Call, CallState, Direction};
use crate::clock::UnixMs;
use crate::event::{Audience, EventKind};
use crate::id::CallId;
use crate::number::Number;
use crate::store::{Answer, Calls, StoreError};

fn call(row: &SqliteRow) -> Answer<Call> {
    Ok(Call {
        id: parsed(row, "id")?,
        direction: read_as(row, "direction", Direction::parse)?,
        device: parsed_or_none(row, "device")?,
        claimed_device: parsed_or_none(row, "claimed_device")?,
        other_device: parsed_or_none(row, "other_device")?,
        contact: parsed_or_none(row, "contact")?,
        number: checked_or_none(row, "number")?,
        line: parsed_or_none(row, "line")?,
        emergency: row.try_get("emergency")?,
        state: read_as(row, "state", CallState::parse)?,
        started_at_ms: time(row, "started_at")?,
        answered_at_ms: time_or_none(row, "answered_at")?,
        ended_at_ms: time_or_none(row, "ended_at")?,
    })
}

async fn put(change: &mut Change, call: &Call, now: UnixMs) -> Answer<()> {
    let place = change
        .event(EventKind::Calls, Audience::Home, call.id, now)
        .await?;
    query(
        "INSERT INTO calls (id, sequence, direction, device, other_device, contact, number, line,
                            emergency, state, started_at, answered_at, ended_at, claimed_device)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (id) DO UPDATE SET
             device = excluded.device, other_device = excluded.other_device,
             contact = excluded.contact, number = excluded.number, line = excluded.line,
             state = excluded.state, answered_at = excluded.answered_at, ended_at = excluded.ended_at
         WHERE calls.state NOT IN ('ended', 'missed')",
    )
    .bind(call.id.to_string())
    .bind(place.0)
    .bind(call.direction.as_str())
    .bind(call.device.map(|id| id.to_string()))
    .bind(call.other_device.map(|id| id.to_string()))
    .bind(call.contact.map(|id| id.to_string()))
    .bind(call.number.as_ref().map(Number::as_str))
    .bind(call.line.map(|id| id.to_string()))
    .bind(call.emergency)
    .bind(call.state.as_str())
    .bind(call.started_at_ms.0)
    .bind(call.answered_at_ms.map(|at| at.0))
    .bind(call.ended_at_ms.map(|at| at.0))
    .bind(call.claimed_device.map(|id| id.to_string()))
    .execute(change.on())
    .await?;
    Ok(())
}

#[async_trait]
impl Calls for SqliteStore {
    async fn note_call(&self, call: &Call, now: UnixMs) -> Answer<()> {
        self.note_calls(std::slice::from_ref(call), now).await
    }

    async fn note_calls(&self, calls: &[Call], now: UnixMs) -> Answer<()> {
        let mut change = self.change().await?;
        for call in calls {
            put(&mut change, call, now).await?;
        }
        change.commit().await
    }

    async fn call(&self, id: CallId) -> Answer<Call> {
        let row = query("SELECT * FROM calls WHERE id = ?")
            .bind(id.to_string())
            .fetch_optional(&self.read)
            .await?;
        call(&row.ok_or(StoreError::NotFound("call"))?)
    }

    async fn calls(&self, limit: u32) -> Answer<Vec<Call>> {
        let rows = query("SELECT * FROM calls ORDER BY sequence DESC LIMIT ?")
            .bind(i64::from(limit))
            .fetch_all(&self.read)
            .await?;
        rows.iter().map(call).collect()
    }
}
