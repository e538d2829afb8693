//! What a modem's failures mean in SIP.
//!
//! A line that does not work says 503, so that the next is tried; a person who is busy or does not answer is no fault of
//! the line (486, 480).

use hearthline_sip::endpoint::Refusal;
use hearthline_sip::{HeaderName, StatusCode};

use crate::service::CallStateReason;

/// A status and our words for it.
pub(super) type Outcome = (StatusCode, &'static str);

/// The value of a Warning (RFC 3261 section 20.43) that says more than the status.
pub(super) fn warning(words: &str) -> Vec<u8> {
    let words: String = words
        .chars()
        .filter(|character| !character.is_control() && !matches!(character, '"' | '\\'))
        .collect();
    format!("399 hearthline \"{words}\"").into_bytes()
}

/// A refusal that says why.
pub(super) fn refusal(status: StatusCode, words: &str) -> Refusal {
    let mut refusal = Refusal::new(status);
    refusal.headers.push((HeaderName::Warning, warning(words)));
    refusal
}

/// Of a call that ended before anybody answered.
pub(super) fn of_reason(reason: CallStateReason) -> Outcome {
    match reason {
        CallStateReason::RefusedOrBusy => (StatusCode::BUSY_HERE, "busy, or refused"),
        CallStateReason::Error => (
            StatusCode::SERVICE_UNAVAILABLE,
            "the modem or its network failed",
        ),
        CallStateReason::AudioSetupFailed => (
            StatusCode::SERVICE_UNAVAILABLE,
            "the modem could not carry sound",
        ),
        _ => (StatusCode::TEMPORARILY_UNAVAILABLE, "nobody answered"),
    }
}

/// Of an error of ModemManager's.
pub(super) fn of_error(name: &str) -> Outcome {
    let name = name
        .strip_prefix("org.freedesktop.ModemManager1.Error.")
        .unwrap_or(name);
    match name {
        "Connection.Busy" => (StatusCode::BUSY_HERE, "busy, or refused"),
        "Connection.NoAnswer" | "Connection.NoCarrier" => {
            (StatusCode::TEMPORARILY_UNAVAILABLE, "nobody answered")
        }
        "Core.InvalidArgs" => (StatusCode::NOT_FOUND, "the modem does not take this number"),
        "Connection.NoDialtone" | "MobileEquipment.NoNetwork" => {
            (StatusCode::SERVICE_UNAVAILABLE, "no mobile network here")
        }
        _ => (
            StatusCode::SERVICE_UNAVAILABLE,
            "the modem or its network failed",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dead_line_is_told_from_a_busy_person() {
        let status = |name| of_error(name).0.code();
        assert_eq!(
            status("org.freedesktop.ModemManager1.Error.Connection.Busy"),
            486
        );
        assert_eq!(
            status("org.freedesktop.ModemManager1.Error.MobileEquipment.NoNetwork"),
            503
        );
        assert_eq!(status("org.freedesktop.DBus.Error.NoReply"), 503);
        assert_eq!(of_reason(CallStateReason::Terminated).0.code(), 480);
        assert_eq!(warning("a \"b\"\r\nX: c\\"), b"399 hearthline \"a bX: c\"");
    }
}
