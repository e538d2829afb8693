//! Transfer of a call by the peer: its REFER, and our reports of how the call goes that we make for it (RFC 3515). And
//! which call of ours an incoming one is to take the place of (RFC 3891).
//!
//! The endpoint calls nobody by itself. It hands up whom the peer names, and whoever is above decides.

use core::time::Duration;

use super::Endpoint;
use super::build::{dialog_targets, in_dialog};
use super::call::{Phase, Purpose, Side};
use super::event::{CallHandle, CommandError, Event, ReferHandle, Source};
use super::request::{Credentials, Refusal};
use crate::dialog::{Dialog, DialogId};
use crate::refer::{ReferTo, SIPFRAG, sipfrag};
use crate::target::Target;
use crate::transaction::TransactionId;
use crate::{HeaderName, Method, NameAddr, Request, StatusCode};

/// A REFER that nobody above has answered by then is refused: its sender has given up (timer F).
const UNANSWERED_MAX: Duration = Duration::from_secs(30);
/// How long reports go on.
const REPORTS_MAX: Duration = super::transferring::REPORTS_MAX;

/// A REFER of a peer.
#[derive(Debug)]
pub(super) struct Referral {
    call: u64,
    stage: Stage,
    /// No reports are wanted (RFC 4488).
    quiet: bool,
    /// The `id` of our reports: they need one from the second REFER of a dialog on (RFC 3515 section 2.4.6).
    id: Option<u32>,
    pub(super) until: Duration,
}

#[derive(Debug)]
enum Stage {
    /// Nobody has answered it yet.
    Asked(TransactionId),
    /// Accepted; its reports leave one after the other, the last one wins.
    Reporting {
        out: bool,
        next: Option<StatusCode>,
        ended: bool,
        /// What is left of the call once it has ended.
        alone: Option<Box<Alone>>,
    },
}

/// The dialog that lives on for its reports when the call in it is over (RFC 5057 section 3.1).
#[derive(Debug)]
struct Alone {
    dialog: Dialog,
    flow: Target,
    contact: NameAddr,
    credentials: Vec<Credentials>,
}

impl Endpoint {
    /// Accepts the peer's REFER. Its first report leaves at once; tell the others with [`Endpoint::report`].
    ///
    /// # Errors
    /// When it was answered already, or its call is over.
    pub fn accept_refer(&mut self, refer: ReferHandle, now: Duration) -> Result<(), CommandError> {
        let (id, request) = self.asked_refer(refer)?;
        let Some(referral) = self.referrals.get_mut(&refer.0) else {
            return Err(CommandError::UnknownCall);
        };
        let (handle, quiet) = (referral.call, referral.quiet);
        referral.stage = Stage::Reporting {
            out: false,
            next: None,
            ended: false,
            alone: None,
        };
        referral.until = now.saturating_add(REPORTS_MAX);
        let call = self.calls.get(&handle);
        let tag = self.local_tag(handle);
        let contact = call.map(|call| &call.contact);
        let status = if quiet {
            StatusCode::OK
        } else {
            StatusCode::ACCEPTED
        };
        let mut response = self.response(&request, status, tag.as_deref(), contact);
        if quiet {
            response.headers.push(HeaderName::ReferSub, "false");
        }
        self.transactions.respond(id, &response, now);
        if quiet {
            self.referrals.remove(&refer.0);
        } else {
            self.report_now(refer.0, StatusCode::TRYING, now);
        }
        self.settle(now);
        Ok(())
    }

    /// Refuses the peer's REFER.
    ///
    /// # Errors
    /// When it was answered already, its call is over, or the status is below 300.
    pub fn reject_refer(
        &mut self,
        refer: ReferHandle,
        refusal: Refusal,
        now: Duration,
    ) -> Result<(), CommandError> {
        super::answering::check_refusal(&refusal)?;
        let (id, request) = self.asked_refer(refer)?;
        let handle = self.referrals.remove(&refer.0).map(|gone| gone.call);
        let tag = handle.and_then(|handle| self.local_tag(handle));
        self.refuse(id, &request, tag.as_deref(), refusal, now);
        self.settle(now);
        Ok(())
    }

    /// Tells the peer how the call goes that it asked for: a final status is the last report.
    ///
    /// # Errors
    /// When nobody waits for a report (any more): no reports were wanted, the peer is gone, or the last one was told.
    pub fn report(
        &mut self,
        refer: ReferHandle,
        status: StatusCode,
        now: Duration,
    ) -> Result<(), CommandError> {
        match self.referrals.get(&refer.0).map(|own| &own.stage) {
            Some(Stage::Reporting { ended: false, .. }) => {}
            _ => return Err(CommandError::UnknownCall),
        }
        self.report_now(refer.0, status, now);
        self.settle(now);
        Ok(())
    }

