//! Every torture message of RFC 4475 (and a few more that broke other stacks) against an explicit
//! table of judgements; `docs/rfc4475.md` is that table and is checked here.
#![allow(clippy::unwrap_used)] // helpers of tests are tests
#![allow(clippy::disallowed_methods)] // reads the vectors and the document

use std::fmt::Write as _;
use std::path::Path;

use hearthline_sip::multipart::{MultipartLimits, parts_of};
use hearthline_sip::validate::{validate_request, validate_response};
use hearthline_sip::{Limits, Message, Method, parse_datagram};

/// What we do with a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    /// Parsed, typed views read, processed.
    Accept,
    /// A request that is answered with this status code.
    Reject(u16),
    /// Dropped without an answer (responses cannot be answered).
    Drop,
}
use Verdict::{Accept, Drop, Reject};

/// File, section of the RFC, verdict, reason.
type Row = (&'static str, &'static str, Verdict, &'static str);

const VALID: [Row; 13] = [
    (
        "wsinv",
        "3.1.1.1",
        Accept,
        "folding, white space, compact forms, unknown headers: all legal",
    ),
    (
        "intmeth",
        "3.1.1.2",
        Accept,
        "extension method and every token character; escaped NUL in a quoted string",
    ),
    (
        "esc01",
        "3.1.1.3",
        Accept,
        "escapes resolved only where that does not change the URI",
    ),
    ("escnull", "3.1.1.4", Accept, "%00 is kept as an escape"),
    (
        "esc02",
        "3.1.1.5",
        Accept,
        "% in a method, header name and tag is a plain token character",
    ),
    (
        "lwsdisp",
        "3.1.1.6",
        Accept,
        "no space needed between display name and <",
    ),
    (
        "longreq",
        "3.1.1.7",
        Accept,
        "long values stay below the limits",
    ),
    (
        "dblreq",
        "3.1.1.8",
        Accept,
        "octets behind Content-Length are cut off",
    ),
    (
        "semiuri",
        "3.1.1.9",
        Accept,
        "semicolons before @ belong to the user part",
    ),
    (
        "transports",
        "3.1.1.10",
        Accept,
        "unknown transports in lower Vias are tokens like others",
    ),
    (
        "mpart01",
        "3.1.1.11",
        Accept,
        "multipart body; its parts are found and kept byte for byte",
    ),
    (
        "unreason",
        "3.1.1.12",
        Accept,
        "reason phrase in UTF-8 is kept",
    ),
    ("noreason", "3.1.1.13", Accept, "reason phrase may be empty"),
];

const INVALID: [Row; 19] = [
    (
        "badinv01",
        "3.1.2.1",
        Reject(400),
        "empty parameters and values in Via and Contact",
    ),
    (
        "clerr",
        "3.1.2.2",
        Reject(400),
        "Content-Length is larger than the datagram",
    ),
    ("ncl", "3.1.2.3", Reject(400), "Content-Length is negative"),
    (
        "scalar02",
        "3.1.2.4",
        Reject(400),
        "CSeq, Max-Forwards and Expires exceed their ranges",
    ),
    (
        "scalarlg",
        "3.1.2.5",
        Drop,
        "response with a CSeq out of range",
    ),
    (
        "quotbal",
        "3.1.2.6",
        Reject(400),
        "display name has no closing quote",
    ),
    (
        "ltgtruri",
        "3.1.2.7",
        Reject(400),
        "Request-URI in angle brackets",
    ),
    (
        "lwsruri",
        "3.1.2.8",
        Reject(400),
        "space inside the Request-URI",
    ),
    (
        "lwsstart",
        "3.1.2.9",
        Reject(400),
        "more than one space between parts of the start line",
    ),
    ("trws", "3.1.2.10", Reject(400), "spaces behind the version"),
    (
        "escruri",
        "3.1.2.11",
        Reject(400),
        "Request-URI asks for headers",
    ),
    (
        "baddate",
        "3.1.2.12",
        Accept,
        "Date is not used for anything, so its time zone is not judged",
    ),
    (
        "regbadct",
        "3.1.2.13",
        Reject(400),
        "Contact has '?' outside angle brackets",
    ),
    (
        "badaspec",
        "3.1.2.14",
        Reject(400),
        "spaces inside the angle brackets",
    ),
    (
        "baddn",
        "3.1.2.15",
        Reject(400),
        "comma in an unquoted display name",
    ),
    ("badvers", "3.1.2.16", Reject(505), "SIP/7.0"),
    (
        "mismatch01",
        "3.1.2.17",
        Reject(400),
        "method of CSeq is not the request's",
    ),
    (
        "mismatch02",
        "3.1.2.18",
        Reject(400),
        "the same with unknown methods; the mismatch is found first, so not 501",
    ),
    ("bigcode", "3.1.2.19", Drop, "status code above 699"),
];

const OTHER: [Row; 17] = [
    (
        "badbranch",
        "3.2.1",
        Reject(400),
        "branch is the magic cookie and nothing else",
    ),
    (
        "insuf",
        "3.3.1",
        Reject(400),
        "From, To and Call-ID are missing",
    ),
    (
        "unkscm",
        "3.3.2",
        Reject(416),
        "unknown scheme in the Request-URI",
    ),
    (
        "novelsc",
        "3.3.3",
        Reject(416),
        "known scheme that is not for calls",
    ),
    (
        "unksm2",
        "3.3.4",
        Accept,
        "unknown schemes in To, From and Contact do no harm",
    ),
    (
        "bext01",
        "3.3.5",
        Reject(420),
        "Require names unknown extensions; they are listed in Unsupported",
    ),
    (
        "invut",
        "3.3.6",
        Accept,
        "unknown body type: whoever reads the body answers 415",
    ),
    (
        "regaut01",
        "3.3.7",
        Accept,
        "unknown authorization scheme counts as no credentials: the registrar answers 401",
    ),
    (
        "multi01",
        "3.3.8",
        Reject(400),
        "second From, To, Call-ID, CSeq and Max-Forwards",
    ),
    (
        "mcl01",
        "3.3.9",
        Reject(400),
        "two different Content-Lengths",
    ),
    (
        "bcast",
        "3.3.10",
        Drop,
        "response with a second Via is not for this user agent",
    ),
    (
        "zeromf",
        "3.3.11",
        Accept,
        "Max-Forwards 0 stops proxies, not the addressee; a proxy answers 483",
    ),
    (
        "cparam01",
        "3.3.12",
        Accept,
        "unknown Contact parameter is kept",
    ),
    (
        "cparam02",
        "3.3.13",
        Accept,
        "unknown URI parameter is kept",
    ),
    (
        "regescrt",
        "3.3.14",
        Accept,
        "escaped Route header in the Contact is part of its URI",
    ),
    (
        "sdp01",
        "3.3.15",
        Accept,
        "Accept that we cannot meet: the user agent answers 406",
    ),
    (
        "inv2543",
        "3.4.1",
        Accept,
        "RFC 2543 request without branch, Max-Forwards, Contact, Content-Length",
    ),
];

/// Not of the RFC: what broke other stacks.
const MORE: [Row; 7] = [
    (
        "badutf8",
        "-",
        Accept,
        "bytes that are not UTF-8 are kept, nothing behind them is lost",
    ),
    ("clhuge", "-", Reject(400), "Content-Length of 2^64 - 1"),
    (
        "clhuge2",
        "-",
        Reject(400),
        "Content-Length that wraps around when the header size is added",
    ),
    (
        "ipv6",
        "-",
        Accept,
        "IPv6 references in Request-URI and Contact",
    ),
    ("telruri", "-", Accept, "tel: in Request-URI and To"),
    ("urnfire", "-", Accept, "urn:service:sos.fire"),
    (
        "urnsos",
        "-",
        Accept,
        "urn:service:sos with Geolocation and Route",
    ),
];

/// `test.dat` has no version in its start line and no Via: no answer could find its way back.
const NO_VIA: [Row; 1] = [(
    "test",
    "-",
    Drop,
    "no version, no Via: not even an answer is possible",
)];

fn rows() -> impl Iterator<Item = Row> {
    VALID
        .into_iter()
        .chain(INVALID)
        .chain(OTHER)
        .chain(MORE)
        .chain(NO_VIA)
}

fn vectors() -> Option<&'static Path> {
    let path = Path::new(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../shared/conformance/rfc4475"
    ));
    if path.is_dir() {
        return Some(path);
    }
    println!("skipped: the RFC 4475 vectors are not beside this checkout");
    None
}

