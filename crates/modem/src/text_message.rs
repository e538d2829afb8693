//! Short messages (SMS), as the home sees them.

use core::fmt;
use core::time::Duration;
use std::collections::VecDeque;

use crate::number::PhoneNumber;

/// Longest text, in characters: some ten parts of a message.
pub const TEXT_CHARACTERS_MAX: usize = 1_500;
/// Messages sent in any hour: a household's, not a mailing list's, and what a thief could send.
pub const SENT_PER_HOUR_MAX: usize = 30;
const HOUR: Duration = Duration::from_secs(3_600);

/// A message that came. Never shown by `Debug` (DESIGN invariant 8).
#[derive(Clone, PartialEq, Eq)]
pub struct TextMessage {
    /// Who sent it; `None`: no number.
    pub number: Option<PhoneNumber>,
    /// A sender's name in place of a number, as the network gave it: nobody checked it.
    pub name: Option<String>,
    /// What it says.
    pub text: String,
    /// When, as the network wrote it (ISO 8601); empty: not said.
    pub sent: String,
}

impl fmt::Debug for TextMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TextMessage(..)")
    }
}

/// A message that we sent or that came, until the line ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TextHandle(pub(crate) u64);

/// Why a message is not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// Nothing to say.
    #[error("the message is empty")]
    Empty,
    /// Too long.
    #[error("the message has more than {TEXT_CHARACTERS_MAX} characters")]
    Long,
    /// Characters that are none.
    #[error("the message holds control characters")]
    Control,
    /// Nobody reads messages there.
    #[error("emergency services are called, not written to")]
    Emergency,
    /// Too many in an hour.
    #[error("{SENT_PER_HOUR_MAX} messages were sent within the hour; wait")]
    TooMany,
    /// The line does not work.
    #[error("the modem cannot send messages now: {0}")]
    NotReady(crate::service::Health),
    /// The modem has no messages at all.
    #[error("this modem has no short messages")]
    NoMessaging,
}

/// How many were sent when.
#[derive(Debug, Default)]
pub(crate) struct Allowance {
    sent: VecDeque<Duration>,
}

impl Allowance {
    /// One more, if there may be.
    pub(crate) fn take(&mut self, now: Duration) -> bool {
        let old = |at: &Duration| now.saturating_sub(*at) >= HOUR;
        while self.sent.front().is_some_and(old) {
            self.sent.pop_front();
        }
        if self.sent.len() >= SENT_PER_HOUR_MAX {
            return false;
        }
        self.sent.push_back(now);
        true
    }
}

/// Whether a text may be sent.
pub(crate) fn check(text: &str) -> Result<(), TextError> {
    if text.trim().is_empty() {
        return Err(TextError::Empty);
    }
    if text.chars().count() > TEXT_CHARACTERS_MAX {
        return Err(TextError::Long);
    }
    if text
        .chars()
        .any(|character| character.is_control() && character != '\n')
    {
        return Err(TextError::Control);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_has_an_end() {
        let mut allowance = Allowance::default();
        for second in 0..SENT_PER_HOUR_MAX as u64 {
            assert!(allowance.take(Duration::from_secs(second)));
        }
        assert!(!allowance.take(Duration::from_secs(3_599)));
        assert!(allowance.take(Duration::from_secs(3_600)));
        assert!(!allowance.take(Duration::from_secs(3_600)));
    }

    #[test]
    fn a_text_has_bounds() {
        assert_eq!(check(" \n"), Err(TextError::Empty));
        assert_eq!(check("a\u{1b}[2J"), Err(TextError::Control));
        assert_eq!(check(&"ä".repeat(1_501)), Err(TextError::Long));
        assert_eq!(check("two\nlines"), Ok(()));
    }
}
