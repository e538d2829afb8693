//! Packets from anybody into an SRTP receiver, and anything at all into a sender.
#![no_main]

use hearthline_media::srtp::{SrtpProfile, SrtpReceiver, SrtpSender};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    for profile in [
        SrtpProfile::Aes128CmSha1_80,
        SrtpProfile::AeadAes128Gcm,
        SrtpProfile::AeadAes256Gcm,
    ] {
        let key = vec![9; profile.key_and_salt_bytes()];
        let (Ok(mut sender), Ok(mut receiver)) = (
            SrtpSender::new(profile, &key),
            SrtpReceiver::new(profile, &key),
        ) else {
            unreachable!("the key has the right length");
        };
        let (_, _) = (
            receiver.unprotect_rtp(bytes),
            receiver.unprotect_rtcp(bytes),
        );
        if let Ok(sealed) = sender.protect_rtp(bytes) {
            assert_eq!(receiver.unprotect_rtp(&sealed).as_deref(), Ok(bytes));
            assert!(receiver.unprotect_rtp(&sealed).is_err());
        }
        if let Ok(sealed) = sender.protect_rtcp(bytes) {
            assert_eq!(receiver.unprotect_rtcp(&sealed).as_deref(), Ok(bytes));
            assert!(receiver.unprotect_rtcp(&sealed).is_err());
        }
    }
});
