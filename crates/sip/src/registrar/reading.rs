//! What a REGISTER asks for, checked (RFC 3261 section 10.3 steps 1 to 7, RFC 3327 section 5.3,
//! RFC 5626 section 6, RFC 5627 section 5.1).

use core::time::Duration;

use super::binding::{Aor, Binding, RECEIVED, leads_to};
use super::{Registering, RegistrarConfig};
use crate::gruu::Gruus;
use crate::headers::HeaderError;
use crate::outbound::{FlowId, FlowTransport};
use crate::proxy::Reject;
use crate::typed::Contacts;
use crate::{HeaderName, Host, NameAddr, SipUri, StatusCode, Uri};

/// Option tags that the registrar understands in Require.
const EXTENSIONS: [&str; 3] = ["path", "outbound", "gruu"];
/// Above this a wish may not be refused as too short.
const HOUR_S: u32 = 3_600;

/// A REGISTER that may be carried out.
pub(super) struct Reading {
    pub(super) aor: Aor,
    pub(super) call_id: String,
    pub(super) cseq: u32,
    pub(super) change: Change,
    pub(super) path: Vec<NameAddr>,
    pub(super) user_agent: Option<String>,
    /// The flow to keep with the bindings.
    pub(super) flow: Option<(FlowId, FlowTransport)>,
    /// A flow was registered by a device that knows RFC 5626.
    pub(super) outbound: bool,
    pub(super) gruu: bool,
}

/// What is to happen to the bindings.
pub(super) enum Change {
    Query,
    RemoveAll,
    Contacts(Vec<Wish>),
}

/// One Contact of the request.
pub(super) struct Wish {
    pub(super) contact: NameAddr,
    pub(super) expires_s: u32,
    pub(super) q: u16,
    pub(super) instance_id: Option<String>,
    pub(super) reg_id: u32,
}

impl Wish {
    /// Whether it means this row: the same flow of the same device, else an equal URI.
    pub(super) fn is_for(&self, row: &Binding) -> bool {
        if self.reg_id != 0 || row.reg_id != 0 {
            let same = self.reg_id == row.reg_id && self.instance_id == row.instance_id;
            // A plain removal of a contact URI reaches a flow's row too (section 6: it "can also
            // de-register any Contact header fields with zero expiration").
            let by_uri = self.expires_s == 0 && self.reg_id == 0;
            return same || (by_uri && self.contact.uri.equivalent(&row.contact.uri));
        }
        self.contact.uri.equivalent(&row.contact.uri)
    }

    pub(super) fn to_binding(
        &self,
        input: &Registering<'_>,
        reading: &Reading,
        ruid: u64,
        gruu_id: u64,
        now: Duration,
    ) -> Binding {
        debug_assert!(input.request.headers.contains(&HeaderName::Contact));
        Binding {
            aor: reading.aor.clone(),
            ruid,
            instance_id: self.instance_id.clone(),
            reg_id: self.reg_id,
            contact: self.contact.clone(),
            path: reading.path.clone(),
            flow: reading.flow,
            call_id: reading.call_id.clone(),
            cseq: reading.cseq,
            expires_at: now.saturating_add(Duration::from_secs(self.expires_s.into())),
            updated_at: now,
            q: self.q,
            user_agent: reading.user_agent.clone(),
            gruu_id,
        }
    }
}

