//! Who pushes: a signed token with each request (RFC 8292), ES256 (RFC 7518 section 3.4).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::json;

use crate::clock::UnixMs;

/// How long a token is good; a day at most is allowed (section 2).
const GOOD_S: i64 = 12 * 3_600;

/// The hub's key for pushing. Browsers bind their subscriptions to it, so it stays.
pub(crate) struct Vapid(EcdsaKeyPair);

impl Vapid {
    /// A new key, as it is kept (PKCS #8, base64url).
    pub(crate) fn generate() -> Option<String> {
        let document =
            EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new());
        document
            .ok()
            .map(|document| URL_SAFE_NO_PAD.encode(document.as_ref()))
    }

    /// The key that is kept so.
    pub(crate) fn read(kept: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(kept).ok()?;
        EcdsaKeyPair::from_pkcs8(
            &ECDSA_P256_SHA256_FIXED_SIGNING,
            &bytes,
            &SystemRandom::new(),
        )
        .ok()
        .map(Self)
    }

    /// What a page gives the browser as `applicationServerKey`.
    pub(crate) fn public_key(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0.public_key().as_ref())
    }

    /// The `Authorization` for a service of this origin; `who` is where its owner is asked (section 2.1).
    pub(crate) fn authorization(&self, origin: &str, who: &str, now: UnixMs) -> Option<String> {
        let head = json!({"typ": "JWT", "alg": "ES256"});
        let claims = json!({"aud": origin, "exp": now.0 / 1000 + GOOD_S, "sub": who});
        let encode = |value: &serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", encode(&head), encode(&claims));
        let signature = self.0.sign(&SystemRandom::new(), signed.as_bytes()).ok()?;
        let signature = URL_SAFE_NO_PAD.encode(signature.as_ref());
        Some(format!(
            "vapid t={signed}.{signature}, k={}",
            self.public_key()
        ))
    }
}

#[cfg(test)]
mod tests {
    use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};

    use super::*;

    #[test]
    fn the_token_names_its_service_and_is_signed_by_the_key_beside_it() {
        let kept = Vapid::generate().unwrap();
        let vapid = Vapid::read(&kept).unwrap();
        assert_eq!(vapid.public_key(), Vapid::read(&kept).unwrap().public_key());
        assert!(Vapid::read("no key").is_none());
        let now = UnixMs(1_700_000_000_000);
        let text = vapid
            .authorization("http://127.0.0.1:9000", "https://127.0.0.1:8443", now)
            .unwrap();
        let (token, key) = text
            .strip_prefix("vapid t=")
            .and_then(|rest| rest.split_once(", k="))
            .unwrap();
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let decode = |text: &str| URL_SAFE_NO_PAD.decode(text).unwrap();
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, decode(key))
            .verify(signed.as_bytes(), &decode(signature))
            .unwrap();
        let claims = decode(signed.split_once('.').unwrap().1);
        let claims: serde_json::Value = serde_json::from_slice(&claims).unwrap();
        assert_eq!(claims["aud"], "http://127.0.0.1:9000");
        assert_eq!(claims["exp"], 1_700_000_000 + 43_200);
    }
}
