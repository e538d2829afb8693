//! Spoken and written numbers in one spelling: the digits, as they would be dialled.
//!
//! "nine one one", "9-1-1", "9 11", "nine double one" all become `911`; "triple zero" becomes `000`.
//! "Nine eleven", "9/11", "9-11" and "9:11" become `9/11`: they are how people say the date.
use super::words::{Gap, Span, Word};

/// Longest number that is folded, in digits; E.164 has 15.
const DIGITS_MAX: usize = 32;

/// Written numbers that stand alone: what follows them is another thing ("call 911, 2 people are hurt").
const COMPLETE: [&str; 4] = ["911", "112", "999", "000"];

/// Words after which a run of nothing but "oh" is a number.
const BEFORE_DIGITS: [&str; 8] = [
    "call", "dial", "phone", "ring", "contact", "to", "number", "on",
];

/// What one word contributes to a number.
enum Part {
    /// Digits, one by one or as written.
    Digits(String),
    /// A number above nine in words: "eleven", "ninety nine".
    Group(String),
    /// "Hundred".
    Hundred,
    /// "Double", "triple" without a digit after it: ends the number.
    Times,
}

/// Replaces each run of number words by one word of digits.
pub(crate) fn fold_numbers(list: &[Word]) -> Vec<Word> {
    let mut out: Vec<Word> = Vec::with_capacity(list.len());
    let mut at = 0;
    while at < list.len() {
        let previous = out.last().map(|word| word.text.as_str());
        match run(list, at, previous) {
            Some((folded, next)) => {
                let repeated = out
                    .last()
                    .is_some_and(|last| last.number && last.text == folded.text);
                if !repeated {
                    out.push(folded);
                }
                at = next;
            }
            None => {
                out.push(list[at].clone());
                at += 1;
            }
        }
    }
    out
}

/// Whether an "oh" behind a whole number is an exclamation: a word follows it that is no part of a number ("call nine one
/// one oh god"). Before more digits, and as the last word, it may be a zero.
fn exclaims(list: &[Word], at: usize) -> bool {
    let is_oh = |word: &&Word| matches!(word.text.as_str(), "oh" | "o");
    let ohs = list[at..].iter().take_while(is_oh).count();
    ohs > 0 && at + ohs < list.len() && part(list, at + ohs).is_none()
}

/// The number that starts at `start` and the index after it; `None` when the word is to stay as it is.
fn run(list: &[Word], start: usize, previous: Option<&str>) -> Option<(Word, usize)> {
    let mut digits = String::new();
    let mut grouped = false;
    let mut only_oh = true;
    let mut in_words = true;
    let mut at = start;
    while at < list.len() && digits.len() < DIGITS_MAX {
        let word = &list[at];
        let complete = COMPLETE.contains(&digits.as_str());
        if at > start && complete && (word.gap == Gap::Pause || (!in_words && at == start + 1)) {
            break;
        }
        if at > start && complete && exclaims(list, at) {
            break;
        }
        let Some((part, used)) = part(list, at) else {
            break;
        };
        only_oh &= matches!(word.text.as_str(), "oh" | "o");
        in_words &= !word.number;
        match part {
            Part::Digits(text) => digits.push_str(&text),
            Part::Group(text) => {
                grouped = true;
                digits.push_str(&text);
            }
            Part::Hundred => {
                // "nine hundred [and] eleven": one digit before, at most two after.
                if digits.len() != 1 {
                    break;
                }
                grouped = true;
                at += used;
                let skip = usize::from(list.get(at).is_some_and(|next| next.text == "and"));
                let rest = match self::part(list, at + skip) {
                    Some((Part::Digits(text) | Part::Group(text), more)) if text.len() <= 2 => {
                        at += skip + more;
                        text
                    }
                    _ => String::new(),
                };
                digits.push_str(&format!("{rest:0>2}"));
                continue;
            }
            Part::Times => break,
        }
        if at > start && matches!(word.gap, Gap::Slash) {
            grouped = true;
        }
        if at > start && word.gap == Gap::Hyphen && word.number && word.text.len() == 2 {
            grouped = true;
        }
        at += used;
    }
    if digits.is_empty() || (in_words && digits.len() < 2) {
        return None;
    }
    if only_oh && (digits.len() < 3 || !previous.is_some_and(|word| BEFORE_DIGITS.contains(&word)))
    {
        return None;
    }
    let digits = once(digits);
    let text = if grouped && digits == "911" {
        "9/11".to_owned()
    } else {
        digits
    };
    let folded = Word {
        text,
        gap: list[start].gap,
        number: true,
        at: Span {
            from: list[start].at.from,
            to: list[at - 1].at.to,
        },
    };
    Some((folded, at))
}

/// "911911" is "911" said twice.
fn once(digits: String) -> String {
    let repeats = digits.len() >= 6
        && digits.len().is_multiple_of(3)
        && COMPLETE.iter().any(|number| digits.starts_with(number));
    let same = repeats
        && digits
            .as_bytes()
            .chunks(3)
            .all(|chunk| chunk == &digits.as_bytes()[..3]);
    if same { digits[..3].to_owned() } else { digits }
}

