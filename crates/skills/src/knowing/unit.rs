//! Units: "how many teaspoons in a tablespoon", "convert five miles to kilometers".
use super::figure;
use crate::spoken::number::amount;
use crate::spoken::token::tokens;

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Length,
    Mass,
    Volume,
    Time,
    Speed,
    Heat,
}

struct Unit {
    kind: Kind,
    /// So many of the kind's base (metre, gram, litre, second, metre a second, kelvin).
    of_base: f64,
    /// Its zero, in kelvin.
    zero: f64,
    one: &'static str,
    many: &'static str,
    /// How else it is called; both numbers.
    also: &'static [&'static str],
}

const fn unit(
    kind: Kind,
    of_base: f64,
    one: &'static str,
    many: &'static str,
    also: &'static [&'static str],
) -> Unit {
    Unit {
        kind,
        of_base,
        zero: 0.0,
        one,
        many,
        also,
    }
}

const fn heat(of_base: f64, zero: f64, name: &'static str, also: &'static [&'static str]) -> Unit {
    Unit {
        kind: Kind::Heat,
        of_base,
        zero,
        one: name,
        many: name,
        also,
    }
}

/// Exact by definition (SI; yard and pound of 1959; US gallon of 231 cubic inches).
const UNITS: &[Unit] = &[
    unit(
        Kind::Length,
        0.001,
        "millimeter",
        "millimeters",
        &["millimetre", "millimetres", "mm"],
    ),
    unit(
        Kind::Length,
        0.01,
        "centimeter",
        "centimeters",
        &["centimetre", "centimetres", "cm"],
    ),
    unit(
        Kind::Length,
        1.0,
        "meter",
        "meters",
        &["metre", "metres", "m"],
    ),
    unit(
        Kind::Length,
        1_000.0,
        "kilometer",
        "kilometers",
        &["kilometre", "kilometres", "km"],
    ),
    unit(Kind::Length, 0.0254, "inch", "inches", &[]),
    unit(Kind::Length, 0.3048, "foot", "feet", &["ft"]),
    unit(Kind::Length, 0.9144, "yard", "yards", &[]),
    unit(Kind::Length, 1_609.344, "mile", "miles", &[]),
    unit(
        Kind::Length,
        1_852.0,
        "nautical mile",
        "nautical miles",
        &[],
    ),
    unit(Kind::Mass, 0.001, "milligram", "milligrams", &["mg"]),
    unit(
        Kind::Mass,
        1.0,
        "gram",
        "grams",
        &["gramme", "grammes", "g"],
    ),
    unit(
        Kind::Mass,
        1_000.0,
        "kilogram",
        "kilograms",
        &["kilo", "kilos", "kg"],
    ),
    unit(
        Kind::Mass,
        1_000_000.0,
        "tonne",
        "tonnes",
        &["metric ton", "metric tons"],
    ),
    unit(Kind::Mass, 28.349_523_125, "ounce", "ounces", &["oz"]),
    unit(Kind::Mass, 453.592_37, "pound", "pounds", &["lb", "lbs"]),
    unit(Kind::Mass, 6_350.293_18, "stone", "stones", &[]),
    unit(
        Kind::Volume,
        0.001,
        "milliliter",
        "milliliters",
        &["millilitre", "millilitres", "ml"],
    ),
    unit(
        Kind::Volume,
        0.01,
        "centiliter",
        "centiliters",
        &["centilitre", "centilitres"],
    ),
    unit(
        Kind::Volume,
        1.0,
        "liter",
        "liters",
        &["litre", "litres", "l"],
    ),
    unit(
        Kind::Volume,
        0.004_928_921_593_75,
        "teaspoon",
        "teaspoons",
        &["tsp"],
    ),
    unit(
        Kind::Volume,
        0.014_786_764_781_25,
        "tablespoon",
        "tablespoons",
        &["tbsp"],
    ),
    unit(
        Kind::Volume,
        0.029_573_529_562_5,
        "fluid ounce",
        "fluid ounces",
        &[],
    ),
    unit(Kind::Volume, 0.236_588_236_5, "cup", "cups", &[]),
    unit(Kind::Volume, 0.473_176_473, "pint", "pints", &[]),
    unit(Kind::Volume, 0.946_352_946, "quart", "quarts", &[]),
    unit(Kind::Volume, 3.785_411_784, "gallon", "gallons", &[]),
    unit(Kind::Time, 1.0, "second", "seconds", &[]),
    unit(Kind::Time, 60.0, "minute", "minutes", &[]),
    unit(Kind::Time, 3_600.0, "hour", "hours", &[]),
    unit(Kind::Time, 86_400.0, "day", "days", &[]),
    unit(Kind::Time, 604_800.0, "week", "weeks", &[]),
    unit(
        Kind::Speed,
        1.0 / 3.6,
        "kilometer per hour",
        "kilometers per hour",
        &[
            "kilometres per hour",
            "kilometers an hour",
            "kilometres an hour",
        ],
    ),
    unit(
        Kind::Speed,
        0.447_04,
        "mile per hour",
        "miles per hour",
        &["miles an hour"],
    ),
    unit(
        Kind::Speed,
        1.0,
        "meter per second",
        "meters per second",
        &["metres per second", "meters a second"],
    ),
    heat(
        1.0,
        273.15,
        "degrees Celsius",
        &[
            "celsius",
            "degrees celsius",
            "degree celsius",
            "centigrade",
            "degrees centigrade",
        ],
    ),
    heat(
        5.0 / 9.0,
        255.372_222_222_222_2,
        "degrees Fahrenheit",
        &["fahrenheit", "degrees fahrenheit", "degree fahrenheit"],
    ),
    heat(1.0, 0.0, "kelvin", &["degrees kelvin"]),
];

impl Unit {
    fn is(&self, name: &str) -> bool {
        self.one == name || self.many == name || self.also.contains(&name)
    }
}

pub(super) fn answer(text: &str) -> Option<String> {
    let (given, wanted) = question(text)?;
    let tokens = tokens(given)?;
    let (number, used) = match tokens.first()?.word() {
        "a" | "an" | "one" => (1.0, 1),
        _ => {
            let (thousandths, used) = amount(&tokens)?;
            (thousandths as f64 / 1_000.0, used)
        }
    };
    let named = |name: &str| UNITS.iter().find(|unit| unit.is(name));
    let name = given.get(tokens.get(used)?.place.start..)?;
    let (from, to) = (named(name)?, named(wanted)?);
    if from.kind != to.kind {
        return Some("Those two do not measure the same.".to_owned());
    }
    let base = number * from.of_base + from.zero;
    let result = (base - to.zero) / to.of_base;
    let is_one = number == 1.0;
    let from_name = if is_one { from.one } else { from.many };
    let to_name = if result == 1.0 { to.one } else { to.many };
    Some(format!(
        "{} {from_name} {} {} {to_name}.",
        figure(number)?,
        if is_one { "is" } else { "are" },
        figure(result)?,
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
    let rest = ["convert ", "what is ", "what's ", "how much is ", "change "]
        .iter()
        .find_map(|head| text.strip_prefix(head))?;
    [" to ", " into ", " in "]
        .iter()
        .find_map(|between| rest.split_once(between))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_stands_for_two_units() {
        for (at, unit) in UNITS.iter().enumerate() {
            for other in &UNITS[at + 1..] {
                let names = [unit.one, unit.many]
                    .into_iter()
                    .chain(unit.also.iter().copied());
                for name in names {
                    assert!(!other.is(name), "{name}");
                }
            }
        }
    }
}
