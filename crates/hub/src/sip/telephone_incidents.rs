//! Incidents of telephones that report none: a call for help dialled on one leaves a row, as a speaker's own report does.
//!
//! Also of a telephone that never registered and gave no password: who called is then a claim, and is called so.
//! Such a telephone keeps no record and has no bundle. What stands in its place is the SHA-256 of what the call's row
//! says: who called, and when it began, was answered and ended. Each report adds to the one before.

use std::fmt::Write as _;

use crate::call::{Call, CallState, Direction};
use crate::clock::UnixMs;
use crate::device::{DeviceKind, Fingerprint};
use crate::incident::{IncidentOutcome, IncidentReport, IncidentSource};
use crate::store::{Store, StoreError};

/// Notes what has become of the calls for help among these; those that a store in trouble did not take, and what the
/// trouble is. A call never waits for it.
pub(super) async fn note(
    store: &dyn Store,
    calls: &[Call],
    now: UnixMs,
) -> (Vec<Call>, Option<StoreError>) {
    let (mut kept, mut trouble) = (Vec::new(), None);
    for call in calls {
        if !call.emergency || call.direction != Direction::Outgoing {
            continue;
        }
        match note_one(store, call, now).await {
            Ok(()) => {}
            Err(error) if error.is_about_the_request() => {
                tracing::error!(%error, "the incident of a telephone was not stored");
            }
            Err(error) => {
                kept.push(call.clone());
                trouble = trouble.or(Some(error));
            }
        }
    }
    (kept, trouble)
}

async fn note_one(store: &dyn Store, call: &Call, now: UnixMs) -> Result<(), StoreError> {
    // Of whom nothing is proven is a telephone: our own devices prove who they are, and report themselves.
    if let Some(device) = call.device
        && store.device(device).await?.kind != DeviceKind::SipPhone
    {
        return Ok(());
    }
    let source = IncidentSource::Telephone {
        call: call.id,
        device: call.device,
        claimed: call.claimed_device,
    };
    let Some(report) = report_of(call) else {
        return Ok(());
    };
    store.report_incident(source, &report, now).await.map(drop)
}

/// `None`: it cannot be numbered, before 1970 or after 2106.
fn report_of(call: &Call) -> Option<IncidentReport> {
    let answered = call.answered_at_ms;
    let outcome = match (call.state, answered, call.line) {
        (CallState::Confirmed | CallState::Ended, ..) | (_, Some(_), _) => {
            IncidentOutcome::Answered
        }
        (CallState::Early, ..) => IncidentOutcome::Open,
        // No line of the home carries drills: the telephone was told so at once.
        (CallState::Missed, None, None) => IncidentOutcome::NotCalled,
        (CallState::Missed, None, Some(_)) => IncidentOutcome::Unanswered,
    };
    let mut said = format!("call {}\nbegan {}\n", call.id, call.started_at_ms.0);
    let times = [("answered", answered), ("ended", call.ended_at_ms)];
    for (what, at) in times {
        if let Some(at) = at {
            // Into memory: it cannot fail.
            let _ = writeln!(said, "{what} {}", at.0);
        }
    }
    Some(IncidentReport {
        number: u32::try_from(call.started_at_ms.seconds()).ok()?,
        opened_at_ms: call.started_at_ms,
        drill: true,
        outcome,
        entries: said.lines().count().try_into().ok()?,
        bundle_sha256: Fingerprint::of(said.as_bytes()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{CallId, LineId};

    #[test]
    fn each_report_adds_to_the_one_before() {
        let (id, began) = (CallId::random().unwrap(), UnixMs(1_800_000_000_500));
        let mut call = Call {
            emergency: true,
            ..Call::beginning(id, Direction::Outgoing, began)
        };
        let open = report_of(&call).unwrap();
        assert_eq!((open.entries, open.outcome), (2, IncidentOutcome::Open));
        assert_eq!(open.number, 1_800_000_000);
        // The line is known a moment later: the same report.
        call.line = Some(LineId::random().unwrap());
        assert_eq!(report_of(&call).unwrap(), open);
        let mut missed = call.clone();
        (missed.state, missed.ended_at_ms) = (CallState::Missed, Some(UnixMs(1_800_000_003_000)));
        let missed = report_of(&missed).unwrap();
        assert_eq!(
            (missed.entries, missed.outcome),
            (3, IncidentOutcome::Unanswered)
        );
        (call.state, call.answered_at_ms) = (CallState::Confirmed, Some(UnixMs(1_800_000_002_000)));
        let answered = report_of(&call).unwrap();
        (call.state, call.ended_at_ms) = (CallState::Ended, Some(UnixMs(1_800_000_009_000)));
        let ended = report_of(&call).unwrap();
        assert_eq!((answered.entries, ended.entries), (3, 4));
        assert_eq!(ended.outcome, IncidentOutcome::Answered);
        assert_ne!(answered.bundle_sha256, ended.bundle_sha256);
    }
}
