//! Units: "how many teaspoons in a tablespoon", "convert five miles to kilometers".
use super::exact::Exact;
use super::sum::plain;
use crate::spoken::token::{Token, tokens};

const NOT_THE_SAME: &str = "Those two do not measure the same.";

/// Places that are said of a result: a length to the thousandth, the rest is "about".
const PLACES_MAX: u32 = 3;

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Length,
    Area,
    Mass,
    Volume,
    Time,
    Speed,
    Heat,
    Data,
}
use Kind::{Area, Data, Heat, Length, Mass, Speed, Time, Volume};

struct Unit {
    kind: Kind,
    /// So many of the kind's base (metre, square metre, gram, litre, second, metre a second, kelvin, byte), exactly.
    of_base: &'static str,
    /// Where its zero lies in its own degrees above the absolute one.
    zero: &'static str,
    /// How it is called: one, many, then all the rest.
    names: &'static [&'static str],
}

const fn unit(kind: Kind, of_base: &'static str, names: &'static [&'static str]) -> Unit {
    let zero = "0";
    Unit {
        kind,
        of_base,
        zero,
        names,
    }
}

const fn heat(of_base: &'static str, zero: &'static str, names: &'static [&'static str]) -> Unit {
    let kind = Heat;
    Unit {
        kind,
        of_base,
        zero,
        names,
    }
}

/// Exact by definition (SI; yard and pound of 1959; US gallon of 231 cubic inches).
#[rustfmt::skip]
const UNITS: &[Unit] = &[
    unit(Length, "0.001", &["millimeter", "millimeters", "millimetre", "millimetres", "mm"]),
    unit(Length, "0.01", &["centimeter", "centimeters", "centimetre", "centimetres", "cm"]),
    unit(Length, "1", &["meter", "meters", "metre", "metres", "m"]),
    unit(Length, "1000", &["kilometer", "kilometers", "kilometre", "kilometres", "km"]),
    unit(Length, "0.0254", &["inch", "inches"]),
    unit(Length, "0.3048", &["foot", "feet", "ft"]),
    unit(Length, "0.9144", &["yard", "yards"]),
    unit(Length, "1609.344", &["mile", "miles"]),
    unit(Length, "1852", &["nautical mile", "nautical miles"]),
    unit(Area, "1", &["square meter", "square meters", "square metre", "square metres"]),
    unit(Area, "0.09290304", &["square foot", "square feet"]),
    unit(Area, "10000", &["hectare", "hectares"]),
    unit(Area, "4046.8564224", &["acre", "acres"]),
    unit(Mass, "0.001", &["milligram", "milligrams", "mg"]),
    unit(Mass, "1", &["gram", "grams", "gramme", "grammes", "g"]),
    unit(Mass, "1000", &["kilogram", "kilograms", "kilo", "kilos", "kg"]),
    unit(Mass, "1000000", &["tonne", "tonnes", "metric ton", "metric tons"]),
    unit(Mass, "28.349523125", &["ounce", "ounces", "oz"]),
    unit(Mass, "453.59237", &["pound", "pounds", "lb", "lbs"]),
    unit(Mass, "6350.29318", &["stone", "stones"]),
    unit(Volume, "0.001", &["milliliter", "milliliters", "millilitre", "millilitres", "ml"]),
    unit(Volume, "0.01", &["centiliter", "centiliters", "centilitre", "centilitres"]),
    unit(Volume, "1", &["liter", "liters", "litre", "litres", "l"]),
    unit(Volume, "0.00492892159375", &["teaspoon", "teaspoons", "tsp"]),
    unit(Volume, "0.01478676478125", &["tablespoon", "tablespoons", "tbsp"]),
    unit(Volume, "0.0295735295625", &["fluid ounce", "fluid ounces"]),
    unit(Volume, "0.2365882365", &["cup", "cups"]),
    unit(Volume, "0.473176473", &["pint", "pints"]),
    unit(Volume, "0.946352946", &["quart", "quarts"]),
    unit(Volume, "3.785411784", &["gallon", "gallons"]),
    unit(Time, "1", &["second", "seconds"]),
    unit(Time, "60", &["minute", "minutes"]),
    unit(Time, "3600", &["hour", "hours"]),
    unit(Time, "86400", &["day", "days"]),
    unit(Time, "604800", &["week", "weeks"]),
    unit(Speed, "5/18", &["kilometer per hour", "kilometers per hour", "kilometres per hour", "kilometers an hour",
        "kilometres an hour"]),
    unit(Speed, "0.44704", &["mile per hour", "miles per hour", "miles an hour"]),
    unit(Speed, "1", &["meter per second", "meters per second", "metres per second", "meters a second"]),
    heat("1", "273.15", &["degree Celsius", "degrees Celsius", "celsius", "degrees celsius", "degree celsius",
        "centigrade", "degrees centigrade"]),
    heat("5/9", "459.67", &["degree Fahrenheit", "degrees Fahrenheit", "fahrenheit", "degrees fahrenheit",
        "degree fahrenheit"]),
    heat("1", "0", &["kelvin", "kelvin", "kelvins", "degrees kelvin"]),
    unit(Data, "1", &["byte", "bytes"]),
    unit(Data, "1000", &["kilobyte", "kilobytes"]),
    unit(Data, "1000000", &["megabyte", "megabytes"]),
    unit(Data, "1000000000", &["gigabyte", "gigabytes"]),
    unit(Data, "1000000000000", &["terabyte", "terabytes"]),
];

