//! LoST in every way of failing: the INVITE leaves in time, with a route exactly when a usable one was known.
use core::time::Duration;

use hearthline_emergency::lost::LostErrorKind;
use hearthline_psap::LostFault;
use hearthline_simulate::{Scene, Spoken, Watched, World};
use hearthline_speaker::device::{Light, Step};
use hearthline_speaker::policy::Mode;

const SECOND: Duration = Duration::from_secs(1);
const HALF: Duration = Duration::from_millis(500);

/// The first INVITE as text, how long after the order it left, and its Route rows.
struct Placed {
    after: Duration,
    routes: Vec<String>,
}

fn order(world: &mut World) -> Placed {
    let ordered = world.now();
    world.say(&Spoken::after_wake_word("call 911"));
    world.run_for(12 * SECOND);
    let (at, bytes) = world
        .sent_messages
        .iter()
        .find(|(_, bytes)| bytes.starts_with(b"INVITE "))
        .expect("an INVITE");
    let text = String::from_utf8_lossy(bytes);
    let head = text.split("\r\n\r\n").next().expect("a head");
    let routes = head
        .lines()
        .filter(|line| line.starts_with("Route:"))
        .map(str::to_owned)
        .collect();
    assert!(head.starts_with("INVITE urn:service:sos SIP/2.0"), "{head}");
    assert_eq!(world.lights.last(), Some(&Light::Connected));
    Placed {
        after: *at - ordered,
        routes,
    }
}

fn modes() -> [(Mode, Duration); 3] {
    [
        (Mode::Immediate, Duration::ZERO),
        (
            Mode::Announced {
                cancel_window: 2 * SECOND,
            },
            2 * SECOND,
        ),
        (Mode::default(), 5 * SECOND),
    ]
}

/// Faults that never give a usable mapping.
fn useless() -> Vec<LostFault> {
    let mut all = vec![
        LostFault::Dead,
        LostFault::Slow(10_000),
        LostFault::WrongScheme,
        LostFault::Redirect("other.invalid".into()),
        LostFault::Redirect("not a name".into()),
        LostFault::RedirectLoop,
        LostFault::Garbage,
        LostFault::HttpStatus(500),
        LostFault::HttpStatus(404),
        LostFault::HttpStatus(302),
    ];
    all.extend(
        LostErrorKind::ALL
            .iter()
            .map(|kind| LostFault::Error(kind.name().to_owned())),
    );
    all
}

/// Faults that give a usable mapping all the same.
fn usable() -> Vec<LostFault> {
    let warnings = [
        "locationValidationUnavailable",
        "serviceSubstitution",
        "defaultMappingReturned",
    ];
    let mut all = vec![LostFault::None, LostFault::Slow(100)];
    all.extend(warnings.map(|name| LostFault::Warning(name.to_owned())));
    all
}

#[test]
fn without_a_mapping_the_call_goes_in_time_and_without_a_route() {
    for fault in useless() {
        for (mode, window) in modes() {
            let scene = Scene {
                lost: fault.clone(),
                mode,
                ..Scene::default()
            };
            let mut world = Watched::new("lost_useless", &scene);
            world.run_for(SECOND);
            let placed = order(&mut world);
            assert!(
                placed.after >= window && placed.after <= window + HALF,
                "{fault:?} {mode:?}: {:?}",
                placed.after
            );
            assert_eq!(placed.routes, Vec::<String>::new(), "{fault:?} {mode:?}");
        }
    }
}

#[test]
fn with_a_mapping_the_call_goes_in_time_and_names_it() {
    for fault in usable() {
        for (mode, window) in modes() {
            let scene = Scene {
                lost: fault.clone(),
                mode,
                ..Scene::default()
            };
            let mut world = Watched::new("lost_usable", &scene);
            world.run_for(SECOND);
            let placed = order(&mut world);
            assert!(
                placed.after >= window && placed.after <= window + HALF,
                "{fault:?} {mode:?}: {:?}",
                placed.after
            );
            assert_eq!(
                placed.routes.len(),
                1,
                "{fault:?} {mode:?}: {:?}",
                placed.routes
            );
            assert!(
                placed.routes[0].contains("psap@127.0.0.1"),
                "{:?}",
                placed.routes
            );
        }
    }
}

