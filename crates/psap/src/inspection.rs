//! What an INVITE says, fact by fact: the call-taker's reading of RFC 6881, 6442, 4119, 7852 and 3264.

use hearthline_emergency::additional::{Block, BlockKind};
use hearthline_emergency::invite::HEADER_DRILL;
use hearthline_emergency::pidf::{PidfLo, ProvidedBy};
use hearthline_emergency::service::ServiceUrn;
use hearthline_sip::multipart::{MultipartLimits, Part, find_by_cid, find_by_type, parts_of};
use hearthline_sip::sdp::{Direction, Media, SessionDescription};
use hearthline_sip::{HeaderName, Headers, NameAddr, Request, Uri};

use crate::data_block::DataBlock;
use crate::fact::Fact;
use crate::place::Place;

/// Longest value shown of anything the caller wrote, in characters.
const VALUE_CHARS_MAX: usize = 300;
/// The first word of the marks of a drill.
const DRILL: &str = "DRILL";
/// Payload type of comfort noise (RFC 3389), which only a gating sender offers.
const COMFORT_NOISE: u8 = 13;

/// Everything read from one INVITE.
#[derive(Clone, Debug)]
pub struct Inspection {
    /// The facts, in the order a call-taker would ask.
    pub facts: Vec<Fact>,
    /// The service asked for, if it is one.
    pub service: Option<ServiceUrn>,
    /// The session offered, if there is one that reads.
    pub offer: Option<SessionDescription>,
    /// Where to call back, as written in Contact.
    pub callback: Option<String>,
    /// Whether the call is marked as a drill everywhere.
    pub drill: bool,
    /// Where the caller says to be.
    pub place: Option<Place>,
    /// Additional data that reads.
    pub data: Vec<DataBlock>,
}

/// Reads an INVITE.
#[must_use]
pub fn inspect(request: &Request) -> Inspection {
    let mut facts = Vec::new();
    let service = service(request, &mut facts);
    let callback = parties(&request.headers, &mut facts);
    let parts = match parts_of(&request.headers, &request.body, &MultipartLimits::default()) {
        Ok(parts) => parts,
        Err(error) => {
            facts.push(Fact::wrong("body", "RFC 2046 §5.1", error.to_string()));
            Vec::new()
        }
    };
    let place = location(&request.headers, &parts, &mut facts);
    let blocks = additional_data(&request.headers, &parts, &mut facts);
    let drill = drill(&request.headers, &blocks, &mut facts);
    let offer = session(&parts, &mut facts);
    for fact in &mut facts {
        if fact.value.chars().count() > VALUE_CHARS_MAX {
            fact.value = fact
                .value
                .chars()
                .take(VALUE_CHARS_MAX)
                .chain(['…'])
                .collect();
        }
    }
    Inspection {
        facts,
        service,
        offer,
        callback,
        drill,
        place,
        data: blocks.iter().map(DataBlock::of).collect(),
    }
}

fn service(request: &Request, facts: &mut Vec<Fact>) -> Option<ServiceUrn> {
    let read = |uri: &Uri| ServiceUrn::parse(&uri.to_string()).ok();
    let asked = read(&request.uri).filter(ServiceUrn::is_sos);
    let clause = "RFC 6881 ED-62.1, RFC 5031";
    facts.push(Fact::of(
        asked.is_some(),
        "request-uri",
        clause,
        request.uri.to_string(),
    ));
    let clause = "RFC 6881 ED-62.2";
    facts.push(match request.headers.to() {
        Ok(to) => {
            let same = asked.is_some() && read(&to.uri) == asked;
            Fact::of(same, "to", clause, to.uri.to_string())
        }
        Err(error) => Fact::wrong("to", clause, error.to_string()),
    });
    asked
}

