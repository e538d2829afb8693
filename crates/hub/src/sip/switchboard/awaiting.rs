//! Calls to people whose app is closed. Their browsers are told of the call (Web Push) when its row is written; a browser
//! that opens registers, and the call rings there too, beside whatever rings already.
//!
//! ```text
//! INVITE ─► who is not there, and is told of calls? ─► row "early" ─► telling ─► push
//!                     └─ the call stays open ◄─ REGISTER ─ the app opens ◄─ the person
//! ```

use super::*;
use crate::device::DeviceKind;

/// How long a call waits for those who were told of it: to hear it, to press it, for the app to open.
const OPEN_FOR: Duration = Duration::from_secs(30);
/// Calls that wait so; further ones ring whom they find.
const AWAITED_MAX: usize = 64;
/// Devices that one call waits for.
const DEVICES_MAX: usize = 16;

/// A call that waits for devices.
pub(super) struct Awaited {
    id: AskId,
    devices: Vec<DeviceId>,
    until: Duration,
}

impl Switchboard {
    /// Whether a device that is not there may come when it is told of a call.
    pub(super) fn may_come(&self, device: DeviceId) -> bool {
        let browser = self.directory.kind(device) == Some(DeviceKind::Browser);
        let person = self.directory.owner(device).filter(|_| browser);
        person.is_some_and(|person| self.around.home.triggers.may_be_called(person))
    }

    /// From now on a call waits for these. How long; none: it does not.
    pub(super) fn await_called(
        &mut self,
        id: AskId,
        mut devices: Vec<DeviceId>,
        now: Duration,
    ) -> Option<Duration> {
        self.awaited.retain(|own| own.until > now);
        if devices.is_empty() || self.awaited.len() >= AWAITED_MAX {
            return None;
        }
        devices.truncate(DEVICES_MAX);
        let until = now.saturating_add(OPEN_FOR);
        self.awaited.push(Awaited { id, devices, until });
        Some(OPEN_FOR)
    }

    /// Rings those who have come.
    pub(super) fn look_for_awaited(&mut self, now: Duration) {
        for mut own in std::mem::take(&mut self.awaited) {
            let mut over = own.until <= now;
            for device in std::mem::take(&mut own.devices) {
                let groups = self.ways_to(&[device], now);
                if groups.is_empty() {
                    own.devices.push(device);
                }
                for branch in groups.into_iter().flat_map(|group| group.branches) {
                    over |= self.proxy.join(own.id, branch, now).is_err();
                }
            }
            if !over && !own.devices.is_empty() {
                self.awaited.push(own);
            }
        }
    }
}
