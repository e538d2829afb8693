//! Type signatures ("Type System").

/// Arrays within arrays, and structs within structs, at most.
const NESTING_MAX: usize = 32;
/// Longest signature, in bytes.
pub(super) const SIGNATURE_BYTES_MAX: usize = 255;

/// Whether this is a signature: any number of complete types.
#[must_use]
pub fn is_signature(text: &str) -> bool {
    text.len() <= SIGNATURE_BYTES_MAX && split(text).is_some()
}

/// The complete types of a signature, one by one; `None`: it is none.
#[must_use]
pub fn split(mut text: &str) -> Option<Vec<&str>> {
    let mut types = Vec::new();
    while !text.is_empty() {
        let (first, rest) = first(text)?;
        types.push(first);
        text = rest;
    }
    Some(types)
}

/// The first complete type, and what follows.
pub(super) fn first(text: &str) -> Option<(&str, &str)> {
    let length = complete(text.as_bytes(), 0, 0, false)?;
    Some(text.split_at(length))
}

/// How many bytes the first complete type has.
fn complete(bytes: &[u8], arrays: usize, structs: usize, in_array: bool) -> Option<usize> {
    if arrays > NESTING_MAX || structs > NESTING_MAX {
        return None;
    }
    match bytes.first()? {
        b'y' | b'b' | b'n' | b'q' | b'i' | b'u' | b'x' | b't' | b'd' | b's' | b'o' | b'g'
        | b'v' | b'h' => Some(1),
        b'a' => Some(1 + complete(&bytes[1..], arrays + 1, structs, true)?),
        b'(' => {
            let mut at = 1;
            loop {
                if bytes.get(at) == Some(&b')') {
                    return (at > 1).then_some(at + 1);
                }
                at += complete(bytes.get(at..)?, arrays, structs + 1, false)?;
            }
        }
        // A dictionary's entry: within an array alone, its key a basic type.
        b'{' if in_array => {
            let key = bytes.get(1)?;
            if matches!(key, b'a' | b'(' | b'{' | b'v') {
                return None;
            }
            let key = complete(&bytes[1..], arrays, structs + 1, false)?;
            let value = complete(bytes.get(1 + key..)?, arrays, structs + 1, false)?;
            let end = 1 + key + value;
            (bytes.get(end) == Some(&b'}')).then_some(end + 1)
        }
        _ => None,
    }
}

/// Where values of a type begin, in bytes.
pub(super) fn alignment(kind: u8) -> usize {
    match kind {
        b'n' | b'q' => 2,
        b'b' | b'i' | b'u' | b'h' | b's' | b'o' | b'a' => 4,
        b'x' | b't' | b'd' | b'(' | b'{' => 8,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn complete_types_are_told_apart() {
        assert_eq!(
            split("a{oa{sa{sv}}}s(ub)"),
            Some(vec!["a{oa{sa{sv}}}", "s", "(ub)"])
        );
        assert_eq!(split(""), Some(vec![]));
        for no in [
            "a", "(", "()", "(s", "{sv}", "a{vs}", "a{s}", "a{svs}", "z", "s)",
        ] {
            assert_eq!(split(no), None, "{no}");
        }
        assert!(is_signature(&format!("{}y", "a".repeat(32))));
        assert!(!is_signature(&format!("{}y", "a".repeat(33))));
        assert!(!is_signature(&"y".repeat(256)));
    }
}
