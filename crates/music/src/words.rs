//! What is said about music.
use crate::library::{Kind, Named};
use crate::order::{Doing, State};

/// Nothing to go on with, to pause, to skip.
pub(crate) const NOTHING_PLAYS: &str = "Nothing is playing.";
/// No folder, server or station is set up.
pub(crate) const NO_MUSIC: &str = "There is no music here yet. Put a folder, a music server or a radio station into \
    the music section of my configuration.";
/// No way to send sound to other rooms.
pub(crate) const NO_ROOMS: &str =
    "I can't send music to other rooms: no Snapcast server is set up in my configuration.";
/// A player of another program has said nothing for too long.
pub(crate) const PLAYER_SILENT: &str = "I asked the music player M P D, but it does not answer.";
/// The same of Home Assistant's.
pub(crate) const REMOTE_SILENT: &str =
    "I asked the player of Home Assistant, but it does not answer.";
/// A station or a file has given no sound for too long.
pub(crate) const NO_SOUND_YET: &str = "No sound comes yet. It plays as soon as it does.";
/// Over the limit of a sleep timer.
pub(crate) const SLEEP_MAX: &str = "A sleep timer can be twelve hours long at most.";
/// There is none.
pub(crate) const NO_SLEEP: &str = "There is no sleep timer.";

/// Something as it is called: "the album X by Y".
pub(crate) fn called(named: &Named) -> String {
    let by = |text: String| {
        if named.artist.is_empty() {
            text
        } else {
            format!("{text} by {}", named.artist)
        }
    };
    let name = &named.name;
    match named.kind {
        Kind::Title => by(name.clone()),
        Kind::Album => by(format!("the album {name}")),
        Kind::Artist => format!("music by {name}"),
        Kind::Genre => format!("{name} music"),
        Kind::Playlist => format!("the playlist {name}"),
        Kind::Station => name.clone(),
    }
}

/// Which of them?
pub(crate) fn which(several: &[Named]) -> String {
    let titles = several.iter().any(|named| named.kind == Kind::Title);
    let kinds = several.iter().any(|named| named.kind != several[0].kind);
    let names: Vec<String> = several
        .iter()
        .map(|named| match named.kind {
            // "the song X or the album X"
            Kind::Title if titles && kinds => format!("the song {}", called(named)),
            _ => called(named),
        })
        .collect();
    match names.as_slice() {
        [] => String::new(),
        [first @ .., last] if !first.is_empty() => {
            format!("Which one: {}, or {last}?", first.join(", "))
        }
        [only] | [.., only] => format!("Which one: {only}?"),
    }
}

/// Nothing is called so.
pub(crate) fn not_found(said: &str) -> String {
    format!("I found no music called {said}.")
}

/// What plays now.
pub(crate) fn playing(state: &State) -> String {
    let title = match (state.title.as_str(), state.artist.as_str()) {
        ("", _) => String::new(),
        (title, "") => title.to_owned(),
        (title, artist) => format!("{title} by {artist}"),
    };
    let text = match (title.as_str(), state.station.as_str(), state.album.as_str()) {
        ("", "", _) => "This is music whose name I don't know".to_owned(),
        ("", station, _) => format!("This is {station}"),
        (title, station, _) if !station.is_empty() && station != title => {
            format!("This is {title}, on {station}")
        }
        (title, _, album) if !album.is_empty() => format!("This is {title}, from {album}"),
        (title, ..) => format!("This is {title}"),
    };
    match state.doing {
        Doing::Paused => format!("{text}. It has paused."),
        _ => format!("{text}."),
    }
}

/// So many minutes.
pub(crate) fn minutes(ms: u64) -> String {
    let minutes = ms.div_ceil(60_000);
    match (minutes / 60, minutes % 60) {
        (0, 1) => "1 minute".to_owned(),
        (0, minutes) => format!("{minutes} minutes"),
        (1, 0) => "1 hour".to_owned(),
        (hours, 0) => format!("{hours} hours"),
        (1, minutes) => format!("1 hour and {minutes} minutes"),
        (hours, minutes) => format!("{hours} hours and {minutes} minutes"),
    }
}
