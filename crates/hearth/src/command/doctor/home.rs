//! The household: would a call-taker know where to send help, and whom to call back?
use hearthline_emergency::civic::{CivicAddress, CivicElement};
use hearthline_speaker::config::Household;

use super::{Check, State};

/// Digits of an E.164 number with its country code.
const E164_DIGITS: std::ops::RangeInclusive<usize> = 8..=15;

/// All of them.
pub(super) fn checks(household: &Household) -> Vec<Check> {
    vec![
        address(household),
        point(household),
        callback(household.person.callback.as_deref()),
    ]
}

fn address(household: &Household) -> Check {
    let mend = "[address] country, A1 (state), A3 (city), RD (street), HNO (number)";
    let address = match household.civic() {
        Ok(Some(address)) => address,
        Ok(None) => {
            return Check::not(
                "address",
                State::Missing,
                "none: a call-taker could not send anybody",
                mend,
            );
        }
        Err(error) => return Check::not("address", State::Wrong, error.to_string(), mend),
    };
    let missing = missing_elements(&address);
    if !missing.is_empty() {
        return Check::not(
            "address",
            State::Missing,
            format!("lacks {}", missing.join(", ")),
            mend,
        );
    }
    let country = address.get(CivicElement::Country).unwrap_or_default();
    if country.len() != 2 || !country.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Check::not(
            "address",
            State::Wrong,
            "country is not a code of two capital letters",
            "country = \"US\"",
        );
    }
    let device = household.device.country.to_ascii_uppercase();
    if device != "EU" && device != country {
        let found =
            "its country is not the country whose emergency numbers count ([device] country)";
        return Check::not("address", State::Wrong, found, "make them agree");
    }
    let helpful: Vec<&str> = [
        (CivicElement::PostalCode, "PC (postal code)"),
        (CivicElement::Location, "LOC (room or floor)"),
    ]
    .into_iter()
    .filter(|(element, _)| !given(&address, *element))
    .map(|(_, name)| name)
    .collect();
    if helpful.is_empty() {
        Check::ok("address", "complete")
    } else {
        Check::not(
            "address",
            State::Note,
            "complete enough",
            format!("{} would help a crew find the door", helpful.join(", ")),
        )
    }
}

fn given(address: &CivicAddress, element: CivicElement) -> bool {
    address
        .get(element)
        .is_some_and(|text| !text.trim().is_empty())
}

fn missing_elements(address: &CivicAddress) -> Vec<&'static str> {
    use CivicElement as E;
    let needed: [(&[E], &str); 5] = [
        (&[E::Country], "country"),
        (&[E::A1], "A1 (state)"),
        (&[E::A3], "A3 (city)"),
        (&[E::Road, E::A6], "RD (street)"),
        (&[E::HouseNumber], "HNO (number)"),
    ];
    needed
        .into_iter()
        .filter(|(any, _)| !any.iter().any(|element| given(address, *element)))
        .map(|(_, name)| name)
        .collect()
}

fn point(household: &Household) -> Check {
    match household.point {
        None => Check::not(
            "point",
            State::Note,
            "none; the address alone is sent",
            "[point] latitude and longitude help where addresses are unclear",
        ),
        Some(point) if point.latitude == 0.0 && point.longitude == 0.0 => Check::not(
            "point",
            State::Wrong,
            "0, 0 lies in the ocean",
            "give the house's own latitude and longitude, or no [point]",
        ),
        Some(_) => Check::ok("point", "on the globe"),
    }
}

fn callback(number: Option<&str>) -> Check {
    let mend =
        "[person] callback = \"+1…\": the number, with its country code, that rings in this home";
    match number {
        None => Check::not(
            "callback",
            State::Missing,
            "none: a call-taker could not call back after a lost call",
            mend,
        ),
        Some(number) => match wrong_with(number) {
            Some(why) => Check::not("callback", State::Wrong, why, mend),
            None => Check::ok("callback", "a plausible E.164 number"),
        },
    }
}

/// What is implausible about a number, without repeating it.
fn wrong_with(number: &str) -> Option<&'static str> {
    let Some(digits) = number.strip_prefix('+') else {
        return Some("does not begin with + and the country code");
    };
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some("has signs that are not digits behind the +");
    }
    if digits.starts_with('0') {
        return Some("no country code begins with 0");
    }
    if !E164_DIGITS.contains(&digits.len()) {
        return Some("must have 8 to 15 digits");
    }
    let national = digits.strip_prefix('1')?;
    // North American numbering plan: NXX NXX XXXX, N from 2 to 9, no N11.
    let bytes = national.as_bytes();
    let service = |code: &[u8]| code[1] == b'1' && code[2] == b'1';
    if bytes.len() != 10 {
        Some("behind +1 there must be ten digits")
    } else if bytes[0] < b'2' || bytes[3] < b'2' || service(&bytes[..3]) || service(&bytes[3..6]) {
        Some("no such area or exchange code behind +1")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_cannot_ring_are_named() {
        for good in ["+15055550123", "+442079460123", "+4930901820"] {
            assert_eq!(wrong_with(good), None, "{good}");
        }
        for bad in [
            "911",
            "+911",
            "5055550123",
            "+1505555012",
            "+15051150123",
            "+19115550123",
            "+05055550123",
            "+1 505 555 0123",
            "+",
            "",
        ] {
            assert!(wrong_with(bad).is_some(), "{bad}");
        }
    }

    fn household(address: &str) -> Household {
        Household::parse(&format!(
            "[device]\nname = \"Kitchen\"\ncountry = \"US\"\n[person]\nname = \"Drill\"\n[address]\n{address}"
        ))
        .unwrap()
    }

    #[test]
    fn an_address_without_a_number_is_not_enough() {
        let check = address(&household(
            "country = \"US\"\nA1 = \"NM\"\nA3 = \"Exampleton\"\nRD = \"Juniper\"\n",
        ));
        assert_eq!(
            (check.state, check.found.as_str()),
            (State::Missing, "lacks HNO (number)")
        );
        let check = address(&household(
            "country = \"US\"\nA1 = \"NM\"\nA3 = \"Exampleton\"\nRD = \"Juniper\"\nHNO = \"42\"\n",
        ));
        assert_eq!(check.state, State::Note);
        let check = address(&household(
            "country = \"DE\"\nA1 = \"BY\"\nA3 = \"Beispiel\"\nRD = \"Weg\"\nHNO = \"4\"\n",
        ));
        assert_eq!(check.state, State::Wrong);
    }
}
