//! Address books of servers, in SQLite.

use std::collections::HashSet;

use async_trait::async_trait;
use sqlx_core::query::query;
use sqlx_core::row::Row as _;
use sqlx_sqlite::SqliteRow;

use super::contacts::{check_cards, put_aside, put_card, whole};
use super::{Change, SqliteStore, parsed, parsed_or_none};
use crate::address_book::{self, Imported, ImportedCard};
use crate::carddav::{BookChange, BookMember, BookState};
use crate::clock::UnixMs;
use crate::contact::Contact;
use crate::device::Fingerprint;
use crate::event::{Audience, EventKind};
use crate::id::ContactId;
use crate::store::{AddressBooks, Answer};

#[async_trait]
impl AddressBooks for SqliteStore {
    async fn address_book(&self, key: &str) -> Answer<BookState> {
        let mut snapshot = self.read.begin().await?;
        let book = query("SELECT ctag, sync_token FROM address_books WHERE url = ?")
            .bind(key)
            .fetch_optional(&mut *snapshot)
            .await?;
        let mut state = BookState::default();
        if let Some(book) = book {
            state.ctag = book.try_get("ctag")?;
            state.sync_token = book.try_get("sync_token")?;
        }
        let rows = query("SELECT href, etag FROM address_book_items WHERE url = ?")
            .bind(key)
            .fetch_all(&mut *snapshot)
            .await?;
        for row in &rows {
            state
                .etags
                .insert(row.try_get("href")?, row.try_get("etag")?);
        }
        Ok(state)
    }

    async fn put_address_book(
        &self,
        key: &str,
        book: &BookChange,
        now: UnixMs,
    ) -> Answer<(Imported, u32)> {
        let mut change = self.change().await?;
        let (mut done, mut removed, mut aside) = (Imported::default(), 0, 0);
        query(
            "INSERT INTO address_books (url, ctag, sync_token, read_at) VALUES (?, ?, ?, ?)
             ON CONFLICT (url) DO UPDATE SET ctag = excluded.ctag, sync_token = excluded.sync_token,
             read_at = excluded.read_at",
        )
        .bind(key)
        .bind(book.ctag.as_deref())
        .bind(book.sync_token.as_deref())
        .bind(now.0)
        .execute(change.on())
        .await?;
        // First, so that a card that moved within the book is not taken away after it came.
        for href in &book.removed {
            let row = query(
                "DELETE FROM address_book_items WHERE url = ? AND href = ? RETURNING contact, agreed",
            )
            .bind(key)
            .bind(href)
            .fetch_optional(change.on())
            .await?;
            let contact: Option<ContactId> = match &row {
                Some(row) => parsed_or_none(row, "contact")?,
                None => None,
            };
            let agreed = row.as_ref().map(agreed).transpose()?.flatten();
            if let Some(contact) = contact {
                if changed_since(&mut change, contact, agreed).await?.is_some() {
                    // Removed there, changed here: it stays, and stands in no book.
                    continue;
                }
                let gone = query("DELETE FROM contacts WHERE id = ?")
                    .bind(contact.to_string())
                    .execute(change.on())
                    .await?;
                removed += u32::try_from(gone.rows_affected()).unwrap_or(0);
            }
        }
        for item in &book.items {
            if let Some(card) = &item.card
                && let Some(ours) = ours_beside(&mut change, key, &item.href, card).await?
            {
                put_aside(&mut change, &ours).await?;
                aside += 1;
            }
            let contact = match &item.card {
                Some(card) => Some(put_card(&mut change, card, &mut done).await?),
                None => None,
            };
            let agreed = match contact {
                Some(contact) => whole(&mut change, contact).await?,
                None => None,
            };
            let agreed =
                agreed.map(|(contact, card)| address_book::agreed(&contact, card.as_deref()));
            // A card that is refused now leaves its contact as it was.
            query(
                "INSERT INTO address_book_items (url, href, etag, contact, agreed) VALUES (?, ?, ?, ?, ?)
                 ON CONFLICT (url, href) DO UPDATE SET etag = excluded.etag,
                 contact = coalesce(excluded.contact, contact), agreed = coalesce(excluded.agreed, agreed)",
            )
            .bind(key)
            .bind(&item.href)
            .bind(&item.etag)
            .bind(contact.map(|contact| contact.to_string()))
            .bind(agreed.map(|agreed| agreed.to_string()))
            .execute(change.on())
            .await?;
        }
        check_cards(&mut change).await?;
        if done.added + done.changed + removed + aside > 0 {
            change
                .event(EventKind::Contacts, Audience::Home, "all", now)
                .await?;
        }
        change.commit().await?;
        Ok((done, removed))
    }

