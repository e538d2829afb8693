//! Whole calls on loopback: the real device, the real drill call-taker, our own voice in front of the microphone.
use std::net::{TcpListener, UdpSocket};
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hearthline_emergency::call::EventKind;
use hearthline_psap::{Behaviour, Print, PsapConfig, Running};
use hearthline_sip::endpoint::Transport;
use hearthline_speaker::config::LineSettings;
use hearthline_speaker::device::Step;
use hearthline_speaker::io::loudspeaker::Sink;
use hearthline_speaker::io::microphone::Microphone;
use hearthline_speaker::io::run::{News, Parts, When, run};
use hearthline_voice::synthesise::Synthesiser;
use hearthline_voice::understand::Country;
use indicatif::{ProgressBar, ProgressStyle};

use super::Row;
use super::meter::percentile;
use crate::models::ModelFolder;
use crate::{ear, household, voice};

/// Calls over a line that works.
const CALLS: usize = 12;
/// Calls whose first line says nothing.
const DEAD_LINE_CALLS: usize = 3;
/// Silence before each sentence, in samples at 16 kHz: 1 s.
const LEAD_SAMPLES: usize = 16_000;
/// A call that is not there after so long is none.
const CALL_MAX: Duration = Duration::from_secs(25);
/// Sound of a call that is watched once it is heard.
const WATCHED: Duration = Duration::from_millis(300);
/// The line that works.
const LINE: &str = "drill line";
/// The line that takes everything and says nothing.
const DEAD_LINE: &str = "dead line";
/// How the device names the first packet of the other side.
const FIRST_PACKET: &str = "FirstPacketReceived";

/// When things of one call happened, since the device started.
#[derive(Debug, Default)]
struct Times {
    speech_end: Option<Duration>,
    invite: Option<Duration>,
    invited_on_dead: Option<Duration>,
    invited_on_live: Option<Duration>,
    heard_call_taker: Option<Duration>,
    /// From the INVITE at the call-taker to the caller's first RTP packet.
    caller_heard_ms: Option<u64>,
}

/// All rows. `orders` are recordings of emergency orders behind the wake word.
pub(super) fn rows(folder: &ModelFolder, orders: &[Vec<i16>]) -> Result<Vec<Row>, String> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| error.to_string())?;
    let synthesiser = Arc::new(Mutex::new(voice::synthesiser(folder)?));
    let bar = ProgressBar::new((CALLS + DEAD_LINE_CALLS) as u64);
    bar.set_style(
        ProgressStyle::with_template("calling {bar:32} {pos}/{len}")
            .expect("the template is well formed"),
    );
    let mut calls = Vec::new();
    for turn in 0..CALLS + DEAD_LINE_CALLS {
        let dead = turn >= CALLS;
        let order = &orders[turn % orders.len()];
        calls.push(runtime.block_on(call(folder, &synthesiser, order, dead))?);
        bar.inc(1);
    }
    bar.finish_and_clear();
    let (live, dead) = calls.split_at(CALLS);
    let ms = |calls: &[Times], of: &dyn Fn(&Times) -> Option<f64>| -> Vec<f64> {
        calls.iter().filter_map(of).collect()
    };
    let mut to_invite = ms(live, &|call| {
        between(call.speech_end, call.invite.or(call.invited_on_live))
    });
    let mut to_call_taker = ms(live, &|call| call.caller_heard_ms.map(|ms| ms as f64));
    let mut to_caller = ms(live, &|call| between(call.invite, call.heard_call_taker));
    let mut gave_way = ms(dead, &|call| {
        between(call.invited_on_dead, call.invited_on_live).map(|ms| ms / 1e3)
    });
    let mut rows = vec![Row::new(
        "own voice's orders that did not become a call",
        (CALLS - to_invite.len() + DEAD_LINE_CALLS - gave_way.len()) as f64,
        None,
        "",
        CALLS + DEAD_LINE_CALLS,
    )];
    let mut add = |what: &str, values: &mut Vec<f64>, percent, budget, unit| {
        if !values.is_empty() {
            let measured = percentile(values, percent);
            rows.push(Row::new(what, measured, budget, unit, values.len()));
        }
    };
    let wire = "end of speech to the INVITE on the wire, no window";
    add(
        &format!("{wire}, p50 (wall)"),
        &mut to_invite,
        50,
        Some(400.0),
        "ms",
    );
    add(
        &format!("{wire}, p95 (wall)"),
        &mut to_invite,
        95,
        Some(800.0),
        "ms",
    );
    add(
        "INVITE to the caller's first RTP at the call-taker, p95",
        &mut to_call_taker,
        95,
        Some(100.0),
        "ms",
    );
    add(
        "INVITE to the call-taker's first RTP at the caller, p95",
        &mut to_caller,
        95,
        Some(100.0),
        "ms",
    );
    add(
        "dead line to the next line's INVITE, longest",
        &mut gave_way,
        100,
        Some(3.0),
        "s",
    );
    Ok(rows)
}

