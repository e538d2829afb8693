//! Everything that can be asked for by name, found by how it sounds.
//!
//! ```text
//! words ─► written exactly so? ─► else rows of three sounds that names share ─► nearest few ─► distance of sounds
//! ```
//! A hundred thousand titles are too many to compare with each, so only those are that share rows of three sounds with
//! what was said. A library is made once by an adapter and then only read ([`Shelf`]), so that no sentence waits for it.
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use hearthline_voice::understand::names::{ALIKE_MAX, Sounds};

use crate::track::{Playlist, Station, System, TEXT_BYTES_MAX, Track};

/// Most tracks of all systems together; more are left out.
pub const TRACKS_MAX: usize = 100_000;
/// Most playlists and stations, each.
const LISTS_MAX: usize = 5_000;
/// Most names that are compared closely with what was said.
const NEAR_MAX: usize = 96;
/// Least part of the rows of sounds that two names share for being compared closely, of 1.
const SHARED_MIN: f32 = 0.28;
/// Names beyond this many of one row are too common to find anything by.
const COMMON_MAX: usize = 20_000;
/// Longest name that is looked for, in bytes.
const SPOKEN_BYTES_MAX: usize = 200;

/// What a name is the name of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Somebody who makes music.
    Artist,
    /// An album.
    Album,
    /// A track.
    Title,
    /// A playlist.
    Playlist,
    /// A radio station.
    Station,
    /// A genre.
    Genre,
}

/// A name, and what it leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// What it is.
    pub kind: Kind,
    /// As it is written.
    pub name: String,
    /// Whose album or title it is; empty else.
    pub artist: String,
    /// As it is compared.
    folded: String,
    /// Places in the library: of tracks, of one playlist, of one station.
    at: Vec<u32>,
}

impl Named {
    /// Whether both lead to the same.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        self.kind == other.kind && self.at == other.at
    }
}

/// A name that is like what was said.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hit<'a> {
    /// The name.
    pub named: &'a Named,
    /// 0: written so; up to [`ALIKE_MAX`]: sounds so.
    pub unlike: f32,
}

/// Tracks, playlists and stations of all systems.
#[derive(Debug, Default)]
pub struct Library {
    tracks: Vec<(System, Track)>,
    playlists: Vec<(System, Playlist)>,
    stations: Vec<Station>,
    names: Vec<Named>,
    written: HashMap<String, Vec<u32>>,
    rows: HashMap<[u8; 3], Vec<u32>>,
    /// How many rows each name has.
    lengths: Vec<u16>,
    left_out: usize,
}

impl Library {
    /// A library of all of this. What is over the limits, or has no name, is left out.
    #[must_use]
    pub fn new(
        tracks: Vec<(System, Track)>,
        playlists: Vec<(System, Playlist)>,
        stations: Vec<Station>,
    ) -> Self {
        let mut library = Self::default();
        let all = tracks.len();
        let fits = |text: &str| text.len() <= TEXT_BYTES_MAX;
        library.tracks = tracks
            .into_iter()
            .filter(|(_, track)| {
                let texts = [
                    &track.key,
                    &track.title,
                    &track.artist,
                    &track.album,
                    &track.genre,
                ];
                texts.into_iter().all(|text| fits(text))
                    && !track.title.is_empty()
                    && !track.key.is_empty()
            })
            .take(TRACKS_MAX)
            .collect();
        library.left_out = all - library.tracks.len();
        library.playlists = playlists;
        library
            .playlists
            .retain(|(_, list)| fits(&list.name) && fits(&list.key));
        library.playlists.truncate(LISTS_MAX);
        library.stations = stations;
        library.stations.truncate(LISTS_MAX);
        library.gather();
        library
    }

