//! Whom an ordinary call may go to: a user of the home, or an ordinary number. Never an emergency number.
//!
//! A [`Whom`] holds [`OrdinaryDigits`], which only emergency recognition hands out, or a [`HomeUser`], which is no row of
//! digits. So there is no value by which the telephone could dial an emergency number (DESIGN invariants 1 and 2).
use hearthline_emergency::numbers::{
    Country as Numbers, DialledDigits, OrdinaryDigits, Recognition,
};
use hearthline_sip::{Host, SipUri};
use hearthline_voice::understand::{AskReason, Country, Reading, RefusedClass, Service, read};

/// Longest name of a user, in bytes.
pub const USER_BYTES_MAX: usize = 200;

/// How the hub names ordinary phones, with six letters behind. Devices with certificates are named by their ids, which
/// have no hyphen.
const PHONE_PREFIX: &str = "phone-";

/// A user of the home as the hub knows them: a device's id, or the name of a room, person or device.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HomeUser(String);

impl HomeUser {
    /// From a name; none when it is empty, too long, or reads as digits.
    #[must_use]
    pub fn new(name: &str) -> Option<Self> {
        let name = name.trim();
        let fits = !name.is_empty()
            && name.len() <= USER_BYTES_MAX
            && !name.chars().any(char::is_control)
            && DialledDigits::new(&plain_digits(name)).is_err();
        fits.then(|| Self(name.to_owned()))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is the address of an ordinary phone, which proves itself by a password and has no certificate.
    #[must_use]
    pub fn is_phone(&self) -> bool {
        let own = self.0.strip_prefix(PHONE_PREFIX);
        own.is_some_and(|own| own.len() == 6 && own.bytes().all(|b| b.is_ascii_alphanumeric()))
    }
}

/// Whom to call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whom {
    /// Somebody of the home.
    Home(HomeUser),
    /// A telephone number that emergency recognition has found to be ordinary.
    Number(OrdinaryDigits),
}

impl Whom {
    /// The Request-URI by way of the hub of `domain`.
    #[must_use]
    pub fn uri(&self, domain: &Host) -> SipUri {
        match self {
            Self::Home(user) => SipUri::new(domain.clone()).with_user(user.as_str()),
            Self::Number(digits) => SipUri::new(domain.clone())
                .with_user(digits.as_str())
                .with_param("user", Some("phone")),
        }
    }
}

/// Why a spoken callee is not called by the telephone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotDialled {
    /// It means an emergency service: the policy asks, the telephone does nothing.
    Emergency(Service),
    /// Another country's emergency number: named, not dialled.
    Foreign,
}

/// What was asked for, as spoken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Spoken {
    /// A name, to be found in the directory.
    Name(String),
    /// An ordinary number.
    Number(OrdinaryDigits),
}

/// Looks at what was spoken as a callee, before anything else does.
///
/// # Errors
/// [`NotDialled`]: it is, or may be meant as, an emergency number or service.
pub fn recognise(spoken: &str, country: Country) -> Result<Spoken, NotDialled> {
    let plain = plain_digits(spoken);
    if let Ok(digits) = DialledDigits::new(&plain) {
        return number(digits, country).map(Spoken::Number);
    }
    // The same sentence grammar that finds orders: "nine one one", "the police". A mended mishearing is no reason here:
    // the ear has weighed the whole sentence already, and a friend may be called Polly.
    match read(&format!("call {plain}"), country) {
        Reading::Command { service, .. } => Err(NotDialled::Emergency(service)),
        Reading::Ask { service, why, .. } if why != AskReason::Misheard => {
            Err(NotDialled::Emergency(service))
        }
        Reading::Refused {
            class: RefusedClass::ForeignNumber,
            ..
        } => Err(NotDialled::Foreign),
        _ => Ok(Spoken::Name(spoken.trim().to_owned())),
    }
}

