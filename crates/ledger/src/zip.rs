//! The one spelling of a ZIP file that a bundle has: stored files, no dates, nothing optional.
//!
//! Any tool opens it (PKWARE APPNOTE 6.3). The reader accepts nothing else: it rebuilds every
//! header and compares, so that no byte of a bundle can change unseen, and as nothing is compressed
//! nothing can grow in the reader's memory.

/// Most files in a bundle.
const FILES_MAX: usize = 4096;
/// Longest name, bytes.
const NAME_BYTES_MAX: usize = 128;
/// 1980-01-01, the zero of the format: a bundle's dates are inside, signed.
const DATE: u16 = 0x0021;
const VERSION: u16 = 10; // stored files need no more

/// Why bytes are not such a file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ZipError {
    #[error("the file does not begin as a bundle does")]
    NotABundle,
    #[error("file {name:?} of the bundle is cut short")]
    Short { name: String },
    #[error("a name in the bundle is not allowed (letters, digits, dot, dash and one folder only)")]
    Name,
    #[error("file {name} stands twice in the bundle")]
    Twice { name: String },
    #[error("more than {FILES_MAX} files in the bundle")]
    TooMany,
    #[error("the bytes of {name} are not those that were written")]
    Checksum { name: String },
    #[error(
        "the bundle is not spelled as bundles are (at byte {at}); was it packed again by another program?"
    )]
    Spelling { at: usize },
}

/// A file of a bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct File<'a> {
    pub(crate) name: &'a str,
    pub(crate) bytes: &'a [u8],
}

/// Writes the files in their order. The caller keeps names and sizes within the reader's limits.
pub(crate) fn write(files: &[File<'_>]) -> Vec<u8> {
    let mut zip = Vec::new();
    let mut central = Vec::new();
    for file in files {
        let crc = crc32(file.bytes);
        central.extend_from_slice(&central_header(file, crc, zip.len()));
        zip.extend_from_slice(&local_header(file, crc));
        zip.extend_from_slice(file.bytes);
    }
    let end = end_record(files.len(), central.len(), zip.len());
    zip.extend_from_slice(&central);
    zip.extend_from_slice(&end);
    zip
}

/// Reads a file that [`write`] made, byte for byte.
pub(crate) fn read(zip: &[u8]) -> Result<Vec<File<'_>>, ZipError> {
    let mut files: Vec<File<'_>> = Vec::new();
    let mut central = Vec::new();
    let mut at = 0;
    while zip.get(at..at + 4) == Some(b"PK\x03\x04") {
        if files.len() == FILES_MAX {
            return Err(ZipError::TooMany);
        }
        let header = zip.get(at..at + 30).ok_or(ZipError::NotABundle)?;
        let size = u32::from_le_bytes([header[18], header[19], header[20], header[21]]) as usize;
        let name_length = usize::from(u16::from_le_bytes([header[26], header[27]]));
        let name = zip
            .get(at + 30..at + 30 + name_length)
            .ok_or(ZipError::Name)?;
        let name = check_name(name)?;
        if files.iter().any(|file| file.name == name) {
            return Err(ZipError::Twice {
                name: name.to_owned(),
            });
        }
        let start = at + 30 + name_length;
        let short = || ZipError::Short {
            name: name.to_owned(),
        };
        let bytes = zip
            .get(start..start.checked_add(size).ok_or_else(short)?)
            .ok_or_else(short)?;
        let file = File { name, bytes };
        let crc = crc32(bytes);
        if header[14..18] != crc.to_le_bytes() {
            return Err(ZipError::Checksum {
                name: name.to_owned(),
            });
        }
        compare(zip, at, &local_header(&file, crc))?;
        central.extend_from_slice(&central_header(&file, crc, at));
        files.push(file);
        at = start + size;
    }
    if files.is_empty() {
        return Err(ZipError::NotABundle);
    }
    let mut rest = central;
    let end = end_record(files.len(), rest.len(), at);
    rest.extend_from_slice(&end);
    compare(zip, at, &rest)?;
    if zip.len() == at + rest.len() {
        Ok(files)
    } else {
        Err(ZipError::Spelling {
            at: at + rest.len(),
        })
    }
}

fn compare(zip: &[u8], at: usize, expected: &[u8]) -> Result<(), ZipError> {
    let found = &zip[at..zip.len().min(at + expected.len())];
    if found == expected {
        return Ok(());
    }
    let same = found
        .iter()
        .zip(expected)
        .take_while(|(a, b)| a == b)
        .count();
    Err(ZipError::Spelling { at: at + same })
}

/// Letters, digits, dot, dash; at most one folder; no part begins with a dot. So there is no way
/// out of a folder, and no two spellings of a name.
fn check_name(name: &[u8]) -> Result<&str, ZipError> {
    let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'/');
    if name.len() > NAME_BYTES_MAX || !name.iter().all(allowed) {
        return Err(ZipError::Name);
    }
    let text = std::str::from_utf8(name).map_err(|_| ZipError::Name)?;
    let parts: Vec<&str> = text.split('/').collect();
    if parts.len() > 2
        || parts
            .iter()
            .any(|part| part.is_empty() || part.starts_with('.'))
    {
        return Err(ZipError::Name);
    }
    Ok(text)
}

