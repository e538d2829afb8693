//! Who there is, as the SIP server sees it: a picture of the store, made anew whenever an event says so.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use hearthline_sip::digest::Account;

use crate::call_settings::CallSettings;
use crate::clock::UnixMs;
use crate::device::DeviceKind;
use crate::event::StreamId;
use crate::id::{DeviceId, LineId, PersonId};
use crate::message::{RECIPIENTS_MAX, Recipients};
use crate::number::Number;
use crate::person::{Party, Role};
use crate::sip::account::StoredSipAccount;
use crate::sip::screening::{Called, Calling, Screened, blocks_number, screen};
use crate::store::{Answer, Store};
use crate::text::plain;

/// Devices, their addresses and names.
#[derive(Default)]
pub(crate) struct Directory {
    /// Everything up to this event is in it; of two pictures the one with more counts.
    pub(crate) as_of: StreamId,
    accounts: HashMap<String, StoredSipAccount>,
    /// User part of the address of record, of devices that are not revoked.
    users: HashMap<DeviceId, String>,
    devices: HashMap<String, DeviceId>,
    names: HashMap<String, Vec<DeviceId>>,
    /// What each device is called, as it was written.
    written: HashMap<DeviceId, String>,
    kinds: HashMap<DeviceId, DeviceKind>,
    revoked: HashSet<DeviceId>,
    /// Speakers and telephones.
    everybody: Vec<DeviceId>,
    people: Vec<PersonId>,
    speakers: Vec<DeviceId>,
    /// Whom a line's calls ring, where it names rooms or devices.
    rings: HashMap<LineId, Vec<DeviceId>>,
    /// Where a line's calls go when nobody answers.
    goes_on: HashMap<LineId, Number>,
    /// Whom a single digit calls.
    speed_dials: HashMap<u8, Number>,
    /// Whose each device is.
    owners: HashMap<DeviceId, PersonId>,
    /// What people and devices want of calls.
    wishes: HashMap<Party, CallSettings>,
    /// Devices of children.
    children: HashSet<DeviceId>,
    /// Numbers that children may call.
    for_children: HashSet<Number>,
}

impl Directory {
    /// Reads the store.
    pub(crate) async fn read(store: &dyn Store) -> Answer<Arc<Self>> {
        // Asked first: what is committed while the rest is read may be in it, but is not promised.
        let (_, as_of) = store.event_range().await?;
        let mut directory = Directory {
            as_of,
            ..Directory::default()
        };
        for account in store.sip_accounts().await? {
            directory
                .users
                .insert(account.device, account.username.clone());
            directory.accounts.insert(account.username.clone(), account);
        }
        let mut rooms = HashMap::new();
        for room in store.rooms().await? {
            rooms.insert(room.id, plain(room.fields.name.as_str()));
        }
        let mut people = HashMap::new();
        let mut children = HashSet::new();
        for person in store.people().await? {
            if person.fields.role == Role::Child {
                children.insert(person.id);
            }
            directory.people.push(person.id);
            people.insert(person.id, plain(person.fields.name.as_str()));
        }
        for contact in store.contacts().await? {
            let first = contact.fields.numbers.first();
            if let (Some(digit), Some(first)) = (contact.fields.speed_dial, first) {
                let number = first.number.clone();
                directory.speed_dials.insert(digit.into(), number);
            }
            if contact.fields.children_may_call {
                let numbers = contact.fields.numbers.into_iter();
                directory
                    .for_children
                    .extend(numbers.map(|number| number.number));
            }
        }
        directory.wishes = store.call_settings().await?.into_iter().collect();
        let lines = store.lines().await?;
        for line in &lines {
            let to = line.fields.forward_to.clone();
            directory.goes_on.extend(to.map(|to| (line.id, to)));
        }
        for device in store.devices().await? {
            if device.revoked_at_ms.is_some() {
                directory.revoked.insert(device.id);
                continue;
            }
            // Without its account it has no address.
            if device.kind == DeviceKind::SipPhone && !directory.users.contains_key(&device.id) {
                continue;
            }
            if let Some(person) = device.fields.person {
                directory.owners.insert(device.id, person);
            }
            directory.kinds.insert(device.id, device.kind);
            let own = device.id.to_string();
            directory.users.entry(device.id).or_insert(own);
            if device.kind != DeviceKind::Browser {
                directory.everybody.push(device.id);
            }
            if device.kind == DeviceKind::Speaker {
                directory.speakers.push(device.id);
            }
            if device
                .fields
                .person
                .is_some_and(|id| children.contains(&id))
            {
                directory.children.insert(device.id);
            }
            for line in &lines {
                let room = device.fields.room;
                let in_room = room.is_some_and(|room| line.fields.ring_rooms.contains(&room));
                if in_room || line.fields.ring_devices.contains(&device.id) {
                    directory.rings.entry(line.id).or_default().push(device.id);
                }
            }
            let written = device.fields.name.as_str().to_owned();
            directory.written.insert(device.id, written);
            let room = device.fields.room.and_then(|id| rooms.get(&id).cloned());
            let person = device.fields.person.and_then(|id| people.get(&id).cloned());
            let name = Some(plain(device.fields.name.as_str()));
            for name in [room, person, name].into_iter().flatten() {
                let called = directory.names.entry(name).or_default();
                if !called.contains(&device.id) {
                    called.push(device.id);
                }
            }
        }
        for (&device, user) in &directory.users {
            directory.devices.insert(user.clone(), device);
        }
        Ok(Arc::new(directory))
    }

