//! One content line: `group.NAME;PARAM=value,"value":value` (RFC 6350 §3.3).

/// Lines with their continuations joined (RFC 6350 §3.2), each with the number of its first line.
pub(super) fn unfold(text: &str) -> impl Iterator<Item = (usize, String)> + '_ {
    let mut lines = text
        .split('\n')
        .map(|line| line.strip_suffix('\r').unwrap_or(line))
        .enumerate()
        .peekable();
    core::iter::from_fn(move || {
        let (index, first) = lines.next()?;
        let mut whole = first.to_owned();
        while let Some((_, next)) = lines.next_if(|(_, next)| next.starts_with([' ', '\t'])) {
            whole.push_str(&next[1..]);
        }
        Some((index + 1, whole))
    })
}

/// A line taken apart.
#[derive(Debug)]
pub(super) struct ContentLine<'a> {
    /// Without its group.
    pub(super) name: &'a str,
    parameters: Vec<(String, Vec<String>)>,
    /// Behind the colon, still escaped.
    pub(super) value: &'a str,
}

impl<'a> ContentLine<'a> {
    /// Takes a line apart; none where it has not the shape.
    pub(super) fn parse(line: &'a str) -> Option<Self> {
        let name_end = line.find([';', ':'])?;
        let (full_name, mut rest) = line.split_at(name_end);
        let name = full_name.rsplit('.').next()?;
        let is_token = |text: &str| {
            !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        };
        if !full_name.split('.').all(is_token) || full_name.matches('.').count() > 1 {
            return None;
        }
        let mut parameters = Vec::new();
        while let Some(after) = rest.strip_prefix(';') {
            let key_end = after.find(['=', ';', ':'])?;
            let key = &after[..key_end];
            if !is_token(key) {
                return None;
            }
            rest = &after[key_end..];
            let mut values = Vec::new();
            if let Some(first) = rest.strip_prefix('=') {
                rest = first;
                loop {
                    let (value, behind) = parameter_value(rest)?;
                    values.push(value);
                    rest = behind;
                    match rest.strip_prefix(',') {
                        Some(next) => rest = next,
                        None => break,
                    }
                }
            } else {
                // vCard 2.1 left-over that phones still write in 3.0: `TEL;CELL:`.
                values.push(key.to_owned());
                parameters.push(("TYPE".to_owned(), values));
                continue;
            }
            parameters.push((key.to_ascii_uppercase(), values));
        }
        Some(Self {
            name,
            parameters,
            value: rest.strip_prefix(':')?,
        })
    }

    /// The first value of a parameter.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters
            .iter()
            .find(|(key, _)| key == name)
            .and_then(|(_, values)| values.first())
            .map(String::as_str)
    }

    /// Whether one of the `TYPE`s is this one. `TYPE="voice,cell"` is two types (RFC 6350 §5.6, erratum of practice).
    pub(super) fn has_type(&self, word: &str) -> bool {
        self.parameters
            .iter()
            .filter(|(key, _)| key == "TYPE")
            .flat_map(|(_, values)| values)
            .flat_map(|value| value.split(','))
            .any(|value| value.trim().eq_ignore_ascii_case(word))
    }

    /// The value as text.
    pub(super) fn text(&self) -> String {
        unescape(self.value)
    }

    /// The value as components between semicolons (`N`); a component's comma list becomes words.
    pub(super) fn components(&self) -> Vec<String> {
        split_unescaped(self.value, ';')
            .map(|component| {
                split_unescaped(component, ',')
                    .map(unescape)
                    .collect::<Vec<_>>()
                    .join(" ")
            })
            .collect()
    }

    /// The value as a comma list (`NICKNAME`).
    pub(super) fn list(&self) -> Vec<String> {
        split_unescaped(self.value, ',').map(unescape).collect()
    }
}

/// A quoted or plain parameter value, with RFC 6868 escapes, and what stands behind it.
fn parameter_value(text: &str) -> Option<(String, &str)> {
    let (raw, rest) = if let Some(quoted) = text.strip_prefix('"') {
        let end = quoted.find('"')?;
        (&quoted[..end], &quoted[end + 1..])
    } else {
        let end = text.find([',', ';', ':'])?;
        (&text[..end], &text[end..])
    };
    let mut value = String::with_capacity(raw.len());
    let mut chars = raw.chars().peekable();
    while let Some(c) = chars.next() {
        let escaped = match (c, chars.peek()) {
            ('^', Some('n')) => '\n',
            ('^', Some('^')) => '^',
            ('^', Some('\'')) => '"',
            _ => {
                value.push(c);
                continue;
            }
        };
        chars.next();
        value.push(escaped);
    }
    Some((value, rest))
}

/// RFC 6350 §3.4: `\n`, `\,`, `\;`, `\\`; an unknown escape stays as it is.
fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('n' | 'N') => out.push('\n'),
            Some(c @ (',' | ';' | '\\' | ':')) => out.push(c),
            Some(other) => out.extend(['\\', other]),
            None => out.push('\\'),
        }
    }
    out
}

fn split_unescaped(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    core::iter::from_fn(move || {
        let text = rest?;
        let mut escaped = false;
        for (index, c) in text.char_indices() {
            if escaped {
                escaped = false;
            } else if c == '\\' {
                escaped = true;
            } else if c == separator {
                rest = Some(&text[index + c.len_utf8()..]);
                return Some(&text[..index]);
            }
        }
        rest = None;
        Some(text)
    })
}
