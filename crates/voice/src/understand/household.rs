//! Sentences of calls, messages and volume: read when the emergency judge has found nothing to do.
//!
//! ```text
//! verdict of the judge ─┬─ order, question back, refusal of an emergency ─► stays what it is
//!                       └─ nobody's, a contact, a number, a message ─► words ─► sentences ─► parts ─► Act(Intent)
//!                                                                                            │ names a service
//!                                                                                            └─► stays refused
//! ```
//! The sentences are in `data/household/`, closed at both ends: what stands before the verb and is not written there
//! makes no order ("don't call Anna", "did you call Anna"). What is free (a name, a text) is looked at in [`parts`]: a
//! name that names an emergency service or number of any country, also by sound, is never somebody to call.
//!
//! | intent | slots |
//! |---|---|
//! | `CallStart` | `who` or `number` (digits, with `+` when it was said), perhaps `kind` (`mobile`, `home`, `work`) |
//! | `CallAnswer`, `CallDecline`, `CallHangUp`, `CallHold`, `CallResume`, `CallMerge`, `CallWho` | |
//! | `CallTransfer`, `DropIn` | `who` |
//! | `CallRedial` | `last` (`dialled`, `missed`) |
//! | `CallPress` | `digits` of `0-9*#` |
//! | `Announce` | perhaps `text`, perhaps `where` |
//! | `MessageSend` | `who`, perhaps `text` |
//! | `MessagePlay`, `MessageNext`, `MessageAgain`, `MessageDelete` | |
//! | `DndOn`, `DndOff`, `BlockCaller`, `ForwardOff` | |
//! | `ForwardOn` | `who` or `number`, perhaps `kind` |
//! | `VolumeUp`, `VolumeDown` | perhaps `by` (percent) |
//! | `VolumeSet` | `percent` |
//! | `Mute`, `Unmute` | the loudspeaker |
//! | `MicrophoneOff`, `MicrophoneOn` | what the other side of a call hears of the room |
mod by_sound;
mod choice;
mod directory;
mod guard;
mod known;
mod parts;
mod sentences;

pub use choice::choice;
pub use directory::{Directory, Kind, Whom};
pub use known::KnownNames;

use super::Country;
use super::judge::Understanding;
use super::mishearing::hear;
use super::reading::{Intent, Reading, RefusedClass, Reply};
use super::verdict::Verdict;
use super::words::{TRANSCRIPT_BYTES_MAX, Word, words};
use parts::Said;
use sentences::{Way, sentences};

/// Fewest words of a second choice that sets a level: in two of them the level is half of what was heard.
const LEVEL_WORDS_MIN: usize = 4;

/// Every intent that comes out. `WhichOne` is none of them: an answer to a question of ours is read by [`choice`].
pub const INTENTS: [&str; 30] = [
    "Announce",
    "BlockCaller",
    "CallAnswer",
    "CallDecline",
    "CallHangUp",
    "CallHold",
    "CallMerge",
    "CallPress",
    "CallRedial",
    "CallResume",
    "CallStart",
    "CallTransfer",
    "CallWho",
    "DndOff",
    "DndOn",
    "DropIn",
    "ForwardOff",
    "ForwardOn",
    "MessageAgain",
    "MessageDelete",
    "MessageNext",
    "MessagePlay",
    "MessageSend",
    "MicrophoneOff",
    "MicrophoneOn",
    "Mute",
    "Unmute",
    "VolumeDown",
    "VolumeSet",
    "VolumeUp",
];

