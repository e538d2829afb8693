//! From the household's events to those who chose to be told of them while nobody looks at the app.
//!
//! ```text
//! events ─► what is it, whose is it? ─┬► push    the browsers of those people that chose this topic
//!                                     └► notify  the home's services that chose it: ntfy, Gotify, a webhook
//! ```
//! What is told is of a kind, and for browsers an id: never a name, a number or a text.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::call::{Call, CallState, Direction};
use crate::event::{Audience, Event, EventKind};
use crate::feed::Feed;
use crate::home::Home;
use crate::id::{LineId, PersonId};
use crate::line::LineHealth;
use crate::notify::{Topic, post_patiently};
use crate::person::{Party, Role};
use crate::push::{PushWord, send_to};
use crate::store::Answer;

/// Calls and incidents that were told of, so that each is told once.
const TOLD_MAX: usize = 256;
/// An event that is older is not told of any more: the phone was off, the call is over.
const FRESH_MS: i64 = 60_000;
/// What services show above the words.
const TITLE: &str = "Hearthline";

/// One piece of news: what services call it, their words, and what browsers are told.
struct News {
    topic: Topic,
    event: &'static str,
    words: &'static str,
    push: PushWord,
}

const MESSAGE: News = News {
    topic: Topic::Messages,
    event: "message",
    words: "A message waits.",
    push: PushWord::Message,
};
const CALL: News = News {
    topic: Topic::Calls,
    event: "call",
    words: "A call rings.",
    push: PushWord::Call,
};
const MISSED: News = News {
    topic: Topic::MissedCalls,
    event: "missed_call",
    words: "A call was not taken.",
    push: PushWord::Missed,
};
const LINE_DOWN: News = News {
    topic: Topic::LineHealth,
    event: "line_down",
    words: "A line of the home fails.",
    push: PushWord::Line,
};
const LINE_UP: News = News {
    topic: Topic::LineHealth,
    event: "line_up",
    words: "A line of the home works again.",
    push: PushWord::Line,
};
const INCIDENT: News = News {
    topic: Topic::Incidents,
    event: "incident",
    words: "Drill: a call for help was recorded.",
    push: PushWord::Incident,
};

/// What was told before.
#[derive(Default)]
struct Told {
    subjects: VecDeque<(Topic, String)>,
    lines: BTreeMap<LineId, LineHealth>,
}

/// Follows until the hub stops.
pub(crate) async fn follow(home: Arc<Home>, mut feed: Feed, mut stop: watch::Receiver<bool>) {
    let mut told = Told::default();
    if let Ok(lines) = home.store.lines().await {
        told.lines = lines.iter().map(|line| (line.id, line.health)).collect();
    }
    if let Err(error) = home.triggers.read_called(&home).await {
        tracing::warn!(%error, "no call waits for a browser that is closed");
    }
    loop {
        let events = tokio::select! {
            _ = stop.wait_for(|stop| *stop) => return,
            events = feed.next() => events,
        };
        let Ok(events) = events else {
            tokio::time::sleep(Duration::from_secs(1)).await;
            continue;
        };
        for event in events {
            if event.at.plus_ms(FRESH_MS) < home.clock.now() {
                continue;
            }
            if let Err(error) = tell(&home, &event, &mut told).await {
                tracing::warn!(%error, "nobody is told of an event");
            }
        }
    }
}

async fn tell(home: &Arc<Home>, event: &Event, told: &mut Told) -> Answer<()> {
    match (event.kind, event.audience) {
        (EventKind::MessageQueued, Audience::Mailbox(Party::Person(person)))
            if wanted(home, Topic::Messages).await? =>
        {
            spread(home, &MESSAGE, &[person], &event.subject).await?;
        }
        // Where nobody wants to be told, no call is looked up.
        (EventKind::Calls, _)
            if wanted(home, Topic::Calls).await? || wanted(home, Topic::MissedCalls).await? =>
        {
            of_call(home, event, told).await?;
        }
        (EventKind::Lines, _) => of_lines(home, event, told).await?,
        (EventKind::Incidents, _) if wanted(home, Topic::Incidents).await? => {
            let Ok(id) = event.subject.parse() else {
                return Ok(());
            };
            let incident = home.store.incident(id).await?;
            // Its bundle may come much later.
            let fresh = incident.received_at_ms.plus_ms(FRESH_MS) >= event.at;
            if fresh && told.first(Topic::Incidents, &event.subject) {
                spread(home, &INCIDENT, &grown(home).await?, &event.subject).await?;
            }
        }
        _ => {}
    }
    Ok(())
}

