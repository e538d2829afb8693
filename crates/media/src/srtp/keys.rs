//! Session keys out of a master key (RFC 3711 §4.3, RFC 7714 §11).

use aes::cipher::{BlockCipherEncrypt as _, KeyInit as _};
use aes::{Aes128, Aes256};
use zeroize::Zeroizing;

use super::{SrtpError, SrtpProfile};

/// What the keys are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    Rtp,
    Rtcp,
}

impl Purpose {
    /// First of the three labels of §4.3.1: encryption, authentication, salt.
    fn label(self) -> u8 {
        match self {
            Purpose::Rtp => 0,
            Purpose::Rtcp => 3,
        }
    }
}

/// AES-CM of the master key's length (RFC 6188 §2, RFC 7714 §11).
enum DerivationKey {
    Aes128(Aes128),
    Aes256(Aes256),
}

/// A master key and its salt, padded to the 112 bits of the derivation.
pub(super) struct MasterKey {
    pub(super) profile: SrtpProfile,
    key: DerivationKey,
    salt: Zeroizing<[u8; 14]>,
}

impl MasterKey {
    pub(super) fn new(profile: SrtpProfile, key_and_salt: &[u8]) -> Result<Self, SrtpError> {
        let (bytes, wanted) = (key_and_salt.len(), profile.key_and_salt_bytes());
        let wrong = SrtpError::KeyLength { bytes, wanted };
        if bytes != wanted {
            return Err(wrong);
        }
        let (key, given) = key_and_salt.split_at(profile.key_bytes());
        let mut salt = Zeroizing::new([0; 14]);
        salt[..given.len()].copy_from_slice(given);
        let key = if let Ok(short) = Aes128::new_from_slice(key) {
            DerivationKey::Aes128(short)
        } else {
            DerivationKey::Aes256(Aes256::new_from_slice(key).map_err(|_| wrong)?)
        };
        Ok(MasterKey { profile, key, salt })
    }

    /// The encryption key, as long as the master key.
    pub(super) fn encryption(&self, purpose: Purpose) -> Zeroizing<Vec<u8>> {
        let mut out = Zeroizing::new(vec![0; self.profile.key_bytes()]);
        self.derive(purpose.label(), &mut out);
        out
    }

    /// The authentication key of HMAC-SHA1.
    pub(super) fn authentication(&self, purpose: Purpose) -> Zeroizing<[u8; 20]> {
        let mut out = Zeroizing::new([0; 20]);
        self.derive(purpose.label() + 1, &mut *out);
        out
    }

    /// The salt; the profile says how much of it counts.
    pub(super) fn salt(&self, purpose: Purpose) -> Zeroizing<[u8; 14]> {
        let mut out = Zeroizing::new([0; 14]);
        self.derive(purpose.label() + 2, &mut *out);
        out
    }

    /// Key stream of AES-CM at the label (§4.3.3); the key derivation rate is 0.
    fn derive(&self, label: u8, out: &mut [u8]) {
        let mut counter = [0; 16];
        counter[..14].copy_from_slice(&*self.salt);
        counter[7] ^= label;
        for (block, chunk) in out.chunks_mut(16).enumerate() {
            counter[14..].copy_from_slice(&(block as u16).to_be_bytes());
            let mut stream = Zeroizing::new(counter);
            match &self.key {
                DerivationKey::Aes128(key) => key.encrypt_block((&mut *stream).into()),
                DerivationKey::Aes256(key) => key.encrypt_block((&mut *stream).into()),
            }
            chunk.copy_from_slice(&stream[..chunk.len()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        let digits: Vec<u32> = text.chars().filter_map(|c| c.to_digit(16)).collect();
        digits.chunks(2).map(|d| (d[0] * 16 + d[1]) as u8).collect()
    }

    #[test]
    fn rfc_3711_appendix_b_3() {
        let key = hex("E1F97A0D3E018BE0D64FA32C06DE4139 0EC675AD498AFEEBB6960B3AABE6");
        let master = MasterKey::new(SrtpProfile::Aes128CmSha1_80, &key).unwrap();
        let encryption = master.encryption(Purpose::Rtp);
        assert_eq!(encryption[..], hex("C61E7A93744F39EE10734AFE3FF7A087"));
        let salt = master.salt(Purpose::Rtp);
        assert_eq!(salt[..], hex("30CBBC08863D8C85D49DB34A9AE1"));
        // The vector derives 94 octets; the first 20 are the key of HMAC-SHA1.
        let whole = hex(
            "CEBE321F6FF7716B6FD4AB49AF256A15 6D38BAA48F0A0ACF3C34E2359E6CDBCE \
             E049646C43D9327AD175578EF7227098 6371C10C9A369AC2F94A8C5FBCDDDC25 \
             6D6E919A48B610EF17C2041E47403576 6B68642C59BBFC2F34DB60DBDFB2",
        );
        assert_eq!(master.authentication(Purpose::Rtp)[..], whole[..20]);
        let mut all = [0; 94];
        master.derive(1, &mut all);
        assert_eq!(all[..], whole);
    }

    /// AES-256 in counter mode; the GCM profile uses the same derivation with a shorter salt.
    #[test]
    fn rfc_6188_section_7() {
        let key = hex("f0f04914b513f2763a1b1fa130f10e2998f6f6e43e4309d1e622a0e332b9f1b6");
        let mut master = MasterKey::new(
            SrtpProfile::AeadAes256Gcm,
            &[key.clone(), vec![0; 12]].concat(),
        )
        .unwrap();
        master
            .salt
            .copy_from_slice(&hex("3b04803de51ee7c96423ab5b78d2"));
        let encryption = master.encryption(Purpose::Rtp);
        let wanted = hex("5ba1064e30ec51613cad926c5a28ef731ec7fb397f70a960653caf06554cd8c4");
        assert_eq!(encryption[..], wanted);
        let salt = master.salt(Purpose::Rtp);
        assert_eq!(salt[..], hex("fa31791685ca444a9e07c6c64e93"));
        let authentication = master.authentication(Purpose::Rtp);
        let wanted = hex("fd9c32d39ed5fbb5a9dc96b30818454d1313dc05");
        assert_eq!(authentication[..], wanted);
    }

    #[test]
    fn other_lengths_are_refused() {
        for bytes in [0, 16, 28, 29, 31] {
            let made = MasterKey::new(SrtpProfile::Aes128CmSha1_80, &vec![0; bytes]);
            assert!(made.is_err(), "{bytes}");
        }
    }
}
