//! Messages of a server that says to be Home Assistant, one a line, after it has let us in.
#![no_main]

use std::time::Duration;

use hearthline_house::home_assistant::Client;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let mut client = Client::new(zeroize::Zeroizing::new("t".to_owned()));
    client.opened(Duration::ZERO);
    client.handle_text(r#"{"type":"auth_required"}"#, Duration::ZERO);
    client.handle_text(r#"{"type":"auth_ok"}"#, Duration::ZERO);
    for (at, line) in text.lines().enumerate() {
        let now = Duration::from_secs(at as u64);
        client.handle_text(line, now);
        client.handle_timeout(now);
        while client.poll_output().is_some() {}
    }
    client.closed("over");
});
