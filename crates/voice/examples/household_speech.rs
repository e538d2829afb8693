//! How many spoken sentences of the household come out as what was meant, and how many names as whom they mean.
//!
//! `cargo run --release -p hearthline-voice --example household_speech -- CACHE [VOICE...]`
//!
//! Each sentence is spoken behind "Alexa" by `flite`, `espeak-ng` and our own voice (those that are installed), judged as
//! the device judges it, and its name looked up in a home of twelve people and eight rooms. What came out wrong is
//! printed with the recogniser's text.
#![allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a measuring program reads files and runs programs; it uses a part of the calibration's voices"
)]
#[path = "calibrate/audio.rs"]
mod audio;
#[path = "calibrate/voices.rs"]
mod voices;

use hearthline_voice::engine::Engine;
use hearthline_voice::listen::segment;
use hearthline_voice::transcribe::Moonshine;
use hearthline_voice::understand::household::{Directory, INTENTS, KnownNames, Whom};
use hearthline_voice::understand::judge::{Head, Judge, OperatingPoint, Verdict};
use hearthline_voice::understand::{Country, Intent};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

const PEOPLE: &[&str] = &[
    "Anna",
    "Emma",
    "Michael",
    "Catherine",
    "Robert",
    "Grandma",
    "Mom",
    "Dad",
    "Hannah",
    "Stephen",
    "Sarah",
    "George",
];
const ROOMS: &[&str] = &[
    "Kitchen",
    "Living room",
    "Bedroom",
    "Office",
    "Garage",
    "Bathroom",
    "Hallway",
    "Nursery",
];

/// What is said, the intent, and a slot with its value; for `who` the value is the name in the directory.
const SENTENCES: &[(&str, &str, &str)] = &[
    ("call the kitchen", "CallStart", "who=Kitchen"),
    ("call Anna", "CallStart", "who=Anna"),
    ("call Anna's mobile", "CallStart", "who=Anna"),
    ("phone mom at work", "CallStart", "who=Mom"),
    ("ring the living room", "CallStart", "who=Living room"),
    ("please call Michael", "CallStart", "who=Michael"),
    ("call Catherine", "CallStart", "who=Catherine"),
    ("can you call grandma", "CallStart", "who=Grandma"),
    ("call Stephen on his cell phone", "CallStart", "who=Stephen"),
    ("call the garage", "CallStart", "who=Garage"),
    ("call Emma", "CallStart", "who=Emma"),
    ("call Robert please", "CallStart", "who=Robert"),
    ("call dad", "CallStart", "who=Dad"),
    ("call Hannah", "CallStart", "who=Hannah"),
    ("call Sarah", "CallStart", "who=Sarah"),
    ("call George at home", "CallStart", "who=George"),
    ("call the nursery", "CallStart", "who=Nursery"),
    (
        "dial five five five oh one two three",
        "CallStart",
        "number=5550123",
    ),
    (
        "dial five five five zero one four two",
        "CallStart",
        "number=5550142",
    ),
    ("answer", "CallAnswer", ""),
    ("answer the call", "CallAnswer", ""),
    ("pick up the phone", "CallAnswer", ""),
    ("decline", "CallDecline", ""),
    ("decline the call", "CallDecline", ""),
    ("I'm busy", "CallDecline", ""),
    ("send it to voicemail", "CallDecline", ""),
    ("hang up", "CallHangUp", ""),
    ("end the call", "CallHangUp", ""),
    ("put the call on hold", "CallHold", ""),
    ("resume the call", "CallResume", ""),
    (
        "transfer the call to the office",
        "CallTransfer",
        "who=Office",
    ),
    ("join the calls", "CallMerge", ""),
    ("make it a three way call", "CallMerge", ""),
    ("redial", "CallRedial", "last=dialled"),
    ("call them back", "CallRedial", "last=missed"),
    ("who called", "CallWho", ""),
    ("any missed calls", "CallWho", ""),
    ("press one", "CallPress", "digits=1"),
    ("press two", "CallPress", "digits=2"),
    ("press star", "CallPress", "digits=*"),
    (
        "press one two three four pound",
        "CallPress",
        "digits=1234#",
    ),
    ("drop in on the kitchen", "DropIn", "who=Kitchen"),
    ("drop in on the bedroom", "DropIn", "who=Bedroom"),
    ("announce that dinner is ready", "Announce", ""),
    ("tell everyone dinner is ready", "Announce", ""),
    ("tell Anna I'm late", "MessageSend", "who=Anna"),
    (
        "send a message to Michael saying I'm on my way",
        "MessageSend",
        "who=Michael",
    ),
    ("message mom", "MessageSend", "who=Mom"),
    ("play my messages", "MessagePlay", ""),
    ("do I have any messages", "MessagePlay", ""),
    ("next message", "MessageNext", ""),
    ("play that again", "MessageAgain", ""),
    ("delete this message", "MessageDelete", ""),
    ("turn on do not disturb", "DndOn", ""),
    ("do not disturb", "DndOn", ""),
    ("turn off do not disturb", "DndOff", ""),
    ("block this caller", "BlockCaller", ""),
    ("forward my calls to Anna", "ForwardOn", "who=Anna"),
    ("stop forwarding my calls", "ForwardOff", ""),
    ("volume up", "VolumeUp", ""),
    ("turn it down", "VolumeDown", ""),
    ("set the volume to fifty percent", "VolumeSet", "percent=50"),
    ("mute", "Mute", ""),
    ("unmute the call", "Unmute", ""),
];

