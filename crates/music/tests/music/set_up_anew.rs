//! A configuration that comes while music plays: what has not changed plays on, and what is new is there at once.
use std::time::Duration;

use hearthline_speaker::config::{MpdSettings, MusicSettings, StationSettings};
use hearthline_speaker::player::{Doing, News, Order, State, ends};
use hearthline_speaker::skill::Engaged;

use crate::home::Home;
use crate::sounds::wave;

/// Longest that anything may take here.
const WAIT: Duration = Duration::from_secs(30);

fn station(name: &str) -> StationSettings {
    StationSettings {
        name: name.into(),
        url: "http://127.0.0.1:9/".into(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_plays_from_a_folder_plays_on_while_stations_and_servers_come_and_go() {
    let root = tempfile::tempdir().unwrap();
    wave(&root.path().join("Long Tone.wav"), 500.0, 120.0, 16_000);
    let first = MusicSettings {
        folders: vec![root.path().to_owned()],
        ..MusicSettings::default()
    };
    let mut home = Home::new(first.clone());
    home.knows(1).await;
    assert_eq!(home.ask("play long tone").await, "Playing Long Tone.");
    assert!(home.hears(500.0).await);
    let none = home.ask("what stations are there").await;
    assert!(none.starts_with("No radio stations"), "{none}");
    // A station, and a player whose server nobody runs.
    let mpd = MpdSettings {
        address: "127.0.0.1:9".parse().unwrap(),
        password_file: None,
    };
    let second = MusicSettings {
        stations: vec![station("Radio Seagull")],
        mpd: Some(mpd),
        ..first.clone()
    };
    assert_eq!(home.control.reload(second, None), [""; 0]);
    let so = |home: &Home| home.missing.iter().any(|why| why.contains("M P D"));
    assert!(home.until(WAIT, so).await, "{:?}", home.missing);
    assert_eq!(
        home.ask("what stations are there").await,
        "There is one station: Radio Seagull."
    );
    assert_eq!(home.shown["title"], "Long Tone");
    // And away again, also while somebody speaks.
    home.engaged(Engaged::Talking);
    assert_eq!(home.control.reload(first, None), [""; 0]);
    assert!(home.until(WAIT, |home| home.missing.is_empty()).await);
    home.engaged(Engaged::Free);
    assert!(home.hears(500.0).await);
    assert_eq!(home.states.last().unwrap(), "playing");
    let begun = home.states.iter().filter(|state| *state == "playing");
    assert_eq!(begun.count(), 1, "it played on: {:?}", home.states);
    // Nothing at all any more: it ends, and says so when it is asked.
    let nothing = MusicSettings::default();
    assert_eq!(home.control.reload(nothing, None), [""; 0]);
    let ended = |home: &Home| home.shown["state"] == "stopped" && home.loudest(100) == 0;
    assert!(home.until(WAIT, ended).await, "{}", home.shown);
    let refused = home.ask("play long tone").await;
    assert!(refused.starts_with("no: "), "{refused}");
}

#[tokio::test]
async fn a_player_of_another_system_comes_is_another_one_and_goes() {
    let mut home = Home::new(MusicSettings::default());
    let named = |entity: &str| MusicSettings {
        home_assistant: Some(entity.into()),
        ..MusicSettings::default()
    };
    let playing = |title: &str| {
        News::State(State {
            doing: Doing::Playing,
            title: title.into(),
            ..State::default()
        })
    };
    // What it does not tell is not soft: it is held while somebody speaks, though it came only now.
    home.engaged(Engaged::Talking);
    let (orderer, mut first) = ends();
    home.control
        .reload(named("media_player.kitchen"), Some(orderer));
    first.tell.send(playing("Harbours")).await.unwrap();
    let asked = tokio::select! {
        asked = first.asked.recv() => asked,
        _ = home.until(WAIT, |_| false) => None,
    };
    assert_eq!(asked.map(|asked| asked.order), Some(Order::Pause));
    let shown = |title: &'static str| move |home: &Home| home.shown["title"] == title;
    assert!(home.until(WAIT, shown("Harbours")).await, "{}", home.shown);
    // Something else of the file: the same player stays.
    let more = MusicSettings {
        stations: vec![station("Radio Seagull")],
        ..named("media_player.kitchen")
    };
    home.control.reload(more, None);
    first.tell.send(playing("Lamplight")).await.unwrap();
    assert!(home.until(WAIT, shown("Lamplight")).await, "{}", home.shown);
    // Another one: the first is let go.
    let (orderer, second) = ends();
    home.control
        .reload(named("media_player.hall"), Some(orderer));
    second.tell.send(playing("First Lantern")).await.unwrap();
    assert!(
        home.until(WAIT, shown("First Lantern")).await,
        "{}",
        home.shown
    );
    let gone = tokio::time::timeout(WAIT, first.tell.closed()).await;
    assert!(gone.is_ok(), "nobody hears the first any more");
    home.control.reload(MusicSettings::default(), None);
    let stopped = |home: &Home| home.shown["state"] == "stopped";
    assert!(home.until(WAIT, stopped).await, "{}", home.shown);
}
