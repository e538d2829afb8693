//! What a store knows of the bundles that devices handed in.
use hearthline_hub::bundle::{BundleVerdict, KeptBundle};

use super::*;

fn report(number: u32, bundle: &[u8]) -> IncidentReport {
    read(json!({
        "number": number, "opened_at_ms": NOW, "drill": true, "outcome": "answered", "entries": 9,
        "bundle_sha256": Fingerprint::of(bundle),
    }))
}

fn kept(bytes: u64, verdict: BundleVerdict) -> KeptBundle {
    KeptBundle {
        bytes,
        verdict,
        received_at_ms: NOW.plus_ms(5),
    }
}

pub(super) async fn a_bundle_is_kept_once_beside_its_report(fresh: Fresh) {
    let store = fresh.store.as_ref();
    let [kitchen, hall] = [
        device(store, "kitchen").await.id,
        device(store, "hall").await.id,
    ];
    let source = IncidentSource::Device(kitchen);
    assert_eq!(store.bundle_bytes().await.unwrap(), 0);
    // Reported first, and handed in later: one incident.
    let first = report(1, b"first");
    let id = store.report_incident(source, &first, NOW).await.unwrap();
    assert_eq!(store.incident(id).await.unwrap().bundle, None);
    let sha256 = first.bundle_sha256;
    let found = async |device| store.incident_of_bundle(device, &sha256).await.unwrap();
    assert_eq!(found(kitchen).await, None, "reported alone");
    let whole = kept(700, BundleVerdict::Intact);
    let newest = store.event_range().await.unwrap().1;
    let again = store
        .keep_bundle(source, &first, whole, NOW.plus_ms(5))
        .await;
    assert_eq!(again.unwrap(), id);
    let events = store.events_after(newest, 10).await.unwrap();
    let told: Vec<_> = events
        .iter()
        .map(|event| (event.kind, event.subject.clone()))
        .collect();
    assert_eq!(told, [(EventKind::Incidents, id.to_string())]);
    assert_eq!(store.incident(id).await.unwrap().bundle, Some(whole));
    assert_eq!((found(kitchen).await, found(hall).await), (Some(id), None));
    // What was said of it when it came stays.
    let later = kept(700, BundleVerdict::Witnessed);
    store
        .keep_bundle(source, &first, later, NOW.plus_ms(9))
        .await
        .unwrap();
    assert_eq!(store.incident(id).await.unwrap().bundle, Some(whole));
    // Another bundle of the same report is refused, and leaves nothing.
    let other = IncidentReport {
        bundle_sha256: Fingerprint::of(b"other"),
        ..first.clone()
    };
    let refused = store
        .keep_bundle(source, &other, whole, NOW.plus_ms(9))
        .await;
    assert!(
        matches!(refused, Err(StoreError::Refused(_))),
        "{refused:?}"
    );
    let none = store
        .incident_of_bundle(kitchen, &other.bundle_sha256)
        .await;
    assert_eq!(none.unwrap(), None);
    assert_eq!(store.bundle_bytes().await.unwrap(), 700);
    // Handed in without a report before; and the very bytes by another device, which is another incident.
    let second = report(2, b"second");
    let witnessed = kept(42, BundleVerdict::Witnessed);
    let id = store
        .keep_bundle(source, &second, witnessed, NOW.plus_ms(9))
        .await
        .unwrap();
    assert_eq!(store.incident(id).await.unwrap().bundle, Some(witnessed));
    let source = IncidentSource::Device(hall);
    let theirs = store
        .keep_bundle(source, &first, whole, NOW.plus_ms(9))
        .await
        .unwrap();
    assert_eq!(found(hall).await, Some(theirs));
    assert_eq!(store.bundle_bytes().await.unwrap(), 700 + 42 + 700);
    assert_eq!(store.incidents(10).await.unwrap().len(), 3);
}
