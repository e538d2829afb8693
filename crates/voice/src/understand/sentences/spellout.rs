//! Numbers in words: CLDR's rule-based number formats, as the package `unicode-rbnf` carries them.
//!
//! ```text
//! 20: twenty[-→→];   100: ←← hundred[ →→];   x.x: ←← point →→;   =%other-rules=
//! ```
//! A language knows several sets of rules (counting, gender, case); each gives a wording, and all are understood.
mod rule;

use std::collections::BTreeMap;

use quick_xml::Reader;
use quick_xml::events::Event;

use super::plural::cardinal;
use rule::{Part, form, parts};

/// Largest file, in bytes.
const XML_BYTES_MAX: usize = 1024 * 1024;
/// Deepest call of one set of rules by another.
const DEPTH_MAX: usize = 40;
/// Longest wording, in bytes.
const WORDS_BYTES_MAX: usize = 500;

/// Why a file of number words cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SpelloutError {
    /// Larger than a mebibyte.
    #[error("the file has {0} bytes, more than {XML_BYTES_MAX}")]
    TooLong(usize),
    /// Not XML.
    #[error("not XML at byte {at}: {what}")]
    Xml {
        /// Where.
        at: u64,
        /// What the reader says.
        what: String,
    },
    /// No rules for counting in it.
    #[error("the file has no rules for counting")]
    NoRules,
}

/// Number words of several languages.
#[derive(Debug, Clone, Default)]
pub struct NumberWords {
    languages: BTreeMap<String, Spellout>,
}

impl NumberWords {
    /// Adds a language: `name` is the file's name without its ending ("en", "zh_Hant").
    ///
    /// # Errors
    /// When the file is not one of number words.
    pub fn add(&mut self, name: &str, xml: &str) -> Result<(), SpelloutError> {
        self.languages
            .insert(name.to_owned(), Spellout::read(name, xml)?);
        Ok(())
    }

