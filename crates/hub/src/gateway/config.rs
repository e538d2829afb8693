//! How the lines of the home run: what stands in the configuration and in files, never in the database.

use std::fs::File;
use std::io::Read as _;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use hearthline_emergency::numbers::Country;
use hearthline_emergency::profile::EmergencyProfile;
use hearthline_sip::endpoint::Credentials;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use crate::line::Line;

/// Longest password, in bytes.
pub const PASSWORD_BYTES_MAX: usize = 1_024;
/// Longest file of certificates, in bytes.
pub const ROOTS_BYTES_MAX: u64 = 4 * 1024 * 1024;
/// The folder of passwords within the hub's folder: one file for each line, named by its id.
pub const PASSWORDS_FOLDER: &str = "line-passwords";

/// The password of one line, by file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineSecret {
    /// The line's id or name.
    pub line: String,
    /// A file that holds the password alone, readable by its owner (mode 600).
    pub file: PathBuf,
}

/// How the lines run.
#[derive(Debug, Clone)]
pub struct LinesConfig {
    /// Where providers and adapters reach the hub, by UDP and TCP. Only loopback for now; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The home's area code: whoever dials a number without one means a number there.
    pub area_code: Option<String>,
    /// Passwords. A line that is not named here has its password in `line-passwords/ID` of the hub's folder.
    pub secrets: Vec<LineSecret>,
    /// Roots that vouch for the servers of TLS lines, PEM; none: no TLS line stands.
    pub tls_roots: Option<PathBuf>,
    /// What the call-taker is told of the home when a telephone calls that says nothing itself.
    pub profile: Option<EmergencyProfile>,
    /// Where calls from outside go that nobody takes; none: their callers hear that nobody does.
    pub voicemail: Option<Voicemail>,
    /// Deadlines.
    pub timers: LineTimers,
}

/// The user agent that takes messages. It never gets a call for help or a call-taker's callback.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Voicemail {
    /// Where it listens for SIP, by UDP. Only loopback.
    pub address: SocketAddr,
    /// How long a call rings in the home before it goes there.
    pub after: Duration,
}

/// How long a call rings before it goes to the mailbox, when nobody says otherwise: 25 s.
pub const VOICEMAIL_AFTER: Duration = Duration::from_secs(25);

impl Default for LinesConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            area_code: None,
            secrets: Vec::new(),
            tls_roots: None,
            profile: None,
            voicemail: None,
            timers: LineTimers::default(),
        }
    }
}

/// Deadlines of calls and of the lines' health.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineTimers {
    /// A line that says nothing gives way to the next after so long: 2 s.
    pub silent_max: Duration,
    /// The same when no other line is left: 6 s.
    pub silent_alone_max: Duration,
    /// A line that says only 100 gives way after so long: 20 s.
    pub trying_max: Duration,
    /// The same in an emergency, where the next line is called as well: 4 s.
    pub help_trying_max: Duration,
    /// A line that only rings, in an emergency: then the next is called as well: 30 s.
    pub help_ringing_max: Duration,
    /// How often a line that works is asked whether it does: 30 s.
    pub probe_up: Duration,
    /// How often one that does not: 5 s.
    pub probe_down: Duration,
    /// A line that does not answer that question for so long is silent: 4 s.
    pub probe_max: Duration,
    /// A number that an outside call is put through to rings for so long: whoever waits hears nothing meanwhile: 60 s.
    pub onward_ringing_max: Duration,
    /// Two far ends that were joined talk for so long: nobody of the home would notice if it never ended: 4 h.
    pub joined_max: Duration,
}

impl Default for LineTimers {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self {
            silent_max: seconds(2),
            silent_alone_max: seconds(6),
            trying_max: seconds(20),
            help_trying_max: seconds(4),
            help_ringing_max: seconds(30),
            probe_up: seconds(30),
            probe_down: seconds(5),
            probe_max: seconds(4),
            onward_ringing_max: seconds(60),
            joined_max: seconds(4 * 3_600),
        }
    }
}

/// Why the lines cannot run as they are set up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LinesFault {
    /// The roots of TLS lines cannot be read.
    #[error("the roots of TLS lines: {path}: {source}")]
    RootsFile {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file holds no roots.
    #[error(
        "the roots of TLS lines: {0} holds no certificate that reads; give the PEM file of the authority that signed \
         your provider's server"
    )]
    Roots(PathBuf),
    /// The area code is none in this country.
    #[error(
        "the area code has 1 to {max} digits, with or without the national prefix; others are refused",
        max = super::dialled::AREA_DIGITS_MAX
    )]
    AreaCode,
    /// Too long.
    #[error("the roots of TLS lines: {0} has more than {ROOTS_BYTES_MAX} bytes")]
    RootsSize(PathBuf),
}

/// Why a line has no password. Never repeats what was read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PasswordError {
    #[error("{path}: {source}; write the password alone into it, readable by its owner (mode 600)")]
    File {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("{0} can be read by others on this machine; take that from them: chmod 600")]
    Open(PathBuf),
    #[error("{0} holds no password: one line of at most {PASSWORD_BYTES_MAX} bytes is wanted")]
    Content(PathBuf),
}