/// What must do nothing, or nothing of the household.
const NOTHING: &[&str] = &[
    "don't call Anna",
    "do not call Michael",
    "please don't call mom",
    "never call Robert",
    "did you call the kitchen",
    "have you called Anna",
    "should I call Emma",
    "what do you call a fish",
    "call it a day",
    "I hung up on her",
    "hang up the picture",
    "don't hang up",
    "answer me this",
    "don't send the message to Anna",
    "don't announce it",
    "she said call the kitchen",
    "tell me a joke",
    "turn on the kitchen light",
    "set a timer for ten minutes",
    "what's the weather today",
    "play some music",
    "add eggs to the shopping list",
    "call nine one one",
    "call the police",
    "call the sheriff",
    "get me the sheriff",
    "call an ambulance",
    "call the fire department",
    "call emergency services",
    "can you call the police",
    "I need help",
    "did you call nine one one",
    "don't call the police",
    "call poison control",
];

fn models() -> PathBuf {
    std::env::var_os("HEARTH_MODELS").map_or_else(
        || {
            let home = std::env::var_os("HOME").expect("HOME or HEARTH_MODELS");
            Path::new(&home).join(".local/share/hearthline/models")
        },
        PathBuf::from,
    )
}

/// Whether the slot holds what was said; a name, whether it means the right one.
fn is_right(intent: &Intent, wanted: &str, home: &Directory<&'static str>) -> bool {
    let Some((slot, value)) = wanted.split_once('=') else {
        return true;
    };
    let Some(held) = intent.slots.get(slot) else {
        return false;
    };
    match home.find(held) {
        _ if slot != "who" => held == value,
        Whom::One { entry, .. } => entry.of == value,
        _ => false,
    }
}

#[derive(Default)]
struct Score {
    said: usize,
    intents: usize,
    whole: usize,
    named: usize,
    names: usize,
    dangerous: usize,
    others: usize,
    acts: usize,
    /// Time to understand each, in milliseconds.
    took_ms: Vec<u128>,
}

