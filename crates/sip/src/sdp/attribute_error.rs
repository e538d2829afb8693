//! Why an attribute's value does not read.

/// An attribute whose value breaks its grammar or a limit of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a={attribute}: {what}")]
pub struct AttributeError {
    /// The attribute.
    pub attribute: &'static str,
    /// What is wrong.
    pub what: &'static str,
}

/// A decimal number of RFC 8866: no sign, no leading zero, `digits_max` digits at most.
pub(super) fn number(text: &str, digits_max: usize) -> Option<u64> {
    let digits = !text.is_empty()
        && text.len() <= digits_max.min(19)
        && text.bytes().all(|byte| byte.is_ascii_digit())
        && (text == "0" || !text.starts_with('0'));
    digits.then(|| text.parse().ok()).flatten()
}
