//! What a file says about itself: ID3 of MP3, comments of FLAC and Ogg, else the names of its folders.
use std::path::Path;

use crate::track::{TEXT_BYTES_MAX, Track};

/// How much of the beginning of a file is looked at: tags stand before pictures mostly. 64 KiB.
pub const HEAD_BYTES: usize = 64 * 1_024;
/// Most comments of one file.
const COMMENTS_MAX: usize = 1_000;

/// The tags in the first bytes of a file; what is not there stays empty.
#[must_use]
pub fn read(head: &[u8]) -> Track {
    let mut track = Track::default();
    match head {
        [b'I', b'D', b'3', ..] => id3(head, &mut track),
        [b'f', b'L', b'a', b'C', ..] => flac(head, &mut track),
        [b'O', b'g', b'g', b'S', ..] => ogg(head, &mut track),
        _ => {}
    }
    for text in [
        &mut track.title,
        &mut track.artist,
        &mut track.album,
        &mut track.genre,
    ] {
        let plain: String = text.chars().filter(|c| !c.is_control()).collect();
        *text = plain.trim().to_owned();
        if text.len() > TEXT_BYTES_MAX {
            text.clear();
        }
    }
    track
}

/// Fills what the tags have not said from `Artist/Album/03 - Title.mp3`. `path` is below the folder of music.
pub fn fill_from_path(track: &mut Track, path: &Path) {
    let part = |path: Option<&Path>| {
        path.and_then(Path::file_name)
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default()
    };
    if track.title.is_empty() {
        let stem = path
            .file_stem()
            .map(|stem| stem.to_string_lossy().into_owned());
        let stem = stem.unwrap_or_default().replace('_', " ");
        let bare = stem.trim_start_matches(|c: char| c.is_ascii_digit());
        let bare = bare.trim_start_matches([' ', '-', '.']);
        if track.place == 0 {
            let number =
                &stem[..stem.len() - stem.trim_start_matches(|c: char| c.is_ascii_digit()).len()];
            track.place = number.parse().unwrap_or(0);
        }
        track.title = if bare.is_empty() {
            stem
        } else {
            bare.to_owned()
        };
    }
    let album = path.parent();
    if track.album.is_empty() {
        track.album = part(album);
    }
    if track.artist.is_empty() {
        track.artist = part(album.and_then(Path::parent));
    }
}

fn set(track: &mut Track, key: &str, value: &str) {
    let number = || {
        value
            .split('/')
            .next()
            .and_then(|text| text.trim().parse::<u32>().ok())
    };
    let text = match key.to_ascii_uppercase().as_str() {
        "TITLE" | "TIT2" | "TT2" => &mut track.title,
        "ARTIST" | "TPE1" | "TP1" => &mut track.artist,
        "ALBUM" | "TALB" | "TAL" => &mut track.album,
        "GENRE" | "TCON" | "TCO" => &mut track.genre,
        "TRACKNUMBER" | "TRCK" | "TRK" => {
            track.place = track.place / 1_000 * 1_000 + number().unwrap_or(0).min(999);
            return;
        }
        "DISCNUMBER" | "TPOS" | "TPA" => {
            track.place = track.place % 1_000 + number().unwrap_or(0).min(999) * 1_000;
            return;
        }
        _ => return,
    };
    if text.is_empty() {
        value.clone_into(text);
    }
}

/// Seven bits of each byte (ID3v2.4 structure §6.2).
fn syncsafe(bytes: &[u8]) -> usize {
    bytes
        .iter()
        .fold(0, |size, byte| size << 7 | usize::from(byte & 0x7f))
}

fn big_endian(bytes: &[u8]) -> usize {
    bytes
        .iter()
        .fold(0, |size, byte| size << 8 | usize::from(*byte))
}

