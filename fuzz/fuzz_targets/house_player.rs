//! A media player of a server that says to be Home Assistant: its attributes, one object a line, and what a search finds.
#![no_main]

use std::time::Duration;

use hearthline_house::home_assistant::{Client, Output};
use hearthline_speaker::player::{Asked, News, Order};
use libfuzzer_sys::fuzz_target;

const PLAYER: &str = "media_player.x";

fuzz_target!(|text: &str| {
    let now = Duration::ZERO;
    let mut client = Client::new(zeroize::Zeroizing::new("t".to_owned())).with_player(PLAYER);
    client.opened(now);
    client.handle_text(r#"{"type":"auth_required"}"#, now);
    client.handle_text(r#"{"type":"auth_ok"}"#, now);
    // Ids 1 to 4 follow the registries; 5 to 10 ask what is there, 11 the entries, 12 the states.
    for id in 5..=10 {
        let result = if id == 9 {
            format!(r#"[{{"entity_id":"{PLAYER}"}}]"#)
        } else {
            "null".to_owned()
        };
        client.handle_text(
            &format!(r#"{{"id":{id},"type":"result","success":true,"result":{result}}}"#),
            now,
        );
    }
    client.handle_text(
        r#"{"id":11,"type":"result","success":true,"result":{}}"#,
        now,
    );
    for (at, line) in text.lines().enumerate() {
        let kind = if at == 0 { "a" } else { "c" };
        let told = if at == 0 {
            line.to_owned()
        } else {
            format!(r#"{{"+":{line}}}"#)
        };
        client.handle_text(
            &format!(r#"{{"id":12,"type":"event","event":{{"{kind}":{{"{PLAYER}":{told}}}}}}}"#),
            now,
        );
        let order = Order::Search {
            words: "x".to_owned(),
            class: None,
        };
        client.play(&Asked {
            token: at as u64,
            order,
        });
        let id = 13 + at;
        client.handle_text(
            &format!(r#"{{"id":{id},"type":"result","success":true,"result":{{"response":{{"{PLAYER}":{line}}}}}}}"#),
            now,
        );
        while let Some(output) = client.poll_output() {
            if let Output::Player(News::State(state)) = output {
                assert!(state.percent.is_none_or(|percent| percent <= 100));
                assert!(state.title.chars().count() <= 200);
            }
        }
    }
    client.closed("over");
});
