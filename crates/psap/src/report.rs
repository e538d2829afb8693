//! What is known about one call, as the call-taker's screen and `/calls/{id}` show it.

use core::time::Duration;

use hearthline_media::Statistics;
use serde::Serialize;

use crate::data_block::DataBlock;
use crate::fact::Fact;
use crate::moment::{MOMENTS_MAX, Moment, What};
use crate::place::Place;

/// Where a call stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CallState {
    /// The INVITE came.
    Arrived,
    /// 180 was sent.
    Ringing,
    /// 200 was sent.
    Answered,
    /// The ACK came: both ends know.
    Confirmed,
    /// Over.
    Ended,
}

/// Who took a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AnsweredBy {
    /// A person at the console.
    Person,
    /// The behaviour, with the machine's voice.
    Machine,
}

/// One call.
#[derive(Clone, Debug, Serialize)]
pub struct CallReport {
    /// Counts from 1.
    pub id: u32,
    /// The SIP Call-ID, which the caller's own record names too.
    pub call_id: String,
    /// Where it stands.
    pub state: CallState,
    /// The service asked for.
    pub service: Option<String>,
    /// Whether it is marked as a drill everywhere.
    pub drill: bool,
    /// Where to call back.
    pub callback: Option<String>,
    /// By which transport it came.
    pub transport: String,
    /// Milliseconds since the call-taker's epoch.
    pub arrived_ms: u64,
    /// From the INVITE to our 200.
    pub answered_after_ms: Option<u64>,
    /// From the INVITE to the caller's first RTP packet.
    pub first_audio_after_ms: Option<u64>,
    /// From the INVITE to the end.
    pub ended_after_ms: Option<u64>,
    /// Who or what ended it, in words.
    pub ended_by: Option<String>,
    /// Digits that the caller pressed.
    pub digits: String,
    /// Checked things; those about the audio come when the call ends.
    pub facts: Vec<Fact>,
    /// The audio in numbers.
    pub media: Option<MediaReport>,
    /// Where the caller's audio was written, if it was.
    pub recording: Option<String>,
    /// Whether that file is whole and may be played.
    pub recorded: bool,
    /// Who took it.
    pub answered_by: Option<AnsweredBy>,
    /// The machine takes it so long after the INVITE unless a person has; none: no person is waited for.
    pub machine_answers_after_ms: Option<u64>,
    /// Where the caller says to be.
    pub place: Option<Place>,
    /// What the caller's device adds.
    pub data: Vec<DataBlock>,
    /// What happened, in order.
    pub timeline: Vec<Moment>,
}

impl CallReport {
    /// Whether every fact so far is as it should be.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.facts.iter().all(|fact| fact.ok)
    }

    pub(crate) fn note(&mut self, after_ms: u64, what: What) {
        if self.timeline.len() < MOMENTS_MAX {
            self.timeline.push(Moment { after_ms, what });
        }
    }

    /// The fact of this name.
    #[must_use]
    pub fn fact(&self, name: &str) -> Option<&Fact> {
        self.facts.iter().find(|fact| fact.name == name)
    }
}

/// What counts as sound: the loudest 100 ms have at least this root mean square, 56 dB below full scale. Well above what
/// G.711 makes of silence (8 at most), well below a voice.
pub const HEARD_RMS_MIN: f32 = 50.0;
/// 100 ms.
const BLOCK_SAMPLES: u32 = 1_600;

/// The audio of a call in numbers.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct MediaReport {
    /// RTP packets to the caller.
    pub sent_packets: u64,
    /// RTP packets of the caller.
    pub received_packets: u64,
    /// The caller's packets that never came.
    pub lost: i64,
    /// The caller's packets that came too late.
    pub late: u64,
    /// Interarrival jitter (RFC 3550) in milliseconds.
    pub jitter_ms: f32,
    /// Heard audio that was invented, in milliseconds.
    pub concealed_ms: u64,
    /// Round trip by RTCP in milliseconds.
    pub rtt_ms: Option<f32>,
    /// Root mean square of what was heard, 0 to 32767.
    pub heard_rms: f32,
    /// The same of its loudest 100 ms.
    pub loudest_rms: f32,
    /// Length of what was heard in milliseconds.
    pub heard_ms: u64,
    /// Packets refused for any reason.
    pub refused_packets: u64,
}

