//! "Pause", "next" and "stop" behind the wake word are for what plays, where no call stands; words of an emergency never.
use core::time::Duration;
use std::sync::mpsc;

use hearthline_speaker::skill::{Asked, Deed, Event, Reply, Skill};

use crate::room_with_a_skill::Room;

/// Something that plays, or does not.
struct Plays {
    heard: mpsc::Sender<String>,
    reply: Reply,
}

impl Skill for Plays {
    fn name(&self) -> &'static str {
        "pretend"
    }

    fn take(&mut self, _: &Asked<'_>, _: Duration) -> Reply {
        Reply::Other
    }

    fn bare(&mut self, said: &str, _: Duration) -> Reply {
        self.heard.send(said.to_owned()).unwrap();
        self.reply.clone()
    }

    fn handle(&mut self, _: Event<'_>, _: Duration) {}

    fn poll_deed(&mut self) -> Option<Deed> {
        None
    }

    fn poll_timeout(&self) -> Option<Duration> {
        None
    }
}

fn room(reply: Reply) -> (Room, mpsc::Receiver<String>) {
    let (heard, words) = mpsc::channel();
    let plays = Plays { heard, reply };
    (Room::with(vec![Box::new(plays)], Vec::new()), words)
}

#[test]
fn the_music_goes_on_though_a_call_could_be_resumed() {
    let (mut room, words) = room(Reply::Silent);
    for said in ["resume", "next", "stop", "pause"] {
        room.say(said);
        assert_eq!(words.try_iter().collect::<Vec<_>>(), [said]);
        assert_eq!(room.said, [""; 0], "{said}");
    }
    // Nobody speaks to us.
    room.say_without_the_wake_word("stop");
    assert_eq!(words.try_iter().count(), 0);
}

#[test]
fn where_nothing_plays_it_is_the_telephones_or_nobodys() {
    let (mut room, words) = room(Reply::Other);
    room.say("resume");
    assert_eq!(words.try_iter().collect::<Vec<_>>(), ["resume"]);
    assert_eq!(room.said, ["There is no call."]);
}

#[test]
fn no_word_of_an_emergency_comes_to_it() {
    let (mut room, words) = room(Reply::Silent);
    for said in [
        "call nine one one",
        "help",
        "call an ambulance",
        "i can't breathe",
        "do not call nine one one",
        "fire",
    ] {
        room.say(said);
        assert_eq!(words.try_iter().count(), 0, "{said}");
    }
}
