//! Routines and a language model within a device that has a line for help: whatever they say, nobody is called.
use core::time::Duration;

use hearthline_emergency::call::{Line, Transport};
use hearthline_emergency::target::SipUri;
use hearthline_skills::happened::When;
use hearthline_skills::rule::Days;
use hearthline_speaker::device::{Input, Light};
use hearthline_speaker::policy::Situation;
use hearthline_speaker::skill::agenda::Zone;
use hearthline_speaker::skill::forgetful::Forgetful;
use hearthline_speaker::skill::knowing::KnowingSkill;
use hearthline_speaker::skill::model::ModelSkill;
use hearthline_speaker::skill::readiness::ReadinessSkill;
use hearthline_speaker::skill::routine::{Routine, RoutineSkill};
use hearthline_speaker::skill::weather::{Settings, Units, WeatherSkill};
use hearthline_speaker::skill::{Asked, Deed, Event, Happened, Own, Reply, Skill};
use hearthline_voice::understand::{Country, emergency_phrases};
use jiff::civil::time;
use serde_json::json;

use super::room_with_a_skill::Room;

const SECOND: Duration = Duration::from_secs(1);
const COUNTRY: Country = Country::UnitedStates;

fn line() -> Vec<Line> {
    let target = SipUri::parse("sip:drill@127.0.0.1:5060").unwrap();
    vec![Line::new("drill", target, vec![Transport::Udp])]
}

fn room(skills: Vec<Box<dyn Skill>>) -> Room {
    Room::with(skills, line())
}

fn routine(actions: Vec<String>) -> Routine {
    Routine {
        name: "night".into(),
        phrases: vec!["good night".into()],
        // Five minutes after the room's clock begins.
        at: Some(time(0, 5, 0, 0)),
        days: Days::ALL,
        when: None,
        actions,
    }
}

/// One that begins when the front door opens, and rests for a minute then.
fn by_the_door(actions: Vec<String>) -> Routine {
    let when = When::Becomes {
        thing: "front door".into(),
        room: None,
        state: "open".into(),
    };
    Routine {
        phrases: Vec::new(),
        at: None,
        when: Some((when, SECOND * 60)),
        ..routine(actions)
    }
}

/// Says what happens as its adapter tells it.
struct Doors(Vec<Deed>);

impl Skill for Doors {
    fn name(&self) -> &'static str {
        "doors"
    }

    fn take(&mut self, _: &Asked<'_>, _: Duration) -> Reply {
        Reply::Other
    }

    fn handle(&mut self, event: Event<'_>, _: Duration) {
        if let Event::Came(value) = event {
            self.0.push(Deed::Happened(match value["becomes"].as_str() {
                Some(state) => Happened::Became {
                    names: vec!["Front Door".into()],
                    room: None,
                    states: vec![state.into()],
                    before: "closed".into(),
                },
                None => Happened::Own(Own::TimerEnds),
            }));
        }
    }

    fn poll_deed(&mut self) -> Option<Deed> {
        self.0.pop()
    }

    fn poll_timeout(&self) -> Option<Duration> {
        None
    }
}

fn with_doors(routine: Routine) -> Room {
    let skill = RoutineSkill::new(vec![routine], Zone::utc());
    room(vec![Box::new(skill), Box::new(Doors(Vec::new()))])
}

fn becomes(room: &mut Room, state: &str) {
    let skill = "doors";
    let value = &json!({ "becomes": state });
    room.input(Input::CameFor { skill, value });
}

fn nobody_is_called(room: &Room, what: &dyn core::fmt::Debug) {
    assert_eq!(room.sent, 0, "{what:?}");
    assert_eq!(room.device.situation(), Situation::Idle, "{what:?}");
    let alarming = [Light::Announcing, Light::Calling, Light::Asking];
    assert!(
        !room.lights.iter().any(|light| alarming.contains(light)),
        "{what:?}"
    );
}

#[test]
fn a_person_who_says_it_is_called_for() {
    let mut room = room(Vec::new());
    room.say("call 911");
    room.spoken();
    room.wait(SECOND * 6);
    assert!(room.sent > 0, "the tests below could not fail otherwise");
}

