//! Session timers (RFC 4028): what is agreed, who refreshes, when a silent peer is given up.

use core::time::Duration;

pub use crate::values::Refresher;

/// The smallest Min-SE, 90 s (section 5).
pub const MIN_SE_S: u32 = 90;
/// The recommended session interval, 30 minutes (section 4).
pub const SESSION_EXPIRES_S: u32 = 1_800;

/// What this side wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionTimerConfig {
    /// Wanted session interval, seconds.
    pub interval_s: u32,
    /// Smallest interval accepted, seconds; at least [`MIN_SE_S`].
    pub min_se_s: u32,
    /// Who shall refresh; `None` leaves it to the server.
    pub refresher: Option<Refresher>,
}

impl Default for SessionTimerConfig {
    fn default() -> Self {
        Self {
            interval_s: SESSION_EXPIRES_S,
            min_se_s: MIN_SE_S,
            refresher: None,
        }
    }
}

/// What a request says about session timers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SessionAsk {
    /// `Supported: timer`.
    pub supported: bool,
    /// `Session-Expires`: seconds and refresher.
    pub expires: Option<(u32, Option<Refresher>)>,
    /// `Min-SE`, seconds.
    pub min_se_s: Option<u32>,
}

/// What the server answers (section 9).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionAnswer {
    /// No session timer.
    Off,
    /// 422 (Session Interval Too Small) with this Min-SE, seconds.
    TooSmall(u32),
    /// `Session-Expires` with this interval in seconds and refresher; `Require: timer` as well
    /// when the client refreshes.
    On(u32, Refresher),
}

/// The server's decision (section 9, table 2).
pub fn answer(ask: SessionAsk, config: Option<SessionTimerConfig>) -> SessionAnswer {
    let floor = config.map_or(MIN_SE_S, |config| config.min_se_s.max(MIN_SE_S));
    let Some((asked_s, refresher)) = ask.expires else {
        // The server may ask for one itself; without the client's support it refreshes alone.
        let Some(config) = config else {
            return SessionAnswer::Off;
        };
        let interval_s = config.interval_s.max(floor).max(ask.min_se_s.unwrap_or(0));
        let refresher = match config.refresher {
            Some(Refresher::Uac) if ask.supported => Refresher::Uac,
            _ => Refresher::Uas,
        };
        return SessionAnswer::On(interval_s, refresher);
    };
    if asked_s < floor && ask.supported {
        return SessionAnswer::TooSmall(floor);
    }
    // The server may only lower the interval, and not below the client's Min-SE.
    let lowest = ask.min_se_s.unwrap_or(MIN_SE_S).max(floor);
    let interval_s = config
        .map_or(asked_s, |config| config.interval_s.min(asked_s))
        .max(lowest.min(asked_s));
    let refresher = match refresher {
        Some(refresher) if ask.supported => refresher,
        None if ask.supported => config
            .and_then(|config| config.refresher)
            .unwrap_or(Refresher::Uac),
        _ => Refresher::Uas,
    };
    SessionAnswer::On(interval_s.max(MIN_SE_S.min(asked_s)), refresher)
}

/// What is due on a running session timer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionDue {
    /// Nothing.
    Nothing,
    /// Send a refresh (section 10).
    Refresh,
    /// Nobody refreshed in time: the session is stale (section 10).
    Expired,
}

/// An agreed session timer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionTimer {
    interval: Duration,
    refreshing: bool,
    refresh_at: Option<Duration>,
    expire_at: Option<Duration>,
}

impl SessionTimer {
    /// Starts at `now`; `refreshing`: this side sends the refreshes, at half the interval.
    pub fn start(interval_s: u32, refreshing: bool, now: Duration) -> Self {
        let interval = Duration::from_secs(u64::from(interval_s));
        let margin = Duration::from_secs(32).min(interval / 3);
        Self {
            interval,
            refreshing,
            refresh_at: refreshing.then(|| now.saturating_add(interval / 2)),
            expire_at: Some(now.saturating_add(interval.saturating_sub(margin))),
        }
    }

    /// The agreed interval.
    pub fn interval(&self) -> Duration {
        self.interval
    }

    /// Whether this side sends the refreshes.
    pub fn is_refreshing(&self) -> bool {
        self.refreshing
    }

    /// A refresh failed for a passing reason: another attempt after `pause`.
    pub fn retry(&mut self, pause: Duration, now: Duration) {
        if self.expire_at.is_some() {
            self.refresh_at = Some(now.saturating_add(pause));
        }
    }

    /// Does what is due; each thing is reported once.
    pub fn handle_timeout(&mut self, now: Duration) -> SessionDue {
        if self.expire_at.is_some_and(|at| at <= now) {
            self.expire_at = None;
            self.refresh_at = None;
            return SessionDue::Expired;
        }
        if self.refresh_at.is_some_and(|at| at <= now) {
            self.refresh_at = None;
            return SessionDue::Refresh;
        }
        SessionDue::Nothing
    }

    /// When `handle_timeout` is due next.
    pub fn next_timeout(&self) -> Option<Duration> {
        crate::transaction::earlier(self.refresh_at, self.expire_at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: fn(u64) -> Duration = Duration::from_secs;

    fn ask(expires: u32, refresher: Option<Refresher>, supported: bool) -> SessionAsk {
        SessionAsk {
            supported,
            expires: Some((expires, refresher)),
            min_se_s: None,
        }
    }

    #[test]
    fn too_small_is_refused_only_when_the_client_can_understand_it() {
        let config = Some(SessionTimerConfig {
            min_se_s: 120,
            ..SessionTimerConfig::default()
        });
        assert_eq!(
            answer(ask(100, None, true), config),
            SessionAnswer::TooSmall(120)
        );
        assert_eq!(
            answer(ask(100, None, false), config),
            SessionAnswer::On(100, Refresher::Uas)
        );
    }

    #[test]
    fn the_clients_choice_of_refresher_is_kept() {
        for refresher in [Refresher::Uac, Refresher::Uas] {
            assert_eq!(
                answer(ask(1_800, Some(refresher), true), None),
                SessionAnswer::On(1_800, refresher)
            );
        }
    }

    #[test]
    fn the_refresher_acts_at_half_time_the_other_gives_up_before_the_end() {
        let mut ours = SessionTimer::start(90, true, S(0));
        assert_eq!(ours.handle_timeout(S(45)), SessionDue::Refresh);
        assert_eq!(ours.next_timeout(), Some(S(60)));
        let mut theirs = SessionTimer::start(1_800, false, S(0));
        assert_eq!(theirs.next_timeout(), Some(S(1_768)));
        assert_eq!(theirs.handle_timeout(S(1_768)), SessionDue::Expired);
        assert_eq!(theirs.next_timeout(), None);
    }
}
