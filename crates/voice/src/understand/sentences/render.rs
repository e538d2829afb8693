//! What is said back: the response of an intent, rendered with its slots, the states asked for, the time.
use minijinja::value::{Rest, Value};
use minijinja::{AutoEscape, Environment, UndefinedBehavior};
use serde_json::{Map, Value as Json, json};

use super::datum::Datum;
use super::house::{Entity, House, Timer};
use super::program::Program;
use super::recognise::Recognition;

/// Steps that one response may take.
const STEPS_MAX: u64 = 200_000;
/// Longest response, in bytes; what is beyond is not said.
const RESPONSE_BYTES_MAX: usize = 4_000;

/// Why a response cannot be said.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("response {intent}/{key}: {what}")]
pub struct RenderError {
    /// The intent.
    pub intent: String,
    /// The key of the response.
    pub key: String,
    /// What is wrong with the template.
    pub what: String,
}

/// A moment on the wall, as responses ask for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// Year.
    pub year: i32,
    /// Month, from 1.
    pub month: u8,
    /// Day of the month, from 1.
    pub day: u8,
    /// Hour, 0 to 23.
    pub hour: u8,
    /// Minute.
    pub minute: u8,
}

impl Moment {
    /// The moment so many milliseconds after 1970-01-01, by the calendar, without a zone.
    #[must_use]
    pub fn from_unix_ms(ms: i64) -> Self {
        let seconds = ms.div_euclid(1_000);
        let (days, in_day) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
        // The calendar's 400 years have 146,097 days, counted from a 1 March.
        let shifted = days + 719_468;
        let era = shifted.div_euclid(146_097);
        let of_era = shifted.rem_euclid(146_097);
        let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month = (5 * of_year + 2) / 153;
        let day = of_year - (153 * month + 2) / 5 + 1;
        let month = if month < 10 { month + 3 } else { month - 9 };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        Self {
            year: i32::try_from(year).unwrap_or(i32::MAX),
            month: month as u8,
            day: day as u8,
            hour: (in_day / 3_600) as u8,
            minute: (in_day / 60 % 60) as u8,
        }
    }

    /// Day of the week, Monday is 0 (Sakamoto's rule).
    #[must_use]
    pub fn weekday(&self) -> i32 {
        const SHIFT: [i32; 12] = [0, 3, 2, 5, 0, 3, 5, 1, 4, 6, 2, 4];
        let year = if self.month < 3 {
            self.year - 1
        } else {
            self.year
        };
        let shift = SHIFT
            .get(usize::from(self.month).wrapping_sub(1))
            .copied()
            .unwrap_or(0);
        let sunday =
            (year + year / 4 - year / 100 + year / 400 + shift + i32::from(self.day)).rem_euclid(7);
        (sunday + 6) % 7
    }
}

/// What a response may speak about.
#[derive(Debug, Clone, Copy)]
pub struct World<'a> {
    /// The house.
    pub house: &'a House,
    /// Now.
    pub now: Moment,
}

/// What came of doing it, for the response: beside or instead of what the sentence and the house say.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Outcome {
    /// Another response of the intent than the one that the sentence asks for, by its key.
    pub key: Option<String>,
    /// Timers, where whoever keeps them says which.
    pub timers: Option<Vec<Timer>>,
    /// Slots, such as the time or what plays.
    pub slots: Vec<(String, Json)>,
}

/// Renders responses.
#[derive(Debug)]
pub struct Responses {
    environment: Environment<'static>,
}

impl Default for Responses {
    fn default() -> Self {
        Self::new()
    }
}