/// From, Contact, asserted identity, priority; returns where to call back.
fn parties(headers: &Headers, facts: &mut Vec<Fact>) -> Option<String> {
    let clause = "RFC 6881 ED-62.3";
    facts.push(match headers.from() {
        Ok(from) => {
            let ok = matches!(from.uri, Uri::Sip(_) | Uri::Tel(_)) && !is_anonymous(&from.uri);
            Fact::of(ok, "from", clause, from.uri.to_string())
        }
        Err(error) => Fact::wrong("from", clause, error.to_string()),
    });

    let clause = "RFC 6881 ED-62.5, ED-63";
    let contact = headers
        .contacts()
        .ok()
        .and_then(|contacts| contacts.first().cloned());
    let callback = contact
        .filter(|contact| can_be_called(&contact.uri))
        .map(|c| c.uri.to_string());
    facts.push(match &callback {
        Some(uri) => Fact::found("contact", clause, uri.clone()),
        None => Fact::wrong("contact", clause, "no Contact that can be called back"),
    });

    let clause = "RFC 6881 SP-36, RFC 3325";
    let identity = [
        HeaderName::PAssertedIdentity,
        HeaderName::PPreferredIdentity,
    ]
    .iter()
    .find_map(|name| headers.get_str(name));
    facts.push(match identity {
        Some(identity) if NameAddr::parse(identity).is_err() => {
            Fact::wrong("identity", clause, format!("{identity} is no address"))
        }
        Some(identity) => Fact::found("identity", clause, identity),
        None => Fact::wrong(
            "identity",
            clause,
            "neither P-Asserted-Identity nor P-Preferred-Identity",
        ),
    });

    let priority = headers.get_str(&HeaderName::Priority).unwrap_or("none");
    let ok = priority.eq_ignore_ascii_case("emergency");
    facts.push(Fact::of(ok, "priority", "RFC 3261 §20.26", priority));
    callback
}

fn is_anonymous(uri: &Uri) -> bool {
    uri.as_sip().is_some_and(|sip| {
        sip.host()
            .to_string()
            .eq_ignore_ascii_case("anonymous.invalid")
            || sip
                .user()
                .is_some_and(|user| user.eq_ignore_ascii_case("anonymous"))
    })
}

/// A SIP URI with a host that is somewhere, or a telephone number.
fn can_be_called(uri: &Uri) -> bool {
    match uri {
        Uri::Tel(_) => true,
        Uri::Sip(sip) => {
            let nowhere = sip.host().ip().is_some_and(|ip| ip.is_unspecified());
            let host = sip.host().to_string().to_ascii_lowercase();
            !nowhere && !host.is_empty() && !host.ends_with(".invalid")
        }
        Uri::Urn(_) | Uri::Other(_) => false,
    }
}

fn location(headers: &Headers, parts: &[Part], facts: &mut Vec<Fact>) -> Option<Place> {
    let clause = "RFC 6442 §4.1, RFC 6881 ED-33";
    let references = match headers.geolocation() {
        Ok(references) if !references.is_empty() => references,
        Ok(_) => {
            facts.push(Fact::wrong(
                "geolocation",
                clause,
                "no Geolocation header field",
            ));
            return None;
        }
        Err(error) => {
            facts.push(Fact::wrong("geolocation", clause, error.to_string()));
            return None;
        }
    };
    let uris: Vec<String> = references
        .iter()
        .map(|reference| reference.uri.to_string())
        .collect();
    let part = uris.iter().find_map(|uri| referenced(parts, uri));
    let by_reference = uris.iter().any(|uri| !is_cid(uri));
    facts.push(match (part, by_reference) {
        (Some(_), _) => Fact::found("geolocation", clause, uris.join(" ")),
        (None, true) => Fact::found(
            "geolocation",
            clause,
            format!("by reference {}", uris.join(" ")),
        ),
        (None, false) => Fact::wrong(
            "geolocation",
            clause,
            format!("no part for {}", uris.join(" ")),
        ),
    });
    let routing = headers.geolocation_routing();
    facts.push(Fact::of(
        routing == Some(true),
        "geolocation-routing",
        "RFC 6442 §4.2",
        match routing {
            Some(true) => "yes",
            Some(false) => "no",
            None => "not stated",
        },
    ));
    part.and_then(|part| location_object(part, facts))
}

