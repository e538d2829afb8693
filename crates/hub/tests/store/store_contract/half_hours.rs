//! What a store keeps of how lines were.
use hearthline_hub::half_hour::{HALF_HOUR_MS, HALF_HOURS_MAX};

use super::*;

fn fields(name: &str, position: u8) -> LineFields {
    read(json!({"name": name, "kind": "sip_trunk", "position": position, "enabled": true}))
}

pub(super) async fn a_lines_day_is_kept_by_half_hours_and_no_longer(fresh: Fresh) {
    let store = fresh.store.as_ref();
    let [quiet, busy] = [("quiet", 0), ("busy", 1)].map(|(name, position)| fields(name, position));
    let quiet = store.add_line(&quiet, NOW).await.unwrap().id;
    let busy = store.add_line(&busy, NOW).await.unwrap().id;
    assert!(store.line_days(NOW).await.unwrap().is_empty());
    let note = async |line, health, trouble, at| {
        store
            .note_line_health(line, health, trouble, at)
            .await
            .unwrap();
    };
    let silent = Some(LineTrouble::Silent);
    note(busy, LineHealth::Unknown, None, NOW).await;
    assert!(
        store.line_days(NOW).await.unwrap().is_empty(),
        "nobody looked"
    );
    let begin = UnixMs(NOW.0 - NOW.0.rem_euclid(HALF_HOUR_MS));
    let at = |half_hours: i64, ms: i64| begin.plus_ms(half_hours * HALF_HOUR_MS + ms);
    note(busy, LineHealth::Up, None, at(0, 0)).await;
    note(busy, LineHealth::Down, silent, at(0, 5)).await;
    note(busy, LineHealth::Up, None, at(0, 9)).await;
    // The same again: an event for nobody, a half hour for the strip. The half hours between were not looked at.
    let newest = store.event_range().await.unwrap().1;
    note(busy, LineHealth::Up, None, at(3, 0)).await;
    note(busy, LineHealth::Up, None, at(3, HALF_HOUR_MS - 1)).await;
    assert_eq!(store.event_range().await.unwrap().1, newest);
    note(quiet, LineHealth::Down, silent, at(3, 1)).await;
    let days = store.line_days(at(3, 2)).await.unwrap();
    let seen = |day: usize| -> Vec<_> {
        let of = |half: &hearthline_hub::half_hour::HalfHour| {
            (half.began_at_ms, half.up, half.down, half.trouble)
        };
        days[day].half_hours.iter().map(of).collect()
    };
    assert_eq!((days.len(), days[0].line, days[1].line), (2, quiet, busy));
    assert_eq!(seen(0), [(at(3, 0), false, true, silent)]);
    assert_eq!(
        seen(1),
        [
            (at(0, 0), true, true, silent),
            (at(3, 0), true, false, None)
        ]
    );
    // A month of looking leaves one day.
    for half_hour in 4..4 + 30 * 48 {
        note(busy, LineHealth::Up, None, at(half_hour, 7)).await;
    }
    let last = at(4 + 30 * 48 - 1, 8);
    let days = store.line_days(last).await.unwrap();
    assert_eq!((days.len(), days[0].line), (1, busy));
    assert_eq!(days[0].half_hours.len() as i64, HALF_HOURS_MAX);
    // A clock that was set back: what lies in the future then is not shown, and goes with the next look.
    let days = store.line_days(at(3, 0)).await.unwrap();
    assert!(days.iter().all(|day| day.line == quiet), "{days:?}");
    note(busy, LineHealth::Up, None, at(3, 1)).await;
    let days = store.line_days(last).await.unwrap();
    assert!(days.is_empty(), "{days:?}");
    store.remove_line(quiet, NOW).await.unwrap();
    assert_eq!(store.line_days(at(3, 2)).await.unwrap().len(), 1);
}
