//! What the call-taker wants done, and what it has to show.

use core::time::Duration;
use std::net::SocketAddr;

use hearthline_media::Event as MediaEvent;
use hearthline_sip::target::{Target, Transport};

use crate::fact::Fact;

/// What the call-taker wants done.
#[derive(Debug)]
#[must_use = "a dropped output is a lost message"]
pub enum Output {
    /// Send a SIP message.
    Sip {
        /// Where to.
        target: Target,
        /// One whole message.
        bytes: Vec<u8>,
    },
    /// Close a SIP connection.
    CloseStream {
        /// Its transport.
        transport: Transport,
        /// Its peer.
        remote: SocketAddr,
    },
    /// Send from the media socket `port` (RTP) or `port + 1` (RTCP, as `port` says).
    Media {
        /// Our port to send from.
        port: u16,
        /// Where to.
        to: SocketAddr,
        /// The packet.
        bytes: Vec<u8>,
    },
    /// The caller was heard: 20 ms at 16 kHz, without gaps from answer to end.
    Heard {
        /// Which call.
        call: u32,
        /// The samples.
        samples: Vec<i16>,
    },
    /// Something to show.
    Event(Event),
    /// Nothing more now; call `handle_timeout` then.
    Timeout(Option<Duration>),
}

/// Something to show.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// An INVITE came; its facts follow.
    Arrived {
        /// Which call.
        call: u32,
    },
    /// One checked thing.
    Fact {
        /// Which call.
        call: u32,
        /// What.
        fact: Fact,
    },
    /// We answered.
    Answered {
        /// Which call.
        call: u32,
    },
    /// The caller's ACK came.
    Confirmed {
        /// Which call.
        call: u32,
    },
    /// Something about its audio.
    Media {
        /// Which call.
        call: u32,
        /// What.
        event: MediaEvent,
    },
    /// It is over; [`CallTaker::report`] has the whole.
    Ended {
        /// Which call.
        call: u32,
        /// Who or what ended it.
        by: String,
    },
    /// A command could not be carried out.
    Trouble {
        /// Which call.
        call: u32,
        /// Why, without anything personal.
        why: String,
    },
}
