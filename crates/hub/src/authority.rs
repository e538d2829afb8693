//! The home's own certificate authority.
//!
//! One ECDSA P-256 key in one file of mode 0600. It signs the hub's own certificate and one for each device,
//! 90 days each; devices renew theirs by themselves. Nobody outside the home trusts it, and it signs nothing
//! for anybody outside.
//!
//! Clocks: certificates begin a day before they are made, so a device whose clock is up to a day behind accepts
//! them. The hub judges a device's certificate by its own clock, and for [`RENEWAL_GRACE_MS`] after its end
//! accepts it for renewal alone, so that a device that was switched off comes back without a person.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::net::IpAddr;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, PublicKeyData, SanType, SerialNumber, date_time_ymd,
};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::certificate_request::CertificateRequest;
use crate::clock::UnixMs;
use crate::device::{Fingerprint, IssuedCertificate};
use crate::entropy::{NoEntropy, random};
use crate::id::DeviceId;

const DAY_MS: i64 = 24 * 3_600_000;
/// How long a certificate lasts, in milliseconds.
pub const LASTS_MS: i64 = 90 * DAY_MS;
/// When a certificate that has less left is renewed, in milliseconds.
pub const RENEW_BEFORE_MS: i64 = 30 * DAY_MS;
/// How long after its end a device's certificate still renews itself, in milliseconds.
pub const RENEWAL_GRACE_MS: i64 = 90 * DAY_MS;
/// How far a device's clock may be behind, in milliseconds.
pub const CLOCK_SKEW_MS: i64 = DAY_MS;
/// The authority itself lasts longer than the hardware: 30 years.
const AUTHORITY_LASTS_MS: i64 = 30 * 365 * DAY_MS;
const FILE: &str = "authority.pem";

/// Why the authority cannot be opened or cannot sign.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    /// The file cannot be read or written.
    #[error("{}: {source}", .path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is there and damaged. A new authority would shut out every device.
    #[error(
        "{} holds no key and certificate that belong together; restore it from a backup. Without it every device must be invited anew", .0.display()
    )]
    Damaged(PathBuf),
    /// The file is gone, and devices hold its certificates.
    #[error(
        "{} is missing, and devices hold its certificates; restore it from a backup, or remove the database to begin a new home", .0.display()
    )]
    Missing(PathBuf),
    /// No randomness.
    #[error(transparent)]
    Entropy(#[from] NoEntropy),
    /// The key refuses to sign.
    #[error("certificate: {0}")]
    Signing(#[from] rcgen::Error),
}

/// The home's certificate authority.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
    fingerprint: Fingerprint,
}

/// A certificate with its chain and key, for the hub's own sockets.
pub struct ServerIdentity {
    /// The hub's certificate, then the authority's.
    pub chain: Vec<CertificateDer<'static>>,
    /// The key.
    pub key: PrivateKeyDer<'static>,
    /// When the certificate ends.
    pub not_after: UnixMs,
}

impl Authority {
    /// Opens the authority of this folder, or makes one when there is none and `may_make` says so.
    ///
    /// # Errors
    /// [`AuthorityError`], with what to do.
    pub fn open(folder: &Path, may_make: bool, now: UnixMs) -> Result<Self, AuthorityError> {
        let path = folder.join(FILE);
        match fs::read(&path) {
            Ok(bytes) => Self::read(&bytes).ok_or(AuthorityError::Damaged(path)),
            Err(error) if error.kind() == io::ErrorKind::NotFound && may_make => {
                Self::make(&path, now)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(AuthorityError::Missing(path))
            }
            Err(source) => Err(AuthorityError::File { path, source }),
        }
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let key = PrivatePkcs8KeyDer::from_pem_slice(bytes).ok()?;
        let key = KeyPair::try_from(&key).ok()?;
        let certificate = CertificateDer::from_pem_slice(bytes).ok()?;
        // The certificate holds the key's public half: they belong together.
        let spki = key.subject_public_key_info();
        certificate
            .windows(spki.len())
            .any(|window| window == spki)
            .then(|| Self::with(key, certificate))
    }

    fn make(path: &Path, now: UnixMs) -> Result<Self, AuthorityError> {
        let key = KeyPair::generate()?;
        let mut params = params(&key);
        validity(&mut params, now, AUTHORITY_LASTS_MS);
        params.serial_number = Some(serial()?);
        let certificate = params.self_signed(&key)?;
        let text = format!("{}{}", key.serialize_pem(), certificate.pem());
        write_secret(path, text.as_bytes()).map_err(|source| AuthorityError::File {
            path: path.to_owned(),
            source,
        })?;
        Ok(Self::with(key, certificate.der().clone()))
    }

    fn with(key: KeyPair, certificate: CertificateDer<'static>) -> Self {
        Self {
            fingerprint: Fingerprint::of(&certificate),
            issuer: Issuer::new(params(&key), key),
            certificate,
        }
    }

