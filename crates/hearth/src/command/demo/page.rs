//! `hearth demo --page`: hub, drill line, call-taker and LoST server stay up, and a page in the browser is the speaker.
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use hearthline_psap::{Behaviour, HomeCa};
use hearthline_speaker::config::Household;

use crate::exit::Exit;
use crate::models::ModelFolder;
use crate::playback::find;
use crate::print::out;
use crate::simulator::{self, Ground};
use crate::{compiled, demo_home, drill, household, voice};

/// A person at the call-taker's page may take a call for so long; then a voice answers.
const PERSON_S: u16 = 12;
/// The voice hangs up after so long.
const VOICE_TALKS_MS: u64 = 20_000;
/// What opens a page on a desktop.
const OPENER: &str = "xdg-open";

/// How the page is served.
pub(super) struct Served<'a> {
    pub(super) models: &'a ModelFolder,
    pub(super) household: Household,
    pub(super) data: &'a Path,
    pub(super) port: u16,
    /// Whether a browser is asked to show it.
    pub(super) opens: bool,
}

/// Serves until Ctrl-C.
///
/// # Errors
/// In words, with the exit code.
pub(super) fn run(served: Served<'_>) -> Result<Exit, (String, Exit)> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| (format!("cannot start: {error}"), Exit::Missing))?;
    runtime.block_on(serve(served))
}

async fn serve(served: Served<'_>) -> Result<Exit, (String, Exit)> {
    let missing = |why: String| (why, Exit::Missing);
    let home_ca = HomeCa::make(IpAddr::V4(Ipv4Addr::LOCALHOST)).map_err(missing)?;
    let behaviour = Behaviour {
        hang_up_after_ms: Some(VOICE_TALKS_MS),
        ..Behaviour::default()
    };
    let psap = drill::start_psap(served.data, home_ca.identity, behaviour, Some(PERSON_S))
        .await
        .map_err(missing)?;
    let mut household = served.household;
    if household.lost.servers.is_empty() {
        household.lost.servers.push(psap.lost_url());
    }
    let home = match household::numbers_country(&household) {
        Some(country) => {
            let uri = drill::tcp_uri(&psap);
            let started = demo_home::start(served.data, &household, country, &uri).await;
            Some(started.map_err(missing)?)
        }
        // A hub dials by one country's numbers; a device calls for help all the same.
        None => None,
    };
    let ground = Ground {
        data: served.data.to_owned(),
        models: served.models.clone(),
        voice: Arc::new(Mutex::new(
            voice::synthesiser(served.models).map_err(missing)?,
        )),
        everyday: compiled::everyday(served.models, &household),
        household,
        line: drill::drill_line(&psap),
        home,
        roots_pem: home_ca.root_pem,
        console: format!("http://{}/", psap.http),
    };
    let simulator = simulator::start(ground, served.port)
        .await
        .map_err(|why| (why, Exit::Input))?;
    let page = format!("http://localhost:{}/", simulator.address.port());
    out!("DRILL. Everything runs in this process; nothing leaves this machine.\n");
    out!(
        "  Simulator   {page}\n  Call-taker  http://{}/\n",
        psap.http
    );
    out!(
        "Hold the space bar and say \"Alexa, call 911\". Each tab is a speaker of its own.\nEnds with Ctrl-C."
    );
    if served.opens {
        show(&page);
    }
    let _ = tokio::signal::ctrl_c().await;
    if let Some(home) = simulator.stop().await {
        home.hub.stop().await;
    }
    psap.stop().await;
    Ok(Exit::Ok)
}

/// Asks the desktop to show the page; where there is none, the address was printed.
fn show(page: &str) {
    let desktop = ["DISPLAY", "WAYLAND_DISPLAY"]
        .iter()
        .any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()));
    if desktop && find(OPENER).is_some() {
        let asked = Command::new(OPENER)
            .arg(page)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        // Whoever opened it need not be waited for.
        drop(asked);
    }
}
