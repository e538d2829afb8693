//! What callers of a trigger give: whatever comes is read within its limits, or refused.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../crates/hub/src/trigger/request.rs"]
mod request;

use request::{VALUE_CHARS_MAX, read};

fuzz_target!(|given: (&str, u8, bool, &[u8])| {
    let (query, kind, whole, body) = given;
    let kinds = [
        None,
        Some("application/json"),
        Some("application/x-www-form-urlencoded"),
    ];
    if let Ok(given) = read(query, kinds[usize::from(kind) % kinds.len()], body, whole) {
        for value in given.values.iter().chain([&given.json]) {
            assert!(value.chars().count() <= VALUE_CHARS_MAX);
        }
    }
});