    /// What is kept of an account.
    pub(crate) fn account(&self, username: &str) -> Option<Account> {
        self.accounts.get(username).map(StoredSipAccount::digest)
    }

    /// Whether an account is one of a phone that knows MD5 alone.
    pub(crate) fn is_weak(&self, username: &str) -> bool {
        let account = self.accounts.get(username);
        account.is_some_and(|account| account.ha1_md5.is_some())
    }

    /// The user part of a device's address; `None`: it is revoked, or none of ours.
    pub(crate) fn user_of(&self, device: DeviceId) -> Option<&str> {
        self.users.get(&device).map(String::as_str)
    }

    /// Whose address this user part is.
    pub(crate) fn device_of(&self, user: &str) -> Option<DeviceId> {
        self.devices.get(user).copied()
    }

    /// What a device is; `None`: it is revoked, or none of ours.
    pub(crate) fn kind(&self, device: DeviceId) -> Option<DeviceKind> {
        self.kinds.get(&device).copied()
    }

    /// What a device is called; `None`: it is revoked, or none of ours.
    pub(crate) fn name(&self, device: DeviceId) -> Option<&str> {
        self.written.get(&device).map(String::as_str)
    }

    /// The devices that are called so: of a room, of a person, or one by its own name.
    pub(crate) fn called(&self, name: &str) -> &[DeviceId] {
        self.names.get(&plain(name)).map_or(&[], Vec::as_slice)
    }

    /// Whom a line's calls ring: what it names, as far as it is still there; else everybody.
    pub(crate) fn rung_by(&self, line: LineId) -> &[DeviceId] {
        self.rings.get(&line).unwrap_or(&self.everybody)
    }

    /// Where a line's calls go when nobody answers.
    pub(crate) fn goes_on_to(&self, line: LineId) -> Option<&Number> {
        self.goes_on.get(&line)
    }

    /// Whom these digits call as a speed dial.
    pub(crate) fn speed_dial(&self, digits: &str) -> Option<&Number> {
        let one = digits.parse().ok().filter(|_| digits.len() == 1)?;
        self.speed_dials.get(&one)
    }

    /// Whom a message from outside is for that came over a line ([`crate::outside_sender::recipients`]).
    pub(crate) fn recipients(
        &self,
        line: Option<LineId>,
        from: Option<&Number>,
    ) -> Option<Recipients> {
        let wanted = |party: &Party| {
            let settings = self.wishes.get(party);
            !settings.is_some_and(|own| blocks_number(own, from))
        };
        let rung = line.and_then(|line| self.rings.get(&line));
        let (all, whole) = match rung {
            Some(devices) => {
                let mut parties = Vec::new();
                for &device in devices {
                    let party = match self.owner(device) {
                        Some(person) => Party::Person(person),
                        None => Party::Device(device),
                    };
                    if !parties.contains(&party) {
                        parties.push(party);
                    }
                }
                (parties, None)
            }
            None if self.people.is_empty() => {
                let speakers = self.speakers.iter().copied().map(Party::Device);
                (speakers.collect(), Some(Recipients::Speakers))
            }
            None => {
                let people = self.people.iter().copied().map(Party::Person);
                (people.collect(), Some(Recipients::Everyone))
            }
        };
        let everybody = all.len();
        let mut these: Vec<Party> = all.into_iter().filter(wanted).collect();
        match whole {
            Some(whole) if these.len() == everybody => Some(whole),
            _ => {
                these.truncate(RECIPIENTS_MAX);
                (!these.is_empty()).then_some(Recipients::These(these))
            }
        }
    }

    /// Every speaker and telephone.
    pub(crate) fn everybody(&self) -> &[DeviceId] {
        &self.everybody
    }

    /// Whether a device is a child's.
    pub(crate) fn is_child(&self, device: DeviceId) -> bool {
        self.children.contains(&device)
    }

    /// Whether a device may call a number outside.
    pub(crate) fn may_call(&self, device: DeviceId, number: &Number) -> bool {
        !self.children.contains(&device) || self.for_children.contains(number)
    }

    /// What becomes of a call at a device of the home.
    pub(crate) fn screen(
        &self,
        calling: Calling<'_>,
        device: DeviceId,
        now: UnixMs,
    ) -> Screened<'_> {
        let person = self.owner(device);
        screen(calling, Called { device, person }, &self.wishes, now)
    }

    /// Whose a device is.
    pub(crate) fn owner(&self, device: DeviceId) -> Option<PersonId> {
        self.owners.get(&device).copied()
    }

    /// Whether a device was revoked.
    pub(crate) fn is_revoked(&self, device: DeviceId) -> bool {
        self.revoked.contains(&device)
    }

    /// The user parts of devices that are not there any more.
    pub(crate) fn users_missing_in<'a>(
        &'a self,
        newer: &'a Directory,
    ) -> impl Iterator<Item = &'a str> {
        let users = self.devices.keys().map(String::as_str);
        users.filter(|user| !newer.devices.contains_key(*user))
    }
}
