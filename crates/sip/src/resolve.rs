//! From a URI's host to an ordered list of targets (RFC 3263), without asking anybody itself.
//!
//! ```text
//! Question ─► Resolution ── poll_lookup() ─► Lookup ─► (the adapter asks DNS) ─► handle_answer()
//!                  └── targets() once nothing is missing
//! ```
//! The machine keeps the answers and, after each, works the whole question out again until no
//! answer is missing. So there is no order of events to get wrong, and an alias loop only finds
//! answers that are already there.
//!
//! Emergency calls (RFC 6881 ED-57, ED-58) try TLS, then TCP, then UDP, whatever DNS offers: a
//! zone without NAPTR or a certificate that fails must not cost the call.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};

use crate::target::{Target, Transport};
use crate::tokens::Tokens;

/// Most lookups for one question; further ones count as empty.
pub const LOOKUPS_MAX: usize = 32;
/// Most targets in the result.
pub const TARGETS_MAX: usize = 16;
/// Longest chain of aliases that is followed.
pub const ALIASES_MAX: usize = 8;
/// Most records read from one answer.
pub const RECORDS_MAX: usize = 32;

/// What is to be resolved: the parts of a URI that RFC 3263 section 4 looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// Host (or `maddr`): a name or a numeric address, IPv6 with or without brackets.
    pub host: String,
    /// Port, where the URI has one.
    pub port: Option<u16>,
    /// `transport` parameter, where the URI has one.
    pub transport: Option<Transport>,
    /// `sips`: TLS only, except for an emergency call.
    pub secure: bool,
    /// TLS, then TCP, then UDP over everything that can be found.
    pub emergency: bool,
}

/// Which records are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LookupKind {
    /// RFC 3403.
    Naptr,
    /// RFC 2782.
    Srv,
    /// IPv4 addresses.
    A,
    /// IPv6 addresses.
    Aaaa,
}

/// One question to DNS.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lookup {
    /// Lower case, without a final dot.
    pub name: String,
    /// Record type.
    pub kind: LookupKind,
}

/// A NAPTR record, as far as SIP uses it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Naptr {
    /// Lower first.
    pub order: u16,
    /// Lower first among equal orders.
    pub preference: u16,
    /// `s` is the only flag that SIP uses.
    pub flags: String,
    /// For example `SIPS+D2T`.
    pub service: String,
    /// Name of the SRV records.
    pub replacement: String,
}

/// An SRV record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Srv {
    /// Lower first.
    pub priority: u16,
    /// Share among equal priorities.
    pub weight: u16,
    /// Port.
    pub port: u16,
    /// Host name; `.` means: the service is decidedly not there.
    pub target: String,
}

/// What DNS said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Answer to [`LookupKind::Naptr`].
    Naptr(Vec<Naptr>),
    /// Answer to [`LookupKind::Srv`].
    Srv(Vec<Srv>),
    /// Answer to [`LookupKind::A`] and [`LookupKind::Aaaa`].
    Addresses(Vec<IpAddr>),
    /// The name is an alias (CNAME) of this one.
    Alias(String),
    /// No such name or no such records.
    Nothing,
    /// No answer in time, a refusal, a broken reply: treated as nothing, so the next step is tried.
    Failed,
}

/// The machine for one [`Question`].
#[derive(Debug, Clone)]
pub struct Resolution {
    question: Question,
    tokens: Tokens,
    answers: BTreeMap<Lookup, Answer>,
    asked: BTreeSet<Lookup>,
    due: Vec<Lookup>,
    result: Option<Vec<Target>>,
}

impl Resolution {
    /// Starts; `tokens` decide between SRV records of equal priority.
    pub fn new(question: Question, tokens: Tokens) -> Self {
        let mut this = Self {
            question,
            tokens,
            answers: BTreeMap::new(),
            asked: BTreeSet::new(),
            due: Vec::new(),
            result: None,
        };
        this.work();
        this
    }

    /// The next lookup to make; several may be under way at once.
    pub fn poll_lookup(&mut self) -> Option<Lookup> {
        (!self.due.is_empty()).then(|| self.due.remove(0))
    }

    /// What came of a lookup. Answers that nobody asked for, and second ones, are dropped.
    pub fn handle_answer(&mut self, lookup: &Lookup, answer: Answer) {
        if self.result.is_none()
            && self.asked.contains(lookup)
            && !self.answers.contains_key(lookup)
        {
            self.answers.insert(lookup.clone(), answer);
            self.work();
        }
    }

    /// The targets in the order to try them, once every answer is in; empty: the name leads nowhere.
    pub fn targets(&self) -> Option<&[Target]> {
        self.result.as_deref()
    }

    /// Takes every lookup still open as failed: for a caller whose deadline has come.
    pub fn give_up(&mut self) {
        while self.result.is_none() {
            let open: Vec<Lookup> = self
                .asked
                .iter()
                .filter(|lookup| !self.answers.contains_key(*lookup))
                .cloned()
                .collect();
            if open.is_empty() {
                self.result = Some(Vec::new());
            }
            for lookup in open {
                self.handle_answer(&lookup, Answer::Failed);
            }
        }
        self.due.clear();
    }

