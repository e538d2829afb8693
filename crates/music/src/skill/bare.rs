//! A word or two that mean the music, because music is there: "pause", "carry on", "next", "stop".
use hearthline_speaker::skill::Reply;

use super::MusicSkill;
use crate::order::{Doing, Order};

/// What bare words ask of the music.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bare {
    Pause,
    Resume,
    Stop,
    Next,
    Previous,
    Again,
}

/// Each as it is said, without politeness around it.
const SAID: [(Bare, &[&str]); 6] = [
    (
        Bare::Pause,
        &[
            "pause",
            "pause it",
            "pause that",
            "pause this",
            "hold it",
            "pause for a moment",
        ],
    ),
    (
        Bare::Resume,
        &[
            "resume",
            "resume it",
            "unpause",
            "continue",
            "carry on",
            "go on",
            "keep going",
            "keep playing",
            "play",
            "play on",
            "start it again",
            "turn it back on",
        ],
    ),
    (
        Bare::Stop,
        &[
            "stop",
            "stop it",
            "stop that",
            "stop this",
            "stop playing",
            "turn it off",
            "turn that off",
            "turn this off",
            "switch it off",
            "switch that off",
            "shut it off",
            "that's enough",
            "that is enough",
            "be quiet",
            "quiet",
            "silence",
            "shut up",
            "enough",
        ],
    ),
    (
        Bare::Next,
        &[
            "next",
            "next one",
            "the next one",
            "skip",
            "skip it",
            "skip this",
            "skip that",
            "skip this one",
            "skip ahead",
        ],
    ),
    (
        Bare::Previous,
        &[
            "previous",
            "previous one",
            "the previous one",
            "go back",
            "back",
            "the one before",
        ],
    ),
    (
        Bare::Again,
        &[
            "again",
            "play it again",
            "play that again",
            "once more",
            "one more time",
            "from the beginning",
            "start again",
            "repeat that",
        ],
    ),
];
/// What people say around them.
const BEFORE: [&str; 5] = ["please", "ok", "okay", "now", "can you"];
const BEHIND: [&str; 5] = ["please", "now", "thanks", "thank you", "again please"];

impl Bare {
    /// Reads what was said; none when it says anything more.
    pub(super) fn read(said: &str) -> Option<Self> {
        let plain: String = said
            .to_lowercase()
            .replace('’', "'")
            .chars()
            .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '\''))
            .collect();
        let mut rest = plain.trim();
        for word in BEFORE {
            rest = without(rest.strip_prefix(word), ' ', rest);
        }
        for word in BEHIND {
            rest = without(rest.strip_suffix(word), ' ', rest);
        }
        let means = |(_, all): &&(Bare, &[&str])| all.contains(&rest);
        SAID.iter().find(means).map(|(bare, _)| *bare)
    }
}

/// What is left, where a whole word was taken from one end.
fn without<'a>(left: Option<&'a str>, between: char, all: &'a str) -> &'a str {
    let whole = left.filter(|left| left.starts_with(between) || left.ends_with(between));
    whole.map_or(all, str::trim)
}

impl MusicSkill {
    /// Music that has stopped is meant by nothing but going on.
    pub(super) fn bare_word(&mut self, bare: Bare) -> Reply {
        match (bare, self.state.doing) {
            (Bare::Resume, Doing::Stopped) if self.queue.is_empty() => Reply::Other,
            (Bare::Resume, _) => self.go_on(),
            (_, Doing::Stopped) => Reply::Other,
            (Bare::Pause, Doing::Paused) => Reply::Silent,
            (Bare::Pause, Doing::Playing) => self.ask(Order::Pause, Reply::Silent),
            (Bare::Stop, _) => self.ask(Order::Stop { fade_ms: 0 }, Reply::Silent),
            (Bare::Next, _) => self.ask(Order::Next, Reply::Silent),
            (Bare::Previous, _) => self.ask(Order::Previous, Reply::Silent),
            (Bare::Again, _) => self.ask(Order::Again, Reply::Silent),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_or_two_and_nothing_more() {
        for (said, bare) in [
            ("Pause.", Some(Bare::Pause)),
            ("carry on please", Some(Bare::Resume)),
            ("okay stop", Some(Bare::Stop)),
            ("That’s enough, thank you", Some(Bare::Stop)),
            ("please go back", Some(Bare::Previous)),
            ("Next!", Some(Bare::Next)),
            ("play it again", Some(Bare::Again)),
            ("stop the timer", None),
            ("next message", None),
            ("pleased", None),
            ("please", None),
            ("play jazz", None),
            ("call back", None),
            ("", None),
        ] {
            assert_eq!(Bare::read(said), bare, "{said}");
        }
    }
}
