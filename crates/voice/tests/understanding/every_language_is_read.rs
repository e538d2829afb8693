//! Every language of the package compiles whole, and its responses are templates that can be rendered.
#![allow(clippy::disallowed_methods, reason = "tests read files")]
use crate::language_files::{compiled, intents, languages};
use hearthline_voice::understand::sentences::Responses;

#[test]
fn every_file_compiles_without_a_complaint() {
    let Some(intents) = intents() else { return };
    let all = languages(&intents);
    assert_eq!(all.len(), 65);
    let mut templates = 0;
    for language in all {
        let (program, complaints) = compiled(&intents, &language);
        assert_eq!(complaints, [], "{language}");
        assert!(program.templates() > 10, "{language}");
        assert!(
            program.bytes() < 12_000_000,
            "{language}: {} bytes",
            program.bytes()
        );
        templates += program.templates();
    }
    assert_eq!(templates, 24_349);
}

#[test]
fn every_response_can_be_read() {
    let Some(intents) = intents() else { return };
    let responses = Responses::new();
    let mut broken = Vec::new();
    let mut count = 0;
    for language in languages(&intents) {
        let (program, _) = compiled(&intents, &language);
        for (intent, key, template) in program.responses() {
            count += 1;
            if let Err(why) = responses.check(template) {
                broken.push(format!("{language} {intent}/{key}: {why}"));
            }
        }
    }
    assert_eq!(count, 3_765);
    assert!(
        broken.is_empty(),
        "{} of {count}:\n{}",
        broken.len(),
        broken.join("\n")
    );
}
