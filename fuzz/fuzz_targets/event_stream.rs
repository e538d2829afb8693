//! A stream of events gives the same events however it is cut, and never holds more than one event of the largest size
//! and what came with it.
#![no_main]
use hearthline_speaker::io::event_stream::{Event, EventText};
use libfuzzer_sys::fuzz_target;

fn read<'a>(parts: impl Iterator<Item = &'a [u8]>) -> (Vec<Event>, bool) {
    let mut text = EventText::default();
    let mut events = Vec::new();
    for part in parts {
        if text.push(part).is_err() {
            return (events, false);
        }
        while let Some(event) = text.next_event() {
            events.push(event);
        }
    }
    (events, true)
}

fuzz_target!(|data: &[u8]| {
    let Some((first, stream)) = data.split_first() else {
        return;
    };
    let (whole, fits) = read(std::iter::once(stream));
    let (cut, cut_fits) = read(stream.chunks(usize::from(*first).max(1)));
    if fits && cut_fits {
        assert_eq!(whole, cut);
    }
});
