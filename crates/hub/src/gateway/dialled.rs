//! What people dial and what lines say, as international numbers (E.164), by the home's country.
//!
//! The one way in is [`OrdinaryDigits`], which only recognition hands out: no emergency number of the home's country
//! ever comes this far, whatever area code or prefix the home has (DESIGN invariant 2). A table of our own, because the
//! crate `phonenumber` brings a second `quick-xml` and a second `regex-syntax`, which `cargo xtask deny` refuses.

use hearthline_emergency::numbers::{
    Country, DialledDigits, OrdinaryDigits, Recognition, recognise,
};

use crate::number::Number;

/// Most digits of an area code.
pub(crate) const AREA_DIGITS_MAX: usize = 6;

/// Why digits lead nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotDialled {
    /// A prefix before an emergency number.
    #[error("to call for help dial the emergency number alone, without anything before it")]
    PrefixedEmergency,
    /// A feature code, `*` or `#`.
    #[error("codes with * and # are not dialled on lines")]
    Code,
    /// Not a whole number in this country.
    #[error(
        "it is no whole telephone number here; dial it with its area code, or + and the country code"
    )]
    Incomplete,
}

/// How numbers are written in one country.
struct Plan {
    /// Country code.
    code: &'static str,
    /// Before a number abroad.
    international: &'static str,
    /// Before a number of the own country; may be empty.
    national: &'static str,
    /// Digits after the country code.
    digits: core::ops::RangeInclusive<usize>,
}

#[allow(clippy::match_same_arms)] // one row for each country
fn plan(country: Country) -> Option<Plan> {
    use Country as C;
    let (code, international, national, least, most) = match country {
        C::UnitedStates | C::Canada => ("1", "011", "1", 10, 10),
        C::UnitedKingdom => ("44", "00", "0", 9, 10),
        C::Australia => ("61", "0011", "0", 9, 10),
        C::NewZealand => ("64", "00", "0", 8, 10),
        C::Austria => ("43", "00", "0", 6, 13),
        C::Belgium => ("32", "00", "0", 8, 9),
        C::Bulgaria => ("359", "00", "0", 7, 9),
        C::Croatia => ("385", "00", "0", 7, 9),
        C::Cyprus => ("357", "00", "", 8, 8),
        C::Czechia => ("420", "00", "", 9, 9),
        C::Denmark => ("45", "00", "", 8, 8),
        C::Estonia => ("372", "00", "", 7, 8),
        C::Finland => ("358", "00", "0", 5, 12),
        C::France => ("33", "00", "0", 9, 9),
        C::Germany => ("49", "00", "0", 6, 13),
        C::Greece => ("30", "00", "", 10, 10),
        C::Hungary => ("36", "00", "06", 8, 9),
        C::Ireland => ("353", "00", "0", 7, 9),
        // The 0 of an Italian landline belongs to its number, abroad too.
        C::Italy => ("39", "00", "", 6, 11),
        C::Latvia => ("371", "00", "", 8, 8),
        C::Lithuania => ("370", "00", "0", 8, 8),
        C::Luxembourg => ("352", "00", "", 5, 11),
        C::Malta => ("356", "00", "", 8, 8),
        C::Netherlands => ("31", "00", "0", 9, 9),
        C::Poland => ("48", "00", "", 9, 9),
        C::Portugal => ("351", "00", "", 9, 9),
        C::Romania => ("40", "00", "0", 9, 9),
        C::Slovakia => ("421", "00", "0", 9, 9),
        C::Slovenia => ("386", "00", "0", 8, 8),
        C::Spain => ("34", "00", "", 9, 9),
        C::Sweden => ("46", "00", "0", 7, 10),
        C::Norway => ("47", "00", "", 8, 8),
        C::Switzerland => ("41", "00", "0", 9, 9),
        C::India => ("91", "00", "0", 10, 10),
        C::Japan => ("81", "010", "0", 9, 10),
        C::China => ("86", "00", "0", 10, 11),
        C::Mexico => ("52", "00", "", 10, 10),
        // A country that the emergency numbers know and this table not yet: only + and abroad.
        _ => return None,
    };
    Some(Plan {
        code,
        international,
        national,
        digits: least..=most,
    })
}

/// How numbers are dialled in this home.
#[derive(Debug, Clone)]
pub(crate) struct DialPlan {
    country: Country,
    /// Digits of the own area, without the national prefix; whoever dials less means a number there.
    area: Option<String>,
}

