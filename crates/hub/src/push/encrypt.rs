//! Message encryption for Web Push (RFC 8291) in the coding `aes128gcm` (RFC 8188): one record, a fresh key each time.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::agreement::{ECDH_P256, EphemeralPrivateKey, UnparsedPublicKey, agree_ephemeral};
use ring::hkdf::{HKDF_SHA256, KeyType, Salt};
use ring::rand::SystemRandom;

use crate::entropy::random;

/// Uncompressed point of P-256.
const POINT_BYTES: usize = 65;
const SALT_BYTES: usize = 16;
const AUTH_BYTES: usize = 16;
/// Record size (RFC 8188 section 2.1), as in the RFC's example.
const RECORD_BYTES: u32 = 4_096;
/// Longest text: a service takes 4,096 bytes (RFC 8030 section 7.2), less head, delimiter and tag.
pub(super) const TEXT_BYTES_MAX: usize = 3_900;

/// What a browser's subscription gives for encryption.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct BrowserKeys {
    point: [u8; POINT_BYTES],
    auth: [u8; AUTH_BYTES],
}

impl std::fmt::Debug for BrowserKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("BrowserKeys")
    }
}

/// Why nothing can be encrypted for a browser.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EncryptError {
    /// Not the keys of a subscription.
    #[error("p256dh is a point of P-256 (65 bytes) and auth 16 bytes, both in base64url")]
    Keys,
    /// More than fits one record.
    #[error("a push holds at most {TEXT_BYTES_MAX} bytes")]
    Long,
    /// The system gives no random bytes.
    #[error("no randomness")]
    Randomness,
}

impl BrowserKeys {
    /// Reads `p256dh` and `auth` as browsers write them.
    ///
    /// # Errors
    /// [`EncryptError::Keys`].
    pub fn read(p256dh: &str, auth: &str) -> Result<Self, EncryptError> {
        let decode = |text: &str| {
            let text = text.trim_end_matches('=');
            URL_SAFE_NO_PAD.decode(text).map_err(|_| EncryptError::Keys)
        };
        let point: [u8; POINT_BYTES] =
            decode(p256dh)?.try_into().map_err(|_| EncryptError::Keys)?;
        let auth = decode(auth)?.try_into().map_err(|_| EncryptError::Keys)?;
        if point[0] != 4 {
            return Err(EncryptError::Keys);
        }
        Ok(Self { point, auth })
    }
}

/// The body of a push.
///
/// # Errors
/// [`EncryptError`].
pub(crate) fn encrypt(text: &[u8], browser: &BrowserKeys) -> Result<Vec<u8>, EncryptError> {
    let own = EphemeralPrivateKey::generate(&ECDH_P256, &SystemRandom::new())
        .map_err(|_| EncryptError::Randomness)?;
    let own_point = own
        .compute_public_key()
        .ok()
        .and_then(|point| <[u8; POINT_BYTES]>::try_from(point.as_ref()).ok())
        .ok_or(EncryptError::Randomness)?;
    let salt = random().map_err(|_| EncryptError::Randomness)?;
    let theirs = UnparsedPublicKey::new(&ECDH_P256, browser.point);
    // A point that is not on the curve is refused here.
    agree_ephemeral(own, &theirs, |secret| {
        seal(text, browser, &own_point, &salt, secret)
    })
    .map_err(|_| EncryptError::Keys)?
}

/// Length of what HKDF gives.
struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

/// `HKDF-Expand(HKDF-Extract(salt, secret), info, N)` (RFC 5869).
fn hkdf<const N: usize>(salt: &[u8], secret: &[u8], info: &[&[u8]]) -> Option<[u8; N]> {
    let key = Salt::new(HKDF_SHA256, salt).extract(secret);
    let mut out = [0; N];
    key.expand(info, Length(N)).ok()?.fill(&mut out).ok()?;
    Some(out)
}

/// Content key and nonce (RFC 8291 section 3.4).
fn keys(
    browser: &BrowserKeys,
    own_point: &[u8; POINT_BYTES],
    salt: &[u8; SALT_BYTES],
    secret: &[u8],
) -> Option<([u8; 16], [u8; 12])> {
    let info: [&[u8]; 3] = [b"WebPush: info\0", &browser.point, own_point];
    let ikm: [u8; 32] = hkdf(&browser.auth, secret, &info)?;
    let key = hkdf(salt, &ikm, &[b"Content-Encoding: aes128gcm\0"])?;
    let nonce = hkdf(salt, &ikm, &[b"Content-Encoding: nonce\0"])?;
    Some((key, nonce))
}

