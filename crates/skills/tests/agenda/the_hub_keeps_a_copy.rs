//! The copy at the hub: in step while it is there, taken back once by whoever lost what was kept, and never a second ring.
use core::time::Duration;
use std::collections::BTreeMap;

use hearthline_skills::exchange::{Bell, Note};
use hearthline_skills::item::Item;

use super::home::{Home, NOON_MS};
use hearthline_skills::zone::Zone;

const NOTHING: Duration = Duration::ZERO;

fn begun(journal: u64) -> Home {
    Home::named(Zone::utc(), NOON_MS, &[], journal)
}

fn timer(home: &mut Home, name: &str, seconds: u64) {
    let said = home.ask(
        "HassStartTimer",
        &[("name", name), ("seconds", &seconds.to_string())],
    );
    assert!(said.contains("starting now"), "{said}");
}

fn labels(home: &Home) -> Vec<String> {
    let copy = home.hub.copy.as_ref().expect("a copy");
    let mut labels: Vec<String> = copy
        .items
        .iter()
        .filter_map(|item| item.shown.label.clone())
        .collect();
    labels.sort();
    labels
}

fn names(home: &Home) -> Vec<String> {
    let names = home.agenda.timers(home.now);
    let mut names: Vec<String> = names
        .iter()
        .filter_map(|shown| shown.timer.name.as_ref().map(|name| name.0.clone()))
        .collect();
    names.sort();
    names
}

#[test]
fn the_copy_follows_and_an_outage_is_made_up_for() {
    let mut home = begun(1);
    timer(&mut home, "tea", 600);
    assert!(home.hub.copy.is_none(), "nobody is there");
    home.hub_is_there(true);
    assert!(home.agenda.is_mirrored());
    assert_eq!(labels(&home), ["tea"]);
    timer(&mut home, "pasta", 300);
    assert_eq!(labels(&home), ["pasta", "tea"]);
    home.hub_is_there(false);
    home.ask("HassCancelTimer", &[("name", "tea")]);
    timer(&mut home, "eggs", 60);
    assert_eq!(labels(&home), ["pasta", "tea"]);
    home.hub_is_there(true);
    assert_eq!(labels(&home), ["eggs", "pasta"]);
    // A hub that was set back to an old state, or lost all, is brought into step.
    home.hub_is_there(false);
    home.hub.copy = None;
    home.hub_is_there(true);
    assert_eq!(labels(&home), ["eggs", "pasta"]);
    // An answer that is lost: asked again, and no harm done.
    home.hub.loses_answers = true;
    timer(&mut home, "rice", 900);
    home.seconds(30);
    home.hub.loses_answers = false;
    home.seconds(400);
    assert!(home.agenda.is_mirrored());
}

#[test]
fn nothing_goes_to_the_hub_before_it_is_on_disk() {
    let mut home = begun(1);
    home.hub_is_there(true);
    home.keeps = false;
    home.ask("HassStartTimer", &[("name", "tea"), ("seconds", "600")]);
    home.seconds(60);
    assert!(labels(&home).is_empty());
}

