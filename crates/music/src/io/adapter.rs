//! The adapter: orders of the skill to who can do them, and what they tell back.
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use hearthline_speaker::config::MusicSettings;
use hearthline_speaker::io::skills::{Fitted, port};
use hearthline_speaker::player::{self, Orderer};
use hearthline_speaker::skill::Skill;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::http::Certificates;
use super::link::{News, Ordered, drive};
use super::setup::{Anew, Control, Parts, settings};
use super::{folders, http, reading, remote};
use crate::library::{Library, Shelf};
use crate::mpd::client::Client;
use crate::order::{Asked, Doing, Duck, Order, Told};
use crate::own::sound::{Sound, sound};
use crate::own::{Event, Output, Own};
use crate::skill::MusicSkill;
use crate::snapcast::Rooms;
use crate::subsonic::{self, Account};
use crate::track::{Player, Playlist, System, Track};

/// Orders that wait for a server.
const ORDERS_MAX: usize = 64;
/// How long until a server that was away is asked for its music again.
const LOOK_AGAIN: Duration = Duration::from_secs(60);

/// What of a household concerns music.
#[derive(Debug)]
pub struct Household {
    /// `[music]`
    pub music: MusicSettings,
    /// The room of this speaker.
    pub room: String,
    /// The way to the media player of `[music] home_assistant`.
    pub remote: Option<Orderer>,
    /// Where it is told which rooms music has by itself.
    pub rooms: player::Rooms,
}

/// What one system has, and why it has no more: whole sentences.
pub(super) type Have = (Vec<(System, Track)>, Vec<(System, Playlist)>, Vec<String>);

/// The skill with its adapter, which runs on a thread of its own, so that nothing of music holds up a call; by what it is
/// set up anew; and what is to be told. Without any music set up the skill says so.
#[must_use]
pub fn fit(household: Household) -> (Fitted, Control, Vec<String>) {
    let Household {
        music,
        room,
        remote,
        rooms,
    } = household;
    let mut notices = Vec::new();
    let shelf = Shelf::default();
    let skill = MusicSkill::new(settings(&music, &room), shelf.clone()).with_rooms(rooms);
    let skill: Box<dyn Skill> = Box::new(skill);
    let parts = Parts::read(music, None, &mut notices);
    let running = parts.clone();
    let (anew, comes) = mpsc::unbounded_channel();
    let (mut port, outside) = port();
    let (events, heard) = mpsc::unbounded_channel();
    let (sound, source) = sound(events.clone());
    port.music = Some(Box::new(source));
    let started = std::thread::Builder::new()
        .name("music".into())
        .spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            // Without one the skill says that nothing answers.
            let Ok(runtime) = runtime else { return };
            runtime.block_on(async {
                let (found, finds) = mpsc::channel(ORDERS_MAX);
                let mut adapter = Adapter {
                    parts: Parts::default(),
                    room,
                    shelf,
                    own: Own::new(seed()),
                    sound,
                    events,
                    mpd: None,
                    remote: None,
                    plays: BTreeSet::new(),
                    duck: Duck::Full,
                    rooms: None,
                    tell: outside.tell,
                    have: BTreeMap::new(),
                    looks: BTreeMap::new(),
                    found,
                    shelving: false,
                    shelve_again: false,
                };
                adapter.takes(Anew { parts, remote });
                adapter.run(outside.asked, comes, heard, finds).await;
            });
        });
    if let Err(error) = started {
        notices.push(format!("music cannot start: {error}"));
    }
    let port = Some(port);
    let parts = running;
    (Fitted { skill, port }, Control { anew, parts }, notices)
}

/// Different each time: which song comes next, and the salt of a request.
fn seed() -> u64 {
    use std::hash::{BuildHasher as _, RandomState};
    RandomState::new().hash_one(0u8)
}

fn salt() -> String {
    format!("{:016x}", seed())
}

/// Whether something plays after it.
fn begins(order: &Order) -> bool {
    matches!(
        order,
        Order::Play { .. } | Order::Playlist { .. } | Order::Search { .. } | Order::Resume
    )
}

