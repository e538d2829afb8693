//! A LoST server's answers (RFC 5222), without a socket: a document in, a document out.

use core::time::Duration;

use hearthline_emergency::civic::CivicAddress;
use hearthline_emergency::lost::{
    BoundaryResponse, BoundaryValue, DisplayName, Expires, FindService, FindServiceResponse,
    ListServicesByLocation, LocationValidation, LostError, LostErrorKind, LostErrors, LostLocation,
    LostLocationValue, LostRequest, LostResponse, LostWarning, LostWarningKind, Mapping,
    PROFILE_CIVIC, PROFILE_GEODETIC, Redirect, ServiceBoundary, ServicesResponse,
};
use hearthline_emergency::service::ServiceUrn;
use hearthline_emergency::timestamp::Timestamp;
use serde::Deserialize;

use crate::boundaries::{Boundaries, Lifetime, ServiceArea};

/// How the server fails, for tests.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LostFault {
    /// It does not.
    #[default]
    None,
    /// Takes the request and never answers.
    Dead,
    /// Answers after so many milliseconds.
    Slow(u64),
    /// A right mapping with a URI of a scheme that nobody can call.
    WrongScheme,
    /// A right mapping that expired yesterday.
    ExpiredMapping,
    /// This error of §13.1, by its element's name.
    Error(String),
    /// A right mapping with this warning of §13.2, by its element's name.
    Warning(String),
    /// `redirect` to another server.
    Redirect(String),
    /// `redirect` to this server, every time.
    RedirectLoop,
    /// An HTTP status instead of an answer.
    HttpStatus(u16),
    /// Bytes that are no LoST.
    Garbage,
}

/// What the HTTP side is to send.
#[derive(Clone, Debug, PartialEq)]
pub enum LostAnswer {
    /// A document with status 200, after a pause.
    Document {
        /// The pause.
        after: Duration,
        /// `application/lost+xml`.
        bytes: Vec<u8>,
    },
    /// A bare status.
    Status(u16),
    /// Nothing, ever.
    Silence,
}

/// The server.
#[derive(Clone, Debug)]
pub struct LostServer {
    boundaries: Boundaries,
    fault: LostFault,
}

impl LostServer {
    /// A server that tells the truth.
    #[must_use]
    pub fn new(boundaries: Boundaries) -> Self {
        Self {
            boundaries,
            fault: LostFault::None,
        }
    }

    /// Fails so from now on.
    pub fn set_fault(&mut self, fault: LostFault) {
        self.fault = fault;
    }

    /// What the boundary file says.
    #[must_use]
    pub fn boundaries(&self) -> &Boundaries {
        &self.boundaries
    }

    /// Answers one request document at wall time `wall`.
    #[must_use]
    pub fn answer(&self, request: &[u8], wall: Timestamp) -> LostAnswer {
        let document = |response: LostResponse, after: u64| LostAnswer::Document {
            after: Duration::from_millis(after),
            bytes: response.to_bytes(),
        };
        match &self.fault {
            LostFault::Dead => return LostAnswer::Silence,
            LostFault::HttpStatus(status) => return LostAnswer::Status(*status),
            LostFault::Garbage => {
                return LostAnswer::Document {
                    after: Duration::ZERO,
                    bytes: b"<html>not lost</html>".to_vec(),
                };
            }
            LostFault::Error(name) => return document(self.error(kind_named(name), "a drill"), 0),
            LostFault::Redirect(target) => return document(self.redirect(target), 0),
            LostFault::RedirectLoop => {
                return document(self.redirect(&self.boundaries.source), 0);
            }
            _ => {}
        }
        let mut response = match LostRequest::parse(request) {
            Ok(request) => self.respond(&request, wall),
            Err(error) => self.error(error.answer(), &error.to_string()),
        };
        let mut after = 0;
        match (&self.fault, &mut response) {
            (LostFault::Slow(ms), _) => after = *ms,
            (LostFault::WrongScheme, LostResponse::FindService(found)) => {
                for mapping in &mut found.mappings {
                    mapping.uris = vec!["xmpp:psap@example.invalid".to_owned()];
                }
            }
            (LostFault::ExpiredMapping, LostResponse::FindService(found)) => {
                for mapping in &mut found.mappings {
                    mapping.expires = Expires::At(wall.plus_seconds(-86_400));
                }
            }
            (LostFault::Warning(name), LostResponse::FindService(found)) => {
                found
                    .warnings
                    .push(self.warning(warning_named(name), "a drill"));
            }
            _ => {}
        }
        document(response, after)
    }

