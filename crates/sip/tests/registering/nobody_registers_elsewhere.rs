//! A registration says where its own device is, and nothing else: no trunk, no neighbour.

use hearthline_sip::Host;
use hearthline_sip::outbound::{FlowId, FlowTransport};
use hearthline_sip::proxy::Identity;
use hearthline_sip::registrar::Registrar;

use crate::office::{Office, config, flow, register, sip};

const TRUNK: &str = "Contact: <sip:112@203.0.113.5>\r\n";

#[test]
fn a_contact_elsewhere_is_reached_by_its_flow_and_by_nothing_else() {
    for contact in [
        TRUNK,
        "Contact: <sip:112@trunk.example>\r\n",
        "Contact: <sip:112@192.0.2.1;maddr=203.0.113.5>\r\n",
        "Contact: <sip:112@203.0.113.5;maddr=192.0.2.1>\r\n",
        // What a device says about where it came from is not believed.
        "Contact: <sip:112@203.0.113.5>;received=203.0.113.5\r\n",
    ] {
        let mut office = Office::new();
        office.flow = flow(9, FlowTransport::Tcp);
        let (status, told) = office.say("c", 1, contact);
        assert_eq!(
            status, 200,
            "a phone behind an address translator: {contact}"
        );
        assert!(!told[0].params.has("received"), "{contact}");
        let aor = sip("sip:anna@home.example");
        let groups = office.registrar.lookup(&aor, office.now).unwrap();
        let hop = groups[0].branches[0].ways[0].hop.clone().unwrap();
        assert_eq!(hop.flow(), Some(FlowId(9)), "{contact}");
        // After a restart there is no flow, and so no way.
        let mut rows = office.stored.clone();
        rows[0].flow = None;
        let again = Registrar::new(config(), rows, office.now);
        assert!(again.lookup(&aor, office.now).is_err(), "{contact}");
        // Nor when the connection closes.
        office.registrar.flow_closed(FlowId(9));
        office.drain();
        assert!(
            office.registrar.lookup(&aor, office.now).is_err(),
            "{contact}"
        );
    }
}

#[test]
fn a_contact_where_the_request_came_from_outlives_its_flow() {
    let mut office = Office::new();
    office.flow = flow(9, FlowTransport::Tcp);
    office.say(
        "c",
        1,
        "Contact: <sip:anna@192.0.2.1:5070;transport=tcp>\r\n",
    );
    let mut rows = office.stored.clone();
    // As a store keeps it: as text.
    let text = rows[0].contact.to_string();
    rows[0].contact = hearthline_sip::NameAddr::parse(&text).unwrap();
    rows[0].flow = None;
    let aor = sip("sip:anna@home.example");
    let again = Registrar::new(config(), rows, office.now);
    assert!(again.lookup(&aor, office.now).is_ok(), "{text}");
    office.registrar.flow_closed(FlowId(9));
    office.drain();
    let groups = office.registrar.lookup(&aor, office.now).unwrap();
    assert_eq!(groups[0].branches[0].ways[0].hop, None);
}

#[test]
fn nobody_but_an_edge_proxy_brings_a_path_or_a_second_via() {
    let second = "Via: SIP/2.0/UDP 203.0.113.9;branch=z9hG4bKdevice\r\n";
    let path = "Supported: path\r\nPath: <sip:edge.example;lr>\r\n";
    let to_trunk = "Supported: path\r\nPath: <sip:203.0.113.5;lr>\r\n";
    let over = "Supported: path\r\nPath: <sip:edge.example;maddr=203.0.113.5;lr>\r\n";
    let own = "Contact: <sip:anna@192.0.2.1>\r\n";
    let mut cseq = 0;
    let mut say = |office: &mut Office, rows: String| {
        cseq += 1;
        office.send(&register("c", cseq, &rows)).status.code()
    };
    let mut stranger = Office::new();
    for rows in [
        format!("{path}{own}"),
        format!("{second}{own}"),
        format!("{second}{path}{own}"),
        second.to_owned(),
    ] {
        assert_eq!(say(&mut stranger, rows.clone()), 403, "{rows}");
    }
    let mut edge = Office::with(|config| {
        let edges = ["192.0.2.1", "edge.example"].map(|edge| Host::parse(edge).unwrap());
        config.edge_proxies = edges.to_vec();
    });
    assert_eq!(say(&mut edge, format!("{second}{path}{TRUNK}")), 200);
    // An edge that passes on what a device wrote vouches for nothing.
    assert_eq!(say(&mut edge, format!("{second}{to_trunk}{own}")), 403);
    assert_eq!(say(&mut edge, format!("{second}{over}{own}")), 403);
    assert_eq!(say(&mut edge, format!("{second}{TRUNK}")), 403);
    assert_eq!(say(&mut edge, format!("{second}{own}")), 200);
}

#[test]
fn maddr_is_no_way_round_our_own_names() {
    let own = Identity {
        transport: FlowTransport::Udp,
        host: Host::V4([192, 0, 2, 100].into()),
        port: Some(5_060),
    };
    let mut office = Office::with(|config| config.own = vec![own]);
    for (cseq, contact) in [
        (1, "sip:112@192.0.2.1;maddr=192.0.2.100"),
        (2, "sip:112@192.0.2.1:5060;maddr=192.0.2.100"),
        (3, "sip:112@192.0.2.1;maddr=home.example"),
    ] {
        let rows = format!("Contact: <{contact}>\r\n");
        assert_eq!(office.say("c", cseq, &rows).0, 403, "{contact}");
    }
}
