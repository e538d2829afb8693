//! Nothing but a closed wording is an order: properties of `read` over generated sentences.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test reads files and may fail"
)]
use hearthline_voice::understand::{
    Country, Reading, TRANSCRIPT_BYTES_MAX, emergency_phrases, read,
};
use proptest::prelude::*;

/// Words that turn an order into its opposite wherever they stand before the verb.
const NEGATIONS: [&str; 16] = [
    "don't",
    "dont",
    "do not",
    "never",
    "not",
    "no",
    "didn't",
    "cannot",
    "can't",
    "won't",
    "wouldn't",
    "shouldn't",
    "nobody",
    "stop",
    "without",
    "nope",
];

/// Every verb that an order may hold, and words it may be built with.
const ORDER_VERBS: [&str; 33] = [
    "call",
    "dial",
    "phone",
    "ring",
    "contact",
    "telephone",
    "get",
    "reach",
    "put",
    "patch",
    "connect",
    "make",
    "place",
    "start",
    "give",
    "send",
    "summon",
    "fetch",
    "alert",
    "notify",
    "radio",
    "calling",
    "calls",
    "called",
    "dialing",
    "dials",
    "phoning",
    "phones",
    "ringing",
    "rings",
    "sends",
    "gets",
    "bring",
];

fn is_command(text: &str, country: Country) -> bool {
    matches!(read(text, country), Reading::Command { .. })
}

fn country() -> impl Strategy<Value = Country> {
    prop::sample::select(Country::ALL.to_vec())
}

/// A wording that calls in `country`, with its core apart.
fn order(country: Country) -> impl Strategy<Value = (String, String, String)> {
    let set = emergency_phrases(country);
    let texts: Vec<String> = set.cores.into_iter().map(|core| core.text).collect();
    let before: Vec<String> = std::iter::once(String::new()).chain(set.prefixes).collect();
    let after: Vec<String> = std::iter::once(String::new()).chain(set.suffixes).collect();
    (
        prop::sample::select(before),
        prop::sample::select(texts),
        prop::sample::select(after),
    )
}

fn country_and_order() -> impl Strategy<Value = (Country, (String, String, String))> {
    country().prop_flat_map(|country| (Just(country), order(country)))
}

/// The words of every sentence of the tests: they reach the grammar's corners where random letters do not.
fn known_word() -> impl Strategy<Value = String> {
    let mut words = std::collections::BTreeSet::new();
    for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/sentences")).unwrap()
    {
        let content = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        words.extend(content.split_whitespace().map(|word| {
            word.trim_matches(|c: char| !c.is_alphanumeric())
                .to_lowercase()
        }));
    }
    words.remove("");
    prop::sample::select(words.into_iter().collect::<Vec<_>>())
}

