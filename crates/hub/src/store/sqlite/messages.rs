//! Messages in SQLite.

mod recipients;

use std::collections::BTreeSet;

use async_trait::async_trait;
use ring::digest::{Context, SHA256};
use sqlx_core::query::query;
use sqlx_core::row::Row as _;
use sqlx_sqlite::SqliteRow;

use super::{
    Change, SqliteStore, checked_or_none, found, number, parsed, read_as, time, time_or_none,
};
use crate::clock::UnixMs;
use crate::event::{Audience, EventKind, StreamId};
use crate::id::MessageId;
use crate::message::{
    Delivery, DeliveryState, Message, MessageBody, NewMessage, Recipients, SENT_BYTES_MAX,
    SENT_MAX, Stored, Voice, VoiceCodec,
};
use crate::number::Number;
use crate::outside_sender::OutsideSender;
use crate::person::Party;
use crate::store::{Answer, Messages, StoreError};
use crate::text::{Name, plain};
use recipients::{mailboxes, with_room};

fn state(row: &SqliteRow) -> Answer<DeliveryState> {
    DeliveryState::from_number(row.try_get("state")?).ok_or(StoreError::Unreadable("state"))
}

fn codec(row: &SqliteRow) -> Answer<Option<VoiceCodec>> {
    let codec: Option<&str> = row.try_get("codec")?;
    codec
        .map(|codec| VoiceCodec::parse(codec).ok_or(StoreError::Unreadable("codec")))
        .transpose()
}

fn outside(row: &SqliteRow) -> Answer<Option<OutsideSender>> {
    let name = checked_or_none(row, "outside_name")?;
    let number = checked_or_none(row, "outside_number")?;
    Ok((name.is_some() || number.is_some()).then_some(OutsideSender { name, number }))
}

fn message(row: &SqliteRow) -> Answer<Message> {
    let duration: Option<i64> = row.try_get("duration_ms")?;
    Ok(Message {
        id: parsed(row, "id")?,
        sequence: StreamId(row.try_get("sequence")?),
        from: read_as(row, "sender", Party::from_key)?,
        outside: outside(row)?,
        text: checked_or_none(row, "text")?,
        voice: codec(row)?,
        voice_duration_ms: duration
            .map(|ms| u32::try_from(ms).map_err(|_| StoreError::Unreadable("duration_ms")))
            .transpose()?,
        announcement: row.try_get("announcement")?,
        reminder_due_ms: time_or_none(row, "reminder_due")?,
        sent_at_ms: time(row, "sent_at")?,
        expires_at_ms: time(row, "expires_at")?,
        state: state(row)?,
    })
}

/// What makes two messages the same: what they say and to whom.
fn digest(message: &NewMessage) -> Vec<u8> {
    let mut context = Context::new(&SHA256);
    let mut part = |bytes: &[u8]| {
        context.update(&(bytes.len() as u64).to_be_bytes());
        context.update(bytes);
    };
    match &message.body {
        MessageBody::Text(text) => part(text.as_str().as_bytes()),
        MessageBody::Voice(voice) => {
            part(voice.codec.as_str().as_bytes());
            part(&voice.bytes);
        }
    }
    match &message.to {
        Recipients::Everyone => part(b"everyone"),
        Recipients::These(parties) => parties
            .iter()
            .for_each(|party| part(party.key().as_bytes())),
        Recipients::Speakers => part(b"speakers"),
        Recipients::Called(name) => {
            part(b"called");
            part(plain(name.as_str()).as_bytes());
        }
    }
    if message.announcement {
        part(b"announcement");
    }
    if let Some(due) = message.reminder_due {
        part(b"reminder");
        part(&due.0.to_be_bytes());
    }
    context.finish().as_ref().to_vec()
}

