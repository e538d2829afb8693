//! Our own sentences for timers, alarms, reminders, stopwatch and lists: read by the engine, done by the skill, answered.
use core::time::Duration;

use hearthline_speaker::skill::agenda::{AgendaSkill, Zone, sentences_of};
use hearthline_speaker::skill::knowing::KnowingSkill;
use hearthline_speaker::skill::{Asked, By, Deed, Event, Reply, Ringing, Skill};
use hearthline_voice::understand::sentences::{Grammar, Lists, NumberWords, Program};

/// 2026-11-23 12:00:00 UTC, a Monday.
const NOON_MS: u64 = 1_795_435_200_000;

struct Home {
    program: Program,
    skill: AgendaSkill,
    knowing: KnowingSkill,
    now: Duration,
    deeds: Vec<Deed>,
}

impl Home {
    fn new() -> Self {
        let mut grammar = Grammar::new("en");
        for file in sentences_of("en") {
            grammar.add_ours(file.name, file.yaml);
        }
        assert!(
            grammar.complaints().is_empty(),
            "{:?}",
            grammar.complaints()
        );
        let (program, complaints) = Program::compile(&grammar, &NumberWords::default());
        assert!(complaints.is_empty(), "{complaints:?}");
        let mut home = Self {
            program,
            skill: AgendaSkill::new(Zone::utc()),
            knowing: KnowingSkill::new(Zone::utc()),
            now: Duration::ZERO,
            deeds: Vec::new(),
        };
        home.handle(Event::Wall {
            ms_at_zero: NOON_MS,
        });
        home.handle(Event::Restored(&[]));
        home
    }

    fn handle(&mut self, event: Event<'_>) {
        self.knowing.handle(event, self.now);
        self.skill.handle(event, self.now);
        self.drain();
    }

    /// A disk that takes everything at once.
    fn drain(&mut self) {
        while let Some(deed) = self.skill.poll_deed() {
            if let Deed::Append { token, .. } | Deed::Keep { token, .. } = &deed {
                self.skill.handle(Event::Kept(*token), self.now);
            }
            self.deeds.push(deed);
        }
    }

    fn said(&mut self) -> Vec<String> {
        core::mem::take(&mut self.deeds)
            .into_iter()
            .filter_map(|deed| match deed {
                Deed::Say(text) => Some(text),
                Deed::Answer {
                    reply: Reply::Words(text),
                    ..
                } => Some(text),
                _ => None,
            })
            .collect()
    }

    fn replied(&mut self, reply: Reply) -> String {
        self.drain();
        match reply {
            Reply::Other => "-".into(),
            Reply::Silent | Reply::Later(_) => self.said().join(" "),
            Reply::Words(text) | Reply::Refused(text) | Reply::Question(text) => text,
            Reply::Response(facts) => facts.otherwise,
        }
    }

    /// Behind the wake word.
    fn ask(&mut self, said: &str) -> String {
        self.deeds.clear();
        let Some(meant) = self.program.recognise(said, &Lists::default(), &[]) else {
            // What no sentence reads is asked of what is known.
            let reply = self.knowing.hear(said, NOON_MS, self.now);
            return self.replied(reply);
        };
        assert!(meant.rivals.is_empty(), "{said}: {:?}", meant.rivals);
        let asked = Asked {
            meant: &meant,
            said,
            by: By::Person,
            wall_ms: NOON_MS,
        };
        let reply = match self.skill.take(&asked, self.now) {
            Reply::Other => self.knowing.take(&asked, self.now),
            reply => reply,
        };
        self.replied(reply)
    }

    fn pass(&mut self, seconds: u64) {
        let until = self.now + Duration::from_secs(seconds);
        while let Some(at) = self.skill.poll_timeout().filter(|at| *at <= until) {
            self.now = self.now.max(at);
            self.handle(Event::Timeout);
        }
        self.now = until;
    }
}

