//! How a device that runs in this process becomes one of a home: with a code, as any other; and stays the one it was.
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hearthline_hub::HubHandle;
use hearthline_hub::clock::Clock;
use hearthline_hub::control::{Done, Wish, ask};
use hearthline_hub::device::{DeviceFields, DeviceKind, Fingerprint};
use hearthline_hub::id::DeviceId;
use hearthline_hub::join::{join, telephone};
use hearthline_hub::store::Store;
use hearthline_hub::text::Name;
use hearthline_sip::outbound::FlowTransport;
use hearthline_speaker::config::HomeSettings;

use crate::command::join::keep;
use crate::household;
use crate::place::home_folder;

/// A hub of this process, and where its devices keep what they were given.
pub(crate) struct Enrolment {
    hub: PathBuf,
    address: SocketAddr,
    telephony: Vec<SocketAddr>,
    authority: Fingerprint,
    store: Arc<dyn Store>,
    folder: PathBuf,
}

impl Enrolment {
    /// In that hub, whose data lies in `hub`; each device gets a folder of its own in `folder`.
    pub(crate) fn of(handle: &HubHandle, hub: &Path, folder: &Path) -> Option<Self> {
        let tls = handle.sip_addresses().iter();
        let tls = tls.filter(|(transport, _)| *transport == FlowTransport::Tls);
        Some(Self {
            hub: hub.to_owned(),
            address: *handle.addresses().first()?,
            telephony: tls.map(|(_, address)| *address).collect(),
            authority: handle.ca_fingerprint(),
            store: handle.store(),
            folder: folder.to_owned(),
        })
    }

    /// What the device at `place` knows of the home: it is enrolled under `name` when it is not yet, and under another one
    /// where somebody else has that name.
    ///
    /// # Errors
    /// In words.
    pub(crate) async fn settings(&self, name: &str, place: &str) -> Result<HomeSettings, String> {
        let device = self.folder.join(place);
        self.enrolled(&device, name)
            .await
            .map_err(|why| format!("this speaker joins no home: {why}"))
    }

    async fn enrolled(&self, device: &Path, name: &str) -> Result<HomeSettings, String> {
        if let Some(kept) = self.kept(device).await? {
            return Ok(kept);
        }
        let devices = self.store.devices().await.map_err(in_words)?;
        let taken = devices.iter().any(|other| {
            other.revoked_at_ms.is_none() && other.fields.name.as_str().eq_ignore_ascii_case(name)
        });
        let name = match taken {
            true => format!("{name} simulator"),
            false => name.to_owned(),
        };
        let fields = DeviceFields {
            name: Name::new(&name).map_err(in_words)?,
            room: None,
            person: None,
        };
        let kind = DeviceKind::Speaker;
        let invited = ask(
            &self.hub,
            &Wish::Invite {
                kind,
                device: fields,
            },
        )
        .await;
        let code = match invited.map_err(in_words)? {
            Done::Invited { code, .. } => code.parse().map_err(in_words)?,
            Done::Refused { detail } => return Err(detail),
            _ => return Err("the hub answered something else".to_owned()),
        };
        let member = join(self.address, &code, Some(self.authority)).await;
        let member = member.map_err(in_words)?;
        let telephone = telephone(self.address, &member).await.map_err(in_words)?;
        std::fs::create_dir_all(device).map_err(in_words)?;
        let folder = home_folder(device);
        keep(&folder, self.address, &member, telephone.as_ref()).map_err(in_words)?;
        let read = household::read_for(None, device)?.household;
        read.ok_or_else(|| "the hub carries no calls by TLS".to_owned())
    }

    /// What it was given before, where the hub still knows it and is where it was; else the old device is put out.
    async fn kept(&self, device: &Path) -> Result<Option<HomeSettings>, String> {
        let Some(kept) = household::read_for(None, device)?.household else {
            return Ok(None);
        };
        let Ok(id) = kept.user.parse::<DeviceId>() else {
            return Ok(None);
        };
        // A database that was made anew knows it no more.
        let Ok(known) = self.store.device(id).await else {
            return Ok(None);
        };
        if known.revoked_at_ms.is_some() {
            return Ok(None);
        }
        if kept.api == Some(self.address) && self.telephony.contains(&kept.hub) {
            return Ok(Some(kept));
        }
        let now = Clock::default().now();
        self.store.revoke_device(id, now).await.map_err(in_words)?;
        Ok(None)
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it stands in map_err")]
fn in_words(error: impl ToString) -> String {
    error.to_string()
}
