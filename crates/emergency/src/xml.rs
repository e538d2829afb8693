//! A small XML tree with limits: what PIDF-LO, LoST and additional data are read into, and how they are written.
//!
//! The documents come from strangers during an emergency call, so the reader is strict about cost (bytes, depth,
//! elements, attributes) and about entities (a document type declaration is refused, so nothing can expand), and
//! liberal about the rest: an undeclared prefix is kept as an element without a namespace, because one of RFC 5222's
//! own figures has one.

use core::ops::Range;
use std::rc::Rc;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

/// Largest document read, in bytes. A LoST answer with a large civic boundary stays far below.
pub const DOCUMENT_BYTES_MAX: usize = 256 * 1024;
/// Deepest nesting read. RFC 7852's deepest figure nests 12 elements.
pub const DEPTH_MAX: usize = 48;
/// Most elements read in one document.
pub const ELEMENTS_MAX: usize = 8_192;
/// Most attributes read on one element.
pub const ATTRIBUTES_MAX: usize = 64;

/// Longest namespace read, in bytes.
pub const NAMESPACE_BYTES_MAX: usize = 1_024;

/// Namespace bound to the prefix `xml` in every document.
const NS_XML: &str = "http://www.w3.org/XML/1998/namespace";

/// Why a document could not be read as XML.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum XmlError {
    /// More bytes than [`DOCUMENT_BYTES_MAX`].
    #[error("the document has {bytes} bytes, more than {DOCUMENT_BYTES_MAX}; send a smaller one")]
    TooLong {
        /// Bytes offered.
        bytes: usize,
    },
    /// Not UTF-8.
    #[error("the document is not UTF-8 at byte {at}; send it as UTF-8")]
    NotUtf8 {
        /// First bad byte.
        at: usize,
    },
    /// Deeper than [`DEPTH_MAX`].
    #[error("elements are nested deeper than {DEPTH_MAX} at byte {at}")]
    TooDeep {
        /// Where the limit was met.
        at: usize,
    },
    /// More elements than [`ELEMENTS_MAX`] or more attributes than [`ATTRIBUTES_MAX`].
    #[error("too many elements or attributes at byte {at}")]
    TooMany {
        /// Where the limit was met.
        at: usize,
    },
    /// A document type declaration: entities could expand without bound.
    #[error("a DOCTYPE at byte {at}: document types and their entities are not read; remove it")]
    DocType {
        /// Where it begins.
        at: usize,
    },
    /// An entity other than the five of XML.
    #[error("the entity at byte {at} is none of XML's five; write the character itself")]
    Entity {
        /// Where it ends.
        at: usize,
    },
    /// Not well formed.
    #[error("not well-formed XML near byte {at}: {what}")]
    Malformed {
        /// Near where.
        at: usize,
        /// What the reader said.
        what: String,
    },
}

/// An attribute, its prefix resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Attribute {
    /// Namespace, none for an unprefixed attribute.
    pub(crate) ns: Option<Rc<str>>,
    /// Local name.
    pub(crate) name: String,
    /// Value, entities resolved.
    pub(crate) value: String,
}

/// A child of an element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Node {
    /// An element.
    Element(Element),
    /// Text or CDATA, entities resolved.
    Text(String),
}

/// An element, its prefix resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Element {
    /// Namespace, none when there is none or its prefix was never declared.
    pub(crate) ns: Option<Rc<str>>,
    /// Local name.
    pub(crate) name: String,
    /// Attributes without the namespace declarations.
    pub(crate) attributes: Vec<Attribute>,
    /// Children in document order.
    pub(crate) children: Vec<Node>,
    /// The bytes of the element in its document, tags included.
    pub(crate) span: Range<usize>,
    /// Namespace declarations in scope inside the element, its own included.
    scope: Option<Rc<Scope>>,
    /// How many of them are its own.
    own_declarations: usize,
}

/// A namespace declaration and those around it. Shared, so that many elements under many declarations stay cheap.
#[derive(Debug, PartialEq, Eq)]
struct Scope {
    prefix: String,
    namespace: Rc<str>,
    outer: Option<Rc<Scope>>,
}

/// The declarations of a scope from the innermost outwards.
fn declarations(scope: &Option<Rc<Scope>>) -> impl Iterator<Item = &Scope> {
    core::iter::successors(scope.as_deref(), |own| own.outer.as_deref())
}

impl Element {
    /// Child elements.
    pub(crate) fn elements(&self) -> impl Iterator<Item = &Element> {
        self.children.iter().filter_map(|node| match node {
            Node::Element(element) => Some(element),
            Node::Text(_) => None,
        })
    }