    /// Names under which a language's words may be found, the closest first.
    #[must_use]
    pub fn names(language: &str) -> Vec<String> {
        if language == "nb" {
            // CLDR writes Bokmål's rules under Norwegian.
            return vec!["no".to_owned()];
        }
        let joined = language.replace('-', "_");
        let mut names = vec![language.to_owned()];
        let script = matches!(
            joined.to_ascii_lowercase().as_str(),
            "zh_tw" | "zh_hk" | "zh_mo"
        );
        let family = joined.split('_').next().unwrap_or_default().to_owned();
        for name in [
            Some(joined),
            script.then(|| "zh_Hant".to_owned()),
            Some(family),
        ]
        .into_iter()
        .flatten()
        {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }

    pub(super) fn rules(&self, language: &str) -> Option<&Spellout> {
        Self::names(language)
            .iter()
            .find_map(|name| self.languages.get(name))
    }
}

/// The rules of one language.
#[derive(Debug, Clone)]
pub(super) struct Spellout {
    language: String,
    sets: Vec<(String, RuleSet)>,
}

#[derive(Debug, Clone, Default)]
struct RuleSet {
    counts: bool,
    rules: BTreeMap<i64, Rule>,
    negative: Option<Rule>,
    fraction: Option<Rule>,
}

#[derive(Debug, Clone)]
struct Rule {
    parts: Vec<Part>,
    /// Largest power of the radix not above the rule's number.
    divisor: i64,
}

impl Spellout {
    fn read(name: &str, xml: &str) -> Result<Self, SpelloutError> {
        if xml.len() > XML_BYTES_MAX {
            return Err(SpelloutError::TooLong(xml.len()));
        }
        let mut out = Self {
            language: name.to_owned(),
            sets: Vec::new(),
        };
        let mut reader = Reader::from_str(xml);
        let mut rule: Option<(String, i64, String)> = None;
        loop {
            let event = reader.read_event().map_err(|error| SpelloutError::Xml {
                at: reader.error_position(),
                what: error.to_string(),
            })?;
            match event {
                Event::Start(tag) => {
                    let attribute = |key: &str| {
                        tag.attributes()
                            .flatten()
                            .find(|a| a.key.as_ref() == key)
                            .map(|a| a.value.into_owned())
                    };
                    match tag.name().as_ref() {
                        "ruleset" => {
                            let kind = attribute("type").unwrap_or_default();
                            let private =
                                attribute("access").is_some_and(|access| access == "private");
                            let counts = !private
                                && kind.starts_with("spellout")
                                && (kind.contains("cardinal") || kind.contains("numbering"))
                                && !["ordinal", "year", "verbose"]
                                    .iter()
                                    .any(|other| kind.contains(other));
                            let set = RuleSet {
                                counts,
                                ..RuleSet::default()
                            };
                            out.sets.retain(|(known, _)| *known != kind);
                            out.sets.push((kind, set));
                        }
                        "rbnfrule" => {
                            let radix = attribute("radix").and_then(|text| {
                                text.chars()
                                    .filter(char::is_ascii_digit)
                                    .collect::<String>()
                                    .parse()
                                    .ok()
                            });
                            rule = Some((
                                attribute("value").unwrap_or_default(),
                                radix.unwrap_or(10),
                                String::new(),
                            ));
                        }
                        _ => {}
                    }
                }
                Event::Text(text) => {
                    if let Some((_, _, body)) = &mut rule {
                        body.push_str(&text);
                    }
                }
                Event::GeneralRef(reference) => {
                    if let Some((_, _, body)) = &mut rule {
                        body.push(match &*reference {
                            "lt" => '<',
                            "gt" => '>',
                            "apos" => '\'',
                            "quot" => '"',
                            _ => '&',
                        });
                    }
                }
                Event::End(tag) if tag.name().as_ref() == "rbnfrule" => {
                    if let (Some((value, radix, body)), Some((_, set))) =
                        (rule.take(), out.sets.last_mut())
                    {
                        set.add(&value, radix, &body);
                    }
                }
                Event::Eof => break,
                _ => {}
            }
        }
        if out.sets.iter().any(|(_, set)| set.counts) {
            Ok(out)
        } else {
            Err(SpelloutError::NoRules)
        }
    }

    /// Every wording of a number given in tenths, without repeats.
    pub(super) fn spell(&self, tenths: i64) -> Vec<String> {
        let mut out: Vec<String> = Vec::new();
        for (_, set) in self.sets.iter().filter(|(_, set)| set.counts) {
            let mut words = String::new();
            if self.write(set, tenths, &mut words, 0).is_none() {
                continue;
            }
            words.retain(|c| c != '\u{ad}');
            let broken = words.replace(['-', '_'], " ");
            for words in [words, broken] {
                if !words.is_empty() && !out.contains(&words) {
                    out.push(words);
                }
            }
        }
        out
    }

