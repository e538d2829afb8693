//! Text that comes in parts, cut into sentences as soon as they are whole: the first is spoken while the next is written.

/// Longest sentence without an end, in characters; then it is cut between words.
const PHRASE_CHARS_MAX: usize = 400;
/// Shorter pieces wait for the next: a sentence of one syllable sounds odd by itself.
const PHRASE_CHARS_MIN: usize = 12;
/// A full stop behind these ends no sentence.
const SHORT: [&str; 17] = [
    "mr", "mrs", "ms", "dr", "prof", "st", "vs", "e.g", "i.e", "etc", "no", "approx", "jr", "sr",
    "a.m", "p.m", "u.s",
];

/// Gathers text.
#[derive(Clone, Debug, Default)]
pub struct Phrases {
    held: String,
}

impl Phrases {
    /// Takes text.
    pub fn push(&mut self, text: &str) {
        self.held.push_str(text);
    }

    /// The next whole sentence; none until more text comes.
    pub fn next_phrase(&mut self) -> Option<String> {
        loop {
            let end = self.end()?;
            let phrase: String = self.held.drain(..end).collect();
            let phrase = phrase.trim();
            if !phrase.is_empty() {
                return Some(phrase.to_owned());
            }
        }
    }

    /// All that is left, as it is.
    pub fn finish(&mut self) -> Option<String> {
        let rest = core::mem::take(&mut self.held);
        let rest = rest.trim();
        (!rest.is_empty()).then(|| rest.to_owned())
    }

    /// Where the first sentence ends, in bytes.
    fn end(&self) -> Option<usize> {
        let mut last_space = None;
        let mut signs = self.held.char_indices().enumerate().peekable();
        while let Some((count, (at, sign))) = signs.next() {
            let behind = at + sign.len_utf8();
            if sign.is_whitespace() {
                last_space = Some(at);
            }
            if count >= PHRASE_CHARS_MAX {
                return Some(last_space.filter(|at| *at > 0).unwrap_or(at));
            }
            if count < PHRASE_CHARS_MIN {
                continue;
            }
            if sign == '\n' {
                return Some(behind);
            }
            let ends = match sign {
                '!' | '?' | '\u{2026}' | ';' => true,
                '.' => !self.is_short(at),
                _ => false,
            };
            // What stands behind decides: "3.5" goes on, and so does a sentence that is still being written.
            let next = signs.peek().map(|(_, (_, next))| *next);
            if ends && next.is_some_and(char::is_whitespace) {
                return Some(behind);
            }
        }
        None
    }

    /// Whether the word before this full stop is an abbreviation.
    fn is_short(&self, at: usize) -> bool {
        let word = self.held[..at]
            .rsplit(|sign: char| sign.is_whitespace() || sign == '(')
            .next()
            .unwrap_or_default()
            .to_lowercase();
        word.chars().count() == 1 || SHORT.contains(&word.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(parts: &[&str]) -> Vec<String> {
        let mut phrases = Phrases::default();
        let mut found = Vec::new();
        for part in parts {
            phrases.push(part);
            while let Some(phrase) = phrases.next_phrase() {
                found.push(phrase);
            }
        }
        found.extend(phrases.finish());
        found
    }

    #[test]
    fn sentences_come_as_soon_as_they_are_whole() {
        let text = "Turned on the lights. It is 3.5 degrees at Dr. Smith's. Is that all? Yes";
        let whole = [
            "Turned on the lights.",
            "It is 3.5 degrees at Dr. Smith's.",
            "Is that all?",
            "Yes",
        ];
        assert_eq!(cut(&[text]), whole);
        let letters: Vec<String> = text.chars().map(String::from).collect();
        let letters: Vec<&str> = letters.iter().map(String::as_str).collect();
        assert_eq!(cut(&letters), whole);
        assert_eq!(cut(&["", " \n ", ""]), Vec::<String>::new());
        assert_eq!(cut(&["No. Yes. Perhaps not."]), ["No. Yes. Perhaps not."]);
    }

    #[test]
    fn what_never_ends_is_cut_between_words_and_nothing_is_lost() {
        let text = "word ".repeat(300);
        let found = cut(&[&text]);
        assert!(found.len() > 2);
        assert!(found.iter().all(|phrase| phrase.len() <= PHRASE_CHARS_MAX));
        assert_eq!(found.join(" "), text.trim());
        let wall = "x".repeat(1_000);
        assert_eq!(cut(&[&wall]).concat(), wall);
    }
}
