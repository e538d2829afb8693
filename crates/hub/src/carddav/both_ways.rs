//! An address book that home and server keep alike: what changed there comes here, what changed here goes there.
//!
//! ```text
//! read the server's changes ─► store: theirs; what the home had changed as well is kept as a contact of its own
//!      ─► what the home changed, added, removed ─► PUT, DELETE with If-Match ─► agreed
//!                                                      └─ 412: somebody was quicker; the next reading settles it
//! ```
//! Nothing is lost: of two changes the server's takes the contact's place and the home's stands beside it; what one side
//! removed and the other changed stays.

use serde::{Deserialize, Serialize};

use super::writing::{Expected, Written, delete, put};
use super::{CarddavError, Server};
use crate::address_book::{self, Imported};
use crate::contact::Contact;
use crate::home::Home;
use crate::store::StoreError;
use crate::vcard::Version;

/// Most cards that go to the server at once; the rest follows with the next time.
const SENT_MAX: usize = 500;

/// How it went.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct KeptAlike {
    /// What came.
    pub imported: Imported,
    /// How many contacts went because the server has them no more.
    pub removed: u32,
    /// How many cards the server has from us now.
    pub sent: u32,
    /// How many members were removed there because the home has them no more.
    pub taken_back: u32,
    /// How many somebody else changed at the same moment; the next time settles them.
    pub postponed: u32,
}

/// Makes both sides alike. The inner error is the server's.
pub(crate) async fn keep_alike(
    home: &Home,
    server: &Server,
) -> Result<Result<KeptAlike, CarddavError>, StoreError> {
    let mut done = KeptAlike::default();
    match home.read_address_book(server).await? {
        Ok((imported, removed)) => (done.imported, done.removed) = (imported, removed),
        Err(error) => return Ok(Err(error)),
    }
    let sent = send(home, server, &mut done).await?;
    Ok(sent.map(|()| done))
}

async fn send(
    home: &Home,
    server: &Server,
    done: &mut KeptAlike,
) -> Result<Result<(), CarddavError>, StoreError> {
    let key = server.key();
    let store = home.store.as_ref();
    let members = store.book_members(&key).await?;
    let contacts = store.contacts_with_cards().await?;
    let elsewhere = store.contacts_in_books().await?;
    let mut room = SENT_MAX;
    for (contact, card) in &contacts {
        let member = members.iter().find(|own| own.contact == Some(contact.id));
        let ours = address_book::agreed(contact, card.as_deref());
        let (href, expected) = match member {
            Some(member) if member.agreed == Some(ours) => continue,
            // Read before this book was kept alike: what is there now is what both have.
            Some(member) if member.agreed.is_none() => {
                let (href, etag) = (&member.href, &member.etag);
                store
                    .note_book_member(&key, href, etag, contact.id, None, &ours)
                    .await?;
                continue;
            }
            Some(member) => (member.href.clone(), Expected::Etag(&member.etag)),
            None if elsewhere.contains(&contact.id) => continue,
            None => (server.member(contact), Expected::Absent),
        };
        if room == 0 {
            break;
        }
        room -= 1;
        let text = text_of(contact, card.as_deref(), Version::V3);
        match put(server, &href, expected, &text).await {
            Ok(Written::Done(etag)) => {
                done.sent += 1;
                // Its card is ours from now on: the same one coming back is no news.
                let whole = text_of(contact, card.as_deref(), Version::V4);
                let kept = address_book::read(whole.as_bytes()).ok();
                let kept = kept.and_then(|import| import.cards.into_iter().next());
                let etag = etag.unwrap_or_default();
                store
                    .note_book_member(&key, &href, &etag, contact.id, kept.as_ref(), &ours)
                    .await?;
            }
            Ok(Written::Otherwise) => done.postponed += 1,
            Err(error) => return Ok(Err(error)),
        }
    }
    for member in &members {
        // A refused card was never agreed on, and stays where it is.
        if member.contact.is_some() || member.agreed.is_none() {
            continue;
        }
        match delete(server, &member.href, &member.etag).await {
            Ok(Written::Done(_)) => {
                done.taken_back += 1;
                store.forget_book_member(&key, &member.href).await?;
            }
            Ok(Written::Otherwise) => done.postponed += 1,
            Err(error) => return Ok(Err(error)),
        }
    }
    Ok(Ok(()))
}

fn text_of(contact: &Contact, card: Option<&str>, version: Version) -> String {
    let all = [(contact.clone(), card.map(str::to_owned))];
    address_book::write(&all, version)
}

impl Server {
    /// Where a contact of the home stands in the book.
    fn member(&self, contact: &Contact) -> String {
        format!("{}hearthline-{}.vcf", self.path, contact.id)
    }
}
