//! The emergency INVITE: every header field and body part of it, from the household's profile.

//!
//! How a drill is marked (DESIGN invariant 6). `urn:service:test.sos` would say it in the Request-URI, but RFC 6881 §15
//! gives that name to an automated test that loops a few packets back and hangs up, so a drill with a person at each
//! end uses `urn:service:sos` and is marked three times: `Subject` ("DRILL…", RFC 3261 §20.36, shown by every phone and
//! console), the header field `Emergency-Drill: yes` for programs (no `X-`, RFC 6648; whoever does not know it ignores
//! it, RFC 3261 §8.2.2), and the first words of the Comment block (RFC 7852 §4.5). The permission type allows nothing
//! else: there is no way to build an INVITE without the marks.

use crate::additional::{
    Block, Comment, CommentText, DeviceInfo, ProviderInfo, ServiceInfo, SubscriberInfo,
    UniqueDeviceId, VCard, VCardAddress,
};
use crate::body::{BodyPart, Disposition, TYPE_PIDF, TYPE_SDP};
use crate::civic::{CivicAddress, CivicElement};
use crate::line::{AddressAs, Line};
use crate::pidf::{LocationObject, PidfLo, ProvidedBy};
use crate::profile::EmergencyProfile;
use crate::service::DrillService;
use crate::target::SipUri;
use crate::timestamp::Timestamp;

/// The header field by which a program knows a drill.
pub const HEADER_DRILL: &str = "Emergency-Drill";
/// The Subject of every drill.
pub const DRILL_SUBJECT: &str = "DRILL - not an emergency";

/// An INVITE as plain fields. The SIP endpoint adds Via, Max-Forwards, Call-ID, CSeq, the From tag and the multipart framing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmergencyInvite {
    /// `urn:service:sos` or a sub-service; on a line that knows numbers only, `sip:911@host`.
    pub request_uri: String,
    /// Where it is sent, whatever the Route says: the line.
    pub next_hop: SipUri,
    /// Header fields in order, as (name, value); a name may stand more than once.
    pub headers: Vec<(&'static str, String)>,
    /// Parts of the `multipart/mixed` body; the session description first when there is one.
    pub parts: Vec<BodyPart>,
}

impl EmergencyInvite {
    /// The same with this session description as its first part, replacing one that is there.
    #[must_use]
    pub fn with_sdp(mut self, sdp: Vec<u8>) -> Self {
        self.parts.retain(|part| part.content_type != TYPE_SDP);
        self.parts.insert(
            0,
            BodyPart {
                content_type: TYPE_SDP.to_owned(),
                content_id: None,
                disposition: Disposition::Default,
                bytes: sdp,
            },
        );
        self
    }

    /// The first header field of this name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(own, _)| own.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }
}

/// How much an INVITE carries; less after a refusal that more would meet again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Content {
    /// Every location and every data block.
    Full,
    /// One location only, the most exact the owner stated: the one corrected retry after 424 (RFC 6442 §4.3).
    OneLocation,
    /// No location; data blocks stay.
    NoLocation,
    /// The session description alone, for a call-taker that takes no multipart (413, 415, 420, 513).
    SessionOnly,
}

/// What one INVITE is built from.
#[derive(Debug, Clone, Copy)]
pub struct InviteRequest<'a> {
    /// The permission, with the service.
    pub permit: &'a DrillService,
    /// The household.
    pub profile: &'a EmergencyProfile,
    /// The line it goes by: how it is addressed, and whose account it is.
    pub line: &'a Line,
    /// Where it is sent: the line's target, or where the line redirected to.
    pub next_hop: &'a SipUri,
    /// The call-taker's URI from LoST; none when there is no mapping (RFC 6881 ED-55).
    pub route: Option<&'a SipUri>,
    /// A token of this call, unique over time: part of every Content-ID and of the data's reference.
    pub call_token: &'a str,
    /// How much to carry.
    pub content: Content,
    /// Session description, if it is known already.
    pub sdp: Option<&'a [u8]>,
    /// Wall time, for the location's timestamp.
    pub wall: Timestamp,
}

