//! The record: every transition of the device becomes an entry of its ledger.
//!
//! Recording never fails a call: an entry that cannot be made is counted and told, an entry that is not durable in time is
//! named by a later `late` entry (DESIGN invariant 3, reference ledger.md 3.3.3).
mod last;

use core::time::Duration;
use std::collections::{BTreeMap, VecDeque};

use hearthline_ledger::{
    AudioChunk, Body, Capture, Committer, Decision, DecisionMode, Durability, End, Human,
    IncidentId, Intent, KeyId, Late, Log, LogError, Outcome, Private, Reading, Recovery,
    SALT_BYTES, Setup, Speech, Stamp, Stream, Transcript, Wake,
};
use hearthline_sip::tokens::Tokens;
use hearthline_voice::clock::{SAMPLE_RATE, SampleIndex};
use hearthline_voice::listen::{CandidateConfig, Heard};
use hearthline_voice::understand::judge::{Understanding, Verdict};
use hearthline_voice::wake::WakeConfig;
use last::Interaction;

/// Something the adapter must keep.
#[derive(Debug)]
pub enum Keep {
    /// Append these bytes to the log file, sync it, then report `seq` by `Device::handle(Input::Durable)`.
    Entry {
        /// Sequence number; none for a checkpoint.
        seq: Option<u64>,
        /// Bytes, in the log's own framing.
        bytes: Vec<u8>,
    },
    /// Keep this chunk of committed audio, with its salt, beside the log.
    Audio {
        /// The incident it belongs to.
        incident: IncidentId,
        /// Salt and samples.
        chunk: AudioChunk,
    },
}

/// The ledger of one device, and what must be written.
pub struct Recorder {
    log: Log,
    durability: Durability,
    incident: Option<IncidentId>,
    /// The interaction under way, and the last that has ended.
    current: Interaction,
    last: Option<Interaction>,
    random: Tokens,
    wall_ms_at_zero: u64,
    keep: VecDeque<Keep>,
    refused_entries: u64,
}

impl Recorder {
    /// Goes on with the stored log, or starts one from no bytes.
    ///
    /// # Errors
    /// [`LogError`]: the stored log is damaged beyond a torn end. Keep its bytes and start a new segment.
    pub fn open(
        stored: &[u8],
        setup: Setup,
        random: Tokens,
        wall_ms_at_zero: u64,
        now: Duration,
    ) -> Result<(Self, Recovery), LogError> {
        let stamp = stamp(now, wall_ms_at_zero, None);
        let (log, recovery) = Log::recover(stored, setup, stamp)?;
        let mut this = Self {
            log,
            durability: Durability::new(),
            incident: None,
            current: Interaction::default(),
            last: None,
            random,
            wall_ms_at_zero,
            keep: VecDeque::new(),
            refused_entries: 0,
        };
        for append in &recovery.writes {
            this.durability.appended(append.seq, now);
            this.keep.push_back(Keep::Entry {
                seq: Some(append.seq),
                bytes: append.bytes.clone(),
            });
        }
        this.checkpoint(now);
        Ok((this, recovery))
    }

    /// The name of this device: its key's.
    #[must_use]
    pub fn key_id(&self) -> KeyId {
        self.log.key_id()
    }

    /// The log, for exporting.
    #[must_use]
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// Entries that could not be made; each is our bug or a limit.
    #[must_use]
    pub fn refused_entries(&self) -> u64 {
        self.refused_entries
    }

    /// The incident under way.
    #[must_use]
    pub fn incident(&self) -> Option<&IncidentId> {
        self.incident.as_ref()
    }

    /// A new incident, named at random. Every wake word begins one, so that also a call that was not made can be shown.
    pub fn begin_incident(&mut self) {
        let name: String = self.random.next_bytes()[..8]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        self.incident = name.parse().ok();
        self.current = Interaction::default();
    }

