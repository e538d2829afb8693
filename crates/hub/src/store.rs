//! The seam to the truth: what the hub asks of its database, in words of the domain.
//!
//! A [`Store`] is one household's view. SQLite stands behind it here; the contract in
//! `tests/store/store_contract.rs` is what any other must keep:
//! - a change and its [`Event`] are committed together or not at all;
//! - events have no gaps and never appear out of order, so a reader that keeps its place misses nothing;
//! - what was answered with `Ok` survives the end of the process.

mod failure;
pub mod sqlite;

use std::collections::HashSet;

use async_trait::async_trait;

use crate::address_book::{Imported, ImportedCard};
use crate::agenda::{Agenda, Copy, NewCopy};
use crate::binding::Binding;
use crate::bundle::KeptBundle;
use crate::call::Call;
use crate::call_settings::{Blocked, CallSettings};
use crate::carddav::{BookChange, BookMember, BookState};
use crate::clock::UnixMs;
use crate::contact::{Contact, ContactFields};
use crate::device::{Device, DeviceFields, Fingerprint, IssuedCertificate, NewDevice};
use crate::event::{Event, StreamId};
use crate::half_hour::LineDay;
use crate::id::{
    CallId, ContactId, DeviceId, IncidentId, InvitationId, LightOrderId, LineId, MessageId,
    PersonId, RoomId, TokenId,
};
use crate::incident::{Incident, IncidentReport, IncidentSource};
use crate::invitation::{Invitation, InvitationKey, NewInvitation};
use crate::light_order::{LightOrder, LightOrderShown, WaitingLightOrder};
use crate::line::{Line, LineFields, LineHealth, LineTrouble};
use crate::message::{
    ClientId, Delivery, DeliveryState, Message, NewMessage, SentText, Stored, Voice,
};
use crate::person::{Party, Person, PersonFields};
use crate::room::{Room, RoomFields};
use crate::session::{PasswordHash, Session, TokenHash, TokenKind};
use crate::sip::account::{NewSipAccount, StoredSipAccount};
use crate::text::Login;

pub use failure::StoreError;
pub use sqlite::{SqliteConfig, SqliteStore};

/// What the methods answer.
pub type Answer<T> = Result<T, StoreError>;

/// People and how they log in.
#[async_trait]
pub trait People: Send + Sync {
    /// Adds a person.
    async fn add_person(&self, fields: &PersonFields, now: UnixMs) -> Answer<Person>;
    /// Everyone, by name.
    async fn people(&self) -> Answer<Vec<Person>>;
    /// One.
    async fn person(&self, id: PersonId) -> Answer<Person>;
    /// Replaces what may be set. The last owner stays one.
    async fn change_person(
        &self,
        id: PersonId,
        fields: &PersonFields,
        now: UnixMs,
    ) -> Answer<Person>;
    /// Removes a person, their sessions and their mailbox, and revokes their devices. The last owner stays.
    async fn remove_person(&self, id: PersonId, now: UnixMs) -> Answer<()>;
    /// Sets a password and ends the person's sessions.
    async fn set_password(&self, id: PersonId, password: &PasswordHash, now: UnixMs) -> Answer<()>;
    /// Who logs in so, with their password.
    async fn credentials(&self, login: &Login) -> Answer<Option<(Person, PasswordHash)>>;
}

/// Sessions of people: opaque, revocable.
#[async_trait]
pub trait Sessions: Send + Sync {
    /// Opens a session; `token` is all that is kept of its secret. It ends with `device`, which is not revoked.
    async fn open_session(
        &self,
        person: PersonId,
        kind: TokenKind,
        device: Option<DeviceId>,
        token: &TokenHash,
        now: UnixMs,
        expires_at: UnixMs,
    ) -> Answer<Session>;
    /// The session of a token, and its person, while it lasts.
    async fn session(&self, token: &TokenHash, now: UnixMs) -> Answer<Option<(Session, Person)>>;
    /// The session is this device's from now on, which is not revoked; it ends with it.
    async fn bind_session(&self, id: TokenId, device: DeviceId, now: UnixMs) -> Answer<()>;
    /// A person's sessions.
    async fn sessions_of(&self, person: PersonId, now: UnixMs) -> Answer<Vec<Session>>;
    /// Ends one.
    async fn end_session(&self, id: TokenId, now: UnixMs) -> Answer<()>;
}

