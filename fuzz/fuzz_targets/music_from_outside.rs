//! Tags of files, heads and titles of stations, lists, answers of servers: any bytes are borne, within their bounds.
#![no_main]
use core::time::Duration;

use hearthline_music::snapcast::{Output, Rooms};
use hearthline_music::stream::{Titles, addresses, head};
use hearthline_music::{subsonic, tags};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((first, bytes)) = data.split_first() else {
        return;
    };
    match first % 5 {
        0 => {
            let _ = tags::read(bytes);
        }
        1 => {
            let _ = head(bytes);
            let _ = addresses(bytes);
        }
        2 => {
            let (mut whole, mut cut) = (Vec::new(), Vec::new());
            Titles::new(Some(7)).split(bytes, &mut whole);
            let mut titles = Titles::new(Some(7));
            for part in bytes.chunks(3) {
                titles.split(part, &mut cut);
            }
            assert_eq!(whole, cut);
        }
        3 => {
            if let Ok(inside) = subsonic::answer(bytes) {
                let _ = (
                    subsonic::songs(&inside),
                    subsonic::playlists(&inside),
                    subsonic::pieces(&inside),
                );
            }
        }
        _ => {
            let mut rooms = Rooms::new("Kitchen");
            rooms.handle_timeout(Duration::ZERO);
            rooms.handle_connected(Duration::ZERO);
            rooms.handle_room(1, "bedroom", true, Duration::ZERO);
            rooms.handle_bytes(bytes, Duration::ZERO);
            while !matches!(rooms.poll_output(), Output::Timeout(_)) {}
        }
    }
});
