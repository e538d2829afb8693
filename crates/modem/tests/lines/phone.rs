//! A telephone of the home: calls, answers, speaks a tone and keeps what it hears.
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use hearthline_media::{self as media, Session, SessionConfig};
use hearthline_sip::endpoint::{
    Body, CallHandle, EndpointConfig, Event, FailureCause, InviteRequest, QueryRequest, Refusal,
};
use hearthline_sip::offer_answer::{self, LocalAudio, Negotiated};
use hearthline_sip::sdp::SessionDescription;
use hearthline_sip::target::{Target, Transport};
use hearthline_sip::{Endpoint, Method, NameAddr, Request, Response, SipUri, StatusCode, Uri};
use hearthline_transport::{Driver, Reach, RtpPair, Sockets, SocketsConfig};
use tokio::time::Instant;

const FRAME: Duration = Duration::from_millis(20);

pub(crate) struct Phone {
    driver: Driver,
    pub(crate) address: SocketAddr,
    rtp: RtpPair,
    session: Option<(Session, SocketAddr)>,
    next_speech: Duration,
    spoken: usize,
    pub(crate) pitch_hz: f64,
    /// 16 kHz.
    pub(crate) heard: Vec<i16>,
    pub(crate) digits: String,
    pub(crate) call: Option<CallHandle>,
    pub(crate) rang: bool,
    pub(crate) ended: bool,
}

/// How a call of ours went.
#[derive(Debug, PartialEq)]
pub(crate) enum Outcome {
    Answered,
    Refused(u16, String),
    Other(String),
}

impl Phone {
    pub(crate) async fn new() -> Self {
        let probe = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = probe.local_addr().unwrap();
        drop(probe);
        let mut config = SocketsConfig::new(Reach::LoopbackOnly);
        config.udp.push(address);
        let sockets = Sockets::bind(config).await.unwrap();
        let mut config = EndpointConfig::new(seed(), sockets.local.clone());
        config.methods.push(Method::Message);
        let endpoint = Endpoint::new(config);
        let rtp = RtpPair::bind(address.ip(), Reach::LoopbackOnly)
            .await
            .unwrap();
        Self {
            driver: Driver::new(endpoint, sockets),
            address,
            rtp,
            session: None,
            next_speech: Duration::ZERO,
            spoken: 0,
            pitch_hz: 600.0,
            heard: Vec::new(),
            digits: String::new(),
            call: None,
            rang: false,
            ended: false,
        }
    }

    fn local(&self) -> LocalAudio {
        LocalAudio::new(self.address.ip(), self.rtp.port().unwrap())
    }

    pub(crate) fn offer(&self) -> SessionDescription {
        offer_answer::offer(&self.local(), 1, 1)
    }

    /// Sends an INVITE and does not wait.
    pub(crate) fn dial(&mut self, line: SocketAddr, uri: &str) -> SessionDescription {
        let offer = self.offer();
        let body = Body::sdp(offer.to_bytes());
        self.dial_with(line, uri, body);
        offer
    }

    pub(crate) fn dial_with(&mut self, line: SocketAddr, uri: &str, body: Body) {
        let uri = Uri::parse(uri).unwrap();
        let from = NameAddr::new(
            SipUri::new(self.address.ip().into())
                .with_port(self.address.port())
                .with_user("phone"),
        );
        let target = Target::new(Transport::Udp, line);
        let to = NameAddr::new(uri.clone());
        let mut invite = InviteRequest::new(uri, from, to, target);
        invite.body = Some(body);
        let now = self.driver.now();
        self.call = Some(self.driver.endpoint.invite(invite, now).unwrap());
        self.ended = false;
    }

    /// Calls a number over the line, and waits for the outcome.
    pub(crate) async fn call(&mut self, line: SocketAddr, number: &str) -> Outcome {
        let uri = format!("sip:{number}@{line};user=phone");
        self.call_uri(line, &uri).await
    }

    pub(crate) async fn call_uri(&mut self, line: SocketAddr, uri: &str) -> Outcome {
        let offer = self.dial(line, uri);
        self.outcome(&offer, Duration::from_secs(10)).await
    }

    pub(crate) async fn outcome(&mut self, offer: &SessionDescription, limit: Duration) -> Outcome {
        let last = self
            .run(limit, |event| {
                matches!(event, Event::Answered { .. } | Event::Failed { .. })
            })
            .await;
        match last {
            Some(Event::Answered { response, .. }) => {
                let answer = SessionDescription::parse(&response.body).unwrap();
                self.hear(&offer_answer::answer_received(offer, &answer).unwrap());
                Outcome::Answered
            }
            Some(Event::Failed {
                cause: FailureCause::Response(response),
                ..
            }) => Outcome::Refused(response.status.code(), words(&response)),
            other => Outcome::Other(format!("{other:?}")),
        }
    }