struct Adapter {
    parts: Parts,
    room: String,
    shelf: Shelf,
    own: Own,
    sound: Sound,
    events: mpsc::UnboundedSender<Event>,
    mpd: Option<Wire>,
    remote: Option<Wire>,
    /// Who of the two plays.
    plays: BTreeSet<Player>,
    /// How far music gives way now.
    duck: Duck,
    rooms: Option<Wire>,
    tell: mpsc::Sender<serde_json::Value>,
    have: BTreeMap<System, Have>,
    /// How often a system was set up anew: what an older look finds is of no use.
    looks: BTreeMap<System, u64>,
    found: mpsc::Sender<Found>,
    /// A library is being made, and another is wanted after it.
    shelving: bool,
    shelve_again: bool,
}

/// The way to a player of another program, and what it tells.
struct Wire {
    orders: mpsc::Sender<Ordered>,
    news: mpsc::Receiver<News>,
}

impl Wire {
    /// Runs what speaks to the player; it ends when this is dropped.
    fn to<F: Future<Output = ()> + Send + 'static>(
        driven: impl FnOnce(mpsc::Receiver<Ordered>, mpsc::Sender<News>) -> F,
    ) -> Self {
        let (orders, ordered) = mpsc::channel(ORDERS_MAX);
        let (tell, news) = mpsc::channel(ORDERS_MAX);
        tokio::spawn(driven(ordered, tell));
        Self { orders, news }
    }

    /// The next that it tells; nothing, where there is none.
    async fn next(wire: &mut Option<Self>) -> News {
        if let Some(wire) = wire
            && let Some(news) = wire.news.recv().await
        {
            return news;
        }
        core::future::pending().await
    }
}

/// What a thread has found.
enum Found {
    /// All that a system has.
    Have(System, u64, Have),
    /// The pieces of a list, for an order.
    Pieces {
        token: u64,
        pieces: Result<Vec<crate::order::Piece>, String>,
        shuffle: bool,
    },
    /// The library is on the shelf.
    Shelved(usize),
}

impl Adapter {
    async fn run(
        mut self,
        mut asked: mpsc::Receiver<serde_json::Value>,
        mut comes: mpsc::UnboundedReceiver<Anew>,
        mut heard: mpsc::UnboundedReceiver<Event>,
        mut finds: mpsc::Receiver<Found>,
    ) {
        self.shelve();
        let mut again = Instant::now() + LOOK_AGAIN;
        loop {
            tokio::select! {
                value = asked.recv() => match value {
                    Some(value) => self.asked(&value).await,
                    None => return,
                },
                Some(event) = heard.recv() => {
                    self.own.handle_event(event, self.sound.position_ms());
                }
                Some(anew) = comes.recv() => {
                    let told = self.takes(anew);
                    self.tell(&told).await;
                    self.shelve();
                }
                told = Wire::next(&mut self.mpd) => self.news(told).await,
                told = Wire::next(&mut self.remote) => self.news(told).await,
                told = Wire::next(&mut self.rooms) => self.news(told).await,
                Some(found) = finds.recv() => self.found(found).await,
                () = tokio::time::sleep_until(again) => {
                    again = Instant::now() + LOOK_AGAIN;
                    let away = |system| self.have.get(&system).is_some_and(|(.., missing): &Have| !missing.is_empty());
                    for system in [System::Files, System::Subsonic] {
                        if away(system) {
                            self.look(system);
                        }
                    }
                }
            }
            self.drain().await;
        }
    }

