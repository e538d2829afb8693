//! Text as it is to be spoken: figures become the words that a person would say, by what they stand for.
//!
//! | written | said |
//! |---|---|
//! | `911`, `9-1-1`, `90210` | digit by digit: numbers that are dialled, codes |
//! | `505 555 0123`, `+15055550123` | digit by digit, a breath between the groups |
//! | `7:05 PM` | seven oh five P M |
//! | `November 23, 2026`, `2026-11-23` | November twenty third, twenty twenty six |
//! | `1,440`, `12.5`, `-3` | one thousand four hundred forty, twelve point five, minus three |
//! | `21st`, `5 km`, `20°C`, `$5.20`, `5-10` | twenty first, five kilometers, twenty degrees Celsius, … |
//! | `Dr. Lee`, `42 Elm St.` | Doctor Lee, forty two Elm Street |
use super::numbers::{cardinal, clock, digits, ordinal, year};

/// Numbers of three digits that people say digit by digit.
const DIALLED: [&str; 12] = [
    "911", "112", "999", "000", "933", "988", "111", "211", "311", "411", "811", "101",
];
/// Of these, the ones that nobody ever means as an amount.
const ALWAYS_DIALLED: [&str; 3] = ["911", "112", "999"];
/// From this many digits on a number is a telephone number or a code, not an amount.
const DIGIT_BY_DIGIT_MIN: usize = 5;
/// Longest whole number that is said as an amount, in digits.
const AMOUNT_DIGITS_MAX: usize = 15;

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// Signs of units behind a number: one, many.
const UNITS: [(&str, &str, &str); 30] = [
    ("mm", "millimeter", "millimeters"),
    ("cm", "centimeter", "centimeters"),
    ("m", "meter", "meters"),
    ("km", "kilometer", "kilometers"),
    ("in", "inch", "inches"),
    ("ft", "foot", "feet"),
    ("mi", "mile", "miles"),
    ("mg", "milligram", "milligrams"),
    ("g", "gram", "grams"),
    ("kg", "kilogram", "kilograms"),
    ("lb", "pound", "pounds"),
    ("lbs", "pound", "pounds"),
    ("oz", "ounce", "ounces"),
    ("ml", "milliliter", "milliliters"),
    ("l", "liter", "liters"),
    ("km/h", "kilometer per hour", "kilometers per hour"),
    ("mph", "mile per hour", "miles per hour"),
    ("m/s", "meter per second", "meters per second"),
    ("%", "percent", "percent"),
    ("°", "degree", "degrees"),
    ("°C", "degree Celsius", "degrees Celsius"),
    ("°F", "degree Fahrenheit", "degrees Fahrenheit"),
    ("W", "watt", "watts"),
    ("kW", "kilowatt", "kilowatts"),
    ("kWh", "kilowatt hour", "kilowatt hours"),
    ("V", "volt", "volts"),
    ("Hz", "hertz", "hertz"),
    ("min", "minute", "minutes"),
    ("ms", "millisecond", "milliseconds"),
    ("h", "hour", "hours"),
];

/// What is written short and said long.
const SHORT: [(&str, &str); 13] = [
    ("Dr.", "Doctor"),
    ("Mr.", "Mister"),
    ("Mrs.", "Missus"),
    ("Ms.", "Miz"),
    ("Prof.", "Professor"),
    ("Ave.", "Avenue"),
    ("Rd.", "Road"),
    ("Blvd.", "Boulevard"),
    ("Apt.", "Apartment"),
    ("vs.", "versus"),
    ("etc.", "et cetera"),
    ("e.g.", "for example"),
    ("i.e.", "that is"),
];

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
        if word.ends_with(['.', '!', '?', ';']) && !is_initial(&word) {
            out.push(std::mem::take(&mut sentence));
            count = 0;
        }
    }
    if !sentence.is_empty() {
        out.push(sentence);
    }
    out
}

/// A text in pieces that can be spoken one after the other while the next is made: its sentences. A long first one is
/// parted at a comma when it has `first_chars`, so that the first sound comes soon.
pub(crate) fn pieces(text: &str, first_chars: usize) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let mut piece = String::new();
    for word in text.split_whitespace() {
        if !piece.is_empty() {
            piece.push(' ');
        }
        piece.push_str(word);
        let ends = word.ends_with(['.', '!', '?', ';']) && !is_short(word) && !is_initial(word);
        let breathes =
            out.is_empty() && word.ends_with([',', ':']) && piece.chars().count() >= first_chars;
        if ends || breathes {
            out.push(std::mem::take(&mut piece));
        }
    }
    if !piece.is_empty() {
        out.push(piece);
    }
    out
}

