//! What any [`Bus`] must keep. The local one runs it here.

use std::sync::Arc;
use std::time::Duration;

use hearthline_hub::bus::{Bus, Hints, LocalBus};
use hearthline_hub::event::StreamId;
use tokio::time::timeout;

async fn until(hints: &mut dyn Hints, place: StreamId) -> StreamId {
    let mut before = StreamId(-1);
    loop {
        let next = timeout(Duration::from_secs(5), hints.next())
            .await
            .expect("a hint")
            .expect("a bus");
        assert!(next >= before, "places never go back");
        before = next;
        if next >= place {
            return next;
        }
    }
}

async fn contract(bus: Arc<dyn Bus>) {
    let mut early = bus.listen();
    bus.announce(StreamId(1)).await;
    assert_eq!(until(early.as_mut(), StreamId(1)).await, StreamId(1));
    // Whoever comes later hears what was announced before: nobody waits for the next change.
    let mut late = bus.listen();
    assert_eq!(until(late.as_mut(), StreamId(1)).await, StreamId(1));
    // A burst may arrive as one, its end always arrives, and an old place changes nothing.
    for place in 2..=1_000 {
        bus.announce(StreamId(place)).await;
    }
    bus.announce(StreamId(7)).await;
    for hints in [&mut early, &mut late] {
        assert_eq!(
            until(hints.as_mut(), StreamId(1_000)).await,
            StreamId(1_000)
        );
        assert!(
            timeout(Duration::from_millis(50), hints.next())
                .await
                .is_err(),
            "silence"
        );
    }
    drop(early);
    bus.announce(StreamId(1_001)).await;
    assert_eq!(until(late.as_mut(), StreamId(1_001)).await, StreamId(1_001));
}

#[tokio::test]
async fn the_local_bus_keeps_it() {
    contract(Arc::new(LocalBus::default())).await;
}
