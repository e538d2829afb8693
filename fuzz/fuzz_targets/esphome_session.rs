//! Whatever a client of the native API sends before it has the key, and every message behind it: no panic.
#![no_main]
use core::time::Duration;
use std::sync::{Arc, OnceLock};

use hearthline_satellite::esphome::message::Request;
use hearthline_satellite::esphome::{About, Key, Output, Session};
use libfuzzer_sys::fuzz_target;

fn about() -> Arc<About> {
    static ABOUT: OnceLock<Arc<About>> = OnceLock::new();
    let about = ABOUT.get_or_init(|| {
        let key = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
        Arc::new(About {
            name: "kitchen".into(),
            friendly_name: "Kitchen".into(),
            mac: "02:00:5E:00:53:01".into(),
            wake_word: "alexa".into(),
            key: Key::parse(key).expect("32 bytes"),
        })
    });
    Arc::clone(about)
}

fuzz_target!(|bytes: &[u8]| {
    if let [kind, rest @ ..] = bytes {
        let _ = Request::read(u16::from(*kind), rest);
    }
    let mut session = Session::new(about(), Duration::ZERO);
    for part in bytes.chunks(11) {
        session.handle_bytes(part, Duration::ZERO);
        while !matches!(session.poll_output(), Output::Timeout(_)) {}
    }
});
