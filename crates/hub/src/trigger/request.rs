//! What a caller of a trigger gives: up to three values, as JSON, as a form or in the query, or any JSON as a whole.

use std::borrow::Cow;

/// Longest value, in characters; the rest is cut.
pub const VALUE_CHARS_MAX: usize = 1_000;
/// Most pairs that are read of a form or a query.
const PAIRS_MAX: usize = 32;

/// What came with a trigger.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Given {
    /// `value1` to `value3`.
    pub values: [String; 3],
    /// The body as it came, where it was sent as JSON to the address for it.
    pub json: String,
}

impl std::fmt::Debug for Given {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Given(…)")
    }
}

/// Why a body does not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// Neither of the two types.
    #[error("send application/json or application/x-www-form-urlencoded")]
    Type,
    /// Not JSON.
    #[error("the body is not JSON")]
    Json,
    /// Not UTF-8.
    #[error("the body is not text")]
    Text,
}

/// Reads query and body. `whole`: the body is any JSON and is kept as a whole.
///
/// # Errors
/// [`RequestError`].
pub fn read(
    query: &str,
    content_type: Option<&str>,
    body: &[u8],
    whole: bool,
) -> Result<Given, RequestError> {
    let mut given = Given::default();
    given.pairs(query);
    if body.is_empty() {
        return Ok(given);
    }
    let essence = content_type.map(|text| text.split(';').next().unwrap_or("").trim());
    let text = std::str::from_utf8(body).map_err(|_| RequestError::Text)?;
    match essence {
        Some(kind) if kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") && !whole => {
            given.pairs(text);
        }
        Some(kind) if kind.eq_ignore_ascii_case("application/json") => {
            let value: serde_json::Value =
                serde_json::from_str(text).map_err(|_| RequestError::Json)?;
            if whole {
                given.json = cut(text.trim());
            } else {
                for (index, own) in given.values.iter_mut().enumerate() {
                    match &value[format!("value{}", index + 1)] {
                        serde_json::Value::Null => {}
                        serde_json::Value::String(text) => *own = cut(text),
                        other => *own = cut(&other.to_string()),
                    }
                }
            }
        }
        _ => return Err(RequestError::Type),
    }
    Ok(given)
}

impl Given {
    /// `value1=a%20b&value2=c` (WHATWG URL, application/x-www-form-urlencoded).
    fn pairs(&mut self, text: &str) {
        for pair in text.split('&').take(PAIRS_MAX) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let index = match decoded(name).as_ref() {
                "value1" => 0,
                "value2" => 1,
                "value3" => 2,
                _ => continue,
            };
            self.values[index] = cut(&decoded(value));
        }
    }
}

fn cut(text: &str) -> String {
    text.chars().take(VALUE_CHARS_MAX).collect()
}

fn decoded(text: &str) -> Cow<'_, str> {
    if !text.contains(['%', '+']) {
        return text.into();
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        let byte = match (first, after) {
            (b'+', _) => b' ',
            (b'%', [high, low, further @ ..]) => match (nibble(*high), nibble(*low)) {
                (Some(high), Some(low)) => {
                    rest = further;
                    high << 4 | low
                }
                _ => b'%',
            },
            _ => *first,
        };
        bytes.push(byte);
    }
    String::from_utf8_lossy(&bytes).into_owned().into()
}

fn nibble(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const JSON: Option<&str> = Some("application/json; charset=utf-8");
    const FORM: Option<&str> = Some("application/x-www-form-urlencoded");

    #[test]
    fn values_come_as_json_as_a_form_and_in_the_query() {
        let body = br#"{"value1":"door","value2":3,"value3":null,"more":[]}"#;
        let given = read("", JSON, body, false).unwrap();
        assert_eq!(given.values, ["door", "3", ""]);
        let given = read("", FORM, b"value1=front+door&value3=%C3%A4%zz&x=1", false).unwrap();
        assert_eq!(given.values, ["front door", "", "ä%zz"]);
        let given = read("value2=a%26b", None, b"", false).unwrap();
        assert_eq!(given.values, ["", "a&b", ""]);
        let given = read("", JSON, b" {\"any\": [1]} ", true).unwrap();
        assert_eq!(given.json, "{\"any\": [1]}");
    }

    #[test]
    fn what_does_not_read_says_why() {
        let wrong = |kind, body: &[u8], whole| read("", kind, body, whole).unwrap_err();
        assert_eq!(wrong(JSON, b"{", false), RequestError::Json);
        assert_eq!(wrong(Some("text/plain"), b"x", false), RequestError::Type);
        assert_eq!(wrong(None, b"x", false), RequestError::Type);
        assert_eq!(wrong(FORM, b"value1=1", true), RequestError::Type);
        assert_eq!(wrong(JSON, b"\xff", false), RequestError::Text);
    }

    proptest! {
        #[test]
        fn whatever_comes_is_read_or_refused_within_the_limits(
            query in ".{0,200}", kind in prop::sample::select(vec![JSON, FORM, None]),
            body in prop::collection::vec(any::<u8>(), 0..4_000), whole in any::<bool>(),
        ) {
            if let Ok(given) = read(&query, kind, &body, whole) {
                for value in given.values.iter().chain([&given.json]) {
                    prop_assert!(value.chars().count() <= VALUE_CHARS_MAX);
                }
            }
        }
    }
}
