//! What the device says. Short, plain, and the same every time: in an emergency people know the words by heart.
use hearthline_voice::understand::sentences::Recognition;
use hearthline_voice::understand::{Country, RefusedClass};

/// The emergency number as it is spoken in a country.
#[must_use]
pub fn number(country: Country) -> &'static str {
    match country {
        Country::UnitedStates | Country::Canada => "911",
        Country::UnitedKingdom => "999",
        Country::EuropeanUnion => "112",
        Country::Australia => "triple zero",
    }
}

/// Before an announced call.
#[must_use]
pub fn calling(country: Country) -> String {
    format!("Calling {}. Say cancel to stop.", number(country))
}

/// Before an immediate call.
#[must_use]
pub fn calling_now(country: Country) -> String {
    format!("Calling {} now.", number(country))
}

/// Asked back.
#[must_use]
pub fn do_you_need(country: Country) -> String {
    format!("Do you need {}? Say yes or no.", number(country))
}

/// After a cancel in time.
pub const CANCELLED: &str = "Cancelled. I did not call.";
/// After a no, or no answer.
pub const NOT_CALLED: &str = "Okay. I did not call.";
/// After "cancel", when the INVITE has left.
pub const STAY_ON_THE_LINE: &str =
    "The call has gone out. Stay on the line and say that it was an accident.";
/// After "hang up the emergency call".
pub const REALLY_END: &str = "Do you really want to end the emergency call? Say yes or no.";
/// After a no to that.
pub const CALL_GOES_ON: &str = "The call goes on.";
/// The call-taker hung up, or the caller ended the call.
pub const CALL_ENDED: &str = "The emergency call has ended.";
/// The call-taker calls back.
pub const CALLED_BACK: &str = "The call-taker is calling back.";
/// A line failed, another is tried.
pub const TRYING_ANOTHER_LINE: &str = "No answer. Trying another line.";
/// An order to call, and no line to call by.
pub const CANNOT_CALL: &str = "I cannot call: I have no line. Use another phone to call for help.";
/// The recogniser is broken although the wake word was heard.
pub const CANNOT_UNDERSTAND: &str =
    "I heard you, but I cannot understand speech now. Use another phone to call for help.";

/// An everyday sentence that was understood, and that nothing here can do.
#[must_use]
pub fn not_done_yet(said: &str) -> String {
    let said = said.trim().trim_end_matches(['.', '!', '?', ',']);
    format!("I understood \u{201c}{said}\u{201d}, but nothing here can do that yet.")
}

/// Another system (lights, music) was asked, and nothing came back in time.
pub const NOTHING_ANSWERED: &str =
    "I asked for that, but nothing answered. It may not have been done.";

/// A routine of the home wants lights switched where none can be.
pub const NO_HOUSE_HERE: &str = "This speaker has no lights: none are set up in its configuration.";

/// The same, of a light that is not known by that name.
pub const NO_SUCH_LIGHT: &str = "This speaker knows of no such light.";

/// The same, while a call for help stands.
pub const NOT_BESIDE_A_CALL_FOR_HELP: &str =
    "A call for help stands: nothing is switched by itself.";

/// Asked what was heard, or why something was done, when nothing was.
pub const NOTHING_HEARD: &str = "I have not heard anything since I was started.";

/// A sentence that means one of several things: nothing is done.
#[must_use]
pub fn which_is_meant(meant: &Recognition) -> String {
    let mut kinds: Vec<String> = core::iter::once(&meant.intent)
        .chain(&meant.rivals)
        .map(|intent| spoken_intent(intent))
        .collect();
    kinds.dedup();
    let kinds = kinds.join(", or ");
    format!("That may mean more than one thing: {kinds}. Please say it in other words.")
}

/// One of several sentences was said, and it was not heard which.
#[must_use]
pub fn which_sentence(sentences: &[String]) -> String {
    let listed = sentences.join(", or ");
    format!("I am not sure what you said: {listed}? Please say it again.")
}

/// "HassTurnOn" as "turn on".
pub(crate) fn spoken_intent(name: &str) -> String {
    let mut out = String::new();
    for letter in name.strip_prefix("Hass").unwrap_or(name).chars() {
        if letter.is_uppercase() && !out.is_empty() {
            out.push(' ');
        }
        out.extend(letter.to_lowercase());
    }
    out
}

/// Words behind the button, or typed, that no sentence reads.
pub const NOT_UNDERSTOOD: &str = "Sorry, I did not understand that.";

/// Words about help without the wake word: they never call, whatever they say.
#[must_use]
pub fn wake_word_first(country: Country) -> String {
    let number = number(country);
    format!("I am not calling. To call for help, say it with my name: Alexa, call {number}.")
}

/// Why a sentence about emergencies did not call. Always names the words that would.
#[must_use]
pub fn refused(class: RefusedClass, country: Country) -> Option<String> {
    let number = number(country);
    let hint = format!("To call for help, say: Alexa, call {number}.");
    match class {
        RefusedClass::Question => Some(format!("I have not called anyone. {hint}")),
        RefusedClass::ForeignNumber => {
            Some(format!("That is not the emergency number here. {hint}"))
        }
        RefusedClass::OtherNumber
        | RefusedClass::Date
        | RefusedClass::Unclear
        | RefusedClass::Conditional => Some(format!("I am not calling. {hint}")),
        RefusedClass::Negation | RefusedClass::Cancelled => {
            Some("Okay. I am not calling.".to_owned())
        }
        // Said about calls, not to make one: an answer would only disturb.
        RefusedClass::Quotation
        | RefusedClass::PastTense
        | RefusedClass::Title
        | RefusedClass::Contact
        | RefusedClass::Reminder
        | RefusedClass::Message => None,
    }
}
