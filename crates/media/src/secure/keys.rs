//! The keys of SRTP out of a handshake of DTLS (RFC 5764).

use zeroize::Zeroizing;

use crate::srtp::{SrtpProfile, SrtpReceiver, SrtpSender};

/// The two directions out of the exported material (RFC 5764 §4.2): keys of client and server, salts of both.
pub(super) fn keys(
    material: &[u8],
    profile: dimpl::SrtpProfile,
    client: bool,
) -> Option<(SrtpSender, SrtpReceiver, SrtpProfile)> {
    let profile = match profile {
        dimpl::SrtpProfile::AES128_CM_SHA1_80 => SrtpProfile::Aes128CmSha1_80,
        dimpl::SrtpProfile::AEAD_AES_128_GCM => SrtpProfile::AeadAes128Gcm,
        dimpl::SrtpProfile::AEAD_AES_256_GCM => SrtpProfile::AeadAes256Gcm,
        _ => return None,
    };
    let (key, salt) = (profile.key_bytes(), profile.salt_bytes());
    let (keys, salts) = material.split_at_checked(2 * key)?;
    if salts.len() < 2 * salt {
        return None;
    }
    let of = |server: usize| {
        let (key, salt) = (
            &keys[server * key..][..key],
            &salts[server * salt..][..salt],
        );
        Zeroizing::new([key, salt].concat())
    };
    let (ours, theirs) = if client { (0, 1) } else { (1, 0) };
    Some((
        SrtpSender::new(profile, &of(ours)).ok()?,
        SrtpReceiver::new(profile, &of(theirs)).ok()?,
        profile,
    ))
}
