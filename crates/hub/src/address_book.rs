//! From cards to contacts and back: what an imported card becomes, what of it is refused, and what an export says.
//!
//! ```text
//! file ─► vcard::read ─► Card ─► name and numbers checked ─► ImportedCard ─► Store
//!                          └── kept whole as text, so that an export gives back what was never understood
//! ```
//! Emergency numbers and services come in by no file either: such a card is refused, and the others are not.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::contact::{Contact, ContactFields, ContactName, ContactNumber, NUMBERS_MAX, Screening};
use crate::device::Fingerprint;
use crate::gateway::DialPlan;
use crate::number::{Number, NumberError, check_contact_name};
use crate::vcard::{self, Card, NumberKind, VcardError, Version};

/// Largest card that is kept, in bytes: a small photograph fits.
pub const CARD_BYTES_MAX: usize = 256 * 1024;
/// All kept cards of a household, in bytes.
pub const CARDS_BYTES_MAX: u32 = 64 * 1024 * 1024;
/// Largest file that is imported at once, in bytes.
pub const IMPORT_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Longest `UID` that is kept as it stands; of a longer one its hash.
const UID_BYTES_MAX: usize = 255;
/// Refusals that are told one by one.
pub const REFUSED_SHOWN_MAX: usize = 100;

/// A card as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedCard {
    /// What makes a repeated import an update: its `UID`, or a hash of the whole card where it has none.
    pub key: String,
    /// Name and numbers; what the home decides about a contact is not in a card.
    pub fields: ContactFields,
    /// The card as vCard 4.0.
    pub card: String,
    /// Numbers that are neither international nor whole as they are dialled here: they stay in the card and cannot be
    /// called by name.
    pub numbers_left_out: u32,
}

/// A card that was not imported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RefusedCard {
    /// Line of the file, from 1: where the card begins, or where its fault is.
    pub line: u32,
    /// Why, and what would be right.
    pub detail: String,
}

/// What a file holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Import {
    /// What can be stored.
    pub cards: Vec<ImportedCard>,
    /// What cannot, in the order of the file.
    pub refused: Vec<RefusedCard>,
}

/// How an import went.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub struct Imported {
    /// Contacts that are new.
    pub added: u32,
    /// Contacts whose card has changed since it was imported before.
    pub changed: u32,
    /// Cards that were imported before and are the same.
    pub unchanged: u32,
    /// Numbers without a country code: kept in the card, not callable by name.
    pub numbers_left_out: u32,
    /// Cards that were refused, in all.
    pub refused_count: u32,
    /// The first hundred of them.
    pub refused: Vec<RefusedCard>,
}

