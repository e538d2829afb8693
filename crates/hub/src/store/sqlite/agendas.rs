//! Copies of what speakers keep for later, in SQLite.

use async_trait::async_trait;
use sqlx_core::query::query;
use sqlx_core::row::Row as _;
use sqlx_sqlite::SqliteRow;

use super::{Change, SqliteStore, checked, parsed, read_as, time, time_or_none};
use crate::agenda::{Agenda, Copy, ItemCopy, ItemKind, ItemShown, NewCopy};
use crate::clock::UnixMs;
use crate::event::{Audience, EventKind};
use crate::id::DeviceId;
use crate::store::{Agendas, Answer, StoreError};

/// The copy of a device, or that of a revoked speaker of the same name: the newest.
const OFFERED: &str = "
    SELECT agendas.*, agendas.device <> ?1 AS handed_over FROM agendas
    JOIN devices ON devices.id = agendas.device
    WHERE agendas.device = ?1 OR (
        devices.revoked_at IS NOT NULL
        AND devices.name = (SELECT name FROM devices WHERE id = ?1)
        AND NOT EXISTS (SELECT 1 FROM agendas WHERE device = ?1)
    )
    ORDER BY handed_over, kept_at DESC LIMIT 1";

fn shown(row: &SqliteRow) -> Answer<ItemShown> {
    Ok(ItemShown {
        id: row.try_get("id")?,
        kind: read_as(row, "kind", ItemKind::parse)?,
        label: row.try_get("label")?,
        whom: row.try_get("whom")?,
        due_ms: time_or_none(row, "due")?,
        left_ms: row.try_get("left_ms")?,
        repeats: row.try_get("repeats")?,
    })
}

async fn put_item(change: &mut Change, device: DeviceId, copy: &ItemCopy) -> Answer<()> {
    let ItemCopy { shown, item } = copy;
    query(
        "INSERT INTO agenda_items (device, id, kind, label, whom, due, left_ms, repeats, item)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (device, id) DO UPDATE SET kind = excluded.kind, label = excluded.label,
             whom = excluded.whom, due = excluded.due, left_ms = excluded.left_ms,
             repeats = excluded.repeats, item = excluded.item
         WHERE item <> excluded.item OR due IS NOT excluded.due",
    )
    .bind(device.to_string())
    .bind(shown.id)
    .bind(shown.kind.as_str())
    .bind(shown.label.clone())
    .bind(shown.whom.clone())
    .bind(shown.due_ms.map(|at| at.0))
    .bind(shown.left_ms)
    .bind(shown.repeats)
    .bind(item.to_string())
    .execute(change.on())
    .await?;
    Ok(())
}

#[async_trait]
impl Agendas for SqliteStore {
    async fn keep_agenda(&self, device: DeviceId, copy: &NewCopy, now: UnixMs) -> Answer<()> {
        const OLDER: StoreError = StoreError::Taken {
            what: "copy of this speaker's agenda, newer or of another file,",
            field: "journal",
        };
        let mut change = self.change().await?;
        let before = query(OFFERED)
            .bind(device.to_string())
            .fetch_optional(change.on())
            .await?;
        if let Some(before) = before {
            let journal: String = before.try_get("journal")?;
            let handed_over: bool = before.try_get("handed_over")?;
            let replaces = copy
                .instead_of
                .as_ref()
                .is_some_and(|other| other.as_str() == journal);
            if handed_over {
                // What was taken over is gone there: nobody gets it twice.
                if replaces {
                    query("DELETE FROM agendas WHERE device = ?")
                        .bind(before.try_get::<String, _>("device")?)
                        .execute(change.on())
                        .await?;
                }
            } else if journal == copy.journal.as_str() {
                if before.try_get::<i64, _>("revision")? > copy.revision {
                    return Err(OLDER);
                }
            } else if !replaces {
                return Err(OLDER);
            }
        }
        query(
            "INSERT INTO agendas (device, journal, revision, clock_ahead, kept_at)
             SELECT id, ?, ?, ?, ? FROM devices WHERE id = ? AND revoked_at IS NULL
             ON CONFLICT (device) DO UPDATE SET journal = excluded.journal,
                 revision = excluded.revision, clock_ahead = excluded.clock_ahead,
                 kept_at = excluded.kept_at",
        )
        .bind(copy.journal.as_str())
        .bind(copy.revision)
        .bind(copy.clock_ms.0.saturating_sub(now.0))
        .bind(now.0)
        .bind(device.to_string())
        .execute(change.on())
        .await
        .and_then(|done| match done.rows_affected() {
            0 => Err(sqlx_core::Error::RowNotFound),
            _ => Ok(()),
        })
        .map_err(|error| match error {
            sqlx_core::Error::RowNotFound => StoreError::NotFound("device"),
            other => other.into(),
        })?;
        let ids: Vec<i64> = copy.items.iter().map(|one| one.shown.id).collect();
        let ids = serde_json::to_string(&ids)
            .map_err(|_| StoreError::Refused("the numbers cannot be written"))?;
        query(
            "DELETE FROM agenda_items WHERE device = ?
             AND id NOT IN (SELECT value FROM json_each(?))",
        )
        .bind(device.to_string())
        .bind(ids)
        .execute(change.on())
        .await?;
        for item in &copy.items {
            put_item(&mut change, device, item).await?;
        }
        change
            .event(EventKind::Agendas, Audience::Adults, device, now)
            .await?;
        change.commit().await
    }

    async fn agenda_of(&self, device: DeviceId) -> Answer<Option<Copy>> {
        let mut snapshot = self.read.begin().await?;
        let row = query(OFFERED)
            .bind(device.to_string())
            .fetch_optional(&mut *snapshot)
            .await?;
        let Some(row) = row else {
            return Ok(None);
        };
        let items = query("SELECT * FROM agenda_items WHERE device = ? ORDER BY id")
            .bind(row.try_get::<String, _>("device")?)
            .fetch_all(&mut *snapshot)
            .await?;
        let items = items.iter().map(|row| {
            let item = serde_json::from_str(row.try_get("item")?);
            Ok(ItemCopy {
                shown: shown(row)?,
                item: item.map_err(|_| StoreError::Unreadable("item"))?,
            })
        });
        Ok(Some(Copy {
            journal: checked(&row, "journal")?,
            revision: row.try_get("revision")?,
            handed_over: row.try_get("handed_over")?,
            items: items.collect::<Answer<_>>()?,
        }))
    }

    async fn agendas(&self) -> Answer<Vec<Agenda>> {
        let mut snapshot = self.read.begin().await?;
        let rows = query(
            "SELECT agendas.* FROM agendas JOIN devices ON devices.id = agendas.device
             WHERE devices.revoked_at IS NULL ORDER BY devices.name, agendas.device",
        )
        .fetch_all(&mut *snapshot)
        .await?;
        let mut agendas = Vec::new();
        for row in rows {
            let device: DeviceId = parsed(&row, "device")?;
            let items = query(
                "SELECT id, kind, label, whom, due, left_ms, repeats FROM agenda_items
                 WHERE device = ? ORDER BY due IS NULL, due, id",
            )
            .bind(device.to_string())
            .fetch_all(&mut *snapshot)
            .await?;
            agendas.push(Agenda {
                device,
                clock_ahead_ms: row.try_get("clock_ahead")?,
                kept_at_ms: time(&row, "kept_at")?,
                items: items.iter().map(shown).collect::<Answer<_>>()?,
            });
        }
        Ok(agendas)
    }
}
