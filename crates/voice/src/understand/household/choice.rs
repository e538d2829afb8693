//! The answer to "Which Anna: Smith or Jones?".
use super::super::names::{Found, NameBook};
use super::super::words::{TRANSCRIPT_BYTES_MAX, words};
use super::parts::digit_of;

/// Most words of an answer; whoever says more tells something else.
const WORDS_MAX: usize = 12;

/// Words that say nothing about which.
const PADDING: &[&str] = &[
    "the", "a", "one", "please", "alexa", "i", "mean", "meant", "said", "want", "it's", "its",
    "it", "is", "um", "uh", "call", "call", "number", "option", "choice", "person", "that",
    "that's", "would", "be", "thanks", "thank", "you", "to", "with", "take", "my", "yes", "yeah",
    "oh", "name", "named", "called", "go", "for", "let's", "pick", "choose", "talk", "i'd", "like",
    "ring", "phone", "message", "okay", "ok", "no", "not",
];

/// Which of the options an answer means: by its place ("the first one", "number two", "the last"), by its name or by
/// the part of its name that sets it apart ("Smith"), by sound. `None` when it is none, or may be two.
///
/// A text with a "no" or "not" in it chooses nothing, for "not Smith" would be Smith.
#[must_use]
pub fn choice<S: AsRef<str>>(text: &str, options: &[S]) -> Option<usize> {
    if text.len() > TRANSCRIPT_BYTES_MAX || options.is_empty() {
        return None;
    }
    let list = words(text);
    let said: Vec<&str> = list.iter().map(|word| word.text.as_str()).collect();
    let against = [
        "no", "not", "don't", "neither", "nobody", "none", "cancel", "never",
    ];
    if said.is_empty() || said.len() > WORDS_MAX || said.iter().any(|word| against.contains(word)) {
        return None;
    }
    let book = book(options)?;
    let find = |text: &str| match book.find(text) {
        Found::One(entry) => Some(entry.of),
        _ => None,
    };
    let whole = find(&said.join(" "));
    if whole.is_some() {
        return whole;
    }
    let kept: Vec<&str> = said
        .iter()
        .copied()
        .filter(|word| !PADDING.contains(word))
        .collect();
    if let Some(index) = place(&said, &kept, options.len()) {
        return Some(index);
    }
    if let Some(index) = find(&kept.join(" ")) {
        return Some(index);
    }
    // "Anna Smith from work": some word of it sets one apart, and no other word another.
    let mut only = None;
    for index in kept.iter().filter_map(|word| find(word)) {
        if only.is_some_and(|known| known != index) {
            return None;
        }
        only = Some(index);
    }
    only
}

/// The full options, and the words that only one of them has.
fn book<S: AsRef<str>>(options: &[S]) -> Option<NameBook<usize>> {
    let split: Vec<Vec<String>> = options
        .iter()
        .map(|option| {
            words(option.as_ref())
                .into_iter()
                .map(|word| word.text)
                .collect()
        })
        .collect();
    let mut book = NameBook::default();
    for (index, parts) in split.iter().enumerate() {
        book.add(&parts.join(" "), index).ok()?;
        let own: Vec<&str> = parts
            .iter()
            .filter(|part| {
                let mut others = split.iter().enumerate();
                !others.any(|(other, parts)| other != index && parts.contains(part))
            })
            .map(String::as_str)
            .collect();
        if own.len() < parts.len() && !own.is_empty() {
            // A part that cannot be spoken is found by nobody.
            let _ = book.add(&own.join(" "), index);
        }
        if own.len() > 1 {
            for part in own {
                let _ = book.add(part, index);
            }
        }
    }
    Some(book)
}

/// By its place in the list.
fn place(said: &[&str], kept: &[&str], count: usize) -> Option<usize> {
    let index = match kept {
        // "Number one", "the one": nothing else was said.
        [] if said.contains(&"number") || said.contains(&"option") || said == ["one"] => {
            said.contains(&"one").then_some(0)?
        }
        ["last" | "latter"] => count.checked_sub(1)?,
        [word] => match *word {
            "first" | "1st" | "former" | "1" | "won" => 0,
            "second" | "2nd" | "2" | "two" | "too" => 1,
            "third" | "3rd" => 2,
            "fourth" | "4th" => 3,
            "fifth" | "5th" => 4,
            other => {
                let digit = digit_of(other).and_then(|digit| digit.to_digit(10));
                let number = digit.or_else(|| other.parse().ok())?;
                usize::try_from(number).ok()?.checked_sub(1)?
            }
        },
        _ => return None,
    };
    (index < count).then_some(index)
}
