//! A registration kept alive (RFC 3261 section 10, RFC 5626 section 4.5 for the pauses).

use core::time::Duration;

use crate::tokens::Tokens;

/// Wanted life and pauses of a registration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RegistrationConfig {
    /// Asked of the registrar, seconds.
    pub expires_s: u32,
    /// First pause after a failure; doubles.
    pub pause_base: Duration,
    /// Longest pause.
    pub pause_max: Duration,
}

impl Default for RegistrationConfig {
    fn default() -> Self {
        Self {
            expires_s: 3_600,
            pause_base: Duration::from_secs(30),
            pause_max: Duration::from_secs(1_800),
        }
    }
}

/// Most times that a 423 raises the interval before it counts as a refusal.
pub const RAISES_MAX: u32 = 3;
/// No registrar's answer makes us come back sooner than this.
pub const REFRESH_MIN: Duration = Duration::from_secs(5);

/// Where a registration stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RegistrationState {
    /// A REGISTER is out.
    Registering,
    /// It stands.
    Registered,
    /// It does not stand; the next attempt comes after a pause.
    Waiting,
    /// A REGISTER with `Expires: 0` is out.
    Unregistering,
    /// Over.
    Ended,
}

/// What to do after an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RegistrationStep {
    /// It stands for this long.
    Stands(Duration),
    /// It is taken back.
    TakenBack,
    /// Ask again at once, with the raised interval (423).
    Again,
    /// It failed; the next attempt is at this time, `None`: never.
    Failed(Option<Duration>),
}

/// The machine: it holds no message, only says when to send REGISTER and with what Expires.
#[derive(Debug, Clone)]
pub struct Registration {
    config: RegistrationConfig,
    state: RegistrationState,
    expires_s: u32,
    raises: u32,
    failures: u32,
    act_at: Option<Duration>,
    /// The binding at the registrar ends.
    expire_at: Option<Duration>,
}

impl Registration {
    /// Starts in `Registering`; the caller sends the first REGISTER itself.
    pub fn new(config: RegistrationConfig) -> Self {
        Self {
            config,
            state: RegistrationState::Registering,
            expires_s: config.expires_s,
            raises: 0,
            failures: 0,
            act_at: None,
            expire_at: None,
        }
    }

    /// Where it stands.
    pub fn state(&self) -> RegistrationState {
        self.state
    }

    /// Value of Expires for the next REGISTER, seconds.
    pub fn expires_s(&self) -> u32 {
        if self.state == RegistrationState::Unregistering {
            0
        } else {
            self.expires_s
        }
    }

    /// A 2xx came that grants `granted_s` (of our contact, else of Expires, else as asked).
    pub fn handle_success(&mut self, granted_s: u32, now: Duration) -> RegistrationStep {
        if self.state == RegistrationState::Unregistering {
            return self.end();
        }
        self.failures = 0;
        self.raises = 0;
        self.state = RegistrationState::Registered;
        let granted = Duration::from_secs(u64::from(granted_s));
        // Before the end by a tenth, at least 5 s, so that a lost datagram does not cost it.
        let early = (granted / 10).max(Duration::from_secs(5));
        self.act_at = Some(now.saturating_add(granted.saturating_sub(early).max(REFRESH_MIN)));
        self.expire_at = Some(now.saturating_add(granted));
        RegistrationStep::Stands(granted)
    }

    /// 423 (Interval Too Brief) with this Min-Expires (section 10.3 step 7).
    pub fn handle_too_brief(
        &mut self,
        min_expires_s: u32,
        tokens: &mut Tokens,
        now: Duration,
    ) -> RegistrationStep {
        self.raises += 1;
        if self.raises > RAISES_MAX || min_expires_s <= self.expires_s {
            return self.handle_failure(None, tokens, now);
        }
        self.expires_s = min_expires_s;
        RegistrationStep::Again
    }

