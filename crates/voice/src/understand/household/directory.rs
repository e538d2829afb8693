//! Whom a spoken name means: people, rooms and devices of a home, by sound, with the kind of number that was asked for.
//!
//! [`super::super::names`] compares sounds; here stands what people say around a name: "Anna's mobile", "the kitchen
//! speaker", "mum" for "Mom", "everyone".
use super::super::names::{Entry, Found, NameBook, NameRefused};
use super::super::words::{Word, words};

/// The kind of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Mobile, cell.
    Mobile,
    /// Home, landline.
    Home,
    /// Work, office.
    Work,
}

impl Kind {
    /// The kind as slots name it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mobile => "mobile",
            Self::Home => "home",
            Self::Work => "work",
        }
    }

    /// The kind that a slot names.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Mobile, Self::Home, Self::Work]
            .into_iter()
            .find(|kind| kind.name() == name)
    }
}

/// Whom a spoken name means.
#[derive(Debug, Clone, PartialEq)]
pub enum Whom<'a, T> {
    /// "Everyone", "everywhere", "all rooms".
    Everyone,
    /// Exactly one.
    One {
        /// The name by which it was found, and what it stands for.
        entry: &'a Entry<T>,
        /// The number that was asked for.
        kind: Option<Kind>,
    },
    /// Two or more that sound as near: ask which, and read the answer with [`super::choice`].
    Several {
        /// The nearest first.
        entries: Vec<&'a Entry<T>>,
        /// The number that was asked for.
        kind: Option<Kind>,
    },
    /// Nobody of that name.
    None,
}

/// The names of a home and what they stand for.
#[derive(Debug, Clone)]
pub struct Directory<T> {
    book: NameBook<T>,
}

impl<T> Default for Directory<T> {
    fn default() -> Self {
        Self {
            book: NameBook::default(),
        }
    }
}

/// Words for one member of the family.
const KIN: [&[&str]; 8] = [
    &["mom", "mum", "mommy", "mummy", "mother", "mama", "ma"],
    &["dad", "daddy", "father", "papa", "pa"],
    &[
        "grandma",
        "granny",
        "gran",
        "grandmother",
        "nana",
        "nan",
        "nanna",
    ],
    &["grandpa", "granddad", "grandad", "grandfather", "gramps"],
    &["wife", "missus"],
    &["aunt", "auntie", "aunty"],
    &["brother", "bro"],
    &["sister", "sis"],
];

/// Short forms of given names: what is said, and what may stand in the book.
const SHORT_FORMS: [(&str, &[&str]); 34] = [
    ("bob", &["robert"]),
    ("rob", &["robert"]),
    ("bill", &["william"]),
    ("will", &["william"]),
    ("liam", &["william"]),
    ("mike", &["michael"]),
    ("dave", &["david"]),
    ("jim", &["james"]),
    ("jimmy", &["james"]),
    ("joe", &["joseph"]),
    ("tom", &["thomas"]),
    ("tony", &["anthony"]),
    ("dick", &["richard"]),
    ("rick", &["richard"]),
    ("steve", &["stephen", "steven"]),
    ("chris", &["christopher", "christine", "christina"]),
    ("matt", &["matthew"]),
    ("nick", &["nicholas"]),
    ("alex", &["alexander", "alexandra"]),
    ("sam", &["samuel", "samantha"]),
    ("ben", &["benjamin"]),
    ("dan", &["daniel"]),
    ("ed", &["edward"]),
    ("ted", &["edward", "theodore"]),
    ("fred", &["frederick"]),
    ("greg", &["gregory"]),
    ("jack", &["john"]),
    ("kate", &["katherine", "catherine"]),
    ("liz", &["elizabeth"]),
    ("beth", &["elizabeth"]),
    ("meg", &["margaret"]),
    ("peggy", &["margaret"]),
    ("sue", &["susan"]),
    ("jenny", &["jennifer"]),
];

/// Everybody at once.
const EVERYONE: [&str; 16] = [
    "everyone",
    "everybody",
    "everywhere",
    "all",
    "all rooms",
    "all speakers",
    "all devices",
    "the whole house",
    "whole house",
    "the whole family",
    "whole family",
    "the family",
    "family",
    "every room",
    "every speaker",
    "all of them",
];

/// Words behind a room's name that say that it is one of ours.
const DEVICE_TAILS: [&str; 8] = [
    "speaker", "device", "intercom", "room", "phone", "tablet", "display", "echo",
];

impl<T: PartialEq + Clone> Directory<T> {
    /// Adds a name as it is: a room, a device, a nickname. The same thing may have several.
    ///
    /// # Errors
    /// When the book is full or the name cannot be spoken.
    pub fn add(&mut self, name: &str, of: T) -> Result<(), NameRefused> {
        self.book.add(name, of)
    }

