//! What was said, made ready for matching: one form of each character, single spaces, no punctuation, no skip words.
use unicode_normalization::UnicodeNormalization;

/// Marks that may stand at the edge of a word without belonging to it.
/// The hyphen and the apostrophe are not among them: they stand inside words.
fn punctuation(c: char) -> bool {
    c == '.' || punctuation_not_period(c)
}

fn punctuation_not_period(c: char) -> bool {
    matches!(
        c,
        '。' | ','
            | '，'
            | '?'
            | '¿'
            | '？'
            | '؟'
            | '!'
            | '¡'
            | '！'
            | ';'
            | '；'
            | ':'
            | '：'
            | '\u{2019}'
            | '…'
            | '—'
            | '–'
            | '―'
    )
}

/// Whether a character is part of a word.
pub(super) fn in_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Ideographs, kana and hangul: they are written without spaces between words.
fn spaceless(c: char) -> bool {
    matches!(c, '\u{4e00}'..='\u{9fff}' | '\u{3400}'..='\u{4dbf}' | '\u{3040}'..='\u{30ff}' | '\u{ac00}'..='\u{d7af}')
}

/// One form for the upper and lower case of a character, one character for one.
pub(super) fn fold(c: char) -> char {
    if c.is_ascii() {
        return c.to_ascii_lowercase();
    }
    match c {
        'İ' | 'ı' => 'i',
        'ſ' => 's',
        'ς' => 'σ',
        'µ' => 'μ',
        _ => {
            let mut lower = c.to_lowercase();
            match (lower.next(), lower.next()) {
                (Some(one), None) => one,
                _ => c,
            }
        }
    }
}

/// Folds a whole text.
pub(super) fn folded(text: &str) -> Vec<char> {
    text.chars().map(fold).collect()
}

/// Composed characters, single spaces, one apostrophe; edges stay as they are.
pub(super) fn spaced(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut blank = false;
    for c in text.nfc() {
        if c.is_whitespace() {
            if !blank {
                out.push(' ');
            }
            blank = true;
        } else {
            out.push(if c == '\u{2019}' { '\'' } else { c });
            blank = false;
        }
    }
    out
}

/// Takes the spaces between two characters of a script that has none.
pub(super) fn without_inner_spaces(text: &[char]) -> Vec<char> {
    let mut out: Vec<char> = Vec::with_capacity(text.len());
    for (at, &c) in text.iter().enumerate() {
        let between = c.is_whitespace()
            && out.last().is_some_and(|&before| spaceless(before))
            && text.get(at + 1..).is_some_and(|rest| {
                rest.iter()
                    .find(|c| !c.is_whitespace())
                    .is_some_and(|&after| spaceless(after))
            });
        if !between {
            out.push(c);
        }
    }
    out
}

/// Spaces and marks only.
pub(super) fn blank(text: &[char]) -> bool {
    text.iter().all(|&c| c.is_whitespace() || punctuation(c))
}

/// What was said as it is matched: no punctuation at the edges of words, single spaces.
pub(super) fn normal(said: &str) -> Vec<char> {
    let text: Vec<char> = spaced(said).chars().collect();
    trimmed(&without_punctuation(&text)).to_vec()
}

/// Drops the marks at the edges of the text and of its words; dots of initials ("A.C.") stay.
fn without_punctuation(text: &[char]) -> Vec<char> {
    let mut text = text;
    while let [first, rest @ ..] = text
        && punctuation(*first)
    {
        text = rest;
    }
    if !ends_with_initials(text) {
        while let [rest @ .., last] = text
            && punctuation(*last)
        {
            text = rest;
        }
    }
    // Four passes, because each looks at what the one before has left.
    let start = runs(text, punctuation, |before, after| {
        before.is_some_and(|c| !in_word(c)) && after.is_some_and(in_word)
    });
    let end = runs(&start, punctuation_not_period, |before, after| {
        before.is_some_and(in_word) && after.is_some_and(|c| !in_word(c))
    });
    let mut periods = Vec::with_capacity(end.len());
    for (at, &c) in end.iter().enumerate() {
        let follows = end.get(at + 1).is_some_and(|&c| !in_word(c));
        let initial = at >= 3
            && end.get(at - 1).is_some_and(|&c| in_word(c))
            && end.get(at - 2) == Some(&'.')
            && end.get(at - 3).is_some_and(|&c| in_word(c));
        if c != '.' || !follows || initial {
            periods.push(c);
        }
    }
    runs(&periods, punctuation, |before, after| {
        before.is_some_and(|c| !in_word(c)) && after.is_some_and(|c| !in_word(c))
    })
}

