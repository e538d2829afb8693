//! Names found by how they sound: "call Ana", "call Hannah's mobile" and "call Katherine" find Anna and Catherine.
//!
//! ```text
//! text ─► sounds (English spelling, rough) ─► distance to each name of the household ─► One | Several | None
//! ```
//! A recogniser spells a name as it pleases. Comparing letters would miss "Catherine" for "Katherine" and take "Joan" for
//! "John". So both are turned into a row of rough sounds and compared with costs for what recognisers mix up. Two names
//! that are as near are both given back: the speaker asks which, and never guesses between two people.

/// Longest name that is looked for, in bytes.
pub const NAME_BYTES_MAX: usize = 200;
/// Most names of one book.
pub const NAMES_MAX: usize = 20_000;
/// Mean cost of a sound up to which two names are alike.
pub const ALIKE_MAX: f32 = 0.34;
/// A second name this much further away than the best one is no rival.
const RIVAL_MARGIN: f32 = 0.1;

/// A rough sound of English.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sound {
    /// Vowels by their place: a, e, i, o, u, and O for the long one of "Joan".
    Vowel(u8),
    P,
    B,
    T,
    D,
    K,
    G,
    F,
    V,
    Th,
    S,
    Z,
    Sh,
    Ch,
    J,
    M,
    N,
    L,
    R,
    W,
    Y,
    H,
}

impl Sound {
    /// One letter for each sound; vowels share one.
    const fn letter(self) -> u8 {
        match self {
            Self::Vowel(_) | Self::Y => b'e',
            Self::P => b'p',
            Self::B => b'b',
            Self::T => b't',
            Self::D => b'd',
            Self::K => b'k',
            Self::G => b'g',
            Self::F => b'f',
            Self::V => b'v',
            Self::Th => b'0',
            Self::S => b's',
            Self::Z => b'z',
            Self::Sh => b'x',
            Self::Ch => b'c',
            Self::J => b'j',
            Self::M => b'm',
            Self::N => b'n',
            Self::L => b'l',
            Self::R => b'r',
            Self::W => b'w',
            Self::H => b'h',
        }
    }
}

/// What a name in the book stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry<T> {
    /// As it is written and spoken.
    pub name: String,
    /// Whom or what it names.
    pub of: T,
}

/// What was found.
#[derive(Debug, Clone, PartialEq)]
pub enum Found<'a, T> {
    /// Exactly one.
    One(&'a Entry<T>),
    /// Two or more that sound as near: ask which.
    Several(Vec<&'a Entry<T>>),
    /// Nobody of that name.
    None,
}

/// The book cannot hold more, or a name cannot be spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameRefused {
    /// Over [`NAMES_MAX`].
    #[error("more than {NAMES_MAX} names; remove some contacts")]
    TooMany,
    /// Over [`NAME_BYTES_MAX`].
    #[error("a name is longer than {NAME_BYTES_MAX} bytes; shorten it")]
    TooLong,
    /// No letter or digit in it.
    #[error("a name has no letter that can be spoken; add a nickname in Latin letters")]
    NotSpoken,
}

/// Names of people, rooms and devices that can be spoken.
#[derive(Debug, Clone)]
pub struct NameBook<T> {
    entries: Vec<Entry<T>>,
    /// The sounds of the whole name, one row for each entry.
    sounds: Vec<Vec<Sound>>,
}

impl<T> Default for NameBook<T> {
    fn default() -> Self {
        Self {
            entries: Vec::new(),
            sounds: Vec::new(),
        }
    }
}

impl<T: PartialEq> NameBook<T> {
    /// Adds a name. The same thing may have several: full name, given name, nickname.
    ///
    /// # Errors
    /// When the book is full or the name cannot be spoken.
    pub fn add(&mut self, name: &str, of: T) -> Result<(), NameRefused> {
        if self.entries.len() >= NAMES_MAX {
            return Err(NameRefused::TooMany);
        }
        if name.len() > NAME_BYTES_MAX {
            return Err(NameRefused::TooLong);
        }
        let sounds = sounds(name);
        if sounds.is_empty() {
            return Err(NameRefused::NotSpoken);
        }
        self.entries.push(Entry {
            name: name.to_owned(),
            of,
        });
        self.sounds.push(sounds);
        Ok(())
    }

