//! The token and the row around it: written canonically (RFC 8225 section 9), read with limits.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::Value;

use super::media_key::{MEDIA_KEYS_MAX, MediaKey};
use super::{Claims, IdentityError, Party};
use sha2::{Digest as _, Sha256};

/// Octets of a row's value.
pub const IDENTITY_BYTES_MAX: usize = 8 * 1024;
/// Octets of a certificate in it.
pub const CERTIFICATE_BYTES_MAX: usize = 2 * 1024;
/// Letters of an address or a Call-ID.
const TEXT_BYTES_MAX: usize = 512;
/// ES256: r and s.
const SIGNATURE_BYTES: usize = 64;
/// Ties the token to a call; a private name (RFC 7519 section 4.3).
const CALL_ID: &str = "urn:hearthline:call-id";
/// Names the certificate that comes along, by its digest.
const CERTIFICATE_URN: &str = "urn:hearthline:certificate:";

/// A token that reads; whether it is true is for the checks to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passport {
    /// What it says.
    pub claims: Claims,
    /// The signer's certificate, DER.
    pub certificate: Vec<u8>,
    /// What is signed: header and payload, encoded, with a dot between.
    pub signed: Vec<u8>,
    /// ES256 over it, 64 octets.
    pub signature: Vec<u8>,
}

pub(super) fn write(
    claims: &Claims,
    certificate: &[u8],
    sign: impl FnOnce(&[u8]) -> Option<Vec<u8>>,
) -> Result<String, IdentityError> {
    if certificate.len() > CERTIFICATE_BYTES_MAX {
        return Err(IdentityError::Malformed("the certificate is over 2 KiB"));
    }
    let name = certificate_name(certificate);
    let header = format!(
        r#"{{"alg":"ES256","typ":"passport","x5c":["{}"],"x5u":"{name}"}}"#,
        STANDARD.encode(certificate)
    );
    let text = |text: &str| Value::from(text).to_string();
    let (dest, orig) = (claims.destination.claim(), claims.origin.claim());
    let keys: Vec<String> = claims
        .media_keys
        .iter()
        .map(|key| {
            format!(
                r#"{{"alg":{},"dig":{}}}"#,
                text(&key.hash),
                text(&key.digest)
            )
        })
        .collect();
    let payload = format!(
        r#"{{"dest":{{"{}":[{}]}},"iat":{},"mky":[{}],"orig":{{"{}":{}}},"{CALL_ID}":{}}}"#,
        dest.0,
        text(dest.1),
        claims.issued_at,
        keys.join(","),
        orig.0,
        text(orig.1),
        text(&claims.call_id),
    );
    let signed = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(header),
        URL_SAFE_NO_PAD.encode(payload)
    );
    let signature = sign(signed.as_bytes()).filter(|made| made.len() == SIGNATURE_BYTES);
    let signature = URL_SAFE_NO_PAD.encode(signature.ok_or(IdentityError::NotSigned)?);
    let row = format!("{signed}.{signature};info=<{name}>;alg=ES256");
    // What we could not read ourselves is not sent.
    Passport::parse(row.as_bytes())?;
    Ok(row)
}

