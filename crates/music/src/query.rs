//! What "play …" asks for, and what in the library that is: one thing, several that are as near, or nothing.
use crate::library::{Hit, Kind, Library, Named, fold};

/// A name this much less alike than the best is no rival.
const RIVAL_MARGIN: f32 = 0.06;
/// Most that are asked about.
const ASKED_MAX: usize = 3;
/// Every kind, those that are meant most first.
const ANY: [Kind; 6] = [
    Kind::Artist,
    Kind::Playlist,
    Kind::Album,
    Kind::Title,
    Kind::Genre,
    Kind::Station,
];

/// One way to read a wish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish {
    /// Whatever there is.
    Anything,
    /// A station, whichever.
    AnyStation,
    /// Something by its name.
    Named {
        /// What it may be.
        kinds: Vec<Kind>,
        /// The name as it was heard.
        name: String,
        /// Whose it is.
        by: Option<String>,
    },
}

/// What was asked for: readings, the first that finds something counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// The readings in order.
    pub wishes: Vec<Wish>,
    /// In any order.
    pub shuffled: bool,
}

/// What a query comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Chosen {
    /// Whatever there is.
    Anything,
    /// A station, whichever.
    AnyStation,
    /// This.
    One(Named),
    /// One of these: ask.
    Which(Vec<Named>),
    /// There is nothing of that name.
    Nothing,
}

/// Reads the words behind "play". `class` is what a sentence has said that it is ("album").
#[must_use]
pub fn read(said: &str, class: Option<&str>) -> Query {
    let lower = said
        .trim()
        .trim_end_matches(['.', '!', '?', ','])
        .to_lowercase();
    let mut words: Vec<&str> = lower.split_whitespace().collect();
    let mut shuffled = false;
    for ending in [
        &["on", "shuffle"][..],
        &["in", "shuffle", "mode"],
        &["shuffled"],
        &["in", "any", "order"],
    ] {
        if words.len() > ending.len() && words.ends_with(ending) {
            words.truncate(words.len() - ending.len());
            shuffled = true;
        }
    }
    if words.len() > 1 && words.ends_with(&["please"]) {
        words.pop();
    }
    let text = words.join(" ");
    let mut wishes = Vec::new();
    if let Some(kind) = class.and_then(kind_of) {
        by_whom(&words, &[kind], &mut wishes);
        wishes.push(named(&[kind], &text, None));
        if kind == Kind::Station {
            wishes.push(named(&[kind], &format!("{text} radio"), None));
        }
        return Query { wishes, shuffled };
    }
    let bare = without_fillers(&words);
    match bare.join(" ").as_str() {
        "" | "music" | "something" | "anything" | "songs" | "a song" | "song" | "everything"
        | "tunes" | "all my music" | "all music" | "all songs" | "all my songs"
        | "something nice" | "whatever" => {
            wishes.push(Wish::Anything);
        }
        "radio" | "station" | "radio station" => wishes.push(Wish::AnyStation),
        _ => {}
    }
    // "songs by X", "something from X": the artist, or "from" the album.
    for begin in [
        "songs",
        "tracks",
        "music",
        "something",
        "anything",
        "everything",
        "albums",
        "stuff",
        "a song",
    ] {
        let begin: Vec<&str> = begin.split(' ').collect();
        if let [link @ ("by" | "from" | "of"), rest @ ..] =
            bare.strip_prefix(begin.as_slice()).unwrap_or_default()
            && !rest.is_empty()
        {
            let kinds: &[Kind] = if *link == "from" {
                &[Kind::Artist, Kind::Album, Kind::Genre]
            } else {
                &[Kind::Artist, Kind::Genre]
            };
            wishes.push(named(kinds, &rest.join(" "), None));
        }
    }
    // A word in front or behind that says what it is.
    const WORDS: [(&str, Kind); 16] = [
        ("radio station", Kind::Station),
        ("radio", Kind::Station),
        ("station", Kind::Station),
        ("internet radio", Kind::Station),
        ("album", Kind::Album),
        ("record", Kind::Album),
        ("song", Kind::Title),
        ("track", Kind::Title),
        ("title", Kind::Title),
        ("artist", Kind::Artist),
        ("band", Kind::Artist),
        ("group", Kind::Artist),
        ("singer", Kind::Artist),
        ("playlist", Kind::Playlist),
        ("play list", Kind::Playlist),
        ("genre", Kind::Genre),
    ];
    for (word, kind) in WORDS {
        let word: Vec<&str> = word.split(' ').collect();
        if let Some(rest) = bare
            .strip_prefix(word.as_slice())
            .filter(|rest| !rest.is_empty())
        {
            let rest = match rest {
                ["called" | "named" | "of", more @ ..] if !more.is_empty() => more,
                rest => rest,
            };
            by_whom(rest, &[kind], &mut wishes);
            wishes.push(named(&[kind], &rest.join(" "), None));
        }
        if let Some(rest) = bare
            .strip_suffix(word.as_slice())
            .filter(|rest| !rest.is_empty())
        {
            wishes.push(named(&[kind], &rest.join(" "), None));
            if kind == Kind::Station {
                wishes.push(named(&[kind], &bare.join(" "), None));
            }
        }
    }
    if let [rest @ .., "on", "the", "radio"] = bare
        && !rest.is_empty()
    {
        wishes.push(named(&[Kind::Station], &rest.join(" "), None));
    }
    if let [rest @ .., "music" | "songs"] = bare
        && !rest.is_empty()
    {
        wishes.push(named(
            &[Kind::Genre, Kind::Artist, Kind::Playlist],
            &rest.join(" "),
            None,
        ));
    }
    by_whom(&words, &[Kind::Title, Kind::Album], &mut wishes);
    if !text.is_empty() {
        wishes.push(named(&ANY, &text, None));
    }
    let bare = bare.join(" ");
    if bare != text && !bare.is_empty() {
        wishes.push(named(&ANY, &bare, None));
    }
    Query { wishes, shuffled }
}

