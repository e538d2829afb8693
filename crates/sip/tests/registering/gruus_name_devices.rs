use std::time::Duration;

use hearthline_sip::registrar::Unreachable;

use crate::office::{Office, sip};

fn device(number: u32) -> String {
    format!(
        "Supported: gruu\r\nContact: <sip:anna@192.0.2.{number}>;\
         +sip.instance=\"<urn:uuid:0000000{number}-0000-1000-8000-AABBCCDDEEFF>\"\r\n"
    )
}

/// Public and temporary GRUU of the newest contact in the answer.
fn gruus(office: &mut Office, call_id: &str, cseq: u32, number: u32) -> (String, String) {
    let (status, contacts) = office.say(call_id, cseq, &device(number));
    assert_eq!(status, 200);
    let host = format!("192.0.2.{number}");
    let contact = contacts
        .iter()
        .find(|c| c.uri.to_string().contains(&host))
        .unwrap();
    let param = |name| contact.params.get(name).unwrap().to_owned();
    (param("pub-gruu"), param("temp-gruu"))
}

#[test]
fn each_device_has_its_own_address() {
    let mut office = Office::new();
    let (public, temporary) = gruus(&mut office, "a", 1, 1);
    let (other, _) = gruus(&mut office, "b", 1, 2);
    assert_ne!(public, other);
    for gruu in [&public, &temporary] {
        assert_eq!(office.targets(gruu), [["sip:anna@192.0.2.1"]], "{gruu}");
    }
    assert_eq!(office.targets(&other), [["sip:anna@192.0.2.2"]]);
    assert!(
        !temporary.contains("anna") && !temporary.contains("uuid"),
        "{temporary}"
    );
    assert_eq!(office.targets("sip:anna@home.example").concat().len(), 2);
}

#[test]
fn temporary_ones_cannot_be_linked_and_all_stay_good() {
    let mut office = Office::new();
    let mut all = std::collections::BTreeSet::new();
    for cseq in 1..50 {
        all.insert(gruus(&mut office, "a", cseq, 1).1);
    }
    assert_eq!(all.len(), 49);
    for gruu in &all {
        assert_eq!(office.targets(gruu).len(), 1);
    }
}

#[test]
fn another_call_id_ends_the_temporary_ones_and_not_the_public_one() {
    let mut office = Office::new();
    let (public, before) = gruus(&mut office, "a", 1, 1);
    office.now += Duration::from_secs(1);
    let (same, after) = gruus(&mut office, "b", 1, 1);
    assert_eq!(public, same);
    let gone = office.registrar.lookup(&sip(&before), office.now);
    assert_eq!(gone.err(), Some(Unreachable::Unknown));
    assert_eq!(office.targets(&after).len(), 1);
}

#[test]
fn without_a_binding_a_public_one_is_unavailable_and_a_temporary_one_unknown() {
    let mut office = Office::new();
    let (public, temporary) = gruus(&mut office, "a", 1, 1);
    office.say("a", 2, "Contact: *\r\nExpires: 0\r\n");
    let find = |office: &Office, gruu: &str| office.registrar.lookup(&sip(gruu), office.now).err();
    assert_eq!(find(&office, &public), Some(Unreachable::NotRegistered));
    assert_eq!(find(&office, &temporary), Some(Unreachable::Unknown));
    // The same Call-ID again does not bring it back.
    let (again, _) = gruus(&mut office, "a", 3, 1);
    assert_eq!(again, public);
    assert_eq!(find(&office, &temporary), Some(Unreachable::Unknown));
}

#[test]
fn nobody_suggests_a_gruu_and_only_those_who_ask_get_one() {
    let mut office = Office::new();
    let rows = device(1).replace(
        ";+sip",
        ";pub-gruu=\"sip:evil@elsewhere.example;gr=x\";+sip",
    );
    let (_, contacts) = office.say("a", 1, &rows);
    let given = contacts[0].params.get("pub-gruu").unwrap();
    assert!(given.starts_with("sip:anna@home.example;gr="), "{given}");
    let (_, contacts) = office.say("a", 2, &device(1).replace("Supported: gruu\r\n", ""));
    assert!(!contacts[0].params.has("pub-gruu"));
}
