//! `hearth join`: this machine becomes a speaker of a home.
use std::io::Write as _;
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use clap::Args;
use hearthline_hub::invitation::{Code, read_url};
use hearthline_hub::join::{JoinError, Membership, Telephone, join, telephone};

use crate::exit::Exit;
use crate::place::{HOME_FILE, device_folder, home_folder};
use crate::print::out;

/// How a home is joined.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  hearth hub invite Kitchen        (at the hub: shows the code)\n  hearth join ABCD-2345\n  hearth join \"https://127.0.0.1:8443/join#code=ABCD2345&ca=...\"\n\nThe code never travels: both sides prove that they know it. The key is made here and stays here.\nExit codes: 0 joined, 1 the hub refused, 2 the input or the folder cannot be used, 3 no hub answers."
)]
pub(crate) struct Arguments {
    /// The code that `hearth hub invite` shows, or its link.
    #[arg(value_name = "CODE|LINK")]
    invitation: String,
    /// Where the hub is; a link says it itself.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8443")]
    hub: SocketAddr,
    /// Where the device keeps its data [default: ~/.local/share/hearthline/device].
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,
    /// Join although this device belongs to a home already; its old key is put aside.
    #[arg(long)]
    again: bool,
}

/// The device's secret key in the folder of its home.
const KEY: &str = "key.pem";
/// Its certificate.
const CERTIFICATE: &str = "certificate.pem";
/// The home's authority.
const AUTHORITY: &str = "authority.pem";

/// Why it did not join.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Join(#[from] JoinError),
    #[error("{0}")]
    Input(String),
}

impl Failure {
    fn exit(&self) -> Exit {
        match self {
            Self::Join(JoinError::Refused { .. }) => Exit::No,
            Self::Join(JoinError::Connection(_) | JoinError::TimedOut) => Exit::Missing,
            Self::Join(_) | Self::Input(_) => Exit::Input,
        }
    }
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> Exit {
    match joined(arguments) {
        Ok(()) => Exit::Ok,
        Err(failure) => {
            eprintln!("hearth: {failure}");
            failure.exit()
        }
    }
}

fn joined(arguments: &Arguments) -> Result<(), Failure> {
    let device = device_folder(arguments.data.as_deref()).map_err(Failure::Input)?;
    let folder = &home_folder(&device);
    if folder.exists() && !arguments.again {
        return Err(Failure::Input(format!(
            "{} is there: this device belongs to a home already; --again joins anew",
            folder.display()
        )));
    }
    let (hub, code, ca) = match read_url(&arguments.invitation) {
        Some((code, ca)) => (address(&arguments.invitation)?, code, Some(ca)),
        None => {
            let code: Result<Code, _> = arguments.invitation.parse();
            let code = code.map_err(|error| Failure::Input(error.to_string()))?;
            (arguments.hub, code, None)
        }
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .map_err(|error| Failure::Input(error.to_string()))?;
    let (member, telephone) = runtime.block_on(async {
        let member = join(hub, &code, ca).await?;
        let telephone = telephone(hub, &member).await?;
        Ok::<_, JoinError>((member, telephone))
    })?;
    keep(folder, hub, &member, telephone.as_ref()).map_err(|error| {
        Failure::Input(format!(
            "{}: {error}. The hub has this device now; revoke it there before the next try",
            folder.display()
        ))
    })?;
    out!(
        "Joined as \"{}\", device {}.",
        member.fields.name.as_str(),
        member.device
    );
    out!("  key and certificates  {}", folder.display());
    match telephone {
        Some(telephone) => {
            out!("  calls                 through {}", telephone.domain);
            out!("Now:\n  hearth speaker");
        }
        None => out!("  calls                 none: this hub runs without --sip"),
    }
    Ok(())
}

/// The address in the link of an invitation.
fn address(link: &str) -> Result<SocketAddr, Failure> {
    let host = link
        .strip_prefix("https://")
        .and_then(|rest| rest.split(['/', '#']).next())
        .unwrap_or_default();
    host.parse().map_err(|_| {
        Failure::Input(format!(
            "the link names {host:?}, which is no address; give the code and --hub ADDRESS"
        ))
    })
}

/// What `hearth speaker` reads: the section `[household]` of a device's configuration. `None`: the hub has no TLS for calls.
fn settings(hub: SocketAddr, member: &Membership, telephone: &Telephone) -> Option<String> {
    let server = telephone
        .servers
        .iter()
        .find_map(|server| server.strip_prefix("tls:"))?;
    let rows = [
        ("hub", server),
        ("domain", &telephone.domain),
        ("user", &member.device.to_string()),
        ("name", member.fields.name.as_str()),
        ("certificate", CERTIFICATE),
        ("key", KEY),
        ("authority", AUTHORITY),
        ("api", &hub.to_string()),
    ];
    let rows = rows.map(|(key, value)| format!("{key} = {value:?}\n"));
    Some(format!("[household]\n{}", rows.concat()))
}

/// Writes all of it beside its place first, so that a place that is there is whole.
pub(crate) fn keep(
    folder: &Path,
    hub: SocketAddr,
    member: &Membership,
    telephone: Option<&Telephone>,
) -> Result<(), std::io::Error> {
    let fresh = folder.with_extension("new");
    if fresh.exists() {
        std::fs::remove_dir_all(&fresh)?;
    }
    std::fs::create_dir_all(&fresh)?;
    let settings = telephone.and_then(|telephone| settings(hub, member, telephone));
    let files = [
        (KEY, Some(member.key_pem.clone())),
        (CERTIFICATE, Some(member.certificate_pem.clone())),
        (AUTHORITY, Some(member.ca_pem.clone())),
        (HOME_FILE, settings),
    ];
    for (name, text) in files {
        let Some(text) = text else { continue };
        let mut file = std::fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(fresh.join(name))?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
    }
    if folder.exists() {
        let aside = (0..u32::MAX)
            .map(|number| folder.with_extension(format!("old-{number}")))
            .find(|path| !path.exists());
        std::fs::rename(folder, aside.unwrap_or_default())?;
    }
    std::fs::rename(&fresh, folder)
}
