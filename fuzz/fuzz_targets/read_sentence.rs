//! Any text is read without a panic, and nothing without a verb of calling becomes an order.
#![no_main]
use hearthline_voice::understand::{Country, Reading, read};
use libfuzzer_sys::fuzz_target;

/// The verbs that an order may begin with.
const VERBS: [&str; 23] = [
    "call",
    "dial",
    "phone",
    "ring",
    "contact",
    "telephone",
    "get",
    "reach",
    "put",
    "patch",
    "connect",
    "make",
    "place",
    "start",
    "give",
    "send",
    "summon",
    "fetch",
    "alert",
    "notify",
    "radio",
    "calling",
    "hold",
];

fuzz_target!(|data: &[u8]| {
    let Some((first, rest)) = data.split_first() else {
        return;
    };
    let country = Country::ALL[usize::from(*first) % Country::ALL.len()];
    let text = String::from_utf8_lossy(rest);
    if let Reading::Command { words, .. } = read(&text, country) {
        assert!(
            words.split(' ').any(|word| VERBS.contains(&word)),
            "{words:?}"
        );
    }
});
