//! Invitations: a short code that lets one device join, once, within ten minutes.
//!
//! ```text
//! joiner: K = PBKDF2(code, salt = the CA's fingerprint as the joiner sees it)
//!   ── certificate request, HMAC(K, "join", request, CA fingerprint) ──►  hub: the same K from its own CA
//!   ◄─ certificate, CA, device, HMAC(K, "joined", request, certificate, CA, device, end) ───
//! ```
//! The code itself never travels. What it protects:
//! - **The code alone, typed.** Somebody between the two, with a certificate authority of their own, makes the
//!   joiner derive another K; the hub refuses the proof, and the joiner refuses any answer without one. They can
//!   stop the joining, not take part in it. They may take the proof home and try codes: 2^40 codes at 600,000
//!   rounds of PBKDF2 each is about 10^18 hashes, years on a large machine, for a code that ends after ten
//!   minutes and one use. Online each try is counted: five wrong ones lock every open invitation.
//! - **The QR code** also carries the CA's fingerprint, so the joiner knows the right CA before it says anything.
//! - **Neither** protects against who sees the code: whoever reads it within its ten minutes can join with it.
//!   The device then shows up in everyone's list, and the code no longer works for the one it was meant for.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

use qrcode::render::unicode::Dense1x2;
use qrcode::{EcLevel, QrCode};
use ring::{hmac, pbkdf2};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::clock::UnixMs;
use crate::device::{DeviceFields, DeviceKind, Fingerprint};
use crate::entropy::{NoEntropy, random};
use crate::id::{DeviceId, InvitationId};

/// How long a code works, in milliseconds.
pub const LASTS_MS: i64 = 10 * 60_000;
/// Wrong tries that lock every open invitation.
pub const WRONG_TRIES_MAX: u32 = 5;
/// Most invitations open at once.
pub const OPEN_MAX: u32 = 4;
/// Rounds of PBKDF2; a browser's own cryptography has no slower derivation.
const ROUNDS: NonZeroU32 = NonZeroU32::new(600_000).expect("not zero");
/// 32 signs that are not mistaken for each other: no 0, 1, I, O.
const ALPHABET: &[u8; 32] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZ";
const CHARACTERS: usize = 8;

/// The code: 8 signs, 40 bits.
#[derive(Clone, PartialEq, Eq)]
pub struct Code([u8; CHARACTERS]);

/// Not a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a code has {CHARACTERS} letters and digits, never 0, 1, I or O; look at it again")]
pub struct CodeError;

impl Code {
    /// A new one.
    ///
    /// # Errors
    /// [`NoEntropy`].
    pub fn random() -> Result<Self, NoEntropy> {
        // 256 is a multiple of 32, so every sign is equally likely.
        let bytes: [u8; CHARACTERS] = random()?;
        Ok(Self(bytes.map(|byte| ALPHABET[usize::from(byte & 31)])))
    }

    fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("the alphabet is ASCII")
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Code(…)")
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (left, right) = self.as_str().split_at(CHARACTERS / 2);
        write!(f, "{left}-{right}")
    }
}

impl FromStr for Code {
    type Err = CodeError;
    /// Case, spaces and hyphens do not matter.
    fn from_str(text: &str) -> Result<Self, CodeError> {
        let mut code = [0; CHARACTERS];
        let mut count = 0;
        for character in text.chars() {
            if matches!(character, ' ' | '-') {
                continue;
            }
            let sign = u8::try_from(character.to_ascii_uppercase()).map_err(|_| CodeError)?;
            if !ALPHABET.contains(&sign) || count == CHARACTERS {
                return Err(CodeError);
            }
            code[count] = sign;
            count += 1;
        }
        if count == CHARACTERS {
            Ok(Self(code))
        } else {
            Err(CodeError)
        }
    }
}

/// What is derived from a code; all that the database keeps of it.
#[derive(Clone, PartialEq, Eq)]
pub struct InvitationKey([u8; 32]);