fn location_object(part: &Part, facts: &mut Vec<Fact>) -> Option<Place> {
    let clause = "RFC 4119, RFC 5491";
    let parsed = part.decoded().map_err(|error| error.to_string());
    let parsed = parsed.and_then(|bytes| PidfLo::parse(&bytes).map_err(|error| error.to_string()));
    let pidf = match parsed {
        Ok(pidf) => pidf,
        Err(error) => {
            facts.push(Fact::wrong("pidf-lo", clause, error));
            return None;
        }
    };
    let unread: Vec<&str> = pidf
        .locations
        .iter()
        .flat_map(|object| &object.unread)
        .map(|unread| unread.why.as_str())
        .collect();
    let count = pidf.locations.len();
    let text = format!(
        "{count} location(s) of {} {}",
        pidf.entity,
        unread.join("; ")
    );
    facts.push(Fact::of(
        unread.is_empty(),
        "pidf-lo",
        clause,
        text.trim_end(),
    ));
    if let Some(civic) = pidf.civic() {
        let fields: Vec<String> = civic
            .elements()
            .map(|(element, value)| format!("{}={value}", element.name()))
            .collect();
        facts.push(Fact::found(
            "location-civic",
            "RFC 5139 §3.1",
            fields.join(", "),
        ));
    }
    if let Some(shape) = pidf.shape() {
        let at = shape.anchor();
        let text = format!("{:.5}, {:.5}", at.latitude(), at.longitude());
        facts.push(Fact::found("location-geodetic", "RFC 5491 §5", text));
    }
    if pidf.civic().is_none() && pidf.shape().is_none() {
        facts.push(Fact::wrong(
            "location",
            "RFC 6881 ED-12",
            "neither civic nor geodetic",
        ));
    }
    let stated = pidf.locations.iter().all(|object| {
        object.method.is_some() && !matches!(object.provided_by, ProvidedBy::Unstated)
    });
    let methods: Vec<&str> = pidf
        .locations
        .iter()
        .map(|object| object.method.as_deref().unwrap_or("none"))
        .collect();
    facts.push(Fact::of(
        stated,
        "location-source",
        "RFC 6881 ED-41",
        methods.join(", "),
    ));
    Some(Place::of(&pidf))
}

/// The blocks that Call-Info refers to and that read.
fn additional_data(headers: &Headers, parts: &[Part], facts: &mut Vec<Fact>) -> Vec<Block> {
    let infos = headers.call_info().unwrap_or_default();
    let mut blocks = Vec::new();
    for kind in BlockKind::ALL {
        let (name, clause) = match kind {
            BlockKind::ProviderInfo => ("data-provider", "RFC 7852 §4.1, §6"),
            BlockKind::ServiceInfo => ("data-service", "RFC 7852 §4.2, §6"),
            BlockKind::DeviceInfo => ("data-device", "RFC 7852 §4.3, §6"),
            BlockKind::SubscriberInfo => ("data-subscriber", "RFC 7852 §4.4, §6"),
            BlockKind::Comment => ("data-comment", "RFC 7852 §4.5, §6"),
        };
        facts.push(match block(kind, &infos, parts) {
            Ok(block) => {
                let text = summary(&block);
                blocks.push(block);
                Fact::found(name, clause, text)
            }
            Err(why) => Fact::wrong(name, clause, why),
        });
    }
    let clause = "RFC 7852 §4, DataProviderReference";
    let mut references: Vec<&str> = blocks.iter().map(Block::reference).collect();
    references.dedup();
    facts.push(match references.as_slice() {
        [one] if !one.is_empty() => Fact::found("data-reference", clause, *one),
        [] => Fact::wrong("data-reference", clause, "no block to compare"),
        many => Fact::wrong(
            "data-reference",
            clause,
            format!("differ: {}", many.join(", ")),
        ),
    });
    let clause = "RFC 7852 §4.3.4";
    let id = blocks.iter().find_map(|block| match block {
        Block::DeviceInfo(device) => device.ids.iter().find(|id| !id.value.is_empty()),
        _ => None,
    });
    facts.push(match id {
        Some(id) => Fact::found(
            "unique-device-id",
            clause,
            format!("{} {}", id.kind, id.value),
        ),
        None => Fact::wrong("unique-device-id", clause, "no UniqueDeviceID"),
    });
    blocks
}

fn block(kind: BlockKind, infos: &[NameAddr], parts: &[Part]) -> Result<Block, String> {
    let purpose = kind.purpose();
    let info = infos
        .iter()
        .find(|info| {
            info.params
                .get("purpose")
                .is_some_and(|own| own.eq_ignore_ascii_case(&purpose))
        })
        .ok_or("no Call-Info refers to it")?;
    let uri = info.uri.to_string();
    let part = referenced(parts, &uri).ok_or_else(|| format!("no part for {uri}"))?;
    if !part
        .content_type()
        .is_some_and(|own| own.is(&kind.content_type()))
    {
        return Err(format!("the part is not {}", kind.content_type()));
    }
    let bytes = part.decoded().map_err(|error| error.to_string())?;
    let block = Block::parse(&bytes).map_err(|error| error.to_string())?;
    if block.kind() == kind {
        Ok(block)
    } else {
        Err("the part holds another block".to_owned())
    }
}

