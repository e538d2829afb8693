//! Sessions in SQLite.

use async_trait::async_trait;
use sqlx_core::query::query;
use sqlx_core::row::Row as _;
use sqlx_sqlite::SqliteRow;

use super::people::person;
use super::{SqliteStore, found, parsed, parsed_or_none, read_as, time};
use crate::clock::UnixMs;
use crate::event::{Audience, EventKind};
use crate::id::{DeviceId, PersonId, TokenId};
use crate::person::Person;
use crate::session::{SESSIONS_MAX, Session, TokenHash, TokenKind};
use crate::store::{Answer, Sessions, StoreError};

fn session(row: &SqliteRow) -> Answer<Session> {
    Ok(Session {
        id: parsed(row, "session_id")?,
        person: parsed(row, "person")?,
        kind: read_as(row, "session_kind", TokenKind::parse)?,
        device: parsed_or_none(row, "device")?,
        created_at_ms: time(row, "opened_at")?,
        expires_at_ms: time(row, "expires_at")?,
    })
}

#[async_trait]
impl Sessions for SqliteStore {
    async fn open_session(
        &self,
        person: PersonId,
        kind: TokenKind,
        device: Option<DeviceId>,
        token: &TokenHash,
        now: UnixMs,
        expires_at: UnixMs,
    ) -> Answer<Session> {
        let id = TokenId::random()?;
        let mut change = self.change().await?;
        if let Some(device) = device {
            // In this transaction, so that no revocation falls between the question and the session.
            let row = query("SELECT count(*) FROM devices WHERE id = ? AND revoked_at IS NULL")
                .bind(device.to_string())
                .fetch_one(change.on())
                .await?;
            let there: i64 = row.try_get(0)?;
            found(u64::from(there > 0), "device that is not revoked")?;
        }
        // The oldest make room: a person who logs in again and again is not locked out.
        let oldest = query(
            "DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE person = ?
             ORDER BY created_at DESC, id LIMIT -1 OFFSET ?) RETURNING id",
        )
        .bind(person.to_string())
        .bind(i64::from(SESSIONS_MAX) - 1)
        .fetch_all(change.on())
        .await?;
        for row in oldest {
            let ended: String = row.try_get(0)?;
            change
                .event(
                    EventKind::SessionEnded,
                    Audience::person(person),
                    ended,
                    now,
                )
                .await?;
        }
        query(
            "INSERT INTO sessions (id, secret, person, kind, device, created_at, expires_at)
             VALUES (?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(id.to_string())
        .bind(token.as_bytes().as_slice())
        .bind(person.to_string())
        .bind(kind.as_str())
        .bind(device.map(|id| id.to_string()))
        .bind(now.0)
        .bind(expires_at.0)
        .execute(change.on())
        .await
        .map_err(|error| match StoreError::from(error) {
            StoreError::Dangling => StoreError::NotFound("person"),
            other => other,
        })?;
        change.commit().await?;
        Ok(Session {
            id,
            person,
            kind,
            device,
            created_at_ms: now,
            expires_at_ms: expires_at,
        })
    }

    async fn session(&self, token: &TokenHash, now: UnixMs) -> Answer<Option<(Session, Person)>> {
        let row = query(
            "SELECT people.*, sessions.id AS session_id, sessions.person, sessions.kind AS session_kind,
                    sessions.device, sessions.created_at AS opened_at, sessions.expires_at
             FROM sessions JOIN people ON people.id = sessions.person
             WHERE sessions.secret = ? AND sessions.expires_at > ?",
        )
        .bind(token.as_bytes().as_slice())
        .bind(now.0)
        .fetch_optional(&self.read)
        .await?;
        row.map(|row| Ok((session(&row)?, person(&row)?)))
            .transpose()
    }

    async fn bind_session(&self, id: TokenId, device: DeviceId, now: UnixMs) -> Answer<()> {
        let mut change = self.change().await?;
        let bound = query(
            "UPDATE sessions SET device = ? WHERE id = ? AND expires_at > ?
             AND EXISTS (SELECT 1 FROM devices WHERE id = ? AND revoked_at IS NULL)",
        )
        .bind(device.to_string())
        .bind(id.to_string())
        .bind(now.0)
        .bind(device.to_string())
        .execute(change.on())
        .await?;
        found(
            bound.rows_affected(),
            "session, or device that is not revoked",
        )?;
        change.commit().await
    }

    async fn sessions_of(&self, person: PersonId, now: UnixMs) -> Answer<Vec<Session>> {
        let rows = query(
            "SELECT id AS session_id, person, kind AS session_kind, device, created_at AS opened_at,
                    expires_at
             FROM sessions WHERE person = ? AND expires_at > ? ORDER BY created_at DESC, id",
        )
        .bind(person.to_string())
        .bind(now.0)
        .fetch_all(&self.read)
        .await?;
        rows.iter().map(session).collect()
    }

    async fn end_session(&self, id: TokenId, now: UnixMs) -> Answer<()> {
        let mut change = self.change().await?;
        let row = query("DELETE FROM sessions WHERE id = ? RETURNING person")
            .bind(id.to_string())
            .fetch_optional(change.on())
            .await?;
        let row = row.ok_or(StoreError::NotFound("session"))?;
        let person: PersonId = parsed(&row, "person")?;
        change
            .event(EventKind::SessionEnded, Audience::person(person), id, now)
            .await?;
        change.commit().await
    }
}
