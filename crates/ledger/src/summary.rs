//! The files of a bundle that people read. All of them are derived from the entries: the verifier
//! makes them again and compares, so that a bundle cannot tell a person something else than its entries do.

use crate::body::{Body, CallEvent, DecisionMode, Outcome};
use crate::entry::Entry;

/// Raised with every change of a text below; a verifier compares texts of its own version only.
pub(crate) const WORDING: u32 = 1;

/// What the texts name.
pub(crate) struct Facts<'a> {
    pub(crate) incident: &'a str,
    pub(crate) origin: &'a str,
    pub(crate) device: String,
    pub(crate) open: u64,
    pub(crate) close: u64,
    pub(crate) exported_ms: Option<u64>,
}

/// README.txt
pub(crate) fn readme(facts: &Facts<'_>) -> String {
    format!(
        "\
Incident {incident}
Log      {origin}
Device   {device}
Entries  {open} to {last} of the device's log
Exported {exported} (by the device's own clock)

WHAT THIS IS
A record that a smart speaker kept of one incident: what woke it, what it understood, what it
decided, what the network answered, and the sound around it.
Everything in this version of the product is a DRILL: no public emergency service was called.

HOW TO CHECK IT
  hearth verify incident-{incident}.zip --policy POLICY
No network is needed. POLICY is a text file of your own, with the key id from the card that was
printed when the device was enrolled (compare it with \"Device\" above), and the keys of the
witnesses that you trust:
  device {device}
  witness hub hub.example/witness+01234567+...
  quorum hub
Exit status: 0 intact and witnessed; 1 intact, but unwitnessed or without time bounds;
2 tampered; 3 cannot tell. Do not repack the file: the check covers each of its bytes.

WHAT IT PROVES, AND WHAT IT DOES NOT
(a) Order: this key signed these entries in this order, and none between the opening and the
    closing checkpoint was removed or changed. Provable offline, from this file alone.
(b) Time: they existed before one time and after another. Provable only within the bounds that
    witnesses signed; without witnesses the times are the device's own word.
(c) Device: that the key was in this very device is as certain as the enrolment and the storage of the key.
(d) Sound: that the microphone heard it, and not a cable or a loudspeaker before it, no software can
    prove. Compare the call-taker's own recording and the carrier's call records.

FILES
entries.jsonl        every entry between the checkpoints, as stored; entries that do not belong to
                     the incident only as their hash
audio/*.wav          sound whose hashes the entries hold; audio/salts.jsonl is needed to check them
log/open.note        checkpoint before the incident        log/close.note  checkpoint after it
frontier.txt         hashes of the log before the opening checkpoint
keys/enrolment.note  the device's identity key             keys/epochs.jsonl  the keys it vouches for
time/before.jsonl    the last time signed by a witness before the opening
summary.html         a timeline to read; made from the entries, no evidence itself
certification.txt    a statement about the process, for a qualified person to complete
manifest.note        digests of all other files, signed by the device
",
        incident = facts.incident,
        origin = facts.origin,
        device = facts.device,
        open = facts.open,
        last = facts.close - 1,
        exported = facts.exported_ms.map_or_else(|| "at a time not known".to_owned(), utc),
    )
}

/// certification.txt
pub(crate) fn certification(facts: &Facts<'_>) -> String {
    format!(
        "\
STATEMENT ABOUT A RECORD MADE BY AN ELECTRONIC PROCESS
(a form for a qualified person, in the manner of US Federal Rules of Evidence 902(13) and 902(14);
 not legal advice; nothing below is filled in by the device)

Record: incident {incident} of the log {origin}, entries {open} to {last}.
Device key id: {device}

The process: the device appends entries to a file as events happen. Each entry is hashed (SHA-256)
into a Merkle tree (RFC 6962). The device signs the root of the tree (Ed25519, C2SP checkpoint) at
each decision, call, answer and end, every 5 seconds in an incident and every 15 minutes otherwise.
Sound is recorded in chunks of one second; the hash of each, with a random salt, is an entry.
The copy: the bundle holds the entries byte for byte. Its digests are checked by `hearth verify`.

I, ______________________________, am qualified to make this statement because
____________________________________________________________________________________.
The record was produced by the process above, which produces an accurate result when it works as
described; I checked it on ____________ with version ____________ of the verifier, with the policy
____________________________, and the verifier reported exit status ____.
The enrolment of the device was confirmed by ______________________________________.

Signature ______________________________   Date ____________   Place ____________
",
        incident = facts.incident,
        origin = facts.origin,
        open = facts.open,
        last = facts.close - 1,
        device = facts.device,
    )
}

/// summary.html
pub(crate) fn html(facts: &Facts<'_>, entries: &[Entry], hidden: u64) -> String {
    let mut rows = String::new();
    for entry in entries {
        let wall = entry.wall_ms.map_or_else(|| "&ndash;".to_owned(), utc);
        rows.push_str(&format!(
            "<tr{}><td>{}</td><td>{}.{:03}</td><td>{wall}</td><td>{}</td><td>{}</td></tr>\n",
            if entry.incident.is_some() {
                ""
            } else {
                " class=\"other\""
            },
            entry.seq,
            entry.mono_ms / 1000,
            entry.mono_ms % 1000,
            escape(entry.body.kind()),
            escape(&describe(&entry.body)),
        ));
    }
    format!(
        "<!DOCTYPE html>
<html lang=\"en\">
<head>
<meta charset=\"utf-8\">
<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">
<title>Incident {incident}</title>
<style>
body {{ font: 16px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem; color: #1c1b1a; background: #fdfcfa }}
.drill {{ background: #ffe9a8; border: 1px solid #b58900; padding: .6rem 1rem }}
code {{ overflow-wrap: anywhere }}
table {{ border-collapse: collapse; width: 100% }}
th, td {{ text-align: left; vertical-align: top; padding: .3rem .6rem; border-bottom: 1px solid #ddd6cb }}
td:nth-child(-n+3) {{ font-variant-numeric: tabular-nums; white-space: nowrap }}
.other {{ color: #6b655c }}
</style>
</head>
<body>
<h1>Incident {incident}</h1>
<p class=\"drill\"><strong>Drill.</strong> No public emergency service was called.</p>
<p>This page was made from the entries and is no evidence itself. Check the bundle with <code>hearth verify</code>.</p>
<p>Log <code>{origin}</code><br>Device key id <code>{device}</code></p>
<table>
<thead><tr><th>Entry</th><th>Seconds since boot</th><th>Device&rsquo;s clock</th><th>Kind</th><th>What</th></tr></thead>
<tbody>
{rows}</tbody>
</table>
<p>{hidden} entries between the checkpoints do not belong to the incident; the bundle holds their hashes only.</p>
</body>
</html>
",
        incident = escape(facts.incident),
        origin = escape(facts.origin),
        device = facts.device,
    )
}

fn describe(body: &Body) -> String {
    let or_none = |text: &Option<String>| text.clone().unwrap_or_else(|| "none".to_owned());
    match body {
        Body::Boot(boot) => {
            let mut text = format!("started, {}", boot.software);
            if let Some(cut) = &boot.cut {
                text.push_str(&format!(
                    "; {} bytes at the end of the log were cut: {}",
                    cut.bytes, cut.why
                ));
            }
            if let Some(previous) = &boot.previous_segment {
                text.push_str(&format!(
                    "; follows the damaged log {}: {}",
                    previous.origin, previous.why
                ));
            }
            text
        }
        Body::Time(time) => match (time.step_ms, &time.cosigned) {
            (Some(step), _) => format!("clock moved by {step} ms, from {}", time.source),
            (None, Some(_)) => format!("time signed by a witness, {}", utc(time.wall_ms)),
            (None, None) => format!("{}, from {}", utc(time.wall_ms), time.source),
        },
        Body::Capture(capture) => {
            let samples: u64 = capture
                .chunks
                .iter()
                .map(|chunk| u64::from(chunk.samples))
                .sum();
            let seconds = samples as f64 / f64::from(capture.rate_hz.max(1));
            format!("{seconds:.2} s of {} committed", capture.stream)
        }
        Body::Wake(wake) => {
            format!(
                "heard \"{}\", score {:.3} (from {:.3})",
                wake.keyword, wake.score, wake.threshold
            )
        }
        Body::Transcript(transcript) => format!(
            "\u{201c}{}\u{201d} ({})",
            transcript.text.0, transcript.model
        ),
        Body::Intent(intent) => {
            let mut text = format!("{} by rule {}", intent.name, intent.rule);
            for (slot, value) in &intent.slots {
                text.push_str(&format!(", {slot} = {}", value.0));
            }
            for (name, figure) in &intent.evidence {
                text.push_str(&format!(", {name} {figure:.4}"));
            }
            text
        }
        Body::Decision(decision) => {
            let outcome = match decision.outcome {
                Outcome::Emergency => "EMERGENCY CALL",
                Outcome::Ask => "ask the person",
                Outcome::Act => "act",
                Outcome::Refuse => "refuse",
                Outcome::Ignore => "ignore",
                Outcome::Cancel => "cancelled before the call",
            };
            let mode = match decision.mode {
                DecisionMode::Announced => "announced",
                DecisionMode::Immediate => "immediate",
                DecisionMode::Quiet => "quiet",
            };
            format!(
                "{outcome}, {mode}, because {}; service {}",
                decision.reason,
                or_none(&decision.service)
            )
        }
        Body::Location(location) => match (&location.pidf_lo, &location.problem) {
            (Some(pidf), None) => format!("{}, PIDF-LO of {} bytes", location.source, pidf.0.len()),
            (_, problem) => format!("{}, {}", location.source, or_none(problem)),
        },
        Body::Route(route) => format!(
            "{} by {}, lines {}{}",
            route.service,
            route.source,
            route.lines.join(", "),
            route
                .problem
                .as_ref()
                .map_or(String::new(), |problem| format!("; {problem}"))
        ),
        Body::Telephone(call) => {
            let way = if call.incoming {
                "incoming"
            } else {
                "outgoing"
            };
            let status = call
                .status
                .map_or(String::new(), |status| format!(" {status}"));
            let reason = call
                .reason
                .as_ref()
                .map_or(String::new(), |reason| format!(", {reason}"));
            format!(
                "ordinary {way} call: {}{status}{reason}, Call-ID {}",
                call_event(call.event),
                call.call_id
            )
        }
        Body::Call(call) => {
            let event = call_event(call.event);
            let status = call
                .status
                .map_or(String::new(), |status| format!(" {status}"));
            let reason = call
                .reason
                .as_ref()
                .map_or(String::new(), |reason| format!(" {reason}"));
            format!(
                "{event}{status}{reason}, line {}, Call-ID {}",
                call.line, call.call_id
            )
        }
        Body::Media(media) => format!(
            "{}: {} packets sent, {} received, {} lost",
            media.codec, media.sent_packets, media.received_packets, media.lost_packets
        ),
        Body::Human(human) => format!(
            "{} by {}{}",
            human.action,
            human.by,
            human
                .effect
                .as_ref()
                .map_or(String::new(), |effect| format!(": {effect}"))
        ),
        Body::Speech(speech) => format!("the device said \u{201c}{}\u{201d}", speech.text.0),
        Body::Key(key) => format!("key of epoch {} ({})", key.epoch, key.reason),
        Body::Late(late) => {
            let entries: Vec<String> = late.entries.iter().map(u64::to_string).collect();
            format!(
                "not on disk within {} ms: entries {}",
                late.limit_ms,
                entries.join(", ")
            )
        }
        Body::Export(export) => format!(
            "bundle of {} bytes exported, SHA-256 {}",
            export.bytes, export.bundle
        ),
        Body::End(end) => format!(
            "{}, {}{}",
            end.outcome,
            end.reason,
            end.call_ms.map_or(String::new(), |ms| format!(
                ", call of {}.{:03} s",
                ms / 1000,
                ms % 1000
            ))
        ),
        Body::Unknown { .. } => "written by a later version; not understood by this one".to_owned(),
    }
}

/// Text that cannot become markup, nor turn the reading direction of what follows it.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                escaped.push('\u{fffd}');
            }
            other if other.is_control() => escaped.push('\u{fffd}'),
            other => escaped.push(other),
        }
    }
    escaped
}

/// `2026-11-22 14:02:13.000 UTC` from milliseconds since 1970-01-01 UTC (proleptic Gregorian).
pub(crate) fn utc(ms: u64) -> String {
    let (days, in_day) = (ms / 86_400_000, ms % 86_400_000);
    // Days are counted from 0000-03-01, so that the leap day is the last of its year.
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    let (seconds, millis) = (in_day / 1000, in_day % 1000);
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}.{millis:03} UTC")
}

fn call_event(event: CallEvent) -> &'static str {
    match event {
        CallEvent::Invite => "INVITE sent",
        CallEvent::Progress => "in progress",
        CallEvent::Answered => "ANSWERED",
        CallEvent::Failed => "failed",
        CallEvent::NextLine => "next line",
        CallEvent::Message => "message",
        CallEvent::Bye => "BYE",
    }
}

#[cfg(test)]
mod tests {
    use super::{escape, utc};

    #[test]
    fn writes_known_times() {
        assert_eq!(utc(0), "1970-01-01 00:00:00.000 UTC");
        assert_eq!(utc(951_782_400_000), "2000-02-29 00:00:00.000 UTC");
        assert_eq!(utc(1_795_356_133_007), "2026-11-22 14:02:13.007 UTC");
        assert!(!utc(u64::MAX).is_empty());
    }

    #[test]
    fn text_stays_text() {
        assert_eq!(
            escape("<script>&\"'\u{202e}\n"),
            "&lt;script&gt;&amp;&quot;&#39;\u{fffd}\u{fffd}"
        );
    }
}
