//! The address book in SQLite.

use std::collections::HashMap;

use async_trait::async_trait;
use sqlx_core::query::query;
use sqlx_core::row::Row as _;
use sqlx_sqlite::SqliteRow;

use super::{Change, SqliteStore, checked, found, parsed, read_as, taken};
use crate::address_book::{CARDS_BYTES_MAX, Imported, ImportedCard};
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

async fn insert(change: &mut Change, id: ContactId, fields: &ContactFields) -> Answer<()> {
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
    put_numbers(change, id, fields).await
}

async fn check_count(change: &mut Change) -> Answer<()> {
    let row = query("SELECT count(*) FROM contacts")
        .fetch_one(change.on())
        .await?;
    if row.try_get::<i64, _>(0)? > CONTACTS_MAX as i64 {
        return Err(StoreError::Limit {
            what: "contacts",
            max: CONTACTS_MAX as u32,
        });
    }
    Ok(())
}

/// Stores one card; whose it is.
pub(super) async fn put_card(
    change: &mut Change,
    new: &ImportedCard,
    done: &mut Imported,
) -> Answer<ContactId> {
    done.numbers_left_out += new.numbers_left_out;
    let known = query("SELECT contact, card FROM contact_cards WHERE key = ?")
        .bind(&new.key)
        .fetch_optional(change.on())
        .await?;
    let id = match &known {
        Some(row) if row.try_get::<&str, _>("card")? == new.card => {
            done.unchanged += 1;
            return parsed(row, "contact");
        }
        Some(row) => {
            let id: ContactId = parsed(row, "contact")?;
            query("UPDATE contacts SET name = ? WHERE id = ?")
                .bind(new.fields.name.as_str())
                .bind(id.to_string())
                .execute(change.on())
                .await?;
            put_numbers(change, id, &new.fields).await?;
            done.changed += 1;
            id
        }
        None => {
            let id = ContactId::random()?;
            insert(change, id, &new.fields).await?;
            done.added += 1;
            id
        }
    };
    query(
        "INSERT INTO contact_cards (contact, key, card) VALUES (?, ?, ?)
         ON CONFLICT (contact) DO UPDATE SET card = excluded.card",
    )
    .bind(id.to_string())
    .bind(&new.key)
    .bind(&new.card)
    .execute(change.on())
    .await?;
    Ok(id)
}

/// A contact as it is now, with the card that it came as.
pub(super) async fn whole(
    change: &mut Change,
    id: ContactId,
) -> Answer<Option<(Contact, Option<String>)>> {
    let row = query("SELECT * FROM contacts WHERE id = ?")
        .bind(id.to_string())
        .fetch_optional(change.on())
        .await?;
    let Some(row) = row else {
        return Ok(None);
    };
    let mut contact = contact(&row)?;
    let rows = query("SELECT * FROM contact_numbers WHERE contact = ? ORDER BY position")
        .bind(id.to_string())
        .fetch_all(change.on())
        .await?;
    contact.fields.numbers = rows.iter().map(contact_number).collect::<Answer<_>>()?;
    let card = query("SELECT card FROM contact_cards WHERE contact = ?")
        .bind(id.to_string())
        .fetch_optional(change.on())
        .await?;
    let card = card.map(|row| row.try_get("card")).transpose()?;
    Ok(Some((contact, card)))
}

/// Adds a contact of its own with its card.
pub(super) async fn put_aside(change: &mut Change, new: &ImportedCard) -> Answer<()> {
    let id = ContactId::random()?;
    insert(change, id, &new.fields).await?;
    // The same card may stand aside already: then it is kept once.
    query("INSERT INTO contact_cards (contact, key, card) VALUES (?, ?, ?) ON CONFLICT DO NOTHING")
        .bind(id.to_string())
        .bind(&new.key)
        .bind(&new.card)
        .execute(change.on())
        .await?;
    Ok(())
}

/// Whether the household has not too many contacts and bytes of cards now.
pub(super) async fn check_cards(change: &mut Change) -> Answer<()> {
    check_count(change).await?;
    let row = query("SELECT coalesce(sum(length(CAST(card AS BLOB))), 0) FROM contact_cards")
        .fetch_one(change.on())
        .await?;
    if row.try_get::<i64, _>(0)? > i64::from(CARDS_BYTES_MAX) {
        return Err(StoreError::Limit {
            what: "bytes of imported cards",
            max: CARDS_BYTES_MAX,
        });
    }
    Ok(())
}

#[async_trait]
impl Contacts for SqliteStore {
    async fn add_contact(&self, fields: &ContactFields, now: UnixMs) -> Answer<Contact> {
        let id = ContactId::random()?;
        let mut change = self.change().await?;
        insert(&mut change, id, fields).await?;
        check_count(&mut change).await?;
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

    async fn import_contacts(&self, cards: &[ImportedCard], now: UnixMs) -> Answer<Imported> {
        let mut change = self.change().await?;
        let mut done = Imported::default();
        for card in cards {
            put_card(&mut change, card, &mut done).await?;
        }
        if done.added == 0 && done.changed == 0 {
            return Ok(done);
        }
        check_cards(&mut change).await?;
        // One for all: whoever is told reads the address book again.
        change
            .event(EventKind::Contacts, Audience::Home, "all", now)
            .await?;
        change.commit().await?;
        Ok(done)
    }

    async fn contacts_with_cards(&self) -> Answer<Vec<(Contact, Option<String>)>> {
        let contacts = self.contacts().await?;
        let rows = query("SELECT contact, card FROM contact_cards")
            .fetch_all(&self.read)
            .await?;
        let mut cards = HashMap::new();
        for row in &rows {
            let id: ContactId = parsed(row, "contact")?;
            cards.insert(id, row.try_get("card")?);
        }
        let with_card = |contact: Contact| {
            let card = cards.remove(&contact.id);
            (contact, card)
        };
        Ok(contacts.into_iter().map(with_card).collect())
    }
}
