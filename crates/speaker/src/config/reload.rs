//! What of a changed file counts at once, and what at the next start.
use toml::{Table, Value};

use super::{ConfigError, Fault, value};

/// Who reads a section, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Takes {
    /// Calls for help, from the next one on.
    Calls,
    /// The skill of this name, which is made anew.
    Skill(&'static str),
    /// What speaks to other systems, which goes on by what has changed.
    Outside,
    /// At the next start.
    Start,
    /// Not this program.
    Nobody,
}

const SECTIONS: [(&str, Takes); 20] = [
    ("device", Takes::Start),
    ("emergency", Takes::Calls),
    ("address", Takes::Calls),
    ("point", Takes::Calls),
    ("person", Takes::Calls),
    ("line", Takes::Calls),
    ("lost", Takes::Calls),
    ("routine", Takes::Skill("routine")),
    ("weather", Takes::Skill("weather")),
    ("model", Takes::Skill("model")),
    ("household", Takes::Start),
    ("house", Takes::Outside),
    ("home_assistant", Takes::Outside),
    ("mqtt", Takes::Outside),
    ("wled", Takes::Outside),
    ("hue", Takes::Outside),
    ("music", Takes::Outside),
    ("wyoming", Takes::Outside),
    ("esphome", Takes::Outside),
    ("hub", Takes::Nobody),
];

/// What has changed between two files that are both valid.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Difference {
    /// Calls for help are made by other settings from now on.
    pub calls: bool,
    /// Skills that are to be made anew, by their names.
    pub skills: Vec<&'static str>,
    /// Systems beside this program are others, or are reached otherwise.
    pub outside: bool,
    /// Sections that count from now on, as they stand in the file.
    pub now: Vec<&'static str>,
    /// What counts at the next start only, each at its place in the new file.
    pub later: Vec<Fault>,
}

impl Difference {
    /// Between the file as it was read and as it is now.
    #[must_use]
    pub fn between(old: &str, new: &str) -> Self {
        let read = |text: &str| text.parse::<Table>().unwrap_or_default();
        let (before, after) = (read(old), read(new));
        let mut difference = Self::default();
        for (section, takes) in SECTIONS {
            if before.get(section) == after.get(section) {
                continue;
            }
            match takes {
                Takes::Calls => difference.calls = true,
                Takes::Skill(name) => difference.skills.push(name),
                Takes::Outside => difference.outside = true,
                Takes::Nobody => continue,
                Takes::Start => {
                    let keys = changed(before.get(section), after.get(section));
                    let faults = keys
                        .into_iter()
                        .map(|key| Fault::at(new, later(section, &key)));
                    difference.later.extend(faults);
                    continue;
                }
            }
            difference.now.push(section);
        }
        // A place has one neighbour of calls: where the weather is asked for.
        let weather = |table: &Table| table.contains_key("weather");
        let moved = before.get("point") != after.get("point");
        if moved && weather(&after) && !difference.skills.contains(&"weather") {
            difference.skills.push("weather");
        }
        difference.later.sort_by_key(|fault| fault.place);
        difference
    }

    /// Whether nothing has changed that this program reads.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.now.is_empty() && self.later.is_empty()
    }

    /// The same for a program that reads the file at its start alone: all of it, with its places.
    #[must_use]
    pub fn at_start(old: &str, new: &str) -> Vec<Fault> {
        let read = |text: &str| text.parse::<Table>().unwrap_or_default();
        let (before, after) = (read(old), read(new));
        let mut faults = Vec::new();
        for (section, _) in SECTIONS {
            if before.get(section) != after.get(section) {
                for key in changed(before.get(section), after.get(section)) {
                    faults.push(Fault::at(new, later(section, &key)));
                }
            }
        }
        faults.sort_by_key(|fault| fault.place);
        faults
    }
}

fn later(section: &'static str, key: &str) -> ConfigError {
    value(
        section,
        key,
        "has changed; it is read at the next start of this program",
    )
}

/// The keys of a section that are not as they were. Of a list, and of what is gone, there is one: the whole.
fn changed(before: Option<&Value>, after: Option<&Value>) -> Vec<String> {
    let (Some(Value::Table(before)), Some(Value::Table(after))) = (before, after) else {
        return match after {
            Some(Value::Table(after)) => after.keys().cloned().collect(),
            _ => vec![String::new()],
        };
    };
    let all: std::collections::BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    all.into_iter()
        .filter(|key| before.get(*key) != after.get(*key))
        .cloned()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "[device]\nname = \"Kitchen\"\ncountry = \"US\"\n[person]\nname = \"D\"\n\
                       [emergency]\nmode = \"announced\"\n[wyoming]\nsatellite = \"127.0.0.1:10700\"\n";

    #[test]
    fn the_same_is_no_difference_and_comments_are_none() {
        assert!(Difference::between(OLD, &format!("# by hand\n{OLD}\n")).is_empty());
        let other = format!("{OLD}[hub]\narea_code = \"505\"\n");
        assert!(Difference::between(OLD, &other).is_empty(), "the hub's");
        assert_eq!(Difference::at_start(OLD, &other).len(), 1);
    }

    #[test]
    fn what_counts_now_and_what_later_is_told_with_its_place() {
        let new = OLD
            .replace("announced", "immediate")
            .replace("10700", "10800")
            .replace("Kitchen", "Hall")
            + "[model]\nurl = \"http://127.0.0.1:1/\"\n";
        let difference = Difference::between(OLD, &new);
        assert!(difference.calls && difference.outside);
        assert_eq!(difference.skills, ["model"]);
        assert_eq!(difference.now, ["emergency", "model", "wyoming"]);
        let later: Vec<_> = difference
            .later
            .iter()
            .map(|fault| {
                let place = fault.place.expect("it stands in the file");
                format!("{}:{} {}", place.line, place.column, fault.error)
            })
            .collect();
        assert_eq!(
            later,
            ["2:1 [device] name: has changed; it is read at the next start of this program"]
        );
    }

    #[test]
    fn every_section_of_the_file_is_known_here() {
        let error = toml::from_str::<super::super::Household>("[nothing]\n").unwrap_err();
        let told = error.to_string();
        let (_, sections) = told
            .split_once("expected one of ")
            .expect("serde lists them");
        for section in sections.split(',') {
            let section = section.trim().trim_matches('`');
            assert!(
                SECTIONS.iter().any(|(known, _)| *known == section),
                "[{section}] is new: say when a change of it counts"
            );
        }
    }
}
