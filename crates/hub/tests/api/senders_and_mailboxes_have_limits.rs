//! What one sender and one mailbox may hold, at the limits themselves: the rows are written straight into SQLite,
//! because twenty thousand messages through the store take minutes.

use std::path::Path;
use std::sync::Arc;

use hearthline_hub::bus::LocalBus;
use hearthline_hub::clock::UnixMs;
use hearthline_hub::id::PersonId;
use hearthline_hub::message::{
    MAILBOX_MAX, MessageBody, NewMessage, Recipients, SENT_BYTES_MAX, SENT_MAX,
};
use hearthline_hub::person::{Party, Role};
use hearthline_hub::store::{Messages as _, People as _, SqliteConfig, SqliteStore, StoreError};
use serde_json::json;
use sqlx_core::connection::{ConnectOptions as _, Connection as _};
use sqlx_core::query::query;
use sqlx_sqlite::SqliteConnectOptions;

const NOW: UnixMs = UnixMs(1_800_000_000_000);

struct Home {
    folder: tempfile::TempDir,
    store: SqliteStore,
    anna: PersonId,
    bert: PersonId,
    carl: PersonId,
}

async fn open(folder: &Path) -> SqliteStore {
    SqliteStore::open(&SqliteConfig::new(folder), Arc::new(LocalBus::default()))
        .await
        .unwrap()
}

impl Home {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = open(folder.path()).await;
        let mut people = Vec::new();
        for (name, role) in [
            ("anna", Role::Owner),
            ("bert", Role::Adult),
            ("carl", Role::Adult),
        ] {
            let fields = serde_json::from_value(json!({"name": name, "role": role})).unwrap();
            people.push(store.add_person(&fields, NOW).await.unwrap().id);
        }
        Self {
            folder,
            store,
            anna: people[0],
            bert: people[1],
            carl: people[2],
        }
    }

    /// Writes `count` messages of `body_bytes` from `from` that wait in `to`'s mailbox until `expires_at`.
    async fn fill(
        &self,
        count: u32,
        body_bytes: i64,
        from: PersonId,
        to: PersonId,
        expires_at: UnixMs,
    ) {
        let path = self.folder.path().join("hub.sqlite");
        let mut raw = SqliteConnectOptions::new()
            .filename(path)
            .connect()
            .await
            .unwrap();
        query(
            "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ?)
             INSERT INTO messages (id, sequence, sender, client_id, body_sha256, text, body_bytes, sent_at, expires_at)
             SELECT printf('%026d', n), -n, ?, 'f-' || n, x'00', 'x', ?, 0, ? FROM n",
        )
        .bind(i64::from(count))
        .bind(format!("person:{from}"))
        .bind(body_bytes)
        .bind(expires_at.0)
        .execute(&mut raw)
        .await
        .unwrap();
        query(
            "INSERT INTO deliveries (mailbox, sequence, message, state, since)
             SELECT ?, sequence, id, 0, 0 FROM messages WHERE sequence < 0",
        )
        .bind(format!("person:{to}"))
        .execute(&mut raw)
        .await
        .unwrap();
        raw.close().await.unwrap();
    }

    async fn send(&self, id: &str, from: PersonId, to: Recipients) -> Result<(), StoreError> {
        let message = NewMessage {
            client_id: serde_json::from_value(json!(id)).unwrap(),
            from: Party::Person(from),
            to,
            body: MessageBody::Text(serde_json::from_value(json!("Dinner")).unwrap()),
            outside: None,
            announcement: false,
            reminder_due: None,
            expires_at: NOW.plus_ms(1_000_000),
        };
        self.store.send_message(&message, NOW).await.map(drop)
    }

    async fn waiting(&self, of: PersonId) -> u32 {
        self.store.waiting(Party::Person(of), NOW).await.unwrap()
    }
}

fn only(person: PersonId) -> Recipients {
    Recipients::These(vec![Party::Person(person)])
}

#[tokio::test]
async fn a_full_mailbox_refuses_its_own_and_holds_up_nobody_else() {
    let home = Home::new().await;
    home.fill(MAILBOX_MAX, 1, home.anna, home.bert, NOW.plus_ms(1))
        .await;
    let full = home.send("1", home.anna, only(home.bert)).await;
    assert!(matches!(full, Err(StoreError::Limit { .. })), "{full:?}");
    home.send("2", home.anna, Recipients::Everyone)
        .await
        .unwrap();
    assert_eq!(home.waiting(home.carl).await, 1);
    assert_eq!(home.waiting(home.bert).await, MAILBOX_MAX);
    // Named ones are all or none.
    let both = Recipients::These(vec![Party::Person(home.bert), Party::Person(home.carl)]);
    assert!(home.send("3", home.anna, both).await.is_err());
    assert_eq!(home.waiting(home.carl).await, 1);
}

#[tokio::test]
async fn what_has_ended_takes_no_place_in_a_mailbox() {
    let home = Home::new().await;
    home.fill(MAILBOX_MAX, 1, home.anna, home.bert, NOW).await;
    home.send("1", home.anna, only(home.bert)).await.unwrap();
    assert_eq!(home.waiting(home.bert).await, 1);
}

#[tokio::test]
async fn one_sender_fills_no_disk_also_not_with_what_was_read() {
    let home = Home::new().await;
    let each = SENT_BYTES_MAX / 1_000 + 1;
    home.fill(1_000, each, home.bert, home.anna, NOW.plus_ms(1))
        .await;
    let all = home.store.mailbox(
        Party::Person(home.anna),
        hearthline_hub::event::StreamId(-1_001),
        1_000,
        true,
        NOW,
    );
    let ids: Vec<_> = all
        .await
        .unwrap()
        .iter()
        .map(|message| message.id)
        .collect();
    let read = hearthline_hub::message::DeliveryState::Read;
    home.store
        .acknowledge(Party::Person(home.anna), &ids, read, NOW)
        .await
        .unwrap();
    assert_eq!(home.waiting(home.anna).await, 0);
    let refused = home.send("1", home.bert, only(home.anna)).await;
    assert!(
        matches!(refused, Err(StoreError::Refused(_))),
        "{refused:?}"
    );
    home.send("1", home.carl, only(home.anna)).await.unwrap();
}

#[tokio::test]
async fn one_sender_has_so_many_messages_and_no_more() {
    let home = Home::new().await;
    home.fill(SENT_MAX, 0, home.bert, home.anna, NOW).await;
    let refused = home.send("1", home.bert, only(home.carl)).await;
    assert!(
        matches!(refused, Err(StoreError::Refused(_))),
        "{refused:?}"
    );
    home.send("1", home.anna, only(home.carl)).await.unwrap();
}
