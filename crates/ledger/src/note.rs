//! C2SP signed notes, checkpoints and cosignatures.
//!
//! ```text
//! example.org/device/7          origin
//! 42                            size of the tree
//! CsUYapGGPo4dkMgIAUqom/…=      root
//! time boot=… mono_ms=…         extension: the device's own clock, so that silence has dates too
//!                               (empty line)
//! — example.org/device/7 Az3g…  key name, base64 of key id and signature
//! ```
//! Formats: C2SP signed-note, tlog-checkpoint, tlog-cosignature v1 (Ed25519).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signer as _, SigningKey};

use crate::hash::{Hash, from_hex, to_hex};
use crate::key::PublicKey;

/// Longest note, bytes.
const NOTE_BYTES_MAX: usize = 65_536;
/// Most signature lines on a note.
const SIGNATURES_MAX: usize = 64;
/// Longest key name, bytes.
const NAME_BYTES_MAX: usize = 256;

/// Why bytes are no note, or a note does not verify.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// Longer than 64 KiB.
    #[error("note of {bytes} bytes; at most {NOTE_BYTES_MAX} are allowed")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// The text part is wrong.
    #[error("note text: {0}")]
    Text(&'static str),
    /// A signature line is wrong.
    #[error("signature line {line} of the note: {what}")]
    Line {
        /// Counted from 1.
        line: usize,
        /// What is wrong.
        what: &'static str,
    },
    /// A key name that notes do not allow.
    #[error(
        "key name must be 1 to {NAME_BYTES_MAX} bytes without spaces, control characters and +"
    )]
    Name,
    /// A verifier key that cannot be read.
    #[error("verifier key: {0}")]
    VerifierKey(&'static str),
    /// No signature by this key.
    #[error("the note has no signature by {name}")]
    Unsigned {
        /// Name of the key.
        name: String,
    },
    /// A signature by this key that does not hold.
    #[error("the signature by {name} does not hold")]
    Forged {
        /// Name of the key.
        name: String,
    },
}

fn check_name(name: &str) -> Result<(), NoteError> {
    let bad = |c: char| c.is_whitespace() || c.is_control() || c == '+';
    if name.is_empty() || name.len() > NAME_BYTES_MAX || name.chars().any(bad) {
        return Err(NoteError::Name);
    }
    Ok(())
}

/// What kind of signature a key makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoteKeyKind {
    /// Ed25519 over the text (signed-note type 0x01): the log itself.
    Log,
    /// Timestamped cosignature over the checkpoint (tlog-cosignature type 0x04): a witness.
    Witness,
}

/// A key that checks signatures on notes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteKey {
    name: String,
    kind: NoteKeyKind,
    key: PublicKey,
}

impl NoteKey {
    /// A log's key. The name is the origin.
    pub fn device(name: &str, key: PublicKey) -> Result<Self, NoteError> {
        Self::new(name, NoteKeyKind::Log, key)
    }

    /// A witness's key.
    pub fn witness(name: &str, key: PublicKey) -> Result<Self, NoteError> {
        Self::new(name, NoteKeyKind::Witness, key)
    }

    fn new(name: &str, kind: NoteKeyKind, key: PublicKey) -> Result<Self, NoteError> {
        check_name(name)?;
        Ok(Self {
            name: name.to_owned(),
            kind,
            key,
        })
    }

    /// Name of the key.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it signs.
    #[must_use]
    pub fn kind(&self) -> NoteKeyKind {
        self.kind
    }

    /// The public key.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        self.key
    }

    fn type_byte(&self) -> u8 {
        match self.kind {
            NoteKeyKind::Log => 0x01,
            NoteKeyKind::Witness => 0x04,
        }
    }

    /// The first four bytes of SHA-256(name ‖ 0x0A ‖ type ‖ key).
    #[must_use]
    pub fn id(&self) -> [u8; 4] {
        let hash = Hash::of(&[
            self.name.as_bytes(),
            b"\n",
            &[self.type_byte()],
            &self.key.to_bytes(),
        ]);
        [hash.0[0], hash.0[1], hash.0[2], hash.0[3]]
    }

    /// Written form: `name+id+base64(type ‖ key)`.
    #[must_use]
    pub fn to_vkey(&self) -> String {
        let mut bytes = vec![self.type_byte()];
        bytes.extend_from_slice(&self.key.to_bytes());
        format!(
            "{}+{}+{}",
            self.name,
            to_hex(&self.id()),
            STANDARD.encode(bytes)
        )
    }

    /// Reads the written form; the id must be the key's.
    pub fn parse_vkey(text: &str) -> Result<Self, NoteError> {
        let wrong = |what| Err(NoteError::VerifierKey(what));
        let mut parts = text.splitn(3, '+'); // base64 may hold more of them
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return wrong("expected name+id+key");
        };
        let Ok(bytes) = STANDARD.decode(key) else {
            return wrong("the key is not base64");
        };
        let kind = match bytes.first() {
            Some(1) => NoteKeyKind::Log,
            Some(4) => NoteKeyKind::Witness,
            _ => {
                return wrong(
                    "only Ed25519 keys (type 1) and Ed25519 cosignature keys (type 4) are known",
                );
            }
        };
        let Ok(key) = <[u8; 32]>::try_from(&bytes[1..]) else {
            return wrong("the key is not 32 bytes long");
        };
        let Ok(key) = PublicKey::from_bytes(&key) else {
            return wrong("not an Ed25519 public key");
        };
        let key = Self::new(name, kind, key)?;
        if from_hex(id) != Ok(key.id()) {
            return wrong("the key id does not belong to the key");
        }
        Ok(key)
    }
}

