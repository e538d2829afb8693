//! LoST documents read: liberal in what a call can do without, within limits.

use super::*;
use crate::geodetic::GeodeticError;
use crate::xml::{Element, read};

/// Most mappings, services, locations or URIs of one document.
const ITEMS_MAX: usize = 256;

impl LostRequest {
    /// Reads a request.
    ///
    /// # Errors
    /// [`LostParseError`]; [`LostParseError::answer`] says what a server answers.
    pub fn parse(bytes: &[u8]) -> Result<Self, LostParseError> {
        let root = read(bytes)?;
        in_lost(&root, "request")?;
        match root.name.as_str() {
            "findService" => Ok(LostRequest::FindService(FindService {
                locations: locations(&root, bytes)?,
                service: service(&root)?,
                path: path(&root)?,
                validate_location: boolean(&root, "validateLocation", false)?,
                boundary_by_value: root.attribute("serviceBoundary").map(str::trim)
                    == Some("value"),
                recursive: boolean(&root, "recursive", false)?,
            })),
            "listServices" => Ok(LostRequest::ListServices(ListServices {
                service: service(&root)?,
                path: path(&root)?,
            })),
            "listServicesByLocation" => Ok(LostRequest::ListServicesByLocation(
                ListServicesByLocation {
                    locations: locations(&root, bytes)?,
                    service: service(&root)?,
                    path: path(&root)?,
                    recursive: boolean(&root, "recursive", true)?,
                },
            )),
            "getServiceBoundary" => Ok(LostRequest::GetServiceBoundary {
                key: required(&root, "key", "9.1")?,
            }),
            _ => Err(wrong_root(&root, "request")),
        }
    }
}

impl LostResponse {
    /// Reads an answer.
    ///
    /// # Errors
    /// [`LostParseError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, LostParseError> {
        let root = read(bytes)?;
        in_lost(&root, "answer")?;
        match root.name.as_str() {
            "findServiceResponse" => {
                let mut mappings = Vec::new();
                for element in limited(&root, "mapping", "mappings")? {
                    mappings.push(mapping(element, bytes)?);
                }
                if mappings.is_empty() {
                    return Err(LostParseError::Missing {
                        what: "mapping",
                        section: "8.4",
                    });
                }
                Ok(LostResponse::FindService(FindServiceResponse {
                    mappings,
                    validation: root.child("locationValidation").map(validation),
                    warnings: warnings(&root),
                    path: path(&root)?,
                    location_used: location_used(&root),
                }))
            }
            "listServicesResponse" | "listServicesByLocationResponse" => {
                let list = root.child("serviceList").ok_or(LostParseError::Missing {
                    what: "serviceList",
                    section: "10.2",
                })?;
                let text = list.text();
                if text.split(' ').count() > ITEMS_MAX {
                    return Err(LostParseError::TooMany {
                        what: "services",
                        max: ITEMS_MAX,
                    });
                }
                Ok(LostResponse::Services(ServicesResponse {
                    // A service of another kind than a service URN is none this device can call.
                    services: text
                        .split(' ')
                        .filter_map(|word| ServiceUrn::parse(word).ok())
                        .collect(),
                    by_location: root.name == "listServicesByLocationResponse",
                    warnings: warnings(&root),
                    path: path(&root)?,
                    location_used: location_used(&root),
                }))
            }
            "getServiceBoundaryResponse" => Ok(LostResponse::Boundary(BoundaryResponse {
                boundary: boundary_values(&root, bytes)?,
                warnings: warnings(&root),
                path: path(&root)?,
            })),
            "errors" => Ok(LostResponse::Errors(LostErrors {
                source: root.attribute("source").unwrap_or("").trim().to_owned(),
                errors: root
                    .elements()
                    .take(ITEMS_MAX)
                    .map(|element| LostError {
                        kind: LostErrorKind::of(&element.name),
                        message: message(element),
                    })
                    .collect(),
            })),
            "redirect" => Ok(LostResponse::Redirect(Redirect {
                target: required(&root, "target", "13.3")?,
                source: root.attribute("source").unwrap_or("").trim().to_owned(),
                message: message(&root),
            })),
            _ => Err(wrong_root(&root, "answer")),
        }
    }
}

impl LostErrorKind {
    fn of(name: &str) -> Self {
        LostErrorKind::ALL
            .into_iter()
            .find(|kind| kind.name() == name)
            .unwrap_or(LostErrorKind::Unknown)
    }
}