/// Why one card is not stored.
#[derive(Debug, thiserror::Error)]
enum CardRefusal {
    #[error("the name: {0}")]
    Name(#[from] crate::contact::ContactNameError),
    #[error("nickname {at}: {why}")]
    Nickname {
        at: usize,
        why: crate::number::EmergencyRefused,
    },
    #[error("number {at}: {why}")]
    Number {
        at: usize,
        why: crate::number::EmergencyRefused,
    },
    #[error("a contact has at most {NUMBERS_MAX} numbers")]
    TooManyNumbers,
    #[error("the card has more than {CARD_BYTES_MAX} bytes; export it without its photograph")]
    TooLarge,
}

/// Reads a file. A card that is refused does not stop the others.
///
/// # Errors
/// When the file as a whole cannot be read.
pub fn read(bytes: &[u8]) -> Result<Import, VcardError> {
    let book = vcard::read(bytes)?;
    let mut import = Import::default();
    for fault in book.faults {
        import.refused.push(RefusedCard {
            line: shown(fault.line),
            detail: fault.what.to_string(),
        });
    }
    for (card, line) in book.cards.iter().zip(book.begins) {
        match imported(card) {
            Ok(card) => import.cards.push(card),
            Err(refusal) => import.refused.push(RefusedCard {
                line: shown(line),
                detail: refusal.to_string(),
            }),
        }
    }
    import.refused.sort_by_key(|refused| refused.line);
    Ok(import)
}

/// The same card with the numbers whole that are written as they are dialled in this home: "030 5550123".
pub(crate) fn completed(own: ImportedCard, plan: &DialPlan) -> ImportedCard {
    if own.numbers_left_out == 0 {
        return own;
    }
    let book = vcard::read(own.card.as_bytes()).ok();
    let Some(mut card) = book.and_then(|book| book.cards.into_iter().next()) else {
        return own;
    };
    for number in &mut card.numbers {
        if Number::new(&number.number) == Err(NumberError::NotE164)
            && let Some(whole) = plan.written(&number.number)
        {
            whole.as_str().clone_into(&mut number.number);
        }
    }
    match imported(&card) {
        // Known by what it was before: imported again it is the same.
        Ok(whole) => ImportedCard {
            key: own.key,
            ..whole
        },
        Err(_) => own,
    }
}

/// Writes contacts: each as the card that it came as, with the name and numbers that it has now.
#[must_use]
pub fn write(contacts: &[(Contact, Option<String>)], version: Version) -> String {
    let cards: Vec<Card> = contacts
        .iter()
        .map(|(contact, kept)| exported(contact, kept.as_deref()))
        .collect();
    vcard::write(&cards, version)
}

/// By which a contact is known to be as it was: SHA-256 of the card that the home writes for it.
#[must_use]
pub fn agreed(contact: &Contact, kept: Option<&str>) -> Fingerprint {
    let all = [(contact.clone(), kept.map(str::to_owned))];
    Fingerprint::of(write(&all, Version::V4).as_bytes())
}

/// A contact as a card of its own, beside the one that it stood for: of two changes at once this one lost.
pub(crate) fn set_aside(contact: &Contact, kept: Option<&str>) -> Option<ImportedCard> {
    let mut card = exported(contact, kept);
    card.uid = None;
    let mut aside = imported(&card).ok()?;
    aside.fields = ContactFields {
        speed_dial: None,
        ..contact.fields.clone()
    };
    let name = format!("{} (here)", contact.fields.name.as_str());
    if let Ok(name) = ContactName::new(&name) {
        aside.fields.name = name;
    }
    Some(aside)
}

/// What one card becomes.
fn imported(card: &Card) -> Result<ImportedCard, CardRefusal> {
    let name = ContactName::new(&card.name)?;
    for (at, nickname) in (1..).zip(&card.nicknames) {
        check_contact_name(nickname).map_err(|why| CardRefusal::Nickname { at, why })?;
    }
    let mut numbers: Vec<ContactNumber> = Vec::new();
    let mut numbers_left_out = 0;
    for (at, written) in (1..).zip(&card.numbers) {
        let number = match Number::new(&written.number) {
            Ok(number) => number,
            Err(NumberError::Refused(why)) => return Err(CardRefusal::Number { at, why }),
            Err(NumberError::NotE164) => {
                numbers_left_out += 1;
                continue;
            }
        };
        if numbers.iter().all(|known| known.number != number) {
            let label = ContactName::new(label(written.kind))?;
            numbers.push(ContactNumber { label, number });
        }
    }
    if numbers.len() > NUMBERS_MAX {
        return Err(CardRefusal::TooManyNumbers);
    }
    let text = vcard::write(std::slice::from_ref(card), Version::V4);
    if text.len() > CARD_BYTES_MAX {
        return Err(CardRefusal::TooLarge);
    }
    let key = match &card.uid {
        Some(uid) if uid.len() <= UID_BYTES_MAX => format!("uid:{uid}"),
        Some(uid) => format!("uid-sha256:{}", Fingerprint::of(uid.as_bytes())),
        None => format!("sha256:{}", Fingerprint::of(text.as_bytes())),
    };
    Ok(ImportedCard {
        key,
        fields: ContactFields {
            name,
            numbers,
            screening: Screening::default(),
            drop_in: false,
            children_may_call: false,
            speed_dial: None,
        },
        card: text,
        numbers_left_out,
    })
}

fn exported(contact: &Contact, kept: Option<&str>) -> Card {
    let mut card = kept
        .and_then(|text| vcard::read(text.as_bytes()).ok())
        .and_then(|book| book.cards.into_iter().next())
        .unwrap_or_default();
    let fields = &contact.fields;
    if card.uid.is_none() {
        card.uid = Some(format!("urn:hearthline:contact:{}", contact.id));
    }
    if card.name != fields.name.as_str() {
        fields.name.as_str().clone_into(&mut card.name);
        // They would say the old name beside the new one.
        card.given = None;
        card.family = None;
        card.others.retain(|line| !vcard::is_name(line));
    }
    let written = std::mem::take(&mut card.numbers);
    card.numbers = fields
        .numbers
        .iter()
        .map(|own| {
            let same = written
                .iter()
                .find(|old| Number::new(&old.number).is_ok_and(|number| number == own.number));
            let mut number = same.cloned().unwrap_or(vcard::Number {
                kind: NumberKind::Other,
                number: own.number.as_str().to_owned(),
                preferred: false,
            });
            number.kind = kind(own.label.as_str()).unwrap_or(number.kind);
            number
        })
        .collect();
    let foreign = |old: &vcard::Number| Number::new(&old.number) == Err(NumberError::NotE164);
    card.numbers.extend(written.into_iter().filter(foreign));
    card
}

fn label(kind: NumberKind) -> &'static str {
    match kind {
        NumberKind::Mobile => "mobile",
        NumberKind::Home => "home",
        NumberKind::Work => "work",
        NumberKind::Other => "other",
    }
}