/// One signature line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteSignature {
    /// Name of the key.
    pub name: String,
    /// Its id.
    pub id: [u8; 4],
    /// The signature, as its kind has it.
    pub bytes: Vec<u8>,
}

/// A signed note: a text and signatures under it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<NoteSignature>,
}

impl Note {
    pub(crate) fn sign(text: String, signers: &[(&str, &SigningKey)]) -> Result<Self, NoteError> {
        check_text(&text)?;
        let mut signatures = Vec::new();
        for (name, key) in signers {
            let public = PublicKey::from_bytes(&key.verifying_key().to_bytes())
                .map_err(|_| NoteError::VerifierKey("the signer's key is weak"))?;
            let id = NoteKey::device(name, public)?.id();
            let bytes = key.sign(text.as_bytes()).to_bytes().to_vec();
            signatures.push(NoteSignature {
                name: (*name).to_owned(),
                id,
                bytes,
            });
        }
        Ok(Self { text, signatures })
    }

    /// The signed text, with its last line end.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The signature lines, in order.
    #[must_use]
    pub fn signatures(&self) -> &[NoteSignature] {
        &self.signatures
    }

    /// Adds a line, as a witness's answer has it.
    pub fn add_signature(&mut self, signature: NoteSignature) -> Result<(), NoteError> {
        check_name(&signature.name)?;
        if self.signatures.len() >= SIGNATURES_MAX {
            return Err(NoteError::Text("too many signatures"));
        }
        self.signatures.push(signature);
        Ok(())
    }

    /// Reads a note strictly (C2SP signed-note).
    pub fn parse(bytes: &[u8]) -> Result<Self, NoteError> {
        if bytes.len() > NOTE_BYTES_MAX {
            return Err(NoteError::TooLong { bytes: bytes.len() });
        }
        let note = std::str::from_utf8(bytes).map_err(|_| NoteError::Text("it is not UTF-8"))?;
        let Some(at) = note.rfind("\n\n") else {
            return Err(NoteError::Text("no empty line before the signatures"));
        };
        let (text, lines) = (&note[..=at], &note[at + 2..]);
        check_text(text)?;
        if !lines.ends_with('\n') {
            return Err(NoteError::Text("the last signature line has no end"));
        }
        let mut signatures = Vec::new();
        for (index, line) in lines.lines().enumerate() {
            let wrong = |what| NoteError::Line {
                line: index + 1,
                what,
            };
            if index >= SIGNATURES_MAX {
                return Err(wrong("too many signatures"));
            }
            let rest = line
                .strip_prefix("\u{2014} ")
                .ok_or(wrong("it does not begin with a dash"))?;
            let (name, signature) = rest
                .split_once(' ')
                .ok_or(wrong("no signature after the name"))?;
            check_name(name).map_err(|_| wrong("bad key name"))?;
            let bytes = STANDARD
                .decode(signature)
                .map_err(|_| wrong("the signature is not base64"))?;
            let Some((id, bytes)) = bytes.split_first_chunk::<4>() else {
                return Err(wrong("the signature has no key id"));
            };
            if bytes.is_empty() {
                return Err(wrong("the signature is empty"));
            }
            signatures.push(NoteSignature {
                name: name.to_owned(),
                id: *id,
                bytes: bytes.to_vec(),
            });
        }
        let parsed = Self {
            text: text.to_owned(),
            signatures,
        };
        // `lines()` forgives a carriage return; there is one spelling of a note.
        if parsed.to_bytes() != bytes {
            return Err(NoteError::Text("it is not spelled as notes are"));
        }
        Ok(parsed)
    }