impl LinesConfig {
    /// Checks what a person gave, so that a mistake is said at the start and not found in a call.
    ///
    /// # Errors
    /// [`LinesFault`].
    pub fn check(&self, country: Country) -> Result<(), LinesFault> {
        if let Some(area) = &self.area_code
            && !super::DialPlan::new(country, Some(area)).has_area()
        {
            return Err(LinesFault::AreaCode);
        }
        let Some(path) = &self.tls_roots else {
            return Ok(());
        };
        let bytes = roots(path).map_err(|source| LinesFault::RootsFile {
            path: path.clone(),
            source,
        })?;
        if bytes.len() as u64 > ROOTS_BYTES_MAX {
            return Err(LinesFault::RootsSize(path.clone()));
        }
        let mut all = CertificateDer::pem_slice_iter(&bytes);
        match all.next() {
            Some(Ok(_)) if all.all(|one| one.is_ok()) => Ok(()),
            _ => Err(LinesFault::Roots(path.clone())),
        }
    }

    /// What a line's challenges are answered with; `None`: it has no account.
    pub(crate) fn credentials(
        &self,
        folder: &Path,
        line: &Line,
    ) -> Result<Option<Credentials>, PasswordError> {
        let account = line
            .fields
            .sip
            .as_ref()
            .and_then(|sip| sip.username.as_ref());
        let Some(account) = account else {
            return Ok(None);
        };
        let id = line.id.to_string();
        let name = line.fields.name.as_str();
        let named = self.secrets.iter();
        let named = named
            .clone()
            .find(|secret| secret.line == id)
            .or_else(|| self.secrets.iter().find(|secret| secret.line == name));
        let path = named.map_or_else(
            || folder.join(PASSWORDS_FOLDER).join(&id),
            |secret| secret.file.clone(),
        );
        Ok(Some(Credentials {
            username: account.as_str().to_owned(),
            password: password(&path)?,
            realm: None,
        }))
    }
}

/// The file, and one byte more where it is too long.
pub(crate) fn roots(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?
        .take(ROOTS_BYTES_MAX + 1)
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn password(path: &Path) -> Result<String, PasswordError> {
    let failed = |source| PasswordError::File {
        path: path.to_owned(),
        source,
    };
    let file = File::open(path).map_err(failed)?;
    let mode = file.metadata().map_err(failed)?.permissions().mode();
    if mode & 0o077 != 0 {
        return Err(PasswordError::Open(path.to_owned()));
    }
    let mut text = String::new();
    let most = u64::try_from(PASSWORD_BYTES_MAX).unwrap_or(u64::MAX) + 3;
    file.take(most).read_to_string(&mut text).map_err(failed)?;
    let end = text.trim_end_matches(['\n', '\r']).len();
    text.truncate(end);
    if text.is_empty() || text.len() > PASSWORD_BYTES_MAX || text.chars().any(char::is_control) {
        return Err(PasswordError::Content(path.to_owned()));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::OpenOptionsExt as _;

    use super::*;

    #[test]
    fn what_a_person_gave_is_checked_before_anything_runs() {
        let folder = tempfile::tempdir().unwrap();
        let checked = |area: Option<&str>, roots: Option<&Path>| {
            let config = LinesConfig {
                area_code: area.map(str::to_owned),
                tls_roots: roots.map(Path::to_owned),
                ..LinesConfig::default()
            };
            config.check(Country::Germany).map_err(|e| e.to_string())
        };
        assert_eq!(checked(Some("030"), None), Ok(()));
        for area in ["", "x", "0", "1234567890"] {
            let error = checked(Some(area), None).unwrap_err();
            assert!(error.contains("area code"), "{error}");
        }
        let none = folder.path().join("none.pem");
        assert!(checked(None, Some(&none)).unwrap_err().contains("none.pem"));
        let empty = folder.path().join("empty.pem");
        std::fs::write(&empty, "no certificate").unwrap();
        let error = checked(None, Some(&empty)).unwrap_err();
        assert!(error.contains("no certificate that reads"), "{error}");
        let good = folder.path().join("good.pem");
        let key = rcgen::KeyPair::generate().unwrap();
        let params = rcgen::CertificateParams::new(vec!["sip.example.com".to_owned()]).unwrap();
        std::fs::write(&good, params.self_signed(&key).unwrap().pem()).unwrap();
        assert_eq!(checked(None, Some(&good)), Ok(()));
    }

    #[test]
    fn a_password_is_one_line_of_a_file_of_its_owners() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, mode: u32, text: &[u8]| {
            let path = folder.path().join(name);
            let mut file = File::options()
                .write(true)
                .create(true)
                .truncate(true)
                .mode(mode)
                .open(&path)
                .unwrap();
            std::io::Write::write_all(&mut file, text).unwrap();
            path
        };
        assert_eq!(
            password(&write("a", 0o600, b"drill only\n")).unwrap(),
            "drill only"
        );
        for (name, mode, text) in [
            ("open", 0o644, &b"drill only"[..]),
            ("empty", 0o600, b"\n"),
            ("lines", 0o600, b"one\ntwo"),
            ("long", 0o600, &[b'x'; 2_000]),
        ] {
            let error = password(&write(name, mode, text)).unwrap_err().to_string();
            assert!(
                !error.contains("drill only") && !error.contains("two"),
                "{error}"
            );
        }
        assert!(password(&folder.path().join("none")).is_err());
    }
}
