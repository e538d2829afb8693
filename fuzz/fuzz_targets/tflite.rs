//! Wake-word models: any bytes are read or refused; what is accepted runs without a panic, in bounded time and memory.
#![no_main]
use hearthline_voice::clock::SampleIndex;
use hearthline_voice::wake::{WakeConfig, WakeWord};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|model: &[u8]| {
    let Ok(mut word) = WakeWord::new(model, WakeConfig::default()) else {
        return;
    };
    for index in 0..20_u64 {
        let frame = core::array::from_fn(|i| (i as i16).wrapping_mul(331 + index as i16));
        word.handle_frame(&frame, SampleIndex(index * 160));
        assert!(word.probability().is_finite());
    }
});
