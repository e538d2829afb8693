//! A registrar: who can be reached where (RFC 3261 section 10.3, RFC 3327, RFC 5626 section 6,
//! RFC 5627 section 5).
//!
//! ```text
//! REGISTER + proven owner ─► register() ─► response, and rows for the store by poll_output()
//! URI (address of record or GRUU) ─► lookup() ─► groups of branches for the proxy
//! time, closed flows ─► rows to remove
//! ```
//! The rows are the truth and belong to the store; here they are in memory to be found. Whose
//! registration a request may change is proven before it comes here, by certificate or digest;
//! this module only compares (a registration for somebody else is a hijack: 403).

mod answer;
mod binding;
mod lookup;
mod reading;

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

pub use answer::http_date;
pub use binding::{Aor, Binding, BindingKey};
pub use lookup::Unreachable;

use crate::gruu::Gruus;
use crate::message::{Request, Response};
use crate::outbound::{Flow, FlowId, FlowTransport};
use crate::proxy::{Identity, Reject};
use crate::tokens::Tokens;
use crate::uri::{Host, SipUri};
use crate::{HeaderName, NameAddr, StatusCode};
use reading::{Change, Reading};

/// How a registrar is set up. Start from [`RegistrarConfig::new`] and change what differs.
#[derive(Clone)]
pub struct RegistrarConfig {
    /// Source of tags, row numbers and temporary GRUUs: 32 random bytes, drawn at each start.
    pub seed: [u8; 32],
    /// Signs and enciphers temporary GRUUs: 32 secret random bytes, kept over restarts.
    pub gruu_secret: [u8; 32],
    /// The domains whose users register here.
    pub domains: Vec<Host>,
    /// Our own names and ports: a contact there would call us, and us again.
    pub own: Vec<Identity>,
    /// Edge proxies in front of us: the addresses that their requests come from, and the names
    /// that stand in their Path. Only from them a REGISTER may have come through a proxy or bring
    /// a Path: whoever may name a Path is called at an address of his choice.
    pub edge_proxies: Vec<Host>,
    /// Shortest registration granted, seconds; a shorter wish gets 423. An hour or more may
    /// never be refused (RFC 3261 section 10.3 step 7).
    pub expires_min_s: u32,
    /// Longest registration granted, seconds; a longer wish is shortened.
    pub expires_max_s: u32,
    /// Granted where nothing is wished, seconds.
    pub expires_default_s: u32,
    /// Flow-Timer told to devices that keep flows, seconds (RFC 5626 section 6).
    pub flow_timer_s: u32,
    /// Service-Route told to every device (RFC 3608).
    pub service_route: Vec<NameAddr>,
    /// Refuse with 420 a Path that the device does not know of (RFC 3327 section 5.3 recommends
    /// it); otherwise such a Path is used.
    pub strict_path: bool,
    /// Bounds.
    pub limits: RegistrarLimits,
}

impl RegistrarConfig {
    /// The defaults.
    #[must_use]
    pub fn new(seed: [u8; 32], gruu_secret: [u8; 32], domains: Vec<Host>) -> Self {
        RegistrarConfig {
            seed,
            gruu_secret,
            domains,
            own: Vec::new(),
            edge_proxies: Vec::new(),
            expires_min_s: 60,
            expires_max_s: 3_600,
            expires_default_s: 3_600,
            flow_timer_s: 120,
            service_route: Vec::new(),
            strict_path: true,
            limits: RegistrarLimits::default(),
        }
    }
}

/// Bounds on what can be registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistrarLimits {
    /// Bindings of one address of record.
    pub bindings_per_aor_max: usize,
    /// Bindings in all.
    pub bindings_max: usize,
    /// Contacts in one request.
    pub contacts_max: usize,
    /// Path values in one request.
    pub path_max: usize,
    /// Bytes of one Contact, of an instance id, of all Path values together.
    pub value_bytes_max: usize,
}

impl Default for RegistrarLimits {
    fn default() -> Self {
        RegistrarLimits {
            bindings_per_aor_max: 16,
            bindings_max: 20_000,
            contacts_max: 16,
            path_max: 8,
            value_bytes_max: 1_024,
        }
    }
}

/// One REGISTER with what is known about it.
#[derive(Debug)]
pub struct Registering<'a> {
    /// The request, our own Route removed.
    pub request: &'a Request,
    /// What it came by.
    pub flow: Flow,
    /// The address of record of the one who was proven to send it, by certificate or digest.
    pub owner: &'a Aor,
    /// Wall time for the Date header, seconds since 1970; `None` leaves it out.
    pub unix_time_s: Option<u64>,
}