fn named(kinds: &[Kind], name: &str, by: Option<&str>) -> Wish {
    Wish::Named {
        kinds: kinds.to_vec(),
        name: name.to_owned(),
        by: by.map(str::to_owned),
    }
}

/// "X by Y", wherever the "by" may stand.
fn by_whom(words: &[&str], kinds: &[Kind], wishes: &mut Vec<Wish>) {
    for (at, _) in words
        .iter()
        .enumerate()
        .filter(|(_, word)| **word == "by")
        .rev()
    {
        let (what, by) = (words[..at].join(" "), words[at + 1..].join(" "));
        if !what.is_empty() && !by.is_empty() {
            wishes.push(named(kinds, &what, Some(&by)));
        }
    }
}

fn without_fillers<'a, 'w>(words: &'a [&'w str]) -> &'a [&'w str] {
    let mut rest = words;
    loop {
        rest = match rest {
            [
                "some" | "the" | "my" | "our" | "me" | "us" | "more",
                more @ ..,
            ] => more,
            ["a", "bit" | "little", "of", more @ ..] | ["a", "bit" | "little", more @ ..] => more,
            rest => return rest,
        };
    }
}

fn kind_of(class: &str) -> Option<Kind> {
    Some(match class {
        "artist" => Kind::Artist,
        "album" => Kind::Album,
        "track" | "song" | "music" | "title" => Kind::Title,
        "playlist" => Kind::Playlist,
        "genre" => Kind::Genre,
        "radio" | "station" | "channel" => Kind::Station,
        _ => return None,
    })
}

/// What in the library was asked for.
#[must_use]
pub fn choose(library: &Library, query: &Query) -> Chosen {
    for wish in &query.wishes {
        let hits = match wish {
            Wish::Anything => return Chosen::Anything,
            Wish::AnyStation => return Chosen::AnyStation,
            Wish::Named { kinds, name, by } => library.find(kinds, name, by.as_deref()),
        };
        match among(&hits) {
            Chosen::Nothing => {}
            found => return found,
        }
    }
    Chosen::Nothing
}

