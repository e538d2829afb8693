//! The home by way of the hub's API: its events followed, its mailboxes, names and settings read, requests asked.
//!
//! ```text
//! events (SSE, resumed by Last-Event-ID) ─► what changed? ─► names, settings, messages read anew ─► device
//! device ─► request ─► HTTP ─► answer ─► device
//! ```
//! Nothing of an emergency goes this way, and nothing here holds up the device: both are tasks of their own.
mod events;
mod light_orders;
mod requests;

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use tokio::sync::mpsc;

use super::api::{Asked, Client};
use super::directory;
use super::home::HomeNews;
use super::store::random;
use crate::messages::{Envelope, Mailbox, News, RequestId};
use events::{Event, Events};

/// First and longest wait before the stream is opened anew.
const AGAIN_MIN: Duration = Duration::from_secs(1);
const AGAIN_MAX: Duration = Duration::from_secs(30);
/// Events that come together are looked at together.
const TOGETHER: Duration = Duration::from_millis(3);
/// Most of them.
const TOGETHER_MAX: usize = 1_000;
/// Messages that are looked at at once: what is more follows when these are heard.
const UNHEARD_MAX: usize = 200;

/// Serves requests until the device is gone.
pub(super) async fn serve(
    asked: Asked,
    user: String,
    mut requests: mpsc::Receiver<(RequestId, crate::messages::Request)>,
    news: mpsc::Sender<HomeNews>,
) {
    let mut client = Client::new(asked);
    while let Some((request, what)) = requests.recv().await {
        let outcome = requests::carry_out(&mut client, &user, what).await;
        let answer = News::Answer { request, outcome };
        if news.send(HomeNews::Hub(answer)).await.is_err() {
            return;
        }
    }
}

/// Follows the hub until the device is gone.
pub(super) async fn follow(asked: Asked, user: String, news: mpsc::Sender<HomeNews>) {
    let mut following = Following {
        client: Client::new(asked.clone()),
        user,
        news,
        last: None,
        household: None,
        trouble: None,
    };
    let mut again = AGAIN_MIN;
    let mut moved = asked.moved.clone();
    loop {
        let mut stream = Client::new(asked.clone());
        let broke = match Events::open(&mut stream, following.last).await {
            Ok(events) => {
                let (read, broke) = tokio::select! {
                    ended = following.read(events) => ended,
                    Ok(()) = moved.changed() => {
                        again = AGAIN_MIN;
                        continue;
                    }
                };
                if read {
                    again = AGAIN_MIN;
                }
                broke
            }
            Err(why) => Broke::Trouble(why),
        };
        let told = match broke {
            Broke::Gone => return,
            Broke::Trouble(why) => following.tell_trouble(why).await,
        };
        if told.is_err() || following.tell(News::Reachable(false)).await.is_err() {
            return;
        }
        tokio::time::sleep(spread(again)).await;
        again = (again * 2).min(AGAIN_MAX);
    }
}

/// Half of it to all of it: a thousand speakers do not come back in the same moment.
fn spread(wait: Duration) -> Duration {
    let part = random().map_or(255, |bytes| bytes[0]);
    wait / 2 + wait * u32::from(part) / 510
}

/// Why a stream is read no longer.
enum Broke {
    /// Nobody listens any more.
    Gone,
    /// The hub, or the way to it.
    Trouble(String),
}

impl From<Gone> for Broke {
    fn from(_: Gone) -> Self {
        Self::Gone
    }
}

/// The device is gone.
struct Gone;

struct Following {
    client: Client,
    user: String,
    news: mpsc::Sender<HomeNews>,
    /// The newest event that was seen, for resuming.
    last: Option<i64>,
    household: Option<directory::Household>,
    trouble: Option<String>,
}

/// What is to be read anew.
#[derive(Debug, Clone, Copy, Default)]
struct Stale {
    names: bool,
    settings: bool,
    messages: bool,
    lights: bool,
}

impl Stale {
    const ALL: Self = Self {
        names: true,
        settings: true,
        messages: true,
        lights: true,
    };

    fn add(&mut self, event: &Event) {
        match event.kind.as_str() {
            "message_queued" | "message_state" => self.messages = true,
            "light_order_queued" => self.lights = true,
            "rooms" | "contacts" => self.names = true,
            "devices" | "people" | "device_revoked" => {
                self.names = true;
                self.settings = true;
            }
            "reset" => *self = Self::ALL,
            _ => {}
        }
    }
}

