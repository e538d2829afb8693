//! Replay window (RFC 3711 §3.3.2): each index once, and none that is too old to tell.

use super::SrtpError;

/// Packets that a late one may be behind: 2.5 s of a call, beyond what the jitter buffer takes.
const WINDOW: u64 = 128;

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ReplayWindow {
    newest: Option<u64>,
    /// Bit n: `newest - n` was seen.
    seen: u128,
}

impl ReplayWindow {
    /// The highest index that was authentic.
    pub(super) fn newest(&self) -> Option<u64> {
        self.newest
    }

    /// Whether the index may still come.
    pub(super) fn check(&self, index: u64) -> Result<(), SrtpError> {
        let Some(newest) = self.newest else {
            return Ok(());
        };
        match newest.checked_sub(index) {
            None => Ok(()),
            Some(behind) if behind >= WINDOW => Err(SrtpError::TooOld),
            Some(behind) if self.seen >> behind & 1 == 1 => Err(SrtpError::Replayed),
            Some(_) => Ok(()),
        }
    }

    /// An index that was checked and authentic.
    pub(super) fn insert(&mut self, index: u64) {
        match self.newest {
            Some(newest) if index <= newest => {
                if newest - index < WINDOW {
                    self.seen |= 1 << (newest - index);
                }
            }
            Some(newest) => {
                let ahead = index - newest;
                self.seen = if ahead < WINDOW {
                    self.seen << ahead
                } else {
                    0
                } | 1;
                self.newest = Some(index);
            }
            None => (self.newest, self.seen) = (Some(index), 1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_once_within_the_window() {
        let mut window = ReplayWindow::default();
        for index in [10, 12, 11, 200, 199] {
            assert_eq!(window.check(index), Ok(()), "{index}");
            window.insert(index);
            assert_eq!(window.check(index), Err(SrtpError::Replayed), "{index}");
        }
        assert_eq!(window.check(72), Err(SrtpError::TooOld));
        assert_eq!(window.check(73), Ok(()));
        assert_eq!(window.newest(), Some(200));
    }
}
