//! Whose a sentence is when a device has skills, what gives way, and that nothing of it calls for help.
use core::time::Duration;

use hearthline_voice::clock::SampleIndex;
use hearthline_voice::listen::Output as Hearing;
use hearthline_voice::understand::Country;
use hearthline_voice::understand::sentences::House;

use hearthline_speaker::device::{Input, Light};
use hearthline_speaker::skill::{By, Deed, Engaged, Facts, LATER_MAX, Reply, Ringing};
use hearthline_speaker::telephone::Tone;
use hearthline_speaker::words::NOTHING_ANSWERED;
use serde_json::json;

use crate::room_with_a_skill::{Room, SECOND, Seen, pretend, wake};

#[test]
fn what_nothing_here_can_do_is_said_so_and_stands_in_the_record() {
    let mut room = Room::new(None);
    room.say("Turn on the light.");
    assert_eq!(
        room.said,
        ["I understood \u{201c}Turn on the light\u{201d}, but nothing here can do that yet."]
    );
    for part in [
        "HassTurnOn",
        "sentences: turn on the (light|lamp)",
        "nothing here can do it",
    ] {
        assert!(room.log.contains(part), "{part}");
    }
    // What no sentence reads is not for us.
    room.spoken();
    room.say("the weather was nice in March");
    assert_eq!(room.said.len(), 1);
}

#[test]
fn a_skill_takes_its_sentence_and_answers_in_words_or_with_the_response() {
    let mut room = Room::new(Some(pretend(Reply::Words("Done.".into()))));
    room.say("turn on the lamp");
    assert_eq!(room.said, ["Done."]);
    assert!(room.log.contains("done by pretend"));
    let facts = Facts {
        slots: vec![("place".into(), "attic".into())],
        ..Facts::default()
    };
    let mut room = Room::new(Some(pretend(Reply::Response(Box::new(facts)))));
    room.say("set a timer for 5 minutes");
    assert_eq!(room.said, ["Timer set for 5 minutes in the attic"]);
    let seen = room.seen();
    assert_eq!(seen[0], Seen::Wall(1_000));
    assert_eq!(seen[1], Seen::Restored(b"kept before".to_vec()));
    assert!(seen.contains(&Seen::Taken("HassStartTimer".into(), By::Person)));
}

#[test]
fn what_another_system_does_is_answered_when_it_has_answered() {
    let mut room = Room::new(Some(pretend(Reply::Later(7))));
    room.say("turn on the lamp");
    assert!(room.said.is_empty());
    assert!(room.device.is_skill_busy());
    room.deed(Deed::Out(json!({"lamp": "on"})));
    assert_eq!(room.out, [json!({"lamp": "on"})]);
    let value = &json!({"lamp": "is on"});
    room.input(Input::CameFor {
        skill: "pretend",
        value,
    });
    assert!(room.seen().contains(&Seen::Came(value.clone())));
    let reply = Reply::Words("On.".into());
    // An answer to something else is none to this.
    room.deed(Deed::Answer {
        token: 8,
        reply: Reply::Words("Off.".into()),
    });
    assert!(room.said.is_empty());
    room.deed(Deed::Answer {
        token: 7,
        reply: reply.clone(),
    });
    assert_eq!(room.said, ["On."]);
    assert!(!room.device.is_skill_busy());
    room.deed(Deed::Answer { token: 7, reply });
    room.wait(SECOND * 10);
    assert_eq!(room.said, ["On."], "once");
    assert!(room.log.contains("being done by pretend"));
    assert!(room.log.contains("done by pretend"));
}

#[test]
fn a_system_that_says_nothing_is_given_up_aloud() {
    let mut room = Room::new(Some(pretend(Reply::Later(1))));
    room.say("turn on the lamp");
    room.wait(LATER_MAX - Duration::from_millis(1));
    assert!(room.said.is_empty());
    room.wait(Duration::from_millis(1));
    assert_eq!(room.said, [NOTHING_ANSWERED]);
    assert!(!room.device.is_skill_busy());
}