/// What a sentence of the household means; `None` for everything else, and for whatever speaks of an emergency.
///
/// The wake word may still stand in front. `names` are the names that the household knows: with them "tell Anna Maria
/// I'm late" is cut in the right place, and "called the kitchen" is taken for the order that it was. The time is linear
/// in the transcript.
#[must_use]
pub fn read(transcript: &str, country: Country, names: Option<&KnownNames>) -> Option<Intent> {
    if transcript.len() > TRANSCRIPT_BYTES_MAX {
        return None;
    }
    let reading = hear(transcript, country).reading;
    let intent = match &reading {
        Reading::Other
        | Reading::Refused {
            class: RefusedClass::Contact | RefusedClass::OtherNumber | RefusedClass::Message,
            ..
        }
        | Reading::Reply(_) => read_words(transcript, names)?,
        _ => return None,
    };
    match &reading {
        Reading::Reply(reply) => answers(*reply, &intent).then_some(intent),
        _ => Some(intent),
    }
}

/// The verdict of the emergency judge, or the act that the words mean when it found nothing to do. Orders, questions
/// back, replies and every refusal that speaks of an emergency come out as they went in.
#[must_use]
pub fn act(
    verdict: Verdict,
    transcript: &str,
    country: Country,
    names: Option<&KnownNames>,
) -> Verdict {
    match verdict {
        Verdict::Other
        | Verdict::Refused {
            class: RefusedClass::Contact | RefusedClass::OtherNumber | RefusedClass::Message,
            ..
        } => read(transcript, country, names).map_or(verdict, Verdict::Act),
        _ => verdict,
    }
}

/// Whether other texts for the same sound are worth a look: nothing was understood, or a call to a name that nobody
/// knows, it is not far from a sentence of the household, and there is no word in it that could be lost on the way ("don't", "did you").
pub(crate) fn may_mean_more(verdict: &Verdict, text: &str, names: Option<&KnownNames>) -> bool {
    let unknown = |who: &String| names.is_some_and(|names| !names.knows(who));
    let open = match verdict {
        Verdict::Other
        | Verdict::Refused {
            class: RefusedClass::Contact,
            ..
        } => true,
        Verdict::Act(intent) => intent.slots.get("who").is_some_and(unknown),
        _ => false,
    };
    let list = words(text);
    open && by_sound::is_straight(&list) && by_sound::is_near(&list)
}

/// The intent of the first of several texts that is a sentence of the household. A name in it must be known; digits, and
/// a redial that names nobody, are taken from no second choice. One text that turns the meaning speaks against all.
pub(crate) fn among<'a>(
    texts: impl Iterator<Item = &'a str> + Clone,
    country: Country,
    names: Option<&KnownNames>,
) -> Option<Intent> {
    if !are_straight(texts.clone()) {
        return None;
    }
    let mut texts = texts;
    texts.find_map(|text| second_choice(text, country, names))
}

/// What a text means that was not the most probable one.
fn second_choice(text: &str, country: Country, names: Option<&KnownNames>) -> Option<Intent> {
    read(text, country, names).filter(|intent| {
        let known = |who: &String| names.is_some_and(|names| names.knows(who));
        let unnamed = ["number", "digits", "last"];
        // "Volume down" has come out as "volume ten", which is all there is.
        let is_told = words(text).len() >= LEVEL_WORDS_MIN || !intent.slots.contains_key("percent");
        intent.slots.get("who").is_none_or(known)
            && is_told
            && !unnamed.iter().any(|slot| intent.slots.contains_key(*slot))
    })
}

/// Whether none of several texts holds a word that turns a meaning.
pub(crate) fn are_straight<'a>(mut texts: impl Iterator<Item = &'a str>) -> bool {
    texts.all(|text| by_sound::is_straight(&words(text)))
}

/// Sentences that are said often, without free parts: those that are known by sound, and calls to the names that the
/// household knows. The decoder may be led along them.
pub(crate) fn spoken(names: Option<&KnownNames>) -> Vec<String> {
    let whole = sentences().spoken.iter().map(|spoken| spoken.text.clone());
    let calls = names
        .into_iter()
        .flat_map(KnownNames::iter)
        .flat_map(|name| {
            let to = [
                "call ",
                "phone ",
                "ring ",
                "call the ",
                "drop in on ",
                "drop in on the ",
            ];
            to.map(|verb| format!("{verb}{name}"))
        });
    whole.chain(calls).collect()
}

