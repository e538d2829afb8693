//! Whether a sentence may end where it pauses.
use crate::endpoint::Sentence;
use crate::understand::household::{KnownNames, begins_service};
use crate::understand::judge::{Doubt, Rule, Understanding, Verdict};
use crate::understand::{AskReason, Country, Intent, RefusedClass};

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

/// Most words of an answer to a ringing call that is whole at once: "decline", "answer it".
const ANSWER_WORDS_MAX: usize = 2;

/// Whether the sentence may end here, or the speaker could still be adding to it. `addressed` when it stands behind the
/// wake word.
pub(super) fn sentence(
    look: &Understanding,
    country: Country,
    names: Option<&KnownNames>,
    addressed: bool,
) -> Sentence {
    let text = &look.transcript.text;
    match &look.verdict {
        Verdict::Nothing => Sentence::Empty,
        Verdict::Act(intent) if look.evidence.rule == Rule::Household => {
            household(intent, text, names)
        }
        Verdict::Other if !addressed && answers_a_call(look, country) => Sentence::Complete,
        Verdict::Other if reads_whole(text) => Sentence::Plausible,
        Verdict::Other => Sentence::Incomplete,
        // "Call nine ... one one", "call the ... police": give them time.
        Verdict::Refused {
            class: RefusedClass::OtherNumber | RefusedClass::Unclear | RefusedClass::Contact,
            ..
        }
        | Verdict::Ask {
            why:
                Doubt::Unsure
                | Doubt::Contradicted
                | Doubt::Words(AskReason::Unclear | AskReason::OhBehind),
            ..
        } => Sentence::Incomplete,
        _ => Sentence::Complete,
    }
}

/// The words of what was understood as an everyday act, to know them again; nothing for whatever speaks of an emergency.
pub(super) fn whole(look: &Understanding) -> Option<String> {
    matches!(look.verdict, Verdict::Meant(_) | Verdict::Act(_)).then(|| {
        words(&look.transcript.text)
            .collect::<Vec<_>>()
            .join(" ")
            .to_lowercase()
    })
}

/// Whether a sentence of the household is whole. What has no free part is. A name that is known is, unless a longer one
/// begins so; another name may go on ("call Anna ... Smith"). Digits always may, and so may a text.
fn household(intent: &Intent, text: &str, names: Option<&KnownNames>) -> Sentence {
    let slot = |name: &str| intent.slots.get(name).map(String::as_str);
    if slot("number").is_some() {
        return Sentence::Incomplete;
    }
    if slot("digits").is_some() || intent.name == "CallRedial" {
        return Sentence::Plausible;
    }
    if slot("text").is_some() || intent.name == "MessageSend" {
        return if reads_whole(text) {
            Sentence::Plausible
        } else {
            Sentence::Incomplete
        };
    }
    let Some(who) = slot("who").or(slot("where")) else {
        return Sentence::Complete;
    };
    let known = |names: &KnownNames| names.knows(who) && !names.may_go_on(who);
    if begins_service(who) {
        Sentence::Incomplete
    } else if names.is_some_and(known) {
        Sentence::Complete
    } else if ends_whole(text) {
        Sentence::Plausible
    } else {
        Sentence::Incomplete
    }
}

/// Whether an answer without the wake word takes, declines or ends a call in a word or two.
fn answers_a_call(look: &Understanding, country: Country) -> bool {
    let words = look.transcript.text.split_whitespace().count();
    words <= ANSWER_WORDS_MAX
        && look.everyday(country, None).is_some_and(|intent| {
            matches!(
                intent.name.as_str(),
                "CallAnswer" | "CallDecline" | "CallHangUp"
            )
        })
}

/// Whether a text that no rule knows looks like a whole sentence: the recogniser ended it with a full stop, and its
/// last word can be a last one. A number is not ("call five five ...").
fn reads_whole(text: &str) -> bool {
    words(text).count() >= WORDS_MIN && ends_whole(text)
}

