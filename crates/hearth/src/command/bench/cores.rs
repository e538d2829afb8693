//! What the pure cores cost.
use std::hint::black_box;
use std::time::Duration;

use hearthline_ledger::{
    AudioChunk, BootId, Call, CallEvent, Capture, Committer, Decision, DecisionMode, End,
    ExportRequest, Human, IdentityKey, IncidentId, Log, Outcome, SALT_BYTES, Setup, Stamp, Stream,
    TrustPolicy, verify,
};
use hearthline_media::{Codec, FRAME_SAMPLES, Output, Session, SessionConfig};
use hearthline_sip::{Limits, parse_datagram};
use hearthline_voice::understand::{Country, read};

use super::Row;
use super::meter::{micros, percentile, processor_of};

/// All rows.
pub(super) fn rows() -> Vec<Row> {
    let mut rows = sentences();
    rows.extend(ledger());
    rows.extend(sip());
    rows.extend(media());
    if let Ok(found) = std::env::current_exe().and_then(std::fs::metadata) {
        rows.push(Row::new(
            "this program's file",
            found.len() as f64 / 1e6,
            Some(40.0),
            "MB",
            1,
        ));
    }
    rows
}

const SENTENCES: [&str; 16] = [
    "call 911",
    "please call the police right now",
    "can you call an ambulance",
    "did you call the sheriff",
    "I told him to call nine one one",
    "my neighbor said that I should call the police if it happens again",
    "set a timer for five minutes",
    "turn off the lights in the living room",
    "what is the weather like tomorrow in the mountains",
    "remind me to call the fire department about the permit on Monday",
    "play the song nine one one",
    "help me I need an ambulance",
    "call mom",
    "don't call the police",
    "stop",
    "where were you on nine eleven",
];

/// A speaker of this version has no household entities yet.
fn sentences() -> Vec<Row> {
    let mut took = micros(4_000, |turn| {
        black_box(read(
            black_box(SENTENCES[turn % SENTENCES.len()]),
            Country::UnitedStates,
        ));
    });
    took.iter_mut().for_each(|us| *us /= 1e3);
    let count = took.len();
    vec![
        Row::new(
            "understand one sentence, p50 (wall)",
            percentile(&mut took, 50),
            None,
            "ms",
            count,
        ),
        Row::new(
            "understand one sentence, p95 (wall)",
            percentile(&mut took, 95),
            Some(1.0),
            "ms",
            count,
        ),
    ]
}

fn stamp(ms: u64) -> Stamp {
    Stamp {
        now: Duration::from_millis(ms),
        sample: Some(ms * 16),
        wall_ms: Some(1_795_356_000_000 + ms),
    }
}

fn ledger() -> Vec<Row> {
    let mut rows = Vec::new();
    let (mut log, _) = new_log();
    let mut ms = 0;
    let mut took = micros(2_000, |_| {
        ms += 1;
        let human = Human {
            action: "yes".into(),
            by: "speech".into(),
            effect: None,
        };
        log.append(human, stamp(ms), None, false)
            .expect("the entry is short");
    });
    rows.push(Row::new(
        "ledger: append an entry, p95 (wall, no disk)",
        percentile(&mut took, 95),
        None,
        "µs",
        took.len(),
    ));
    let mut took = micros(500, |_| {
        black_box(log.checkpoint(stamp(ms)).expect("the log is whole"));
    });
    rows.push(Row::new(
        "ledger: sign a checkpoint, p95 (wall)",
        percentile(&mut took, 95),
        None,
        "µs",
        took.len(),
    ));
    let bundle = bundle(60);
    let policy = TrustPolicy::none();
    let mut took = micros(10, |_| {
        black_box(verify(black_box(&bundle), &policy));
    });
    took.iter_mut().for_each(|us| *us /= 1e6);
    rows.push(Row::new(
        "verify a bundle with 60 s of sound, p95 (wall)",
        percentile(&mut took, 95),
        Some(2.0),
        "s",
        took.len(),
    ));
    rows
}

fn new_log() -> (Log, Vec<u8>) {
    let setup = Setup {
        origin: "bench.invalid/device".into(),
        identity: IdentityKey::from_secret(&[1; 32]),
        epoch_seed: [2; 32],
        previous_epoch_seed: None,
        boot: BootId([3; 16]),
        software: "hearth bench".into(),
        firmware: None,
        previous_segment: None,
    };
    let (log, writes) = Log::create(setup, stamp(0)).expect("the setup is valid");
    (
        log,
        writes.into_iter().flat_map(|write| write.bytes).collect(),
    )
}