fn main() {
    let mut args = std::env::args().skip(1);
    let cache = args.next().expect("a folder for the spoken sentences");
    let chosen: Vec<String> = args.collect();
    let models = models();
    let engine = Engine::open(&models.join("onnxruntime-1.28.0/libonnxruntime.so.1.28.0"))
        .expect("the inference library");
    let file = |name: &str| {
        std::fs::read(models.join("moonshine-voice-0.0.73").join(name)).expect("a model file")
    };
    let mut recogniser = Moonshine::load(
        &engine,
        &file("encoder_model.ort"),
        &file("decoder_model_merged.ort"),
        &file("tokenizer.bin"),
    )
    .expect("the recogniser loads");
    let country = Country::UnitedStates;
    let mut judge = Judge::new(country, OperatingPoint::built_in(), recogniser.vocabulary())
        .expect("the grammar fits");
    judge.know_names(Arc::new(KnownNames::new(
        PEOPLE.iter().chain(ROOMS).copied(),
    )));
    let mut home = Directory::default();
    for name in PEOPLE.iter().chain(ROOMS) {
        home.add(name, *name).expect("a name that can be spoken");
    }
    let mut speaker = voices::Speaker::new(Path::new(&cache), &models, &engine);
    let mut all = Score::default();
    let mut by_intent: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for voice in voices::all() {
        if !chosen.is_empty() && !chosen.iter().any(|name| name == voice.name) {
            continue;
        }
        let mut score = Score::default();
        for (text, name, slot) in SENTENCES {
            let Some(sound) = speaker.say(&voice, &format!("Alexa, {text}.")) else {
                continue;
            };
            #[allow(clippy::cast_possible_truncation, reason = "samples between -1 and 1")]
            let samples: Vec<i16> = sound.iter().map(|s| (s * 32_767.0) as i16).collect();
            let start = std::time::Instant::now();
            let heard = judge
                .hear(&mut recogniser, &segment(&samples), Head::WakeWord)
                .expect("the runtime works");
            score.took_ms.push(start.elapsed().as_millis());
            let intent = heard.everyday(country, None);
            score.said += 1;
            let right = intent.as_ref().is_some_and(|intent| intent.name == *name);
            let whole = right && intent.as_ref().is_some_and(|i| is_right(i, slot, &home));
            score.intents += usize::from(right);
            score.whole += usize::from(whole);
            if slot.starts_with("who=") {
                score.named += 1;
                score.names += usize::from(whole);
            }
            let urgent = matches!(
                heard.verdict,
                Verdict::Emergency { .. } | Verdict::Ask { .. }
            );
            score.dangerous += usize::from(urgent);
            let entry = by_intent.entry(name).or_default();
            entry.0 += 1;
            entry.1 += usize::from(right);
            if !whole {
                println!(
                    "{}: {text:?} | {:?} | {:?} | {:?}",
                    voice.name, heard.transcript.text, intent, heard.verdict
                );
            }
        }
        for text in NOTHING {
            let Some(sound) = speaker.say(&voice, &format!("Alexa, {text}.")) else {
                continue;
            };
            #[allow(clippy::cast_possible_truncation, reason = "samples between -1 and 1")]
            let samples: Vec<i16> = sound.iter().map(|s| (s * 32_767.0) as i16).collect();
            let heard = judge
                .hear(&mut recogniser, &segment(&samples), Head::WakeWord)
                .expect("the runtime works");
            score.others += 1;
            if let Verdict::Act(intent) = &heard.verdict
                && INTENTS.contains(&intent.name.as_str())
            {
                let found = intent.slots.get("who").map(|who| home.find(who));
                let reaches = found.is_none_or(|whom| whom != Whom::None);
                score.acts += usize::from(reaches);
                println!(
                    "{}: {text:?} acts{}: {:?} | {intent:?}",
                    voice.name,
                    if reaches { "" } else { " on nobody" },
                    heard.transcript.text
                );
            }
        }
        print(voice.name, &score);
        all.said += score.said;
        all.intents += score.intents;
        all.whole += score.whole;
        all.named += score.named;
        all.names += score.names;
        all.dangerous += score.dangerous;
        all.others += score.others;
        all.acts += score.acts;
        all.took_ms.extend(&score.took_ms);
    }
    print("all voices", &all);
    for (name, (said, right)) in by_intent.iter().filter(|(_, (said, right))| said > right) {
        println!("  {name}: {right} of {said}");
    }
}

fn print(who: &str, score: &Score) {
    let mut times = score.took_ms.clone();
    times.sort_unstable();
    let took = |percent: usize| times.get(times.len() * percent / 100).copied().unwrap_or(0);
    println!(
        "{who}: {} sentences, intent right {}, with its slots {}; names {} of {}; emergencies or questions {}; of {} others {} act; understood in {} ms, 95 of \
         100 in {} ms",
        score.said,
        score.intents,
        score.whole,
        score.names,
        score.named,
        score.dangerous,
        score.others,
        score.acts,
        took(50),
        took(95)
    );
}
