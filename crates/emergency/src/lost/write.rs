//! LoST documents written: valid against the schema of RFC 5222 §15.

use super::*;
use crate::xml::Writer;

impl LostRequest {
    /// Writes the request.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut writer = Writer::document();
        match self {
            LostRequest::FindService(request) => {
                let boundary = if request.boundary_by_value {
                    "value"
                } else {
                    "reference"
                };
                writer.open(
                    "findService",
                    &[
                        ("xmlns", NS_LOST),
                        ("validateLocation", truth(request.validate_location)),
                        ("serviceBoundary", boundary),
                        ("recursive", truth(request.recursive)),
                    ],
                );
                write_locations(&mut writer, &request.locations);
                write_service(&mut writer, request.service.as_ref());
                write_request_path(&mut writer, &request.path);
            }
            LostRequest::ListServices(request) => {
                writer.open("listServices", &[("xmlns", NS_LOST)]);
                write_service(&mut writer, request.service.as_ref());
                write_request_path(&mut writer, &request.path);
            }
            LostRequest::ListServicesByLocation(request) => {
                writer.open(
                    "listServicesByLocation",
                    &[("xmlns", NS_LOST), ("recursive", truth(request.recursive))],
                );
                write_locations(&mut writer, &request.locations);
                write_service(&mut writer, request.service.as_ref());
                write_request_path(&mut writer, &request.path);
            }
            LostRequest::GetServiceBoundary { key } => {
                writer.empty("getServiceBoundary", &[("xmlns", NS_LOST), ("key", key)]);
                return writer.finish();
            }
        }
        writer.close();
        writer.finish()
    }
}

impl LostResponse {
    /// Writes the answer.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut writer = Writer::document();
        match self {
            LostResponse::FindService(answer) => {
                writer.open("findServiceResponse", &[("xmlns", NS_LOST)]);
                for mapping in &answer.mappings {
                    mapping.write(&mut writer);
                }
                if let Some(validation) = &answer.validation {
                    write_validation(&mut writer, validation);
                }
                write_warnings(&mut writer, &answer.warnings);
                write_path(&mut writer, &answer.path);
                write_location_used(&mut writer, answer.location_used.as_deref());
            }
            LostResponse::Services(answer) => {
                let name = if answer.by_location {
                    "listServicesByLocationResponse"
                } else {
                    "listServicesResponse"
                };
                writer.open(name, &[("xmlns", NS_LOST)]);
                let services: Vec<&str> = answer.services.iter().map(ServiceUrn::as_str).collect();
                writer.leaf("serviceList", &[], &services.join(" "));
                write_warnings(&mut writer, &answer.warnings);
                write_path(&mut writer, &answer.path);
                if answer.by_location {
                    write_location_used(&mut writer, answer.location_used.as_deref());
                }
            }
            LostResponse::Boundary(answer) => {
                writer.open("getServiceBoundaryResponse", &[("xmlns", NS_LOST)]);
                for boundary in &answer.boundary {
                    boundary.write(&mut writer);
                }
                write_warnings(&mut writer, &answer.warnings);
                write_path(&mut writer, &answer.path);
            }
            LostResponse::Errors(errors) => {
                writer.open("errors", &[("xmlns", NS_LOST), ("source", &errors.source)]);
                for error in &errors.errors {
                    let name = match error.kind {
                        LostErrorKind::Unknown => LostErrorKind::InternalError.name(),
                        kind => kind.name(),
                    };
                    // The schema demands the attribute of this one element; it lists what the server knows not.
                    if error.kind == LostErrorKind::LocationProfileUnrecognized {
                        write_exception(
                            &mut writer,
                            name,
                            error.message.as_deref(),
                            &[("unsupportedProfiles", "unknown")],
                        );
                    } else {
                        write_exception(&mut writer, name, error.message.as_deref(), &[]);
                    }
                }
            }
            LostResponse::Redirect(redirect) => {
                let mut attributes = vec![
                    ("xmlns", NS_LOST),
                    ("target", redirect.target.as_str()),
                    ("source", redirect.source.as_str()),
                ];
                if let Some(message) = &redirect.message {
                    attributes.extend([("message", message.as_str()), ("xml:lang", "en")]);
                }
                writer.empty("redirect", &attributes);
                return writer.finish();
            }
        }
        writer.close();
        writer.finish()
    }
}

