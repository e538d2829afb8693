//! `hearth verify`: the check of an incident's bundle by a stranger, offline.
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use clap::Args;
use hearthline_ledger::{
    BUNDLE_BYTES_MAX, DeviceAnchor, Exit as LedgerExit, IdentityKey, KeyId, Report, TrustPolicy,
    Verdict, verify, verify_of_any_device,
};
use serde::Serialize;

use crate::exit::Exit;
use crate::place;
use crate::print::out;

/// Largest policy file, bytes.
const POLICY_BYTES_MAX: u64 = 1 << 20;
/// Largest cosigned head, bytes.
const HEAD_BYTES_MAX: u64 = 64 << 10;

/// Which bundle, and whom you trust.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    /// The bundle: `incident-….zip`.
    bundle: PathBuf,
    /// Devices and witnesses you know, one a line: `device ID`, `log KEY`, `witness NAME KEY`, `group …`, `quorum …`.
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// A device you know, by the key id on its enrolment card (64 hexadecimal digits). May be given more than once.
    #[arg(long, value_name = "KEY-ID")]
    device: Vec<String>,
    /// A cosigned head that a witness gave you: a bundle that contradicts it is a fork. May be given more than once.
    #[arg(long, value_name = "FILE")]
    head: Vec<PathBuf>,
    /// The folder of this machine's own device; it is known without --policy and --device.
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,
    /// One JSON object.
    #[arg(long)]
    json: bool,
}

const AFTER_HELP: &str = "\
One line for each claim: what is claimed, what became of it, and why. It holds, is unproven, \
cannot be proven by software, FAILS, or cannot be told. Nothing is asked of the network, and nothing in the bundle \
vouches for itself: whom you trust comes from --policy, --device, or from the device of this machine.

Examples:
  hearth verify incident-2026-11-22-a1.zip
  hearth verify --device 3f6c… incident-2026-11-22-a1.zip
  hearth verify --policy county.policy --json incident-2026-11-22-a1.zip

Exit codes of this command:
  0 intact, of a known device, witnessed, and bounded in time
  1 intact, but unwitnessed, without time bounds, or of a device you did not name
  2 tampered: something was changed, or contradicts what you know
  3 cannot tell: not a bundle that this version reads, or a file or an argument is wrong";

