//! vCard 3.0 and 4.0 are read as phones write them, and what is read is written back.
use hearthline_hub::vcard::{
    Card, LINE_BYTES_MAX, Number, NumberKind, VcardFault, Version, read, write,
};
use proptest::prelude::*;

fn one(text: &str) -> Card {
    let book = read(text.as_bytes()).expect("a whole file");
    assert_eq!(book.faults, []);
    assert_eq!(book.cards.len(), 1);
    book.cards.into_iter().next().expect("one card")
}

#[test]
fn a_phone_s_export_is_read() {
    let card = one(
        "BEGIN:VCARD\r\nVERSION:3.0\r\nN:Example;Anna;Maria;Dr.;\r\nFN:Dr. Anna\r\n  Example\r\n\
         NICKNAME:Nana,Annie\\, dear\r\nitem1.TEL;TYPE=CELL,VOICE,pref:(505) 555-0123\r\nTEL;WORK:+1 505 555 0199\r\n\
         item1.X-ABLabel:private\r\nPHOTO;ENCODING=b;TYPE=JPEG:AAAA\r\n BBBB\r\nEND:VCARD\r\n",
    );
    assert_eq!(card.name, "Dr. Anna Example");
    assert_eq!(card.given.as_deref(), Some("Anna"));
    assert_eq!(card.family.as_deref(), Some("Example"));
    assert_eq!(card.nicknames, ["Nana", "Annie, dear"]);
    let numbers: Vec<_> = card
        .numbers
        .iter()
        .map(|n| (n.kind, n.number.as_str(), n.preferred))
        .collect();
    assert_eq!(
        numbers,
        [
            (NumberKind::Mobile, "(505) 555-0123", true),
            (NumberKind::Work, "+1 505 555 0199", false)
        ]
    );
    assert_eq!(
        card.others,
        [
            "N:Example;Anna;Maria;Dr.;",
            "item1.X-ABLabel:private",
            "PHOTO;ENCODING=b;TYPE=JPEG:AAAABBBB"
        ]
    );
    let again = one(&write(std::slice::from_ref(&card), Version::V3));
    assert_eq!(again, card);
}

#[test]
fn version_four_has_uris_and_quoted_types() {
    let card = one(
        "begin:vcard\nversion:4.0\nUID:urn:uuid:0-1\nFN;LANGUAGE=de:M\u{fc}ller\n\
         TEL;VALUE=uri;PREF=1;TYPE=\"voice,home\":tel:+1-505-555-0123\nend:vcard\n",
    );
    assert_eq!(card.uid.as_deref(), Some("urn:uuid:0-1"));
    assert_eq!(
        card.numbers,
        [Number {
            kind: NumberKind::Home,
            number: "+1-505-555-0123".into(),
            preferred: true
        }]
    );
}

#[test]
fn one_bad_card_does_not_cost_the_others() {
    let good = "BEGIN:VCARD\nVERSION:4.0\nFN:Anna\nEND:VCARD\n";
    for (bad, line, what) in [
        (
            "BEGIN:VCARD\nVERSION:2.1\nFN:A\nEND:VCARD\n",
            5,
            VcardFault::OtherVersion,
        ),
        ("BEGIN:VCARD\nFN:A\nEND:VCARD\n", 5, VcardFault::NoVersion),
        (
            "BEGIN:VCARD\nVERSION:4.0\nEND:VCARD\n",
            5,
            VcardFault::NoName,
        ),
        (
            "BEGIN:VCARD\nVERSION:4.0\nFN A\nEND:VCARD\n",
            7,
            VcardFault::NotALine,
        ),
        (
            "BEGIN:VCARD\nVERSION:4.0\nFN:A\u{7}\nEND:VCARD\n",
            7,
            VcardFault::ControlCharacter,
        ),
    ] {
        let book = read(format!("{good}{bad}{good}").as_bytes()).expect("the file is whole");
        assert_eq!(book.cards.len(), 2, "{bad:?}");
        assert_eq!(book.faults.len(), 1, "{bad:?}");
        assert_eq!(
            (book.faults[0].line, book.faults[0].what),
            (line, what),
            "{bad:?}"
        );
    }
}

#[test]
fn a_broken_file_says_where() {
    let fault = |bytes: &[u8]| {
        let error = read(bytes).expect_err("a broken file");
        (error.line, error.what)
    };
    assert_eq!(fault(b"hello"), (1, VcardFault::OutsideACard));
    assert_eq!(
        fault(b"BEGIN:VCARD\nVERSION:4.0\nFN:A"),
        (3, VcardFault::Unfinished)
    );
    assert_eq!(
        fault(b"BEGIN:VCARD\nBEGIN:VCARD\n"),
        (2, VcardFault::NestedCard)
    );
    assert_eq!(fault(b"BEGIN:VCARD\nFN:\xff\n"), (2, VcardFault::NotUtf8));
    let long = format!("BEGIN:VCARD\nNOTE:{}\n", "x".repeat(LINE_BYTES_MAX));
    assert_eq!(fault(long.as_bytes()), (2, VcardFault::LineTooLong));
    assert_eq!(read(b"").expect("empty is an empty book").cards, []);
}

fn name() -> impl Strategy<Value = String> {
    "[ -~\u{e4}\u{4e2d}\u{1f600}]{1,60}"
        .prop_map(|text| text.split_whitespace().collect::<Vec<_>>().join(" "))
        .prop_filter("a name", |text| !text.is_empty())
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(
        name in name(),
        nicknames in proptest::collection::vec(name(), 0..4),
        number in "[+0-9() ,;-]{0,20}[0-9]",
        given in proptest::option::of(name()),
        v4 in any::<bool>(),
    ) {
        let number = number.split_whitespace().collect::<Vec<_>>().join(" ");
        let card = Card {
            uid: Some("id-1".into()),
            name,
            given,
            nicknames,
            numbers: vec![Number { kind: NumberKind::Mobile, number, preferred: true }],
            others: vec!["X-OTHER;A=\"b:c\":d".into()],
            ..Card::default()
        };
        let text = write(std::slice::from_ref(&card), if v4 { Version::V4 } else { Version::V3 });
        prop_assert!(text.split("\r\n").all(|line| line.len() <= 75));
        prop_assert_eq!(one(&text), card);
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = read(&bytes);
        let mut card = b"BEGIN:VCARD\nVERSION:4.0\nFN:A\n".to_vec();
        card.extend(&bytes);
        card.extend(b"\nEND:VCARD\n");
        let _ = read(&card);
    }
}
