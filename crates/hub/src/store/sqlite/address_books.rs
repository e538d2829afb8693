//! Address books of servers, in SQLite.

use async_trait::async_trait;
use sqlx_core::query::query;
use sqlx_core::row::Row as _;

use super::contacts::{check_cards, put_card};
use super::{SqliteStore, parsed_or_none};
use crate::address_book::Imported;
use crate::carddav::{BookChange, BookState};
use crate::clock::UnixMs;
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
        let (mut done, mut removed) = (Imported::default(), 0);
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
                "DELETE FROM address_book_items WHERE url = ? AND href = ? RETURNING contact",
            )
            .bind(key)
            .bind(href)
            .fetch_optional(change.on())
            .await?;
            let contact: Option<ContactId> = match &row {
                Some(row) => parsed_or_none(row, "contact")?,
                None => None,
            };
            if let Some(contact) = contact {
                let gone = query("DELETE FROM contacts WHERE id = ?")
                    .bind(contact.to_string())
                    .execute(change.on())
                    .await?;
                removed += u32::try_from(gone.rows_affected()).unwrap_or(0);
            }
        }
        for item in &book.items {
            let contact = match &item.card {
                Some(card) => Some(put_card(&mut change, card, &mut done).await?.to_string()),
                None => None,
            };
            // A card that is refused now leaves its contact as it was.
            query(
                "INSERT INTO address_book_items (url, href, etag, contact) VALUES (?, ?, ?, ?)
                 ON CONFLICT (url, href) DO UPDATE SET etag = excluded.etag,
                 contact = coalesce(excluded.contact, contact)",
            )
            .bind(key)
            .bind(&item.href)
            .bind(&item.etag)
            .bind(contact)
            .execute(change.on())
            .await?;
        }
        check_cards(&mut change).await?;
        if done.added + done.changed + removed > 0 {
            change
                .event(EventKind::Contacts, Audience::Home, "all", now)
                .await?;
        }
        change.commit().await?;
        Ok((done, removed))
    }
}
