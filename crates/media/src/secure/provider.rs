//! The cryptography under DTLS and ICE, all of it `ring`'s: the provider that the rest of the workspace
//! has for TLS. (`dimpl` brings none of its own when its features are off.)
//!
//! One suite for each version of DTLS, both AES-128-GCM with SHA-256, which every implementation must
//! have; X25519 and P-256; ECDSA on P-256, the key that every device enrols with.

use std::fmt;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use aes::Aes128;
use aes::cipher::{BlockCipherEncrypt as _, KeyInit as _};
use dimpl::crypto::{
    Aad, ActiveKeyExchange, Buf, Cipher, CryptoProvider, Dtls12CipherSuite, Dtls13CipherSuite,
    HashAlgorithm, HashContext, HashProvider, HmacProvider, KeyProvider, NamedGroup, Nonce,
    SecureRandom, SignatureAlgorithm, SignatureVerifier, SigningKey, SupportedDtls12CipherSuite,
    SupportedDtls13CipherSuite, SupportedKxGroup, TmpBuf, check_verify_scheme,
};
use dimpl::{Config, CryptoError, CryptoOperation};
use ring::rand::{SecureRandom as _, SystemRandom};
use ring::{aead, agreement, digest, hmac, signature};

use super::certificate::{Curve, public_key};

/// First repetition of a flight that got no answer; the interval doubles.
const FLIGHT_RTO: Duration = Duration::from_millis(400);
/// With the doubling, more than [`HANDSHAKE_MAX`].
const FLIGHT_RETRIES: usize = 8;
/// The whole handshake.
const HANDSHAKE_MAX: Duration = Duration::from_secs(15);

/// The configuration of every handshake. Making it checks the provider against test vectors, so it is
/// made once.
pub(super) fn config() -> Arc<Config> {
    static CONFIG: LazyLock<Arc<Config>> = LazyLock::new(|| {
        let config = Config::builder()
            .with_crypto_provider(PROVIDER)
            // ICE has shown that the peer is where it says, so no cookie is needed.
            .use_server_cookie(false)
            .require_client_certificate(true)
            .flight_start_rto(FLIGHT_RTO)
            .flight_retries(FLIGHT_RETRIES)
            .handshake_timeout(HANDSHAKE_MAX)
            .build();
        Arc::new(config.expect("the provider passes its vectors and the limits are in range"))
    });
    Arc::clone(&CONFIG)
}

const PROVIDER: CryptoProvider = CryptoProvider {
    kx_groups: &[
        &Group {
            name: NamedGroup::X25519,
            algorithm: &agreement::X25519,
        },
        &Group {
            name: NamedGroup::Secp256r1,
            algorithm: &agreement::ECDH_P256,
        },
    ],
    signature_verification: &Verifier,
    key_provider: &Keys,
    secure_random: &Random,
    hash_provider: &Hashes,
    hmac_provider: &Hmacs,
    cipher_suites: &[&Aes128GcmSha256],
    dtls13_cipher_suites: &[&Aes128GcmSha256],
};

fn failed(operation: CryptoOperation) -> CryptoError {
    CryptoError::OperationFailed(operation)
}

#[derive(Debug)]
struct Random;

impl SecureRandom for Random {
    fn fill(&self, buf: &mut [u8]) -> Result<(), CryptoError> {
        SystemRandom::new()
            .fill(buf)
            .map_err(|_| failed(CryptoOperation::FillRandom))
    }
}

/// Key exchange.
struct Group {
    name: NamedGroup,
    algorithm: &'static agreement::Algorithm,
}

impl fmt::Debug for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Group({:?})", self.name)
    }
}

impl SupportedKxGroup for Group {
    fn name(&self) -> NamedGroup {
        self.name
    }

    fn start_exchange(&self, mut public: Buf) -> Result<Box<dyn ActiveKeyExchange>, CryptoError> {
        let private =
            agreement::EphemeralPrivateKey::generate(self.algorithm, &SystemRandom::new())
                .map_err(|_| failed(CryptoOperation::GenerateEphemeralKey))?;
        let key = private
            .compute_public_key()
            .map_err(|_| failed(CryptoOperation::ComputePublicKey))?;
        public.clear();
        public.extend_from_slice(key.as_ref());
        Ok(Box::new(Exchange {
            name: self.name,
            private,
            public,
        }))
    }
}

struct Exchange {
    name: NamedGroup,
    private: agreement::EphemeralPrivateKey,
    public: Buf,
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Exchange({:?})", self.name)
    }
}

impl ActiveKeyExchange for Exchange {
    fn pub_key(&self) -> &[u8] {
        &self.public
    }

    fn complete(self: Box<Self>, peer_pub: &[u8], out: &mut Buf) -> Result<(), CryptoError> {
        let peer = agreement::UnparsedPublicKey::new(self.private.algorithm(), peer_pub);
        let name = self.name;
        agreement::agree_ephemeral(self.private, &peer, |secret| {
            out.clear();
            out.extend_from_slice(secret);
        })
        .map_err(|_| CryptoError::InvalidPublicKey(name))
    }