    /// The interaction under way asks about the one before, which stays the last: what was heard, and why it was done.
    pub(crate) fn explain(&mut self) -> Option<&Interaction> {
        self.current.explains = true;
        self.last.as_ref()
    }

    /// Closes the incident: end entry, checkpoint, new epoch key.
    pub fn end_incident(
        &mut self,
        outcome: &str,
        reason: &str,
        call: Option<Duration>,
        now: Duration,
    ) {
        let call_ms = call.map(|call| u64::try_from(call.as_millis()).unwrap_or(u64::MAX));
        self.write(
            End {
                outcome: outcome.into(),
                reason: reason.into(),
                call_ms,
            },
            None,
            now,
        );
        self.checkpoint(now);
        let seed = self.random.next_bytes();
        if self.log.epoch_due(now) {
            match self
                .log
                .rotate_epoch(&seed, stamp(now, self.wall_ms_at_zero, None))
            {
                Ok(head) => self.keep.push_back(Keep::Entry {
                    seq: None,
                    bytes: head.bytes,
                }),
                Err(_) => self.refused_entries += 1,
            }
        }
        self.incident = None;
        let ended = core::mem::take(&mut self.current);
        if !ended.explains {
            self.last = Some(ended);
        }
    }

    /// Writes one entry.
    pub fn write(&mut self, body: impl Into<Body>, sample: Option<u64>, now: Duration) {
        let stamp = stamp(now, self.wall_ms_at_zero, sample);
        let body = body.into();
        let kept = Interaction::wants(&body).then(|| body.clone());
        match self.log.append(body, stamp, self.incident.as_ref(), false) {
            Ok(append) => {
                if let Some(body) = kept {
                    self.remember(body, now);
                }
                self.durability.appended(append.seq, now);
                self.keep.push_back(Keep::Entry {
                    seq: Some(append.seq),
                    bytes: append.bytes,
                });
            }
            Err(_) => self.refused_entries += 1,
        }
    }

    /// For questions about what was done. An answer of another system may come when the interaction has ended.
    fn remember(&mut self, body: Body, now: Duration) {
        if self.incident.is_none() {
            if let Some(last) = &mut self.last {
                last.take(body);
            }
            return;
        }
        if self.current.is_empty() {
            self.current = Interaction {
                explains: self.current.explains,
                ..Interaction::begun(now)
            };
        }
        self.current.take(body);
    }

    /// The wake word.
    pub fn wake(&mut self, wake: &hearthline_voice::wake::Wake, now: Duration) {
        // The ear's own settings: no household changes them yet. A threshold below the first one says that the word was
        // doubtful and that the recogniser found it at the head of the sentence.
        let sure = WakeConfig::default();
        let threshold = if sure.is_sure(wake) {
            sure.cutoff
        } else {
            CandidateConfig::default().cutoff
        };
        let body = Wake {
            keyword: wake.keyword.clone(),
            score: f64::from(wake.score),
            threshold,
            at_sample: wake.at.0,
        };
        self.write(body, Some(wake.at.0), now);
    }

    /// What was heard and what it was taken for.
    pub fn heard(&mut self, heard: &Heard, now: Duration) {
        let understanding = &heard.understanding;
        let readings = understanding
            .transcript
            .alternatives
            .iter()
            .take(8)
            .map(|other| Reading {
                text: Private(other.text.clone()),
                log_prob: finite(other.log_prob),
            })
            .collect();
        let transcript = Transcript {
            text: Private(understanding.transcript.text.clone()),
            first_sample: heard.start.0,
            end_sample: heard.speech_end.0,
            model: "moonshine tiny-en".into(),
            readings,
        };
        self.write(transcript, Some(heard.decided.0), now);
        let evidence = &understanding.evidence;
        let mut figures = BTreeMap::new();
        figures.insert("mass_nats".to_owned(), finite(evidence.mass.order));
        figures.insert(
            "contrary_hard_nats".to_owned(),
            finite(evidence.contrary.hard),
        );
        figures.insert(
            "contrary_other_nats".to_owned(),
            finite(evidence.contrary.other),
        );
        figures.insert("accept_nats".to_owned(), finite(evidence.point.accept_nats));
        figures.insert("ask_nats".to_owned(), finite(evidence.point.ask_nats));
        let (name, slots) = intent_of(&understanding.verdict);
        let slots = slots
            .into_iter()
            .map(|(slot, value)| (slot, Private(value)))
            .collect();
        let intent = Intent {
            name,
            rule: rule_of(understanding),
            slots,
            evidence: figures,
        };
        self.write(intent, Some(heard.decided.0), now);
    }