/// Devices and their certificates.
#[async_trait]
pub trait Devices: Send + Sync {
    /// All, the revoked too.
    async fn devices(&self) -> Answer<Vec<Device>>;
    /// One.
    async fn device(&self, id: DeviceId) -> Answer<Device>;
    /// Whether it is known without asking the database that a device is there and not revoked, and that the certificate
    /// which it showed is its own and has not ended. `false` says nothing.
    fn is_known_to_stand(
        &self,
        _device: DeviceId,
        _certificate: Option<&Fingerprint>,
        _now: UnixMs,
    ) -> bool {
        false
    }
    /// Whose certificate this is, and when it ends; revoked devices too.
    async fn device_by_certificate(
        &self,
        fingerprint: &Fingerprint,
    ) -> Answer<Option<(Device, IssuedCertificate)>>;
    /// Replaces what may be set.
    async fn change_device(
        &self,
        id: DeviceId,
        fields: &DeviceFields,
        now: UnixMs,
    ) -> Answer<Device>;
    /// Ends a device's rights for good, and the sessions that were opened on it. Again changes nothing.
    async fn revoke_device(&self, id: DeviceId, now: UnixMs) -> Answer<()>;
    /// Notes a further certificate of a device that is not revoked.
    async fn add_certificate(
        &self,
        id: DeviceId,
        key: &Fingerprint,
        certificate: &IssuedCertificate,
        now: UnixMs,
    ) -> Answer<()>;
}

/// Invitations to join.
#[async_trait]
pub trait Invitations: Send + Sync {
    /// Makes one; at most [`crate::invitation::OPEN_MAX`] are open at once.
    async fn invite(&self, new: &NewInvitation, now: UnixMs) -> Answer<Invitation>;
    /// Those of the last day.
    async fn invitations(&self, now: UnixMs) -> Answer<Vec<Invitation>>;
    /// The open ones, with their keys.
    async fn open_invitations(&self, now: UnixMs) -> Answer<Vec<(Invitation, InvitationKey)>>;
    /// Uses one up and adds its device, in one transaction: a code makes one device, never two.
    async fn accept_invitation(
        &self,
        id: InvitationId,
        device: &NewDevice,
        now: UnixMs,
    ) -> Answer<Device>;
    /// Counts a wrong try against every open one; locks those that had too many. How many were locked.
    async fn note_wrong_try(&self, now: UnixMs) -> Answer<u32>;
    /// Withdraws one.
    async fn withdraw_invitation(&self, id: InvitationId, now: UnixMs) -> Answer<()>;
}

/// Rooms.
#[async_trait]
pub trait Rooms: Send + Sync {
    /// Adds one.
    async fn add_room(&self, fields: &RoomFields, now: UnixMs) -> Answer<Room>;
    /// All, by name.
    async fn rooms(&self) -> Answer<Vec<Room>>;
    /// Replaces what may be set.
    async fn change_room(&self, id: RoomId, fields: &RoomFields, now: UnixMs) -> Answer<Room>;
    /// Removes one; its devices stand in none.
    async fn remove_room(&self, id: RoomId, now: UnixMs) -> Answer<()>;
}

/// The address book.
#[async_trait]
pub trait Contacts: Send + Sync {
    /// Adds one.
    async fn add_contact(&self, fields: &ContactFields, now: UnixMs) -> Answer<Contact>;
    /// All, by name.
    async fn contacts(&self) -> Answer<Vec<Contact>>;
    /// One.
    async fn contact(&self, id: ContactId) -> Answer<Contact>;
    /// Replaces what may be set.
    async fn change_contact(
        &self,
        id: ContactId,
        fields: &ContactFields,
        now: UnixMs,
    ) -> Answer<Contact>;
    /// Removes one.
    async fn remove_contact(&self, id: ContactId, now: UnixMs) -> Answer<()>;
    /// Adds cards, all or none. What came with the same key before gets the new card's name and numbers and keeps
    /// what the home decided about it; the same card again changes nothing.
    async fn import_contacts(&self, cards: &[ImportedCard], now: UnixMs) -> Answer<Imported>;
    /// All, by name, each with the card that it was imported as.
    async fn contacts_with_cards(&self) -> Answer<Vec<(Contact, Option<String>)>>;
}

