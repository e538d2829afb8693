//! Every zone of tzdata, every change of its clocks in the coming years: an alarm rings on each date once.
use core::time::Duration;

use hearthline_skills::exchange::Bell;
use hearthline_skills::rule::{Days, Rule};
use hearthline_skills::zone::Zone;
use jiff::civil::Time;

use super::home::{Home, NOON_MS};

const DAY_MS: i64 = 86_400_000;
/// To the end of 2037, where tables of tzdata end.
const YEARS_MS: i64 = 11 * 365 * DAY_MS;

/// Around each change, times of the day every quarter of an hour: five days give five rings, in order, one for each date,
/// each at its time or, on the day that has no such time, later by what the clocks skip.
#[test]
fn around_every_change_of_every_zone_each_date_rings_once() {
    let (mut zones, mut changes, mut skipped) = (0, 0, 0);
    for name in Zone::names() {
        let Ok(zone) = Zone::named(&name) else {
            panic!("{name} is listed and not there");
        };
        zones += 1;
        for change in zone.changes(NOON_MS as i64, NOON_MS as i64 + YEARS_MS) {
            changes += 1;
            let day = zone.local(change - 2 * DAY_MS).date();
            for quarter in 0..96 {
                let time = Time::new(quarter / 4, quarter % 4 * 15, 0, 0).unwrap();
                let rule = Rule::Weekly {
                    days: Days::ALL,
                    time,
                };
                let mut at = zone.instant(day.to_datetime(Time::midnight())).unwrap() - 1;
                let mut date = day;
                for _ in 0..5 {
                    let next = rule.next(&zone, at).unwrap();
                    assert!(next > at, "{name}");
                    let shown = zone.local(next);
                    let wanted = date.to_datetime(time);
                    if shown != wanted {
                        // The time was skipped: later, by less than three hours, and nothing but that.
                        skipped += 1;
                        let late = shown.duration_since(wanted);
                        assert!(
                            late.as_secs() > 0 && late.as_secs() < 3 * 3_600,
                            "{name} {wanted} {shown}"
                        );
                        assert!(zone.instant(wanted) == Some(next), "{name} {wanted}");
                    }
                    date = date.tomorrow().unwrap();
                    at = next;
                }
            }
        }
    }
    println!("{zones} zones, {changes} changes, {skipped} alarms at times that are skipped");
    assert!(zones > 400 && changes > 3_000 && skipped > 3_000);
}

/// The agenda itself over both changes of a year, in zones whose changes are of different kinds.
#[test]
fn an_agenda_rings_once_on_the_gap_day_and_once_on_the_fold_day() {
    // Half an hour, southern half, back and forth around a month of fasting, at midnight.
    let zones = [
        "Europe/Berlin",
        "America/Denver",
        "Australia/Lord_Howe",
        "America/Santiago",
        "Africa/Casablanca",
        "Africa/Cairo",
        "America/St_Johns",
        "Antarctica/Troll",
    ];
    for name in zones {
        let zone = Zone::named(name).unwrap();
        for change in zone.changes(NOON_MS as i64, NOON_MS as i64 + 400 * DAY_MS) {
            for when in [
                "every day at 2:30 am",
                "every day at midnight",
                "every day at 1:15 am",
            ] {
                let start = u64::try_from(change - DAY_MS - DAY_MS / 2).unwrap();
                let mut home = Home::on(zone.clone(), start, &[]);
                assert!(
                    home.ask("AlarmSet", &[("when", when)])
                        .starts_with("Alarm set")
                );
                let first = home.agenda.shown(home.now).date();
                let mut dates = Vec::new();
                for _ in 0..4 * 24 * 12 {
                    home.seconds(300);
                    if home.rings == Some(Bell::Alarm) {
                        dates.push(home.agenda.shown(home.now).date());
                        home.answer("stop");
                        assert_eq!(home.rings, None);
                    }
                }
                let once: Vec<_> = (1..=dates.len() as i64)
                    .map(|days| first.checked_add(jiff::Span::new().days(days)).unwrap())
                    .collect();
                let offset = usize::from(dates.first() == Some(&first));
                assert!(dates.len() >= 3, "{name} {when}: {dates:?}");
                assert_eq!(
                    dates[offset..],
                    once[..once.len() - offset],
                    "{name} {when}"
                );
            }
        }
    }
}

#[test]
fn one_set_for_a_time_that_is_skipped_says_when_it_rings() {
    let zone = Zone::named("Europe/Berlin").unwrap();
    // 2027-03-27 12:00 in Berlin.
    let mut home = Home::on(zone, 1_806_145_200_000, &[]);
    assert_eq!(
        home.ask("AlarmSet", &[("when", "tomorrow at 2:30 am")]),
        "Alarm set for 3:30 AM tomorrow. The clocks go forward then."
    );
    home.pass(Duration::from_secs(14 * 3_600 + 1_799));
    assert_eq!(home.rings, None);
    home.seconds(1);
    assert_eq!(home.rings, Some(Bell::Alarm));
}