#[test]
fn an_emergency_ends_the_wait_for_another_system() {
    let mut room = Room::new(Some(pretend(Reply::Later(1))));
    room.say("turn on the lamp");
    room.say("call nine one one");
    let said = room.said.len();
    room.deed(Deed::Answer {
        token: 1,
        reply: Reply::Words("On.".into()),
    });
    room.wait(LATER_MAX);
    assert!(!room.said[said..].iter().any(|words| words == "On."));
    assert!(!room.said.iter().any(|words| words == NOTHING_ANSWERED));
}

#[test]
fn the_names_that_a_skill_knows_are_read_and_its_states_are_said() {
    let mut room = Room::new(Some(pretend(Reply::Silent)));
    assert!(
        room.everyday
            .read("turn off reading lamp", Country::UnitedStates)
            .is_none()
    );
    let house = |name: &str| {
        let entity = json!({"name": name, "domain": "light", "area": "attic"});
        let areas = json!([{"name": "attic", "floor": "top"}]);
        Box::new(House::from_json(&json!({"entities": [entity], "areas": areas})).unwrap())
    };
    room.deed(Deed::House(house("reading lamp")));
    let meant = room
        .everyday
        .read("turn off reading lamp", Country::UnitedStates);
    assert_eq!(meant.unwrap().intent, "HassTurnOff");
    // All of its names, each time.
    room.deed(Deed::House(house("desk lamp")));
    assert!(
        room.everyday
            .read("turn off reading lamp", Country::UnitedStates)
            .is_none()
    );
    assert!(
        room.everyday
            .read("turn off desk lamp", Country::UnitedStates)
            .is_some()
    );
}

#[test]
fn two_meanings_are_asked_about_and_not_guessed() {
    let mut room = Room::new(Some(pretend(Reply::Words("Done.".into()))));
    room.say("light up");
    assert_eq!(
        room.said,
        ["That may mean more than one thing: turn off, or turn on. Please say it in other words."]
    );
    assert!(
        !room
            .seen()
            .iter()
            .any(|seen| matches!(seen, Seen::Taken(..)))
    );
}

#[test]
fn the_loudspeaker_is_set_by_the_device_itself() {
    let mut room = Room::new(Some(pretend(Reply::Words("not me".into()))));
    room.say("loudness 30");
    assert!(room.said.is_empty());
    assert!(room.log.contains("volume"));
    // Each skill is told how loud it is, once.
    let told = |seen: &Seen| matches!(seen, Seen::Volume(30, false));
    assert_eq!(room.seen().iter().filter(|seen| told(seen)).count(), 1);
}

#[test]
fn a_question_of_a_skill_is_answered_without_the_wake_word() {
    let (mut skill, seen, deeds) = pretend(Reply::Question("For how long?".into()));
    skill.answer = Reply::Words("Five minutes.".into());
    let mut room = Room::new(Some((skill, seen, deeds)));
    room.say("set a timer for 7 minutes");
    assert_eq!(room.said, ["For how long?"]);
    let before = room.listens;
    room.spoken();
    assert_eq!(room.listens, before + 1, "the ear opens");
    room.say_without_the_wake_word("five minutes");
    assert_eq!(room.said[1], "Five minutes.");
    assert!(room.seen().contains(&Seen::Answered("five minutes".into())));
    // Once answered, talk in the room is nobody's.
    room.spoken();
    room.say_without_the_wake_word("ten minutes");
    assert_eq!(room.said.len(), 2);
}

#[test]
fn an_order_to_call_for_help_is_no_answer_to_a_skill() {
    let (mut skill, seen, deeds) = pretend(Reply::Question("For how long?".into()));
    skill.answer = Reply::Words("Five minutes.".into());
    skill.heard = Reply::Words("mine".into());
    let mut room = Room::new(Some((skill, seen, deeds)));
    room.say("set a timer for 7 minutes");
    room.spoken();
    room.seen();
    room.say("call 911");
    let seen = room.seen();
    assert!(
        !seen
            .iter()
            .any(|seen| matches!(seen, Seen::Answered(_) | Seen::Heard(_) | Seen::Taken(..))),
        "{seen:?}"
    );
    // It has no line: it says so, and never that a timer runs.
    assert!(room.said[1].contains("I cannot call"), "{:?}", room.said);
}

