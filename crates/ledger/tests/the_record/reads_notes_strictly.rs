//! Notes, checkpoints, cosignatures and verifier keys: as C2SP has them, and in one spelling only.

use crate::story::*;
use hearthline_ledger::*;
use proptest::prelude::*;

/// A note and key in wide use as the format's example (Go's note package).
const EXAMPLE_KEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const EXAMPLE: &str = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n\u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

#[test]
fn the_formats_example_verifies() {
    let key = NoteKey::parse_vkey(EXAMPLE_KEY).unwrap();
    assert_eq!(key.to_vkey(), EXAMPLE_KEY);
    let note = Note::parse(EXAMPLE.as_bytes()).unwrap();
    assert_eq!(note.verify(&key), Ok(None));
    assert_eq!(note.to_bytes(), EXAMPLE.as_bytes());
    let changed = Note::parse(EXAMPLE.replace("answer", "answers").as_bytes()).unwrap();
    assert!(matches!(
        changed.verify(&key),
        Err(NoteError::Forged { .. })
    ));
}

#[test]
fn the_specifications_checkpoint_reads() {
    let text =
        "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";
    let head = Checkpoint::parse(text).unwrap();
    assert_eq!(
        (head.origin.as_str(), head.size),
        ("example.com/behind-the-sofa", 20_852_163)
    );
    assert_eq!(head.to_text(), text);
}

#[test]
fn a_note_has_one_spelling() {
    let good = EXAMPLE;
    let line = good.lines().last().unwrap();
    for (name, bad) in [
        ("no signature", "text\n".to_owned()),
        ("no empty line", good.replace("\n\n", "\n")),
        ("hyphen", good.replace('\u{2014}', "-")),
        ("carriage return", good.replace("is.\n", "is.\r\n")),
        (
            "carriage return at the end",
            good.replace("AM=\n", "AM=\r\n"),
        ),
        ("no end", good.trim_end().to_owned()),
        ("tab", good.replace("is the", "is\tthe")),
        (
            "name with plus",
            good.replace("PeterNeumann x", "Peter+Neumann x"),
        ),
        (
            "name with wide space",
            good.replace("PeterNeumann x", "Peter\u{3000}Neumann x"),
        ),
        ("no name", good.replace("PeterNeumann ", "")),
        ("not base64", good.replace("x08go", "x08g!")),
        ("loose bits", good.replace("nAM=", "nAN=")),
        ("no padding", good.replace("nAM=", "nAM")),
        ("text after", format!("{good}more\n")),
        (
            "key id only",
            good.replace(line, "\u{2014} PeterNeumann x08gow=="),
        ),
        (
            "too many lines",
            format!("{good}{}", format!("{line}\n").repeat(64)),
        ),
        ("too long", format!("{}{good}", "a".repeat(70_000))),
    ] {
        assert!(Note::parse(bad.as_bytes()).is_err(), "{name}");
    }
    let sixteen = format!("{good}{}", format!("{line}\n").repeat(15));
    assert!(
        Note::parse(sixteen.as_bytes()).is_ok(),
        "16 signatures must be accepted"
    );
    assert!(Note::parse(b"\xff\n\n").is_err());
}

#[test]
fn a_checkpoint_has_one_spelling() {
    let root = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=";
    for bad in [
        format!("o\n01\n{root}\n"),
        format!("o\n+1\n{root}\n"),
        format!("o\n-1\n{root}\n"),
        format!("o\n18446744073709551616\n{root}\n"),
        format!("\n1\n{root}\n"),
        format!("o\n1\n{root}"),
        format!("o\n1\n{root}\n\n"),
        "o\n1\n".to_owned(),
        "o\n1\nAAAA\n".to_owned(),
        format!("o o\n1\n{root}\n"),
    ] {
        assert!(Checkpoint::parse(&bad).is_err(), "{bad:?}");
    }
    let extended = format!("o\n0\n{root}\nanything\n");
    assert_eq!(
        Checkpoint::parse(&extended).unwrap().extensions,
        ["anything"]
    );
}

#[test]
fn a_cosignature_carries_its_time_and_cannot_move() {
    let head = Device::new().heads.remove(0);
    let note = Note::parse(&cosigned(&head, 1_700_000_000)).unwrap();
    assert_eq!(note.verify(&witness_key()), Ok(Some(1_700_000_000)));
    let mut later = note.clone();
    let text = String::from_utf8(later.to_bytes()).unwrap();
    later
        .add_signature(cosign(&note, WITNESS, &WITNESS_SECRET, 1_600_000_000).unwrap())
        .unwrap();
    assert_eq!(
        later.verify(&witness_key()),
        Ok(Some(1_600_000_000)),
        "the earlier of two"
    );
    // The time is signed: change it, and the line no longer holds.
    let mut lines: Vec<NoteSignature> = note.signatures().to_vec();
    lines[1].bytes[7] ^= 1;
    let mut forged = Note::parse(&head).unwrap();
    forged.add_signature(lines.remove(1)).unwrap();
    assert!(matches!(
        forged.verify(&witness_key()),
        Err(NoteError::Forged { .. })
    ));
    // A witness's key is no log's key, even under the same name and bytes.
    let as_log = NoteKey::device(WITNESS, public_of(&WITNESS_SECRET)).unwrap();
    assert!(matches!(
        note.verify(&as_log),
        Err(NoteError::Unsigned { .. })
    ));
    assert!(text.starts_with(ORIGIN));
}

#[test]
fn verifier_keys_are_checked() {
    let good = witness_key().to_vkey();
    assert_eq!(NoteKey::parse_vkey(&good).unwrap(), witness_key());
    let mut parts: Vec<&str> = good.splitn(3, '+').collect();
    parts[1] = "00000000";
    assert!(
        NoteKey::parse_vkey(&parts.join("+")).is_err(),
        "key id of another key"
    );
    for bad in [
        "",
        "a+b",
        "a+00000000+AA==",
        "a b+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
    ] {
        assert!(NoteKey::parse_vkey(bad).is_err(), "{bad}");
    }
    assert!(PublicKey::from_bytes(&[0; 32]).is_err(), "a weak point");
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        if let Ok(note) = Note::parse(&bytes) {
            prop_assert_eq!(note.to_bytes(), bytes);
        }
    }

    #[test]
    fn note_like_text_is_read_without_panic(text in "[a-z\n\u{2014} +A=/]{0,200}") {
        if let Ok(note) = Note::parse(text.as_bytes()) {
            prop_assert_eq!(note.to_bytes(), text.as_bytes());
        }
        let _ = NoteKey::parse_vkey(&text);
        let _ = Checkpoint::parse(&text);
        let _ = TrustPolicy::parse(&text);
    }
}