    /// Adds a person: the full name, and the given and family name alone. Two people of one given name are both found by
    /// it, so the speaker asks which.
    ///
    /// # Errors
    /// When the book is full or the name cannot be spoken.
    #[allow(
        clippy::needless_pass_by_value,
        reason = "handed over as to `add`, however many names there are"
    )]
    pub fn add_person(&mut self, name: &str, of: T) -> Result<(), NameRefused> {
        self.book.add(name, of.clone())?;
        let parts: Vec<&str> = name.split_whitespace().collect();
        if let [title, rest @ ..] = parts.as_slice()
            && let Some(spoken) = spoken_title(title)
            && !rest.is_empty()
        {
            self.book
                .add(&format!("{spoken} {}", rest.join(" ")), of.clone())?;
        }
        let (Some(given), Some(family), true) = (parts.first(), parts.last(), parts.len() > 1)
        else {
            return Ok(());
        };
        for part in [given, family] {
            // An initial or a title is nobody's name.
            if part.chars().filter(|c| c.is_alphabetic()).count() > 2 {
                match self.book.add(part, of.clone()) {
                    Ok(()) | Err(NameRefused::NotSpoken) => {}
                    Err(full) => return Err(full),
                }
            }
        }
        Ok(())
    }

    /// Whom a spoken name means. What is written exactly so goes before what only sounds alike.
    #[must_use]
    pub fn find(&self, spoken: &str) -> Whom<'_, T> {
        let list = words(spoken);
        let list = strip(&list);
        let text = |list: &[Word]| -> String {
            let texts: Vec<&str> = list.iter().map(|word| word.text.as_str()).collect();
            texts.join(" ")
        };
        let whole = text(list);
        let found = self.look(&whole, None);
        if found != Whom::None {
            return found;
        }
        if EVERYONE.contains(&whole.as_str()) {
            return Whom::Everyone;
        }
        if let Some((kind, used)) = kind_of(list)
            && list.len() > used
        {
            return self.look(&text(&list[..list.len() - used]), Some(kind));
        }
        if let [room @ .., tail] = list
            && !room.is_empty()
            && DEVICE_TAILS.contains(&tail.text.as_str())
        {
            return self.look(&text(room), None);
        }
        if let [head, inside, room @ ..] = list
            && DEVICE_TAILS.contains(&head.text.as_str())
            && matches!(inside.text.as_str(), "in" | "of")
        {
            return self.look(&text(strip(room)), None);
        }
        Whom::None
    }

    /// By its sound, then by the other words for the same person.
    fn look(&self, name: &str, kind: Option<Kind>) -> Whom<'_, T> {
        let first = whom(self.book.find(name), kind);
        if first != Whom::None {
            return first;
        }
        let bare = name.strip_suffix("'s").unwrap_or(name);
        let (given, family) = bare.split_once(' ').unwrap_or((bare, ""));
        let kin = KIN.iter().find(|words| words.contains(&bare));
        let kin = kin
            .into_iter()
            .flat_map(|words| words.iter().map(|word| (*word).to_owned()));
        let long = SHORT_FORMS.iter().filter(|(short, _)| *short == given);
        let long = long.flat_map(|(_, long)| long.iter().map(|long| format!("{long} {family}")));
        let mut all: Vec<&Entry<T>> = Vec::new();
        for other in kin.chain(long) {
            let entries = match self.book.find(other.trim()) {
                Found::One(entry) => vec![entry],
                Found::Several(entries) => entries,
                Found::None => continue,
            };
            for entry in entries {
                if all.iter().all(|known| known.of != entry.of) {
                    all.push(entry);
                }
            }
        }
        match all.as_slice() {
            [] => Whom::None,
            [entry] => Whom::One { entry, kind },
            _ => Whom::Several { entries: all, kind },
        }
    }
}

/// A title as it is spoken.
fn spoken_title(title: &str) -> Option<&'static str> {
    let bare = title.trim_end_matches('.').to_lowercase();
    Some(match bare.as_str() {
        "dr" => "doctor",
        "mr" => "mister",
        "mrs" => "missus",
        "prof" => "professor",
        _ => return None,
    })
}

fn whom<T>(found: Found<'_, T>, kind: Option<Kind>) -> Whom<'_, T> {
    match found {
        Found::One(entry) => Whom::One { entry, kind },
        Found::Several(entries) => Whom::Several { entries, kind },
        Found::None => Whom::None,
    }
}

/// Without article in front and "please" behind.
fn strip(mut list: &[Word]) -> &[Word] {
    while let [first, rest @ ..] = list
        && !rest.is_empty()
        && matches!(first.text.as_str(), "the" | "my" | "our" | "to" | "a")
    {
        list = rest;
    }
    while let [rest @ .., last] = list
        && !rest.is_empty()
        && matches!(last.text.as_str(), "please" | "now" | "alexa" | "thanks")
    {
        list = rest;
    }
    list
}

/// The kind of number that the last words name, and how many words that takes: "mobile", "cell phone", "work number".
pub(super) fn kind_of(list: &[Word]) -> Option<(Kind, usize)> {
    let text = |back: usize| -> &str {
        let at = list.len().checked_sub(back);
        at.and_then(|at| list.get(at))
            .map_or("", |word| word.text.as_str())
    };
    let closing = usize::from(matches!(text(1), "phone" | "number" | "line" | "telephone"));
    let kind = match text(1 + closing) {
        "mobile" | "cell" | "cellphone" | "cellular" => Kind::Mobile,
        "home" | "house" | "landline" => Kind::Home,
        "work" | "office" | "job" | "desk" => Kind::Work,
        _ => return None,
    };
    let used = closing + 1;
    (list.len() > used).then_some((kind, used))
}