    /// Does what the own player wants.
    async fn drain(&mut self) {
        while let Some(output) = self.own.poll_output() {
            match output {
                Output::Start { id, piece, from_ms } => {
                    let live = piece.system == System::Radio;
                    let from = match piece.system {
                        System::Files => match folders::file(&self.parts.music.folders, &piece.key)
                        {
                            Some(path) => reading::From::File(path),
                            None => reading::From::Nowhere("the file is no longer there".into()),
                        },
                        System::Subsonic => match &self.parts.account {
                            Some(account) => {
                                reading::From::Song(account.stream(&piece.key, &salt()))
                            }
                            None => {
                                reading::From::Nowhere("no music server is set up any more".into())
                            }
                        },
                        System::Radio => reading::From::Station(piece.key.clone()),
                        System::Mpd => reading::From::Nowhere("only M P D can play it".into()),
                    };
                    let parts = reading::start(
                        id,
                        from,
                        from_ms,
                        self.events.clone(),
                        self.parts.tls.clone(),
                    );
                    self.sound.begin(id, parts, from_ms, live);
                }
                Output::Drop => self.sound.end(),
                Output::Sound(how) => self.sound.set(how),
                Output::Told(told) => self.tell(&told).await,
            }
        }
    }

    async fn tell(&self, told: &Told) {
        if let Ok(value) = serde_json::to_value(told) {
            // Nobody listens when the device ends.
            let _ = self.tell.send(value).await;
        }
    }

    async fn asked(&mut self, value: &serde_json::Value) {
        let Ok(Asked {
            token,
            player,
            order,
        }) = serde::Deserialize::deserialize(value)
        else {
            return;
        };
        match order {
            // Whoever plays gives way, and the own player first: that is the sound in this room.
            Order::Duck { how } => {
                self.duck = how;
                self.own
                    .handle_order(token, &order, self.sound.position_ms());
                self.to(Player::Mpd, token, order.clone()).await;
                self.to(Player::HomeAssistant, token, order).await;
            }
            Order::Room { .. } => {
                let taken = self
                    .rooms
                    .as_ref()
                    .is_some_and(|rooms| rooms.orders.try_send((token, order)).is_ok());
                if !taken {
                    let why = "I can't send music to other rooms now.".to_owned();
                    self.tell(&Told::Failed { token, why }).await;
                }
            }
            Order::Rescan => {
                self.look(System::Files);
                self.look(System::Subsonic);
                self.to(Player::Mpd, 0, Order::Rescan).await;
                self.tell(&Told::Done { token }).await;
            }
            Order::Playlist {
                key,
                system: System::Subsonic,
                shuffle,
            } => self.open_list(token, key, shuffle),
            order if player != Player::Own => {
                if begins(&order) {
                    self.own.handle_order(0, &Order::Stop { fade_ms: 0 }, 0);
                    self.pause_others(player).await;
                }
                if self.wire_of(player).is_some() {
                    self.to(player, token, order).await;
                } else {
                    let why = match player {
                        Player::HomeAssistant => "No player of Home Assistant is set up any more.",
                        _ => "No music player M P D is set up any more.",
                    };
                    let why = why.to_owned();
                    self.tell(&Told::Failed { token, why }).await;
                }
            }
            order => {
                if begins(&order) {
                    self.pause_others(player).await;
                }
                self.own
                    .handle_order(token, &order, self.sound.position_ms());
            }
        }
    }

    /// The way to a player of another program.
    fn wire_of(&self, player: Player) -> Option<&Wire> {
        match player {
            Player::Own => None,
            Player::Mpd => self.mpd.as_ref(),
            Player::HomeAssistant => self.remote.as_ref(),
        }
    }

    async fn to(&self, player: Player, token: u64, order: Order) {
        if let Some(wire) = self.wire_of(player)
            && wire.orders.try_send((token, order)).is_err()
        {
            let why = "The music player has too much to do.".to_owned();
            self.tell(&Told::Failed { token, why }).await;
        }
    }

    /// Music begins somewhere: what plays elsewhere pauses.
    async fn pause_others(&self, player: Player) {
        for other in self.plays.iter().filter(|other| **other != player) {
            self.to(*other, 0, Order::Pause).await;
        }
    }