/// Address books of servers.
#[async_trait]
pub trait AddressBooks: Send + Sync {
    /// What was read last of a book, by [`crate::carddav::Server::key`].
    async fn address_book(&self, key: &str) -> Answer<BookState>;
    /// Stores what has changed, all or none: new and changed cards as [`Contacts::import_contacts`] does, and the
    /// contacts of members that are gone go. How many went.
    ///
    /// What the home has changed since both sides agreed is not lost: beside a card that changed as well it stands as a
    /// contact of its own, and a contact whose member is gone stays.
    async fn put_address_book(
        &self,
        key: &str,
        book: &BookChange,
        now: UnixMs,
    ) -> Answer<(Imported, u32)>;
    /// The members of a book.
    async fn book_members(&self, key: &str) -> Answer<Vec<BookMember>>;
    /// The contacts that stand in any book.
    async fn contacts_in_books(&self) -> Answer<HashSet<ContactId>>;
    /// Notes that a contact stands in a book as the home has it, as this card.
    async fn note_book_member(
        &self,
        key: &str,
        href: &str,
        etag: &str,
        contact: ContactId,
        card: Option<&ImportedCard>,
        agreed: &Fingerprint,
    ) -> Answer<()>;
    /// Forgets a member that neither side has any more.
    async fn forget_book_member(&self, key: &str, href: &str) -> Answer<()>;
}

/// Lines.
#[async_trait]
pub trait Lines: Send + Sync {
    /// Adds one.
    async fn add_line(&self, fields: &LineFields, now: UnixMs) -> Answer<Line>;
    /// All, in the order in which they are tried.
    async fn lines(&self) -> Answer<Vec<Line>>;
    /// Replaces what may be set.
    async fn change_line(&self, id: LineId, fields: &LineFields, now: UnixMs) -> Answer<Line>;
    /// Removes one.
    async fn remove_line(&self, id: LineId, now: UnixMs) -> Answer<()>;
    /// Notes whether it works, and why not. The same again changes nothing but the half hour that goes on; another
    /// reason keeps the time since when.
    async fn note_line_health(
        &self,
        id: LineId,
        health: LineHealth,
        trouble: Option<LineTrouble>,
        now: UnixMs,
    ) -> Answer<()>;
    /// How each line was in each half hour of the last day, as it was noted; a line that was never looked at is not among
    /// them.
    async fn line_days(&self, now: UnixMs) -> Answer<Vec<LineDay>>;
}

/// SIP registrations.
#[async_trait]
pub trait Bindings: Send + Sync {
    /// Adds or refreshes one. An older CSeq of the same Call-ID changes nothing and answers `false`.
    async fn put_binding(&self, binding: &Binding, now: UnixMs) -> Answer<bool>;
    /// The same of many at once, each of another place; how many rows were written. Where it is fewer than there are,
    /// [`Bindings::put_binding`] says of each what is the matter.
    async fn put_bindings(&self, bindings: &[Binding], now: UnixMs) -> Answer<usize>;
    /// Those of an address of record that have not ended.
    async fn bindings(&self, aor: &str, now: UnixMs) -> Answer<Vec<Binding>>;
    /// All that have not ended, but those of revoked devices: what a SIP server begins with.
    async fn all_bindings(&self, now: UnixMs) -> Answer<Vec<Binding>>;
    /// Removes one.
    async fn remove_binding(&self, aor: &str, instance_id: &str, reg_id: u32) -> Answer<()>;
    /// Removes those of a flow that has gone.
    async fn remove_flow(&self, node_id: &str, flow_id: u64) -> Answer<()>;
}

/// What people and devices want of calls.
#[async_trait]
pub trait CallWishes: Send + Sync {
    /// Replaces what somebody wants. The person or device is there.
    async fn set_call_settings(
        &self,
        party: Party,
        settings: &CallSettings,
        now: UnixMs,
    ) -> Answer<()>;
    /// Adds a caller to a party's list, and leaves the rest as it is.
    async fn block(&self, party: Party, caller: Blocked, now: UnixMs) -> Answer<CallSettings>;
    /// What somebody wants; as it begins, where nothing was set.
    async fn call_settings_of(&self, party: Party) -> Answer<CallSettings>;
    /// All that were set.
    async fn call_settings(&self) -> Answer<Vec<(Party, CallSettings)>>;
}