/// "Dr." does not end a sentence.
fn is_short(word: &str) -> bool {
    let known = |(short, _): &(&str, &str)| short.eq_ignore_ascii_case(word);
    SHORT.iter().any(known) || matches!(word, "St." | "No.")
}

/// "J." of a name does not either.
fn is_initial(word: &str) -> bool {
    let mut letters = word.chars();
    matches!(
        (letters.next(), letters.next(), letters.next()),
        (Some(letter), Some('.'), None) if letter.is_uppercase() && letter != 'I'
    )
}

/// The words of `text` with signs and figures spelt out.
fn words(text: &str) -> Vec<String> {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\u{2019}' | '\u{2018}' => plain.push('\''),
            '\u{2013}' | '\u{2014}' => plain.push_str(", "),
            '\u{2212}' => plain.push('-'),
            '\u{2026}' => plain.push_str(". "),
            '&' => plain.push_str(" and "),
            '@' => plain.push_str(" at "),
            // Brackets are the phoneme library's markup; the others have no sound.
            '[' | ']' | '(' | ')' | '{' | '}' | '<' | '>' | '"' | '“' | '”' | '*' | '_' | '#'
            | '|' | '\\' | '~' | '^' | '`' | '=' => plain.push(' '),
            c if c.is_control() => plain.push(' '),
            c => plain.push(c),
        }
    }
    let tokens: Vec<&str> = plain.split_whitespace().collect();
    let mut out: Vec<String> = Vec::with_capacity(tokens.len());
    let mut at = 0;
    while at < tokens.len() {
        let (said, used) = said(&tokens, at);
        out.extend(said.split_whitespace().map(str::to_owned));
        at += used.max(1);
    }
    out
}

/// How the tokens from here on are said, and how many that takes.
fn said(tokens: &[&str], at: usize) -> (String, usize) {
    let token = tokens[at];
    let next = tokens.get(at + 1).copied().unwrap_or_default();
    if let Some((group, used)) = telephone(&tokens[at..]) {
        return (group, used);
    }
    if let Some((_, long)) = SHORT.iter().find(|(short, _)| *short == token) {
        return ((*long).to_owned(), 1);
    }
    match token {
        "No." if next.starts_with(|c: char| c.is_ascii_digit()) => return ("number".into(), 1),
        "St." if next.starts_with(char::is_uppercase) && at > 0 && !ends(tokens[at - 1]) => {
            let is_street = tokens[..at].iter().any(|word| has_digit(word));
            return (if is_street { "Street" } else { "Saint" }.to_owned(), 1);
        }
        "St." if at > 0 => return ("Street.".into(), 1),
        "+" => return ("plus".into(), 1),
        "/" => return (String::new(), 1),
        _ => {}
    }
    if let Some(month) = MONTHS
        .iter()
        .find(|month| month.eq_ignore_ascii_case(token))
        && let Some((day, rest)) = whole(next)
        && (1..=31).contains(&day)
    {
        let mut text = format!("{month} {}{rest}", ordinal(day));
        let mut used = 2;
        if rest == ","
            && let Some((number, rest)) = tokens.get(at + 2).and_then(|token| whole(token))
            && (1_000..10_000).contains(&number)
        {
            text = format!("{text} {}{rest}", year(number));
            used = 3;
        }
        return (text, used);
    }
    if matches!(token, "in" | "since" | "of" | "until" | "from" | "year")
        && let Some((number, rest)) = whole(next)
        && (1_500..2_100).contains(&number)
        && !tokens.get(at + 2).is_some_and(|word| starts_lower(word))
    {
        return (format!("{token} {}{rest}", year(number)), 2);
    }
    if !has_digit(token) {
        return (signs(token), 1);
    }
    figure(token, next)
}

fn has_digit(word: &str) -> bool {
    word.bytes().any(|byte| byte.is_ascii_digit())
}

fn starts_lower(word: &str) -> bool {
    word.starts_with(char::is_lowercase)
}

fn ends(word: &str) -> bool {
    word.ends_with(['.', '!', '?'])
}

/// "and/or" without its stroke, "+" and others as words.
fn signs(token: &str) -> String {
    token
        .replace('/', " ")
        .replace('+', " plus ")
        .replace('%', " percent ")
        .replace('°', " degrees ")
}

/// A whole number in figures and what stands behind it: "23,".
fn whole(token: &str) -> Option<(u64, &str)> {
    let end = token
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(token.len());
    let (number, rest) = token.split_at(end);
    let is_sign = rest
        .chars()
        .all(|c| matches!(c, ',' | '.' | '!' | '?' | ';' | ':'));
    Some((number.parse().ok().filter(|_| is_sign && end <= 9)?, rest))
}