    /// Whether this is `name` in `ns`. Space around a namespace is ignored: a figure of RFC 4119 has it.
    pub(crate) fn is(&self, ns: &str, name: &str) -> bool {
        self.name == name && self.ns.as_deref().is_some_and(|own| own.trim() == ns)
    }

    /// The first child of this name, whatever its namespace.
    pub(crate) fn child(&self, name: &str) -> Option<&Element> {
        self.elements().find(|element| element.name == name)
    }

    /// The first descendant (or the element itself) of this name, in document order.
    pub(crate) fn find(&self, name: &str) -> Option<&Element> {
        if self.name == name {
            return Some(self);
        }
        self.elements().find_map(|element| element.find(name))
    }

    /// Text of the element and its descendants, white space collapsed as `xs:token` asks.
    pub(crate) fn text(&self) -> String {
        collapse(&self.raw_text())
    }

    /// Text of the element and its descendants as it stands.
    pub(crate) fn raw_text(&self) -> String {
        let mut out = String::new();
        self.push_text(&mut out);
        out
    }

    fn push_text(&self, out: &mut String) {
        for node in &self.children {
            match node {
                Node::Text(text) => out.push_str(text),
                Node::Element(element) => {
                    out.push(' ');
                    element.push_text(out);
                    out.push(' ');
                }
            }
        }
    }

    /// Declarations from around the element that hold inside it, the default one with an empty prefix.
    pub(crate) fn inherited(&self) -> Vec<(String, String)> {
        let mut seen: Vec<&str> = Vec::new();
        let mut found = Vec::new();
        for (index, own) in declarations(&self.scope).enumerate() {
            let is_inner = index < self.own_declarations;
            if !seen.contains(&own.prefix.as_str()) {
                seen.push(&own.prefix);
                if !is_inner && !own.namespace.is_empty() {
                    found.push((own.prefix.clone(), own.namespace.to_string()));
                }
            }
        }
        found.reverse();
        found
    }

    /// An attribute by local name, whatever its namespace.
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes
            .iter()
            .find(|attribute| attribute.name == name)
            .map(|attribute| attribute.value.as_str())
    }

    /// `xml:lang`.
    pub(crate) fn lang(&self) -> Option<&str> {
        self.attributes
            .iter()
            .find(|attribute| attribute.name == "lang" && attribute.ns.as_deref() == Some(NS_XML))
            .map(|attribute| attribute.value.as_str())
    }
}

/// White space collapsed and trimmed (`xs:token`).
pub(crate) fn collapse(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for word in text.split_ascii_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    out
}

/// Reads a document into its root element.
pub(crate) fn read(bytes: &[u8]) -> Result<Element, XmlError> {
    if bytes.len() > DOCUMENT_BYTES_MAX {
        return Err(XmlError::TooLong { bytes: bytes.len() });
    }
    let text = core::str::from_utf8(bytes).map_err(|error| XmlError::NotUtf8 {
        at: error.valid_up_to(),
    })?;
    // A byte order mark is legal and carries nothing; spans still count from the document's first byte.
    let skipped = if text.starts_with('\u{feff}') { 3 } else { 0 };
    Tree::new(text, skipped).read()
}

/// The tree under construction: elements whose end tag has not come yet.
struct Tree<'a> {
    text: &'a str,
    skipped: usize,
    reader: Reader<&'a [u8]>,
    open: Vec<Element>,
    root: Option<Element>,
    elements: usize,
}

impl<'a> Tree<'a> {
    fn new(text: &'a str, skipped: usize) -> Self {
        Tree {
            text,
            skipped,
            reader: Reader::from_str(&text[skipped..]),
            open: Vec::new(),
            root: None,
            elements: 0,
        }
    }

    fn at(&self) -> usize {
        usize::try_from(self.reader.buffer_position())
            .unwrap_or(usize::MAX)
            .saturating_add(self.skipped)
    }

    fn read(mut self) -> Result<Element, XmlError> {
        loop {
            let start = self.at();
            let event = self
                .reader
                .read_event()
                .map_err(|error| XmlError::Malformed {
                    at: start,
                    what: error.to_string(),
                })?;
            match event {
                Event::Start(tag) => self.enter(&tag, start)?,
                Event::Empty(tag) => {
                    self.enter(&tag, start)?;
                    self.leave();
                }
                Event::End(_) => self.leave(),
                Event::Text(text) => self.text(&text, start)?,
                Event::CData(data) => self.text(&data, start)?,
                Event::GeneralRef(reference) => {
                    let name: &str = &reference;
                    let resolved =
                        resolve_reference(name).ok_or(XmlError::Entity { at: self.at() })?;
                    let resolved = resolved.to_string();
                    self.text(&resolved, start)?;
                }
                Event::DocType(_) => return Err(XmlError::DocType { at: start }),
                Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
                Event::Eof => break,
            }
        }
        if !self.open.is_empty() {
            return Err(self.malformed("an element is not closed"));
        }
        let at = self.text.len();
        self.root.ok_or_else(|| XmlError::Malformed {
            at,
            what: "there is no element".to_owned(),
        })
    }

