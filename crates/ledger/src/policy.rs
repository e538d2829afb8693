//! Whom the person who checks trusts: devices and witnesses.
//!
//! The text form is a C2SP tlog-policy with one more line kind, so that the number on a printed
//! enrolment card is enough:
//! ```text
//! device 3f6c…                          key id from the card
//! log hub.example/device/7+ab12+…       or the identity key itself
//! witness hub hub.example/w+cd34+…      cosignature key (type 4)
//! group both all hub relative
//! quorum both
//! ```

use std::collections::HashMap;
use std::collections::HashSet;

use crate::key::{KeyId, PublicKey};
use crate::note::{NoteError, NoteKey, NoteKeyKind};

/// Most lines of a policy.
const LINES_MAX: usize = 1000;

/// A device that the person knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeviceAnchor {
    /// By the key id on its enrolment card.
    Id(KeyId),
    /// By its identity key and the name of its log.
    Key(NoteKey),
}

impl DeviceAnchor {
    pub(crate) fn is(&self, origin: &str, identity: PublicKey) -> bool {
        match self {
            Self::Id(id) => identity.id() == *id,
            Self::Key(key) => key.public() == identity && key.name() == origin,
        }
    }
}

/// Trust anchors of the person who checks. Never taken from a bundle.
#[derive(Debug, Clone, Default)]
pub struct TrustPolicy {
    /// Known devices. None: the bundle can only vouch for itself.
    pub devices: Vec<DeviceAnchor>,
    /// Known witnesses with the names that `quorum` uses.
    pub witnesses: Vec<(String, NoteKey)>,
    /// How many of them must have cosigned.
    quorum: Quorum,
    /// Cosigned heads that the person has from elsewhere (a witness's own record): a bundle that
    /// contradicts one is a fork.
    pub heads: Vec<Vec<u8>>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
enum Quorum {
    /// Any one known witness.
    #[default]
    Any,
    /// `quorum none`.
    None,
    Named(Rule),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Rule {
    Witness(String),
    Group(usize, Vec<Rule>),
}

impl Rule {
    fn met(&self, cosigned: &HashSet<&str>) -> bool {
        match self {
            Self::Witness(name) => cosigned.contains(name.as_str()),
            Self::Group(needed, members) => {
                members.iter().filter(|rule| rule.met(cosigned)).count() >= *needed
            }
        }
    }
}

/// What is wrong with a policy file, and on which line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("policy line {line}: {what}")]
pub struct PolicyError {
    /// Counted from 1.
    pub line: usize,
    /// What is wrong.
    pub what: String,
}

impl TrustPolicy {
    /// Trusts nobody: everything is checked, nothing is anchored.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Reads the text form.
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        let mut reader = Reader::default();
        let mut count = 0;
        for (index, line) in text.split('\n').enumerate() {
            count = index + 1;
            reader.line(line).map_err(|what| PolicyError {
                line: index + 1,
                what,
            })?;
        }
        if reader.quorum.is_none() && !reader.policy.witnesses.is_empty() {
            return Err(PolicyError {
                line: count,
                what: "witnesses but no quorum line".to_owned(),
            });
        }
        reader.policy.quorum = reader.quorum.unwrap_or_default();
        Ok(reader.policy)
    }

    /// Whether cosignatures by these witnesses are enough. Without any witness nothing is witnessed.
    pub(crate) fn witnessed(&self, cosigned: &HashSet<&str>) -> bool {
        match &self.quorum {
            Quorum::None => false, // accepted without witness, and said to be so
            Quorum::Any => !cosigned.is_empty(),
            Quorum::Named(rule) => rule.met(cosigned),
        }
    }
}

#[derive(Default)]
struct Reader {
    policy: TrustPolicy,
    names: HashMap<String, Rule>,
    members: HashSet<String>,
    quorum: Option<Quorum>,
    lines: usize,
}

impl Reader {
    fn line(&mut self, line: &str) -> Result<(), String> {
        self.lines += 1;
        if self.lines > LINES_MAX {
            return Err(format!("more than {LINES_MAX} lines"));
        }
        if line.chars().any(|c| c.is_ascii_control() && c != '\t') {
            return Err("control character".to_owned());
        }
        let items: Vec<&str> = line
            .split([' ', '\t'])
            .filter(|item| !item.is_empty())
            .collect();
        match items.as_slice() {
            [] => Ok(()),
            [first, ..] if first.starts_with('#') => Ok(()),
            ["device", id] => {
                let id = id
                    .parse()
                    .map_err(|error: crate::hash::HexError| error.to_string())?;
                self.policy.devices.push(DeviceAnchor::Id(id));
                Ok(())
            }
            ["log", key] | ["log", key, _] => {
                let key = vkey(key, NoteKeyKind::Log)?;
                self.policy.devices.push(DeviceAnchor::Key(key));
                Ok(())
            }
            ["witness", name, key] | ["witness", name, key, _] => {
                let key = vkey(key, NoteKeyKind::Witness)?;
                if self
                    .policy
                    .witnesses
                    .iter()
                    .any(|(_, known)| known.public() == key.public())
                {
                    return Err("the same witness key twice".to_owned());
                }
                self.name(name, Rule::Witness((*name).to_owned()))?;
                self.policy.witnesses.push(((*name).to_owned(), key));
                Ok(())
            }
            ["group", name, needed, members @ ..] if !members.is_empty() => {
                self.group(name, needed, members)
            }
            ["quorum", _] if self.quorum.is_some() => Err("a second quorum line".to_owned()),
            ["quorum", "none"] => {
                self.quorum = Some(Quorum::None);
                Ok(())
            }
            ["quorum", name] => {
                let rule = self
                    .names
                    .get(*name)
                    .ok_or(format!("nothing is named {name} above this line"))?;
                self.quorum = Some(Quorum::Named(rule.clone()));
                Ok(())
            }
            [keyword, ..] => Err(format!(
                "{keyword:?} with {} values is not known; lines are device, log, witness, group, quorum",
                items.len() - 1
            )),
        }
    }

    fn name(&mut self, name: &str, rule: Rule) -> Result<(), String> {
        if name == "none" || self.names.insert(name.to_owned(), rule).is_some() {
            return Err(format!("the name {name} is taken"));
        }
        Ok(())
    }

    fn group(&mut self, name: &str, needed: &str, members: &[&str]) -> Result<(), String> {
        let needed = match needed {
            "any" => 1,
            "all" => members.len(),
            number => number
                .parse()
                .map_err(|_| "expected any, all or a number".to_owned())?,
        };
        if !(1..=members.len()).contains(&needed) {
            return Err(format!("{needed} of {} members cannot be", members.len()));
        }
        let mut rules = Vec::new();
        for member in members {
            let rule = self
                .names
                .get(*member)
                .ok_or(format!("nothing is named {member} above this line"))?;
            rules.push(rule.clone());
            // So that each witness counts in one way only.
            if !self.members.insert((*member).to_owned()) {
                return Err(format!("{member} is already a member of a group"));
            }
        }
        self.name(name, Rule::Group(needed, rules))
    }
}

fn vkey(text: &str, kind: NoteKeyKind) -> Result<NoteKey, String> {
    let key = NoteKey::parse_vkey(text).map_err(|error: NoteError| error.to_string())?;
    if key.kind() != kind {
        return Err("the key is of the wrong type for this line".to_owned());
    }
    Ok(key)
}