impl Following {
    /// Reads a stream to its end; whether anything could be read, and why it ended.
    async fn read(&mut self, mut events: Events) -> (bool, Broke) {
        // A stream that was resumed brings what has changed; a new one begins with all there is.
        let mut stale = match self.last {
            Some(_) if self.household.is_some() => Stale::default(),
            _ => Stale::ALL,
        };
        let mut read = false;
        loop {
            if let Err(broke) = self.refresh(stale).await {
                return (read, broke);
            }
            if !read {
                read = true;
                self.trouble = None;
                if self.tell(News::Reachable(true)).await.is_err() {
                    return (read, Broke::Gone);
                }
            }
            stale = Stale::default();
            let mut next = events.next().await;
            let mut together = 1;
            loop {
                match next {
                    Ok(event) => {
                        stale.add(&event);
                        self.last = event.id.or(self.last);
                    }
                    Err(why) => return (read, Broke::Trouble(why)),
                }
                together += 1;
                if together > TOGETHER_MAX {
                    break;
                }
                match tokio::time::timeout(TOGETHER, events.next()).await {
                    Ok(more) => next = more,
                    Err(_) => break,
                }
            }
        }
    }

    async fn refresh(&mut self, stale: Stale) -> Result<(), Broke> {
        if stale.names {
            let household = directory::fetch(&mut self.client).await;
            let household = household.map_err(Broke::Trouble)?;
            if self.household.as_ref().map(|known| &known.names) != Some(&household.names) {
                let names = HomeNews::Names(household.names.clone());
                self.news.send(names).await.map_err(|_| Broke::Gone)?;
            }
            self.household = Some(household);
        }
        if stale.settings {
            let path = requests::settings_path(&self.user);
            let settings: Settings = self.client.get(&path).await.map_err(Broke::Trouble)?;
            let do_not_disturb = settings.do_not_disturb;
            self.tell(News::Settings { do_not_disturb }).await?;
        }
        if stale.messages {
            let unheard = self.unheard().await.map_err(Broke::Trouble)?;
            self.tell(News::Unheard(unheard)).await?;
        }
        if stale.lights {
            let orders = light_orders::waiting(&mut self.client).await;
            let orders = orders.map_err(Broke::Trouble)?;
            if !orders.is_empty() {
                self.tell(News::LightOrders(orders)).await?;
            }
        }
        Ok(())
    }

    /// What nobody has heard, of both mailboxes. The hub is told that it is here.
    async fn unheard(&mut self) -> Result<Vec<Envelope>, String> {
        let mut all = Vec::new();
        for (mailbox, name) in [(Mailbox::Device, "device"), (Mailbox::Person, "person")] {
            let path = format!("/api/v1/messages?unread=true&limit={UNHEARD_MAX}&mailbox={name}");
            let answer = self.client.send(hyper::Method::GET, &path, None).await?;
            // A device of nobody has no person's mailbox.
            if mailbox == Mailbox::Person && answer.status == hyper::StatusCode::BAD_REQUEST {
                continue;
            }
            if !answer.status.is_success() {
                return Err(format!("messages: the hub says {}", answer.status));
            }
            let read: Listed = serde_json::from_slice(&answer.body)
                .map_err(|error| format!("messages: {error}"))?;
            let queued = read.messages.iter().filter(|one| one.state == "queued");
            let queued: Vec<&str> = queued.map(|one| one.id.as_str()).collect();
            if !queued.is_empty() {
                requests::acknowledge(&mut self.client, &queued, name, "delivered").await?;
            }
            let household = self.household.as_ref();
            let senders = household.map(|household| &household.senders);
            all.extend(
                read.messages
                    .into_iter()
                    .map(|one| one.envelope(mailbox, senders)),
            );
        }
        all.sort_by_key(|envelope| envelope.sent_at_unix_ms);
        Ok(all)
    }

    async fn tell(&self, news: News) -> Result<(), Gone> {
        self.news.send(HomeNews::Hub(news)).await.map_err(|_| Gone)
    }

    /// Says once why the home cannot be followed.
    async fn tell_trouble(&mut self, why: String) -> Result<(), Gone> {
        if self.trouble.as_ref() == Some(&why) {
            return Ok(());
        }
        self.trouble = Some(why.clone());
        let told = HomeNews::Trouble(format!(
            "the names and messages of the home cannot be read: {why}"
        ));
        self.news.send(told).await.map_err(|_| Gone)
    }
}

#[derive(Deserialize)]
struct Settings {
    #[serde(default)]
    do_not_disturb: bool,
}

#[derive(Deserialize)]
struct Listed {
    messages: Vec<Stored>,
}

#[derive(Deserialize)]
struct Stored {
    id: String,
    from: Sender,
    text: Option<String>,
    voice: Option<String>,
    #[serde(default)]
    announcement: bool,
    reminder_due_ms: Option<i64>,
    sent_at_ms: i64,
    state: String,
}

#[derive(Deserialize)]
struct Sender {
    #[serde(default)]
    id: String,
}

impl Stored {
    fn envelope(self, mailbox: Mailbox, senders: Option<&BTreeMap<String, String>>) -> Envelope {
        let from = senders.and_then(|senders| senders.get(&self.from.id).cloned());
        Envelope {
            id: self.id,
            mailbox,
            from: from.unwrap_or_else(|| "somebody of the home".into()),
            sent_at_unix_ms: self.sent_at_ms,
            text: self.text,
            voice: self.voice.is_some(),
            announcement: self.announcement,
            reminder_due_ms: self.reminder_due_ms,
        }
    }
}
