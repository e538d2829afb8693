//! The simulator beside a home's hub: its tabs are speakers of that home.
use std::path::Path;

use hearthline_hub::HubHandle;

use super::{Failure, Run};
use crate::command::models::install_missing;
use crate::enrolment::Enrolment;
use crate::exit::Exit;
use crate::household;
use crate::models::{Look, ModelFolder};
use crate::simulator::{Opening, Simulator, Stage, secret};

/// Below the hub's folder: records of the tabs' devices, and what they know of the home.
const FOLDER: &str = "simulator";

/// Page and call-taker, running.
pub(super) struct Simulated {
    stage: Stage,
    simulator: Simulator,
}

/// The models that a speaker hears and speaks with.
pub(super) fn models() -> Result<ModelFolder, Failure> {
    let models = ModelFolder::locate().map_err(Failure::Input)?;
    match install_missing(&models, Look::Sizes) {
        Exit::Ok => Ok(models),
        _ => Err(Failure::Input(
            "--simulator wants the speech models; `hearth models install` says what is missing"
                .to_owned(),
        )),
    }
}

/// Starts both.
pub(super) async fn start(
    run: &Run,
    models: &ModelFolder,
    hub: &HubHandle,
    folder: &Path,
) -> Result<Simulated, Failure> {
    let mut household = match run.household()? {
        Some(household) => household,
        None => household::read(None).map_err(Failure::Input)?,
    };
    if let Some(country) = run.country {
        country.code().clone_into(&mut household.device.country);
    }
    let data = folder.join(FOLDER);
    let stage = Stage::start(&data).await.map_err(Failure::Input)?;
    let opening = Opening {
        models,
        household,
        data: &data,
        home: Enrolment::of(hub, folder, &data.join("enrolled")),
        port: run.simulator_port,
        key: Some(secret().map_err(Failure::Input)?),
    };
    let simulator = stage.open(opening).await.map_err(Failure::Input)?;
    Ok(Simulated { stage, simulator })
}

impl Simulated {
    /// Where a tab is opened.
    pub(super) fn link(&self) -> String {
        self.simulator.link()
    }

    /// The call-taker's page.
    pub(super) fn console(&self) -> String {
        self.stage.console()
    }

    pub(super) async fn stop(self) {
        self.simulator.stop().await;
        self.stage.psap.stop().await;
    }
}