    fn work(&mut self) {
        let mut view = View {
            answers: &self.answers,
            missing: BTreeSet::new(),
            tokens: self.tokens.clone(),
        };
        let targets = view.resolve(&self.question);
        let missing = view.missing;
        let mut waiting = false;
        for lookup in missing {
            if self.asked.contains(&lookup) {
                waiting = true;
            } else if self.asked.len() < LOOKUPS_MAX {
                self.asked.insert(lookup.clone());
                self.due.push(lookup);
                waiting = true;
            }
        }
        // Over the limit, or with nothing missing, what was found so far is the result.
        if !waiting {
            self.result = Some(targets);
        }
    }
}

/// The answers so far, and what is missing among them.
struct View<'a> {
    answers: &'a BTreeMap<Lookup, Answer>,
    missing: BTreeSet<Lookup>,
    tokens: Tokens,
}

impl View<'_> {
    fn resolve(&mut self, question: &Question) -> Vec<Target> {
        let host = canonical(&question.host);
        let mut found = Vec::new();
        if let Ok(address) = host.parse::<IpAddr>() {
            for transport in Self::transports_without_dns(question) {
                let port = question.port.unwrap_or_else(|| transport.default_port());
                push(&mut found, transport, SocketAddr::new(address, port), None);
            }
        } else if let Some(port) = question.port {
            for transport in Self::transports_without_dns(question) {
                self.addresses(&mut found, transport, &host, port, &host);
            }
        } else if question.emergency {
            self.emergency(&mut found, &host, question.transport);
        } else if let Some(transport) = question.transport {
            let transport = secured(transport, question.secure);
            self.service_or_host(&mut found, transport, &host);
        } else {
            self.ordinary(&mut found, &host, question.secure);
        }
        found
    }

    /// Section 4.1 without NAPTR: the parameter, else UDP, for `sips` TLS; for an emergency all.
    fn transports_without_dns(question: &Question) -> Vec<Transport> {
        if question.emergency {
            return emergency_order(question.transport);
        }
        let given = question.transport.unwrap_or(Transport::Udp);
        vec![secured(given, question.secure)]
    }

    /// Sections 4.1 and 4.2 for a name without port and transport.
    fn ordinary(&mut self, found: &mut Vec<Target>, host: &str, secure: bool) {
        let services = self.services(host);
        if self.any_missing() {
            return;
        }
        let offered: Vec<_> = services
            .into_iter()
            .filter(|(transport, _)| !secure || *transport == Transport::Tls)
            .collect();
        if !offered.is_empty() {
            for (transport, name) in offered {
                self.service(found, transport, &name, host);
            }
            return;
        }
        let transports: &[Transport] = if secure {
            &[Transport::Tls]
        } else {
            &[Transport::Udp, Transport::Tcp, Transport::Tls]
        };
        let mut any = false;
        for transport in transports {
            any |= self.service(found, *transport, &service_name(*transport, host), host);
        }
        if !any && !self.any_missing() {
            let transport = secured(Transport::Udp, secure);
            self.addresses(found, transport, host, transport.default_port(), host);
        }
    }

    /// TLS, TCP, UDP, each by NAPTR's name, else by the usual SRV name, else by the host itself.
    fn emergency(&mut self, found: &mut Vec<Target>, host: &str, first: Option<Transport>) {
        let services = self.services(host);
        for transport in emergency_order(first) {
            let before = found.len();
            let mut any = false;
            for (_, name) in services.iter().filter(|(offered, _)| *offered == transport) {
                any |= self.service(found, transport, name, host);
            }
            if !any {
                any = self.service(found, transport, &service_name(transport, host), host);
            }
            // Also when a service is there but none of its hosts has an address.
            if !any || found.len() == before {
                self.addresses(found, transport, host, transport.default_port(), host);
            }
        }
    }

    fn service_or_host(&mut self, found: &mut Vec<Target>, transport: Transport, host: &str) {
        let missing = self.missing.len();
        let any = self.service(found, transport, &service_name(transport, host), host);
        if !any && self.missing.len() == missing {
            self.addresses(found, transport, host, transport.default_port(), host);
        }
    }

    /// What NAPTR offers, best first: transport and SRV name.
    fn services(&mut self, host: &str) -> Vec<(Transport, String)> {
        let Some(Answer::Naptr(records)) = self.answer(host, LookupKind::Naptr) else {
            return Vec::new();
        };
        let mut records: Vec<Naptr> = records.iter().take(RECORDS_MAX).cloned().collect();
        records.sort_by_key(|record| (record.order, record.preference));
        records
            .into_iter()
            .filter(|record| record.flags.eq_ignore_ascii_case("s"))
            .filter_map(|record| {
                let service = record.service.to_ascii_uppercase();
                let transport = match service.as_str() {
                    "SIPS+D2T" => Transport::Tls,
                    "SIP+D2T" => Transport::Tcp,
                    "SIP+D2U" => Transport::Udp,
                    _ => return None,
                };
                let name = canonical(&record.replacement);
                (!name.is_empty()).then_some((transport, name))
            })
            .collect()
    }

    /// The targets of one SRV name; whether there were any records.
    fn service(
        &mut self,
        found: &mut Vec<Target>,
        transport: Transport,
        name: &str,
        host: &str,
    ) -> bool {
        let Some(Answer::Srv(records)) = self.answer(name, LookupKind::Srv) else {
            return false;
        };
        let records: Vec<Srv> = records.iter().take(RECORDS_MAX).cloned().collect();
        let mut draws = self.tokens.fork(name);
        let mut any = false;
        for record in by_weight(records, &mut draws) {
            let target = canonical(&record.target);
            if target.is_empty() {
                continue;
            }
            any = true;
            self.addresses(found, transport, &target, record.port, host);
        }
        any
    }

    /// IPv6 and IPv4 addresses of a name; `host` is what the certificate must say (RFC 5922).
    fn addresses(
        &mut self,
        found: &mut Vec<Target>,
        transport: Transport,
        name: &str,
        port: u16,
        host: &str,
    ) {
        if let Ok(address) = name.parse::<IpAddr>() {
            push(found, transport, SocketAddr::new(address, port), Some(host));
            return;
        }
        for kind in [LookupKind::Aaaa, LookupKind::A] {
            if let Some(Answer::Addresses(addresses)) = self.answer(name, kind) {
                for address in addresses.iter().take(RECORDS_MAX) {
                    push(
                        found,
                        transport,
                        SocketAddr::new(*address, port),
                        Some(host),
                    );
                }
            }
        }
    }

    /// The answer to a lookup behind its aliases, or a note that it is missing.
    fn answer(&mut self, name: &str, kind: LookupKind) -> Option<&Answer> {
        let mut lookup = Lookup {
            name: canonical(name),
            kind,
        };
        for _ in 0..ALIASES_MAX {
            match self.answers.get(&lookup) {
                None => {
                    self.missing.insert(lookup);
                    return None;
                }
                Some(Answer::Alias(other)) => lookup.name = canonical(other),
                Some(answer) => return Some(answer),
            }
        }
        None
    }

    fn any_missing(&self) -> bool {
        !self.missing.is_empty()
    }
}

