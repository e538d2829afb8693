//! Timers, alarms, reminders, stopwatch and lists as a skill of the device: [`hearthline_skills::agenda`] under the seam.
use core::time::Duration;
use std::collections::{BTreeMap, VecDeque};

use hearthline_ledger::{Human, Speech};
use hearthline_skills::agenda::Agenda;
use hearthline_skills::exchange::{self, Answer, Ask, Bell, HubAnswer, Note, Output, ToHub};
use hearthline_skills::item::{About, Item, Line, TimerState};
use hearthline_skills::mirror;
pub use hearthline_skills::sentences::{SentenceFile, of as sentences_of};
pub use hearthline_skills::zone::{TZIF_BYTES_MAX, Zone, ZoneError};
use hearthline_voice::understand::household::{Directory, Whom};
use hearthline_voice::understand::sentences::{Datum, Recognition};
use serde_json::{Value, json};

use super::{Asked, AtHome, Deed, Engaged, Event, FromHub, Happened, Own, Reply, Ringing, Skill};
use crate::messages::{Content, Document, Letter, Outcome, Request, To};
use crate::telephone::Addressee;

/// The agenda of a device.
pub struct AgendaSkill {
    agenda: Agenda,
    ready: VecDeque<Deed>,
    /// Where the device stands, until the clock is known.
    zone: Option<Zone>,
    /// Names a journal that begins here.
    journal: u64,
    /// It has changed since it was last shown.
    changed: bool,
    now: Duration,
}

impl AgendaSkill {
    /// In the zone where the device stands.
    #[must_use]
    pub fn new(zone: Zone) -> Self {
        Self {
            agenda: Agenda::new(zone.clone(), 0),
            zone: Some(zone),
            journal: 0,
            ready: VecDeque::new(),
            changed: false,
            now: Duration::ZERO,
        }
    }

    /// Names the journal that is begun if none is found, so that the hub of the home keeps a copy: any number but 0.
    #[must_use]
    pub fn with_journal(mut self, name: u64) -> Self {
        self.journal = name;
        self
    }

    /// Takes over what the agenda wants.
    fn drain(&mut self, now: Duration) {
        self.now = now;
        loop {
            let deed = match self.agenda.poll_output() {
                Output::Append { token, bytes } => Deed::Append { token, bytes },
                Output::Replace { token, bytes } => Deed::Keep { token, bytes },
                Output::Say(text) => Deed::Say(text),
                Output::Answer { token, text } => {
                    let reply = Reply::Words(text);
                    Deed::Answer { token, reply }
                }
                Output::Ring(bell) => Deed::Ring(bell.map(ringing)),
                Output::Do(sentence) => Deed::Do(sentence),
                Output::Note(note) => {
                    if let Note::Rings(bell, _) = note {
                        let own = match bell {
                            Bell::Timer => Own::TimerEnds,
                            Bell::Alarm => Own::AlarmRings,
                            Bell::Reminder => Own::ReminderRings,
                        };
                        self.ready.push_back(Deed::Happened(Happened::Own(own)));
                    }
                    if let Some(entry) = record(note) {
                        self.ready.push_back(entry);
                    }
                    Deed::Step(step(note))
                }
                Output::Changed => {
                    self.changed = true;
                    continue;
                }
                Output::Hub { token, what } => Deed::Hub {
                    token,
                    what: request(what),
                },
                Output::Timeout(_) => break,
            };
            self.ready.push_back(deed);
        }
        if core::mem::take(&mut self.changed) {
            self.ready.push_back(Deed::Show(self.shown()));
        }
    }

    fn reply(&mut self, answer: Answer, now: Duration) -> Reply {
        self.drain(now);
        match answer {
            Answer::Other => Reply::Other,
            Answer::Silent => Reply::Silent,
            Answer::Later(token) => Reply::Later(token),
            Answer::Words(words) => Reply::Words(words),
            Answer::Refused(words) => Reply::Refused(words),
            Answer::Question(words) => Reply::Question(words),
        }
    }

