//! A transcript as lower-case words: no punctuation, no fillers, numbers in one spelling.
use super::numbers::fold_numbers;

/// Longest transcript that is read, in bytes. Fifteen seconds of fast speech are about 400.
pub const TRANSCRIPT_BYTES_MAX: usize = 4_096;

/// Sounds that carry no meaning anywhere in a sentence.
const FILLERS: [&str; 7] = ["um", "umm", "uhm", "er", "erm", "hm", "hmm"];

/// One word with what stood before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Word {
    /// Lower case; a number is its digits, `9/11` the date.
    pub(crate) text: String,
    /// What the recogniser wrote between this word and the last.
    pub(crate) gap: Gap,
    /// Whether it is a number in digits.
    pub(crate) number: bool,
    /// Where it stands in the transcript, in bytes.
    pub(crate) at: Span,
}

/// A range of bytes of the transcript.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Span {
    /// First byte.
    pub(crate) from: usize,
    /// The byte behind the last one.
    pub(crate) to: usize,
}

/// What separates two words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gap {
    /// White space, or nothing at the start.
    Space,
    /// A hyphen inside a word or number.
    Hyphen,
    /// A slash or colon, as in dates and times.
    Slash,
    /// A comma, full stop or the like: a breath.
    Pause,
}

/// Splits a transcript into words; numbers are folded into digits ("nine one one" → "911").
pub(crate) fn words(transcript: &str) -> Vec<Word> {
    fold_numbers(&split(transcript))
}

fn split(transcript: &str) -> Vec<Word> {
    let mut out: Vec<Word> = Vec::new();
    let mut text = String::new();
    let mut gap = Gap::Space;
    let mut at = Span::default();
    let mut chars = transcript.char_indices().peekable();
    while let Some((index, c)) = chars.next() {
        let end = index + c.len_utf8();
        if c.is_alphanumeric() {
            if text.is_empty() {
                at.from = index;
            }
            at.to = end;
            text.extend(c.to_lowercase());
            continue;
        }
        let apostrophe = matches!(c, '\'' | '\u{2019}' | '\u{2018}' | '\u{02bc}' | '`');
        if apostrophe
            && !text.is_empty()
            && chars.peek().is_some_and(|(_, next)| next.is_alphabetic())
        {
            text.push('\'');
            continue;
        }
        push(&mut out, &mut text, &mut gap, at);
        gap = match c {
            '%' => {
                text.push_str("percent");
                at = Span {
                    from: index,
                    to: end,
                };
                push(&mut out, &mut text, &mut gap, at);
                Gap::Space
            }
            '-' | '\u{2010}' | '\u{2011}' => widest(gap, Gap::Hyphen),
            '/' | ':' => widest(gap, Gap::Slash),
            ',' | '.' | '!' | '?' | ';' | '\u{2014}' | '\u{2013}' | '\u{2026}' => Gap::Pause,
            _ => gap,
        };
    }
    push(&mut out, &mut text, &mut gap, at);
    out
}

const fn widest(now: Gap, new: Gap) -> Gap {
    match now {
        Gap::Pause => Gap::Pause,
        _ => new,
    }
}

fn push(out: &mut Vec<Word>, text: &mut String, gap: &mut Gap, at: Span) {
    if text.is_empty() {
        return;
    }
    if FILLERS.contains(&text.as_str()) {
        text.clear();
        return;
    }
    let number = text.bytes().all(|b| b.is_ascii_digit());
    out.push(Word {
        text: std::mem::take(text),
        gap: std::mem::replace(gap, Gap::Space),
        number,
        at,
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(transcript: &str) -> String {
        let list: Vec<String> = words(transcript).into_iter().map(|w| w.text).collect();
        list.join(" ")
    }

    #[test]
    fn words_know_where_they_stand() {
        let said = "Tell Zoë, that it\u{2019}s nine one one!";
        let texts: Vec<&str> = words(said)
            .iter()
            .map(|word| &said[word.at.from..word.at.to])
            .collect();
        assert_eq!(
            texts,
            ["Tell", "Zoë", "that", "it\u{2019}s", "nine one one"]
        );
    }

    #[test]
    fn drops_case_punctuation_and_fillers() {
        assert_eq!(
            plain("Um, Call the POLICE, please!"),
            "call the police please"
        );
        assert_eq!(plain("Don\u{2019}t 'call' her"), "don't call her");
        assert_eq!(plain("charge my phone 100%"), "charge my phone 100 percent");
        assert_eq!(plain("\u{0}\u{feff}…"), "");
    }
}
