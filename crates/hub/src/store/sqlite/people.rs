//! People in SQLite.

use async_trait::async_trait;
use sqlx_core::query::query;
use sqlx_core::row::Row as _;
use sqlx_sqlite::SqliteRow;

use super::devices::revoke;
use super::{Change, SqliteStore, checked, checked_or_none, found, parsed, read_as, taken, time};
use crate::clock::UnixMs;
use crate::event::{Audience, EventKind};
use crate::id::PersonId;
use crate::person::{Party, Person, PersonFields, Role};
use crate::session::PasswordHash;
use crate::store::{Answer, People, StoreError};
use crate::text::Login;

const LAST_OWNER: StoreError =
    StoreError::Refused("the last owner stays one; make somebody else an owner first");

pub(super) fn person(row: &SqliteRow) -> Answer<Person> {
    Ok(Person {
        id: parsed(row, "id")?,
        fields: PersonFields {
            name: checked(row, "name")?,
            role: read_as(row, "role", Role::parse)?,
            login: checked_or_none(row, "login")?,
        },
        created_at_ms: time(row, "created_at")?,
    })
}

/// Ends a person's sessions, each with its event, so that their live streams end.
pub(super) async fn end_sessions(change: &mut Change, id: PersonId, now: UnixMs) -> Answer<()> {
    let rows = query("DELETE FROM sessions WHERE person = ? RETURNING id")
        .bind(id.to_string())
        .fetch_all(change.on())
        .await?;
    for row in rows {
        let session: String = row.try_get(0)?;
        change
            .event(EventKind::SessionEnded, Audience::person(id), session, now)
            .await?;
    }
    Ok(())
}

async fn owners_beside(change: &mut Change, id: PersonId) -> Answer<i64> {
    let row = query("SELECT count(*) FROM people WHERE role = 'owner' AND id <> ?")
        .bind(id.to_string())
        .fetch_one(change.on())
        .await?;
    Ok(row.try_get(0)?)
}

async fn one(change: &mut Change, id: PersonId) -> Answer<Person> {
    let row = query("SELECT * FROM people WHERE id = ?")
        .bind(id.to_string())
        .fetch_optional(change.on())
        .await?;
    person(&row.ok_or(StoreError::NotFound("person"))?)
}

#[async_trait]
impl People for SqliteStore {
    async fn add_person(&self, fields: &PersonFields, now: UnixMs) -> Answer<Person> {
        let id = PersonId::random()?;
        let mut change = self.change().await?;
        query("INSERT INTO people (id, name, role, login, created_at) VALUES (?, ?, ?, ?, ?)")
            .bind(id.to_string())
            .bind(fields.name.as_str())
            .bind(fields.role.as_str())
            .bind(fields.login.as_ref().map(Login::as_str))
            .bind(now.0)
            .execute(change.on())
            .await
            .map_err(taken("person", "login"))?;
        change
            .event(EventKind::People, Audience::Home, id, now)
            .await?;
        change.commit().await?;
        Ok(Person {
            id,
            fields: fields.clone(),
            created_at_ms: now,
        })
    }

    async fn people(&self) -> Answer<Vec<Person>> {
        let rows = query("SELECT * FROM people ORDER BY name, id")
            .fetch_all(&self.read)
            .await?;
        rows.iter().map(person).collect()
    }

    async fn person(&self, id: PersonId) -> Answer<Person> {
        let row = query("SELECT * FROM people WHERE id = ?")
            .bind(id.to_string())
            .fetch_optional(&self.read)
            .await?;
        person(&row.ok_or(StoreError::NotFound("person"))?)
    }

    async fn change_person(
        &self,
        id: PersonId,
        fields: &PersonFields,
        now: UnixMs,
    ) -> Answer<Person> {
        let mut change = self.change().await?;
        let before = one(&mut change, id).await?;
        let steps_down = before.fields.role == Role::Owner && fields.role != Role::Owner;
        if steps_down && owners_beside(&mut change, id).await? == 0 {
            return Err(LAST_OWNER);
        }
        query("UPDATE people SET name = ?, role = ?, login = ? WHERE id = ?")
            .bind(fields.name.as_str())
            .bind(fields.role.as_str())
            .bind(fields.login.as_ref().map(Login::as_str))
            .bind(id.to_string())
            .execute(change.on())
            .await
            .map_err(taken("person", "login"))?;
        change
            .event(EventKind::People, Audience::Home, id, now)
            .await?;
        change.commit().await?;
        Ok(Person {
            fields: fields.clone(),
            ..before
        })
    }

    async fn remove_person(&self, id: PersonId, now: UnixMs) -> Answer<()> {
        let mut change = self.change().await?;
        let before = one(&mut change, id).await?;
        if before.fields.role == Role::Owner && owners_beside(&mut change, id).await? == 0 {
            return Err(LAST_OWNER);
        }
        end_sessions(&mut change, id, now).await?;
        // A device without its person would be the household's, with the household's rights.
        let devices =
            query("SELECT id FROM devices WHERE person = ? AND revoked_at IS NULL ORDER BY id")
                .bind(id.to_string())
                .fetch_all(change.on())
                .await?;
        for row in devices {
            revoke(&mut change, parsed(&row, "id")?, now).await?;
        }
        query("DELETE FROM deliveries WHERE mailbox = ?")
            .bind(Party::Person(id).key())
            .execute(change.on())
            .await?;
        query("DELETE FROM call_settings WHERE party = ?")
            .bind(Party::Person(id).key())
            .execute(change.on())
            .await?;
        query("DELETE FROM people WHERE id = ?")
            .bind(id.to_string())
            .execute(change.on())
            .await?;
        change
            .event(EventKind::People, Audience::Home, id, now)
            .await?;
        change.commit().await
    }

    async fn set_password(&self, id: PersonId, password: &PasswordHash, now: UnixMs) -> Answer<()> {
        let mut change = self.change().await?;
        let done = query("UPDATE people SET password = ? WHERE id = ?")
            .bind(password.as_str())
            .bind(id.to_string())
            .execute(change.on())
            .await?;
        found(done.rows_affected(), "person")?;
        end_sessions(&mut change, id, now).await?;
        change.commit().await
    }

    async fn credentials(&self, login: &Login) -> Answer<Option<(Person, PasswordHash)>> {
        let row = query("SELECT * FROM people WHERE login = ? AND password IS NOT NULL")
            .bind(login.as_str())
            .fetch_optional(&self.read)
            .await?;
        row.map(|row| Ok((person(&row)?, checked(&row, "password")?)))
            .transpose()
    }
}