    /// What pages show. Times are wall clock, so that a page counts by itself.
    fn shown(&self) -> Value {
        let (mut timers, mut alarms) = (Vec::new(), Vec::new());
        let mut lists: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
        let mut stopwatch = Value::Null;
        for shown in self.agenda.timers(self.now) {
            let timer = shown.timer;
            let (due_ms, paused) = match timer.state {
                TimerState::Running { due_ms } => (Some(due_ms), false),
                TimerState::Paused { .. } => (None, true),
            };
            timers.push(json!({
                "id": shown.id.0,
                "name": timer.name.as_ref().map(|name| &name.0),
                "length_ms": timer.length_ms,
                "left_ms": shown.left_ms,
                "due_ms": due_ms,
                "paused": paused,
                "command": timer.command.as_ref().map(|command| &command.0),
            }));
        }
        for (id, item) in self.agenda.items() {
            match item {
                Item::Timer(_) => {}
                Item::Alarm(alarm) => {
                    let (text, to) = match &alarm.about {
                        About::Waking => (None, None),
                        About::Reminder { text, to, .. } => {
                            (Some(&text.0), to.as_ref().map(|to| &to.0))
                        }
                    };
                    alarms.push(json!({
                        "id": id.0,
                        "rings_ms": alarm.rings_ms(),
                        "repeats": alarm.rule.repeats(),
                        "snoozed": alarm.snoozed_ms.is_some(),
                        "text": text,
                        "to": to,
                    }));
                }
                Item::Stopwatch(watch) => {
                    stopwatch = json!({
                        "counted_ms": watch.counted_ms,
                        "since_ms": watch.since_ms,
                        "laps": watch.laps,
                    });
                }
                Item::Line(Line { list, text, done }) => {
                    let line = json!({"id": id.0, "text": text.0, "done": done});
                    lists.entry(&list.0).or_default().push(line);
                }
            }
        }
        json!({"timers": timers, "alarms": alarms, "lists": lists, "stopwatch": stopwatch})
    }
}

impl AgendaSkill {
    fn ask(&mut self, asked: &Asked<'_>, slots: &BTreeMap<String, String>, now: Duration) -> Reply {
        let ask = Ask {
            intent: &asked.meant.intent,
            slots,
        };
        let answer = self.agenda.handle_ask(&ask, now);
        self.reply(answer, now)
    }

    /// Who in the home is to be reminded.
    fn find_whom(
        &self,
        asked: &Asked<'_>,
        home: AtHome<'_>,
        slots: &mut BTreeMap<String, String>,
        now: Duration,
    ) {
        let ask = Ask {
            intent: &asked.meant.intent,
            slots,
        };
        let Some(who) = self.agenda.whom(&ask, now) else {
            return;
        };
        if Directory::<()>::default().find(&who) == Whom::Everyone {
            slots.insert("whom_everyone".into(), who);
            slots.insert("whom_spoken".into(), "everyone".into());
            return;
        }
        let (slot, value) = match home.0(&who) {
            Addressee::Home { user, spoken } => {
                slots.insert("whom_spoken".into(), spoken);
                ("whom_user", user)
            }
            Addressee::Several { said, .. } => ("whom_several", said),
            Addressee::Number { .. } | Addressee::Unclear(_) => ("whom_unknown", who),
        };
        slots.insert(slot.into(), value);
    }
}

impl Skill for AgendaSkill {
    fn name(&self) -> &'static str {
        "agenda"
    }

    fn take(&mut self, asked: &Asked<'_>, now: Duration) -> Reply {
        self.ask(asked, &slots(asked.meant), now)
    }

    fn take_at_home(&mut self, asked: &Asked<'_>, home: AtHome<'_>, now: Duration) -> Reply {
        let mut slots = slots(asked.meant);
        if asked.meant.intent == "ReminderSet" {
            self.find_whom(asked, home, &mut slots, now);
        }
        self.ask(asked, &slots, now)
    }

    fn answer(&mut self, said: &str, now: Duration) -> Reply {
        let answer = self.agenda.handle_answer(said, now);
        self.reply(answer, now)
    }

    fn handle(&mut self, event: Event<'_>, now: Duration) {
        match event {
            Event::Restored(bytes) => self.agenda.handle_restored(bytes, now),
            Event::Kept(token) => self.agenda.handle_kept(token, now),
            Event::Engaged(engaged) => {
                let engaged = match engaged {
                    Engaged::Free => exchange::Engaged::Free,
                    Engaged::Talking => exchange::Engaged::Talking,
                    Engaged::OnCall => exchange::Engaged::OnCall,
                    Engaged::Emergency => exchange::Engaged::Emergency,
                };
                self.agenda.handle_engaged(engaged, now);
            }
            Event::Happened(_) => {}
            // The first time is no step of the clock.
            Event::Wall { ms_at_zero } => match self.zone.take() {
                Some(zone) => {
                    self.agenda = Agenda::new(zone, ms_at_zero).with_journal(self.journal);
                }
                None => self.agenda.handle_wall(ms_at_zero, now),
            },
            // It has no adapter.
            Event::Came(_) => {}
            Event::Timeout => self.agenda.handle_timeout(now),
        }
        self.drain(now);
    }

    fn hub(&mut self, said: FromHub<'_>, now: Duration) {
        match said {
            FromHub::There(there) => self.agenda.handle_hub_there(there, now),
            FromHub::Answer { token, outcome } => {
                self.agenda.handle_hub_answer(token, answer(outcome), now);
            }
        }
        self.drain(now);
    }

    fn poll_deed(&mut self) -> Option<Deed> {
        self.ready.pop_front()
    }

    fn poll_timeout(&self) -> Option<Duration> {
        self.agenda.poll_timeout()
    }

    fn is_ringing(&self) -> bool {
        self.agenda.is_ringing()
    }
}

