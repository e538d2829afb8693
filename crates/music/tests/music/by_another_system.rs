//! Music by a player that another system owns: what the sentences come to, what is said, who pauses for whom.
use std::time::Duration;

use hearthline_music::io::Household;
use hearthline_speaker::config::{MusicSettings, StationSettings};
use hearthline_speaker::player::{Doing, News, Order, State, Wired, ends};
use hearthline_speaker::skill::Engaged;

use crate::home::Home;

/// Longest that anything may take here.
const WAIT: Duration = Duration::from_secs(30);

/// The player: it does what it is told, and says so.
struct Stand {
    wired: Wired,
    state: State,
}

impl Stand {
    async fn is(&self) {
        let news = News::State(self.state.clone());
        self.wired.tell.send(news).await.unwrap();
    }

    /// The next thing that it is told, done or not.
    async fn told(&mut self, fails: Option<&str>) -> Order {
        let asked = tokio::time::timeout(WAIT, self.wired.asked.recv()).await;
        let asked = asked.expect("it is told something").unwrap();
        match &asked.order {
            Order::Pause => self.state.doing = Doing::Paused,
            Order::Stop => self.state.doing = Doing::Stopped,
            Order::Resume | Order::Url(_) | Order::Search { .. } => {
                self.state.doing = Doing::Playing;
            }
            Order::Volume(percent) => self.state.percent = Some(*percent),
            _ => {}
        }
        let token = asked.token;
        let news = match fails {
            Some(why) => News::Failed {
                token,
                why: why.to_owned(),
            },
            None => News::Done { token },
        };
        self.wired.tell.send(news).await.unwrap();
        self.is().await;
        asked.order
    }
}

fn home(more: MusicSettings) -> (Home, Stand) {
    let (orderer, wired) = ends();
    let music = MusicSettings {
        home_assistant: Some("media_player.kitchen".into()),
        ..more
    };
    let home = Home::with_remote(music, &[], Some(orderer));
    let state = State {
        title: "Harbours".into(),
        artist: "Catherine Vale".into(),
        percent: Some(50),
        ..State::default()
    };
    (home, Stand { wired, state })
}

async fn shows(home: &mut Home, key: &str, value: &str) {
    let so = home.until(WAIT, |home| home.shown[key] == value).await;
    assert!(so, "{key} is not {value}: {}", home.shown);
}

#[tokio::test]
async fn what_is_said_reaches_it_and_what_it_plays_is_said() {
    let (mut home, mut stand) = home(MusicSettings::default());
    stand.is().await;
    home.wait(100).await;
    assert_eq!(home.ask("pause").await, "Nothing is playing.");
    for (said, answer, order, state) in [
        (
            "play harbours",
            "Playing harbours.",
            Order::Search {
                words: "harbours".into(),
                class: None,
            },
            "playing",
        ),
        ("next track", "", Order::Next, "playing"),
        ("previous track", "", Order::Previous, "playing"),
        ("pause", "", Order::Pause, "paused"),
        ("resume", "", Order::Resume, "playing"),
        (
            "set the music volume to 30 percent",
            "",
            Order::Volume(30),
            "playing",
        ),
    ] {
        let (said, told) = tokio::join!(home.ask(said), stand.told(None));
        assert_eq!((said.as_str(), &told), (answer, &order));
        shows(&mut home, "state", state).await;
    }
    assert_eq!(home.shown["player"], "home_assistant");
    assert_eq!(
        home.ask("what is playing").await,
        "This is Harbours by Catherine Vale."
    );
    // What it refuses is said with its reason.
    let (said, _) = tokio::join!(
        home.ask("play nothing known"),
        stand.told(Some("it finds nothing of that name"))
    );
    assert_eq!(
        said,
        "no: The player of Home Assistant did not: it finds nothing of that name."
    );
    // It gives way to words and comes back as loud as it was.
    home.engaged(Engaged::Talking);
    assert_eq!(stand.told(None).await, Order::Volume(6));
    home.engaged(Engaged::Free);
    assert_eq!(stand.told(None).await, Order::Volume(30));
    home.engaged(Engaged::OnCall);
    assert_eq!(stand.told(None).await, Order::Pause);
    home.engaged(Engaged::Free);
    assert_eq!(stand.told(None).await, Order::Resume);
    // And when it is gone, that is said.
    let why = "nobody answers there".to_owned();
    stand.wired.tell.send(News::Away { why }).await.unwrap();
    shows(&mut home, "state", "stopped").await;
    assert_eq!(
        home.ask("resume").await,
        "no: I can't reach the player of Home Assistant: nobody answers there."
    );
}

#[tokio::test]
async fn a_station_plays_there_where_it_is_preferred() {
    let station = StationSettings {
        name: "Radio Seagull".into(),
        url: "http://127.0.0.1:9/seagull".into(),
    };
    let (mut home, mut stand) = home(MusicSettings {
        stations: vec![station],
        ..MusicSettings::default()
    });
    home.until(WAIT, |home| !home.shown.is_null()).await;
    let (said, told) = tokio::join!(home.ask("play radio seagull"), stand.told(None));
    assert_eq!(said, "Playing Radio Seagull.");
    assert_eq!(told, Order::Url("http://127.0.0.1:9/seagull".into()));
}

#[test]
fn it_is_preferred_only_where_nothing_else_plays() {
    let with = |music: MusicSettings| Household {
        music: MusicSettings {
            home_assistant: Some("media_player.kitchen".into()),
            ..music
        },
        room: "Kitchen".into(),
        remote: None,
        rooms: hearthline_speaker::player::Rooms::default(),
    };
    assert!(
        with(MusicSettings::default())
            .music
            .prefers_home_assistant()
    );
    let folders = vec!["/srv/music".into()];
    let own = with(MusicSettings {
        folders: folders.clone(),
        ..MusicSettings::default()
    });
    assert!(!own.music.prefers_home_assistant());
    let asked = with(MusicSettings {
        folders,
        player: Some("home_assistant".into()),
        ..MusicSettings::default()
    });
    assert!(asked.music.prefers_home_assistant() && !asked.music.prefers_mpd());
}
