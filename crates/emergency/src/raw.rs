//! A piece of a stranger's document kept byte for byte, with the namespace declarations it needs to stand elsewhere.

use crate::xml::{Element, Node};

/// An element exactly as it stood (RFC 6848 §2: an extension that is not understood is passed on).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawXml {
    text: String,
    name: String,
    namespace: Option<String>,
    /// Declarations in scope where it stood and used inside: (prefix, namespace), the default one with an empty prefix.
    declarations: Vec<(String, String)>,
}

impl RawXml {
    /// Takes the bytes of `element` out of its document.
    pub(crate) fn of(element: &Element, document: &[u8]) -> Self {
        let text = document
            .get(element.span.clone())
            .map(|bytes| String::from_utf8_lossy(bytes).into_owned())
            .unwrap_or_default();
        let mut used = Vec::new();
        note_namespaces(element, &mut used);
        let declarations = element
            .inherited()
            .into_iter()
            .filter(|(_, namespace)| used.contains(&namespace.as_str()))
            .collect();
        RawXml {
            text,
            name: element.name.clone(),
            namespace: element.ns.as_deref().map(str::to_owned),
            declarations,
        }
    }

    /// The bytes as they stood.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Local name of the element.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Namespace of the element.
    pub fn namespace(&self) -> Option<&str> {
        self.namespace.as_deref()
    }

    /// Declarations that must be in scope around the bytes.
    pub(crate) fn declarations(&self) -> &[(String, String)] {
        &self.declarations
    }

    /// The element with its needed declarations written into its own start tag.
    pub(crate) fn standalone(&self) -> String {
        let head = self
            .text
            .find(|character: char| {
                character.is_ascii_whitespace() || character == '>' || character == '/'
            })
            .unwrap_or(self.text.len());
        // A closing tag's slash cannot come first: the text begins with `<name`.
        let (before, after) = self.text.split_at(head);
        let mut out = before.to_owned();
        for (prefix, namespace) in &self.declarations {
            let namespace = namespace
                .replace('&', "&amp;")
                .replace('"', "&quot;")
                .replace('<', "&lt;");
            if prefix.is_empty() {
                out.push_str(&format!(" xmlns=\"{namespace}\""));
            } else {
                out.push_str(&format!(" xmlns:{prefix}=\"{namespace}\""));
            }
        }
        out.push_str(after);
        out
    }
}

fn note_namespaces<'a>(element: &'a Element, used: &mut Vec<&'a str>) {
    let names = element.attributes.iter().map(|attribute| &attribute.ns);
    for namespace in core::iter::once(&element.ns).chain(names).flatten() {
        if !used.contains(&&**namespace) {
            used.push(namespace);
        }
    }
    for child in &element.children {
        if let Node::Element(child) = child {
            note_namespaces(child, used);
        }
    }
}