impl Told {
    /// Whether this was not told of before; from now on it was.
    fn first(&mut self, topic: Topic, subject: &str) -> bool {
        let of = |(kind, id): &(Topic, String)| *kind == topic && id == subject;
        if self.subjects.iter().any(of) {
            return false;
        }
        if self.subjects.len() == TOLD_MAX {
            self.subjects.pop_front();
        }
        self.subjects.push_back((topic, subject.to_owned()));
        true
    }
}

async fn of_call(home: &Arc<Home>, event: &Event, told: &mut Told) -> Answer<()> {
    let Ok(id) = event.subject.parse() else {
        return Ok(());
    };
    let call = home.store.call(id).await?;
    let news = match call.state {
        // A call for help is for nobody of the home.
        _ if call.emergency => return Ok(()),
        CallState::Early => &CALL,
        CallState::Missed => &MISSED,
        CallState::Confirmed | CallState::Ended => return Ok(()),
    };
    let people = rung(home, &call).await?;
    if !people.is_empty() && told.first(news.topic, &event.subject) {
        spread(home, news, &people, &event.subject).await?;
    }
    Ok(())
}

/// Whom a call is for.
async fn rung(home: &Home, call: &Call) -> Answer<Vec<PersonId>> {
    match (call.direction, call.other_device) {
        (Direction::Incoming, _) => grown(home).await,
        (Direction::Inside, Some(device)) => {
            let device = home.store.device(device).await?;
            Ok(device.fields.person.into_iter().collect())
        }
        _ => Ok(Vec::new()),
    }
}

async fn of_lines(home: &Arc<Home>, event: &Event, told: &mut Told) -> Answer<()> {
    let lines = home.store.lines().await?;
    let line = lines
        .iter()
        .find(|line| line.id.to_string() == event.subject);
    let before = line.and_then(|line| told.lines.get(&line.id).copied());
    told.lines = lines.iter().map(|line| (line.id, line.health)).collect();
    let news = match (before.unwrap_or_default(), line.map(|line| line.health)) {
        (LineHealth::Down, Some(LineHealth::Up)) => &LINE_UP,
        (LineHealth::Up | LineHealth::Unknown, Some(LineHealth::Down)) => &LINE_DOWN,
        _ => return Ok(()),
    };
    if wanted(home, Topic::LineHealth).await? {
        spread(home, news, &grown(home).await?, &event.subject).await?;
    }
    Ok(())
}

async fn grown(home: &Home) -> Answer<Vec<PersonId>> {
    let people = home.store.people().await?;
    let grown = people
        .iter()
        .filter(|person| matches!(person.fields.role, Role::Owner | Role::Adult));
    Ok(grown.map(|person| person.id).collect())
}

async fn wanted(home: &Home, topic: Topic) -> Answer<bool> {
    home.triggers.is_told(home, topic).await
}

/// To these people's browsers and to the home's services, as each chose.
async fn spread(home: &Arc<Home>, news: &News, people: &[PersonId], subject: &str) -> Answer<()> {
    for person in people {
        send_to(home, *person, news.push, subject).await?;
    }
    for target in &home.triggers.routines(home).await?.targets {
        if !target.tells.contains(&news.topic) {
            continue;
        }
        let Ok(place) = home.triggers.places.clone().try_acquire_owned() else {
            tracing::warn!("too many notifications at once; one is not sent");
            continue;
        };
        let post = target.post(news.event, Some(TITLE), news.words);
        tokio::spawn(async move {
            let _place = place;
            if let Err(error) = post_patiently(&post).await {
                tracing::warn!(%error, "a notification did not get there");
            }
        });
    }
    Ok(())
}