fn in_lost(root: &Element, expected: &'static str) -> Result<(), LostParseError> {
    if root.is(NS_LOST, &root.name) {
        Ok(())
    } else {
        Err(wrong_root(root, expected))
    }
}

fn wrong_root(root: &Element, expected: &'static str) -> LostParseError {
    LostParseError::Root {
        root: root.name.chars().take(64).collect(),
        expected,
    }
}

fn required(
    element: &Element,
    what: &'static str,
    section: &'static str,
) -> Result<String, LostParseError> {
    element
        .attribute(what)
        .map(crate::xml::collapse)
        .filter(|value| !value.is_empty())
        .ok_or(LostParseError::Missing { what, section })
}

fn boolean(element: &Element, what: &'static str, default: bool) -> Result<bool, LostParseError> {
    match element.attribute(what).map(str::trim) {
        None => Ok(default),
        Some("true" | "1") => Ok(true),
        Some("false" | "0") => Ok(false),
        Some(_) => Err(LostParseError::Missing {
            what,
            section: "8.3",
        }),
    }
}

fn limited<'a>(
    root: &'a Element,
    name: &'a str,
    what: &'static str,
) -> Result<Vec<&'a Element>, LostParseError> {
    let found: Vec<&Element> = root
        .elements()
        .filter(|element| element.is(NS_LOST, name))
        .collect();
    if found.len() > ITEMS_MAX {
        return Err(LostParseError::TooMany {
            what,
            max: ITEMS_MAX,
        });
    }
    Ok(found)
}

fn service(root: &Element) -> Result<Option<ServiceUrn>, LostParseError> {
    match root
        .elements()
        .find(|element| element.is(NS_LOST, "service"))
    {
        None => Ok(None),
        Some(element) => {
            ServiceUrn::parse(&element.text())
                .map(Some)
                .map_err(|_| LostParseError::Missing {
                    what: "a service URN in service",
                    section: "5.4",
                })
        }
    }
}

fn path(root: &Element) -> Result<Vec<String>, LostParseError> {
    let Some(path) = root.elements().find(|element| element.is(NS_LOST, "path")) else {
        return Ok(Vec::new());
    };
    let sources: Vec<String> = path
        .elements()
        .filter_map(|via| via.attribute("source"))
        .map(|source| source.trim().to_owned())
        .collect();
    if sources.len() > PATH_MAX {
        return Err(LostParseError::TooMany {
            what: "servers in path",
            max: PATH_MAX,
        });
    }
    Ok(sources)
}

fn location_used(root: &Element) -> Option<String> {
    root.child("locationUsed")?
        .attribute("id")
        .map(crate::xml::collapse)
}

fn message(element: &Element) -> Option<String> {
    element.attribute("message").map(crate::xml::collapse)
}

fn locations(root: &Element, document: &[u8]) -> Result<Vec<LostLocation>, LostParseError> {
    let mut found: Vec<LostLocation> = Vec::new();
    for element in limited(root, "location", "locations")? {
        let id = required(element, "id", "7")?;
        let value = element.elements().next().ok_or(LostParseError::Missing {
            what: "the location in location",
            section: "7",
        })?;
        let profile = element.attribute("profile").map_or_else(
            || {
                if value.name == "civicAddress" {
                    PROFILE_CIVIC.to_owned()
                } else {
                    PROFILE_GEODETIC.to_owned()
                }
            },
            |profile| profile.trim().to_owned(),
        );
        if found.iter().any(|other| other.profile == profile) {
            return Err(LostParseError::Missing {
                what: "at most one location a profile",
                section: "8.3.1",
            });
        }
        let value = match profile.as_str() {
            PROFILE_CIVIC => {
                let address = CivicAddress::read(value, document).map_err(|error| {
                    LostParseError::Location {
                        id: id.clone(),
                        kind: LostErrorKind::LocationInvalid,
                        why: error.to_string(),
                    }
                })?;
                LostLocationValue::Civic(address)
            }
            PROFILE_GEODETIC => {
                let shape =
                    Shape::read(value, document).map_err(|error| LostParseError::Location {
                        id: id.clone(),
                        kind: match error {
                            GeodeticError::Srs => LostErrorKind::SrsInvalid,
                            _ => LostErrorKind::LocationInvalid,
                        },
                        why: error.to_string(),
                    })?;
                LostLocationValue::Shape(shape)
            }
            _ => LostLocationValue::Other(RawXml::of(value, document)),
        };
        found.push(LostLocation { id, profile, value });
    }
    if found.is_empty() {
        return Err(LostParseError::Missing {
            what: "location",
            section: "8.3.1",
        });
    }
    Ok(found)
}

