//! One query: server after server, redirect after redirect, until an answer fits or none is left.

use core::time::Duration;
use std::collections::VecDeque;

use super::{LostEvent, LostFailure, LostPost, LostReply, LostRequestId, REDIRECTS_MAX, route_of};
use crate::lost::{
    FindService, FindServiceResponse, LostErrorKind, LostRequest, LostResponse, TYPE_LOST,
};
use crate::target::{DrillTargets, HttpUrl};

/// What one input led to: a post, an answer, or neither when every server has failed.
#[derive(Debug, Default)]
pub(crate) struct Step {
    pub(crate) events: Vec<LostEvent>,
    pub(crate) post: Option<LostPost>,
    pub(crate) answer: Option<Box<FindServiceResponse>>,
}

#[derive(Debug)]
pub(crate) struct Exchange {
    find: FindService,
    body: Vec<u8>,
    waiting: VecDeque<HttpUrl>,
    asked: Vec<HttpUrl>,
    names: Vec<(String, HttpUrl)>,
    targets: DrillTargets,
    redirects: usize,
    answer_ms_max: u64,
    current: Option<(LostRequestId, HttpUrl, Duration)>,
}

impl Exchange {
    pub(crate) fn begin(
        find: FindService,
        servers: &[HttpUrl],
        names: &[(String, HttpUrl)],
        targets: &DrillTargets,
        answer_ms_max: u64,
        next_request: &mut u64,
        now: Duration,
    ) -> (Self, Step) {
        let mut exchange = Exchange {
            body: LostRequest::FindService(find.clone()).to_bytes(),
            find,
            waiting: servers.iter().cloned().collect(),
            asked: Vec::new(),
            names: names.to_vec(),
            targets: targets.clone(),
            redirects: 0,
            answer_ms_max,
            current: None,
        };
        let mut step = Step::default();
        if servers.is_empty() {
            step.events.push(LostEvent::Failed(LostFailure::NoServer));
        }
        exchange.ask_next(&mut step, next_request, now);
        (exchange, step)
    }

    pub(crate) fn awaits(&self, request: LostRequestId) -> bool {
        self.current
            .as_ref()
            .is_some_and(|(own, ..)| *own == request)
    }

    pub(crate) fn deadline(&self) -> Option<Duration> {
        self.current.as_ref().map(|(_, _, deadline)| *deadline)
    }

    pub(crate) fn handle_too_slow(&mut self, next_request: &mut u64, now: Duration) -> Step {
        self.fail(LostFailure::TooSlow, next_request, now)
    }

    pub(crate) fn handle_reply(
        &mut self,
        reply: &LostReply<'_>,
        next_request: &mut u64,
        now: Duration,
    ) -> Step {
        match read_reply(reply) {
            Err(failure) => self.fail(failure, next_request, now),
            Ok(LostResponse::FindService(answer)) => match self.check(&answer) {
                Ok(()) => {
                    self.current = None;
                    let event = LostEvent::Mapped {
                        source: answer.mappings[0].source.clone(),
                        path: answer.path.clone(),
                        warnings: answer.warnings.clone(),
                        invalid: answer
                            .validation
                            .as_ref()
                            .map(|own| own.invalid.clone())
                            .unwrap_or_default(),
                    };
                    Step {
                        events: vec![event],
                        post: None,
                        answer: Some(Box::new(answer)),
                    }
                }
                Err(what) => self.fail(LostFailure::DoesNotFit(what), next_request, now),
            },
            Ok(LostResponse::Redirect(redirect)) => {
                self.redirected(&redirect.target, next_request, now)
            }
            Ok(LostResponse::Errors(errors)) => {
                let kind = errors
                    .errors
                    .first()
                    .map_or(LostErrorKind::Unknown, |error| error.kind);
                self.fail(LostFailure::Error(kind), next_request, now)
            }
            Ok(_) => self.fail(
                LostFailure::DoesNotFit("another kind of answer"),
                next_request,
                now,
            ),
        }
    }

