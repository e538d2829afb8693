//! What one sentence after the wake word means.
use std::collections::BTreeMap;
use std::fmt;

use super::service::Service;

/// The meaning of one transcript. Only [`Reading::Command`] may ever lead to a call without a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading {
    /// An imperative with an emergency number or service: "call 911", "get me the police".
    Command {
        /// Whom to call.
        service: Service,
        /// The speaker must stay silent and dark: "call 911 quietly".
        quiet: bool,
        /// The sentence without wake word and punctuation, lower case, as it was matched.
        words: String,
    },
    /// Not an order, but too serious to ignore: ask "Do you need 911? Say yes or no."
    Ask {
        /// Whom a yes would call.
        service: Service,
        /// Why it is not taken as an order.
        why: AskReason,
        /// A yes calls quietly, and the question itself must not be spoken aloud: "can you call 911 quietly".
        quiet: bool,
    },
    /// Names an emergency number or service, or comes close, and must not call.
    Refused {
        /// Which rule refused it.
        class: RefusedClass,
        /// The service that was named, if any.
        service: Option<Service>,
    },
    /// An answer to a question of ours.
    Reply(Reply),
    /// "Hang up the emergency call." The device asks before it does so.
    HangUpEmergency,
    /// An everyday sentence that is answered now.
    Intent(Intent),
    /// None of these.
    Other,
}

/// Why a sentence asks back instead of calling.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AskReason {
    /// "Can you call 911?"
    PoliteQuestion,
    /// "I need an ambulance", "help me", "my house is on fire".
    PlainNeed,
    /// "Call nine eleven": an order, but the words are a date.
    SpokenAsDate,
    /// The words are an order only if a mis-heard word is mended: "call the please".
    Misheard,
    /// An order that begins the sentence, and words behind it that are not understood: "call 911 or guard", for "oh God".
    Unclear,
    /// An order with an oh behind it that may be a zero, or begin a no: "call 911 oh", "call 911 oh no".
    OhBehind,
}

impl AskReason {
    /// Every reason.
    pub const ALL: [Self; 6] = [
        Self::PoliteQuestion,
        Self::PlainNeed,
        Self::SpokenAsDate,
        Self::Misheard,
        Self::Unclear,
        Self::OhBehind,
    ];

    /// The reason in snake case, for data files and records.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::PoliteQuestion => "polite_question",
            Self::PlainNeed => "plain_need",
            Self::SpokenAsDate => "spoken_as_date",
            Self::Misheard => "misheard",
            Self::Unclear => "unclear",
            Self::OhBehind => "oh_behind",
        }
    }

    /// Whether the sound may make an order of it all the same. Of the others the words decide alone.
    #[must_use]
    pub(crate) const fn may_be_order(self) -> bool {
        matches!(self, Self::Misheard | Self::Unclear | Self::OhBehind)
    }

    /// Says in plain words why the speaker asks.
    #[must_use]
    pub const fn describe(self) -> &'static str {
        match self {
            Self::PoliteQuestion => {
                "a question whether the speaker can call, which may be meant as an order"
            }
            Self::PlainNeed => "a need for help without an order to call",
            Self::SpokenAsDate => "an order to call nine eleven, which is how people say a date",
            Self::Misheard => "an order to call if one word was mis-heard",
            Self::Unclear => "an order to call with words behind it that are not understood",
            Self::OhBehind => {
                "an order to call with an oh behind it, which may be a zero or begin a no"
            }
        }
    }
}

impl fmt::Display for AskReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why a sentence about emergencies does not call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RefusedClass {
    /// "Did you call 911?", "how do I call 911", "should I call the police".
    Question,
    /// "Don't call 911".
    Negation,
    /// "She said call 911".
    Quotation,
    /// "I called 911 yesterday".
    PastTense,
    /// "Call 999" in the United States.
    ForeignNumber,
    /// "Call 921", "dial 9111".
    OtherNumber,
    /// "Nine eleven memorial".
    Date,
    /// "Play call the police".
    Title,
    /// "Call the sheriff's wife", "call Emma".
    Contact,
    /// "Remind me to call the police tomorrow".
    Reminder,
    /// "If I fall, call 911".
    Conditional,
    /// "Call 911, no, cancel that".
    Cancelled,
    /// "Text mom call 911".
    Message,
    /// An order and more words that the grammar does not know: "call the police blah".
    Unclear,
}

impl RefusedClass {
    /// Every class.
    pub const ALL: [Self; 14] = [
        Self::Question,
        Self::Negation,
        Self::Quotation,
        Self::PastTense,
        Self::ForeignNumber,
        Self::OtherNumber,
        Self::Date,
        Self::Title,
        Self::Contact,
        Self::Reminder,
        Self::Conditional,
        Self::Cancelled,
        Self::Message,
        Self::Unclear,
    ];

    /// The class in snake case, for data files and records.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Question => "question",
            Self::Negation => "negation",
            Self::Quotation => "quotation",
            Self::PastTense => "past_tense",
            Self::ForeignNumber => "foreign_number",
            Self::OtherNumber => "other_number",
            Self::Date => "date",
            Self::Title => "title",
            Self::Contact => "contact",
            Self::Reminder => "reminder",
            Self::Conditional => "conditional",
            Self::Cancelled => "cancelled",
            Self::Message => "message",
            Self::Unclear => "unclear",
        }
    }

    /// Says in plain words why no call was made.
    #[must_use]
    pub const fn describe(self) -> &'static str {
        match self {
            Self::Question => "a question about calling, not an order to call",
            Self::Negation => "the sentence says not to call",
            Self::Quotation => "somebody else's words were repeated",
            Self::PastTense => "the sentence tells of a call in the past",
            Self::ForeignNumber => "an emergency number of another country than the configured one",
            Self::OtherNumber => "a number that is not an emergency number",
            Self::Date => "nine eleven is a date, not a number to call",
            Self::Title => "the title of a song, film or programme",
            Self::Contact => "a person or a business, not an emergency service",
            Self::Reminder => "a reminder, alarm, timer or plan for later",
            Self::Conditional => "the order hangs on a condition",
            Self::Cancelled => "the order was taken back in the same breath",
            Self::Message => "a message to somebody else",
            Self::Unclear => "an order to call with words around it that are not understood",
        }
    }
}

impl fmt::Display for RefusedClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// An answer from the closed yes/no grammar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reply {
    /// "Yes", "please do".
    Yes,
    /// "No", "I'm fine".
    No,
    /// "Cancel", "stop", "never mind".
    Cancel,
}

/// A named everyday request with what it named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intent {
    /// Name in the style of the open intent sets, such as `GetTime`.
    pub name: String,
    /// Slot name to value.
    pub slots: BTreeMap<String, String>,
}