/// What the agenda asks, as the device asks it.
fn request(what: ToHub) -> Request {
    match what {
        ToHub::Read => Request::Agenda,
        ToHub::Keep(copy) => {
            Request::KeepAgenda(Document(serde_json::to_value(&*copy).unwrap_or_default()))
        }
        ToHub::Remind(remind) => Request::Send(Letter {
            client_id: remind.name,
            to: match remind.user {
                Some(user) => To::Called(user.0),
                None => To::Speakers,
            },
            content: Content::Text(remind.text.0),
            announcement: true,
            reminder_due_ms: Some(remind.due_ms),
        }),
    }
}

fn answer(outcome: &Outcome) -> HubAnswer {
    match outcome {
        Outcome::Done => HubAnswer::Done,
        Outcome::Document(Document(said)) => match mirror::read(said) {
            Some(copy) => HubAnswer::Copy(copy.map(Box::new)),
            None => HubAnswer::Away,
        },
        Outcome::Refused(status) => HubAnswer::Refused(*status),
        Outcome::Away | Outcome::Voice(_) => HubAnswer::Away,
    }
}

fn slots(meant: &Recognition) -> BTreeMap<String, String> {
    let text = |value: &Datum| match value {
        Datum::Text(text) => Some(text.clone()),
        Datum::Number(number) => Some(number.to_string()),
        Datum::Flag(flag) => Some(flag.to_string()),
        _ => None,
    };
    meant
        .slots
        .iter()
        .filter_map(|slot| Some((slot.name.clone(), text(&slot.value)?)))
        .collect()
}

fn ringing(bell: Bell) -> Ringing {
    match bell {
        Bell::Timer => Ringing::Timer,
        Bell::Alarm => Ringing::Alarm,
        Bell::Reminder => Ringing::Reminder,
    }
}

fn name(bell: Bell) -> &'static str {
    match bell {
        Bell::Timer => "timer",
        Bell::Alarm => "alarm",
        Bell::Reminder => "reminder",
    }
}

/// What the record says of it: never a word of a person's.
fn record(note: Note) -> Option<Deed> {
    let human = |what: &str, bell: Bell| {
        Deed::Record(
            Human {
                action: format!("{} {what}", name(bell)),
                by: "speech".to_owned(),
                effect: None,
            }
            .into(),
        )
    };
    Some(match note {
        Note::Set(bell, _) => human("set", bell),
        Note::Changed(bell) => human("changed", bell),
        Note::Stopped(bell) => human("stopped", bell),
        Note::Snoozed(bell, _) => human("snoozed", bell),
        Note::Rings(bell, _) => {
            let text = format!("the {} rings", name(bell)).into();
            Deed::Record(Speech { text }.into())
        }
        Note::Sent(_) => human("sent", Bell::Reminder),
        Note::Unheard(_)
        | Note::TakenBack(..)
        | Note::Done(_)
        | Note::NotDone(_)
        | Note::ClockSet(_)
        | Note::Recovered { .. } => return None,
    })
}

fn step(note: Note) -> String {
    match note {
        Note::Set(bell, ahead) => format!("{} set, rings in {ahead} ms", name(bell)),
        Note::Rings(bell, late) => format!("{} rings, {late} ms after its time", name(bell)),
        Note::Stopped(bell) => format!("{} stopped", name(bell)),
        Note::Snoozed(bell, ms) => format!("{} put off for {ms} ms", name(bell)),
        Note::Unheard(bell) => format!("{} has rung long enough; nobody stopped it", name(bell)),
        Note::Changed(bell) => format!("{} changed", name(bell)),
        Note::Done(late) => format!("a sentence for later is done, {late} ms after its time"),
        Note::NotDone(late) => {
            format!("a sentence for later is not done: {late} ms after its time")
        }
        Note::Sent(late) => {
            format!("a reminder went to somebody else, {late} ms after its time")
        }
        Note::TakenBack(back, over) => {
            format!("{back} things came back from the hub, and {over} whose time is over")
        }
        Note::ClockSet(by) => format!("the clock was set by {by} ms"),
        Note::Recovered {
            torn_bytes,
            damaged,
        } => format!(
            "the agenda's file lost an unfinished end of {torn_bytes} bytes; {damaged} damaged lines left out"
        ),
    }
}
