//! What of a configuration music goes by, and another one while it plays: what has not changed goes on.
use std::path::Path;
use std::sync::Arc;

use hearthline_speaker::config::MusicSettings;
use hearthline_speaker::player::Orderer;
use rustls::ClientConfig;
use tokio::sync::mpsc;

use super::http::Certificates;
use crate::skill::Settings;
use crate::subsonic::Account;
use crate::track::{Player, Station};

/// A configuration with what its files hold.
#[derive(Default)]
pub(super) struct Parts {
    pub(super) music: MusicSettings,
    pub(super) mpd_password: Option<String>,
    pub(super) account: Option<Account>,
    pub(super) tls: Certificates,
}

impl Parts {
    /// Reads its files; what cannot be read is told, and left out.
    pub(super) fn read(music: MusicSettings, notices: &mut Vec<String>) -> Self {
        let mut read = |path: &Path| {
            first_line(path)
                .map_err(|why| notices.push(why))
                .unwrap_or_default()
        };
        let mpd_password = (music.mpd.as_ref())
            .and_then(|settings| settings.password_file.as_deref())
            .map(&mut read);
        let account = music.subsonic.as_ref().map(|settings| Account {
            url: settings.url.clone(),
            user: settings.user.clone(),
            password: read(&settings.password_file),
            plain: settings.plain_password,
        });
        let tls = match music.certificate.as_deref().map(certificates).transpose() {
            Ok(tls) => tls,
            Err(why) => {
                notices.push(why);
                None
            }
        };
        Self {
            music,
            mpd_password,
            account,
            tls,
        }
    }

    pub(super) fn stations(&self) -> Vec<Station> {
        let stations = self.music.stations.iter();
        stations
            .map(|station| Station {
                name: station.name.clone(),
                url: station.url.clone(),
            })
            .collect()
    }
}

/// What the skill goes by.
pub(super) fn settings(music: &MusicSettings, room: &str) -> Settings {
    Settings {
        room: room.to_owned(),
        preferred: if music.prefers_home_assistant() {
            Player::HomeAssistant
        } else if music.prefers_mpd() {
            Player::Mpd
        } else {
            Player::Own
        },
        searches: music.home_assistant.is_some(),
        rooms: music.snapcast.is_some(),
        nothing: music.is_empty(),
    }
}

/// A configuration that comes while music may play.
pub(super) struct Anew {
    pub(super) parts: Parts,
    pub(super) remote: Option<Orderer>,
}

/// Music that runs, for another configuration. It runs on when this is dropped.
#[derive(Debug)]
pub struct Control {
    pub(super) anew: mpsc::UnboundedSender<Anew>,
}

impl Control {
    /// Goes on by another `[music]`, and tells what of it cannot be read. `remote` is given where the way to the media
    /// player of Home Assistant is another one; else the one that there is stays.
    pub fn reload(&self, music: MusicSettings, remote: Option<Orderer>) -> Vec<String> {
        let mut notices = Vec::new();
        let parts = Parts::read(music, &mut notices);
        if self.anew.send(Anew { parts, remote }).is_err() {
            notices.push("[music] counts at the next start only: its thread has ended".into());
        }
        notices
    }
}

/// The certificates of a file.
fn certificates(path: &Path) -> Result<Arc<ClientConfig>, String> {
    let told = |why: String| format!("[music] {}: {why}", path.display());
    let pem = std::fs::read(path).map_err(|error| told(error.to_string()))?;
    hearthline_transport::given::client_config(&pem).map_err(told)
}

/// A password of a file.
fn first_line(path: &Path) -> Result<String, String> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| format!("[music] {}: {error}", path.display()))?;
    Ok(text.lines().next().unwrap_or_default().trim().to_owned())
}