    /// Whom a spoken name means.
    #[must_use]
    pub fn find(&self, spoken: &str) -> Found<'_, T> {
        if spoken.len() > NAME_BYTES_MAX {
            return Found::None;
        }
        let said = sounds(spoken);
        if said.is_empty() {
            return Found::None;
        }
        let mut near: Vec<(f32, &Entry<T>)> = self
            .entries
            .iter()
            .zip(&self.sounds)
            .map(|(entry, sounds)| (distance(&said, sounds), entry))
            .filter(|(cost, _)| *cost <= ALIKE_MAX)
            .collect();
        near.sort_by(|(a, _), (b, _)| a.total_cmp(b));
        let Some((best, first)) = near.first().copied() else {
            return Found::None;
        };
        let mut rivals: Vec<&Entry<T>> = Vec::new();
        for (_, entry) in near.iter().filter(|(cost, _)| *cost <= best + RIVAL_MARGIN) {
            if rivals.iter().all(|rival| rival.of != entry.of) {
                rivals.push(entry);
            }
        }
        // Written exactly so, and nobody else is: no need to ask about somebody who only sounds alike.
        let written: Vec<&&Entry<T>> = rivals
            .iter()
            .filter(|rival| rival.name.eq_ignore_ascii_case(spoken.trim()))
            .collect();
        match (rivals.len(), written.as_slice()) {
            (1, _) => Found::One(first),
            (_, [only]) => Found::One(only),
            _ => Found::Several(rivals),
        }
    }
}

/// A phrase as it sounds, to be compared many times.
#[derive(Debug, Clone)]
pub struct Sounds(Vec<Sound>);

impl Sounds {
    /// The sounds of a text.
    #[must_use]
    pub fn of(text: &str) -> Self {
        Self(sounds(text))
    }

    /// How unlike two phrases are: 0 is the same sound, 1 nothing in common.
    #[must_use]
    pub fn unlikeness(&self, other: &Self) -> f32 {
        if self.0.is_empty() || other.0.is_empty() {
            return f32::INFINITY;
        }
        distance(&self.0, &other.0)
    }

    /// How many sounds there are.
    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// What follows "call" as recognisers slip it ("col", "co", "goal", "doll"), if that is how it begins.
    pub(crate) fn behind_call(&self) -> Vec<Self> {
        let open = |sound: &Sound| matches!(sound, Sound::Vowel(b'a' | b'o' | b'O' | b'u'));
        let mut out = Vec::new();
        if let [
            Sound::K | Sound::G | Sound::T | Sound::D | Sound::P,
            vowel,
            rest @ ..,
        ] = self.0.as_slice()
            && open(vowel)
        {
            if let [Sound::L, rest @ ..] = rest {
                out.push(Self(rest.to_vec()));
                if let [Sound::D, rest @ ..] = rest {
                    out.push(Self(rest.to_vec()));
                }
            } else if self.0[0] == Sound::K {
                out.push(Self(rest.to_vec()));
            }
        }
        out
    }

    /// All vowels alike and without "h": equal for most spellings of one name.
    #[must_use]
    pub fn skeleton(&self) -> Vec<u8> {
        let mut out: Vec<u8> = self
            .0
            .iter()
            .filter(|sound| **sound != Sound::H)
            .map(|sound| sound.letter())
            .collect();
        out.dedup();
        out
    }
}

/// Mean cost of turning one row of sounds into the other, 0 to 1 and above; infinite when they are not alike.
fn distance(a: &[Sound], b: &[Sound]) -> f32 {
    // A whole sound more or less for each in the shorter name is no longer alike: do not look closer.
    let (short, long) = (a.len().min(b.len()), a.len().max(b.len()));
    if long > 2 * short + 1 {
        return f32::INFINITY;
    }
    let length = a.iter().chain(b).map(|sound| loss(*sound)).sum::<f32>() / 2.0;
    let mut row: Vec<f32> = core::iter::once(0.0)
        .chain(b.iter().scan(0.0, |sum, sound| {
            *sum += loss(*sound);
            Some(*sum)
        }))
        .collect();
    for &from in a {
        let mut diagonal = row[0];
        row[0] += loss(from);
        for (at, &to) in b.iter().enumerate() {
            let above = row[at + 1];
            row[at + 1] = (diagonal + swap(from, to))
                .min(above + loss(from))
                .min(row[at] + loss(to));
            diagonal = above;
        }
        // The cost only grows from row to row.
        if row.iter().all(|cost| *cost > ALIKE_MAX * length) {
            return f32::INFINITY;
        }
    }
    row[b.len()] / length
}

