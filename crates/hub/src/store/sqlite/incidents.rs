//! Reported incidents in SQLite: rows are added, never changed (a trigger refuses).

use async_trait::async_trait;
use sqlx_core::query::query;
use sqlx_core::row::Row as _;
use sqlx_sqlite::SqliteRow;

use super::{SqliteStore, number, parsed, parsed_or_none, read_as, time};
use crate::clock::UnixMs;
use crate::event::{Audience, EventKind};
use crate::id::IncidentId;
use crate::incident::{Incident, IncidentOutcome, IncidentReport, IncidentSource};
use crate::store::{Answer, Incidents, StoreError};

fn incident(row: &SqliteRow) -> Answer<Incident> {
    Ok(Incident {
        id: parsed(row, "id")?,
        device: parsed_or_none(row, "device")?,
        claimed_device: parsed_or_none(row, "claimed_device")?,
        call: parsed_or_none(row, "call")?,
        report: IncidentReport {
            number: number(row, "number")?,
            opened_at_ms: time(row, "opened_at")?,
            drill: row.try_get("drill")?,
            outcome: read_as(row, "outcome", IncidentOutcome::parse)?,
            entries: number(row, "entries")?,
            bundle_sha256: parsed(row, "bundle_sha256")?,
        },
        received_at_ms: time(row, "received_at")?,
    })
}

#[async_trait]
impl Incidents for SqliteStore {
    async fn report_incident(
        &self,
        source: IncidentSource,
        report: &IncidentReport,
        now: UnixMs,
    ) -> Answer<IncidentId> {
        let (device, claimed, call) = match source {
            IncidentSource::Device(device) => (Some(device), None, None),
            IncidentSource::Telephone {
                call,
                device,
                claimed,
            } => (device, claimed, Some(call)),
        };
        let [device, claimed] = [device, claimed].map(|id| id.map(|id| id.to_string()));
        let call = call.map(|id| id.to_string());
        let mut change = self.change().await?;
        let before = match &call {
            Some(call) => query("SELECT * FROM incidents WHERE call = ? AND entries = ?").bind(call),
            None => query(
                "SELECT * FROM incidents WHERE call IS NULL AND device = ? AND number = ? AND entries = ?",
            )
            .bind(&device)
            .bind(i64::from(report.number)),
        };
        let before = before
            .bind(i64::from(report.entries))
            .fetch_optional(change.on())
            .await?;
        if let Some(before) = before {
            let before = incident(&before)?;
            return if before.report == *report {
                Ok(before.id)
            } else {
                Err(StoreError::Refused(
                    "this incident was reported differently before; evidence is only ever added to",
                ))
            };
        }
        let id = IncidentId::random()?;
        query(
            "INSERT INTO incidents (id, device, claimed_device, call, number, opened_at, drill, outcome, entries,
                                    bundle_sha256, received_at)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(id.to_string())
        .bind(&device)
        .bind(claimed)
        .bind(&call)
        .bind(i64::from(report.number))
        .bind(report.opened_at_ms.0)
        .bind(report.drill)
        .bind(report.outcome.as_str())
        .bind(i64::from(report.entries))
        .bind(report.bundle_sha256.to_string())
        .bind(now.0)
        .execute(change.on())
        .await?;
        change
            .event(EventKind::Incidents, Audience::Adults, id, now)
            .await?;
        change.commit().await?;
        Ok(id)
    }

    async fn incidents(&self, limit: u32) -> Answer<Vec<Incident>> {
        let rows =
            query("SELECT * FROM incidents ORDER BY received_at DESC, entries DESC, id LIMIT ?")
                .bind(i64::from(limit))
                .fetch_all(&self.read)
                .await?;
        rows.iter().map(incident).collect()
    }
}
