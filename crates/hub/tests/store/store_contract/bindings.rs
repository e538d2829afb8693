//! What a store knows of the places where devices are reached.
use super::*;

pub(super) fn binding(device: Option<DeviceId>, cseq: u32) -> Binding {
    Binding {
        aor: "sip:anna@home.test".to_owned(),
        instance_id: "<urn:uuid:1>".to_owned(),
        reg_id: 1,
        device,
        contact: "sip:anna@127.0.0.1:5061;transport=tls".to_owned(),
        path: vec!["<sip:hub.test;lr>".to_owned()],
        node_id: "hub".to_owned(),
        flow_id: u64::MAX,
        call_id: "call-1".to_owned(),
        cseq,
        expires_at: NOW.plus_ms(600_000),
    }
}

pub(super) async fn bindings_are_refreshed_in_order_only(fresh: Fresh) {
    let store = fresh.store.as_ref();
    let first = binding(None, 5);
    assert!(store.put_binding(&first, NOW).await.unwrap());
    assert_eq!(
        store.bindings(&first.aor, NOW).await.unwrap(),
        std::slice::from_ref(&first)
    );
    let late = Binding {
        contact: "sip:late@127.0.0.1".to_owned(),
        ..binding(None, 4)
    };
    assert!(
        !store.put_binding(&late, NOW).await.unwrap(),
        "an older CSeq changes nothing"
    );
    assert!(!store.put_binding(&binding(None, 5), NOW).await.unwrap());
    let newer = Binding {
        contact: "sip:new@127.0.0.1".to_owned(),
        flow_id: 7,
        ..binding(None, 6)
    };
    assert!(store.put_binding(&newer, NOW).await.unwrap());
    let restarted = Binding {
        call_id: "call-2".to_owned(),
        ..binding(None, 1)
    };
    assert!(store.put_binding(&restarted, NOW).await.unwrap());
    assert_eq!(
        store.bindings(&first.aor, NOW).await.unwrap(),
        std::slice::from_ref(&restarted)
    );
    assert!(
        store
            .bindings(&first.aor, restarted.expires_at)
            .await
            .unwrap()
            .is_empty()
    );
    store.remove_flow("hub", restarted.flow_id).await.unwrap();
    assert!(store.bindings(&first.aor, NOW).await.unwrap().is_empty());
}

pub(super) async fn many_bindings_are_put_at_once(fresh: Fresh) {
    let store = fresh.store.as_ref();
    let place = |reg_id: u32, cseq| Binding {
        reg_id,
        ..binding(None, cseq)
    };
    let many: Vec<Binding> = (1..=5).map(|reg_id| place(reg_id, 5)).collect();
    assert_eq!(store.put_bindings(&many, NOW).await.unwrap(), 5);
    assert_eq!(store.bindings(&many[0].aor, NOW).await.unwrap(), many);
    // One that is older changes nothing; the others do.
    let again = [place(1, 6), place(2, 4), place(6, 1)];
    assert_eq!(store.put_bindings(&again, NOW).await.unwrap(), 2);
    let stored = store.bindings(&many[0].aor, NOW).await.unwrap();
    let counts: Vec<u32> = stored.iter().map(|binding| binding.cseq).collect();
    assert_eq!(counts, [6, 5, 5, 5, 5, 1]);
    // One that cannot be kept hinders none: each is then put for itself.
    let stranger = Binding {
        device: Some(DeviceId::random().unwrap()),
        ..place(7, 1)
    };
    let beside = [stranger.clone(), place(8, 1)];
    assert!(store.put_bindings(&beside, NOW).await.is_err());
    assert!(store.put_binding(&stranger, NOW).await.is_err());
    assert!(store.put_binding(&beside[1], NOW).await.unwrap());
}
