//! The answer of a WebDAV server: `multistatus` (RFC 4918 section 14.16), read within limits.

use quick_xml::NsReader;
use quick_xml::events::Event;
use quick_xml::name::ResolveResult;

/// Deepest nesting read; RFC 6352's own figures nest 6 elements.
const DEPTH_MAX: usize = 24;
/// Most elements read.
const ELEMENTS_MAX: usize = 400_000;
/// Longest `href`, in bytes.
pub(super) const HREF_BYTES_MAX: usize = 1_024;

const DAV: &str = "DAV:";
const CARDDAV: &str = "urn:ietf:params:xml:ns:carddav";
const CALENDARSERVER: &str = "http://calendarserver.org/ns/";

/// Why an answer is not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum XmlFault {
    /// Not XML, or cut off.
    #[error("it is not well-formed XML: {0}")]
    Malformed(String),
    /// A document type: entities could expand without bound.
    #[error("it has a DOCTYPE, which is not read")]
    DocType,
    /// An entity other than XML's five.
    #[error("it has an entity that is none of XML's five")]
    Entity,
    /// Deeper or longer than allowed.
    #[error(
        "it has more than {DEPTH_MAX} levels, {ELEMENTS_MAX} elements, or a name that is too long"
    )]
    TooMuch,
    /// Something else than `multistatus`.
    #[error("it is no multistatus")]
    NoMultistatus,
}

/// One `response` of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Member {
    pub(super) href: String,
    /// The status of the member itself, where it has one: 404 for one that was removed.
    pub(super) status: Option<u16>,
    pub(super) etag: Option<String>,
    pub(super) ctag: Option<String>,
    pub(super) sync_token: Option<String>,
    pub(super) is_address_book: bool,
    pub(super) card: Option<String>,
}

/// What a server answered.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Multistatus {
    pub(super) members: Vec<Member>,
    /// RFC 6578 section 6.4.
    pub(super) sync_token: Option<String>,
}

/// The elements that matter; the others are read over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tag {
    Multistatus,
    Response,
    Propstat,
    Prop,
    Href,
    Status,
    Etag,
    Ctag,
    SyncToken,
    ResourceType,
    AddressBook,
    AddressData,
    Other,
}

fn tag(namespace: &ResolveResult<'_>, local: &str) -> Tag {
    let ResolveResult::Bound(namespace) = namespace else {
        return Tag::Other;
    };
    let namespace: &str = namespace.as_ref();
    match local {
        "multistatus" if namespace == DAV => Tag::Multistatus,
        "response" if namespace == DAV => Tag::Response,
        "propstat" if namespace == DAV => Tag::Propstat,
        "prop" if namespace == DAV => Tag::Prop,
        "href" if namespace == DAV => Tag::Href,
        "status" if namespace == DAV => Tag::Status,
        "getetag" if namespace == DAV => Tag::Etag,
        "sync-token" if namespace == DAV => Tag::SyncToken,
        "resourcetype" if namespace == DAV => Tag::ResourceType,
        "getctag" if namespace == CALENDARSERVER => Tag::Ctag,
        "addressbook" if namespace == CARDDAV => Tag::AddressBook,
        "address-data" if namespace == CARDDAV => Tag::AddressData,
        _ => Tag::Other,
    }
}

/// Reads an answer.
pub(super) fn read(text: &str) -> Result<Multistatus, XmlFault> {
    let mut reader = NsReader::from_str(text);
    let mut all = Multistatus::default();
    let mut open: Vec<Tag> = Vec::new();
    let mut value = String::new();
    let mut elements = 0;
    let mut seen = false;
    loop {
        let event = reader.read_event();
        let event = event.map_err(|error| XmlFault::Malformed(error.to_string()))?;
        match event {
            Event::Start(start) => {
                let (namespace, local) = reader.resolver().resolve_element(start.name());
                let found = tag(&namespace, local.as_ref());
                enter(&mut open, found, &mut all, &mut elements)?;
                seen |= found == Tag::Multistatus && open.len() == 1;
                value.clear();
            }
            Event::Empty(start) => {
                let (namespace, local) = reader.resolver().resolve_element(start.name());
                let found = tag(&namespace, local.as_ref());
                enter(&mut open, found, &mut all, &mut elements)?;
                open.pop();
            }
            Event::Text(text) => value.push_str(&text),
            Event::CData(data) => value.push_str(&data),
            Event::GeneralRef(reference) => value.push(entity(&reference)?),
            Event::End(_) => {
                leave(&open, &mut all, std::mem::take(&mut value))?;
                open.pop();
            }
            Event::DocType(_) => return Err(XmlFault::DocType),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            Event::Eof => break,
        }
    }
    if !open.is_empty() {
        return Err(XmlFault::Malformed("it was cut off".to_owned()));
    }
    if !seen {
        return Err(XmlFault::NoMultistatus);
    }
    Ok(all)
}

fn enter(
    open: &mut Vec<Tag>,
    found: Tag,
    all: &mut Multistatus,
    elements: &mut usize,
) -> Result<(), XmlFault> {
    *elements += 1;
    if open.len() >= DEPTH_MAX || *elements > ELEMENTS_MAX {
        return Err(XmlFault::TooMuch);
    }
    match (open.as_slice(), found) {
        ([Tag::Multistatus], Tag::Response) => all.members.push(Member::default()),
        ([.., Tag::Prop, Tag::ResourceType], Tag::AddressBook) => {
            if let Some(member) = all.members.last_mut() {
                member.is_address_book = true;
            }
        }
        _ => {}
    }
    open.push(found);
    Ok(())
}