/// A telephone number over several tokens: "505 555 0123", "+1 505 555 0123", "555 0123".
fn telephone(tokens: &[&str]) -> Option<(String, usize)> {
    let mut groups: Vec<&str> = Vec::new();
    let mut tail = "";
    let mut used = 0;
    for token in tokens.iter().take(5) {
        let core = token.trim_end_matches(['.', ',', '!', '?', ';']);
        let bare = core.strip_prefix('+').unwrap_or(core);
        let is_group = !bare.is_empty()
            && bare.len() <= 4
            && bare.bytes().all(|byte| byte.is_ascii_digit())
            && (!core.starts_with('+') || groups.is_empty());
        if !is_group {
            break;
        }
        groups.push(bare);
        used += 1;
        tail = &token[core.len()..];
        if !tail.is_empty() {
            break;
        }
    }
    let lengths: Vec<usize> = groups.iter().map(|group| group.len()).collect();
    let has_country = tokens[0].starts_with('+');
    let fits = match lengths.as_slice() {
        [3, 4] | [3, 3, 4] => true,
        [1..=3, 3, 3, 4] => has_country,
        lengths => has_country && lengths.len() > 1,
    };
    fits.then(|| {
        let said: Vec<String> = groups.iter().map(|group| digits(group)).collect();
        let plus = if has_country { "plus " } else { "" };
        (format!("{plus}{}{tail}", said.join(", ")), used)
    })
}

/// A token with figures, by its shape; and how many tokens that takes.
fn figure(token: &str, next: &str) -> (String, usize) {
    let start = token.find(|c: char| c.is_ascii_digit()).unwrap_or(0);
    let end = token
        .rfind(|c: char| c.is_ascii_digit())
        .map_or(token.len(), |at| at + 1);
    let (before, core, after) = (&token[..start], &token[start..end], &token[end..]);
    if let Some(said) = date(core).filter(|_| before.is_empty()) {
        return (format!("{said}{after}"), 1);
    }
    if let Some((hour, minute)) = core.split_once(':')
        && let (Ok(hour @ 0..=24), Ok(minute @ 0..=59)) = (hour.parse(), minute.parse())
        && core.len() - core.find(':').unwrap_or(0) == 3
    {
        let mark = next.trim_end_matches(['.', ',', '!', '?', ';']);
        let half = match mark.to_ascii_lowercase().as_str() {
            "am" | "a.m" => Some("A M"),
            "pm" | "p.m" => Some("P M"),
            _ => None,
        };
        let said = clock(hour, minute, half.is_some());
        return match half {
            Some(half) => (format!("{before}{said} {half}{}", &next[mark.len()..]), 2),
            None => (format!("{before}{said}{}", signs(after)), 1),
        };
    }
    if let Some(half) = half_of_day(next)
        && core.len() <= 2
        && before.is_empty()
        && after.is_empty()
        && let Ok(hour @ 1..=12) = core.parse()
    {
        let tail = next.trim_start_matches(|c: char| c.is_alphabetic());
        return (format!("{} {half}{tail}", cardinal(hour)), 2);
    }
    if core
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'-')
        && let Some(said) = dialled(core, after, next)
    {
        return (format!("{}{said}{after}", plus(before)), 1);
    }
    let Some(number) = number(core) else {
        return (format!("{}{}{}", signs(before), core, signs(after)), 1);
    };
    let is_one = core == "1";
    let behind = |after: &str| {
        let sign = after.trim_end_matches(['.', ',', '!', '?', ';', ':']);
        let tail = after[sign.len()..].to_owned();
        let unit = UNITS.iter().find(|(short, _, _)| *short == sign);
        unit.map(|(_, one, many)| format!(" {}{tail}", if is_one { one } else { many }))
    };
    if let Some(money) = money(before, core, &number) {
        return (format!("{money}{after}"), 1);
    }
    let minus = match before {
        "-" => "minus ".to_owned(),
        before => plus(before),
    };
    // "21st" and "90s".
    let ends_it = |text: &str| {
        after
            .strip_prefix(text)
            .filter(|rest| !rest.starts_with(char::is_alphabetic))
    };
    for suffix in ["st", "nd", "rd", "th"] {
        if let (Some(rest), Ok(which)) = (ends_it(suffix), core.parse::<u64>()) {
            return (format!("{minus}{}{rest}", ordinal(which)), 1);
        }
    }
    if let Some(unit) = behind(after).filter(|_| !after.is_empty()) {
        return (format!("{minus}{number}{unit}"), 1);
    }
    // "5 km": but "in" and "m" alone are words.
    if after.is_empty()
        && !next.starts_with("in")
        && let Some(unit) = behind(next)
    {
        return (format!("{minus}{number}{unit}"), 2);
    }
    (format!("{minus}{number}{}", signs(after)), 1)
}

