//! Lines in SQLite.

use async_trait::async_trait;
use sqlx_core::query::query;
use sqlx_core::row::Row as _;
use sqlx_sqlite::SqliteRow;

use super::{SqliteStore, checked, checked_or_none, found, number, parsed, read_as, time_or_none};
use crate::clock::UnixMs;
use crate::event::{Audience, EventKind};
use crate::id::LineId;
use crate::line::{LINES_MAX, Line, LineFields, LineHealth, LineKind};
use crate::number::Number;
use crate::store::{Answer, Lines, StoreError};

fn line(row: &SqliteRow) -> Answer<Line> {
    Ok(Line {
        id: parsed(row, "id")?,
        fields: LineFields {
            name: checked(row, "name")?,
            kind: read_as(row, "kind", LineKind::parse)?,
            position: number(row, "position")?,
            caller_number: checked_or_none(row, "caller_number")?,
            forward_to: checked_or_none(row, "forward_to")?,
            enabled: row.try_get("enabled")?,
        },
        health: read_as(row, "health", LineHealth::parse)?,
        health_since_ms: time_or_none(row, "health_since")?,
    })
}

#[async_trait]
impl Lines for SqliteStore {
    async fn add_line(&self, fields: &LineFields, now: UnixMs) -> Answer<Line> {
        let id = LineId::random()?;
        let mut change = self.change().await?;
        let row = query("SELECT count(*) FROM lines")
            .fetch_one(change.on())
            .await?;
        if row.try_get::<i64, _>(0)? >= LINES_MAX as i64 {
            return Err(StoreError::Limit {
                what: "lines",
                max: LINES_MAX as u32,
            });
        }
        query(
            "INSERT INTO lines (id, name, kind, position, caller_number, forward_to, enabled, health)
             VALUES (?, ?, ?, ?, ?, ?, ?, 'unknown')",
        )
        .bind(id.to_string())
        .bind(fields.name.as_str())
        .bind(fields.kind.as_str())
        .bind(i64::from(fields.position))
        .bind(fields.caller_number.as_ref().map(Number::as_str))
        .bind(fields.forward_to.as_ref().map(Number::as_str))
        .bind(fields.enabled)
        .execute(change.on())
        .await?;
        change
            .event(EventKind::Lines, Audience::Adults, id, now)
            .await?;
        change.commit().await?;
        Ok(Line {
            id,
            fields: fields.clone(),
            health: LineHealth::Unknown,
            health_since_ms: None,
        })
    }

    async fn lines(&self) -> Answer<Vec<Line>> {
        let rows = query("SELECT * FROM lines ORDER BY position, id")
            .fetch_all(&self.read)
            .await?;
        rows.iter().map(line).collect()
    }

    async fn change_line(&self, id: LineId, fields: &LineFields, now: UnixMs) -> Answer<Line> {
        let mut change = self.change().await?;
        let row = query(
            "UPDATE lines SET name = ?, kind = ?, position = ?, caller_number = ?, forward_to = ?,
             enabled = ? WHERE id = ? RETURNING *",
        )
        .bind(fields.name.as_str())
        .bind(fields.kind.as_str())
        .bind(i64::from(fields.position))
        .bind(fields.caller_number.as_ref().map(Number::as_str))
        .bind(fields.forward_to.as_ref().map(Number::as_str))
        .bind(fields.enabled)
        .bind(id.to_string())
        .fetch_optional(change.on())
        .await?;
        let changed = line(&row.ok_or(StoreError::NotFound("line"))?)?;
        change
            .event(EventKind::Lines, Audience::Adults, id, now)
            .await?;
        change.commit().await?;
        Ok(changed)
    }

    async fn remove_line(&self, id: LineId, now: UnixMs) -> Answer<()> {
        let mut change = self.change().await?;
        let done = query("DELETE FROM lines WHERE id = ?")
            .bind(id.to_string())
            .execute(change.on())
            .await?;
        found(done.rows_affected(), "line")?;
        change
            .event(EventKind::Lines, Audience::Adults, id, now)
            .await?;
        change.commit().await
    }

    async fn note_line_health(&self, id: LineId, health: LineHealth, now: UnixMs) -> Answer<()> {
        let mut change = self.change().await?;
        let row = query("SELECT * FROM lines WHERE id = ?")
            .bind(id.to_string())
            .fetch_optional(change.on())
            .await?;
        let before = line(&row.ok_or(StoreError::NotFound("line"))?)?;
        if before.health == health {
            return Ok(());
        }
        query("UPDATE lines SET health = ?, health_since = ? WHERE id = ?")
            .bind(health.as_str())
            .bind(now.0)
            .bind(id.to_string())
            .execute(change.on())
            .await?;
        change
            .event(EventKind::Lines, Audience::Adults, id, now)
            .await?;
        change.commit().await
    }
}
