//! Folders of this machine, played by the speaker itself.
use std::path::Path;
use std::time::Duration;

use hearthline_speaker::config::MusicSettings;
use hearthline_speaker::skill::Engaged;

use crate::home::Home;
use crate::sounds::{folder, have, wave};

fn settings(root: &Path) -> MusicSettings {
    MusicSettings {
        folders: vec![root.to_owned()],
        ..MusicSettings::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_for_is_heard() {
    if !have("lame") {
        return;
    }
    let root = tempfile::tempdir().unwrap();
    folder(root.path());
    let mut home = Home::new(settings(root.path()));
    home.knows(4).await;
    assert_eq!(home.ask("what's playing").await, "Nothing is playing.");
    assert_eq!(
        home.ask("play the album lamp light").await,
        "Playing the album Lamplight by The Brass Kettles."
    );
    assert!(home.hears(400.0).await, "{:?}", home.pitch(200));
    assert_eq!(
        home.ask("what's playing").await,
        "This is First Lantern by The Brass Kettles, from Lamplight."
    );
    assert_eq!(home.shown["title"], "First Lantern");
    assert_eq!(home.ask("next").await, "");
    assert!(home.hears(700.0).await);
    assert_eq!(home.ask("previous track").await, "");
    assert!(home.hears(400.0).await);
    // The album goes on by itself.
    assert!(home.hears(700.0).await, "{:?}", home.pitch(200));
    assert_eq!(home.ask("pause").await, "");
    assert!(
        home.until(Duration::from_secs(1), |home| home.loudest(100) == 0)
            .await
    );
    assert_eq!(home.shown["state"], "paused");
    assert_eq!(home.ask("resume").await, "");
    assert!(home.hears(700.0).await);
    assert_eq!(home.ask("stop the music").await, "");
    assert!(
        home.until(Duration::from_secs(1), |home| home.loudest(100) == 0)
            .await
    );
    let which = home.ask("play copper morning").await;
    assert_eq!(
        which,
        "Which one: Copper Morning by Catherine Vale, or Copper Morning by Quiet Weather?"
    );
    assert_eq!(
        home.answer("the one by quiet weather").await,
        "Playing Copper Morning by Quiet Weather."
    );
    assert!(home.hears(1_300.0).await);
    assert_eq!(
        home.ask("play a song about geese").await,
        "no: I found no music called a song about geese."
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn bare_words_mean_the_music_while_there_is_some() {
    if !have("lame") {
        return;
    }
    let root = tempfile::tempdir().unwrap();
    folder(root.path());
    let mut home = Home::new(settings(root.path()));
    home.knows(4).await;
    for said in ["pause", "resume", "stop", "next", "again"] {
        assert_eq!(home.bare(said).await, None, "{said}");
    }
    home.ask("play the album lamp light").await;
    assert!(home.hears(400.0).await);
    let done = Some(String::new());
    assert_eq!(home.bare("Next.").await, done);
    assert!(home.hears(700.0).await);
    assert_eq!(home.bare("go back").await, done);
    assert!(home.hears(400.0).await);
    let silent = |home: &Home| home.loudest(100) == 0;
    assert_eq!(home.bare("pause, please").await, done);
    assert!(home.until(Duration::from_secs(1), silent).await);
    assert_eq!(home.bare("carry on").await, done);
    assert!(
        home.until(Duration::from_secs(2), |home| !silent(home))
            .await
    );
    assert_eq!(home.bare("stop").await, done);
    assert!(home.until(Duration::from_secs(1), silent).await);
    assert_eq!(home.bare("stop").await, None);
    assert_eq!(home.bare("continue").await, done, "where it was");
    assert!(
        home.until(Duration::from_secs(2), |home| !silent(home))
            .await
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn it_gives_way_and_comes_back() {
    if !have("lame") {
        return;
    }
    let root = tempfile::tempdir().unwrap();
    folder(root.path());
    let mut home = Home::new(settings(root.path()));
    home.knows(4).await;
    home.ask("play copper morning by catherine vale").await;
    home.ask("repeat this song").await;
    assert!(home.hears(1_000.0).await);
    home.wait(500).await;
    let loud = home.loudest(200);
    assert!(loud > 8_000, "{loud}");
    home.engaged(Engaged::Talking);
    home.wait(150).await;
    let soft = home.loudest(20);
    assert!(
        soft < loud / 4,
        "150 ms behind the wake word: {soft} of {loud}"
    );
    home.engaged(Engaged::Free);
    assert!(
        home.until(Duration::from_secs(1), |home| home.loudest(60) > 8_000)
            .await
    );
    home.engaged(Engaged::Emergency);
    home.wait(60).await;
    assert_eq!(home.loudest(20), 0, "an emergency call: silence");
    home.wait(500).await;
    assert_eq!(home.loudest(400), 0);
    home.engaged(Engaged::Free);
    assert!(
        home.until(Duration::from_secs(2), |home| home.loudest(60) > 8_000)
            .await,
        "it goes on afterwards"
    );
    assert!(home.sounds_like(1_000.0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_corrupt_file_is_told_and_the_next_plays() {
    let root = tempfile::tempdir().unwrap();
    let album = root.path().join("Quiet Weather/Rain");
    std::fs::create_dir_all(&album).unwrap();
    std::fs::write(
        album.join("01 - Broken Gutter.mp3"),
        "this is no music".repeat(40_000),
    )
    .unwrap();
    std::fs::write(album.join("02 - Empty Barrel.flac"), "").unwrap();
    wave(&album.join("03 - First Drops.wav"), 900.0, 2.0, 48_000);
    let mut home = Home::new(settings(root.path()));
    home.knows(3).await;
    assert_eq!(
        home.ask("play the album rain").await,
        "Playing the album Rain by Quiet Weather."
    );
    assert!(home.hears(900.0).await);
    assert_eq!(
        home.ask("what's playing").await,
        "This is First Drops by Quiet Weather, from Rain."
    );
    home.ask("stop the music").await;
    let why = home.ask("play broken gutter").await;
    assert_eq!(
        why,
        "no: I can't play Broken Gutter: it is no MP3, FLAC, WAV or Ogg Opus file."
    );
    // What breaks off later is told by itself.
    let whole = std::fs::read(album.join("03 - First Drops.wav")).unwrap();
    std::fs::write(album.join("04 - Torn Sail.wav"), &whole[..whole.len() / 2]).unwrap();
    home.ask("update my music library").await;
    home.knows(4).await;
    home.said.clear();
    home.ask("play torn sail").await;
    let told = home
        .until(Duration::from_secs(5), |home| !home.said.is_empty())
        .await;
    assert!(told, "{:?}", home.shown);
    assert_eq!(home.said, ["I can't play Torn Sail: the file is damaged."]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_place_and_the_sleep_timer_outlive_a_restart() {
    let root = tempfile::tempdir().unwrap();
    let album = root.path().join("Quiet Weather/Rain");
    std::fs::create_dir_all(&album).unwrap();
    wave(&album.join("01 - First Drops.wav"), 500.0, 30.0, 16_000);
    wave(&album.join("02 - Downpour.wav"), 800.0, 30.0, 16_000);
    let mut home = Home::new(settings(root.path()));
    home.knows(2).await;
    home.ask("play the album rain").await;
    assert_eq!(
        home.ask("set a sleep timer for 20 minutes").await,
        "The music will end in 20 minutes."
    );
    home.ask("next").await;
    assert!(home.hears(800.0).await);
    home.ask("pause").await;
    home.wait(100).await;
    let kept = home.kept.clone();
    drop(home);
    let mut home = Home::restored(settings(root.path()), &kept);
    home.knows(2).await;
    home.wait(300).await;
    assert_eq!(home.loudest(200), 0, "nothing begins by itself");
    assert_eq!(
        home.ask("how long is left on the sleep timer").await,
        "The music ends in 20 minutes."
    );
    assert_eq!(home.ask("resume the music").await, "");
    assert!(home.hears(800.0).await, "where it was");
    assert_eq!(
        home.ask("cancel the sleep timer").await,
        "The sleep timer is off."
    );
    let mut damaged = Home::restored(settings(root.path()), b"{\"queue\": 7}");
    damaged.knows(2).await;
    assert_eq!(damaged.ask("resume the music").await, "Nothing is playing.");
}