#[test]
fn a_ring_sounds_while_nobody_speaks_and_stops_at_a_word_without_the_wake_word() {
    let (mut skill, seen, deeds) = pretend(Reply::Other);
    skill.answer = Reply::Silent;
    let mut room = Room::new(Some((skill, seen, deeds)));
    room.deed(Deed::Ring(Some(Ringing::Timer)));
    assert_eq!(room.tones, [Some(Tone::Timer)]);
    assert!(room.listens > 0);
    // Whoever says our name is heard: the ring pauses.
    room.input(Input::Hearing(Hearing::Wake(wake())));
    assert_eq!(room.tones.last(), Some(&None));
    room.input(Input::Hearing(Hearing::NoSpeech {
        at: SampleIndex(30),
    }));
    assert_eq!(room.tones.last(), Some(&Some(Tone::Timer)));
    // The ear stays open as long as it rings.
    let before = room.listens;
    room.input(Input::Hearing(Hearing::NoSpeech {
        at: SampleIndex(40),
    }));
    assert!(room.listens > before);
    room.say_without_the_wake_word("stop");
    assert!(room.seen().contains(&Seen::Answered("stop".into())));
    room.deed(Deed::Ring(None));
    assert_eq!(room.tones.last(), Some(&None));
}

#[test]
fn typed_words_answer_a_skill_and_stop_its_ring() {
    let (mut skill, seen, deeds) = pretend(Reply::Question("For how long?".into()));
    skill.answer = Reply::Words("Five minutes.".into());
    let mut room = Room::new(Some((skill, seen, deeds)));
    room.input(Input::Typed("set a timer for 7 minutes"));
    assert_eq!(room.said, ["For how long?"]);
    room.spoken();
    room.seen();
    // What speaks of an emergency is no answer, and what is asked stays asked.
    room.input(Input::Typed("call 911"));
    let answered = |seen: &[Seen]| seen.iter().any(|seen| matches!(seen, Seen::Answered(_)));
    assert!(!answered(&room.seen()));
    room.spoken();
    room.input(Input::Typed("five minutes"));
    assert_eq!(room.said.last().unwrap(), "Five minutes.");
    assert!(answered(&room.seen()));

    let (mut skill, seen, deeds) = pretend(Reply::Other);
    skill.answer = Reply::Silent;
    let mut room = Room::new(Some((skill, seen, deeds)));
    room.deed(Deed::Ring(Some(Ringing::Timer)));
    room.input(Input::Typed("stop"));
    assert!(room.seen().contains(&Seen::Answered("stop".into())));
    assert!(room.said.is_empty(), "{:?}", room.said);
}

#[test]
fn a_reply_is_said_before_a_ring_and_its_words() {
    let mut room = Room::new(Some(pretend(Reply::Later(3))));
    room.say("set a timer for 5 minutes");
    // Another timer becomes due while the new one is on its way to the disk.
    room.deed(Deed::Say("Your tea timer is done.".into()));
    room.deed(Deed::Ring(Some(Ringing::Timer)));
    assert!(room.said.is_empty() && room.tones.is_empty());
    assert!(!room.seen().contains(&Seen::Engaged(Engaged::Free)));
    room.deed(Deed::Answer {
        token: 3,
        reply: Reply::Words("Timer set.".into()),
    });
    assert_eq!(room.said, ["Timer set."]);
    // It is told that it may ring once the reply has been said, so "stop" before that stops nothing.
    assert!(!room.seen().contains(&Seen::Engaged(Engaged::Free)));
    room.spoken();
    assert_eq!(room.said[1], "Your tea timer is done.");
    assert!(room.seen().contains(&Seen::Engaged(Engaged::Free)));
    assert!(room.tones.is_empty());
    room.spoken();
    assert_eq!(room.tones, [Some(Tone::Timer)]);
    assert_eq!(room.hushed, 0);
}

#[test]
fn what_a_skill_says_by_itself_gives_way_to_whoever_says_our_name() {
    let mut room = Room::new(Some(pretend(Reply::Words("Done.".into()))));
    room.deed(Deed::Say("Your timer is done.".into()));
    assert_eq!(room.said, ["Your timer is done."]);
    room.say("turn on the lamp");
    assert_eq!((room.hushed, room.said.len()), (1, 2));
    // A reply that is being said is heard to its end.
    room.input(Input::Hearing(Hearing::Wake(wake())));
    assert_eq!(room.hushed, 1);
}

