//! The timeline: what the device did, one line a step, for a person at a terminal.
use std::time::Duration;

use hearthline_emergency::call::EventKind;
use hearthline_speaker::device::Step;
use hearthline_speaker::io::run::When;

/// One line for a step; none for steps that a person need not see.
pub(crate) fn line(step: &Step, when: When) -> Option<String> {
    let (word, text) = words(step)?;
    Some(format!("{:>8.2} s  {word:<9} {text}", seconds(when)))
}

/// What kind of step it is, and its text; none for steps that a person need not see.
pub(crate) fn words(step: &Step) -> Option<(&'static str, String)> {
    Some(match step {
        Step::Wake { keyword, score, .. } => ("wake", format!("\"{keyword}\", score {score:.2}")),
        Step::Heard {
            transcript,
            intent: (name, slots),
            ..
        } => {
            let slots: Vec<String> = slots
                .iter()
                .map(|(name, value)| format!(" {name}={value}"))
                .collect();
            (
                "heard",
                format!("\"{transcript}\" -> {name}{}", slots.concat()),
            )
        }
        Step::Decided {
            decision,
            reason,
            service,
        } => {
            let service = service
                .as_ref()
                .map_or_else(String::new, |service| format!(" {service}"));
            (
                "decision",
                format!("{}{service}: {reason}", decision.to_uppercase()),
            )
        }
        Step::Call {
            what: EventKind::Began | EventKind::Located { .. },
            ..
        } => return None,
        Step::Call { what, .. } => ("call", what.to_string()),
        Step::Carried { over } => ("call", format!("the call goes over {over}")),
        Step::Telephone { what } => ("telephone", what.clone()),
        Step::Skill { what } => ("skill", what.clone()),
        Step::Media { what } => ("sound", what.clone()),
        Step::Said { text } => ("says", format!("\"{text}\"")),
        Step::Ended { outcome } => ("end", (*outcome).to_owned()),
        Step::Trouble { what } => ("trouble", what.clone()),
    })
}

/// Seconds since the microphone's first sample.
pub(crate) fn seconds(when: When) -> f64 {
    when.now
        .saturating_sub(when.microphone_zero.unwrap_or(Duration::ZERO))
        .as_secs_f64()
}
