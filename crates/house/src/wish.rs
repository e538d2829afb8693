//! What a player of the house is to play: the words behind "play", without those that only lead to them.
use hearthline_voice::understand::sentences::{Datum, Recognition};
use serde::{Deserialize, Serialize};

/// Longest words that are looked for, in characters.
const WORDS_CHARS_MAX: usize = 120;

/// What is looked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wish {
    /// The words, as they were heard.
    pub words: String,
    /// What they name, by Home Assistant's classes: `artist`, `album`, `track`, `playlist`; none: anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
}

/// Whether a sentence asks for something to be played.
#[must_use]
pub fn is_one(meant: &Recognition) -> bool {
    matches!(
        meant.intent.as_str(),
        "HassMediaSearchAndPlay" | "MusicPlay"
    )
}

/// What a sentence asks for; none: whatever there is ("play something in the kitchen").
#[must_use]
pub fn of(meant: &Recognition) -> Option<Wish> {
    let said = meant
        .slot("search_query")
        .map(|slot| slot.value.spoken())
        .unwrap_or_default();
    let class = match meant.slot("media_class").map(|slot| &slot.value) {
        Some(Datum::Text(class)) => Some(class.as_str()),
        _ => None,
    };
    // "songs by X" is read as "song" and "s by X".
    match (class, said.starts_with("s ")) {
        (Some("track"), true) => read(&format!("song{said}"), None),
        (Some(kind), true) => read(&format!("{kind}{said}"), None),
        _ => read(&said, class),
    }
}

fn read(said: &str, class: Option<&str>) -> Option<Wish> {
    let said = said.trim().trim_end_matches(['.', '!', '?', ',']);
    let said: String = said.chars().take(WORDS_CHARS_MAX).collect();
    let words: Vec<&str> = said.split_whitespace().collect();
    let lower: Vec<String> = words.iter().map(|word| word.to_lowercase()).collect();
    let lower: Vec<&str> = lower.iter().map(String::as_str).collect();
    let wish = |from: usize, to: usize, class: Option<&str>| {
        Some(Wish {
            words: words[from..to].join(" "),
            class: class.map(str::to_owned),
        })
    };
    let end = words.len() - usize::from(words.len() > 1 && lower.ends_with(&["please"]));
    if class.is_some() {
        return wish(0, end, class);
    }
    let begin = match &lower[..end] {
        ["some" | "my" | "more", ..] => 1,
        ["a", "bit" | "little", "of", ..] => 3,
        _ => 0,
    };
    match &lower[begin..end] {
        []
        | ["music" | "something" | "anything" | "songs" | "tunes" | "everything" | "whatever"]
        | ["a" | "the", "song" | "music"] => None,
        // "songs by X": whose they are is all that is known of them.
        [
            "songs" | "tracks" | "music" | "something" | "anything" | "albums" | "stuff",
            "by",
            _,
            ..,
        ] => wish(begin + 2, end, Some("artist")),
        ["the", kind, "called", _, ..] if class_of(kind).is_some() => {
            wish(begin + 3, end, class_of(kind))
        }
        ["the", kind, _, ..] if class_of(kind).is_some() => wish(begin + 2, end, class_of(kind)),
        [kind, _, ..] if class_of(kind).is_some() => wish(begin + 1, end, class_of(kind)),
        [_, .., "playlist"] => wish(begin, end - 1, Some("playlist")),
        [_, .., "music" | "songs"] => wish(begin, end - 1, None),
        _ => wish(begin, end, None),
    }
}

fn class_of(word: &str) -> Option<&'static str> {
    Some(match word {
        "artist" | "band" | "singer" => "artist",
        "album" | "record" => "album",
        "song" | "track" => "track",
        "playlist" => "playlist",
        "genre" => "genre",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_that_lead_to_music_are_not_looked_for() {
        for (said, words, class) in [
            ("jazz", "jazz", None),
            ("some jazz", "jazz", None),
            ("a bit of Jazz please", "Jazz", None),
            ("folk music", "folk", None),
            (
                "songs by The Brass Kettles",
                "The Brass Kettles",
                Some("artist"),
            ),
            ("the album Harbours", "Harbours", Some("album")),
            ("the song called Lamplight", "Lamplight", Some("track")),
            ("my Sunday playlist", "Sunday", Some("playlist")),
            (
                "Copper Morning by Quiet Weather.",
                "Copper Morning by Quiet Weather",
                None,
            ),
            ("The Office", "The Office", None),
        ] {
            let wish = read(said, None).expect(said);
            assert_eq!((wish.words.as_str(), wish.class.as_deref()), (words, class));
        }
        for said in [
            "",
            "music",
            "some music",
            "something",
            "a song",
            "anything please",
        ] {
            assert_eq!(read(said, None), None, "{said}");
        }
        let said = read("my Sunday", Some("playlist"));
        assert_eq!(said.map(|wish| wish.words).as_deref(), Some("my Sunday"));
        let long = read(&"x".repeat(1_000), None);
        assert_eq!(long.map(|wish| wish.words.len()), Some(WORDS_CHARS_MAX));
    }
}
