//! What a store keeps of messages.
use super::*;

pub(super) async fn a_message_is_stored_once_and_delivered_in_order(fresh: Fresh) {
    let store = fresh.store.as_ref();
    let anna = Party::Person(person(store, "anna", Role::Owner).await.id);
    let bert = Party::Person(person(store, "bert", Role::Adult).await.id);
    let first = store
        .send_message(&text("1", anna, Recipients::Everyone), NOW)
        .await
        .unwrap();
    let second = store
        .send_message(&text("2", anna, Recipients::These(vec![bert, bert])), NOW)
        .await
        .unwrap();
    let again = store
        .send_message(&text("1", anna, Recipients::Everyone), NOW.plus_ms(5))
        .await
        .unwrap();
    assert_eq!((again.id, again.repeated), (first.id, true));
    let other = store
        .send_message(&text("1", anna, Recipients::These(vec![bert])), NOW)
        .await;
    assert!(
        matches!(
            other,
            Err(StoreError::Taken {
                field: "client_id",
                ..
            })
        ),
        "{other:?}"
    );
    // Another sender's client id is another message.
    store
        .send_message(&text("1", bert, Recipients::These(vec![anna])), NOW)
        .await
        .unwrap();
    let all = store
        .mailbox(bert, StreamId(0), 10, true, NOW)
        .await
        .unwrap();
    let ids = |messages: &[hearthline_hub::message::Message]| {
        messages
            .iter()
            .map(|message| message.id)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        ids(&all),
        [first.id, second.id],
        "twice named is once delivered"
    );
    let rest = store
        .mailbox(bert, all[0].sequence, 10, true, NOW)
        .await
        .unwrap();
    assert_eq!(ids(&rest), [second.id]);
    assert_eq!(store.waiting(bert, NOW).await.unwrap(), 2);
    let nobody = Recipients::These(vec![Party::Device(DeviceId::random().unwrap())]);
    let unknown = store.send_message(&text("3", anna, nobody), NOW).await;
    assert!(
        matches!(unknown, Err(StoreError::NotFound("recipient"))),
        "{unknown:?}"
    );
    let none = store
        .send_message(&text("4", anna, Recipients::These(Vec::new())), NOW)
        .await;
    assert!(matches!(none, Err(StoreError::Refused(_))), "{none:?}");
}

pub(super) async fn receipts_only_go_forward(fresh: Fresh) {
    let store = fresh.store.as_ref();
    let anna = Party::Person(person(store, "anna", Role::Owner).await.id);
    let bert = Party::Person(person(store, "bert", Role::Adult).await.id);
    let sent = store
        .send_message(&text("1", anna, Recipients::These(vec![bert])), NOW)
        .await
        .unwrap();
    let later = NOW.plus_ms(5);
    assert_eq!(
        store
            .acknowledge(anna, &[sent.id], DeliveryState::Read, later)
            .await
            .unwrap(),
        0,
        "not in that mailbox"
    );
    assert_eq!(
        store
            .acknowledge(bert, &[sent.id], DeliveryState::Read, later)
            .await
            .unwrap(),
        1
    );
    assert_eq!(
        store
            .acknowledge(bert, &[sent.id], DeliveryState::Delivered, later)
            .await
            .unwrap(),
        0
    );
    let (from, deliveries) = store.deliveries(sent.id).await.unwrap();
    assert_eq!(from, anna);
    assert_eq!(
        (
            deliveries[0].to,
            deliveries[0].state,
            deliveries[0].since_ms
        ),
        (bert, DeliveryState::Read, later)
    );
    assert!(
        store
            .mailbox(bert, StreamId(0), 10, true, NOW)
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(
        store
            .mailbox(bert, StreamId(0), 10, false, NOW)
            .await
            .unwrap()
            .len(),
        1
    );
}

pub(super) async fn messages_expire(fresh: Fresh) {
    let store = fresh.store.as_ref();
    let anna = Party::Person(person(store, "anna", Role::Owner).await.id);
    let bert = Party::Person(person(store, "bert", Role::Adult).await.id);
    let message = text("1", anna, Recipients::These(vec![bert]));
    let sent = store.send_message(&message, NOW).await.unwrap();
    assert_eq!(store.waiting(bert, message.expires_at).await.unwrap(), 0);
    assert!(
        store
            .mailbox(bert, StreamId(0), 9, false, message.expires_at)
            .await
            .unwrap()
            .is_empty()
    );
    assert!(store.deliveries(sent.id).await.is_ok());
    assert_eq!(store.last_sweep().await.unwrap(), None);
    store.sweep(message.expires_at, UnixMs(0)).await.unwrap();
    assert_eq!(store.last_sweep().await.unwrap(), Some(message.expires_at));
    assert!(matches!(
        store.deliveries(sent.id).await,
        Err(StoreError::NotFound("message"))
    ));
    // A sender that was away sends again what it does not know to have arrived: still the same message.
    let late = message.expires_at.plus_ms(REMEMBERED_MS - 1);
    store.sweep(late, UnixMs(0)).await.unwrap();
    let again = NewMessage {
        expires_at: late.plus_ms(1_000),
        ..message.clone()
    };
    let repeated = store.send_message(&again, late).await.unwrap();
    assert_eq!((repeated.id, repeated.repeated), (sent.id, true));
    assert_eq!(
        store.waiting(bert, late).await.unwrap(),
        0,
        "not delivered twice"
    );
    store.sweep(late.plus_ms(1), UnixMs(0)).await.unwrap();
    assert!(
        !store.send_message(&again, late).await.unwrap().repeated,
        "forgotten in the end"
    );
}