impl Unit {
    /// How much it is, in the kind's base.
    fn base(&self, number: Exact) -> Option<Exact> {
        number
            .plus(Exact::parse(self.zero)?)?
            .times(Exact::parse(self.of_base)?)
    }

    fn of(&self, base: Exact) -> Option<Exact> {
        base.over(Exact::parse(self.of_base)?)?
            .minus(Exact::parse(self.zero)?)
    }

    fn called(&self, number: Exact) -> &'static str {
        self.names[usize::from(number != Exact::ONE)]
    }
}

pub(super) fn answer(text: &str) -> Option<String> {
    let (given, wanted) = question(text)?;
    let tokens = tokens(given)?;
    let (number, used) = match (tokens.first()?.word(), tokens.get(1)?.word()) {
        ("a" | "an", second) if !matches!(second, "hundred" | "thousand" | "million") => {
            (Exact::ONE, 1)
        }
        ("half", "a" | "an") => (Exact::new(1, 2)?, 2),
        ("minus" | "negative", _) => {
            let (number, used) = plain(&tokens[1..])?;
            (number.negative(), used + 1)
        }
        _ => plain(&tokens)?,
    };
    let name = given.get(tokens.get(used)?.place.start..)?;
    let to = named(wanted)?;
    let Some(from) = named(name) else {
        return in_parts(given, &tokens, number, used, to);
    };
    if from.kind != to.kind {
        return Some(NOT_THE_SAME.to_owned());
    }
    let result = to.of(from.base(number)?)?;
    let (given, found) = (number.said(PLACES_MAX), result.said(PLACES_MAX));
    let verb = if number == Exact::ONE { "is" } else { "are" };
    let (from, to) = (from.called(number), to.called(result));
    Some(format!("{given} {from} {verb} {found} {to}."))
}

fn named(name: &str) -> Option<&'static Unit> {
    UNITS.iter().find(|unit| unit.names.contains(&name))
}

/// "5 feet 7 inches", "5 foot 7", "2 hours and 30 minutes": a smaller unit behind a larger one.
fn in_parts(
    given: &str,
    tokens: &[Token],
    number: Exact,
    used: usize,
    to: &Unit,
) -> Option<String> {
    let first = named(tokens.get(used)?.word())?;
    let mut at = used + 1;
    at += usize::from(tokens.get(at)?.word() == "and");
    let (more, taken) = plain(tokens.get(at..)?)?;
    let second = match tokens.get(at + taken) {
        Some(token) => named(given.get(token.place.start..)?)?,
        // People say how tall they are so.
        None if first.names.contains(&"foot") => named("inch")?,
        None => return None,
    };
    let difference = second.base(Exact::ONE)?.minus(first.base(Exact::ONE)?)?;
    let smaller = second.kind == first.kind && difference.is_below_zero();
    if !smaller || first.kind == Heat {
        return None;
    }
    if first.kind != to.kind {
        return Some(NOT_THE_SAME.to_owned());
    }
    let result = to.of(first.base(number)?.plus(second.base(more)?)?)?;
    let (given, found) = (number.said(PLACES_MAX), result.said(PLACES_MAX));
    let more_said = more.said(PLACES_MAX);
    let (first, second, to) = (first.called(number), second.called(more), to.called(result));
    Some(format!(
        "{given} {first} {more_said} {second} are {found} {to}."
    ))
}

/// What is given and what is wanted.
fn question(text: &str) -> Option<(&str, &str)> {
    if let Some(rest) = text.strip_prefix("how many ") {
        let (wanted, given) = [
            " are there in ",
            " are in ",
            " is in ",
            " in ",
            " is ",
            " are ",
        ]
        .iter()
        .find_map(|between| rest.split_once(between))?;
        return Some((given, wanted));
    }
    let heads = ["convert ", "what is ", "what's ", "how much is ", "change "];
    let rest = heads.iter().find_map(|head| text.strip_prefix(head));
    [" to ", " into ", " in "]
        .iter()
        .find_map(|between| rest.unwrap_or(text).split_once(between))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_stands_for_two_units_and_each_is_exact() {
        for (at, unit) in UNITS.iter().enumerate() {
            assert!(Exact::parse(unit.of_base).is_some(), "{}", unit.of_base);
            assert!(Exact::parse(unit.zero).is_some());
            for other in &UNITS[at + 1..] {
                for name in unit.names {
                    assert!(!other.names.contains(name), "{name}");
                }
            }
        }
    }
}