    /// How many tracks there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.tracks.len()
    }

    /// Whether there is nothing to play.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tracks.is_empty() && self.playlists.is_empty() && self.stations.is_empty()
    }

    /// How many tracks were left out.
    #[must_use]
    pub fn left_out(&self) -> usize {
        self.left_out
    }

    /// Every track, in no order.
    #[must_use]
    pub fn tracks(&self) -> &[(System, Track)] {
        &self.tracks
    }

    /// The stations.
    #[must_use]
    pub fn stations(&self) -> &[Station] {
        &self.stations
    }

    /// The tracks that a name stands for: an album in its order, an artist by albums.
    #[must_use]
    pub fn tracks_of(&self, named: &Named) -> Vec<&(System, Track)> {
        if matches!(named.kind, Kind::Playlist | Kind::Station) {
            return Vec::new();
        }
        let mut found: Vec<_> = named
            .at
            .iter()
            .filter_map(|at| self.tracks.get(*at as usize))
            .collect();
        found.sort_by(|(_, a), (_, b)| (&a.album, a.place).cmp(&(&b.album, b.place)));
        // The same song of several systems or albums is played once.
        if named.kind == Kind::Title {
            found.truncate(1);
        }
        found
    }

    /// The playlist of a name.
    #[must_use]
    pub fn playlist_of(&self, named: &Named) -> Option<&(System, Playlist)> {
        let first = *named.at.first()? as usize;
        (named.kind == Kind::Playlist).then(|| self.playlists.get(first))?
    }

    /// The station of a name.
    #[must_use]
    pub fn station_of(&self, named: &Named) -> Option<&Station> {
        let first = *named.at.first()? as usize;
        (named.kind == Kind::Station).then(|| self.stations.get(first))?
    }

    /// Names of these kinds that are like what was said, the likest first. An artist narrows albums and titles down.
    #[must_use]
    pub fn find(&self, kinds: &[Kind], spoken: &str, by: Option<&str>) -> Vec<Hit<'_>> {
        if spoken.len() > SPOKEN_BYTES_MAX {
            return Vec::new();
        }
        let folded = fold(spoken);
        if folded.is_empty() {
            return Vec::new();
        }
        let wanted = |named: &Named| kinds.contains(&named.kind);
        let mut hits: Vec<Hit<'_>> = self
            .written
            .get(&folded)
            .into_iter()
            .flatten()
            .filter_map(|at| self.names.get(*at as usize))
            .filter(|named| wanted(named))
            .map(|named| Hit { named, unlike: 0.0 })
            .collect();
        if hits.is_empty() || by.is_some() {
            let sounds = Sounds::of(&folded);
            for at in self.near(&sounds) {
                let named = &self.names[at as usize];
                let known = hits.iter().any(|hit| core::ptr::eq(hit.named, named));
                if !wanted(named) || known {
                    continue;
                }
                let unlike = sounds.unlikeness(&Sounds::of(&named.folded));
                if unlike <= ALIKE_MAX {
                    // What is spelt otherwise is never quite the same.
                    let unlike = unlike.max(0.01);
                    hits.push(Hit { named, unlike });
                }
            }
        }
        if let Some(by) = by {
            let (written, artist) = (fold(by), Sounds::of(&fold(by)));
            hits.retain_mut(|hit| {
                let folded = fold(&hit.named.artist);
                let unlike = if folded == written {
                    0.0
                } else {
                    artist.unlikeness(&Sounds::of(&folded))
                };
                hit.unlike += unlike / 2.0;
                unlike <= ALIKE_MAX
            });
        }
        hits.sort_by(|a, b| {
            (a.unlike.total_cmp(&b.unlike)).then_with(|| a.named.kind.cmp(&b.named.kind))
        });
        hits
    }

    /// Names that share rows of sounds with these, the most first.
    fn near(&self, sounds: &Sounds) -> Vec<u32> {
        let said = rows(sounds);
        let mut shared: HashMap<u32, u16> = HashMap::new();
        for row in &said {
            let having = self.rows.get(row).map_or(&[][..], Vec::as_slice);
            if having.len() <= COMMON_MAX || said.len() < 4 {
                for at in having {
                    *shared.entry(*at).or_default() += 1;
                }
            }
        }
        let mut near: Vec<(f32, u32)> = shared
            .into_iter()
            .map(|(at, count)| {
                let length = self.lengths[at as usize];
                let all = f32::from(length) + said.len() as f32;
                (2.0 * f32::from(count) / all.max(1.0), at)
            })
            .filter(|(part, _)| *part >= SHARED_MIN)
            .collect();
        near.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        near.truncate(NEAR_MAX);
        near.into_iter().map(|(_, at)| at).collect()
    }

    fn gather(&mut self) {
        let mut known: HashMap<(Kind, String, String), u32> = HashMap::new();
        let mut names: Vec<Named> = Vec::new();
        let mut add = |kind: Kind, heard: &str, name: &str, artist: &str, at: usize| {
            let folded = fold(heard);
            if folded.is_empty() {
                return;
            }
            let key = (kind, folded.clone(), fold(artist));
            let place = *known.entry(key).or_insert_with(|| {
                names.push(Named {
                    kind,
                    name: name.to_owned(),
                    artist: artist.to_owned(),
                    folded,
                    at: Vec::new(),
                });
                names.len() as u32 - 1
            });
            let of_name = &mut names[place as usize].at;
            if of_name.last() != Some(&(at as u32)) {
                of_name.push(at as u32);
            }
        };
        for (at, (_, track)) in self.tracks.iter().enumerate() {
            add(Kind::Title, &track.title, &track.title, &track.artist, at);
            add(Kind::Artist, &track.artist, &track.artist, "", at);
            add(Kind::Album, &track.album, &track.album, &track.artist, at);
            add(Kind::Genre, &track.genre, &track.genre, "", at);
        }
        for (at, (_, list)) in self.playlists.iter().enumerate() {
            add(Kind::Playlist, &list.name, &list.name, "", at);
        }
        for (at, station) in self.stations.iter().enumerate() {
            add(Kind::Station, &station.name, &station.name, "", at);
            // "Seagull radio" and "the station Seagull" mean Radio Seagull.
            let bare: Vec<&str> = station
                .name
                .split_whitespace()
                .filter(|word| !word.eq_ignore_ascii_case("radio"))
                .collect();
            add(Kind::Station, &bare.join(" "), &station.name, "", at);
        }
        drop(known);
        for (at, named) in names.iter().enumerate() {
            let rows = rows(&Sounds::of(&named.folded));
            self.lengths.push(rows.len().min(u16::MAX.into()) as u16);
            for row in rows {
                self.rows.entry(row).or_default().push(at as u32);
            }
            self.written
                .entry(named.folded.clone())
                .or_default()
                .push(at as u32);
        }
        self.names = names;
    }
}

