//! What the agenda says, in English.
use jiff::civil::{DateTime, Time};

use crate::exchange::Bell;
use crate::item::{About, Alarm, Item, Timer, TimerState};
use crate::rule::{Days, Rule};
use crate::spoken::length::{adjective, joined, said};
use crate::spoken::when::WhenError;
use crate::zone::Zone;

pub(crate) const NO_TIMER: &str = "There is no timer.";
pub(crate) const NO_SUCH_TIMER: &str = "There is no such timer.";
pub(crate) const NO_LENGTH: &str = "Say for how long: up to a hundred days.";
pub(crate) const TOO_LONG: &str = "That is too long: a timer takes up to a hundred days.";
pub(crate) const TOO_MANY: &str = "I keep no more than I have now. Cancel something first.";
pub(crate) const HOW_LONG: &str = "For how long?";
pub(crate) const NO_REMINDER_TEXT: &str =
    "Say it in one: remind me to call the bank tomorrow at nine.";
pub(crate) const WHEN: &str = "For when?";
pub(crate) const NOTHING_RINGS: &str = "Nothing is ringing.";
pub(crate) const LEFT_AS_IT_IS: &str = "All right. I leave it as it is.";
pub(crate) const NO_WATCH: &str = "The stopwatch is not running.";
pub(crate) const WATCH_RESET: &str = "Stopwatch reset.";
pub(crate) const LIST_FULL: &str = "That list is full.";
/// Late by less is on time, in milliseconds.
const LATE_MS_MIN: u64 = 2_000;

/// Behind "I will remind Anna at six".
pub(crate) const SAID_HERE: &str =
    " Nobody of this home is called so: I will say it on this speaker.";

pub(crate) fn several_called(said: &str) -> String {
    format!("I know more than one {said}. Say the whole name.")
}

/// Its time has come, and the hub of the home is away.
pub(crate) fn reminder_waits(alarm: &Alarm) -> String {
    match &alarm.about {
        About::Reminder {
            text, to: Some(to), ..
        } => format!(
            "Reminder for {}: {}. I cannot reach the home now; it goes out as soon as I can.",
            to.0, text.0
        ),
        _ => "A reminder waits until I reach the home.".into(),
    }
}

/// What was lost here came back from the hub of the home; nothing when that concerns nobody.
pub(crate) fn taken_back(back: &[Item], missed: &[Item]) -> Option<String> {
    let count = |of: fn(&Item) -> bool, one: &str| {
        let count = back.iter().filter(|item| of(item)).count();
        match count {
            0 => None,
            1 => Some(format!("one {one}")),
            more => Some(format!("{more} {one}s")),
        }
    };
    let parts: Vec<String> = [
        count(|item| matches!(item, Item::Timer(_)), "timer"),
        count(
            |item| matches!(item, Item::Alarm(alarm) if !alarm.is_reminder()),
            "alarm",
        ),
        count(
            |item| matches!(item, Item::Alarm(alarm) if alarm.is_reminder()),
            "reminder",
        ),
    ]
    .into_iter()
    .flatten()
    .collect();
    let mut text = String::new();
    if !parts.is_empty() {
        text = format!(
            "I had lost what I keep, and have it back from the home: {}.",
            joined(&parts)
        );
    }
    let over: Vec<String> = missed
        .iter()
        .take(4)
        .filter_map(|item| match item {
            Item::Timer(timer) => Some(format!("your {}", name(timer))),
            Item::Alarm(alarm) => Some(match &alarm.about {
                About::Waking => "an alarm".to_owned(),
                About::Reminder { text, .. } => format!("the reminder: {}", text.0),
            }),
            _ => None,
        })
        .collect();
    if !over.is_empty() {
        text = format!(
            "{text} Meanwhile it was time for {}. That may have rung already.",
            joined(&over)
        );
    }
    let text = text.trim().to_owned();
    (!text.is_empty()).then_some(text)
}

pub(crate) fn not_kept(text: &str) -> String {
    format!("{text} I could not store that: a power cut would lose it.")
}