    fn group(&self) -> NamedGroup {
        self.name
    }
}

/// Signatures of the peer.
#[derive(Debug)]
struct Verifier;

impl SignatureVerifier for Verifier {
    fn verify_signature(
        &self,
        cert_der: &[u8],
        data: &[u8],
        signature: &[u8],
        hash_alg: HashAlgorithm,
        sig_alg: SignatureAlgorithm,
    ) -> Result<(), CryptoError> {
        let key = public_key(cert_der).ok_or(CryptoError::CertificateParseFailed)?;
        let group = match key.curve {
            Curve::P256 => NamedGroup::Secp256r1,
            Curve::P384 => NamedGroup::Secp384r1,
        };
        check_verify_scheme(sig_alg, hash_alg, group)?;
        let algorithm: &dyn signature::VerificationAlgorithm = match (key.curve, hash_alg) {
            (Curve::P256, HashAlgorithm::SHA256) => &signature::ECDSA_P256_SHA256_ASN1,
            (Curve::P256, HashAlgorithm::SHA384) => &signature::ECDSA_P256_SHA384_ASN1,
            (Curve::P384, HashAlgorithm::SHA256) => &signature::ECDSA_P384_SHA256_ASN1,
            (Curve::P384, HashAlgorithm::SHA384) => &signature::ECDSA_P384_SHA384_ASN1,
            _ => return Err(CryptoError::UnsupportedSignatureAlgorithm(sig_alg)),
        };
        signature::UnparsedPublicKey::new(algorithm, key.point)
            .verify(data, signature)
            .map_err(|_| CryptoError::SignatureVerificationFailed {
                signature: sig_alg,
                hash: hash_alg,
                group,
            })
    }
}

/// Our own key.
#[derive(Debug)]
struct Keys;

/// Reads a P-256 key in PKCS #8.
pub(super) fn signing_key(pkcs8: &[u8]) -> Option<signature::EcdsaKeyPair> {
    let algorithm = &signature::ECDSA_P256_SHA256_ASN1_SIGNING;
    signature::EcdsaKeyPair::from_pkcs8(algorithm, pkcs8, &SystemRandom::new()).ok()
}

impl KeyProvider for Keys {
    fn load_private_key(&self, key_der: &[u8]) -> Result<Box<dyn SigningKey>, CryptoError> {
        let key = signing_key(key_der).ok_or(CryptoError::InvalidPrivateKey)?;
        Ok(Box::new(OwnKey(key)))
    }
}

struct OwnKey(signature::EcdsaKeyPair);

impl fmt::Debug for OwnKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OwnKey")
    }
}

impl SigningKey for OwnKey {
    fn sign(
        &mut self,
        data: &[u8],
        hash_alg: HashAlgorithm,
        out: &mut Buf,
    ) -> Result<(), CryptoError> {
        if hash_alg != HashAlgorithm::SHA256 {
            return Err(CryptoError::SigningKeyUnsupportedHash {
                group: NamedGroup::Secp256r1,
                hash: hash_alg,
            });
        }
        let signature = self.0.sign(&SystemRandom::new(), data);
        let signature = signature.map_err(|_| failed(CryptoOperation::Sign))?;
        out.clear();
        out.extend_from_slice(signature.as_ref());
        Ok(())
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::ECDSA
    }

    fn hash_algorithm(&self) -> HashAlgorithm {
        HashAlgorithm::SHA256
    }

    fn supported_hash_algorithms(&self) -> &[HashAlgorithm] {
        &[HashAlgorithm::SHA256]
    }
}

#[derive(Debug)]
struct Hashes;

impl HashProvider for Hashes {
    fn create_hash(&self, algorithm: HashAlgorithm) -> Box<dyn HashContext> {
        // Our suites hash with SHA-256 only; SHA-384 is here for whoever extends them.
        let algorithm = match algorithm {
            HashAlgorithm::SHA384 => &digest::SHA384,
            _ => &digest::SHA256,
        };
        Box::new(Hash(digest::Context::new(algorithm)))
    }
}

struct Hash(digest::Context);

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hash")
    }
}

impl HashContext for Hash {
    fn update(&mut self, data: &[u8]) {
        self.0.update(data);
    }

    fn clone_and_finalize(&self, out: &mut Buf) {
        out.clear();
        out.extend_from_slice(self.0.clone().finish().as_ref());
    }
}

#[derive(Debug)]
struct Hmacs;

