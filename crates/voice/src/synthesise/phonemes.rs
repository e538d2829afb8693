//! From words to the phonemes that the voice was trained on.
//!
//! The dictionary (`loqui-g2p`, no GPL) writes the Kokoro alphabet: one letter for a diphthong, no length marks.
//! The voice knows the IPA spelling that espeak writes for American English, so each sign is rewritten here.
use loqui_g2p::{Dialect, G2p, OovFallback};

/// Words that the voice says better with other phonemes than the dictionary's (already in the voice's spelling).
const SAID_OTHERWISE: [(&str, &str); 1] = [("alexa", "ɐlˈɛksə")];

/// The dictionary, about 90 MB in memory.
#[derive(Debug)]
pub(crate) struct Dictionary(G2p);

impl Dictionary {
    pub(crate) fn load() -> Result<Self, loqui_g2p::Error> {
        G2p::new(Dialect::American, OovFallback::Neural).map(Self)
    }

    /// The phonemes of one sentence in the voice's spelling, punctuation kept.
    pub(crate) fn phonemes(&self, sentence: &str) -> String {
        let mut out = String::new();
        for token in self.0.tokens(sentence) {
            let known = SAID_OTHERWISE
                .iter()
                .find(|(word, _)| token.text.eq_ignore_ascii_case(word));
            match known {
                Some((_, phonemes)) => out.push_str(phonemes),
                None => respell(&token.phonemes, &mut out),
            }
            if token.whitespace {
                out.push(' ');
            }
        }
        out
    }
}

/// Rewrites Kokoro's alphabet in the voice's.
fn respell(phonemes: &str, out: &mut String) {
    let signs: Vec<char> = phonemes.chars().collect();
    let mut at = 0;
    while at < signs.len() {
        let next = signs.get(at + 1).copied();
        let starts_word = at == 0 || signs[at - 1] == ' ';
        let (text, used) = match (signs[at], next) {
            ('ɜ', Some('ɹ')) => ("ɜː", 2),
            ('ə', Some('ɹ')) => ("ɚ", 2),
            ('ə', _) if starts_word && signs.len() > 1 => ("ɐ", 1),
            ('ᵊ', _) => ("ə", 1),
            ('A', _) => ("eɪ", 1),
            ('I', _) => ("aɪ", 1),
            ('W', _) => ("aʊ", 1),
            ('Y', _) => ("ɔɪ", 1),
            ('O', _) => ("oʊ", 1),
            ('T', _) => ("ɾ", 1),
            ('ʤ', _) => ("dʒ", 1),
            ('ʧ', _) => ("tʃ", 1),
            ('ɑ', _) => ("ɑː", 1),
            ('ɔ', _) => ("ɔː", 1),
            ('u', _) => ("uː", 1),
            ('i', _) if is_stressed(&signs[..at]) => ("iː", 1),
            (other, _) => {
                out.push(other);
                at += 1;
                continue;
            }
        };
        out.push_str(text);
        at += used;
    }
}

/// Whether the vowel after `before` bears the last stress mark.
fn is_stressed(before: &[char]) -> bool {
    const VOWELS: &str = "aeiouæɑɐɒɔəɚɛɜɪʊʌᵻᵊAIWYO ";
    for sign in before.iter().rev() {
        match sign {
            'ˈ' | 'ˌ' => return true,
            sign if VOWELS.contains(*sign) => return false,
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn respelt(phonemes: &str) -> String {
        let mut out = String::new();
        respell(phonemes, &mut out);
        out
    }

    #[test]
    fn any_text_has_phonemes_or_none_but_no_panic() {
        use proptest::prelude::*;
        let dictionary = Dictionary::load().unwrap();
        let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(1_000));
        let text = prop_oneof![any::<String>(), "[ -~]{0,200}", "[0-9$%.,:/@' a-z-]{0,80}"];
        runner
            .run(&text, |text| {
                for sentence in super::super::spoken::sentences(&text, 240) {
                    let _ = dictionary.phonemes(&sentence);
                }
                Ok(())
            })
            .unwrap();
    }

    #[test]
    fn writes_what_the_voice_was_trained_on() {
        for (kokoro, voice) in [
            ("nˈIn", "nˈaɪn"),
            ("kˈɔl", "kˈɔːl"),
            ("sˈɜɹvəsᵻz", "sˈɜːvəsᵻz"),
            ("əbˈWt", "ɐbˈaʊt"),
            ("bˈɛTəɹ", "bˈɛɾɚ"),
            ("ʤˈʌʤ", "dʒˈʌdʒ"),
            ("hˈæpi", "hˈæpi"),
            ("pəlˈis", "pəlˈiːs"),
            ("ˈæksədᵊnt", "ˈæksədənt"),
            ("fˈud", "fˈuːd"),
        ] {
            assert_eq!(respelt(kokoro), voice);
        }
    }
}
