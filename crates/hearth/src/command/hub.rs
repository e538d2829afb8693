//! `hearth hub`: the home's server, and what its owner does at the machine that it runs on.
mod config;
mod lines;
mod simulator;

use std::io::Write as _;
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use hearthline_emergency::numbers::Country;
use hearthline_hub::address_book::{IMPORT_BYTES_MAX, Imported};
use hearthline_hub::control::{self, ControlError, Done, Wish};
use hearthline_hub::device::{DeviceFields, DeviceKind};
use hearthline_hub::gateway::VOICEMAIL_AFTER;
use hearthline_hub::person::{PersonFields, Role};
use hearthline_hub::sip::account::PhoneDigest;
use hearthline_hub::text::{Login, Name};
use hearthline_hub::vcard::VcardFault;
use hearthline_hub::{Hub, HubConfig, HubError};
use hearthline_sip::outbound::FlowTransport;

use crate::exit::Exit;
use crate::place::folder;
use crate::print::out;
use crate::{reload, service, voicemail};

/// Largest password file, in bytes.
const PASSWORD_FILE_BYTES_MAX: u64 = 4_096;

/// How the hub runs, or what a running one is asked.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Examples:\n  hearth hub\n  hearth hub add-person Anna --role owner --login anna --password-file anna.txt\n  hearth hub invite Kitchen\n  hearth hub invite \"Anna's phone\" --kind phone\n  hearth hub --sip --country US\n  hearth hub --sip --config household.toml --voicemail\n  hearth hub --sip --country US --simulator\n  hearth hub lines\n  hearth hub lines add Landline --server sip:127.0.0.1:5070 --kind landline --drill number\n  hearth hub add-phone Desk\n  hearth hub contacts import contacts.vcf\n  hearth hub contacts export\n  hearth hub back-up\n\nIt listens on loopback only and ends with Ctrl-C. The other commands speak to the hub that runs on the same folder.\nExit codes: 0 ended or done, 2 the input, the folder or an address cannot be used, 3 no hub runs on the folder."
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    run: Run,
}

/// How the hub runs.
#[derive(Debug, Args)]
struct Run {
    /// Where HTTPS listens; may be given several times. Only loopback in this version.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8443")]
    listen: Vec<SocketAddr>,
    /// A name by which devices reach this hub, for its certificate; may be given several times.
    #[arg(long, value_name = "NAME")]
    name: Vec<String>,
    /// Carry calls: a SIP server beside HTTPS.
    #[arg(long)]
    sip: bool,
    /// Household configuration (TOML), for --sip: country, area code, roots of TLS lines, and the address that a drill of a
    /// call for help brings along when a telephone dials it that knows none.
    #[arg(long, value_name = "FILE", requires = "sip")]
    config: Option<PathBuf>,
    /// The home's country by its two letters: whose emergency numbers are dialled here.
    #[arg(long, value_name = "COUNTRY", value_parser = country)]
    country: Option<Country>,
    /// The home's area code: whoever dials a number without one means a number there.
    #[arg(long, value_name = "DIGITS", requires = "sip")]
    area_code: Option<String>,
    /// Certificates (PEM) that vouch for the servers of TLS lines.
    #[arg(long, value_name = "FILE", requires = "sip")]
    tls_roots: Option<PathBuf>,
    /// Where providers and adapters reach the hub, by UDP and TCP [default: a free port of 127.0.0.1].
    #[arg(long, value_name = "ADDRESS", requires = "sip")]
    lines_listen: Option<SocketAddr>,
    /// Where SIP listens; may be given several times [default: udp:127.0.0.1:5060 tcp:127.0.0.1:5060
    /// tls:127.0.0.1:5061].
    #[arg(long, value_name = "TRANSPORT:ADDRESS", requires = "sip", value_parser = sip_address)]
    sip_listen: Vec<(FlowTransport, SocketAddr)>,
    /// Calls from outside that nobody takes go to a mailbox; what callers say becomes a message of the home, with a
    /// transcript where the speech models are installed.
    #[arg(long, requires = "sip")]
    voicemail: bool,
    /// How long such a call rings first, in seconds.
    #[arg(long, value_name = "SECONDS", requires = "voicemail", default_value_t = VOICEMAIL_AFTER.as_secs(),
          value_parser = clap::value_parser!(u64).range(5..=120))]
    voicemail_after: u64,
    /// A recording that callers hear instead of the hub's own voice, at most a minute.
    #[arg(long, value_name = "FILE", requires = "voicemail")]
    greeting: Option<PathBuf>,
    /// Serve the simulator too: a page of this machine's browser whose tabs are speakers of this home, and a drill
    /// call-taker for them. Whoever knows its link may use them, so it is off otherwise.
    #[arg(long, requires = "sip")]
    simulator: bool,
    /// The simulator's port on 127.0.0.1; 0 takes a free one.
    #[arg(long, value_name = "PORT", requires = "simulator", default_value_t = super::demo::PAGE_PORT)]
    simulator_port: u16,
    /// The devices and witnesses that are believed when a device hands in an incident's bundle: a file as `hearth verify
    /// --policy` reads it. Without it an unchanged bundle is shown as intact, never as witnessed.
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    #[command(flatten)]
    place: Place,
}

