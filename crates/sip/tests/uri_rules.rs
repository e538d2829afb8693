//! URIs: what is refused, the canonical form, and the comparison of RFC 3261 section 19.1.4.
#![allow(clippy::unwrap_used)] // helpers of tests are tests

use hearthline_sip::{Host, NameAddr, SipUri, Uri, Urn};
use proptest::prelude::*;

fn uri(text: &str) -> Uri {
    Uri::parse(text).unwrap_or_else(|e| panic!("{text}: {e}"))
}

#[test]
fn canonical_form() {
    for (text, canonical) in [
        ("SIP:Alice@EXAMPLE.com", "sip:Alice@example.com"),
        (
            "sips:%61lice%40home:pw@example.com:5061;Transport=TCP;lr?subject=a%20b&x=",
            "sips:alice%40home:pw@example.com:5061;transport=TCP;lr?subject=a%20b&x=",
        ),
        ("sip:[2001:DB8::0:1]:5060", "sip:[2001:db8::1]:5060"),
        (
            "sip:a;b=c,d&e+f$g?h/i@example.com",
            "sip:a;b=c,d&e+f$g?h/i@example.com",
        ),
        (
            "sip:null-%00-null@example.com",
            "sip:null-%00-null@example.com",
        ),
        (
            "sip:user;par=u%40x@example.com",
            "sip:user;par=u%40x@example.com",
        ),
        ("sip:a@example.com.", "sip:a@example.com."),
        (
            "tel:+1-(212)-555.0100;phone-context=x",
            "tel:+1-(212)-555.0100;phone-context=x",
        ),
        ("tel:911", "tel:911"),
        ("TEL:*67#;phone-context=+1", "tel:*67#;phone-context=+1"),
        ("urn:SERVICE:SOS.Police", "urn:service:sos.police"),
        ("urn:uuid:F81D4FAE-7dec", "urn:uuid:F81D4FAE-7dec"),
        (
            "https://lis.example.com/a?b=c#d",
            "https://lis.example.com/a?b=c#d",
        ),
        ("cid:target%40x@example.com", "cid:target%40x@example.com"),
    ] {
        assert_eq!(uri(text).to_string(), canonical);
        assert_eq!(uri(canonical), uri(text));
    }
}

#[test]
fn what_is_not_a_uri() {
    for text in [
        "",
        "sip",
        ":x",
        "sip:",
        "sip:@example.com",
        "sip:a@",
        "sip:a@b@c",
        "sip:a b@example.com",
        "sip:a@exa_mple.com",
        "sip:a@-example.com",
        "sip:a@1.2.3.256",
        "sip:a@example.1com",
        "sip:a@[::1",
        "sip:a@[::g]",
        "sip:a@example.com:",
        "sip:a@example.com:65536",
        "sip:a@example.com:5x",
        "sip:a@example.com;",
        "sip:a@example.com;lr;lr",
        "sip:a@example.com;x=",
        "sip:a@example.com?",
        "sip:a@example.com?=x",
        "sip:a%4@example.com",
        "sip:a%zz@example.com",
        "sip:\u{fc}@example.com",
        "sip:a<b>@example.com",
        "sip:a\r\nb@example.com",
        "tel:",
        "tel:+",
        "tel:+12ab",
        "tel:()",
        "tel:1 2",
        "urn:",
        "urn:x:y",
        "urn:service:",
        "urn:service:sos..fire",
        "urn:service:-sos",
        "1x:y",
        "x y:z",
        "http:",
        "http:a b",
    ] {
        assert!(Uri::parse(text).is_err(), "{text:?}");
    }
}

#[test]
fn parts_can_be_read() {
    let Uri::Sip(sip) = uri("sips:%61%20b:c@example.com:5061;transport=tls;lr") else {
        panic!()
    };
    assert!(sip.is_secure() && sip.is_loose_router());
    assert_eq!(
        (sip.user(), sip.password(), sip.port()),
        (Some("a%20b"), Some("c"), Some(5061))
    );
    assert_eq!(sip.user_unescaped().as_deref(), Some(&b"a b"[..]));
    assert_eq!(sip.params().get("TRANSPORT"), Some("tls"));
    assert_eq!(uri("urn:service:sos.fire").service(), Some("sos.fire"));
    let Uri::Tel(tel) = uri("tel:+1-212-555-0100") else {
        panic!()
    };
    assert_eq!(
        (tel.digits().as_str(), tel.is_global()),
        ("+12125550100", true)
    );
}