    /// Waits for a call and gives its INVITE; it rings.
    pub(crate) async fn rung(&mut self) -> Option<Box<Request>> {
        let event = self
            .run(Duration::from_secs(5), |event| {
                matches!(event, Event::Incoming { .. })
            })
            .await?;
        let Event::Incoming { call, request, .. } = event else {
            return None;
        };
        self.call = Some(call);
        self.ended = false;
        let now = self.driver.now();
        let ringing = StatusCode::RINGING;
        let endpoint = &mut self.driver.endpoint;
        endpoint.ring(call, ringing, None, false, now).unwrap();
        Some(request)
    }

    pub(crate) fn answer(&mut self, request: &Request) {
        let offer = SessionDescription::parse(&request.body).unwrap();
        let (answer, negotiated) = offer_answer::answer(&offer, &self.local(), 2, 1).unwrap();
        self.hear(&negotiated);
        let now = self.driver.now();
        let body = Body::sdp(answer.to_bytes());
        let call = self.call.unwrap();
        self.driver.endpoint.accept(call, Some(body), now).unwrap();
    }

    pub(crate) fn decline(&mut self) {
        let now = self.driver.now();
        let refusal = Refusal::new(StatusCode::BUSY_HERE);
        let call = self.call.unwrap();
        self.driver.endpoint.reject(call, refusal, now).unwrap();
    }

    /// Ends or takes back the call, and lets that leave.
    pub(crate) async fn hang_up(&mut self) {
        let now = self.driver.now();
        let call = self.call.unwrap();
        self.driver.endpoint.bye(call, None, now).unwrap();
        self.run(Duration::from_millis(200), |_| false).await;
    }

    pub(crate) fn press(&mut self, digit: char) {
        let now = self.driver.now();
        let (session, _) = self.session.as_mut().unwrap();
        session.send_digit(digit, now).unwrap();
    }

    /// Speaks and listens for so long, or until the call ends.
    pub(crate) async fn talk(&mut self, time: Duration) {
        self.run(time, |event| matches!(event, Event::Ended { .. }))
            .await;
    }

    /// Whether the call ends within five seconds.
    pub(crate) async fn ends(&mut self) -> bool {
        if !self.ended {
            self.talk(Duration::from_secs(5)).await;
        }
        self.ended
    }

    /// Asks whether the line works (OPTIONS).
    pub(crate) async fn ask(&mut self, line: SocketAddr) -> (u16, String) {
        let uri = SipUri::new(line.ip().into()).with_port(line.port());
        let query = self.query(line, uri.into(), None);
        let now = self.driver.now();
        self.driver.endpoint.options(query, now).unwrap();
        self.told().await
    }

    /// Sends a short message over the line, and waits for what becomes of it.
    pub(crate) async fn write(&mut self, line: SocketAddr, uri: &str, body: Body) -> (u16, String) {
        let query = self.query(line, Uri::parse(uri).unwrap(), Some(body));
        let now = self.driver.now();
        self.driver.endpoint.message(query, now).unwrap();
        self.told().await
    }

    /// Waits for a short message, and answers it so.
    pub(crate) async fn reads(&mut self, status: StatusCode) -> Box<Request> {
        let event = self
            .run(Duration::from_secs(10), |event| {
                matches!(event, Event::Request { .. })
            })
            .await;
        let Some(Event::Request {
            handle, request, ..
        }) = event
        else {
            panic!("no message came");
        };
        let now = self.driver.now();
        let answer = Refusal::new(status);
        let endpoint = &mut self.driver.endpoint;
        endpoint.respond(handle, answer, None, now).unwrap();
        // What is sent is sent by running.
        self.run(Duration::from_millis(300), |_| false).await;
        request
    }

    fn query(&self, line: SocketAddr, uri: Uri, body: Option<Body>) -> QueryRequest {
        let own = SipUri::new(self.address.ip().into()).with_port(self.address.port());
        QueryRequest {
            request_uri: uri.clone(),
            to: NameAddr::new(uri),
            from: NameAddr::new(own),
            route: Vec::new(),
            headers: Vec::new(),
            body,
            target: Target::new(Transport::Udp, line),
            credentials: Vec::new(),
        }
    }

    async fn told(&mut self) -> (u16, String) {
        let event = self
            .run(Duration::from_secs(5), |event| {
                matches!(
                    event,
                    Event::QueryAnswered { .. } | Event::QueryFailed { .. }
                )
            })
            .await;
        match event {
            Some(Event::QueryAnswered { response, .. }) => {
                (response.status.code(), words(&response))
            }
            other => panic!("{other:?}"),
        }
    }

