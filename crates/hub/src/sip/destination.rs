//! What a Request-URI asks for. Emergencies are found first, before anything else looks at it (DESIGN invariant 2).
//!
//! A user part that reads as digits is never a name: no room, device or person can be called by one, however it is
//! named, so no dialled spelling of an emergency number can lead to a device of the home.

use hearthline_emergency::numbers::{Country, DialledDigits, OrdinaryDigits, Recognition};
use hearthline_sip::proxy::is_emergency_urn;
use hearthline_sip::{SipUri, Uri};

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Destination {
    /// `urn:service:sos` and below, or an emergency number of the home's country in any spelling.
    Emergency,
    /// An emergency number of other countries, none here.
    ForeignEmergency,
    /// A number of the telephone network, as it was dialled.
    Number(OrdinaryDigits),
    /// Another service, `urn:service:…`.
    Service,
    /// A user of this home by address of record, GRUU or name.
    User(String),
    /// The hub itself.
    Hub,
    /// Nothing that the hub knows the way to.
    Elsewhere,
}

impl Destination {
    /// Reads a Request-URI. `ours` says whether a SIP URI's host and port name this home.
    pub(crate) fn read(uri: &Uri, country: Country, ours: impl Fn(&SipUri) -> bool) -> Self {
        if is_emergency_urn(uri) {
            return Self::Emergency;
        }
        match uri {
            Uri::Urn(_) => Self::Service,
            Uri::Tel(tel) => dialled(tel.number(), country).unwrap_or(Self::Elsewhere),
            Uri::Sip(sip) => {
                let user = sip.user_unescaped().unwrap_or_default();
                let Ok(user) = String::from_utf8(user) else {
                    return Self::Elsewhere;
                };
                // Before the host is looked at: whoever dials 112 at any host means 112.
                let digits = user.split([';', ':']).next().unwrap_or_default();
                if let Some(number) = dialled(digits, country) {
                    return number;
                }
                match ours(sip) {
                    true if user.is_empty() => Self::Hub,
                    true => Self::User(user),
                    false => Self::Elsewhere,
                }
            }
            Uri::Other(_) => Self::Elsewhere,
        }
    }
}

/// The digits that a URI dials, as they were dialled; `None`: it is no number.
pub(crate) fn digits_of(uri: &Uri) -> Option<String> {
    let text = match uri {
        Uri::Tel(tel) => tel.number().to_owned(),
        Uri::Sip(sip) => {
            let user = String::from_utf8(sip.user_unescaped()?).ok()?;
            user.split([';', ':']).next()?.to_owned()
        }
        _ => return None,
    };
    let plain: String = text.chars().map(ascii_digit).collect();
    DialledDigits::new(&plain).is_ok().then_some(plain)
}

/// `None`: not a number.
fn dialled(text: &str, country: Country) -> Option<Destination> {
    let plain: String = text.chars().map(ascii_digit).collect();
    let digits = DialledDigits::new(&plain).ok()?;
    Some(match digits.recognise(country) {
        Recognition::Emergency(_) => Destination::Emergency,
        Recognition::Foreign(_) => Destination::ForeignEmergency,
        Recognition::Ordinary(digits) => Destination::Number(digits),
    })
}

/// Digits of the keyboards that write their own: full width, Arabic-Indic, Persian, Devanagari, Thai.
fn ascii_digit(character: char) -> char {
    for zero in ['\u{FF10}', '\u{0660}', '\u{06F0}', '\u{0966}', '\u{0E50}'] {
        let digit = u32::from(character).wrapping_sub(u32::from(zero));
        if digit < 10 {
            return char::from_digit(digit, 10).unwrap_or(character);
        }
    }
    character
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(uri: &str, country: Country) -> Destination {
        Destination::read(&uri.parse().unwrap(), country, |_| true)
    }

    #[test]
    fn every_countrys_numbers_are_found_in_every_spelling() {
        let mut spelled = 0;
        for &country in Country::ALL {
            for string in country.dial_strings() {
                let digits = string.digits;
                let with = |between: &str| {
                    let all: Vec<String> = digits.chars().map(String::from).collect();
                    all.join(between)
                };
                let escaped: String = digits.bytes().map(|b| format!("%{b:02X}")).collect();
                for user in [
                    digits.to_owned(),
                    with("-"),
                    with("."),
                    with("%20"),
                    escaped,
                    format!("({digits})"),
                    format!("{digits};phone-context=+1"),
                    format!("{digits};phone-context=home.test"),
                    format!("{digits}:secret"),
                    format!("%20{digits}%20"),
                ] {
                    for rest in [
                        "@home.test",
                        "@127.0.0.1:5060",
                        "@home.test;user=phone",
                        "@home.test;user=dialstring;transport=tcp",
                        "@home.test;gr=urn:uuid:1",
                        "@elsewhere.example",
                    ] {
                        for scheme in ["sip", "sips", "SIP"] {
                            let uri = format!("{scheme}:{user}{rest}");
                            assert_eq!(read(&uri, country), Destination::Emergency, "{uri}");
                            spelled += 1;
                        }
                    }
                }
                for uri in [
                    format!("tel:{digits};phone-context=+1"),
                    format!("tel:{};phone-context=home.test", with("-")),
                ] {
                    assert_eq!(read(&uri, country), Destination::Emergency, "{uri}");
                    spelled += 1;
                }
            }
        }
        println!("{spelled} spellings of emergency numbers");
        assert!(spelled > 10_000);
        for urn in [
            "urn:service:sos",
            "URN:SERVICE:SOS.FIRE",
            "urn:service:sos.police.municipal",
        ] {
            assert_eq!(read(urn, Country::Germany), Destination::Emergency, "{urn}");
        }
    }

    #[test]
    fn digits_are_never_a_name() {
        for uri in [
            "sip:0112@home.test",
            "sip:+112@home.test",
            "sip:9911@home.test",
            "sip:42@home.test",
            "sip:*21@home.test",
            "sip:%EF%BC%94%EF%BC%92@home.test",
        ] {
            let read = read(uri, Country::Germany);
            assert!(
                matches!(read, Destination::Number(_) | Destination::ForeignEmergency),
                "{uri} {read:?}"
            );
        }
        // 112 in full-width digits.
        assert_eq!(
            read(
                "sip:%EF%BC%91%EF%BC%91%EF%BC%92@home.test",
                Country::Germany
            ),
            Destination::Emergency
        );
        assert_eq!(
            read("sip:911@home.test", Country::Germany),
            Destination::ForeignEmergency
        );
    }

    #[test]
    fn names_the_hub_and_strangers() {
        let user = |text: &str| Destination::User(text.to_owned());
        assert_eq!(
            read("sip:living%20room@home.test", Country::Germany),
            user("living room")
        );
        assert_eq!(read("sip:home.test", Country::Germany), Destination::Hub);
        assert_eq!(
            read("urn:service:counseling", Country::Germany),
            Destination::Service
        );
        let uri: Uri = "sip:anna@elsewhere.example".parse().unwrap();
        assert_eq!(
            Destination::read(&uri, Country::Germany, |_| false),
            Destination::Elsewhere
        );
    }
}