    fn respond(&self, request: &LostRequest, wall: Timestamp) -> LostResponse {
        match request {
            LostRequest::FindService(find) => self.find_service(find, wall),
            LostRequest::ListServices(list) => {
                if self.has_passed(&list.path) {
                    return self.looped();
                }
                LostResponse::Services(ServicesResponse {
                    services: self.services(list.service.as_ref(), |_| true),
                    by_location: false,
                    warnings: Vec::new(),
                    path: vec![self.boundaries.source.clone()],
                    location_used: None,
                })
            }
            LostRequest::ListServicesByLocation(list) => self.list_by_location(list),
            LostRequest::GetServiceBoundary { key } => {
                let area = self.boundaries.services.iter().find(|area| area.id == *key);
                match area.filter(|area| !area.is_default()) {
                    Some(area) => LostResponse::Boundary(BoundaryResponse {
                        boundary: boundary(area),
                        warnings: Vec::new(),
                        path: vec![self.boundaries.source.clone()],
                    }),
                    None => self.error(LostErrorKind::NotFound, "no boundary of this key"),
                }
            }
        }
    }

    fn find_service(&self, find: &FindService, wall: Timestamp) -> LostResponse {
        if self.has_passed(&find.path) {
            return self.looped();
        }
        let Some(asked) = &find.service else {
            return self.error(LostErrorKind::BadRequest, "no service");
        };
        let location = match self.usable(&find.locations) {
            Ok(location) => location,
            Err(response) => return *response,
        };
        // The service asked for, or the nearest above it that is answered here (§5.4).
        let mut service = asked.clone();
        while !self
            .boundaries
            .services
            .iter()
            .any(|area| area.urn == service)
        {
            match service.parent() {
                Some(parent) => service = parent,
                None => {
                    return self.error(LostErrorKind::ServiceNotImplemented, "not answered here");
                }
            }
        }
        let areas: Vec<&ServiceArea> = self
            .boundaries
            .services
            .iter()
            .filter(|area| area.urn == service)
            .collect();
        let within = areas.iter().find(|area| contains(area, location));
        let default = areas.iter().find(|area| area.is_default());
        let Some(area) = within.or(default) else {
            return self.error(LostErrorKind::NotFound, "no call-taker for this place");
        };
        let mut warnings = Vec::new();
        if service != *asked {
            let text = format!("{service} answers in its place");
            warnings.push(self.warning(LostWarningKind::ServiceSubstitution, &text));
        }
        if area.is_default() {
            let text = "no boundary holds this place";
            warnings.push(self.warning(LostWarningKind::DefaultMappingReturned, text));
        }
        let mut validation = None;
        if find.validate_location {
            match &location.value {
                LostLocationValue::Civic(civic) => validation = Some(validate(civic, area)),
                _ => warnings.push(self.warning(
                    LostWarningKind::LocationValidationUnavailable,
                    "only civic locations are validated",
                )),
            }
        }
        LostResponse::FindService(FindServiceResponse {
            mappings: vec![self.mapping(area, find.boundary_by_value, wall)],
            validation,
            warnings,
            path: vec![self.boundaries.source.clone()],
            location_used: Some(location.id.clone()),
        })
    }

    fn list_by_location(&self, list: &ListServicesByLocation) -> LostResponse {
        if self.has_passed(&list.path) {
            return self.looped();
        }
        let location = match self.usable(&list.locations) {
            Ok(location) => location,
            Err(response) => return *response,
        };
        LostResponse::Services(ServicesResponse {
            services: self.services(list.service.as_ref(), |area| {
                area.is_default() || contains(area, location)
            }),
            by_location: true,
            warnings: Vec::new(),
            path: vec![self.boundaries.source.clone()],
            location_used: Some(location.id.clone()),
        })
    }

    fn mapping(&self, area: &ServiceArea, by_value: bool, wall: Timestamp) -> Mapping {
        let reference = ServiceBoundary::Reference {
            source: self.boundaries.source.clone(),
            key: area.id.clone(),
        };
        Mapping {
            source: self.boundaries.source.clone(),
            source_id: area.id.clone(),
            last_updated: area.last_updated,
            expires: match self.boundaries.expires {
                Lifetime::Seconds(seconds) => Expires::At(wall.plus_seconds(i64::from(seconds))),
                Lifetime::NoCache => Expires::NoCache,
                Lifetime::NoExpiration => Expires::NoExpiration,
            },
            display_names: vec![DisplayName {
                lang: Some(area.language.clone()),
                text: area.name.clone(),
            }],
            service: Some(area.urn.clone()),
            boundary: (!area.is_default()).then(|| {
                if by_value {
                    ServiceBoundary::Value(boundary(area))
                } else {
                    reference
                }
            }),
            uris: area.uris.clone(),
            service_number: area.number.clone(),
        }
    }

    /// The services configured at or below one, each once, where `here` holds.
    fn services(
        &self,
        below: Option<&ServiceUrn>,
        here: impl Fn(&ServiceArea) -> bool,
    ) -> Vec<ServiceUrn> {
        let mut services: Vec<ServiceUrn> = self
            .boundaries
            .services
            .iter()
            .filter(|area| below.is_none_or(|below| below.covers(&area.urn)) && here(area))
            .map(|area| area.urn.clone())
            .collect();
        services.sort_by(|a, b| a.as_str().cmp(b.as_str()));
        services.dedup();
        services
    }