/// The rows of three sounds of a name, its edges among them, each once.
fn rows(sounds: &Sounds) -> Vec<[u8; 3]> {
    let mut line = vec![b'^'];
    line.extend(sounds.skeleton());
    line.push(b'$');
    let mut rows: Vec<[u8; 3]> = line
        .windows(3)
        .map(|row| [row[0], row[1], row[2]])
        .collect();
    rows.sort_unstable();
    rows.dedup();
    rows
}

/// How names are compared: lower case, words with one space between, "and" for "&", no article in front, nothing in
/// brackets behind ("(Remastered 2011)").
#[must_use]
pub fn fold(name: &str) -> String {
    let cut = name
        .find(['(', '['])
        .filter(|at| *at > 0)
        .map_or(name, |at| &name[..at]);
    let mut words: Vec<String> = Vec::new();
    for word in cut.split(|c: char| {
        c.is_whitespace() || matches!(c, '-' | '_' | '/' | ',' | '.' | '!' | '?' | ':' | ';')
    }) {
        let word: String = word
            .chars()
            .filter(|c| c.is_alphanumeric() || matches!(c, '&' | '+'))
            .flat_map(char::to_lowercase)
            .collect();
        match word.as_str() {
            "" => {}
            "&" | "+" => words.push("and".into()),
            _ => words.push(word),
        }
    }
    if words.len() > 1 && matches!(words[0].as_str(), "the" | "a" | "an") {
        words.remove(0);
    }
    words.join(" ")
}