impl fmt::Debug for InvitationKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InvitationKey(…)")
    }
}

impl InvitationKey {
    /// From the code and the CA as this side sees it. Takes a good tenth of a second.
    #[must_use]
    pub fn derive(code: &Code, ca: &Fingerprint) -> Self {
        let salt = [b"hearthline invitation v1".as_slice(), ca.as_bytes()].concat();
        let mut key = [0; 32];
        pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, ROUNDS, &salt, &code.0, &mut key);
        Self(key)
    }

    pub(crate) fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub(crate) fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The joiner's proof over its certificate request (DER).
    #[must_use]
    pub fn join_proof(&self, request: &[u8], ca: &Fingerprint) -> [u8; 32] {
        self.sign("join", &[request, ca.as_bytes()])
    }

    /// Checks the joiner's proof, in constant time.
    #[must_use]
    pub fn proves_join(&self, request: &[u8], ca: &Fingerprint, proof: &[u8]) -> bool {
        self.verifies("join", &[request, ca.as_bytes()], proof)
    }

    /// The hub's proof over its answer.
    #[must_use]
    pub fn joined_proof(&self, answer: &JoinedAnswer<'_>) -> [u8; 32] {
        answer.with_parts(|parts| self.sign("joined", parts))
    }

    /// Checks the hub's proof, in constant time.
    #[must_use]
    pub fn proves_joined(&self, answer: &JoinedAnswer<'_>, proof: &[u8]) -> bool {
        answer.with_parts(|parts| self.verifies("joined", parts, proof))
    }

    fn sign(&self, what: &str, parts: &[&[u8]]) -> [u8; 32] {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.0);
        let mut proof = [0; 32];
        proof.copy_from_slice(hmac::sign(&key, &framed(what, parts)).as_ref());
        proof
    }

    fn verifies(&self, what: &str, parts: &[&[u8]], proof: &[u8]) -> bool {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.0);
        hmac::verify(&key, &framed(what, parts), proof).is_ok()
    }
}

/// What the hub answers to a joiner; its proof covers all of it.
#[derive(Debug, Clone, Copy)]
pub struct JoinedAnswer<'a> {
    /// The joiner's request, DER.
    pub request: &'a [u8],
    /// The device's certificate, DER.
    pub certificate: &'a [u8],
    /// The authority's certificate, DER.
    pub ca: &'a [u8],
    /// The device's id.
    pub device: DeviceId,
    /// What it is.
    pub kind: DeviceKind,
    /// Name, room, person.
    pub fields: &'a DeviceFields,
    /// When its certificate ends.
    pub not_after: UnixMs,
}

impl JoinedAnswer<'_> {
    /// In this order: request, certificate, CA, then as text the device's id, kind, name, room and person (empty
    /// where there is none), and the end in milliseconds.
    fn with_parts<T>(&self, work: impl FnOnce(&[&[u8]]) -> T) -> T {
        let room = self
            .fields
            .room
            .map(|id| id.to_string())
            .unwrap_or_default();
        let person = self
            .fields
            .person
            .map(|id| id.to_string())
            .unwrap_or_default();
        work(&[
            self.request,
            self.certificate,
            self.ca,
            self.device.to_string().as_bytes(),
            self.kind.as_str().as_bytes(),
            self.fields.name.as_str().as_bytes(),
            room.as_bytes(),
            person.as_bytes(),
            self.not_after.0.to_string().as_bytes(),
        ])
    }
}

/// Each part behind its length, so that no two lists of parts read the same.
fn framed(what: &str, parts: &[&[u8]]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for part in [what.as_bytes()].iter().chain(parts) {
        bytes.extend((part.len() as u64).to_be_bytes());
        bytes.extend(*part);
    }
    bytes
}

/// What became of an invitation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum InvitationState {
    /// Waits for its device.
    Open,
    /// A device joined with it.
    Used,
    /// Too many wrong tries.
    Locked,
    /// Taken back.
    Withdrawn,
    /// Its ten minutes are over.
    Expired,
}

