//! Our own sentences, in the language of Home Assistant's templates.

/// A file of templates.
#[derive(Debug, Clone, Copy)]
pub struct SentenceFile {
    /// Language ("en").
    pub language: &'static str,
    /// Its name, for complaints.
    pub name: &'static str,
    /// YAML, as an owner's own sentences would be.
    pub yaml: &'static str,
}

/// Every file of ours.
pub const FILES: [SentenceFile; 4] = [
    SentenceFile {
        language: "en",
        name: "agenda.yaml",
        yaml: include_str!("../data/en/agenda.yaml"),
    },
    SentenceFile {
        language: "en",
        name: "finding.yaml",
        yaml: include_str!("../data/en/finding.yaml"),
    },
    SentenceFile {
        language: "en",
        name: "knowing.yaml",
        yaml: include_str!("../data/en/knowing.yaml"),
    },
    SentenceFile {
        language: "en",
        name: "weather.yaml",
        yaml: include_str!("../data/en/weather.yaml"),
    },
];

/// Those of a language.
pub fn of(language: &str) -> impl Iterator<Item = SentenceFile> {
    FILES
        .into_iter()
        .filter(move |file| file.language == language)
}
