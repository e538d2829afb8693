//! Steps in the words of somebody who looks at the page, not of the record: no names of the program, lines by their names.
use std::collections::BTreeMap;

use hearthline_emergency::call::EventKind;
use hearthline_speaker::device::Step;

use crate::timeline;

/// What of earlier steps later ones speak of.
#[derive(Debug, Default)]
pub(super) struct Plain {
    lines: BTreeMap<usize, String>,
}

impl Plain {
    /// What kind of step it is, and its words; none for steps that a person need not see.
    pub(super) fn words(&mut self, step: &Step) -> Option<(&'static str, String)> {
        let (word, text) = timeline::words(step)?;
        let plain = match step {
            Step::Wake { keyword, .. } => format!("“{keyword}”"),
            Step::Heard {
                transcript,
                intent: (name, slots),
                ..
            } => {
                let named = slots.iter().map(|(name, value)| {
                    let value = service(value).unwrap_or(value);
                    format!("{}: {value}", name.replace('_', " "))
                });
                let mut parts: Vec<String> = [understood(name)].into_iter().chain(named).collect();
                parts.retain(|part| !part.is_empty());
                format!("“{}”: {}", transcript.trim(), parts.join(", "))
            }
            Step::Decided {
                decision,
                reason,
                service: wanted,
            } => {
                let what = decided(decision);
                let wanted = wanted.as_deref().and_then(service);
                let wanted = wanted.map_or_else(String::new, |name| format!(" ({name})"));
                format!("{what}{wanted}: {reason}")
            }
            Step::Call { what, .. } => self.call(what).unwrap_or(text),
            Step::Said { text } => format!("“{text}”"),
            Step::Media { what } => sound(what),
            _ => text,
        };
        Some((word, plain))
    }

    fn call(&mut self, what: &EventKind) -> Option<String> {
        if let EventKind::Invited { line, name, .. } = what {
            self.lines.insert(*line, name.clone());
        }
        let over = |line: &usize| {
            let known = self.lines.get(line).cloned();
            known.unwrap_or_else(|| format!("line number {}", line + 1))
        };
        Some(match what {
            EventKind::Invited { line, reason, .. } => {
                format!("Calls over {}: {reason}", over(line))
            }
            EventKind::Progressed { line, status, .. } => match status {
                100 => format!("{} has taken the call on", over(line)),
                180..=189 => format!("It rings at {}", over(line)),
                other => format!("{} says {other}", over(line)),
            },
            EventKind::Answered { line, .. } => {
                format!("A call-taker has answered at {}", over(line))
            }
            EventKind::Failed { line, reason, .. } => format!("{} failed: {reason}", over(line)),
            EventKind::GaveWay { line, reason, .. } => {
                format!("{} gives way to the next line: {reason}", over(line))
            }
            _ => return None,
        })
    }
}

/// What was understood.
fn understood(intent: &str) -> String {
    match intent {
        "EmergencyCall" => "an order to call for help".to_owned(),
        "EmergencyPerhaps" => "perhaps an order to call for help".to_owned(),
        "EmergencyRefused" => "words about help, but no order to call".to_owned(),
        "HangUpEmergency" => "the call for help is to end".to_owned(),
        "Reply" => String::new(),
        "Which" => "it may mean several things".to_owned(),
        "None" => "nothing that I know".to_owned(),
        "Words" => "an answer, or words for what sounds".to_owned(),
        name => in_words(name),
    }
}

/// What became of the other side's sound.
fn sound(what: &str) -> String {
    match what {
        "FirstPacketReceived" => "The other side is heard".to_owned(),
        "MediaLost" => "The other side is not heard any more".to_owned(),
        "MediaResumed" => "The other side is heard again".to_owned(),
        "PeerLeft" => "The other side has ended its sound".to_owned(),
        other if other.chars().all(char::is_alphanumeric) => in_words(other),
        other => other.to_owned(),
    }
}

/// "HassTurnOn": "turn on".
fn in_words(name: &str) -> String {
    let bare = name.strip_prefix("Hass").or(name.strip_prefix("Hearth"));
    let mut words = String::new();
    for letter in bare.filter(|bare| !bare.is_empty()).unwrap_or(name).chars() {
        if letter.is_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.extend(letter.to_lowercase());
    }
    words
}

fn decided(decision: &str) -> String {
    match decision {
        "emergency" => "Calls for help".to_owned(),
        "ask" => "Asks first".to_owned(),
        "act" => "Does it".to_owned(),
        "ignore" => "Lets it be".to_owned(),
        "refuse" => "Does not call".to_owned(),
        other => {
            let mut letters = other.chars();
            let first = letters
                .next()
                .map(|letter| letter.to_uppercase().to_string());
            first.unwrap_or_default() + letters.as_str()
        }
    }
}

/// A service of emergencies as people call it (RFC 5031).
fn service(urn: &str) -> Option<&'static str> {
    Some(match urn {
        "urn:service:sos" => "any emergency service",
        "urn:service:sos.police" => "police",
        "urn:service:sos.fire" => "fire brigade",
        "urn:service:sos.ambulance" => "ambulance",
        "urn:service:sos.mountain" => "mountain rescue",
        "urn:service:sos.marine" => "coast guard",
        "urn:service:sos.poison" => "poison centre",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_of_the_program_is_shown() {
        let mut plain = Plain::default();
        let slots = [("service".to_owned(), "urn:service:sos.fire".to_owned())];
        let heard = Step::Heard {
            transcript: " call the fire brigade".into(),
            intent: ("EmergencyCall".into(), slots.into()),
            speech_end_sample: 0,
            decided_sample: 0,
        };
        let decided = Step::Decided {
            decision: "emergency",
            reason: "wake word and an order to call an emergency service",
            service: Some("urn:service:sos.fire".into()),
        };
        let everyday = Step::Heard {
            transcript: "Turn on the lamp.".into(),
            intent: (
                "HassTurnOn".into(),
                [("name".to_owned(), "lamp".to_owned())].into(),
            ),
            speech_end_sample: 0,
            decided_sample: 0,
        };
        let all: Vec<String> = [heard, decided, everyday]
            .iter()
            .map(|step| plain.words(step).unwrap().1)
            .collect();
        assert_eq!(
            all,
            [
                "“call the fire brigade”: an order to call for help, service: fire brigade",
                "Calls for help (fire brigade): wake word and an order to call an emergency service",
                "“Turn on the lamp.”: turn on, name: lamp",
            ]
        );
    }

    #[test]
    fn sound_is_told_in_words() {
        for (what, told) in [
            ("PeerLeft", "The other side has ended its sound"),
            ("ClockDrifts", "clock drifts"),
            ("no key for it", "no key for it"),
        ] {
            let what = what.to_owned();
            let step = Step::Media { what };
            assert_eq!(Plain::default().words(&step).unwrap().1, told);
        }
    }

    #[test]
    fn a_line_is_called_by_its_name_once_it_was_told() {
        let mut plain = Plain::default();
        let failed = EventKind::Failed {
            attempt: hearthline_emergency::call::AttemptId(1),
            line: 0,
            reason: "busy".into(),
        };
        assert_eq!(plain.call(&failed).unwrap(), "line number 1 failed: busy");
        let invited = EventKind::Invited {
            attempt: hearthline_emergency::call::AttemptId(1),
            line: 0,
            name: "Landline".into(),
            content: hearthline_emergency::invite::Content::Full,
            reason: "the first line".into(),
        };
        assert_eq!(
            plain.call(&invited).unwrap(),
            "Calls over Landline: the first line"
        );
        assert_eq!(plain.call(&failed).unwrap(), "Landline failed: busy");
    }
}
