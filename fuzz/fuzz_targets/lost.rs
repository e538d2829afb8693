//! LoST requests and answers, and the cache file: no bytes make a reader panic.
#![no_main]

use hearthline_emergency::lost::{LostRequest, LostResponse};
use hearthline_emergency::lost_client::{LostClient, LostConfig};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(request) = LostRequest::parse(bytes) {
        let _ = LostRequest::parse(&request.to_bytes());
    }
    if let Ok(response) = LostResponse::parse(bytes) {
        let _ = LostResponse::parse(&response.to_bytes());
    }
    let mut client = LostClient::new(LostConfig::default());
    let _ = client.restore(bytes);
    let _ = client.cache_bytes();
});
