//! `hearth wyoming`: wake word, recogniser, voice and sentences for other programs, by Home Assistant's protocol.
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use clap::Args;
use hearthline_satellite::io::access::Door;
use hearthline_satellite::io::engines::{Engines, Speak, Transcribe, Understand};
use hearthline_satellite::io::wyoming_server::serve;
use hearthline_satellite::understanding::meaning;
use hearthline_satellite::wyoming::service::describe::{Offered, info};
use hearthline_satellite::wyoming::service::{Offer, ServiceLimits};
use hearthline_speaker::config::Household;
use hearthline_speaker::io::zone::system_zone;
use hearthline_voice::transcribe::moonshine::{Moonshine, SAMPLE_RATE_HZ, SAMPLES_MAX};
use hearthline_voice::understand::Country;
use hearthline_voice::understand::everyday::Everyday;
use hearthline_voice::understand::sentences::Moment;
use hearthline_voice::wake::WakeConfig;

use crate::exit::Exit;
use crate::models::{Look, ModelFolder};
use crate::print::out;
use crate::{compiled, ear, guests, household, place, service, voice};

/// The customary port of a recogniser.
const LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 10_300);
/// Silence before and after an utterance: the recogniser hears better with room around the words.
const ROOM_SAMPLES: usize = SAMPLE_RATE_HZ / 2;
/// A long recording is cut at its quietest place within these last seconds of what one run takes.
const CUT_WITHIN_SAMPLES: usize = 6 * SAMPLE_RATE_HZ;
/// How long a place must be quiet to be cut at.
const QUIET_SAMPLES: usize = SAMPLE_RATE_HZ / 10;

