//! Whether lines work: registrations kept, questions asked (OPTIONS), failures of calls noted.

use std::time::Duration;

use hearthline_sip::endpoint::{
    FailureCause, QueryHandle, QueryRequest, RegisterRequest, RegistrationCause,
    RegistrationConfig, RegistrationHandle,
};
use hearthline_sip::{NameAddr, SipUri, StatusCode};

use super::trunk::Trunk;
use super::{Gateway, LineSetup, Output, Setup, help};
use crate::id::LineId;
use crate::line::{LineHealth, LineTrouble};

/// How long a registration is asked for, in seconds.
const REGISTRATION_S: u32 = 600;
/// First and longest pause after a registration that failed.
const PAUSES: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(300));
/// A refused account is tried again after so long: asking on would lock it.
const REFUSED_PAUSE: Duration = Duration::from_secs(3_600);

impl Gateway {
    /// Lines and contacts as they are now. A line that has not changed goes on as it is.
    pub(super) fn set_up(&mut self, setup: Setup, now: Duration) {
        let Setup {
            lines,
            book,
            helped,
        } = setup;
        self.book = book;
        for (line, device, until) in helped {
            self.note_helped(line, help::mark_of_device(device), Some(until));
        }
        let mut before = std::mem::take(&mut self.trunks);
        for line in lines {
            let known = before
                .iter()
                .position(|trunk| is_same(&trunk.setup, &line))
                .map(|at| before.swap_remove(at));
            let trunk = match known {
                Some(mut trunk) => {
                    trunk.setup = line;
                    trunk
                }
                None => Trunk::new(line, &self.config.secret),
            };
            self.trunks.push(trunk);
        }
        for gone in before {
            if let Some(registration) = gone.registration {
                // A line that was taken away; whether its server hears of it does not matter.
                let _ = self.outside.unregister(registration, now);
            }
        }
        let lines: Vec<LineId> = self.trunks.iter().map(Trunk::id).collect();
        for line in lines {
            self.begin(line, now);
        }
        self.tell_ready();
    }

    /// The hub stops: registrations are taken back, and calls whose end it could not carry any more are ended. An
    /// emergency call is not: its sound goes on without us.
    /// `false`: there is nothing to leave.
    pub(super) fn leave(&mut self, now: Duration) -> bool {
        let calls: Vec<u64> = self.calls.keys().copied().collect();
        let any = !calls.is_empty();
        for id in calls {
            self.end_on_lines(id, now);
        }
        let any = self.part_all(now) || any;
        for trunk in &mut self.trunks {
            trunk.probe_at = None;
            if let Some(registration) = trunk.registration.filter(|_| trunk.registered) {
                self.leaving += 1;
                // It ends with an event, whatever the line says.
                let _ = self.outside.unregister(registration, now);
            }
        }
        any || self.leaving > 0
    }

    /// Whether no registration is being taken back any more.
    pub(super) fn has_left(&self) -> bool {
        self.leaving == 0
    }

    fn begin(&mut self, line: LineId, now: Duration) {
        let Some(trunk) = self.trunks.iter().find(|trunk| trunk.id() == line) else {
            return;
        };
        if !trunk.setup.line.fields.enabled {
            return self.set_health(line, LineHealth::Unknown, None);
        }
        if let Some(obstacle) = trunk.obstacle() {
            return self.set_health(line, LineHealth::Down, Some(obstacle));
        }
        let wanted = trunk.sip().is_some_and(|sip| sip.register);
        if wanted && trunk.registration.is_none() {
            self.register(line, now);
        }
    }

    fn register(&mut self, line: LineId, now: Duration) {
        let Some(trunk) = self.trunks.iter().find(|trunk| trunk.id() == line) else {
            return;
        };
        let Some(server) = trunk.server() else {
            return;
        };
        let target = server.target().clone();
        let mut registrar = SipUri::new(server.uri().host().clone());
        if let Some(port) = server.uri().port() {
            registrar = registrar.with_port(port);
        }
        let request = RegisterRequest {
            registrar: registrar.into(),
            address_of_record: NameAddr::new(trunk.account(server)),
            contact: Some(trunk.contact(&self.outside, &target)),
            target,
            route: Vec::new(),
            credentials: trunk.credentials(),
            config: RegistrationConfig {
                expires_s: REGISTRATION_S,
                pause_base: PAUSES.0,
                pause_max: PAUSES.1,
            },
        };
        let registration = self.outside.register(request, now).ok();
        if let Some(trunk) = self.trunks.iter_mut().find(|trunk| trunk.id() == line) {
            trunk.registration = registration;
        }
    }

    pub(super) fn registered(&mut self, registration: RegistrationHandle, now: Duration) {
        let Some(trunk) = self.trunk_registering(registration) else {
            return;
        };
        trunk.registered = true;
        let line = trunk.id();
        self.works(line, now);
    }

    pub(super) fn not_registered(
        &mut self,
        registration: RegistrationHandle,
        cause: &RegistrationCause,
        retry_at: Option<Duration>,
        now: Duration,
    ) {
        let Some(trunk) = self.trunk_registering(registration) else {
            return;
        };
        trunk.registered = false;
        if retry_at.is_none() {
            trunk.registration = None;
            trunk.probe_at = Some(now.saturating_add(REFUSED_PAUSE));
        }
        let line = trunk.id();
        let trouble = match cause {
            RegistrationCause::Response(response) => trouble_of(response.status),
            RegistrationCause::Timeout => LineTrouble::Silent,
            RegistrationCause::TransportFailed => LineTrouble::Unreachable,
        };
        self.set_health(line, LineHealth::Down, Some(trouble));
    }

