//! What the line wants done, and what it has to tell.

use core::time::Duration;
use std::net::SocketAddr;

use hearthline_sip::target::{Target, Transport};

use crate::service::{Health, SoundPort};
use crate::text_message::{TextHandle, TextMessage};

/// What the line wants done.
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
    /// Send from the media socket.
    Media {
        /// From the RTCP port.
        rtcp: bool,
        /// Where to.
        to: SocketAddr,
        /// The packet.
        bytes: Vec<u8>,
    },
    /// Send to the bus.
    Bus(Vec<u8>),
    /// Close the bus; it is broken. Connect again after a pause.
    CloseBus,
    /// Open the sound of the modem's call, and hand in what it says.
    OpenSound(SoundPlace),
    /// Play to the modem's call: 8 kHz.
    Play(Vec<i16>),
    /// Close the sound.
    CloseSound,
    /// Something to tell.
    Event(Event),
    /// Nothing more now; call `handle_timeout` then.
    Timeout(Option<Duration>),
}

/// Where a call's sound is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SoundPlace {
    /// A device.
    Port(SoundPort),
    /// The capture and playback commands of the configuration.
    Commands,
}

/// Something to tell. Holds no number and no text but in [`Event::Text`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Whether the line works has changed.
    Health(Health),
    /// A call began.
    CallBegan {
        /// Whether it came in.
        incoming: bool,
        /// Whether it is for an emergency number.
        emergency: bool,
    },
    /// Both sides hear each other.
    CallStands,
    /// The call is over.
    CallEnded {
        /// Why, in words of ours.
        why: &'static str,
    },
    /// A short message came. Keep it, and say so with [`ModemLine::text_kept`](crate::line::ModemLine::text_kept).
    Text {
        /// Which.
        handle: TextHandle,
        /// What it says.
        message: TextMessage,
    },
    /// The network took a message of ours.
    TextSent(TextHandle),
    /// It did not.
    TextFailed(TextHandle),
}