/// Steps 1 to 7 as far as they need no rows.
pub(super) fn read(config: &RegistrarConfig, input: &Registering<'_>) -> Result<Reading, Reject> {
    let headers = &input.request.headers;
    let ours = |uri: &Uri| {
        let sip = uri.as_sip();
        sip.is_some_and(|uri| config.domains.contains(uri.host()))
    };
    if !ours(&input.request.uri) {
        return Err(because(
            StatusCode::NOT_FOUND,
            "no registrar of this domain",
        ));
    }
    let mut unknown = headers.require().map_err(|e| malformed(&e))?;
    unknown.retain(|tag| {
        !EXTENSIONS
            .iter()
            .any(|known| known.eq_ignore_ascii_case(tag))
    });
    if !unknown.is_empty() {
        return Err(Reject::new(StatusCode::BAD_EXTENSION)
            .with(HeaderName::Unsupported, unknown.join(", ")));
    }
    let to = headers.to().map_err(|e| malformed(&e))?;
    let aor = to
        .uri
        .as_sip()
        .and_then(|uri| Aor::of(uri, &config.domains));
    let Some(aor) = aor else {
        return Err(because(
            StatusCode::NOT_FOUND,
            "To names no user of this domain",
        ));
    };
    if aor != *input.owner {
        return Err(because(
            StatusCode::FORBIDDEN,
            "the registration is somebody else's",
        ));
    }
    let cseq = headers.cseq().map_err(|e| malformed(&e))?.seq;
    let call_id = headers.call_id().map_err(|e| malformed(&e))?.to_owned();
    let supports = |tag: &str| headers.lists(&HeaderName::Supported, tag);
    let first_hop = headers.vias().is_ok_and(|vias| vias.len() == 1);
    let path = read_path(config, input, first_hop, supports("path"))?;
    let contacts = headers.contacts().map_err(|e| malformed(&e))?;
    let expires = headers.expires().map_err(|e| malformed(&e))?;
    let flow = (first_hop && path.is_empty()).then_some((input.flow.id, input.flow.transport));
    let change = match contacts {
        Contacts::Star if expires == Some(0) => Change::RemoveAll,
        Contacts::Star => {
            return Err(because(
                StatusCode::BAD_REQUEST,
                "Contact * without Expires: 0",
            ));
        }
        Contacts::List(list) if list.is_empty() => Change::Query,
        Contacts::List(list) => {
            let keeps_flow = first_hop || knows_flow(&path);
            let mut wishes = read_contacts(
                config,
                &aor,
                list,
                expires,
                keeps_flow,
                supports("outbound"),
            )?;
            if path.is_empty() {
                prove(&mut wishes, input, flow.is_some())?;
            }
            Change::Contacts(wishes)
        }
    };
    let outbound = supports("outbound")
        && matches!(&change, Change::Contacts(list) if list.iter().any(|wish| wish.reg_id != 0));
    let user_agent = headers.get_str(&HeaderName::UserAgent).map(|agent| {
        let end = (0..=agent.len().min(128))
            .rev()
            .find(|at| agent.is_char_boundary(*at));
        agent[..end.unwrap_or(0)].to_owned()
    });
    Ok(Reading {
        aor,
        call_id,
        cseq,
        change,
        flow,
        path,
        user_agent,
        outbound,
        gruu: supports("gruu"),
    })
}

fn read_path(
    config: &RegistrarConfig,
    input: &Registering<'_>,
    first_hop: bool,
    supported: bool,
) -> Result<Vec<NameAddr>, Reject> {
    let path = input.request.headers.paths().map_err(|e| malformed(&e))?;
    let is_edge = |host: &Host| config.edge_proxies.contains(host);
    let direct = first_hop && path.is_empty();
    if !direct && !is_edge(&Host::from(input.flow.remote.ip().to_canonical())) {
        let why = "the way here is through no edge proxy of ours";
        return Err(because(StatusCode::FORBIDDEN, why));
    }
    let Some(nearest) = path.first() else {
        return Ok(path);
    };
    if !nearest
        .uri
        .as_sip()
        .is_some_and(|uri| is_edge(uri.host()) && !uri.params().has("maddr"))
    {
        let why = "Path does not begin at an edge proxy of ours";
        return Err(because(StatusCode::FORBIDDEN, why));
    }
    if config.strict_path && !supported {
        return Err(Reject::new(StatusCode::BAD_EXTENSION).with(HeaderName::Unsupported, "path"));
    }
    let bytes: usize = path.iter().map(|value| value.to_string().len()).sum();
    if path.len() > config.limits.path_max || bytes > config.limits.value_bytes_max {
        return Err(because(StatusCode::BAD_REQUEST, "Path is too long"));
    }
    Ok(path)
}

/// Notes with each contact where the request came from. A contact that no flow leads to must be
/// there: to be called at somebody else's address nobody may ask.
fn prove(wishes: &mut [Wish], input: &Registering<'_>, by_flow: bool) -> Result<(), Reject> {
    let source = input.flow.remote.ip().to_canonical();
    for wish in wishes {
        let uri = wish.contact.uri.as_sip();
        let there = uri.is_some_and(|uri| leads_to(uri, source));
        if wish.expires_s > 0 && !there && !by_flow {
            let why = "Contact is not where the request came from";
            return Err(because(StatusCode::FORBIDDEN, why));
        }
        let received = source.to_string();
        wish.contact.params.set_quoted(RECEIVED, &received);
    }
    Ok(())
}

/// Whether the first proxy of the path keeps the flow to the device (RFC 5626 section 6: `ob`).
/// It put its value below those of the proxies after it.
fn knows_flow(path: &[NameAddr]) -> bool {
    let has_ob = |value: &NameAddr| value.uri.as_sip().is_some_and(|uri| uri.params().has("ob"));
    path.last().is_some_and(has_ob) || path.first().is_some_and(has_ob)
}

