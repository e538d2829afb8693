//! Lines in SQLite.

use std::str::FromStr;

use async_trait::async_trait;
use sqlx_core::query::{Query, query};
use sqlx_core::row::Row as _;
use sqlx_sqlite::{Sqlite, SqliteArguments, SqliteRow};

use super::{
    Change, SqliteStore, checked, checked_or_none, found, number, parsed, read_as, time_or_none,
};
use crate::clock::UnixMs;
use crate::event::{Audience, EventKind};
use crate::half_hour::{HALF_HOUR_MS, HALF_HOURS_MAX, HalfHour, LineDay, number_of, seen};
use crate::id::LineId;
use crate::line::{
    AccountName, DrillAddress, LINES_MAX, Line, LineFields, LineHealth, LineKind, LineTrouble,
    SipLine, UnknownCallers,
};
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
            sip: sip(row)?,
            unknown_callers: read_as(row, "unknown_callers", UnknownCallers::parse)?,
            ring_rooms: ids(row, "ring_rooms")?,
            ring_devices: ids(row, "ring_devices")?,
        },
        health: read_as(row, "health", LineHealth::parse)?,
        health_since_ms: time_or_none(row, "health_since")?,
        trouble: read_or_none(row, "trouble", LineTrouble::parse)?,
    })
}

fn sip(row: &SqliteRow) -> Answer<Option<SipLine>> {
    let Some(server) = checked_or_none(row, "server")? else {
        return Ok(None);
    };
    Ok(Some(SipLine {
        server,
        username: checked_or_none(row, "username")?,
        register: row.try_get("register")?,
        drill: read_or_none(row, "drill", DrillAddress::parse)?,
    }))
}

fn read_or_none<T>(
    row: &SqliteRow,
    column: &'static str,
    read: impl Fn(&str) -> Option<T>,
) -> Answer<Option<T>> {
    match row.try_get::<Option<String>, _>(column)? {
        None => Ok(None),
        Some(_) => read_as(row, column, read).map(Some),
    }
}

/// Ids with spaces between them; one that does not read any more is left out.
fn ids<T: FromStr>(row: &SqliteRow, column: &'static str) -> Answer<Vec<T>> {
    let text: String = row.try_get(column)?;
    Ok(text.split(' ').filter_map(|id| id.parse().ok()).collect())
}

fn spaced<T: ToString>(ids: &[T]) -> String {
    ids.iter().map(T::to_string).collect::<Vec<_>>().join(" ")
}