impl Mapping {
    fn write(&self, writer: &mut Writer) {
        let expires = match self.expires {
            Expires::At(until) => until.to_string(),
            Expires::NoCache => "NO-CACHE".to_owned(),
            Expires::NoExpiration => "NO-EXPIRATION".to_owned(),
        };
        writer.open(
            "mapping",
            &[
                ("expires", &expires),
                ("lastUpdated", &self.last_updated.to_string()),
                ("source", &self.source),
                ("sourceId", &self.source_id),
            ],
        );
        for name in &self.display_names {
            // The schema requires a language; `und` is RFC 5646's for one that is not known.
            let lang = name.lang.as_deref().unwrap_or("und");
            writer.leaf("displayName", &[("xml:lang", lang)], &name.text);
        }
        write_service(writer, self.service.as_ref());
        match &self.boundary {
            Some(ServiceBoundary::Value(values)) => {
                for value in values {
                    value.write(writer);
                }
            }
            Some(ServiceBoundary::Reference { source, key }) => {
                writer.empty(
                    "serviceBoundaryReference",
                    &[("source", source), ("key", key)],
                );
            }
            None => {}
        }
        for uri in &self.uris {
            writer.leaf("uri", &[], uri);
        }
        if let Some(number) = &self.service_number {
            writer.leaf("serviceNumber", &[], number);
        }
        writer.close();
    }
}

impl BoundaryValue {
    fn write(&self, writer: &mut Writer) {
        writer.open("serviceBoundary", &[("profile", &self.profile)]);
        for piece in &self.pieces {
            piece.write(writer);
        }
        writer.close();
    }
}

impl LostLocationValue {
    fn write(&self, writer: &mut Writer) {
        match self {
            LostLocationValue::Civic(address) => address.write(writer),
            LostLocationValue::Shape(shape) => shape.write(writer),
            LostLocationValue::Other(xml) => writer.raw(&xml.standalone()),
        }
    }
}

fn truth(value: bool) -> &'static str {
    if value { "true" } else { "false" }
}

fn write_locations(writer: &mut Writer, locations: &[LostLocation]) {
    for location in locations {
        writer.open(
            "location",
            &[("id", &location.id), ("profile", &location.profile)],
        );
        location.value.write(writer);
        writer.close();
    }
}

fn write_service(writer: &mut Writer, service: Option<&ServiceUrn>) {
    if let Some(service) = service {
        writer.leaf("service", &[], service.as_str());
    }
}

fn write_request_path(writer: &mut Writer, path: &[String]) {
    if !path.is_empty() {
        write_path(writer, path);
    }
}

fn write_path(writer: &mut Writer, path: &[String]) {
    writer.open("path", &[]);
    for source in path {
        writer.empty("via", &[("source", source)]);
    }
    writer.close();
}

fn write_location_used(writer: &mut Writer, id: Option<&str>) {
    if let Some(id) = id {
        writer.empty("locationUsed", &[("id", id)]);
    }
}

fn write_validation(writer: &mut Writer, validation: &LocationValidation) {
    writer.open(
        "locationValidation",
        &[("xmlns:ca", crate::civic::NS_CIVIC)],
    );
    for (name, elements) in [
        ("valid", &validation.valid),
        ("invalid", &validation.invalid),
        ("unchecked", &validation.unchecked),
    ] {
        if !elements.is_empty() {
            let names: Vec<String> = elements
                .iter()
                .map(|element| format!("ca:{element}"))
                .collect();
            writer.leaf(name, &[], &names.join(" "));
        }
    }
    writer.close();
}

fn write_warnings(writer: &mut Writer, warnings: &[LostWarning]) {
    for warning in warnings {
        let name = match warning.kind {
            LostWarningKind::LocationValidationUnavailable => "locationValidationUnavailable",
            LostWarningKind::ServiceSubstitution => "serviceSubstitution",
            LostWarningKind::DefaultMappingReturned => "defaultMappingReturned",
            LostWarningKind::Unknown => continue,
        };
        writer.open("warnings", &[("source", &warning.source)]);
        write_exception(writer, name, warning.message.as_deref(), &[]);
        writer.close();
    }
}

fn write_exception(writer: &mut Writer, name: &str, message: Option<&str>, more: &[(&str, &str)]) {
    let mut attributes = more.to_vec();
    if let Some(message) = message {
        attributes.extend([("message", message), ("xml:lang", "en")]);
    }
    writer.empty(name, &attributes);
}