/// How many bytes the body takes in the database.
fn body_bytes(message: &NewMessage) -> i64 {
    let bytes = match &message.body {
        MessageBody::Text(text) => text.as_str().len(),
        MessageBody::Voice(voice) => voice.bytes.len(),
    };
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

/// What one sender may have in the database, read or not.
async fn check_sender(change: &mut Change, message: &NewMessage) -> Answer<()> {
    let row = query(
        "SELECT count(*) AS messages, coalesce(sum(body_bytes), 0) AS bytes FROM messages WHERE sender = ?",
    )
    .bind(message.from.key())
    .fetch_one(change.on())
    .await?;
    if row.try_get::<i64, _>("messages")? >= i64::from(SENT_MAX) {
        return Err(StoreError::Refused(
            "this sender has as many messages here as one may have; they make room as they expire",
        ));
    }
    let bytes: i64 = row.try_get("bytes")?;
    if bytes.saturating_add(body_bytes(message)) > SENT_BYTES_MAX {
        return Err(StoreError::Refused(
            "this sender's messages take as much space here as one may take; they make room as they expire",
        ));
    }
    Ok(())
}

impl SqliteStore {
    /// What a mailbox holds after `after` that came no further than `furthest`.
    async fn listed(
        &self,
        owner: Party,
        after: StreamId,
        limit: u32,
        furthest: DeliveryState,
        now: UnixMs,
    ) -> Answer<Vec<Message>> {
        // The voice itself is not read here: a list of a hundred would be a hundred megabytes.
        let rows = query(
            "SELECT messages.id, deliveries.sequence, sender, outside_name, outside_number, text, codec,
                    duration_ms, announcement, reminder_due, sent_at, expires_at, deliveries.state
             FROM deliveries JOIN messages ON messages.id = deliveries.message
             WHERE mailbox = ? AND deliveries.sequence > ? AND deliveries.state <= ? AND expires_at > ?
             ORDER BY deliveries.sequence LIMIT ?",
        )
        .bind(owner.key())
        .bind(after.0)
        .bind(furthest.as_number())
        .bind(now.0)
        .bind(i64::from(limit))
        .fetch_all(&self.read)
        .await?;
        rows.iter().map(message).collect()
    }
}

#[async_trait]
impl Messages for SqliteStore {
    async fn send_message(&self, message: &NewMessage, now: UnixMs) -> Answer<Stored> {
        let digest = digest(message);
        let mut change = self.change().await?;
        let before = query(
            "SELECT id, sequence, body_sha256 FROM messages WHERE sender = ? AND client_id = ?",
        )
        .bind(message.from.key())
        .bind(message.client_id.as_str())
        .fetch_optional(change.on())
        .await?;
        if let Some(before) = before {
            if before.try_get::<Vec<u8>, _>("body_sha256")? != digest {
                return Err(StoreError::Taken {
                    what: "message",
                    field: "client_id",
                });
            }
            return Ok(Stored {
                id: parsed(&before, "id")?,
                sequence: StreamId(before.try_get("sequence")?),
                repeated: true,
            });
        }
        let mailboxes = mailboxes(&mut change, message).await?;
        check_sender(&mut change, message).await?;
        let mailboxes = with_room(&mut change, message, mailboxes, now).await?;
        let id = MessageId::random()?;
        let mut sequence = None;
        for mailbox in &mailboxes {
            let owner = Party::from_key(mailbox).ok_or(StoreError::Unreadable("mailbox"))?;
            let place = change
                .event(EventKind::MessageQueued, Audience::Mailbox(owner), id, now)
                .await?;
            sequence.get_or_insert(place);
        }
        let sequence = sequence.ok_or(StoreError::NotFound("recipient"))?;
        let outside = message.outside.as_ref();
        let (text, voice) = match &message.body {
            MessageBody::Text(text) => (Some(text.as_str()), None),
            MessageBody::Voice(voice) => (None, Some(voice)),
        };
        query(
            "INSERT INTO messages (id, sequence, sender, client_id, body_sha256, text, voice, codec,
                                   duration_ms, announcement, body_bytes, sent_at, expires_at, outside_name,
                                   outside_number, reminder_due)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(id.to_string())
        .bind(sequence.0)
        .bind(message.from.key())
        .bind(message.client_id.as_str())
        .bind(digest)
        .bind(text)
        .bind(voice.map(|voice| voice.bytes.as_slice()))
        .bind(voice.map(|voice| voice.codec.as_str()))
        .bind(voice.map(|voice| i64::from(voice.duration_ms)))
        .bind(message.announcement)
        .bind(body_bytes(message))
        .bind(now.0)
        .bind(message.expires_at.0)
        .bind(outside.and_then(|from| from.name.as_ref()).map(Name::as_str))
        .bind(outside.and_then(|from| from.number.as_ref()).map(Number::as_str))
        .bind(message.reminder_due.map(|at| at.0))
        .execute(change.on())
        .await?;
        for mailbox in &mailboxes {
            query(
                "INSERT INTO deliveries (mailbox, sequence, message, state, since)
                 VALUES (?, ?, ?, 0, ?)",
            )
            .bind(mailbox)
            .bind(sequence.0)
            .bind(id.to_string())
            .bind(now.0)
            .execute(change.on())
            .await?;
        }
        change.commit().await?;
        Ok(Stored {
            id,
            sequence,
            repeated: false,
        })
    }

    async fn mailbox(
        &self,
        owner: Party,
        after: StreamId,
        limit: u32,
        waiting: bool,
        now: UnixMs,
    ) -> Answer<Vec<Message>> {
        let furthest = if waiting {
            DeliveryState::Queued
        } else {
            DeliveryState::Read
        };
        self.listed(owner, after, limit, furthest, now).await
    }

    async fn unread(
        &self,
        owner: Party,
        after: StreamId,
        limit: u32,
        now: UnixMs,
    ) -> Answer<Vec<Message>> {
        self.listed(owner, after, limit, DeliveryState::Delivered, now)
            .await
    }

    async fn waiting(&self, owner: Party, now: UnixMs) -> Answer<u32> {
        let row = query(
            "SELECT count(*) AS waiting FROM deliveries JOIN messages ON messages.id = deliveries.message
             WHERE mailbox = ? AND state = 0 AND expires_at > ?",
        )
        .bind(owner.key())
        .bind(now.0)
        .fetch_one(&self.read)
        .await?;
        number(&row, "waiting")
    }

    async fn acknowledge(
        &self,
        owner: Party,
        messages: &[MessageId],
        state: DeliveryState,
        now: UnixMs,
    ) -> Answer<u32> {
        let mut change = self.change().await?;
        let mut moved = 0;
        for id in messages {
            let done = query(
                "UPDATE deliveries SET state = ?, since = ? WHERE message = ? AND mailbox = ? AND state < ?",
            )
            .bind(state.as_number())
            .bind(now.0)
            .bind(id.to_string())
            .bind(owner.key())
            .bind(state.as_number())
            .execute(change.on())
            .await?;
            if done.rows_affected() == 0 {
                continue;
            }
            moved += 1;
            let row = query("SELECT sender FROM messages WHERE id = ?")
                .bind(id.to_string())
                .fetch_one(change.on())
                .await?;
            let sender = read_as(&row, "sender", Party::from_key)?;
            // The sender sees the receipt, the reader's other devices put out their light.
            for party in BTreeSet::from([sender.key(), owner.key()]) {
                let party = Party::from_key(&party).ok_or(StoreError::Unreadable("mailbox"))?;
                change
                    .event(EventKind::MessageState, Audience::Mailbox(party), id, now)
                    .await?;
            }
        }
        change.commit().await?;
        Ok(moved)
    }

    async fn delete_message(&self, owner: Party, id: MessageId, now: UnixMs) -> Answer<()> {
        let mut change = self.change().await?;
        let gone = query("DELETE FROM deliveries WHERE message = ? AND mailbox = ?")
            .bind(id.to_string())
            .bind(owner.key())
            .execute(change.on())
            .await?;
        found(gone.rows_affected(), "message")?;
        // What nobody keeps any more ends now: the next sweep drops its body.
        query(
            "UPDATE messages SET expires_at = min(expires_at, ?)
             WHERE id = ? AND NOT EXISTS (SELECT 1 FROM deliveries WHERE message = messages.id)",
        )
        .bind(now.0)
        .bind(id.to_string())
        .execute(change.on())
        .await?;
        change
            .event(EventKind::MessageState, Audience::Mailbox(owner), id, now)
            .await?;
        change.commit().await
    }

    async fn deliveries(&self, id: MessageId) -> Answer<(Party, Vec<Delivery>)> {
        let mut snapshot = self.read.begin().await?;
        // One whose body was swept is only remembered.
        let row = query("SELECT sender FROM messages WHERE id = ? AND body_bytes > 0")
            .bind(id.to_string())
            .fetch_optional(&mut *snapshot)
            .await?;
        let row = row.ok_or(StoreError::NotFound("message"))?;
        let sender = read_as(&row, "sender", Party::from_key)?;
        let rows = query(
            "SELECT mailbox, state, since FROM deliveries WHERE message = ? ORDER BY mailbox",
        )
        .bind(id.to_string())
        .fetch_all(&mut *snapshot)
        .await?;
        let deliveries = rows.iter().map(|row| {
            Ok(Delivery {
                to: read_as(row, "mailbox", Party::from_key)?,
                state: state(row)?,
                since_ms: time(row, "since")?,
            })
        });
        Ok((sender, deliveries.collect::<Answer<_>>()?))
    }

    async fn voice(&self, id: MessageId, reader: &[Party]) -> Answer<Voice> {
        let (sender, deliveries) = self.deliveries(id).await?;
        let may = |party: &Party| {
            *party == sender || deliveries.iter().any(|delivery| delivery.to == *party)
        };
        if !reader.iter().any(may) {
            return Err(StoreError::NotFound("message"));
        }
        let row = query(
            "SELECT voice, codec, duration_ms FROM messages WHERE id = ? AND voice IS NOT NULL",
        )
        .bind(id.to_string())
        .fetch_optional(&self.read)
        .await?;
        let row = row.ok_or(StoreError::NotFound("voice in this message"))?;
        Ok(Voice {
            codec: codec(&row)?.ok_or(StoreError::Unreadable("codec"))?,
            duration_ms: number(&row, "duration_ms")?,
            bytes: row.try_get("voice")?,
        })
    }
}
