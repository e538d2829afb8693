//! "Play …": what it is, who plays it, or which is meant.
use hearthline_speaker::skill::Reply;

use super::MusicSkill;
use crate::library::{Kind, Library, Named};
use crate::order::{Doing, Order, Piece, QUEUE_TRACKS_MAX};
use crate::query::{self, Chosen};
use crate::track::{Player, Station, System, Track};
use crate::words;

impl MusicSkill {
    pub(super) fn wanted(
        &mut self,
        said: &str,
        class: Option<&str>,
        area: Option<String>,
        shuffled: bool,
        person: bool,
    ) -> Reply {
        let library = self.shelf.library();
        if library.is_empty() && !self.settings.searches {
            return Reply::Refused(match self.missing.first() {
                Some(why) => why.clone(),
                None => words::NO_MUSIC.into(),
            });
        }
        let (said, room) = match area.and_then(|area| self.room_called(&area)) {
            Some(room) => (said.to_owned(), Some(room)),
            None => self.without_room(said),
        };
        let query = query::read(&said, class);
        let shuffled = shuffled || query.shuffled;
        let reply = match query::choose(&library, &query) {
            Chosen::Anything => self.anything(&library),
            Chosen::AnyStation => match library.stations().first().cloned() {
                Some(station) => self.station(&station),
                None => Reply::Refused("No radio stations are set up.".into()),
            },
            Chosen::One(named) => self.one(&library, &named, shuffled),
            // Nobody is there to be asked when a sentence was for later.
            Chosen::Which(several) if !person => self.one(&library, &several[0], shuffled),
            Chosen::Which(several) => {
                let question = words::which(&several);
                self.asking = Some((several, shuffled));
                return Reply::Question(question);
            }
            Chosen::Nothing if self.settings.searches => self.search(said, class),
            Chosen::Nothing => Reply::Refused(words::not_found(&said)),
        };
        if let (Some(room), Reply::Later(_)) = (room, &reply) {
            self.order(Order::Room { room, only: true });
        }
        reply
    }

    /// Nobody here has it: Home Assistant's player may find it in its own music.
    fn search(&mut self, said: String, class: Option<&str>) -> Reply {
        self.player = Player::HomeAssistant;
        self.queue.clear();
        let then = Reply::Words(format!("Playing {said}."));
        let class = class.map(str::to_owned);
        self.ask(Order::Search { words: said, class }, then)
    }

    /// "jazz in the kitchen", where the kitchen is a room of the sound system; "jazz here" is jazz.
    fn without_room(&self, said: &str) -> (String, Option<String>) {
        const HERE: [&str; 4] = [" in here", " here", " in this room", " on this speaker"];
        let lower = said.to_lowercase();
        let here = HERE.into_iter().find_map(|here| lower.strip_suffix(here));
        if let Some(what) = here.and_then(|what| said.get(..what.len())) {
            return (what.to_owned(), None);
        }
        for link in [" in the ", " in "] {
            if let Some((what, room)) = said.rsplit_once(link)
                && let Some(room) = self.room_called(room)
            {
                return (what.to_owned(), Some(room));
            }
        }
        (said.to_owned(), None)
    }

    /// The answer to "which one?".
    pub(super) fn which_one(&mut self, said: &str) -> Reply {
        let Some((several, shuffled)) = self.asking.take() else {
            return Reply::Other;
        };
        let declined = [
            "no",
            "none",
            "neither",
            "never mind",
            "nevermind",
            "cancel",
            "stop",
            "nothing",
        ];
        let plain = crate::library::fold(said);
        if declined.contains(&plain.as_str()) {
            return Reply::Words("All right.".into());
        }
        let library = self.shelf.library();
        match query::which(&several, said).cloned() {
            Some(named) => self.one(&library, &named, shuffled),
            None => Reply::Other,
        }
    }

    fn one(&mut self, library: &Library, named: &Named, shuffled: bool) -> Reply {
        if let Some(station) = library.station_of(named).cloned() {
            return self.station(&station);
        }
        let then = Reply::Words(format!("Playing {}.", words::called(named)));
        if let Some((system, list)) = library.playlist_of(named).cloned() {
            self.player = system.player();
            self.queue.clear();
            let shuffle = shuffled;
            self.shuffle = shuffle;
            return self.ask(
                Order::Playlist {
                    key: list.key,
                    system,
                    shuffle,
                },
                then,
            );
        }
        let shuffle = shuffled || named.kind == Kind::Genre;
        let tracks = library.tracks_of(named);
        self.play(&tracks, shuffle, then)
    }

    fn anything(&mut self, library: &Library) -> Reply {
        if self.state.doing == Doing::Paused || !self.queue.is_empty() {
            return self.go_on();
        }
        let tracks: Vec<&(System, Track)> = library.tracks().iter().collect();
        if self.settings.preferred == Player::HomeAssistant && tracks.is_empty() {
            self.player = Player::HomeAssistant;
            return self.ask(Order::Resume, Reply::Silent);
        }
        match library.stations().first().cloned() {
            Some(station) if tracks.is_empty() => self.station(&station),
            _ => self.play(&tracks, true, Reply::Words("Playing your music.".into())),
        }
    }

    fn station(&mut self, station: &Station) -> Reply {
        self.player = self.settings.preferred;
        let then = Reply::Words(format!("Playing {}.", station.name));
        let piece = Piece {
            system: System::Radio,
            key: station.url.clone(),
            title: station.name.clone(),
            artist: String::new(),
            album: String::new(),
            seconds: 0,
        };
        self.begin(vec![piece], false, then)
    }

    fn play(&mut self, tracks: &[&(System, Track)], shuffle: bool, then: Reply) -> Reply {
        let of = |player: Player| -> Vec<&(System, Track)> {
            let plays = |track: &&&(System, Track)| track.0.player() == player;
            tracks.iter().filter(plays).copied().collect()
        };
        let preferred = of(self.settings.preferred);
        let (player, tracks) = if preferred.is_empty() {
            let own = of(Player::Own);
            if own.is_empty() {
                (Player::Mpd, of(Player::Mpd))
            } else {
                (Player::Own, own)
            }
        } else {
            (self.settings.preferred, preferred)
        };
        self.player = player;
        // Of more than a queue holds, some from everywhere.
        let step = if shuffle {
            tracks.len().div_ceil(QUEUE_TRACKS_MAX).max(1)
        } else {
            1
        };
        let pieces: Vec<Piece> = tracks
            .iter()
            .step_by(step)
            .take(QUEUE_TRACKS_MAX)
            .map(|(system, track)| Piece {
                system: *system,
                key: track.key.clone(),
                title: track.title.clone(),
                artist: track.artist.clone(),
                album: track.album.clone(),
                seconds: track.seconds,
            })
            .collect();
        self.begin(pieces, shuffle, then)
    }

    fn begin(&mut self, pieces: Vec<Piece>, shuffle: bool, then: Reply) -> Reply {
        self.queue.clone_from(&pieces);
        self.shuffle = shuffle;
        let order = Order::Play {
            pieces,
            at: 0,
            position_ms: 0,
            shuffle,
        };
        self.ask(order, then)
    }
}