    fn trunk_registering(&mut self, registration: RegistrationHandle) -> Option<&mut Trunk> {
        let wanted = Some(registration);
        self.trunks
            .iter_mut()
            .find(|trunk| trunk.registration == wanted)
    }

    /// Asks the lines that are due; whether anything was done.
    pub(super) fn probes_due(&mut self, now: Duration) -> bool {
        let due = |trunk: &&Trunk| trunk.next_timeout().is_some_and(|at| at <= now);
        let due: Vec<LineId> = self.trunks.iter().filter(due).map(Trunk::id).collect();
        for line in &due {
            self.probe_due(*line, now);
        }
        !due.is_empty()
    }

    fn probe_due(&mut self, line: LineId, now: Duration) {
        let timers = self.config.timers;
        let Some(trunk) = self.trunks.iter_mut().find(|trunk| trunk.id() == line) else {
            return;
        };
        if trunk.probe.take().is_some() {
            trunk.probe_at = Some(now.saturating_add(timers.probe_down));
            return self.set_health(line, LineHealth::Down, Some(LineTrouble::Silent));
        }
        let wanted = trunk.sip().is_some_and(|sip| sip.register);
        if wanted && trunk.registration.is_none() {
            trunk.probe_at = Some(now.saturating_add(REFUSED_PAUSE));
            return self.register(line, now);
        }
        let Some(server) = trunk.server() else {
            trunk.probe_at = None;
            return;
        };
        let own = NameAddr::new(trunk.account(server));
        let query = QueryRequest {
            request_uri: server.uri().for_request_uri().into(),
            to: NameAddr::new(server.uri().clone()),
            from: own,
            route: Vec::new(),
            headers: Vec::new(),
            body: None,
            target: server.target().clone(),
            credentials: Vec::new(),
        };
        let query = self.outside.options(query, now).ok();
        if let Some(trunk) = self.trunks.iter_mut().find(|trunk| trunk.id() == line) {
            trunk.probe = query.map(|query| (query, now.saturating_add(timers.probe_max)));
            trunk.probe_at = Some(now.saturating_add(timers.probe_down));
        }
    }

    /// A question was answered, or never will be. Any answer but "I do not work" shows that somebody is there.
    pub(super) fn probed(
        &mut self,
        query: QueryHandle,
        outcome: Result<StatusCode, &FailureCause>,
        now: Duration,
    ) {
        let found = self
            .trunks
            .iter_mut()
            .find(|trunk| trunk.probe.is_some_and(|(own, _)| own == query));
        let Some(trunk) = found else {
            return;
        };
        trunk.probe = None;
        let line = trunk.id();
        let trouble = match outcome {
            Ok(status) => match status.code() {
                408 | 500 | 502 | 503 | 504 => Some(LineTrouble::ServerFails),
                _ => None,
            },
            Err(FailureCause::TransportFailed) => Some(LineTrouble::Unreachable),
            Err(_) => Some(LineTrouble::Silent),
        };
        match trouble {
            None => self.works(line, now),
            Some(trouble) => {
                self.fails(line, trouble, now);
            }
        }
    }

    /// It answered. One that wants a registration works when that stands.
    pub(super) fn works(&mut self, line: LineId, now: Duration) {
        let next = now.saturating_add(self.config.timers.probe_up);
        let Some(trunk) = self.trunks.iter_mut().find(|trunk| trunk.id() == line) else {
            return;
        };
        let wanted = trunk.sip().is_some_and(|sip| sip.register);
        if wanted && trunk.registration.is_none() {
            return; // its account was refused
        }
        trunk.probe_at = Some(next);
        if !wanted || trunk.registered {
            self.set_health(line, LineHealth::Up, None);
        }
    }

    /// A call or a question found that it does not work; it is asked again soon.
    pub(super) fn fails(&mut self, line: LineId, trouble: LineTrouble, now: Duration) {
        let next = now.saturating_add(self.config.timers.probe_down);
        if let Some(trunk) = self.trunks.iter_mut().find(|trunk| trunk.id() == line) {
            trunk.probe_at = Some(next);
        }
        self.set_health(line, LineHealth::Down, Some(trouble));
    }

    fn set_health(&mut self, line: LineId, health: LineHealth, trouble: Option<LineTrouble>) {
        let Some(trunk) = self.trunks.iter_mut().find(|trunk| trunk.id() == line) else {
            return;
        };
        if (trunk.health, trunk.trouble) == (health, trouble) {
            return;
        }
        (trunk.health, trunk.trouble) = (health, trouble);
        self.outputs.push_back(Output::Health {
            line,
            health,
            trouble,
        });
    }

    /// Whether a call for help would find a line. One that does not work just now counts: it is tried all the same,
    /// because a telephone has no other.
    fn tell_ready(&mut self) {
        let ready = self.trunks.iter().any(|trunk| trunk.drill().is_some());
        if self.ready != ready {
            self.ready = ready;
            self.outputs.push_back(Output::Ready(ready));
        }
    }
}

/// What is wrong with a line that answers so.
pub(super) fn trouble_of(status: StatusCode) -> LineTrouble {
    match status.code() {
        401 | 403 | 404 | 407 => LineTrouble::AccountRefused,
        408 => LineTrouble::Silent,
        482 => LineTrouble::Loops,
        _ => LineTrouble::ServerFails,
    }
}

/// Whether the connection to a line can stay as it is.
fn is_same(before: &LineSetup, now: &LineSetup) -> bool {
    before.line.id == now.line.id
        && before.line.fields.enabled == now.line.fields.enabled
        && before.line.fields.sip == now.line.fields.sip
        && before.line.fields.caller_number == now.line.fields.caller_number
        && before.credentials == now.credentials
}
