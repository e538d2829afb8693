//! The device on real sockets, without models.
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use hearthline_emergency::call::{CallTimers, Line, Transport as LineTransport};
use hearthline_emergency::lost_client::LostConfig;
use hearthline_emergency::target::SipUri;
use hearthline_ledger::{BootId, IdentityKey, Setup};
use hearthline_sip::endpoint::{Input as SipInput, Target, Transport};
use hearthline_sip::tokens::Tokens;
use hearthline_speaker::config::Household;
use hearthline_speaker::device::{Device, DeviceConfig, Input, Output, Step};
use hearthline_speaker::policy::Mode;
use hearthline_speaker::record::{Keep, Recorder};
use hearthline_transport::{FromNetwork, Reach, RtpPair, Sockets, SocketsConfig, ToNetwork, Trust};
use hearthline_voice::clock::SampleIndex;
use hearthline_voice::listen::{EndReason, Heard, Output as Hearing};
use hearthline_voice::transcribe::Transcript;
use hearthline_voice::understand::judge::{
    Contrary, Doubt, Evidence, OperatingPoint, Rule, Understanding, Verdict,
};
use hearthline_voice::understand::mass::Mass;
use hearthline_voice::understand::{Country, Reading, read};
use hearthline_voice::wake::Wake;

use super::HOME;

/// What the microphone hears all the time.
pub const TONE_HZ: f64 = 440.0;
/// 2 July 2017, 12:00 UTC.
const WALL_MS_AT_ZERO: u64 = 1_498_996_800_000;
const FRAME: Duration = Duration::from_millis(20);

/// No real household.
const HOUSEHOLD: &str = r#"
[device]
name = "Kitchen"
country = "US"
[address]
country = "US"
A1 = "NM"
A3 = "Exampleton"
RD = "Juniper"
STS = "Road"
HNO = "42"
[point]
latitude = 35.08
longitude = -106.4
[person]
name = "Drill Household"
callback = "+15055550123"
"#;

/// A line to a port of this machine.
pub fn line(name: &str, port: u16, transport: LineTransport) -> Line {
    let target = SipUri::parse(&format!("sip:127.0.0.1:{port}")).unwrap();
    Line::new(name, target, vec![transport])
}

/// What the device did and what reached it.
#[derive(Default)]
pub struct Seen {
    /// SIP messages that left, those lost on purpose included.
    pub sent: Vec<(Target, Vec<u8>)>,
    /// SIP messages that came, as the sockets cut them.
    pub received: Vec<Vec<u8>>,
    /// The timeline.
    pub steps: Vec<Step>,
    /// What it said.
    pub said: Vec<String>,
    /// What came out of the loudspeaker in calls.
    pub heard: Vec<i16>,
    /// RTP packets that left, and where to.
    pub rtp_sent: Vec<SocketAddr>,
    /// RTP packets that the guard of loopback refused.
    pub rtp_refused: u64,
    /// RTP packets that came.
    pub rtp_received: u64,
}

impl Seen {
    /// How many messages left that begin with this.
    pub fn sent_of(&self, start: &str) -> usize {
        self.sent
            .iter()
            .filter(|(_, bytes)| bytes.starts_with(start.as_bytes()))
            .count()
    }

    /// Whether such a step was taken; the step as Rust prints it.
    pub fn step(&self, part: &str) -> bool {
        self.steps
            .iter()
            .any(|step| format!("{step:?}").contains(part))
    }

    /// How the last interaction ended.
    pub fn outcome(&self) -> Option<&'static str> {
        self.steps.iter().rev().find_map(|step| match step {
            Step::Ended { outcome } => Some(*outcome),
            _ => None,
        })
    }
}

/// Decides which messages are lost on their way.
pub type Loss = Box<dyn FnMut(Transport, &[u8]) -> bool>;

