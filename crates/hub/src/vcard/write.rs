//! A card as text (RFC 6350 §3.2: CRLF, folded at 75 octets, never within a character).
use super::{Card, Number, NumberKind, Version};

/// Longest line without its CRLF, in octets.
const LINE_OCTETS_MAX: usize = 75;

pub(super) fn card(out: &mut String, card: &Card, version: Version) {
    let mut line = |text: &str| fold(out, text);
    line("BEGIN:VCARD");
    line(&format!("VERSION:{}", version.text()));
    if let Some(uid) = &card.uid {
        line(&format!("UID:{}", escape(uid)));
    }
    line(&format!("FN:{}", escape(&card.name)));
    let whole_name = card.others.iter().any(|other| is_name(other));
    // RFC 2426 §3.1.2 demands N; 4.0 does not.
    let has_parts = card.given.is_some() || card.family.is_some();
    if !whole_name && (has_parts || version == Version::V3) {
        let part = |part: &Option<String>| escape(part.as_deref().unwrap_or_default());
        let (family, given) = (part(&card.family), part(&card.given));
        line(&format!("N:{family};{given};;;"));
    }
    if !card.nicknames.is_empty() {
        let names: Vec<_> = card.nicknames.iter().map(|name| escape(name)).collect();
        line(&format!("NICKNAME:{}", names.join(",")));
    }
    for number in &card.numbers {
        line(&telephone(number, version));
    }
    for other in &card.others {
        line(other);
    }
    line("END:VCARD");
}

fn telephone(number: &Number, version: Version) -> String {
    let kind = match number.kind {
        NumberKind::Mobile => ";TYPE=cell",
        NumberKind::Home => ";TYPE=home",
        NumberKind::Work => ";TYPE=work",
        NumberKind::Other => "",
    };
    let preferred = match (number.preferred, version) {
        (false, _) => "",
        (true, Version::V3) => ";TYPE=pref",
        (true, Version::V4) => ";PREF=1",
    };
    format!("TEL{kind}{preferred}:{}", escape(&number.number))
}

/// Whether a kept line is the card's `N`.
pub(crate) fn is_name(line: &str) -> bool {
    let end = line.find([';', ':']).unwrap_or(line.len());
    let name = line[..end].rsplit('.').next().unwrap_or_default();
    name.eq_ignore_ascii_case("N")
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | ',' | ';' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            c => out.push(c),
        }
    }
    out
}

fn fold(out: &mut String, line: &str) {
    let mut octets = 0;
    for c in line.chars() {
        if octets + c.len_utf8() > LINE_OCTETS_MAX {
            out.push_str("\r\n ");
            octets = 1;
        }
        out.push(c);
        octets += c.len_utf8();
    }
    out.push_str("\r\n");
}
