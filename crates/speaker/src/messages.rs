//! Messages: sent, heard, announced, and what the hub is told about calls, by way of the hub's API.
//!
//! ```text
//! intent ─► asking ─► outbox ──► Hub(Send) ─► answer ─► told
//! room, ear ─► recording ──┘
//! hub's news ─► inbox ─► chime, light ─► playing ─► Tell ─► Hub(Read)
//! ```
//! Sans-IO like the device around it. Everything here gives way: the wake word ends what plays and what is recorded, and
//! an emergency call keeps all of it silent ([`Messages::stand_back`]). Nothing in here can make a permission to call for
//! help, and a message that says "call 911" to the room ends itself at its own wake word.
mod asking;
pub mod exchange;
mod inbox;
mod outbox;
mod playing;
mod recording;
mod sending;
mod wishes;
mod words;

use core::time::Duration;
use std::collections::{BTreeMap, VecDeque};

use hearthline_sip::tokens::Tokens;
use hearthline_voice::understand::judge::Understanding;

pub use exchange::{
    Caller, Content, Document, Envelope, Forward, Letter, Mailbox, News, Outcome, Output, Part,
    Request, RequestId, TellId, To, Wish,
};
use inbox::Inbox;
use outbox::Outbox;
pub use outbox::{OUTBOX_BYTES_MAX, OUTBOX_MAX};
use playing::Playing;
pub use recording::RECORDING_MAX;
use recording::{Heard, Recording};

/// What a device does with messages now.
enum Activity {
    Idle,
    Recording(Box<Recording>),
    Playing(Playing),
}

/// What an open request was for.
enum Purpose {
    /// The first of the outbox.
    Letter,
    /// The voice of the message that plays.
    Voice,
    /// A message was heard or deleted.
    Mark(String),
    /// What calls do; and, when the person waits to be told, whom calls go to as it is spoken.
    Wish(Wish, Option<String>),
}

/// Messages of a device.
pub struct Messages {
    joined: bool,
    is_reachable: bool,
    emergency: bool,
    engaged: bool,
    do_not_disturb: bool,
    wall_ms_at_zero: u64,
    tokens: Tokens,
    inbox: Inbox,
    outbox: Outbox,
    /// What the hub could not be told yet.
    wishes: Vec<Wish>,
    activity: Activity,
    /// Announcements that wait for the room.
    due: VecDeque<String>,
    /// The message that was told last: "again", "delete it".
    current: Option<Envelope>,
    /// When a message was told last.
    told_at: Option<Duration>,
    open: BTreeMap<RequestId, Purpose>,
    last_request: u64,
    last_tell: u64,
    shown: bool,
    outputs: VecDeque<Output>,
}

impl Messages {
    /// Of a device that belongs to no home yet.
    #[must_use]
    pub fn new(tokens: Tokens, wall_ms_at_zero: u64) -> Self {
        Self {
            joined: false,
            is_reachable: false,
            emergency: false,
            engaged: false,
            do_not_disturb: false,
            wall_ms_at_zero,
            tokens,
            inbox: Inbox::default(),
            outbox: Outbox::default(),
            wishes: Vec::new(),
            activity: Activity::Idle,
            due: VecDeque::new(),
            current: None,
            told_at: None,
            open: BTreeMap::new(),
            last_request: 0,
            last_tell: 0,
            shown: false,
            outputs: VecDeque::new(),
        }
    }

    /// Belongs to a home from now on.
    pub fn join(&mut self) {
        self.joined = true;
    }

    /// Whether it belongs to a home.
    #[must_use]
    pub fn is_joined(&self) -> bool {
        self.joined
    }

    /// What the disk kept of messages that the hub did not have.
    pub fn restore(&mut self, bytes: &[u8]) {
        self.outbox.restore(bytes);
    }

