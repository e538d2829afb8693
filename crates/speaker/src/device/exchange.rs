//! What goes into a device and what comes out.
use core::time::Duration;
use std::net::SocketAddr;
use std::sync::Arc;

use hearthline_emergency::lost_client::{LostPost, LostReply};
use hearthline_sip::endpoint::{Target, Transport};
use hearthline_voice::clock::SampleIndex;
use hearthline_voice::listen::Output as Hearing;
use hearthline_voice::understand::everyday::Everyday;

use crate::messages::{News, Part, Request, RequestId, TellId};
use crate::record::Keep;
use crate::telephone::{Name, Tone};

/// Something that happened outside.
#[derive(Debug)]
pub enum Input<'a> {
    /// The ear reports.
    Hearing(Hearing),
    /// The seconds before a wake word; committed only with an incident, forgotten otherwise.
    PreRoll {
        /// Index of the first sample.
        first: SampleIndex,
        /// The samples.
        samples: Vec<i16>,
    },
    /// Microphone samples, 16 kHz mono, for a call under way.
    Microphone(&'a [i16]),
    /// The network below SIP.
    Sip(hearthline_sip::endpoint::Input<'a>),
    /// A datagram on the RTP port.
    Rtp(&'a [u8]),
    /// A datagram on the RTCP port.
    Rtcp(&'a [u8]),
    /// A datagram on one of the ports of ordinary calls.
    Media {
        /// Where it came from.
        from: SocketAddr,
        /// Our address that it came to.
        to: SocketAddr,
        /// The datagram.
        bytes: &'a [u8],
    },
    /// The network changed, and what was bound to the address before is bound to another one.
    Moved {
        /// For the sound of ordinary calls, in the order of those before: RTP each; RTCP one above.
        ports: Vec<SocketAddr>,
        /// As [`DeviceConfig::sip_local`](super::DeviceConfig::sip_local), in that order.
        sip: Vec<(Transport, SocketAddr)>,
        /// As [`DeviceConfig::rtp_local`](super::DeviceConfig::rtp_local).
        rtp: SocketAddr,
    },
    /// The names of the home, as the hub tells them.
    Directory(Vec<Name>),
    /// The hub's API says something.
    Hub(News),
    /// What an [`Output::Tell`] told is over.
    Told {
        /// Which.
        id: TellId,
    },
    /// What came back from an [`Output::Post`].
    Lost {
        /// The token of the request.
        token: PostToken,
        /// What came back.
        reply: LostReply<'a>,
    },
    /// Our own speech has ended.
    SpeechEnded,
    /// What an [`Output::KeepOf`] gave is on disk.
    KeptOf {
        /// Whose.
        skill: &'static str,
        /// Which.
        token: u64,
    },
    /// What a skill's adapter to the outside brings.
    CameFor {
        /// Whose.
        skill: &'static str,
        /// In the words of the two.
        value: &'a serde_json::Value,
    },
    /// The wall clock was set: where it stood at `now == 0`, in milliseconds since 1970-01-01 UTC.
    Wall {
        /// In milliseconds.
        ms_at_zero: u64,
    },
    /// An entry is on disk.
    Durable {
        /// Its sequence number.
        seq: u64,
    },
    /// The button to speak is held: words count without the wake word, but for calls for help.
    Held,
    /// It was let go, and the ear has been told.
    Released,
    /// Words that were typed: everyday sentences only, never a call for help.
    Typed(&'a str),
    /// The cancel button was pressed.
    CancelButton,
    /// The time of the last [`Output::Timeout`] has come.
    Timeout,
}

/// Which request a reply belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PostToken {
    /// Asked at start, or to refresh the cache.
    Start(hearthline_emergency::lost_client::LostRequestId),
    /// Asked in the emergency call.
    Call(hearthline_emergency::lost_client::LostRequestId),
}

/// The light ring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Light {
    /// Dark.
    Off,
    /// The wake word was heard.
    Listening,
    /// A call is announced.
    Announcing,
    /// Asked, waiting for yes or no.
    Asking,
    /// Calling for help.
    Calling,
    /// A call-taker is on the line.
    Connected,
    /// Something needed is broken.
    Error,
    /// An ordinary call rings.
    Ringing,
    /// An ordinary call goes out or stands.
    OnCall,
    /// Somebody was let in without being answered: the microphone is open. Nothing turns it off.
    DropIn,
    /// Messages wait to be heard.
    Unread,
}

/// A step that people and programs follow: the timeline.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// The wake word.
    Wake {
        /// Keyword and score.
        keyword: String,
        /// Mean probability.
        score: f32,
        /// Sample index behind the word.
        at_sample: u64,
    },
    /// What was heard, and the verdict.
    Heard {
        /// What was said. Shown to the person here, kept in the ledger, never logged.
        transcript: String,
        /// Name and slots of the intent.
        intent: (String, std::collections::BTreeMap<String, String>),
        /// Where the speech ended.
        speech_end_sample: u64,
        /// When the verdict stood.
        decided_sample: u64,
    },
    /// What was decided.
    Decided {
        /// `emergency`, `ask`, `act`, `refuse` or `ignore`.
        decision: &'static str,
        /// Which rule.
        reason: &'static str,
        /// The service, for an emergency or a question.
        service: Option<String>,
    },
    /// An event of the emergency call, in words.
    Call {
        /// What happened.
        what: hearthline_emergency::call::EventKind,
        /// Call-ID, once there is one.
        call_id: Option<String>,
    },
    /// A call-taker answered, and the call goes over this transport.
    Carried {
        /// `TLS`, `TCP` or `UDP`.
        over: String,
    },
    /// Something happened to an ordinary call or to the registration with the hub; without names and numbers.
    Telephone {
        /// What happened.
        what: String,
    },
    /// Something happened to an everyday skill; without names and words.
    Skill {
        /// What happened.
        what: String,
    },
    /// Sound flows both ways.
    Media {
        /// What happened.
        what: String,
    },
    /// The device said something.
    Said {
        /// The words.
        text: String,
    },
    /// The interaction is over.
    Ended {
        /// How.
        outcome: &'static str,
    },
    /// Something needed does not work.
    Trouble {
        /// What, and how to mend it.
        what: String,
    },
}

/// What the device wants done.
#[derive(Debug)]
#[must_use = "a dropped output is a lost message"]
pub enum Output {
    /// Send a SIP message.
    Sip {
        /// Where to.
        target: Target,
        /// The message.
        bytes: Vec<u8>,
    },
    /// Close a SIP connection.
    CloseStream {
        /// By which transport.
        transport: Transport,
        /// The peer.
        remote: SocketAddr,
    },
    /// Send RTP.
    Rtp {
        /// Where to.
        to: SocketAddr,
        /// The packet.
        bytes: Vec<u8>,
    },
    /// Send RTCP.
    Rtcp {
        /// Where to.
        to: SocketAddr,
        /// The packet.
        bytes: Vec<u8>,
    },
    /// Send sound of an ordinary call, or its reports.
    Media {
        /// From this address of ours.
        from: SocketAddr,
        /// Where to.
        to: SocketAddr,
        /// The packet.
        bytes: Vec<u8>,
    },
    /// Make an HTTP POST of `application/lost+xml`.
    Post {
        /// Given back with the reply.
        token: PostToken,
        /// URL, body and deadline.
        post: LostPost,
    },
    /// Keep something of the record.
    Keep(Keep),
    /// Keep this as the LoST cache.
    KeepLostCache(Vec<u8>),
    /// Keep this for the next start: [`HomeConfig::known_keys`](crate::telephone::HomeConfig::known_keys).
    KeepKnownKeys(Vec<u8>),
    /// Keep this for the next start: messages that the hub does not have yet, for `Device::restore_outbox`.
    KeepOutbox(Vec<u8>),
    /// Ask the hub's API, then report the answer by [`Input::Hub`]. Nothing of an emergency ever goes this way.
    Hub {
        /// Names it.
        request: RequestId,
        /// What is asked.
        what: Request,
    },
    /// Tell this behind what is being said, then report [`Input::Told`]. [`Output::Hush`] ends it without a report.
    Tell {
        /// Names it.
        id: TellId,
        /// What is told, in order.
        parts: Vec<Part>,
    },
    /// Say this, then report [`Input::SpeechEnded`].
    Say(String),
    /// Stop speaking at once.
    Hush,
    /// Play call audio: 20 ms at 16 kHz.
    Play(Vec<i16>),
    /// The household has these names: the ear knows better where a sentence with one of them ends.
    KnowNames(Vec<String>),
    /// The household's everyday sentences: the ear reads them.
    KnowSentences(Arc<Everyday>),
    /// Keep this of a skill, then report [`Input::KeptOf`].
    KeepOf {
        /// Whose: the name of its file.
        skill: &'static str,
        /// Given back.
        token: u64,
        /// What is kept.
        bytes: Vec<u8>,
        /// Behind what was kept before, not instead of it.
        appends: bool,
    },
    /// For a skill's adapter to the outside.
    Out {
        /// Whose.
        skill: &'static str,
        /// In the words of the two.
        value: serde_json::Value,
    },
    /// What a skill holds has changed: for pages and the hub.
    Show {
        /// Whose.
        skill: &'static str,
        /// As the pages show it.
        value: serde_json::Value,
    },
    /// Play this tone until another comes; none: silence.
    Tone(Option<Tone>),
    /// Set the loudspeaker to this volume, in percent.
    Volume(u8),
    /// Show this light.
    Light(Light),
    /// Listen for an answer without the wake word for so long.
    ListenForReply {
        /// In milliseconds.
        ms: u32,
    },
    /// Tell whoever watches.
    Step(Step),
    /// Nothing more now; hand in [`Input::Timeout`] at this time, or whatever happens first.
    Timeout(Option<Duration>),
}
