//! Reported incidents in SQLite: rows are added, never changed (a trigger refuses).

use async_trait::async_trait;
use sqlx_core::query::query;
use sqlx_core::row::Row as _;
use sqlx_core::sql_str::AssertSqlSafe;
use sqlx_sqlite::SqliteRow;

use super::{Change, SqliteStore, number, parsed, parsed_or_none, read_as, time, time_or_none};
use crate::bundle::{BundleVerdict, KeptBundle};
use crate::clock::UnixMs;
use crate::device::Fingerprint;
use crate::event::{Audience, EventKind};
use crate::id::{DeviceId, IncidentId};
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
        bundle: bundle(row)?,
    })
}

fn bundle(row: &SqliteRow) -> Answer<Option<KeptBundle>> {
    let Some(received_at_ms) = time_or_none(row, "bundle_received_at")? else {
        return Ok(None);
    };
    Ok(Some(KeptBundle {
        bytes: number(row, "bundle_bytes")?,
        verdict: read_as(row, "verdict", BundleVerdict::parse)?,
        received_at_ms,
    }))
}

/// Reports with their bundles.
const SELECT: &str =
    "SELECT i.*, b.bytes AS bundle_bytes, b.verdict, b.received_at AS bundle_received_at
     FROM incidents i LEFT JOIN incident_bundles b ON b.incident = i.id";

/// Adds the report, or finds the same one; whether it is a new one.
async fn add(
    change: &mut Change,
    source: IncidentSource,
    report: &IncidentReport,
    now: UnixMs,
) -> Answer<(IncidentId, bool)> {
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
    let before = match &call {
        Some(call) => query(AssertSqlSafe(format!(
            "{SELECT} WHERE i.call = ? AND i.entries = ?"
        )))
        .bind(call),
        None => query(AssertSqlSafe(format!(
            "{SELECT} WHERE i.call IS NULL AND i.device = ? AND i.number = ? AND i.entries = ?"
        )))
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
            Ok((before.id, false))
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
    Ok((id, true))
}

#[async_trait]
impl Incidents for SqliteStore {
    async fn report_incident(
        &self,
        source: IncidentSource,
        report: &IncidentReport,
        now: UnixMs,
    ) -> Answer<IncidentId> {
        let mut change = self.change().await?;
        let (id, fresh) = add(&mut change, source, report, now).await?;
        if !fresh {
            return Ok(id);
        }
        change
            .event(EventKind::Incidents, Audience::Adults, id, now)
            .await?;
        change.commit().await?;
        Ok(id)
    }

    async fn incidents(&self, limit: u32) -> Answer<Vec<Incident>> {
        let newest = format!("{SELECT} ORDER BY i.received_at DESC, i.entries DESC, i.id LIMIT ?");
        let rows = query(AssertSqlSafe(newest))
            .bind(i64::from(limit))
            .fetch_all(&self.read)
            .await?;
        rows.iter().map(incident).collect()
    }

    async fn incident(&self, id: IncidentId) -> Answer<Incident> {
        let row = query(AssertSqlSafe(format!("{SELECT} WHERE i.id = ?")))
            .bind(id.to_string())
            .fetch_optional(&self.read)
            .await?;
        incident(&row.ok_or(StoreError::NotFound("incident"))?)
    }

    async fn keep_bundle(
        &self,
        source: IncidentSource,
        report: &IncidentReport,
        kept: KeptBundle,
        now: UnixMs,
    ) -> Answer<IncidentId> {
        let mut change = self.change().await?;
        let (id, _) = add(&mut change, source, report, now).await?;
        query(
            "INSERT INTO incident_bundles (incident, sha256, bytes, verdict, received_at)
             VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        )
        .bind(id.to_string())
        .bind(report.bundle_sha256.to_string())
        .bind(i64::try_from(kept.bytes).unwrap_or(i64::MAX))
        .bind(kept.verdict.as_str())
        .bind(kept.received_at_ms.0)
        .execute(change.on())
        .await?;
        change
            .event(EventKind::Incidents, Audience::Adults, id, now)
            .await?;
        change.commit().await?;
        Ok(id)
    }

    async fn incident_of_bundle(
        &self,
        device: DeviceId,
        sha256: &Fingerprint,
    ) -> Answer<Option<IncidentId>> {
        let row = query(
            "SELECT i.id FROM incidents i JOIN incident_bundles b ON b.incident = i.id
             WHERE i.device = ? AND b.sha256 = ?",
        )
        .bind(device.to_string())
        .bind(sha256.to_string())
        .fetch_optional(&self.read)
        .await?;
        row.map(|row| parsed(&row, "id")).transpose()
    }

    async fn bundle_bytes(&self) -> Answer<u64> {
        let row = query("SELECT coalesce(sum(bytes), 0) AS bytes FROM incident_bundles")
            .fetch_one(&self.read)
            .await?;
        number(&row, "bytes")
    }
}
