//! Commands as the server reads them. Words of ours are quoted, so that a title cannot become a command.
use std::fmt::Write as _;

use crate::order::{Piece, Repeat};

/// A text in quotes.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            // A line ends a command: no name holds one.
            '\n' | '\r' | '\0' => out.push(' '),
            _ => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Several in one: the server does all, or stops at the first that it refuses.
pub(super) fn list(commands: &[String]) -> String {
    let mut out = String::from("command_list_begin\n");
    for command in commands {
        out.push_str(command);
        out.push('\n');
    }
    out.push_str("command_list_end\n");
    out
}

pub(super) fn play(pieces: &[Piece], at: usize, position_ms: u64, shuffle: bool) -> String {
    let mut commands = vec!["clear".to_owned()];
    commands.extend(
        pieces
            .iter()
            .map(|piece| format!("add {}", quoted(&piece.key))),
    );
    commands.push(format!("random {}", u8::from(shuffle)));
    if shuffle && at == 0 {
        commands.push("play".into());
    } else {
        commands.push(format!("play {at}"));
    }
    if position_ms > 0 {
        commands.push(format!("seekcur {}", position_ms as f64 / 1_000.0));
    }
    list(&commands)
}

pub(super) fn playlist(name: &str, shuffle: bool) -> String {
    list(&[
        "clear".into(),
        format!("load {}", quoted(name)),
        format!("random {}", u8::from(shuffle)),
        "play".into(),
    ])
}

pub(super) fn repeat(mode: Repeat) -> String {
    let (repeat, single) = match mode {
        Repeat::Off => (0, 0),
        Repeat::One => (1, 1),
        Repeat::All => (1, 0),
    };
    list(&[format!("repeat {repeat}"), format!("single {single}")])
}

/// A part of everything that there is.
pub(super) fn page(from: usize, to: usize) -> String {
    let mut out = String::from("find \"(modified-since '1970-01-01T00:00:00Z')\"");
    let _ = writeln!(out, " window {from}:{to}");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_is_no_command() {
        assert_eq!(quoted("say \"x\"\nclear\\"), r#""say \"x\" clear\\""#);
    }
}