/// ID3v2.2, 2.3 and 2.4: frames of texts behind a header of ten bytes.
fn id3(head: &[u8], track: &mut Track) {
    let Some((header, rest)) = head.split_at_checked(10) else {
        return;
    };
    let (version, flags) = (header[3], header[5]);
    let size = syncsafe(&header[6..10]).min(rest.len());
    let mut rest = &rest[..size];
    let whole: Vec<u8>;
    // Unsynchronised as a whole (2.2, 2.3): a zero was put behind each 0xff.
    if flags & 0x80 != 0 && version < 4 {
        whole = synchronised(rest);
        rest = &whole;
    }
    if flags & 0x40 != 0 && rest.len() >= 4 {
        let extended = if version >= 4 {
            syncsafe(&rest[..4])
        } else {
            big_endian(&rest[..4]) + 4
        };
        rest = rest.get(extended..).unwrap_or_default();
    }
    let (name_bytes, header_bytes) = if version <= 2 { (3, 6) } else { (4, 10) };
    while rest.len() > header_bytes && rest[0] != 0 {
        let name = &rest[..name_bytes];
        let size = match version {
            0..=2 => big_endian(&rest[3..6]),
            3 => big_endian(&rest[4..8]),
            _ => syncsafe(&rest[4..8]),
        };
        let Some(body) = rest.get(header_bytes..header_bytes.saturating_add(size)) else {
            return;
        };
        if name[0] == b'T'
            && let Ok(name) = std::str::from_utf8(name)
        {
            let text = id3_text(body);
            let text = if name.starts_with("TCO") {
                genre(&text)
            } else {
                text
            };
            set(track, name, &text);
        }
        rest = &rest[header_bytes + size..];
    }
}

fn synchronised(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    for (at, byte) in bytes.iter().enumerate() {
        if *byte != 0 || at == 0 || bytes[at - 1] != 0xff {
            out.push(*byte);
        }
    }
    out
}

/// A text with its encoding in front: the first of several.
fn id3_text(body: &[u8]) -> String {
    let Some((encoding, bytes)) = body.split_first() else {
        return String::new();
    };
    let wide = |bytes: &[u8], little: bool| {
        let units = bytes.chunks_exact(2).map(|pair| {
            if little {
                u16::from_le_bytes([pair[0], pair[1]])
            } else {
                u16::from_be_bytes([pair[0], pair[1]])
            }
        });
        char::decode_utf16(units)
            .map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER))
            .collect::<String>()
    };
    let text = match (encoding, bytes) {
        (1, [0xff, 0xfe, rest @ ..]) => wide(rest, true),
        (1, [0xfe, 0xff, rest @ ..]) => wide(rest, false),
        (1 | 2, rest) => wide(rest, false),
        (3, rest) => String::from_utf8_lossy(rest).into_owned(),
        (_, rest) => rest.iter().map(|byte| char::from(*byte)).collect(),
    };
    text.split('\0').next().unwrap_or_default().to_owned()
}

/// "(17)Rock" and "(17)" of old files: the number says nothing to a listener.
fn genre(text: &str) -> String {
    match text.strip_prefix('(').and_then(|rest| rest.split_once(')')) {
        Some((number, name)) if number.bytes().all(|byte| byte.is_ascii_digit()) => name.to_owned(),
        _ if text.bytes().all(|byte| byte.is_ascii_digit()) => String::new(),
        _ => text.to_owned(),
    }
}

/// Blocks of metadata (RFC 9639 §8): streaminfo for the length, comments for the rest.
fn flac(head: &[u8], track: &mut Track) {
    let mut rest = &head[4..];
    while let Some((header, body)) = rest.split_at_checked(4) {
        let size = big_endian(&header[1..4]);
        let Some(block) = body.get(..size) else {
            return;
        };
        match header[0] & 0x7f {
            0 if block.len() >= 18 => {
                let rate = big_endian(&block[10..13]) >> 4;
                let samples = (big_endian(&block[13..18]) as u64) & 0x000f_ffff_ffff;
                if rate > 0 {
                    track.seconds = u32::try_from(samples / rate as u64).unwrap_or(0);
                }
            }
            4 => {
                comments(block, track);
                return;
            }
            _ => {}
        }
        if header[0] & 0x80 != 0 {
            return;
        }
        rest = &body[size..];
    }
}

/// The second packet of the first stream (RFC 7845 §5.2, Vorbis I §5): its pages without their heads.
fn ogg(head: &[u8], track: &mut Track) {
    let mut rest = head;
    let mut packets: Vec<Vec<u8>> = vec![Vec::new()];
    while packets.len() < 3 && rest.len() >= 27 && rest.starts_with(b"OggS") {
        let count = usize::from(rest[26]);
        let Some((sizes, mut body)) = rest[27..].split_at_checked(count) else {
            break;
        };
        for size in sizes {
            let size = usize::from(*size);
            let part = &body[..size.min(body.len())];
            if let Some(packet) = packets.last_mut() {
                packet.extend_from_slice(part);
            }
            body = &body[part.len()..];
            if size < 255 {
                packets.push(Vec::new());
            }
        }
        rest = body;
    }
    let Some(packet) = packets.get(1) else {
        return;
    };
    for magic in [&b"OpusTags"[..], b"\x03vorbis"] {
        if let Some(body) = packet.strip_prefix(magic) {
            comments(body, track);
        }
    }
}

