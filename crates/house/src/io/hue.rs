//! A Hue bridge: one connection to ask and order, one for its stream of events.
use std::time::Duration;

use hearthline_speaker::config::HueSettings;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use tokio::time::{Instant, sleep_until, timeout};

use super::dial::Dial;
use super::http::Client;
use super::secret::Secrets;
use super::{HUE, Wires};
use crate::backoff::Backoff;
use crate::exchange::{Order, What};
use crate::hue::{self, EventData, Told};
use crate::thing::{State, Thing};

/// Everything is asked for again this often, whatever the stream tells.
const ASK_EVERY: Duration = Duration::from_secs(60);
/// A stream that says nothing for so long is opened anew: the bridge sends a sign of life every few seconds.
const SILENCE_MAX: Duration = Duration::from_secs(90);

/// The task.
pub(super) struct Task {
    client: Client,
    events: Client,
    things: Vec<Thing>,
}

impl Task {
    pub(super) fn new(settings: &HueSettings, secrets: &Secrets) -> Result<Self, String> {
        let key = secrets.secret();
        let dial = Dial::new(settings.address, secrets.certificate())?;
        let client = || Client::new(dial.clone(), Some((hue::KEY_HEADER, key.to_string())));
        Ok(Self {
            client: client(),
            events: client(),
            things: Vec::new(),
        })
    }

    /// Asks, listens and orders until the skill is gone.
    pub(super) async fn run(mut self, mut wires: Wires) {
        let mut backoff = Backoff::default();
        loop {
            let Some(why) = self.connected(&mut wires, &mut backoff).await else {
                return;
            };
            let down = What::Down { why: why.clone() };
            if !wires.news(HUE, down).await {
                return;
            }
            let again = Instant::now() + backoff.wait(0);
            loop {
                tokio::select! {
                    () = sleep_until(again) => break,
                    orders = wires.orders.recv() => match orders {
                        Some(orders) => if !wires.refuse(HUE, &orders, &why).await { return },
                        None => return,
                    },
                }
            }
        }
    }

    /// Why it ended; none when the skill is gone.
    async fn connected(&mut self, wires: &mut Wires, backoff: &mut Backoff) -> Option<String> {
        if let Err(why) = self.ask_all(wires).await {
            return why;
        }
        let mut stream = match self.events.stream(hue::EVENTS).await {
            Ok(stream) => stream,
            Err(why) => return Some(why),
        };
        let mut data = EventData::default();
        backoff.reset();
        let mut ask_at = Instant::now() + ASK_EVERY;
        loop {
            tokio::select! {
                part = next(&mut stream) => {
                    let bytes = match part {
                        Ok(bytes) => bytes,
                        Err(why) => return Some(why),
                    };
                    let events = match data.push(&bytes) {
                        Ok(events) => events,
                        Err(error) => return Some(error.to_string()),
                    };
                    let told: Vec<Told> = events.iter().flat_map(|event| hue::event(event)).collect();
                    if told.contains(&Told::Anew) {
                        // Several that come together are asked about once.
                        ask_at = ask_at.min(Instant::now() + Duration::from_millis(300));
                    }
                    if !self.tell(wires, &told).await {
                        return None;
                    }
                }
                () = sleep_until(ask_at) => {
                    ask_at = Instant::now() + ASK_EVERY;
                    if let Err(why) = self.ask_all(wires).await {
                        return why;
                    }
                }
                orders = wires.orders.recv() => {
                    for order in orders? {
                        if !self.order(wires, &order).await {
                            return None;
                        }
                    }
                }
            }
        }
    }

    /// Asks for all there is. The error is none when the skill is gone.
    async fn ask_all(&mut self, wires: &Wires) -> Result<(), Option<String>> {
        let mut lists: [Vec<serde_json::Value>; 4] = Default::default();
        for (list, kind) in lists.iter_mut().zip(hue::KINDS) {
            let answer = self.client.send(&hue::asking(kind)).await.map_err(Some)?;
            *list = hue::data(&answer).map_err(Some)?;
        }
        let (areas, things) = hue::things(&lists);
        self.things.clone_from(&things);
        let told = wires.news(HUE, What::Up).await
            && wires.news(HUE, What::Things { areas, things }).await;
        if told { Ok(()) } else { Err(None) }
    }

    async fn tell(&mut self, wires: &Wires, told: &[Told]) -> bool {
        let mut states: Vec<(String, State)> = Vec::new();
        for told in told {
            if let Told::Light(id, light) = told
                && let Some(thing) = self.things.iter_mut().find(|thing| thing.id == *id)
                && hue::update(&mut thing.state, light)
            {
                states.push((id.clone(), thing.state.clone()));
            }
        }
        states.is_empty() || wires.news(HUE, What::States { states }).await
    }

    async fn order(&mut self, wires: &Wires, order: &Order) -> bool {
        let known = self.things.iter().find(|thing| thing.id == order.thing);
        let request =
            known.and_then(|thing| hue::ordering(&thing.id, &order.command, &thing.state));
        let Some(request) = request else {
            return wires
                .refuse(HUE, core::slice::from_ref(order), "it cannot do that")
                .await;
        };
        let answer = self.client.send(&request).await;
        let what = match answer.and_then(|answer| hue::data(&answer)) {
            Ok(_) => What::Done { order: order.id },
            Err(why) => What::Failed {
                order: order.id,
                why,
            },
        };
        wires.news(HUE, what).await
    }
}

async fn next(stream: &mut Incoming) -> Result<Vec<u8>, String> {
    match timeout(SILENCE_MAX, stream.frame()).await {
        Ok(Some(Ok(frame))) => Ok(frame
            .data_ref()
            .map(|data| data.to_vec())
            .unwrap_or_default()),
        Ok(Some(Err(_)) | None) => Err("its stream of events broke off".to_owned()),
        Err(_) => Err("its stream of events is silent".to_owned()),
    }
}
