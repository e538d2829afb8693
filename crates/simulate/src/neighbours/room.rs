//! One room: its device, the sound in it, and what the device showed.
use core::f32::consts::TAU;
use core::time::Duration;
use std::collections::{BTreeMap, VecDeque};
use std::net::{Ipv4Addr, SocketAddr};

use hearthline_emergency::call::{CallTimers, Line, Transport as LineTransport};
use hearthline_emergency::lost_client::LostConfig;
use hearthline_emergency::target::SipUri;
use hearthline_ledger::{BootId, IdentityKey, Setup};
use hearthline_sip::Host;
use hearthline_sip::endpoint::{Target, Transport};
use hearthline_sip::tokens::Tokens;
use hearthline_speaker::config::Household;
use hearthline_speaker::device::{Device, DeviceConfig, Light, Step};
use hearthline_speaker::messages::Part;
use hearthline_speaker::policy::Mode;
use hearthline_speaker::record::Recorder;
use hearthline_speaker::telephone::screening::DropIn;
use hearthline_speaker::telephone::{DeviceKeys, HomeConfig, Tone};
use hearthline_voice::understand::Country;

use super::TAKER;
use super::messages::Telling;
use super::ports::{call_ports, emergency_port};
use crate::home_hub::{DOMAIN, HUB};
use crate::trace::Digests;
use crate::world::{HOUSEHOLD, WALL_MS_AT_ZERO};

/// Samples of 20 ms.
const FRAME_SAMPLES: usize = 320;

/// One room with its device, and what it showed.
pub struct Room {
    /// Its name and user.
    pub name: String,
    pub(super) device: Device,
    pub(super) keys: DeviceKeys,
    pub(super) sip: SocketAddr,
    /// Last octet of its address.
    pub(super) address: u8,
    pub(super) next_frame: Duration,
    pub(super) frames: u32,
    pub(super) speech_until: Option<Duration>,
    pub(super) reply_until: Option<Duration>,
    pub(super) digests: Digests,
    pub(super) telling: VecDeque<Telling>,
    /// Loudness of what is spoken in the room; 0 is silence.
    pub level: f32,
    /// Pitch of it.
    pub hz: f32,
    /// What is said in the room next, 16 kHz, instead.
    pub speech: VecDeque<i16>,
    /// Steps of the device.
    pub steps: Vec<(Duration, Step)>,
    /// Its lights.
    pub lights: Vec<Light>,
    /// What it said.
    pub said: Vec<String>,
    /// What it began to tell of messages.
    pub tells: Vec<Vec<Part>>,
    /// What of that it told to the end.
    pub told: Vec<Vec<Part>>,
    /// When it fell silent.
    pub hushes: Vec<Duration>,
    /// What it keeps of messages that the hub does not have.
    pub outbox: Vec<u8>,
    /// What it keeps of its skills; no skill was added to a room that keeps nothing.
    pub kept: BTreeMap<&'static str, Vec<u8>>,
    /// Its tones.
    pub tones: Vec<Option<Tone>>,
    /// Its volumes.
    pub volumes: Vec<u8>,
    /// What its loudspeaker played of calls.
    pub played: Vec<i16>,
    /// First lines of the SIP messages that it sent.
    pub sent: Vec<(Duration, String)>,
    /// First lines of those that it got.
    pub received: Vec<(Duration, String)>,
    /// The log, as the disk has it.
    pub log: Vec<u8>,
    /// The keys of other devices, as the disk has them.
    pub known_keys: Vec<u8>,
    /// Datagrams of calls that it sent.
    pub wire: Vec<Vec<u8>>,
}