/// Accounts of ordinary SIP phones, and what the SIP server signs with.
#[async_trait]
pub trait SipAccounts: Send + Sync {
    /// Adds a SIP phone with its account, in one transaction.
    async fn add_sip_account(&self, new: &NewSipAccount, now: UnixMs) -> Answer<Device>;
    /// All accounts of devices that are not revoked.
    async fn sip_accounts(&self) -> Answer<Vec<StoredSipAccount>>;
    /// The secrets of flow tokens and of temporary GRUUs; `fresh` becomes them where there are none yet.
    async fn sip_secrets(&self, fresh: [[u8; 32]; 2]) -> Answer<[[u8; 32]; 2]>;
}

/// What is remembered of calls. No method starts one.
#[async_trait]
pub trait Calls: Send + Sync {
    /// Adds the call or replaces what was known of it. A call that has ended stays so.
    async fn note_call(&self, call: &Call, now: UnixMs) -> Answer<()>;
    /// The same for several, all or none.
    async fn note_calls(&self, calls: &[Call], now: UnixMs) -> Answer<()>;
    /// One.
    async fn call(&self, id: CallId) -> Answer<Call>;
    /// The newest first, at most `limit`.
    async fn calls(&self, limit: u32) -> Answer<Vec<Call>>;
}

/// Messages.
#[async_trait]
pub trait Messages: Send + Sync {
    /// Stores a message in each mailbox; the same sender and client id again changes nothing.
    async fn send_message(&self, message: &NewMessage, now: UnixMs) -> Answer<Stored>;
    /// What a mailbox holds after `after`, in order, at most `limit`; with `waiting`, only what is queued.
    async fn mailbox(
        &self,
        owner: Party,
        after: StreamId,
        limit: u32,
        waiting: bool,
        now: UnixMs,
    ) -> Answer<Vec<Message>>;
    /// The same of what nobody has read or heard, whether it was fetched or not.
    async fn unread(
        &self,
        owner: Party,
        after: StreamId,
        limit: u32,
        now: UnixMs,
    ) -> Answer<Vec<Message>>;
    /// Takes a message out of one mailbox. What no mailbox holds any more ends.
    async fn delete_message(&self, owner: Party, id: MessageId, now: UnixMs) -> Answer<()>;
    /// How many wait in a mailbox.
    async fn waiting(&self, owner: Party, now: UnixMs) -> Answer<u32>;
    /// Moves messages of a mailbox forward to `state`, never back. How many moved.
    async fn acknowledge(
        &self,
        owner: Party,
        messages: &[MessageId],
        state: DeliveryState,
        now: UnixMs,
    ) -> Answer<u32>;
    /// Who sent it and what became of it in each mailbox.
    async fn deliveries(&self, id: MessageId) -> Answer<(Party, Vec<Delivery>)>;
    /// The voice, for whoever has it in a mailbox or sent it.
    async fn voice(&self, id: MessageId, reader: &[Party]) -> Answer<Voice>;
}

/// Texts that were handed in to be sent to telephones outside, each once.
#[async_trait]
pub trait SentTexts: Send + Sync {
    /// Notes that a text is about to be sent, before it is. `None`: it is new. Else nothing changes: a digest of what it
    /// said then, and what became of it.
    async fn begin_text(
        &self,
        from: Party,
        client_id: &ClientId,
        digest: &Fingerprint,
        now: UnixMs,
    ) -> Answer<Option<(Fingerprint, SentText)>>;
    /// What became of it. `None`: it was not sent, and may be handed in again by the same id.
    async fn end_text(
        &self,
        from: Party,
        client_id: &ClientId,
        state: Option<SentText>,
    ) -> Answer<()>;
}

/// Incidents that devices reported.
#[async_trait]
pub trait Incidents: Send + Sync {
    /// Adds a report. The same one again changes nothing; another with the same number of entries is refused.
    async fn report_incident(
        &self,
        source: IncidentSource,
        report: &IncidentReport,
        now: UnixMs,
    ) -> Answer<IncidentId>;
    /// The newest first, at most `limit`.
    async fn incidents(&self, limit: u32) -> Answer<Vec<Incident>>;
    /// One.
    async fn incident(&self, id: IncidentId) -> Answer<Incident>;
    /// Adds a report, as [`Incidents::report_incident`] does, and that its bundle is kept, in one transaction. A second
    /// bundle of one report is refused by the first, which the report names.
    async fn keep_bundle(
        &self,
        source: IncidentSource,
        report: &IncidentReport,
        kept: KeptBundle,
        now: UnixMs,
    ) -> Answer<IncidentId>;
    /// The incident whose bundle this is, where this device handed it in.
    async fn incident_of_bundle(
        &self,
        device: DeviceId,
        sha256: &Fingerprint,
    ) -> Answer<Option<IncidentId>>;
    /// What all kept bundles measure together.
    async fn bundle_bytes(&self) -> Answer<u64>;
}

