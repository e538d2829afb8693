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
        let Some(template) = program.response(&meant.intent, &meant.response) else {
            return Ok(String::new());
        };
        let wrong = |error: minijinja::Error| RenderError {
            intent: meant.intent.clone(),
            key: meant.response.clone(),
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
            slots => Value::from_serialize(slots(meant, world)),
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

fn slots(meant: &Recognition, world: &World<'_>) -> Map<String, Json> {
    let mut slots = Map::new();
    let timers: Vec<Timer> = world.house.timers.iter().cloned().map(completed).collect();
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
    fn a_colon_before_the_end_of_a_block_goes() {
        assert_eq!(
            without_colons("{% if a: %}x{%- else: -%}y{% endif %}"),
            "{% if a %}x{%- else -%}y{% endif  %}"
        );
    }
}