/// Cost of a sound that only one of two names has.
fn loss(sound: Sound) -> f32 {
    match sound {
        Sound::H => 0.35,
        Sound::Vowel(_) | Sound::Y | Sound::W => 0.6,
        _ => 1.0,
    }
}

/// Cost of hearing one sound for another.
fn swap(a: Sound, b: Sound) -> f32 {
    use Sound::{B, Ch, D, F, G, J, K, M, N, P, S, Sh, T, Th, V, Vowel, Y, Z};
    if a == b {
        return 0.0;
    }
    let close = |x: Sound, y: Sound| (a, b) == (x, y) || (a, b) == (y, x);
    match (a, b) {
        (Vowel(x), Vowel(y)) => {
            let open = |v: u8| matches!(v, b'a' | b'o' | b'O' | b'u');
            if open(x) == open(y) { 0.3 } else { 0.5 }
        }
        (Vowel(b'i'), Y) | (Y, Vowel(b'i')) => 0.2,
        _ if close(S, Z) || close(Ch, J) || close(Sh, Ch) || close(M, N) => 0.35,
        _ if close(P, B) || close(T, D) || close(K, G) || close(F, V) || close(Th, F) => 0.45,
        _ if close(Th, T) || close(S, Sh) || close(Th, S) || close(Sh, J) || close(Z, J) => 0.5,
        (Vowel(_), _) | (_, Vowel(_)) => 1.4,
        _ => 1.0,
    }
}

/// The rough sounds of a text by English spelling; what cannot be spoken is left out.
fn sounds(text: &str) -> Vec<Sound> {
    let mut out = Vec::new();
    for word in text.split(|c: char| c.is_whitespace() || matches!(c, '-' | '.' | ',' | '_')) {
        let word = word
            .strip_suffix("'s")
            .or(word.strip_suffix("\u{2019}s"))
            .unwrap_or(word);
        let letters: Vec<u8> = word.chars().filter_map(plain).flatten().collect();
        word_sounds(&letters, &mut out);
    }
    // "Anna" and "Ana", "Matthew" and "Mathew": a sound said twice in a row is one.
    out.dedup();
    out
}

/// A letter without its accent, in lower case; digits are spelt.
fn plain(c: char) -> Option<Vec<u8>> {
    let lower = c.to_lowercase().next()?;
    let plain: &[u8] = match lower {
        'a'..='z' => return Some(vec![u8::try_from(lower).ok()?]),
        'à' | 'á' | 'â' | 'ã' | 'å' | 'ā' | 'ă' | 'ą' => b"a",
        'ä' | 'æ' | 'è' | 'é' | 'ê' | 'ë' | 'ē' | 'ę' | 'ě' => b"e",
        'ì' | 'í' | 'î' | 'ï' | 'ī' | 'ı' => b"i",
        'ò' | 'ó' | 'ô' | 'õ' | 'ö' | 'ø' | 'ő' | 'ō' => b"o",
        'ù' | 'ú' | 'û' | 'ü' | 'ū' | 'ů' | 'ű' => b"u",
        'ý' | 'ÿ' => b"y",
        'ç' | 'š' | 'ş' | 'ś' => b"s",
        'č' | 'ć' => b"ch",
        'ž' | 'ź' | 'ż' => b"z",
        'ñ' | 'ń' | 'ň' => b"n",
        'ł' => b"w",
        'ř' => b"r",
        'ß' => b"ss",
        'ð' | 'þ' => b"th",
        '0' => b"zero",
        '1' => b"wun",
        '2' => b"tu",
        '3' => b"three",
        '4' => b"for",
        '5' => b"five",
        '6' => b"six",
        '7' => b"seven",
        '8' => b"ate",
        '9' => b"nine",
        _ => return None,
    };
    Some(plain.to_vec())
}