/// What is offered to whom.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  hearth wyoming\n  hearth wyoming --listen 192.168.1.5:10300 --peer 192.168.1.20\n  hearth wyoming --config kitchen.toml\n  wyoming-bench stt 127.0.0.1:10300\n\nWyoming has no password and no encryption: only the addresses named by --peer or [wyoming] of the configuration may\nconnect. In Home Assistant: Settings, Devices, Add integration, Wyoming Protocol.\nNo emergency call can be started over it.\n\nExit codes: 0 ended, 2 the configuration or an address cannot be used, 3 models are missing."
)]
pub(crate) struct Arguments {
    /// Household configuration (TOML), for its [wyoming], its country and its room [default: the first of `hearth config
    /// places`].
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where to listen [default: `services` of the configuration, else 127.0.0.1:10300].
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
    /// Who may connect; may be given several times [default: `peers` of the configuration, else this machine].
    #[arg(long, value_name = "ADDRESS")]
    peer: Vec<IpAddr>,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> Exit {
    match prepared(arguments).and_then(served) {
        Ok(()) => Exit::Ok,
        Err((why, exit)) => {
            eprintln!("hearth: {why}");
            exit
        }
    }
}

struct Prepared {
    name: String,
    listen: SocketAddr,
    peers: Vec<IpAddr>,
    offer: Offer,
    engines: Engines,
}

fn prepared(arguments: &Arguments) -> Result<Prepared, (String, Exit)> {
    let wrong = |why: String| (why, Exit::Input);
    let missing = |why: String| (why, Exit::Missing);
    let folder = ModelFolder::locate().map_err(wrong)?;
    let file = place::household_file(arguments.config.as_deref());
    let household = household::read(file.as_deref()).map_err(wrong)?;
    let country = household
        .country()
        .map_err(|error| wrong(error.to_string()))?;
    let installed = super::models::install_missing(&folder, Look::Sizes);
    if installed != Exit::Ok {
        return Err((
            "models are missing: hearth models install".into(),
            installed,
        ));
    }
    let wake = folder
        .read("pymicro-wakeword", "alexa.tflite")
        .map_err(missing)?;
    let recogniser = ear::recogniser(&folder).map_err(|error| missing(error.to_string()))?;
    let mut synthesiser = voice::synthesiser(&folder).map_err(missing)?;
    let rate_hz = u32::try_from(synthesiser.voice_rate_hz()).unwrap_or(16_000);
    let everyday = compiled::everyday(&folder, &household);
    let offered = Offered {
        wake_word: Some(WakeConfig::default().keyword),
        asr: true,
        voice: Some("en_US-joe-medium".to_owned()),
        sentences: everyday
            .as_ref()
            .map(|everyday| everyday.language().to_owned()),
    };
    let offer = Offer {
        info: info(&offered),
        wake: Some((wake.into(), WakeConfig::default())),
        speech_rate_hz: Some(rate_hz),
        limits: ServiceLimits::default(),
    };
    let speak: Speak = Box::new(move |text| {
        synthesiser
            .speak_at_voice_rate(text)
            .map_err(|error| error.to_string())
    });
    let engines = Engines::start(
        Some(transcribing(recogniser)),
        Some(speak),
        everyday.map(|everyday| understanding(everyday, country)),
    )
    .map_err(|error| missing(format!("cannot start a thread: {error}")))?;
    Ok(Prepared {
        name: household.device.name.clone(),
        listen: (arguments.listen)
            .or(household.wyoming.services)
            .unwrap_or(LISTEN),
        peers: chosen(arguments, &household).map_err(wrong)?,
        offer,
        engines,
    })
}

/// Who may connect: this machine where nobody was chosen.
fn chosen(arguments: &Arguments, household: &Household) -> Result<Vec<IpAddr>, String> {
    if !arguments.peer.is_empty() {
        return Ok(arguments.peer.clone());
    }
    let peers = household
        .wyoming
        .peers()
        .map_err(|error| error.to_string())?;
    Ok(if peers.is_empty() {
        vec![LISTEN.ip()]
    } else {
        peers
    })
}

fn transcribing(mut recogniser: Moonshine) -> Transcribe {
    Box::new(move |samples| {
        let mut words: Vec<String> = Vec::new();
        for part in parts(samples) {
            let room = std::iter::repeat_n(0.0, ROOM_SAMPLES);
            let sound = part.iter().map(|sample| f32::from(*sample) / 32_768.0);
            let sound: Vec<f32> = room.clone().chain(sound).chain(room).collect();
            let said = recogniser
                .encode(&sound)
                .and_then(|encoded| recogniser.greedy(&encoded))
                .map_err(|error| error.to_string())?;
            let said = said.text.trim();
            if !said.is_empty() {
                words.push(said.to_owned());
            }
        }
        Ok(words.join(" "))
    })
}

/// Pieces that the recogniser takes at once, cut where it is quiet.
fn parts(mut samples: &[i16]) -> Vec<&[i16]> {
    let samples_max = SAMPLES_MAX - 2 * ROOM_SAMPLES;
    let mut parts = Vec::new();
    while samples.len() > samples_max {
        let from = samples_max - CUT_WITHIN_SAMPLES;
        let loudness = |at: &usize| -> i64 {
            let part = &samples[*at..*at + QUIET_SAMPLES];
            part.iter()
                .map(|sample| i64::from(*sample) * i64::from(*sample))
                .sum()
        };
        let quietest = (from..samples_max - QUIET_SAMPLES)
            .step_by(QUIET_SAMPLES / 5)
            .min_by_key(loudness)
            .unwrap_or(from);
        let (part, rest) = samples.split_at(quietest + QUIET_SAMPLES / 2);
        parts.push(part);
        samples = rest;
    }
    if !samples.is_empty() {
        parts.push(samples);
    }
    parts
}

fn understanding(everyday: Arc<Everyday>, country: Country) -> Understand {
    let named = std::env::var("TZ").ok();
    let (zone, told) = system_zone(named.as_deref(), Path::new("/etc/localtime"));
    if let Some(told) = told {
        eprintln!("hearth: {told}");
    }
    Box::new(move |said| {
        let since = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        let local = zone.local(i64::try_from(since.as_millis()).unwrap_or(0));
        let now = Moment {
            year: local.year().into(),
            month: local.month().unsigned_abs(),
            day: local.day().unsigned_abs(),
            hour: local.hour().unsigned_abs(),
            minute: local.minute().unsigned_abs(),
        };
        meaning(&everyday, country, said, now)
    })
}

fn served(prepared: Prepared) -> Result<(), (String, Exit)> {
    let wrong = |why: String| (why, Exit::Input);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| (error.to_string(), Exit::Missing))?;
    runtime.block_on(async {
        let peers: Vec<String> = prepared.peers.iter().map(IpAddr::to_string).collect();
        let door = Door::open(prepared.listen, prepared.peers)
            .await
            .map_err(wrong)?;
        let address = door.address().map_err(|error| wrong(error.to_string()))?;
        let mut told = Vec::new();
        let service = guests::wyoming_service(format!("{} voice services", prepared.name));
        let _announced = guests::announced(service, &door, &mut told);
        for what in told {
            eprintln!("hearth: {what}");
        }
        out!(
            "Wyoming at tcp://{address}, for {}. Ends with Ctrl-C.",
            peers.join(", ")
        );
        out!("No emergency call can be started over it.");
        tokio::spawn(service::keep_alive());
        service::ready();
        tokio::select! {
            () = serve(door, Arc::new(prepared.offer), prepared.engines) => {}
            () = service::told_to_end() => {}
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_recording_is_cut_where_it_is_quiet_and_nothing_is_lost() {
        let mut samples: Vec<i16> = (0..50 * SAMPLE_RATE_HZ)
            .map(|at| (at % 199) as i16 * 40)
            .collect();
        let pause = 15 * SAMPLE_RATE_HZ;
        samples[pause..pause + SAMPLE_RATE_HZ / 2].fill(0);
        let cut = parts(&samples);
        assert_eq!(cut.concat(), samples);
        assert!(
            cut.iter()
                .all(|part| part.len() + 2 * ROOM_SAMPLES <= SAMPLES_MAX)
        );
        let first = cut[0].len();
        assert!(
            (pause..pause + SAMPLE_RATE_HZ / 2).contains(&first),
            "{first}"
        );
        assert!(parts(&[]).is_empty());
    }
}
