//! The directory of names: people, rooms, devices and contacts, found by their sound.
use std::collections::BTreeMap;

use hearthline_emergency::numbers::DialledDigits;
use hearthline_voice::understand::Country;
use hearthline_voice::understand::names::{Found, NameBook};

use super::call::Party;
use super::leg::Demand;
use super::whom::{HomeUser, Whom, number};
use super::words::without_the;

/// Most entries; what is over is left out.
pub const ENTRIES_MAX: usize = 10_000;
/// Most names that are read out in one question.
const CHOICES_MAX: usize = 4;

/// How an entry is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    /// A user of the home: a device's id, or the name of a room or person, with devices of ours alone.
    User(String),
    /// The name of a room or person with ordinary phones beside devices of ours.
    Shared(String),
    /// An ordinary phone, or a name of which there are only such: their calls cannot be protected.
    Phone(String),
    /// An ordinary phone: called by its device's id, and calling by the name of its account.
    Account {
        /// The device.
        device: String,
        /// The account.
        username: String,
    },
    /// A telephone number.
    Number(String),
}

/// A name and how it is reached, as the hub tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    /// As it is spoken.
    pub name: String,
    /// What else it is called: a given name, a nickname.
    pub also: Vec<String>,
    /// How it is reached.
    pub reach: Reach,
}

/// Whom a spoken name means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Meant {
    /// Exactly one.
    One(Party),
    /// Ask which.
    Several(Vec<Party>),
    /// Nobody.
    Nobody,
}

/// The names of a home.
#[derive(Debug, Clone, Default)]
pub struct Directory {
    book: NameBook<usize>,
    parties: Vec<Party>,
    /// Users who are, or have beside them, ordinary phones.
    phones: BTreeMap<String, Demand>,
    /// Accounts by which ordinary phones call, and whose they are.
    accounts: BTreeMap<String, usize>,
    /// The hub has told its names.
    told: bool,
}

impl Directory {
    /// From what the hub tells. Entries that cannot be spoken or reached, and every one with an emergency number, are left
    /// out.
    #[must_use]
    pub fn new(names: &[Name], country: Country) -> Self {
        let mut directory = Self {
            told: !names.is_empty(),
            ..Self::default()
        };
        for Name { name, also, reach } in names.iter().take(ENTRIES_MAX) {
            let whom = match reach {
                Reach::User(user)
                | Reach::Shared(user)
                | Reach::Phone(user)
                | Reach::Account { device: user, .. } => HomeUser::new(user).map(Whom::Home),
                Reach::Number(text) => DialledDigits::new(text)
                    .ok()
                    .and_then(|digits| number(digits, country).ok())
                    .map(Whom::Number),
            };
            let Some(whom) = whom else {
                continue;
            };
            let index = directory.parties.len();
            let mut spoken = false;
            for one in core::iter::once(name).chain(also) {
                spoken |= directory.book.add(without_the(one), index).is_ok();
            }
            if !spoken {
                continue;
            }
            let address = match reach {
                Reach::User(user) => user.clone(),
                Reach::Shared(user) => {
                    directory.phones.insert(user.clone(), Demand::Either);
                    user.clone()
                }
                Reach::Phone(user) => {
                    directory.phones.insert(user.clone(), Demand::Clear);
                    user.clone()
                }
                Reach::Account { device, username } => {
                    directory.phones.insert(device.clone(), Demand::Clear);
                    directory.phones.insert(username.clone(), Demand::Clear);
                    directory.accounts.insert(username.clone(), index);
                    device.clone()
                }
                Reach::Number(number) => number.clone(),
            };
            directory.parties.push(Party {
                whom: Some(whom),
                name: Some(name.trim().to_owned()),
                address,
            });
        }
        directory
    }

    /// Whether the hub has told its names; before that it is asked by name for each call.
    pub(super) fn is_told(&self) -> bool {
        self.told
    }

    pub(super) fn find(&self, spoken: &str) -> Meant {
        let party = |index: &usize| self.parties.get(*index).cloned();
        match self.book.find(without_the(spoken)) {
            Found::One(entry) => party(&entry.of).map_or(Meant::Nobody, Meant::One),
            Found::Several(entries) => {
                let mut parties: Vec<Party> = Vec::new();
                for found in entries.iter().filter_map(|entry| party(&entry.of)) {
                    if parties.iter().all(|other| other.whom != found.whom) {
                        parties.push(found);
                    }
                }
                match parties.len() {
                    0 => Meant::Nobody,
                    1 => Meant::One(parties.remove(0)),
                    _ => {
                        parties.truncate(CHOICES_MAX);
                        Meant::Several(parties)
                    }
                }
            }
            Found::None => Meant::Nobody,
        }
    }