/// The act that several texts agree on, if each of them is a sentence of the household: as [`among`], where all are
/// as probable.
pub(crate) fn agreed<'a>(
    texts: impl Iterator<Item = &'a str> + Clone,
    country: Country,
    names: Option<&KnownNames>,
) -> Option<Intent> {
    let mut all = texts.map(|text| among(std::iter::once(text), country, names));
    let first = all.next()??;
    all.all(|other| other.as_ref() == Some(&first))
        .then_some(first)
}

/// The same of texts that are known to be whole sentences: their own words turn nothing ("do I have any messages").
pub(crate) fn whole<'a>(
    mut texts: impl Iterator<Item = &'a str>,
    country: Country,
    names: Option<&KnownNames>,
) -> Option<Intent> {
    let first = second_choice(texts.next()?, country, names)?;
    texts
        .all(|text| second_choice(text, country, names).as_ref() == Some(&first))
        .then_some(first)
}

impl Understanding {
    /// The everyday meaning of these words while a call rings or stands, whatever the verdict: "hang up" is
    /// [`Reply::Cancel`] to the emergency judge and `CallHangUp` here, and an answer without the wake word ("decline",
    /// "I'm busy") is read as well. `None` for whatever speaks of an emergency.
    #[must_use]
    pub fn everyday(&self, country: Country, names: Option<&KnownNames>) -> Option<Intent> {
        match &self.verdict {
            Verdict::Act(intent) => Some(intent.clone()),
            Verdict::Other
            | Verdict::Reply(_)
            | Verdict::Refused {
                class: RefusedClass::Contact | RefusedClass::OtherNumber | RefusedClass::Message,
                ..
            } => read(&self.transcript.text, country, names),
            _ => None,
        }
    }
}

/// Which intents a yes, a no or a cancel may be as well.
fn answers(reply: Reply, intent: &Intent) -> bool {
    let may: &[&str] = match reply {
        Reply::Yes => &["CallAnswer"],
        Reply::No => &["CallDecline"],
        Reply::Cancel => &["CallHangUp", "CallDecline", "CallHold", "DndOn"],
    };
    may.contains(&intent.name.as_str())
}

/// The first sentence that matches all words and whose free parts make sense.
fn read_words(transcript: &str, names: Option<&KnownNames>) -> Option<Intent> {
    let list = words(transcript);
    if list.is_empty() {
        return None;
    }
    read_list(transcript, &list, names)
        .or_else(|| keys(transcript, names))
        .or_else(|| by_sound::by_sound(&list, names))
}

/// "Press #": the signs are no words; spelt out they are.
fn keys(transcript: &str, names: Option<&KnownNames>) -> Option<Intent> {
    if !transcript.contains(['#', '*']) {
        return None;
    }
    let spelt = transcript.replace('#', " hash ").replace('*', " star ");
    if spelt.len() > TRANSCRIPT_BYTES_MAX {
        return None;
    }
    read_list(&spelt, &words(&spelt), names).filter(|intent| intent.name == "CallPress")
}

fn read_list(transcript: &str, list: &[Word], names: Option<&KnownNames>) -> Option<Intent> {
    let sentences = sentences();
    for (group, (slots, captures)) in sentences.network.captures(list) {
        let (name, way) = &sentences.meanings[group as usize];
        if *way == Way::Known && names.is_none() {
            continue;
        }
        let said = Said {
            transcript,
            list,
            network: &sentences.network,
            slots: &slots,
            captures: &captures,
            names,
        };
        if let Some(slots) = said.parts(name, *way) {
            return Some(Intent {
                name: name.clone(),
                slots,
            });
        }
    }
    None
}