fn kind(label: &str) -> Option<NumberKind> {
    Some(match label.to_lowercase().as_str() {
        "mobile" | "cell" => NumberKind::Mobile,
        "home" => NumberKind::Home,
        "work" => NumberKind::Work,
        "other" => NumberKind::Other,
        _ => return None,
    })
}

fn shown(line: usize) -> u32 {
    u32::try_from(line).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::ContactId;

    fn card(inside: &str) -> String {
        format!("BEGIN:VCARD\r\nVERSION:4.0\r\n{inside}END:VCARD\r\n")
    }

    #[test]
    fn no_emergency_number_or_service_comes_in_by_a_file() {
        use hearthline_emergency::numbers::Country;
        let mut refused = 0;
        for country in Country::ALL {
            for string in country.dial_strings() {
                for number in [
                    format!("TEL:{}", string.digits),
                    format!("TEL;VALUE=uri:tel:{}", string.digits),
                    format!("TEL;TYPE=cell:+49 {}", string.digits),
                    format!("item1.TEL;PREF=1:0{}", string.digits),
                ] {
                    let text = card(&format!("FN:Anna\r\n{number}\r\n"));
                    let import = read(text.as_bytes()).unwrap();
                    assert!(import.cards.is_empty(), "{number}");
                    assert!(import.refused[0].detail.starts_with("number 1: emergency"));
                    refused += 1;
                }
            }
        }
        assert!(refused > 200);
        for inside in [
            "FN:Police\r\n",
            "FN:nine one one\r\n",
            "FN:Anna\r\nNICKNAME:Nana,Fire Department\r\n",
            "N:Services;Emergency;;;\r\n",
        ] {
            let import = read(card(inside).as_bytes()).unwrap();
            assert!(
                import.cards.is_empty() && import.refused.len() == 1,
                "{inside}"
            );
        }
    }

    #[test]
    fn a_refused_card_says_where_and_why_and_stops_no_other() {
        let good = card("FN:Anna\r\nTEL:+1 202 555 0123\r\n");
        let text = format!(
            "{good}{}{}{good}",
            card("FN:Bert\r\nTEL:112\r\n"),
            card("TEL:+1 202 555 0124\r\n")
        );
        let import = read(text.as_bytes()).unwrap();
        assert_eq!(import.cards.len(), 2);
        assert_eq!(import.cards[0].key, import.cards[1].key, "the same card");
        let told: Vec<_> = import.refused.iter().map(|refused| refused.line).collect();
        assert_eq!(told, [6, 11]);
        assert!(import.refused[1].detail.contains("FN is missing"));
    }

    #[test]
    fn what_is_not_understood_comes_back_and_what_was_changed_counts() {
        let text = card(
            "UID:urn:uuid:1\r\nFN:Anna\r\nN:Example;Anna;;;\r\nTEL;TYPE=cell;PREF=1:+1 202 555 0123\r\n\
             TEL;TYPE=home:(202) 555-0124\r\nPHOTO:data:image/jpeg;base64\\,AAAA\r\nX-PET:Rex\r\n",
        );
        let import = read(text.as_bytes()).unwrap();
        let [card] = import.cards.as_slice() else {
            panic!("one card");
        };
        assert_eq!(
            (card.key.as_str(), card.numbers_left_out),
            ("uid:urn:uuid:1", 1)
        );
        let mut contact = Contact {
            id: ContactId::random().unwrap(),
            fields: card.fields.clone(),
        };
        let kept = Some(card.card.clone());
        let out = write(&[(contact.clone(), kept.clone())], Version::V4);
        assert_eq!(read(out.as_bytes()).unwrap().cards[0].card, card.card);
        for kept in ["X-PET:Rex", "PHOTO:data", "(202) 555-0124", "PREF=1"] {
            assert!(out.contains(kept), "{kept} in {out}");
        }
        contact.fields.name = ContactName::new("Annie").unwrap();
        contact.fields.numbers[0].number = Number::new("+12025550199").unwrap();
        let out = write(&[(contact.clone(), kept)], Version::V3);
        assert!(
            out.contains("FN:Annie") && !out.contains("Example"),
            "{out}"
        );
        assert!(
            out.contains("+12025550199") && !out.contains("0123"),
            "{out}"
        );
        assert!(out.contains("VERSION:3.0") && out.contains("(202) 555-0124"));
        let alone = write(&[(contact, None)], Version::V4);
        assert!(alone.contains("UID:urn:hearthline:contact:"), "{alone}");
    }
}