fn seal(
    text: &[u8],
    browser: &BrowserKeys,
    own_point: &[u8; POINT_BYTES],
    salt: &[u8; SALT_BYTES],
    secret: &[u8],
) -> Result<Vec<u8>, EncryptError> {
    if text.len() > TEXT_BYTES_MAX {
        return Err(EncryptError::Long);
    }
    let (key, nonce) = keys(browser, own_point, salt, secret).ok_or(EncryptError::Keys)?;
    let key = UnboundKey::new(&AES_128_GCM, &key).map_err(|_| EncryptError::Keys)?;
    // Delimiter of the last record (RFC 8188 section 2).
    let mut record = [text, &[2]].concat();
    LessSafeKey::new(key)
        .seal_in_place_append_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::empty(),
            &mut record,
        )
        .map_err(|_| EncryptError::Long)?;
    let mut body = Vec::with_capacity(SALT_BYTES + 5 + POINT_BYTES + record.len());
    body.extend_from_slice(salt);
    body.extend_from_slice(&RECORD_BYTES.to_be_bytes());
    body.push(POINT_BYTES as u8);
    body.extend_from_slice(own_point);
    body.extend_from_slice(&record);
    Ok(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes<const N: usize>(text: &str) -> [u8; N] {
        URL_SAFE_NO_PAD.decode(text).unwrap().try_into().unwrap()
    }

    // RFC 8291 section 5 and appendix A.
    const P256DH: &str =
        "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
    const AUTH: &str = "BTBZMqHH6r4Tts7J_aSIgg";
    const OWN: &str =
        "BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8";
    const SALT: &str = "DGv6ra1nlYgDCS1FRnbzlw";
    const SECRET: &str = "kyrL1jIIOHEzg3sM2ZWRHDRB62YACZhhSlknJ672kSs";
    const BODY: &str = "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN";

    #[test]
    fn the_example_of_the_rfc_comes_out_byte_for_byte() {
        let browser = BrowserKeys::read(P256DH, AUTH).unwrap();
        let (key, nonce) = keys(&browser, &bytes(OWN), &bytes(SALT), &bytes::<32>(SECRET)).unwrap();
        assert_eq!(key, bytes("oIhVW04MRdy2XN9CiKLxTg"));
        assert_eq!(nonce, bytes("4h_95klXJ5E_qnoN"));
        let body = seal(
            b"When I grow up, I want to be a watermelon",
            &browser,
            &bytes(OWN),
            &bytes(SALT),
            &bytes::<32>(SECRET),
        );
        assert_eq!(URL_SAFE_NO_PAD.encode(body.unwrap()), BODY);
    }

    #[test]
    fn a_browser_reads_what_was_written_for_it_and_each_is_written_anew() {
        let theirs = EphemeralPrivateKey::generate(&ECDH_P256, &SystemRandom::new()).unwrap();
        let point = theirs.compute_public_key().unwrap();
        let p256dh = URL_SAFE_NO_PAD.encode(point.as_ref());
        let browser = BrowserKeys::read(&p256dh, AUTH).unwrap();
        let body = encrypt(b"{\"kind\":\"message\"}", &browser).unwrap();
        assert_ne!(body, encrypt(b"{\"kind\":\"message\"}", &browser).unwrap());
        let salt: [u8; 16] = body[..16].try_into().unwrap();
        let own: [u8; 65] = body[21..86].try_into().unwrap();
        let ours = UnparsedPublicKey::new(&ECDH_P256, own);
        let text = agree_ephemeral(theirs, &ours, |secret| {
            let (key, nonce) = keys(&browser, &own, &salt, secret).unwrap();
            let key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &key).unwrap());
            let nonce = Nonce::assume_unique_for_key(nonce);
            let mut record = body[86..].to_vec();
            let text = key.open_in_place(nonce, Aad::empty(), &mut record).unwrap();
            text.to_vec()
        });
        assert_eq!(text.unwrap(), b"{\"kind\":\"message\"}\x02");
    }

    #[test]
    fn keys_that_are_none_and_texts_that_are_too_long_are_refused() {
        for (p256dh, auth) in [
            ("", AUTH),
            (P256DH, ""),
            (&P256DH[4..], AUTH),
            ("****", AUTH),
        ] {
            assert_eq!(BrowserKeys::read(p256dh, auth), Err(EncryptError::Keys));
        }
        // 65 bytes that begin as a point and are none.
        let mut off = [7; POINT_BYTES];
        off[0] = 4;
        let off = BrowserKeys::read(&URL_SAFE_NO_PAD.encode(off), AUTH).unwrap();
        assert_eq!(encrypt(b"x", &off), Err(EncryptError::Keys));
        let browser = BrowserKeys::read(P256DH, AUTH).unwrap();
        assert_eq!(encrypt(&[0; 4_000], &browser), Err(EncryptError::Long));
    }
}
