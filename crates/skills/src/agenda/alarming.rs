//! Alarms and reminders: set, cancelled, asked about.
use core::time::Duration;

use jiff::civil::DateTime;

use super::Agenda;
use super::answering::{Pending, Wanted};
use super::ringing::bell_of;
use super::timing::{TEXT_CHARS_MAX, plain, text};
use crate::exchange::{Answer, Ask, Bell, Note};
use crate::item::{About, Alarm, Everyone, Id, Item, Words};
use crate::rule::Rule;
use crate::spoken::when::{self, When, WhenError};
use crate::words;

/// Most alarms and reminders at once.
pub const ALARMS_MAX: usize = 500;

impl Agenda {
    pub(super) fn asked_alarm(&mut self, ask: &Ask<'_>, now: Duration) -> Answer {
        match ask.intent {
            "AlarmSet" => self.set_alarm(ask, now),
            "AlarmList" => self.list_alarms(Bell::Alarm, now),
            "AlarmCancel" => self.cancel_alarms(ask, Bell::Alarm, now),
            "AlarmCancelAll" => self.cancel_every(Bell::Alarm, now),
            "ReminderSet" => self.set_reminder(ask, now),
            "ReminderList" => self.list_alarms(Bell::Reminder, now),
            "ReminderCancel" => self.cancel_alarms(ask, Bell::Reminder, now),
            "ReminderCancelAll" => self.cancel_every(Bell::Reminder, now),
            "RingStop" => self.stop_ringing(now),
            "RingSnooze" => self.snooze(ask, now),
            _ => Answer::Other,
        }
    }

    fn set_alarm(&mut self, ask: &Ask<'_>, now: Duration) -> Answer {
        let Some(said) = ask.slots.get("when") else {
            return self.ask_when(About::Waking, now);
        };
        self.set_at(said, About::Waking, now)
    }

    fn ask_when(&mut self, about: About, now: Duration) -> Answer {
        self.pending = Some(Pending::new(Wanted::Time(about), Vec::new(), now));
        Answer::Question(words::WHEN.into())
    }

    /// Sets one for a time as it was said.
    pub(super) fn set_at(&mut self, said: &str, about: About, now: Duration) -> Answer {
        let loosely = matches!(about, About::Reminder { .. });
        match when::read(said, self.shown(now), loosely) {
            Ok(when) => self.set(when, about, now),
            // Words that are no time are perhaps another skill's.
            Err(WhenError::NoTime) => Answer::Other,
            Err(error) => Answer::Refused(words::no_such_time(error)),
        }
    }

    fn set_reminder(&mut self, ask: &Ask<'_>, now: Duration) -> Answer {
        let Some(said) = ask.slots.get("what") else {
            return Answer::Refused(words::NO_REMINDER_TEXT.into());
        };
        if let Some(several) = ask.slots.get("whom_several") {
            return Answer::Refused(words::several_called(several));
        }
        let to = self.whom(ask, now).map(Words);
        self.unknown_to = to.is_some() && ask.slots.contains_key("whom_unknown");
        let user = text(ask, "whom_user").filter(|_| to.is_some());
        let to = text(ask, "whom_spoken").filter(|_| to.is_some()).or(to);
        let everyone = ask.slots.contains_key("whom_everyone") && to.is_some();
        let reminder = |what: &str| About::Reminder {
            text: Words(what.chars().take(TEXT_CHARS_MAX).collect()),
            to,
            user,
            everyone: everyone.then_some(Everyone::All),
        };
        // "Remind the kitchen at six to take the bread out": the time stands with the name.
        let with_name = ask
            .slots
            .get("who")
            .and_then(|who| when::split(who, self.shown(now)));
        let what = said.trim_end_matches(['.', ',']);
        match when::split(said, self.shown(now)) {
            Some((what, Ok(when))) => self.set(when, reminder(what), now),
            Some((_, Err(error))) => Answer::Refused(words::no_such_time(error)),
            None => match with_name {
                Some((_, Ok(when))) => self.set(when, reminder(what), now),
                Some((_, Err(error))) => Answer::Refused(words::no_such_time(error)),
                None => self.ask_when(reminder(what), now),
            },
        }
    }

    /// Whom a reminder names, without a time that stands beside the name; none for whoever speaks.
    #[must_use]
    pub fn whom(&self, ask: &Ask<'_>, now: Duration) -> Option<String> {
        let who = text(ask, "who").filter(|_| ask.intent == "ReminderSet")?.0;
        let who = match when::split(&who, self.shown(now)) {
            Some((who, _)) => who.to_owned(),
            None => who,
        };
        (!matches!(plain(&who).as_str(), "me" | "us" | "")).then_some(who)
    }

