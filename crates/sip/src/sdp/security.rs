//! What a stream's section says about its protection, taken together.
//!
//! ```text
//! Security::of(description, media) ─► Plain | Sdes(lines) | Dtls(fingerprints, setup, ICE)
//! Security::write(&mut media)      ─► profile and attributes, canonical order
//! ```

use super::attribute_error::AttributeError;
use super::crypto::{CRYPTO_LINES_MAX, Crypto};
use super::fingerprint::{Fingerprint, Setup};
use super::ice::{CANDIDATES_MAX, Candidate, IceCredentials, parse_ice_options};
use super::profile::{Profile, Protection};
use super::{Attributes, Media, SessionDescription};

/// Fingerprints of one section that we read at most.
const FINGERPRINTS_MAX: usize = 8;

/// The attributes that belong to [`Security`] and are replaced together.
const OWN: [&str; 9] = [
    "fingerprint",
    "setup",
    "ice-ufrag",
    "ice-pwd",
    "ice-options",
    "candidate",
    "end-of-candidates",
    "rtcp-mux",
    "crypto",
];

/// How a stream is protected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Security {
    /// In the clear.
    Plain,
    /// SRTP with keys in the description, best line first; those we cannot use are left out.
    Sdes(Vec<Crypto>),
    /// SRTP with keys by DTLS, found by ICE.
    Dtls(DtlsDescription),
}

/// What one side says of its DTLS and ICE.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DtlsDescription {
    /// Digests of the certificate, strong ones only; never empty when read.
    pub fingerprints: Vec<Fingerprint>,
    /// Who begins.
    pub setup: Setup,
    /// Name and password of the connectivity checks.
    pub credentials: IceCredentials,
    /// Whether the writer only answers checks (`ice-lite`).
    pub lite: bool,
    /// `ice-options`
    pub options: Vec<String>,
    /// Where the writer may be reached.
    pub candidates: Vec<Candidate>,
}

/// Why a section's protection cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SecurityError {
    /// m= names no profile that we know.
    #[error("the profile of the stream is unknown")]
    UnknownProfile,
    /// An attribute does not read.
    #[error(transparent)]
    Attribute(#[from] AttributeError),
    /// An attribute is missing.
    #[error("the stream promises protection and has no usable a={0}")]
    Missing(&'static str),
    /// An attribute is there too often.
    #[error("the stream has more a={0} than are read")]
    TooMany(&'static str),
    /// RTP and RTCP on two ports, which our DTLS does not do.
    #[error("the stream is protected by DTLS without a=rtcp-mux")]
    NoRtcpMux,
}

impl Security {
    /// How well this protects.
    #[must_use]
    pub fn protection(&self) -> Protection {
        match self {
            Security::Plain => Protection::Plain,
            Security::Sdes(_) => Protection::Sdes,
            Security::Dtls(_) => Protection::Dtls,
        }
    }

    /// What `media` of `description` says. Session attributes count where the section has none of its own.
    ///
    /// # Errors
    /// [`SecurityError`]. A section that promises protection never reads as one without.
    pub fn of(description: &SessionDescription, media: &Media) -> Result<Security, SecurityError> {
        let profile = Profile::parse(&media.protocol).ok_or(SecurityError::UnknownProfile)?;
        match profile.protection() {
            Protection::Plain => Ok(Security::Plain),
            Protection::Sdes => {
                let mut lines = Vec::new();
                for value in limited(&media.attributes, "crypto", CRYPTO_LINES_MAX)? {
                    lines.extend(Crypto::parse(value)?);
                }
                if lines.is_empty() {
                    return Err(SecurityError::Missing("crypto"));
                }
                Ok(Security::Sdes(lines))
            }
            Protection::Dtls => dtls(description, media).map(Security::Dtls),
        }
    }

    /// Writes profile and attributes into our section, in place of what it had.
    pub fn write(&self, media: &mut Media) {
        for name in OWN {
            media.attributes.remove(name);
        }
        let attributes = &mut media.attributes;
        match self {
            Security::Plain => media.protocol = Profile::RtpAvp.to_string(),
            Security::Sdes(lines) => {
                media.protocol = Profile::RtpSavp.to_string();
                for line in lines {
                    attributes.push("crypto", Some(&line.to_string()));
                }
            }
            Security::Dtls(ours) => {
                media.protocol = Profile::UdpTlsRtpSavpf.to_string();
                attributes.push("rtcp-mux", None);
                attributes.push("ice-ufrag", Some(ours.credentials.ufrag()));
                attributes.push("ice-pwd", Some(ours.credentials.pwd()));
                if !ours.options.is_empty() {
                    attributes.push("ice-options", Some(&ours.options.join(" ")));
                }
                for fingerprint in &ours.fingerprints {
                    attributes.push("fingerprint", Some(&fingerprint.to_string()));
                }
                attributes.push("setup", Some(ours.setup.as_str()));
                for candidate in &ours.candidates {
                    attributes.push("candidate", Some(&candidate.to_string()));
                }
                attributes.push("end-of-candidates", None);
            }
        }
    }
}

fn dtls(session: &SessionDescription, media: &Media) -> Result<DtlsDescription, SecurityError> {
    let either = |name: &'static str| {
        let own = media.attributes.get(name);
        own.or(session.attributes.get(name))
    };
    let needed = |name| either(name).ok_or(SecurityError::Missing(name));
    if !media.attributes.has("rtcp-mux") {
        return Err(SecurityError::NoRtcpMux);
    }
    let holder = if media.attributes.has("fingerprint") {
        &media.attributes
    } else {
        &session.attributes
    };
    let mut fingerprints = Vec::new();
    for value in limited(holder, "fingerprint", FINGERPRINTS_MAX)? {
        fingerprints.extend(Fingerprint::parse(value)?);
    }
    if fingerprints.is_empty() {
        return Err(SecurityError::Missing("fingerprint"));
    }
    // RFC 5763 section 5: without the attribute, an offer means active and an answer passive; both are
    // so long gone that the attribute is asked for.
    let setup = Setup::parse(needed("setup")?)?;
    let credentials = IceCredentials::new(needed("ice-ufrag")?, needed("ice-pwd")?)?;
    let options = match either("ice-options") {
        Some(value) => parse_ice_options(value)?,
        None => Vec::new(),
    };
    let mut candidates = Vec::new();
    for value in limited(&media.attributes, "candidate", CANDIDATES_MAX)? {
        candidates.push(Candidate::parse(value)?);
    }
    Ok(DtlsDescription {
        fingerprints,
        setup,
        credentials,
        lite: session.attributes.has("ice-lite"),
        options,
        candidates,
    })
}

fn limited<'a>(
    attributes: &'a Attributes,
    name: &'static str,
    count_max: usize,
) -> Result<Vec<&'a str>, SecurityError> {
    let values: Vec<&str> = attributes.get_all(name).take(count_max + 1).collect();
    if values.len() > count_max {
        return Err(SecurityError::TooMany(name));
    }
    Ok(values)
}
