//! What a store keeps of lights that routines want switched.
use hearthline_hub::device::DeviceKind;
use hearthline_hub::event::Audience;
use hearthline_hub::light_order::{
    COUNTS_MS, LightOrder, LightOrderState, REMEMBERED_MAX, WAITING_MAX,
};

use super::*;

fn order(name: &str) -> LightOrder {
    read(json!({"light": name, "set": {"brightness": 40}}))
}

pub(super) async fn a_light_order_is_told_once_answered_once_and_soon_too_old(fresh: Fresh) {
    let store = fresh.store.as_ref();
    let kitchen = device(store, "Kitchen").await.id;
    let hall = device(store, "Hall").await.id;
    assert_eq!(store.device(hall).await.unwrap().kind, DeviceKind::Speaker);
    let before = store.event_range().await.unwrap().1;
    let first = store
        .order_light(kitchen, &order("Desk"), NOW)
        .await
        .unwrap();
    let second = store
        .order_light(kitchen, &order("Lamp"), NOW)
        .await
        .unwrap();
    let events = store.events_after(before, 10).await.unwrap();
    let told: Vec<_> = events
        .iter()
        .map(|event| (event.kind, event.audience))
        .collect();
    let pair = [
        (EventKind::LightOrderQueued, Audience::device(kitchen)),
        (EventKind::LightOrders, Audience::Adults),
    ];
    assert_eq!(told, [pair, pair].concat());
    let waiting = store.light_orders_of(kitchen, NOW).await.unwrap();
    let ids: Vec<_> = waiting.iter().map(|one| one.id).collect();
    assert_eq!(ids, [first, second], "in their order");
    assert_eq!(waiting[0].order, order("Desk"));
    assert!(store.light_orders_of(hall, NOW).await.unwrap().is_empty());
    // Nobody answers for another, and nobody twice.
    let other = store
        .end_light_order(hall, first, None, NOW)
        .await
        .unwrap_err();
    assert!(matches!(other, StoreError::NotFound(_)), "{other}");
    store
        .end_light_order(kitchen, first, None, NOW)
        .await
        .unwrap();
    let again = store.end_light_order(kitchen, first, Some("no"), NOW).await;
    assert!(matches!(again.unwrap_err(), StoreError::NotFound(_)));
    let third = store
        .order_light(kitchen, &order("Hob"), NOW)
        .await
        .unwrap();
    store
        .end_light_order(kitchen, third, Some("no such light"), NOW)
        .await
        .unwrap();
    // What nobody took in time is too old.
    let late = NOW.plus_ms(COUNTS_MS);
    assert!(
        store
            .light_orders_of(kitchen, late)
            .await
            .unwrap()
            .is_empty()
    );
    let shown = store.light_orders(10, late).await.unwrap();
    let states: Vec<_> = shown.iter().map(|one| (one.id, one.state)).collect();
    let wanted = [
        (third, LightOrderState::Refused),
        (second, LightOrderState::Missed),
        (first, LightOrderState::Done),
    ];
    assert_eq!(states, wanted);
    assert_eq!(shown[0].why.as_deref(), Some("no such light"));
    let now = store.light_orders(10, NOW).await.unwrap();
    assert_eq!(now[1].state, LightOrderState::Waiting);
}

pub(super) async fn light_orders_are_bounded_and_only_for_speakers_that_stand(fresh: Fresh) {
    let store = fresh.store.as_ref();
    let kitchen = device(store, "Kitchen").await.id;
    for _ in 0..WAITING_MAX {
        store
            .order_light(kitchen, &order("Desk"), NOW)
            .await
            .unwrap();
    }
    let many = store.order_light(kitchen, &order("Desk"), NOW).await;
    assert!(matches!(many.unwrap_err(), StoreError::Refused(_)));
    for round in 1..10 {
        let now = NOW.plus_ms(round * COUNTS_MS);
        for _ in 0..WAITING_MAX {
            store
                .order_light(kitchen, &order("Desk"), now)
                .await
                .unwrap();
        }
    }
    let kept = store.light_orders(10_000, NOW).await.unwrap();
    assert_eq!(kept.len(), REMEMBERED_MAX as usize);
    store.revoke_device(kitchen, NOW).await.unwrap();
    let late = NOW.plus_ms(100 * COUNTS_MS);
    let gone = store.order_light(kitchen, &order("Desk"), late).await;
    assert!(matches!(gone.unwrap_err(), StoreError::NotFound("speaker")));
}