impl DialPlan {
    /// `area` that is none is left out.
    pub(crate) fn new(country: Country, area: Option<&str>) -> Self {
        let area = area.map(|area| {
            let digits: String = area.chars().filter(char::is_ascii_digit).collect();
            let national = plan(country).map_or("", |plan| plan.national);
            let bare = digits.strip_prefix(national).map(str::to_owned);
            bare.unwrap_or(digits)
        });
        let fits = |area: &String| (1..=AREA_DIGITS_MAX).contains(&area.len());
        Self {
            country,
            area: area.filter(fits),
        }
    }

    pub(crate) fn country(&self) -> Country {
        self.country
    }

    /// Whether the area code that was given is one.
    pub(crate) fn has_area(&self) -> bool {
        self.area.is_some()
    }

    /// The number that was dialled.
    pub(crate) fn number(&self, dialled: &OrdinaryDigits) -> Result<Number, NotDialled> {
        let digits = dialled.as_str();
        if hides_emergency(digits, self.country) {
            return Err(NotDialled::PrefixedEmergency);
        }
        if digits.contains(['*', '#']) {
            return Err(NotDialled::Code);
        }
        let global = self.global(digits).ok_or(NotDialled::Incomplete)?;
        Number::new(&format!("+{global}")).map_err(|_| NotDialled::Incomplete)
    }

    /// The number that somebody wrote as it is dialled here; none for what is no whole number here, and for every
    /// emergency number.
    pub(crate) fn written(&self, text: &str) -> Option<Number> {
        let digits = DialledDigits::new(text.trim()).ok()?;
        match digits.recognise(self.country) {
            Recognition::Ordinary(digits) => self.number(&digits).ok(),
            _ => None,
        }
    }

    /// The digits after the plus.
    fn global(&self, digits: &str) -> Option<String> {
        let plan = plan(self.country);
        let (international, code) = plan
            .as_ref()
            .map_or(("00", None), |plan| (plan.international, Some(plan.code)));
        let abroad = digits
            .strip_prefix('+')
            .or_else(|| digits.strip_prefix(international));
        if let Some(global) = abroad {
            let own = code.and_then(|code| global.strip_prefix(code));
            return match (&plan, own) {
                (Some(plan), Some(national)) => self.whole(plan, national),
                _ => Some(global.to_owned()),
            };
        }
        let plan = plan?;
        if !plan.national.is_empty() {
            if let Some(national) = digits.strip_prefix(plan.national) {
                return self.whole(&plan, national);
            }
            // Where everybody dials ten digits, the prefix may be left out.
            if plan.code == "1" && digits.len() == 10 {
                return self.whole(&plan, digits);
            }
        } else if let Some(global) = self.whole(&plan, digits) {
            return Some(global);
        }
        let area = self.area.as_ref()?;
        (digits.len() >= 3)
            .then(|| self.whole(&plan, &format!("{area}{digits}")))
            .flatten()
    }

    /// Checks how long a number of the own country is.
    fn whole(&self, plan: &Plan, national: &str) -> Option<String> {
        let shaped = national.bytes().all(|byte| byte.is_ascii_digit())
            && (!national.starts_with('0') || self.country == Country::Italy);
        (shaped && plan.digits.contains(&national.len()))
            .then(|| format!("{}{national}", plan.code))
    }

    /// What a landline is given to dial: no plus, and no digits that would be an emergency number.
    pub(crate) fn as_dialled(&self, number: &Number) -> Option<String> {
        let global = number.as_str().trim_start_matches('+');
        let dialled = match plan(self.country) {
            Some(plan) => match global.strip_prefix(plan.code) {
                Some(national) => format!("{}{national}", plan.national),
                None => format!("{}{global}", plan.international),
            },
            None => format!("00{global}"),
        };
        let digits = DialledDigits::new(&dialled).ok()?;
        let ordinary = matches!(digits.recognise(self.country), Recognition::Ordinary(_));
        (ordinary && !hides_emergency(&dialled, self.country)).then_some(dialled)
    }

    /// The number that a line says is calling: international with or without plus, national, or local.
    pub(crate) fn caller(&self, said: &str) -> Option<Number> {
        let Recognition::Ordinary(digits) = DialledDigits::new(said).ok()?.recognise(self.country)
        else {
            return None;
        };
        if let Ok(number) = self.number(&digits) {
            return Some(number);
        }
        let own = plan(self.country)?;
        let national = digits.as_str().strip_prefix(own.code)?;
        Number::new(&format!("+{}", self.whole(&own, national)?)).ok()
    }
}