/// Drops each run of marks whose neighbours `drop` names.
fn runs(
    text: &[char],
    mark: impl Fn(char) -> bool,
    drop: impl Fn(Option<char>, Option<char>) -> bool,
) -> Vec<char> {
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(&c) = text.get(at) {
        if !mark(c) {
            out.push(c);
            at += 1;
            continue;
        }
        let end = text
            .get(at..)
            .and_then(|rest| rest.iter().position(|&c| !mark(c)))
            .map_or(text.len(), |length| at + length);
        let before = at
            .checked_sub(1)
            .and_then(|before| text.get(before))
            .copied();
        if !drop(before, text.get(end).copied()) {
            out.extend(text.get(at..end).unwrap_or_default());
        }
        at = end;
    }
    out
}

/// "the A.C.": two or more single letters with a dot each, at the end.
fn ends_with_initials(text: &[char]) -> bool {
    let mut pairs = 0;
    let mut rest = text;
    while let [before @ .., letter, '.'] = rest {
        if !in_word(*letter) {
            break;
        }
        pairs += 1;
        rest = before;
    }
    pairs >= 2 && rest.last().is_none_or(|&c| !in_word(c))
}

pub(super) fn trimmed(text: &[char]) -> &[char] {
    let from = text
        .iter()
        .position(|c| !c.is_whitespace())
        .unwrap_or(text.len());
    let to = text
        .iter()
        .rposition(|c| !c.is_whitespace())
        .map_or(from, |last| last + 1);
    text.get(from..to).unwrap_or_default()
}

/// From which side skip words are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// Wherever they stand.
    Everywhere,
    /// From the start only: the sentence ends with free words.
    Start,
    /// From the end only: the sentence begins with free words.
    End,
}

/// Takes the skip words ("please", "can you") out of a text. `words` are folded and sorted, longest first.
pub(super) fn without_skip_words(
    text: &[char],
    words: &[Vec<char>],
    side: Side,
    dense: bool,
) -> Vec<char> {
    if words.is_empty() {
        return text.to_vec();
    }
    let mut now = if dense { text.to_vec() } else { single(text) };
    match side {
        Side::Everywhere => {
            let mut out = Vec::with_capacity(now.len());
            let mut at = 0;
            while at < now.len() {
                match skip_word_at(&now, at, words, dense) {
                    Some(length) => {
                        if !dense {
                            out.push(' ');
                        }
                        at += length;
                    }
                    None => {
                        out.extend(now.get(at));
                        at += 1;
                    }
                }
            }
            if dense {
                out
            } else {
                trimmed(&single(&out)).to_vec()
            }
        }
        Side::Start => {
            while let Some(length) = skip_word_at(&now, 0, words, dense) {
                now = now.split_off(length);
                if !dense {
                    now = trimmed(&now).to_vec();
                }
            }
            now
        }
        Side::End => loop {
            let found = words.iter().find_map(|word| {
                let at = now.len().checked_sub(word.len())?;
                (skip_word_at(&now, at, std::slice::from_ref(word), dense)? == word.len())
                    .then_some(at)
            });
            match found {
                Some(at) => {
                    now.truncate(at);
                    if !dense {
                        now = trimmed(&now).to_vec();
                    }
                }
                None => break now,
            }
        },
    }
}

fn skip_word_at(text: &[char], at: usize, words: &[Vec<char>], dense: bool) -> Option<usize> {
    if !dense && at > 0 && text.get(at - 1).is_some_and(|&c| in_word(c)) {
        return None;
    }
    words.iter().find_map(|word| {
        let here = text.get(at..at + word.len())?;
        let same = here
            .iter()
            .zip(word)
            .all(|(&said, &skip)| fold(said) == skip);
        let ends = dense || text.get(at + word.len()).is_none_or(|&c| !in_word(c));
        (same && ends && !word.is_empty()).then_some(word.len())
    })
}

fn single(text: &[char]) -> Vec<char> {
    let mut out: Vec<char> = Vec::with_capacity(text.len());
    for &c in text {
        if !(c.is_whitespace() && out.last().is_some_and(|c| c.is_whitespace())) {
            out.push(if c.is_whitespace() { ' ' } else { c });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(said: &str) -> String {
        normal(said).into_iter().collect()
    }

    #[test]
    fn marks_at_the_edges_of_words_go() {
        assert_eq!(plain("Turn on, the  lights!"), "Turn on the lights");
        assert_eq!(plain("turn on the A.C."), "turn on the A.C.");
        assert_eq!(plain("set it to 21.5 degrees."), "set it to 21.5 degrees");
        assert_eq!(plain("¿qué hora es?"), "qué hora es");
        assert_eq!(plain("nell\u{2019} ingresso"), "nell' ingresso");
        assert_eq!(plain(" … "), "");
    }

    #[test]
    fn skip_words_go_where_they_may() {
        let words = [folded("can you"), folded("please")];
        let said: Vec<char> = "Please add can you hear me to my list please"
            .chars()
            .collect();
        let without = |side| {
            without_skip_words(&said, &words, side, false)
                .into_iter()
                .collect::<String>()
        };
        assert_eq!(without(Side::Everywhere), "add hear me to my list");
        assert_eq!(
            without(Side::Start),
            "add can you hear me to my list please"
        );
        assert_eq!(without(Side::End), "Please add can you hear me to my list");
    }
}
