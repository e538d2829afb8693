//! The door for whoever owns the data folder: `hub.socket` in it, mode 0600, one JSON line each way.
//!
//! `hearth hub invite` and the first owner come in here, beside a running hub and without a password: whoever may
//! open this socket may read the database and the authority's key as well.

mod lines;

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;

use crate::address_book::{self, IMPORT_BYTES_MAX, Imported};
use crate::carddav::Server;
use crate::carddav::accounts::{self, Account};
use crate::carddav::both_ways::{KeptAlike, keep_alike};
use crate::clock::UnixMs;
use crate::device::{DeviceFields, DeviceKind};
use crate::home::Home;
use crate::id::PersonId;
use crate::line::{Line, LineFields};
use crate::person::PersonFields;
use crate::session::Password;
use crate::sip::account::PhoneDigest;
use crate::store::SqliteStore;
use crate::vcard::Version;

/// Longest line either way: a whole address book as JSON text.
const LINE_BYTES_MAX: u64 = 128 * 1024 * 1024;
const TIME_MAX: Duration = Duration::from_secs(30);

/// What may be asked. Nothing here starts a call.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Wish {
    /// Invite a device.
    Invite {
        /// What may join.
        kind: DeviceKind,
        /// Name, room, person.
        device: DeviceFields,
    },
    /// Add a person.
    AddPerson {
        /// Who.
        person: PersonFields,
        /// Their password, when they log in.
        password: Option<String>,
    },
    /// Add an ordinary SIP phone.
    AddPhone {
        /// Name, room, person.
        device: DeviceFields,
        /// How it proves itself.
        digest: PhoneDigest,
    },
    /// Import an address book.
    ImportContacts {
        /// vCard 3.0 or 4.0.
        vcard: String,
    },
    /// Read an address book of a CardDAV server.
    SyncContacts {
        /// Of one book: `https://127.0.0.1:5232/anna/contacts/`, or http.
        url: String,
        /// User name.
        user: String,
        /// Password; kept nowhere, unless the book is kept alike.
        password: String,
        /// Who vouches for a server by TLS: a PEM file, by its whole path.
        #[serde(default)]
        ca_file: Option<PathBuf>,
        /// Whether home and server are kept alike from now on, both ways.
        #[serde(default)]
        both_ways: bool,
    },
    /// Leave an address book that was kept alike; its contacts stay.
    LeaveBook {
        /// Its address.
        url: String,
    },
    /// Say the address book.
    ExportContacts {
        /// As vCard 3.0, not 4.0.
        version_3: bool,
    },
    /// Show the lines.
    Lines,
    /// Add a line.
    AddLine {
        /// What may be set.
        fields: Box<LineFields>,
        /// The password of its account; kept in a file of the hub's folder, never in the database.
        password: Option<String>,
    },
    /// Remove a line and its password.
    RemoveLine {
        /// Its name or id.
        line: String,
    },
    /// Put lines first, in this order; the others follow as they stood.
    OrderLines {
        /// Names or ids.
        lines: Vec<String>,
    },
    /// Write a whole copy of the database beside it.
    BackUp,
}

/// What is answered.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Done {
    /// An invitation.
    Invited {
        /// The code to type.
        code: String,
        /// The same as a link.
        url: String,
        /// The link as a QR code of Unicode half blocks.
        qr: String,
        /// When it ends.
        expires_at_ms: UnixMs,
    },
    /// A person was added.
    Added {
        /// Who.
        id: PersonId,
    },
    /// A phone was added: what is typed into it.
    Phone {
        /// User name, also the user part of its address.
        username: String,
        /// Password; kept nowhere.
        password: String,
        /// The domain of its address.
        domain: String,
        /// Where it registers: `udp:127.0.0.1:5060`.
        servers: Vec<String>,
        /// Whether it is proven by MD5.
        weak: bool,
    },
    /// An address book was imported.
    Imported(Imported),
    /// An address book of a server was read.
    Synced {
        /// What came.
        imported: Imported,
        /// How many contacts went.
        removed: u32,
    },
    /// Home and server were made alike, and will be.
    KeptAlike(KeptAlike),
    /// An address book is left alone from now on.
    Left,
    /// The address book.
    Exported {
        /// As vCard.
        vcard: String,
        /// How many contacts.
        contacts: usize,
    },
    /// The lines as they are now, in the order in which they are tried.
    Lines(Vec<Line>),
    /// A copy was written.
    BackedUp {
        /// Where.
        path: PathBuf,
    },
    /// It was not done.
    Refused {
        /// Why, and what to do.
        detail: String,
    },
}

/// Why nothing was answered.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// No hub runs on this folder.
    #[error("no hub runs with the data folder {}; start `hearth hub` first ({source})", .folder.display())]
    NotRunning {
        /// Which folder.
        folder: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The hub did not answer.
    #[error("the hub did not answer: {0}")]
    NoAnswer(String),
}

fn place(folder: &Path) -> PathBuf {
    folder.join("hub.socket")
}

/// Asks the hub that runs on this folder.
///
/// # Errors
/// [`ControlError`]; what the hub refuses is [`Done::Refused`].
pub async fn ask(folder: &Path, wish: &Wish) -> Result<Done, ControlError> {
    let no_answer = |error: &dyn std::fmt::Display| ControlError::NoAnswer(error.to_string());
    let mut stream =
        UnixStream::connect(place(folder))
            .await
            .map_err(|source| ControlError::NotRunning {
                folder: folder.to_owned(),
                source,
            })?;
    let exchange = async {
        let mut line = serde_json::to_vec(wish).map_err(|error| no_answer(&error))?;
        line.push(b'\n');
        stream
            .write_all(&line)
            .await
            .map_err(|error| no_answer(&error))?;
        let answer = read_line(&mut stream)
            .await
            .map_err(|error| no_answer(&error))?;
        serde_json::from_str(&answer).map_err(|error| no_answer(&error))
    };
    tokio::time::timeout(TIME_MAX, exchange)
        .await
        .map_err(|error| no_answer(&error))?
}