impl Responses {
    /// A renderer that knows Jinja's filters and the methods of Python's texts, lists and maps.
    #[must_use]
    pub fn new() -> Self {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Chainable);
        environment.set_auto_escape_callback(|_| AutoEscape::None);
        environment.set_fuel(Some(STEPS_MAX));
        environment.set_unknown_method_callback(super::methods::call);
        environment.add_filter("float", super::methods::float);
        environment.add_filter("int", super::methods::int);
        environment.set_formatter(|out, _, value| {
            let done = match value.kind() {
                minijinja::value::ValueKind::None => out.write_str("None"),
                minijinja::value::ValueKind::Bool => {
                    out.write_str(if value.is_true() { "True" } else { "False" })
                }
                minijinja::value::ValueKind::Undefined => Ok(()),
                _ => write!(out, "{value}"),
            };
            done.map_err(minijinja::Error::from)
        });
        Self { environment }
    }

    /// The spoken response to a sentence; empty where the language has none.
    ///
    /// # Errors
    /// When the template is broken or asks for what there is not.
    pub fn render(
        &self,
        program: &Program,
        meant: &Recognition,
        world: &World<'_>,
    ) -> Result<String, RenderError> {
        self.render_outcome(program, meant, &Outcome::default(), world)
    }

    /// The same with what came of doing it.
    ///
    /// # Errors
    /// As [`Self::render`].
    pub fn render_outcome(
        &self,
        program: &Program,
        meant: &Recognition,
        outcome: &Outcome,
        world: &World<'_>,
    ) -> Result<String, RenderError> {
        let key = outcome.key.as_ref().unwrap_or(&meant.response);
        let Some(template) = program.response(&meant.intent, key) else {
            return Ok(String::new());
        };
        let wrong = |error: minijinja::Error| RenderError {
            intent: meant.intent.clone(),
            key: key.clone(),
            what: explained(&error),
        };
        let (matched, unmatched) = world.house.asked(meant);
        let state = matched
            .first()
            .or(unmatched.first())
            .map(|entity| state(entity));
        let attributes: Vec<(String, Json)> = matched
            .iter()
            .map(|entity| (entity.id.clone(), entity.attributes.clone()))
            .collect();
        let state_attr = Value::from_function(move |args: Rest<Value>| -> Value {
            let (Some(id), Some(key)) = (args.first(), args.get(1)) else {
                return Value::from(());
            };
            let found = attributes
                .iter()
                .find(|(known, _)| Some(known.as_str()) == id.as_str());
            found
                .and_then(|(_, attributes)| attributes.get(key.as_str()?))
                .map_or_else(|| Value::from(()), Value::from_serialize)
        });
        let query = json!({
            "matched": matched.iter().map(|entity| self::state(entity)).collect::<Vec<_>>(),
            "unmatched": unmatched.iter().map(|entity| self::state(entity)).collect::<Vec<_>>(),
            "total_results": matched.len() + unmatched.len(),
        });
        let context = minijinja::context! {
            slots => Value::from_serialize(slots(meant, outcome, world)),
            state => state.map_or_else(|| Value::from(()), Value::from_serialize),
            query => Value::from_serialize(query),
            state_attr => state_attr,
        };
        let text = self
            .environment
            .render_str(&without_colons(template), context)
            .map_err(wrong)?;
        let mut said = text.split_whitespace().collect::<Vec<_>>().join(" ");
        while said.len() > RESPONSE_BYTES_MAX {
            said.pop();
        }
        Ok(said)
    }

    /// Whether a response can be read at all, with every name in it unknown.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(&self, template: &str) -> Result<(), String> {
        let template = without_colons(template);
        self.environment
            .template_from_str(&template)
            .map(drop)
            .map_err(|error| explained(&error))
    }
}

fn explained(error: &minijinja::Error) -> String {
    match (error.detail(), error.line()) {
        (Some(detail), Some(line)) => {
            format!("{}: {detail} (line {line} of the response)", error.kind())
        }
        _ => error.to_string(),
    }
}

/// Jinja takes a colon before the end of a block; the renderer does not.
fn without_colons(template: &str) -> String {
    let mut out = String::with_capacity(template.len());
    let mut rest = template;
    while let Some(at) = rest.find("%}") {
        let (block, tail) = rest.split_at(at);
        let (body, dash) = match block.strip_suffix('-') {
            Some(body) => (body, "-"),
            None => (block, ""),
        };
        out.push_str(body.trim_end().strip_suffix(':').unwrap_or(body));
        out.push(' ');
        out.push_str(dash);
        out.push_str("%}");
        rest = tail.get(2..).unwrap_or_default();
    }
    out.push_str(rest);
    out
}

