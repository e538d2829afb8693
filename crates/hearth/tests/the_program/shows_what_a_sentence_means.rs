//! `hearth match`: what a sentence means, in a house, in rows, with the owner's own files.
use std::path::Path;

use crate::program::{Home, Ran};
use crate::scene;

/// The program with the installed sentences, or nothing after saying that the test is skipped.
fn ran(home: &Home, arguments: &[&str]) -> Option<Ran> {
    let models = scene::models().filter(|models| {
        models
            .join("home-assistant-intents-2026.10.27/en.json")
            .exists()
    });
    let Some(models) = models else {
        assert!(
            std::env::var_os("CI").is_none(),
            "no sentences: run `hearth models install`"
        );
        println!("skipped: run `hearth models install`");
        return None;
    };
    let mut command = home.hearth();
    Some(
        command
            .arg("match")
            .args(arguments)
            .env("HEARTH_MODELS", models)
            .output()
            .unwrap()
            .into(),
    )
}

fn write(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

#[test]
fn in_a_house() {
    let home = Home::new();
    write(
        &home.path("home.json"),
        r#"{"areas": [{"name": "Kitchen"}], "entities": [{"name": "Back Door", "domain": "lock", "state": "locked"}]}"#,
    );
    let Some(ran) = ran(
        &home,
        &[
            "--house",
            "home.json",
            "--area",
            "Kitchen",
            "turn",
            "on",
            "the",
            "lights",
        ],
    ) else {
        return;
    };
    assert_eq!(ran.code, 0, "{}", ran.err);
    for part in [
        "HassTurnOn (domain_only)",
        "area = Kitchen (by the room)",
        "why       the package's sentence",
    ] {
        assert!(ran.out.contains(part), "{part}: {}", ran.out);
    }
    // Compiled once, then read from the cache.
    let kept = std::fs::read_dir(home.path(".cache/hearthline"))
        .unwrap()
        .count();
    assert_eq!(kept, 1);
    let again = self::ran(
        &home,
        &[
            "--house",
            "home.json",
            "--area",
            "Kitchen",
            "turn on the lights",
        ],
    )
    .unwrap();
    assert_eq!(again.out, ran.out);
}

#[test]
fn what_means_nothing_ends_with_1() {
    let home = Home::new();
    let Some(ran) = ran(&home, &["purple", "monkeys"]) else {
        return;
    };
    assert_eq!(ran.code, 1);
    assert!(
        ran.out.contains("no sentence of this language matches"),
        "{}",
        ran.out
    );
    let ran = self::ran(&home, &["call 911"]).unwrap();
    assert_eq!(ran.code, 1);
    assert!(
        ran.out
            .contains("the emergency reading takes this sentence"),
        "{}",
        ran.out
    );
}

#[test]
fn in_rows_with_a_house_each() {
    let home = Home::new();
    write(
        &home.path("rows.jsonl"),
        concat!(
            r#"{"id": 1, "sentence": "cancel all kitchen timers", "fixtures": {"areas": [{"name": "Kitchen"}]}, "timers": [{"area": "Kitchen"}]}"#,
            "\n",
            r#"{"id": "b", "sentence": "set volume to twenty five percent"}"#,
            "\n",
            r#"{"id": 3, "sentence": "purple monkeys"}"#,
            "\n"
        ),
    );
    let Some(ran) = ran(
        &home,
        &["--json", "--language", "en", "--rows", "rows.jsonl"],
    ) else {
        return;
    };
    assert_eq!(ran.code, 0, "{}", ran.err);
    let lines: Vec<&str> = ran.out.lines().collect();
    assert_eq!(
        lines[0],
        r#"{"id":1,"intent":"HassCancelAllTimers","slot_combination":"area_only","slots":{"area":"Kitchen"},"response":"Canceled 1 timer in Kitchen."}"#
    );
    assert!(
        lines[1].starts_with(r#"{"id":"b","intent":"HassSetVolume""#),
        "{}",
        lines[1]
    );
    assert!(lines[1].contains(r#""volume_level":25"#), "{}", lines[1]);
    assert_eq!(
        lines[2],
        r#"{"id":3,"intent":null,"slot_combination":null,"slots":{},"response":null}"#
    );
}

#[test]
fn with_own_sentences_and_what_is_wrong_with_them() {
    let home = Home::new();
    write(
        &home.path("config/custom_sentences/en/mine.yaml"),
        "language: en\nintents:\n  Sing:\n    data:\n      - sentences:\n          - 'sing {song}'\n          - 'broken (one'\nlists:\n  song:\n    wildcard: true\n",
    );
    let Some(ran) = ran(&home, &["--custom", "config", "sing happy birthday"]) else {
        return;
    };
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(
        ran.out.contains("slot      song = happy birthday"),
        "{}",
        ran.out
    );
    assert!(
        ran.err.contains("mine.yaml:7: Sing: \"broken (one\""),
        "{}",
        ran.err
    );
}

#[test]
fn wrong_input_is_named() {
    let home = Home::new();
    let Some(ran) = ran(&home, &["--language", "xx", "hello"]) else {
        return;
    };
    assert_eq!(ran.code, 2);
    assert!(
        ran.err
            .contains("there are no sentences for xx; there are af, ar"),
        "{}",
        ran.err
    );
    write(
        &home.path("rows.jsonl"),
        "{\"sentence\": \"a\"}\nnonsense\n",
    );
    let ran = self::ran(&home, &["--rows", "rows.jsonl"]).unwrap();
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("rows.jsonl:2:"), "{}", ran.err);
}

#[test]
fn questions_of_ours_are_read_beside_the_packages() {
    let home = Home::new();
    let questions = [
        ("what's the weather", "HassGetWeather", ""),
        (
            "what's the weather like tomorrow",
            "HassGetWeather",
            "tomorrow",
        ),
        (
            "what is the weather going to be this weekend",
            "HassGetWeather",
            "weekend",
        ),
        ("what's the forecast for friday", "HassGetWeather", "friday"),
        ("weather report", "HassGetWeather", ""),
        ("how's the weather outside", "HassGetWeather", ""),
        ("will it rain tomorrow", "WeatherRain", "tomorrow"),
        ("is it going to rain on saturday", "WeatherRain", "saturday"),
        ("do i need an umbrella", "WeatherRain", ""),
        ("is it raining", "WeatherRain", ""),
        ("will it snow tonight", "WeatherSnow", "today"),
        ("how cold is it outside", "WeatherTemperature", ""),
        (
            "how warm will it be tomorrow",
            "WeatherTemperature",
            "tomorrow",
        ),
        ("what's the temperature outside", "WeatherTemperature", ""),
        ("is it windy outside", "WeatherWind", ""),
        ("what can you do", "WhatCanYouDo", ""),
        ("what did you hear", "HeardWhat", ""),
        ("what did you just hear me say", "HeardWhat", ""),
        ("why did you do that", "WhyDone", ""),
        ("why did you say that", "WhyDone", ""),
        ("what made you do that", "WhyDone", ""),
    ];
    let rows: Vec<String> = questions
        .iter()
        .map(|(said, _, _)| serde_json::json!({"id": said, "sentence": said}).to_string())
        .collect();
    write(&home.path("rows.jsonl"), &rows.join("\n"));
    let Some(ran) = ran(
        &home,
        &["--json", "--language", "en", "--rows", "rows.jsonl"],
    ) else {
        return;
    };
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!(ran.err, "", "no sentence is complained about");
    for (line, (said, intent, day)) in ran.out.lines().zip(questions) {
        let read: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(read["intent"], intent, "{said}: {line}");
        assert_eq!(
            read["slots"]["day"].as_str().unwrap_or_default(),
            day,
            "{said}: {line}"
        );
    }
}

#[test]
fn what_stands_in_no_sentence_file() {
    let home = Home::new();
    let Some(redial) = ran(&home, &["--json", "redial"]) else {
        return;
    };
    assert_eq!(redial.code, 0, "{}", redial.err);
    assert!(
        redial.out.contains(r#""intent":"CallRedial""#),
        "{}",
        redial.out
    );
    let call = ran(&home, &["call", "Anna's", "mobile"]).unwrap();
    assert!(call.out.contains("CallStart"), "{}", call.out);
    assert!(call.out.contains("before any sentence"), "{}", call.out);
    let sum = ran(&home, &["what is 15 percent of 80"]).unwrap();
    assert_eq!(sum.code, 0, "{}", sum.out);
    assert!(sum.out.contains("12"), "{}", sum.out);
    let other = ran(&home, &["the weather was fine"]).unwrap();
    assert_eq!(other.code, 1, "{}", other.out);
    // The emergency reading has it, and nothing else looks at it.
    let help = ran(&home, &["call 911"]).unwrap();
    assert_eq!(help.code, 1, "{}", help.out);
    assert!(help.out.contains("emergency reading"), "{}", help.out);
}
