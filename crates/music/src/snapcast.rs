//! The control protocol of Snapcast (JSON-RPC 2.0, a line each), sans-IO: rooms, and which of them sound.
//!
//! A room is a client of the server, called as its owner named it. "Move the music to the bedroom": the bedroom's group
//! gets the stream of this room, is let sound, and every other room that had that stream becomes silent.
use core::time::Duration;
use std::collections::VecDeque;

use serde_json::{Value, json};

use crate::library::fold;
use crate::order::Told;

/// Longest line, in bytes: the status of a large house.
pub const LINE_BYTES_MAX: usize = 1_024 * 1_024;
/// Most rooms.
const ROOMS_MAX: usize = 256;
/// How long an order may take.
const ANSWER_MAX: Duration = Duration::from_millis(1_500);
/// How long a connection may take, until it has told of its rooms.
const OPEN_MAX: Duration = Duration::from_millis(1_500);
/// Wait before it is tried again.
const RETRY: Duration = Duration::from_secs(10);

/// What is wanted of the outside.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// Open a connection.
    Connect,
    /// Close it.
    Close,
    /// Send this.
    Send(Vec<u8>),
    /// For the skill.
    Told(Told),
    /// Nothing more until then.
    Timeout(Option<Duration>),
}

/// A room as the server has it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Room {
    name: String,
    client: String,
    group: String,
    stream: String,
    muted: bool,
    percent: u64,
}

#[derive(Debug)]
struct Wanted {
    token: u64,
    room: String,
    only: bool,
    until: Duration,
}

#[derive(Debug, PartialEq, Eq)]
enum Link {
    Away { again: Duration },
    Opening { until: Duration },
    Up,
}

/// A client of one server.
#[derive(Debug)]
pub struct Rooms {
    here: String,
    link: Link,
    bytes: Vec<u8>,
    rooms: Vec<Room>,
    known: bool,
    playing: Option<String>,
    ids: u64,
    /// Ids of requests of the order that is under way, and its token and deadline.
    under_way: Option<(Vec<u64>, u64, Duration)>,
    wanted: VecDeque<Wanted>,
    outputs: VecDeque<Output>,
}

impl Rooms {
    /// Of a speaker in this room.
    #[must_use]
    pub fn new(here: &str) -> Self {
        Self {
            here: here.to_owned(),
            link: Link::Away {
                again: Duration::ZERO,
            },
            bytes: Vec::new(),
            rooms: Vec::new(),
            known: false,
            playing: None,
            ids: 0,
            under_way: None,
            wanted: VecDeque::new(),
            outputs: VecDeque::new(),
        }
    }

    /// Let the music sound in a room: there only, or there too. A room of no name: everywhere.
    pub fn handle_room(&mut self, token: u64, room: &str, only: bool, now: Duration) {
        let until = now + ANSWER_MAX;
        let room = room.to_owned();
        self.wanted.push_back(Wanted {
            token,
            room,
            only,
            until,
        });
        if matches!(self.link, Link::Away { .. }) {
            self.open(now);
        }
        self.go_on(now);
    }

    /// The connection stands.
    pub fn handle_connected(&mut self, now: Duration) {
        if matches!(self.link, Link::Opening { .. }) {
            self.link = Link::Up;
            self.bytes.clear();
            self.known = false;
            self.look();
            self.go_on(now);
        }
    }

    /// The connection failed or ended; why, in a few words.
    pub fn handle_closed(&mut self, why: &str, now: Duration) {
        if !matches!(self.link, Link::Away { .. }) {
            self.away(why, now);
        }
    }

