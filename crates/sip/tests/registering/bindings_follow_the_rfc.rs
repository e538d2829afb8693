use std::time::Duration;

use hearthline_sip::HeaderName;
use hearthline_sip::registrar::{Aor, Registrar, Unreachable};

use crate::office::{Office, config, register, sip};

const A: &str = "Contact: <sip:anna@192.0.2.1>\r\n";
const B: &str = "Contact: <sip:anna@192.0.2.2>\r\n";

/// An office that knows these edge proxies.
fn behind(edges: &[&str]) -> Office {
    let edges = edges
        .iter()
        .map(|edge| hearthline_sip::Host::parse(edge).unwrap());
    Office::with(|config| config.edge_proxies = edges.collect())
}

#[test]
fn one_table_of_wishes_and_answers() {
    // What is sent, and the status.
    for (rows, status) in [
        (A.to_owned(), 200),
        (format!("{A}Expires: 59\r\n"), 423),
        (format!("{A}Expires: 60\r\n"), 200),
        (
            "Contact: <sip:anna@192.0.2.1>;expires=1\r\n".to_owned(),
            423,
        ),
        (format!("{A}Expires: 0\r\n"), 200),
        ("Contact: *\r\n".to_owned(), 400),
        ("Contact: *\r\nExpires: 10\r\n".to_owned(), 400),
        ("Contact: *\r\nExpires: 0\r\n".to_owned(), 200),
        (format!("Contact: *\r\n{A}Expires: 0\r\n"), 400),
        (String::new(), 200),
        ("Require: gruu\r\n".to_owned(), 200),
        ("Require: magic\r\n".to_owned(), 420),
        ("Contact: <sip:anna@192.0.2.1>;q=0.5\r\n".to_owned(), 200),
        ("Contact: <sip:anna@192.0.2.1>;q=7\r\n".to_owned(), 400),
        ("Contact: <tel:+15550100>\r\n".to_owned(), 403),
        ("Contact: <mailto:anna@home.example>\r\n".to_owned(), 403),
        ("Contact: <sip:anna@home.example>\r\n".to_owned(), 403),
        ("Contact: <sip:911@home.example>\r\n".to_owned(), 403),
        (
            "Contact: <sip:anna@home.example;gr=urn:uuid:1>\r\n".to_owned(),
            403,
        ),
        ("Path: <sip:edge.example;lr>\r\n".to_owned(), 420),
        (
            "Path: <sip:edge.example;lr>\r\nSupported: path\r\n".to_owned(),
            200,
        ),
        ("Contact: <sip:broken\r\n".to_owned(), 400),
        (
            "Contact: <sip:anna@192.0.2.1>;+sip.instance=\"<urn:uuid:1>\";reg-id=0\r\n".to_owned(),
            400,
        ),
    ] {
        let mut office = behind(&["192.0.2.1", "edge.example"]);
        assert_eq!(office.say("c", 1, &rows).0, status, "{rows}");
    }
}

#[test]
fn a_registration_for_somebody_else_is_a_hijack() {
    let mut office = Office::new();
    office.owner = Aor::from_column("sip:mallory@home.example").unwrap();
    assert_eq!(office.say("c", 1, A).0, 403);
    assert_eq!(office.say("c", 2, "Contact: *\r\nExpires: 0\r\n").0, 403);
    assert_eq!(office.say("c", 3, "").0, 403, "nor may he look");
    assert_eq!(office.registrar.binding_count(), 0);
}

#[test]
fn another_domain_is_not_ours() {
    let mut office = Office::new();
    let mut request = register("c", 1, A);
    request.uri = hearthline_sip::Uri::parse("sip:elsewhere.example").unwrap();
    assert_eq!(office.send(&request).status.code(), 404);
    let mut request = register("c", 1, A);
    request
        .headers
        .set(HeaderName::To, "<sip:anna@elsewhere.example>");
    assert_eq!(office.send(&request).status.code(), 404);
}

