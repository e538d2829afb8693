//! Offer and answer (RFC 3264) for one audio stream that is protected, and refusal of one that is not enough.
//!
//! ```text
//! offerer:  secure_offer() ─────► secure_answer_received(offer, answer, …) ─► (Negotiated, Agreed)
//! answerer:     secure_answer(offer, …) ─► (answer, Negotiated, Agreed)
//! later:    secure_reoffer(previous, …): hold, resume, ICE restart
//! ```
//! Codecs and directions are [`offer_answer`](crate::offer_answer)'s; this adds who protects what:
//! devices of the home demand [`Protection::Dtls`] of each other, telephones and trunks are given
//! what they speak, and nobody is taken below what [`SecurityPolicy::least`] says. With DTLS the address of
//! [`Negotiated`] means nothing: the candidates of [`Agreed::Dtls`] do.

use std::net::Ipv4Addr;

use super::crypto::Crypto;
use super::fingerprint::Setup;
use super::profile::{Profile, Protection};
use super::security::{DtlsDescription, Security, SecurityError};
use super::{Media, SessionDescription};
use crate::offer_answer::{self, LocalAudio, Negotiated, NegotiationError};
use crate::uri::Host;

/// A dummy address (RFC 7600 section 4.8): where the peer is, its candidates say.
const SOMEWHERE: Ipv4Addr = Ipv4Addr::new(192, 0, 0, 8);

/// What we can do for a call that comes in, and the least that we take.
#[derive(Debug, Clone)]
pub struct SecurityPolicy {
    /// The weakest protection that we accept.
    pub least: Protection,
    /// Our DTLS and ICE, if we have them. `setup` is chosen by the answer; [`Setup::Passive`] keeps an end that was agreed
    /// earlier in the call, where the offer leaves it to us (RFC 8842 section 5.3).
    pub dtls: Option<DtlsDescription>,
    /// Our key for each suite of SDES that we take.
    pub sdes: Vec<Crypto>,
}

/// Which end of the DTLS handshake we are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DtlsRole {
    /// We begin (`a=setup:active`).
    Client,
    /// The other side begins (`a=setup:passive`).
    Server,
}

/// What offer and answer agreed on besides the codec.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Agreed {
    /// In the clear.
    Plain,
    /// SRTP with these keys.
    Sdes {
        /// Ours, for what we send.
        ours: Crypto,
        /// Theirs, for what we receive.
        theirs: Crypto,
    },
    /// SRTP by DTLS.
    Dtls {
        /// Our end.
        role: DtlsRole,
        /// What the other side says of itself.
        theirs: DtlsDescription,
    },
}