#[test]
fn slow_answers_are_used_exactly_when_they_come_within_the_wait() {
    for ms in [0, 100, 250, 400, 480, 520, 700, 1_500, 3_000, 5_000, 10_000] {
        // Nothing was learned at start: LoST is dead then, and slow from the order on.
        let scene = Scene {
            lost: LostFault::Dead,
            mode: Mode::Immediate,
            ..Scene::default()
        };
        let mut world = Watched::new("lost_slow", &scene);
        world.run_for(SECOND);
        world.set_lost_fault(LostFault::Slow(ms));
        let placed = order(&mut world);
        assert!(
            placed.after <= HALF + Duration::from_millis(1),
            "{ms} ms: {:?}",
            placed.after
        );
        assert_eq!(
            placed.routes.len(),
            usize::from(ms < 490),
            "{ms} ms: {:?}",
            placed.routes
        );
        // A mapping inside the announced window is used too.
        let scene = Scene {
            lost: LostFault::Dead,
            ..Scene::default()
        };
        let mut world = Watched::new("lost_slow_window", &scene);
        world.run_for(SECOND);
        world.set_lost_fault(LostFault::Slow(ms));
        let placed = order(&mut world);
        assert!(
            placed.after >= 5 * SECOND && placed.after <= 5 * SECOND + HALF,
            "{ms} ms: {:?}",
            placed.after
        );
        assert_eq!(
            placed.routes.len(),
            usize::from(ms < 4_900),
            "{ms} ms: {:?}",
            placed.routes
        );
    }
}

#[test]
fn a_mapping_known_before_is_used_when_lost_fails_at_the_call() {
    for fault in useless() {
        let scene = Scene {
            mode: Mode::Immediate,
            ..Scene::default()
        };
        let mut world = Watched::new("lost_cached", &scene);
        world.run_for(2 * SECOND);
        world.set_lost_fault(fault.clone());
        let placed = order(&mut world);
        assert!(placed.after <= HALF, "{fault:?}: {:?}", placed.after);
        assert_eq!(
            placed.routes.len(),
            1,
            "{fault:?}: the cached mapping gives the route"
        );
    }
}

#[test]
fn an_expired_mapping_is_used_all_the_same() {
    // RFC 6881 ED-55: better an old route than none.
    for (mode, window) in modes() {
        let scene = Scene {
            lost: LostFault::ExpiredMapping,
            mode,
            ..Scene::default()
        };
        let mut world = Watched::new("lost_expired", &scene);
        world.run_for(SECOND);
        let placed = order(&mut world);
        assert!(
            placed.after >= window && placed.after <= window + HALF,
            "{:?}",
            placed.after
        );
        assert_eq!(placed.routes.len(), 1, "{:?}", placed.routes);
    }
}

#[test]
fn the_cache_of_an_earlier_run_routes_a_call_right_after_start() {
    let mut before = World::new(&Scene::default());
    before.run_for(5 * SECOND);
    let cache = before
        .lost_cache
        .clone()
        .expect("the mapping was learned and kept");
    for (stored, routes) in [
        (Some(cache.clone()), 1),
        (None, 0),
        (Some(b"rubbish".to_vec()), 0),
        (Some(cache[..10].to_vec()), 0),
    ] {
        let scene = Scene {
            lost: LostFault::Dead,
            stored_lost_cache: stored,
            start: 1,
            mode: Mode::Immediate,
            ..Scene::default()
        };
        let mut world = Watched::new("lost_stored", &scene);
        let placed = order(&mut world);
        assert!(placed.after <= HALF, "{:?}", placed.after);
        assert_eq!(placed.routes.len(), routes);
    }
}

#[test]
fn a_cache_that_expired_long_ago_still_routes_and_says_so() {
    let mut before = World::new(&Scene::default());
    before.run_for(5 * SECOND);
    let scene = Scene {
        lost: LostFault::Dead,
        stored_lost_cache: before.lost_cache.clone(),
        start: 1,
        wall_ms_at_zero: hearthline_simulate::world::WALL_MS_AT_ZERO + 90 * 86_400_000,
        mode: Mode::Immediate,
        ..Scene::default()
    };
    let mut world = Watched::new("lost_stale", &scene);
    let placed = order(&mut world);
    assert!(placed.after <= HALF, "{:?}", placed.after);
    assert_eq!(placed.routes.len(), 1);
    let words: Vec<String> = world
        .steps
        .iter()
        .filter_map(|(_, step)| match step {
            Step::Call { what, .. } => Some(what.to_string()),
            _ => None,
        })
        .collect();
    assert!(
        words.iter().any(|words| words.contains("expired mapping")),
        "{words:?}"
    );
}

#[test]
fn a_server_that_dies_and_comes_back_is_asked_again_before_any_call() {
    let scene = Scene {
        lost: LostFault::Dead,
        mode: Mode::Immediate,
        ..Scene::default()
    };
    let mut world = Watched::new("lost_back", &scene);
    world.run_for(30 * SECOND);
    world.set_lost_fault(LostFault::None);
    world.run_for(600 * SECOND);
    world.set_lost_fault(LostFault::Dead);
    let placed = order(&mut world);
    assert_eq!(placed.routes.len(), 1);
}