#[test]
fn a_423_says_how_long_it_must_be() {
    let mut office = Office::new();
    let response = office.send(&register("c", 1, &format!("{A}Expires: 5\r\n")));
    assert_eq!(response.headers.min_expires(), Ok(Some(60)));
}

#[test]
fn an_answer_lists_what_is_bound_and_for_how_long() {
    let mut office = Office::new();
    let response = office.send(&register("c", 1, &format!("{A}Expires: 100000\r\n")));
    let date = response.headers.get_str(&HeaderName::Date);
    assert_eq!(date, Some("Sun, 06 Nov 1994 08:49:37 GMT"));
    office.now += Duration::from_secs(600);
    let (status, contacts) = office.say("c", 2, B);
    assert_eq!(status, 200);
    let left: Vec<_> = contacts.iter().map(|c| c.expires().unwrap()).collect();
    assert_eq!(left, [3_000, 3_600]);
}

#[test]
fn bindings_end_with_their_time_and_the_row_goes() {
    let mut office = Office::new();
    office.say("c", 1, &format!("{A}Expires: 100\r\n"));
    office.say("d", 1, &format!("{B}Expires: 200\r\n"));
    let next = office.drain().unwrap();
    assert_eq!(next, office.now + Duration::from_secs(100));
    office.now = next;
    office.drain();
    assert_eq!(office.removed.len(), 1);
    assert_eq!(
        office.targets("sip:anna@home.example"),
        [["sip:anna@192.0.2.2"]]
    );
    office.now += Duration::from_secs(100);
    office.drain();
    let gone = office
        .registrar
        .lookup(&sip("sip:anna@home.example"), office.now);
    assert_eq!(gone.err(), Some(Unreachable::NotRegistered));
    let other = office
        .registrar
        .lookup(&sip("sip:anna@elsewhere.example"), office.now);
    assert_eq!(other.err(), Some(Unreachable::Unknown));
}

#[test]
fn an_older_request_changes_nothing_at_all() {
    let mut office = Office::new();
    assert_eq!(office.say("c", 5, A).0, 200);
    for cseq in [5, 4] {
        // The second contact is new, but the request is refused as a whole.
        assert_eq!(office.say("c", cseq, &format!("{B}{A}")).0, 500);
        assert_eq!(office.say("c", cseq, "Contact: *\r\nExpires: 0\r\n").0, 500);
    }
    assert_eq!(office.registrar.binding_count(), 1);
    // Another Call-ID is another client life: any CSeq counts.
    assert_eq!(office.say("d", 1, A).0, 200);
    assert_eq!(office.say("d", 2, "Contact: *\r\nExpires: 0\r\n").0, 200);
    assert_eq!(office.registrar.binding_count(), 0);
    assert_eq!(office.removed.len(), 1);
}

#[test]
fn one_wrong_contact_refuses_all_of_them() {
    let mut office = Office::new();
    let rows = "Contact: <sip:anna@192.0.2.1>, <sip:anna@192.0.2.2>;expires=3\r\n";
    assert_eq!(office.say("c", 1, rows).0, 423);
    assert_eq!(office.registrar.binding_count(), 0);
}

#[test]
fn preference_orders_the_groups() {
    let mut office = Office::new();
    let rows = "Contact: <sip:anna@192.0.2.1>;q=0.1, <sip:anna@192.0.2.2>, \
        <sip:anna@192.0.2.3>;q=0.5, <sip:anna@192.0.2.4>;q=1.0\r\n";
    office.say("c", 1, rows);
    let mut targets = office.targets("sip:anna@home.example");
    targets[0].sort();
    assert_eq!(
        targets,
        [
            vec!["sip:anna@192.0.2.2", "sip:anna@192.0.2.4"],
            vec!["sip:anna@192.0.2.3"],
            vec!["sip:anna@192.0.2.1"],
        ]
    );
    // `sips`, a port, parameters name the same user.
    assert_eq!(office.targets("sips:anna@HOME.example;user=ip").len(), 3);
}