/// Comments as Vorbis writes them: lengths in little-endian, `KEY=value`.
fn comments(body: &[u8], track: &mut Track) {
    fn take<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
        let (length, body) = rest.split_at_checked(4)?;
        let length = u32::from_le_bytes(length.try_into().ok()?) as usize;
        let text = body.get(..length)?;
        *rest = &body[length..];
        Some(text)
    }
    let mut rest = body;
    if take(&mut rest).is_none() || rest.len() < 4 {
        return;
    }
    rest = &rest[4..];
    for _ in 0..COMMENTS_MAX {
        let Some(comment) = take(&mut rest) else {
            return;
        };
        if let Some((key, value)) = std::str::from_utf8(comment)
            .ok()
            .and_then(|text| text.split_once('='))
        {
            set(track, key, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn comment(text: &str) -> Vec<u8> {
        let mut out = (text.len() as u32).to_le_bytes().to_vec();
        out.extend(text.as_bytes());
        out
    }

    fn frame(name: &str, body: &[u8]) -> Vec<u8> {
        let mut out = name.as_bytes().to_vec();
        out.extend((body.len() as u32).to_be_bytes());
        out.extend([0, 0]);
        out.extend(body);
        out
    }

    #[test]
    fn id3_is_read_in_its_encodings() {
        let mut frames = frame("TIT2", b"\x00Copper Morning");
        frames.extend(frame(
            "TPE1",
            &[
                &[1, 0xff, 0xfe][..],
                &"Välë"
                    .encode_utf16()
                    .flat_map(u16::to_le_bytes)
                    .collect::<Vec<_>>(),
            ]
            .concat(),
        ));
        frames.extend(frame("TRCK", b"\x037/12"));
        frames.extend(frame("TPOS", b"\x032"));
        frames.extend(frame("TCON", b"\x00(8)Jazz"));
        let mut file = b"ID3\x03\x00\x00".to_vec();
        file.extend([0, 0, (frames.len() >> 7) as u8, (frames.len() & 0x7f) as u8]);
        file.extend(frames);
        let track = read(&file);
        assert_eq!(
            (track.title.as_str(), track.artist.as_str()),
            ("Copper Morning", "Välë")
        );
        assert_eq!((track.place, track.genre.as_str()), (2_007, "Jazz"));
    }

    #[test]
    fn comments_of_opus_are_read() {
        let mut packet = b"OpusTags".to_vec();
        packet.extend(comment("vendor"));
        packet.extend(2u32.to_le_bytes());
        packet.extend(comment("title=Lamplight"));
        packet.extend(comment("ALBUM=Evening"));
        let page = |packet: &[u8]| {
            let mut page = b"OggS".to_vec();
            page.extend([0; 22]);
            page.push(1);
            page.push(packet.len() as u8);
            page.extend(packet);
            page
        };
        let file = [page(b"OpusHead"), page(&packet)].concat();
        let track = read(&file);
        assert_eq!(
            (track.title.as_str(), track.album.as_str()),
            ("Lamplight", "Evening")
        );
    }

    #[test]
    fn folders_say_what_tags_do_not() {
        let mut track = Track::default();
        fill_from_path(
            &mut track,
            Path::new("Quiet Weather/Rain/03 - First_Drops.mp3"),
        );
        assert_eq!((track.title.as_str(), track.place), ("First Drops", 3));
        assert_eq!(
            (track.artist.as_str(), track.album.as_str()),
            ("Quiet Weather", "Rain")
        );
    }

    proptest! {
        #[test]
        fn any_bytes_are_borne(bytes: Vec<u8>, which in 0..3usize) {
            let magic = [&b"ID3\x04\x00\xc0\x00\x00\x7f\x7f"[..], b"fLaC", b"OggS"][which];
            let _ = read(&[magic, &bytes].concat());
        }
    }
}
