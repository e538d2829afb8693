//! Mends words that the recogniser misspelt, for questions only: a mended sentence never calls by itself.

/// Words of an order that are long enough to be known by most of their letters.
const MENDABLE: [&str; 17] = [
    "police",
    "sheriff",
    "ambulance",
    "emergency",
    "paramedic",
    "paramedics",
    "firefighters",
    "fireman",
    "firemen",
    "department",
    "brigade",
    "services",
    "coastguard",
    "mountain",
    "rescue",
    "poison",
    "triple",
];

/// Longest word that is compared, in letters: the work per word stays bounded.
const LETTERS_MAX: usize = 16;

/// The word of an order that `word` is nearly spelt like: one letter off, two in words of eight letters and more.
pub(crate) fn mend(word: &str) -> Option<&'static str> {
    let letters: Vec<char> = word.chars().take(LETTERS_MAX + 1).collect();
    if letters.len() < 4 || letters.len() > LETTERS_MAX {
        return None;
    }
    MENDABLE
        .into_iter()
        .map(|known| {
            let limit = if known.len() >= 8 { 2 } else { 1 };
            (known, limit, distance(&letters, known))
        })
        .filter(|(_, limit, distance)| distance <= limit)
        .min_by_key(|(_, _, distance)| *distance)
        .map(|(known, _, _)| known)
}

/// Levenshtein's distance.
fn distance(left: &[char], right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, a) in left.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in right.iter().enumerate() {
            let replaced = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mends_near_spellings_only() {
        for (word, known) in [
            ("ambulence", "ambulance"),
            ("sherif", "sheriff"),
            ("polise", "police"),
            ("emergancy", "emergency"),
        ] {
            assert_eq!(mend(word), Some(known));
        }
        for word in [
            "alice",
            "emma",
            "polina",
            "sharif",
            "",
            "p",
            "policeconferencecenter",
        ] {
            assert_eq!(mend(word), None, "{word}");
        }
    }
}