    /// Any other failure; `retry_after`: what the registrar asked for.
    pub fn handle_failure(
        &mut self,
        retry_after: Option<Duration>,
        tokens: &mut Tokens,
        now: Duration,
    ) -> RegistrationStep {
        if self.state == RegistrationState::Unregistering {
            return self.end();
        }
        // Half to full pause, so that a house full of speakers does not come back in one second.
        let pause = self
            .config
            .pause_base
            .saturating_mul(1 << self.failures.min(16))
            .min(self.config.pause_max);
        let millis = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX) / 2;
        let pause = Duration::from_millis(millis.saturating_add(tokens.below(millis + 1)));
        let pause = pause.max(retry_after.unwrap_or_default());
        self.failures = self.failures.saturating_add(1);
        self.raises = 0;
        self.state = RegistrationState::Waiting;
        let at = now.saturating_add(pause);
        self.act_at = Some(at);
        RegistrationStep::Failed(Some(at))
    }

    /// A refusal that no repetition can mend (403 and the like): no further attempt.
    pub fn handle_refusal(&mut self) -> RegistrationStep {
        match self.end() {
            RegistrationStep::TakenBack => RegistrationStep::Failed(None),
            step => step,
        }
    }

    /// Takes it back; the caller sends REGISTER with `Expires: 0`.
    pub fn unregister(&mut self) {
        self.state = RegistrationState::Unregistering;
        self.act_at = None;
        self.expire_at = None;
    }

    /// Out of turn; the caller sends REGISTER.
    pub fn again(&mut self) {
        self.state = RegistrationState::Registering;
        self.act_at = None;
    }

    /// Whether a REGISTER is to be sent now.
    pub fn handle_timeout(&mut self, now: Duration) -> bool {
        if self.act_at.is_some_and(|at| at <= now) {
            self.act_at = None;
            self.state = RegistrationState::Registering;
            return true;
        }
        false
    }

    /// When `handle_timeout` is due next.
    pub fn next_timeout(&self) -> Option<Duration> {
        self.act_at
    }

    /// Whether the registrar still holds the binding.
    pub fn stands(&self, now: Duration) -> bool {
        self.expire_at.is_some_and(|at| at > now)
    }

    fn end(&mut self) -> RegistrationStep {
        self.state = RegistrationState::Ended;
        self.act_at = None;
        self.expire_at = None;
        RegistrationStep::TakenBack
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_refreshes_before_the_end_and_raises_its_interval_when_asked() {
        let mut tokens = Tokens::from_seed([0; 32]);
        let now = Duration::ZERO;
        let mut registration = Registration::new(RegistrationConfig {
            expires_s: 60,
            ..RegistrationConfig::default()
        });
        assert_eq!(
            registration.handle_too_brief(600, &mut tokens, now),
            RegistrationStep::Again
        );
        assert_eq!(registration.expires_s(), 600);
        registration.handle_success(600, now);
        assert_eq!(registration.next_timeout(), Some(Duration::from_secs(540)));
        assert!(registration.handle_timeout(Duration::from_secs(540)));
        assert!(registration.stands(Duration::from_secs(599)));
        assert!(!registration.stands(Duration::from_secs(600)));
    }

    #[test]
    fn pauses_double_up_to_a_ceiling_and_honour_retry_after() {
        let mut tokens = Tokens::from_seed([0; 32]);
        let mut registration = Registration::new(RegistrationConfig::default());
        let mut last = Duration::ZERO;
        for round in 0..12_u32 {
            let RegistrationStep::Failed(Some(at)) =
                registration.handle_failure(None, &mut tokens, Duration::ZERO)
            else {
                panic!("a failure is retried");
            };
            let full = Duration::from_secs(30).saturating_mul(1 << round.min(6));
            let full = full.min(Duration::from_secs(1_800));
            assert!(at <= full && at >= full / 2, "round {round}: {at:?}");
            last = at;
        }
        assert!(last >= Duration::from_secs(900));
        let step = registration.handle_failure(
            Some(Duration::from_secs(9_999)),
            &mut tokens,
            Duration::ZERO,
        );
        assert_eq!(
            step,
            RegistrationStep::Failed(Some(Duration::from_secs(9_999)))
        );
    }
}
