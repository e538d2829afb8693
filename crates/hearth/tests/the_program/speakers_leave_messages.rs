//! Two speakers of a home as programs, with the real hub between them: a voice message is left by voice, shown by the
//! light, and played when it is asked for.

use crate::scene::models_are_absent;
use crate::speakers_call_each_other::{Home, Speaker, spoken, telephone, transcribed};

#[test]
fn a_message_is_spoken_in_the_hall_and_played_in_the_kitchen() {
    if models_are_absent() {
        return;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let home = runtime.block_on(Home::start());
    let (hall_folder, hall_config) = runtime.block_on(home.speaker("Hall"));
    let (kitchen_folder, kitchen_config) = runtime.block_on(home.speaker("Kitchen"));
    let sounds = home.folder.path();
    let send = spoken(sounds, "send", "Alexa, send a message to the kitchen.");
    let says = "The soup is ready, and the table is set for four.";
    let message = spoken(sounds, "message", says);
    let play = spoken(sounds, "play", "Alexa, play my messages.");

    let mut hall = Speaker::start(&hall_folder, &hall_config);
    let mut kitchen = Speaker::start(&kitchen_folder, &kitchen_config);
    for speaker in [&mut hall, &mut kitchen] {
        speaker.wait("names", |line| telephone(line, "names known"));
    }
    hall.hears(&send);
    let (_, heard) = hall.wait("sentence", |line| line["step"] == "heard");
    assert_eq!(heard["intent"], "MessageSend", "{heard}");
    hall.wait("recording", |line| telephone(line, "being recorded"));
    hall.hears(&message);
    let (sent_at, _) = hall.wait("sending", |line| telephone(line, "a message was sent"));
    let shown_at = kitchen.light("Unread");
    println!(
        "sent to shown: {} ms",
        shown_at.saturating_duration_since(sent_at).as_millis()
    );
    hall.wait("the answer", |line| {
        line["step"] == "said" && line["text"].as_str().unwrap().starts_with("Sent to")
    });
    kitchen.hears(&play);
    let (_, heard) = kitchen.wait("sentence", |line| line["step"] == "heard");
    assert_eq!(heard["intent"], "MessagePlay", "{heard}");
    kitchen.wait("playing", |line| telephone(line, "a message was heard"));
    kitchen.light("Off");
    let heard_in_kitchen = kitchen.end();
    hall.end();
    let text = transcribed(&heard_in_kitchen).to_lowercase();
    println!("heard in the kitchen: {text}");
    assert!(text.contains("table is set"), "{text}");
    runtime.block_on(home.hub.stop());
}
