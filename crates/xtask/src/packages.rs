//! The Debian packages that the tests use: real peers, independent voices, a schema validator.
use std::process::{Command, Stdio};

use crate::step::{Outcome, call};

/// Package, the program that shows it is there, and what it is for.
const PACKAGES: &[(&str, &str, &str)] = &[
    ("g++", "g++", "libFuzzer"),
    (
        "sip-tester",
        "sipp",
        "call-taker and caller of the interop tests",
    ),
    (
        "kamailio",
        "kamailio",
        "proxy between device and call-taker",
    ),
    (
        "kamailio-tls-modules",
        "/usr/lib/x86_64-linux-gnu/kamailio/modules/tls.so",
        "the same over TLS",
    ),
    ("baresip", "baresip", "softphone that answers"),
    ("linphone-cli", "linphonec", "softphone that answers"),
    ("flite", "flite", "independent voices"),
    ("espeak-ng", "espeak-ng", "independent voices"),
    ("libxml2-utils", "xmllint", "schemas"),
    (
        "dbus-daemon",
        "dbus-daemon",
        "private bus for the modem's stand-in",
    ),
    (
        "modemmanager",
        "ModemManager",
        "the real service, with a modem that is a script",
    ),
    (
        "modemmanager-dev",
        "/usr/share/dbus-1/interfaces/org.freedesktop.ModemManager1.Modem.Voice.xml",
        "descriptions of a modem's interfaces",
    ),
    ("mosquitto", "mosquitto", "lights by a real MQTT broker"),
    (
        "mosquitto-clients",
        "mosquitto_pub",
        "devices on that broker",
    ),
    ("mpd", "mpd", "music by the real daemon"),
    ("lame", "lame", "MP3 files for the player"),
    ("snapserver", "snapserver", "music in several rooms"),
    ("snapclient", "snapclient", "a room of them"),
    ("nodejs", "node", "the page that checks bundles"),
    ("npm", "npm", "what drives the browser"),
    ("chromium", "chromium", "the site in a browser"),
];

/// Installs what is missing when root; says what is missing otherwise.
pub(crate) fn install() -> Outcome {
    let missing: Vec<_> = PACKAGES
        .iter()
        .filter(|(_, program, _)| !is_there(program))
        .collect();
    if missing.is_empty() {
        println!("all there");
        return Ok(());
    }
    for (package, _, purpose) in &missing {
        println!("missing: {package} ({purpose})");
    }
    let names: Vec<&str> = missing.iter().map(|(package, ..)| *package).collect();
    if !is_root() {
        println!("Not root: the tests that need these say so and are skipped. Install them with:");
        println!(
            "  sudo apt-get install --no-install-recommends {}",
            names.join(" ")
        );
        return Ok(());
    }
    let install = || {
        call(Command::new("apt-get").arg("update").arg("-qq"))?;
        call(
            Command::new("apt-get")
                .args(["install", "-y", "-qq", "--no-install-recommends"])
                .args(&names)
                .env("DEBIAN_FRONTEND", "noninteractive")
                .stdout(Stdio::null()),
        )
    };
    // A mirror that is being updated fails once and works the next time.
    install().or_else(|_| install())
}

fn is_there(program: &str) -> bool {
    if program.starts_with("/usr/share/") {
        return std::path::Path::new(program).exists();
    }
    if program.starts_with('/') {
        // The library folder carries the machine's name; any of them will do.
        let tail = program.rsplit("/kamailio/").next().unwrap_or(program);
        return ["x86_64-linux-gnu", "aarch64-linux-gnu"]
            .iter()
            .any(|machine| {
                std::path::Path::new(&format!("/usr/lib/{machine}/kamailio/{tail}")).exists()
            });
    }
    std::env::var_os("PATH").is_some_and(|path| {
        std::env::split_paths(&path)
            .chain(["/usr/sbin".into()])
            .any(|folder| folder.join(program).is_file())
    })
}

fn is_root() -> bool {
    Command::new("id")
        .arg("-u")
        .output()
        .is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}