/// "pasta timer", "5 minute timer".
fn name(timer: &Timer) -> String {
    match (&timer.name, &timer.area) {
        (Some(name), _) => {
            let name = name.0.trim();
            if name.to_lowercase().ends_with("timer") {
                name.to_owned()
            } else {
                format!("{name} timer")
            }
        }
        (None, Some(area)) => format!("{} timer", area.0),
        (None, None) => format!("{} timer", adjective(timer.length_ms)),
    }
}

pub(crate) fn timer_set(timer: &Timer) -> String {
    let length = said(timer.length_ms);
    match (&timer.command, &timer.name) {
        (Some(_), _) => format!("I will do that in {length}."),
        (None, Some(_)) => format!("{length} on the {}, starting now.", name(timer)),
        (None, None) => format!("Timer set for {length}."),
    }
}

pub(crate) fn timer_left(timer: &Timer, left_ms: u64) -> String {
    let paused = matches!(timer.state, TimerState::Paused { .. });
    if left_ms < 500 {
        return format!("Your {} is done.", name(timer));
    }
    let verb = if paused { ", and it is paused" } else { "" };
    match &timer.command {
        Some(command) => format!("{} until I {}{verb}.", said(left_ms), command.0),
        None => format!("{} left on your {}{verb}.", said(left_ms), name(timer)),
    }
}

pub(crate) fn timers_left(timers: &[(&Timer, u64)]) -> String {
    let parts: Vec<String> = timers
        .iter()
        .take(6)
        .map(|(timer, left)| {
            let sentence = timer_left(timer, *left);
            sentence.trim_end_matches('.').to_owned()
        })
        .collect();
    format!("{} timers. {}.", timers.len(), parts.join(". "))
}

pub(crate) fn which_timer(timers: &[(&Timer, u64)]) -> String {
    let parts: Vec<String> = timers
        .iter()
        .take(6)
        .map(|(timer, left)| format!("the {} with {} left", name(timer), said(*left)))
        .collect();
    let most = &parts[..parts.len().saturating_sub(1)];
    let last = parts.last().map_or("", String::as_str);
    format!("Which one: {} or {last}?", most.join(", "))
}

pub(crate) fn timer_cancelled(timer: &Timer) -> String {
    match timer.command {
        Some(_) => "All right, I will not do that.".to_owned(),
        None => format!("Your {} is cancelled.", name(timer)),
    }
}

pub(crate) fn timers_cancelled(count: usize) -> String {
    match count {
        1 => "One timer cancelled.".to_owned(),
        count => format!("{count} timers cancelled."),
    }
}

pub(crate) fn timer_changed(timer: &Timer, left_ms: u64) -> String {
    format!("Your {} now has {} left.", name(timer), said(left_ms))
}

pub(crate) fn timer_paused(timer: &Timer, left_ms: u64) -> String {
    format!(
        "Your {} is paused with {} left.",
        name(timer),
        said(left_ms)
    )
}

pub(crate) fn timer_resumed(timer: &Timer, left_ms: u64) -> String {
    format!("Your {} goes on with {} left.", name(timer), said(left_ms))
}

pub(crate) fn less_than_that(timer: &Timer, left_ms: u64) -> String {
    format!(
        "Your {} has only {} left. Say cancel to end it.",
        name(timer),
        said(left_ms)
    )
}

pub(crate) fn command_too_late(command: &str, late_ms: u64) -> String {
    format!(
        "{} ago I was to {command}, but I was off. Say it again if you still want it.",
        said(late_ms)
    )
}

/// What is said when something rings.
pub(crate) fn rings(item: &Item, late_ms: u64, zone: &Zone) -> String {
    let late = (late_ms >= LATE_MS_MIN).then(|| said(late_ms));
    match item {
        Item::Timer(timer) => match late {
            None => format!("Your {} is done.", name(timer)),
            Some(late) => format!("Your {} ended {late} ago.", name(timer)),
        },
        Item::Alarm(alarm) => {
            let due = clock(zone.local(alarm.rings_ms()).time());
            let words = match &alarm.about {
                About::Waking => format!("It is {due}."),
                About::Reminder { text, to: None, .. } => format!("Reminder: {}.", text.0),
                About::Reminder {
                    text, to: Some(to), ..
                } => {
                    format!("Reminder for {}: {}.", to.0, text.0)
                }
            };
            match (late, &alarm.about) {
                (None, _) => words,
                (Some(late), About::Waking) => {
                    format!("Your alarm for {due} was {late} ago.")
                }
                (Some(late), About::Reminder { .. }) => format!("{words} That was {late} ago."),
            }
        }
        _ => String::new(),
    }
}