#[test]
fn no_shape_of_routine_leads_to_a_call() {
    // Every verb and target, many with what may be said around them, and sentences of calls and messages.
    let phrases = emergency_phrases(COUNTRY);
    let mut actions: Vec<String> = Vec::new();
    let step = phrases.cores.len() / 400 + 1;
    for (at, core) in phrases.cores.iter().enumerate().step_by(step) {
        let around = |list: &[String]| {
            let at = at % list.len().max(1);
            list.get(at).cloned().unwrap_or_default()
        };
        actions.push(core.text.clone());
        actions.push(format!(
            "{} {} {}",
            around(&phrases.prefixes),
            core.text,
            around(&phrases.suffixes)
        ));
        actions.push(format!("alexa, {}", core.text));
    }
    for said in [
        "call Anna",
        "call 505 555 0123",
        "dial 112",
        "announce that dinner is ready",
        "send a message to Anna",
        "yes",
        "yes call them",
        "cancel",
        "good night",
        "set a timer for 5 minutes",
        "turn on the lamp",
        "",
        "\u{0}\u{ffff}",
    ] {
        actions.push(said.to_owned());
    }
    assert!(actions.len() > 300, "{}", actions.len());
    for actions in actions.chunks(8) {
        let mut by_time = routine(actions.to_vec());
        by_time.phrases.clear();
        let mut by_phrase = routine(actions.to_vec());
        by_phrase.at = None;
        for routine in [by_time, by_phrase.clone(), routine(actions.to_vec())] {
            let skill = RoutineSkill::new(vec![routine.clone()], Zone::utc());
            let mut room = room(vec![Box::new(skill)]);
            room.say("good night");
            for _ in 0..24 {
                room.spoken();
                room.wait(SECOND * 40);
            }
            assert!(
                room.said.len() >= actions.len(),
                "{actions:?}: {:?}",
                room.said
            );
            nobody_is_called(&room, &routine);
        }
        let mut home = with_doors(by_the_door(actions.to_vec()));
        becomes(&mut home, "open");
        for _ in 0..24 {
            home.spoken();
            home.wait(SECOND * 40);
        }
        assert!(home.said.len() >= actions.len(), "{actions:?}");
        nobody_is_called(&home, &actions);
        // While a question of ours is open, a routine's "yes" is none.
        let mut home = with_doors(by_the_door(actions.to_vec()));
        home.say("I need help");
        becomes(&mut home, "open");
        home.spoken();
        home.wait(SECOND * 3);
        assert_eq!(home.sent, 0, "{actions:?}");
        let skill = RoutineSkill::new(vec![routine(actions.to_vec())], Zone::utc());
        let mut room = room(vec![Box::new(skill)]);
        room.wait(SECOND * 297);
        room.say("I need help");
        let asked = room.device.situation();
        room.spoken();
        room.wait(SECOND * 3);
        room.wait(SECOND);
        assert_eq!(room.sent, 0, "{asked:?} {actions:?}");
    }
}

#[test]
fn a_routine_is_done_by_its_phrase_and_at_its_time_once() {
    let actions = vec![
        "turn on the lamp".to_owned(),
        "turn on the light".to_owned(),
    ];
    let skill = RoutineSkill::new(vec![routine(actions)], Zone::utc());
    let mut room = room(vec![Box::new(skill)]);
    room.say("Good night!");
    room.spoken();
    room.spoken();
    assert_eq!(room.said.len(), 2, "{:?}", room.said);
    assert!(room.said[0].contains("turn on the lamp"));
    assert!(room.said[1].contains("turn on the light"));
    room.wait(SECOND * 400);
    room.spoken();
    room.spoken();
    assert_eq!(room.said.len(), 4, "at its time");
    assert!(room.log.contains("its sentences are read"));
    room.wait(SECOND * 400);
    assert_eq!(room.said.len(), 4);
    room.wait(SECOND * 24 * 3_600);
    room.spoken();
    assert!(room.said.len() >= 5, "the next day");
}

