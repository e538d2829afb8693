//! What every request has at hand.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, OnceLock};

use hearthline_sip::outbound::FlowTransport;
use tokio::sync::{Semaphore, watch};

use crate::address_book::{self, Imported, REFUSED_SHOWN_MAX};
use crate::authority::Authority;
use crate::bundle::Bundles;
use crate::bus::Bus;
use crate::carddav::{self, CarddavError};
use crate::clock::Clock;
use crate::device::{DeviceFields, DeviceKind, Fingerprint};
use crate::id::{DeviceId, PersonId};
use crate::invitation::{Code, InvitationKey, Invited, LASTS_MS, NewInvitation};
use crate::person::{Person, PersonFields};
use crate::problem::Problem;
use crate::rate::{Rate, RateLimit};
use crate::serve::Open;
use crate::session::{Password, PasswordHash};
use crate::sip::SipServer;
use crate::sip::account::{NewSipAccount, PhoneDigest, SipAccount};
use crate::store::{Store, StoreError};
use crate::trigger::Triggers;
use crate::vcard::VcardError;

/// Passwords and codes that are worked on at once: each costs 19 MiB or a tenth of a second.
const HASHES_AT_ONCE: usize = 2;

/// Who asked, from where.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer {
    pub(crate) source: IpAddr,
    pub(crate) remote: SocketAddr,
    pub(crate) local: SocketAddr,
    /// The certificate that the peer showed and whose key it holds.
    pub(crate) certificate: Option<Fingerprint>,
}

/// What is counted.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Counted {
    Source(IpAddr),
    Person(PersonId),
    Device(DeviceId),
}

impl Counted {
    /// One household of the Internet holds a whole /64 of IPv6.
    pub(crate) fn source(address: IpAddr) -> Self {
        Self::Source(match address {
            IpAddr::V4(_) => address,
            IpAddr::V6(six) => match six.to_ipv4_mapped() {
                Some(four) => IpAddr::V4(four),
                None => IpAddr::V6(Ipv6Addr::from_bits(six.to_bits() >> 64 << 64)),
            },
        })
    }
}

/// How much is allowed to whom.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Requests of one source that nobody is known behind.
    pub anonymous: Rate,
    /// Requests of one person or device.
    pub known: Rate,
    /// Log-ins and joins of one source.
    pub tries_by_source: Rate,
    /// Log-ins to one account from one source, and tries of one person at their own password.
    pub tries_by_account: Rate,
    /// Log-ins to one account from anywhere.
    pub tries_by_account_anywhere: Rate,
    /// Open connections in all.
    pub connections_max: usize,
    /// Open connections of one source.
    pub connections_by_source_max: usize,
    /// Open connections in all on which nobody has shown a certificate or a session yet.
    pub unknown_connections_max: usize,
    /// The same of one source.
    pub unknown_connections_by_source_max: usize,
    /// Requests with bodies above 64 KiB that are worked on at once.
    pub large_bodies_max: usize,
    /// The same of one person or device.
    pub large_bodies_by_caller_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            anonymous: Rate {
                burst: 60,
                every_ms: 500,
            },
            known: Rate {
                burst: 300,
                every_ms: 20,
            },
            tries_by_source: Rate {
                burst: 20,
                every_ms: 6_000,
            },
            tries_by_account: Rate {
                burst: 5,
                every_ms: 30_000,
            },
            // Wide enough that nobody is locked out by one source; 8,640 a day find no password of ten signs.
            tries_by_account_anywhere: Rate {
                burst: 100,
                every_ms: 10_000,
            },
            connections_max: 4_096,
            // Above 2,000 devices that come from one address.
            connections_by_source_max: 3_000,
            unknown_connections_max: 2_048,
            // A household behind one address, all its browsers at once.
            unknown_connections_by_source_max: 96,
            // 5 MB each while it is read, decoded and stored.
            large_bodies_max: 16,
            large_bodies_by_caller_max: 4,
        }
    }
}

