//! The address book in SQLite.

use async_trait::async_trait;
use sqlx_core::query::query;
use sqlx_core::row::Row as _;
use sqlx_sqlite::SqliteRow;

use super::{Change, SqliteStore, checked, found, parsed, read_as, taken};
use crate::clock::UnixMs;
use crate::contact::{CONTACTS_MAX, Contact, ContactFields, ContactNumber, Screening, SpeedDial};
use crate::event::{Audience, EventKind};
use crate::id::ContactId;
use crate::store::{Answer, Contacts, StoreError};

/// The contact of a row, still without its numbers.
fn contact(row: &SqliteRow) -> Answer<Contact> {
    let speed_dial: Option<i64> = row.try_get("speed_dial")?;
    let speed_dial = speed_dial
        .map(|digit| {
            u8::try_from(digit)
                .ok()
                .and_then(|digit| SpeedDial::try_from(digit).ok())
                .ok_or(StoreError::Unreadable("speed_dial"))
        })
        .transpose()?;
    Ok(Contact {
        id: parsed(row, "id")?,
        fields: ContactFields {
            name: checked(row, "name")?,
            numbers: Vec::new(),
            screening: read_as(row, "screening", Screening::parse)?,
            drop_in: row.try_get("drop_in")?,
            children_may_call: row.try_get("children_may_call")?,
            speed_dial,
        },
    })
}

fn contact_number(row: &SqliteRow) -> Answer<ContactNumber> {
    Ok(ContactNumber {
        label: checked(row, "label")?,
        number: checked(row, "number")?,
    })
}

async fn put_numbers(change: &mut Change, id: ContactId, fields: &ContactFields) -> Answer<()> {
    query("DELETE FROM contact_numbers WHERE contact = ?")
        .bind(id.to_string())
        .execute(change.on())
        .await?;
    for (position, number) in (0_i64..).zip(&fields.numbers) {
        query("INSERT INTO contact_numbers (contact, position, label, number) VALUES (?, ?, ?, ?)")
            .bind(id.to_string())
            .bind(position)
            .bind(number.label.as_str())
            .bind(number.number.as_str())
            .execute(change.on())
            .await?;
    }
    Ok(())
}

#[async_trait]
impl Contacts for SqliteStore {
    async fn add_contact(&self, fields: &ContactFields, now: UnixMs) -> Answer<Contact> {
        let id = ContactId::random()?;
        let mut change = self.change().await?;
        let row = query("SELECT count(*) FROM contacts")
            .fetch_one(change.on())
            .await?;
        if row.try_get::<i64, _>(0)? >= CONTACTS_MAX as i64 {
            return Err(StoreError::Limit {
                what: "contacts",
                max: CONTACTS_MAX as u32,
            });
        }
        query(
            "INSERT INTO contacts (id, name, screening, drop_in, children_may_call, speed_dial)
             VALUES (?, ?, ?, ?, ?, ?)",
        )
        .bind(id.to_string())
        .bind(fields.name.as_str())
        .bind(fields.screening.as_str())
        .bind(fields.drop_in)
        .bind(fields.children_may_call)
        .bind(fields.speed_dial.map(|dial| i64::from(u8::from(dial))))
        .execute(change.on())
        .await
        .map_err(taken("contact", "speed_dial"))?;
        put_numbers(&mut change, id, fields).await?;
        change
            .event(EventKind::Contacts, Audience::Home, id, now)
            .await?;
        change.commit().await?;
        Ok(Contact {
            id,
            fields: fields.clone(),
        })
    }

    async fn contacts(&self) -> Answer<Vec<Contact>> {
        // Both reads in one transaction, so that they see the same moment.
        let mut snapshot = self.read.begin().await?;
        let rows = query("SELECT * FROM contacts ORDER BY id")
            .fetch_all(&mut *snapshot)
            .await?;
        let mut contacts: Vec<Contact> = rows.iter().map(contact).collect::<Answer<_>>()?;
        let rows = query("SELECT * FROM contact_numbers ORDER BY contact, position")
            .fetch_all(&mut *snapshot)
            .await?;
        for row in &rows {
            let owner: ContactId = parsed(row, "contact")?;
            if let Ok(index) = contacts.binary_search_by(|contact| contact.id.cmp(&owner)) {
                contacts[index].fields.numbers.push(contact_number(row)?);
            }
        }
        contacts.sort_by(|a, b| a.fields.name.as_str().cmp(b.fields.name.as_str()));
        Ok(contacts)
    }

    async fn contact(&self, id: ContactId) -> Answer<Contact> {
        let mut snapshot = self.read.begin().await?;
        let row = query("SELECT * FROM contacts WHERE id = ?")
            .bind(id.to_string())
            .fetch_optional(&mut *snapshot)
            .await?;
        let mut contact = contact(&row.ok_or(StoreError::NotFound("contact"))?)?;
        let rows = query("SELECT * FROM contact_numbers WHERE contact = ? ORDER BY position")
            .bind(id.to_string())
            .fetch_all(&mut *snapshot)
            .await?;
        contact.fields.numbers = rows.iter().map(contact_number).collect::<Answer<_>>()?;
        Ok(contact)
    }

    async fn change_contact(
        &self,
        id: ContactId,
        fields: &ContactFields,
        now: UnixMs,
    ) -> Answer<Contact> {
        let mut change = self.change().await?;
        let done = query(
            "UPDATE contacts SET name = ?, screening = ?, drop_in = ?, children_may_call = ?,
             speed_dial = ? WHERE id = ?",
        )
        .bind(fields.name.as_str())
        .bind(fields.screening.as_str())
        .bind(fields.drop_in)
        .bind(fields.children_may_call)
        .bind(fields.speed_dial.map(|dial| i64::from(u8::from(dial))))
        .bind(id.to_string())
        .execute(change.on())
        .await
        .map_err(taken("contact", "speed_dial"))?;
        found(done.rows_affected(), "contact")?;
        put_numbers(&mut change, id, fields).await?;
        change
            .event(EventKind::Contacts, Audience::Home, id, now)
            .await?;
        change.commit().await?;
        Ok(Contact {
            id,
            fields: fields.clone(),
        })
    }

    async fn remove_contact(&self, id: ContactId, now: UnixMs) -> Answer<()> {
        let mut change = self.change().await?;
        let done = query("DELETE FROM contacts WHERE id = ?")
            .bind(id.to_string())
            .execute(change.on())
            .await?;
        found(done.rows_affected(), "contact")?;
        change
            .event(EventKind::Contacts, Audience::Home, id, now)
            .await?;
        change.commit().await
    }
}
