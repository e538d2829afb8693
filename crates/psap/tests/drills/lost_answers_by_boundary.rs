//! The LoST server: RFC 5222 answers from a boundary file, and every way of failing.

use hearthline_emergency::civic::CivicAddress;
use hearthline_emergency::geodetic::{Position, Shape};
use hearthline_emergency::lost::{
    Expires, FindService, FindServiceResponse, ListServices, ListServicesByLocation, LostErrorKind,
    LostLocation, LostRequest, LostResponse, LostWarningKind, ServiceBoundary,
};
use hearthline_emergency::service::ServiceUrn;
use hearthline_emergency::timestamp::Timestamp;
use hearthline_psap::{Boundaries, LostAnswer, LostFault, LostServer};

const FILE: &str = r#"
source = "lost.drill.test"
expires = "12h"

[[service]]
urn = "urn:service:sos"
id = "east"
name = "East Mountain drill desk"
uris = ["sip:east@127.0.0.1:5060", "sips:east@127.0.0.1:5061"]
number = "911"
last_updated = "2026-01-01T00:00:00Z"
civic = [{ country = "US", A1 = "NM", A3 = "Tijeras" }]
polygons = [[[35.0, -106.5], [35.0, -106.2], [35.2, -106.2], [35.2, -106.5]]]
roads = ["Juniper Road"]

[[service]]
urn = "urn:service:sos.fire"
id = "fire"
name = "Fire drill desk"
uris = ["sip:fire@127.0.0.1:5060"]
number = "911"
civic = [{ country = "US" }]
"#;

fn server() -> LostServer {
    LostServer::new(Boundaries::parse(FILE).unwrap())
}

fn wall() -> Timestamp {
    Timestamp::parse("2026-06-01T12:00:00Z").unwrap()
}

fn home() -> LostLocation {
    let civic = CivicAddress::from_pairs([
        ("country", "us"),
        ("A1", "NM"),
        ("A3", "Tijeras"),
        ("RD", "Juniper Road"),
        ("HNO", "12"),
    ]);
    LostLocation::civic("home", civic.unwrap())
}

fn point(latitude: f64, longitude: f64) -> LostLocation {
    let position = Position::new(latitude, longitude).unwrap();
    LostLocation::geodetic("point", Shape::Point(position))
}

fn find(service: &str, location: LostLocation) -> FindService {
    FindService {
        locations: vec![location],
        service: Some(ServiceUrn::parse(service).unwrap()),
        path: Vec::new(),
        validate_location: false,
        boundary_by_value: false,
        recursive: false,
    }
}

fn ask(server: &LostServer, request: &LostRequest) -> LostResponse {
    match server.answer(&request.to_bytes(), wall()) {
        LostAnswer::Document { bytes, .. } => LostResponse::parse(&bytes).unwrap(),
        other => panic!("{other:?}"),
    }
}

fn found(server: &LostServer, request: FindService) -> FindServiceResponse {
    match ask(server, &LostRequest::FindService(request)) {
        LostResponse::FindService(found) => found,
        other => panic!("{other:?}"),
    }
}

