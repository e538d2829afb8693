//! What the ledger costs: an entry, a signed head, a check.
#![allow(clippy::unwrap_used, reason = "in a test a panic is the answer")]
#![allow(missing_docs, reason = "criterion's macros")]

#[path = "../tests/the_record/story/mod.rs"]
mod story;

use criterion::{Criterion, criterion_group, criterion_main};
use hearthline_ledger::*;
use story::*;

fn append(c: &mut Criterion) {
    let mut device = Device::new();
    let mut ms = 0;
    c.bench_function("append one entry", |b| {
        b.iter(|| {
            ms += 1;
            let human = Human {
                action: "yes".into(),
                by: "speech".into(),
                effect: None,
            };
            device.log.append(human, stamp(ms), None, false).unwrap()
        });
    });
    c.bench_function("sign one checkpoint", |b| {
        b.iter(|| device.log.checkpoint(stamp(ms)).unwrap());
    });
}

fn check(c: &mut Criterion) {
    let story = Story::new(60);
    let bundle = story.bundle();
    let policy = county_policy();
    c.bench_function("verify a bundle with 60 s of sound", |b| {
        b.iter(|| verify(&bundle, &policy));
    });
    c.bench_function("recover a log of 100 entries", |b| {
        b.iter(|| StoredLog::read(&story.device.stored, ORIGIN, identity().public()).unwrap());
    });
}

criterion_group!(benches, append, check);
criterion_main!(benches);
