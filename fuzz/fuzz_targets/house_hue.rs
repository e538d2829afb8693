//! What a Hue bridge or a WLED controller says: lists, events of the stream, states. Slicing changes no event.
#![no_main]

use hearthline_house::hue::{self, EventData};
use hearthline_house::request::Answer;
use hearthline_house::wled;
use libfuzzer_sys::fuzz_target;

fn events(bytes: &[u8], slice: usize) -> Option<Vec<String>> {
    let mut data = EventData::default();
    let mut all = Vec::new();
    for chunk in bytes.chunks(slice) {
        all.extend(data.push(chunk).ok()?);
    }
    Some(all)
}

fuzz_target!(|bytes: &[u8]| {
    let Some((slice, bytes)) = bytes.split_first() else {
        return;
    };
    let whole = events(bytes, bytes.len().max(1));
    assert_eq!(whole, events(bytes, usize::from(*slice).max(1)));
    for event in whole.into_iter().flatten() {
        let _ = hue::event(&event);
    }
    let answer = Answer {
        status: 200,
        body: bytes.to_vec(),
    };
    if let Ok(list) = hue::data(&answer) {
        let _ = hue::things(&[list.clone(), list.clone(), list.clone(), list]);
    }
    let _ = wled::state(&answer);
});