/// A device as a response asks for it.
fn state(entity: &Entity) -> Json {
    let unit = entity
        .attributes
        .get("unit_of_measurement")
        .and_then(Json::as_str);
    let said = match &entity.said_state {
        Json::String(text) => text.clone(),
        other => other.to_string(),
    };
    json!({
        "entity_id": entity.id,
        "name": entity.name,
        "domain": entity.domain,
        "state": entity.said_state,
        "hass_state": entity.state,
        "state_with_unit": unit.map_or_else(|| said.clone(), |unit| format!("{said} {unit}")),
        "area_id": entity.area,
        "attributes": entity.attributes,
    })
}

fn slots(meant: &Recognition, outcome: &Outcome, world: &World<'_>) -> Map<String, Json> {
    let mut slots = Map::new();
    let timers = outcome.timers.as_ref().unwrap_or(&world.house.timers);
    let timers: Vec<Timer> = timers.iter().cloned().map(completed).collect();
    slots.insert("canceled".into(), timers.len().into());
    slots.insert("timers".into(), timers.into());
    slots.insert(
        "media".into(),
        world.house.media.first().cloned().unwrap_or(Json::Null),
    );
    slots.insert(
        "completed_items".into(),
        world.house.completed_items.clone(),
    );
    for slot in &meant.slots {
        // A number is said back as it was said: "half", "five", "5".
        let value = match &slot.value {
            Datum::Number(_) if !slot.said.is_empty() => {
                let said: String = super::text::normal(&slot.said).into_iter().collect();
                if said.is_empty() {
                    slot.value.to_json()
                } else {
                    said.into()
                }
            }
            value => value.to_json(),
        };
        slots.insert(slot.name.clone(), value);
    }
    slots.extend(outcome.slots.iter().cloned());
    for (name, words) in &meant.captures {
        slots
            .entry(name.clone())
            .or_insert_with(|| words.clone().into());
    }
    let now = &world.now;
    slots.entry("date").or_insert_with(|| {
        json!({ "year": now.year, "month": now.month, "day": now.day, "weekday_number": now.weekday() })
    });
    slots
        .entry("time")
        .or_insert_with(|| json!({ "hour": now.hour, "minute": now.minute, "second": 0 }));
    slots
}

/// A timer with every field that responses ask for.
fn completed(mut timer: Timer) -> Timer {
    for key in ["name", "area"] {
        timer.entry(key).or_insert_with(|| "".into());
    }
    timer.entry("is_active").or_insert(Json::Bool(false));
    for key in [
        "total_seconds_left",
        "start_hours",
        "start_minutes",
        "start_seconds",
        "rounded_hours_left",
        "rounded_minutes_left",
        "rounded_seconds_left",
    ] {
        timer.entry(key).or_insert_with(|| 0.into());
    }
    timer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_the_day_of_the_week() {
        let day = |year, month, day| {
            Moment {
                year,
                month,
                day,
                hour: 0,
                minute: 0,
            }
            .weekday()
        };
        assert_eq!(day(2013, 9, 17), 1);
        assert_eq!(day(2000, 1, 1), 5);
        assert_eq!(day(2026, 11, 23), 0);
    }

    #[test]
    fn knows_the_calendar() {
        let at = |ms| {
            let Moment {
                year,
                month,
                day,
                hour,
                minute,
            } = Moment::from_unix_ms(ms);
            (year, month, day, hour, minute)
        };
        assert_eq!(at(0), (1970, 1, 1, 0, 0));
        assert_eq!(at(951_782_400_000 + 61 * 60_000), (2000, 2, 29, 1, 1));
        assert_eq!(at(1_795_391_999_999), (2026, 11, 22, 23, 59));
        assert_eq!(at(-1), (1969, 12, 31, 23, 59));
        assert_eq!(at(i64::MAX).1, at(i64::MAX).1.clamp(1, 12));
    }

    #[test]
    fn a_colon_before_the_end_of_a_block_goes() {
        assert_eq!(
            without_colons("{% if a: %}x{%- else: -%}y{% endif %}"),
            "{% if a %}x{%- else -%}y{% endif  %}"
        );
    }
}