#[test]
fn what_was_lost_comes_back_once_and_what_was_due_meanwhile_is_told() {
    let mut home = begun(1);
    home.hub_is_there(true);
    timer(&mut home, "tea", 60);
    timer(&mut home, "roast", 7_200);
    home.ask("AlarmSet", &[("when", "every day at 12:30")]);
    home.ask("ReminderSet", &[("what", "call the office at two pm")]);
    home.seconds(10);
    // The disk is lost; the new one begins an hour later.
    let mut home = home.life(Duration::from_secs(3_600), &[], 2);
    timer(&mut home, "eggs", 600);
    home.heard();
    home.hub_is_there(true);
    assert_eq!(
        home.heard(),
        "I had lost what I keep, and have it back from the home: one timer, one alarm and one reminder. \
         Meanwhile it was time for your tea timer. That may have rung already."
    );
    assert_eq!(names(&home), ["eggs", "roast"]);
    assert_eq!(home.rings, None);
    assert!(home.notes.contains(&Note::TakenBack(3, 1)));
    // The alarm of 12:30 was over as well; it comes again tomorrow.
    let next = home.agenda.items().values().find_map(|item| match item {
        Item::Alarm(alarm) if !alarm.is_reminder() => Some(alarm.due_ms),
        _ => None,
    });
    assert_eq!(next, Some((NOON_MS + 24 * 3_600_000 + 30 * 60_000) as i64));
    assert!(home.agenda.is_mirrored());
    // Killed at once, and lost again at once: nothing comes twice.
    let disk = home.disk.clone();
    let mut again = home.life(Duration::from_secs(1), &disk, 3);
    again.hub_is_there(true);
    assert_eq!(again.heard(), "");
    assert_eq!(names(&again), ["eggs", "roast"]);
    let mut lost = home.life(Duration::from_secs(1), &[], 4);
    lost.hub_is_there(true);
    assert_eq!(names(&lost), ["eggs", "roast"]);
    assert_eq!(lost.agenda.items().len(), 4);
}

#[test]
fn a_kill_before_the_hub_has_it_takes_it_back_no_second_time() {
    let mut home = begun(1);
    home.hub_is_there(true);
    timer(&mut home, "roast", 7_200);
    let mut lost = home.life(NOTHING, &[], 2);
    // It takes it back, and the hub hears nothing of it.
    lost.hub_is_there(true);
    let disk = lost.disk.clone();
    let mut again = lost.life(NOTHING, &disk, 3);
    again.hub.copy.clone_from(&home.hub.copy);
    again.hub_is_there(true);
    assert_eq!(names(&again), ["roast"]);
    assert_eq!(again.agenda.items().len(), 1);
    assert!(again.agenda.is_mirrored());
}

#[test]
fn a_disk_that_went_back_in_time_rings_nothing_that_was_stopped() {
    let mut home = begun(1);
    home.hub_is_there(true);
    timer(&mut home, "roast", 7_200);
    timer(&mut home, "tea", 600);
    let early = home.disk.clone();
    home.ask("HassCancelTimer", &[("name", "tea")]);
    timer(&mut home, "pasta", 900);
    let mut back = home.life(Duration::from_secs(5), &early, 9);
    assert_eq!(names(&back), ["roast", "tea"]);
    timer(&mut back, "eggs", 300);
    back.hub_is_there(true);
    assert_eq!(names(&back), ["eggs", "pasta", "roast"]);
    assert!(back.agenda.is_mirrored());
    assert_eq!(labels(&back), ["eggs", "pasta", "roast"]);
}

#[test]
fn another_disk_of_this_speaker_is_the_truth() {
    let mut home = begun(1);
    home.hub_is_there(true);
    timer(&mut home, "roast", 7_200);
    let first = home.disk.clone();
    // A second disk took it back; then the first is put in again.
    let mut second = home.life(NOTHING, &[], 2);
    second.hub_is_there(true);
    timer(&mut second, "tea", 600);
    let mut first = second.life(Duration::from_secs(60), &first, 3);
    first.hub_is_there(true);
    assert_eq!(names(&first), ["roast"]);
    assert_eq!(labels(&first), ["roast"]);
}

#[test]
fn clocks_that_differ_move_no_end() {
    let mut home = begun(1);
    home.hub_is_there(true);
    timer(&mut home, "tea", 600);
    // The clock here is set back by an hour: what is shown follows, and what is left does not change.
    home.agenda.handle_wall(NOON_MS - 3_600_000, home.now);
    home.drain();
    let copy = home.hub.copy.clone().expect("a copy");
    assert_eq!(copy.clock_ms, (NOON_MS - 3_600_000) as i64);
    let due = copy.items[0].shown.due_ms.expect("it runs");
    assert_eq!(due - copy.clock_ms, 600_000);
    // A speaker that starts without a clock, in the past, takes it back; its clock is set later.
    let mut lost = home.life(NOTHING, &[], 2);
    lost.hub = home.hub.clone();
    lost.hub_is_there(true);
    let now = lost.now;
    lost.agenda.handle_wall(NOON_MS - 3_600_000 + 60_000, now);
    lost.drain();
    let left = lost.agenda.timers(now)[0].left_ms;
    assert_eq!(left, 540_000, "kept by the clock that was right");
}

