//! Accounts of SIP phones and the secrets of the SIP server, in SQLite.

use async_trait::async_trait;
use sqlx_core::query::query;
use sqlx_core::row::Row as _;

use super::{SqliteStore, devices, parsed, taken};
use crate::clock::UnixMs;
use crate::device::{Device, DeviceKind};
use crate::event::{Audience, EventKind};
use crate::sip::account::{NewSipAccount, StoredSipAccount};
use crate::store::{Answer, SipAccounts, StoreError};

#[async_trait]
impl SipAccounts for SqliteStore {
    async fn add_sip_account(&self, new: &NewSipAccount, now: UnixMs) -> Answer<Device> {
        let mut change = self.change().await?;
        query(
            "INSERT INTO devices (id, kind, name, room, person, key_fingerprint, created_at)
             VALUES (?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(new.device.to_string())
        .bind(DeviceKind::SipPhone.as_str())
        .bind(new.fields.name.as_str())
        .bind(new.fields.room.map(|id| id.to_string()))
        .bind(new.fields.person.map(|id| id.to_string()))
        .bind(new.placeholder_key().to_string())
        .bind(now.0)
        .execute(change.on())
        .await?;
        query(
            "INSERT INTO sip_accounts (username, device, ha1_sha256, ha1_md5, created_at)
             VALUES (?, ?, ?, ?, ?)",
        )
        .bind(&new.username)
        .bind(new.device.to_string())
        .bind(&new.ha1_sha256)
        .bind(new.ha1_md5.as_deref())
        .bind(now.0)
        .execute(change.on())
        .await
        .map_err(taken("SIP account", "user name"))?;
        let device = devices::in_change(&mut change, new.device).await?;
        change
            .event(EventKind::Devices, Audience::Home, new.device, now)
            .await?;
        change.commit().await?;
        Ok(device)
    }

    async fn sip_accounts(&self) -> Answer<Vec<StoredSipAccount>> {
        let rows = query(
            "SELECT sip_accounts.* FROM sip_accounts
             JOIN devices ON devices.id = sip_accounts.device
             WHERE devices.revoked_at IS NULL ORDER BY username",
        )
        .fetch_all(&self.read)
        .await?;
        let account = |row| {
            Ok(StoredSipAccount {
                device: parsed(row, "device")?,
                username: row.try_get("username")?,
                ha1_sha256: row.try_get("ha1_sha256")?,
                ha1_md5: row.try_get("ha1_md5")?,
            })
        };
        rows.iter().map(account).collect()
    }

    async fn sip_secrets(&self, fresh: [[u8; 32]; 2]) -> Answer<[[u8; 32]; 2]> {
        let mut change = self.change().await?;
        query("INSERT INTO sip_secrets (one, flow_secret, gruu_secret) VALUES (1, ?, ?) ON CONFLICT DO NOTHING")
            .bind(fresh[0].to_vec())
            .bind(fresh[1].to_vec())
            .execute(change.on())
            .await?;
        let row = query("SELECT flow_secret, gruu_secret FROM sip_secrets")
            .fetch_one(change.on())
            .await?;
        change.commit().await?;
        let secret = |column: &'static str| {
            let bytes: &[u8] = row.try_get(column)?;
            <[u8; 32]>::try_from(bytes).map_err(|_| StoreError::Unreadable(column))
        };
        Ok([secret("flow_secret")?, secret("gruu_secret")?])
    }
}