/// Why there is no agreement on a protected stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SecureNegotiationError {
    /// No agreement on the stream itself.
    #[error(transparent)]
    Negotiation(#[from] NegotiationError),
    /// The other side's protection does not read.
    #[error(transparent)]
    Security(#[from] SecurityError),
    /// Refusal: the other side offers less than we demand. Answer 488, or end the call.
    #[error("the other side offers {offered:?}, and {least:?} is demanded")]
    TooWeak {
        /// The best that is there.
        offered: Protection,
        /// What is demanded.
        least: Protection,
    },
    /// No suite in common.
    #[error("no a=crypto line in common")]
    NoCommonSuite,
    /// The answer chose no end of the handshake that the offer left to it.
    #[error("the answer says a=setup:{}", .0.as_str())]
    Setup(Setup),
}

/// Our offer with one protection. `a=setup` is `actpass` whatever `ours` says (RFC 5763 section 5).
#[must_use]
pub fn secure_offer(
    local: &LocalAudio,
    ours: &Security,
    session_id: u64,
    version: u64,
) -> SessionDescription {
    let mut description = offer_answer::offer(local, session_id, version);
    protect(&mut description, &offered(ours));
    description
}

/// A later offer of ours in the same session. New ICE credentials in `ours` restart ICE; the end of
/// the handshake that was agreed stays (`setup` of `ours` is kept when it is not `actpass`, RFC 8842 section 5.5).
#[must_use]
pub fn secure_reoffer(
    previous: &SessionDescription,
    local: &LocalAudio,
    ours: &Security,
) -> SessionDescription {
    let mut description = offer_answer::reoffer(&in_the_clear(previous), local);
    for (section, before) in description.media.iter_mut().zip(&previous.media) {
        if section.port == 0 {
            section.protocol.clone_from(&before.protocol);
        }
    }
    protect(&mut description, ours);
    description
}

/// Our answer to `offer`: its best protected audio stream that we can do, the others refused.
///
/// # Errors
/// [`SecureNegotiationError`]; answer 488 then.
pub fn secure_answer(
    offer: &SessionDescription,
    local: &LocalAudio,
    policy: &SecurityPolicy,
    session_id: u64,
    version: u64,
) -> Result<(SessionDescription, Negotiated, Agreed), SecureNegotiationError> {
    let (index, theirs) = best_section(offer, policy)?;
    let (ours, agreed) = match theirs {
        Security::Plain => (Security::Plain, Agreed::Plain),
        Security::Sdes(lines) => {
            let pair = lines.into_iter().find_map(|theirs| {
                let ours = policy.sdes.iter().find(|o| o.suite() == theirs.suite())?;
                // The answer repeats the tag of the line that it takes (RFC 4568 section 5.1.2).
                let ours = Crypto::new(theirs.tag(), ours.suite(), ours.key_and_salt()).ok()?;
                Some((ours, theirs))
            });
            let (ours, theirs) = pair.ok_or(SecureNegotiationError::NoCommonSuite)?;
            let line = Security::Sdes(vec![ours.clone()]);
            (line, Agreed::Sdes { ours, theirs })
        }
        Security::Dtls(theirs) => {
            let ours = policy.dtls.clone();
            let mut ours = ours.ok_or(NegotiationError::NothingAcceptable)?;
            let setup = match (theirs.setup, ours.setup) {
                (Setup::ActPass, Setup::Passive) => Some(Setup::Passive),
                (theirs, _) => theirs.answered(),
            };
            let setup = setup.ok_or(SecureNegotiationError::Setup(theirs.setup))?;
            ours.setup = setup;
            let role = role_of(setup);
            (Security::Dtls(ours), Agreed::Dtls { role, theirs })
        }
    };
    let mut plain = in_the_clear(offer);
    for (other, media) in plain.media.iter_mut().enumerate() {
        if other != index {
            media.port = 0;
        }
    }
    let (mut description, negotiated) = offer_answer::answer(&plain, local, session_id, version)?;
    for (section, offered) in description.media.iter_mut().zip(&offer.media) {
        section.protocol.clone_from(&offered.protocol);
    }
    let (section, offered) = (&mut description.media[index], &offer.media[index]);
    ours.write(section);
    section.protocol.clone_from(&offered.protocol);
    if let Some(mid) = offered.attributes.get("mid") {
        section.attributes.push("mid", Some(mid));
        // Browsers put everything on one port (RFC 9143); a bundle of one is kept as such.
        let bundled = offer.attributes.get_all("group").any(|group| {
            let mut words = group.split(' ');
            words.next() == Some("BUNDLE") && words.any(|word| word == mid)
        });
        if bundled {
            let group = format!("BUNDLE {mid}");
            description.attributes.push("group", Some(&group));
        }
    }
    mark_lite(&mut description, &ours);
    Ok((description, negotiated, agreed))
}

/// What the other side's answer to our protected offer settles.
///
/// # Errors
/// [`SecureNegotiationError`]; an answer that takes the protection away is refused.
pub fn secure_answer_received(
    offer: &SessionDescription,
    answer: &SessionDescription,
) -> Result<(Negotiated, Agreed), SecureNegotiationError> {
    let index = offer
        .media
        .iter()
        .position(|m| m.kind == "audio" && m.port != 0)
        .ok_or(NegotiationError::Rejected)?;
    let (offered, answered) = (offer.media.len(), answer.media.len());
    if offered != answered {
        return Err(NegotiationError::SectionCount { offered, answered }.into());
    }
    let (our_section, their_section) = (&offer.media[index], &answer.media[index]);
    if their_section.port == 0 {
        return Err(NegotiationError::Rejected.into());
    }
    let ours = Security::of(offer, our_section)?;
    let theirs = Security::of(answer, their_section)?;
    let (least, given) = (ours.protection(), theirs.protection());
    if given > least {
        return Err(NegotiationError::Rejected.into());
    }
    if given < least {
        return Err(SecureNegotiationError::TooWeak {
            offered: given,
            least,
        });
    }
    let mut clear_answer = in_the_clear(answer);
    for media in &mut clear_answer.media {
        // SAVP answered by SAVPF is one profile to us; the plain half compares the field itself.
        if media.port == 0 {
            "RTP/AVP".clone_into(&mut media.protocol);
        }
    }
    let negotiated = offer_answer::answer_received(&in_the_clear(offer), &clear_answer)?;
    let agreed = match (ours, theirs) {
        (Security::Sdes(ours), Security::Sdes(theirs)) => {
            let pair = theirs.into_iter().find_map(|theirs| {
                let same =
                    |ours: &&Crypto| ours.tag() == theirs.tag() && ours.suite() == theirs.suite();
                let ours = ours.iter().find(same)?.clone();
                Some(Agreed::Sdes { ours, theirs })
            });
            pair.ok_or(SecureNegotiationError::NoCommonSuite)?
        }
        (Security::Dtls(ours), Security::Dtls(theirs)) => {
            let role = match (ours.setup, theirs.setup) {
                (Setup::ActPass | Setup::Passive, Setup::Active) => DtlsRole::Server,
                (Setup::ActPass | Setup::Active, Setup::Passive) => DtlsRole::Client,
                (_, setup) => return Err(SecureNegotiationError::Setup(setup)),
            };
            Agreed::Dtls { role, theirs }
        }
        _ => Agreed::Plain,
    };
    Ok((negotiated, agreed))
}

/// The best protected audio stream of an offer that the policy can do, and what it says of itself.
fn best_section(
    offer: &SessionDescription,
    policy: &SecurityPolicy,
) -> Result<(usize, Security), SecureNegotiationError> {
    let mut best: Option<(usize, Security)> = None;
    let mut failure = None;
    let mut seen: Option<Protection> = None;
    for (index, media) in offer.media.iter().enumerate() {
        if media.kind != "audio" || media.port == 0 {
            continue;
        }
        let read = match Security::of(offer, media) {
            Ok(read) => read,
            Err(error) => {
                failure.get_or_insert(error);
                continue;
            }
        };
        let protection = read.protection();
        seen = seen.max(Some(protection));
        let able = match protection {
            Protection::Plain => true,
            Protection::Sdes => !policy.sdes.is_empty(),
            Protection::Dtls => policy.dtls.is_some(),
        };
        let better = best
            .as_ref()
            .is_none_or(|(_, held)| protection > held.protection());
        if able && better && protection >= policy.least {
            best = Some((index, read));
        }
    }
    if let Some(found) = best {
        return Ok(found);
    }
    match (failure, seen) {
        (_, Some(offered)) if offered < policy.least => Err(SecureNegotiationError::TooWeak {
            offered,
            least: policy.least,
        }),
        (Some(error), _) => Err(error.into()),
        _ => Err(NegotiationError::NothingAcceptable.into()),
    }
}

fn role_of(our_setup: Setup) -> DtlsRole {
    if our_setup == Setup::Active {
        DtlsRole::Client
    } else {
        DtlsRole::Server
    }
}

fn offered(ours: &Security) -> Security {
    match ours {
        Security::Dtls(dtls) => Security::Dtls(DtlsDescription {
            setup: Setup::ActPass,
            ..dtls.clone()
        }),
        other => other.clone(),
    }
}

/// Protects the audio stream of our description.
fn protect(description: &mut SessionDescription, ours: &Security) {
    let audio = |m: &&mut Media| m.kind == "audio" && m.port != 0;
    if let Some(media) = description.media.iter_mut().find(audio) {
        ours.write(media);
    }
    mark_lite(description, ours);
}

fn mark_lite(description: &mut SessionDescription, ours: &Security) {
    if matches!(ours, Security::Dtls(dtls) if dtls.lite) {
        description.attributes.push("ice-lite", None);
    }
}

/// The same description with known profiles named `RTP/AVP`, for the half that knows only codecs.
fn in_the_clear(description: &SessionDescription) -> SessionDescription {
    let mut plain = description.clone();
    for media in &mut plain.media {
        let Some(profile) = Profile::parse(&media.protocol) else {
            continue;
        };
        Profile::RtpAvp.as_str().clone_into(&mut media.protocol);
        let nowhere = media
            .connection
            .as_ref()
            .or(description.connection.as_ref())
            .and_then(Host::ip)
            .is_some_and(|address| address.is_unspecified());
        // With ICE the address says nothing: browsers write all zeros before they have looked at
        // their interfaces (RFC 9429 section 5.2.1), which would be the hold of RFC 2543 elsewhere.
        if nowhere && profile.protection() == Protection::Dtls {
            media.connection = Some(Host::V4(SOMEWHERE));
        }
    }
    plain
}