impl HmacProvider for Hmacs {
    fn hmac(
        &self,
        hash: HashAlgorithm,
        key: &[u8],
        data: &[u8],
        out: &mut [u8],
    ) -> Result<usize, CryptoError> {
        let algorithm = match hash {
            HashAlgorithm::SHA256 => hmac::HMAC_SHA256,
            HashAlgorithm::SHA384 => hmac::HMAC_SHA384,
            _ => return Err(CryptoError::UnsupportedHmacHash(hash)),
        };
        let tag = hmac::sign(&hmac::Key::new(algorithm, key), data);
        let tag = tag.as_ref();
        let place = out.get_mut(..tag.len());
        let place = place.ok_or(failed(CryptoOperation::ComputeHmac))?;
        place.copy_from_slice(tag);
        Ok(tag.len())
    }
}

/// The one suite, for DTLS 1.2 and 1.3.
#[derive(Debug)]
struct Aes128GcmSha256;

const TAG_BYTES: usize = 16;

impl Aes128GcmSha256 {
    fn cipher(key: &[u8]) -> Result<Box<dyn Cipher>, CryptoError> {
        let key = aead::UnboundKey::new(&aead::AES_128_GCM, key)
            .map_err(|_| failed(CryptoOperation::CreateCipher))?;
        Ok(Box::new(Aes128Gcm(aead::LessSafeKey::new(key))))
    }
}

impl SupportedDtls12CipherSuite for Aes128GcmSha256 {
    fn suite(&self) -> Dtls12CipherSuite {
        Dtls12CipherSuite::ECDHE_ECDSA_AES128_GCM_SHA256
    }

    fn hash_algorithm(&self) -> HashAlgorithm {
        HashAlgorithm::SHA256
    }

    fn key_lengths(&self) -> (usize, usize, usize) {
        (0, 16, 4)
    }

    fn explicit_nonce_len(&self) -> usize {
        8
    }

    fn tag_len(&self) -> usize {
        TAG_BYTES
    }

    fn create_cipher(&self, key: &[u8]) -> Result<Box<dyn Cipher>, CryptoError> {
        Self::cipher(key)
    }
}

impl SupportedDtls13CipherSuite for Aes128GcmSha256 {
    fn suite(&self) -> Dtls13CipherSuite {
        Dtls13CipherSuite::AES_128_GCM_SHA256
    }

    fn hash_algorithm(&self) -> HashAlgorithm {
        HashAlgorithm::SHA256
    }

    fn key_len(&self) -> usize {
        16
    }

    fn iv_len(&self) -> usize {
        12
    }

    fn tag_len(&self) -> usize {
        TAG_BYTES
    }

    fn create_cipher(&self, key: &[u8]) -> Result<Box<dyn Cipher>, CryptoError> {
        Self::cipher(key)
    }

    fn encrypt_sn(&self, sn_key: &[u8], sample: &[u8; 16]) -> [u8; 16] {
        let mut mask = *sample;
        if let Ok(key) = Aes128::new_from_slice(sn_key) {
            key.encrypt_block((&mut mask).into());
        }
        mask
    }
}

struct Aes128Gcm(aead::LessSafeKey);

impl fmt::Debug for Aes128Gcm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Aes128Gcm")
    }
}

impl Cipher for Aes128Gcm {
    fn encrypt(&mut self, plaintext: &mut Buf, aad: Aad, nonce: Nonce) -> Result<(), CryptoError> {
        let nonce = aead::Nonce::assume_unique_for_key(nonce.0);
        let aad = aead::Aad::from(&*aad);
        let tag = self.0.seal_in_place_separate_tag(nonce, aad, plaintext);
        let tag = tag.map_err(|_| failed(CryptoOperation::Encrypt))?;
        plaintext.extend_from_slice(tag.as_ref());
        Ok(())
    }

    fn decrypt(
        &mut self,
        ciphertext: &mut TmpBuf<'_>,
        aad: Aad,
        nonce: Nonce,
    ) -> Result<(), CryptoError> {
        let nonce = aead::Nonce::assume_unique_for_key(nonce.0);
        let aad = aead::Aad::from(&*aad);
        let clear = self.0.open_in_place(nonce, aad, ciphertext.as_mut());
        let bytes = clear.map_err(|_| failed(CryptoOperation::Decrypt))?.len();
        ciphertext.truncate(bytes);
        Ok(())
    }
}

/// HMAC-SHA1 of the connectivity checks (RFC 8489 section 14.5).
#[derive(Debug)]
pub(super) struct CheckIntegrity;

impl is::Sha1HmacProvider for CheckIntegrity {
    fn sha1_hmac(&self, key: &[u8], payloads: &[&[u8]]) -> [u8; 20] {
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, key);
        let mut context = hmac::Context::with_key(&key);
        for payload in payloads {
            context.update(payload);
        }
        let mut tag = [0; 20];
        tag.copy_from_slice(context.sign().as_ref());
        tag
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `dimpl` checks hashes, PRF, AEAD, record number mask, key exchange and signatures by vectors here.
    #[test]
    fn the_provider_passes_its_vectors() {
        let _ = config();
    }
}