impl InvitationState {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text {
            "open" => Some(Self::Open),
            "used" => Some(Self::Used),
            "locked" => Some(Self::Locked),
            "withdrawn" => Some(Self::Withdrawn),
            _ => None,
        }
    }
}

/// An invitation, without its code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Invitation {
    /// Id.
    pub id: InvitationId,
    /// What may join with it.
    pub kind: DeviceKind,
    /// What the device will be called, where it stands and whose it is.
    #[serde(flatten)]
    pub fields: DeviceFields,
    /// What became of it.
    pub state: InvitationState,
    /// Wrong tries while it was open.
    pub wrong_tries: u32,
    /// When it was made.
    pub created_at_ms: UnixMs,
    /// When it ends.
    pub expires_at_ms: UnixMs,
}

/// An invitation to be stored.
#[derive(Debug, Clone)]
pub struct NewInvitation {
    /// Derived from the code.
    pub key: InvitationKey,
    /// What may join with it.
    pub kind: DeviceKind,
    /// What the device will be called, where it stands and whose it is.
    pub fields: DeviceFields,
    /// When it ends.
    pub expires_at: UnixMs,
}

/// What is shown to the person who invites.
#[derive(Clone)]
pub struct Invited {
    /// The stored invitation.
    pub invitation: Invitation,
    /// The code to type.
    pub code: Code,
    /// The same and the CA's fingerprint as a link; both stand behind `#`, so no server and no log sees them.
    pub url: String,
}

impl fmt::Debug for Invited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Invited({:?})", self.invitation.id)
    }
}

impl Invited {
    pub(crate) fn new(
        invitation: Invitation,
        code: Code,
        base_url: &str,
        ca: &Fingerprint,
    ) -> Self {
        let url = format!("{base_url}/join#code={}&ca={ca}", code.as_str());
        Self {
            invitation,
            code,
            url,
        }
    }

    /// The link as a QR code: a row of its modules a text, `1` is dark; without its quiet zone.
    #[must_use]
    pub fn qr_modules(&self) -> Vec<String> {
        let Ok(code) = QrCode::with_error_correction_level(&self.url, EcLevel::L) else {
            return Vec::new();
        };
        let colors = code.to_colors();
        let rows = colors.chunks(code.width());
        rows.map(|row| {
            let modules = row.iter();
            modules
                .map(|color| color.select('1', '0'))
                .collect::<String>()
        })
        .collect()
    }

    /// The link as a QR code of Unicode half blocks, dark on light, with its quiet zone.
    #[must_use]
    pub fn qr(&self) -> String {
        match QrCode::with_error_correction_level(&self.url, EcLevel::L) {
            // Terminals are dark more often than light; the quiet zone must be light either way.
            Ok(code) => code
                .render::<Dense1x2>()
                .dark_color(Dense1x2::Light)
                .light_color(Dense1x2::Dark)
                .build(),
            Err(_) => String::new(),
        }
    }
}