    fn set(&self, name: &str) -> Option<&RuleSet> {
        self.sets
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, set)| set)
    }

    /// The rule for negative numbers: of this set, or of the one to which its rule for 0 hands over.
    fn negative<'a>(&'a self, set: &'a RuleSet, depth: usize) -> Option<&'a Rule> {
        if set.negative.is_some() || depth > DEPTH_MAX {
            return set.negative.as_ref();
        }
        match set.rules.get(&0)?.parts.first()? {
            Part::Other(name) => self.negative(self.set(name)?, depth + 1),
            _ => None,
        }
    }

    fn write(&self, set: &RuleSet, tenths: i64, out: &mut String, depth: usize) -> Option<()> {
        if depth > DEPTH_MAX || out.len() > WORDS_BYTES_MAX {
            return None;
        }
        let number = tenths / 10;
        let digit = (tenths % 10 != 0).then_some((tenths % 10).abs());
        let (rule, quotient, remainder) = if tenths < 0 {
            (self.negative(set, 0)?, 0, -number)
        } else if let Some(digit) = digit {
            (set.fraction.as_ref()?, number, digit)
        } else {
            let (&value, rule) = set
                .rules
                .range(..=number)
                .next_back()
                .or_else(|| set.rules.iter().next())?;
            if value > 0 {
                (rule, number / rule.divisor, number % rule.divisor)
            } else {
                (rule, 0, 0)
            }
        };
        let fraction = tenths >= 0 && digit.is_some();
        for part in &rule.parts {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Other(name) => self.write(self.set(name)?, tenths, out, depth + 1)?,
                Part::Plural(forms) => {
                    out.push_str(form(forms, cardinal(&self.language, quotient)));
                }
                Part::Quotient(how) | Part::Remainder(how) => {
                    let value = if matches!(part, Part::Quotient(_)) {
                        quotient
                    } else {
                        remainder
                    };
                    if value == 0 && !fraction && (how.optional || how.set.is_none()) {
                        continue;
                    }
                    out.push_str(&how.before);
                    let set = match &how.set {
                        Some(name) => self.set(name)?,
                        None => set,
                    };
                    self.write(set, value * 10, out, depth + 1)?;
                    out.push_str(&how.after);
                }
            }
        }
        Some(())
    }
}

impl RuleSet {
    fn add(&mut self, value: &str, radix: i64, body: &str) {
        let number: Option<i64> = value.parse().ok();
        let divisor = number.map_or(1, |number| {
            let mut divisor = 1_i64;
            while let Some(next) = divisor
                .checked_mul(radix.max(2))
                .filter(|next| *next <= number)
            {
                divisor = next;
            }
            divisor
        });
        let rule = Rule {
            parts: parts(body),
            divisor,
        };
        match (value, number) {
            ("-x", _) => self.negative = Some(rule),
            ("x.x" | "x,x", _) => self.fraction = Some(rule),
            (_, Some(number)) => drop(self.rules.insert(number, rule)),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &str = r#"<ldml><rbnf><rulesetGrouping type="SpelloutRules"><ruleset type="spellout-numbering">
        <rbnfrule value="-x">minus →→;</rbnfrule><rbnfrule value="x.x">←← point →→;</rbnfrule>
        <rbnfrule value="0">zero;</rbnfrule><rbnfrule value="1">one;</rbnfrule><rbnfrule value="2">two;</rbnfrule>
        <rbnfrule value="3">three;</rbnfrule><rbnfrule value="4">four;</rbnfrule><rbnfrule value="5">five;</rbnfrule>
        <rbnfrule value="20">twenty[-→→];</rbnfrule><rbnfrule value="60" radix="20">soixante[ et →→];</rbnfrule>
        <rbnfrule value="100">←← hundred[ &amp; →→];</rbnfrule></ruleset>
        <ruleset type="spellout-ordinal"><rbnfrule value="0">=#,##0=th;</rbnfrule></ruleset></rulesetGrouping></rbnf></ldml>"#;

    #[test]
    fn spells_by_the_rules() {
        let rules = Spellout::read("en", SMALL).unwrap();
        let spelled = |tenths| rules.spell(tenths);
        assert_eq!(spelled(0), ["zero"]);
        assert_eq!(spelled(250), ["twenty-five", "twenty five"]);
        assert_eq!(spelled(5), ["zero point five"]);
        assert_eq!(spelled(200), ["twenty"]);
        assert_eq!(spelled(650), ["soixante et five"]);
        assert_eq!(spelled(3040), ["three hundred & four"]);
        assert_eq!(spelled(-40), ["minus four"]);
    }

    #[test]
    fn refuses_what_has_no_rules() {
        assert!(matches!(
            Spellout::read("en", "<ldml/>"),
            Err(SpelloutError::NoRules)
        ));
        assert!(matches!(
            Spellout::read("en", "<ldml><a></b>"),
            Err(SpelloutError::Xml { .. })
        ));
        assert_eq!(
            NumberWords::names("zh-TW"),
            ["zh-TW", "zh_TW", "zh_Hant", "zh"]
        );
    }
}
