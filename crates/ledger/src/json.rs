//! Strict reading of JSON: one text, one meaning.
//!
//! serde_json takes the last of two equal keys where another reader takes the first. An entry with
//! two readings is no evidence, so every line passes this check before it is parsed.

use std::collections::HashSet;

/// Objects and arrays may be nested this deep.
const DEPTH_MAX: usize = 16;

/// Why a text is not strict JSON, and at which byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{what} at byte {at}")]
pub struct JsonError {
    /// What is wrong.
    pub what: &'static str,
    /// Offset of the byte.
    pub at: usize,
}

/// Accepts one JSON value (RFC 8259) without white space between tokens, without duplicate keys,
/// nested at most 16 deep. Anything else is an error that names the place.
pub fn check_json(bytes: &[u8]) -> Result<(), JsonError> {
    let text = std::str::from_utf8(bytes).map_err(|error| JsonError {
        what: "not UTF-8",
        at: error.valid_up_to(),
    })?;
    let mut reader = Reader {
        bytes: text.as_bytes(),
        at: 0,
    };
    reader.value(0)?;
    if reader.at == bytes.len() {
        Ok(())
    } else {
        reader.fail("text after the value")
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn fail<T>(&self, what: &'static str) -> Result<T, JsonError> {
        Err(JsonError { what, at: self.at })
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn take(&mut self, byte: u8, what: &'static str) -> Result<(), JsonError> {
        if self.peek() == Some(byte) {
            self.at += 1;
            Ok(())
        } else {
            self.fail(what)
        }
    }

    fn value(&mut self, depth: usize) -> Result<(), JsonError> {
        if depth > DEPTH_MAX {
            return self.fail("nested too deep");
        }
        match self.peek() {
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b'"') => self.string().map(drop),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word(b"true"),
            Some(b'f') => self.word(b"false"),
            Some(b'n') => self.word(b"null"),
            _ => self.fail("no value"),
        }
    }

    fn word(&mut self, word: &[u8]) -> Result<(), JsonError> {
        if self.bytes[self.at..].starts_with(word) {
            self.at += word.len();
            Ok(())
        } else {
            self.fail("no value")
        }
    }

    fn object(&mut self, depth: usize) -> Result<(), JsonError> {
        self.at += 1;
        let mut keys = HashSet::new();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(());
        }
        loop {
            let at = self.at;
            let key = self.string()?;
            if !keys.insert(key) {
                return Err(JsonError {
                    what: "duplicate key",
                    at,
                });
            }
            self.take(b':', "no colon after a key")?;
            self.value(depth + 1)?;
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => {
                    self.at += 1;
                    return Ok(());
                }
                _ => return self.fail("neither comma nor end of object"),
            }
        }
    }

    fn array(&mut self, depth: usize) -> Result<(), JsonError> {
        self.at += 1;
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.value(depth + 1)?;
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => {
                    self.at += 1;
                    return Ok(());
                }
                _ => return self.fail("neither comma nor end of array"),
            }
        }
    }

    /// The string with its escapes resolved: `"a"` and `"\u0061"` are the same key.
    fn string(&mut self) -> Result<String, JsonError> {
        self.take(b'"', "no string")?;
        let mut units: Vec<u8> = Vec::new();
        loop {
            match self.peek() {
                None => return self.fail("string without end"),
                Some(b'"') => {
                    self.at += 1;
                    return String::from_utf8(units).map_err(|_| JsonError {
                        what: "not UTF-8",
                        at: self.at,
                    });
                }
                Some(b'\\') => {
                    self.at += 1;
                    let unescaped = self.escape()?;
                    units.extend_from_slice(unescaped.encode_utf8(&mut [0; 4]).as_bytes());
                }
                Some(0..=0x1f) => return self.fail("control character in a string"),
                Some(byte) => {
                    units.push(byte);
                    self.at += 1;
                }
            }
        }
    }

    fn escape(&mut self) -> Result<char, JsonError> {
        let Some(letter) = self.peek() else {
            return self.fail("string without end");
        };
        self.at += 1;
        Ok(match letter {
            b'"' => '"',
            b'\\' => '\\',
            b'/' => '/',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let first = self.hex4()?;
                let scalar = if (0xd800..0xdc00).contains(&first) {
                    self.take(b'\\', "half of a surrogate pair")?;
                    self.take(b'u', "half of a surrogate pair")?;
                    let second = self.hex4()?;
                    if !(0xdc00..0xe000).contains(&second) {
                        return self.fail("half of a surrogate pair");
                    }
                    0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00)
                } else {
                    first
                };
                match char::from_u32(scalar) {
                    Some(character) => character,
                    None => return self.fail("half of a surrogate pair"),
                }
            }
            _ => return self.fail("unknown escape"),
        })
    }

    fn hex4(&mut self) -> Result<u32, JsonError> {
        let mut value = 0;
        for _ in 0..4 {
            let Some(digit) = self.peek().and_then(|byte| char::from(byte).to_digit(16)) else {
                return self.fail("bad \\u escape");
            };
            value = value << 4 | digit;
            self.at += 1;
        }
        Ok(value)
    }

    fn digits(&mut self) -> Result<(), JsonError> {
        if !self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            return self.fail("no digit");
        }
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        Ok(())
    }

    fn number(&mut self) -> Result<(), JsonError> {
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        if self.peek() == Some(b'0') {
            self.at += 1;
            if self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
                return self.fail("leading zero");
            }
        } else {
            self.digits()?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::check_json;

    #[test]
    fn one_text_has_one_reading() {
        for good in [
            r#"{"a":1,"b":[true,null,-0.5e+3,"\ud83d\ude00"]}"#,
            "[]",
            "{}",
            "0",
        ] {
            check_json(good.as_bytes()).expect(good);
        }
        for (bad, what) in [
            (r#"{"a":1,"a":2}"#, "duplicate key"),
            (r#"{"x":{"a":1,"\u0061":2}}"#, "duplicate key"),
            (r#"{"a": 1}"#, "no value"),
            ("01", "leading zero"),
            (r#""\ud800""#, "half of a surrogate pair"),
            (r#""\udc00""#, "half of a surrogate pair"),
            ("\"\u{1}\"", "control character in a string"),
            ("1 ", "text after the value"),
            ("\u{feff}1", "no value"),
            ("[1,]", "no value"),
            ("", "no value"),
            (r#"{"a""#, "no colon after a key"),
        ] {
            assert_eq!(
                check_json(bad.as_bytes()).expect_err(bad).what,
                what,
                "{bad}"
            );
        }
        assert_eq!(
            check_json(b"\"\xff\"").expect_err("bytes").what,
            "not UTF-8"
        );
        let deep = "[".repeat(100_000);
        assert_eq!(
            check_json(deep.as_bytes()).expect_err("deep").what,
            "nested too deep"
        );
    }
}