    async fn news(&mut self, news: News) {
        match news {
            News::Told(told) => {
                if let Told::State { player, state } = &told {
                    if state.doing == Doing::Playing {
                        self.plays.insert(*player);
                    } else {
                        self.plays.remove(player);
                    }
                }
                self.tell(&told).await;
            }
            News::Library(tracks, playlists) => {
                let tracks = tracks
                    .into_iter()
                    .map(|track| (System::Mpd, track))
                    .collect();
                let playlists = playlists
                    .into_iter()
                    .map(|list| (System::Mpd, list))
                    .collect();
                self.have
                    .insert(System::Mpd, (tracks, playlists, Vec::new()));
                self.shelve();
            }
            News::Away(why) => {
                // What it had is still known by name: asking for it says why it is not played.
                self.have.entry(System::Mpd).or_default().2 = vec![why];
                self.shelve();
            }
        }
    }

    async fn found(&mut self, found: Found) {
        match found {
            Found::Have(system, look, _) if self.looks.get(&system) != Some(&look) => {}
            Found::Have(system, _, mut have) => {
                if let Some(known) = self.have.get_mut(&system)
                    && have.0.is_empty()
                    && !have.2.is_empty()
                {
                    known.2 = core::mem::take(&mut have.2);
                } else {
                    self.have.insert(system, have);
                }
                self.shelve();
            }
            Found::Pieces {
                token,
                pieces: Ok(pieces),
                shuffle,
            } => {
                let order = Order::Play {
                    pieces,
                    at: 0,
                    position_ms: 0,
                    shuffle,
                };
                self.own.handle_order(token, &order, 0);
            }
            Found::Pieces {
                token,
                pieces: Err(why),
                ..
            } => self.tell(&Told::Failed { token, why }).await,
            Found::Shelved(tracks) => {
                self.shelving = false;
                let missing = self
                    .have
                    .values()
                    .flat_map(|(.., missing)| missing.clone())
                    .collect();
                self.tell(&Told::Library { tracks, missing }).await;
                if core::mem::take(&mut self.shelve_again) {
                    self.shelve();
                }
            }
        }
    }

    /// Looks for what a system has, on a thread of its own.
    fn look(&self, system: System) {
        let found = self.found.clone();
        let look = self.looks.get(&system).copied().unwrap_or_default();
        let found = move |have| drop(found.blocking_send(Found::Have(system, look, have)));
        match system {
            System::Files if !self.parts.music.folders.is_empty() => {
                let folders = self.parts.music.folders.clone();
                tokio::task::spawn_blocking(move || found(folders::scan(&folders)));
            }
            System::Subsonic => {
                let (Some(account), tls) = (self.parts.account.clone(), self.parts.tls.clone())
                else {
                    return;
                };
                tokio::task::spawn_blocking(move || found(songs(&account, &tls)));
            }
            System::Files | System::Mpd | System::Radio => {}
        }
    }

    /// Looks for it from nothing: it is another one.
    fn look_anew(&mut self, system: System) {
        self.have.remove(&system);
        *self.looks.entry(system).or_default() += 1;
        self.look(system);
    }

    /// Goes on by another configuration: what has not changed stays connected and plays on. What the skill is to know.
    fn takes(&mut self, anew: Anew) -> Told {
        let Anew { parts, remote } = anew;
        let old = core::mem::replace(&mut self.parts, parts);
        let (before, after) = (&old.music, &self.parts.music);
        let files = before.folders != after.folders;
        let server = before.subsonic != after.subsonic
            || old.account != self.parts.account
            || before.certificate != after.certificate
            || old.pem != self.parts.pem;
        let mut gone = Vec::new();
        if before.mpd != after.mpd || old.mpd_password != self.parts.mpd_password {
            gone.extend(self.mpd.take().map(|_| Player::Mpd));
            self.have.remove(&System::Mpd);
            let password = self.parts.mpd_password.clone();
            let address = after.mpd.as_ref().map(|settings| settings.address);
            self.mpd = address.map(|address| {
                Wire::to(|ordered, tell| drive(Client::new(password), address, ordered, tell))
            });
        }
        if before.snapcast != after.snapcast {
            let rooms = Rooms::new(&self.room);
            let address = after.snapcast.as_ref().map(|settings| settings.address);
            self.rooms = address
                .map(|address| Wire::to(|ordered, tell| drive(rooms, address, ordered, tell)));
        }
        if remote.is_some() || before.home_assistant != after.home_assistant {
            gone.extend(self.remote.take().map(|_| Player::HomeAssistant));
            self.remote =
                remote.map(|end| Wire::to(|ordered, tell| remote::drive(end, ordered, tell)));
        }
        for player in &gone {
            self.plays.remove(player);
        }
        // Who comes gives way as those that are there.
        for wire in [&self.mpd, &self.remote].into_iter().flatten() {
            let _ = wire.orders.try_send((0, Order::Duck { how: self.duck }));
        }
        if after.is_empty() && !before.is_empty() {
            gone.push(Player::Own);
            self.own.handle_order(0, &Order::Stop { fade_ms: 0 }, 0);
        }
        let settings = settings(after, &self.room);
        if files {
            self.look_anew(System::Files);
        }
        if server {
            self.look_anew(System::Subsonic);
        }
        Told::Setup { settings, gone }
    }

