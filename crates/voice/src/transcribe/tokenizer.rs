//! The recogniser's vocabulary: token numbers and the bytes they stand for.
//!
//! The file holds byte strings one after the other, each with its length before it: one byte below 128, otherwise two
//! (low seven bits with the top bit set, then the rest). `▁` stands for a space; tokens 3 to 258 are single bytes.

/// Number of a token.
pub type TokenId = u32;

/// Most entries that a vocabulary may have; Moonshine has 32,768.
const TOKENS_MAX: usize = 1 << 20;
/// First token that stands for one byte (0x00).
const BYTES_FIRST: usize = 3;

/// Why a vocabulary could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VocabularyError {
    /// The file ends inside an entry.
    #[error("the vocabulary ends inside token {token} at byte {at}; run `hearth models verify`")]
    Truncated {
        /// Number of the token that is cut.
        token: usize,
        /// Where it begins.
        at: usize,
    },
    /// More entries than any model has.
    #[error("the vocabulary has more than {TOKENS_MAX} tokens")]
    TooMany,
    /// Too few to hold start, end and the 256 bytes.
    #[error("the vocabulary has only {0} tokens")]
    TooFew(usize),
}

/// All tokens.
#[derive(Debug, Clone)]
pub struct Vocabulary {
    bytes: Vec<u8>,
    ends: Vec<u32>,
}

impl Vocabulary {
    /// Token that begins a transcript.
    pub const START: TokenId = 1;
    /// Token that ends one.
    pub const END: TokenId = 2;

    /// Read `tokenizer.bin`.
    ///
    /// # Errors
    /// When the file is cut or absurd.
    pub fn read(file: &[u8]) -> Result<Self, VocabularyError> {
        let (mut bytes, mut ends, mut at) = (Vec::with_capacity(file.len()), Vec::new(), 0);
        while at < file.len() {
            let truncated = VocabularyError::Truncated {
                token: ends.len(),
                at,
            };
            let first = usize::from(file[at]);
            let (length, header) = if first < 128 {
                (first, 1)
            } else {
                let Some(second) = file.get(at + 1) else {
                    return Err(truncated);
                };
                (usize::from(*second) * 128 + (first - 128), 2)
            };
            let Some(text) = file.get(at + header..at + header + length) else {
                return Err(truncated);
            };
            bytes.extend_from_slice(text);
            ends.push(u32::try_from(bytes.len()).map_err(|_| VocabularyError::TooMany)?);
            if ends.len() > TOKENS_MAX {
                return Err(VocabularyError::TooMany);
            }
            at += header + length;
        }
        if ends.len() < BYTES_FIRST + 256 {
            return Err(VocabularyError::TooFew(ends.len()));
        }
        Ok(Self { bytes, ends })
    }

    /// Number of tokens.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is no token; never true for one that was read.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The bytes of a token (`▁` for a space); nothing for unknown, start, end and the model's private marks.
    #[must_use]
    pub fn text(&self, token: TokenId) -> &[u8] {
        let index = token as usize;
        let Some(&end) = self.ends.get(index) else {
            return &[];
        };
        if index < BYTES_FIRST {
            return &[];
        }
        let begin = self.ends[index - 1];
        let text = &self.bytes[begin as usize..end as usize];
        if text.starts_with(b"<<ST_") {
            &[]
        } else {
            text
        }
    }

    /// The token with exactly these bytes; of a letter and the byte that writes it, the letter.
    #[must_use]
    pub fn find(&self, text: &[u8]) -> Option<TokenId> {
        let all = TokenId::try_from(self.len()).ok()?;
        (0..all).rev().find(|&token| self.text(token) == text)
    }

    /// The text of a run of tokens, spaces restored and outer ones removed. Bytes that are no UTF-8 become U+FFFD.
    #[must_use]
    pub fn decode(&self, tokens: &[TokenId]) -> String {
        let bytes: Vec<u8> = tokens.iter().flat_map(|&t| self.text(t)).copied().collect();
        String::from_utf8_lossy(&bytes)
            .replace('▁', " ")
            .trim()
            .to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(words: &[&[u8]]) -> Vec<u8> {
        let mut all: Vec<Vec<u8>> = vec![b"<unk>".to_vec(), b"<s>".to_vec(), b"</s>".to_vec()];
        all.extend((0..=255u8).map(|b| vec![b]));
        all.extend(words.iter().map(|w| w.to_vec()));
        let mut file = Vec::new();
        for word in all {
            match u8::try_from(word.len()) {
                Ok(length) if length < 128 => file.push(length),
                _ => file.extend([
                    u8::try_from(word.len() % 128 + 128).unwrap(),
                    u8::try_from(word.len() / 128).unwrap(),
                ]),
            }
            file.extend(word);
        }
        file
    }

    #[test]
    fn reads_short_and_long_entries() {
        let long = vec![b'x'; 300];
        let vocabulary = Vocabulary::read(&file(&["▁Call".as_bytes(), &long])).unwrap();
        assert_eq!(vocabulary.len(), 261);
        assert_eq!(vocabulary.text(259), "▁Call".as_bytes());
        assert_eq!(vocabulary.text(260), long);
        assert_eq!(
            vocabulary.decode(&[1, 259, 3 + u32::from(b'9'), 2]),
            "Call9"
        );
    }

    #[test]
    fn every_cut_is_an_error_or_a_shorter_vocabulary() {
        let whole = file(&["▁Call".as_bytes()]);
        for cut in 0..whole.len() {
            match Vocabulary::read(&whole[..cut]) {
                Ok(shorter) => assert!(shorter.len() < 260),
                Err(VocabularyError::Truncated { .. } | VocabularyError::TooFew(_)) => {}
                Err(other) => panic!("{other}"),
            }
        }
    }

    #[test]
    fn marks_and_numbers_out_of_range_have_no_text() {
        let vocabulary = Vocabulary::read(&file(&[b"<<ST_0>>"])).unwrap();
        for token in [0, 1, 2, 259, 260, u32::MAX] {
            assert_eq!(vocabulary.text(token), b"");
        }
    }
}