    /// The call of ours that an incoming one is to take the place of (RFC 3891). Whoever accepts the incoming one ends the
    /// other; nothing here does so by itself.
    pub fn replaced_by(&self, call: CallHandle) -> Option<CallHandle> {
        match &self.calls.get(&call.0)?.side {
            Side::Callee(callee) => callee
                .replaces
                .filter(|replaced| self.calls.contains_key(replaced))
                .map(CallHandle),
            Side::Caller(_) => None,
        }
    }

    fn asked_refer(&self, refer: ReferHandle) -> Result<(TransactionId, Request), CommandError> {
        let referral = self.referrals.get(&refer.0);
        let Some(Stage::Asked(id)) = referral.map(|referral| &referral.stage) else {
            return Err(CommandError::UnknownCall);
        };
        let request = self.transactions.request(*id).cloned();
        Ok((*id, request.ok_or(CommandError::UnknownCall)?))
    }

    /// A REFER inside a call.
    pub(super) fn incoming_refer(
        &mut self,
        handle: u64,
        id: TransactionId,
        request: Box<Request>,
        source: Source,
        now: Duration,
    ) {
        let tag = self.local_tag(handle);
        let to = match ReferTo::of(&request) {
            Ok(to) => to,
            Err(error) => {
                self.counters.malformed_answered += 1;
                let status = error.status();
                let mut response = self.response(&request, status, tag.as_deref(), None);
                response = response.with_reason(&format!("{}: {error}", status.reason()));
                self.transactions.respond(id, &response, now);
                return;
            }
        };
        let under_way = self.referrals.values();
        let another = under_way
            .filter(|own| own.call == handle)
            .any(|own| !matches!(own.stage, Stage::Reporting { ended: true, .. }));
        let full = self.referrals.len() >= self.config.limits.referrals_max;
        let stands = self.calls.get(&handle).map(|call| call.phase) == Some(Phase::Confirmed);
        if another || full || !stands {
            // One after the other, and in calls that stand.
            let refusal = Refusal {
                status: if full {
                    StatusCode::SERVICE_UNAVAILABLE
                } else {
                    StatusCode::REQUEST_PENDING
                },
                headers: vec![(HeaderName::RetryAfter, b"10".to_vec())],
            };
            self.refuse(id, &request, tag.as_deref(), refusal, now);
            return;
        }
        let headers = &request.headers;
        let quiet =
            headers.refer_sub() == Ok(Some(false)) || headers.lists(&HeaderName::Require, "nosub");
        let seq = headers.cseq().map_or(0, |cseq| cseq.seq);
        let key = self.next_handle();
        let Some(call) = self.calls.get_mut(&handle) else {
            return;
        };
        let first = !core::mem::replace(&mut call.was_referred, true);
        let referral = Referral {
            call: handle,
            stage: Stage::Asked(id),
            quiet,
            id: (!first).then_some(seq),
            until: now.saturating_add(UNANSWERED_MAX),
        };
        self.referrals.insert(key, referral);
        self.event(Event::Referred {
            call: CallHandle(handle),
            refer: ReferHandle(key),
            to: Box::new(to),
            request,
            source,
        });
    }

    /// Sends a report, or keeps it until the one before is answered.
    fn report_now(&mut self, key: u64, status: StatusCode, now: Duration) {
        let Some(referral) = self.referrals.get_mut(&key) else {
            return;
        };
        let Stage::Reporting {
            out,
            next,
            ended,
            alone,
        } = &mut referral.stage
        else {
            return;
        };
        *ended |= status.is_final();
        if *out {
            *next = Some(status);
            return;
        }
        *out = true;
        let left = referral.until.saturating_sub(now).as_secs();
        let state = match *ended {
            true => "terminated;reason=noresource".to_owned(),
            false => format!("active;expires={left}"),
        };
        let event = match referral.id {
            Some(id) => format!("refer;id={id}"),
            None => "refer".to_owned(),
        };
        let standing = match alone {
            Some(alone) => Some((
                &mut alone.dialog,
                alone.flow.clone(),
                alone.contact.clone(),
                alone.credentials.clone(),
                None,
            )),
            None => self.calls.get_mut(&referral.call).and_then(|call| {
                Some((
                    call.dialog.as_mut()?,
                    call.flow.clone(),
                    call.contact.clone(),
                    call.credentials.clone(),
                    Some(referral.call),
                ))
            }),
        };
        let Some((dialog, flow, contact, credentials, call)) = standing else {
            self.referrals.remove(&key);
            return;
        };
        let seq = dialog.next_seq();
        let mut notify = in_dialog(dialog, Method::Notify, seq);
        let targets = dialog_targets(dialog, &flow);
        let headers = &mut notify.headers;
        headers.push_display(HeaderName::Contact, contact);
        headers.push(HeaderName::Event, event);
        headers.push(HeaderName::SubscriptionState, state);
        notify.set_body(SIPFRAG, sipfrag(status));
        let sent = Self::context(Purpose::Notify(key), call, notify, targets, credentials)
            .is_some_and(|context| self.send(context, now));
        if !sent {
            self.referrals.remove(&key);
        }
    }