/// The library as adapters put it and the skill takes it.
#[derive(Debug, Clone, Default)]
pub struct Shelf(Arc<Mutex<Arc<Library>>>);

impl Shelf {
    /// The library of now.
    #[must_use]
    pub fn library(&self) -> Arc<Library> {
        Arc::clone(&self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts another in its place.
    pub fn put(&self, library: Library) {
        let library = Arc::new(library);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = library;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn track(title: &str, artist: &str, album: &str, place: u32) -> (System, Track) {
        let track = Track {
            key: format!("{artist}/{album}/{place} {title}"),
            title: title.into(),
            artist: artist.into(),
            album: album.into(),
            genre: "Jazz".into(),
            place,
            seconds: 180,
        };
        (System::Files, track)
    }

    fn library() -> Library {
        Library::new(
            vec![
                track("Second Lantern", "The Brass Kettles", "Lamplight", 2),
                track("First Lantern", "The Brass Kettles", "Lamplight", 1),
                track("Copper Morning", "Catherine Vale", "Harbours", 1),
                track(
                    "Copper Morning",
                    "Quiet Weather",
                    "Rain & Shine (Deluxe)",
                    4,
                ),
            ],
            vec![],
            vec![],
        )
    }

    #[test]
    fn names_are_found_as_they_sound() {
        let library = library();
        let first = |kind: Kind, said: &str| {
            let hits = library.find(&[kind], said, None);
            hits.first().map(|hit| hit.named.name.clone())
        };
        assert_eq!(
            first(Kind::Artist, "brass kettles").as_deref(),
            Some("The Brass Kettles")
        );
        assert_eq!(
            first(Kind::Artist, "Katherine Vail").as_deref(),
            Some("Catherine Vale")
        );
        assert_eq!(
            first(Kind::Album, "lamp light").as_deref(),
            Some("Lamplight")
        );
        assert_eq!(
            first(Kind::Album, "rain and shine").as_deref(),
            Some("Rain & Shine (Deluxe)")
        );
        assert_eq!(
            first(Kind::Title, "sekond lanturn").as_deref(),
            Some("Second Lantern")
        );
        assert_eq!(first(Kind::Artist, "thunder valley"), None);
        assert_eq!(first(Kind::Title, "brass kettles"), None);
    }

    #[test]
    fn an_album_plays_in_its_order_and_an_artist_tells_titles_apart() {
        let library = library();
        let album = library.find(&[Kind::Album], "lamplight", None)[0];
        let titles: Vec<_> = library
            .tracks_of(album.named)
            .iter()
            .map(|(_, track)| track.title.as_str())
            .collect();
        assert_eq!(titles, ["First Lantern", "Second Lantern"]);
        assert_eq!(
            library.find(&[Kind::Title], "copper morning", None).len(),
            2
        );
        let hits = library.find(&[Kind::Title], "copper morning", Some("quiet wether"));
        assert_eq!(hits.len(), 1);
        assert_eq!(hits[0].named.artist, "Quiet Weather");
    }

    #[test]
    fn what_has_no_name_or_is_too_long_is_left_out() {
        let long = track(&"x".repeat(TEXT_BYTES_MAX + 1), "A", "B", 1);
        let library = Library::new(vec![long, track("", "A", "B", 2)], vec![], vec![]);
        assert_eq!((library.len(), library.left_out()), (0, 2));
        assert!(library.find(&[Kind::Title], "", None).is_empty());
        assert!(
            library
                .find(&[Kind::Title], &"y".repeat(500), None)
                .is_empty()
        );
    }
}