/// Whether the digits are an emergency number behind a prefix of one to three digits, as telephone systems want them to
/// dial out: whoever dials 9-911 or 0-112 wants help, and must hear how to get it.
fn hides_emergency(digits: &str, country: Country) -> bool {
    let digits = digits.trim_start_matches('+');
    digits.len() <= 7
        && (1..=3).any(|prefix| {
            digits
                .get(prefix..)
                .is_some_and(|rest| recognise(rest, country).is_some())
        })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ordinary(text: &str, country: Country) -> Option<OrdinaryDigits> {
        match DialledDigits::new(text).ok()?.recognise(country) {
            Recognition::Ordinary(digits) => Some(digits),
            _ => None,
        }
    }

    fn number(text: &str, country: Country, area: Option<&str>) -> Option<String> {
        let plan = DialPlan::new(country, area);
        let number = plan.number(&ordinary(text, country)?).ok()?;
        Some(number.as_str().to_owned())
    }

    #[test]
    fn numbers_are_read_as_people_dial_them() {
        use Country as C;
        for (country, area, dialled, wanted) in [
            (C::Germany, None, "030 12345678", "+493012345678"),
            (C::Germany, None, "0049 30 12345678", "+493012345678"),
            (C::Germany, None, "+49-30-12345678", "+493012345678"),
            (C::Germany, Some("030"), "12345678", "+493012345678"),
            (C::Germany, Some("30"), "12345678", "+493012345678"),
            (C::Germany, None, "001 202 555 0123", "+12025550123"),
            (C::UnitedStates, None, "(202) 555-0123", "+12025550123"),
            (C::UnitedStates, None, "1 202 555 0123", "+12025550123"),
            (C::UnitedStates, Some("202"), "555-0123", "+12025550123"),
            (C::UnitedStates, None, "011 49 30 12345678", "+493012345678"),
            (C::UnitedKingdom, None, "020 7946 0958", "+442079460958"),
            (C::Australia, None, "0011 1 202 555 0123", "+12025550123"),
            (C::Australia, None, "02 5550 1234", "+61255501234"),
            (C::Italy, None, "06 5550 1234", "+390655501234"),
            (C::Italy, None, "+39 06 5550 1234", "+390655501234"),
            (C::Hungary, None, "06 1 555 0123", "+3615550123"),
            (C::Spain, None, "955 50 12 34", "+34955501234"),
            (C::Japan, None, "010 1 202 555 0123", "+12025550123"),
        ] {
            assert_eq!(
                number(dialled, country, area).as_deref(),
                Some(wanted),
                "{dialled} in {}",
                country.name()
            );
        }
        for (country, dialled) in [
            (C::Germany, "12345678"),
            (C::Germany, "+49 0 30 12345678"),
            (C::Germany, "*21*030123456#"),
            (C::UnitedStates, "555-0123"),
            (C::UnitedStates, "1 202 555 01234"),
            (C::Germany, "00"),
            (C::Germany, "+"),
            (C::Germany, "0112"),
            (C::UnitedStates, "9911"),
            (C::UnitedStates, "+1911"),
        ] {
            assert_eq!(number(dialled, country, None), None, "{dialled}");
        }
    }

    #[test]
    fn every_country_has_a_row_and_its_numbers_go_there_and_back() {
        for &country in Country::ALL {
            let own = plan(country).expect("a row");
            let digits = "2".repeat(*own.digits.end());
            let dial = DialPlan::new(country, None);
            let number = Number::new(&format!("+{}{digits}", own.code)).unwrap();
            let dialled = dial.as_dialled(&number).unwrap();
            assert_eq!(
                dial.number(&ordinary(&dialled, country).unwrap()),
                Ok(number.clone()),
                "{}",
                country.name()
            );
            for said in [
                number.as_str().to_owned(),
                dialled,
                format!("{}{digits}", own.code),
            ] {
                assert_eq!(dial.caller(&said), Some(number.clone()), "{said}");
            }
        }
    }

    #[test]
    fn callers_who_say_less_than_a_number_are_unknown() {
        let dial = DialPlan::new(Country::Germany, None);
        for said in ["", "anonymous", "kitchen", "112", "12", "+", "007"] {
            assert_eq!(dial.caller(said), None, "{said}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        // Whatever area code the home has and whatever is dialled: no number that a line is given is, or ends in a short
        // number that is, an emergency number of the home's country.
        #[test]
        fn no_dial_plan_makes_an_emergency_number(
            country in 0..Country::ALL.len(),
            area in proptest::option::of("[0-9*+ ]{0,9}"),
            dialled in "[+]?[0-9*# -]{1,17}",
        ) {
            let country = Country::ALL[country];
            let plan = DialPlan::new(country, area.as_deref());
            if let Some(digits) = ordinary(&dialled, country)
                && let Ok(number) = plan.number(&digits)
            {
                prop_assert!(Number::new(number.as_str()).is_ok());
                if let Some(out) = plan.as_dialled(&number) {
                    prop_assert!(recognise(&out, country).is_none());
                    prop_assert!(!hides_emergency(&out, country), "{out}");
                }
            }
            let _ = plan.caller(&dialled);
        }
    }
}
