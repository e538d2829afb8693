//! The REST interface of Subsonic servers (1.16.1, JSON): addresses that are asked, and what comes back. Sans-IO.
use std::fmt::Write as _;

use md5::{Digest, Md5};
use serde_json::Value;

use crate::order::Piece;
use crate::track::{Playlist, System, Track};

/// Songs of one answer.
pub const PAGE_SONGS: usize = 500;
/// Largest answer, in bytes.
pub const ANSWER_BYTES_MAX: usize = 16 * 1_024 * 1_024;

/// Somebody at a server.
#[derive(Clone, PartialEq, Eq)]
pub struct Account {
    /// `http://127.0.0.1:4533`
    pub url: String,
    /// The user.
    pub user: String,
    /// The password. Only its digest goes over the wire.
    pub password: String,
    /// The server cannot check digests: then the password itself does.
    pub plain: bool,
}

impl core::fmt::Debug for Account {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Account")
    }
}

/// Why a server gave nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No JSON of Subsonic's.
    #[error("it does not answer like a Subsonic server")]
    NotSubsonic,
    /// Codes 40, 44.
    #[error("it does not take our user and password")]
    NotLetIn,
    /// Codes 41, 10: it wants the password itself.
    #[error("it wants the password itself, which plain_password in my configuration allows")]
    WantsPassword,
    /// Code 70.
    #[error("it no longer has that")]
    NoSuchThing,
    /// Any other code.
    #[error("it refuses with code {0}")]
    Other(i64),
}

impl Account {
    /// The address of a method. The salt must be new each time; it and the digest of password and salt go over the wire.
    #[must_use]
    pub fn ask(&self, method: &str, parameters: &[(&str, &str)], salt: &str) -> String {
        let hex = |bytes: &[u8]| {
            bytes.iter().fold(String::new(), |mut text, byte| {
                let _ = write!(text, "{byte:02x}");
                text
            })
        };
        let mut url = format!(
            "{}/rest/{method}?f=json&v=1.16.1&c=hearthline",
            self.url.trim_end_matches('/')
        );
        let own = if self.plain {
            let password = format!("enc:{}", hex(self.password.as_bytes()));
            vec![("u", self.user.clone()), ("p", password)]
        } else {
            let digest = Md5::digest(format!("{}{salt}", self.password));
            let salt = salt.to_owned();
            vec![("u", self.user.clone()), ("t", hex(&digest)), ("s", salt)]
        };
        let own: Vec<(&str, &str)> = own
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        for (name, value) in own.iter().chain(parameters) {
            let _ = write!(url, "&{name}={}", encoded(value));
        }
        url
    }

    /// A page of all songs.
    #[must_use]
    pub fn songs(&self, from: usize, salt: &str) -> String {
        let (count, from) = (PAGE_SONGS.to_string(), from.to_string());
        let what = [
            ("query", ""),
            ("artistCount", "0"),
            ("albumCount", "0"),
            ("songCount", &count),
            ("songOffset", &from),
        ];
        self.ask("search3", &what, salt)
    }

    /// The sound of a song, as MP3.
    #[must_use]
    pub fn stream(&self, id: &str, salt: &str) -> String {
        self.ask(
            "stream",
            &[("id", id), ("format", "mp3"), ("maxBitRate", "320")],
            salt,
        )
    }
}

/// A value in a query (RFC 3986 §2.1).
fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}

/// What is inside an answer.
///
/// # Errors
/// [`Refusal`]
pub fn answer(bytes: &[u8]) -> Result<Value, Refusal> {
    let mut value: Value = serde_json::from_slice(bytes).map_err(|_| Refusal::NotSubsonic)?;
    let inside = value
        .get_mut("subsonic-response")
        .ok_or(Refusal::NotSubsonic)?
        .take();
    match inside.get("status").and_then(Value::as_str) {
        Some("ok") => Ok(inside),
        Some("failed") => {
            let code = inside.pointer("/error/code").and_then(Value::as_i64);
            Err(match code.unwrap_or(0) {
                40 | 44 => Refusal::NotLetIn,
                10 | 41 => Refusal::WantsPassword,
                70 => Refusal::NoSuchThing,
                code => Refusal::Other(code),
            })
        }
        _ => Err(Refusal::NotSubsonic),
    }
}

