//! A drill: speaker, call-taker, LoST server and line, all on loopback.
use std::path::Path;

use hearthline_speaker::config::Household;

use crate::command::hear::Outcome;
use crate::exit::Exit;
use crate::models::ModelFolder;

/// One recording through a whole drill.
pub(crate) fn hear(_: &Path, _: &ModelFolder, _: &Household, _: Option<&Path>, _: bool) -> Result<Outcome, (String, Exit)> {
    Err(("only --dry-run".into(), Exit::Input))
}