/// Whom the person who checks trusts, and how that came about.
struct Trust {
    policy: TrustPolicy,
    /// The only anchor is this machine's own device, which nobody named.
    implied: bool,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> Exit {
    match check(arguments) {
        Ok(report) => {
            show(&report, arguments);
            exit_of(report.exit)
        }
        Err(why) => {
            eprintln!("hearth: {why}");
            Exit::Missing
        }
    }
}

/// Ends the program over a wrong command line. For `verify` that is 3, because its 2 says that evidence was tampered with.
pub(crate) fn refuse(error: &clap::Error) -> ! {
    if error.use_stderr()
        && std::env::args_os()
            .nth(1)
            .is_some_and(|command| command == "verify")
    {
        let _ = error.print();
        std::process::exit(Exit::Missing as i32);
    }
    error.exit()
}

fn check(arguments: &Arguments) -> Result<Report, String> {
    let trust = trust(arguments)?;
    let bundle = read_limited(&arguments.bundle, BUNDLE_BYTES_MAX as u64)?;
    // Somebody else's bundle on this machine is no reason to call it tampered with.
    let verify = if trust.implied {
        verify_of_any_device
    } else {
        verify
    };
    Ok(verify(&bundle, &trust.policy))
}

/// A policy's file.
///
/// # Errors
/// In words.
pub(crate) fn policy(path: &Path) -> Result<TrustPolicy, String> {
    let bytes = read_limited(path, POLICY_BYTES_MAX)?;
    let text = String::from_utf8(bytes)
        .map_err(|_| format!("{}: a policy is text in UTF-8", path.display()))?;
    TrustPolicy::parse(&text).map_err(|error| format!("{}: {error}", path.display()))
}

fn trust(arguments: &Arguments) -> Result<Trust, String> {
    let mut policy = TrustPolicy::none();
    if let Some(path) = &arguments.policy {
        policy = self::policy(path)?;
    }
    for text in &arguments.device {
        let id: KeyId = text.parse().map_err(|error| {
            format!("--device {text:?}: {error}; it is the key id on the device's enrolment card")
        })?;
        policy.devices.push(DeviceAnchor::Id(id));
    }
    for path in &arguments.head {
        policy.heads.push(read_limited(path, HEAD_BYTES_MAX)?);
    }
    let implied = policy.devices.is_empty();
    if implied && let Some(id) = own_device(arguments.data.as_deref())? {
        policy.devices.push(DeviceAnchor::Id(id));
    }
    Ok(Trust {
        implied: implied && !policy.devices.is_empty(),
        policy,
    })
}

/// The check of a bundle by the device that made it, whose folder this is.
///
/// # Errors
/// In words.
pub(crate) fn own(bundle: &Path, device: &Path) -> Result<Report, String> {
    let mut policy = TrustPolicy::none();
    let id = own_device(Some(device))?;
    policy.devices.extend(id.map(DeviceAnchor::Id));
    let bundle = read_limited(bundle, BUNDLE_BYTES_MAX as u64)?;
    Ok(verify(&bundle, &policy))
}

/// The key id of this machine's device, when it has one. A folder that was asked for must hold a key.
fn own_device(given: Option<&Path>) -> Result<Option<KeyId>, String> {
    let Ok(folder) = place::device_folder(given) else {
        return Ok(None);
    };
    let path = folder.join("identity.key");
    let secret: Result<[u8; 32], String> = std::fs::read(&path)
        .map_err(|error| error.to_string())
        .and_then(|bytes| {
            bytes
                .try_into()
                .map_err(|_| "a key has 32 bytes".to_owned())
        });
    match secret {
        Ok(secret) => Ok(Some(IdentityKey::from_secret(&secret).key_id())),
        Err(why) if given.is_some() => Err(format!("{}: {why}", path.display())),
        Err(_) => Ok(None),
    }
}

fn read_limited(path: &Path, bytes_max: u64) -> Result<Vec<u8>, String> {
    let named = |error: io::Error| format!("{}: {error}", path.display());
    let file = File::open(path).map_err(named)?;
    let found = file.metadata().map_err(named)?;
    if found.is_dir() {
        return Err(format!("{}: is a folder", path.display()));
    }
    let mut bytes = Vec::new();
    file.take(bytes_max + 1)
        .read_to_end(&mut bytes)
        .map_err(named)?;
    if bytes.len() as u64 > bytes_max {
        return Err(format!(
            "{}: larger than {bytes_max} bytes, which is the most that is read",
            path.display()
        ));
    }
    Ok(bytes)
}

/// The numbers of the ledger are the numbers of this command.
fn exit_of(exit: LedgerExit) -> Exit {
    match exit {
        LedgerExit::Witnessed => Exit::Ok,
        LedgerExit::Unwitnessed => Exit::No,
        LedgerExit::Tampered => Exit::Input,
        LedgerExit::CannotTell => Exit::Missing,
    }
}

#[derive(Serialize)]
struct Json<'a> {
    bundle: &'a Path,
    exit: u8,
    result: &'static str,
    claims: Vec<JsonClaim<'a>>,
}

#[derive(Serialize)]
struct JsonClaim<'a> {
    claim: &'static str,
    verdict: &'static str,
    detail: &'a str,
}

fn show(report: &Report, arguments: &Arguments) {
    if !arguments.json {
        for claim in &report.claims {
            out!(
                "{:<12} {:<13} {}",
                claim.what,
                claim.verdict,
                harmless(&claim.detail)
            );
        }
        // The ledger's own last line.
        let text = report.to_string();
        out!("{}", text.lines().last().unwrap_or_default());
        return;
    }
    let result = match report.exit {
        LedgerExit::Witnessed => "witnessed",
        LedgerExit::Unwitnessed => "unwitnessed",
        LedgerExit::Tampered => "tampered",
        LedgerExit::CannotTell => "cannot_tell",
    };
    let claims = report.claims.iter().map(|claim| JsonClaim {
        claim: claim.what,
        verdict: match claim.verdict {
            Verdict::Holds => "holds",
            Verdict::Unproven => "unproven",
            Verdict::NotProvable => "not_provable",
            Verdict::Fails => "fails",
            Verdict::CannotTell => "cannot_tell",
        },
        detail: &claim.detail,
    });
    let json = Json {
        bundle: &arguments.bundle,
        exit: report.exit.code(),
        result,
        claims: claims.collect(),
    };
    match serde_json::to_string(&json) {
        Ok(text) => out!("{text}"),
        Err(error) => eprintln!("hearth: the result cannot be written as JSON: {error}"),
    }
}

/// A stranger's file must not steer the reader's terminal.
fn harmless(text: &str) -> String {
    text.chars()
        .map(|c| {
            if c.is_control()
                || ('\u{202a}'..='\u{202e}').contains(&c)
                || ('\u{2066}'..='\u{2069}').contains(&c)
            {
                '\u{fffd}'
            } else {
                c
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_is_not_steered() {
        assert_eq!(
            harmless("a\u{1b}[2Jb\r\u{202e}c"),
            "a\u{fffd}[2Jb\u{fffd}\u{fffd}c"
        );
    }
}
