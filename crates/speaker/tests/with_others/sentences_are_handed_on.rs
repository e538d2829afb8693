//! A skill that hands on what nobody here takes, and plays what another system gives: never a call for help, in or out.
use core::time::Duration;
use std::sync::{Arc, Mutex};

use hearthline_speaker::device::{Input, Light};
use hearthline_speaker::messages::{Part, TellId};
use hearthline_speaker::skill::{Asked, Deed, Event, Reply, Skill};

use crate::room_with_a_skill::Room;

/// The device's names of what skills play.
const FIRST_TELL: u64 = 1 << 63;

/// What a skill was given.
#[derive(Debug, Default)]
struct Given {
    overheard: Vec<usize>,
    played: Vec<(u64, bool)>,
    deeds: Vec<Deed>,
}

#[derive(Clone, Default)]
struct Elsewhere(Arc<Mutex<Given>>);

impl Skill for Elsewhere {
    fn name(&self) -> &'static str {
        "pretend"
    }

    fn take(&mut self, _: &Asked<'_>, _: Duration) -> Reply {
        Reply::Other
    }

    fn wants_sound(&self) -> bool {
        true
    }

    fn overhear(&mut self, sound: &[i16], _: Duration) -> Reply {
        self.0.lock().unwrap().overheard.push(sound.len());
        Reply::Silent
    }

    fn played(&mut self, token: u64, whole: bool, _: Duration) {
        self.0.lock().unwrap().played.push((token, whole));
    }

    fn handle(&mut self, _: Event<'_>, _: Duration) {}

    fn poll_deed(&mut self) -> Option<Deed> {
        self.0.lock().unwrap().deeds.pop()
    }

    fn poll_timeout(&self) -> Option<Duration> {
        None
    }
}

fn room() -> (Room, Elsewhere) {
    let skill = Elsewhere::default();
    let room = Room::with(vec![Box::new(skill.clone())], Vec::new());
    (room, skill)
}

fn play(room: &mut Room, skill: &Elsewhere, token: u64) {
    let parts = vec![Part::Sound(vec![1; 160])];
    let deed = Deed::Play { token, parts };
    skill.0.lock().unwrap().deeds.push(deed);
    room.wait(Duration::ZERO);
}

#[test]
fn what_nobody_takes_is_handed_on_and_what_speaks_of_help_never() {
    let (mut room, skill) = room();
    // Understood by the sentences, done by nobody; and read by nothing at all.
    room.say("Turn on the light.");
    room.say("the weather was nice in March");
    assert_eq!(skill.0.lock().unwrap().overheard, [20, 20]);
    assert_eq!(room.said, Vec::<String>::new());
    for words in [
        "call 911",
        "call nine one one",
        "did you call the sheriff",
        "don't call the police",
        "call Anna",
        "hang up",
        "cancel",
        "yes",
    ] {
        let (mut room, skill) = self::room();
        room.say(words);
        assert_eq!(skill.0.lock().unwrap().overheard, [0_usize; 0], "{words}");
    }
}

#[test]
fn what_is_played_reports_its_end_and_gives_way_to_our_name() {
    let (mut room, skill) = room();
    play(&mut room, &skill, 1);
    assert_eq!(skill.0.lock().unwrap().played, []);
    room.input(Input::Told {
        id: TellId(FIRST_TELL + 1),
    });
    assert_eq!(skill.0.lock().unwrap().played, [(1, true)]);
    play(&mut room, &skill, 2);
    room.say("Turn on the light.");
    assert_eq!(skill.0.lock().unwrap().played, [(1, true), (2, false)]);
}

#[test]
fn an_order_that_may_have_come_out_of_it_is_asked_back() {
    // The wake word is told together with the sentence: it was doubtful, so the sound went on behind it.
    for ended in [false, true] {
        let (mut room, skill) = room();
        play(&mut room, &skill, 1);
        if ended {
            room.input(Input::Told {
                id: TellId(FIRST_TELL + 1),
            });
            room.now += Duration::from_secs(2);
        }
        room.say("call 911");
        assert!(room.lights.contains(&Light::Asking), "{:?}", room.lights);
        assert!(!room.lights.contains(&Light::Announcing));
        assert_eq!(room.sent, 0);
    }
    // Without it the same words are an order.
    let (mut room, _) = room();
    room.say("call 911");
    assert!(!room.lights.contains(&Light::Asking), "{:?}", room.lights);
}
