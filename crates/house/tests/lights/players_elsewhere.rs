//! Media players of the house by their names and rooms; the music of this room is not the house's.
use core::time::Duration;

use hearthline_house::command::{Command, Player};
use hearthline_house::exchange::{Order, What};
use hearthline_house::skill::{ANSWER_MAX, HouseSkill};
use hearthline_house::thing::State;
use hearthline_house::wish::Wish;
use hearthline_speaker::player::Rooms;
use hearthline_speaker::skill::{Deed, Event, Reply, Skill as _};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::household::{Home, Running, area, english, thing};
use crate::stand_in::{Visitor, house};

/// `PLAY_MEDIA` with `SEARCH_MEDIA`, and without.
const SEARCHES: u64 = 4_194_304 + 512 + 1;
const PLAYS: u64 = 512 + 1;

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

/// The same with players that have told what they can.
fn with_music() -> Home {
    let mut home = home();
    let of = |state: &str, features: u64| State::new(state).with("supported_features", features);
    let states = vec![
        ("media_player.kitchen".to_owned(), of("idle", SEARCHES)),
        ("media_player.counter".to_owned(), of("paused", PLAYS)),
        ("media_player.living".to_owned(), of("playing", PLAYS)),
    ];
    home.tell("hub", What::States { states });
    home.deeds();
    home
}

fn wish(words: &str, class: Option<&str>) -> Wish {
    Wish {
        words: words.into(),
        class: class.map(str::to_owned),
    }
}

#[test]
fn a_player_is_given_what_it_looks_for_by_its_name_or_room() {
    if english().is_none() {
        return;
    }
    for (said, words, class) in [
        ("play jazz on the kitchen speaker", "jazz", None),
        ("play some jazz in the kitchen", "jazz", None),
        (
            "play the album harbours on the kitchen speaker",
            "harbours",
            Some("album"),
        ),
        (
            "play songs by catherine vale on the kitchen speaker in the kitchen",
            "catherine vale",
            Some("artist"),
        ),
    ] {
        let mut home = with_music();
        let (reply, orders) = say(&mut home, said);
        assert!(matches!(reply, Reply::Later(_)), "{said}: {reply:?}");
        let [order] = &orders[..] else {
            panic!("{said}: {orders:?}")
        };
        assert_eq!(order.thing, "media_player.kitchen", "{said}");
        assert_eq!(order.command, Command::Play(wish(words, class)), "{said}");
    }
    // Whatever there is: it goes on.
    let mut home = with_music();
    let (_, orders) = say(&mut home, "play something on the living room radio");
    assert_eq!(orders[0].thing, "media_player.living");
    assert_eq!(orders[0].command, Command::Player(Player::Resume));
}

#[test]
fn a_player_that_cannot_search_says_so_and_what_is_ours_stays_ours() {
    if english().is_none() {
        return;
    }
    for said in [
        "play jazz on the living room radio",
        "play jazz in the living room",
    ] {
        let mut home = with_music();
        let (reply, orders) = say(&mut home, said);
        let why = "The Living Room Radio cannot search for music.";
        assert_eq!(reply, Reply::Refused(why.into()), "{said}");
        assert_eq!(orders, [], "{said}");
    }
    for said in [
        "play jazz",
        "play jazz in the hall",
        "play jazz in the garage",
    ] {
        let mut home = with_music();
        assert_eq!(say(&mut home, said).0, Reply::Other, "{said}");
    }
    // The kitchen is a room of the music's own: without a player's name it is meant.
    let mut home = with_music();
    let rooms = Rooms::default();
    rooms.set(&["Kitchen".to_owned()]);
    let skill = core::mem::replace(&mut home.skill, HouseSkill::new(&[], ""));
    home.skill = skill.with_rooms_of_music(rooms);
    assert_eq!(say(&mut home, "play jazz in the kitchen").0, Reply::Other);
    let (reply, _) = say(&mut home, "play jazz on the kitchen speaker");
    assert!(matches!(reply, Reply::Later(_)), "{reply:?}");
}

#[test]
fn what_is_looked_for_long_is_said_to_be_and_what_comes_of_it_later_too() {
    if english().is_none() {
        return;
    }
    for fails in [true, false] {
        let mut home = with_music();
        let (reply, orders) = say(&mut home, "play jazz on the kitchen speaker");
        let Reply::Later(token) = reply else {
            panic!("{reply:?}")
        };
        home.now += ANSWER_MAX;
        home.skill.handle(Event::Timeout, home.now);
        let words =
            "I am still looking for jazz. It plays on the Kitchen Speaker as soon as it is found.";
        let reply = Reply::Words(words.into());
        assert!(home.deeds().contains(&Deed::Answer { token, reply }));
        let order = orders[0].id;
        let why = "it found nothing called jazz".to_owned();
        home.tell(
            "hub",
            if fails {
                What::Failed { order, why }
            } else {
                What::Done { order }
            },
        );
        let said: Vec<Deed> = home
            .deeds()
            .into_iter()
            .filter(|deed| matches!(deed, Deed::Say(_) | Deed::Answer { .. }))
            .collect();
        let why = "Kitchen Speaker: it found nothing called jazz.".to_owned();
        let expected = if fails { vec![Deed::Say(why)] } else { vec![] };
        assert_eq!(said, expected);
        assert_eq!(home.skill.poll_timeout(), None);
    }
}

