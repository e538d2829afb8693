//! Datagrams: what is read must be written and read the same; no input may panic.
#![no_main]

use hearthline_sip::validate::{validate_request, validate_response};
use hearthline_sip::{Limits, Message, parse_datagram};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let limits = Limits::default();
    match parse_datagram(bytes, &limits) {
        Ok(message) => {
            match &message {
                Message::Request(request) => drop(validate_request(request)),
                Message::Response(response) => drop(validate_response(response)),
            }
            let mut headers = message.headers().clone();
            while headers.remove_top_via().is_ok() {}
            while headers.remove_first_route().is_ok() {}
            let _ = (headers.reasons(), headers.warnings(), headers.retry_after());
            let _ = (
                headers.expires(),
                headers.asserted_identities(),
                headers.geolocation_routing(),
            );
            let again = parse_datagram(&message.to_bytes(), &limits);
            // Canonical writing may be longer than a limit that the input just met.
            if let Ok(again) = again {
                assert_eq!(again, message);
            }
        }
        Err(error) => {
            // Copied rows may be longer than a limit only where the input was.
            if let Some(reply) = error
                .reply
                .filter(|_| bytes.len() < limits.header_line_bytes_max)
            {
                let _ =
                    parse_datagram(&reply.to_bytes(), &limits).expect("our reply is well formed");
            }
        }
    }
});