/// The columns that both adding and changing write, in the order of their placeholders.
fn bind<'q>(
    query: Query<'q, Sqlite, SqliteArguments>,
    fields: &'q LineFields,
) -> Query<'q, Sqlite, SqliteArguments> {
    let sip = fields.sip.as_ref();
    query
        .bind(fields.name.as_str())
        .bind(fields.kind.as_str())
        .bind(i64::from(fields.position))
        .bind(fields.caller_number.as_ref().map(Number::as_str))
        .bind(fields.forward_to.as_ref().map(Number::as_str))
        .bind(fields.enabled)
        .bind(sip.map(|sip| String::from(sip.server.clone())))
        .bind(
            sip.and_then(|sip| sip.username.as_ref())
                .map(AccountName::as_str),
        )
        .bind(sip.is_some_and(|sip| sip.register))
        .bind(sip.and_then(|sip| sip.drill).map(DrillAddress::as_str))
        .bind(fields.unknown_callers.as_str())
        .bind(spaced(&fields.ring_rooms))
        .bind(spaced(&fields.ring_devices))
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
        let insert = query(
            "INSERT INTO lines (name, kind, position, caller_number, forward_to, enabled, server, username,
                                register, drill, unknown_callers, ring_rooms, ring_devices, id, health)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'unknown')",
        );
        bind(insert, fields)
            .bind(id.to_string())
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
            trouble: None,
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
        let update = query(
            "UPDATE lines SET name = ?, kind = ?, position = ?, caller_number = ?, forward_to = ?,
             enabled = ?, server = ?, username = ?, register = ?, drill = ?, unknown_callers = ?,
             ring_rooms = ?, ring_devices = ? WHERE id = ? RETURNING *",
        );
        let row = bind(update, fields)
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

    async fn note_line_health(
        &self,
        id: LineId,
        health: LineHealth,
        trouble: Option<LineTrouble>,
        now: UnixMs,
    ) -> Answer<()> {
        let mut change = self.change().await?;
        let row = query("SELECT * FROM lines WHERE id = ?")
            .bind(id.to_string())
            .fetch_optional(change.on())
            .await?;
        let before = line(&row.ok_or(StoreError::NotFound("line"))?)?;
        let marked = mark(&mut change, id, health, trouble, now).await?;
        if (before.health, before.trouble) == (health, trouble) {
            return if marked {
                change.commit().await
            } else {
                Ok(())
            };
        }
        let since = match before.health_since_ms {
            Some(since) if before.health == health => since,
            _ => now,
        };
        query("UPDATE lines SET health = ?, trouble = ?, health_since = ? WHERE id = ?")
            .bind(health.as_str())
            .bind(trouble.map(LineTrouble::as_str))
            .bind(since.0)
            .bind(id.to_string())
            .execute(change.on())
            .await?;
        change
            .event(EventKind::Lines, Audience::Adults, id, now)
            .await?;
        change.commit().await
    }

    async fn line_days(&self, now: UnixMs) -> Answer<Vec<LineDay>> {
        let rows = query(
            "SELECT h.* FROM line_half_hours h JOIN lines l ON l.id = h.line
             WHERE h.half_hour > ? AND h.half_hour <= ? ORDER BY l.position, h.line, h.half_hour",
        )
        .bind(number_of(now) - HALF_HOURS_MAX)
        .bind(number_of(now))
        .fetch_all(&self.read)
        .await?;
        let mut days: Vec<LineDay> = Vec::new();
        for row in &rows {
            let line = parsed(row, "line")?;
            let half_hour = HalfHour {
                began_at_ms: UnixMs(row.try_get::<i64, _>("half_hour")? * HALF_HOUR_MS),
                up: row.try_get("up")?,
                down: row.try_get("down")?,
                trouble: read_or_none(row, "trouble", LineTrouble::parse)?,
            };
            match days.last_mut().filter(|day| day.line == line) {
                Some(day) => day.half_hours.push(half_hour),
                None => days.push(LineDay {
                    line,
                    half_hours: vec![half_hour],
                }),
            }
        }
        Ok(days)
    }
}

/// Notes in the half hour that goes on what was seen; `false`: that stands there already. The oldest half hours go, and
/// those that a clock which was set back has left in the future.
async fn mark(
    change: &mut Change,
    id: LineId,
    health: LineHealth,
    trouble: Option<LineTrouble>,
    now: UnixMs,
) -> Answer<bool> {
    let Some((up, down)) = seen(health) else {
        return Ok(false);
    };
    let half_hour = number_of(now);
    let done = query(
        "INSERT INTO line_half_hours (line, half_hour, up, down, trouble) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT DO UPDATE SET up = up | excluded.up, down = down | excluded.down,
                                   trouble = coalesce(excluded.trouble, trouble)
         WHERE up < excluded.up OR down < excluded.down OR coalesce(excluded.trouble, trouble) IS NOT trouble",
    )
    .bind(id.to_string())
    .bind(half_hour)
    .bind(up)
    .bind(down)
    .bind(trouble.map(LineTrouble::as_str))
    .execute(change.on())
    .await?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    query("DELETE FROM line_half_hours WHERE line = ? AND (half_hour <= ? OR half_hour > ?)")
        .bind(id.to_string())
        .bind(half_hour - HALF_HOURS_MAX)
        .bind(half_hour)
        .execute(change.on())
        .await?;
    Ok(true)
}
