//! Rooms in SQLite.

use async_trait::async_trait;
use sqlx_core::query::query;
use sqlx_sqlite::SqliteRow;

use super::{SqliteStore, checked, found, parsed, taken};
use crate::clock::UnixMs;
use crate::event::{Audience, EventKind};
use crate::id::RoomId;
use crate::room::{Room, RoomFields};
use crate::store::{Answer, Rooms};

fn room(row: &SqliteRow) -> Answer<Room> {
    Ok(Room {
        id: parsed(row, "id")?,
        fields: RoomFields {
            name: checked(row, "name")?,
        },
    })
}

#[async_trait]
impl Rooms for SqliteStore {
    async fn add_room(&self, fields: &RoomFields, now: UnixMs) -> Answer<Room> {
        let id = RoomId::random()?;
        let mut change = self.change().await?;
        query("INSERT INTO rooms (id, name) VALUES (?, ?)")
            .bind(id.to_string())
            .bind(fields.name.as_str())
            .execute(change.on())
            .await
            .map_err(taken("room", "name"))?;
        change
            .event(EventKind::Rooms, Audience::Home, id, now)
            .await?;
        change.commit().await?;
        Ok(Room {
            id,
            fields: fields.clone(),
        })
    }

    async fn rooms(&self) -> Answer<Vec<Room>> {
        let rows = query("SELECT * FROM rooms ORDER BY name, id")
            .fetch_all(&self.read)
            .await?;
        rows.iter().map(room).collect()
    }

    async fn change_room(&self, id: RoomId, fields: &RoomFields, now: UnixMs) -> Answer<Room> {
        let mut change = self.change().await?;
        let done = query("UPDATE rooms SET name = ? WHERE id = ?")
            .bind(fields.name.as_str())
            .bind(id.to_string())
            .execute(change.on())
            .await
            .map_err(taken("room", "name"))?;
        found(done.rows_affected(), "room")?;
        change
            .event(EventKind::Rooms, Audience::Home, id, now)
            .await?;
        change.commit().await?;
        Ok(Room {
            id,
            fields: fields.clone(),
        })
    }

    async fn remove_room(&self, id: RoomId, now: UnixMs) -> Answer<()> {
        let mut change = self.change().await?;
        let done = query("DELETE FROM rooms WHERE id = ?")
            .bind(id.to_string())
            .execute(change.on())
            .await?;
        found(done.rows_affected(), "room")?;
        change
            .event(EventKind::Rooms, Audience::Home, id, now)
            .await?;
        change.commit().await
    }
}
