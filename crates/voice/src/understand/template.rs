//! The sentence template language: a small hassil-like syntax over words.
//!
//! | syntax | meaning |
//! |---|---|
//! | `call (911\|the police)` | one of the alternatives |
//! | `[please] call` | optional |
//! | `light[s]`, `fire(man\|men)` | the same inside a word |
//! | `<order>` | a named rule |
//! | `{service}`, `{number:service}` | a value of a list, remembered in the slot of that name |
//! | `{any_word}`, `{any_number}` | one word, one number in digits |
//! | `{any_word:who}`, `{any_number:number}` | the same, taken down under that name |
//! | `{any_words:text}` | one word or more, taken down |
//! | `...` | any number of words, also none |
//! | `(please\|now)*` | the group any number of times, also none |
//!
//! From `{any_word}` on they are extensions of ours.
use thiserror::Error;

/// Deepest nesting of groups in one template.
const DEPTH_MAX: usize = 32;
/// Most spellings that brackets inside one word may stand for.
const SPELLINGS_MAX: usize = 64;

/// A parsed template.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Template {
    /// One word, lower case.
    Word(String),
    /// One word of any kind.
    AnyWord,
    /// Any number of words.
    AnyWords,
    /// One number in digits.
    AnyNumber,
    /// All, in order.
    Sequence(Vec<Template>),
    /// One of them.
    Choice(Vec<Template>),
    /// Any number of times, also none.
    Repeat(Box<Template>),
    /// The rule of that name.
    Rule(String),
    /// A value of `list`, remembered in `slot`.
    List { list: String, slot: String },
    /// Free words, taken down under `name`.
    Capture { what: Free, name: String },
}

/// What may be taken down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Free {
    /// One word of any kind.
    Word,
    /// One word or more.
    Words,
    /// One number in digits.
    Number,
}

/// A template is not well formed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("sentence template, character {at}, near {near:?}: {what}")]
pub(crate) struct TemplateError {
    /// The template from a few words before the mistake.
    pub(crate) near: String,
    /// Position of the mistake, in characters from 0.
    pub(crate) at: usize,
    /// What is wrong and what to write instead.
    pub(crate) what: &'static str,
}

impl Template {
    /// Parses one template.
    pub(crate) fn parse(text: &str) -> Result<Self, TemplateError> {
        let mut parser = Parser {
            chars: text.chars().collect(),
            at: 0,
            depth: 0,
        };
        let wrong = |at: usize, what| TemplateError {
            near: text.chars().skip(at.saturating_sub(24)).take(48).collect(),
            at,
            what,
        };
        let parsed = parser.choice().map_err(|(at, what)| wrong(at, what))?;
        if parser.at < parser.chars.len() {
            return Err(wrong(
                parser.at,
                "a bracket closes here that was never opened: remove it",
            ));
        }
        Ok(parsed)
    }

    /// Nothing at all.
    const fn empty() -> Self {
        Self::Sequence(Vec::new())
    }
}

