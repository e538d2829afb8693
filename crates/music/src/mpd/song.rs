//! Songs, lists and status out of pairs.
use crate::order::{Doing, Repeat, State};
use crate::track::{Playlist, Track};

/// A key and its value.
pub(super) type Pair = (String, String);

/// The songs of a reply: each begins with its file. A tag that stands twice counts once.
pub(super) fn songs(pairs: &[Pair]) -> Vec<Track> {
    let mut songs: Vec<Track> = Vec::new();
    for (key, value) in pairs {
        if key == "file" {
            songs.push(Track {
                key: value.clone(),
                ..Track::default()
            });
            continue;
        }
        let Some(song) = songs.last_mut() else {
            continue;
        };
        let number = || {
            value
                .split('/')
                .next()
                .and_then(|text| text.trim().parse::<u32>().ok())
        };
        let set = |field: &mut String| {
            if field.is_empty() {
                field.clone_from(value);
            }
        };
        match key.as_str() {
            "Title" => set(&mut song.title),
            "Artist" => set(&mut song.artist),
            "Album" => set(&mut song.album),
            "Genre" => set(&mut song.genre),
            "Track" => song.place = song.place / 1_000 * 1_000 + number().unwrap_or(0).min(999),
            "Disc" => song.place = song.place % 1_000 + number().unwrap_or(0).min(999) * 1_000,
            "Time" => song.seconds = number().unwrap_or(0),
            "duration" => {
                song.seconds = value
                    .parse::<f64>()
                    .map_or(song.seconds, |s| s.clamp(0.0, 1e6) as u32);
            }
            _ => {}
        }
    }
    for song in &mut songs {
        if song.title.is_empty() {
            song.title = name_of(&song.key);
        }
    }
    songs
}

/// The name of a file without its folder and ending.
fn name_of(key: &str) -> String {
    let name = key.rsplit('/').next().unwrap_or(key);
    let name = name.rsplit_once('.').map_or(name, |(name, _)| name);
    name.trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, ' ' | '-' | '.' | '_'))
        .replace('_', " ")
}

pub(super) fn playlists(pairs: &[Pair]) -> Vec<Playlist> {
    pairs
        .iter()
        .filter(|(key, _)| key == "playlist")
        .map(|(_, name)| Playlist {
            key: name.clone(),
            name: name.clone(),
        })
        .collect()
}

/// `status` and `currentsong` together; beside the state what the player complains about.
pub(super) fn state(pairs: &[Pair]) -> (State, Option<String>) {
    let value = |wanted: &str| {
        pairs
            .iter()
            .find(|(key, _)| key == wanted)
            .map(|(_, value)| value.as_str())
    };
    let yes = |key: &str| matches!(value(key), Some("1" | "oneshot"));
    let ms = |key: &str| {
        let seconds = value(key).and_then(|text| text.parse::<f64>().ok());
        seconds.map_or(0, |seconds| (seconds.clamp(0.0, 1e7) * 1_000.0) as u64)
    };
    let stream = value("file").is_some_and(|file| file.contains("://"));
    let from = pairs.iter().position(|(key, _)| key == "file");
    let song = songs(&pairs[from.unwrap_or(pairs.len())..])
        .into_iter()
        .next();
    let mut state = State {
        doing: match value("state") {
            Some("play") => Doing::Playing,
            Some("pause") => Doing::Paused,
            _ => Doing::Stopped,
        },
        position_ms: ms("elapsed"),
        length_ms: ms("duration"),
        at: value("song").and_then(|at| at.parse().ok()).unwrap_or(0),
        shuffle: yes("random"),
        repeat: match (yes("repeat"), yes("single")) {
            (true, true) => Repeat::One,
            (true, false) => Repeat::All,
            (false, _) => Repeat::Off,
        },
        percent: value("volume")
            .and_then(|text| text.parse().ok())
            .filter(|percent| *percent <= 100),
        ..State::default()
    };
    if let Some(song) = song {
        state.title = if stream {
            value("Title").unwrap_or_default().to_owned()
        } else {
            song.title
        };
        state.artist = song.artist;
        state.album = song.album;
    }
    if stream {
        state.station = value("Name").unwrap_or("the radio").to_owned();
    }
    (state, value("error").map(str::to_owned))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_song_without_a_title_has_its_files_name() {
        let pairs = [
            ("file".to_owned(), "a/02 - Copper_Morning.flac".to_owned()),
            ("Disc".to_owned(), "2/2".to_owned()),
            ("Track".to_owned(), "7/12".to_owned()),
        ];
        let songs = songs(&pairs);
        assert_eq!(
            (songs[0].title.as_str(), songs[0].place),
            ("Copper Morning", 2_007)
        );
    }
}
