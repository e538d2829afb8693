//! Sound and words of another system: what is heard here and handed on to it, and what it gives to be played.
//!
//! What it gives is no more ours than a message of somebody: it gives way to whoever says our name, to our own words and to
//! calls, and an order to call for help that may have come out of it is asked back (DESIGN invariant 1).
use core::time::Duration;
use std::collections::VecDeque;

use hearthline_voice::clock::samples_of_ms;
use hearthline_voice::listen::Heard;

use super::super::{Device, Output};
use crate::messages::{Part, TellId};
use crate::skill::{By, Engaged, Reply};

/// Pieces that wait to be played.
const WAITING_MAX: usize = 8;
/// How long one may wait for the room.
const WAIT_MAX: Duration = Duration::from_secs(60);
/// The ids of pieces begin here, far above those of messages.
const FIRST_TELL: u64 = 1 << 63;
/// Longest time from a doubtful wake word to its confirmation: the longest utterance and the pause behind it.
const LATE_MAX: Duration = Duration::from_secs(20);
/// Sound before the end of the wake word that is handed on: the first sound of the sentence may touch it.
const LEAD_MS: u32 = 200;

struct Piece {
    skill: usize,
    token: u64,
    parts: Vec<Part>,
    until: Duration,
}

/// What is relayed.
#[derive(Default)]
pub(in crate::device) struct Relayed {
    waiting: VecDeque<Piece>,
    playing: Option<(usize, u64, TellId)>,
    last: u64,
    /// When the last piece ended.
    ended: Option<Duration>,
    /// The sentence behind the wake word, while it is being done.
    utterance: Vec<i16>,
}

impl Relayed {
    /// Whether a piece sounds, or did so shortly before.
    pub(in crate::device) fn sounded_lately(&self, now: Duration) -> bool {
        self.playing.is_some() || self.ended.is_some_and(|at| now < at + LATE_MAX)
    }
}

impl Device {
    /// Keeps the sound of a sentence while it is being done, for whoever takes what nobody here does.
    pub(in crate::device) fn hold_utterance(&mut self, heard: &Heard) {
        self.skills.relayed.utterance.clear();
        if !self.skills.list.iter().any(|skill| skill.wants_sound()) {
            return;
        }
        let Some(wake) = &heard.wake else { return };
        let from = wake.at.minus(samples_of_ms(LEAD_MS)).since(heard.start);
        let from = usize::try_from(from).unwrap_or(usize::MAX);
        if let Some(sound) = heard.sound.get(from..) {
            self.skills.relayed.utterance.extend_from_slice(sound);
        }
    }

    /// The sentence is done.
    pub(in crate::device) fn forget_utterance(&mut self) {
        self.skills.relayed.utterance = Vec::new();
    }

    /// Nobody here takes the sentence that was just heard: whether a skill hands it on, and what is said.
    pub(super) fn overheard(&mut self, now: Duration) -> Option<String> {
        let sound = core::mem::take(&mut self.skills.relayed.utterance);
        if sound.is_empty() {
            return None;
        }
        for at in 0..self.skills.list.len() {
            let reply = self.skills.list[at].overhear(&sound, now);
            if reply != Reply::Other {
                return self.replied(at, reply, None, By::Person, now);
            }
        }
        None
    }

    /// A skill wants this to be played.
    pub(super) fn relay(&mut self, skill: usize, token: u64, parts: Vec<Part>, now: Duration) {
        let piece = Piece {
            skill,
            token,
            parts,
            until: now + WAIT_MAX,
        };
        if self.skills.relayed.waiting.len() < WAITING_MAX {
            self.skills.relayed.waiting.push_back(piece);
        } else {
            self.skills.list[skill].played(token, false, now);
        }
    }

    /// Plays the next piece once nobody is engaged; true when something happened.
    pub(super) fn drain_relayed(&mut self, now: Duration) -> bool {
        if self.skills.engaged >= Engaged::OnCall {
            self.hush_relayed(now);
        }
        if self.skills.relayed.playing.is_some() {
            return false;
        }
        let free = self.skills.engaged == Engaged::Free
            && self.speech_until.is_none_or(|until| now >= until);
        let Some(piece) = self.skills.relayed.waiting.front() else {
            return false;
        };
        let late = piece.until <= now;
        if !free && !late {
            return false;
        }
        let Some(piece) = self.skills.relayed.waiting.pop_front() else {
            return false;
        };
        if late {
            self.skills.list[piece.skill].played(piece.token, false, now);
            return true;
        }
        self.skills.relayed.last += 1;
        let id = TellId(FIRST_TELL + self.skills.relayed.last);
        self.skills.relayed.playing = Some((piece.skill, piece.token, id));
        let parts = piece.parts;
        self.outputs.push_back(Output::Tell { id, parts });
        true
    }

    /// What was told is over: true when it was a piece.
    pub(in crate::device) fn told_relayed(&mut self, id: TellId, now: Duration) -> bool {
        if let Some((skill, token, _)) =
            (self.skills.relayed.playing).take_if(|(.., playing)| *playing == id)
        {
            self.skills.relayed.ended = Some(now);
            self.skills.list[skill].played(token, true, now);
        }
        id.0 > FIRST_TELL
    }

    /// Something else is to be heard.
    pub(in crate::device) fn hush_relayed(&mut self, now: Duration) {
        if let Some((skill, token, _)) = self.skills.relayed.playing.take() {
            self.skills.relayed.ended = Some(now);
            self.outputs.push_back(Output::Hush);
            self.skills.list[skill].played(token, false, now);
        }
    }
}
