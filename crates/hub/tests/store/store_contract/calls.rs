//! What a store knows of calls.
use super::*;

pub(super) async fn calls_that_ended_stay_ended(fresh: Fresh) {
    let store = fresh.store.as_ref();
    let mut call = Call {
        id: CallId::random().unwrap(),
        direction: Direction::Incoming,
        device: None,
        claimed_device: None,
        other_device: None,
        contact: None,
        number: Some(read(json!("+12025550123"))),
        line: None,
        other_end: None,
        ending: None,
        emergency: false,
        state: CallState::Early,
        started_at_ms: NOW,
        answered_at_ms: None,
        ended_at_ms: None,
    };
    store.note_call(&call, NOW).await.unwrap();
    call.state = CallState::Missed;
    call.ended_at_ms = Some(NOW.plus_ms(9));
    store.note_call(&call, NOW.plus_ms(9)).await.unwrap();
    let late = Call {
        state: CallState::Confirmed,
        ..call.clone()
    };
    store.note_call(&late, NOW.plus_ms(10)).await.unwrap();
    assert_eq!(store.call(call.id).await.unwrap(), call);
    assert_eq!(store.calls(10).await.unwrap(), [call]);
}

pub(super) async fn calls_between_outside_parties_name_both(fresh: Fresh) {
    let store = fresh.store.as_ref();
    let end = |number: &str| OutsideEnd {
        line: LineId::random().unwrap(),
        number: Some(read(json!(number))),
        contact: Some(ContactId::random().unwrap()),
    };
    let (first, second) = (end("+12025550123"), end("+12025550145"));
    let mut call = Call {
        id: CallId::random().unwrap(),
        direction: Direction::Outside,
        device: Some(DeviceId::random().unwrap()),
        claimed_device: None,
        other_device: None,
        contact: first.contact,
        number: first.number,
        line: Some(first.line),
        other_end: Some(second),
        ending: None,
        emergency: false,
        state: CallState::Early,
        started_at_ms: NOW,
        answered_at_ms: None,
        ended_at_ms: None,
    };
    store.note_call(&call, NOW).await.unwrap();
    assert_eq!(store.call(call.id).await.unwrap(), call);
    // Another line took it, and whoever is there shows no number.
    call.other_end = Some(OutsideEnd {
        line: LineId::random().unwrap(),
        number: None,
        contact: None,
    });
    call.state = CallState::Confirmed;
    call.answered_at_ms = Some(NOW.plus_ms(5));
    store.note_call(&call, NOW.plus_ms(5)).await.unwrap();
    assert_eq!(store.call(call.id).await.unwrap(), call);
    call.state = CallState::Ended;
    call.ended_at_ms = Some(NOW.plus_ms(9));
    for ending in [
        Ending::OtherHungUp,
        // How it ended is said once.
        Ending::HubStopped,
    ] {
        let over = Call {
            ending: Some(ending),
            ..call.clone()
        };
        store.note_call(&over, NOW.plus_ms(9)).await.unwrap();
    }
    call.ending = Some(Ending::OtherHungUp);
    assert_eq!(store.calls(10).await.unwrap(), [call]);
}
