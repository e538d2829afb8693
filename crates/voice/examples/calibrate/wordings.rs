//! What is said, and what it is in each country: orders, questions that ask back, near misses by class, sound-alikes, everyday commands.

use hearthline_voice::understand::Country;

/// What the judge should make of a sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// An order to call: accept, at the least ask.
    Order,
    /// An order among exclamations, as people in panic speak: at the least ask. Reported apart; sets no threshold.
    Cry,
    /// A polite question or a plain need: ask.
    Ask,
    /// Must not call: the class.
    Miss(&'static str),
    /// Sounds like an order, letter by letter; reported apart.
    SoundAlike,
    /// Must not call.
    Everyday,
    /// Real speech behind a real wake word: must not call.
    Real,
    /// Real noise behind a real wake word.
    Noise,
}

impl Kind {
    /// Name in the score file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Order => "order",
            Self::Cry => "cry",
            Self::Ask => "ask",
            Self::Miss(class) => class,
            Self::SoundAlike => "sound-alike",
            Self::Everyday => "everyday",
            Self::Real => "real speech",
            Self::Noise => "noise",
        }
    }
}

const ORDERS: &[&str] = &[
    "call nine one one",
    "call nine one one now",
    "please call nine one one",
    "call nine one one please",
    "call nine one one right now",
    "dial nine one one",
    "please dial nine one one",
    "phone nine one one",
    "ring nine one one",
    "get nine one one",
    "contact nine one one",
    "call nine one one quickly",
    "call nine one one immediately",
    "call the police",
    "call the police now",
    "please call the police",
    "call the police please",
    "call police",
    "get the police",
    "get me the police",
    "phone the police",
    "ring the police",
    "contact the police",
    "dial the police",
    "send the police",
    "call the cops",
    "call the sheriff",
    "please call the sheriff",
    "get me the sheriff",
    "get the sheriff",
    "call the sheriff now",
    "call an ambulance",
    "please call an ambulance",
    "call an ambulance now",
    "call an ambulance please",
    "call the ambulance",
    "get an ambulance",
    "get me an ambulance",
    "phone an ambulance",
    "send an ambulance",
    "call for an ambulance",
    "call the paramedics",
    "call the fire department",
    "call the fire department now",
    "please call the fire department",
    "get the fire department",
    "get me the fire department",
    "phone the fire department",
    "contact the fire department",
    "call the fire brigade",
    "call emergency services",
    "please call emergency services",
    "call the emergency services",
    "contact emergency services",
    "get emergency services",
    "call emergency",
    "call nine one one quietly",
    "oh my god call nine one one",
    "help call nine one one",
    "quick call an ambulance",
];

const CRIES: &[&str] = &[
    "call nine one one oh god",
    "call nine one one oh my god",
    "call nine one one oh no",
    "call nine one one oh please",
    "call nine one one please please",
    "call nine one one please hurry",
    "call nine one one please hurry up",
    "call nine one one help me",
    "call nine one one please help me",
    "call nine one one somebody help",
    "call nine one one jesus",
    "call nine one one jesus christ",
    "call nine one one quick",
    "call nine one one now now now",
    "call nine one one call nine one one",
    "call nine one one he's got a gun",
    "call nine one one she's not breathing",
    "call nine one one I'm bleeding",
    "oh god call nine one one",
    "oh god oh god call nine one one",
    "oh my god oh my god call nine one one",
    "oh my god call nine one one please hurry",
    "oh god call nine one one oh god",
    "jesus call nine one one",
    "jesus christ call nine one one now",
    "help me call nine one one",
    "help help call nine one one",
    "please help me call nine one one",
    "please please call nine one one",
    "quick quick call nine one one",
    "hurry call nine one one",
    "somebody help call nine one one",
    "call an ambulance oh god",
    "call an ambulance oh my god",
    "call an ambulance please hurry",
    "call an ambulance she's not breathing",
    "oh god call an ambulance",
    "jesus call an ambulance",
    "please help me call an ambulance",
    "call the police oh god",
    "call the police oh my god",
    "call the police please hurry",
    "call the police he's got a gun",
    "jesus call the police",
    "help me call the police",
    "call the fire department oh god hurry",
    "call the fire department the house is on fire",
    "call nine nine nine oh god",
    "call triple zero please hurry",
    "call one one two oh god",
    "oh my god call one one two",
];

const ASKS: &[&str] = &[
    "can you call nine one one",
    "could you call nine one one please",
    "can you call the police",
    "could you please call the police",
    "can you call an ambulance",
    "would you call an ambulance",
    "can you call the fire department",
    "can you please call emergency services",
    "I need an ambulance",
    "I need the police",
    "I need help",
    "we need an ambulance",
    "help me",
    "help",
    "there is a fire",
    "my house is on fire",
    "somebody is breaking in",
    "I am having a heart attack",
    "I can't breathe",
];