#[test]
fn every_wording_of_the_acoustic_scorer_reads_as_the_same_order() {
    for country in Country::ALL {
        let set = emergency_phrases(country);
        assert!(
            set.cores.len() >= 100,
            "{country}: {} cores",
            set.cores.len()
        );
        assert!(set.prefixes.len() >= 20 && set.suffixes.len() >= 15);
        let mut wrong = Vec::new();
        for core in &set.cores {
            let before = set
                .prefixes
                .iter()
                .map(|prefix| format!("{prefix} {}", core.text));
            let after = set
                .suffixes
                .iter()
                .map(|suffix| format!("{} {suffix}", core.text));
            for text in std::iter::once(core.text.clone())
                .chain(before)
                .chain(after)
            {
                let same = matches!(read(&text, country), Reading::Command { service, quiet, .. } if service == core.service && quiet == core.quiet);
                if !same {
                    wrong.push(format!(
                        "{country}: {text:?} reads as {:?}",
                        read(&text, country)
                    ));
                }
            }
        }
        assert!(
            wrong.is_empty(),
            "{}:\n{}",
            wrong.len(),
            wrong[..wrong.len().min(20)].join("\n")
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_negation_before_the_verb_never_calls((country, (before, core, after)) in country_and_order(), negation in prop::sample::select(&NEGATIONS[..])) {
        for text in [
            format!("{negation} {before} {core} {after}"),
            format!("{before} {negation} {core} {after}"),
            format!("alexa {before} please {negation} {core} {after}"),
            format!("Alexa, {negation}, {core} {after}"),
        ] {
            prop_assert!(!is_command(&text, country), "{text:?}");
        }
    }

    #[test]
    fn did_you_and_its_kin_never_call((country, (before, core, after)) in country_and_order(), question in prop::sample::select(vec!["did you", "why did you", "have you", "how do i", "should i", "what if i", "she said", "he told me to", "i", "they", "if i fall", "remind me to", "play", "text mom", "tell emma to", "when i fall"])) {
        for text in [format!("{question} {core} {after}"), format!("{before} {question} {core} {after}"), format!("alexa {question} {core}?")] {
            prop_assert!(!is_command(&text, country), "{text:?}");
        }
    }

    #[test]
    fn a_word_nobody_wrote_down_never_calls((country, (before, core, after)) in country_and_order(), word in "[b-z]{3}x[a-z]{3,8}", place in 0..4_usize) {
        let mut words: Vec<String> = format!("{before} {core} {after}").split_whitespace().map(str::to_owned).collect();
        let at = place * words.len() / 3;
        words.insert(at.min(words.len()), word);
        let text = words.join(" ");
        prop_assert!(!is_command(&text, country), "{text:?}");
    }

    #[test]
    fn without_a_verb_nothing_calls(country in country(), words in prop::collection::vec(known_word(), 1..8)) {
        let text: Vec<String> = words.into_iter().filter(|word| !ORDER_VERBS.contains(&word.as_str())).collect();
        let text = text.join(" ");
        prop_assert!(!is_command(&text, country), "{text:?}");
    }

    #[test]
    fn a_negated_shuffle_of_known_words_never_calls(country in country(), words in prop::collection::vec(known_word(), 1..8), negation in prop::sample::select(&NEGATIONS[..14])) {
        let text = format!("{negation} {}", words.join(" "));
        prop_assert!(!is_command(&text, country), "{text:?}");
    }

    #[test]
    fn any_text_is_read_without_a_panic(country in country(), text in any::<String>()) {
        let _ = read(&text, country);
    }

    #[test]
    fn any_bytes_that_are_text_are_read(country in country(), bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        let _ = read(&String::from_utf8_lossy(&bytes), country);
    }

    #[test]
    fn spelling_and_punctuation_do_not_change_an_order((country, (before, core, after)) in country_and_order()) {
        let plain = format!("{before} {core} {after}");
        let wanted = read(&plain, country);
        let shouted = format!("Alexa, {}!!!", plain.to_uppercase());
        let slow = plain.split_whitespace().collect::<Vec<_>>().join(", um, ");
        for text in [shouted, slow] {
            let got = read(&text, country);
            let same = match (&wanted, &got) {
                (Reading::Command { service: a, quiet: q, .. }, Reading::Command { service: b, quiet: r, .. }) => a == b && q == r,
                _ => false,
            };
            prop_assert!(same, "{text:?} reads as {got:?}, {plain:?} as {wanted:?}");
        }
    }
}

#[test]
fn longer_than_the_limit_is_nothing() {
    let long = format!("{}call 911", "please ".repeat(TRANSCRIPT_BYTES_MAX / 7));
    assert!(long.len() > TRANSCRIPT_BYTES_MAX);
    assert_eq!(read(&long, Country::UnitedStates), Reading::Other);
}

/// Time grows with the words, not with their square: sixteen times the text takes far less than 256 times the time.
#[test]
fn the_longest_transcript_is_read_in_linear_time() {
    let timed = |text: &str| {
        let _ = read(text, Country::UnitedStates);
        let runs = (0..9).map(|_| {
            let start = std::time::Instant::now();
            let _ = std::hint::black_box(read(std::hint::black_box(text), Country::UnitedStates));
            start.elapsed()
        });
        runs.min().unwrap()
    };
    for piece in [
        "call 911 if ",
        "help the police said ",
        "nine one one ",
        "o o o o ",
        "a ",
        "please ",
    ] {
        let short = piece.repeat(240 / piece.len());
        let long = piece.repeat(3_840 / piece.len());
        let (short, long) = (timed(&short), timed(&long));
        assert!(
            long < short * 96 + std::time::Duration::from_millis(2),
            "{piece:?}: {short:?}, {long:?}"
        );
        assert!(
            long < std::time::Duration::from_millis(200),
            "{piece:?}: {long:?}"
        );
    }
}
