//! The protected half of offers and answers, over what [`hearthline_webrtc::dtls`] says of the transport.
//!
//! A [`Demand::Either`] offer says `RTP/AVP` with the attributes of DTLS and ICE beside it (RFC 8643): who knows them
//! answers with their own, others do not see them. Here such a description is read as `UDP/TLS/RTP/SAVPF`.
use core::time::Duration;

use hearthline_media::secure::{DtlsRole, SecureDescription, SecureTransport};
use hearthline_sip::offer_answer::{LocalAudio, Negotiated};
use hearthline_sip::sdp::SessionDescription;
use hearthline_sip::sdp::fingerprint::Setup;
use hearthline_sip::sdp::profile::{Profile, Protection};
use hearthline_sip::sdp::secure_offer_answer::{
    secure_answer_received, secure_offer, secure_reoffer,
};
use hearthline_sip::sdp::security::Security;
use hearthline_webrtc::dtls;

use super::{Demand, LegError};

/// Our first offer.
pub(super) fn offer(
    way: &SecureTransport,
    audio: &LocalAudio,
    demand: Demand,
    session_id: u64,
) -> SessionDescription {
    let ours = Security::Dtls(dtls::described(way, Setup::ActPass));
    let mut offer = secure_offer(audio, &ours, session_id, 0);
    if demand == Demand::Either {
        set_profile(&mut offer, Profile::UdpTlsRtpSavpf, Profile::RtpAvp);
    }
    offer
}

/// A later offer of ours; who begins the handshake stays (RFC 8842 section 5.5).
pub(super) fn reoffer(
    way: &SecureTransport,
    role: DtlsRole,
    previous: &SessionDescription,
    audio: &LocalAudio,
) -> SessionDescription {
    let setup = match role {
        DtlsRole::Client => Setup::Active,
        DtlsRole::Server => Setup::Passive,
    };
    let ours = Security::Dtls(dtls::described(way, setup));
    secure_reoffer(&lifted(previous), audio, &ours)
}

/// Our answer; `version` is session id and version of our description.
pub(super) fn answer(
    way: &mut SecureTransport,
    offer: &SessionDescription,
    audio: &LocalAudio,
    version: (u64, u64),
    now: Duration,
) -> Result<(SessionDescription, Negotiated, DtlsRole), LegError> {
    let beside = lifted(offer);
    let was_beside = beside != *offer;
    let (mut ours, negotiated, role) = dtls::answer(way, &beside, audio, version, now)?;
    if was_beside {
        set_profile(&mut ours, Profile::UdpTlsRtpSavpf, Profile::RtpAvp);
    }
    Ok((ours, negotiated, role))
}

/// What their answer to our offer settles.
pub(super) fn answer_received(
    way: &mut SecureTransport,
    offer: &SessionDescription,
    answer: &SessionDescription,
    now: Duration,
) -> Result<(Negotiated, DtlsRole), LegError> {
    let (negotiated, agreed) = secure_answer_received(&lifted(offer), &lifted(answer))?;
    let (theirs, role) = dtls::agreed(agreed)?;
    way.set_remote(theirs, role, now)?;
    Ok((negotiated, role))
}

/// Whether a later description names other checks than the one before.
pub(super) fn is_restarted(way: &SecureTransport, theirs: &SessionDescription) -> bool {
    let audio = theirs.media.iter().find(|media| media.kind == "audio");
    let value = |name: &str| {
        let own = audio.and_then(|media| media.attributes.get(name));
        own.or_else(|| theirs.attributes.get(name))
    };
    let letters = |name: &str| value(name).unwrap_or_default().to_owned();
    // Only its name and password are looked at.
    way.is_restart(&SecureDescription {
        fingerprint: [0; 32],
        ufrag: letters("ice-ufrag"),
        pwd: letters("ice-pwd"),
        candidates: Vec::new(),
        lite: false,
    })
}

/// Whether a description offers or takes DTLS, as its profile or beside one in the clear.
pub(in crate::telephone) fn is_offered(description: &SessionDescription) -> bool {
    let lifted = lifted(description);
    lifted.media.iter().any(|media| {
        media.kind == "audio"
            && media.port != 0
            && Profile::parse(&media.protocol)
                .is_some_and(|profile| profile.protection() == Protection::Dtls)
    })
}

/// Ours without what protects it: nobody took it.
pub(super) fn cleared(description: &SessionDescription) -> SessionDescription {
    let mut cleared = description.clone();
    for media in &mut cleared.media {
        if media.kind == "audio" && media.port != 0 {
            Security::Plain.write(media);
        }
    }
    cleared
}

/// DTLS beside `RTP/AVP` as a profile of its own.
fn lifted(description: &SessionDescription) -> SessionDescription {
    let mut lifted = description.clone();
    let session = description.attributes.clone();
    let has = |media: &hearthline_sip::sdp::Media, name: &str| {
        media.attributes.has(name) || session.has(name)
    };
    for media in &mut lifted.media {
        let beside = ["fingerprint", "setup", "ice-ufrag", "ice-pwd"]
            .iter()
            .all(|name| has(media, name));
        if media.kind == "audio" && beside && media.protocol == Profile::RtpAvp.as_str() {
            Profile::UdpTlsRtpSavpf
                .as_str()
                .clone_into(&mut media.protocol);
        }
    }
    lifted
}

fn set_profile(description: &mut SessionDescription, from: Profile, to: Profile) {
    for media in &mut description.media {
        if media.protocol == from.as_str() {
            to.as_str().clone_into(&mut media.protocol);
        }
    }
}