/// Whether a name to call is no more than the head of a service's ("poison" of "poison control"): wait for the rest.
pub(crate) fn begins_service(who: &str) -> bool {
    guard::guard().begins(&words(who))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(texts: &[&str], names: Option<&KnownNames>) -> Option<String> {
        let intent = among(texts.iter().copied(), Country::UnitedStates, names)?;
        let who = intent.slots.get("who").cloned().unwrap_or_default();
        Some(format!("{} {who}", intent.name).trim_end().to_owned())
    }

    #[test]
    fn another_text_counts_when_nothing_speaks_against_it() {
        let names = KnownNames::new(["Anna", "Kitchen"]);
        let names = Some(&names);
        let call = Some("CallStart Anna".to_owned());
        assert_eq!(second(&["Colander.", "Call Anna."], names), call);
        assert_eq!(
            second(&["Dead line the cold.", "Decline the call."], None).as_deref(),
            Some("CallDecline")
        );
        for texts in [
            // The name is nobody's, or nobody told us any.
            &["Colander.", "Call Emma."][..],
            &["Don Colanna.", "Don't call Anna.", "Call Anna."],
            &["Did your Colanna?", "Did you call Anna?", "Call Anna."],
            &["Call again.", "Redial."],
            &["Battle 5550142.", "Dial 5550142."],
            &["Call the police.", "Paul the polis."],
            &["Volume town.", "Volume ten."],
        ] {
            assert_eq!(second(texts, names), None, "{texts:?}");
        }
        assert_eq!(second(&["Call Anna."], None), None);
        let level = second(
            &["Sent volume to 50%.", "Set the volume to fifty percent."],
            None,
        );
        assert_eq!(level.as_deref(), Some("VolumeSet"));
    }

    #[test]
    fn texts_agree_when_each_is_the_same_act() {
        let names = KnownNames::new(["Anna", "Emily"]);
        let who = |texts: &[&str]| {
            let country = Country::UnitedStates;
            let intent = agreed(texts.iter().copied(), country, Some(&names))?;
            Some(format!("{} {}", intent.name, intent.slots.get("who")?))
        };
        assert_eq!(who(&["Call Anna."]).as_deref(), Some("CallStart Anna"));
        assert_eq!(
            who(&["call Anna.", "Call Anna!"]).as_deref(),
            Some("CallStart Anna")
        );
        for texts in [
            &["Call Anna.", "Call Emily."][..],
            &["Call Anna.", "Turn on the light."],
            &["Call Nora."],
            &["Call the police."],
            &[],
        ] {
            assert_eq!(who(texts), None, "{texts:?}");
        }
    }

    #[test]
    fn what_is_spoken_often_is_read_and_calls_nobody_for_help() {
        let names = KnownNames::new(["Anna", "Police", "911"]);
        for text in spoken(Some(&names)) {
            let intent = read(&text, Country::UnitedStates, Some(&names));
            let help = text.contains("Police") || text.contains("911");
            assert_eq!(intent.is_some(), !help, "{text}: {intent:?}");
        }
    }

    #[test]
    fn what_denies_asks_or_is_understood_gets_no_second_look() {
        let names = KnownNames::new(["Anna"]);
        let act = |text: &str| {
            read(text, Country::UnitedStates, Some(&names)).map_or(Verdict::Other, Verdict::Act)
        };
        for (text, again) in [
            ("Colander.", true),
            ("Call siren.", true),
            ("Set a timer for ten minutes.", false),
            ("Turn on the kitchen light.", false),
            ("Call Anna.", false),
            ("Don't Colander.", false),
            ("Did you Colander?", false),
            ("Hang up the phone.", false),
            ("", false),
        ] {
            assert_eq!(
                may_mean_more(&act(text), text, Some(&names)),
                again,
                "{text}"
            );
        }
        let emergency = Verdict::Refused {
            class: RefusedClass::Negation,
            service: None,
        };
        assert!(!may_mean_more(&emergency, "Colander.", Some(&names)));
    }
}
