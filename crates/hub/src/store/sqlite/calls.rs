//! What is remembered of calls, in SQLite.

use async_trait::async_trait;
use serde_json::{Value, json};
use sqlx_core::query::query;
use sqlx_core::row::Row as _;
use sqlx_sqlite::SqliteRow;

use super::{
    Change, SqliteStore, checked_or_none, parsed, parsed_or_none, read_as, time, time_or_none,
};
use crate::call::{Call, CallState, Direction, Ending, OutsideEnd};
use crate::clock::UnixMs;
use crate::event::{Audience, Event, EventKind, StreamId};
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
        other_end: match parsed_or_none(row, "other_line")? {
            Some(line) => Some(OutsideEnd {
                line,
                number: checked_or_none(row, "other_number")?,
                contact: parsed_or_none(row, "other_contact")?,
            }),
            None => None,
        },
        ending: match row.try_get::<Option<String>, _>("ending")? {
            Some(_) => Some(read_as(row, "ending", Ending::parse)?),
            None => None,
        },
        emergency: row.try_get("emergency")?,
        state: read_as(row, "state", CallState::parse)?,
        started_at_ms: time(row, "started_at")?,
        answered_at_ms: time_or_none(row, "answered_at")?,
        ended_at_ms: time_or_none(row, "ended_at")?,
    })
}

/// A call's row in JSON, so that any number of rows is one statement.
fn to_json(call: &Call) -> Value {
    let other = call.other_end.as_ref();
    let other_number = other.and_then(|end| end.number.as_ref());
    json!({
        "id": call.id.to_string(),
        "direction": call.direction.as_str(),
        "device": call.device.map(|id| id.to_string()),
        "other_device": call.other_device.map(|id| id.to_string()),
        "contact": call.contact.map(|id| id.to_string()),
        "number": call.number.as_ref().map(Number::as_str),
        "line": call.line.map(|id| id.to_string()),
        "emergency": i64::from(call.emergency),
        "state": call.state.as_str(),
        "started_at": call.started_at_ms.0,
        "answered_at": call.answered_at_ms.map(|at| at.0),
        "ended_at": call.ended_at_ms.map(|at| at.0),
        "claimed_device": call.claimed_device.map(|id| id.to_string()),
        "other_contact": other.and_then(|end| end.contact).map(|id| id.to_string()),
        "other_number": other_number.map(Number::as_str),
        "other_line": other.map(|end| end.line.to_string()),
        "ending": call.ending.map(Ending::as_str),
    })
}

async fn put(change: &mut Change, calls: &[Call], now: UnixMs) -> Answer<()> {
    let count = i64::try_from(calls.len()).map_err(|_| StoreError::Unreadable("calls"))?;
    let first = change.places(count).await?;
    for (at, call) in (first.0..).zip(calls) {
        change.events.push(Event {
            stream_id: StreamId(at),
            kind: EventKind::Calls,
            audience: Audience::Home,
            subject: call.id.to_string(),
            at: now,
        });
    }
    let rows = Value::Array(calls.iter().map(to_json).collect()).to_string();
    query(
        "INSERT INTO events (stream_id, kind, audience, subject, at)
         SELECT ?2 + key, ?3, ?4, value ->> 'id', ?5 FROM json_each(?1)",
    )
    .bind(rows.clone())
    .bind(first.0)
    .bind(EventKind::Calls.as_str())
    .bind(Audience::Home.key())
    .bind(now.0)
    .execute(change.on())
    .await?;
    query(
        "INSERT INTO calls (id, sequence, direction, device, other_device, contact, number, line,
                            emergency, state, started_at, answered_at, ended_at, claimed_device,
                            other_contact, other_number, other_line, ending)
         SELECT value ->> 'id', ?2 + key, value ->> 'direction', value ->> 'device', value ->> 'other_device',
                value ->> 'contact', value ->> 'number', value ->> 'line', value ->> 'emergency', value ->> 'state',
                value ->> 'started_at', value ->> 'answered_at', value ->> 'ended_at', value ->> 'claimed_device',
                value ->> 'other_contact', value ->> 'other_number', value ->> 'other_line', value ->> 'ending'
         FROM json_each(?1) WHERE true
         ON CONFLICT (id) DO UPDATE SET
             device = excluded.device, other_device = excluded.other_device,
             contact = excluded.contact, number = excluded.number, line = excluded.line,
             other_contact = excluded.other_contact, other_number = excluded.other_number,
             other_line = excluded.other_line, ending = excluded.ending,
             state = excluded.state, answered_at = excluded.answered_at, ended_at = excluded.ended_at
         WHERE calls.state NOT IN ('ended', 'missed')",
    )
    .bind(rows)
    .bind(first.0)
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
        if calls.is_empty() {
            return Ok(());
        }
        let mut change = self.change().await?;
        put(&mut change, calls, now).await?;
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
