//! `docs/rfc6881.md` names a test for each row it claims: the rows exist in RFC 6881, and the tests exist here.
#![allow(clippy::disallowed_methods, clippy::unwrap_used)] // a test may read files and run programs

use std::collections::BTreeSet;
use std::path::Path;

#[test]
fn every_row_and_every_test_exists() {
    let crate_dir = Path::new(env!("CARGO_MANIFEST_DIR"));
    let table = std::fs::read_to_string(crate_dir.join("../../docs/rfc6881.md")).unwrap();
    let mut tests = String::new();
    for folder in [
        "tests/calling_for_help",
        "src",
        "src/call",
        "src/call/machine",
        "src/lost_client",
        "src/lost",
    ] {
        for entry in std::fs::read_dir(crate_dir.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "rs") {
                tests.push_str(&std::fs::read_to_string(path).unwrap());
            }
        }
    }
    let mut rows = BTreeSet::new();
    for line in table.lines().filter(|line| line.starts_with("| ED-")) {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        rows.insert(cells[1].to_owned());
        for test in cells[3]
            .split(',')
            .map(|test| test.trim().trim_matches('`'))
        {
            assert!(
                tests.contains(&format!("fn {test}(")),
                "{}: no test {test}",
                cells[1]
            );
        }
    }
    assert!(rows.len() >= 20, "{} rows", rows.len());
    let Some(root) = crate::support::conformance() else {
        return;
    };
    let requirements = std::fs::read_to_string(root.join("rfc6881-requirements.tsv")).unwrap();
    for row in rows {
        let known = requirements.lines().any(|line| {
            let id = line.split('\t').next().unwrap_or("");
            id.split('/').any(|part| part == row)
        });
        assert!(known, "{row} is no requirement of RFC 6881");
    }
}
