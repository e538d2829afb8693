//! `hearth demo --page`: hub, drill line, call-taker and LoST server stay up, and a page in the browser is the speaker.
use std::path::Path;
use std::process::{Command, Stdio};

use hearthline_speaker::config::Household;

use crate::exit::Exit;
use crate::models::ModelFolder;
use crate::playback::find;
use crate::print::out;
use crate::simulator::{Opening, Stage};
use crate::{demo_home, drill, household};

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
    let stage = Stage::start(served.data).await.map_err(missing)?;
    let household = served.household;
    let home = match household::numbers_country(&household) {
        Some(country) => {
            let uri = drill::tcp_uri(&stage.psap);
            let started = demo_home::start(served.data, &household, country, &uri).await;
            Some(started.map_err(missing)?)
        }
        // A hub dials by one country's numbers; a device calls for help all the same.
        None => None,
    };
    let (hub, enrolment) = home.map(|home| (home.hub, home.enrolment)).unzip();
    let opening = Opening {
        models: served.models,
        household,
        data: served.data,
        home: enrolment,
        port: served.port,
        key: None,
    };
    let simulator = stage
        .open(opening)
        .await
        .map_err(|why| (why, Exit::Input))?;
    let page = simulator.link();
    out!("DRILL. Everything runs in this process; nothing leaves this machine.\n");
    out!("  Simulator   {page}\n  Call-taker  {}\n", stage.console());
    out!(
        "Hold the space bar and say \"Alexa, call 911\". Each tab is a speaker of its own.\nEnds with Ctrl-C."
    );
    if served.opens {
        show(&page);
    }
    let _ = tokio::signal::ctrl_c().await;
    simulator.stop().await;
    if let Some(hub) = hub {
        hub.stop().await;
    }
    stage.psap.stop().await;
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
