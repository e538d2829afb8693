//! URIs and addresses: the canonical form is a fixed point.
#![no_main]

use hearthline_sip::{NameAddr, Uri};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(uri) = Uri::parse(bytes) {
        assert!(uri.equivalent(&uri));
        assert_eq!(Uri::parse(uri.to_string()), Ok(uri));
    }
    if let Ok(text) = std::str::from_utf8(bytes)
        && let Ok(address) = NameAddr::parse(text)
    {
        assert_eq!(NameAddr::parse(&address.to_string()), Ok(address));
    }
});
