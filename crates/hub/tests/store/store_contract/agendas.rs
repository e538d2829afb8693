//! What a store keeps of the agendas of speakers.
use hearthline_hub::agenda::{Copy, NewCopy};

use super::*;

fn copy(journal: &str, revision: i64, instead_of: Option<&str>, ids: &[i64]) -> NewCopy {
    let item = |id: &i64| {
        json!({
            "shown": {"id": id, "kind": "timer", "label": format!("t{id}"), "due_ms": NOW.0 + id * 1_000},
            "item": {"timer": {"length_ms": id * 1_000}},
        })
    };
    let items: Vec<_> = ids.iter().map(item).collect();
    read(json!({
        "journal": journal, "revision": revision, "instead_of": instead_of,
        "clock_ms": NOW.0 + 5_000, "items": items,
    }))
}

fn ids(copy: &Copy) -> Vec<i64> {
    copy.items.iter().map(|item| item.shown.id).collect()
}

pub(super) async fn a_copy_goes_forward_only_and_is_replaced_by_name(fresh: Fresh) {
    let store = fresh.store.as_ref();
    let kitchen = device(store, "Kitchen").await.id;
    let hall = device(store, "Hall").await.id;
    assert_eq!(store.agenda_of(kitchen).await.unwrap(), None);
    let keep = async |device, copy: NewCopy| store.keep_agenda(device, &copy, NOW).await;
    keep(kitchen, copy("a", 5, None, &[1, 2, 3])).await.unwrap();
    keep(hall, copy("h", 1, None, &[7])).await.unwrap();
    let before = store.event_range().await.unwrap().1;
    keep(kitchen, copy("a", 6, None, &[2, 4])).await.unwrap();
    let events = store.events_after(before, 10).await.unwrap();
    assert_eq!(
        events.iter().map(|event| event.kind).collect::<Vec<_>>(),
        [EventKind::Agendas]
    );
    // The same again is no harm; an older one, and one of another file that has not seen this, change nothing.
    keep(kitchen, copy("a", 6, None, &[2, 4])).await.unwrap();
    for stale in [
        copy("a", 5, None, &[1, 2, 3]),
        copy("b", 9, None, &[]),
        copy("b", 9, Some("c"), &[]),
    ] {
        let refused = keep(kitchen, stale).await.unwrap_err();
        assert!(matches!(refused, StoreError::Taken { .. }), "{refused}");
    }
    let kept = store.agenda_of(kitchen).await.unwrap().unwrap();
    assert_eq!(
        (kept.journal.as_str(), kept.revision, kept.handed_over),
        ("a", 6, false)
    );
    assert_eq!(ids(&kept), [2, 4]);
    assert_eq!(kept.items[1].item["timer"]["length_ms"], 4_000);
    // A new file that names what it replaces.
    keep(kitchen, copy("b", 1, Some("a"), &[9])).await.unwrap();
    let all = store.agendas().await.unwrap();
    let shown: Vec<_> = all
        .iter()
        .map(|agenda| (agenda.device, agenda.clock_ahead_ms, agenda.items.len()))
        .collect();
    assert_eq!(shown, [(hall, 5_000, 1), (kitchen, 5_000, 1)]);
    assert_eq!(all[1].items[0].label.as_deref(), Some("t9"));
    let nobody = DeviceId::random().unwrap();
    assert!(keep(nobody, copy("n", 1, None, &[1])).await.is_err());
}

pub(super) async fn a_speaker_of_the_same_name_gets_it_once(fresh: Fresh) {
    let store = fresh.store.as_ref();
    let fields: DeviceFields = read(json!({"name": "Kitchen"}));
    let old = device(store, "Kitchen").await.id;
    store
        .keep_agenda(old, &copy("a", 5, None, &[1, 2]), NOW)
        .await
        .unwrap();
    let new = device(store, "Kitchen again").await.id;
    store.change_device(new, &fields, NOW).await.unwrap();
    assert_eq!(
        store.agenda_of(new).await.unwrap(),
        None,
        "the old one still has it"
    );
    store.revoke_device(old, NOW).await.unwrap();
    assert!(store.agendas().await.unwrap().is_empty());
    let offered = store.agenda_of(new).await.unwrap().unwrap();
    assert!(offered.handed_over && ids(&offered) == [1, 2]);
    // The old one may do nothing any more, and what the new one has taken over is gone there.
    let refused = store.keep_agenda(old, &copy("a", 6, None, &[1]), NOW).await;
    assert!(refused.is_err(), "{refused:?}");
    store
        .keep_agenda(new, &copy("b", 1, Some("a"), &[11, 12]), NOW)
        .await
        .unwrap();
    let kept = store.agenda_of(new).await.unwrap().unwrap();
    assert!(!kept.handed_over && ids(&kept) == [11, 12]);
    let third = device(store, "Kitchen for the third time").await.id;
    store.change_device(third, &fields, NOW).await.unwrap();
    assert_eq!(store.agenda_of(third).await.unwrap(), None);
    store.revoke_device(new, NOW).await.unwrap();
    let offered = store.agenda_of(third).await.unwrap().unwrap();
    assert_eq!(ids(&offered), [11, 12], "not the first one's");
}