impl InviteRequest<'_> {
    /// Builds the INVITE.
    pub fn build(&self) -> EmergencyInvite {
        let service = self.permit.service();
        let (request_uri, to) = match self.line.address_as {
            AddressAs::Service => (service.to_string(), service.to_string()),
            AddressAs::Number(plan) => {
                let to = self
                    .line
                    .target
                    .with_user(plan.number_for(service).as_str());
                // A redirection replaces the Request-URI and leaves To (RFC 3261 §8.1.3.4).
                let request_uri = match *self.next_hop == self.line.target {
                    true => to.to_string(),
                    false => self.next_hop.to_string(),
                };
                (request_uri, to.to_string())
            }
        };
        let mut headers: Vec<(&'static str, String)> = vec![
            ("To", format!("<{to}>")),
            ("From", self.from()),
            ("Contact", format!("<{}>", self.profile.contact)),
        ];
        // A line that knows numbers only has a way of its own to the call-taker; a Route would lead past it.
        if let (Some(route), AddressAs::Service) = (self.route, self.line.address_as) {
            headers.push(("Route", loose_route(route)));
        }
        headers.push(("P-Preferred-Identity", self.identity()));
        headers.push(("Priority", "emergency".to_owned()));
        // The mark that a person reads, the mark that a program reads, and the first remark of the Comment block.
        headers.push(("Subject", DRILL_SUBJECT.to_owned()));
        headers.push((HEADER_DRILL, "yes".to_owned()));
        headers.push(("Accept", "application/sdp, text/plain".to_owned()));

        let mut parts = Vec::new();
        if let Some(sdp) = self.sdp {
            parts.push(BodyPart {
                content_type: TYPE_SDP.to_owned(),
                content_id: None,
                disposition: Disposition::Default,
                bytes: sdp.to_vec(),
            });
        }
        if let Some(location) = self.location() {
            let content_id = self.content_id("location");
            headers.push(("Geolocation", format!("<cid:{content_id}>")));
            headers.push(("Geolocation-Routing", "yes".to_owned()));
            parts.push(BodyPart {
                content_type: TYPE_PIDF.to_owned(),
                content_id: Some(content_id),
                disposition: Disposition::ByReference,
                bytes: location.to_bytes(),
            });
        }
        if self.content != Content::SessionOnly {
            for block in self.blocks() {
                let content_id = self.content_id(&block.kind().name().to_ascii_lowercase());
                headers.push(("Call-Info", block.call_info(&content_id)));
                parts.push(block.to_part(&content_id));
            }
        }
        EmergencyInvite {
            request_uri,
            next_hop: self.next_hop.clone(),
            headers,
            parts,
        }
    }

    /// The location object of this INVITE; none when there is nothing to say or nothing is to be said.
    pub fn location(&self) -> Option<PidfLo> {
        let (civic, shape) = match self.content {
            Content::Full => (self.profile.civic.clone(), self.profile.shape.clone()),
            Content::OneLocation => match &self.profile.civic {
                Some(civic) => (Some(plain(civic)), None),
                None => (None, self.profile.shape.clone()),
            },
            Content::NoLocation | Content::SessionOnly => (None, None),
        };
        // Each form stands alone: nobody but the call-taker may combine or convert them (RFC 6881 ED-13, RFC 5491 §3).
        let mut locations = Vec::new();
        if let Some(civic) = civic.filter(|civic| !civic.is_empty()) {
            locations.push(LocationObject::manual(
                "civic",
                Some(civic),
                None,
                self.wall,
            ));
        }
        if let Some(shape) = shape {
            locations.push(LocationObject::manual(
                "geodetic",
                None,
                Some(shape),
                self.wall,
            ));
        }
        for location in &mut locations {
            location.provided_by = ProvidedBy::ProviderInfo {
                content_id: self.content_id("providerinfo"),
            };
        }
        (!locations.is_empty()).then(|| PidfLo {
            entity: format!(
                "pres:{}@{}",
                name_token(&self.profile.device.name),
                self.profile.domain
            ),
            locations,
        })
    }

    /// The five blocks of additional data, with one reference (RFC 7852 §4).
    pub fn blocks(&self) -> Vec<Block> {
        let profile = self.profile;
        let reference = format!("{}@{}", self.call_token, profile.domain);
        let contact_uri = profile
            .callback_number
            .clone()
            .unwrap_or_else(|| profile.identity.as_str().to_owned());
        let languages = if profile.subscriber.languages.is_empty() {
            vec!["en".to_owned()]
        } else {
            profile.subscriber.languages.clone()
        };
        let types = if profile.service_types.is_empty() {
            vec!["OTT".to_owned()]
        } else {
            profile.service_types.clone()
        };
        vec![
            Block::ProviderInfo(ProviderInfo {
                reference: reference.clone(),
                name: profile.subscriber.full_name.clone(),
                provider_id: None,
                provider_id_series: None,
                type_of_provider: "Client".to_owned(),
                contact_uri,
                languages,
                contact: None,
            }),
            Block::ServiceInfo(ServiceInfo {
                reference: reference.clone(),
                environment: Some("Residence".to_owned()),
                types,
                mobility: "Fixed".to_owned(),
            }),
            Block::DeviceInfo(DeviceInfo {
                reference: reference.clone(),
                classification: Some("fixed".to_owned()),
                manufacturer: Some(profile.device.manufacturer.clone()),
                model: Some(profile.device.model.clone()),
                ids: vec![UniqueDeviceId {
                    kind: "SN".to_owned(),
                    value: profile.device.key_id.clone(),
                }],
            }),
            Block::SubscriberInfo(SubscriberInfo {
                reference: reference.clone(),
                privacy_requested: profile.subscriber.privacy_requested,
                subscriber: self.subscriber(),
            }),
            Block::Comment(Comment {
                reference,
                comments: vec![CommentText {
                    lang: Some("en".to_owned()),
                    text: format!(
                        "DRILL - this is not an emergency. Placed by a person's spoken command at the device \"{}\"; \
                         live two-way audio is open. The device keeps a signed record under key {}.",
                        profile.device.name, profile.device.key_id
                    ),
                }],
            }),
        ]
    }

    fn subscriber(&self) -> VCard {
        let profile = self.profile;
        let address = profile.civic.as_ref().map(|civic| {
            use CivicElement as E;
            let get = |element: E| civic.get(element).unwrap_or("").to_owned();
            let street = [
                E::HouseNumber,
                E::LeadingDirection,
                E::Road,
                E::A6,
                E::StreetSuffix,
                E::TrailingDirection,
                E::Unit,
            ]
            .into_iter()
            .filter_map(|element| civic.get(element))
            .collect::<Vec<_>>()
            .join(" ");
            VCardAddress {
                street,
                locality: get(E::A3),
                region: get(E::A1),
                code: get(E::PostalCode),
                country: get(E::Country),
            }
        });
        VCard {
            full_name: profile.subscriber.full_name.clone(),
            addresses: address.into_iter().collect(),
            telephones: profile.callback_number.iter().cloned().collect(),
            emails: Vec::new(),
            languages: profile.subscriber.languages.clone(),
        }
    }

    fn from(&self) -> String {
        let name = quoted(&self.profile.display_name);
        // Trunks and adapters know a caller by the account in From.
        let identity = match (&self.line.credentials, self.line.address_as) {
            (Some(credentials), AddressAs::Number(_)) => {
                self.line.target.with_user(credentials.username())
            }
            _ => self.profile.identity.clone(),
        };
        if name.is_empty() {
            format!("<{identity}>")
        } else {
            format!("{name} <{identity}>")
        }
    }

    /// The identity the line may assert (RFC 3325 §9.2): the number when there is one.
    fn identity(&self) -> String {
        match &self.profile.callback_number {
            Some(number) => format!("<{}>", header_text(number)),
            None => format!("<{}>", self.profile.identity),
        }
    }

    fn content_id(&self, name: &str) -> String {
        format!("{}.{name}@{}", self.call_token, self.profile.domain)
    }
}

