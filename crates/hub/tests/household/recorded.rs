//! The bundle of an incident as a speaker exports it, with sound.
use std::time::Duration;

use hearthline_ledger::{
    BootId, Call, CallEvent, Capture, Committer, Decision, DecisionMode, End, ExportRequest,
    IdentityKey, IncidentId, Intent, Log, Note, Outcome, SALT_BYTES, Setup, Stamp, Stream, Time,
    Transcript, Wake, cosign,
};

const RATE_HZ: u32 = 16_000;

/// A witness: its name in its keys, and its secret.
pub const WITNESS: (&str, [u8; 32]) = ("witness.example/w", [77; 32]);

/// `hostile` stands where a person's words stand. Another `seed` is another device.
pub fn bundle(seed: u8, opened_ms: u64, hostile: &str) -> Vec<u8> {
    exported(seed, opened_ms, hostile, false)
}

/// The same, seen by [`WITNESS`] before and after.
pub fn witnessed(seed: u8, opened_ms: u64) -> Vec<u8> {
    exported(seed, opened_ms, "call nine one one", true)
}

/// What [`WITNESS`] says of a checkpoint.
fn cosigned(note: &[u8], at_ms: u64) -> Vec<u8> {
    let mut note = Note::parse(note).unwrap();
    let (name, secret) = WITNESS;
    let line = cosign(&note, name, &secret, at_ms.div_ceil(1_000)).unwrap();
    note.add_signature(line).unwrap();
    note.to_bytes()
}

fn exported(seed: u8, opened_ms: u64, hostile: &str, witnessed: bool) -> Vec<u8> {
    let stamp = |ms: u64| Stamp {
        now: Duration::from_millis(ms),
        sample: Some(ms * 16),
        wall_ms: Some(opened_ms + ms),
    };
    let setup = Setup {
        origin: format!("hearthline.local/device/{seed}"),
        identity: IdentityKey::from_secret(&[seed; 32]),
        epoch_seed: [seed.wrapping_add(100); 32],
        previous_epoch_seed: None,
        boot: BootId([seed; 16]),
        software: "hearth 0.1.0".to_owned(),
        firmware: None,
        previous_segment: None,
    };
    let (mut log, writes) = Log::create(setup, stamp(0)).unwrap();
    let mut stored: Vec<u8> = writes.into_iter().flat_map(|write| write.bytes).collect();
    let head = log.checkpoint(stamp(0)).unwrap();
    stored.extend(head.bytes);
    if witnessed {
        let answer = cosigned(&head.note, opened_ms);
        let time = Time {
            source: "witness".into(),
            wall_ms: opened_ms,
            uncertainty_ms: None,
            step_ms: None,
            cosigned: Some(String::from_utf8(answer).unwrap()),
        };
        let written = log.append(time, stamp(1), None, false).unwrap();
        stored.extend(written.bytes);
        stored.extend(log.checkpoint(stamp(2)).unwrap().bytes);
    }
    let incident: IncidentId = format!("{seed:016x}").parse().unwrap();
    // Silence, a word, silence, a sentence, silence.
    let loud = |at: usize| (16_000..24_000).contains(&at) || (28_000..56_000).contains(&at);
    let sound = (0..72_000).map(|at| {
        let height = if loud(at) { 9_000 } else { 120 };
        (((at * 7_919) % 20_011) as i32 * 2 * height / 20_011 - height) as i16
    });
    let mut committer = Committer::new(Stream::microphone(), RATE_HZ, 0);
    let mut salt = 0_u8;
    let mut audio = committer.push(&sound.collect::<Vec<_>>(), || {
        salt = salt.wrapping_add(1);
        [salt; SALT_BYTES]
    });
    audio.extend(committer.finish([200; SALT_BYTES]));
    let mut bodies: Vec<(u64, hearthline_ledger::Body)> = Vec::new();
    for chunk in &audio {
        let capture = Capture {
            stream: chunk.stream.clone(),
            rate_hz: RATE_HZ,
            chunks: vec![chunk.commitment()],
        };
        bodies.push((100, capture.into()));
    }
    let wake = Wake {
        keyword: "alexa".into(),
        score: 0.98,
        threshold: 0.5,
        at_sample: 24_000,
    };
    let transcript = Transcript {
        text: hostile.into(),
        first_sample: 28_000,
        end_sample: 56_000,
        model: "moonshine tiny-en".into(),
        readings: Vec::new(),
    };
    let evidence = [
        ("mass_nats", -1.2),
        ("accept_nats", -4.0),
        ("ask_nats", -9.0),
    ];
    let intent = Intent {
        name: "emergency".into(),
        rule: "imperative-number".into(),
        slots: [("number".to_owned(), "911".into())].into(),
        evidence: evidence
            .map(|(name, value)| (name.to_owned(), value))
            .into(),
    };
    let decision = Decision {
        outcome: Outcome::Emergency,
        mode: DecisionMode::Announced,
        reason: "imperative-number".into(),
        service: Some("urn:service:sos".into()),
        window_ms: Some(5_000),
    };
    let call = |event, line: &str, status| Call {
        event,
        call_id: format!("{line}@device.invalid"),
        line: line.into(),
        status,
        reason: None,
        peer: Some("urn:service:sos".into()),
    };
    let end = End {
        outcome: "answered".into(),
        reason: "call-taker".into(),
        call_ms: Some(61_000),
    };
    bodies.push((1_500, wake.into()));
    bodies.push((3_600, transcript.into()));
    bodies.push((3_610, intent.into()));
    bodies.push((3_620, decision.into()));
    bodies.push((8_630, call(CallEvent::Invite, "landline", None).into()));
    bodies.push((8_900, call(CallEvent::Failed, "landline", Some(486)).into()));
    bodies.push((8_910, call(CallEvent::Invite, "modem", None).into()));
    bodies.push((10_400, call(CallEvent::Answered, "modem", Some(200)).into()));
    bodies.push((71_400, end.into()));
    for (ms, body) in bodies {
        let written = log.append(body, stamp(ms), Some(&incident), false).unwrap();
        stored.extend(written.bytes);
    }
    let head = log.checkpoint(stamp(71_500)).unwrap();
    stored.extend(head.bytes);
    let seen = witnessed.then(|| cosigned(&head.note, opened_ms + 72_000));
    let seen: Vec<Vec<u8>> = seen.into_iter().collect();
    let request = ExportRequest {
        incident: &incident,
        audio: &audio,
        cosigned: &seen,
        exported_ms: Some(opened_ms + 99_000),
    };
    log.export(&stored, &request).unwrap().bytes
}
