//! Small documents, in SQLite.

use async_trait::async_trait;
use sqlx_core::query::query;
use sqlx_core::row::Row as _;

use super::SqliteStore;
use crate::store::{Answer, Documents};

#[async_trait]
impl Documents for SqliteStore {
    async fn document(&self, name: &str) -> Answer<Option<String>> {
        let row = query("SELECT text FROM documents WHERE name = ?")
            .bind(name.to_owned())
            .fetch_optional(&self.read)
            .await?;
        row.map(|row| Ok(row.try_get("text")?)).transpose()
    }

    async fn set_document(&self, name: &str, text: &str) -> Answer<()> {
        let mut change = self.change().await?;
        query(
            "INSERT INTO documents (name, text) VALUES (?, ?)
             ON CONFLICT (name) DO UPDATE SET text = excluded.text",
        )
        .bind(name.to_owned())
        .bind(text.to_owned())
        .execute(change.on())
        .await?;
        change.commit().await
    }
}
