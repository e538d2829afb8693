//! Address books of a CardDAV server (RFC 6352), read and written: what is new there comes here, what was removed there goes.
//!
//! ```text
//! PROPFIND: is it an address book, has it changed? ─► sync-collection (RFC 6578), or every etag
//!      ─► multiget of what has changed ─► address_book::read ─► Store, all in one transaction
//! ```
//! What goes to the server is in `both_ways`. Emergency numbers and services come in this way as little as by a file. For now
//! the server stands on this machine (loopback); it is spoken to in the clear or by TLS, then with a file that holds who
//! vouches for it.

pub(crate) mod accounts;
pub(crate) mod both_ways;
mod multistatus;
mod server;
pub mod writing;

use std::collections::HashMap;
use std::time::Duration;

use hearthline_transport::reach::OutOfReach;
use hyper::body::{Body as _, Bytes, Incoming};
use hyper::client::conn::http1::SendRequest;
use hyper::{Request, StatusCode};

use crate::address_book::{self, ImportedCard, RefusedCard};
use crate::device::Fingerprint;
use crate::id::ContactId;

pub use accounts::{BOOKS_MAX, EVERY, PAUSE_MAX, PAUSE_MIN};
pub use both_ways::KeptAlike;
use multistatus::{Multistatus, XmlFault};
pub use server::Server;

/// Largest answer, in bytes.
const ANSWER_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Most members of an address book.
const ITEMS_MAX: usize = 10_000;
/// Cards that are asked for at once.
const MULTIGET_MAX: usize = 100;
/// Longest of the texts by which a server names a state.
const STATE_BYTES_MAX: usize = 1_024;
const ANSWER_TIME_MAX: Duration = Duration::from_secs(30);

/// Why an address book was not read.
#[derive(Debug, thiserror::Error)]
pub enum CarddavError {
    /// Not an address that is read.
    #[error(
        "the address does not read; write https://127.0.0.1:PORT/PATH/ (or http) of one address book"
    )]
    Url,
    /// Nothing says who vouches for a server by TLS.
    #[error(
        "{0}; give the PEM file of the authority that signed the address book server's certificate"
    )]
    Roots(String),
    /// Another machine.
    #[error("{0}")]
    Reach(#[from] OutOfReach),
    /// It cannot be reached, or does not answer.
    #[error("the address book server cannot be reached: {0}")]
    Unreachable(String),
    /// It wants another user or password.
    #[error("the address book server refuses this user and password")]
    Refused,
    /// It answers something else than expected.
    #[error("the address book server answers {0} to {1}")]
    Status(u16, &'static str),
    /// Its answer is too large.
    #[error("the address book server answers with more than {ANSWER_BYTES_MAX} bytes")]
    TooLarge,
    /// Its answer does not read.
    #[error("the address book server's answer is not read: {0}")]
    Xml(#[from] XmlFault),
    /// There is no address book.
    #[error("there is no address book at this address; give the address of one book")]
    NoAddressBook,
    /// It names something outside of the book, too much, or twice.
    #[error("the address book server names members outside of the book, or more than {ITEMS_MAX}")]
    Members,
}

/// What is known of an address book since it was read last.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BookState {
    /// `getctag`, where the server has it.
    pub ctag: Option<String>,
    /// `sync-token`, where the server has it.
    pub sync_token: Option<String>,
    /// Each member's etag.
    pub etags: HashMap<String, String>,
}

/// A card of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BookItem {
    /// Its path.
    pub href: String,
    /// Its etag.
    pub etag: String,
    /// The card; none when it is refused, and remembered so that it is not asked for each time.
    pub card: Option<ImportedCard>,
}

/// A member of a book as the store knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BookMember {
    /// Its path.
    pub href: String,
    /// Its etag when it was read or written last.
    pub etag: String,
    /// What both sides had last ([`address_book::agreed`]); none: nothing was agreed on.
    pub agreed: Option<Fingerprint>,
    /// The contact; none: the card was refused, or the home has removed the contact.
    pub contact: Option<ContactId>,
}

/// What is to be stored.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BookChange {
    /// The new state, without its etags.
    pub ctag: Option<String>,
    /// The same.
    pub sync_token: Option<String>,
    /// New and changed cards.
    pub items: Vec<BookItem>,
    /// Members that are gone.
    pub removed: Vec<String>,
    /// Cards that were refused, in all.
    pub refused: Vec<RefusedCard>,
}

