//! The recogniser's vocabulary: any bytes give a vocabulary or an error, and its tokens can be read and joined.
#![no_main]

use hearthline_voice::transcribe::Vocabulary;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(vocabulary) = Vocabulary::read(bytes) {
        let last = u32::try_from(vocabulary.len()).expect("limited") - 1;
        let text = vocabulary.decode(&[0, 1, 2, 3, last, last + 1, u32::MAX]);
        assert!(text.len() <= 3 * bytes.len() + 3);
        assert!(vocabulary.find(vocabulary.text(last)).is_some());
    }
});
