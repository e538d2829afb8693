//! A WLED controller: asked every few seconds, told at once.
use std::time::Duration;

use hearthline_speaker::config::WledSettings;
use tokio::time::{Instant, sleep_until};

use super::Wires;
use super::dial::Dial;
use super::http::Client;
use crate::exchange::{Order, What};
use crate::thing::{Area, Thing};
use crate::wled;

/// How often its state is asked for.
const ASK_EVERY: Duration = Duration::from_secs(5);

/// The task.
pub(super) struct Task {
    key: String,
    thing: Thing,
    client: Client,
    is_up: Option<bool>,
}

impl Task {
    pub(super) fn new(settings: &WledSettings, key: &str) -> Result<Self, String> {
        let thing = wled::strip(&settings.name, settings.room.as_deref());
        Ok(Self {
            key: key.to_owned(),
            thing: thing.ok_or("name: give one that can be said")?,
            client: Client::new(Dial::new(settings.address, None)?, None),
            is_up: None,
        })
    }

    /// Asks and tells until the skill is gone.
    pub(super) async fn run(mut self, mut wires: Wires) {
        let areas = self.thing.area.iter().map(|name| Area {
            name: name.clone(),
            aliases: Vec::new(),
            floor: None,
        });
        let all = What::Things {
            areas: areas.collect(),
            things: vec![self.thing.clone()],
        };
        if !wires.news(&self.key, all).await {
            return;
        }
        let mut ask_at = Instant::now();
        loop {
            tokio::select! {
                () = sleep_until(ask_at) => {
                    ask_at = Instant::now() + ASK_EVERY;
                    let told = self.client.send(&wled::asking()).await;
                    let told = told.and_then(|answer| wled::state(&answer));
                    if !self.tell(&wires, told).await {
                        return;
                    }
                }
                orders = wires.orders.recv() => match orders {
                    Some(orders) => for order in orders {
                        if !self.order(&wires, &order).await {
                            return;
                        }
                    },
                    None => return,
                },
            }
        }
    }

    async fn order(&mut self, wires: &Wires, order: &Order) -> bool {
        let Some(request) = wled::ordering(&order.command) else {
            return wires
                .refuse(&self.key, core::slice::from_ref(order), "it cannot do that")
                .await;
        };
        let told = self.client.send(&request).await;
        let told = told.and_then(|answer| wled::state(&answer));
        let what = match &told {
            Ok(_) => What::Done { order: order.id },
            Err(why) => What::Failed {
                order: order.id,
                why: why.clone(),
            },
        };
        self.tell(wires, told).await && wires.news(&self.key, what).await
    }

    async fn tell(&mut self, wires: &Wires, told: Result<crate::thing::State, String>) -> bool {
        match told {
            Ok(state) => {
                if self.is_up != Some(true) {
                    self.is_up = Some(true);
                    if !wires.news(&self.key, What::Up).await {
                        return false;
                    }
                }
                if state == self.thing.state {
                    return true;
                }
                self.thing.state = state.clone();
                let states = vec![(wled::THING.to_owned(), state)];
                wires.news(&self.key, What::States { states }).await
            }
            Err(why) => {
                if self.is_up == Some(false) {
                    return true;
                }
                self.is_up = Some(false);
                wires.news(&self.key, What::Down { why }).await
            }
        }
    }
}
