//! The two transforms: AES counter mode with HMAC-SHA1, and AES-GCM.

use aes::Aes128;
use aes::cipher::{Array, BlockCipherEncrypt as _, KeyInit as _};
use ring::aead::{AES_128_GCM, AES_256_GCM, Aad, Algorithm, LessSafeKey, Nonce, UnboundKey};
use ring::hmac;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::keys::{MasterKey, Purpose};
use super::{RTCP_HEADER_BYTES, SrtpError, SrtpProfile};

const SHA1_TAG_BYTES: usize = 10;
const GCM_TAG_BYTES: usize = 16;
/// Blocks of key stream that are made together: a packet of G.722 is ten.
const BLOCKS: usize = 8;

/// The keys of one direction and purpose.
pub(super) enum Cipher {
    /// RFC 3711 §4.1.1 and §4.2.1.
    CounterMode {
        key: Aes128,
        salt: Zeroizing<[u8; 14]>,
        authentication: hmac::Key,
    },
    /// RFC 7714.
    Gcm {
        key: LessSafeKey,
        salt: Zeroizing<[u8; 14]>,
    },
}

impl Cipher {
    pub(super) fn new(master: &MasterKey, purpose: Purpose) -> Self {
        let (key, salt) = (master.encryption(purpose), master.salt(purpose));
        match master.profile {
            SrtpProfile::Aes128CmSha1_80 => Cipher::CounterMode {
                key: Aes128::new_from_slice(&key).expect("the key has 16 octets"),
                salt,
                authentication: hmac::Key::new(
                    hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
                    &*master.authentication(purpose),
                ),
            },
            SrtpProfile::AeadAes128Gcm => Cipher::gcm(&AES_128_GCM, &key, salt),
            SrtpProfile::AeadAes256Gcm => Cipher::gcm(&AES_256_GCM, &key, salt),
        }
    }

    fn gcm(algorithm: &'static Algorithm, key: &[u8], salt: Zeroizing<[u8; 14]>) -> Self {
        let key = UnboundKey::new(algorithm, key).expect("the key has the profile's length");
        Cipher::Gcm {
            key: LessSafeKey::new(key),
            salt,
        }
    }

    /// Encrypts behind the header and appends the tag.
    pub(super) fn seal_rtp(&self, packet: &mut Vec<u8>, header: usize, ssrc: u32, index: u64) {
        match self {
            Cipher::CounterMode {
                key,
                salt,
                authentication,
            } => {
                counter_mode(key, salt, ssrc, index, &mut packet[header..]);
                let tag = sha1_tag(authentication, packet, (index >> 16) as u32);
                packet.extend_from_slice(&tag);
            }
            Cipher::Gcm { key, salt } => {
                let (header, payload) = packet.split_at_mut(header);
                let nonce = gcm_nonce(salt, ssrc, index);
                let tag = key.seal_in_place_separate_tag(nonce, Aad::from(header), payload);
                packet.extend_from_slice(tag.expect("a packet is short enough").as_ref());
            }
        }
    }

    /// Checks the tag, decrypts, and leaves the packet as it was sent. Lengths are checked by the caller.
    pub(super) fn open_rtp(
        &self,
        packet: &mut Vec<u8>,
        header: usize,
        ssrc: u32,
        index: u64,
    ) -> Result<(), SrtpError> {
        match self {
            Cipher::CounterMode {
                key,
                salt,
                authentication,
            } => {
                let end = packet.len() - SHA1_TAG_BYTES;
                let tag = sha1_tag(authentication, &packet[..end], (index >> 16) as u32);
                authentic(&tag, &packet[end..])?;
                packet.truncate(end);
                counter_mode(key, salt, ssrc, index, &mut packet[header..]);
            }
            Cipher::Gcm { key, salt } => {
                let (header, payload) = packet.split_at_mut(header);
                let nonce = gcm_nonce(salt, ssrc, index);
                key.open_in_place(nonce, Aad::from(header), payload)
                    .map_err(|_| SrtpError::Authentication)?;
                packet.truncate(packet.len() - GCM_TAG_BYTES);
            }
        }
        Ok(())
    }

