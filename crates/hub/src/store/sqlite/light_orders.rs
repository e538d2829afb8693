//! Lights that speakers are to switch, in SQLite.

use async_trait::async_trait;
use sqlx_core::query::query;
use sqlx_core::row::Row as _;
use sqlx_sqlite::SqliteRow;

use super::{SqliteStore, found, parsed, time, time_or_none};
use crate::clock::UnixMs;
use crate::device::DeviceKind;
use crate::event::{Audience, EventKind};
use crate::id::{DeviceId, LightOrderId};
use crate::light_order::{
    COUNTS_MS, LightOrder, LightOrderShown, LightOrderState, REMEMBERED_MAX, WAITING_MAX,
    WaitingLightOrder,
};
use crate::store::{Answer, LightOrders, StoreError};

fn wanted(row: &SqliteRow) -> Answer<LightOrder> {
    serde_json::from_str(row.try_get("wanted")?).map_err(|_| StoreError::Unreadable("wanted"))
}

fn shown(row: &SqliteRow, now: UnixMs) -> Answer<LightOrderShown> {
    let why: Option<String> = row.try_get("why")?;
    let state = match (time_or_none(row, "ended_at")?, &why) {
        (Some(_), None) => LightOrderState::Done,
        (Some(_), Some(_)) => LightOrderState::Refused,
        (None, _) if time(row, "until")? <= now => LightOrderState::Missed,
        (None, _) => LightOrderState::Waiting,
    };
    Ok(LightOrderShown {
        id: parsed(row, "id")?,
        device: parsed(row, "device")?,
        order: wanted(row)?,
        at_ms: time(row, "at")?,
        state,
        why,
    })
}

#[async_trait]
impl LightOrders for SqliteStore {
    async fn order_light(
        &self,
        device: DeviceId,
        order: &LightOrder,
        now: UnixMs,
    ) -> Answer<LightOrderId> {
        let id = LightOrderId::random()?;
        let text = serde_json::to_string(order)
            .map_err(|_| StoreError::Refused("the order cannot be written"))?;
        let mut change = self.change().await?;
        let waiting: i64 = query(
            "SELECT count(*) FROM light_orders WHERE device = ? AND ended_at IS NULL AND until > ?",
        )
        .bind(device.to_string())
        .bind(now.0)
        .fetch_one(change.on())
        .await?
        .try_get(0)?;
        if waiting >= i64::from(WAITING_MAX) {
            return Err(StoreError::Refused(
                "too many light orders wait for this speaker",
            ));
        }
        let done = query(
            "INSERT INTO light_orders (id, device, wanted, at, until)
             SELECT ?, id, ?, ?, ? FROM devices WHERE id = ? AND kind = ? AND revoked_at IS NULL",
        )
        .bind(id.to_string())
        .bind(text)
        .bind(now.0)
        .bind(now.plus_ms(COUNTS_MS).0)
        .bind(device.to_string())
        .bind(DeviceKind::Speaker.as_str())
        .execute(change.on())
        .await?;
        found(done.rows_affected(), "speaker")?;
        // The oldest make room.
        query(
            "DELETE FROM light_orders WHERE id NOT IN
                 (SELECT id FROM light_orders ORDER BY at DESC, id LIMIT ?)",
        )
        .bind(i64::from(REMEMBERED_MAX))
        .execute(change.on())
        .await?;
        change
            .event(
                EventKind::LightOrderQueued,
                Audience::device(device),
                id,
                now,
            )
            .await?;
        change
            .event(EventKind::LightOrders, Audience::Adults, id, now)
            .await?;
        change.commit().await?;
        Ok(id)
    }

    async fn light_orders_of(
        &self,
        device: DeviceId,
        now: UnixMs,
    ) -> Answer<Vec<WaitingLightOrder>> {
        let rows = query(
            "SELECT id, wanted FROM light_orders
             WHERE device = ? AND ended_at IS NULL AND until > ? ORDER BY at, rowid",
        )
        .bind(device.to_string())
        .bind(now.0)
        .fetch_all(&self.read)
        .await?;
        let waiting = |row: &SqliteRow| {
            Ok(WaitingLightOrder {
                id: parsed(row, "id")?,
                order: wanted(row)?,
            })
        };
        rows.iter().map(waiting).collect()
    }

    async fn end_light_order(
        &self,
        device: DeviceId,
        id: LightOrderId,
        why: Option<&str>,
        now: UnixMs,
    ) -> Answer<()> {
        let mut change = self.change().await?;
        let done = query(
            "UPDATE light_orders SET ended_at = ?, why = ?
             WHERE id = ? AND device = ? AND ended_at IS NULL",
        )
        .bind(now.0)
        .bind(why.map(str::to_owned))
        .bind(id.to_string())
        .bind(device.to_string())
        .execute(change.on())
        .await?;
        found(done.rows_affected(), "light order")?;
        change
            .event(EventKind::LightOrders, Audience::Adults, id, now)
            .await?;
        change.commit().await
    }

    async fn light_orders(&self, limit: u32, now: UnixMs) -> Answer<Vec<LightOrderShown>> {
        let rows = query("SELECT * FROM light_orders ORDER BY at DESC, rowid DESC LIMIT ?")
            .bind(i64::from(limit))
            .fetch_all(&self.read)
            .await?;
        rows.iter().map(|row| shown(row, now)).collect()
    }
}