#[test]
fn garbled_copies_do_no_harm() {
    let mut home = begun(1);
    home.hub_is_there(true);
    timer(&mut home, "tea", 600);
    let mut lost = home.life(NOTHING, &[], 2);
    if let Some(copy) = &mut lost.hub.copy {
        let mut wrong = copy.items[0].clone();
        wrong.item = serde_json::json!({"timer": {"length_ms": "long"}});
        copy.items.insert(0, wrong.clone());
        wrong.item = serde_json::json!(null);
        copy.items.push(wrong);
    }
    lost.hub_is_there(true);
    assert_eq!(names(&lost), ["tea"]);
}

#[test]
fn a_reminder_for_others_is_sent_once_whatever_breaks() {
    let mut home = begun(1);
    let slots = [
        ("who", "the kitchen at one pm"),
        ("what", "take the bread out"),
        ("whom_user", "kitchen"),
        ("whom_spoken", "the kitchen"),
    ];
    assert_eq!(
        home.ask("ReminderSet", &slots),
        "I will remind the kitchen at 1 PM today."
    );
    home.hub_is_there(true);
    home.hub.loses_answers = true;
    home.seconds(3_700);
    assert_eq!(home.hub.reminders.len(), 1);
    assert!(home.heard().contains("I cannot reach the home now"));
    let disk = home.disk.clone();
    let mut again = home.life(Duration::from_secs(60), &disk, 2);
    again.hub.loses_answers = false;
    again.hub_is_there(true);
    again.seconds(600);
    assert_eq!(again.hub.reminders.len(), 1, "by the same name");
    assert!(again.agenda.items().is_empty() && again.rings.is_none());
    let sent = &again.hub.reminders[0];
    assert_eq!(sent.due_ms, (NOON_MS + 3_600_000) as i64);
    assert_eq!(
        (sent.user.as_ref().unwrap().0.as_str(), sent.text.0.as_str()),
        ("kitchen", "take the bread out")
    );
    // One that the hub does not take rings here.
    again.hub.refuses = Some(404);
    again.ask(
        "ReminderSet",
        &[
            ("who", "the kitchen"),
            ("what", "lock up in one minute"),
            ("whom_user", "kitchen"),
        ],
    );
    again.heard();
    again.seconds(61);
    assert!(again.rings.is_some());
    assert!(again.heard().contains("Reminder for the kitchen: lock up."));
}

/// splitmix64.
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Five hundred histories of kills, lost disks, outages of the hub and stops.
#[test]
fn no_history_rings_twice_or_loses_what_the_hub_had() {
    let (mut lost_disks, mut rang) = (0, 0);
    for seed in 0..500 {
        let mut random = seed;
        let mut home = begun(1);
        let mut journal = 1;
        let mut count = 0;
        let mut done: BTreeMap<String, u32> = BTreeMap::new();
        let mut there = false;
        for _ in 0..40 {
            match next(&mut random) % 9 {
                0..=2 => {
                    count += 1;
                    let seconds = 30 + next(&mut random) % 3_000;
                    timer(&mut home, &format!("n{count}"), seconds);
                }
                3 => {
                    there = !there;
                    home.hub_is_there(there);
                }
                4 => {
                    // All that the hub knows of is still here afterwards, or is told.
                    let known = home
                        .hub
                        .copy
                        .as_ref()
                        .filter(|_| there)
                        .map(|_| labels(&home));
                    journal += 1;
                    lost_disks += 1;
                    home = home.life(Duration::from_secs(next(&mut random) % 60), &[], journal);
                    there = true;
                    home.hub_is_there(true);
                    let heard = home.heard();
                    for name in known.into_iter().flatten() {
                        let here = names(&home).contains(&name);
                        assert!(
                            here || heard.contains("That may have rung"),
                            "seed {seed}: {name}"
                        );
                    }
                }
                5 => {
                    let disk = home.disk.clone();
                    home = home.life(Duration::from_secs(5), &disk, 99);
                    home.hub_is_there(there);
                }
                _ => home.seconds(next(&mut random) % 400),
            }
            // Whatever rings is stopped at once, and counted.
            let ringing: Vec<String> = home
                .agenda
                .timers(home.now)
                .iter()
                .filter(|shown| shown.left_ms == 0)
                .filter_map(|shown| shown.timer.name.as_ref().map(|name| name.0.clone()))
                .collect();
            if home.rings.is_some() {
                for name in ringing {
                    *done.entry(name).or_default() += 1;
                    rang += 1;
                }
                home.answer("stop");
            }
        }
        let twice: Vec<_> = done.iter().filter(|(_, times)| **times > 1).collect();
        assert!(twice.is_empty(), "seed {seed}: {twice:?}");
    }
    println!("{lost_disks} lost disks, {rang} rings");
    assert!(lost_disks > 1_000 && rang > 1_000);
}