    /// The first location of a profile that we know (§8.3.1, §12).
    fn usable<'a>(
        &self,
        locations: &'a [LostLocation],
    ) -> Result<&'a LostLocation, Box<LostResponse>> {
        let refuse = |kind, why| Err(Box::new(self.error(kind, why)));
        if locations.is_empty() {
            return refuse(LostErrorKind::BadRequest, "no location");
        }
        let known = locations.iter().find(|location| {
            [PROFILE_CIVIC, PROFILE_GEODETIC].contains(&location.profile.as_str())
        });
        match known.map(|location| (location, &location.value)) {
            None => refuse(
                LostErrorKind::LocationProfileUnrecognized,
                "the profiles civic and geodetic-2d are known",
            ),
            Some((_, LostLocationValue::Other(_))) => refuse(
                LostErrorKind::LocationInvalid,
                "the location is not of its profile",
            ),
            Some((location, _)) => Ok(location),
        }
    }

    fn has_passed(&self, path: &[String]) -> bool {
        path.iter()
            .any(|via| via.eq_ignore_ascii_case(&self.boundaries.source))
    }

    fn looped(&self) -> LostResponse {
        self.error(
            LostErrorKind::Loop,
            "this server is on the request's path already",
        )
    }

    fn redirect(&self, target: &str) -> LostResponse {
        LostResponse::Redirect(Redirect {
            target: target.to_owned(),
            source: self.boundaries.source.clone(),
            message: Some("ask there".to_owned()),
        })
    }

    fn error(&self, kind: LostErrorKind, message: &str) -> LostResponse {
        LostResponse::Errors(LostErrors {
            source: self.boundaries.source.clone(),
            errors: vec![LostError {
                kind,
                message: Some(message.to_owned()),
            }],
        })
    }

    fn warning(&self, kind: LostWarningKind, message: &str) -> LostWarning {
        LostWarning {
            source: self.boundaries.source.clone(),
            kind,
            message: Some(message.to_owned()),
        }
    }
}

fn contains(area: &ServiceArea, location: &LostLocation) -> bool {
    match &location.value {
        LostLocationValue::Civic(civic) => area.civic.iter().any(|own| own.covers(civic)),
        LostLocationValue::Shape(shape) => {
            let at = shape.anchor();
            area.polygons.iter().any(|own| own.contains(&at))
        }
        LostLocationValue::Other(_) => false,
    }
}

fn boundary(area: &ServiceArea) -> Vec<BoundaryValue> {
    let civic = area
        .civic
        .iter()
        .cloned()
        .map(LostLocationValue::Civic)
        .collect::<Vec<_>>();
    let shapes = area
        .polygons
        .iter()
        .cloned()
        .map(LostLocationValue::Shape)
        .collect::<Vec<_>>();
    [(PROFILE_CIVIC, civic), (PROFILE_GEODETIC, shapes)]
        .into_iter()
        .filter(|(_, pieces)| !pieces.is_empty())
        .map(|(profile, pieces)| BoundaryValue {
            profile: profile.to_owned(),
            pieces,
        })
        .collect()
}

/// What this server knows about an address (§8.4.2): the elements of the area it lies in are valid, those
/// that contradict every area are not, a road is checked where the file lists roads, the rest is not looked at.
fn validate(civic: &CivicAddress, area: &ServiceArea) -> LocationValidation {
    let mut validation = LocationValidation::default();
    let holding = area.civic.iter().find(|own| own.covers(civic));
    for (element, value) in civic.elements() {
        let name = element.name().to_owned();
        let known: Vec<&str> = area
            .civic
            .iter()
            .filter_map(|own| own.get(element))
            .collect();
        let same = |own: &&str| own.to_lowercase() == value.to_lowercase();
        if holding.is_some_and(|own| own.get(element).is_some()) {
            validation.valid.push(name);
        } else if name == "RD" && !area.roads.is_empty() {
            let exists = area.roads.iter().any(|road| same(&road.as_str()));
            if exists {
                validation.valid.push(name);
            } else {
                validation.invalid.push(name);
            }
        } else if holding.is_none() && !known.is_empty() && !known.iter().any(same) {
            validation.invalid.push(name);
        } else {
            validation.unchecked.push(name);
        }
    }
    validation
}

fn kind_named(name: &str) -> LostErrorKind {
    let known = LostErrorKind::ALL
        .into_iter()
        .find(|kind| kind.name() == name);
    known.unwrap_or(LostErrorKind::InternalError)
}

fn warning_named(name: &str) -> LostWarningKind {
    match name {
        "serviceSubstitution" => LostWarningKind::ServiceSubstitution,
        "defaultMappingReturned" => LostWarningKind::DefaultMappingReturned,
        _ => LostWarningKind::LocationValidationUnavailable,
    }
}
