//! What a bus's modem is like, read once.

use std::time::Duration;

use super::address::BusAddress;
use super::serve::{ServeConfig, StartError, start};
use crate::service::{Health, ModemFacts};

/// Time for a bus to show its modem.
const LOOK: Duration = Duration::from_secs(2);
const STEP: Duration = Duration::from_millis(20);

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Status {
    /// Whether calls can be made.
    pub health: Health,
    /// The same in words, with what to do.
    pub words: String,
    /// The modem, where there is one.
    pub modem: Option<ModemFacts>,
}

/// Looks. Nothing is changed on the modem, no call or message is touched.
///
/// # Errors
/// [`StartError`].
pub async fn status(bus: BusAddress) -> Result<Status, StartError> {
    let mut config = ServeConfig::new(bus);
    config.take_texts = false;
    let line = start(config).await?;
    let until = tokio::time::Instant::now() + LOOK;
    let mut found = (Health::NoBus, None);
    while tokio::time::Instant::now() < until {
        tokio::time::sleep(STEP).await;
        found = line.facts().await.unwrap_or((Health::NoBus, None));
        if found.1.is_some() {
            break;
        }
    }
    // The card's numbers come a moment after the modem.
    tokio::time::sleep(STEP).await;
    found = line.facts().await.unwrap_or(found);
    line.stop().await;
    let (health, modem) = found;
    Ok(Status {
        health,
        words: health.to_string(),
        modem,
    })
}