#[test]
fn a_reply_whose_end_is_never_reported_holds_nothing_up_for_ever() {
    let mut room = Room::new(Some(pretend(Reply::Words("Done.".into()))));
    room.say("turn on the lamp");
    room.deed(Deed::Ring(Some(Ringing::Alarm)));
    assert!(room.tones.is_empty());
    room.wait(SECOND * 20);
    assert_eq!(room.tones, [Some(Tone::Alarm)]);
}

#[test]
fn words_of_a_skill_wait_until_nobody_is_engaged() {
    let mut room = Room::new(Some(pretend(Reply::Other)));
    room.input(Input::Hearing(Hearing::Wake(wake())));
    room.deed(Deed::Say("Your timer is done.".into()));
    assert!(room.said.is_empty());
    room.input(Input::Hearing(Hearing::NoSpeech {
        at: SampleIndex(30),
    }));
    assert_eq!(room.said, ["Your timer is done."]);
    let engaged: Vec<Engaged> = room
        .seen()
        .into_iter()
        .filter_map(|seen| match seen {
            Seen::Engaged(engaged) => Some(engaged),
            _ => None,
        })
        .collect();
    assert_eq!(engaged, [Engaged::Talking, Engaged::Free]);
}

#[test]
fn a_sentence_for_later_is_done_and_never_calls_for_help() {
    let mut room = Room::new(Some(pretend(Reply::Words("The light is on.".into()))));
    room.deed(Deed::Do("turn on the light".into()));
    assert_eq!(room.said, ["The light is on."]);
    assert!(
        room.seen()
            .contains(&Seen::Taken("HassTurnOn".into(), By::Later))
    );
    room.spoken();
    // Not even where a template of the owner reads those words.
    let lights = room.lights.len();
    for order in [
        "call 911",
        "call nine one one",
        "call Anna",
        "call the police",
    ] {
        room.deed(Deed::Do(order.into()));
        room.spoken();
        room.wait(SECOND);
    }
    assert_eq!(room.sent, 0);
    assert!(!room.lights[lights..].contains(&Light::Announcing));
    assert!(
        !room
            .seen()
            .iter()
            .any(|seen| matches!(seen, Seen::Taken(..)))
    );
    assert!(
        room.said[1..]
            .iter()
            .all(|said| said.contains("nothing here can do that"))
    );
}

#[test]
fn what_a_skill_keeps_comes_back_as_kept_and_time_comes_when_it_is_due() {
    let (mut skill, seen, deeds) = pretend(Reply::Other);
    skill.due = Some(5 * SECOND);
    let mut room = Room::new(Some((skill, seen, deeds)));
    room.deed(Deed::Append {
        token: 4,
        bytes: b"line".to_vec(),
    });
    room.deed(Deed::Keep {
        token: 5,
        bytes: b"all".to_vec(),
    });
    assert_eq!(
        room.kept,
        [(4, b"line".to_vec(), true), (5, b"all".to_vec(), false)]
    );
    room.input(Input::KeptOf {
        skill: "pretend",
        token: 4,
    });
    room.input(Input::KeptOf {
        skill: "another",
        token: 5,
    });
    room.input(Input::Wall { ms_at_zero: 9_000 });
    room.now = 5 * SECOND;
    room.input(Input::Timeout);
    let seen = room.seen();
    assert_eq!(seen[2..], [Seen::Kept(4), Seen::Wall(9_000), Seen::Timeout]);
}

#[test]
fn words_that_no_sentence_reads_may_be_a_skills_own() {
    let (mut skill, seen, deeds) = pretend(Reply::Other);
    skill.heard = Reply::Words("I will wake you at seven.".into());
    let mut room = Room::new(Some((skill, seen, deeds)));
    room.say("wake me at seven");
    assert_eq!(room.said, ["I will wake you at seven."]);
    // What is not meant for us is not handed on.
    room.say_without_the_wake_word("wake me at eight");
    let heard = room.seen();
    assert!(!heard.contains(&Seen::Heard("wake me at eight".into())));
    // Nor what is about an emergency.
    room.spoken();
    room.say("remind me to call the police");
    assert!(
        !room
            .seen()
            .iter()
            .any(|seen| matches!(seen, Seen::Heard(_)))
    );
}