    fn set(&mut self, when: When, about: About, now: Duration) -> Answer {
        let count = self
            .items
            .values()
            .filter(|item| matches!(item, Item::Alarm(_)))
            .count();
        if count >= ALARMS_MAX || !self.has_room() {
            return Answer::Refused(words::TOO_MANY.into());
        }
        let wall = self.wall_ms(now);
        let rule = match when {
            When::In(length_ms) => Rule::At(wall.saturating_add_unsigned(length_ms)),
            When::At(shown) => Rule::Once(shown),
            When::Every { days, time } => Rule::Weekly { days, time },
        };
        let Some(due_ms) = rule.next(&self.zone, wall) else {
            return Answer::Refused(words::no_such_time(WhenError::Past));
        };
        let alarm = Alarm {
            rule,
            due_ms,
            snoozed_ms: None,
            rung_ms: None,
            about,
        };
        let mut say = words::alarm_set(&alarm, self.shown(now), &self.zone);
        if core::mem::take(&mut self.unknown_to) {
            say += words::SAID_HERE;
        }
        let ahead = u64::try_from(due_ms - wall).unwrap_or(0);
        self.note(Note::Set(bell_of(&alarm), ahead));
        let id = self.new_id();
        self.put(id, Item::Alarm(alarm), say, now);
        Answer::Silent
    }

    fn list_alarms(&mut self, bell: Bell, now: Duration) -> Answer {
        let shown = self.shown(now);
        let alarms: Vec<&Alarm> = self
            .alarms(bell)
            .into_iter()
            .map(|(_, alarm)| alarm)
            .collect();
        Answer::Words(words::alarms(bell, &alarms, shown, &self.zone))
    }

    /// The alarm that is named by its time, or the reminder by its words; all when there is one only.
    fn cancel_alarms(&mut self, ask: &Ask<'_>, bell: Bell, now: Duration) -> Answer {
        let all = self.alarms(bell);
        if all.is_empty() {
            return Answer::Words(words::none_set(bell).into());
        }
        let named = ask.slots.get("when").or_else(|| ask.slots.get("what"));
        let found: Vec<Id> = match named {
            None => all.iter().map(|(id, _)| *id).collect(),
            Some(said) => {
                let fits = |alarm: &Alarm| match &alarm.about {
                    About::Waking => self.is_at(alarm, said, now),
                    About::Reminder { text, .. } => {
                        let (kept, said) = (plain(&text.0), plain(said));
                        kept == said || kept.contains(&said)
                    }
                };
                all.iter()
                    .filter(|(_, alarm)| fits(alarm))
                    .map(|(id, _)| *id)
                    .collect()
            }
        };
        match found.as_slice() {
            [] => Answer::Refused(words::no_such(bell).into()),
            [one] => {
                let Some(Item::Alarm(alarm)) = self.items.get(one) else {
                    return Answer::Refused(words::no_such(bell).into());
                };
                let say = words::alarm_cancelled(alarm, self.shown(now), &self.zone);
                self.drop_all(&found, bell, say, now)
            }
            several => Answer::Refused(words::several(bell, several.len())),
        }
    }

    /// Whether an alarm is the one at a time that was said: "seven", "six thirty", "tomorrow at eight".
    fn is_at(&self, alarm: &Alarm, said: &str, now: Duration) -> bool {
        let due = self.zone.local(alarm.rings_ms());
        let same = |time: jiff::civil::Time| {
            (time.hour() % 12, time.minute()) == (due.hour() % 12, due.minute())
        };
        match when::read(said, self.shown(now), false) {
            Ok(When::At(at)) => at == due || same(at.time()),
            Ok(When::Every { time, .. }) => same(time),
            _ => false,
        }
    }

    fn cancel_every(&mut self, bell: Bell, now: Duration) -> Answer {
        let ids: Vec<Id> = self.alarms(bell).iter().map(|(id, _)| *id).collect();
        if ids.is_empty() {
            return Answer::Words(words::none_set(bell).into());
        }
        let say = words::all_cancelled(bell, ids.len());
        self.drop_all(&ids, bell, say, now)
    }

    fn drop_all(&mut self, ids: &[Id], bell: Bell, say: String, now: Duration) -> Answer {
        self.note(Note::Changed(bell));
        let drops: Vec<_> = ids
            .iter()
            .map(|id| crate::journal::Change::Drop(*id))
            .collect();
        self.close(ids, &drops, Some(say), now);
        Answer::Silent
    }

    /// Alarms or reminders, the next first.
    fn alarms(&self, bell: Bell) -> Vec<(Id, &Alarm)> {
        let mut all: Vec<(Id, &Alarm)> = self
            .items
            .iter()
            .filter_map(|(id, item)| match item {
                Item::Alarm(alarm) if bell_of(alarm) == bell => Some((*id, alarm)),
                _ => None,
            })
            .collect();
        all.sort_by_key(|(_, alarm)| alarm.rings_ms());
        all
    }

    /// What the clock on the wall shows.
    #[must_use]
    pub fn shown(&self, now: Duration) -> DateTime {
        self.zone.local(self.wall_ms(now))
    }
}