fn mapping(element: &Element, document: &[u8]) -> Result<Mapping, LostParseError> {
    let expires = required(element, "expires", "5.2")?;
    let expires = match expires.as_str() {
        "NO-CACHE" => Expires::NoCache,
        "NO-EXPIRATION" => Expires::NoExpiration,
        text => Expires::At(Timestamp::parse(text).map_err(|_| LostParseError::Missing {
            what: "expires",
            section: "5.2",
        })?),
    };
    let last_updated = required(element, "lastUpdated", "5.1")?;
    let boundary = boundary_values(element, document)?;
    let reference = element
        .elements()
        .find(|own| own.is(NS_LOST, "serviceBoundaryReference"));
    let boundary = match (boundary.is_empty(), reference) {
        (false, _) => Some(ServiceBoundary::Value(boundary)),
        (true, Some(reference)) => Some(ServiceBoundary::Reference {
            source: required(reference, "source", "5.6")?,
            key: required(reference, "key", "5.6")?,
        }),
        (true, None) => None,
    };
    Ok(Mapping {
        source: required(element, "source", "5.1")?,
        source_id: required(element, "sourceId", "5.1")?,
        last_updated: Timestamp::parse(&last_updated).map_err(|_| LostParseError::Missing {
            what: "lastUpdated",
            section: "5.1",
        })?,
        expires,
        display_names: limited(element, "displayName", "display names")?
            .into_iter()
            .map(|name| DisplayName {
                lang: name.lang().map(str::to_owned),
                text: name.text(),
            })
            .collect(),
        service: service(element)?,
        boundary,
        uris: limited(element, "uri", "URIs")?
            .into_iter()
            .map(Element::text)
            .collect(),
        service_number: element
            .elements()
            .find(|own| own.is(NS_LOST, "serviceNumber"))
            .map(Element::text)
            .filter(|number| {
                (1..=32).contains(&number.len())
                    && number
                        .bytes()
                        .all(|byte| byte.is_ascii_digit() || matches!(byte, b'*' | b'#'))
            }),
    })
}

/// Boundaries are for the next query, not for this call: what cannot be read is kept as it stood.
fn boundary_values(
    element: &Element,
    document: &[u8],
) -> Result<Vec<BoundaryValue>, LostParseError> {
    let mut values = Vec::new();
    for boundary in limited(element, "serviceBoundary", "boundaries")? {
        let mut pieces = Vec::new();
        for piece in boundary.elements() {
            let other = || LostLocationValue::Other(RawXml::of(piece, document));
            let value = if piece.name == "civicAddress" {
                CivicAddress::read(piece, document)
                    .map_or_else(|_| other(), LostLocationValue::Civic)
            } else {
                Shape::read(piece, document).map_or_else(|_| other(), LostLocationValue::Shape)
            };
            pieces.push(value);
            if pieces.len() > ITEMS_MAX {
                return Err(LostParseError::TooMany {
                    what: "pieces of a boundary",
                    max: ITEMS_MAX,
                });
            }
        }
        values.push(BoundaryValue {
            profile: boundary
                .attribute("profile")
                .unwrap_or("")
                .trim()
                .to_owned(),
            pieces,
        });
    }
    Ok(values)
}

fn validation(element: &Element) -> LocationValidation {
    let names = |name: &str| -> Vec<String> {
        element
            .child(name)
            .map(|list| {
                list.text()
                    .split(' ')
                    .filter(|word| !word.is_empty())
                    .take(ITEMS_MAX)
                    .map(|word| word.rsplit(':').next().unwrap_or(word).to_owned())
                    .collect()
            })
            .unwrap_or_default()
    };
    LocationValidation {
        valid: names("valid"),
        invalid: names("invalid"),
        unchecked: names("unchecked"),
    }
}

fn warnings(root: &Element) -> Vec<LostWarning> {
    root.elements()
        .filter(|element| element.is(NS_LOST, "warnings"))
        .flat_map(|element| {
            let source = element.attribute("source").unwrap_or("").trim().to_owned();
            element.elements().map(move |warning| LostWarning {
                source: source.clone(),
                kind: match warning.name.as_str() {
                    "locationValidationUnavailable" => {
                        LostWarningKind::LocationValidationUnavailable
                    }
                    "serviceSubstitution" => LostWarningKind::ServiceSubstitution,
                    "defaultMappingReturned" => LostWarningKind::DefaultMappingReturned,
                    _ => LostWarningKind::Unknown,
                },
                message: message(warning),
            })
        })
        .take(ITEMS_MAX)
        .collect()
}
