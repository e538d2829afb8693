//! Radio over HTTP: the head of an answer, titles between the sound (ICY), and lists that name a station's address.

/// Largest head of an answer, in bytes.
pub const HEAD_BYTES_MAX: usize = 16 * 1_024;
/// Largest list, in bytes.
pub const LIST_BYTES_MAX: usize = 64 * 1_024;
/// Most addresses of a list.
const ADDRESSES_MAX: usize = 32;

/// The head of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Head {
    /// 200 is fine.
    pub status: u16,
    /// Where it is instead.
    pub location: Option<String>,
    /// What comes: `audio/mpeg`.
    pub content_type: String,
    /// Bytes of sound between two titles; none: no titles.
    pub title_every: Option<usize>,
    /// The station's own name.
    pub name: Option<String>,
    /// It comes in chunks (RFC 9112 §7.1), which nobody asked for.
    pub chunked: bool,
}

/// It is no HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it does not answer like a web server")]
pub struct NotHttp;

/// Reads a head from the beginning of what came: it and its length, none when more must come first.
///
/// # Errors
/// [`NotHttp`], also when it is longer than [`HEAD_BYTES_MAX`].
pub fn head(bytes: &[u8]) -> Result<Option<(Head, usize)>, NotHttp> {
    let look = &bytes[..bytes.len().min(HEAD_BYTES_MAX)];
    let Some(end) = look.windows(4).position(|four| four == b"\r\n\r\n") else {
        let begins = [&b"HTTP/1."[..], b"ICY "]
            .iter()
            .any(|magic| look.starts_with(magic) || magic.starts_with(look));
        return if begins && bytes.len() < HEAD_BYTES_MAX {
            Ok(None)
        } else {
            Err(NotHttp)
        };
    };
    let text = String::from_utf8_lossy(&look[..end]);
    let mut lines = text.split("\r\n");
    let first = lines.next().ok_or(NotHttp)?;
    let mut words = first.split_ascii_whitespace();
    let protocol = words.next().ok_or(NotHttp)?;
    if protocol != "ICY" && !protocol.starts_with("HTTP/1.") {
        return Err(NotHttp);
    }
    let mut head = Head {
        status: words
            .next()
            .and_then(|text| text.parse().ok())
            .ok_or(NotHttp)?,
        ..Head::default()
    };
    for line in lines {
        let Some((name, value)) = line.split_once(':') else {
            continue;
        };
        let value = value.trim();
        match name.trim().to_ascii_lowercase().as_str() {
            "location" => head.location = Some(value.to_owned()),
            "content-type" => {
                let kind = value.split(';').next().unwrap_or_default();
                head.content_type = kind.trim().to_ascii_lowercase();
            }
            "icy-metaint" => head.title_every = value.parse().ok().filter(|count| *count > 0),
            "icy-name" if !value.is_empty() => head.name = Some(value.chars().take(200).collect()),
            "transfer-encoding" => head.chunked = value.to_ascii_lowercase().contains("chunked"),
            _ => {}
        }
    }
    Ok(Some((head, end + 4)))
}

/// Sound and titles apart.
#[derive(Debug, Clone)]
pub struct Titles {
    every: Option<usize>,
    /// Sound until the next title.
    left: usize,
    /// A title that comes: its bytes so far, and how many it has.
    title: Option<(Vec<u8>, usize)>,
}

impl Titles {
    /// With a title behind each so many bytes of sound.
    #[must_use]
    pub fn new(every: Option<usize>) -> Self {
        Self {
            every,
            left: every.unwrap_or(0),
            title: None,
        }
    }

    /// Splits what came: sound is appended, the last new title is given back.
    pub fn split(&mut self, mut bytes: &[u8], sound: &mut Vec<u8>) -> Option<String> {
        let Some(every) = self.every else {
            sound.extend_from_slice(bytes);
            return None;
        };
        let mut found = None;
        while let Some((first, rest)) = bytes.split_first() {
            if let Some((title, length)) = &mut self.title {
                let take = (*length - title.len()).min(bytes.len());
                title.extend_from_slice(&bytes[..take]);
                bytes = &bytes[take..];
                if title.len() == *length {
                    found = stream_title(title).or(found);
                    self.title = None;
                    self.left = every;
                }
            } else if self.left == 0 {
                // How many times sixteen bytes the title has.
                bytes = rest;
                match usize::from(*first) * 16 {
                    0 => self.left = every,
                    length => self.title = Some((Vec::with_capacity(length), length)),
                }
            } else {
                let take = self.left.min(bytes.len());
                sound.extend_from_slice(&bytes[..take]);
                self.left -= take;
                bytes = &bytes[take..];
            }
        }
        found
    }
}