#[test]
fn the_number_of_bindings_is_bounded() {
    let mut office = Office::with(|config| {
        config.limits.bindings_per_aor_max = 3;
        config.limits.bindings_max = 4;
    });
    for n in 1..=3 {
        let rows = format!("Contact: <sip:anna@192.0.2.{n}>\r\n");
        assert_eq!(office.say("c", n, &rows).0, 200);
    }
    assert_eq!(
        office.say("c", 4, "Contact: <sip:anna@192.0.2.9>\r\n").0,
        403
    );
    assert_eq!(office.say("c", 5, A).0, 200, "a refresh is no new binding");
    let mut other = |n: u32| {
        let mut request = register(
            &format!("o{n}"),
            1,
            &format!("Contact: <sip:b@192.0.2.{n}>\r\n"),
        );
        request
            .headers
            .set(HeaderName::To, "<sip:bert@home.example>");
        office.owner = Aor::from_column("sip:bert@home.example").unwrap();
        office.send(&request).status.code()
    };
    assert_eq!(other(1), 200);
    assert_eq!(other(2), 503);
}

#[test]
fn a_restart_goes_on_with_the_rows_of_the_store() {
    let mut office = Office::new();
    office.say("c", 1, &format!("{A}Expires: 100\r\n"));
    office.say("d", 1, &format!("{B}Expires: 300\r\n"));
    let rows = office.stored.clone();
    let now = office.now + Duration::from_secs(150);
    office.registrar = Registrar::new(config(), rows, now);
    office.now = now;
    office.drain();
    assert_eq!(
        office.targets("sip:anna@home.example"),
        [["sip:anna@192.0.2.2"]]
    );
    assert_eq!(
        office.say("d", 1, B).0,
        500,
        "the order of requests is remembered"
    );
    assert_eq!(office.say("d", 2, B).0, 200);
}

#[test]
fn the_path_leads_and_is_given_back() {
    let mut office = behind(&["192.0.2.1", "p2.example"]);
    let rows = format!("{A}Supported: path\r\nPath: <sip:p2.example;lr>, <sip:p1.example;lr>\r\n");
    let response = office.send(&register("c", 1, &rows));
    assert_eq!(response.headers.paths().unwrap().len(), 2);
    let groups = office
        .registrar
        .lookup(&sip("sip:anna@home.example"), office.now)
        .unwrap();
    let way = &groups[0].branches[0].ways[0];
    let route: Vec<_> = way.route.iter().map(ToString::to_string).collect();
    assert_eq!(route, ["<sip:p2.example;lr>", "<sip:p1.example;lr>"]);
    assert_eq!(way.hop, None);
}

#[test]
fn the_service_route_is_told() {
    let mut office = Office::with(|config| {
        let route = hearthline_sip::NameAddr::parse("<sip:hub.home.example;lr>").unwrap();
        config.service_route = vec![route];
    });
    let response = office.send(&register("c", 1, A));
    assert_eq!(response.headers.service_routes().unwrap().len(), 1);
}

#[test]
fn no_contact_makes_the_home_call_itself() {
    let own = hearthline_sip::proxy::Identity {
        transport: hearthline_sip::outbound::FlowTransport::Udp,
        host: hearthline_sip::Host::V4([192, 0, 2, 100].into()),
        port: Some(5_060),
    };
    let mut office = Office::with(|config| config.own = vec![own]);
    // Somebody's "phone" that is an emergency number at our own port.
    for (cseq, contact) in [(1, "sip:911@192.0.2.100"), (2, "sip:911@192.0.2.100:5060")] {
        let rows = format!("Contact: <{contact}>\r\n");
        assert_eq!(office.say("c", cseq, &rows).0, 403, "{contact}");
    }
    let rows = "Contact: <urn:service:sos>\r\n";
    assert_eq!(office.say("c", 3, rows).0, 403);
    let other = "Contact: <sip:anna@192.0.2.100:5070>\r\n";
    assert_eq!(
        office.say("c", 4, other).0,
        200,
        "a phone on the same machine"
    );
}