/// Whether its end can be one.
fn ends_whole(text: &str) -> bool {
    let text = text.trim_end();
    let Some(body) = text.strip_suffix(['.', '?', '!']) else {
        return false;
    };
    if body.ends_with(['.', ',', '-']) {
        return false;
    }
    let Some(last) = words(body).last() else {
        return false;
    };
    let last = last.to_lowercase();
    !OPEN.contains(&last.as_str()) && !last.ends_with(|c: char| c.is_ascii_digit())
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !(c.is_alphanumeric() || c == '\''))
        .filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transcribe::Transcript;
    use crate::understand::household::act;
    use crate::understand::judge::{Evidence, OperatingPoint, decide};
    use crate::understand::mass::Mass;
    use crate::understand::read;
    use crate::understand::verdict::Contrary;

    const COUNTRY: Country = Country::UnitedStates;

    /// How a text is judged when the sound says nothing about it.
    fn look(text: &str, names: Option<&KnownNames>) -> Understanding {
        let reading = read(text, COUNTRY);
        let (mass, contrary) = (Mass::nothing(), Contrary::NONE);
        let point = OperatingPoint::built_in();
        let (judged, rule) = decide(text, &reading, &mass, contrary, &point);
        let verdict = act(judged.clone(), text, COUNTRY, names);
        let rule = if verdict == judged {
            rule
        } else {
            Rule::Household
        };
        let transcript = Transcript {
            text: text.to_owned(),
            tokens: Vec::new(),
            log_prob: -0.1,
            alternatives: Vec::new(),
        };
        let evidence = Evidence {
            reading,
            mass,
            contrary,
            rule,
            point,
        };
        Understanding {
            transcript,
            verdict,
            evidence,
        }
    }

    #[test]
    fn a_sentence_of_the_household_may_end_where_nothing_can_follow() {
        use Sentence::{Complete, Incomplete, Plausible};
        let names = KnownNames::new(["Kitchen", "Anna", "Anna Smith", "Bob", "Living room"]);
        for (text, without, with) in [
            ("Call the kitchen.", Plausible, Complete),
            ("Call the kitchen", Incomplete, Complete),
            ("Call the kitchin please.", Incomplete, Complete),
            ("Call Anna.", Plausible, Plausible),
            ("Call Anna Smith.", Plausible, Complete),
            ("Call Bob's mobile.", Plausible, Complete),
            ("Call Robert.", Plausible, Plausible),
            ("Call the living.", Plausible, Plausible),
            ("Call the.", Incomplete, Incomplete),
            ("Call my.", Incomplete, Incomplete),
            ("Call nine.", Incomplete, Incomplete),
            ("Call nine one.", Incomplete, Incomplete),
            ("Call 55.", Incomplete, Incomplete),
            ("Call 5550123.", Incomplete, Incomplete),
            ("Dial 555 01.", Incomplete, Incomplete),
            ("Call poison.", Incomplete, Incomplete),
            ("Call the mountain.", Incomplete, Incomplete),
            ("Press one.", Plausible, Plausible),
            ("Drop in on the kitchen.", Plausible, Complete),
            ("Transfer the call to Bob.", Plausible, Complete),
            ("Hang up the phone.", Complete, Complete),
            ("Answer.", Complete, Complete),
            ("Who called?", Complete, Complete),
            ("Turn on do not disturb.", Complete, Complete),
            ("Volume up.", Complete, Complete),
            ("Call back.", Plausible, Plausible),
            ("Announce dinner.", Incomplete, Incomplete),
            ("Announce dinner is ready.", Plausible, Plausible),
            ("Tell Anna I'm late.", Plausible, Plausible),
            ("Tell Anna I'm in the.", Incomplete, Incomplete),
            ("Message Anna.", Incomplete, Incomplete),
            ("Send a message to Anna.", Plausible, Plausible),
            ("Tell Anna.", Incomplete, Incomplete),
        ] {
            let bare = sentence(&look(text, None), COUNTRY, None, true);
            assert_eq!(bare, without, "{text}");
            let known = sentence(&look(text, Some(&names)), COUNTRY, Some(&names), true);
            assert_eq!(known, with, "{text}");
        }
    }

    #[test]
    fn names_and_sentences_of_the_household_make_no_emergency_shorter_or_longer() {
        let names = KnownNames::new(["Police", "Nine", "The", "Ambulance", "Anna"]);
        for (text, is) in [
            ("Call the police.", Sentence::Incomplete),
            ("Call the police museum.", Sentence::Incomplete),
            ("Don't call the police.", Sentence::Complete),
            ("Did you call 911?", Sentence::Complete),
            ("Can you call an ambulance?", Sentence::Complete),
            ("Call 999.", Sentence::Complete),
            ("Call 921.", Sentence::Incomplete),
        ] {
            for names in [None, Some(&names)] {
                assert_eq!(
                    sentence(&look(text, names), COUNTRY, names, true),
                    is,
                    "{text}"
                );
            }
        }
    }

    #[test]
    fn words_are_known_again_by_what_they_are_and_only_when_they_are_everyday() {
        let names = KnownNames::new(["Kitchen"]);
        let again = |text: &str| whole(&look(text, Some(&names)));
        assert!(again("Call the kitchen.").is_some());
        assert_eq!(again("Call the kitchen."), again(" call the Kitchen!"));
        assert_ne!(
            again("Call the kitchen."),
            again("Call the kitchen please.")
        );
        for help in ["Call 911.", "Can you call an ambulance?", "What a day."] {
            assert_eq!(again(help), None, "{help}");
        }
    }

    #[test]
    fn a_short_answer_to_a_ringing_call_is_whole() {
        for (text, is) in [
            ("Decline.", Sentence::Complete),
            ("Answer.", Sentence::Complete),
            ("Answer it.", Sentence::Complete),
            ("I can't talk right now.", Sentence::Plausible),
            ("Call Anna.", Sentence::Incomplete),
        ] {
            let mut look = look(text, None);
            if let Verdict::Act(_) = look.verdict {
                // An answer is judged by its words alone, without the household.
                look.verdict = match text {
                    "Call Anna." => Verdict::Refused {
                        class: RefusedClass::Contact,
                        service: None,
                    },
                    _ => Verdict::Other,
                };
            }
            assert_eq!(sentence(&look, COUNTRY, None, false), is, "{text}");
        }
    }

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
