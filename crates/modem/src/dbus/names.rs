//! What names and object paths may look like ("Valid Names", "Valid Object Paths").

/// Longest name, in bytes.
const NAME_BYTES_MAX: usize = 255;
/// Longest object path that is taken; the specification has no limit of its own.
const PATH_BYTES_MAX: usize = 1_024;

/// Whether this is an object path: `/`, or elements of letters, digits and `_`, each after a slash.
#[must_use]
pub fn is_path(text: &str) -> bool {
    let element = |part: &str| !part.is_empty() && part.bytes().all(is_word);
    text == "/"
        || (text.len() <= PATH_BYTES_MAX
            && text
                .strip_prefix('/')
                .is_some_and(|rest| rest.split('/').all(element)))
}

/// Whether this is the name of a method or signal.
#[must_use]
pub fn is_member(text: &str) -> bool {
    text.len() <= NAME_BYTES_MAX
        && text.bytes().all(is_word)
        && text
            .bytes()
            .next()
            .is_some_and(|byte| !byte.is_ascii_digit())
}

/// Whether this is the name of an interface or error: at least two elements.
pub(super) fn is_interface(text: &str) -> bool {
    text.len() <= NAME_BYTES_MAX && text.contains('.') && text.split('.').all(is_member)
}

/// Whether this is the name of a connection: unique (`:1.7`) or well known.
pub(super) fn is_bus_name(text: &str) -> bool {
    let (unique, rest) = match text.strip_prefix(':') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let element = |part: &str| {
        let mut bytes = part.bytes();
        let first = bytes.next();
        first
            .is_some_and(|byte| is_word(byte) && (unique || !byte.is_ascii_digit()) || byte == b'-')
            && bytes.all(|byte| is_word(byte) || byte == b'-')
    };
    text.len() <= NAME_BYTES_MAX && rest.contains('.') && rest.split('.').all(element)
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_from_other_text() {
        for path in ["/", "/org/freedesktop/ModemManager1/Modem/0", "/a_1"] {
            assert!(is_path(path), "{path}");
        }
        for no in ["", "a", "//", "/a/", "/a//b", "/a-b", "/ä"] {
            assert!(!is_path(no), "{no}");
        }
        assert!(is_member("CreateCall") && !is_member("") && !is_member("1a") && !is_member("a.b"));
        assert!(is_interface("a.b") && !is_interface("a") && !is_interface("a..b"));
        assert!(is_bus_name(":1.7") && is_bus_name("org.example-x.y") && !is_bus_name("org.7x"));
        assert!(!is_bus_name("") && !is_bus_name(":") && !is_bus_name("org."));
    }
}
