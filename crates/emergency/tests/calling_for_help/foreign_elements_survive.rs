//! What this crate does not know of an address is passed on byte for byte (RFC 6848 §2), and hostile documents are refused.

use crate::support::{address, wall};
use hearthline_emergency::XmlError;
use hearthline_emergency::additional::Block;
use hearthline_emergency::civic::{CivicAddress, CivicElement};
use hearthline_emergency::geodetic::Shape;
use hearthline_emergency::lost::{LostRequest, LostResponse};
use hearthline_emergency::pidf::{LocationObject, PidfError, PidfLo, ProvidedBy};
use hearthline_emergency::raw::RawXml;
use proptest::prelude::*;

const DOCUMENT: &str = r#"<presence xmlns="urn:ietf:params:xml:ns:pidf" entity="pres:a@example.test"
  xmlns:gp="urn:ietf:params:xml:ns:pidf:geopriv10" xmlns:ca="urn:example:not-civic" xmlns:l="urn:example:lights">
 <tuple id="t"><status><gp:geopriv><gp:location-info>
  <civicAddress xmlns="urn:ietf:params:xml:ns:pidf:geopriv10:civicAddr"><country>US</country>
   <MP xmlns="urn:ietf:params:xml:ns:pidf:geopriv10:civicAddr:ext">7.5</MP>
   <ca:lamp  colour='r&amp;d'><l:on/><!-- kept --> x </ca:lamp><other xmlns="urn:example:o" />
  </civicAddress>
 </gp:location-info><gp:usage-rules/></gp:geopriv></status></tuple></presence>"#;

#[test]
fn an_unknown_extension_keeps_its_bytes_and_its_namespaces() {
    let mut document = PidfLo::parse(DOCUMENT.as_bytes()).unwrap();
    for _ in 0..3 {
        let civic = document.locations[0].civic.as_ref().unwrap();
        assert_eq!(civic.get(CivicElement::Country), Some("US"));
        assert_eq!(civic.get(CivicElement::Milepost), Some("7.5"));
        let kept: Vec<&str> = civic.extensions().iter().map(RawXml::as_str).collect();
        assert_eq!(
            kept,
            [
                "<ca:lamp  colour='r&amp;d'><l:on/><!-- kept --> x </ca:lamp>",
                "<other xmlns=\"urn:example:o\" />"
            ]
        );
        assert_eq!(
            civic.extensions()[0].namespace(),
            Some("urn:example:not-civic")
        );
        document = PidfLo::parse(&document.to_bytes()).unwrap();
    }
}

#[test]
fn every_element_of_an_address_comes_back() {
    let mut address = CivicAddress::new();
    for &element in CivicElement::ALL {
        let value = if element == CivicElement::Country {
            "gb".to_owned()
        } else {
            format!("<{}> & ü", element.name())
        };
        address.set(element, &value).unwrap();
    }
    let mut object = LocationObject::manual("a", Some(address.clone()), None, wall());
    object.provided_by = ProvidedBy::ProviderInfo {
        content_id: "x@example.test".to_owned(),
    };
    let document = PidfLo {
        entity: "pres:a@example.test".to_owned(),
        locations: vec![object],
    };
    assert_eq!(PidfLo::parse(&document.to_bytes()), Ok(document));
    assert_eq!(CivicElement::ALL.len(), 35);
}

#[test]
fn one_unreadable_location_does_not_hide_the_other() {
    let text = DOCUMENT.replace("<country>US</country>", "<country>USA!</country>").replace(
        "<gp:location-info>",
        "<gp:location-info><p:Point xmlns:p=\"http://www.opengis.net/gml\" srsName=\"EPSG:4326\"><p:pos>1 2</p:pos></p:Point>",
    );
    let document = PidfLo::parse(text.as_bytes()).unwrap();
    assert!(document.civic().is_none());
    assert!(matches!(document.shape(), Some(Shape::Point(_))));
    assert!(document.locations[0].unread[0].why.contains("ISO 3166"));
}

#[test]
fn hostile_documents_are_refused_by_name() {
    let bomb = b"<!DOCTYPE a [<!ENTITY x \"yyyy\">]><presence>&x;</presence>";
    assert!(matches!(
        PidfLo::parse(bomb),
        Err(PidfError::Xml(XmlError::DocType { .. }))
    ));
    let deep = "<a>".repeat(100);
    assert!(matches!(
        PidfLo::parse(deep.as_bytes()),
        Err(PidfError::Xml(XmlError::TooDeep { .. }))
    ));
    assert!(matches!(
        PidfLo::parse(&[b'<'; 300_000]),
        Err(PidfError::Xml(XmlError::TooLong { .. }))
    ));
    assert!(matches!(
        PidfLo::parse(b"<a b='\xff'/>"),
        Err(PidfError::Xml(XmlError::NotUtf8 { .. }))
    ));
    // Many declarations over many elements cost their bytes, not their product.
    let declarations: String = (0..60)
        .map(|index| format!(" xmlns:p{index}=\"{}\"", "n".repeat(1_000)))
        .collect();
    let wide = format!(
        "<presence{declarations}>{}</presence>",
        "<q xmlns:z='y'/>".repeat(8_000)
    );
    assert!(PidfLo::parse(wide.as_bytes()).is_err());
}

/// A document of the RFCs' vocabulary in a random order.
fn soup() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "<presence xmlns='urn:ietf:params:xml:ns:pidf'>",
        "</presence>",
        "<tuple id='a'>",
        "</tuple>",
        "<status>",
        "</status>",
        "<g:geopriv xmlns:g='urn:ietf:params:xml:ns:pidf:geopriv10'>",
        "</g:geopriv>",
        "<location-info>",
        "</location-info>",
        "<civicAddress xmlns='urn:ietf:params:xml:ns:pidf:geopriv10:civicAddr'>",
        "</civicAddress>",
        "<RD>x</RD>",
        "<e:e xmlns:e='urn:e'/>",
        "<Point>",
        "</Point>",
        "<pos>1 2</pos>",
        "<pos>a</pos>",
        "<findServiceResponse xmlns='urn:ietf:params:xml:ns:lost1'>",
        "</findServiceResponse>",
        "<mapping expires='NO-CACHE' lastUpdated='2007-01-01T01:44:33Z' source='a.b' sourceId='c'>",
        "</mapping>",
        "<uri>sip:a@b</uri>",
        "&amp;",
        "&x;",
        "<![CDATA[<]]>",
        "<!-- -->",
        "<?p?>",
        " ",
        "<",
        ">",
        "é",
        "&#0;",
    ]);
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]
    #[test]
    fn no_document_makes_a_reader_panic(text in prop_oneof![soup(), ".{0,200}"]) {
        let bytes = text.as_bytes();
        if let Ok(document) = PidfLo::parse(bytes) {
            let _ = PidfLo::parse(&document.to_bytes());
        }
        if let Ok(request) = LostRequest::parse(bytes) {
            let _ = request.to_bytes();
        }
        if let Ok(response) = LostResponse::parse(bytes) {
            let _ = response.to_bytes();
        }
        let _ = Block::parse(bytes);
        let _ = address().add_extension(&text);
    }
}