fn plus(before: &str) -> String {
    match before {
        "+" => "plus ".to_owned(),
        before => signs(before),
    }
}

fn half_of_day(next: &str) -> Option<&'static str> {
    let letters = next.trim_end_matches(['.', ',', '!', '?', ';']);
    match letters {
        "AM" | "a.m" | "am" => Some("A M"),
        "PM" | "p.m" | "pm" => Some("P M"),
        _ => None,
    }
}

/// "2026-11-23".
fn date(core: &str) -> Option<String> {
    let parts: Vec<&str> = core.split('-').collect();
    let [of_year, month, day] = parts.as_slice() else {
        return None;
    };
    if (of_year.len(), month.len(), day.len()) != (4, 2, 2) {
        return None;
    }
    let month: usize = month.parse().ok()?;
    let day: u64 = day.parse().ok().filter(|day| (1..=31).contains(day))?;
    let name = MONTHS.get(month.checked_sub(1)?)?;
    Some(format!(
        "{name} {}, {}",
        ordinal(day),
        year(of_year.parse().ok()?)
    ))
}

/// Digit by digit, where that is how people say it; "five to ten" of two small numbers.
fn dialled(core: &str, after: &str, next: &str) -> Option<String> {
    let groups: Vec<&str> = core.split('-').filter(|group| !group.is_empty()).collect();
    if let [from, to] = groups.as_slice()
        && from.len() <= 2
        && to.len() <= 2
    {
        let amount = |text: &str| text.parse().map(cardinal).ok();
        return Some(format!("{} to {}", amount(from)?, amount(to)?));
    }
    let plain: String = groups.concat();
    let is_amount = !ALWAYS_DIALLED.contains(&plain.as_str())
        && (after.starts_with(['%', '°']) || is_unit_word(next));
    let by_digit = (DIALLED.contains(&plain.as_str()) && !is_amount)
        || plain.len() >= DIGIT_BY_DIGIT_MIN
        || (plain.len() > 1 && plain.starts_with('0'))
        || core.contains('-');
    if !by_digit {
        return None;
    }
    // "9-1-1" is one number; the gap in "555-0100", and those of a long number, are short breaths.
    if groups.len() > 1 && groups.iter().all(|group| group.len() == 1) {
        return Some(digits(&plain));
    }
    let cut: Vec<&str> = match plain.len() {
        _ if groups.len() > 1 => groups,
        10 => vec![&plain[..3], &plain[3..6], &plain[6..]],
        11 if plain.starts_with('1') => {
            vec![&plain[..1], &plain[1..4], &plain[4..7], &plain[7..]]
        }
        _ => vec![plain.as_str()],
    };
    let said: Vec<String> = cut.into_iter().map(digits).collect();
    Some(said.join(", "))
}

fn is_unit_word(word: &str) -> bool {
    let word = word.trim_end_matches(['.', ',', '!', '?', ';']);
    UNITS.iter().any(|(_, one, many)| {
        [one, many]
            .iter()
            .any(|name| name.split(' ').next() == Some(word))
    })
}

/// "1,440", "12.50", "7": what is none of these is left.
fn number(core: &str) -> Option<String> {
    let (whole, part) = match core.split_once('.') {
        Some((whole, part)) => (whole, Some(part)),
        None => (core, None),
    };
    let plain = whole.replace(',', "");
    let grouped = whole.split(',').skip(1).all(|group| group.len() == 3);
    let digits_only =
        |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits_only(&plain) || !grouped || plain.len() > AMOUNT_DIGITS_MAX {
        return None;
    }
    let said = cardinal(plain.parse().ok()?);
    match part {
        None => Some(said),
        Some(part) if digits_only(part) => Some(format!("{said} point {}", digits(part))),
        Some(_) => None,
    }
}