/// The household's events.
#[async_trait]
pub trait Events: Send + Sync {
    /// What came after `after`, in order, at most `limit`.
    async fn events_after(&self, after: StreamId, limit: u32) -> Answer<Vec<Event>>;
    /// The oldest that can still be read (the next one, when all have been dropped), and the newest; both 0 at
    /// the very beginning.
    async fn event_range(&self) -> Answer<(StreamId, StreamId)>;
    /// When [`Events::sweep`] last ran, by the clock that it was given.
    async fn last_sweep(&self) -> Answer<Option<UnixMs>>;
    /// Drops what has ended: messages, sessions, registrations, and events older than `events_before`. Of a message or
    /// text remains for [`crate::message::REMEMBERED_MS`] that it was sent, so that sending it again makes no second one.
    async fn sweep(&self, now: UnixMs, events_before: UnixMs) -> Answer<()>;
}

/// Copies of what speakers keep for later. The speakers have the truth.
#[async_trait]
pub trait Agendas: Send + Sync {
    /// Replaces a speaker's copy whole. Refused as [`StoreError::Taken`] where there is a newer copy of the same journal,
    /// or one of another that [`NewCopy::instead_of`] does not name. What was taken over from a revoked speaker is gone
    /// there.
    async fn keep_agenda(&self, device: DeviceId, copy: &NewCopy, now: UnixMs) -> Answer<()>;
    /// A speaker's copy; where it has none, the newest of a revoked speaker of the same name.
    async fn agenda_of(&self, device: DeviceId) -> Answer<Option<Copy>>;
    /// Those of all speakers that are not revoked, by name.
    async fn agendas(&self) -> Answer<Vec<Agenda>>;
}

/// Lights that speakers are to switch for routines.
#[async_trait]
pub trait LightOrders: Send + Sync {
    /// Keeps an order for a speaker and tells it. [`StoreError::NotFound`] where that is none any more,
    /// [`StoreError::Refused`] where [`crate::light_order::WAITING_MAX`] wait.
    async fn order_light(
        &self,
        device: DeviceId,
        order: &LightOrder,
        now: UnixMs,
    ) -> Answer<LightOrderId>;
    /// Those of a speaker that count and are not answered, the oldest first.
    async fn light_orders_of(
        &self,
        device: DeviceId,
        now: UnixMs,
    ) -> Answer<Vec<WaitingLightOrder>>;
    /// What became of one; `why`: it was not done. Answered once.
    async fn end_light_order(
        &self,
        device: DeviceId,
        id: LightOrderId,
        why: Option<&str>,
        now: UnixMs,
    ) -> Answer<()>;
    /// The latest, the newest first.
    async fn light_orders(&self, limit: u32, now: UnixMs) -> Answer<Vec<LightOrderShown>>;
}

/// Small documents, each read and written as a whole.
#[async_trait]
pub trait Documents: Send + Sync {
    /// The document of this name.
    async fn document(&self, name: &str) -> Answer<Option<String>>;
    /// Replaces it.
    async fn set_document(&self, name: &str, text: &str) -> Answer<()>;
}

/// Everything that the hub asks of its database.
pub trait Store:
    People
    + Sessions
    + Devices
    + Invitations
    + Rooms
    + Contacts
    + AddressBooks
    + Lines
    + Bindings
    + SipAccounts
    + CallWishes
    + Calls
    + Messages
    + SentTexts
    + Incidents
    + Events
    + Agendas
    + Documents
    + LightOrders
{
}

impl<T> Store for T where
    T: People
        + Sessions
        + Devices
        + Invitations
        + Rooms
        + Contacts
        + AddressBooks
        + Lines
        + Bindings
        + SipAccounts
        + CallWishes
        + Calls
        + Messages
        + SentTexts
        + Incidents
        + Events
        + Agendas
        + Documents
        + LightOrders
{
}
