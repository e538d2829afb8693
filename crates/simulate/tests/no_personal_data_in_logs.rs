//! No phone number, address or transcript in anything that may become a log line (DESIGN invariant 8).
use core::time::Duration;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use hearthline_emergency::target::SipUri;
use hearthline_ledger::{DeviceAnchor, TrustPolicy, verify};
use hearthline_psap::{Answer, Behaviour, LostFault, SessionDefect};
use hearthline_simulate::{PersonalData, Scene, Spoken, World};
use hearthline_sip::{NameAddr, Uri};
use hearthline_speaker::config::Household;
use hearthline_speaker::device::Step;
use hearthline_speaker::policy::Mode;
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt as _};

const SECOND: Duration = Duration::from_secs(1);

/// Of the household of every scene, and of what is said below.
fn personal() -> PersonalData {
    PersonalData::new([
        "+15055550123",
        "Juniper",
        "Exampleton",
        "Drill Household",
        "35.08",
        "zanzibar",
        "marmalade",
    ])
}

/// Counts everything that is logged.
#[derive(Clone, Default)]
struct Counts(Arc<AtomicUsize>);

impl<S: tracing::Subscriber> Layer<S> for Counts {
    fn on_event(&self, _: &tracing::Event<'_>, _: Context<'_, S>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

fn scenes() -> Vec<Scene> {
    let base = Scene {
        mode: Mode::Immediate,
        ..Scene::default()
    };
    let line = |behaviour: Behaviour| vec![vec![behaviour], vec![Behaviour::default()]];
    let mut all = vec![
        base.clone(),
        Scene {
            lines: Vec::new(),
            ..base.clone()
        },
        Scene {
            dead_lines: 2,
            ..base.clone()
        },
    ];
    for answer in [
        Answer::Dead,
        Answer::Reject(486),
        Answer::Reject(424),
        Answer::Redirect("tel:+15055550123".into()),
        Answer::Redirect("sip:+15055550123@juniper.example;user=phone".into()),
        Answer::RedirectLoop,
    ] {
        all.push(Scene {
            lines: line(Behaviour::with_answer(answer)),
            ..base.clone()
        });
    }
    for session in [
        SessionDefect::Missing,
        SessionDefect::Garbage,
        SessionDefect::NoCommonCodec,
        SessionDefect::RefusedStream,
    ] {
        all.push(Scene {
            lines: line(Behaviour {
                session,
                ..Behaviour::default()
            }),
            ..base.clone()
        });
    }
    // A session whose broken lines hold what nobody may log.
    let telling: fn(Vec<u8>) -> Vec<u8> = |bytes| {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        text.replace("c=IN IP4 127.0.0.1", "c=IN IP4 zanzibar.")
            .replace("m=audio", "m=marmalade")
            .into_bytes()
    };
    all.push(Scene {
        meddle: Some(telling),
        lines: line(Behaviour::default()),
        ..base.clone()
    });
    for lost in [
        LostFault::Dead,
        LostFault::Garbage,
        LostFault::WrongScheme,
        LostFault::HttpStatus(500),
        LostFault::Redirect("zanzibar marmalade".into()),
        LostFault::Error("locationInvalid".into()),
    ] {
        all.push(Scene {
            lost,
            ..base.clone()
        });
    }
    all.push(Scene {
        stored_lost_cache: Some(b"+15055550123 Juniper".to_vec()),
        ..base.clone()
    });
    all.push(Scene {
        disk_works: false,
        ..base
    });
    all
}

/// What a program may log of a step: everything but the words of people, which [`Step::Heard`] and [`Step::Said`] hold.
fn lines_of(step: &Step) -> Vec<String> {
    match step {
        Step::Heard { .. } | Step::Said { .. } => Vec::new(),
        Step::Call { what, .. } => vec![what.to_string(), format!("{step:?}")],
        other => vec![format!("{other:?}")],
    }
}

#[test]
fn the_core_logs_nothing_and_no_step_holds_personal_data() {
    let data = personal();
    let counts = Counts::default();
    let (watch, leaks) = data.clone().watch();
    let subscriber = tracing_subscriber::registry()
        .with(watch)
        .with(counts.clone());
    let mut steps = 0;
    tracing::subscriber::with_default(subscriber, || {
        for scene in scenes() {
            let mut world = World::new(&scene);
            world.run_for(SECOND);
            world.say(&Spoken::after_wake_word("zanzibar is made of marmalade"));
            world.say(&Spoken::after_wake_word("can you call 911?"));
            world.run_for(3 * SECOND);
            world.say(&Spoken::reply("zanzibar marmalade"));
            world.say(&Spoken::reply("yes"));
            world.run_for(8 * SECOND);
            world.say(&Spoken::after_wake_word("hang up the emergency call"));
            world.run_for(5 * SECOND);
            world.say(&Spoken::reply("yes"));
            world.run_for(2 * SECOND);
            world.caller_calls();
            world.run_for(2 * SECOND);
            for (at, step) in &world.steps {
                for line in lines_of(step) {
                    steps += 1;
                    assert_eq!(data.check(&line), Ok(()), "at {at:?}: {line}");
                }
            }
            // The report about a bundle is read by strangers: it tells of the record, not of the people.
            let mut policy = TrustPolicy::none();
            policy.devices.push(DeviceAnchor::Id(world.identity().id()));
            for incident in world.incidents() {
                if let Ok(bundle) = world.export(&incident) {
                    let report = verify(&bundle.bytes, &policy).to_string();
                    assert_eq!(data.check(&report), Ok(()), "{report}");
                }
            }
        }
    });
    assert!(steps > 300, "{steps}");
    assert_eq!(leaks.found(), Vec::new());
    assert_eq!(
        counts.0.load(Ordering::Relaxed),
        0,
        "the pure core logs nothing"
    );
}

#[test]
fn the_test_would_find_a_leak() {
    let mut world = World::new(&Scene {
        mode: Mode::Immediate,
        ..Scene::default()
    });
    world.run_for(SECOND);
    world.say(&Spoken::after_wake_word("call 911"));
    world.run_for(2 * SECOND);
    let invite = world
        .sent_messages
        .iter()
        .find(|(_, bytes)| bytes.starts_with(b"INVITE "))
        .expect("an INVITE");
    assert!(
        personal()
            .check(&String::from_utf8_lossy(&invite.1))
            .is_err(),
        "the INVITE tells the call-taker, and no log"
    );
    let (watch, leaks) = personal().watch();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(watch), || {
        tracing::warn!(number = "+1 505 555 0123", "calling");
    });
    assert_eq!(leaks.found().len(), 1);
}

#[test]
fn errors_about_personal_values_do_not_repeat_them() {
    // Another number than that of the household, which the message gives as its example.
    let data = PersonalData::new([
        "5055550177",
        "Juniper",
        "Exampleton",
        "Drill Household",
        "35.08",
        "zanzibar",
        "marmalade",
    ]);
    let mut texts: Vec<String> = Vec::new();
    for bad in [
        "sip:+1505555 0177@",
        "sip:zanzibar marmalade@x",
        "tel:+1505555O177zanzibar",
        "<sip:juniper@@>",
        "\"Drill Household\" <sip:",
    ] {
        if let Err(error) = Uri::parse(bad) {
            texts.push(format!("{error} {error:?}"));
        }
        if let Err(error) = NameAddr::parse(bad) {
            texts.push(format!("{error} {error:?}"));
        }
        if let Err(error) = SipUri::parse(bad) {
            texts.push(format!("{error} {error:?}"));
        }
    }
    let household = hearthline_simulate::world::HOUSEHOLD;
    let contact = SipUri::parse("sip:kitchen@127.0.0.1").expect("a URI");
    for (from, to) in [
        ("\"+15055550123\"", "\"+1 505 555 0177 zanzibar\""),
        ("RD = \"Juniper\"", "RDX = \"Juniper\""),
        ("latitude = 35.08", "latitude = 935.08"),
        ("name = \"Drill Household\"", "name = 3"),
    ] {
        let text = household.replace(from, to);
        assert_ne!(text, household, "{from}");
        match Household::parse(&text) {
            Err(error) => texts.push(error.to_string()),
            Ok(household) => {
                if let Err(error) = household.profile(contact.clone(), "key".into()) {
                    texts.push(error.to_string());
                }
            }
        }
    }
    assert!(texts.len() >= 8, "{texts:?}");
    let leaking: Vec<&String> = texts
        .iter()
        .filter(|text| data.check(text).is_err())
        .collect();
    assert!(leaking.is_empty(), "{leaking:#?}");
}