/// The home as the routes see it.
pub(crate) struct Home {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) bus: Arc<dyn Bus>,
    pub(crate) authority: Authority,
    pub(crate) clock: Clock,
    pub(crate) base_url: String,
    pub(crate) anonymous: RateLimit<Counted>,
    pub(crate) known: RateLimit<Counted>,
    pub(crate) tries_by_source: RateLimit<Counted>,
    /// By a hash of the login, so that the memory holds no logins.
    pub(crate) tries_by_account: RateLimit<(Fingerprint, Counted)>,
    pub(crate) tries_by_account_anywhere: RateLimit<Fingerprint>,
    pub(crate) tries_by_person: RateLimit<PersonId>,
    pub(crate) large_bodies: Open,
    pub(crate) large_bodies_max: usize,
    pub(crate) large_bodies_by_caller_max: usize,
    pub(crate) hashing: Semaphore,
    pub(crate) stop: watch::Receiver<bool>,
    pub(crate) triggers: Triggers,
    pub(crate) bundles: Bundles,
    /// Set once, before anything is served, where this hub carries calls.
    pub(crate) sip: OnceLock<SipServer>,
}

/// What a home is made of.
pub(crate) struct HomeParts {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) bus: Arc<dyn Bus>,
    pub(crate) authority: Authority,
    pub(crate) clock: Clock,
    pub(crate) base_url: String,
    pub(crate) stop: watch::Receiver<bool>,
    pub(crate) bundles: Bundles,
}

impl Home {
    pub(crate) fn new(parts: HomeParts, limits: &Limits) -> Self {
        let HomeParts {
            store,
            bus,
            authority,
            clock,
            base_url,
            stop,
            bundles,
        } = parts;
        Self {
            store,
            bus,
            authority,
            clock,
            base_url,
            anonymous: RateLimit::new(limits.anonymous),
            known: RateLimit::new(limits.known),
            tries_by_source: RateLimit::new(limits.tries_by_source),
            tries_by_account: RateLimit::new(limits.tries_by_account),
            tries_by_account_anywhere: RateLimit::new(limits.tries_by_account_anywhere),
            tries_by_person: RateLimit::new(limits.tries_by_account),
            large_bodies: Open::default(),
            large_bodies_max: limits.large_bodies_max,
            large_bodies_by_caller_max: limits.large_bodies_by_caller_max,
            hashing: Semaphore::new(HASHES_AT_ONCE),
            stop,
            triggers: Triggers::default(),
            bundles,
            sip: OnceLock::new(),
        }
    }

    /// Adds an ordinary SIP phone; the switchboard knows it when this answers.
    pub(crate) async fn add_sip_account(
        &self,
        fields: DeviceFields,
        digest: PhoneDigest,
    ) -> Result<SipAccount, StoreError> {
        let Some(sip) = self.sip.get() else {
            return Err(StoreError::Refused(
                "this hub runs without a SIP server; start it with --sip",
            ));
        };
        let (new, shown) = NewSipAccount::make(fields, digest, &sip.domain)?;
        self.store.add_sip_account(&new, self.clock.now()).await?;
        sip.refresh(self.store.as_ref()).await?;
        Ok(shown)
    }

    /// Where ordinary phones register: `udp:127.0.0.1:5060`.
    pub(crate) fn sip_servers(&self) -> Vec<String> {
        let addresses = self.sip.get().map_or(&[][..], |sip| &sip.addresses);
        let name = |(transport, address): &(FlowTransport, _)| {
            format!("{}:{address}", transport.as_param())
        };
        addresses.iter().map(name).collect()
    }

