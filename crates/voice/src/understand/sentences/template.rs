//! Sentence templates: the language of hassil, read into a tree.
//!
//! ```text
//! turn on [the] (light|lamp)[s] in {area}      alternatives, optionals, lists
//! <turn> {name} (on;[<here>])                  rules, items in any order
//! {0..100:brightness}  {item:slot}  {@said}    ranges in place, named slots, captures
//! ```
//! Text keeps its spaces: they decide where a word may end, which is why `light[s]` is one word and `light [s]` two.
use super::text::spaced;

/// Longest template, in bytes. The longest of 65 languages has 1,400.
pub const TEMPLATE_BYTES_MAX: usize = 16 * 1024;
/// Deepest nesting of groups in one template.
pub const TEMPLATE_DEPTH_MAX: usize = 32;

/// One node of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expression {
    /// Words or parts of words, with the spaces around them.
    Text(String),
    /// Everything, in this order.
    Sequence(Vec<Expression>),
    /// One of these. An optional is an alternative whose last item is empty text.
    Alternative(Vec<Expression>),
    /// Everything, in any order.
    Permutation(Vec<Expression>),
    /// A value of a list, or a number of a range, or any words.
    List(ListReference),
    /// The body of an expansion rule.
    Rule(String),
}

/// `{list}`, `{list:slot}`, `{list:@capture}`, `{@list}`, `{from..to:slot}`, `{from..to,step:slot}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListReference {
    /// Name of the list.
    pub list: String,
    /// Name of the slot that its value fills.
    pub slot: String,
    /// A space follows, so that the value ends with a word.
    pub ends_word: bool,
    /// The value is for the response only and fills no slot.
    pub capture: bool,
    /// Start, stop and step of a range written in place.
    pub range: Option<(i64, i64, i64)>,
}

/// Why a template cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// Longer than [`TEMPLATE_BYTES_MAX`].
    #[error("the template has {0} bytes, more than {TEMPLATE_BYTES_MAX}: split it")]
    TooLong(usize),
    /// Deeper than [`TEMPLATE_DEPTH_MAX`].
    #[error("groups are nested deeper than {TEMPLATE_DEPTH_MAX} at character {0}: use a rule")]
    TooDeep(usize),
    /// A bracket that nothing closes.
    #[error("'{open}' at character {at} is never closed: add the closing bracket")]
    Unclosed {
        /// The bracket.
        open: char,
        /// Where it stands, counted in characters from 0.
        at: usize,
    },
    /// A closing bracket that nothing opened.
    #[error("'{close}' at character {at} closes nothing: remove it, or write \\{close}")]
    Unopened {
        /// The bracket.
        close: char,
        /// Where it stands, counted in characters from 0.
        at: usize,
    },
    /// Brackets with nothing in them.
    #[error("the brackets at character {0} are empty: write something in them")]
    Empty(usize),
    /// `|` and `;` in one group.
    #[error("'|' and ';' stand in one group at character {0}: put brackets around one of them")]
    Mixed(usize),
}

impl Expression {
    /// Reads one template.
    ///
    /// # Errors
    /// Says what is wrong with it and at which character.
    pub fn parse(template: &str) -> Result<Self, TemplateError> {
        if template.len() > TEMPLATE_BYTES_MAX {
            return Err(TemplateError::TooLong(template.len()));
        }
        let mut reader = Reader {
            chars: template.trim().chars().collect(),
            at: 0,
        };
        let group = reader.group(None, 0)?;
        // A group around the whole template says nothing.
        Ok(match group {
            Self::Sequence(mut items)
                if items.len() == 1
                    && matches!(
                        items.first(),
                        Some(Self::Sequence(_) | Self::Alternative(_) | Self::Permutation(_))
                    ) =>
            {
                items.remove(0)
            }
            other => other,
        })
    }

    /// Whether `text` uses the template language at all. What does not is a plain value of a list.
    #[must_use]
    pub fn is_template(text: &str) -> bool {
        text.contains(['(', ')', '{', '}', '<', '>', '[', ']', '|', '@'])
    }