/// "7:30 AM", "noon".
pub(crate) fn clock(time: Time) -> String {
    let (hour, minute) = (time.hour(), time.minute());
    match (hour, minute) {
        (0, 0) => return "midnight".to_owned(),
        (12, 0) => return "noon".to_owned(),
        _ => {}
    }
    let half = if hour < 12 { "AM" } else { "PM" };
    let hour = match hour % 12 {
        0 => 12,
        hour => hour,
    };
    if minute == 0 {
        format!("{hour} {half}")
    } else {
        format!("{hour}:{minute:02} {half}")
    }
}

/// "today", "tomorrow", "on Friday", "on December 24".
pub(crate) fn day(at: DateTime, now: DateTime) -> String {
    let days = at
        .date()
        .since(now.date())
        .map_or(i64::MAX, |span| i64::from(span.get_days()));
    match days {
        0 if at.hour() >= 18 => "tonight".to_owned(),
        0 => "today".to_owned(),
        1 => "tomorrow".to_owned(),
        2..7 => format!("on {:?}", at.weekday()),
        _ => format!("on {}", at.strftime("%A, %B %-d")),
    }
}

fn days(days: Days) -> String {
    match days {
        Days::ALL => "every day".to_owned(),
        Days::WEEKDAYS => "every weekday".to_owned(),
        Days::WEEKEND => "every weekend".to_owned(),
        days => {
            let names: Vec<String> = days.each().map(|day| format!("{day:?}")).collect();
            format!("every {}", joined(&names))
        }
    }
}

/// "7 AM tomorrow", "6:30 AM every weekday".
fn time_of(alarm: &Alarm, now: DateTime, zone: &Zone) -> String {
    match alarm.rule {
        Rule::Weekly { days: which, time } => format!("{} {}", clock(time), days(which)),
        _ => {
            let at = zone.local(alarm.rings_ms());
            format!("{} {}", clock(at.time()), day(at, now))
        }
    }
}

pub(crate) fn alarm_set(alarm: &Alarm, now: DateTime, zone: &Zone) -> String {
    let time = time_of(alarm, now, zone);
    // A time that clocks skip is not the one that was asked for: say when it is.
    let moved = match alarm.rule {
        Rule::Once(shown) => zone.local(alarm.due_ms) != shown,
        _ => false,
    };
    let moved = if moved {
        " The clocks go forward then."
    } else {
        ""
    };
    match &alarm.about {
        About::Waking => format!("Alarm set for {time}.{moved}"),
        About::Reminder { to: None, .. } => format!("I will remind you at {time}.{moved}"),
        About::Reminder { to: Some(to), .. } => {
            format!("I will remind {} at {time}.{moved}", to.0)
        }
    }
}

pub(crate) fn alarm_cancelled(alarm: &Alarm, now: DateTime, zone: &Zone) -> String {
    let time = time_of(alarm, now, zone);
    let what = if alarm.is_reminder() {
        "reminder"
    } else {
        "alarm"
    };
    format!("Your {what} for {time} is cancelled.")
}

pub(crate) fn alarms(bell: Bell, alarms: &[&Alarm], now: DateTime, zone: &Zone) -> String {
    let what = thing(bell);
    let each: Vec<String> = alarms
        .iter()
        .take(6)
        .map(|alarm| match &alarm.about {
            About::Waking => time_of(alarm, now, zone),
            About::Reminder { text, .. } => format!("{}, at {}", text.0, time_of(alarm, now, zone)),
        })
        .collect();
    match alarms.len() {
        0 => none_set(bell).to_owned(),
        1 => format!("You have one {what}: {}.", each[0]),
        count => format!("You have {count} {what}s: {}.", each.join("; ")),
    }
}

fn thing(bell: Bell) -> &'static str {
    match bell {
        Bell::Reminder => "reminder",
        Bell::Timer => "timer",
        Bell::Alarm => "alarm",
    }
}

