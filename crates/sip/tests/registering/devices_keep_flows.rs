use hearthline_sip::HeaderName;
use hearthline_sip::outbound::{FlowId, FlowTransport, Hop};

use crate::office::{Office, flow, register, sip};

fn contact(reg_id: u32) -> String {
    format!(
        "Supported: outbound, path\r\nContact: <sip:anna@d{reg_id}.invalid;transport=ws>;\
         reg-id={reg_id};+sip.instance=\"<urn:uuid:00000000-0000-1000-8000-AABBCCDDEEFF>\"\r\n"
    )
}

#[test]
fn two_flows_of_one_device_are_two_bindings_and_one_branch() {
    let mut office = Office::new();
    office.flow = flow(11, FlowTransport::Wss);
    let response = office.send(&register("c", 1, &contact(1)));
    assert_eq!(response.headers.flow_timer(), Ok(Some(120)));
    assert_eq!(response.headers.require().unwrap(), ["outbound"]);
    office.flow = flow(12, FlowTransport::Wss);
    office.now += std::time::Duration::from_secs(1);
    office.send(&register("d", 1, &contact(2)));
    assert_eq!(office.registrar.binding_count(), 2);
    let aor = sip("sip:anna@home.example");
    let groups = office.registrar.lookup(&aor, office.now).unwrap();
    assert_eq!((groups.len(), groups[0].branches.len()), (1, 1));
    let hops: Vec<_> = groups[0].branches[0]
        .ways
        .iter()
        .map(|way| way.hop.clone())
        .collect();
    let hop = |id| {
        Some(Hop::Flow {
            id: FlowId(id),
            transport: FlowTransport::Wss,
        })
    };
    assert_eq!(hops, [hop(12), hop(11)], "the newest first");
    // The flow of one closes: the other stays.
    office.registrar.flow_closed(FlowId(12));
    office.drain();
    let groups = office.registrar.lookup(&aor, office.now).unwrap();
    assert_eq!(groups[0].branches[0].ways[0].hop, hop(11));
    office.registrar.flow_closed(FlowId(11));
    office.drain();
    assert!(office.registrar.lookup(&aor, office.now).is_err());
    assert!(office.stored.is_empty());
}

#[test]
fn registering_again_by_a_new_flow_replaces_the_old_one() {
    let mut office = Office::new();
    office.flow = flow(11, FlowTransport::Tls);
    office.send(&register("c", 1, &contact(1)));
    // The device came back from another address, with another contact and another Call-ID.
    office.flow = flow(15, FlowTransport::Tls);
    let moved = contact(1).replace("d1.invalid", "moved.invalid");
    office.send(&register("other", 1, &moved));
    assert_eq!(office.registrar.binding_count(), 1);
    assert_eq!(
        office.stored[0].flow,
        Some((FlowId(15), FlowTransport::Tls))
    );
    // Nothing that is sent by the old one reaches the device: it is to be closed.
    assert_eq!(office.left, [FlowId(11)]);
    // What happens to the old flow no longer concerns it.
    office.registrar.flow_closed(FlowId(11));
    office.drain();
    assert_eq!(office.registrar.binding_count(), 1);
}

/// An ordinary telephone at an address: a pair of UDP addresses of its own, and no `reg-id`.
fn at(office: &mut Office, id: u64, call_id: &str, cseq: u32, contact: &str) {
    office.flow = flow(id, FlowTransport::Udp);
    office.now += std::time::Duration::from_secs(1);
    let (status, _) = office.say(call_id, cseq, &format!("Contact: {contact}\r\n"));
    assert_eq!(status, 200);
}

#[test]
fn an_ordinary_phone_leaves_its_address_where_it_is_known_to_be_the_same() {
    let instance = "+sip.instance=\"<urn:uuid:00000000-0000-1000-8000-AABBCCDDEEFF>\"";
    // By its instance, with another Call-ID.
    let mut office = Office::new();
    at(
        &mut office,
        7,
        "a",
        1,
        &format!("<sip:anna@192.0.2.1>;{instance}"),
    );
    at(
        &mut office,
        8,
        "b",
        1,
        &format!("<sip:anna@192.0.2.8>;{instance}"),
    );
    assert_eq!(office.left, [FlowId(7)]);
    // Once: what is closed is no flow any more.
    office.registrar.flow_closed(FlowId(7));
    at(
        &mut office,
        8,
        "b",
        2,
        &format!("<sip:anna@192.0.2.8>;{instance}"),
    );
    assert_eq!(office.left, [FlowId(7)]);
    // Without an instance by the Call-ID; the same contact from elsewhere is the same row.
    let mut office = Office::new();
    at(&mut office, 7, "a", 1, "<sip:anna@192.0.2.1>");
    at(&mut office, 8, "a", 2, "<sip:anna@192.0.2.8>");
    at(&mut office, 9, "a", 3, "<sip:anna@192.0.2.8>");
    assert_eq!(office.left, [FlowId(7), FlowId(8)]);
}