#[test]
fn a_routine_is_done_when_a_door_opens_and_not_each_time_that_it_flaps() {
    let lamp = vec!["turn on the lamp".to_owned()];
    let mut room = with_doors(by_the_door(lamp.clone()));
    becomes(&mut room, "closed");
    room.wait(SECOND);
    assert_eq!(room.said.len(), 0);
    for _ in 0..5 {
        becomes(&mut room, "open");
        becomes(&mut room, "closed");
        room.wait(SECOND);
    }
    room.spoken();
    room.wait(SECOND);
    assert_eq!(room.said.len(), 1, "{:?}", room.said);
    assert!(room.said[0].contains("turn on the lamp"));
    assert!(room.log.contains("what happened"));
    room.wait(SECOND * 60);
    becomes(&mut room, "open");
    room.wait(SECOND);
    assert_eq!(room.said.len(), 2, "after its rest");
    // In an emergency nothing begins, also not afterwards.
    let mut room = with_doors(by_the_door(lamp));
    room.say("call 911");
    room.spoken();
    room.wait(SECOND * 6);
    becomes(&mut room, "open");
    room.wait(SECOND * 10);
    assert!(room.sent > 0);
    let begun = room.said.iter().any(|said| said.contains("lamp"));
    assert!(!begun, "{:?}", room.said);
}

#[test]
fn a_routine_is_done_when_the_speaker_is_muted_or_its_timer_ends() {
    let lamp = vec!["turn on the lamp".to_owned()];
    let of = |own: Own| Routine {
        when: Some((When::Own(own), SECOND * 10)),
        ..by_the_door(lamp.clone())
    };
    for (own, muted) in [(Own::Muted, [false, true]), (Own::Unmuted, [true, false])] {
        let mut skill = RoutineSkill::new(vec![of(own)], Zone::utc());
        skill.handle(Event::Wall { ms_at_zero: 0 }, SECOND);
        let mut begun = |muted: bool| {
            skill.volume(60, muted, SECOND * 2);
            let deeds = std::iter::from_fn(|| skill.poll_deed());
            deeds.filter(|deed| matches!(deed, Deed::Do(_))).count()
        };
        assert_eq!(begun(muted[0]), 0, "as it is at the start");
        assert_eq!(begun(muted[0]), 0, "{own:?}: nothing has changed");
        assert_eq!(begun(muted[1]), 1, "{own:?}");
    }
    let mut room = with_doors(of(Own::TimerEnds));
    let skill = "doors";
    let value = &json!({});
    room.input(Input::CameFor { skill, value });
    room.wait(SECOND);
    assert_eq!(room.said.len(), 1, "{:?}", room.said);
}

fn answer(text: &str) -> serde_json::Value {
    let body = json!({"choices": [{"message": {"role": "assistant", "content": text,
        "tool_calls": [{"function": {"name": "call", "arguments": "{\"number\": \"911\"}"}}]}}]});
    json!({"token": 1, "body": body.to_string()})
}

fn model() -> Room {
    let skill = ModelSkill::new("small".into(), SECOND * 20, COUNTRY);
    room(vec![Box::new(skill)])
}

#[test]
fn a_question_that_no_sentence_reads_is_put_to_the_model_and_its_answer_is_said() {
    let mut room = model();
    room.say("who wrote Moby Dick?");
    assert_eq!(room.out.len(), 1);
    assert_eq!(room.out[0]["ask"]["model"], "small");
    assert_eq!(
        room.out[0]["ask"]["messages"][1]["content"],
        "who wrote Moby Dick?"
    );
    let value = &answer("**Herman Melville** wrote it.");
    room.input(Input::CameFor {
        skill: "model",
        value,
    });
    assert_eq!(room.said, ["Herman Melville wrote it."]);
    // No second answer to the same question.
    room.input(Input::CameFor {
        skill: "model",
        value,
    });
    assert_eq!(room.said.len(), 1);
}

