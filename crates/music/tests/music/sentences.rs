//! Our own sentences beside all of Home Assistant's: each is read as what it is, and none of theirs is taken away.
use hearthline_music::sentences;
use hearthline_speaker::skill::agenda;
use hearthline_voice::understand::sentences::{Grammar, House, NumberWords, Program};
use serde_json::{Value, json};

/// Home Assistant's English sentences with all of ours; none where the models are not installed.
fn program() -> Option<(Program, Value)> {
    let set = std::env::var_os("HEARTH_MODELS").map(std::path::PathBuf::from);
    let data = std::env::var_os("XDG_DATA_HOME").map(std::path::PathBuf::from);
    let home =
        std::env::var_os("HOME").map(|home| std::path::PathBuf::from(home).join(".local/share"));
    let folder = set.or(data.or(home).map(|data| data.join("hearthline/models")))?;
    let Ok(bytes) = std::fs::read(folder.join("home-assistant-intents-2026.10.27/en.json")) else {
        assert!(
            std::env::var_os("CI").is_none(),
            "no sentences: run `hearth models install`"
        );
        eprintln!("skipped: run `hearth models install`");
        return None;
    };
    let mut grammar = Grammar::new("en");
    grammar.add_json("en.json", &bytes);
    for file in agenda::sentences_of("en").chain(sentences::of("en")) {
        grammar.add_ours(file.name, file.yaml);
    }
    let (program, complaints) = Program::compile(&grammar, &NumberWords::default());
    assert!(complaints.is_empty(), "{complaints:?}");
    let house =
        json!({"areas": [{"name": "Bedroom"}, {"name": "Kitchen"}], "context_area": "Kitchen"});
    Some((program, house))
}

#[test]
fn each_sentence_is_read_as_what_it_is() {
    let Some((program, house)) = program() else {
        return;
    };
    let house = House::from_json(&house).unwrap();
    let (lists, context) = (house.lists(), house.context());
    let mut wrong = Vec::new();
    for (said, wanted) in [
        (
            "play copper morning by catherine vale",
            "HassMediaSearchAndPlay",
        ),
        ("play some jazz", "HassMediaSearchAndPlay"),
        ("play the album lamplight", "HassMediaSearchAndPlay"),
        ("play radio seagull", "HassMediaSearchAndPlay"),
        ("play jazz in the bedroom", "HassMediaSearchAndPlay"),
        ("play some music", "HassMediaSearchAndPlay"),
        ("play jazz on shuffle", "MusicPlay"),
        ("shuffle lamplight", "MusicPlay"),
        ("put on some jazz", "MusicPlay"),
        ("turn on the radio", "MusicPlay"),
        ("what's playing", "MusicWhat"),
        ("what song is this", "MusicWhat"),
        ("who sings this", "MusicWhat"),
        ("pause", "HassMediaPause"),
        ("stop", "HassMediaPause"),
        ("pause the music", "HassMediaPause"),
        ("stop the music", "HassMediaPause"),
        ("turn off the radio", "MusicStop"),
        ("turn the music off", "MusicStop"),
        ("resume", "HassMediaUnpause"),
        ("resume the music", "HassMediaUnpause"),
        ("next", "HassMediaNext"),
        ("next song", "HassMediaNext"),
        ("skip this song", "HassMediaNext"),
        ("previous track", "HassMediaPrevious"),
        ("play this song again", "MusicAgain"),
        ("shuffle", "MusicShuffle"),
        ("turn off shuffle", "MusicShuffle"),
        ("repeat this song", "MusicRepeat"),
        ("turn repeat off", "MusicRepeat"),
        ("turn the music down", "MusicVolume"),
        ("set the music volume to 40 percent", "MusicVolume"),
        ("turn the volume up", "HassSetVolumeRelative"),
        ("stop the music in 20 minutes", "MusicSleep"),
        ("set a sleep timer for 45 minutes", "MusicSleep"),
        ("turn off the music in half an hour", "MusicSleep"),
        ("cancel the sleep timer", "MusicSleepCancel"),
        ("how long is left on the sleep timer", "MusicSleepLeft"),
        ("move the music to the bedroom", "MusicMove"),
        ("play the music everywhere", "MusicMove"),
        ("what radio stations are there", "MusicStations"),
        ("update my music library", "MusicRescan"),
        // And what is not ours stays where it was.
        ("set a timer for 20 minutes", "HassStartTimer"),
        ("turn off the lights in 20 minutes", "HassStartTimer"),
        ("turn on the lights", "HassTurnOn"),
        ("cancel the timer", "HassCancelTimer"),
        ("wake me at seven", "AlarmSet"),
        ("stop the stopwatch", "StopwatchStop"),
    ] {
        match program.recognise(said, &lists, &context) {
            Some(meant) if meant.intent == wanted && meant.rivals.is_empty() => {}
            Some(meant) => wrong.push(format!(
                "{said}: {} {:?}, not {wanted}",
                meant.intent, meant.rivals
            )),
            None => wrong.push(format!("{said}: nothing, not {wanted}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