const MISSES: &[(&str, &[&str])] = &[
    (
        "question",
        &[
            "did you call nine one one",
            "did you call the sheriff",
            "did you call the police",
            "who called nine one one",
            "should I call nine one one",
            "should I call the police",
            "how do I call nine one one",
            "how do I call an ambulance",
            "when should I call the fire department",
            "why did you call the police",
            "what happens if I call nine one one",
            "have you called an ambulance",
            "is nine one one free to call",
            "what is the number of the police",
        ],
    ),
    (
        "negation",
        &[
            "don't call nine one one",
            "do not call nine one one",
            "don't call the police",
            "please don't call the police",
            "never call the police",
            "do not call an ambulance",
            "don't call an ambulance",
            "don't call the sheriff",
            "I don't need an ambulance",
            "no need to call nine one one",
            "stop calling nine one one",
            "hang up nine one one",
        ],
    ),
    (
        "reported",
        &[
            "she said call nine one one",
            "he told me to call the police",
            "they say call nine one one",
            "I called nine one one yesterday",
            "I called the police last night",
            "we called an ambulance last week",
            "the neighbours called the fire department",
            "somebody called the sheriff",
            "he wants to call the police",
            "my mother called nine one one",
        ],
    ),
    (
        "number",
        &[
            "call nine two one",
            "call nine one",
            "call nine one two",
            "call nine nine nine",
            "call four one one",
            "call nine zero one",
            "call nine oh one",
            "call six one one",
            "call one one two",
            "call nine one one nine",
            "call five five five zero one nine nine",
            "dial nine one five",
            "call eight one one",
            "call five one one",
            "call nine one one five",
        ],
    ),
    (
        "date or title",
        &[
            "play nine one one",
            "play call the police by green day",
            "what happened on nine eleven",
            "set an alarm for nine eleven",
            "play the song emergency room",
            "play fire department by be your own pet",
            "read about the nine eleven memorial",
            "tune in to police radio",
            "watch chicago fire",
        ],
    ),
    (
        "contact",
        &[
            "call the fire department museum",
            "call the police museum",
            "call the sheriff's wife",
            "call the police station cafe",
            "call the ambulance museum",
            "call the fire place",
            "call Emma",
            "call mom",
            "call Alice",
            "call my doctor",
            "call the office",
            "call Alan Burns",
            "call the plumber",
            "call Paul at home",
            "call the pharmacy",
            "call the hospital gift shop",
            "call grandma",
        ],
    ),
    (
        "reminder or message",
        &[
            "remind me to call the police tomorrow",
            "remind me to call nine one one",
            "set a reminder to call the fire department at noon",
            "send a message to mom call nine one one",
            "text dad I called the police",
            "add call the sheriff to my list",
            "if I fall call nine one one",
            "if there is smoke call the fire department",
            "tell Anna to call an ambulance",
            "call nine one one no cancel that",
        ],
    ),
    (
        "exclamation",
        &[
            "don't call nine one one oh god",
            "oh god don't call nine one one",
            "oh no don't call the police",
            "please don't call the police oh my god",
            "jesus don't call the police",
            "please please don't call an ambulance",
            "help me don't call the police",
            "did you call nine one one oh my god",
            "oh my god did you call the police",
            "oh god who called nine one one",
            "jesus who called the police",
            "oh my god he called nine one one",
            "oh god she called the police",
            "oh god stop calling nine one one",
            "call mom oh god",
            "call Emma please hurry",
            "oh my god call Emma",
            "jesus call mom",
            "help me call Emma",
            "please help me call my doctor",
            "call nine one oh god",
            "call nine oh one please hurry",
            "call nine one one oh five five",
            "call nine one one oh two",
            "call nine two one oh my god",
            "call nine one two oh god",
            "call five one one oh god",
            "call four one one please hurry",
            "oh my god play nine one one",
            "oh god the police are here",
            "oh my god the fire department came",
            "jesus it's the police",
            "help me find the police station",
            "help me spell ambulance",
            "oh god remind me to call the police",
            "oh my god I forgot to call the doctor",
        ],
    ),
];

const SOUND_ALIKES: &[&str] = &[
    "call an amber lance",
    "get me the share of",
    "play call the police",
    "quick play call the police",
    "call Sharif",
    "call Sherry",
    "call Paul Lee",
    "call mine",
    "call Emma Jensen",
    "call the polish bakery",
    "call the fire place store",
    "call nina won",
    "call the release",
    "all the police",
    "calling out the list",
];

const EVERYDAY: &[&str] = &[
    "what time is it",
    "set a timer for nine minutes",
    "set a timer for eleven minutes",
    "set an alarm for nine one five",
    "play some jazz music",
    "turn on the living room lights",
    "turn off the bedroom lamp",
    "what's the weather tomorrow",
    "add milk to the shopping list",
    "stop",
    "cancel",
    "volume up",
    "set the volume to nine",
    "next song",
    "tell me a joke",
    "good morning",
    "how tall is mount everest",
    "what is nine plus one",
    "lock the front door",
    "turn the heating to twenty one degrees",
    "play the news",
    "call the living room",
    "announce dinner is ready",
    "drop in on the kitchen",
    "what's on my calendar",
    "wake me up at nine eleven",
    "pause the music",
    "shuffle my playlist",
    "open the garage",
    "dim the lights to ten percent",
    "play police and thieves",
    "how do you spell ambulance",
    "is there a fire station nearby",
    "turn on the fire place",
    "answer the call",
    "hang up",
    "yes",
    "no thank you",
    "what's nine times eleven",
    "who won the game",
];