/// What the registrar wants done.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "a dropped output is a row that the store does not have"]
pub enum RegistrarOutput {
    /// Insert or replace the row with this key.
    Store(Box<Binding>),
    /// Remove the row.
    Remove(BindingKey),
    /// The device registered this flow's place anew by another: its network changed, and nothing that is sent here reaches
    /// it any more. Close it, so that requests of its calls take the new way (RFC 5626 for connections; a pair of UDP
    /// addresses is forgotten).
    Left {
        /// The flow that it left.
        flow: FlowId,
        /// The one that it registered by.
        by: Flow,
    },
    /// Nothing more; call again at this time.
    Timeout(Option<Duration>),
}

/// A registrar.
pub struct Registrar {
    config: RegistrarConfig,
    tokens: Tokens,
    gruus: Gruus,
    bindings: BTreeMap<Aor, Vec<Binding>>,
    count: usize,
    expiries: BTreeSet<(Duration, Aor, u64)>,
    flows: BTreeMap<FlowId, BTreeSet<Aor>>,
    temporary: BTreeMap<u64, Aor>,
    outputs: VecDeque<RegistrarOutput>,
}

impl core::fmt::Debug for Registrar {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Registrar")
            .field("bindings", &self.count)
            .finish_non_exhaustive()
    }
}

impl Registrar {
    /// With the rows of the store. Flows do not live longer than the process: rows that name one
    /// of an earlier process come with `flow: None`, or are left out where nothing else leads to
    /// the device. What has expired, or is reached by no flow and no proven address, is removed.
    #[must_use]
    pub fn new(config: RegistrarConfig, bindings: Vec<Binding>, now: Duration) -> Self {
        let mut registrar = Registrar {
            tokens: Tokens::from_seed(config.seed),
            gruus: Gruus::new(&config.gruu_secret),
            config,
            bindings: BTreeMap::new(),
            count: 0,
            expiries: BTreeSet::new(),
            flows: BTreeMap::new(),
            temporary: BTreeMap::new(),
            outputs: VecDeque::new(),
        };
        for binding in bindings {
            let leads =
                binding.flow.is_some() || !binding.path.is_empty() || !binding.needs_its_flow();
            if binding.expires_at > now && leads {
                registrar.put(binding, false);
            } else {
                let removed = RegistrarOutput::Remove(binding.key());
                registrar.outputs.push_back(removed);
            }
        }
        registrar
    }

    /// Handles a REGISTER and gives its answer. All of it is done, or nothing.
    pub fn register(&mut self, input: &Registering<'_>, now: Duration) -> Response {
        self.run_timers(now);
        let tag = self.tokens.tag();
        match self.process(input, now) {
            Ok((aor, reading)) => self.success(input, &aor, &reading, &tag, now),
            Err(reject) => {
                let mut response = Response::to_request(input.request, reject.status, Some(&tag));
                if let Some(reason) = &reject.reason {
                    response = response.with_reason(reason);
                }
                for (name, value) in reject.headers {
                    response.headers.push(name, value);
                }
                response
            }
        }
    }

    /// What is to be done, until it says [`RegistrarOutput::Timeout`].
    pub fn poll_output(&mut self, now: Duration) -> RegistrarOutput {
        self.run_timers(now);
        match self.outputs.pop_front() {
            Some(output) => output,
            None => RegistrarOutput::Timeout(self.expiries.first().map(|(at, ..)| *at)),
        }
    }

    /// A flow is gone, and with it every binding that only the flow led to (RFC 5626 section 7).
    pub fn flow_closed(&mut self, flow: FlowId) {
        for aor in self.flows.remove(&flow).unwrap_or_default() {
            let bindings = self.bindings.get(&aor).cloned().unwrap_or_default();
            for binding in bindings {
                if binding.flow.is_none_or(|(id, _)| id != flow) {
                    continue;
                }
                self.detach(binding);
            }
        }
    }

    /// Removes every binding of a user: a lost device, a revoked account.
    pub fn unregister(&mut self, aor: &Aor) {
        let bindings = self.bindings.get(aor).cloned().unwrap_or_default();
        for binding in bindings {
            self.remove(aor, binding.ruid);
        }
    }

    /// The bindings of a user that have not expired.
    pub fn bindings(&self, aor: &Aor, now: Duration) -> impl Iterator<Item = &Binding> {
        let all = self.bindings.get(aor).into_iter().flatten();
        all.filter(move |binding| binding.expires_at > now)
    }

    /// Bindings in all.
    #[must_use]
    pub fn binding_count(&self) -> usize {
        self.count
    }

    /// Users with a binding.
    #[must_use]
    pub fn aor_count(&self) -> usize {
        self.bindings.len()
    }