/// A device and its sockets.
pub struct Speaker {
    device: Device,
    sockets: Sockets,
    rtp: RtpPair,
    epoch: Instant,
    timeout: Option<Duration>,
    next_frame: Duration,
    samples: u64,
    speech_ended: bool,
    /// What happened.
    pub seen: Seen,
    /// Entries of the record, as they are stored.
    pub record: Vec<u8>,
    /// Messages to the network that are lost.
    pub lose_sent: Loss,
    /// Messages from the network that are lost.
    pub lose_received: Loss,
}

enum Arrived {
    Sip(FromNetwork),
    Rtp(usize),
    Rtcp(usize),
    Time,
}

impl Speaker {
    /// A device that calls at once, over these lines.
    pub async fn start(lines: Vec<Line>) -> Self {
        Self::start_trusting(lines, None).await
    }

    /// The same, which takes only TLS servers that this root vouches for.
    pub async fn start_trusting(lines: Vec<Line>, roots_pem: Option<Vec<u8>>) -> Self {
        let mut config = SocketsConfig::new(Reach::LoopbackOnly);
        config.udp = vec![SocketAddr::new(HOME, 0)];
        config.tcp = vec![SocketAddr::new(HOME, 0)];
        match roots_pem {
            Some(roots) => config.roots_pem = roots,
            None => config.trust = Trust::Any,
        }
        let sockets = Sockets::bind(config).await.unwrap();
        let rtp = RtpPair::bind(HOME, Reach::LoopbackOnly).await.unwrap();
        let udp = sockets.local(Transport::Udp).unwrap();
        let tcp = sockets.local(Transport::Tcp).unwrap();
        let mut seed = [7; 32];
        seed[..2].copy_from_slice(&udp.port().to_be_bytes());
        let tokens = Tokens::from_seed(seed);
        let setup = Setup {
            origin: "hearthline.local/device/interop".into(),
            identity: IdentityKey::from_secret(&tokens.fork("identity").next_bytes()),
            epoch_seed: tokens.fork("epoch").next_bytes(),
            previous_epoch_seed: None,
            boot: BootId([1; 16]),
            software: "interop".into(),
            firmware: None,
            previous_segment: None,
        };
        let (recorder, recovery) = Recorder::open(
            &[],
            setup,
            tokens.fork("record"),
            WALL_MS_AT_ZERO,
            Duration::ZERO,
        )
        .unwrap();
        let contact = SipUri::parse(&format!("sip:speaker@{udp}")).unwrap();
        let config = DeviceConfig {
            profile: Household::parse(HOUSEHOLD)
                .unwrap()
                .profile(contact, recorder.key_id().to_string())
                .unwrap(),
            lines,
            timers: CallTimers::default(),
            lost: LostConfig {
                servers: Vec::new(),
                ..LostConfig::default()
            },
            country: Country::UnitedStates,
            mode: Mode::Immediate,
            sip_local: vec![
                (Transport::Udp, udp),
                (Transport::Tcp, tcp),
                (Transport::Tls, tcp),
            ],
            rtp_local: SocketAddr::new(HOME, rtp.port().unwrap()),
            seed,
            wall_ms_at_zero: WALL_MS_AT_ZERO,
        };
        let device = Device::new(config, recorder, &recovery, None, Duration::ZERO);
        Self {
            device,
            sockets,
            rtp,
            epoch: Instant::now(),
            timeout: None,
            next_frame: Duration::ZERO,
            samples: 0,
            speech_ended: false,
            seen: Seen::default(),
            record: Vec::new(),
            lose_sent: Box::new(|_, _| false),
            lose_received: Box::new(|_, _| false),
        }
    }

    /// Where it can be called.
    pub fn contact(&self) -> SocketAddr {
        self.sockets.local(Transport::Udp).unwrap()
    }

    /// "Alexa, …"
    pub fn hears(&mut self, words: &str) {
        let now = self.epoch.elapsed();
        for hearing in hearing(words, true, now) {
            self.device.handle(Input::Hearing(hearing), now);
        }
    }

    /// An answer to its question.
    pub fn hears_reply(&mut self, words: &str) {
        let now = self.epoch.elapsed();
        for hearing in hearing(words, false, now) {
            self.device.handle(Input::Hearing(hearing), now);
        }
    }