/// Asks the server what has changed since `known`; `None`: nothing has.
///
/// # Errors
/// [`CarddavError`]; nothing of the book is used then.
pub async fn changes(
    server: &Server,
    known: &BookState,
) -> Result<Option<BookChange>, CarddavError> {
    let mut client = Client::connect(server).await?;
    let book = client
        .ask("PROPFIND", "0", PROPFIND_BOOK, "PROPFIND")
        .await?;
    let own = book.members.iter().find(|member| member.is_address_book);
    let own = own.ok_or(CarddavError::NoAddressBook)?;
    let (ctag, mut sync_token) = (state(&own.ctag)?, state(&own.sync_token)?);
    let same = |now: &Option<String>, before: &Option<String>| now.is_some() && now == before;
    if same(&ctag, &known.ctag) || same(&sync_token, &known.sync_token) {
        return Ok(None);
    }
    let mut listing = None;
    if sync_token.is_some() && known.sync_token.is_some() {
        let token = escape(known.sync_token.as_deref().unwrap_or_default());
        let body = SYNC_COLLECTION.replace("TOKEN", &token);
        match client.ask("REPORT", "0", &body, "sync-collection").await {
            Ok(changed) => {
                sync_token = state(&changed.sync_token)?.or(sync_token);
                listing = Some((changed, true));
            }
            // The token is too old for the server, or it does not know the report: everything is listed.
            Err(CarddavError::Status(400..=499 | 501 | 507, _)) => {
                client = Client::connect(server).await?;
            }
            Err(error) => return Err(error),
        }
    }
    let (members, partial) = match listing {
        Some(listing) => listing,
        None => {
            let all = client
                .ask("PROPFIND", "1", PROPFIND_ETAGS, "PROPFIND")
                .await?;
            (all, false)
        }
    };
    let mut change = BookChange {
        ctag,
        sync_token,
        ..BookChange::default()
    };
    let mut wanted = HashMap::new();
    let mut there = Vec::new();
    for member in members.members {
        let href = client.within(&member.href)?;
        if href == server.path {
            continue;
        }
        if member.status == Some(404) {
            change.removed.push(href);
            continue;
        }
        let Some(etag) = state(&member.etag)? else {
            continue; // a collection below, or nothing that has a state
        };
        if known.etags.get(&href) != Some(&etag) {
            wanted.insert(href.clone(), etag);
        }
        there.push(href);
        if there.len() > ITEMS_MAX {
            return Err(CarddavError::Members);
        }
    }
    if !partial {
        let gone = known.etags.keys().filter(|href| !there.contains(href));
        change.removed.extend(gone.cloned());
    }
    fetch(&mut client, wanted, &mut change).await?;
    Ok(Some(change))
}

async fn fetch(
    client: &mut Client,
    wanted: HashMap<String, String>,
    change: &mut BookChange,
) -> Result<(), CarddavError> {
    let mut hrefs: Vec<&String> = wanted.keys().collect();
    hrefs.sort();
    for some in hrefs.chunks(MULTIGET_MAX) {
        let list: String = some
            .iter()
            .map(|href| format!("<D:href>{}</D:href>", escape(href)))
            .collect();
        let body = MULTIGET.replace("HREFS", &list);
        let answer = client
            .ask("REPORT", "1", &body, "addressbook-multiget")
            .await?;
        for member in answer.members {
            let href = client.within(&member.href)?;
            let (Some(etag), Some(text)) = (state(&member.etag)?, member.card) else {
                continue; // removed in the meantime: the next time says so
            };
            if !wanted.contains_key(&href) {
                return Err(CarddavError::Members);
            }
            let card = match address_book::read(text.as_bytes()) {
                Ok(mut import) if import.cards.len() == 1 && import.refused.is_empty() => {
                    import.cards.pop()
                }
                Ok(import) => {
                    change.refused.extend(import.refused);
                    None
                }
                Err(error) => {
                    change.refused.push(RefusedCard {
                        line: u32::try_from(error.line).unwrap_or(u32::MAX),
                        detail: error.what.to_string(),
                    });
                    None
                }
            };
            change.items.push(BookItem { href, etag, card });
        }
    }
    Ok(())
}

/// A text by which a server names a state; an empty one is none.
fn state(text: &Option<String>) -> Result<Option<String>, CarddavError> {
    match text {
        Some(text) if text.len() > STATE_BYTES_MAX => Err(CarddavError::Xml(XmlFault::TooMuch)),
        Some(text) if text.is_empty() => Ok(None),
        text => Ok(text.clone()),
    }
}