    /// The steps of section 10.3 up to the change of the rows.
    fn process(
        &mut self,
        input: &Registering<'_>,
        now: Duration,
    ) -> Result<(Aor, Reading), Reject> {
        let reading = reading::read(&self.config, input)?;
        let aor = reading.aor.clone();
        let changed = self.plan(input, &reading, now)?;
        let before = self.bindings.get(&aor).map_or(0, Vec::len);
        let per_aor = self.config.limits.bindings_per_aor_max;
        if changed.len() > per_aor && changed.len() > before {
            let mut reject = Reject::new(StatusCode::FORBIDDEN);
            reject.reason = Some(format!("Forbidden: more than {per_aor} contacts"));
            return Err(reject);
        }
        let total = self.count - before + changed.len();
        if total > self.config.limits.bindings_max && changed.len() > before {
            return Err(
                Reject::new(StatusCode::SERVICE_UNAVAILABLE).with(HeaderName::RetryAfter, "60")
            );
        }
        let kept: BTreeSet<u64> = changed.iter().map(|binding| binding.ruid).collect();
        let all = self.bindings.get(&aor).cloned().unwrap_or_default();
        for binding in all.iter().filter(|binding| !kept.contains(&binding.ruid)) {
            self.remove(&aor, binding.ruid);
        }
        for binding in changed {
            if all.contains(&binding) {
                continue;
            }
            let before = all.iter().find(|before| before.ruid == binding.ruid);
            let before = before.and_then(|before| before.flow);
            self.put(binding.clone(), true);
            if binding.flow.is_some_and(|(flow, _)| flow == input.flow.id) {
                self.leave(&binding, before, input.flow);
            }
        }
        Ok((aor, reading))
    }

    /// Which flows a device has left that registered by this one.
    ///
    /// The one that this place had before (RFC 5626). And a telephone without a `reg-id` has another contact after its
    /// network changed, and stands there twice until the older row expires: the instance says that it is the same, or else
    /// the Call-ID, which a telephone that runs keeps (RFC 3261 section 10.2); addresses of IPv4 and IPv6 stand beside each
    /// other. The older row leads to its address alone from now on. A pair of UDP addresses is left when nobody else is
    /// there.
    fn leave(&mut self, now: &Binding, before: Option<(FlowId, FlowTransport)>, by: Flow) {
        let mut left = Vec::from_iter(before);
        if now.reg_id == 0 {
            let rows = self.bindings.get(&now.aor).into_iter().flatten();
            let older = rows.filter(|row| row.ruid != now.ruid && is_same_telephone(row, now));
            for row in older.cloned().collect::<Vec<_>>() {
                if let Some((flow, FlowTransport::Udp)) = row.flow
                    && flow != by.id
                {
                    left.push((flow, FlowTransport::Udp));
                    self.detach(row);
                }
            }
        }
        for (flow, transport) in left {
            let is_left = match transport.is_reliable() {
                true => now.reg_id != 0,
                false => !self.flows.contains_key(&flow),
            };
            if is_left && flow != by.id {
                self.outputs.push_back(RegistrarOutput::Left { flow, by });
            }
        }
    }

    /// No flow leads to it any more: it stays where an address does.
    fn detach(&mut self, mut binding: Binding) {
        if binding.needs_its_flow() {
            self.remove(&binding.aor, binding.ruid);
        } else {
            binding.flow = None;
            self.put(binding, true);
        }
    }

    /// The rows as they will be. Errors: a request older than what it would change (steps 6, 7).
    fn plan(
        &mut self,
        input: &Registering<'_>,
        reading: &Reading,
        now: Duration,
    ) -> Result<Vec<Binding>, Reject> {
        let mut rows = self.bindings.get(&reading.aor).cloned().unwrap_or_default();
        let older =
            |binding: &Binding| binding.call_id == reading.call_id && reading.cseq <= binding.cseq;
        let out_of_order = || {
            let mut reject = Reject::new(StatusCode::SERVER_INTERNAL_ERROR);
            reject.reason = Some("Server Internal Error: CSeq is not above the last".to_owned());
            reject
        };
        match &reading.change {
            Change::Query => {}
            Change::RemoveAll => {
                if rows.iter().any(older) {
                    return Err(out_of_order());
                }
                rows.clear();
            }
            Change::Contacts(contacts) => {
                for wish in contacts {
                    let at = rows.iter().position(|row| wish.is_for(row));
                    if at.is_some_and(|at| older(&rows[at])) {
                        return Err(out_of_order());
                    }
                    let before = at.map(|at| rows.remove(at));
                    if wish.expires_s == 0 {
                        continue;
                    }
                    let ruid = before
                        .as_ref()
                        .map_or_else(|| self.tokens.next_u64(), |b| b.ruid);
                    let gruu_id = self.gruu_id(&rows, before.as_ref(), wish, reading);
                    // One number for all flows of a device.
                    for row in &mut rows {
                        if row.instance_id.is_some() && row.instance_id == wish.instance_id {
                            row.gruu_id = gruu_id;
                        }
                    }
                    rows.push(wish.to_binding(input, reading, ruid, gruu_id, now));
                }
            }
        }
        Ok(rows)
    }