fn between(from: Option<Duration>, to: Option<Duration>) -> Option<f64> {
    Some(to?.saturating_sub(from?).as_secs_f64() * 1e3)
}

/// One call, from the microphone to the sound of both sides. A sentence that is not understood leaves its times empty.
async fn call(
    folder: &ModelFolder,
    synthesiser: &Arc<Mutex<Synthesiser>>,
    order: &[i16],
    dead: bool,
) -> Result<Times, String> {
    let psap = hearthline_psap::start(PsapConfig {
        sip_port: 0,
        http_port: 0,
        behaviours: vec![Behaviour::answering_after(Duration::ZERO)],
        print: Print::Nothing,
        ..PsapConfig::default()
    })
    .await
    .map_err(|error| format!("the drill call-taker does not start: {error}"))?;
    let silent = Silent::open()?;
    let mut home = household::read(None)?;
    home.emergency.cancel_window_s = 0;
    home.lost.servers.push(psap.lost_url());
    if dead {
        home.lines.push(line(DEAD_LINE, &silent.address)?);
    }
    home.lines.push(line(LINE, &address_of(&psap))?);
    let mut listener = ear::listener(folder, Country::UnitedStates)?;
    // As in a device that has run for a while; the first command's time is a row of its own.
    listener.load().map_err(|error| error.to_string())?;
    let place = std::env::temp_dir().join(format!("hearth-bench-call-{}", std::process::id()));
    let mut sound = vec![0; LEAD_SAMPLES];
    sound.extend_from_slice(order);
    let parts = Parts {
        household: home,
        data: place.clone(),
        listener,
        voice: voice::shared(synthesiser),
        microphone: Microphone::Samples(sound),
        loudspeaker: Sink::Nowhere,
        everyday: None,
        skills: Vec::new(),
    };
    let mut times = Times::default();
    let ran = run(parts, |news, when| times.watch(&news, when)).await;
    let reports = psap.handle().reports().await.unwrap_or_default();
    psap.stop().await;
    remove(&place);
    ran.map_err(|error| error.to_string())?;
    times.caller_heard_ms = reports.first().and_then(|call| call.first_audio_after_ms);
    Ok(times)
}

fn remove(place: &Path) {
    // What is left there does not change any figure.
    let _ = std::fs::remove_dir_all(place);
}

/// As a household's file would say it; what it leaves out is as in any household.
fn line(name: &str, address: &str) -> Result<LineSettings, String> {
    toml::from_str(&format!(
        "name = \"{name}\"\nuri = \"sip:{address}\"\ntransports = [\"tcp\", \"udp\"]"
    ))
    .map_err(|error| error.to_string())
}

fn address_of(psap: &Running) -> String {
    psap.sip
        .iter()
        .find(|(transport, _)| *transport == Transport::Udp)
        .map_or_else(String::new, |(_, address)| address.to_string())
}

/// A line that takes connections and datagrams and never answers: the slowest way to be dead.
struct Silent {
    address: String,
    _tcp: TcpListener,
    _udp: UdpSocket,
}

impl Silent {
    fn open() -> Result<Self, String> {
        let udp = UdpSocket::bind("127.0.0.1:0").map_err(|error| error.to_string())?;
        let address = udp.local_addr().map_err(|error| error.to_string())?;
        let tcp = TcpListener::bind(address).map_err(|error| error.to_string())?;
        Ok(Self {
            address: address.to_string(),
            _tcp: tcp,
            _udp: udp,
        })
    }
}

impl Times {
    fn watch(&mut self, news: &News<'_>, when: When) -> ControlFlow<()> {
        match news {
            News::InviteLeft => {
                self.invite.get_or_insert(when.now);
            }
            News::Step(Step::Heard {
                speech_end_sample, ..
            }) => {
                let spoken = Duration::from_micros(speech_end_sample * 1_000 / 16);
                self.speech_end = when.microphone_zero.map(|zero| zero + spoken);
            }
            News::Step(Step::Call {
                what: EventKind::Invited { name, .. },
                ..
            }) => {
                let at = if name == DEAD_LINE {
                    &mut self.invited_on_dead
                } else {
                    &mut self.invited_on_live
                };
                at.get_or_insert(when.now);
            }
            News::Step(Step::Media { what }) if what == FIRST_PACKET => {
                self.heard_call_taker.get_or_insert(when.now);
            }
            _ => {}
        }
        let heard_enough = self
            .heard_call_taker
            .is_some_and(|at| when.now > at + WATCHED);
        if heard_enough || when.now > CALL_MAX {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }
}
