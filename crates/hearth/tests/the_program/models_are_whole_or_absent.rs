//! `hearth models`: whatever the package client does, a package is whole or absent.
//!
//! The client is a stand-in on the path; the wheels it leaves are real zip files.

use std::io::Write;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::program::{Home, names};

/// First package of the catalogue: its folder, file and sizes.
const FIRST: &str = "pymicro-wakeword-2.5.0";
const FILE: &str = "alexa.tflite";
const FILE_BYTES: usize = 55_856;
const WHEEL_BYTES: usize = 2_114_958;
/// How many packages the catalogue has.
const PACKAGES: usize = 6;

/// A `python3` that has pip, whose downloads do `script`; `$dest` is where the wheel must go.
fn client(home: &Home, script: &str) {
    home.program(
        "python3",
        &format!(
            "case \"$*\" in --version|*'pip --version') exit 0;; esac\n\
             for dest; do :; done\necho \"$*\" >> \"$HOME/calls\"\n{script}"
        ),
    );
}

/// Nothing but the staging folder lies in the models' folder.
fn assert_absent(home: &Home) {
    let found: Vec<String> = names(&home.models())
        .into_iter()
        .filter(|name| name != ".staging")
        .collect();
    assert!(found.is_empty(), "{found:?}");
    let list = home.run(&["models", "list"]);
    assert_eq!(
        (list.code, list.out.matches("MISSING").count()),
        (0, PACKAGES),
        "{}",
        list.out
    );
}

