//! Lines of a server: greeting, pairs, OK, ACK. Any bytes may come.

/// Longest line, in bytes.
pub const LINE_BYTES_MAX: usize = 64 * 1_024;

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// `OK MPD 0.23.5`: the first of a connection.
    Greeting(String),
    /// `Title: Copper Morning`
    Pair(String, String),
    /// `list_OK`
    ListOk,
    /// `OK`
    Done,
    /// `ACK [50@2] {add} No such directory`
    Refused(Refused),
}

/// What an `ACK` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The protocol's number for it: 3 password, 4 permission, 5 unknown command, 50 no such thing, 52 in the player.
    pub code: u32,
    /// Which command of a list.
    pub at: u32,
    /// The server's words.
    pub text: String,
}

/// What came is not MPD.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotMpd {
    /// Over [`LINE_BYTES_MAX`].
    #[error("it sends a line of more than {LINE_BYTES_MAX} bytes")]
    TooLong,
    /// No UTF-8.
    #[error("it sends what is no text")]
    NotText,
    /// The first line is no greeting.
    #[error("it does not greet like M P D")]
    NoGreeting,
    /// Neither pair nor end.
    #[error("it sends a line that is none of M P D's")]
    Strange,
}

/// Lines out of bytes, however they are cut.
#[derive(Debug, Default)]
pub struct Lines {
    bytes: Vec<u8>,
    /// How far no end of a line was found.
    looked: usize,
    greeted: bool,
}

impl Lines {
    /// Takes in what came.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// The next whole line.
    ///
    /// # Errors
    /// When it is none of the protocol's: the connection is worth nothing from here on.
    pub fn next_line(&mut self) -> Result<Option<Line>, NotMpd> {
        let end = self.bytes[self.looked..]
            .iter()
            .position(|byte| *byte == b'\n');
        let Some(end) = end.map(|end| end + self.looked) else {
            self.looked = self.bytes.len();
            return if self.looked > LINE_BYTES_MAX {
                Err(NotMpd::TooLong)
            } else {
                Ok(None)
            };
        };
        if end > LINE_BYTES_MAX {
            return Err(NotMpd::TooLong);
        }
        let line: Vec<u8> = self.bytes.drain(..=end).collect();
        self.looked = 0;
        let line = std::str::from_utf8(&line[..end]).map_err(|_| NotMpd::NotText)?;
        let line = line.strip_suffix('\r').unwrap_or(line);
        if !self.greeted {
            let version = line.strip_prefix("OK MPD ").ok_or(NotMpd::NoGreeting)?;
            self.greeted = true;
            return Ok(Some(Line::Greeting(version.to_owned())));
        }
        parse(line).map(Some).ok_or(NotMpd::Strange)
    }
}

fn parse(line: &str) -> Option<Line> {
    match line {
        "OK" => return Some(Line::Done),
        "list_OK" => return Some(Line::ListOk),
        _ => {}
    }
    if let Some(rest) = line.strip_prefix("ACK [") {
        let (place, rest) = rest.split_once(']')?;
        let (code, at) = place.split_once('@')?;
        let text = rest.trim_start().strip_prefix('{')?;
        let (_, text) = text.split_once('}')?;
        return Some(Line::Refused(Refused {
            code: code.parse().ok()?,
            at: at.parse().ok()?,
            text: text.trim().to_owned(),
        }));
    }
    let (key, value) = line.split_once(':')?;
    let value = value.strip_prefix(' ').unwrap_or(value);
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | ' ');
    (!key.is_empty() && key.chars().all(plain))
        .then(|| Line::Pair(key.to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(parts: &[&[u8]]) -> Result<Vec<Line>, NotMpd> {
        let mut lines = Lines::default();
        let mut out = Vec::new();
        for part in parts {
            lines.push(part);
            while let Some(line) = lines.next_line()? {
                out.push(line);
            }
        }
        Ok(out)
    }

    #[test]
    fn lines_are_read_however_they_are_cut() {
        let text = b"OK MPD 0.23.5\nfile: a: b.flac\nTitle:\nlist_OK\nACK [50@1] {add} No such directory\nOK\n";
        let whole = read(&[text]).unwrap();
        assert_eq!(whole[1], Line::Pair("file".into(), "a: b.flac".into()));
        assert_eq!(
            whole[4],
            Line::Refused(Refused {
                code: 50,
                at: 1,
                text: "No such directory".into()
            })
        );
        assert_eq!(whole.len(), 6);
        let cut: Vec<&[u8]> = text.chunks(3).collect();
        assert_eq!(read(&cut).unwrap(), whole);
    }

    #[test]
    fn what_is_not_mpd_is_refused() {
        assert_eq!(
            read(&[b"HTTP/1.1 400 Bad Request\r\n"]),
            Err(NotMpd::NoGreeting)
        );
        assert_eq!(read(&[b"OK MPD 1\nno end\n"]), Err(NotMpd::Strange));
        assert_eq!(read(&[b"OK MPD 1\nfile: \xff\n"]), Err(NotMpd::NotText));
        assert_eq!(
            read(&[&vec![b'a'; LINE_BYTES_MAX + 1]]),
            Err(NotMpd::TooLong)
        );
    }

    proptest! {
        #[test]
        fn any_bytes_are_borne(bytes: Vec<u8>) {
            let mut greeted = b"OK MPD 0.23.5\n".to_vec();
            greeted.extend(bytes);
            let _ = read(&[&greeted]);
        }
    }
}
