use hearthline_modem::dbus::{BUS, BUS_PATH, Kind, Message, Value, is_path, is_signature};
use proptest::prelude::*;

fn path() -> impl Strategy<Value = String> {
    "(/[A-Za-z0-9_]{1,8}){1,4}|/"
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<u8>().prop_map(Value::Byte),
        any::<bool>().prop_map(Value::Bool),
        any::<i16>().prop_map(Value::I16),
        any::<u16>().prop_map(Value::U16),
        any::<i32>().prop_map(Value::I32),
        any::<u32>().prop_map(Value::U32),
        any::<i64>().prop_map(Value::I64),
        any::<u64>().prop_map(Value::U64),
        (-1e9..1e9_f64).prop_map(Value::Double),
        "[^\\x00]{0,20}".prop_map(Value::str),
        path().prop_map(Value::path),
        Just(Value::Signature("a{sv}".to_owned())),
    ];
    leaf.prop_recursive(4, 48, 6, |inner| {
        prop_oneof![
            inner.clone().prop_map(Value::variant),
            prop::collection::vec(inner.clone(), 1..5).prop_map(Value::Struct),
            // One type in an array: variants hold whatever there is.
            prop::collection::vec(inner.clone().prop_map(Value::variant), 0..5)
                .prop_map(|items| Value::Array("v".to_owned(), items)),
            prop::collection::vec(("[a-z]{0,6}", inner), 0..5).prop_map(Value::properties),
            prop::collection::vec(any::<u64>().prop_map(Value::U64), 0..5)
                .prop_map(|items| Value::Array("t".to_owned(), items)),
        ]
    })
}

fn message(body: Vec<Value>) -> Message {
    let mut message = Message::call("org.example.Drill", "/a/b", "org.example.Drill", "Do");
    message.serial = 7;
    message.with(body)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn what_was_written_is_read_again(body in prop::collection::vec(value(), 0..4)) {
        let signature: String = body.iter().map(Value::signature).collect();
        prop_assume!(is_signature(&signature));
        let message = message(body);
        let read = Message::parse(&message.to_bytes()).unwrap();
        prop_assert_eq!(read, message);
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Message::parse(&bytes);
    }

    #[test]
    fn a_changed_byte_is_read_or_refused(
        body in prop::collection::vec(value(), 0..3),
        at in any::<prop::sample::Index>(),
        to in any::<u8>(),
    ) {
        let mut bytes = message(body).to_bytes();
        let at = at.index(bytes.len());
        bytes[at] = to;
        if let Ok(read) = Message::parse(&bytes) {
            // What was read can be written and read again.
            let again = Message::parse(&read.to_bytes()).unwrap();
            prop_assert_eq!(again.member, read.member);
        }
    }

    #[test]
    fn names_never_panic(text in ".{0,40}") {
        let _ = is_path(&text);
        let _ = is_signature(&text);
    }
}

#[test]
fn both_byte_orders_are_read() {
    // A method return in big-endian: reply to 3, body of one string.
    let fields = [
        &[5, 1, b'u', 0, 0, 0, 0, 3][..],
        &[8, 1, b'g', 0, 1, b's', 0],
    ]
    .concat();
    let mut bytes = vec![b'B', 2, 0, 1, 0, 0, 0, 7, 0, 0, 0, 9];
    bytes.extend([0, 0, 0, fields.len() as u8]);
    bytes.extend(&fields);
    while bytes.len() % 8 != 0 {
        bytes.push(0);
    }
    bytes.extend([0, 0, 0, 2, b'o', b'k', 0]);
    let read = Message::parse(&bytes).unwrap();
    assert_eq!((read.kind, read.serial), (Kind::Return, 9));
    assert_eq!(read.reply_serial, Some(3));
    assert_eq!(read.body, [Value::str("ok")]);
}

#[test]
fn what_breaks_the_rules_is_refused() {
    let good = message(vec![Value::str("a"), Value::Bool(true)]).to_bytes();
    assert!(Message::parse(&good).is_ok());
    for (at, to, what) in [
        (0, b'x', "byte order"),
        (1, 9, "kind"),
        (3, 2, "version"),
        (8, 0, "number 0"),
        (good.len() - 4, 7, "truth"),
        (4, 3, "body length"),
    ] {
        let mut bytes = good.clone();
        bytes[at] = to;
        assert!(Message::parse(&bytes).is_err(), "{what}");
    }
    for length in 0..good.len() {
        assert!(Message::parse(&good[..length]).is_err(), "{length} bytes");
    }
    // Values deep in one another are refused before the stack ends.
    let mut deep = Value::Byte(1);
    for _ in 0..200 {
        deep = Value::variant(deep);
    }
    assert!(Message::parse(&message(vec![deep]).to_bytes()).is_err());
    // A length beyond the limit is refused before its bytes are awaited.
    let mut huge = Message::call(BUS, BUS_PATH, BUS, "Hello");
    huge.serial = 1;
    let mut bytes = huge.to_bytes();
    bytes[4..8].copy_from_slice(&u32::MAX.to_le_bytes());
    assert!(Message::parse(&bytes).is_err());
}
