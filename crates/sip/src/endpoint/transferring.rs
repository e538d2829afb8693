//! Transfer of a call by us: REFER inside it, and the reports of how it goes (RFC 3515, RFC 5589).
//!
//! ```text
//! refer ─► REFER ─ 2xx ─► reports by NOTIFY ─► Told(180) … Ended(200)
//!             │      └ without a subscription (RFC 4488) ─► Untold
//!             └ refused, lost ─► Refused
//! ```
//! The call itself stays as it was: whoever transfers it ends it once the other side has been answered.

use core::time::Duration;

use super::Endpoint;
use super::build::{dialog_targets, in_dialog};
use super::call::{Phase, Purpose};
use super::event::{CallHandle, CommandError, Event, FailureCause, TransferProgress};
use super::request::{Refusal, TransferRequest};
use crate::refer::{Replaces, SIPFRAG, Substate, sipfrag_status};
use crate::transaction::TransactionId;
use crate::{HeaderName, Method, Request, Response, StatusCode, Uri};

/// How long reports are waited for that say nothing of their own end.
pub(super) const REPORTS_MAX: Duration = Duration::from_secs(240);

/// A transfer of ours under way; one in a call at a time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Transfer {
    /// A final report came; later ones are only acknowledged.
    ended: bool,
    pub(super) until: Duration,
}

impl Endpoint {
    /// Asks the peer of a call that stands to call somebody else.
    ///
    /// # Errors
    /// When the call does not stand, another transfer of it is under way, or this endpoint transfers no calls.
    pub fn refer(
        &mut self,
        call: CallHandle,
        wanted: TransferRequest,
        now: Duration,
    ) -> Result<(), CommandError> {
        let command = "transfer";
        if !self.config.transfers {
            let why = "this endpoint transfers no calls: set EndpointConfig::transfers";
            return Err(CommandError::Invalid(why.to_owned()));
        }
        if self.transfers.contains_key(&call.0) {
            let state = "being transferred";
            return Err(CommandError::WrongState { command, state });
        }
        let TransferRequest {
            refer_to,
            referred_by,
            reports,
        } = wanted;
        let allow = self.allow();
        let entry = self
            .calls
            .get_mut(&call.0)
            .ok_or(CommandError::UnknownCall)?;
        let state = entry.phase.as_str();
        let wrong = CommandError::WrongState { command, state };
        if entry.phase != Phase::Confirmed {
            return Err(wrong);
        }
        let dialog = entry.dialog.as_mut().ok_or(wrong)?;
        let seq = dialog.next_seq();
        let mut request = in_dialog(dialog, Method::Refer, seq);
        let headers = &mut request.headers;
        headers.push_display(HeaderName::Contact, &entry.contact);
        headers.push(HeaderName::Allow, allow);
        headers.push(HeaderName::Supported, "norefersub, replaces");
        headers.push_display(HeaderName::ReferTo, refer_to);
        if let Some(by) = referred_by {
            headers.push_display(HeaderName::ReferredBy, by);
        }
        if !reports {
            headers.push(HeaderName::ReferSub, "false");
        }
        let targets = dialog_targets(dialog, &entry.flow);
        let credentials = entry.credentials.clone();
        let sent = Self::context(Purpose::Refer, Some(call.0), request, targets, credentials)
            .is_some_and(|context| self.send(context, now));
        if !sent {
            let (what, max) = (
                "client transactions",
                self.config.limits.client_transactions_max,
            );
            return Err(CommandError::TooMany { what, max });
        }
        let until = now.saturating_add(REPORTS_MAX);
        let ended = false;
        self.transfers.insert(call.0, Transfer { ended, until });
        self.settle(now);
        Ok(())
    }

    /// By what another party takes the place of ours in this call: its remote target, and the dialog as the peer knows it
    /// (RFC 3891). For the Refer-To of an attended transfer. `None`: the call does not stand.
    pub fn replaces(&self, call: CallHandle) -> Option<(Uri, Replaces)> {
        let entry = self.calls.get(&call.0)?;
        let dialog = entry
            .dialog
            .as_ref()
            .filter(|_| entry.phase == Phase::Confirmed)?;
        let replaces = Replaces {
            call_id: dialog.id.call_id.clone(),
            to_tag: dialog.id.remote_tag.clone(),
            from_tag: dialog.id.local_tag.clone(),
            early_only: false,
        };
        Some((dialog.remote_target.clone(), replaces))
    }

    fn told(&mut self, handle: u64, progress: TransferProgress) {
        self.event(Event::Transfer {
            call: CallHandle(handle),
            progress,
        });
    }