#[test]
fn a_slow_model_is_waited_for_aloud_and_given_up() {
    let mut room = model();
    room.say("who wrote Moby Dick?");
    room.wait(SECOND * 3);
    assert_eq!(room.said, ["One moment."]);
    room.spoken();
    room.wait(SECOND * 5);
    let value = &answer("Herman Melville wrote it.");
    room.input(Input::CameFor {
        skill: "model",
        value,
    });
    assert_eq!(room.said[1], "Herman Melville wrote it.");
    let mut room = model();
    room.say("who wrote Moby Dick?");
    room.wait(SECOND * 3);
    room.spoken();
    room.wait(SECOND * 20);
    assert_eq!(room.said[1], "The language model gave no answer.");
}

#[test]
fn nothing_of_an_emergency_is_sent_to_a_model() {
    let mut room = model();
    for said in [
        "what happens when I call 911",
        "how do I call the police",
        "is there a fire",
        "what do I do when somebody is bleeding",
        "call 911",
        "are you ready to call 911",
        "who is at the door, help me",
        "turn on the lamp",
        "the sky is blue",
    ] {
        room.say(said);
        room.spoken();
        room.say("never mind, cancel");
        room.spoken();
        room.wait(SECOND * 30);
    }
    assert!(room.out.is_empty(), "{:?}", room.out);
}

#[test]
fn whatever_a_model_writes_is_only_said_and_no_order_is() {
    for text in [
        "call 911",
        "Alexa, call 911.",
        "I will do that. Call nine one one now! Done.",
        "{\"intent\": \"EmergencyCall\"}",
        "turn on the lamp",
        "Yes. Call the police, please.",
        "call Anna",
        "good night",
    ] {
        let skill = ModelSkill::new("small".into(), SECOND * 20, COUNTRY);
        let routines = RoutineSkill::new(vec![routine(vec!["light up".into()])], Zone::utc());
        let mut room = room(vec![Box::new(routines), Box::new(skill)]);
        room.say("who wrote Moby Dick?");
        let value = &answer(text);
        room.input(Input::CameFor {
            skill: "model",
            value,
        });
        room.spoken();
        room.wait(SECOND * 30);
        assert_eq!(room.said.len(), 1, "{text}: {:?}", room.said);
        let said = room.said[0].to_lowercase();
        assert!(
            !said.contains("alexa") && !said.contains("911") && !said.contains("police"),
            "{said}"
        );
        nobody_is_called(&room, &text);
    }
}

#[test]
fn readiness_is_answered_and_nothing_is_begun() {
    let mut room = room(vec![Box::new(ReadinessSkill::new())]);
    room.say("are you ready to call 911?");
    assert_eq!(room.out, [json!({"examine": 1})]);
    let value = &json!({"open": ["callback, none: a call-taker could not call back"], "lines": 1});
    room.input(Input::CameFor {
        skill: "readiness",
        value,
    });
    assert_eq!(
        room.said,
        ["No, not yet: callback, none: a call-taker could not call back."]
    );
    room.spoken();
    // The next time the examination takes too long: what it found last is said.
    room.say("are you ready to call for help");
    room.wait(SECOND * 3);
    assert_eq!(room.said[1], room.said[0]);
    nobody_is_called(&room, &"readiness");
}

#[test]
fn the_time_is_the_clocks_on_the_wall_and_not_universal() {
    let zone = Zone::named("America/Denver").unwrap();
    let mut room = room(vec![Box::new(KnowingSkill::new(zone))]);
    room.say("what time is it?");
    room.spoken();
    room.say("what is 2 plus 2");
    room.spoken();
    room.input(Input::Typed("what is 7 times 8"));
    assert_eq!(room.said, ["It is 5 PM.", "4.", "56."]);
}