/// Where the hub's data lies.
#[derive(Debug, Args)]
struct Place {
    /// Folder of the database and of the home's certificate authority [default: ~/.local/share/hearthline/hub].
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Show a code and a QR code with which one device may join, for ten minutes.
    Invite {
        /// What people will call the device: `Kitchen`.
        name: String,
        /// What may join.
        #[arg(long, value_enum, default_value_t = Kind::Speaker)]
        kind: Kind,
        #[command(flatten)]
        place: Place,
        /// One JSON object instead of text.
        #[arg(long)]
        json: bool,
    },
    /// Add a person of the household.
    AddPerson {
        /// What the others call them.
        name: String,
        /// What they may do.
        #[arg(long, value_enum)]
        role: Standing,
        /// What they log in with; without it they never log in.
        #[arg(long, requires = "password_file")]
        login: Option<String>,
        /// File that holds their password, in one line.
        #[arg(long, value_name = "FILE", requires = "login")]
        password_file: Option<PathBuf>,
        #[command(flatten)]
        place: Place,
    },
    /// Add an ordinary SIP phone and show its password, this once.
    AddPhone {
        /// What people will call the phone: `Desk`.
        name: String,
        /// For a phone that knows no SHA-256: by MD5, which is weak.
        #[arg(long)]
        md5: bool,
        #[command(flatten)]
        place: Place,
        /// One JSON object instead of text.
        #[arg(long)]
        json: bool,
    },
    /// Import or export the address book as vCard.
    Contacts {
        #[command(subcommand)]
        book: Book,
    },
    /// Show the lines to the outside telephone network with their health; add, remove or order them.
    Lines(lines::Arguments),
    /// Write a whole copy of the database beside it.
    BackUp {
        #[command(flatten)]
        place: Place,
    },
}