fn error(server: &LostServer, request: FindService) -> LostErrorKind {
    match ask(server, &LostRequest::FindService(request)) {
        LostResponse::Errors(errors) => errors.errors[0].kind,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_address_and_a_point_inside_find_the_call_taker() {
    let server = server();
    for location in [home(), point(35.08, -106.38)] {
        let found = found(&server, find("urn:service:sos", location));
        let mapping = &found.mappings[0];
        assert_eq!(
            mapping.uris,
            ["sip:east@127.0.0.1:5060", "sips:east@127.0.0.1:5061"]
        );
        assert_eq!(mapping.service_number.as_deref(), Some("911"));
        assert_eq!(
            mapping.expires,
            Expires::At(wall().plus_seconds(12 * 3_600))
        );
        assert!(found.warnings.is_empty());
        assert_eq!(found.path, ["lost.drill.test"]);
        let ServiceBoundary::Reference { key, .. } = mapping.boundary.clone().unwrap() else {
            panic!()
        };
        assert_eq!(key, "east");
    }
}

#[test]
fn outside_every_boundary_is_not_found_or_the_default() {
    let elsewhere = point(36.0, -100.0);
    assert_eq!(
        error(&server(), find("urn:service:sos", elsewhere.clone())),
        LostErrorKind::NotFound
    );
    let everywhere = Boundaries::everywhere("lost.drill.test", "sip:psap@127.0.0.1:5060", "911");
    let found = found(
        &LostServer::new(everywhere),
        find("urn:service:sos", elsewhere),
    );
    assert_eq!(found.mappings[0].uris, ["sip:psap@127.0.0.1:5060"]);
    assert_eq!(
        found.warnings[0].kind,
        LostWarningKind::DefaultMappingReturned
    );
}

#[test]
fn a_service_not_answered_is_substituted_by_the_one_above_or_refused() {
    let found = found(&server(), find("urn:service:sos.police", home()));
    assert_eq!(found.mappings[0].service, Some(ServiceUrn::SOS));
    assert_eq!(found.warnings[0].kind, LostWarningKind::ServiceSubstitution);
    let kind = error(&server(), find("urn:service:counseling", home()));
    assert_eq!(kind, LostErrorKind::ServiceNotImplemented);
}

#[test]
fn requests_that_cannot_be_answered_get_their_own_errors() {
    let server = server();
    let with = |change: &dyn Fn(&mut FindService)| {
        let mut request = find("urn:service:sos", home());
        change(&mut request);
        error(&server, request)
    };
    assert_eq!(
        with(&|own| own.path = vec!["lost.drill.test".to_owned()]),
        LostErrorKind::Loop
    );
    let unknown = with(&|own| own.locations[0].profile = "not-a-profile".to_owned());
    assert_eq!(unknown, LostErrorKind::LocationProfileUnrecognized);
    for garbage in [
        &b""[..],
        b"<",
        b"<a/>",
        b"<?xml version=\"1.0\"?><findService/>",
    ] {
        let LostAnswer::Document { bytes, .. } = server.answer(garbage, wall()) else {
            panic!()
        };
        let LostResponse::Errors(errors) = LostResponse::parse(&bytes).unwrap() else {
            panic!()
        };
        assert_eq!(errors.errors[0].kind, LostErrorKind::BadRequest);
    }
}

#[test]
fn an_address_is_validated_element_by_element() {
    let server = server();
    let mut request = find("urn:service:sos", home());
    request.validate_location = true;
    let validation = found(&server, request.clone()).validation.unwrap();
    assert_eq!(validation.valid, ["country", "A1", "A3", "RD"]);
    assert_eq!(validation.unchecked, ["HNO"]);
    assert!(validation.invalid.is_empty());
    let wrong = CivicAddress::from_pairs([
        ("country", "US"),
        ("A1", "NM"),
        ("A3", "Tijeras"),
        ("RD", "No Such Road"),
    ]);
    request.locations = vec![LostLocation::civic("home", wrong.unwrap())];
    assert_eq!(
        found(&server, request.clone()).validation.unwrap().invalid,
        ["RD"]
    );
    request.locations = vec![point(35.08, -106.38)];
    let found = found(&server, request);
    assert!(found.validation.is_none());
    assert_eq!(
        found.warnings[0].kind,
        LostWarningKind::LocationValidationUnavailable
    );
}

#[test]
fn the_boundary_comes_by_value_or_by_its_key() {
    let server = server();
    let mut request = find("urn:service:sos", home());
    request.boundary_by_value = true;
    let Some(ServiceBoundary::Value(by_value)) =
        found(&server, request).mappings[0].boundary.clone()
    else {
        panic!()
    };
    let profiles: Vec<&str> = by_value
        .iter()
        .map(|value| value.profile.as_str())
        .collect();
    assert_eq!(profiles, ["civic", "geodetic-2d"]);
    let key = |key: &str| LostRequest::GetServiceBoundary {
        key: key.to_owned(),
    };
    let LostResponse::Boundary(by_key) = ask(&server, &key("east")) else {
        panic!()
    };
    assert_eq!(by_key.boundary, by_value);
    assert!(matches!(
        ask(&server, &key("west")),
        LostResponse::Errors(_)
    ));
}

#[test]
fn services_are_listed_in_all_and_by_place() {
    let server = server();
    let list = LostRequest::ListServices(ListServices {
        service: None,
        path: Vec::new(),
    });
    let LostResponse::Services(all) = ask(&server, &list) else {
        panic!()
    };
    assert_eq!(all.services, [ServiceUrn::SOS, ServiceUrn::FIRE]);
    let by_location = |location| {
        let request = LostRequest::ListServicesByLocation(ListServicesByLocation {
            locations: vec![location],
            service: None,
            path: Vec::new(),
            recursive: false,
        });
        let LostResponse::Services(here) = ask(&server, &request) else {
            panic!()
        };
        assert!(here.by_location);
        here.services
    };
    assert_eq!(by_location(point(35.08, -106.38)), [ServiceUrn::SOS]);
    assert_eq!(by_location(home()), [ServiceUrn::SOS, ServiceUrn::FIRE]);
}

#[test]
fn every_error_of_section_13_1_can_be_made() {
    let mut server = server();
    for kind in LostErrorKind::ALL {
        server.set_fault(LostFault::Error(kind.name().to_owned()));
        assert_eq!(error(&server, find("urn:service:sos", home())), kind);
    }
}

#[test]
fn every_warning_of_section_13_2_can_be_made() {
    let mut server = server();
    for (name, kind) in [
        (
            "locationValidationUnavailable",
            LostWarningKind::LocationValidationUnavailable,
        ),
        ("serviceSubstitution", LostWarningKind::ServiceSubstitution),
        (
            "defaultMappingReturned",
            LostWarningKind::DefaultMappingReturned,
        ),
    ] {
        server.set_fault(LostFault::Warning(name.to_owned()));
        let found = found(&server, find("urn:service:sos", home()));
        assert_eq!(found.warnings[0].kind, kind);
        assert_eq!(found.mappings.len(), 1);
    }
}

#[test]
fn dead_slow_lying_and_looping_servers_are_what_they_say() {
    let mut server = server();
    let request = LostRequest::FindService(find("urn:service:sos", home()));
    let answer = |server: &LostServer| server.answer(&request.to_bytes(), wall());
    server.set_fault(LostFault::Dead);
    assert_eq!(answer(&server), LostAnswer::Silence);
    server.set_fault(LostFault::HttpStatus(500));
    assert_eq!(answer(&server), LostAnswer::Status(500));
    server.set_fault(LostFault::Slow(700));
    let LostAnswer::Document { after, bytes } = answer(&server) else {
        panic!()
    };
    assert_eq!(after.as_millis(), 700);
    assert!(matches!(
        LostResponse::parse(&bytes),
        Ok(LostResponse::FindService(_))
    ));
    server.set_fault(LostFault::WrongScheme);
    let LostResponse::FindService(lie) = ask(&server, &request) else {
        panic!()
    };
    assert_eq!(lie.mappings[0].uris, ["xmpp:psap@example.invalid"]);
    server.set_fault(LostFault::ExpiredMapping);
    let LostResponse::FindService(old) = ask(&server, &request) else {
        panic!()
    };
    assert!(!old.mappings[0].expires.is_fresh(wall()));
    server.set_fault(LostFault::RedirectLoop);
    let LostResponse::Redirect(redirect) = ask(&server, &request) else {
        panic!()
    };
    assert_eq!(redirect.target, "lost.drill.test");
    server.set_fault(LostFault::Redirect("other.test".to_owned()));
    let LostResponse::Redirect(redirect) = ask(&server, &request) else {
        panic!()
    };
    assert_eq!(redirect.target, "other.test");
    server.set_fault(LostFault::Garbage);
    let LostAnswer::Document { bytes, .. } = answer(&server) else {
        panic!()
    };
    assert!(LostResponse::parse(&bytes).is_err());
}

#[test]
fn a_boundary_file_that_cannot_work_says_why() {
    let bad = |text: &str| Boundaries::parse(text).unwrap_err().to_string();
    let service = |line: &str| {
        let rest = "[[service]]\nurn = \"urn:service:sos\"\nuris = [\"sip:a@127.0.0.1\"]\n";
        format!("source = \"a.test\"\n{rest}{line}\n")
    };
    assert!(Boundaries::parse(&service("")).is_ok());
    assert!(bad("source = \"a.test\"").contains("0 services"));
    assert!(bad("source = \"\"").contains("source"));
    assert!(bad(&service("colour = 1")).contains("colour"));
    assert!(bad(&service("polygons = [[[1.0, 2.0]]]")).contains("polygon"));
    assert!(bad(&service("civic = [{ town = \"x\" }]")).contains("town"));
    let outside = service("").replace("127.0.0.1", "psap.example.com");
    assert!(bad(&outside).contains("loopback"));
    let lifetime = service("").replace("[[service]]", "expires = \"soon\"\n[[service]]");
    assert!(bad(&lifetime).contains("soon"));
}