    /// Encrypts behind the first eight octets; `word` is E and the index.
    pub(super) fn seal_rtcp(&self, packet: &mut Vec<u8>, ssrc: u32, word: u32) {
        let index = u64::from(word & super::RTCP_INDEX_MAX);
        match self {
            Cipher::CounterMode {
                key,
                salt,
                authentication,
            } => {
                counter_mode(key, salt, ssrc, index, &mut packet[RTCP_HEADER_BYTES..]);
                let tag = sha1_tag(authentication, packet, word);
                packet.extend_from_slice(&word.to_be_bytes());
                packet.extend_from_slice(&tag);
            }
            Cipher::Gcm { key, salt } => {
                let (header, payload) = packet.split_at_mut(RTCP_HEADER_BYTES);
                let aad = rtcp_aad(header, word);
                let nonce = gcm_nonce(salt, ssrc, index);
                let tag = key.seal_in_place_separate_tag(nonce, Aad::from(aad), payload);
                packet.extend_from_slice(tag.expect("a packet is short enough").as_ref());
                packet.extend_from_slice(&word.to_be_bytes());
            }
        }
    }

    /// E and the index of a packet whose length was checked.
    pub(super) fn rtcp_index(&self, packet: &[u8]) -> u32 {
        let at = match self {
            Cipher::CounterMode { .. } => packet.len() - SHA1_TAG_BYTES - 4,
            Cipher::Gcm { .. } => packet.len() - 4,
        };
        super::u32_at(packet, at)
    }

    /// Checks the tag and decrypts. Lengths are checked by the caller.
    pub(super) fn open_rtcp(
        &self,
        packet: &mut Vec<u8>,
        ssrc: u32,
        word: u32,
    ) -> Result<(), SrtpError> {
        let index = u64::from(word & super::RTCP_INDEX_MAX);
        match self {
            Cipher::CounterMode {
                key,
                salt,
                authentication,
            } => {
                let end = packet.len() - SHA1_TAG_BYTES - 4;
                let tag = sha1_tag(authentication, &packet[..end], word);
                authentic(&tag, &packet[end + 4..])?;
                packet.truncate(end);
                counter_mode(key, salt, ssrc, index, &mut packet[RTCP_HEADER_BYTES..]);
            }
            Cipher::Gcm { key, salt } => {
                packet.truncate(packet.len() - 4);
                let (header, payload) = packet.split_at_mut(RTCP_HEADER_BYTES);
                let aad = rtcp_aad(header, word);
                let nonce = gcm_nonce(salt, ssrc, index);
                key.open_in_place(nonce, Aad::from(aad), payload)
                    .map_err(|_| SrtpError::Authentication)?;
                packet.truncate(packet.len() - GCM_TAG_BYTES);
            }
        }
        Ok(())
    }
}

/// §4.1.1: the key stream at (salt · 2^16) xor (SSRC · 2^64) xor (index · 2^16) over `data`.
fn counter_mode(key: &Aes128, salt: &[u8; 14], ssrc: u32, index: u64, data: &mut [u8]) {
    let mut counter = [0; 16];
    counter[..14].copy_from_slice(salt);
    for (byte, part) in counter[4..8].iter_mut().zip(ssrc.to_be_bytes()) {
        *byte ^= part;
    }
    for (byte, part) in counter[8..14].iter_mut().zip(&index.to_be_bytes()[2..]) {
        *byte ^= part;
    }
    let mut block = 0u16;
    for chunk in data.chunks_mut(16 * BLOCKS) {
        let mut stream = [Array::from(counter); BLOCKS];
        for counter in &mut stream {
            counter[14..].copy_from_slice(&block.to_be_bytes());
            block = block.wrapping_add(1);
        }
        key.encrypt_blocks(&mut stream);
        for (byte, pad) in chunk.iter_mut().zip(stream.iter().flatten()) {
            *byte ^= pad;
        }
    }
}