fn among(hits: &[Hit<'_>]) -> Chosen {
    let Some(best) = hits.first() else {
        return Chosen::Nothing;
    };
    let mut near: Vec<&Named> = hits
        .iter()
        .take_while(|hit| {
            hit.unlike <= best.unlike + RIVAL_MARGIN && (best.unlike > 0.0 || hit.unlike == 0.0)
        })
        .map(|hit| hit.named)
        .collect();
    // Whoever says the name of an artist wants the artist, whatever else is called so; likewise a list that was made here.
    for kind in [Kind::Artist, Kind::Playlist, Kind::Station, Kind::Genre] {
        if near
            .iter()
            .any(|named| named.kind == kind && fold(&named.name) == fold(&near[0].name))
        {
            near.retain(|named| named.kind == kind);
        }
    }
    near.dedup_by(|later, earlier| later.is_same(earlier));
    match near.as_slice() {
        [one] => Chosen::One((*one).clone()),
        several => {
            let mut several: Vec<Named> = several.iter().map(|named| (*named).clone()).collect();
            several.truncate(ASKED_MAX);
            Chosen::Which(several)
        }
    }
}

/// Which of several an answer means: "the second", "the album", "the one by X", its name; none when it is none of them.
#[must_use]
pub fn which<'a>(several: &'a [Named], said: &str) -> Option<&'a Named> {
    use hearthline_voice::understand::names::{Found, NameBook};

    let said = fold(said);
    let words: Vec<&str> = said.split(' ').collect();
    let has = |word: &str| words.contains(&word);
    const ORDINALS: [(&str, usize); 6] = [
        ("first", 0),
        ("second", 1),
        ("third", 2),
        ("1", 0),
        ("2", 1),
        ("3", 2),
    ];
    if let Some((_, at)) = ORDINALS.into_iter().find(|(word, _)| has(word)) {
        return several.get(at);
    }
    if has("last") {
        return several.last();
    }
    for (word, kind) in [
        ("song", Kind::Title),
        ("track", Kind::Title),
        ("album", Kind::Album),
        ("record", Kind::Album),
        ("artist", Kind::Artist),
        ("band", Kind::Artist),
        ("playlist", Kind::Playlist),
        ("station", Kind::Station),
        ("radio", Kind::Station),
    ] {
        let of_kind: Vec<&Named> = several.iter().filter(|named| named.kind == kind).collect();
        if has(word)
            && let [one] = of_kind.as_slice()
        {
            return Some(one);
        }
    }
    let mut book = NameBook::default();
    for (at, named) in several.iter().enumerate() {
        for name in [
            &named.artist,
            &named.name,
            &format!("{} by {}", named.name, named.artist),
        ] {
            // What cannot be spoken cannot be said.
            let _ = book.add(&fold(name), at);
        }
    }
    let name = said.strip_prefix("one ").unwrap_or(&said);
    let name = name.strip_prefix("by ").unwrap_or(name);
    match book.find(name) {
        Found::One(entry) => several.get(entry.of),
        Found::Several(_) | Found::None => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::track::{Playlist, Station, System, Track};

    fn library() -> Library {
        let track = |title: &str, artist: &str, album: &str, genre: &str| {
            let track = Track {
                key: format!("{artist}{album}{title}"),
                title: title.into(),
                artist: artist.into(),
                album: album.into(),
                genre: genre.into(),
                ..Track::default()
            };
            (System::Files, track)
        };
        Library::new(
            vec![
                track("Copper Morning", "Catherine Vale", "Harbours", "Folk"),
                track("Copper Morning", "Quiet Weather", "Rain", "Ambient"),
                track("Lamplight", "The Brass Kettles", "Lamplight", "Jazz"),
                track(
                    "Stand by the River",
                    "The Brass Kettles",
                    "Lamplight",
                    "Jazz",
                ),
            ],
            vec![(
                System::Files,
                Playlist {
                    key: "p".into(),
                    name: "Sunday Breakfast".into(),
                },
            )],
            vec![Station {
                name: "Radio Seagull".into(),
                url: "http://127.0.0.1/x".into(),
            }],
        )
    }

    fn asked(said: &str) -> String {
        asked_as(said, None)
    }

    fn asked_as(said: &str, class: Option<&str>) -> String {
        match choose(&library(), &read(said, class)) {
            Chosen::One(named) => format!("{:?} {}", named.kind, named.name),
            Chosen::Which(several) => format!("{} of them", several.len()),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn wishes_are_read_as_people_say_them() {
        for (said, found) in [
            ("music", "Anything"),
            ("some music please", "Anything"),
            ("the radio", "AnyStation"),
            ("radio seagull", "Station Radio Seagull"),
            ("seagull radio", "Station Radio Seagull"),
            ("the station radio sea gull", "Station Radio Seagull"),
            ("something by the brass kettles", "Artist The Brass Kettles"),
            ("songs by katherine vail", "Artist Catherine Vale"),
            ("brass kettles", "Artist The Brass Kettles"),
            ("some jazz", "Genre Jazz"),
            ("folk music", "Genre Folk"),
            ("my sunday breakfast playlist", "Playlist Sunday Breakfast"),
            ("sunday breakfast", "Playlist Sunday Breakfast"),
            ("copper morning by quiet weather", "Title Copper Morning"),
            ("stand by the river", "Title Stand by the River"),
            ("the album lamplight", "Album Lamplight"),
            ("the song lamplight by the brass kettles", "Title Lamplight"),
            ("copper morning", "2 of them"),
            ("lamplight", "2 of them"),
            ("a thunderstorm of geese", "Nothing"),
        ] {
            assert_eq!(asked(said), found, "{said}");
        }
        assert_eq!(asked_as("lamplight", Some("album")), "Album Lamplight");
        assert!(read("jazz on shuffle", None).shuffled);
    }

    #[test]
    fn an_answer_picks_one_of_several() {
        let Chosen::Which(several) = choose(&library(), &read("copper morning", None)) else {
            panic!("asked");
        };
        let by = |said: &str| which(&several, said).map(|named| named.artist.as_str());
        assert_eq!(by("the second one"), Some(several[1].artist.as_str()));
        assert_eq!(by("the one by katherine vale"), Some("Catherine Vale"));
        assert_eq!(by("Quiet Weather."), Some("Quiet Weather"));
        assert_eq!(by("neither"), None);
        let Chosen::Which(several) = choose(&library(), &read("lamplight", None)) else {
            panic!("asked");
        };
        assert_eq!(
            which(&several, "the album").map(|named| named.kind),
            Some(Kind::Album)
        );
    }
}
