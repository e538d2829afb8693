//! The body of one number rule, in parts.

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Part {
    Text(String),
    Quotient(Substitution),
    Remainder(Substitution),
    /// The whole number by another set.
    Other(String),
    /// A word by the number: `one{тысяча}few{тысячи}other{тысяч}`.
    Plural(String),
}

#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Substitution {
    pub(super) optional: bool,
    pub(super) before: String,
    pub(super) after: String,
    pub(super) set: Option<String>,
}

/// The form of a category, or the one for all others.
pub(super) fn form<'a>(forms: &'a str, category: &str) -> &'a str {
    let of = |name: &str| {
        let from = forms.find(&format!("{name}{{"))? + name.len() + 1;
        let tail = forms.get(from..)?;
        tail.get(..tail.find('}')?)
    };
    of(category).or_else(|| of("other")).unwrap_or_default()
}

/// Reads the body of a rule. What is not understood is left out.
pub(super) fn parts(body: &str) -> Vec<Part> {
    let mut out: Vec<Part> = Vec::new();
    let mut text = String::new();
    let mut optional: Option<Substitution> = None;
    let mut chars = body.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            ';' => break,
            '\'' => {}
            '[' => {
                flush(&mut out, &mut text);
                optional = Some(Substitution {
                    optional: true,
                    ..Substitution::default()
                });
            }
            ']' => {
                optional = None;
                text.clear();
            }
            '→' | '>' | '←' | '<' => {
                let remainder = matches!(c, '→' | '>');
                let mut set = String::new();
                while let Some(next) = chars.next_if(|next| *next != c) {
                    set.push(next);
                }
                chars.next();
                // A third arrow says digit by digit, which is what is done anyway.
                if remainder {
                    chars.next_if_eq(&c);
                }
                let mut how = optional.clone().unwrap_or_default();
                if how.optional {
                    how.before = std::mem::take(&mut text);
                    // What stands after it, up to the bracket.
                    while let Some(next) = chars.next_if(|next| *next != ']') {
                        if next != '\'' {
                            how.after.push(next);
                        }
                    }
                } else if remainder {
                    let kept = text.trim_end().len();
                    how.before = text.split_off(kept);
                }
                let set = set.trim_start_matches('%');
                how.set = (!set.is_empty() && !set.contains(['#', '0'])).then(|| set.to_owned());
                flush(&mut out, &mut text);
                out.push(if remainder {
                    Part::Remainder(how)
                } else {
                    Part::Quotient(how)
                });
            }
            '=' => {
                flush(&mut out, &mut text);
                let mut set = String::new();
                while let Some(next) = chars.next_if(|next| *next != '=') {
                    set.push(next);
                }
                chars.next();
                out.push(Part::Other(set.trim_start_matches('%').to_owned()));
            }
            '$' if chars.peek() == Some(&'(') => {
                flush(&mut out, &mut text);
                let mut forms = String::new();
                while let Some(next) = chars.next_if(|next| *next != '$') {
                    forms.push(next);
                }
                chars.next();
                if forms.starts_with("(cardinal") {
                    out.push(Part::Plural(forms));
                }
            }
            _ => text.push(c),
        }
    }
    flush(&mut out, &mut text);
    out
}

fn flush(out: &mut Vec<Part>, text: &mut String) {
    if !text.is_empty() {
        out.push(Part::Text(std::mem::take(text)));
    }
}
