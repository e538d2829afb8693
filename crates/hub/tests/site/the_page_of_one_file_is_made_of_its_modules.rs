//! `verify.html` is what `verify/assemble.mjs` makes of the modules beside it.

use std::process::Command;

#[test]
fn the_committed_page_is_the_present_one() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/web/verify/assemble.mjs");
    match Command::new("node").args([script, "--check"]).output() {
        Ok(output) => assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        ),
        Err(error) if std::env::var_os("CI").is_none() => {
            println!("skipped: node cannot be started ({error}); install nodejs");
        }
        Err(error) => panic!("node cannot be started ({error}); install nodejs"),
    }
}
