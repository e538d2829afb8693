//! "Which Anna?": a name that several have, asked back and answered without the wake word.
use core::time::Duration;

use hearthline_sip::endpoint::Endpoint;

use super::call::Party;
use super::directory::Meant;
use super::whom::{Whom, recognise};
use super::{Addressee, Directory, Name, Reach, Telephone, words};

/// How long an answer to "Which Anna?" is waited for.
const CHOICE_MAX: Duration = Duration::from_secs(8);
/// How long our own words may take before the answer is waited for all the same.
const SPEECH_MAX: Duration = Duration::from_secs(15);

/// What is done with whoever is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wish {
    /// They are called; `drop_in`: asked to let us in.
    Call { drop_in: bool },
    /// The present call is put through to them.
    Transfer,
    /// They get a message, or calls go to them: [`Telephone::take_addressee`].
    Address,
}

/// "Which Anna?"
#[derive(Debug)]
pub(super) struct Choice {
    parties: Vec<Party>,
    wish: Wish,
    /// Set when our own words have ended.
    until: Option<Duration>,
    speech_until: Duration,
}

impl Choice {
    pub(super) fn between(parties: Vec<Party>, wish: Wish, now: Duration) -> Self {
        Self {
            parties,
            wish,
            until: None,
            speech_until: now + SPEECH_MAX,
        }
    }

    /// When no answer is waited for any more.
    pub(super) fn ends_at(&self) -> Duration {
        self.until.unwrap_or(self.speech_until + CHOICE_MAX)
    }
}

impl Telephone {
    /// Our own words have ended: the answer to a question is waited for from now.
    pub fn speech_ended(&mut self, now: Duration) {
        if let Some(choice) = &mut self.choice {
            choice.until.get_or_insert(now + CHOICE_MAX);
        }
    }

    /// How long an answer without the wake word still counts.
    #[must_use]
    pub fn listens_for(&self, now: Duration) -> Duration {
        self.choice
            .as_ref()
            .and_then(|choice| choice.until)
            .map_or(Duration::ZERO, |until| until.saturating_sub(now))
    }

    /// Whether "Which Anna?" is open.
    #[must_use]
    pub fn is_asking(&self) -> bool {
        self.choice.is_some()
    }

    /// Asks which of several gets a message.
    pub fn ask_which(&mut self, said: &str, parties: Vec<Party>, now: Duration) {
        let names: Vec<String> = parties.iter().map(Party::spoken).collect();
        self.say(words::which(said, &names));
        self.choice = Some(Choice::between(parties, Wish::Address, now));
    }

    /// Who was chosen for what [`Telephone::ask_which`] asked.
    pub fn take_addressee(&mut self) -> Option<Addressee> {
        self.chosen_addressee.take()
    }

    /// The answer to "Which Anna?"; false when it was none.
    pub fn chosen(&mut self, said: &str, endpoint: &mut Endpoint, now: Duration) -> bool {
        let Some(choice) = self.choice.take() else {
            return false;
        };
        // Whom the words mean is looked at as if they came behind "call".
        if recognise(said, self.country).is_err() {
            return false;
        }
        let names: Vec<Name> = choice
            .parties
            .iter()
            .enumerate()
            .map(|(index, party)| Name {
                name: party.spoken(),
                also: also(&party.spoken(), index),
                reach: match &party.whom {
                    Some(Whom::Number(digits)) => Reach::Number(digits.as_str().to_owned()),
                    Some(Whom::Home(user)) => Reach::User(user.as_str().to_owned()),
                    None => Reach::User(String::new()),
                },
            })
            .collect();
        let said = said.trim().trim_end_matches(['.', '!', '?', ',']);
        match Directory::new(&names, self.country).find(said) {
            Meant::One(party) => match choice.wish {
                Wish::Call { drop_in } => self.place(party, drop_in, endpoint, now),
                Wish::Transfer => self.transfer_to(&party, endpoint, now),
                Wish::Address => self.chosen_addressee = Some(Addressee::of(&party)),
            },
            Meant::Several(_) | Meant::Nobody => self.say(words::nobody(said)),
        }
        self.settle();
        true
    }
}

/// Other ways to answer "which one?": the surname alone, "the first".
fn also(name: &str, index: usize) -> Vec<String> {
    let ordinal = ["first", "second", "third", "fourth"].get(index);
    let last = name.split(' ').next_back().filter(|last| *last != name);
    [ordinal.copied(), last]
        .into_iter()
        .flatten()
        .map(str::to_owned)
        .collect()
}