#[derive(Debug, Subcommand)]
enum Book {
    /// Import a file of vCards 3.0 or 4.0; what was imported before is brought up to date.
    Import {
        /// The file.
        file: PathBuf,
        #[command(flatten)]
        place: Place,
    },
    /// Read an address book of a CardDAV server on this machine; nothing is written there, unless --both-ways is given.
    Sync {
        /// Address of one address book: `https://127.0.0.1:5232/anna/contacts/`, or http.
        url: String,
        /// User name at that server.
        #[arg(long)]
        user: String,
        /// File that holds the password there, in one line.
        #[arg(long, value_name = "FILE")]
        password_file: PathBuf,
        /// File of the authority that vouches for a server with https (PEM).
        #[arg(long, value_name = "FILE")]
        ca_file: Option<PathBuf>,
        /// Keep home and server alike from now on, every quarter of an hour: what changes here goes there as well. The
        /// password is kept in a file of the hub's folder.
        #[arg(long)]
        both_ways: bool,
        #[command(flatten)]
        place: Place,
    },
    /// Leave an address book that is kept alike; its contacts stay.
    Leave {
        /// Its address, as it was given to `sync`.
        url: String,
        #[command(flatten)]
        place: Place,
    },
    /// Export every contact.
    Export {
        /// The file, which must not be there yet; standard output when it is not given.
        file: Option<PathBuf>,
        /// vCard 3.0, for programs that do not read 4.0.
        #[arg(long = "vcard-3")]
        version_3: bool,
        #[command(flatten)]
        place: Place,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Kind {
    Speaker,
    Phone,
    Browser,
}

impl From<Kind> for DeviceKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Speaker => Self::Speaker,
            Kind::Phone => Self::Phone,
            Kind::Browser => Self::Browser,
        }
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Standing {
    Owner,
    Adult,
    Child,
    Guest,
}

impl From<Standing> for Role {
    fn from(standing: Standing) -> Self {
        match standing {
            Standing::Owner => Self::Owner,
            Standing::Adult => Self::Adult,
            Standing::Child => Self::Child,
            Standing::Guest => Self::Guest,
        }
    }
}

/// Why a command was not carried out.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Control(#[from] ControlError),
    #[error(transparent)]
    Hub(#[from] HubError),
    #[error("{0}")]
    Input(String),
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> Exit {
    let done = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| Failure::Input(error.to_string()))
        .and_then(|runtime| {
            runtime.block_on(async {
                match &arguments.action {
                    None => serve(&arguments.run).await,
                    Some(action) => act(action).await,
                }
            })
        });
    match done {
        Ok(()) => Exit::Ok,
        Err(failure) => {
            eprintln!("hearth: {failure}");
            match failure {
                Failure::Control(ControlError::NotRunning { .. }) => Exit::Missing,
                Failure::Control(_) | Failure::Hub(_) | Failure::Input(_) => Exit::Input,
            }
        }
    }
}

async fn serve(run: &Run) -> Result<(), Failure> {
    let folder = run.place.folder()?;
    let configuration = reload::Before::of(run.config.clone());
    let mut config = HubConfig::new(&folder);
    config.https.clone_from(&run.listen);
    config.names.clone_from(&run.name);
    if let Some(path) = &run.policy {
        config.bundle_policy = super::verify::policy(path).map_err(Failure::Input)?;
    }
    if run.sip {
        let household = run.household()?;
        let sip = run.sip_config(household.as_ref())?;
        config.lines = run.lines_config(household.as_ref(), &sip)?;
        config.sip = Some(sip);
    }
    let models = run.simulator.then(simulator::models).transpose()?;
    let mailbox = match run.voicemail {
        true => Some(voicemail::start(run.greeting.as_deref()).await),
        false => None,
    };
    let mailbox = mailbox.transpose().map_err(Failure::Input)?;
    let after = Duration::from_secs(run.voicemail_after);
    config.lines.voicemail = mailbox.as_ref().map(|mailbox| mailbox.setting(after));
    let hub = Hub::start(config).await?;
    let mailbox = match mailbox {
        Some(mailbox) => Some(mailbox.keep(&hub).await.map_err(HubError::from)?),
        None => None,
    };
    let simulated = match &models {
        Some(models) => Some(simulator::start(run, models, &hub, &folder).await?),
        None => None,
    };
    let nobody = hub
        .store()
        .people()
        .await
        .map_err(HubError::from)?
        .is_empty();
    let mut said = vec!["Hub of this home. Ends with Ctrl-C.".to_owned()];
    let https = hub.addresses().iter();
    said.extend(https.map(|address| format!("  HTTPS      https://{address}")));
    for (transport, address) in hub.sip_addresses() {
        let transport = transport.as_param().to_uppercase();
        said.push(format!("  SIP {transport:<6} {address}"));
    }
    for (transport, address) in hub.line_addresses() {
        let transport = transport.as_param().to_uppercase();
        said.push(format!("  lines {transport:<4} {address}"));
    }
    if let Some(domain) = hub.sip_domain() {
        said.push(format!("  SIP domain {domain}"));
    }
    said.push(format!("  authority  sha256 {}", hub.ca_fingerprint()));
    said.push(format!("  data       {}", folder.display()));
    if let Some(simulated) = &simulated {
        said.push(format!("  simulator  {}", simulated.link()));
        said.push(format!("  call-taker {}", simulated.console()));
    }
    if nobody {
        said.push("Nobody lives here yet. In another terminal:".to_owned());
        said.push(
            "  hearth hub add-person NAME --role owner --login NAME --password-file FILE"
                .to_owned(),
        );
        said.push("  hearth hub invite Kitchen".to_owned());
    }
    // At once: a reader who has seen enough and goes away must not end the hub.
    out!("{}", said.join("\n"));
    let beating = tokio::spawn(service::keep_alive());
    let following = tokio::spawn(reload::tell_only(configuration));
    service::ready();
    service::told_to_end().await;
    following.abort();
    beating.abort();
    if let Some(simulated) = simulated {
        simulated.stop().await;
    }
    if let Some(mailbox) = mailbox {
        mailbox.stop().await;
    }
    hub.stop().await;
    Ok(())
}

async fn act(action: &Action) -> Result<(), Failure> {
    let (place, wish) = match action {
        Action::Invite {
            name, kind, place, ..
        } => {
            let device = DeviceFields {
                name: named(name)?,
                room: None,
                person: None,
            };
            let kind = (*kind).into();
            (place, Wish::Invite { kind, device })
        }
        Action::AddPerson {
            name,
            role,
            login,
            password_file,
            place,
        } => {
            let login = login
                .as_deref()
                .map(Login::new)
                .transpose()
                .map_err(|error| Failure::Input(format!("--login: {error}")))?;
            let person = PersonFields {
                name: named(name)?,
                role: (*role).into(),
                login,
            };
            let password = password_file.as_deref().map(password).transpose()?;
            (place, Wish::AddPerson { person, password })
        }
        Action::AddPhone {
            name, md5, place, ..
        } => {
            let device = DeviceFields {
                name: named(name)?,
                room: None,
                person: None,
            };
            let digest = match md5 {
                true => PhoneDigest::Md5,
                false => PhoneDigest::Sha256,
            };
            (place, Wish::AddPhone { device, digest })
        }
        Action::Contacts {
            book: Book::Import { file, place },
        } => {
            let vcard = vcard(file)?;
            (place, Wish::ImportContacts { vcard })
        }
        Action::Contacts {
            book:
                Book::Sync {
                    url,
                    user,
                    password_file,
                    ca_file,
                    both_ways,
                    place,
                },
        } => {
            let wish = Wish::SyncContacts {
                url: url.clone(),
                user: user.clone(),
                password: password(password_file)?,
                // The hub may run in another folder.
                ca_file: ca_file.as_deref().map(absolute).transpose()?,
                both_ways: *both_ways,
            };
            (place, wish)
        }
        Action::Contacts {
            book: Book::Leave { url, place },
        } => (place, Wish::LeaveBook { url: url.clone() }),
        Action::Contacts {
            book: Book::Export {
                version_3, place, ..
            },
        } => {
            let version_3 = *version_3;
            (place, Wish::ExportContacts { version_3 })
        }
        Action::BackUp { place } => (place, Wish::BackUp),
        Action::Lines(arguments) => return lines::act(arguments).await,
    };
    let json = matches!(
        action,
        Action::Invite { json: true, .. } | Action::AddPhone { json: true, .. }
    );
    let done = control::ask(&place.folder()?, &wish).await?;
    match done {
        Done::Refused { detail } => return Err(Failure::Input(detail)),
        Done::Invited { code, url, .. } if json => {
            let invitation = serde_json::json!({ "code": code, "url": url });
            out!("{invitation}");
        }
        Done::Invited { code, url, qr, .. } => {
            out!("{qr}");
            out!("Code: {code}    for ten minutes, for one device");
            out!("Link: {url}");
        }
        Done::Phone {
            username,
            password,
            domain,
            servers,
            weak,
        } => {
            if json {
                let phone = serde_json::json!({
                    "username": username, "password": password, "domain": domain, "servers": servers, "weak": weak,
                });
                out!("{phone}");
                return Ok(());
            }
            out!("Type this into the phone; the password is shown this once.");
            out!("  user name  {username}");
            out!("  password   {password}");
            out!("  domain     {domain}");
            out!("  server     {}", servers.join("  or  "));
            if weak {
                out!("By MD5, which is weak: take it only for a phone that knows nothing better.");
            }
        }
        Done::Imported(imported) => said_of(&imported),
        Done::Synced { imported, removed } => {
            said_of(&imported);
            if removed > 0 {
                out!("{removed} that the server has no more are gone here too.");
            }
        }
        Done::KeptAlike(done) => {
            said_of(&done.imported);
            out!(
                "{} gone here too, {} sent, {} taken back there, {} to be settled the next time.",
                done.removed,
                done.sent,
                done.taken_back,
                done.postponed
            );
        }
        Done::Left => out!("Left alone from now on; its contacts stay."),
        Done::Exported { vcard, contacts } => {
            let file = match action {
                Action::Contacts {
                    book: Book::Export { file, .. },
                } => file.as_deref(),
                _ => None,
            };
            export(file, &vcard, contacts)?;
        }
        Done::Added { id } => out!("Added, id {id}."),
        Done::BackedUp { path } => out!("Copied to {}.", path.display()),
        Done::Lines(lines) => lines::show(&lines),
    }
    Ok(())
}

impl Place {
    fn folder(&self) -> Result<PathBuf, Failure> {
        folder("hub", self.data.as_deref()).map_err(Failure::Input)
    }
}

fn named(name: &str) -> Result<Name, Failure> {
    Name::new(name).map_err(|error| Failure::Input(format!("the name: {error}")))
}

fn country(text: &str) -> Result<Country, String> {
    let code = text.to_ascii_uppercase();
    Country::from_code(&code).ok_or_else(|| {
        let known: Vec<_> = Country::ALL.iter().map(|country| country.code()).collect();
        format!("it is none of {}", known.join(", "))
    })
}

/// `udp:127.0.0.1:5060`.
fn sip_address(text: &str) -> Result<(FlowTransport, SocketAddr), String> {
    let wrong = || "write udp:, tcp: or tls: and an address, such as udp:127.0.0.1:5060".to_owned();
    let (transport, address) = text.split_once(':').ok_or_else(wrong)?;
    let transport = match transport.to_ascii_lowercase().as_str() {
        "udp" => FlowTransport::Udp,
        "tcp" => FlowTransport::Tcp,
        "tls" => FlowTransport::Tls,
        _ => return Err(wrong()),
    };
    Ok((transport, address.parse().map_err(|_| wrong())?))
}

fn said_of(imported: &Imported) {
    out!(
        "Imported: {} new, {} changed, {} as before, {} refused.",
        imported.added,
        imported.changed,
        imported.unchanged,
        imported.refused_count
    );
    if imported.numbers_left_out > 0 {
        out!(
            "{} numbers have no country code: they stay in their cards, but cannot be called by name.",
            imported.numbers_left_out
        );
    }
    for refused in &imported.refused {
        out!("  line {}: {}", refused.line, refused.detail);
    }
}

/// The text of an address book's file.
fn vcard(path: &Path) -> Result<String, Failure> {
    let wrong = |why: &dyn std::fmt::Display| Failure::Input(format!("{}: {why}", path.display()));
    let bytes = std::fs::metadata(path)
        .map_err(|error| wrong(&error))?
        .len();
    if bytes > IMPORT_BYTES_MAX as u64 {
        return Err(wrong(&format_args!(
            "{bytes} bytes are too many, the most is {IMPORT_BYTES_MAX}; export fewer contacts at a time"
        )));
    }
    let bytes = std::fs::read(path).map_err(|error| wrong(&error))?;
    String::from_utf8(bytes).map_err(|_| wrong(&VcardFault::NotUtf8))
}

/// Writes an export where nothing lies yet: an older one may be the only one.
fn export(file: Option<&Path>, vcard: &str, contacts: usize) -> Result<(), Failure> {
    let Some(path) = file else {
        out!("{}", vcard.trim_end());
        return Ok(());
    };
    let written = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .and_then(|mut file| file.write_all(vcard.as_bytes()));
    written.map_err(|error| Failure::Input(format!("{}: {error}", path.display())))?;
    out!("Exported {contacts} contacts to {}.", path.display());
    Ok(())
}

/// The first line of a file.
/// The whole path of a file that is there.
fn absolute(path: &Path) -> Result<PathBuf, Failure> {
    std::fs::canonicalize(path)
        .map_err(|error| Failure::Input(format!("{}: {error}", path.display())))
}

fn password(path: &Path) -> Result<String, Failure> {
    let wrong = |why: &dyn std::fmt::Display| Failure::Input(format!("{}: {why}", path.display()));
    let bytes = std::fs::metadata(path)
        .map_err(|error| wrong(&error))?
        .len();
    if bytes > PASSWORD_FILE_BYTES_MAX {
        return Err(wrong(&format_args!(
            "{bytes} bytes are too many for a password file, the most is {PASSWORD_FILE_BYTES_MAX}"
        )));
    }
    let text = std::fs::read_to_string(path).map_err(|error| wrong(&error))?;
    match text.lines().next() {
        Some(line) if !line.is_empty() => Ok(line.to_owned()),
        _ => Err(wrong(&"its first line is empty; write the password there")),
    }
}