    fn hear(&mut self, negotiated: &Negotiated) {
        let codec = match negotiated.codec {
            offer_answer::Codec::Pcmu => media::Codec::Pcmu,
            offer_answer::Codec::Pcma => media::Codec::Pcma,
            offer_answer::Codec::G722 => media::Codec::G722,
        };
        let mut config = SessionConfig::new(codec, 77);
        config.payload_type = negotiated.payload_type;
        config.telephone_event_payload_type = negotiated.telephone_event;
        let ip = negotiated.remote_address.ip().unwrap();
        let remote = SocketAddr::new(ip, negotiated.remote_port);
        self.session = Some((Session::new(config).unwrap(), remote));
        self.heard.clear();
        self.next_speech = self.driver.now();
    }

    /// Runs until an event is the wanted one, at most so long.
    pub(crate) async fn run(
        &mut self,
        limit: Duration,
        wanted: impl Fn(&Event) -> bool,
    ) -> Option<Event> {
        let until = Instant::now() + limit;
        let mut buffer = [0; 2_048];
        loop {
            let media_at = self.drain();
            let media_in = media_at.map(|at| at.saturating_sub(self.driver.now()));
            tokio::select! {
                event = self.driver.next_event() => {
                    let event = event.unwrap();
                    match &event {
                        Event::Progress { response, .. } => {
                            self.rang |= response.status == StatusCode::RINGING;
                        }
                        Event::Ended { .. } => {
                            self.ended = true;
                            self.session = None;
                        }
                        _ => {}
                    }
                    if wanted(&event) {
                        return Some(event);
                    }
                }
                Ok((length, _)) = self.rtp.rtp.recv_from(&mut buffer) => {
                    let now = self.driver.now();
                    if let Some((session, _)) = &mut self.session {
                        session.handle_rtp(&buffer[..length], now);
                    }
                }
                () = tokio::time::sleep(media_in.unwrap_or(Duration::from_secs(60))) => {}
                () = tokio::time::sleep_until(until) => return None,
            }
        }
    }

    fn drain(&mut self) -> Option<Duration> {
        let now = self.driver.now();
        let (session, remote) = self.session.as_mut()?;
        while self.next_speech <= now {
            let step = core::f64::consts::TAU * self.pitch_hz / 16_000.0;
            let frame: Vec<i16> = (0..320)
                .map(|index| (((self.spoken + index) as f64 * step).sin() * 8_000.0) as i16)
                .collect();
            self.spoken += 320;
            session.handle_microphone(&frame, now);
            self.next_speech += FRAME;
        }
        loop {
            match session.poll_output(now) {
                media::Output::Rtp(packet) => {
                    let _ = self.rtp.rtp.try_send_to(&packet, *remote);
                }
                media::Output::Playout(samples) => self.heard.extend(samples),
                media::Output::Event(media::Event::Digit { digit, .. }) => self.digits.push(digit),
                media::Output::Rtcp(_) | media::Output::Event(_) => {}
                media::Output::Timeout(next) => {
                    return next.map(|next| next.min(self.next_speech));
                }
            }
        }
    }
}

/// Another for each telephone: with one seed they would send the same Call-IDs.
fn seed() -> [u8; 32] {
    static PHONES: AtomicU8 = AtomicU8::new(1);
    [PHONES.fetch_add(1, Ordering::Relaxed); 32]
}

/// What a Warning says.
fn words(response: &Response) -> String {
    let warnings = response.headers.warnings().unwrap_or_default();
    warnings
        .first()
        .map(|own| own.text.clone())
        .unwrap_or_default()
}

/// The share of a sound's power that has this pitch, 0 to 1 (Goertzel), in windows of 50 ms: a jump of the phase, which
/// the jitter buffer makes on a busy machine, is none of the tone's.
pub(crate) fn share(samples: &[i16], rate_hz: f64, pitch_hz: f64) -> f64 {
    let coefficient = 2.0 * (core::f64::consts::TAU * pitch_hz / rate_hz).cos();
    let window = (rate_hz / 20.0) as usize;
    let (mut of_tone, mut of_all) = (0.0, 1.0);
    for part in samples.chunks_exact(window) {
        let (mut before, mut last) = (0.0, 0.0);
        for &sample in part {
            let sample = f64::from(sample);
            of_all += sample * sample;
            (before, last) = (last, sample + coefficient * last - before);
        }
        let power = before * before + last * last - coefficient * before * last;
        of_tone += 2.0 * power / window as f64;
    }
    of_tone / of_all
}