/// The address without foreign extensions and language marks: what every recipient reads.
fn plain(civic: &CivicAddress) -> CivicAddress {
    let mut out = CivicAddress::new();
    for (element, value) in civic
        .elements()
        .filter(|(element, _)| !element.is_extension())
    {
        out.set(element, value)
            .expect("a value that was accepted once is accepted again");
    }
    out
}

/// A Route header field's value: loose routing always (RFC 3261 §16.12).
fn loose_route(uri: &SipUri) -> String {
    let text = uri.as_str();
    let has_lr = text
        .split(['?'])
        .next()
        .unwrap_or(text)
        .split(';')
        .skip(1)
        .any(|parameter| {
            parameter.eq_ignore_ascii_case("lr")
                || parameter.to_ascii_lowercase().starts_with("lr=")
        });
    if has_lr {
        format!("<{text}>")
    } else {
        format!("<{text};lr>")
    }
}

/// A display name as a quoted string (RFC 3261 §25.1); control characters cannot be quoted and become spaces.
fn quoted(name: &str) -> String {
    let name = header_text(name);
    if name.is_empty() {
        return String::new();
    }
    format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""))
}

/// Text for a header field: no control characters, no ends of line.
fn header_text(text: &str) -> String {
    let cleaned: String = text
        .chars()
        .map(|character| {
            if character.is_control() {
                ' '
            } else {
                character
            }
        })
        .collect();
    cleaned.trim().to_owned()
}

/// A name as the user part of a URI.
fn name_token(name: &str) -> String {
    let token: String = name
        .chars()
        .filter_map(|character| match character {
            'a'..='z' | '0'..='9' | '-' | '.' | '_' => Some(character),
            'A'..='Z' => Some(character.to_ascii_lowercase()),
            ' ' => Some('-'),
            _ => None,
        })
        .take(64)
        .collect();
    if token.is_empty() {
        "device".to_owned()
    } else {
        token
    }
}
