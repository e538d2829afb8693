//! Media players of the house by their names and rooms; the music of this room is not the house's.
use core::time::Duration;

use hearthline_house::command::{Command, Player};
use hearthline_house::exchange::{Order, What};
use hearthline_house::thing::State;
use hearthline_speaker::skill::{Event, Reply, Skill as _};

use crate::household::{Home, area, english, thing};

/// Two rooms with players, said in the hall.
fn home() -> Home {
    let mut home = Home::new("Hall", &["hub"]);
    let loud = |state: &str| State::new(state).with("volume_level", 0.45);
    let things = vec![
        thing(
            "media_player.kitchen",
            "Kitchen Speaker",
            "Kitchen",
            loud("playing"),
        ),
        thing(
            "media_player.counter",
            "Counter Radio",
            "Kitchen",
            loud("paused"),
        ),
        thing(
            "media_player.living",
            "Living Room Radio",
            "Living Room",
            State::new("playing"),
        ),
        thing("media_player.hall", "Hall Speaker", "Hall", loud("playing")),
        thing(
            "light.living",
            "Floor Lamp",
            "Living Room",
            State::new("on"),
        ),
    ];
    let areas = ["Kitchen", "Living Room", "Hall", "Garage"];
    let areas = areas.map(|name| area(name, "Ground Floor")).into();
    home.tell("hub", What::Things { areas, things });
    home.tell("hub", What::Up);
    home.now = Duration::from_secs(1);
    home.skill.handle(Event::Timeout, home.now);
    home.deeds();
    home
}

fn say(home: &mut Home, said: &str) -> (Reply, Vec<Order>) {
    let reply = home.say(said);
    let orders = home.orders().into_iter().flat_map(|of| of.orders);
    (reply, orders.collect())
}

#[test]
fn a_player_does_what_it_is_told_by_its_name_or_room() {
    if english().is_none() {
        return;
    }
    let kitchen = |told| vec![("media_player.kitchen", told)];
    for (said, told) in [
        (
            "pause the living room radio",
            vec![("media_player.living", Player::Pause)],
        ),
        ("pause the kitchen speaker", kitchen(Player::Pause)),
        (
            "resume the counter radio",
            vec![("media_player.counter", Player::Resume)],
        ),
        (
            "skip to the next song on the kitchen speaker",
            kitchen(Player::Next),
        ),
        (
            "set the kitchen speaker volume to 30%",
            kitchen(Player::Volume(30)),
        ),
        (
            "turn down the kitchen speaker volume by 20%",
            kitchen(Player::Volume(25)),
        ),
        (
            "turn up the living room radio volume",
            vec![("media_player.living", Player::Louder)],
        ),
        (
            "mute the living room radio",
            vec![("media_player.living", Player::Mute(true))],
        ),
        // Of a room: what plays there, or what paused.
        ("pause the music in the kitchen", kitchen(Player::Pause)),
        (
            "resume the music in the kitchen",
            vec![("media_player.counter", Player::Resume)],
        ),
    ] {
        let mut home = home();
        let (reply, orders) = say(&mut home, said);
        assert!(matches!(reply, Reply::Later(_)), "{said}: {reply:?}");
        let orders: Vec<(&str, Command)> = orders
            .iter()
            .map(|order| (order.thing.as_str(), order.command.clone()))
            .collect();
        let told: Vec<(&str, Command)> = told
            .into_iter()
            .map(|(thing, told)| (thing, Command::Player(told)))
            .collect();
        assert_eq!(orders, told, "{said}");
    }
}

#[test]
fn the_music_of_this_room_and_of_rooms_without_players_is_none_of_the_houses() {
    if english().is_none() {
        return;
    }
    for said in [
        "pause",
        "next song",
        "turn up the volume",
        "pause the music in the hall",
        "pause the music in the garage",
    ] {
        let mut home = home();
        let (reply, orders) = say(&mut home, said);
        assert_eq!((reply, orders.len()), (Reply::Other, 0), "{said}");
    }
}