    /// Makes a library of what is known, on a thread of its own: the names of a hundred thousand titles take a while.
    /// One after the other, so that the last one stays.
    fn shelve(&mut self) {
        if core::mem::replace(&mut self.shelving, true) {
            self.shelve_again = true;
            return;
        }
        let (mut tracks, mut playlists) = (Vec::new(), Vec::new());
        for (of_tracks, of_lists, _) in self.have.values() {
            tracks.extend(of_tracks.iter().cloned());
            playlists.extend(of_lists.iter().cloned());
        }
        let (stations, shelf, found) = (
            self.parts.stations(),
            self.shelf.clone(),
            self.found.clone(),
        );
        tokio::task::spawn_blocking(move || {
            let library = Library::new(tracks, playlists, stations);
            let count = library.len();
            shelf.put(library);
            let _ = found.blocking_send(Found::Shelved(count));
        });
    }

    fn open_list(&self, token: u64, key: String, shuffle: bool) {
        let (account, found) = (self.parts.account.clone(), self.found.clone());
        let tls = self.parts.tls.clone();
        tokio::task::spawn_blocking(move || {
            let pieces = account
                .ok_or_else(|| "No music server is set up any more.".to_owned())
                .and_then(|account| {
                    let asked = account.ask("getPlaylist", &[("id", &key)], &salt());
                    Ok(subsonic::pieces(&inside(&asked, &tls)?))
                });
            let _ = found.blocking_send(Found::Pieces {
                token,
                pieces,
                shuffle,
            });
        });
    }
}

/// An answer of a Subsonic server, or a sentence that says why there is none.
fn inside(url: &str, tls: &Certificates) -> Result<serde_json::Value, String> {
    let away = |why: String| format!("I can't reach the music server: {why}.");
    let answer = http::get(url, false, tls).map_err(away)?;
    let bytes = http::body(answer, subsonic::ANSWER_BYTES_MAX).map_err(away)?;
    subsonic::answer(&bytes).map_err(|why| format!("The music server gives nothing: {why}."))
}

/// Every song and list of a Subsonic server.
fn songs(account: &Account, tls: &Certificates) -> Have {
    let mut all = Vec::new();
    let mut from = 0;
    loop {
        match inside(&account.songs(from, &salt()), tls) {
            Ok(page) => {
                let songs = subsonic::songs(&page);
                let last = songs.len() < subsonic::PAGE_SONGS;
                from += songs.len();
                all.extend(songs.into_iter().map(|song| (System::Subsonic, song)));
                if last || from >= crate::library::TRACKS_MAX {
                    break;
                }
            }
            Err(why) => return (all, Vec::new(), vec![why]),
        }
    }
    match inside(&account.ask("getPlaylists", &[], &salt()), tls) {
        Ok(page) => {
            let lists = subsonic::playlists(&page);
            (
                all,
                lists
                    .into_iter()
                    .map(|list| (System::Subsonic, list))
                    .collect(),
                Vec::new(),
            )
        }
        Err(why) => (all, Vec::new(), vec![why]),
    }
}
