//! What comes out of the telephone.
use std::net::SocketAddr;

use hearthline_ledger::Body as Entry;
use hearthline_sip::endpoint::{Target, Transport};

/// A sound that repeats until another takes its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// It rings here.
    Ring,
    /// It rings at the other side.
    Ringback,
    /// Another call waits.
    Waiting,
    /// Somebody was let in without being answered: every few seconds, as long as they listen. Nothing turns it off.
    DropIn,
    /// A timer is over. Not the telephone's; it gives way to every call.
    Timer,
    /// An alarm. As a timer.
    Alarm,
    /// A reminder. As a timer.
    Reminder,
}

/// What the telephone wants done.
#[derive(Debug)]
pub enum Output {
    /// Say this.
    Say(String),
    /// Play this tone, or none any more.
    Tone(Option<Tone>),
    /// The light changed: [`Telephone::shows`].
    Light,
    /// Send sound or its reports.
    Packet {
        /// From this port of ours.
        from: SocketAddr,
        /// Where to.
        to: SocketAddr,
        /// The packet.
        bytes: Vec<u8>,
    },
    /// Play this.
    Play(Vec<i16>),
    /// Send a keep-alive.
    Ping(Target),
    /// Close a connection that is dead.
    Close {
        /// By which transport.
        transport: Transport,
        /// The peer.
        remote: SocketAddr,
    },
    /// Keep the keys of other devices for the next start: [`HomeConfig::known_keys`](super::HomeConfig::known_keys).
    KnownKeys(Vec<u8>),
    /// An entry of the record.
    Record(Entry),
    /// Tell whoever watches; no names and numbers.
    Step(String),
}

/// What the light shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Shows {
    /// Nothing.
    Nothing,
    /// A call stands or goes out.
    OnCall,
    /// It rings.
    Ringing,
    /// Somebody was let in.
    DropIn,
}
