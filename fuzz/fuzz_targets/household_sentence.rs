//! Any text is read without a panic, and no slot that says whom to reach names an emergency number.
#![no_main]
use hearthline_voice::understand::household::{Directory, INTENTS, KnownNames, choice, read};
use hearthline_voice::understand::{Country, Reading};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((first, rest)) = data.split_first() else {
        return;
    };
    let country = Country::ALL[usize::from(*first) % Country::ALL.len()];
    let text = String::from_utf8_lossy(rest);
    let names = KnownNames::new(["Anna", "Anna Smith", "Kitchen", "Police", "911"]);
    let known = (*first >= 128).then_some(&names);
    let _ = choice(&text, &["Anna Smith", "Anna Jones"]);
    let mut directory = Directory::default();
    let _ = directory.add_person("Anna Smith", 1);
    let _ = directory.add_person(&text, 2);
    let _ = directory.find(&text);
    let Some(intent) = read(&text, country, known) else {
        return;
    };
    assert!(INTENTS.contains(&intent.name.as_str()));
    let reading = hearthline_voice::understand::read(&text, country);
    assert!(!matches!(
        reading,
        Reading::Command { .. } | Reading::Ask { .. }
    ));
    if let Some(number) = intent.slots.get("number") {
        assert!(number.trim_start_matches('+').len() >= 5, "{number}");
        assert!(
            !number.starts_with("911") && !number.starts_with("999"),
            "{number}"
        );
    }
    if let Some(who) = intent.slots.get("who") {
        assert!(
            !who.to_lowercase().split(' ').any(|word| word == "police"),
            "{who}"
        );
    }
});