/// The ordinary number in `digits`.
///
/// # Errors
/// [`NotDialled`]: it is an emergency number, here or elsewhere.
pub fn number(digits: DialledDigits, country: Country) -> Result<OrdinaryDigits, NotDialled> {
    match digits.recognise(numbers_of(country)) {
        Recognition::Ordinary(digits) => Ok(digits),
        Recognition::Emergency(service) => Err(NotDialled::Emergency(
            service.as_str().parse().unwrap_or(Service::Sos),
        )),
        Recognition::Foreign(_) => Err(NotDialled::Foreign),
    }
}

/// Whose table is looked at first. Of the European Union any member does: 112 is in each, and the others' numbers are
/// found as foreign, so none is dialled.
fn numbers_of(country: Country) -> Numbers {
    match country {
        Country::UnitedStates => Numbers::UnitedStates,
        Country::Canada => Numbers::Canada,
        Country::UnitedKingdom => Numbers::UnitedKingdom,
        Country::EuropeanUnion => Numbers::Ireland,
        Country::Australia => Numbers::Australia,
    }
}

/// Digits of other scripts as ASCII, everything else as it is.
fn plain_digits(text: &str) -> String {
    let zeros = ['\u{FF10}', '\u{0660}', '\u{06F0}', '\u{0966}', '\u{0E50}'];
    text.chars()
        .map(|character| {
            zeros
                .iter()
                .map(|zero| u32::from(character).wrapping_sub(u32::from(*zero)))
                .find(|digit| *digit < 10)
                .and_then(|digit| char::from_digit(digit, 10))
                .unwrap_or(character)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const COUNTRIES: [Country; 5] = [
        Country::UnitedStates,
        Country::Canada,
        Country::UnitedKingdom,
        Country::EuropeanUnion,
        Country::Australia,
    ];

    #[test]
    fn emergency_words_and_numbers_are_none_of_the_telephones() {
        for said in [
            "911",
            "9-1-1",
            "nine one one",
            "the police",
            "an ambulance",
            "９１１",
        ] {
            assert!(
                matches!(
                    recognise(said, Country::UnitedStates),
                    Err(NotDialled::Emergency(_))
                ),
                "{said}: {:?}",
                recognise(said, Country::UnitedStates)
            );
        }
        assert_eq!(
            recognise("112", Country::UnitedStates),
            Err(NotDialled::Foreign)
        );
        for said in ["Anna", "the kitchen", "polly", "555-0123", "Anna's mobile"] {
            assert!(recognise(said, Country::UnitedStates).is_ok(), "{said}");
        }
    }

    #[test]
    fn a_user_is_no_row_of_digits() {
        for digits in ["911", " 112 ", "9.1.1", "+15055550123", "٩١١", ""] {
            assert_eq!(HomeUser::new(digits), None, "{digits}");
        }
        let user = HomeUser::new("living room").unwrap();
        let uri = Whom::Home(user).uri(&Host::parse("home.test").unwrap());
        assert_eq!(uri.to_string(), "sip:living%20room@home.test");
    }

    proptest! {
        /// No spelling of any country's emergency number becomes a URI of the telephone's.
        #[test]
        fn no_emergency_number_becomes_an_ordinary_call(
            country in prop::sample::select(&COUNTRIES[..]),
            of in prop::sample::select(Numbers::ALL),
            which in any::<prop::sample::Index>(),
            between in prop::collection::vec(prop::sample::select(&["", " ", "-", ".", "(", ")"][..]), 8),
            wide in any::<bool>(),
        ) {
            let strings = of.dial_strings();
            let digits = strings[which.index(strings.len())].digits;
            let mut text = String::new();
            for (digit, between) in digits.chars().zip(&between) {
                text.push_str(between);
                let value = digit.to_digit(10).unwrap_or(0);
                text.push(if wide { char::from_u32(0xFF10 + value).unwrap() } else { digit });
            }
            prop_assert!(recognise(&text, country).is_err(), "{text}");
            prop_assert_eq!(HomeUser::new(&text), None);
        }
    }
}
