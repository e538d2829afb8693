//! What a store keeps of address books on servers.
use hearthline_hub::address_book;
use hearthline_hub::carddav::{BookChange, BookItem, BookState};

use super::*;

const BOOK: &str = "http://127.0.0.1:5232/anna/book/";

fn item(href: &str, etag: &str, inside: &str) -> BookItem {
    let text = format!("BEGIN:VCARD\r\nVERSION:4.0\r\nUID:{href}\r\n{inside}END:VCARD\r\n");
    let import = address_book::read(text.as_bytes()).unwrap();
    BookItem {
        href: href.to_owned(),
        etag: etag.to_owned(),
        card: import.cards.into_iter().next(),
    }
}

async fn names(store: &dyn Store) -> Vec<String> {
    let all = store.contacts().await.unwrap();
    all.iter()
        .map(|contact| contact.fields.name.as_str().to_owned())
        .collect()
}

pub(super) async fn a_book_is_known_by_what_was_read_last(fresh: Fresh) {
    let store = fresh.store.as_ref();
    assert_eq!(
        store.address_book(BOOK).await.unwrap(),
        BookState::default()
    );
    let change = BookChange {
        ctag: Some("c1".to_owned()),
        sync_token: Some("t1".to_owned()),
        items: vec![
            item("/a", "1", "FN:Anna\r\nTEL:+12025550123\r\n"),
            item("/b", "1", "FN:Bert\r\n"),
            // Refused: remembered, so that it is not asked for each time.
            BookItem {
                href: "/police".to_owned(),
                etag: "1".to_owned(),
                card: None,
            },
        ],
        ..BookChange::default()
    };
    let (done, removed) = store.put_address_book(BOOK, &change, NOW).await.unwrap();
    assert_eq!((done.added, removed), (2, 0));
    let known = store.address_book(BOOK).await.unwrap();
    assert_eq!(
        (known.ctag.as_deref(), known.sync_token.as_deref()),
        (Some("c1"), Some("t1"))
    );
    assert_eq!(known.etags.len(), 3);
    assert_eq!(known.etags.get("/police").map(String::as_str), Some("1"));
    assert_eq!(names(store).await, ["Anna", "Bert"]);
    // Another book knows nothing of this one.
    let other = store.address_book("http://127.0.0.1:5232/bert/").await;
    assert_eq!(other.unwrap(), BookState::default());
    // The same again changes nothing and announces nothing.
    let before = store.event_range().await.unwrap();
    let (done, removed) = store.put_address_book(BOOK, &change, NOW).await.unwrap();
    assert_eq!((done.added, done.changed, removed), (0, 0, 0));
    assert_eq!(store.event_range().await.unwrap(), before);
}

pub(super) async fn what_changes_or_goes_on_the_server_changes_or_goes_here(fresh: Fresh) {
    let store = fresh.store.as_ref();
    let first = BookChange {
        items: vec![
            item("/a", "1", "FN:Anna\r\nTEL:+12025550123\r\n"),
            item("/b", "1", "FN:Bert\r\n"),
        ],
        ..BookChange::default()
    };
    store.put_address_book(BOOK, &first, NOW).await.unwrap();
    // What the home decided about Anna stays whatever her card says.
    let anna = store.contacts().await.unwrap().remove(0);
    let mut own = anna.fields.clone();
    own.children_may_call = true;
    store.change_contact(anna.id, &own, NOW).await.unwrap();
    let alone: ContactFields = read(json!({"name": "Carl", "numbers": []}));
    store.add_contact(&alone, NOW).await.unwrap();
    let second = BookChange {
        items: vec![item("/a", "2", "FN:Anna B\r\nTEL:+12025550124\r\n")],
        removed: vec!["/b".to_owned(), "/never-there".to_owned()],
        ..BookChange::default()
    };
    let (done, removed) = store.put_address_book(BOOK, &second, NOW).await.unwrap();
    assert_eq!((done.added, done.changed, removed), (0, 1, 1));
    assert_eq!(names(store).await, ["Anna B", "Carl"]);
    let anna = store.contact(anna.id).await.unwrap();
    assert!(anna.fields.children_may_call);
    assert_eq!(anna.fields.numbers[0].number.as_str(), "+12025550124");
    let known = store.address_book(BOOK).await.unwrap();
    assert_eq!(known.etags.len(), 1);
    assert_eq!(known.etags.get("/a").map(String::as_str), Some("2"));
}