    /// Commits the sound of an utterance, with the pre-roll before it where there is one.
    pub fn sound(
        &mut self,
        heard: &Heard,
        pre_roll: Option<(SampleIndex, Vec<i16>)>,
        now: Duration,
    ) {
        let Some(incident) = self.incident.clone() else {
            return;
        };
        let (first, mut before) = pre_roll
            .filter(|(first, _)| *first <= heard.start)
            .unwrap_or((heard.start, Vec::new()));
        before.truncate(usize::try_from(heard.start.since(first)).unwrap_or(0));
        // A pre-roll that ends before the utterance begins would leave a hole: then the utterance stands alone.
        if before.len() as u64 != heard.start.since(first) {
            before.clear();
        }
        let first = heard.start.minus(before.len() as u64);
        let mut committer = Committer::new(Stream::microphone(), SAMPLE_RATE, first.0);
        let random = &mut self.random;
        let mut chunks = committer.push(&before, || salt(random));
        chunks.extend(committer.push(&heard.sound, || salt(random)));
        chunks.extend(committer.finish(salt(random)));
        if chunks.is_empty() {
            return;
        }
        let body = Capture {
            stream: Stream::microphone(),
            rate_hz: SAMPLE_RATE,
            chunks: chunks.iter().map(AudioChunk::commitment).collect(),
        };
        self.write(body, Some(heard.decided.0), now);
        self.keep
            .extend(chunks.into_iter().map(|chunk| Keep::Audio {
                incident: incident.clone(),
                chunk,
            }));
    }

    /// A decision and its reason.
    pub fn decision(
        &mut self,
        outcome: Outcome,
        mode: DecisionMode,
        reason: &str,
        call: Option<(&str, Duration)>,
        now: Duration,
    ) {
        let body = Decision {
            outcome,
            mode,
            reason: reason.into(),
            service: call.map(|(service, _)| service.to_owned()),
            window_ms: call
                .map(|(_, window)| u64::try_from(window.as_millis()).unwrap_or(u64::MAX)),
        };
        self.write(body, None, now);
    }

    /// Something a person did.
    pub fn human(&mut self, action: &str, by: &str, effect: &str, now: Duration) {
        self.write(
            Human {
                action: action.into(),
                by: by.into(),
                effect: Some(effect.into()),
            },
            None,
            now,
        );
    }

    /// Words of the device.
    pub fn speech(&mut self, text: &str, now: Duration) {
        self.write(
            Speech {
                text: Private(text.to_owned()),
            },
            None,
            now,
        );
    }

    /// The adapter has written and synced the entry.
    pub fn durable(&mut self, seq: u64, now: Duration) {
        let late = self.durability.durable(seq, now);
        self.name_late(late, now);
    }

    /// Takes the passing of time: late entries, checkpoints that are due.
    pub fn handle_timeout(&mut self, now: Duration) {
        let late = self.durability.overdue(now);
        self.name_late(late, now);
        if self.log.poll_timeout() <= now {
            self.checkpoint(now);
        }
    }

    /// When [`Recorder::handle_timeout`] is due.
    #[must_use]
    pub fn poll_timeout(&self) -> Duration {
        let checkpoint = self.log.poll_timeout();
        self.durability
            .poll_timeout()
            .map_or(checkpoint, |durable| durable.min(checkpoint))
    }

