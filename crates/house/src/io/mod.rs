//! The thin part: sockets, files and waiting around the cores of the systems. One task for each.
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::mpsc;

use crate::exchange::{News, Order, What};

mod dial;
mod home_assistant;
mod http;
mod hue;
mod mqtt;
mod own;
mod running;
mod secret;
mod setup;
mod wled;

use self::own::OwnWires;
pub use self::own::Readiness;
pub use self::setup::{Control, Fit, fitted};

/// Key of Home Assistant.
pub const HOME_ASSISTANT: &str = "home_assistant";
/// Key of Philips Hue.
pub const HUE: &str = "hue";
/// How long a connection may take to stand.
pub(crate) const CONNECT_MAX: Duration = Duration::from_millis(1_500);

/// A task's end of what its system is told and tells.
pub(crate) struct Wires {
    pub(crate) orders: mpsc::Receiver<Vec<Order>>,
    pub(crate) tell: mpsc::Sender<Value>,
    /// Set once nobody wants to hear it any more.
    pub(crate) is_over: Arc<AtomicBool>,
}

impl Wires {
    /// Tells the skill; false when there is nobody any more.
    pub(crate) async fn news(&self, system: &str, what: What) -> bool {
        if self.is_over.load(Ordering::Relaxed) {
            return true;
        }
        let news = News {
            system: system.to_owned(),
            what,
        };
        match serde_json::to_value(&news) {
            Ok(value) => self.tell.send(value).await.is_ok(),
            Err(error) => {
                tracing::warn!(%error, "news that is no JSON");
                true
            }
        }
    }

    /// Says of orders that they are not done.
    pub(crate) async fn refuse(&self, system: &str, orders: &[Order], why: &str) -> bool {
        for order in orders {
            let failed = What::Failed {
                order: order.id,
                why: why.to_owned(),
            };
            if !self.news(system, failed).await {
                return false;
            }
        }
        true
    }
}
