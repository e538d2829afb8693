//! Whom words mean where nobody is called: the receiver of a message, where calls go instead, the caller to be blocked.
use super::Party;
use super::directory::Meant;
use super::whom::{HomeUser, Spoken, Whom, recognise};
use super::{Telephone, words};
use crate::messages::Caller;

/// Whom a spoken name or number means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Addressee {
    /// A user of the home, as the hub knows them.
    Home {
        /// A device's id, or the name of a room or person.
        user: String,
        /// As it is spoken.
        spoken: String,
    },
    /// An ordinary number, never an emergency number.
    Number {
        /// Its digits.
        digits: String,
        /// As it is spoken.
        spoken: String,
    },
    /// Several are called so: ask which.
    Several {
        /// What was said.
        said: String,
        /// Whom it may mean.
        parties: Vec<Party>,
    },
    /// Nobody; what to say about it.
    Unclear(String),
}

impl Addressee {
    pub(super) fn of(party: &Party) -> Self {
        let spoken = party.spoken();
        match &party.whom {
            Some(Whom::Home(user)) => Self::Home {
                user: user.as_str().to_owned(),
                spoken,
            },
            Some(Whom::Number(digits)) => Self::Number {
                digits: digits.as_str().to_owned(),
                spoken,
            },
            None => Self::Unclear(words::nobody(&spoken)),
        }
    }

    /// For what only somebody of the home can be: of several with that name those of the home count.
    #[must_use]
    pub fn of_the_home(self) -> Self {
        let Self::Several { said, mut parties } = self else {
            return self;
        };
        if parties.iter().any(Party::is_of_home) {
            parties.retain(Party::is_of_home);
        }
        match &parties[..] {
            [one] => Self::of(one),
            _ => Self::Several { said, parties },
        }
    }
}

impl Telephone {
    /// Whom these words mean.
    #[must_use]
    pub fn addressee(&self, said: &str) -> Addressee {
        let name = match recognise(said, self.country) {
            // The policy has asked about an emergency before; here nothing is sent and nothing forwarded.
            Err(_) => return Addressee::Unclear(words::nobody(said)),
            Ok(Spoken::Number(digits)) => {
                return Addressee::Number {
                    digits: digits.as_str().to_owned(),
                    spoken: "this number".into(),
                };
            }
            Ok(Spoken::Name(name)) => name,
        };
        if !self.directory.is_told() {
            // Nothing is known here: the hub knows its rooms and people by name.
            return match HomeUser::new(words::without_the(&name)) {
                Some(user) => Addressee::Home {
                    user: user.as_str().to_owned(),
                    spoken: name,
                },
                None => Addressee::Unclear(words::nobody(&name)),
            };
        }
        match self.directory.find(&name) {
            Meant::One(party) => Addressee::of(&party),
            Meant::Several(parties) => Addressee::Several {
                said: name,
                parties,
            },
            Meant::Nobody => Addressee::Unclear(words::nobody(&name)),
        }
    }

    /// Who called last, as the hub asserted it.
    #[must_use]
    pub fn last_caller(&self) -> Option<Caller> {
        match self.last_caller.as_ref()?.whom.as_ref()? {
            Whom::Home(user) => Some(Caller::Device(user.as_str().to_owned())),
            Whom::Number(digits) => Some(Caller::Number(digits.as_str().to_owned())),
        }
    }

    /// Whether calls ring here.
    pub fn set_do_not_disturb(&mut self, on: bool) {
        self.screening.do_not_disturb = on;
    }
}
