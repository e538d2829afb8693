//! `[[routine]]`: everyday sentences that are done together, on a phrase, at a time or when something happens. Never a call,
//! never a message.
use core::time::Duration;

use hearthline_skills::happened::{OWN, Range, When};
use hearthline_skills::routine::{
    ACTIONS_MAX, PHRASES_MAX, REST, REST_SECONDS, ROUTINES_MAX, Routine, TEXT_CHARS_MAX,
};
use hearthline_skills::rule::Days;
use hearthline_voice::understand::sentences::left_by_emergency;
use hearthline_voice::understand::{Country, Reading, household, read};
use jiff::civil::{Time, Weekday};
use serde::Deserialize;

use super::{ConfigError, value};

/// `[[routine]]`
#[derive(Debug, Clone, PartialEq, Deserialize)]
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
    /// What else begins it.
    pub when: Option<WhenSettings>,
    /// What is done, in everyday sentences, as they would be said: `["turn off the lights", "set an alarm for 7"]`.
    #[serde(rename = "do")]
    pub actions: Vec<String>,
}

/// `[routine.when]`: a thing of the house becomes something, or something happens at the speaker.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WhenSettings {
    /// A thing of the house, as it is called: `front door`.
    pub thing: Option<String>,
    /// The room of the thing, where several have its name.
    pub room: Option<String>,
    /// What the thing becomes, as it is said or as its system calls it: `open`. As it is found at a start is no change.
    pub becomes: Option<String>,
    /// In place of `becomes`: the number that the thing measures rises above this: `25.5`.
    pub above: Option<f64>,
    /// Or falls below this; with both, it comes between them.
    pub below: Option<f64>,
    /// In place of a thing: `timer_ends`, `alarm_rings`, `reminder_rings`, `muted`, `unmuted`, `message_arrives`.
    pub event: Option<String>,
    /// How long it rests before the same can begin it again, in seconds, 5 to 86400; 10 without it.
    pub rest_seconds: Option<u32>,
}

impl WhenSettings {
    /// What is waited for, and how long is rested then; or what is wrong.
    fn when(&self) -> Result<(When, Duration), String> {
        let said = |key: &str, text: &str| {
            let bare = text.trim();
            let fits = !bare.is_empty() && bare.chars().count() <= TEXT_CHARS_MAX;
            if fits && !bare.chars().any(char::is_control) {
                return Ok(bare.to_owned());
            }
            Err(format!(
                "{key} wants 1 to {TEXT_CHARS_MAX} characters, none of control"
            ))
        };
        let range = (self.above.is_some() || self.below.is_some()).then(|| {
            let why = "above and below want numbers, above the smaller one";
            Range::new(self.above, self.below).ok_or(why)
        });
        let room = || (self.room.as_deref().map(|room| said("room", room))).transpose();
        let when = match (&self.thing, &self.becomes, range.transpose()?, &self.event) {
            (None, None, None, Some(_)) if self.room.is_some() => {
                return Err("room belongs to a thing, not to an event".into());
            }
            (None, None, None, Some(event)) => {
                let Some((_, own)) = OWN.into_iter().find(|(name, _)| name == event) else {
                    let names = OWN.map(|(name, _)| name).join(", ");
                    return Err(format!("event is none of {names}"));
                };
                When::Own(own)
            }
            (Some(thing), Some(state), None, None) => When::Becomes {
                thing: said("thing", thing)?,
                room: room()?,
                state: said("becomes", state)?,
            },
            (Some(thing), None, Some(range), None) => When::Enters {
                thing: said("thing", thing)?,
                room: room()?,
                range,
            },
            _ => {
                let why = "give thing and becomes, thing with above or below, or event alone";
                return Err(why.into());
            }
        };
        let rest = match self.rest_seconds {
            None => REST,
            Some(seconds) if REST_SECONDS.contains(&seconds) => Duration::from_secs(seconds.into()),
            Some(_) => {
                let (least, most) = (REST_SECONDS.start(), REST_SECONDS.end());
                return Err(format!("rest_seconds is {least} to {most}"));
            }
        };
        Ok((when, rest))
    }
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
        if self.phrases.is_empty() && self.at.is_none() && self.when.is_none() {
            return wrong("do", "nothing begins it: give phrases, at or when");
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
        let when = match self.when.as_ref().map(WhenSettings::when).transpose() {
            Ok(when) => when,
            Err(why) => return wrong("when", &why),
        };
        Ok(Routine {
            name: self.name.clone(),
            phrases: self.phrases.clone(),
            at,
            days,
            when,
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
        let microphone = intent.name.starts_with("Microphone");
        !microphone && !sound.contains(&intent.name.as_str())
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
    fn what_begins_a_routine_is_one_thing_and_comes_near_no_emergency() {
        let with = |when: &str, action: &str| {
            format!("[[routine]]\nname = \"door\"\nwhen = {{ {when} }}\ndo = [\"{action}\"]\n")
        };
        let lamp = "turn on the lamp";
        for good in [
            "thing = \"front door\", becomes = \"open\"",
            "thing = \"front door\", room = \"Hall\", becomes = \"open\", rest_seconds = 60",
            "thing = \"office temperature\", above = 25",
            "thing = \"office temperature\", room = \"Office\", above = 10, below = 20.5",
            "event = \"timer_ends\"",
            "event = \"message_arrives\", rest_seconds = 5",
        ] {
            let text = with(good, lamp);
            assert_eq!(wrong(&text), [], "{good}");
            let household = Household::parse(&format!("{HOME}{text}")).unwrap();
            let country = household.country().unwrap();
            let routine = household.routines[0].routine(country).unwrap();
            assert!(routine.when.is_some());
        }
        for (when, action, words) in [
            ("", lamp, "thing and becomes"),
            ("thing = \"door\"", lamp, "thing and becomes"),
            ("becomes = \"open\"", lamp, "thing and becomes"),
            (
                "thing = \"door\", becomes = \"open\", event = \"muted\"",
                lamp,
                "event alone",
            ),
            (
                "event = \"muted\", room = \"Hall\"",
                lamp,
                "belongs to a thing",
            ),
            (
                "thing = \"door\", becomes = \"open\", above = 1",
                lamp,
                "above or below",
            ),
            ("event = \"muted\", below = 1", lamp, "above or below"),
            ("above = 1", lamp, "above or below"),
            (
                "thing = \"t\", above = 3, below = 2",
                lamp,
                "the smaller one",
            ),
            ("thing = \"t\", above = nan", lamp, "want numbers"),
            ("event = \"sunrise\"", lamp, "timer_ends"),
            ("event = \"muted\", rest_seconds = 1", lamp, "5 to 86400"),
            ("thing = \" \", becomes = \"open\"", lamp, "120 characters"),
            // Whatever happens, nobody is called.
            (
                "thing = \"smoke alarm\", becomes = \"detected\"",
                "call 911",
                "emergency",
            ),
            (
                "thing = \"smoke alarm\", becomes = \"detected\"",
                "call the fire department",
                "emergency",
            ),
            (
                "thing = \"front door\", becomes = \"open\"",
                "call 505 555 0123",
                "neither",
            ),
            ("event = \"alarm_rings\"", "get help", "emergency"),
            (
                "event = \"message_arrives\"",
                "send a message to Anna",
                "neither",
            ),
        ] {
            let faults = wrong(&with(when, action));
            assert_eq!(faults.len(), 1, "{when}: {faults:?}");
            let line = if action == lamp { 8 } else { 9 };
            assert_eq!(faults[0].0, line, "{when}");
            assert!(faults[0].2.contains(words), "{when}: {}", faults[0].2);
        }
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
