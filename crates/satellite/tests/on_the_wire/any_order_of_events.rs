//! Peers that send every event at any time: nothing panics, jobs go out one at a time, a closed connection stays closed.
use core::time::Duration;
use std::sync::Arc;

use hearthline_satellite::exchange::ToServer;
use hearthline_satellite::wyoming::satellite::{self, Satellite};
use hearthline_satellite::wyoming::service::describe::{Offered, info};
use hearthline_satellite::wyoming::service::{
    Done, Job, Meaning, Offer, Output, ServiceLimits, Session,
};
use hearthline_satellite::wyoming::{Limits, write};
use proptest::prelude::*;

use crate::samples::every_event;

fn offer() -> Arc<Offer> {
    let offered = Offered {
        wake_word: None,
        asr: true,
        voice: Some("pretended".into()),
        sentences: Some("en".into()),
    };
    Arc::new(Offer {
        info: info(&offered),
        wake: None,
        speech_rate_hz: Some(22_050),
        limits: ServiceLimits {
            text_chars_max: 60,
            utterance_s_max: 1,
            ..ServiceLimits::default()
        },
    })
}

/// Drains a session; whether it closed, and the job that it gave.
fn drained(session: &mut Session) -> (bool, Vec<Job>) {
    let (mut closed, mut jobs) = (false, Vec::new());
    loop {
        match session.poll_output() {
            Output::Timeout(_) => return (closed, jobs),
            Output::Close => closed = true,
            Output::Job(job) => jobs.push(job),
            Output::Send(event) => {
                assert!(!closed, "{event:?} behind the end");
                assert!(!write(&event).is_empty());
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn of_a_client(
        order in proptest::collection::vec((0_usize..60, any::<bool>(), 0_u64..40), 1..120),
        text in "[a-z .]{0,30}",
    ) {
        let events = every_event(&text, &[1; 640]);
        let mut session = Session::new(offer(), Duration::ZERO);
        let (mut now, mut out, mut over) = (Duration::ZERO, None::<Job>, false);
        for (which, answers, seconds) in order {
            now += Duration::from_secs(seconds);
            if let Some(event) = events.get(which) {
                session.handle_bytes(&write(event), now);
            } else if answers {
                let done = match out.take() {
                    Some(Job::Transcribe(_)) => Ok(Done::Transcript(text.clone())),
                    Some(Job::Speak(_)) => Ok(Done::Speech(vec![1; 2_000])),
                    Some(Job::Understand(_)) => Ok(Done::Meaning(Meaning::Nothing)),
                    None => Err("nobody asked".to_owned()),
                };
                session.handle_done(done, now);
            } else {
                session.handle_timeout(now);
            }
            let (closed, jobs) = drained(&mut session);
            prop_assert!(jobs.len() + usize::from(out.is_some()) <= 1, "one job at a time");
            prop_assert!(!over || jobs.is_empty(), "a job behind the end");
            out = jobs.into_iter().next().or(out);
            over |= closed;
        }
    }

    #[test]
    fn of_a_server(
        order in proptest::collection::vec((0_usize..60, any::<bool>(), 0_u64..40), 1..120),
        text in "[a-z .]{0,30}",
    ) {
        let events = every_event(&text, &[1; 640]);
        let mut satellite = Satellite::new("Kitchen", "alexa", Limits::default(), Duration::ZERO);
        let (mut now, mut closed) = (Duration::ZERO, 0);
        for (number, (which, plays, seconds)) in order.into_iter().enumerate() {
            now += Duration::from_secs(seconds);
            if let Some(event) = events.get(which) {
                satellite.handle_bytes(&write(event), now);
            } else if plays {
                let (token, whole) = (u64::try_from(number % 4).unwrap(), true);
                satellite.handle(ToServer::Played { token, whole }, now);
            } else {
                let (id, sound) = (u64::try_from(number).unwrap(), vec![1; 2_000]);
                satellite.handle(ToServer::HandOn { id, sound }, now);
            }
            satellite.handle_timeout(now);
            loop {
                match satellite.poll_output() {
                    satellite::Output::Timeout(_) => break,
                    satellite::Output::Close => closed += 1,
                    satellite::Output::Send(_) | satellite::Output::Tell(_) => {}
                }
            }
            prop_assert!(closed <= 1, "closed once");
        }
    }
}
