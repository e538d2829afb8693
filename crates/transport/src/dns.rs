//! The lookups of RFC 3263, asked of name servers within reach or answered from a table.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use hearthline_sip::resolve::{Answer, Lookup, LookupKind, Naptr, Question, Resolution, Srv};
use hearthline_sip::target::Target;
use hearthline_sip::tokens::Tokens;
use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::{RData, RecordType};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use crate::reach::{OutOfReach, Reach};

/// Why lookups cannot be set up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DnsError {
    /// A name server is beyond reach.
    #[error("name server: {0}")]
    OutOfReach(#[from] OutOfReach),
    /// The resolver refuses its configuration.
    #[error("resolver: {0}")]
    Resolver(String),
}

/// Lookups. Cheap to clone.
#[derive(Clone)]
pub struct Dns {
    table: Arc<BTreeMap<Lookup, Answer>>,
    resolver: Option<Arc<TokioResolver>>,
}

impl std::fmt::Debug for Dns {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dns")
            .field("table", &self.table.len())
            .field("resolver", &self.resolver.is_some())
            .finish()
    }
}

impl Dns {
    /// Answers from `table` (names in lower case, no final dot), then from `name_servers`; with
    /// none, what is not in the table is not there. `localhost` is always loopback (RFC 6761).
    ///
    /// # Errors
    /// When a name server is beyond reach.
    pub fn new(
        reach: Reach,
        table: BTreeMap<Lookup, Answer>,
        name_servers: &[SocketAddr],
    ) -> Result<Self, DnsError> {
        let mut servers = Vec::new();
        for address in name_servers {
            reach.check(*address)?;
            let mut connections = vec![ConnectionConfig::udp(), ConnectionConfig::tcp()];
            for connection in &mut connections {
                connection.port = address.port();
            }
            servers.push(NameServerConfig::new(address.ip(), true, connections));
        }
        let resolver = if servers.is_empty() {
            None
        } else {
            let config = ResolverConfig::from_parts(None, Vec::new(), servers);
            let provider = TokioRuntimeProvider::default();
            let built = TokioResolver::builder_with_config(config, provider).build();
            let resolver = built.map_err(|error| DnsError::Resolver(error.to_string()))?;
            Some(Arc::new(resolver))
        };
        Ok(Self {
            table: Arc::new(table),
            resolver,
        })
    }

    /// A table with one host, for tests and for addresses written into the configuration.
    pub fn hosts(hosts: &[(&str, IpAddr)]) -> BTreeMap<Lookup, Answer> {
        let mut table: BTreeMap<Lookup, Answer> = BTreeMap::new();
        for (name, address) in hosts {
            let kind = if address.is_ipv4() {
                LookupKind::A
            } else {
                LookupKind::Aaaa
            };
            let lookup = Lookup {
                name: name.to_ascii_lowercase(),
                kind,
            };
            let entry = table
                .entry(lookup)
                .or_insert_with(|| Answer::Addresses(Vec::new()));
            if let Answer::Addresses(addresses) = entry {
                addresses.push(*address);
            }
        }
        table
    }

    /// Works a question out; what is not answered within `patience` counts as not there.
    pub async fn resolve(
        &self,
        question: Question,
        tokens: Tokens,
        patience: Duration,
    ) -> Vec<Target> {
        let deadline = Instant::now() + patience;
        let mut machine = Resolution::new(question, tokens);
        let mut asked = JoinSet::new();
        loop {
            while let Some(lookup) = machine.poll_lookup() {
                match self.known(&lookup) {
                    Some(answer) => machine.handle_answer(&lookup, answer),
                    None => {
                        let this = self.clone();
                        asked.spawn(async move {
                            let answer = this.ask(&lookup).await;
                            (lookup, answer)
                        });
                    }
                }
            }
            if let Some(targets) = machine.targets() {
                return targets.to_vec();
            }
            match timeout_at(deadline, asked.join_next()).await {
                Ok(Some(Ok((lookup, answer)))) => machine.handle_answer(&lookup, answer),
                // A task that died leaves its lookup open; the deadline closes it.
                Ok(Some(Err(_))) => {}
                Ok(None) | Err(_) => machine.give_up(),
            }
        }
    }

    /// What needs no question: the table and `localhost`, and everything when nobody can be asked.
    fn known(&self, lookup: &Lookup) -> Option<Answer> {
        if let Some(answer) = self.table.get(lookup) {
            return Some(answer.clone());
        }
        let local = lookup.name == "localhost" || lookup.name.ends_with(".localhost");
        match (local, lookup.kind) {
            (true, LookupKind::A) => Some(Answer::Addresses(vec![IpAddr::V4(Ipv4Addr::LOCALHOST)])),
            (true, LookupKind::Aaaa) => {
                Some(Answer::Addresses(vec![IpAddr::V6(Ipv6Addr::LOCALHOST)]))
            }
            (true, _) => Some(Answer::Nothing),
            (false, _) => self.resolver.is_none().then_some(Answer::Nothing),
        }
    }

    async fn ask(&self, lookup: &Lookup) -> Answer {
        let Some(resolver) = &self.resolver else {
            return Answer::Nothing;
        };
        let kind = match lookup.kind {
            LookupKind::Naptr => RecordType::NAPTR,
            LookupKind::Srv => RecordType::SRV,
            LookupKind::A => RecordType::A,
            LookupKind::Aaaa => RecordType::AAAA,
        };
        // The final dot keeps the resolver from adding search domains.
        let name = format!("{}.", lookup.name);
        match resolver.lookup(name, kind).await {
            Ok(found) => {
                let records = found.answers().iter().map(|record| &record.data);
                read(lookup.kind, records)
            }
            Err(error) if error.is_no_records_found() || error.is_nx_domain() => Answer::Nothing,
            Err(_) => Answer::Failed,
        }
    }
}

/// The records of one kind; the resolver has followed the aliases already.
fn read<'a>(kind: LookupKind, records: impl Iterator<Item = &'a RData>) -> Answer {
    let mut naptr = Vec::new();
    let mut srv = Vec::new();
    let mut addresses = Vec::new();
    for record in records {
        match record {
            RData::NAPTR(record) => naptr.push(Naptr {
                order: record.order,
                preference: record.preference,
                flags: String::from_utf8_lossy(&record.flags).into_owned(),
                service: String::from_utf8_lossy(&record.services).into_owned(),
                replacement: record.replacement.to_ascii(),
            }),
            RData::SRV(record) => srv.push(Srv {
                priority: record.priority,
                weight: record.weight,
                port: record.port,
                target: record.target.to_ascii(),
            }),
            RData::A(record) => addresses.push(IpAddr::V4(record.0)),
            RData::AAAA(record) => addresses.push(IpAddr::V6(record.0)),
            _ => {}
        }
    }
    match kind {
        LookupKind::Naptr if !naptr.is_empty() => Answer::Naptr(naptr),
        LookupKind::Srv if !srv.is_empty() => Answer::Srv(srv),
        LookupKind::A | LookupKind::Aaaa if !addresses.is_empty() => Answer::Addresses(addresses),
        _ => Answer::Nothing,
    }
}
