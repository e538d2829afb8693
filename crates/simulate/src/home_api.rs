//! A home's HTTP API in memory: messages once each, mailboxes of rooms, settings of calls.
use std::collections::{BTreeMap, BTreeSet};

use hearthline_media::G722Decoder;
use hearthline_speaker::messages::{
    Content, Document, Envelope, Letter, Mailbox, Outcome, Request, To, Wish,
};
use serde_json::{Value, json};

/// A stored message.
#[derive(Debug, Clone)]
pub struct Stored {
    /// Its id.
    pub id: String,
    /// The room that sent it.
    pub from: String,
    /// The rooms that have not heard it.
    pub unheard: BTreeSet<String>,
    /// The rooms that have heard it.
    pub read: BTreeSet<String>,
    /// What it was sent as.
    pub letter: Letter,
    sent_at_unix_ms: i64,
}

/// The API.
#[derive(Debug, Default)]
pub struct HomeApi {
    /// Everything stored, in order.
    pub messages: Vec<Stored>,
    /// What rooms want of calls, the newest last.
    pub wishes: BTreeMap<String, Vec<Wish>>,
    /// Does what it is asked, and its answer gets lost.
    pub loses_answers: bool,
    /// Refuses every wish about calls with this status.
    pub refuses_wishes: Option<u16>,
    /// How often it was asked to store a message.
    pub sends: usize,
    /// The copies of the rooms' agendas.
    pub agendas: BTreeMap<String, Value>,
    /// Light orders that were answered, and why they were not done.
    pub ended_orders: Vec<(String, Option<String>)>,
}

impl HomeApi {
    /// Does what a room asks; the rooms whose mailboxes changed come with it.
    pub fn ask(
        &mut self,
        room: &str,
        rooms: &[String],
        request: Request,
        unix_ms: i64,
    ) -> (Outcome, Vec<String>) {
        let (outcome, changed) = self.carry_out(room, rooms, request, unix_ms);
        if self.loses_answers {
            return (Outcome::Away, changed);
        }
        (outcome, changed)
    }

    fn carry_out(
        &mut self,
        room: &str,
        rooms: &[String],
        request: Request,
        unix_ms: i64,
    ) -> (Outcome, Vec<String>) {
        match request {
            Request::Send(letter) => self.send(room, rooms, letter, unix_ms),
            Request::Voice { message } => {
                let found = self.messages.iter().find(|stored| stored.id == message);
                let Some(Content::Voice { g722, .. }) = found.map(|stored| &stored.letter.content)
                else {
                    return (Outcome::Refused(404), Vec::new());
                };
                let mut samples = Vec::new();
                G722Decoder::new().decode(g722, &mut samples);
                (Outcome::Voice(samples), Vec::new())
            }
            Request::Read { message, .. } | Request::Delete { message, .. } => {
                for stored in self
                    .messages
                    .iter_mut()
                    .filter(|stored| stored.id == message)
                {
                    if stored.unheard.remove(room) {
                        stored.read.insert(room.to_owned());
                    }
                }
                (Outcome::Done, vec![room.to_owned()])
            }
            Request::Agenda => {
                let copy = self.agendas.get(room).cloned();
                let said = json!({ "copy": copy });
                (Outcome::Document(Document(said)), Vec::new())
            }
            Request::KeepAgenda(Document(copy)) => {
                let refused = self.agendas.get(room).is_some_and(|kept| {
                    let same = kept["journal"] == copy["journal"];
                    let older = copy["revision"].as_u64() < kept["revision"].as_u64();
                    let replaces = copy["instead_of"] == kept["journal"];
                    (same && older) || (!same && !replaces)
                });
                if refused {
                    return (Outcome::Refused(409), Vec::new());
                }
                self.agendas.insert(room.to_owned(), copy);
                (Outcome::Done, Vec::new())
            }
            // Rooms alone are of this home: nobody has a phone.
            Request::FindPhone { .. } => (Outcome::Refused(404), Vec::new()),
            Request::LightOrderEnded { order, why } => {
                self.ended_orders.push((order, why));
                (Outcome::Done, Vec::new())
            }
            Request::Settings(_) if self.refuses_wishes.is_some() => {
                let status = self.refuses_wishes.unwrap_or_default();
                (Outcome::Refused(status), Vec::new())
            }
            Request::Settings(wish) => {
                self.wishes.entry(room.to_owned()).or_default().push(wish);
                (Outcome::Done, Vec::new())
            }
        }
    }

    fn send(
        &mut self,
        room: &str,
        rooms: &[String],
        letter: Letter,
        unix_ms: i64,
    ) -> (Outcome, Vec<String>) {
        self.sends += 1;
        let same = |stored: &&Stored| stored.letter.client_id == letter.client_id;
        if self.messages.iter().any(|stored| same(&stored)) {
            return (Outcome::Done, Vec::new());
        }
        let to: BTreeSet<String> = match &letter.to {
            To::Called(name) => rooms.iter().filter(|room| *room == name).cloned().collect(),
            To::Speakers => rooms
                .iter()
                .filter(|other| *other != room)
                .cloned()
                .collect(),
        };
        if to.is_empty() {
            return (Outcome::Refused(404), Vec::new());
        }
        self.messages.push(Stored {
            id: format!("m{}", self.messages.len() + 1),
            from: room.to_owned(),
            unheard: to.clone(),
            read: BTreeSet::new(),
            letter,
            sent_at_unix_ms: unix_ms,
        });
        (Outcome::Done, to.into_iter().collect())
    }

    /// What a room has not heard.
    #[must_use]
    pub fn unheard(&self, room: &str) -> Vec<Envelope> {
        let waiting = self
            .messages
            .iter()
            .filter(|stored| stored.unheard.contains(room));
        waiting
            .map(|stored| {
                let text = match &stored.letter.content {
                    Content::Text(text) => Some(text.clone()),
                    Content::Voice { .. } => None,
                };
                Envelope {
                    id: stored.id.clone(),
                    mailbox: Mailbox::Device,
                    from: format!("the {}", stored.from),
                    sent_at_unix_ms: stored.sent_at_unix_ms,
                    voice: text.is_none(),
                    text,
                    announcement: stored.letter.announcement,
                    reminder_due_ms: stored.letter.reminder_due_ms,
                }
            })
            .collect()
    }
}