#[test]
fn two_phones_two_families_and_a_shared_address_are_no_move() {
    let mut office = Office::new();
    at(&mut office, 7, "a", 1, "<sip:anna@192.0.2.1>");
    at(&mut office, 8, "b", 1, "<sip:anna@192.0.2.8>");
    assert!(office.left.is_empty(), "another telephone of hers");
    at(&mut office, 9, "a", 2, "<sip:anna@[2001:db8::1]>");
    assert!(office.left.is_empty(), "the same, by IPv6 as well");
    // Two accounts behind one address: it is left when the last one has moved.
    let mut office = Office::new();
    let (anna, ben) = (office.owner.clone(), "sip:ben@home.example");
    let ben = hearthline_sip::registrar::Aor::from_column(ben).unwrap();
    let as_ben = |office: &mut Office, id, cseq, host: &str| {
        office.owner = ben.clone();
        office.flow = flow(id, FlowTransport::Udp);
        let contact = format!("Contact: <sip:ben@{host}>\r\n");
        let text = register("ben", cseq, &contact).to_bytes();
        let text = String::from_utf8(text).unwrap();
        let text = text.replace("sip:anna@home.example", "sip:ben@home.example");
        let response = office.send(&crate::office::request(&text));
        assert_eq!(response.status.code(), 200);
        office.owner = anna.clone();
    };
    at(&mut office, 7, "a", 1, "<sip:anna@192.0.2.1>");
    as_ben(&mut office, 7, 1, "192.0.2.1");
    at(&mut office, 8, "a", 2, "<sip:anna@192.0.2.8>");
    assert!(office.left.is_empty());
    as_ben(&mut office, 8, 2, "192.0.2.8");
    assert_eq!(office.left, [FlowId(7)]);
}

#[test]
fn an_ordinary_phone_outlives_its_connection_by_its_address() {
    let mut office = Office::new();
    office.flow = flow(21, FlowTransport::Tcp);
    office.say("c", 1, "Contact: <sip:anna@192.0.2.1;transport=tcp>\r\n");
    office.registrar.flow_closed(FlowId(21));
    office.drain();
    assert_eq!(office.stored[0].flow, None);
    let groups = office
        .registrar
        .lookup(&sip("sip:anna@home.example"), office.now)
        .unwrap();
    assert_eq!(groups[0].branches[0].ways[0].hop, None);
}

#[test]
fn a_first_hop_that_keeps_no_flows_is_told() {
    let via = "Via: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKup\r\n";
    let mut office = Office::with(|config| {
        let edges = ["192.0.2.1", "edge.example"].map(hearthline_sip::Host::parse);
        config.edge_proxies = edges.into_iter().map(Result::unwrap).collect();
    });
    // 439 where the device asked for it, else the reg-id is ignored.
    assert_eq!(office.say("c", 1, &format!("{via}{}", contact(1))).0, 439);
    let plain = contact(1)
        .replace("outbound, path", "path")
        .replace("d1.invalid;transport=ws", "192.0.2.1");
    assert_eq!(office.say("c", 2, &format!("{via}{plain}")).0, 200);
    assert_eq!(office.stored[0].reg_id, 0);
    assert_eq!(
        office.stored[0].flow, None,
        "the flow is the proxy's, not the device's"
    );
    // With `ob` in the Path of its first proxy it is kept.
    let path = "Path: <sip:token@edge.example;lr;ob>\r\n";
    let response = office.send(&register("d", 3, &format!("{via}{path}{}", contact(1))));
    assert_eq!(response.status.code(), 200);
    assert!(response.headers.contains(&HeaderName::FlowTimer));
    assert!(
        office
            .stored
            .iter()
            .any(|row| row.reg_id == 1 && row.path.len() == 1)
    );
}

#[test]
fn a_flow_is_registered_alone() {
    let mut office = Office::new();
    let both = format!("{}Contact: <sip:anna@192.0.2.1>\r\n", contact(1));
    assert_eq!(office.say("c", 1, &both).0, 400);
    let removing = format!("{}Contact: <sip:anna@192.0.2.1>;expires=0\r\n", contact(1));
    assert_eq!(office.say("c", 2, &removing).0, 200);
}

#[test]
fn a_reg_id_without_a_device_is_ignored() {
    let mut office = Office::new();
    let response = office.send(&register(
        "c",
        1,
        "Supported: outbound\r\nContact: <sip:anna@192.0.2.1>;reg-id=1\r\n",
    ));
    assert_eq!(response.status.code(), 200);
    assert!(!response.headers.contains(&HeaderName::Require));
    assert_eq!(office.stored[0].reg_id, 0);
}

#[test]
fn the_answer_to_a_device_with_everything() {
    let mut office = Office::with(|config| {
        let route = hearthline_sip::NameAddr::parse("<sip:hub.home.example;lr>").unwrap();
        config.service_route = vec![route];
    });
    office.flow = flow(11, FlowTransport::Wss);
    let rows = contact(1).replace("outbound, path", "outbound, path, gruu");
    let response = office.send(&register("c", 1, &rows));
    let text = String::from_utf8(response.to_bytes()).unwrap();
    insta::assert_snapshot!("register_answered", text.replace("\r\n", "\n"));
}
