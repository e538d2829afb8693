//! The free parts of a sentence: names, texts, numbers, keys and amounts, looked at before they count.
//!
//! A name is one to six words without the words that sentences are made of. "Call it a day", "call Anna when dinner is
//! ready", "call for a change" hold a name in no place; a name that the household knows may hold anything.
use std::collections::BTreeMap;

use super::super::network::{Captures, Network, Slots};
use super::super::words::{Gap, Word};
use super::directory::{Kind, kind_of};
use super::guard::guard;
use super::known::{KnownNames, NAME_WORDS_MAX};
use super::sentences::Way;

/// Most keys that are pressed at once.
const KEYS_MAX: usize = 32;
/// Fewest digits of a number behind a verb that slipped.
const LOCAL_DIGITS_MIN: usize = 7;
/// A spoken volume up to this is a step out of ten.
const STEPS: u32 = 10;

/// Words that no name begins with.
const NO_HEAD: &str = "the my our it me us you him her them this that these those a an some any every no not off for in into \
    out on up down back over by of at to and or but if when as with from people someone somebody anyone \
    anybody something anything nothing nobody again names waiting duty history log logs list center centre \
    quality sign signs forwarding screening recording recordings blocking button battery charger screen \
    settings signal bill book case level number numbers calls call tone tones tune board message messages \
    attention time shots heads tails bingo dibs shotgun bs size speech editor mode jokes stories there here \
    mine yours ours today tomorrow later tonight soon things everything what who how why where phone phones \
    myself yourself";

/// Words that stand in no name.
const NOWHERE: &str = "a an some any no not never don't dont is are was were be been am isn't aren't if when while because \
    until till unless but or and that which who what where why how i i'm i'll i've i'd he he's she she's it \
    it's its we we're we'll they they're you your you're his her him them me us my our their this these \
    those tomorrow tonight yesterday later today soon never can could should must to for with about has have \
    had do does did will would on at back off out up down over after before every than then so as into \
    minutes minute hours hour o'clock am pm a.m p.m again please there there's dinner names let's can't \
    won't went said says";

/// Words behind "ring" that are rung.
const RUNG: &str = "bell bells doorbell door alarm true hollow finger fingers ring dong";

/// Words that belong to a room's name when an article stands before it.
const ROOM_TAILS: &[&str] = &[
    "room", "office", "house", "speaker", "hall", "bathroom", "bedroom", "kitchen", "floor",
    "door", "garden", "table",
];

/// Words that a name goes on behind.
const TITLES: &str = "mr mrs ms miss dr doctor aunt auntie aunty uncle grandma grandpa granny nana cousin sister brother \
    professor captain father living dining guest master laundry play family kids bath bed";

/// Words behind a name that say nothing.
const CLOSING: &str = "please now thanks thank you alexa quickly again for me right away";

/// A sentence that matched, and what it took down.
pub(super) struct Said<'a> {
    pub(super) transcript: &'a str,
    pub(super) list: &'a [Word],
    pub(super) network: &'a Network,
    pub(super) slots: &'a Slots,
    pub(super) captures: &'a Captures,
    pub(super) names: Option<&'a KnownNames>,
}

/// A name and perhaps the number of theirs.
struct Name {
    who: String,
    kind: Option<Kind>,
}