/// Opens the door. The caller holds the folder's lock, so a socket that lies there is nobody's.
pub(crate) fn listen(folder: &Path) -> io::Result<UnixListener> {
    let path = place(folder);
    match fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(&path)?;
    fs::set_permissions(&path, Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// Answers until told to stop.
pub(crate) async fn serve(
    listener: UnixListener,
    folder: PathBuf,
    home: Arc<Home>,
    sqlite: Arc<SqliteStore>,
    mut stop: watch::Receiver<bool>,
) {
    loop {
        let accepted = tokio::select! {
            _ = stop.wait_for(|stop| *stop) => break,
            accepted = listener.accept() => accepted,
        };
        // One at a time: whoever sits at the machine is one person.
        if let Ok((stream, _)) = accepted {
            let exchange = answer(stream, &folder, &home, &sqlite);
            let _ = tokio::time::timeout(TIME_MAX, exchange).await;
        }
    }
    let _ = fs::remove_file(place(&folder));
}

async fn answer(
    mut stream: UnixStream,
    folder: &Path,
    home: &Home,
    sqlite: &SqliteStore,
) -> io::Result<()> {
    let line = read_line(&mut stream).await?;
    let refused = |detail: String| Done::Refused { detail };
    let done = match serde_json::from_str(&line) {
        Ok(wish) => act(wish, folder, home, sqlite)
            .await
            .unwrap_or_else(refused),
        Err(error) => refused(format!("the wish does not read: {error}")),
    };
    let mut line = serde_json::to_vec(&done)?;
    line.push(b'\n');
    stream.write_all(&line).await
}

async fn act(wish: Wish, folder: &Path, home: &Home, sqlite: &SqliteStore) -> Result<Done, String> {
    match wish {
        Wish::Invite { kind, device } => {
            let invited = home.invite(kind, device).await.map_err(said)?;
            Ok(Done::Invited {
                qr: invited.qr(),
                code: invited.code.to_string(),
                url: invited.url,
                expires_at_ms: invited.invitation.expires_at_ms,
            })
        }
        Wish::AddPerson { person, password } => {
            let password = password.map(Password::try_from).transpose().map_err(said)?;
            let added = home.add_person(&person, password).await.map_err(said)?;
            Ok(Done::Added { id: added.id })
        }
        Wish::AddPhone { device, digest } => {
            let shown = home.add_sip_account(device, digest).await.map_err(said)?;
            Ok(Done::Phone {
                username: shown.username,
                password: shown.password,
                domain: shown.domain,
                servers: home.sip_servers(),
                weak: shown.weak,
            })
        }
        Wish::ImportContacts { vcard } if vcard.len() > IMPORT_BYTES_MAX => Err(format!(
            "the file has more than {IMPORT_BYTES_MAX} bytes; export fewer contacts at a time"
        )),
        Wish::ImportContacts { vcard } => {
            let imported = home.import_contacts(vcard.into()).await.map_err(said)?;
            imported.map(Done::Imported).map_err(said)
        }
        Wish::SyncContacts {
            url,
            user,
            password,
            ca_file,
            both_ways,
        } => {
            let account = Account::new(&url, &user, &password, ca_file.as_deref());
            let server = account.server().map_err(said)?;
            if both_ways {
                let done = keep_alike(home, &server).await.map_err(said)?;
                let done = done.map_err(said)?;
                // Kept only when it works.
                accounts::remember(folder, &server, &account).map_err(said)?;
                return Ok(Done::KeptAlike(done));
            }
            let read = home.read_address_book(&server).await.map_err(said)?;
            let (imported, removed) = read.map_err(said)?;
            Ok(Done::Synced { imported, removed })
        }
        Wish::LeaveBook { url } => {
            let server = Server::new(&url, "", "").map_err(said)?;
            match accounts::forget(folder, &server).map_err(said)? {
                true => Ok(Done::Left),
                false => Err("this address book is not kept alike".to_owned()),
            }
        }
        Wish::ExportContacts { version_3 } => {
            let contacts = home.store.contacts_with_cards().await.map_err(said)?;
            let version = if version_3 { Version::V3 } else { Version::V4 };
            Ok(Done::Exported {
                vcard: address_book::write(&contacts, version),
                contacts: contacts.len(),
            })
        }
        Wish::Lines => lines::all(home).await.map(Done::Lines),
        Wish::AddLine { fields, password } => {
            lines::add(home, folder, &fields, password).await?;
            lines::all(home).await.map(Done::Lines)
        }
        Wish::RemoveLine { line } => {
            lines::remove(home, folder, &line).await?;
            lines::all(home).await.map(Done::Lines)
        }
        Wish::OrderLines { lines: first } => {
            lines::order(home, &first).await?;
            lines::all(home).await.map(Done::Lines)
        }
        Wish::BackUp => {
            let path = sqlite.back_up().await.map_err(said)?;
            Ok(Done::BackedUp { path })
        }
    }
}

fn said(error: impl std::fmt::Display) -> String {
    error.to_string()
}

async fn read_line(stream: &mut UnixStream) -> io::Result<String> {
    let mut line = String::new();
    BufReader::new(stream)
        .take(LINE_BYTES_MAX)
        .read_line(&mut line)
        .await?;
    Ok(line)
}