    /// A report was answered, or found nobody.
    pub(super) fn report_answered(&mut self, key: u64, heard: bool, now: Duration) {
        let Some(referral) = self.referrals.get_mut(&key) else {
            return;
        };
        let Stage::Reporting {
            out, next, ended, ..
        } = &mut referral.stage
        else {
            return;
        };
        *out = false;
        match next.take() {
            Some(status) if heard => self.report_now(key, status, now),
            // Nobody listens any more (481), or the last one is told.
            None if heard && !*ended => {}
            _ => {
                self.referrals.remove(&key);
            }
        }
    }

    /// Ends what has waited for too long.
    pub(super) fn referrals_due(&mut self, now: Duration) {
        let due: Vec<u64> = self
            .referrals
            .iter()
            .filter(|(_, referral)| referral.until <= now)
            .map(|(key, _)| *key)
            .collect();
        for key in due {
            let Some(referral) = self.referrals.get_mut(&key) else {
                continue;
            };
            match &mut referral.stage {
                Stage::Asked(_) => {
                    let refusal = Refusal::new(StatusCode::TEMPORARILY_UNAVAILABLE);
                    // It waits: it was found above.
                    let _ = self.reject_refer(ReferHandle(key), refusal, now);
                }
                Stage::Reporting { ended: false, .. } => {
                    referral.until = now.saturating_add(UNANSWERED_MAX);
                    self.report_now(key, StatusCode::REQUEST_TIMEOUT, now);
                }
                Stage::Reporting { .. } => {
                    self.referrals.remove(&key);
                }
            }
        }
    }

    /// A call is over: a REFER that waits in it is answered, reports of another go on without it.
    pub(super) fn leave_referrals(&mut self, handle: u64, call: &super::call::Call, now: Duration) {
        self.transfers.remove(&handle);
        let keys: Vec<u64> = self
            .referrals
            .iter()
            .filter(|(_, referral)| referral.call == handle)
            .map(|(key, _)| *key)
            .collect();
        for key in keys {
            let Some(referral) = self.referrals.get_mut(&key) else {
                continue;
            };
            match &mut referral.stage {
                Stage::Asked(id) => {
                    let id = *id;
                    self.referrals.remove(&key);
                    if let Some(request) = self.transactions.request(id).cloned() {
                        let tag = call.dialog.as_ref().map(|d| d.id.local_tag.clone());
                        let refusal = Refusal::new(StatusCode::REQUEST_TERMINATED);
                        self.refuse(id, &request, tag.as_deref(), refusal, now);
                    }
                }
                Stage::Reporting { alone, .. } => {
                    let Some(mut dialog) = call.dialog.clone() else {
                        continue;
                    };
                    // Our BYE took one number of its own.
                    dialog.next_seq();
                    *alone = Some(Box::new(Alone {
                        dialog,
                        flow: call.flow.clone(),
                        contact: call.contact.clone(),
                        credentials: call.credentials.clone(),
                    }));
                }
            }
        }
    }

    /// Which call an INVITE is to take the place of; the status that it deserves where there is none (RFC 3891 section 3).
    pub(super) fn replaced(&self, request: &Request) -> Result<Option<u64>, StatusCode> {
        if !self.config.transfers {
            return Ok(None);
        }
        let replaces = match request.headers.replaces() {
            Ok(Some(replaces)) => replaces,
            Ok(None) => return Ok(None),
            Err(_) => return Err(StatusCode::BAD_REQUEST),
        };
        let id = DialogId {
            call_id: replaces.call_id,
            local_tag: replaces.to_tag,
            remote_tag: replaces.from_tag,
        };
        let found = self.dialogs.get(&id).copied();
        let call = found.and_then(|handle| Some((handle, self.calls.get(&handle)?)));
        let Some((handle, call)) = call else {
            return Err(StatusCode::CALL_DOES_NOT_EXIST);
        };
        match (call.phase, &call.side) {
            (Phase::Confirmed | Phase::Accepted, _) if replaces.early_only => {
                Err(StatusCode::BUSY_HERE)
            }
            (Phase::Confirmed | Phase::Accepted, _) => Ok(Some(handle)),
            // Ours that nobody has answered yet.
            (Phase::Calling | Phase::Proceeding, Side::Caller(_)) => Ok(Some(handle)),
            _ => Err(StatusCode::CALL_DOES_NOT_EXIST),
        }
    }
}
