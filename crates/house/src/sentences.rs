//! Our own sentences, in the language of Home Assistant's templates.
use hearthline_speaker::skill::agenda::SentenceFile;

/// Every file of ours.
const FILES: [SentenceFile; 1] = [SentenceFile {
    language: "en",
    name: "house.yaml",
    yaml: include_str!("../data/en/house.yaml"),
}];

/// Those of a language.
pub fn of(language: &str) -> impl Iterator<Item = SentenceFile> {
    FILES
        .into_iter()
        .filter(move |file| file.language == language)
}
