//! A media player of Home Assistant's: its services for what it is told, and how it is out of its attributes.
use hearthline_speaker::player::{Asked, Doing, News, Order, State};
use serde_json::{Map, Value, json};

use super::{Client, Entity, Output, PENDING_MAX, Pending, Standing, short};
use crate::exchange::What;
use crate::wish::Wish;

/// What is kept of a media player beside what is kept of all things.
pub(super) const ATTRIBUTES: [&str; 9] = [
    "media_album_name",
    "media_artist",
    "media_channel",
    "media_duration",
    "media_position",
    "media_title",
    "repeat",
    "shuffle",
    "volume_level",
];
/// Longest title that is handed on, in characters.
const TEXT_CHARS_MAX: usize = 200;
/// Longest piece, in seconds.
const SECONDS_MAX: f64 = 1_000_000.0;

impl Client {
    /// The same, with a media player that music plays by.
    #[must_use]
    pub fn with_player(self, entity: &str) -> Self {
        let player = Some(entity.to_owned());
        Self { player, ..self }
    }

    /// Something for the media player.
    pub fn play(&mut self, asked: &Asked) {
        let Asked { token, order } = asked;
        let ready = self.standing == Standing::Known && self.pending.len() < PENDING_MAX;
        match (&self.player, ready) {
            (Some(_), true) => {
                let (service, data) = service(order);
                let searches = matches!(order, Order::Search { .. });
                let what = if searches {
                    Pending::Search(*token)
                } else {
                    Pending::Player(*token)
                };
                self.call_player(what, service, &data);
            }
            _ => self.player_failed(*token, "Home Assistant is not ready"),
        }
    }

    /// Looks for what a player of the house is to play; what it finds is played then.
    pub(super) fn find(&mut self, order: u64, entity: &str, wish: &Wish) {
        let Wish { words, class } = wish.clone();
        let named = (entity.to_owned(), words.clone());
        self.finding.insert(order, named);
        let (service, data) = service(&Order::Search { words, class });
        self.call_of(Pending::Find(order), entity, service, &data);
    }

    /// The first that was found is what the order asks for.
    fn found(&mut self, order: u64, result: Result<&Value, &str>) {
        let (entity, words) = self.finding.remove(&order).unwrap_or_default();
        let response = |result: &Value| result.get("response").cloned().unwrap_or_default();
        let why = match result.map(|result| best(&entity, &response(result))) {
            Ok(Some(data)) => {
                return self.call_of(Pending::Order(order), &entity, "play_media", &data);
            }
            Ok(None) => format!("it found nothing called {words}"),
            Err(why) => short(why),
        };
        self.tell(What::Failed { order, why });
    }

    fn call_player(&mut self, what: Pending, service: &str, data: &Value) {
        let entity = self.player.clone().unwrap_or_default();
        self.call_of(what, &entity, service, data);
    }

    fn call_of(&mut self, what: Pending, entity: &str, service: &str, data: &Value) {
        let mut call = json!({
            "type": "call_service",
            "domain": "media_player",
            "service": service,
            "service_data": data,
            "target": {"entity_id": entity},
        });
        if matches!(what, Pending::Search(_) | Pending::Find(_)) {
            call["return_response"] = true.into();
        }
        self.ask(what, call);
    }

    fn player_failed(&mut self, token: u64, why: &str) {
        let why = short(why);
        self.tell_player(News::Failed { token, why });
    }

    pub(super) fn tell_player(&mut self, news: News) {
        self.outputs.push_back(Output::Player(news));
    }

    /// Tells how the media player is.
    pub(super) fn show_player(&mut self) {
        let Some(id) = &self.player else { return };
        let away = |why: &str| News::Away {
            why: why.to_owned(),
        };
        let news = match self.entities.get(id) {
            None => away("Home Assistant has none of that name"),
            Some(entity) => state(entity).map_or_else(|| away("it cannot be reached"), News::State),
        };
        self.tell_player(news);
    }

    /// What became of an order of music.
    pub(super) fn player_result(&mut self, pending: Pending, result: Result<&Value, &str>) {
        match (pending, result) {
            (Pending::Search(token), Ok(result)) => {
                let entity = self.player.as_deref().unwrap_or_default();
                let response = result.get("response").unwrap_or(&Value::Null);
                match best(entity, response) {
                    Some(data) => self.call_player(Pending::Player(token), "play_media", &data),
                    None => self.player_failed(token, "it finds nothing of that name"),
                }
            }
            (Pending::Find(order), result) => self.found(order, result),
            (Pending::Player(token), Ok(_)) => self.tell_player(News::Done { token }),
            (Pending::Search(token) | Pending::Player(token), Err(why)) => {
                self.player_failed(token, why);
            }
            _ => {}
        }
    }
}

/// The service for an order, and its data.
fn service(order: &Order) -> (&'static str, Value) {
    match order {
        Order::Resume => ("media_play", json!({})),
        Order::Pause => ("media_pause", json!({})),
        Order::Stop => ("media_stop", json!({})),
        Order::Next => ("media_next_track", json!({})),
        Order::Previous => ("media_previous_track", json!({})),
        Order::Again => ("media_seek", json!({"seek_position": 0})),
        Order::Shuffle(on) => ("shuffle_set", json!({"shuffle": on})),
        Order::Repeat(mode) => ("repeat_set", json!({"repeat": mode})),
        Order::Volume(percent) => (
            "volume_set",
            json!({"volume_level": f64::from(*percent) / 100.0}),
        ),
        Order::Url(url) => (
            "play_media",
            json!({"media_content_id": url, "media_content_type": "music"}),
        ),
        Order::Search { words, class } => {
            let mut data = json!({"search_query": words});
            if let Some(class) = class {
                data["media_filter_classes"] = json!([class]);
            }
            ("search_media", data)
        }
    }
}

/// What is played of what a search found: its first that can be. `{"<entity>": {"result": […]}}`.
fn best(entity: &str, response: &Value) -> Option<Value> {
    let found = response.get(entity)?.get("result")?.as_array()?;
    found.iter().find_map(|one| {
        let id = one.get("media_content_id")?.as_str()?;
        let kind = one.get("media_content_type")?.as_str()?;
        (one.get("can_play") != Some(&Value::Bool(false)))
            .then(|| json!({"media_content_id": id, "media_content_type": kind}))
    })
}

/// How it is; none: it cannot be reached.
fn state(entity: &Entity) -> Option<State> {
    let doing = match entity.value.as_str() {
        "unavailable" => return None,
        "playing" | "buffering" => Doing::Playing,
        "paused" => Doing::Paused,
        _ => Doing::Stopped,
    };
    let of: &Map<String, Value> = &entity.attributes;
    let text = |key: &str| {
        let text = of.get(key).and_then(Value::as_str).unwrap_or_default();
        let plain = text.chars().filter(|letter| !letter.is_control());
        plain.take(TEXT_CHARS_MAX).collect()
    };
    let ms = |key: &str| {
        let seconds = of.get(key).and_then(Value::as_f64).unwrap_or(0.0);
        (seconds.clamp(0.0, SECONDS_MAX) * 1_000.0) as u64
    };
    let loud = of.get("volume_level").and_then(Value::as_f64);
    Some(State {
        doing,
        title: text("media_title"),
        artist: text("media_artist"),
        album: text("media_album_name"),
        station: text("media_channel"),
        position_ms: ms("media_position"),
        length_ms: ms("media_duration"),
        shuffle: of.get("shuffle") == Some(&Value::Bool(true)),
        repeat: text("repeat"),
        percent: loud.map(|level| (level.clamp(0.0, 1.0) * 100.0).round() as u8),
    })
}
