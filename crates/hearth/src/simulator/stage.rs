//! What a simulator needs around it: a drill call-taker that a person may be, and the models.
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::{Arc, Mutex};

use hearthline_psap::{Behaviour, HomeCa, Running};
use hearthline_speaker::config::Household;

use super::server::{self, Simulator};
use super::tabs::Ground;
use crate::enrolment::Enrolment;
use crate::models::ModelFolder;
use crate::{compiled, drill, voice};

/// A person at the call-taker's page may take a call for so long; then a voice answers.
const PERSON_S: u16 = 12;
/// The voice hangs up after so long.
const VOICE_TALKS_MS: u64 = 20_000;

/// The drill call-taker, running.
pub(crate) struct Stage {
    pub(crate) psap: Running,
    roots_pem: Vec<u8>,
}

/// How the page is opened.
pub(crate) struct Opening<'a> {
    pub(crate) models: &'a ModelFolder,
    /// Each device has a name of its own in it.
    pub(crate) household: Household,
    /// Where the devices keep their records.
    pub(crate) data: &'a Path,
    /// The home that they are enrolled in.
    pub(crate) home: Option<Enrolment>,
    /// Of 127.0.0.1; 0 takes a free one.
    pub(crate) port: u16,
    /// What a page must know to open a tab.
    pub(crate) key: Option<String>,
}

impl Stage {
    /// Starts the call-taker; what it hears is kept below `data`.
    ///
    /// # Errors
    /// In words.
    pub(crate) async fn start(data: &Path) -> Result<Self, String> {
        let home_ca = HomeCa::make(IpAddr::V4(Ipv4Addr::LOCALHOST))?;
        let behaviour = Behaviour {
            hang_up_after_ms: Some(VOICE_TALKS_MS),
            ..Behaviour::default()
        };
        let psap = drill::start_psap(data, home_ca.identity, behaviour, Some(PERSON_S)).await?;
        Ok(Self {
            psap,
            roots_pem: home_ca.root_pem,
        })
    }

    /// Opens the page: each of its tabs is a speaker, whose line of its own leads to this call-taker.
    ///
    /// # Errors
    /// In words.
    pub(crate) async fn open(&self, opening: Opening<'_>) -> Result<Simulator, String> {
        let mut household = opening.household;
        if household.lost.servers.is_empty() {
            household.lost.servers.push(self.psap.lost_url());
        }
        let ground = Ground {
            data: opening.data.to_owned(),
            models: opening.models.clone(),
            voice: Arc::new(Mutex::new(voice::synthesiser(opening.models)?)),
            everyday: compiled::everyday(opening.models, &household),
            household,
            line: drill::drill_line(&self.psap),
            home: opening.home,
            roots_pem: self.roots_pem.clone(),
            console: self.console(),
            key: opening.key,
        };
        server::start(ground, opening.port).await
    }

    /// The call-taker's page.
    pub(crate) fn console(&self) -> String {
        format!("http://{}/", self.psap.http)
    }
}