fn summary(block: &Block) -> String {
    match block {
        Block::ProviderInfo(info) => format!("{}, {}", info.name, info.type_of_provider),
        Block::ServiceInfo(info) => format!("{}, {}", info.types.join("+"), info.mobility),
        Block::DeviceInfo(info) => [&info.manufacturer, &info.model, &info.classification]
            .map(|own| own.as_deref().unwrap_or("?"))
            .join(", "),
        Block::SubscriberInfo(info) => info.subscriber.full_name.clone(),
        Block::Comment(info) => info
            .comments
            .iter()
            .map(|comment| comment.text.as_str())
            .collect::<Vec<_>>()
            .join(" / "),
    }
}

/// The marks by which a drill is known to people and to programs.
fn drill(headers: &Headers, blocks: &[Block], facts: &mut Vec<Fact>) -> bool {
    let starts = |text: &str| text.trim_start().to_ascii_uppercase().starts_with(DRILL);
    let header = headers
        .iter()
        .find(|(name, _)| name.as_str().eq_ignore_ascii_case(HEADER_DRILL))
        .is_some_and(|(_, value)| value.eq_ignore_ascii_case(b"yes"));
    let subject = headers.get_str(&HeaderName::Subject).is_some_and(starts);
    let comment = blocks.iter().any(|block| match block {
        Block::Comment(info) => info
            .comments
            .first()
            .is_some_and(|first| starts(&first.text)),
        _ => false,
    });
    let marks = [
        (header, HEADER_DRILL),
        (subject, "Subject"),
        (comment, "Comment"),
    ];
    let missing: Vec<&str> = marks
        .iter()
        .filter(|(there, _)| !there)
        .map(|(_, name)| *name)
        .collect();
    let ok = missing.is_empty();
    let text = if ok {
        "marked".to_owned()
    } else {
        format!("not marked in {}", missing.join(", "))
    };
    facts.push(Fact::of(ok, "drill", "invariant 6: a drill says so", text));
    ok
}

fn session(parts: &[Part], facts: &mut Vec<Fact>) -> Option<SessionDescription> {
    let clause = "RFC 6881 ED-62.9, ED-71, RFC 3264";
    let Some(part) = find_by_type(parts, "application/sdp") else {
        facts.push(Fact::wrong("sdp", clause, "no session offered"));
        return None;
    };
    let offer = match SessionDescription::parse(&part.body) {
        Ok(offer) => offer,
        Err(error) => {
            facts.push(Fact::wrong("sdp", clause, error.to_string()));
            return None;
        }
    };
    let audio = offer
        .media
        .iter()
        .find(|media| media.kind == "audio" && media.port != 0);
    let Some(audio) = audio else {
        facts.push(Fact::wrong("sdp", clause, "no audio stream"));
        return Some(offer);
    };
    let encodings: Vec<String> = audio
        .payload_types()
        .filter_map(|payload_type| audio.rtpmap(payload_type))
        .map(|map| map.encoding)
        .collect();
    facts.push(Fact::found("sdp", clause, encodings.join(" ")));
    for (name, encoding) in [("offers-pcmu", "PCMU"), ("offers-pcma", "PCMA")] {
        let ok = encodings
            .iter()
            .any(|own| own.eq_ignore_ascii_case(encoding));
        facts.push(Fact::of(
            ok,
            name,
            "RFC 6881 ED-72",
            if ok { encoding } else { "missing" },
        ));
    }
    let direction = audio.direction(&offer);
    let ok = direction == Direction::SendRecv;
    facts.push(Fact::of(
        ok,
        "audio-both-ways",
        "RFC 6881 ED-70, invariant 5",
        direction.as_str(),
    ));
    let gated = gates(audio);
    let text = if gated {
        "comfort noise or silence suppression offered"
    } else {
        "continuous"
    };
    facts.push(Fact::of(!gated, "audio-not-gated", "RFC 6881 ED-73", text));
    Some(offer)
}

fn gates(audio: &Media) -> bool {
    let suppression = audio
        .attributes
        .get_all("silenceSupp")
        .any(|value| value.starts_with("on"));
    let annexb = audio
        .attributes
        .get_all("fmtp")
        .any(|value| value.contains("usedtx=1"));
    suppression
        || annexb
        || audio
            .payload_types()
            .any(|payload_type| payload_type == COMFORT_NOISE)
}

fn is_cid(uri: &str) -> bool {
    uri.get(..4)
        .is_some_and(|scheme| scheme.eq_ignore_ascii_case("cid:"))
}

fn referenced<'a>(parts: &'a [Part], uri: &str) -> Option<&'a Part> {
    if is_cid(uri) {
        find_by_cid(parts, uri)
    } else {
        None
    }
}
