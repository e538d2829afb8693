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

/// What somebody outside said is passed on under their own name.
pub(super) async fn whose_words_a_message_passes_on_is_kept(fresh: Fresh) {
    let store = fresh.store.as_ref();
    let anna = Party::Person(person(store, "anna", Role::Owner).await.id);
    let mailbox = Party::Device(device(store, "mailbox").await.id);
    for (n, (name, number)) in [
        (Some("Cleo"), Some("+12025550123")),
        (None, Some("+12025550123")),
        (Some("Bank"), None),
        (None, None),
        // What is no name and no number is nobody's.
        (Some("a\u{202e}b"), Some("112")),
    ]
    .into_iter()
    .enumerate()
    {
        let outside = OutsideSender::known(name, number);
        assert_eq!(outside.is_some(), n < 3);
        let message = NewMessage {
            outside: outside.clone(),
            ..text(&format!("o{n}"), mailbox, Recipients::Everyone)
        };
        let sent = store.send_message(&message, NOW).await.unwrap();
        let all = store.unread(anna, StreamId(0), 10, NOW).await.unwrap();
        let got = all.iter().find(|message| message.id == sent.id).unwrap();
        assert_eq!((&got.outside, got.from), (&outside, mailbox));
    }
}

const DAY_MS: i64 = 24 * 3_600_000;

/// A speaker that was away for a month: nothing is lost, nothing comes twice, whatever was swept meanwhile.
pub(super) async fn ten_thousand_messages_wait_a_month_and_are_read_once(fresh: Fresh) {
    const MESSAGES: u32 = 10_000;
    let store = fresh.store.as_ref();
    let hall = Party::Device(device(store, "hall").await.id);
    let kitchen = Party::Device(device(store, "kitchen").await.id);
    for n in 0..MESSAGES {
        let message = NewMessage {
            expires_at: NOW.plus_ms(90 * DAY_MS),
            ..text(&format!("m{n}"), hall, Recipients::Speakers)
        };
        assert!(!store.send_message(&message, NOW).await.unwrap().repeated);
        // The sender was unsure about every hundredth.
        if n % 100 == 0 {
            assert!(store.send_message(&message, NOW).await.unwrap().repeated);
        }
    }
    let mut now = NOW;
    for _ in 0..31 {
        now = now.plus_ms(DAY_MS);
        store.sweep(now, now.plus_ms(-7 * DAY_MS)).await.unwrap();
    }
    assert_eq!(store.waiting(kitchen, now).await.unwrap(), MESSAGES);
    let (mut seen, mut after) = (Vec::new(), StreamId(0));
    loop {
        let batch = store.unread(kitchen, after, 200, now).await.unwrap();
        let Some(last) = batch.last() else { break };
        after = last.sequence;
        let ids: Vec<_> = batch.iter().map(|message| message.id).collect();
        // Fetched is not heard: they are found again until they are.
        store
            .acknowledge(kitchen, &ids, DeliveryState::Delivered, now)
            .await
            .unwrap();
        let again = store.unread(kitchen, StreamId(0), 200, now).await.unwrap();
        assert_eq!(again.len(), 200);
        let moved = store
            .acknowledge(kitchen, &ids, DeliveryState::Read, now)
            .await;
        assert_eq!(moved.unwrap() as usize, ids.len());
        seen.extend(batch.into_iter().map(|message| message.text.unwrap()));
    }
    let expected = (0..MESSAGES).map(|n| format!("text of m{n}"));
    assert!(seen.iter().map(MessageText::as_str).eq(expected));
    assert_eq!(store.waiting(kitchen, now).await.unwrap(), 0);
}

pub(super) async fn what_no_mailbox_holds_is_dropped(fresh: Fresh) {
    let store = fresh.store.as_ref();
    let hall = Party::Device(device(store, "hall").await.id);
    let kitchen = Party::Device(device(store, "kitchen").await.id);
    let study = Party::Device(device(store, "study").await.id);
    let message = text("1", hall, Recipients::Speakers);
    let sent = store.send_message(&message, NOW).await.unwrap();
    let (_, deliveries) = store.deliveries(sent.id).await.unwrap();
    let to: Vec<Party> = deliveries.iter().map(|delivery| delivery.to).collect();
    assert!(
        to.len() == 2 && to.contains(&kitchen) && to.contains(&study),
        "not its sender"
    );
    store.delete_message(kitchen, sent.id, NOW).await.unwrap();
    let again = store.delete_message(kitchen, sent.id, NOW).await;
    assert!(
        matches!(again, Err(StoreError::NotFound("message"))),
        "{again:?}"
    );
    let left = |owner| store.unread(owner, StreamId(0), 10, NOW);
    assert!(left(kitchen).await.unwrap().is_empty());
    assert_eq!(left(study).await.unwrap().len(), 1);
    store.delete_message(study, sent.id, NOW).await.unwrap();
    store.sweep(NOW.plus_ms(1), UnixMs(0)).await.unwrap();
    assert!(matches!(
        store.deliveries(sent.id).await,
        Err(StoreError::NotFound("message"))
    ));
    // Sent again it is still the same, and nobody gets it.
    assert!(
        store
            .send_message(&message, NOW.plus_ms(2))
            .await
            .unwrap()
            .repeated
    );
    assert!(left(study).await.unwrap().is_empty());
}