impl Said<'_> {
    /// The slots of this intent; `None` when a free part is nothing that it may be.
    pub(super) fn parts(&self, intent: &str, way: Way) -> Option<BTreeMap<String, String>> {
        let mut out = BTreeMap::new();
        let mut put = |slot: &str, value: String| out.insert(slot.to_owned(), value);
        if matches!(way, Way::Split | Way::Told) {
            let (name, text) = self.split(self.capture("text")?)?;
            put("who", name);
            match text {
                Some(text) => put("text", text),
                None if way == Way::Split => None,
                None => return None,
            };
            return Some(out);
        }
        if let Some(span) = self.capture("who") {
            let name = self.name(span)?;
            if way == Way::Known && !self.names.is_some_and(|names| names.knows(&name.who)) {
                return None;
            }
            let said = self.network.slot(self.slots, "kind").map(str::to_owned);
            if let Some(kind) = said.or(name.kind.map(|kind| kind.name().to_owned())) {
                put("kind", kind);
            }
            put("who", name.who);
        }
        if let Some(span) = self.capture("number") {
            let number = self.number(span)?;
            if way == Way::Long && number.len() < LOCAL_DIGITS_MIN {
                return None;
            }
            put("number", number);
        }
        if let Some(span) = self.capture("digits") {
            put("digits", self.keys(span)?);
        }
        if let Some(span) = self.capture("amount") {
            let slot = if intent == "VolumeSet" {
                "percent"
            } else {
                "by"
            };
            put(slot, self.amount(span)?.to_string());
        }
        if let Some(span) = self.capture("where") {
            put("where", self.name(span)?.who);
        }
        if let Some((from, _)) = self.capture("text") {
            put("text", self.text(from)?);
        }
        if let Some(last) = self.network.slot(self.slots, "last") {
            put("last", last.to_owned());
        }
        Some(out)
    }

    fn capture(&self, name: &str) -> Option<(usize, usize)> {
        self.network.capture(self.captures, name)
    }

    /// The words as they were written.
    fn written(&self, (from, to): (usize, usize)) -> &str {
        let first = self.list.get(from).map_or(0, |word| word.at.from);
        let last = self
            .list
            .get(to.wrapping_sub(1))
            .map_or(first, |word| word.at.to);
        self.transcript.get(first..last).unwrap_or("")
    }

    fn texts(&self, (from, to): (usize, usize)) -> impl Iterator<Item = &str> {
        self.list[from..to].iter().map(|word| word.text.as_str())
    }

    /// Somebody or something that may be called.
    fn name(&self, span: (usize, usize)) -> Option<Name> {
        let (from, mut to) = span;
        if to - from > NAME_WORDS_MAX + 2 {
            return None;
        }
        let with_article = (from.saturating_sub(1), to);
        let with_article = if self.texts(with_article).next().is_some_and(is_article) {
            with_article
        } else {
            span
        };
        if guard().names(&self.list[with_article.0..to], self.written(with_article))
            || guard().names(&self.list[from..to], self.written(span))
        {
            return None;
        }
        let known = |who: &str| self.names.is_some_and(|names| names.knows(who));
        let whole = self.written(span);
        let mut kind = None;
        if !known(whole)
            && let Some((found, used)) = kind_of(&self.list[from..to])
            && self.is_possessive(to - used - 1)
        {
            kind = Some(found);
            to -= used;
        }
        let mut owner = kind.is_some();
        // "My sister's phone" is my sister.
        let phone = self.list[to - 1].text.as_str();
        if !owner
            && to - from > 1
            && matches!(phone, "phone" | "number" | "telephone")
            && self.is_possessive(to - 2)
        {
            owner = true;
            to -= 1;
        }
        let mut who = self.written((from, to)).trim();
        if owner {
            who = unpossessed(who);
        }
        // Digits are no name, whatever the household knows.
        let fits = !self.is_numeric((from, to)) && known(who)
            || (to - from <= NAME_WORDS_MAX && self.is_name((from, to)));
        (fits && !who.is_empty()).then(|| Name {
            who: who.to_owned(),
            kind,
        })
    }

    /// Whether the word at `index` says whose something is.
    fn is_possessive(&self, index: usize) -> bool {
        self.list.get(index).is_some_and(|word| {
            word.text.ends_with("'s")
                || word.text.ends_with('s')
                    && self.transcript[word.at.to..].starts_with(['\'', '\u{2019}'])
        })
    }

    fn is_name(&self, span: (usize, usize)) -> bool {
        let words: Vec<&str> = self.texts(span).collect();
        let Some(first) = words.first() else {
            return false;
        };
        let before = span.0.checked_sub(1).map(|at| self.list[at].text.as_str());
        let before = match before {
            Some("the" | "my" | "our") => {
                span.0.checked_sub(2).map(|at| self.list[at].text.as_str())
            }
            other => other,
        };
        let mother_in_law = |at: usize| words[at] == "in" && words.get(at + 1) == Some(&"law");
        let is_rung = before == Some("ring") && words.iter().any(|word| is_among(word, RUNG));
        !is_among(first, NO_HEAD)
            && !is_rung
            && !self.is_numeric(span)
            && words.iter().enumerate().all(|(at, word)| {
                // "Will" is a name at the head; anywhere else it is none.
                let head = at == 0 && *word == "will";
                let inside = *word == "in" && !mother_in_law(at);
                head || (!inside && !is_among(word, NOWHERE))
            })
    }

    /// Whether it is nothing but digits, in whatever spelling.
    fn is_numeric(&self, span: (usize, usize)) -> bool {
        self.texts(span).all(|word| {
            digit_of(word).is_some() || word.bytes().all(|b| b.is_ascii_digit() || b == b'/')
        })
    }

    /// Digits to dial, with their plus.
    fn number(&self, (from, to): (usize, usize)) -> Option<String> {
        let word = self.list.get(from).filter(|_| to == from + 1)?;
        let before = self.transcript[..word.at.from].trim_end_matches([' ', '(']);
        let plus = before.ends_with('+') || self.network.slot(self.slots, "plus").is_some();
        let digits = word.text.as_str();
        let all = digits.bytes().all(|b| b.is_ascii_digit());
        (all && guard().may_dial(digits, plus)).then(|| {
            let plus = if plus { "+" } else { "" };
            format!("{plus}{digits}")
        })
    }

    /// Keys of the pad.
    fn keys(&self, span: (usize, usize)) -> Option<String> {
        let mut out = String::new();
        let count = span.1 - span.0;
        for word in self.texts(span) {
            match word {
                "star" | "asterisk" | "stars" => out.push('*'),
                "hash" | "pound" | "hashtag" | "hatch" | "square" => out.push('#'),
                "sign" | "key" | "and" | "then" | "the" | "button" if count > 1 => {}
                // What the recogniser writes for a digit that stands alone.
                "to" | "too" | "do" | "tu" => out.push('2'),
                "won" => out.push('1'),
                "for" | "fore" => out.push('4'),
                "ate" => out.push('8'),
                _ => match digit_of(word) {
                    Some(digit) => out.push(digit),
                    None if word.bytes().all(|b| b.is_ascii_digit()) => out.push_str(word),
                    None => return None,
                },
            }
        }
        (!out.is_empty() && out.len() <= KEYS_MAX).then_some(out)
    }

    /// Percent, 0 to 100. Without the word, small numbers are steps out of ten.
    fn amount(&self, span: (usize, usize)) -> Option<u32> {
        let words: Vec<&str> = self.texts(span).collect();
        let percent = self
            .list
            .get(span.1)
            .is_some_and(|word| matches!(word.text.as_str(), "percent" | "per"));
        let value = match words.as_slice() {
            ["a", "hundred"] => 100,
            ["half" | "medium" | "middle"] => return Some(50),
            ["max" | "maximum" | "full" | "the" | "highest", ..]
                if words.iter().all(|word| {
                    matches!(*word, "max" | "maximum" | "full" | "the" | "highest")
                }) =>
            {
                return Some(100);
            }
            ["min" | "minimum" | "lowest"] => return Some(STEPS),
            [one] => match digit_of(one) {
                Some(digit) => digit.to_digit(10)?,
                None => one.parse().ok()?,
            },
            _ => return None,
        };
        let value = if !percent && value <= STEPS {
            value * 100 / STEPS
        } else {
            value
        };
        (value <= 100).then_some(value)
    }

    /// Free words to the end, as they were written, without the closing full stop.
    fn text(&self, from: usize) -> Option<String> {
        let first = self.list.get(from)?.at.from;
        let text = self.transcript.get(first..)?.trim_end();
        let text = text
            .strip_suffix('.')
            .unwrap_or(text)
            .trim_end_matches([',', '-', ' ']);
        (!text.is_empty()).then(|| text.to_owned())
    }

    /// Where the name ends and the text begins. `None` when there is no name.
    fn split(&self, (from, to): (usize, usize)) -> Option<(String, Option<String>)> {
        let article = is_article(&self.list.get(from)?.text);
        let head = from + usize::from(article && to > from + 1);
        let end = self.name_end(head, to, article)?;
        let name = self.name((head, end))?;
        let rest: Vec<&str> = self.texts((end, to)).collect();
        if rest.iter().all(|word| is_among(word, CLOSING)) {
            return Some((name.who, None));
        }
        let that = usize::from(rest.len() > 1 && matches!(rest[0], "that" | "to" | "saying"));
        Some((name.who, Some(self.text(end + that)?)))
    }

    fn name_end(&self, head: usize, to: usize, article: bool) -> Option<usize> {
        let longest = to.min(head + NAME_WORDS_MAX);
        if let Some(names) = self.names
            && let Some(end) = (head + 1..=longest)
                .rev()
                .find(|end| names.knows(self.written((head, *end))))
        {
            return Some(end);
        }
        let text = |at: usize| self.list.get(at).map_or("", |word| word.text.as_str());
        let mut end = head + 1;
        while end < longest {
            let word = &self.list[end];
            let before = text(end - 1);
            let belongs = is_among(before, TITLES)
                && !article
                && end == head + 1
                && !is_among(text(end), NOWHERE)
                || article && end == head + 1 && ROOM_TAILS.contains(&text(end))
                || ROOM_TAILS[..2].contains(&text(end)) && end == head + 1
                || self.is_written_as_name(word);
            if word.gap == Gap::Pause || !belongs {
                break;
            }
            end += 1;
        }
        (end <= to).then_some(end)
    }

    /// Whether the recogniser wrote the word with a capital in mid-sentence.
    fn is_written_as_name(&self, word: &Word) -> bool {
        let capital = self.transcript[word.at.from..].starts_with(char::is_uppercase);
        let i = word.text == "i" || word.text.starts_with("i'");
        // All in capitals, as in a headline, capitals say nothing.
        let shouted = word.at.to - word.at.from > 1
            && !self.transcript[word.at.from..word.at.to].contains(char::is_lowercase);
        capital && !i && !shouted && !is_among(word.text.as_str(), NOWHERE)
    }
}

/// Whether a list of words, one space apart, holds this one.
fn is_among(word: &str, list: &str) -> bool {
    list.split(' ').any(|known| known == word)
}

fn is_article(word: &str) -> bool {
    matches!(word, "the" | "my" | "our")
}

/// "Anna's" without its ending.
fn unpossessed(who: &str) -> &str {
    let who = who.trim_end_matches(['\'', '\u{2019}']);
    who.strip_suffix("'s")
        .or(who.strip_suffix("\u{2019}s"))
        .unwrap_or(who)
}

/// A digit in words.
pub(super) fn digit_of(word: &str) -> Option<char> {
    Some(match word {
        "zero" | "oh" | "o" | "nought" | "naught" => '0',
        "one" => '1',
        "two" => '2',
        "three" => '3',
        "four" => '4',
        "five" => '5',
        "six" => '6',
        "seven" => '7',
        "eight" => '8',
        "nine" => '9',
        _ => return None,
    })
}