    /// The authority's certificate.
    #[must_use]
    pub fn certificate(&self) -> &CertificateDer<'static> {
        &self.certificate
    }

    /// SHA-256 of the authority's certificate: what joiners compare.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// A certificate for a device: client and server, for the name and the URN that hold its id.
    ///
    /// # Errors
    /// [`AuthorityError`].
    pub fn issue_device(
        &self,
        id: DeviceId,
        request: &CertificateRequest,
        now: UnixMs,
    ) -> Result<(CertificateDer<'static>, IssuedCertificate), AuthorityError> {
        let names = vec![
            SanType::DnsName(device_name(id).try_into()?),
            SanType::URI(format!("urn:hearthline:device:{id}").try_into()?),
        ];
        let (certificate, not_after) = self.issue(&id.to_string(), names, request, now)?;
        let record = IssuedCertificate {
            fingerprint: Fingerprint::of(&certificate),
            not_after,
        };
        Ok((certificate, record))
    }

    /// A fresh key and certificate for the hub's own sockets.
    ///
    /// # Errors
    /// [`AuthorityError`].
    pub fn issue_server(
        &self,
        names: &[String],
        addresses: &[IpAddr],
        now: UnixMs,
    ) -> Result<ServerIdentity, AuthorityError> {
        let key = KeyPair::generate()?;
        let mut all = Vec::new();
        for name in names {
            all.push(SanType::DnsName(name.clone().try_into()?));
        }
        all.extend(addresses.iter().copied().map(SanType::IpAddress));
        let (certificate, not_after) = self.issue("hub", all, &key, now)?;
        Ok(ServerIdentity {
            chain: vec![certificate, self.certificate.clone()],
            key: PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
            not_after,
        })
    }

    fn issue(
        &self,
        subject: &str,
        names: Vec<SanType>,
        key: &impl PublicKeyData,
        now: UnixMs,
    ) -> Result<(CertificateDer<'static>, UnixMs), AuthorityError> {
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, subject);
        params.subject_alt_names = names;
        params.serial_number = Some(serial()?);
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![
            ExtendedKeyUsagePurpose::ClientAuth,
            ExtendedKeyUsagePurpose::ServerAuth,
        ];
        let not_after = validity(&mut params, now, LASTS_MS);
        let certificate = params.signed_by(key, &self.issuer)?;
        Ok((certificate.der().clone(), not_after))
    }
}

/// The name in a device's certificate; `internal` is set aside for private networks.
#[must_use]
pub fn device_name(id: DeviceId) -> String {
    format!("{id}.device.hearthline.internal")
}

/// The authority's own certificate. It follows from the key alone, so the file need not be taken apart again.
fn params(key: &KeyPair) -> CertificateParams {
    let name = Fingerprint::of(&key.subject_public_key_info()).to_string();
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(
        DnType::CommonName,
        format!("Hearthline home {}", &name[..16]),
    );
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

fn validity(params: &mut CertificateParams, now: UnixMs, lasts_ms: i64) -> UnixMs {
    let epoch = date_time_ymd(1970, 1, 1);
    let moment = |at: UnixMs| epoch + Duration::from_secs(at.seconds().max(0).cast_unsigned());
    let not_after = now.plus_ms(lasts_ms);
    params.not_before = moment(now.plus_ms(-CLOCK_SKEW_MS));
    params.not_after = moment(not_after);
    UnixMs(not_after.seconds() * 1000)
}

fn serial() -> Result<SerialNumber, NoEntropy> {
    let mut bytes: [u8; 16] = random()?;
    // Positive and of full length (RFC 5280 section 4.1.2.2).
    bytes[0] = bytes[0] & 0x7F | 0x40;
    Ok(SerialNumber::from_slice(&bytes))
}

/// Written beside and renamed, the folder synchronised: a reader never sees half a key, and a power cut keeps it.
fn write_secret(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let fresh = path.with_extension("new");
    let _ = fs::remove_file(&fresh);
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&fresh)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&fresh, path)?;
    match path.parent() {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    const NOW: UnixMs = UnixMs(1_800_000_000_000);

    #[test]
    fn the_same_folder_is_the_same_authority_and_the_key_is_secret() {
        let folder = tempfile::tempdir().unwrap();
        let made = Authority::open(folder.path(), true, NOW).unwrap();
        let again = Authority::open(folder.path(), false, NOW).unwrap();
        assert_eq!(made.fingerprint(), again.fingerprint());
        let mode = fs::metadata(folder.path().join(FILE))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_lost_or_damaged_key_is_never_silently_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let missing = Authority::open(folder.path(), false, NOW);
        assert!(matches!(missing, Err(AuthorityError::Missing(_))));
        Authority::open(folder.path(), true, NOW).unwrap();
        let path = folder.path().join(FILE);
        let whole = fs::read(&path).unwrap();
        fs::write(&path, &whole[..whole.len() / 2]).unwrap();
        let damaged = Authority::open(folder.path(), true, NOW);
        assert!(matches!(damaged, Err(AuthorityError::Damaged(_))));
    }
}
