//! `[[routine]]`: everyday sentences that are done together, on a phrase or at a time. Never a call, never a message.
use hearthline_skills::routine::{ACTIONS_MAX, PHRASES_MAX, ROUTINES_MAX, Routine, TEXT_CHARS_MAX};
use hearthline_skills::rule::Days;
use hearthline_voice::understand::sentences::left_by_emergency;
use hearthline_voice::understand::{Country, Reading, household, read};
use jiff::civil::{Time, Weekday};
use serde::Deserialize;

use super::{ConfigError, value};

/// `[[routine]]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoutineSettings {
    /// What it is called.
    pub name: String,
    /// What is said to begin it: `["good night"]`.
    #[serde(default)]
    pub phrases: Vec<String>,
    /// When it begins by itself, by the clock on the wall: `07:30`.
    pub at: Option<String>,
    /// On which days: `monday` to `sunday`, `weekdays`, `weekend`. Every day without it.
    #[serde(default)]
    pub days: Vec<String>,
    /// What is done, in everyday sentences, as they would be said: `["turn off the lights", "set an alarm for 7"]`.
    #[serde(rename = "do")]
    pub actions: Vec<String>,
}

impl RoutineSettings {
    /// The routine.
    ///
    /// # Errors
    /// A time or day that is none, too much of something, a phrase or sentence that speaks of an emergency, calls or
    /// sends a message.
    pub fn routine(&self, country: Country) -> Result<Routine, ConfigError> {
        let wrong =
            |key: &str, why: &str| Err(value("routine", &format!("{} {key}", self.name), why));
        if self.name.trim().is_empty() || self.name.chars().any(char::is_control) {
            let why = "empty, or with control characters; give each routine a short name";
            return Err(value("routine", "name", why));
        }
        if self.phrases.is_empty() && self.at.is_none() {
            return wrong("do", "nothing begins it: give phrases or at");
        }
        if self.phrases.len() > PHRASES_MAX {
            return wrong("phrases", &format!("at most {PHRASES_MAX}"));
        }
        if self.actions.is_empty() || self.actions.len() > ACTIONS_MAX {
            return wrong("do", &format!("one sentence to {ACTIONS_MAX}"));
        }
        let at = match self.at.as_deref().map(clock) {
            None => None,
            Some(Some(time)) => Some(time),
            Some(None) => return wrong("at", "not a time of the day, such as 07:30"),
        };
        let Some(days) = days(&self.days) else {
            return wrong(
                "days",
                "not days: use monday to sunday, weekdays or weekend",
            );
        };
        for (key, texts) in [("phrases", &self.phrases), ("do", &self.actions)] {
            for text in texts {
                if let Some(why) = wrong_with(text, country) {
                    return wrong(key, why);
                }
            }
        }
        Ok(Routine {
            name: self.name.clone(),
            phrases: self.phrases.clone(),
            at,
            days,
            actions: self.actions.clone(),
        })
    }
}

/// Everything that is wrong with all of them.
pub(super) fn faults(routines: &[RoutineSettings], country: Country) -> Vec<ConfigError> {
    if routines.len() > ROUTINES_MAX {
        let why = format!("{}; at most {ROUTINES_MAX}", routines.len());
        return vec![value("routine", "number", why)];
    }
    let mut faults = Vec::new();
    for (at, routine) in routines.iter().enumerate() {
        if routines[..at]
            .iter()
            .any(|other| other.name == routine.name)
        {
            let why = "two routines have this name";
            faults.push(value("routine", &routine.name, why));
        }
        faults.extend(routine.routine(country).err());
    }
    faults
}

/// Why a routine may not have this text, or not be begun by it.
fn wrong_with(text: &str, country: Country) -> Option<&'static str> {
    let bare = text.trim();
    if bare.is_empty() || bare.chars().any(char::is_control) {
        return Some("an empty text, or one with control characters");
    }
    if bare.chars().count() > TEXT_CHARS_MAX {
        return Some("a text of more than 120 characters: nobody says that");
    }
    let calls = household::read(bare, country, None).is_some_and(|intent| {
        let sound = ["VolumeUp", "VolumeDown", "VolumeSet", "Mute", "Unmute"];
        !sound.contains(&intent.name.as_str())
    });
    let of_emergency = match read(bare, country) {
        Reading::Intent(intent) => {
            intent.name.starts_with("Emergency") || intent.name == "CrisisLine"
        }
        // Of a call to somebody else.
        Reading::Refused { .. } => !calls,
        reading => !left_by_emergency(&reading),
    };
    if of_emergency {
        return Some("speaks of an emergency: no routine comes near a call for help");
    }
    calls.then_some("calls somebody or sends a message: a routine does neither")
}

