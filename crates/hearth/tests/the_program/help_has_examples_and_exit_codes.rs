//! What `--help` says is what scripts and people rely on.

use crate::program::Home;

const COMMANDS: [&[&str]; 15] = [
    &["verify"],
    &["config", "check"],
    &["config", "places"],
    &["completions"],
    &["man"],
    &["say"],
    &["doctor"],
    &["bench"],
    &["hub"],
    &["hub", "invite"],
    &["hub", "add-phone"],
    &["hub", "contacts"],
    &["models"],
    &["models", "install"],
    &["models", "verify"],
];

#[test]
fn of_every_command() {
    let home = Home::new();
    for command in COMMANDS {
        let ran = home.run(&[command, &["--help"]].concat());
        assert_eq!(ran.code, 0, "{command:?}");
        insta::assert_snapshot!(format!("help_{}", command.join("_")), home.plain(&ran.out));
    }
}

#[test]
fn a_wrong_command_line_is_refused() {
    let home = Home::new();
    assert_eq!(home.run(&["say"]).code, 2);
    assert_eq!(home.run(&["dance"]).code, 2);
    // 2 would say that the evidence was tampered with.
    assert_eq!(home.run(&["verify"]).code, 3);
    assert_eq!(home.run(&["verify", "--dance"]).code, 3);
    assert_eq!(home.run(&["verify", "--help"]).code, 0);
}

#[test]
fn a_reader_who_goes_away_is_no_error() {
    let home = Home::new();
    let mut child = home
        .hearth()
        .args(["models", "list"])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