fn everyone(home: &mut Home, what: &str) -> String {
    let slots = [
        ("who", "everyone"),
        ("whom_everyone", "everyone"),
        ("whom_spoken", "everyone"),
        ("what", what),
    ];
    home.ask("ReminderSet", &slots)
}

#[test]
fn a_reminder_to_everyone_rings_here_and_goes_to_the_others_each_day_once() {
    let mut home = begun(1);
    home.hub_is_there(true);
    let said = everyone(&mut home, "take the pills every day at 12:30");
    assert!(said.starts_with("I will remind everyone "), "{said}");
    home.heard();
    home.seconds(30 * 60);
    assert_eq!(home.rings, Some(Bell::Reminder));
    assert!(
        home.heard()
            .contains("Reminder for everyone: take the pills.")
    );
    assert_eq!(home.hub.reminders.len(), 1);
    assert_eq!(home.hub.reminders[0].user, None);
    // Put off here, it is not sent again; it ends by itself and comes again tomorrow.
    home.answer("snooze");
    home.seconds(60 * 60);
    assert_eq!((home.rings, home.hub.reminders.len()), (None, 1));
    // The hub is away tomorrow: it rings here, and the others have it late.
    home.hub_is_there(false);
    home.heard();
    home.seconds(23 * 60 * 60 + 300);
    assert!(
        home.heard()
            .contains("Reminder for everyone: take the pills.")
    );
    assert_eq!((home.rings, home.hub.reminders.len()), (None, 1));
    let disk = home.disk.clone();
    let mut again = home.life(Duration::from_secs(60), &disk, 1);
    assert_eq!(again.rings, None, "it has rung here");
    again.hub_is_there(true);
    again.seconds(600);
    assert_eq!((again.rings, again.hub.reminders.len()), (None, 2));
    again.seconds(24 * 60 * 60);
    assert_eq!(again.hub.reminders.len(), 3, "and all of it the day after");
    let due: Vec<i64> = again.hub.reminders.iter().map(|one| one.due_ms).collect();
    let day = 24 * 3_600_000;
    assert_eq!([due[1] - due[0], due[2] - due[1]], [day, day]);
}

#[test]
fn a_reminder_to_everyone_that_no_other_takes_rings_here_once() {
    let mut home = begun(1);
    home.hub_is_there(true);
    home.hub.refuses = Some(404);
    everyone(&mut home, "feed the cat in five minutes");
    home.heard();
    home.seconds(600);
    let heard = home.heard();
    assert!(
        heard.contains("Reminder for everyone: feed the cat."),
        "{heard}"
    );
    assert_eq!(home.ask("ReminderList", &[]), "There are no reminders.");
    home.seconds(3_600);
    assert_eq!((home.heard(), home.rings), (String::new(), None));
}
