//! New settings while the device runs: a call that is announced or stands keeps those it began with.
use core::time::Duration;

use hearthline_psap::Behaviour;
use hearthline_simulate::{Scene, Spoken, World};
use hearthline_speaker::device::{Light, Step};
use hearthline_speaker::policy::Mode;

const SECOND: Duration = Duration::from_secs(1);

fn world() -> World {
    let good = || vec![Behaviour::default()];
    let mut world = World::new(&Scene {
        lines: vec![good(), good()],
        mode: Mode::Announced {
            cancel_window: 5 * SECOND,
        },
        ..Scene::default()
    });
    world.run_for(SECOND);
    world
}

fn taken_over(world: &World) -> usize {
    let steps = world.steps.iter();
    steps
        .filter(|(_, step)| matches!(step, Step::Skill { what } if what.contains("read again")))
        .count()
}

#[test]
fn a_call_keeps_the_lines_it_began_with_and_the_next_has_the_new() {
    let mut world = world();
    world.say(&Spoken::after_wake_word("call 911"));
    world.run_for(SECOND);
    assert!(world.sent_to("INVITE", 0).is_empty(), "it is announced");
    world.reconfigure(|settings| {
        settings.lines.reverse();
        settings.mode = Mode::Immediate;
    });
    world.run_for(20 * SECOND);
    assert_eq!(world.lights.last(), Some(&Light::Connected));
    assert_eq!(
        (
            world.sent_to("INVITE", 0).len(),
            world.sent_to("INVITE", 1).len()
        ),
        (1, 0)
    );
    assert_eq!(taken_over(&world), 0, "not while it stands");
    world.taker_hangs_up(0);
    world.run_for(60 * SECOND);
    assert_eq!(taken_over(&world), 1);
    let at = world.now();
    world.say(&Spoken::after_wake_word("call 911"));
    world.run_for(20 * SECOND);
    let second = world.sent_to("INVITE", 1);
    assert_eq!(second.len(), 1, "the other line, now the first");
    assert!(second[0] - at < SECOND, "and at once");
}

#[test]
fn while_nothing_stands_it_counts_at_once() {
    let mut world = world();
    world.reconfigure(|settings| settings.lines.reverse());
    assert_eq!(taken_over(&world), 1);
    world.say(&Spoken::after_wake_word("call 911"));
    world.run_for(20 * SECOND);
    assert_eq!(
        (
            world.sent_to("INVITE", 0).len(),
            world.sent_to("INVITE", 1).len()
        ),
        (0, 1)
    );
}