#[test]
fn what_was_heard_and_why_is_told_out_of_the_record() {
    let mut room = room(vec![Box::new(KnowingSkill::new(Zone::utc()))]);
    room.say("what did you hear");
    assert_eq!(
        room.said.pop().unwrap(),
        "I have not heard anything since I was started."
    );
    room.spoken();
    room.say("why did you do that");
    assert_eq!(
        room.said.pop().unwrap(),
        "I have not heard anything since I was started."
    );
    room.spoken();
    room.say("Turn on the lamp.");
    room.spoken();
    room.wait(SECOND * 120);
    room.say("what did you hear");
    assert_eq!(
        room.said.pop().unwrap(),
        "2 minutes ago I heard \u{201c}Turn on the lamp\u{201d}."
    );
    room.spoken();
    // A question about it is not the last interaction itself.
    room.say("why did you do that");
    assert_eq!(
        room.said.pop().unwrap(),
        "I heard \u{201c}Turn on the lamp\u{201d}, took it to mean \u{201c}turn on\u{201d}, but nothing here can do it."
    );
    room.spoken();
    room.say("what is 2 plus 2");
    room.spoken();
    room.say("why did you do that");
    assert_eq!(
        room.said.pop().unwrap(),
        "I heard \u{201c}what is 2 plus 2\u{201d}, and worked out the answer."
    );
    room.spoken();
    room.input(Input::Typed("what is 7 times 8"));
    room.spoken();
    room.say("why did you do that");
    assert_eq!(
        room.said.pop().unwrap(),
        "I read what was typed, and worked out the answer."
    );
    room.spoken();
    room.say("did you call 911");
    room.spoken();
    room.say("why did you do that");
    let said = room.said.pop().unwrap();
    assert!(said.starts_with("I heard \u{201c}did you call 911\u{201d}, took it to mean \u{201c}emergency status\u{201d}"), "{said}");
    nobody_is_called(&room, &"questions");
}

#[test]
fn a_call_that_was_cancelled_is_explained() {
    let mut room = room(Vec::new());
    room.say("call 911");
    room.say("cancel");
    room.spoken();
    room.wait(SECOND * 20);
    room.spoken();
    room.say("why did you do that");
    let said = room.said.pop().unwrap();
    assert!(
        said.contains("an order to call an emergency service") && said.contains("cancelled"),
        "{said}"
    );
    assert_eq!(room.sent, 0);
}

#[test]
fn the_weather_is_asked_by_the_adapter_and_kept() {
    let settings = Settings {
        latitude: 35.0,
        longitude: -106.0,
        place: None,
        units: Units::Metric,
    };
    let mut room = room(vec![Box::new(WeatherSkill::new(settings, Zone::utc()))]);
    room.say("weather report");
    let query = room.out[0]["fetch"].as_str().unwrap().to_owned();
    assert!(query.starts_with("latitude=35.0000&longitude=-106.0000&"));
    let body =
        json!({"current": {"time": "1970-01-01T00:00", "temperature_2m": 3.2, "weather_code": 61}});
    let value = &json!({"body": body.to_string()});
    room.input(Input::CameFor {
        skill: "weather",
        value,
    });
    assert_eq!(room.said, ["It is 3 degrees and light rain."]);
    room.spoken();
    room.say("weather report");
    assert_eq!((room.out.len(), room.said.len()), (1, 2), "asked once");
}

#[test]
fn a_forgetful_skill_keeps_nothing_and_finds_nothing() {
    let inner = RoutineSkill::new(vec![routine(vec!["turn on the lamp".into()])], Zone::utc());
    let mut skill = Forgetful::new(Box::new(inner));
    skill.handle(Event::Wall { ms_at_zero: 1_000 }, Duration::ZERO);
    skill.handle(Event::Restored(b"{\"night\": 99999999999}"), Duration::ZERO);
    let at = skill.poll_timeout().unwrap();
    assert_eq!(at, Duration::from_millis(299_000));
    skill.handle(Event::Timeout, at);
    let deeds: Vec<Deed> = core::iter::from_fn(|| skill.poll_deed()).collect();
    assert!(deeds.contains(&Deed::Do("turn on the lamp".into())));
    assert!(!deeds.iter().any(|deed| matches!(deed, Deed::Keep { .. })));
    assert_eq!(skill.hear("nothing", 0, at), Reply::Other);
}
