//! SIP registrations in SQLite.

use async_trait::async_trait;
use serde_json::{Value, json};
use sqlx_core::query::query;
use sqlx_core::row::Row as _;
use sqlx_sqlite::SqliteRow;

use super::{SqliteStore, number, parsed_or_none, time};
use crate::binding::Binding;
use crate::clock::UnixMs;
use crate::store::{Answer, Bindings, StoreError};

/// Most registrations of one address of record.
const BINDINGS_MAX: u32 = 64;

/// Neither Path nor a URI holds a line feed, so one column holds the list.
const BETWEEN: &str = "\n";

fn binding(row: &SqliteRow) -> Answer<Binding> {
    let path: &str = row.try_get("path")?;
    let flow: i64 = row.try_get("flow_id")?;
    Ok(Binding {
        aor: row.try_get("aor")?,
        instance_id: row.try_get("instance_id")?,
        reg_id: number(row, "reg_id")?,
        device: parsed_or_none(row, "device")?,
        contact: row.try_get("contact")?,
        path: path
            .split(BETWEEN)
            .filter(|hop| !hop.is_empty())
            .map(str::to_owned)
            .collect(),
        node_id: row.try_get("node_id")?,
        flow_id: flow.cast_unsigned(),
        call_id: row.try_get("call_id")?,
        cseq: number(row, "cseq")?,
        expires_at: time(row, "expires_at")?,
    })
}

/// A row in JSON, so that any number of rows is one statement.
fn to_json(binding: &Binding) -> Value {
    json!({
        "aor": binding.aor,
        "instance_id": binding.instance_id,
        "reg_id": binding.reg_id,
        "device": binding.device.map(|id| id.to_string()),
        "contact": binding.contact,
        "path": binding.path.join(BETWEEN),
        "node_id": binding.node_id,
        "flow_id": binding.flow_id.cast_signed(),
        "call_id": binding.call_id,
        "cseq": binding.cseq,
        "expires_at": binding.expires_at.0,
    })
}