/// "7:30", "07:30".
fn clock(text: &str) -> Option<Time> {
    let (hour, minute) = text.split_once(':')?;
    let digits = |text: &str, most: usize| {
        (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    if !digits(hour, 2) || !digits(minute, 2) || minute.len() != 2 {
        return None;
    }
    Time::new(hour.parse().ok()?, minute.parse().ok()?, 0, 0).ok()
}

fn days(named: &[String]) -> Option<Days> {
    let mut days = Days::default();
    for name in named {
        days = days.and(match name.to_lowercase().as_str() {
            "weekdays" => Days::WEEKDAYS,
            "weekend" => Days::WEEKEND,
            "monday" => Days::of(Weekday::Monday),
            "tuesday" => Days::of(Weekday::Tuesday),
            "wednesday" => Days::of(Weekday::Wednesday),
            "thursday" => Days::of(Weekday::Thursday),
            "friday" => Days::of(Weekday::Friday),
            "saturday" => Days::of(Weekday::Saturday),
            "sunday" => Days::of(Weekday::Sunday),
            _ => return None,
        });
    }
    Some(if named.is_empty() { Days::ALL } else { days })
}

#[cfg(test)]
mod tests {
    use crate::config::Household;

    const HOME: &str =
        "[device]\nname = \"Kitchen\"\ncountry = \"US\"\n[person]\nname = \"Drill\"\n";

    fn wrong(text: &str) -> Vec<(usize, usize, String)> {
        Household::check(&format!("{HOME}{text}"))
            .into_iter()
            .map(|fault| {
                let place = fault.place.unwrap();
                (place.line, place.column, fault.error.to_string())
            })
            .collect()
    }

    #[test]
    fn a_routine_is_read_and_one_that_speaks_of_an_emergency_is_refused_at_its_place() {
        let good = "[[routine]]\nname = \"night\"\nphrases = [\"good night\"]\nat = \"22:30\"\ndays = [\"weekdays\", \"sunday\"]\n\
            do = [\"turn off the lights\", \"set an alarm for 7\"]\n";
        assert_eq!(wrong(good), []);
        let household = Household::parse(&format!("{HOME}{good}")).unwrap();
        let routine = household.routines[0]
            .routine(household.country().unwrap())
            .unwrap();
        assert_eq!(routine.actions.len(), 2);
        assert_eq!(routine.days.each().count(), 6);
        for (from, to, line, words) in [
            ("\"turn off the lights\"", "\"call 911\"", 11, "emergency"),
            (
                "\"turn off the lights\"",
                "\"call the police\"",
                11,
                "emergency",
            ),
            (
                "\"turn off the lights\"",
                "\"dial nine one one\"",
                11,
                "emergency",
            ),
            ("\"turn off the lights\"", "\"get help\"", 11, "emergency"),
            (
                "\"turn off the lights\"",
                "\"call 505 555 0123\"",
                11,
                "neither",
            ),
            (
                "\"turn off the lights\"",
                "\"announce dinner is ready\"",
                11,
                "neither",
            ),
            ("\"turn off the lights\"", "\"\"", 11, "empty"),
            ("\"good night\"", "\"call 911\"", 8, "emergency"),
            ("\"22:30\"", "\"25:00\"", 9, "time of the day"),
            ("\"22:30\"", "\"half past\"", 9, "time of the day"),
            ("\"sunday\"", "\"someday\"", 10, "monday to sunday"),
        ] {
            let faults = wrong(&good.replacen(from, to, 1));
            assert_eq!(faults.len(), 1, "{to}: {faults:?}");
            assert_eq!((faults[0].0, faults[0].1), (line, 1), "{to}");
            assert!(faults[0].2.contains(words), "{to}: {}", faults[0].2);
        }
        assert_eq!(wrong(&format!("{good}{good}")).len(), 1);
    }

    #[test]
    fn weather_and_model_stay_on_this_machine() {
        for (text, words) in [
            (
                "[weather]\nurl = \"http://127.0.0.1:1/v1/forecast\"\nlatitude = 35.0\nlongitude = -106.0\n",
                "",
            ),
            (
                "[weather]\nurl = \"http://127.0.0.1:1/v1/forecast\"\n",
                "latitude",
            ),
            (
                "[weather]\nurl = \"http://api.example.com/\"\nlatitude = 35.0\nlongitude = -106.0\n",
                "beyond this machine",
            ),
            (
                "[weather]\nurl = \"https://127.0.0.1/\"\nlatitude = 35.0\nlongitude = -106.0\n",
                "https",
            ),
            (
                "[weather]\nurl = \"http://[::1]:1/\"\nlatitude = 95.0\nlongitude = 0.0\n",
                "globe",
            ),
            (
                "[weather]\nurl = \"http://[::1]:1/\"\nlatitude = 5.0\nlongitude = 0.0\nunits = \"old\"\n",
                "metric or us",
            ),
            (
                "[model]\nurl = \"http://localhost:1/v1/chat/completions\"\nname = \"m\"\n",
                "",
            ),
            (
                "[model]\nurl = \"http://192.0.2.1/v1\"\nname = \"m\"\n",
                "beyond this machine",
            ),
            (
                "[model]\nurl = \"http://127.0.0.1/v1\"\nname = \"\"\n",
                "name",
            ),
            (
                "[model]\nurl = \"http://127.0.0.1/v1\"\nname = \"m\"\nseconds = 0\n",
                "1 to 60",
            ),
        ] {
            let faults = wrong(text);
            assert_eq!(
                faults.len(),
                usize::from(!words.is_empty()),
                "{text}: {faults:?}"
            );
            assert!(
                faults.iter().all(|fault| fault.2.contains(words)),
                "{faults:?}"
            );
        }
    }
}
