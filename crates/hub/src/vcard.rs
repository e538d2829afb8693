//! Address books as files: vCard 3.0 (RFC 2426) and 4.0 (RFC 6350), read strictly and written back whole.
//!
//! ```text
//! bytes ─► unfold ─► content line ─► group of BEGIN..END ─► Card ─► write ─► bytes
//! ```
//! What we do not understand in a card (photos, birthdays, extensions) stays in [`Card::others`] as the line it came
//! as, so that an import and an export, or a sync with an address book server, loses nothing of somebody's contacts.
mod line;
mod write;

use line::{ContentLine, unfold};
pub(crate) use write::is_name;

/// Largest file, in bytes.
pub const FILE_BYTES_MAX: usize = 32 * 1_024 * 1_024;
/// Most cards in a file.
pub const CARDS_MAX: usize = 20_000;
/// Longest unfolded line, in bytes: a photograph fits.
pub const LINE_BYTES_MAX: usize = 2 * 1_024 * 1_024;
/// Most lines of one card.
pub const CARD_LINES_MAX: usize = 500;

/// Which standard a card is written by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Version {
    /// RFC 2426.
    V3,
    /// RFC 6350.
    V4,
}

impl Version {
    fn text(self) -> &'static str {
        match self {
            Self::V3 => "3.0",
            Self::V4 => "4.0",
        }
    }
}

/// What kind of number it is, as people say it: "Anna's mobile".
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NumberKind {
    /// `TYPE=CELL`.
    Mobile,
    /// `TYPE=HOME`.
    Home,
    /// `TYPE=WORK`.
    Work,
    /// Anything else.
    Other,
}

/// A telephone number of a card.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Number {
    /// What kind.
    pub kind: NumberKind,
    /// As it stands in the card, without `tel:`; not yet normalised.
    pub number: String,
    /// Marked as the one to use (`PREF=1`, `TYPE=PREF`).
    pub preferred: bool,
}

/// A person or organisation.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Card {
    /// `UID`, which makes an import that is repeated an update.
    pub uid: Option<String>,
    /// `FN`, the name that is shown and spoken; taken from `N` where it is missing.
    pub name: String,
    /// Given and family name of `N`, where they stand.
    pub given: Option<String>,
    /// The same.
    pub family: Option<String>,
    /// `NICKNAME`: other names that are spoken.
    pub nicknames: Vec<String>,
    /// `TEL`.
    pub numbers: Vec<Number>,
    /// Every other line, unfolded, in its order.
    pub others: Vec<String>,
}

/// Why a file, or one card of it, is not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct VcardError {
    /// Line of the file, from 1.
    pub line: usize,
    /// What is wrong there and what would be right. Never the text of the line: it is somebody's data.
    pub what: VcardFault,
}

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VcardFault {
    /// Over [`FILE_BYTES_MAX`].
    #[error("the file is larger than {FILE_BYTES_MAX} bytes; export fewer contacts at a time")]
    FileTooLarge,
    /// Over [`CARDS_MAX`].
    #[error("more than {CARDS_MAX} cards; export fewer contacts at a time")]
    TooManyCards,
    /// Over [`LINE_BYTES_MAX`].
    #[error("a line of more than {LINE_BYTES_MAX} bytes")]
    LineTooLong,
    /// Over [`CARD_LINES_MAX`].
    #[error("a card of more than {CARD_LINES_MAX} lines")]
    TooManyLines,
    /// Not UTF-8.
    #[error("not UTF-8; export the address book as vCard 3.0 or 4.0")]
    NotUtf8,
    /// Not `NAME:value`.
    #[error("not a line of the shape NAME;PARAMETER=value:value")]
    NotALine,
    /// Something before `BEGIN:VCARD` or behind `END:VCARD`.
    #[error("outside of a card; a card begins with BEGIN:VCARD")]
    OutsideACard,
    /// `BEGIN:VCARD` in a card.
    #[error("a card begins inside another one; END:VCARD is missing")]
    NestedCard,
    /// The file ends within a card.
    #[error("the file ends inside a card; it was cut off")]
    Unfinished,
    /// No `VERSION`, or two of them.
    #[error("the card must have one VERSION")]
    NoVersion,
    /// 2.1 or unknown.
    #[error("this version is not read; export as vCard 3.0 or 4.0")]
    OtherVersion,
    /// Neither `FN` nor `N`.
    #[error("the card has no name: FN is missing")]
    NoName,
    /// A control character in a value that is shown or spoken.
    #[error("a control character in a name or number")]
    ControlCharacter,
}

/// What was read of a file: the cards, and what was wrong with those that could not be.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Book {
    /// The readable cards, in order.
    pub cards: Vec<Card>,
    /// The line of the file at which each of them begins.
    pub begins: Vec<usize>,
    /// One fault for each card that is not among them.
    pub faults: Vec<VcardError>,
}

