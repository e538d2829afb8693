//! What a store keeps of people's and devices' wishes about calls.
use hearthline_hub::call_settings::CallSettings;

use super::*;

fn undisturbed(until: Option<UnixMs>) -> CallSettings {
    CallSettings {
        do_not_disturb: true,
        do_not_disturb_until_ms: until,
        ..CallSettings::default()
    }
}

pub(super) async fn wishes_of_people_and_devices_are_kept_apart_and_replaced_whole(fresh: Fresh) {
    let store = fresh.store.as_ref();
    let anna = Party::Person(person(store, "anna", Role::Owner).await.id);
    let bert = person(store, "bert", Role::Adult).await.id;
    let kitchen = Party::Device(device(store, "Kitchen").await.id);
    for party in [anna, kitchen] {
        let fresh = store.call_settings_of(party).await.unwrap();
        assert_eq!(fresh, CallSettings::default(), "as it begins");
    }
    assert!(store.call_settings().await.unwrap().is_empty());
    let own = CallSettings {
        blocked: vec![kitchen],
        only: Some(vec![Party::Person(bert)]),
        drop_in: vec![Party::Person(bert)],
        ..undisturbed(Some(NOW.plus_ms(5)))
    };
    store.set_call_settings(anna, &own, NOW).await.unwrap();
    store
        .set_call_settings(kitchen, &undisturbed(None), NOW)
        .await
        .unwrap();
    assert_eq!(store.call_settings_of(anna).await.unwrap(), own);
    assert_eq!(
        store.call_settings_of(kitchen).await.unwrap(),
        undisturbed(None)
    );
    assert_eq!(store.call_settings().await.unwrap().len(), 2);
    // Replaced whole: what is not said is as it begins.
    store
        .set_call_settings(anna, &undisturbed(None), NOW)
        .await
        .unwrap();
    assert_eq!(
        store.call_settings_of(anna).await.unwrap(),
        undisturbed(None)
    );
    // An empty list of allowed callers is not the same as none.
    let nobody = CallSettings {
        only: Some(Vec::new()),
        ..CallSettings::default()
    };
    store.set_call_settings(anna, &nobody, NOW).await.unwrap();
    assert_eq!(store.call_settings_of(anna).await.unwrap(), nobody);
    let announced = store.events_after(StreamId(0), 100).await.unwrap();
    assert!(!announced.is_empty());
}

pub(super) async fn wishes_end_with_their_person_and_are_nobody_elses(fresh: Fresh) {
    let store = fresh.store.as_ref();
    person(store, "olive", Role::Owner).await;
    let bert = person(store, "bert", Role::Adult).await.id;
    let party = Party::Person(bert);
    store
        .set_call_settings(party, &undisturbed(None), NOW)
        .await
        .unwrap();
    store.remove_person(bert, NOW).await.unwrap();
    let left = store.call_settings().await.unwrap();
    assert!(left.iter().all(|(own, _)| *own != party), "{left:?}");
    // Of somebody who is not there nothing is kept.
    let nobody = Party::Device(DeviceId::random().unwrap());
    let refused = store
        .set_call_settings(nobody, &undisturbed(None), NOW)
        .await;
    assert!(refused.is_err(), "{refused:?}");
    assert!(store.call_settings().await.unwrap().len() <= left.len());
}
