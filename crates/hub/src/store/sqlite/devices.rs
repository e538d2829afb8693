//! Devices and certificates in SQLite.

use async_trait::async_trait;
use sqlx_core::query::query;
use sqlx_core::row::Row as _;
use sqlx_sqlite::SqliteRow;

use super::{
    Change, SqliteStore, checked, found, parsed, parsed_or_none, read_as, time, time_or_none,
};
use crate::clock::UnixMs;
use crate::device::{Device, DeviceFields, DeviceKind, Fingerprint, IssuedCertificate};
use crate::event::{Audience, EventKind};
use crate::id::{DeviceId, TokenId};
use crate::store::{Answer, Devices, StoreError};

/// What [`device()`] reads, of the devices that `$which` chooses.
macro_rules! select_devices {
    ($which:literal) => {
        concat!(
            "SELECT devices.*, sip_accounts.username FROM devices
             LEFT JOIN sip_accounts ON sip_accounts.device = devices.id ",
            $which
        )
    };
}

fn device(row: &SqliteRow) -> Answer<Device> {
    Ok(Device {
        id: parsed(row, "id")?,
        kind: read_as(row, "kind", DeviceKind::parse)?,
        fields: DeviceFields {
            name: checked(row, "name")?,
            room: parsed_or_none(row, "room")?,
            person: parsed_or_none(row, "person")?,
        },
        username: row.try_get("username")?,
        key_fingerprint: parsed(row, "key_fingerprint")?,
        created_at_ms: time(row, "created_at")?,
        revoked_at_ms: time_or_none(row, "revoked_at")?,
    })
}

const ONE: &str = select_devices!("WHERE devices.id = ?");

/// One, as it stands within a change.
pub(super) async fn in_change(change: &mut Change, id: DeviceId) -> Answer<Device> {
    let row = query(ONE)
        .bind(id.to_string())
        .fetch_optional(change.on())
        .await?;
    device(&row.ok_or(StoreError::NotFound("device"))?)
}

/// Adds the certificate's row.
pub(super) async fn insert_certificate(
    change: &mut Change,
    id: DeviceId,
    certificate: &IssuedCertificate,
) -> Answer<()> {
    query("INSERT INTO certificates (fingerprint, device, not_after) VALUES (?, ?, ?)")
        .bind(certificate.fingerprint.to_string())
        .bind(id.to_string())
        .bind(certificate.not_after.0)
        .execute(change.on())
        .await?;
    Ok(())
}

/// Ends a device's rights, its registrations and the sessions that were opened on it, each with its event.
pub(super) async fn revoke(change: &mut Change, id: DeviceId, now: UnixMs) -> Answer<()> {
    query("UPDATE devices SET revoked_at = ? WHERE id = ?")
        .bind(now.0)
        .bind(id.to_string())
        .execute(change.on())
        .await?;
    query("DELETE FROM bindings WHERE device = ?")
        .bind(id.to_string())
        .execute(change.on())
        .await?;
    let sessions = query("DELETE FROM sessions WHERE device = ? RETURNING id, person")
        .bind(id.to_string())
        .fetch_all(change.on())
        .await?;
    for row in sessions {
        let session: TokenId = parsed(&row, "id")?;
        let audience = Audience::person(parsed(&row, "person")?);
        change
            .event(EventKind::SessionEnded, audience, session, now)
            .await?;
    }
    change
        .event(EventKind::DeviceRevoked, Audience::Home, id, now)
        .await?;
    Ok(())
}

#[async_trait]
impl Devices for SqliteStore {
    async fn devices(&self) -> Answer<Vec<Device>> {
        let rows = query(select_devices!("ORDER BY name, id"))
            .fetch_all(&self.read)
            .await?;
        rows.iter().map(device).collect()
    }

    async fn device(&self, id: DeviceId) -> Answer<Device> {
        let before = self.standing.before();
        let row = query(ONE)
            .bind(id.to_string())
            .fetch_optional(&self.read)
            .await?;
        let device = device(&row.ok_or(StoreError::NotFound("device"))?)?;
        if device.revoked_at_ms.is_none() {
            self.standing.device(before, id);
        }
        Ok(device)
    }

    fn is_known_to_stand(
        &self,
        device: DeviceId,
        certificate: Option<&Fingerprint>,
        now: UnixMs,
    ) -> bool {
        self.standing.holds(device, certificate, now)
    }

    async fn device_by_certificate(
        &self,
        fingerprint: &Fingerprint,
    ) -> Answer<Option<(Device, IssuedCertificate)>> {
        let before = self.standing.before();
        let row = query(
            "SELECT devices.*, sip_accounts.username, certificates.not_after FROM certificates
             JOIN devices ON devices.id = certificates.device
             LEFT JOIN sip_accounts ON sip_accounts.device = devices.id WHERE certificates.fingerprint = ?",
        )
        .bind(fingerprint.to_string())
        .fetch_optional(&self.read)
        .await?;
        row.map(|row| {
            let issued = IssuedCertificate {
                fingerprint: *fingerprint,
                not_after: time(&row, "not_after")?,
            };
            let device = device(&row)?;
            if device.revoked_at_ms.is_none() {
                let (id, not_after) = (device.id, issued.not_after);
                self.standing
                    .certificate(before, *fingerprint, id, not_after);
            }
            Ok((device, issued))
        })
        .transpose()
    }

    async fn change_device(
        &self,
        id: DeviceId,
        fields: &DeviceFields,
        now: UnixMs,
    ) -> Answer<Device> {
        let mut change = self.change().await?;
        let done = query("UPDATE devices SET name = ?, room = ?, person = ? WHERE id = ?")
            .bind(fields.name.as_str())
            .bind(fields.room.map(|id| id.to_string()))
            .bind(fields.person.map(|id| id.to_string()))
            .bind(id.to_string())
            .execute(change.on())
            .await?;
        found(done.rows_affected(), "device")?;
        let changed = in_change(&mut change, id).await?;
        change
            .event(EventKind::Devices, Audience::Home, id, now)
            .await?;
        change.commit().await?;
        Ok(changed)
    }

    async fn revoke_device(&self, id: DeviceId, now: UnixMs) -> Answer<()> {
        let mut change = self.change().await?;
        let before = in_change(&mut change, id).await?;
        if before.revoked_at_ms.is_some() {
            return Ok(());
        }
        revoke(&mut change, id, now).await?;
        change.commit().await
    }

    async fn add_certificate(
        &self,
        id: DeviceId,
        key: &Fingerprint,
        certificate: &IssuedCertificate,
        now: UnixMs,
    ) -> Answer<()> {
        let mut change = self.change().await?;
        let done =
            query("UPDATE devices SET key_fingerprint = ? WHERE id = ? AND revoked_at IS NULL")
                .bind(key.to_string())
                .bind(id.to_string())
                .execute(change.on())
                .await
                .map_err(super::taken("device", "key"))?;
        found(done.rows_affected(), "device that is not revoked")?;
        insert_certificate(&mut change, id, certificate).await?;
        change
            .event(EventKind::Devices, Audience::Home, id, now)
            .await?;
        change.commit().await
    }
}
