//! What music keeps for the next start: where it was, and when it is to end.
use hearthline_speaker::skill::Deed;
use serde::{Deserialize, Serialize};

use super::MusicSkill;
use crate::order::{Doing, Duck, Order, Piece, QUEUE_TRACKS_MAX, Repeat};
use crate::track::Player;

/// Largest file that is read back, in bytes.
const KEPT_BYTES_MAX: usize = 4 * 1_024 * 1_024;

/// The file.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Kept {
    player: Player,
    queue: Vec<Piece>,
    at: usize,
    position_ms: u64,
    shuffle: bool,
    repeat: Repeat,
    percent: Option<u8>,
    sleep_wall_ms: Option<u64>,
    /// A player of another program is soft for somebody who speaks.
    soft: bool,
}

impl MusicSkill {
    pub(super) fn keep(&mut self) {
        let kept = Kept {
            player: self.player,
            queue: self.queue.clone(),
            at: self.state.at,
            position_ms: self.position_ms(),
            shuffle: self.shuffle,
            repeat: self.repeat,
            percent: Some(self.percent),
            sleep_wall_ms: self.sleep_wall_ms,
            soft: self.duck != Duck::Full,
        };
        self.tokens += 1;
        let token = self.tokens;
        match serde_json::to_vec(&kept) {
            Ok(bytes) => self.deeds.push_back(Deed::Keep { token, bytes }),
            Err(error) => self.deeds.push_back(Deed::Step(format!("music: {error}"))),
        }
    }

    /// Takes up the last run. Nothing begins to play by itself: a power cut must not wake a house. A sleep timer goes on,
    /// since another program may play on meanwhile.
    pub(super) fn restore(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        let read = (bytes.len() <= KEPT_BYTES_MAX)
            .then(|| serde_json::from_slice::<Kept>(bytes).ok())
            .flatten();
        let Some(mut kept) = read else {
            let what = "music: what was kept of the last run is damaged; it begins anew";
            self.deeds.push_back(Deed::Step(what.into()));
            return;
        };
        kept.queue.truncate(QUEUE_TRACKS_MAX);
        self.player = kept.player;
        self.state.at = kept.at.min(kept.queue.len().saturating_sub(1));
        self.state.position_ms = kept.position_ms;
        if let Some(piece) = kept.queue.get(self.state.at) {
            self.state.title.clone_from(&piece.title);
            self.state.artist.clone_from(&piece.artist);
            self.state.album.clone_from(&piece.album);
        }
        self.queue = kept.queue;
        self.state.doing = Doing::Stopped;
        self.shuffle = kept.shuffle;
        self.repeat = kept.repeat;
        self.percent = kept.percent.unwrap_or(100).min(100);
        self.sleep_wall_ms = kept.sleep_wall_ms;
        if kept.soft && self.player != Player::Own {
            // It would stay soft for good: nobody else knows how loud it was.
            let percent = self.percent;
            self.order(Order::Volume { percent });
        }
    }
}
