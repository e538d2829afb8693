//! Text as it is to be spoken: numbers that are dialled go digit by digit, signs become words.

/// Numbers of three digits that people say digit by digit.
const DIALLED: [&str; 12] = [
    "911", "112", "999", "000", "933", "988", "111", "211", "311", "411", "811", "101",
];
/// From this many digits on a number is a telephone number or a code, not an amount.
const DIGIT_BY_DIGIT_MIN: usize = 5;

/// The sentences of `text`, each short enough for one run of the voice, ready for the phonemes.
pub(crate) fn sentences(text: &str, chars_max: usize) -> Vec<String> {
    let mut out = Vec::new();
    let mut sentence = String::new();
    let mut count = 0;
    for word in words(text) {
        // A very long word is cut: no voice can say it anyway.
        let word: String = word.chars().take(chars_max).collect();
        let length = word.chars().count() + 1;
        if count > 0 && count + length > chars_max {
            out.push(std::mem::take(&mut sentence));
            count = 0;
        }
        if !sentence.is_empty() {
            sentence.push(' ');
        }
        sentence.push_str(&word);
        count += length;
        if word.ends_with(['.', '!', '?', ';']) && !is_abbreviation(&word) {
            out.push(std::mem::take(&mut sentence));
            count = 0;
        }
    }
    if !sentence.is_empty() {
        out.push(sentence);
    }
    out
}

/// "Dr." does not end a sentence.
fn is_abbreviation(word: &str) -> bool {
    matches!(
        word.to_ascii_lowercase().as_str(),
        "dr." | "mr." | "mrs." | "ms." | "st." | "no." | "vs." | "apt." | "ave." | "rd."
    )
}

/// The words of `text` with signs and numbers spelt out.
fn words(text: &str) -> Vec<String> {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\u{2019}' | '\u{2018}' => plain.push('\''),
            '\u{2013}' | '\u{2014}' => plain.push_str(", "),
            '\u{2026}' => plain.push_str(". "),
            '&' => plain.push_str(" and "),
            '+' => plain.push_str(" plus "),
            '%' => plain.push_str(" percent"),
            '°' => plain.push_str(" degrees"),
            '@' => plain.push_str(" at "),
            // Brackets are the phoneme library's markup; the others have no sound.
            '[' | ']' | '(' | ')' | '{' | '}' | '<' | '>' | '"' | '“' | '”' | '*' | '_' | '#'
            | '|' | '\\' | '/' | '~' | '^' | '`' | '=' => plain.push(' '),
            c if c.is_control() => plain.push(' '),
            c => plain.push(c),
        }
    }
    plain.split_whitespace().map(word).collect()
}

/// One word, its digits said as they are dialled where that is how people say them.
fn word(text: &str) -> String {
    let core = text.trim_matches(|c: char| !c.is_ascii_digit());
    if core.is_empty() {
        return text.to_owned();
    }
    let digits: String = core.chars().filter(char::is_ascii_digit).collect();
    let only_digits = core.chars().all(|c| c.is_ascii_digit() || c == '-');
    let dialled = DIALLED.contains(&digits.as_str())
        || digits.len() >= DIGIT_BY_DIGIT_MIN
        || (digits.len() > 1 && digits.starts_with('0'))
        || core.contains('-');
    if !(only_digits && dialled) {
        return text.to_owned();
    }
    let (before, after) = text.split_once(core).unwrap_or(("", ""));
    let groups = core.split('-').any(|group| group.len() > 1);
    let mut spoken: Vec<&str> = Vec::with_capacity(core.len());
    for c in core.chars() {
        // The gap in "555-0100" is a short breath.
        match (c.to_digit(10), spoken.last_mut()) {
            (Some(digit), _) => spoken.push(NAMES[digit as usize]),
            (None, Some(last)) if groups => *last = with_comma(last),
            (None, _) => {}
        }
    }
    format!("{before}{}{after}", spoken.join(" "))
}

const NAMES: [&str; 10] = [
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine",
];

fn with_comma(name: &str) -> &'static str {
    const COMMA: [&str; 10] = [
        "zero,", "one,", "two,", "three,", "four,", "five,", "six,", "seven,", "eight,", "nine,",
    ];
    NAMES
        .iter()
        .position(|known| *known == name)
        .map_or(",", |index| COMMA[index])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_are_dialled_go_digit_by_digit() {
        for (text, spoken) in [
            ("Calling 911.", "Calling nine one one."),
            ("9-1-1", "nine one one"),
            ("112, 999", "one one two, nine nine nine"),
            ("dial 000!", "dial zero zero zero!"),
            ("555-0100", "five five five, zero one zero zero"),
            ("code 90210", "code nine zero two one zero"),
            ("42 Elm Street", "42 Elm Street"),
            ("at 20%", "at 20 percent"),
            ("3:45", "3:45"),
        ] {
            assert_eq!(words(text).join(" "), spoken);
        }
    }

    #[test]
    fn sentences_end_where_people_breathe() {
        assert_eq!(
            sentences("Calling 911. Say cancel to stop.", 200),
            ["Calling nine one one.", "Say cancel to stop."]
        );
        assert_eq!(sentences("Dr. Smith is here", 200), ["Dr. Smith is here"]);
        assert_eq!(
            sentences("one two three four", 10),
            ["one two", "three", "four"]
        );
        assert!(sentences(" \u{0} [](/x/) ", 10).len() <= 1);
        assert_eq!(sentences(&"a".repeat(50), 10), ["a".repeat(10)]);
    }
}