/// What the word at `at` contributes, and how many words that takes.
fn part(list: &[Word], at: usize) -> Option<(Part, usize)> {
    let word = list.get(at)?;
    if word.number {
        return Some((Part::Digits(word.text.clone()), 1));
    }
    if let Some(digit) = digit(&word.text) {
        return Some((Part::Digits(digit.to_string()), 1));
    }
    let text = word.text.as_str();
    let teen = match text {
        "ten" => Some("10"),
        "eleven" => Some("11"),
        "twelve" => Some("12"),
        "thirteen" => Some("13"),
        "fourteen" => Some("14"),
        "fifteen" => Some("15"),
        "sixteen" => Some("16"),
        "seventeen" => Some("17"),
        "eighteen" => Some("18"),
        "nineteen" => Some("19"),
        _ => None,
    };
    if let Some(digits) = teen {
        return Some((Part::Group(digits.to_owned()), 1));
    }
    let tens = match text {
        "twenty" => Some('2'),
        "thirty" => Some('3'),
        "forty" => Some('4'),
        "fifty" => Some('5'),
        "sixty" => Some('6'),
        "seventy" => Some('7'),
        "eighty" => Some('8'),
        "ninety" => Some('9'),
        _ => None,
    };
    if let Some(tens) = tens {
        let unit = list
            .get(at + 1)
            .and_then(|next| digit(&next.text))
            .filter(|unit| *unit != '0');
        return Some(match unit {
            Some(unit) => (Part::Group(format!("{tens}{unit}")), 2),
            None => (Part::Group(format!("{tens}0")), 1),
        });
    }
    let times = match text {
        "hundred" => return Some((Part::Hundred, 1)),
        "double" => 2,
        "triple" | "treble" => 3,
        "quadruple" => 4,
        _ => return None,
    };
    match list.get(at + 1) {
        Some(next) if next.number && next.text.len() == 1 => {
            Some((Part::Digits(next.text.repeat(times)), 2))
        }
        Some(next) => match digit(next.text.strip_suffix('s').unwrap_or(&next.text)) {
            Some(digit) => Some((Part::Digits(digit.to_string().repeat(times)), 2)),
            None => Some((Part::Times, 1)),
        },
        None => Some((Part::Times, 1)),
    }
}

fn digit(word: &str) -> Option<char> {
    Some(match word {
        "zero" | "oh" | "o" | "nought" | "naught" => '0',
        "one" => '1',
        "two" => '2',
        "three" => '3',
        "four" => '4',
        "five" => '5',
        "six" => '6',
        "seven" => '7',
        "eight" => '8',
        "nine" => '9',
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::words::words;

    fn plain(transcript: &str) -> String {
        let list: Vec<String> = words(transcript).into_iter().map(|w| w.text).collect();
        list.join(" ")
    }

    #[test]
    fn folds_every_spelling_of_an_emergency_number() {
        for (spoken, digits) in [
            ("nine one one", "911"),
            ("nine-one-one", "911"),
            ("9-1-1.", "911"),
            ("9 1 1", "911"),
            ("9 11", "911"),
            ("91 1", "911"),
            ("9, 1, 1", "911"),
            ("nine double one", "911"),
            ("nine one 1", "911"),
            ("911, 911!", "911"),
            ("nine one one nine one one", "911"),
            ("one one two", "112"),
            ("one twelve", "112"),
            ("1-1-2", "112"),
            ("one hundred and twelve", "112"),
            ("double one two", "112"),
            ("nine nine nine", "999"),
            ("triple nine", "999"),
            ("treble nine", "999"),
            ("triple nines", "999"),
            ("nine ninety nine", "999"),
            ("zero zero zero", "000"),
            ("triple zero", "000"),
            ("triple oh", "000"),
            ("triple 0", "000"),
            ("double oh oh", "000"),
            ("call oh oh oh", "call 000"),
            ("nine one one oh god", "911 oh god"),
            ("nine nine nine oh oh help", "999 oh oh help"),
            ("zero zero oh please", "000 please"),
        ] {
            assert_eq!(plain(spoken), digits, "{spoken}");
        }
    }

    #[test]
    fn keeps_the_date_and_other_numbers_apart() {
        for (spoken, digits) in [
            ("nine eleven", "9/11"),
            ("9/11", "9/11"),
            ("9:11", "9/11"),
            ("9-11", "9/11"),
            ("nine hundred eleven", "9/11"),
            ("nine one one one", "9111"),
            ("nine one one oh", "9110"),
            ("nine one one oh five five", "911055"),
            ("nine one one oh oh two", "911002"),
            ("nine two one", "921"),
            ("nine one", "91"),
            ("nine oh one", "901"),
            ("four one one", "411"),
            ("555-0100", "5550100"),
            ("seven hundred", "700"),
            ("seven hundred and five", "705"),
        ] {
            assert_eq!(plain(spoken), digits, "{spoken}");
        }
    }

    #[test]
    fn leaves_words_that_are_no_numbers() {
        for text in [
            "no one is here",
            "oh my god",
            "oh oh",
            "a hundred times",
            "double trouble",
            "hundred",
        ] {
            assert_eq!(plain(text), text);
        }
        assert_eq!(
            plain("call 911, two people are hurt"),
            "call 911 two people are hurt"
        );
        assert_eq!(
            plain("call nine one one, two people"),
            "call 911 two people"
        );
        assert_eq!(plain("call 911 2 people"), "call 911 2 people");
    }
}