type Mistake = (usize, &'static str);

struct Parser {
    chars: Vec<char>,
    at: usize,
    depth: usize,
}

impl Parser {
    /// Alternatives up to a closing bracket or the end.
    fn choice(&mut self) -> Result<Template, Mistake> {
        let mut list = vec![self.sequence()?];
        while self.peek() == Some('|') {
            self.at += 1;
            list.push(self.sequence()?);
        }
        Ok(match list.len() {
            1 => list.remove(0),
            _ => Template::Choice(list),
        })
    }

    fn sequence(&mut self) -> Result<Template, Mistake> {
        let mut items: Vec<Template> = Vec::new();
        let mut glued = false;
        while let Some(c) = self.peek() {
            let begin = self.at;
            let item = match c {
                '|' | ')' | ']' => break,
                c if c.is_whitespace() => {
                    self.at += 1;
                    glued = false;
                    continue;
                }
                '(' => {
                    let inner = self.bracket(')')?;
                    if self.peek() == Some('*') {
                        self.at += 1;
                        Template::Repeat(Box::new(inner))
                    } else {
                        inner
                    }
                }
                '[' => Template::Choice(vec![self.bracket(']')?, Template::empty()]),
                '<' => Template::Rule(self.name('>')?),
                '{' => list(&self.name('}')?),
                '.' => self.dots()?,
                _ => self.word()?,
            };
            if glued {
                let last = items.pop().expect("a glued item follows another");
                items.push(glue(&last, &item).ok_or((
                    begin,
                    "only plain words may stand inside a word: put a space before the bracket",
                ))?);
            } else {
                items.push(item);
            }
            glued = true;
        }
        Ok(match items.len() {
            1 => items.remove(0),
            _ => Template::Sequence(items),
        })
    }

    fn bracket(&mut self, close: char) -> Result<Template, Mistake> {
        let open = self.at;
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err((
                open,
                "brackets are nested more than 32 deep: move a part into a rule",
            ));
        }
        self.at += 1;
        let inner = self.choice()?;
        if self.peek() != Some(close) {
            return Err((open, "this bracket is never closed by its own kind"));
        }
        self.at += 1;
        self.depth -= 1;
        Ok(inner)
    }

    fn name(&mut self, close: char) -> Result<String, Mistake> {
        let open = self.at;
        self.at += 1;
        let mut name = String::new();
        while let Some(c) = self.peek() {
            self.at += 1;
            if c == close {
                return if name.is_empty() {
                    Err((open, "a name is missing here"))
                } else {
                    Ok(name)
                };
            }
            if !(c.is_ascii_alphanumeric() || c == '_' || c == ':') {
                return Err((self.at - 1, "names are made of letters, digits and '_'"));
            }
            name.push(c);
        }
        Err((open, "this name is never closed"))
    }

    fn dots(&mut self) -> Result<Template, Mistake> {
        let begin = self.at;
        while self.peek() == Some('.') {
            self.at += 1;
        }
        match self.at - begin {
            3 => Ok(Template::AnyWords),
            _ => Err((
                begin,
                "any number of words is written with exactly three dots",
            )),
        }
    }

    fn word(&mut self) -> Result<Template, Mistake> {
        let begin = self.at;
        let mut word = String::new();
        while let Some(c) = self.peek() {
            if c.is_whitespace() || "()[]{}<>|.".contains(c) {
                break;
            }
            // "9/11" is one word: the date, as numbers are folded.
            if !(c.is_alphanumeric() || c == '\'' || c == '/') {
                return Err((self.at, "words are made of letters, digits and apostrophes"));
            }
            word.extend(c.to_lowercase());
            self.at += 1;
        }
        if word.is_empty() {
            return Err((begin, "this character has no meaning here"));
        }
        Ok(Template::Word(word))
    }

    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }
}

fn list(name: &str) -> Template {
    match name {
        "any_word" => Template::AnyWord,
        "any_number" => Template::AnyNumber,
        _ => {
            let (list, slot) = name.split_once(':').unwrap_or((name, name));
            let free = match list {
                "any_word" => Some(Free::Word),
                "any_words" => Some(Free::Words),
                "any_number" => Some(Free::Number),
                _ => None,
            };
            match free {
                Some(what) => Template::Capture {
                    what,
                    name: slot.to_owned(),
                },
                None => Template::List {
                    list: list.to_owned(),
                    slot: slot.to_owned(),
                },
            }
        }
    }
}

/// Two pieces without a space between them: every spelling of the one word.
fn glue(left: &Template, right: &Template) -> Option<Template> {
    let (left, right) = (spellings(left)?, spellings(right)?);
    if left.len() * right.len() > SPELLINGS_MAX {
        return None;
    }
    let words = left
        .iter()
        .flat_map(|a| right.iter().map(move |b| Template::Word(format!("{a}{b}"))))
        .collect();
    Some(Template::Choice(words))
}

fn spellings(template: &Template) -> Option<Vec<String>> {
    match template {
        Template::Word(word) => Some(vec![word.clone()]),
        Template::Sequence(items) if items.is_empty() => Some(vec![String::new()]),
        Template::Choice(list) => {
            let all: Option<Vec<Vec<String>>> = list.iter().map(spellings).collect();
            Some(all?.into_iter().flatten().collect())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(text: &str) -> Template {
        Template::Word(text.to_owned())
    }

    #[test]
    fn parses_groups_rules_lists_and_words_with_endings() {
        assert_eq!(
            Template::parse("[please] call (a|b)* <x> {n:s}").unwrap(),
            Template::Sequence(vec![
                Template::Choice(vec![word("please"), Template::empty()]),
                word("call"),
                Template::Repeat(Box::new(Template::Choice(vec![word("a"), word("b")]))),
                Template::Rule("x".to_owned()),
                Template::List {
                    list: "n".to_owned(),
                    slot: "s".to_owned()
                },
            ])
        );
        assert_eq!(
            Template::parse("fire(man|men)").unwrap(),
            Template::Choice(vec![word("fireman"), word("firemen")])
        );
    }

    #[test]
    fn says_where_a_template_is_wrong() {
        for (text, at) in [
            ("call (a", 5),
            ("call a)", 6),
            ("<", 0),
            ("{}", 0),
            ("a ..", 2),
            ("x[<r>]", 1),
            ("a$", 1),
        ] {
            assert_eq!(Template::parse(text).unwrap_err().at, at, "{text}");
        }
        assert!(Template::parse(&"(".repeat(5_000)).is_err());
    }
}
