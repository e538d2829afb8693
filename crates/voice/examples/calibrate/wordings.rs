//! What is said: orders, questions that ask back, near misses by class, sound-alikes, everyday commands.

/// What the judge should make of a sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// An order to call: accept, at the least ask.
    Order,
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
];

const SOUND_ALIKES: &[&str] = &[
    "call an amber lance",
    "get me the share of",
    "play call the police",
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

/// Every sentence with what it is.
pub fn all() -> Vec<(Kind, &'static str)> {
    let of =
        |kind: Kind, texts: &'static [&'static str]| texts.iter().map(move |text| (kind, *text));
    let mut all: Vec<(Kind, &str)> = Vec::new();
    all.extend(of(Kind::Order, ORDERS));
    all.extend(of(Kind::Ask, ASKS));
    for (class, texts) in MISSES {
        all.extend(of(Kind::Miss(class), texts));
    }
    all.extend(of(Kind::SoundAlike, SOUND_ALIKES));
    all.extend(of(Kind::Everyday, EVERYDAY));
    all
}
