//! The household's events in SQLite, and the sweep of what has ended.

use async_trait::async_trait;
use sqlx_core::query::query;
use sqlx_core::row::Row as _;
use sqlx_sqlite::SqliteRow;

use super::{SqliteStore, read_as, time, time_or_none};
use crate::clock::UnixMs;
use crate::event::{Audience, Event, EventKind, StreamId};
use crate::message::REMEMBERED_MS;
use crate::store::{Answer, Events};

fn event(row: &SqliteRow) -> Answer<Event> {
    Ok(Event {
        stream_id: StreamId(row.try_get("stream_id")?),
        kind: read_as(row, "kind", EventKind::parse)?,
        audience: read_as(row, "audience", Audience::from_key)?,
        subject: row.try_get("subject")?,
        at: time(row, "at")?,
    })
}

#[async_trait]
impl Events for SqliteStore {
    async fn events_after(&self, after: StreamId, limit: u32) -> Answer<Vec<Event>> {
        let latest = self.tail.after(after, limit);
        if !latest.is_empty() {
            return Ok(latest);
        }
        let rows = query("SELECT * FROM events WHERE stream_id > ? ORDER BY stream_id LIMIT ?")
            .bind(after.0)
            .bind(i64::from(limit))
            .fetch_all(&self.read)
            .await?;
        rows.iter().map(event).collect()
    }

    async fn event_range(&self) -> Answer<(StreamId, StreamId)> {
        let row = query(
            "SELECT coalesce((SELECT min(stream_id) FROM events), 0) AS oldest, stream_id FROM home",
        )
        .fetch_one(&self.read)
        .await?;
        let newest: i64 = row.try_get("stream_id")?;
        let oldest: i64 = row.try_get("oldest")?;
        // When all were dropped, the oldest that can still come is the next one.
        let oldest = if oldest == 0 && newest > 0 {
            newest + 1
        } else {
            oldest
        };
        Ok((StreamId(oldest), StreamId(newest)))
    }

    async fn last_sweep(&self) -> Answer<Option<UnixMs>> {
        let row = query("SELECT swept_at FROM home")
            .fetch_one(&self.read)
            .await?;
        time_or_none(&row, "swept_at")
    }

    async fn sweep(&self, now: UnixMs, events_before: UnixMs) -> Answer<()> {
        let mut change = self.change().await?;
        query("DELETE FROM messages WHERE expires_at <= ?")
            .bind(now.plus_ms(-REMEMBERED_MS).0)
            .execute(change.on())
            .await?;
        query("DELETE FROM sent_texts WHERE at <= ?")
            .bind(now.plus_ms(-REMEMBERED_MS).0)
            .execute(change.on())
            .await?;
        for ended in [
            "DELETE FROM deliveries WHERE message IN (SELECT id FROM messages WHERE expires_at <= ?)",
            "UPDATE messages SET text = NULL, voice = NULL, codec = NULL, duration_ms = NULL, body_bytes = 0
             WHERE expires_at <= ? AND body_bytes > 0",
            "DELETE FROM sessions WHERE expires_at <= ?",
            "DELETE FROM bindings WHERE expires_at <= ?",
            "UPDATE invitations SET secret_key = x'' WHERE expires_at <= ? AND secret_key <> x''",
        ] {
            query(ended).bind(now.0).execute(change.on()).await?;
        }
        // Only from the front: clocks jump, and the order must stay without gaps.
        query(
            "DELETE FROM events WHERE stream_id < coalesce(
                 (SELECT min(stream_id) FROM events WHERE at >= ?), (SELECT stream_id + 1 FROM home))",
        )
            .bind(events_before.0)
            .execute(change.on())
            .await?;
        query("UPDATE home SET swept_at = ?")
            .bind(now.0)
            .execute(change.on())
            .await?;
        change.commit().await?;
        // What was dropped there is not to be told from here.
        self.tail.forget();
        Ok(())
    }
}