/// Reads the link of an invitation: the code and the CA's fingerprint.
#[must_use]
pub fn read_url(url: &str) -> Option<(Code, Fingerprint)> {
    let (_, fragment) = url.split_once('#')?;
    let value = |name: &str| {
        fragment
            .split('&')
            .find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
    };
    Some((value("code")?.parse().ok()?, value("ca")?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_read_as_people_type_them() {
        let code: Code = "abcd-2345".parse().unwrap();
        assert_eq!(code.to_string(), "ABCD-2345");
        assert_eq!(" ab cd23 45 ".parse(), Ok(code.clone()));
        for wrong in [
            "",
            "ABCD-234",
            "ABCD-23456",
            "ABCD-2340",
            "ABCD-234I",
            "ÄBCD-2345",
        ] {
            assert_eq!(wrong.parse::<Code>(), Err(CodeError), "{wrong}");
        }
        assert_eq!(format!("{code:?}"), "Code(…)");
        assert_ne!(Code::random().unwrap(), Code::random().unwrap());
    }

    #[test]
    fn a_proof_holds_for_its_own_code_request_and_ca_only() {
        let (ours, theirs) = (Fingerprint::of(b"our CA"), Fingerprint::of(b"their CA"));
        let code: Code = "ABCD-2345".parse().unwrap();
        let key = InvitationKey::derive(&code, &ours);
        let proof = key.join_proof(b"request", &ours);
        assert!(key.proves_join(b"request", &ours, &proof));
        assert!(!key.proves_join(b"another", &ours, &proof));
        assert!(!key.proves_join(b"request", &theirs, &proof));
        assert!(!key.proves_join(b"request", &ours, b""));
        // Somebody in between shows the joiner another CA: the proof made from it is worth nothing to the hub.
        let misled = InvitationKey::derive(&code, &theirs);
        assert!(!key.proves_join(b"request", &ours, &misled.join_proof(b"request", &ours)));
        let other = InvitationKey::derive(&"ABCD-2346".parse().unwrap(), &ours);
        assert!(!other.proves_join(b"request", &ours, &proof));
        // A joiner's proof is no hub's proof.
        let fields: DeviceFields = serde_json::from_str(r#"{"name":"Kitchen"}"#).unwrap();
        let answer = JoinedAnswer {
            request: b"request",
            certificate: ours.as_bytes(),
            ca: b"",
            device: DeviceId::random().unwrap(),
            kind: DeviceKind::Speaker,
            fields: &fields,
            not_after: UnixMs(1),
        };
        assert!(!key.proves_joined(&answer, &proof));
        // The hub's proof holds for exactly what it answered.
        let proof = key.joined_proof(&answer);
        assert!(key.proves_joined(&answer, &proof));
        let other: DeviceFields = serde_json::from_str(r#"{"name":"Hall"}"#).unwrap();
        for changed in [
            JoinedAnswer {
                request: b"another",
                ..answer
            },
            JoinedAnswer {
                certificate: b"another",
                ..answer
            },
            JoinedAnswer {
                ca: b"another",
                ..answer
            },
            JoinedAnswer {
                device: DeviceId::random().unwrap(),
                ..answer
            },
            JoinedAnswer {
                kind: DeviceKind::Phone,
                ..answer
            },
            JoinedAnswer {
                fields: &other,
                ..answer
            },
            JoinedAnswer {
                not_after: UnixMs(2),
                ..answer
            },
        ] {
            assert!(!key.proves_joined(&changed, &proof), "{changed:?}");
        }
    }

    #[test]
    fn the_link_carries_code_and_fingerprint_behind_the_fragment() {
        let ca = Fingerprint::of(b"CA");
        let code: Code = "ABCD-2345".parse().unwrap();
        let invited = Invited::new(
            Invitation {
                id: InvitationId::random().unwrap(),
                kind: DeviceKind::Speaker,
                fields: serde_json::from_str(r#"{"name":"Kitchen"}"#).unwrap(),
                state: InvitationState::Open,
                wrong_tries: 0,
                created_at_ms: UnixMs(0),
                expires_at_ms: UnixMs(1),
            },
            code.clone(),
            "https://127.0.0.1:8443",
            &ca,
        );
        assert_eq!(read_url(&invited.url), Some((code, ca)));
        assert!(!invited.url.split('#').next().unwrap().contains("ABCD"));
        let qr = invited.qr();
        assert!(
            qr.lines().count() > 10 && qr.contains('█') && qr.contains('▀'),
            "{qr}"
        );
        let modules = invited.qr_modules();
        assert!(modules.len() >= 21 && modules.iter().all(|row| row.len() == modules.len()));
        assert!(modules[0].starts_with("11111110"), "a finder pattern");
        assert!(read_url("https://x/join").is_none());
    }
}
