//! The words and figures of a phrase, with the place of each.
use core::ops::Range;

/// Longest phrase that is read, in bytes.
pub const PHRASE_BYTES_MAX: usize = 300;
/// Most words of it.
const TOKENS_MAX: usize = 60;

/// A word or a figure.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// A word in lower case, without points and commas.
    Word(String),
    /// A whole number in figures, below 1,000,000,000.
    Number(u32),
    /// A number with a fraction, in thousandths.
    Thousandths(u64),
    /// "7:30".
    Clock(u8, u8),
    /// "1st", "22nd".
    Ordinal(u8),
}

/// One of them, and where it stands in the phrase.
#[derive(Debug, Clone, PartialEq)]
pub struct Token {
    /// What it is.
    pub kind: Kind,
    /// Its bytes.
    pub place: Range<usize>,
}

impl Token {
    /// The word; empty for figures.
    #[must_use]
    pub fn word(&self) -> &str {
        match &self.kind {
            Kind::Word(word) => word,
            _ => "",
        }
    }
}

/// Cuts a phrase; `None` when it is too long for anybody to have meant a time by it.
#[must_use]
pub fn tokens(phrase: &str) -> Option<Vec<Token>> {
    if phrase.len() > PHRASE_BYTES_MAX {
        return None;
    }
    let mut out = Vec::new();
    let mut start = None;
    for (at, letter) in phrase.char_indices().chain([(phrase.len(), ' ')]) {
        let parts = letter.is_whitespace() || matches!(letter, '-' | '\u{2013}' | ';');
        match (start, parts) {
            (None, false) => start = Some(at),
            (Some(from), true) => {
                push(phrase, from..at, &mut out);
                start = None;
            }
            _ => {}
        }
        if out.len() > TOKENS_MAX {
            return None;
        }
    }
    Some(out)
}

fn push(phrase: &str, place: Range<usize>, out: &mut Vec<Token>) {
    let text = phrase[place.clone()]
        .to_lowercase()
        .replace('\u{2019}', "'");
    let text = text.trim_matches(|letter| matches!(letter, ',' | '.' | '!' | '?' | '"' | ':'));
    if text.is_empty() {
        return;
    }
    let mut put = |kind| {
        out.push(Token {
            kind,
            place: place.clone(),
        });
    };
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    if digits == 0 {
        let word: String = text.chars().filter(|letter| *letter != '.').collect();
        return put(Kind::Word(word));
    }
    let (figure, rest) = text.split_at(digits);
    if let Some(minutes) = rest.strip_prefix([':', '.']) {
        let more = minutes.bytes().take_while(u8::is_ascii_digit).count();
        let (minutes, suffix) = minutes.split_at(more);
        let clock = (figure.len() <= 2 && minutes.len() == 2)
            .then(|| (figure.parse().ok(), minutes.parse().ok()));
        if let Some((Some(hour @ 0..=24), Some(minute @ 0..=59))) = clock
            && (rest.starts_with(':') || !suffix.is_empty())
        {
            put(Kind::Clock(hour, minute));
        } else if let Some(amount) = thousandths(figure, minutes) {
            put(Kind::Thousandths(amount));
        } else {
            return put(Kind::Word(text.to_owned()));
        }
        if !suffix.is_empty() {
            put(Kind::Word(suffix.replace('.', "")));
        }
        return;
    }
    let plain: String = text.chars().filter(|letter| *letter != ',').collect();
    match (figure.parse::<u32>(), rest) {
        (Ok(day @ 1..=31), "st" | "nd" | "rd" | "th") => put(Kind::Ordinal(day as u8)),
        (Ok(number), "") if number < 1_000_000_000 => put(Kind::Number(number)),
        _ if plain.bytes().all(|byte| byte.is_ascii_digit()) => match plain.parse::<u32>() {
            Ok(number) if number < 1_000_000_000 => put(Kind::Number(number)),
            _ => put(Kind::Word(text.to_owned())),
        },
        // "7am", "90s".
        (Ok(number), rest)
            if rest
                .chars()
                .all(|letter| letter.is_alphabetic() || letter == '.') =>
        {
            put(Kind::Number(number.min(999_999_999)));
            put(Kind::Word(rest.replace('.', "")));
        }
        _ => put(Kind::Word(text.to_owned())),
    }
}

fn thousandths(whole: &str, fraction: &str) -> Option<u64> {
    if fraction.is_empty() || fraction.len() > 3 {
        return None;
    }
    let whole: u64 = whole.parse().ok().filter(|whole| *whole < 1_000_000_000)?;
    let scale = 10_u64.pow(3 - u32::try_from(fraction.len()).ok()?);
    Some(whole * 1_000 + fraction.parse::<u64>().ok()? * scale)
}
