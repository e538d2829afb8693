//! A configuration that comes while the device runs: calls, routines and services of the owner by it, nothing dropped.
use std::ops::ControlFlow;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

use super::password;
use super::run::{Message, News, Running, When};
use super::skills::{Fitted, Port, skill_anew};
use crate::config::{Difference, Household};
use crate::device::Settings;

/// A configuration that is valid, and what of it is new.
pub struct Reload {
    /// The household. Its membership in a home is that of the start.
    pub household: Household,
    /// What is new.
    pub difference: Difference,
    /// Skills from beside this crate that take the places of others of their names.
    pub skills: Vec<Fitted>,
}

/// The way between a skill and its adapter.
pub(super) struct Adapter {
    pub(super) name: &'static str,
    pub(super) out: mpsc::Sender<Value>,
    following: AbortHandle,
}

impl Adapter {
    /// Hands on what the adapter brings.
    pub(super) fn follow(name: &'static str, port: Port, messages: mpsc::Sender<Message>) -> Self {
        let Port { out, mut came, .. } = port;
        let following = tokio::spawn(async move {
            while let Some(value) = came.recv().await {
                if messages.send(Message::CameFor(name, value)).await.is_err() {
                    break;
                }
            }
        });
        Self {
            name,
            out,
            following: following.abort_handle(),
        }
    }
}

impl Drop for Adapter {
    fn drop(&mut self) {
        self.following.abort();
    }
}

impl Running {
    /// Goes on by another configuration.
    pub(super) fn reload(
        &mut self,
        reload: Reload,
        now: Duration,
        watch: &mut impl FnMut(News<'_>, When) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let Reload {
            household,
            difference,
            skills,
        } = reload;
        let mut told = Vec::new();
        if difference.calls {
            match self.settings(&household) {
                Ok((settings, notices)) => {
                    told.extend(notices);
                    self.device.reconfigure(settings, now);
                }
                Err(why) => told.push(format!("{why}. Calls are made as before")),
            }
        }
        for name in difference.skills {
            let (fitted, notices) = skill_anew(&household, name);
            told.extend(notices);
            self.replace(fitted, now);
        }
        for fitted in skills {
            self.replace(fitted, now);
        }
        for what in told {
            watch(News::Trouble(what), self.when())?;
        }
        ControlFlow::Continue(())
    }

    fn replace(&mut self, fitted: Fitted, now: Duration) {
        let Fitted { skill, port } = fitted;
        let name = skill.name();
        // The old adapter ends with its channel, before the new one speaks.
        self.outside.retain(|adapter| adapter.name != name);
        let kept = self.store.kept_of(name);
        self.device.replace_skill(skill, &kept, now);
        let messages = self.messages.clone();
        self.outside
            .extend(port.map(|port| Adapter::follow(name, port, messages)));
    }

    fn settings(&self, household: &Household) -> Result<(Settings, Vec<String>), String> {
        let words = |error: crate::config::ConfigError| error.to_string();
        let (mut lines, notices) = password::lines(household).map_err(words)?;
        if let Some(home) = &household.household {
            lines.insert(0, home.line().map_err(words)?);
        }
        // The device puts its own contact there.
        let contact = hearthline_emergency::target::SipUri::parse("sip:speaker@127.0.0.1")
            .map_err(|error| error.to_string())?;
        let key = self.device.recorder().key_id().to_string();
        let settings = Settings {
            profile: household.profile(contact, key).map_err(words)?,
            lines,
            lost_servers: Some(household.lost_servers().map_err(words)?),
            mode: household.mode().map_err(words)?,
        };
        Ok((settings, notices))
    }
}