impl Room {
    pub(super) fn new(
        index: usize,
        name: &str,
        drop_in: DropIn,
        tokens: &Tokens,
        joins: (DeviceKeys, Vec<u8>),
        now: Duration,
    ) -> Self {
        let tokens = tokens.fork(name);
        let port = u16::try_from(index).expect("few rooms");
        let sip = SocketAddr::from(([127, 0, 0, 1], 6_000 + 10 * port));
        let setup = Setup {
            origin: format!("hearthline.local/device/{name}"),
            identity: IdentityKey::from_secret(&tokens.fork("identity").next_bytes()),
            epoch_seed: tokens.fork("epoch").next_bytes(),
            previous_epoch_seed: None,
            boot: BootId([7; 16]),
            software: "simulate".into(),
            firmware: None,
            previous_segment: None,
        };
        let (recorder, recovery) =
            Recorder::open(&[], setup, tokens.fork("record"), WALL_MS_AT_ZERO, now)
                .expect("an empty log opens");
        let household = Household::parse(HOUSEHOLD).expect("the household is ours");
        let contact = SipUri::parse(&format!("sip:{name}@{sip}")).expect("a loopback URI");
        let line = SipUri::parse(&format!("sip:{TAKER}")).expect("a loopback URI");
        let config = DeviceConfig {
            profile: household
                .profile(contact, recorder.key_id().to_string())
                .expect("the household is ours"),
            lines: vec![Line::new("line", line, vec![LineTransport::Udp])],
            timers: CallTimers::default(),
            lost: LostConfig::default(),
            country: Country::UnitedStates,
            mode: Mode::Immediate,
            sip_local: vec![(Transport::Udp, sip), (Transport::Tls, sip)],
            rtp_local: emergency_port(index, Ipv4Addr::LOCALHOST, 0),
            seed: tokens.fork("device").next_bytes(),
            wall_ms_at_zero: WALL_MS_AT_ZERO,
        };
        let mut device = Device::new(config, recorder, &recovery, None, now);
        let home = HomeConfig {
            hub: Target::new(Transport::Tls, HUB.parse().expect("an address")),
            domain: Host::parse(DOMAIN).expect("a domain"),
            user: name.to_owned(),
            instance: format!("urn:uuid:00000000-0000-4000-8000-0000000000{index:02x}"),
            contact: sip,
            ports: call_ports(index, Ipv4Addr::LOCALHOST),
            drop_in,
            keys: joins.0.clone(),
            known_keys: joins.1,
        };
        device.join_household(home, now);
        Self {
            name: name.to_owned(),
            device,
            keys: joins.0,
            sip,
            address: 1,
            next_frame: now + Duration::from_millis(3 * u64::from(port)),
            frames: 0,
            speech_until: None,
            reply_until: None,
            digests: Digests::default(),
            telling: VecDeque::new(),
            level: 0.0,
            hz: 440.0,
            speech: VecDeque::new(),
            steps: Vec::new(),
            lights: Vec::new(),
            said: Vec::new(),
            tells: Vec::new(),
            told: Vec::new(),
            hushes: Vec::new(),
            outbox: Vec::new(),
            kept: BTreeMap::new(),
            tones: Vec::new(),
            volumes: Vec::new(),
            played: Vec::new(),
            sent: Vec::new(),
            received: Vec::new(),
            log: Vec::new(),
            known_keys: Vec::new(),
            wire: Vec::new(),
        }
    }

    /// The device.
    #[must_use]
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// Its address.
    pub(super) fn own(&self) -> Ipv4Addr {
        Ipv4Addr::new(127, 0, 0, self.address)
    }

    /// 20 ms of the room.
    pub(super) fn frame(&mut self) -> Vec<i16> {
        let first = self.frames * 320;
        self.frames += 1;
        if !self.speech.is_empty() {
            return (0..FRAME_SAMPLES)
                .map(|_| self.speech.pop_front().unwrap_or(0))
                .collect();
        }
        (0..FRAME_SAMPLES)
            .map(|at| {
                let time = (first as usize + at) as f32 / 16_000.0;
                (self.level * (TAU * self.hz * time).sin()) as i16
            })
            .collect()
    }

    /// How loud this pitch is in the last half second that the loudspeaker played, as an amplitude.
    #[must_use]
    pub fn hears(&self, hz: f32) -> f32 {
        let tail = &self.played[self.played.len().saturating_sub(8_000)..];
        if tail.is_empty() {
            return 0.0;
        }
        let sum = |wave: fn(f32) -> f32| -> f32 {
            tail.iter()
                .enumerate()
                .map(|(at, sample)| f32::from(*sample) * wave(TAU * hz * at as f32 / 16_000.0))
                .sum()
        };
        let (sine, cosine) = (sum(f32::sin), sum(f32::cos));
        2.0 * (sine * sine + cosine * cosine).sqrt() / tail.len() as f32
    }

    /// When the first message of this kind came.
    #[must_use]
    pub fn got(&self, start: &str) -> Option<Duration> {
        let found = self
            .received
            .iter()
            .find(|(_, line)| line.starts_with(start));
        found.map(|(at, _)| *at)
    }

    /// When the first message of this kind left.
    #[must_use]
    pub fn gave(&self, start: &str) -> Option<Duration> {
        let found = self.sent.iter().find(|(_, line)| line.starts_with(start));
        found.map(|(at, _)| *at)
    }

    /// Whether it said something with these words.
    #[must_use]
    pub fn has_said(&self, words: &str) -> bool {
        self.said.iter().any(|said| said.contains(words))
    }
}
