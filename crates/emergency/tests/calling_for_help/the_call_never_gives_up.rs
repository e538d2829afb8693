//! Any sequence of inputs: no panic, no silence while a line is left, at most one connected attempt.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::support::{Run, answer, cached, ms, setup};
use hearthline_emergency::call::{AttemptId, CallInput, CallState, ConfirmedEnd, Progress};
use hearthline_emergency::lost_client::LostReply;
use proptest::prelude::*;

#[derive(Debug, Clone)]
enum Act {
    Wait(u64),
    Tell(u32, Progress),
    Lost(bool),
    End(u64, u64),
}

fn progress() -> impl Strategy<Value = Progress> {
    prop_oneof![
        3 => Just(Progress::Trying),
        1 => Just(Progress::Challenged { status: 401 }),
        2 => (180u16..190).prop_map(|status| Progress::Ringing { status }),
        1 => Just(Progress::Answered),
        4 => (300u16..700, prop::option::of(0u32..100_000), prop::collection::vec("(sip:[a-c]@127\\.0\\.0\\.[1-3]|sip:x@example\\.com|junk)", 0..3))
            .prop_map(|(status, retry_after_s, contacts)| Progress::Rejected { status, retry_after_s, contacts }),
        1 => Just(Progress::TransportFailed),
        1 => Just(Progress::TimedOut),
        1 => Just(Progress::HungUp),
        1 => Just(Progress::Dropped),
    ]
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        3 => (0u64..12_000).prop_map(Act::Wait),
        6 => (0u32..4, progress()).prop_map(|(back, progress)| Act::Tell(back, progress)),
        1 => any::<bool>().prop_map(Act::Lost),
        1 => (0u64..40_000, 0u64..40_000).prop_map(|(ago, gap)| Act::End(ago, gap)),
    ]
}

/// What an endpoint would know: which dialogs stand.
#[derive(Default)]
struct Wire {
    answered: BTreeSet<AttemptId>,
    finished: BTreeSet<AttemptId>,
}

fn check(run: &Run, wire: &Wire, lines: usize) {
    let gone = |id: &AttemptId| {
        run.abandoned.contains(id) || run.hung_up.contains(id) || wire.finished.contains(id)
    };
    let connected = wire.answered.iter().filter(|id| !gone(id)).count();
    assert!(connected <= 1, "{connected} connected attempts");
    let live = run.invites.iter().filter(|invite| !gone(&invite.1)).count();
    assert!(live <= lines, "{live} live attempts on {lines} lines");
    match run.call.state() {
        CallState::Connected { .. } => assert_eq!(connected, 1),
        CallState::Ended => assert_eq!((live, run.timeout), (0, None)),
        state => assert!(
            run.timeout.is_some_and(|at| at > run.now),
            "silence in {state:?}"
        ),
    }
}

fn play(run: &mut Run, wire: &mut Wire, act: Act) {
    match act {
        Act::Wait(wait) => run.advance(ms(wait)),
        Act::Tell(back, progress) => {
            let newest = run.invites.last().map_or(0, |invite| invite.1.0);
            let id = AttemptId(newest.wrapping_sub(back));
            let known = run.invites.iter().any(|invite| invite.1 == id);
            let was_over = wire.finished.contains(&id);
            // An endpoint reports nothing after a final response, and a refusal never after an answer.
            let is_refusal = matches!(
                progress,
                Progress::Rejected { .. } | Progress::TimedOut | Progress::TransportFailed
            );
            if known && (was_over || (is_refusal && wire.answered.contains(&id))) {
                return;
            }
            if known {
                match &progress {
                    Progress::Answered => drop(wire.answered.insert(id)),
                    Progress::Trying | Progress::Challenged { .. } | Progress::Ringing { .. } => {}
                    _ => drop(wire.finished.insert(id)),
                }
            }
            run.progress(id, progress);
        }
        Act::Lost(good) => {
            if run.posts.is_empty() {
                return;
            }
            if good {
                run.lost_body(&answer("sip:psap@127.0.0.1:5090"));
            } else {
                run.lost(LostReply::Failed);
            }
        }
        Act::End(ago, gap) => {
            let at = run.now.saturating_sub(ms(ago));
            if let Ok(end) = ConfirmedEnd::new(at.saturating_sub(ms(gap)), at) {
                run.input(CallInput::CallerEnds(end));
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]
    #[test]
    fn any_sequence_of_inputs(
        lines in 1usize..4,
        is_cached in any::<bool>(),
        acts in prop::collection::vec(act(), 0..60),
    ) {
        let mut setup = setup(lines);
        if is_cached {
            setup.lost.cached = cached("sip:psap@127.0.0.1:5090", false);
        }
        let mut run = Run::new(setup);
        let mut wire = Wire::default();
        check(&run, &wire, lines);
        for act in acts {
            play(&mut run, &mut wire, act);
            check(&run, &wire, lines);
        }
        // Whatever happened: while nobody answered, nobody rings and nobody ended it, another INVITE leaves in time.
        let is_open = matches!(run.call.state(), CallState::Locating | CallState::Routing | CallState::Calling { .. } | CallState::Exhausted { .. });
        if is_open {
            let before = run.invites.len();
            run.advance(Duration::from_secs(60));
            prop_assert!(run.invites.len() > before, "no INVITE in a minute from {:?}", run.call.state());
        }
    }
}