#[test]
fn every_sentence_of_ours_is_read_done_and_answered() {
    let mut home = Home::new();
    for (said, answer) in [
        (
            "set a pasta timer for five minutes",
            "5 minutes on the pasta timer, starting now.",
        ),
        (
            "set a timer for two and a half hours",
            "Timer set for 2 hours and 30 minutes.",
        ),
        (
            "start a timer for ten minutes called tea",
            "10 minutes on the tea timer, starting now.",
        ),
        (
            "how much time is left on the first timer",
            "5 minutes left on your pasta timer.",
        ),
        (
            "cancel the second timer",
            "Your 2 hour 30 minute timer is cancelled.",
        ),
        (
            "pause the first timer",
            "Your pasta timer is paused with 5 minutes left.",
        ),
        (
            "what timers are running",
            "2 timers. 5 minutes left on your pasta timer, and it is paused. 10 minutes left on your tea timer.",
        ),
        (
            "resume the first timer",
            "Your pasta timer goes on with 5 minutes left.",
        ),
        (
            "wake me up at half past seven tomorrow morning",
            "Alarm set for 7:30 AM tomorrow.",
        ),
        (
            "set an alarm for every weekday at 6:30",
            "Alarm set for 6:30 AM every weekday.",
        ),
        ("set a 9 am alarm", "Alarm set for 9 AM tomorrow."),
        ("set an alarm in two hours", "Alarm set for 2 PM today."),
        (
            "what alarms are set",
            "You have 4 alarms: 2 PM today; 6:30 AM every weekday; 7:30 AM tomorrow; 9 AM tomorrow.",
        ),
        (
            "cancel the alarm for nine",
            "Your alarm for 9 AM tomorrow is cancelled.",
        ),
        (
            "cancel my 6:30 alarm",
            "Your alarm for 6:30 AM every weekday is cancelled.",
        ),
        (
            "turn off the alarm",
            "You have 2 alarms. Say which one by its time, or say cancel all alarms.",
        ),
        ("cancel all alarms", "2 alarms cancelled."),
        ("when is my next alarm", "There is no alarm set."),
        (
            "remind me to turn the pie in twenty minutes",
            "I will remind you at 12:20 PM today.",
        ),
        (
            "remind Anna to call the bank tomorrow at nine",
            "I will remind Anna at 9 AM tomorrow.",
        ),
        (
            "remind me tomorrow to buy milk",
            "I will remind you at 9 AM tomorrow.",
        ),
        (
            "set a reminder to water the plants on friday evening",
            "I will remind you at 6 PM on Friday.",
        ),
        (
            "what are my reminders",
            "You have 4 reminders: turn the pie, at 12:20 PM today; call the bank, at 9 AM tomorrow; buy milk, at 9 AM tomorrow; water the plants, at 6 PM on Friday.",
        ),
        (
            "delete the reminder to buy milk",
            "Your reminder for 9 AM tomorrow is cancelled.",
        ),
        ("cancel all my reminders", "3 reminders cancelled."),
        ("start the stopwatch", "Stopwatch started."),
        (
            "what does the stopwatch say",
            "0.0 seconds on the stopwatch.",
        ),
        ("stop the stopwatch", "Stopwatch stopped at 0.0 seconds."),
        ("reset the stopwatch", "Stopwatch reset."),
        ("what's on my shopping list", "Your shopping list is empty."),
        (
            "take apples off the shopping list",
            "apples is not on your shopping list.",
        ),
        ("clear the to-do list", "Your to-do list is empty."),
        ("clear my timers", "2 timers cancelled."),
        (
            "set a timer named soup for 5 minutes",
            "5 minutes on the soup timer, starting now.",
        ),
        (
            "set a timer for 1 hour 5 minutes",
            "Timer set for 1 hour and 5 minutes.",
        ),
        (
            "extend my soup timer by 3 minutes",
            "Your soup timer now has 8 minutes left.",
        ),
        (
            "take off 30 seconds from the soup timer",
            "Your soup timer now has 7 minutes and 30 seconds left.",
        ),
        (
            "make the soup timer two minutes longer",
            "Your soup timer now has 9 minutes and 30 seconds left.",
        ),
        (
            "how many timers do i have",
            "2 timers. 9 minutes and 30 seconds left on your soup timer. 1 hour and 5 minutes left on your 1 hour 5 minute timer.",
        ),
        ("delete all timers", "2 timers cancelled."),
        (
            "set a reminder",
            "Say it in one: remind me to call the bank tomorrow at nine.",
        ),
        (
            "add milk to my to do list",
            "I added milk to your to-do list.",
        ),
        (
            "put tent and rope on our camping list",
            "I added tent and rope to your camping list.",
        ),
        (
            "create a list called camping",
            "You have a camping list already, with 2 things on it.",
        ),
        (
            "make a new party list",
            "Your party list is ready. Say what I am to add to it.",
        ),
        (
            "cross the rope off the camping list",
            "I removed the rope from your camping list.",
        ),
        ("snooze", "Nothing is ringing."),
        ("what is 15 percent of 80", "12."),
        ("what's the date", "It is Monday, November 23, 2026."),
        ("what is the meaning of life", "-"),
    ] {
        assert_eq!(home.ask(said), answer, "{said}");
    }
}

#[test]
fn a_timer_without_a_length_asks_for_it_and_starts_with_the_answer() {
    let mut home = Home::new();
    for (said, answer, says) in [
        ("set a timer", "ten minutes", "Timer set for 10 minutes."),
        (
            "start a timer called tea",
            "For four minutes.",
            "4 minutes on the tea timer, starting now.",
        ),
        (
            "set a timer",
            "never mind",
            "All right. I leave it as it is.",
        ),
    ] {
        assert_eq!(home.ask(said), "For how long?", "{said}");
        // What is no length is no answer, and the question stays open.
        let talk = home.skill.answer("call the fire brigade", home.now);
        assert_eq!(talk, Reply::Other);
        let reply = home.skill.answer(answer, home.now);
        assert_eq!(home.replied(reply), says, "{answer}");
    }
    assert_eq!(
        home.ask("make it 2 minutes longer"),
        "Which one: the tea timer with 4 minutes left or the 10 minute timer with 10 minutes left?"
    );
}

#[test]
fn what_rings_is_stopped_by_a_word_and_shown() {
    let mut home = Home::new();
    home.ask("set a tea timer for one minute");
    home.deeds.clear();
    home.pass(60);
    assert!(home.skill.is_ringing());
    let ring = Deed::Ring(Some(Ringing::Timer));
    assert!(home.deeds.contains(&ring), "{:?}", home.deeds);
    assert_eq!(home.said(), ["Your tea timer is done."]);
    assert_eq!(
        home.skill.answer("the tea is too hot", home.now),
        Reply::Other
    );
    assert_eq!(home.skill.answer("Stop.", home.now), Reply::Silent);
    home.drain();
    assert!(!home.skill.is_ringing() && home.deeds.contains(&Deed::Ring(None)));
    // Neither the steps nor the record have a word of the person's.
    home.ask("set a secret timer for one minute");
    home.ask("remind me to whisper in one minute");
    home.deeds.clear();
    home.pass(120);
    for deed in &home.deeds {
        if let Deed::Step(_) | Deed::Record(_) = deed {
            let text = format!("{deed:?}");
            assert!(
                !text.contains("secret") && !text.contains("whisper"),
                "{text}"
            );
        }
    }
    let shown = home.deeds.iter().rev().find_map(|deed| match deed {
        Deed::Show(value) => Some(value.to_string()),
        _ => None,
    });
    assert!(shown.is_some_and(|shown| shown.contains("secret")));
}