/// `StreamTitle='Artist - Title';`
fn stream_title(bytes: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(bytes);
    let begin = text.find("StreamTitle='")? + "StreamTitle='".len();
    let end = text[begin..]
        .find("';")
        .map_or(text.len(), |end| begin + end);
    let plain: String = text[begin..end]
        .chars()
        .filter(|c| !c.is_control())
        .collect();
    Some(plain.trim_end_matches(['\'', ';']).trim().to_owned())
}

/// The title and who plays it, of "Artist - Title".
#[must_use]
pub fn title_and_artist(text: &str) -> (String, String) {
    match text.split_once(" - ") {
        Some((artist, title)) if !title.trim().is_empty() => {
            (title.trim().to_owned(), artist.trim().to_owned())
        }
        _ => (text.to_owned(), String::new()),
    }
}

/// Whether what comes under this kind, or from this address, is a list.
#[must_use]
pub fn is_list(content_type: &str, url: &str) -> bool {
    let path = url
        .split(['?', '#'])
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase();
    matches!(
        content_type,
        "audio/x-mpegurl"
            | "audio/mpegurl"
            | "application/x-mpegurl"
            | "audio/x-scpls"
            | "application/pls+xml"
    ) || ((path.ends_with(".m3u") || path.ends_with(".pls") || path.ends_with(".m3u8"))
        && !matches!(content_type, "audio/mpeg" | "audio/mp3"))
}

/// The addresses that a list (M3U or PLS) names, in order.
#[must_use]
pub fn addresses(list: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(&list[..list.len().min(LIST_BYTES_MAX)]);
    text.lines()
        .map(|line| line.trim().trim_start_matches('\u{feff}'))
        .filter_map(|line| {
            let address = match line.split_once('=') {
                Some((key, value)) if key.to_ascii_lowercase().starts_with("file") => value.trim(),
                _ => line,
            };
            (address.starts_with("http://") || address.starts_with("https://"))
                .then(|| address.to_owned())
        })
        .take(ADDRESSES_MAX)
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_head_of_old_and_new_stations_is_read() {
        let text = b"ICY 200 OK\r\nicy-name:Radio Seagull\r\nicy-metaint:4\r\nContent-Type: audio/mpeg\r\n\r\nrest";
        let (head, length) = head(text).unwrap().unwrap();
        assert_eq!(
            (head.status, head.title_every, length),
            (200, Some(4), text.len() - 4)
        );
        assert_eq!(head.name.as_deref(), Some("Radio Seagull"));
        assert_eq!(super::head(b"HTT"), Ok(None));
        assert_eq!(super::head(b"SSH-2.0"), Err(NotHttp));
        assert_eq!(super::head(&[b'H'; HEAD_BYTES_MAX]), Err(NotHttp));
    }

    #[test]
    fn titles_are_taken_out_of_the_sound_however_it_is_cut() {
        let mut stream = b"abcd".to_vec();
        let mut title = b"StreamTitle='The Kettles - It's Lamplight';".to_vec();
        title.resize(48, 0);
        stream.push(3);
        stream.extend(title);
        stream.extend(b"efgh\0ij");
        for size in 1..20 {
            let mut titles = Titles::new(Some(4));
            let mut sound = Vec::new();
            let found: Vec<String> = stream
                .chunks(size)
                .filter_map(|part| titles.split(part, &mut sound))
                .collect();
            assert_eq!(
                (sound.as_slice(), found.len()),
                (&b"abcdefghij"[..], 1),
                "{size}"
            );
            assert_eq!(
                title_and_artist(&found[0]),
                ("It's Lamplight".into(), "The Kettles".into())
            );
        }
    }

    #[test]
    fn lists_name_addresses() {
        let pls = b"[playlist]\nFile1=http://127.0.0.1/a\nTitle1=x\nFile2=https://127.0.0.1/b\n";
        assert_eq!(
            addresses(pls),
            ["http://127.0.0.1/a", "https://127.0.0.1/b"]
        );
        assert_eq!(
            addresses(b"#EXTM3U\nhttp://127.0.0.1/c\nfile:///etc/passwd\n"),
            ["http://127.0.0.1/c"]
        );
        assert!(is_list("audio/x-scpls", "http://127.0.0.1/x") && is_list("", "http://h/a.M3U?x"));
        assert!(!is_list("audio/mpeg", "http://h/a.mp3"));
    }

    proptest! {
        #[test]
        fn any_stream_is_borne(bytes: Vec<u8>, every in 1..64usize) {
            let _ = head(&bytes);
            let mut sound = Vec::new();
            let _ = Titles::new(Some(every)).split(&bytes, &mut sound);
            prop_assert!(sound.len() <= bytes.len());
            prop_assert!(addresses(&bytes).len() <= ADDRESSES_MAX);
        }
    }
}