    /// Runs for so long.
    pub async fn run_for(&mut self, time: Duration) {
        let end = self.epoch.elapsed() + time;
        while self.epoch.elapsed() < end {
            self.turn(end).await;
        }
    }

    /// Runs until `done`, for 30 seconds at most.
    pub async fn run_until(&mut self, what: &str, mut done: impl FnMut(&Seen) -> bool) {
        let end = self.epoch.elapsed() + Duration::from_secs(30);
        loop {
            self.drain();
            if done(&self.seen) {
                return;
            }
            let sent: Vec<_> = self
                .seen
                .sent
                .iter()
                .map(|(to, bytes)| (to.to_string(), first_line(bytes)))
                .collect();
            let received: Vec<_> = self
                .seen
                .received
                .iter()
                .map(|bytes| first_line(bytes))
                .collect();
            let answers = self
                .seen
                .received
                .iter()
                .rev()
                .find(|bytes| bytes.starts_with(b"SIP/2.0 "));
            let last = answers.map_or(String::new(), |bytes| {
                String::from_utf8_lossy(bytes).into_owned()
            });
            let steps = &self.seen.steps;
            assert!(
                self.epoch.elapsed() < end,
                "{what}: not within 30 s\nlast: {last}\nsent {sent:#?}\nreceived {received:#?}\n{steps:#?}"
            );
            self.turn(end).await;
        }
    }

    /// Runs until `peer` has ended well.
    pub async fn run_until_ended(&mut self, peer: &mut super::Peer) {
        self.run_until("the peer ends", |_| peer.ended().is_some())
            .await;
        peer.succeeded();
    }

    async fn turn(&mut self, end: Duration) {
        self.drain();
        let now = self.epoch.elapsed();
        let wake = self
            .timeout
            .map_or(self.next_frame, |at| at.min(self.next_frame))
            .min(end);
        let (mut rtp, mut rtcp) = ([0; 2_048], [0; 2_048]);
        let arrived = tokio::select! {
            Some(news) = self.sockets.receiver.recv() => Arrived::Sip(news),
            Ok((length, _)) = self.rtp.rtp.recv_from(&mut rtp) => Arrived::Rtp(length),
            Ok((length, _)) = self.rtp.rtcp.recv_from(&mut rtcp) => Arrived::Rtcp(length),
            () = tokio::time::sleep(wake.saturating_sub(now)) => Arrived::Time,
        };
        let now = self.epoch.elapsed();
        match arrived {
            Arrived::Sip(news) => self.network(news, now),
            Arrived::Rtp(length) => {
                self.seen.rtp_received += 1;
                self.device.handle(Input::Rtp(&rtp[..length]), now);
            }
            Arrived::Rtcp(length) => self.device.handle(Input::Rtcp(&rtcp[..length]), now),
            Arrived::Time => self.device.handle(Input::Timeout, now),
        }
        while self.next_frame <= now {
            let frame = self.tone();
            self.device.handle(Input::Microphone(&frame), now);
            self.next_frame += FRAME;
        }
    }

    fn tone(&mut self) -> Vec<i16> {
        let at = self.samples;
        self.samples += 320;
        (at..at + 320)
            .map(|at| {
                (8_000.0 * (at as f64 * TONE_HZ / 16_000.0 * std::f64::consts::TAU).sin()) as i16
            })
            .collect()
    }

    fn network(&mut self, news: FromNetwork, now: Duration) {
        match news {
            FromNetwork::Received {
                transport,
                local,
                remote,
                bytes,
                ..
            } => {
                if !(self.lose_received)(transport, &bytes) {
                    self.device.handle(
                        Input::Sip(SipInput::Received {
                            transport,
                            local,
                            remote,
                            bytes: &bytes,
                        }),
                        now,
                    );
                }
                self.seen.received.push(bytes);
            }
            FromNetwork::Connected { .. } => {}
            FromNetwork::Closed { transport, remote } => {
                self.device.handle(
                    Input::Sip(SipInput::StreamClosed { transport, remote }),
                    now,
                );
            }
            FromNetwork::Failed { target, .. } => {
                self.device.handle(
                    Input::Sip(SipInput::TransportFailed { target: &target }),
                    now,
                );
            }
        }
    }

