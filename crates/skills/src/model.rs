//! A language model of the owner's, behind an endpoint in the shape of OpenAI's `/v1/chat/completions`: asked questions
//! that no sentence reads, and heard for words only.
//!
//! What comes out of here is a [`Spoken`]: text for the loudspeaker. There is no way from it to a deed.
use serde::Deserialize;
use serde_json::{Value, json};

/// Longest question that is sent, in characters.
pub const QUESTION_CHARS_MAX: usize = 300;
/// Largest answer that is read, in bytes.
pub const ANSWER_BYTES_MAX: usize = 64 * 1_024;
/// Longest text that is spoken, in characters; it ends with a sentence.
pub const SPOKEN_CHARS_MAX: usize = 500;
/// Most tokens that are asked for.
const TOKENS_MAX: u32 = 200;

/// How it is told to speak.
const MANNER: &str = "You answer questions asked aloud in a home. Answer in one to three short plain sentences, to be \
spoken: no lists, no headings, no links, no signs. If you do not know, say so. You cannot do anything: no calls, no \
messages, no devices.";

/// Words that begin a question.
const QUESTIONS: [&str; 27] = [
    "who", "what", "when", "where", "why", "how", "which", "whose", "whom", "what's", "who's",
    "where's", "is", "are", "was", "were", "does", "do", "did", "can", "could", "has", "have",
    "tell", "explain", "describe", "define",
];

/// Words about danger, harm and help: what has one of them is not for a machine that guesses.
const DANGER: [&str; 45] = [
    "911",
    "112",
    "999",
    "000",
    "988",
    "emergency",
    "emergencies",
    "police",
    "ambulance",
    "sheriff",
    "firefighter",
    "firefighters",
    "fire",
    "burning",
    "smoke",
    "paramedic",
    "paramedics",
    "help",
    "hurt",
    "hurting",
    "injured",
    "bleeding",
    "blood",
    "breathe",
    "breathing",
    "choking",
    "unconscious",
    "overdose",
    "poison",
    "poisoned",
    "poisoning",
    "suicide",
    "suicidal",
    "kill",
    "killing",
    "die",
    "dying",
    "dead",
    "attack",
    "attacked",
    "stroke",
    "intruder",
    "burglar",
    "gun",
    "rescue",
];

/// Text for the loudspeaker, and for nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spoken(String);

impl Spoken {
    /// The words.
    #[must_use]
    pub fn into_words(self) -> String {
        self.0
    }

    /// The words.
    #[must_use]
    pub fn words(&self) -> &str {
        &self.0
    }
}

/// Why nothing is spoken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    /// More than [`ANSWER_BYTES_MAX`].
    #[error("the language model sent {0} bytes, at most {ANSWER_BYTES_MAX} are read")]
    TooLong(usize),
    /// Not JSON of that shape.
    #[error("the language model's answer does not read: {0}")]
    Shape(String),
    /// Nothing that can be said.
    #[error("the language model said nothing")]
    Nothing,
}

/// Whether words are a question that may be sent: short, a question, and without a word about danger. Emergency judges
/// have heard it before and found nothing; this is the second look.
#[must_use]
pub fn may_be_asked(said: &str) -> bool {
    if said.chars().count() > QUESTION_CHARS_MAX {
        return false;
    }
    let text = said.to_lowercase().replace('\u{2019}', "'");
    let mut words = text
        .split(|letter: char| !(letter.is_alphanumeric() || letter == '\''))
        .filter(|word| !word.is_empty())
        .peekable();
    let asks = words.peek().is_some_and(|first| QUESTIONS.contains(first));
    let mut digits = String::new();
    let mut danger = false;
    let mut count = 0;
    for word in words {
        count += 1;
        // "Nine one one", "9 1 1" and "9-1-1" are one number.
        match digit(word) {
            Some(digit) => digits.push(digit),
            None => digits.clear(),
        }
        let number = DANGER[..5].iter().any(|number| digits.contains(number));
        let bare = word.strip_suffix("'s").unwrap_or(word);
        danger |= number || DANGER.contains(&bare);
    }
    asks && !danger && count > 1
}

fn digit(word: &str) -> Option<char> {
    const NAMES: [&str; 10] = [
        "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine",
    ];
    let mut letters = word.chars();
    match (letters.next(), letters.next()) {
        (Some(letter), None) if letter.is_ascii_digit() => Some(letter),
        (Some('o'), None) => Some('0'),
        _ if word == "oh" => Some('0'),
        _ => {
            let at = NAMES.iter().position(|name| *name == word)?;
            char::from_digit(u32::try_from(at).ok()?, 10)
        }
    }
}

/// The request's body.
#[must_use]
pub fn request(model: &str, question: &str) -> Value {
    json!({
        "model": model,
        "messages": [
            {"role": "system", "content": MANNER},
            {"role": "user", "content": question},
        ],
        "max_tokens": TOKENS_MAX,
        "temperature": 0.2,
        "stream": false,
    })
}