fn read_contacts(
    config: &RegistrarConfig,
    aor: &Aor,
    list: Vec<NameAddr>,
    expires: Option<u32>,
    keeps_flow: bool,
    outbound: bool,
) -> Result<Vec<Wish>, Reject> {
    if list.len() > config.limits.contacts_max {
        return Err(because(StatusCode::BAD_REQUEST, "too many contacts"));
    }
    let mut wishes = Vec::with_capacity(list.len());
    for contact in list {
        wishes.push(read_contact(config, aor, contact, expires)?);
    }
    let added = wishes.iter().filter(|wish| wish.expires_s > 0).count();
    let flows = wishes
        .iter()
        .any(|wish| wish.reg_id != 0 && wish.expires_s > 0);
    if flows && added > 1 {
        let why = "reg-id beside other contacts";
        return Err(because(StatusCode::BAD_REQUEST, why));
    }
    if !keeps_flow {
        if flows && outbound {
            return Err(Reject::new(StatusCode::FIRST_HOP_LACKS_OUTBOUND_SUPPORT));
        }
        for wish in &mut wishes {
            wish.reg_id = 0;
        }
    }
    Ok(wishes)
}

fn read_contact(
    config: &RegistrarConfig,
    aor: &Aor,
    mut contact: NameAddr,
    expires: Option<u32>,
) -> Result<Wish, Reject> {
    let wanted = contact
        .expires()
        .or(expires)
        .unwrap_or(config.expires_default_s);
    let least = config.expires_min_s.min(HOUR_S);
    if wanted > 0 && wanted < least {
        return Err(Reject::new(StatusCode::INTERVAL_TOO_BRIEF)
            .with(HeaderName::MinExpires, least.to_string()));
    }
    let expires_s = wanted.min(config.expires_max_s.max(least));
    let Some(uri) = contact.uri.as_sip() else {
        return Err(because(StatusCode::FORBIDDEN, "Contact is not a SIP URI"));
    };
    // An address of our own domain leads back here: a loop, or a way to listen in on another.
    if wanted > 0 && leads_back(config, aor, uri) {
        return Err(because(
            StatusCode::FORBIDDEN,
            "Contact leads back to this domain",
        ));
    }
    let q = match contact.params.has("q") {
        false => 1_000,
        true => contact
            .q()
            .ok_or_else(|| because(StatusCode::BAD_REQUEST, "q of Contact is malformed"))?,
    };
    let instance_id = contact.params.get("+sip.instance").map(instance);
    let reg_id = match contact.params.get("reg-id") {
        None => 0,
        Some(text) => text
            .parse()
            .ok()
            .filter(|id| (1..1 << 31).contains(id))
            .ok_or_else(|| because(StatusCode::BAD_REQUEST, "reg-id is not a number above 0"))?,
    };
    // A reg-id without an instance is ignored (RFC 5626 section 6).
    let reg_id = if instance_id.is_some() { reg_id } else { 0 };
    for param in ["expires", "pub-gruu", "temp-gruu", RECEIVED] {
        contact.params.remove(param);
    }
    let bytes = contact.to_string().len();
    if bytes > config.limits.value_bytes_max {
        return Err(because(StatusCode::BAD_REQUEST, "Contact is too long"));
    }
    Ok(Wish {
        contact,
        expires_s,
        q,
        instance_id,
        reg_id,
    })
}

fn leads_back(config: &RegistrarConfig, aor: &Aor, uri: &SipUri) -> bool {
    if let Some(maddr) = uri.params().get("maddr") {
        // It takes the host's place in the search for an address (RFC 3263 section 4).
        let Ok(host) = Host::parse(maddr) else {
            return true;
        };
        let ours = config.domains.contains(&host);
        let there = SipUri::new(host);
        let there = uri
            .port()
            .map_or(there.clone(), |port| there.with_port(port));
        if ours || config.own.iter().any(|name| name.is_named_by(&there)) {
            return true;
        }
    }
    if config.own.iter().any(|name| name.is_named_by(uri)) {
        return true;
    }
    let ours = config.domains.contains(uri.host());
    ours && (uri.user().is_none()
        || Gruus::is_gruu(uri)
        || uri.equivalent(&aor.to_uri())
        || matches!(uri.host(), crate::Host::Name(_)))
}

/// `<urn:uuid:…>` without its brackets; a UUID in any case is one UUID (RFC 4122 section 3).
fn instance(text: &str) -> String {
    let inner = text.trim_start_matches('<').trim_end_matches('>');
    let is_uuid = inner
        .get(..9)
        .is_some_and(|start| start.eq_ignore_ascii_case("urn:uuid:"));
    if is_uuid {
        inner.to_ascii_lowercase()
    } else {
        inner.to_owned()
    }
}

fn malformed(error: &HeaderError) -> Reject {
    let what = if error.is_missing() {
        "is missing"
    } else {
        "is malformed"
    };
    because(StatusCode::BAD_REQUEST, &format!("{} {what}", error.header))
}

fn because(status: StatusCode, why: &str) -> Reject {
    let mut reject = Reject::new(status);
    reject.reason = Some(format!("{}: {why}", status.reason()));
    reject
}