    fn drain(&mut self) {
        loop {
            let now = self.epoch.elapsed();
            match self.device.poll_output() {
                Output::Timeout(at) => {
                    self.timeout = at;
                    if !core::mem::take(&mut self.speech_ended) {
                        return;
                    }
                    self.device.handle(Input::SpeechEnded, now);
                }
                Output::Sip { target, bytes } => {
                    if !(self.lose_sent)(target.transport, &bytes) {
                        let message = ToNetwork::Transmit {
                            target: target.clone(),
                            bytes: bytes.clone(),
                        };
                        self.sockets.sender.try_send(message).unwrap();
                    }
                    self.seen.sent.push((target, bytes));
                }
                Output::CloseStream { transport, remote } => {
                    self.sockets
                        .sender
                        .try_send(ToNetwork::Close { transport, remote })
                        .unwrap();
                }
                Output::Rtp { to, bytes } => match self.rtp.rtp.try_send_to(&bytes, to) {
                    Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
                        self.seen.rtp_refused += 1;
                    }
                    _ => self.seen.rtp_sent.push(to),
                },
                Output::Rtcp { to, bytes } => drop(self.rtp.rtcp.try_send_to(&bytes, to)),
                Output::Keep(Keep::Entry { seq, bytes }) => {
                    self.record.extend(bytes);
                    if let Some(seq) = seq {
                        self.device.handle(Input::Durable { seq }, now);
                    }
                }
                Output::Say(text) => {
                    self.seen.said.push(text);
                    self.speech_ended = true;
                }
                Output::Play(samples) => self.seen.heard.extend(samples),
                Output::Step(step) => self.seen.steps.push(step),
                Output::Post { .. } => panic!("no LoST server is configured"),
                _ => {}
            }
        }
    }
}

/// The first line of a message, for people.
pub fn first_line(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes)
        .lines()
        .next()
        .unwrap_or_default()
        .to_owned()
}

/// What the ear would report: the text goes through the product's own sentence grammar, the sound is taken to agree.
fn hearing(words: &str, wake: bool, now: Duration) -> Vec<Hearing> {
    let end = SampleIndex(u64::try_from(now.as_micros()).unwrap() * 16 / 1_000 + 32_000);
    let wake = wake.then(|| Wake {
        keyword: "alexa".into(),
        score: 0.97,
        at: end.minus(16_000),
    });
    let reading = read(words, Country::UnitedStates);
    let verdict = match reading.clone() {
        Reading::Command { service, quiet, .. } => Verdict::Emergency { service, quiet },
        Reading::Ask {
            service,
            why,
            quiet,
        } => Verdict::Ask {
            service,
            quiet,
            why: Doubt::Words(why),
        },
        Reading::Refused { class, service } => Verdict::Refused { class, service },
        Reading::Reply(reply) => Verdict::Reply(reply),
        Reading::HangUpEmergency => Verdict::HangUpEmergency,
        Reading::Intent(intent) => Verdict::Act(intent),
        Reading::Other => Verdict::Other,
    };
    let transcript = Transcript {
        text: words.into(),
        tokens: Vec::new(),
        log_prob: -1.0,
        alternatives: Vec::new(),
    };
    let point = OperatingPoint::built_in();
    let evidence = Evidence {
        reading,
        mass: Mass::nothing(),
        contrary: Contrary::NONE,
        rule: Rule::Words,
        point,
    };
    let heard = Box::new(Heard {
        understanding: Understanding {
            transcript,
            verdict,
            evidence,
        },
        wake: wake.clone(),
        start: end.minus(32_000),
        speech_end: end.minus(4_800),
        decided: end,
        reason: EndReason::Complete,
        sound: vec![0; 32_000],
    });
    match wake {
        Some(wake) => vec![Hearing::Wake(wake), Hearing::Understood(heard)],
        None => vec![Hearing::Reply(heard)],
    }
}