/// "$5.20".
fn money(before: &str, core: &str, number: &str) -> Option<String> {
    let (one, many, cents) = match before {
        "$" => ("dollar", "dollars", "cents"),
        "€" => ("euro", "euros", "cents"),
        "£" => ("pound", "pounds", "pence"),
        _ => return None,
    };
    let (whole, part) = core.split_once('.').unwrap_or((core, ""));
    let name = if whole == "1" { one } else { many };
    match part.len() {
        2 => {
            let whole = number.split(" point ").next().unwrap_or(number);
            let part: u64 = part.parse().ok()?;
            Some(match part {
                0 => format!("{whole} {name}"),
                part => format!("{whole} {name} and {} {cents}", cardinal(part)),
            })
        }
        _ => Some(format!("{number} {name}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_said_by_what_they_stand_for() {
        for (text, spoken) in [
            ("Calling 911.", "Calling nine one one."),
            ("9-1-1", "nine one one"),
            ("112, 999", "one one two, nine nine nine"),
            ("dial 000!", "dial zero zero zero!"),
            ("555-0100", "five five five, zero one zero zero"),
            ("code 90210", "code nine zero two one zero"),
            (
                "call 505 555 0123.",
                "call five zero five, five five five, zero one two three.",
            ),
            (
                "+1 505 555 0123",
                "plus one, five zero five, five five five, zero one two three",
            ),
            (
                "+15055550123",
                "plus one, five zero five, five five five, zero one two three",
            ),
            ("42 Elm Street", "forty two Elm Street"),
            ("42 Elm St. is far", "forty two Elm Street. is far"),
            ("42 Elm St. North", "forty two Elm Street North"),
            ("Dr. Smith and Mrs. Lee", "Doctor Smith and Missus Lee"),
            ("at 20%", "at twenty percent"),
            ("It is 7:30 PM.", "It is seven thirty P M."),
            ("at 7:05", "at seven oh five"),
            ("at 7:00", "at seven o'clock"),
            ("It is 5 PM.", "It is five P M."),
            ("As of 7 AM this morning", "As of seven A M this morning"),
            ("I am 5 and am here", "I am five and am here"),
            (
                "It is Monday, November 23, 2026.",
                "It is Monday, November twenty third, twenty twenty six.",
            ),
            (
                "on 2026-11-23.",
                "on November twenty third, twenty twenty six.",
            ),
            ("July 4 is a Sunday", "July fourth is a Sunday"),
            ("in 1999.", "in nineteen ninety nine."),
            ("in 2000 meters", "in two thousand meters"),
            ("1,440 minutes", "one thousand four hundred forty minutes"),
            (
                "about 8.05 kilometers",
                "about eight point zero five kilometers",
            ),
            ("-3 degrees", "minus three degrees"),
            (
                "20°C, 68 °F",
                "twenty degrees Celsius, sixty eight degrees Fahrenheit",
            ),
            ("5 km and 1 kg", "five kilometers and one kilogram"),
            ("the 21st, the 2nd", "the twenty first, the second"),
            ("$5.20 or $1", "five dollars and twenty cents or one dollar"),
            ("5-10 minutes", "five to ten minutes"),
            ("101 degrees", "one hundred one degrees"),
            ("911 degrees", "nine one one degrees"),
            ("3 in the kitchen", "three in the kitchen"),
            ("1200000", "one two zero zero zero zero zero"),
            ("version 1.2.3", "version 1.2.3"),
            ("and/or", "and or"),
        ] {
            assert_eq!(words(text).join(" "), spoken, "{text}");
        }
    }

    #[test]
    fn sentences_end_where_people_breathe() {
        assert_eq!(
            sentences("Calling 911. Say cancel to stop.", 200),
            ["Calling nine one one.", "Say cancel to stop."]
        );
        assert_eq!(
            sentences("Dr. Smith is here", 200),
            ["Doctor Smith is here"]
        );
        assert_eq!(
            sentences("one two three four", 10),
            ["one two", "three", "four"]
        );
        assert!(sentences(" \u{0} [](/x/) ", 10).len() <= 1);
        assert!(sentences("", 10).is_empty());
    }

    #[test]
    fn a_text_is_spoken_piece_by_piece_and_nothing_is_lost() {
        assert_eq!(pieces("Yes. It is so.", 14), ["Yes.", "It is so."]);
        assert_eq!(
            pieces(
                "In the morning, when the sun is up, it goes on. Then it ends.",
                14
            ),
            [
                "In the morning,",
                "when the sun is up, it goes on.",
                "Then it ends."
            ]
        );
        assert_eq!(pieces("Dr. Lee came.", 14), ["Dr. Lee came."]);
        assert!(pieces("  ", 14).is_empty());
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_spelt_out_and_pieces_keep_every_word(text in "[ -~]{0,200}|\\PC{0,60}|[0-9:.,$%+-]{0,40}") {
            let _ = words(&text);
            let joined = pieces(&text, 14).join(" ");
            let plain: Vec<&str> = text.split_whitespace().collect();
            proptest::prop_assert_eq!(joined, plain.join(" "));
        }
    }
}