    /// Every list named below this node; rules are not followed.
    pub fn lists<'a>(&'a self, found: &mut Vec<&'a ListReference>) {
        match self {
            Self::Text(_) | Self::Rule(_) => {}
            Self::List(list) => found.push(list),
            Self::Sequence(items) | Self::Alternative(items) | Self::Permutation(items) => {
                for item in items {
                    item.lists(found);
                }
            }
        }
    }

    /// Pieces of text below this node; rules are not followed. Templates with wildcards are tried by this number.
    #[must_use]
    pub fn texts(&self) -> usize {
        match self {
            Self::Text(_) => 1,
            Self::List(_) | Self::Rule(_) => 0,
            Self::Sequence(items) | Self::Alternative(items) | Self::Permutation(items) => {
                items.iter().map(Self::texts).sum()
            }
        }
    }
}

/// How the items of a group hang together.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Joined {
    AllInOrder,
    OneOf,
    AnyOrder,
}

struct Reader {
    chars: Vec<char>,
    at: usize,
}

impl Reader {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    /// Reads up to `close`, or to the end of the template.
    fn group(&mut self, close: Option<char>, depth: usize) -> Result<Expression, TemplateError> {
        let from = self.at;
        if depth > TEMPLATE_DEPTH_MAX {
            return Err(TemplateError::TooDeep(from));
        }
        let mut joined = Joined::AllInOrder;
        let mut done: Vec<Vec<Expression>> = Vec::new();
        let mut items: Vec<Expression> = Vec::new();
        loop {
            let Some(c) = self.peek() else {
                if let Some(close) = close {
                    let open = if close == ')' { '(' } else { '[' };
                    return Err(TemplateError::Unclosed {
                        open,
                        at: from.saturating_sub(1),
                    });
                }
                break;
            };
            match c {
                _ if Some(c) == close => break,
                '(' | '[' => {
                    let at = self.at;
                    self.at += 1;
                    let end = if c == '(' { ')' } else { ']' };
                    if self.peek() == Some(end) {
                        return Err(TemplateError::Empty(at));
                    }
                    let inner = self.group(Some(end), depth + 1)?;
                    self.at += 1;
                    items.push(if c == '(' { inner } else { optional(inner) });
                }
                '{' | '<' => items.push(self.reference(c)?),
                ')' | ']' | '}' | '>' => {
                    return Err(TemplateError::Unopened {
                        close: c,
                        at: self.at,
                    });
                }
                '|' | ';' => {
                    let now = if c == '|' {
                        Joined::OneOf
                    } else {
                        Joined::AnyOrder
                    };
                    if joined != Joined::AllInOrder && joined != now {
                        return Err(TemplateError::Mixed(self.at));
                    }
                    joined = now;
                    done.push(std::mem::take(&mut items));
                    self.at += 1;
                }
                _ => items.push(Expression::Text(self.word())),
            }
        }
        if joined == Joined::AllInOrder {
            return Ok(Expression::Sequence(items));
        }
        done.push(items);
        Ok(match joined {
            Joined::OneOf => {
                Expression::Alternative(done.into_iter().map(Expression::Sequence).collect())
            }
            _ => Expression::Permutation(done.into_iter().map(apart).collect()),
        })
    }

    /// A word with the spaces after it, and at most one before it.
    fn word(&mut self) -> String {
        let mut text = String::new();
        let mut spaces = false;
        let from = self.at;
        while let Some(c) = self.peek() {
            if c == '\\' {
                // Whatever comes next is meant as it stands.
                if spaces {
                    break;
                }
                self.at += 1;
                if let Some(next) = self.peek() {
                    text.push(next);
                    self.at += 1;
                }
                continue;
            }
            if self.at > from && c == ' ' {
                spaces = true;
            } else if spaces
                || matches!(c, '|' | ';' | '(' | ')' | '[' | ']' | '{' | '}' | '<' | '>')
            {
                break;
            }
            text.push(c);
            self.at += 1;
        }
        spaced(&text)
    }

