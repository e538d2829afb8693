//! Emergency numbers are recognised before any editable rule (DESIGN invariant 2).

use hearthline_emergency::numbers::{Country, DialledDigits, OrdinaryDigits, Recognition};
use hearthline_emergency::service::ServiceUrn;
use proptest::prelude::*;

/// An editable rule: whoever dials something that begins so, loses so many digits and gains these.
#[derive(Debug, Clone)]
struct Rule {
    prefix: String,
    strip: usize,
    add: String,
}

/// A dial plan as any PBX has one. It can be given ordinary digits only: there is no way to hand it dialled ones.
fn dial_plan(rules: &[Rule], digits: &OrdinaryDigits) -> String {
    let digits = digits.as_str();
    for rule in rules {
        if digits.starts_with(&rule.prefix) {
            return format!("{}{}", rule.add, digits.get(rule.strip..).unwrap_or(""));
        }
    }
    digits.to_owned()
}

/// The whole way from a key pad to the network.
fn place(rules: &[Rule], digits: &str, country: Country) -> Result<ServiceUrn, String> {
    match DialledDigits::new(digits).unwrap().recognise(country) {
        Recognition::Emergency(service) => Ok(service),
        Recognition::Foreign(_) => Err("named, not dialled".to_owned()),
        Recognition::Ordinary(digits) => Err(dial_plan(rules, &digits)),
    }
}

#[test]
fn nine_strip_one_cannot_turn_911_into_11() {
    let rules = [Rule {
        prefix: "9".to_owned(),
        strip: 1,
        add: String::new(),
    }];
    assert_eq!(
        place(&rules, "911", Country::UnitedStates),
        Ok(ServiceUrn::SOS)
    );
    assert_eq!(
        place(&rules, "95550123", Country::UnitedStates),
        Err("5550123".to_owned())
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]
    #[test]
    fn no_rules_change_recognition(
        rules in prop::collection::vec(("[0-9*#]{0,3}", 0usize..4, "[0-9]{0,4}"), 0..8),
        country in prop::sample::select(Country::ALL),
    ) {
        let rules: Vec<Rule> = rules.into_iter().map(|(prefix, strip, add)| Rule { prefix, strip, add }).collect();
        for string in country.dial_strings() {
            prop_assert_eq!(place(&rules, string.digits, country), Ok(string.service.clone()));
        }
    }

    #[test]
    fn any_text_is_digits_or_a_reason(text in ".{0,60}") {
        if let Ok(digits) = DialledDigits::new(&text) {
            let _ = digits.recognise(Country::UnitedKingdom);
        }
        let _ = DialledDigits::from_uri(&text);
    }
}
