//! Whether a sentence may end where it pauses.
use crate::endpoint::Sentence;
use crate::understand::RefusedClass;
use crate::understand::judge::{Doubt, Understanding, Verdict};

/// Fewest words of a sentence that nobody knows and that may be whole.
const WORDS_MIN: usize = 3;

/// Words that something must follow. "Turn on the ..." is no sentence yet, however the recogniser punctuates it.
const OPEN: &[&str] = &[
    "a", "about", "add", "an", "and", "are", "as", "ask", "at", "because", "between", "but", "by",
    "call", "can", "dial", "every", "for", "from", "get", "how", "i", "if", "in", "is", "its",
    "like", "me", "my", "of", "on", "or", "our", "phone", "play", "please", "ring", "said", "say",
    "send", "set", "should", "so", "tell", "than", "that", "the", "their", "then", "this", "to",
    "um", "uh", "until", "was", "we", "were", "what", "when", "where", "which", "who", "will",
    "with", "would", "your", "zero", "oh", "one", "two", "three", "four", "five", "six", "seven",
    "eight", "nine",
];

/// Whether the sentence may end here, or the speaker could still be adding to it.
pub(super) fn sentence(look: &Understanding) -> Sentence {
    match &look.verdict {
        Verdict::Nothing => Sentence::Empty,
        Verdict::Other if reads_whole(&look.transcript.text) => Sentence::Plausible,
        Verdict::Other => Sentence::Incomplete,
        // "Call nine ... one one", "call the ... police": give them time.
        Verdict::Refused {
            class: RefusedClass::OtherNumber | RefusedClass::Unclear | RefusedClass::Contact,
            ..
        }
        | Verdict::Ask {
            why: Doubt::Unsure | Doubt::Contradicted,
            ..
        } => Sentence::Incomplete,
        _ => Sentence::Complete,
    }
}

/// Whether a text that no rule knows looks like a whole sentence: the recogniser ended it with a full stop, and its
/// last word can be a last one. A number is not ("call five five ...").
fn reads_whole(text: &str) -> bool {
    let text = text.trim_end();
    let Some(body) = text.strip_suffix(['.', '?', '!']) else {
        return false;
    };
    if body.ends_with(['.', ',', '-']) {
        return false;
    }
    let words = || body.split(|c: char| !(c.is_alphanumeric() || c == '\''));
    let Some(last) = words().rfind(|word| !word.is_empty()) else {
        return false;
    };
    let last = last.to_lowercase();
    words().filter(|word| !word.is_empty()).count() >= WORDS_MIN
        && !OPEN.contains(&last.as_str())
        && !last.ends_with(|c: char| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::reads_whole;

    #[test]
    fn a_full_stop_behind_a_word_that_can_be_the_last() {
        for whole in [
            "Set a timer for five minutes.",
            "What's the weather tomorrow?",
            " Turn on the kitchen light. ",
            "Stop the music!",
        ] {
            assert!(reads_whole(whole), "{whole}");
        }
        for open in [
            "Turn on the.",
            "Call nine.",
            "Dial 555 01.",
            "Remind me to.",
            "Turn on the kitchen",
            "Turn on the kitchen,",
            "Turn on the kitchen...",
            "Play.",
            "...",
            "",
        ] {
            assert!(!reads_whole(open), "{open}");
        }
    }
}