#[derive(Deserialize)]
struct Wire {
    choices: Vec<Choice>,
}

#[derive(Deserialize)]
struct Choice {
    message: Message,
}

#[derive(Deserialize)]
struct Message {
    content: Option<String>,
}

/// What is spoken of an answer.
///
/// # Errors
/// [`ModelError`].
pub fn read(body: &[u8]) -> Result<Spoken, ModelError> {
    if body.len() > ANSWER_BYTES_MAX {
        return Err(ModelError::TooLong(body.len()));
    }
    let wire: Wire = serde_json::from_slice(body).map_err(|error| {
        ModelError::Shape(format!("line {} column {}", error.line(), error.column()))
    })?;
    let first = wire.choices.into_iter().next();
    let text = first
        .and_then(|choice| choice.message.content)
        .unwrap_or_default();
    spoken(&text)
}

/// Plain sentences of a text, as many as are spoken. What a model thinks aloud first is left out.
fn spoken(text: &str) -> Result<Spoken, ModelError> {
    let text = match text.rsplit_once("</think>") {
        Some((_, behind)) => behind,
        None => text,
    };
    let mut plain = String::new();
    for letter in text.chars().take(4 * SPOKEN_CHARS_MAX) {
        let letter = match letter {
            '*' | '#' | '`' | '_' | '|' | '<' | '>' | '[' | ']' | '{' | '}' => continue,
            letter if letter.is_whitespace() || letter.is_control() => ' ',
            letter => letter,
        };
        if letter != ' ' || !plain.ends_with(' ') {
            plain.push(letter);
        }
    }
    let plain = plain.trim();
    let is_word = |letter: char| letter.is_alphanumeric();
    if !plain.contains(is_word) {
        return Err(ModelError::Nothing);
    }
    if plain.chars().count() <= SPOKEN_CHARS_MAX {
        return Ok(Spoken(plain.to_owned()));
    }
    let cut: String = plain.chars().take(SPOKEN_CHARS_MAX).collect();
    let end = cut
        .char_indices()
        .filter(|(_, letter)| matches!(letter, '.' | '!' | '?'))
        .map(|(at, _)| at + 1)
        .rfind(|at| cut[*at..].starts_with(' '));
    Ok(Spoken(match end {
        Some(end) => cut[..end].to_owned(),
        None => {
            let end = cut.rfind(' ').unwrap_or(cut.len());
            format!("{}.", cut[..end].trim_end_matches([',', ';', ':']))
        }
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_may_be_asked_and_nothing_of_danger() {
        for said in [
            "Who wrote Moby Dick?",
            "what's the capital of Peru",
            "why is the sky blue",
            "tell me about whales",
            "how many people live in Lisbon",
        ] {
            assert!(may_be_asked(said), "{said}");
        }
        for said in [
            "what happens when I call nine one one",
            "what happens when I call 9-1-1",
            "how do I stop the bleeding",
            "is there a fire",
            "who do I call for an ambulance",
            "how do I kill weeds",
            "what",
            "turn on the light",
            "",
        ] {
            assert!(!may_be_asked(said), "{said}");
        }
        assert!(!may_be_asked(&"what ".repeat(100)));
    }

    #[test]
    fn an_answer_is_plain_short_and_ends_with_a_sentence() {
        let body = |text: &str| {
            json!({"choices": [{"message": {"role": "assistant", "content": text}}]}).to_string()
        };
        let read = |text: &str| read(body(text).as_bytes()).map(Spoken::into_words);
        assert_eq!(
            read("**Herman Melville**\n\nwrote it.").unwrap(),
            "Herman Melville wrote it."
        );
        assert_eq!(read("<think>Hm.</think> Yes.").unwrap(), "Yes.");
        let long = read(&"This is a sentence. ".repeat(100)).unwrap();
        assert!(long.len() <= SPOKEN_CHARS_MAX && long.ends_with("sentence."));
        let endless = read(&"word ".repeat(1_000)).unwrap();
        assert!(endless.chars().count() <= SPOKEN_CHARS_MAX + 1 && endless.ends_with('.'));
        assert_eq!(read(" \n*** "), Err(ModelError::Nothing));
        for garbage in [
            &b"{"[..],
            b"",
            b"[]",
            b"{\"choices\": 5}",
            b"{\"choices\": []}",
            b"\xff\xfe",
        ] {
            assert!(super::read(garbage).is_err());
        }
        assert!(matches!(
            super::read(&vec![b' '; ANSWER_BYTES_MAX + 1]),
            Err(ModelError::TooLong(_))
        ));
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_do_no_harm(bytes: Vec<u8>, text in "\\PC{0,2000}") {
            let _ = super::read(&bytes);
            let _ = may_be_asked(&text);
            if let Ok(spoken) = spoken(&text) {
                proptest::prop_assert!(spoken.words().chars().count() <= SPOKEN_CHARS_MAX + 1);
            }
        }
    }
}