/// §4.2: the first 80 bits of HMAC-SHA1 over the packet and, for RTP, the roll-over counter; for
/// RTCP, E and the index.
fn sha1_tag(key: &hmac::Key, packet: &[u8], word: u32) -> [u8; SHA1_TAG_BYTES] {
    let mut context = hmac::Context::with_key(key);
    context.update(packet);
    context.update(&word.to_be_bytes());
    let whole = context.sign();
    let mut tag = [0; SHA1_TAG_BYTES];
    tag.copy_from_slice(&whole.as_ref()[..SHA1_TAG_BYTES]);
    tag
}

fn authentic(ours: &[u8], theirs: &[u8]) -> Result<(), SrtpError> {
    if bool::from(ours.ct_eq(theirs)) {
        Ok(())
    } else {
        Err(SrtpError::Authentication)
    }
}

/// RFC 7714 §8.1 and §9.1: two zeros, SSRC and the 48-bit index, with the salt over it.
fn gcm_nonce(salt: &[u8; 14], ssrc: u32, index: u64) -> Nonce {
    let mut nonce = [0; 12];
    nonce[2..6].copy_from_slice(&ssrc.to_be_bytes());
    nonce[6..].copy_from_slice(&index.to_be_bytes()[2..]);
    for (byte, part) in nonce.iter_mut().zip(salt) {
        *byte ^= part;
    }
    Nonce::assume_unique_for_key(nonce)
}

/// RFC 7714 §9.2: the clear header, E and the index.
fn rtcp_aad(header: &[u8], word: u32) -> [u8; 12] {
    let mut aad = [0; 12];
    aad[..RTCP_HEADER_BYTES].copy_from_slice(header);
    aad[RTCP_HEADER_BYTES..].copy_from_slice(&word.to_be_bytes());
    aad
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        let digits: Vec<u32> = text.chars().filter_map(|c| c.to_digit(16)).collect();
        digits.chunks(2).map(|d| (d[0] * 16 + d[1]) as u8).collect()
    }

    #[test]
    fn rfc_3711_appendix_b_2() {
        let key: [u8; 16] = hex("2B7E151628AED2A6ABF7158809CF4F3C").try_into().unwrap();
        let salt: [u8; 14] = hex("F0F1F2F3F4F5F6F7F8F9FAFBFCFD").try_into().unwrap();
        let mut stream = vec![0; 1_044_512];
        counter_mode(&Aes128::new((&key).into()), &salt, 0, 0, &mut stream);
        let head = "E03EAD0935C95E80E166B16DD92B4EB4 D23513162B02D0F72A43A2FE4A5F97AB \
            41E95B3BB0A2E8DD477901E4FCA894C0";
        assert_eq!(stream[..48], hex(head));
        let tail = "EC8CDF7398607CB0F2D21675EA9EA1E4 362B7C3C6773516318A077D7FC5073AE \
            6A2CC3787889374FBEB4C81B17BA6C44";
        assert_eq!(stream[stream.len() - 48..], hex(tail));
    }

    /// RFC 7714 §16.1.1: session key and salt are given, not derived.
    #[test]
    fn rfc_7714_section_16_1_1() {
        let mut salt = Zeroizing::new([0; 14]);
        salt[..12].copy_from_slice(&hex("517569642070726f2071756f"));
        let key = hex("000102030405060708090a0b0c0d0e0f");
        let key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &key).unwrap());
        let cipher = Cipher::Gcm { key, salt };
        let clear = hex(
            "8040f17b8041f8d35501a0b247616c6c696120657374206f6d6e69732064697669736120696e20706172746573207472\
             6573",
        );
        let mut packet = clear.clone();
        cipher.seal_rtp(&mut packet, 12, 0x5501_a0b2, 0xf17b);
        let sealed = "8040f17b8041f8d35501a0b2f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f42a5f47a51c7d19b36de\
             3adf8833899d7f27beb16a9152cf765ee4390cce";
        assert_eq!(packet, hex(sealed));
        cipher
            .open_rtp(&mut packet, 12, 0x5501_a0b2, 0xf17b)
            .unwrap();
        assert_eq!(packet, clear);
    }
}
