//! A cursor over one value: the lexical rules of RFC 3261 section 25.1 that all headers share.

use std::borrow::Cow;

/// What is wrong, and at which byte of the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) at: usize,
    pub(crate) what: &'static str,
}

/// Position in a value whose folded lines have been joined already.
#[derive(Debug, Clone)]
pub(crate) struct Scan<'a> {
    bytes: &'a [u8],
    at: usize,
}

pub(crate) const fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'-' | b'.' | b'!' | b'%' | b'*' | b'_' | b'+' | b'`' | b'\'' | b'~'
        )
}

pub(crate) fn is_token(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().all(|&b| is_token_byte(b))
}

pub(crate) const fn is_lws_byte(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}

/// ASCII that the caller has already checked byte by byte.
pub(crate) fn ascii(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("only ASCII bytes pass the character checks of the callers")
}

/// Surrounding SP and HTAB removed.
pub(crate) fn trim(mut bytes: &[u8]) -> &[u8] {
    while let [first, rest @ ..] = bytes {
        if !is_lws_byte(*first) {
            break;
        }
        bytes = rest;
    }
    while let [rest @ .., last] = bytes {
        if !is_lws_byte(*last) {
            break;
        }
        bytes = rest;
    }
    bytes
}

impl<'a> Scan<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Scan { bytes, at: 0 }
    }

    pub(crate) fn at(&self) -> usize {
        self.at
    }

    pub(crate) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    pub(crate) fn rest(&self) -> &'a [u8] {
        &self.bytes[self.at..]
    }

    pub(crate) fn fault<T>(&self, what: &'static str) -> Result<T, Fault> {
        Err(Fault { at: self.at, what })
    }

    pub(crate) fn skip_lws(&mut self) {
        while self.peek().is_some_and(is_lws_byte) {
            self.at += 1;
        }
    }

    /// Eats `byte` if it is next.
    pub(crate) fn eat(&mut self, byte: u8) -> bool {
        let hit = self.peek() == Some(byte);
        self.at += usize::from(hit);
        hit
    }

    /// A separator with the white space that the grammar allows around it (SEMI, EQUAL, ...).
    pub(crate) fn eat_separator(&mut self, byte: u8) -> bool {
        let before = self.at;
        self.skip_lws();
        if self.eat(byte) {
            self.skip_lws();
            return true;
        }
        self.at = before;
        false
    }

    pub(crate) fn take_while(&mut self, keep: impl Fn(u8) -> bool) -> &'a [u8] {
        let rest = self.rest();
        let length = rest.iter().position(|&b| !keep(b)).unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }

    pub(crate) fn token(&mut self, what: &'static str) -> Result<&'a str, Fault> {
        let token = self.take_while(is_token_byte);
        if token.is_empty() {
            return self.fault(what);
        }
        Ok(ascii(token))
    }

    /// 1*DIGIT no greater than `max`.
    pub(crate) fn number(&mut self, max: u64, what: &'static str) -> Result<u64, Fault> {
        let start = self.at;
        let digits = self.take_while(|b| b.is_ascii_digit());
        if digits.is_empty() {
            return self.fault(what);
        }
        let mut value: u64 = 0;
        for digit in digits {
            value = value
                .checked_mul(10)
                .and_then(|v| v.checked_add(u64::from(digit - b'0')))
                .filter(|v| *v <= max)
                .ok_or(Fault {
                    at: start,
                    what: "number too large",
                })?;
        }
        Ok(value)
    }

    /// A quoted-string without its quotes and with its escapes resolved. The opening quote is next.
    pub(crate) fn quoted(&mut self) -> Result<Cow<'a, [u8]>, Fault> {
        let open = self.at;
        if !self.eat(b'"') {
            return self.fault("expected a quoted string");
        }
        let start = self.at;
        let mut owned: Option<Vec<u8>> = None;
        loop {
            let Some(byte) = self.peek() else {
                return Err(Fault {
                    at: open,
                    what: "quoted string has no closing quote",
                });
            };
            match byte {
                b'"' => {
                    let text = &self.bytes[start..self.at];
                    self.at += 1;
                    return Ok(owned.map_or(Cow::Borrowed(text), Cow::Owned));
                }
                b'\\' => {
                    let escaped = self.bytes.get(self.at + 1).copied();
                    // quoted-pair = "\" (%x00-09 / %x0B-0C / %x0E-7F)
                    let may_be_escaped =
                        |byte: &u8| byte.is_ascii() && !matches!(byte, b'\r' | b'\n');
                    let Some(escaped) = escaped.filter(may_be_escaped) else {
                        return self.fault("backslash escapes no ASCII character, or a line break");
                    };
                    owned
                        .get_or_insert_with(|| self.bytes[start..self.at].to_vec())
                        .push(escaped);
                    self.at += 2;
                }
                // Folded lines are unfolded before they come here: a bare line break is nothing of SIP's.
                b'\r' | b'\n' => return self.fault("line break in a quoted string"),
                _ => {
                    if let Some(owned) = &mut owned {
                        owned.push(byte);
                    }
                    self.at += 1;
                }
            }
        }
    }

    /// Nothing but white space may be left.
    pub(crate) fn finish(&mut self) -> Result<(), Fault> {
        self.skip_lws();
        if self.at == self.bytes.len() {
            return Ok(());
        }
        self.fault("unexpected text after the value")
    }
}

/// Writes `text` as a quoted-string. Line breaks become spaces: they cannot be written in one.
pub(crate) fn write_quoted(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            '\r' | '\n' => out.push(' '),
            // A control character stands only behind a backslash.
            c if c.is_ascii_control() && c != '\t' => {
                out.push('\\');
                out.push(c);
            }
            _ => out.push(c),
        }
    }
    out.push('"');
}