/// Reads an address book. A faulty card does not stop the others.
///
/// # Errors
/// When the file as a whole cannot be read: too large, not UTF-8, cut off, or with text outside of cards.
pub fn read(bytes: &[u8]) -> Result<Book, VcardError> {
    if bytes.len() > FILE_BYTES_MAX {
        return Err(fault(1, VcardFault::FileTooLarge));
    }
    let text = core::str::from_utf8(bytes).map_err(|error| {
        let before = &bytes[..error.valid_up_to()];
        fault(1 + count_lines(before), VcardFault::NotUtf8)
    })?;
    let mut book = Book::default();
    let mut open: Option<Draft> = None;
    let mut last_line = 1;
    for (number, raw) in unfold(text.strip_prefix('\u{feff}').unwrap_or(text)) {
        last_line = number;
        if raw.trim().is_empty() {
            continue;
        }
        if raw.len() > LINE_BYTES_MAX {
            return Err(fault(number, VcardFault::LineTooLong));
        }
        let boundary = |word: &str| raw.trim_end().eq_ignore_ascii_case(word);
        match (&mut open, boundary("BEGIN:VCARD"), boundary("END:VCARD")) {
            (None, true, _) => open = Some(Draft::new(number)),
            (None, false, _) => return Err(fault(number, VcardFault::OutsideACard)),
            (Some(_), true, _) => return Err(fault(number, VcardFault::NestedCard)),
            (Some(draft), _, false) => draft.take(number, &raw),
            (Some(_), _, true) => {
                if book.cards.len() + book.faults.len() >= CARDS_MAX {
                    return Err(fault(number, VcardFault::TooManyCards));
                }
                if let Some(draft) = open.take() {
                    let begun_at = draft.begun_at;
                    match draft.finish() {
                        Ok(card) => {
                            book.cards.push(card);
                            book.begins.push(begun_at);
                        }
                        Err(error) => book.faults.push(error),
                    }
                }
            }
        }
    }
    if open.is_some() {
        return Err(fault(last_line, VcardFault::Unfinished));
    }
    Ok(book)
}

/// Writes an address book: CRLF, lines folded at 75 octets, UTF-8.
#[must_use]
pub fn write(cards: &[Card], version: Version) -> String {
    let mut out = String::new();
    for card in cards {
        write::card(&mut out, card, version);
    }
    out
}

/// A card that is being read.
struct Draft {
    begun_at: usize,
    versions: usize,
    version_known: bool,
    lines: usize,
    card: Card,
    named_by_fn: bool,
    fault: Option<VcardError>,
}

impl Draft {
    fn new(begun_at: usize) -> Self {
        Self {
            begun_at,
            versions: 0,
            version_known: false,
            lines: 0,
            card: Card::default(),
            named_by_fn: false,
            fault: None,
        }
    }

    /// The first fault of a card is the one that is told; its other lines are read over.
    fn take(&mut self, number: usize, raw: &str) {
        self.lines += 1;
        if self.fault.is_some() {
            return;
        }
        let taken = if self.lines > CARD_LINES_MAX {
            Err(VcardFault::TooManyLines)
        } else {
            self.property(raw)
        };
        self.fault = taken.err().map(|what| fault(number, what));
    }

    fn property(&mut self, raw: &str) -> Result<(), VcardFault> {
        let line = ContentLine::parse(raw).ok_or(VcardFault::NotALine)?;
        let card = &mut self.card;
        match line.name.to_ascii_uppercase().as_str() {
            "VERSION" => {
                self.versions += 1;
                self.version_known = matches!(line.value.trim(), "3.0" | "4.0");
            }
            "FN" if !self.named_by_fn => {
                card.name = spoken(&line.text())?;
                self.named_by_fn = true;
            }
            "N" if card.given.is_none() && card.family.is_none() => {
                let mut parts = line.components().into_iter();
                let part = |text: Option<String>| {
                    text.map(|text| spoken(&text))
                        .transpose()
                        .map(|text| text.filter(|text| !text.is_empty()))
                };
                card.family = part(parts.next())?;
                card.given = part(parts.next())?;
                // Additional names, prefixes, suffixes: kept with the line.
                if parts.any(|part| !part.is_empty()) {
                    card.others.push(raw.to_owned());
                }
            }
            "NICKNAME" => {
                for nickname in line.list() {
                    let nickname = spoken(&nickname)?;
                    if !nickname.is_empty() {
                        card.nicknames.push(nickname);
                    }
                }
            }
            "TEL" => {
                let number = number(&line)?;
                if !number.number.is_empty() {
                    card.numbers.push(number);
                }
            }
            "UID" if card.uid.is_none() => card.uid = Some(spoken(&line.text())?),
            _ => card.others.push(raw.to_owned()),
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Card, VcardError> {
        if let Some(fault) = self.fault {
            return Err(fault);
        }
        if self.versions != 1 {
            return Err(fault(self.begun_at, VcardFault::NoVersion));
        }
        if !self.version_known {
            return Err(fault(self.begun_at, VcardFault::OtherVersion));
        }
        if self.card.name.is_empty() {
            let parts = [self.card.given.as_deref(), self.card.family.as_deref()];
            self.card.name = parts.into_iter().flatten().collect::<Vec<_>>().join(" ");
        }
        if self.card.name.is_empty() {
            return Err(fault(self.begun_at, VcardFault::NoName));
        }
        Ok(self.card)
    }
}

/// `TEL`: text in 3.0, text or a `tel:` URI in 4.0 (RFC 6350 §6.4.1).
fn number(line: &ContentLine<'_>) -> Result<Number, VcardFault> {
    let text = spoken(&line.text())?;
    let bare = match text.get(..4) {
        Some(scheme) if scheme.eq_ignore_ascii_case("tel:") => text[4..].to_owned(),
        _ => text,
    };
    let is = |word: &str| line.has_type(word);
    let kind = if is("cell") {
        NumberKind::Mobile
    } else if is("work") {
        NumberKind::Work
    } else if is("home") {
        NumberKind::Home
    } else {
        NumberKind::Other
    };
    let preferred = is("pref") || line.parameter("PREF").is_some_and(|value| value == "1");
    Ok(Number {
        kind,
        number: bare,
        preferred,
    })
}

/// Text that a person reads or hears: on one line, without control characters.
fn spoken(text: &str) -> Result<String, VcardFault> {
    let one_line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if one_line.chars().any(char::is_control) {
        return Err(VcardFault::ControlCharacter);
    }
    Ok(one_line)
}

fn count_lines(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte == b'\n').count()
}

fn fault(line: usize, what: VcardFault) -> VcardError {
    VcardError { line, what }
}