#[test]
fn nothing_put_into_a_uri_can_leave_it() {
    let host = Host::parse("example.com").unwrap();
    let sip = SipUri::new(host)
        .with_user("a@b c\r\nX: y>")
        .with_param("x y", Some(";\r\n"));
    assert_eq!(
        sip.to_string(),
        "sip:a%40b%20c%0D%0AX%3A%20y%3E@example.com;x%20y=%3B%0D%0A"
    );
    assert_eq!(uri(&sip.to_string()), Uri::Sip(sip));
    assert!(Urn::from_service("sos\r\nX: y").is_err());
}

/// The examples of the section, and of RFC 3966 section 4.
#[test]
fn equivalence() {
    let equal = [
        (
            "sip:%61lice@atlanta.com;transport=TCP",
            "sip:alice@AtLanTa.CoM;Transport=tcp",
        ),
        ("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com;security=on"),
        (
            "sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
            "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com",
        ),
        (
            "sip:alice@atlanta.com?subject=project%20x&priority=urgent",
            "sip:alice@atlanta.com?priority=urgent&subject=project%20x",
        ),
        ("tel:+1-212-555-0100", "tel:+12125550100"),
        (
            "tel:7042;phone-context=Example.com",
            "tel:7042;phone-context=example.com",
        ),
    ];
    let different = [
        (
            "SIP:ALICE@AtLanTa.CoM;Transport=udp",
            "sip:alice@AtLanTa.CoM;Transport=UDP",
        ),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"),
        (
            "sip:bob@biloxi.com",
            "sip:bob@biloxi.com:6000;transport=tcp",
        ),
        (
            "sip:carol@chicago.com",
            "sip:carol@chicago.com?Subject=next%20meeting",
        ),
        ("sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4"),
        (
            "sip:carol@chicago.com;security=on",
            "sip:carol@chicago.com;security=off",
        ),
        ("sip:a@example.com", "sips:a@example.com"),
        ("sip:a%3Bb@example.com", "sip:a;b@example.com"),
        ("tel:+12125550100", "tel:12125550100"),
    ];
    for (a, b) in equal {
        assert!(
            uri(a).equivalent(&uri(b)) && uri(b).equivalent(&uri(a)),
            "{a} = {b}"
        );
    }
    for (a, b) in different {
        assert!(
            !uri(a).equivalent(&uri(b)) && !uri(b).equivalent(&uri(a)),
            "{a} != {b}"
        );
    }
}

proptest! {
    #[test]
    fn what_is_read_is_written_and_read_the_same(text in "(sip|sips|tel|urn|x):[ -~]{0,40}") {
        if let Ok(first) = Uri::parse(&text) {
            let written = first.to_string();
            prop_assert!(first.equivalent(&first));
            prop_assert_eq!(Uri::parse(&written), Ok(first), "{}", written);
        }
    }

    #[test]
    fn sip_uris_out_of_their_alphabet(
        user in "[a-z0-9%;=+$,?/&~]{0,12}", host in "[a-z0-9.\\[\\]:-]{1,12}", tail in "[;?a-z=%0-9&]{0,16}"
    ) {
        let text = format!("sip:{user}@{host}{tail}");
        if let Ok(first) = Uri::parse(&text) {
            prop_assert_eq!(Uri::parse(first.to_string()), Ok(first), "{}", text);
        }
    }

    #[test]
    fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
        let _ = Uri::parse(&bytes);
    }

    #[test]
    fn addresses_survive(display in ".{0,20}", user in ".{1,12}", tag in "[a-z0-9.]{1,8}") {
        let host = Host::parse("example.com").unwrap();
        let mut address = NameAddr::new(SipUri::new(host).with_user(&user)).with_tag(&tag);
        address.display = Some(display.replace(['\r', '\n'], " "));
        let written = address.to_string();
        prop_assert_eq!(NameAddr::parse(&written), Ok(address), "{}", written);
    }
}

/// Found by the fuzz target `sip_uri`: a line break in a quoted parameter was read and written back as a space.
#[test]
fn a_line_break_in_a_quoted_parameter_is_refused() {
    for text in ["p:I;'=\"a\nb\"", "p:I;'=\"a\rb\"", "p:I;'=\"a\\\nb\""] {
        assert!(hearthline_sip::NameAddr::parse(text).is_err(), "{text:?}");
    }
}