#[tokio::test]
async fn each_message_of_a_search_is_as_home_assistant_documents_it() {
    if english().is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("token");
    std::fs::write(&token, "a-token-of-the-test\n").unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let sections = format!(
        "[home_assistant]\naddress = \"127.0.0.1:{port}\"\ntoken_file = \"{}\"\n",
        token.display()
    );
    let mut running = Running::new("Hall", &sections);
    let server = tokio::spawn(async move {
        let mut house = house();
        for (id, name, features) in [
            ("media_player.kitchen", "Kitchen Speaker", SEARCHES),
            ("media_player.radio", "Old Radio", PLAYS),
        ] {
            let attributes = json!({"friendly_name": name, "supported_features": features});
            house["states"][id] = json!({"s": "idle", "a": attributes});
            let known = json!({"entity_id": id, "state": "idle", "attributes": {}});
            house["get_states"].as_array_mut().unwrap().push(known);
        }
        let (stream, _) = listener.accept().await.unwrap();
        let mut visitor = Visitor::greet(Box::new(stream)).await;
        visitor.settle(&house).await;
        while let Some(asked) = visitor.hear().await {
            let words = asked["service_data"]["search_query"].clone();
            let mut answer = match words.as_str() {
                Some("jazz") => {
                    let found = json!([
                        {"title": "All of it", "media_class": "directory", "media_content_id": "x",
                         "media_content_type": "music", "can_play": false, "can_expand": true},
                        {"title": "Jazz", "media_class": "genre", "media_content_id": "library://genre/4",
                         "media_content_type": "genre", "can_play": true, "can_expand": false},
                    ]);
                    let response = json!({"media_player.kitchen": {"version": 1, "result": found}});
                    json!({"success": true, "result": {"context": {}, "response": response}})
                }
                Some("harbours") => {
                    let response = json!({"media_player.kitchen": {"version": 1, "result": []}});
                    json!({"success": true, "result": {"context": {}, "response": response}})
                }
                Some(_) => {
                    json!({"success": false, "error": {"code": "x", "message": "Not signed in"}})
                }
                None => json!({"success": true, "result": {"context": {}, "response": null}}),
            };
            (answer["id"], answer["type"]) = (asked["id"].clone(), "result".into());
            visitor.send(&answer).await;
            if words == "end" {
                break;
            }
        }
        visitor
    });
    running
        .until("the players are known", |running, _| {
            running
                .understood("play jazz on the old radio")
                .is_some_and(|meant| meant.slot("name").is_some())
        })
        .await;
    for (said, answer) in [
        (
            "play some jazz on the kitchen speaker",
            Reply::Words("Playing jazz on the Kitchen Speaker.".into()),
        ),
        (
            "play the album harbours on the kitchen speaker",
            Reply::Refused("Kitchen Speaker: it found nothing called harbours.".into()),
        ),
        (
            "play jazz on the old radio",
            Reply::Refused("The Old Radio cannot search for music.".into()),
        ),
        (
            "play end on the kitchen speaker",
            Reply::Refused("Kitchen Speaker: Not signed in.".into()),
        ),
    ] {
        assert_eq!(running.say(said).await.0, answer, "{said}");
    }
    let visitor = server.await.unwrap();
    let calls: Vec<Value> = visitor
        .said
        .iter()
        .filter(|asked| asked["type"] == "call_service")
        .map(|asked| {
            let mut asked = asked.clone();
            let id = asked.as_object_mut().unwrap().remove("id");
            assert!(id.is_some_and(|id| id.is_u64()));
            asked
        })
        .collect();
    let target = json!({"entity_id": "media_player.kitchen"});
    let call = |service: &str, data: Value| {
        json!({"type": "call_service", "domain": "media_player", "service": service, "service_data": data,
            "target": target})
    };
    let search = |data: Value| {
        let mut call = call("search_media", data);
        call["return_response"] = true.into();
        call
    };
    let found = json!({"media_content_id": "library://genre/4", "media_content_type": "genre"});
    let expected = [
        search(json!({"search_query": "jazz"})),
        call("play_media", found),
        search(json!({"search_query": "harbours", "media_filter_classes": ["album"]})),
        search(json!({"search_query": "end"})),
    ];
    assert_eq!(calls, expected);
    // Unplugged: which one, and why.
    drop(visitor);
    running
        .until("it is known to be gone", |running, _| {
            running.shown["systems"][0]["answers"] == false
        })
        .await;
    let (reply, _) = running.say("play jazz on the kitchen speaker").await;
    let Reply::Refused(why) = reply else {
        panic!("{reply:?}")
    };
    let begin = "Kitchen Speaker: Home Assistant cannot be reached, ";
    assert!(why.starts_with(begin), "{why}");
}