    fn malformed(&self, what: &str) -> XmlError {
        XmlError::Malformed {
            at: self.at(),
            what: what.to_owned(),
        }
    }

    fn text(&mut self, text: &str, at: usize) -> Result<(), XmlError> {
        match self.open.last_mut() {
            Some(element) => {
                match element.children.last_mut() {
                    Some(Node::Text(before)) => before.push_str(text),
                    _ => element.children.push(Node::Text(text.to_owned())),
                }
                Ok(())
            }
            None if text.trim().is_empty() => Ok(()),
            None => Err(XmlError::Malformed {
                at,
                what: "text outside the root element".to_owned(),
            }),
        }
    }

    fn enter(&mut self, tag: &BytesStart<'_>, start: usize) -> Result<(), XmlError> {
        if self.root.is_some() {
            return Err(self.malformed("a second root element"));
        }
        if self.open.len() >= DEPTH_MAX {
            return Err(XmlError::TooDeep { at: start });
        }
        self.elements += 1;
        if self.elements > ELEMENTS_MAX {
            return Err(XmlError::TooMany { at: start });
        }
        let mut scope = self.open.last().and_then(|element| element.scope.clone());
        let mut own_declarations = 0;
        let mut plain = Vec::new();
        for attribute in tag.attributes() {
            let attribute = attribute.map_err(|error| XmlError::Malformed {
                at: start,
                what: error.to_string(),
            })?;
            if plain.len() + own_declarations >= ATTRIBUTES_MAX {
                return Err(XmlError::TooMany { at: start });
            }
            let key: &str = attribute.key.into_inner();
            let value = resolve_text(&attribute.value, start)?;
            let declared = if key == "xmlns" {
                Some("")
            } else {
                key.strip_prefix("xmlns:")
            };
            if let Some(prefix) = declared {
                if value.len() > NAMESPACE_BYTES_MAX {
                    return Err(XmlError::TooMany { at: start });
                }
                own_declarations += 1;
                scope = Some(Rc::new(Scope {
                    prefix: prefix.to_owned(),
                    namespace: value.into(),
                    outer: scope,
                }));
            } else {
                plain.push((key.to_owned(), value));
            }
        }
        let (ns, name) = qualified(tag.name().into_inner(), &scope, true);
        let attributes = plain
            .into_iter()
            .map(|(key, value)| {
                let (ns, name) = qualified(&key, &scope, false);
                Attribute { ns, name, value }
            })
            .collect();
        self.open.push(Element {
            ns,
            name,
            attributes,
            children: Vec::new(),
            span: start..start,
            scope,
            own_declarations,
        });
        Ok(())
    }

    fn leave(&mut self) {
        let end = self.at();
        let Some(mut element) = self.open.pop() else {
            return; // the reader checks end tags, so this is an end without a start it already refused
        };
        element.span.end = end;
        match self.open.last_mut() {
            Some(parent) => parent.children.push(Node::Element(element)),
            None => self.root = Some(element),
        }
    }
}

/// Namespace and local name of a qualified name.
fn qualified(name: &str, scope: &Option<Rc<Scope>>, is_element: bool) -> (Option<Rc<str>>, String) {
    let (prefix, local) = match name.split_once(':') {
        Some((prefix, local)) => (prefix, local),
        None if is_element => ("", name),
        None => return (None, name.to_owned()),
    };
    if prefix == "xml" {
        return (Some(NS_XML.into()), local.to_owned());
    }
    let ns = declarations(scope)
        .find(|own| own.prefix == prefix)
        .map(|own| Rc::clone(&own.namespace))
        .filter(|namespace| !namespace.is_empty());
    (ns, local.to_owned())
}

/// Resolves the references in an attribute's value.
fn resolve_text(raw: &str, at: usize) -> Result<String, XmlError> {
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(start) = rest.find('&') {
        out.push_str(&rest[..start]);
        let after = &rest[start + 1..];
        let end = after.find(';').ok_or(XmlError::Entity { at })?;
        out.push(resolve_reference(&after[..end]).ok_or(XmlError::Entity { at })?);
        rest = &after[end + 1..];
    }
    out.push_str(rest);
    Ok(out)
}

/// One of XML's five entities, or a character reference to a character XML allows.
fn resolve_reference(name: &str) -> Option<char> {
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => {
            let digits = name.strip_prefix('#')?;
            let value = match digits.strip_prefix('x') {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => digits.parse().ok()?,
            };
            char::from_u32(value).filter(|&character| is_xml_character(character))
        }
    }
}