/// A bundle of one drill with `seconds` of sound.
fn bundle(seconds: usize) -> Vec<u8> {
    let (mut log, mut stored) = new_log();
    stored.extend(log.checkpoint(stamp(1)).expect("the log is whole").bytes);
    let incident: IncidentId = "bench-1".parse().expect("a valid id");
    let mut committer = Committer::new(Stream::microphone(), 16_000, 0);
    let sound: Vec<i16> = (0..seconds * 16_000)
        .map(|n| ((n * 7_919) % 20_011) as i16 - 10_000)
        .collect();
    let mut audio: Vec<AudioChunk> = committer.push(&sound, || [5; SALT_BYTES]);
    audio.extend(committer.finish([6; SALT_BYTES]));
    let mut add = |log: &mut Log, append: hearthline_ledger::Body| {
        stored.extend(
            log.append(append, stamp(2), Some(&incident), false)
                .expect("the entry is short")
                .bytes,
        );
    };
    for chunk in &audio {
        let chunks = vec![chunk.commitment()];
        add(
            &mut log,
            Capture {
                stream: chunk.stream.clone(),
                rate_hz: chunk.rate_hz,
                chunks,
            }
            .into(),
        );
    }
    let decision = Decision {
        outcome: Outcome::Emergency,
        mode: DecisionMode::Announced,
        reason: "bench".into(),
        service: Some("urn:service:sos".into()),
        window_ms: Some(5_000),
    };
    add(&mut log, decision.into());
    let call = Call {
        event: CallEvent::Answered,
        call_id: "bench@device.invalid".into(),
        line: "drill".into(),
        status: Some(200),
        reason: None,
        peer: Some("urn:service:sos".into()),
    };
    add(&mut log, call.into());
    add(
        &mut log,
        End {
            outcome: "answered".into(),
            reason: "call-taker".into(),
            call_ms: Some(1_000),
        }
        .into(),
    );
    stored.extend(log.checkpoint(stamp(3)).expect("the log is whole").bytes);
    let request = ExportRequest {
        incident: &incident,
        audio: &audio,
        cosigned: &[],
        exported_ms: None,
    };
    log.export(&stored, &request)
        .expect("the incident is closed")
        .bytes
}

const INVITE: &[u8] = b"INVITE urn:service:sos SIP/2.0\r\n\
    Via: SIP/2.0/UDP device.example.com:5060;branch=z9hG4bK776asdhds;rport\r\n\
    Max-Forwards: 70\r\n\
    To: <urn:service:sos>\r\n\
    From: \"Kitchen\" <sip:kitchen@home.example.com>;tag=1928301774\r\n\
    Call-ID: a84b4c76e66710@device.example.com\r\n\
    CSeq: 314159 INVITE\r\n\
    Contact: <sip:kitchen@device.example.com:5060>\r\n\
    Geolocation: <cid:location@device.example.com>\r\n\
    Geolocation-Routing: yes\r\n\
    Content-Type: application/sdp\r\n\
    Content-Length: 87\r\n\r\n\
    v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n";

fn sip() -> Vec<Row> {
    let limits = Limits::default();
    let mut took = micros(20_000, |_| {
        black_box(parse_datagram(black_box(INVITE), &limits).expect("our own INVITE"));
    });
    vec![Row::new(
        "SIP: parse an INVITE, p95 (wall)",
        percentile(&mut took, 95),
        None,
        "µs",
        took.len(),
    )]
}

/// Both ends of a call, so half of it is ours.
fn media() -> Vec<Row> {
    const SECONDS: usize = 60;
    let frame: Vec<i16> = (0..FRAME_SAMPLES)
        .map(|n| ((n as f32 * 0.07).sin() * 9_000.0) as i16)
        .collect();
    [Codec::Pcmu, Codec::G722]
        .into_iter()
        .map(|codec| {
            let mut ends = [1, 2].map(|seed| {
                Session::new(SessionConfig::new(codec, seed)).expect("a static payload type")
            });
            let mut now = Duration::ZERO;
            let mut speak = |seconds: usize| {
                for _ in 0..seconds * 50 {
                    now += Duration::from_millis(20);
                    for from in 0..2 {
                        ends[from].handle_microphone(&frame, now);
                        loop {
                            match ends[from].poll_output(now) {
                                Output::Rtp(packet) => ends[1 - from].handle_rtp(&packet, now),
                                Output::Timeout(_) => break,
                                other => drop(black_box(other)),
                            }
                        }
                    }
                }
            };
            speak(5);
            let ((), spent) = processor_of(|| speak(SECONDS));
            let each = spent.as_secs_f64() * 1e3 / SECONDS as f64 / 2.0;
            Row::new(
                format!("media: a second of call, {}", codec.encoding_name()),
                each,
                None,
                "ms",
                SECONDS,
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bundle_that_is_measured_is_a_good_one() {
        let report = verify(&bundle(2), &TrustPolicy::none());
        assert_eq!(
            report.exit,
            hearthline_ledger::Exit::Unwitnessed,
            "{report}"
        );
    }

    #[test]
    fn the_invite_that_is_measured_is_read_whole() {
        let message = parse_datagram(INVITE, &Limits::default()).unwrap();
        assert_eq!(message.body().len(), 87);
    }
}