    /// Whether the answer is one to this question (RFC 5069 requirements 3 to 5).
    fn check(&self, answer: &FindServiceResponse) -> Result<(), &'static str> {
        let mapping = &answer.mappings[0];
        if route_of(mapping).is_none() {
            return Err("no sip or sips URI");
        }
        if let (Some(given), Some(asked)) = (&mapping.service, &self.find.service)
            && !given.covers(asked)
            && !asked.covers(given)
        {
            return Err("a mapping of another service");
        }
        if let Some(used) = &answer.location_used
            && !self.find.locations.iter().any(|own| own.id == *used)
        {
            return Err("a mapping of another location");
        }
        Ok(())
    }

    fn redirected(&mut self, target: &str, next_request: &mut u64, now: Duration) -> Step {
        let Some((_, from, _)) = self.current.take() else {
            return Step::default();
        };
        let mut step = Step::default();
        self.redirects += 1;
        let url = self.url_of(target, &from);
        match url {
            Some(url) if self.redirects <= REDIRECTS_MAX && !self.asked.contains(&url) => {
                step.events.push(LostEvent::Redirected {
                    target: target.to_owned(),
                });
                self.waiting.push_front(url);
            }
            Some(_) => step
                .events
                .push(LostEvent::Failed(LostFailure::RedirectLoop)),
            None => step.events.push(LostEvent::Failed(LostFailure::DoesNotFit(
                "a redirect to no server",
            ))),
        }
        self.ask_next(&mut step, next_request, now);
        step
    }

    /// The URL of an application unique string: what U-NAPTR would say, or the redirecting server's URL with its host replaced.
    fn url_of(&self, target: &str, from: &HttpUrl) -> Option<HttpUrl> {
        if let Some((_, url)) = self
            .names
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(target))
        {
            return Some(url.clone());
        }
        let shaped = !target.is_empty()
            && target.len() <= 253
            && target
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.'));
        if !shaped {
            return None;
        }
        let (scheme, rest) = from.as_str().split_once("://")?;
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        let host_and_port = authority.rsplit('@').next().unwrap_or(authority);
        let port = host_and_port
            .rsplit_once(':')
            .map(|(_, port)| port)
            .filter(|port| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()));
        let port = port.map(|port| format!(":{port}")).unwrap_or_default();
        HttpUrl::parse(&format!("{scheme}://{target}{port}{path}")).ok()
    }

    fn fail(&mut self, failure: LostFailure, next_request: &mut u64, now: Duration) -> Step {
        self.current = None;
        let mut step = Step::default();
        step.events.push(LostEvent::Failed(failure));
        self.ask_next(&mut step, next_request, now);
        step
    }

    fn ask_next(&mut self, step: &mut Step, next_request: &mut u64, now: Duration) {
        while let Some(url) = self.waiting.pop_front() {
            if self.asked.contains(&url) {
                continue;
            }
            if !self.targets.permit_url(&url) {
                step.events
                    .push(LostEvent::Failed(LostFailure::OutsideTheDrill));
                continue;
            }
            let request = LostRequestId(*next_request);
            *next_request += 1;
            let wait = Duration::from_millis(self.answer_ms_max);
            self.asked.push(url.clone());
            self.current = Some((request, url.clone(), now + wait));
            step.post = Some(LostPost {
                request,
                url,
                body: self.body.clone(),
                give_up_after: wait,
            });
            return;
        }
    }
}

/// A LoST document out of an HTTP response (RFC 5222 §14: only a 2xx carries one).
fn read_reply(reply: &LostReply<'_>) -> Result<LostResponse, LostFailure> {
    match reply {
        LostReply::Failed => Err(LostFailure::NoResponse),
        LostReply::Http { status, .. } if !(200..300).contains(status) => {
            Err(LostFailure::Http(*status))
        }
        LostReply::Http {
            content_type, body, ..
        } => {
            let kind = content_type.split(';').next().unwrap_or("").trim();
            if !kind.eq_ignore_ascii_case(TYPE_LOST) {
                return Err(LostFailure::ContentType);
            }
            LostResponse::parse(body).map_err(LostFailure::Unreadable)
        }
    }
}