#[async_trait]
impl Bindings for SqliteStore {
    async fn put_binding(&self, binding: &Binding, now: UnixMs) -> Answer<bool> {
        if binding.path.iter().any(|hop| hop.contains(BETWEEN)) {
            return Err(StoreError::Refused("a Path has a line feed"));
        }
        // One statement, and so one transaction: a phone waits for it before it is answered.
        let done = query(
            "INSERT INTO bindings (aor, instance_id, reg_id, device, contact, path, node_id, flow_id,
                                   call_id, cseq, expires_at)
             SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11
             WHERE (SELECT count(*) FROM bindings WHERE aor = ?1 AND expires_at > ?12
                    AND NOT (instance_id = ?2 AND reg_id = ?3)) < ?13
             ON CONFLICT (aor, instance_id, reg_id) DO UPDATE SET
                 device = excluded.device, contact = excluded.contact, path = excluded.path,
                 node_id = excluded.node_id, flow_id = excluded.flow_id, call_id = excluded.call_id,
                 cseq = excluded.cseq, expires_at = excluded.expires_at
             WHERE bindings.call_id <> excluded.call_id OR bindings.cseq < excluded.cseq",
        )
        .bind(&binding.aor)
        .bind(&binding.instance_id)
        .bind(i64::from(binding.reg_id))
        .bind(binding.device.map(|id| id.to_string()))
        .bind(&binding.contact)
        .bind(binding.path.join(BETWEEN))
        .bind(&binding.node_id)
        .bind(binding.flow_id.cast_signed())
        .bind(&binding.call_id)
        .bind(i64::from(binding.cseq))
        .bind(binding.expires_at.0)
        .bind(now.0)
        .bind(i64::from(BINDINGS_MAX))
        .execute(&self.write)
        .await?;
        if done.rows_affected() > 0 {
            return Ok(true);
        }
        // An older request than the one that is stored; or there is no room.
        let others = self.bindings(&binding.aor, now).await?;
        let own = |other: &Binding| {
            other.instance_id == binding.instance_id && other.reg_id == binding.reg_id
        };
        let room = usize::try_from(BINDINGS_MAX).unwrap_or(usize::MAX);
        if others.iter().filter(|other| !own(other)).count() >= room {
            return Err(StoreError::Limit {
                what: "registrations of one address",
                max: BINDINGS_MAX,
            });
        }
        Ok(false)
    }

    async fn put_bindings(&self, bindings: &[Binding], now: UnixMs) -> Answer<usize> {
        let paths = bindings.iter().flat_map(|binding| &binding.path);
        if paths.into_iter().any(|hop| hop.contains(BETWEEN)) {
            return Ok(0);
        }
        let rows = Value::Array(bindings.iter().map(to_json).collect()).to_string();
        let done = query(
            "INSERT INTO bindings (aor, instance_id, reg_id, device, contact, path, node_id, flow_id,
                                   call_id, cseq, expires_at)
             SELECT value ->> 'aor', value ->> 'instance_id', value ->> 'reg_id', value ->> 'device',
                    value ->> 'contact', value ->> 'path', value ->> 'node_id', value ->> 'flow_id',
                    value ->> 'call_id', value ->> 'cseq', value ->> 'expires_at'
             FROM json_each(?1) AS fresh
             WHERE (SELECT count(*) FROM bindings WHERE aor = fresh.value ->> 'aor' AND expires_at > ?2
                    AND NOT (instance_id = fresh.value ->> 'instance_id'
                             AND reg_id = fresh.value ->> 'reg_id')) < ?3
             ON CONFLICT (aor, instance_id, reg_id) DO UPDATE SET
                 device = excluded.device, contact = excluded.contact, path = excluded.path,
                 node_id = excluded.node_id, flow_id = excluded.flow_id, call_id = excluded.call_id,
                 cseq = excluded.cseq, expires_at = excluded.expires_at
             WHERE bindings.call_id <> excluded.call_id OR bindings.cseq < excluded.cseq",
        )
        .bind(rows)
        .bind(now.0)
        .bind(i64::from(BINDINGS_MAX))
        .execute(&self.write)
        .await?;
        Ok(usize::try_from(done.rows_affected()).unwrap_or(usize::MAX))
    }

    async fn bindings(&self, aor: &str, now: UnixMs) -> Answer<Vec<Binding>> {
        let rows = query(
            "SELECT * FROM bindings WHERE aor = ? AND expires_at > ? ORDER BY instance_id, reg_id",
        )
        .bind(aor)
        .bind(now.0)
        .fetch_all(&self.read)
        .await?;
        rows.iter().map(binding).collect()
    }

    async fn all_bindings(&self, now: UnixMs) -> Answer<Vec<Binding>> {
        let rows = query(
            "SELECT bindings.* FROM bindings LEFT JOIN devices ON devices.id = bindings.device
             WHERE expires_at > ? AND devices.revoked_at IS NULL
             ORDER BY aor, instance_id, reg_id",
        )
        .bind(now.0)
        .fetch_all(&self.read)
        .await?;
        rows.iter().map(binding).collect()
    }

    async fn remove_binding(&self, aor: &str, instance_id: &str, reg_id: u32) -> Answer<()> {
        let mut change = self.change().await?;
        query("DELETE FROM bindings WHERE aor = ? AND instance_id = ? AND reg_id = ?")
            .bind(aor)
            .bind(instance_id)
            .bind(i64::from(reg_id))
            .execute(change.on())
            .await?;
        change.commit().await
    }

    async fn remove_flow(&self, node_id: &str, flow_id: u64) -> Answer<()> {
        let mut change = self.change().await?;
        query("DELETE FROM bindings WHERE node_id = ? AND flow_id = ?")
            .bind(node_id)
            .bind(flow_id.cast_signed())
            .execute(change.on())
            .await?;
        change.commit().await
    }
}