    /// The number behind the temporary GRUUs of a device. Another Call-ID for the same flow, or
    /// for the device where it keeps none, ends all those that were given out (RFC 5627
    /// section 5.1); so does the end of its last binding, with which the number goes.
    fn gruu_id(
        &mut self,
        rows: &[Binding],
        before: Option<&Binding>,
        wish: &reading::Wish,
        reading: &Reading,
    ) -> u64 {
        if wish.instance_id.is_none() {
            return 0;
        }
        let device = rows
            .iter()
            .chain(before)
            .filter(|row| row.instance_id == wish.instance_id);
        let newest = device.max_by_key(|row| row.updated_at);
        let compared = if wish.reg_id == 0 { newest } else { before };
        let ended = compared.is_some_and(|row| row.call_id != reading.call_id);
        match newest {
            Some(row) if !ended && row.gruu_id != 0 => row.gruu_id,
            _ => self.tokens.next_u64().max(1),
        }
    }

    fn put(&mut self, binding: Binding, tell: bool) {
        let aor = binding.aor.clone();
        self.take_out(&aor, binding.ruid);
        self.expiries
            .insert((binding.expires_at, aor.clone(), binding.ruid));
        if let Some((flow, _)) = binding.flow {
            self.flows.entry(flow).or_default().insert(aor.clone());
        }
        if binding.gruu_id != 0 {
            self.temporary.insert(binding.gruu_id, aor.clone());
        }
        if tell {
            let stored = RegistrarOutput::Store(Box::new(binding.clone()));
            self.outputs.push_back(stored);
        }
        self.bindings.entry(aor).or_default().push(binding);
        self.count += 1;
    }

    fn remove(&mut self, aor: &Aor, ruid: u64) {
        if let Some(binding) = self.take_out(aor, ruid) {
            let removed = RegistrarOutput::Remove(binding.key());
            self.outputs.push_back(removed);
        }
    }

    fn take_out(&mut self, aor: &Aor, ruid: u64) -> Option<Binding> {
        let rows = self.bindings.get_mut(aor)?;
        let at = rows.iter().position(|row| row.ruid == ruid)?;
        let binding = rows.remove(at);
        self.count -= 1;
        let others = rows.iter();
        let shares_flow = others.clone().any(|row| row.flow == binding.flow);
        let shares_gruu = others.clone().any(|row| row.gruu_id == binding.gruu_id);
        if rows.is_empty() {
            self.bindings.remove(aor);
        }
        self.expiries
            .remove(&(binding.expires_at, aor.clone(), ruid));
        if let Some((flow, _)) = binding.flow
            && !shares_flow
            && let Some(aors) = self.flows.get_mut(&flow)
        {
            aors.remove(aor);
            if aors.is_empty() {
                self.flows.remove(&flow);
            }
        }
        if !shares_gruu {
            self.temporary.remove(&binding.gruu_id);
        }
        Some(binding)
    }

    fn run_timers(&mut self, now: Duration) {
        while let Some((at, aor, ruid)) = self.expiries.first().cloned() {
            if at > now {
                return;
            }
            self.remove(&aor, ruid);
            self.expiries.remove(&(at, aor, ruid));
        }
    }

    /// The address of record that a URI of ours names; `None`: another domain's.
    #[must_use]
    pub fn aor_of(&self, uri: &SipUri) -> Option<Aor> {
        Aor::of(uri, &self.config.domains)
    }
}

/// Whether two rows of contacts without a flow of their own are one telephone's, at two addresses of one family.
fn is_same_telephone(row: &Binding, other: &Binding) -> bool {
    let is_v4 = |row: &Binding| {
        let host = row.contact.uri.as_sip().map(SipUri::host);
        host.and_then(Host::ip).map(|ip| ip.is_ipv4())
    };
    let told = match (&row.instance_id, &other.instance_id) {
        (Some(own), Some(other)) => own == other,
        (None, None) => row.call_id == other.call_id,
        _ => false,
    };
    told && (row.reg_id, other.reg_id) == (0, 0) && is_v4(row) == is_v4(other)
}