    /// The bytes, in the one spelling there is.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut note = self.text.clone();
        note.push('\n');
        for signature in &self.signatures {
            let mut bytes = signature.id.to_vec();
            bytes.extend_from_slice(&signature.bytes);
            note.push_str(&format!(
                "\u{2014} {} {}\n",
                signature.name,
                STANDARD.encode(bytes)
            ));
        }
        note.into_bytes()
    }

    /// Checks the signature by this key: `Ok` with the cosignature's time (seconds since
    /// 1970-01-01 UTC) for a witness, `Ok(None)` for a log. Every line by this key must hold.
    pub fn verify(&self, key: &NoteKey) -> Result<Option<u64>, NoteError> {
        let id = key.id();
        let mut found = None;
        for signature in self
            .signatures
            .iter()
            .filter(|line| line.name == key.name && line.id == id)
        {
            let forged = || NoteError::Forged {
                name: key.name.clone(),
            };
            let time = match key.kind {
                NoteKeyKind::Log => {
                    if !key.key.verifies(self.text.as_bytes(), &signature.bytes) {
                        return Err(forged());
                    }
                    None
                }
                NoteKeyKind::Witness => {
                    let (time, bytes) = signature
                        .bytes
                        .split_first_chunk::<8>()
                        .ok_or_else(forged)?;
                    let time = u64::from_be_bytes(*time);
                    if !key
                        .key
                        .verifies(cosigned(time, &self.text).as_bytes(), bytes)
                    {
                        return Err(forged());
                    }
                    Some(time)
                }
            };
            // Two cosignatures by one witness: the earlier one is the tighter statement.
            found = Some(match found {
                Some(earlier) if earlier < time => earlier,
                _ => time,
            });
        }
        found.ok_or_else(|| NoteError::Unsigned {
            name: key.name.clone(),
        })
    }
}

fn check_text(text: &str) -> Result<(), NoteError> {
    if !text.ends_with('\n') {
        return Err(NoteError::Text("it does not end with a line end"));
    }
    if text.bytes().any(|byte| byte < 0x20 && byte != b'\n') {
        return Err(NoteError::Text("it has control characters"));
    }
    Ok(())
}

/// The message a witness signs (tlog-cosignature).
fn cosigned(time: u64, text: &str) -> String {
    format!("cosignature/v1\ntime {time}\n{text}")
}

/// A witness's line for a checkpoint, made at `time` (seconds since 1970-01-01 UTC) with a secret of
/// 32 bytes. Whoever calls it has checked that the checkpoint extends the last one it cosigned.
pub fn cosign(
    note: &Note,
    name: &str,
    secret: &[u8; 32],
    time: u64,
) -> Result<NoteSignature, NoteError> {
    Checkpoint::parse(note.text())?;
    let signer = SigningKey::from_bytes(secret);
    let public = PublicKey::from_bytes(&signer.verifying_key().to_bytes())
        .map_err(|_| NoteError::VerifierKey("the signer's key is weak"))?;
    let key = NoteKey::witness(name, public)?;
    let mut bytes = time.to_be_bytes().to_vec();
    bytes.extend_from_slice(
        &signer
            .sign(cosigned(time, note.text()).as_bytes())
            .to_bytes(),
    );
    Ok(NoteSignature {
        name: name.to_owned(),
        id: key.id(),
        bytes,
    })
}

/// The head of a log at one size (C2SP tlog-checkpoint).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Name of the log.
    pub origin: String,
    /// Number of entries.
    pub size: u64,
    /// Root of the tree over them.
    pub root: Hash,
    /// Extension lines.
    pub extensions: Vec<String>,
}

impl Checkpoint {
    /// The text of the note.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = format!(
            "{}\n{}\n{}\n",
            self.origin,
            self.size,
            self.root.to_base64()
        );
        for extension in &self.extensions {
            text.push_str(extension);
            text.push('\n');
        }
        text
    }

    /// Reads the text of a note strictly.
    pub fn parse(text: &str) -> Result<Self, NoteError> {
        let wrong = NoteError::Text;
        let body = text
            .strip_suffix('\n')
            .ok_or(wrong("it does not end with a line end"))?;
        let mut lines = body.split('\n');
        let origin = lines.next().unwrap_or_default();
        check_name(origin)?;
        let digits = lines.next().ok_or(wrong("checkpoint without a size"))?;
        let size: u64 = digits.parse().map_err(|_| wrong("the size is no number"))?;
        if size.to_string() != digits {
            return Err(wrong("the size is not spelled as numbers are"));
        }
        let root = lines
            .next()
            .and_then(Hash::from_base64)
            .ok_or(wrong("the root is not 32 bytes of base64"))?;
        let extensions: Vec<String> = lines.map(str::to_owned).collect();
        if extensions.iter().any(String::is_empty) {
            return Err(wrong("empty extension line"));
        }
        Ok(Self {
            origin: origin.to_owned(),
            size,
            root,
            extensions,
        })
    }
}