/// `Char` of XML 1.0 production 2.
pub(crate) fn is_xml_character(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

/// Writes one document, two spaces a level, deterministically.
pub(crate) struct Writer {
    out: String,
    open: Vec<String>,
}

impl Writer {
    /// Begins a document with its XML declaration.
    pub(crate) fn document() -> Self {
        Writer {
            out: "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_owned(),
            open: Vec::new(),
        }
    }

    fn indent(&mut self) {
        for _ in 0..self.open.len() {
            self.out.push_str("  ");
        }
    }

    fn tag(&mut self, name: &str, attributes: &[(&str, &str)]) {
        self.indent();
        self.out.push('<');
        self.out.push_str(name);
        for (key, value) in attributes {
            self.out.push(' ');
            self.out.push_str(key);
            self.out.push_str("=\"");
            escape_into(&mut self.out, value, true);
            self.out.push('"');
        }
    }

    /// Opens an element.
    pub(crate) fn open(&mut self, name: &str, attributes: &[(&str, &str)]) {
        self.tag(name, attributes);
        self.out.push_str(">\n");
        self.open.push(name.to_owned());
    }

    /// Closes the innermost open element.
    pub(crate) fn close(&mut self) {
        let name = self
            .open
            .pop()
            .expect("open and close are paired by the caller");
        self.indent();
        self.out.push_str("</");
        self.out.push_str(&name);
        self.out.push_str(">\n");
    }

    /// An element without content.
    pub(crate) fn empty(&mut self, name: &str, attributes: &[(&str, &str)]) {
        self.tag(name, attributes);
        self.out.push_str("/>\n");
    }

    /// An element with text.
    pub(crate) fn leaf(&mut self, name: &str, attributes: &[(&str, &str)], text: &str) {
        self.tag(name, attributes);
        self.out.push('>');
        escape_into(&mut self.out, text, false);
        self.out.push_str("</");
        self.out.push_str(name);
        self.out.push_str(">\n");
    }

    /// Bytes of another document, as they are.
    pub(crate) fn raw(&mut self, xml: &str) {
        self.indent();
        self.out.push_str(xml);
        self.out.push('\n');
    }

    /// The finished document.
    pub(crate) fn finish(self) -> Vec<u8> {
        debug_assert!(self.open.is_empty(), "every element is closed");
        self.out.into_bytes()
    }
}

/// Escapes text; characters XML 1.0 has no way to carry become U+FFFD.
fn escape_into(out: &mut String, text: &str, attribute: bool) {
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' if attribute => out.push_str("&quot;"),
            '\n' | '\t' if attribute => {
                out.push_str("&#");
                out.push_str(&u32::from(character).to_string());
                out.push(';');
            }
            '\r' => out.push_str("&#13;"),
            other if is_xml_character(other) => out.push(other),
            _ => out.push('\u{fffd}'),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_resolved_and_spans_are_exact() {
        let text = "<a xmlns='urn:a' xmlns:b='urn:b'><b:c d='1 &amp; 2'>x<e/></b:c></a>";
        let root = read(text.as_bytes()).unwrap();
        assert!(root.is("urn:a", "a"));
        let child = root.child("c").unwrap();
        assert!(child.is("urn:b", "c"));
        assert_eq!(child.attribute("d"), Some("1 & 2"));
        assert_eq!(&text[child.span.clone()], "<b:c d='1 &amp; 2'>x<e/></b:c>");
    }

    #[test]
    fn entities_cannot_expand() {
        let bomb = "<!DOCTYPE a [<!ENTITY b \"bbbb\">]><a>&b;</a>";
        assert!(matches!(
            read(bomb.as_bytes()),
            Err(XmlError::DocType { .. })
        ));
        assert!(matches!(read(b"<a>&b;</a>"), Err(XmlError::Entity { .. })));
        assert!(matches!(
            read(b"<a b='&c;'/>"),
            Err(XmlError::Entity { .. })
        ));
        assert_eq!(read(b"<a>&#65;&lt;</a>").unwrap().text(), "A<");
    }

    #[test]
    fn depth_and_count_are_limited() {
        let deep = "<a>".repeat(DEPTH_MAX + 1);
        assert!(matches!(
            read(deep.as_bytes()),
            Err(XmlError::TooDeep { .. })
        ));
        let many = format!("<a>{}</a>", "<b/>".repeat(ELEMENTS_MAX));
        assert!(matches!(
            read(many.as_bytes()),
            Err(XmlError::TooMany { .. })
        ));
        let long = vec![b' '; DOCUMENT_BYTES_MAX + 1];
        assert!(matches!(read(&long), Err(XmlError::TooLong { .. })));
    }
}