    async fn book_members(&self, key: &str) -> Answer<Vec<BookMember>> {
        let rows = query("SELECT * FROM address_book_items WHERE url = ? ORDER BY href")
            .bind(key)
            .fetch_all(&self.read)
            .await?;
        let member = |row: &SqliteRow| {
            Ok(BookMember {
                href: row.try_get("href")?,
                etag: row.try_get("etag")?,
                agreed: agreed(row)?,
                contact: parsed_or_none(row, "contact")?,
            })
        };
        rows.iter().map(member).collect()
    }

    async fn contacts_in_books(&self) -> Answer<HashSet<ContactId>> {
        let rows = query("SELECT contact FROM address_book_items WHERE contact IS NOT NULL")
            .fetch_all(&self.read)
            .await?;
        rows.iter().map(|row| parsed(row, "contact")).collect()
    }

    async fn note_book_member(
        &self,
        key: &str,
        href: &str,
        etag: &str,
        contact: ContactId,
        card: Option<&ImportedCard>,
        agreed: &Fingerprint,
    ) -> Answer<()> {
        let mut change = self.change().await?;
        if whole(&mut change, contact).await?.is_none() {
            // Removed a moment ago: what is there is to be taken back with the next time.
            query(
                "INSERT INTO address_book_items (url, href, etag, contact, agreed) VALUES (?, ?, ?, NULL, ?)
                 ON CONFLICT (url, href) DO UPDATE SET etag = excluded.etag, agreed = excluded.agreed",
            )
            .bind(key)
            .bind(href)
            .bind(etag)
            .bind(agreed.to_string())
            .execute(change.on())
            .await?;
            return change.commit().await;
        }
        query(
            "INSERT INTO address_book_items (url, href, etag, contact, agreed) VALUES (?, ?, ?, ?, ?)
             ON CONFLICT (url, href) DO UPDATE SET etag = excluded.etag, contact = excluded.contact,
             agreed = excluded.agreed",
        )
        .bind(key)
        .bind(href)
        .bind(etag)
        .bind(contact.to_string())
        .bind(agreed.to_string())
        .execute(change.on())
        .await?;
        if let Some(card) = card {
            query(
                "INSERT INTO contact_cards (contact, key, card) VALUES (?, ?, ?)
                 ON CONFLICT (contact) DO UPDATE SET card = excluded.card",
            )
            .bind(contact.to_string())
            .bind(&card.key)
            .bind(&card.card)
            .execute(change.on())
            .await?;
            check_cards(&mut change).await?;
        }
        change.commit().await
    }

    async fn forget_book_member(&self, key: &str, href: &str) -> Answer<()> {
        let mut change = self.change().await?;
        query("DELETE FROM address_book_items WHERE url = ? AND href = ? AND contact IS NULL")
            .bind(key)
            .bind(href)
            .execute(change.on())
            .await?;
        change.commit().await
    }
}

/// What both sides had last.
fn agreed(row: &SqliteRow) -> Answer<Option<Fingerprint>> {
    parsed_or_none(row, "agreed")
}

/// The contact, if the home has changed it since both sides agreed.
async fn changed_since(
    change: &mut Change,
    contact: ContactId,
    agreed: Option<Fingerprint>,
) -> Answer<Option<(Contact, Option<String>)>> {
    let Some(agreed) = agreed else {
        return Ok(None);
    };
    let now = whole(change, contact).await?;
    Ok(now.filter(|(contact, card)| address_book::agreed(contact, card.as_deref()) != agreed))
}

/// What the home has made of a member that the server has changed as well; none: nothing, or the same.
async fn ours_beside(
    change: &mut Change,
    key: &str,
    href: &str,
    theirs: &ImportedCard,
) -> Answer<Option<ImportedCard>> {
    let row = query("SELECT contact, agreed FROM address_book_items WHERE url = ? AND href = ?")
        .bind(key)
        .bind(href)
        .fetch_optional(change.on())
        .await?;
    let Some(row) = row else {
        return Ok(None);
    };
    let Some(contact) = parsed_or_none(&row, "contact")? else {
        return Ok(None);
    };
    let ours = changed_since(change, contact, agreed(&row)?).await?;
    Ok(ours
        .filter(|(contact, _)| {
            let same = (&contact.fields.name, &contact.fields.numbers)
                == (&theirs.fields.name, &theirs.fields.numbers);
            !same
        })
        .and_then(|(contact, card)| address_book::set_aside(&contact, card.as_deref())))
}