pub(crate) fn none_set(bell: Bell) -> &'static str {
    match bell {
        Bell::Reminder => "There are no reminders.",
        Bell::Timer => NO_TIMER,
        Bell::Alarm => "There is no alarm set.",
    }
}

pub(crate) fn no_such(bell: Bell) -> &'static str {
    match bell {
        Bell::Reminder => "There is no such reminder.",
        Bell::Timer => NO_SUCH_TIMER,
        Bell::Alarm => "There is no alarm for that time.",
    }
}

pub(crate) fn several(bell: Bell, count: usize) -> String {
    let what = thing(bell);
    let how = match bell {
        Bell::Reminder => "what it is about",
        _ => "its time",
    };
    format!("You have {count} {what}s. Say which one by {how}, or say cancel all {what}s.")
}

pub(crate) fn all_cancelled(bell: Bell, count: usize) -> String {
    let what = thing(bell);
    match count {
        1 => format!("Your {what} is cancelled."),
        count => format!("{count} {what}s cancelled."),
    }
}

pub(crate) fn snoozed(length_ms: u64, only_timers: bool) -> String {
    let length = said(length_ms);
    if only_timers {
        format!("{length} more.")
    } else {
        format!("Again in {length}.")
    }
}

pub(crate) fn no_such_time(error: WhenError) -> String {
    match error {
        WhenError::NoTime => "I did not understand the time.",
        WhenError::NoHour => "Say the time of the day, too.",
        WhenError::Past => "That time is over.",
        WhenError::NoDay => "There is no such day within two years.",
    }
    .to_owned()
}

pub(crate) fn watch_started(shows_ms: u64) -> String {
    if shows_ms == 0 {
        "Stopwatch started.".to_owned()
    } else {
        format!("Stopwatch goes on from {}.", said(shows_ms))
    }
}

pub(crate) fn watch_stopped(shows_ms: u64) -> String {
    format!("Stopwatch stopped at {}.", tenths(shows_ms))
}

pub(crate) fn watch_runs(shows_ms: u64) -> String {
    format!("The stopwatch is already running, at {}.", said(shows_ms))
}

pub(crate) fn watch_shows(shows_ms: u64) -> String {
    format!("{} on the stopwatch.", tenths(shows_ms))
}

pub(crate) fn watch_lap(number: u32, lap_ms: u64) -> String {
    format!("Lap {number}: {}.", tenths(lap_ms))
}

/// Below a minute with tenths of a second.
fn tenths(ms: u64) -> String {
    if ms < 60_000 {
        format!("{}.{} seconds", ms / 1_000, ms / 100 % 10)
    } else {
        said(ms)
    }
}

pub(crate) fn added(item: &str, list: &str) -> String {
    format!("I added {item} to your {list} list.")
}

pub(crate) fn stands(items: &[String], list: &str) -> String {
    let verb = if items.len() == 1 { "is" } else { "are" };
    format!("{} {verb} already on your {list} list.", joined(items))
}

pub(crate) fn ticked(item: &str) -> String {
    format!("I checked off {item}.")
}

pub(crate) fn removed(item: &str, list: &str) -> String {
    format!("I removed {item} from your {list} list.")
}

pub(crate) fn not_on_list(items: &[String], list: &str) -> String {
    let verb = if items.len() == 1 { "is" } else { "are" };
    format!("{} {verb} not on your {list} list.", joined(items))
}

pub(crate) fn list_ready(list: &str, open: usize) -> String {
    match open {
        0 => format!("Your {list} list is ready. Say what I am to add to it."),
        1 => format!("You have a {list} list already, with one thing on it."),
        open => format!("You have a {list} list already, with {open} things on it."),
    }
}

pub(crate) fn list_empty(list: &str) -> String {
    format!("Your {list} list is empty.")
}

pub(crate) fn list_cleared(list: &str, count: usize) -> String {
    format!(
        "Your {list} list is cleared of {count} {}.",
        if count == 1 { "thing" } else { "things" }
    )
}

pub(crate) fn list(list: &str, open: &[String], most: usize) -> String {
    match open.len() {
        0 => list_empty(list),
        count if count > most => format!(
            "Your {list} list has {count} things. The first are {}.",
            joined(&open[..most])
        ),
        _ => format!("On your {list} list: {}.", joined(open)),
    }
}