    /// `{…}` or `<…>`.
    fn reference(&mut self, open: char) -> Result<Expression, TemplateError> {
        let at = self.at;
        let close = if open == '{' { '}' } else { '>' };
        self.at += 1;
        let mut name = String::new();
        loop {
            match self.peek() {
                None => return Err(TemplateError::Unclosed { open, at }),
                Some(c) if c == close => break,
                Some('\\') => {
                    self.at += 1;
                    name.extend(self.peek());
                }
                Some(c) => name.push(c),
            }
            self.at += 1;
        }
        self.at += 1;
        if name.is_empty() {
            return Err(TemplateError::Empty(at));
        }
        if open == '<' {
            return Ok(Expression::Rule(name));
        }
        let ends_word = self.peek().is_some_and(char::is_whitespace);
        Ok(Expression::List(list(&name, ends_word)))
    }
}

fn optional(inner: Expression) -> Expression {
    let nothing = Expression::Text(String::new());
    match inner {
        Expression::Alternative(mut items) => {
            items.push(nothing);
            Expression::Alternative(items)
        }
        other => Expression::Alternative(vec![other, nothing]),
    }
}

/// An item of a permutation: a space may stand on either side of it.
fn apart(mut items: Vec<Expression>) -> Expression {
    items.insert(0, Expression::Text(" ".into()));
    items.push(Expression::Text(" ".into()));
    Expression::Sequence(items)
}

fn list(name: &str, ends_word: bool) -> ListReference {
    let (list, slot, capture, range) = match name.split_once(':') {
        Some((list, slot)) => {
            let range = inline_range(list);
            match slot.strip_prefix('@') {
                Some(slot) => (list, slot, true, range),
                None => (list, slot, false, range),
            }
        }
        None => match name.strip_prefix('@') {
            Some(list) => (list, list, true, None),
            None => (name, name, false, None),
        },
    };
    ListReference {
        list: list.into(),
        slot: slot.into(),
        ends_word,
        capture,
        range,
    }
}

/// `0..100` or `0..100,5`.
fn inline_range(name: &str) -> Option<(i64, i64, i64)> {
    let (start, rest) = name.split_once("..")?;
    let (stop, step) = rest.split_once(',').unwrap_or((rest, "1"));
    let digits = |text: &str| {
        text.bytes()
            .all(|b| b.is_ascii_digit())
            .then(|| text.parse().ok())
            .flatten()
    };
    let (start, stop, step) = (digits(start)?, digits(stop)?, digits(step)?);
    (start <= stop && step > 0).then_some((start, stop, step))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(words: &str) -> Expression {
        Expression::Text(words.into())
    }

    #[test]
    fn spaces_stay_with_the_word_before() {
        let read = Expression::parse("turn on [the] light[s]").unwrap();
        let the = Expression::Alternative(vec![Expression::Sequence(vec![text("the")]), text("")]);
        let s = Expression::Alternative(vec![Expression::Sequence(vec![text("s")]), text("")]);
        let expected = vec![text("turn "), text("on "), the, text(" light"), s];
        assert_eq!(read, Expression::Sequence(expected));
    }

    #[test]
    fn lists_name_their_slots() {
        for (name, list, slot, capture) in [
            ("{area}", "area", "area", false),
            ("{a:b}", "a", "b", false),
            ("{a:@b}", "a", "b", true),
            ("{@a}", "a", "a", true),
        ] {
            let Expression::Sequence(items) = Expression::parse(name).unwrap() else {
                panic!("{name} is a sequence");
            };
            let Some(Expression::List(read)) = items.first() else {
                panic!("{name} is a list");
            };
            assert_eq!(
                (&*read.list, &*read.slot, read.capture),
                (list, slot, capture)
            );
        }
        assert_eq!(inline_range("0..100,5"), Some((0, 100, 5)));
        assert_eq!(inline_range("5..1"), None);
    }

    #[test]
    fn says_where_a_template_is_broken() {
        let why = |template: &str| Expression::parse(template).unwrap_err().to_string();
        assert_eq!(
            why("turn (on"),
            "'(' at character 5 is never closed: add the closing bracket"
        );
        assert_eq!(
            why("turn on]"),
            "']' at character 7 closes nothing: remove it, or write \\]"
        );
        assert!(why("()").contains("empty"));
        assert!(why("(a|b;c)").contains("brackets around one"));
        assert!(why(&"(".repeat(100)).contains("nested deeper"));
    }
}