fn length(value: usize) -> u32 {
    u32::try_from(value).expect("a bundle is at most 256 MiB")
}

fn local_header(file: &File<'_>, crc: u32) -> Vec<u8> {
    let mut header = b"PK\x03\x04".to_vec();
    header.extend_from_slice(&VERSION.to_le_bytes());
    common_fields(&mut header, file, crc);
    header.extend_from_slice(file.name.as_bytes());
    header
}

/// Flags to extra length: the part that both headers share.
fn common_fields(header: &mut Vec<u8>, file: &File<'_>, crc: u32) {
    header.extend_from_slice(&[0; 6]); // flags, method stored, time
    header.extend_from_slice(&DATE.to_le_bytes());
    header.extend_from_slice(&crc.to_le_bytes());
    header.extend_from_slice(&length(file.bytes.len()).to_le_bytes()); // compressed size
    header.extend_from_slice(&length(file.bytes.len()).to_le_bytes());
    header.extend_from_slice(
        &u16::try_from(file.name.len())
            .expect("names are short")
            .to_le_bytes(),
    );
    header.extend_from_slice(&[0; 2]); // no extra fields
}

fn central_header(file: &File<'_>, crc: u32, at: usize) -> Vec<u8> {
    let mut header = b"PK\x01\x02".to_vec();
    header.extend_from_slice(&VERSION.to_le_bytes()); // made by
    header.extend_from_slice(&VERSION.to_le_bytes()); // needed
    common_fields(&mut header, file, crc);
    header.extend_from_slice(&[0; 10]); // comment, disk, attributes
    header.extend_from_slice(&length(at).to_le_bytes());
    header.extend_from_slice(file.name.as_bytes());
    header
}

fn end_record(files: usize, central: usize, at: usize) -> Vec<u8> {
    let files = u16::try_from(files)
        .expect("at most 4096 files")
        .to_le_bytes();
    let mut record = b"PK\x05\x06\0\0\0\0".to_vec();
    record.extend_from_slice(&files); // on this disk
    record.extend_from_slice(&files);
    record.extend_from_slice(&length(central).to_le_bytes());
    record.extend_from_slice(&length(at).to_le_bytes());
    record.extend_from_slice(&[0; 2]); // no comment
    record
}

const CRC_TABLE: [u32; 256] = crc_table();

const fn crc_table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut index = 0;
    while index < 256 {
        let mut value = index as u32;
        let mut bit = 0;
        while bit < 8 {
            value = if value & 1 == 1 {
                value >> 1 ^ 0xedb8_8320
            } else {
                value >> 1
            };
            bit += 1;
        }
        table[index] = value;
        index += 1;
    }
    table
}

/// CRC-32 as ZIP has it (ISO 3309).
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, byte| {
        CRC_TABLE[((crc ^ u32::from(*byte)) & 0xff) as usize] ^ crc >> 8
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Vec<u8> {
        write(&[
            File {
                name: "README.txt",
                bytes: b"hello",
            },
            File {
                name: "audio/a-1.wav",
                bytes: &[7; 300],
            },
        ])
    }

    #[test]
    fn checks_the_standard_value() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn reads_what_it_wrote() {
        let zip = sample();
        let files = read(&zip).expect("reads");
        assert_eq!(files.len(), 2);
        assert_eq!(
            files[1],
            File {
                name: "audio/a-1.wav",
                bytes: &[7; 300]
            }
        );
    }

    #[test]
    fn refuses_every_single_bit_flip_and_every_truncation() {
        let zip = sample();
        for bit in 0..zip.len() * 8 {
            let mut changed = zip.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            // A flip in a name gives another well-formed file only if it also matches the directory.
            assert!(read(&changed).is_err(), "bit {bit}");
        }
        for length in 0..zip.len() {
            assert!(read(&zip[..length]).is_err(), "length {length}");
        }
        let mut longer = zip;
        longer.push(0);
        assert!(read(&longer).is_err());
    }

    #[test]
    fn refuses_names_that_lead_elsewhere() {
        for name in [
            "../etc", "/etc", "a//b", "a/../b", "a/b/c", ".hidden", "a\\b", "C:x", "b\u{e4}r", "",
        ] {
            let zip = write(&[File { name, bytes: b"" }]);
            assert_eq!(read(&zip), Err(ZipError::Name), "{name}");
        }
        let twice = [
            File {
                name: "a",
                bytes: b"1",
            },
            File {
                name: "a",
                bytes: b"2",
            },
        ];
        assert_eq!(
            read(&write(&twice)),
            Err(ZipError::Twice { name: "a".into() })
        );
    }
}
