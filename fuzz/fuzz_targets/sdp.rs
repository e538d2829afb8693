//! Session descriptions, and what offer/answer makes of hostile ones.
#![no_main]

use hearthline_sip::offer_answer::{LocalAudio, answer, answer_received, offer, reoffer};
use hearthline_sip::sdp::SessionDescription;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(description) = SessionDescription::parse(bytes) else {
        return;
    };
    assert_eq!(
        SessionDescription::parse(&description.to_bytes()).as_ref(),
        Ok(&description)
    );
    let local = LocalAudio::new([192, 0, 2, 1].into(), 4000);
    let _ = answer_received(&offer(&local, 1, 1), &description);
    let _ = reoffer(&description, &local);
    if let Ok((answered, _)) = answer(&description, &local, 1, 1) {
        assert_eq!(answered.media.len(), description.media.len());
        assert_eq!(
            SessionDescription::parse(&answered.to_bytes()),
            Ok(answered)
        );
    }
});
