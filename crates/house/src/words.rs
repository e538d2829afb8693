//! What is said about lights and devices, beyond the responses that the sentences of a language bring.

/// "the lamp, the desk and 3 more".
#[must_use]
pub(crate) fn list(names: &[String]) -> String {
    const SAID_MAX: usize = 4;
    let mut names: Vec<&str> = names.iter().map(String::as_str).collect();
    names.dedup();
    let more = names.len().saturating_sub(SAID_MAX);
    let more = (more > 0).then(|| format!("{} more", more + 1));
    if more.is_some() {
        names.truncate(SAID_MAX - 1);
    }
    names.extend(more.as_deref());
    match names.as_slice() {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [head @ .., last] => format!("{} and {last}", head.join(", ")),
    }
}

/// Things and why each did not do it, alike reasons together: "The Lamp and the Desk: no answer. …"
#[must_use]
pub(crate) fn failed(all: &[(String, String)]) -> String {
    let mut whys: Vec<&str> = Vec::new();
    for (_, why) in all {
        if !whys.contains(&why.as_str()) {
            whys.push(why);
        }
    }
    let said = whys.iter().map(|why| {
        let names: Vec<String> = all
            .iter()
            .filter(|(_, other)| other == why)
            .map(|(name, _)| name.clone())
            .collect();
        format!("{}: {}.", list(&names), why.trim_end_matches('.'))
    });
    said.collect::<Vec<_>>().join(" ")
}

/// Some have done it, some have not.
#[must_use]
pub(crate) fn all_but(done: usize, all: &[(String, String)]) -> String {
    format!("{done} of {} did. {}", done + all.len(), failed(all))
}

/// A system that does not answer.
#[must_use]
pub(crate) fn no_answer(system: &str, why: &str) -> String {
    format!("{system} cannot be reached, {}", why.trim_end_matches('.'))
}

/// A player plays what was wished.
#[must_use]
pub(crate) fn playing(wish: &str, player: &str) -> String {
    format!("Playing {wish} on {}.", the(player))
}

/// It has not found it yet.
#[must_use]
pub(crate) fn still_looking(wish: &str, player: &str) -> String {
    let player = the(player);
    format!("I am still looking for {wish}. It plays on {player} as soon as it is found.")
}

fn the(name: &str) -> String {
    let has_one = name.to_lowercase().starts_with("the ");
    if has_one {
        name.to_owned()
    } else {
        format!("the {name}")
    }
}

pub(crate) const UNAVAILABLE: &str = "it cannot be reached at the moment";
pub(crate) const TOO_LATE: &str = "it did not answer";
pub(crate) const LEFT_AS_IT_IS: &str = "All right, I leave it as it is.";
pub(crate) const NOT_BY_ITSELF: &str =
    "I unlock and open doors only when a person asks and confirms it.";

/// Yes, no, or neither.
#[must_use]
pub(crate) fn yes_or_no(said: &str) -> Option<bool> {
    let plain: String = said
        .to_lowercase()
        .chars()
        .filter(|letter| letter.is_alphanumeric() || letter.is_whitespace() || *letter == '\'')
        .collect();
    let words: Vec<&str> = plain.split_whitespace().collect();
    const NO: [&str; 9] = [
        "no",
        "nope",
        "nah",
        "don't",
        "not",
        "cancel",
        "stop",
        "never",
        "nevermind",
    ];
    if words.is_empty() || words.len() > 6 {
        return None;
    }
    if words.iter().any(|word| NO.contains(word)) {
        return Some(false);
    }
    const YES: [&str; 9] = [
        "yes", "yeah", "yep", "yup", "sure", "ok", "okay", "correct", "confirm",
    ];
    const BESIDE: [&str; 14] = [
        "please", "do", "it", "that", "go", "ahead", "unlock", "open", "thanks", "thank", "you",
        "now", "the", "door",
    ];
    let known = words
        .iter()
        .all(|word| YES.contains(word) || BESIDE.contains(word));
    let says_so = YES.contains(&words[0])
        || matches!(words[..2.min(words.len())], ["do", "it"] | ["go", "ahead"]);
    (known && says_so).then_some(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_failed_is_said_once_for_each_reason() {
        let all = [
            ("Lamp", "no answer"),
            ("Fan", "it is stuck."),
            ("Desk", "no answer"),
        ];
        let all = all.map(|(name, why)| (name.to_owned(), why.to_owned()));
        assert_eq!(
            all_but(2, &all),
            "2 of 5 did. Lamp and Desk: no answer. Fan: it is stuck."
        );
        let many: Vec<String> = (1..=9).map(|at| format!("L{at}")).collect();
        assert_eq!(list(&many), "L1, L2, L3 and 6 more");
        assert_eq!(list(&many[..4]), "L1, L2, L3 and L4");
    }

    #[test]
    fn only_a_yes_is_a_yes() {
        for yes in ["Yes.", "yes please", "Okay, do it", "do it", "sure"] {
            assert_eq!(yes_or_no(yes), Some(true), "{yes}");
        }
        for no in ["No", "do not do that", "yes, no, stop", "never mind"] {
            assert_eq!(yes_or_no(no), Some(false), "{no}");
        }
        for neither in [
            "",
            "what time is it",
            "the yes one",
            "do you know the time",
            "okay what is it",
            "yes I would like a big coffee now thanks",
        ] {
            assert_eq!(yes_or_no(neither), None, "{neither}");
        }
    }
}