    /// Bytes of the server.
    pub fn handle_bytes(&mut self, bytes: &[u8], now: Duration) {
        if self.link != Link::Up {
            return;
        }
        self.bytes.extend_from_slice(bytes);
        while let Some(end) = self.bytes.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.bytes.drain(..=end).collect();
            let Ok(value) = serde_json::from_slice::<Value>(&line) else {
                self.outputs.push_back(Output::Close);
                self.away("it does not speak like one", now);
                return;
            };
            self.line(&value, now);
        }
        if self.bytes.len() > LINE_BYTES_MAX {
            self.outputs.push_back(Output::Close);
            self.away("it sends more than anybody asked for", now);
        }
    }

    /// The time of [`Output::Timeout`] has come.
    pub fn handle_timeout(&mut self, now: Duration) {
        match self.link {
            Link::Away { again } if again <= now => self.open(now),
            Link::Opening { until } if until <= now => {
                self.outputs.push_back(Output::Close);
                self.away("nobody answers", now);
            }
            _ => {
                let late = |until: &Duration| *until <= now;
                let under_way = self.under_way.as_ref().map(|(.., until)| *until);
                let waiting = self.wanted.front().map(|wanted| wanted.until);
                if under_way.iter().chain(&waiting).any(late) {
                    self.outputs.push_back(Output::Close);
                    self.away("it stopped answering", now);
                }
            }
        }
    }

    /// What is wanted.
    pub fn poll_output(&mut self) -> Output {
        self.outputs.pop_front().unwrap_or_else(|| {
            Output::Timeout(match self.link {
                Link::Away { again } => Some(again),
                Link::Opening { until } => Some(until),
                Link::Up => {
                    let under_way = self.under_way.as_ref().map(|(.., until)| *until);
                    under_way.or(self.wanted.front().map(|wanted| wanted.until))
                }
            })
        })
    }

    fn open(&mut self, now: Duration) {
        self.link = Link::Opening {
            until: now + OPEN_MAX,
        };
        self.outputs.push_back(Output::Connect);
    }

    fn away(&mut self, why: &str, now: Duration) {
        self.link = Link::Away { again: now + RETRY };
        self.bytes.clear();
        self.known = false;
        let why = format!("I can't reach the Snapcast server: {why}.");
        let tokens: Vec<u64> = self
            .under_way
            .take()
            .map(|(_, token, _)| token)
            .into_iter()
            .chain(self.wanted.drain(..).map(|wanted| wanted.token))
            .collect();
        for token in tokens {
            let why = why.clone();
            self.outputs
                .push_back(Output::Told(Told::Failed { token, why }));
        }
    }

    fn request(&mut self, method: &str, params: &Value) -> u64 {
        self.ids += 1;
        let request = json!({"jsonrpc": "2.0", "id": self.ids, "method": method, "params": params});
        let mut line = request.to_string().into_bytes();
        line.extend(b"\r\n");
        self.outputs.push_back(Output::Send(line));
        self.ids
    }

    fn look(&mut self) {
        self.request("Server.GetStatus", &json!({}));
    }

    fn line(&mut self, value: &Value, now: Duration) {
        // A status comes as an answer and as a notification.
        for path in ["/result/server", "/params/server"] {
            if let Some(server) = value
                .pointer(path)
                .filter(|server| server.get("groups").is_some())
            {
                self.status(server);
            }
        }
        let Some(id) = value.get("id").and_then(Value::as_u64) else {
            let method = value
                .get("method")
                .and_then(Value::as_str)
                .unwrap_or_default();
            let news = [
                "Client.OnConnect",
                "Client.OnDisconnect",
                "Client.OnNameChanged",
                "Group.OnStreamChanged",
                "Stream.OnUpdate",
            ];
            if news.contains(&method) {
                self.look();
            }
            self.go_on(now);
            return;
        };
        if let Some((ids, token, _)) = &mut self.under_way {
            let token = *token;
            let ours = ids.contains(&id);
            ids.retain(|other| *other != id);
            let over = ids.is_empty();
            if ours && let Some(error) = value.get("error") {
                let text = error
                    .get("message")
                    .and_then(Value::as_str)
                    .unwrap_or("no reason");
                let plain: String = text.chars().filter(|c| !c.is_control()).take(100).collect();
                let why = format!("The Snapcast server refused that: {plain}.");
                self.under_way = None;
                self.outputs
                    .push_back(Output::Told(Told::Failed { token, why }));
            } else if ours && over {
                self.under_way = None;
                self.outputs.push_back(Output::Told(Told::Done { token }));
                self.look();
            }
        }
        self.go_on(now);
    }

    fn status(&mut self, server: &Value) {
        let list = |value: &Value, key: &str| {
            value
                .get(key)
                .and_then(Value::as_array)
                .cloned()
                .unwrap_or_default()
        };
        let text = |value: &Value, path: &str| {
            value
                .pointer(path)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        let mut rooms = Vec::new();
        for group in list(server, "groups") {
            for client in list(&group, "clients") {
                let named = text(&client, "/config/name");
                let name = if named.is_empty() {
                    text(&client, "/host/name")
                } else {
                    named
                };
                if name.is_empty() || rooms.len() >= ROOMS_MAX {
                    continue;
                }
                let flag = |value: &Value, path: &str| {
                    value
                        .pointer(path)
                        .and_then(Value::as_bool)
                        .unwrap_or(false)
                };
                rooms.push(Room {
                    name,
                    client: text(&client, "/id"),
                    group: text(&group, "/id"),
                    stream: text(&group, "/stream_id"),
                    muted: flag(&client, "/config/volume/muted") || flag(&group, "/muted"),
                    percent: client
                        .pointer("/config/volume/percent")
                        .and_then(Value::as_u64)
                        .unwrap_or(100),
                });
            }
        }
        self.playing = list(server, "streams")
            .iter()
            .find(|stream| stream.get("status").and_then(Value::as_str) == Some("playing"))
            .map(|stream| text(stream, "/id"));
        let names = |rooms: &[Room]| {
            rooms
                .iter()
                .map(|room| room.name.clone())
                .collect::<Vec<_>>()
        };
        if names(&rooms) != names(&self.rooms) || !self.known {
            let names = names(&rooms);
            self.outputs.push_back(Output::Told(Told::Rooms { names }));
        }
        self.rooms = rooms;
        self.known = true;
    }

    fn go_on(&mut self, now: Duration) {
        if self.link != Link::Up || !self.known || self.under_way.is_some() {
            return;
        }
        let Some(wanted) = self.wanted.pop_front() else {
            return;
        };
        let token = wanted.token;
        let everywhere = wanted.room.is_empty();
        let is_wanted = |room: &Room| everywhere || fold(&room.name) == fold(&wanted.room);
        let here = self
            .rooms
            .iter()
            .find(|room| fold(&room.name) == fold(&self.here));
        let stream = (here
            .filter(|here| !here.muted)
            .map(|here| here.stream.clone()))
        .or_else(|| self.playing.clone())
        .or_else(|| here.map(|here| here.stream.clone()))
        .or_else(|| {
            self.rooms
                .iter()
                .find(|room| is_wanted(room))
                .map(|room| room.stream.clone())
        });
        let (Some(stream), true) = (stream, self.rooms.iter().any(is_wanted)) else {
            let why = format!("The Snapcast server knows no room called {}.", wanted.room);
            self.outputs
                .push_back(Output::Told(Told::Failed { token, why }));
            self.go_on(now);
            return;
        };
        let mut requests: Vec<(&str, Value)> = Vec::new();
        for room in &self.rooms {
            let volume = |muted: bool| json!({"id": room.client, "volume": {"muted": muted, "percent": room.percent}});
            if is_wanted(room) {
                if room.stream != stream {
                    requests.push((
                        "Group.SetStream",
                        json!({"id": room.group, "stream_id": stream}),
                    ));
                }
                requests.push(("Group.SetMute", json!({"id": room.group, "mute": false})));
                requests.push(("Client.SetVolume", volume(false)));
            } else if wanted.only && room.stream == stream && !room.muted {
                requests.push(("Client.SetVolume", volume(true)));
            }
        }
        let ids = requests
            .into_iter()
            .map(|(method, params)| self.request(method, &params))
            .collect();
        self.under_way = Some((ids, token, now + ANSWER_MAX));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn status() -> Vec<u8> {
        let client = |id: &str, name: &str, muted: bool| json!({"id": id, "config": {"name": name, "volume": {"muted": muted, "percent": 60}}, "host": {"name": "box"}});
        let groups = json!([
            {"id": "g1", "stream_id": "mpd", "muted": false, "clients": [client("c1", "Kitchen", false)]},
            {"id": "g2", "stream_id": "other", "muted": true, "clients": [client("c2", "Bedroom", true)]},
        ]);
        let streams =
            json!([{"id": "mpd", "status": "playing"}, {"id": "other", "status": "idle"}]);
        let line = json!({"id": 1, "jsonrpc": "2.0", "result": {"server": {"groups": groups, "streams": streams}}});
        format!("{line}\r\n").into_bytes()
    }

    fn drained(rooms: &mut Rooms) -> Vec<Output> {
        let mut out = Vec::new();
        loop {
            match rooms.poll_output() {
                Output::Timeout(_) => return out,
                output => out.push(output),
            }
        }
    }

    #[test]
    fn music_moves_to_a_room_and_leaves_this_one() {
        let now = Duration::ZERO;
        let mut rooms = Rooms::new("Kitchen");
        rooms.handle_timeout(now);
        rooms.handle_connected(now);
        rooms.handle_bytes(&status(), now);
        let told = drained(&mut rooms);
        assert!(told.contains(&Output::Told(Told::Rooms {
            names: vec!["Kitchen".into(), "Bedroom".into()]
        })));
        rooms.handle_room(9, "bedroom", true, now);
        let sent: Vec<Value> = drained(&mut rooms)
            .into_iter()
            .filter_map(|output| match output {
                Output::Send(line) => serde_json::from_slice(&line).ok(),
                _ => None,
            })
            .collect();
        let said: Vec<String> = sent
            .iter()
            .map(|value| format!("{} {}", value["method"], value["params"]))
            .collect();
        assert_eq!(
            said,
            [
                r#""Client.SetVolume" {"id":"c1","volume":{"muted":true,"percent":60}}"#,
                r#""Group.SetStream" {"id":"g2","stream_id":"mpd"}"#,
                r#""Group.SetMute" {"id":"g2","mute":false}"#,
                r#""Client.SetVolume" {"id":"c2","volume":{"muted":false,"percent":60}}"#,
            ]
        );
        for value in &sent {
            rooms.handle_bytes(
                format!("{}\r\n", json!({"id": value["id"], "result": {}})).as_bytes(),
                now,
            );
        }
        assert!(drained(&mut rooms).contains(&Output::Told(Told::Done { token: 9 })));
    }

    #[test]
    fn a_server_that_is_away_or_silent_is_told() {
        let now = Duration::ZERO;
        let mut rooms = Rooms::new("Kitchen");
        rooms.handle_room(1, "bedroom", true, now);
        rooms.handle_closed("the connection was refused", now);
        let why = "I can't reach the Snapcast server: the connection was refused.".to_owned();
        assert!(drained(&mut rooms).contains(&Output::Told(Told::Failed { token: 1, why })));
        rooms.handle_room(2, "bedroom", true, now);
        rooms.handle_connected(now);
        rooms.handle_timeout(now + ANSWER_MAX);
        let failed =
            |output: &Output| matches!(output, Output::Told(Told::Failed { token: 2, .. }));
        assert!(drained(&mut rooms).iter().any(failed));
    }

    proptest! {
        #[test]
        fn any_bytes_are_borne(bytes: Vec<u8>) {
            let mut rooms = Rooms::new("Kitchen");
            rooms.handle_timeout(Duration::ZERO);
            rooms.handle_connected(Duration::ZERO);
            rooms.handle_bytes(&status(), Duration::ZERO);
            rooms.handle_room(1, "bedroom", true, Duration::ZERO);
            rooms.handle_bytes(&bytes, Duration::ZERO);
            rooms.handle_bytes(b"\n", Duration::ZERO);
        }
    }
}