fn leave(open: &[Tag], all: &mut Multistatus, value: String) -> Result<(), XmlFault> {
    let trimmed = || value.trim().to_owned();
    match open {
        [Tag::Multistatus, Tag::SyncToken] => all.sync_token = Some(trimmed()),
        [Tag::Multistatus, Tag::Response, rest @ ..] => {
            let Some(member) = all.members.last_mut() else {
                return Ok(());
            };
            match rest {
                [Tag::Href] if value.len() > HREF_BYTES_MAX => return Err(XmlFault::TooMuch),
                [Tag::Href] => member.href = trimmed(),
                [Tag::Status] => member.status = status(&value),
                [Tag::Propstat, Tag::Prop, Tag::Etag] => member.etag = Some(trimmed()),
                [Tag::Propstat, Tag::Prop, Tag::Ctag] => member.ctag = Some(trimmed()),
                [Tag::Propstat, Tag::Prop, Tag::SyncToken] => member.sync_token = Some(trimmed()),
                [Tag::Propstat, Tag::Prop, Tag::AddressData] => member.card = Some(value),
                _ => {}
            }
        }
        _ => {}
    }
    Ok(())
}

/// `HTTP/1.1 404 Not Found`.
fn status(line: &str) -> Option<u16> {
    line.split_whitespace().nth(1)?.parse().ok()
}

/// One of XML's five, or a character by its number.
fn entity(name: &str) -> Result<char, XmlFault> {
    let Some(number) = name.strip_prefix('#') else {
        return match name {
            "lt" => Ok('<'),
            "gt" => Ok('>'),
            "amp" => Ok('&'),
            "quot" => Ok('"'),
            "apos" => Ok('\''),
            _ => Err(XmlFault::Entity),
        };
    };
    let code = match number.strip_prefix('x') {
        Some(hex) => u32::from_str_radix(hex, 16),
        None => number.parse(),
    };
    code.ok().and_then(char::from_u32).ok_or(XmlFault::Entity)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_answer_of_a_report_is_read() {
        // After RFC 6352 section 8.7.1 and RFC 6578 section 3.8.
        let all = read(
            "<?xml version=\"1.0\"?><D:multistatus xmlns:D=\"DAV:\" xmlns:C=\"urn:ietf:params:xml:ns:carddav\">\
             <D:response><D:href>/book/1.vcf</D:href><D:propstat><D:prop><D:getetag>\"23&amp;4\"</D:getetag>\
             <C:address-data>BEGIN:VCARD&#13;\nFN:A &lt; B\n</C:address-data></D:prop>\
             <D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>\
             <D:response><D:href>/book/2.vcf</D:href><D:status>HTTP/1.1 404 Not Found</D:status></D:response>\
             <D:sync-token>http://example.com/ns/sync/1234</D:sync-token></D:multistatus>",
        )
        .unwrap();
        assert_eq!(
            all.sync_token.as_deref(),
            Some("http://example.com/ns/sync/1234")
        );
        assert_eq!(all.members[0].etag.as_deref(), Some("\"23&4\""));
        assert_eq!(
            all.members[0].card.as_deref(),
            Some("BEGIN:VCARD\r\nFN:A < B\n")
        );
        assert_eq!(
            (all.members[1].href.as_str(), all.members[1].status),
            ("/book/2.vcf", Some(404))
        );
    }

    #[test]
    fn what_expands_nests_or_lies_is_refused() {
        let lol = "<!DOCTYPE lolz [<!ENTITY lol \"lol\">]><multistatus xmlns=\"DAV:\">&lol;</multistatus>";
        assert_eq!(read(lol), Err(XmlFault::DocType));
        let strange = "<multistatus xmlns=\"DAV:\">&lol;</multistatus>";
        assert_eq!(read(strange), Err(XmlFault::Entity));
        let deep = format!("<multistatus xmlns=\"DAV:\">{}", "<a>".repeat(30));
        assert_eq!(read(&deep), Err(XmlFault::TooMuch));
        let long = format!(
            "<multistatus xmlns=\"DAV:\"><response><href>/{}</href></response></multistatus>",
            "x".repeat(HREF_BYTES_MAX)
        );
        assert_eq!(read(&long), Err(XmlFault::TooMuch));
        for none in [
            "<html/>",
            "<multistatus/>",
            "",
            "<multistatus xmlns=\"other\"/>",
        ] {
            assert_eq!(read(none), Err(XmlFault::NoMultistatus), "{none}");
        }
        assert!(matches!(
            read("<multistatus xmlns=\"DAV:\"><a></b>"),
            Err(XmlFault::Malformed(_))
        ));
        assert!(matches!(
            read("<multistatus xmlns=\"DAV:\"><response>"),
            Err(XmlFault::Malformed(_))
        ));
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(inside in "[<>/a-z&;#x0-9\":= !\\[\\]-]{0,200}") {
            let _ = read(&inside);
            let _ = read(&format!("<multistatus xmlns=\"DAV:\">{inside}</multistatus>"));
        }
    }
}
