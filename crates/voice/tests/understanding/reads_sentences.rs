//! Every sentence of `tests/sentences/` reads as the class that its file names.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test reads files and may fail"
)]
use hearthline_voice::understand::{AskReason, Country, Reading, RefusedClass, Reply, read};

/// A line: the country, the sentence, and its place for the message.
struct Line {
    country: Country,
    text: String,
    heading: String,
    place: String,
}

fn lines(file: &str, country: Country) -> Vec<Line> {
    let path = format!("{}/tests/sentences/{file}.txt", env!("CARGO_MANIFEST_DIR"));
    let content = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let mut heading = String::new();
    let mut out = Vec::new();
    for (number, line) in content.lines().enumerate() {
        if line.starts_with('#') || line.trim().is_empty() {
            continue;
        }
        if let Some(name) = line.strip_prefix('[') {
            name.trim_end_matches(']').clone_into(&mut heading);
            continue;
        }
        let (country, text) = match line.split_once(": ") {
            Some((code, text)) if code.len() == 2 => (code.parse().unwrap(), text),
            _ => (country, line),
        };
        out.push(Line {
            country,
            text: text.to_owned(),
            heading: heading.clone(),
            place: format!("{file}.txt:{}", number + 1),
        });
    }
    out
}

/// Checks a file: at least `least` sentences, each of which is as wanted. Lists all that are not.
fn check(file: &str, least: usize, right: impl Fn(&Reading) -> bool) {
    let all = lines(file, Country::UnitedStates);
    assert!(
        all.len() >= least,
        "{file}: {} sentences, {least} wanted",
        all.len()
    );
    let wrong: Vec<String> = all
        .iter()
        .map(|line| (line, read(&line.text, line.country)))
        .filter(|(_, reading)| !right(reading))
        .map(|(line, reading)| format!("{} {:?} reads as {reading:?}", line.place, line.text))
        .collect();
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        all.len(),
        wrong.join("\n")
    );
}

fn check_commands(file: &str, country: Country) {
    let all = lines(file, country);
    assert!(all.len() >= 60, "{file}: {} sentences", all.len());
    let mut wrong = Vec::new();
    for line in &all {
        let (name, silent) = match line.heading.split_once(' ') {
            Some((name, "quiet")) => (name, true),
            _ => (line.heading.as_str(), false),
        };
        let urn = if name == "sos" {
            "urn:service:sos".to_owned()
        } else {
            format!("urn:service:sos.{name}")
        };
        let reading = read(&line.text, line.country);
        let right = matches!(&reading, Reading::Command { service, quiet, .. } if service.urn() == urn && *quiet == silent);
        if !right {
            wrong.push(format!(
                "{} {:?} ({}) reads as {reading:?}",
                line.place, line.text, line.heading
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        all.len(),
        wrong.join("\n")
    );
}

#[test]
fn orders_of_the_united_states_call() {
    check_commands("command_us", Country::UnitedStates);
}

#[test]
fn orders_of_canada_call() {
    check_commands("command_ca", Country::Canada);
}

#[test]
fn orders_of_the_united_kingdom_call() {
    check_commands("command_gb", Country::UnitedKingdom);
}

#[test]
fn orders_of_the_european_union_call() {
    check_commands("command_eu", Country::EuropeanUnion);
}

#[test]
fn orders_of_australia_call() {
    check_commands("command_au", Country::Australia);
}

#[test]
fn each_refused_class_is_refused_under_its_name() {
    let mut failures = Vec::new();
    for wanted in RefusedClass::ALL {
        let result = std::panic::catch_unwind(|| {
            check(
                &format!("refused_{}", wanted.name()),
                30,
                |reading| matches!(reading, Reading::Refused { class, .. } if *class == wanted),
            );
        });
        if let Err(message) = result {
            failures.push(
                message
                    .downcast_ref::<String>()
                    .cloned()
                    .unwrap_or_default(),
            );
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

#[test]
fn what_may_be_an_order_asks_back() {
    let mut failures = Vec::new();
    for (wanted, least) in [
        (AskReason::PoliteQuestion, 30),
        (AskReason::PlainNeed, 30),
        (AskReason::SpokenAsDate, 15),
        (AskReason::Misheard, 30),
        (AskReason::Unclear, 30),
        (AskReason::OhBehind, 15),
    ] {
        let result = std::panic::catch_unwind(|| {
            check(
                &format!("ask_{}", wanted.name()),
                least,
                |reading| matches!(reading, Reading::Ask { why, .. } if *why == wanted),
            );
        });
        if let Err(message) = result {
            failures.push(
                message
                    .downcast_ref::<String>()
                    .cloned()
                    .unwrap_or_default(),
            );
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

#[test]
fn yes_in_many_words() {
    check("reply_yes", 30, |reading| {
        *reading == Reading::Reply(Reply::Yes)
    });
}

#[test]
fn no_in_many_words() {
    check("reply_no", 30, |reading| {
        *reading == Reading::Reply(Reply::No)
    });
}

#[test]
fn cancel_in_many_words() {
    check("reply_cancel", 30, |reading| {
        *reading == Reading::Reply(Reply::Cancel)
    });
}

#[test]
fn hanging_up_takes_explicit_words() {
    check("hang_up_emergency", 15, |reading| {
        *reading == Reading::HangUpEmergency
    });
}

#[test]
fn questions_about_calls_are_answered_not_dialled() {
    for (name, least) in [
        ("EmergencyStatus", 30),
        ("EmergencyReadiness", 20),
        ("GetTime", 10),
        ("CrisisLine", 25),
    ] {
        check(
            &format!("intent_{name}"),
            least,
            |reading| matches!(reading, Reading::Intent(intent) if intent.name == name),
        );
    }
}

#[test]
fn everyday_sentences_neither_call_nor_ask() {
    check("everyday", 189, |reading| {
        !matches!(
            reading,
            Reading::Command { .. } | Reading::Ask { .. } | Reading::HangUpEmergency
        )
    });
}

#[test]
fn refused_and_everyday_sentences_call_in_no_country() {
    let mut files: Vec<String> = RefusedClass::ALL
        .into_iter()
        .map(|class| format!("refused_{}", class.name()))
        .collect();
    files.extend(
        [
            "everyday",
            "intent_EmergencyStatus",
            "intent_EmergencyReadiness",
            "intent_CrisisLine",
            "intent_GetTime",
        ]
        .map(str::to_owned),
    );
    let mut count = 0;
    for file in &files {
        for line in lines(file, Country::UnitedStates) {
            for country in Country::ALL {
                // Another country's number is this country's order: that is what the setting is for.
                let by_number = file == "refused_foreign_number" || file == "refused_other_number";
                if by_number && country != line.country {
                    continue;
                }
                let reading = read(&line.text, country);
                assert!(
                    !matches!(reading, Reading::Command { .. }),
                    "{country}: {} {:?}: {reading:?}",
                    line.place,
                    line.text
                );
                count += 1;
            }
        }
    }
    assert!(count > 3_000, "only {count} readings were checked");
}