    /// A final response to our REFER.
    pub(super) fn refer_response(&mut self, handle: u64, response: Box<Response>, now: Duration) {
        if !self.transfers.contains_key(&handle) {
            return;
        }
        if !response.status.is_success() {
            self.transfers.remove(&handle);
            let stands = self
                .calls
                .get(&handle)
                .is_some_and(|call| call.phase == Phase::Confirmed);
            if response.status == StatusCode::CALL_DOES_NOT_EXIST && stands {
                let reason = Some("the peer knows the call no more".to_owned());
                self.end_with_bye(handle, super::EndedBy::Lost, reason, now);
                return;
            }
            let cause = FailureCause::Response(response);
            self.told(handle, TransferProgress::Refused(cause));
            return;
        }
        let quiet = response.headers.refer_sub() == Ok(Some(false))
            || response.status == StatusCode::NO_NOTIFICATION;
        if quiet {
            self.transfers.remove(&handle);
            self.told(handle, TransferProgress::Untold);
        } else {
            self.told(handle, TransferProgress::Accepted);
        }
    }

    /// Our REFER found nobody.
    pub(super) fn refer_lost(&mut self, handle: u64, cause: FailureCause) {
        if self.transfers.remove(&handle).is_some() {
            self.told(handle, TransferProgress::Refused(cause));
        }
    }

    /// No report came for too long.
    pub(super) fn transfers_due(&mut self, now: Duration) {
        let due: Vec<(u64, bool)> = self
            .transfers
            .iter()
            .filter(|(_, transfer)| transfer.until <= now)
            .map(|(handle, transfer)| (*handle, transfer.ended))
            .collect();
        for (handle, ended) in due {
            self.transfers.remove(&handle);
            if !ended {
                self.told(handle, TransferProgress::Ended(None));
            }
        }
    }

    /// A NOTIFY inside a call: a report of our transfer, or nothing that we asked for (RFC 6665 section 4.1.3).
    pub(super) fn incoming_notify(
        &mut self,
        handle: u64,
        id: TransactionId,
        request: &Request,
        now: Duration,
    ) {
        let tag = self.local_tag(handle);
        let refuse = |own: &mut Self, status| {
            own.refuse(id, request, tag.as_deref(), Refusal::new(status), now);
        };
        let headers = &request.headers;
        let package = headers.event().ok().flatten().map(|event| event.package);
        if package.is_none_or(|package| !package.eq_ignore_ascii_case("refer")) {
            return refuse(self, StatusCode::BAD_EVENT);
        }
        let Some(transfer) = self.transfers.get(&handle).copied() else {
            return refuse(self, StatusCode::CALL_DOES_NOT_EXIST);
        };
        let Ok(Some(state)) = headers.subscription_state() else {
            return refuse(self, StatusCode::BAD_REQUEST);
        };
        let own_kind = headers
            .content_type()
            .ok()
            .flatten()
            .is_some_and(|kind| kind.is("message/sipfrag"));
        let status = match (request.body.is_empty(), own_kind) {
            // A last report may say nothing but that it is the last.
            (true, _) => None,
            (false, false) => {
                let refusal = Refusal {
                    status: StatusCode::UNSUPPORTED_MEDIA_TYPE,
                    headers: vec![(HeaderName::Accept, SIPFRAG.into())],
                };
                return self.refuse(id, request, tag.as_deref(), refusal, now);
            }
            (false, true) => match sipfrag_status(&request.body) {
                Ok(status) => Some(status),
                Err(_) => return refuse(self, StatusCode::BAD_REQUEST),
            },
        };
        let response = self.success(handle, request, None);
        self.transactions.respond(id, &response, now);
        let last = state.state == Substate::Terminated;
        let ends = last || status.is_some_and(StatusCode::is_final);
        if last {
            self.transfers.remove(&handle);
        } else if let Some(entry) = self.transfers.get_mut(&handle) {
            entry.ended |= ends;
            let seconds = state.expires_s.map_or(REPORTS_MAX, |seconds| {
                Duration::from_secs(seconds.into()).min(REPORTS_MAX)
            });
            entry.until = now.saturating_add(seconds);
        }
        if transfer.ended {
            return;
        }
        match status {
            Some(status) if !ends => self.told(handle, TransferProgress::Told(status)),
            // Of a provisional status in a last report nobody knows what became.
            Some(status) if status.is_final() => {
                self.told(handle, TransferProgress::Ended(Some(status)));
            }
            _ if ends => self.told(handle, TransferProgress::Ended(None)),
            _ => {}
        }
    }
}
