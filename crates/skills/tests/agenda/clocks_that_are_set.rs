//! The clock is set while things run: nothing is lost, nothing rings twice.
use core::time::Duration;

use hearthline_skills::exchange::Bell;
use hearthline_skills::zone::Zone;

use super::home::{Home, NOON_MS};

const HOUR_MS: i64 = 3_600_000;

impl Home {
    fn set_clock(&mut self, by_ms: i64) {
        let wall = self.agenda.wall_ms(self.now) + by_ms;
        let at_zero = wall - self.now.as_millis() as i64;
        self.agenda.handle_wall(at_zero as u64, self.now);
        self.drain();
    }
}

#[test]
fn a_timer_keeps_its_length_whatever_the_clock_does() {
    for by in [-26 * HOUR_MS, -HOUR_MS, -1, 1, 300, HOUR_MS, 26 * HOUR_MS] {
        let mut home = Home::new();
        home.ask("HassStartTimer", &[("minutes", "10")]);
        home.ask("ReminderSet", &[("what", "turn the pie in ten minutes")]);
        home.seconds(200);
        home.set_clock(by);
        home.seconds(399);
        assert_eq!(home.rings, None, "{by}");
        home.seconds(1);
        assert_eq!(home.rings, Some(Bell::Timer), "{by}");
        assert!(
            home.heard()
                .contains("Reminder: turn the pie. Your 10 minute timer is done.")
                || home.said.is_empty(),
            "{by}"
        );
        // And over a restart by the new clock.
        let mut home = Home::new();
        home.ask("HassStartTimer", &[("minutes", "10")]);
        home.set_clock(by);
        let mut home = home.restart(Zone::utc(), Duration::from_secs(60));
        home.pass(Duration::from_millis(540_000 - 501));
        assert_eq!(home.rings, None, "{by}");
        home.pass(Duration::from_millis(1_002));
        assert_eq!(home.rings, Some(Bell::Timer), "{by}");
    }
}

#[test]
fn a_box_without_a_clock_starts_in_the_past_and_is_right_once_it_is_set() {
    let mut home = Home::new();
    home.ask("HassStartTimer", &[("minutes", "10")]);
    // The power is off for five minutes; the box takes up its clock where it stood an hour before.
    let disk = home.disk.clone();
    let mut home = Home::on(Zone::utc(), NOON_MS - HOUR_MS as u64, &disk);
    home.seconds(30);
    home.set_clock(HOUR_MS + 300_000);
    assert_eq!(home.rings, None);
    home.seconds(269);
    assert_eq!(home.rings, None);
    home.seconds(1);
    assert_eq!(home.rings, Some(Bell::Timer));
}

#[test]
fn an_alarm_that_the_clock_jumps_over_rings_at_once_and_says_so() {
    let mut home = Home::new();
    home.ask("AlarmSet", &[("when", "every day at one pm")]);
    home.seconds(1_800);
    home.heard();
    home.set_clock(HOUR_MS);
    assert_eq!(home.heard(), "Your alarm for 1 PM was 30 minutes ago.");
    home.answer("stop");
    // Back again: this date has rung.
    home.set_clock(-HOUR_MS);
    home.seconds(2 * 3_600);
    assert_eq!((home.rings, home.heard()), (None, String::new()));
    home.seconds(22 * 3_600 + 30 * 60);
    assert_eq!(home.rings, Some(Bell::Alarm));
}

#[test]
fn a_clock_that_was_days_ahead_for_a_while_costs_no_later_alarm() {
    let mut home = Home::new();
    home.ask("AlarmSet", &[("when", "every day at one pm")]);
    home.set_clock(50 * HOUR_MS);
    home.answer("stop");
    home.set_clock(-50 * HOUR_MS);
    home.heard();
    let mut rings = 0;
    for _ in 0..5 * 24 {
        home.seconds(3_600);
        if home.rings.is_some() {
            rings += 1;
            home.answer("stop");
        }
    }
    // One was told while the clock was ahead; the other four come in their time.
    assert_eq!(rings, 4);
}

#[test]
fn another_zone_moves_alarms_and_no_timers() {
    let mut home = Home::new();
    home.ask("AlarmSet", &[("when", "tomorrow at 7 am")]);
    home.ask("HassStartTimer", &[("minutes", "10")]);
    home.agenda
        .handle_zone(Zone::named("America/New_York").unwrap(), home.now);
    home.drain();
    home.seconds(600);
    assert_eq!(home.rings, Some(Bell::Timer));
    home.answer("stop");
    // 7:00 in New York is noon in London.
    home.seconds(24 * 3_600 - 601);
    assert_eq!(home.rings, None);
    home.seconds(1);
    assert_eq!(home.rings, Some(Bell::Alarm));
}
