//! Invitations in SQLite.

use async_trait::async_trait;
use sqlx_core::query::query;
use sqlx_core::row::Row as _;
use sqlx_sqlite::SqliteRow;

use super::devices::insert_certificate;
use super::{SqliteStore, checked, number, parsed, parsed_or_none, read_as, taken, time};
use crate::clock::UnixMs;
use crate::device::{Device, DeviceFields, DeviceKind, NewDevice};
use crate::event::{Audience, EventKind};
use crate::id::InvitationId;
use crate::invitation::{
    Invitation, InvitationKey, InvitationState, NewInvitation, OPEN_MAX, WRONG_TRIES_MAX,
};
use crate::store::{Answer, Invitations, StoreError};

const DAY_MS: i64 = 24 * 3_600_000;

fn invitation(row: &SqliteRow, now: UnixMs) -> Answer<Invitation> {
    let expires_at = time(row, "expires_at")?;
    let state = read_as(row, "state", InvitationState::parse)?;
    let ended = state == InvitationState::Open && expires_at <= now;
    Ok(Invitation {
        id: parsed(row, "id")?,
        kind: read_as(row, "kind", DeviceKind::parse)?,
        fields: DeviceFields {
            name: checked(row, "name")?,
            room: parsed_or_none(row, "room")?,
            person: parsed_or_none(row, "person")?,
        },
        state: if ended {
            InvitationState::Expired
        } else {
            state
        },
        wrong_tries: number(row, "wrong_tries")?,
        created_at_ms: time(row, "created_at")?,
        expires_at_ms: expires_at,
    })
}

#[async_trait]
impl Invitations for SqliteStore {
    async fn invite(&self, new: &NewInvitation, now: UnixMs) -> Answer<Invitation> {
        let id = InvitationId::random()?;
        let mut change = self.change().await?;
        let row = query("SELECT count(*) FROM invitations WHERE state = 'open' AND expires_at > ?")
            .bind(now.0)
            .fetch_one(change.on())
            .await?;
        if row.try_get::<i64, _>(0)? >= i64::from(OPEN_MAX) {
            return Err(StoreError::Limit {
                what: "open invitations",
                max: OPEN_MAX,
            });
        }
        query(
            "INSERT INTO invitations (id, secret_key, kind, name, room, person, state, wrong_tries,
                                      created_at, expires_at)
             VALUES (?, ?, ?, ?, ?, ?, 'open', 0, ?, ?)",
        )
        .bind(id.to_string())
        .bind(new.key.as_bytes().as_slice())
        .bind(new.kind.as_str())
        .bind(new.fields.name.as_str())
        .bind(new.fields.room.map(|id| id.to_string()))
        .bind(new.fields.person.map(|id| id.to_string()))
        .bind(now.0)
        .bind(new.expires_at.0)
        .execute(change.on())
        .await?;
        change
            .event(EventKind::Invitations, Audience::Adults, id, now)
            .await?;
        change.commit().await?;
        Ok(Invitation {
            id,
            kind: new.kind,
            fields: new.fields.clone(),
            state: InvitationState::Open,
            wrong_tries: 0,
            created_at_ms: now,
            expires_at_ms: new.expires_at,
        })
    }

    async fn invitations(&self, now: UnixMs) -> Answer<Vec<Invitation>> {
        let rows =
            query("SELECT * FROM invitations WHERE created_at > ? ORDER BY created_at DESC, id")
                .bind(now.plus_ms(-DAY_MS).0)
                .fetch_all(&self.read)
                .await?;
        rows.iter().map(|row| invitation(row, now)).collect()
    }

    async fn open_invitations(&self, now: UnixMs) -> Answer<Vec<(Invitation, InvitationKey)>> {
        let rows = query("SELECT * FROM invitations WHERE state = 'open' AND expires_at > ?")
            .bind(now.0)
            .fetch_all(&self.read)
            .await?;
        let with_key = |row: &SqliteRow| {
            let key: Vec<u8> = row.try_get("secret_key")?;
            let key = key
                .try_into()
                .map_err(|_| StoreError::Unreadable("secret_key"))?;
            Ok((invitation(row, now)?, InvitationKey::from_bytes(key)))
        };
        rows.iter().map(with_key).collect()
    }

    async fn accept_invitation(
        &self,
        id: InvitationId,
        device: &NewDevice,
        now: UnixMs,
    ) -> Answer<Device> {
        let mut change = self.change().await?;
        let done = query(
            "UPDATE invitations SET state = 'used', secret_key = x''
             WHERE id = ? AND state = 'open' AND expires_at > ?",
        )
        .bind(id.to_string())
        .bind(now.0)
        .execute(change.on())
        .await?;
        if done.rows_affected() == 0 {
            return Err(StoreError::NotFound("open invitation"));
        }
        query(
            "INSERT INTO devices (id, kind, name, room, person, key_fingerprint, created_at)
             VALUES (?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(device.id.to_string())
        .bind(device.kind.as_str())
        .bind(device.fields.name.as_str())
        .bind(device.fields.room.map(|id| id.to_string()))
        .bind(device.fields.person.map(|id| id.to_string()))
        .bind(device.key_fingerprint.to_string())
        .bind(now.0)
        .execute(change.on())
        .await
        .map_err(taken("device", "key"))?;
        insert_certificate(&mut change, device.id, &device.certificate).await?;
        change
            .event(EventKind::Invitations, Audience::Adults, id, now)
            .await?;
        change
            .event(EventKind::Devices, Audience::Home, device.id, now)
            .await?;
        change.commit().await?;
        Ok(Device {
            id: device.id,
            kind: device.kind,
            fields: device.fields.clone(),
            username: None,
            key_fingerprint: device.key_fingerprint,
            created_at_ms: now,
            revoked_at_ms: None,
        })
    }

    async fn note_wrong_try(&self, now: UnixMs) -> Answer<u32> {
        let mut change = self.change().await?;
        query(
            "UPDATE invitations SET wrong_tries = wrong_tries + 1
             WHERE state = 'open' AND expires_at > ?",
        )
        .bind(now.0)
        .execute(change.on())
        .await?;
        let locked = query(
            "UPDATE invitations SET state = 'locked', secret_key = x''
             WHERE state = 'open' AND wrong_tries >= ? RETURNING id",
        )
        .bind(i64::from(WRONG_TRIES_MAX))
        .fetch_all(change.on())
        .await?;
        for row in &locked {
            let id: InvitationId = parsed(row, "id")?;
            change
                .event(EventKind::Invitations, Audience::Adults, id, now)
                .await?;
        }
        change.commit().await?;
        Ok(u32::try_from(locked.len()).unwrap_or(u32::MAX))
    }

    async fn withdraw_invitation(&self, id: InvitationId, now: UnixMs) -> Answer<()> {
        let mut change = self.change().await?;
        let done = query(
            "UPDATE invitations SET state = 'withdrawn', secret_key = x'' WHERE id = ? AND state = 'open'",
        )
        .bind(id.to_string())
        .execute(change.on())
        .await?;
        super::found(done.rows_affected(), "open invitation")?;
        change
            .event(EventKind::Invitations, Audience::Adults, id, now)
            .await?;
        change.commit().await
    }
}
