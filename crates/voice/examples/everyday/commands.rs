//! The commands and what each must do.
use std::collections::BTreeMap;
use std::fmt;

/// `class | what is said | Intent slot=value; slot=value`, one a line; several meanings that come to the same are parted by
/// ` or `. Values are compared by their letters and digits, `a|b` is either.
const COMMANDS: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/examples/everyday/commands.txt"
);

/// One command.
#[derive(Debug, Clone)]
pub struct Command {
    pub class: String,
    pub said: String,
    /// Any of them.
    meant: Vec<(String, BTreeMap<String, String>)>,
}

/// What came of a sentence.
#[derive(Debug, Clone, PartialEq)]
pub enum Meant {
    /// An intent with its slots.
    Intent(String, BTreeMap<String, String>),
    /// One of several sentences: asked.
    Which(Vec<String>),
    /// Anything about emergencies.
    Urgent(String),
    /// Nothing that is known.
    Nothing,
}

pub fn all() -> Vec<Command> {
    let text = std::fs::read_to_string(COMMANDS).expect("the commands of this example");
    let lines = text
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let mut parts = line.splitn(3, " | ");
            let mut next = || parts.next().unwrap_or_else(|| panic!("{line}")).trim();
            let (class, said, meant) = (next(), next(), next());
            Command {
                class: class.to_owned(),
                said: said.to_owned(),
                meant: meant.split(" or ").map(wanted).collect(),
            }
        })
        .collect()
}

impl Command {
    /// Whether this is what must be done: the intent, and each slot that is named. A slot too many is wrong as well.
    pub fn is_right(&self, meant: &Meant) -> bool {
        let Meant::Intent(intent, slots) = meant else {
            return false;
        };
        let same =
            |wanted: &str, held: &str| wanted.split('|').any(|one| plain(one) == plain(held));
        self.meant.iter().any(|(name, wanted)| {
            intent == name
                && slots.len() == wanted.len()
                && wanted
                    .iter()
                    .all(|(name, value)| slots.get(name).is_some_and(|held| same(value, held)))
        })
    }
}

fn wanted(text: &str) -> (String, BTreeMap<String, String>) {
    let (intent, slots) = text.split_once(' ').unwrap_or((text, ""));
    let slots = slots.split("; ").filter_map(|slot| slot.split_once('='));
    let slots = slots.map(|(name, value)| (name.to_owned(), value.to_owned()));
    (intent.to_owned(), slots.collect())
}

impl Meant {
    pub fn is_urgent(&self) -> bool {
        matches!(self, Self::Urgent(_))
    }

    pub fn is_nothing(&self) -> bool {
        *self == Self::Nothing
    }

    pub fn asks(&self) -> bool {
        matches!(self, Self::Which(_))
    }
}

impl fmt::Display for Meant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Intent(name, slots) => {
                let slots: Vec<String> = slots.iter().map(|(n, v)| format!("{n}={v}")).collect();
                write!(f, "{name} {}", slots.join("; "))
            }
            Self::Which(sentences) => write!(f, "which of {sentences:?}"),
            Self::Urgent(what) => write!(f, "emergency: {what}"),
            Self::Nothing => write!(f, "nothing"),
        }
    }
}

/// Letters and digits only, small, without articles; numbers in digits, however they were written.
fn plain(value: &str) -> String {
    const WORDS: &str = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen \
        sixteen seventeen eighteen nineteen";
    const TENS: &str = "twenty thirty forty fifty sixty seventy eighty ninety";
    let small = value.to_lowercase();
    let mut out = String::new();
    // Tens that a unit may follow.
    let mut tens = 0;
    for word in small.split(|c: char| !c.is_alphanumeric()) {
        if matches!(word, "" | "the" | "a" | "an" | "at" | "in" | "for") {
            continue;
        }
        let unit = WORDS.split_whitespace().position(|known| known == word);
        if unit.is_none_or(|unit| unit > 9) && tens > 0 {
            out.push_str(&tens.to_string());
            tens = 0;
        }
        let ten = TENS.split_whitespace().position(|known| known == word);
        match (ten, unit) {
            (Some(ten), _) => tens = (ten + 2) * 10,
            (_, Some(unit)) => {
                out.push_str(&(tens + unit).to_string());
                tens = 0;
            }
            _ => out.push_str(word),
        }
    }
    if tens > 0 {
        out.push_str(&tens.to_string());
    }
    out
}