/// RFC 2782: by priority; among equals drawn by weight, weight 0 with a small chance.
fn by_weight(mut records: Vec<Srv>, draws: &mut Tokens) -> Vec<Srv> {
    // Answers come in any order; only a fixed one gives the same draw for the same seed.
    records.sort_by(|a, b| {
        (a.priority, a.weight, &a.target, a.port).cmp(&(b.priority, b.weight, &b.target, b.port))
    });
    let mut ordered = Vec::with_capacity(records.len());
    while !records.is_empty() {
        let priority = records[0].priority;
        let group = records
            .iter()
            .take_while(|r| r.priority == priority)
            .count();
        let total: u64 = records[..group].iter().map(|r| u64::from(r.weight)).sum();
        let draw = draws.below(total + 1);
        let mut sum = 0;
        let mut chosen = group - 1;
        for (index, record) in records[..group].iter().enumerate() {
            sum += u64::from(record.weight);
            if sum >= draw {
                chosen = index;
                break;
            }
        }
        ordered.push(records.remove(chosen));
    }
    ordered
}

fn push(found: &mut Vec<Target>, transport: Transport, remote: SocketAddr, host: Option<&str>) {
    let target = Target {
        transport,
        remote,
        server_name: (transport == Transport::Tls)
            .then(|| host.map(str::to_owned))
            .flatten(),
    };
    if found.len() < TARGETS_MAX && !found.contains(&target) {
        found.push(target);
    }
}

fn secured(transport: Transport, secure: bool) -> Transport {
    if secure { Transport::Tls } else { transport }
}

/// A transport that the configuration names comes first, the others stay behind it.
fn emergency_order(first: Option<Transport>) -> Vec<Transport> {
    let mut order = vec![Transport::Tls, Transport::Tcp, Transport::Udp];
    if let Some(first) = first {
        order.retain(|transport| *transport != first);
        order.insert(0, first);
    }
    order
}

fn service_name(transport: Transport, host: &str) -> String {
    match transport {
        Transport::Tls => format!("_sips._tcp.{host}"),
        Transport::Tcp => format!("_sip._tcp.{host}"),
        Transport::Udp => format!("_sip._udp.{host}"),
    }
}

fn canonical(name: &str) -> String {
    let name = name
        .strip_prefix('[')
        .and_then(|inner| inner.strip_suffix(']'))
        .unwrap_or(name);
    name.trim_end_matches('.').to_ascii_lowercase()
}