    /// Reads an address book of a server. How many contacts went; the inner error is the server's.
    pub(crate) async fn read_address_book(
        &self,
        server: &carddav::Server,
    ) -> Result<Result<(Imported, u32), CarddavError>, StoreError> {
        let known = self.store.address_book(&server.key()).await?;
        let mut change = match carddav::changes(server, &known).await {
            Ok(Some(change)) => change,
            Ok(None) => return Ok(Ok((Imported::default(), 0))),
            Err(error) => return Ok(Err(error)),
        };
        if let Some(sip) = self.sip.get() {
            for item in &mut change.items {
                let card = item.card.take();
                item.card = card.map(|card| address_book::completed(card, &sip.plan));
            }
        }
        let now = self.clock.now();
        let (mut done, removed) = self
            .store
            .put_address_book(&server.key(), &change, now)
            .await?;
        done.refused_count = u32::try_from(change.refused.len()).unwrap_or(u32::MAX);
        done.refused = change.refused;
        done.refused.truncate(REFUSED_SHOWN_MAX);
        Ok(Ok((done, removed)))
    }

    /// Imports an address book. The inner error is the file's.
    pub(crate) async fn import_contacts(
        &self,
        bytes: Vec<u8>,
    ) -> Result<Result<Imported, VcardError>, StoreError> {
        // Megabytes of text: away from the sockets' threads.
        let plan = self.sip.get().map(|sip| sip.plan.clone());
        let read = move || {
            let mut import = address_book::read(&bytes)?;
            if let Some(plan) = plan {
                let cards = import.cards.into_iter();
                import.cards = cards
                    .map(|card| address_book::completed(card, &plan))
                    .collect();
            }
            Ok(import)
        };
        let import = match self.hash(read).await? {
            Ok(import) => import,
            Err(error) => return Ok(Err(error)),
        };
        let now = self.clock.now();
        let mut done = self.store.import_contacts(&import.cards, now).await?;
        done.refused_count = u32::try_from(import.refused.len()).unwrap_or(u32::MAX);
        done.refused = import.refused;
        done.refused.truncate(REFUSED_SHOWN_MAX);
        Ok(Ok(done))
    }

    /// Makes an invitation with a fresh code.
    pub(crate) async fn invite(
        &self,
        kind: DeviceKind,
        fields: DeviceFields,
    ) -> Result<Invited, StoreError> {
        let code = Code::random()?;
        let ca = self.authority.fingerprint();
        let derived = code.clone();
        let key = self
            .hash(move || InvitationKey::derive(&derived, &ca))
            .await?;
        let now = self.clock.now();
        let new = NewInvitation {
            key,
            kind,
            fields,
            expires_at: now.plus_ms(LASTS_MS),
        };
        let invitation = self.store.invite(&new, now).await?;
        Ok(Invited::new(invitation, code, &self.base_url, &ca))
    }

    /// Adds a person, with a password when they log in.
    pub(crate) async fn add_person(
        &self,
        fields: &PersonFields,
        password: Option<Password>,
    ) -> Result<Person, StoreError> {
        // Hashed first: a person without the password they were to have could not log in.
        let hash = match password {
            Some(password) => Some(self.hash(move || PasswordHash::of(&password)).await??),
            None => None,
        };
        let now = self.clock.now();
        let person = self.store.add_person(fields, now).await?;
        if let Some(hash) = hash {
            self.store.set_password(person.id, &hash, now).await?;
        }
        Ok(person)
    }

    /// Hashes a password away from the sockets' threads.
    pub(crate) async fn hash_password(&self, password: Password) -> Result<PasswordHash, Problem> {
        Ok(self.hash(move || PasswordHash::of(&password)).await??)
    }

    /// Work that is slow on purpose: few at once, on threads of its own.
    pub(crate) async fn hash<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, StoreError> {
        let stopped = |_| StoreError::Refused("the hub is stopping");
        let _turn = self
            .hashing
            .acquire()
            .await
            .map_err(|_| StoreError::Refused("the hub is stopping"))?;
        tokio::task::spawn_blocking(work).await.map_err(stopped)
    }
}