/// Ids are texts; some servers give numbers.
fn text(value: &Value, key: &str) -> String {
    match value.get(key) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        _ => String::new(),
    }
}

fn song(value: &Value) -> Track {
    let number = |key: &str| value.get(key).and_then(Value::as_u64).unwrap_or(0).min(999) as u32;
    let seconds = value.get("duration").and_then(Value::as_u64).unwrap_or(0);
    Track {
        key: text(value, "id"),
        title: text(value, "title"),
        artist: text(value, "artist"),
        album: text(value, "album"),
        genre: text(value, "genre"),
        place: number("discNumber") * 1_000 + number("track"),
        seconds: u32::try_from(seconds).unwrap_or(0),
    }
}

fn list<'a>(value: &'a Value, path: &str) -> &'a [Value] {
    value
        .pointer(path)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

/// The songs of a page.
#[must_use]
pub fn songs(inside: &Value) -> Vec<Track> {
    list(inside, "/searchResult3/song")
        .iter()
        .map(song)
        .collect()
}

/// The playlists of `getPlaylists`.
#[must_use]
pub fn playlists(inside: &Value) -> Vec<Playlist> {
    list(inside, "/playlists/playlist")
        .iter()
        .map(|value| Playlist {
            key: text(value, "id"),
            name: text(value, "name"),
        })
        .collect()
}

/// The pieces of `getPlaylist`.
#[must_use]
pub fn pieces(inside: &Value) -> Vec<Piece> {
    list(inside, "/playlist/entry")
        .iter()
        .map(song)
        .filter(|song| !song.key.is_empty())
        .take(crate::order::QUEUE_TRACKS_MAX)
        .map(|song| Piece {
            system: System::Subsonic,
            key: song.key,
            title: song.title,
            artist: song.artist,
            album: song.album,
            seconds: song.seconds,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account() -> Account {
        Account {
            url: "http://127.0.0.1:4533/".into(),
            user: "ana b".into(),
            password: "sesame".into(),
            plain: false,
        }
    }

    #[test]
    fn the_password_does_not_travel() {
        let url = account().stream("7/x", "c19b2d");
        // The example of the interface's own description.
        assert!(
            url.contains("t=26719a1196d2a940705a59634eb18eab&s=c19b2d"),
            "{url}"
        );
        assert!(url.contains("u=ana%20b") && url.contains("id=7%2Fx") && !url.contains("sesame"));
        assert!(!format!("{:?}", account()).contains("sesame"));
        let plain = Account {
            plain: true,
            ..account()
        };
        assert!(
            plain
                .ask("ping", &[], "x")
                .ends_with("&u=ana%20b&p=enc%3A736573616d65")
        );
    }

    #[test]
    fn answers_are_read_and_refusals_told_apart() {
        let ok = br#"{"subsonic-response":{"status":"ok","searchResult3":{"song":[{"id":5,"title":"Lamplight","artist":"The Brass Kettles","track":2,"discNumber":1,"duration":61}]}}}"#;
        let inside = answer(ok).unwrap();
        let songs = songs(&inside);
        assert_eq!(
            (songs[0].key.as_str(), songs[0].place, songs[0].seconds),
            ("5", 1_002, 61)
        );
        let failed = |code: i64| {
            let text = format!(
                r#"{{"subsonic-response":{{"status":"failed","error":{{"code":{code}}}}}}}"#
            );
            answer(text.as_bytes()).unwrap_err()
        };
        assert_eq!(failed(40), Refusal::NotLetIn);
        assert_eq!(failed(70), Refusal::NoSuchThing);
        assert_eq!(failed(0), Refusal::Other(0));
        for bytes in [&b"<html>"[..], b"{}", b"[1]", b"{\"subsonic-response\":3}"] {
            assert_eq!(answer(bytes), Err(Refusal::NotSubsonic));
        }
    }
}