    /// Whether something is being recorded, told or fetched.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        !matches!(self.activity, Activity::Idle)
    }

    /// Whether a message sounds in the room.
    #[must_use]
    pub fn is_playing(&self) -> bool {
        matches!(self.activity, Activity::Playing(_))
    }

    /// Whether what is said now belongs to a message.
    #[must_use]
    pub fn is_recording(&self) -> bool {
        matches!(self.activity, Activity::Recording(_))
    }

    /// Whether messages wait to be heard: the light.
    #[must_use]
    pub fn has_unheard(&self) -> bool {
        !self.inbox.is_empty()
    }

    /// Something else needs the room: a call, a question, somebody who is being heard. Nothing chimes or plays by itself.
    pub fn set_engaged(&mut self, engaged: bool) {
        self.engaged = engaged;
    }

    /// Nothing chimes or plays by itself.
    pub fn set_do_not_disturb(&mut self, on: bool) {
        self.do_not_disturb = on;
    }

    /// An emergency call begins: what sounds stops, what is recorded is forgotten, and nothing begins until
    /// [`Messages::resume_service`].
    pub fn stand_back(&mut self) {
        if !core::mem::replace(&mut self.emergency, true) {
            self.interrupt("the emergency call comes first");
        }
    }

    /// The emergency call is over.
    pub fn resume_service(&mut self) {
        if core::mem::replace(&mut self.emergency, false) {
            self.outputs.push_back(Output::Light);
        }
    }

    /// What sounds stops, what is recorded is forgotten; a message that was not heard to its end stays unheard.
    pub fn interrupt(&mut self, why: &str) {
        match core::mem::replace(&mut self.activity, Activity::Idle) {
            Activity::Idle => return,
            Activity::Recording(_) => self.step(format!("a recording was given up: {why}")),
            Activity::Playing(_) => self.step(format!("a message was interrupted: {why}")),
        }
        self.outputs.push_back(Output::Hush);
        self.outputs.push_back(Output::Light);
    }

    /// Sound of the room, 16 kHz.
    pub fn microphone(&mut self, samples: &[i16]) {
        if let Activity::Recording(recording) = &mut self.activity
            && !recording.microphone(samples)
        {
            self.recorded();
        }
    }

    /// The ear hears a voice.
    pub fn voice_started(&mut self) {
        if let Activity::Recording(recording) = &mut self.activity {
            recording.voice_started();
        }
    }

    /// A sentence was said without the wake word while a message is recorded.
    pub fn sentence(&mut self, understood: &Understanding, now: Duration) {
        let Activity::Recording(recording) = &mut self.activity else {
            return;
        };
        match recording.sentence(understood, now) {
            Heard::More => self.outputs.push_back(Output::Listen),
            Heard::Cancelled => {
                self.activity = Activity::Idle;
                self.outputs.push_back(Output::Light);
                self.say(words::NOT_SENT);
            }
        }
    }

    /// The ear waited in vain.
    pub fn nothing_said(&mut self) {
        if self.is_recording() {
            self.recorded();
        }
    }

    /// How long a sentence without the wake word still belongs to a message.
    #[must_use]
    pub fn listens_for(&self, now: Duration) -> Duration {
        match &self.activity {
            Activity::Recording(recording) => recording.listens_for(now),
            _ => Duration::ZERO,
        }
    }

    /// What was told is over.
    pub fn told(&mut self, id: TellId, now: Duration) {
        match &mut self.activity {
            Activity::Recording(recording) if recording.question == id => {
                recording.open(now);
                self.step("a message is being recorded".into());
                self.outputs.push_back(Output::Listen);
            }
            Activity::Playing(playing) if playing.tells(id) => self.heard(now),
            _ => {}
        }
    }

    /// The hub says something.
    pub fn news(&mut self, news: News, now: Duration) {
        match news {
            News::Reachable(reachable) => {
                self.is_reachable = reachable;
                if reachable {
                    self.outbox.hub_is_there();
                    self.tell_marks();
                    for wish in core::mem::take(&mut self.wishes) {
                        self.ask(Request::Settings(wish.clone()), Purpose::Wish(wish, None));
                    }
                }
            }
            News::Unheard(unheard) => self.arrived(unheard, now),
            News::Settings { do_not_disturb } => {
                let open = self
                    .open
                    .values()
                    .any(|purpose| matches!(purpose, Purpose::Wish(Wish::DoNotDisturb(_), _)));
                let kept = self
                    .wishes
                    .iter()
                    .any(|wish| matches!(wish, Wish::DoNotDisturb(_)));
                // What was said here last and the hub does not know yet is newer.
                if !open && !kept {
                    self.do_not_disturb = do_not_disturb;
                }
            }
            // The skills'.
            News::LightOrders(_) => {}
            News::Answer { request, outcome } => self.answered(request, outcome, now),
        }
    }

    /// Whether nothing rings here, as said here or kept at the hub.
    #[must_use]
    pub fn is_undisturbed(&self) -> bool {
        self.do_not_disturb
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, now: Duration) {
        if let Activity::Recording(recording) = &self.activity
            && recording.is_overdue(now)
        {
            self.recorded();
        }
    }

    /// Lets what waits go on; true when something happened.
    pub fn run(&mut self, now: Duration) -> bool {
        let before = self.outputs.len();
        if self.joined
            && let Some(letter) = self.outbox.due(now)
        {
            let letter = letter.clone();
            let request = self.ask(Request::Send(letter), Purpose::Letter);
            self.outbox.asks(request);
        }
        if !self.emergency && !self.engaged && !self.is_busy() && !self.do_not_disturb {
            self.announce_due(now);
        }
        if self.has_unheard() != self.shown {
            self.shown = self.has_unheard();
            self.outputs.push_back(Output::Light);
        }
        self.outputs.len() > before
    }

    /// What to do next.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When [`Messages::handle_timeout`] is due.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Duration> {
        let recording = match &self.activity {
            Activity::Recording(recording) => recording.poll_timeout(),
            _ => None,
        };
        let outbox = self.outbox.poll_timeout().filter(|_| self.joined);
        [recording, outbox].into_iter().flatten().min()
    }

    fn answered(&mut self, request: RequestId, outcome: Outcome, now: Duration) {
        let Some(purpose) = self.open.remove(&request) else {
            return;
        };
        match purpose {
            Purpose::Letter if self.outbox.asked(request) => self.letter_answered(&outcome, now),
            Purpose::Letter => {}
            Purpose::Voice => self.voice_came(outcome),
            Purpose::Mark(message) => {
                if outcome != Outcome::Away {
                    self.inbox.hub_knows(&message);
                }
            }
            Purpose::Wish(wish, spoken) => self.wish_answered(wish, spoken, &outcome),
        }
    }

    fn ask(&mut self, request: Request, purpose: Purpose) -> RequestId {
        self.last_request += 1;
        let id = RequestId(self.last_request);
        self.open.insert(id, purpose);
        self.outputs.push_back(Output::Hub(id, request));
        id
    }

    fn tell(&mut self, parts: Vec<Part>) -> TellId {
        self.last_tell += 1;
        let id = TellId(self.last_tell);
        self.outputs.push_back(Output::Tell(id, parts));
        id
    }

    fn say(&mut self, text: impl Into<String>) {
        self.outputs.push_back(Output::Say(text.into()));
    }

    fn step(&mut self, what: String) {
        self.outputs.push_back(Output::Step(what));
    }

    fn wall_ms(&self, now: Duration) -> i64 {
        let ms = self.wall_ms_at_zero + u64::try_from(now.as_millis()).unwrap_or(0);
        i64::try_from(ms).unwrap_or(i64::MAX)
    }
}