    /// What the adapter must keep next.
    pub fn poll_keep(&mut self) -> Option<Keep> {
        self.keep.pop_front()
    }

    fn name_late(&mut self, entries: Vec<u64>, now: Duration) {
        if !entries.is_empty() {
            let limit_ms =
                u64::try_from(hearthline_ledger::DURABLE_WITHIN.as_millis()).unwrap_or(u64::MAX);
            // Not followed up itself: a dead disk would make such entries breed.
            match self.log.append(
                Late { entries, limit_ms },
                stamp(now, self.wall_ms_at_zero, None),
                self.incident.as_ref(),
                false,
            ) {
                Ok(append) => self.keep.push_back(Keep::Entry {
                    seq: None,
                    bytes: append.bytes,
                }),
                Err(_) => self.refused_entries += 1,
            }
        }
    }

    fn checkpoint(&mut self, now: Duration) {
        match self.log.checkpoint(stamp(now, self.wall_ms_at_zero, None)) {
            Ok(head) => self.keep.push_back(Keep::Entry {
                seq: None,
                bytes: head.bytes,
            }),
            Err(_) => self.refused_entries += 1,
        }
    }
}

/// The rule that fired; of an everyday sentence with the template that read it.
fn rule_of(understanding: &Understanding) -> String {
    let rule = understanding.evidence.rule.name();
    match &understanding.verdict {
        Verdict::Meant(meant) => format!("{rule}: {}", meant.template),
        _ => rule.into(),
    }
}

/// Name and slots of a verdict, as the record and `hearth hear --json` show them.
#[must_use]
pub fn intent_of(verdict: &Verdict) -> (String, BTreeMap<String, String>) {
    let mut slots = BTreeMap::new();
    let mut slot = |name: &str, value: &str| {
        slots.insert(name.to_owned(), value.to_owned());
    };
    let name = match verdict {
        Verdict::Emergency { service, quiet } => {
            slot("service", service.urn());
            if *quiet {
                slot("quiet", "yes");
            }
            "EmergencyCall".to_owned()
        }
        Verdict::Ask { service, .. } => {
            slot("service", service.urn());
            "EmergencyPerhaps".to_owned()
        }
        Verdict::Refused { class, service } => {
            slot("class", class.name());
            if let Some(service) = service {
                slot("service", service.urn());
            }
            "EmergencyRefused".to_owned()
        }
        Verdict::Reply(reply) => {
            slot("reply", &format!("{reply:?}").to_lowercase());
            "Reply".to_owned()
        }
        Verdict::HangUpEmergency => "HangUpEmergency".to_owned(),
        Verdict::Act(intent) => {
            for (name, value) in &intent.slots {
                slot(name, value);
            }
            intent.name.clone()
        }
        Verdict::Meant(meant) => {
            for filled in &meant.slots {
                slot(&filled.name, &filled.value.spoken());
            }
            meant.intent.clone()
        }
        Verdict::Which(_) => "Which".to_owned(),
        Verdict::Other | Verdict::Nothing => "None".to_owned(),
    };
    (name, slots)
}

fn stamp(now: Duration, wall_ms_at_zero: u64, sample: Option<u64>) -> Stamp {
    let wall_ms = wall_ms_at_zero + u64::try_from(now.as_millis()).unwrap_or(0);
    Stamp {
        sample,
        wall_ms: Some(wall_ms),
        ..Stamp::at(now)
    }
}

fn salt(random: &mut Tokens) -> [u8; SALT_BYTES] {
    random.next_bytes()
}

/// JSON has no infinity: minus infinity, "not at all", is written as the smallest mass ever compared.
fn finite(nats: f32) -> f64 {
    if nats.is_finite() {
        f64::from(nats)
    } else {
        -1_000.0
    }
}
