//! The device of a scene and the household it stands in.
use core::time::Duration;
use std::net::SocketAddr;

use hearthline_emergency::call::{CallTimers, Line};
use hearthline_emergency::lost_client::LostConfig;
use hearthline_emergency::target::{HttpUrl, SipUri};
use hearthline_ledger::{BootId, IdentityKey, LogError, Recovery, Setup};
use hearthline_sip::endpoint::Transport;
use hearthline_sip::tokens::Tokens;
use hearthline_speaker::config::Household;
use hearthline_speaker::device::{Device, DeviceConfig};
use hearthline_speaker::record::Recorder;
use hearthline_voice::understand::Country;

use super::{DEVICE_RTP, DEVICE_SIP, ORIGIN, Scene};

pub(super) fn identity(tokens: &Tokens) -> IdentityKey {
    IdentityKey::from_secret(&tokens.fork("identity").next_bytes())
}

pub(super) fn device(
    scene: &Scene,
    lines: Vec<Line>,
    tokens: &Tokens,
) -> Result<(Device, Recovery), LogError> {
    let identity = identity(tokens);
    let tokens = match scene.start {
        0 => tokens.clone(),
        start => tokens.fork(&format!("start {start}")),
    };
    let mut boot = [scene.seed; 16];
    boot[15] = boot[15].wrapping_add(scene.start);
    let setup = Setup {
        origin: ORIGIN.into(),
        identity,
        epoch_seed: tokens.fork("epoch").next_bytes(),
        previous_epoch_seed: None,
        boot: BootId(boot),
        software: "simulate".into(),
        firmware: None,
        previous_segment: None,
    };
    let (recorder, recovery) = Recorder::open(
        &scene.stored_log,
        setup,
        tokens.fork("record"),
        scene.wall_ms_at_zero,
        Duration::ZERO,
    )?;
    let household = Household::parse(HOUSEHOLD).expect("the household is ours");
    let contact = SipUri::parse(&format!("sip:kitchen@{DEVICE_SIP}")).expect("a loopback URI");
    let profile = household
        .profile(contact, recorder.key_id().to_string())
        .expect("the household is ours");
    let sip: SocketAddr = DEVICE_SIP.parse().expect("an address");
    let config = DeviceConfig {
        profile,
        lines,
        timers: CallTimers::default(),
        lost: LostConfig {
            servers: vec![HttpUrl::parse("http://127.0.0.1:8480/lost").expect("a loopback URL")],
            ..LostConfig::default()
        },
        country: Country::UnitedStates,
        mode: scene.mode,
        sip_local: vec![
            (Transport::Udp, sip),
            (Transport::Tcp, sip),
            (Transport::Tls, sip),
        ],
        rtp_local: DEVICE_RTP.parse().expect("an address"),
        seed: tokens.fork("device").next_bytes(),
        wall_ms_at_zero: scene.wall_ms_at_zero,
    };
    let device = Device::new(
        config,
        recorder,
        &recovery,
        scene.stored_lost_cache.as_deref(),
        Duration::ZERO,
    );
    Ok((device, recovery))
}

/// The household of every scene; no real one.
pub const HOUSEHOLD: &str = r#"
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