    /// How well a call to them must be protected.
    pub(super) fn demand(&self, whom: &Whom) -> Demand {
        match whom {
            Whom::Number(_) => Demand::Clear,
            Whom::Home(user) if user.is_phone() => Demand::Clear,
            Whom::Home(user) => {
                let phones = self.phones.get(user.as_str());
                phones.copied().unwrap_or(Demand::Protected)
            }
        }
    }

    /// The name of who is at this address of record: a user of the home, or a number.
    pub(super) fn name_of(&self, whom: &Whom) -> Option<&str> {
        let by_account = || match whom {
            Whom::Home(user) => self.parties.get(*self.accounts.get(user.as_str())?),
            Whom::Number(_) => None,
        };
        self.parties
            .iter()
            .find(|party| party.whom.as_ref() == Some(whom))
            .or_else(by_account)
            .and_then(|party| party.name.as_deref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(name: &str, reach: Reach) -> Name {
        Name {
            name: name.into(),
            also: name
                .split(' ')
                .next()
                .map(str::to_owned)
                .into_iter()
                .collect(),
            reach,
        }
    }

    #[test]
    fn names_are_found_and_emergency_numbers_are_nobodys() {
        let directory = Directory::new(
            &[
                name("Anna Smith", Reach::User("anna smith".into())),
                name("Kitchen", Reach::User("kitchen".into())),
                name("Granny", Reach::Number("+1 505 555 0123".into())),
                name("Trick", Reach::Number("911".into())),
                name("Digits", Reach::User("112".into())),
            ],
            Country::UnitedStates,
        );
        assert_eq!(directory.parties.len(), 3);
        assert!(matches!(directory.find("the kitchen"), Meant::One(_)));
        assert!(matches!(directory.find("granny"), Meant::One(_)));
        assert_eq!(directory.find("trick"), Meant::Nobody);
        let kitchen = Whom::Home(HomeUser::new("kitchen").unwrap());
        assert_eq!(directory.name_of(&kitchen), Some("Kitchen"));
    }

    #[test]
    fn devices_are_called_protected_and_ordinary_phones_in_the_clear() {
        let directory = Directory::new(
            &[
                name("Kitchen", Reach::User("Kitchen".into())),
                name("Office", Reach::Shared("Office".into())),
                name("Fax", Reach::Phone("k7q2".into())),
            ],
            Country::UnitedStates,
        );
        let demand = |user: &str| directory.demand(&Whom::Home(HomeUser::new(user).unwrap()));
        assert_eq!(demand("Kitchen"), Demand::Protected);
        assert_eq!(demand("Office"), Demand::Either);
        assert_eq!(demand("k7q2"), Demand::Clear);
        assert_eq!(demand("phone-7k2x9m"), Demand::Clear);
        // Who is not known is asked for no less than a device.
        assert_eq!(demand("attic"), Demand::Protected);
    }

    #[test]
    fn an_ordinary_phone_is_known_by_the_account_that_it_calls_with() {
        let account = Reach::Account {
            device: "k7q2".into(),
            username: "phone-7k2x9m".into(),
        };
        let directory = Directory::new(&[name("Hall phone", account)], Country::UnitedStates);
        let user = |user: &str| Whom::Home(HomeUser::new(user).unwrap());
        assert_eq!(directory.name_of(&user("phone-7k2x9m")), Some("Hall phone"));
        assert_eq!(directory.name_of(&user("phone-other")), None);
        let Meant::One(party) = directory.find("hall phone") else {
            panic!("one is called so");
        };
        assert_eq!(party.whom, Some(user("k7q2")));
        assert_eq!(directory.demand(&user("phone-7k2x9m")), Demand::Clear);
    }

    #[test]
    fn two_of_a_name_are_asked_about() {
        let directory = Directory::new(
            &[
                name("Anna Smith", Reach::User("anna smith".into())),
                name("Anna Jones", Reach::User("anna jones".into())),
            ],
            Country::UnitedStates,
        );
        assert!(matches!(directory.find("Ana"), Meant::Several(all) if all.len() == 2));
        assert!(matches!(directory.find("Anna Jones"), Meant::One(_)));
    }
}
