//! Browsers that want to be told, one document for all: their number is small.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{BrowserKeys, EncryptError};
use crate::id::PersonId;
use crate::notify::{LocalUrl, Topic};

/// Most browsers of one person; the oldest gives way.
const OF_PERSON_MAX: usize = 8;
/// Most in all.
const ALL_MAX: usize = 400;

/// A browser that wants to be told.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Subscription {
    pub(crate) person: PersonId,
    pub(crate) endpoint: LocalUrl,
    pub(crate) p256dh: String,
    pub(crate) auth: String,
    /// What this browser is told of.
    #[serde(default = "Topic::of_browsers")]
    pub(crate) tells: BTreeSet<Topic>,
}

impl Subscription {
    pub(crate) fn keys(&self) -> Result<BrowserKeys, EncryptError> {
        BrowserKeys::read(&self.p256dh, &self.auth)
    }
}

/// All of them, oldest first.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct Subscriptions(Vec<Subscription>);

impl Subscriptions {
    /// Adds one; the same endpoint again is replaced, whoever's it was.
    pub(crate) fn add(&mut self, new: Subscription) {
        self.remove(&new.endpoint);
        let own = |other: &Subscription| other.person == new.person;
        while self.0.iter().filter(|other| own(other)).count() >= OF_PERSON_MAX {
            if let Some(oldest) = self.0.iter().position(own) {
                self.0.remove(oldest);
            }
        }
        if self.0.len() >= ALL_MAX {
            self.0.remove(0);
        }
        self.0.push(new);
    }

    pub(crate) fn remove(&mut self, endpoint: &LocalUrl) {
        self.0.retain(|own| own.endpoint != *endpoint);
    }

    /// Only those of these people stay.
    pub(crate) fn keep(&mut self, people: &[PersonId]) {
        self.0.retain(|own| people.contains(&own.person));
    }

    /// All that any of them is told of.
    pub(crate) fn topics(&self) -> BTreeSet<Topic> {
        let tells = self.0.iter().flat_map(|own| &own.tells);
        tells.copied().collect()
    }

    /// Whose browsers are told of this.
    pub(crate) fn told_of(&self, topic: Topic) -> impl Iterator<Item = PersonId> {
        let own = self.0.iter().filter(move |own| own.tells.contains(&topic));
        own.map(|own| own.person)
    }

    pub(crate) fn of(&self, person: PersonId) -> impl Iterator<Item = &Subscription> {
        self.0.iter().filter(move |own| own.person == person)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_stands_once_and_nobody_has_too_many() {
        let person = PersonId::random().unwrap();
        let other = PersonId::random().unwrap();
        let subscription = |person, path: usize| Subscription {
            person,
            endpoint: LocalUrl::try_from(format!("http://127.0.0.1:9/{path}")).unwrap(),
            p256dh: String::new(),
            auth: String::new(),
            tells: Topic::of_browsers(),
        };
        let mut all = Subscriptions::default();
        for path in 0..20 {
            all.add(subscription(person, path));
            all.add(subscription(person, path));
        }
        assert_eq!(all.of(person).count(), OF_PERSON_MAX);
        assert_eq!(all.of(person).last().unwrap().endpoint.path(), "/19");
        all.add(subscription(other, 19));
        assert_eq!((all.of(person).count(), all.of(other).count()), (7, 1));
        all.keep(&[other]);
        assert_eq!(all.of(person).count(), 0);
    }
}