/// A zip with the file wanted in it, padded to the size of the real wheel.
fn forged_wheel(home: &Home) -> String {
    let path = home.path("forged.whl");
    let mut writer = zip::ZipWriter::new(std::fs::File::create(&path).unwrap());
    let options =
        zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    writer
        .start_file("pymicro_wakeword/models/alexa.tflite", options)
        .unwrap();
    writer.write_all(&vec![7; FILE_BYTES]).unwrap();
    let mut file = writer.finish().unwrap();
    file.flush().unwrap();
    file.set_len(WHEEL_BYTES as u64).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn without_python_it_says_what_to_install() {
    let home = Home::new();
    let ran = home.run(&["models", "install"]);
    assert_eq!(ran.code, 3);
    assert!(ran.err.contains("apt-get install python3"), "{}", ran.err);
    assert_absent(&home);
}

#[test]
fn without_a_network_it_ends_with_3_and_the_clients_words() {
    let home = Home::new();
    client(
        &home,
        "echo 'ERROR: Could not find a version that satisfies the requirement' >&2; exit 1",
    );
    let ran = home.run(&["models", "install"]);
    assert_eq!(ran.code, 3);
    assert!(
        ran.err.contains("pip: ERROR: Could not find a version"),
        "{}",
        ran.err
    );
    assert!(ran.err.contains("set HEARTH_MODELS"), "{}", ran.err);
    assert_absent(&home);
}

#[test]
fn the_client_is_told_the_version_the_digest_and_to_run_nothing() {
    let home = Home::new();
    client(
        &home,
        "cp \"$HOME/models/.staging/wanted.txt\" \"$HOME/wanted\"; exit 1",
    );
    home.run(&["models", "install"]);
    let calls = std::fs::read_to_string(home.path("calls")).unwrap();
    for asked in [
        "--only-binary=:all:",
        "--no-deps",
        "--require-hashes",
        "--platform manylinux_2_35_x86_64",
    ] {
        assert!(calls.contains(asked), "{asked}: {calls}");
    }
    let wanted = std::fs::read_to_string(home.path("wanted")).unwrap();
    assert!(
        wanted.starts_with("pymicro-wakeword==2.5.0 --hash=sha256:"),
        "{wanted}"
    );
}

#[test]
fn a_wheel_with_another_digest_is_not_installed() {
    let home = Home::new();
    let wheel = forged_wheel(&home);
    client(&home, &format!("cp '{wheel}' \"$dest/forged.whl\"; exit 0"));
    let ran = home.run(&["models", "install"]);
    assert_eq!(ran.code, 3, "{}", ran.err);
    assert_absent(&home);
}

#[test]
fn a_killed_install_leaves_nothing_half_and_can_be_repeated() {
    let home = Home::new();
    let wheel = forged_wheel(&home);
    client(
        &home,
        &format!(
            "head -c 100000 '{wheel}' > \"$dest/partial.whl\"; : > \"$HOME/begun\"; exec sleep 8"
        ),
    );
    let mut install = home
        .hearth()
        .args(["models", "install"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let started = Instant::now();
    while !home.path("begun").exists() {
        assert!(
            started.elapsed() < Duration::from_secs(30),
            "the download never began"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
    // Meanwhile a second install keeps its hands off.
    let second = home.run(&["models", "install"]);
    assert_eq!(second.code, 3);
    assert!(
        second
            .err
            .contains("another `hearth models install` is at work"),
        "{}",
        second.err
    );
    install.kill().unwrap();
    install.wait().unwrap();
    assert_absent(&home);
    // The lock went with the process, and the half wheel is not taken for a whole one.
    client(&home, "exit 1");
    let again = home.run(&["models", "install"]);
    assert_eq!(again.code, 3);
    assert!(
        again.err.contains("could not be downloaded"),
        "{}",
        again.err
    );
    assert_absent(&home);
}

#[test]
fn a_damaged_file_is_found_by_verify() {
    let home = Home::new();
    let folder = home.models().join(FIRST);
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join(FILE), vec![0; FILE_BYTES]).unwrap();
    // Its size is right, so a quick look does not see it.
    assert_eq!(
        home.run(&["models", "list"]).out.matches("MISSING").count(),
        PACKAGES - 1
    );
    let ran = home.run(&["models", "verify"]);
    assert_eq!(ran.code, 3);
    assert!(
        ran.out.contains("DAMAGED: alexa.tflite SHA-256 is"),
        "{}",
        ran.out
    );
    assert!(ran.err.contains("hearth models install"), "{}", ran.err);
    let json = home.run(&["models", "verify", "--json"]);
    let first: serde_json::Value = serde_json::from_str(json.out.lines().next().unwrap()).unwrap();
    assert_eq!(first["state"], "damaged");
}

#[test]
fn a_truncated_file_is_found_at_once() {
    let home = Home::new();
    let folder = home.models().join(FIRST);
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join(FILE), vec![0; FILE_BYTES - 1]).unwrap();
    let ran = home.run(&["models", "list"]);
    assert!(
        ran.out
            .contains("DAMAGED: alexa.tflite has 55855 bytes, should have 55856"),
        "{}",
        ran.out
    );
}

#[test]
fn hearth_models_names_the_folder_and_xdg_is_next() {
    let home = Home::new();
    let given = home.run(&["models", "list"]);
    assert_eq!(given.out.lines().next(), home.models().to_str());
    let xdg = home
        .hearth()
        .env_remove("HEARTH_MODELS")
        .args(["models", "list"])
        .output()
        .unwrap();
    assert!(
        String::from_utf8(xdg.stdout)
            .unwrap()
            .starts_with(home.path("data/hearthline/models").to_str().unwrap())
    );
    let bare = home
        .hearth()
        .env_remove("HEARTH_MODELS")
        .env_remove("XDG_DATA_HOME")
        .args(["models", "list"])
        .output()
        .unwrap();
    let bare = String::from_utf8(bare.stdout).unwrap();
    assert!(
        bare.starts_with(
            home.path(".local/share/hearthline/models")
                .to_str()
                .unwrap()
        ),
        "{bare}"
    );
}

#[test]
fn commands_that_need_models_end_with_3_when_they_cannot_come() {
    let home = Home::new();
    client(&home, "echo 'ERROR: no network' >&2; exit 1");
    for command in [
        &["say", "-o", "a.wav", "hello"][..],
        &["hear", "--dry-run", "a.wav"][..],
        &["bench"][..],
    ] {
        let ran = home.run(command);
        assert_eq!(ran.code, 3, "{command:?}: {}", ran.err);
        assert!(
            ran.err.contains("ERROR: no network"),
            "{command:?}: {}",
            ran.err
        );
    }
    assert!(!home.path("a.wav").exists());
}
