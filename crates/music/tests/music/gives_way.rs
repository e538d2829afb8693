//! The skill alone: what it orders when others need the loudspeaker, and that it can call nobody.
use std::time::Duration;

use hearthline_music::library::{Library, Shelf};
use hearthline_music::order::{Asked, Doing, Duck, Order, State, Told};
use hearthline_music::skill::{MusicSkill, Settings};
use hearthline_music::track::{Player, System, Track};
use hearthline_speaker::skill::{self, By, Deed, Engaged, Event, Reply, Skill};
use hearthline_voice::understand::sentences::Lists;
use proptest::prelude::*;

use crate::home::{NOON_MS, program};

fn skill() -> MusicSkill {
    let shelf = Shelf::default();
    let track = |title: &str| {
        let track = Track {
            key: title.into(),
            title: title.into(),
            artist: "Catherine Vale".into(),
            ..Track::default()
        };
        (System::Mpd, track)
    };
    shelf.put(Library::new(
        vec![track("Copper Morning"), track("Grey Evening")],
        vec![],
        vec![],
    ));
    let settings = Settings {
        room: "Kitchen".into(),
        preferred: Player::Mpd,
        searches: false,
        rooms: false,
        nothing: false,
    };
    let mut skill = MusicSkill::new(settings, shelf);
    skill.handle(
        Event::Wall {
            ms_at_zero: NOON_MS,
        },
        Duration::ZERO,
    );
    skill
}

fn orders(skill: &mut MusicSkill) -> Vec<Asked> {
    let mut orders = Vec::new();
    while let Some(deed) = skill.poll_deed() {
        if let Deed::Out(value) = deed {
            orders.push(serde_json::from_value(value).unwrap());
        }
    }
    orders
}

fn say(skill: &mut MusicSkill, said: &str, now: Duration) -> Reply {
    let meant = program().recognise(said, &Lists::default(), &[]).unwrap();
    let asked = skill::Asked {
        meant: &meant,
        said,
        by: By::Person,
        wall_ms: NOON_MS,
    };
    skill.take(&asked, now)
}

#[test]
fn each_engagement_has_its_way_and_the_end_of_all_is_as_before() {
    let mut skill = skill();
    for (engaged, how) in [
        (Engaged::Talking, Duck::Soft),
        (Engaged::OnCall, Duck::Hold),
        (Engaged::Emergency, Duck::Silent),
        (Engaged::Free, Duck::Full),
        (Engaged::Emergency, Duck::Silent),
        (Engaged::Free, Duck::Full),
    ] {
        skill.handle(Event::Engaged(engaged), Duration::ZERO);
        let orders = orders(&mut skill);
        assert_eq!(orders.len(), 1);
        assert_eq!(orders[0].order, Order::Duck { how }, "{engaged:?}");
    }
    // The same again is nothing new.
    skill.handle(Event::Engaged(Engaged::Free), Duration::ZERO);
    assert!(orders(&mut skill).is_empty());
}

#[test]
fn a_player_that_says_nothing_is_named_in_two_seconds() {
    let mut skill = skill();
    let Reply::Later(token) = say(&mut skill, "play copper morning", Duration::ZERO) else {
        panic!("asked of the player");
    };
    assert!(matches!(orders(&mut skill)[0].order, Order::Play { .. }));
    let due = skill.poll_timeout().unwrap();
    assert!(due <= Duration::from_secs(2));
    skill.handle(Event::Timeout, due);
    let answered = core::iter::from_fn(|| skill.poll_deed()).find_map(|deed| match deed {
        Deed::Answer {
            token: other,
            reply,
        } if other == token => Some(reply),
        _ => None,
    });
    let words = "I asked the music player M P D, but it does not answer.";
    assert_eq!(answered, Some(Reply::Refused(words.into())));
}

#[test]
fn a_sleep_timer_ends_the_music_once_also_after_a_restart() {
    let mut first = skill();
    say(&mut first, "stop the music in 20 minutes", Duration::ZERO);
    let kept = core::iter::from_fn(|| first.poll_deed()).find_map(|deed| match deed {
        Deed::Keep { bytes, .. } => Some(bytes),
        _ => None,
    });
    let due = first.poll_timeout().unwrap();
    assert_eq!(due, Duration::from_secs(20 * 60));
    first.handle(Event::Timeout, due);
    assert!(matches!(orders(&mut first)[0].order, Order::Stop { fade_ms } if fade_ms > 0));
    assert_eq!(first.poll_timeout(), None);
    // The speaker was off when it became due: the player of another program went on meanwhile.
    let mut second = skill();
    second.handle(
        Event::Wall {
            ms_at_zero: NOON_MS + 3_600_000,
        },
        Duration::ZERO,
    );
    second.handle(Event::Restored(&kept.unwrap()), Duration::ZERO);
    assert_eq!(second.poll_timeout(), Some(Duration::ZERO));
    second.handle(Event::Timeout, Duration::ZERO);
    assert!(matches!(orders(&mut second)[0].order, Order::Stop { .. }));
}

#[test]
fn a_player_that_was_soft_when_the_power_failed_becomes_loud_again() {
    let mut first = skill();
    let state = State {
        doing: Doing::Playing,
        percent: Some(70),
        ..State::default()
    };
    let told = Told::State {
        player: Player::Mpd,
        state,
    };
    let told = serde_json::to_value(told).unwrap();
    first.handle(Event::Came(&told), Duration::ZERO);
    first.handle(Event::Engaged(Engaged::Talking), Duration::ZERO);
    let kept = core::iter::from_fn(|| first.poll_deed())
        .filter_map(|deed| match deed {
            Deed::Keep { bytes, .. } => Some(bytes),
            _ => None,
        })
        .last();
    let mut second = skill();
    second.handle(Event::Restored(&kept.unwrap()), Duration::ZERO);
    assert_eq!(orders(&mut second)[0].order, Order::Volume { percent: 70 });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    /// Whatever comes from outside and whatever is said: orders go to players, and no sentence is given back to be done.
    #[test]
    fn nothing_is_given_back_to_be_done(
        texts in proptest::collection::vec("(play|stop|call) [a-z 0-9]{1,20}", 1..6),
        value in "\\{\"told\": ?\"(state|done|failed|trouble|rooms|library)\"[ -~]{0,60}\\}",
        title in "[ -~]{0,30}",
    ) {
        let mut skill = skill();
        let program = program();
        let state = State { doing: Doing::Playing, title, ..State::default() };
        let told = serde_json::to_value(Told::State { player: Player::Mpd, state }).unwrap();
        skill.handle(Event::Came(&told), Duration::ZERO);
        if let Ok(value) = serde_json::from_str(&value) {
            skill.handle(Event::Came(&value), Duration::ZERO);
        }
        for said in &texts {
            if let Some(meant) = program.recognise(said, &Lists::default(), &[]) {
                let asked = skill::Asked { meant: &meant, said, by: By::Later, wall_ms: NOON_MS };
                skill.take(&asked, Duration::ZERO);
            }
            skill.answer(said, Duration::ZERO);
        }
        while let Some(deed) = skill.poll_deed() {
            prop_assert!(!matches!(deed, Deed::Do(_) | Deed::Ring(_)));
        }
    }
}