/// Emergency numbers as people say them, whose they are, and in how many of [`NUMBER_ORDERS`] they are tried.
const NUMBERS: &[(&str, &[Country], usize)] = &[
    ("nine nine nine", &[Country::UnitedKingdom], 9),
    ("triple nine", &[Country::UnitedKingdom], 5),
    (
        "one one two",
        &[
            Country::UnitedKingdom,
            Country::EuropeanUnion,
            Country::Australia,
        ],
        9,
    ),
    (
        "one twelve",
        &[
            Country::UnitedKingdom,
            Country::EuropeanUnion,
            Country::Australia,
        ],
        4,
    ),
    ("triple zero", &[Country::Australia], 9),
    ("zero zero zero", &[Country::Australia], 4),
];

/// Orders to call a number other than 911.
const NUMBER_ORDERS: &[&str] = &[
    "call # now",
    "please call #",
    "dial #",
    "call # please",
    "call #",
    "phone #",
    "ring #",
    "help call #",
    "contact #",
];

/// Near misses of 999, 112 and 000.
const NUMBER_MISSES: &[(&str, &[&str])] = &[
    (
        "question",
        &[
            "did you call triple nine",
            "should I call one one two",
            "who called nine nine nine",
            "what happens if I call triple zero",
        ],
    ),
    (
        "negation",
        &[
            "don't call triple zero",
            "do not call nine nine nine",
            "don't call one one two",
        ],
    ),
    (
        "reported",
        &[
            "she said call triple zero",
            "he told me to call nine nine nine",
            "I called one one two yesterday",
        ],
    ),
    (
        "number",
        &[
            "call nine nine",
            "call nine nine eight",
            "call triple eight",
            "call nine nine nine nine",
            "call one one three",
            "call one one",
            "call one two one",
            "call one one two two",
            "call double zero",
            "call triple one",
            "call triple two",
            "call zero zero seven",
            "call zero zero",
            "call one two three",
        ],
    ),
    ("date or title", &["play triple nine"]),
    (
        "reminder or message",
        &[
            "remind me to call triple nine",
            "if I fall call one one two",
        ],
    ),
];

/// One sentence, and what it is in each country; nothing where it is nobody's concern.
pub struct Sentence {
    pub text: String,
    pub roles: Vec<(Country, Kind)>,
}

/// A call to the emergency number of another country.
const FOREIGN: Kind = Kind::Miss("foreign number");
const NORTH_AMERICA: &[Country] = &[Country::UnitedStates, Country::Canada];

/// Every sentence with what it is.
pub fn all() -> Vec<Sentence> {
    let mut all: Vec<Sentence> = Vec::new();
    let mut add = |text: &str, role: &dyn Fn(Country) -> Option<Kind>| {
        if all.iter().all(|known| known.text != text) {
            let roles = Country::ALL.into_iter().filter_map(|c| Some((c, role(c)?)));
            all.push(Sentence {
                text: text.to_owned(),
                roles: roles.collect(),
            });
        }
    };
    let abroad = |text: &str, country: Country| {
        let number = NUMBERS.iter().find(|n| text == format!("call {}", n.0));
        number.is_none_or(|n| !n.1.contains(&country))
    };
    let away = |text: &str, country: Country| {
        let number = NUMBERS.iter().find(|n| text.contains(n.0));
        number.is_some_and(|n| !n.1.contains(&country))
    };
    for (kind, texts) in [(Kind::Order, ORDERS), (Kind::Cry, CRIES), (Kind::Ask, ASKS)] {
        for text in texts {
            add(
                text,
                &|country| match (NORTH_AMERICA.contains(&country), *text) {
                    (false, text) if text.contains("nine one one") => Some(FOREIGN),
                    (false, text) if text.contains("sheriff") => None,
                    (_, text) if away(text, country) => Some(FOREIGN),
                    _ => Some(kind),
                },
            );
        }
    }
    for (number, homes, count) in NUMBERS {
        for order in &NUMBER_ORDERS[..*count] {
            let text = order.replace('#', number);
            add(&text, &|country| {
                Some(if homes.contains(&country) {
                    Kind::Order
                } else {
                    FOREIGN
                })
            });
        }
    }
    for (class, texts) in MISSES.iter().chain(NUMBER_MISSES) {
        for text in *texts {
            // Another country's order is in the table above.
            add(text, &|country| {
                (*class != "number" || abroad(text, country)).then_some(Kind::Miss(class))
            });
        }
    }
    for (kind, texts) in [(Kind::SoundAlike, SOUND_ALIKES), (Kind::Everyday, EVERYDAY)] {
        for text in texts {
            add(text, &|_| Some(kind));
        }
    }
    all
}