impl Passport {
    /// Reads a row's value: a token in its full form with the certificate inside.
    ///
    /// # Errors
    /// [`IdentityError::Malformed`].
    pub fn parse(row: &[u8]) -> Result<Passport, IdentityError> {
        let wrong = IdentityError::Malformed;
        if row.len() > IDENTITY_BYTES_MAX {
            return Err(wrong("over 8 KiB"));
        }
        let row = std::str::from_utf8(row).map_err(|_| wrong("not ASCII"))?;
        let (token, params) = row.trim().split_once(';').ok_or(wrong("no info"))?;
        let (mut info, mut algorithm) = (None, "ES256");
        for param in params.split(';') {
            let (name, value) = param.split_once('=').unwrap_or((param, ""));
            match name.trim() {
                "info" => {
                    let value = value.trim();
                    info = value.strip_prefix('<').and_then(|v| v.strip_suffix('>'));
                }
                "alg" => algorithm = value.trim(),
                // A token of another kind has rules of its own (RFC 8224 section 6.2).
                "ppt" => return Err(wrong("ppt is not known")),
                _ => {}
            }
        }
        if algorithm != "ES256" {
            return Err(wrong("alg is not ES256"));
        }
        let info = info.ok_or(wrong("no info"))?;
        let mut parts = token.trim().split('.');
        let (Some(header), Some(payload), Some(signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(wrong("not the three parts of a full token"));
        };
        let signed = format!("{header}.{payload}").into_bytes();
        let decoded = |part: &str| {
            let octets = URL_SAFE_NO_PAD.decode(part);
            octets.map_err(|_| wrong("a part is not base64url"))
        };
        let signature = decoded(signature)?;
        if signature.len() != SIGNATURE_BYTES {
            return Err(wrong("the signature has not 64 octets"));
        }
        let certificate = read_header(&decoded(header)?, info)?;
        let claims = read_payload(&decoded(payload)?)?;
        Ok(Passport {
            claims,
            certificate,
            signed,
            signature,
        })
    }
}

fn certificate_name(certificate: &[u8]) -> String {
    let digest = Sha256::digest(certificate);
    let digits: String = digest.iter().map(|octet| format!("{octet:02x}")).collect();
    format!("{CERTIFICATE_URN}{digits}")
}

fn read_header(json: &[u8], info: &str) -> Result<Vec<u8>, IdentityError> {
    let wrong = IdentityError::Malformed;
    let header: Value =
        serde_json::from_slice(json).map_err(|_| wrong("the header is not JSON"))?;
    let text = |name: &str| header.get(name).and_then(Value::as_str);
    if text("alg") != Some("ES256") || text("typ") != Some("passport") {
        return Err(wrong("the header is not an ES256 passport's"));
    }
    // RFC 7515 section 4.1.11: what must be understood and is not.
    if header.get("crit").is_some() || header.get("ppt").is_some() {
        return Err(wrong("the header asks for what is not known"));
    }
    if text("x5u") != Some(info) {
        return Err(wrong("info is not the header's x5u"));
    }
    let chain = header.get("x5c").and_then(Value::as_array);
    let leaf = chain.and_then(|chain| chain.first()?.as_str());
    let leaf = leaf.ok_or(wrong("the header has no certificate"))?;
    let certificate = STANDARD.decode(leaf);
    let certificate = certificate.map_err(|_| wrong("the certificate is not base64"))?;
    if certificate.len() > CERTIFICATE_BYTES_MAX {
        return Err(wrong("the certificate is over 2 KiB"));
    }
    if info.starts_with(CERTIFICATE_URN) && info != certificate_name(&certificate) {
        return Err(wrong("info names another certificate"));
    }
    Ok(certificate)
}

fn read_payload(json: &[u8]) -> Result<Claims, IdentityError> {
    let wrong = IdentityError::Malformed;
    let payload: Value =
        serde_json::from_slice(json).map_err(|_| wrong("the payload is not JSON"))?;
    let claim = |name: &str| payload.get(name);
    let origin = party(claim("orig"), |value| value.as_str())
        .ok_or(wrong("orig is not one number or address"))?;
    let destination = party(claim("dest"), |value| match value.as_array()?.as_slice() {
        [one] => one.as_str(),
        _ => None,
    })
    .ok_or(wrong("dest is not one number or address"))?;
    let issued_at = claim("iat").and_then(Value::as_u64);
    let call_id = claim(CALL_ID).and_then(Value::as_str);
    let call_id = call_id.filter(|id| (1..=TEXT_BYTES_MAX).contains(&id.len()));
    let keys = claim("mky").and_then(Value::as_array);
    let keys = keys.filter(|keys| (1..=MEDIA_KEYS_MAX).contains(&keys.len()));
    let mut media_keys = Vec::new();
    for key in keys.ok_or(wrong("mky is not 1 to 16 fingerprints"))? {
        let text = |name: &str| key.get(name).and_then(Value::as_str);
        let read = text("alg").zip(text("dig"));
        let read = read.and_then(|(hash, digest)| MediaKey::new(hash, digest));
        media_keys.push(read.ok_or(wrong("mky has something that is no fingerprint"))?);
    }
    if !media_keys.is_sorted_by(|a, b| a < b) {
        return Err(wrong("mky is not sorted"));
    }
    Ok(Claims {
        origin,
        destination,
        issued_at: issued_at.ok_or(wrong("iat is no time"))?,
        call_id: call_id
            .ok_or(wrong("the Call-ID claim is missing"))?
            .to_owned(),
        media_keys,
    })
}

fn party<'a>(
    claim: Option<&'a Value>,
    one: impl Fn(&'a Value) -> Option<&'a str>,
) -> Option<Party> {
    let claim = claim?.as_object()?;
    // Exactly one identity: several would let a reader pick.
    if claim.len() != 1 {
        return None;
    }
    let (name, value) = claim.iter().next()?;
    let text = one(value).filter(|text| (1..=TEXT_BYTES_MAX).contains(&text.len()))?;
    match name.as_str() {
        "tn" => text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || matches!(byte, b'*' | b'#'))
            .then(|| Party::Number(text.to_owned())),
        "uri" => Some(Party::Address(text.to_owned())),
        _ => None,
    }
}
