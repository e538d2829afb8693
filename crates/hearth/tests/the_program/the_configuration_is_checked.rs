//! `hearth config`: everything that is wrong, at its place, and never a value.

use crate::program::{Home, Ran};
use crate::scene;

const WRONG: &str = r#"[device]
name = "Kitchen"
country = "US"

[emergency]
cancel_window_s = 20

[person]
name = "Juniper"
callback = "5550199"

[[line]]
name = "trunk"
uri = "sip:sip.example.com"
"#;

#[test]
fn everything_that_is_wrong_is_told_with_line_and_column() {
    let home = Home::new();
    std::fs::write(home.path("home.toml"), WRONG).unwrap();
    let ran = home.run(&["config", "check", "home.toml"]);
    assert_eq!(ran.code, 1, "{}", ran.err);
    insta::assert_snapshot!(ran.out);
    let json = home.run(&["config", "check", "home.toml", "--json"]);
    assert_eq!(json.code, 1);
    let told: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(told["valid"], false);
    assert_eq!(told["faults"].as_array().unwrap().len(), 3, "{told}");
    assert_eq!(told["faults"][0]["line"], 6);
    for word in ["Juniper", "5550199"] {
        assert!(
            !ran.out.contains(word) && !json.out.contains(word),
            "{word}"
        );
    }
}

#[test]
fn the_file_is_found_where_people_put_it() {
    let home = Home::new();
    let none = home.run(&["config", "check"]);
    assert_eq!(none.code, 3, "{}", none.out);
    assert!(none.err.contains("household.toml"), "{}", none.err);
    let folder = home.path(".config/hearthline");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("household.toml"), "[device]\nname = \n").unwrap();
    let broken = home.run(&["config", "check"]);
    assert_eq!(broken.code, 1, "{}", broken.err);
    assert!(broken.out.contains("household.toml:2:"), "{}", broken.out);
    std::fs::write(
        folder.join("household.toml"),
        include_str!("../../../../docs/household.toml"),
    )
    .unwrap();
    let whole = home.run(&["config", "check"]);
    assert_eq!(whole.code, 0, "{}", whole.out);
    let places = home.run(&["config", "places"]);
    assert_eq!(places.code, 0);
    assert!(places.out.contains("is read"), "{}", places.out);
    assert_eq!(home.run(&["config", "check", "none.toml"]).code, 2);
}

#[test]
fn shells_and_man_know_every_command() {
    let home = Home::new();
    for shell in ["bash", "zsh", "fish"] {
        let ran = home.run(&["completions", shell]);
        assert_eq!(ran.code, 0, "{}", ran.err);
        assert!(
            ran.out.contains("doctor") && ran.out.contains("verify"),
            "{shell}"
        );
    }
    std::fs::create_dir(home.path("man1")).unwrap();
    let ran = home.run(&["man", "man1"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let page = std::fs::read_to_string(home.path("man1/hearth-hub-invite.1")).unwrap();
    assert!(page.contains(".TH hearth-hub-invite 1"), "{page}");
    assert_eq!(home.run(&["man", "nowhere"]).code, 2);
}

#[test]
fn a_routine_that_no_sentence_reads_is_told_at_its_place() {
    let Some(models) = scene::models().filter(|models| {
        models
            .join("home-assistant-intents-2026.10.27/en.json")
            .exists()
    }) else {
        assert!(
            std::env::var_os("CI").is_none(),
            "no sentences: run `hearth models install`"
        );
        println!("skipped: run `hearth models install`");
        return;
    };
    let home = Home::new();
    let checked = |action: &str| -> Ran {
        let text = format!(
            "[device]\nname = \"Kitchen\"\ncountry = \"US\"\n[person]\nname = \"Drill\"\n\
             [[routine]]\nname = \"night\"\nphrases = [\"good night\"]\ndo = [\"set a timer for 5 minutes\", \"{action}\"]\n"
        );
        std::fs::write(home.path("home.toml"), text).unwrap();
        let mut command = home.hearth();
        command.args(["config", "check", "home.toml"]);
        command
            .env("HEARTH_MODELS", &models)
            .output()
            .unwrap()
            .into()
    };
    // Also what only a house with a thing of that name can read.
    for action in [
        "turn off all the lights",
        "turn on the reading lamp",
        "set the bedroom to 20 degrees",
        "wake me at seven",
        "what is the weather tomorrow",
        "add milk to the shopping list",
    ] {
        let ran = checked(action);
        assert_eq!(ran.code, 0, "{action}: {}", ran.out);
    }
    for (action, why) in [
        (
            "sing me a song of the sea",
            "sentence 2: no everyday sentence reads it",
        ),
        ("call 911", "no routine comes near a call for help"),
        (
            "get me an ambulance",
            "no routine comes near a call for help",
        ),
        ("call 505 555 0123", "a routine does neither"),
    ] {
        let ran = checked(action);
        assert_eq!(ran.code, 1, "{action}: {}", ran.out);
        assert!(
            ran.out.contains("home.toml:9:1: [routine] night do: "),
            "{}",
            ran.out
        );
        assert!(ran.out.contains(why), "{}", ran.out);
    }
}