/// Sounds of one word of `a-z`.
fn word_sounds(w: &[u8], out: &mut Vec<Sound>) {
    use Sound::{B, Ch, D, F, G, H, J, K, L, M, N, P, R, S, Sh, T, Th, V, Vowel, W, Y, Z};
    let mut at = 0;
    while at < w.len() {
        let rest = &w[at..];
        let next = rest.get(1).copied().unwrap_or(0);
        let after = rest.get(2).copied().unwrap_or(0);
        let (first, last) = (at == 0, at + 1 == w.len());
        let soft = matches!(next, b'e' | b'i' | b'y');
        let used = match rest[0] {
            // Silent at the head: Knight, Wright, Gnocchi, Psalm.
            b'k' | b'g' if first && next == b'n' => 1,
            b'w' if first && next == b'r' => 1,
            b'p' if first && matches!(next, b's' | b't') => 1,
            b'p' if next == b'h' => {
                out.push(F);
                2
            }
            b's' if rest.starts_with(b"sch") => {
                out.push(Sh);
                3
            }
            b's' if next == b'h' => {
                out.push(Sh);
                2
            }
            b's' if next == b'c' && matches!(after, b'e' | b'i') => {
                out.push(S);
                2
            }
            b's' if rest.starts_with(b"sio") => {
                out.push(Sh);
                2
            }
            b't' if next == b'h' => {
                out.push(Th);
                2
            }
            b't' if rest.starts_with(b"tch") => {
                out.push(Ch);
                3
            }
            b't' if rest.starts_with(b"tio") => {
                out.push(Sh);
                2
            }
            // Christine, Chloe; Michael, however it is misspelt.
            b'c' if next == b'h'
                && (matches!(after, b'r' | b'l')
                    || rest.starts_with(b"chae")
                    || rest.starts_with(b"cheal")) =>
            {
                out.push(K);
                2
            }
            b'c' if next == b'h' => {
                out.push(Ch);
                2
            }
            b'c' if next == b'k' => {
                out.push(K);
                2
            }
            b'c' => {
                out.push(if soft { S } else { K });
                1
            }
            b'g' if next == b'h' => {
                // Hugh, Vaughan, Leigh: mute behind a vowel.
                if !matches!(out.last(), Some(Vowel(_))) {
                    out.push(G);
                }
                2
            }
            b'g' if soft && next != b'i' && !first => {
                out.push(J);
                1
            }
            b'g' if first && matches!(next, b'e') && !matches!(after, b'r') => {
                out.push(J);
                1
            }
            b'd' if rest.starts_with(b"dge") => {
                out.push(J);
                2
            }
            b'x' if first => {
                out.push(Z);
                1
            }
            b'x' => {
                out.extend([K, S]);
                1
            }
            b'q' => {
                out.push(K);
                if next == b'u' {
                    out.push(W);
                    2
                } else {
                    1
                }
            }
            b'w' if next == b'h' => {
                out.push(W);
                2
            }
            b'w' if matches!(out.last(), Some(Vowel(_))) && (last || !is_vowel(next)) => 1,
            b'h' if !first && !is_vowel(next) => 1,
            // Mute at the end: Anne, Kate.
            b'e' if last && !first && out.iter().any(|s| matches!(s, Vowel(_))) && w.len() > 2 => 1,
            b'y' if (first || is_vowel(w[at - 1])) && is_vowel(next) => {
                out.push(Y);
                1
            }
            c if is_vowel(c) || c == b'y' => vowel(rest, out),
            b'b' if last && matches!(out.last(), Some(M)) => 1,
            b'l' if next == b'm' || next == b'k' => 1,
            c => {
                out.push(match c {
                    b'b' => B,
                    b'd' => D,
                    b'f' => F,
                    b'g' => G,
                    b'h' => H,
                    b'j' => J,
                    b'k' => K,
                    b'l' => L,
                    b'm' => M,
                    b'n' => N,
                    b'p' => P,
                    b'r' => R,
                    b's' => S,
                    b't' => T,
                    b'v' => V,
                    b'w' => W,
                    _ => Z,
                });
                1
            }
        };
        at += used;
    }
}

/// A vowel group is one sound: by its usual reading.
fn vowel(rest: &[u8], out: &mut Vec<Sound>) -> usize {
    const GROUPS: [(&[u8], u8); 18] = [
        (b"eau", b'o'),
        (b"ai", b'e'),
        (b"ay", b'e'),
        (b"au", b'o'),
        (b"ea", b'i'),
        (b"ee", b'i'),
        (b"ei", b'i'),
        (b"ey", b'i'),
        (b"eu", b'u'),
        (b"ew", b'u'),
        (b"ie", b'i'),
        (b"oa", b'O'),
        (b"oe", b'O'),
        (b"oo", b'u'),
        (b"ou", b'u'),
        (b"oy", b'o'),
        (b"oi", b'o'),
        (b"ue", b'u'),
    ];
    for (group, sound) in GROUPS {
        if rest.starts_with(group) {
            out.push(Sound::Vowel(sound));
            return group.len();
        }
    }
    let sound = if rest[0] == b'y' { b'i' } else { rest[0] };
    out.push(Sound::Vowel(sound));
    1
}

fn is_vowel(c: u8) -> bool {
    matches!(c, b'a' | b'e' | b'i' | b'o' | b'u')
}