impl MediaReport {
    pub(crate) fn new(statistics: &Statistics, loudness: &Loudness) -> Self {
        let refusals = &statistics.refusals;
        Self {
            sent_packets: statistics.sent_packets,
            received_packets: statistics.received_packets,
            lost: statistics.lost,
            late: statistics.late,
            jitter_ms: statistics.jitter_ms,
            concealed_ms: statistics.concealed_ms,
            rtt_ms: statistics.rtt_ms,
            heard_rms: loudness.rms(),
            loudest_rms: loudness.loudest_rms(),
            heard_ms: loudness.samples / 16,
            refused_packets: refusals.malformed
                + refusals.payload_type
                + refusals.foreign_source
                + refusals.suspect_sequence
                + refusals.suspect_timestamp
                + refusals.duplicate
                + refusals.looped
                + refusals.malformed_event,
        }
    }

    /// What the audio says about the call: that it came, without pause, and both ways.
    pub(crate) fn facts(&self, talked: Duration) -> Vec<Fact> {
        let packets = self.received_packets;
        // The first 100 ms and the last are the network's; nine packets in ten are not.
        let expected = talked
            .saturating_sub(Duration::from_millis(200))
            .as_millis() as u64
            / 20;
        let there = packets.saturating_add_signed(self.lost.max(0));
        vec![
            Fact::of(
                packets > 0,
                "audio-arrived",
                "RFC 6881 ED-70",
                format!(
                    "{packets} packets, {} lost, jitter {:.1} ms",
                    self.lost, self.jitter_ms
                ),
            ),
            Fact::of(
                packets > 0 && there * 10 >= expected * 9,
                "audio-continuous",
                "RFC 6881 ED-73, invariant 5",
                format!(
                    "{there} of {expected} packets sent, {} ms concealed",
                    self.concealed_ms
                ),
            ),
            Fact::of(
                self.loudest_rms >= HEARD_RMS_MIN,
                "audio-heard",
                "invariant 5",
                format!(
                    "root mean square {:.0} over {} ms, {:.0} in the loudest 100 ms ({HEARD_RMS_MIN} and more is sound)",
                    self.heard_rms, self.heard_ms, self.loudest_rms
                ),
            ),
        ]
    }
}

/// How loud what was heard is, 16 kHz.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Loudness {
    energy: f64,
    samples: u64,
    block_energy: f64,
    block_samples: u32,
    loudest: f64,
}

impl Loudness {
    pub(crate) fn add(&mut self, samples: &[i16]) {
        for &sample in samples {
            let energy = f64::from(sample).powi(2);
            self.energy += energy;
            self.block_energy += energy;
            self.block_samples += 1;
            if self.block_samples == BLOCK_SAMPLES {
                self.loudest = self.loudest.max(self.block_energy);
                (self.block_energy, self.block_samples) = (0.0, 0);
            }
        }
        self.samples += samples.len() as u64;
    }

    fn rms(&self) -> f32 {
        (self.energy / self.samples.max(1) as f64).sqrt() as f32
    }

    fn loudest_rms(&self) -> f32 {
        (self.loudest / f64::from(BLOCK_SAMPLES)).sqrt() as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_noise_of_a_codec_is_not_a_room_and_a_word_in_silence_is() {
        let mut silence = Loudness::default();
        silence.add(&[8; 160_000]);
        assert!(silence.rms() >= 1.0 && silence.loudest_rms() < HEARD_RMS_MIN);
        // A tenth of a second of speech in a minute.
        let mut word = Loudness::default();
        word.add(&[0; 960_000]);
        word.add(&[2_000; 3_200]);
        assert!(word.loudest_rms() >= HEARD_RMS_MIN, "{word:?}");
    }
}
