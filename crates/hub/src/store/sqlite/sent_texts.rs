//! Texts that were handed in to be sent, in SQLite.

use async_trait::async_trait;
use sqlx_core::query::query;

use super::{SqliteStore, parsed, read_as};
use crate::clock::UnixMs;
use crate::device::Fingerprint;
use crate::message::{ClientId, SENT_MAX, SentText};
use crate::person::Party;
use crate::store::{Answer, SentTexts};

#[async_trait]
impl SentTexts for SqliteStore {
    async fn begin_text(
        &self,
        from: Party,
        client_id: &ClientId,
        digest: &Fingerprint,
        now: UnixMs,
    ) -> Answer<Option<(Fingerprint, SentText)>> {
        let (sender, client_id) = (from.key(), client_id.as_str().to_owned());
        let mut change = self.change().await?;
        let before =
            query("SELECT digest, state FROM sent_texts WHERE sender = ? AND client_id = ?")
                .bind(sender.clone())
                .bind(client_id.clone())
                .fetch_optional(change.on())
                .await?;
        if let Some(row) = before {
            let state = read_as(&row, "state", SentText::parse)?;
            return Ok(Some((parsed(&row, "digest")?, state)));
        }
        query(
            "INSERT INTO sent_texts (sender, client_id, digest, state, at) VALUES (?, ?, ?, ?, ?)",
        )
        .bind(sender.clone())
        .bind(client_id)
        .bind(digest.to_string())
        .bind(SentText::Sending.as_str())
        .bind(now.0)
        .execute(change.on())
        .await?;
        // The oldest make room.
        query(
            "DELETE FROM sent_texts WHERE sender = ?1 AND at <=
                 (SELECT at FROM sent_texts WHERE sender = ?1 ORDER BY at DESC LIMIT 1 OFFSET ?2)",
        )
        .bind(sender)
        .bind(i64::from(SENT_MAX))
        .execute(change.on())
        .await?;
        change.commit().await?;
        Ok(None)
    }

    async fn end_text(
        &self,
        from: Party,
        client_id: &ClientId,
        state: Option<SentText>,
    ) -> Answer<()> {
        let text = match state {
            Some(_) => "UPDATE sent_texts SET state = ?3 WHERE sender = ?1 AND client_id = ?2",
            None => "DELETE FROM sent_texts WHERE sender = ?1 AND client_id = ?2",
        };
        let mut change = self.change().await?;
        let mut ended = query(text)
            .bind(from.key())
            .bind(client_id.as_str().to_owned());
        if let Some(state) = state {
            ended = ended.bind(state.as_str());
        }
        ended.execute(change.on()).await?;
        change.commit().await
    }
}
