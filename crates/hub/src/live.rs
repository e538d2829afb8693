//! Connections that are open now, so that revoking a device ends them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::id::DeviceId;

/// The open connections of each device.
#[derive(Debug, Default, Clone)]
pub struct LiveConnections {
    devices: Arc<Mutex<HashMap<DeviceId, Slot>>>,
}

#[derive(Debug)]
struct Slot {
    cut: watch::Sender<bool>,
    connections: usize,
}

/// One connection's place; dropping it gives the place back.
#[derive(Debug)]
pub struct LiveConnection {
    all: LiveConnections,
    device: DeviceId,
    cut: watch::Receiver<bool>,
}

impl LiveConnections {
    /// Notes a connection. Note it first and ask the store afterwards whether the device is revoked: in that order
    /// no revocation falls between the two.
    #[must_use]
    pub fn enter(&self, device: DeviceId) -> LiveConnection {
        let mut devices = self.lock();
        let slot = devices.entry(device).or_insert_with(|| Slot {
            cut: watch::Sender::new(false),
            connections: 0,
        });
        slot.connections += 1;
        LiveConnection {
            all: self.clone(),
            device,
            cut: slot.cut.subscribe(),
        }
    }

    /// Ends every connection of a device.
    pub fn cut(&self, device: DeviceId) {
        // Later connections get a fresh slot; they are refused by the store.
        if let Some(slot) = self.lock().remove(&device) {
            slot.cut.send_replace(true);
        }
    }

    /// How many connections a device has.
    #[must_use]
    pub fn count(&self, device: DeviceId) -> usize {
        self.lock().get(&device).map_or(0, |slot| slot.connections)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<DeviceId, Slot>> {
        self.devices.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LiveConnection {
    /// Waits until the device is cut off.
    pub async fn cut_off(&mut self) {
        // An error means that the slot was removed, which only cutting does before the last one leaves.
        let _ = self.cut.wait_for(|cut| *cut).await;
    }
}

impl Drop for LiveConnection {
    fn drop(&mut self) {
        let mut devices = self.all.lock();
        let Some(slot) = devices.get_mut(&self.device) else {
            return;
        };
        if !slot.cut.subscribe().same_channel(&self.cut) {
            return; // the slot of connections that came after the cut
        }
        slot.connections -= 1;
        if slot.connections == 0 {
            devices.remove(&self.device);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_cut_ends_what_is_open_and_nothing_later() {
        let all = LiveConnections::default();
        let device = DeviceId::random().unwrap();
        let other = all.enter(DeviceId::random().unwrap());
        let (mut one, mut two) = (all.enter(device), all.enter(device));
        assert_eq!(all.count(device), 2);
        all.cut(device);
        one.cut_off().await;
        let later = all.enter(device);
        two.cut_off().await;
        drop((one, two));
        assert_eq!(all.count(device), 1, "the later one stays");
        drop(later);
        assert_eq!(all.count(device), 0);
        assert_eq!(all.count(other.device), 1);
    }
}