/// One connection.
struct Client {
    sender: SendRequest<String>,
    server: Server,
}

impl Client {
    async fn connect(server: &Server) -> Result<Self, CarddavError> {
        Ok(Self {
            sender: server.connect().await?,
            server: server.clone(),
        })
    }

    /// Asks about the book; `what` names the request in errors.
    async fn ask(
        &mut self,
        method: &'static str,
        depth: &'static str,
        body: &str,
        what: &'static str,
    ) -> Result<Multistatus, CarddavError> {
        let asking =
            tokio::time::timeout(ANSWER_TIME_MAX, self.exchange(method, depth, body, what));
        match asking.await {
            Ok(answer) => answer,
            Err(_) => Err(CarddavError::Unreachable("it does not answer".to_owned())),
        }
    }

    async fn exchange(
        &mut self,
        method: &'static str,
        depth: &'static str,
        body: &str,
        what: &'static str,
    ) -> Result<Multistatus, CarddavError> {
        let unreachable =
            |error: &dyn std::fmt::Display| CarddavError::Unreachable(error.to_string());
        let request = Request::builder()
            .method(method)
            .uri(&self.server.path)
            .header("host", &self.server.host)
            .header("authorization", &self.server.authorization)
            .header("depth", depth)
            .header("content-type", "application/xml; charset=utf-8")
            .body(body.to_owned())
            .map_err(|_| CarddavError::Url)?;
        // An idle connection may have been closed by the server.
        if self.sender.ready().await.is_err() {
            *self = Self::connect(&self.server).await?;
        }
        let answer = self.sender.send_request(request).await;
        let answer = answer.map_err(|error| unreachable(&error))?;
        let status = answer.status();
        match status {
            StatusCode::MULTI_STATUS => {}
            StatusCode::UNAUTHORIZED => return Err(CarddavError::Refused),
            other => return Err(CarddavError::Status(other.as_u16(), what)),
        }
        let bytes = whole(answer.into_body()).await?;
        let text = String::from_utf8(bytes)
            .map_err(|_| XmlFault::Malformed("it is not UTF-8".to_owned()))?;
        Ok(multistatus::read(&text)?)
    }

    /// The path of a member, which lies in the book: whatever a server says, nothing else is asked for.
    fn within(&self, href: &str) -> Result<String, CarddavError> {
        let own = self.server.origin();
        let path = href.strip_prefix(&own).unwrap_or(href);
        let below = path.strip_prefix(&self.server.path);
        let one = below.is_some_and(|name| {
            let plain = |byte: u8| byte.is_ascii_graphic() && !b"<>\"?#\\".contains(&byte);
            name.bytes().all(plain) && !name.trim_end_matches('/').contains('/') && name != ".."
        });
        if one {
            Ok(path.to_owned())
        } else {
            Err(CarddavError::Members)
        }
    }
}

async fn whole(mut body: Incoming) -> Result<Vec<u8>, CarddavError> {
    let mut bytes = Vec::new();
    loop {
        let frame =
            std::future::poll_fn(|context| std::pin::Pin::new(&mut body).poll_frame(context));
        let Some(frame) = frame.await else {
            return Ok(bytes);
        };
        let frame = frame.map_err(|error| CarddavError::Unreachable(error.to_string()))?;
        let data: Bytes = frame.into_data().unwrap_or_default();
        if bytes.len() + data.len() > ANSWER_BYTES_MAX {
            return Err(CarddavError::TooLarge);
        }
        bytes.extend_from_slice(&data);
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

const PROPFIND_BOOK: &str = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\
    <D:propfind xmlns:D=\"DAV:\" xmlns:S=\"http://calendarserver.org/ns/\">\
    <D:prop><D:resourcetype/><D:sync-token/><S:getctag/></D:prop></D:propfind>";
const PROPFIND_ETAGS: &str = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\
    <D:propfind xmlns:D=\"DAV:\"><D:prop><D:getetag/></D:prop></D:propfind>";
const SYNC_COLLECTION: &str = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\
    <D:sync-collection xmlns:D=\"DAV:\"><D:sync-token>TOKEN</D:sync-token><D:sync-level>1</D:sync-level>\
    <D:prop><D:getetag/></D:prop></D:sync-collection>";
const MULTIGET: &str = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\
    <C:addressbook-multiget xmlns:D=\"DAV:\" xmlns:C=\"urn:ietf:params:xml:ns:carddav\">\
    <D:prop><D:getetag/><C:address-data/></D:prop>HREFS</C:addressbook-multiget>";