fn read(directory: &Path, name: &str) -> Vec<u8> {
    std::fs::read(directory.join(format!("{name}.dat"))).unwrap()
}

fn judge(bytes: &[u8]) -> (Verdict, String) {
    match parse_datagram(bytes, &Limits::default()) {
        Err(error) => {
            let verdict = error
                .reply
                .as_ref()
                .map_or(Drop, |r| Reject(r.status.code()));
            (verdict, error.to_string())
        }
        Ok(Message::Request(request)) => match validate_request(&request) {
            Ok(()) => (Accept, String::new()),
            Err(rejection) => (Reject(rejection.status.code()), rejection.reason),
        },
        Ok(Message::Response(response)) => match validate_response(&response) {
            Ok(()) => (Accept, String::new()),
            Err(error) => (Drop, error.to_string()),
        },
    }
}

#[test]
fn every_message_gets_the_verdict_of_the_table() {
    let Some(directory) = vectors() else { return };
    let mut wrong = Vec::new();
    for (name, _, expected, _) in rows() {
        let (verdict, why) = judge(&read(directory, name));
        println!("{name}: {verdict:?} {why}");
        if verdict != expected {
            wrong.push(format!(
                "{name}: {verdict:?} ({why}) instead of {expected:?}"
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_table_is_complete() {
    let Some(directory) = vectors() else { return };
    let mut files: Vec<String> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "dat"))
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    files.sort();
    let mut named: Vec<&str> = rows().map(|row| row.0).collect();
    named.sort_unstable();
    assert_eq!(files, named);
}

#[test]
fn accepted_messages_survive_writing_and_reading_again() {
    let Some(directory) = vectors() else { return };
    for (name, _, verdict, _) in rows() {
        let Ok(message) = parse_datagram(&read(directory, name), &Limits::default()) else {
            continue;
        };
        let again = parse_datagram(&message.to_bytes(), &Limits::default());
        assert_eq!(again.as_ref(), Ok(&message), "{name} ({verdict:?})");
    }
}

#[test]
fn typed_views_of_the_short_tortuous_invite() {
    let Some(directory) = vectors() else { return };
    let message = parse_datagram(&read(directory, "wsinv"), &Limits::default()).unwrap();
    let request = message.as_request().unwrap();
    let headers = &request.headers;
    assert_eq!(request.method, Method::Invite);
    assert_eq!(
        request.uri.to_string(),
        "sip:vivekg@chair-dnrc.example.com;unknownparam"
    );
    let to = headers.to().unwrap();
    assert_eq!(
        (to.uri.to_string().as_str(), to.tag()),
        ("sip:vivekg@chair-dnrc.example.com", Some("1918181833n"))
    );
    let from = headers.from().unwrap();
    assert_eq!(from.display.as_deref(), Some(r#"J Rosenberg \""#));
    assert_eq!(from.tag(), Some("98asjd8"));
    assert_eq!(headers.max_forwards(), Ok(Some(68)));
    assert_eq!(headers.cseq().unwrap().to_string(), "9 INVITE");
    let vias = headers.vias().unwrap();
    let branches: Vec<_> = vias.iter().map(|via| via.branch().unwrap()).collect();
    assert_eq!(branches, ["390skdjuw", "z9hG4bK9ikj8", "z9hG4bK30239"]);
    assert_eq!(headers.routes().unwrap().len(), 1);
    let contacts = headers.contacts().unwrap();
    let contact = contacts.first().unwrap();
    assert_eq!(contact.display.as_deref(), Some("Quoted string \"\""));
    assert_eq!(contact.params.get("newparam"), Some("newvalue"));
    assert_eq!(contact.params.get("secondparam"), None);
    assert!(contact.params.has("secondparam"));
    assert_eq!(contact.q(), Some(330));
}

#[test]
fn the_display_name_of_baddn_is_refused_for_itself() {
    let Some(directory) = vectors() else { return };
    let mut bytes = read(directory, "baddn");
    // The vector lacks its empty line, which alone would be a reason.
    bytes.extend_from_slice(b"\r\n");
    let (verdict, why) = judge(&bytes);
    assert_eq!(
        (verdict, why.as_str()),
        (Reject(400), "Bad Request: From is malformed")
    );
}

#[test]
fn the_parts_of_the_multipart_message_are_found() {
    let Some(directory) = vectors() else { return };
    let message = parse_datagram(&read(directory, "mpart01"), &Limits::default()).unwrap();
    let parts = parts_of(
        message.headers(),
        message.body(),
        &MultipartLimits::default(),
    )
    .unwrap();
    let types: Vec<_> = parts
        .iter()
        .map(|part| part.content_type().unwrap().essence().to_owned())
        .collect();
    assert_eq!(types, ["text/plain", "application/octet-stream"]);
    assert_eq!(parts[0].body, b"Hello");
    assert_eq!(&parts[1].body[..2], [0x30, 0x82]);
    assert_eq!(
        parts[1].body.len(),
        usize::from(u16::from_be_bytes([parts[1].body[2], parts[1].body[3]])) + 4
    );
}

#[test]
fn bytes_that_are_not_utf8_lose_nothing() {
    let Some(directory) = vectors() else { return };
    let message = parse_datagram(&read(directory, "badutf8"), &Limits::default()).unwrap();
    let names: Vec<_> = message
        .headers()
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    assert_eq!(
        names,
        [
            "Via",
            "Max-Forwards",
            "From",
            "To",
            "Call-ID",
            "CSeq",
            "X-Q",
            "Contact",
            "X-Name",
            "Authorization"
        ]
    );
    let raw = message
        .headers()
        .iter()
        .find(|(name, _)| name.as_str() == "X-Name")
        .unwrap()
        .1;
    assert_eq!(raw, b"J\xfcrgen");
    assert_eq!(
        message.headers().authorization().unwrap()[0].get("username"),
        Some("a")
    );
    assert_eq!(message.body().len(), 87);
}

#[test]
fn unknown_extensions_are_named_in_the_answer() {
    let Some(directory) = vectors() else { return };
    let message = parse_datagram(&read(directory, "bext01"), &Limits::default()).unwrap();
    let request = message.as_request().unwrap();
    let rejection = validate_request(request).unwrap_err();
    let answer = rejection.to_response(request, Some("t")).unwrap();
    let unsupported = answer.headers.unsupported().unwrap();
    assert_eq!(
        unsupported,
        ["nothingSupportsThis", "nothingSupportsThisEither"]
    );
    assert_eq!(answer.headers.to().unwrap().tag(), Some("t"));
}

#[test]
fn the_document_is_this_table() {
    let mut text = String::from(
        "# RFC 4475: our judgement on each torture message\n\n\
         Checked by `crates/sip/tests/rfc4475_torture.rs`; do not edit, change the test and run it with\n\
         `HEARTH_WRITE_DOCS=1`. Accept: parsed, all typed views read, written and read again without a change.\n\
         Drop: no answer, because it is a response or because no Via says where an answer would go.\n",
    );
    for (title, rows) in [
        ("Valid messages (3.1.1)", &VALID[..]),
        ("Invalid messages (3.1.2)", &INVALID[..]),
        (
            "Transaction, application and old syntax (3.2 to 3.4)",
            &OTHER[..],
        ),
        (
            "Not of the RFC: messages that broke other stacks",
            &MORE[..],
        ),
        ("Not of the RFC: unanswerable", &NO_VIA[..]),
    ] {
        let refused = rows.iter().filter(|row| row.2 != Accept).count();
        let _ = write!(
            text,
            "\n## {title}\n\n{} accepted, {refused} refused.\n\n",
            rows.len() - refused
        );
        text.push_str("| message | section | verdict | why |\n|---|---|---|---|\n");
        for (name, section, verdict, why) in rows {
            let verdict = match verdict {
                Accept => "accept".to_owned(),
                Reject(code) => format!("**{code}**"),
                Drop => "**drop**".to_owned(),
            };
            let _ = writeln!(text, "| {name} | {section} | {verdict} | {why} |");
        }
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/rfc4475.md");
    if std::env::var_os("HEARTH_WRITE_DOCS").is_some() {
        std::fs::write(path, &text).unwrap();
    }
    let written = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        written == text,
        "docs/rfc4475.md is not this table: run with HEARTH_WRITE_DOCS=1"
    );
}
